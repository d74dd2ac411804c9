/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "evidence/stale.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "basic/util.h"

struct stale *stale_find(const struct stale_set *set, const struct stale_key *key)
{
	struct stale *stale;

	HASH_FIND(hh, set->all, key, sizeof(*key), stale);
	return stale;
}

static int stale_new(struct stale_set *set, const struct stale_key *key, uint64_t since_usec, struct stale **ret)
{
	struct stale *stale;

	if (HASH_COUNT(set->all) >= STALE_MAX)
		return -ENOSPC;
	stale = calloc(1, sizeof(*stale));
	if (!stale)
		return -ENOMEM;
	stale->key = *key;
	stale->found.ifindex = key->ifindex;
	stale->found.since_usec = since_usec;
	snprintf(stale->found.service, sizeof(stale->found.service), "%s", key->service);
	if (hash_add(set->all, key, stale) < 0) {
		free(stale);
		return -ENOMEM;
	}
	*ret = stale;
	return 0;
}

void stale_begin(struct stale_set *set)
{
	set->round++;
	set->dropped = 0;
	set->unsure = false;
}

struct stale *stale_add(struct stale_set *set, const struct stale_key *key, const struct socket_info *socket, feature_set missing,
	uint64_t realtime_usec)
{
	struct stale *stale = stale_find(set, key);

	if (!stale) {
		if (stale_new(set, key, realtime_usec, &stale) < 0) {
			set->dropped++;
			return NULL;
		}
		stale->is_new = true;
	}
	if (stale->round != set->round) {
		stale->round = set->round;
		stale->missed = false;
		stale->found.sockets = stale->found.n_samples = 0;
		stale->found.missing = 0;
	}
	stale->found.missing |= missing;
	if (!socket)
		return stale;
	stale->found.sockets++;
	if (stale->found.n_samples < SOCKET_SAMPLES)
		stale->found.samples[stale->found.n_samples++] = *socket;
	return stale;
}

unsigned stale_end(struct stale_set *set, stale_fn gone, void *userdata)
{
	struct stale *stale, *next;
	unsigned n = 0;

	HASH_ITER(hh, set->all, stale, next) {
		if (stale->round == set->round)
			continue;
		if (set->unsure && !stale->missed) {
			stale->missed = true;
			continue;
		}
		HASH_DEL(set->all, stale);
		if (gone)
			gone(stale, userdata);
		free(stale);
		n++;
	}
	return n;
}

struct stale *stale_restore(struct stale_set *set, const struct stale_key *key, uint64_t since_usec, uint64_t hits)
{
	struct stale *stale;

	if (stale_find(set, key) || stale_new(set, key, since_usec, &stale) < 0)
		return NULL;
	stale->found.hits = hits;
	return stale;
}

void stale_clear(struct stale_set *set)
{
	HASH_FREE(set->all, free);
}
