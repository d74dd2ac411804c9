/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"
#include <errno.h>
#include <getopt.h>

#include "basic/options.h"

static void a_duration_for_people(void **state)
{
	static const struct {
		uint64_t usec;
		const char *text;
	} cases[] = {
		{ 0, "0s" },
		{ 1, "1s" },
		{ 2999999, "3s" },
		{ 59 * USEC_PER_SEC + 1, "1min" },
		{ 90 * USEC_PER_SEC, "1min 30s" },
		{ 7200 * USEC_PER_SEC - 12, "2h" },
		{ 5401 * USEC_PER_SEC, "1h 31min" },
		{ (86400 - 1) * USEC_PER_SEC, "1d" },
		{ 365 * 86400 * USEC_PER_SEC - 5, "365d" },
		{ (86400 + 3600) * USEC_PER_SEC, "1d 1h" },
	};
	char buf[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(
			util_format_duration(cases[i].usec, buf, sizeof(buf)), cases[i].text);
}

static void a_time_of_the_calendar(void **state)
{
	char buf[32];

	(void)state;
	setenv("TZ", "UTC0", 1);
	assert_string_equal(util_format_time(0, buf, sizeof(buf)), "1970-01-01 00:00:00");
	assert_string_equal(
		util_format_time(UINT64_C(1795303179) * USEC_PER_SEC + 999999, buf, sizeof(buf)), "2026-11-21 23:19:39");
	assert_string_equal(util_format_time(0, buf, 10), "");
	assert_true(util_realtime_sec() > 1700000000);
}

static void an_array_grows(void **state)
{
	size_t *numbers = NULL, n = 0;

	(void)state;
	for (; n < 1000; n++) {
		assert_true(GROW(numbers, n));
		numbers[n] = n;
	}
	for (size_t i = 0; i < n; i++)
		assert_int_equal(numbers[i], i);
	free(numbers);
}

static void options_are_read(void **state)
{
	static const char *const words[] = { NULL, "a", "b" };
	struct target {
		bool flag;
		const char *list[OPTIONS_LIST_MAX + 1];
		uint64_t usec, bytes;
		size_t number;
		unsigned word;
	} t = { 0 };
	static const struct options_entry table[] = {
		{ .name = "flag", .letter = 'f', .type = OPTIONS_FLAG, .offset = offsetof(struct target, flag) },
		{ .name = "list", .type = OPTIONS_LIST, .offset = offsetof(struct target, list) },
		{ .name = "for", .type = OPTIONS_DURATION, .offset = offsetof(struct target, usec) },
		{ .name = "bytes", .type = OPTIONS_SIZE, .offset = offsetof(struct target, bytes) },
		{ .name = "number", .type = OPTIONS_NUMBER, .offset = offsetof(struct target, number), .min = 2, .max = 9 },
		{ .name = "word", .type = OPTIONS_WORD, .offset = offsetof(struct target, word), .words = words,
			.n_words = ARRAY_SIZE(words) },
	};
	static const struct {
		const char *option, *why;
	} bad[] = {
		{ "--lits=x", "unknown option --lits=x, did you mean --list?" },
		{ "--for=5x", "invalid duration \"5x\" for --for: expected a time, for example 500ms, 30s, 10min or 2h" },
		{ "--bytes=x", "invalid size \"x\" for --bytes: expected a size, for example 500k, 64M or 2G" },
		{ "--number=10", "invalid number \"10\" for --number: expected a number from 2 to 9" },
		{ "--word=c", "invalid value \"c\" for --word: expected a or b" },
		{ "--word", "option --word needs a value" },
	};
	char *good[] = { "x", "arg", "--list", "1", "-f", "--list=2", "--for", "2s", "--bytes=1k", "--number=9", "--word=b", NULL };
	uint64_t given;
	char why[256];

	(void)state;
	optind = 0;
	assert_int_equal(options_read(table, ARRAY_SIZE(table), ARRAY_SIZE(good) - 1, good, &t, &given, why, sizeof(why)), 0);
	assert_int_equal(given, 0x3f);
	assert_true(t.flag && t.usec == 2 * USEC_PER_SEC && t.bytes == 1024 && t.number == 9 && t.word == 2);
	assert_string_equal(t.list[0], "1");
	assert_string_equal(t.list[1], "2");
	assert_string_equal(good[optind], "arg");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char *argv[] = { "x", (char *)bad[i].option, NULL };

		optind = 0;
		assert_int_equal(options_read(table, ARRAY_SIZE(table), 2, argv, &t, &given, why, sizeof(why)), -EINVAL);
		assert_string_equal(why, bad[i].why);
	}
}

static void the_nearest_word(void **state)
{
	static const char *const names[] = { "tx-checksum-ipv4", NULL, "rx-gro", "rx-gro-list", "tso" };
	char long_word[201];

	(void)state;
	assert_string_equal(util_nearest("rx-grp", names, ARRAY_SIZE(names)), "rx-gro");
	assert_string_equal(util_nearest("rx-rgo", names, ARRAY_SIZE(names)), "rx-gro");
	assert_string_equal(util_nearest("TSO", names, ARRAY_SIZE(names)), "tso");
	assert_string_equal(util_nearest("ts", names, ARRAY_SIZE(names)), "tso");
	assert_string_equal(util_nearest("tx-chekcsum-ip4", names, ARRAY_SIZE(names)), "tx-checksum-ipv4");
	assert_null(util_nearest("ost", names, 3));
	assert_null(util_nearest("4vpi-muskcehc-xt", names, ARRAY_SIZE(names))); /* the same bytes */
	memset(long_word, 'x', 200);
	long_word[200] = '\0';
	assert_null(util_nearest(long_word, names, ARRAY_SIZE(names)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_array_grows),
		cmocka_unit_test(options_are_read),
		cmocka_unit_test(a_duration_for_people),
		cmocka_unit_test(a_time_of_the_calendar),
		cmocka_unit_test(the_nearest_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
