/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots: taken from the model, written and read again, and the text of ethtool -k. Runs at the
 * top of the sources. */
#include "unit-model.h"
#include "compare/snapshot_model.h"

#include <stdio.h>

#include "report/json.h"
#include "compare/snapshot_json.h"
#include "basic/util.h"

static char why[512];

static char *read_text(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 1 << 20);

	if (!f)
		fail_msg("%s: %s", path, strerror(errno));
	assert_non_null(text);
	*ret_len = fread(text, 1, (1 << 20) - 1, f);
	fclose(f);
	return text;
}

static char *written(const struct snapshot *s)
{
	char *text;
	size_t len;

	assert_int_equal(snapshot_format_json(s, &text, &len), 0);
	assert_int_equal(len, strlen(text));
	return text;
}

static int parse(const char *text, struct snapshot *s)
{
	why[0] = '\0';
	return snapshot_parse_json(text, strlen(text), s, why, sizeof(why));
}

static struct unit_host *incident(void)
{
	struct unit_host *h = unit_host_new();
	struct link *link;

	unit_link(h, 2, "eth2", "physical", 0, 4, UNIT_TRANSMIT);
	link = unit_link(h, 3, "eth3", "physical", 0, 4, UNIT_TRANSMIT);
	link->has_features = false;
	link->features_error = -EIO;
	strcpy(link->driver, "e1000e");
	unit_link(h, 4, "bond0", "bond", 0, 0, UNIT_TRANSMIT);
	link = unit_link(h, 5, "vlan10", "vlan", 4, 0, UNIT_TRANSMIT);
	link->vlan_id = 10;
	link->features.active = 0;
	link->features.nochange = unit_set(&h->features, "tx-lockless");
	link = unit_link(h, 6, "od\x1b d", "macvlan", 0, 0, "gso");
	link->lower_netnsid = 3;
	assert_int_equal(rule_set_load_text(&h->rules, "/etc/x/10-a.rule",
				 "[Rule]\nReason=so\nMode=audit\n[Match]\nKind=vlan\n[Features]\n"
				 "sg=on\ntx=lower\nrx-lro=off\n",
				 strlen("[Rule]\nReason=so\nMode=audit\n[Match]\nKind=vlan\n"
					"[Features]\nsg=on\ntx=lower\nrx-lro=off\n"),
				 &h->features),
		0);
	link_table_stack(&h->links);
	return h;
}

static struct snapshot take(struct unit_host *h)
{
	struct snapshot s;

	assert_int_equal(
		snapshot_take(&h->features, &h->links, &h->rules, &h->host, 1000000000, &s), 0);
	return s;
}

static void what_is_taken(void **state)
{
	struct unit_host *h = incident();
	struct snapshot s = take(h);

	(void)state;
	assert_string_equal(s.host, "web1");
	assert_int_equal(s.n_links, 5);
	assert_string_equal(s.links[4].name, "vlan10");
	assert_string_equal(s.links[4].lower, "bond0");
	assert_int_equal(s.links[4].vlan_id, 10);
	assert_string_equal(s.links[0].master, "bond0");
	assert_false(s.links[1].has_features);
	assert_string_equal(s.links[1].error, strerror(EIO));
	assert_string_equal(s.links[2].name, "od? d");
	assert_true(s.links[2].lower_elsewhere);
	assert_int_equal(s.n_rules, 1);
	assert_string_equal(s.rules[0].words[1].word, "tx");
	assert_int_equal(s.rules[0].words[1].value, RULE_LOWER);
	snapshot_clear(&s);
	unit_host_free(h);
}

