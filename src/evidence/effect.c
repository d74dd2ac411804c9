/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "evidence/effect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "basic/util.h"
#include "model/unit.h"

#define WINDOW_DEFAULT_USEC (UINT64_C(10) * 1000 * 1000)
#define RESTARTS_MAX 3 /* of the windows after a repair, because features changed again */
#define CHANGING_USEC (UINT64_C(10) * 1000 * 1000) /* if features keep changing for longer, their effect is not observed */
#define LATE_FACTOR 20 /* a window that ends late, after the change, is so much longer than that; otherwise it counts as unknown */

struct repair {
	int ifindex;
	feature_set on, off;
	char link[LINK_NAME_LEN];
	char rules[FINDING_RULES_LEN];
	unsigned n_rules;
	bool ours; /* not by another program, whose changes are not ours to undo */
};

struct observed {
	struct cost_service before, after, later; /* path: not set */
	char name[UNIT_SERVICE_LEN];
};

enum stage {
	STAGE_NONE,
	STAGE_REPAIRED, /* the sample after the change begins them */
	STAGE_AFTER,	/* the next sample ends the first window after it */
	STAGE_LATER,	/* and the second */
};

struct effect {
	struct effect_options options;
	struct cost_reading reading;
	struct cost_sample earlier, last; /* with the same features of all links; earlier may be empty */
	uint64_t window_usec;
	uint64_t due_usec;  /* when to take a sample; 0: not */
	uint64_t rest_usec; /* not before */
	bool settled;	    /* EFFECT_SETTLED_USEC are over */
	bool changed;	    /* features differ from those of the last sample */
	uint64_t changed_usec, changing_usec; /* since when, and when they last did */
	struct cost_sample ended; /* read when they first did: the end of the window before. Empty: not yet */
	struct {
		enum stage stage;
		struct repair repairs[EFFECT_LINKS_MAX];
		size_t n_repairs;
		int *affected; /* their indexes and those of links above, ascending */
		size_t n_affected;
		struct observed *services;
		size_t n_services;
		unsigned tries, restarts;
		uint64_t window_usec;
	} round;
};

static void end_round(struct effect *e)
{
	free(e->round.affected);
	free(e->round.services);
	memset(&e->round, 0, sizeof(e->round));
}

/* ---- links ---- */

static int compare_indexes(const void *a, const void *b)
{
	return COMPARE(*(const int *)a, *(const int *)b);
}

static bool is_affected(const struct effect *e, int ifindex)
{
	for (size_t i = 0; i < e->round.n_affected; i++)
		if (e->round.affected[i] == ifindex)
			return true;
	return false;
}

/* Adds a link and those above it, depth first: each only once, so a loop ends. */
static int affect(struct effect *e, const struct link *link)
{
	const struct link_table *links = e->options.links;
	const struct link *master;
	int r = 0;

	if (is_affected(e, link->ifindex))
		return 0;
	if (!GROW(e->round.affected, e->round.n_affected))
		return -ENOMEM;
	e->round.affected[e->round.n_affected++] = link->ifindex;
	for (const struct link *upper = link_first_upper(links, link); upper && r == 0; upper = link_next_upper(links, upper))
		r = affect(e, upper);
	master = link_master(links, link);
	return r == 0 && master ? affect(e, master) : r;
}

static int find_affected(struct effect *e)
{
	int r = 0;

	free(e->round.affected);
	e->round.affected = NULL;
	e->round.n_affected = 0;
	link_table_stack(e->options.links);
	for (size_t i = 0; i < e->round.n_repairs && r == 0; i++) {
		const struct link *link = link_table_find(e->options.links, e->round.repairs[i].ifindex);

		r = link ? affect(e, link) : 0;
	}
	if (e->round.n_affected)
		qsort(e->round.affected, e->round.n_affected, sizeof(int), compare_indexes);
	return r;
}

/* Is it repaired with these features? */
static bool is_repaired(const struct repair *repair, feature_set active)
{
	return !(repair->on & ~active) && !(repair->off & active);
}

/* Is none of it? */
static bool is_unrepaired(const struct repair *repair, feature_set active)
{
	return !(repair->on & active) && !(repair->off & ~active);
}

static bool lasts(const struct effect *e)
{
	for (size_t i = 0; i < e->round.n_repairs; i++) {
		const struct link *link = link_table_find(e->options.links, e->round.repairs[i].ifindex);

		if (!link || !link->has_features || !is_repaired(&e->round.repairs[i], link->features.active))
			return false;
	}
	return true;
}

