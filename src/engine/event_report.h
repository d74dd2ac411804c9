/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Turns the result of a reconcile into events. A persistent problem is reported once, and again when it changes. Pure. */
#ifndef OFFLOADD_EVENT_REPORT_H
#define OFFLOADD_EVENT_REPORT_H

#include "engine/apply.h"
#include "model/finding.h"
#include "plan/plan.h"

/* Calls fn for each finding of a reconcile, at most once per link and code. If the repair of one link also repaired another,
 * the finding of the first includes both. report: the results of plan's steps. links: the table after apply. states: what was
 * reported of each link is stored there. Returns 0 or -ENOMEM. */
int event_report(struct link_states *states, const struct plan *plan, const struct apply_report *report,
	const struct link_table *links, finding_fn fn, void *userdata);

/* Reports that these features and limits, LINK_LIMIT(), are no longer contended. */
void event_report_resolved(struct link_states *states, const struct link *link, feature_set bits, unsigned limits,
	finding_fn fn, void *userdata);

#endif
