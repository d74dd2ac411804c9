/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A snapshot as links, so that plans and pictures can be made of another host. Pure. */
#ifndef OFFLOADD_SNAPSHOT_MODEL_H
#define OFFLOADD_SNAPSHOT_MODEL_H

#include "compare/snapshot.h"

/* Links get indexes from 1 on, in the order of the snapshot; features are counted by its own table. What a
 * snapshot does not know (addresses, default routes) is empty. 0 or -ENOMEM; the table is the caller's to
 * clear. */
int snapshot_restore(const struct snapshot *snapshot, struct link_table *ret);

#endif
