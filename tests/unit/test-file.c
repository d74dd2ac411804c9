/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/file.h"
#include "basic/util.h"

#include "unit.h"

static void the_file_is_replaced_whole_and_readable(void **state)
{
	char directory[] = "/tmp/test-file.XXXXXX", path[48], fresh[64], text[8] = "";
	struct stat before, after;
	FILE *f, *old;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/o.prom", directory);
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	umask(0077);
	assert_int_equal(symlink("/dev/null", fresh), 0); /* left by somebody */
	assert_int_equal(file_replace(path, "one\n", 4), 0);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(before.st_mode, S_IFREG | 0644);
	old = fopen(path, "re");
	assert_int_equal(file_replace(path, "two\n", 4), 0);
	assert_int_equal(stat(path, &after), 0);
	assert_int_not_equal(before.st_ino, after.st_ino);
	assert_true(fread(text, 1, 4, old) == 4);
	assert_string_equal(text, "one\n"); /* who reads the old one reads it to its end */
	fclose(old);
	f = fopen(path, "re");
	assert_true(fread(text, 1, 4, f) == 4);
	assert_string_equal(text, "two\n");
	fclose(f);
	assert_int_equal(access(fresh, F_OK), -1);
	unlink(path);
	rmdir(directory);
	assert_int_equal(file_replace(path, "x", 1), -ENOENT);
	assert_int_equal(file_replace("/dev/null/x.prom", "x", 1), -ENOTDIR);
}

static void a_full_disk_leaves_the_old_file(void **state)
{
	static char text[1 << 20];
	char path[] = "/tmp/test-file-full.XXXXXX";
	struct stat st;
	pid_t child;
	int status;

	(void)state;
	close(mkostemp(path, O_CLOEXEC));
	assert_int_equal(file_replace(path, "old\n", 4), 0);
	memset(text, '#', sizeof(text));
	child = fork();
	if (child == 0) {
		const struct rlimit limit = { 4096, 4096 };

		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
		_exit(file_replace(path, text, sizeof(text)) == -EFBIG ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 4);
	unlink(path);
}

/* A file or directory of another user, unless owner is 0. */
static const char *put(const char *directory, const char *name, bool is_directory, uid_t owner, mode_t mode)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (is_directory)
		assert_int_equal(mkdir(path, 0700), 0);
	else
		close(open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(chmod(path, mode), 0);
	assert_int_equal(chown(path, owner, owner), 0);
	return path;
}

/* file_open() of a file in the directory: 0 or negative errno. */
static int opens(const char *directory, const char *name, enum file_trust trust, char why[FILE_WHY_LEN])
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = file_open(path, trust, why, FILE_WHY_LEN);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static void put_link(const char *directory, const char *name, const char *target, uid_t owner)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(lchown(path, owner, owner), 0);
}

