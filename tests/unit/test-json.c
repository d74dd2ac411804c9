/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documents against docs/schema. The checker knows the words of JSON Schema that those files use,
 * and fails on any other. */
#include "view-sample.h"
#include "unit-malloc.h"

#include <json-c/json.h>
#include <stdio.h>

#include "evidence-sample.h"
#include "investigation-sample.h"
#include "compare/snapshot_json.h"
#include "report/json.h"
#include "report/json_evidence.h"
#include "report/json_investigation.h"
#include "basic/util.h"

static struct json_object *schema_file(const char *name)
{
	static struct {
		char name[32];
		struct json_object *root;
	} cache[32];
	char path[128];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cache) && cache[i].root; i++)
		if (strcmp(cache[i].name, name) == 0)
			return cache[i].root;
	assert_true(i < ARRAY_SIZE(cache));
	snprintf(cache[i].name, sizeof(cache[i].name), "%s", name);
	snprintf(path, sizeof(path), "docs/schema/%s", name);
	cache[i].root = json_object_from_file(path);
	if (!cache[i].root)
		fail_msg("%s: %s", path, json_util_get_last_err());
	return cache[i].root;
}

/* "common.json#/$defs/rule" or "#/$defs/node"; *file is where the schema found stands. */
static struct json_object *follow(const char *ref, const char **file)
{
	static char names[16][32];
	static unsigned turn;
	struct json_object *found;
	const char *hash = strchr(ref, '#');

	assert_non_null(hash);
	if (hash != ref) {
		turn = (turn + 1) % ARRAY_SIZE(names);
		snprintf(names[turn], sizeof(names[turn]), "%.*s", (int)(hash - ref), ref);
		*file = names[turn];
	}
	if (json_pointer_get(schema_file(*file), hash + 1, &found) != 0)
		fail_msg("%s in %s leads nowhere", ref, *file);
	return found;
}

static bool is_type(const char *type, struct json_object *value)
{
	const char *name = value ? json_type_to_name(json_object_get_type(value)) : "null";

	if (strcmp(type, "number") == 0)
		return strcmp(name, "int") == 0 || strcmp(name, "double") == 0;
	return strcmp(type, strcmp(name, "int") == 0 ? "integer" : name) == 0;
}

static bool type_fits(struct json_object *type, struct json_object *value)
{
	if (json_object_is_type(type, json_type_string))
		return is_type(json_object_get_string(type), value) ||
		       (json_object_is_type(value, json_type_boolean) &&
			       strcmp(json_object_get_string(type), "boolean") == 0);
	for (size_t i = 0; i < json_object_array_length(type); i++)
		if (type_fits(json_object_array_get_idx(type, i), value))
			return true;
	return false;
}

static void check(
	struct json_object *schema, const char *file, struct json_object *value, const char *at);

static void check_members(
	struct json_object *schema, const char *file, struct json_object *value, const char *at)
{
	struct json_object *properties = NULL, *more = NULL, *required = NULL, *one;
	char path[512];

	json_object_object_get_ex(schema, "properties", &properties);
	json_object_object_get_ex(schema, "additionalProperties", &more);
	if (json_object_object_get_ex(schema, "required", &required))
		for (size_t i = 0; i < json_object_array_length(required); i++) {
			const char *key =
				json_object_get_string(json_object_array_get_idx(required, i));

			if (!json_object_object_get_ex(value, key, NULL))
				fail_msg("%s: %s is missing", at, key);
		}
	json_object_object_foreach(value, key, member)
	{
		snprintf(path, sizeof(path), "%s/%s", at, key);
		if (properties && json_object_object_get_ex(properties, key, &one))
			check(one, file, member, path);
		else if (json_object_is_type(more, json_type_object))
			check(more, file, member, path);
		else
			fail_msg("%s: not in the schema", path);
	}
}

static bool among(struct json_object *values, struct json_object *value)
{
	for (size_t i = 0; i < json_object_array_length(values); i++)
		if (json_object_equal(json_object_array_get_idx(values, i), value))
			return true;
	return false;
}

static void check(
	struct json_object *schema, const char *file, struct json_object *value, const char *at)
{
	char path[512];

