/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "offloadctl/pager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/util.h"

static pid_t pager_pid;

/* Run by sudo or pkexec, or setuid: then the user's environment must not decide what runs with our privileges. */
static bool is_elevated(void)
{
	return geteuid() != getuid() || getenv("SUDO_UID") || getenv("PKEXEC_UID");
}

/* NULL: none is wanted. */
static const char *choose_pager(void)
{
	const char *own = getenv("OFFLOADD_PAGER"), *pager = own ? own : getenv("PAGER");

	if (pager && (!*pager || strcmp(pager, "cat") == 0))
		return NULL;
	return !pager || is_elevated() ? "less" : pager;
}

/* -F: leave at once if everything fits on the screen, R: colors, S: chop long lines, X: keep the output on the screen, M: a prompt that
 * shows the position, K: leave on Ctrl-C. */
_Noreturn static void run_pager(const char *pager, pid_t parent)
{
	setenv("LESS", "FRSXMK", 0);
	setenv("LESSCHARSET", "utf-8", 0);
	if (is_elevated())
		setenv("LESSSECURE", "1", 1);
	prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
	if (getppid() != parent)
		_exit(EXIT_SUCCESS);
	if (strcmp(pager, "less") != 0)
		execl("/bin/sh", "sh", "-c", pager, (char *)NULL);
	execlp("less", "less", (char *)NULL);
	execlp("cat", "cat", (char *)NULL);
	_exit(EXIT_FAILURE);
}

bool pager_open(void)
{
	const char *pager = choose_pager(), *term = getenv("TERM");
	pid_t parent = getpid();
	int fds[2];

	if (!pager || !isatty(STDOUT_FILENO) || !term || strcmp(term, "dumb") == 0 || pipe2(fds, O_CLOEXEC) < 0)
		return false;
	fflush(stdout);
	pager_pid = fork();
	if (pager_pid == 0) {
		dup2(fds[0], STDIN_FILENO);
		run_pager(pager, parent);
	}
	if (pager_pid > 0) {
		dup2(fds[1], STDOUT_FILENO);
		if (isatty(STDERR_FILENO))
			dup2(fds[1], STDERR_FILENO);
	}
	close(fds[0]);
	close(fds[1]);
	return pager_pid > 0;
}

bool pager_close(void)
{
	int null;

	if (pager_pid <= 0)
		return false;
	fflush(stdout);
	signal(SIGINT, SIG_IGN); /* it is for the pager */
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		close(null);
	}
	while (null >= 0 && waitpid(pager_pid, NULL, 0) < 0 && errno == EINTR)
		;
	return true;
}
