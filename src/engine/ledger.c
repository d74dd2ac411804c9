/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "basic/file.h"
#include "basic/json.h"
#include "kernel/netns.h"
#include "basic/util.h"

#define LOCK_NAPS 20 /* of 10 ms */

/* Returns error, with the reason in why. */
_printf_(4, 5) static int bad(int error, char *why, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, size, fmt, ap);
	va_end(ap);
	return error;
}

static struct ledger_link *find_index(struct ledger_link *list, int ifindex)
{
	struct ledger_link *entry;

	HASH_FIND_INT(list, &ifindex, entry);
	return entry;
}

static void clear_links(struct ledger *ledger)
{
	HASH_FREE(ledger->links, free);
	HASH_FREE(ledger->pauses, free);
	HASH_FREE(ledger->gone_links, free);
	HASH_FREE(ledger->gone_pauses, free);
}

/* Removes an entry, and remembers that, so that the next sync does not restore it from the file. */
static void forget(struct ledger_link **list, struct ledger_link **gone, struct ledger_link *entry)
{
	struct ledger_link *old = find_index(*gone, entry->ifindex);

	HASH_DEL(*list, entry);
	if (old || !entry->saved || hash_add(*gone, ifindex, entry) < 0)
		free(entry);
}

/* Whose rights the file system calls of this thread have: setfsuid(2). */
struct rights {
	uid_t uid;
	gid_t gid;
	bool changed;
};

static int take_rights(uid_t uid, gid_t gid)
{
	setfsgid(gid);
	setfsuid(uid);
	return (gid_t)setfsgid((gid_t)-1) == gid && (uid_t)setfsuid((uid_t)-1) == uid ? 0 : -EPERM;
}

static void restore_rights(struct rights *rights)
{
	int error = errno;

	if (rights->changed)
		(void)take_rights(rights->uid, rights->gid);
	errno = error;
}
#define _cleanup_rights_ _cleanup_(restore_rights)

/* In a directory of another user, root acts with the rights of that user: nothing there leads it to a file that this user could not
 * open itself, and what it creates belongs to that user, so the daemon can read it. 0 or negative errno. */
static int act_as_owner(const char *path, struct rights *ret)
{
	_cleanup_free_ char *directory = geteuid() == 0 ? file_directory(path) : NULL;
	struct stat st;

	if (!directory || stat(directory, &st) < 0 || st.st_uid == 0)
		return 0;
	*ret = (struct rights){ (uid_t)setfsuid((uid_t)-1), (gid_t)setfsgid((gid_t)-1), true };
	return take_rights(st.st_uid, st.st_gid);
}

bool ledger_is_foreign(const char *path)
{
	_cleanup_free_ char *chosen = NULL, *directory = NULL;
	struct stat st;

	if (geteuid() != 0 || path || netns_path(LEDGER_DEFAULT_PATH, &chosen) < 0)
		return false;
	directory = file_directory(chosen);
	return !directory || (stat(directory, &st) == 0 && st.st_uid != 0);
}

/* Accepts only a regular file of bounded size: opening a FIFO must not block. */
static int read_file(const char *path, char **ret, size_t *ret_len, char *why, size_t why_size)
{
	int r = file_read_path(path, LEDGER_MAX_BYTES, ret, ret_len);

	if (r == -ELOOP)
		return bad(-EBADMSG, why, why_size, "it is a symbolic link");
	if (r == -EISDIR || r == -EOPNOTSUPP)
		return bad(-EBADMSG, why, why_size, "it is not a regular file");
	return r == -EFBIG ? bad(-EBADMSG, why, why_size, "it is larger than %d MB", LEDGER_MAX_BYTES >> 20) : r;
}

/* Parses "0a:ff" into at most size bytes. Returns how many, or -EBADMSG. */
static int parse_bytes(const char *text, uint8_t *ret, unsigned size)
{
	unsigned n = 0;

	while (*text) {
		char *end;
		unsigned long byte = strtoul(text, &end, 16);

		if (end - text != 2 || byte > 0xff || n == size || (*end && (*end != ':' || !end[1])))
			return -EBADMSG;
		ret[n++] = (uint8_t)byte;
		text = *end ? end + 1 : end;
	}
	return (int)n;
}

/* ---- the file ---- */

/* Members of the document that are not members of struct ledger_link. */
struct parts {
	int64_t version;
	uint64_t netns, cookie;
	const char *address, *name_bytes;
	const struct json_value *links, *paused, *original, *limits;
};

