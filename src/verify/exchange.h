/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One case of verify.h: sends known data over one lane, and judges what passes each link and what arrives. */
#ifndef OFFLOADD_EXCHANGE_H
#define OFFLOADD_EXCHANGE_H

#include "verify/capture.h"
#include "verify/counters.h"
#include "verify/flow.h"
#include "verify/known.h"
#include "verify/verify.h"

struct complaint {
	enum frame_wrong wrong;
	const struct site_link *link; /* NULL: what arrived */
	bool backward;		      /* about what the receiver sends: acknowledgements */
};

struct run {
	struct site *site;
	const struct site_lane *lane;
	const volatile int *stop;
	struct verify_case *now;
	bool checksums; /* the sender's veth may leave checksums open */
	uint64_t deadline_usec; /* CLOCK_MONOTONIC; a case that goes on then ends with -ETIME */

	struct capture captures[SITE_PLACES];
	struct flow flows[SITE_LINKS_MAX];
	unsigned seen[SITE_LINKS_MAX]; /* packets of this case from the sender, by link of the lane */
	bool gap[SITE_PLACES];	       /* packets were not seen there */
	struct complaint pending;      /* a sequence that is wrong if none of its packets was dropped by the capture */
	struct counters before[SITE_PLACES];
	uint8_t *data, *buffer;
	uint16_t port; /* of the receiver */
	int sender, receiver;
	size_t sent, received; /* bytes, from the start of data */
};

/* Opens the captures. run->site is set; the caller releases it by exchange_clear(), also after an error. 0; negative errno, why: the
 * message. */
int exchange_init(struct run *run, char *why);
void exchange_clear(struct run *run);

/* Runs run->now: its kind, mode, packet and features are set, by verify.c also at the links. Fills the outcome, and what belongs to
 * it. 0 or -EINTR: stopped. */
int exchange_run(struct run *run);

/* Does this end of a veth send what the sender or the router sends? Otherwise it receives that. */
bool exchange_is_sending(const struct site_link *link);

#endif
