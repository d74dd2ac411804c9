/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps of explain and, above all, its advice: nothing that undoes a rule, and nothing that has no effect. */
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

static enum advice advice(struct unit_host *h, const char *name, const char *feature)
{
	const struct link *link = link_table_find_name(&h->links, name);

	explanation_clear(&story);
	unit_plan(h);
	assert_int_equal(explain_feature(&h->context, &h->links, &h->plan, link->ifindex,
				 (unsigned)feature_bit(&h->features, feature), &story),
		0);
	return story.advice.code;
}

static bool advises(struct unit_host *h, const char *name, const char *feature, enum advice code, const char *link,
	const char *of, bool want)
{
	return advice(h, name, feature) == code && strcmp(story.advice.link, link) == 0 &&
		story.advice.bit == (unsigned)feature_bit(&h->features, of) && story.advice.want == want;
}

static const struct cause_step *find_step(enum cause code, const char *link)
{
	for (size_t i = 0; i < story.n_steps; i++)
		if (story.steps[i].code == code && strcmp(story.steps[i].link, link) == 0)
			return &story.steps[i];
	return NULL;
}

static void compliant_needs_no_advice(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "eth2", "physical", 0, 0, UNIT_TRANSMIT);
	unit_rule(h, "50-tso.rule", "[Match]\nName=eth2\n[Features]\ntso=off\n");
	unit_off(h, "eth2", "tso");
	assert_int_equal(advice(h, "eth2", "tx-tcp-segmentation"), ADVICE_NONE);
	assert_non_null(find_step(CAUSE_DECLARED, "eth2"));
	assert_string_equal(story.rule->file, "50-tso.rule");
	assert_string_equal(story.feature->word, "tso");
	assert_int_equal(story.item->verdict, VERDICT_COMPLIANT);
	assert_non_null(find_step(CAUSE_OFF, "eth2"));
}

static void nothing_is_to_do_where_no_rule_asks(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "eth2", "physical", 0, 0, UNIT_TRANSMIT);
	unit_off(h, "eth2", "tso");
	assert_int_equal(advice(h, "eth2", "tx-tcp-segmentation"), ADVICE_NONE);
	assert_non_null(find_step(CAUSE_UNDECLARED, "eth2"));
	assert_int_equal(advice(h, "eth2", "rx-gro-hw"), ADVICE_NONE); /* unsupported */
}

static void what_is_to_be_on(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "eth2", "physical", 0, 0, UNIT_TRANSMIT);
	unit_rule(h, "50-tso.rule", "[Match]\nName=eth2\n[Features]\ntso=on\nrx-gro-hw=on\n");
	unit_off(h, "eth2", "tso");
	assert_true(advises(h, "eth2", "tx-tcp-segmentation", ADVICE_APPLY, "eth2", "tx-tcp-segmentation", true));
	assert_true(advises(h, "eth2", "rx-gro-hw", ADVICE_OTHER_DEVICE, "eth2", "rx-gro-hw", true));
}

static void what_is_to_be_off(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "eth2", "physical", 0, 0, UNIT_TRANSMIT);
	link_table_find_name(&h->links, "eth2")->features.active |= unit_set(&h->features, "tx-vlan-hw-insert");
	link_table_find_name(&h->links, "eth2")->features.nochange |= unit_set(&h->features, "tx-vlan-hw-insert");
	unit_rule(h, "50-tso.rule", "[Match]\nName=eth2\n[Features]\ntso=off\ntx-vlan-hw-insert=off\n");
	assert_true(advises(h, "eth2", "tx-tcp-segmentation", ADVICE_APPLY, "eth2", "tx-tcp-segmentation", false));
	assert_true(advises(h, "eth2", "tx-vlan-hw-insert", ADVICE_REMOVE, "eth2", "tx-vlan-hw-insert", false));
	assert_non_null(find_step(CAUSE_UNSUPPORTED_DRIVER, "eth2"));
}

static void a_rule_with_audit_mode_is_named(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "eth2", "physical", 0, 0, UNIT_TRANSMIT);
	unit_rule(h, "30.rule", "[Rule]\nMode=audit\n[Match]\nName=eth2\n[Features]\ntso=on\nsg=off\n");
	unit_off(h, "eth2", "tso");
	assert_true(advises(h, "eth2", "tx-tcp-segmentation", ADVICE_AUDIT_RULE, "eth2", "tx-tcp-segmentation", true));
	assert_string_equal(story.advice.rule->file, "30.rule");
	assert_true(advises(h, "eth2", "tx-scatter-gather", ADVICE_AUDIT_RULE, "eth2", "tx-scatter-gather", false));
}

