/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/hook.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "report/catalog.h"

#define UNIT_NAME_MAX 255

static const char *const field_names[] = { "OFFLOADD_EVENT", "OFFLOADD_CODE", "OFFLOADD_MESSAGE", "OFFLOADD_MESSAGE_ID",
	"OFFLOADD_PRIORITY", "OFFLOADD_LINK", "OFFLOADD_IFINDEX", "OFFLOADD_FEATURES", "OFFLOADD_RULE",
	"OFFLOADD_REASON", "OFFLOADD_COUNT", "OFFLOADD_SERVICE", "OFFLOADD_REMEDY", "OFFLOADD_CHANGED_BY", "OFFLOADD_CHANGED_BY_UNIT",
	"OFFLOADD_NETNS", "OFFLOADD_SUPPRESSED" };
_Static_assert(ARRAY_SIZE(field_names) <= HOOK_FIELDS_MAX, "room for every field");

/* ---- sending ---- */

/* Appends a field; skips empty values. */
static void add(char *buf, const char *name, const char *value)
{
	char clean[1100];

	if (!value[0])
		return;
	util_copy_name(clean, sizeof(clean), value, strlen(value));
	util_append(buf, HOOK_EVENT_MAX, "%s=%s\n", name, clean);
}

static void add_number(char *buf, const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	add(buf, name, value ? text : "");
}

size_t hook_encode(const struct feature_table *table, const struct finding *event, const char *netns,
	uint64_t suppressed, char buf[HOOK_EVENT_MAX])
{
	enum event_kind kind = finding_event(event->code);
	char text[CATALOG_TEXT_MAX] = "", priority[12];

	snprintf(priority, sizeof(priority), "%d", finding_priority(event->code));
	buf[0] = '\0';
	add(buf, "OFFLOADD_EVENT", event_kind_name(kind));
	add(buf, "OFFLOADD_CODE", finding_name(event->code));
	add(buf, "OFFLOADD_MESSAGE", catalog_format(event, table, text, sizeof(text)));
	add(buf, "OFFLOADD_MESSAGE_ID", event_message_id(kind));
	add(buf, "OFFLOADD_PRIORITY", priority);
	add(buf, "OFFLOADD_LINK", event->link);
	add_number(buf, "OFFLOADD_IFINDEX", (uint64_t)event->ifindex);
	add(buf, "OFFLOADD_FEATURES", finding_format_features(event, table, text, sizeof(text)));
	add(buf, "OFFLOADD_RULE", event->rules);
	add(buf, "OFFLOADD_REASON", catalog_reason(event, table, text, sizeof(text)));
	add_number(buf, "OFFLOADD_COUNT", event->count);
	add(buf, "OFFLOADD_SERVICE", event->service);
	if (kind == EVENT_FALLBACK || kind == EVENT_STALE)
		add(buf, "OFFLOADD_REMEDY", remedy_name(event->remedy));
	add(buf, "OFFLOADD_CHANGED_BY", event->changed_by.comm);
	add(buf, "OFFLOADD_CHANGED_BY_UNIT", event->changed_by.unit);
	add(buf, "OFFLOADD_NETNS", netns);
	add_number(buf, "OFFLOADD_SUPPRESSED", suppressed);
	return strlen(buf);
}

/* The socket is opened for each event, because offloadd-hook.socket may start later or restart. */
static int send_event(const char *path, const char *text, size_t len)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (fd < 0)
		return -errno;
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	if (sendto(fd, text, len, MSG_NOSIGNAL, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return 1;
}

int hook_send(struct hooks *h, const struct feature_table *table, const struct finding *event,
	const char *netns, const char *path, uint64_t now_usec)
{
	char text[HOOK_EVENT_MAX];
	size_t len;
	int r;

	if (h->n == 0 || now_usec - h->window_usec >= HOOK_WINDOW_USEC) {
		h->window_usec = now_usec;
		h->n = 0;
	}
	if (h->n >= HOOK_BURST) {
		h->suppressed++;
		h->unreported++;
		return 0;
	}
	h->n++;
	len = hook_encode(table, event, netns, h->unreported, text);
	r = send_event(path ? path : HOOK_SOCKET_PATH, text, len);
	if (r < 0) {
		h->failed++;
		return r;
	}
	h->sent++;
	h->unreported = 0;
	return 1;
}

/* ---- receiving ---- */

static const char *find_field(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(field_names); i++)
		if (strcmp(name, field_names[i]) == 0)
			return field_names[i];
	return NULL;
}

static bool is_clean(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((text[i] < 0x20 || text[i] >= 0x7f) && text[i] != '\n')
			return false;
	return true;
}

static int take_line(char *line, struct hook_event *event)
{
	char *equals = strchr(line, '=');
	const char *name;

	if (!equals)
		return -EBADMSG;
	*equals = '\0';
	name = find_field(line);
	if (!name || event->n_fields == HOOK_FIELDS_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < event->n_fields; i++)
		if (event->fields[i].name == name)
			return -EBADMSG;
	event->fields[event->n_fields++] = (struct hook_field){ name, equals + 1 };
	return 0;
}

static int find_kind(const struct hook_event *event, enum event_kind *ret)
{
	if (event->n_fields == 0 || strcmp(event->fields[0].name, "OFFLOADD_EVENT") != 0)
		return -EBADMSG;
	for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
		if (strcmp(event->fields[0].value, event_kind_name((enum event_kind)kind)) == 0) {
			*ret = (enum event_kind)kind;
			return 0;
		}
	return -EBADMSG;
}

int hook_decode(char *text, size_t len, struct hook_event *ret)
{
	char *save = NULL;
	int r = 0;

	*ret = (struct hook_event){ 0 };
	if (len >= HOOK_EVENT_MAX || !is_clean(text, len))
		return -EBADMSG;
	text[len] = '\0';
	for (char *line = strtok_r(text, "\n", &save); line && r == 0; line = strtok_r(NULL, "\n", &save))
		r = take_line(line, ret);
	return r < 0 ? r : find_kind(ret, &ret->kind);
}

int hook_write_environment(FILE *f, const struct hook_event *event)
{
	for (size_t i = 0; i < event->n_fields; i++) {
		fprintf(f, "%s=\"", event->fields[i].name);
		for (const char *c = event->fields[i].value; *c; c++) {
			if (strchr("\"\\`$", *c))
				fputc('\\', f);
			fputc(*c, f);
		}
		fputs("\"\n", f);
	}
	return fflush(f) != 0 || ferror(f) ? -EIO : 0;
}

/* ---- units ---- */

static bool is_unit_text(const char *text, size_t len)
{
	static const char allowed[] =
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ:-_.\\";

	return len > 0 && strspn(text, allowed) >= len && text[0] != '-' && text[0] != '.';
}

bool hook_is_unit(const char *unit)
{
	size_t len = strlen(unit), suffix = strlen(HOOK_SUFFIX);

	/* room for an instance */
	return len > suffix && len < UNIT_NAME_MAX - 64 &&
		strcmp(unit + len - suffix, HOOK_SUFFIX) == 0 && is_unit_text(unit, len - suffix);
}

int hook_format_unit(const char *unit, const char *instance, char *buf, size_t size)
{
	int n;

	if (!hook_is_unit(unit) || !is_unit_text(instance, strlen(instance)))
		return -EINVAL;
	n = snprintf(buf, size, "%.*s@%s.service", (int)(strlen(unit) - strlen(HOOK_SUFFIX)), unit,
		instance);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}
