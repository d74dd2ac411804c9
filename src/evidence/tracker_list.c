/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "evidence/tracker_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "basic/util.h"

#define NOW_USEC (UINT64_C(10) * 1000 * 1000)

_Static_assert(SERVICES_KINDS == (int)PROBE_KINDS && TOTALS_KINDS == (int)PROBE_KINDS, "kinds of all three");

void tracker_count_probes(const struct tracker *w, unsigned *ret_running, unsigned *ret_missing)
{
	const struct probe_status *status;
	size_t n;

	*ret_running = *ret_missing = 0;
	status = probe_status(w->probe, &n);
	for (size_t i = 0; i < n; i++) {
		*ret_running += status[i].method != PROBE_ABSENT;
		*ret_missing += status[i].method == PROBE_ABSENT && !status[i].other_kernels;
	}
}

void tracker_list_probes(struct tracker *w, struct services *ret)
{
	const struct probe_status *status;
	size_t n;

	status = probe_status(w->probe, &n);
	for (size_t i = 0; i < n && ret->n_probes < SERVICES_PROBES_MAX; i++) {
		bool absent = status[i].method == PROBE_ABSENT;

		if (absent && status[i].other_kernels)
			continue;
		ret->probes[ret->n_probes++] = (struct services_probe){ status[i].name,
			status[i].function, absent ? NULL : probe_method_name(status[i].method),
			absent ? status[i].why : NULL };
		if (absent)
			continue;
		if (status[i].method == PROBE_ITERATOR)
			ret->looked = true;
		else if (strncmp(status[i].name, "feature", 7) != 0)
			ret->counted = true;
	}
}

/* The combinations as they stand in the kernel's map, the most hits first. */
struct gathering {
	struct probe_hits *hits;
	size_t n, room;
	int error;
};

static void gather(const struct probe_hits *hits, void *userdata)
{
	struct gathering *g = userdata;

	if (g->n == g->room) {
		size_t room = g->room ? g->room * 2 : 64;
		struct probe_hits *more = reallocarray(g->hits, room, sizeof(*more));

		if (!more) {
			g->error = -ENOMEM;
			return;
		}
		g->hits = more;
		g->room = room;
	}
	g->hits[g->n++] = *hits;
}

static int compare_hits(const void *a, const void *b)
{
	const struct probe_hits *x = a, *y = b;

	return (x->hits < y->hits) - (x->hits > y->hits);
}

/* Into the row of the same kind, origin, service and link; one more row while there is room. */
static void add_fallback(struct tracker *w, const struct probe_hits *hits, uint64_t now_usec,
	struct services *ret)
{
	struct services_fallback row = {
		.kind = probe_kind_name(hits->kind), .origin = tracker_origin_name(hits->origin),
		.by_socket = tracker_is_by_socket(hits->kind), .ifindex = tracker_own_ifindex(w, hits),
		.hits = hits->hits, .last_usec = hits->last_usec,
		.now = hits->last_usec && hits->last_usec + NOW_USEC > now_usec,
	};
	struct unit unit;

	if (hits->origin == PROBE_LOCAL)
		tracker_name_service(w, hits->cgroup, hits->tgid, hits->comm, &unit, row.service);
	tracker_name_link(w, row.ifindex, row.link);
	for (size_t i = 0; i < ret->n_fallback; i++) {
		struct services_fallback *other = &ret->fallback[i];

		if (other->kind != row.kind || other->origin != row.origin ||
			strcmp(other->service, row.service) != 0 || strcmp(other->link, row.link) != 0)
			continue;
		other->hits += row.hits;
		other->now |= row.now;
		if (row.last_usec > other->last_usec)
			other->last_usec = row.last_usec;
		return;
	}
	if (ret->n_fallback == SERVICES_ROWS_MAX)
		ret->left_out++;
	else
		ret->fallback[ret->n_fallback++] = row;
}

static int list_fallback(struct tracker *w, uint64_t now_usec, struct services *ret)
{
	struct gathering g = { 0 };
	struct probe_lost lost;
	int r;

	ret->fallback = calloc(SERVICES_ROWS_MAX, sizeof(*ret->fallback));
	r = ret->fallback ? probe_read_hits(w->probe, gather, &g) : -ENOMEM;
	if (r >= 0)
		r = g.error;
	if (r >= 0 && g.n)
		qsort(g.hits, g.n, sizeof(*g.hits), compare_hits);
	for (size_t i = 0; r >= 0 && i < g.n; i++)
		add_fallback(w, &g.hits[i], now_usec, ret);
	free(g.hits);
	probe_read_lost(w->probe, &lost);
	for (unsigned i = 0; i < PROBE_KINDS; i++) {
		ret->kinds[i] = probe_kind_name((enum probe_kind)i);
		ret->lost[i] = lost.hits[i];
	}
	ret->lost[PROBE_SENDPAGE] += lost.process_hits;
	return r < 0 ? r : 0;
}