static const struct json_field head_fields[] = {
	JSON_FIELD(struct parts, version, "version", JSON_INT, .required = true),
	JSON_FIELD(struct parts, netns, "netns", JSON_INT, .required = true),
	JSON_FIELD(struct parts, cookie, "netns_cookie", JSON_INT),
	{ 0 },
};

static const struct json_field link_fields[] = {
	JSON_FIELD(struct ledger_link, ifindex, "ifindex", JSON_INT, .required = true, .least = 1),
	JSON_FIELD(struct ledger_link, name, "name", JSON_NAME, .required = true),
	JSON_FIELD(struct ledger_link, kind, "kind", JSON_NAME, .required = true),
	{ 0 },
};

/* Skips features that this kernel does not have: they cannot be restored. */
static void read_original(struct json_reader *r, const struct json_value *original,
	const struct feature_table *table, struct ledger_link *ret)
{
	json_foreach(value, original)
	{
		feature_set bit = feature_named(table, json_key(value));

		if (json_kind(value) != JSON_BOOL)
			json_complain(r, "original", "has a value that is neither true nor false");
		ret->mask |= bit;
		if (json_as_bool(value))
			ret->value |= bit;
	}
}

/* Skips limits that this offloadd does not know. */
static void read_limits(struct json_reader *r, const struct json_value *limits, struct ledger_link *ret)
{
	json_foreach(value, limits)
	{
		int limit = link_limit_find(json_key(value));
		int64_t number = json_kind(value) == JSON_INT ? json_as_int(value) : -1;

		if (number < 0 || number > UINT32_MAX)
			json_complain(r, "original_limits", "has a value that is not a limit");
		else if (limit >= 0 && limit < LINK_LIMIT_SETTABLE) {
			ret->limits.has |= LINK_LIMIT(limit);
			ret->limits.value[limit] = (uint32_t)number;
		}
	}
}

/* table: NULL for pauses, which have no original values. */
static void read_link(struct json_reader *r, const struct json_value *o, const struct feature_table *table,
	struct ledger_link *ret)
{
	static const struct json_field fields[] = {
		JSON_FIELD(struct parts, address, "address", JSON_BORROWED, .required = true),
		JSON_FIELD(struct parts, name_bytes, "name_bytes", JSON_BORROWED),
		JSON_FIELD(struct parts, original, "original", JSON_OBJECT),
		JSON_FIELD(struct parts, limits, "original_limits", JSON_OBJECT),
		{ 0 },
	};
	static const struct json_field until[] = {
		JSON_FIELD(struct ledger_link, until_usec, "until_usec", JSON_INT), { 0 },
	};
	struct parts parts = { 0 };
	int n;

	json_read(r, o, link_fields, ret);
	json_read(r, o, until, ret);
	if (json_read(r, o, fields, &parts) < 0)
		return;
	if (parts.name_bytes) {
		memset(ret->name, 0, sizeof(ret->name));
		if (parse_bytes(parts.name_bytes, (uint8_t *)ret->name, sizeof(ret->name) - 1) <= 0)
			json_complain(r, "name_bytes", "is not a name in hexadecimal bytes");
	}
	n = parse_bytes(parts.address, ret->address, sizeof(ret->address));
	if (n < 0)
		json_complain(r, "address", "is not an address");
	ret->address_len = n < 0 ? 0 : (unsigned)n;
	if (table && !parts.original)
		json_complain(r, "original", "is missing");
	if (table)
		read_original(r, parts.original, table, ret);
	if (table && parts.limits)
		read_limits(r, parts.limits, ret);
}

static int read_links(struct json_reader *r, struct ledger_link **list, const struct json_value *links,
	const char *key, const struct feature_table *table, bool uncertain)
{
	for (struct json_each e = json_each(r, links, key); json_step(&e);) {
		struct ledger_link *entry = calloc(1, sizeof(*entry));
		int added;

		if (!entry)
			return -ENOMEM;
		read_link(r, e.item, table, entry);
		if (!r->error && find_index(*list, entry->ifindex))
			json_complain(r, "ifindex", "is not unique");
		entry->saved = true;
		entry->uncertain = uncertain;
		added = !r->error && (!table || entry->mask || entry->limits.has) ? hash_add(*list, ifindex, entry) : 1;
		if (added != 0)
			free(entry);
		if (added < 0)
			return added;
	}
	return r->error;
}

