/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/explain.h"
#include "unit-model.h"

#include <errno.h>

#define VLAN_RULE "[Match]\nKind=vlan\n[Features]\nsg=lower\ntx=lower\ntso=lower\ngso=lower\n"
#define BOND_RULE "[Match]\nKind=bond\n[Features]\nsg=lower\ntx=lower\ntso=lower\ngso=lower\n"
#define PORT_RULE "[Match]\nRole=bond-port\n[Features]\nsg=on\ntx=on\ntso=on\ngso=on\n"

static int setup(void **state)
{
	*state = unit_host_new();
	return 0;
}

static int teardown(void **state)
{
	unit_host_free(*state);
	return 0;
}

static char text[2048];

static void a_healthy_host_needs_nothing(void **state)
{
	struct unit_host *h = *state;

	unit_incident(h);
	unit_rule(h, "10-vlan.rule", VLAN_RULE);
	unit_rule(h, "20-bond.rule", BOND_RULE);
	unit_rule(h, "30-bond-port.rule", PORT_RULE);
	unit_plan(h);
	assert_int_equal(h->plan.n_steps, 0);
	assert_int_equal(h->plan.n_links, 5);
	assert_int_equal(plan_exit_code(&h->plan), 0);
	assert_verdict(h, "vlan10", "tx-scatter-gather", VERDICT_COMPLIANT);
}

static void the_incident(void **state)
{
	struct unit_host *h = *state;

	unit_incident(h);
	unit_rule(h, "10-vlan.rule", VLAN_RULE);
	unit_off(h, "vlan10", "sg tx-checksum-ip-generic");
	unit_inactive(h, "vlan10", "tso gso");
	unit_plan(h);
	assert_int_equal(plan_exit_code(&h->plan), 2);
	assert_string_equal(unit_steps(h, text, sizeof(text)),
		"vlan10 +tx-scatter-gather +tx-checksum-ip-generic +tx-scatter-gather-fraglist");
	assert_verdict(h, "vlan10", "tx-scatter-gather", VERDICT_DRIFTED);
	assert_int_equal(unit_item(h, "vlan10", "tx-scatter-gather")->cause, CAUSE_OFF);
	/* asked for all the while; comes back by itself once SG is on */
	assert_verdict(h, "vlan10", "tx-tcp-segmentation", VERDICT_DRIFTED);
	assert_int_equal(unit_item(h, "vlan10", "tx-tcp-segmentation")->cause, CAUSE_NEEDS);
	assert_true(unit_item(h, "vlan10", "tx-tcp-segmentation")->predicted);
	assert_verdict(h, "vlan100", "tx-scatter-gather", VERDICT_COMPLIANT);
}

static void lowest_device_first(void **state)
{
	struct unit_host *h = *state;

	unit_incident(h);
	unit_rule(h, "10-vlan.rule", VLAN_RULE);
	unit_rule(h, "20-bond.rule", BOND_RULE);
	unit_rule(h, "30-bond-port.rule", PORT_RULE);
	for (const char *const *n = (const char *[]){ "eth2", "eth3", "bond0", "vlan10", NULL }; *n; n++) {
		unit_off(h, *n, "sg");
		unit_inactive(h, *n, "tso gso");
	}
	unit_inactive(h, "vlan100", "sg tso gso");
	unit_plan(h);
	assert_string_equal(unit_steps(h, text, sizeof(text)),
		"eth2 +tx-scatter-gather +tx-scatter-gather-fraglist; "
		"eth3 +tx-scatter-gather +tx-scatter-gather-fraglist; "
		"bond0 +tx-scatter-gather +tx-scatter-gather-fraglist; "
		"vlan10 +tx-scatter-gather +tx-scatter-gather-fraglist");
	/* vlan100 asked for it all the while: it follows by itself */
	assert_verdict(h, "vlan100", "tx-scatter-gather", VERDICT_DRIFTED);
	assert_int_equal(unit_item(h, "vlan100", "tx-scatter-gather")->cause, CAUSE_LOWER_OFF);
	assert_string_equal(unit_item(h, "vlan100", "tx-scatter-gather")->cause_name, "bond0");
	assert_int_equal(plan_exit_code(&h->plan), 2);
}

static void a_slave_without_sg_under_a_bond_that_shows_on(void **state)
{
	struct unit_host *h = *state;
	struct explanation e;
	bool found = false;

	unit_incident(h);
	unit_rule(h, "30-bond-port.rule", PORT_RULE);
	unit_off(h, "eth3", "tx-scatter-gather tx-scatter-gather-fraglist");
	unit_inactive(h, "eth3", "tso gso");
	unit_plan(h);
	assert_string_equal(unit_steps(h, text, sizeof(text)),
		"eth3 +tx-scatter-gather +tx-scatter-gather-fraglist");
	assert_int_equal(explain_feature(&h->context, &h->links, &h->plan, 10, 0, &e), 0);
	for (size_t i = 0; i < e.n_steps; i++)
		found |= !strcmp(e.steps[i].link, "eth3") && e.steps[i].code == CAUSE_OFF;
	assert_true(found);
	assert_string_equal(e.advice.link, "eth3");
	explanation_clear(&e);
}

static void a_vlan_held_by_the_device_below(void **state)
{
	struct unit_host *h = *state;

	unit_incident(h);
	unit_rule(h, "10-vlan.rule", VLAN_RULE);
	unit_off(h, "bond0", "sg");
	unit_inactive(h, "bond0", "tso gso");
	for (const char *const *n = (const char *[]){ "vlan10", "vlan100", NULL }; *n; n++)
		unit_inactive(h, *n, "sg tso gso");
	unit_plan(h);
	assert_int_equal(h->plan.n_steps, 0);
	assert_int_equal(plan_exit_code(&h->plan), 4);
	assert_verdict(h, "vlan10", "tx-scatter-gather", VERDICT_BLOCKED);
	assert_int_equal(unit_item(h, "vlan10", "tx-scatter-gather")->cause, CAUSE_LOWER_OFF);
	assert_string_equal(unit_item(h, "vlan10", "tx-scatter-gather")->cause_name, "bond0");
	assert_int_equal(unit_item(h, "vlan10", "tx-tcp-segmentation")->cause, CAUSE_NEEDS);
}

static void lower_asks_for_nothing_that_is_not_there(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "eth2", "physical", 0, 0, "highdma");
	unit_link(h, 10, "vlan10", "vlan", 2, 0, UNIT_TRANSMIT);
	unit_inactive(h, "vlan10", UNIT_TRANSMIT);
	unit_rule(h, "10-vlan.rule", VLAN_RULE);
	unit_plan(h);
	assert_int_equal(plan_exit_code(&h->plan), 0);
	assert_verdict(h, "vlan10", "tx-scatter-gather", VERDICT_COMPLIANT);
	assert_true(unit_item(h, "vlan10", "tx-scatter-gather")->not_given);

	/* a rule that insists gets the cause: who holds it */
	unit_rule(h, "50-insist.rule", "[Match]\nName=vlan10\n[Features]\nsg=on\n");
	unit_plan(h);
	assert_int_equal(plan_exit_code(&h->plan), 4);
	assert_int_equal(unit_item(h, "vlan10", "tx-scatter-gather")->cause, CAUSE_LOWER_UNSUPPORTED);
	assert_string_equal(unit_item(h, "vlan10", "tx-scatter-gather")->rule->file, "50-insist.rule");
}

