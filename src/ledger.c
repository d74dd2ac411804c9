/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <json-c/json.h>

#include "util.h"

static void put_json(struct json_object **object)
{
	json_object_put(*object);
}
#define _cleanup_json_ _cleanup_(put_json)

static void free_tokener(struct json_tokener **tokener)
{
	if (*tokener)
		json_tokener_free(*tokener);
}

/* -EBADMSG, with the reason in why. */
_printf_(3, 4) static int bad(char *why, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, size, fmt, ap);
	va_end(ap);
	return -EBADMSG;
}

static struct ledger_link *find_index(const struct ledger *ledger, int ifindex)
{
	struct ledger_link *entry;

	HASH_FIND_INT(ledger->links, &ifindex, entry);
	return entry;
}

static void drop(struct ledger *ledger, struct ledger_link *entry)
{
	HASH_DEL(ledger->links, entry);
	free(entry);
}

static void clear_links(struct ledger *ledger)
{
	struct ledger_link *entry, *next;

	HASH_ITER(hh, ledger->links, entry, next)
	{
		drop(ledger, entry);
	}
}

/* Regular files of bounded size only: a fifo put there must not hang us. */
static int read_file(const char *path, char **ret, size_t *ret_len, char *why, size_t why_size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	_cleanup_free_ char *buf = NULL;
	size_t len = 0;
	struct stat st;

	if (fd < 0)
		return errno == ELOOP ? bad(why, why_size, "it is a symbolic link") : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return bad(why, why_size, "it is not a regular file");
	if (st.st_size > LEDGER_MAX_BYTES)
		return bad(why, why_size, "it is larger than %d MB", LEDGER_MAX_BYTES >> 20);
	buf = malloc((size_t)st.st_size + 1);
	if (!buf)
		return -ENOMEM;
	while (len < (size_t)st.st_size) {
		ssize_t n = read(fd, buf + len, (size_t)st.st_size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	buf[len] = '\0';
	*ret = buf;
	*ret_len = len;
	buf = NULL;
	return 0;
}

static const char *get_string(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value) ||
		!json_object_is_type(value, json_type_string))
		return NULL;
	return json_object_get_string(value);
}

static bool get_int(struct json_object *object, const char *key, int64_t *ret)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value) ||
		!json_object_is_type(value, json_type_int))
		return false;
	*ret = json_object_get_int64(value);
	return true;
}

static int parse_address(const char *text, struct ledger_link *ret)
{
	while (*text) {
		char *end;
		unsigned long byte = strtoul(text, &end, 16);

		if (end - text != 2 || byte > 0xff || ret->address_len == LINK_ADDRESS_LEN ||
			(*end && (*end != ':' || !end[1])))
			return -EBADMSG;
		ret->address[ret->address_len++] = (uint8_t)byte;
		text = *end ? end + 1 : end;
	}
	return 0;
}

/* Features that this kernel has not are passed over: nobody can put them back. */
static int parse_original(
	struct json_object *original, const struct feature_table *table, struct ledger_link *ret)
{
	json_object_object_foreach(original, name, value)
	{
		feature_set bit = feature_named(table, name);

		if (!json_object_is_type(value, json_type_boolean))
			return -EBADMSG;
		ret->mask |= bit;
		if (json_object_get_boolean(value))
			ret->value |= bit;
	}
	return 0;
}

static int parse_link(
	struct json_object *object, const struct feature_table *table, struct ledger_link *ret)
{
	const char *name = get_string(object, "name"), *kind = get_string(object, "kind"),
		   *address = get_string(object, "address");
	struct json_object *original;
	int64_t ifindex;

	*ret = (struct ledger_link){ 0 };
	if (!name || !kind || !address || !get_int(object, "ifindex", &ifindex) || ifindex <= 0 ||
		ifindex > INT32_MAX || strlen(name) >= sizeof(ret->name) ||
		strlen(kind) >= sizeof(ret->kind) ||
		!json_object_object_get_ex(object, "original", &original) ||
		!json_object_is_type(original, json_type_object))
		return -EBADMSG;
	ret->ifindex = (int)ifindex;
	util_copy_name(ret->name, sizeof(ret->name), name, strlen(name));
	util_copy_name(ret->kind, sizeof(ret->kind), kind, strlen(kind));
	if (parse_address(address, ret) < 0)
		return -EBADMSG;
	return parse_original(original, table, ret);
}

static int parse_links(struct ledger *ledger, struct json_object *links,
	const struct feature_table *table, char *why, size_t why_size)
{
	size_t n = json_object_array_length(links);

	if (n > LEDGER_MAX_LINKS)
		return bad(why, why_size, "more than %d links", LEDGER_MAX_LINKS);
	for (size_t i = 0; i < n; i++) {
		struct ledger_link *entry = malloc(sizeof(*entry));

		if (!entry)
			return -ENOMEM;
		if (parse_link(json_object_array_get_idx(links, i), table, entry) < 0 ||
			find_index(ledger, entry->ifindex)) {
			free(entry);
			return bad(why, why_size, "entry %zu of links cannot be understood", i + 1);
		}
		if (entry->mask)
			HASH_ADD_INT(ledger->links, ifindex, entry);
		else
			free(entry);
	}
	return 0;
}

