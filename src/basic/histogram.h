/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A histogram of durations, as Prometheus defines one. */
#ifndef OFFLOADD_HISTOGRAM_H
#define OFFLOADD_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BOUNDS_MAX 32

struct histogram {
	const uint64_t *bounds_usec; /* inclusive upper bounds of the buckets, ascending; not owned */
	size_t n_bounds;	     /* at most HISTOGRAM_BOUNDS_MAX */
	uint64_t counts[HISTOGRAM_BOUNDS_MAX + 1]; /* not cumulative; the last is above all bounds */
	uint64_t sum_usec;
};

/* Counts one duration. */
static inline void histogram_observe(struct histogram *h, uint64_t usec)
{
	size_t i = 0;

	while (i < h->n_bounds && usec > h->bounds_usec[i])
		i++;
	h->counts[i]++;
	h->sum_usec += usec;
}

#endif
