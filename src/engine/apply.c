/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/apply.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "basic/util.h"
#include "engine/apply_private.h"

/* The kernel also returns -ENODEV for a device that exists, but is detached during a reset or suspend: !netif_device_present() in
 * ethnl_ops_begin() and dev_ethtool(). */
static bool is_detached(const struct apply_result *result, int error)
{
	char name[IF_NAMESIZE];

	return error == -ENODEV && if_indextoname((unsigned)result->ifindex, name) &&
		strcmp(name, result->name) == 0;
}

/* The link if it still has this index, name and kind (NULL: any), otherwise NULL. */
static struct link *find_same(struct observe *o, int ifindex, const char *name, const char *kind)
{
	struct link *link = link_table_find(&o->links, ifindex);

	if (!link || strcmp(link->name, name) != 0 || (kind && strcmp(link->kind, kind) != 0))
		return NULL;
	return link;
}

static void take_read_back(const struct link *link, struct apply_result *result)
{
	result->after = link->features;
	result->changed = result->before.active ^ result->after.active;
	if (result->error == 0)
		result->missed = (result->after.active ^ result->value) & result->asked;
}

/* One SET, or a recomputation, and its read-back. Negative errno only if the socket fails; an error of the SET is in *result. */
static int set_and_verify(struct observe *o, struct link *link, bool recompute, struct apply_result *result)
{
	struct ethtool_result reply = { 0 };
	int r;

	result->before = result->after = link->features;
	if (recompute)
		r = reply.error = ethtool_features_recompute(o->ethtool, link->ifindex, link->name);
	else
		r = ethtool_features_set(
			o->ethtool, link->ifindex, link->name, result->asked, result->value, &reply);
	if (r < 0 && !recompute)
		return r;
	if (reply.error < 0) {
		util_copy_name(result->text, sizeof(result->text), reply.text,
			strnlen(reply.text, sizeof(reply.text)));
		if (is_detached(result, reply.error)) {
			reply.error = -EAGAIN;
			snprintf(result->text, sizeof(result->text),
				"the device is detached (being reset or suspended)");
		}
		apply_result_fail(result, reply.error);
	}
	r = observe_features(o, link);
	if (r < 0) {
		if (result->error == 0) {
			snprintf(result->text, sizeof(result->text), "set, but not read back: %s",
				strerror(-r));
			apply_result_fail(result, r == -ENODEV ? -ENODEV : -EUCLEAN);
		}
		return 0;
	}
	take_read_back(link, result);
	return 0;
}

static void start_result(
	struct apply_result *result, int ifindex, const char *name, feature_set asked, feature_set value)
{
	apply_result_begin(result, ifindex, name);
	result->asked = asked;
	result->value = value & asked;
}

/* The link of a step, NULL if it is not the one that was planned for. */
static struct link *find_step_link(struct observe *o, const struct plan *plan, const struct plan_step *step)
{
	const struct plan_link *planned = plan_find(plan, step->ifindex);

	return find_same(o, step->ifindex, step->name, planned ? planned->kind : NULL);
}

static int remember(struct observe *o, const struct plan *plan, struct ledger *ledger)
{
	int r;

	for (size_t i = 0; i < plan->n_steps; i++) {
		struct link *link = find_step_link(o, plan, &plan->steps[i]);

		if (!link || plan->steps[i].recompute)
			continue;
		r = plan->steps[i].limits.has ? ledger_remember_limits(ledger, link, plan->steps[i].limits.has) : 0;
		if (r >= 0 && plan->steps[i].mask && link->has_features)
			r = ledger_remember(ledger, link, plan->steps[i].mask);
		if (r == -ENOMEM)
			return r;
	}
	/* what the kernel itself stops requesting: LRO of a port, when its bond has none (netdev_sync_lower_features()) */
	for (size_t i = 0; i < plan->n_links; i++) {
		const struct plan_link *pl = &plan->links[i];
		feature_set lost = pl->before.wanted & ~pl->predicted.wanted;
		struct link *link = lost ? find_same(o, pl->ifindex, pl->name, pl->kind) : NULL;

		r = link && link->has_features ? ledger_remember(ledger, link, lost) : 0;
		if (r == -ENOMEM)
			return r;
	}
	return ledger->save_first ? ledger_save(ledger, &o->features) : 0;
}

static bool same_state(const struct link_features *a, const struct link_features *b)
{
	return a->active == b->active && a->wanted == b->wanted;
}

/* Reads the links that change as a side effect, so that the kernel's notification of it is not a change any more; and those that
 * perhaps change, which shows whether the prediction was right. */
