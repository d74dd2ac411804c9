/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "compare/results.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/json.h"
#include "basic/util.h"

#define TESTS_MAX 1000
#define CASES_MAX 10000 /* read, with those of the same name */

bool results_is_text(const char *text, size_t len)
{
	static const char *const names[] = { "verify", "check-path" };
	size_t n = len < 256 ? len : 256;
	const char *key = memmem(text, n, "\"document\"", strlen("\"document\"")), *value;

	if (!key)
		return false;
	value = memchr(key + strlen("\"document\""), '"', n - (size_t)(key - text) - strlen("\"document\""));
	for (size_t i = 0; value && i < ARRAY_SIZE(names); i++) {
		size_t word = strlen(names[i]);

		if ((size_t)(value - text) + word + 2 <= len && memcmp(value + 1, names[i], word) == 0 && value[word + 1] == '"')
			return true;
	}
	return false;
}

/* The length of the first object of a text that begins with one; len if it does not end. */
static size_t object_len(const char *text, size_t len)
{
	bool quoted = false;
	size_t depth = 0;

	for (size_t i = 0; i < len; i++) {
		if (quoted && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			quoted = !quoted;
		else if (!quoted && (text[i] == '{' || text[i] == '['))
			depth++;
		else if (!quoted && (text[i] == '}' || text[i] == ']') && --depth == 0)
			return i + 1;
		if (depth == 0)
			return len;
	}
	return len;
}

struct reader {
	struct results *results;
	size_t n_read;
	char *why;
	size_t why_size;
};

static int too_many(struct reader *r, int most)
{
	snprintf(r->why, r->why_size, "more than %d tests", most);
	return -EBADMSG;
}

/* Adds a test; one with the same name is replaced: the later one counts. */
static int add(struct reader *r, const struct result *one)
{
	struct results *results = r->results;

	if (r->n_read++ == CASES_MAX)
		return too_many(r, CASES_MAX);
	for (size_t i = 0; i < results->n; i++)
		if (strcmp(results->tests[i].name, one->name) == 0) {
			results->tests[i] = *one;
			return 0;
		}
	if (results->n == TESTS_MAX)
		return too_many(r, TESTS_MAX);
	if (!GROW(results->tests, results->n))
		return -ENOMEM;
	results->tests[results->n++] = *one;
	return 0;
}

static void copy(char *to, size_t size, const char *from)
{
	util_clean(from, to, size);
}

static enum results_outcome outcome_of(const char *word, const char *const right[], const char *const wrong[])
{
	for (size_t i = 0; right[i]; i++)
		if (strcmp(word, right[i]) == 0)
			return RESULTS_RIGHT;
	for (size_t i = 0; wrong[i]; i++)
		if (strcmp(word, wrong[i]) == 0)
			return RESULTS_WRONG;
	return RESULTS_UNKNOWN;
}

static int add_case(struct reader *reader, const struct json_value *document, const struct json_value *it)
{
	static const char *const right[] = { "right", NULL }, *const wrong[] = { "wrong", NULL };
	const char *peer = json_get_text(document, "peer"), *outcome = json_get_text(it, "outcome"), *more;
	char over[RESULTS_WORD_LEN], name[RESULTS_NAME_LEN];
	struct result one = { .outcome = outcome_of(outcome, right, wrong) };

	/* without the address: another build of the same host may have another one */
	if (*peer)
		snprintf(over, sizeof(over), "%.40s", json_get_text(document, "link"));
	else
		snprintf(over, sizeof(over), "%.40s", json_get_text(it, "over"));
	snprintf(name, sizeof(name), "verify: %.32s over %s, %.32s", json_get_text(it, "packet"), over, json_get_text(it, "mode"));
	copy(one.name, sizeof(one.name), name);
	more = one.outcome == RESULTS_WRONG ? json_get_text(json_get_object(it, "wrong"), "what") : "";
	snprintf(name, sizeof(name), "%.20s%s%.20s", outcome, *more ? ": " : "", more);
	copy(one.word, sizeof(one.word), name);
	return add(reader, &one);
}

static int add_document(struct reader *reader, const struct json_value *document)
{
	static const char *const right[] = { "healthy", NULL }, *const wrong[] = { "software", "slow-sendfile", NULL };
	const char *kind = json_get_text(document, "document");
	char name[RESULTS_NAME_LEN];
	struct result one;
	int r = 0;

	if (json_get_int(document, "version") != JSON_VERSION) {
		snprintf(reader->why, reader->why_size, "not a document of version %d", JSON_VERSION);
		return -EBADMSG;
	}
	if (strcmp(kind, "verify") == 0) {
		copy(reader->results->kernel, sizeof(reader->results->kernel), json_get_text(document, "kernel"));
		if (json_count(json_get_list(document, "cases")) == 0) {
			snprintf(reader->why, reader->why_size, "a document of verify without cases");
			return -EBADMSG;
		}
		json_foreach (it, json_get_list(document, "cases"))
			r = r < 0 ? r : add_case(reader, document, it);
		return r;
	}
	if (strcmp(kind, "check-path") == 0) {
		one = (struct result){ .outcome = outcome_of(json_get_text(document, "verdict"), right, wrong) };
		snprintf(name, sizeof(name), "check-path: %.64s%s", json_get_text(document, "link"),
			*json_get_text(document, "peer") ? " to a peer" : "");
		copy(one.name, sizeof(one.name), name);
		copy(one.word, sizeof(one.word), json_get_text(document, "verdict"));
		return add(reader, &one);
	}
	snprintf(reader->why, reader->why_size, "neither from verify nor from check-path");
	return -EBADMSG;
}

int results_parse(const char *text, size_t len, struct results *ret, char *why, size_t why_size)
{
	struct reader reader = { .results = ret, .why = why, .why_size = why_size };
	int r = 0;

	*ret = (struct results){ 0 };
	if (why_size)
		why[0] = '\0';
	while (r == 0) {
		_cleanup_json_ struct json_value *document = NULL;
		size_t blank = 0, n;

		while (blank < len && (text[blank] == ' ' || text[blank] == '\t' || text[blank] == '\r' || text[blank] == '\n'))
			blank++;
		text += blank;
		len -= blank;
		if (len == 0)
			return 0;
		n = object_len(text, len);
		r = json_parse(text, n, JSON_OF_FILE, &document, why, why_size);
		if (r == 0)
			r = add_document(&reader, document);
		text += n;
		len -= n;
	}
	return r;
}

void results_clear(struct results *results)
{
	free(results->tests);
	*results = (struct results){ 0 };
}

const struct result *results_find(const struct results *results, const char *name)
{
	for (size_t i = 0; i < results->n; i++)
		if (strcmp(results->tests[i].name, name) == 0)
			return &results->tests[i];
	return NULL;
}

bool results_is_worse(const struct result *a, const struct result *b)
{
	return b && b->outcome == RESULTS_WRONG && (!a || a->outcome != RESULTS_WRONG);
}

bool results_is_less(const struct result *a, const struct result *b)
{
	return a && a->outcome == RESULTS_RIGHT && (!b || b->outcome == RESULTS_UNKNOWN);
}