	json_object_object_foreach(schema, word, rule)
	{
		if (strcmp(word, "$ref") == 0) {
			const char *there = file;
			struct json_object *other = follow(json_object_get_string(rule), &there);

			check(other, there, value, at);
		} else if (strcmp(word, "type") == 0) {
			if (!type_fits(rule, value))
				fail_msg("%s: type is %s", at,
					json_type_to_name(json_object_get_type(value)));
		} else if (strcmp(word, "const") == 0) {
			if (!json_object_equal(rule, value))
				fail_msg("%s: %s", at, json_object_to_json_string(value));
		} else if (strcmp(word, "enum") == 0) {
			if (!among(rule, value))
				fail_msg("%s: %s", at, json_object_to_json_string(value));
		} else if (strcmp(word, "items") == 0) {
			for (size_t i = 0; value && i < json_object_array_length(value); i++) {
				snprintf(path, sizeof(path), "%s/%zu", at, i);
				check(rule, file, json_object_array_get_idx(value, i), path);
			}
		} else if (strcmp(word, "additionalProperties") == 0) {
			if (value)
				check_members(schema, file, value, at);
		} else if (strcmp(word, "properties") && strcmp(word, "required") &&
			   strcmp(word, "description") && strcmp(word, "title") &&
			   strcmp(word, "$schema") && strcmp(word, "$id") &&
			   strcmp(word, "$defs")) {
			fail_msg("%s: the schema says %s, which this test does not know", file,
				word);
		}
	}
}

static struct sample sample;

typedef int (*writer)(FILE *out);

/* The document, checked against the schema of that name. The caller's to put. */
static struct json_object *document(const char *file, writer write_document)
{
	struct json_object *root;
	enum json_tokener_error error;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	sample_make(&sample);
	assert_int_equal(write_document(out), 0);
	sample_clear(&sample);
	fclose(out);
	root = json_tokener_parse_verbose(text, &error);
	if (!root)
		fail_msg("%s: %s\n%s", file, json_tokener_error_desc(error), text);
	for (size_t i = 0; i < len; i++)
		assert_true(text[i] == '\n' || (text[i] >= 0x20 && text[i] != 0x7f));
	check(schema_file(file), file, root, "");
	free(text);
	return root;
}

static const char *at(struct json_object *root, const char *pointer)
{
	struct json_object *found = NULL;

	if (json_pointer_get(root, pointer, &found) != 0)
		fail_msg("nothing at %s", pointer);
	return found ? json_object_get_string(found) : "null";
}

static int write_plan(FILE *out)
{
	return json_write_plan(out, &sample.view);
}

static void plan(void **state)
{
	struct json_object *o = document("plan.json", write_plan);

	(void)state;
	assert_string_equal(at(o, "/version"), "1");
	assert_string_equal(at(o, "/exit_code"), "6");
	assert_string_equal(at(o, "/rules/1/path"), "/etc/?/50-lro.rule");
	assert_string_equal(at(o, "/rule_errors/0/message"), "unknown key \"Nmae?\"");
	assert_string_equal(at(o, "/links/2/link"), "vlan10");
	assert_string_equal(at(o, "/links/2/verdict"), "contended");
	assert_string_equal(at(o, "/links/2/features/1/cause/link"), "bond0");
	assert_string_equal(at(o, "/links/2/features/6/feature"), "tx-udp-fragmentation");
	assert_string_equal(at(o, "/links/2/features/6/known"), "false");
	assert_string_equal(at(o, "/links/1/verdict"), "null");
	assert_string_equal(at(o, "/links/1/changes/0/side_effect"), "true");
	assert_string_equal(at(o, "/steps/0/on/1"), "tx-checksum-ip-generic");
	assert_string_equal(at(o, "/steps/0/off/0"), "rx-lro");
	assert_string_equal(at(o, "/summary/verdicts/blocked"), "2");
	json_object_put(o);
}

static int write_apply(FILE *out)
{
	return json_write_apply(out, &sample.view, &sample.report, &sample.view);
}

static void apply(void **state)
{
	struct json_object *o = document("apply.json", write_apply);

	(void)state;
	assert_string_equal(at(o, "/results/0/error"), "null");
	assert_string_equal(at(o, "/results/1/error/kernel"), "bond does not allow it?");
	assert_string_equal(at(o, "/results/2/missed/0"), "tx-scatter-gather");
	assert_string_equal(at(o, "/results/3/limits/gso-max-size"), "8000");
	assert_string_equal(at(o, "/after/summary/steps"), "2");
	assert_string_equal(at(o, "/plan/summary/limits"), "2");
	assert_string_equal(at(o, "/plan/steps/1/limits/gso-max-size"), "8000");
	assert_string_equal(at(o, "/plan/links/2/limits/0/verdict"), "drifted");
	assert_string_equal(at(o, "/plan/links/2/limits/0/want"), "8000");
	assert_string_equal(at(o, "/plan/links/2/limits/1/value"), "null");
	assert_string_equal(at(o, "/plan/links/2/limits/1/cause/kind"), "unsupported-kernel");
	assert_string_equal(at(o, "/plan/links/2/limit_changes/0/side_effect"), "false");
	json_object_put(o);
}

