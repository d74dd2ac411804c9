/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/json.h"

#include <errno.h>
#include <json-c/printbuf.h>
#include <string.h>

#include "report/catalog.h"
#include "report/json_private.h"
#include "basic/json_value.h"
#include "basic/util.h"

/* The rules in force, how many links each matches where that is known, and what is wrong with the others. */
static void add_rules(struct document *d, const struct rule_set *set, const struct view *view)
{
	json_object *rules = new_array(d), *errors = new_array(d);

	for (size_t i = 0; i < set->n_rules; i++) {
		const struct rule *rule = &set->rules[i];
		json_object *o = new_object(d);

		add_text(d, o, "file", rule->file);
		add_text(d, o, "path", rule->path);
		add_text(d, o, "description", rule->description);
		add_text(d, o, "reason", rule->reason);
		add_text(d, o, "mode", rule->mode == RULE_MODE_AUDIT ? "audit" : "enforce");
		if (view && view->host)
			add_number(d, o, "links",
				(int64_t)rule_count_links(rule, view->links, view->host));
		push(d, rules, o);
	}
	for (size_t i = 0; i < set->n_errors; i++) {
		json_object *o = new_object(d);

		add_text(d, o, "path", set->errors[i].path);
		add_number(d, o, "line", set->errors[i].line);
		add_text(d, o, "message", set->errors[i].message);
		push(d, errors, o);
	}
	add(d, d->root, "rules", rules);
	add(d, d->root, "rule_errors", errors);
}

static void add_rule(struct document *d, json_object *to, const struct plan_item *item)
{
	json_object *o = NULL;

	if (item && item->rule) {
		o = new_object(d);
		add_text(d, o, "file", item->rule->file);
		add_number(d, o, "line", item->feature ? item->feature->line : 0);
		add_text(d, o, "mode", item->audit ? "audit" : "enforce");
	}
	add(d, to, "rule", o);
}

static void add_cause(struct document *d, json_object *to, const struct feature_table *table,
	const struct plan_link *pl, const struct plan_item *item)
{
	json_object *o = NULL;
	char why[CATALOG_TEXT_MAX];

	if (item && item->cause != CAUSE_NONE) {
		o = new_object(d);
		add_text(d, o, "kind", cause_name(item->cause));
		if (item->cause_ifindex)
			add_link_name(d, o, "link", item->cause_name);
		else
			add_text(d, o, "link", NULL);
		add_text(d, o, "feature",
			item->cause_bit < FEATURE_MAX ? feature_name(table, item->cause_bit)
						      : NULL);
		add_text(d, o, "text", catalog_item(table, pl, item, FEATURE_MAX, why, sizeof(why)));
	}
	add(d, to, "cause", o);
}

static json_object *new_item(struct document *d, const struct feature_table *table, const struct plan_link *pl,
	const struct plan_item *item)
{
	json_object *o = new_object(d);
	char text[CATALOG_TEXT_MAX];

	add_text(d, o, "feature",
		item->bit < FEATURE_MAX ? feature_name(table, item->bit) : item->feature->word);
	add_bool(d, o, "known", item->bit < FEATURE_MAX);
	add_text(d, o, "verdict", verdict_name(item->verdict));
	add_text(d, o, "declared", rule_value_name(item->declared));
	add_bool(d, o, "want", item->want);
	add_bool(d, o, "given", !item->not_given);
	add_bool(d, o, "active", item->active);
	add_bool(d, o, "requested", item->wanted);
	add_bool(d, o, "predicted", item->predicted);
	add_bool(d, o, "uncertain", item->uncertain);
	add_bool(d, o, "overdue", item->overdue);
	add_cause(d, o, table, pl, item);
	add_text(d, o, "text", item->text[0] || item->unread ?
			catalog_item(table, pl, item, FEATURE_MAX, text, sizeof(text)) : NULL);
	add_rule(d, o, item);
	return o;
}

static json_object *new_changes(
	struct document *d, const struct feature_table *table, const struct plan_link *pl)
{
	json_object *changes = new_array(d);
	unsigned bit;

