/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "basic/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/util.h"

#define KILLED_USEC (100 * USEC_PER_MSEC)
#define DESCRIPTORS 1024

struct answer {
	int result;
	char data[CHILD_DATA_MAX];
};

/* 0; -ETIMEDOUT; another negative errno. */
static int reap(pid_t pid, uint64_t usec, int *ret_status)
{
	const struct timespec nap = { .tv_nsec = 1000 * 1000 };
	uint64_t deadline_usec = util_now_usec() + usec;
	pid_t n;

	while ((n = waitpid(pid, ret_status, WNOHANG)) == 0 || (n < 0 && errno == EINTR)) {
		if (util_now_usec() >= deadline_usec)
			return -ETIMEDOUT;
		nanosleep(&nap, NULL);
	}
	return n < 0 ? -errno : 0;
}

void child_kill(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	(void)reap(pid, KILLED_USEC, &status);
}

int child_wait(pid_t pid, uint64_t usec, int *ret_status)
{
	int r = reap(pid, usec, ret_status);

	if (r == -ETIMEDOUT)
		child_kill(pid);
	return r;
}

/* last: -1 for all from the first on */
static void close_between(int first, int last)
{
	if (last >= 0 && last < first)
		return;
	if (syscall(SYS_close_range, (unsigned)first, (unsigned)last, 0) < 0) /* before Linux 5.9 */
		for (int i = first; i <= (last < 0 ? DESCRIPTORS : last); i++)
			close(i);
}

void child_close_others(int keep, int also)
{
	int low = keep < also ? keep : also, high = keep < also ? also : keep;

	low = low > STDERR_FILENO ? low : STDERR_FILENO;
	high = high > low ? high : low;
	close_between(STDERR_FILENO + 1, low - 1);
	close_between(low + 1, high - 1);
	close_between(high + 1, -1);
}

/* A lock that the child shared would outlive this process. */
static void close_others(int fd)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	child_close_others(fd, fd);
}

static void run_child(int (*fn)(void *data), void *data, size_t size, int fd)
{
	struct answer answer = { 0 };

	close_others(fd);
	answer.result = fn(data);
	if (size)
		memcpy(answer.data, data, size);
	_exit(write(fd, &answer, sizeof(answer)) != sizeof(answer));
}

pid_t child_start(int (*fn)(void *data), void *data)
{
	pid_t pid = fork();

	if (pid == 0) {
		close_others(STDERR_FILENO);
		_exit(-fn(data)); /* an exit status has 8 bits; errno(3) ends at 133 */
	}
	return pid < 0 ? -errno : pid;
}

int child_take(pid_t pid, uint64_t usec, int *ret_result)
{
	int status, r = reap(pid, usec, &status);

	if (r == -ETIMEDOUT)
		return r;
	*ret_result = r < 0 || !WIFEXITED(status) ? -ECHILD : -WEXITSTATUS(status);
	return 0;
}

static int receive(int fd, void *data, size_t size, uint64_t usec)
{
	uint64_t deadline_usec = util_now_usec() + usec, now_usec;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct answer answer;
	int n = 0;

	while (n <= 0) {
		now_usec = util_now_usec();
		if (now_usec >= deadline_usec)
			return -ETIMEDOUT;
		n = poll(&p, 1, (int)((deadline_usec - now_usec) / USEC_PER_MSEC) + 1);
		if (n < 0 && errno != EINTR)
			return -errno;
	}
	do
		n = (int)read(fd, &answer, sizeof(answer)); /* at most PIPE_BUF: all or nothing */
	while (n < 0 && errno == EINTR);
	if (n != sizeof(answer))
		return -ECHILD;
	if (size)
		memcpy(data, answer.data, size);
	return answer.result;
}

int child_run(int (*fn)(void *data), void *data, size_t size, uint64_t usec)
{
	int ends[2], r;
	pid_t pid;

	if (size > CHILD_DATA_MAX)
		return -EINVAL;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		run_child(fn, data, size, ends[1]);
	r = pid < 0 ? -errno : 0;
	close(ends[1]);
	if (r == 0)
		r = receive(ends[0], data, size, usec);
	close(ends[0]);
	if (pid > 0)
		child_kill(pid);
	return r;
}
