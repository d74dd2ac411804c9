/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Evidence from the kernel: software fallback, stale connections, sendfile latency, and the probes that observed them. One
 * struct, filled by the tracker of the daemon, by commands that read the kernel themselves (collect.h), or from a document.
 * services, sockets, latency, investigate, the metrics and the report are views of it. Pure. */
#ifndef OFFLOADD_EVIDENCE_H
#define OFFLOADD_EVIDENCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/kinds.h"
#include "model/feature.h"
#include "model/link.h"
#include "model/link_state.h"
#include "model/remedy.h"
#include "model/socket.h"
#include "model/unit.h"

#define EVIDENCE_ROWS_MAX 1024 /* of fallback, and of stale; further rows are only counted */
#define EVIDENCE_PROBES_MAX 24
#define EVIDENCE_BY_PROCESS "sendpage by process" /* the probe for kernels without BTF, which cannot read cgroups */
#define EVIDENCE_NOW_USEC (UINT64_C(10) * 1000 * 1000) /* fallback with a hit within this time is current */

/* ---- kinds ---- */

/* "sendpage", "splice", "segmentation", "checksum"; "local", "forwarded", "kernel": as in documents and metrics. Static. */
const char *evidence_kind_name(enum fallback_kind kind);
const char *evidence_origin_name(enum fallback_origin origin);
/* "unknown", "feature", "xdp", "size-limit", "ipv4-size-limit", "segments-limit", "vlan", "encapsulation", "headers", "driver",
 * "mtu", "qdisc", "forced", "stale". Static. */
const char *evidence_reason_name(enum fallback_reason reason);
/* The inverse; FALLBACK_KINDS and FALLBACK_ORIGINS for unknown names, and FALLBACK_REASON_UNKNOWN for a reason that only a newer
 * offloadd knows, or NULL. */
enum fallback_kind evidence_kind_parse(const char *name);
enum fallback_origin evidence_origin_parse(const char *name);
enum fallback_reason evidence_reason_parse(const char *name);
/* Is it a limit of the link (struct evidence_fallback: limit, largest), which `ip link set` changes? */
static inline bool evidence_is_limit(enum fallback_reason reason)
{
	return reason == FALLBACK_REASON_SIZE || reason == FALLBACK_REASON_IPV4_SIZE || reason == FALLBACK_REASON_SEGMENTS ||
	       reason == FALLBACK_REASON_MTU;
}
/* Is it requested on purpose, whatever the link has? Then it is counted and shown, but it is not an event. */
static inline bool evidence_is_intended(enum fallback_reason reason)
{
	return reason == FALLBACK_REASON_QDISC || reason == FALLBACK_REASON_FORCED;
}
/* Is it a copy by the socket (not segmentation or a checksum)? Then connections may stay stale after the link was repaired. */
static inline bool evidence_is_by_socket(enum fallback_kind kind)
{
	return kind == FALLBACK_SENDPAGE || kind == FALLBACK_SPLICE;
}

/* Is it counted in the context of the sending process, and not where the packet is transmitted? */
static inline bool evidence_is_by_process(enum fallback_kind kind)
{
	return evidence_is_by_socket(kind) || kind == FALLBACK_UDP;
}

/* ---- fallback ---- */

struct evidence_hits {
	uint64_t n;	    /* packets; copied pages for SENDPAGE; calls for SPLICE */
	uint64_t idle_usec; /* since the last hit, at most one second too long; or EVIDENCE_IDLE_UNKNOWN */
	bool now;	    /* the last hit was within EVIDENCE_NOW_USEC */
};
#define EVIDENCE_IDLE_UNKNOWN UINT64_MAX

/* Software fallback for one sender on one link, for one reason. */
struct evidence_fallback {
	enum fallback_origin origin;
	enum fallback_reason reason;
	char service[UNIT_SERVICE_LEN]; /* of FALLBACK_SOCKET; "" for none */
	char link[LINK_NAME_LEN];	/* printable; "" if it is unknown or in another network namespace */
	int ifindex;			/* 0 then */
	const char *verdict;		/* of the link, NULL if no rule applies to it; static */
	struct evidence_hits hits[FALLBACK_KINDS];
	feature_set lacked; /* features that the link did not have at a hit; for a checksum all that would have avoided it */
	bool any_protocol; /* copies: some may be of a protocol other than TCP, because the kernel function serves several */
	uint32_t limit, largest; /* of evidence_is_limit(): the limit of the link, and the largest packet; bytes, or segments */
	/* Set by evidence_set_missing(), 0 unless the reason is FALLBACK_REASON_FEATURE: */
	feature_set missing;		/* the features that the sender lacks or lacked; 0 if unknown */
	bool has_again, unsupported;	/* the link has regained all of them; it can change none of them */
	enum remedy remedy;		/* by evidence_find_remedy() */
};

