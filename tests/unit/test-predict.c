/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>

#include "plan/predict.h"

#include "unit.h"

struct fixture {
	struct feature_table features;
	struct link_table table;
	struct rule_host host;
	struct predict *p;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	unit_features(&f->features);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	link_table_clear(&f->table);
	predict_free(f->p);
	free(f);
	return 0;
}

/* A link with everything of `hw` wanted and the words of `active` on. */
static struct link *add(struct fixture *f, int ifindex, const char *kind, int lower, int master,
	const char *hw, const char *active)
{
	struct link link = { .ifindex = ifindex,
		.lower_ifindex = lower,
		.master_ifindex = master,
		.lower_netnsid = -1,
		.has_features = true };
	struct link *own;

	snprintf(link.name, sizeof(link.name), "l%d", ifindex);
	snprintf(link.kind, sizeof(link.kind), "%s", kind);
	assert_int_equal(link_table_update(&f->table, &link, &own), 1);
	own->features.hw = own->features.wanted = unit_set(&f->features, hw);
	own->features.active = unit_set(&f->features, active);
	own->features.nochange = unit_set(&f->features, "tx-lockless vlan-challenged netns-local");
	return own;
}

static void start(struct fixture *f, const char *release)
{
	predict_free(f->p);
	link_table_stack(&f->table);
	snprintf(f->host.kernel_release, sizeof(f->host.kernel_release), "%s", release);
	assert_int_equal(predict_new(&f->features, &f->table, &f->host, &f->p), 0);
}

static void switch_words(struct fixture *f, int ifindex, const char *words, bool on)
{
	feature_set set = unit_set(&f->features, words);

	assert_int_equal(predict_set(f->p, ifindex, set, on ? set : 0), 0);
}

#define assert_active(f, ifindex, words)                                                           \
	assert_string_equal(active_words(f, ifindex),                                              \
		feature_format(                                                                    \
			&(f)->features, unit_set(&(f)->features, words), (char[2048]){ 0 }, 2048))

static const char *active_words(struct fixture *f, int ifindex)
{
	static char buf[2048];

	return feature_format(
		&f->features, predict_features(f->p, ifindex)->active, buf, sizeof(buf));
}

static bool has(struct fixture *f, int ifindex, const char *words)
{
	feature_set set = unit_set(&f->features, words);

	return (predict_features(f->p, ifindex)->active & set) == set;
}

#define NIC "sg tx-checksum-ip-generic tx-tcp-segmentation tx-tcp6-segmentation gso gro rx"
#define BOND "sg tx-checksum-ip-generic tx-tcp-segmentation tx-tcp6-segmentation gso gro"

static void the_incident(struct fixture *f)
{
	add(f, 2, "veth", 0, 4, NIC, NIC);
	add(f, 3, "veth", 0, 4, NIC, NIC);
	add(f, 4, "bond", 0, 0, BOND, BOND);
	add(f, 5, "vlan", 4, 0, BOND, BOND " tx-lockless");
}

static void tso_needs_sg_and_checksum(void **state)
{
	struct fixture *f = *state;
	feature_set all, any, not ;

	add(f, 1, "dummy", 0, 0, NIC, NIC);
	start(f, "6.1.0-50-amd64");
	switch_words(f, 1, "sg", false);
	assert_active(f, 1, "tx-checksum-ip-generic rx gro");
	switch_words(f, 1, "sg", true);
	assert_active(f, 1, NIC);
	switch_words(f, 1, "tx", false);
	assert_active(f, 1, "sg gso gro rx");
	assert_int_equal(predict_uncertain(f->p, 1), 0);

	predict_needs(f->p, NULL, (unsigned)feature_bit(&f->features, "tx-tcp-segmentation"), &all, &any,
		&not );
	assert_int_equal(all, unit_set(&f->features, "tx-scatter-gather"));
	assert_int_equal(any, unit_set(&f->features, "tx-checksum-ipv4 tx-checksum-ip-generic"));
	assert_int_equal(not, 0);
	predict_needs(f->p, NULL, (unsigned)feature_bit(&f->features, "rx-lro"), &all, &any, &not );
	assert_int_equal(not, unit_set(&f->features, "rx-fcs rx-gro-hw"));
}

