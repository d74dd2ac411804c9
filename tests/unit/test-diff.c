/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two snapshots side by side: what differs, which link is which. Golden files of tests/golden/diff;
 * GOLDEN_UPDATE=1 writes them anew. Runs at the top of the sources. */
#include "unit-model.h"

#include <stdio.h>

#include "compare/diff.h"
#include "report/render_diff.h"
#include "compare/snapshot_json.h"
#include "basic/util.h"

static struct snapshot snapshot(const char *kernel)
{
	struct snapshot s = { .form = SNAPSHOT_DOCUMENT };

	unit_features(&s.features);
	strcpy(s.kernel, kernel);
	return s;
}

/* kind "vlan:10" has an id. */
static struct snapshot_link *add(struct snapshot *s, const char *name, const char *kind,
	const char *lower, const char *master, const char *words)
{
	struct snapshot_link *link = snapshot_add_link(s);
	size_t len = strcspn(kind, ":");

	assert_non_null(link);
	strcpy(link->name, name);
	memcpy(link->kind, kind, len);
	if (kind[len])
		link->vlan_id = (unsigned)atoi(kind + len + 1);
	strcpy(link->lower, lower);
	strcpy(link->master, master);
	link->has_features = true;
	link->features.hw = link->features.wanted = link->features.active =
		unit_set(&s->features, words);
	return link;
}

/* The incident's network under other names. */
static struct snapshot network(const char *nic, const char *bond, const char *vlan)
{
	struct snapshot s = snapshot("6.1.0");
	char name[2][LINK_NAME_LEN], vlans[2][LINK_NAME_LEN];

	for (int i = 0; i < 2; i++) {
		snprintf(name[i], sizeof(name[i]), "%s%d", nic, i);
		snprintf(vlans[i], sizeof(vlans[i]), "%s%d", vlan, i);
		add(&s, name[i], "physical", "", bond, UNIT_TRANSMIT);
	}
	add(&s, bond, "bond", "", "", UNIT_TRANSMIT);
	add(&s, vlans[0], "vlan:10", bond, "", UNIT_TRANSMIT);
	add(&s, vlans[1], "vlan:100", bond, "", UNIT_TRANSMIT);
	return s;
}

static struct diff make(const struct snapshot *a, const struct snapshot *b, bool by_role)
{
	const struct diff_options options = { .by_role = by_role };
	struct diff d;

	assert_int_equal(diff_make(a, b, &options, &d), 0);
	return d;
}

static const char *matched(const struct diff *d, const char *a)
{
	for (size_t i = 0; i < d->n_pairs; i++)
		if (strcmp(d->a->links[d->pairs[i].a].name, a) == 0)
			return d->b->links[d->pairs[i].b].name;
	return "nothing";
}

static void done(struct diff *d, struct snapshot *a, struct snapshot *b)
{
	diff_clear(d);
	snapshot_clear(a);
	snapshot_clear(b);
}

static void the_same(void **state)
{
	struct snapshot a = network("eth", "bond0", "vlan"), b = network("eth", "bond0", "vlan");
	struct diff d = make(&a, &b, false);

	(void)state;
	assert_false(diff_any(&d));
	assert_int_equal(d.n_pairs, 5);
	assert_int_equal(d.lost, 0);
	done(&d, &a, &b);
}

static feature_set set(const struct snapshot *s, const char *words)
{
	return unit_set(&s->features, words);
}

static void what_falls_with_it(void **state)
{
	struct snapshot a = network("eth", "bond0", "vlan"), b = network("eth", "bond0", "vlan");
	const char *gone = "tx-scatter-gather tx-tcp-segmentation tx-tcp6-segmentation "
			   "tx-tcp-ecn-segmentation tx-tcp-mangleid-segmentation "
			   "tx-generic-segmentation";
	struct diff d;

	(void)state;
	b.links[3].features.active &= ~set(&b, gone);
	b.links[3].features.wanted &= ~set(&b, "tx-scatter-gather");
	d = make(&a, &b, false);
	assert_int_equal(d.n_groups, 1);
	assert_int_equal(d.groups[0].change, DIFF_LOST);
	assert_int_equal(d.groups[0].features, set(&a, "tx-scatter-gather"));
	assert_int_equal(d.groups[0].costs, set(&a, gone) & ~set(&a, "tx-scatter-gather"));
	assert_int_equal(d.lost, 6);
	assert_string_equal(diff_state_name(d.groups[0].b_state), "off");
	diff_clear(&d);
	d = make(&b, &a, false);
	assert_int_equal(d.groups[0].change, DIFF_GAINED);
	assert_int_equal(d.groups[0].features, set(&a, "tx-scatter-gather"));
	assert_int_equal(d.lost, 0);
	done(&d, &a, &b);
}

