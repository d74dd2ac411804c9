/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables by libsmartcols (its owner). Included only by the files that print one. Functions return 0 or -ENOMEM. */
#ifndef OFFLOADD_RENDER_TABLE_H
#define OFFLOADD_RENDER_TABLE_H

#include <errno.h>
#include <libsmartcols.h>
#include <string.h>

#include "report/render.h"
#include "basic/util.h"

static inline struct libscols_table *new_table(const struct render *r)
{
	struct libscols_table *t = scols_new_table();

	if (!t)
		return NULL;
	scols_table_enable_colors(t, r->colour);
	scols_table_enable_ascii(t, r->ascii);
	scols_table_enable_noheadings(t, r->no_legend);
	scols_table_set_termforce(t, r->width ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
	if (r->width)
		scols_table_set_termwidth(t, r->width);
	return t;
}

static inline void unref_table(struct libscols_table **t)
{
	scols_unref_table(*t);
}

/* For libsmartcols: the least width of a wrapped column is its longest word. */
static inline size_t longest_word(const struct libscols_column *column, const char *text, void *unused)
{
	size_t longest = 0, len;

	(void)column;
	(void)unused;
	for (; text && *text; text += len + (text[len] != '\0')) {
		len = strcspn(text, " ");
		longest = len > longest ? len : longest;
	}
	return longest;
}

/* For libsmartcols: ends the line after the last word that fits. Returns the rest, or NULL. */
static inline char *next_words(const struct libscols_column *column, char *text, void *unused)
{
	size_t width = scols_column_get_width(column), cut = 0;

	(void)unused;
	if (!text || strlen(text) <= width)
		return NULL;
	for (size_t i = 1; i <= width; i++)
		if (text[i] == ' ')
			cut = i;
	if (!cut)
		cut = strcspn(text, " ");
	if (!text[cut])
		return NULL;
	text[cut] = '\0';
	return text + cut + 1;
}

/* Adds columns of text. On a terminal the last one gets the remaining width and is wrapped between words. */
static inline int add_text_columns(const struct render *r, struct libscols_table *t, const char *const *names, size_t n,
	int first_flags)
{
	for (size_t i = 0; i < n; i++) {
		bool wraps = r->width && i + 1 == n;
		struct libscols_column *column =
			scols_table_new_column(t, names[i], 0, (i ? 0 : first_flags) | (wraps ? SCOLS_FL_WRAP : 0));

		if (!column || (wraps && scols_column_set_wrapfunc(column, longest_word, next_words, NULL) < 0))
			return -ENOMEM;
	}
	return 0;
}

static inline size_t table_width(struct libscols_table *t)
{
	size_t width = 0;

	for (size_t i = 0; i < scols_table_get_ncols(t); i++) {
		struct libscols_column *column = scols_table_get_column(t, i);

		if (!(scols_column_get_flags(column) & SCOLS_FL_HIDDEN))
			width += (width > 0) + scols_column_get_width(column);
	}
	return width;
}

/* False if there is no such column. */
static inline bool hide_column(struct libscols_table *t, const char *name)
{
	for (size_t i = 0; i < scols_table_get_ncols(t); i++) {
		struct libscols_column *column = scols_table_get_column(t, i);

		if (strcmp(scols_column_get_name(column), name) == 0)
			return scols_column_set_flags(
				       column, scols_column_get_flags(column) | SCOLS_FL_HIDDEN) == 0;
	}
	return false;
}

/* Prints a table without the blanks that libsmartcols appends to lines, and with the last newline, which it omits
 * after a tree. */
static inline void put_lines(const struct render *r, const char *text)
{
	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n"), shown = len;

		while (shown && line[shown - 1] == ' ')
			shown--;
		fwrite(line, 1, shown, r->out);
		fputc('\n', r->out);
		line += len + (line[len] == '\n');
	}
}

/* libsmartcols continues without what it could not allocate, but leaves ENOMEM in errno. */
static inline int print_to_text(struct libscols_table *t, char **ret)
{
	int e;

	errno = 0;
	e = scols_print_table_to_string(t, ret);
	return e < 0 ? e : *ret && errno != ENOMEM ? 0 : -ENOMEM;
}

/* Is a cell missing because memory ran out? */
static inline bool is_incomplete(struct libscols_table *t)
{
	for (size_t i = 0; i < scols_table_get_nlines(t); i++)
		if (scols_line_get_userdata(scols_table_get_line(t, i)))
			return true;
	return false;
}

