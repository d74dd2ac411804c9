/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known about each link besides what the kernel reports (model/link.h): whether it must be read, what
 * was refused, contention, the pause, and how it matches the rules. Plans read it, engine/ updates it. */
#ifndef OFFLOADD_LINK_STATE_H
#define OFFLOADD_LINK_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "basic/hash.h"
#include "model/feature.h"
#include "model/link.h"
#include "model/verdict.h"

enum link_mark {
	LINK_MARK_NONE,
	LINK_MARK_DEFERRED, /* it changes often: reconcile it less often */
	LINK_MARK_DIRTY,    /* reconcile it next time */
};

struct link_repair {
	uint64_t usec;
	feature_set bits; /* of one SET */
	bool flapped;	  /* the link lost its carrier after it */
};

/* Repairs that other programs revert. Updated by engine/contention.h. */
struct link_contention {
	feature_set contended;	 /* not repaired before quiet_usec */
	feature_set trial;	 /* repaired once after that, and observed until quiet_usec */
	feature_set tried;	 /* subset of trial: that SET was sent */
	feature_set unheld;	 /* subset of trial: they do not match the rules; set by engine/reconcile.c */
	feature_set due;	 /* during one plan: features that one more repair makes contended */
	unsigned factor;	 /* of the backoff */
	bool slow;		 /* with the longer backoff */
	bool carrier_lost;	 /* since the last tick */
	unsigned carrier_losses; /* link.carrier_losses when last seen */
	uint64_t quiet_usec;	 /* end of the backoff, or of the trial */
	struct link_repair *repairs; /* the latest repairs, in ascending order of time; owned */
	size_t n_repairs;
	feature_set flapped[2];	 /* a SET of them made the link lose its carrier: once, twice */
	uint64_t flapped_usec;	 /* the last time */
	feature_set seen_active, seen_wanted; /* of a contended link, when last read */
	feature_set touched;	 /* changed by other programs since the last tick */
};

/* Requests that failed, by requested value (0: off, 1: on). They are not repeated until the link, a link
 * below it, or the rules change, or until retry_usec. */
struct link_refusals {
	feature_set refused[2];	/* refused by the kernel; `words` is its message */
	feature_set ineffective[2];	/* accepted without effect, against the prediction */
	feature_set retryable;	/* subset of ineffective: requested and not active; the driver may have been busy */
	uint64_t retry_usec;	/* 0: no retry without a change */
	unsigned tries;
	char *words; /* owned, NULL for none */
};

/* The same for size limits, where bit n stands for enum link_limit n. */
struct link_limit_state {
	struct link_contention contention;
	struct link_refusals refusals; /* [true] only */
	struct link_limits seen;       /* of a contended link, when last read */
};

/* How a link matches the rules. */
struct link_result {
	bool declared; /* a rule applies; otherwise the rest is 0 */
	bool unread;   /* its features could not be read */
	bool pending;  /* the next reconcile will change it */
	unsigned foreign; /* features that are declared on, and that this kernel does not have: unsupported */
	feature_set features[VERDICT_COUNT]; /* declared features of this kernel, by verdict */
	unsigned limits[VERDICT_COUNT];	     /* declared limits, by verdict: LINK_LIMIT() */
};

#define LINK_PROBLEMS 12     /* kinds of persistent problems of features and limits, see engine/event_report.c */
#define LINK_PROBLEM_CAUSES 6 /* first steps of cause chains */

/* The identity of a persistent problem, which is reported again if any of this changes. */
struct link_problem {
	feature_set features; /* or feature_known_set(), or LINK_LIMIT(); empty: no problem of this kind */
	int error;
	struct link_problem_cause {
		uint8_t code, bit; /* enum cause, and the other feature */
		int ifindex;       /* the other link */
	} causes[LINK_PROBLEM_CAUSES];
	char *words; /* message of the kernel or another program; owned, NULL for none */
};

struct link_reported {
	struct link_problem problems[LINK_PROBLEMS];
};

/* Times are CLOCK_MONOTONIC, 0 for never. */
struct link_state {
	int ifindex;

	enum link_mark mark; /* by link_states_mark() */
	bool changed; /* marked because something changed, so that refused requests may succeed now */
	uint8_t collected; /* engine/reconcile.c, during one run */
	/* A VLAN whose lower link was changed by another program may follow it a little later (engine/apply.h). Until follow_usec
	 * nothing is reported that may resolve itself, and the kernel is not asked to compute its features. */
	bool lower_changed; /* since the last run */
	bool following;	    /* during one run: follow_usec is not over */
	bool held;	    /* something was left for later because of it */
	uint64_t follow_usec;
	LIST_ENTRY(link_state) marked;

	bool paused;
	uint64_t pause_until_usec; /* 0: until resumed */

