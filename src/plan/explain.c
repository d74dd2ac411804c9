/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/explain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "basic/util.h"
#include "plan/plan_private.h"

#define DEPTH_MAX 12
#define STEPS_MAX 64

struct walk {
	const struct plan_context *context;
	struct link_table *table;
	const struct plan *plan;
	struct cause_view view;
	struct explanation *out;
	bool unmet; /* a rule declares the explained feature on, and it is off */
};

static void add(struct walk *w, unsigned depth, const struct cause_step *step)
{
	if (w->out->n_steps >= STEPS_MAX)
		return;
	w->out->steps[w->out->n_steps] = *step;
	w->out->steps[w->out->n_steps++].depth = depth;
}

static void add_code(struct walk *w, unsigned depth, const struct link *link, unsigned bit, enum cause code)
{
	struct cause_step step;

	cause_begin(link, bit, true, &step);
	step.code = code;
	add(w, depth, &step);
}

/* The first advice wins: it belongs to the end of the chain that was found first. */
static void advise(struct walk *w, enum advice code, const struct link *link, unsigned bit, bool want,
	const struct rule *rule)
{
	struct explanation *e = w->out;

	if (e->advice.code != ADVICE_NONE)
		return;
	e->advice.code = code;
	memcpy(e->advice.link, link->name, sizeof(e->advice.link));
	memcpy(e->advice.kind, link->kind, sizeof(e->advice.kind));
	e->advice.bit = bit;
	e->advice.want = want;
	e->advice.rule = rule;
}

static void advise_unmet(struct walk *w, enum advice code, const struct link *link, unsigned bit)
{
	if (w->unmet)
		advise(w, code, link, bit, true, NULL);
}

static const struct plan_item *item_of(const struct walk *w, const struct link *link, unsigned bit)
{
	const struct plan_link *pl = plan_find(w->plan, link->ifindex);

	for (size_t i = 0; pl && i < pl->n_items; i++)
		if (pl->items[i].bit == bit)
			return &pl->items[i];
	return NULL;
}

/* How to get the declared value on this link. */
static void advise_change(struct walk *w, const struct link *link, const struct plan_item *item, bool on)
{
	if (item->verdict == VERDICT_PAUSED)
		advise(w, ADVICE_RESUME, link, item->bit, on, NULL);
	else if (item->rule->mode == RULE_MODE_AUDIT)
		advise(w, ADVICE_AUDIT_RULE, link, item->bit, on, item->rule);
	else if (item->verdict == VERDICT_DRIFTED)
		advise(w, ADVICE_APPLY, link, item->bit, on, NULL);
	w->out->advice.requested = item->wanted == on;
}

/* The chain ends at a feature that is not requested on `link`: a rule declares it on, or off, or there is no rule. */
static void advise_request(struct walk *w, const struct link *link, unsigned bit)
{
	const struct plan_item *item = item_of(w, link, bit);

	if (item && item->want && item->verdict != VERDICT_COMPLIANT)
		advise_change(w, link, item, true);
	else if (item && w->unmet && item->declared == RULE_OFF)
		advise(w, ADVICE_CHANGE_RULE, link, bit, true, item->rule);
	else
		advise_unmet(w, ADVICE_REQUEST, link, bit);
}

static void why_off(struct walk *w, const struct link *link, unsigned bit, unsigned depth);

/* A feature that a master has from its ports: one step for each port. */
static void ports(struct walk *w, const struct link *master, unsigned bit, unsigned depth)
{
	feature_set sources = cause_sources(&w->view, master, bit);

	for (struct link *port = link_first_port(w->table, master); port; port = link_next_port(w->table, port)) {
		struct cause_step step;

		feature_set on = cause_state(&w->view, port)->active & sources;

		cause_begin(port, bit, true, &step);
		step.code = CAUSE_IS_ON;
		step.features = on == FEATURE(bit) ? 0 : on;
		if (!port->has_features)
			continue;
		if (on)
			add(w, depth, &step);
		else
			why_off(w, port, cause_pick_source(&w->view, master, bit, port), depth);
	}
}