static bool differs(const struct cost_sample *sample, const struct link_table *links)
{
	link_table_foreach(links, link) {
		const struct cost_link *before = link->has_features ? cost_find_link(sample, link->ifindex) : NULL;

		if (before && before->active != link->features.active)
			return true;
	}
	return false;
}

/* ---- the window before ---- */

static int compare_bytes(const void *a, const void *b)
{
	return COMPARE(((const struct observed *)b)->before.bytes, ((const struct observed *)a)->before.bytes);
}

/* A socket unit's cgroup has the connections of its service, but not its CPU time. */
static bool name_service(const char *path, char name[UNIT_SERVICE_LEN])
{
	char service[UNIT_PATH_MAX];
	struct unit unit;

	if (unit_path_of_service(path, service, sizeof(service)))
		return false;
	unit_parse_path(path, &unit);
	unit_format(&unit, name, UNIT_SERVICE_LEN);
	return unit.kind != UNIT_NONE;
}

/* Keeps the repairs whose links had the features of before during the whole window. */
static void drop_unlike(struct effect *e, const struct cost_sample *from)
{
	size_t n = 0;

	for (size_t i = 0; i < e->round.n_repairs; i++) {
		const struct cost_link *link = cost_find_link(from, e->round.repairs[i].ifindex);

		if (link && is_unrepaired(&e->round.repairs[i], link->active))
			e->round.repairs[n++] = e->round.repairs[i];
	}
	e->round.n_repairs = n;
}

static int list_services(struct effect *e, const struct cost_sample *from, const struct cost_sample *to)
{
	_cleanup_free_ struct cost_service *found = NULL;
	size_t n = 0;
	int r = cost_compare(from, to, e->round.affected, e->round.n_affected, &found, &n);

	if (r < 0)
		return r;
	e->round.services = calloc(n + 1, sizeof(*e->round.services));
	if (!e->round.services)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct observed *service = &e->round.services[e->round.n_services];

		if (!cost_is_enough(&found[i]) || !name_service(found[i].path, service->name))
			continue;
		service->before = found[i];
		e->round.n_services++;
	}
	qsort(e->round.services, e->round.n_services, sizeof(*e->round.services), compare_bytes);
	if (e->round.n_services > EFFECT_SERVICES_MAX)
		e->round.n_services = EFFECT_SERVICES_MAX;
	return 0;
}

/* Ends the window before the repairs. False: there is nothing to observe. */
static bool end_before(struct effect *e)
{
	const struct cost_sample *from = e->earlier.end_usec ? &e->earlier : &e->last, *to = &e->ended;

	if (e->round.services)
		return find_affected(e) >= 0;
	drop_unlike(e, from);
	return e->round.n_repairs && to->begin_usec > from->end_usec &&
	       (to->begin_usec - e->changed_usec) * LATE_FACTOR <= to->begin_usec - from->end_usec && find_affected(e) >= 0 &&
	       list_services(e, from, to) >= 0 && e->round.n_services;
}

/* ---- the windows after ---- */

static bool end_window(struct effect *e, const struct cost_sample *to, bool later)
{
	_cleanup_free_ struct cost_service *found = NULL;
	size_t n = 0;

	if (cost_compare(&e->last, to, e->round.affected, e->round.n_affected, &found, &n) < 0)
		return false;
	for (size_t i = 0; i < e->round.n_services; i++) {
		struct observed *service = &e->round.services[i];
		struct cost_service *window = later ? &service->later : &service->after;

		*window = (struct cost_service){ 0 };
		for (size_t k = 0; k < n; k++)
			if (found[k].cgroup == service->before.cgroup)
				*window = found[k];
	}
	return true;
}

static void begin_finding(const struct effect *e, enum finding_code code, const struct repair *repair, struct finding *f)
{
	finding_init(f, code, NULL);
	f->ifindex = repair->ifindex;
	memcpy(f->link, repair->link, sizeof(f->link));
	f->on = repair->on;
	f->off = repair->off;
	memcpy(f->rules, repair->rules, sizeof(f->rules));
	f->n_rules = repair->n_rules;
	f->n_others = (unsigned)e->round.n_repairs - 1;
}