/* ---- stale connections ---- */

/* Why one service must reconnect or restart: its stale connections on one link, and its processes that gave up UDP segmentation there. Without an inventory of sockets, link is "": see lingering.h. */
struct evidence_stale {
	struct unit unit;
	char service[UNIT_SERVICE_LEN];
	char link[LINK_NAME_LEN];
	int ifindex;
	unsigned sockets;    /* 0: unknown, because they were inferred from copies; or none, if there are senders */
	unsigned senders;    /* processes that gave up UDP segmentation while the link lacked checksums: see gave_up.h */
	uint64_t since_usec; /* CLOCK_REALTIME of the first inventory with one of them */
	uint64_t hits;	     /* fallback hits since then */
	feature_set missing;
	struct socket_info samples[SOCKET_SAMPLES];
	unsigned n_samples;
};

/* Does it have stale connections, and not only senders? */
static inline bool evidence_has_connections(const struct evidence_stale *row)
{
	return row->sockets || !row->senders;
}

/* One connection, stale or not. */
struct evidence_socket {
	struct socket_info info;
	feature_set missing;	  /* the features that it lacks although its device has them; 0: not stale */
	char link[LINK_NAME_LEN]; /* "" without a route */
	char *service;		  /* owned */
	pid_t pid;		  /* of a process that has it open; 0: none, or not visible to us */
	char comm[EVENT_COMM_LEN];
	bool has_age;
	uint64_t age_sec; /* of that process: the kernel does not store when a connection was established */
};

/* ---- sendfile latency ---- */

struct evidence_latency_row {
	char service[UNIT_SERVICE_LEN];
	bool fallback; /* the socket or its device used software fallback */
	uint64_t calls, total_usec;    /* total_usec includes the time so far of calls that are still running */
	uint64_t running, longest_usec; /* calls that are still running, and the time so far of the longest */
	uint64_t disk_usec, peer_usec; /* the part of total_usec asleep until data was read, and until the send buffer had room */
	uint64_t slots[LATENCY_SLOTS]; /* as described at LATENCY_SLOTS */
};

struct evidence_latency {
	struct evidence_latency_row *rows;
	size_t n;
	bool has_waits;	       /* disk_usec and peer_usec are known */
	uint64_t elapsed_usec; /* how long they were counted */
	uint64_t lost;	       /* calls that are in no row, because a map in the kernel was full */
	uint64_t begun;	       /* calls that returned, but had started before the counting */
};

/* ---- everything ---- */

struct evidence_probe {
	const char *name, *function; /* all strings are borrowed, and must outlive the evidence */
	const char *method;	     /* NULL: absent */
	const char *why;	     /* the reason why it is absent, otherwise NULL */
	bool fixable;		     /* absent, but not because of this kernel */
};

struct evidence {
	struct feature_table features; /* of every feature_set below; a document has its own */
	bool has_fallback, has_sockets, has_latency; /* it was observed */
	bool has_lingering; /* without has_sockets: stale connections were inferred from copies (lingering.h); those of processes that do not copy are not seen */
	char lacking[LINK_NAME_LEN]; /* an interface without scatter-gather or checksums, because of which nothing could be inferred; "" for none */
	struct evidence_fallback *fallback;
	size_t n_fallback;
	struct evidence_stale *stale;
	size_t n_stale;
	uint16_t *fallback_slots, *stale_slots; /* the rows by a hash of their names, see evidence.c; NULL: not made yet */
	struct evidence_socket *sockets; /* only for `offloadctl sockets` */
	size_t n_sockets;
	bool all_sockets;	/* sockets include those that are not stale */
	uint64_t visited;	/* sockets that the inventory read */
	uint64_t udp_undecided; /* processes whose UDP segmentation was refused, and that have sent too little since to decide whether they gave up */
	uint64_t sockets_dropped; /* stale connections in no row: beyond STALE_MAX services, or EVIDENCE_ROWS_MAX rows */
	struct evidence_latency latency;
	struct evidence_probe probes[EVIDENCE_PROBES_MAX]; /* without those for other kernels only */
	size_t n_probes;
	size_t omitted;		/* rows of fallback and stale that were dropped: EVIDENCE_ROWS_MAX */
	uint64_t lost[FALLBACK_KINDS]; /* hits that are in no row, because a map in the kernel was full */
	uint64_t lost_idle_usec; /* since the last hit in no row, lost or omitted, or EVIDENCE_IDLE_UNKNOWN; without one it means nothing */
	uint64_t elsewhere[FALLBACK_KINDS]; /* hits that are in no row, because they are in other network namespaces */
};

