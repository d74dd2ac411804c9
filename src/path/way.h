/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The path ("way" in names) of a packet from the socket to the wire: from the link of its route down to the devices, hop by
 * hop. Shows what is still left to hardware, and at which hop an offload is lost. Follows validate_xmit_skb() and netif_skb_features()
 * of the kernel, which decide at every link that a packet passes. Pure, apart from the callbacks. */
#ifndef OFFLOADD_WAY_H
#define OFFLOADD_WAY_H

#include "evidence/evidence.h"
#include "model/link.h"
#include "rules/rule.h"

/* What is left to hardware; a set of them is an unsigned of WAY_OFFLOAD(). */
enum way_offload {
	WAY_SCATTER,   /* packets in several pieces: without it the kernel copies (skb_linearize()) */
	WAY_CHECKSUM4, /* of TCP over IPv4, ... */
	WAY_CHECKSUM6,
	WAY_SEGMENT4, /* TSO */
	WAY_SEGMENT6,
	WAY_UDP, /* segmentation of UDP_SEGMENT; not a part of the verdict, because few devices have it */
};
#define WAY_OFFLOADS 6
#define WAY_OFFLOAD(offload) (1u << (offload))
#define WAY_TCP4 (WAY_OFFLOAD(WAY_SCATTER) | WAY_OFFLOAD(WAY_CHECKSUM4) | WAY_OFFLOAD(WAY_SEGMENT4))
#define WAY_TCP6 (WAY_OFFLOAD(WAY_SCATTER) | WAY_OFFLOAD(WAY_CHECKSUM6) | WAY_OFFLOAD(WAY_SEGMENT6))

/* Why a hop does something in software. */
enum way_reason {
	WAY_FEATURE,  /* the feature is off, or the link does not have it */
	WAY_VLAN,     /* not for packets with a VLAN tag: vlan_features */
	WAY_TAGS,     /* not for packets with more than one: vlan_features_check() */
	WAY_TUNNEL,   /* not for encapsulated packets: hw_enc_features */
	WAY_SIZE,     /* longer than gso_max_size of this link, but not of the first one when the socket was routed */
	WAY_SEGMENTS, /* more segments than gso_max_segs, likewise */
	WAY_KIND,     /* this kind of link segments by itself */
	WAY_QDISC,    /* this queueing discipline may segment */
	WAY_UNREAD,   /* the features of the link could not be read */
};
#define WAY_REASONS 9

struct way_loss {
	unsigned certain, possible; /* offloads that are lost, and that may be lost, for this reason */
	feature_set features;	    /* the missing ones */
	uint32_t limit;		    /* SIZE: bytes; SEGMENTS: segments; packets within it are not affected */
};

/* How a packet leaves a link. The ones before WAY_END lead to other hops. */
enum way_next {
	WAY_LOWER,  /* to the link below */
	WAY_PORTS,  /* to one of the ports: every port is a hop */
	WAY_ROUTED, /* encapsulated, to the link of the route to the other end of the tunnel */
	WAY_END,
	WAY_WIRE = WAY_END, /* to the device */
	WAY_PEER,	    /* to the other end of a veth */
	WAY_LOCAL,	    /* back to this host */
	WAY_PROGRAM,	    /* to the program that owns a tun or tap */
	WAY_DISCARDED,	    /* nowhere: dummy, or a master without ports */
	WAY_LOST,	    /* not known; hop.why */
};
#define WAY_NEXTS 9

enum way_why {
	WAY_WHY_NONE,
	WAY_WHY_NAMESPACE, /* the link below is in another network namespace */
	WAY_WHY_GONE,	   /* the link below does not exist (any more) */
	WAY_WHY_LOOP,	   /* it was passed before */
	WAY_WHY_REMOTE,	   /* no remote end is configured, or it depends on the packet */
	WAY_WHY_ROUTE,	   /* no route to it; hop.error */
	WAY_WHY_KIND,	   /* what this kind of link does with packets is not known */
	WAY_WHY_LONG,	   /* too many hops */
};
#define WAY_WHYS 8

