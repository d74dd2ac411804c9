/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "path/path_wire.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "basic/util.h"

#define MAGIC UINT32_C(0x4f464c50) /* "OFLP" */

void path_wire_encode(const struct path_frame *frame, uint8_t ret[PATH_WIRE_FRAME])
{
	uint32_t magic = htobe32(MAGIC);
	uint16_t version = htobe16(frame->version), status = htobe16(frame->status);
	uint64_t count = htobe64(frame->count);

	memcpy(ret, &magic, sizeof(magic));
	memcpy(ret + 4, &version, sizeof(version));
	memcpy(ret + 6, &status, sizeof(status));
	memcpy(ret + 8, &count, sizeof(count));
}

int path_wire_decode(const uint8_t text[PATH_WIRE_FRAME], struct path_frame *ret)
{
	uint32_t magic;
	uint16_t version, status;
	uint64_t count;

	memcpy(&magic, text, sizeof(magic));
	memcpy(&version, text + 4, sizeof(version));
	memcpy(&status, text + 6, sizeof(status));
	memcpy(&count, text + 8, sizeof(count));
	if (be32toh(magic) != MAGIC)
		return -EPROTO;
	*ret = (struct path_frame){
		.version = be16toh(version),
		.status = be16toh(status),
		.count = be64toh(count),
	};
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
