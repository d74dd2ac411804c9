/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decides which services with stale connections may be restarted, and when: only units listed in offloadd.conf, one at a time,
 * with a pause between them, each only once until it has no stale connections left, and protected units never. Pure; times are
 * CLOCK_MONOTONIC. */
#ifndef OFFLOADD_RESTART_H
#define OFFLOADD_RESTART_H

#include <stdbool.h>

#include "model/unit.h"

#define RESTART_TRIED_MAX 256

enum restart_verdict {
	RESTART_YES,
	RESTART_NOT_NAMED,  /* no pattern of the policy matches */
	RESTART_NOT_A_UNIT, /* not a service of the system manager, but of a user or container, or a session or scope */
	RESTART_PROTECTED,  /* a pattern does, but it is never restarted: more than connections would be lost */
};

struct restart_policy {
	const char *units;   /* patterns of fnmatch(3), separated by blanks; "" for none. Borrowed */
	uint64_t pause_usec; /* from the start of one restart to the next */
};

/* Whether the unit may be restarted at all. */
enum restart_verdict restart_judge(const struct restart_policy *policy, const struct unit *unit);

/* Finds the next name in a list of patterns, from *at on, that is protected: to list it has no effect. Copies it to buf, and moves *at
 * behind it. False: there is none. */
bool restart_next_protected(const char **at, char buf[UNIT_NAME_LEN]);

/* What was restarted, so that no service is restarted twice for the same connections. */
struct restart_queue {
	uint64_t next_usec; /* the earliest time for the next restart */
	char tried[RESTART_TRIED_MAX][UNIT_NAME_LEN];
	unsigned n_tried;
	bool busy; /* a restart is in progress */
};

/* Returns 1 if the unit is to be restarted now: it is marked as tried, and the queue is busy until restart_done(). Otherwise
 * 0, and *ret_usec is when to call this again, 0 for never. */
int restart_take(struct restart_queue *queue, const struct restart_policy *policy, const struct unit *unit,
	uint64_t now_usec, uint64_t *ret_usec);
/* The restart that restart_take() allowed has ended. */
void restart_done(struct restart_queue *queue);
bool restart_is_tried(const struct restart_queue *queue, const char *unit);
/* The unit has no stale connections any more; for new ones it may be restarted again. */
void restart_forget(struct restart_queue *queue, const char *unit);

#endif
