/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/event_report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "basic/util.h"
#include "plan/explain.h"

#define DEPTH_MAX 16

/* Persistent problems: indexes of struct link_reported.problems. */
enum problem { PROBLEM_DRIFT, PROBLEM_UNMET, PROBLEM_FOREIGN, PROBLEM_REFUSED, PROBLEM_UNREADABLE, PROBLEM_CONTENDED, PROBLEM_COUNT };

static const enum finding_code problem_codes[PROBLEM_COUNT] = {
	[PROBLEM_DRIFT] = FINDING_DRIFTED,
	[PROBLEM_UNMET] = FINDING_UNMET,
	[PROBLEM_FOREIGN] = FINDING_NOT_IN_KERNEL,
	[PROBLEM_REFUSED] = FINDING_REFUSED,
	[PROBLEM_UNREADABLE] = FINDING_UNREADABLE,
	[PROBLEM_CONTENDED] = FINDING_CONTENDED,
};

/* Features and limits are reported separately: they are changed by different requests, and by different programs. */
enum subject { FEATURES, LIMITS, SUBJECTS };
#define PROBLEM(subject, problem) ((subject) * PROBLEM_COUNT + (problem))

_Static_assert(PROBLEM(SUBJECTS, 0) == LINK_PROBLEMS, "struct link_reported");
_Static_assert(FINDING_CAUSES_MAX == LINK_PROBLEM_CAUSES, "struct link_problem");

static struct link_reported *find_reported(const struct link_states *states, int ifindex)
{
	const struct link_state *state = link_states_find(states, ifindex);

	return state ? state->reported : NULL;
}

/* The result of a reconcile for one link of the plan. */
struct outcome {
	const struct apply_result *results[2]; /* of its steps about features; LRO may be a step of its own */
	const struct apply_result *limits;     /* of its step about limits */
	size_t followers; /* links that were repaired by the repair of this one */
	const struct plan_link *follower; /* the first of them */
};

struct reporter {
	struct link_states *states;
	const struct plan *plan;
	const struct link_table *links;
	struct outcome *outcomes; /* one for each of plan->links */
	finding_fn fn;
	void *userdata;
};

/* The features of one link that go into one finding. */
struct gathering {
	struct finding finding;
	const struct rule *rules[16]; /* in finding.rules */
	const char *words;            /* the last that were added */
};

static void gather(struct gathering *g, const struct plan_item *item)
{
	if (item->is_limit) {
		g->finding.limits.has |= LINK_LIMIT(item->number.limit);
		g->finding.limits.value[item->number.limit] = item->cause == CAUSE_LIMIT_ELSEWHERE ? 0 : item->number.want;
	} else if (item->bit >= FEATURE_MAX)
		g->finding.foreign |= feature_known_set(item->feature->word);
	else if (item->want)
		g->finding.on |= FEATURE(item->bit);
	else
		g->finding.off |= FEATURE(item->bit);
	for (size_t i = 0; item->rule && i < ARRAY_SIZE(g->rules) && g->rules[i] != item->rule; i++)
		if (!g->rules[i]) {
			util_append(g->finding.rules, sizeof(g->finding.rules), "%s%s", i ? ", " : "",
				item->rule->file);
			g->rules[i] = item->rule;
			g->finding.n_rules++;
			break;
		}
}

static void gather_words(struct gathering *g, const char *words)
{
	if (!words[0] || (g->words && strcmp(g->words, words) == 0))
		return;
	util_append(g->finding.words, sizeof(g->finding.words), "%s%s", g->words ? "; " : "", words);
	g->words = words;
}

/* Completes the finding with the link, and reports it. */
static void send(const struct reporter *t, const struct plan_link *pl, enum finding_code code, struct finding *f)
{
	f->code = code;
	f->ifindex = pl->ifindex;
	util_copy_name(f->link, sizeof(f->link), pl->name, sizeof(pl->name));
	t->fn(f, t->userdata);
}

/* What identifies it: features, feature_known_set(), or LINK_LIMIT(). */
static feature_set about(const struct gathering *g)
{
	return finding_features(&g->finding) | g->finding.foreign | g->finding.limits.has;
}

static feature_set bit_of(const struct plan_item *item)
{
	return item->is_limit ? LINK_LIMIT(item->number.limit) : FEATURE(item->bit);
}

static void report_repaired(const struct reporter *t, const struct plan_link *pl,
	const struct outcome *outcome, struct finding *f)
{
	const struct apply_result *result = f->limits.has ? outcome->limits : outcome->results[0];

	if (outcome->followers && !f->limits.has) {
		util_copy_name(f->other_link, sizeof(f->other_link), outcome->follower->name,
			sizeof(outcome->follower->name));
		f->n_others = (unsigned)outcome->followers - 1;
	}
	send(t, pl, result ? FINDING_REPAIRED : FINDING_REPAIRED_MEANWHILE, f);
}

