/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much of each CPU goes to soft interrupts, and to which, from /proc/stat and /proc/softirqs. */
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
	uint64_t ticks, idle_ticks, softirq_ticks; /* idle: with waiting for input or output */
	uint64_t runs[SOFTIRQ_KINDS];
};

struct softirqs {
	char names[SOFTIRQ_KINDS][SOFTIRQ_NAME_LEN]; /* "NET_TX"; "" past the last */
	struct softirq_cpu cpus[SOFTIRQ_CPUS_MAX];
	size_t n;
};

/* What both files say now. Negative errno. The structure is large: not for the stack. */
int softirq_read(struct softirqs *ret);
/* From their text. -EBADMSG when there is no CPU in it. */
int softirq_parse(const char *stat, const char *softirqs, struct softirqs *ret);
/* What a CPU did between two readings. False when no time has passed for it. */
struct softirq_share {
	unsigned busy_permille, softirq_permille;
	unsigned most; /* the kind that ran most; SOFTIRQ_KINDS when none did */
	uint64_t most_runs;
};
bool softirq_compare(
	const struct softirq_cpu *then, const struct softirq_cpu *now, struct softirq_share *ret);
/* The CPU with this number, NULL when there was none. */
const struct softirq_cpu *softirq_find(const struct softirqs *softirqs, unsigned cpu);

#endif
