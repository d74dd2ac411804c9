/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/plan_private.h"
#include "basic/util.h"

#define ROUNDS_MAX 4 /* a step may undo what an earlier one did */

/* The SET that gives the features in `among` their declared values, from the current prediction. recompute: instead those that
 * are requested as declared, and do not have that value. */
static void collect_set(struct planner *p, const struct link *link, struct plan_link *pl,
	feature_set among, bool recompute, feature_set *ret_mask, feature_set *ret_value)
{
	const feature_set *ineffective = p->ineffective ? p->ineffective[pl - p->plan->links] : (feature_set[2]){ 0 };
	const struct link_state *known = link_states_find(p->context->states, link->ifindex);
	feature_set contended = link_state_contended(known), due = known && known->contention ? known->contention->due : 0;
	const struct link_features *f = planner_state(p, link);

	*ret_mask = *ret_value = 0;
	for (size_t i = 0; i < pl->n_items; i++) {
		struct plan_item *item = &pl->items[i];
		feature_set b;

		if (item->bit >= FEATURE_MAX)
			continue;
		b = FEATURE(item->bit);
		if (!(among & b))
			continue;
		planner_resolve_want(p, link, item);
		if (item->want == !!(f->active & b) || recompute != (item->want == !!(f->wanted & b)))
			continue;
		if ((item->audit && !p->pretend) || (ineffective[item->want] & b))
			continue;
		if (!(link->features.hw & ~link->features.nochange & b) ||
			((contended | link_state_in_vain(known, item->want)) & b))
			continue;
		if ((item->want && planner_is_dropped(p, link, item->bit)) || planner_find_contradiction(p, link, pl, item))
			continue;
		if (!item->audit && (due & b)) {
			pl->due |= p->pretend ? 0 : b;
			continue;
		}
		*ret_mask |= b;
		if (item->want)
			*ret_value |= b;
	}
}

static int add_step(struct plan *plan, const struct plan_link *pl, feature_set mask, feature_set value, bool recompute)
{
	struct plan_step *step = planner_add_step(plan, pl);

	if (!step)
		return -ENOMEM;
	step->mask = mask;
	step->value = value;
	step->recompute = recompute;
	return 0;
}

/* Features that are out of date, such as TSO on a gretap after changelink, HSR over ports that were repaired, and what is stacked
 * on them: the kernel corrects them the next time that it computes them, which only a request brings about. */
static int recompute_link(struct planner *p, struct plan_link *pl, const struct link *link, feature_set among)
{
	feature_set mask, value;
	int r;

	collect_set(p, link, pl, among, true, &mask, &value);
	if (!mask)
		return 0;
	r = predict_recompute(p->predict, link->ifindex);
	if (r < 0)
		return r;
	mask &= ~(predict_features(p->predict, link->ifindex)->active ^ value);
	if (mask)
		return add_step(p->plan, pl, mask, value & mask, true);
	predict_undo(p->predict);
	return 0;
}

/* A SET may turn on a feature that is declared off (TSO, if only scatter-gather was missing). The same SET then turns it off. */
static int step_link(struct planner *p, size_t at, feature_set among)
{
	struct plan_link *pl = &p->plan->links[at];
	const struct link *link = p->of[at];
	const struct link_state *known = link_states_find(p->context->states, link->ifindex);
	feature_set mask = 0, value = 0, more, more_value;
	int r;

	if (!link->has_features || (known && known->paused))
		return 0;
	for (;;) {
		collect_set(p, link, pl, among, false, &more, &more_value);
		if (!(more & ~mask))
			break;
		if (mask)
			predict_undo(p->predict);
		value |= more_value & ~mask;
		mask |= more;
		r = predict_set(p->predict, link->ifindex, mask, value);
		if (r < 0)
			return r;
	}
	if (mask)
		return add_step(p->plan, pl, mask, value, false);
	return known && known->following ? 0 : recompute_link(p, pl, link, among); /* the kernel may be about to compute them */
}

/* Does LRO of this link depend on a link above or below? Then it is turned off from the top down. */
static bool lro_in_stack(const struct planner *p, const struct link *link)
{
	return link_lower(p->table, link) || link_master(p->table, link) ||
		link->first_port || link->first_upper;
}

