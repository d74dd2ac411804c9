/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stack of a snapshot, and a snapshot as a link table, for plans and pictures of another host. Pure. */
#ifndef OFFLOADD_SNAPSHOT_MODEL_H
#define OFFLOADD_SNAPSHOT_MODEL_H

#include "compare/snapshot.h"

#define SNAPSHOT_NONE SIZE_MAX /* no link */

/* How the links of a snapshot are stacked, as indexes of links; SNAPSHOT_NONE for none. */
struct snapshot_stack {
	size_t *by_name;	/* all links, sorted by name */
	size_t *lower, *master; /* by link, as the following */
	size_t *n_ports;
	size_t *port; /* the first port */
};

/* *ret: the caller's to snapshot_stack_clear(). 0; -ENOMEM: ret is empty. */
int snapshot_stack_make(const struct snapshot *s, struct snapshot_stack *ret);
/* Frees the arrays, and zeroes the stack. */
void snapshot_stack_clear(struct snapshot_stack *stack);
/* The index of the first link with a name; SNAPSHOT_NONE, also for "". */
size_t snapshot_find_name(const struct snapshot *s, const struct snapshot_stack *stack, const char *name);

/* Adds the links of a snapshot to an empty table, and stacks it. They get the indexes from 1, in the order of
 * the snapshot; features use its table. Attributes that a snapshot does not have are empty. 0 or -ENOMEM; the caller clears the table in both cases. */
int snapshot_restore(const struct snapshot *snapshot, struct link_table *ret);

#endif
