/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "predict.h"
#include "util.h"

#define ROUNDS_MAX 4 /* a later step may undo what an earlier one did */
#define STACK_MAX 16 /* the kernel nests at most 8 deep (MAX_NEST_DEV); a stale picture may claim more */

static const char *const verdict_names[] = {
	[VERDICT_COMPLIANT] = "compliant",
	[VERDICT_DRIFTED] = "drifted",
	[VERDICT_BLOCKED] = "blocked",
	[VERDICT_FIXED] = "fixed",
	[VERDICT_REFUSED] = "refused",
	[VERDICT_CONTENDED] = "contended",
	[VERDICT_PAUSED] = "paused",
};

struct could {
	int ifindex;
	feature_set set;
	UT_hash_handle hh;
};

/* What goes on while a plan is made. */
struct planner {
	const struct plan_context *context;
	struct link_table *table;
	struct predict *predict;
	struct plan *plan;
	bool pretend;	       /* treat audit like enforce, to learn what would come of it */
	feature_set through_upper; /* NETIF_F_UPPER_DISABLES: goes from the top down */
	feature_set checksums; /* any of them makes a VLAN's generic one possible */
	feature_set generic_checksum;
	feature_set one_for_all; /* a master has it when one port has: NETIF_F_ONE_FOR_ALL and checksums */
	feature_set whatever_below; /* a VLAN keeps these whatever is below: software segmentation */
	bool look_at_now; /* state() is what is, not what is predicted */
	struct could *could;
	feature_set (*futile)[2]; /* by link of the plan and value: asking has no lasting effect; NULL: nowhere */
	size_t steps_room;
};

const char *verdict_name(enum verdict verdict)
{
	return (size_t)verdict < ARRAY_SIZE(verdict_names) ? verdict_names[verdict] : "unknown";
}

static bool is_master(const struct link *link)
{
	return link_is_kind(link, "bond") || link_is_kind(link, "bridge") ||
		link_is_kind(link, "team");
}

static const struct link_features *state(const struct planner *p, const struct link *link)
{
	const struct link_features *f = NULL;

	if (!p->look_at_now)
		f = predict_features(p->predict, link->ifindex);
	return f ? f : &link->features;
}

static int compare_index(const void *a, const void *b)
{
	const struct plan_index *x = a, *y = b;

	return (x->ifindex > y->ifindex) - (x->ifindex < y->ifindex);
}

