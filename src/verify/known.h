/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The data that is sent, in which sizes, and what of it arrived. Pure. */
#ifndef OFFLOADD_KNOWN_H
#define OFFLOADD_KNOWN_H

#include "verify/frame.h"

#define KNOWN_BYTES (1u << 20)
#define KNOWN_BUFFER (256u << 10) /* for what arrives */

/* KNOWN_BYTES of data, the same each time: no part repeats in a way that would hide a swap. The caller's to free; NULL: no memory. */
uint8_t *known_make(void);

#define KNOWN_SENDS 11
struct known_send {
	size_t bytes;
	size_t part; /* the size of the datagrams, of which the last may be shorter; 0: TCP */
};
/* What is sent, one after another: around one and several segments, odd sizes, and what a packet can have at most. mss: of TCP, 0:
 * unknown; of UDP, the data of a datagram that fits. How many of ret are used. */
size_t known_list_tcp(size_t mss, struct known_send ret[KNOWN_SENDS]);
size_t known_list_udp(size_t mss, struct known_send ret[KNOWN_SENDS]);

/* Are the n bytes at `got` what comes next? sent, received: bytes from the start of data. part: as above. */
enum frame_wrong known_judge(const uint8_t *data, size_t sent, size_t received, size_t part, const uint8_t *got, size_t n);

#endif
