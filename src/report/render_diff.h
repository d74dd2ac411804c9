/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The difference of two snapshots, for people. */
#ifndef OFFLOADD_RENDER_DIFF_H
#define OFFLOADD_RENDER_DIFF_H

#include "compare/diff.h"
#include "report/render.h"

/* Prints the differences, the most important first, and what A and B are. a, b: their names, without control characters.
 * Errors: ferror(r->out). */
void render_diff(const struct render *r, const struct diff *d, const char *a, const char *b);

#endif