static int make_round(struct planner *p)
{
	struct plan *plan = p->plan;
	int r = 0;

	for (size_t i = plan->n_links; i-- > 0 && r >= 0 && p->sets.upper_disables;)
		if (lro_in_stack(p, p->of[i]))
			r = step_link(p, i, p->sets.upper_disables);
	for (size_t i = 0; i < plan->n_links && r >= 0; i++)
		r = step_link(p, i, ~UINT64_C(0));
	return r;
}

/* Marks what steps request and what has neither the active nor the wanted value after all of them, such as LRO on a port of a
 * bond that cannot have it. 1 if there is any. */
static int find_ineffective(struct planner *p)
{
	struct plan *plan = p->plan;
	int found = 0;

	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct plan_step *step = &plan->steps[i];
		const struct link_features *f = predict_features(p->predict, step->ifindex);
		feature_set lost = step->mask & (f->active ^ step->value) & (f->wanted ^ step->value);
		size_t at = (size_t)(plan_find(plan, step->ifindex) - plan->links);

		if (!lost)
			continue;
		if (!p->ineffective)
			p->ineffective = calloc(p->n_concerned + 1, sizeof(*p->ineffective));
		if (!p->ineffective)
			return -ENOMEM;
		p->ineffective[at][true] |= lost & step->value;
		p->ineffective[at][false] |= lost & ~step->value;
		found = 1;
	}
	return found;
}

static int start_prediction(struct planner *p)
{
	const struct plan_context *c = p->context;

	predict_free(p->predict);
	p->predict = NULL;
	p->plan->n_steps = 0;
	p->plan->predictions++;
	for (size_t i = 0; i < p->plan->n_links && !p->pretend; i++)
		p->plan->links[i].due = 0;
	return predict_new_of(c->table, p->table, p->concerned, p->n_concerned,
		c->host, &p->predict);
}

/* Repeats until a round finds nothing to do, so that a plan after this one is empty. Starts again without the requests that
 * turn out to be ineffective. */
static int make_steps(struct planner *p)
{
	int r = 0, ineffective = 1;

	for (unsigned tries = 0; tries < ROUNDS_MAX && ineffective > 0; tries++) {
		if (tries > 0)
			r = start_prediction(p);
		for (unsigned round = 0; round < ROUNDS_MAX && r >= 0; round++) {
			size_t before = p->plan->n_steps;

			r = make_round(p);
			if (p->plan->n_steps == before)
				break;
			planner_forget(p);
		}
		ineffective = r < 0 ? r : find_ineffective(p);
	}
	return ineffective < 0 ? ineffective : 0;
}

/* An alias means those of its features that the device can change and, if they are declared off, those that are on. If there are
 * none, one stands for all: one that is on, otherwise the lowest. */
static bool alias_member_counts(const struct link *link, const struct declaration *d, unsigned bit)
{
	feature_set members = d->feature->bits, on = members & link->features.active, counts = members & link->features.hw;

	if (d->feature->word_kind != FEATURE_WORD_ALIAS)
		return true;
	if (d->value == RULE_OFF)
		counts |= on;
	if (counts)
		return counts & FEATURE(bit);
	return bit == (unsigned)__builtin_ctzll(on ? on : members);
}

/* A link that was removed meanwhile (-ENODEV) does not count. */
static bool is_unread(const struct link *link)
{
	return !link->has_features && link->features_error && link->features_error != -ENODEV;
}

static struct plan_item make_unread_item(
	struct planner *p, const struct link *link, const struct declaration *d, unsigned bit)
{
	struct plan_item item = planner_make_item(p->context, link, d, bit);

	item.active = item.wanted = false;
	item.unread = true;
	item.want = d->value == RULE_ON;
	item.verdict = VERDICT_REFUSED;
	return item;
}

/* A feature that only other kernels have: off matches, on is unsupported, lower requires nothing. */
static void judge_foreign(struct plan_item *item)
{
	item->want = item->declared == RULE_ON;
	item->verdict = item->want ? VERDICT_UNSUPPORTED : VERDICT_COMPLIANT;
	item->cause = item->want ? CAUSE_UNSUPPORTED_KERNEL : CAUSE_NONE;
}

