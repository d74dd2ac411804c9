/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Detects contention: a feature that offloadd repairs and another program keeps reverting, fast or slowly, or that is lost again
 * after its SET made the link lose its carrier. Pure; every now_usec is CLOCK_MONOTONIC.
 *
 * Repairs are counted per link and feature. The contended features of a link share one quiet time, because usually one program
 * reverts all of them. After it each gets one repair, on trial: if that lasts for the same time, the feature is resolved; if not, it
 * is contended again, for twice as long. */
#ifndef OFFLOADD_CONTENTION_H
#define OFFLOADD_CONTENTION_H

#include "model/link_state.h"

#define CONTENTION_ROUNDS 4				     /* repairs within the window; the next one would be contention */
#define CONTENTION_WINDOW_USEC (UINT64_C(10) * 1000 * 1000)
/* The trial begins when a feature was not reverted for this long. The longest wait is CONTENTION_MAX_FACTOR times this, so a link
 * matches the rules within a minute after the other program stopped. */
#define CONTENTION_QUIET_USEC (UINT64_C(12) * 1000 * 1000)
#define CONTENTION_MAX_FACTOR 4
/* The same for slow contention. Its quiet time is twice the mean interval between its repairs. */
#define CONTENTION_SLOW_ROUNDS 10
#define CONTENTION_SLOW_WINDOW_USEC (UINT64_C(3600) * 1000 * 1000)
#define CONTENTION_SLOW_SETS 60 /* SETs on one link within the slow window, of any features */
#define CONTENTION_REPAIRS_MAX 256 /* that are remembered */
/* A carrier that is lost this soon after a SET was probably lost by it: the driver reset the device. If two SETs of a
 * feature did that within CONTENTION_FLAP_MEMORY_USEC, it is not set a third time: that is slow contention. */
#define CONTENTION_FLAP_USEC (UINT64_C(5) * 1000 * 1000)
#define CONTENTION_FLAP_MEMORY_USEC (UINT64_C(24) * 3600 * 1000 * 1000)

struct contention_limits {
	unsigned rounds; /* at least 2 */
	uint64_t window_usec, quiet_usec;
	unsigned slow_rounds, slow_sets; /* at least 2 */
	uint64_t slow_window_usec;
};
#define CONTENTION_LIMITS                                                                          \
	(struct contention_limits) { CONTENTION_ROUNDS, CONTENTION_WINDOW_USEC, CONTENTION_QUIET_USEC, CONTENTION_SLOW_ROUNDS, \
		CONTENTION_SLOW_SETS, CONTENTION_SLOW_WINDOW_USEC }

/* The features that must not be repaired now: with one more repair they are contended. */
feature_set contention_due(
	const struct contention_limits *limits, const struct link_contention *c, uint64_t now_usec);

/* Counts one SET of these features. 0; -ENOMEM: it is not counted. */
int contention_repair(const struct contention_limits *limits, struct link_contention *c, feature_set bits,
	uint64_t now_usec);

/* These features were due, and would have been repaired: they are contended from now on. */
void contention_begin(
	const struct contention_limits *limits, struct link_contention *c, feature_set bits, uint64_t now_usec);

/* Another program changed these features: if one of them is contended, the quiet time of the link starts again. */
void contention_disturbed(
	const struct contention_limits *limits, struct link_contention *c, feature_set bits, uint64_t now_usec);

/* The link lost its carrier. */
void contention_flapped(struct link_contention *c, uint64_t now_usec);

/* True if the quiet time of the link is over: contended features are on trial now, and *ret_resolved are those whose trial was
 * successful. Features in link_contention.unheld, which the caller sets, stay on trial. */
bool contention_expire(
	const struct contention_limits *limits, struct link_contention *c, uint64_t now_usec, feature_set *ret_resolved);

#endif