	feature_foreach (bit, pl->before.active ^ pl->predicted.active) {
		json_object *o = new_object(d);

		add_text(d, o, "feature", feature_name(table, bit));
		add_bool(d, o, "active", pl->predicted.active & FEATURE(bit));
		add_bool(d, o, "side_effect", pl->side_effects & FEATURE(bit));
		add_bool(d, o, "uncertain", pl->uncertain & FEATURE(bit));
		push(d, changes, o);
	}
	return changes;
}

static json_object *new_plan_links(struct document *d, const struct view *view)
{
	json_object *links = new_array(d);

	for (size_t i = 0; i < view->plan->n_links; i++) {
		const struct plan_link *pl = &view->plan->links[i];
		json_object *o = new_object(d), *items = new_array(d);

		add_number(d, o, "ifindex", pl->ifindex);
		add_link_name(d, o, "link", pl->name);
		add_text(d, o, "kind", pl->kind);
		add_text(d, o, "verdict", pl->n_items ? verdict_name(plan_link_verdict(pl)) : NULL);
		add_text(d, o, "error", pl->error ? strerror(-pl->error) : NULL);
		for (size_t j = 0; j < pl->n_items; j++)
			push(d, items, new_item(d, view->features, pl, &pl->items[j]));
		add(d, o, "features", items);
		add(d, o, "changes", new_changes(d, view->features, pl));
		push(d, links, o);
	}
	return links;
}

static json_object *new_steps(struct document *d, const struct view *view)
{
	json_object *steps = new_array(d);

	for (size_t i = 0; i < view->plan->n_steps; i++) {
		const struct plan_step *step = &view->plan->steps[i];
		json_object *o = new_object(d);

		add_number(d, o, "number", (int64_t)i + 1);
		add_number(d, o, "ifindex", step->ifindex);
		add_link_name(d, o, "link", step->name);
		add_names(d, o, "on", view->features, step->mask & step->value);
		add_names(d, o, "off", view->features, step->mask & ~step->value);
		push(d, steps, o);
	}
	return steps;
}

static json_object *new_summary(struct document *d, const struct plan *plan)
{
	json_object *o = new_object(d), *verdicts = new_object(d);
	size_t links = 0, features = 0;

	for (size_t i = 0; i < plan->n_links; i++) {
		links += plan->links[i].n_items > 0;
		features += plan->links[i].n_items;
	}
	for (int v = 0; v < VERDICT_COUNT; v++)
		add_number(d, verdicts, verdict_name((enum verdict)v), (int64_t)plan->counts[v]);
	add_number(d, o, "links", (int64_t)links);
	add_number(d, o, "features", (int64_t)features);
	add(d, o, "verdicts", verdicts);
	add_number(d, o, "overdue", (int64_t)plan->overdue);
	add_number(d, o, "steps", (int64_t)plan->n_steps);
	return o;
}

static void add_plan(struct document *d, json_object *to, const struct view *view)
{
	add(d, to, "summary", new_summary(d, view->plan));
	add(d, to, "links", new_plan_links(d, view));
	add(d, to, "steps", new_steps(d, view));
}

int json_write_plan(FILE *out, const struct view *view)
{
	_cleanup_document_ struct document d = { 0 };

	begin(&d, "plan");
	add_number(&d, d.root, "exit_code", view->exit_code);
	add_rules(&d, view->rules, view);
	add_plan(&d, d.root, view);
	return write_out(&d, out);
}

static json_object *new_results(
	struct document *d, const struct feature_table *table, const struct apply_report *report)
{
	json_object *results = new_array(d);