/* Would this cause keep the feature off even if it were requested? Only the plan knows, for features that rules declare. */
static bool holds_unrequested(const struct walk *w, const struct link *link, const struct cause_step *step)
{
	const struct plan_item *item = item_of(w, link, step->bit);

	return item && item->want && item->verdict == VERDICT_BLOCKED &&
		(step->code == CAUSE_NEEDS || step->code == CAUSE_CONFLICTS || step->code == CAUSE_LOWER_OFF ||
			step->code == CAUSE_LOWER_UNSUPPORTED || step->code == CAUSE_LOWER_NOT_FOR_VLAN ||
			step->code == CAUSE_OWNER || step->code == CAUSE_HOST || step->code == CAUSE_COUPLED);
}

/* Would a request be of no use, because it is not in the way? */
static bool decides_alone(enum cause code)
{
	return code == CAUSE_UPPER_OFF || code == CAUSE_FORWARDS || code == CAUSE_BRIDGED || code == CAUSE_XDP;
}

/* Continues the chain after this step. */
static void follow(struct walk *w, const struct link *link, const struct cause_step *step, unsigned depth)
{
	struct link *other = step->other_ifindex ? link_table_find(w->table, step->other_ifindex) : NULL;

	switch (step->code) {
	case CAUSE_UNSUPPORTED_DRIVER:
		advise_unmet(w, ADVICE_OTHER_DEVICE, link, step->bit);
		break;
	case CAUSE_UPPER_OFF:
		if (other->features.wanted & FEATURE(step->bit))
			why_off(w, other, step->bit, depth + 1);
		else
			advise_unmet(w, other->features.hw & FEATURE(step->bit) ? ADVICE_TURN_ON_ABOVE : ADVICE_NOT_BELOW,
				other, step->bit);
		break;
	case CAUSE_NEEDS:
		why_off(w, link, step->other_bit, depth + 1);
		break;
	case CAUSE_CONFLICTS:
		advise_unmet(w, ADVICE_TURN_OFF, link, step->other_bit);
		break;
	case CAUSE_LOWER_NOT_FOR_VLAN:
		advise_unmet(w, ADVICE_DECLARE_LOWER, other, step->bit);
		break;
	case CAUSE_LOWER_OFF:
	case CAUSE_LOWER_UNSUPPORTED:
		why_off(w, other, step->other_bit, depth + 1);
		break;
	case CAUSE_SLAVE_OFF:
	case CAUSE_PORT_OFF:
		ports(w, link, step->bit, depth + 1);
		break;
	case CAUSE_PEER_XDP:
		advise_unmet(w, ADVICE_DETACH_XDP, link, step->bit);
		break;
	case CAUSE_CREATED_WITHOUT:
		advise_unmet(w, ADVICE_RECREATE, link, step->bit);
		break;
	case CAUSE_OWNER:
		advise_unmet(w, ADVICE_OWNER, link, step->bit);
		break;
	case CAUSE_HOST:
		advise_unmet(w, ADVICE_HOST, link, step->bit);
		break;
	case CAUSE_COUPLED:
		if (w->out->item && w->out->item->verdict != VERDICT_COMPLIANT)
			advise(w, ADVICE_COUPLE, link, step->other_bit, w->out->item->want, NULL);
		break;
	case CAUSE_FORWARDS:
	case CAUSE_BRIDGED:
	case CAUSE_XDP:
		advise_unmet(w, ADVICE_KEEP_OFF, link, step->bit);
		break;
	default:
		break;
	}
}

/* The cause, from the plan if it has one. */
static void find_step(const struct walk *w, const struct link *link, unsigned bit, struct cause_step *ret)
{
	const struct plan_item *item = item_of(w, link, bit);

	if (!item || !item->want || item->cause == CAUSE_NONE || item->cause == CAUSE_AUDIT) {
		cause_find(&w->view, link, bit, true, ret);
		return;
	}
	plan_item_cause(plan_find(w->plan, link->ifindex), item, ret);
	memcpy(ret->driver, link->driver, sizeof(ret->driver));
}

