/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/contention.h"

static bool window_over(const struct contention_limits *limits, const struct link_contention *c, uint64_t now_usec)
{
	return now_usec - c->window_usec >= limits->window_usec;
}

feature_set contention_due(
	const struct contention_limits *limits, const struct link_contention *c, uint64_t now_usec)
{
	feature_set due = 0;

	if (window_over(limits, c, now_usec))
		return 0;
	for (unsigned bit = 0; bit < FEATURE_MAX; bit++)
		if (c->rounds[bit] + 1u >= limits->rounds)
			due |= FEATURE(bit);
	return due & ~c->contended;
}

static void begin(const struct contention_limits *limits, struct link_contention *c, feature_set bits, uint64_t now_usec)
{
	bool again = c->ended_usec && now_usec - c->ended_usec < limits->window_usec;

	if (!c->contended)
		c->factor = again ? c->factor * 2 : 1;
	if (c->factor > CONTENTION_MAX_FACTOR)
		c->factor = CONTENTION_MAX_FACTOR;
	c->contended |= bits;
	c->quiet_usec = now_usec + c->factor * limits->quiet_usec;
}

feature_set contention_repair(const struct contention_limits *limits, struct link_contention *c, feature_set bits,
	uint64_t now_usec)
{
	feature_set fresh = 0;
	unsigned bit;

	if (window_over(limits, c, now_usec)) {
		memset(c->rounds, 0, sizeof(c->rounds));
		c->window_usec = now_usec;
	}
	feature_foreach(bit, bits & ~c->contended)
		if (++c->rounds[bit] >= limits->rounds)
			fresh |= FEATURE(bit);
	if (fresh)
		begin(limits, c, fresh, now_usec);
	return fresh;
}

void contention_disturbed(
	const struct contention_limits *limits, struct link_contention *c, feature_set bits, uint64_t now_usec)
{
	if (c->contended & bits)
		c->quiet_usec = now_usec + c->factor * limits->quiet_usec;
}

feature_set contention_expire(struct link_contention *c, uint64_t now_usec)
{
	feature_set bits = c->contended;

	if (!bits || c->quiet_usec > now_usec)
		return 0;
	c->contended = 0;
	c->ended_usec = now_usec;
	memset(c->rounds, 0, sizeof(c->rounds));
	return bits;
}
