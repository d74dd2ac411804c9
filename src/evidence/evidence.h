/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel does instead of the devices: software fallback, stale connections, how long sendfile takes, and which probes saw
 * it. One struct, filled by the tracker of the daemon, by commands that ask the kernel themselves (collect.h), or from a document;
 * services, sockets, latency, investigate, the metrics and the report are views of it. Pure. */
#ifndef OFFLOADD_EVIDENCE_H
#define OFFLOADD_EVIDENCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/kinds.h"
#include "model/feature.h"
#include "model/link.h"
#include "model/socket.h"
#include "model/unit.h"

#define EVIDENCE_ROWS_MAX 1024 /* of fallback and of stale; what does not fit is counted */
#define EVIDENCE_PROBES_MAX 24
#define EVIDENCE_NOW_USEC (UINT64_C(10) * 1000 * 1000) /* a hit within this is of now */

/* ---- kinds ---- */

/* "sendpage", "splice", "segmentation", "checksum"; "local", "forwarded", "kernel": as in documents and metrics. Static. */
const char *evidence_kind_name(enum fallback_kind kind);
const char *evidence_origin_name(enum fallback_origin origin);
/* FALLBACK_KINDS, FALLBACK_ORIGINS for other names. */
enum fallback_kind evidence_kind_parse(const char *name);
enum fallback_origin evidence_origin_parse(const char *name);
/* Does the socket copy? Then its connections may stay stale after a repair of the link. */
static inline bool evidence_is_by_socket(enum fallback_kind kind)
{
	return kind == FALLBACK_SENDPAGE || kind == FALLBACK_SPLICE;
}

/* ---- fallback ---- */

struct evidence_hits {
	uint64_t n;	    /* packets, or pages and calls for what a socket copies */
	uint64_t idle_usec; /* since the last one, up to a second too many; EVIDENCE_IDLE_UNKNOWN */
	bool now;	    /* the last one is recent */
};
#define EVIDENCE_IDLE_UNKNOWN UINT64_MAX

/* What the kernel did in software for one sender that leaves by one link. */
struct evidence_fallback {
	enum fallback_origin origin;
	char service[UNIT_SERVICE_LEN]; /* of FALLBACK_SOCKET; "" where no service is charged */
	char link[LINK_NAME_LEN];	/* printable; "" where it is not known or of another network namespace */
	int ifindex;			/* 0 then */
	const char *verdict;		/* of the link, NULL where no rule applies to it; static */
	struct evidence_hits hits[FALLBACK_KINDS];
	feature_set lacked; /* by the link at any of them; of a checksum all ways to have it */
	/* By evidence_set_missing(): */
	feature_set missing;		/* what the sender goes or went without; empty where that is not known */
	bool has_again, unsupported;	/* the link has all of it by now; none of it can be changed there */
};

/* ---- stale connections ---- */

/* Those of one service that leave by one link. */
struct evidence_stale {
	struct unit unit;
	char service[UNIT_SERVICE_LEN];
	char link[LINK_NAME_LEN];
	int ifindex;
	unsigned sockets;
	uint64_t since_usec; /* CLOCK_REALTIME of the inventory that found the first */
	uint64_t hits;	     /* fallback hits since then */
	feature_set missing;
	struct socket_info samples[SOCKET_SAMPLES];
	unsigned n_samples;
};

/* One connection, stale or not. */
struct evidence_socket {
	struct socket_info info;
	feature_set missing;	  /* what it is without though its device has it; empty: not stale */
	char link[LINK_NAME_LEN]; /* "" without a route */
	char *service;		  /* owned */
	pid_t pid;		  /* of a process that holds it; 0: none, or not ours to see */
	char comm[EVENT_COMM_LEN];
	bool has_age;
	uint64_t age_sec; /* of that process: the kernel does not know when a connection began */
};

/* ---- sendfile's latency ---- */

struct evidence_latency_row {
	char service[UNIT_SERVICE_LEN];
	bool fallback; /* by a socket or over a device that copies, splits or sums in software */
	uint64_t calls, total_usec;    /* the time of those included that still run */
	uint64_t running, longest_usec; /* calls that have not returned yet, and how long the oldest of them runs */
	uint64_t disk_usec, peer_usec; /* of it asleep until data was read, and until the receiver made room */
	uint64_t slots[LATENCY_SLOTS]; /* slot n: 2^n <= usec < 2^(n+1); the first also 0, the last also what is above */
};

struct evidence_latency {
	struct evidence_latency_row *rows;
	size_t n;
	bool has_waits;	       /* disk_usec and peer_usec are known */
	uint64_t elapsed_usec; /* during which they were counted */
	uint64_t lost;	       /* calls that did not fit */
	uint64_t begun;	       /* that returned, and had begun before the counting */
};

