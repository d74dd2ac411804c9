/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stale connections on kernels that do not show their sockets (no BTF): before Linux 4.17 every connection that was established while
 * its interface lacked scatter-gather or checksums copies until it is re-established; later kernels copy only for connections that
 * cannot use GSO. So a process that still copies while every interface has both can only have stale connections: they
 * are inferred from its copies. Pure. */
#ifndef OFFLOADD_LINGERING_H
#define OFFLOADD_LINGERING_H

#include "model/feature.h"
#include "model/link.h"

#define LINGERING_SETTLE_USEC (UINT64_C(1) * 1000 * 1000)	/* copies count only if they are later than this after the repair */
#define LINGERING_QUIET_USEC (UINT64_C(600) * 1000 * 1000) /* without a copy for this time, a process is no longer counted */

/* Starts zeroed. Times are CLOCK_MONOTONIC. */
struct lingering {
	uint64_t whole_usec;	    /* since when every interface has had scatter-gather and checksums; 0: one lacks them now */
	char lacking[LINK_NAME_LEN]; /* that interface, printable */
};

/* Looks at the interfaces of our network namespace that are up, except loopback. */
void lingering_note_links(struct lingering *l, const struct link_table *links, const struct feature_table *features, uint64_t now_usec);
/* Are the connections of a process stale? last_usec: the time of its last copy, 0: unknown. */
bool lingering_is_stale(const struct lingering *l, uint64_t last_usec, uint64_t now_usec);

#endif
