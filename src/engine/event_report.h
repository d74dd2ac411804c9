/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which events a reconcile is worth: what it did and found, said once until it changes. Pure. */
#ifndef OFFLOADD_EVENT_REPORT_H
#define OFFLOADD_EVENT_REPORT_H

#include "engine/apply.h"
#include "model/event.h"
#include "plan/plan.h"

/* Tells what a reconcile did and found: fn for each record, at most one for each link and kind. What comes
 * right by the repair of a link below or above is told in that link's record. links: the model after apply.
 * states: what was reported of each link is kept there. 0 or -ENOMEM. */
int event_report(struct link_states *states, const struct feature_table *table, const struct plan *plan,
	const struct apply_report *report, const struct link_table *links, event_fn fn, void *userdata);

/* A fight ended: these features are repaired again from now on. */
void event_report_calm(struct link_states *states, const struct feature_table *table,
	const struct link *link, feature_set bits, event_fn fn, void *userdata);

#endif
