/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The picture of this network namespace: links and their features, read once or kept up to date by events.
 * Glue between rtnl.c, the ethtool backends and the model; the one way in for offloadctl and the daemon
 * alike. */
#ifndef OFFLOADD_OBSERVE_H
#define OFFLOADD_OBSERVE_H

#include "basic/util.h"
#include "kernel/ethtool.h"
#include "model/link.h"
#include "kernel/rtnl.h"
#include "rules/rule.h"

#define OBSERVE_TOUCHED_MAX 64 /* more links with news at once are read by one dump */

struct observe_options {
	enum ethtool_backend backend;
	bool monitor;	      /* keep it up to date by events */
	size_t rcvbuf_bytes;  /* 0: 16 MB */
};

struct observe_counts {
	uint64_t overruns;	 /* receive buffers that overflowed, each answered by a full dump */
	uint64_t link_events, feature_events;
	uint64_t dumps;
};

struct observe {
	struct rtnl *rtnl;
	struct ethtool *ethtool;
	struct feature_table features;
	struct link_table links;
	struct observe_counts counts;
	bool want_routes; /* may be changed at any time, take effect with the next refresh */
	/* Called for each link whose attributes or features changed, appeared (features are stale then: observe_features reads
	 * them) or went; NULL when not watching. link is NULL when gone. It may mark and read what it gets, not remove links or
	 * read events. Never called for what observe_features found. */
	void (*changed)(int ifindex, struct link *link, void *userdata);
	void *userdata;

	/* observe's own */
	bool has_monitor;    /* feature notifications come; without, each link event makes features stale */
	unsigned generation; /* of the last dump of links */
	bool any;	     /* something changed since the read began */
	bool routes_stale;   /* a link went up or down, and its routes with it */
	int error;	     /* of a handler */
	int touched[OBSERVE_TOUCHED_MAX]; /* links that a notification says have other features than we think */
	unsigned n_touched;  /* more than there is room for: read all */
};

/* Opens both sockets and reads the feature names, no link yet. Negative errno; *ret_what says in words what
 * failed ("ethtool netlink", "rtnetlink", "feature names"). */
int observe_open(const struct observe_options *options, struct observe **ret, const char **ret_what);
void observe_close(struct observe *o);
CLEANUP_POINTER(struct observe, observe_close)

/* Reads everything again by dumps: links, features, and routes if wanted. Links that are gone are removed. */
int observe_refresh(struct observe *o);

/* Descriptors to poll; observe_feature_fd may be -EOPNOTSUPP (a kernel without ethtool netlink: link events
 * tell). */
int observe_link_fd(const struct observe *o);
int observe_feature_fd(const struct observe *o);

/* Reads pending events of either socket into the picture. 1 when anything changed, 0, negative errno. After
 * an overrun it refreshes by itself and counts it. A notification whose features differ from ours only says
 * that something happened: the link, and what stands on it (a change of wanted alone is never notified), is
 * read again, so that an old notification in the queue never replaces newer truth, and the echo of our own
 * write changes nothing. */
int observe_read_links(struct observe *o);
int observe_read_features(struct observe *o);

/* Reads the features of one link again, and clears features_stale. -ENODEV: gone, renamed or another one
 * now; it stays stale and the event that tells is on its way. -EOPNOTSUPP: it has none (has_features is
 * false then). */
int observe_features(struct observe *o, struct link *link);

/* Has the driver asked again for what is wanted and not active (ethtool_features_recompute()), and reads the
 * link. */
int observe_recompute(struct observe *o, struct link *link);

/* uname, host name, virtualization (DMI and /proc, no D-Bus). */
void rule_host_read(struct rule_host *ret);

#endif
