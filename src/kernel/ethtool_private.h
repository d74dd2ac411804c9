/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two backends, for ethtool.c; and the ioctls that the netlink backend needs. ethtool.c calls
 * ethtool_nl.c, and both call ethtool_ioctl.c. */
#ifndef OFFLOADD_ETHTOOL_PRIVATE_H
#define OFFLOADD_ETHTOOL_PRIVATE_H

#include "kernel/ethtool.h"

/* requests: open a socket for requests; monitor: open one that joins the kernel's "monitor" group. At least
 * one of them is true. rcvbuf_bytes: see ethtool_open(). *ret: the caller's to ethtool_close(). 0;
 * -EOPNOTSUPP if the kernel has no ethtool netlink, or none with features (before 5.7); other negative
 * errno. */
int ethtool_nl_open(bool requests, bool monitor, size_t rcvbuf_bytes, const struct netns_sockets *sockets, struct ethtool **ret);

/* A backend without notifications. sockets: as above. *ret: the caller's to ethtool_close(). 0, negative errno. */
int ethtool_ioctl_open(const struct netns_sockets *sockets, struct ethtool **ret);

/* A socket for ethtool ioctls, the caller's to close; negative errno. */
int ethtool_ioctl_socket(const struct netns_sockets *sockets);
/* As ethtool_features_recompute() and ethtool_info(), on such a socket. */
int ethtool_ioctl_recompute(int fd, int ifindex, const char *name);
int ethtool_ioctl_info(int fd, int ifindex, struct ethtool_info *ret);

#endif
