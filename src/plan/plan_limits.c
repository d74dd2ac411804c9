/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Size limits: what rules declare, the steps that set them, and their verdicts. The kernel computes no limit of a link from that of
 * another, except where a driver lowers its own maximum (netif_set_tso_max_size()), so there is little to predict. */
#include <errno.h>
#include <string.h>

#include "basic/util.h"
#include "plan/plan_private.h"

#define DEPTH_MAX 16
/* Up to this, gso_max_size sets gso_ipv4_max_size, too: GSO_LEGACY_MAX_SIZE, GRO_LEGACY_MAX_SIZE */
#define LEGACY_MAX_SIZE 65536

/* What a SET of `set` does, in the order of do_setlink(): netif_set_gso_max_size(), netif_set_gro_max_size(). */
static void predict_limits(struct link_limits *limits, const struct link_limits *set)
{
	static const enum link_limit ipv4[LINK_LIMIT_SETTABLE] = {
		[LINK_LIMIT_GSO_MAX_SIZE] = LINK_LIMIT_GSO_IPV4_MAX_SIZE,
		[LINK_LIMIT_GRO_MAX_SIZE] = LINK_LIMIT_GRO_IPV4_MAX_SIZE,
	};

	for (unsigned i = 0; i < LINK_LIMIT_SETTABLE; i++) {
		if (!(set->has & LINK_LIMIT(i)) || limits->value[i] == set->value[i])
			continue;
		limits->value[i] = set->value[i];
		if (ipv4[i] && (limits->has & LINK_LIMIT(ipv4[i])) && set->value[i] <= LEGACY_MAX_SIZE)
			limits->value[ipv4[i]] = set->value[i];
	}
}

/* After the steps so far. */
static const struct link_limits *planned(const struct planner *p, const struct link *link)
{
	const struct plan_link *pl = plan_find(p->plan, link->ifindex);

	return pl ? &pl->limits_predicted : &link->limits;
}

/* The upper bound that the driver sets; before Linux 5.19, GSO_MAX_SIZE and GSO_MAX_SEGS of the kernel, as in do_setlink(). */
static uint32_t bound_of(const struct link_limits *limits, enum link_limit limit)
{
	switch (limit) {
	case LINK_LIMIT_GSO_MAX_SIZE:
	case LINK_LIMIT_GSO_IPV4_MAX_SIZE:
		return limits->has & LINK_LIMIT(LINK_LIMIT_TSO_MAX_SIZE) ? limits->value[LINK_LIMIT_TSO_MAX_SIZE] : LEGACY_MAX_SIZE;
	case LINK_LIMIT_GSO_MAX_SEGS:
		return limits->has & LINK_LIMIT(LINK_LIMIT_TSO_MAX_SEGS) ? limits->value[LINK_LIMIT_TSO_MAX_SEGS] : RULE_LIMIT_SEGS_MAX;
	default:
		return UINT32_MAX;
	}
}

static uint32_t least_of(enum link_limit limit)
{
	return limit == LINK_LIMIT_GSO_MAX_SEGS ? 1 : RULE_LIMIT_SIZE_MIN;
}

/* The smallest of the links directly below: the lower link, or the ports. NULL if there is none that reports the limit. */
static const struct link *smallest_below(const struct planner *p, const struct link *link, enum link_limit limit)
{
	const struct link *lower = link_lower(p->table, link), *found = NULL;

	if (lower)
		return planned(p, lower)->has & LINK_LIMIT(limit) ? lower : NULL;
	for (const struct link *port = link_first_port(p->table, link); port; port = link_next_port(p->table, port))
		if ((planned(p, port)->has & LINK_LIMIT(limit)) &&
			(!found || planned(p, port)->value[limit] < planned(p, found)->value[limit]))
			found = port;
	return found;
}

static void set_cause(struct plan_item *item, enum cause cause, const struct link *other, uint32_t number)
{
	item->cause = cause;
	item->number.cause = number;
	if (other) {
		item->cause_ifindex = other->ifindex;
		memcpy(item->cause_name, other->name, sizeof(item->cause_name));
	}
}

/* Sets number.want and not_provided. False: it is not possible, and verdict and cause say why. */
static bool resolve(const struct planner *p, const struct link *link, struct plan_item *item)
{
	enum link_limit limit = item->number.limit;
	uint32_t bound = bound_of(&link->limits, limit);
	const struct link *below;

	item->cause = CAUSE_NONE;
	item->number.want = item->declared == RULE_NUMBER ? item->feature->number : item->number.now;
	item->verdict = VERDICT_UNSUPPORTED;
	if (!(link->limits.has & LINK_LIMIT(limit))) {
		set_cause(item, CAUSE_UNSUPPORTED_KERNEL, NULL, 0);
		return false;
	}
	if (item->declared == RULE_NUMBER) {
		if (item->number.want > bound)
			set_cause(item, CAUSE_LIMIT_DEVICE, NULL, bound);
		return item->number.want <= bound;
	}
	item->verdict = VERDICT_BLOCKED;
	below = smallest_below(p, link, limit);
	item->not_provided = !below;
	if (!below) {
		bool elsewhere = link->lower_netnsid >= 0 && !link_has_peer(link);

		if (elsewhere)
			set_cause(item, CAUSE_LIMIT_ELSEWHERE, NULL, 0);
		return !elsewhere;
	}
	item->number.want = planned(p, below)->value[limit];
	if (item->number.want < least_of(limit)) {
		set_cause(item, CAUSE_LIMIT_UNUSABLE, below, item->number.want);
		return false;
	}
	if (item->number.want > bound)
		item->number.want = bound;
	return true;
}