/* SG off on bond0 takes it from both VLANs: told once for them, after the bond. */
static void the_device_below_comes_first(void **state)
{
	struct snapshot a = network("eth", "bond0", "vlan"), b = network("eth", "bond0", "vlan");
	struct diff d;

	(void)state;
	for (int i = 2; i < 5; i++)
		b.links[i].features.active &= ~set(&b, "tx-scatter-gather");
	b.links[2].features.wanted &= ~set(&b, "tx-scatter-gather");
	d = make(&a, &b, false);
	assert_int_equal(d.n_groups, 2);
	assert_false(d.groups[0].follows);
	assert_int_equal(d.groups[0].n_pairs, 1);
	assert_true(d.groups[1].follows);
	assert_int_equal(d.groups[1].n_pairs, 2);
	assert_string_equal(diff_state_name(d.groups[1].b_state), "off [requested on]");
	done(&d, &a, &b);
}

static void other_changes(void **state)
{
	struct snapshot a = network("eth", "bond0", "vlan"), b = network("eth", "bond0", "vlan");
	struct diff d;

	(void)state;
	a.links[0].features.active |= set(&a, "loopback");
	b.links[0].features.hw |= set(&b, "rx-lro rx-hashing");
	b.links[0].features.wanted |= set(&b, "rx-hashing"); /* where A cannot change it, no matter */
	a.links[1].features.hw |= set(&a, "rx-lro");
	b.links[1].features.hw |= set(&b, "rx-lro");
	b.links[1].features.wanted |= set(&b, "rx-lro");
	b.links[2].features.nochange |= set(&b, "tx-scatter-gather");
	d = make(&a, &b, false);
	assert_int_equal(d.n_groups, 5);
	assert_int_equal(d.groups[0].change, DIFF_OTHER);
	assert_int_equal(d.groups[1].change, DIFF_REQUESTED);
	assert_int_equal(d.groups[1].features, set(&a, "rx-lro"));
	assert_int_equal(d.groups[2].change, DIFF_FIXED);
	assert_int_equal(d.groups[3].change, DIFF_FIXED);
	assert_string_equal(diff_state_name(d.groups[3].b_state), "off [requested on]");
	assert_int_equal(d.groups[4].features, set(&a, "tx-scatter-gather"));
	assert_string_equal(diff_state_name(d.groups[4].b_state), "on [fixed]");
	assert_int_equal(d.lost, 0);
	done(&d, &a, &b);
}

/* The same names under other numbers, and names that only one kernel has. */
static void another_kernel(void **state)
{
	struct snapshot a = network("eth", "bond0", "vlan"), b = snapshot("6.12.1");
	struct diff d;

	(void)state;
	memset(&b.features, 0, sizeof(b.features));
	feature_table_add(&b.features, 0, "tx-new-thing", 12);
	feature_table_add(&b.features, 5, "tx-scatter-gather", 17);
	add(&b, "bond0", "bond", "", "", "tx-scatter-gather");
	b.links[0].features.active |= FEATURE(0);
	d = make(&a, &b, false);
	assert_true(d.other_kernel);
	assert_int_equal(d.n_groups, 0);
	assert_int_equal(d.unknown_in_a, FEATURE(0));
	assert_int_equal(__builtin_popcountll(d.unknown_in_b), 62 - 1);
	assert_int_equal(d.n_only_a, 4);
	assert_int_equal(d.lost, 4 * 8);
	done(&d, &a, &b);
}

static void kinds_drivers_and_places(void **state)
{
	struct snapshot a = network("eth", "bond0", "vlan"), b = network("eth", "bond0", "vlan");
	struct diff d;

	(void)state;
	strcpy(b.links[0].driver, "igb");
	strcpy(b.links[1].master, "");
	strcpy(b.links[3].lower, "eth0");
	b.links[4].vlan_id = 7;
	b.links[2].has_features = false;
	strcpy(b.links[2].error, "Input/output error");
	d = make(&a, &b, false);
	assert_int_equal(d.n_fields, 5);
	assert_string_equal(d.fields[0].what, "driver");
	assert_string_equal(d.fields[0].a, "none");
	assert_string_equal(d.fields[1].what, "port of");
	assert_string_equal(d.fields[2].b, "Input/output error");
	assert_string_equal(d.fields[3].b, "eth0");
	assert_string_equal(d.fields[4].what, "vlan id");
	assert_int_equal(d.lost, 8);
	done(&d, &a, &b);
}