static void report(const struct effect *e, const struct observed *service, enum finding_code code)
{
	struct cost_service after = service->after;
	struct finding f;

	cost_add(&after, &service->later);
	begin_finding(e, code, &e->round.repairs[0], &f);
	util_append(f.service, sizeof(f.service), "%s", service->name);
	f.cost = (struct finding_cost){ cost_per_gb(&service->before), cost_per_gb(&after), cost_softirq_per_gb(&service->before),
		cost_softirq_per_gb(&after), service->before.duration_usec, after.duration_usec };
	e->options.fn(&f, e->options.userdata);
}

static void undo(struct effect *e)
{
	struct finding f;

	for (size_t i = 0; i < e->round.n_repairs && e->options.undo; i++) {
		const struct repair *repair = &e->round.repairs[i];

		if (!repair->ours || !e->options.undo(repair->ifindex, repair->on, repair->off, e->options.userdata))
			continue;
		begin_finding(e, FINDING_EFFECT_UNDONE, repair, &f);
		f.n_others = 0;
		e->options.fn(&f, e->options.userdata);
	}
}

/* False: nothing is certain yet. */
static bool conclude(struct effect *e)
{
	static const enum finding_code codes[] = {
		[COST_HELPED] = FINDING_EFFECT_HELPED, [COST_SAME] = FINDING_EFFECT_NONE, [COST_WORSE] = FINDING_EFFECT_WORSE };
	unsigned n[COST_WORSE + 1] = { 0 };

	for (size_t i = 0; i < e->round.n_services; i++) {
		const struct observed *service = &e->round.services[i];
		enum cost_verdict verdict = cost_judge(&service->before, &service->after, &service->later);

		n[verdict]++;
		if (verdict != COST_UNKNOWN)
			report(e, service, codes[verdict]);
	}
	if (n[COST_UNKNOWN] == e->round.n_services)
		return false;
	if (n[COST_WORSE] && !n[COST_HELPED])
		undo(e);
	return true;
}

static void begin_window(struct effect *e, enum stage stage, const struct cost_sample *from)
{
	e->round.stage = stage;
	e->due_usec = from->end_usec + e->round.window_usec;
}

/* The windows so far become the first one, and a longer one follows. */
static void lengthen(struct effect *e, const struct cost_sample *from)
{
	for (size_t i = 0; i < e->round.n_services; i++)
		cost_add(&e->round.services[i].after, &e->round.services[i].later);
	e->round.window_usec *= EFFECT_LONGER;
	begin_window(e, STAGE_LATER, from);
}

static void advance(struct effect *e, const struct cost_sample *sample)
{
	switch (e->round.stage) {
	case STAGE_NONE:
		return;
	case STAGE_REPAIRED:
		e->round.window_usec = e->window_usec;
		if (end_before(e))
			begin_window(e, STAGE_AFTER, sample);
		else
			end_round(e);
		return;
	case STAGE_AFTER:
		if (end_window(e, sample, false))
			begin_window(e, STAGE_LATER, sample);
		else
			end_round(e);
		return;
	case STAGE_LATER:
		if (end_window(e, sample, true) && !conclude(e) && e->round.tries++ < EFFECT_TRIES)
			lengthen(e, sample);
		else
			end_round(e);
		return;
	}
}

void effect_take(struct effect *e, struct cost_sample *sample)
{
	bool changed = e->changed;

	if (changed && !e->ended.end_usec) {
		e->ended = *sample;
		*sample = (struct cost_sample){ 0 };
		e->due_usec = e->changing_usec + EFFECT_PAUSE_USEC;
		return;
	}
	e->due_usec = 0;
	e->changed = false;
	if (!lasts(e))
		end_round(e);
	advance(e, sample);
	cost_sample_clear(&e->ended);
	if (changed || !e->last.end_usec) {
		cost_sample_clear(&e->earlier);
	} else if (!e->earlier.end_usec || e->last.end_usec - e->earlier.end_usec >= EFFECT_RENEW_USEC) {
		cost_sample_clear(&e->earlier);
		e->earlier = e->last;
		e->last = (struct cost_sample){ 0 };
	}
	cost_sample_clear(&e->last);
	e->last = *sample;
	*sample = (struct cost_sample){ 0 };
	if (!e->settled)
		util_earlier(&e->due_usec, e->last.end_usec + EFFECT_SETTLED_USEC);
}

/* ---- what happens ---- */

