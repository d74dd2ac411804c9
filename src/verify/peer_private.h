/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One end of verify --peer: peer_end.c has the sender and the receiver, peer.c the client, peer_serve.c the server. */
#ifndef OFFLOADD_PEER_PRIVATE_H
#define OFFLOADD_PEER_PRIVATE_H

#include <arpa/inet.h>

#include "basic/util.h"
#include "verify/capture.h"
#include "verify/known.h"
#include "verify/peer.h"

#define STEP_USEC (5 * USEC_PER_SEC) /* for an answer of the other end */
#define TICK_MSEC 200

/* enum path_status has the others. */
enum { PEER_HELLO = 100, PEER_CASE, PEER_SENT, PEER_STOP, PEER_END, PEER_FAILED };

/* What one end saw of a case. */
struct peer_sight {
	enum frame_wrong wrong;
	bool arrived; /* about the data that arrived; otherwise about a packet at the interface */
	bool backward; /* in what the receiver sends */
	bool lost, refused;
	uint16_t packets;
	uint8_t merged, unseen; /* at most 255 */
};

/* Datagrams of `part` bytes; 0: TCP. */
struct peer_send {
	size_t begin, end, part;
};

struct peer_end {
	const volatile int *stop;
	int ifindex;
	int control, fd; /* the data */
	int refusal; /* errno of the other end, as it says */
	uint64_t until_usec; /* CLOCK_MONOTONIC: nothing is waited for any longer, whatever the other end does */
	enum verify_packet packet;
	bool sends;
	uint16_t client_port;
	struct capture capture;
	struct peer_sight sight;
	uint8_t *data, *buffer;
	struct peer_send sends_seen[KNOWN_SENDS]; /* of the receiver: what was sent so far */
	size_t n_sends;
	size_t sent, received;
	size_t mss; /* of TCP */
};

bool peer_end_is_tcp(const struct peer_end *e);
/* Sends a frame; waits for an event, or for a frame, at most usec and not longer than until_usec. 0; -ENODEV: the interface is gone; -EPROTONOSUPPORT: a frame of another
 * version; another negative errno. */
int peer_end_say(const struct peer_end *e, uint16_t status, uint64_t count);
int peer_end_wait(const struct peer_end *e, int fd, short events, uint64_t usec);
int peer_end_hear(const struct peer_end *e, uint64_t usec, struct path_frame *ret);

/* Before anybody is asked: is it possible to capture? 0; negative errno, why: the message. */
int peer_end_try_capture(char *why);
/* Allocates; descriptors are -1 before. 0 or -ENOMEM. */
int peer_end_init(struct peer_end *e);
void peer_end_clear(struct peer_end *e);
/* Between the two, the caller opens e->fd and e->capture. */
void peer_end_case_begin(struct peer_end *e, enum verify_packet packet, bool sends);
void peer_end_case_done(struct peer_end *e);
/* Sends or receives the data of a case. *ret_other: what the other end saw. 0 or negative errno. */
int peer_end_run(struct peer_end *e, struct peer_sight *ret_other);

/* Where an in6 has it, too. */
static inline void peer_move_port(union path_address *address, unsigned by)
{
	address->in.sin_port = htons((uint16_t)(ntohs(address->in.sin_port) + by));
}

#endif
