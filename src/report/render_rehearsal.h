/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A rehearsal (compare/rehearsal.h) as text and as a document. */
#ifndef OFFLOADD_RENDER_REHEARSAL_H
#define OFFLOADD_RENDER_REHEARSAL_H

#include "compare/rehearsal.h"
#include "report/render.h"

/* The hosts chosen by rehearsal_sample(); n 0: none were asked for. */
struct rehearsal_choice {
	const size_t *hosts;
	size_t n, covered, shapes;
};

/* Prints how many hosts match the rules, would change, and cannot match, then the effects, most important first. The rehearsal is
 * sorted. 0 or -ENOMEM. */
int render_rehearsal(const struct render *r, const struct rehearsal *rehearsal, const struct rehearsal_choice *choice);
/* The document "rehearsal". 0; -ENOMEM; -EIO. */
int json_write_rehearsal(FILE *out, const struct rehearsal *rehearsal, const struct rehearsal_choice *choice);

#endif