static int read_ledger(struct ledger *ledger, const struct json_value *root, const struct feature_table *table,
	struct json_reader *r)
{
	static const struct json_field fields[] = {
		JSON_FIELD(struct parts, links, "links", JSON_LIST, .required = true, .most = LEDGER_MAX_LINKS),
		JSON_FIELD(struct parts, paused, "paused", JSON_LIST, .most = LEDGER_MAX_LINKS),
		{ 0 },
	};
	struct parts parts = { 0 };
	bool uncertain;
	int e;

	json_read(r, root, head_fields, &parts);
	if (!r->error && parts.version != LEDGER_VERSION)
		return bad(-EBADMSG, r->why, r->why_size, "its version is not %d", LEDGER_VERSION);
	if (!r->error && parts.netns != ledger->netns)
		return bad(-EXDEV, r->why, r->why_size, "it belongs to another network namespace");
	if (!r->error && parts.cookie && ledger->cookie && parts.cookie != ledger->cookie)
		return 0;
	if (json_read(r, root, fields, &parts) < 0)
		return r->error;
	uncertain = !parts.cookie || !ledger->cookie;
	e = read_links(r, &ledger->links, parts.links, "links", table, uncertain);
	return e < 0 ? e : read_links(r, &ledger->pauses, parts.paused, "paused", NULL, uncertain);
}

int ledger_parse(struct ledger *ledger, const char *text, size_t len, const struct feature_table *table, char *why, size_t why_size)
{
	_cleanup_json_ struct json_value *root = NULL;
	struct json_reader r = { .why = why, .why_size = why_size };
	int e = json_parse(text, len, JSON_OF_FILE, &root, why, why_size);

	return e < 0 ? e : read_ledger(ledger, root, table, &r);
}

/* "0a:ff" */
static void format_bytes(const uint8_t *bytes, unsigned n, char *buf, size_t size)
{
	buf[0] = '\0';
	for (unsigned i = 0; i < n; i++)
		util_append(buf, size, "%s%02x", i ? ":" : "", bytes[i]);
}

static void add_link(struct json_writer *w, const struct ledger_link *entry)
{
	char clean[LINK_NAME_LEN], bytes[3 * LINK_NAME_LEN], address[3 * LINK_ADDRESS_LEN];
	size_t len = strnlen(entry->name, sizeof(entry->name));

	json_add_fields(w, link_fields, entry);
	util_copy_name(clean, sizeof(clean), entry->name, len);
	if (strncmp(clean, entry->name, sizeof(entry->name)) != 0) { /* a name may contain any bytes */
		format_bytes((const uint8_t *)entry->name, (unsigned)len, bytes, sizeof(bytes));
		json_add_text(w, "name_bytes", bytes);
	}
	format_bytes(entry->address, entry->address_len, address, sizeof(address));
	json_add_text(w, "address", address);
}

static void add_links(struct json_writer *w, const struct ledger_link *links, const struct feature_table *table)
{
	unsigned bit;

	json_open_list(w, "links");
	for (const struct ledger_link *entry = links; entry; entry = entry->hh.next) {
		json_open_object(w, NULL);
		add_link(w, entry);
		json_open_object(w, "original");
		feature_foreach(bit, entry->mask)
			json_add_bool(w, feature_name(table, bit), entry->value & FEATURE(bit));
		json_close_object(w);
		if (json_open_if(w, "original_limits", entry->limits.has)) {
			for (unsigned i = 0; i < LINK_LIMIT_SETTABLE; i++)
				if (entry->limits.has & LINK_LIMIT(i))
					json_add_int(w, link_limit_name(i), entry->limits.value[i]);
			json_close_object(w);
		}
		json_close_object(w);
	}
	json_close_list(w);
}

static void add_pauses(struct json_writer *w, const struct ledger_link *pauses)
{
	json_open_list(w, "paused");
	for (const struct ledger_link *entry = pauses; entry; entry = entry->hh.next) {
		json_open_object(w, NULL);
		add_link(w, entry);
		if (entry->until_usec)
			json_add_int(w, "until_usec", (int64_t)entry->until_usec);
		json_close_object(w);
	}
	json_close_list(w);
}

static int write_links(FILE *f, const struct ledger *ledger, const struct feature_table *table)
{
	const struct parts head = { .version = LEDGER_VERSION, .netns = ledger->netns, .cookie = ledger->cookie };
	_cleanup_json_writer_ struct json_writer w = { .form = JSON_COMPACT };
	int r;

	json_open_object(&w, NULL);
	json_add_fields(&w, head_fields, &head);
	add_links(&w, ledger->links, table);
	add_pauses(&w, ledger->pauses);
	r = json_finish(&w, f);
	if (r < 0)
		return r;
	if (fflush(f) != 0 || ferror(f))
		return errno ? -errno : -EIO;
	return fsync(fileno(f)) < 0 ? -errno : 0;
}