/* Sorts out where each link is in plan->links; to be called after they moved. */
static void index_links(struct plan *plan)
{
	for (size_t i = 0; i < plan->n_links; i++)
		plan->index[i] = (struct plan_index){ plan->links[i].ifindex, i };
	plan->n_index = plan->n_links;
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

static bool stands_on_lower(const struct link *link)
{
	return link_is_kind(link, "vlan") || link_is_kind(link, "macvlan") ||
		link_is_kind(link, "macvtap") || link_is_kind(link, "ipvlan");
}

/* What rules say that this link must not have: nobody above can expect it. */
static feature_set declared_off(const struct planner *p, const struct link *link)
{
	struct declaration declarations[FEATURE_MAX];
	feature_set off = 0;

	rule_set_declare(p->context->rules, p->table, link, p->context->host, declarations, NULL, 0);
	for (unsigned bit = 0; bit < FEATURE_MAX; bit++)
		if (declarations[bit].value == RULE_OFF)
			off |= FEATURE(bit);
	return off;
}

static feature_set could_have(struct planner *p, const struct link *link, unsigned depth);

/* What all that `link` stands on could give it; a VLAN's generic checksum stands on any checksum below. A link that stands on nothing
 * has what its own hardware can; of one that stands on a link of another namespace nothing is known. */
static feature_set below_could_give(struct planner *p, const struct link *link, unsigned depth)
{
	struct link *lower = link_lower(p->table, link);
	feature_set could = 0, known, offered;

	if (lower) {
		could = could_have(p, lower, depth + 1);
		if (link_is_kind(link, "vlan")) {
			offered = predict_vlan_features(p->predict, lower->ifindex, &known);
			could &= offered | ~known | p->whatever_below;
			if (could & p->checksums)
				could |= p->generic_checksum;
		}
	} else if (is_master(link)) {
		for (struct link *port = link_first_port(p->table, link); port;
			port = link_next_port(p->table, port))
			could |= could_have(p, port, depth + 1);
	} else if (link->lower_netnsid < 0 || link_has_peer(link)) {
		could = link->features.hw;
	}
	return could;
}

/* What the link could have, by itself or from what it stands on: it has it, or it can be switched on there and no rule keeps it off.
 * Remembered per link, since every VLAN of a bond asks for it again. */
static feature_set could_have(struct planner *p, const struct link *link, unsigned depth)
{
	struct could *memo;
	feature_set set;

	HASH_FIND_INT(p->could, &link->ifindex, memo);
	if (memo)
		return memo->set;
	if (depth >= STACK_MAX || !link->has_features)
		return 0;
	set = (state(p, link)->active | link->features.hw) & ~declared_off(p, link);
	if (is_master(link))
		set &= below_could_give(p, link, depth) | ~p->one_for_all;
	else if (stands_on_lower(link) && link_lower(p->table, link))
		set &= below_could_give(p, link, depth);
	memo = malloc(sizeof(*memo));
	if (memo) {
		*memo = (struct could){ .ifindex = link->ifindex, .set = set };
		HASH_ADD_INT(p->could, ifindex, memo);
	}
	return set;
}

/* To be called once something may have been switched on that is not in `hw`. */
static void forget_could(struct planner *p)
{
	struct could *memo, *next;

	HASH_ITER(hh, p->could, memo, next)
	{
		HASH_DEL(p->could, memo);
		free(memo);
	}
}

/* `lower`: is the feature given from below, and all that it needs on this link too? What asks for scatter-gather has no use
 * where nobody gives scatter-gather. */
static bool given(const struct planner *p, const struct link *link, feature_set below, unsigned bit,
	unsigned depth)
{
	feature_set has = link->features.hw & ~link->features.nochange, all, any, not ;
	unsigned need;
	bool one = false;

	if (!(below & FEATURE(bit)) || depth > 4)
		return false;
	below |= state(p, link)->active & ~has; /* fixed on */
	predict_needs(p->predict, bit, &all, &any, &not );
	feature_foreach(need, all)
		if (!given(p, link, below, need, depth + 1))
			return false;
	feature_foreach(need, any)
		one |= given(p, link, below, need, depth + 1);
	return one || !any;
}

static void resolve_want(struct planner *p, const struct link *link, struct plan_item *item)
{
	bool active = state(p, link)->active & FEATURE(item->bit);

	switch (item->declared) {
	case RULE_ON:
		item->want = true;
		break;
	case RULE_OFF:
		item->want = false;
		break;
	case RULE_LOWER:
		item->not_given = !given(p, link, below_could_give(p, link, 0), item->bit, 0);
		item->want = item->not_given ? active : true;
		break;
	case RULE_UNSET:
		item->want = active;
		break;
	}
}

static bool item_settable(const struct plan_context *c, const struct link *link,
	const struct plan_item *item, feature_set bits)
{
	return (link->features.hw & ~link->features.nochange & bits) &&
		!(c->is_paused && c->is_paused(link->ifindex, c->userdata)) &&
		!(c->is_contended &&
			c->is_contended(link->ifindex, item->bit, NULL, 0, c->userdata)) &&
		!(c->is_refused &&
			c->is_refused(link->ifindex, item->bit, item->want, NULL, 0, c->userdata)) &&
		!(c->is_futile && c->is_futile(link->ifindex, item->bit, item->want, c->userdata));
}

/* The SET that brings the declared features among `among` to where they should be, as the prediction stands now. */
static void collect_set(struct planner *p, const struct link *link, struct plan_link *pl,
	feature_set among, feature_set *ret_mask, feature_set *ret_value)
{
	const feature_set *futile = p->futile ? p->futile[pl - p->plan->links] : (feature_set[2]){ 0 };
	const struct link_features *f = state(p, link);

	*ret_mask = *ret_value = 0;
	for (size_t i = 0; i < pl->n_items; i++) {
		struct plan_item *item = &pl->items[i];
		feature_set b;

		if (item->bit >= FEATURE_MAX)
			continue;
		b = FEATURE(item->bit);
		resolve_want(p, link, item);
		if (!(among & b) || item->want == !!(f->active & b) || item->want == !!(f->wanted & b))
			continue;
		if ((item->audit && !p->pretend) || (futile[item->want] & b))
			continue;
		if (!item_settable(p->context, link, item, b))
			continue;
		*ret_mask |= b;
		if (item->want)
			*ret_value |= b;
	}
}

static int add_step(
	struct planner *p, const struct plan_link *pl, feature_set mask, feature_set value)
{
	struct plan *plan = p->plan;

	if (plan->n_steps == p->steps_room) {
		size_t room = p->steps_room ? 2 * p->steps_room : 8;
		struct plan_step *steps = realloc(plan->steps, room * sizeof(*steps));

		if (!steps)
			return -ENOMEM;
		plan->steps = steps;
		p->steps_room = room;
	}
	plan->steps[plan->n_steps] = (struct plan_step){
		.ifindex = pl->ifindex,
		.mask = mask,
		.value = value,
	};
	memcpy(plan->steps[plan->n_steps].name, pl->name, sizeof(pl->name));
	plan->n_steps++;
	return 0;
}

/* A SET may bring about what is declared otherwise (TSO that was off only for want of scatter-gather): that goes into the same one. */
static int step_link(struct planner *p, struct plan_link *pl, feature_set among)
{
	const struct link *link = link_table_find(p->table, pl->ifindex);
	feature_set mask = 0, value = 0, more, more_value;
	int r;

	if (!link || !link->has_features || pl->n_items == 0)
		return 0;
	for (;;) {
		collect_set(p, link, pl, among, &more, &more_value);
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
	return mask ? add_step(p, pl, mask, value) : 0;
}

/* Is LRO of this link at stake together with that of a link above or below? Then it goes from the top down. */
static bool lro_in_stack(const struct planner *p, const struct link *link)
{
	return link_lower(p->table, link) || link_master(p->table, link) ||
		link->first_port || link->first_upper;
}

static int make_round(struct planner *p)
{
	struct plan *plan = p->plan;
	int r = 0;

	for (size_t i = plan->n_links; i-- > 0 && r >= 0 && p->through_upper;) {
		const struct link *link = link_table_find(p->table, plan->links[i].ifindex);

		if (link && lro_in_stack(p, link))
			r = step_link(p, &plan->links[i], p->through_upper);
	}
	for (size_t i = 0; i < plan->n_links && r >= 0; i++)
		r = step_link(p, &plan->links[i], ~UINT64_C(0));
	return r;
}

/* Marks what steps ask for and what is, once all of them are done, neither on nor even asked for (or neither off nor asked to be): the
 * LRO of a port whose master cannot have it. 1 when there is any. */
static int find_futile(struct planner *p)
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
		if (!p->futile)
			p->futile = calloc(plan->n_links, sizeof(*p->futile));
		if (!p->futile)
			return -ENOMEM;
		p->futile[at][true] |= lost & step->value;
		p->futile[at][false] |= lost & ~step->value;
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
	return predict_new(c->table, p->table, c->host->kernel_release, &p->predict);
}

/* Until a round finds nothing to do, so that a second plan finds nothing either. What turns out to be futile is left out from the
 * start. */
static int make_steps(struct planner *p)
{
	int r = 0, futile = 1;

	for (unsigned tries = 0; tries < ROUNDS_MAX && futile > 0; tries++) {
		if (tries > 0)
			r = start_prediction(p);
		for (unsigned round = 0; round < ROUNDS_MAX && r >= 0; round++) {
			size_t before = p->plan->n_steps;

			r = make_round(p);
			if (p->plan->n_steps == before)
				break;
			forget_could(p);
		}
		futile = r < 0 ? r : find_futile(p);
	}
	return futile < 0 ? futile : 0;
}

static void set_cause(struct plan_item *item, enum cause cause, const struct link *at, unsigned bit)
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
		set_cause(item, CAUSE_NEEDS, NULL, (unsigned)__builtin_ctzll(all & ~f->active));
	else if (any && !(any & f->active))
		set_cause(item, CAUSE_NEEDS, NULL,
			(unsigned)__builtin_ctzll(any & f->hw ? any & f->hw : any));
	else if (not & f->active)
		set_cause(item, CAUSE_CONFLICTS, NULL, (unsigned)__builtin_ctzll(not & f->active));
	else
		return false;
	return true;
}

