/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots: taken from the model, written and read again, and the text of ethtool -k. Runs at the
 * top of the sources. */
#include "unit-model.h"
#include "compare/snapshot_model.h"
#include "compare/snapshot_parts.h"

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
		snapshot_take(&h->features, &h->links, &h->rules, &h->host, 1000000000, false, &s), 0);
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

static void hardware_and_names_survive(void **state)
{
	static const char names[] = "enp2s0\0uplink\0";
	const struct link_hardware hardware = { "pci-0000:02:00.0", "8086:10d3:8086:a01f", "6.1.0", "1.8-0" };
	struct unit_host *h = incident();
	struct link *link = link_table_find(&h->links, 2);
	struct link_table links = { 0 };
	struct snapshot s, again;
	char *text;

	(void)state;
	assert_int_equal(link_copy_alt_names(names, &link->alt_names), 0);
	link->hardware = malloc(sizeof(hardware));
	*link->hardware = hardware;
	s = take(h);
	assert_false(s.hardware); /* no rule asks for it */
	snapshot_clear(&s);
	assert_int_equal(snapshot_take(&h->features, &h->links, &h->rules, &h->host, 1, true, &s), 0);
	text = written(&s);
	assert_int_equal(parse(text, &again), 0);
	assert_true(again.hardware && again.routes && again.forwarding);
	assert_int_equal(snapshot_restore(&again, &links), 0);
	link = link_table_find_name(&links, "uplink");
	assert_string_equal(link->name, "eth2");
	assert_memory_equal(link->alt_names, names, sizeof(names));
	assert_string_equal(link->hardware->path, hardware.path);
	assert_string_equal(link->hardware->device, hardware.device);
	assert_string_equal(link->hardware->firmware, hardware.firmware);
	assert_string_equal(link->hardware->driver_version, hardware.driver_version);
	assert_null(link_table_find_name(&links, "bond0")->hardware);
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
static void a_bit_without_a_name_is_omitted(void **state)
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
		{ GRO "\"links\":[{\"link\":\"a\",\"alternative_names\":[\"b\",7]}]}",
			"links[0].alternative_names has a value that is not a name" },
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

/* "eth0 used/skipped: NAME=on NAME=off!" in the order of the text; !: fixed, +: requested on, -: requested off. */
static const char *summary(const struct snapshot *s)
{
	static char text[2048];

	snprintf(text, sizeof(text), "%u/%u", s->lines_used, s->lines_skipped);
	for (size_t i = 0; i < s->n_links; i++) {
		const struct link_features *f = &s->links[i].features;
		unsigned bit;

		util_append(text, sizeof(text), " %s:", s->links[i].name);
		feature_foreach (bit, s->links[i].listed) {
			bool on = f->active & FEATURE(bit), asked = f->wanted & FEATURE(bit);

			util_append(text, sizeof(text), " %s=%s%s", s->features.name[bit], util_on_off(on),
				!(f->hw & FEATURE(bit)) ? "!" : on == asked ? "" : asked ? "+" : "-");
		}
	}
	return text;
}

#define TSO "tx-tcp-segmentation"
#define SG "tx-scatter-gather"

/* What people paste. */
static void pasted_kinds(void **state)
{
	static const struct {
		const char *text, *summary;
	} cases[] = {
		/* headers */
		{ "Offload parameters for eth0:\nscatter-gather: on\nrx-checksumming: off\n",
			"3/0 eth0: rx-checksum=off scatter-gather=on" },
		{ "Offload parameters for eth0:\nno offload info available\n" TSO ": on", "2/1 eth0: " TSO "=on" },
		{ "Features for eth0.10: \n" TSO ": on", "2/0 eth0.10: " TSO "=on" },
		{ "  features for br-lan:\n" TSO ": on", "2/0 br-lan: " TSO "=on" },
		{ "Features for eth0\n" TSO ": on", "2/0 eth0: " TSO "=on" },
		{ "Features for eth0:   <--- the slow one\n" TSO ": on", "2/0 eth0: " TSO "=on" },
		{ "Features for each card follow\n" TSO ": on", "1/1 (unnamed): " TSO "=on" },
		{ "Features for :\n" TSO ": on", "2/0 (unnamed): " TSO "=on" },
		/* old words */
		{ "Offload parameters for eth0:\ntcp segmentation offload: on\nudp fragmentation offload: off\n"
		  "generic segmentation offload: off\nCannot get device rx csum settings: Operation not supported",
			"4/1 eth0: tx-generic-segmentation=off tcp-segmentation-offload=on" },
		{ "Features for eth0:\nlarge receive offload: off [fixed]\nlarge-receive-offload: off [fixed]",
			"3/0 eth0: rx-lro=off!" },
		{ "Features for eth0:\nGeneric Receive Offload: On", "2/0 eth0: rx-gro=on" },
		/* no header */
		{ "tcp-segmentation-offload: on\n\t" TSO ": off\n", "2/0 (unnamed): " TSO "=off" },
		{ "$ ethtool -k eth1 | grep tcp\n" TSO ": off\n", "1/1 eth1: " TSO "=off" },
		{ "root@web1:~# ethtool --show-features 'bond0'\n" TSO ": off\n", "1/1 bond0: " TSO "=off" },
		{ "[root@web1 ~]# sudo /usr/sbin/ethtool -k ens3|grep seg\n" TSO ": off\n", "1/1 ens3: " TSO "=off" },
		{ "$ for i in a b; do ethtool -k $i; done\n" TSO ": off\n", "1/1 (unnamed): " TSO "=off" },
		{ "Please look at ethtool -k output\n" TSO ": off\n", "1/1 (unnamed): " TSO "=off" },
		/* notes */
		{ TSO ": off <---- this ", "1/0 (unnamed): " TSO "=off" },
		{ TSO ": off [fixed] <=== " SG ": on", "1/0 (unnamed): " TSO "=off!" },
		{ TSO ": on  # should be off", "1/0 (unnamed): " TSO "=on" },
		{ TSO ": off (was: on)", "1/0 (unnamed): " TSO "=off" },
		{ TSO ": off \xe2\x86\x90 here", "1/0 (unnamed): " TSO "=off" },
		{ TSO ": off but " SG ": on on the other host", "1/0 (unnamed): " TSO "=off" },
		{ TSO ": on [funny]", "1/0 (unnamed): " TSO "=on" },
		/* prompts */
		{ "pi@box:~ (FP41) $ sudo ethtool -k eth1 | grep -v fixed\nFeatures for eth1:\n" SG ": on",
			"2/1 eth1: " SG "=on" },
		{ "[sudo] password for user: \nFeatures for eth0:\n" SG ": on", "2/1 eth0: " SG "=on" },
		{ "[sudo] password for user: Features for eth0:\n" SG ": on", "2/0 eth0: " SG "=on" },
		{ "[  12.3] e1000e: up\n[core@web1 ~]$ ethtool -k eth0\n" SG ": on [fixed]", "1/2 eth0: " SG "=on!" },
		{ "$ ethtool -k eth0 | grep tcp-seg\n" TSO ": on\n$ ethtool -k eth1 | grep tcp-seg\n" TSO ": off\n",
			"2/2 eth0: " TSO "=on eth1: " TSO "=off" },
		{ "$ ethtool -k eth0 | grep tcp-seg\n" TSO ": on\n$ ethtool -k $x | grep tcp-seg\n" TSO ": off\n",
			"2/2 eth0: " TSO "=on (unnamed): " TSO "=off" },
		/* marks of pages, mail and tools */
		{ "- host\n```\nFeatures for br0:\n" SG ": off [requested on]\n```\n", "2/3 br0: " SG "=off+" },
		{ "> > # ethtool -k eth0\n> > Features for eth0:\n> > \t" SG ": on", "2/1 eth0: " SG "=on" },
		{ "| " SG ": on\n* " TSO ": off\n- rx-gro: on\n+rx-lro: off", "4/0 (unnamed): " SG "=on " TSO "=off rx-gro=on rx-lro=off" },
		{ "12:" SG ": on\n13-\t" TSO ": off\n14-rx-gro: on\na.txt:rx-lro: off\n  7  rx-all: off",
			"5/0 (unnamed): " SG "=on " TSO "=off rx-gro=on rx-lro=off rx-all=off" },
		{ "**" SG "**: `off`\n<li>" TSO ": <b>on</b> [fixed]</li>", "2/0 (unnamed): " SG "=off " TSO "=on!" },
		{ "Nov 30 12:00:01 web1 run[77]: Features for eth0:\nNov 30 12:00:01 web1 run[77]: " SG ": on",
			"2/0 eth0: " SG "=on" },
		{ "2026-11-30T12:00:01+01:00 " SG ": on [requested off]", "1/0 (unnamed): " SG "=on-" },
		{ "From: a@b.example\nContent-Type: text/plain\nSubject: offload: on or off\n\n" SG ": on=20\n=09" TSO ": off",
			"2/3 (unnamed): " SG "=on " TSO "=off" },
		{ SG " : on\n" TSO "\t:\toff", "2/0 (unnamed): " SG "=on " TSO "=off" },
		{ "Features for eth0: " SG ": on " TSO ": off [fixed] rx-gro: on Features for eth1: " SG ": off",
			"1/0 eth0: " SG "=on " TSO "=off! rx-gro=on eth1: " SG "=off" },
		{ "\"stdout\": \"Features for eth0:\\n\\t" SG ": on\\nrx-gro: off [fixed]\"",
			"3/0 eth0: " SG "=on rx-gro=off!" },
		{ "'Features for eth0:',\n'" SG ": on',\n' " TSO ": off [fixed]',", "3/0 eth0: " SG "=on " TSO "=off!" },
		/* cut */
		{ "Features for eth0:\n" SG ": on\n... ...\n[...]\n(snip)\n" TSO ": off\n...", "3/4 eth0: " SG "=on " TSO "=off" },
		{ "Features for eth0:\n" SG ": on\ntx-tcp-seg", "2/1 eth0: " SG "=on" },
		/* characters */
		{ SG ": \x1b[32mon\x1b[0m\n\x1b[1;31m" TSO ": off\x1b[0m\x1b[K", "2/0 (unnamed): " SG "=on " TSO "=off" },
		{ "[01;31m[K" SG "[m[K: on\n^[[32m" TSO "^[[0m: off", "2/0 (unnamed): " SG "=on " TSO "=off" },
		{ "\x1b]0;user@web1\a" SG ": on\n\\u001b[32m" TSO ": off\n\x1b(Brx-gro: \x1b[mon",
			"3/0 (unnamed): " SG "=on " TSO "=off rx-gro=on" },
		{ "\xef\xbb\xbf" "Features\xc2\xa0" "for eth0:\r\n\xc2\xa0\xc2\xa0" SG ":\xc2\xa0on\r\n" TSO ": off\r",
			"3/0 eth0: " SG "=on " TSO "=off" },
		{ "&nbsp;" SG ":&nbsp;on\n&gt; tx\xe2\x80\x91tcp\xe2\x80\x91segmentation\xef\xbc\x9a off",
			"2/0 (unnamed): " SG "=on " TSO "=off" },
		/* other output */
		{ "driver: e1000e\nversion: 6.1\nFeatures for eth0:\n" SG ": on\nRing parameters for eth0:\nRX: 256\n"
		  "Coalesce parameters for eth0:\nAdaptive RX: off  TX: off\nPause parameters for eth0:\nAutonegotiate: on\n",
			"2/8 eth0: " SG "=on" },
		{ "Features for eth0:\n" SG ": on\nPrivate flags for eth0:\nlegacy-rx : off\nloopback: on\n"
		  "RX flow hash indirection table for eth0 with 2 RX ring(s):\nRSS hash function:\n    toeplitz: on\n    xor: off\n",
			"2/7 eth0: " SG "=on" },
		{ "Settings for eth0:\n\tAuto-negotiation: on\n\tMDI-X: off (auto)\n\n" SG ": on", "1/3 (unnamed): " SG "=on" },
		{ "$ ethtool -K eth0 tso off\nActual changes:\n" TSO ": off [not requested]\n", "1/2 eth0: " TSO "=off" },
		{ "Features for eth0:\n" TSO ": on\n$ ethtool -K eth0 tso off\nActual changes:\n" TSO ": off\n",
			"3/2 eth0: " TSO "=off" },
		{ "$ ethtool -K eth0 tso off\nActual changes:\n" TSO ": off\nFeatures for eth0:\n" TSO ": off [fixed]",
			"3/2 eth0: " TSO "=off!" },
		/* names */
		{ "Features for eth0:\nxdp: off [fixed]\naf-xdp-zc: on\ntx-new-thing: on",
			"4/0 eth0: xdp=off! af-xdp-zc=on tx-new-thing=on" },
		{ "Features for eth0:\nrx-grohw: on\ntx-checksum-unneeded: on [fixed]", "3/0 eth0: rx-grohw=on tx-checksum-unneeded=on!" },
		{ "tx-hyper-drive: off", "1/0 (unnamed): tx-hyper-drive=off" },
		{ "Features for eth0:\n" SG ": on\nand then it was off: on my host", "2/1 eth0: " SG "=on" },
		/* the same twice */
		{ "Features for eth0:\n" SG ": on\nFeatures for eth0:\n" SG ": on\nrx-gro: on", "5/0 eth0: " SG "=on rx-gro=on" },
		/* Talos, Ansible, as text */
		{ "metadata:\n    id: enp0s2\nspec:\n    linkState: true\n    features:\n        rx-gro: on\n        rx-lro: off [fixed]\n",
			"2/5 enp0s2: rx-gro=on rx-lro=off!" },
		{ "device: eth0\nfeatures:\n  tx_udp_tnl_segmentation: 'on'\n  l2_fwd_offload: 'off [fixed]'\ndevice: eth1\n  ntuple_filters: \"off\"",
			"3/3 eth0: tx-udp_tnl-segmentation=on l2-fwd-offload=off! eth1: rx-ntuple-filter=off" },
		{ "\"device\": \"eth0\",\n\"features\": {\n\"rx_gro_hw\": \"off\",", "1/2 eth0: rx-gro-hw=off" },
	};
	struct snapshot s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (parse_ethtool(cases[i].text, &s) < 0)
			fail_msg("%s\n%s", cases[i].text, why);
		if (strcmp(summary(&s), cases[i].summary) != 0)
			fail_msg("%s\n%s\n%s", cases[i].text, summary(&s), cases[i].summary);
		snapshot_clear(&s);
	}
}

