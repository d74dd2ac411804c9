/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The protocol of `offloadctl check-path`, version 1, and how much a receiver takes. One TCP connection for each transfer:
 *
 *   sender    request: how many bytes will follow
 *   receiver  answer: may they, and what is left for this sender
 *   sender    the bytes
 *   receiver  answer: how many came
 *
 * A frame is 16 bytes, big endian: magic, version, status, count. Pure. */
#ifndef OFFLOADD_PATH_WIRE_H
#define OFFLOADD_PATH_WIRE_H

#include <stddef.h>
#include <stdint.h>

#define PATH_WIRE_VERSION 1
#define PATH_WIRE_FRAME 16
#define PATH_PORT 5629
#define PATH_SERVE_BYTES (UINT64_C(4) << 30)	    /* that one sender may send in PATH_SERVE_WINDOW_USEC */
#define PATH_SERVE_USEC (UINT64_C(120) * 1000 * 1000) /* and for how long it may keep us busy */
#define PATH_SERVE_WINDOW_USEC (UINT64_C(600) * 1000 * 1000)

enum path_status {
	PATH_GO,	 /* the bytes may come; or: they came */
	PATH_TOO_MUCH,	 /* more than this sender may still send */
	PATH_TOO_LONG,	 /* its time is used up */
	PATH_OTHER_VERSION,
};
#define PATH_STATUS_COUNT 4

struct path_frame {
	uint16_t version;
	uint16_t status; /* enum path_status, or a later version's */
	uint64_t count;
};

/* A frame as bytes, and back. */
void path_wire_encode(const struct path_frame *frame, uint8_t ret[PATH_WIRE_FRAME]);
/* -EPROTO for what is none of ours. */
int path_wire_decode(const uint8_t text[PATH_WIRE_FRAME], struct path_frame *ret);

/* What a receiver's answer means, NULL for PATH_GO. */
const char *path_status_words(uint16_t status);

/* What senders have used, by address; the one that was longest away is forgotten for a new one. */
#define PATH_SENDERS_MAX 32
struct path_sender {
	uint8_t address[16];
	uint64_t since_usec, bytes, busy_usec, last_usec;
};
struct path_budget {
	uint64_t bytes_max, busy_usec_max;
	struct path_sender senders[PATH_SENDERS_MAX];
	size_t n;
};

/* The entry of a sender; a new one, or an emptied one when its window is over. */
struct path_sender *path_budget_find(
	struct path_budget *budget, const uint8_t address[16], uint64_t now_usec);
/* May it send that many bytes? *ret_left: what it may send at most. */
enum path_status path_budget_ask(const struct path_budget *budget, const struct path_sender *sender,
	uint64_t bytes, uint64_t *ret_left);

#endif
