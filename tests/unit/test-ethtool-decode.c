/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <linux/ethtool_netlink.h>

#include "kernel/ethtool.h"
#include "unit-nl.h"

#define ALL UINT64_MAX

static void put_device(struct nlmsghdr *nlh, uint32_t ifindex)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, ETHTOOL_A_FEATURES_HEADER);

	mnl_attr_put_u32(nlh, ETHTOOL_A_HEADER_DEV_INDEX, ifindex);
	mnl_attr_put_strz(nlh, ETHTOOL_A_HEADER_DEV_NAME, "eth0");
	mnl_attr_nest_end(nlh, nest);
}

/* bytes: how much of value and mask is there, with_mask: else it is a list without. */
static void put_compact(struct nlmsghdr *nlh, uint16_t type, uint32_t bits, size_t bytes,
	feature_set value, bool with_mask)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, type);
	uint32_t v[4] = { (uint32_t)value, (uint32_t)(value >> 32), ~0u, ~0u };
	uint32_t m[4] = { ~0u, ~0u, ~0u, ~0u };

	if (!with_mask)
		mnl_attr_put(nlh, ETHTOOL_A_BITSET_NOMASK, 0, NULL);
	mnl_attr_put_u32(nlh, ETHTOOL_A_BITSET_SIZE, bits);
	mnl_attr_put(nlh, ETHTOOL_A_BITSET_VALUE, bytes, v);
	if (with_mask)
		mnl_attr_put(nlh, ETHTOOL_A_BITSET_MASK, bytes, m);
	mnl_attr_nest_end(nlh, nest);
}

/* One bit of a verbose set, index from 0 on or by name alone (-1). */
static void put_bit(struct nlmsghdr *nlh, int index, const char *name, bool value)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, ETHTOOL_A_BITSET_BITS_BIT);

	if (index >= 0)
		mnl_attr_put_u32(nlh, ETHTOOL_A_BITSET_BIT_INDEX, (uint32_t)index);
	mnl_attr_put_strz(nlh, ETHTOOL_A_BITSET_BIT_NAME, name);
	if (value)
		mnl_attr_put(nlh, ETHTOOL_A_BITSET_BIT_VALUE, 0, NULL);
	mnl_attr_nest_end(nlh, nest);
}

static void put_sets(struct nlmsghdr *nlh, uint32_t bits, size_t bytes, feature_set hw,
	feature_set wanted, feature_set active, feature_set nochange)
{
	put_compact(nlh, ETHTOOL_A_FEATURES_HW, bits, bytes, hw, true);
	put_compact(nlh, ETHTOOL_A_FEATURES_WANTED, bits, bytes, wanted, false);
	put_compact(nlh, ETHTOOL_A_FEATURES_ACTIVE, bits, bytes, active, false);
	put_compact(nlh, ETHTOOL_A_FEATURES_NOCHANGE, bits, bytes, nochange, false);
}

static int decode(struct unit_message *m, const struct feature_table *table, int *ret_ifindex,
	struct link_features *ret)
{
	size_t len = mnl_nlmsg_get_payload_len(&m->nlh);
	void *payload = unit_exact(mnl_nlmsg_get_payload(&m->nlh), len);
	int r = ethtool_features_decode(payload, len, table, ret_ifindex, ret);

	free(payload);
	return r;
}

static void four_compact_sets(void **state)
{
	struct unit_message m;
	struct link_features f;
	int ifindex;

	(void)state;
	unit_message_init(&m);
	put_device(&m.nlh, 7);
	put_sets(&m.nlh, 64, 8, FEATURE(0) | FEATURE(63) | FEATURE(40), FEATURE(63),
		FEATURE(0) | FEATURE(33), FEATURE(40));
	assert_int_equal(decode(&m, NULL, &ifindex, &f), 0);
	assert_int_equal(ifindex, 7);
	assert_true(f.hw == (FEATURE(0) | FEATURE(63))); /* what never changes is not to be toggled */
	assert_true(f.wanted == FEATURE(63));
	assert_true(f.active == (FEATURE(0) | FEATURE(33)));
	assert_true(f.nochange == FEATURE(40));
}

