/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network namespace of this process, and the paths of its files: each namespace has its own ledger and
 * control socket. */
#ifndef OFFLOADD_NETNS_H
#define OFFLOADD_NETNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The inode of the namespace; 0 if /proc is not available. */
uint64_t netns_inode(void);

#define NETNS_NAME_LEN 256
#define NETNS_SO_COOKIE 71 /* SO_NETNS_COOKIE; the headers of the system may be older */

/* A number that no other network namespace has as long as the kernel runs, unlike the inode: SO_NETNS_COOKIE (Linux
 * 5.14); before that the inode, unless netns_is_own(). 0 if there is no such number. */
uint64_t netns_cookie(void);

/* True if this is not the namespace of PID 1; if that one is hidden, true if this is not the first one of the kernel, or
 * /proc does not show that. name (size bytes) gets the name in ip-netns(8), or the inode in digits. The result does not
 * change while the process is in the namespace, even if `ip netns del` removes the name. */
bool netns_is_own(char *name, size_t size);

/* Is the namespace of PID 1 visible? Not if /proc/1 is hidden. */
bool netns_is_certain(void);

/* The path of a file of this namespace. If netns_is_own(), the inode is added: /run/x/ledger.json becomes
 * /run/x/ledger-4026532177.json; else the path is copied. But if a file whose name has the inode exists,
 * *ret is its path: a process that could not see PID 1 wrote it. *ret is the caller's to free. 0 or -ENOMEM. */
int netns_path(const char *path, char **ret);
/* The same for another namespace: without the inode only if it is that of PID 1. */
int netns_path_of(const char *path, uint64_t inode, char **ret);

/* What netns_inode() and netns_cookie() return in another namespace. */
struct netns_identity {
	uint64_t inode, cookie;
};

/* Sockets in another network namespace. They stay in it, and keep it alive. */
struct netns_sockets {
	int route, generic; /* NETLINK_ROUTE, NETLINK_GENERIC; bound */
	int plain;	    /* AF_UNIX, for ioctls */
};
void netns_close_sockets(struct netns_sockets *sockets);

/* Moves the calling process into a new network namespace, which exists as long as there are processes in it. with_user:
 * without the privilege, also into a new user namespace. 0, negative errno. */
int netns_enter_new(bool with_user);

#endif