static void lower_asks_for_nothing_that_needs_what_is_not_there(void **state)
{
	struct unit_host *h = *state;

	/* a dummy, say: segmentation, but no scatter-gather for the VLAN */
	unit_link(h, 2, "dummy0", "dummy", 0, 0, "tso gso tx-checksum-ip-generic");
	unit_link(h, 10, "vlan10", "vlan", 2, 0, UNIT_TRANSMIT);
	unit_inactive(h, "vlan10", "sg tso gso");
	unit_inactive(h, "dummy0", "tso gso");
	unit_rule(h, "10-vlan.rule", VLAN_RULE);
	unit_plan(h);
	assert_verdict(h, "vlan10", "tx-tcp-segmentation", VERDICT_COMPLIANT);
	assert_true(unit_item(h, "vlan10", "tx-tcp6-segmentation")->not_given);
	assert_true(unit_item(h, "vlan10", "tx-generic-segmentation")->not_given);
	assert_int_equal(plan_exit_code(&h->plan), 0);
}

static void lower_respects_a_workaround_below(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "eth2", "physical", 0, 0, UNIT_TRANSMIT);
	unit_link(h, 10, "vlan10", "vlan", 2, 0, UNIT_TRANSMIT);
	unit_rule(h, "10-vlan.rule", VLAN_RULE);
	unit_rule(h, "90-hang.rule", "[Match]\nName=eth2\n[Features]\ntso=off\n");
	unit_plan(h);
	assert_string_equal(unit_steps(h, text, sizeof(text)),
		"eth2 -tx-tcp-segmentation -tx-tcp-ecn-segmentation -tx-tcp-mangleid-segmentation "
		"-tx-tcp6-segmentation");
	assert_verdict(h, "vlan10", "tx-tcp-segmentation", VERDICT_COMPLIANT);
	assert_true(unit_item(h, "vlan10", "tx-tcp-segmentation")->not_given);
}

static void lower_of_what_stands_on_nothing_is_its_hardware(void **state)
{
	struct unit_host *h = *state;
	struct link *away;

	unit_link(h, 2, "eth2", "physical", 0, 4, "sg tx-checksum-ip-generic");
	unit_link(h, 4, "bond0", "bond", 0, 0, "sg");
	unit_rule(h, "30-port.rule", "[Match]\nRole=bond-port\n[Features]\nsg=lower\ntso=lower\n");
	unit_off(h, "eth2", "sg");
	unit_plan(h);
	assert_string_equal(unit_steps(h, text, sizeof(text)),
		"eth2 +tx-scatter-gather +tx-scatter-gather-fraglist");
	assert_int_equal(plan_exit_code(&h->plan), 2); /* that it cannot do TSO is no complaint */

	/* a VLAN whose device is in another namespace: nothing is known, nothing is touched */
	away = unit_link(h, 9, "vlan9", "vlan", 0, 0, "sg");
	away->lower_netnsid = 0;
	unit_off(h, "vlan9", "sg");
	unit_rule(h, "10-vlan.rule", VLAN_RULE);
	unit_plan(h);
	assert_verdict(h, "vlan9", "tx-scatter-gather", VERDICT_COMPLIANT);
	assert_true(unit_item(h, "vlan9", "tx-scatter-gather")->not_given);
}

/* What is requested and off is blocked by something; what is not requested can be. */
static void what_is_below_cannot_be_seen(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 8, "vxlan8", "vxlan", 0, 0, "tx-scatter-gather");
	unit_link(h, 9, "vlan9", "vlan", 0, 0, "tx-scatter-gather tx-checksum-ip-generic")->lower_netnsid = 0;
	unit_off(h, "vxlan8", "tx-scatter-gather");
	unit_off(h, "vlan9", "tx-scatter-gather");
	unit_inactive(h, "vlan9", "tx-checksum-ip-generic");
	unit_rule(h, "10-all.rule", "[Match]\nKind=vlan vxlan\n[Features]\nsg=on\ntx-checksum-ip-generic=on\n");
	unit_plan(h);
	assert_string_equal(unit_steps(h, text, sizeof(text)), "vxlan8 +tx-scatter-gather; vlan9 +tx-scatter-gather");
	assert_verdict(h, "vxlan8", "tx-scatter-gather", VERDICT_DRIFTED);
	assert_false(unit_item(h, "vxlan8", "tx-scatter-gather")->uncertain);
	assert_verdict(h, "vlan9", "tx-scatter-gather", VERDICT_DRIFTED);
	assert_true(unit_item(h, "vlan9", "tx-scatter-gather")->uncertain);
	assert_verdict(h, "vlan9", "tx-checksum-ip-generic", VERDICT_BLOCKED);
}

/* on [requested off], or off [requested on] over a port that has it: a step has the kernel compute the features */
static void what_is_out_of_date_is_recomputed(void **state)
{
	struct unit_host *h = *state;
	struct link *gretap = unit_link(h, 8, "gre8", "gretap", 0, 0, UNIT_TRANSMIT), *hsr;

	unit_link(h, 2, "eth2", "veth", 0, 0, UNIT_TRANSMIT);
	hsr = unit_link(h, 9, "hsr9", "hsr", 0, 0, "tx-scatter-gather");
	hsr->hsr_ports[0] = 2;
	h->links.stacked = false;
	link_table_stack(&h->links);
	gretap->features.wanted &= ~unit_set(&h->features, "tso");
	unit_inactive(h, "hsr9", "tx-scatter-gather");
	unit_rule(h, "10-gre.rule", "[Match]\nKind=gretap\n[Features]\ntso=off\n");
	unit_rule(h, "20-hsr.rule", "[Match]\nKind=hsr\n[Features]\nsg=lower\n");
	unit_plan(h);
	assert_string_equal(unit_steps(h, text, sizeof(text)),
		"gre8 -tx-tcp-segmentation -tx-tcp-ecn-segmentation -tx-tcp-mangleid-segmentation -tx-tcp6-segmentation; "
		"hsr9 +tx-scatter-gather");
	assert_true(h->plan.steps[0].recompute && h->plan.steps[1].recompute);
	assert_verdict(h, "gre8", "tx-tcp-segmentation", VERDICT_DRIFTED);
	assert_int_equal(unit_item(h, "gre8", "tx-tcp-segmentation")->cause, CAUSE_STALE);
	assert_verdict(h, "hsr9", "tx-scatter-gather", VERDICT_DRIFTED);
	assert_int_equal(unit_item(h, "hsr9", "tx-scatter-gather")->cause, CAUSE_STALE);
	assert_int_equal(plan_exit_code(&h->plan), 2);
}

static void fixed_by_name_and_by_alias(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "eth2", "physical", 0, 0, "tx-scatter-gather tx-tcp-segmentation");
	unit_rule(h, "50-a.rule",
		"[Match]\nName=eth2\n[Features]\nsg=on\ntx-scatter-gather-fraglist=on\nlro=on\n"
		"rxhash=off\n");
	unit_plan(h);
	/* written out in full: reported; a member of an alias that the device cannot change: not */
	assert_verdict(h, "eth2", "tx-scatter-gather-fraglist", VERDICT_UNSUPPORTED);
	assert_verdict(h, "eth2", "tx-scatter-gather", VERDICT_COMPLIANT);
	/* no member at all can be had */
	assert_verdict(h, "eth2", "rx-lro", VERDICT_UNSUPPORTED);
	/* asked off, and cannot be on: one feature that matches, and not "no rule applies" */
	assert_verdict(h, "eth2", "rx-hashing", VERDICT_COMPLIANT);
	assert_int_equal(plan_exit_code(&h->plan), 4);
	assert_int_equal(h->plan.n_steps, 0);
}

