/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "path/path.h"

#include <arpa/inet.h>

#include "path/path_link.h"
#include "path/path_wire.h"
#include "unit.h"
#include "basic/util.h"

/* What one byte takes, in nanoseconds, of time and of CPU. */
struct cost {
	double time, cpu;
};

static struct path_run run_of(struct cost sendfile, struct cost splice, struct cost send, struct cost small)
{
	const struct cost ways[PATH_WAYS] = { sendfile, splice, send, small };
	struct path_run run = { .rounds = PATH_ROUNDS, .mss = 1448, .small_mss = 350 };

	for (size_t i = 0; i < PATH_ROUNDS; i++)
		for (size_t way = 0; way < PATH_WAYS; way++)
			run.samples[i][way] = (struct path_sample){
				.bytes = 10000000,
				.wall_usec = (uint64_t)(ways[way].time * 1e4),
				.cpu_usec = (uint64_t)(ways[way].cpu * 1e4),
			};
	return run;
}

static enum path_verdict judge(struct cost sendfile, struct cost splice, struct cost send, struct cost small)
{
	struct path_run run = run_of(sendfile, splice, send, small);
	struct path_result f;

	path_evaluate(&run, &f);
	return f.verdict;
}

/* Seconds per gigabyte as they were measured: Linux 6.1 and 6.12 in an emulated machine, 6.18 on a real one. */
static void measured_paths_are_told_apart(void **state)
{
	(void)state;
	/* veth, 6.1: offload on, scatter-gather and checksums off, checksums off, TSO off */
	assert_int_equal(judge((struct cost){ 1.38, 1.34 }, (struct cost){ 1.00, 0.85 }, (struct cost){ 4.59, 4.40 },
				 (struct cost){ 1.62, 0.99 }),
		PATH_HEALTHY);
	assert_int_equal(judge((struct cost){ 23.75, 21.5 }, (struct cost){ 20.92, 20.53 }, (struct cost){ 27.78, 26.52 },
				 (struct cost){ 45.97, 9.81 }),
		PATH_SOFTWARE);
	assert_int_equal(judge((struct cost){ 10.46, 3.43 }, (struct cost){ 9.13, 3.44 }, (struct cost){ 12.81, 9.9 },
				 (struct cost){ 46.89, 5.98 }),
		PATH_SOFTWARE);
	/* veth, 6.12 */
	assert_int_equal(judge((struct cost){ 1.09, 0.89 }, (struct cost){ 1.68, 0.94 }, (struct cost){ 8.02, 7.74 },
				 (struct cost){ 1.97, 1.20 }),
		PATH_HEALTHY);
	assert_int_equal(judge((struct cost){ 16.35, 5.05 }, (struct cost){ 16.52, 8.34 }, (struct cost){ 21.5, 15.78 },
				 (struct cost){ 83.26, 67.01 }),
		PATH_SOFTWARE);
	assert_int_equal(judge((struct cost){ 2.3, 0.8 }, (struct cost){ 3.6, 1.5 }, (struct cost){ 14.4, 10 },
				 (struct cost){ 4.05, 2.575 }),
		PATH_HEALTHY);
	/* veth, 6.18, a CPU whose cache makes copies cheap: sendfile saves nothing, and the path is healthy all the same */
	assert_int_equal(judge((struct cost){ 1.58, 0.245 }, (struct cost){ 1.63, 0.187 }, (struct cost){ 1.57, 0.178 },
				 (struct cost){ 1.42, 0.167 }),
		PATH_HEALTHY);
	/* e1000e, 6.12 and 6.1, sender and receiver in one emulated machine: off and on look alike, so nothing is said */
	assert_int_equal(judge((struct cost){ 36.1, 3.77 }, (struct cost){ 36, 2.6 }, (struct cost){ 44.6, 10.8 },
				 (struct cost){ 120, 3.505 }),
		PATH_UNKNOWN);
	assert_int_equal(judge((struct cost){ 37.4, 14.7 }, (struct cost){ 51.6, 8.1 }, (struct cost){ 55, 10.7 },
				 (struct cost){ 97.6, 23.9 }),
		PATH_UNKNOWN);
	assert_int_equal(judge((struct cost){ 192, 20.7 }, (struct cost){ 243, 27.2 }, (struct cost){ 232, 52.9 },
				 (struct cost){ 526, 29.1 }),
		PATH_UNKNOWN);
}

static void time_counts_when_it_is_the_senders(void **state)
{
	struct path_run run = run_of((struct cost){ 20, 1 }, (struct cost){ 20, 1 }, (struct cost){ 20, 1 },
		(struct cost){ 80, 1 });
	struct path_result f;

	(void)state;
	path_evaluate(&run, &f);
	assert_int_equal(f.verdict, PATH_UNKNOWN);
	run.local_pair = true;
	path_evaluate(&run, &f);
	assert_int_equal(f.verdict, PATH_SOFTWARE);
}

