/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One packet as AF_PACKET shows it: lengths and checksums of every header, through VLAN tags and tunnels. Pure. */
#ifndef OFFLOADD_FRAME_H
#define OFFLOADD_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first thing that is wrong with a packet, or with a sequence of packets (flow.h). */
enum frame_wrong {
	FRAME_RIGHT,
	FRAME_CUT,		 /* a header says that the packet is longer or shorter than it is */
	FRAME_IP_CHECKSUM,	 /* of an IPv4 header */
	FRAME_CHECKSUM,		 /* of TCP or UDP */
	FRAME_TUNNEL_CHECKSUM, /* of the UDP header of a tunnel */
	FRAME_ID,		 /* the id of an IPv4 packet does not follow that of the packet before, which may be missing */
	FRAME_ORDER,		 /* segments of TCP are missing or in the wrong order */
	FRAME_DATA,		 /* other bytes arrived than were sent */
	FRAME_SIZE,		 /* datagrams of other sizes arrived */
	FRAME_LOST,		 /* data did not arrive */
	FRAME_REJECTED,		 /* a host rejected packets, or data was sent again: it was lost after the last look at it */
	FRAME_UNSEGMENTED,	 /* a packet is large where the kernel should have split it */
	FRAME_OPEN,		 /* a checksum is open where the kernel should have computed it */
};
#define FRAME_WRONGS 13

struct frame { /* packet(7) with PACKET_VNET_HDR: struct virtio_net_hdr says what is still left to do */
	const uint8_t *data;
	size_t len;
	bool ethernet;	   /* data begins with an Ethernet header; otherwise with that of `protocol` */
	uint16_t protocol; /* ETH_P_*, host byte order */
	bool open;	   /* the checksum at start + offset is still to be computed: it has the sum of the pseudo header */
	size_t start, offset;
	bool outgoing;	   /* the interface sends it */
	bool device;	   /* a network device sends or received it: that may have computed an open checksum in place, as that of QEMU
			    * does, or leave bytes behind a packet; and no tunnel is in it, whatever its port */
	size_t mss;	   /* of TCP that a device received: what is longer was merged by it, and may have the checksum of its first packet, as
			    * with hv_netvsc, which sets no gso_size; 0: unknown */
	bool listed;	   /* GRO keeps what it merges as a list of the packets (rx-gro-list): a large one has the checksum of the first */
	uint16_t gso_size; /* bytes of data in each segment, still to be split; 0: a single packet */
};

/* The innermost headers. */
struct segment {
	uint8_t family;	  /* AF_INET, AF_INET6 */
	uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP */
	uint16_t source, target; /* ports, host byte order */
	uint16_t id;	  /* of IPv4 */
	uint32_t sequence;
	bool syn, fin;
	size_t payload;	 /* bytes */
	size_t segments; /* 1, or how many the packet will be split into */
};

/* Checks a packet. *ret: valid if it has TCP or UDP inside, which is not a fragment; otherwise ret->protocol is 0. Something else
 * than IP is right. */
enum frame_wrong frame_check(const struct frame *frame, struct segment *ret);

/* Was the work done that had to be done before a packet gets here? Splitting it, and computing its checksum. */
enum frame_wrong frame_judge_work(const struct frame *frame, bool is_split, bool is_summed);

/* "a wrong checksum", ...; static. And the name in JSON: "checksum". */
const char *frame_wrong_text(enum frame_wrong wrong);
const char *frame_wrong_name(enum frame_wrong wrong);

#endif
