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

/* A link that a repair may have an effect on: itself, or one above. */
struct affected {
	int ifindex;
	uint64_t repairs; /* bits: of round.repairs[] */
};

struct observed {
	struct cost_service before, after, later; /* path: not set; duration_usec 0: it was not there */
	uint64_t repairs; /* bits: those that its traffic depends on */
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
	int undone[EFFECT_LINKS_MAX]; /* since the rules last changed */
	size_t n_undone;
	struct {
		enum stage stage;
		struct cost_sample from; /* the begin of the window before; empty until that has ended */
		struct repair repairs[EFFECT_LINKS_MAX];
		size_t n_repairs;
		struct affected *affected;
		size_t n_affected;
		struct observed *services;
		size_t n_services;
		unsigned tries, restarts;
		uint64_t window_usec;
	} round;
};

/* ---- reports ---- */

static void begin_finding(enum finding_code code, const struct repair *repair, struct finding *f)
{
	finding_init(f, code, NULL);
	f->ifindex = repair->ifindex;
	memcpy(f->link, repair->link, sizeof(f->link));
	f->on = repair->on;
	f->off = repair->off;
	memcpy(f->rules, repair->rules, sizeof(f->rules));
	f->n_rules = repair->n_rules;
}

static void report(const struct effect *e, const struct observed *service, enum cost_verdict verdict, enum finding_unknown why)
{
	static const enum finding_code codes[] = { [COST_UNKNOWN] = FINDING_EFFECT_UNKNOWN, [COST_HELPED] = FINDING_EFFECT_HELPED,
		[COST_SAME] = FINDING_EFFECT_NONE, [COST_WORSE] = FINDING_EFFECT_WORSE };
	const struct cost_service *before = &service->before;
	struct cost_service after = service->after;
	struct finding f;

	if (!service->repairs) /* its links are no longer above those that were repaired */
		return;
	cost_add(&after, &service->later);
	begin_finding(codes[verdict], &e->round.repairs[__builtin_ctzll(service->repairs)], &f);
	f.n_others = (unsigned)__builtin_popcountll(service->repairs) - 1;
	util_append(f.service, sizeof(f.service), "%s", service->name);
	f.cost = (struct finding_cost){ .cpu_before_usec = cost_per_gb(before), .softirq_before_usec = cost_softirq_per_gb(before),
		.before_bytes = before->bytes, .before_usec = before->duration_usec, .unknown = why };
	if (!why || why == UNKNOWN_SOFTIRQ)
		f.cost.softirq_after_usec = cost_softirq_per_gb(&after);
	if (!why) {
		f.cost.cpu_after_usec = cost_per_gb(&after);
		f.cost.after_bytes = after.bytes;
		f.cost.after_usec = after.duration_usec;
	}
	e->options.fn(&f, e->options.userdata);
}

static void end_round(struct effect *e)
{
	free(e->round.affected);
	free(e->round.services);
	cost_sample_clear(&e->round.from);
	memset(&e->round, 0, sizeof(e->round));
}

static void give_up(struct effect *e, enum finding_unknown why)
{
	for (size_t i = 0; i < e->round.n_services; i++)
		report(e, &e->round.services[i], COST_UNKNOWN, why);
	end_round(e);
}

/* ---- links ---- */

/* The bits of the repairs that may have an effect on it. */
static uint64_t find_repairs(const struct effect *e, int ifindex)
{
	for (size_t i = 0; i < e->round.n_affected; i++)
		if (e->round.affected[i].ifindex == ifindex)
			return e->round.affected[i].repairs;
	return 0;
}

/* Adds a link and those above it, depth first: each only once, so a loop ends. */
static int affect(struct effect *e, const struct link *link, uint64_t repair)
{
	const struct link_table *links = e->options.links;
	const struct link *master;
	size_t i = 0;
	int r = 0;

	while (i < e->round.n_affected && e->round.affected[i].ifindex != link->ifindex)
		i++;
	if (i == e->round.n_affected) {
		if (!GROW(e->round.affected, e->round.n_affected))
			return -ENOMEM;
		e->round.affected[e->round.n_affected++] = (struct affected){ .ifindex = link->ifindex };
	}
	if (e->round.affected[i].repairs & repair)
		return 0;
	e->round.affected[i].repairs |= repair;
	for (const struct link *upper = link_first_upper(links, link); upper && r == 0; upper = link_next_upper(links, upper))
		r = affect(e, upper, repair);
	master = link_master(links, link);
	return r == 0 && master ? affect(e, master, repair) : r;
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

		r = link ? affect(e, link, UINT64_C(1) << i) : 0;
	}
	return r;
}

/* Is it repaired with these features? */
static bool is_repaired(const struct repair *repair, feature_set active)
{
	return !(repair->on & ~active) && !(repair->off & active);
}

