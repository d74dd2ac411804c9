/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/reconcile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/event_report.h"
#include "basic/util.h"

#define DEPTH_MAX 16

/* 10 ms to a week */
static const uint64_t drift_bounds[] = { 10 * USEC_PER_MSEC, 100 * USEC_PER_MSEC, USEC_PER_SEC, 10 * USEC_PER_SEC, 60 * USEC_PER_SEC,
	600 * USEC_PER_SEC, 3600 * USEC_PER_SEC, 6 * 3600 * USEC_PER_SEC, 24 * 3600 * USEC_PER_SEC, 7 * 24 * 3600 * USEC_PER_SEC };

struct reconcile {
	struct observe *o;
	const struct rule_host *host;
	struct reconcile_options options;
	const struct rule_set *rules; /* those below, or the caller's */
	struct rule_set own_rules;
	struct contention_limits limits;
	struct link_states states;
	/* CLOCK_MONOTONIC, 0: never */
	uint64_t deferred_usec;	  /* when deferred links become dirty */
	uint64_t wait_usec;	  /* when to call end_waits(): not later than the end of the first pause, quiet time or retry delay */
	uint64_t not_before_usec; /* when to retry after a failed run */
	bool carrier_lost; /* of a link that was repaired, since the last tick */
	uint64_t limits_usec;	  /* when to read declared limits again; 0: none are declared */
	struct reconcile_counts counts;
	uint64_t now_usec; /* of the last run */
	int64_t realtime_sec;
	struct histogram drift;
	unsigned n_reactions; /* links for which reconcile_note_reaction() observes it */
	struct unfinished *unfinished; /* NULL: none */
};

/* A run of which some links are late (apply_is_late()): it goes on when they have followed, or when they have had time enough. */
struct unfinished {
	struct plan plan;
	struct apply_report report;
	int *indexes;
	size_t n_indexes;
	uint64_t end_usec; /* 0: now */
};

static void unfinished_free(struct unfinished *u)
{
	if (!u)
		return;
	plan_clear(&u->plan);
	apply_report_clear(&u->report);
	free(u->indexes);
	free(u);
}

/* ---- a kernel event marks a link ---- */

static void forget_link(struct reconcile *r, int ifindex)
{
	link_states_remove(&r->states, ifindex);
	if (!r->options.ledger)
		return;
	ledger_forget(r->options.ledger, ifindex);
	ledger_resume(r->options.ledger, ifindex);
}

/* Is the link, or one below it, contended? Then it changes as often as that one. */
static bool is_above_contended(const struct reconcile *r, const struct link *link, unsigned depth)
{
	const struct link_table *links = &r->o->links;
	const struct link *lower = link_lower(links, link);

	if (link_state_contended(link_states_find(&r->states, link->ifindex)))
		return true;
	if (depth >= DEPTH_MAX)
		return false;
	if (lower && is_above_contended(r, lower, depth + 1))
		return true;
	for (struct link *port = link_first_port(links, link); port; port = link_next_port(links, port))
		if (is_above_contended(r, port, depth + 1))
			return true;
	return false;
}

static void see_features(struct link_contention *c, const struct link *link)
{
	c->seen_active = link->features.active;
	c->seen_wanted = link->features.wanted;
}

static void touch(struct link_contention *c, const struct link *link)
{
	c->touched |= (c->seen_active ^ link->features.active) | (c->seen_wanted ^ link->features.wanted);
	see_features(c, link);
}

static void touch_limits(struct link_limit_state *limits, const struct link *link)
{
	for (unsigned i = 0; i < LINK_LIMIT_SETTABLE; i++)
		if (limits->seen.value[i] != link->limits.value[i])
			limits->contention.touched |= LINK_LIMIT(i);
	limits->seen = link->limits;
}

static bool is_unresolved(const struct link_state *state)
{
	return link_state_unresolved(state) || link_state_limits_unresolved(state);
}

static void mark_link(struct reconcile *r, const struct link *link, enum link_mark mark)
{
	const struct ledger *ledger = r->options.ledger;
	struct link_state *state;

	link_states_mark(&r->states, link->ifindex, mark, true);
	state = link_states_find(&r->states, link->ifindex);
	if (!state || !ledger)
		return;
	state->paused = ledger_is_paused(ledger, link, &state->pause_until_usec);
	util_earlier(&r->wait_usec, state->pause_until_usec);
}

/* Is the link as the unfinished run expects it? Then its change brings nothing new. */
static bool has_followed(struct reconcile *r, const struct link *link)
{
	const struct plan_link *pl = r->unfinished ? plan_find(&r->unfinished->plan, link->ifindex) : NULL;

	if (!pl || !link->has_features || link->features_stale || link->features.active != pl->predicted.active ||
		link->features.wanted != pl->predicted.wanted || !link_limits_equal(&link->limits, &pl->limits_predicted))
		return false;
	if (!apply_is_late(r->o, &r->unfinished->plan, &r->unfinished->report))
		r->unfinished->end_usec = 0;
	return true;
}

