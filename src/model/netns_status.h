/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What offloadd knows of a network namespace other than its own. Of fixed size, because one process sends it to another. Pure. */
#ifndef OFFLOADD_NETNS_STATUS_H
#define OFFLOADD_NETNS_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "basic/hash.h"
#include "model/verdict.h"

#define NETNS_LABEL_LEN 128

enum netns_look {
	NETNS_UNSEEN,	/* not looked at yet */
	NETNS_SEEN,
	NETNS_DEFERRED, /* it has used up its share of time: the rest is older than its last change */
	NETNS_TOO_MANY, /* it has more links than are looked at, and none was checked */
	NETNS_FAILED,	/* it could not be entered or read (error) */
};
#define NETNS_LOOKS 5

/* Printable, truncated to fit. */
struct netns_status {
	uint64_t inode, cookie, birth; /* as in kernel/namespaces.h */
	char label[NETNS_LABEL_LEN];   /* what people call it */
	char container[NETNS_LABEL_LEN], unit[NETNS_LABEL_LEN]; /* "" for none */
	enum netns_look look;
	int error;
	bool gone, enforce;
	uint32_t links, declared; /* links, and those that a rule applies to */
	uint32_t with[VERDICT_COUNT]; /* links by verdict, as in struct link_summary */
	uint32_t features[VERDICT_COUNT];
	uint32_t pending, unread;
	uint64_t visits, sets;
};

/* All of a host. Starts zeroed. */
struct netns_statuses {
	struct netns_known {
		struct netns_status status;
		unsigned generation; /* for the owner */
		UT_hash_handle hh; /* by inode */
	} *list;
	const char *mode; /* "host", "observe", "enforce" */
	bool running; /* somebody looks at them */
	bool more; /* there are more than are looked at */
	int error; /* negative errno: why nobody does */
};

/* The name in documents, "deferred". Static. */
const char *netns_look_name(enum netns_look look);
/* Was it looked at in full, and does every declared feature match? */
bool netns_status_is_compliant(const struct netns_status *status);
/* How many were looked at, and are not compliant. */
size_t netns_statuses_count_bad(const struct netns_statuses *all);
/* Keeps a copy instead of the one of the same inode; one that is gone is removed. 0 or -ENOMEM. */
int netns_statuses_take(struct netns_statuses *all, const struct netns_status *status, unsigned generation);
/* Removes all that are not of this generation. */
void netns_statuses_expire(struct netns_statuses *all, unsigned generation);
void netns_statuses_clear(struct netns_statuses *all);

#endif
