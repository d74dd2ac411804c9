/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From what the kernel's records carry, a cgroup's id or a process, to the path that unit.c reads. */
#ifndef OFFLOADD_CGROUP_H
#define OFFLOADD_CGROUP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "basic/util.h"

#define CGROUP_CACHE_MAX 4096

struct cgroup_paths;

/* -ENOENT where no unified hierarchy is mounted (then only processes tell). */
int cgroup_paths_open(struct cgroup_paths **ret);
void cgroup_paths_close(struct cgroup_paths *paths);
CLEANUP_POINTER(struct cgroup_paths, cgroup_paths_close)

/* The path below the mount point of the cgroup with this id, "/" for the root. Asks by handle, where that is
 * not allowed (CAP_DAC_READ_SEARCH) by a walk. What was found once is remembered, so that the name outlives
 * the cgroup. The text is valid until the next call. -ENOENT: gone, and never seen. */
int cgroup_paths_find(struct cgroup_paths *paths, uint64_t id, const char **ret_path);

/* The path of a process, whatever the version of its hierarchy. -ESRCH: gone. */
int cgroup_path_of_process(pid_t pid, char *path, size_t size);

/* Which process holds each socket, by inode: one pass over /proc; 0 where none was found. */
struct cgroup_socket {
	uint64_t inode;
	pid_t pid;
};
int cgroup_find_socket_owners(struct cgroup_socket *sockets, size_t n);

#endif
