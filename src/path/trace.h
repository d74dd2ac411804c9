/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Traces the path of a packet from the socket to the wire: from the link of its route down to the devices, hop by
 * hop. Shows what is still left to hardware, and at which hop an offload is lost. Follows validate_xmit_skb() and netif_skb_features()
 * of the kernel, which decide at every link that a packet passes. Pure, apart from the callbacks. */
#ifndef OFFLOADD_TRACE_H
#define OFFLOADD_TRACE_H

#include "evidence/evidence.h"
#include "model/link.h"
#include "rules/rule.h"

/* What is left to hardware; a set of them is an unsigned of TRACE_OFFLOAD(). */
enum trace_offload {
	TRACE_SCATTER,   /* packets in several pieces: without it the kernel copies (skb_linearize()) */
	TRACE_CHECKSUM4, /* of TCP over IPv4, ... */
	TRACE_CHECKSUM6,
	TRACE_SEGMENT4, /* TSO */
	TRACE_SEGMENT6,
	TRACE_UDP, /* segmentation of UDP_SEGMENT; not a part of the verdict, because few devices have it */
};
#define TRACE_OFFLOADS 6
#define TRACE_OFFLOAD(offload) (1u << (offload))
#define TRACE_TCP4 (TRACE_OFFLOAD(TRACE_SCATTER) | TRACE_OFFLOAD(TRACE_CHECKSUM4) | TRACE_OFFLOAD(TRACE_SEGMENT4))
#define TRACE_TCP6 (TRACE_OFFLOAD(TRACE_SCATTER) | TRACE_OFFLOAD(TRACE_CHECKSUM6) | TRACE_OFFLOAD(TRACE_SEGMENT6))

/* Why a hop does something in software. */
enum trace_reason {
	TRACE_FEATURE,  /* the feature is off, or the link does not have it */
	TRACE_VLAN,     /* not for packets with a VLAN tag: vlan_features */
	TRACE_TAGS,     /* not for packets with more than one: vlan_features_check() */
	TRACE_TUNNEL,   /* not for encapsulated packets: hw_enc_features */
	TRACE_SIZE,     /* packets are longer than gso_max_size of this link allows; the first link allowed them when the socket was routed */
	TRACE_SEGMENTS, /* more segments than gso_max_segs, likewise */
	TRACE_KIND,     /* this kind of link segments by itself */
	TRACE_QDISC,    /* this queueing discipline may segment */
	TRACE_UNREAD,   /* the features of the link could not be read */
};
#define TRACE_REASONS 9

struct trace_loss {
	unsigned certain, possible; /* offloads that are lost, and that may be lost, for this reason */
	feature_set features;	    /* the missing ones */
	uint32_t limit;		    /* SIZE: bytes; SEGMENTS: segments; packets within it are not affected */
};

/* How a packet leaves a link. The ones before TRACE_END lead to other hops. */
enum trace_next {
	TRACE_LOWER,  /* to the link below */
	TRACE_PORTS,  /* to one of the ports: every port is a hop */
	TRACE_ROUTED, /* encapsulated, to the link of the route to the other end of the tunnel */
	TRACE_END,
	TRACE_WIRE = TRACE_END, /* to the device */
	TRACE_PEER,	    /* to the other end of a veth */
	TRACE_LOCAL,	    /* back to this host */
	TRACE_PROGRAM,	    /* to the program that owns a tun or tap */
	TRACE_DISCARDED,	    /* nowhere: dummy, or a master without ports */
	TRACE_LOST,	    /* not known; hop.why */
};
#define TRACE_NEXTS 9

enum trace_why {
	TRACE_WHY_NONE,
	TRACE_WHY_NAMESPACE, /* the link below is in another network namespace */
	TRACE_WHY_GONE,	   /* the link below does not exist (any more) */
	TRACE_WHY_LOOP,	   /* it was passed before */
	TRACE_WHY_REMOTE,	   /* no remote end is configured, or it depends on the packet */
	TRACE_WHY_ROUTE,	   /* no route to it; hop.error */
	TRACE_WHY_KIND,	   /* what this kind of link does with packets is not known */
	TRACE_WHY_LONG,	   /* too many hops */
};
#define TRACE_WHYS 8

