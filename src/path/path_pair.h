/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two throw-away network namespaces joined by a link like a given one. They have no name and are held by
 * this process and a child alone: when both end, however they end, the kernel takes namespaces and links
 * away. */
#ifndef OFFLOADD_PATH_PAIR_H
#define OFFLOADD_PATH_PAIR_H

#include <sys/types.h>

#include "kernel/ethtool.h"
#include "model/link.h"
#include "path/path_link.h"

struct path_pair {
	pid_t receiver;
	int control_fd; /* the receiver ends when it is closed */
	union path_address peer;
	char device[LINK_NAME_LEN];
	bool vlan;	       /* a VLAN on a veth; otherwise a veth alone */
	feature_set differing; /* active features in which the stand-in could not be made like the link */
};

/* Moves this process into a new namespace for good. Without privilege it takes a user namespace along. like:
 * the link as it was read before. 0; negative errno with what failed in words. */
int path_pair_open(const struct link *like, const volatile int *stop, struct path_pair *ret,
	char why[PATH_WHY_LEN]);
void path_pair_close(struct path_pair *pair);

#endif