static void a_paused_link_is_resumed(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "eth2", "physical", 0, 0, UNIT_TRANSMIT);
	unit_rule(h, "50-tso.rule", "[Match]\nName=eth2\n[Features]\ntso=on\n");
	unit_off(h, "eth2", "tso");
	unit_state(h, 2)->paused = true;
	assert_true(advises(h, "eth2", "tx-tcp-segmentation", ADVICE_RESUME, "eth2", "tx-tcp-segmentation", true));
}

/* Another request would change nothing: only offloadd has the kernel compute the features again. */
static void what_is_requested_already_is_not_requested_again(void **state)
{
	struct unit_host *h = *state;
	struct link *gretap = unit_link(h, 8, "gre8", "gretap", 0, 0, UNIT_TRANSMIT);

	gretap->features.wanted &= ~unit_set(&h->features, "tso");
	unit_rule(h, "10-gre.rule", "[Match]\nKind=gretap\n[Features]\ntso=off\n");
	assert_true(advises(h, "gre8", "tx-tcp-segmentation", ADVICE_APPLY, "gre8", "tx-tcp-segmentation", false));
	assert_true(story.advice.requested);
	unit_state(h, 8)->paused = true;
	assert_int_equal(advice(h, "gre8", "tx-tcp-segmentation"), ADVICE_RESUME);
	assert_true(story.advice.requested);
	unit_state(h, 8)->paused = false;
	gretap->features.wanted |= unit_set(&h->features, "tso");
	assert_int_equal(advice(h, "gre8", "tx-tcp-segmentation"), ADVICE_APPLY);
	assert_false(story.advice.requested);
}

static void the_rule_below_is_named_when_it_is_in_the_way(void **state)
{
	struct unit_host *h = *state;

	unit_incident(h);
	unit_rule(h, "10-vlan.rule", "[Match]\nKind=vlan\n[Features]\nsg=on\n");
	unit_off(h, "bond0", "sg");
	unit_inactive(h, "vlan10", "sg");
	assert_true(advises(h, "vlan10", "tx-scatter-gather", ADVICE_REQUEST, "bond0", "tx-scatter-gather", true));
	unit_rule(h, "20-bond.rule", "[Match]\nKind=bond\n[Features]\nsg=off\n");
	assert_true(advises(h, "vlan10", "tx-scatter-gather", ADVICE_CHANGE_RULE, "bond0", "tx-scatter-gather", true));
	assert_string_equal(story.advice.rule->file, "20-bond.rule");
}

/* The plan says who holds it; so does this, though nobody has asked for it yet. */
static void what_would_hold_it_is_named_before_it_is_requested(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "eth2", "physical", 0, 0, UNIT_TRANSMIT " tx-nocache-copy");
	unit_link(h, 3, "mac0", "macvlan", 2, 0, UNIT_TRANSMIT " tx-nocache-copy");
	unit_rule(h, "60-mac.rule", "[Match]\nKind=macvlan\n[Features]\ntx-nocache-copy=on\n");
	unit_off(h, "eth2", "tx-nocache-copy");
	unit_off(h, "mac0", "tx-nocache-copy");
	assert_true(advises(h, "mac0", "tx-nocache-copy", ADVICE_REQUEST, "eth2", "tx-nocache-copy", true));
	assert_non_null(find_step(CAUSE_OFF, "mac0"));
	assert_non_null(find_step(CAUSE_LOWER_OFF, "mac0"));
	assert_string_equal(find_step(CAUSE_LOWER_OFF, "mac0")->other_link, "eth2");
}

static void the_heading_is_not_repeated(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "eth2", "physical", 0, 0, UNIT_TRANSMIT);
	assert_int_equal(advice(h, "eth2", "tx-scatter-gather"), ADVICE_NONE);
	assert_int_equal(story.n_steps, 1);
	assert_int_equal(story.steps[0].code, CAUSE_UNDECLARED);
	assert_true(story.active);
}

static void lro_below_what_cannot_have_it(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "eth2", "physical", 0, 0, "sg rx-lro");
	unit_link(h, 10, "vlan10", "vlan", 2, 0, "sg");
	unit_rule(h, "50-lro.rule", "[Match]\nName=eth2\n[Features]\nrx-lro=on\n");
	unit_inactive(h, "eth2", "rx-lro");
	assert_true(advises(h, "eth2", "rx-lro", ADVICE_NOT_BELOW, "vlan10", "rx-lro", true));
	assert_string_equal(story.advice.kind, "vlan");
	link_table_find_name(&h->links, "vlan10")->features.hw |= unit_set(&h->features, "rx-lro");
	assert_true(advises(h, "eth2", "rx-lro", ADVICE_TURN_ON_ABOVE, "vlan10", "rx-lro", true));
	link_table_find_name(&h->links, "vlan10")->has_features = false;
	advice(h, "eth2", "rx-lro");
	assert_null(find_step(CAUSE_UPPER_OFF, "eth2"));
}