static int write_revert(FILE *out)
{
	return json_write_revert(out, &sample.features, &sample.report, 4);
}

static int write_check(FILE *out)
{
	struct rule_place place = { .path = (char *)"/etc/50-x.conf", .state = RULE_PLACE_NOT_READ };
	const struct rule_list list = { &place, 1 };

	return json_write_check(out, &sample.set, &list, NULL, 1);
}

static int write_list(FILE *out)
{
	return json_write_list(out, &sample.view);
}

static void revert_check_list(void **state)
{
	(void)state;
	json_object_put(document("revert.json", write_revert));
	json_object_put(document("check.json", write_check));
	json_object_put(document("list.json", write_list));
}

static int write_tree(FILE *out)
{
	return json_write_tree(out, &sample.view);
}

static void tree(void **state)
{
	struct json_object *o = document("tree.json", write_tree);

	(void)state;
	assert_string_equal(at(o, "/links/0/link"), "evil?[2J");
	assert_string_equal(at(o, "/links/1/below/0/link"), "bond0");
	assert_string_equal(at(o, "/links/1/below/0/below/1/link"), "eth3");
	assert_string_equal(at(o, "/links/2/below/0/repeated"), "true");
	assert_string_equal(at(o, "/links/2/below/0/below"), "[ ]");
	json_object_put(o);
}

static int write_show(FILE *out)
{
	return json_write_show(out, &sample.view, link_table_find(&sample.links, 5));
}

static int write_show_unread(FILE *out)
{
	return json_write_show(out, &sample.view, link_table_find(&sample.links, 3));
}

static void show(void **state)
{
	struct json_object *o = document("show.json", write_show);

	(void)state;
	assert_string_equal(at(o, "/link/lower/link"), "bond0");
	assert_string_equal(at(o, "/link/vlan_id"), "10");
	assert_string_equal(at(o, "/link/features/tx-scatter-gather/active"), "false");
	assert_string_equal(at(o, "/link/features/tx-scatter-gather/requested"), "true");
	assert_string_equal(at(o, "/link/features/tx-scatter-gather/fixed"), "false");
	assert_string_equal(at(o, "/link/features/highdma/fixed"), "true");
	assert_string_equal(at(o, "/link/aliases/generic-receive-offload/members/0"), "rx-gro");
	json_object_put(o);
	o = document("show.json", write_show_unread);
	assert_string_equal(at(o, "/link/features"), "null");
	json_object_put(o);
}

static int write_explain(FILE *out)
{
	struct explanation both[] = { sample.explanation, sample.explanation };

	both[0].item = &sample.items[3];
	both[1].item = NULL;
	both[1].word = "tx-udp-fragmentation";
	return json_write_explain(out, &sample.view, link_table_find(&sample.links, 5), both, 2);
}

static void explain(void **state)
{
	struct json_object *o = document("explain.json", write_explain);

	(void)state;
	assert_string_equal(at(o, "/features/0/chain/2/link"), "eth2");
	assert_string_equal(at(o, "/features/0/rule/line"), "12");
	assert_string_equal(at(o, "/features/1/feature"), "tx-udp-fragmentation");
	json_object_put(o);
}

static struct snapshot sample_snapshot(void)
{
	const struct rule_host host = { .kernel_release = "6.1.0", .host_name = "web1" };
	struct snapshot s;

	assert_int_equal(snapshot_take(&sample.features, &sample.links, &sample.set, &host, 1, false, &s), 0);
	return s;
}

static int write_snapshot(FILE *out)
{
	struct snapshot s = sample_snapshot();
	char *text;
	size_t len;
	int r = snapshot_format_json(&s, &text, &len);

	if (r == 0) {
		fputs(text, out);
		free(text);
	}
	snapshot_clear(&s);
	return r;
}