static bool cause_in_ports(const struct planner *p, const struct link *link, struct plan_item *item)
{
	struct link *first = link_first_port(p->table, link);
	feature_set b = FEATURE(item->bit);

	if (!is_master(link) || !(p->one_for_all & b))
		return false;
	if (!first) {
		if (link_is_kind(link, "bridge"))
			return false;
		set_cause(item, CAUSE_NO_SLAVES, NULL, FEATURE_MAX);
		return true;
	}
	for (struct link *port = first; port; port = link_next_port(p->table, port)) {
		if (state(p, port)->active & b)
			return false;
		if (!(state(p, first)->hw & b) && (state(p, port)->hw & b))
			first = port;
	}
	set_cause(item, CAUSE_SLAVE_OFF, first, item->bit);
	return true;
}

static bool cause_in_lower(const struct planner *p, const struct link *link, struct plan_item *item)
{
	struct link *lower = link_lower(p->table, link);
	feature_set b = FEATURE(item->bit);
	const struct link_features *f;

	if (!lower || !stands_on_lower(link))
		return false;
	f = state(p, lower);
	if (link_is_kind(link, "vlan") && b == p->generic_checksum)
		b = p->checksums;
	if (f->active & b)
		set_cause(item, CAUSE_LOWER_NOT_FOR_VLAN, lower, item->bit);
	else if (f->hw & b)
		set_cause(item, CAUSE_LOWER_OFF, lower,
			f->hw & FEATURE(item->bit) ? item->bit : (unsigned)__builtin_ctzll(f->hw & b));
	else
		set_cause(item, CAUSE_LOWER_FIXED, lower, item->bit);
	return true;
}

