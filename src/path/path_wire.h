/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The protocol of `offloadctl check-path`, version 1, and the limits of a receiver. One TCP connection for each transfer:
 *
 *   sender    request: the number of bytes that will follow
 *   receiver  status, and the number of bytes that this sender may still send
 *   sender    the bytes
 *   receiver  status, and the number of bytes received
 *
 * A frame is 16 bytes, big endian: magic, version, status, count. Pure. */
#ifndef OFFLOADD_PATH_WIRE_H
#define OFFLOADD_PATH_WIRE_H

#include <stddef.h>
#include <stdint.h>

#define PATH_WIRE_VERSION 1
#define PATH_WIRE_FRAME 16
#define PATH_PORT 5629
#define PATH_SERVE_BYTES (UINT64_C(4) << 30)	    /* default limit of one sender in PATH_SERVE_WINDOW_USEC */
#define PATH_SERVE_USEC (UINT64_C(120) * 1000 * 1000) /* and how long its transfers may take */
#define PATH_SERVE_WINDOW_USEC (UINT64_C(600) * 1000 * 1000)

enum path_status {
	PATH_GO,	 /* accepted; or received */
	PATH_TOO_MUCH,	 /* more bytes than this sender may still send */
	PATH_TOO_LONG,	 /* no time left for this sender */
	PATH_OTHER_VERSION,
};
#define PATH_STATUS_COUNT 4

struct path_frame {
	uint16_t version;
	uint16_t status; /* enum path_status, or one of a later version */
	uint64_t count;
};

/* Converts a frame to bytes, and back. */
void path_wire_encode(const struct path_frame *frame, uint8_t ret[PATH_WIRE_FRAME]);
/* 0; -EPROTO: the magic is missing. */
int path_wire_decode(const uint8_t text[PATH_WIRE_FRAME], struct path_frame *ret);

/* The meaning of a status, static; NULL for PATH_GO. */
const char *path_status_words(uint16_t status);

/* What senders have used, by address. With PATH_SENDERS_MAX entries, a new sender replaces the least recently seen one. */
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

/* The entry of a sender, never NULL, borrowed until the next call. It is new or reset if PATH_SERVE_WINDOW_USEC have passed since its
 * first transfer. now_usec: CLOCK_MONOTONIC. */
struct path_sender *path_budget_find(
	struct path_budget *budget, const uint8_t address[16], uint64_t now_usec);
/* May a sender send that many bytes? *ret_left: how many it may still send. */
enum path_status path_budget_ask(const struct path_budget *budget, const struct path_sender *sender,
	uint64_t bytes, uint64_t *ret_left);

#endif