/* Why the effect cannot be observed any more. */
static enum finding_unknown find_end(const struct effect *e)
{
	for (size_t i = 0; i < e->round.n_repairs; i++) {
		const struct link *link = link_table_find(e->options.links, e->round.repairs[i].ifindex);

		if (!link)
			return UNKNOWN_LINK_GONE;
		if (!link->has_features || !is_repaired(&e->round.repairs[i], link->features.active))
			return UNKNOWN_FEATURES_CHANGED;
	}
	return UNKNOWN_NOT;
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

/* Keeps what differs from the window before: a feature that drifted later, and was repaired, does not. */
static void drop_unchanged(struct effect *e)
{
	size_t n = 0;

	for (size_t i = 0; i < e->round.n_repairs; i++) {
		struct repair repair = e->round.repairs[i];
		const struct cost_link *link = cost_find_link(&e->round.from, repair.ifindex);

		repair.on &= link ? ~link->active : 0;
		repair.off &= link ? link->active : 0;
		if (repair.on | repair.off)
			e->round.repairs[n++] = repair;
	}
	e->round.n_repairs = n;
}

/* Sets on_links, and returns the repairs that have an effect on more than a little of its traffic. */
static uint64_t find_use(const struct effect *e, struct cost_service *service)
{
	uint64_t repairs = 0;

	service->on_links = 0;
	for (unsigned i = 0; i < service->n_uses; i++) {
		uint64_t found = find_repairs(e, service->uses[i].ifindex);

		service->on_links += found ? service->uses[i].bytes : 0;
		repairs |= service->uses[i].bytes > service->bytes / 10 ? found : 0;
	}
	return repairs;
}

static int list_services(struct effect *e)
{
	_cleanup_free_ struct cost_service *found = NULL;
	size_t n = 0;
	int r = cost_compare(&e->round.from, &e->ended, &found, &n);

	if (r < 0)
		return r;
	e->round.services = calloc(n + 1, sizeof(*e->round.services));
	if (!e->round.services)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct observed *service = &e->round.services[e->round.n_services];

		service->repairs = find_use(e, &found[i]);
		if (!service->repairs || !cost_is_enough(&found[i]) || !name_service(found[i].path, service->name))
			continue;
		service->before = found[i];
		e->round.n_services++;
	}
	qsort(e->round.services, e->round.n_services, sizeof(*e->round.services), compare_bytes);
	if (e->round.n_services > EFFECT_SERVICES_MAX)
		e->round.n_services = EFFECT_SERVICES_MAX;
	return 0;
}

/* Begins the window before, which has ended. It is as long as those after, if it can be: in a longer one more connections end, whose
 * bytes are not known. False: there is none. */
static bool take_before(struct effect *e)
{
	bool is_long = !e->earlier.end_usec || e->ended.begin_usec >= e->last.end_usec + e->window_usec;
	struct cost_sample *from = is_long ? &e->last : &e->earlier;
	uint64_t usec = e->ended.begin_usec - from->end_usec, late_usec = e->ended.begin_usec - e->changed_usec;

	if (e->ended.begin_usec <= from->end_usec || late_usec * LATE_FACTOR > usec)
		return false;
	e->round.from = *from;
	*from = (struct cost_sample){ 0 };
	return true;
}

/* The features are as repaired. False: there is nothing to observe. */
static bool begin_after(struct effect *e)
{
	if (!e->round.from.end_usec && !take_before(e))
		return false;
	drop_unchanged(e);
	if (!e->round.n_repairs || find_affected(e) < 0 || (!e->round.services && list_services(e) < 0))
		return false;
	for (size_t i = 0; i < e->round.n_services; i++)
		e->round.services[i].repairs = find_use(e, &e->round.services[i].before);
	return e->round.n_services;
}

/* ---- the windows after ---- */

static enum finding_unknown end_window(struct effect *e, const struct cost_sample *to, bool later)
{
	_cleanup_free_ struct cost_service *found = NULL;
	enum finding_unknown why = UNKNOWN_SERVICE_GONE;
	size_t n = 0;

	if (cost_compare(&e->last, to, &found, &n) < 0)
		return UNKNOWN_NOT_READ;
	for (size_t i = 0; i < e->round.n_services; i++) {
		struct observed *service = &e->round.services[i];
		struct cost_service *window = later ? &service->later : &service->after;

		*window = (struct cost_service){ 0 };
		for (size_t k = 0; k < n; k++) {
			if (found[k].cgroup != service->before.cgroup)
				continue;
			*window = found[k];
			(void)find_use(e, window);
			why = UNKNOWN_NOT;
		}
	}
	return why;
}

static bool may_undo(const struct effect *e, int ifindex)
{
	for (size_t i = 0; i < e->n_undone; i++)
		if (e->undone[i] == ifindex)
			return false;
	return e->n_undone < EFFECT_LINKS_MAX;
}