static void a_slow_link_is_told_by_cpu(void **state)
{
	(void)state;
	/* time is the wire's: all ways alike */
	assert_int_equal(judge((struct cost){ 9, 0.3 }, (struct cost){ 9, 0.3 }, (struct cost){ 9, 0.5 },
				 (struct cost){ 9.5, 1.0 }),
		PATH_SOFTWARE);
	assert_int_equal(judge((struct cost){ 9, 0.3 }, (struct cost){ 9, 0.3 }, (struct cost){ 9, 0.5 },
				 (struct cost){ 9.5, 0.32 }),
		PATH_HEALTHY);
}

static void slow_sendfile_takes_both_time_and_cpu(void **state)
{
	const struct cost ten = { 10, 10 };
	struct path_run run;
	struct path_result f;

	(void)state;
	assert_int_equal(judge((struct cost){ 16, 16 }, ten, ten, (struct cost){ 60, 60 }), PATH_SLOW);
	assert_int_equal(judge((struct cost){ 16, 10 }, ten, ten, (struct cost){ 16, 10 }), PATH_HEALTHY);
	assert_int_equal(judge((struct cost){ 10, 16 }, ten, ten, (struct cost){ 10, 16 }), PATH_HEALTHY);
	run = run_of(ten, (struct cost){ 20, 20 }, ten, ten);
	path_evaluate(&run, &f);
	assert_true(f.slow_splice);
	assert_false(f.slow_sendfile);
}

static void nothing_is_said_of_too_little(void **state)
{
	const struct cost ten = { 10, 10 };
	struct path_run run = run_of(ten, ten, ten, ten);
	struct path_result f;

	(void)state;
	run.rounds = PATH_ROUNDS_LEAST - 1;
	path_evaluate(&run, &f);
	assert_int_equal(f.verdict, PATH_UNKNOWN);
	run.rounds = PATH_ROUNDS + 1;
	path_evaluate(&run, &f);
	assert_int_equal(f.verdict, PATH_UNKNOWN);
	run = run_of(ten, ten, (struct cost){ 0, 0 }, ten);
	path_evaluate(&run, &f);
	assert_int_equal(f.verdict, PATH_UNKNOWN);
	run = run_of(ten, ten, ten, ten);
	run.small_mss = 0;
	path_evaluate(&run, &f);
	assert_int_equal(f.verdict, PATH_UNKNOWN);
	assert_true(f.segments == 0);
}

/* A repaired path over an emulated CPU: the medians alone would call it broken. */
static void a_bad_verdict_needs_all_rounds_but_one(void **state)
{
	struct path_run run = run_of((struct cost){ 8.2, 7.9 }, (struct cost){ 8.2, 7.9 }, (struct cost){ 10, 10 }, (struct cost){ 12.6, 13.1 });
	struct path_result f;

	(void)state;
	path_evaluate(&run, &f);
	assert_int_equal(f.verdict, PATH_SOFTWARE);
	for (size_t i = 0; i < 2; i++)
		run.samples[i][PATH_SMALL] = run.samples[i][PATH_SENDFILE];
	path_evaluate(&run, &f);
	assert_int_equal(f.verdict, PATH_UNKNOWN);
}

static void one_disturbed_round_changes_nothing(void **state)
{
	struct path_run run = run_of((struct cost){ 1, 1 }, (struct cost){ 1, 1 }, (struct cost){ 4, 4 },
		(struct cost){ 1, 1 });
	struct path_result f;

	(void)state;
	run.samples[2][PATH_SENDFILE].wall_usec *= 100;
	run.samples[5][PATH_SMALL].wall_usec *= 100;
	path_evaluate(&run, &f);
	assert_int_equal(f.verdict, PATH_HEALTHY);
}

static void transfers_stay_within_the_limits(void **state)
{
	uint64_t bytes;

	(void)state;
	bytes = path_transfer_bytes(512 << 20, 20 * USEC_PER_SEC, 1e9);
	assert_true(bytes * PATH_ROUNDS * PATH_WAYS <= 512 << 20);
	bytes = path_transfer_bytes(UINT64_MAX, 20 * USEC_PER_SEC, 1e8);
	assert_true((double)bytes * PATH_ROUNDS * PATH_WAYS <= 1e8 * 10 + 1);
	assert_true(path_transfer_bytes(UINT64_MAX, UINT64_MAX, 1e12) <= 256 << 20);
	assert_int_equal(path_transfer_bytes(512 << 20, USEC_PER_SEC, 1000), 0);
	assert_int_equal(path_transfer_bytes(0, USEC_PER_SEC, 1e9), 0);
	assert_int_equal(path_transfer_bytes(512 << 20, USEC_PER_SEC, 0), 0);
}

