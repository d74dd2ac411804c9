/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/json.h"

#include <errno.h>
#include <string.h>

#include "basic/json.h"
#include "report/catalog.h"
#include "report/json_limits.h"
#include "basic/util.h"

static const char *mode_name(enum rule_mode mode)
{
	return mode == RULE_MODE_AUDIT ? "audit" : "enforce";
}

void json_add_rule_members(struct json_writer *w, const struct rule *rule)
{
	json_add_text(w, "description", rule->description);
	json_add_text(w, "reason", rule->reason);
	json_add_text(w, "mode", mode_name(rule->mode));
}

/* "rules" with the number of links that each matches, if view->host is known; and "rule_errors". */
static void add_rules(struct json_writer *w, const struct rule_set *set, const struct view *view)
{
	json_open_list(w, "rules");
	for (size_t i = 0; i < set->n_rules; i++) {
		const struct rule *rule = &set->rules[i];

		json_open_object(w, NULL);
		json_add_text(w, "file", rule->file);
		json_add_text(w, "path", rule->path);
		json_add_rule_members(w, rule);
		if (view && view->host)
			json_add_int(w, "links",
				(int64_t)rule_count_links(rule, view->links, view->host));
		json_close_object(w);
	}
	json_close_list(w);
	json_add_rule_errors(w, "rule_errors", set, SIZE_MAX);
}

static void add_errors(struct json_writer *w, const char *key, const struct rule_error *errors, size_t n)
{
	static const struct json_field fields[] = {
		JSON_FIELD(struct rule_error, path, "path", JSON_BORROWED),
		JSON_FIELD(struct rule_error, line, "line", JSON_INT),
		JSON_FIELD(struct rule_error, message, "message", JSON_BORROWED),
		{ 0 },
	};

	json_add_rows(w, key, fields, errors, n, sizeof(*errors));
}

void json_add_rule_errors(struct json_writer *w, const char *key, const struct rule_set *set, size_t max)
{
	add_errors(w, key, set->errors, set->n_errors < max ? set->n_errors : max);
}

void json_add_missing(struct json_writer *w, const struct rule *rule, unsigned missing)
{
	unsigned key;

	json_open_list(w, "missing");
	feature_foreach (key, missing) { /* null: for a key that the rule would need */
		json_open_object(w, NULL);
		json_add_text(w, "key", rule_key_name(key));
		json_add_text(w, "value", rule->match.value[key]);
		json_close_object(w);
	}
	json_close_list(w);
}

/* The rules that match no link here. */
static void add_unmatched(struct json_writer *w, const struct rule_set *rules, const struct view *view)
{
	json_open_list(w, "unmatched");
	for (size_t i = 0; view && i < rules->n_rules; i++) {
		unsigned missing = rule_find_missing(&rules->rules[i], view->links, view->host);

		if (!missing)
			continue;
		json_open_object(w, NULL);
		json_add_text(w, "path", rules->rules[i].path);
		json_add_missing(w, &rules->rules[i], missing);
		json_close_object(w);
	}
	json_close_list(w);
}

/* null for a bit without a name */
static void add_feature(struct json_writer *w, const struct feature_table *table, unsigned bit)
{
	json_add_text(w, "feature", bit < FEATURE_MAX ? feature_name(table, bit) : NULL);
}

/* The name of an item's feature, which this kernel may not have. */
static const char *item_word(const struct feature_table *table, const struct plan_item *item)
{
	return item->bit < FEATURE_MAX ? feature_name(table, item->bit) : item->feature->word;
}

static void add_cause(struct json_writer *w, const struct feature_table *table, const struct plan_link *pl,
	const struct plan_item *item)
{
	char why[CATALOG_TEXT_MAX];

	if (!json_open_if(w, "cause", item && item->cause != CAUSE_NONE))
		return;
	json_add_text(w, "kind", cause_name(item->cause));
	json_add_link_name(w, "link", item->cause_ifindex ? item->cause_name : NULL);
	add_feature(w, table, item->cause_bit);
	json_add_text(w, "text", catalog_item(table, pl, item, FEATURE_MAX, why, sizeof(why)));
	json_close_object(w);
}

