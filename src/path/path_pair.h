/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two temporary network namespaces, joined by a link with the features of a given one (the stand-in). They have no name, and only
 * this process and a child use them, so the kernel removes them with their links when both have exited, for whatever reason. */
#ifndef OFFLOADD_PATH_PAIR_H
#define OFFLOADD_PATH_PAIR_H

#include <sys/types.h>

#include "kernel/ethtool.h"
#include "model/link.h"
#include "path/path_link.h"

struct path_pair {
	pid_t receiver;
	int control_fd; /* the receiver exits when it is closed */
	union path_address peer;
	char device[LINK_NAME_LEN];
	bool vlan;	       /* a VLAN on a veth; otherwise a veth alone */
	feature_set differing; /* active features that could not be set as on the given link */
};

/* Moves this process into a new network namespace permanently; without privilege, into a new user namespace too
 * (user_namespaces(7)). like: the link to imitate, read before. stop: as in path_link.h. ret: released by path_pair_close(), also
 * after an error. 0; negative errno, why: the message. */
int path_pair_open(const struct link *like, const volatile int *stop, struct path_pair *ret,
	char why[PATH_WHY_LEN]);
void path_pair_close(struct path_pair *pair);

#endif
