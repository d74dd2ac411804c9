/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "plan/plan_private.h"

static void set_cause(struct plan_item *item, enum cause cause, unsigned other_bit)
{
	item->cause = cause;
	item->cause_bit = other_bit;
}

static void take_step(struct plan_item *item, const struct cause_step *step)
{
	set_cause(item, step->code, step->other_bit);
	item->cause_ifindex = step->other_ifindex;
	memcpy(item->cause_name, step->other_link, sizeof(item->cause_name));
	item->verdict = step->code == CAUSE_UNSUPPORTED_DRIVER ? VERDICT_UNSUPPORTED : VERDICT_BLOCKED;
}

/* Cause of an item that does not get its declared value, or only by the step of another link; and the verdict for the former. */
static void find_cause(struct planner *p, const struct link *link, struct plan_item *item)
{
	const struct cause_view view = planner_view(p);
	struct cause_step step;

	cause_find(&view, link, item->bit, item->want, &step);
	take_step(item, &step);
}

/* May the link not have the value although it can? Then cause and verdict of the item are set: LRO where the kernel drops what it
 * merges, and `lower-all` while a port lacks the feature. */
static bool is_held(struct planner *p, const struct link *link, struct plan_item *item)
{
	const struct cause_view view = planner_view(p);
	struct cause_step step;

	if (!item->want || item->not_given || !(cause_find_dropped(&view, link, item->bit, &step) ||
		(item->declared == RULE_LOWER_ALL && item->predicted && cause_find_port_off(&view, link, item->bit, &step))))
		return false;
	take_step(item, &step);
	item->held = item->active || item->predicted;
	return true;
}

const struct plan_item *planner_find_contradiction(struct planner *p, const struct link *link, const struct plan_link *pl,
	const struct plan_item *item)
{
	/* what only drivers of cards do is not looked up for thousands of virtual links */
	feature_set coupled = link_is_kind(link, "physical") ? predict_facts(p->predict, link).coupled : 0;

	for (size_t i = 0; i < pl->n_items && (coupled & FEATURE(item->bit)); i++) {
		struct plan_item *other = &pl->items[i];

		if (other->bit >= FEATURE_MAX || other->bit == item->bit || !(coupled & FEATURE(other->bit)))
			continue;
		planner_resolve_want(p, link, other);
		if (!other->not_given && other->want != item->want)
			return other;
	}
	return NULL;
}

/* A copy for item->text; "" without memory, as the verdict does not depend on it. */
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
	bool compliant;

	planner_resolve_want(p, link, item);
	item->predicted = f->active & b;
	item->uncertain = pl->uncertain & b;
	item->held = false;
	set_cause(item, CAUSE_NONE, FEATURE_MAX);
	compliant = item->not_given || (item->active == item->want && item->predicted == item->want);
	if (known && known->paused && !compliant) {
		item->verdict = VERDICT_PAUSED;
		return;
	}
	if (is_held(p, link, item))
		return;
	if (compliant) {
		item->verdict = VERDICT_COMPLIANT;
		return;
	}
	if ((link_state_contended(known) | pl->due) & b) {
		item->verdict = VERDICT_CONTENDED;
		if (known->contention && (known->contention->flapped[1] & b))
			set_cause(item, CAUSE_RESETS, item->bit);
		return;
	}
	if (known && known->refusals && (known->refusals->refused[item->want] & b)) {
		item->text = planner_keep_text(p, known->refusals->words ? known->refusals->words : "");
		item->verdict = VERDICT_REFUSED;
		return;
	}
	if (item->predicted == item->want) {
		if (item->wanted != item->want && (link->features.hw & b)) {
			set_cause(item, item->want ? CAUSE_OFF : CAUSE_ON, item->bit);
		} else {
			p->use_current = true;
			find_cause(p, link, item);
			p->use_current = false;
			if (item->wanted == item->want && (item->cause == CAUSE_UNKNOWN || !item->want))
				set_cause(item, CAUSE_STALE, item->bit);
		}
		item->verdict = VERDICT_DRIFTED;
		return;
	}
	find_cause(p, link, item);
}