/* A repair that makes the link lose its carrier costs more than one that does not. */
static void see_carrier(struct reconcile *r, const struct link *link, struct link_contention *c)
{
	if (!c || c->carrier_losses == link->carrier_losses)
		return;
	c->carrier_losses = link->carrier_losses;
	c->carrier_lost = r->carrier_lost = true;
}

static void note_lower_changed(struct reconcile *r, const struct link *link)
{
	struct link_table *links = &r->o->links;

	link_table_stack(links);
	for (struct link *upper = link_first_upper(links, link); upper; upper = link_next_upper(links, upper)) {
		struct link_state *state = link_is_kind(upper, "vlan") ? link_states_find(&r->states, upper->ifindex) : NULL;

		if (state)
			state->lower_changed = true;
	}
}

static void link_changed(int ifindex, struct link *link, void *userdata)
{
	struct reconcile *r = userdata;
	enum link_mark mark = LINK_MARK_DIRTY;
	struct link_state *state;

	if (!link) {
		forget_link(r, ifindex);
		return;
	}
	state = link_states_find(&r->states, ifindex);
	see_carrier(r, link, state ? state->contention : NULL);
	if (has_followed(r, link))
		return;
	note_lower_changed(r, link);
	if (r->states.n_contended) {
		if (link_state_contended(state))
			touch(state->contention, link);
		if (link_state_limits_contended(state))
			touch_limits(state->limits, link);
		link_table_stack(&r->o->links);
		if (link->has_features && is_above_contended(r, link, 0))
			mark = LINK_MARK_DEFERRED;
	}
	mark_link(r, link, mark);
}

void reconcile_mark_all(struct reconcile *r)
{
	link_table_foreach(&r->o->links, link)
		mark_link(r, link, LINK_MARK_DIRTY);
}

/* ---- creation and settings ---- */

static int finish(struct reconcile *r);

void reconcile_drift_init(struct histogram *ret)
{
	*ret = (struct histogram){ .bounds_usec = drift_bounds, .n_bounds = ARRAY_SIZE(drift_bounds) };
}

int reconcile_new(struct observe *o, const struct rule_host *host,
	const struct reconcile_options *options, struct reconcile **ret)
{
	struct reconcile *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->o = o;
	r->host = host;
	r->options = *options;
	r->limits = CONTENTION_LIMITS;
	r->rules = &r->own_rules;
	reconcile_drift_init(&r->drift);
	o->changed = link_changed;
	o->userdata = r;
	*ret = r;
	return 0;
}

void reconcile_free(struct reconcile *r)
{
	if (!r)
		return;
	if (r->o->userdata == r)
		r->o->changed = NULL;
	unfinished_free(r->unfinished);
	link_states_clear(&r->states);
	rule_set_clear(&r->own_rules);
	free(r);
}

void reconcile_configure(struct reconcile *r, bool enforce, const struct contention_limits *limits)
{
	finish(r);
	r->limits = *limits;
	if (enforce == r->options.enforce)
		return;
	r->options.enforce = enforce;
	link_states_foreach(&r->states, state)
		link_states_forget_reported(&r->states, state);
	reconcile_mark_all(r);
}

static void replace_rules(struct reconcile *r, const struct rule_set *rules)
{
	r->rules = rules;
	link_states_foreach(&r->states, state) {
		link_state_forget_refusals(state);
		link_states_forget_reported(&r->states, state);
		state->result = (struct link_result){ 0 };
	}
	r->not_before_usec = 0;
	reconcile_mark_all(r);
}

void reconcile_take_rules(struct reconcile *r, struct rule_set *rules)
{
	finish(r);
	rule_set_clear(&r->own_rules);
	r->own_rules = *rules;
	*rules = (struct rule_set){ 0 };
	replace_rules(r, &r->own_rules);
}

void reconcile_borrow_rules(struct reconcile *r, const struct rule_set *rules)
{
	finish(r);
	rule_set_clear(&r->own_rules);
	replace_rules(r, rules);
}

const struct rule_set *reconcile_rules(const struct reconcile *r)
{
	return r->rules;
}

const struct link_states *reconcile_states(const struct reconcile *r)
{
	return &r->states;
}

bool reconcile_is_settled(const struct reconcile *r)
{
	return !r->states.n_dirty && !r->states.lost && !r->unfinished;
}

bool reconcile_is_pending(const struct reconcile *r)
{
	return !reconcile_is_settled(r) && r->not_before_usec == 0 && (!r->unfinished || !r->unfinished->end_usec);
}

bool reconcile_is_waiting(const struct reconcile *r)
{
	return r->unfinished;
}

bool reconcile_is_deferring(const struct reconcile *r)
{
	return r->states.n_deferred && reconcile_is_settled(r);
}

/* ---- collect: the links of a run ---- */

enum { COLLECTED_BELOW = 1, COLLECTED_UP, COLLECTED_UP_CHANGED }; /* link_state.collected */

struct collection {
	int *indexes; /* room for every link */
	size_t n;
};

