/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The links of this network namespace and their features, read once or kept up to date by events. Combines
 * rtnl.c and ethtool.c; offloadctl and offloadd both use it. */
#ifndef OFFLOADD_OBSERVE_H
#define OFFLOADD_OBSERVE_H

#include "basic/util.h"
#include "kernel/ethtool.h"
#include "kernel/netns.h"
#include "model/link.h"
#include "kernel/rtnl.h"
#include "rules/rule.h"

/* A link that udev has not initialised after this time keeps the name that it has. */
#define OBSERVE_NAME_USEC (UINT64_C(30) * 1000 * 1000)
#define OBSERVE_TOUCHED_MAX 64 /* links to read one by one; more are read by a dump */

struct observe_options {
	enum ethtool_backend backend;
	bool monitor;	      /* subscribe to events */
	size_t rcvbuf_bytes;  /* of each monitor socket, 0: 16 MiB */
	const struct netns_sockets *sockets; /* read another network namespace through copies of these, without monitor; NULL: none */
	const struct feature_table *features; /* as read before; NULL: read them */
	size_t links_max; /* read no more links than these, see observe.cut; 0: all */
};

struct observe_counts {
	uint64_t overruns;	 /* overflows of a receive buffer, each followed by a full dump */
	uint64_t link_events, feature_events;
	uint64_t dumps;
};

struct observe {
	struct rtnl *rtnl;
	struct ethtool *ethtool;
	struct feature_table features;
	struct link_table links;
	struct observe_counts counts;
	bool want_routes; /* read default routes; changes take effect with the next observe_refresh() */
	bool want_forwarding; /* the same for link.forwards */
	bool want_hardware; /* read link.hardware; the same */
	bool want_names;  /* find out whether names are final (link.naming); the same */
	/* Called for each link that appeared (its features are stale: call observe_features()), whose
	 * attributes or features changed, or that was removed (link is NULL then). May be NULL. Must not
	 * remove links or read events. Not called for changes that observe_features() finds. */
	void (*changed)(int ifindex, struct link *link, void *userdata);
	void *userdata;
	/* For tests: set or, if set is NULL, read the limits of a link in place of rtnetlink. NULL: none. */
	int (*limits)(struct link *link, const struct link_limits *set, char *text, size_t size);

	bool cut; /* the last dump had more than links_max links, and some of them are missing */
	size_t n_unnamed;    /* links whose name is not final */
	uint64_t names_usec; /* when to call observe_end_names(), 0: never; CLOCK_MONOTONIC */

	/* private */
	enum ethtool_backend backend;
	size_t links_max;
	bool without_udev; /* a network namespace that udev does not know */
	bool elsewhere;	   /* it is not that of this process */
	int names_fd; /* -1: not needed so far */
	bool has_monitor;    /* there are feature notifications; without them each link event makes features stale */
	unsigned generation; /* number of the last dump of links */
	bool any;	     /* something changed during the current read */
	bool routes_stale;   /* a link was set up or down, which changes its routes */
	bool limits_outdated; /* an event changed limits; it may be older than our own SET, of which there is no event: read again */
	bool forwarding_stale; /* a link appeared; the kernel reports its settings before it reports the link */
	int error;	     /* of a callback */
	int touched[OBSERVE_TOUCHED_MAX]; /* links whose features may have changed: to be read */
	unsigned n_touched;  /* above OBSERVE_TOUCHED_MAX: read all */
};

/* Opens rtnetlink and ethtool in the network namespace of the calling thread, and reads the feature names,
 * but no links. *ret: the caller's to observe_close(). 0; negative errno, and *ret_what is what failed:
 * "ethtool netlink", "rtnetlink", "feature names" (static). */
int observe_open(const struct observe_options *options, struct observe **ret, const char **ret_what);
/* Closes it and frees all links; NULL is ignored. */
void observe_close(struct observe *o);
CLEANUP_POINTER(struct observe, observe_close)

/* Between two looks at another network namespace: closes the copies of its sockets, which keep it alive. All functions but these two
 * and observe_close() need them. observe_attach(): 0, negative errno, and then they are closed. */
void observe_detach(struct observe *o);
int observe_attach(struct observe *o, const struct netns_sockets *sockets);

/* Reads everything by dumps: links, features, default routes if want_routes, and forwarding if want_forwarding. Removes links that no longer
 * exist. 0, negative errno. */
int observe_refresh(struct observe *o);

/* File descriptors for poll(2), owned by o. -EOPNOTSUPP: there are no such events (before ethtool netlink,
 * link events report feature changes). */
int observe_link_fd(const struct observe *o);
int observe_feature_fd(const struct observe *o);

/* Reads the pending events of a socket without blocking, and updates the links. After an overrun, calls
 * observe_refresh(). A message about a link that changes no attribute, unless it is about features, causes a
 * read of its features: some changes of features have no notification. A notification with features that
 * differ from ours causes a new read of the link and the links above it, for which the kernel sends none if
 * only `wanted` changes. So an outdated notification never replaces newer features, and the one about our own
 * SET changes nothing. 1: something changed; 0; negative errno. */
int observe_read_links(struct observe *o);
int observe_read_features(struct observe *o);

/* The descriptor of messages about names: -1 until there was a link whose name was not final, afterwards owned by o. */
int observe_name_fd(const struct observe *o);
/* Reads them, and finds the links whose names are final now. 1: there were some; 0. */
int observe_read_names(struct observe *o);
/* Lets names that have not become final in OBSERVE_NAME_USEC count as final, and calls fn for each. */
void observe_end_names(struct observe *o, uint64_t now_usec, void (*fn)(const struct link *link, void *userdata), void *userdata);

/* Reads the features of one link, and clears features_stale. 0; -ENODEV: it was removed or renamed, and stays
 * stale until the event about that is read; -EOPNOTSUPP: it has no features (has_features is false then);
 * other negative errno. */
int observe_features(struct observe *o, struct link *link);

/* Reads the attributes of one link again, its limits among them. 1: they changed; 0; -ENODEV: it was removed; other negative
 * errno. */
int observe_link(struct observe *o, struct link *link);

/* Reads the attributes of all links again, after the pending events, by one dump: the kernel sends no event when a limit is
 * changed. 0, negative errno. */
int observe_read_limits(struct observe *o);

/* See rtnl_set_limits(). */
int observe_set_limits(struct observe *o, const struct link *link, const struct link_limits *set, char *text, size_t size);

/* Calls ethtool_features_recompute() for a link, and reads its features. 0, negative errno. */
int observe_recompute(struct observe *o, struct link *link);

/* Reads the kernel release and host name (uname(2)), and the virtualization (/proc, /run, CPUID, DMI). What
 * is not available is "". */
void rule_host_read(struct rule_host *ret);

#endif
