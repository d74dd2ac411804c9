/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "plan/predict.h"

#include "unit.h"

struct fixture {
	struct feature_table features;
	struct link_table table;
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
	assert_int_equal(predict_new(&f->features, &f->table, release, &f->p), 0);
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
	switch_words(f, 1, "gro", false);
	assert_false(has(f, 1, "rx-ntuple-filter"));
	assert_int_equal(predict_uncertain(f->p, 1), unit_set(&f->features, "ntuple"));
	assert_false(has(f, 1, "rx-gro"));
}

static void a_bond_without_slaves_has_nothing_to_give(void **state)
{
	struct fixture *f = *state;

	add(f, 4, "bond", 0, 0, BOND, "tx-checksum-ip-generic gro");
	add(f, 5, "vlan", 4, 0, BOND, "gro tx-lockless");
	start(f, "6.1.0");
	switch_words(f, 4, "gro", false);
	assert_active(f, 4, "tx-checksum-ip-generic");
	switch_words(f, 4, "sg", false);
	switch_words(f, 4, "sg", true);
	assert_active(f, 4, "tx-checksum-ip-generic");
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
 * of the device, so that what stands on it may be behind. */
static void what_is_behind_a_mute_device_is_uncertain(void **state)
{
	struct fixture *f = *state;
	feature_set highdma = unit_set(&f->features, "highdma");
	struct link *bond, *vlan;

	add(f, 2, "veth", 0, 4, NIC " highdma", NIC " highdma");
	bond = add(f, 4, "bond", 0, 0, BOND " highdma", BOND " highdma");
	add(f, 5, "vlan", 4, 0, BOND " highdma", BOND " tx-lockless");
	vlan = add(f, 6, "vlan", 5, 0, BOND " highdma", BOND " tx-lockless");
	start(f, "6.1.0");
	switch_words(f, 5, "tx-udp-segmentation", true);
	assert_false(has(f, 5, "highdma")); /* bond0 does not offer it: its VLAN says so */
	assert_int_equal(predict_uncertain(f->p, 5), 0);

	bond->features.active |= unit_set(&f->features, "esp-tx-csum-hw-offload");
	start(f, "6.1.0");
	switch_words(f, 5, "tx-tcp6-segmentation", false);
	assert_true(predict_uncertain(f->p, 5) & highdma);
	assert_true(has(f, 5, "highdma")); /* as a veth offers it */
	switch_words(f, 6, "tx-tcp6-segmentation", false);
	assert_true(predict_uncertain(f->p, 6) & highdma);
	vlan->features.wanted &= ~highdma;
	start(f, "6.1.0");
	switch_words(f, 6, "tx-tcp6-segmentation", false);
	assert_false(predict_uncertain(f->p, 6) & highdma);
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
		TEST(what_is_behind_a_mute_device_is_uncertain),
	};

	return cmocka_run_group_tests_name("predict", tests, NULL, NULL);
}