static int declare_link(struct planner *p, const struct link *link, struct plan_link *pl)
{
	struct declaration declarations[FEATURE_MAX], foreign[RULE_FOREIGN_MAX];
	struct plan_item items[FEATURE_MAX + ARRAY_SIZE(foreign) + LINK_LIMIT_SETTABLE];
	size_t n = 0, n_foreign;

	n_foreign = rule_set_declare(p->context->rules, p->table, link, p->context->host,
		declarations, foreign, ARRAY_SIZE(foreign));
	if (link->has_features)
		for (unsigned bit = 0; bit < FEATURE_MAX; bit++) {
			const struct declaration *d = &declarations[bit];

			if (d->value == RULE_UNSET || !alias_member_counts(link, d, bit))
				continue;
			if (rule_value_follows(d->value) && !(link->features.hw & FEATURE(bit)))
				continue;
			items[n++] = planner_make_item(p->context, link, d, bit);
		}
	else if (is_unread(link))
		for (unsigned bit = 0; bit < FEATURE_MAX; bit++)
			if (declarations[bit].value != RULE_UNSET)
				items[n++] = make_unread_item(p, link, &declarations[bit], bit);
	for (size_t i = 0; i < n_foreign && i < ARRAY_SIZE(foreign); i++) {
		items[n] = planner_make_item(p->context, link, &foreign[i], FEATURE_MAX);
		judge_foreign(&items[n++]);
	}
	n += planner_declare_limits(p, link, items + n);
	if (n == 0)
		return 0;
	pl->items = malloc(n * sizeof(*items));
	if (!pl->items)
		return -ENOMEM;
	memcpy(pl->items, items, n * sizeof(*items));
	pl->n_items = n;
	return 1;
}

static void start_link(struct plan_link *pl, const struct link *link)
{
	*pl = (struct plan_link){
		.ifindex = link->ifindex,
		.before = link->features,
		.predicted = link->features,
		.limits = link->limits,
		.limits_predicted = link->limits,
		.error = is_unread(link) ? link->features_error : 0,
	};
	memcpy(pl->name, link->name, sizeof(pl->name));
	memcpy(pl->kind, link->kind, sizeof(pl->kind));
}

static int compare_position(const void *a, const void *b)
{
	const struct link *x = *(struct link *const *)a, *y = *(struct link *const *)b;

	if (x->depth != y->depth)
		return x->depth < y->depth ? -1 : 1;
	return (x->ifindex > y->ifindex) - (x->ifindex < y->ifindex);
}

/* The links of `only` that exist, lowest first. `links` has room for all. */
static size_t choose_links(const struct planner *p, const int *only, size_t n_only, struct link **links)
{
	size_t n = 0;

	for (size_t i = 0; i < n_only; i++) {
		links[n] = link_table_find(p->table, only[i]);
		if (links[n])
			n++;
	}
	qsort(links, n, sizeof(*links), compare_position);
	return n;
}

static int concern_links(struct planner *p, const int *only, size_t n_only)
{
	return only ? link_table_related(p->table, only, n_only, &p->concerned, &p->n_concerned) :
		      link_table_sorted(p->table, &p->concerned, &p->n_concerned);
}

static int declare_links(struct planner *p, const int *only, size_t n_only)
{
	_cleanup_free_ struct link **chosen = NULL;
	struct link **links = p->concerned;
	struct plan *plan = p->plan;
	size_t n = p->n_concerned;
	int r;

	if (only) {
		links = chosen = malloc((n_only + 1) * sizeof(*chosen));
		if (!chosen)
			return -ENOMEM;
		n = choose_links(p, only, n_only, chosen);
	}
	/* with room for side effects: at most every concerned link */
	plan->links = calloc(p->n_concerned + 1, sizeof(*plan->links));
	plan->index = calloc(p->n_concerned + 1, sizeof(*plan->index));
	p->of = calloc(p->n_concerned + 1, sizeof(*p->of));
	if (!plan->links || !plan->index || !p->of)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && links[i] == links[i - 1])
			continue;
		start_link(&plan->links[plan->n_links], links[i]);
		r = declare_link(p, links[i], &plan->links[plan->n_links]);
		if (r < 0)
			return r;
		p->of[plan->n_links] = links[i];
		plan->n_links += (size_t)r;
	}
	planner_index_links(plan);
	return 0;
}

