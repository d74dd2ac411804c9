/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "basic/histogram.h"

void histogram_observe(struct histogram *h, uint64_t usec)
{
	size_t i = 0;

	while (i < h->n_bounds && usec > h->bounds_usec[i])
		i++;
	h->counts[i]++;
	h->sum_usec += usec;
}
