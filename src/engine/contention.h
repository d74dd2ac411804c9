/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Detects contention: a feature that offloadd repairs and another program keeps reverting. Pure; every now_usec is CLOCK_MONOTONIC.
 *
 * Repairs are counted per link and feature. The contended features of a link share one quiet time, because usually one program
 * reverts all of them. */
#ifndef OFFLOADD_CONTENTION_H
#define OFFLOADD_CONTENTION_H

#include "model/link_state.h"

#define CONTENTION_ROUNDS 4				     /* repairs within the window that count as contention */
#define CONTENTION_WINDOW_USEC (UINT64_C(10) * 1000 * 1000)
/* Repair again once a feature was not reverted for this long. The longest wait is CONTENTION_MAX_FACTOR times this, so a link
 * recovers within a minute after the other program stopped. */
#define CONTENTION_QUIET_USEC (UINT64_C(12) * 1000 * 1000)
#define CONTENTION_MAX_FACTOR 4

struct contention_limits {
	unsigned rounds; /* at least 2 */
	uint64_t window_usec, quiet_usec;
};
#define CONTENTION_LIMITS                                                                          \
	(struct contention_limits) { CONTENTION_ROUNDS, CONTENTION_WINDOW_USEC, CONTENTION_QUIET_USEC }

/* The features that become contended with one more repair now. */
feature_set contention_due(
	const struct contention_limits *limits, const struct link_contention *c, uint64_t now_usec);

/* Counts a repair of these features, or one that was skipped because they were due. Returns those that are contended from now
 * on. */
feature_set contention_repair(const struct contention_limits *limits, struct link_contention *c, feature_set bits,
	uint64_t now_usec);

/* Another program changed these features: if one of them is contended, the quiet time of the link starts again. */
void contention_disturbed(
	const struct contention_limits *limits, struct link_contention *c, feature_set bits, uint64_t now_usec);

/* Ends the contention of a link whose quiet time is over, and returns its features, which may be repaired again; 0 if it is
 * not over. A link that becomes contended again within the window after that waits twice as long, up to CONTENTION_MAX_FACTOR
 * times the quiet time. */
feature_set contention_expire(struct link_contention *c, uint64_t now_usec);

#endif