static void limits_survive(void **state)
{
	struct unit_host *h = incident();
	struct snapshot s, again;
	struct link_table links = { 0 };
	const char rule[] = "[Match]\nKind=vlan\n[Limits]\ngso-max-size=lower\ngso-max-segs=64\n";
	char *text;

	(void)state;
	unit_rule(h, "20-limits.rule", rule);
	link_table_find(&h->links, 2)->limits = (struct link_limits){ .value = { 8000, 0 },
		.has = LINK_LIMIT(LINK_LIMIT_GSO_MAX_SIZE) | LINK_LIMIT(LINK_LIMIT_GSO_MAX_SEGS) };
	s = take(h);
	text = written(&s);
	assert_int_equal(parse(text, &again), 0);
	assert_int_equal(again.links[0].limits.value[LINK_LIMIT_GSO_MAX_SIZE], 8000);
	assert_int_equal(again.links[0].limits.value[LINK_LIMIT_GSO_MAX_SEGS], 0);
	assert_int_equal(again.links[0].limits.has, s.links[0].limits.has); /* 0 is not the same as not known */
	assert_int_equal(again.links[1].limits.has, 0);
	assert_int_equal(again.rules[1].n_words, 2);
	assert_int_equal(again.rules[1].words[0].value, RULE_LOWER);
	assert_int_equal(again.rules[1].words[1].value, RULE_NUMBER);
	assert_int_equal(again.rules[1].words[1].number, 64);
	assert_int_equal(snapshot_restore(&again, &links), 0);
	assert_int_equal(link_table_find_name(&links, "eth2")->limits.value[LINK_LIMIT_GSO_MAX_SIZE], 8000);
	link_table_clear(&links);
	snapshot_clear(&again);
	snapshot_clear(&s);
	free(text);
	unit_host_free(h);
}

static void written_and_read_it_is_the_same(void **state)
{
	struct unit_host *h = incident();
	struct snapshot s = take(h), again;
	char *text = written(&s), *twice;

	(void)state;
	assert_int_equal(parse(text, &again), 0);
	assert_int_equal(again.n_links, 5);
	/* bits may have other numbers: those without a name are gone */
	assert_int_equal(again.links[4].features.nochange,
		feature_named(&again.features, "tx-lockless"));
	assert_int_equal(again.rules[0].mode, RULE_MODE_AUDIT);
	twice = written(&again);
	assert_string_equal(text, twice);
	free(text);
	free(twice);
	snapshot_clear(&s);
	snapshot_clear(&again);
	unit_host_free(h);
}

/* Bits without a name mean nothing elsewhere: 2 and 32 have none in this table. */
static void a_bit_without_a_name_is_left_out(void **state)
{
	struct unit_host *h = incident();
	struct snapshot s, again;
	char *text;

	(void)state;
	link_table_find(&h->links, 4)->features.hw |= FEATURE(2) | FEATURE(32);
	s = take(h);
	text = written(&s);
	assert_int_equal(parse(text, &again), 0);
	free(text);
	snapshot_clear(&s);
	snapshot_clear(&again);
	unit_host_free(h);
}

static void some_links_and_what_they_stand_on(void **state)
{
	struct unit_host *h = incident();
	struct snapshot s = take(h);
	char *names[] = { "vlan10" }, *none[] = { "eth2", "nix" };
	const char *missing;

	(void)state;
	assert_int_equal(snapshot_keep(&s, none, 2, &missing), 0);
	assert_string_equal(missing, "nix");
	assert_int_equal(s.n_links, 5);
	assert_int_equal(snapshot_keep(&s, names, 1, &missing), 0);
	assert_null(missing);
	assert_int_equal(s.n_links, 4);
	assert_string_equal(s.links[0].name, "eth2");
	assert_string_equal(s.links[3].name, "vlan10");
	snapshot_clear(&s);
	unit_host_free(h);
}

