/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Summarises bursts in the journal: on a host that starts many containers, one rule repairs each new interface in the same way. The
 * first BURST_FREE interfaces of a minute have an event each, the others one together. Pure; now_usec is CLOCK_MONOTONIC. */
#ifndef OFFLOADD_BURST_H
#define OFFLOADD_BURST_H

#include "model/finding.h"

#define BURST_FREE 10
#define BURST_USEC (UINT64_C(60) * 1000 * 1000)
#define BURST_KINDS 4 /* repairs that differ in rules or features; others are not summarised */

struct bursts { /* starts zeroed */
	struct burst {
		struct finding first; /* FINDING_NONE: unused */
		int last_ifindex;
		unsigned count;  /* of interfaces in the window */
		uint64_t more;   /* of them, not logged */
		uint64_t end_usec;
	} list[BURST_KINDS];
};

/* False: it is counted, and must not be logged. A second event of the same interface in a row is always logged. */
bool bursts_allow(struct bursts *bursts, const struct finding *event, uint64_t now_usec);

/* Ends a window that is over. True: *ret is the summary to log; call it again. */
bool bursts_end(struct bursts *bursts, uint64_t now_usec, struct finding *ret);
/* When to call it next; 0: there is no summary to log. */
uint64_t bursts_deadline(const struct bursts *bursts);

#endif