/* JSON of ethtool, Ansible and Talos, also with other text around it. */
static void pasted_json(void **state)
{
	static const struct {
		const char *text, *summary;
	} cases[] = {
		{ "[ {\"ifname\":\"eth0\",\"rx-checksumming\":{\"active\":true,\"fixed\":true,\"requested\":true},"
		  "\"tx-checksumming\":{\"active\":true,\"fixed\":null,\"requested\":null},"
		  "\"tx-checksum-ip-generic\":{\"active\":false,\"fixed\":false,\"requested\":true}} ]",
			"1/0 eth0: rx-checksum=on! tx-checksum-ip-generic=off+" },
		{ "$ ethtool --json -k eth0\n[ {\n\"ifname\": \"eth0\",\n\"rx-gro\": {\"active\": true, \"fixed\": false, \"requested\": false}\n} ]\n$ ",
			"4/2 eth0: rx-gro=on-" },
		{ "[{\"ifname\":\"a\",\"rx-gro\":{\"active\":true}}]\nFeatures for b:\nrx-gro: off",
			"3/0 a: rx-gro=on b: rx-gro=off" },
		{ "[{\"ifname\":\"a\",\"rx-gro\":{\"active\":true}}]\n[{\"ifname\":\"b\",\"rx-gro\":{\"active\":false}}]",
			"2/0 a: rx-gro=on b: rx-gro=off" },
		{ "{\"ansible_facts\": {\"ansible_eth0\": {\"device\": \"eth0\", \"features\": {\"rx_gro_hw\": \"off [fixed]\", "
		  "\"tx_udp_tnl_segmentation\": \"on [requested off]\", \"scatter_gather\": \"on\"}}}}",
			"1/0 eth0: rx-gro-hw=off! tx-udp_tnl-segmentation=on- scatter-gather=on" },
		{ "web1 | SUCCESS => {\"ansible_facts\": {\"ansible_eth0\": {\"features\": {\"rx_gro_hw\": \"off\"}}, "
		  "\"ansible_lo\": {\"features\": {\"rx_gro_hw\": \"on\"}}, \"ansible_dns\": {\"nameservers\": [\"192.0.2.1\"]}}}",
			"1/1 eth0: rx-gro-hw=off lo: rx-gro-hw=on" },
		{ "{\"metadata\":{\"id\":\"enp0s2\"},\"spec\":{\"features\":{\"rx-gro\":\"on\",\"xdp-new\":\"off [fixed]\"}}}",
			"1/0 enp0s2: rx-gro=on xdp-new=off!" },
		{ "{\"features\":{\"rx-gro\":\"on\"}}", "1/0 (unnamed): rx-gro=on" },
	};
	struct snapshot s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (parse_ethtool(cases[i].text, &s) < 0)
			fail_msg("%s\n%s", cases[i].text, why);
		if (strcmp(summary(&s), cases[i].summary) != 0)
			fail_msg("%s\n%s\n%s", cases[i].text, summary(&s), cases[i].summary);
		snapshot_clear(&s);
	}
}