static void lower_of_what_cannot_be_changed_is_ignored(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "eth2", "physical", 0, 0, UNIT_TRANSMIT);
	unit_link(h, 5, "mv0", "macvlan", 2, 0, "rx-gro");
	unit_rule(h, "10.rule", "[Match]\nKind=macvlan\n[Features]\nsg=lower\n");
	assert_int_equal(advice(h, "mv0", "tx-scatter-gather"), ADVICE_NONE);
	assert_non_null(find_step(CAUSE_IGNORED, "mv0"));
	assert_string_equal(story.rule->file, "10.rule");
	assert_string_equal(story.feature->word, "sg");
}

static void any_checksum_of_a_port_is_one(void **state)
{
	struct unit_host *h = *state;

	unit_incident_by_protocol(h);
	unit_rule(h, "20-bond.rule", "[Match]\nKind=bond\n[Features]\ntx=lower\n");
	assert_int_equal(advice(h, "bond0", "tx-checksum-ip-generic"), ADVICE_NONE);
	assert_non_null(find_step(CAUSE_EVERY_PORT, "bond0"));
	unit_off(h, "eth3", "tx-checksum-ipv4 tx-checksum-ipv6");
	advice(h, "bond0", "tx-checksum-ip-generic");
	assert_non_null(find_step(CAUSE_SOME_PORTS, "bond0"));
	assert_int_equal(find_step(CAUSE_IS_ON, "eth2")->features, unit_set(&h->features, "tx-checksum-ipv4 tx-checksum-ipv6"));
	assert_int_equal(find_step(CAUSE_OFF, "eth3")->bit, feature_bit(&h->features, "tx-checksum-ipv4"));
}

/* The kernel gives every bond and team TSO: netdev_add_tso_features(). */
static void what_no_port_has_is_claimed(void **state)
{
	struct unit_host *h = *state;

	unit_incident(h);
	unit_off(h, "eth2", "tso");
	assert_int_equal(advice(h, "vlan10", "tx-tcp-segmentation"), ADVICE_NONE);
	assert_non_null(find_step(CAUSE_SOME_PORTS, "bond0"));
	assert_null(find_step(CAUSE_CLAIMED, "bond0"));
	unit_off(h, "eth3", "tso");
	advice(h, "vlan10", "tx-tcp-segmentation");
	assert_null(find_step(CAUSE_SOME_PORTS, "bond0"));
	assert_non_null(find_step(CAUSE_CLAIMED, "bond0"));
	assert_non_null(find_step(CAUSE_OFF, "eth2"));
	assert_non_null(find_step(CAUSE_OFF, "eth3"));
	/* also what is not of the kind that one port is enough for */
	link_table_find_name(&h->links, "bond0")->features.active |= unit_set(&h->features, "tx-esp-segmentation");
	advice(h, "bond0", "tx-esp-segmentation");
	assert_non_null(find_step(CAUSE_CLAIMED, "bond0"));
	assert_non_null(find_step(CAUSE_UNSUPPORTED_DRIVER, "eth2"));
	/* what costs nothing is not: every bond inserts VLAN tags */
	link_table_find_name(&h->links, "bond0")->features.active |= unit_set(&h->features, "txvlan");
	advice(h, "bond0", "tx-vlan-hw-insert");
	assert_null(find_step(CAUSE_CLAIMED, "bond0"));
}

static void the_owner_of_a_tap_decides(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "tap0", "tun", 0, 0, UNIT_TRANSMIT);
	unit_inactive(h, "tap0", "tx-checksum-ip-generic tso");
	unit_rule(h, "49.rule", "[Match]\nKind=tun\n[Features]\ntx=on\ntx-tcp-segmentation=on\n");
	assert_int_equal(advice(h, "tap0", "tx-checksum-ip-generic"), ADVICE_OWNER);
	assert_non_null(find_step(CAUSE_OWNER, "tap0"));
	assert_int_equal(advice(h, "tap0", "tx-tcp-segmentation"), ADVICE_OWNER);
	assert_non_null(find_step(CAUSE_NEEDS, "tap0"));
	/* not requested either: both are named */
	unit_off(h, "tap0", "tx-checksum-ip-generic");
	advice(h, "tap0", "tx-checksum-ip-generic");
	assert_non_null(find_step(CAUSE_OFF, "tap0"));
	assert_non_null(find_step(CAUSE_OWNER, "tap0"));
}

