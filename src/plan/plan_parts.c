/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of a plan: its index, a step, an item. */
#include <stdlib.h>
#include <string.h>

#include "basic/util.h"
#include "plan/plan_private.h"

static int compare_index(const void *a, const void *b)
{
	const struct plan_index *x = a, *y = b;

	return (x->ifindex > y->ifindex) - (x->ifindex < y->ifindex);
}

void planner_index_links(struct plan *plan)
{
	bool sorted = true;

	for (size_t i = 0; i < plan->n_links; i++) {
		plan->index[i] = (struct plan_index){ plan->links[i].ifindex, i };
		sorted = sorted && (i == 0 || plan->index[i - 1].ifindex < plan->index[i].ifindex);
	}
	plan->n_index = plan->n_links;
	if (!sorted)
		qsort(plan->index, plan->n_index, sizeof(*plan->index), compare_index);
}

const struct plan_link *plan_find(const struct plan *plan, int ifindex)
{
	struct plan_index key = { .ifindex = ifindex }, *found;

	if (plan->n_index == 0)
		return NULL;
	found = bsearch(&key, plan->index, plan->n_index, sizeof(key), compare_index);
	return found ? &plan->links[found->at] : NULL;
}

struct plan_step *planner_add_step(struct plan *plan, const struct plan_link *pl)
{
	struct plan_step *step;

	if (!GROW(plan->steps, plan->n_steps))
		return NULL;
	step = &plan->steps[plan->n_steps++];
	*step = (struct plan_step){ .ifindex = pl->ifindex };
	memcpy(step->name, pl->name, sizeof(pl->name));
	return step;
}

struct plan_item planner_make_item(
	const struct plan_context *c, const struct link *link, const struct declaration *d, unsigned bit)
{
	return (struct plan_item){
		.bit = bit,
		.declared = d->value,
		.active = bit < FEATURE_MAX && (link->features.active & FEATURE(bit)),
		.wanted = bit < FEATURE_MAX && (link->features.wanted & FEATURE(bit)),
		.overdue = d->rule->until && c->now >= d->rule->until,
		.audit = d->rule->mode == RULE_MODE_AUDIT || c->audit,
		.cause_bit = FEATURE_MAX,
		.text = "",
		.rule = d->rule,
		.feature = d->feature,
	};
}
