/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "path/path_wire.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "basic/util.h"

#define MAGIC UINT32_C(0x4f464c50) /* "OFLP" */

struct wire { /* big endian */
	uint32_t magic;
	uint16_t version, status;
	uint64_t count;
};
_Static_assert(sizeof(struct wire) == PATH_WIRE_FRAME, "no padding");

void path_wire_encode(const struct path_frame *frame, uint8_t ret[PATH_WIRE_FRAME])
{
	const struct wire wire = { htobe32(MAGIC), htobe16(frame->version), htobe16(frame->status), htobe64(frame->count) };

	memcpy(ret, &wire, sizeof(wire));
}

int path_wire_decode(const uint8_t text[PATH_WIRE_FRAME], struct path_frame *ret)
{
	struct wire wire;

	memcpy(&wire, text, sizeof(wire));
	if (be32toh(wire.magic) != MAGIC)
		return -EPROTO;
	*ret = (struct path_frame){ be16toh(wire.version), be16toh(wire.status), be64toh(wire.count) };
	return 0;
}

const char *path_status_words(uint16_t status)
{
	static const char *const words[PATH_STATUS_COUNT] = {
		[PATH_TOO_MUCH] = "the receiver accepts no more bytes from this host for now",
		[PATH_TOO_LONG] = "the receiver accepts no more transfers from this host for now",
		[PATH_OTHER_VERSION] = "the receiver uses another protocol version",
	};

	return status < PATH_STATUS_COUNT ? words[status]
					  : "the receiver refused for an unknown reason";
}

struct path_sender *path_budget_find(
	struct path_budget *budget, const uint8_t address[16], uint64_t now_usec)
{
	struct path_sender *oldest = &budget->senders[0], *found = NULL;

	for (size_t i = 0; i < budget->n; i++) {
		struct path_sender *s = &budget->senders[i];

		if (memcmp(s->address, address, sizeof(s->address)) == 0)
			found = s;
		if (s->last_usec < oldest->last_usec)
			oldest = s;
	}
	if (!found || now_usec - found->since_usec > PATH_SERVE_WINDOW_USEC) {
		if (!found)
			found = budget->n < PATH_SENDERS_MAX ? &budget->senders[budget->n++] : oldest;
		*found = (struct path_sender){ .since_usec = now_usec };
		memcpy(found->address, address, sizeof(found->address));
	}
	found->last_usec = now_usec;
	return found;
}

enum path_status path_budget_ask(const struct path_budget *budget, const struct path_sender *sender,
	uint64_t bytes, uint64_t *ret_left)
{
	*ret_left = sender->bytes < budget->bytes_max ? budget->bytes_max - sender->bytes : 0;
	if (sender->busy_usec >= budget->busy_usec_max)
		return PATH_TOO_LONG;
	return bytes > *ret_left ? PATH_TOO_MUCH : PATH_GO;
}
