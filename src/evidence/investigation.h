/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host that is watched for a while: the evidence of that time, how often TCP functions ran, the ways into one of them, and its CPUs;
 * and two of these compared. What follows from it is in diagnose.h. Pure. */
#ifndef OFFLOADD_INVESTIGATION_H
#define OFFLOADD_INVESTIGATION_H

#include "evidence/evidence.h"

#define INVESTIGATION_LIST_MAX 1024 /* stacks, CPUs */
#define INVESTIGATION_FRAME_LEN 64

/* How often: functions by enum rate_kind, and after them what was done in software. */
enum investigation_rate {
	INVESTIGATION_SEGMENTED = RATE_KINDS,
	INVESTIGATION_SUMMED,
	INVESTIGATION_COPIED, /* pages or calls that a socket could not take as they are */
	INVESTIGATION_RATES,
};

struct investigation_count {
	bool known;
	uint64_t n;
	uint64_t lost; /* of them: what has no service and link in the evidence, for want of room */
};

struct investigation_stack {
	uint64_t count;
	unsigned n;
	char frames[STACK_DEPTH][INVESTIGATION_FRAME_LEN]; /* innermost first */
};

struct investigation_cpu {
	unsigned cpu;
	unsigned busy_permille, softirq_permille;
	char most[16];	    /* the soft interrupt that ran most, "" for none */
	uint64_t most_runs;
};

struct investigation {
	struct evidence evidence; /* probes: also those of the rates */
	char kernel[72];
	char unit[UNIT_SERVICE_LEN], only_link[LINK_NAME_LEN]; /* what was asked for; "": all */
	uint64_t elapsed_usec;
	bool link_gone; /* only_link was removed meanwhile */
	struct investigation_count rates[INVESTIGATION_RATES];
	struct investigation_stack *stacks; /* into tcp_push_one, the most frequent first */
	struct investigation_cpu *cpus;
	size_t n_stacks, n_cpus;
};

void investigation_clear(struct investigation *i);

/* A new element that is zero; NULL where there is no room or no memory: it is left out. */
struct investigation_stack *investigation_add_stack(struct investigation *i);
struct investigation_cpu *investigation_add_cpu(struct investigation *i);
/* Equal stacks become one; by frequency. The evidence, too. */
void investigation_sort(struct investigation *i);

/* Events a second. */
uint64_t investigation_per_sec(const struct investigation *i, uint64_t n);
/* "tcp_sendmsg", ...: of functions and of fallback, as in documents. */
const char *investigation_rate_name(unsigned rate);
/* The rate that counts this kind. */
enum investigation_rate investigation_rate_of(enum fallback_kind kind);

/* ---- two of them ---- */

enum investigation_measure {
	INVESTIGATION_MEDIAN,	  /* of sendfile, in usec: of a service, or with service "" of all together */
	INVESTIGATION_PER_CALL,	  /* of a rate for each call of sendfile */
	INVESTIGATION_PER_SECOND, /* of a rate */
	INVESTIGATION_STALE,	  /* connections */
	INVESTIGATION_MEASURES,
};

/* Why two numbers are not of the same thing. */
enum investigation_difference {
	INVESTIGATION_SAME,
	INVESTIGATION_PAGES_OR_CALLS, /* Linux counts copied pages up to 6.4, calls from 6.5 on */
	INVESTIGATION_SENDFILE_COUNTED, /* from 6.5 on sendfile is counted in tcp_sendmsg */
	INVESTIGATION_DIFFERENCES,
};

/* One number of two investigations. */
struct investigation_metric {
	enum investigation_measure measure;
	char service[UNIT_SERVICE_LEN];
	unsigned rate; /* of PER_CALL and PER_SECOND */
	bool known;    /* on both sides, and the same thing */
	enum investigation_difference difference;
	uint64_t a, b;
	/* Of a MEDIAN: worth a sentence. All services together, which is a mixture, only where no service is known on both sides. */
	bool headline;
};

/* How many times as much the larger of a and b is, as a factor from 1 on; 1 where a median, which is known to a slot of its histogram,
 * does not show that they differ. Both are greater than 0. */
double investigation_factor(const struct investigation_metric *m);

/* sendfile's medians (in all, and of each service of a), what came with each call, rates, stale connections.
 * The array is the caller's to free. 0 or -ENOMEM. */
int investigation_compare(const struct investigation *a, const struct investigation *b,
	struct investigation_metric **ret, size_t *ret_n);

#endif
