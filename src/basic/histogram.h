/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts of durations by upper bounds, as Prometheus has them. */
#ifndef OFFLOADD_HISTOGRAM_H
#define OFFLOADD_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BOUNDS_MAX 32

struct histogram {
	const uint64_t *bounds_usec; /* ascending; static, not owned */
	size_t n_bounds;	     /* at most HISTOGRAM_BOUNDS_MAX */
	uint64_t counts[HISTOGRAM_BOUNDS_MAX + 1]; /* one more for what is above the last */
	uint64_t sum_usec;
};

/* Counts one duration where it belongs: a bound is below itself. */
void histogram_observe(struct histogram *h, uint64_t usec);

#endif
