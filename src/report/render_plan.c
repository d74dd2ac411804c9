/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "report/catalog.h"
#include "report/render_text.h"
#include "basic/util.h"

/* "should be on", "should follow bond0 (on)" */
static void append_declared(
	const struct view *view, const struct plan_link *pl, const struct plan_item *item, char *buf, size_t size)
{
	const struct link *link = link_table_find(view->links, pl->ifindex);
	const struct link *lower = link ? link_lower(view->links, link) : NULL;

	char words[32];

	if (!rule_value_follows(item->declared)) {
		util_append(buf, size, "should be %s", view_item_declared(item, words, sizeof(words)));
		return;
	}
	util_append(buf, size, "should follow %s", lower ? render_clean_name(lower->name) :
			link && link->first_port ? item->declared == RULE_LOWER_ALL ? "all its ports" : "its ports" : "the interface below");
	if (!item->unread)
		util_append(buf, size, "%s", view_item_declared(item, words, sizeof(words)) + strlen("lower"));
}

static void put_group(
	const struct render *r, const struct view *view, const struct plan_link *pl, const struct view_group *group)
{
	const struct plan_item *item = group->item;
	char text[RENDER_NAMES_LEN], why[CATALOG_TEXT_MAX], state[32];

	fputs("  ", r->out);
	render_put_verdict(r, item->verdict, 13);
	render_wrapped(r, 15, view_group_names(view->features, group, text, sizeof(text)));
	snprintf(text, sizeof(text), "%s, ", view_item_state(item, state, sizeof(state)));
	append_declared(view, pl, item, text, sizeof(text));
	if (item->rule)
		render_append_clean(text, sizeof(text), ", ", item->rule->file);
	if (item->cause != CAUSE_UNSUPPORTED_KERNEL && item->cause != CAUSE_LIMIT_DIFFERS)
		render_append_clean(text, sizeof(text), ": ", catalog_item(view->features, pl, item, item->bit, why, sizeof(why)));
	fprintf(r->out, "%*s", 15, "");
	render_wrapped(r, 15, text);
}

static void put_link_heading(
	const struct render *r, const struct link_table *links, const struct plan_link *pl)
{
	const struct link *link = link_table_find(links, pl->ifindex);
	char words[256];

	render_put_name(r, pl->name);
	fprintf(r->out, " (%s): ",
		link ? view_link_words(links, link, words, sizeof(words))
		     : util_clean(pl->kind, words, sizeof(words)));
}

/* The items of a link that do not match the rules. Nothing at all when all do. */
static void put_link(const struct render *r, const struct view *view, const struct plan_link *pl)
{
	struct view_group group;
	size_t at = 0, compliant = 0;

	if (plan_link_verdict(pl) == VERDICT_COMPLIANT)
		return;
	put_link_heading(r, view->links, pl);
	render_put_counts(r, pl);
	fputc('\n', r->out);
	while (view_next_group(pl, &at, &group) && group.item->verdict != VERDICT_COMPLIANT)
		put_group(r, view, pl, &group);
	for (size_t i = 0; i < pl->n_items; i++)
		compliant += pl->items[i].verdict == VERDICT_COMPLIANT;
	if (compliant)
		fprintf(r->out, "  %-13s%zu more feature%s\n", verdict_name(VERDICT_COMPLIANT),
			compliant, util_plural(compliant));
	fputc('\n', r->out);
}

/* "tx-scatter-gather on; rx-lro off" */
static void append_values(const struct feature_table *table, feature_set mask, feature_set value,
	char *buf, size_t size)
{
	char names[RENDER_NAMES_LEN];

	if (mask & value)
		util_append(buf, size, "%s on",
			feature_format(table, mask & value, names, sizeof(names)));
	if (mask & ~value)
		util_append(buf, size, "%s%s off", mask & value ? "; " : "",
			feature_format(table, mask & ~value, names, sizeof(names)));
}