static void by_role(void **state)
{
	struct snapshot a = network("eth", "bond0", "vlan"), b = network("enp", "uplink", "store");
	struct diff d;

	(void)state;
	b.links[3].features.active &= ~set(&b, "tx-scatter-gather");
	d = make(&a, &b, false);
	assert_int_equal(d.n_pairs, 0);
	diff_clear(&d);
	d = make(&a, &b, true);
	assert_int_equal(d.n_pairs, 5);
	assert_string_equal(matched(&d, "bond0"), "uplink");
	assert_string_equal(matched(&d, "vlan0"), "store0");
	assert_string_equal(matched(&d, "vlan1"), "store1");
	assert_string_equal(matched(&d, "eth1"), "enp1"); /* alike, so whichever */
	assert_int_equal(d.n_fields, 0);
	assert_int_equal(d.n_groups, 1);
	done(&d, &a, &b);
}

/* One port of the two is broken on B: nothing tells which of A's it is, so nobody guesses. */
static void ambiguous(void **state)
{
	struct snapshot a = network("eth", "bond0", "vlan"), b = network("enp", "uplink", "store");
	struct diff d;

	(void)state;
	b.links[1].features.active = 0;
	d = make(&a, &b, true);
	assert_int_equal(d.n_ambiguous, 1);
	assert_string_equal(d.ambiguous[0].role, "physical, port of bond of 2 physical");
	assert_int_equal(d.ambiguous[0].n_a, 2);
	assert_int_equal(d.ambiguous[0].n_b, 2);
	assert_int_equal(d.n_only_a + d.n_only_b, 0);
	assert_string_equal(matched(&d, "bond0"), "uplink");
	assert_true(diff_any(&d));
	diff_clear(&d);
	/* a name that is on both sides tells */
	strcpy(b.links[1].name, "eth1");
	d = make(&a, &b, true);
	assert_int_equal(d.n_ambiguous, 0);
	assert_string_equal(matched(&d, "eth1"), "eth1");
	assert_string_equal(matched(&d, "eth0"), "enp0");
	done(&d, &a, &b);
}

/* Single cards are told apart by what stands on them. */
static void from_above(void **state)
{
	struct snapshot a = snapshot("6.1"), b = snapshot("6.1");
	struct diff d;

	(void)state;
	add(&a, "eth0", "physical", "", "", "sg");
	add(&a, "eth1", "physical", "", "", "gso");
	add(&a, "v1", "vlan:1", "eth0", "", "sg");
	add(&a, "v2", "vlan:2", "eth1", "", "sg");
	add(&b, "x", "physical", "", "", "tso");
	add(&b, "y", "physical", "", "", "gro");
	add(&b, "w2", "vlan:2", "x", "", "sg");
	add(&b, "w1", "vlan:1", "y", "", "sg");
	d = make(&a, &b, true);
	assert_string_equal(matched(&d, "v1"), "w1");
	assert_string_equal(matched(&d, "eth0"), "y");
	assert_string_equal(matched(&d, "eth1"), "x");
	done(&d, &a, &b);
}

/* The same role and another VLAN is not the same link, unless it is the only one. */
static void vlan_ids(void **state)
{
	struct snapshot a = network("eth", "bond0", "vlan"), b = network("eth", "bond0", "vlan");
	struct diff d;

	(void)state;
	b.links[4].vlan_id = 200;
	strcpy(b.links[4].name, "other");
	d = make(&a, &b, true);
	assert_string_equal(matched(&d, "vlan0"), "vlan0");
	assert_string_equal(matched(&d, "vlan1"), "nothing");
	assert_int_equal(d.n_only_a, 1);
	assert_int_equal(d.n_only_b, 1);
	diff_clear(&d);
	a.n_links = 4;
	b.links[3] = b.links[4];
	b.n_links = 4;
	d = make(&a, &b, true);
	assert_string_equal(matched(&d, "vlan0"), "other");
	assert_int_equal(d.n_fields, 1);
	done(&d, &a, &b);
}

