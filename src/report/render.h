/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reports for people: plans and results (render_plan.c), tables, trees and explanations (render_links.c). Errors of writing:
 * ferror(r->out). */
#ifndef OFFLOADD_RENDER_H
#define OFFLOADD_RENDER_H

#include <stdio.h>

#include "report/view.h"

#define RENDER_WIDTH_MIN 40 /* narrower terminals get no wrapping */

struct render {
	FILE *out;
	bool colour;
	bool ascii;     /* draw trees in ASCII */
	bool no_legend; /* tables without column headings and notes below */
	unsigned width; /* columns to wrap to, 0 for no wrapping */
};

enum render_colour { RENDER_COLOUR_AUTO, RENDER_COLOUR_ALWAYS, RENDER_COLOUR_NEVER };

/* Chooses how to print to `out`. Automatic colors: on a terminal, unless NO_COLOR or TERM=dumb. Width: COLUMNS, even without a
 * terminal, else the width of the terminal. */
void render_init(struct render *r, FILE *out, enum render_colour colour);

/* Prints text that starts at column `indent` of the current line, wrapped between words and indented to that column; and a
 * newline. */
void render_wrapped(const struct render *r, unsigned indent, const char *text);

/* Differences, steps, expected result, rules to review, summary. One line if all features match the rules. */
void render_plan(const struct render *r, const struct view *view);

/* The rules that are not for the network namespace of view->host, and why; nothing in the own one. */
void render_rules_elsewhere(const struct render *r, const struct view *view);

/* The differences alone, for each link. */
void render_differences(const struct render *r, const struct view *view);

/* The same under the heading "Found:", for apply. */
void render_found(const struct render *r, const struct view *view);

/* A plan without its steps: differences, rules to review, summary. */
void render_state(const struct render *r, const struct view *view);

/* What apply or revert did, step by step, with the verified result. */
void render_results(const struct render *r, const struct feature_table *table,
	const struct apply_report *report);

/* Links without a step whose features changed: before->plan has their old features, before->links the new ones. */
void render_side_effects(
	const struct render *r, const struct view *before, const struct apply_report *report);

/* What revert would set. */
void render_revert_plan(const struct render *r, const struct feature_table *table,
	const struct apply_report *report);
/* One line after the results of revert: how many links have their original values. */
void render_revert_summary(const struct render *r, const struct apply_report *report);

/* Below a table: a sentence, if no rule applies to any link. */
void render_undeclared(const struct render *r, const struct view *view);

/* ---- tables: 0 or -ENOMEM ---- */

int render_list(const struct render *r, const struct view *view);
int render_tree(const struct render *r, const struct view *view);
/* The declared features, then the limits. all: with the features that no rule declares. */
int render_show(const struct render *r, const struct view *view, const struct link *link, bool all);

/* A table of n_lines times n_columns cells by row; NULL is an empty cell. On a terminal the last column is wrapped. spare: columns
 * to hide if the terminal is too narrow, least important first, ends with NULL. */
int render_table(const struct render *r, const char *const *columns, size_t n_columns,
	const char *const *spare, const char *const *cells, size_t n_lines);

/* A block about the features `bits`, which have the same explanation (none: explanation->word, a feature that this kernel
 * does not have). dependents: other features that are off because they need these. */
void render_explanation(const struct render *r, const struct view *view, const struct link *link, feature_set bits,
	feature_set dependents, const struct explanation *explanation);
/* One line for a link that has nothing to explain: it matches the rules, or has none. */
void render_no_explanation(const struct render *r, const struct view *view, const struct link *link);

#endif
