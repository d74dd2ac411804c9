/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What explain says and, above all, what it advises: nothing that undoes a rule, and nothing that does nothing. */
#include "plan/explain.h"
#include "unit-model.h"

static struct explanation story;

static int setup(void **state)
{
	*state = unit_host_new();
	return 0;
}

static int teardown(void **state)
{
	explanation_clear(&story);
	unit_host_free(*state);
	return 0;
}

static const char *advice(struct unit_host *h, const char *name, const char *feature)
{
	const struct link *link = link_table_find_name(&h->links, name);

	explanation_clear(&story);
	unit_plan(h);
	assert_int_equal(explain_feature(&h->context, &h->links, &h->plan, link->ifindex,
				 (unsigned)feature_bit(&h->features, feature), &story),
		0);
	return story.advice;
}

static bool says(const char *text)
{
	for (size_t i = 0; i < story.n_lines; i++)
		if (strstr(story.lines[i].text, text))
			return true;
	return false;
}

static void nothing_is_to_do_where_all_is_as_declared(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "eth2", "physical", 0, 0, UNIT_TRANSMIT);
	unit_rule(h, "50-tso.rule", "[Match]\nName=eth2\n[Features]\ntso=off\n");
	unit_off(h, "eth2", "tso");
	assert_string_equal(advice(h, "eth2", "tx-tcp-segmentation"), "");
	assert_true(says("50-tso.rule declares tso=off: compliant"));
	assert_true(says("is not requested here: off by default, or switched off"));
}

static void nothing_is_to_do_where_no_rule_asks(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "eth2", "physical", 0, 0, UNIT_TRANSMIT);
	unit_off(h, "eth2", "tso");
	assert_string_equal(advice(h, "eth2", "tx-tcp-segmentation"), "");
	assert_true(says("no rule names it"));
	assert_string_equal(advice(h, "eth2", "rx-gro-hw"), ""); /* fixed */
}

static void what_is_to_be_on(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "eth2", "physical", 0, 0, UNIT_TRANSMIT);
	unit_rule(h, "50-tso.rule", "[Match]\nName=eth2\n[Features]\ntso=on\nrx-gro-hw=on\n");
	unit_off(h, "eth2", "tso");
	assert_string_equal(advice(h, "eth2", "tx-tcp-segmentation"),
		"offloadctl apply eth2, or `ethtool -K eth2 tx-tcp-segmentation on`");
	assert_non_null(strstr(advice(h, "eth2", "rx-gro-hw"), "take the feature out of the rule"));
}

static void what_is_to_be_off(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "eth2", "physical", 0, 0, UNIT_TRANSMIT);
	link_table_find_name(&h->links, "eth2")->features.active |= unit_set(&h->features, "tx-vlan-hw-insert");
	link_table_find_name(&h->links, "eth2")->features.nochange |= unit_set(&h->features, "tx-vlan-hw-insert");
	unit_rule(h, "50-tso.rule", "[Match]\nName=eth2\n[Features]\ntso=off\ntx-vlan-hw-insert=off\n");
	assert_string_equal(advice(h, "eth2", "tx-tcp-segmentation"),
		"offloadctl apply eth2, or `ethtool -K eth2 tx-tcp-segmentation off`");
	assert_string_equal(advice(h, "eth2", "tx-vlan-hw-insert"),
		"eth2 cannot change this; take the feature out of the rule");
}

static void a_rule_that_only_audits_is_told(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "eth2", "physical", 0, 0, UNIT_TRANSMIT);
	unit_rule(h, "30.rule", "[Rule]\nMode=audit\n[Match]\nName=eth2\n[Features]\ntso=on\nsg=off\n");
	unit_off(h, "eth2", "tso");
	assert_string_equal(advice(h, "eth2", "tx-tcp-segmentation"),
		"nothing by itself: 30.rule is Mode=audit; remove that line, or "
		"`ethtool -K eth2 tx-tcp-segmentation on`");
	assert_string_equal(advice(h, "eth2", "tx-scatter-gather"),
		"nothing by itself: 30.rule is Mode=audit; remove that line, or "
		"`ethtool -K eth2 tx-scatter-gather off`");
}

static void a_paused_link_is_resumed(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "eth2", "physical", 0, 0, UNIT_TRANSMIT);
	unit_rule(h, "50-tso.rule", "[Match]\nName=eth2\n[Features]\ntso=on\n");
	unit_off(h, "eth2", "tso");
	unit_state(h, 2)->paused = true;
	assert_string_equal(advice(h, "eth2", "tx-tcp-segmentation"),
		"offloadctl resume eth2, or `ethtool -K eth2 tx-tcp-segmentation on`");
}

