/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which events a reconcile is worth: what it did and found, said once until it changes. Pure. */
#ifndef OFFLOADD_EVENT_REPORT_H
#define OFFLOADD_EVENT_REPORT_H

#include "engine/apply.h"
#include "model/event.h"
#include "plan/plan.h"

/* What has been said of each link's standing troubles, so that it is said once until it changes. */
struct event_memory;

/* 0 or -ENOMEM. */
int event_memory_new(struct event_memory **ret);
void event_memory_free(struct event_memory *m);
/* The link is gone. */
void event_memory_forget(struct event_memory *m, int ifindex);
/* The rules changed: what stands is said again. */
void event_memory_clear(struct event_memory *m);
/* Links that something stands against. */
size_t event_memory_count(const struct event_memory *m);

/* Tells what a reconcile did and found: fn for each record, at most one for each link and kind. What comes
 * right by the repair of a link below or above is told in that link's record. links: the model after apply.
 * 0 or -ENOMEM. */
int event_report(struct event_memory *m, const struct feature_table *table, const struct plan *plan,
	const struct apply_report *report, const struct link_table *links, event_fn fn, void *userdata);

/* A fight ended: these features are repaired again from now on. */
void event_report_calm(struct event_memory *m, const struct feature_table *table,
	const struct link *link, feature_set bits, event_fn fn, void *userdata);

#endif