static void collection_clear(struct collection *c)
{
	free(c->indexes);
}

/* 1; 0 if it was already collected in this way; -ENOMEM. */
static int collect_link(struct reconcile *r, const struct link *link, uint8_t how, struct collection *c)
{
	struct link_state *state = link_states_get(&r->states, link->ifindex);

	if (!state)
		return -ENOMEM;
	if (state->collected >= how)
		return 0;
	if (!state->collected)
		c->indexes[c->n++] = link->ifindex;
	state->collected = how;
	if (how == COLLECTED_UP_CHANGED)
		link_state_forget_refusals(state);
	return 1;
}

/* A link and everything stacked on it. What was refused there may be possible now. */
static int collect_up(struct reconcile *r, const struct link *link, uint8_t how, struct collection *c)
{
	struct link_table *links = &r->o->links;
	struct link *master;
	int error = collect_link(r, link, how, c);

	if (error <= 0)
		return error;
	for (struct link *up = link_first_upper(links, link); up; up = link_next_upper(links, up)) {
		error = collect_up(r, up, how, c);
		if (error < 0)
			return error;
	}
	master = link_master(links, link);
	return master ? collect_up(r, master, how, c) : 0;
}

/* The links directly below: whether a rule matches one by role, and its LRO, depend on the links above. */
static int collect_below(struct reconcile *r, const struct link *link, struct collection *c)
{
	struct link_table *links = &r->o->links;
	struct link *lower = link_lower(links, link);
	int error = lower ? collect_link(r, lower, COLLECTED_BELOW, c) : 0;

	for (struct link *port = link_first_port(links, link); port && error >= 0;
		port = link_next_port(links, port))
		error = collect_link(r, port, COLLECTED_BELOW, c);
	return error;
}

/* All links that the dirty links may affect. */
static int collect(struct reconcile *r, struct collection *c)
{
	struct link_table *links = &r->o->links;
	struct link_state *state;
	int error = 0;

	link_table_stack(links);
	c->indexes = malloc((link_table_count(links) + 1) * sizeof(*c->indexes));
	if (!c->indexes)
		return -ENOMEM;
	LIST_FOREACH(state, &r->states.marked, marked) {
		const struct link *link = link_table_find(links, state->ifindex);

		if (state->mark != LINK_MARK_DIRTY || !link)
			continue;
		error = collect_up(r, link, state->changed ? COLLECTED_UP_CHANGED : COLLECTED_UP, c);
		if (error >= 0)
			error = collect_below(r, link, c);
		if (error < 0)
			break;
	}
	for (size_t i = 0; i < c->n; i++)
		link_states_find(&r->states, c->indexes[i])->collected = 0;
	return error;
}

static void note_following(struct reconcile *r, const struct collection *c, uint64_t now_usec)
{
	for (size_t i = 0; i < c->n; i++) {
		struct link_state *state = link_states_find(&r->states, c->indexes[i]);

		if (state->lower_changed)
			state->follow_usec = now_usec + APPLY_LATE_USEC;
		state->lower_changed = false;
		state->following = state->follow_usec > now_usec;
		state->held = false;
	}
}

/* A mark was lost, and it is unknown which: reads every link again. */
static int recover_lost(struct reconcile *r)
{
	r->states.lost = false;
	link_table_foreach(&r->o->links, link)
		link->features_stale = true;
	reconcile_mark_all(r);
	return r->states.lost ? -ENOMEM : 0;
}

/* Reads features that are out of date. If that fails it is retried, because the device may only be detached for a reset. */
static int read_stale(struct reconcile *r, const struct collection *c, uint64_t now_usec)
{
	for (size_t i = 0; i < c->n; i++) {
		struct link *link = link_table_find(&r->o->links, c->indexes[i]);
		struct link_refusals *refusals;

		if (!link || !link->features_stale || observe_features(r->o, link) >= 0 || !link->features_stale)
			continue;
		refusals = link_state_refusals(link_states_find(&r->states, link->ifindex));
		if (!refusals)
			return -ENOMEM;
		apply_retry_later(refusals, now_usec);
		util_earlier(&r->wait_usec, refusals->retry_usec);
	}
	return 0;
}

/* ---- plan ---- */

int reconcile_plan(struct reconcile *r, const int *only, size_t n_only, int64_t realtime_sec,
	struct plan *ret)
{
	const struct plan_context context = {
		.table = &r->o->features,
		.rules = r->rules,
		.host = r->host,
		.now = realtime_sec,
		.audit = !r->options.enforce,
		.states = &r->states,
	};
	int error;

	link_table_stack(&r->o->links);
	error = plan_make(&context, &r->o->links, only, n_only, ret);
	r->counts.plans++;
	r->counts.predictions += ret->predictions;
	return error;
}

/* ---- contention ---- */

