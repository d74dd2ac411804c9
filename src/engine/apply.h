/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Executes a plan: for each step one SET request, then a read-back that is compared with the request. Only this module changes
 * features and, in apply_limits.c, size limits. */
#ifndef OFFLOADD_APPLY_H
#define OFFLOADD_APPLY_H

#include "engine/ledger.h"
#include "kernel/observe.h"
#include "plan/plan.h"

/* The result of one step, which is about either features or limits. */
struct apply_result {
	int ifindex;
	char name[LINK_NAME_LEN];
	feature_set asked, value;     /* the features that the SET changes, and those of them that it turns on */
	struct link_features before, after; /* as read; after equals before if the read-back failed */
	feature_set changed;	      /* active bits that differ between before and after */
	feature_set missed;	      /* asked features that do not have the requested value after it; all of asked after an error */
	struct link_limits limits;    /* those that the SET changes, with their new values; has is 0 in a step about features */
	struct link_limits limits_before, limits_after;
	unsigned limits_missed;	      /* as missed: LINK_LIMIT() */
	/* Negative errno from the kernel. -ENODEV: the link is gone, renamed or replaced. -EUCLEAN: the SET succeeded, but the
	 * read-back failed. */
	int error;
	char text[ETHTOOL_TEXT_LEN];  /* the error message of the kernel, or ours if it sent none; "" without an error */
};

struct apply_report {
	struct apply_result *results;
	size_t n_results;
};

/* Executes plan->steps in order.
 *
 * Before each step the link must still have the index, name and kind that it has in the plan; otherwise this step fails with
 * -ENODEV and the next one follows. (The kernel checks index and name again when it handles the SET.) The original values are
 * added to the ledger (NULL: none) before the first SET; the caller saves it, unless ledger->save_first is set. Afterwards the
 * links of all steps, and every other link whose features the plan predicts to change, are read again into o->links. A step is
 * not retried.
 *
 * Returns 0 even if steps failed: see their results. Negative errno if no further step was possible (-ENOMEM, an error of the
 * socket, or of saving the ledger); then *ret has the steps before. apply_report_clear() it. */
int apply_plan(struct observe *o, const struct plan *plan, struct ledger *ledger,
	struct apply_report *ret);
void apply_report_clear(struct apply_report *report);

/* From about 7.2 on a VLAN follows the link below it in a work item of its own (netdev_work_sched() in the kernel's
 * vlan_device_event()), so it may still be unchanged when the SET on the link below has returned; up to 12 ms were observed.
 * Is there a link without a step of its own that has not changed yet as the plan expects? */
bool apply_is_late(struct observe *o, const struct plan *plan, const struct apply_report *report);
/* Reads the late links again. */
void apply_read_late(struct observe *o, const struct plan *plan, const struct apply_report *report);
#define APPLY_LATE_USEC (UINT64_C(100) * 1000) /* after that it will not follow */
/* Waits for the late links, at most APPLY_LATE_USEC. */
void apply_wait_late(struct observe *o, const struct plan *plan, const struct apply_report *report);

/* A step that failed with a temporary error (such as -EBUSY) is retried after APPLY_RETRY_USEC, then after twice as long each
 * time, at most APPLY_RETRY_MAX times. This is too slow to count as contention (engine/contention.h). */
#define APPLY_RETRY_USEC (UINT64_C(2) * 1000 * 1000)
#define APPLY_RETRY_MAX 6

/* Stores in states which features the steps of plan missed, so that the next plan does not request them again, and when to retry
 * those that failed temporarily. now_usec: CLOCK_MONOTONIC. Returns 0 or -ENOMEM. */
int apply_learn(const struct plan *plan, const struct apply_report *report, uint64_t now_usec, struct link_states *states);
/* Sets refusals->retry_usec for the next try; after APPLY_RETRY_MAX tries it does nothing. */
void apply_retry_later(struct link_refusals *refusals, uint64_t now_usec);

/* The first result of this link whose `asked` contains one of bits, NULL if there is none. A link may have several: LRO is a
 * step of its own, and a later step may have to repeat what another one undid. Owned by report. */
const struct apply_result *apply_find(
	const struct apply_report *report, int ifindex, feature_set bits);

/* The first result of this link that is about one of these limits, LINK_LIMIT(). */
const struct apply_result *apply_find_limits(const struct apply_report *report, int ifindex, unsigned limits);

static inline bool apply_result_missed(const struct apply_result *result)
{
	return result->missed || result->limits_missed;
}

/* Gives features of one link the opposite of what a repair gave them: `on` were turned on, `off` turned off. 1 if it was set and has them now;
 * 0 if the link is gone, or did not accept it; negative errno. */
int apply_undo(struct observe *o, int ifindex, feature_set on, feature_set off);

/* Restores the original wanted bits and limits of links, lowest links first, and removes them from the ledger. only: link names,
 * NULL-terminated; NULL: every link in the ledger. In these results `missed` compares wanted bits, because active bits may
 * never have followed. Entries of links that are gone are dropped. Saves the ledger.
 *
 * Returns 0 or a negative errno. If only saving the ledger failed, *ret still has the results. apply_report_clear() it. */
int apply_revert(struct observe *o, struct ledger *ledger, const char *const *only,
	struct apply_report *ret);

#endif