static void a_change_below_reaches_the_top_and_back(void **state)
{
	struct fixture *f = *state;

	the_incident(f);
	start(f, "6.1.0");
	switch_words(f, 2, "sg", false);
	assert_true(has(f, 4, "tx-scatter-gather")); /* the other slave has it */
	switch_words(f, 3, "sg", false);
	assert_false(has(f, 4, "tx-scatter-gather"));
	assert_false(has(f, 5, "tx-scatter-gather"));
	assert_false(has(f, 5, "tx-tcp-segmentation"));
	assert_true(
		predict_features(f->p, 5)->wanted & unit_set(&f->features, "tx-scatter-gather"));
	switch_words(f, 3, "sg", true);
	assert_active(f, 4, BOND);
	assert_active(f, 5, BOND " tx-lockless");
	for (int i = 2; i <= 5; i++)
		assert_int_equal(predict_uncertain(f->p, i), 0);
}

static void a_vlan_of_which_the_wish_was_cleared_stays_off(void **state)
{
	struct fixture *f = *state;

	the_incident(f);
	start(f, "6.1.0");
	switch_words(f, 5, "sg", false);
	switch_words(f, 4, "sg", false);
	switch_words(f, 4, "sg", true);
	assert_false(has(f, 5, "tx-scatter-gather"));
	switch_words(f, 5, "sg", true);
	assert_active(f, 5, BOND " tx-lockless");
}

static void a_new_kernel_wants_a_checksum_for_udp_segmentation(void **state)
{
	struct fixture *f = *state;

	add(f, 1, "dummy", 0, 0, "sg tx-checksum-ip-generic tx-udp-segmentation",
		"sg tx-checksum-ip-generic tx-udp-segmentation");
	start(f, "6.1.0");
	switch_words(f, 1, "tx", false);
	assert_true(has(f, 1, "tx-udp-segmentation"));
	start(f, "6.12.5");
	switch_words(f, 1, "tx", false);
	assert_false(has(f, 1, "tx-udp-segmentation"));
	assert_int_equal(predict_uncertain(f->p, 1), 0);
	start(f, "6.6.30"); /* a stable kernel that may have it */
	switch_words(f, 1, "tx", false);
	assert_int_equal(predict_uncertain(f->p, 1), unit_set(&f->features, "tx-udp-segmentation"));
}

static void lro_goes_off_below_when_an_upper_has_it_off(void **state)
{
	struct fixture *f = *state;

	add(f, 2, "physical", 0, 4, "sg tx-checksum-ip-generic rx lro",
		"sg tx-checksum-ip-generic rx lro");
	add(f, 4, "bond", 0, 0, "sg tx-checksum-ip-generic lro", "sg tx-checksum-ip-generic lro");
	start(f, "6.1.0");
	switch_words(f, 4, "lro", false);
	assert_active(f, 2, "sg tx-checksum-ip-generic rx");
	assert_false(predict_features(f->p, 2)->wanted & unit_set(&f->features, "rx-lro"));
	switch_words(f, 2, "lro", true); /* the upper holds it */
	assert_active(f, 2, "sg tx-checksum-ip-generic rx");
	switch_words(f, 4, "lro", true);
	assert_active(f, 2, "sg tx-checksum-ip-generic rx");
	switch_words(f, 2, "gro", true);
	assert_active(f, 2, "sg tx-checksum-ip-generic rx lro");
}

static void another_vlan_tells_of_vlan_features(void **state)
{
	struct fixture *f = *state;
	feature_set known, sg = unit_set(&f->features, "tx-scatter-gather"),
			   csum = unit_set(&f->features, "tx-checksum-ip-generic");
	struct link *vlan;

	add(f, 1, "physical", 0, 0, NIC, NIC);
	vlan = add(f, 2, "vlan", 1, 0, "sg tx-checksum-ip-generic gso gro", "gso gro tx-lockless");
	vlan->features.wanted = unit_set(&f->features, "gso gro");
	vlan->features.active = unit_set(&f->features, "gro tx-lockless");
	start(f, "6.1.0");
	predict_vlan_features(f->p, 1, &known);
	assert_false(known & (sg | csum));
	switch_words(f, 2, "sg tx", true);
	assert_int_equal(predict_uncertain(f->p, 2),
		unit_set(&f->features, "sg tx-checksum-ip-generic gso"));
	assert_true(has(f, 2, "tx-scatter-gather")); /* the guess: as below */

	/* A second VLAN has asked for both and got one. */
	add(f, 3, "vlan", 1, 0, "sg tx-checksum-ip-generic gro",
		"tx-checksum-ip-generic gro tx-lockless");
	start(f, "6.1.0");
	assert_int_equal(predict_vlan_features(f->p, 1, &known) & (sg | csum), csum);
	assert_int_equal(known & (sg | csum), sg | csum);
	switch_words(f, 2, "sg tx", true);
	assert_int_equal(predict_uncertain(f->p, 2), 0);
	assert_active(f, 2, "tx-checksum-ip-generic gro tx-lockless");
}

