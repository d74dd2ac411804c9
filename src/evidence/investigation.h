/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host that is watched for a while: what its sendfile, its TCP and its CPUs did, what follows from that,
 * and two of these compared. Pure. */
#ifndef OFFLOADD_INVESTIGATION_H
#define OFFLOADD_INVESTIGATION_H

#include "evidence/evidence.h"

#define INVESTIGATION_ROWS_MAX 1024 /* of each list */
#define INVESTIGATION_NAMES_LEN 256
#define INVESTIGATION_FRAMES 24
#define INVESTIGATION_FRAME_LEN 64
#define INVESTIGATION_TEXT_LEN 1024

enum investigation_rate {
	INVESTIGATION_SENDMSG, /* tcp_sendmsg */
	INVESTIGATION_PUSH_ONE,
	INVESTIGATION_WRITE_TIMER,
	INVESTIGATION_SEGMENTED, /* split in software for want of a feature */
	INVESTIGATION_SUMMED,
	INVESTIGATION_COPIED, /* pages or calls that a socket could not take as they are */
	INVESTIGATION_RATES,
};

struct investigation_count {
	bool known;
	uint64_t n;
};

/* Packets or pages that the kernel handled in software, of one service, leaving by one link. */
struct investigation_fallback {
	char service[UNIT_SERVICE_LEN]; /* "" when it came in by another device, or is the kernel's own */
	bool forwarded;
	char link[LINK_NAME_LEN];
	feature_set lacked; /* by the link at any packet; only while it is put together */
	char missing[INVESTIGATION_NAMES_LEN]; /* features; "" when it is not known which */
	bool mended;			       /* it has them all by now */
	bool fixed;			       /* none of them can be changed there */
	uint64_t segmented, summed, copied;
};

/* Sockets of one service that are stale without what their link has. */
struct investigation_stale {
	char service[UNIT_SERVICE_LEN];
	char link[LINK_NAME_LEN];
	char missing[INVESTIGATION_NAMES_LEN];
	unsigned sockets;
};

struct investigation_stack {
	uint64_t count;
	unsigned n;
	char frames[INVESTIGATION_FRAMES][INVESTIGATION_FRAME_LEN]; /* innermost first */
};

struct investigation_cpu {
	unsigned cpu;
	unsigned busy_permille, softirq_permille;
	char most[16];	    /* the soft interrupt that ran most, "" for none */
	uint64_t most_runs;
};

struct investigation_absent {
	char what[32];
	char why[256];
};

struct investigation {
	char kernel[72];
	char unit[UNIT_SERVICE_LEN], only_link[LINK_NAME_LEN]; /* what was asked for; "": all */
	uint64_t elapsed_usec;
	struct investigation_count rates[INVESTIGATION_RATES];
	struct evidence_latency latency;
	bool has_latency, has_sockets; /* they were looked at */
	bool link_gone;		       /* only_link was removed meanwhile */
	uint64_t lost[INVESTIGATION_RATES]; /* of the rates: what has no service and link here, for want of room */
	struct investigation_fallback *fallback;
	struct investigation_stale *stale;
	struct investigation_stack *stacks; /* into tcp_push_one, the most frequent first */
	struct investigation_cpu *cpus;
	struct investigation_absent *absent;
	size_t n_fallback, n_stale, n_stacks, n_cpus, n_absent;
	size_t room_fallback, room_stale, room_stacks, room_cpus, room_absent;
};

void investigation_clear(struct investigation *i);

/* The row of these, a new one where there is none yet. NULL where there is no room or no memory: it is left
 * out. */
struct investigation_fallback *investigation_fallback_row(
	struct investigation *i, const char *service, bool forwarded, const char *link);
struct investigation_stale *investigation_stale_row(
	struct investigation *i, const char *service, const char *link);
/* missing, mended and fixed of a row from what it lacked at its packets and what the link has now (NULL where that is not
 * known). A checksum can be had in several ways: those that the link knows are named. */
void investigation_name_missing(struct investigation_fallback *row, const struct feature_table *table,
	const struct link_features *now);
struct investigation_stack *investigation_add_stack(struct investigation *i);
struct investigation_cpu *investigation_add_cpu(struct investigation *i);
void investigation_add_absent(struct investigation *i, const char *what, const char *why);
/* Equal stacks become one; by frequency. */
void investigation_sort(struct investigation *i);

/* Events a second. */
uint64_t investigation_per_sec(const struct investigation *i, uint64_t n);
const char *investigation_rate_name(enum investigation_rate rate);

enum investigation_verdict {
	INVESTIGATION_DEVICE,	 /* a link lacks what its senders need: repair it */
	INVESTIGATION_RECONNECT, /* sockets are stale: restart the service */
	INVESTIGATION_DISK,	 /* sendfile waits for data */
	INVESTIGATION_RECEIVER,	 /* sendfile waits for the receiver */
	INVESTIGATION_WELL,	 /* nothing of all that */
	INVESTIGATION_BLIND,	 /* some of what would have told could not be seen; beside others, too */
};

struct investigation_finding {
	enum investigation_verdict verdict;
	char service[UNIT_SERVICE_LEN], link[LINK_NAME_LEN]; /* "" where it is about none */
	uint64_t cost_usec; /* of sendfile's time, that it explains */
	char text[INVESTIGATION_TEXT_LEN];
};

/* As in the document: "device", "reconnect", ... */
const char *investigation_verdict_name(enum investigation_verdict verdict);

/* What follows from the evidence, the most costly first; always at least one. The array is the caller's to
 * free. 0 or -ENOMEM. */
int investigation_judge(
	const struct investigation *i, struct investigation_finding **ret, size_t *ret_n);

/* All histograms of a service put together, whether it fell back or not; NULL service: of all. */
void investigation_sum_latency(
	const struct investigation *i, const char *service, struct evidence_latency_row *ret);

/* One number of two investigations. */
struct investigation_metric {
	char what[UNIT_SERVICE_LEN + 32];
	bool known, usec; /* on both sides; a time, else how often a second, or how many */
	const char *why;  /* where it is known on both sides and must not be compared all the same; else NULL */
	uint64_t a, b;
};

/* sendfile's medians (in all, and of each service of a), what came with each call, rates, stale connections.
 * The array is the caller's to free. 0 or -ENOMEM. */
int investigation_compare(const struct investigation *a, const struct investigation *b,
	struct investigation_metric **ret, size_t *ret_n);

#endif