/* Every kind of difference, by role. */
static int write_diff(FILE *out)
{
	const struct diff_options options = { .by_role = true };
	struct snapshot a = sample_snapshot(), b = sample_snapshot();
	struct diff d;
	int r;

	for (size_t i = 0; i < b.n_links; i++) {
		struct snapshot_link *link = &b.links[i];

		if (strcmp(link->name, "eth2") == 0)
			strcpy(link->driver, "igb");
		if (strcmp(link->name, "bond0") == 0)
			link->features.active ^= unit_set(&b.features, "sg gso rx-all");
		link->name[0]++;
		if (link->lower[0])
			link->lower[0]++;
		if (link->master[0])
			link->master[0]++;
	}
	b.rules[0].file[0]++;
	memset(b.features.name[0], 0, FEATURE_NAME_LEN);
	assert_int_equal(diff_make(&a, &b, &options, &d), 0);
	r = json_write_diff(out, &d, "a.json", "this host", 2);
	diff_clear(&d);
	snapshot_clear(&a);
	snapshot_clear(&b);
	return r;
}

static void snapshot_and_diff(void **state)
{
	struct json_object *o = document("snapshot.json", write_snapshot);

	(void)state;
	assert_string_equal(at(o, "/host/virtualization"), "null");
	assert_string_equal(at(o, "/links/0/driver"), "e1000e");
	assert_string_equal(at(o, "/links/0/master"), "bond0");
	assert_string_equal(at(o, "/rules/1/path"), "/etc/?/50-lro.rule");
	json_object_put(o);
	o = document("diff.json", write_diff);
	assert_string_equal(at(o, "/same"), "false");
	assert_string_equal(at(o, "/differences/0/links/0/b"), "cond0");
	assert_string_equal(at(o, "/unknown_features/b/0"), "tx-scatter-gather");
	assert_string_equal(at(o, "/other_kernel"), "false");
	json_object_put(o);
}

static int write_sockets(FILE *out)
{
	struct evidence sockets = sample_sockets(&sample.features);
	int r = json_write_sockets(out, &sockets);

	evidence_clear(&sockets);
	return r;
}

static int write_latency(FILE *out)
{
	struct evidence_latency latency = sample_latency();
	int r = json_write_latency(out, &latency);

	evidence_latency_clear(&latency);
	return r;
}

static int write_investigation(FILE *out)
{
	struct investigation i = sample_broken();
	struct diagnosis *diagnoses;
	size_t n;
	int r = diagnose(&i, &diagnoses, &n);

	assert_int_equal(r, 0);
	r = json_write_investigation(out, &i, diagnoses, n);
	free(diagnoses);
	investigation_clear(&i);
	return r;
}

static int write_investigations(FILE *out)
{
	struct investigation a = sample_broken(), b = sample_repaired();
	int r = json_write_investigations(out, &a, &b, "a\x1b.json", "b.json");

	investigation_clear(&a);
	investigation_clear(&b);
	return r;
}

static void investigations(void **state)
{
	struct json_object *o = document("investigate.json", write_investigation);

	(void)state;
	assert_string_equal(at(o, "/findings/0/verdict"), "device");
	assert_string_equal(at(o, "/findings/0/link"), "vlan10");
	assert_string_equal(at(o, "/rates/tcp_push_one/per_second"), "100");
	assert_string_equal(at(o, "/rates/tcp_write_timer"), "null");
	assert_string_equal(at(o, "/stacks/0/frames/1"), "do_tcp_sendpages");
	assert_string_equal(at(o, "/cpus/0/most"), "NET_TX");
	assert_string_equal(at(o, "/absent/0/probe"), "tcp_write_timer");
	json_object_put(o);
	o = document("diff-investigate.json", write_investigations);
	assert_string_equal(at(o, "/a/name"), "a?.json");
	assert_string_equal(at(o, "/b/findings/0/verdict"), "reconnect");
	assert_string_equal(at(o, "/metrics/0/a"), "796");
	assert_string_equal(at(o, "/metrics/8/a"), "null");
	json_object_put(o);
}

