/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/reconcile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/denial.h"
#include "engine/event_report.h"
#include "engine/mark.h"
#include "basic/util.h"

#define DEPTH_MAX 16

/* A link that is fought over, as it was when last seen. */
struct fight {
	int ifindex;
	struct link_features seen;
	feature_set touched; /* changed by somebody else since the last tick */
	UT_hash_handle hh;
};

struct reconcile {
	struct observe *o;
	const struct rule_host *host;
	struct reconcile_options options;
	struct rule_set rules;
	struct contention *contention;
	uint64_t quiet_usec; /* the shortest that a fight must be over */
	struct event_memory *memory;
	struct mark *dirty;    /* to be handled in the next run */
	struct mark *deferred; /* fought over: dirty from deferred_usec on */
	uint64_t deferred_usec, contention_usec; /* 0: never */
	uint64_t not_before_usec; /* a run failed: the next is not tried before; 0: at any time */
	struct denials denials;
	struct fight *fights;
	struct reconcile_stand *stands;
	struct mark *unsure; /* links whose stand may be another now */
	uint64_t runs, sets;
};

static struct fight *find_fight(const struct reconcile *r, int ifindex)
{
	struct fight *fight;

	HASH_FIND_INT(r->fights, &ifindex, fight);
	return fight;
}

static void drop_fight(struct reconcile *r, int ifindex)
{
	struct fight *fight = find_fight(r, ifindex);

	if (!fight)
		return;
	HASH_DEL(r->fights, fight);
	free(fight);
}

static void drop_stand(struct reconcile *r, int ifindex)
{
	struct reconcile_stand *stand;

	HASH_FIND_INT(r->stands, &ifindex, stand);
	if (!stand)
		return;
	HASH_DEL(r->stands, stand);
	free(stand);
}

static void clear_stands(struct reconcile *r)
{
	struct reconcile_stand *stand, *next;

	HASH_ITER(hh, r->stands, stand, next)
	{
		HASH_DEL(r->stands, stand);
		free(stand);
	}
}

static void forget_link(struct reconcile *r, int ifindex)
{
	drop_stand(r, ifindex);
	mark_remove(&r->unsure, ifindex);
	mark_remove(&r->dirty, ifindex);
	mark_remove(&r->deferred, ifindex);
	denials_forget(&r->denials, ifindex);
	drop_fight(r, ifindex);
	contention_forget(r->contention, ifindex);
	event_memory_forget(r->memory, ifindex);
	if (!r->options.ledger)
		return;
	ledger_forget(r->options.ledger, ifindex);
	ledger_resume(r->options.ledger, ifindex);
}

/* Is the link, or anything that it stands on, fought over? Then it changes as often as that. */
static bool stands_on_fight(const struct reconcile *r, const struct link *link, unsigned depth)
{
	const struct link_table *links = &r->o->links;
	const struct link *lower = link_lower(links, link);

	if (find_fight(r, link->ifindex))
		return true;
	if (depth >= DEPTH_MAX)
		return false;
	if (lower && stands_on_fight(r, lower, depth + 1))
		return true;
	for (struct link *port = link_first_port(links, link); port; port = link_next_port(links, port))
		if (stands_on_fight(r, port, depth + 1))
			return true;
	return false;
}

static void touch_fight(struct fight *fight, const struct link *link)
{
	fight->touched |= (fight->seen.active ^ link->features.active) |
		(fight->seen.wanted ^ link->features.wanted);
	fight->seen = link->features;
}

/* Without memory a change is lost here; the next event of the link, or a reload, brings it back. */
static void link_changed(int ifindex, struct link *link, void *userdata)
{
	struct reconcile *r = userdata;
	struct mark **set = &r->dirty;
	struct fight *fight;

	if (!link) {
		forget_link(r, ifindex);
		return;
	}
	if (r->fights) {
		fight = find_fight(r, ifindex);
		if (fight)
			touch_fight(fight, link);
		link_table_stack(&r->o->links);
		if (link->has_features && stands_on_fight(r, link, 0))
			set = &r->deferred;
	}
	(void)mark_add(set, ifindex, true);
}