/* The chain for a feature that is off. */
static void why_off(struct walk *w, const struct link *link, unsigned bit, unsigned depth)
{
	const struct link_features *f = cause_state(&w->view, link);
	struct cause_step step;

	if (depth >= DEPTH_MAX)
		return;
	if (!link->has_features || (f->active & FEATURE(bit))) {
		add_code(w, depth, link, bit, link->has_features ? CAUSE_IS_ON : CAUSE_UNREADABLE);
		return;
	}
	find_step(w, link, bit, &step);
	if (step.code == CAUSE_OFF ||
		(link->features.hw & ~(link->features.nochange | link->features.wanted) & FEATURE(bit) && !decides_alone(step.code))) {
		add_code(w, depth, link, bit, CAUSE_OFF);
		advise_request(w, link, bit);
		if (!holds_unrequested(w, link, &step))
			return;
	}
	add(w, depth, &step);
	follow(w, link, &step, depth);
}

/* The chain for a feature that is on. It continues below, because a master has the feature if any port has it. */
static void why_on(struct walk *w, const struct link *link, unsigned bit, unsigned depth)
{
	feature_set sources = cause_sources(&w->view, link, bit);
	struct link *lower = link_lower(w->table, link);
	bool some_off = false, goes_on;
	feature_set on;

	if (depth >= DEPTH_MAX)
		return;
	if (cause_claimed(&w->view, link) & FEATURE(bit)) {
		add_code(w, depth, link, bit, CAUSE_CLAIMED);
		ports(w, link, bit, depth + 1);
		return;
	}
	if (cause_one_port_is_enough(&w->view, link, bit)) {
		for (struct link *port = link_first_port(w->table, link); port; port = link_next_port(w->table, port))
			some_off |= port->has_features && !(port->features.active & sources);
		add_code(w, depth, link, bit, some_off ? CAUSE_SOME_PORTS : CAUSE_EVERY_PORT);
		if (some_off)
			ports(w, link, bit, depth + 1);
		return;
	}
	goes_on = lower && lower->has_features && !link_is_kind(link, "vxlan");
	if (depth > 1 || goes_on) /* otherwise it is in the heading */
		add_code(w, depth, link, bit, CAUSE_IS_ON);
	if (!goes_on)
		return;
	on = lower->features.active & sources;
	if (on)
		why_on(w, lower, on & FEATURE(bit) ? bit : (unsigned)__builtin_ctzll(on), depth + 1);
	else
		why_off(w, lower, cause_pick_source(&w->view, link, bit, lower), depth + 1);
}

/* The feature is on, and a rule declares it off. */
static void why_not_off(struct walk *w, const struct link *link, unsigned bit)
{
	const struct plan_item *item = w->out->item;
	struct cause_step step;

	if (item->verdict == VERDICT_UNSUPPORTED)
		advise(w, ADVICE_REMOVE, link, bit, false, NULL);
	else
		advise_change(w, link, item, false);
	plan_item_cause(plan_find(w->plan, link->ifindex), item, &step);
	if (step.code != CAUSE_UNSUPPORTED_DRIVER && step.code != CAUSE_LOWER_ON && step.code != CAUSE_STALE &&
		step.code != CAUSE_COUPLED) {
		why_on(w, link, bit, 1);
		return;
	}
	memcpy(step.driver, link->driver, sizeof(step.driver));
	add(w, 1, &step);
	if (step.code == CAUSE_COUPLED)
		follow(w, link, &step, 1);
	if (step.code == CAUSE_LOWER_ON)
		why_on(w, link_table_find(w->table, step.other_ifindex), bit, 2);
}

/* The feature is on as declared, and still blocked. */
static void why_held(struct walk *w, const struct link *link, unsigned bit)
{
	struct cause_step step;

	find_step(w, link, bit, &step);
	add(w, 1, &step);
	follow(w, link, &step, 1);
}

/* The declaration. Without an item in the plan, no rule declares the feature, or one declares `lower` and the link cannot
 * change it. */