/* What the first version had to have. New fields may come and stay away. */
static void a_minimal_document(void **state)
{
	struct snapshot s;

	(void)state;
	assert_int_equal(parse("{\"version\":1,\"document\":\"snapshot\",\"features\":[\"rx-gro\"],"
			       "\"probes\":{\"tcp\":[1]},\"links\":[{\"link\":\"eth0\",\"speed\":1,"
			       "\"features\":{\"active\":[\"rx-gro\"]}},{\"link\":\"x\"}]}\n",
				 &s),
		0);
	assert_int_equal(s.n_links, 2);
	assert_int_equal(s.links[0].features.active, 1);
	assert_false(s.links[1].has_features);
	snapshot_clear(&s);
}

static void no_piece_of_a_document_is_one(void **state)
{
	size_t len;
	char *text = read_text("tests/golden/diff/good.json", &len);
	struct snapshot s;

	(void)state;
	assert_int_equal(snapshot_parse_json(text, len, &s, why, sizeof(why)), 0);
	snapshot_clear(&s);
	for (size_t cut = 0; cut < len - 1; cut += 61) {
		assert_int_equal(
			snapshot_parse_json(text, cut, &s, why, sizeof(why)), -EBADMSG);
		assert_non_null(strstr(why, "truncated at line"));
		assert_null(s.links);
	}
	free(text);
}

#define HEAD "{\"version\":1,\"document\":\"snapshot\","
#define GRO HEAD "\"features\":[\"rx-gro\"],"

static void bad_documents(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "[{\"ifname\":\"eth0\"}]", "JSON, but not a snapshot" },
		{ "{\"a\":1}", "another JSON document, not a snapshot" },
		{ "{\"version\":1,\"document\":\"plan\"}", "output of offloadctl plan, not a snapshot" },
		{ "{\"version\":2,\"document\":\"snapshot\"}",
			"written by a newer offloadctl (document version 2, supported: up to 1)" },
		{ "{\"version\":999999999999999,\"document\":\"snapshot\"}", "newer" },
		{ "{\"version\":-1,\"document\":\"snapshot\"}", "version is out of range" },
		{ "{\"version\":\"1\",\"document\":\"snapshot\"}", "version is not a whole number" },
		{ "{\"document\":\"snapshot\"}", "version is missing" },
		{ HEAD "\"links\":[]}", "features is missing" },
		{ HEAD "\"features\":[\"a\",\"a\"],\"links\":[]}", "features[1] is not a valid feature name" },
		{ HEAD "\"features\":[\"a\\u001b\"],\"links\":[]}", "features[0] is not a valid feature name" },
		{ HEAD "\"features\":[7],\"links\":[]}", "features[0] is not a valid feature name" },
		{ HEAD "\"features\":[\"1234567890123456789012345678901234567890\"],\"links\":[]}",
			"features[0] is not a valid feature name" },
		{ GRO "\"host\":7,\"links\":[]}", "host is not an object" },
		{ GRO "\"x\":1}", "links is missing" },
		{ GRO "\"links\":[{}]}", "links[0].link is missing" },
		{ GRO "\"links\":[{\"link\":\"a\"},7]}", "links[1] is not an object" },
		{ GRO "\"links\":[{\"link\":\"1234567890123456\"}]}", "links[0].link is too long" },
		{ GRO "\"links\":[{\"link\":7}]}", "links[0].link is not a text" },
		{ GRO "\"links\":[{\"link\":\"a\",\"vlan_id\":4096}]}", "vlan_id is out of range" },
		{ GRO "\"links\":[{\"link\":\"a\",\"features\":[]}]}", "is not an object" },
		{ GRO "\"links\":[{\"link\":\"a\",\"features\":{\"requested\":[]}}]}",
			"links[0].active is missing" },
		{ GRO "\"links\":[{\"link\":\"a\",\"features\":{\"active\":[\"rx-lro\"]}}]}",
			"links[0].active contains a feature that is not in" },
		{ GRO "\"links\":[],\"rules\":[{}]}", "rules[0].file is missing" },
		{ GRO "\"links\":[],\"rules\":[{\"file\":\"a\",\"declares\":{\"sg\":\"maybe\"}}]}",
			"rules[0].declares has a value that is not on, off, lower, lower-all or the number of a limit" },
		{ GRO "\"links\":[{\"link\":\"a\",\"limits\":{\"gso-max-size\":-1}}]}",
			"links[0].limits has a value that is not a limit" },
		{ GRO "\"links\":[{\"link\":\"a\",\"limits\":{\"gso-max-size\":4294967296}}]}",
			"links[0].limits has a value that is not a limit" },
		{ GRO "\"links\":[]}\n{}", "line 2: unexpected text after the document" },
		{ GRO "\"links\":\n\n[}]}", "line 3: " },
		{ GRO "\"links\":[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}", "line 1: nested too deeply" },
	};
	struct snapshot s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse(cases[i].text, &s), -EBADMSG);
		if (!strstr(why, cases[i].why))
			fail_msg("%s\n%s", cases[i].text, why);
		assert_null(s.links);
		assert_null(s.rules);
	}
}

