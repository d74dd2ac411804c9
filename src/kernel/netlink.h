/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What rtnl.c and ethtool_nl.c share below their libraries. */
#ifndef OFFLOADD_NETLINK_H
#define OFFLOADD_NETLINK_H

#include <stddef.h>

/* One datagram of a netlink socket. Its length; 0 for one from anybody but the kernel, as every process may
 * send some. -EMSGSIZE when it did not fit, -EAGAIN when there is none, -ENOBUFS when the kernel dropped
 * some (netlink_overrun()), other negative errno. */
int netlink_receive(int fd, void *buffer, size_t size);

#define NETLINK_BATCH 8 /* datagrams that one system call reads */

/* Reads all that waits in a socket that does not block, and calls take for each datagram of the kernel's. The buffer is
 * NETLINK_BATCH * size bytes; a datagram has size of them. 0, negative errno; -ENOBUFS when some were dropped or did not fit:
 * what was read after the gap is not given to take. */
int netlink_drain(int fd, char *buffer, size_t size,
	void (*take)(void *datagram, int len, void *userdata), void *userdata);

#endif