#define ETH0 "Features for eth0:\n"
#define SG_COLUMN "tx-scatter-gather"
#define SG_ON "tx-scatter-gather: on\n"
#define SG_OFF "tx-scatter-gather: off\n"

/* Texts with several hosts or states: the names of the parts, and whether tx-scatter-gather is on in the first link of each. */
static void pasted_parts(void **state)
{
	static const struct {
		const char *text, *parts;
	} cases[] = {
		/* one state */
		{ ETH0 SG_ON, "=on" },
		{ "root@web1:~# ethtool -k eth0\n" ETH0 SG_ON, "web1=on" },
		{ ETH0 SG_ON "\n" ETH0 SG_ON, "=on" },
		{ "== eth0 ==\n" ETH0 SG_ON "== eth1 ==\nFeatures for eth1:\n" SG_OFF, "=on" },
		{ "--- before\n" ETH0 SG_ON, "before=on" },
		{ "# ethtool -K eth0 sg off\nActual changes:\n" SG_OFF "# ethtool -k eth0\n" ETH0 SG_OFF, "=off" },
		{ "root@a:~# ethtool -k eth0\n" ETH0 SG_ON "root@a:~# ethtool -k eth1\nFeatures for eth1:\n" SG_OFF, "a=on" },
		/* before and after */
		{ ETH0 SG_ON "\n" ETH0 SG_OFF, "state 1=on, state 2=off" },
		{ ETH0 SG_ON "rx-all: off\n" ETH0 SG_ON "rx-all: on\n" ETH0 SG_OFF "rx-all: on\n", "state 1=on, state 2=on, state 3=off" },
		{ "$ ethtool -k eth0 | grep scatter\n" SG_ON "$ reboot\n$ ethtool -k eth0 | grep scatter\n" SG_OFF, "state 1=on, state 2=off" },
		{ "scatter-gather: on\ntx-nocache-copy: off\n\nscatter-gather: off\ntx-nocache-copy: off\n", "state 1=?, state 2=?" },
		{ SG_ON SG_OFF, "state 1=on, state 2=off" },
		{ "=== before ===\n" ETH0 SG_ON "=== after ===\n" ETH0 SG_OFF, "before=on, after=off" },
		{ "Features for eth1:\nrx-all: on\n" ETH0 SG_ON "rx-all: on\n" ETH0 SG_OFF "rx-all: on\n", "state 1=?, state 2=off" },
		{ "[ {\n\"ifname\": \"eth0\",\n\"tx-scatter-gather\": {\"active\": true, \"fixed\": false, \"requested\": true}\n} ]\n"
		  "[ {\n\"ifname\": \"eth0\",\n\"tx-scatter-gather\": {\"active\": false, \"fixed\": false, \"requested\": false}\n} ]\n",
			"state 1=on, state 2=off" },
		/* a diff */
		{ " " ETH0 "-" SG_ON "+" SG_OFF " rx-all: on\n", "state 1=on, state 2=off" },
		{ "-" SG_ON "+" SG_OFF "-rx-all: on\n+rx-all: off\n", "state 1=on, state 2=off" },
		{ "--- a.txt\n+++ b.txt\n@@ -1,3 +1,3 @@\n " ETH0 " rx-all: on\n-\t" SG_OFF "+\t" SG_ON, "state 1=off, state 2=on" },
		/* two columns */
		{ SG_COLUMN ": on   |  tx-scatter-gather: off\n", "state 1=on, state 2=off" },
		{ "Features for eth0:                       Features for eth0:\n" SG_COLUMN ": on                    | " SG_OFF
		  "rx-all: off                                rx-all: off\n", "state 1=on, state 2=off" },
		{ "Features for eth0:\t\t\tFeatures for eth0:\nrx-all: off [fixed]\t\trx-all: off [fixed]\n\t" SG_COLUMN ": off\t\t      |\t\t" SG_ON,
			"state 1=off, state 2=on" },
		/* several hosts */
		{ "web1# ethtool -k eth0\n" ETH0 SG_ON "web2# ethtool -k eth0\n" ETH0 SG_OFF, "web1=on, web2=off" },
		{ "web1:~ # ethtool -k eth0\n" ETH0 SG_ON "web2:~ # ethtool -k eth0\n" ETH0 SG_OFF, "web1=on, web2=off" },
		{ "root@web1:~# ethtool -k eth0\n" ETH0 SG_ON "root@web2:~# ethtool -k eth0\n" ETH0 SG_OFF, "web1=on, web2=off" },
		{ "root@web1:~# ethtool -k eth0\n" ETH0 SG_ON "root@web2:~# ethtool -k eth0\n" ETH0 SG_ON, "web1=on, web2=on" },
		{ "[root@db-1 ~]# ethtool -k eth0\n" ETH0 SG_ON "[root@db-2 ~]# ethtool -k eth0\n" ETH0 SG_OFF, "db-1=on, db-2=off" },
		{ "$ ssh a ethtool -k eth0\n" ETH0 SG_ON "$ ssh root@b.example.org sudo ethtool -k eth0\n" ETH0 SG_OFF,
			"a=on, b.example.org=off" },
		{ "$ ssh -p 22 a 'ethtool -k eth0'\n" ETH0 SG_ON "$ ssh b \"ethtool -k eth0\"\n" ETH0 SG_OFF, "a=on, b=off" },
		{ "a: " ETH0 "a: " SG_ON "b: " ETH0 "b: " SG_OFF, "a=on, b=off" },
		{ "a: " ETH0 "b: " ETH0 "b: " SG_OFF "a: \t" SG_ON "b: rx-all: on\na: rx-all: off\n", "a=on, b=off" },
		{ "----------------\nweb[1-3]\n----------------\n" ETH0 SG_ON "----------------\nweb4\n----------------\n" ETH0 SG_OFF,
			"web[1-3]=on, web4=off" },
		{ "---------------\nweb[1-3,5] (4)\n---------------\n" ETH0 SG_ON "---------------\nweb4\n---------------\n" ETH0 SG_OFF,
			"web[1-3,5]=on, web4=off" },
		{ "a | CHANGED | rc=0 >>\n" ETH0 SG_ON "\nb | CHANGED | rc=0 >>\n" ETH0 SG_OFF, "a=on, b=off" },
		{ "a | SUCCESS => {\"ansible_facts\": {\"ansible_eth0\": {\"device\": \"eth0\", \"features\": {\"tx_scatter_gather\": \"on\"}}}}\n"
		  "b | SUCCESS => {\n\"ansible_facts\": {\"ansible_eth0\": {\"device\": \"eth0\", \"features\": {\"tx_scatter_gather\": \"off\"}}}}\n",
			"a=on, b=off" },
		{ "minion1:\n    " ETH0 "    " SG_ON "minion2:\n    " ETH0 "    " SG_OFF, "minion1=on, minion2=off" },
		{ "==> good.txt <==\n" ETH0 SG_ON "\n==> bad.txt <==\n" ETH0 SG_OFF, "good.txt=on, bad.txt=off" },
		{ "root@a:~# ethtool -k eth0\n" ETH0 SG_ON "root@a:~# ethtool -K eth0 sg off; ethtool -k eth0\n" ETH0 SG_OFF
		  "root@b:~# ethtool -k eth0\n" ETH0 SG_ON, "a, state 1=on, a, state 2=off, b=on" },
		{ "root@a:~# hostname\na\nroot@a:~# ethtool -k eth0\n" ETH0 SG_ON "root@b:~# uptime\nroot@b:~# ethtool -k eth0\n" ETH0 SG_OFF,
			"a=on, b=off" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct snapshot_parts parts;
		char found[512] = "";
		int r = snapshot_parse_parts(cases[i].text, strlen(cases[i].text), &(struct feature_table){ 0 }, &parts, why, sizeof(why));

		for (size_t j = 0; j < parts.n; j++) {
			const struct snapshot *s = &parts.parts[j].snapshot;
			feature_set sg = feature_named(&s->features, "tx-scatter-gather");

			util_append(found, sizeof(found), "%s%s=%s", j ? ", " : "", parts.parts[j].name,
				!(snapshot_listed(s, s->links) & sg) ? "?" : s->links->features.active & sg ? "on" : "off");
		}
		if (r != 0 || strcmp(found, cases[i].parts) != 0)
			fail_msg("%s\n%d %s: %s", cases[i].text, r, why, found);
		snapshot_parts_clear(&parts);
	}
}

/* Every way to be refused but for one: there is no feature. */
static void parts_are_bounded(void **state)
{
	_cleanup_free_ char *text = calloc(1, 8192);
	struct snapshot_parts parts;

	(void)state;
	assert_int_equal(snapshot_parse_parts("\n", 1, &(struct feature_table){ 0 }, &parts, why, sizeof(why)), -ENODATA);
	assert_int_equal(parts.n, 0);
	assert_int_equal(snapshot_parse_parts("", 0, &(struct feature_table){ 0 }, &parts, why, sizeof(why)), -ENODATA);
	for (int i = 0; i < 2 * SNAPSHOT_PARTS_MAX; i++)
		util_append(text, 8192, ETH0 "%s", i % 2 ? SG_ON : SG_OFF);
	assert_int_equal(snapshot_parse_parts(text, strlen(text), &(struct feature_table){ 0 }, &parts, why, sizeof(why)), -EBADMSG);
	assert_non_null(strstr(why, "more than 64"));
	assert_int_equal(parts.n, 0);
}

/* The CPU time for a text of hosts, with so many lines each. */
static uint64_t read_hosts(unsigned hosts, unsigned lines)
{
	struct snapshot_parts parts;
	char *text = NULL;
	uint64_t usec;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	for (unsigned i = 0; i < hosts; i++) {
		fprintf(f, "== host%u ==\n" ETH0, i);
		for (unsigned k = 0; k < lines; k++)
			fputs(SG_ON, f);
	}
	fclose(f);
	usec = unit_cpu_nsec();
	assert_int_equal(snapshot_parse_parts(text, len, &(struct feature_table){ 0 }, &parts, why, sizeof(why)), 0);
	usec = (unit_cpu_nsec() - usec) / 1000;
	assert_int_equal(parts.n, hosts);
	snapshot_parts_clear(&parts);
	free(text);
	return usec;
}

/* Whoever makes a text chooses how many hosts are in it. */
static void many_hosts_take_no_longer(void **state)
{
	uint64_t few = read_hosts(2, 4096), many = read_hosts(64, 128);

	(void)state;
	print_message("# note 8,192 lines: %lu us with 2 hosts, %lu us with 64\n", (unsigned long)few, (unsigned long)many);
	assert_true(many < 5 * few);
}

/* Line numbers are those of the whole text, wherever the host is. */
static void a_line_of_the_second_host(void **state)
{
	_cleanup_free_ char *text = calloc(1, 8192);
	struct snapshot_parts parts;

	(void)state;
	util_append(text, 8192, "web1: " ETH0 "web2: " ETH0);
	for (unsigned i = 0; i < 65; i++)
		util_append(text, 8192, "web1: " SG_ON "web2: rx-%u: on\n", i);
	assert_int_equal(snapshot_parse_parts(text, strlen(text), &(struct feature_table){ 0 }, &parts, why, sizeof(why)), -EBADMSG);
	assert_int_equal(strncmp(why, "line 132: more than 64 different features", 41), 0);
}

static void bad_text(void **state)
{
	static const struct {
		const char *text, *why;
		int error;
	} cases[] = {
		{ "", "no features in 0 lines; expected", -ENODATA },
		{ "\n\n", "no features in 0 lines; expected", -ENODATA },
		{ "Features for eth0:\n", "no features in 1 lines", -ENODATA },
		{ "Features for eth0:\nrx-gro-hw: maybe\n", "no features", -ENODATA },
		{ "root@web1:~# ethtool -k eth0\nnetlink error: No such device\n", "no features in 2 lines", -ENODATA },
		{ "Settings for eth0:\n\tAuto-negotiation: on\n", "not that of another ethtool command", -ENODATA },
		{ "RSS hash function:\n    toeplitz: on\n", "no features", -ENODATA },
		{ "{\"document\":\"rules\",\"features\":{\"sg\":\"on\"}}", "no features", -ENODATA },
		{ "Features for eth0:\nrx-gro-hw: on\nrx-gro-hw: off\n",
			"line 3: eth0 has rx-gro-hw twice, with different values; to compare two texts, use two files", -EBADMSG },
		{ "Features for a:\nrx-all: on\r\n\r\nFeatures for a:\rrx-all: off [requested on]\n", "line 5: a has rx-all twice", -EBADMSG },
		{ "-rx-all: on\n+rx-all: off\n", "line 2: (unnamed) has rx-all twice", -EBADMSG },
		{ "rx-all: on   |  rx-all: off\n", "line 1: (unnamed) has rx-all twice", -EBADMSG },
		{ "scatter-gather: on\nscatter-gather: off\n", "line 2: (unnamed) has scatter-gather twice", -EBADMSG },
		{ "[{\"ifname\":\"a\",\"rx-gro\":{\"active\":true}},{\"ifname\":\"a\",\"rx-gro\":{\"active\":false}}]",
			"a has rx-gro twice", -EBADMSG },
	};
	struct snapshot s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int r = parse_ethtool(cases[i].text, &s);

		if (r != cases[i].error || !strstr(why, cases[i].why))
			fail_msg("%s\n%d %s", cases[i].text, r, why);
		assert_null(s.links);
	}
}