static void add_item(struct json_writer *w, const struct feature_table *table, const struct plan_link *pl,
	const struct plan_item *item)
{
	char text[CATALOG_TEXT_MAX];

	json_open_object(w, NULL);
	json_add_text(w, "feature", item_word(table, item));
	json_add_bool(w, "known", item->bit < FEATURE_MAX);
	json_add_text(w, "verdict", verdict_name(item->verdict));
	json_add_text(w, "declared", rule_value_name(item->declared));
	json_add_bool(w, "want", item->want);
	json_add_bool(w, "provided", !item->not_provided);
	json_add_bool(w, "claimed", item->bit < FEATURE_MAX && (pl->claimed & FEATURE(item->bit)));
	json_add_bool(w, "active", item->active);
	json_add_bool(w, "requested", item->wanted);
	json_add_bool(w, "predicted", item->predicted);
	json_add_bool(w, "uncertain", item->uncertain);
	json_add_bool(w, "overdue", item->overdue);
	add_cause(w, table, pl, item);
	json_add_text(w, "text", item->text[0] || item->unread || item->verdict == VERDICT_CONTENDED
			? catalog_item(table, pl, item, FEATURE_MAX, text, sizeof(text))
			: NULL);
	json_add_item_rule(w, item);
	json_close_object(w);
}

static void add_changes(struct json_writer *w, const struct feature_table *table, const struct plan_link *pl)
{
	unsigned bit;

	json_open_list(w, "changes");
	feature_foreach (bit, pl->before.active ^ pl->predicted.active) {
		json_open_object(w, NULL);
		json_add_text(w, "feature", feature_name(table, bit));
		json_add_bool(w, "active", pl->predicted.active & FEATURE(bit));
		json_add_bool(w, "side_effect", pl->side_effects & FEATURE(bit));
		json_add_bool(w, "uncertain", pl->uncertain & FEATURE(bit));
		json_close_object(w);
	}
	json_close_list(w);
}

void json_add_plan_links(struct json_writer *w, const struct view *view)
{
	json_open_list(w, "links");
	for (size_t i = 0; i < view->plan->n_links; i++) {
		const struct plan_link *pl = &view->plan->links[i];

		json_open_object(w, NULL);
		json_add_link(w, pl->name, pl->ifindex);
		json_add_text(w, "kind", pl->kind);
		json_add_text(w, "verdict", pl->n_items ? verdict_name(plan_link_verdict(pl)) : NULL);
		json_add_text(w, "error", pl->error ? strerror(-pl->error) : NULL);
		json_open_list(w, "features");
		for (size_t j = 0; j < pl->n_items; j++)
			if (!pl->items[j].is_limit)
				add_item(w, view->features, pl, &pl->items[j]);
		json_close_list(w);
		add_changes(w, view->features, pl);
		json_add_plan_limits(w, view->features, pl);
		json_close_object(w);
	}
	json_close_list(w);
}

/* The features of mask, by value: "on" and "off", or "changed_on" and "changed_off". */
static void add_on_off(struct json_writer *w, const char *on, const char *off, const struct feature_table *table,
	feature_set mask, feature_set value)
{
	feature_add_names(w, on, table, mask & value);
	feature_add_names(w, off, table, mask & ~value);
}

static void add_steps(struct json_writer *w, const struct view *view)
{
	json_open_list(w, "steps");
	for (size_t i = 0; i < view->plan->n_steps; i++) {
		const struct plan_step *step = &view->plan->steps[i];

		json_open_object(w, NULL);
		json_add_int(w, "number", (int64_t)i + 1);
		json_add_link(w, step->name, step->ifindex);
		add_on_off(w, "on", "off", view->features, step->mask, step->value);
		json_add_bool(w, "recompute", step->recompute);
		json_add_limits(w, "limits", &step->limits);
		json_close_object(w);
	}
	json_close_list(w);
}

void json_add_verdicts(struct json_writer *w, const char *key, const size_t counts[VERDICT_COUNT])
{
	json_open_object(w, key);
	for (int v = 0; v < VERDICT_COUNT; v++)
		json_add_int(w, verdict_name((enum verdict)v), (int64_t)counts[v]);
	json_close_object(w);
}

void json_add_link_verdicts(struct json_writer *w, const struct plan_link *pl)
{
	size_t counts[VERDICT_COUNT] = { 0 };

	if (!pl || pl->n_items == 0) {
		json_add_null(w, "verdicts");
		return;
	}
	plan_link_count(pl, counts);
	json_add_verdicts(w, "verdicts", counts);
}