/* Frees what it owns, and sets it to zero. */
void evidence_clear(struct evidence *e);

/* Finds or adds the row of these. NULL, counted in omitted, if there are EVIDENCE_ROWS_MAX rows or no memory. Valid until the
 * next row is added. */
struct evidence_fallback *evidence_fallback_row(struct evidence *e, enum fallback_origin origin, enum fallback_reason reason,
	const char *service, const char *link);
struct evidence_stale *evidence_stale_row(struct evidence *e, const char *service, const char *link);
/* Adds to the row of the same service and link. A service with two cgroups has one row. */
void evidence_add_stale(struct evidence *e, const struct evidence_stale *row);
/* Takes ownership of row->service. 0; -ENOMEM: it stays the caller's. */
int evidence_add_socket(struct evidence *e, const struct evidence_socket *row);
/* Beyond EVIDENCE_PROBES_MAX it is dropped. */
void evidence_add_probe(struct evidence *e, const struct evidence_probe *probe);
/* The set of this feature, which is added to e->features if it is missing; 0 if that is full. For readers of documents. */
feature_set evidence_add_feature(struct evidence *e, const char *name);

/* Sets missing, has_again and unsupported from row->lacked and the current features of the link (NULL: unknown). Several
 * features provide a checksum: missing has those of them that the link supports. */
void evidence_set_missing(struct evidence_fallback *row, const struct feature_table *table, const struct link_features *now);

/* Sorts fallback by hits, the most first; sockets by link, service, local and remote address; latency by
 * evidence_latency_sort(). */
void evidence_sort(struct evidence *e);

/* All hits of a row. */
uint64_t evidence_sum_hits(const struct evidence_fallback *row);
/* Hits of SENDPAGE and SPLICE. */
uint64_t evidence_sum_copied(const struct evidence_fallback *row);

/* ---- conclusions ---- */

/* The row of stale connections of this service and link, or NULL. Not one of senders alone. */
const struct evidence_stale *evidence_find_stale(const struct evidence *e, const char *service, const char *link);
/* The first row of this service, for any link, or NULL. */
const struct evidence_stale *evidence_find_service(const struct evidence *e, const char *service);
/* The number of senders that use software fallback now, once for each kind. Those with stale connections count, too. */
size_t evidence_count_now(const struct evidence *e);
/* Stale connections in e->stale, and in e->sockets. */
uint64_t evidence_count_stale(const struct evidence *e);
size_t evidence_count_stale_sockets(const struct evidence *e);

/* Kinds of fallback that this kernel has and that are not observed: a set of 1 << kind, from the probes. */
unsigned evidence_unobserved(const struct evidence *e);
/* Was a hit within this time that is in no row, because a map in the kernel was full, or there are too many rows? */
bool evidence_lost_within(const struct evidence *e, uint64_t usec);
/* Is every stale connection, and every hit within EVIDENCE_NOW_USEC, in a row? Otherwise that nothing else uses software fallback now is not
 * known. What was lost before does not matter for that. */
bool evidence_is_complete(const struct evidence *e);
/* Is every service in e->stale that needs a restart? Otherwise that no other one does is not known. */
bool evidence_sees_restart(const struct evidence *e);
/* How the fallback of a sender ends. result: how its link matches the rules (NULL: no rule applies to it). stale: its service has stale
 * connections. Call it after evidence_set_missing(). */
enum remedy evidence_find_remedy(const struct evidence_fallback *row, const struct link_result *result, bool stale);
/* Sets remedy and verdict of a row. */
void evidence_set_remedy(const struct evidence *e, struct evidence_fallback *row, const struct link_result *result);

/* ---- latency ---- */

/* Adds to the row with the same service and `fallback`. 0 or -ENOMEM. */
int evidence_latency_add(struct evidence_latency *latency, const struct evidence_latency_row *row);
/* By service, with fallback first. */
void evidence_latency_sort(struct evidence_latency *latency);
void evidence_latency_clear(struct evidence_latency *latency);
/* The sum of all rows of a service (NULL: of all services). *ret has no service. */
void evidence_latency_sum(const struct evidence_latency *latency, const char *service, struct evidence_latency_row *ret);

/* A quantile in microseconds: 500 permille is the median. The calls of a slot count as evenly distributed. 0 without calls. */
uint64_t evidence_quantile(const uint64_t slots[LATENCY_SLOTS], unsigned permille);

/* 100 * part / whole, rounded, at most 100; 0 if whole is 0. */
unsigned evidence_percent(uint64_t part, uint64_t whole);

#endif
