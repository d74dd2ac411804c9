/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text for people: plans and what came of them (render_plan.c), tables, trees and reasons (render_links.c). */
#ifndef OFFLOADD_RENDER_H
#define OFFLOADD_RENDER_H

#include <stdio.h>

#include "report/view.h"

#define RENDER_WIDTH_MIN 40 /* what is narrower is not wrapped */

struct render {
	FILE *out;
	bool colour;
	bool ascii;     /* lines of a tree in ASCII */
	unsigned width; /* columns to wrap to, 0 for no wrapping */
};

/* Looks at the stream: colour only on a terminal, and not under NO_COLOR or TERM=dumb; wrapped to the
 * terminal's width, or to COLUMNS, which outranks it and counts without a terminal, too. */
void render_init(struct render *r, FILE *out, bool no_colour);

/* Text that starts at column `indent`, where the line is by now, broken between words to go on there; and a
 * newline. */
void render_wrapped(const struct render *r, unsigned indent, const char *text);

/* What differs, the steps, what comes of them, a summary. One line when everything is as declared.
 */
void render_plan(const struct render *r, const struct view *view);

/* What differed before it was put right, under a heading that says so. */
void render_found(const struct render *r, const struct view *view);
/* After the results of revert: how many links are as they were. */
void render_revert_summary(const struct render *r, const struct apply_report *report);

/* What differs alone. */
void render_differences(const struct render *r, const struct view *view);

/* What was done, step by step, and read back. */
void render_results(const struct render *r, const struct feature_table *table,
	const struct apply_report *report);

/* What would be asked for. */
void render_revert_plan(const struct render *r, const struct feature_table *table,
	const struct apply_report *report);

/* Links that had no step and changed all the same: as the plan saw them, against before->links as
 * they are now. */
void render_side_effects(
	const struct render *r, const struct view *before, const struct apply_report *report);

/* What differs, what is due for review, a summary: a plan without steps, or what is left after
 * them. */
void render_state(const struct render *r, const struct view *view);

/* Tables: 0 or -ENOMEM. */
int render_list(const struct render *r, const struct view *view);
int render_tree(const struct render *r, const struct view *view);
int render_show(const struct render *r, const struct view *view, const struct link *link);

/* n_lines times n_columns cells, NULL for none; the last column is wrapped on a terminal. spare: the columns
 * to leave out where it is too narrow, the least important first, NULL at the end. */
int render_table(const struct render *r, const char *const *columns, size_t n_columns,
	const char *const *spare, const char *const *cells, size_t n_lines);

/* A block about the features `bits`, which have the same explanation (none: explanation->word, a feature that this kernel
 * does not have). dependents: other features that are off because they need these. */
void render_explanation(const struct render *r, const struct view *view, const struct link *link, feature_set bits,
	feature_set dependents, const struct explanation *explanation);
/* One line for a link of which there is nothing to explain. */
void render_no_explanation(const struct render *r, const struct view *view, const struct link *link);

#endif