/* netdev_sync_upper_features() looks at what is wanted above, netdev_sync_lower_features() at what is on there. */
static bool forbids(const struct planner *p, const struct link *upper, unsigned bit)
{
	const struct link_features *f = state(p, upper);

	return !(f->wanted & f->active & FEATURE(bit));
}

static bool cause_in_upper(const struct planner *p, const struct link *link, struct plan_item *item)
{
	struct link *upper = link_master(p->table, link);

	if (!(p->through_upper & FEATURE(item->bit)))
		return false;
	if (!upper || !forbids(p, upper, item->bit))
		for (upper = link_first_upper(p->table, link); upper && !forbids(p, upper, item->bit);)
			upper = link_next_upper(p->table, upper);
	if (upper)
		set_cause(item, CAUSE_UPPER_OFF, upper, item->bit);
	return upper;
}

static void find_cause(const struct planner *p, const struct link *link, struct plan_item *item)
{
	const struct link_features *f = state(p, link);
	feature_set b = FEATURE(item->bit);
	struct link *lower = link_lower(p->table, link);

	if (!(f->hw & ~f->nochange & b)) {
		set_cause(item, CAUSE_FIXED_DRIVER, NULL, item->bit);
		item->verdict = VERDICT_FIXED;
		return;
	}
	item->verdict = VERDICT_BLOCKED;
	if (!item->want) {
		if (lower && (state(p, lower)->active & b))
			set_cause(item, CAUSE_LOWER_ON, lower, item->bit);
		else
			set_cause(item, CAUSE_UNKNOWN, NULL, item->bit);
		return;
	}
	if (cause_in_link(p, f, item->bit, item) || cause_in_upper(p, link, item) ||
		cause_in_lower(p, link, item) || cause_in_ports(p, link, item))
		return;
	set_cause(item, CAUSE_UNKNOWN, NULL, item->bit);
}

