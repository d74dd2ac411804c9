/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What cannot be had now: not asked for again until the link, what it stands on, or the rules change; or,
 * where it may pass, until some time has. */
#ifndef OFFLOADD_DENIAL_H
#define OFFLOADD_DENIAL_H

#include "engine/apply.h"

/* A refusal that may pass (EBUSY and the like) is tried again after this, then after twice as long, and so
 * on: slow enough not to be taken for the rounds of a fight. */
#define DENIAL_RETRY_USEC (UINT64_C(2) * 1000 * 1000)
#define DENIAL_RETRY_MAX 6

struct denial;

struct denials {
	struct denial *list;
	uint64_t retry_usec; /* when to call denials_retry() next, 0: never */
};

void denials_clear(struct denials *d);
/* May be asked for again: the link, or what it stands on, changed. */
void denials_forget(struct denials *d, int ifindex);

/* As is_refused and is_futile of struct plan_context. */
bool denials_is_refused(
	const struct denials *d, int ifindex, unsigned bit, bool value, char *text, size_t size);
bool denials_is_futile(const struct denials *d, int ifindex, unsigned bit, bool value);

/* Remembers what a step missed. 0 or -ENOMEM. */
int denials_note(struct denials *d, const struct plan *plan, const struct apply_result *result,
	uint64_t now_usec);

/* The link's features could not be read, though it may be there (detached for a reset). 0 or -ENOMEM. */
int denials_note_unread(struct denials *d, int ifindex, uint64_t now_usec);

/* Denials whose time has come may be tried again (fn gets these links); they keep count of their tries. */
void denials_retry(struct denials *d, struct observe *o, uint64_t now_usec,
	void (*fn)(int ifindex, void *userdata), void *userdata);

#endif
