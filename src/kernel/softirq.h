/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The time that each CPU spends in soft interrupts, and in which, from /proc/stat and /proc/softirqs. */
#ifndef OFFLOADD_SOFTIRQ_H
#define OFFLOADD_SOFTIRQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SOFTIRQ_CPUS_MAX 1024
#define SOFTIRQ_KINDS 10
#define SOFTIRQ_NAME_LEN 16

struct softirq_cpu {
	unsigned cpu;
	uint64_t ticks, idle_ticks, softirq_ticks; /* in USER_HZ; idle: including iowait */
	uint64_t runs[SOFTIRQ_KINDS]; /* by the index in softirqs.names */
};

struct softirqs {
	char names[SOFTIRQ_KINDS][SOFTIRQ_NAME_LEN]; /* "NET_TX"; "" after the last */
	struct softirq_cpu cpus[SOFTIRQ_CPUS_MAX];
	size_t n;
};

/* Reads both files. The struct is large: do not put it on the stack. 0, negative errno. */
int softirq_read(struct softirqs *ret);
/* Parses their texts. 0; -EBADMSG: they contain no CPU. */
int softirq_parse(const char *stat, const char *softirqs, struct softirqs *ret);
struct softirq_share {
	unsigned busy_permille, softirq_permille;
	unsigned most; /* the kind that ran most often; SOFTIRQ_KINDS: none ran */
	uint64_t most_runs;
};
/* Computes the use of a CPU between two readings. False: no time has passed on it. */
bool softirq_compare(
	const struct softirq_cpu *then, const struct softirq_cpu *now, struct softirq_share *ret);
/* The CPU with this number, borrowed; NULL if there is none. */
const struct softirq_cpu *softirq_find(const struct softirqs *softirqs, unsigned cpu);

#endif