int reconcile_new(struct observe *o, const struct rule_host *host,
	const struct reconcile_options *options, struct reconcile **ret)
{
	_cleanup_(reconcile_free_pointer) struct reconcile *r = calloc(1, sizeof(*r));
	int error;

	if (!r)
		return -ENOMEM;
	r->o = o;
	r->host = host;
	r->options = *options;
	r->quiet_usec = CONTENTION_QUIET_USEC;
	error = contention_new(&r->contention);
	if (error >= 0)
		error = event_memory_new(&r->memory);
	if (error < 0)
		return error;
	o->changed = link_changed;
	o->userdata = r;
	*ret = r;
	r = NULL;
	return 0;
}

void reconcile_free(struct reconcile *r)
{
	struct fight *fight, *next;

	if (!r)
		return;
	if (r->o->userdata == r)
		r->o->changed = NULL;
	HASH_ITER(hh, r->fights, fight, next)
	{
		HASH_DEL(r->fights, fight);
		free(fight);
	}
	denials_clear(&r->denials);
	clear_stands(r);
	mark_clear(&r->dirty);
	mark_clear(&r->deferred);
	mark_clear(&r->unsure);
	contention_free(r->contention);
	event_memory_free(r->memory);
	rule_set_clear(&r->rules);
	free(r);
}

void reconcile_free_pointer(struct reconcile **r)
{
	reconcile_free(*r);
}

int reconcile_mark_all(struct reconcile *r)
{
	link_table_foreach(&r->o->links, link)
		if (mark_add(&r->dirty, link->ifindex, true) < 0)
			return -ENOMEM;
	return 0;
}

int reconcile_configure(struct reconcile *r, bool enforce, const struct contention_limits *limits)
{
	contention_set_limits(r->contention, limits);
	r->quiet_usec = limits->quiet_usec;
	if (enforce == r->options.enforce)
		return 0;
	r->options.enforce = enforce;
	event_memory_clear(r->memory);
	return reconcile_mark_all(r);
}

int reconcile_take_rules(struct reconcile *r, struct rule_set *rules)
{
	rule_set_clear(&r->rules);
	r->rules = *rules;
	*rules = (struct rule_set){ 0 };
	denials_clear(&r->denials);
	clear_stands(r);
	event_memory_clear(r->memory);
	r->not_before_usec = 0;
	return reconcile_mark_all(r);
}

const struct rule_set *reconcile_rules(const struct reconcile *r)
{
	return &r->rules;
}

bool reconcile_is_pending(const struct reconcile *r)
{
	return r->dirty && r->not_before_usec == 0;
}

bool reconcile_is_settled(const struct reconcile *r)
{
	return !r->dirty;
}

bool reconcile_is_deferring(const struct reconcile *r)
{
	return r->deferred && !r->dirty;
}

/* ---- what the plan asks ---- */

static bool is_contended(int ifindex, unsigned bit, _unused_ char *who, _unused_ size_t size, void *userdata)
{
	const struct reconcile *r = userdata;

	return contention_bits(r->contention, ifindex) & FEATURE(bit);
}

static bool is_refused(int ifindex, unsigned bit, bool value, char *text, size_t size, void *userdata)
{
	const struct reconcile *r = userdata;

	return denials_is_refused(&r->denials, ifindex, bit, value, text, size);
}

static bool is_futile(int ifindex, unsigned bit, bool value, void *userdata)
{
	const struct reconcile *r = userdata;

	return denials_is_futile(&r->denials, ifindex, bit, value);
}

static bool is_paused(int ifindex, void *userdata)
{
	const struct reconcile *r = userdata;
	const struct link *link = link_table_find(&r->o->links, ifindex);

	return link && ledger_is_paused(r->options.ledger, link);
}

