/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sendfile latency for the metrics. Only if offloadd.conf enables it, because this probe runs even on a healthy host, and its
 * numbers change without an event. */
#include "evidence/tracker_private.h"

static void add_histogram(const struct probe_latency_histogram *histogram, void *userdata)
{
	struct tracker *w = userdata;

	if (histogram->netns != w->collect.netns)
		return;
	for (size_t i = 0; i < LATENCY_SLOTS; i++)
		w->sendfile.slots[i] += histogram->slots[i];
	w->sendfile.calls += histogram->count;
	w->sendfile.total_usec += histogram->total_usec;
}

int tracker_read_sendfile(struct tracker *w, uint64_t now_usec)
{
	uint64_t calls = w->sendfile.calls;

	(void)probe_latency_read(w->latency, true, add_histogram, w);
	w->sendfile_usec = now_usec + TRACKER_SENDFILE_USEC;
	return w->sendfile.calls != calls;
}

bool tracker_times_sendfile(const struct tracker *w)
{
	return w->latency;
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
	w->sendfile_usec = now_usec + TRACKER_SENDFILE_USEC;
	return 0;
}