static void append_limits(const struct link_limits *limits, unsigned which, char *buf, size_t size)
{
	for (unsigned i = 0; i < LINK_LIMIT_COUNT; i++)
		if (which & LINK_LIMIT(i))
			util_append(buf, size, "%s%s %" PRIu32, buf[0] ? ", " : "", link_limit_name(i), limits->value[i]);
}

static unsigned limits_changed(const struct link_limits *a, const struct link_limits *b)
{
	unsigned changed = 0;

	for (unsigned i = 0; i < LINK_LIMIT_COUNT; i++)
		changed |= a->value[i] != b->value[i] ? LINK_LIMIT(i) : 0;
	return changed;
}

static void put_step(const struct render *r, const struct feature_table *table, size_t number,
	const char *name, feature_set mask, feature_set value, const struct link_limits *limits)
{
	char text[2 * RENDER_NAMES_LEN] = "";
	int column = fprintf(r->out, "%3zu. %s: ", number, render_clean_name(name));

	append_values(table, mask, value, text, sizeof(text));
	append_limits(limits, limits->has, text, sizeof(text));
	render_wrapped(r, (unsigned)column, text);
}

static void put_steps(const struct render *r, const struct view *view)
{
	const struct plan *plan = view->plan;

	if (plan->n_steps == 0)
		return;
	render_put_heading(r, "Steps, in this order:");
	for (size_t i = 0; i < plan->n_steps; i++)
		put_step(r, view->features, i + 1, plan->steps[i].name, plan->steps[i].mask,
			plan->steps[i].value, &plan->steps[i].limits);
	fputc('\n', r->out);
}

/* "  + vlan10: ", with the mark of a change: + turns on, - turns off, ~ changes a number. Returns its width. */
static unsigned put_mark(const struct render *r, char mark, const char *name)
{
	const char text[] = { mark, '\0' };

	fputs("  ", r->out);
	render_put_coloured(r, mark == '+' ? "32" : mark == '-' ? "31" : "33", text);
	return 3 + (unsigned)fprintf(r->out, " %s: ", render_clean_name(name));
}

static void put_change(const struct render *r, const struct view *view, const struct plan_link *pl,
	feature_set bits, bool on, bool side, bool certain)
{
	char text[RENDER_NAMES_LEN + 128], names[RENDER_NAMES_LEN];
	unsigned column;

	if (!bits)
		return;
	column = put_mark(r, on ? '+' : '-', pl->name);
	snprintf(text, sizeof(text), "%s %sturn%s %s%s%s", feature_format(view->features, bits, names, sizeof(names)),
		side ? "also " : "", bits & (bits - 1) ? "" : "s", util_on_off(on),
		side ? " (side effect, not set by a rule)" : "", certain ? "" : " (the result is uncertain)");
	render_wrapped(r, column, text);
}

static unsigned declared_limits(const struct plan_link *pl)
{
	unsigned declared = 0;

	for (size_t i = 0; i < pl->n_items; i++)
		declared |= pl->items[i].is_limit ? LINK_LIMIT(pl->items[i].number.limit) : 0;
	return declared;
}

static void put_limit_changes(const struct render *r, const struct plan_link *pl)
{
	unsigned changed = limits_changed(&pl->limits, &pl->limits_predicted), side = changed & ~declared_limits(pl);
	char text[512] = "";

	append_limits(&pl->limits_predicted, changed & ~side, text, sizeof(text));
	if (changed & ~side)
		render_wrapped(r, put_mark(r, '~', pl->name), text);
	text[0] = '\0';
	append_limits(&pl->limits_predicted, side, text, sizeof(text));
	util_append(text, sizeof(text), " (side effect, not set by a rule)");
	if (side)
		render_wrapped(r, put_mark(r, '~', pl->name) + (unsigned)fprintf(r->out, "also "), text);
}

