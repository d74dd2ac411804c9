/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stale connections on kernels that do not show their sockets (no BTF): before Linux 4.17 every connection that was established while
 * its interface lacked scatter-gather or checksums copies until it is re-established; later kernels copy only for connections that
 * cannot use GSO. If a process still copies when no interface lacks either, its connections are stale. Pure. */
#ifndef OFFLOADD_LINGERING_H
#define OFFLOADD_LINGERING_H

#include "model/feature.h"
#include "model/link.h"

#define LINGERING_SETTLE_USEC (UINT64_C(1) * 1000 * 1000)	/* copies after this time are not from before the repair */
#define LINGERING_QUIET_USEC (UINT64_C(600) * 1000 * 1000) /* without a copy for this time, a process is no longer counted */

/* Starts zeroed. Times are CLOCK_MONOTONIC. */
struct lingering {
	uint64_t whole_usec;	    /* the time from which on no interface has lacked them; 0: one does now */
	char lacking[LINK_NAME_LEN]; /* that interface, printable */
};

/* Looks at the interfaces of our network namespace that are up, except loopback. */
void lingering_note_links(struct lingering *l, const struct link_table *links, const struct feature_table *features, uint64_t now_usec);
/* Are the connections of a process stale? last_usec: the time of its last copy, 0: unknown. */
bool lingering_is_stale(const struct lingering *l, uint64_t last_usec, uint64_t now_usec);

#endif
