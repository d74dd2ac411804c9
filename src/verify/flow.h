/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The packets of one direction of a connection, in the order in which they pass one place. Pure. */
#ifndef OFFLOADD_FLOW_H
#define OFFLOADD_FLOW_H

#include "verify/frame.h"

struct flow { /* zero it before the first packet */
	bool has_first, has_sequence, has_id;
	uint32_t first;	   /* of the SYN */
	uint32_t sequence; /* of the next byte */
	uint16_t id;	   /* of the next packet */
};

/* Judges the next packet, without a loss on the way before. Segments that are sent again are right. An id must follow that of the
 * packet before in TCP (ip_select_ident_segs() in the kernel, of a connected socket), and within one datagram that is split. */
enum frame_wrong flow_judge(struct flow *flow, const struct segment *segment);

/* Packets may have passed unseen, or another datagram follows, whose id may be any. */
void flow_forget(struct flow *flow);

/* Have a SYN and `bytes` of data after it passed? Only of TCP. */
bool flow_is_complete(const struct flow *flow, size_t bytes);

#endif
