/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "plan/plan_private.h"

const struct link_features *cause_state(const struct cause_view *v, const struct link *link)
{
	const struct link_features *f = v->state ? v->state(v->userdata, link) : NULL;

	return f ? f : &link->features;
}

static void set(struct cause_step *step, enum cause code, const struct link *other, unsigned other_bit)
{
	step->code = code;
	step->other_bit = other_bit;
	if (other) {
		step->other_ifindex = other->ifindex;
		memcpy(step->other_link, other->name, sizeof(step->other_link));
	}
}

/* The first of `from` that the device can change, or the feature itself. */
static unsigned pick(feature_set hw, feature_set from, unsigned bit)
{
	feature_set can = hw & from;

	return can && !(can & FEATURE(bit)) ? (unsigned)__builtin_ctzll(can) : bit;
}

feature_set cause_sources(const struct cause_view *v, const struct link *link, unsigned bit)
{
	return FEATURE(bit) == v->sets.generic_checksum && (planner_is_master(link) || link_is_kind(link, "vlan")) ?
		v->sets.checksums : FEATURE(bit);
}

unsigned cause_pick_source(const struct cause_view *v, const struct link *link, unsigned bit, const struct link *below)
{
	return pick(cause_state(v, below)->hw, cause_sources(v, link, bit), bit);
}

bool cause_one_port_is_enough(const struct cause_view *v, const struct link *link, unsigned bit)
{
	return planner_is_master(link) && ((v->sets.one_for_all | v->sets.checksums) & FEATURE(bit));
}

/* A feature of the same link that is missing or excludes this one. */
static bool find_in_link(const struct cause_view *v, const struct link_features *f, struct cause_step *step)
{
	feature_set all, any, not ;

	predict_needs(v->rules, step->bit, &all, &any, &not );
	if (all & ~f->active)
		set(step, CAUSE_NEEDS, NULL, (unsigned)__builtin_ctzll(all & ~f->active));
	else if (any && !(any & f->active))
		set(step, CAUSE_NEEDS, NULL, (unsigned)__builtin_ctzll(any & f->hw ? any & f->hw : any));
	else if (not & f->active)
		set(step, CAUSE_CONFLICTS, NULL, (unsigned)__builtin_ctzll(not & f->active));
	else
		return false;
	return true;
}

static bool find_in_ports(const struct cause_view *v, const struct link *link, struct cause_step *step)
{
	struct link *first = link_first_port(v->links, link);
	feature_set sources = cause_sources(v, link, step->bit);

	if (!cause_one_port_is_enough(v, link, step->bit))
		return false;
	if (!first) {
		if (link_is_kind(link, "bridge"))
			return false;
		set(step, CAUSE_NO_SLAVES, NULL, FEATURE_MAX);
		return true;
	}
	for (struct link *port = first; port; port = link_next_port(v->links, port)) {
		if (cause_state(v, port)->active & sources)
			return false;
		if (!(cause_state(v, first)->hw & sources) && (cause_state(v, port)->hw & sources))
			first = port;
	}
	set(step, CAUSE_SLAVE_OFF, first, step->bit);
	return true;
}

static bool find_in_lower(const struct cause_view *v, const struct link *link, struct cause_step *step)
{
	struct link *lower = link_lower(v->links, link);
	feature_set sources = cause_sources(v, link, step->bit);
	const struct link_features *f;

	if (!lower || !planner_is_limited_by_lower(link))
		return false;
	f = cause_state(v, lower);
	if (f->active & sources)
		set(step, CAUSE_LOWER_NOT_FOR_VLAN, lower, step->bit);
	else
		set(step, f->hw & sources ? CAUSE_LOWER_OFF : CAUSE_LOWER_UNSUPPORTED, lower, pick(f->hw, sources, step->bit));
	return true;
}

/* netdev_sync_upper_features() checks the wanted bit of the link above, netdev_sync_lower_features() its active bit. */
static bool forces_off(const struct cause_view *v, const struct link *upper, unsigned bit)
{
	const struct link_features *f = cause_state(v, upper);

	return upper->has_features && !(f->wanted & f->active & FEATURE(bit));
}