static void root_reads_what_only_root_can_write(void **state)
{
	char directory[] = "/tmp/test-file.XXXXXX", why[FILE_WHY_LEN], theirs[64], secret[64], ours[128];
	enum { OTHER = 1234 };

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_non_null(mkdtemp(directory));
	assert_int_equal(chmod(directory, 0755), 0);
	snprintf(theirs, sizeof(theirs), "%s/theirs", directory);
	snprintf(secret, sizeof(secret), "%s/secret", directory);
	snprintf(ours, sizeof(ours), "%s/ours", directory);
	put(directory, "theirs", true, OTHER, 0755);
	put(directory, "ours", true, 0, 0755);
	put(directory, "secret", false, 0, 0600);
	put(ours, "good", false, 0, 0644);
	put(ours, "group", false, 0, 0664); /* of root's own group */
	put(ours, "theirs", false, OTHER, 0644);
	put(ours, "open", false, 0, 0646);
	put_link(ours, "to-good", "../ours/good", 0);
	put_link(ours, "to-link", "to-good", 0);
	put_link(ours, "loop", "loop", 0);
	put_link(ours, "through", "../theirs/to-secret", 0);
	put_link(theirs, "to-secret", secret, OTHER);
	put(theirs, "theirs", false, OTHER, 0644);

	assert_int_equal(opens(ours, "good", FILE_SYSTEM, why), 0);
	assert_int_equal(opens(ours, "group", FILE_SYSTEM, why), 0);
	assert_int_equal(opens(ours, "to-good", FILE_SYSTEM, why), 0);
	assert_int_equal(opens(ours, "to-link", FILE_SYSTEM, why), 0);
	assert_int_equal(opens(ours, "./../ours//good", FILE_SYSTEM, why), 0);
	assert_int_equal(opens(ours, "loop", FILE_SYSTEM, why), -ELOOP);
	assert_int_equal(opens(ours, "absent", FILE_SYSTEM, why), -ENOENT);
	assert_int_equal(opens(ours, "theirs", FILE_SYSTEM, why), -EPERM);
	assert_string_equal(why, "belongs to uid 1234, expected root");
	assert_int_equal(opens(ours, "open", FILE_SYSTEM, why), -EPERM);
	assert_string_equal(why, "can be written by other users");
	assert_int_equal(opens(theirs, "theirs", FILE_SYSTEM, why), -EPERM);
	assert_string_equal(why, "\"theirs\" in its path belongs to uid 1234, expected root");
	assert_int_equal(opens(theirs, "to-secret", FILE_SYSTEM, why), -EPERM);
	assert_int_equal(opens(ours, "through", FILE_SYSTEM, why), -EPERM);
	assert_int_equal(file_open_directory(theirs, FILE_SYSTEM, why, sizeof(why)), -EPERM);
	close(file_open_directory(ours, FILE_SYSTEM, why, sizeof(why)));
	assert_int_equal(file_open_directory("/tmp", FILE_SYSTEM, why, sizeof(why)), -EPERM); /* sticky is not enough at its end */

	/* what a user names may belong to anybody, but leads to nothing that its owner could not read */
	assert_int_equal(opens(theirs, "theirs", FILE_NAMED, why), 0);
	assert_int_equal(opens(theirs, "to-secret", FILE_NAMED, why), -EPERM);
	assert_string_equal(why, "is a symbolic link of uid 1234");
	snprintf(ours, sizeof(ours), "%s/hard", theirs);
	assert_int_equal(link(secret, ours), 0);
	assert_int_equal(opens(theirs, "hard", FILE_NAMED, why), -EPERM);
	assert_int_equal(chdir(theirs), 0);
	assert_int_equal(file_open("hard", FILE_NAMED, why, sizeof(why)), -EPERM); /* without a directory in its path */
	assert_int_equal(chdir("/"), 0);
	snprintf(ours, sizeof(ours), "%s/theirs/to-ours", directory);
	put_link(theirs, "to-ours", "../ours", OTHER);
	assert_int_equal(file_open_directory(ours, FILE_NAMED, why, sizeof(why)), -EPERM);
	/* links of ours, wherever they are */
	put_link(theirs, "of-root", "../ours/good", 0);
	put_link(theirs, "of-root-far", secret, 0);
	assert_int_equal(opens(theirs, "of-root", FILE_NAMED, why), 0);
	assert_int_equal(opens(theirs, "of-root-far", FILE_NAMED, why), 0);
	close(STDIN_FILENO);
	assert_int_equal(open(secret, O_RDONLY), STDIN_FILENO);
	close(file_open("/dev/stdin", FILE_NAMED, why, sizeof(why)));
	assert_int_equal(opens("/proc/self/fd", "0", FILE_NAMED, why), 0);
	snprintf(ours, sizeof(ours), "rm -rf %s", directory);
	assert_int_equal(system(ours), 0);
}

/* Opening it must not block, and nothing but a regular file is replaced. */
static void what_is_no_regular_file_is_left_alone(void **state)
{
	char directory[] = "/tmp/test-file.XXXXXX", path[64], why[FILE_WHY_LEN], *text;
	struct stat st;
	size_t len;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/pipe", directory);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(file_open(path, FILE_NAMED, why, sizeof(why)), -EOPNOTSUPP);
	assert_int_equal(file_read_path(path, 10, &text, &len), -EOPNOTSUPP);
	assert_int_equal(file_replace(path, "x", 1), -EOPNOTSUPP);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	unlink(path);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(file_read_path(path, 10, &text, &len), -ELOOP);
	assert_int_equal(file_replace(path, "x", 1), -ELOOP);
	assert_true(file_is_null(path));
	unlink(path);
	assert_int_equal(file_read_path(directory, 10, &text, &len), -EISDIR);
	assert_int_equal(file_replace(directory, "x", 1), -EISDIR);
	assert_int_equal(file_replace("/dev/null", "x", 1), -EOPNOTSUPP);
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	assert_int_equal(file_read_path("/dev/zero", 10, &text, &len), -EOPNOTSUPP);
	rmdir(directory);
}

