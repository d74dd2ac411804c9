/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/event_report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "plan/explain.h"

#define DEPTH_MAX 16

/* Troubles that last, and what is remembered of each. */
enum trouble { TROUBLE_DRIFT, TROUBLE_UNMET, TROUBLE_REFUSED, TROUBLE_CONTENDED, TROUBLE_COUNT };
_Static_assert(TROUBLE_COUNT == LINK_PROBLEMS, "struct link_reported");

static const enum event_kind trouble_kinds[TROUBLE_COUNT] = {
	[TROUBLE_DRIFT] = EVENT_DRIFT,
	[TROUBLE_UNMET] = EVENT_UNMET,
	[TROUBLE_REFUSED] = EVENT_REFUSED,
	[TROUBLE_CONTENDED] = EVENT_CONTENDED,
};

/* What a reconcile came to for one planned link. */
struct outcome {
	const struct apply_result *results[2]; /* its steps: LRO may go by itself */
	size_t followers; /* links that came right because this one did */
	const struct plan_link *follower; /* the first of them */
};

struct teller {
	struct link_states *states;
	const struct feature_table *table;
	const struct plan *plan;
	const struct link_table *links;
	struct outcome *outcomes; /* one for each of plan->links */
	event_fn fn;
	void *userdata;
};

/* The bits of one link and kind that go into one record, and how they are described. */
struct gathering {
	feature_set on, off; /* declared on, declared off */
	bool unread; /* the link's features could not be read */
	char rules[128], why[384];
};

static bool contains_phrase(const char *list, const char *phrase)
{
	const char *at = strstr(list, phrase);

	return at && (at == list || at[-1] == ' ');
}

static void add_phrase(char *list, size_t size, const char *separator, const char *phrase)
{
	if (!phrase[0] || contains_phrase(list, phrase))
		return;
	util_append(list, size, "%s%s", list[0] ? separator : "", phrase);
}

static void gather(struct gathering *g, const struct plan_item *item, const char *why)
{
	if (item->want)
		g->on |= FEATURE(item->bit);
	else
		g->off |= FEATURE(item->bit);
	g->unread |= item->unread;
	if (item->rule)
		add_phrase(g->rules, sizeof(g->rules), ", ", item->rule->file);
	add_phrase(g->why, sizeof(g->why), "; ", why);
}

static void append_state(const struct feature_table *table, char *buf, size_t size, feature_set set,
	const char *verb_one, const char *verb_many, const char *state)
{
	char names[320];

	if (!set)
		return;
	feature_format(table, set, names, sizeof(names));
	util_append(buf, size, "%s%s %s %s", buf[0] ? ", " : "", names,
		set & (set - 1) ? verb_many : verb_one, state);
}

/* "a, b were off, c was on" */
static void describe(const struct feature_table *table, const struct gathering *g, bool past, char *buf,
	size_t size)
{
	buf[0] = '\0';
	if (g->unread) {
		append_state(table, buf, size, g->on | g->off, past ? "was" : "is", past ? "were" : "are", "not known");
		return;
	}
	append_state(table, buf, size, g->on, past ? "was" : "is", past ? "were" : "are", "off");
	append_state(table, buf, size, g->off, past ? "was" : "is", past ? "were" : "are", "on");
}

static const char *set_words(const struct gathering *g)
{
	if (g->on && g->off)
		return "set as declared";
	return g->on ? "set on" : "set off";
}

static void start(struct event *e, enum event_kind kind, int priority, int ifindex, const char *name,
	const struct gathering *g)
{
	*e = (struct event){ .kind = kind, .priority = priority, .ifindex = ifindex,
		.features = g->on | g->off };
	util_copy_name(e->link, sizeof(e->link), name, strnlen(name, LINK_NAME_LEN));
	util_append(e->rule_file, sizeof(e->rule_file), "%s", g->rules);
	util_append(e->why, sizeof(e->why), "%s", g->why);
}

/* "vlan10: WAS; DID; WHY; rule FILE" of what there is. */
static void finish(struct event *e)
{
	util_append(e->message, sizeof(e->message), "%s: %s", e->link, e->was);
	if (e->did[0])
		util_append(e->message, sizeof(e->message), "; %s", e->did);
	if (e->why[0])
		util_append(e->message, sizeof(e->message), "; %s", e->why);
	if (e->rule_file[0])
		util_append(e->message, sizeof(e->message), "; rule %s", e->rule_file);
}

