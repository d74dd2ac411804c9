/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads netlink sockets, for rtnl.c and ethtool_nl.c, which use different libraries. */
#ifndef OFFLOADD_NETLINK_H
#define OFFLOADD_NETLINK_H

#include <stddef.h>

/* Receives one datagram into size bytes. Returns its length, or 0 if it is not from the kernel, because any process may send one. -EMSGSIZE: it was
 * truncated; -EAGAIN: none is pending, or SO_RCVTIMEO passed; -ENOBUFS: the kernel dropped some (netlink_overrun()); other negative errno. */
int netlink_receive(int fd, void *buffer, size_t size);

#define NETLINK_BATCH 8 /* datagrams per system call */

/* Reads all pending datagrams without blocking, and calls take() for each one from the kernel. buffer has NETLINK_BATCH * size bytes, size for each
 * datagram. 0; -ENOBUFS: some were dropped or truncated, and those after them are discarded; other negative errno. */
int netlink_drain(int fd, char *buffer, size_t size,
	void (*take)(void *datagram, int len, void *userdata), void *userdata);

#endif