static void declaration(struct walk *w, const struct link *link, unsigned bit)
{
	struct declaration declarations[FEATURE_MAX];
	const struct plan_item *item = w->out->item;

	if (item) {
		w->out->rule = item->rule;
		w->out->feature = item->feature;
		add_code(w, 0, link, bit, CAUSE_DECLARED);
		if (item->text[0])
			add_code(w, 0, link, bit, CAUSE_REFUSED);
		if (item->verdict == VERDICT_CONTENDED)
			add_code(w, 0, link, bit, item->cause == CAUSE_RESETS ? CAUSE_RESETS : CAUSE_CONTENDED);
		if (item->uncertain)
			add_code(w, 0, link, bit, CAUSE_UNCERTAIN);
		return;
	}
	rule_set_declare(w->context->rules, w->table, link, w->context->host, declarations, NULL, 0);
	if (declarations[bit].value != RULE_UNSET) {
		w->out->rule = declarations[bit].rule;
		w->out->feature = declarations[bit].feature;
	}
	add_code(w, 0, link, bit, w->out->rule ? CAUSE_IGNORED : CAUSE_UNDECLARED);
}

/* Blocked features are explained from the state after the plan: what it repairs is not the cause. */
static const struct link_features *after_plan(const void *plan, const struct link *link)
{
	const struct plan_link *pl = plan_find(plan, link->ifindex);

	return pl ? &pl->predicted : NULL;
}

static int begin(const struct link *link, struct explanation *ret)
{
	*ret = (struct explanation){ .steps = calloc(STEPS_MAX, sizeof(*ret->steps)) };
	ret->error = link->has_features ? 0 : link->features_error;
	return ret->steps ? 0 : -ENOMEM;
}

int explain_feature(const struct plan_context *context, struct link_table *table,
	const struct plan *plan, int ifindex, unsigned bit, struct explanation *ret)
{
	_cleanup_(predict_free_pointer) struct predict *rules = NULL;
	struct link *link = link_table_find(table, ifindex);
	struct walk w = { .context = context, .table = table, .plan = plan, .out = ret };
	int r;

	*ret = (struct explanation){ 0 };
	if (!link || bit >= FEATURE_MAX)
		return -ENODEV;
	/* without links: only for the rules of the kernel; the prediction is in the plan */
	r = predict_new_of(context->table, table, NULL, 0, context->host, &rules);
	if (r >= 0)
		r = begin(link, ret);
	if (r < 0)
		return r;
	w.view = (struct cause_view){ .links = table, .rules = rules, .sets = predict_sets(rules), .userdata = plan };
	if (!link->has_features) {
		add_code(&w, 0, link, bit, CAUSE_UNREADABLE);
		return 0;
	}
	ret->active = link->features.active & FEATURE(bit);
	ret->item = item_of(&w, link, bit);
	w.unmet = ret->item && ret->item->want && ret->item->verdict != VERDICT_COMPLIANT;
	if (ret->item && (ret->item->verdict == VERDICT_BLOCKED || ret->item->verdict == VERDICT_UNSUPPORTED))
		w.view.state = after_plan;
	declaration(&w, link, bit);
	if (ret->item && ret->item->held)
		why_held(&w, link, bit);
	else if (!ret->active)
		why_off(&w, link, bit, 1);
	else if (ret->item && !ret->item->want && ret->item->verdict != VERDICT_COMPLIANT)
		why_not_off(&w, link, bit);
	else
		why_on(&w, link, bit, 1);
	return 0;
}

int explain_word(const struct link *link, const char *word, const struct plan_item *item, struct explanation *ret)
{
	struct walk w = { .out = ret };
	int r = begin(link, ret);

	if (r < 0)
		return r;
	ret->item = item;
	ret->word = word;
	add_code(&w, 0, link, FEATURE_MAX, CAUSE_UNSUPPORTED_KERNEL);
	return 0;
}

static const struct plan_item *limit_item(const struct plan *plan, const struct link *link, enum link_limit limit)
{
	const struct plan_link *pl = plan_find(plan, link->ifindex);

	for (size_t i = 0; pl && i < pl->n_items; i++)
		if (pl->items[i].is_limit && pl->items[i].number.limit == limit)
			return &pl->items[i];
	return NULL;
}

static void add_limit(struct walk *w, unsigned depth, const struct link *link, enum cause code, uint32_t number,
	const struct link *other)
{
	struct cause_step step;

	cause_begin(link, FEATURE_MAX, true, &step);
	step.code = code;
	step.number = number;
	if (other) {
		step.other_ifindex = other->ifindex;
		memcpy(step.other_link, other->name, sizeof(step.other_link));
	}
	add(w, depth, &step);
}