static void a_feature_of_other_kernels(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "eth2", "physical", 0, 0, UNIT_TRANSMIT);
	unit_rule(h, "50-a.rule", "[Match]\nName=eth2\n[Features]\ntx-udp-fragmentation=off\n");
	unit_plan(h);
	assert_int_equal(plan_exit_code(&h->plan), 0);
	unit_rule(h, "51-b.rule", "[Match]\nName=eth2\n[Features]\ntx-udp-fragmentation=on\n");
	unit_plan(h);
	assert_int_equal(plan_exit_code(&h->plan), 4);
	assert_int_equal(unit_item(h, "eth2", "tx-udp-fragmentation")->cause, CAUSE_UNSUPPORTED_KERNEL);
}

static void lro_goes_through_the_upper(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "eth2", "physical", 0, 4, UNIT_TRANSMIT " lro");
	unit_link(h, 3, "eth3", "physical", 0, 4, UNIT_TRANSMIT " lro");
	unit_link(h, 4, "bond0", "bond", 0, 0, UNIT_TRANSMIT " lro");
	unit_rule(h, "50-lro.rule", "[Match]\nName=eth* bond*\n[Features]\nlro=off\n");
	unit_plan(h);
	assert_string_equal(unit_steps(h, text, sizeof(text)), "bond0 -rx-lro");
	assert_verdict(h, "eth2", "rx-lro", VERDICT_DRIFTED);
	assert_false(unit_item(h, "eth2", "rx-lro")->predicted);
}

/* As if all steps had been carried out, and come out as predicted. */
static void carry_out(struct unit_host *h)
{
	for (size_t i = 0; i < h->plan.n_links; i++)
		link_table_find(&h->links, h->plan.links[i].ifindex)->features =
			h->plan.links[i].predicted;
}

static void assert_final(struct unit_host *h)
{
	carry_out(h);
	unit_plan(h);
	assert_string_equal(unit_steps(h, text, sizeof(text)), "");
}

/* vmxnet3 has LRO only with receive checksums; the team cannot have it because of the ipvlan, and each update of the team's features
 * clears what its port was asked for. */
static void lro_that_a_master_cannot_have_is_not_asked_for(void **state)
{
	struct unit_host *h = *state;
	struct explanation e;
	struct link *card;

	card = unit_link(h, 2, "eth2", "physical", 0, 4, UNIT_TRANSMIT " rx lro");
	strcpy(card->driver, "vmxnet3");
	unit_link(h, 4, "team0", "team", 0, 0, UNIT_TRANSMIT " lro");
	unit_link(h, 5, "ipvl0", "ipvlan", 4, 0, UNIT_TRANSMIT);
	unit_off(h, "eth2", "rx lro");
	unit_inactive(h, "team0", "lro");
	unit_rule(h, "50-rx.rule", "[Match]\nName=eth2\n[Features]\nrx=on\nlro=on\n");
	unit_plan(h);
	assert_string_equal(unit_steps(h, text, sizeof(text)), "eth2 +rx-checksum");
	assert_verdict(h, "eth2", "rx-checksum", VERDICT_DRIFTED);
	assert_verdict(h, "eth2", "rx-lro", VERDICT_BLOCKED);
	assert_int_equal(unit_item(h, "eth2", "rx-lro")->cause, CAUSE_UPPER_OFF);
	assert_string_equal(unit_item(h, "eth2", "rx-lro")->cause_name, "team0");
	assert_final(h);
	assert_verdict(h, "eth2", "rx-lro", VERDICT_BLOCKED);
	assert_int_equal(explain_feature(&h->context, &h->links, &h->plan, 2, 15, &e), 0);
	assert_string_equal(e.steps[e.n_steps - 1].link, "team0");
	assert_int_equal(e.steps[e.n_steps - 1].code, CAUSE_UPPER_OFF);
	assert_string_equal(e.steps[e.n_steps - 1].other_link, "ipvl0");
	assert_int_equal(e.advice.code, ADVICE_NOT_BELOW);
	assert_string_equal(e.advice.link, "ipvl0");
	explanation_clear(&e);
}

/* The rules want it on below and off above: above wins. */
static void lro_that_an_upper_takes_away_is_not_asked_for(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "eth2", "physical", 0, 4, UNIT_TRANSMIT " lro");
	unit_link(h, 4, "bond0", "bond", 0, 0, UNIT_TRANSMIT " lro");
	unit_rule(h, "50-lro.rule", "[Match]\nName=bond0\n[Features]\nlro=off\n");
	unit_rule(h, "51-lro.rule", "[Match]\nName=eth2\n[Features]\nlro=on\n");
	unit_plan(h);
	assert_verdict(h, "eth2", "rx-lro", VERDICT_BLOCKED);
	assert_string_equal(unit_item(h, "eth2", "rx-lro")->cause_name, "bond0");
	assert_final(h);
}

/* e1000_fix_features() has one switch for both. */
static void what_a_driver_ties_together_is_not_torn(void **state)
{
	struct unit_host *h = *state;
	struct link *card;

	card = unit_link(h, 2, "eth2", "physical", 0, 0, UNIT_TRANSMIT " rxvlan txvlan");
	strcpy(card->driver, "e1000e");
	unit_off(h, "eth2", "rxvlan");
	unit_inactive(h, "eth2", "txvlan");
	unit_rule(h, "50-vlan.rule", "[Match]\nName=eth2\n[Features]\nrxvlan=on\ntxvlan=off\n");
	unit_plan(h);
	assert_string_equal(unit_steps(h, text, sizeof(text)), "");
	assert_int_equal(plan_exit_code(&h->plan), 4);
	assert_verdict(h, "eth2", "rx-vlan-hw-parse", VERDICT_BLOCKED);
	assert_int_equal(unit_item(h, "eth2", "rx-vlan-hw-parse")->cause, CAUSE_COUPLED);
	assert_int_equal(unit_item(h, "eth2", "rx-vlan-hw-parse")->cause_bit, feature_bit(&h->features, "tx-vlan-hw-insert"));
	assert_verdict(h, "eth2", "tx-vlan-hw-insert", VERDICT_COMPLIANT);

	/* the other way round, from the state in which the card comes up */
	rule_set_clear(&h->rules);
	unit_rule(h, "50-vlan.rule", "[Match]\nName=eth2\n[Features]\nrxvlan=off\ntxvlan=on\n");
	card->features.wanted |= unit_set(&h->features, "rxvlan txvlan");
	card->features.active |= unit_set(&h->features, "rxvlan txvlan");
	unit_plan(h);
	assert_string_equal(unit_steps(h, text, sizeof(text)), "");
	assert_verdict(h, "eth2", "rx-vlan-hw-parse", VERDICT_BLOCKED);
	assert_int_equal(unit_item(h, "eth2", "rx-vlan-hw-parse")->cause, CAUSE_COUPLED);

	/* declared alike, both are set */
	unit_rule(h, "51-vlan.rule", "[Match]\nName=eth2\n[Features]\ntxvlan=off\n");
	unit_plan(h);
	assert_string_equal(unit_steps(h, text, sizeof(text)), "eth2 -tx-vlan-hw-insert -rx-vlan-hw-parse");
	assert_final(h);
	assert_int_equal(plan_exit_code(&h->plan), 0);
}

