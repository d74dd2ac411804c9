/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Temporary network namespaces with lanes of links between them. They have no name, and only this process uses them, so the kernel
 * removes them with their links when it exits, for whatever reason. */
#ifndef OFFLOADD_SITE_H
#define OFFLOADD_SITE_H

#include <netinet/in.h>

#include "kernel/ethtool.h"

enum site_place { SITE_SENDER, SITE_ROUTER, SITE_RECEIVER };
#define SITE_PLACES 3
#define SITE_WHY_LEN 256

struct nl_sock;
struct site {
	int fd[SITE_PLACES]; /* of the namespaces */
	struct nl_sock *nl[SITE_PLACES];
	struct ethtool *ethtool[SITE_PLACES];
	struct feature_table features;
	int ipv6_error; /* negative errno: there is no IPv6 in them */
};

/* Moves this process into new network namespaces for ever; without privilege, into a new user namespace, too. It is in that of the
 * sender then. ret: released by site_close(), also after an error. 0; negative errno, why: the message. */
int site_open(struct site *ret, char why[SITE_WHY_LEN]);
void site_close(struct site *site);
/* Moves this process into one of the namespaces: new sockets belong to it. 0 or negative errno. */
int site_enter(const struct site *site, enum site_place place);

/* What packets pass between sender and receiver. The lowest link at each end is a veth. */
enum site_kind {
	SITE_VETH, SITE_VLAN, SITE_QINQ, SITE_BOND, SITE_MACVLAN, SITE_VXLAN, SITE_GENEVE, SITE_GRE, SITE_IPIP,
	SITE_FORWARD, /* veth to the router, which forwards over another veth */
};
#define SITE_KINDS 10
#define SITE_PEER ((enum site_kind)SITE_KINDS) /* none of them: the network to another host (peer.h); has only names */
#define SITE_LINKS_MAX 8
#define SITE_SECOND "second" /* the veth from the router to the receiver */

struct site_link {
	enum site_place place;
	int ifindex;
	char name[16];
	const char *what; /* "vxlan"; static */
};

struct site_lane {
	enum site_kind kind;
	struct site_link links[SITE_LINKS_MAX];
	size_t n_links;
	struct in_addr receiver4;
	struct in6_addr receiver6; /* unspecified: the lane carries IPv4 only */
};

/* "veth", "VLAN in a VLAN", ...: static. */
const char *site_kind_text(enum site_kind kind);
const char *site_kind_name(enum site_kind kind); /* in JSON: "qinq" */

/* Its IFLA_INFO_KIND: "vlan" for SITE_QINQ; static. */
const char *site_kind_link(enum site_kind kind);
/* The kind of a link by its IFLA_INFO_KIND, "vlan"; -1: none of these is tested. */
int site_kind_of(const char *info_kind);

/* Builds a lane; each kind once. load: loads the module of the kind (that of veth always, which adds no link). 0; -ENODEV: the module
 * is not loaded; -EOPNOTSUPP: this kernel does not have it; another negative errno. Each with why: the message. */
int site_build(struct site *site, enum site_kind kind, bool load, struct site_lane *ret, char why[SITE_WHY_LEN]);

#endif
