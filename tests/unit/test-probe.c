/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records as the kernel's half writes them, and as it does not. */
#include "unit.h"

#include <linux/types.h>

#include "bpf/event.h"
#include "evidence/probe.h"

#define HEADER(record, t)                                                                          \
	(struct event_header){ .version = EVENT_VERSION, .type = t, .size = sizeof(record) }

static void good_records_are_understood(void **state)
{
	struct fallback_event event = { .key = { .cgroup = 77, .netns = 3, .ifindex = 9,
						.kind = FALLBACK_CHECKSUM, .origin = FALLBACK_FORWARDED,
						.reason = FALLBACK_REASON_VLAN },
		.time_ns = 5000, .pid = 12, .comm = "a\x1b[2J" };
	struct socket_record socket = { .cgroup = 78, .ifindex = 4, .family = 10, .local_port = 80,
		.state = 1, .expired = 1, .gso_max_size = 65215, .local = { [15] = 1 } };
	struct change_record change = { .time_ns = 7000, .before = 5, .after = 1, .root_ifindex = 2,
		.pid = 3, .ppid = 4, .comm = "ethtool", .parent_comm = "sixteen-letters!" };
	struct probe_hits hits;
	struct socket_info info;
	struct probe_change c;

	(void)state;
	event.header = HEADER(event, EVENT_TYPE_FALLBACK);
	assert_int_equal(probe_parse_event(&event, sizeof(event), &hits), 0);
	assert_int_equal(hits.kind, FALLBACK_CHECKSUM);
	assert_int_equal(hits.origin, FALLBACK_FORWARDED);
	assert_int_equal(hits.reason, FALLBACK_REASON_VLAN);
	assert_int_equal(hits.cgroup, 77);
	assert_int_equal(hits.ifindex, 9);
	assert_int_equal(hits.last_usec, 5);
	assert_string_equal(hits.comm, "a?[2J");

	socket.header = HEADER(socket, EVENT_TYPE_SOCKET);
	assert_int_equal(probe_parse_socket(&socket, sizeof(socket), &info), 0);
	assert_int_equal(info.cgroup, 78);
	assert_int_equal(info.local_port, 80);
	assert_int_equal(info.local[15], 1);
	assert_true(info.expired);
	assert_int_equal(info.gso_max_size, 65215);

	change.header = HEADER(change, EVENT_TYPE_CHANGE);
	assert_int_equal(probe_parse_change(&change, sizeof(change), &c), 0);
	assert_int_equal(c.time_usec, 7);
	assert_int_equal(c.root_ifindex, 2);
	assert_string_equal(c.comm, "ethtool");
	assert_int_equal(strlen(c.parent_comm), EVENT_COMM_LEN - 1);
}

static void other_sizes_versions_and_types_are_refused(void **state)
{
	struct fallback_event event = {};
	struct probe_hits hits;
	struct socket_info info;
	struct probe_change change;
	char large[sizeof(event) + 8] = {};

	(void)state;
	for (size_t size = 0; size < sizeof(event); size++) {
		event.header = HEADER(event, EVENT_TYPE_FALLBACK);
		assert_int_equal(probe_parse_event(&event, size, &hits), -EBADMSG);
		assert_int_equal(probe_parse_socket(&event, size, &info), -EBADMSG);
		assert_int_equal(probe_parse_change(&event, size, &change), -EBADMSG);
	}
	memcpy(large, &event, sizeof(event));
	assert_int_equal(probe_parse_event(large, sizeof(large), &hits), -EBADMSG);
	event.header.size = sizeof(event) - 1;
	assert_int_equal(probe_parse_event(&event, sizeof(event), &hits), -EBADMSG);
	event.header = HEADER(event, EVENT_TYPE_FALLBACK);
	event.header.version++;
	assert_int_equal(probe_parse_event(&event, sizeof(event), &hits), -EBADMSG);
	event.header = HEADER(event, EVENT_TYPE_SOCKET);
	assert_int_equal(probe_parse_event(&event, sizeof(event), &hits), -EBADMSG);
}

static void values_out_of_range_are_refused(void **state)
{
	struct fallback_event event = {};
	struct socket_record socket = { .ifindex = 0x80000000 };
	struct change_record change = { .pid = 0x80000000 };
	struct socket_info info;
	struct probe_change c;
	struct probe_hits hits;

	(void)state;
	event.header = HEADER(event, EVENT_TYPE_FALLBACK);
	event.key.kind = FALLBACK_KINDS;
	assert_int_equal(probe_parse_event(&event, sizeof(event), &hits), -EBADMSG);
	event.key.kind = 0;
	event.key.origin = FALLBACK_KERNEL + 1;
	assert_int_equal(probe_parse_event(&event, sizeof(event), &hits), -EBADMSG);
	event.key.origin = 0;
	event.key.reason = FALLBACK_REASONS;
	assert_int_equal(probe_parse_event(&event, sizeof(event), &hits), -EBADMSG);
	event.key.reason = 0;
	event.key.ifindex = 0xffffffff;
	assert_int_equal(probe_parse_event(&event, sizeof(event), &hits), -EBADMSG);
	event.key.ifindex = 1;
	assert_int_equal(probe_parse_event(&event, sizeof(event), &hits), 0);
	socket.header = HEADER(socket, EVENT_TYPE_SOCKET);
	assert_int_equal(probe_parse_socket(&socket, sizeof(socket), &info), -EBADMSG);
	change.header = HEADER(change, EVENT_TYPE_CHANGE);
	assert_int_equal(probe_parse_change(&change, sizeof(change), &c), -EBADMSG);
}

static void without_feature_names_nothing_is_loaded(void **state)
{
	struct feature_table none = {};
	struct probe_options options = { .features = &none };
	const struct probe_status *status;
	struct probe *probe;
	char line[300];
	size_t n;

	(void)state;
	assert_int_equal(probe_open(&options, &probe), 0);
	status = probe_status(probe, &n);
	assert_true(n >= 8);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(status[i].method, PROBE_ABSENT);
		assert_non_null(strstr(probe_format_status(&status[i], line, sizeof(line)),
			"absent, the feature names of the kernel are unknown"));
	}
	assert_int_equal(probe_events_fd(probe), -ENOENT);
	assert_int_equal(probe_read_events(probe, NULL, NULL), 0);
	assert_int_equal(probe_read_hits(probe, NULL, NULL), 0);
	assert_int_equal(probe_forget_hits(probe, NULL, NULL), 0);
	assert_int_equal(probe_settle(probe, 2, true), -EOPNOTSUPP);
	assert_int_equal(probe_read_sockets(probe, true, NULL, NULL, NULL), -EOPNOTSUPP);
	assert_int_equal(probe_find_change(probe, 1, 1, NULL), -EOPNOTSUPP);
	probe_close(probe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_records_are_understood),
		cmocka_unit_test(other_sizes_versions_and_types_are_refused),
		cmocka_unit_test(values_out_of_range_are_refused),
		cmocka_unit_test(without_feature_names_nothing_is_loaded),
	};

	return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