static void tell_repaired(const struct teller *t, const struct plan_link *pl,
	const struct outcome *outcome, const struct gathering *g)
{
	struct event e;

	start(&e, EVENT_REPAIRED, LOG_NOTICE, pl->ifindex, pl->name, g);
	describe(t->table, g, true, e.was, sizeof(e.was));
	util_append(e.did, sizeof(e.did), "%s", outcome->results[0] ? set_words(g) : "as declared again");
	if (outcome->followers == 1)
		util_append(e.did, sizeof(e.did), ", %s follows", outcome->follower->name);
	else if (outcome->followers > 1)
		util_append(e.did, sizeof(e.did), ", %s and %zu more follow", outcome->follower->name,
			outcome->followers - 1);
	finish(&e);
	t->fn(&e, t->userdata);
}

static void tell_trouble(const struct teller *t, const struct plan_link *pl, enum trouble trouble,
	const struct gathering *g)
{
	struct event e;

	start(&e, trouble_kinds[trouble], LOG_WARNING, pl->ifindex, pl->name, g);
	describe(t->table, g, false, e.was, sizeof(e.was));
	switch (trouble) {
	case TROUBLE_DRIFT:
		e.priority = LOG_NOTICE;
		util_append(e.did, sizeof(e.did), "would be %s", set_words(g));
		break;
	case TROUBLE_CONTENDED:
		util_append(e.did, sizeof(e.did), "left alone until it is quiet");
		break;
	case TROUBLE_UNMET:
	case TROUBLE_REFUSED:
	case TROUBLE_COUNT:
		break;
	}
	finish(&e);
	t->fn(&e, t->userdata);
}

static void tell_healed(
	const struct teller *t, const struct plan_link *pl, const struct gathering *g)
{
	struct event e;

	start(&e, EVENT_RECOVERED, LOG_INFO, pl->ifindex, pl->name, g);
	describe(t->table, g, true, e.was, sizeof(e.was));
	util_append(e.did, sizeof(e.did), "as declared again");
	finish(&e);
	t->fn(&e, t->userdata);
}

/* FNV-1a */
static uint32_t hash_text(const char *text)
{
	uint32_t hash = 2166136261u;

	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * 16777619u;
	return hash;
}

static const struct apply_result *result_of(const struct outcome *outcome, feature_set bit)
{
	for (size_t i = 0; i < ARRAY_SIZE(outcome->results); i++)
		if (outcome->results[i] && (outcome->results[i]->asked & bit))
			return outcome->results[i];
	return NULL;
}

static bool is_as_declared(
	const struct teller *t, const struct plan_link *pl, const struct plan_item *item)
{
	const struct link *link = link_table_find(t->links, pl->ifindex);
	const struct link_features *f = link && link->has_features ? &link->features : &pl->before;

	return item->want == !!(f->active & FEATURE(item->bit));
}

/* Where a drifted item stands after apply; TROUBLE_COUNT: nothing to complain of. */
static enum trouble judge_drifted(const struct teller *t, const struct plan_item *item,
	const struct outcome *outcome, char *why, size_t size)
{
	const struct apply_result *result = result_of(outcome, FEATURE(item->bit));

	if (result && result->error == -ENODEV)
		return TROUBLE_COUNT; /* its own event follows */
	if (result && result->error) {
		util_append(why, size, "%s", result->text);
		return TROUBLE_REFUSED;
	}
	if (result)
		util_append(why, size, EXPLAIN_NO_EFFECT);
	else
		explain_item(t->table, item, why, size);
	return TROUBLE_UNMET;
}

static const struct plan_item *find_item(const struct plan_link *pl, unsigned bit)
{
	for (size_t i = 0; i < pl->n_items; i++)
		if (pl->items[i].bit == bit)
			return &pl->items[i];
	return NULL;
}