static void software_kinds_offer_what_their_source_says(void **state)
{
	struct fixture *f = *state;
	feature_set known, sg = unit_set(&f->features, "tx-scatter-gather");

	add(f, 1, "dummy", 0, 0, NIC, NIC);
	add(f, 2, "veth", 0, 0, NIC, NIC);
	add(f, 3, "bridge", 0, 0, BOND, BOND);
	start(f, "6.1.0");
	assert_false(predict_vlan_features(f->p, 1, &known) & sg);
	assert_true(known & sg);
	assert_true(predict_vlan_features(f->p, 2, &known) & sg);
	assert_true(known & sg);
	assert_true(predict_vlan_features(f->p, 3, &known) & sg);
	assert_true(known & sg);
	predict_vlan_features(f->p, 99, &known);
	assert_int_equal(known, 0);
}

static void what_cannot_be_explained_is_kept_and_marked(void **state)
{
	struct fixture *f = *state;

	/* A driver that accepts the wish for ntuple and does not switch it on. */
	add(f, 1, "physical", 0, 0, NIC " ntuple", NIC);
	start(f, "6.1.0");
	assert_int_equal(predict_uncertain(f->p, 1), 0); /* nothing was done yet */
	switch_words(f, 1, "gso", false);
	assert_false(has(f, 1, "rx-ntuple-filter"));
	assert_int_equal(predict_uncertain(f->p, 1), unit_set(&f->features, "ntuple"));
	assert_false(has(f, 1, "tx-generic-segmentation"));
}

static void a_bond_without_slaves_has_nothing_to_give(void **state)
{
	struct fixture *f = *state;

	add(f, 4, "bond", 0, 0, BOND, "tx-checksum-ip-generic gro tx-nocache-copy tx-fcoe-segmentation");
	add(f, 5, "vlan", 4, 0, BOND, "gro tx-lockless");
	start(f, "6.1.0");
	switch_words(f, 4, "gro", false);
	assert_active(f, 4, "tx-checksum-ip-generic tx-nocache-copy tx-fcoe-segmentation");
	switch_words(f, 4, "sg", false);
	switch_words(f, 4, "sg", true);
	assert_active(f, 4, "tx-checksum-ip-generic tx-nocache-copy tx-fcoe-segmentation");
}

static void a_macvlan_keeps_its_own_and_follows_in_the_rest(void **state)
{
	struct fixture *f = *state;

	add(f, 1, "veth", 0, 0, NIC, NIC);
	add(f, 2, "macvlan", 1, 0, "gso gro lro",
		"sg tx-checksum-ip-generic tso tx-sctp-segmentation tx-udp-segmentation tx-gso-list "
		"tx-gso-robust tx-gre-segmentation tx-gre-csum-segmentation tx-ipxip4-segmentation "
		"tx-ipxip6-segmentation tx-udp_tnl-segmentation tx-udp_tnl-csum-segmentation gso gro "
		"rx tx-lockless");
	start(f, "6.1.0");
	switch_words(f, 1, "sg rx gro", false);
	assert_true(has(f, 2, "tx-scatter-gather"));
	assert_false(has(f, 2, "gso"));
	assert_false(has(f, 2, "rx-checksum"));
	assert_false(has(f, 2, "rx-gro"));
	assert_int_equal(predict_uncertain(f->p, 2), 0);
}

static void a_set_that_the_kernel_refuses_changes_nothing(void **state)
{
	struct fixture *f = *state;

	add(f, 1, "dummy", 0, 0, NIC, NIC);
	start(f, "6.1.0");
	assert_int_equal(predict_set(f->p, 7, 1, 1), -ENODEV);
	assert_null(predict_features(f->p, 7));
	assert_int_equal(
		predict_set(f->p, 1, unit_set(&f->features, "sg tx-lockless"), 0), -EINVAL);
	assert_active(f, 1, NIC);
	switch_words(f, 1, "rx-all", true); /* not in hw: accepted, nothing comes of it */
	assert_active(f, 1, NIC);
}

