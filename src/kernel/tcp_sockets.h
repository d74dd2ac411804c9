/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The TCP sockets of this network namespace from /proc/net: for kernels whose sockets no probe can read. */
#ifndef OFFLOADD_TCP_SOCKETS_H
#define OFFLOADD_TCP_SOCKETS_H

#include "model/socket.h"

/* Calls fn for each established socket. Only family, state, inode, addresses and ports are known. fn returns nonzero to stop. 0, that
 * value, or negative errno. */
int tcp_sockets_read(int (*fn)(const struct socket_info *socket, void *userdata), void *userdata);

/* Parses one line of /proc/net/tcp (AF_INET) or /proc/net/tcp6 (AF_INET6). 0, -EBADMSG. */
int tcp_sockets_parse(const char *line, uint16_t family, struct socket_info *ret);

#endif
