/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands about software fallback show, whatever the form: the sockets of an inventory with the
 * names of their links and services, and how long sendfile took. Pure. */
#ifndef OFFLOADD_EVIDENCE_H
#define OFFLOADD_EVIDENCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/feature.h"
#include "model/link.h"
#include "model/socket.h"
#include "model/unit.h"

#define EVIDENCE_COMM_LEN 16
#define EVIDENCE_SLOTS 32 /* slot n: 2^n <= usec < 2^(n+1); the first also 0, the last also what is above */

struct evidence_socket {
	struct socket_info info;
	feature_set missing;	    /* what it is without though its device has it; empty: not stale */
	char link[LINK_NAME_LEN];   /* "" without a route */
	char *service;		    /* owned */
	pid_t pid;		    /* of a process that holds it; 0: none, or not ours to see */
	char comm[EVIDENCE_COMM_LEN];
	bool has_age;
	uint64_t age_sec; /* of that process: the kernel does not know when a connection began */
};

struct evidence_sockets {
	const struct feature_table *features;
	struct evidence_socket *rows;
	size_t n, room;
	bool all;	  /* also those that are not stale */
	uint64_t visited; /* how many the inventory looked at */
};

/* Takes the row over; -ENOMEM leaves it to the caller. */
int evidence_sockets_add(struct evidence_sockets *sockets, const struct evidence_socket *row);
/* By link, service, local and remote address. */
void evidence_sockets_sort(struct evidence_sockets *sockets);
size_t evidence_sockets_stale(const struct evidence_sockets *sockets);
void evidence_sockets_clear(struct evidence_sockets *sockets);

/* "ESTABLISHED" of a TCP state. */
const char *evidence_state_name(unsigned state);

struct evidence_latency_row {
	char service[UNIT_SERVICE_LEN];
	bool fallback; /* by a socket or over a device that copies, splits or sums in software */
	uint64_t calls, total_usec;	     /* the time of those included that still run */
	uint64_t running, longest_usec;	     /* calls that have not returned yet, and how long the oldest of them runs */
	uint64_t disk_usec, peer_usec; /* of it asleep until data was read, and until the receiver made room */
	uint64_t slots[EVIDENCE_SLOTS];
};

struct evidence_latency {
	struct evidence_latency_row *rows;
	size_t n, room;
	bool has_waits;	       /* disk_usec and peer_usec are known */
	uint64_t elapsed_usec; /* during which they were counted */
	uint64_t lost;	       /* calls that did not fit */
	uint64_t begun;	       /* that returned, and had begun before anybody looked */
};

/* Adds to the row of that service and kind. -ENOMEM. */
int evidence_latency_add(struct evidence_latency *latency, const struct evidence_latency_row *row);
/* By service, what falls back first. */
void evidence_latency_sort(struct evidence_latency *latency);
void evidence_latency_clear(struct evidence_latency *latency);

/* The time below which `permille` of the calls are, in microseconds, taken as spread evenly within their
 * slot. 0 without calls. */
uint64_t evidence_quantile(const uint64_t slots[EVIDENCE_SLOTS], unsigned permille);

/* How many percent, 0 to 100, of what may be 0. */
unsigned evidence_percent(uint64_t part, uint64_t whole);

#endif