struct way_hop {
	const struct link *link;
	int parent; /* index of the hop before, -1: the socket */
	unsigned depth;
	enum link_role role;
	enum way_next next;
	enum way_why why;
	int error; /* negative errno, for WAY_WHY_ROUTE */
	unsigned tags; /* VLAN tags of a packet when it reaches this hop */
	bool tunnelled;	 /* encapsulated when it reaches this hop */
	uint16_t family; /* of `remote`: the other end of the tunnel; 0: none */
	uint8_t remote[16];
	char qdisc[LINK_KIND_LEN]; /* one that may segment, otherwise the first; "" if not known */
	unsigned left; /* what may still be left to hardware after this hop */
	struct way_loss losses[WAY_REASONS];
	/* in force after this hop, for IPv4 and IPv6; 0: not known */
	uint32_t max_size[2], max_segs;
	uint64_t hits; /* of software fallback in the evidence */
	bool now;      /* ... within the last ten seconds */
};

enum way_verdict {
	WAY_OK,	      /* every hop was looked at, and leaves everything to the device */
	WAY_UNKNOWN,  /* nothing is lost for certain, but something may be */
	WAY_SOFTWARE, /* some hop does something in software */
};

struct way {
	struct way_hop *hops; /* each before those that it leads to */
	size_t n_hops;
	unsigned offloads; /* those that the verdict is about: WAY_TCP4, WAY_TCP6 or both */
	enum way_verdict verdict;
	int at; /* index of the hop that the verdict is about; -1: the socket, or WAY_OK */
	unsigned sockets, copying, stale; /* see way_add_sockets() */
};

#define WAY_ROUTES_MAX 8 /* next hops of one route */

struct way_source {
	struct link_table *links; /* stacked */
	const struct feature_table *features;
	const struct rule_host *host; /* for its kernel */
	uint32_t socket_size; /* the longest packet that the sockets send; 0: what the first link allows now */
	/* The details and the queueing discipline of a link, as struct way_hop has them. Negative errno: not known. */
	int (*details)(void *userdata, const struct link *link, struct link_details *ret, char qdisc[LINK_KIND_LEN]);
	/* The indexes of the links that packets to an address are routed to; several if the route has several next hops. Returns
	 * their number, or a negative errno. */
	int (*route)(void *userdata, uint16_t family, const uint8_t *address, int ret_links[WAY_ROUTES_MAX]);
	void *userdata;
};

/* Follows packets from a link, which the route of the socket leads to. offloads: WAY_TCP4, WAY_TCP6 or both. *ret borrows from the
 * link table; way_clear() it. 0, -ENODEV or -ENOMEM. */
int way_follow(const struct way_source *source, int ifindex, unsigned offloads, struct way *ret);
void way_clear(struct way *way);

/* Adds the counters of software fallback to the hops, and lets hits within the last ten seconds decide the verdict: a hop
 * with such hits works in software, even if its features show nothing of it. services: only hits of these, ends with NULL; NULL:
 * all. */
void way_add_evidence(struct way *way, const struct evidence *evidence, const char *const *services);

/* Adds the TCP sockets whose packets take this way: how many there are, how many of them have no scatter-gather, so that they copy
 * every page before the first hop, and how many of those are stale, so that a new connection would not copy. */
void way_add_sockets(struct way *way, unsigned sockets, unsigned copying, unsigned stale);

/* Does a queueing discipline segment packets, depending on its settings? */
bool way_qdisc_segments(const char *kind);

/* Does a row of the evidence belong to a hop? */
bool way_has_row(const struct way_hop *hop, const struct evidence_fallback *row, const char *const *services);

/* The losses of all reasons. */
unsigned way_hop_certain(const struct way_hop *hop);
unsigned way_hop_possible(const struct way_hop *hop);

/* Names in documents, static: "segmentation-ipv4", "vlan", "wire", "backup", "namespace", "software". NULL: none. */
const char *way_offload_name(enum way_offload offload);
const char *way_reason_name(enum way_reason reason);
const char *way_next_name(enum way_next next);
const char *way_role_name(enum link_role role);
const char *way_why_name(enum way_why why);
const char *way_verdict_name(enum way_verdict verdict);

#endif
