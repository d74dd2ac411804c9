/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plans, results, rules and differences as JSON documents, one for each command; docs/schema describes them. */
#ifndef OFFLOADD_JSON_H
#define OFFLOADD_JSON_H

#include <stdio.h>

#include "compare/diff.h"
#include "rules/rule_list.h"
#include "report/view.h"

struct json_writer;

/* ---- members that several documents and replies share; each adds to the object or list that is open in w ---- */

/* "ifindex", "link". name: at most LINK_NAME_LEN bytes. */
void json_add_link(struct json_writer *w, const char *name, int ifindex);
/* A link name under any key; NULL: null. */
void json_add_link_name(struct json_writer *w, const char *key, const char *name);
/* "description", "reason", "mode" */
void json_add_rule_members(struct json_writer *w, const struct rule *rule);
/* A list of the first `max` errors of the set. */
void json_add_rule_errors(struct json_writer *w, const char *key, const struct rule_set *set, size_t max);
/* "missing": the keys of a rule that matches no link here, a list of names and values; see rule_find_missing() */
void json_add_missing(struct json_writer *w, const struct rule *rule, unsigned missing);
/* An object with the number of each verdict. */
void json_add_verdicts(struct json_writer *w, const char *key, const size_t counts[VERDICT_COUNT]);
/* "verdicts": how many features of a link have which verdict; null if no rule applies to it. pl: may be NULL. */
void json_add_link_verdicts(struct json_writer *w, const struct plan_link *pl);
/* "links": every link of the plan with its features */
void json_add_plan_links(struct json_writer *w, const struct view *view);
/* "results": what apply or revert changed */
void json_add_results(
	struct json_writer *w, const struct feature_table *table, const struct apply_report *report);

/* An explanation, as in a list of "features". */
void json_add_explanation(struct json_writer *w, const struct view *view, const struct explanation *e);

/* ---- documents: each function writes one and a newline. 0, -ENOMEM, -EIO. exit_code: of the command, a member. ---- */

int json_write_plan(FILE *out, const struct view *view);
/* before: with the plan that was applied. after: with the plan made afterwards. */
int json_write_apply(FILE *out, const struct view *before, const struct apply_report *report,
	const struct view *after);
int json_write_revert(FILE *out, const struct feature_table *table,
	const struct apply_report *report, int exit_code);
/* view: of the links here, for rules that match none of them; NULL: not known. */
int json_write_check(FILE *out, const struct rule_set *rules, const struct rule_list *list, const struct view *view, int exit_code);
int json_write_list(FILE *out, const struct view *view);
int json_write_tree(FILE *out, const struct view *view);
int json_write_show(FILE *out, const struct view *view, const struct link *link);
/* explanations: n of them, each of a feature of the link and not empty. */
int json_write_explain(FILE *out, const struct view *view, const struct link *link, const struct explanation *explanations,
	size_t n);
/* a, b: names of the sources, for example file names. */
int json_write_diff(
	FILE *out, const struct diff *diff, const char *a, const char *b, int exit_code);

/* "rule" of an item, null without one. item may be NULL. */
void json_add_item_rule(struct json_writer *w, const struct plan_item *item);

#endif