static void a_loop_in_a_stale_picture_ends(void **state)
{
	struct fixture *f = *state;

	add(f, 1, "bond", 0, 2, BOND, BOND);
	add(f, 2, "bond", 0, 1, BOND, BOND);
	add(f, 3, "vlan", 4, 0, BOND, BOND);
	add(f, 4, "vlan", 3, 0, BOND, BOND);
	add(f, 5, "bridge", 6, 5, BOND " lro", BOND " lro");
	add(f, 6, "macvlan", 5, 5, BOND " lro", BOND " lro");
	start(f, "6.1.0");
	for (int i = 1; i <= 6; i++) {
		switch_words(f, i, "sg lro", false);
		switch_words(f, i, "sg lro", true);
		predict_uncertain(f->p, i);
	}
	start(f, "not a release");
	switch_words(f, 1, "sg", false);
}

static void a_tap_takes_what_its_owner_set(void **state)
{
	struct fixture *f = *state;
	feature_set user = unit_set(&f->features, "tx-checksum-ip-generic");
	struct link *tap =
		add(f, 1, "tun", 0, 0, "sg gso gro tx-checksum-ip-generic", "sg gso gro");

	start(f, "6.1.0");
	switch_words(f, 1, "tx", false);
	switch_words(f, 1, "tx", true);
	assert_active(f, 1, "sg gso gro");
	assert_int_equal(predict_uncertain(f->p, 1), 0);
	tap->features.wanted &= ~user;
	start(f, "6.1.0");
	switch_words(f, 1, "tx", true);
	assert_int_equal(predict_uncertain(f->p, 1), user);
}

static void what_the_host_refused_holds_up_the_rest(void **state)
{
	struct fixture *f = *state;
	struct link *nic = add(f, 1, "physical", 0, 0, NIC " rx-gro-hw", NIC " rx-gro-hw");

	strcpy(nic->driver, "virtio_net");
	start(f, "6.1.0");
	switch_words(f, 1, "gro", false);
	assert_active(f, 1,
		"sg tx-checksum-ip-generic tx-tcp-segmentation tx-tcp6-segmentation gso rx rx-gro-hw");
	assert_int_equal(predict_uncertain(f->p, 1), 0);
	switch_words(f, 1, "rx-gro-hw", false); /* the host may refuse */
	assert_int_equal(predict_uncertain(f->p, 1), unit_set(&f->features, "rx-gro-hw"));

	/* It did: the wish stands, the feature does not. */
	nic->features.active &= ~unit_set(&f->features, "rx-gro-hw");
	start(f, "6.1.0");
	switch_words(f, 1, "gro", false);
	assert_true(has(f, 1, "gro"));
	assert_int_equal(predict_uncertain(f->p, 1), 0);
	switch_words(f, 1, "rx-gro-hw", false); /* the wish is withdrawn */
	assert_false(has(f, 1, "gro"));
}

/* xfrm_api_check(): ESP checksum offload without ESP offload keeps every other notifier from hearing
 * of the device, so that what stands on it may be behind, until it is updated itself. */
static void what_is_behind_a_mute_device_catches_up(void **state)
{
	struct fixture *f = *state;
	feature_set sg = unit_set(&f->features, "sg");
	struct link *bond;

	add(f, 2, "veth", 0, 4, NIC, NIC);
	bond = add(f, 4, "bond", 0, 0, BOND, BOND);
	add(f, 5, "vlan", 4, 0, BOND, "gro tx-lockless");
	add(f, 6, "vlan", 5, 0, BOND, "gro tx-lockless");
	bond->features.active |= unit_set(&f->features, "esp-tx-csum-hw-offload");
	bond->features.hw |= unit_set(&f->features, "esp-tx-csum-hw-offload");
	bond->features.wanted |= unit_set(&f->features, "esp-tx-csum-hw-offload");
	start(f, "6.1.0");
	switch_words(f, 5, "tx-tcp6-segmentation", false);
	assert_true(has(f, 5, "sg")); /* as a veth offers it */
	assert_false(predict_uncertain(f->p, 5) & sg);
	assert_true(has(f, 6, "sg"));
}

/* A vxlan without dev=, and a VLAN whose device is in another namespace: only a wanted bit that is off is blocked. */
static void what_is_below_cannot_be_seen(void **state)
{
	struct fixture *f = *state;
	feature_set sg = unit_set(&f->features, "tx-scatter-gather"), csum = unit_set(&f->features, "tx-checksum-ip-generic");
	struct link *vxlan = add(f, 1, "vxlan", 0, 0, NIC, "gro"), *vlan = add(f, 2, "vlan", 0, 0, NIC, "gro tx-lockless");

	vxlan->features.wanted = unit_set(&f->features, "gro");
	vlan->lower_netnsid = 0;
	vlan->features.wanted &= ~sg;
	start(f, "6.1.0");
	switch_words(f, 1, "sg tx", true);
	assert_true(has(f, 1, "sg tx-checksum-ip-generic"));
	assert_int_equal(predict_uncertain(f->p, 1), 0);
	switch_words(f, 2, "sg", true);
	assert_true(has(f, 2, "tx-scatter-gather"));
	assert_false(has(f, 2, "tx-checksum-ip-generic"));
	assert_true((predict_uncertain(f->p, 2) & (sg | csum)) == (sg | csum));
}

