/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>

#include <json-c/json.h>

#include "basic/json.h"
#include "evidence/services.h"
#include "unit-model.h"

static struct json_object *document(const struct services *services)
{
	_cleanup_json_writer_ struct json_writer w = { .form = JSON_COMPACT };
	struct feature_table features;
	struct json_object *o;

	memset(&features, 0, sizeof(features));
	unit_features(&features);
	json_open_object(&w, NULL);
	services_add_json(services, &features, 5000000, &w);
	json_close_object(&w);
	o = json_tokener_parse(w.text);
	assert_non_null(o);
	return o;
}

static struct json_object *at(struct json_object *o, const char *pointer)
{
	struct json_object *found = NULL;

	assert_int_equal(json_pointer_get(o, pointer, &found), 0);
	return found;
}

static void rows_become_members(void **state)
{
	struct services_fallback fallback[] = {
		{ .kind = "checksum", .origin = "local", .service = "a.service", .link = "vlan10",
			.ifindex = 7, .verdict = "drifted", .hits = 3, .last_usec = 4000000, .now = true },
		{ .kind = "sendpage", .origin = "forwarded", .by_socket = true },
	};
	struct services_stale stale = { .service = "b.service", .link = "vlan10", .ifindex = 7,
		.unit = { .kind = UNIT_SERVICE, .name = "b.service" }, .sockets = 2, .since_usec = 9,
		.hits = 4, .missing = 1, .n_samples = 1 };
	const struct services services = { .counted = true, .looked = true, .fallback = fallback,
		.n_fallback = 2, .stale = &stale, .n_stale = 1, .left_out = 5, .lost = { 6 },
		.kinds = { "sendpage" }, .probes = { { "sockets", "iter/tcp", NULL, "no privilege" } },
		.n_probes = 1 };
	struct json_object *o;

	(void)state;
	stale.samples[0].family = AF_INET;
	stale.samples[0].local_port = 80;
	o = document(&services);
	assert_int_equal(json_object_get_int(at(o, "/fallback/0/idle_usec")), 1000000);
	assert_string_equal(json_object_get_string(at(o, "/fallback/0/verdict")), "drifted");
	assert_null(at(o, "/fallback/1/service"));
	assert_null(at(o, "/fallback/1/link"));
	assert_null(at(o, "/fallback/1/ifindex"));
	assert_null(at(o, "/fallback/1/idle_usec"));
	assert_true(json_object_get_boolean(at(o, "/fallback/1/reconnect")));
	assert_int_equal(json_object_get_int(at(o, "/restart/0/sockets")), 2);
	assert_string_equal(json_object_get_string(at(o, "/restart/0/kind")), "service");
	assert_string_equal(json_object_get_string(at(o, "/restart/0/samples/0/local")), "0.0.0.0:80");
	assert_int_equal(json_object_array_length(at(o, "/restart/0/missing")), 1);
	assert_int_equal(json_object_get_int(at(o, "/left_out")), 5);
	assert_int_equal(json_object_get_int(at(o, "/lost/sendpage")), 6);
	assert_null(at(o, "/probes/0/method"));
	assert_string_equal(json_object_get_string(at(o, "/probes/0/why")), "no privilege");
	json_object_put(o);
}

static void what_no_probe_tells_is_null(void **state)
{
	const struct services none = { 0 };
	struct json_object *o = document(&none);

	(void)state;
	assert_null(at(o, "/fallback"));
	assert_null(at(o, "/restart"));
	assert_int_equal(json_object_array_length(at(o, "/probes")), 0);
	json_object_put(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_become_members),
		cmocka_unit_test(what_no_probe_tells_is_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