static void add_summary(struct json_writer *w, const struct plan *plan)
{
	size_t links = 0, features = 0, limits = 0;

	for (size_t i = 0; i < plan->n_links; i++) {
		links += plan->links[i].n_items > 0;
		features += plan->links[i].n_items;
		for (size_t j = 0; j < plan->links[i].n_items; j++)
			limits += plan->links[i].items[j].is_limit;
	}
	json_open_object(w, "summary");
	json_add_int(w, "links", (int64_t)links);
	json_add_int(w, "features", (int64_t)(features - limits));
	json_add_int(w, "limits", (int64_t)limits);
	json_add_verdicts(w, "verdicts", plan->counts);
	json_add_int(w, "overdue", (int64_t)plan->overdue);
	json_add_int(w, "steps", (int64_t)plan->n_steps);
	json_close_object(w);
}

static void add_plan(struct json_writer *w, const struct view *view)
{
	add_summary(w, view->plan);
	json_add_plan_links(w, view);
	add_steps(w, view);
}

int json_write_plan(FILE *out, const struct view *view)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };

	json_begin(&w, "plan");
	json_add_int(&w, "exit_code", view->exit_code);
	add_rules(&w, view->rules, view);
	add_plan(&w, view);
	json_add_narrow_links(&w, view->links);
	return json_finish(&w, out);
}

static void add_error(struct json_writer *w, const struct apply_result *r)
{
	if (!json_open_if(w, "error", r->error))
		return;
	json_add_int(w, "errno", -r->error);
	json_add_text(w, "text", strerror(-r->error));
	json_add_some(w, "kernel", r->text);
	json_close_object(w);
}

void json_add_results(
	struct json_writer *w, const struct feature_table *table, const struct apply_report *report)
{
	json_open_list(w, "results");
	for (size_t i = 0; i < report->n_results; i++) {
		const struct apply_result *r = &report->results[i];

		json_open_object(w, NULL);
		json_add_link(w, r->name, r->ifindex);
		add_on_off(w, "on", "off", table, r->asked, r->value);
		add_on_off(w, "changed_on", "changed_off", table, r->changed, r->after.active);
		feature_add_names(w, "missed", table, r->missed);
		json_add_limits(w, "limits", &r->limits);
		json_add_limit_names(w, "limits_missed", r->limits_missed);
		add_error(w, r);
		json_close_object(w);
	}
	json_close_list(w);
}

int json_write_apply(FILE *out, const struct view *before, const struct apply_report *report,
	const struct view *after)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };

	json_begin(&w, "apply");
	json_add_int(&w, "exit_code", after->exit_code);
	add_rules(&w, before->rules, before);
	json_open_object(&w, "plan");
	add_plan(&w, before);
	json_close_object(&w);
	json_add_results(&w, before->features, report);
	json_open_object(&w, "after");
	add_plan(&w, after);
	json_close_object(&w);
	return json_finish(&w, out);
}

int json_write_revert(FILE *out, const struct feature_table *table,
	const struct apply_report *report, int exit_code)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };

	json_begin(&w, "revert");
	json_add_int(&w, "exit_code", exit_code);
	json_add_results(&w, table, report);
	return json_finish(&w, out);
}

int json_write_check(FILE *out, const struct rule_set *rules, const struct rule_list *list, const struct view *view, int exit_code)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };

	json_begin(&w, "check");
	json_add_int(&w, "exit_code", exit_code);
	add_rules(&w, rules, NULL);
	add_errors(&w, "warnings", rules->warnings, rules->n_warnings);
	add_unmatched(&w, rules, view);
	json_open_list(&w, "not_read");
	for (size_t i = 0; i < list->n_places; i++)
		if (list->places[i].state == RULE_PLACE_NOT_READ)
			json_add_text(&w, NULL, list->places[i].path);
	json_close_list(&w);
	return json_finish(&w, out);
}

static void add_reference(struct json_writer *w, const char *key, const struct link *link)
{
	if (!json_open_if(w, key, link))
		return;
	json_add_link(w, link->name, link->ifindex);
	json_close_object(w);
}