	for (size_t i = 0; i < report->n_results; i++) {
		const struct apply_result *r = &report->results[i];
		json_object *o = new_object(d), *error = NULL;

		add_number(d, o, "ifindex", r->ifindex);
		add_link_name(d, o, "link", r->name);
		add_names(d, o, "on", table, r->asked & r->value);
		add_names(d, o, "off", table, r->asked & ~r->value);
		add_names(d, o, "changed_on", table, r->changed & r->after.active);
		add_names(d, o, "changed_off", table, r->changed & ~r->after.active);
		add_names(d, o, "missed", table, r->missed);
		if (r->error) {
			error = new_object(d);
			add_number(d, error, "errno", -r->error);
			add_text(d, error, "text", strerror(-r->error));
			add_text(d, error, "kernel", r->text[0] ? r->text : NULL);
		}
		add(d, o, "error", error);
		push(d, results, o);
	}
	return results;
}

static json_object *whole(struct document *d, json_object *o)
{
	if (!d->lost)
		return o;
	json_object_put(o);
	return NULL;
}

struct json_object *json_plan_links(const struct view *view)
{
	struct document d = { 0 };

	return whole(&d, new_plan_links(&d, view));
}

struct json_object *json_results(
	const struct feature_table *table, const struct apply_report *report)
{
	struct document d = { 0 };

	return whole(&d, new_results(&d, table, report));
}

int json_write_apply(FILE *out, const struct view *before, const struct apply_report *report,
	const struct view *after)
{
	_cleanup_document_ struct document d = { 0 };
	json_object *o;

	begin(&d, "apply");
	add_number(&d, d.root, "exit_code", after->exit_code);
	add_rules(&d, before->rules, before);
	o = new_object(&d);
	add_plan(&d, o, before);
	add(&d, d.root, "plan", o);
	add(&d, d.root, "results", new_results(&d, before->features, report));
	o = new_object(&d);
	add_plan(&d, o, after);
	add(&d, d.root, "after", o);
	return write_out(&d, out);
}

int json_write_revert(FILE *out, const struct feature_table *table,
	const struct apply_report *report, int exit_code)
{
	_cleanup_document_ struct document d = { 0 };

	begin(&d, "revert");
	add_number(&d, d.root, "exit_code", exit_code);
	add(&d, d.root, "results", new_results(&d, table, report));
	return write_out(&d, out);
}

int json_write_check(
	FILE *out, const struct rule_set *rules, const struct rule_list *list, int exit_code)
{
	_cleanup_document_ struct document d = { 0 };
	json_object *not_read;

	begin(&d, "check");
	add_number(&d, d.root, "exit_code", exit_code);
	add_rules(&d, rules, NULL);
	not_read = new_array(&d);
	for (size_t i = 0; i < list->n_places; i++)
		if (list->places[i].state == RULE_PLACE_NOT_READ)
			push(&d, not_read, new_text(&d, list->places[i].path));
	add(&d, d.root, "not_read", not_read);
	return write_out(&d, out);
}

static json_object *new_reference(struct document *d, const struct link *link)
{
	json_object *o;

	if (!link)
		return NULL;
	o = new_object(d);
	add_number(d, o, "ifindex", link->ifindex);
	add_link_name(d, o, "link", link->name);
	return o;
}

/* What every document says of a link. */
static json_object *new_link(struct document *d, const struct view *view, const struct link *link)
{
	const struct plan_link *pl = plan_find(view->plan, link->ifindex);
	json_object *o = new_object(d), *worst = new_array(d);

	add_number(d, o, "ifindex", link->ifindex);
	add_link_name(d, o, "link", link->name);
	add_text(d, o, "kind", link->kind);
	add_text(d, o, "driver", link->driver[0] ? link->driver : NULL);
	add_text(d, o, "verdict", view_verdict(view->plan, link->ifindex));
	for (size_t i = 0; pl && i < pl->n_items; i++)
		if (pl->items[i].verdict != VERDICT_COMPLIANT)
			push(d, worst,
				new_text(d, pl->items[i].bit < FEATURE_MAX
						    ? feature_name(view->features, pl->items[i].bit)
						    : pl->items[i].feature->word));
	add(d, o, "not_as_declared", worst);
	add_text(d, o, "error",
		!link->has_features && link->features_error ? strerror(-link->features_error)
							    : NULL);
	return o;
}

