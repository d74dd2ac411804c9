/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a child process does, or fails to do, does not keep its parent waiting. */
#include "basic/child.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/util.h"
#include "unit.h"

#define MUCH (10 * USEC_PER_SEC)

static int doubles(void *data)
{
	*(int *)data *= 2;
	return 7;
}

static int hangs(_unused_ void *data)
{
	while (pause() < 0)
		;
	return 0;
}

static int dies(_unused_ void *data)
{
	raise(SIGKILL);
	return 0;
}

static int moves(_unused_ void *data)
{
	return unshare(CLONE_NEWUTS | CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 ? -errno : 0;
}

static int holds(void *data)
{
	return fcntl(*(int *)data, F_GETFD) < 0 ? -errno : 0;
}

static void no_child_is_left(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void its_result_comes_back(_unused_ void **state)
{
	char much[CHILD_DATA_MAX + 1] = "";
	int n = 21;

	assert_int_equal(child_run(doubles, &n, sizeof(n), MUCH), 7);
	assert_int_equal(n, 42);
	assert_int_equal(child_run(doubles, much, sizeof(much), MUCH), -EINVAL);
	no_child_is_left();
}

static void one_that_hangs_is_ended(_unused_ void **state)
{
	uint64_t begin_usec = util_now_usec();
	int status;
	pid_t pid;

	assert_int_equal(child_run(hangs, NULL, 0, 50 * USEC_PER_MSEC), -ETIMEDOUT);
	no_child_is_left();
	pid = fork();
	if (pid == 0)
		_exit(hangs(NULL));
	assert_int_equal(child_wait(pid, 50 * USEC_PER_MSEC, &status), -ETIMEDOUT);
	no_child_is_left();
	assert_true(util_now_usec() - begin_usec < MUCH);
}

static void one_that_dies_is_noticed(_unused_ void **state)
{
	int status;
	pid_t pid;

	assert_int_equal(child_run(dies, NULL, 0, MUCH), -ECHILD);
	pid = fork();
	if (pid == 0)
		_exit(3);
	assert_int_equal(child_wait(pid, MUCH, &status), 0);
	assert_int_equal(WEXITSTATUS(status), 3);
	assert_int_equal(child_wait(pid, MUCH, &status), -ECHILD);
}

static void this_process_stays_where_it_is(_unused_ void **state)
{
	struct stat before, after;
	int r;

	assert_int_equal(stat("/proc/self/ns/net", &before), 0);
	r = child_run(moves, NULL, 0, MUCH);
	assert_true(r == 0 || r == -EPERM || r == -ENOSPC); /* unprivileged user namespaces may be off */
	assert_int_equal(stat("/proc/self/ns/net", &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
}

/* A lock would outlive its owner. */
static void it_shares_no_descriptor(_unused_ void **state)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd > STDERR_FILENO);
	assert_int_equal(child_run(holds, &fd, sizeof(fd), MUCH), -EBADF);
	close(fd);
}

static void however_high_its_number_is(_unused_ void **state)
{
	struct rlimit limit = { 4096, 4096 };
	int fd = 3000;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_max < 4096)
		skip();
	limit.rlim_cur = 4096;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(dup2(STDERR_FILENO, fd), fd);
	assert_int_equal(child_run(holds, &fd, sizeof(fd), MUCH), -EBADF);
	close(fd);
}

static int refuses(_unused_ void *data)
{
	return -ENOSPC;
}

/* The parent goes on meanwhile. */
static void one_that_is_not_waited_for(_unused_ void **state)
{
	int result = 0, fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	pid_t pid = child_start(refuses, NULL);

	assert_true(pid > 0);
	assert_int_equal(child_take(pid, MUCH, &result), 0);
	assert_int_equal(result, -ENOSPC);
	pid = child_start(holds, &fd);
	assert_int_equal(child_take(pid, MUCH, &result), 0);
	assert_int_equal(result, -EBADF);
	pid = child_start(hangs, NULL);
	assert_int_equal(child_take(pid, 0, &result), -ETIMEDOUT);
	kill(pid, SIGKILL);
	assert_int_equal(child_take(pid, MUCH, &result), 0);
	assert_int_equal(result, -ECHILD);
	no_child_is_left();
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_result_comes_back),
		cmocka_unit_test(one_that_hangs_is_ended),
		cmocka_unit_test(one_that_dies_is_noticed),
		cmocka_unit_test(this_process_stays_where_it_is),
		cmocka_unit_test(it_shares_no_descriptor),
		cmocka_unit_test(however_high_its_number_is),
		cmocka_unit_test(one_that_is_not_waited_for),
	};

	return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