/* The active features and the limits that will change; side effects and what is not certain apart. */
static void put_changes(const struct render *r, const struct view *view)
{
	bool any = false;

	if (view->plan->n_steps == 0)
		return;
	render_put_heading(r, "Expected result:");
	for (size_t i = 0; i < view->plan->n_links; i++) {
		const struct plan_link *pl = &view->plan->links[i];
		feature_set changed = pl->before.active ^ pl->predicted.active;

		any |= changed != 0 || limits_changed(&pl->limits, &pl->limits_predicted);
		for (int on = 1; on >= 0; on--) {
			feature_set bits =
				changed & (on ? pl->predicted.active : pl->before.active);
			feature_set declared = bits & ~pl->side_effects;
			feature_set side = bits & pl->side_effects;

			put_change(r, view, pl, declared & ~pl->uncertain, on, false, true);
			put_change(r, view, pl, declared & pl->uncertain, on, false, false);
			put_change(r, view, pl, side & ~pl->uncertain, on, true, true);
			put_change(r, view, pl, side & pl->uncertain, on, true, false);
		}
		put_limit_changes(r, pl);
	}
	if (!any)
		render_wrapped(r, (unsigned)fprintf(r->out, "  "), "no change yet: the features are requested, and blocked as shown above");
	fputc('\n', r->out);
}

/* Declared features, compliant or not: what is on at a bond, bridge or team although no port has it. */
static void put_claims(const struct render *r, const struct view *view)
{
	bool any = false;

	for (size_t i = 0; i < view->plan->n_links; i++) {
		const struct plan_link *pl = &view->plan->links[i];
		char names[RENDER_NAMES_LEN];
		feature_set claimed = 0;

		for (size_t j = 0; j < pl->n_items; j++)
			claimed |= pl->items[j].bit < FEATURE_MAX ? pl->claimed & FEATURE(pl->items[j].bit) : 0;
		if (!claimed)
			continue;
		if (!any)
			render_put_heading(r, "On, although no port has it (software fallback at the ports):");
		any = true;
		render_wrapped(r, (unsigned)fprintf(r->out, "  %s: ", render_clean_name(pl->name)),
			feature_format(view->features, claimed, names, sizeof(names)));
	}
	if (any)
		fputc('\n', r->out);
}

static bool rule_is_overdue(const struct plan *plan, const struct rule *rule, size_t *ret_features)
{
	*ret_features = 0;
	for (size_t i = 0; i < plan->n_links; i++)
		for (size_t j = 0; j < plan->links[i].n_items; j++)
			*ret_features += plan->links[i].items[j].overdue &&
					 plan->links[i].items[j].rule == rule;
	return *ret_features > 0;
}

static void put_overdue(const struct render *r, const struct view *view)
{
	size_t n;

	if (view->plan->overdue == 0 || !view->rules)
		return;
	render_put_heading(r, "Due for review, past their Until= and still applied:");
	for (size_t i = 0; i < view->rules->n_rules; i++) {
		const struct rule *rule = &view->rules->rules[i];
		char text[512] = "";

		if (!rule_is_overdue(view->plan, rule, &n))
			continue;
		render_append_clean(text, sizeof(text), "", rule->file);
		util_append(text, sizeof(text), " (%zu feature%s)", n, util_plural(n));
		render_append_clean(text, sizeof(text), ": ", rule->description);
		fputs("  ", r->out);
		render_wrapped(r, 2, text);
	}
	fputc('\n', r->out);
}

/* Links whose packets a link below segments in software although every feature is on. The limit for IPv4 is not repeated if it is
 * the same. */