/* One is declared, and the other is off: no request for the first has an effect. */
static void what_a_driver_ties_together_is_its_cause(void **state)
{
	struct unit_host *h = *state;
	struct link *card = unit_link(h, 2, "eth2", "physical", 0, 0, UNIT_TRANSMIT " rxvlan txvlan");

	strcpy(card->driver, "igb");
	unit_off(h, "eth2", "rxvlan");
	unit_inactive(h, "eth2", "txvlan");
	unit_rule(h, "50-vlan.rule", "[Match]\nName=eth2\n[Features]\ntxvlan=on\n");
	unit_plan(h);
	assert_string_equal(unit_steps(h, text, sizeof(text)), "");
	assert_verdict(h, "eth2", "tx-vlan-hw-insert", VERDICT_BLOCKED);
	assert_int_equal(unit_item(h, "eth2", "tx-vlan-hw-insert")->cause, CAUSE_COUPLED);
}

/* lo, ipvlan, macvlan: the one that is on cannot be turned off. */
static void an_alias_off_is_not_compliant_while_a_member_is_on(void **state)
{
	struct unit_host *h = *state;
	feature_set on = unit_set(&h->features, "tx-checksum-ip-generic tx-checksum-sctp");

	unit_link(h, 1, "lo", "loopback", 0, 0, "tso")->features.active |= on;
	unit_rule(h, "38.rule", "[Match]\nName=lo\n[Features]\ntx=off\n");
	unit_plan(h);
	assert_int_equal(plan_exit_code(&h->plan), 4);
	assert_null(unit_item(h, "lo", "tx-checksum-ipv4"));
	assert_verdict(h, "lo", "tx-checksum-ip-generic", VERDICT_UNSUPPORTED);
	assert_verdict(h, "lo", "tx-checksum-sctp", VERDICT_UNSUPPORTED);

	/* also if another member can be changed, and is */
	link_table_find(&h->links, 1)->features.hw |= unit_set(&h->features, "tx-checksum-ipv4");
	unit_plan(h);
	assert_int_equal(plan_exit_code(&h->plan), 4);
	assert_verdict(h, "lo", "tx-checksum-ipv4", VERDICT_COMPLIANT);
	assert_verdict(h, "lo", "tx-checksum-ip-generic", VERDICT_UNSUPPORTED);
}

static void an_alias_on_is_compliant_while_a_member_is_on(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 1, "lo", "loopback", 0, 0, "tso")->features.active |= unit_set(&h->features, "tx-checksum-ip-generic");
	unit_rule(h, "38.rule", "[Match]\nName=lo\n[Features]\ntx=on\nlro=off\n");
	unit_plan(h);
	assert_int_equal(plan_exit_code(&h->plan), 0);
	assert_verdict(h, "lo", "tx-checksum-ip-generic", VERDICT_COMPLIANT);
	assert_verdict(h, "lo", "rx-lro", VERDICT_COMPLIANT);
}

static void tso_on_leaves_mangleid_alone(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "eth2", "physical", 0, 0, UNIT_TRANSMIT);
	unit_off(h, "eth2", "tx-tcp-mangleid-segmentation");
	unit_rule(h, "40.rule", "[Match]\nName=eth2\n[Features]\ntso=on\n");
	unit_plan(h);
	assert_int_equal(plan_exit_code(&h->plan), 0);
	assert_null(unit_item(h, "eth2", "tx-tcp-mangleid-segmentation"));
	unit_rule(h, "41.rule", "[Match]\nName=eth2\n[Features]\ntx-tcp-mangleid-segmentation=on\n");
	unit_plan(h);
	assert_string_equal(unit_steps(h, text, sizeof(text)), "eth2 +tx-tcp-mangleid-segmentation");
}

#define ESP "tx-esp-segmentation esp-hw-offload esp-tx-csum-hw-offload"

/* Linux 6.12: a bond has all ESP offloads on, and no port has one. */
static void lower_all_is_what_every_port_has(void **state)
{
	struct unit_host *h = *state;

	unit_incident(h);
	link_table_find(&h->links, 4)->features.hw |= unit_set(&h->features, ESP);
	link_table_find(&h->links, 4)->features.active |= unit_set(&h->features, ESP);
	link_table_find(&h->links, 4)->features.wanted |= unit_set(&h->features, ESP);
	unit_rule(h, "20.rule", "[Match]\nKind=bond\n[Features]\ntx-esp-segmentation=lower\ntx-scatter-gather=lower\n");
	unit_plan(h);
	assert_int_equal(plan_exit_code(&h->plan), 0);
	assert_true(unit_item(h, "bond0", "tx-esp-segmentation")->not_given);
	assert_true(plan_find(&h->plan, 4)->claimed & unit_set(&h->features, "tx-esp-segmentation"));
	assert_false(plan_find(&h->plan, 4)->claimed & unit_set(&h->features, "tx-scatter-gather"));
	unit_rule(h, "21.rule", "[Match]\nKind=bond\n[Features]\ntx-esp-segmentation=lower-all\ntx-scatter-gather=lower-all\n");
	unit_plan(h);
	assert_string_equal(unit_steps(h, text, sizeof(text)), "bond0 -tx-esp-segmentation");
	assert_verdict(h, "bond0", "tx-scatter-gather", VERDICT_COMPLIANT);
	assert_final(h);
	assert_int_equal(plan_exit_code(&h->plan), 0);
	assert_false(plan_find(&h->plan, 4)->claimed & unit_set(&h->features, "tx-esp-segmentation"));
}

static void lower_all_is_blocked_while_a_port_lacks_it(void **state)
{
	struct unit_host *h = *state;

	unit_incident(h);
	unit_off(h, "eth3", "tso");
	unit_rule(h, "20.rule", "[Match]\nKind=bond\n[Features]\ntx-tcp-segmentation=lower-all\n");
	unit_plan(h);
	assert_string_equal(unit_steps(h, text, sizeof(text)), "");
	assert_int_equal(plan_exit_code(&h->plan), 4);
	assert_verdict(h, "bond0", "tx-tcp-segmentation", VERDICT_BLOCKED);
	assert_int_equal(unit_item(h, "bond0", "tx-tcp-segmentation")->cause, CAUSE_PORT_OFF);
	assert_string_equal(unit_item(h, "bond0", "tx-tcp-segmentation")->cause_name, "eth3");
	assert_true(unit_item(h, "bond0", "tx-tcp-segmentation")->held);

	/* a rule that repairs the port repairs the bond; one that keeps it off there keeps it off above */
	unit_rule(h, "30.rule", "[Match]\nRole=bond-port\n[Features]\ntx-tcp-segmentation=on\n");
	unit_plan(h);
	assert_string_equal(unit_steps(h, text, sizeof(text)), "eth3 +tx-tcp-segmentation");
	assert_verdict(h, "bond0", "tx-tcp-segmentation", VERDICT_COMPLIANT);
	unit_rule(h, "31.rule", "[Match]\nName=eth3\n[Features]\ntx-tcp-segmentation=off\n");
	unit_rule(h, "10.rule", "[Match]\nKind=vlan\n[Features]\ntx-tcp-segmentation=lower\n");
	unit_plan(h);
	assert_string_equal(unit_steps(h, text, sizeof(text)), "bond0 -tx-tcp-segmentation");
	assert_true(unit_item(h, "vlan10", "tx-tcp-segmentation")->not_given);

	/* what cannot be read is not turned off above */
	link_table_find_name(&h->links, "eth2")->has_features = false;
	unit_plan(h);
	assert_string_equal(unit_steps(h, text, sizeof(text)), "");
}

