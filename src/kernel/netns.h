/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which network namespace this process lives in, and where the files of it are: each has its own ledger and
 * its own control socket. */
#ifndef OFFLOADD_NETNS_H
#define OFFLOADD_NETNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Inode of the namespace, 0 where /proc does not tell. */
uint64_t netns_inode(void);

#define NETNS_NAME_LEN 256

/* Is it another one than PID 1 lives in? Who may not look at PID 1 counts as living where it does, unless
 * `ip netns` has a name for this one. name: that name, else the inode in digits. The answer stays the same for
 * as long as this process lives in it, whatever names come and go (`ip netns del` takes the name only). */
bool netns_is_own(char *name, size_t size);

/* Can it be told whether this is the namespace of PID 1? Not by everybody: /proc/1 may be hidden. */
bool netns_is_certain(void);

/* The path as it is for the namespace that PID 1 lives in; for any other the inode is part of the name:
 * /run/x/ledger.json becomes /run/x/ledger-4026532177.json. Who may not look at PID 1 counts as living where
 * it does, unless the namespace has a name (ip-netns(8)). The string is the caller's. 0 or -ENOMEM. */
int netns_path(const char *path, char **ret);

/* Moves the calling process into a network namespace of its own, which is gone when its last process is.
 * with_user: who may not do that takes a user namespace along. 0, negative errno. */
int netns_enter_new(bool with_user);

#endif