static int parse(struct ledger *ledger, const char *text, size_t len,
	const struct feature_table *table, char *why, size_t why_size)
{
	_cleanup_(free_tokener) struct json_tokener *tokener = json_tokener_new_ex(8);
	_cleanup_json_ struct json_object *root = NULL;
	struct json_object *links;
	int64_t version, netns;

	if (!tokener)
		return -ENOMEM;
	if (len > 0)
		root = json_tokener_parse_ex(tokener, text, (int)len);
	if (!root || !json_object_is_type(root, json_type_object))
		return bad(why, why_size, "it is not a JSON object");
	if (!get_int(root, "version", &version) || version != LEDGER_VERSION)
		return bad(why, why_size, "its version is not %d", LEDGER_VERSION);
	if (!get_int(root, "netns", &netns) || (uint64_t)netns != ledger->netns)
		return bad(why, why_size, "it belongs to another network namespace");
	if (!json_object_object_get_ex(root, "links", &links) ||
		!json_object_is_type(links, json_type_array))
		return bad(why, why_size, "it has no list of links");
	return parse_links(ledger, links, table, why, why_size);
}

/* Keeps a file that cannot be trusted for somebody to look at. 1, negative errno. */
static int set_aside(struct ledger *ledger, char *why, size_t why_size)
{
	_cleanup_free_ char *aside = NULL, *reason = strdup(why);

	clear_links(ledger);
	if (!reason || asprintf(&aside, "%s.bad", ledger->path) < 0)
		return -ENOMEM;
	if (rename(ledger->path, aside) < 0)
		return -errno;
	snprintf(why, why_size, "%s was set aside as %s: %s", ledger->path, aside, reason);
	return 1;
}

/* Who may not look at PID 1 counts as living where it does: then the file's own netns tells. */
static int default_path(uint64_t netns, char **ret)
{
	const char *dot = strrchr(LEDGER_DEFAULT_PATH, '.');
	struct stat st;
	int r;

	if (stat("/proc/1/ns/net", &st) < 0 || st.st_ino == netns)
		r = asprintf(ret, "%s", LEDGER_DEFAULT_PATH);
	else
		r = asprintf(ret, "%.*s-%llu%s", (int)(dot - LEDGER_DEFAULT_PATH),
			LEDGER_DEFAULT_PATH, (unsigned long long)netns, dot);
	if (r < 0)
		*ret = NULL;
	return r < 0 ? -ENOMEM : 0;
}

int ledger_new(struct ledger **ret)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));
	struct stat st;

	if (!ledger)
		return -ENOMEM;
	if (stat("/proc/self/ns/net", &st) == 0)
		ledger->netns = st.st_ino;
	*ret = ledger;
	return 0;
}

int ledger_open(const char *path, const struct feature_table *table, struct ledger **ret, char *why,
	size_t why_size)
{
	_cleanup_(ledger_close_pointer) struct ledger *ledger = NULL;
	_cleanup_free_ char *text = NULL, *chosen = NULL;
	size_t len = 0;
	int r = ledger_new(&ledger);

	why[0] = '\0';
	if (r < 0)
		return r;
	if (path)
		chosen = strdup(path);
	else
		(void)default_path(ledger->netns, &chosen);
	if (!chosen)
		return -ENOMEM;
	ledger->path = chosen;
	chosen = NULL;
	r = read_file(ledger->path, &text, &len, why, why_size);
	if (r >= 0)
		r = parse(ledger, text, len, table, why, why_size);
	if (r == -EBADMSG)
		r = set_aside(ledger, why, why_size);
	if (r < 0 && r != -ENOENT)
		return r;
	*ret = ledger;
	ledger = NULL;
	return r > 0;
}

void ledger_close(struct ledger *ledger)
{
	if (!ledger)
		return;
	clear_links(ledger);
	free(ledger->path);
	free(ledger);
}

void ledger_close_pointer(struct ledger **ledger)
{
	ledger_close(*ledger);
}

static bool is_same(const struct ledger_link *entry, const struct link *link)
{
	return strcmp(entry->kind, link->kind) == 0 &&
		(strcmp(entry->name, link->name) == 0 ||
			(entry->address_len > 0 && entry->address_len == link->address_len &&
				memcmp(entry->address, link->address, entry->address_len) == 0));
}

