/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Structs of bpf/event.h as a kernel might send them. What was decoded must be within the ranges that evidence/ indexes arrays with. */
#include "fuzz.h"

#include "evidence/probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *record = fuzz_text(data, size); /* aligned */
	struct probe_holder holder;
	struct probe_change change;
	struct socket_info socket;
	struct probe_hits hits;
	int r, accepted = 0;

	record = realloc(record, size ? size : 1);
	r = probe_parse_event(record, size, &hits);
	assert(r == 0 || r == -EBADMSG);
	if (r == 0) {
		accepted++;
		assert(hits.kind < FALLBACK_KINDS && hits.origin < FALLBACK_ORIGINS && hits.reason < FALLBACK_REASONS);
		assert(hits.ifindex >= 0 && hits.tgid >= 0);
		fuzz_check_name(hits.comm, sizeof(hits.comm));
	}
	r = probe_parse_socket(record, size, &socket);
	assert(r == 0 || r == -EBADMSG);
	if (r == 0) {
		accepted++;
		assert(socket.ifindex >= 0);
	}
	r = probe_parse_change(record, size, &change);
	assert(r == 0 || r == -EBADMSG);
	if (r == 0) {
		accepted++;
		assert(change.root_ifindex >= 0 && change.pid >= 0 && change.parent_pid >= 0);
		fuzz_check_name(change.comm, sizeof(change.comm));
		fuzz_check_name(change.parent_comm, sizeof(change.parent_comm));
	}
	r = probe_parse_holder(record, size, &holder);
	assert(r == 0 || r == -EBADMSG);
	if (r == 0) {
		accepted++;
		assert(holder.tgid >= 0);
	}
	assert(accepted <= 1);
	free(record);
	return 0;
}
