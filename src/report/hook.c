/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/hook.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "basic/hash.h"
#include "report/catalog.h"

#define UNIT_NAME_MAX 255

static const char *const field_names[] = { "OFFLOADD_EVENT", "OFFLOADD_CODE", "OFFLOADD_MESSAGE", "OFFLOADD_MESSAGE_ID",
	"OFFLOADD_PRIORITY", "OFFLOADD_LINK", "OFFLOADD_IFINDEX", "OFFLOADD_FEATURES", "OFFLOADD_RULE",
	"OFFLOADD_REASON", "OFFLOADD_COUNT", "OFFLOADD_SERVICE", "OFFLOADD_REMEDY", "OFFLOADD_CHANGED_BY", "OFFLOADD_CHANGED_BY_UNIT",
	"OFFLOADD_NETNS", "OFFLOADD_SUPPRESSED", "OFFLOADD_SUPPRESSED_LINKS" };
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

size_t hook_encode(const struct hook_target *target, const struct finding *event, const struct hook_held *held,
	char buf[HOOK_EVENT_MAX])
{
	const struct feature_table *table = target->table;
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
	add(buf, "OFFLOADD_NETNS", event->netns[0] ? event->netns : target->netns);
	if (held && held->n > 1) {
		add_number(buf, "OFFLOADD_SUPPRESSED", held->n - 1);
		add(buf, "OFFLOADD_SUPPRESSED_LINKS", held->links);
	}
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

static uint64_t hash_object(const struct finding *event)
{
	uint64_t hash = hash_more(0, event->netns, strlen(event->netns) + 1);

	return hash_more(hash_more(hash, event->link, strlen(event->link) + 1), event->service, strlen(event->service));
}

static int send_counted(struct hooks *h, const struct hook_target *target, const struct finding *event, const struct hook_held *held)
{
	char text[HOOK_EVENT_MAX];
	size_t len = hook_encode(target, event, held, text);
	int r = send_event(target->path ? target->path : HOOK_SOCKET_PATH, text, len);

	*(r < 0 ? &h->failed : &h->sent) += 1;
	return r;
}

static void hold(struct hook_held *held, const struct finding *event, bool is_new)
{
	char name[LINK_NAME_LEN + 2];
	const char *at = event->link[0] ? strstr(held->links, event->link) : NULL;
	size_t len = strlen(event->link);

	if (held->n++ == 0 || is_new)
		held->last = *event;
	while (at && ((at > held->links && at[-1] != ' ') || (at[len] && at[len] != ',')))
		at = strstr(at + 1, event->link);
	if (at || !len || strlen(held->links) + len + 3 > sizeof(held->links))
		return;
	snprintf(name, sizeof(name), "%s%s", held->links[0] ? ", " : "", event->link);
	util_append(held->links, sizeof(held->links), "%s", name);
}

int hook_send(struct hooks *h, const struct hook_target *target, const struct finding *event, uint64_t now_usec)
{
	struct hook_budget *b = &h->budgets[finding_event(event->code)];
	uint64_t object = hash_object(event);
	unsigned sent = 0;

	(void)hook_end(h, target, now_usec);
	if (b->n == 0)
		b->window_usec = now_usec;
	for (unsigned i = 0; i < b->n; i++)
		sent += b->objects[i] == object;
	if (sent >= HOOK_LINK_BURST || b->n >= HOOK_KIND_BURST) {
		h->suppressed++;
		hold(&b->held, event, sent == 0);
		return 0;
	}
	b->objects[b->n++] = object;
	return send_counted(h, target, event, NULL);
}

int hook_end(struct hooks *h, const struct hook_target *target, uint64_t now_usec)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(h->budgets); i++) {
		struct hook_budget *b = &h->budgets[i];
		int one = 0;

		if (b->n == 0 || now_usec - b->window_usec < HOOK_WINDOW_USEC)
			continue;
		b->n = 0;
		if (b->held.n == 0)
			continue;
		b->window_usec = now_usec;
		b->objects[b->n++] = hash_object(&b->held.last);
		one = send_counted(h, target, &b->held.last, &b->held);
		if (one >= 0) /* otherwise again after this window */
			b->held = (struct hook_held){ 0 };
		r = r < 0 ? r : one;
	}
	return r;
}

uint64_t hook_deadline(const struct hooks *h)
{
	uint64_t deadline_usec = 0;

	for (size_t i = 0; i < ARRAY_SIZE(h->budgets); i++)
		if (h->budgets[i].held.n)
			util_earlier(&deadline_usec, h->budgets[i].window_usec + HOOK_WINDOW_USEC);
	return deadline_usec;
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