/* Adds the links without rules that change, or perhaps change, as a side effect. */
static void add_side_effects(struct planner *p)
{
	struct plan *plan = p->plan;

	if (plan->n_steps == 0)
		return;
	for (size_t i = 0; i < p->n_concerned; i++) {
		const struct link *link = p->concerned[i];
		const struct link_features *f = predict_features(p->predict, link->ifindex);

		if (!f || !link->has_features ||
			(f->active == link->features.active && f->wanted == link->features.wanted &&
				!predict_uncertain(p->predict, link->ifindex)) ||
			plan_find(plan, link->ifindex))
			continue;
		p->of[plan->n_links] = link;
		start_link(&plan->links[plan->n_links++], link);
	}
}

static void finish_link(struct planner *p, struct plan_link *pl, const struct link *link)
{
	feature_set declared = 0;

	if (link->has_features) {
		pl->predicted = *planner_state(p, link);
		pl->uncertain = predict_uncertain(p->predict, pl->ifindex);
		pl->unmeasured = predict_is_unmeasured(p->predict, pl->ifindex);
		pl->claimed = planner_claimed(p, link);
	}
	for (size_t i = 0; i < pl->n_items; i++) {
		struct plan_item *item = &pl->items[i];

		if (item->is_limit) {
			planner_judge_limit(p, link, pl, item);
		} else if (item->bit < FEATURE_MAX && !item->unread) {
			planner_judge(p, link, pl, item);
			declared |= FEATURE(item->bit);
		}
	}
	pl->side_effects = (pl->before.active ^ pl->predicted.active) & ~declared;
}

static int compare_links(const void *a, const void *b, void *userdata)
{
	const struct link_table *table = userdata;
	const struct link *x = link_table_find(table, ((const struct plan_link *)a)->ifindex);
	const struct link *y = link_table_find(table, ((const struct plan_link *)b)->ifindex);

	return compare_position(&x, &y);
}

static void planner_clear(struct planner *p)
{
	planner_forget(p);
	free(p->ineffective);
	free(p->of);
	free(p->concerned);
	predict_free(p->predict);
}

static bool audits_something(const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_links; i++)
		for (size_t j = 0; j < plan->links[i].n_items; j++)
			if (plan->links[i].items[j].audit &&
				plan->links[i].items[j].verdict != VERDICT_COMPLIANT)
				return true;
	return false;
}

/* Sets the verdict that an item in audit mode would have in enforce mode. */
static void judge_audited(struct planner *p, const struct link *link, struct plan_link *pl, struct plan_item *item)
{
	struct plan_item pretended = *item;

	if (!item->audit || item->unread || item->bit >= FEATURE_MAX || item->verdict == VERDICT_COMPLIANT)
		return;
	planner_judge(p, link, pl, &pretended);
	item->verdict = pretended.verdict;
	if (item->verdict == VERDICT_DRIFTED) {
		item->cause = CAUSE_AUDIT;
		item->cause_bit = item->bit;
		return;
	}
	item->cause = pretended.cause;
	item->cause_bit = pretended.cause_bit;
	item->cause_ifindex = pretended.cause_ifindex;
	memcpy(item->cause_name, pretended.cause_name, sizeof(item->cause_name));
}

/* Continues the prediction as if rules in audit mode were enforced. The steps for that are not part of the plan. */
static int pretend(struct planner *p)
{
	struct plan *plan = p->plan;
	struct plan_step *steps = plan->steps;
	size_t n_steps = plan->n_steps;
	int r;

	plan->steps = NULL;
	plan->n_steps = 0;
	p->pretend = true;
	planner_forget(p);
	r = make_steps(p);
	free(plan->steps);
	plan->steps = steps;
	plan->n_steps = n_steps;
	for (size_t i = 0; i < plan->n_links && r >= 0; i++)
		for (size_t j = 0; j < plan->links[i].n_items; j++)
			judge_audited(p, p->of[i], &plan->links[i], &plan->links[i].items[j]);
	return r;
}