/* Sets link_contention.due for the plan of this run. now_usec 0: clears it after the plan. */
static void set_due(struct reconcile *r, const struct collection *c, uint64_t now_usec)
{
	for (size_t i = 0; i < c->n; i++) {
		struct link_contention *contention = link_states_find(&r->states, c->indexes[i])->contention;

		struct link_limit_state *limits = link_states_find(&r->states, c->indexes[i])->limits;

		if (contention)
			contention->due = now_usec ? contention_due(&r->limits, contention, now_usec) : 0;
		if (limits)
			limits->contention.due = now_usec ? contention_due(&r->limits, &limits->contention, now_usec) : 0;
	}
}

/* The contention of a link, NULL without memory. */
static struct link_contention *contention_of(struct reconcile *r, int ifindex)
{
	struct link_state *state = link_states_find(&r->states, ifindex);

	return state ? link_state_contention(state) : NULL;
}

/* The same for limits. */
static struct link_contention *limit_contention_of(struct reconcile *r, int ifindex)
{
	struct link_state *state = link_states_find(&r->states, ifindex);
	struct link_limit_state *limits = state ? link_state_limits(state) : NULL;

	return limits ? &limits->contention : NULL;
}

/* Before a SET, which may make the link lose its carrier. */
static void note_carrier(struct reconcile *r, const struct plan_step *step)
{
	const struct link *link = link_table_find(&r->o->links, step->ifindex);
	struct link_contention *c = step->limits.has ? limit_contention_of(r, step->ifindex) : contention_of(r, step->ifindex);

	if (c && link)
		c->carrier_losses = link->carrier_losses;
}

/* A SET that failed is no repair that another program could revert. Without memory a repair is not counted. */
static void count_repair(struct reconcile *r, const struct apply_result *result, uint64_t now_usec)
{
	bool is_limits = result->limits.has;
	struct link_contention *c = result->error ? NULL
		: is_limits			  ? limit_contention_of(r, result->ifindex)
						  : contention_of(r, result->ifindex);

	if (c)
		(void)contention_repair(&r->limits, c, is_limits ? result->limits.has : result->asked, now_usec);
}

static void begin_contention(struct reconcile *r, struct link_state *state, struct link_contention *c, feature_set due, uint64_t now_usec)
{
	r->states.n_contended += !is_unresolved(state);
	contention_begin(&r->limits, c, due, now_usec);
	util_earlier(&r->wait_usec, c->quiet_usec);
}

static void begin_contentions(struct reconcile *r, const struct plan *plan, uint64_t now_usec)
{
	for (size_t i = 0; i < plan->n_links; i++) {
		const struct plan_link *pl = &plan->links[i];
		const struct link *link = link_table_find(&r->o->links, pl->ifindex);
		struct link_state *state = link_states_find(&r->states, pl->ifindex);

		if (!link || !state)
			continue;
		if (pl->due && link_state_contention(state)) {
			begin_contention(r, state, state->contention, pl->due, now_usec);
			see_features(state->contention, link);
		}
		if (pl->limits_due && link_state_limits(state)) {
			begin_contention(r, state, &state->limits->contention, pl->limits_due, now_usec);
			state->limits->seen = link->limits;
		}
	}
}

/* ---- apply ---- */

/* Was one of these features checked before? Otherwise the link, or its rule, is new. */
static bool is_drift(const struct link_state *state, const struct apply_result *result)
{
	feature_set known = 0;

	for (int v = 0; v < VERDICT_COUNT; v++)
		known |= result->limits.has ? state->result.limits[v] & result->limits.has : state->result.features[v] & result->asked;
	return known;
}

static void count_drift(struct reconcile *r, const struct apply_result *result)
{
	struct link_state *state = link_states_find(&r->states, result->ifindex);

	if (!state || !is_drift(state, result))
		return;
	r->counts.sets_drift++;
	state->drift_repaired |= !result->error;
}

static int apply(struct reconcile *r, const struct plan *plan, uint64_t now_usec, struct apply_report *ret)
{
	int error;

	for (size_t i = 0; i < plan->n_steps; i++)
		note_carrier(r, &plan->steps[i]);
	error = apply_plan(r->o, plan, r->options.ledger, ret);
	for (size_t i = 0; i < ret->n_results; i++) {
		count_repair(r, &ret->results[i], now_usec);
		count_drift(r, &ret->results[i]);
	}
	if (error < 0)
		return error;
	r->counts.sets += ret->n_results;
	error = apply_learn(plan, ret, now_usec, &r->states);
	for (size_t i = 0; i < ret->n_results; i++) {
		struct link_state *state = link_states_find(&r->states, ret->results[i].ifindex);
		const struct link *link = link_table_find(&r->o->links, ret->results[i].ifindex);

		if (!state || !link)
			continue;
		if (link_state_contended(state))
			see_features(state->contention, link);
		if (state->refusals)
			util_earlier(&r->wait_usec, state->refusals->retry_usec);
		if (link_state_limits_contended(state))
			state->limits->seen = link->limits;
		if (state->limits)
			util_earlier(&r->wait_usec, state->limits->refusals.retry_usec);
	}
	return error;
}

/* ---- verify and keep ---- */

