/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order of the stages: an event marks a link dirty -> collect -> plan -> contention -> apply -> verify -> keep. It has no file
 * descriptor, no timer and no clock: offloadd/ passes time in and waits for what reconcile_deadline() says. What a run finds is kept
 * (reconcile_states()), so that nothing has to be planned again to report it. */
#ifndef OFFLOADD_RECONCILE_H
#define OFFLOADD_RECONCILE_H

#include "engine/apply.h"
#include "engine/contention.h"
#include "model/finding.h"
#include "rules/rule.h"

/* A contended link, and what stands on it, is looked at so often and no more: each look costs, and nothing is to be done. */
#define RECONCILE_DEFER_USEC (UINT64_C(1) * 1000 * 1000)

struct reconcile;

struct reconcile_options {
	bool enforce; /* otherwise nothing is ever written */
	struct ledger *ledger; /* may be NULL */
	finding_fn fn; /* gets every event */
	void *userdata;
};

/* Becomes the observer's `changed`. */
int reconcile_new(struct observe *o, const struct rule_host *host,
	const struct reconcile_options *options, struct reconcile **ret);
void reconcile_free(struct reconcile *r);

/* Another mode (every link is looked at again then), other limits of contention: contention that goes on keeps its quiet time. */
void reconcile_configure(struct reconcile *r, bool enforce, const struct contention_limits *limits);

/* Takes the rules over (*rules is empty after it), forgets what was refused and reported under the old ones, marks every link
 * dirty. */
void reconcile_take_rules(struct reconcile *r, struct rule_set *rules);
const struct rule_set *reconcile_rules(const struct reconcile *r);

/* Marks every link dirty. */
void reconcile_mark_all(struct reconcile *r);

/* No writes to a link until then (CLOCK_MONOTONIC; 0: until resumed); user: who asked, for the event. It needs a
 * ledger. 0, -ENODEV, -ENOMEM, -ENOSPC; resume: 1, or 0 when it was not paused. */
int reconcile_pause(struct reconcile *r, int ifindex, uint64_t until_usec, uid_t user);
int reconcile_resume(struct reconcile *r, int ifindex, uid_t user);

/* Is there anything that reconcile_run() would do now? */
bool reconcile_is_pending(const struct reconcile *r);

/* Has everything been looked at? Not so while a run that failed waits for its next try. */
bool reconcile_is_settled(const struct reconcile *r);

/* Is all that happened of late part of contention, to be looked at later? Then there is no hurry to read what else comes of it. */
bool reconcile_is_deferring(const struct reconcile *r);

/* Handles all dirty links and what is stacked with them, by one plan. 1 when something was set, 0, negative errno (then they stay
 * dirty, and are pending again after a while). realtime_sec is CLOCK_REALTIME, for Until=. */
int reconcile_run(struct reconcile *r, uint64_t now_usec, int64_t realtime_sec);

/* When to call reconcile_tick() next, 0 for never. */
uint64_t reconcile_deadline(const struct reconcile *r);
/* Takes note of what the observer reported since, and ends back-offs, pauses and waits whose time has come; what may be tried again
 * is dirty then. Call it after reading events and at the deadline. */
void reconcile_tick(struct reconcile *r, uint64_t now_usec);

/* What is known of each link, and how it matches the rules as of the last run. Valid until anything else is called. */
const struct link_states *reconcile_states(const struct reconcile *r);

/* plan_exit_code() as of the last run. */
int reconcile_exit_code(const struct reconcile *r);

/* A new plan in full detail for these links, by all that is known. For who asks for one; nothing is kept of it. */
int reconcile_plan(struct reconcile *r, const int *only, size_t n_only, int64_t realtime_sec,
	struct plan *ret);

struct reconcile_counts {
	uint64_t runs, sets; /* reconciles, SETs asked of the kernel */
	uint64_t plans, predictions;
	size_t problems;     /* links with a standing problem */
	size_t contended;    /* links with a contended feature */
};
struct reconcile_counts reconcile_count(const struct reconcile *r);

#endif
