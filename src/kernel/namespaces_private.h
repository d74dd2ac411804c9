/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What namespaces.c and the child in namespaces_child.c send each other over a SOCK_SEQPACKET socket. */
#ifndef OFFLOADD_NAMESPACES_PRIVATE_H
#define OFFLOADD_NAMESPACES_PRIVATE_H

#include "kernel/namespaces.h"

struct namespaces_request {
	enum { NAMESPACES_LIST, NAMESPACES_NEWS, NAMESPACES_LOOK, NAMESPACES_VISIT, NAMESPACES_LISTEN } what;
	bool docker; /* where to look */
	char name[NAME_MAX + 1];
	uint64_t inode, cookie, birth; /* of a visit */
	uint32_t group; /* of listening */
};

/* The last packet of each reply. A list, and news: after one struct namespace in each packet. A visit, and listening: with the sockets
 * (SCM_RIGHTS). */
struct namespaces_end {
	int error; /* negative errno */
	struct namespaces_missing missing;
};

#define NAMESPACES_SOCKETS 3 /* in the order of struct netns_sockets */

#endif