/* ---- all of it ---- */

struct evidence_probe {
	const char *name, *function; /* whose strings these are keeps them as long as the evidence */
	const char *method;	     /* NULL: absent */
	const char *why;	     /* of absent; else NULL */
};

struct evidence {
	struct feature_table features; /* of every set in here; a document brings its own */
	bool has_fallback, has_sockets, has_latency; /* it was looked for */
	struct evidence_fallback *fallback;
	size_t n_fallback;
	struct evidence_stale *stale;
	size_t n_stale;
	struct evidence_socket *sockets; /* only for those who want them one by one */
	size_t n_sockets;
	bool all_sockets;	/* also those that are not stale */
	uint64_t visited;	/* how many the inventory read */
	uint64_t sockets_dropped; /* stale connections of services for which there was no room */
	struct evidence_latency latency;
	struct evidence_probe probes[EVIDENCE_PROBES_MAX]; /* without those that only other kernels have */
	size_t n_probes;
	size_t left_out;		/* rows of fallback and of stale for which there was no room */
	uint64_t lost[FALLBACK_KINDS]; /* hits that no row has, for want of room in the kernel's maps */
};

void evidence_clear(struct evidence *e);

/* The row of these, a new one where there is none yet; NULL, and counted in left_out, where there is no room or no memory. Valid
 * until the next row is made. */
struct evidence_fallback *evidence_fallback_row(
	struct evidence *e, enum fallback_origin origin, const char *service, const char *link);
struct evidence_stale *evidence_stale_row(struct evidence *e, const char *service, const char *link);
/* Adds to the row of that service and link: a service of two cgroups is one to people. */
void evidence_add_stale(struct evidence *e, const struct evidence_stale *row);
/* Takes the row over; -ENOMEM leaves it to the caller. */
int evidence_add_socket(struct evidence *e, const struct evidence_socket *row);
void evidence_add_probe(struct evidence *e, const struct evidence_probe *probe);
/* The set of a name, which becomes part of the table; empty where that is full. For readers of documents. */
feature_set evidence_add_feature(struct evidence *e, const char *name);

/* missing, has_again and unsupported from what the link lacked and what it has now (NULL where that is not known). A checksum is
 * possible in several ways: those that the link has are named. */
void evidence_set_missing(struct evidence_fallback *row, const struct feature_table *table, const struct link_features *now);

/* Fallback with the most hits first; connections by link, service, local and remote address; latency as below. */
void evidence_sort(struct evidence *e);

/* All hits of a row. */
uint64_t evidence_sum_hits(const struct evidence_fallback *row);
/* What a socket copied. */
uint64_t evidence_sum_copied(const struct evidence_fallback *row);

/* ---- what follows ---- */

/* The row of stale connections of that service and link, NULL where there is none. */
const struct evidence_stale *evidence_find_stale(const struct evidence *e, const char *service, const char *link);
/* Its first row, by whatever link. */
const struct evidence_stale *evidence_find_service(const struct evidence *e, const char *service);
/* Does the sender use software fallback of this kind now? What stale connections copy is theirs, and does not count. */
bool evidence_is_now(const struct evidence *e, const struct evidence_fallback *row, enum fallback_kind kind);
size_t evidence_count_now(const struct evidence *e);
uint64_t evidence_count_stale(const struct evidence *e); /* connections */
size_t evidence_count_stale_sockets(const struct evidence *e); /* of those one by one */

/* How a sender's fallback ends. */
enum evidence_end {
	EVIDENCE_END_UNKNOWN,	/* its link is not known */
	EVIDENCE_END_NO_RULE,	/* no rule asks for more of the link: neither a repair nor a restart helps */
	EVIDENCE_END_REPAIR,	/* when the link is repaired */
	EVIDENCE_END_RECONNECT, /* then, and its connections may have to be re-established */
};
enum evidence_end evidence_find_end(const struct evidence *e, const struct evidence_fallback *row);

/* ---- latency ---- */

/* Adds to the row of that service and kind. -ENOMEM. */
int evidence_latency_add(struct evidence_latency *latency, const struct evidence_latency_row *row);
/* By service, what falls back first. */
void evidence_latency_sort(struct evidence_latency *latency);
void evidence_latency_clear(struct evidence_latency *latency);
/* All rows of a service put together, whether it fell back or not; NULL service: of all. */
void evidence_latency_sum(const struct evidence_latency *latency, const char *service, struct evidence_latency_row *ret);

/* The time below which `permille` of the calls are, in microseconds, taken as spread evenly within their
 * slot. 0 without calls. */
uint64_t evidence_quantile(const uint64_t slots[LATENCY_SLOTS], unsigned permille);

/* How many percent, 0 to 100, of what may be 0. */
unsigned evidence_percent(uint64_t part, uint64_t whole);

#endif