/* Sets the verdict of an item from the read-back. True if the link needs another reconcile. */
static bool verify_item(const struct link *link, const struct apply_report *report, struct plan_item *item)
{
	const struct apply_result *result;
	bool met;

	if ((!item->is_limit && item->bit >= FEATURE_MAX) || item->unread || item->not_provided || item->held ||
		item->cause == CAUSE_LIMIT_ELSEWHERE)
		return false;
	met = item->is_limit ? item->number.want == link->limits.value[item->number.limit]
			     : item->want == !!(link->features.active & FEATURE(item->bit));
	if (met && (!item->is_limit || (link->limits.has & LINK_LIMIT(item->number.limit)))) {
		item->verdict = VERDICT_COMPLIANT;
		return false;
	}
	if (item->verdict == VERDICT_COMPLIANT) {
		item->verdict = VERDICT_DRIFTED;
		return true;
	}
	if (item->verdict != VERDICT_DRIFTED || item->cause == CAUSE_AUDIT)
		return false;
	result = item->is_limit ? apply_find_limits(report, link->ifindex, LINK_LIMIT(item->number.limit))
				: apply_find(report, link->ifindex, FEATURE(item->bit));
	if (!result || !result->error)
		item->verdict = VERDICT_BLOCKED;
	else if (result->error != -ENODEV)
		item->verdict = VERDICT_REFUSED;
	return false;
}

/* True if the link needs another reconcile: the read-back already contains changes by other programs, so the kernel event for
 * them will not mark it. */
static bool verify_link(const struct link *link, const struct apply_report *report, struct plan_link *pl)
{
	const struct apply_result *result = apply_find(report, pl->ifindex, ~UINT64_C(0));
	feature_set other = link->features.wanted ^ pl->predicted.wanted;
	bool again = false;

	for (size_t i = 0; i < pl->n_items; i++)
		again |= verify_item(link, report, &pl->items[i]);
	if (result)
		other |= link->features.active ^ pl->predicted.active;
	return (other || again) && (!result || result->error != -ENODEV);
}

static void unmark(struct reconcile *r)
{
	struct link_state *state, *next;

	for (state = LIST_FIRST(&r->states.marked); state; state = next) {
		next = LIST_NEXT(state, marked);
		if (state->mark == LINK_MARK_DIRTY)
			link_state_unmark(&r->states, state);
	}
}

/* What is on trial counts as contended until it is resolved, although it matches the rules now. */
static void keep_trial(struct link_contention *c, struct link_result *result)
{
	feature_set held = c->trial & result->features[VERDICT_COMPLIANT];

	c->unheld = 0;
	for (int v = 0; v < VERDICT_COUNT; v++)
		if (v != VERDICT_COMPLIANT)
			c->unheld |= c->trial & result->features[v];
	result->features[VERDICT_COMPLIANT] &= ~held;
	result->features[VERDICT_CONTENDED] |= held;
}

static void keep_limit_trial(struct link_contention *c, struct link_result *result)
{
	unsigned held = (unsigned)c->trial & result->limits[VERDICT_COMPLIANT];

	c->unheld = 0;
	for (int v = 0; v < VERDICT_COUNT; v++)
		if (v != VERDICT_COMPLIANT)
			c->unheld |= c->trial & result->limits[v];
	result->limits[VERDICT_COMPLIANT] &= ~held;
	result->limits[VERDICT_CONTENDED] |= held;
}

/* When drift begins and ends. What could not be read is neither. */
static void note_drift(struct reconcile *r, struct link_state *state)
{
	bool drifts = link_result_is_drift(&state->result), repaired = state->drift_repaired;

	state->drift_repaired = false;
	if (state->result.unread)
		return;
	if (drifts && !state->drift_usec) {
		state->drift_usec = r->now_usec;
		state->drift_since = r->realtime_sec;
	}
	if (drifts)
		return;
	if (state->result.declared && state->drift_usec)
		histogram_observe(&r->drift, r->now_usec - state->drift_usec);
	else if (state->result.declared && repaired)
		r->n_reactions++;
	state->drift_usec = 0;
}

static void keep(struct reconcile *r, struct plan *plan, const struct apply_report *report, const int *indexes, size_t n)
{
	for (size_t i = 0; i < plan->n_links && report->n_results; i++) {
		const struct link *link = link_table_find(&r->o->links, plan->links[i].ifindex);

		if (link && (link->has_features || link->limits.has) && verify_link(link, report, &plan->links[i]))
			link_states_mark(&r->states, link->ifindex, LINK_MARK_DIRTY, false);
	}
	for (size_t i = 0; i < n; i++) {
		struct link_state *state = link_states_find(&r->states, indexes[i]);

		if (state)
			state->result = (struct link_result){ 0 };
	}
	if (plan_keep(plan, &r->states) < 0)
		r->states.lost = true;
	for (size_t i = 0; i < n; i++) {
		struct link_state *state = link_states_find(&r->states, indexes[i]);

		if (!state || !state->held)
			continue;
		state->result.pending = true;
		util_earlier(&r->wait_usec, state->follow_usec);
	}
	for (size_t i = 0; i < n && r->states.n_contended; i++) {
		struct link_state *state = link_states_find(&r->states, indexes[i]);

		if (state && state->contention)
			keep_trial(state->contention, &state->result);
		if (state && state->limits)
			keep_limit_trial(&state->limits->contention, &state->result);
	}
	for (size_t i = 0; i < n; i++) {
		struct link_state *state = link_states_find(&r->states, indexes[i]);

		if (state)
			note_drift(r, state);
	}
}

