/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include "engine/ledger.h"
#include "unit.h"
#include "unit-malloc.h"
#include "basic/util.h"
#include "kernel/netns.h"

struct place {
	char dir[64], path[96], aside[112];
	struct feature_table table;
	char why[512];
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	strcpy(p->dir, "/tmp/test-ledger.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->path, sizeof(p->path), "%s/run/ledger.json", p->dir);
	snprintf(p->aside, sizeof(p->aside), "%s.bad", p->path);
	unit_features(&p->table);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", p->dir);
	assert_int_equal(system(command), 0);
	free(p);
	return 0;
}

static struct link vlan10(const struct feature_table *table)
{
	struct link link = { .ifindex = 7, .name = "vlan10", .kind = "vlan", .address_len = 6,
		.address = { 2, 0, 0, 0, 0, 0x1a } };

	link.features.wanted = unit_set(table, "gro tx-scatter-gather");
	return link;
}

static struct ledger *reopen(struct place *p, int expect)
{
	struct ledger *ledger = NULL;

	assert_int_equal(ledger_open(p->path, &p->table, &ledger, p->why, sizeof(p->why)), expect);
	return ledger;
}

static void write_text(struct place *p, const char *text, size_t len)
{
	_cleanup_close_ int fd = -1;
	char run[80];

	snprintf(run, sizeof(run), "%s/run", p->dir);
	mkdir(run, 0755);
	fd = open(p->path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
}

static void the_first_value_is_the_original(void **state)
{
	struct place *p = *state;
	_cleanup_(ledger_close_pointer) struct ledger *ledger = reopen(p, 0);
	feature_set sg = unit_set(&p->table, "tx-scatter-gather"), lro = unit_set(&p->table, "lro");
	struct link link = vlan10(&p->table);
	const struct ledger_link *entry;
	struct stat st;

	assert_int_equal(ledger_save(ledger, &p->table), 0); /* nothing to write */
	assert_int_equal(access(p->path, F_OK), -1);
	assert_int_equal(ledger_remember(ledger, &link, sg), 1);
	link.features.wanted &= ~sg;
	link.features.wanted |= lro;
	assert_int_equal(ledger_remember(ledger, &link, sg), 0);
	assert_int_equal(ledger_remember(ledger, &link, sg | lro), 1);
	assert_int_equal(ledger_save(ledger, &p->table), 1);
	assert_int_equal(ledger_save(ledger, &p->table), 0);
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);

	ledger_close(ledger);
	ledger = reopen(p, 0);
	entry = ledger_find(ledger, &link);
	assert_non_null(entry);
	assert_int_equal(entry->mask, sg | lro);
	assert_int_equal(entry->value, sg | lro);
	assert_string_equal(entry->name, "vlan10");
	assert_int_equal(entry->address[5], 0x1a);

	ledger_forget(ledger, 7);
	assert_null(ledger_find(ledger, &link));
	assert_int_equal(ledger_save(ledger, &p->table), 1);
}

static void the_file_names_features(void **state)
{
	struct place *p = *state;
	_cleanup_(ledger_close_pointer) struct ledger *ledger = reopen(p, 0);
	struct link link = vlan10(&p->table);
	struct feature_table other = { 0 };
	char text[1024] = "";
	_cleanup_fclose_ FILE *f = NULL;
	const struct ledger_link *entry;

	ledger_remember(ledger, &link, unit_set(&p->table, "tx-scatter-gather rx-lro"));
	assert_int_equal(ledger_save(ledger, &p->table), 1);
	f = fopen(p->path, "re");
	assert_non_null(f);
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	assert_non_null(strstr(text, "\"original\":{\"tx-scatter-gather\":true,\"rx-lro\":false}"));
	assert_non_null(strstr(text, "\"address\":\"02:00:00:00:00:1a\""));

	/* another kernel: other numbers, and no LRO */
	ledger_close(ledger);
	ledger = NULL;
	feature_table_add(&other, 40, "tx-scatter-gather", 17);
	assert_int_equal(ledger_open(p->path, &other, &ledger, p->why, sizeof(p->why)), 0);
	entry = ledger_find(ledger, &link);
	assert_non_null(entry);
	assert_int_equal(entry->mask, FEATURE(40));
	assert_int_equal(entry->value, FEATURE(40));
}

static void another_link_with_the_index_is_not_the_same(void **state)
{
	struct place *p = *state;
	_cleanup_(ledger_close_pointer) struct ledger *ledger = reopen(p, 0);
	struct link link = vlan10(&p->table), other;
	feature_set sg = FEATURE(0), gro = unit_set(&p->table, "gro");

	ledger_remember(ledger, &link, sg);
	other = link;
	strcpy(other.name, "renamed");
	assert_non_null(ledger_find(ledger, &other)); /* the address tells */
	other = link;
	other.address[0] = 6;
	assert_non_null(ledger_find(ledger, &other)); /* the name tells */
	strcpy(other.name, "vlan11");
	assert_null(ledger_find(ledger, &other));
	other = link;
	strcpy(other.kind, "macvlan");
	assert_null(ledger_find(ledger, &other));
	other.ifindex = 8;
	assert_null(ledger_find(ledger, &other));

	other.ifindex = 7;
	assert_int_equal(ledger_remember(ledger, &other, gro), 1);
	assert_null(ledger_find(ledger, &link));
	assert_int_equal(ledger_find(ledger, &other)->mask, gro);
}

static void what_cannot_be_understood_is_set_aside(void **state)
{
	struct place *p = *state;
	static const char *const texts[] = {
		"", "{", "[]", "null", "{\"version\":2}", "\xff\xfe\x00",
		"{\"version\":1,\"netns\":NS}",
		"{\"version\":1,\"netns\":NS,\"links\":[1]}",
		"{\"version\":1,\"netns\":NS,\"links\":[{}]}",
		"{\"version\":1,\"netns\":NS,\"links\":[{\"ifindex\":-1,\"name\":\"a\",\"kind\":\"b\","
		"\"address\":\"\",\"original\":{}}]}",
		"{\"version\":1,\"netns\":NS,\"links\":[{\"ifindex\":1,\"name\":\"a\",\"kind\":\"b\","
		"\"address\":\"0\",\"original\":{}}]}",
		"{\"version\":1,\"netns\":NS,\"links\":[{\"ifindex\":1,\"name\":\"a\",\"kind\":\"b\","
		"\"address\":\"00:\",\"original\":{}}]}",
		"{\"version\":1,\"netns\":NS,\"links\":[{\"ifindex\":1,\"name\":\"a\",\"kind\":\"b\","
		"\"address\":\"\",\"original\":{\"rx-lro\":1}}]}",
		"{\"version\":1,\"netns\":NS,\"links\":[{\"ifindex\":1,"
		"\"name\":\"a-name-that-is-much-too-long\",\"kind\":\"b\",\"address\":\"\","
		"\"original\":{}}]}",
		"{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}}}",
	};
	struct stat st;

	assert_int_equal(stat("/proc/self/ns/net", &st), 0);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(ledger_close_pointer) struct ledger *ledger = NULL;
		const char *ns = strstr(texts[i], "NS");
		char text[512];

		if (ns)
			snprintf(text, sizeof(text), "%.*s%llu%s", (int)(ns - texts[i]), texts[i],
				(unsigned long long)st.st_ino, ns + 2);
		else
			snprintf(text, sizeof(text), "%s", texts[i]);
		write_text(p, text, strlen(text));
		ledger = reopen(p, 1);
		assert_string_not_equal(p->why, "");
		assert_int_equal(HASH_COUNT(ledger->links), 0);
		assert_int_equal(access(p->path, F_OK), -1);
		assert_int_equal(access(p->aside, F_OK), 0);
	}
}

