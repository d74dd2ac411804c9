/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Carries out a plan and verifies it: one SET a step, the reply and a read-back compared with what was asked. The only writer of
 * features. */
#ifndef OFFLOADD_APPLY_H
#define OFFLOADD_APPLY_H

#include "ledger.h"
#include "observe.h"
#include "plan.h"

/* What came of one step. */
struct apply_result {
	int ifindex;
	char name[LINK_NAME_LEN];
	feature_set asked, value;
	struct link_features before, after; /* as read; after is all zero when `error` says why it could not be */
	feature_set changed;	      /* active bits that differ between before and after */
	feature_set missed;	      /* asked for and not so in the read-back */
	int error;		      /* the kernel's refusal or -ENODEV when the link went, was renamed or replaced */
	char text[ETHTOOL_TEXT_LEN];  /* the kernel's words */
};

struct apply_report {
	struct apply_result *results;
	size_t n_results;
};

/* Carries out plan->steps in order. Before each, the link must still have the index, name and kind that the plan saw, otherwise that
 * step is an error and the others go on. Original values go to the ledger (may be NULL) first. Reads back each link and what stands on
 * it, into o->links. 0 (refusals are results), negative errno where nothing could be done. */
int apply_plan(struct observe *o, const struct plan *plan, struct ledger *ledger,
	struct apply_report *ret);
void apply_report_clear(struct apply_report *report);

/* Puts links back to their original values (only: names, NULL-terminated; NULL for all in the ledger). */
int apply_revert(struct observe *o, struct ledger *ledger, const char *const *only,
	struct apply_report *ret);

#endif
