/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/varlink.h"

#include "control/methods.h"
#include "unit.h"
#include "basic/util.h"

static int decode(const char *text, struct varlink_call *ret)
{
	return varlink_call_decode(text, strlen(text), ret);
}

static void a_call_is_taken_apart(void **state)
{
	struct varlink_call call;

	(void)state;
	assert_int_equal(decode("{\"method\":\"org.offloadd.Pause\",\"parameters\":{\"link\":\"vlan10\",\"seconds\":60}}",
				 &call),
		0);
	assert_string_equal(call.method, "org.offloadd.Pause");
	assert_false(call.more);
	assert_false(call.oneway);
	assert_string_equal(json_get_text(call.parameters, "link"), "vlan10");
	assert_int_equal(json_get_int(call.parameters, "seconds"), 60);
	varlink_call_clear(&call);

	assert_int_equal(decode("{\"method\":\"a.B\",\"more\":true,\"oneway\":false,\"parameters\":null} \n",
				 &call),
		0);
	assert_true(call.more);
	assert_null(call.parameters);
	varlink_call_clear(&call);
}

static void what_is_no_call_is_refused(void **state)
{
	static const char *const bad[] = { "", " ", "{", "[]", "null", "1", "\"a.B\"", "{}",
		"{\"method\":1}", "{\"method\":\"\"}", "{\"method\":null}", "{\"method\":\"a b\"}",
		"{\"method\":\"a.B\"}{\"method\":\"a.B\"}", "{\"method\":\"a.B\"} x",
		"{\"method\":\"a.B\\u0000c\"}", "{\"method\":\"a.B\",\"parameters\":{\"links\":[\"a\\u0000b\"]}}", "{\"method\":\"a.B\",\"parameters\":[]}",
		"{\"method\":\"a.B\",\"parameters\":1}", "{\"method\":\"a.B\",\"more\":1}",
		"{\"method\":\"a.B\",\"oneway\":\"yes\"}", "{\"method\":\"a\xff\"}",
		"{\"method\":\"a.B\",\"parameters\":{\"a\":[[[[[[[[1]]]]]]]]}}" };
	struct varlink_call call;
	char longest[VARLINK_NAME_MAX + 32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (decode(bad[i], &call) != -EBADMSG)
			fail_msg("taken for a call: %s", bad[i]);
	assert_int_equal(varlink_call_decode("{\"method\":\"a.B\"\0}", 18, &call), -EBADMSG);
	snprintf(longest, sizeof(longest), "{\"method\":\"%0*d\"}", VARLINK_NAME_MAX - 1, 0);
	assert_int_equal(decode(longest, &call), 0);
	varlink_call_clear(&call);
	snprintf(longest, sizeof(longest), "{\"method\":\"%0*d\"}", VARLINK_NAME_MAX, 0);
	assert_int_equal(decode(longest, &call), -EBADMSG);
}

static void answers_end_in_a_nul(void **state)
{
	_cleanup_json_writer_ struct json_writer w = { .form = JSON_COMPACT };
	char *text;
	size_t len;

	(void)state;
	json_open_object(&w, NULL);
	json_add_text(&w, "path", "/a");
	json_close_object(&w);
	assert_int_equal(varlink_compose_reply(NULL, &w, true, &text, &len), 0);
	assert_string_equal(text, "{\"parameters\":{\"path\":\"/a\"},\"continues\":true}");
	assert_int_equal(len, strlen(text) + 1);
	free(text);
	assert_int_equal(varlink_compose_reply("a.Error", NULL, false, &text, &len), 0);
	assert_string_equal(text, "{\"error\":\"a.Error\",\"parameters\":{}}");
	free(text);
	assert_int_equal(varlink_compose_call("a.B", &w, true, &text, &len), 0);
	assert_string_equal(text, "{\"method\":\"a.B\",\"parameters\":{\"path\":\"/a\"},\"more\":true}");
	free(text);
	w.error = -ENOMEM; /* what lost something is never sent */
	assert_int_equal(varlink_compose_reply(NULL, &w, false, &text, &len), -ENOMEM);
}

/* The interface says of itself what the table answers, and nothing else. */
static void the_description_is_that_of_the_methods(void **state)
{
	const char *description = methods_description();
	size_t described = 0, n = 0;

	(void)state;
	for (const char *at = description; (at = strstr(at, "\nmethod ")); at++)
		described++;
	for (size_t i = 0; methods_name(i); i++) {
		char wanted[VARLINK_NAME_MAX];

		if (strncmp(methods_name(i), METHODS_INTERFACE ".", strlen(METHODS_INTERFACE) + 1) != 0)
			continue;
		snprintf(wanted, sizeof(wanted), "\nmethod %s(",
			methods_name(i) + strlen(METHODS_INTERFACE) + 1);
		if (!strstr(description, wanted))
			fail_msg("not described: %s", methods_name(i));
		n++;
	}
	assert_int_equal(described, n);
	assert_non_null(strstr(description, "\ninterface " METHODS_INTERFACE "\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_is_taken_apart),
		cmocka_unit_test(what_is_no_call_is_refused),
		cmocka_unit_test(answers_end_in_a_nul),
		cmocka_unit_test(the_description_is_that_of_the_methods),
	};

	return cmocka_run_group_tests_name("varlink", tests, NULL, NULL);
}