static void bits_past_the_size_do_not_count(void **state)
{
	struct unit_message m;
	struct link_features f;
	int ifindex;

	(void)state;
	unit_message_init(&m);
	put_device(&m.nlh, 7);
	put_sets(&m.nlh, 60, 8, ALL, ALL, ALL, 0);
	assert_int_equal(decode(&m, NULL, &ifindex, &f), 0);
	assert_true(f.active == FEATURE(60) - 1);

	/* a kernel with more features than we hold: ours are right, the rest is not there for us */
	unit_message_init(&m);
	put_device(&m.nlh, 7);
	put_sets(&m.nlh, 100, 16, FEATURE(1), FEATURE(2), FEATURE(63), 0);
	assert_int_equal(decode(&m, NULL, &ifindex, &f), 0);
	assert_true(f.hw == FEATURE(1) && f.wanted == FEATURE(2) && f.active == FEATURE(63));
}

static void verbose_sets(void **state)
{
	struct feature_table table;
	struct unit_message m;
	struct link_features f;
	struct nlattr *nest, *bits;
	int ifindex;

	(void)state;
	unit_features(&table);
	unit_message_init(&m);
	put_device(&m.nlh, 7);
	nest = mnl_attr_nest_start(&m.nlh, ETHTOOL_A_FEATURES_HW);
	mnl_attr_put_u32(&m.nlh, ETHTOOL_A_BITSET_SIZE, 64);
	bits = mnl_attr_nest_start(&m.nlh, ETHTOOL_A_BITSET_BITS);
	put_bit(&m.nlh, 0, "tx-scatter-gather", true);
	put_bit(&m.nlh, 1, "tx-checksum-ipv4", false); /* in the mask, not set */
	put_bit(&m.nlh, -1, "rx-gro", true);
	put_bit(&m.nlh, -1, "no-such-feature", true);
	put_bit(&m.nlh, 4000, "far-away", true);
	mnl_attr_nest_end(&m.nlh, bits);
	mnl_attr_nest_end(&m.nlh, nest);
	nest = mnl_attr_nest_start(&m.nlh, ETHTOOL_A_FEATURES_WANTED);
	mnl_attr_put(&m.nlh, ETHTOOL_A_BITSET_NOMASK, 0, NULL);
	bits = mnl_attr_nest_start(&m.nlh, ETHTOOL_A_BITSET_BITS);
	put_bit(&m.nlh, 0, "tx-scatter-gather", false); /* a list: what is in it is set */
	mnl_attr_nest_end(&m.nlh, bits);
	mnl_attr_nest_end(&m.nlh, nest);
	put_compact(&m.nlh, ETHTOOL_A_FEATURES_ACTIVE, 64, 8, 5, false);
	put_compact(&m.nlh, ETHTOOL_A_FEATURES_NOCHANGE, 64, 8, 0, false);

	assert_int_equal(decode(&m, &table, &ifindex, &f), 0);
	assert_true(f.hw == unit_set(&table, "tx-scatter-gather rx-gro"));
	assert_true(f.wanted == FEATURE(0));
	assert_true(f.active == 5);
	assert_int_equal(decode(&m, NULL, &ifindex, &f), 0);
	assert_true(f.hw == FEATURE(0)); /* names alone tell nothing without a table */
}

static void an_empty_list_is_an_empty_set(void **state)
{
	struct unit_message m;
	struct link_features f;
	struct nlattr *nest, *bits;
	int ifindex;

	(void)state;
	unit_message_init(&m);
	put_device(&m.nlh, 7);
	for (uint16_t i = ETHTOOL_A_FEATURES_HW; i <= ETHTOOL_A_FEATURES_NOCHANGE; i++) {
		nest = mnl_attr_nest_start(&m.nlh, i);
		bits = mnl_attr_nest_start(&m.nlh, ETHTOOL_A_BITSET_BITS);
		mnl_attr_nest_end(&m.nlh, bits);
		mnl_attr_nest_end(&m.nlh, nest);
	}
	assert_int_equal(decode(&m, NULL, &ifindex, &f), 0);
	assert_true(f.hw == 0 && f.wanted == 0 && f.active == 0 && f.nochange == 0);
}

