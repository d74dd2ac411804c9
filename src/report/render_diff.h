/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two snapshots side by side, for people. */
#ifndef OFFLOADD_RENDER_DIFF_H
#define OFFLOADD_RENDER_DIFF_H

#include "compare/diff.h"
#include "report/render.h"

/* What differs, what matters most first; one line when nothing does. a, b: what they are called,
 * clean text. */
void render_diff(const struct render *r, const struct diff *d, const char *a, const char *b);

#endif
