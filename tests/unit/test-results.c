/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results of verify and check-path before and after: what is worse, and what is not known any more. */
#include "unit.h"

#include "compare/results.h"

#define VERIFY(cases) "{\"version\":1,\"document\":\"verify\",\"kernel\":\"6.1\",\"peer\":null,\"cases\":[" cases "]}\n"
#define CASE(over, outcome) "{\"over\":\"" over "\",\"mode\":\"merged\",\"packet\":\"tcp4\",\"outcome\":\"" outcome "\",\"wrong\":null}"
#define CHECK_PATH(verdict) "{\n\"version\": 1,\n\"document\": \"check-path\",\n\"link\": \"vlan10\", \"verdict\": \"" verdict "\"\n}\n"

static struct results *parse(const char *text)
{
	static struct results results;
	char why[128];

	results_clear(&results);
	assert_int_equal(results_parse(text, strlen(text), &results, why, sizeof(why)), 0);
	return &results;
}

static void documents_one_after_another(void **state)
{
	struct results *r = parse(VERIFY(CASE("vxlan", "right") "," CASE("gre", "not-applicable")) CHECK_PATH("slow-sendfile"));

	(void)state;
	assert_int_equal(r->n, 3);
	assert_string_equal(r->kernel, "6.1");
	assert_string_equal(r->tests[0].name, "verify: tcp4 over vxlan, merged");
	assert_int_equal(r->tests[0].outcome, RESULTS_RIGHT);
	assert_int_equal(r->tests[1].outcome, RESULTS_UNKNOWN);
	assert_string_equal(r->tests[2].name, "check-path: vlan10");
	assert_int_equal(r->tests[2].outcome, RESULTS_WRONG);
	assert_ptr_equal(results_find(r, "check-path: vlan10"), &r->tests[2]);
	assert_null(results_find(r, "check-path: vlan1"));
	/* a later one counts */
	assert_int_equal(parse(CHECK_PATH("slow-sendfile") CHECK_PATH("healthy"))->tests[0].outcome, RESULTS_RIGHT);
	results_clear(r);
}

static void other_texts(void **state)
{
	static const char *const texts[] = { "{", "{}", "[]", "x", "{\"version\":2,\"document\":\"verify\"}", VERIFY(""), VERIFY(CASE("gre", "right")) "}",
		"{\"version\":1,\"document\":\"plan\"}", CHECK_PATH("healthy") "{\"document" };
	struct results results;
	char why[128];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		assert_int_equal(results_parse(texts[i], strlen(texts[i]), &results, why, sizeof(why)), -EBADMSG);
		assert_true(why[0]);
		results_clear(&results);
	}
	assert_true(results_is_text(CHECK_PATH("healthy"), strlen(CHECK_PATH("healthy"))));
	assert_true(results_is_text(VERIFY(""), strlen(VERIFY(""))));
	assert_false(results_is_text("{\"document\":\"path\"}", 19));
	assert_false(results_is_text("{\"document\":\"verify", 19));
	assert_false(results_is_text("{\"document\"", 11));
	assert_false(results_is_text("", 0));
}

/* A text with n cases of as many different tests. */
static int parse_many(unsigned n, unsigned tests)
{
	struct results results;
	char *text = NULL, why[128];
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int r;

	assert_non_null(f);
	fputs("{\"version\":1,\"document\":\"verify\",\"cases\":[", f);
	for (unsigned i = 0; i < n; i++)
		fprintf(f, "%s{\"over\":\"%u\",\"outcome\":\"right\"}", i ? "," : "", i % tests);
	fputs("]}", f);
	fclose(f);
	r = results_parse(text, len, &results, why, sizeof(why));
	assert_true(r == 0 ? results.n == tests : strncmp(why, "more than ", 10) == 0);
	results_clear(&results);
	free(text);
	return r;
}

static void no_more_than_a_kernel_is_tested_by(void **state)
{
	(void)state;
	assert_int_equal(parse_many(1000, 1000), 0);
	assert_int_equal(parse_many(1001, 1001), -EBADMSG);
	assert_int_equal(parse_many(10000, 2), 0);
	assert_int_equal(parse_many(10001, 2), -EBADMSG);
}

static void what_changed(void **state)
{
	const struct result right = { .outcome = RESULTS_RIGHT }, unknown = { .outcome = RESULTS_UNKNOWN }, wrong = { .outcome = RESULTS_WRONG };
	const struct result *const all[] = { &right, &unknown, &wrong, NULL };

	(void)state;
	for (size_t a = 0; a < 4; a++)
		for (size_t b = 0; b < 4; b++) {
			assert_int_equal(results_is_worse(all[a], all[b]), all[b] == &wrong && all[a] != &wrong);
			assert_int_equal(results_is_less(all[a], all[b]), all[a] == &right && (all[b] == &unknown || !all[b]));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_one_after_another),
		cmocka_unit_test(other_texts),
		cmocka_unit_test(no_more_than_a_kernel_is_tested_by),
		cmocka_unit_test(what_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