/* Members that every document has for a link. */
static void add_planned_link(struct json_writer *w, const struct view *view, const struct link *link, const struct plan_link *pl)
{
	json_add_link(w, link->name, link->ifindex);
	json_add_text(w, "kind", link->kind);
	json_add_some(w, "driver", link->driver);
	json_add_text(w, "verdict", pl && pl->n_items ? verdict_name(plan_link_verdict(pl)) : NULL);
	json_add_link_verdicts(w, pl);
	json_open_list(w, "noncompliant");
	for (size_t i = 0; pl && i < pl->n_items; i++)
		if (pl->items[i].verdict != VERDICT_COMPLIANT)
			json_add_text(w, NULL, item_word(view->features, &pl->items[i]));
	json_close_list(w);
	json_add_text(w, "error",
		!link->has_features && link->features_error ? strerror(-link->features_error)
							    : NULL);
}

static void add_link(struct json_writer *w, const struct view *view, const struct link *link)
{
	add_planned_link(w, view, link, plan_find(view->plan, link->ifindex));
}

int json_write_list(FILE *out, const struct view *view)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };
	_cleanup_free_ struct link **links = NULL;
	size_t n;
	int r;

	r = link_table_sorted(view->links, &links, &n);
	if (r < 0)
		return r;
	json_begin(&w, "list");
	add_rules(&w, view->rules, view);
	json_open_list(&w, "links");
	for (size_t i = 0; i < n; i++) {
		json_open_object(&w, NULL);
		add_link(&w, view, links[i]);
		add_reference(&w, "lower", link_lower(view->links, links[i]));
		add_reference(&w, "master", link_master(view->links, links[i]));
		json_close_object(&w);
	}
	json_close_list(&w);
	return json_finish(&w, out);
}

static void add_far(struct json_writer *w, const struct view *view, const struct link *link)
{
	const struct view_far *far = view_find_far(view, link);

	if (!json_open_if(w, "far", far))
		return;
	json_add_text(w, "netns", far->netns);
	json_add_int(w, "inode", (int64_t)far->inode);
	add_planned_link(w, view, &far->link, far->plan);
	json_close_object(w);
}

int json_write_tree(FILE *out, const struct view *view)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };
	_cleanup_free_ struct view_node *nodes = NULL;
	size_t n;
	int r;

	r = view_tree(view->links, &nodes, &n);
	if (r < 0)
		return r;
	json_begin(&w, "tree");
	add_rules(&w, view->rules, view);
	json_open_list(&w, "links");
	for (size_t i = 0; i < n; i++) {
		unsigned next = i + 1 < n ? nodes[i + 1].depth : 0;

		json_open_object(&w, NULL);
		add_link(&w, view, nodes[i].link);
		json_add_bool(&w, "repeated", nodes[i].repeated);
		add_far(&w, view, nodes[i].link);
		json_open_list(&w, "below");
		for (unsigned depth = nodes[i].depth + 1; depth > next; depth--) {
			json_close_list(&w);
			json_close_object(&w);
		}
	}
	json_close_list(&w);
	return json_finish(&w, out);
}

static void add_feature_states(struct json_writer *w, const struct view *view, const struct link *link)
{
	const struct plan_link *pl = plan_find(view->plan, link->ifindex);
	const struct link_features *f = &link->features;

	if (!json_open_if(w, "features", link->has_features))
		return;
	for (unsigned bit = 0; bit < view->features->count; bit++) {
		const struct plan_item *item = view_item(pl, bit);

		if (!view->features->name[bit][0])
			continue;
		json_open_object(w, feature_name(view->features, bit));
		json_add_bool(w, "active", f->active & FEATURE(bit));
		json_add_bool(w, "fixed", !(f->hw & ~f->nochange & FEATURE(bit)));
		json_add_bool(w, "requested", f->wanted & FEATURE(bit));
		json_add_bool(w, "claimed", pl && (pl->claimed & FEATURE(bit)));
		json_add_text(w, "declared", item ? rule_value_name(item->declared) : NULL);
		json_add_text(w, "verdict", item ? verdict_name(item->verdict) : NULL);
		add_cause(w, view->features, pl, item);
		json_add_item_rule(w, item);
		json_close_object(w);
	}
	json_close_object(w);
}

/* The aliases of `ethtool -k`, on if any member is on. */
static void add_aliases(struct json_writer *w, const struct view *view, const struct link *link)
{
	const struct feature_alias *alias;
	feature_set members;

	if (!json_open_if(w, "aliases", link->has_features))
		return;
	for (size_t i = 0; (alias = feature_alias(i)); i++) {
		feature_parse(view->features, alias->word, &members);
		json_open_object(w, alias->long_word);
		json_add_text(w, "word", alias->word);
		json_add_bool(w, "active", link->features.active & members);
		feature_add_names(w, "members", view->features, members);
		json_close_object(w);
	}
	json_close_object(w);
}

