/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The observation of a host for some time: the evidence, how often TCP functions ran, call stacks of tcp_push_one(), and CPU
 * usage; and the comparison of two observations. The conclusions are in diagnose.h. Pure. */
#ifndef OFFLOADD_INVESTIGATION_H
#define OFFLOADD_INVESTIGATION_H

#include "evidence/evidence.h"

#define INVESTIGATION_LIST_MAX 1024 /* of stacks, and of CPUs */
#define INVESTIGATION_FRAME_LEN 64

/* What is counted: the functions of enum rate_kind, and software fallback. */
enum investigation_rate {
	INVESTIGATION_SEGMENTED = RATE_KINDS,
	INVESTIGATION_SUMMED,
	INVESTIGATION_COPIED, /* pages or calls that a socket had to copy */
	INVESTIGATION_REFUSED, /* sends with UDP_SEGMENT */
	INVESTIGATION_RATES,
};

struct investigation_count {
	bool known; /* the probe was running */
	uint64_t n;
	uint64_t lost; /* part of n without service and link, because a map in the kernel was full */
};

struct investigation_stack {
	uint64_t count;
	unsigned n;
	char frames[STACK_DEPTH][INVESTIGATION_FRAME_LEN]; /* innermost first */
};

struct investigation_cpu {
	unsigned cpu;
	unsigned busy_permille, softirq_permille;
	char most[16];	    /* the softirq that ran most often, "" for none */
	uint64_t most_runs; /* of it */
};

struct investigation {
	struct evidence evidence; /* its probes include those of the rates */
	char kernel[72]; /* uname -r */
	char unit[UNIT_SERVICE_LEN], only_link[LINK_NAME_LEN]; /* of --unit and --link; "": all */
	uint64_t elapsed_usec;
	bool senders_unseen; /* this kernel refuses UDP segmentation, and offloadd, which knows who gave it up, was not asked */
	bool link_gone; /* only_link was removed during the observation */
	struct investigation_count rates[INVESTIGATION_RATES];
	struct investigation_stack *stacks; /* of tcp_push_one(), the most frequent first */
	struct investigation_cpu *cpus;
	size_t n_stacks, n_cpus;
};

/* Frees what it owns, and sets it to zero. */
void investigation_clear(struct investigation *i);

/* Adds an element, which is all zero. NULL if there are INVESTIGATION_LIST_MAX or no memory. */
struct investigation_stack *investigation_add_stack(struct investigation *i);
struct investigation_cpu *investigation_add_cpu(struct investigation *i);
/* Merges equal stacks and sorts them by frequency; sorts the evidence. */
void investigation_sort(struct investigation *i);

/* n per second of the observation, rounded. */
uint64_t investigation_per_sec(const struct investigation *i, uint64_t n);
/* "tcp_sendmsg", ..., "segmentation", "checksum", "copy", as in the JSON documents. Static. */
const char *investigation_rate_name(unsigned rate);
/* The rate that counts this kind. */
enum investigation_rate investigation_rate_of(enum fallback_kind kind);

/* ---- comparison ---- */

enum investigation_measure {
	INVESTIGATION_MEDIAN,	  /* of sendfile, in microseconds: of a service, or of all (service "") */
	INVESTIGATION_PER_CALL,	  /* a rate per sendfile call */
	INVESTIGATION_PER_SECOND, /* a rate */
	INVESTIGATION_STALE,	  /* connections */
	INVESTIGATION_MEASURES,
};

/* Why two numbers are not comparable. */
enum investigation_difference {
	INVESTIGATION_SAME,
	INVESTIGATION_PAGES_OR_CALLS, /* copies are counted by page up to Linux 6.4, by call from 6.5 on */
	INVESTIGATION_SENDFILE_COUNTED, /* from Linux 6.5 on sendfile calls tcp_sendmsg() */
	INVESTIGATION_DIFFERENCES,
};

/* One number of two investigations. */
struct investigation_metric {
	enum investigation_measure measure;
	char service[UNIT_SERVICE_LEN];
	unsigned rate; /* of PER_CALL and PER_SECOND */
	bool known;    /* on both sides, and comparable */
	enum investigation_difference difference;
	uint64_t a, b;
	/* MEDIAN: to be printed as a sentence. That of all services only if no service is known on both sides. */
	bool headline;
};

/* The larger of a and b divided by the smaller, for medians greater than 0. 1 if the difference is too small to be certain: a
 * median is only as precise as its slot of the histogram. */
double investigation_factor(const struct investigation_metric *m);

/* Compares the medians of sendfile (of all, and of each service of a), rates per call and per second, and stale connections.
 * Free *ret. Returns 0 or -ENOMEM. */
int investigation_compare(const struct investigation *a, const struct investigation *b,
	struct investigation_metric **ret, size_t *ret_n);

#endif