size_t planner_declare_limits(struct planner *p, const struct link *link, struct plan_item *items)
{
	struct declaration declarations[LINK_LIMIT_SETTABLE];
	size_t n = 0;

	rule_set_declare_limits(p->context->rules, p->table, link, p->context->host, declarations);
	for (unsigned limit = 0; limit < LINK_LIMIT_SETTABLE; limit++) {
		if (declarations[limit].value == RULE_UNSET)
			continue;
		items[n] = planner_make_item(p->context, link, &declarations[limit], FEATURE_MAX);
		items[n].is_limit = true;
		items[n++].number = (struct plan_number){ .limit = (enum link_limit)limit,
			.now = link->limits.value[limit], .predicted = link->limits.value[limit] };
	}
	return n;
}

/* Adds what differs from the declaration to *set. */
static void collect_set(struct planner *p, const struct link *link, struct plan_link *pl, struct link_limits *set)
{
	const struct link_state *known = link_states_find(p->context->states, link->ifindex);
	unsigned skip = link_state_limits_contended(known) | link_state_limits_in_vain(known);
	unsigned due = known && known->limits ? (unsigned)known->limits->contention.due : 0;

	for (size_t i = 0; i < pl->n_items; i++) {
		struct plan_item *item = &pl->items[i];
		enum link_limit limit = item->number.limit;

		if (!item->is_limit || item->audit || !resolve(p, link, item) || item->not_provided ||
			(skip & LINK_LIMIT(limit)) || pl->limits_predicted.value[limit] == item->number.want)
			continue;
		if (due & LINK_LIMIT(limit)) {
			pl->limits_due |= LINK_LIMIT(limit);
			continue;
		}
		set->has |= LINK_LIMIT(limit);
		set->value[limit] = item->number.want;
	}
}

/* A SET of gso-max-size may change a declared gso-ipv4-max-size. The same SET then keeps it. */
static int set_link(struct planner *p, const struct link *link, struct plan_link *pl)
{
	const struct link_state *known = link_states_find(p->context->states, link->ifindex);
	struct link_limits set = { 0 };
	struct plan_step *step;
	unsigned before;

	if (known && known->paused)
		return 0;
	do {
		before = set.has;
		collect_set(p, link, pl, &set);
		predict_limits(&pl->limits_predicted, &set);
	} while (set.has != before);
	if (!set.has)
		return 0;
	pl->limits_predicted = pl->limits;
	predict_limits(&pl->limits_predicted, &set);
	step = planner_add_step(p->plan, pl);
	if (!step)
		return -ENOMEM;
	step->limits = set;
	return 0;
}

int planner_set_limits(struct planner *p)
{
	int r = 0;

	for (size_t i = 0; i < p->plan->n_links && r >= 0 && !p->context->audit; i++)
		r = set_link(p, p->of[i], &p->plan->links[i]);
	return r;
}

void planner_judge_limit(struct planner *p, const struct link *link, const struct plan_link *pl, struct plan_item *item)
{
	const struct link_state *known = link_states_find(p->context->states, link->ifindex);
	struct plan_number *number = &item->number;
	unsigned b = LINK_LIMIT(number->limit);

	number->predicted = pl->limits_predicted.value[number->limit];
	if (!resolve(p, link, item))
		return;
	if (item->not_provided || (number->now == number->want && number->predicted == number->want)) {
		item->verdict = VERDICT_COMPLIANT;
	} else if (known && known->paused) {
		item->verdict = VERDICT_PAUSED;
	} else if ((link_state_limits_contended(known) | pl->limits_due) & b) {
		item->verdict = VERDICT_CONTENDED;
	} else if (known && known->limits && (known->limits->refusals.refused[true] & b)) {
		item->text = planner_keep_text(p, known->limits->refusals.words ? known->limits->refusals.words : "");
		item->verdict = VERDICT_REFUSED;
	} else if (item->audit || number->predicted == number->want) {
		set_cause(item, item->audit ? CAUSE_AUDIT : CAUSE_LIMIT_DIFFERS, NULL, number->now);
		item->verdict = VERDICT_DRIFTED;
	} else {
		set_cause(item, CAUSE_UNKNOWN, NULL, 0);
		item->verdict = VERDICT_BLOCKED;
	}
}

static void find_narrow(const struct link_table *table, const struct link *link, unsigned depth, struct plan_narrow *n)
{
	const struct link *lower = link_lower(table, link);

	if (depth > 0 && (link->limits.has & LINK_LIMIT(n->limit)) && link->limits.value[n->limit] < n->below_number) {
		n->below = link;
		n->below_number = link->limits.value[n->limit];
	}
	if (depth >= DEPTH_MAX)
		return;
	if (lower)
		find_narrow(table, lower, depth + 1, n);
	for (const struct link *port = link_first_port(table, link); port; port = link_next_port(table, port))
		find_narrow(table, port, depth + 1, n);
}

bool plan_find_narrow(const struct link_table *table, const struct link *link, enum link_limit limit, struct plan_narrow *ret)
{
	bool gso = limit == LINK_LIMIT_GSO_MAX_SIZE || limit == LINK_LIMIT_GSO_MAX_SEGS || limit == LINK_LIMIT_GSO_IPV4_MAX_SIZE;

	if (!gso || !(link->limits.has & LINK_LIMIT(limit)))
		return false;
	*ret = (struct plan_narrow){ .link = link, .limit = limit, .number = link->limits.value[limit],
		.below_number = link->limits.value[limit] };
	find_narrow(table, link, 0, ret);
	return ret->below != NULL;
}