struct trace_hop {
	const struct link *link;
	int parent; /* index of the hop before, -1: the socket */
	unsigned depth;
	enum link_role role;
	enum trace_next next;
	enum trace_why why;
	int error; /* negative errno, for TRACE_WHY_ROUTE */
	unsigned tags; /* VLAN tags of a packet when it reaches this hop */
	bool tunnelled;	 /* encapsulated when it reaches this hop */
	uint16_t family; /* of `remote`: the other end of the tunnel; 0: none */
	uint8_t remote[16];
	char qdisc[LINK_KIND_LEN]; /* one that may segment, otherwise the first; "" if not known */
	unsigned left; /* what may still be left to hardware after this hop */
	struct trace_loss losses[TRACE_REASONS];
	/* in force after this hop, for IPv4 and IPv6; 0: not known */
	uint32_t max_size[2], max_segs;
	uint64_t hits; /* of software fallback in the evidence */
	bool now;      /* ... within the last ten seconds */
	bool doubted;  /* hits, of any sender, that may be due to a device that does not offer its features to such packets */
};

enum trace_verdict {
	TRACE_OK,	      /* every hop was looked at, and leaves everything to the device */
	/* Every feature is on, and nothing was counted. The only thing that cannot be read is whether a device offers them to
	 * packets with a VLAN tag or to encapsulated ones, as nearly every driver does. */
	TRACE_LIKELY,
	TRACE_UNKNOWN,  /* nothing is lost for certain, but something may be */
	TRACE_SOFTWARE, /* some hop does something in software */
};

struct trace {
	struct trace_hop *hops; /* each before those that it leads to */
	size_t n_hops;
	unsigned offloads; /* those that the verdict is about: TRACE_TCP4, TRACE_TCP6 or both */
	enum trace_verdict verdict;
	int at; /* index of the hop that the verdict is about; -1: the socket, or TRACE_OK */
	unsigned sockets, copying, stale; /* see trace_add_sockets() */
};

#define TRACE_ROUTES_MAX 8 /* next hops of one route */

struct trace_source {
	struct link_table *links; /* stacked */
	const struct feature_table *features;
	const struct rule_host *host; /* for its kernel */
	uint32_t socket_size; /* the longest packet that the sockets send; 0: what the first link allows now */
	/* The details and the queueing discipline of a link, as struct trace_hop has them. Negative errno: not known. */
	int (*details)(void *userdata, const struct link *link, struct link_details *ret, char qdisc[LINK_KIND_LEN]);
	/* The indexes of the links that packets to an address are routed to; several if the route has several next hops. Returns
	 * their number, or a negative errno. */
	int (*route)(void *userdata, uint16_t family, const uint8_t *address, int ret_links[TRACE_ROUTES_MAX]);
	void *userdata;
};

/* Follows packets from a link, which the route of the socket leads to. offloads: TRACE_TCP4, TRACE_TCP6 or both. *ret borrows from the
 * link table; trace_clear() it. 0, -ENODEV or -ENOMEM. */
int trace_follow(const struct trace_source *source, int ifindex, unsigned offloads, struct trace *ret);
void trace_clear(struct trace *trace);

/* Adds the counters of software fallback to the hops, and lets hits within the last ten seconds decide the verdict: a hop
 * with such hits works in software, even if its features show nothing of it. services: only hits of these, ends with NULL; NULL:
 * all. */
void trace_add_evidence(struct trace *trace, const struct evidence *evidence, const char *const *services);

/* Adds the TCP sockets whose packets take this path: how many there are, how many of them have no scatter-gather, so that they copy
 * every page before the first hop, and how many of those are stale, so that a new connection would not copy. */
void trace_add_sockets(struct trace *trace, unsigned sockets, unsigned copying, unsigned stale);

/* Does a queueing discipline segment packets, depending on its settings? */
bool trace_qdisc_segments(const char *kind);

/* Does a row of the evidence belong to a hop? */
bool trace_has_row(const struct trace_hop *hop, const struct evidence_fallback *row, const char *const *services);

/* The losses of all reasons. */
unsigned trace_hop_certain(const struct trace_hop *hop);
unsigned trace_hop_possible(const struct trace_hop *hop);

/* Names in documents, static: "segmentation-ipv4", "vlan", "wire", "backup", "namespace", "software". NULL: none. */
const char *trace_offload_name(enum trace_offload offload);
const char *trace_reason_name(enum trace_reason reason);
const char *trace_next_name(enum trace_next next);
const char *trace_role_name(enum link_role role);
const char *trace_why_name(enum trace_why why);
const char *trace_verdict_name(enum trace_verdict verdict);

#endif