static void put_narrow(const struct render *r, const struct view *view)
{
	struct plan_narrow n, other;
	bool any = false;

	link_table_foreach(view->links, link)
		for (unsigned i = 0; i < LINK_LIMIT_SETTABLE; i++) {
			char text[512];

			if (!plan_find_narrow(view->links, link, i, &n) ||
				(i == LINK_LIMIT_GSO_IPV4_MAX_SIZE &&
					plan_find_narrow(view->links, link, LINK_LIMIT_GSO_MAX_SIZE, &other) &&
					other.below == n.below && other.number == n.number && other.below_number == n.below_number))
				continue;
			if (!any)
				render_put_heading(r, "Smaller size limits below, which may cause software segmentation:");
			any = true;
			snprintf(text, sizeof(text), "%s %s %" PRIu32 ", but %s below has %" PRIu32, render_clean_name(link->name),
				link_limit_name(i), n.number, render_clean_name(n.below->name), n.below_number);
			fputs("  ", r->out);
			render_wrapped(r, 2, text);
		}
	if (any)
		fputc('\n', r->out);
}

void render_rules_elsewhere(const struct render *r, const struct view *view)
{
	const struct rule_netns *netns = view->host ? view->host->netns : NULL;
	size_t n_host = 0, n = 0;
	char text[1024] = "";

	if (!netns)
		return;
	for (size_t i = 0; view->rules && i < view->rules->n_rules; i++)
		n_host += !(view->rules->rules[i].match.keys & RULE_NETNS_KEYS);
	if (n_host) {
		util_append(text, sizeof(text), "%zu rule%s without Namespace=, Container=, Unit= and Image= %s not for this network namespace.",
			n_host, util_plural(n_host), n_host == 1 ? "is" : "are");
		render_wrapped(r, 0, text);
	}
	for (size_t i = 0; view->rules && i < view->rules->n_rules; i++) {
		const struct rule *rule = &view->rules->rules[i];
		char why[768];

		if (!(rule->match.keys & RULE_NETNS_KEYS) || rule_is_for_netns(rule, netns))
			continue;
		text[0] = '\0';
		render_append_clean(text, sizeof(text), "", rule->file);
		util_append(text, sizeof(text), " does not match this network namespace: %s",
			view_format_netns_missing(rule, rule_find_missing(rule, view->links, view->host), netns, why, sizeof(why)));
		render_wrapped(r, 0, text);
		n++;
	}
	if (n || n_host)
		fputc('\n', r->out);
}

static void put_missing(const struct render *r, const struct view *view)
{
	size_t n = 0;

	for (size_t i = 0; view->rules && i < view->rules->n_rules; i++) {
		const struct rule *rule = &view->rules->rules[i];
		char text[1024] = "", why[768];

		if (!view_rule_misses(view, rule))
			continue;
		render_append_clean(text, sizeof(text), "", rule->file);
		util_append(text, sizeof(text), " matches no interface on this host: %s",
			view_format_missing(rule, rule_find_missing(rule, view->links, view->host), why, sizeof(why)));
		render_wrapped(r, 0, text);
		n++;
	}
	if (n)
		fputc('\n', r->out);
}

struct tally {
	size_t links, features, limits; /* that rules name */
	size_t links_off;       /* that do not match them */
	size_t audit;           /* pending, and nothing will be done */
	size_t changes, limit_changes, unread;
};

static struct tally tally_plan(const struct plan *plan)
{
	struct tally t = { 0 };

	for (size_t i = 0; i < plan->n_links; i++) {
		const struct plan_link *pl = &plan->links[i];

		t.links += pl->n_items > 0;
		t.links_off += plan_link_verdict(pl) != VERDICT_COMPLIANT;
		for (size_t j = 0; j < pl->n_items; j++) {
			const struct plan_item *item = &pl->items[j];
			bool drifted = item->verdict == VERDICT_DRIFTED;

			t.features += !item->is_limit;
			t.limits += item->is_limit;
			t.audit += item->audit && drifted;
			t.changes += !item->audit && drifted && !item->is_limit;
			t.limit_changes += !item->audit && drifted && item->is_limit;
			t.unread += item->unread;
		}
	}
	return t;
}

/* "3 features", "1 limit", "3 features and 1 limit" */
static const char *count_both(size_t features, size_t limits, char *buf, size_t size)
{
	buf[0] = '\0';
	if (features || !limits)
		util_append(buf, size, "%zu feature%s", features, util_plural(features));
	if (limits)
		util_append(buf, size, "%s%zu limit%s", buf[0] ? " and " : "", limits, util_plural(limits));
	return buf;
}

