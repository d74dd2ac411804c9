/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The same as documents for programs: one JSON object a command, described by docs/schema. */
#ifndef OFFLOADD_JSON_H
#define OFFLOADD_JSON_H

#include <stdio.h>

#include "compare/diff.h"
#include "rules/rule_list.h"
#include "report/view.h"

struct json_writer;

/* ---- members that several documents and answers have ---- */

/* "ifindex", "link" */
void json_add_link(struct json_writer *w, const char *name, int ifindex);
/* NULL: null */
void json_add_link_name(struct json_writer *w, const char *key, const char *name);
/* "description", "reason", "mode" */
void json_add_rule_members(struct json_writer *w, const struct rule *rule);
/* At most max of them. */
void json_add_rule_errors(struct json_writer *w, const char *key, const struct rule_set *set, size_t max);
/* "verdicts" */
void json_add_verdicts(struct json_writer *w, const size_t counts[VERDICT_COUNT]);
/* "links" of a plan's document */
void json_add_plan_links(struct json_writer *w, const struct view *view);
/* "results" of what apply or revert did */
void json_add_results(
	struct json_writer *w, const struct feature_table *table, const struct apply_report *report);

/* ---- documents ---- */

/* Each writes one document and a newline. 0, -ENOMEM, -EIO. */
int json_write_plan(FILE *out, const struct view *view);
/* before: the plan that was carried out; after: the one made from what was there then. */
int json_write_apply(FILE *out, const struct view *before, const struct apply_report *report,
	const struct view *after);
int json_write_revert(FILE *out, const struct feature_table *table,
	const struct apply_report *report, int exit_code);
int json_write_check(
	FILE *out, const struct rule_set *rules, const struct rule_list *list, int exit_code);
int json_write_list(FILE *out, const struct view *view);
int json_write_tree(FILE *out, const struct view *view);
int json_write_show(FILE *out, const struct view *view, const struct link *link);

int json_write_explain(FILE *out, const struct view *view, const struct link *link, const struct explanation *explanations,
	size_t n);

/* a, b: where the snapshots are from. */
int json_write_diff(
	FILE *out, const struct diff *diff, const char *a, const char *b, int exit_code);

#endif
