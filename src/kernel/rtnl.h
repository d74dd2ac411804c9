/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rtnetlink: links, their events, and their default routes. Uses libnl-3 and libnl-route-3 (rtnetlink(7)),
 * but not their caches: each message is parsed into a struct link. */
#ifndef OFFLOADD_RTNL_H
#define OFFLOADD_RTNL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "model/link.h"

struct rtnl;

struct rtnl_handlers {
	/* A dump starts, or is repeated: what it reported before is obsolete. May be NULL. */
	void (*dump_start)(void *userdata);
	/* A link appeared, or its attributes changed. The struct has attributes only, and is valid during the
	 * call. features_event: the kernel sent the message because its features changed (IFLA_EVENT_FEATURES,
	 * rtnetlink_event() of NETDEV_FEAT_CHANGE); an ETHTOOL_MSG_FEATURES_NTF is sent as well. */
	void (*link)(const struct link *link, bool features_event, void *userdata);
	void (*link_gone)(int ifindex, void *userdata);
	/* A default route was added or removed: call rtnl_dump_default_routes(). May be NULL. */
	void (*default_route)(void *userdata);
	/* Forwarding was turned on or off: call rtnl_dump_forwarding(). May be NULL. */
	void (*forwarding)(void *userdata);
	void *userdata;
	bool elsewhere; /* the links are in another network namespace: sysfs shows others */
};

/* Opens rtnetlink in the network namespace of the calling thread. monitor: subscribe to RTNLGRP_LINK.
 * rcvbuf_bytes: size of its receive buffer (SO_RCVBUFFORCE, or SO_RCVBUF without the privilege), 0: 16 MiB.
 * *ret: the caller's to rtnl_close(). 0, negative errno. */
int rtnl_open(bool monitor, size_t rcvbuf_bytes, struct rtnl **ret);
/* The same through a copy of a bound NETLINK_ROUTE socket, in its network namespace, and without monitor. */
int rtnl_open_in(int fd, struct rtnl **ret);
/* NULL is ignored. */
void rtnl_close(struct rtnl *rtnl);

/* A file descriptor for poll(2), owned by rtnl; -EOPNOTSUPP without monitor. */
int rtnl_monitor_fd(const struct rtnl *rtnl);

/* Subscribes to routes, or unsubscribes. A socket filter drops all routes except default ones in the kernel,
 * so that changes of other routes wake nobody up. Without monitor it does nothing. 0, negative errno. */
int rtnl_monitor_routes(struct rtnl *rtnl, bool on);

/* The same for messages about the forwarding of IPv4 and IPv6 (RTM_NEWNETCONF). */
int rtnl_monitor_forwarding(struct rtnl *rtnl, bool on);

/* Reads all pending events without blocking. 0; -ENOBUFS: events were lost, dump again (events after the loss
 * are discarded); -EOPNOTSUPP without monitor; other negative errno. */
int rtnl_monitor_read(struct rtnl *rtnl, const struct rtnl_handlers *handlers);

/* Dumps all links: calls handlers->link for each. A dump that the kernel marks as inconsistent
 * (NLM_F_DUMP_INTR) is repeated, up to 8 times in all. 0; 1: the last one was inconsistent too, and links may
 * be missing (up to Linux 6.8 a dump continues at a position in the list); negative errno. */
int rtnl_dump_links(struct rtnl *rtnl, const struct rtnl_handlers *handlers);

/* Reads one link: calls handlers->link, the only one that is used. 0; -ENODEV; other negative errno. */
int rtnl_read_link(struct rtnl *rtnl, int ifindex, const struct rtnl_handlers *handlers);

/* The number (link.lower_netnsid) that the network namespace of rtnl has for that of a process. -ENOENT: it has none; other negative
 * errno. */
int rtnl_find_nsid(struct rtnl *rtnl, pid_t pid);

/* Sets the limits in set->has of a link by one RTM_SETLINK (do_setlink() in the kernel), which sends no event. text (size
 * bytes) gets the message of the kernel, "" if it sent none. 0; -ENODEV: it does not exist; -EINVAL, -ERANGE: the kernel does
 * not allow a value; other negative errno. After an error some of the limits may have been set. */
int rtnl_set_limits(struct rtnl *rtnl, int ifindex, const struct link_limits *set, char *text, size_t size);

/* Sets link->default_route of all links in the table, from the main routing tables of IPv4 and IPv6. Calls
 * changed (may be NULL) for each link that changed. 1: some changed; 0; negative errno. */
int rtnl_dump_default_routes(struct rtnl *rtnl, struct link_table *table,
	void (*changed)(struct link *link, void *userdata), void *userdata);

/* The same for link->forwards, from the settings of each link for IPv4 and IPv6 (RTM_GETNETCONF). */
int rtnl_dump_forwarding(struct rtnl *rtnl, struct link_table *table,
	void (*changed)(struct link *link, void *userdata), void *userdata);

/* Reads the details of one link that are not in struct link. 0; -ENODEV; other negative errno. */
int rtnl_read_details(struct rtnl *rtnl, int ifindex, struct link_details *ret);

/* Calls fn for each queueing discipline of every link, also for those inside a classful one. kind: "fq_codel"; valid during the call.
 * 0; -EOPNOTSUPP: this kernel has none (CONFIG_NET_SCHED); other negative errno. */
int rtnl_dump_qdiscs(
	struct rtnl *rtnl, void (*fn)(int ifindex, const char *kind, void *userdata), void *userdata);

/* Looks up the route for packets to an address (AF_INET or AF_INET6, network byte order) from a socket without source address, mark
 * or device. ret_links gets the indexes of at most max links: first that of this lookup, then those of the other next hops of the
 * same route (RTM_F_FIB_MATCH, from Linux 4.13 on), which other connections may use. Returns their number; -ENETUNREACH and other
 * errors of the lookup; other negative errno. */
int rtnl_find_route(struct rtnl *rtnl, uint16_t family, const uint8_t *address, int *ret_links, size_t max);

/* Parses RTM_NEWLINK or RTM_DELLINK: a message of len bytes with its header, aligned to 4 bytes. ret->kind is
 * "" if the message does not show the kind: no IFLA_INFO_KIND, and no IFLA_PARENT_DEV_NAME (added in Linux
 * 5.14). 0; -EBADMSG; -ENOENT: not about the link itself (messages of bridges, address families, wireless
 * drivers). ret->alt_names points into the message, which is changed for it. Also called by the fuzzer. */
int rtnl_parse_link(void *message, size_t len, struct link *ret);

/* Did the kernel send an RTM_NEWLINK because features changed? See struct rtnl_handlers. */
struct nlmsghdr;
bool rtnl_is_features_event(const struct nlmsghdr *nlh);

#endif
