/* SPDX-License-Identifier: GPL-2.0-or-later */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stale_is_what_the_device_has_and_the_socket_has_not),
		cmocka_unit_test(addresses),
	};

	return cmocka_run_group_tests_name("socket", tests, setup, NULL);
}