/* What comes out of a pipe of which the writer's end is closed after `len` bytes. */
static int read_pipe(const char *from, size_t len, size_t max, char **ret, size_t *ret_len)
{
	int ends[2], r;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(file_write(ends[1], from, len), 0);
	close(ends[1]);
	r = file_read(ends[0], max, ret, ret_len);
	close(ends[0]);
	return r;
}

static void reading_ends_at_the_bound(void **state)
{
	static char from[40000];
	char *text = NULL;
	size_t len;

	(void)state;
	memset(from, 'x', sizeof(from));
	assert_int_equal(read_pipe(from, 0, 10, &text, &len), 0);
	assert_int_equal(len, 0);
	assert_string_equal(text, "");
	free(text);
	text = NULL;
	for (size_t n = 16380; n < 16390; n++) { /* where room is made for more */
		assert_int_equal(read_pipe(from, n, n, &text, &len), 0);
		assert_int_equal(len, n);
		assert_int_equal(strlen(text), n);
		free(text);
		text = NULL;
		assert_int_equal(read_pipe(from, n, n - 1, &text, &len), -EFBIG);
		assert_null(text);
	}
	assert_int_equal(read_pipe(from, sizeof(from), sizeof(from), &text, &len), 0);
	assert_int_equal(len, sizeof(from));
	free(text);
	assert_int_equal(file_read(-1, 10, &text, &len), -EBADF);
}

static void one_folder_is_made(void **state)
{
	char top[] = "/tmp/test-file.XXXXXX", path[64], *directory;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(top));
	snprintf(path, sizeof(path), "%s/a/file", top);
	umask(0022);
	assert_int_equal(file_make_directory(path), 0);
	assert_int_equal(file_make_directory(path), 0);
	directory = file_directory(path);
	assert_int_equal(stat(directory, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
	rmdir(directory);
	free(directory);
	snprintf(path, sizeof(path), "%s/b/c/file", top);
	assert_int_equal(file_make_directory(path), -ENOENT);
	assert_int_equal(file_make_directory("/file"), 0);
	assert_int_equal(file_make_directory("file"), 0);
	assert_null(file_directory("/file"));
	assert_null(file_directory("file"));
	rmdir(top);
}

static void a_lock_is_waited_for_but_not_for_ever(void **state)
{
	char directory[] = "/tmp/test-file.XXXXXX", path[48];
	uint64_t begin_usec;
	struct stat st;
	int fd, status;
	pid_t pid;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/lock", directory);
	fd = file_lock(path, 0);
	assert_true(fd >= 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	begin_usec = util_now_usec();
	assert_int_equal(file_lock(path, 50 * USEC_PER_MSEC), -EWOULDBLOCK);
	assert_true(util_now_usec() - begin_usec >= 50 * USEC_PER_MSEC);
	pid = fork();
	if (pid == 0) {
		close(fd); /* a copy of it holds the lock, too */
		_exit(file_lock(path, 10 * USEC_PER_SEC) < 0);
	}
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	unlink(path);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(file_lock(path, 0), -ELOOP);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	close(file_lock(path, 0)); /* opening it does not wait for a writer */
	unlink(path);
	rmdir(directory);
	assert_int_equal(file_lock(path, 0), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_file_is_replaced_whole_and_readable),
		cmocka_unit_test(root_reads_what_only_root_can_write),
		cmocka_unit_test(what_is_no_regular_file_is_left_alone),
		cmocka_unit_test(a_full_disk_leaves_the_old_file),
		cmocka_unit_test(reading_ends_at_the_bound),
		cmocka_unit_test(one_folder_is_made),
		cmocka_unit_test(a_lock_is_waited_for_but_not_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