static bool declares_limits(const struct link_state *state)
{
	for (int v = 0; v < VERDICT_COUNT; v++)
		if (state->result.limits[v])
			return true;
	return false;
}

/* The kernel sends no event when a limit is changed, so declared limits are read from time to time. */
static void schedule_limits(struct reconcile *r, uint64_t now_usec)
{
	bool any = false;

	link_states_foreach(&r->states, state)
		any = any || declares_limits(state);
	if (!any)
		r->limits_usec = 0;
	else if (!r->limits_usec)
		r->limits_usec = now_usec + RECONCILE_LIMITS_USEC;
}

/* Compares uncertain features with what was read back. */
static void count_uncertain(struct reconcile *r, const struct plan *plan, const struct apply_report *report)
{
	for (size_t i = 0; i < plan->n_links && report->n_results; i++) {
		const struct plan_link *pl = &plan->links[i];
		const struct link *link = link_table_find(&r->o->links, pl->ifindex);
		feature_set wrong;

		if (!link || !link->has_features)
			continue;
		wrong = (link->features.active ^ pl->predicted.active) & pl->uncertain;
		r->counts.uncertain_wrong += (unsigned)__builtin_popcountll(wrong);
		r->counts.uncertain_right += (unsigned)__builtin_popcountll(pl->uncertain & ~wrong);
	}
}

static int report_and_keep(
	struct reconcile *r, struct plan *plan, const struct apply_report *report, const int *indexes, size_t n)
{
	int error = event_report(&r->states, plan, report, &r->o->links, r->options.fn, r->options.userdata);

	if (error >= 0)
		count_uncertain(r, plan, report);
	if (error >= 0)
		keep(r, plan, report, indexes, n);
	return error;
}

/* The rest of a run that waited for links that are late. 1; 0 if there is none; -ENOMEM, and then every link is looked at again. */
static int finish(struct reconcile *r)
{
	struct unfinished *u = r->unfinished;
	int error;

	if (!u)
		return 0;
	r->unfinished = NULL;
	apply_read_late(r->o, &u->plan, &u->report);
	link_states_foreach(&r->states, state)
		state->following = false; /* they have had time enough */
	error = report_and_keep(r, &u->plan, &u->report, u->indexes, u->n_indexes);
	if (error < 0)
		r->states.lost = true;
	unfinished_free(u);
	return error < 0 ? error : 1;
}

/* Takes all three over. False without memory. */
static bool wait_for_late(struct reconcile *r, struct plan *plan, struct apply_report *report, struct collection *c,
	uint64_t now_usec)
{
	struct unfinished *u = malloc(sizeof(*u));

	if (!u)
		return false;
	*u = (struct unfinished){ *plan, *report, c->indexes, c->n, now_usec + APPLY_LATE_USEC };
	*plan = (struct plan){ 0 };
	*report = (struct apply_report){ 0 };
	*c = (struct collection){ 0 };
	r->unfinished = u;
	return true;
}

/* ---- a run ---- */

static int run(struct reconcile *r, struct collection *c, uint64_t now_usec, int64_t realtime_sec)
{
	_cleanup_(apply_report_clear) struct apply_report report = { 0 };
	_cleanup_(plan_clear) struct plan plan = { 0 };
	int error = r->states.lost ? recover_lost(r) : 0;

	if (error >= 0)
		error = collect(r, c);
	if (error < 0)
		return error;
	error = read_stale(r, c, now_usec);
	if (error < 0)
		return error;
	note_following(r, c, now_usec);
	set_due(r, c, now_usec);
	error = reconcile_plan(r, c->indexes, c->n, realtime_sec, &plan);
	set_due(r, c, 0);
	if (error < 0)
		return error;
	begin_contentions(r, &plan, now_usec);
	error = apply(r, &plan, now_usec, &report);
	if (error < 0)
		return error;
	unmark(r);
	if (apply_is_late(r->o, &plan, &report) && wait_for_late(r, &plan, &report, c, now_usec))
		return 1;
	error = report_and_keep(r, &plan, &report, c->indexes, c->n);
	if (error < 0) {
		r->states.lost = true;
		return error;
	}
	return report.n_results > 0;
}

