/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two backends offer to ethtool.c, and the ioctl one takes from the netlink one. Nobody else
 * includes this. */
#ifndef OFFLOADD_ETHTOOL_PRIVATE_H
#define OFFLOADD_ETHTOOL_PRIVATE_H

#include "kernel/ethtool.h"

#define ETHTOOL_RCVBUF_BYTES (16u << 20)

/* requests: a socket to ask and set by; monitor: one in the kernel's "monitor" group. At least one of both.
 * -EOPNOTSUPP: the kernel has no ethtool netlink, or none that knows features (before 5.7). */
int ethtool_nl_open(bool requests, bool monitor, size_t rcvbuf_bytes, struct ethtool **ret);

/* monitor: notifications come by netlink where the kernel has that, else there are none. */
int ethtool_ioctl_open(bool monitor, size_t rcvbuf_bytes, struct ethtool **ret);

/* A socket for ethtool ioctls, and what only they can do. */
int ethtool_ioctl_socket(void);
int ethtool_ioctl_recompute(int fd, int ifindex, const char *name);
int ethtool_ioctl_driver(int fd, int ifindex, char *buf, size_t size);

#endif
