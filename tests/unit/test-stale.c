/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "evidence/stale.h"
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

static struct stale_key key_of(unsigned service, int ifindex)
{
	struct stale_key key = { .ifindex = ifindex };

	snprintf(key.service, sizeof(key.service), "%u.service", service);
	return key;
}

/* The service of these sockets is named after their cgroup. */
static int add(struct stale_set *set, const struct socket_info *socket, uint64_t realtime_usec)
{
	struct stale_key key = key_of((unsigned)socket->cgroup, socket->ifindex);
	bool known = stale_find(set, &key);

	return stale_add(set, &key, socket, socket_stale(socket, &features), realtime_usec) ? !known : -ENOSPC;
}

static void count_gone(const struct stale *stale, void *userdata)
{
	*(uint64_t *)userdata += strtoul(stale->found.service, NULL, 10);
}

static void entries_come_and_go_with_the_sockets(void **state)
{
	struct socket_info a = make(5, 1, "", "tx-scatter-gather"), b = make(6, 1, "", "tx-scatter-gather");
	struct stale_key key = key_of(5, 1);
	struct stale_set set = {};
	struct stale *stale;
	uint64_t gone = 0;

	(void)state;
	stale_begin(&set);
	assert_int_equal(add(&set, &a, 100), 1);
	assert_int_equal(add(&set, &a, 100), 0);
	assert_int_equal(add(&set, &b, 100), 1);
	assert_int_equal(stale_end(&set, count_gone, &gone), 0);

	stale_begin(&set);
	assert_int_equal(add(&set, &a, 200), 0);
	assert_int_equal(stale_end(&set, count_gone, &gone), 1);
	assert_int_equal(gone, 6);
	stale = stale_find(&set, &key);
	assert_non_null(stale);
	assert_int_equal(stale->found.sockets, 1);
	assert_int_equal(stale->found.since_usec, 100);
	assert_int_equal(stale->found.missing, unit_set(&table, "tx-scatter-gather"));

	/* an inventory that failed half-way is begun again and takes nothing away */
	stale_begin(&set);
	stale_begin(&set);
	assert_int_equal(add(&set, &a, 300), 0);
	assert_int_equal(stale_end(&set, count_gone, &gone), 0);

	stale_begin(&set);
	assert_int_equal(stale_end(&set, count_gone, &gone), 1);
	assert_null(set.all);
	stale_clear(&set);
}

static void an_entry_outlives_the_daemon(void **state)
{
	struct stale_key a = key_of(5, 1), b = key_of(6, 1);
	struct socket_info socket = make(5, 1, "", "tx-scatter-gather");
	struct stale_set set = {};

	(void)state;
	assert_non_null(stale_restore(&set, &a, 50, 9));
	assert_non_null(stale_restore(&set, &b, 60, 0));
	stale_begin(&set);
	assert_int_equal(add(&set, &socket, 100), 0);
	assert_int_equal(stale_end(&set, NULL, NULL), 1);
	assert_int_equal(stale_find(&set, &a)->found.since_usec, 50);
	assert_int_equal(stale_find(&set, &a)->found.hits, 9);
	assert_null(stale_find(&set, &b));
	stale_clear(&set);
}

/* An inventory in slices may miss a connection: only the second one that does ends the entry. */
static void what_an_unsure_inventory_misses_is_kept_once(void **state)
{
	struct socket_info a = make(5, 1, "", "tx-scatter-gather");
	struct stale_set set = {};

	(void)state;
	stale_begin(&set);
	assert_int_equal(add(&set, &a, 100), 1);
	assert_int_equal(stale_end(&set, NULL, NULL), 0);
	for (unsigned i = 0; i < 2; i++) {
		stale_begin(&set);
		set.unsure = true;
		assert_int_equal(stale_end(&set, NULL, NULL), 0);
		stale_begin(&set);
		assert_int_equal(add(&set, &a, 200), 0);
		set.unsure = true;
		assert_int_equal(stale_end(&set, NULL, NULL), 0);
	}
	assert_int_equal(set.all->found.since_usec, 100);
	for (unsigned i = 0; i < 2; i++) {
		stale_begin(&set);
		set.unsure = true;
		assert_int_equal(stale_end(&set, NULL, NULL), i);
	}
	assert_null(set.all);
}

/* Concluded from copies: how many connections is unknown. */
static void entries_without_sockets(void **state)
{
	struct stale_key key = key_of(5, 0);
	struct stale_set set = {};
	struct stale *stale;

	(void)state;
	stale_begin(&set);
	stale = stale_add(&set, &key, NULL, 1, 100);
	assert_true(stale->is_new);
	assert_ptr_equal(stale_add(&set, &key, NULL, 1, 100), stale);
	assert_int_equal(stale->found.sockets, 0);
	assert_int_equal(stale->found.missing, 1);
	assert_int_equal(stale_end(&set, NULL, NULL), 0);
	stale_begin(&set);
	assert_int_equal(stale_end(&set, NULL, NULL), 1);
	stale_clear(&set);
}

static void entries_are_bounded_and_what_does_not_fit_is_counted(void **state)
{
	struct stale_set set = {};

	(void)state;
	stale_begin(&set);
	for (unsigned i = 0; i < STALE_MAX + 10; i++) {
		struct socket_info s = make(i, 1, "", "tx-scatter-gather");

		assert_int_equal(add(&set, &s, 1),
			i < STALE_MAX ? 1 : -ENOSPC);
	}
	assert_int_equal(set.dropped, 10);
	stale_clear(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_come_and_go_with_the_sockets),
		cmocka_unit_test(an_entry_outlives_the_daemon),
		cmocka_unit_test(what_an_unsure_inventory_misses_is_kept_once),
		cmocka_unit_test(entries_without_sockets),
		cmocka_unit_test(entries_are_bounded_and_what_does_not_fit_is_counted),
	};

	return cmocka_run_group_tests_name("stale", tests, setup, NULL);
}
