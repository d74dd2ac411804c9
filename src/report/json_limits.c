/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/json_limits.h"

#include "report/catalog.h"
#include "report/json.h"

void json_add_limits(struct json_writer *w, const char *key, const struct link_limits *limits)
{
	json_open_object(w, key);
	for (unsigned i = 0; i < LINK_LIMIT_COUNT; i++)
		if (limits->has & LINK_LIMIT(i))
			json_add_int(w, link_limit_name(i), limits->value[i]);
	json_close_object(w);
}

void json_add_limit_names(struct json_writer *w, const char *key, unsigned limits)
{
	json_open_list(w, key);
	for (unsigned i = 0; i < LINK_LIMIT_COUNT; i++)
		if (limits & LINK_LIMIT(i))
			json_add_text(w, NULL, link_limit_name(i));
	json_close_list(w);
}

static void add_cause(struct json_writer *w, const struct feature_table *table, const struct plan_link *pl,
	const struct plan_item *item)
{
	char why[CATALOG_TEXT_MAX];

	if (!json_open_if(w, "cause", item->cause != CAUSE_NONE))
		return;
	json_add_text(w, "kind", cause_name(item->cause));
	json_add_link_name(w, "link", item->cause_ifindex ? item->cause_name : NULL);
	json_add_positive(w, "number", item->number.cause);
	json_add_text(w, "text", catalog_item(table, pl, item, FEATURE_MAX, why, sizeof(why)));
	json_close_object(w);
}

/* What a rule declares, and how the link matches it. */
static void add_declaration(struct json_writer *w, const struct feature_table *table, const struct plan_link *pl,
	const struct plan_item *item)
{
	bool is_known = item->cause != CAUSE_UNSUPPORTED_KERNEL;
	char text[CATALOG_TEXT_MAX];

	json_add_text(w, "verdict", verdict_name(item->verdict));
	json_add_text(w, "declared", item->declared == RULE_LOWER ? "lower" : "number");
	json_add_positive(w, "want", item->number.want);
	json_add_bool(w, "provided", !item->not_provided);
	json_add_positive(w, "predicted", is_known ? item->number.predicted : 0);
	json_add_bool(w, "overdue", item->overdue);
	add_cause(w, table, pl, item);
	json_add_text(w, "text", item->text[0] || item->verdict == VERDICT_CONTENDED
			? catalog_item(table, pl, item, FEATURE_MAX, text, sizeof(text)) : NULL);
	json_add_item_rule(w, item);
}

void json_add_plan_limits(struct json_writer *w, const struct feature_table *table, const struct plan_link *pl)
{
	unsigned declared = 0;

	json_open_list(w, "limits");
	for (size_t i = 0; i < pl->n_items; i++) {
		const struct plan_item *item = &pl->items[i];

		if (!item->is_limit)
			continue;
		declared |= LINK_LIMIT(item->number.limit);
		json_open_object(w, NULL);
		json_add_text(w, "limit", link_limit_name(item->number.limit));
		if (pl->limits.has & LINK_LIMIT(item->number.limit))
			json_add_int(w, "value", item->number.now);
		else
			json_add_text(w, "value", NULL);
		add_declaration(w, table, pl, item);
		json_close_object(w);
	}
	json_close_list(w);
	json_open_list(w, "limit_changes");
	for (unsigned i = 0; i < LINK_LIMIT_COUNT; i++) {
		if (pl->limits.value[i] == pl->limits_predicted.value[i])
			continue;
		json_open_object(w, NULL);
		json_add_text(w, "limit", link_limit_name(i));
		json_add_int(w, "value", pl->limits_predicted.value[i]);
		json_add_bool(w, "side_effect", !(declared & LINK_LIMIT(i)));
		json_close_object(w);
	}
	json_close_list(w);
}

static void add_narrow(struct json_writer *w, const char *key, const struct plan_narrow *narrow)
{
	if (!json_open_if(w, key, narrow))
		return;
	json_add_link(w, narrow->below->name, narrow->below->ifindex);
	json_add_int(w, "value", narrow->below_number);
	json_close_object(w);
}

void json_add_limit_states(struct json_writer *w, const struct view *view, const struct link *link)
{
	const struct plan_link *pl = plan_find(view->plan, link->ifindex);

	json_open_object(w, "limits");
	for (unsigned i = 0; i < LINK_LIMIT_COUNT; i++) {
		const struct plan_item *item = view_limit_item(pl, i);
		struct plan_narrow narrow;

		if (!(link->limits.has & LINK_LIMIT(i)) && !item)
			continue;
		json_open_object(w, link_limit_name(i));
		if (link->limits.has & LINK_LIMIT(i))
			json_add_int(w, "value", link->limits.value[i]);
		else
			json_add_text(w, "value", NULL);
		json_add_bool(w, "fixed", i >= LINK_LIMIT_SETTABLE);
		add_narrow(w, "smaller_below", plan_find_narrow(view->links, link, i, &narrow) ? &narrow : NULL);
		if (json_open_if(w, "declaration", item)) {
			add_declaration(w, view->features, pl, item);
			json_close_object(w);
		}
		json_close_object(w);
	}
	json_close_object(w);
}

void json_add_narrow_links(struct json_writer *w, const struct link_table *links)
{
	struct plan_narrow narrow;

	json_open_list(w, "smaller_limits_below");
	link_table_foreach(links, link)
		for (unsigned i = 0; i < LINK_LIMIT_COUNT; i++) {
			if (!plan_find_narrow(links, link, i, &narrow))
				continue;
			json_open_object(w, NULL);
			json_add_link(w, link->name, link->ifindex);
			json_add_text(w, "limit", link_limit_name(i));
			json_add_int(w, "value", narrow.number);
			add_narrow(w, "below", &narrow);
			json_close_object(w);
		}
	json_close_list(w);
}
