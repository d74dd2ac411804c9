/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sends and receives for `offloadctl check-path`: one TCP connection for each transfer, bound to an interface, within limits of bytes
 * and time. path_wire.h has the protocol. Deadlines are CLOCK_MONOTONIC. */
#ifndef OFFLOADD_PATH_LINK_H
#define OFFLOADD_PATH_LINK_H

#include <netinet/in.h>

#include "path/path.h"
#include "path/path_wire.h"

#define PATH_DATA_BYTES (32u << 20) /* the data that is sent repeatedly: larger than CPU caches */
#define PATH_WHY_LEN 256

union path_address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};
#define PATH_ADDRESS_LEN 80
/* Parses "192.0.2.1", "192.0.2.1:5629", "2001:db8::1", "[2001:db8::1]:5629"; no host names. 0 or -EINVAL. */
int path_address_parse(const char *text, uint16_t default_port, union path_address *ret);
/* "192.0.2.1:5629". Returns buf. */
const char *path_address_format(const union path_address *address, char buf[PATH_ADDRESS_LEN]);

struct path_target {
	union path_address peer;
	const char *device; /* for SO_BINDTODEVICE, NULL: any interface */
	uint64_t bytes_max, usec_max;
	const volatile int *stop; /* not 0: stop with -EINTR; set by a signal handler */
};

/* Measures within the limits of the target. 0; negative errno, why: the message, "" for -EINTR. */
int path_measure(const struct path_target *target, struct path_run *ret, char why[PATH_WHY_LEN]);

struct path_server {
	int fd;
	struct path_budget budget;
	const volatile int *stop;
	/* Called after each transfer; reason: why it was refused or aborted, NULL if it was complete. May be NULL. */
	void (*served)(const union path_address *peer, uint64_t bytes, const char *reason, void *userdata);
	/* accept(2) fails for a new reason (error: negative errno), and is tried again. May be NULL. */
	void (*refused)(int error, void *userdata);
	void *userdata;
};

/* Opens a listening socket, which the caller closes. *address: where to listen; gets the port if it was 0. device: NULL for any
 * interface. The descriptor; negative errno, why: the message. */
int path_listen(union path_address *address, const char *device, char why[PATH_WHY_LEN]);
/* Used by both ends. A new non-blocking socket of TCP, or of UDP; a wait for events of poll(2); one frame. 0 (or the descriptor) or negative errno:
 * -ETIMEDOUT at the deadline, -EINTR when *stop is not 0, -EPROTO for data that is not a frame. */
int path_socket_open(int family, const char *device);
int path_datagram_open(int family, const char *device);
int path_socket_wait(int fd, short events, uint64_t deadline_usec, const volatile int *stop);
int path_frame_send(int fd, const struct path_frame *frame);
int path_frame_receive(
	int fd, uint64_t deadline_usec, const volatile int *stop, struct path_frame *ret);

/* Receives from one sender after another until *stop is set or usec have passed (0: no limit). 0 or negative errno. */
int path_serve(struct path_server *server, uint64_t usec);

#endif
