/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>

#include <json-c/json.h>

#include "basic/json.h"
#include "report/json_services.h"
#include "unit-model.h"

static struct json_object *document(const struct evidence *e)
{
	_cleanup_json_writer_ struct json_writer w = { .form = JSON_COMPACT };
	struct json_object *o;

	json_open_object(&w, NULL);
	json_add_services(&w, e);
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

/* A service that copies on a link where its connections are stale, and one whose packets are summed. */
static struct evidence sample(void)
{
	struct evidence e = { .has_fallback = true, .has_sockets = true, .omitted = 5, .lost = { 6 }, .lost_idle_usec = 77,
		.elsewhere = { 9 } };
	struct evidence_stale stale = { .service = "b.service", .link = "vlan10", .ifindex = 7,
		.unit = { .kind = UNIT_SERVICE, .name = "b.service" }, .sockets = 2, .since_usec = 9,
		.hits = 4, .missing = 1, .n_samples = 1 };
	struct evidence_fallback *row;

	unit_features(&e.features);
	row = evidence_fallback_row(&e, FALLBACK_SOCKET, FALLBACK_REASON_FEATURE, "a.service", "vlan10");
	row->ifindex = 7;
	row->verdict = "drifted";
	row->hits[FALLBACK_CHECKSUM] = (struct evidence_hits){ 3, 1000000, true };
	row = evidence_fallback_row(&e, FALLBACK_FORWARDED, FALLBACK_REASON_FEATURE, "", "");
	row->hits[FALLBACK_SENDPAGE].n = 1;
	row->reason = FALLBACK_REASON_SIZE;
	row->limit = 8000;
	row->largest = 65226;
	row = evidence_fallback_row(&e, FALLBACK_SOCKET, FALLBACK_REASON_FEATURE, "b.service", "vlan10");
	row->hits[FALLBACK_SPLICE] = (struct evidence_hits){ 8, 0, true };
	row->verdict = "drifted";
	stale.samples[0].family = AF_INET;
	stale.samples[0].local_port = 80;
	evidence_add_stale(&e, &stale);
	evidence_stale_row(&e, "quic.service", "vlan10")->senders = 3;
	e.udp_undecided = 2;
	evidence_add_probe(&e, &(struct evidence_probe){ "sockets", "iter/tcp", NULL, "no privilege", true });
	return e;
}

static void rows_become_members(void **state)
{
	struct evidence e = sample();
	struct json_object *o;

	(void)state;
	o = document(&e);
	assert_int_equal(json_object_get_int(at(o, "/fallback/0/idle_usec")), 1000000);
	assert_string_equal(json_object_get_string(at(o, "/fallback/0/verdict")), "drifted");
	assert_null(at(o, "/fallback/1/service"));
	assert_null(at(o, "/fallback/1/link"));
	assert_null(at(o, "/fallback/1/ifindex"));
	assert_null(at(o, "/fallback/1/idle_usec"));
	assert_null(at(o, "/fallback/1/now"));
	assert_string_equal(json_object_get_string(at(o, "/fallback/0/remedy")), "unknown");
	assert_int_equal(json_object_get_int(at(o, "/restart/0/sockets")), 2);
	assert_string_equal(json_object_get_string(at(o, "/restart/0/kind")), "service");
	assert_string_equal(json_object_get_string(at(o, "/restart/0/samples/0/local")), "0.0.0.0:80");
	assert_int_equal(json_object_array_length(at(o, "/restart/0/missing")), 1);
	assert_int_equal(json_object_get_int(at(o, "/restart/0/udp_senders")), 0);
	assert_int_equal(json_object_get_int(at(o, "/restart/1/sockets")), 0);
	assert_int_equal(json_object_get_int(at(o, "/restart/1/udp_senders")), 3);
	assert_int_equal(json_object_get_int(at(o, "/udp_undecided")), 2);
	assert_int_equal(json_object_get_int(at(o, "/omitted")), 5);
	assert_int_equal(json_object_get_int(at(o, "/lost/sendpage")), 6);
	assert_int_equal(json_object_get_int(at(o, "/lost_idle_usec")), 77);
	assert_null(at(o, "/probes/0/method"));
	assert_string_equal(json_object_get_string(at(o, "/probes/0/why")), "no privilege");
	json_object_put(o);
	evidence_clear(&e);
}

static int read_services(const struct json_value *root, struct evidence *ret)
{
	static char why[JSON_WHY_LEN];
	struct json_reader r = { .why = why, .why_size = sizeof(why) };

	return json_read_services(&r, root, ret);
}

static void what_is_written_is_read(void **state)
{
	_cleanup_json_writer_ struct json_writer w = { .form = JSON_COMPACT };
	_cleanup_json_ struct json_value *root = NULL;
	struct evidence e = sample(), again;

	(void)state;
	json_open_object(&w, NULL);
	json_add_services(&w, &e);
	json_close_object(&w);
	root = unit_json(w.text);
	assert_int_equal(read_services(root, &again), 0);
	assert_int_equal(again.n_fallback, 3);
	assert_string_equal(again.fallback[0].service, "a.service");
	assert_string_equal(again.fallback[0].verdict, "drifted");
	assert_int_equal(again.fallback[0].hits[FALLBACK_CHECKSUM].n, 3);
	assert_int_equal(again.fallback[0].hits[FALLBACK_CHECKSUM].idle_usec, 1000000);
	assert_int_equal(again.fallback[0].reason, FALLBACK_REASON_FEATURE);
	assert_int_equal(again.fallback[1].origin, FALLBACK_FORWARDED);
	assert_int_equal(again.fallback[1].reason, FALLBACK_REASON_SIZE);
	assert_int_equal(again.fallback[1].limit, 8000);
	assert_int_equal(again.fallback[1].largest, 65226);
	assert_true(again.fallback[1].hits[FALLBACK_SENDPAGE].idle_usec == EVIDENCE_IDLE_UNKNOWN);
	assert_int_equal(again.n_stale, 2);
	assert_int_equal(again.stale[1].sockets, 0);
	assert_int_equal(again.stale[1].senders, 3);
	assert_int_equal(again.udp_undecided, 2);
	assert_int_equal(again.stale[0].unit.kind, UNIT_SERVICE);
	assert_int_equal(again.stale[0].sockets, 2);
	assert_int_equal(again.stale[0].missing, 1);
	assert_string_equal(feature_name(&again.features, 0), feature_name(&e.features, 0));
	assert_null(again.probes[0].method);
	assert_int_equal(again.lost[FALLBACK_SENDPAGE], 6);
	assert_int_equal(again.lost_idle_usec, 77);
	assert_int_equal(again.elsewhere[FALLBACK_SENDPAGE], 9);
	assert_int_equal(again.omitted, 5);
	evidence_clear(&again);
	evidence_clear(&e);
}

static void other_documents(void **state)
{
	static const struct {
		const char *text;
		int error;
	} documents[] = {
		{ "null", 0 },
		{ "{\"fallback\":[7]}", -EBADMSG },
		{ "{\"fallback\":[{\"kind\":\"x\"}]}", -EBADMSG },
		{ "{\"fallback\":[{\"kind\":\"x\",\"origin\":\"y\"}],\"restart\":[{\"missing\":[1]}],\"probes\":[{}],\"lost\":{}}", 0 },
		{ "{\"restart\":[{\"link\":\"a-name-that-is-longer-than-any-link\"}]}", -EBADMSG },
		{ "{\"lost\":3}", -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(documents); i++) {
		_cleanup_json_ struct json_value *root = unit_json(documents[i].text);
		struct evidence e;

		assert_int_equal(read_services(root, &e), documents[i].error);
		assert_int_equal(e.n_fallback, 0);
		evidence_clear(&e);
	}
}

static void what_follows(void **state)
{
	struct evidence e = sample();
	struct evidence_stale more = { .service = "b.service", .link = "eth0", .sockets = 3 };

	(void)state;
	/* a checksum, and what stale connections copy; not what has no time */
	assert_int_equal(evidence_count_now(&e), 2);
	evidence_add_stale(&e, &more);
	more.sockets = 1;
	evidence_add_stale(&e, &more);
	assert_int_equal(e.n_stale, 3);
	assert_int_equal(evidence_count_stale(&e), 6);
	assert_ptr_equal(evidence_find_service(&e, "b.service"), &e.stale[0]);
	evidence_clear(&e);
}

static void what_no_probe_tells_is_null(void **state)
{
	const struct evidence none = { 0 };
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
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(other_documents),
		cmocka_unit_test(what_follows),
		cmocka_unit_test(what_no_probe_tells_is_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