/* repairs: bits */
static void undo(struct effect *e, uint64_t repairs)
{
	struct finding f;

	for (size_t i = 0; i < e->round.n_repairs && e->options.undo; i++) {
		const struct repair *repair = &e->round.repairs[i];

		if (!(repairs >> i & 1) || !repair->ours || !may_undo(e, repair->ifindex) ||
			!e->options.undo(repair->ifindex, repair->on, repair->off, e->options.userdata))
			continue;
		e->undone[e->n_undone++] = repair->ifindex;
		begin_finding(FINDING_EFFECT_UNDONE, repair, &f);
		e->options.fn(&f, e->options.userdata);
	}
}

/* last: nothing more will be known. False: nothing is certain yet. */
static bool conclude(struct effect *e, bool last)
{
	uint64_t worse = 0, helped = 0;
	bool certain = last;

	for (size_t i = 0; i < e->round.n_services && !certain; i++) {
		const struct observed *service = &e->round.services[i];
		enum finding_unknown why;

		certain = cost_judge(&service->before, &service->after, &service->later, &why) != COST_UNKNOWN;
	}
	for (size_t i = 0; i < e->round.n_services && certain; i++) {
		const struct observed *service = &e->round.services[i];
		enum finding_unknown why;
		enum cost_verdict verdict = cost_judge(&service->before, &service->after, &service->later, &why);

		report(e, service, verdict, why);
		worse |= verdict == COST_WORSE ? service->repairs : 0;
		helped |= verdict == COST_HELPED ? service->repairs : 0;
	}
	undo(e, worse & ~helped);
	return certain;
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
	enum finding_unknown why = find_end(e);
	bool later = e->round.stage == STAGE_LATER;

	if (e->round.stage == STAGE_NONE)
		return;
	if (!why && e->round.stage != STAGE_REPAIRED)
		why = end_window(e, sample, later);
	if (why) {
		give_up(e, why);
	} else if (e->round.stage == STAGE_REPAIRED) {
		e->round.window_usec = e->window_usec;
		if (begin_after(e))
			begin_window(e, STAGE_AFTER, sample);
		else
			end_round(e);
	} else if (!later) {
		begin_window(e, STAGE_LATER, sample);
	} else if (conclude(e, e->round.tries++ == EFFECT_TRIES)) {
		end_round(e);
	} else {
		lengthen(e, sample);
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
	struct repair added = { .ifindex = event->ifindex, .on = event->on, .off = event->off, .n_rules = event->n_rules,
		.ours = event->code == FINDING_REPAIRED }, *repair = NULL;
	const struct cost_link *before = cost_find_link(&e->last, event->ifindex);

	/* a link that is new, or drifted only for a moment, has no cost before */
	if ((kind != EVENT_REPAIRED && kind != EVENT_RECOVERED) || !before || is_repaired(&added, before->active))
		return;
	for (size_t i = 0; i < e->round.n_repairs; i++)
		if (e->round.repairs[i].ifindex == event->ifindex)
			repair = &e->round.repairs[i];
	if (!repair && e->round.n_repairs == EFFECT_LINKS_MAX)
		return;
	if (repair) {
		added.on |= repair->on & ~added.off;
		added.off |= repair->off & ~added.on;
		added.ours &= repair->ours;
	} else {
		repair = &e->round.repairs[e->round.n_repairs++];
	}
	memcpy(added.link, event->link, sizeof(added.link));
	memcpy(added.rules, event->rules, sizeof(added.rules));
	*repair = added;
	e->round.stage = STAGE_REPAIRED;
}

void effect_note_change(struct effect *e, uint64_t now_usec)
{
	if (!e->last.end_usec || !differs(e->ended.end_usec ? &e->ended : &e->last, e->options.links))
		return;
	cost_end_reading(&e->reading); /* it began with other features */
	e->changing_usec = now_usec;
	if (!e->changed) {
		e->changed = true;
		e->changed_usec = e->due_usec = now_usec;
		e->round.restarts += e->round.stage != STAGE_NONE;
	} else if (e->ended.end_usec) {
		e->due_usec = now_usec + EFFECT_PAUSE_USEC;
	}
	if (e->round.restarts > RESTARTS_MAX || now_usec - e->changed_usec > CHANGING_USEC)
		give_up(e, UNKNOWN_FEATURES_CHANGED);
	if (e->round.stage != STAGE_NONE)
		e->round.stage = STAGE_REPAIRED;
}

void effect_note_rules(struct effect *e)
{
	e->n_undone = 0;
	give_up(e, UNKNOWN_RULES_CHANGED);
}

void effect_set_window(struct effect *e, uint64_t window_usec)
{
	e->window_usec = window_usec;
}

/* ---- time ---- */

uint64_t effect_deadline(const struct effect *e)
{
	if (e->reading.stage)
		return 1;
	return e->due_usec && e->due_usec < e->rest_usec ? e->rest_usec : e->due_usec;
}

/* Is a sample to be taken now, because it is due, or because we are awake and the last one is old? */
static bool is_due(const struct effect *e, uint64_t now_usec)
{
	if (e->reading.stage)
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
		give_up(e, UNKNOWN_NOT_READ);
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