/* dev_valid_name() allows any byte but a slash, a colon and blanks. */
static void a_name_may_be_any_bytes(void **state)
{
	struct place *p = *state;
	uint64_t until;
	_cleanup_(ledger_close_pointer) struct ledger *ledger = NULL, *again = NULL;
	struct link link = { .ifindex = 9, .name = "\xff\x01z", .kind = "dummy" };
	char why[256];

	assert_int_equal(ledger_open(p->path, &p->table, &ledger, why, sizeof(why)), 0);
	assert_int_equal(ledger_pause(ledger, &link, 0), 0);
	assert_int_equal(ledger_save(ledger, &p->table), 1);
	assert_int_equal(ledger_open(p->path, &p->table, &again, why, sizeof(why)), 0);
	assert_true(ledger_is_paused(again, &link, &until));
	strcpy(link.name, "??z");
	assert_false(ledger_is_paused(again, &link, &until));
}

static struct place *starved;

static int open_starved(void)
{
	_cleanup_(ledger_close_pointer) struct ledger *ledger = NULL;

	return ledger_open(starved->path, &starved->table, &ledger, starved->why, sizeof(starved->why));
}

/* It is not taken for a bad file, which would lose the original values. (Its features are of another kernel, as uthash, which keeps
 * entries, ends the process where it gets no memory.) */