int json_write_show(FILE *out, const struct view *view, const struct link *link)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };
	char address[3 * LINK_ADDRESS_LEN];

	json_begin(&w, "show");
	add_rules(&w, view->rules, view);
	json_open_object(&w, "link");
	add_link(&w, view, link);
	json_add_text(&w, "address",
		link->address_len ? link_format_address(link, address, sizeof(address)) : NULL);
	json_add_positive(&w, "vlan_id", link->vlan_id);
	add_reference(&w, "lower", link_lower(view->links, link));
	json_add_bool(&w, "lower_elsewhere", link->lower_netnsid >= 0 && !link_has_peer(link));
	add_reference(&w, "master", link_master(view->links, link));
	json_open_list(&w, "uppers");
	for (struct link *u = link_first_upper(view->links, link); u;
		u = link_next_upper(view->links, u))
		add_reference(&w, NULL, u);
	json_close_list(&w);
	json_open_list(&w, "ports");
	for (struct link *p = link_first_port(view->links, link); p;
		p = link_next_port(view->links, p))
		add_reference(&w, NULL, p);
	json_close_list(&w);
	add_feature_states(&w, view, link);
	add_aliases(&w, view, link);
	json_add_limit_states(&w, view, link);
	json_close_object(&w);
	return json_finish(&w, out);
}

static void add_chain(struct json_writer *w, const struct feature_table *table,
	const struct explanation *explanation)
{
	char text[CATALOG_TEXT_MAX];

	json_open_list(w, "chain");
	for (size_t i = 0; i < explanation->n_steps; i++) {
		const struct cause_step *step = &explanation->steps[i];

		json_open_object(w, NULL);
		json_add_int(w, "depth", step->depth);
		json_add_link(w, step->link, step->ifindex);
		add_feature(w, table, step->bit);
		json_add_text(w, "code", cause_name(step->code));
		json_add_text(w, "text", catalog_step(table, explanation, step, FEATURE_MAX, text, sizeof(text)));
		json_close_object(w);
	}
	json_close_list(w);
}

void json_add_explanation(struct json_writer *w, const struct view *view, const struct explanation *e)
{
	char text[CATALOG_TEXT_MAX];

	json_open_object(w, NULL);
	json_add_text(w, "feature", e->word ? e->word : feature_name(view->features, e->steps[0].bit));
	json_add_text(w, "verdict", e->item ? verdict_name(e->item->verdict) : NULL);
	json_add_text(w, "declared", e->item ? rule_value_name(e->item->declared) : NULL);
	json_add_item_rule(w, e->item);
	add_chain(w, view->features, e);
	json_add_text(w, "advice_code", advice_name(e->advice.code));
	json_add_some(w, "advice", catalog_advice(view->features, e, text, sizeof(text)));
	json_close_object(w);
}

int json_write_explain(FILE *out, const struct view *view, const struct link *link, const struct explanation *explanations,
	size_t n)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };

	json_begin(&w, "explain");
	add_rules(&w, view->rules, view);
	json_add_link(&w, link->name, link->ifindex);
	json_add_text(&w, "verdict", view_verdict(view->plan, link->ifindex));
	json_open_list(&w, "features");
	for (size_t i = 0; i < n; i++)
		json_add_explanation(&w, view, &explanations[i]);
	json_close_list(&w);
	return json_finish(&w, out);
}

/* ---- differences ---- */

static void add_side(struct json_writer *w, const char *key, const struct snapshot *s, const char *name)
{
	static const char *const forms[] = { "host", "snapshot", "ethtool" };

	json_open_object(w, key);
	json_add_text(w, "source", name);
	json_add_text(w, "form", forms[s->form]);
	json_add_some(w, "host", s->host);
	json_add_some(w, "kernel", s->kernel);
	json_add_int(w, "links", (int64_t)s->n_links);
	if (json_open_if(w, "lines", s->lines_used)) {
		json_add_int(w, "used", s->lines_used);
		json_add_int(w, "skipped", s->lines_skipped);
		json_close_object(w);
	}
	feature_add_names(w, "unrecognized", &s->features, s->unknown);
	json_close_object(w);
}

