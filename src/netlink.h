/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What rtnl.c and ethtool_nl.c share below their libraries. */
#ifndef OFFLOADD_NETLINK_H
#define OFFLOADD_NETLINK_H

#include <stddef.h>

/* One datagram of a netlink socket. Its length; 0 for one from anybody but the kernel, as every process may
 * send some. -EMSGSIZE when it did not fit, -EAGAIN when there is none, -ENOBUFS when the kernel dropped
 * some (netlink_overrun()), other negative errno. */
int netlink_receive(int fd, void *buffer, size_t size);

#endif