/* Renames a file with errors, so that a user can inspect it. 1, negative errno. */
static int set_aside(struct ledger *ledger)
{
	_cleanup_free_ char *aside = NULL;

	clear_links(ledger);
	if (asprintf(&aside, "%s.bad", ledger->path) < 0)
		return -ENOMEM;
	if (rename(ledger->path, aside) < 0)
		return -errno;
	return 1;
}

/* All zero if there is no file. */
static struct ledger_version version_of(const struct stat *st)
{
	return (struct ledger_version){
		.inode = st->st_ino,
		.mtime_nsec = (uint64_t)st->st_mtim.tv_sec * 1000000000 +
			(uint64_t)st->st_mtim.tv_nsec,
	};
}

static struct ledger_version file_version(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? (struct ledger_version){ 0 } : version_of(&st);
}

int ledger_new(struct ledger **ret)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));

	if (!ledger)
		return -ENOMEM;
	ledger->netns = netns_inode();
	ledger->cookie = netns_cookie();
	*ret = ledger;
	return 0;
}

/* in: another network namespace; NULL: ours. */
static int open_file(const struct netns_identity *in, const char *path, const struct feature_table *table, bool read_only,
	struct ledger **ret, char *why, size_t why_size)
{
	_cleanup_(ledger_close_pointer) struct ledger *ledger = NULL;
	_cleanup_free_ char *text = NULL, *chosen = NULL;
	_cleanup_rights_ struct rights rights = { 0 };
	size_t len = 0;
	int r = ledger_new(&ledger);

	why[0] = '\0';
	if (r < 0)
		return r;
	if (in) {
		ledger->netns = in->inode;
		ledger->cookie = in->cookie;
	}
	if (path)
		chosen = strdup(path);
	else if (in)
		(void)netns_path_of(LEDGER_DEFAULT_PATH, in->inode, &chosen);
	else
		(void)netns_path(LEDGER_DEFAULT_PATH, &chosen);
	if (!chosen)
		return -ENOMEM;
	ledger->path = chosen;
	chosen = NULL;
	r = act_as_owner(ledger->path, &rights);
	if (r < 0)
		return r;
	ledger->known = file_version(ledger->path);
	r = read_file(ledger->path, &text, &len, why, why_size);
	if (r >= 0)
		r = ledger_parse(ledger, text, len, table, why, why_size);
	if (r == -EBADMSG && !read_only)
		r = set_aside(ledger);
	if (r < 0 && r != -ENOENT)
		return r;
	*ret = ledger;
	ledger = NULL;
	return r > 0;
}

int ledger_open(const char *path, const struct feature_table *table, struct ledger **ret, char *why,
	size_t why_size)
{
	return open_file(NULL, path, table, false, ret, why, why_size);
}

int ledger_open_in(const struct netns_identity *in, const char *path, const struct feature_table *table, struct ledger **ret, char *why,
	size_t why_size)
{
	return open_file(in, path, table, false, ret, why, why_size);
}

int ledger_read(const char *path, const struct feature_table *table, struct ledger **ret, char *why,
	size_t why_size)
{
	return open_file(NULL, path, table, true, ret, why, why_size);
}

void ledger_close(struct ledger *ledger)
{
	if (!ledger)
		return;
	clear_links(ledger);
	free(ledger->path);
	free(ledger);
}

static bool is_same(const struct ledger_link *entry, const struct link *link)
{
	bool name = strcmp(entry->name, link->name) == 0;
	bool address = entry->address_len == link->address_len && memcmp(entry->address, link->address, entry->address_len) == 0;

	if (strcmp(entry->kind, link->kind) != 0)
		return false;
	return entry->uncertain ? name && address : name || (address && entry->address_len > 0);
}

static void take_identity(struct ledger_link *entry, const struct link *link)
{
	memcpy(entry->name, link->name, sizeof(entry->name));
	memcpy(entry->kind, link->kind, sizeof(entry->kind));
	memcpy(entry->address, link->address, sizeof(entry->address));
	entry->address_len = link->address_len;
	entry->uncertain = false;
}