static int make_plan(struct reconcile *r, const int *only, size_t n_only, int64_t realtime_sec,
	struct plan *ret)
{
	const struct plan_context context = {
		.table = &r->o->features,
		.rules = &r->rules,
		.host = r->host,
		.now = realtime_sec,
		.audit = !r->options.enforce,
		.is_paused = r->options.ledger ? is_paused : NULL,
		.is_contended = is_contended,
		.is_refused = is_refused,
		.is_futile = is_futile,
		.userdata = r,
	};

	return plan_make(&context, &r->o->links, only, n_only, ret);
}

/* ---- which links ---- */

/* A link and all that stands on it. What was refused there may be had now. */
static int mark_up(struct reconcile *r, struct mark **set, const struct link *link, bool changed)
{
	struct link_table *links = &r->o->links;
	struct link *master;
	int error = mark_add(set, link->ifindex, changed);

	if (error <= 0)
		return error;
	if (changed)
		denials_forget(&r->denials, link->ifindex);
	for (struct link *up = link_first_upper(links, link); up; up = link_next_upper(links, up)) {
		error = mark_up(r, set, up, changed);
		if (error < 0)
			return error;
	}
	master = link_master(links, link);
	return master ? mark_up(r, set, master, changed) : 0;
}

/* What the link stands on: roles, and LRO, look upwards. */
static int mark_below(struct reconcile *r, struct mark **set, const struct link *link)
{
	struct link_table *links = &r->o->links;
	struct link *lower = link_lower(links, link);
	int error = lower ? mark_add(set, lower->ifindex, false) : 0;

	for (struct link *port = link_first_port(links, link); port && error >= 0;
		port = link_next_port(links, port))
		error = mark_add(set, port->ifindex, false);
	return error;
}

