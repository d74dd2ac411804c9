/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words, colours and lines that all text for people is made of; only for the files that render some. */
#ifndef OFFLOADD_RENDER_TEXT_H
#define OFFLOADD_RENDER_TEXT_H

#include "report/render.h"

#define RENDER_NAMES_LEN (FEATURE_MAX * (FEATURE_NAME_LEN + 2)) /* of a text that names all features */

/* In its colour, filled up with blanks to so many columns. */
void render_put_verdict(const struct render *r, enum verdict verdict, int pad);

/* A line in bold. */
void render_put_heading(const struct render *r, const char *heading);

/* A link's name, cleaned, in bold; its width. */
int render_put_name(const struct render *r, const char *name);

/* "  label      names", wrapped; nothing when there are none. */
void render_put_field(const struct render *r, const char *label, const char *names);

/* A link's name, of LINK_NAME_LEN bytes, as printable text in one of a few buffers that take turns. */
const char *render_clean_name(const char *name);

/* Appends both to a buffer of size bytes, text (which came from outside) cleaned; nothing when text is NULL. */
void render_append_clean(char *buf, size_t size, const char *before, const char *text);

/* What an item's rule wants: "on", "off", "lower (on)", ... */
const char *render_declared_words(const struct plan_item *item);

#endif