static void take_identity(struct ledger_link *entry, const struct link *link)
{
	memcpy(entry->name, link->name, sizeof(entry->name));
	memcpy(entry->kind, link->kind, sizeof(entry->kind));
	memcpy(entry->address, link->address, sizeof(entry->address));
	entry->address_len = link->address_len;
}

int ledger_remember(struct ledger *ledger, const struct link *link, feature_set mask)
{
	struct ledger_link *entry = find_index(ledger, link->ifindex);

	if (entry && !is_same(entry, link)) {
		drop(ledger, entry);
		entry = NULL;
	}
	if (!entry) {
		if (HASH_COUNT(ledger->links) >= LEDGER_MAX_LINKS)
			return -ENOSPC;
		entry = calloc(1, sizeof(*entry));
		if (!entry)
			return -ENOMEM;
		entry->ifindex = link->ifindex;
		HASH_ADD_INT(ledger->links, ifindex, entry);
	}
	take_identity(entry, link);
	mask &= ~entry->mask;
	if (!mask)
		return 0;
	entry->mask |= mask;
	entry->value |= link->features.wanted & mask;
	ledger->dirty = true;
	return 1;
}

const struct ledger_link *ledger_find(const struct ledger *ledger, const struct link *link)
{
	const struct ledger_link *entry = find_index(ledger, link->ifindex);

	return entry && is_same(entry, link) ? entry : NULL;
}

void ledger_forget(struct ledger *ledger, int ifindex)
{
	struct ledger_link *entry = find_index(ledger, ifindex);

	if (!entry)
		return;
	drop(ledger, entry);
	ledger->dirty = true;
}

static struct json_object *format_link(
	const struct ledger_link *entry, const struct feature_table *table)
{
	struct json_object *object = json_object_new_object(), *original = json_object_new_object();
	char clean[LINK_NAME_LEN], address[3 * LINK_ADDRESS_LEN] = "";
	unsigned bit;

	util_copy_name(clean, sizeof(clean), entry->name, strnlen(entry->name, sizeof(entry->name)));
	for (unsigned i = 0; i < entry->address_len; i++)
		util_append(address, sizeof(address), "%s%02x", i ? ":" : "", entry->address[i]);
	json_object_object_add(object, "ifindex", json_object_new_int(entry->ifindex));
	json_object_object_add(object, "name", json_object_new_string(clean));
	json_object_object_add(object, "kind", json_object_new_string(entry->kind));
	json_object_object_add(object, "address", json_object_new_string(address));
	feature_foreach(bit, entry->mask)
		json_object_object_add(original, feature_name(table, bit),
			json_object_new_boolean(!!(entry->value & FEATURE(bit))));
	json_object_object_add(object, "original", original);
	return object;
}

/* Link by link, so that thousands of them take no more memory than one. */
static int write_links(FILE *f, const struct ledger *ledger, const struct feature_table *table)
{
	const char *comma = "";

	fprintf(f, "{\"version\":%d,\"netns\":%llu,\"links\":[", LEDGER_VERSION,
		(unsigned long long)ledger->netns);
	for (struct ledger_link *entry = ledger->links; entry; entry = entry->hh.next) {
		_cleanup_json_ struct json_object *object = format_link(entry, table);
		const char *text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);

		if (!text)
			return -ENOMEM;
		fprintf(f, "%s\n%s", comma, text);
		comma = ",";
	}
	fputs("\n]}\n", f);
	if (fflush(f) != 0 || ferror(f))
		return errno ? -errno : -EIO;
	return fsync(fileno(f)) < 0 ? -errno : 0;
}

static int make_folder(const char *path)
{
	_cleanup_free_ char *folder = strdup(path);
	char *slash = folder ? strrchr(folder, '/') : NULL;

	if (!folder)
		return -ENOMEM;
	if (!slash || slash == folder)
		return 0;
	*slash = '\0';
	return mkdir(folder, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

static int replace_file(
	const struct ledger *ledger, const struct feature_table *table, const char *temporary, int fd)
{
	_cleanup_fclose_ FILE *f = fdopen(fd, "we");
	int r;

	if (!f) {
		close(fd);
		return -errno;
	}
	r = write_links(f, ledger, table);
	if (r < 0)
		return r;
	return rename(temporary, ledger->path) < 0 ? -errno : 0;
}

int ledger_save(struct ledger *ledger, const struct feature_table *table)
{
	_cleanup_free_ char *temporary = NULL;
	int fd, r;

	if (!ledger->path)
		ledger->dirty = false;
	if (!ledger->dirty)
		return 0;
	if (asprintf(&temporary, "%s.XXXXXX", ledger->path) < 0)
		return -ENOMEM;
	r = make_folder(ledger->path);
	if (r < 0)
		return r;
	fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
	if (fd < 0)
		return -errno;
	r = replace_file(ledger, table, temporary, fd);
	if (r < 0) {
		unlink(temporary);
		return r;
	}
	ledger->dirty = false;
	return 1;
}
