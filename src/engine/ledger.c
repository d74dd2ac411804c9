/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "basic/file.h"
#include "basic/json_value.h"
#include "kernel/netns.h"
#include "basic/util.h"

#define LOCK_NAPS 20 /* of 10 ms */
#define DEPTH_MAX 8

/* -EBADMSG, with the reason in why. */
_printf_(3, 4) static int bad(char *why, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, size, fmt, ap);
	va_end(ap);
	return -EBADMSG;
}

static struct ledger_link *find_index(struct ledger_link *list, int ifindex)
{
	struct ledger_link *entry;

	HASH_FIND_INT(list, &ifindex, entry);
	return entry;
}

static void drop(struct ledger_link **list, struct ledger_link *entry)
{
	HASH_DEL(*list, entry);
	free(entry);
}

static void clear_list(struct ledger_link **list)
{
	struct ledger_link *entry, *next;

	HASH_ITER(hh, *list, entry, next)
	{
		drop(list, entry);
	}
}

static void clear_links(struct ledger *ledger)
{
	clear_list(&ledger->links);
	clear_list(&ledger->pauses);
	clear_list(&ledger->gone_links);
	clear_list(&ledger->gone_pauses);
}

/* Takes an entry out for good: what the file has of it must not come back with the next sync. */
static void forget(struct ledger_link **list, struct ledger_link **gone, struct ledger_link *entry)
{
	struct ledger_link *old = find_index(*gone, entry->ifindex);

	HASH_DEL(*list, entry);
	if (old || !entry->saved)
		free(entry);
	else
		HASH_ADD_INT(*gone, ifindex, entry);
}

/* Regular files of bounded size only: a fifo put there must not hang us. */
static int read_file(const char *path, char **ret, size_t *ret_len, char *why, size_t why_size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	struct stat st;
	int r;

	if (fd < 0)
		return errno == ELOOP ? bad(why, why_size, "it is a symbolic link") : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return bad(why, why_size, "it is not a regular file");
	r = file_read(fd, LEDGER_MAX_BYTES, ret, ret_len);
	return r == -EFBIG ? bad(why, why_size, "it is larger than %d MB", LEDGER_MAX_BYTES >> 20) : r;
}

/* "0a:ff" into at most `size` bytes; how many, -EBADMSG. */
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

static int parse_identity(struct json_object *object, struct ledger_link *ret)
{
	const char *name = json_value_text(object, "name"), *kind = json_value_text(object, "kind"),
		   *address = json_value_text(object, "address"), *bytes = json_value_text(object, "name_bytes");
	int64_t ifindex;
	int n;

	*ret = (struct ledger_link){ 0 };
	if (!name || !kind || !address || !json_value_int(object, "ifindex", &ifindex) || ifindex <= 0 ||
		ifindex > INT32_MAX || strlen(name) >= sizeof(ret->name) ||
		strlen(kind) >= sizeof(ret->kind))
		return -EBADMSG;
	ret->ifindex = (int)ifindex;
	util_copy_name(ret->name, sizeof(ret->name), name, strlen(name));
	util_copy_name(ret->kind, sizeof(ret->kind), kind, strlen(kind));
	if (bytes) {
		memset(ret->name, 0, sizeof(ret->name));
		if (parse_bytes(bytes, (uint8_t *)ret->name, sizeof(ret->name) - 1) <= 0)
			return -EBADMSG;
	}
	n = parse_bytes(address, ret->address, sizeof(ret->address));
	ret->address_len = n < 0 ? 0 : (unsigned)n;
	return n < 0 ? n : 0;
}

static int parse_link(
	struct json_object *object, const struct feature_table *table, struct ledger_link *ret)
{
	struct json_object *original = json_value_member(object, "original", json_type_object);

	if (parse_identity(object, ret) < 0 || !original)
		return -EBADMSG;
	return parse_original(original, table, ret);
}

/* table: of those whose original values are kept; NULL for pauses. */
static int parse_links(struct ledger_link **list, struct json_object *links, const char *what,
	const struct feature_table *table, char *why, size_t why_size)
{
	size_t n = json_object_array_length(links);

	if (n > LEDGER_MAX_LINKS)
		return bad(why, why_size, "more than %d links", LEDGER_MAX_LINKS);
	for (size_t i = 0; i < n; i++) {
		struct json_object *object = json_object_array_get_idx(links, i);
		struct ledger_link *entry = malloc(sizeof(*entry));
		int64_t until_usec = 0;
		int r;

		if (!entry)
			return -ENOMEM;
		r = table ? parse_link(object, table, entry) : parse_identity(object, entry);
		if (r < 0 || find_index(*list, entry->ifindex) ||
			(json_value_int(object, "until_usec", &until_usec) && until_usec < 0)) {
			free(entry);
			return bad(why, why_size, "entry %zu of %s cannot be understood", i + 1, what);
		}
		entry->until_usec = (uint64_t)until_usec;
		entry->saved = true;
		if (!table || entry->mask)
			HASH_ADD_INT(*list, ifindex, entry);
		else
			free(entry);
	}
	return 0;
}