static const struct apply_result *result_of(const struct outcome *outcome, const struct plan_item *item)
{
	if (item->is_limit)
		return outcome->limits && (outcome->limits->limits.has & bit_of(item)) ? outcome->limits : NULL;
	for (size_t i = 0; i < ARRAY_SIZE(outcome->results); i++)
		if (outcome->results[i] && (outcome->results[i]->asked & bit_of(item)))
			return outcome->results[i];
	return NULL;
}

static bool matches_rule(
	const struct reporter *t, const struct plan_link *pl, const struct plan_item *item)
{
	const struct link *link = link_table_find(t->links, pl->ifindex);
	const struct link_features *f = link && link->has_features ? &link->features : &pl->before;

	if (item->is_limit)
		return item->number.want == (link ? &link->limits : &pl->limits)->value[item->number.limit];
	return item->want == !!(f->active & FEATURE(item->bit));
}

static void gather_cause(struct gathering *g, const struct plan_link *pl, const struct plan_item *item, enum cause cause)
{
	struct cause_step step;

	plan_item_cause(pl, item, &step);
	if (cause != CAUSE_NONE)
		step = (struct cause_step){ .code = cause, .bit = item->bit, .want = item->want, .other_bit = FEATURE_MAX };
	finding_add_cause(&g->finding, &step);
}

/* The problem of an item that is still drifted after apply; PROBLEM_COUNT: none to report. */
static enum problem judge_drifted(struct gathering problems[PROBLEM_COUNT], const struct plan_link *pl,
	const struct plan_item *item, const struct outcome *outcome)
{
	const struct apply_result *result = result_of(outcome, item);

	if (result && result->error == -ENODEV)
		return PROBLEM_COUNT; /* the kernel's event for it follows */
	if (result && result->error) {
		gather_words(&problems[PROBLEM_REFUSED], result->text);
		return PROBLEM_REFUSED;
	}
	gather_cause(&problems[PROBLEM_UNMET], pl, item, result ? CAUSE_UNKNOWN : CAUSE_NONE);
	return PROBLEM_UNMET;
}

static const struct plan_item *find_item(const struct plan_link *pl, unsigned bit)
{
	for (size_t i = 0; i < pl->n_items; i++)
		if (pl->items[i].bit == bit)
			return &pl->items[i];
	return NULL;
}

/* Does the cause chain end at a contended feature? Then only that one is reported, because this item changes whenever it does. */
static bool is_caused_by_contended(
	const struct reporter *t, const struct plan_link *pl, const struct plan_item *item)
{
	for (unsigned depth = 0; depth < DEPTH_MAX && item; depth++) {
		if (item->verdict == VERDICT_CONTENDED)
			return depth > 0;
		if (item->cause_ifindex)
			pl = plan_find(t->plan, item->cause_ifindex);
		if (!pl || item->cause_bit >= FEATURE_MAX)
			return false;
		item = find_item(pl, item->cause_bit);
	}
	return false;
}

static feature_set standing(const struct link_reported *reported, enum subject subject, enum problem problem)
{
	return reported ? reported->problems[PROBLEM(subject, problem)].features : 0;
}

/* Sorts the features or the limits of a link: repaired, recovered, and by problem. */
static void sort_items(const struct reporter *t, const struct plan_link *pl, enum subject subject,
	const struct outcome *outcome, const struct link_reported *reported, struct gathering *repaired,
	struct gathering *recovered, struct gathering problems[PROBLEM_COUNT])
{
	feature_set before = standing(reported, subject, PROBLEM_DRIFT) | standing(reported, subject, PROBLEM_UNMET) |
		standing(reported, subject, PROBLEM_REFUSED) | standing(reported, subject, PROBLEM_UNREADABLE);

	for (size_t i = 0; i < pl->n_items; i++) {
		const struct plan_item *item = &pl->items[i];
		enum problem problem = PROBLEM_COUNT;

		if (item->is_limit != (subject == LIMITS))
			continue;
		if (item->bit >= FEATURE_MAX && !item->is_limit) {
			if (item->verdict != VERDICT_COMPLIANT)
				gather(&problems[PROBLEM_FOREIGN], item);
			continue;
		}
		switch (item->verdict) {
		case VERDICT_DRIFTED:
			if (item->cause == CAUSE_AUDIT)
				problem = PROBLEM_DRIFT;
			else if (matches_rule(t, pl, item))
				gather(repaired, item);
			else
				problem = judge_drifted(problems, pl, item, outcome);
			break;
		case VERDICT_COMPLIANT:
			if (before & bit_of(item))
				gather(recovered, item);
			break;
		case VERDICT_BLOCKED:
		case VERDICT_UNSUPPORTED:
			if (is_caused_by_contended(t, pl, item))
				break;
			problem = PROBLEM_UNMET;
			gather_cause(&problems[problem], pl, item, CAUSE_NONE);
			break;
		case VERDICT_REFUSED:
			problem = item->unread ? PROBLEM_UNREADABLE : PROBLEM_REFUSED;
			problems[problem].finding.error = item->unread ? pl->error : 0;
			gather_words(&problems[problem], item->text);
			break;
		case VERDICT_CONTENDED:
			problem = PROBLEM_CONTENDED;
			break;
		case VERDICT_PAUSED:
			break;
		}
		if (problem < PROBLEM_COUNT)
			gather(&problems[problem], item);
	}
}