static void add_pair(struct json_writer *w, const char *key, const struct diff *diff, size_t pair)
{
	json_open_object(w, key);
	json_add_text(w, "a", diff->a->links[diff->pairs[pair].a].name);
	json_add_text(w, "b", diff->b->links[diff->pairs[pair].b].name);
	json_close_object(w);
}

static void add_groups(struct json_writer *w, const struct diff *diff)
{
	json_open_list(w, "differences");
	for (size_t i = 0; i < diff->n_groups; i++) {
		const struct diff_group *g = &diff->groups[i];

		json_open_object(w, NULL);
		json_add_text(w, "change", diff_change_name(g->change));
		feature_add_names(w, "features", &diff->a->features, g->features);
		feature_add_names(w, "costs", &diff->a->features, g->costs);
		json_add_text(w, "a", diff_state_name(g->a_state));
		json_add_text(w, "b", diff_state_name(g->b_state));
		json_add_bool(w, "as_below", g->follows);
		json_open_list(w, "links");
		for (size_t j = 0; j < g->n_pairs; j++)
			add_pair(w, NULL, diff, g->pairs[j]);
		json_close_list(w);
		json_close_object(w);
	}
	json_close_list(w);
}

static void add_link_names(struct json_writer *w, const char *key, const struct snapshot *s, const size_t *links, size_t n)
{
	json_open_list(w, key);
	for (size_t i = 0; i < n; i++)
		json_add_text(w, NULL, s->links[links[i]].name);
	json_close_list(w);
}

static void add_ambiguous(struct json_writer *w, const struct diff *diff)
{
	json_open_list(w, "ambiguous");
	for (size_t i = 0; i < diff->n_ambiguous; i++) {
		const struct diff_ambiguous *from = &diff->ambiguous[i];

		json_open_object(w, NULL);
		json_add_text(w, "role", from->role);
		add_link_names(w, "a", diff->a, from->a, from->n_a);
		add_link_names(w, "b", diff->b, from->b, from->n_b);
		json_close_object(w);
	}
	json_close_list(w);
}

static void add_link_differences(struct json_writer *w, const struct diff *diff)
{
	json_open_list(w, "links");
	for (size_t i = 0; i < diff->n_fields; i++) {
		const struct diff_field *from = &diff->fields[i];

		json_open_object(w, NULL);
		add_pair(w, "link", diff, from->pair);
		json_add_text(w, "what", from->what);
		json_add_text(w, "a", from->a);
		json_add_text(w, "b", from->b);
		json_close_object(w);
	}
	json_close_list(w);
}

static void add_rule_differences(struct json_writer *w, const struct diff *diff)
{
	json_open_list(w, "rules");
	for (size_t i = 0; i < diff->n_rules; i++) {
		const struct diff_rule *from = &diff->rules[i];

		json_open_object(w, NULL);
		json_add_text(w, "file",
			from->a == SNAPSHOT_NONE ? diff->b->rules[from->b].file
					     : diff->a->rules[from->a].file);
		json_add_bool(w, "in_a", from->a != SNAPSHOT_NONE);
		json_add_bool(w, "in_b", from->b != SNAPSHOT_NONE);
		json_close_object(w);
	}
	json_close_list(w);
}

int json_write_diff(
	FILE *out, const struct diff *diff, const char *a, const char *b, int exit_code)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };

	json_begin(&w, "diff");
	json_add_int(&w, "exit_code", exit_code);
	add_side(&w, "a", diff->a, a);
	add_side(&w, "b", diff->b, b);
	json_add_bool(&w, "by_role", diff->by_role);
	json_add_bool(&w, "same", !diff_any(diff));
	json_add_int(&w, "lost", (int64_t)diff->lost);
	add_groups(&w, diff);
	add_link_names(&w, "only_in_a", diff->a, diff->only_a, diff->n_only_a);
	add_link_names(&w, "only_in_b", diff->b, diff->only_b, diff->n_only_b);
	add_ambiguous(&w, diff);
	add_link_differences(&w, diff);
	add_rule_differences(&w, diff);
	json_add_bool(&w, "other_kernel", diff->other_kernel);
	json_open_object(&w, "unknown_features");
	feature_add_names(&w, "a", &diff->b->features, diff->unknown_in_a);
	feature_add_names(&w, "b", &diff->a->features, diff->unknown_in_b);
	json_close_object(&w);
	return json_finish(&w, out);
}
