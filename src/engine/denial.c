/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/denial.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/util.h"

struct denial {
	int ifindex;
	feature_set refused[2], futile[2]; /* [value] */
	feature_set stuck; /* of futile: taken by the kernel, and the driver did not follow; it may have been busy */
	char text[ETHTOOL_TEXT_LEN];
	uint64_t retry_usec; /* 0: only a change helps */
	unsigned tries;
	UT_hash_handle hh;
};

static struct denial *find_denial(const struct denials *d, int ifindex)
{
	struct denial *denial;

	HASH_FIND_INT(d->list, &ifindex, denial);
	return denial;
}

void denials_forget(struct denials *d, int ifindex)
{
	struct denial *denial = find_denial(d, ifindex);

	if (!denial)
		return;
	HASH_DEL(d->list, denial);
	free(denial);
}

void denials_clear(struct denials *d)
{
	struct denial *denial, *next;

	HASH_ITER(hh, d->list, denial, next)
	{
		HASH_DEL(d->list, denial);
		free(denial);
	}
	d->retry_usec = 0;
}

bool denials_is_refused(
	const struct denials *d, int ifindex, unsigned bit, bool value, char *text, size_t size)
{
	const struct denial *denial = find_denial(d, ifindex);

	if (!denial || !(denial->refused[value] & FEATURE(bit)))
		return false;
	if (text)
		util_copy_name(text, size, denial->text, sizeof(denial->text));
	return true;
}

bool denials_is_futile(const struct denials *d, int ifindex, unsigned bit, bool value)
{
	const struct denial *denial = find_denial(d, ifindex);

	return denial && (denial->futile[value] & FEATURE(bit));
}

static bool may_pass(int error)
{
	switch (error) {
	case -EBUSY:
	case -EAGAIN:
	case -EINTR:
	case -ENOMEM:
	case -ENOBUFS:
	case -EUCLEAN:
		return true;
	default:
		return false;
	}
}

static struct denial *get_denial(struct denials *d, int ifindex)
{
	struct denial *denial = find_denial(d, ifindex);

	if (denial)
		return denial;
	denial = calloc(1, sizeof(*denial));
	if (!denial)
		return NULL;
	denial->ifindex = ifindex;
	HASH_ADD_INT(d->list, ifindex, denial);
	return denial;
}

static void add_bits(feature_set sets[2], feature_set bits, feature_set value)
{
	sets[true] |= bits & value;
	sets[false] |= bits & ~value;
}

static void retry_later(struct denials *d, struct denial *denial, uint64_t now_usec)
{
	if (denial->tries >= DENIAL_RETRY_MAX)
		return;
	denial->retry_usec = now_usec + (DENIAL_RETRY_USEC << denial->tries++);
	util_earlier(&d->retry_usec, denial->retry_usec);
}

/* What the kernel took, and the plan was sure that it would be had. */
static feature_set find_stuck(const struct plan *plan, const struct apply_result *result)
{
	const struct plan_link *pl = plan_find(plan, result->ifindex);

	return pl ? result->missed & ~(result->after.wanted ^ result->value) &
			~(pl->predicted.active ^ result->value) & ~pl->uncertain
		  : 0;
}

int denials_note(struct denials *d, const struct plan *plan, const struct apply_result *result,
	uint64_t now_usec)
{
	struct denial *denial;

	if (!result->missed || result->error == -ENODEV)
		return 0;
	denial = get_denial(d, result->ifindex);
	if (!denial)
		return -ENOMEM;
	if (result->error == 0) {
		add_bits(denial->futile, result->missed, result->value);
		denial->stuck = find_stuck(plan, result);
		if (denial->stuck)
			retry_later(d, denial, now_usec);
		return 0;
	}
	add_bits(denial->refused, result->missed, result->value);
	util_copy_name(denial->text, sizeof(denial->text), result->text, sizeof(result->text));
	if (may_pass(result->error))
		retry_later(d, denial, now_usec);
	return 0;
}

int denials_note_unread(struct denials *d, int ifindex, uint64_t now_usec)
{
	struct denial *denial = get_denial(d, ifindex);

	if (!denial)
		return -ENOMEM;
	retry_later(d, denial, now_usec);
	return 0;
}

/* Has the driver asked again for what it did not do; the next time is set before it is known whether that helped. */
static void retry_stuck(
	struct denials *d, struct observe *o, struct denial *denial, uint64_t now_usec)
{
	struct link *link = link_table_find(&o->links, denial->ifindex);
	feature_set active;

	if (!link || observe_recompute(o, link) < 0)
		return;
	active = link->features.active;
	denial->stuck &= (denial->futile[true] & ~active) | (denial->futile[false] & active);
	denial->futile[true] &= ~active | denial->stuck;
	denial->futile[false] &= active | denial->stuck;
	if (denial->stuck)
		retry_later(d, denial, now_usec);
}

void denials_retry(struct denials *d, struct observe *o, uint64_t now_usec,
	void (*fn)(int ifindex, void *userdata), void *userdata)
{
	d->retry_usec = 0;
	for (struct denial *denial = d->list; denial; denial = denial->hh.next) {
		if (denial->retry_usec == 0)
			continue;
		if (denial->retry_usec > now_usec) {
			util_earlier(&d->retry_usec, denial->retry_usec);
			continue;
		}
		denial->retry_usec = 0;
		denial->refused[false] = denial->refused[true] = 0;
		if (denial->stuck)
			retry_stuck(d, o, denial, now_usec);
		fn(denial->ifindex, userdata);
	}
}
