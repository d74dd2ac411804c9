/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames of check-path as a sender might send them, each with the last byte of its address and a time: what the receiver accepts stays
 * within the limits of each sender. */
#include "fuzz.h"

#include "path/path_wire.h"

#define BYTES_MAX 1000000
#define BUSY_MAX 60

struct request {
	uint8_t address, busy_sec, wait_sec, frame[PATH_WIRE_FRAME];
};

static void check_frame(const uint8_t *text, struct path_frame *frame, bool *ret_valid)
{
	uint8_t again[PATH_WIRE_FRAME];
	int r = path_wire_decode(text, frame);

	assert(r == 0 || r == -EPROTO);
	*ret_valid = r == 0;
	if (r < 0)
		return;
	path_wire_encode(frame, again);
	assert(memcmp(text, again, sizeof(again)) == 0);
	assert(frame->status == PATH_GO || *path_status_words(frame->status));
}

static void take(struct path_budget *budget, const struct request *request, uint64_t now_usec)
{
	uint8_t address[16] = { [15] = request->address };
	struct path_frame frame;
	struct path_sender *sender;
	enum path_status status;
	uint64_t left;
	bool valid;

	check_frame(request->frame, &frame, &valid);
	sender = path_budget_find(budget, address, now_usec);
	assert(memcmp(sender->address, address, sizeof(address)) == 0 && sender->last_usec == now_usec);
	assert(now_usec - sender->since_usec <= PATH_SERVE_WINDOW_USEC && budget->n <= PATH_SENDERS_MAX);
	status = path_budget_ask(budget, sender, valid ? frame.count : 0, &left);
	assert(status < PATH_OTHER_VERSION && left <= BYTES_MAX);
	if (status == PATH_GO && valid) {
		assert(frame.count <= left);
		sender->bytes += frame.count;
		sender->busy_usec += request->busy_sec;
	}
	assert(sender->bytes <= BYTES_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct path_budget budget = { .bytes_max = BYTES_MAX, .busy_usec_max = BUSY_MAX };
	struct request request;
	uint64_t now_usec = 1;

	for (; size >= sizeof(request); data += sizeof(request), size -= sizeof(request)) {
		memcpy(&request, data, sizeof(request));
		now_usec += request.wait_sec * USEC_PER_SEC;
		take(&budget, &request, now_usec);
	}
	return 0;
}
