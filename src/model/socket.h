/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP sockets as the inventory finds them, and who holds stale ones: sockets that were routed while their
 * device had no scatter-gather or no checksum, and that keep working without though it has them now. State
 * only. */
#ifndef OFFLOADD_SOCKET_H
#define OFFLOADD_SOCKET_H

#include <stdbool.h>

#include "basic/hash.h"
#include "model/feature.h"

#define SOCKET_HOLDERS_MAX 4096
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

/* Stale sockets of one service that leave by one link. */
struct socket_holder {
	struct socket_holder_key {
		uint64_t cgroup;
		uint32_t netns;
		int32_t ifindex;
	} key;
	unsigned sockets;    /* at the last inventory */
	uint64_t since_usec; /* CLOCK_REALTIME of the inventory that found the first; survives a restart by _restore */
	uint64_t hits;	     /* for the caller: its fallback hits when it was flagged */
	feature_set missing;
	struct socket_info samples[SOCKET_SAMPLES];
	unsigned n_samples;
	unsigned round;
	UT_hash_handle hh;
};

struct socket_holders {
	struct socket_holder *holders; /* uthash by key */
	unsigned round;
	uint64_t dropped; /* sockets of holders for which there was no room, since _begin */
};

typedef void (*socket_holder_fn)(const struct socket_holder *holder, void *userdata);

/* One inventory: begin, add each stale connection, end. add: 1 for a holder not known before, 0, -ENOSPC
 * (counted), -ENOMEM. end: tells which holders have none left, forgets them and returns their number. Do not
 * call end after an inventory that failed half-way: call _begin again. */
void socket_holders_begin(struct socket_holders *holders);
int socket_holders_add(struct socket_holders *holders, const struct socket_info *socket,
	const struct socket_features *features, uint64_t now_usec);
unsigned socket_holders_end(struct socket_holders *holders, socket_holder_fn gone, void *userdata);

/* A flag from before a restart of the daemon: keeps its time if the next inventory finds its sockets. */
int socket_holders_restore(struct socket_holders *holders, const struct socket_holder_key *key,
	uint64_t since_usec, uint64_t hits);
struct socket_holder *socket_holders_find(
	const struct socket_holders *holders, const struct socket_holder_key *key);
void socket_holders_clear(struct socket_holders *holders);

#endif
