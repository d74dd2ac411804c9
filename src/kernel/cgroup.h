/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths of cgroups by process, for model/unit.h; processes by socket. */
#ifndef OFFLOADD_CGROUP_H
#define OFFLOADD_CGROUP_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "basic/util.h"
#include "model/unit.h"

/* The id of the root of the unified hierarchy in our cgroup namespace: its inode number, as for all cgroups (kernfs, 64-bit). 0: it is
 * not mounted. */
uint64_t cgroup_root(void);

/* Is there a cgroup with this path below the mount point? */
bool cgroup_exists(const char *path);

/* Calls fn with the name of each directory of the unified hierarchy, "nginx.service", and of systemd's own hierarchy of version 1, up
 * to a limit. 0; -ENOENT: neither is mounted; other negative errno. */
int cgroup_list(void (*fn)(const char *name, void *userdata), void *userdata);

/* Reads the path of a process (/proc/PID/cgroup, v1 or v2) into size bytes. 0; 1: it is of a hierarchy of version 1; -ESRCH: no such
 * process; other negative errno. */
int cgroup_path_of_process(pid_t pid, char *path, size_t size);

struct cgroup_socket {
	uint64_t cgroup, inode; /* the first is for the caller only */
	/* Of the first and the last process in /proc that hold the socket; 0: none found. The service manager keeps copies of what it
	 * passes on: process 1 only if no other one holds it. */
	pid_t first, last;
};
/* Sets first and last of each of n sockets, in one pass over /proc/PID/fd, of at most CGROUP_FDS_MAX descriptors. The scan starts zeroed.
 * 0; -EAGAIN: until_usec (CLOCK_MONOTONIC) is over, and the next call with the same sockets goes on, unless cgroup_end_scan() ends it;
 * another negative errno. */
struct cgroup_scan {
	DIR *proc, *fds; /* NULL: not open; of the process */
	pid_t pid;
	unsigned left; /* how many descriptors may still be read */
	struct cgroup_socket **by_inode;
};
int cgroup_find_socket_owners(struct cgroup_scan *scan, struct cgroup_socket *sockets, size_t n, uint64_t until_usec);
void cgroup_end_scan(struct cgroup_scan *scan);
#define CGROUP_FDS_MAX 262144

/* Walks through the unified hierarchy, of at most CGROUP_WALK_MAX cgroups, and calls fn for each but the root, until it returns false. id:
 * the name in a directory of cgroupfs has it as its inode number (kernfs_fop_readdir()). path: "/system.slice/nginx.service". The walk starts
 * zeroed. 0; -EAGAIN: until_usec (CLOCK_MONOTONIC) is over, and the next call goes on, unless cgroup_end_walk() ends it; -ENOENT: the
 * hierarchy is not mounted; other negative errno. */
#define CGROUP_WALK_DEPTH 16
#define CGROUP_WALK_MAX 4096
struct cgroup_walk {
	DIR *dirs[CGROUP_WALK_DEPTH]; /* from the root down */
	unsigned depth, left;
	char path[UNIT_PATH_MAX];
};
typedef bool (*cgroup_walk_fn)(uint64_t id, const char *path, void *userdata);
int cgroup_walk(struct cgroup_walk *walk, uint64_t until_usec, cgroup_walk_fn fn, void *userdata);
void cgroup_end_walk(struct cgroup_walk *walk);

/* The CPU time of a cgroup and those below it (cpu.stat, cgroup_base_stat_cputime_show()). It includes the soft interrupts that ran
 * while a task of it was current, unless the kernel accounts for interrupts (CONFIG_IRQ_TIME_ACCOUNTING). 0; -ENOENT: it is gone; other
 * negative errno. */
int cgroup_read_cpu(const char *path, uint64_t *ret_usec);

struct cgroup_process {
	uint64_t start_usec; /* CLOCK_BOOTTIME, a multiple of 10 ms */
	uint32_t netns;	     /* inode number; 0: unknown */
	char comm[16];	     /* printable */
};
/* 0; -ESRCH: no such process, or it has ended (a zombie); other negative errno. */
int cgroup_read_process(pid_t pid, struct cgroup_process *ret);

#endif
