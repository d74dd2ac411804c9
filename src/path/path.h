/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One path measured in several ways, in alternating rounds so that noise hits all alike, and what the ratios
 * say. Ratios are taken within a round, and the median of the rounds counts. Pure. */
#ifndef OFFLOADD_PATH_H
#define OFFLOADD_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum path_way {
	PATH_SENDFILE,
	PATH_SPLICE, /* file -> pipe -> socket */
	PATH_SEND,   /* plain send of memory */
	PATH_SMALL,  /* sendfile in segments of PATH_SMALL_MSS: what a segment costs */
};
#define PATH_WAYS 4
#define PATH_SMALL_MSS 362 /* a quarter of what 1,500 bytes carry with timestamps */
#define PATH_ROUNDS 7
#define PATH_ROUNDS_LEAST 3 /* below, nothing is said */

struct path_sample {
	uint64_t bytes, wall_usec;
	uint64_t cpu_usec;     /* of the sending process, user and system */
	uint64_t softirq_usec; /* of the whole machine, by ticks; 0 where that cannot be read */
};

struct path_run {
	struct path_sample samples[PATH_ROUNDS][PATH_WAYS];
	size_t rounds;		 /* that are whole */
	bool local_pair;		 /* both ends are ours, and nothing between them but a veth */
	unsigned mss, small_mss; /* bytes of data in a segment, 0 when not known */
};

struct path_summary { /* medians over the rounds */
	uint64_t bytes;		  /* all that went this way */
	double mbyte_per_s;
	double cpu_s_per_gbyte;	  /* of the sending process */
	double softirq_s_per_gbyte; /* mean, as ticks are coarse */
};

enum path_verdict {
	PATH_UNKNOWN,	/* too few rounds, or the ratios do not tell */
	PATH_HEALTHY,
	PATH_SOFTWARE,	/* segments, and with them checksums, are made in software */
	PATH_SLOW,	/* sendfile is slower than plain send */
};
#define PATH_VERDICT_COUNT 4

/* The criterion, measured on Linux 6.1, 6.12 and 6.18 over veth, and on 6.1 over emulated e1000e and vmxnet3 (docs/kernels.md):
 *
 *   slow      sendfile takes PATH_SLOW_RATIO times plain send's CPU, and its time
 *   software  segments are PATH_SHARE_MOST of the cost; or PATH_SHARE_SOME of it, and sendfile saves little of plain send's time, so
 *	       that something below touches every byte. With a receiver on another host more of both is asked for, and that the
 *	       sender is at work for PATH_BUSY of the time or its CPU time tells the same: the other end or the wire may be what
 *	       takes longer
 *   healthy   sendfile takes so little of plain send's time that the copy is most of the cost (PATH_SAVES_MUCH; PATH_SAVES over our own
 *	       ends); or PATH_SAVES, and segments are not most of the cost; or segments are next to nothing of it
 *
 * Between those nothing is said. */
#define PATH_SLOW_RATIO 1.5
#define PATH_SHARE_MOST 0.5
#define PATH_SHARE_MOST_FAR 0.8
#define PATH_SHARE_SOME 0.2
#define PATH_SHARE_LITTLE 0.1
#define PATH_SAVES 0.5
#define PATH_SAVES_MUCH 0.33
#define PATH_SAVES_LITTLE 0.6
#define PATH_SAVES_LITTLE_FAR 0.7
#define PATH_BUSY 0.1

struct path_ratios { /* against plain send */
	double time, cpu;
};

struct path_result {
	enum path_verdict verdict;
	bool slow_sendfile, slow_splice;
	struct path_ratios sendfile, splice;
	struct path_ratios small; /* against sendfile in ordinary segments */
	double segments;	  /* how many times more segments those are, 0 when not known */
	double busy;		  /* share of the time that the sender ran in while it sent those */
	double share;		  /* of sendfile's cost that comes with the segments, 0 to 1; 0 when not known */
};

/* As in the document: "sendfile", "healthy", ... */
const char *path_way_name(enum path_way way);
const char *path_verdict_name(enum path_verdict verdict);

/* Medians over the rounds of one way; all 0 without a round. */
void path_summarize(const struct path_run *run, enum path_way way, struct path_summary *ret);
/* By the criterion above. PATH_UNKNOWN below PATH_ROUNDS_LEAST. */
void path_evaluate(const struct path_run *run, struct path_result *ret);

/* How large one transfer may be so that all of them stay within the limits: rate as a first transfer showed
 * it, bytes a second. 0 when that is too little to measure anything. */
uint64_t path_transfer_bytes(uint64_t bytes_max, uint64_t usec_max, double bytes_per_s);

#endif
