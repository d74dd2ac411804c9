/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notices a fight: a feature that we repaired and that somebody keeps changing back. Pure, time passed in.
 *
 * Rounds are counted per link and feature; the contended features of one link share one clock, since one hand is behind them. Bounded:
 * a link that was not repaired for a window is forgotten when the next one is counted. */
#ifndef OFFLOADD_CONTENTION_H
#define OFFLOADD_CONTENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "model/feature.h"

#define CONTENTION_ROUNDS 4				     /* repairs within the window that make it a fight */
#define CONTENTION_WINDOW_USEC (UINT64_C(10) * 1000 * 1000)
/* Quiet for so long: try again. The longest wait is 4 times this, so that a link heals within a minute after
 * the fight ended. */
#define CONTENTION_QUIET_USEC (UINT64_C(12) * 1000 * 1000)
#define CONTENTION_MAX_FACTOR 4
#define CONTENTION_MAX_LINKS 16384

struct contention_limits { /* as the macros above; rounds from 2 on */
	unsigned rounds;
	uint64_t window_usec, quiet_usec;
};

struct contention;

/* Begins with the limits above. 0 or -ENOMEM. */
int contention_new(struct contention **ret);
void contention_free(struct contention *c);
void contention_free_pointer(struct contention **c);
/* From now on; a fight that goes on keeps the quiet time that it has. */
void contention_set_limits(struct contention *c, const struct contention_limits *limits);

/* We are about to repair these bits of a link. Returns the bits that are contended by now, which must not be
 * repaired. *ret_new: those that became so with this call (one record). Without memory, or with more links
 * than the limit, nothing is counted. */
feature_set contention_repair(struct contention *c, int ifindex, feature_set bits, uint64_t now_usec,
	feature_set *ret_new);

/* Somebody (not us) changed these bits: a contended one is not quiet yet. */
void contention_disturbed(struct contention *c, int ifindex, feature_set bits, uint64_t now_usec);

/* What is contended now, and how many rounds are counted for a bit; 0 for a link of which nothing is known. */
feature_set contention_bits(const struct contention *c, int ifindex);
unsigned contention_rounds(const struct contention *c, int ifindex, unsigned bit);

/* Ends what has been quiet for long enough: fn for each link with the bits that may be tried again. Returns
 * the time at which to call again, 0 for never. A link that is fought over again within the window after it
 * waits twice as long each time, up to CONTENTION_MAX_FACTOR times the quiet time. */
uint64_t contention_expire(struct contention *c, uint64_t now_usec,
	void (*fn)(int ifindex, feature_set bits, void *userdata), void *userdata);

/* The link is gone, or another one now. */
void contention_forget(struct contention *c, int ifindex);

#endif
