/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text, colors and lines that every report for people is made of. Included only by the files that print one. */
#ifndef OFFLOADD_RENDER_TEXT_H
#define OFFLOADD_RENDER_TEXT_H

#include "report/render.h"

#define RENDER_NAMES_LEN (FEATURE_MAX * (FEATURE_NAME_LEN + 2)) /* enough for the names of all features */

/* Prints text in a color if colors are in use; colour: an SGR parameter of ECMA-48 such as "31". Returns strlen(text). */
int render_put_coloured(const struct render *r, const char *colour, const char *text);

/* A verdict in its color, padded with blanks to `pad` columns. */
void render_put_verdict(const struct render *r, enum verdict verdict, int pad);

/* How many features of a link have which verdict, each in its color: "6 drifted, 1 unsupported". */
void render_put_counts(const struct render *r, const struct plan_link *pl);

/* A line in bold. */
void render_put_heading(const struct render *r, const char *heading);

/* The name of a link in bold, with unprintable bytes replaced. Returns its width. */
int render_put_name(const struct render *r, const char *name);

/* "  label      text", wrapped; prints nothing if text is empty. */
void render_put_field(const struct render *r, const char *label, const char *text);

/* The name of a link (at most LINK_NAME_LEN bytes) with unprintable bytes replaced. The result is one of four static
 * buffers, valid until the fourth call after this one. */
const char *render_clean_name(const char *name);

/* Appends `before` and `text` to a string in a buffer of size bytes, with unprintable bytes of text replaced. Appends
 * nothing if text is NULL or empty. */
void render_append_clean(char *buf, size_t size, const char *before, const char *text);

#endif
