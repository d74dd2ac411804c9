/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rtnetlink: links, their events, and which of them carry a default route. Owner of libnl-3 and
 * libnl-route-3. One message is parsed at a time into a struct link; no cache. */
#ifndef OFFLOADD_RTNL_H
#define OFFLOADD_RTNL_H

#include <stdbool.h>
#include <stddef.h>

#include "model/link.h"

struct rtnl;

struct rtnl_handlers {
	/* A dump starts, or starts again: what it gave so far does not count. May be NULL. */
	void (*dump_start)(void *userdata);
	/* A link appeared or its attributes changed; the struct holds attributes only, valid during the call. */
	void (*link)(const struct link *link, void *userdata);
	void (*link_gone)(int ifindex, void *userdata);
	/* A default route came or went: read them again (rtnl_dump_default_routes). May be NULL. */
	void (*default_route)(void *userdata);
	void *userdata;
};

/* monitor: subscribe to RTNLGRP_LINK. rcvbuf_bytes: receive buffer of the monitor, forced when privileged; 0
 * for the default of 16 MB. */
int rtnl_open(bool monitor, size_t rcvbuf_bytes, struct rtnl **ret);
void rtnl_close(struct rtnl *rtnl);

/* For poll; only with monitor. */
int rtnl_monitor_fd(const struct rtnl *rtnl);

/* Subscribes to routes too, or no longer. Routes other than default ones are filtered out in the kernel (a
 * socket filter), so that a full routing table wakes nobody. Nothing to do without a monitor. */
int rtnl_monitor_routes(struct rtnl *rtnl, bool on);

/* Reads all pending events without blocking. 0; -ENOBUFS after an overrun: events were lost
 * (those still in the buffer are thrown away, being older than what was lost), dump again. */
int rtnl_monitor_read(struct rtnl *rtnl, const struct rtnl_handlers *handlers);

/* Full dump: handlers->link for each. A disturbed dump (NLM_F_DUMP_INTR) is restarted up to 8 times, then
 * taken as it is: 1 is returned, and links that are there may be missing (up to Linux 6.1 a dump goes on by
 * position). Otherwise 0, negative errno. */
int rtnl_dump_links(struct rtnl *rtnl, const struct rtnl_handlers *handlers);

/* Sets link->default_route on the table's links from the main routing tables of both families; 1 when any of
 * them changed, with a call of changed (may be NULL) for each. */
int rtnl_dump_default_routes(struct rtnl *rtnl, struct link_table *table,
	void (*changed)(struct link *link, void *userdata), void *userdata);

/* Parses one RTM_NEWLINK or RTM_DELLINK (whole message with its header, len bytes, aligned to 4). -EBADMSG
 * for anything malformed, -ENOENT for one that is not about a link itself (bridge and address family
 * messages). kind is "" where the message does not tell whether the link is physical: a link without kind on
 * a kernel without IFLA_PARENT_DEV_NAME (before 5.14), or without a parent. The fuzzer's way in. */
int rtnl_parse_link(const void *message, size_t len, struct link *ret);

#endif
