/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "basic/json.h"

#include <json-c/json.h>

#include "compare/snapshot_json.h"
#include "control/varlink.h"
#include "unit.h"
#include "unit-malloc.h"

static char why[JSON_WHY_LEN];

static int parse(const char *text, const struct json_limits *limits, struct json_value **ret)
{
	*ret = NULL;
	why[0] = '\0';
	return json_parse(text, strlen(text), limits, ret, why, sizeof(why));
}

/* ---- writing ---- */

/* One of everything. */
static void write_sample(struct json_writer *w)
{
	json_begin(w, "sample");
	json_add_null(w, "null");
	json_add_bool(w, "bool", true);
	json_add_int(w, "int", INT64_MIN);
	json_add_positive(w, "zero", 0);
	json_add_real(w, "real", 2);
	json_add_real(w, "not_finite", 0.0 / 0.0);
	json_add_text(w, "text", "a \"b\" \\ /");
	json_add_text(w, "no_text", NULL);
	json_add_some(w, "some", "");
	json_add_lines(w, "lines", "a\n\tb");
	json_open_list(w, "empty");
	json_close_list(w);
	json_open_line(w, "line");
	json_add_text(w, NULL, "a");
	json_add_int(w, NULL, 1);
	json_close_list(w);
	json_open_list(w, "list");
	json_add_int(w, NULL, 1);
	json_open_object(w, NULL);
	json_add_name(w, "name", "\xff" "eth0-and-more", 5);
	json_close_object(w);
	json_close_list(w);
}

static char *sample(enum json_form form)
{
	_cleanup_json_writer_ struct json_writer w = { .form = form };
	char *text;
	size_t len;

	write_sample(&w);
	assert_int_equal(json_take(&w, &text, &len), 0);
	assert_int_equal(len, strlen(text));
	assert_null(w.text);
	return text;
}

static void a_document_has_three_forms(void **state)
{
	static const char *const forms[] = {
		"{\n  \"version\": 1,\n  \"document\": \"sample\",\n  \"null\": null,\n  \"bool\": true,\n"
		"  \"int\": -9223372036854775808,\n  \"zero\": null,\n  \"real\": 2.0,\n  \"not_finite\": null,\n"
		"  \"text\": \"a \\\"b\\\" \\\\ /\",\n  \"no_text\": null,\n  \"some\": null,\n  \"lines\": \"a\\n\\tb\",\n"
		"  \"empty\": [],\n  \"line\": [\"a\", 1],\n  \"list\": [\n    1,\n    {\n      \"name\": \"?eth0\"\n    }\n  ]\n}\n",
		"{ \"version\": 1, \"document\": \"sample\", \"null\": null, \"bool\": true, \"int\": -9223372036854775808, "
		"\"zero\": null, \"real\": 2.0, \"not_finite\": null, \"text\": \"a \\\"b\\\" \\\\ /\", \"no_text\": null, "
		"\"some\": null, \"lines\": \"a\\n\\tb\", \"empty\": [ ], \"line\": [\"a\", 1], \"list\": [ 1, { \"name\": \"?eth0\" } ] }\n",
		"{\"version\":1,\"document\":\"sample\",\"null\":null,\"bool\":true,\"int\":-9223372036854775808,\"zero\":null,"
		"\"real\":2.0,\"not_finite\":null,\"text\":\"a \\\"b\\\" \\\\ /\",\"no_text\":null,\"some\":null,\"lines\":\"a\\n\\tb\","
		"\"empty\":[],\"line\":[\"a\",1],\"list\":[1,{\"name\":\"?eth0\"}]}\n",
	};

	(void)state;
	for (enum json_form form = JSON_LINES; form <= JSON_COMPACT; form++) {
		char *text = sample(form);
		struct json_object *o = json_tokener_parse(text);

		assert_string_equal(text, forms[form]);
		assert_non_null(o); /* json-c reads the same in it */
		json_object_put(o);
		free(text);
	}
}

static void text_is_cleaned_by_the_writer(void **state)
{
	_cleanup_json_writer_ struct json_writer w = { .form = JSON_COMPACT };

	(void)state;
	json_open_list(&w, NULL);
	json_add_text(&w, NULL, "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7");
	json_add_text(&w, NULL, "a\x1b[0m\n\t\x7f"); /* control characters, DEL */
	json_add_text(&w, NULL, "\xc2\x9b" "31m");    /* C1 */
	json_add_text(&w, NULL, "\xc0\xaf \xed\xa0\x80 \xff \xe2\x82"); /* not UTF-8 */
	json_add_text(&w, NULL, "\xe2\x80\xae \xe2\x81\xa6 \xe2\x80\x8f"); /* turns the direction */
	json_add_name(&w, NULL, "\xc3\xbc\n", 16);
	json_close_list(&w);
	assert_string_equal(w.text,
		"[\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7\",\"a?[0m???\",\"??31m\",\"?? ??? ? ??\",\"??? ??? ???\",\"???\"]");
}