static int add_entry(struct ledger_link **list, const struct link *link, struct ledger_link **ret)
{
	struct ledger_link *entry;

	if (HASH_COUNT(*list) >= LEDGER_MAX_LINKS)
		return -ENOSPC;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	entry->ifindex = link->ifindex;
	if (hash_add(*list, ifindex, entry) < 0) {
		free(entry);
		return -ENOMEM;
	}
	*ret = entry;
	return 0;
}

/* The entry of the link, added if it is missing. 0, -ENOMEM, -ENOSPC. */
static int get_entry(struct ledger *ledger, const struct link *link, struct ledger_link **ret)
{
	struct ledger_link *entry = find_index(ledger->links, link->ifindex);
	int r;

	if (entry && !is_same(entry, link)) {
		forget(&ledger->links, &ledger->gone_links, entry);
		entry = NULL;
	}
	if (!entry) {
		r = add_entry(&ledger->links, link, &entry);
		if (r < 0)
			return r;
	}
	take_identity(entry, link);
	*ret = entry;
	return 0;
}

int ledger_remember_limits(struct ledger *ledger, const struct link *link, unsigned limits)
{
	struct ledger_link *entry;
	int r = get_entry(ledger, link, &entry);

	if (r < 0)
		return r;
	if (limits & LINK_LIMIT(LINK_LIMIT_GSO_MAX_SIZE))
		limits |= LINK_LIMIT(LINK_LIMIT_GSO_IPV4_MAX_SIZE);
	if (limits & LINK_LIMIT(LINK_LIMIT_GRO_MAX_SIZE))
		limits |= LINK_LIMIT(LINK_LIMIT_GRO_IPV4_MAX_SIZE);
	limits &= link->limits.has & ~entry->limits.has;
	for (unsigned i = 0; i < LINK_LIMIT_SETTABLE; i++)
		if (limits & LINK_LIMIT(i))
			entry->limits.value[i] = link->limits.value[i];
	entry->limits.has |= limits;
	ledger->dirty |= limits != 0;
	return limits != 0;
}

int ledger_remember(struct ledger *ledger, const struct link *link, feature_set mask)
{
	struct ledger_link *entry;
	int r = get_entry(ledger, link, &entry);

	if (r < 0)
		return r;
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
	const struct ledger_link *entry = find_index(ledger->links, link->ifindex);

	return entry && is_same(entry, link) ? entry : NULL;
}

void ledger_forget(struct ledger *ledger, int ifindex)
{
	struct ledger_link *entry = find_index(ledger->links, ifindex);

	if (!entry)
		return;
	forget(&ledger->links, &ledger->gone_links, entry);
	ledger->dirty = true;
}

static bool is_gone(const struct ledger_link *entry, const struct link_table *links)
{
	const struct link *link = link_table_find(links, entry->ifindex);

	return !link || !is_same(entry, link);
}

void ledger_drop_gone(struct ledger *ledger, const struct link_table *links)
{
	struct ledger_link *entry, *next;

	HASH_ITER(hh, ledger->links, entry, next)
	{
		if (is_gone(entry, links))
			ledger_forget(ledger, entry->ifindex);
	}
	HASH_ITER(hh, ledger->pauses, entry, next)
	{
		if (is_gone(entry, links))
			ledger_resume(ledger, entry->ifindex);
	}
}

bool ledger_is_paused(const struct ledger *ledger, const struct link *link, uint64_t *ret_until_usec)
{
	const struct ledger_link *entry = find_index(ledger->pauses, link->ifindex);
	bool paused = entry && is_same(entry, link);

	*ret_until_usec = paused ? entry->until_usec : 0;
	return paused;
}

int ledger_pause(struct ledger *ledger, const struct link *link, uint64_t until_usec)
{
	struct ledger_link *entry = find_index(ledger->pauses, link->ifindex);
	int r;

	if (!entry) {
		r = add_entry(&ledger->pauses, link, &entry);
		if (r < 0)
			return r;
	}
	take_identity(entry, link);
	entry->until_usec = until_usec;
	ledger->dirty = ledger->urgent = true;
	return 0;
}

bool ledger_resume(struct ledger *ledger, int ifindex)
{
	struct ledger_link *entry = find_index(ledger->pauses, ifindex);

	if (!entry)
		return false;
	forget(&ledger->pauses, &ledger->gone_pauses, entry);
	ledger->dirty = ledger->urgent = true;
	return true;
}

/* Adds the entries of the other process, except those that were removed here, and removes those that it removed. 0 or -ENOMEM. */
static int merge_list(
	struct ledger_link **ours, struct ledger_link *const *gone, struct ledger_link **theirs)
{
	struct ledger_link *entry, *next, *mine;