static void what_is_not_whole_is_refused(void **state)
{
	struct unit_message m;
	struct link_features f = { 1, 2, 3, 4 };
	int ifindex = 99;

	(void)state;
	unit_message_init(&m);
	assert_int_equal(decode(&m, NULL, &ifindex, &f), -EBADMSG);
	put_sets(&m.nlh, 64, 8, 1, 1, 1, 1); /* no header */
	assert_int_equal(decode(&m, NULL, &ifindex, &f), -EBADMSG);

	for (uint16_t missing = ETHTOOL_A_FEATURES_HW; missing <= ETHTOOL_A_FEATURES_NOCHANGE; missing++) {
		unit_message_init(&m);
		put_device(&m.nlh, 7);
		for (uint16_t i = ETHTOOL_A_FEATURES_HW; i <= ETHTOOL_A_FEATURES_NOCHANGE; i++)
			if (i != missing)
				put_compact(&m.nlh, i, 64, 8, 1, false);
		assert_int_equal(decode(&m, NULL, &ifindex, &f), -EBADMSG);
	}
	assert_int_equal(ifindex, 99); /* and leaves what it was given */
	assert_true(f.hw == 1 && f.nochange == 4);
}

static void sizes_that_lie_are_refused(void **state)
{
	static const struct {
		uint32_t bits;
		size_t bytes;
	} lies[] = { { 64, 4 }, { 65, 8 }, { 33, 4 }, { UINT32_MAX, 16 }, { 4097, 16 }, { 1, 0 }, { 1, 3 } };
	struct unit_message m;
	struct link_features f;
	int ifindex;

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		unit_message_init(&m);
		put_device(&m.nlh, 7);
		put_sets(&m.nlh, lies[i].bits, lies[i].bytes, 1, 1, 1, 1);
		assert_int_equal(decode(&m, NULL, &ifindex, &f), -EBADMSG);
	}
	/* no device, or one that no int can hold */
	for (uint32_t index = 0, n = 0; n < 2; index = UINT32_MAX, n++) {
		unit_message_init(&m);
		put_device(&m.nlh, index);
		put_sets(&m.nlh, 64, 8, 1, 1, 1, 1);
		assert_int_equal(decode(&m, NULL, &ifindex, &f), -EBADMSG);
	}
}

/* Cut at every byte: an error or nothing worse, and nothing read past the end (ASan, valgrind). */
static void any_cut_is_survived(void **state)
{
	struct unit_message m;
	struct link_features f;
	int ifindex, whole = 0;
	size_t len;

	(void)state;
	unit_message_init(&m);
	put_device(&m.nlh, 7);
	put_sets(&m.nlh, 64, 8, 1, 2, 3, 4);
	len = mnl_nlmsg_get_payload_len(&m.nlh);
	for (size_t cut = 0; cut <= len; cut++) {
		void *payload = unit_exact(mnl_nlmsg_get_payload(&m.nlh), cut);
		int r = ethtool_features_decode(payload, cut, NULL, &ifindex, &f);

		assert_true(r == 0 || r == -EBADMSG);
		whole += r == 0;
		free(payload);
	}
	assert_int_equal(whole, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(four_compact_sets),
		cmocka_unit_test(bits_past_the_size_do_not_count),
		cmocka_unit_test(verbose_sets),
		cmocka_unit_test(an_empty_list_is_an_empty_set),
		cmocka_unit_test(what_is_not_whole_is_refused),
		cmocka_unit_test(sizes_that_lie_are_refused),
		cmocka_unit_test(any_cut_is_survived),
	};

	return cmocka_run_group_tests_name("ethtool-decode", tests, NULL, NULL);
}