static void what_was_read_is_written_again(void **state)
{
	_cleanup_json_writer_ struct json_writer w = { .form = JSON_LINES };
	char *text = sample(JSON_LINES), *again;
	_cleanup_json_ struct json_value *root = unit_json(text);
	size_t len;

	(void)state;
	json_open_object(&w, NULL);
	json_add_members(&w, root);
	assert_int_equal(json_take(&w, &again, &len), 0);
	for (char *a = text, *b = again; *a; a++, b++) { /* "line" is a list as any other now */
		a += strspn(a, " \n");
		b += strspn(b, " \n");
		assert_int_equal(*a, *b);
		if (!*a)
			break;
	}
	free(text);
	free(again);
}

static void a_failed_write_is_an_error(void **state)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };
	FILE *out = fopen("/dev/full", "w");

	(void)state;
	if (!out)
		skip();
	setvbuf(out, NULL, _IONBF, 0);
	json_begin(&w, "sample");
	assert_int_equal(json_finish(&w, out), -EIO);
	fclose(out);
}

/* ---- parsing ---- */

static void values_are_what_they_were(void **state)
{
	_cleanup_json_ struct json_value *root = unit_json(
		" {\"a\":[1,-2,true,null,\"x\",{}],\"\\u0041\\n\\/\":\"\\u20ac\\ud83d\\udc27\",\"r\":-1.5e2,\"big\":9223372036854775808,"
		"\"most\":9223372036854775807} \n");
	const struct json_value *list = json_get_list(root, "a");
	const enum json_kind kinds[] = { JSON_INT, JSON_INT, JSON_BOOL, JSON_NULL, JSON_TEXT, JSON_OBJECT };
	size_t n = 0;

	(void)state;
	assert_int_equal(json_count(root), 5);
	assert_int_equal(json_count(list), 6);
	json_foreach(item, list)
		assert_int_equal(json_kind(item), kinds[n++]);
	assert_int_equal(n, 6);
	assert_int_equal(json_as_int(json_next(list, json_next(list, NULL))), -2);
	assert_string_equal(json_get_text(root, "A\n/"), "\xe2\x82\xac\xf0\x9f\x90\xa7");
	assert_int_equal(json_kind(json_get(root, "r")), JSON_REAL);
	assert_int_equal(json_kind(json_get(root, "big")), JSON_REAL);
	assert_int_equal(json_get_int(root, "most"), INT64_MAX);
}

static void what_is_no_json_is_refused(void **state)
{
	static const char *const bad[] = { "", " ", "{", "[", "{\"a\":", "{\"a\":1", "x", "\xff", "01", "1.", "-", "1e", ".5", "+1",
		"tru", "nul", "True", "NaN", "'a'", "[1,]", "[,1]", "{\"a\":1,}", "{a:1}", "{\"a\" 1}", "{1:1}", "[1 2]", "\"a", "\"a\nb\"",
		"\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\u0000\"", "\"\xc0\xaf\"", "{} {}", "{}x", "/**/1" };
	struct json_value *root;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (parse(bad[i], JSON_OF_FILE, &root) != -EBADMSG)
			fail_msg("taken for JSON: %s", bad[i]);
		assert_null(root);
		assert_true(why[0]);
	}
	assert_int_equal(json_parse("1\0", 2, JSON_OF_FILE, &root, why, sizeof(why)), -EBADMSG);
	assert_int_equal(parse("{\n\"a\":\n?}", JSON_OF_FILE, &root), -EBADMSG);
	assert_string_equal(why, "line 3: expected a value");
	assert_int_equal(parse("{\n\"a\":", JSON_OF_FILE, &root), -EBADMSG);
	assert_non_null(strstr(why, "truncated at line 2"));
}