	HASH_ITER(hh, *ours, entry, next)
	{
		if (!entry->saved || find_index(*theirs, entry->ifindex))
			continue;
		HASH_DEL(*ours, entry);
		free(entry);
	}
	HASH_ITER(hh, *theirs, entry, next)
	{
		mine = find_index(*ours, entry->ifindex);
		if (find_index(*gone, entry->ifindex))
			continue;
		if (!mine) {
			HASH_DEL(*theirs, entry);
			if (hash_add(*ours, ifindex, entry) < 0) {
				free(entry);
				return -ENOMEM;
			}
		} else if (strcmp(mine->kind, entry->kind) == 0 && strcmp(mine->name, entry->name) == 0) {
			mine->value = (mine->value & ~entry->mask) | entry->value;
			mine->mask |= entry->mask;
			for (unsigned i = 0; i < LINK_LIMIT_SETTABLE; i++)
				if (entry->limits.has & LINK_LIMIT(i))
					mine->limits.value[i] = entry->limits.value[i];
			mine->limits.has |= entry->limits.has;
		}
	}
	return 0;
}

int ledger_sync(struct ledger *ledger, const struct feature_table *table)
{
	_cleanup_(ledger_close_pointer) struct ledger *other = NULL;
	struct ledger_version now;
	const struct netns_identity in = { ledger->netns, ledger->cookie };
	char why[256];
	int r;

	if (!ledger->path)
		return 0;
	now = file_version(ledger->path);
	if (memcmp(&now, &ledger->known, sizeof(now)) == 0)
		return 0;
	r = ledger_open_in(&in, ledger->path, table, &other, why, sizeof(why));
	if (r != 0)
		return r < 0 ? r : 0;
	r = merge_list(&ledger->links, &ledger->gone_links, &other->links);
	if (r >= 0)
		r = merge_list(&ledger->pauses, &ledger->gone_pauses, &other->pauses);
	if (r < 0)
		return r;
	ledger->known = other->known;
	return 1;
}

static int replace_file(
	struct ledger *ledger, const struct feature_table *table, const char *temporary, int fd)
{
	_cleanup_fclose_ FILE *f = fdopen(fd, "we");
	struct stat st;
	int r;

	if (!f) {
		close(fd);
		return -errno;
	}
	r = write_links(f, ledger, table);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0 || rename(temporary, ledger->path) < 0)
		return -errno;
	ledger->known = version_of(&st);
	return 0;
}

static void mark_saved(struct ledger *ledger)
{
	for (struct ledger_link *entry = ledger->links; entry; entry = entry->hh.next)
		entry->saved = true;
	for (struct ledger_link *entry = ledger->pauses; entry; entry = entry->hh.next)
		entry->saved = true;
	HASH_FREE(ledger->gone_links, free);
	HASH_FREE(ledger->gone_pauses, free);
	ledger->dirty = ledger->urgent = false;
}

/* Locks out other writers from the sync to the rename. Waits at most LOCK_NAPS * 10 ms, so that a writer that hangs does not
 * block the daemon. Returns the descriptor, or -1 without the lock. */
static int lock_file(const char *path)
{
	const struct timespec nap = { .tv_nsec = 10 * 1000 * 1000 };
	_cleanup_free_ char *lock = NULL;
	struct stat st;
	int fd;

	if (asprintf(&lock, "%s.lock", path) < 0) {
		lock = NULL;
		return -1;
	}
	fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
	if (fd < 0)
		return -1;
	for (unsigned i = 0; i < LOCK_NAPS && fstat(fd, &st) == 0 && S_ISREG(st.st_mode); i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return fd;
		nanosleep(&nap, NULL);
	}
	close(fd);
	return -1;
}

int ledger_save(struct ledger *ledger, const struct feature_table *table)
{
	_cleanup_free_ char *temporary = NULL;
	_cleanup_rights_ struct rights rights = { 0 };
	_cleanup_close_ int lock = -1;
	int fd, r;

	if (!ledger->path)
		ledger->dirty = ledger->urgent = false;
	if (!ledger->dirty)
		return 0;
	if (asprintf(&temporary, "%s.XXXXXX", ledger->path) < 0)
		return -ENOMEM;
	r = file_make_directory(ledger->path);
	if (r >= 0)
		r = act_as_owner(ledger->path, &rights);
	if (r < 0)
		return r;
	lock = lock_file(ledger->path);
	r = ledger_sync(ledger, table);
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
	mark_saved(ledger);
	return 1;
}
