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
	uint64_t lost_usec = tracker_read_lost(w, &lost);
	struct unit unit;

	ret->lost_idle_usec = !lost_usec ? EVIDENCE_IDLE_UNKNOWN : lost_usec < now_usec ? now_usec - lost_usec : 0;
	if (w->n_read)
		qsort(w->read, w->n_read, sizeof(*w->read), compare_hits);
	for (size_t i = 0; i < w->n_read; i++) {
		senders_name(&w->collect.senders, &w->read[i], &unit, service);
		if (!collect_is_elsewhere(&w->collect, &w->read[i]))
			list_hits(w, now_usec, &w->read[i], service, ret);
	}
	for (const struct tracker_past *past = w->past; past; past = past->hh.next)
		list_hits(w, now_usec, &past->hits, past->key.service, ret);
	memcpy(ret->lost, lost.hits, sizeof(ret->lost));
	memcpy(ret->elsewhere, lost.elsewhere, sizeof(ret->elsewhere));
}

static uint64_t rest_usec(const struct tracker *w)
{
	return w->refresh.cost_usec * TRACKER_COST_FACTOR;
}

static int list_evidence(struct tracker *w, struct evidence *ret)
{
	uint64_t now_usec = util_now_usec();

	evidence_clear(ret);
	*ret = (struct evidence){ .features = w->features, .has_latency = w->latency };
	tracker_read_probes(w, ret);
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
	ret->sockets_dropped += w->stale.dropped;
	if (!w->latency)
		return 0;
	(void)tracker_read_sendfile(w, now_usec);
	return evidence_latency_add(&ret->latency, &w->sendfile);
}

/* A slice. 0; -EAGAIN: not finished; -ENOMEM. */
static int refresh(struct tracker *w)
{
	uint64_t now_usec = util_now_usec(), begin_usec = now_usec;
	int r = 0;

	if (!w->refresh.open) {
		w->refresh.open = true;
		w->refresh.begin_usec = now_usec;
		w->refresh.spent_usec = 0;
	}
	if (w->collect.inventory.open || now_usec >= w->inventoried_usec + TRACKER_SETTLE_USEC + w->cost_usec * TRACKER_COST_FACTOR)
		r = tracker_read_sockets(w, now_usec);
	if (r >= 0)
		r = tracker_read_hits(w, now_usec);
	if (r >= 0)
		r = list_evidence(w, &w->evidence);
	now_usec = util_now_usec();
	w->refresh.spent_usec += now_usec - begin_usec;
	if (r == -EAGAIN)
		return r;
	w->refresh.open = false;
	if (r >= 0)
		w->refresh.from_usec = w->refresh.begin_usec;
	w->refresh.end_usec = now_usec;
	w->refresh.cost_usec = w->refresh.spent_usec;
	return r;
}

/* Where it takes long, the last one will do. */
static bool is_fresh(const struct tracker *w, uint64_t asked_usec)
{
	return (w->refresh.from_usec && w->refresh.from_usec >= asked_usec) ||
	       (rest_usec(w) > TRACKER_WAIT_USEC && asked_usec < w->refresh.end_usec + rest_usec(w));
}

int tracker_read_evidence(struct tracker *w, uint64_t asked_usec, const struct evidence **ret)
{
	int r = 0;

	w->refresh.next_usec = 0;
	while (r == 0 && !is_fresh(w, asked_usec)) {
		if (!w->refresh.open && util_now_usec() < w->refresh.end_usec + rest_usec(w)) {
			w->refresh.next_usec = w->refresh.end_usec + rest_usec(w);
			return -EAGAIN;
		}
		r = refresh(w);
		w->busy |= r == -EAGAIN;
	}
	*ret = &w->evidence;
	return r;
}