static void read_side_effects(struct observe *o, const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_links; i++) {
		const struct plan_link *planned = &plan->links[i];
		struct link *link;

		if (!planned->uncertain && same_state(&planned->before, &planned->predicted))
			continue;
		link = find_same(o, planned->ifindex, planned->name, planned->kind);
		if (link && (planned->uncertain || !same_state(&link->features, &planned->predicted)))
			(void)observe_features(o, link);
	}
}

/* Reads links again whose step missed something: a later step may have changed them. */
static void read_again(struct observe *o, const struct apply_report *report)
{
	for (size_t i = 0; i + 1 < report->n_results; i++) {
		struct apply_result *result = &report->results[i];
		struct link *link = find_same(o, result->ifindex, result->name, NULL);

		if (!result->error && result->missed && link && observe_features(o, link) >= 0)
			take_read_back(link, result);
	}
}

int apply_plan(struct observe *o, const struct plan *plan, struct ledger *ledger,
	struct apply_report *ret)
{
	int r;

	*ret = (struct apply_report){ 0 };
	if (plan->n_steps == 0)
		return 0;
	r = ledger ? remember(o, plan, ledger) : 0;
	if (r < 0)
		return r;
	ret->results = calloc(plan->n_steps, sizeof(*ret->results));
	if (!ret->results)
		return -ENOMEM;
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct plan_step *step = &plan->steps[i];
		struct apply_result *result = &ret->results[ret->n_results++];
		struct link *link = find_step_link(o, plan, step);

		start_result(result, step->ifindex, step->name, step->mask, step->value);
		result->limits = step->limits;
		if (!link) {
			apply_result_fail(result, -ENODEV);
			continue;
		}
		if (step->limits.has) {
			apply_limits(o, link, &step->limits, result);
			continue;
		}
		r = set_and_verify(o, link, step->recompute, result);
		if (r < 0) {
			ret->n_results--;
			return r;
		}
	}
	read_again(o, ret);
	read_side_effects(o, plan);
	return 0;
}

void apply_report_clear(struct apply_report *report)
{
	free(report->results);
	*report = (struct apply_report){ 0 };
}

const struct apply_result *apply_find(
	const struct apply_report *report, int ifindex, feature_set bits)
{
	for (size_t i = 0; i < report->n_results; i++)
		if (report->results[i].ifindex == ifindex && (report->results[i].asked & bits))
			return &report->results[i];
	return NULL;
}

/* The late link that a link of the plan is; NULL. */
static struct link *find_late(struct observe *o, const struct plan_link *pl, const struct apply_report *report)
{
	struct link *link = find_same(o, pl->ifindex, pl->name, pl->kind);
	feature_set open = link ? link->features.active ^ pl->predicted.active : 0;

	return link && link->has_features && (open & (pl->before.active ^ pl->predicted.active)) &&
			!apply_find(report, pl->ifindex, ~UINT64_C(0))
		? link
		: NULL;
}

bool apply_is_late(struct observe *o, const struct plan *plan, const struct apply_report *report)
{
	for (size_t i = 0; i < plan->n_links && report->n_results; i++)
		if (find_late(o, &plan->links[i], report))
			return true;
	return false;
}

void apply_read_late(struct observe *o, const struct plan *plan, const struct apply_report *report)
{
	for (size_t i = 0; i < plan->n_links && report->n_results; i++) {
		struct link *link = find_late(o, &plan->links[i], report);

		if (link)
			(void)observe_features(o, link);
	}
}

void apply_wait_late(struct observe *o, const struct plan *plan, const struct apply_report *report)
{
	const struct timespec pause = { .tv_nsec = 1000 * 1000 };
	uint64_t end_usec = util_now_usec() + APPLY_LATE_USEC;

	while (apply_is_late(o, plan, report) && util_now_usec() < end_usec) {
		(void)nanosleep(&pause, NULL);
		apply_read_late(o, plan, report);
	}
}

static void add_bits(feature_set sets[2], feature_set bits, feature_set value)
{
	sets[true] |= bits & value;
	sets[false] |= bits & ~value;
}

/* Missed features that the kernel did accept (wanted) and that the plan predicted with certainty, except for what is uncertain in
 * a driver: only the driver did not follow. */
static feature_set find_retryable(const struct plan *plan, const struct apply_result *result)
{
	const struct plan_link *pl = plan_find(plan, result->ifindex);

	return pl ? result->missed & ~(result->after.wanted ^ result->value) &
			~(pl->predicted.active ^ result->value) & ~(pl->unmeasured ? 0 : pl->uncertain)
		  : 0;
}