/* Neither a long line nor NUL bytes, as in UTF-16, hide the features. */
static void odd_text(void **state)
{
	static const char utf16[] = "\xff\xfer\0x\0-\0g\0r\0o\0:\0 \0o\0n\0\n";
	_cleanup_free_ char *text = malloc(1 << 20);
	struct snapshot s;

	(void)state;
	assert_int_equal(snapshot_parse_ethtool(utf16, sizeof(utf16), &(struct feature_table){ 0 }, &s, why, sizeof(why)), 0);
	assert_string_equal(summary(&s), "1/0 (unnamed): rx-gro=on");
	snapshot_clear(&s);
	memset(text, 'a', 1 << 20);
	memcpy(text + (1 << 20) - 20, "\n: rx-gro: on\0", 14);
	assert_int_equal(parse_ethtool(text, &s), 0);
	assert_string_equal(summary(&s), "1/1 (unnamed): rx-gro=on");
	snapshot_clear(&s);
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
		cmocka_unit_test(hardware_and_names_survive),
		cmocka_unit_test(written_and_read_it_is_the_same),
		cmocka_unit_test(a_bit_without_a_name_is_omitted),
		cmocka_unit_test(some_links_and_what_they_stand_on),
		cmocka_unit_test(a_minimal_document),
		cmocka_unit_test(no_piece_of_a_document_is_one),
		cmocka_unit_test(bad_documents),
		cmocka_unit_test(pasted_text),
		cmocka_unit_test(pasted_kinds),
		cmocka_unit_test(pasted_json),
		cmocka_unit_test(pasted_parts),
		cmocka_unit_test(many_hosts_take_no_longer),
		cmocka_unit_test(a_line_of_the_second_host),
		cmocka_unit_test(parts_are_bounded),
		cmocka_unit_test(bad_text),
		cmocka_unit_test(odd_text),
		cmocka_unit_test(text_and_document_agree),
	};

	return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
