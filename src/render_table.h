/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables by libsmartcols; only for the files that render some. */
#ifndef OFFLOADD_RENDER_TABLE_H
#define OFFLOADD_RENDER_TABLE_H

#include <errno.h>
#include <libsmartcols.h>
#include <string.h>

#include "render.h"
#include "util.h"

static inline struct libscols_table *new_table(const struct render *r)
{
	struct libscols_table *t = scols_new_table();

	if (!t)
		return NULL;
	scols_table_enable_colors(t, r->colour);
	scols_table_enable_ascii(t, r->ascii);
	scols_table_set_termforce(t, r->width ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
	if (r->width)
		scols_table_set_termwidth(t, r->width);
	return t;
}

static inline void unref_table(struct libscols_table **t)
{
	scols_unref_table(*t);
}

/* Without the blanks at the end of lines that libsmartcols pads, and with the newline that it
 * leaves out after a tree. */
static inline int put_table(const struct render *r, struct libscols_table *t)
{
	_cleanup_free_ char *text = NULL;
	int e = scols_print_table_to_string(t, &text);

	if (e < 0 || !text)
		return e;
	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n"), shown = len;

		while (shown && line[shown - 1] == ' ')
			shown--;
		fwrite(line, 1, shown, r->out);
		fputc('\n', r->out);
		line += len + (line[len] == '\n');
	}
	return 0;
}

static inline void set_cell(struct libscols_line *line, size_t n, const char *text)
{
	char clean[FEATURE_MAX * (FEATURE_NAME_LEN + 2)];

	scols_line_set_data(line, n, view_clean(text && *text ? text : "-", clean, sizeof(clean)));
}

#endif