void effect_note_event(struct effect *e, const struct finding *event)
{
	enum event_kind kind = finding_event(event->code);
	struct repair *repair = NULL;

	if ((kind != EVENT_REPAIRED && kind != EVENT_RECOVERED) || !event->ifindex || !finding_features(event) ||
		!e->last.end_usec)
		return;
	for (size_t i = 0; i < e->round.n_repairs; i++)
		if (e->round.repairs[i].ifindex == event->ifindex)
			repair = &e->round.repairs[i];
	if (!repair && e->round.n_repairs == EFFECT_LINKS_MAX)
		return;
	if (!repair)
		repair = &e->round.repairs[e->round.n_repairs++];
	repair->ifindex = event->ifindex;
	repair->on = (repair->on & ~event->off) | event->on;
	repair->off = (repair->off & ~event->on) | event->off;
	memcpy(repair->link, event->link, sizeof(repair->link));
	memcpy(repair->rules, event->rules, sizeof(repair->rules));
	repair->n_rules = event->n_rules;
	repair->ours = event->code == FINDING_REPAIRED;
	e->round.stage = STAGE_REPAIRED;
}

void effect_note_change(struct effect *e, uint64_t now_usec)
{
	if (!e->last.end_usec)
		return;
	if (!differs(e->ended.end_usec ? &e->ended : &e->last, e->options.links)) {
		if (!e->changed && e->round.stage == STAGE_REPAIRED)
			end_round(e); /* it drifted only for a moment */
		return;
	}
	cost_end_reading(&e->reading); /* it began with other features */
	e->changing_usec = now_usec;
	if (!e->changed) {
		e->changed = true;
		e->changed_usec = e->due_usec = now_usec;
		e->round.restarts++;
	} else if (e->ended.end_usec) {
		e->due_usec = now_usec + EFFECT_PAUSE_USEC;
	}
	if (e->round.restarts > RESTARTS_MAX || now_usec - e->changed_usec > CHANGING_USEC)
		end_round(e);
	if (e->round.stage != STAGE_NONE)
		e->round.stage = STAGE_REPAIRED;
}

void effect_set_window(struct effect *e, uint64_t window_usec)
{
	e->window_usec = window_usec;
}

/* ---- time ---- */

uint64_t effect_deadline(const struct effect *e)
{
	if (e->reading.open)
		return 1;
	return e->due_usec && e->due_usec < e->rest_usec ? e->rest_usec : e->due_usec;
}

/* Is a sample to be taken now, because it is due, or because we are awake and the last one is old? */
static bool is_due(const struct effect *e, uint64_t now_usec)
{
	if (e->reading.open)
		return true;
	if (now_usec < e->rest_usec)
		return false;
	return (e->due_usec && e->due_usec <= now_usec) ||
	       (e->round.stage == STAGE_NONE && now_usec >= e->last.end_usec + EFFECT_RENEW_USEC);
}

void effect_tick(struct effect *e, uint64_t now_usec)
{
	struct cost_sample sample = { 0 };
	int r;

	if (!is_due(e, now_usec))
		return;
	e->settled = e->settled || (e->last.end_usec && now_usec >= e->last.end_usec + EFFECT_SETTLED_USEC);
	r = cost_read(&e->reading, e->options.links, &e->last, util_now_usec() + EFFECT_SLICE_USEC, &sample);
	if (r == -EAGAIN)
		return;
	if (r < 0) {
		end_round(e);
		cost_sample_clear(&e->earlier);
		cost_sample_clear(&e->last);
		cost_sample_clear(&e->ended);
		e->due_usec = 0;
		e->changed = false;
		e->settled = true;
		e->rest_usec = now_usec + EFFECT_RETRY_USEC;
		return;
	}
	e->rest_usec = sample.end_usec + (sample.end_usec - sample.begin_usec) * EFFECT_COST_FACTOR;
	effect_take(e, &sample);
}

/* ---- */

int effect_new(const struct effect_options *options, struct effect **ret)
{
	*ret = calloc(1, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	(*ret)->options = *options;
	(*ret)->window_usec = WINDOW_DEFAULT_USEC;
	(*ret)->due_usec = 1;
	return 0;
}

void effect_free(struct effect *e)
{
	if (!e)
		return;
	end_round(e);
	cost_end_reading(&e->reading);
	cost_sample_clear(&e->earlier);
	cost_sample_clear(&e->last);
	cost_sample_clear(&e->ended);
	free(e);
}