static int parse(struct ledger *ledger, const char *text, size_t len,
	const struct feature_table *table, char *why, size_t why_size)
{
	_cleanup_json_ struct json_object *root = NULL;
	struct json_object *links;
	int64_t version, netns;
	int r = json_value_parse(text, len, DEPTH_MAX, &root);

	if (r < 0)
		return r == -EBADMSG ? bad(why, why_size, "it is not a JSON object") : r;
	if (!json_value_int(root, "version", &version) || version != LEDGER_VERSION)
		return bad(why, why_size, "its version is not %d", LEDGER_VERSION);
	if (!json_value_int(root, "netns", &netns) || (uint64_t)netns != ledger->netns)
		return bad(why, why_size, "it belongs to another network namespace") < 0 ? -EXDEV : 0;
	links = json_value_member(root, "links", json_type_array);
	if (!links)
		return bad(why, why_size, "it has no list of links");
	r = parse_links(&ledger->links, links, "links", table, why, why_size);
	if (r < 0 || !json_object_object_get_ex(root, "paused", &links))
		return r;
	if (!json_object_is_type(links, json_type_array))
		return bad(why, why_size, "its paused links are no list");
	return parse_links(&ledger->pauses, links, "paused links", NULL, why, why_size);
}

/* Keeps a file that cannot be trusted for somebody to look at. 1, negative errno. */
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

/* Zero where there is no file. */
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
	*ret = ledger;
	return 0;
}

static int open_file(const char *path, const struct feature_table *table, bool look_only,
	struct ledger **ret, char *why, size_t why_size)
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
		(void)netns_path(LEDGER_DEFAULT_PATH, &chosen);
	if (!chosen)
		return -ENOMEM;
	ledger->path = chosen;
	chosen = NULL;
	ledger->known = file_version(ledger->path);
	r = read_file(ledger->path, &text, &len, why, why_size);
	if (r >= 0)
		r = parse(ledger, text, len, table, why, why_size);
	if (r == -EBADMSG && !look_only)
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
	return open_file(path, table, false, ret, why, why_size);
}

