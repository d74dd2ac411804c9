/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A snapshot as a link table, for plans and pictures of another host. Pure. */
#ifndef OFFLOADD_SNAPSHOT_MODEL_H
#define OFFLOADD_SNAPSHOT_MODEL_H

#include "compare/snapshot.h"

/* Adds the links of a snapshot to an empty table, and stacks it. They get the indexes from 1, in the order of
 * the snapshot; features use its table. Attributes that a snapshot does not have (addresses, default routes)
 * are empty. 0 or -ENOMEM; the caller clears the table in both cases. */
int snapshot_restore(const struct snapshot *snapshot, struct link_table *ret);

#endif