static void lower_all_without_ports_is_not_touched(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 4, "bond0", "bond", 0, 0, UNIT_TRANSMIT);
	unit_rule(h, "20.rule", "[Match]\nKind=bond\n[Features]\ntso=lower-all\n");
	unit_plan(h);
	assert_int_equal(plan_exit_code(&h->plan), 0);
	assert_true(unit_item(h, "bond0", "tx-tcp-segmentation")->not_given);
}

/* A tap whose program did not ask for checksums: they are requested, and off. */
static void lower_is_content_with_what_the_owner_allows(void **state)
{
	struct unit_host *h = *state;

	strcpy(unit_link(h, 2, "tap0", "tun", 0, 4, UNIT_TRANSMIT)->driver, "tun");
	unit_link(h, 4, "bond0", "bond", 0, 0, UNIT_TRANSMIT);
	unit_inactive(h, "tap0", "tx-checksum-ip-generic tso");
	unit_rule(h, "30-port.rule", "[Match]\nRole=bond-port\n[Features]\nsg=lower\ntx=lower\ntso=lower\ngso=lower\n");
	unit_plan(h);
	assert_string_equal(unit_steps(h, text, sizeof(text)), "");
	assert_int_equal(plan_exit_code(&h->plan), 0);
	assert_true(unit_item(h, "tap0", "tx-checksum-ip-generic")->not_given);
	assert_true(unit_item(h, "tap0", "tx-tcp-segmentation")->not_given);

	/* a rule that insists gets the cause: who decides */
	unit_rule(h, "49.rule", "[Match]\nKind=tun\n[Features]\ntx=on\ntx-tcp-segmentation=on\n");
	unit_plan(h);
	assert_int_equal(plan_exit_code(&h->plan), 4);
	assert_int_equal(unit_item(h, "tap0", "tx-checksum-ip-generic")->cause, CAUSE_OWNER);
	assert_int_equal(unit_item(h, "tap0", "tx-tcp-segmentation")->cause, CAUSE_NEEDS);
}

static void lower_is_content_with_what_a_driver_allows(void **state)
{
	struct unit_host *h = *state;

	strcpy(unit_link(h, 2, "eth2", "physical", 0, 4, UNIT_TRANSMIT)->driver, "r8169");
	unit_link(h, 4, "bond0", "bond", 0, 0, UNIT_TRANSMIT);
	unit_inactive(h, "eth2", "tx-tcp-segmentation"); /* because of its MTU, say */
	unit_rule(h, "30-port.rule", "[Match]\nRole=bond-port\n[Features]\ntx-tcp-segmentation=lower\n");
	unit_plan(h);
	assert_int_equal(plan_exit_code(&h->plan), 0);
	assert_true(unit_item(h, "eth2", "tx-tcp-segmentation")->not_given);
	unit_rule(h, "40.rule", "[Match]\nName=eth2\n[Features]\ntx-tcp-segmentation=on\n");
	unit_plan(h);
	assert_verdict(h, "eth2", "tx-tcp-segmentation", VERDICT_BLOCKED);
	assert_int_equal(unit_item(h, "eth2", "tx-tcp-segmentation")->cause, CAUSE_UNKNOWN);
}

static void xdp_of_the_peer_is_the_cause(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "v0", "veth", 3, 0, "sg tx-checksum-ip-generic gso");
	unit_link(h, 3, "v1", "veth", 2, 0, UNIT_TRANSMIT)->xdp = true;
	unit_rule(h, "50.rule", "[Match]\nName=v0\n[Features]\ntso=on\n");
	unit_plan(h);
	assert_verdict(h, "v0", "tx-tcp-segmentation", VERDICT_BLOCKED);
	assert_int_equal(unit_item(h, "v0", "tx-tcp-segmentation")->cause, CAUSE_PEER_XDP);
	assert_string_equal(unit_item(h, "v0", "tx-tcp-segmentation")->cause_name, "v1");
	assert_int_equal(plan_exit_code(&h->plan), 4);
}

/* A macsec copies what is on below when it is created, an ipvlan or macvlan at all times; none can change it. */
static void what_is_copied_from_below_is_not_blamed_on_the_driver(void **state)
{
	struct unit_host *h = *state;
	struct link *ms;

	unit_link(h, 2, "eth2", "physical", 0, 0, "sg rx-checksum");
	ms = unit_link(h, 3, "macsec0", "macsec", 2, 0, "gso");
	unit_link(h, 4, "ipvt0", "ipvtap", 2, 0, "gso");
	unit_rule(h, "50.rule", "[Match]\nKind=macsec ipvtap\n[Features]\ntx-scatter-gather=on\nrx-checksum=on\n");
	unit_off(h, "eth2", "sg rx-checksum");
	unit_plan(h);
	assert_verdict(h, "macsec0", "tx-scatter-gather", VERDICT_BLOCKED);
	assert_int_equal(unit_item(h, "macsec0", "tx-scatter-gather")->cause, CAUSE_LOWER_OFF);
	assert_int_equal(unit_item(h, "macsec0", "rx-checksum")->cause, CAUSE_UNSUPPORTED_DRIVER);
	assert_int_equal(unit_item(h, "ipvt0", "rx-checksum")->cause, CAUSE_LOWER_OFF);
	link_table_find_name(&h->links, "eth2")->features.hw = 0;
	unit_plan(h);
	assert_int_equal(unit_item(h, "macsec0", "tx-scatter-gather")->cause, CAUSE_LOWER_UNSUPPORTED);
	assert_int_equal(unit_item(h, "ipvt0", "rx-checksum")->cause, CAUSE_LOWER_UNSUPPORTED);
	link_table_find_name(&h->links, "eth2")->features.active = unit_set(&h->features, "sg");
	unit_plan(h);
	assert_int_equal(unit_item(h, "macsec0", "tx-scatter-gather")->cause, CAUSE_CREATED_WITHOUT);
	ms->lower_ifindex = 0;
	ms->lower_netnsid = 1;
	h->links.stacked = false;
	link_table_stack(&h->links);
	unit_plan(h);
	assert_int_equal(unit_item(h, "macsec0", "tx-scatter-gather")->cause, CAUSE_LOWER_ELSEWHERE);
}

/* It is repaired below, and follows. */
static void what_is_copied_from_below_follows_its_repair(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "eth2", "physical", 0, 0, "sg rx-checksum");
	unit_link(h, 3, "mac0", "macvlan", 2, 0, "gso");
	unit_rule(h, "50.rule", "[Match]\nName=*\n[Features]\nrx-checksum=on\n");
	unit_off(h, "eth2", "rx-checksum");
	unit_plan(h);
	assert_string_equal(unit_steps(h, text, sizeof(text)), "eth2 +rx-checksum");
	assert_verdict(h, "mac0", "rx-checksum", VERDICT_DRIFTED);
	assert_int_equal(unit_item(h, "mac0", "rx-checksum")->cause, CAUSE_LOWER_OFF);
	assert_int_equal(plan_exit_code(&h->plan), 2);
}

