/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sending and receiving for `offloadctl check-path`: sockets bound to a device, one connection for each
 * transfer, everything within limits of bytes and time. The protocol is path_wire.h's. */
#ifndef OFFLOADD_PATH_LINK_H
#define OFFLOADD_PATH_LINK_H

#include <netinet/in.h>

#include "path/path.h"
#include "path/path_wire.h"

#define PATH_DATA_BYTES (32u << 20) /* what is sent, again and again: more than a cache holds */
#define PATH_WHY_LEN 256

union path_address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};
#define PATH_ADDRESS_LEN 80
/* "192.0.2.1", "192.0.2.1:5629", "2001:db8::1", "[2001:db8::1]:5629"; no names. -EINVAL. */
int path_address_parse(const char *text, uint16_t default_port, union path_address *ret);
const char *path_address_format(const union path_address *address, char buf[PATH_ADDRESS_LEN]);

struct path_target {
	union path_address peer;
	const char *device; /* SO_BINDTODEVICE, NULL for none */
	uint64_t bytes_max, usec_max;
	const volatile int *stop; /* not 0: give up, -EINTR */
};

/* Measures within the target's limits. 0; negative errno with what failed in words. */
int path_measure(const struct path_target *target, struct path_run *ret, char why[PATH_WHY_LEN]);

struct path_server {
	int fd;
	struct path_budget budget;
	const volatile int *stop;
	/* A transfer ended (reason NULL), or was refused or broken off. May be NULL. */
	void (*served)(const union path_address *peer, uint64_t bytes, const char *reason, void *userdata);
	void *userdata;
};

/* Listens; *address gets the port that it was. device may be NULL. */
int path_listen(union path_address *address, const char *device, char why[PATH_WHY_LEN]);
/* Pieces that both ends use: negative errno; a wait ends with -ETIMEDOUT at the deadline, -EINTR when *stop
 * is not 0. */
int path_socket_open(int family, const char *device);
int path_socket_wait(int fd, short events, uint64_t deadline_usec, const volatile int *stop);
int path_frame_send(int fd, const struct path_frame *frame);
int path_frame_receive(
	int fd, uint64_t deadline_usec, const volatile int *stop, struct path_frame *ret);

/* Receives from one sender after another until stopped or `usec` are over (0: never). 0 or negative errno. */
int path_serve(struct path_server *server, uint64_t usec);

#endif