static int parse_ethtool(const char *text, struct snapshot *s)
{
	const struct feature_table known = {
		.count = 1, .name = { "tx-new-thing" }
	};

	why[0] = '\0';
	return snapshot_parse_ethtool(text, strlen(text), &known, s, why, sizeof(why));
}

static unsigned state_of(const struct snapshot *s, size_t link, const char *name)
{
	feature_set bit = feature_named(&s->features, name);
	const struct link_features *f = &s->links[link].features;

	assert_true(bit);
	return (f->active & bit ? 1 : 0) | (f->wanted & bit ? 2 : 0) | (f->hw & bit ? 4 : 0);
}

static void pasted_text(void **state)
{
	struct snapshot s;

	(void)state;
	assert_int_equal(
		parse_ethtool("\n  Features for eth0:  \r\n"
			      "Cannot get device udp-fragmentation-offload settings: no\r\n"
			      "rx-checksumming: on [fixed]\r\n"
			      "tx-checksumming: on\r\n"
			      "\ttx-checksum-ip-generic: on\r\n"
			      "    tx-checksum-sctp: off [requested on]\r\n"
			      "tcp-segmentation-offload: off\r\n"
			      "udp-fragmentation-offload: off\r\n"
			      "generic-receive-offload: on [requested off]\r\n"
			      "large-receive-offload: off [fixed]\r\n"
			      "busy-poll: off [fixed]\r\n"
			      "tx-new-thing: on\r\n"
			      "Features for vlan10:\n"
			      "rx-gro-hw: off\n"
			      "generic-receive-offload: off [not requested]",
			&s),
		0);
	assert_int_equal(s.n_links, 2);
	assert_string_equal(s.links[0].name, "eth0");
	assert_string_equal(s.links[1].name, "vlan10");
	assert_int_equal(state_of(&s, 0, "rx-checksum"), 1 | 2);
	assert_int_equal(state_of(&s, 0, "tx-checksum-ip-generic"), 1 | 2 | 4);
	assert_int_equal(state_of(&s, 0, "tx-checksum-sctp"), 2 | 4);
	assert_int_equal(state_of(&s, 0, "rx-gro"), 1 | 4);
	assert_int_equal(state_of(&s, 0, "rx-lro"), 0);
	assert_int_equal(state_of(&s, 1, "rx-gro"), 4);
	assert_int_equal(feature_named(&s.features, "tx-udp-fragmentation"), 0);
	assert_int_equal(state_of(&s, 0, "tcp-segmentation-offload"), 4); /* no member has a line */
	assert_int_equal(feature_named(&s.features, "tx-checksumming"), 0);
	assert_int_equal(s.features.count, 9);
	assert_int_equal(__builtin_popcountll(snapshot_listed(&s, &s.links[0])), 8);
	assert_int_equal(snapshot_listed(&s, &s.links[1]),
		feature_named(&s.features, "rx-gro") | feature_named(&s.features, "rx-gro-hw"));
	snapshot_clear(&s);
}

