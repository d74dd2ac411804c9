/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/render_results.h"

#include "basic/json.h"

/* What became of a test. */
enum change { CHANGE_NONE, CHANGE_WORSE, CHANGE_LESS, CHANGE_BETTER };

static enum change change_of(const struct result *a, const struct result *b)
{
	if (results_is_worse(a, b))
		return CHANGE_WORSE;
	if (results_is_less(a, b))
		return CHANGE_LESS;
	return a && a->outcome == RESULTS_WRONG && b && b->outcome == RESULTS_RIGHT ? CHANGE_BETTER : CHANGE_NONE;
}

static const char *word(const struct result *result)
{
	return result ? result->word : "missing";
}

typedef void (*put_fn)(void *to, const struct result *a, const struct result *b);

/* All tests with this change, in the order of B; then those that only A has. How many. */
static size_t each(const struct results *a, const struct results *b, enum change change, put_fn put, void *to)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++) {
		const struct result *before = results_find(a, b->tests[i].name);

		if (change_of(before, &b->tests[i]) != change)
			continue;
		n++;
		if (put)
			put(to, before, &b->tests[i]);
	}
	for (size_t i = 0; i < a->n; i++) {
		if (results_find(b, a->tests[i].name) || change_of(&a->tests[i], NULL) != change)
			continue;
		n++;
		if (put)
			put(to, &a->tests[i], NULL);
	}
	return n;
}

static void put_line(void *to, const struct result *a, const struct result *b)
{
	fprintf(to, "  %s: %s -> %s\n", b ? b->name : a->name, word(a), word(b));
}

void render_test_results(FILE *out, const struct results *a, const struct results *b, const char *const names[2])
{
	size_t worse = each(a, b, CHANGE_WORSE, NULL, NULL), less = each(a, b, CHANGE_LESS, NULL, NULL);
	size_t better = each(a, b, CHANGE_BETTER, NULL, NULL);

	fprintf(out, "%s: %zu tests in %s, %zu in %s\n", worse ? "WORSE" : less ? "NOT KNOWN" : "OK", a->n, names[0], b->n, names[1]);
	if (a->kernel[0] && b->kernel[0])
		fprintf(out, "kernel: %s -> %s\n", a->kernel, b->kernel);
	if (worse)
		fprintf(out, "wrong now:\n");
	each(a, b, CHANGE_WORSE, put_line, out);
	if (less)
		fprintf(out, "right before, not tested now:\n");
	each(a, b, CHANGE_LESS, put_line, out);
	if (better)
		fprintf(out, "right now:\n");
	each(a, b, CHANGE_BETTER, put_line, out);
}

static void add_row(void *to, const struct result *a, const struct result *b)
{
	struct json_writer *w = to;

	json_open_object(w, NULL);
	json_add_text(w, "test", b ? b->name : a->name);
	json_add_text(w, "a", a ? a->word : NULL);
	json_add_text(w, "b", b ? b->word : NULL);
	json_close_object(w);
}

int json_write_results(FILE *out, const struct results *a, const struct results *b, const char *const names[2], int exit_code)
{
	static const char *const keys[] = { [CHANGE_WORSE] = "worse", [CHANGE_LESS] = "not_known", [CHANGE_BETTER] = "better" };
	_cleanup_json_writer_ struct json_writer w = { 0 };

	json_begin(&w, "diff-results");
	json_add_int(&w, "exit_code", exit_code);
	json_add_text(&w, "a", names[0]);
	json_add_text(&w, "b", names[1]);
	json_add_some(&w, "a_kernel", a->kernel);
	json_add_some(&w, "b_kernel", b->kernel);
	json_add_int(&w, "a_tests", (int64_t)a->n);
	json_add_int(&w, "b_tests", (int64_t)b->n);
	for (enum change change = CHANGE_WORSE; change <= CHANGE_BETTER; change++) {
		json_open_list(&w, keys[change]);
		each(a, b, change, add_row, &w);
		json_close_list(&w);
	}
	return json_finish(&w, out);
}