static void lro_of_vmxnet3_needs_receive_checksums(void **state)
{
	struct unit_host *h = *state;

	strcpy(unit_link(h, 2, "eth2", "physical", 0, 0, "rx lro")->driver, "vmxnet3");
	unit_off(h, "eth2", "rx");
	unit_inactive(h, "eth2", "lro");
	unit_rule(h, "50.rule", "[Match]\nName=eth2\n[Features]\nlro=on\n");
	unit_plan(h);
	assert_verdict(h, "eth2", "rx-lro", VERDICT_BLOCKED);
	assert_int_equal(unit_item(h, "eth2", "rx-lro")->cause, CAUSE_NEEDS);
	assert_int_equal(unit_item(h, "eth2", "rx-lro")->cause_bit, feature_bit(&h->features, "rx-checksum"));
}

static void what_was_never_requested_was_not_accepted(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "v0", "veth", 3, 0, UNIT_TRANSMIT);
	unit_off(h, "v0", "tso");
	unit_link(h, 3, "v1", "veth", 2, 0, UNIT_TRANSMIT);
	link_state_refusals(unit_state(h, 2))->ineffective[true] = unit_set(&h->features, "tx-tcp-segmentation");
	unit_rule(h, "50.rule", "[Match]\nName=v0\n[Features]\ntx-tcp-segmentation=on\n");
	unit_plan(h);
	assert_verdict(h, "v0", "tx-tcp-segmentation", VERDICT_BLOCKED);
	assert_int_equal(unit_item(h, "v0", "tx-tcp-segmentation")->cause, CAUSE_NO_EFFECT);
}

/* dev_disable_lro(): what LRO merged is dropped when it is forwarded, on the link or on one above. */
static void lro_is_refused_where_packets_are_forwarded(void **state)
{
	struct unit_host *h = *state;
	struct link *eth2, *vlan;

	eth2 = unit_link(h, 2, "eth2", "physical", 0, 4, UNIT_TRANSMIT " lro");
	unit_link(h, 4, "bond0", "bond", 0, 0, UNIT_TRANSMIT " lro");
	vlan = unit_link(h, 10, "vlan10", "vlan", 4, 0, UNIT_TRANSMIT);
	unit_off(h, "eth2", "lro");
	unit_rule(h, "50-lro.rule", "[Match]\nName=eth2\n[Features]\nlro=on\n");
	assert_true(rule_set_needs_forwarding(&h->rules, &h->features));
	vlan->forwards = true;
	unit_plan(h);
	assert_string_equal(unit_steps(h, text, sizeof(text)), "");
	assert_int_equal(plan_exit_code(&h->plan), 4);
	assert_verdict(h, "eth2", "rx-lro", VERDICT_BLOCKED);
	assert_int_equal(unit_item(h, "eth2", "rx-lro")->cause, CAUSE_FORWARDS);
	assert_string_equal(unit_item(h, "eth2", "rx-lro")->cause_name, "vlan10");

	/* set again after the kernel turned it off: not compliant, and an audit says the same */
	eth2->features.active |= unit_set(&h->features, "lro");
	eth2->features.wanted |= unit_set(&h->features, "lro");
	unit_plan(h);
	assert_verdict(h, "eth2", "rx-lro", VERDICT_BLOCKED);
	assert_true(unit_item(h, "eth2", "rx-lro")->held);
	h->context.audit = true;
	unit_plan(h);
	assert_verdict(h, "eth2", "rx-lro", VERDICT_BLOCKED);
	h->context.audit = false;

	vlan->forwards = false;
	eth2->xdp = true;
	unit_plan(h);
	assert_int_equal(unit_item(h, "eth2", "rx-lro")->cause, CAUSE_XDP);
	assert_int_equal(unit_item(h, "eth2", "rx-lro")->cause_ifindex, 0);
	eth2->xdp = false;
	unit_plan(h);
	assert_verdict(h, "eth2", "rx-lro", VERDICT_COMPLIANT);
	eth2->master_ifindex = 0;
	strcpy(eth2->slave_kind, "bridge"); /* a bridge in another namespace */
	h->links.stacked = false;
	link_table_stack(&h->links);
	unit_plan(h);
	assert_int_equal(unit_item(h, "eth2", "rx-lro")->cause, CAUSE_BRIDGED);

	/* `lower` asks for nothing, and what is declared off is turned off */
	unit_rule(h, "51-lro.rule", "[Match]\nName=eth2\n[Features]\nlro=lower\n");
	unit_plan(h);
	assert_true(unit_item(h, "eth2", "rx-lro")->not_given);
	assert_int_equal(plan_exit_code(&h->plan), 0);
	unit_rule(h, "52-lro.rule", "[Match]\nName=eth2\n[Features]\nlro=off\n");
	unit_plan(h);
	assert_string_equal(unit_steps(h, text, sizeof(text)), "eth2 -rx-lro");
}

/* Asked for all the while, they would come on with scatter-gather: not even for a moment. */
static void what_a_step_would_bring_about_is_in_the_same_step(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "dummy0", "dummy", 0, 0, UNIT_TRANSMIT);
	unit_off(h, "dummy0", "sg");
	unit_inactive(h, "dummy0", "tso gso");
	unit_rule(h, "50-gso.rule", "[Match]\nKind=dummy\n[Features]\nsg=on\ngso=off\ntx-tcp6-segmentation=off\n");
	unit_plan(h);
	assert_string_equal(unit_steps(h, text, sizeof(text)),
		"dummy0 +tx-scatter-gather +tx-scatter-gather-fraglist -tx-generic-segmentation -tx-tcp6-segmentation");
	assert_final(h);
	assert_verdict(h, "dummy0", "tx-generic-segmentation", VERDICT_COMPLIANT);
	assert_verdict(h, "dummy0", "tx-tcp6-segmentation", VERDICT_COMPLIANT);
}

static void nothing_is_done_under_audit(void **state)
{
	struct unit_host *h = *state;

	unit_incident(h);
	unit_rule(h, "10-vlan.rule", "[Rule]\nMode=audit\n" VLAN_RULE);
	unit_off(h, "vlan10", "sg");
	unit_inactive(h, "vlan10", "tso gso");
	unit_plan(h);
	assert_int_equal(h->plan.n_steps, 0);
	assert_int_equal(plan_exit_code(&h->plan), 2);
	assert_verdict(h, "vlan10", "tx-scatter-gather", VERDICT_DRIFTED);
	assert_int_equal(unit_item(h, "vlan10", "tx-scatter-gather")->cause, CAUSE_AUDIT);
	assert_verdict(h, "vlan10", "tx-tcp-segmentation", VERDICT_DRIFTED);
	assert_int_equal(h->plan.predictions, 1);
}