static void bad_text(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "no interfaces; expected" },
		{ "\n\n", "no interfaces; expected" },
		{ "rx-gro-hw: on\n", "line 1: missing line \"Features for" },
		{ "Features for eth0:\nrx-grohw: on\n",
			"line 2: unknown feature rx-grohw, did you mean rx-gro-hw?" },
		{ "Features for eth0:\n\nhyper-drive: on\n",
			"line 3: unknown feature hyper-drive;" },
		{ "Features for eth0:\nrx-gro-hw: maybe\n", "line 2: invalid value of rx-gro-hw: expected on or" },
		{ "Features for eth0:\nrx-gro-hw: on [funny]\n", "line 2: unexpected [funny]: expected [fixed]" },
		{ "Features for eth0:\nrx-gro-hw: on\nrx-gro-hw: on\n",
			"line 3: duplicate feature rx-gro-hw" },
		{ "Features for eth0:\nFeatures for eth0:\n", "line 2: duplicate interface eth0" },
		{ "Features for eth0\n", "line 1: invalid interface name" },
		{ "Features for :\n", "line 1: invalid interface name" },
		{ "Features for 1234567890123456:\n", "line 1: invalid interface name" },
		{ "root@web1:~# ethtool -k eth0\n", "line 1: expected \"Features for" },
		{ "netlink error: No such device\n", "line 1: invalid value of netlink error: expected on or" },
	};
	char text[600];
	struct snapshot s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse_ethtool(cases[i].text, &s), -EBADMSG);
		if (!strstr(why, cases[i].why))
			fail_msg("%s\n%s", cases[i].text, why);
		assert_null(s.links);
	}
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(parse_ethtool(text, &s), -EBADMSG);
	assert_string_equal(why, "line 1: line too long");
	assert_int_equal(snapshot_parse_ethtool("a\0b\n", 4, &s.features, &s, why, sizeof(why)),
		-EBADMSG);
	assert_string_equal(why, "line 1: NUL byte: not a text file");
}

/* Both forms of the same host say the same of each feature that a text shows. */
static void text_and_document_agree(void **state)
{
	size_t len;
	char *text = read_text("tests/golden/diff/bad.json", &len);
	struct snapshot a, b;
	unsigned compared = 0;

	(void)state;
	assert_int_equal(snapshot_parse_json(text, len, &a, why, sizeof(why)), 0);
	free(text);
	text = read_text("tests/golden/diff/bad.txt", &len);
	assert_int_equal(snapshot_parse_ethtool(text, len, &a.features, &b, why, sizeof(why)), 0);
	free(text);
	for (size_t i = 0; i < a.n_links; i++)
		for (size_t j = 0; j < b.n_links; j++)
			for (unsigned bit = 0; bit < b.features.count; bit++) {
				if (strcmp(a.links[i].name, b.links[j].name) != 0)
					continue;
				assert_int_equal(
					state_of(&a, i, b.features.name[bit]) & 1,
					state_of(&b, j, b.features.name[bit]) & 1);
				assert_int_equal(!(snapshot_changeable(&a.links[i]) &
							 feature_named(&a.features,
								 b.features.name[bit])),
					!(state_of(&b, j, b.features.name[bit]) & 4));
				compared++;
			}
	assert_true(compared > 250);
	snapshot_clear(&a);
	snapshot_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_taken),
		cmocka_unit_test(limits_survive),
		cmocka_unit_test(written_and_read_it_is_the_same),
		cmocka_unit_test(a_bit_without_a_name_is_left_out),
		cmocka_unit_test(some_links_and_what_they_stand_on),
		cmocka_unit_test(a_minimal_document),
		cmocka_unit_test(no_piece_of_a_document_is_one),
		cmocka_unit_test(bad_documents),
		cmocka_unit_test(pasted_text),
		cmocka_unit_test(bad_text),
		cmocka_unit_test(text_and_document_agree),
	};

	return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