static void without_memory_the_file_stays_where_it_is(void **state)
{
	struct place *p = *state;
	char text[512];
	struct stat st;

	assert_int_equal(stat("/proc/self/ns/net", &st), 0);
	snprintf(text, sizeof(text),
		"{\"version\":1,\"netns\":%llu,\"links\":[{\"ifindex\":1,\"name\":\"a\",\"kind\":\"b\",\"address\":\"\","
		"\"original\":{\"of-another-kernel\":true}}],\"paused\":[]}",
		(unsigned long long)st.st_ino);
	write_text(p, text, strlen(text));
	starved = p;
	unit_starve(open_starved);
	assert_int_equal(access(p->path, F_OK), 0);
	assert_int_equal(access(p->aside, F_OK), -1);
}

static void write_pause(struct place *p, const char *cookie)
{
	char text[512];
	struct stat st;

	assert_int_equal(stat("/proc/self/ns/net", &st), 0);
	snprintf(text, sizeof(text), "{\"version\":1,\"netns\":%llu,%s\"links\":[{\"ifindex\":7,\"name\":\"vlan10\",\"kind\":\"vlan\","
		"\"address\":\"02:00:00:00:00:1a\",\"original\":{\"rx-lro\":true}}],\"paused\":[{\"ifindex\":7,\"name\":\"vlan10\","
		"\"kind\":\"vlan\",\"address\":\"02:00:00:00:00:1a\"}]}", (unsigned long long)st.st_ino, cookie);
	write_text(p, text, strlen(text));
}

/* The kernel uses the inode of a network namespace again, but not its cookie. */
static void a_namespace_inherits_nothing_from_a_dead_one(void **state)
{
	struct place *p = *state;
	_cleanup_(ledger_close_pointer) struct ledger *ledger = NULL;
	struct link link = vlan10(&p->table), other = link;
	uint64_t until;
	char cookie[64];

	write_pause(p, "\"netns_cookie\":4611686018427387904,");
	ledger = reopen(p, 0);
	assert_int_equal(access(p->path, F_OK), 0);
	assert_false(ledger_is_paused(ledger, &link, &until));
	assert_null(ledger_find(ledger, &link));
	assert_int_equal(ledger_pause(ledger, &other, 0), 0);
	assert_int_equal(ledger_save(ledger, &p->table), 1); /* replaces it */
	ledger_close(ledger);
	ledger = reopen(p, 0);
	assert_true(ledger_is_paused(ledger, &link, &until));
	assert_null(ledger_find(ledger, &link));
	ledger_close(ledger);

	/* without a cookie, name and address must match */
	write_pause(p, "");
	ledger = reopen(p, 0);
	assert_true(ledger_is_paused(ledger, &link, &until));
	assert_non_null(ledger_find(ledger, &link));
	other.address[0] = 6;
	assert_false(ledger_is_paused(ledger, &other, &until));
	assert_null(ledger_find(ledger, &other));
	other = link;
	strcpy(other.name, "renamed");
	assert_false(ledger_is_paused(ledger, &other, &until));
	assert_int_equal(ledger_remember(ledger, &link, FEATURE(0)), 1); /* it was seen here: one of both is enough */
	assert_non_null(ledger_find(ledger, &other));
	ledger_close(ledger);

	snprintf(cookie, sizeof(cookie), "\"netns_cookie\":%llu,", (unsigned long long)netns_cookie());
	write_pause(p, cookie);
	ledger = reopen(p, 0);
	assert_true(!netns_cookie() || ledger_is_paused(ledger, &other, &until));
}

static void what_belongs_to_another_namespace_is_left_alone(void **state)
{
	struct place *p = *state;
	static const char text[] = "{\"version\":1,\"netns\":1,\"links\":[]}";
	struct ledger *ledger = NULL;
	char why[256];

	write_text(p, text, strlen(text));
	assert_int_equal(ledger_open(p->path, &p->table, &ledger, why, sizeof(why)), -EXDEV);
	assert_string_equal(why, "it belongs to another network namespace");
	assert_null(ledger);
	assert_int_equal(access(p->path, F_OK), 0);
	assert_int_equal(access(p->aside, F_OK), -1);
	write_text(p, "{", 1);
	assert_int_equal(ledger_read(p->path, &p->table, &ledger, why, sizeof(why)), -EBADMSG);
	assert_int_equal(access(p->path, F_OK), 0);
}