/* What is audited is judged on top of what is enforced. */
static void audit_and_enforcement_mixed_take_one_prediction(void **state)
{
	struct unit_host *h = *state;
	char buf[512];

	unit_incident(h);
	unit_rule(h, "10-vlan.rule", "[Rule]\nMode=audit\n" VLAN_RULE);
	unit_rule(h, "20-bond.rule", "[Match]\nKind=bond\n[Features]\nsg=on\n");
	unit_off(h, "bond0", "tx-scatter-gather");
	unit_inactive(h, "vlan10", "sg tso gso");
	unit_off(h, "vlan100", "tx-scatter-gather");
	unit_inactive(h, "vlan100", "tso gso");
	unit_plan(h);
	assert_string_equal(unit_steps(h, buf, sizeof(buf)), "bond0 +tx-scatter-gather");
	assert_verdict(h, "bond0", "tx-scatter-gather", VERDICT_DRIFTED);
	assert_verdict(h, "vlan10", "tx-scatter-gather", VERDICT_DRIFTED);
	assert_true(unit_item(h, "vlan10", "tx-scatter-gather")->predicted);
	assert_verdict(h, "vlan100", "tx-scatter-gather", VERDICT_DRIFTED);
	assert_int_equal(unit_item(h, "vlan100", "tx-scatter-gather")->cause, CAUSE_AUDIT);
	assert_false(unit_item(h, "vlan100", "tx-scatter-gather")->predicted);
	assert_int_equal(h->plan.predictions, 1);
}

static void paused_contended_and_refused_are_left_alone(void **state)
{
	struct unit_host *h = *state;

	unit_incident(h);
	unit_state(h, 4)->paused = true;
	link_state_contention(unit_state(h, 10))->contended = FEATURE(0);
	link_state_refusals(unit_state(h, 11))->refused[true] = FEATURE(3);
	link_state_refusals(unit_state(h, 11))->words = strdup("no way");
	unit_rule(h, "50-all.rule",
		"[Match]\nName=bond0 vlan*\n[Features]\ntx-scatter-gather=on\n"
		"tx-checksum-ip-generic=on\n");
	unit_off(h, "bond0", "tx-scatter-gather-fraglist tx-checksum-ip-generic");
	unit_off(h, "vlan10", "tx-scatter-gather");
	unit_off(h, "vlan100", "tx-checksum-ip-generic");
	unit_plan(h);
	assert_int_equal(h->plan.n_steps, 0);
	assert_verdict(h, "bond0", "tx-checksum-ip-generic", VERDICT_PAUSED);
	assert_verdict(h, "vlan10", "tx-scatter-gather", VERDICT_CONTENDED);
	assert_string_equal(unit_item(h, "vlan10", "tx-scatter-gather")->text, "");
	assert_int_equal(unit_item(h, "vlan10", "tx-scatter-gather")->cause, CAUSE_NONE);
	assert_verdict(h, "vlan100", "tx-checksum-ip-generic", VERDICT_REFUSED);
	assert_string_equal(unit_item(h, "vlan100", "tx-checksum-ip-generic")->text, "no way");
	assert_int_equal(plan_exit_code(&h->plan), 4);
	/* no other program reverts it: the driver resets the device */
	link_state_contention(unit_state(h, 10))->flapped[1] = FEATURE(0);
	unit_plan(h);
	assert_verdict(h, "vlan10", "tx-scatter-gather", VERDICT_CONTENDED);
	assert_int_equal(unit_item(h, "vlan10", "tx-scatter-gather")->cause, CAUSE_RESETS);
}

/* Repaired once more, they would be reverted once too often. */
static void what_is_due_is_contended_and_not_repaired(void **state)
{
	struct unit_host *h = *state;
	char buf[512];

	unit_incident(h);
	unit_rule(h, "10-vlan.rule", "[Match]\nKind=vlan\n[Features]\ntx-scatter-gather=on\ntx-checksum-ip-generic=on\n");
	link_state_contention(unit_state(h, 10))->due = FEATURE(0) | FEATURE(16);
	unit_plan(h);
	assert_int_equal(plan_find(&h->plan, 10)->due, 0);
	unit_off(h, "vlan10", "tx-scatter-gather tx-checksum-ip-generic");
	unit_off(h, "vlan100", "tx-scatter-gather");
	unit_plan(h);
	assert_string_equal(unit_steps(h, buf, sizeof(buf)), "vlan10 +tx-checksum-ip-generic; vlan100 +tx-scatter-gather");
	assert_int_equal(plan_find(&h->plan, 10)->due, FEATURE(0));
	assert_int_equal(plan_find(&h->plan, 11)->due, 0);
	assert_verdict(h, "vlan10", "tx-scatter-gather", VERDICT_CONTENDED);
	assert_int_equal(h->plan.predictions, 1);

	unit_state(h, 10)->paused = true;
	unit_plan(h);
	assert_int_equal(plan_find(&h->plan, 10)->due, 0);
	assert_verdict(h, "vlan10", "tx-scatter-gather", VERDICT_PAUSED);
	unit_state(h, 10)->paused = false;
	h->context.audit = true;
	unit_plan(h);
	assert_int_equal(plan_find(&h->plan, 10)->due, 0);
	assert_verdict(h, "vlan10", "tx-scatter-gather", VERDICT_DRIFTED);
	assert_int_equal(h->plan.predictions, 1);
}

static void past_its_end_a_rule_still_applies(void **state)
{
	struct unit_host *h = *state;

	unit_incident(h);
	unit_rule(h, "10-vlan.rule", "[Rule]\nUntil=2001-09-08\n" VLAN_RULE);
	unit_off(h, "vlan10", "sg");
	h->context.now = 999993599; /* 2001-09-08 23:59:59 UTC */
	unit_plan(h);
	assert_int_equal(h->plan.overdue, 0);
	h->context.now++;
	unit_plan(h);
	assert_true(h->plan.overdue > 0);
	assert_true(unit_item(h, "vlan10", "tx-scatter-gather")->overdue);
	assert_int_equal(h->plan.n_steps, 1);
}

static void only_the_links_asked_for(void **state)
{
	struct unit_host *h = *state;
	const int only[] = { 11, 999, 11 };

	unit_incident(h);
	unit_rule(h, "10-vlan.rule", VLAN_RULE);
	unit_off(h, "vlan10", "sg");
	unit_off(h, "vlan100", "sg");
	assert_int_equal(plan_make(&h->context, &h->links, only, 3, &h->plan), 0);
	assert_int_equal(h->plan.n_links, 1);
	assert_int_equal(h->plan.n_steps, 1);
	assert_string_equal(h->plan.steps[0].name, "vlan100");
}

static void side_effects_are_in_the_plan(void **state)
{
	struct unit_host *h = *state;
	const struct plan_link *vlan;

	unit_incident(h);
	unit_rule(h, "50-off.rule", "[Match]\nName=bond0\n[Features]\ntx-scatter-gather=off\n");
	unit_plan(h);
	assert_string_equal(unit_steps(h, text, sizeof(text)), "bond0 -tx-scatter-gather");
	vlan = plan_find(&h->plan, 10);
	assert_non_null(vlan);
	assert_int_equal(vlan->n_items, 0);
	assert_true(vlan->side_effects & unit_set(&h->features, "tx-scatter-gather"));
	assert_true(vlan->side_effects & unit_set(&h->features, "tx-tcp-segmentation"));
	/* in the order of the stack */
	assert_string_equal(h->plan.links[0].name, "bond0");
}