/* Verdict of an item whose link and feature exist, once all steps have been predicted. */
static void judge(struct planner *p, const struct link *link, struct plan_item *item)
{
	const struct plan_context *c = p->context;
	const struct link_features *f = state(p, link);
	feature_set b = FEATURE(item->bit);

	resolve_want(p, link, item);
	item->predicted = f->active & b;
	item->uncertain = predict_uncertain(p->predict, link->ifindex) & b;
	set_cause(item, CAUSE_NONE, NULL, FEATURE_MAX);
	if (item->not_given || (item->active == item->want && item->predicted == item->want)) {
		item->verdict = VERDICT_COMPLIANT;
		return;
	}
	if (c->is_paused && c->is_paused(link->ifindex, c->userdata)) {
		item->verdict = VERDICT_PAUSED;
		return;
	}
	if (c->is_contended && c->is_contended(link->ifindex, item->bit, item->text,
				       sizeof(item->text), c->userdata)) {
		item->verdict = VERDICT_CONTENDED;
		return;
	}
	if (c->is_refused && c->is_refused(link->ifindex, item->bit, item->want, item->text,
				     sizeof(item->text), c->userdata)) {
		item->verdict = VERDICT_REFUSED;
		return;
	}
	if (item->predicted == item->want) {
		if (item->wanted != item->want) {
			set_cause(item, item->want ? CAUSE_OFF : CAUSE_ON, NULL, item->bit);
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

/* An alias asks for what the device can change. Where that is nothing, one item stands for it, unless what is there satisfies it. */
static bool alias_member_counts(const struct link *link, const struct declaration *d, unsigned bit)
{
	feature_set members = d->feature->bits, changeable = members & link->features.hw;

	if (d->feature->word_kind != FEATURE_WORD_ALIAS)
		return true;
	if (changeable)
		return changeable & FEATURE(bit);
	if (d->value == RULE_LOWER)
		return false;
	return bit == (unsigned)__builtin_ctzll(members) &&
		(d->value == RULE_ON) != !!(members & link->features.active);
}

static struct plan_item make_item(
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
		.rule = d->rule,
		.feature = d->feature,
	};
}

/* A feature that other kernels have: off is what it is, on cannot be had, lower asks for nothing. */
static void judge_foreign(struct plan_item *item)
{
	item->want = item->declared == RULE_ON;
	item->verdict = item->want ? VERDICT_FIXED : VERDICT_COMPLIANT;
	item->cause = item->want ? CAUSE_FIXED_KERNEL : CAUSE_NONE;
}

static int declare_link(struct planner *p, const struct link *link, struct plan_link *pl)
{
	struct declaration declarations[FEATURE_MAX], foreign[16];
	struct plan_item items[FEATURE_MAX + ARRAY_SIZE(foreign)];
	size_t n = 0, n_foreign;

	n_foreign = rule_set_declare(p->context->rules, p->table, link, p->context->host,
		declarations, foreign, ARRAY_SIZE(foreign));
	if (link->has_features)
		for (unsigned bit = 0; bit < FEATURE_MAX; bit++) {
			const struct declaration *d = &declarations[bit];

			if (d->value == RULE_UNSET || !alias_member_counts(link, d, bit))
				continue;
			if (d->value == RULE_LOWER && !(link->features.hw & FEATURE(bit)))
				continue;
			items[n++] = make_item(p->context, link, d, bit);
		}
	for (size_t i = 0; i < n_foreign && i < ARRAY_SIZE(foreign); i++) {
		items[n] = make_item(p->context, link, &foreign[i], FEATURE_MAX);
		judge_foreign(&items[n++]);
	}
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
		.error = link->has_features ? 0 : link->features_error,
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

/* The links to plan for, lowest first. */
static int choose_links(struct link_table *table, const int *only, size_t n_only,
	struct link ***ret_links, size_t *ret_n)
{
	struct link **links;
	size_t n = 0;

	if (!only)
		return link_table_sorted(table, ret_links, ret_n);
	link_table_stack(table);
	links = malloc((n_only + 1) * sizeof(*links));
	if (!links)
		return -ENOMEM;
	for (size_t i = 0; i < n_only; i++) {
		links[n] = link_table_find(table, only[i]);
		if (links[n])
			n++;
	}
	qsort(links, n, sizeof(*links), compare_position);
	*ret_links = links;
	*ret_n = n;
	return 0;
}

static int declare_links(struct planner *p, const int *only, size_t n_only)
{
	_cleanup_free_ struct link **links = NULL;
	struct plan *plan = p->plan;
	size_t n;
	int r = choose_links(p->table, only, n_only, &links, &n);

	if (r < 0)
		return r;
	/* room for side effects too: at most every link there is */
	plan->links = calloc(link_table_count(p->table) + 1, sizeof(*plan->links));
	plan->index = calloc(link_table_count(p->table) + 1, sizeof(*plan->index));
	if (!plan->links || !plan->index)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && links[i] == links[i - 1])
			continue;
		start_link(&plan->links[plan->n_links], links[i]);
		r = declare_link(p, links[i], &plan->links[plan->n_links]);
		if (r < 0)
			return r;
		plan->n_links += (size_t)r;
	}
	index_links(plan);
	return 0;
}

/* Adds the links that no rule names and that change all the same. */
static void add_side_effects(struct planner *p)
{
	struct plan *plan = p->plan;

	if (plan->n_steps == 0)
		return;
	link_table_foreach(p->table, link) {
		const struct link_features *f = predict_features(p->predict, link->ifindex);

		if (!f || !link->has_features ||
			(f->active == link->features.active && f->wanted == link->features.wanted) ||
			plan_find(plan, link->ifindex))
			continue;
		start_link(&plan->links[plan->n_links++], link);
	}
}

static void finish_link(struct planner *p, struct plan_link *pl)
{
	const struct link *link = link_table_find(p->table, pl->ifindex);
	feature_set declared = 0;

	if (link && link->has_features) {
		pl->predicted = *state(p, link);
		pl->uncertain = predict_uncertain(p->predict, pl->ifindex);
	}
	for (size_t i = 0; i < pl->n_items; i++) {
		struct plan_item *item = &pl->items[i];

		if (item->bit < FEATURE_MAX && link) {
			judge(p, link, item);
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
	forget_could(p);
	free(p->futile);
	predict_free(p->predict);
}

static int decide(const struct plan_context *c, struct link_table *table, const int *only,
	size_t n_only, bool pretend, struct plan *ret)
{
	_cleanup_(planner_clear) struct planner p = {
		.context = c, .table = table, .plan = ret, .pretend = pretend
	};
	size_t declared;
	int r;

	r = start_prediction(&p);
	if (r < 0)
		return r;
	p.through_upper = feature_named(c->table, "rx-lro");
	p.generic_checksum = feature_named(c->table, "tx-checksum-ip-generic");
	p.checksums = p.generic_checksum | feature_named(c->table, "tx-checksum-ipv4") |
		feature_named(c->table, "tx-checksum-ipv6");
	p.one_for_all = predict_one_for_all(p.predict) | p.checksums;
	p.whatever_below = predict_software(p.predict);
	r = declare_links(&p, only, n_only);
	if (r < 0)
		return r;
	r = make_steps(&p);
	if (r < 0)
		return r;
	declared = ret->n_links;
	add_side_effects(&p);
	for (size_t i = 0; i < ret->n_links; i++)
		finish_link(&p, &ret->links[i]);
	if (ret->n_links > declared) {
		qsort_r(ret->links, ret->n_links, sizeof(*ret->links), compare_links, table);
		index_links(ret);
	}
	return 0;
}

/* What an audited item would come to is known from a plan that pretends to enforce it. */
static void adopt_pretended(struct plan *plan, const struct plan *pretended)
{
	for (size_t i = 0; i < plan->n_links; i++) {
		const struct plan_link *other = plan_find(pretended, plan->links[i].ifindex);

		for (size_t j = 0; other && j < plan->links[i].n_items; j++) {
			struct plan_item *item = &plan->links[i].items[j];

			if (!item->audit || item->verdict == VERDICT_COMPLIANT ||
				j >= other->n_items)
				continue;
			item->verdict = other->items[j].verdict;
			if (item->verdict == VERDICT_DRIFTED) {
				set_cause(item, CAUSE_AUDIT, NULL, item->bit);
				continue;
			}
			item->cause = other->items[j].cause;
			item->cause_bit = other->items[j].cause_bit;
			item->cause_ifindex = other->items[j].cause_ifindex;
			memcpy(item->cause_name, other->items[j].cause_name,
				sizeof(item->cause_name));
		}
	}
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

static void count(struct plan *plan)
{
	for (size_t i = 0; i < plan->n_links; i++)
		for (size_t j = 0; j < plan->links[i].n_items; j++) {
			plan->counts[plan->links[i].items[j].verdict]++;
			plan->overdue += plan->links[i].items[j].overdue;
		}
}

int plan_make(const struct plan_context *context, struct link_table *table, const int *only,
	size_t n_only, struct plan *ret)
{
	struct plan pretended = { 0 };
	int r;

	*ret = (struct plan){ 0 };
	r = decide(context, table, only, n_only, false, ret);
	if (r >= 0 && audits_something(ret)) {
		r = decide(context, table, only, n_only, true, &pretended);
		if (r >= 0)
			adopt_pretended(ret, &pretended);
		plan_clear(&pretended);
	}
	if (r < 0) {
		plan_clear(ret);
		return r;
	}
	count(ret);
	return 0;
}

void plan_clear(struct plan *plan)
{
	for (size_t i = 0; i < plan->n_links; i++)
		free(plan->links[i].items);
	free(plan->links);
	free(plan->index);
	free(plan->steps);
	*plan = (struct plan){ 0 };
}

int plan_exit_code(const struct plan *plan)
{
	int code = 0;

	if (plan->n_steps || plan->counts[VERDICT_DRIFTED])
		code |= 2;
	if (plan->counts[VERDICT_BLOCKED] || plan->counts[VERDICT_FIXED] ||
		plan->counts[VERDICT_REFUSED] || plan->counts[VERDICT_CONTENDED])
		code |= 4;
	return code;
}

enum verdict plan_link_verdict(const struct plan_link *link)
{
	/* worst last; what can be put right ranks below what cannot */
	static const int rank[VERDICT_COUNT] = {
		[VERDICT_COMPLIANT] = 0,
		[VERDICT_PAUSED] = 1,
		[VERDICT_DRIFTED] = 2,
		[VERDICT_FIXED] = 3,
		[VERDICT_BLOCKED] = 4,
		[VERDICT_REFUSED] = 5,
		[VERDICT_CONTENDED] = 6,
	};
	enum verdict worst = VERDICT_COMPLIANT;

	for (size_t i = 0; i < link->n_items; i++)
		if (rank[link->items[i].verdict] > rank[worst])
			worst = link->items[i].verdict;
	return worst;
}