/* The members that identify a problem. words is borrowed from the finding. */
static struct link_problem identify(struct gathering *g)
{
	struct finding *f = &g->finding;
	struct link_problem s = { .features = about(g), .error = f->error,
		.words = f->words[0] ? f->words : NULL };

	for (size_t i = 0; i < f->n_causes; i++) {
		s.causes[i].code = (uint8_t)f->causes[i].code;
		s.causes[i].bit = (uint8_t)f->causes[i].other_bit;
		s.causes[i].ifindex = f->causes[i].other_ifindex;
	}
	return s;
}

/* Is there anything new in now? */
static bool is_news(const struct link_problem *before, const struct link_problem *now)
{
	if ((now->features & ~before->features) || now->error != before->error ||
		strcmp(now->words ? now->words : "", before->words ? before->words : "") != 0)
		return true;
	for (size_t i = 0; i < FINDING_CAUSES_MAX; i++)
		if (now->causes[i].code != before->causes[i].code || now->causes[i].bit != before->causes[i].bit ||
			now->causes[i].ifindex != before->causes[i].ifindex)
			return true;
	return false;
}

static int remember_problems(
	struct link_states *states, int ifindex, struct gathering problems[SUBJECTS][PROBLEM_COUNT])
{
	struct link_reported *reported = find_reported(states, ifindex);
	feature_set any = standing(reported, FEATURES, PROBLEM_CONTENDED) | standing(reported, LIMITS, PROBLEM_CONTENDED);
	struct link_state *state;

	for (unsigned i = 0; i < LINK_PROBLEMS; i++)
		any |= about(&problems[i / PROBLEM_COUNT][i % PROBLEM_COUNT]);
	if (!any) {
		if (reported)
			link_states_forget_reported(states, link_states_find(states, ifindex));
		return 0;
	}
	state = link_states_get(states, ifindex);
	reported = state ? link_states_reported(states, state) : NULL;
	if (!reported)
		return -ENOMEM;
	for (unsigned i = 0; i < LINK_PROBLEMS; i++) {
		struct link_problem now = identify(&problems[i / PROBLEM_COUNT][i % PROBLEM_COUNT]);

		/* Contended until event_report_resolved(), although it matches the rule now and then. */
		if (i % PROBLEM_COUNT == PROBLEM_CONTENDED && reported->problems[i].features) {
			reported->problems[i].features |= now.features;
			continue;
		}
		now.words = now.words ? strdup(now.words) : NULL; /* without memory the problem is reported again */
		free(reported->problems[i].words);
		reported->problems[i] = now;
	}
	return 0;
}

/* Is the driver part of the contention? */
static bool resets_device(const struct reporter *t, int ifindex, feature_set contended)
{
	const struct link_state *state = link_states_find(t->states, ifindex);

	return state && state->contention && !(contended & ~state->contention->flapped[1]);
}

/* May a new problem come right by itself in a moment? Then nothing is reported about the link now. */
static bool may_follow(const struct reporter *t, const struct plan_link *pl, const struct finding *unmet,
	const struct link_reported *reported)
{
	struct link_state *state = link_states_find(t->states, pl->ifindex);

	if (!state || !state->following || !finding_features(unmet))
		return false;
	state->held = true;
	return finding_features(unmet) & ~standing(reported, FEATURES, PROBLEM_UNMET);
}

/* False: something about the link may come right by itself, and nothing was reported. */
static bool report_subject(const struct reporter *t, const struct plan_link *pl, enum subject subject,
	const struct outcome *outcome, bool follows, struct link_reported *reported, struct gathering problems[PROBLEM_COUNT])
{
	struct gathering repaired = { 0 }, recovered = { 0 };

	sort_items(t, pl, subject, outcome, reported, &repaired, &recovered, problems);
	if (subject == FEATURES && may_follow(t, pl, &problems[PROBLEM_UNMET].finding, reported))
		return false;
	if (about(&repaired) && !(follows && subject == FEATURES))
		report_repaired(t, pl, outcome, &repaired.finding);
	if (about(&recovered))
		send(t, pl, standing(reported, subject, PROBLEM_UNREADABLE) ? FINDING_READABLE : FINDING_RECOVERED,
			&recovered.finding);
	for (unsigned i = 0; i < PROBLEM_COUNT; i++) {
		static const struct link_problem nothing;
		struct link_problem now = identify(&problems[i]);

		if (now.features && is_news(reported ? &reported->problems[PROBLEM(subject, i)] : &nothing, &now))
			send(t, pl, i == PROBLEM_CONTENDED && subject == FEATURES && resets_device(t, pl->ifindex, now.features)
					? FINDING_RESETS
					: problem_codes[i],
				&problems[i].finding);
	}
	return true;
}