static void a_text_may_cost_only_so_much(void **state)
{
	const struct json_limits limits = { .bytes = 64, .values = 6, .depth = 3 };
	_cleanup_json_ struct json_value *good = NULL;
	struct json_value *root;
	char deep[4096];

	(void)state;
	assert_int_equal(parse("[[[1,2,3]]]", &limits, &good), 0);
	assert_int_equal(parse("[[[[1]]]]", &limits, &root), -EBADMSG);
	assert_non_null(strstr(why, "nested too deeply"));
	assert_int_equal(parse("[[],[],[],[],[],[]]", &limits, &root), -EBADMSG);
	assert_non_null(strstr(why, "too many values"));
	assert_int_equal(parse("\"                                                                 \"", &limits, &root), -EBADMSG);
	assert_non_null(strstr(why, "larger"));
	memset(deep, '[', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	assert_int_equal(parse(deep, JSON_OF_CLIENT, &root), -EBADMSG);
	assert_int_equal(parse(deep, JSON_OF_DAEMON, &root), -EBADMSG);
}

/* Where a list of names or objects is expected, a peer may send anything. */
static void hostile_nulls_and_kinds_are_nothing(void **state)
{
	static const char *const texts[] = { "null", "1", "\"a\"", "true", "[null,1,[],{}]", "{\"list\":null}", "{\"list\":1}", "{\"list\":{}}",
		"{\"list\":[null]}", "{\"list\":[1,\"a\",[null],{\"list\":[null]},true]}", "{\"list\":\"abc\"}" };
	struct feature_table table = { 0 };

	(void)state;
	unit_features(&table);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_json_ struct json_value *root = unit_json(texts[i]);

		json_foreach(item, json_get_list(root, "list"))
		{
			(void)json_as_text(item);
			assert_string_equal(json_get_text(item, "x"), "");
			assert_int_equal(json_get_int(item, "x"), 0);
			assert_false(json_get_bool(item, "x"));
			assert_null(json_get(item, "x"));
			(void)json_count(json_get_list(item, "list"));
			assert_null(json_get_object(item, "x"));
		}
		assert_int_equal(feature_get_names(json_get_list(root, "list"), &table), 0);
		json_keep(root, json_get(root, "list"));
		assert_null(json_key(root));
	}
	assert_null(json_get(NULL, "x"));
	assert_null(json_next(NULL, NULL));
	assert_int_equal(json_kind(NULL), JSON_NULL);
	assert_string_equal(json_as_text(NULL), "");
}

/* ---- fields ---- */

struct thing {
	bool yes;
	unsigned number;
	int64_t wide;
	char text[8], name[8];
	char *copy;
	const char *borrowed;
	const struct json_value *list, *object;
};

static const struct json_field fields[] = {
	JSON_FIELD(struct thing, yes, "yes", JSON_BOOL),
	JSON_FIELD(struct thing, number, "number", JSON_INT, .required = true, .least = 1, .most = 9),
	JSON_FIELD(struct thing, wide, "wide", JSON_INT, .least = -5),
	JSON_FIELD(struct thing, text, "text", JSON_TEXT, .zero_is_null = true),
	JSON_FIELD(struct thing, name, "name", JSON_NAME),
	JSON_FIELD(struct thing, copy, "copy", JSON_COPY, .most = 3),
	JSON_FIELD(struct thing, borrowed, "borrowed", JSON_BORROWED),
	{ 0 },
};
static const struct json_field values[] = {
	JSON_FIELD(struct thing, list, "list", JSON_LIST, .most = 2),
	JSON_FIELD(struct thing, object, "object", JSON_OBJECT),
	{ 0 },
};

static int read_thing(const char *text, struct thing *ret)
{
	struct json_reader r = { .why = why, .why_size = sizeof(why) };
	_cleanup_json_ struct json_value *root = unit_json(text);

	why[0] = '\0';
	json_read(&r, root, fields, ret);
	return json_read(&r, root, values, ret);
}

static void fields_become_members(void **state)
{
	_cleanup_json_writer_ struct json_writer w = { .form = JSON_COMPACT };
	struct thing thing = { .wide = 7, .name = "old" };

	(void)state;
	assert_int_equal(read_thing("{\"yes\":true,\"number\":9,\"text\":\"a\\u001b\\u202e\",\"copy\":\"c\",\"name\":null,\"x\":1,\"list\":[1,2]}", &thing), 0);
	assert_true(thing.yes);
	assert_int_equal(thing.number, 9);
	assert_int_equal(thing.wide, 7); /* what is not there stays */
	assert_string_equal(thing.text, "a????");
	assert_string_equal(thing.name, "old");
	thing.borrowed = NULL;
	thing.text[0] = '\0';
	json_open_object(&w, NULL);
	json_add_fields(&w, fields, &thing);
	json_close_object(&w);
	assert_string_equal(w.text, "{\"yes\":true,\"number\":9,\"wide\":7,\"text\":null,\"name\":\"old\",\"copy\":\"c\",\"borrowed\":null}");
	free(thing.copy);
}

