/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets and sendfile's latency: sums, quantiles, words, and their text against tests/golden. Runs at the top of the sources. */
#include "view-sample.h"

#include "evidence-sample.h"
#include "golden.h"
#include "report/render_evidence.h"

static struct sample sample;
static char *text;
static size_t text_len;

static struct render begin(bool colour)
{
	struct render r = { .ascii = true, .colour = colour, .width = colour ? 100 : 0 };

	sample_make(&sample);
	r.out = open_memstream(&text, &text_len);
	assert_non_null(r.out);
	return r;
}

static void end(struct render *r, const char *path)
{
	fclose(r->out);
	golden_compare(path, text, text_len);
	free(text);
	text = NULL;
	sample_clear(&sample);
}

static void sockets(void **state)
{
	struct render r = begin(false);
	struct evidence all = sample_sockets(&sample.features), none = { .visited = 1 };

	(void)state;
	assert_int_equal(render_sockets(&r, &all), 0);
	assert_int_equal(render_sockets(&r, &none), 0);
	evidence_clear(&all);
	end(&r, "tests/golden/sockets.txt");
}

static void sockets_on_a_terminal(void **state)
{
	struct render r = begin(true);
	struct evidence all = sample_sockets(&sample.features);

	(void)state;
	assert_int_equal(render_sockets(&r, &all), 0);
	evidence_clear(&all);
	end(&r, "tests/golden/sockets-terminal.txt");
}

static void latency(void **state)
{
	struct render r = begin(false);
	struct evidence_latency some = sample_latency(), none = { .elapsed_usec = 250000, .lost = 3 };

	(void)state;
	render_latency(&r, &some, "03:12:45");
	render_latency(&r, &none, NULL);
	evidence_latency_clear(&some);
	end(&r, "tests/golden/latency.txt");
}

static void latency_on_a_terminal(void **state)
{
	struct render r = begin(true);
	struct evidence_latency some = sample_latency();

	(void)state;
	render_latency(&r, &some, "03:12:45");
	evidence_latency_clear(&some);
	end(&r, "tests/golden/latency-terminal.txt");
}

static void rows_of_one_service_add_up(void **state)
{
	struct evidence_latency all = sample_latency();
	struct evidence_latency_row more = { .service = "files.service", .calls = 2, .total_usec = 7 };

	(void)state;
	more.slots[3] = 2;
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(evidence_latency_add(&all, &more), 0);
		snprintf(more.service, sizeof(more.service), i % 2 ? "files.service" : "s%u.service", i);
	}
	assert_int_equal(all.n, 2 + 50);
	assert_true(all.rows[0].fallback);
	assert_int_equal(all.rows[0].calls, 100);
	assert_false(all.rows[1].fallback);
	assert_int_equal(all.rows[1].calls, 40 + 2 * 50);
	assert_int_equal(all.rows[1].slots[3], 30 + 2 * 50);
	evidence_latency_clear(&all);
}

static void quantiles(void **state)
{
	uint64_t slots[LATENCY_SLOTS] = { 0 };

	(void)state;
	assert_int_equal(evidence_quantile(slots, 500), 0);
	slots[10] = 1;
	assert_int_equal(evidence_quantile(slots, 500), 1536);
	slots[10] = 4;
	assert_int_equal(evidence_quantile(slots, 250), 1280);
	assert_int_equal(evidence_quantile(slots, 1000), 2048);
	slots[0] = 12;
	assert_int_equal(evidence_quantile(slots, 500), 1);
	assert_int_equal(evidence_quantile(slots, 990), 2007);
	memset(slots, 0, sizeof(slots));
	slots[LATENCY_SLOTS - 1] = UINT64_C(1) << 40;
	assert_int_equal(evidence_quantile(slots, 1000), UINT64_C(1) << 32);
}

