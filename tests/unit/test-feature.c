/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

static void names_and_bits(void **state)
{
	struct feature_table t;
	feature_set set;

	(void)state;
	unit_features(&t);
	assert_int_equal(t.count, 64);
	assert_int_equal(feature_bit(&t, "tx-scatter-gather"), 0);
	assert_int_equal(feature_bit(&t, "rx-gro-lisp"), -ENOENT);
	assert_int_equal(feature_bit(&t, ""), -ENOENT); /* an unused number is nobody's name */
	assert_int_equal(feature_parse(&t, "tx-udp-fragmentation", &set), FEATURE_WORD_FOREIGN);
	assert_int_equal(set, 0);
	assert_int_equal(feature_parse(&t, "tx-scater-gather", &set), FEATURE_WORD_UNKNOWN);
	assert_string_equal(feature_nearest("tx-scater-gather"), "tx-scatter-gather");
	assert_string_equal(feature_nearest("tos"), "tso");
	assert_null(feature_nearest("completely-different-words"));
}

static void aliases_stand_for_kernel_names(void **state)
{
	struct feature_table t;
	feature_set set;
	char buf[512];

	(void)state;
	unit_features(&t);
	assert_int_equal(feature_parse(&t, "tso", &set), FEATURE_WORD_ALIAS);
	assert_string_equal(feature_format(&t, set, buf, sizeof(buf)),
		"tx-tcp-segmentation, tx-tcp-ecn-segmentation, tx-tcp-mangleid-segmentation, "
		"tx-tcp6-segmentation");
	assert_int_equal(feature_parse(&t, "tx-checksumming", &set), FEATURE_WORD_ALIAS);
	assert_int_equal(__builtin_popcountll(set), 5);
	assert_int_equal(feature_parse(&t, "ufo", &set), FEATURE_WORD_ALIAS);
	assert_int_equal(set, 0); /* 6.1 has no UFO */
	assert_string_equal(feature_format(&t, 0, buf, sizeof(buf)), "none");
	assert_string_equal(feature_format(&t, ~UINT64_C(0), buf, 32), "tx-scatter-gather...");
}

static void a_hostile_table_stays_in_bounds(void **state)
{
	struct feature_table t = { 0 };
	char longname[100];

	(void)state;
	memset(longname, 'x', sizeof(longname));
	assert_int_equal(feature_table_add(&t, 64, "a", 1), -EINVAL);
	assert_int_equal(feature_table_add(&t, 0, "", 0), -EINVAL);
	assert_int_equal(feature_table_add(&t, 63, longname, sizeof(longname)), 0);
	assert_int_equal(strlen(t.name[63]), FEATURE_NAME_LEN - 1);
	assert_int_equal(feature_table_add(&t, 1, "a\x1b[31m", 6), 0);
	assert_string_equal(t.name[1], "a?[31m");
	assert_string_equal(feature_name(&t, 7), "bit-7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_bits),
		cmocka_unit_test(aliases_stand_for_kernel_names),
		cmocka_unit_test(a_hostile_table_stays_in_bounds),
	};

	return cmocka_run_group_tests_name("feature", tests, NULL, NULL);
}
