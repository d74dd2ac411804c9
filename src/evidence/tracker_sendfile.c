/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long sendfile takes, as a metric: only where offloadd.conf asks for it, as it is the one probe that works while all
 * is well, and the one number that changes without an event. */
#include "evidence/tracker_private.h"

#include "basic/util.h"

#define FIRST_BIT 4 /* of the first bound: 16 us */

static const uint64_t bounds_usec[] = { 1 << 4, 1 << 5, 1 << 6, 1 << 7, 1 << 8, 1 << 9, 1 << 10, 1 << 11, 1 << 12, 1 << 13,
	1 << 14, 1 << 15, 1 << 16, 1 << 17, 1 << 18, 1 << 19, 1 << 20, 1 << 21, 1 << 22, 1 << 23, 1 << 24 };

_Static_assert(ARRAY_SIZE(bounds_usec) <= HISTOGRAM_BOUNDS_MAX, "room for the bounds");

/* Slot n holds what is below 2^(n+1). */
static size_t bucket_of(size_t slot)
{
	size_t bucket = slot + 1 > FIRST_BIT ? slot + 1 - FIRST_BIT : 0;

	return bucket < ARRAY_SIZE(bounds_usec) ? bucket : ARRAY_SIZE(bounds_usec);
}

static void add_histogram(const struct probe_latency_histogram *histogram, void *userdata)
{
	struct tracker *w = userdata;

	if (histogram->netns != w->netns)
		return;
	for (size_t i = 0; i < PROBE_LATENCY_SLOTS; i++)
		w->sendfile.counts[bucket_of(i)] += histogram->slots[i];
	w->sendfile.sum_usec += histogram->total_usec;
	w->sendfile_grew = true;
}

int tracker_look_at_sendfile(struct tracker *w, uint64_t now_usec)
{
	w->sendfile_grew = false;
	(void)probe_latency_read(w->latency, true, add_histogram, w);
	w->sendfile_usec = now_usec + TRACKER_SENDFILE_USEC;
	return w->sendfile_grew;
}

int tracker_time_sendfile(struct tracker *w, bool wanted, uint64_t now_usec, struct probe_status *ret_status)
{
	int r;

	if (wanted == (w->latency != NULL))
		return 0;
	if (!wanted) {
		probe_latency_close(w->latency);
		w->latency = NULL;
		w->sendfile_usec = 0;
		return 0;
	}
	r = probe_latency_open(&w->features, false, &w->latency, ret_status);
	if (r < 0)
		return r;
	w->sendfile.bounds_usec = bounds_usec;
	w->sendfile.n_bounds = ARRAY_SIZE(bounds_usec);
	w->sendfile_usec = now_usec + TRACKER_SENDFILE_USEC;
	return 0;
}
