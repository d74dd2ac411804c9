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

static void count_gone(const struct socket_holder *holder, void *userdata)
{
	*(uint64_t *)userdata += holder->key.cgroup;
}

static void flags_come_and_go_with_the_sockets(void **state)
{
	struct socket_info a = make(5, 1, "", "tx-scatter-gather"), b = make(6, 1, "", "tx-scatter-gather");
	struct socket_holder_key key = { .cgroup = 5, .ifindex = 1 };
	struct socket_holders holders = {};
	struct socket_holder *holder;
	uint64_t gone = 0;

	(void)state;
	socket_holders_begin(&holders);
	assert_int_equal(socket_holders_add(&holders, &a, &features, 100), 1);
	assert_int_equal(socket_holders_add(&holders, &a, &features, 100), 0);
	assert_int_equal(socket_holders_add(&holders, &b, &features, 100), 1);
	assert_int_equal(socket_holders_end(&holders, count_gone, &gone), 0);

	socket_holders_begin(&holders);
	assert_int_equal(socket_holders_add(&holders, &a, &features, 200), 0);
	assert_int_equal(socket_holders_end(&holders, count_gone, &gone), 1);
	assert_int_equal(gone, 6);
	holder = socket_holders_find(&holders, &key);
	assert_non_null(holder);
	assert_int_equal(holder->sockets, 1);
	assert_int_equal(holder->since_usec, 100);
	assert_int_equal(holder->missing, unit_set(&table, "tx-scatter-gather"));

	/* an inventory that failed half-way is begun anew and takes nothing away */
	socket_holders_begin(&holders);
	socket_holders_begin(&holders);
	assert_int_equal(socket_holders_add(&holders, &a, &features, 300), 0);
	assert_int_equal(socket_holders_end(&holders, count_gone, &gone), 0);

	socket_holders_begin(&holders);
	assert_int_equal(socket_holders_end(&holders, count_gone, &gone), 1);
	assert_null(holders.holders);
	socket_holders_clear(&holders);
}

static void a_flag_outlives_the_daemon(void **state)
{
	struct socket_holder_key a = { .cgroup = 5, .ifindex = 1 }, b = { .cgroup = 6, .ifindex = 1 };
	struct socket_info socket = make(5, 1, "", "tx-scatter-gather");
	struct socket_holders holders = {};

	(void)state;
	assert_int_equal(socket_holders_restore(&holders, &a, 50, 9), 0);
	assert_int_equal(socket_holders_restore(&holders, &b, 60, 0), 0);
	socket_holders_begin(&holders);
	assert_int_equal(socket_holders_add(&holders, &socket, &features, 100), 0);
	assert_int_equal(socket_holders_end(&holders, NULL, NULL), 1);
	assert_int_equal(socket_holders_find(&holders, &a)->since_usec, 50);
	assert_int_equal(socket_holders_find(&holders, &a)->hits, 9);
	assert_null(socket_holders_find(&holders, &b));
	socket_holders_clear(&holders);
}

static void holders_are_bounded_and_what_does_not_fit_is_counted(void **state)
{
	struct socket_holders holders = {};

	(void)state;
	socket_holders_begin(&holders);
	for (unsigned i = 0; i < SOCKET_HOLDERS_MAX + 10; i++) {
		struct socket_info s = make(i, 1, "", "tx-scatter-gather");

		assert_int_equal(socket_holders_add(&holders, &s, &features, 1),
			i < SOCKET_HOLDERS_MAX ? 1 : -ENOSPC);
	}
	assert_int_equal(holders.dropped, 10);
	socket_holders_clear(&holders);
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
		cmocka_unit_test(flags_come_and_go_with_the_sockets),
		cmocka_unit_test(a_flag_outlives_the_daemon),
		cmocka_unit_test(holders_are_bounded_and_what_does_not_fit_is_counted),
		cmocka_unit_test(addresses),
	};

	return cmocka_run_group_tests_name("socket", tests, setup, NULL);
}