/* Does the chain of causes end at a feature that is fought over? Then that record tells it; this item goes on and off with it. */
static bool is_held_by_fight(
	const struct teller *t, const struct plan_link *pl, const struct plan_item *item)
{
	for (unsigned depth = 0; depth < DEPTH_MAX && item; depth++) {
		if (item->verdict == VERDICT_CONTENDED)
			return depth > 0;
		if (item->cause_ifindex)
			pl = plan_find(t->plan, item->cause_ifindex);
		if (!pl)
			return false;
		item = find_item(pl, item->cause_bit);
	}
	return false;
}

/* Sorts the items of a link into what was repaired, what healed, and the troubles that stand. */
static void sort_items(const struct teller *t, const struct plan_link *pl,
	const struct outcome *outcome, const struct link_reported *said, struct gathering *repaired,
	struct gathering *healed, struct gathering troubles[TROUBLE_COUNT])
{
	for (size_t i = 0; i < pl->n_items; i++) {
		const struct plan_item *item = &pl->items[i];
		enum trouble trouble = TROUBLE_COUNT;
		char why[256] = "";

		if (item->bit >= FEATURE_MAX)
			continue; /* a rule for several kernels names features of others; plan and check tell */
		switch (item->verdict) {
		case VERDICT_DRIFTED:
			if (item->cause == CAUSE_AUDIT)
				trouble = TROUBLE_DRIFT;
			else if (is_as_declared(t, pl, item))
				gather(repaired, item, "");
			else
				trouble = judge_drifted(t, item, outcome, why, sizeof(why));
			break;
		case VERDICT_COMPLIANT:
			if (said && ((said->features[TROUBLE_DRIFT] | said->features[TROUBLE_UNMET] |
					     said->features[TROUBLE_REFUSED]) &
					    FEATURE(item->bit))) {
				gather(healed, item, "");
				healed->unread |= said->unread;
			}
			break;
		case VERDICT_BLOCKED:
		case VERDICT_UNSUPPORTED:
			if (is_held_by_fight(t, pl, item))
				break;
			trouble = TROUBLE_UNMET;
			explain_item(t->table, item, why, sizeof(why));
			break;
		case VERDICT_REFUSED:
			trouble = TROUBLE_REFUSED;
			util_append(why, sizeof(why), "%s", item->text);
			break;
		case VERDICT_CONTENDED:
			trouble = TROUBLE_CONTENDED;
			util_append(why, sizeof(why), "%s",
				item->text[0] ? item->text : "someone keeps changing it back");
			break;
		case VERDICT_PAUSED:
			break;
		}
		if (trouble < TROUBLE_COUNT)
			gather(&troubles[trouble], item, why);
	}
}

/* NULL: no standing problem. */
static struct link_reported *find_said(const struct link_states *states, int ifindex)
{
	const struct link_state *state = link_states_find(states, ifindex);

	return state ? state->reported : NULL;
}

static int remember_troubles(struct link_states *states, int ifindex, const struct gathering troubles[TROUBLE_COUNT])
{
	struct link_reported *said = find_said(states, ifindex);
	struct link_state *state;
	feature_set fought = said ? said->features[TROUBLE_CONTENDED] : 0, any = fought;
	uint32_t fought_why = said ? said->why[TROUBLE_CONTENDED] : 0;

	for (unsigned i = 0; i < TROUBLE_COUNT; i++)
		any |= troubles[i].on | troubles[i].off;
	if (!any) {
		if (said)
			link_states_forget_reported(states, link_states_find(states, ifindex));
		return 0;
	}
	state = link_states_get(states, ifindex);
	said = state ? link_states_reported(states, state) : NULL;
	if (!said)
		return -ENOMEM;
	said->unread = troubles[TROUBLE_REFUSED].unread;
	for (unsigned i = 0; i < TROUBLE_COUNT; i++) {
		said->features[i] = troubles[i].on | troubles[i].off;
		said->why[i] = hash_text(troubles[i].why);
	}
	/* A fight lasts until event_report_calm(): in between the feature is as declared half of the time. */
	if (fought) {
		said->features[TROUBLE_CONTENDED] |= fought;
		said->why[TROUBLE_CONTENDED] = fought_why;
	}
	return 0;
}

