/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/contention.h"

#include <errno.h>

#include "basic/util.h"

static bool is_within(uint64_t usec, uint64_t window_usec, uint64_t now_usec)
{
	return now_usec - usec < window_usec;
}

/* The features with at least n SETs within the window. */
static feature_set often(const struct link_contention *c, unsigned n, uint64_t window_usec, uint64_t now_usec)
{
	unsigned counts[FEATURE_MAX] = { 0 }, bit;
	feature_set bits = 0;

	for (size_t i = 0; i < c->n_repairs; i++)
		if (is_within(c->repairs[i].usec, window_usec, now_usec))
			feature_foreach(bit, c->repairs[i].bits)
				if (++counts[bit] >= n)
					bits |= FEATURE(bit);
	return bits;
}

/* The features that twice cost the link its carrier. */
static feature_set flapping(const struct link_contention *c, uint64_t now_usec)
{
	return is_within(c->flapped_usec, CONTENTION_FLAP_MEMORY_USEC, now_usec) ? c->flapped[1] : 0;
}

/* Slow contention: repairs that are reverted again and again over a long time, and links whose repairs are expensive. */
static feature_set slow(const struct contention_limits *limits, const struct link_contention *c, uint64_t now_usec)
{
	size_t sets = 0;

	for (size_t i = 0; i < c->n_repairs; i++)
		sets += is_within(c->repairs[i].usec, limits->slow_window_usec, now_usec);
	if (sets >= limits->slow_sets)
		return ~UINT64_C(0);
	return often(c, limits->slow_rounds, limits->slow_window_usec, now_usec) | flapping(c, now_usec);
}

feature_set contention_due(
	const struct contention_limits *limits, const struct link_contention *c, uint64_t now_usec)
{
	feature_set due = often(c, limits->rounds, limits->window_usec, now_usec) | slow(limits, c, now_usec) |
		(c->trial & c->tried);

	return due & ~c->contended & ~(c->trial & ~c->tried);
}

int contention_repair(const struct contention_limits *limits, struct link_contention *c, feature_set bits,
	uint64_t now_usec)
{
	uint64_t window_usec = limits->window_usec > limits->slow_window_usec ? limits->window_usec
									      : limits->slow_window_usec;
	size_t old = 0;

	while (old < c->n_repairs && !is_within(c->repairs[old].usec, window_usec, now_usec))
		old++;
	if (c->n_repairs - old == CONTENTION_REPAIRS_MAX)
		old++;
	if (old) {
		c->n_repairs -= old;
		memmove(c->repairs, c->repairs + old, c->n_repairs * sizeof(*c->repairs));
	}
	c->tried |= bits & c->trial;
	if (!GROW(c->repairs, c->n_repairs))
		return -ENOMEM;
	c->repairs[c->n_repairs++] = (struct link_repair){ .usec = now_usec, .bits = bits };
	return 0;
}

static void restart(const struct contention_limits *limits, struct link_contention *c, uint64_t now_usec)
{
	uint64_t slow_quiet_usec = 2 * limits->slow_window_usec / limits->slow_rounds;

	c->quiet_usec = now_usec + c->factor *
		(c->slow && slow_quiet_usec > limits->quiet_usec ? slow_quiet_usec : limits->quiet_usec);
}

void contention_begin(
	const struct contention_limits *limits, struct link_contention *c, feature_set bits, uint64_t now_usec)
{
	bool becomes_slow = !c->slow && (slow(limits, c, now_usec) & bits);

	if (becomes_slow || !(c->contended | c->trial))
		c->factor = 1;
	else if ((c->trial & bits) && c->factor < CONTENTION_MAX_FACTOR)
		c->factor *= 2;
	c->slow |= becomes_slow;
	c->contended |= bits;
	c->trial &= ~bits;
	c->tried &= ~bits;
	restart(limits, c, now_usec);
}

void contention_disturbed(
	const struct contention_limits *limits, struct link_contention *c, feature_set bits, uint64_t now_usec)
{
	if (c->contended & bits)
		restart(limits, c, now_usec);
}

void contention_flapped(struct link_contention *c, uint64_t now_usec)
{
	uint64_t last_usec = c->n_repairs ? c->repairs[c->n_repairs - 1].usec : 0;
	feature_set bits = 0;

	if (!c->n_repairs || !is_within(last_usec, CONTENTION_FLAP_USEC, now_usec))
		return;
	/* the SETs of the last reconcile, unless this is the same reset */
	for (size_t i = c->n_repairs; i > 0 && c->repairs[i - 1].usec == last_usec && !c->repairs[i - 1].flapped; i--) {
		c->repairs[i - 1].flapped = true;
		bits |= c->repairs[i - 1].bits;
	}
	if (!is_within(c->flapped_usec, CONTENTION_FLAP_MEMORY_USEC, now_usec))
		c->flapped[0] = c->flapped[1] = 0;
	c->flapped[1] |= c->flapped[0] & bits;
	c->flapped[0] |= bits;
	c->flapped_usec = now_usec;
}

/* A new contention needs new repairs; only the number of SETs stays. */
static void forget(struct link_contention *c, feature_set bits)
{
	for (size_t i = 0; i < c->n_repairs; i++)
		c->repairs[i].bits &= ~bits;
}

bool contention_expire(
	const struct contention_limits *limits, struct link_contention *c, uint64_t now_usec, feature_set *ret_resolved)
{
	*ret_resolved = 0;
	if (!(c->contended | c->trial) || c->quiet_usec > now_usec)
		return false;
	*ret_resolved = c->trial & ~c->unheld;
	forget(c, *ret_resolved);
	c->trial = (c->trial & c->unheld) | c->contended;
	c->tried &= c->trial & ~c->contended;
	c->contended = 0;
	if (!c->trial)
		c->slow = false;
	restart(limits, c, now_usec);
	return true;
}