static void append_count(size_t n, const char *what, char *buf, size_t size)
{
	if (n)
		util_append(buf, size, ", %zu %s", n, what);
}

/* "1 of 2 interfaces does not match the rules: 1 feature to change in 1 step, 2 blocked, 3 compliant" */
static void append_verdicts(const struct tally *t, const struct plan *plan, char *buf, size_t size)
{
	char counts[256] = "", both[64];

	if (t->changes + t->limit_changes)
		util_append(counts, sizeof(counts), ", %s to change in %zu step%s",
			count_both(t->changes, t->limit_changes, both, sizeof(both)), plan->n_steps, util_plural(plan->n_steps));
	append_count(t->audit, "in audit mode", counts, sizeof(counts));
	for (enum verdict v = VERDICT_BLOCKED; v < VERDICT_COUNT; v++)
		append_count(plan->counts[v] - (v == VERDICT_REFUSED ? t->unread : 0), verdict_name(v), counts, sizeof(counts));
	append_count(t->unread, "could not be read", counts, sizeof(counts));
	util_append(counts, sizeof(counts), ", %zu compliant", plan->counts[VERDICT_COMPLIANT]);
	util_append(buf, size, "%zu of %zu interface%s %s not match the rules: %s", t->links_off, t->links, util_plural(t->links),
		t->links_off == 1 ? "does" : "do", counts + 2);
}

static void put_undeclared(const struct render *r, const struct view *view)
{
	size_t rules = view->rules ? view->rules->n_rules : 0;
	char text[256] = "No rule applies to these interfaces. ";

	if (rules)
		util_append(text, sizeof(text), "%zu rule%s loaded: offloadctl rules lists %s.", rules, rules == 1 ? " is" : "s are",
			rules == 1 ? "it" : "them");
	else
		util_append(text, sizeof(text), "See offloadd.rule(5).");
	render_wrapped(r, 0, text);
}

void render_undeclared(const struct render *r, const struct view *view)
{
	if (tally_plan(view->plan).links || r->no_legend)
		return;
	fputc('\n', r->out);
	put_undeclared(r, view);
}

static void put_summary(const struct render *r, const struct view *view)
{
	struct tally t = tally_plan(view->plan);
	size_t errors = view->rules ? view->rules->n_errors : 0;
	char text[512] = "", both[64];

	if (t.links == 0)
		put_undeclared(r, view);
	else if (t.links_off == 0)
		util_append(text, sizeof(text), "%zu interface%s match%s the rules (%s)", t.links, util_plural(t.links),
			t.links == 1 ? "es" : "", count_both(t.features, t.limits, both, sizeof(both)));
	else
		append_verdicts(&t, view->plan, text, sizeof(text));
	if (t.links)
		render_wrapped(r, 0, text);
	if (errors) {
		snprintf(text, sizeof(text), "Rule files with errors are ignored: %zu error%s. Run: offloadctl check", errors,
			util_plural(errors));
		render_wrapped(r, 0, text);
	}
}

void render_found(const struct render *r, const struct view *view)
{
	render_put_heading(r, "Found:");
	render_differences(r, view);
}

void render_revert_summary(const struct render *r, const struct apply_report *report)
{
	size_t good = 0;

	for (size_t i = 0; i < report->n_results; i++)
		good += !report->results[i].error && !apply_result_missed(&report->results[i]);
	fprintf(r->out, "Restored %zu of %zu interface%s to the original values\n", good, report->n_results,
		util_plural(report->n_results));
}

void render_differences(const struct render *r, const struct view *view)
{
	for (size_t i = 0; i < view->plan->n_links; i++)
		put_link(r, view, &view->plan->links[i]);
}

