/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/netns_status.h"

#include <stdlib.h>

#include "basic/util.h"

const char *netns_look_name(enum netns_look look)
{
	static const char *const names[] = { [NETNS_UNSEEN] = "unseen", [NETNS_SEEN] = "seen", [NETNS_DEFERRED] = "deferred",
		[NETNS_TOO_MANY] = "too-many", [NETNS_FAILED] = "failed" };

	return (size_t)look < ARRAY_SIZE(names) ? names[look] : "failed";
}

bool netns_status_is_compliant(const struct netns_status *status)
{
	if (status->look != NETNS_SEEN || status->pending || status->unread)
		return false;
	for (int v = 0; v < VERDICT_COUNT; v++)
		if (v != VERDICT_COMPLIANT && status->with[v])
			return false;
	return true;
}

size_t netns_statuses_count_bad(const struct netns_statuses *all)
{
	size_t n = 0;

	for (const struct netns_known *k = all->list; k; k = k->hh.next)
		n += k->status.look == NETNS_SEEN && !netns_status_is_compliant(&k->status);
	return n;
}

static void forget(struct netns_statuses *all, struct netns_known *known)
{
	HASH_DEL(all->list, known);
	free(known);
}

int netns_statuses_take(struct netns_statuses *all, const struct netns_status *status, unsigned generation)
{
	struct netns_known *known;

	HASH_FIND(hh, all->list, &status->inode, sizeof(status->inode), known);
	if (status->gone) {
		if (known && known->status.cookie == status->cookie && known->status.birth == status->birth)
			forget(all, known);
		return 0;
	}
	if (known) {
		known->status = *status;
		known->generation = generation;
		return 0;
	}
	known = calloc(1, sizeof(*known));
	if (!known)
		return -ENOMEM;
	known->status = *status;
	known->generation = generation;
	if (hash_add(all->list, status.inode, known) == 0)
		return 0;
	free(known);
	return -ENOMEM;
}

void netns_statuses_expire(struct netns_statuses *all, unsigned generation)
{
	struct netns_known *known, *next;

	HASH_ITER(hh, all->list, known, next)
		if (known->generation != generation)
			forget(all, known);
}

void netns_statuses_clear(struct netns_statuses *all)
{
	HASH_FREE(all->list, free);
}