/* Links that stand on each other, as only a forged document has them. */
static void a_loop(void **state)
{
	struct snapshot a = snapshot("6.1"), b = snapshot("6.1");
	struct diff d;

	(void)state;
	add(&a, "v1", "vlan:1", "v2", "v1", "sg");
	add(&a, "v2", "vlan:2", "v1", "v1", "sg");
	add(&b, "v2", "vlan:2", "v2", "v2", "sg");
	d = make(&a, &b, true);
	diff_clear(&d);
	d = make(&a, &b, false);
	done(&d, &a, &b);
}

static void texts(void **state)
{
	static const char text_a[] = "Features for eth0:\nrx-gro-hw: on\n",
			  text_b[] = "Features for eth9:\nrx-gro-hw: off\n";
	struct snapshot a, b, whole = network("eth", "bond0", "vlan");
	const struct diff_options options = { .by_role = true };
	struct diff d;
	char why[256];

	(void)state;
	assert_int_equal(snapshot_parse_ethtool(text_a, sizeof(text_a) - 1, &whole.features, &a,
				 why, sizeof(why)),
		0);
	assert_int_equal(snapshot_parse_ethtool(text_b, sizeof(text_b) - 1, &whole.features, &b,
				 why, sizeof(why)),
		0);
	d = make(&a, &b, false); /* one link each: they are meant */
	assert_int_equal(d.n_pairs, 1);
	assert_int_equal(d.groups[0].change, DIFF_LOST);
	diff_clear(&d);
	d = make(&whole, &a, false); /* nobody pasted the others */
	assert_int_equal(d.n_only_a, 0);
	assert_int_equal(d.n_pairs, 1);
	diff_clear(&d);
	d = make(&b, &whole, false); /* eth9 is not there */
	assert_int_equal(d.n_only_a, 1);
	assert_int_equal(d.n_only_b, 0);
	diff_clear(&d);
	assert_int_equal(diff_make(&a, &whole, &options, &d), -EOPNOTSUPP);
	snapshot_clear(&whole);
	snapshot_clear(&a);
	snapshot_clear(&b);
}

/* As many links as there may be, all of one role and not alike. */
static void many(void **state)
{
	struct snapshot a = snapshot("6.1"), b = snapshot("6.1");
	struct diff d;

	(void)state;
	for (int i = 0; i < SNAPSHOT_LINKS_MAX; i++) {
		char name[LINK_NAME_LEN];

		snprintf(name, sizeof(name), "veth%d", i);
		add(&a, name, "veth", "", "", i & 1 ? "sg" : "gso");
		add(&b, name, "veth", "", "", i & 1 ? "sg tso" : "tx");
	}
	assert_null(snapshot_add_link(&a));
	d = make(&a, &b, true);
	assert_int_equal(d.n_pairs, SNAPSHOT_LINKS_MAX);
	assert_int_equal(d.groups[0].n_pairs, SNAPSHOT_LINKS_MAX / 2);
	done(&d, &a, &b);
}

static struct snapshot load(const char *path)
{
	char *text = calloc(1, 1 << 20), why[512] = "";
	FILE *f = fopen(path, "r");
	struct snapshot s;
	size_t len;
	int r;

	if (!f)
		fail_msg("%s: %s", path, strerror(errno));
	len = fread(text, 1, 1 << 20, f);
	fclose(f);
	r = text[0] == '{' ? snapshot_parse_json(text, len, &s, why, sizeof(why))
			   : snapshot_parse_ethtool(text, len, &(struct feature_table){ 0 }, &s,
				     why, sizeof(why));
	if (r < 0)
		fail_msg("%s: %s", path, why);
	free(text);
	return s;
}

static void golden(const struct snapshot *a, const struct snapshot *b, bool role, bool colour,
	const char *path)
{
	char *text = NULL, *wanted = calloc(1, 65536);
	struct diff d = make(a, b, role);
	struct render r = { .colour = colour };
	size_t len;
	FILE *f;

	r.out = open_memstream(&text, &len);
	render_diff(&r, &d, "good", "bad");
	fclose(r.out);
	diff_clear(&d);
	f = fopen(path, getenv("GOLDEN_UPDATE") ? "w" : "r");
	if (!f)
		fail_msg("%s: %s", path, strerror(errno));
	if (getenv("GOLDEN_UPDATE")) {
		fwrite(text, 1, len, f);
	} else {
		assert_true(fread(wanted, 1, 65535, f) > 0);
		assert_string_equal(text, wanted);
	}
	fclose(f);
	free(text);
	free(wanted);
}