static int learn(const struct plan *plan, const struct apply_result *result, uint64_t now_usec, struct link_state *state)
{
	struct link_refusals *refusals;

	if (result->limits.has)
		return apply_limits_learn(result, now_usec, state);
	refusals = link_state_refusals(state);
	if (!refusals)
		return -ENOMEM;
	if (result->error == 0) {
		add_bits(refusals->ineffective, result->missed, result->value);
		refusals->retryable = find_retryable(plan, result);
	} else {
		add_bits(refusals->refused, result->missed, result->value);
		free(refusals->words);
		refusals->words = strdup(result->text);
		if (!refusals->words)
			return -ENOMEM;
	}
	if (result->error ? apply_is_temporary(result->error) : refusals->retryable != 0)
		apply_retry_later(refusals, now_usec);
	return 0;
}

int apply_learn(const struct plan *plan, const struct apply_report *report, uint64_t now_usec, struct link_states *states)
{
	for (size_t i = 0; i < report->n_results; i++) {
		const struct apply_result *result = &report->results[i];
		struct link_state *state;

		if (!apply_result_missed(result) || result->error == -ENODEV)
			continue;
		state = link_states_get(states, result->ifindex);
		if (!state || learn(plan, result, now_usec, state) < 0)
			return -ENOMEM;
	}
	return 0;
}

int apply_undo(struct observe *o, int ifindex, feature_set on, feature_set off)
{
	struct link *link = link_table_find(&o->links, ifindex);
	struct apply_result result = { 0 };
	int r;

	if (!link || !link->has_features)
		return 0;
	start_result(&result, ifindex, link->name, on | off, off);
	r = set_and_verify(o, link, false, &result);
	return r < 0 ? r : !result.error && !result.missed;
}

static bool is_named(const char *const *only, const char *name)
{
	if (!only)
		return true;
	for (; *only; only++)
		if (strcmp(*only, name) == 0)
			return true;
	return false;
}

/* Adds one result for the features, and one for the limits. */
static int revert_link(struct observe *o, struct ledger *ledger, struct link *link,
	const struct ledger_link *entry, struct apply_report *report)
{
	struct apply_result *result;
	bool done = true;
	int r;

	if (entry->mask) {
		result = &report->results[report->n_results++];
		start_result(result, link->ifindex, link->name, entry->mask, entry->value);
		r = set_and_verify(o, link, false, result);
		if (r < 0)
			return r;
		if (!result->error)
			result->missed = (result->after.wanted ^ result->value) & result->asked;
		done = !result->error && !result->missed;
	}
	if (entry->limits.has) {
		result = &report->results[report->n_results++];
		apply_result_begin(result, link->ifindex, link->name);
		apply_limits(o, link, &entry->limits, result);
		done = done && !result->error && !result->limits_missed;
	}
	if (done)
		ledger_forget(ledger, link->ifindex);
	return 0;
}

/* LRO of a port that was restored before its bond was, is requested and still off: the kernel does not compute the features of
 * what is below again. */
static void compute_below(struct observe *o, struct apply_report *report)
{
	for (size_t i = report->n_results; i-- > 0;) {
		struct apply_result *result = &report->results[i];
		struct link *link = find_same(o, result->ifindex, result->name, NULL);

		if (result->error || result->missed || !link ||
			!(result->asked & result->value & link->features.wanted & ~link->features.active))
			continue;
		(void)observe_recompute(o, link);
		result->after = link->features;
		result->changed = result->before.active ^ result->after.active;
	}
}

int apply_revert(struct observe *o, struct ledger *ledger, const char *const *only,
	struct apply_report *ret)
{
	_cleanup_free_ struct link **links = NULL;
	size_t n;
	int r;

	*ret = (struct apply_report){ 0 };
	ledger_drop_gone(ledger, &o->links);
	r = link_table_sorted(&o->links, &links, &n);
	if (r < 0)
		return r;
	ret->results = calloc(2 * n + 1, sizeof(*ret->results));
	if (!ret->results)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct ledger_link *entry = ledger_find(ledger, links[i]);

		if (!entry || !is_named(only, links[i]->name))
			continue;
		r = revert_link(o, ledger, links[i], entry, ret);
		if (r < 0) {
			apply_report_clear(ret);
			return r;
		}
	}
	compute_below(o, ret);
	r = ledger_save(ledger, &o->features);
	return r < 0 ? r : 0;
}
