/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Carries out a plan and verifies it: one SET a step, the reply and a read-back compared with what was
 * asked. The only writer of features. */
#ifndef OFFLOADD_APPLY_H
#define OFFLOADD_APPLY_H

#include "engine/ledger.h"
#include "kernel/observe.h"
#include "plan/plan.h"

/* What came of one step. */
struct apply_result {
	int ifindex;
	char name[LINK_NAME_LEN];
	feature_set asked, value;
	struct link_features before, after; /* as read; after is as before where it could not be read */
	feature_set changed;	      /* active bits that differ between before and after */
	feature_set missed;	      /* asked for and not so in the read-back; all of asked when there is an error */
	/* the kernel's refusal; -ENODEV when the link went, was renamed or replaced; -EUCLEAN when the step was carried out but its
	 * read-back failed */
	int error;
	char text[ETHTOOL_TEXT_LEN];  /* the kernel's words, or ours where it has none; "" without an error */
};

struct apply_report {
	struct apply_result *results;
	size_t n_results;
};

/* Carries out plan->steps in order. Before each, the link must still have the index, name and kind that the
 * plan saw, otherwise that step is an error and the others go on (the kernel checks name and index once more
 * with the SET itself). Original values are remembered in the ledger (may be NULL) first; writing it is the
 * caller's, unless it says save_first. Reads back each link of a step, then every other link that the plan
 * predicted to change, into o->links. A refusal is not tried again: it is data. 0 (refusals are results),
 * negative errno where nothing could be done. */
int apply_plan(struct observe *o, const struct plan *plan, struct ledger *ledger,
	struct apply_report *ret);
void apply_report_clear(struct apply_report *report);

/* From about 7.2 on a VLAN follows the link below it in a work item of its own (netdev_work_sched() in the kernel's
 * vlan_device_event()), so that it may still be as it was when the SET below it has returned: up to 12 ms later were seen. Has
 * a link that had no step of its own still to change as the plan expects? */
bool apply_is_late(struct observe *o, const struct plan *plan, const struct apply_report *report);
/* Reads those that are late again. */
void apply_read_late(struct observe *o, const struct plan *plan, const struct apply_report *report);
#define APPLY_LATE_USEC (UINT64_C(100) * 1000) /* after that it will not follow */
/* Waits for them, at most so long. */
void apply_wait_late(struct observe *o, const struct plan *plan, const struct apply_report *report);

/* A refusal that may pass (EBUSY and the like) is tried again after this, then after twice as long, and so on: slow enough not to be
 * taken for the rounds of contention. */
#define APPLY_RETRY_USEC (UINT64_C(2) * 1000 * 1000)
#define APPLY_RETRY_MAX 6

/* Keeps what the steps missed, so that it is not asked for again; and when to try again what may pass. 0 or -ENOMEM. */
int apply_learn(const struct plan *plan, const struct apply_report *report, uint64_t now_usec, struct link_states *states);
/* Sets retry_usec for the next try, unless there were enough. */
void apply_retry_later(struct link_refusals *refusals, uint64_t now_usec);

/* The result for a link, NULL when it had no step. A link may have several (LRO goes first, and a step may be
 * undone by a later one): the first whose `asked` holds one of bits. */
const struct apply_result *apply_find(
	const struct apply_report *report, int ifindex, feature_set bits);

/* Puts links back to their original wanted bits (only: names, NULL-terminated; NULL for all in the ledger),
 * lowest first, and takes what was put back out of the ledger; `missed` is here about wanted, since active
 * may never have followed. Entries whose link is gone are dropped. Writes the ledger; when only that fails,
 * its negative errno comes with a report that holds. */
int apply_revert(struct observe *o, struct ledger *ledger, const char *const *only,
	struct apply_report *ret);

#endif