/* The incident as two hosts, taken from Linux 6.1: vlan10 without scatter-gather and checksum. */
static void the_incident(void **state)
{
	struct snapshot a = load("tests/golden/diff/good.json"),
			b = load("tests/golden/diff/bad.json"),
			c = load("tests/golden/diff/good.txt"),
			d = load("tests/golden/diff/bad.txt");

	(void)state;
	golden(&a, &b, false, false, "tests/golden/diff/incident.out");
	golden(&a, &b, true, true, "tests/golden/diff/incident-terminal.out");
	golden(&c, &d, false, false, "tests/golden/diff/incident-ethtool.out");
	golden(&a, &a, false, false, "tests/golden/diff/same.out");
	snapshot_clear(&a);
	snapshot_clear(&b);
	snapshot_clear(&c);
	snapshot_clear(&d);
}

/* Everything that there can be to say. */
static void the_rest(void **state)
{
	struct snapshot a = network("eth", "bond0", "vlan"), b = network("enp", "uplink", "store");

	(void)state;
	strcpy(a.host, "web1");
	strcpy(b.kernel, "6.12.0");
	memset(b.features.name[0x0c], 0, FEATURE_NAME_LEN);
	add(&a, "gre0", "gre", "", "", "gso");
	add(&b, "tun0", "tun", "", "", "gso");
	b.links[1].features.active = 0;
	strcpy(b.links[2].driver, "bonding");
	b.links[2].features.active |= set(&b, "rx-lro");
	b.links[3].features.hw |= set(&b, "rx-lro");
	a.rules = calloc(2, sizeof(*a.rules));
	b.rules = calloc(2, sizeof(*b.rules));
	a.n_rules = 1;
	b.n_rules = 2;
	a.rules[0].file = strdup("10-a.rule");
	b.rules[0].file = strdup("10-a.rule");
	b.rules[0].mode = RULE_MODE_AUDIT;
	b.rules[1].file = strdup("20-b.rule");
	golden(&a, &b, true, false, "tests/golden/diff/roles.out");
	golden(&a, &b, false, false, "tests/golden/diff/names.out");
	snapshot_clear(&a);
	snapshot_clear(&b);
}

/* A limit that differs is a difference; one that only one kernel has is not. */
static void limits_that_differ(void **state)
{
	struct snapshot a = network("eth", "bond0", "vlan"), b = network("eth", "bond0", "vlan");
	struct diff d;

	(void)state;
	a.links[0].limits = (struct link_limits){ .value = { 65536, 65535 },
		.has = LINK_LIMIT(LINK_LIMIT_GSO_MAX_SIZE) | LINK_LIMIT(LINK_LIMIT_GSO_MAX_SEGS) };
	b.links[0].limits = (struct link_limits){ .value = { 65536 }, .has = LINK_LIMIT(LINK_LIMIT_GSO_MAX_SIZE) };
	d = make(&a, &b, false);
	assert_false(diff_any(&d));
	diff_clear(&d);
	b.links[0].limits.value[LINK_LIMIT_GSO_MAX_SIZE] = 8000;
	d = make(&a, &b, false);
	assert_int_equal(d.n_fields, 1);
	assert_string_equal(d.fields[0].what, "gso-max-size");
	assert_string_equal(d.fields[0].a, "65536");
	assert_string_equal(d.fields[0].b, "8000");
	done(&d, &a, &b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same),
		cmocka_unit_test(what_falls_with_it),
		cmocka_unit_test(the_device_below_comes_first),
		cmocka_unit_test(other_changes),
		cmocka_unit_test(another_kernel),
		cmocka_unit_test(kinds_drivers_and_places),
		cmocka_unit_test(by_role),
		cmocka_unit_test(ambiguous),
		cmocka_unit_test(from_above),
		cmocka_unit_test(vlan_ids),
		cmocka_unit_test(a_loop),
		cmocka_unit_test(texts),
		cmocka_unit_test(many),
		cmocka_unit_test(the_incident),
		cmocka_unit_test(the_rest),
		cmocka_unit_test(limits_that_differ),
	};

	return cmocka_run_group_tests_name("diff", tests, NULL, NULL);
}
