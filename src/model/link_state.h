/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of each link besides what the kernel says (model/link.h): whether it is to be looked at, what was tried in vain, who
 * keeps reverting it, whether it is paused, and how it matches the rules. A plan reads it, engine/ keeps it. */
#ifndef OFFLOADD_LINK_STATE_H
#define OFFLOADD_LINK_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "basic/hash.h"
#include "model/feature.h"
#include "model/verdict.h"

enum link_mark {
	LINK_MARK_NONE,
	LINK_MARK_DEFERRED, /* it changes all the time: to be looked at now and then */
	LINK_MARK_DIRTY,    /* to be looked at by the next run */
};

/* Repairs that others revert; kept by engine/contention.h. */
struct link_contention {
	feature_set contended;	 /* not repaired until quiet_usec */
	feature_set due;	 /* for the time of one plan: one more repair makes them contended */
	unsigned factor;	 /* of the quiet time; 0 until something was contended */
	uint64_t window_usec;	 /* start of the window in which rounds are counted, 0 for none */
	uint64_t quiet_usec;	 /* when the contended features may be tried again */
	uint64_t ended_usec;	 /* when they last were, 0 for never */
	uint8_t rounds[FEATURE_MAX]; /* repairs in the window */
	feature_set seen_active, seen_wanted; /* of a contended link, when last looked at */
	feature_set touched;	 /* changed by others since the last tick */
};

/* What was tried in vain, by value: not asked for again until the link, what it stands on, or the rules change, or retry_usec. */
struct link_refusals {
	feature_set refused[2];	/* the kernel refused, in these words */
	feature_set ineffective[2];	/* accepted without effect, though predicted otherwise */
	feature_set retryable;	/* of ineffective: taken by the kernel, and the driver did not follow; it may have been busy */
	uint64_t retry_usec;	/* 0: only a change helps */
	unsigned tries;
	char *words; /* NULL for none */
};

/* How a link matches the rules. */
struct link_result {
	bool declared; /* rules name features of it; otherwise all else is 0 */
	bool unread;   /* its features could not be read */
	bool pending;  /* the next run will change it */
	bool foreign;  /* declared on: a feature that this kernel does not have */
	feature_set features[VERDICT_COUNT]; /* those that this kernel has, each under its verdict */
};

#define LINK_PROBLEMS 5	     /* kinds of standing problems: engine/event_report.c */
#define LINK_PROBLEM_CAUSES 6 /* first steps of cause chains */

/* What identifies a standing problem: it is reported again when any of this changes. */
struct link_problem {
	feature_set features; /* empty: there is no such problem */
	int error;
	struct link_problem_cause {
		uint8_t code, bit; /* enum cause, and the other feature */
		int ifindex;       /* the other link */
	} causes[LINK_PROBLEM_CAUSES];
	char *words; /* another program's, NULL for none */
};

struct link_reported {
	struct link_problem problems[LINK_PROBLEMS];
};

/* Times are CLOCK_MONOTONIC, 0 for never. */
struct link_state {
	int ifindex;

	enum link_mark mark; /* by link_states_mark() */
	bool changed; /* marked since something else changed: what was refused may be possible now */
	uint8_t collected; /* engine/reconcile.c, for the time of one run */
	LIST_ENTRY(link_state) marked;

	bool paused;
	uint64_t pause_until_usec; /* 0: until resumed */

	struct link_refusals *refusals;	    /* NULL: none */
	struct link_contention *contention; /* NULL: nothing was repaired yet */
	struct link_reported *reported;	    /* NULL: it has no standing problem */
	struct link_result result;	    /* as of the last run */
	UT_hash_handle hh;
};

/* What of the link is not to be asked for now, for this value; state may be NULL. */
static inline feature_set link_state_in_vain(const struct link_state *state, bool value)
{
	return state && state->refusals ? state->refusals->refused[value] | state->refusals->ineffective[value] : 0;
}

static inline feature_set link_state_contended(const struct link_state *state)
{
	return state && state->contention ? state->contention->contended : 0;
}

/* Of one network namespace. */
struct link_states {
	struct link_state *list; /* uthash by ifindex */
	LIST_HEAD(, link_state) marked;
	size_t n_dirty, n_deferred; /* in `marked` */
	size_t n_contended; /* links with contended features; kept by engine/reconcile.c */
	size_t n_reported;  /* links with a standing problem that was reported */
	bool lost; /* a mark was lost for lack of memory: every link is dirty */
};

#define link_states_foreach(states, state)                                                         \
	for (struct link_state *state = (states)->list; state; state = state->hh.next)

void link_states_clear(struct link_states *states);

/* NULL when nothing is known of the link, or states is NULL. */
struct link_state *link_states_find(const struct link_states *states, int ifindex);
/* Adds it where it is missing. NULL without memory. */
struct link_state *link_states_get(struct link_states *states, int ifindex);
void link_states_remove(struct link_states *states, int ifindex);

/* A dirty link stays dirty. changed: see struct link_state. Without memory the mark becomes states->lost. */
void link_states_mark(struct link_states *states, int ifindex, enum link_mark mark, bool changed);
void link_state_unmark(struct link_states *states, struct link_state *state);

/* Adds them where they are missing. NULL without memory. */
struct link_refusals *link_state_refusals(struct link_state *state);
struct link_contention *link_state_contention(struct link_state *state);
/* What was refused or ineffective may be tried again. */
void link_state_forget_refusals(struct link_state *state);

/* The same for what was reported, which states->n_reported counts. */
struct link_reported *link_states_reported(struct link_states *states, struct link_state *state);
void link_states_forget_reported(struct link_states *states, struct link_state *state);

/* All of them by ifindex; the array is the caller's to free. 0 or -ENOMEM. */
int link_states_sorted(const struct link_states *states, const struct link_state ***ret, size_t *ret_n);

/* The worst of its verdicts. */
enum verdict link_result_verdict(const struct link_result *result);

struct link_summary {
	size_t links[VERDICT_COUNT];    /* that rules name, by their worst verdict */
	size_t features[VERDICT_COUNT]; /* that this kernel has */
	size_t pending, unread;	        /* links */
};
void link_states_summarize(const struct link_states *states, struct link_summary *ret);

#endif
