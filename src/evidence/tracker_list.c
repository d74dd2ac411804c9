/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "evidence/tracker_private.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/util.h"

void tracker_count_probes(const struct tracker *w, unsigned *ret_running, unsigned *ret_missing)
{
	struct evidence e = { 0 };

	*ret_running = *ret_missing = 0;
	tracker_read_probes(w, &e);
	for (size_t i = 0; i < e.n_probes; i++)
		*(e.probes[i].method ? ret_running : ret_missing) += 1;
}

void tracker_read_probes(const struct tracker *w, struct evidence *ret)
{
	collect_probes(ret, w->probe);
}

/* The combinations in the map of the kernel. */
struct gathering {
	struct probe_hits *hits;
	size_t n;
	int error;
};

static void gather(const struct probe_hits *hits, void *userdata)
{
	struct gathering *g = userdata;

	if (GROW(g->hits, g->n))
		g->hits[g->n++] = *hits;
	else
		g->error = -ENOMEM;
}

static int compare_hits(const void *a, const void *b)
{
	const struct probe_hits *x = a, *y = b;

	return (x->hits < y->hits) - (x->hits > y->hits);
}

static int list_fallback(struct tracker *w, uint64_t now_usec, struct evidence *ret)
{
	struct gathering g = { 0 };
	struct probe_lost lost;
	int r = probe_read_hits(w->probe, gather, &g);

	if (r >= 0)
		r = g.error;
	if (r >= 0 && g.n)
		qsort(g.hits, g.n, sizeof(*g.hits), compare_hits);
	for (size_t i = 0; r >= 0 && i < g.n; i++) {
		struct probe_hits *hits = &g.hits[i];
		char service[UNIT_SERVICE_LEN] = "", link[LINK_NAME_LEN];
		int ifindex = tracker_own_ifindex(w, hits);
		struct evidence_fallback *row;
		struct unit unit;

		if (hits->origin == FALLBACK_SOCKET)
			collect_name_service(&w->collect, hits->cgroup, hits->tgid, hits->comm, &unit, service);
		if (hits->origin == FALLBACK_SOCKET && !service[0])
			hits->origin = FALLBACK_KERNEL; /* a socket of the kernel itself */
		tracker_name_link(w, ifindex, link);
		row = collect_hits(ret, hits, service, link, now_usec);
		if (row)
			row->ifindex = ifindex;
	}
	free(g.hits);
	probe_read_lost(w->probe, &lost);
	for (unsigned i = 0; i < FALLBACK_KINDS; i++) {
		ret->lost[i] = lost.hits[i];
		ret->elsewhere[i] = lost.elsewhere[i];
	}
	return r < 0 ? r : 0;
}

int tracker_read_evidence(struct tracker *w, uint64_t now_usec, struct evidence *ret)
{
	int r;

	*ret = (struct evidence){ .features = w->features, .has_latency = w->latency };
	tracker_read_probes(w, ret);
	if (now_usec >= w->inventoried_usec + TRACKER_SETTLE_USEC + w->cost_usec * TRACKER_COST_FACTOR)
		tracker_read_sockets(w, now_usec);
	(void)tracker_read_hits(w, now_usec);
	r = list_fallback(w, now_usec, ret);
	for (const struct stale *stale = w->stale.all; stale; stale = stale->hh.next)
		if (!stale->is_new) /* its inventory failed */
			evidence_add_stale(ret, &stale->found);
	ret->sockets_dropped = w->stale.dropped;
	if (w->latency) {
		(void)tracker_read_sendfile(w, now_usec);
		if (r >= 0)
			r = evidence_latency_add(&ret->latency, &w->sendfile);
	}
	if (r < 0)
		evidence_clear(ret);
	return r;
}
