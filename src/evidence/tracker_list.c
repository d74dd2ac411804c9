/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "evidence/tracker_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

static int compare_hits(const void *a, const void *b)
{
	const struct probe_hits *x = a, *y = b;

	return (x->hits < y->hits) - (x->hits > y->hits);
}

static void list_hits(struct tracker *w, uint64_t now_usec, const struct probe_hits *hits, const char *service, struct evidence *ret)
{
	int ifindex = tracker_own_ifindex(w, hits);
	struct evidence_fallback *row;
	char link[LINK_NAME_LEN];

	tracker_name_link(w, ifindex, link);
	row = collect_hits(ret, hits, hits->origin == FALLBACK_SOCKET ? service : "", link, now_usec);
	if (row)
		row->ifindex = ifindex;
}

static void list_fallback(struct tracker *w, uint64_t now_usec, struct evidence *ret)
{
	char service[UNIT_SERVICE_LEN];
	struct probe_lost lost;
	struct unit unit;

	if (w->n_read)
		qsort(w->read, w->n_read, sizeof(*w->read), compare_hits);
	for (size_t i = 0; i < w->n_read; i++) {
		senders_name(&w->collect.senders, &w->read[i], &unit, service);
		list_hits(w, now_usec, &w->read[i], service, ret);
	}
	for (const struct tracker_past *past = w->past; past; past = past->hh.next)
		list_hits(w, now_usec, &past->hits, past->key.service, ret);
	probe_read_lost(w->probe, &lost);
	for (unsigned i = 0; i < FALLBACK_KINDS; i++) {
		ret->lost[i] = lost.hits[i] + w->past_lost[i];
		ret->elsewhere[i] = lost.elsewhere[i];
	}
}

int tracker_read_evidence(struct tracker *w, uint64_t now_usec, struct evidence *ret)
{
	int r = 0;

	*ret = (struct evidence){ .features = w->features, .has_latency = w->latency };
	tracker_read_probes(w, ret);
	if (now_usec >= w->inventoried_usec + TRACKER_SETTLE_USEC + w->cost_usec * TRACKER_COST_FACTOR)
		tracker_read_sockets(w, now_usec);
	(void)tracker_read_hits(w, now_usec);
	list_fallback(w, now_usec, ret);
	for (const struct stale *stale = w->stale.all; stale; stale = stale->hh.next)
		if (!stale->is_new) /* its inventory failed */
			evidence_add_stale(ret, &stale->found);
	tracker_list_udp(w, ret);
	for (size_t i = 0; i < ret->n_fallback; i++)
		tracker_set_remedy(w, ret, &ret->fallback[i]);
	ret->has_lingering = w->polling && w->lingering.whole_usec;
	if (w->polling)
		memcpy(ret->lacking, w->lingering.lacking, sizeof(ret->lacking));
	ret->sockets_dropped = w->stale.dropped;
	if (w->latency) {
		(void)tracker_read_sendfile(w, now_usec);
		r = evidence_latency_add(&ret->latency, &w->sendfile);
	}
	if (r < 0)
		evidence_clear(ret);
	return r;
}