int json_write_list(FILE *out, const struct view *view)
{
	_cleanup_document_ struct document d = { 0 };
	_cleanup_free_ struct link **links = NULL;
	json_object *array;
	size_t n;
	int r;

	r = link_table_sorted(view->links, &links, &n);
	if (r < 0)
		return r;
	begin(&d, "list");
	add_rules(&d, view->rules, view);
	array = new_array(&d);
	for (size_t i = 0; i < n; i++) {
		json_object *o = new_link(&d, view, links[i]);

		add(&d, o, "lower", new_reference(&d, link_lower(view->links, links[i])));
		add(&d, o, "master", new_reference(&d, link_master(view->links, links[i])));
		push(&d, array, o);
	}
	add(&d, d.root, "links", array);
	return write_out(&d, out);
}

int json_write_tree(FILE *out, const struct view *view)
{
	_cleanup_document_ struct document d = { 0 };
	_cleanup_free_ struct view_node *nodes = NULL;
	_cleanup_free_ json_object **below = NULL; /* the "below" of the last node of each depth */
	json_object *top;
	size_t n;
	int r;

	r = view_tree(view->links, &nodes, &n);
	if (r < 0)
		return r;
	below = calloc(n + 1, sizeof(json_object *));
	if (!below)
		return -ENOMEM;
	begin(&d, "tree");
	add_rules(&d, view->rules, view);
	top = new_array(&d);
	for (size_t i = 0; i < n; i++) {
		json_object *o = new_link(&d, view, nodes[i].link);

		add_bool(&d, o, "repeated", nodes[i].repeated);
		below[nodes[i].depth] = new_array(&d);
		add(&d, o, "below", below[nodes[i].depth]);
		push(&d, nodes[i].depth ? below[nodes[i].depth - 1] : top, o);
	}
	add(&d, d.root, "links", top);
	return write_out(&d, out);
}

static json_object *new_feature_states(
	struct document *d, const struct view *view, const struct link *link)
{
	const struct plan_link *pl = plan_find(view->plan, link->ifindex);
	const struct link_features *f = &link->features;
	json_object *states = new_object(d);

	for (unsigned bit = 0; bit < view->features->count; bit++) {
		const struct plan_item *item = view_item(pl, bit);
		json_object *o;

		if (!view->features->name[bit][0])
			continue;
		o = new_object(d);
		add_bool(d, o, "active", f->active & FEATURE(bit));
		add_bool(d, o, "fixed", !(f->hw & ~f->nochange & FEATURE(bit)));
		add_bool(d, o, "requested", f->wanted & FEATURE(bit));
		add_text(d, o, "declared", item ? rule_value_name(item->declared) : NULL);
		add_text(d, o, "verdict", item ? verdict_name(item->verdict) : NULL);
		add_cause(d, o, view->features, pl, item);
		add_rule(d, o, item);
		add_with_own_key(d, states, feature_name(view->features, bit), o);
	}
	return states;
}

/* ethtool's words for the same, as `ethtool -k` lists them: on when any member is. */
static json_object *new_aliases(
	struct document *d, const struct view *view, const struct link *link)
{
	json_object *aliases = new_object(d);
	const struct feature_alias *alias;
	feature_set members;

	for (size_t i = 0; (alias = feature_alias(i)); i++) {
		json_object *o = new_object(d);

		feature_parse(view->features, alias->word, &members);
		add_text(d, o, "word", alias->word);
		add_bool(d, o, "active", link->features.active & members);
		add_names(d, o, "members", view->features, members);
		add(d, aliases, alias->long_word, o);
	}
	return aliases;
}

