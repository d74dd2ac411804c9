/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The worker: a child of the daemon that looks after all network namespaces but that of the daemon. So what happens in a container
 * never delays a repair on the host. */
#ifndef OFFLOADD_WORKER_H
#define OFFLOADD_WORKER_H

#include "model/netns_status.h"

struct daemon;

/* What the worker sends over a SOCK_SEQPACKET socket. */
struct worker_packet {
	enum {
		WORKER_STATUS,	 /* of a namespace */
		WORKER_COMPLETE, /* all that were found at the start have been reported; again whenever more or error change */
	} what;
	bool more;
	int error; /* of finding them, negative errno; 0 */
	struct netns_status status;
};

/* The child: runs until the other end of the socket is closed. d: as it was when the daemon forked. */
void worker_run(const struct daemon *d, int fd);

#endif