static void what_is_no_file_is_set_aside(void **state)
{
	struct place *p = *state;
	_cleanup_(ledger_close_pointer) struct ledger *ledger = NULL;

	write_text(p, "", 0);
	unlink(p->path);
	assert_int_equal(mkfifo(p->path, 0600), 0);
	ledger = reopen(p, 1);
	ledger_close(ledger);
	assert_int_equal(symlink("/etc/passwd", p->path), 0);
	ledger = reopen(p, 1);
	ledger_close(ledger);
	unlink(p->aside);
	assert_int_equal(mkdir(p->path, 0700), 0);
	ledger = reopen(p, 1);
	ledger_close(ledger);
	write_text(p, "x", 1);
	assert_int_equal(truncate(p->path, LEDGER_MAX_BYTES + 1), 0);
	rmdir(p->aside);
	ledger = reopen(p, 1);
	assert_non_null(strstr(p->why, "larger than"));
}

static void a_failed_write_keeps_the_old_file(void **state)
{
	struct place *p = *state;
	_cleanup_(ledger_close_pointer) struct ledger *ledger = reopen(p, 0);
	struct link link = vlan10(&p->table);

	ledger_remember(ledger, &link, FEATURE(0));
	assert_int_equal(ledger_save(ledger, &p->table), 1);
	ledger_remember(ledger, &link, FEATURE(1));
	free(ledger->path);
	ledger->path = strdup("/proc/nowhere/ledger.json");
	assert_true(ledger_save(ledger, &p->table) < 0);
	assert_true(ledger->dirty);
	ledger_close(ledger);
	ledger = reopen(p, 0);
	assert_int_equal(ledger_find(ledger, &link)->mask, FEATURE(0));
}

/* offloadctl apply beside a running daemon: neither loses what the other wrote. */
static void two_writers_lose_nothing(void **state)
{
	struct place *p = *state;
	uint64_t until;
	struct link a = vlan10(&p->table), b = vlan10(&p->table), c = vlan10(&p->table);
	_cleanup_(ledger_close_pointer) struct ledger *one = reopen(p, 0), *two = reopen(p, 0);
	feature_set sg = unit_set(&p->table, "tx-scatter-gather"), gro = unit_set(&p->table, "gro");

	b.ifindex = 8;
	strcpy(b.name, "vlan11");
	c.ifindex = 9;
	strcpy(c.name, "vlan12");
	assert_int_equal(ledger_remember(one, &a, sg), 1);
	assert_int_equal(ledger_pause(one, &c, 0), 0);
	assert_int_equal(ledger_save(one, &p->table), 1);

	a.features.wanted = 0; /* later than one's: not the original of sg, but that of gro */
	assert_int_equal(ledger_remember(two, &a, sg | gro), 1);
	assert_int_equal(ledger_remember(two, &b, sg), 1);
	assert_int_equal(ledger_save(two, &p->table), 1);
	assert_int_equal(ledger_find(two, &a)->value, sg);
	assert_int_equal(ledger_find(two, &a)->mask, sg | gro);
	assert_true(ledger_is_paused(two, &c, &until));

	assert_int_equal(ledger_sync(one, &p->table), 1);
	assert_int_equal(ledger_sync(one, &p->table), 0);
	assert_non_null(ledger_find(one, &b));

	/* what one forgets is gone for both, also while the other has something to write */
	ledger_forget(one, a.ifindex);
	assert_true(ledger_resume(one, c.ifindex));
	assert_int_equal(ledger_remember(two, &c, gro), 1);
	assert_int_equal(ledger_save(two, &p->table), 1);
	assert_int_equal(ledger_save(one, &p->table), 1);
	assert_null(ledger_find(one, &a));
	assert_non_null(ledger_find(one, &c));
	assert_int_equal(ledger_sync(two, &p->table), 1);
	assert_null(ledger_find(two, &a));
	assert_false(ledger_is_paused(two, &c, &until));
	assert_non_null(ledger_find(two, &b));
}

