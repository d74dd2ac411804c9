/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Matches the links of two snapshots. For diff.c only. */
#ifndef OFFLOADD_DIFF_MATCH_H
#define OFFLOADD_DIFF_MATCH_H

#include "compare/diff.h"

/* An array of n SNAPSHOT_NONE, the caller's to free. NULL: no memory. */
size_t *diff_new_partners(size_t n);

/* Match links by name or by role. partner[0][i] gets the link of B that is link i of A, partner[1] the
 * reverse; others stay SNAPSHOT_NONE. diff_match_roles() also fills d->ambiguous. 0 or -ENOMEM. */
int diff_match_names(struct diff *d, const struct snapshot_stack stack[2], size_t *partner[2]);
int diff_match_roles(struct diff *d, const struct snapshot_stack stack[2], size_t *partner[2]);

#endif
