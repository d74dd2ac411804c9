/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Evaluates how fast data is sent over a path in several ways. The ways alternate in rounds, so that noise affects all of them alike.
 * Ratios are computed within a round, and their median over the rounds is used. Pure. */
#ifndef OFFLOADD_PATH_H
#define OFFLOADD_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum path_way {
	PATH_SENDFILE,
	PATH_SPLICE, /* file -> pipe -> socket */
	PATH_SEND,   /* plain send of memory */
	PATH_SMALL,  /* sendfile in segments of PATH_SMALL_MSS, to measure the cost of a segment */
};
#define PATH_WAYS 4
#define PATH_SMALL_MSS 362 /* a quarter of the data in a packet of 1,500 bytes with TCP timestamps */
#define PATH_ROUNDS 7
#define PATH_ROUNDS_LEAST 3 /* with fewer, the verdict is PATH_UNKNOWN */

struct path_sample {
	uint64_t bytes, wall_usec;
	uint64_t cpu_usec;     /* of the sending process, user and system */
	uint64_t softirq_usec; /* of the whole machine, in steps of a clock tick; 0 if /proc/stat is unreadable */
};

struct path_run {
	struct path_sample samples[PATH_ROUNDS][PATH_WAYS];
	size_t rounds;		 /* complete rounds */
	bool local_pair;		 /* over path_pair.h: both ends are on this host, joined by a veth */
	unsigned mss, small_mss; /* bytes of data in a segment, 0: unknown */
};

struct path_summary { /* medians over the rounds */
	uint64_t bytes;		  /* the sum */
	double mbyte_per_s;
	double cpu_s_per_gbyte;	  /* of the sending process */
	double softirq_s_per_gbyte; /* the mean, because ticks are coarse */
};

enum path_verdict {
	PATH_UNKNOWN,	/* too few rounds, or the ratios are inconclusive */
	PATH_HEALTHY,
	PATH_SOFTWARE,	/* segmentation or checksums in software */
	PATH_SLOW,	/* sendfile is slower than plain send */
};
#define PATH_VERDICT_COUNT 4

/* The criterion, measured on Linux 6.1, 6.12 and 6.18 over veth, and on 6.1 over emulated e1000e and vmxnet3 (docs/kernels.md):
 *
 *   slow      sendfile takes PATH_SLOW_RATIO times the CPU and the time of plain send
 *   software  segments are PATH_SHARE_MOST of the cost; or PATH_SHARE_SOME of it while sendfile saves little of the time of plain
 *	       send, so something below touches every byte. With a receiver on another host, both limits are higher, and either the
 *	       sender must run for PATH_BUSY of the time or CPU time must give the same result, because the receiver or the wire may
 *	       be the bottleneck
 *   healthy   sendfile takes so little of the time of plain send that copying is most of the cost (PATH_SAVES_MUCH, or PATH_SAVES
 *	       over a local pair); or PATH_SAVES, and segments are not most of the cost; or segments are hardly any of it
 *
 * "slow" and "software" are claims about every round but one; the rest is judged by the medians. Everything else is PATH_UNKNOWN. */
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

struct path_ratios { /* relative to plain send; 0: unknown */
	double time, cpu;
};

struct path_result {
	enum path_verdict verdict;
	bool slow_sendfile, slow_splice;
	struct path_ratios sendfile, splice;
	struct path_ratios small; /* relative to sendfile in ordinary segments */
	double segments;	  /* how many times more segments PATH_SMALL sends, 0: unknown */
	double busy;		  /* share of that time in which the sender used the CPU */
	double share;		  /* share of the cost of sendfile that depends on the number of segments, 0 to 1; 0: unknown */
};

/* Names in the JSON document: "sendfile", "healthy", ... Static. */
const char *path_way_name(enum path_way way);
const char *path_verdict_name(enum path_verdict verdict);

/* Medians over the rounds of one way; all 0 without rounds. */
void path_summarize(const struct path_run *run, enum path_way way, struct path_summary *ret);
/* Applies the criterion above. */
void path_evaluate(const struct path_run *run, struct path_result *ret);

/* The size of one transfer, in bytes, so that all transfers stay within the limits. bytes_per_s: measured by a first transfer. 0: too
 * little to measure anything. */
uint64_t path_transfer_bytes(uint64_t bytes_max, uint64_t usec_max, double bytes_per_s);

#endif
