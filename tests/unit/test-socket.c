/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>

#include "kernel/tcp_sockets.h"
#include "model/socket.h"
#include "unit.h"

static struct feature_table table;
static struct socket_features features;

static int setup(void **state)
{
	(void)state;
	unit_features(&table);
	socket_features_init(&table, &features);
	return 0;
}

static struct socket_info make(uint64_t cgroup, int ifindex, const char *caps, const char *device)
{
	return (struct socket_info){ .cgroup = cgroup, .ifindex = ifindex, .family = 2,
		.route_caps = unit_set(&table, caps), .device_features = unit_set(&table, device) };
}

static void stale_is_what_the_device_has_and_the_socket_has_not(void **state)
{
	struct socket_info s;

	(void)state;
	s = make(5, 1, "tx-generic-segmentation", "tx-scatter-gather tx-checksum-ip-generic");
	assert_int_equal(socket_stale(&s, &features),
		unit_set(&table, "tx-scatter-gather tx-checksum-ip-generic"));
	s = make(5, 1, "tx-checksum-ip-generic", "tx-scatter-gather tx-checksum-ip-generic");
	assert_int_equal(socket_stale(&s, &features), unit_set(&table, "tx-scatter-gather"));
	/* any checksum will do: a plain socket has the generic one whatever the device calls it */
	s = make(5, 1, "tx-scatter-gather tx-checksum-ip-generic",
		"tx-scatter-gather tx-checksum-ipv4 tx-checksum-ipv6");
	assert_int_equal(socket_stale(&s, &features), 0);
	/* its next packet is routed anew */
	s = make(5, 1, "tx-generic-segmentation", "tx-scatter-gather tx-checksum-ip-generic");
	s.expired = true;
	assert_int_equal(socket_stale(&s, &features), 0);
	/* the device has it not either: device fallback, nothing that a restart would change */
	s = make(5, 1, "", "tx-generic-segmentation");
	assert_int_equal(socket_stale(&s, &features), 0);
	/* no route, no device */
	s = make(5, 0, "", "");
	assert_int_equal(socket_stale(&s, &features), 0);
}

static void addresses(void **state)
{
	const uint8_t v4[16] = { 10, 9, 0, 1 }, v6[16] = { 0xfe, 0x80, [15] = 1 };
	char buf[SOCKET_ADDRESS_LEN];

	(void)state;
	assert_string_equal(socket_format_address(2, v4, 5002, buf, sizeof(buf)), "10.9.0.1:5002");
	assert_string_equal(socket_format_address(10, v6, 443, buf, sizeof(buf)), "[fe80::1]:443");
	assert_string_equal(socket_format_address(99, v4, 1, buf, sizeof(buf)), "?:1");
}

static void lines_of_proc(void **state)
{
	static const char tcp[] = "   1: 0100090A:1F90 0200090A:BAA4 01 00000000:00000000 00:00000000 00000000  1000        0 41231 1 0000000000000000 20 4 30 10 -1\n";
	static const char tcp6[] = "   0: 000009FD000000000000000001000000:1F90 000009FD000000000000000002000000:0050 01 00000000:00000000 00:00000000 00000000     0        0 77 2 0\n";
	struct socket_info s;
	char buf[SOCKET_ADDRESS_LEN];

	(void)state;
	if (htonl(1) == 1)
		skip(); /* the kernel prints numbers of this machine */
	assert_int_equal(tcp_sockets_parse(tcp, AF_INET, &s), 0);
	assert_string_equal(socket_format_address(s.family, s.local, s.local_port, buf, sizeof(buf)), "10.9.0.1:8080");
	assert_string_equal(socket_format_address(s.family, s.remote, s.remote_port, buf, sizeof(buf)), "10.9.0.2:47780");
	assert_int_equal(s.state, 1);
	assert_int_equal(s.inode, 41231);
	assert_int_equal(tcp_sockets_parse(tcp6, AF_INET6, &s), 0);
	assert_string_equal(socket_format_address(s.family, s.remote, s.remote_port, buf, sizeof(buf)), "[fd09::2]:80");
	assert_int_equal(tcp_sockets_parse(tcp, AF_INET6, &s), -EBADMSG);
	assert_int_equal(tcp_sockets_parse("  sl  local_address rem_address   st", AF_INET, &s), -EBADMSG);
	assert_int_equal(tcp_sockets_parse("", AF_INET, &s), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stale_is_what_the_device_has_and_the_socket_has_not),
		cmocka_unit_test(addresses),
		cmocka_unit_test(lines_of_proc),
	};

	return cmocka_run_group_tests_name("socket", tests, setup, NULL);
}
