/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/mark.h"

#include <errno.h>
#include <stdlib.h>

struct mark *mark_find(struct mark *set, int ifindex)
{
	struct mark *mark;

	HASH_FIND_INT(set, &ifindex, mark);
	return mark;
}

int mark_add(struct mark **set, int ifindex, bool changed)
{
	struct mark *mark = mark_find(*set, ifindex);

	if (mark) {
		if (mark->changed || !changed)
			return 0;
		mark->changed = true;
		return 1;
	}
	mark = malloc(sizeof(*mark));
	if (!mark)
		return -ENOMEM;
	mark->ifindex = ifindex;
	mark->changed = changed;
	HASH_ADD_INT(*set, ifindex, mark);
	return 1;
}

void mark_remove(struct mark **set, int ifindex)
{
	struct mark *mark = mark_find(*set, ifindex);

	if (!mark)
		return;
	HASH_DEL(*set, mark);
	free(mark);
}

void mark_clear(struct mark **set)
{
	struct mark *mark, *next;

	HASH_ITER(hh, *set, mark, next)
	{
		HASH_DEL(*set, mark);
		free(mark);
	}
}