static void evidence(void **state)
{
	struct json_object *o = document("sockets.json", write_sockets);

	(void)state;
	assert_string_equal(at(o, "/stale"), "2");
	assert_string_equal(at(o, "/sockets/0/link"), "null");
	assert_string_equal(at(o, "/sockets/1/local"), "10.9.0.1:5002");
	assert_string_equal(at(o, "/sockets/1/process/age_sec"), "11520");
	assert_string_equal(at(o, "/sockets/1/missing/0"), "tx-scatter-gather");
	assert_string_equal(at(o, "/sockets/2/process"), "null");
	assert_string_equal(at(o, "/sockets/2/remote"), "[fd09::2]:40001");
	assert_string_equal(at(o, "/sockets/3/stale"), "false");
	json_object_put(o);
	o = document("latency.json", write_latency);
	assert_string_equal(at(o, "/histograms/0/fallback"), "true");
	assert_string_equal(at(o, "/histograms/1/calls"), "40");
	assert_string_equal(at(o, "/histograms/1/disk_usec"), "399");
	assert_string_equal(at(o, "/histograms/1/slots/0/from_usec"), "0");
	json_object_put(o);
}

/* A full disk or a closed pipe is an error, not half a document. */
static void a_failed_write_is_told(void **state)
{
	FILE *out = fopen("/dev/full", "w");

	(void)state;
	if (!out)
		skip();
	setvbuf(out, NULL, _IONBF, 0);
	sample_make(&sample);
	assert_int_equal(json_write_plan(out, &sample.view), -EIO);
	sample_clear(&sample);
	fclose(out);
}

static writer starved;

static int write_starved(void)
{
	FILE *out = fopen("/dev/full", "w"); /* takes not a byte, so that what lost something shows */
	int r;

	assert_non_null(out);
	setvbuf(out, NULL, _IONBF, 0);
	r = starved(out);
	fclose(out);
	return r == -EIO ? 0 : r;
}

/* What lost something is -ENOMEM and never half a document. Not for tree: it is made by uthash, which ends the process. */
static void without_memory_there_is_no_document(void **state)
{
	static const writer writers[] = { write_plan, write_apply, write_revert, write_check, write_list, write_show,
		write_explain };

	(void)state;
	sample_make(&sample);
	for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
		starved = writers[i];
		unit_starve(write_starved);
	}
	sample_clear(&sample);
}

static void text_is_cleaned(void **state)
{
	char buf[64];

	(void)state;
	assert_string_equal(
		util_clean("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7", buf, sizeof(buf)),
		"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7");
	assert_string_equal(util_clean("a\x1b[0m\n\x7f", buf, sizeof(buf)), "a?[0m??");
	assert_string_equal(util_clean("\xc0\xaf", buf, sizeof(buf)), "??");      /* overlong */
	assert_string_equal(util_clean("\xed\xa0\x80", buf, sizeof(buf)), "???"); /* surrogate */
	assert_string_equal(
		util_clean("\xf4\x90\x80\x80", buf, sizeof(buf)), "????"); /* past the end */
	assert_string_equal(util_clean("\xc2\x9b"
				       "31m",
				    buf, sizeof(buf)),
		"??31m");                                                    /* C1 */
	assert_string_equal(util_clean("\xe2\x82", buf, sizeof(buf)), "??"); /* cut off */
	assert_string_equal(util_clean("\xe2\x80\xae" "x\xe2\x81\xa6", buf, sizeof(buf)), "???x???"); /* turns the text */
	assert_string_equal(
		util_clean("\xc3\xbc\xc3\xbc\xc3\xbc", buf, 6), "\xc3\xbc..."); /* never half a character */
}

static char **given;

static void a_document_that_was_given(void **state)
{
	struct json_object *o = json_object_from_file(given[1]);

	(void)state;
	if (!o)
		fail_msg("%s: %s", given[1], json_util_get_last_err());
	check(schema_file(given[0]), given[0], o, "");
	json_object_put(o);
}

/* test-json SCHEMA FILE holds that document against docs/schema/SCHEMA, and nothing else. */
int main(int argc, char **argv)
{
	const struct CMUnitTest one[] = { cmocka_unit_test(a_document_that_was_given) };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plan),
		cmocka_unit_test(apply),
		cmocka_unit_test(revert_check_list),
		cmocka_unit_test(tree),
		cmocka_unit_test(show),
		cmocka_unit_test(explain),
		cmocka_unit_test(snapshot_and_diff),
		cmocka_unit_test(evidence),
		cmocka_unit_test(investigations),
		cmocka_unit_test(a_failed_write_is_told),
		cmocka_unit_test(without_memory_there_is_no_document),
		cmocka_unit_test(text_is_cleaned),
	};

	given = argv + 1;
	if (argc == 3)
		return cmocka_run_group_tests_name("a document", one, NULL, NULL);
	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