int reconcile_run(struct reconcile *r, uint64_t now_usec, int64_t realtime_sec)
{
	_cleanup_(collection_clear) struct collection c = { 0 };
	int finished, error;

	if (reconcile_is_settled(r))
		return 0;
	r->n_reactions = 0;
	r->now_usec = now_usec;
	r->realtime_sec = realtime_sec;
	finished = finish(r);
	if (finished < 0)
		return finished;
	schedule_limits(r, now_usec);
	if (reconcile_is_settled(r))
		return finished;
	r->counts.runs++;
	error = run(r, &c, now_usec, realtime_sec);
	schedule_limits(r, now_usec);
	if (error < 0)
		r->not_before_usec = now_usec + APPLY_RETRY_USEC;
	return error < 0 ? error : finished | error;
}

void reconcile_wait_late(struct reconcile *r)
{
	if (!r->unfinished)
		return;
	apply_wait_late(r->o, &r->unfinished->plan, &r->unfinished->report);
	(void)finish(r);
}

/* ---- pauses ---- */

static void report_pause(struct reconcile *r, enum finding_code code, const struct link *link, uint64_t duration_usec,
	uid_t user)
{
	struct finding f;

	finding_init(&f, code, link);
	f.duration_usec = duration_usec;
	f.user = user;
	r->options.fn(&f, r->options.userdata);
}

static int set_pause(struct reconcile *r, const struct link *link, bool paused, uint64_t until_usec)
{
	struct link_state *state = link_states_get(&r->states, link->ifindex);
	int error;

	if (!state)
		return -ENOMEM;
	error = paused ? ledger_pause(r->options.ledger, link, until_usec)
		       : ledger_resume(r->options.ledger, link->ifindex);
	if (error < 0)
		return error;
	state->paused = paused;
	state->pause_until_usec = until_usec;
	util_earlier(&r->wait_usec, until_usec);
	link_states_mark(&r->states, link->ifindex, LINK_MARK_DIRTY, true);
	return error;
}

int reconcile_pause(struct reconcile *r, int ifindex, uint64_t until_usec, uid_t user)
{
	const struct link *link = link_table_find(&r->o->links, ifindex);
	uint64_t now_usec = util_now_usec();
	int error;

	if (!link)
		return -ENODEV;
	error = set_pause(r, link, true, until_usec);
	if (error < 0)
		return error;
	report_pause(r, FINDING_PAUSED, link, until_usec > now_usec ? until_usec - now_usec : 0, user);
	return 0;
}

static int resume(struct reconcile *r, int ifindex, enum finding_code code, uid_t user)
{
	const struct link *link = link_table_find(&r->o->links, ifindex);
	const struct link_state *state = link_states_find(&r->states, ifindex);
	int error;

	if (!link)
		return -ENODEV;
	if (!state || !state->paused)
		return 0;
	error = set_pause(r, link, false, 0);
	if (error < 0)
		return error;
	report_pause(r, code, link, 0, user);
	return 1;
}

int reconcile_resume(struct reconcile *r, int ifindex, uid_t user)
{
	return resume(r, ifindex, FINDING_RESUMED, user);
}

/* ---- time passes ---- */

static void note_touched(struct reconcile *r, uint64_t now_usec)
{
	struct link_state *state;

	LIST_FOREACH(state, &r->states.marked, marked) {
		if (state->contention) {
			contention_disturbed(&r->limits, state->contention, state->contention->touched, now_usec);
			state->contention->touched = 0;
		}
		if (state->limits) {
			contention_disturbed(&r->limits, &state->limits->contention, state->limits->contention.touched, now_usec);
			state->limits->contention.touched = 0;
		}
	}
}

static void note_flapped(struct reconcile *r, uint64_t now_usec)
{
	link_states_foreach(&r->states, state) {
		if (!state->contention || !state->contention->carrier_lost)
			continue;
		contention_flapped(state->contention, now_usec);
		state->contention->carrier_lost = false;
	}
	r->carrier_lost = false;
}

static void end_deferral(struct reconcile *r)
{
	struct link_state *state;

	LIST_FOREACH(state, &r->states.marked, marked)
		link_states_mark(&r->states, state->ifindex, LINK_MARK_DIRTY, true);
	r->deferred_usec = 0;
}

/* The quiet time of a link is over: a trial begins, or has ended. */
static void end_quiet(struct reconcile *r, const struct link *link, struct link_state *state, uint64_t now_usec)
{
	struct link_limit_state *limits = state->limits;
	feature_set resolved = 0, resolved_limits = 0;
	bool over = state->contention && contention_expire(&r->limits, state->contention, now_usec, &resolved);

	over |= limits && contention_expire(&r->limits, &limits->contention, now_usec, &resolved_limits);
	if (!over)
		return;
	if (resolved | resolved_limits)
		event_report_resolved(&r->states, link, resolved, (unsigned)resolved_limits, r->options.fn, r->options.userdata);
	r->states.n_contended -= !is_unresolved(state);
	link_states_mark(&r->states, link->ifindex, LINK_MARK_DIRTY, true);
}

