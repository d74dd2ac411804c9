/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One path measured in several ways, in alternating rounds so that noise hits all alike, and what the ratios say. Ratios are taken
 * within a round, and the median of the rounds counts. Pure. */
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

/* The criterion, measured on Linux 6.1 and 6.12 over veth and over emulated e1000e and vmxnet3, with and without offload (docs/kernels.md):
 *
 *   slow      sendfile takes PATH_SLOW_RATIO of plain send's CPU, and of its time
 *   software  segments are PATH_SHARE_MOST of the cost; or PATH_SHARE_SOME of it, and sendfile saves neither time nor CPU over plain
 *	       send, so that something below touches every byte
 *   healthy   segments are less of the cost, and sendfile takes at most PATH_SAVES of plain send's time, so that nothing below does; or
 *	       segments are next to nothing of it (PATH_SHARE_LITTLE)
 *
 * Between those nothing is said. */
#define PATH_SLOW_RATIO 1.5
#define PATH_SHARE_MOST 0.5
#define PATH_SHARE_SOME 0.2
#define PATH_SHARE_LITTLE 0.1
#define PATH_SAVES 0.5
#define PATH_SAVES_NOTHING 0.7

struct path_ratios { /* against plain send */
	double time, cpu;
};

struct path_finding {
	enum path_verdict verdict;
	bool slow_sendfile, slow_splice;
	struct path_ratios sendfile, splice;
	struct path_ratios small; /* against sendfile in ordinary segments */
	double segments;	  /* how many times more segments those are, 0 when not known */
	double share;		  /* of sendfile's cost that comes with the segments, 0 to 1; 0 when not known */
};

const char *path_way_name(enum path_way way);
const char *path_verdict_name(enum path_verdict verdict);

void path_summarize(const struct path_run *run, enum path_way way, struct path_summary *ret);
void path_judge(const struct path_run *run, struct path_finding *ret);

/* How large one transfer may be so that all of them stay within the limits: rate as a first transfer showed it, bytes a second. 0
 * when that is too little to measure anything. */
uint64_t path_transfer_bytes(uint64_t bytes_max, uint64_t usec_max, double bytes_per_s);

#endif