static int decide(const struct plan_context *c, struct link_table *table, const int *only,
	size_t n_only, struct plan *ret)
{
	_cleanup_(planner_clear) struct planner p = { .context = c, .table = table, .plan = ret };
	size_t declared;
	int r;

	r = concern_links(&p, only, n_only);
	if (r >= 0)
		r = start_prediction(&p);
	if (r < 0)
		return r;
	p.sets = predict_sets(p.predict);
	r = declare_links(&p, only, n_only);
	if (r >= 0 && !c->audit)
		r = make_steps(&p);
	if (r >= 0)
		r = planner_set_limits(&p);
	if (r < 0)
		return r;
	declared = ret->n_links;
	add_side_effects(&p);
	for (size_t i = 0; i < ret->n_links; i++)
		finish_link(&p, &ret->links[i], p.of[i]);
	r = audits_something(ret) ? pretend(&p) : 0;
	if (r < 0)
		return r;
	if (ret->n_links > declared) {
		qsort_r(ret->links, ret->n_links, sizeof(*ret->links), compare_links, table);
		planner_index_links(ret);
	}
	return p.failed ? -ENOMEM : 0;
}

static void count(struct plan *plan)
{
	for (size_t i = 0; i < plan->n_links; i++) {
		plan->unread += plan->links[i].error != 0;
		for (size_t j = 0; j < plan->links[i].n_items; j++) {
			plan->counts[plan->links[i].items[j].verdict]++;
			plan->overdue += plan->links[i].items[j].overdue;
		}
	}
}

int plan_make(const struct plan_context *context, struct link_table *table, const int *only,
	size_t n_only, struct plan *ret)
{
	int r;

	*ret = (struct plan){ 0 };
	r = decide(context, table, only, n_only, ret);
	if (r < 0) {
		plan_clear(ret);
		return r;
	}
	count(ret);
	return 0;
}

void plan_clear(struct plan *plan)
{
	for (struct plan_text *text = plan->texts, *next; text; text = next) {
		next = text->next;
		free(text);
	}
	for (size_t i = 0; i < plan->n_links; i++)
		free(plan->links[i].items);
	free(plan->links);
	free(plan->index);
	free(plan->steps);
	*plan = (struct plan){ 0 };
}

int plan_exit_code(const struct plan *plan)
{
	return verdict_exit_code(plan->counts, plan->n_steps, plan->unread);
}

enum verdict plan_link_verdict(const struct plan_link *link)
{
	enum verdict worst = VERDICT_COMPLIANT;

	for (size_t i = 0; i < link->n_items; i++)
		worst = verdict_worse(worst, link->items[i].verdict);
	return worst;
}

void plan_link_count(const struct plan_link *link, size_t counts[VERDICT_COUNT])
{
	for (size_t i = 0; i < link->n_items; i++)
		counts[link->items[i].verdict]++;
}

static struct link_result result_of(const struct plan_link *link)
{
	struct link_result result = { .declared = link->n_items > 0, .unread = link->error != 0 };

	for (size_t i = 0; i < link->n_items; i++) {
		const struct plan_item *item = &link->items[i];

		if (item->is_limit)
			result.limits[item->verdict] |= LINK_LIMIT(item->number.limit);
		else if (item->bit < FEATURE_MAX)
			result.features[item->verdict] |= FEATURE(item->bit);
		else
			result.foreign += item->verdict != VERDICT_COMPLIANT;
		result.pending |= item->verdict == VERDICT_DRIFTED && item->cause != CAUSE_AUDIT;
	}
	return result;
}

int plan_keep(const struct plan *plan, struct link_states *states)
{
	for (size_t i = 0; i < plan->n_links; i++) {
		struct link_state *state;

		if (plan->links[i].n_items == 0)
			continue;
		state = link_states_get(states, plan->links[i].ifindex);
		if (!state)
			return -ENOMEM;
		state->result = result_of(&plan->links[i]);
	}
	return 0;
}
