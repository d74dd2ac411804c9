/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP sockets as the inventory finds them, and which of them are stale: routed while their device had no scatter-gather or no
 * checksum, and still without though it has them now. Pure. */
#ifndef OFFLOADD_SOCKET_H
#define OFFLOADD_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

#include "model/feature.h"

#define SOCKET_SAMPLES 4
#define SOCKET_ADDRESS_LEN 64 /* "[ipv6]:port" with its terminator */

struct socket_info {
	uint64_t cgroup; /* id in the unified hierarchy, 1 its root, 0 none */
	uint64_t inode;	 /* 0 when no process holds it any more */
	feature_set route_caps;
	feature_set device_features; /* of the device it leaves by, now; empty without a route */
	uint32_t netns;
	int ifindex; /* 0 without a route */
	uint16_t family, local_port, remote_port;
	uint8_t state;		       /* TCP_ESTABLISHED, ... */
	bool expired; /* its next packet is routed anew, and gets what the device has then; IPv4 only */
	uint8_t local[16], remote[16]; /* network order; IPv4 in the first four bytes */
};

/* What decides about a socket, from the running kernel's table. */
struct socket_features {
	feature_set sg, csum;
};
void socket_features_init(const struct feature_table *table, struct socket_features *ret);

/* What the socket is without though its device has it: a subset of sg (stale without scatter-gather) and of
 * csum (stale without any checksum). Empty: not stale, or no longer with its next packet. */
feature_set socket_stale(const struct socket_info *socket, const struct socket_features *features);

/* "10.9.0.1:5002", "[fe80::1]:443". Returns buf. */
const char *socket_format_address(
	uint16_t family, const uint8_t *address, uint16_t port, char *buf, size_t size);

/* "ESTABLISHED" of a TCP state. */
const char *socket_state_name(unsigned state);

#endif