int json_write_show(FILE *out, const struct view *view, const struct link *link)
{
	_cleanup_document_ struct document d = { 0 };
	char address[3 * LINK_ADDRESS_LEN];
	json_object *o, *uppers, *ports;

	begin(&d, "show");
	add_rules(&d, view->rules, view);
	o = new_link(&d, view, link);
	add_text(&d, o, "address",
		link->address_len ? link_format_address(link, address, sizeof(address)) : NULL);
	add(&d, o, "vlan_id",
		link->vlan_id ? keep(&d, json_object_new_int((int)link->vlan_id)) : NULL);
	add(&d, o, "lower", new_reference(&d, link_lower(view->links, link)));
	add_bool(&d, o, "lower_elsewhere", link->lower_netnsid >= 0 && !link_has_peer(link));
	add(&d, o, "master", new_reference(&d, link_master(view->links, link)));
	uppers = new_array(&d);
	for (struct link *u = link_first_upper(view->links, link); u;
		u = link_next_upper(view->links, u))
		push(&d, uppers, new_reference(&d, u));
	add(&d, o, "uppers", uppers);
	ports = new_array(&d);
	for (struct link *p = link_first_port(view->links, link); p;
		p = link_next_port(view->links, p))
		push(&d, ports, new_reference(&d, p));
	add(&d, o, "ports", ports);
	add(&d, o, "features", link->has_features ? new_feature_states(&d, view, link) : NULL);
	add(&d, o, "aliases", link->has_features ? new_aliases(&d, view, link) : NULL);
	add(&d, d.root, "link", o);
	return write_out(&d, out);
}

static json_object *new_chain(struct document *d, const struct feature_table *table,
	const struct explanation *explanation)
{
	json_object *chain = new_array(d);
	char text[CATALOG_TEXT_MAX];

	for (size_t i = 0; i < explanation->n_steps; i++) {
		const struct cause_step *step = &explanation->steps[i];
		json_object *o = new_object(d);

		add_number(d, o, "depth", step->depth);
		add_number(d, o, "ifindex", step->ifindex);
		add_link_name(d, o, "link", step->link);
		add_text(d, o, "feature", step->bit < FEATURE_MAX ? feature_name(table, step->bit) : NULL);
		add_text(d, o, "code", cause_name(step->code));
		add_text(d, o, "text", catalog_step(table, explanation, step, FEATURE_MAX, text, sizeof(text)));
		push(d, chain, o);
	}
	return chain;
}

int json_write_explain(FILE *out, const struct view *view, const struct link *link,
	const struct json_explained *explained, size_t n)
{
	_cleanup_document_ struct document d = { 0 };
	char text[CATALOG_TEXT_MAX];
	json_object *array;

	begin(&d, "explain");
	add_rules(&d, view->rules, view);
	add_number(&d, d.root, "ifindex", link->ifindex);
	add_link_name(&d, d.root, "link", link->name);
	add_text(&d, d.root, "verdict", view_verdict(view->plan, link->ifindex));
	array = new_array(&d);
	for (size_t i = 0; i < n; i++) {
		const struct json_explained *e = &explained[i];
		json_object *o = new_object(&d);

		add_text(&d, o, "feature",
			e->bit < FEATURE_MAX ? feature_name(view->features, e->bit) : e->word);
		add_text(&d, o, "verdict", e->item ? verdict_name(e->item->verdict) : NULL);
		add_text(&d, o, "declared", e->item ? rule_value_name(e->item->declared) : NULL);
		add_rule(&d, o, e->item);
		add(&d, o, "chain", new_chain(&d, view->features, e->explanation));
		add_text(&d, o, "advice_code", advice_name(e->explanation->advice.code));
		catalog_advice(view->features, e->explanation, text, sizeof(text));
		add_text(&d, o, "advice", text[0] ? text : NULL);
		push(&d, array, o);
	}
	add(&d, d.root, "features", array);
	return write_out(&d, out);
}

/* A list of names on one line: thousands of links are a document of some megabytes as it is. */
static int print_in_line(json_object *list, struct printbuf *out, int level _unused_, int flags)
{
	size_t n = json_object_array_length(list);

	printbuf_strappend(out, "[");
	for (size_t i = 0; i < n; i++) {
		const char *name = json_object_to_json_string_ext(
			json_object_array_get_idx(list, i), flags & ~JSON_C_TO_STRING_PRETTY);

		if (!name || (i && printbuf_memappend(out, ", ", 2) < 0) ||
			printbuf_memappend(out, name, (int)strlen(name)) < 0)
			return -1;
	}
	return printbuf_strappend(out, "]");
}