static void pauses_outlive_a_restart_and_belong_to_one_link(void **state)
{
	struct place *p = *state;
	uint64_t until;
	_cleanup_(ledger_close_pointer) struct ledger *ledger = reopen(p, 0);
	struct link link = vlan10(&p->table), other = link;

	strcpy(other.name, "eth7");
	strcpy(other.kind, "physical");
	assert_false(ledger_is_paused(ledger, &link, &until));
	assert_false(ledger_resume(ledger, link.ifindex));
	assert_int_equal(ledger_pause(ledger, &link, UINT64_C(123456789)), 0);
	assert_true(ledger_is_paused(ledger, &link, &until));
	assert_false(ledger_is_paused(ledger, &other, &until)); /* it has this index now */
	assert_int_equal(ledger_save(ledger, &p->table), 1);

	ledger_close(ledger);
	ledger = reopen(p, 0);
	assert_true(ledger_is_paused(ledger, &link, &until));
	assert_int_equal(until, UINT64_C(123456789));
	assert_null(ledger_find(ledger, &link)); /* nothing of it was changed */
	assert_int_equal(ledger_remember(ledger, &link, unit_set(&p->table, "gro")), 1);
	ledger_forget(ledger, link.ifindex); /* its values were put back: it stays paused */
	assert_true(ledger_is_paused(ledger, &link, &until));
	assert_true(ledger_resume(ledger, link.ifindex));
	assert_false(ledger_is_paused(ledger, &link, &until));
	assert_int_equal(ledger_save(ledger, &p->table), 1);
	ledger_close(ledger);
	ledger = reopen(p, 0);
	assert_null(ledger->pauses);
}

static void file_of_root_belongs_to_the_owner_of_its_folder(void **state)
{
	struct place *p = *state;
	_cleanup_(ledger_close_pointer) struct ledger *ledger = reopen(p, 0);
	struct link link = vlan10(&p->table);
	char directory[80];
	struct stat st;

	if (geteuid() != 0)
		skip();
	snprintf(directory, sizeof(directory), "%s/run", p->dir);
	assert_int_equal(chmod(p->dir, 0755), 0);
	assert_int_equal(mkdir(directory, 0755), 0);
	assert_int_equal(chown(directory, 1234, 1235), 0);
	assert_int_equal(ledger_remember(ledger, &link, unit_set(&p->table, "gro")), 1);
	assert_int_equal(ledger_save(ledger, &p->table), 1);
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_uid, 1234);
	assert_int_equal(st.st_gid, 1235);
	assert_int_equal(st.st_mode & 0777, 0600);
}

/* The owner of the directory puts files of root there, under the names that root opens. */
static void root_is_not_lent_to_the_owner_of_the_folder(void **state)
{
	static const char *const names[] = { "", ".lock" };
	struct place *p = *state;
	_cleanup_(ledger_close_pointer) struct ledger *ledger = reopen(p, 0);
	struct link vlan = vlan10(&p->table);
	char directory[80], secret[96], path[128], why[256];
	struct ledger *other = NULL;
	struct stat st;

	if (geteuid() != 0)
		skip();
	snprintf(directory, sizeof(directory), "%s/run", p->dir);
	snprintf(secret, sizeof(secret), "%s/secret", p->dir);
	assert_int_equal(chmod(p->dir, 0755), 0);
	assert_int_equal(mkdir(directory, 0755), 0);
	assert_int_equal(chown(directory, 1234, 1235), 0);
	close(open(secret, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s%s", p->path, names[i]);
		assert_int_equal(link(secret, path), 0);
	}
	assert_int_equal(ledger_open(p->path, &p->table, &other, why, sizeof(why)), -EACCES);
	assert_int_equal(ledger_remember(ledger, &vlan, unit_set(&p->table, "gro")), 1);
	(void)ledger_save(ledger, &p->table);
	assert_int_equal(stat(secret, &st), 0);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(st.st_size, 0);
	snprintf(path, sizeof(path), "%s.lock", p->path);
	unlink(path);
	assert_int_equal(mkfifo(path, 0666), 0); /* must not block, nor count as a lock */
	ledger->dirty = true;
	(void)ledger_save(ledger, &p->table);
	assert_int_equal(setfsuid((uid_t)-1), 0); /* its own rights again */
	assert_int_equal(setfsgid((gid_t)-1), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_first_value_is_the_original),
		TEST(the_file_names_features),
		TEST(another_link_with_the_index_is_not_the_same),
		TEST(what_cannot_be_understood_is_set_aside),
		TEST(a_name_may_be_any_bytes),
		TEST(without_memory_the_file_stays_where_it_is),
		TEST(a_namespace_inherits_nothing_from_a_dead_one),
		TEST(what_belongs_to_another_namespace_is_left_alone),
		TEST(what_is_no_file_is_set_aside),
		TEST(a_failed_write_keeps_the_old_file),
		TEST(pauses_outlive_a_restart_and_belong_to_one_link),
		TEST(two_writers_lose_nothing),
		TEST(file_of_root_belongs_to_the_owner_of_its_folder),
		TEST(root_is_not_lent_to_the_owner_of_the_folder),
	};

	return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
