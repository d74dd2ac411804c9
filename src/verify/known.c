/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/known.h"

#include <stdlib.h>
#include <string.h>

#include "basic/util.h"

#define UDP_PART 1000
#define UDP_PARTS 63 /* and one of 7 bytes: UDP_SEGMENT takes 64 at most up to Linux 6.8 */

uint8_t *known_make(void)
{
	uint8_t *data = malloc(KNOWN_BYTES);
	uint64_t x = 88172645463325252;

	for (size_t i = 0; data && i < KNOWN_BYTES; i += sizeof(x)) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(data + i, &x, sizeof(x));
	}
	return data;
}

size_t known_list_tcp(size_t mss, struct known_send ret[KNOWN_SENDS])
{
	size_t m = mss ? mss : 1000;
	const size_t sizes[] = { 1, m - 1, m, m + 1, 2 * m, 7 * m + 13, 33333, 65535, 65536 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		ret[i] = (struct known_send){ sizes[i], 0 };
	return ARRAY_SIZE(sizes);
}

size_t known_list_udp(size_t mss, struct known_send ret[KNOWN_SENDS])
{
	size_t m = mss, part = m < UDP_PART ? m : UDP_PART;
	const struct known_send sends[] = { { 1, 1 }, { 2, 2 }, { part - 1, part - 1 }, { m, m }, { 3, 1 }, { 1000, 100 }, { 1001, 100 }, { 4 * m, m },
		{ 4 * m + 1, m }, { 5 * m - 1, m }, { UDP_PARTS * part + 7, part } };

	_Static_assert(ARRAY_SIZE(sends) <= KNOWN_SENDS, "there is room");
	memcpy(ret, sends, sizeof(sends));
	return ARRAY_SIZE(sends);
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Is it a later datagram than expected? */
static bool is_later(const uint8_t *data, size_t sent, size_t received, size_t part, const uint8_t *got, size_t n)
{
	for (size_t at = received + part; at < sent; at += part)
		if (n == smaller(sent - at, part) && memcmp(got, data + at, n) == 0)
			return true;
	return false;
}

enum frame_wrong known_judge(const uint8_t *data, size_t sent, size_t received, size_t part, const uint8_t *got, size_t n)
{
	size_t left = sent - received;
	enum frame_wrong wrong = FRAME_SIZE;

	if (part == 0 || n == smaller(left, part))
		wrong = n > left || n == 0 || memcmp(got, data + received, n) != 0 ? FRAME_DATA : FRAME_RIGHT;
	return wrong != FRAME_RIGHT && part && is_later(data, sent, received, part, got, n) ? FRAME_LOST : wrong;
}
