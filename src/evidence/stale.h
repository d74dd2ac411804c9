/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stale connections by service and link, from one inventory to the next: who holds them, and since when. Pure. */
#ifndef OFFLOADD_STALE_H
#define OFFLOADD_STALE_H

#include "basic/hash.h"
#include "evidence/evidence.h"

#define STALE_MAX 4096

/* Stale connections of one service on one link. */
struct stale {
	struct stale_key {
		uint32_t netns;
		int32_t ifindex; /* 0: on any link */
		char service[UNIT_SERVICE_LEN]; /* padded with zeros */
	} key;
	struct evidence_stale found; /* the caller sets its unit, link and hits */
	unsigned round;		     /* of the last inventory that found any */
	bool missed;		     /* by the last inventory, which was not sure */
	bool is_new;		     /* not reported yet; false if restored */
	uint64_t found_usec;	     /* CLOCK_MONOTONIC; set by the caller */
	uint64_t counted, sum;	     /* for the caller: hits of this service and link when last read, and while reading */
	UT_hash_handle hh;
};

struct stale_set {
	struct stale *all; /* uthash by key */
	unsigned round;
	bool unsure;	  /* set by the caller before stale_end(): this inventory may have missed a connection */
	uint64_t dropped; /* sockets that did not fit, since stale_begin() */
};

/* An inventory is stale_begin(), stale_add() for each stale connection, and stale_end(); without the last if it failed.
 * stale_add(): adds a connection (NULL: there are some, but their number is unknown). Returns its entry; NULL, counted in dropped:
 * there are STALE_MAX, or no memory.
 * stale_end(): removes each entry without a connection in this inventory (if it is unsure: and in the one before), after calling gone (NULL: none); returns their number. */
typedef void (*stale_fn)(const struct stale *stale, void *userdata);
void stale_begin(struct stale_set *set);
struct stale *stale_add(struct stale_set *set, const struct stale_key *key, const struct socket_info *socket, feature_set missing,
	uint64_t realtime_usec);
unsigned stale_end(struct stale_set *set, stale_fn gone, void *userdata);

/* Adds an entry from before a restart of the daemon. It keeps its time if the next inventory finds its connections. NULL if it
 * exists already, there are STALE_MAX, or no memory. */
struct stale *stale_restore(struct stale_set *set, const struct stale_key *key, uint64_t since_usec, uint64_t hits);
/* NULL if there is none. Owned by the set. */
struct stale *stale_find(const struct stale_set *set, const struct stale_key *key);
void stale_clear(struct stale_set *set);

#endif
