/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stale connections from one inventory to the next, by cgroup and link: who holds some, since when, and whose are gone. State only. */
#ifndef OFFLOADD_STALE_H
#define OFFLOADD_STALE_H

#include "basic/hash.h"
#include "evidence/evidence.h"

#define STALE_MAX 4096

/* Those of one cgroup that leave by one link. */
struct stale {
	struct stale_key {
		uint64_t cgroup; /* as in struct socket_info */
		uint32_t netns;
		int32_t ifindex;
	} key;
	struct evidence_stale found; /* its names and hits are the owner's to set, and outlive the cgroup */
	unsigned round;		     /* of the last inventory that found one */
	bool is_new;		     /* not reported yet; not of one that was restored */
	uint64_t found_usec;	     /* CLOCK_MONOTONIC, for the owner */
	uint64_t counted, sum;	     /* for the owner: hits of its combination when last counted, and while counting */
	UT_hash_handle hh;
};

struct stale_set {
	struct stale *all; /* uthash by key */
	unsigned round;
	uint64_t dropped; /* sockets for which there was no room, since _begin */
};

/* One inventory: begin, add each stale connection, end. add: 1 for a new entry, 0, -ENOSPC (counted), -ENOMEM. end: calls gone for each
 * entry of which none was found, removes it, and returns their number; not to be called after an inventory that failed half-way:
 * call _begin again. */
typedef void (*stale_fn)(const struct stale *stale, void *userdata);
void stale_begin(struct stale_set *set);
int stale_add(struct stale_set *set, const struct socket_info *socket, feature_set missing, uint64_t realtime_usec);
unsigned stale_end(struct stale_set *set, stale_fn gone, void *userdata);

/* An entry from before a restart of the daemon, which keeps its time if the next inventory finds its sockets. NULL where there is no
 * room, no memory, or one already. */
struct stale *stale_restore(struct stale_set *set, const struct stale_key *key, uint64_t since_usec, uint64_t hits);
struct stale *stale_find(const struct stale_set *set, const struct stale_key *key);
void stale_clear(struct stale_set *set);

#endif