static int report_link(const struct reporter *t, const struct plan_link *pl, const struct outcome *outcome,
	bool follows, struct link_reported *reported)
{
	struct gathering problems[SUBJECTS][PROBLEM_COUNT] = { 0 };

	if (!report_subject(t, pl, FEATURES, outcome, follows, reported, problems[FEATURES]))
		return 0;
	(void)report_subject(t, pl, LIMITS, outcome, follows, reported, problems[LIMITS]);
	return remember_problems(t->states, pl->ifindex, problems);
}

static bool is_compliant(const struct plan_link *pl)
{
	for (size_t i = 0; i < pl->n_items; i++)
		if (pl->items[i].verdict != VERDICT_COMPLIANT)
			return false;
	return true;
}

/* The link of the plan whose step also repairs this one, NULL if there is none. */
static struct outcome *root_of(const struct reporter *t, const struct plan_link *pl)
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

static bool is_repaired(const struct reporter *t, const struct plan_link *pl)
{
	bool any = false;

	for (size_t i = 0; i < pl->n_items; i++)
		if (pl->items[i].bit < FEATURE_MAX && pl->items[i].verdict == VERDICT_DRIFTED &&
			pl->items[i].cause != CAUSE_AUDIT) {
			if (!matches_rule(t, pl, &pl->items[i]))
				return false;
			any = true;
		}
	return any;
}

static void assign_results(const struct reporter *t, const struct apply_report *report)
{
	for (size_t i = 0; i < report->n_results; i++) {
		const struct plan_link *pl = plan_find(t->plan, report->results[i].ifindex);
		struct outcome *outcome;

		if (!pl)
			continue;
		outcome = &t->outcomes[pl - t->plan->links];
		if (report->results[i].limits.has)
			outcome->limits = &report->results[i];
		else
			outcome->results[outcome->results[0] ? 1 : 0] = &report->results[i];
	}
}

int event_report(struct link_states *states, const struct plan *plan, const struct apply_report *report,
	const struct link_table *links, finding_fn fn, void *userdata)
{
	_cleanup_free_ struct outcome *outcomes = calloc(plan->n_links + 1, sizeof(*outcomes));
	_cleanup_free_ bool *follows = calloc(plan->n_links + 1, sizeof(*follows));
	struct reporter t = { .states = states, .plan = plan, .links = links,
		.outcomes = outcomes, .fn = fn, .userdata = userdata };
	int r = 0;

	if (!outcomes || !follows)
		return -ENOMEM;
	assign_results(&t, report);
	for (size_t i = 0; i < plan->n_links; i++) {
		struct outcome *root;

		if (outcomes[i].results[0] || !is_repaired(&t, &plan->links[i]))
			continue;
		root = root_of(&t, &plan->links[i]);
		if (!root)
			continue;
		follows[i] = true;
		if (root->followers++ == 0)
			root->follower = &plan->links[i];
	}
	for (size_t i = 0; i < plan->n_links && r >= 0; i++) {
		struct link_reported *reported = find_reported(states, plan->links[i].ifindex);

		if (reported || !is_compliant(&plan->links[i]))
			r = report_link(&t, &plan->links[i], &outcomes[i], follows[i], reported);
	}
	return r;
}

static void report_resolved(const struct link *link, feature_set bits, unsigned limits, finding_fn fn, void *userdata)
{
	struct finding f;

	finding_init(&f, FINDING_RESOLVED, link);
	f.on = bits;
	f.limits = link->limits;
	f.limits.has &= limits;
	fn(&f, userdata);
}

void event_report_resolved(struct link_states *states, const struct link *link, feature_set bits, unsigned limits,
	finding_fn fn, void *userdata)
{
	struct link_reported *reported = find_reported(states, link->ifindex);

	if (reported) {
		reported->problems[PROBLEM(FEATURES, PROBLEM_CONTENDED)].features &= ~bits;
		reported->problems[PROBLEM(LIMITS, PROBLEM_CONTENDED)].features &= ~(feature_set)limits;
	}
	if (bits)
		report_resolved(link, bits, 0, fn, userdata);
	if (limits)
		report_resolved(link, 0, limits, fn, userdata);
}