/* A VLAN on one that was moved away, which is on a link of ours: what depends on what may go there goes too, although the link of ours
 * did not have it (seen on 6.1). */
static void what_depends_on_what_cannot_be_seen(void **state)
{
	struct fixture *f = *state;
	feature_set tso6 = unit_set(&f->features, "tx-tcp6-segmentation");

	add(f, 1, "veth", 0, 0, NIC, NIC)->features.wanted &= ~tso6;
	link_table_find(&f->table, 1)->features.active &= ~tso6;
	add(f, 2, "vlan", 0, 0, BOND, BOND " tx-lockless")->lower_netnsid = 0;
	start(f, "6.1.0");
	switch_words(f, 1, "rx", false);
	assert_false(predict_uncertain(f->p, 2) & tso6);
	switch_words(f, 1, "sg", false);
	assert_true(predict_uncertain(f->p, 2) & tso6);
}

/* GSO of a macvlan is that of the device below, requested or not */
static void a_macvlan_keeps_what_a_distant_device_has(void **state)
{
	struct fixture *f = *state;

	add(f, 1, "macvlan", 0, 0, "gso gro", "sg tx-checksum-ip-generic gso gro")->lower_netnsid = 0;
	start(f, "6.1.0");
	switch_words(f, 1, "gso", false);
	assert_true(has(f, 1, "gso"));
	assert_int_equal(predict_uncertain(f->p, 1), unit_set(&f->features, "gso"));
}

#define TUNNELS "tx-gre-segmentation tx-udp_tnl-segmentation tx-udp_tnl-csum-segmentation"

static void tunnel_segmentation_without_gso_partial(void **state)
{
	struct fixture *f = *state;
	struct link *link = add(f, 1, "physical", 0, 0, NIC " " TUNNELS, NIC " " TUNNELS);

	strcpy(link->driver, "ionic");
	start(f, "6.1.0");
	switch_words(f, 1, "gso", false);
	assert_true(has(f, 1, TUNNELS));
	assert_int_equal(predict_uncertain(f->p, 1), 0);

	/* with it, and on: which bits depend on it is not known */
	link->features.hw |= unit_set(&f->features, "tx-gso-partial");
	link->features.wanted |= unit_set(&f->features, "tx-gso-partial");
	link->features.active |= unit_set(&f->features, "tx-gso-partial");
	start(f, "6.1.0");
	switch_words(f, 1, "tx-gso-partial", false);
	assert_int_equal(predict_uncertain(f->p, 1), unit_set(&f->features, TUNNELS));
}

/* gretap changelink nooseq turns TSO on, requested or not; HSR does not hear of its ports; a VLAN on either is behind too */
static void what_is_out_of_date_ends_with_the_next_update(void **state)
{
	struct fixture *f = *state;
	struct link *gretap = add(f, 1, "gretap", 0, 0, NIC, NIC), *hsr;

	gretap->features.wanted &= ~unit_set(&f->features, "tso");
	start(f, "6.1.0");
	assert_true(has(f, 1, "tx-tcp-segmentation"));
	assert_int_equal(predict_recompute(f->p, 1), 0);
	assert_false(has(f, 1, "tx-tcp-segmentation"));
	assert_int_equal(predict_uncertain(f->p, 1), 0);
	predict_undo(f->p);
	assert_true(has(f, 1, "tx-tcp-segmentation"));
	assert_int_equal(predict_recompute(f->p, 99), -ENODEV);

	add(f, 2, "veth", 0, 0, NIC, "tx-checksum-ip-generic gro rx");
	add(f, 3, "veth", 0, 0, NIC, "tx-checksum-ip-generic gro rx");
	hsr = add(f, 4, "hsr", 0, 0, "sg tx-checksum-ip-generic gso", "tx-checksum-ip-generic");
	hsr->hsr_ports[0] = 2;
	hsr->hsr_ports[1] = 3;
	f->table.stacked = false;
	for (int i = 2; i <= 3; i++)
		link_table_find(&f->table, i)->features.wanted &= ~unit_set(&f->features, "sg");
	start(f, "6.1.0");
	switch_words(f, 2, "sg", true);
	assert_false(has(f, 4, "tx-scatter-gather"));
	assert_int_equal(predict_recompute(f->p, 4), 0);
	assert_true(has(f, 4, "sg gso"));
	switch_words(f, 2, "sg", false); /* what HSR has on stays on */
	assert_int_equal(predict_recompute(f->p, 4), 0);
	assert_true(has(f, 4, "sg gso"));
	assert_int_equal(predict_uncertain(f->p, 4), 0);
}