void render_plan(const struct render *r, const struct view *view)
{
	render_differences(r, view);
	put_steps(r, view);
	put_changes(r, view);
	put_claims(r, view);
	put_overdue(r, view);
	put_narrow(r, view);
	put_missing(r, view);
	render_rules_elsewhere(r, view);
	put_summary(r, view);
}

void render_state(const struct render *r, const struct view *view)
{
	render_differences(r, view);
	put_claims(r, view);
	put_overdue(r, view);
	put_narrow(r, view);
	put_missing(r, view);
	render_rules_elsewhere(r, view);
	put_summary(r, view);
}

static const char *error_words(int error)
{
	if (error == -EUCLEAN)
		return "not verified";
	return error == -ENODEV ? "not done" : "refused";
}

static void put_result(const struct render *r, const struct feature_table *table, size_t number,
	const struct apply_result *result)
{
	unsigned limits = limits_changed(&result->limits_before, &result->limits_after) & ~result->limits.has;
	feature_set side = result->changed & ~result->asked;
	char names[RENDER_NAMES_LEN] = "", text[RENDER_NAMES_LEN + 256] = "";

	put_step(r, table, number, result->name, result->asked, result->value, &result->limits);
	if (result->error) {
		snprintf(text, sizeof(text), "%s: ", error_words(result->error));
		render_append_clean(text, sizeof(text), "",
			result->text[0] ? result->text : strerror(-result->error));
	} else if (result->limits_missed) {
		snprintf(text, sizeof(text), "accepted without effect: now ");
		append_limits(&result->limits_after, result->limits_missed, names, sizeof(names));
		util_append(text, sizeof(text), "%s", names);
	} else if (result->missed) {
		snprintf(text, sizeof(text), "accepted, but %s did not change",
			feature_format(table, result->missed, names, sizeof(names)));
	} else {
		snprintf(text, sizeof(text), "done and verified");
	}
	fputs("     ", r->out);
	render_wrapped(r, 5, text);
	if (side) {
		snprintf(text, sizeof(text), "side effect: ");
		append_values(table, side, result->after.active, text, sizeof(text));
		fputs("     ", r->out);
		render_wrapped(r, 5, text);
	}
	if (limits) {
		text[0] = '\0';
		append_limits(&result->limits_after, limits, text, sizeof(text));
		fputs("     side effect: ", r->out);
		render_wrapped(r, 18, text);
	}
}

void render_results(const struct render *r, const struct feature_table *table,
	const struct apply_report *report)
{
	if (report->n_results == 0)
		return;
	render_put_heading(r, "Done:");
	for (size_t i = 0; i < report->n_results; i++)
		put_result(r, table, i + 1, &report->results[i]);
	fputc('\n', r->out);
}

void render_revert_plan(const struct render *r, const struct feature_table *table,
	const struct apply_report *report)
{
	render_put_heading(r, "Would restore:");
	for (size_t i = 0; i < report->n_results; i++)
		put_step(r, table, i + 1, report->results[i].name, report->results[i].asked,
			report->results[i].value, &report->results[i].limits);
}

void render_side_effects(
	const struct render *r, const struct view *before, const struct apply_report *report)
{
	bool any = false;

	for (size_t i = 0; i < before->plan->n_links; i++) {
		const struct plan_link *pl = &before->plan->links[i];
		const struct link *link = link_table_find(before->links, pl->ifindex);
		feature_set changed;
		char text[2 * RENDER_NAMES_LEN] = "";

		if (!link || !link->has_features || apply_find(report, pl->ifindex, ~UINT64_C(0)))
			continue;
		changed = pl->before.active ^ link->features.active;
		if (!changed)
			continue;
		if (!any)
			render_put_heading(r, "Side effects:");
		any = true;
		append_values(before->features, changed, link->features.active, text, sizeof(text));
		render_wrapped(r, (unsigned)fprintf(r->out, "  %s: ", render_clean_name(pl->name)), text);
	}
	if (any)
		fputc('\n', r->out);
}