int ledger_read(const char *path, const struct feature_table *table, struct ledger **ret, char *why,
	size_t why_size)
{
	return open_file(path, table, true, ret, why, why_size);
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
	struct ledger_link *entry = find_index(ledger->links, link->ifindex);

	if (entry && !is_same(entry, link)) {
		forget(&ledger->links, &ledger->gone_links, entry);
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

bool ledger_is_paused(const struct ledger *ledger, const struct link *link)
{
	const struct ledger_link *entry = find_index(ledger->pauses, link->ifindex);

	return entry && is_same(entry, link);
}

int ledger_pause(struct ledger *ledger, const struct link *link, uint64_t until_usec)
{
	struct ledger_link *entry = find_index(ledger->pauses, link->ifindex);

	if (!entry) {
		if (HASH_COUNT(ledger->pauses) >= LEDGER_MAX_LINKS)
			return -ENOSPC;
		entry = calloc(1, sizeof(*entry));
		if (!entry)
			return -ENOMEM;
		entry->ifindex = link->ifindex;
		HASH_ADD_INT(ledger->pauses, ifindex, entry);
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

/* "0a:ff" */
static void format_bytes(const uint8_t *bytes, unsigned n, char *buf, size_t size)
{
	buf[0] = '\0';
	for (unsigned i = 0; i < n; i++)
		util_append(buf, size, "%s%02x", i ? ":" : "", bytes[i]);
}

static struct json_object *format_identity(const struct ledger_link *entry)
{
	struct json_object *object = json_object_new_object();
	char clean[LINK_NAME_LEN], bytes[3 * LINK_NAME_LEN], address[3 * LINK_ADDRESS_LEN];

	util_copy_name(clean, sizeof(clean), entry->name, strnlen(entry->name, sizeof(entry->name)));
	format_bytes(entry->address, entry->address_len, address, sizeof(address));
	json_value_add_int(object, "ifindex", entry->ifindex);
	json_object_object_add(object, "name", json_object_new_string(clean));
	if (strncmp(clean, entry->name, sizeof(entry->name)) != 0) { /* a name may be any bytes */
		format_bytes((const uint8_t *)entry->name, (unsigned)strnlen(entry->name, sizeof(entry->name)),
			bytes, sizeof(bytes));
		json_object_object_add(object, "name_bytes", json_object_new_string(bytes));
	}
	json_object_object_add(object, "kind", json_object_new_string(entry->kind));
	json_object_object_add(object, "address", json_object_new_string(address));
	return object;
}

static struct json_object *format_link(
	const struct ledger_link *entry, const struct feature_table *table)
{
	struct json_object *object = format_identity(entry), *original = json_object_new_object();
	unsigned bit;

	feature_foreach(bit, entry->mask)
		json_object_object_add(original, feature_name(table, bit),
			json_object_new_boolean(!!(entry->value & FEATURE(bit))));
	json_object_object_add(object, "original", original);
	return object;
}

static struct json_object *format_pause(
	const struct ledger_link *entry, const struct feature_table *table _unused_)
{
	struct json_object *object = format_identity(entry);

	if (entry->until_usec)
		json_object_object_add(
			object, "until_usec", json_object_new_int64((int64_t)entry->until_usec));
	return object;
}

/* Link by link, so that thousands of them take no more memory than one. */
static int write_list(FILE *f, const struct ledger_link *list, const struct feature_table *table,
	struct json_object *(*format)(const struct ledger_link *, const struct feature_table *))
{
	const char *comma = "";

	for (const struct ledger_link *entry = list; entry; entry = entry->hh.next) {
		_cleanup_json_ struct json_object *object = format(entry, table);
		const char *text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);

		if (!text)
			return -ENOMEM;
		fprintf(f, "%s\n%s", comma, text);
		comma = ",";
	}
	return 0;
}

static int write_links(FILE *f, const struct ledger *ledger, const struct feature_table *table)
{
	int r;

	fprintf(f, "{\"version\":%d,\"netns\":%llu,\"links\":[", LEDGER_VERSION,
		(unsigned long long)ledger->netns);
	r = write_list(f, ledger->links, table, format_link);
	if (r < 0)
		return r;
	fputs("\n],\"paused\":[", f);
	r = write_list(f, ledger->pauses, table, format_pause);
	if (r < 0)
		return r;
	fputs("\n]}\n", f);
	if (fflush(f) != 0 || ferror(f))
		return errno ? -errno : -EIO;
	return fsync(fileno(f)) < 0 ? -errno : 0;
}

/* What the other process has, without what we forgot; what it dropped, goes. */
static void merge_list(
	struct ledger_link **ours, struct ledger_link *const *gone, struct ledger_link **theirs)
{
	struct ledger_link *entry, *next, *mine;

	HASH_ITER(hh, *ours, entry, next)
	{
		if (entry->saved && !find_index(*theirs, entry->ifindex))
			drop(ours, entry);
	}
	HASH_ITER(hh, *theirs, entry, next)
	{
		mine = find_index(*ours, entry->ifindex);
		if (find_index(*gone, entry->ifindex))
			continue;
		if (!mine) {
			HASH_DEL(*theirs, entry);
			HASH_ADD_INT(*ours, ifindex, entry);
		} else if (strcmp(mine->kind, entry->kind) == 0 && strcmp(mine->name, entry->name) == 0) {
			mine->value = (mine->value & ~entry->mask) | entry->value;
			mine->mask |= entry->mask;
		}
	}
}

int ledger_sync(struct ledger *ledger, const struct feature_table *table)
{
	_cleanup_(ledger_close_pointer) struct ledger *other = NULL;
	struct ledger_version now;
	char why[256];
	int r;

	if (!ledger->path)
		return 0;
	now = file_version(ledger->path);
	if (memcmp(&now, &ledger->known, sizeof(now)) == 0)
		return 0;
	r = ledger_open(ledger->path, table, &other, why, sizeof(why));
	if (r != 0)
		return r < 0 ? r : 0;
	merge_list(&ledger->links, &ledger->gone_links, &other->links);
	merge_list(&ledger->pauses, &ledger->gone_pauses, &other->pauses);
	ledger->known = other->known;
	return 1;
}

/* A file that root's offloadctl writes must stay readable to the daemon, which is another user: it belongs to the folder's owner. */
static int give_to_folder_owner(const char *path, int fd)
{
	_cleanup_free_ char *folder = geteuid() == 0 ? file_folder(path) : NULL;
	struct stat st;

	if (!folder)
		return 0;
	if (stat(folder, &st) < 0 || (st.st_uid != 0 && fchown(fd, st.st_uid, st.st_gid) < 0))
		return -errno;
	return 0;
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
	r = give_to_folder_owner(temporary, fd);
	if (r >= 0)
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
	clear_list(&ledger->gone_links);
	clear_list(&ledger->gone_pauses);
	ledger->dirty = ledger->urgent = false;
}

/* Keeps other writers out from the sync to the rename. One that is stuck must not hold up the daemon for ever: after a while it goes
 * on without. The descriptor, which is -1 then. */
static int lock_file(const char *path)
{
	const struct timespec nap = { .tv_nsec = 10 * 1000 * 1000 };
	_cleanup_free_ char *lock = NULL;
	int fd;

	if (asprintf(&lock, "%s.lock", path) < 0) {
		lock = NULL;
		return -1;
	}
	fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -1;
	(void)give_to_folder_owner(lock, fd);
	for (unsigned i = 0; i < LOCK_NAPS; i++) {
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
	_cleanup_close_ int lock = -1;
	int fd, r;

	if (!ledger->path)
		ledger->dirty = ledger->urgent = false;
	if (!ledger->dirty)
		return 0;
	if (asprintf(&temporary, "%s.XXXXXX", ledger->path) < 0)
		return -ENOMEM;
	r = file_make_folder(ledger->path);
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
