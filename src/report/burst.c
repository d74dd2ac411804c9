/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/burst.h"

#include <string.h>

#include "basic/util.h"

static bool is_same(const struct finding *a, const struct finding *b)
{
	return a->code == b->code && a->on == b->on && a->off == b->off && link_limits_equal(&a->limits, &b->limits) && strcmp(a->rules, b->rules) == 0;
}

/* The burst that an event belongs to, or one that it may begin; NULL if all are in use. */
static struct burst *find(struct bursts *bursts, const struct finding *event, uint64_t now_usec)
{
	struct burst *unused = NULL;

	for (size_t i = 0; i < BURST_KINDS; i++) {
		struct burst *b = &bursts->list[i];
		bool over = b->first.code == FINDING_NONE || (b->end_usec <= now_usec && !b->more);

		if (!over && is_same(&b->first, event))
			return b;
		if (over)
			unused = b;
	}
	if (unused)
		*unused = (struct burst){ .first = *event, .end_usec = now_usec + BURST_USEC };
	return unused;
}

bool bursts_allow(struct bursts *bursts, const struct finding *event, uint64_t now_usec)
{
	struct burst *b = event->code == FINDING_REPAIRED ? find(bursts, event, now_usec) : NULL;

	if (!b || event->ifindex == b->last_ifindex)
		return true;
	b->last_ifindex = event->ifindex;
	if (b->count++ < BURST_FREE)
		return true;
	b->more++;
	return false;
}

bool bursts_end(struct bursts *bursts, uint64_t now_usec, struct finding *ret)
{
	for (size_t i = 0; i < BURST_KINDS; i++) {
		struct burst *b = &bursts->list[i];

		if (!b->more || b->end_usec > now_usec)
			continue;
		finding_init(ret, FINDING_REPAIRED_MORE, NULL);
		ret->on = b->first.on;
		ret->off = b->first.off;
		ret->limits = b->first.limits;
	ret->n_rules = b->first.n_rules;
		memcpy(ret->rules, b->first.rules, sizeof(ret->rules));
		ret->count = b->more;
		ret->duration_usec = BURST_USEC;
		*b = (struct burst){ 0 };
		return true;
	}
	return false;
}

uint64_t bursts_deadline(const struct bursts *bursts)
{
	uint64_t deadline_usec = 0;

	for (size_t i = 0; i < BURST_KINDS; i++)
		if (bursts->list[i].more)
			util_earlier(&deadline_usec, bursts->list[i].end_usec);
	return deadline_usec;
}
