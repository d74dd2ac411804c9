/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said in place of a daemon that died. tests/netns/metrics.sh has one that was killed. */
#include "report/textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/file.h"
#include "kernel/netns.h"

#include "unit.h"

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
	assert_int_equal(file_read(fd, 4096, &text, &len), 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nowhere_is_nothing_to_say),
		cmocka_unit_test_setup_teardown(one_that_never_wrote_is_known, setup, teardown),
		cmocka_unit_test_setup_teardown(what_it_wrote_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_has_it_read_another_file, setup, teardown),
	};

	return cmocka_run_group_tests_name("textfile", tests, NULL, NULL);
}