static inline bool is_tree(struct libscols_table *t)
{
	return scols_column_get_flags(scols_table_get_column(t, 0)) & SCOLS_FL_TREE;
}

/* Even without the columns that may be hidden the table is too wide: a block of lines for each row, "COLUMN text", wrapped. */
static inline void put_records(const struct render *r, struct libscols_table *t)
{
	for (size_t i = 0; i < scols_table_get_nlines(t); i++) {
		struct libscols_line *line = scols_table_get_line(t, i);

		for (size_t j = 0; j < scols_table_get_ncols(t); j++) {
			const char *text = scols_cell_get_data(scols_line_get_cell(line, j));

			if (!text || strcmp(text, "-") == 0)
				continue;
			if (j > 0)
				fprintf(r->out, "  %-11s", scols_column_get_name(scols_table_get_column(t, j)));
			util_wrap(r->out, r->width, j > 0 ? 13 : 0, text);
		}
	}
}

/* The cells of columns from..to of a row: "10-vlan.rule: needs tx-scatter-gather, which is off". */
static inline void put_notes(const struct render *r, struct libscols_line *line, size_t from, size_t to)
{
	char note[1024] = "";

	for (size_t i = from; line && i < to; i++) {
		const char *text = scols_cell_get_data(scols_line_get_cell(line, i));

		if (text && strcmp(text, "-") != 0)
			util_append(note, sizeof(note), "%s%s", note[0] ? ": " : "", text);
	}
	if (note[0])
		util_wrap(r->out, r->width, (unsigned)fprintf(r->out, "    "), note);
}

/* spare: columns to hide if the terminal is too narrow, least important first, ends with NULL. Prints which were hidden. */
static inline int put_fitted_table(const struct render *r, struct libscols_table *t, const char *const *spare)
{
	char hidden[128] = "";

	if (is_incomplete(t))
		return -ENOMEM;
	for (;;) {
		_cleanup_free_ char *text = NULL;
		int e = print_to_text(t, &text);

		if (e < 0)
			return e;
		if (r->width && table_width(t) > r->width && spare && *spare && hide_column(t, *spare)) {
			util_append(hidden, sizeof(hidden), "%s%s", *hidden ? ", " : "", *spare++);
			continue;
		}
		if (r->width && table_width(t) > r->width && !is_tree(t)) {
			put_records(r, t);
			return 0;
		}
		put_lines(r, text);
		if (*hidden && !r->no_legend)
			fprintf(r->out, "Columns hidden (terminal too narrow): %s\n", hidden);
		return 0;
	}
}

/* The same, but on a narrow terminal the last `below` columns are printed under their row, and nothing of them is lost. */
static inline int put_noted_table(const struct render *r, struct libscols_table *t, const char *const *spare, size_t below)
{
	size_t n = scols_table_get_ncols(t), row = 0;
	_cleanup_free_ char *text = NULL;
	int e = is_incomplete(t) ? -ENOMEM : print_to_text(t, &text);

	if (e < 0)
		return e;
	if (!r->width || table_width(t) <= r->width) {
		put_lines(r, text);
		return 0;
	}
	for (size_t i = n - below; i < n; i++)
		hide_column(t, scols_column_get_name(scols_table_get_column(t, i)));
	do {
		free(text);
		text = NULL;
		e = print_to_text(t, &text);
		if (e < 0)
			return e;
	} while (table_width(t) > r->width && *spare && hide_column(t, *spare++));
	if (table_width(t) > r->width) {
		put_records(r, t);
		return 0;
	}
	for (char *line = text, *end; *line; line = end, row++) {
		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		put_lines(r, line);
		if (r->no_legend || row > 0)
			put_notes(r, scols_table_get_line(t, row - !r->no_legend), n - below, n);
	}
	return 0;
}

static inline int put_table(const struct render *r, struct libscols_table *t)
{
	return put_fitted_table(r, t, NULL);
}

/* Without memory, put_fitted_table() fails. */
static inline void set_cell(struct libscols_line *line, size_t n, const char *text)
{
	char clean[FEATURE_MAX * (FEATURE_NAME_LEN + 2)];

	if (scols_line_set_data(line, n, util_clean(text && *text ? text : "-", clean, sizeof(clean))) < 0)
		scols_line_set_userdata(line, line);
}

#endif