static int list_stale(struct tracker *w, struct services *ret)
{
	ret->stale = calloc(HASH_COUNT(w->flags) + 1, sizeof(*ret->stale));
	if (!ret->stale)
		return -ENOMEM;
	ret->sockets_dropped = w->holders.dropped;
	for (const struct tracker_flag *flag = w->flags; flag; flag = flag->hh.next) {
		const struct socket_holder *holder = socket_holders_find(&w->holders, &flag->key);
		struct services_stale *row = &ret->stale[ret->n_stale];

		if (!holder)
			continue;
		if (ret->n_stale == SERVICES_ROWS_MAX) {
			ret->left_out++;
			continue;
		}
		ret->n_stale++;
		*row = (struct services_stale){ .unit = flag->unit, .ifindex = flag->key.ifindex,
			.sockets = holder->sockets, .since_usec = holder->since_usec,
			.hits = flag->hits, .missing = holder->missing,
			.n_samples = holder->n_samples };
		memcpy(row->service, flag->service, sizeof(row->service));
		memcpy(row->link, flag->link, sizeof(row->link));
		memcpy(row->samples, holder->samples, sizeof(row->samples));
	}
	return 0;
}

int tracker_list(struct tracker *w, uint64_t now_usec, struct services *ret)
{
	int r;

	*ret = (struct services){ 0 };
	tracker_list_probes(w, ret);
	if (now_usec >= w->inventoried_usec + TRACKER_SETTLE_USEC + w->cost_usec * TRACKER_COST_FACTOR)
		tracker_look_at_sockets(w, now_usec);
	(void)tracker_look_at_hits(w, now_usec, NULL);
	r = list_fallback(w, now_usec, ret);
	if (r >= 0)
		r = list_stale(w, ret);
	if (r < 0)
		services_clear(ret);
	return r;
}

void tracker_clear_metrics(struct tracker *w)
{
	free(w->fallback);
	free(w->stale);
	free(w->restart);
	free(w->probes);
	w->fallback = NULL;
	w->stale = NULL;
	w->restart = NULL;
	w->probes = NULL;
	services_clear(&w->metrics_rows);
}

static const char *label_of(const struct services_fallback *row)
{
	return row->service[0] ? row->service : row->origin[0] == 'f' ? "(forwarded)" : "(kernel)";
}

/* Of one service by several links one series. */
static void fill_restart(struct tracker *w, struct totals *ret)
{
	for (size_t i = 0; i < w->metrics_rows.n_stale; i++) {
		const char *service = w->metrics_rows.stale[i].service;
		size_t j = 0;

		while (j < ret->n_restart && strcmp(w->restart[j], service) != 0)
			j++;
		if (j == ret->n_restart)
			w->restart[ret->n_restart++] = service;
	}
}

/* Two cgroups may be one service to people, and a series must not come twice. */
static void fill_stale(struct tracker *w, struct totals *ret)
{
	for (size_t i = 0; i < w->metrics_rows.n_stale; i++) {
		const struct services_stale *row = &w->metrics_rows.stale[i];
		size_t j = 0;

		while (j < ret->n_stale && (strcmp(w->stale[j].service, row->service) != 0 ||
						    strcmp(w->stale[j].link, row->link) != 0))
			j++;
		if (j == ret->n_stale)
			w->stale[ret->n_stale++] = (struct totals_stale){ row->service, row->link, 0 };
		w->stale[j].sockets += row->sockets;
	}
}

int tracker_totals(struct tracker *w, uint64_t now_usec, struct totals *ret)
{
	struct services *rows = &w->metrics_rows;
	int r;

	tracker_clear_metrics(w);
	*ret = (struct totals){ 0 };
	r = tracker_list(w, now_usec, rows);
	if (r < 0)
		return r;
	w->fallback = calloc(rows->n_fallback + 1, sizeof(*w->fallback));
	w->stale = calloc(rows->n_stale + 1, sizeof(*w->stale));
	w->restart = calloc(rows->n_stale + 1, sizeof(*w->restart));
	w->probes = calloc(rows->n_probes + 1, sizeof(*w->probes));
	if (!w->fallback || !w->stale || !w->restart || !w->probes)
		return -ENOMEM;
	for (size_t i = 0; i < rows->n_fallback; i++)
		w->fallback[i] = (struct totals_fallback){ rows->fallback[i].kind, rows->fallback[i].link,
			label_of(&rows->fallback[i]), rows->fallback[i].hits };
	for (size_t i = 0; i < rows->n_probes; i++)
		w->probes[i] = (struct totals_probe){ rows->probes[i].name, rows->probes[i].function,
			rows->probes[i].method, rows->probes[i].why };
	fill_stale(w, ret);
	fill_restart(w, ret);
	ret->fallback = rows->counted ? w->fallback : NULL;
	ret->n_fallback = rows->n_fallback;
	ret->stale = rows->looked ? w->stale : NULL;
	ret->restart = rows->looked ? w->restart : NULL;
	ret->probes = w->probes;
	ret->n_probes = rows->n_probes;
	ret->left_out = rows->left_out;
	if (w->latency) {
		(void)tracker_look_at_sendfile(w, now_usec);
		ret->sendfile = &w->sendfile;
	}
	for (unsigned i = 0; i < SERVICES_KINDS; i++)
		ret->lost[i] = (struct totals_lost){ rows->kinds[i], rows->lost[i] };
	return 0;
}