/* The indexes of everything that the dirty links concern; read anew where stale. */
static int collect(struct reconcile *r, int **ret, size_t *ret_n)
{
	_cleanup_marks_ struct mark *up = NULL, *set = NULL;
	struct link_table *links = &r->o->links;
	size_t n = 0;
	int error;

	link_table_stack(links);
	for (struct mark *mark = r->dirty; mark; mark = mark->hh.next) {
		const struct link *link = link_table_find(links, mark->ifindex);

		if (!link)
			continue;
		error = mark_up(r, &up, link, mark->changed);
		if (error >= 0)
			error = mark_below(r, &set, link);
		if (error < 0)
			return error;
	}
	*ret = malloc((HASH_COUNT(up) + HASH_COUNT(set) + 1) * sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	for (struct mark *mark = up; mark; mark = mark->hh.next)
		(*ret)[n++] = mark->ifindex;
	for (struct mark *mark = set; mark; mark = mark->hh.next)
		if (!mark_find(up, mark->ifindex))
			(*ret)[n++] = mark->ifindex;
	*ret_n = n;
	return 0;
}

static int read_stale(struct reconcile *r, const int *indexes, size_t n, uint64_t now_usec)
{
	for (size_t i = 0; i < n; i++) {
		struct link *link = link_table_find(&r->o->links, indexes[i]);

		if (!link || !link->features_stale || observe_features(r->o, link) >= 0)
			continue;
		if (link->features_stale && denials_note_unread(&r->denials, link->ifindex, now_usec) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* ---- fights ---- */

static int start_fight(struct reconcile *r, int ifindex)
{
	struct link *link = link_table_find(&r->o->links, ifindex);
	struct fight *fight = find_fight(r, ifindex);

	if (!link)
		return 0;
	if (!fight) {
		fight = calloc(1, sizeof(*fight));
		if (!fight)
			return -ENOMEM;
		fight->ifindex = ifindex;
		HASH_ADD_INT(r->fights, ifindex, fight);
	}
	fight->seen = link->features;
	return 0;
}

/* Counts the steps as rounds. 1 when a feature became contended, so that the plan is to be made again, 0, -ENOMEM. */
static int count_rounds(struct reconcile *r, const struct plan *plan, uint64_t now_usec)
{
	int fresh = 0;

	for (size_t i = 0; i < plan->n_steps; i++) {
		feature_set bits;

		contention_repair(r->contention, plan->steps[i].ifindex, plan->steps[i].mask,
			now_usec, &bits);
		if (!bits)
			continue;
		if (start_fight(r, plan->steps[i].ifindex) < 0)
			return -ENOMEM;
		fresh = 1;
		util_earlier(&r->contention_usec, now_usec + r->quiet_usec);
	}
	return fresh;
}

static void calmed(int ifindex, feature_set bits, void *userdata)
{
	struct reconcile *r = userdata;
	const struct link *link = link_table_find(&r->o->links, ifindex);

	drop_fight(r, ifindex);
	mark_remove(&r->deferred, ifindex);
	if (!link)
		return;
	event_report_resolved(r->memory, link, bits, r->options.fn, r->options.userdata);
	(void)mark_add(&r->dirty, ifindex, true);
}

/* ---- a run ---- */

/* What somebody else did while we were at it came with the read-back, and its event will bring nothing new. */
static int mark_surprises(const struct reconcile *r, const struct plan *plan,
	const struct apply_report *report, struct mark **set)
{
	if (report->n_results == 0)
		return 0;
	for (size_t i = 0; i < plan->n_links; i++) {
		const struct plan_link *pl = &plan->links[i];
		const struct link *link = link_table_find(&r->o->links, pl->ifindex);
		const struct apply_result *result = apply_find(report, pl->ifindex, ~UINT64_C(0));
		feature_set other;

		if (!link || !link->has_features || (result && result->error == -ENODEV))
			continue;
		other = link->features.wanted ^ pl->predicted.wanted;
		if (result)
			other |= link->features.active ^ pl->predicted.active;
		if (other && mark_add(set, pl->ifindex, false) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int after_apply(struct reconcile *r, const struct plan *plan, const struct apply_report *report,
	uint64_t now_usec)
{
	for (size_t i = 0; i < report->n_results; i++) {
		const struct link *link = link_table_find(&r->o->links, report->results[i].ifindex);
		struct fight *fight = find_fight(r, report->results[i].ifindex);

		if (fight && link)
			fight->seen = link->features;
		if (denials_note(&r->denials, plan, &report->results[i], now_usec) < 0)
			return -ENOMEM;
	}
	r->sets += report->n_results;
	return 0;
}

/* surprises: gets links to be looked at again. */
static int plan_and_apply(struct reconcile *r, const int *only, size_t n_only, uint64_t now_usec,
	int64_t realtime_sec, struct mark **surprises)
{
	_cleanup_(apply_report_clear) struct apply_report report = { 0 };
	_cleanup_(plan_clear) struct plan plan = { 0 };
	int error = make_plan(r, only, n_only, realtime_sec, &plan);

	if (error < 0)
		return error;
	error = count_rounds(r, &plan, now_usec);
	if (error > 0) {
		plan_clear(&plan);
		error = make_plan(r, only, n_only, realtime_sec, &plan);
	}
	if (error < 0)
		return error;
	error = apply_plan(r->o, &plan, r->options.ledger, &report);
	if (error < 0)
		return error;
	error = after_apply(r, &plan, &report, now_usec);
	if (error >= 0)
		error = mark_surprises(r, &plan, &report, surprises);
	if (error < 0)
		return error;
	error = event_report(r->memory, &plan, &report, &r->o->links, r->options.fn, r->options.userdata);
	return error < 0 ? error : report.n_results > 0;
}

/* Whatever was looked at may stand otherwise now. */
static int mark_unsure(struct reconcile *r, const int *only, size_t n_only)
{
	for (size_t i = 0; i < n_only; i++)
		if (mark_add(&r->unsure, only[i], false) < 0)
			return -ENOMEM;
	return 0;
}

int reconcile_run(struct reconcile *r, uint64_t now_usec, int64_t realtime_sec)
{
	_cleanup_marks_ struct mark *surprises = NULL;
	_cleanup_free_ int *only = NULL;
	size_t n_only;
	int error;

	if (!r->dirty)
		return 0;
	r->runs++;
	error = collect(r, &only, &n_only);
	if (error >= 0) {
		error = read_stale(r, only, n_only, now_usec);
		if (error >= 0)
			error = plan_and_apply(r, only, n_only, now_usec, realtime_sec, &surprises);
		if (error >= 0 && mark_unsure(r, only, n_only) < 0)
			error = -ENOMEM;
	}
	if (error < 0) {
		r->not_before_usec = now_usec + DENIAL_RETRY_USEC;
		return error;
	}
	mark_clear(&r->dirty);
	r->dirty = surprises;
	surprises = NULL;
	return error;
}

static void move_deferred(struct reconcile *r)
{
	for (struct mark *mark = r->deferred; mark; mark = mark->hh.next)
		(void)mark_add(&r->dirty, mark->ifindex, true);
	mark_clear(&r->deferred);
	r->deferred_usec = 0;
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

int reconcile_pause(struct reconcile *r, int ifindex, uint64_t until_usec, uid_t user)
{
	const struct link *link = link_table_find(&r->o->links, ifindex);
	uint64_t now_usec = util_now_usec();
	int error;

	if (!link)
		return -ENODEV;
	error = ledger_pause(r->options.ledger, link, until_usec);
	if (error < 0)
		return error;
	report_pause(r, FINDING_PAUSED, link, until_usec > now_usec ? until_usec - now_usec : 0, user);
	return mark_add(&r->dirty, ifindex, true) < 0 ? -ENOMEM : 0;
}

static int resume(struct reconcile *r, int ifindex, enum finding_code code, uid_t user)
{
	const struct link *link = link_table_find(&r->o->links, ifindex);

	if (!link)
		return -ENODEV;
	if (!ledger_resume(r->options.ledger, ifindex))
		return 0;
	report_pause(r, code, link, 0, user);
	return mark_add(&r->dirty, ifindex, true) < 0 ? -ENOMEM : 1;
}

int reconcile_resume(struct reconcile *r, int ifindex, uid_t user)
{
	return resume(r, ifindex, FINDING_RESUMED, user);
}

static uint64_t pause_deadline(const struct reconcile *r)
{
	uint64_t deadline_usec = 0;

	if (!r->options.ledger)
		return 0;
	for (const struct ledger_link *entry = r->options.ledger->pauses; entry; entry = entry->hh.next)
		util_earlier(&deadline_usec, entry->until_usec);
	return deadline_usec;
}

static void end_pauses(struct reconcile *r, uint64_t now_usec)
{
	struct ledger_link *entry, *next;

	if (!r->options.ledger)
		return;
	HASH_ITER(hh, r->options.ledger->pauses, entry, next)
	{
		int ifindex = entry->ifindex;

		if (entry->until_usec && entry->until_usec <= now_usec &&
			resume(r, ifindex, FINDING_PAUSE_EXPIRED, 0) < 0)
			ledger_resume(r->options.ledger, ifindex);
	}
}

uint64_t reconcile_deadline(const struct reconcile *r)
{
	uint64_t deadline_usec = r->contention_usec;

	util_earlier(&deadline_usec, r->deferred_usec);
	util_earlier(&deadline_usec, r->denials.retry_usec);
	util_earlier(&deadline_usec, r->not_before_usec);
	util_earlier(&deadline_usec, pause_deadline(r));
	return deadline_usec;
}

/* ---- how links stand ---- */

int reconcile_plan(struct reconcile *r, const int *only, size_t n_only, int64_t realtime_sec,
	struct plan *ret)
{
	link_table_stack(&r->o->links);
	return make_plan(r, only, n_only, realtime_sec, ret);
}

static int take_stand(struct reconcile *r, const struct plan_link *pl)
{
	struct reconcile_stand *stand;

	if (pl->n_items == 0)
		return 0;
	stand = calloc(1, sizeof(*stand));
	if (!stand)
		return -ENOMEM;
	stand->ifindex = pl->ifindex;
	stand->verdict = plan_link_verdict(pl);
	for (size_t i = 0; i < pl->n_items; i++) {
		stand->pending |= pl->items[i].verdict == VERDICT_DRIFTED &&
			pl->items[i].cause != CAUSE_AUDIT;
		stand->features[pl->items[i].verdict] += pl->items[i].bit < FEATURE_MAX;
	}
	HASH_ADD_INT(r->stands, ifindex, stand);
	return 0;
}

static int settle_stands(struct reconcile *r, int64_t realtime_sec)
{
	_cleanup_free_ int *only = malloc((HASH_COUNT(r->unsure) + 1) * sizeof(*only));
	_cleanup_(plan_clear) struct plan plan = { 0 };
	size_t n = 0;
	int error;

	if (!only)
		return -ENOMEM;
	for (struct mark *mark = r->unsure; mark; mark = mark->hh.next)
		only[n++] = mark->ifindex;
	error = reconcile_plan(r, only, n, realtime_sec, &plan);
	if (error < 0)
		return error;
	for (size_t i = 0; i < n; i++) {
		const struct plan_link *pl = plan_find(&plan, only[i]);

		drop_stand(r, only[i]);
		if (pl && take_stand(r, pl) < 0)
			return -ENOMEM;
	}
	mark_clear(&r->unsure);
	return 0;
}

int reconcile_stand(struct reconcile *r, int64_t realtime_sec, struct reconcile_stands *ret)
{
	int error = r->unsure ? settle_stands(r, realtime_sec) : 0;

	if (error < 0)
		return error;
	*ret = (struct reconcile_stands){ .list = r->stands };
	for (const struct reconcile_stand *stand = r->stands; stand; stand = stand->hh.next) {
		ret->counts[stand->verdict]++;
		ret->pending += stand->pending;
		for (int v = 0; v < VERDICT_COUNT; v++)
			ret->features[v] += stand->features[v];
	}
	return 0;
}

feature_set reconcile_contended(const struct reconcile *r, int ifindex)
{
	return contention_bits(r->contention, ifindex);
}

static void try_again(int ifindex, void *userdata)
{
	struct reconcile *r = userdata;

	(void)mark_add(&r->dirty, ifindex, false);
}

void reconcile_tick(struct reconcile *r, uint64_t now_usec)
{
	end_pauses(r, now_usec);
	for (struct fight *fight = r->fights; fight; fight = fight->hh.next) {
		if (fight->touched)
			contention_disturbed(
				r->contention, fight->ifindex, fight->touched, now_usec);
		fight->touched = 0;
	}
	if (r->deferred && r->deferred_usec == 0)
		r->deferred_usec = now_usec + RECONCILE_FIGHT_USEC;
	if (r->deferred_usec && r->deferred_usec <= now_usec)
		move_deferred(r);
	if (r->contention_usec && r->contention_usec <= now_usec)
		r->contention_usec = contention_expire(r->contention, now_usec, calmed, r);
	if (r->not_before_usec <= now_usec)
		r->not_before_usec = 0;
	if (r->denials.retry_usec && r->denials.retry_usec <= now_usec)
		denials_retry(&r->denials, r->o, now_usec, try_again, r);
}

int reconcile_exit_code(struct reconcile *r, int64_t realtime_sec)
{
	_cleanup_(plan_clear) struct plan plan = { 0 };
	int error = make_plan(r, NULL, 0, realtime_sec, &plan);

	return error < 0 ? error : plan_exit_code(&plan);
}

void reconcile_count(const struct reconcile *r, struct reconcile_counts *ret)
{
	*ret = (struct reconcile_counts){
		.runs = r->runs,
		.sets = r->sets,
		.troubled = event_memory_count(r->memory),
		.fights = HASH_COUNT(r->fights),
	};
}
