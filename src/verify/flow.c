/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/flow.h"

#include <netinet/in.h>
#include <sys/socket.h>

static enum frame_wrong judge_id(struct flow *flow, const struct segment *s)
{
	bool follows = !flow->has_id || s->id == flow->id;

	flow->has_id = true;
	flow->id = (uint16_t)(s->id + s->segments);
	return follows ? FRAME_RIGHT : FRAME_ID;
}

static enum frame_wrong judge_sequence(struct flow *flow, const struct segment *s)
{
	uint32_t next = s->sequence + (uint32_t)s->payload + s->syn + s->fin;
	bool gap = flow->has_sequence && (int32_t)(s->sequence - flow->sequence) > 0;

	if (s->syn) {
		flow->has_first = true;
		flow->first = s->sequence;
	}
	if (!flow->has_sequence || (int32_t)(next - flow->sequence) > 0)
		flow->sequence = next;
	flow->has_sequence = true;
	return gap ? FRAME_ORDER : FRAME_RIGHT;
}

enum frame_wrong flow_judge(struct flow *flow, const struct segment *s)
{
	enum frame_wrong wrong = s->protocol == IPPROTO_TCP ? judge_sequence(flow, s) : FRAME_RIGHT;
	enum frame_wrong id = s->family == AF_INET ? judge_id(flow, s) : FRAME_RIGHT;

	return wrong != FRAME_RIGHT ? wrong : id;
}

bool flow_is_complete(const struct flow *flow, size_t bytes)
{
	return flow->has_first && flow->sequence == flow->first + 1 + (uint32_t)bytes;
}

void flow_forget(struct flow *flow)
{
	*flow = (struct flow){ 0 };
}
