/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Child processes that cannot keep this one waiting, whatever they do. */
#ifndef OFFLOADD_CHILD_H
#define OFFLOADD_CHILD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CHILD_DATA_MAX 512

/* Calls fn(data) in a child process, so that it may change its namespaces. *data (at most CHILD_DATA_MAX bytes) is copied
 * back from it. The child inherits only stdin, stdout and stderr. Returns what fn returned; -ETIMEDOUT after usec, -ECHILD if the
 * child died, or another negative errno. */
int child_run(int (*fn)(void *data), void *data, size_t size, uint64_t usec);

/* The same without waiting for it. fn returns 0 or a negative errno. The pid, for child_take(); negative errno. */
pid_t child_start(int (*fn)(void *data), void *data);

/* Waits at most usec for a child of child_start() to end. 0: *ret_result is what fn returned, -ECHILD if it died; -ETIMEDOUT: it goes
 * on. */
int child_take(pid_t pid, uint64_t usec, int *ret_result);

/* Waits for a child to exit, and kills it after usec. 0 with *ret_status as from waitpid(2); -ETIMEDOUT; another negative errno. */
int child_wait(pid_t pid, uint64_t usec, int *ret_status);

/* Kills a child. If the kernel keeps it in a system call for longer than a moment, it stays a zombie until this process exits. */
void child_kill(pid_t pid);

/* Closes all descriptors but those of standard input, output and error, and these two (-1: none). Call it in the child. */
void child_close_others(int keep, int also);

#endif
