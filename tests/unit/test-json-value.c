/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "basic/json_value.h"

#include "unit.h"

static int parse(const char *text, int depth, struct json_object **ret)
{
	*ret = NULL;
	return json_value_parse(text, strlen(text), depth, ret);
}

static void only_an_object_is_taken(void **state)
{
	static const char *const bad[] = { "", " ", "1", "null", "[]", "\"a\"", "{", "{\"a\":", "{\"a\":1", "x", "\xff" };
	struct json_object *root;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(parse(bad[i], 8, &root), -EBADMSG);
		assert_null(root);
	}
	assert_int_equal(parse("{\"a\":[[1]]}", 3, &root), -EBADMSG);
	assert_int_equal(parse("{\"a\":[[1]]} and more", 4, &root), 0);
	json_object_put(root);
}

static void what_is_missing_or_of_another_type_is_nothing(void **state)
{
	_cleanup_json_ struct json_object *root = NULL;
	int64_t n = 7;

	(void)state;
	assert_int_equal(parse("{\"text\":\"t\",\"n\":12,\"list\":[1,2],\"null\":null}", 8, &root), 0);
	assert_string_equal(json_value_text(root, "text"), "t");
	assert_null(json_value_text(root, "n"));
	assert_null(json_value_text(root, "null"));
	assert_null(json_value_text(root, "absent"));
	assert_null(json_value_text(NULL, "text"));
	assert_false(json_value_int(root, "text", &n));
	assert_false(json_value_int(NULL, "n", &n));
	assert_int_equal(n, 7);
	assert_true(json_value_int(root, "n", &n));
	assert_int_equal(n, 12);
	assert_int_equal(json_value_count(json_value_member(root, "list", json_type_array)), 2);
	assert_int_equal(json_value_count(json_value_member(root, "text", json_type_array)), 0);
	assert_null(json_value_member(json_value_member(root, "list", json_type_array), "x", json_type_int));
}

static void empty_text_is_null(void **state)
{
	_cleanup_json_ struct json_object *o = json_object_new_object();

	(void)state;
	json_value_add_text(o, "a", NULL);
	json_value_add_text(o, "b", "");
	json_value_add_text(o, "c", "c");
	json_value_add_int(o, "d", INT64_MIN);
	json_value_add_bool(o, "e", true);
	assert_string_equal(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN),
		"{\"a\":null,\"b\":null,\"c\":\"c\",\"d\":-9223372036854775808,\"e\":true}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_an_object_is_taken),
		cmocka_unit_test(what_is_missing_or_of_another_type_is_nothing),
		cmocka_unit_test(empty_text_is_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