/* Has the driver compute its features again. The next retry is scheduled in any case, until nothing is retryable. */
static void recompute(struct reconcile *r, struct link *link, struct link_refusals *refusals, uint64_t now_usec)
{
	feature_set active;

	if (observe_recompute(r->o, link) < 0)
		return;
	active = link->features.active;
	refusals->retryable &= (refusals->ineffective[true] & ~active) | (refusals->ineffective[false] & active);
	refusals->ineffective[true] &= ~active | refusals->retryable;
	refusals->ineffective[false] &= active | refusals->retryable;
	if (refusals->retryable)
		apply_retry_later(refusals, now_usec);
}

static void retry(struct reconcile *r, struct link *link, struct link_refusals *refusals, uint64_t now_usec)
{
	refusals->retry_usec = 0;
	refusals->refused[false] = refusals->refused[true] = 0;
	if (refusals->retryable)
		recompute(r, link, refusals, now_usec);
	link_states_mark(&r->states, link->ifindex, LINK_MARK_DIRTY, false);
}

static bool is_due(uint64_t usec, uint64_t now_usec)
{
	return usec && usec <= now_usec;
}

/* Ends pauses, quiet times and retry delays that are over, and sets wait_usec for the others. */
static void end_waits(struct reconcile *r, uint64_t now_usec)
{
	r->wait_usec = 0;
	link_states_foreach(&r->states, state) {
		struct link *link = link_table_find(&r->o->links, state->ifindex);
		struct link_limit_state *limits = state->limits;

		if (!link)
			continue;
		if (is_due(state->pause_until_usec, now_usec))
			(void)resume(r, link->ifindex, FINDING_PAUSE_EXPIRED, 0);
		end_quiet(r, link, state, now_usec);
		if (state->held && is_due(state->follow_usec, now_usec)) {
			state->held = false;
			link_states_mark(&r->states, link->ifindex, LINK_MARK_DIRTY, false);
		}
		if (limits && is_due(limits->refusals.retry_usec, now_usec)) {
			limits->refusals.retry_usec = 0;
			limits->refusals.refused[true] = 0;
			link_states_mark(&r->states, link->ifindex, LINK_MARK_DIRTY, false);
		}
		if (state->refusals && is_due(state->refusals->retry_usec, now_usec))
			retry(r, link, state->refusals, now_usec);
		util_earlier(&r->wait_usec, state->pause_until_usec);
		if (state->held)
			util_earlier(&r->wait_usec, state->follow_usec);
		if (state->refusals)
			util_earlier(&r->wait_usec, state->refusals->retry_usec);
		if (link_state_unresolved(state))
			util_earlier(&r->wait_usec, state->contention->quiet_usec);
		if (limits)
			util_earlier(&r->wait_usec, limits->refusals.retry_usec);
		if (link_state_limits_unresolved(state))
			util_earlier(&r->wait_usec, limits->contention.quiet_usec);
	}
}

uint64_t reconcile_deadline(const struct reconcile *r)
{
	uint64_t deadline_usec = r->unfinished ? r->unfinished->end_usec : 0;

	util_earlier(&deadline_usec, r->wait_usec);
	util_earlier(&deadline_usec, r->deferred_usec);
	util_earlier(&deadline_usec, r->not_before_usec);
	util_earlier(&deadline_usec, r->limits_usec);
	return deadline_usec;
}

void reconcile_tick(struct reconcile *r, uint64_t now_usec)
{
	if (r->unfinished && is_due(r->unfinished->end_usec, now_usec))
		r->unfinished->end_usec = 0;
	if (r->carrier_lost)
		note_flapped(r, now_usec);
	if (r->states.n_contended)
		note_touched(r, now_usec);
	if (r->states.n_deferred && r->deferred_usec == 0)
		r->deferred_usec = now_usec + RECONCILE_DEFER_USEC;
	if (is_due(r->deferred_usec, now_usec))
		end_deferral(r);
	if (is_due(r->wait_usec, now_usec))
		end_waits(r, now_usec);
	if (is_due(r->limits_usec, now_usec)) {
		r->limits_usec = now_usec + RECONCILE_LIMITS_USEC;
		(void)observe_read_limits(r->o); /* what fails now is read the next time */
	}
	if (r->not_before_usec <= now_usec)
		r->not_before_usec = 0;
}

/* ---- results ---- */

int reconcile_exit_code(const struct reconcile *r)
{
	struct link_summary s;

	link_states_summarize(&r->states, &s);
	s.features[VERDICT_UNSUPPORTED] += s.links[VERDICT_UNSUPPORTED]; /* for features that this kernel does not have */
	return verdict_exit_code(s.features, 0, s.unread);
}

void reconcile_note_reaction(struct reconcile *r, uint64_t usec)
{
	for (; r->n_reactions; r->n_reactions--)
		histogram_observe(&r->drift, usec);
}

const struct histogram *reconcile_drift(const struct reconcile *r)
{
	return &r->drift;
}

struct reconcile_counts reconcile_count(const struct reconcile *r)
{
	struct reconcile_counts counts = r->counts;

	counts.problems = r->states.n_reported;
	counts.contended = r->states.n_contended;
	return counts;
}
