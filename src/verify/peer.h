/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify --peer: known data between two hosts, in both directions, over an interface as it is: nothing is changed. Both ends capture the
 * packets of the test, and only those.
 *
 * The frames of path_wire.h pass on a TCP connection to the port of the peer; the data on TCP or UDP to the port after it:
 *
 *   client    PEER_HELLO
 *   server    PATH_GO; or PATH_OTHER_VERSION, and it hangs up
 *   client    PEER_CASE, count: mode << 24 | packet << 16 | its port for the data
 *   server    PATH_GO; or PEER_FAILED, count: errno
 *   sender    PEER_SENT, count: size of datagrams << 32 | all bytes that were sent so far
 *   receiver  PATH_GO; or PEER_STOP: something is wrong, or nothing more arrives
 *   ...
 *   sender    PEER_END, count: what it saw
 *   receiver  PEER_END, count: what it saw
 *
 * Then the next PEER_CASE follows. The server gives a host two minutes, and each case twice. */
#ifndef OFFLOADD_PEER_H
#define OFFLOADD_PEER_H

#include "path/path_link.h"
#include "verify/verify.h"

#define PEER_VERSION 0x5602 /* so that check-path, which is 1, knows it as another version */
#define PEER_PORT 5630	    /* the data: the next one */
#define PEER_BYTES (2 << 20) /* what is sent at most, both directions together */

struct peer_target {
	union path_address address;
	const char *device;
	int ifindex;
};

/* Runs all cases of the family of the address. ret->cases[].link: target->device, borrowed. 0; negative errno, why: the message, "" for
 * -EINTR. */
int peer_verify(const struct peer_target *target, const struct verify_watch *watch, struct verify_result *ret, char why[PATH_WHY_LEN]);

struct peer_server {
	int fd, data_fd;	/* listening; closed by peer_close() */
	uint16_t port;
	const char *device; /* NULL: that with the address to which the other host connects */
	const volatile int *stop;
	/* A host has connected (done: false), or is gone; why: the message, NULL if all went well. */
	void (*served)(const union path_address *peer, bool done, const char *why);
};

/* Listens on an address and the port after its one. Tries to capture, which fails without the privilege. server->fd, data_fd: -1 before.
 * 0; negative errno, why: the message. */
int peer_listen(struct peer_server *server, union path_address *address, char why[PATH_WHY_LEN]);
void peer_close(struct peer_server *server);
/* Serves one host after another until *stop is set or usec have passed. 0 or negative errno. */
int peer_serve(struct peer_server *server, uint64_t usec);

#endif
