/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A set of links by index. */
#ifndef OFFLOADD_MARK_H
#define OFFLOADD_MARK_H

#include <stdbool.h>

#include <uthash.h>

#include "basic/util.h"

struct mark {
	int ifindex;
	bool changed; /* by somebody else, so that what was refused may be had now */
	UT_hash_handle hh;
};

/* NULL when it is not in the set. An empty set is NULL. */
struct mark *mark_find(struct mark *set, int ifindex);
/* 1 when added, or changed for the first time; 0 when there; -ENOMEM. */
int mark_add(struct mark **set, int ifindex, bool changed);
void mark_remove(struct mark **set, int ifindex);
void mark_clear(struct mark **set);
#define _cleanup_marks_ _cleanup_(mark_clear)

#endif