static void the_program_of_the_peer_is_to_be_detached(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "v0", "veth", 0, 0, "sg tx-checksum-ip-generic gso")->lower_netnsid = 0;
	unit_rule(h, "50.rule", "[Match]\nName=v0\n[Features]\ntx-tcp-segmentation=on\n");
	assert_int_equal(advice(h, "v0", "tx-tcp-segmentation"), ADVICE_DETACH_XDP);
	assert_non_null(find_step(CAUSE_PEER_XDP, "v0"));
	assert_null(find_step(CAUSE_OFF, "v0"));
	assert_int_equal(advice(h, "v0", "tx-esp-segmentation"), ADVICE_NONE);
	assert_non_null(find_step(CAUSE_UNSUPPORTED_DRIVER, "v0"));
}

static void one_switch_for_two_features(void **state)
{
	struct unit_host *h = *state;

	strcpy(unit_link(h, 2, "eth2", "physical", 0, 0, UNIT_TRANSMIT " rxvlan txvlan")->driver, "e1000");
	unit_rule(h, "39.rule", "[Match]\nDriver=e1000\n[Features]\nrxvlan=off\ntxvlan=on\n");
	assert_true(advises(h, "eth2", "rx-vlan-hw-parse", ADVICE_COUPLE, "eth2", "tx-vlan-hw-insert", false));
	assert_non_null(find_step(CAUSE_COUPLED, "eth2"));
	unit_off(h, "eth2", "rxvlan txvlan");
	assert_true(advises(h, "eth2", "tx-vlan-hw-insert", ADVICE_COUPLE, "eth2", "rx-vlan-hw-parse", true));
	assert_non_null(find_step(CAUSE_COUPLED, "eth2"));
}

static void a_macsec_is_created_again(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "eth2", "physical", 0, 0, "sg");
	unit_link(h, 3, "ms0", "macsec", 2, 0, "gso");
	unit_rule(h, "50.rule", "[Match]\nKind=macsec\n[Features]\ntx-scatter-gather=on\n");
	assert_int_equal(advice(h, "ms0", "tx-scatter-gather"), ADVICE_RECREATE);
	unit_off(h, "eth2", "sg");
	assert_true(advises(h, "ms0", "tx-scatter-gather", ADVICE_REQUEST, "eth2", "tx-scatter-gather", true));
}

static void lro_where_packets_are_forwarded(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "eth2", "physical", 0, 0, "sg rx-lro")->forwards = true;
	unit_rule(h, "50.rule", "[Match]\nName=eth2\n[Features]\nlro=on\n");
	assert_int_equal(advice(h, "eth2", "rx-lro"), ADVICE_KEEP_OFF);
	assert_non_null(find_step(CAUSE_FORWARDS, "eth2"));
	unit_off(h, "eth2", "lro");
	assert_int_equal(advice(h, "eth2", "rx-lro"), ADVICE_KEEP_OFF);
	assert_non_null(find_step(CAUSE_FORWARDS, "eth2"));
	assert_null(find_step(CAUSE_OFF, "eth2"));
}

static void lower_all_names_every_port_that_lacks_it(void **state)
{
	struct unit_host *h = *state;

	unit_incident(h);
	unit_off(h, "eth3", "tso");
	unit_rule(h, "20.rule", "[Match]\nKind=bond\n[Features]\ntx-tcp-segmentation=lower-all\n");
	assert_true(advises(h, "bond0", "tx-tcp-segmentation", ADVICE_REQUEST, "eth3", "tx-tcp-segmentation", true));
	assert_non_null(find_step(CAUSE_PORT_OFF, "bond0"));
	assert_non_null(find_step(CAUSE_IS_ON, "eth2"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(compliant_needs_no_advice),
		TEST(nothing_is_to_do_where_no_rule_asks),
		TEST(what_is_to_be_on),
		TEST(what_is_to_be_off),
		TEST(a_rule_with_audit_mode_is_named),
		TEST(a_paused_link_is_resumed),
		TEST(what_is_requested_already_is_not_requested_again),
		TEST(the_rule_below_is_named_when_it_is_in_the_way),
		TEST(what_would_hold_it_is_named_before_it_is_requested),
		TEST(the_heading_is_not_repeated),
		TEST(lro_below_what_cannot_have_it),
		TEST(lower_of_what_cannot_be_changed_is_ignored),
		TEST(any_checksum_of_a_port_is_one),
		TEST(what_no_port_has_is_claimed),
		TEST(the_owner_of_a_tap_decides),
		TEST(the_program_of_the_peer_is_to_be_detached),
		TEST(one_switch_for_two_features),
		TEST(a_macsec_is_created_again),
		TEST(lro_where_packets_are_forwarded),
		TEST(lower_all_names_every_port_that_lacks_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
