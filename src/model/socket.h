/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP sockets, as the inventory finds them. A socket is stale if it was routed while its link lacked
 * scatter-gather or checksums, and still does not use them although the link has regained them. Pure. */
#ifndef OFFLOADD_SOCKET_H
#define OFFLOADD_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

#include "model/feature.h"

#define SOCKET_SAMPLES 4
#define SOCKET_ADDRESS_LEN 64 /* "[ipv6]:port" with its terminator */

struct socket_info {
	uint64_t cgroup; /* id in the unified hierarchy; 1: its root, 0: none */
	uint64_t inode;	 /* 0: no process holds it: it is orphaned, or waits to be accepted */
	feature_set route_caps; /* sk_route_caps */
	feature_set device_features; /* active now on the link of its route; empty without a route */
	uint32_t netns;
	int ifindex; /* of its route, 0: none */
	uint32_t gso_max_size; /* the longest packet that it sends, decided when it was routed; 0: not known */
	uint16_t family, local_port, remote_port;
	uint8_t state;		       /* TCP_ESTABLISHED, ... */
	bool expired; /* its next packet is routed again and uses what the link has then; IPv4 only */
	uint8_t local[16], remote[16]; /* network byte order; IPv4 in the first four bytes */
};

/* The features that make a socket stale, as bits of the running kernel. */
struct socket_features {
	feature_set sg, csum;
};
void socket_features_init(const struct feature_table *table, struct socket_features *ret);

/* The features that the link has and the socket lacks: of sg (it has no scatter-gather) and of csum (it has
 * no checksum at all). Empty: not stale, or only until its next packet. */
feature_set socket_stale(const struct socket_info *socket, const struct socket_features *features);

/* Is it established, and waits to be accepted? Only without an inode. */
bool socket_waits(const struct socket_info *socket);

/* Formats an address (network byte order) and a port (host byte order): "10.9.0.1:5002", "[fe80::1]:443".
 * Returns buf. */
const char *socket_format_address(
	uint16_t family, const uint8_t *address, uint16_t port, char *buf, size_t size);

/* The name of a TCP state, "ESTABLISHED"; "UNKNOWN" for others. Static. */
const char *socket_state_name(unsigned state);

#endif