static void frames_survive_the_wire(void **state)
{
	const struct path_frame frame = { .version = 1, .status = PATH_TOO_MUCH, .count = UINT64_C(0x123456789abcdef0) };
	uint8_t text[PATH_WIRE_FRAME];
	struct path_frame back;

	(void)state;
	path_wire_encode(&frame, text);
	assert_memory_equal(text, "OFLP\0\1\0\1\x12\x34\x56\x78\x9a\xbc\xde\xf0", sizeof(text));
	assert_int_equal(path_wire_decode(text, &back), 0);
	assert_int_equal(back.version, 1);
	assert_int_equal(back.status, PATH_TOO_MUCH);
	assert_true(back.count == frame.count);
	text[0] = 'G';
	assert_int_equal(path_wire_decode(text, &back), -EPROTO);
	assert_null(path_status_words(PATH_GO));
	for (unsigned status = 1; status < 9; status++)
		assert_non_null(path_status_words((uint16_t)status));
}

static void a_sender_has_a_budget(void **state)
{
	struct path_budget budget = { .bytes_max = 100, .busy_usec_max = 50 };
	uint8_t address[16] = { 1 };
	struct path_sender *s = path_budget_find(&budget, address, 1000);
	uint64_t left;

	(void)state;
	assert_int_equal(path_budget_ask(&budget, s, 100, &left), PATH_GO);
	s->bytes = 60;
	assert_int_equal(path_budget_ask(&budget, s, 41, &left), PATH_TOO_MUCH);
	assert_int_equal(left, 40);
	s->bytes = 200;
	assert_int_equal(path_budget_ask(&budget, s, 1, &left), PATH_TOO_MUCH);
	assert_int_equal(left, 0);
	assert_ptr_equal(path_budget_find(&budget, address, 2000), s);
	assert_int_equal(path_budget_find(&budget, address, 1001 + PATH_SERVE_WINDOW_USEC)->bytes, 0);
	s->busy_usec = 50;
	assert_int_equal(path_budget_ask(&budget, s, 1, &left), PATH_TOO_LONG);
	for (unsigned i = 0; i < 3 * PATH_SENDERS_MAX; i++) {
		address[1] = (uint8_t)i;
		assert_int_equal(path_budget_find(&budget, address, 2 * PATH_SERVE_WINDOW_USEC + i)->bytes, 0);
	}
	assert_int_equal(budget.n, PATH_SENDERS_MAX);
}

static void addresses_are_read(void **state)
{
	static const char *const bad[] = { "", "host", "192.0.2", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536",
		"192.0.2.1:-1", "192.0.2.1:1x", "[::1", "[::1]x", "[::1]:", "1:2:3", "192.0.2.1.192.0.2.1.192.0.2.1.192.0.2.1.1" };
	static const char *const good[][2] = { { "192.0.2.1", "192.0.2.1:7" }, { "192.0.2.1:65535", "192.0.2.1:65535" },
		{ "2001:db8::1", "[2001:db8::1]:7" }, { "[2001:db8::1]", "[2001:db8::1]:7" }, { "[::1]:9", "[::1]:9" } };
	char text[PATH_ADDRESS_LEN];
	union path_address address;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(path_address_parse(bad[i], 7, &address), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(path_address_parse(good[i][0], 7, &address), 0);
		assert_string_equal(path_address_format(&address, text), good[i][1]);
	}
}

static void sizes_are_read(void **state)
{
	static const char *const bad[] = { "", "0", "k", "12x", "1kk", "-1", "1.5G" };
	uint64_t bytes;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(util_parse_size(bad[i], &bytes), -EINVAL);
	assert_int_equal(util_parse_size("2T", &bytes), -ERANGE);
	assert_int_equal(util_parse_size("9999G", &bytes), -ERANGE);
	assert_int_equal(util_parse_size("9999999999999999999", &bytes), -ERANGE);
	assert_int_equal(util_parse_size("64M", &bytes), 0);
	assert_int_equal(bytes, 64 << 20);
	assert_int_equal(util_parse_size("5", &bytes), 0);
	assert_int_equal(bytes, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(measured_paths_are_told_apart),
		cmocka_unit_test(time_counts_when_it_is_the_senders),
		cmocka_unit_test(a_slow_link_is_told_by_cpu),
		cmocka_unit_test(slow_sendfile_takes_both_time_and_cpu),
		cmocka_unit_test(nothing_is_said_of_too_little),
		cmocka_unit_test(a_bad_verdict_needs_all_rounds_but_one),
		cmocka_unit_test(one_disturbed_round_changes_nothing),
		cmocka_unit_test(transfers_stay_within_the_limits),
		cmocka_unit_test(frames_survive_the_wire),
		cmocka_unit_test(a_sender_has_a_budget),
		cmocka_unit_test(addresses_are_read),
		cmocka_unit_test(sizes_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