static json_object *new_line(
	struct document *d, const struct feature_table *table, feature_set set)
{
	json_object *names = new_names(d, table, set);
	const char *text;
	char *copy;

	json_object_set_serializer(names, print_in_line, NULL, NULL);
	text = json_object_to_json_string_ext(names, JSON_C_TO_STRING_NOSLASHESCAPE);
	copy = text ? strdup(text) : NULL;
	d->lost += !copy;
	json_object_set_serializer(
		names, json_object_userdata_to_json_string, copy, json_object_free_userdata);
	return names;
}

/* Thousands of links have the same few sets: each set is made, and written as text, once. */
struct line {
	feature_set set;
	json_object *names;
	UT_hash_handle hh;
};

static void add_line(struct document *d, json_object *to, const char *key, struct line **lines,
	const struct feature_table *table, feature_set set)
{
	struct line *line;

	HASH_FIND(hh, *lines, &set, sizeof(set), line);
	if (!line) {
		line = malloc(sizeof(*line));
		if (!line) {
			d->lost++;
			return;
		}
		line->set = set;
		line->names = new_line(d, table, set);
		HASH_ADD(hh, *lines, set, sizeof(set), line);
	}
	add(d, to, key, json_object_get(line->names));
}

static void clear_lines(struct line **lines)
{
	struct line *line, *next;

	HASH_ITER(hh, *lines, line, next)
	{
		HASH_DEL(*lines, line);
		json_object_put(line->names);
		free(line);
	}
}

/* "" is null. */
static void add_known(struct document *d, json_object *to, const char *key, const char *text)
{
	add_text(d, to, key, *text ? text : NULL);
}

static json_object *new_snapshot_link(
	struct document *d, struct line **lines, const struct snapshot *s, const struct snapshot_link *link)
{
	json_object *o = new_object(d), *features = NULL;

	add_text(d, o, "link", link->name);
	add_known(d, o, "kind", link->kind);
	add_known(d, o, "driver", link->driver);
	add(d, o, "vlan_id",
		link->vlan_id ? keep(d, json_object_new_int((int)link->vlan_id)) : NULL);
	add_known(d, o, "lower", link->lower);
	add_bool(d, o, "lower_elsewhere", link->lower_elsewhere);
	add_known(d, o, "master", link->master);
	add_known(d, o, "error", link->error);
	if (link->has_features) {
		features = new_object(d);
		add_line(d, features, "active", lines, &s->features, link->features.active);
		add_line(d, features, "requested", lines, &s->features, link->features.wanted);
		add_line(d, features, "changeable", lines, &s->features, link->features.hw);
		add_line(d, features, "never_changed", lines, &s->features, link->features.nochange);
	}
	add(d, o, "features", features);
	return o;
}

static json_object *new_snapshot_rules(struct document *d, const struct snapshot *s)
{
	json_object *rules = new_array(d);

	for (size_t i = 0; i < s->n_rules; i++) {
		const struct snapshot_rule *rule = &s->rules[i];
		json_object *o = new_object(d), *words = new_object(d);

		add_text(d, o, "file", rule->file);
		add_text(d, o, "path", rule->path);
		add_text(d, o, "description", rule->description);
		add_text(d, o, "reason", rule->reason);
		add_text(d, o, "mode", rule->mode == RULE_MODE_AUDIT ? "audit" : "enforce");
		for (size_t j = 0; j < rule->n_words; j++) {
			char clean[256];

			add_with_own_key(d, words, view_clean(rule->words[j].word, clean, sizeof(clean)),
				new_text(d, rule_value_name(rule->words[j].value)));
		}
		add(d, o, "declares", words);
		push(d, rules, o);
	}
	return rules;
}

static void print_text(struct document *d, struct printbuf *out, const char *text, size_t len)
{
	d->lost += printbuf_memappend(out, text, (int)len) < 0;
}