/* It is in the plan, with the reason, and no other exit code is claimed: not all that is declared was looked at. */
static void a_link_that_cannot_be_read_is_in_the_plan(void **state)
{
	struct unit_host *h = *state;
	const struct plan_link *eth2;
	struct link *link;

	unit_incident(h);
	unit_rule(h, "50-eth.rule", "[Match]\nName=eth*\n[Features]\ntx-scatter-gather=on\ntso=off\nrx-gro=lower\n");
	link = link_table_find_name(&h->links, "eth2");
	link->has_features = false;
	link->features_error = -EIO;
	unit_plan(h);
	eth2 = plan_find(&h->plan, 2);
	assert_non_null(eth2);
	assert_int_equal(eth2->error, -EIO);
	assert_int_equal(plan_link_verdict(eth2), VERDICT_REFUSED);
	assert_verdict(h, "eth2", "tx-scatter-gather", VERDICT_REFUSED);
	assert_verdict(h, "eth2", "tx-tcp-segmentation", VERDICT_REFUSED);
	assert_verdict(h, "eth2", "rx-gro", VERDICT_REFUSED);
	assert_true(unit_item(h, "eth2", "rx-gro")->unread);
	assert_int_equal(h->plan.unread, 1);
	assert_int_equal(plan_exit_code(&h->plan), 1);
	/* the others are done all the same */
	assert_non_null(strstr(unit_steps(h, text, sizeof(text)), "eth3 -tx-tcp-segmentation"));
	assert_null(strstr(text, "eth2"));
}

static void a_link_that_cannot_be_read_and_no_rule_names_is_none_of_the_plan(void **state)
{
	struct unit_host *h = *state;
	struct link *link;

	unit_incident(h);
	unit_rule(h, "10-vlan.rule", VLAN_RULE);
	link = link_table_find_name(&h->links, "eth2");
	link->has_features = false;
	link->features_error = -EIO;
	unit_plan(h);
	assert_null(plan_find(&h->plan, 2));
	assert_int_equal(h->plan.unread, 0);
	assert_int_equal(plan_exit_code(&h->plan), 0);
}

/* Gone in between: the kernel's message that says so is on its way. */
static void a_link_that_went_away_is_none_of_the_plan(void **state)
{
	struct unit_host *h = *state;
	struct link *link;

	unit_incident(h);
	unit_rule(h, "50-eth.rule", "[Match]\nName=eth2\n[Features]\ntso=off\n");
	link = link_table_find_name(&h->links, "eth2");
	link->has_features = false;
	link->features_error = -ENODEV;
	unit_plan(h);
	assert_null(plan_find(&h->plan, 2));
	assert_int_equal(plan_exit_code(&h->plan), 0);
}

static void a_loop_in_a_stale_picture_ends(void **state)
{
	struct unit_host *h = *state;

	unit_link(h, 2, "a", "vlan", 3, 0, UNIT_TRANSMIT);
	unit_link(h, 3, "b", "vlan", 2, 0, UNIT_TRANSMIT);
	unit_link(h, 4, "c", "bond", 0, 4, UNIT_TRANSMIT);
	unit_rule(h, "10-vlan.rule", VLAN_RULE);
	unit_rule(h, "20-bond.rule", BOND_RULE);
	unit_off(h, "a", "sg");
	unit_off(h, "c", "sg");
	unit_plan(h);
	assert_true(h->plan.n_links > 0);
}

/* A bond and a VLAN have the generic checksum only, whichever their ports have. */
static void the_incident_on_cards_with_checksums_by_protocol(void **state)
{
	struct unit_host *h = *state;

	unit_incident_by_protocol(h);
	unit_rule(h, "10-vlan.rule", VLAN_RULE);
	unit_rule(h, "20-bond.rule", BOND_RULE);
	unit_plan(h);
	assert_int_equal(h->plan.n_steps, 0);
	unit_off(h, "vlan10", "sg tx-checksum-ip-generic");
	unit_inactive(h, "vlan10", "tso gso");
	unit_plan(h);
	assert_string_equal(
		unit_steps(h, text, sizeof(text)), "vlan10 +tx-scatter-gather +tx-checksum-ip-generic");
	assert_verdict(h, "vlan10", "tx-checksum-ip-generic", VERDICT_DRIFTED);
	assert_verdict(h, "vlan10", "tx-tcp-segmentation", VERDICT_DRIFTED);
	assert_true(unit_item(h, "vlan10", "tx-tcp-segmentation")->predicted);
}

static void a_bond_without_checksum_on_cards_with_checksums_by_protocol(void **state)
{
	struct unit_host *h = *state;

	unit_incident_by_protocol(h);
	unit_rule(h, "10-vlan.rule", VLAN_RULE);
	unit_rule(h, "20-bond.rule", BOND_RULE);
	unit_off(h, "bond0", "tx-checksum-ip-generic");
	unit_inactive(h, "bond0", "tso");
	unit_inactive(h, "vlan10", "tx-checksum-ip-generic tso");
	unit_inactive(h, "vlan100", "tx-checksum-ip-generic tso");
	unit_plan(h);
	assert_string_equal(unit_steps(h, text, sizeof(text)), "bond0 +tx-checksum-ip-generic");
	assert_true(unit_item(h, "vlan10", "tx-tcp-segmentation")->predicted);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_healthy_host_needs_nothing),
		T(the_incident),
		T(the_incident_on_cards_with_checksums_by_protocol),
		T(a_bond_without_checksum_on_cards_with_checksums_by_protocol),
		T(lowest_device_first),
		T(a_slave_without_sg_under_a_bond_that_shows_on),
		T(a_vlan_held_by_the_device_below),
		T(lower_asks_for_nothing_that_is_not_there),
		T(lower_asks_for_nothing_that_needs_what_is_not_there),
		T(lower_respects_a_workaround_below),
		T(lower_of_what_stands_on_nothing_is_its_hardware),
		T(what_is_below_cannot_be_seen),
		T(what_is_out_of_date_is_recomputed),
		T(fixed_by_name_and_by_alias),
		T(a_feature_of_other_kernels),
		T(lro_goes_through_the_upper),
		T(lro_that_a_master_cannot_have_is_not_asked_for),
		T(lro_that_an_upper_takes_away_is_not_asked_for),
		T(what_a_driver_ties_together_is_not_torn),
		T(what_a_driver_ties_together_is_its_cause),
		T(an_alias_off_is_not_compliant_while_a_member_is_on),
		T(an_alias_on_is_compliant_while_a_member_is_on),
		T(tso_on_leaves_mangleid_alone),
		T(lower_all_is_what_every_port_has),
		T(lower_all_is_blocked_while_a_port_lacks_it),
		T(lower_all_without_ports_is_not_touched),
		T(lower_is_content_with_what_the_owner_allows),
		T(lower_is_content_with_what_a_driver_allows),
		T(xdp_of_the_peer_is_the_cause),
		T(what_is_copied_from_below_is_not_blamed_on_the_driver),
		T(what_is_copied_from_below_follows_its_repair),
		T(lro_of_vmxnet3_needs_receive_checksums),
		T(what_was_never_requested_was_not_accepted),
		T(lro_is_refused_where_packets_are_forwarded),
		T(what_a_step_would_bring_about_is_in_the_same_step),
		T(nothing_is_done_under_audit),
		T(audit_and_enforcement_mixed_take_one_prediction),
		T(what_is_due_is_contended_and_not_repaired),
		T(paused_contended_and_refused_are_left_alone),
		T(past_its_end_a_rule_still_applies),
		T(only_the_links_asked_for),
		T(side_effects_are_in_the_plan),
		T(a_link_that_cannot_be_read_is_in_the_plan),
		T(a_link_that_cannot_be_read_and_no_rule_names_is_none_of_the_plan),
		T(a_link_that_went_away_is_none_of_the_plan),
		T(a_loop_in_a_stale_picture_ends),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