static void masters_that_are_cards(void **state)
{
	struct fixture *f = *state;
	struct link *master = add(f, 1, "physical", 0, 0, NIC " " TUNNELS, NIC " " TUNNELS), *vf;

	vf = add(f, 2, "physical", 0, 1, NIC " rxhash", NIC " rxhash");
	strcpy(master->driver, "net_failover");
	start(f, "6.1.0");
	switch_words(f, 1, "tso", false);
	assert_true(has(f, 1, TUNNELS));
	assert_true(has(f, 2, "tx-tcp-segmentation"));
	assert_int_equal(predict_uncertain(f->p, 1) | predict_uncertain(f->p, 2), 0);

	/* netvsc_set_features() makes its features the wanted ones of the VF */
	strcpy(master->driver, "hv_netvsc");
	vf->features.wanted &= ~unit_set(&f->features, "gro");
	vf->features.active &= ~unit_set(&f->features, "gro");
	start(f, "6.1.0");
	switch_words(f, 1, "tso", false);
	assert_false(has(f, 2, "tx-tcp-segmentation"));
	assert_false(predict_features(f->p, 2)->wanted & unit_set(&f->features, "tso"));
	assert_true(has(f, 2, "gro"));
	assert_false(has(f, 2, "rxhash"));
	switch_words(f, 1, "tso", false); /* nothing changes: the VF neither */
	assert_false(has(f, 2, "tx-tcp-segmentation"));
}

static void macsec_is_offloaded_or_not(void **state)
{
	struct fixture *f = *state;
	struct link *macsec;

	add(f, 1, "veth", 0, 0, NIC, NIC);
	macsec = add(f, 2, "macsec", 1, 0, NIC, "sg gso gro tx-lockless");
	macsec->macsec_offload = 0;
	macsec->features.wanted = unit_set(&f->features, "sg gso gro");
	start(f, "7.2.0");
	switch_words(f, 2, "tx", true);
	assert_false(has(f, 2, "tx-checksum-ip-generic"));
	macsec->macsec_offload = 2;
	start(f, "7.2.0");
	switch_words(f, 2, "tx", true);
	assert_true(has(f, 2, "tx-checksum-ip-generic"));
	assert_int_equal(predict_uncertain(f->p, 2), 0);
	start(f, "6.12.0"); /* it follows the device below from 6.13 on */
	switch_words(f, 1, "sg", false);
	assert_true(has(f, 2, "sg"));
}

static void xdp_on_a_veth_may_keep_gro_on(void **state)
{
	struct fixture *f = *state;
	feature_set gro = unit_set(&f->features, "rx-gro");
	struct link *veth = add(f, 1, "veth", 0, 0, NIC, NIC);

	veth->xdp = true;
	start(f, "6.1.0");
	switch_words(f, 1, "gro", false);
	assert_int_equal(predict_uncertain(f->p, 1), gro);
	start(f, "6.12.0");
	switch_words(f, 1, "gro", false);
	assert_false(has(f, 1, "rx-gro"));
	assert_int_equal(predict_uncertain(f->p, 1), 0);
	veth->features.wanted &= ~gro;
	start(f, "6.1.0"); /* it does here */
	switch_words(f, 1, "sg", false);
	assert_true(has(f, 1, "rx-gro"));
	assert_int_equal(predict_uncertain(f->p, 1), 0);
}

static void old_kernels(void **state)
{
	struct fixture *f = *state;
	char *ufo = f->features.name[63];

	strcpy(ufo, "tx-udp-fragmentation");
	add(f, 1, "veth", 0, 0, NIC " tx-udp-fragmentation", NIC " tx-udp-fragmentation");
	add(f, 2, "ipvlan", 1, 0, "gso gro", "sg tx-checksum-ip-generic gso gro");
	start(f, "4.9.154");
	switch_words(f, 1, "tx", false);
	assert_false(has(f, 1, "tx-udp-fragmentation"));
	switch_words(f, 1, "tx", true);
	assert_true(has(f, 1, "tx-udp-fragmentation"));
	assert_int_equal(predict_uncertain(f->p, 1), 0);
	assert_true(predict_uncertain(f->p, 2) & unit_set(&f->features, "sg")); /* its rules are those of 5.10 */
	switch_words(f, 1, "sg", false);
	assert_false(has(f, 1, "tx-udp-fragmentation"));
	start(f, "4.14.67");
	switch_words(f, 1, "tx", false);
	assert_true(has(f, 1, "tx-udp-fragmentation"));
	f->features.name[63][0] = '\0';
}