/* Prints a value at a depth of the document, and frees it. */
static void print_value(struct document *d, struct printbuf *out, int depth, json_object *value)
{
	size_t len;
	const char *text = json_object_to_json_string_length(
		value, IN_LINES | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
	const char *end = text ? text + len : NULL, *line = text;

	d->lost += !text;
	while (line < end) {
		const char *next = memchr(line, '\n', (size_t)(end - line));

		next = next ? next + 1 : end;
		print_text(d, out, line, (size_t)(next - line));
		if (next < end)
			d->lost += printbuf_memset(out, -1, ' ', 2 * depth) < 0;
		line = next;
	}
	json_object_put(value);
}

static void print_key(struct document *d, struct printbuf *out, const char *key)
{
	d->lost += sprintbuf(out, "%s\n  \"%s\": ", printbuf_length(out) > 1 ? "," : "", key) < 0;
}

static void print_member(struct document *d, struct printbuf *out, const char *key, json_object *value)
{
	print_key(d, out, key);
	print_value(d, out, 1, value);
}

static void print_links(struct document *d, struct printbuf *out, const struct snapshot *s)
{
	_cleanup_(clear_lines) struct line *lines = NULL;

	print_key(d, out, "links");
	print_text(d, out, "[", 1);
	for (size_t i = 0; i < s->n_links; i++) {
		print_text(d, out, i ? ",\n    " : "\n    ", i ? 6 : 5);
		print_value(d, out, 2, new_snapshot_link(d, &lines, s, &s->links[i]));
	}
	print_text(d, out, s->n_links ? "\n  ]" : "]", s->n_links ? 4 : 1);
}

/* Link by link, as the objects of thousands would take more memory than their text. */
int json_format_snapshot(const struct snapshot *s, char **ret, size_t *ret_len)
{
	struct document d = { 0 };
	struct printbuf *out = printbuf_new();
	json_object *host;

	if (!out)
		return -ENOMEM;
	print_text(&d, out, "{", 1);
	print_member(&d, out, "version", keep(&d, json_object_new_int(JSON_VERSION)));
	print_member(&d, out, "document", new_text(&d, "snapshot"));
	print_member(&d, out, "taken", keep(&d, json_object_new_int64(s->taken)));
	host = new_object(&d);
	add_known(&d, host, "name", s->host);
	add_known(&d, host, "kernel", s->kernel);
	add_known(&d, host, "virtualization", s->virtualization);
	print_member(&d, out, "host", host);
	print_member(&d, out, "features", new_line(&d, &s->features, snapshot_named(s)));
	print_links(&d, out, s);
	print_member(&d, out, "rules", new_snapshot_rules(&d, s));
	print_text(&d, out, "\n}\n", 3);
	if (d.lost) {
		printbuf_free(out);
		return -ENOMEM;
	}
	*ret = out->buf;
	*ret_len = (size_t)printbuf_length(out);
	out->buf = NULL;
	printbuf_free(out);
	return 0;
}

static json_object *new_side(struct document *d, const struct snapshot *s, const char *name)
{
	static const char *const forms[] = { "host", "snapshot", "ethtool" };
	json_object *o = new_object(d);

	add_text(d, o, "source", name);
	add_text(d, o, "form", forms[s->form]);
	add_known(d, o, "host", s->host);
	add_known(d, o, "kernel", s->kernel);
	add_number(d, o, "links", (int64_t)s->n_links);
	return o;
}

static json_object *new_pair(struct document *d, const struct diff *diff, size_t pair)
{
	json_object *o = new_object(d);

	add_text(d, o, "a", diff->a->links[diff->pairs[pair].a].name);
	add_text(d, o, "b", diff->b->links[diff->pairs[pair].b].name);
	return o;
}

static json_object *new_groups(struct document *d, const struct diff *diff)
{
	json_object *groups = new_array(d);

	for (size_t i = 0; i < diff->n_groups; i++) {
		const struct diff_group *g = &diff->groups[i];
		json_object *o = new_object(d), *pairs = new_array(d);

		add_text(d, o, "change", diff_change_name(g->change));
		add_names(d, o, "features", &diff->a->features, g->features);
		add_names(d, o, "costs", &diff->a->features, g->costs);
		add_text(d, o, "a", diff_state_name(g->a_state));
		add_text(d, o, "b", diff_state_name(g->b_state));
		add_bool(d, o, "as_below", g->follows);
		for (size_t j = 0; j < g->n_pairs; j++)
			push(d, pairs, new_pair(d, diff, g->pairs[j]));
		add(d, o, "links", pairs);
		push(d, groups, o);
	}
	return groups;
}

static json_object *new_link_names(
	struct document *d, const struct snapshot *s, const size_t *links, size_t n)
{
	json_object *names = new_array(d);

	for (size_t i = 0; i < n; i++)
		push(d, names, new_text(d, s->links[links[i]].name));
	return names;
}

static json_object *new_ambiguous(struct document *d, const struct diff *diff)
{
	json_object *all = new_array(d);

	for (size_t i = 0; i < diff->n_ambiguous; i++) {
		const struct diff_ambiguous *from = &diff->ambiguous[i];
		json_object *o = new_object(d);

		add_text(d, o, "role", from->role);
		add(d, o, "a", new_link_names(d, diff->a, from->a, from->n_a));
		add(d, o, "b", new_link_names(d, diff->b, from->b, from->n_b));
		push(d, all, o);
	}
	return all;
}

static json_object *new_fields(struct document *d, const struct diff *diff)
{
	json_object *all = new_array(d);

	for (size_t i = 0; i < diff->n_fields; i++) {
		const struct diff_field *from = &diff->fields[i];
		json_object *o = new_object(d);

		add(d, o, "link", new_pair(d, diff, from->pair));
		add_text(d, o, "what", from->what);
		add_text(d, o, "a", from->a);
		add_text(d, o, "b", from->b);
		push(d, all, o);
	}
	return all;
}

static json_object *new_rule_differences(struct document *d, const struct diff *diff)
{
	json_object *all = new_array(d);

	for (size_t i = 0; i < diff->n_rules; i++) {
		const struct diff_rule *from = &diff->rules[i];
		json_object *o = new_object(d);

		add_text(d, o, "file",
			from->a == DIFF_NONE ? diff->b->rules[from->b].file
					     : diff->a->rules[from->a].file);
		add_bool(d, o, "in_a", from->a != DIFF_NONE);
		add_bool(d, o, "in_b", from->b != DIFF_NONE);
		push(d, all, o);
	}
	return all;
}

int json_write_diff(
	FILE *out, const struct diff *diff, const char *a, const char *b, int exit_code)
{
	_cleanup_document_ struct document d = { 0 };
	json_object *o;

	begin(&d, "diff");
	add_number(&d, d.root, "exit_code", exit_code);
	add(&d, d.root, "a", new_side(&d, diff->a, a));
	add(&d, d.root, "b", new_side(&d, diff->b, b));
	add_bool(&d, d.root, "by_role", diff->by_role);
	add_bool(&d, d.root, "same", !diff_any(diff));
	add_number(&d, d.root, "lost", (int64_t)diff->lost);
	add(&d, d.root, "differences", new_groups(&d, diff));
	add(&d, d.root, "only_in_a", new_link_names(&d, diff->a, diff->only_a, diff->n_only_a));
	add(&d, d.root, "only_in_b", new_link_names(&d, diff->b, diff->only_b, diff->n_only_b));
	add(&d, d.root, "ambiguous", new_ambiguous(&d, diff));
	add(&d, d.root, "links", new_fields(&d, diff));
	add(&d, d.root, "rules", new_rule_differences(&d, diff));
	add_bool(&d, d.root, "other_kernel", diff->other_kernel);
	o = new_object(&d);
	add_names(&d, o, "a", &diff->b->features, diff->unknown_in_a);
	add_names(&d, o, "b", &diff->a->features, diff->unknown_in_b);
	add(&d, d.root, "unknown_features", o);
	return write_out(&d, out);
}