static int tell_link(const struct teller *t, const struct plan_link *pl, const struct outcome *outcome,
	bool follows)
{
	struct gathering repaired = { 0 }, healed = { 0 }, troubles[TROUBLE_COUNT] = { 0 };
	struct link_reported *said = find_said(t->states, pl->ifindex);

	sort_items(t, pl, outcome, said, &repaired, &healed, troubles);
	if ((repaired.on | repaired.off) && !follows)
		tell_repaired(t, pl, outcome, &repaired);
	if (healed.on | healed.off)
		tell_healed(t, pl, &healed);
	for (unsigned i = 0; i < TROUBLE_COUNT; i++) {
		feature_set bits = troubles[i].on | troubles[i].off;

		if (bits && (!said || (bits & ~said->features[i]) ||
				    hash_text(troubles[i].why) != said->why[i]))
			tell_trouble(t, pl, i, &troubles[i]);
	}
	return remember_troubles(t->states, pl->ifindex, troubles);
}

/* The planned link with a step whose repair brings this one right too; NULL when it has a step itself or there is none. */
static struct outcome *root_of(const struct teller *t, const struct plan_link *pl)
{
	for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
		const struct plan_link *next = NULL;

		for (size_t i = 0; i < pl->n_items && !next; i++)
			if (pl->items[i].verdict == VERDICT_DRIFTED && pl->items[i].cause_ifindex)
				next = plan_find(t->plan, pl->items[i].cause_ifindex);
		if (!next || next == pl)
			return NULL;
		if (t->outcomes[next - t->plan->links].results[0])
			return &t->outcomes[next - t->plan->links];
		pl = next;
	}
	return NULL;
}

static bool came_right(const struct teller *t, const struct plan_link *pl)
{
	bool any = false;

	for (size_t i = 0; i < pl->n_items; i++)
		if (pl->items[i].bit < FEATURE_MAX && pl->items[i].verdict == VERDICT_DRIFTED &&
			pl->items[i].cause != CAUSE_AUDIT) {
			if (!is_as_declared(t, pl, &pl->items[i]))
				return false;
			any = true;
		}
	return any;
}

static void assign_results(const struct teller *t, const struct apply_report *report)
{
	for (size_t i = 0; i < report->n_results; i++) {
		const struct plan_link *pl = plan_find(t->plan, report->results[i].ifindex);
		struct outcome *outcome;

		if (!pl)
			continue;
		outcome = &t->outcomes[pl - t->plan->links];
		outcome->results[outcome->results[0] ? 1 : 0] = &report->results[i];
	}
}

int event_report(struct link_states *states, const struct feature_table *table, const struct plan *plan,
	const struct apply_report *report, const struct link_table *links, event_fn fn, void *userdata)
{
	_cleanup_free_ struct outcome *outcomes = calloc(plan->n_links + 1, sizeof(*outcomes));
	_cleanup_free_ bool *follows = calloc(plan->n_links + 1, sizeof(*follows));
	struct teller t = { .states = states, .table = table, .plan = plan, .links = links,
		.outcomes = outcomes, .fn = fn, .userdata = userdata };
	int r = 0;

	if (!outcomes || !follows)
		return -ENOMEM;
	assign_results(&t, report);
	for (size_t i = 0; i < plan->n_links; i++) {
		struct outcome *root;

		if (outcomes[i].results[0] || !came_right(&t, &plan->links[i]))
			continue;
		root = root_of(&t, &plan->links[i]);
		if (!root)
			continue;
		follows[i] = true;
		if (root->followers++ == 0)
			root->follower = &plan->links[i];
	}
	for (size_t i = 0; i < plan->n_links && r >= 0; i++)
		r = tell_link(&t, &plan->links[i], &outcomes[i], follows[i]);
	return r;
}

void event_report_calm(struct link_states *states, const struct feature_table *table,
	const struct link *link, feature_set bits, event_fn fn, void *userdata)
{
	struct link_reported *said = find_said(states, link->ifindex);
	struct gathering g = { 0 };
	struct event e;

	if (said)
		said->features[TROUBLE_CONTENDED] &= ~bits;
	start(&e, EVENT_RESOLVED, LOG_NOTICE, link->ifindex, link->name, &g);
	e.features = bits;
	feature_format(table, bits, e.was, sizeof(e.was) - 32);
	util_append(e.was, sizeof(e.was), " quiet again");
	util_append(e.did, sizeof(e.did), "kept as declared from now on");
	finish(&e);
	fn(&e, userdata);
}
