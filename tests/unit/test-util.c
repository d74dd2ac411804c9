/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"
#include "basic/util.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_duration_for_people),
		cmocka_unit_test(a_time_of_the_calendar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