static void a_mistake_is_said_where_it_is(void **state)
{
	static const struct {
		const char *text, *wrong;
	} cases[] = {
		{ "{}", "number is missing" },
		{ "{\"number\":null}", "number is missing" },
		{ "[]", "number is missing" },
		{ "{\"number\":0}", "number is out of range" },
		{ "{\"number\":10}", "number is out of range" },
		{ "{\"number\":1.0}", "number is not a whole number" },
		{ "{\"number\":\"1\"}", "number is not a whole number" },
		{ "{\"number\":1,\"wide\":-6}", "wide is out of range" },
		{ "{\"number\":1,\"wide\":9223372036854775808}", "wide is not a whole number" },
		{ "{\"number\":1,\"yes\":1}", "yes is not true or false" },
		{ "{\"number\":1,\"text\":[]}", "text is not a text" },
		{ "{\"number\":1,\"text\":\"12345678\"}", "text is too long" },
		{ "{\"number\":1,\"name\":\"12345678\"}", "name is too long" },
		{ "{\"number\":1,\"copy\":\"1234\"}", "copy is too long" },
		{ "{\"number\":1,\"list\":{}}", "list is not a list" },
		{ "{\"number\":1,\"list\":[1,2,3]}", "list has too many members" },
		{ "{\"number\":1,\"object\":[]}", "object is not an object" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct thing thing = { 0 };

		assert_int_equal(read_thing(cases[i].text, &thing), -EBADMSG);
		assert_string_equal(why, cases[i].wrong);
		free(thing.copy);
	}
}

static void lists_of_objects_are_walked(void **state)
{
	struct json_reader r = { .why = why, .why_size = sizeof(why) };
	_cleanup_json_ struct json_value *root = unit_json("{\"a\":[{\"b\":[{},{}]},{\"b\":[{},null]},{}]}");
	size_t n = 0;

	(void)state;
	for (struct json_each a = json_each(&r, json_get_list(root, "a"), "a"); json_step(&a);)
		for (struct json_each b = json_each(&r, json_get_list(a.item, "b"), "b"); json_step(&b);)
			n++;
	assert_int_equal(n, 3);
	assert_int_equal(r.error, -EBADMSG);
	assert_string_equal(why, "a[1].b[1] is not an object");
	assert_string_equal(json_unknown(root, fields), "a");
	assert_null(json_unknown(NULL, fields));
}

/* ---- no memory ---- */

static int write_once(void)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };
	FILE *out = fopen("/dev/full", "w"); /* not a byte of half a document */
	int r;

	if (!out)
		return -ENOMEM;
	setvbuf(out, NULL, _IONBF, 0);
	write_sample(&w);
	r = json_finish(&w, out);
	fclose(out);
	return r == -EIO ? 0 : r;
}

static char *given;

static int parse_once(void)
{
	struct json_reader r = { .why = why, .why_size = sizeof(why) };
	_cleanup_json_ struct json_value *root = NULL;
	struct thing thing = { .number = 1 };
	int e = json_parse(given, strlen(given), JSON_OF_FILE, &root, why, sizeof(why));

	if (e >= 0)
		e = json_read(&r, root, fields, &thing);
	free(thing.copy);
	return e;
}

static int snapshot_once(void)
{
	struct snapshot s;
	char *text = NULL;
	size_t len;
	int r = snapshot_parse_json(given, strlen(given), &s, why, sizeof(why));

	if (r < 0)
		return r;
	r = snapshot_format_json(&s, &text, &len);
	snapshot_clear(&s);
	free(text);
	return r;
}

static int call_server(void)
{
	struct varlink_call call;
	char *text = NULL;
	size_t len;
	int r = varlink_call_decode(given, strlen(given), &call);

	if (r < 0)
		return r;
	varlink_call_clear(&call);
	r = varlink_compose_reply("a.B", NULL, true, &text, &len);
	free(text);
	return r;
}

static void without_memory_there_is_an_error(void **state)
{
	char *good = NULL;
	size_t size = 0;
	FILE *f = fopen("tests/golden/diff/good.json", "r");

	(void)state;
	assert_non_null(f);
	assert_true(getdelim(&good, &size, '\0', f) > 0);
	fclose(f);
	unit_starve(write_once);
	given = (char[]){ "{\"number\":1,\"copy\":\"abc\",\"a\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]}" };
	unit_starve(parse_once);
	given = (char[]){ "{\"method\":\"a.B\",\"parameters\":{\"links\":[\"a\",\"b\"]}}" };
	unit_starve(call_server);
	given = good;
	unit_starve(snapshot_once);
	free(good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_has_three_forms),
		cmocka_unit_test(text_is_cleaned_by_the_writer),
		cmocka_unit_test(what_was_read_is_written_again),
		cmocka_unit_test(a_failed_write_is_an_error),
		cmocka_unit_test(values_are_what_they_were),
		cmocka_unit_test(what_is_no_json_is_refused),
		cmocka_unit_test(a_text_may_cost_only_so_much),
		cmocka_unit_test(hostile_nulls_and_kinds_are_nothing),
		cmocka_unit_test(fields_become_members),
		cmocka_unit_test(a_mistake_is_said_where_it_is),
		cmocka_unit_test(lists_of_objects_are_walked),
		cmocka_unit_test(without_memory_there_is_an_error),
	};

	return cmocka_run_group_tests_name("basic-json", tests, NULL, NULL);
}