/* Its number says 5.14, and it may have the rules of 6.11: what they decide is uncertain. */
static void a_kernel_with_back_ports(void **state)
{
	struct fixture *f = *state;

	add(f, 1, "dummy", 0, 0, "sg tx-checksum-ip-generic tx-udp-segmentation tso gso",
		"sg tx-checksum-ip-generic tx-udp-segmentation tso gso");
	f->host.backports = true;
	start(f, "5.14.0-427.13.1.el9_4.x86_64");
	switch_words(f, 1, "tx", false);
	assert_false(has(f, 1, "tx-tcp-segmentation"));
	assert_int_equal(predict_uncertain(f->p, 1), unit_set(&f->features, "tx-udp-segmentation"));
	for (int yes = 0; yes <= 1; yes++) { /* it was tried out */
		f->host.udp_needs_checksum = yes ? TRIAL_YES : TRIAL_NO;
		start(f, "5.14.0-427.13.1.el9_4.x86_64");
		switch_words(f, 1, "tx", false);
		assert_int_equal(has(f, 1, "tx-udp-segmentation"), !yes);
		assert_int_equal(predict_uncertain(f->p, 1), 0);
	}
	f->host = (struct rule_host){ 0 };
	start(f, "5.14.0-2-amd64");
	switch_words(f, 1, "tx", false);
	assert_int_equal(predict_uncertain(f->p, 1), 0);
}

/* What a driver that was never compared turns on is uncertain, and what stands on it; what the kernel itself turns off is not. */
static void a_driver_that_was_never_compared(void **state)
{
	struct fixture *f = *state;
	const feature_set seg = unit_set(&f->features, "tx-tcp-segmentation tx-tcp6-segmentation");
	struct link *nic = add(f, 2, "physical", 0, 4, NIC " rxvlan txvlan lro", NIC " rxvlan txvlan");
	struct link *other = add(f, 3, "physical", 0, 4, NIC, NIC);

	add(f, 4, "bond", 0, 0, BOND, BOND);
	strcpy(nic->driver, "mlx5_core");
	strcpy(other->driver, "virtio_net");
	start(f, "6.1.0");
	assert_true(predict_is_unmeasured(f->p, 2));
	assert_false(predict_is_unmeasured(f->p, 3));
	assert_false(predict_is_unmeasured(f->p, 4));
	switch_words(f, 2, "sg", false);
	assert_int_equal(predict_uncertain(f->p, 2) & ~unit_set(&f->features, "lro"), 0);
	switch_words(f, 2, "rxvlan", false); /* others have one switch for both */
	assert_true(predict_uncertain(f->p, 2) & unit_set(&f->features, "tx-vlan-hw-insert"));
	assert_false(predict_uncertain(f->p, 2) & seg);
	nic->features.active &= ~(seg | unit_set(&f->features, "sg gso"));
	nic->features.wanted &= ~unit_set(&f->features, "sg");
	start(f, "6.1.0");
	switch_words(f, 2, "sg", true);
	assert_true(has(f, 2, "sg gso tx-tcp-segmentation tx-tcp6-segmentation"));
	assert_int_equal(predict_uncertain(f->p, 2), seg | unit_set(&f->features, "sg gso"));
	assert_int_equal(predict_uncertain(f->p, 4), 0); /* the other port has it */
	other->features = nic->features;
	start(f, "6.1.0");
	link_table_find(&f->table, 4)->features.active &= ~unit_set(&f->features, "sg gso tso");
	start(f, "6.1.0");
	switch_words(f, 2, "sg", true);
	assert_true(predict_uncertain(f->p, 4) & unit_set(&f->features, "sg"));
	strcpy(nic->driver, "e1000e");
	start(f, "6.1.0");
	switch_words(f, 2, "sg", true);
	assert_int_equal(predict_uncertain(f->p, 2) & unit_set(&f->features, "sg"), 0);
}

