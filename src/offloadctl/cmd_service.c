/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "offloadctl/cmd_service.h"

#include <errno.h>
#include <fnmatch.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>

const char *cmd_service_name(struct cgroup_paths *paths, uint64_t cgroup, pid_t pid,
	struct unit *ret_unit, char *buf, size_t size)
{
	char own[UNIT_PATH_MAX];
	const char *path = NULL;

	*ret_unit = (struct unit){ .kind = UNIT_NONE };
	if (cgroup > 1 && paths && cgroup_paths_find(paths, cgroup, &path) < 0) {
		snprintf(buf, size, "cgroup %llu, gone", (unsigned long long)cgroup);
		return buf;
	}
	if (!path && pid > 0 && cgroup_path_of_process(pid, own, sizeof(own)) == 0)
		path = own;
	if (path)
		unit_parse_path(path, ret_unit);
	return unit_format(ret_unit, buf, size);
}

bool cmd_service_matches(const char *glob, const struct unit *unit, const char *name)
{
	char full[UNIT_NAME_LEN + 16];

	if (!glob)
		return true;
	snprintf(full, sizeof(full), "%.255s.service", glob);
	return fnmatch(glob, unit->name, 0) == 0 || fnmatch(full, unit->name, 0) == 0 ||
	       fnmatch(glob, name, 0) == 0;
}

int cmd_probe_absent(const char *what, const struct probe_status *status)
{
	return cmd_error("cannot see %s: %s", what,
		status && status->why[0] ? status->why : "this kernel does not offer it");
}

int cmd_catch_stop(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

bool cmd_wait_stop(int fd, uint64_t until_usec)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	uint64_t now;

	while ((now = util_now_usec()) < until_usec) {
		uint64_t left = until_usec - now;
		struct timespec limit = { .tv_sec = (time_t)(left / USEC_PER_SEC),
			.tv_nsec = (long)(left % USEC_PER_SEC) * 1000 };

		if (ppoll(&poll_fd, 1, &limit, NULL) > 0)
			return true;
	}
	return false;
}