static bool find_in_upper(const struct cause_view *v, const struct link *link, struct cause_step *step)
{
	struct link *upper = link_master(v->links, link);

	if (!(v->sets.upper_disables & FEATURE(step->bit)))
		return false;
	if (!upper || !forces_off(v, upper, step->bit))
		for (upper = link_first_upper(v->links, link); upper && !forces_off(v, upper, step->bit);)
			upper = link_next_upper(v->links, upper);
	if (upper)
		set(step, CAUSE_UPPER_OFF, upper, step->bit);
	return upper;
}

void cause_begin(const struct link *link, unsigned bit, bool want, struct cause_step *ret)
{
	*ret = (struct cause_step){ .ifindex = link->ifindex, .bit = bit, .want = want, .other_bit = FEATURE_MAX };
	memcpy(ret->link, link->name, sizeof(ret->link));
}

void cause_find(const struct cause_view *v, const struct link *link, unsigned bit, bool want, struct cause_step *ret)
{
	const struct link_features *f = cause_state(v, link);
	struct link *lower = link_lower(v->links, link);

	cause_begin(link, bit, want, ret);
	if (!(f->hw & ~f->nochange & FEATURE(bit))) {
		set(ret, CAUSE_UNSUPPORTED_DRIVER, NULL, bit);
		memcpy(ret->driver, link->driver, sizeof(ret->driver));
	} else if (!want && lower && (cause_state(v, lower)->active & FEATURE(bit))) {
		set(ret, CAUSE_LOWER_ON, lower, bit);
	} else if (!want || !(find_in_upper(v, link, ret) || find_in_link(v, f, ret) || find_in_lower(v, link, ret) ||
				find_in_ports(v, link, ret))) {
		set(ret, CAUSE_UNKNOWN, NULL, bit);
	}
}

static const struct link_features *predicted_state(const void *userdata, const struct link *link)
{
	return planner_state(userdata, link);
}

static void set_cause(struct plan_item *item, enum cause cause, unsigned other_bit)
{
	item->cause = cause;
	item->cause_bit = other_bit;
}

/* Cause of an item that does not get its declared value, or only by the step of another link; and the verdict for the former. */
static void find_cause(struct planner *p, const struct link *link, struct plan_item *item)
{
	const struct cause_view view = { .links = p->table, .rules = p->predict, .sets = p->sets,
		.state = predicted_state, .userdata = p };
	struct cause_step step;

	cause_find(&view, link, item->bit, item->want, &step);
	set_cause(item, step.code, step.other_bit);
	item->cause_ifindex = step.other_ifindex;
	memcpy(item->cause_name, step.other_link, sizeof(item->cause_name));
	item->verdict = step.code == CAUSE_UNSUPPORTED_DRIVER ? VERDICT_UNSUPPORTED : VERDICT_BLOCKED;
}

const char *planner_keep_text(struct planner *p, const char *text)
{
	struct plan_text *last = p->plan->texts, *kept;

	if (!*text)
		return "";
	if (last && strcmp(last->text, text) == 0)
		return last->text;
	kept = malloc(sizeof(*kept) + strlen(text) + 1);
	if (!kept) {
		p->failed = true;
		return "";
	}
	strcpy(kept->text, text);
	kept->next = last;
	p->plan->texts = kept;
	return kept->text;
}

void planner_judge(struct planner *p, const struct link *link, const struct plan_link *pl, struct plan_item *item)
{
	const struct link_state *known = link_states_find(p->context->states, link->ifindex);
	const struct link_features *f = planner_state(p, link);
	feature_set b = FEATURE(item->bit);

	planner_resolve_want(p, link, item);
	item->predicted = f->active & b;
	item->uncertain = pl->uncertain & b;
	set_cause(item, CAUSE_NONE, FEATURE_MAX);
	if (item->not_given || (item->active == item->want && item->predicted == item->want)) {
		item->verdict = VERDICT_COMPLIANT;
		return;
	}
	if (known && known->paused) {
		item->verdict = VERDICT_PAUSED;
		return;
	}
	if ((link_state_contended(known) | pl->due) & b) {
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
			set_cause(item, item->want ? CAUSE_OFF : CAUSE_ON, item->bit);
		} else {
			p->use_current = true;
			find_cause(p, link, item);
			p->use_current = false;
			if (item->cause == CAUSE_UNKNOWN || !item->want)
				set_cause(item, CAUSE_STALE, item->bit);
		}
		item->verdict = VERDICT_DRIFTED;
		return;
	}
	find_cause(p, link, item);
}
