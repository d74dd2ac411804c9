/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which events a reconcile is worth: what it did and found, reported once until it changes. Pure. */
#ifndef OFFLOADD_EVENT_REPORT_H
#define OFFLOADD_EVENT_REPORT_H

#include "engine/apply.h"
#include "model/finding.h"
#include "plan/plan.h"

/* Reports what a reconcile did and found: fn for each finding, at most one for each link and code. What comes right by the
 * repair of a link below or above is part of that link's finding. links: the model after apply. states: what was reported of each
 * link is kept there. 0 or -ENOMEM. */
int event_report(struct link_states *states, const struct plan *plan, const struct apply_report *report,
	const struct link_table *links, finding_fn fn, void *userdata);

/* These features are no longer contended: they are repaired again from now on. */
void event_report_resolved(
	struct link_states *states, const struct link *link, feature_set bits, finding_fn fn, void *userdata);

#endif
