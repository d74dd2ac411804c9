/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stages of a reconcile: a kernel event marks a link dirty -> collect -> plan -> contention -> apply -> verify -> keep. It
 * has no file descriptor, timer or clock: the caller passes the time in and calls reconcile_tick() at reconcile_deadline().
 * The result of a run is kept in reconcile_states(), so status and metrics do not need another plan. Every time in
 * microseconds is CLOCK_MONOTONIC. */
#ifndef OFFLOADD_RECONCILE_H
#define OFFLOADD_RECONCILE_H

#include "basic/histogram.h"
#include "engine/apply.h"
#include "engine/contention.h"
#include "model/finding.h"
#include "rules/rule.h"

/* A contended link, and what is stacked on it, is reconciled at most this often, because it changes all the time and is not
 * repaired. */
#define RECONCILE_DEFER_USEC (UINT64_C(1) * 1000 * 1000)

/* The kernel sends no event when a limit is changed. While limits are declared, links are read this often. */
#define RECONCILE_LIMITS_USEC (UINT64_C(10) * 1000 * 1000)

struct reconcile;

struct reconcile_options {
	bool enforce; /* false: audit mode, nothing is changed */
	struct ledger *ledger; /* owned by the caller; NULL: none, and no pauses */
	finding_fn fn; /* called for every event */
	void *userdata;
};

/* Registers itself as the change callback of o (o->changed). o, host and the ledger are borrowed until reconcile_free(). 0 or
 * -ENOMEM. */
int reconcile_new(struct observe *o, const struct rule_host *host,
	const struct reconcile_options *options, struct reconcile **ret);
void reconcile_free(struct reconcile *r);

/* Sets the mode, and marks every link dirty if it changed; and the limits of contention, for repairs from now on. */
void reconcile_configure(struct reconcile *r, bool enforce, const struct contention_limits *limits);

/* Replaces the rules, takes ownership of *rules (which is empty afterwards), forgets what was refused and reported under the
 * old rules, and marks every link dirty. */
void reconcile_take_rules(struct reconcile *r, struct rule_set *rules);
/* The same for rules that the caller keeps until reconcile_free(), and shares with others. */
void reconcile_borrow_rules(struct reconcile *r, const struct rule_set *rules);
/* Borrowed, until the next reconcile_take_rules(). */
const struct rule_set *reconcile_rules(const struct reconcile *r);

/* Marks every link dirty. */
void reconcile_mark_all(struct reconcile *r);

/* Pauses enforcement on a link; needs a ledger. until_usec: end of the pause, 0: until resumed. user: who requested it, for
 * the event. Returns 0, -ENODEV, -ENOMEM or -ENOSPC. */
int reconcile_pause(struct reconcile *r, int ifindex, uint64_t until_usec, uid_t user);
/* Resumes it. Returns 1, 0 if the link was not paused, -ENODEV or -ENOMEM. */
int reconcile_resume(struct reconcile *r, int ifindex, uid_t user);

/* Are there dirty links, and no failed run that waits for its retry? Then reconcile_run() is to be called. */
bool reconcile_is_pending(const struct reconcile *r);

/* Is no link dirty, and no run waiting for links that follow late? After a failed run links stay dirty until the retry succeeds. */
bool reconcile_is_settled(const struct reconcile *r);

/* Has the last run sent its SETs, and waits for links that follow late? Its result is known after the next reconcile_run(). */
bool reconcile_is_waiting(const struct reconcile *r);

/* Is no link dirty, but some are deferred because of contention? Then it is not urgent to read further kernel events. */
bool reconcile_is_deferring(const struct reconcile *r);

/* Makes and applies one plan for all dirty links and what is stacked with them. realtime_sec: CLOCK_REALTIME, for Until=.
 * Returns 1 if a SET was sent, by this call or by the run that it finishes, otherwise 0; negative errno, and then the links stay dirty and are retried after
 * APPLY_RETRY_USEC. */
int reconcile_run(struct reconcile *r, uint64_t now_usec, int64_t realtime_sec);

/* Waits for links that follow a SET late (apply_wait_late()); for callers without an event loop. */
void reconcile_wait_late(struct reconcile *r);

/* When to call reconcile_tick() next; 0: never. */
uint64_t reconcile_deadline(const struct reconcile *r);
/* Accounts for the changes that the observer has reported, ends contention, pauses and retry delays that are over, and marks
 * their links dirty. Call it after reading kernel events and at the deadline. */
void reconcile_tick(struct reconcile *r, uint64_t now_usec);

/* The state of each link, with its result as of the last run. Borrowed; any other call may change it. */
const struct link_states *reconcile_states(const struct reconcile *r);

/* What plan_exit_code() returns, for all links, as of the last run. */
int reconcile_exit_code(const struct reconcile *r);

/* Makes a new plan with full detail, without applying or keeping it. only, n_only: as in plan_make(). realtime_sec:
 * CLOCK_REALTIME. Returns 0 or -ENOMEM. plan_clear() *ret. */
int reconcile_plan(struct reconcile *r, const int *only, size_t n_only, int64_t realtime_sec,
	struct plan *ret);

/* For how long links drifted (link_result_is_drift()) until they matched their rules again, whoever repaired them. */
void reconcile_drift_init(struct histogram *ret); /* empty */
const struct histogram *reconcile_drift(const struct reconcile *r);
/* The links that the last run repaired at once drifted for usec. */
void reconcile_note_reaction(struct reconcile *r, uint64_t usec);

struct reconcile_counts {
	uint64_t runs, sets; /* reconciles; SET requests sent */
	uint64_t sets_drift; /* those for something that was checked before; the others are for new links and new rules */
	uint64_t plans, predictions;
	uint64_t uncertain_right, uncertain_wrong; /* features whose uncertain prediction was right, and was not */
	size_t problems;     /* links with a persistent problem that was reported */
	size_t contended;    /* links with a contended feature */
};
struct reconcile_counts reconcile_count(const struct reconcile *r);

#endif
