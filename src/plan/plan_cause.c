/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "plan/plan_private.h"
#include "basic/util.h"

void planner_set_cause(struct plan_item *item, enum cause cause, const struct link *at, unsigned bit)
{
	item->cause = cause;
	item->cause_bit = bit;
	if (at) {
		item->cause_ifindex = at->ifindex;
		memcpy(item->cause_name, at->name, sizeof(item->cause_name));
	}
}

/* The missing or excluding feature of the same link, if that is what holds `bit` off. */
static bool cause_in_link(const struct planner *p, const struct link_features *f, unsigned bit,
	struct plan_item *item)
{
	feature_set all, any, not ;

	predict_needs(p->predict, bit, &all, &any, &not );
	if (all & ~f->active)
		planner_set_cause(item, CAUSE_NEEDS, NULL, (unsigned)__builtin_ctzll(all & ~f->active));
	else if (any && !(any & f->active))
		planner_set_cause(item, CAUSE_NEEDS, NULL,
			(unsigned)__builtin_ctzll(any & f->hw ? any & f->hw : any));
	else if (not & f->active)
		planner_set_cause(item, CAUSE_CONFLICTS, NULL, (unsigned)__builtin_ctzll(not & f->active));
	else
		return false;
	return true;
}

static bool cause_in_ports(const struct planner *p, const struct link *link, struct plan_item *item)
{
	struct link *first = link_first_port(p->table, link);
	feature_set b = FEATURE(item->bit);

	if (!planner_is_master(link) || !(p->one_for_all & b))
		return false;
	if (b == p->sets.generic_checksum)
		b = p->sets.checksums;
	if (!first) {
		if (link_is_kind(link, "bridge"))
			return false;
		planner_set_cause(item, CAUSE_NO_SLAVES, NULL, FEATURE_MAX);
		return true;
	}
	for (struct link *port = first; port; port = link_next_port(p->table, port)) {
		if (planner_state(p, port)->active & b)
			return false;
		if (!(planner_state(p, first)->hw & b) && (planner_state(p, port)->hw & b))
			first = port;
	}
	planner_set_cause(item, CAUSE_SLAVE_OFF, first, item->bit);
	return true;
}

static bool cause_in_lower(const struct planner *p, const struct link *link, struct plan_item *item)
{
	struct link *lower = link_lower(p->table, link);
	feature_set b = FEATURE(item->bit);
	const struct link_features *f;

	if (!lower || !planner_stands_on_lower(link))
		return false;
	f = planner_state(p, lower);
	if (link_is_kind(link, "vlan") && b == p->sets.generic_checksum)
		b = p->sets.checksums;
	if (f->active & b)
		planner_set_cause(item, CAUSE_LOWER_NOT_FOR_VLAN, lower, item->bit);
	else if (f->hw & b)
		planner_set_cause(item, CAUSE_LOWER_OFF, lower,
			f->hw & FEATURE(item->bit) ? item->bit : (unsigned)__builtin_ctzll(f->hw & b));
	else
		planner_set_cause(item, CAUSE_LOWER_UNSUPPORTED, lower, item->bit);
	return true;
}

/* netdev_sync_upper_features() looks at what is wanted above, netdev_sync_lower_features() at what is on there. */
static bool forbids(const struct planner *p, const struct link *upper, unsigned bit)
{
	const struct link_features *f = planner_state(p, upper);

	return !(f->wanted & f->active & FEATURE(bit));
}

static bool cause_in_upper(const struct planner *p, const struct link *link, struct plan_item *item)
{
	struct link *upper = link_master(p->table, link);

	if (!(p->sets.upper_disables & FEATURE(item->bit)))
		return false;
	if (!upper || !forbids(p, upper, item->bit))
		for (upper = link_first_upper(p->table, link); upper && !forbids(p, upper, item->bit);)
			upper = link_next_upper(p->table, upper);
	if (upper)
		planner_set_cause(item, CAUSE_UPPER_OFF, upper, item->bit);
	return upper;
}

static void find_cause(const struct planner *p, const struct link *link, struct plan_item *item)
{
	const struct link_features *f = planner_state(p, link);
	feature_set b = FEATURE(item->bit);
	struct link *lower = link_lower(p->table, link);

	if (!(f->hw & ~f->nochange & b)) {
		planner_set_cause(item, CAUSE_UNSUPPORTED_DRIVER, NULL, item->bit);
		item->verdict = VERDICT_UNSUPPORTED;
		return;
	}
	item->verdict = VERDICT_BLOCKED;
	if (!item->want) {
		if (lower && (planner_state(p, lower)->active & b))
			planner_set_cause(item, CAUSE_LOWER_ON, lower, item->bit);
		else
			planner_set_cause(item, CAUSE_UNKNOWN, NULL, item->bit);
		return;
	}
	if (cause_in_link(p, f, item->bit, item) || cause_in_upper(p, link, item) ||
		cause_in_lower(p, link, item) || cause_in_ports(p, link, item))
		return;
	planner_set_cause(item, CAUSE_UNKNOWN, NULL, item->bit);
}

void planner_judge(struct planner *p, const struct link *link, const struct plan_link *pl, struct plan_item *item)
{
	const struct link_state *known = link_states_find(p->context->states, link->ifindex);
	const struct link_features *f = planner_state(p, link);
	feature_set b = FEATURE(item->bit);

	planner_resolve_want(p, link, item);
	item->predicted = f->active & b;
	item->uncertain = pl->uncertain & b;
	planner_set_cause(item, CAUSE_NONE, NULL, FEATURE_MAX);
	if (item->not_given || (item->active == item->want && item->predicted == item->want)) {
		item->verdict = VERDICT_COMPLIANT;
		return;
	}
	if (known && known->paused) {
		item->verdict = VERDICT_PAUSED;
		return;
	}
	if ((link_state_contended(known) | pl->due) & b) {
		item->text = "another program keeps reverting it";
		item->verdict = VERDICT_CONTENDED;
		return;
	}
	if (known && known->refusals && (known->refusals->refused[item->want] & b)) {
		item->text = planner_keep_text(p, known->refusals->words ? known->refusals->words : "");
		item->verdict = VERDICT_REFUSED;
		return;
	}
	if (item->predicted == item->want) {
		if (item->wanted != item->want) {
			planner_set_cause(item, item->want ? CAUSE_OFF : CAUSE_ON, NULL, item->bit);
		} else {
			p->look_at_now = true;
			find_cause(p, link, item);
			p->look_at_now = false;
		}
		item->verdict = VERDICT_DRIFTED;
		return;
	}
	find_cause(p, link, item);
}