static void the_rule_below_is_told_when_it_stands_in_the_way(void **state)
{
	struct unit_host *h = *state;

	unit_incident(h);
	unit_rule(h, "10-vlan.rule", "[Match]\nKind=vlan\n[Features]\nsg=on\n");
	unit_off(h, "bond0", "sg");
	unit_inactive(h, "vlan10", "sg");
	assert_string_equal(advice(h, "vlan10", "tx-scatter-gather"),
		"`ethtool -K bond0 tx-scatter-gather on`, or a rule that declares it for bond0");
	unit_rule(h, "20-bond.rule", "[Match]\nKind=bond\n[Features]\nsg=off\n");
	assert_string_equal(advice(h, "vlan10", "tx-scatter-gather"),
		"20-bond.rule declares tx-scatter-gather off on bond0: change one of the two rules");
}

/* The plan says who holds it; so does this, though nobody has asked for it yet. */
static void what_would_be_held_is_told_before_it_is_asked_for(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "eth2", "physical", 0, 0, UNIT_TRANSMIT " tx-nocache-copy");
	unit_link(h, 3, "mac0", "macvlan", 2, 0, UNIT_TRANSMIT " tx-nocache-copy");
	unit_rule(h, "60-mac.rule", "[Match]\nKind=macvlan\n[Features]\ntx-nocache-copy=on\n");
	unit_off(h, "eth2", "tx-nocache-copy");
	unit_off(h, "mac0", "tx-nocache-copy");
	assert_string_equal(advice(h, "mac0", "tx-nocache-copy"),
		"`ethtool -K eth2 tx-nocache-copy on`, or a rule that declares it for eth2");
	assert_true(says("tx-nocache-copy is not requested here"));
	assert_true(says("tx-nocache-copy would stay off if it were, because eth2 below has it off"));
}

static void what_the_heading_says_is_not_said_again(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "eth2", "physical", 0, 0, UNIT_TRANSMIT);
	assert_string_equal(advice(h, "eth2", "tx-scatter-gather"), "");
	assert_int_equal(story.n_lines, 1);
	assert_string_equal(story.lines[0].text, "tx-scatter-gather is on; no rule names it");
}

static void lro_below_what_cannot_have_it(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "eth2", "physical", 0, 0, "sg rx-lro");
	unit_link(h, 10, "vlan10", "vlan", 2, 0, "sg");
	unit_rule(h, "50-lro.rule", "[Match]\nName=eth2\n[Features]\nrx-lro=on\n");
	unit_inactive(h, "eth2", "rx-lro");
	assert_string_equal(advice(h, "eth2", "rx-lro"),
		"rx-lro cannot be had below vlan10, which is a vlan: take it out of the rule");
	link_table_find_name(&h->links, "vlan10")->features.hw |= unit_set(&h->features, "rx-lro");
	assert_string_equal(advice(h, "eth2", "rx-lro"), "switch rx-lro on on vlan10 first");
	link_table_find_name(&h->links, "vlan10")->has_features = false;
	advice(h, "eth2", "rx-lro");
	assert_false(says("above has it off"));
}

static void lower_of_what_cannot_be_changed_is_told(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "eth2", "physical", 0, 0, UNIT_TRANSMIT);
	unit_link(h, 5, "mv0", "macvlan", 2, 0, "rx-gro");
	unit_rule(h, "10.rule", "[Match]\nKind=macvlan\n[Features]\nsg=lower\n");
	assert_string_equal(advice(h, "mv0", "tx-scatter-gather"), "");
	assert_true(says("10.rule declares sg=lower, but mv0 cannot change it: left as it is"));
}

static void any_checksum_of_a_port_is_one(void **state)
{
	struct unit_host *h = *state;

	unit_incident_by_protocol(h);
	unit_rule(h, "20-bond.rule", "[Match]\nKind=bond\n[Features]\ntx=lower\n");
	assert_string_equal(advice(h, "bond0", "tx-checksum-ip-generic"), "");
	assert_true(says("tx-checksum-ip-generic is on, and on at every port"));
	unit_off(h, "eth3", "tx-checksum-ipv4 tx-checksum-ipv6");
	advice(h, "bond0", "tx-checksum-ip-generic");
	assert_true(says("what leaves by a port that has it off is done in software"));
	assert_true(says("has tx-checksum-ipv4, tx-checksum-ipv6 on"));
	assert_true(says("tx-checksum-ipv4 is not requested here"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_to_do_where_all_is_as_declared),
		TEST(nothing_is_to_do_where_no_rule_asks),
		TEST(what_is_to_be_on),
		TEST(what_is_to_be_off),
		TEST(a_rule_that_only_audits_is_told),
		TEST(a_paused_link_is_resumed),
		TEST(the_rule_below_is_told_when_it_stands_in_the_way),
		TEST(what_would_be_held_is_told_before_it_is_asked_for),
		TEST(what_the_heading_says_is_not_said_again),
		TEST(lro_below_what_cannot_have_it),
		TEST(lower_of_what_cannot_be_changed_is_told),
		TEST(any_checksum_of_a_port_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