/* bnxt has HW-GRO only with GRO, cxgb4 has GRO only with the RX checksum, and amd-xgbe has tunnels as the TX checksum is. */
static void drivers_couple_more_than_the_kernel(void **state)
{
	struct fixture *f = *state;
	const feature_set tunnels = unit_set(&f->features, "tx-udp_tnl-segmentation tx-udp_tnl-csum-segmentation");
	const char *all = NIC " rx-gro-hw tx-udp_tnl-segmentation tx-udp_tnl-csum-segmentation";

	strcpy(add(f, 2, "physical", 0, 0, all, all)->driver, "bnxt_en");
	start(f, "6.1.0");
	switch_words(f, 2, "gro", false);
	assert_true(predict_uncertain(f->p, 2) & unit_set(&f->features, "rx-gro-hw"));
	assert_false(predict_uncertain(f->p, 2) & tunnels);
	start(f, "6.1.0");
	switch_words(f, 2, "rx", false);
	assert_true(predict_uncertain(f->p, 2) & unit_set(&f->features, "gro"));
	start(f, "6.1.0");
	switch_words(f, 2, "tx-checksum-ip-generic", false);
	assert_int_equal(predict_uncertain(f->p, 2) & tunnels, tunnels);
	assert_false(predict_uncertain(f->p, 2) & unit_set(&f->features, "gro"));
}

static void what_was_read_in_the_source_of_drivers(void **state)
{
	struct fixture *f = *state;
	struct link *nic = add(f, 2, "physical", 0, 0, NIC " rxvlan txvlan lro", NIC " rxvlan txvlan lro");
	feature_set all, any, not ;

	start(f, "6.1.0");
	for (unsigned i = 0; i < 2; i++) {
		strcpy(nic->driver, i ? "cxgb3" : "igc");
		assert_int_equal(predict_facts(f->p, nic).coupled, unit_set(&f->features, "rx-vlan-hw-parse tx-vlan-hw-insert"));
	}
	strcpy(nic->driver, "atlantic");
	for (unsigned i = 0; i < 2; i++) {
		start(f, i ? "5.15.0" : "5.19.0");
		predict_needs(f->p, nic, (unsigned)feature_bit(&f->features, "rx-lro"), &all, &any, &not );
		assert_int_equal(all & unit_set(&f->features, "rx-checksum"), i ? 0 : unit_set(&f->features, "rx-checksum"));
	}
}

/* LRO may be forced off by a link in another network namespace. */
static void lro_below_what_is_not_seen(void **state)
{
	struct fixture *f = *state;
	struct link *bond = add(f, 1, "bond", 0, 0, BOND " lro", BOND " tx-nocache-copy tx-fcoe-segmentation");

	bond->features.hw |= unit_set(&f->features, "rx-vlan-filter");
	start(f, "6.1.0");
	switch_words(f, 1, "rx-vlan-filter", true);
	assert_false(has(f, 1, "rx-lro"));
	assert_true(predict_uncertain(f->p, 1) & unit_set(&f->features, "rx-lro"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tso_needs_sg_and_checksum),
		TEST(a_change_below_reaches_the_top_and_back),
		TEST(a_vlan_of_which_the_wish_was_cleared_stays_off),
		TEST(a_new_kernel_wants_a_checksum_for_udp_segmentation),
		TEST(lro_goes_off_below_when_an_upper_has_it_off),
		TEST(another_vlan_tells_of_vlan_features),
		TEST(software_kinds_offer_what_their_source_says),
		TEST(what_cannot_be_explained_is_kept_and_marked),
		TEST(a_bond_without_slaves_has_nothing_to_give),
		TEST(a_macvlan_keeps_its_own_and_follows_in_the_rest),
		TEST(a_set_that_the_kernel_refuses_changes_nothing),
		TEST(a_loop_in_a_stale_picture_ends),
		TEST(what_the_host_refused_holds_up_the_rest),
		TEST(a_tap_takes_what_its_owner_set),
		TEST(what_is_behind_a_mute_device_catches_up),
		TEST(what_is_below_cannot_be_seen),
		TEST(what_depends_on_what_cannot_be_seen),
		TEST(a_macvlan_keeps_what_a_distant_device_has),
		TEST(tunnel_segmentation_without_gso_partial),
		TEST(what_is_out_of_date_ends_with_the_next_update),
		TEST(masters_that_are_cards),
		TEST(macsec_is_offloaded_or_not),
		TEST(xdp_on_a_veth_may_keep_gro_on),
		TEST(old_kernels),
		TEST(a_kernel_with_back_ports),
		TEST(a_driver_that_was_never_compared),
		TEST(drivers_couple_more_than_the_kernel),
		TEST(what_was_read_in_the_source_of_drivers),
		TEST(lro_below_what_is_not_seen),
	};

	return cmocka_run_group_tests_name("predict", tests, NULL, NULL);
}