	struct link_refusals *refusals;	    /* NULL: none */
	struct link_contention *contention; /* NULL: no repairs yet */
	struct link_limit_state *limits;    /* NULL: none was repaired or refused */
	struct link_reported *reported;	    /* NULL: no persistent problem */
	struct link_result result;	    /* of the last reconcile */
	uint64_t drift_usec;  /* since when link_result_is_drift(); 0: it is not */
	int64_t drift_since;  /* the same, CLOCK_REALTIME in seconds */
	bool drift_repaired;  /* during one run: a feature that was checked before was set */
	UT_hash_handle hh;
};

/* Features that are not requested with this value now, because that failed before. state may be NULL. */
static inline feature_set link_state_in_vain(const struct link_state *state, bool value)
{
	return state && state->refusals ? state->refusals->refused[value] | state->refusals->ineffective[value] : 0;
}

/* state may be NULL. */
static inline feature_set link_state_contended(const struct link_state *state)
{
	return state && state->contention ? state->contention->contended : 0;
}

/* The same, and those on trial: what is not resolved yet. */
static inline feature_set link_state_unresolved(const struct link_state *state)
{
	return state && state->contention ? state->contention->contended | state->contention->trial : 0;
}

/* LINK_LIMIT() of the limits that are contended, and those that were refused or had no effect. state may be NULL. */
static inline unsigned link_state_limits_contended(const struct link_state *state)
{
	return state && state->limits ? (unsigned)state->limits->contention.contended : 0;
}

static inline unsigned link_state_limits_unresolved(const struct link_state *state)
{
	return state && state->limits ? (unsigned)(state->limits->contention.contended | state->limits->contention.trial) : 0;
}

static inline unsigned link_state_limits_in_vain(const struct link_state *state)
{
	return state && state->limits
		? (unsigned)(state->limits->refusals.refused[true] | state->limits->refusals.ineffective[true]) : 0;
}

/* The states of one network namespace. Starts zeroed. */
struct link_states {
	struct link_state *list; /* uthash by ifindex */
	LIST_HEAD(, link_state) marked;
	size_t n_dirty, n_deferred; /* in `marked` */
	size_t n_contended; /* links with unresolved contention; updated by engine/reconcile.c */
	size_t n_reported;  /* links with a persistent problem that was reported */
	bool lost; /* a mark was lost because memory ran out: treat every link as dirty */
};

#define link_states_foreach(states, state)                                                         \
	for (struct link_state *state = (states)->list; state; state = state->hh.next)

/* Frees all states. */
void link_states_clear(struct link_states *states);

/* The state of a link, owned by states. NULL if it has none, or states is NULL. */
struct link_state *link_states_find(const struct link_states *states, int ifindex);
/* The same, but adds a missing state. NULL: no memory. */
struct link_state *link_states_get(struct link_states *states, int ifindex);
/* Frees the state of a link, if it has one. */
void link_states_remove(struct link_states *states, int ifindex);

/* Raises the mark of a link; a lower mark is ignored. changed: see struct link_state. Without memory it sets
 * states->lost. */
void link_states_mark(struct link_states *states, int ifindex, enum link_mark mark, bool changed);
void link_state_unmark(struct link_states *states, struct link_state *state);

/* The refusals and the contention of a link, owned by the state; added if missing. NULL: no memory. */
struct link_refusals *link_state_refusals(struct link_state *state);
struct link_contention *link_state_contention(struct link_state *state);
/* The same for its limits. */
struct link_limit_state *link_state_limits(struct link_state *state);
/* Allows all failed requests again. */
void link_state_forget_refusals(struct link_state *state);

/* The same for reported problems, which states->n_reported counts. */
struct link_reported *link_states_reported(struct link_states *states, struct link_state *state);
void link_states_forget_reported(struct link_states *states, struct link_state *state);

/* All states, sorted by ifindex. The array is the caller's to free. 0 or -ENOMEM. */
int link_states_sorted(const struct link_states *states, const struct link_state ***ret, size_t *ret_n);

/* The worst verdict of a link. */
enum verdict link_result_verdict(const struct link_result *result);

/* Has it a feature or limit that could match: drifted, refused, contended or paused? */
bool link_result_is_drift(const struct link_result *result);

/* Adds the features and limits of a link by verdict. */
void link_result_count(const struct link_result *result, size_t counts[VERDICT_COUNT]);

struct link_summary {
	size_t declared;		/* links that a rule applies to */
	size_t links[VERDICT_COUNT];    /* those with a feature or limit of this verdict; compliant: with no other verdict */
	size_t features[VERDICT_COUNT]; /* declared features and limits */
	size_t pending, unread;	        /* links */
};
/* Counts the results of all links. */
void link_states_summarize(const struct link_states *states, struct link_summary *ret);

#endif
