/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Captured packets of `offloadctl verify`. The first bytes say what the kernel says about the packet. */
#include "fuzz.h"

#include "verify/flow.h"

struct about {
	uint8_t flags, start, offset, gso_size;
	uint16_t protocol;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct flow flow = { 0 };
	struct segment segment;
	struct about about;
	enum frame_wrong wrong;

	if (size < sizeof(about))
		return 0;
	memcpy(&about, data, sizeof(about));
	wrong = frame_check(&(struct frame){ .data = data + sizeof(about), .len = size - sizeof(about), .ethernet = about.flags & 1,
		.open = about.flags & 2, .device = about.flags & 4, .outgoing = about.flags & 8, .start = about.start, .offset = about.offset, .gso_size = about.gso_size,
		.protocol = about.protocol }, &segment);
	assert(wrong < FRAME_WRONGS && *frame_wrong_text(wrong) && segment.segments >= 1 && segment.payload <= size);
	assert(flow_judge(&flow, &segment) == FRAME_RIGHT);
	assert(flow_judge(&flow, &segment) < FRAME_WRONGS); /* the same again: only its id may be wrong */
	(void)flow_is_complete(&flow, segment.payload);
	return 0;
}
