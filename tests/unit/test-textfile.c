/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said in place of a daemon that died, or that stops while evidence is being read. tests/netns/metrics.sh has one that was killed. */
#include "report/textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/file.h"
#include "kernel/netns.h"

#include "unit.h"

/* ---- a tracker that is reading, and a daemon without interfaces ---- */

static struct {
	unsigned reads;
	bool reading; /* not finished: only the last evidence is there */
	uint64_t asked_usec;
} evidence;

int tracker_read_evidence(_unused_ struct tracker *w, uint64_t asked_usec, const struct evidence **ret)
{
	static const struct evidence last;

	evidence.asked_usec = asked_usec;
	if (evidence.reading && asked_usec) {
		if (++evidence.reads > 2)
			fail_msg("nobody waits for what takes long");
		return -EAGAIN;
	}
	evidence.reads++;
	*ret = &last;
	return 0;
}

struct reconcile_counts reconcile_count(_unused_ const struct reconcile *r)
{
	return (struct reconcile_counts){ 0 };
}

const struct histogram *reconcile_drift(_unused_ const struct reconcile *r)
{
	return NULL;
}

const struct rule_set *reconcile_rules(_unused_ const struct reconcile *r)
{
	static struct rule_set none;

	return &none;
}

const struct link_states *reconcile_states(_unused_ const struct reconcile *r)
{
	static struct link_states none;

	return &none;
}

struct place {
	char folder[32], path[64];
	char *own; /* that of this namespace */
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	strcpy(p->folder, "/tmp/textfile.XXXXXX");
	assert_non_null(mkdtemp(p->folder));
	snprintf(p->path, sizeof(p->path), "%s/o.prom", p->folder);
	assert_int_equal(netns_path(p->path, &p->own), 0);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	(void)unlink(p->own);
	assert_int_equal(rmdir(p->folder), 0); /* nothing else was left */
	free(p->own);
	free(p);
	return 0;
}

static char *read_own(const struct place *p)
{
	_cleanup_close_ int fd = open(p->own, O_RDONLY | O_CLOEXEC);
	char *text;
	size_t len;

	assert_true(fd >= 0);
	assert_int_equal(file_read(fd, TEXTFILE_FILE_MAX, &text, &len), 0);
	return text;
}

static void nowhere_is_nothing_to_say(_unused_ void **state)
{
	assert_int_equal(textfile_mark_stopped(""), 0);
}

static void one_that_never_wrote_is_known(void **state)
{
	const struct place *p = *state;
	_cleanup_free_ char *text = NULL;
	char name[NETNS_NAME_LEN];
	struct stat st;

	if (netns_is_own(name, sizeof(name))) { /* where a clean stop leaves no file */
		assert_int_equal(textfile_mark_stopped(p->path), 0);
		assert_int_not_equal(access(p->own, F_OK), 0);
		return;
	}
	assert_int_equal(textfile_mark_stopped(p->path), 1);
	text = read_own(p);
	assert_non_null(strstr(text, "\noffloadd_up 0\n"));
	assert_int_equal(stat(p->own, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	assert_int_equal(textfile_mark_stopped(p->path), 0);
}

static void what_it_wrote_is_kept(void **state)
{
	static const char last[] = "# x\noffloadd_up 1\noffloadd_rules 3\n";
	const struct place *p = *state;
	_cleanup_free_ char *text = NULL;

	assert_int_equal(file_replace(p->own, last, strlen(last)), 0);
	assert_int_equal(textfile_mark_stopped(p->path), 1);
	text = read_own(p);
	assert_string_equal(text, "# x\noffloadd_up 0\noffloadd_rules 3\n");
	assert_int_equal(textfile_mark_stopped(p->path), 0);
}

static void nobody_has_it_read_another_file(void **state)
{
	const struct place *p = *state;

	assert_int_equal(symlink("/etc/passwd", p->own), 0);
	assert_int_equal(textfile_mark_stopped(p->path), -ELOOP);
	assert_int_equal(unlink(p->own), 0);
	assert_int_equal(mkfifo(p->own, 0600), 0);
	assert_int_equal(textfile_mark_stopped(p->path), -EOPNOTSUPP);
}

/* The last evidence will do: a daemon that stops, or gets another path, must not wait for its own event loop. */
static void a_daemon_that_stops_waits_for_no_evidence(void **state)
{
	static struct observe observe;
	static const struct hooks hooks;
	static const struct rule_set none;
	static const struct rule_host rules_host;
	static const uint64_t lost;
	static const bool enforce = true;
	struct tracker *tracker = (struct tracker *)&evidence;
	const struct textfile_host host = { .observe = &observe, .rules_host = &rules_host, .enforce = &enforce, .hooks = &hooks,
		.tracker = &tracker, .rule_errors = &none, .conf_errors = &none, .events_lost = &lost };
	const struct place *p = *state;
	_cleanup_free_ char *text = NULL;
	char name[NETNS_NAME_LEN];
	struct textfile *textfile;

	memset(&evidence, 0, sizeof(evidence));
	evidence.reading = true;
	assert_int_equal(textfile_new(&host, &textfile), 0);
	assert_int_equal(textfile_set_path(textfile, p->path), 0);
	assert_int_equal(textfile_tick(textfile, 1), 0);
	assert_int_equal(evidence.reads, 1);
	assert_int_not_equal(access(p->own, F_OK), 0);
	assert_int_equal(textfile_deadline(textfile, 1), 0); /* the tracker has it */
	assert_int_equal(textfile_stop(textfile), 1);
	if (netns_is_own(name, sizeof(name))) {
		assert_int_not_equal(access(p->own, F_OK), 0);
	} else {
		assert_int_equal(evidence.reads, 2);
		assert_int_equal(evidence.asked_usec, 0);
		text = read_own(p);
		assert_non_null(strstr(text, "\noffloadd_up 0\n"));
	}
	textfile_free(textfile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nowhere_is_nothing_to_say),
		cmocka_unit_test_setup_teardown(one_that_never_wrote_is_known, setup, teardown),
		cmocka_unit_test_setup_teardown(what_it_wrote_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_has_it_read_another_file, setup, teardown),
		cmocka_unit_test_setup_teardown(a_daemon_that_stops_waits_for_no_evidence, setup, teardown),
	};

	return cmocka_run_group_tests_name("textfile", tests, NULL, NULL);
}
