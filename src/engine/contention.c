/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/contention.h"

#include <errno.h>
#include <stdlib.h>

#include <uthash.h>

#include "basic/util.h"

/* One link that was repaired of late, or is fought over. */
struct fight {
	int ifindex;
	unsigned factor;	  /* of the quiet time; 0 until there was a fight */
	feature_set contended;
	uint64_t window_usec;	  /* start of the window in which rounds are counted */
	uint64_t quiet_usec;	  /* when the contended bits may be tried again */
	uint64_t ended_usec;	  /* when the last fight ended, 0 for none */
	uint8_t rounds[FEATURE_MAX];
	UT_hash_handle hh;
};

struct contention {
	struct fight *fights; /* oldest window first, the order in which uthash keeps what is added */
	struct contention_limits limits;
};

int contention_new(struct contention **ret)
{
	*ret = calloc(1, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	(*ret)->limits = (struct contention_limits){
		CONTENTION_ROUNDS, CONTENTION_WINDOW_USEC, CONTENTION_QUIET_USEC
	};
	return 0;
}

void contention_set_limits(struct contention *c, const struct contention_limits *limits)
{
	c->limits = *limits;
}

static void drop(struct contention *c, struct fight *f)
{
	HASH_DEL(c->fights, f);
	free(f);
}

void contention_free(struct contention *c)
{
	struct fight *f, *next;

	if (!c)
		return;
	HASH_ITER(hh, c->fights, f, next)
	{
		drop(c, f);
	}
	free(c);
}

void contention_free_pointer(struct contention **c)
{
	contention_free(*c);
}

static struct fight *find(const struct contention *c, int ifindex)
{
	struct fight *f;

	HASH_FIND_INT(c->fights, &ifindex, f);
	return f;
}

static bool window_over(const struct contention *c, const struct fight *f, uint64_t now_usec)
{
	return now_usec - f->window_usec >= c->limits.window_usec;
}

/* Is there anything left to remember of it? */
static bool is_over(const struct contention *c, const struct fight *f, uint64_t now_usec)
{
	return !f->contended && window_over(c, f, now_usec) &&
		(f->ended_usec == 0 || now_usec - f->ended_usec >= c->limits.window_usec);
}

static void prune(struct contention *c, uint64_t now_usec)
{
	struct fight *f, *next;

	HASH_ITER(hh, c->fights, f, next)
	{
		if (!window_over(c, f, now_usec))
			return;
		if (is_over(c, f, now_usec))
			drop(c, f);
	}
}

static struct fight *add(struct contention *c, int ifindex, uint64_t now_usec)
{
	struct fight *f;

	if (HASH_COUNT(c->fights) >= CONTENTION_MAX_LINKS)
		return NULL;
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->ifindex = ifindex;
	f->window_usec = now_usec;
	HASH_ADD_INT(c->fights, ifindex, f);
	return f;
}

static void restart_window(struct contention *c, struct fight *f, uint64_t now_usec)
{
	memset(f->rounds, 0, sizeof(f->rounds));
	f->window_usec = now_usec;
	HASH_DEL(c->fights, f);
	HASH_ADD_INT(c->fights, ifindex, f);
}

static void begin(const struct contention *c, struct fight *f, feature_set bits, uint64_t now_usec)
{
	bool again = f->ended_usec && now_usec - f->ended_usec < c->limits.window_usec;

	if (!f->contended)
		f->factor = again ? f->factor * 2 : 1;
	if (f->factor > CONTENTION_MAX_FACTOR)
		f->factor = CONTENTION_MAX_FACTOR;
	f->contended |= bits;
	f->quiet_usec = now_usec + f->factor * c->limits.quiet_usec;
}

feature_set contention_repair(struct contention *c, int ifindex, feature_set bits, uint64_t now_usec,
	feature_set *ret_new)
{
	struct fight *f;
	unsigned bit;

	*ret_new = 0;
	prune(c, now_usec);
	f = find(c, ifindex);
	if (!f)
		f = add(c, ifindex, now_usec);
	if (!f)
		return 0;
	if (window_over(c, f, now_usec))
		restart_window(c, f, now_usec);
	feature_foreach(bit, bits & ~f->contended)
		if (++f->rounds[bit] >= c->limits.rounds)
			*ret_new |= FEATURE(bit);
	if (*ret_new)
		begin(c, f, *ret_new, now_usec);
	return f->contended & bits;
}

void contention_disturbed(struct contention *c, int ifindex, feature_set bits, uint64_t now_usec)
{
	struct fight *f = find(c, ifindex);

	if (f && (f->contended & bits))
		f->quiet_usec = now_usec + f->factor * c->limits.quiet_usec;
}

feature_set contention_bits(const struct contention *c, int ifindex)
{
	const struct fight *f = find(c, ifindex);

	return f ? f->contended : 0;
}

unsigned contention_rounds(const struct contention *c, int ifindex, unsigned bit)
{
	const struct fight *f = find(c, ifindex);

	return f && bit < FEATURE_MAX ? f->rounds[bit] : 0;
}

uint64_t contention_expire(struct contention *c, uint64_t now_usec,
	void (*fn)(int ifindex, feature_set bits, void *userdata), void *userdata)
{
	uint64_t next_usec = 0;

	for (struct fight *f = c->fights; f; f = f->hh.next) {
		if (!f->contended)
			continue;
		if (f->quiet_usec <= now_usec) {
			feature_set bits = f->contended;

			f->contended = 0;
			f->ended_usec = now_usec;
			memset(f->rounds, 0, sizeof(f->rounds));
			fn(f->ifindex, bits, userdata);
		} else if (next_usec == 0 || f->quiet_usec < next_usec) {
			next_usec = f->quiet_usec;
		}
	}
	return next_usec;
}

void contention_forget(struct contention *c, int ifindex)
{
	struct fight *f = find(c, ifindex);

	if (f)
		drop(c, f);
}
