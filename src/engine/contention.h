/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notices contention: a feature that was repaired and that another program keeps reverting. Pure, time (CLOCK_MONOTONIC) passed in.
 *
 * Rounds are counted for each link and feature; the contended features of one link share one clock, since one program is behind
 * them. */
#ifndef OFFLOADD_CONTENTION_H
#define OFFLOADD_CONTENTION_H

#include "model/link_state.h"

#define CONTENTION_ROUNDS 4				     /* repairs within the window that make it contention */
#define CONTENTION_WINDOW_USEC (UINT64_C(10) * 1000 * 1000)
/* Not reverted for so long: try again. The longest wait is 4 times this, so that a link recovers within a minute after the other
 * program stopped. */
#define CONTENTION_QUIET_USEC (UINT64_C(12) * 1000 * 1000)
#define CONTENTION_MAX_FACTOR 4

struct contention_limits {
	unsigned rounds; /* from 2 on */
	uint64_t window_usec, quiet_usec;
};
#define CONTENTION_LIMITS                                                                          \
	(struct contention_limits) { CONTENTION_ROUNDS, CONTENTION_WINDOW_USEC, CONTENTION_QUIET_USEC }

/* The features that become contended when they are repaired once more now. */
feature_set contention_due(
	const struct contention_limits *limits, const struct link_contention *c, uint64_t now_usec);

/* These features were repaired, or would have been had they not been due. Returns those that became contended by it. */
feature_set contention_repair(const struct contention_limits *limits, struct link_contention *c, feature_set bits,
	uint64_t now_usec);

/* Others changed these features: a contended one has to wait again. */
void contention_disturbed(
	const struct contention_limits *limits, struct link_contention *c, feature_set bits, uint64_t now_usec);

/* Ends what was not reverted for long enough, and returns it: it may be tried again. A link that becomes contended again within the
 * window after that waits twice as long each time, up to CONTENTION_MAX_FACTOR times the quiet time. */
feature_set contention_expire(struct link_contention *c, uint64_t now_usec);

#endif