int explain_limit(const struct link_table *table, const struct plan *plan, const struct link *link, enum link_limit limit,
	struct explanation *ret)
{
	const struct plan_item *item = limit_item(plan, link, limit);
	struct walk w = { .plan = plan, .out = ret };
	struct plan_narrow narrow;
	struct cause_step step;
	int r;

	if (!(link->limits.has & LINK_LIMIT(limit)))
		return explain_word(link, link_limit_name(limit), item, ret);
	r = begin(link, ret);
	if (r < 0)
		return r;
	ret->is_limit = true;
	ret->item = item;
	ret->word = link_limit_name(limit);
	ret->rule = item ? item->rule : NULL;
	ret->feature = item ? item->feature : NULL;
	ret->advice.number = item ? item->number.want : 0;
	add_limit(&w, 0, link, item ? CAUSE_LIMIT_DECLARED : CAUSE_LIMIT_UNDECLARED, link->limits.value[limit], NULL);
	if (item && item->text[0])
		add_code(&w, 0, link, FEATURE_MAX, CAUSE_REFUSED);
	if (item && item->verdict == VERDICT_CONTENDED)
		add_code(&w, 0, link, FEATURE_MAX, CAUSE_CONTENDED);
	if (item && item->cause != CAUSE_NONE && item->cause != CAUSE_LIMIT_DIFFERS) {
		plan_item_cause(plan_find(plan, link->ifindex), item, &step);
		add(&w, 1, &step);
	}
	if (item && item->verdict == VERDICT_DRIFTED && item->cause != CAUSE_AUDIT)
		advise(&w, ADVICE_LIMIT_APPLY, link, FEATURE_MAX, true, NULL);
	if (plan_find_narrow(table, link, limit, &narrow)) {
		add_limit(&w, 1, link, CAUSE_LIMIT_NARROWER, narrow.below_number, narrow.below);
		if (!item)
			advise(&w, ADVICE_LIMIT_LOWER, link, FEATURE_MAX, true, NULL);
	}
	return 0;
}

void explanation_clear(struct explanation *e)
{
	free(e->steps);
	*e = (struct explanation){ 0 };
}

void plan_item_cause(const struct plan_link *pl, const struct plan_item *item, struct cause_step *ret)
{
	*ret = (struct cause_step){ .code = item->cause, .ifindex = pl->ifindex, .bit = item->bit, .want = item->want,
		.other_ifindex = item->cause_ifindex, .other_bit = item->cause_bit, .number = item->number.cause };
	memcpy(ret->link, pl->name, sizeof(ret->link));
	memcpy(ret->other_link, item->cause_name, sizeof(ret->other_link));
}

static const char *const advice_names[ADVICE_COUNT] = {
	[ADVICE_APPLY] = "apply",
	[ADVICE_RESUME] = "resume",
	[ADVICE_AUDIT_RULE] = "audit-rule",
	[ADVICE_CHANGE_RULE] = "change-rule",
	[ADVICE_REQUEST] = "request",
	[ADVICE_TURN_OFF] = "turn-off",
	[ADVICE_TURN_ON_ABOVE] = "turn-on-above",
	[ADVICE_NOT_BELOW] = "not-below",
	[ADVICE_DECLARE_LOWER] = "declare-lower",
	[ADVICE_OTHER_DEVICE] = "other-device",
	[ADVICE_REMOVE] = "remove",
	[ADVICE_LIMIT_APPLY] = "apply-limit",
	[ADVICE_LIMIT_LOWER] = "declare-limit-lower",
	[ADVICE_DETACH_XDP] = "detach-xdp",
	[ADVICE_RECREATE] = "recreate",
	[ADVICE_OWNER] = "owner",
	[ADVICE_HOST] = "host",
	[ADVICE_COUPLE] = "couple",
	[ADVICE_KEEP_OFF] = "keep-off",
};

const char *advice_name(enum advice advice)
{
	return (size_t)advice < ARRAY_SIZE(advice_names) ? advice_names[advice] : NULL;
}
