/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which link of one snapshot is which of the other. diff.c's own. */
#ifndef OFFLOADD_DIFF_MATCH_H
#define OFFLOADD_DIFF_MATCH_H

#include "compare/diff.h"

/* Where the links of a snapshot stand, by index; DIFF_NONE when on nothing. */
struct diff_stack {
	size_t *by_name; /* sorted */
	size_t *lower, *master;
	size_t *n_ports;
	size_t *port; /* the first one */
};

/* 0 or -ENOMEM, with nothing to clear then. */
int diff_stack_make(const struct snapshot *s, struct diff_stack *ret);
void diff_stack_clear(struct diff_stack *stack);

/* A link of the other side for each of n, all DIFF_NONE. NULL without memory. */
size_t *diff_new_partners(size_t n);

/* partner[0][i]: the link of B that is link i of A, partner[1] the other way; DIFF_NONE. Fill
 * d->ambiguous, too. 0 or -ENOMEM. */
int diff_match_names(struct diff *d, const struct diff_stack stack[2], size_t *partner[2]);
int diff_match_roles(struct diff *d, const struct diff_stack stack[2], size_t *partner[2]);

#endif