static void words(void **state)
{
	static const struct {
		uint64_t value;
		const char *usec, *age;
	} samples[] = {
		{ 0, "0 us", "0s" },
		{ 59, "59 us", "59s" },
		{ 119, "119 us", "119s" },
		{ 120, "120 us", "2min" },
		{ 999, "999 us", "16min" },
		{ 1000, "1.00 ms", "16min" },
		{ 12345, "12.3 ms", "3h" },
		{ 234567, "235 ms", "2d" },
		{ 2030000, "2.03 s", "23d" },
	};
	char buf[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		assert_string_equal(
			util_format_usec(samples[i].value, buf, sizeof(buf)), samples[i].usec);
		assert_string_equal(util_format_age(samples[i].value, buf, sizeof(buf)), samples[i].age);
	}
	assert_int_equal(evidence_percent(0, 0), 0);
	assert_int_equal(evidence_percent(1, 3), 33);
	assert_int_equal(evidence_percent(UINT64_MAX, UINT64_MAX), 100);
	assert_int_equal(evidence_percent(7, 3), 100);
	assert_string_equal(socket_state_name(1), "ESTABLISHED");
	assert_string_equal(socket_state_name(12), "NEW-SYN-RECV");
	assert_string_equal(socket_state_name(13), "UNKNOWN");
}

/* Whoever names services can choose names that a sum of products with 31 does not distinguish: "aO" and "b0" are the same. */
static void name_service(unsigned i, bool chosen, char *buf, size_t size)
{
	snprintf(buf, size, "container-%08u.service", i);
	for (unsigned bit = 0; chosen && bit < 10; bit++)
		memcpy(buf + 2 * bit, i >> bit & 1 ? "aO" : "b0", 2);
}

/* The CPU time of n lookups of rows that are there, first to last again and again. */
static uint64_t look_up(unsigned rows, unsigned n, bool chosen)
{
	struct evidence e = {};
	uint64_t begin_nsec = 0;
	char service[32];

	for (unsigned i = 0; i < rows + n; i++) {
		if (i == rows)
			begin_nsec = unit_cpu_nsec();
		name_service(i % rows, chosen, service, sizeof(service));
		assert_non_null(evidence_fallback_row(&e, FALLBACK_SOCKET, FALLBACK_REASON_FEATURE, service, "eth0"));
		assert_string_equal(evidence_stale_row(&e, service, "eth0")->service, service);
	}
	begin_nsec = unit_cpu_nsec() - begin_nsec;
	assert_int_equal(e.n_fallback, rows);
	assert_int_equal(e.n_stale, rows);
	evidence_clear(&e);
	return begin_nsec;
}

/* 10,240 combinations become at most 1,024 rows. */
static void a_row_is_found_among_many(void **state)
{
	uint64_t few = look_up(2, 10240, false), many = look_up(EVIDENCE_ROWS_MAX, 10240, false);
	uint64_t chosen = look_up(EVIDENCE_ROWS_MAX, 10240, true);

	(void)state;
	print_message("# note 10,240 lookups: %lu us with 2 rows, %lu us with 1,024, %lu us with names chosen to be slow\n",
		(unsigned long)few / 1000, (unsigned long)many / 1000, (unsigned long)chosen / 1000);
	assert_true(many < 10 * few);
	assert_true(chosen < 10 * few);
}

static void rows_are_found_after_they_were_sorted(void **state)
{
	struct evidence e = {};

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		char service[8];

		snprintf(service, sizeof(service), "%u", i);
		evidence_fallback_row(&e, FALLBACK_SOCKET, FALLBACK_REASON_FEATURE, service, "v")->hits[0].n = i;
	}
	evidence_sort(&e);
	assert_string_equal(e.fallback[0].service, "7");
	assert_ptr_equal(evidence_fallback_row(&e, FALLBACK_SOCKET, FALLBACK_REASON_FEATURE, "7", "v"), &e.fallback[0]);
	assert_int_equal(evidence_fallback_row(&e, FALLBACK_SOCKET, FALLBACK_REASON_MTU, "7", "v") - e.fallback, 8);
	assert_int_equal(evidence_fallback_row(&e, FALLBACK_KERNEL, FALLBACK_REASON_FEATURE, "7", "v") - e.fallback, 9);
	assert_int_equal(evidence_fallback_row(&e, FALLBACK_SOCKET, FALLBACK_REASON_FEATURE, "7", "w") - e.fallback, 10);
	evidence_clear(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sockets),
		cmocka_unit_test(sockets_on_a_terminal),
		cmocka_unit_test(latency),
		cmocka_unit_test(latency_on_a_terminal),
		cmocka_unit_test(rows_of_one_service_add_up),
		cmocka_unit_test(quantiles),
		cmocka_unit_test(words),
		cmocka_unit_test(a_row_is_found_among_many),
		cmocka_unit_test(rows_are_found_after_they_were_sorted),
	};

	return cmocka_run_group_tests_name("evidence", tests, NULL, NULL);
}
