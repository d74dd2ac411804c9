/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Before and after a repair: what two samples show, what is uncertain, and what is reported and undone. */
#include "evidence/effect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/util.h"
#include "unit-model.h"

#define WEB 11 /* cgroups */
#define DB 12
#define ETH 2 /* links: a VLAN on a bond, and a link of its own */
#define VLAN 3
#define OTHER 4
#define MB UINT64_C(1000000)
#define SEC USEC_PER_SEC
#define SG FEATURE(0)
#define TSO FEATURE(16)

/* What the kernel would count, and the clock. */
static struct {
	uint64_t now_usec, sent[2], link[3], cpu[2], softirq;
	uint64_t moved; /* what a restart adds to the ids of cgroups */
	int links_of[2];
} world;

static struct link_table links;
static struct effect *effect;
static struct {
	struct finding list[32];
	size_t n;
} found;
static unsigned undone;

static void note(const struct finding *f, _unused_ void *userdata)
{
	assert_true(found.n < ARRAY_SIZE(found.list));
	found.list[found.n++] = *f;
}

static bool undo(int ifindex, feature_set on, feature_set off, _unused_ void *userdata)
{
	struct link *link = link_table_find(&links, ifindex);

	link->features.active = (link->features.active & ~on) | off;
	undone++;
	return true;
}

static void add_link(int ifindex, const char *name, int lower)
{
	struct link link = { .ifindex = ifindex, .lower_ifindex = lower, .lower_netnsid = -1 }, *added;

	snprintf(link.name, sizeof(link.name), "%s", name);
	assert_true(link_table_update(&links, &link, &added) >= 0);
	added->has_features = true;
	added->features.active = SG | TSO;
}

static int set_up(_unused_ void **state)
{
	const struct effect_options options = { .links = &links, .fn = note, .undo = undo };

	memset(&world, 0, sizeof(world));
	memset(&found, 0, sizeof(found));
	world.now_usec = 1000 * SEC;
	world.links_of[0] = VLAN;
	world.links_of[1] = OTHER;
	undone = 0;
	add_link(ETH, "eth0", 0);
	add_link(VLAN, "vlan10", ETH);
	add_link(OTHER, "eth1", 0);
	return effect_new(&options, &effect);
}

static int tear_down(_unused_ void **state)
{
	effect_free(effect);
	link_table_clear(&links);
	return 0;
}

static void sample(struct cost_sample *ret)
{
	static const char *const paths[] = { "/system.slice/web.service", "/system.slice/db.service" };
	static const int indexes[] = { ETH, VLAN, OTHER };

	bool gone = !link_table_find(&links, VLAN);

	*ret = (struct cost_sample){ .begin_usec = world.now_usec, .end_usec = world.now_usec + 1000, .softirq_usec = world.softirq, .n_sockets = 2, .n_links = 3, .n_groups = 2 };
	ret->sockets = calloc(2, sizeof(*ret->sockets));
	ret->links = calloc(3, sizeof(*ret->links));
	ret->groups = calloc(2, sizeof(*ret->groups));
	assert_true(ret->sockets && ret->links && ret->groups);
	for (unsigned i = 0; i < 2; i++) {
		ret->sockets[i] = (struct cost_socket){ .cookie = i + 1, .cgroup = WEB + i + world.moved, .bytes = world.sent[i], .ifindex = world.links_of[i] };
		ret->groups[i] = (struct cost_group){ .cgroup = WEB + i + world.moved, .cpu_usec = world.cpu[i], .path = strdup(paths[i]) };
	}
	ret->n_links -= gone;
	for (unsigned i = 0, k = 0; i < 3; i++)
		if (indexes[i] != VLAN || !gone)
			ret->links[k++] = (struct cost_link){ .ifindex = indexes[i], .has_bytes = true, .bytes = world.link[i],
				.active = link_table_find(&links, indexes[i])->features.active };
}

static void take(void)
{
	struct cost_sample s;

	sample(&s);
	effect_take(effect, &s);
	cost_sample_clear(&s);
}

/* Time in which a service sends, for so many microseconds of CPU per MB; headers are 4% on its link. */
static void pass(uint64_t usec, unsigned service, uint64_t bytes, uint64_t cpu_per_mb)
{
	world.now_usec += usec;
	world.sent[service] += bytes;
	world.cpu[service] += bytes / MB * cpu_per_mb;
	world.link[service ? 2 : 1] += bytes + bytes / 25;
	world.link[0] += service ? 0 : bytes + bytes / 25;
}

static void change(int ifindex, feature_set active, enum finding_code code, feature_set on, feature_set off)
{
	struct link *link = link_table_find(&links, ifindex);
	struct finding f;

	link->features.active = active;
	if (code != FINDING_NONE) {
		finding_init(&f, code, link);
		f.on = on;
		f.off = off;
		effect_note_event(effect, &f);
	}
	effect_note_change(effect, world.now_usec);
}

/* The sample at once, and the one a second later. */
static void settle(void)
{
	take();
	world.now_usec += SEC;
	take();
}

static void drift(int ifindex, feature_set active)
{
	change(ifindex, active, FINDING_NONE, 0, 0);
	settle();
}

static void repair(int ifindex)
{
	change(ifindex, SG | TSO, FINDING_REPAIRED, SG, 0);
	settle();
}

static void only_unknown(enum finding_unknown why)
{
	assert_int_equal(found.n, 1);
	assert_int_equal(found.list[0].code, FINDING_EFFECT_UNKNOWN);
	assert_int_equal(found.list[0].cost.unknown, why);
	assert_string_equal(found.list[0].service, "web.service");
	assert_true(found.list[0].cost.cpu_before_usec && !found.list[0].cost.cpu_after_usec);
	assert_true(effect_deadline(effect) == 0 || effect_deadline(effect) >= world.now_usec + 100 * SEC);
}

/* Two windows after the repair. */
static void after(uint64_t bytes, uint64_t cpu_per_mb)
{
	for (unsigned i = 0; i < 2; i++) {
		pass(10 * SEC, 0, bytes, cpu_per_mb);
		take();
	}
}

static void incident(uint64_t cpu_per_mb)
{
	take();
	drift(VLAN, 0);
	pass(60 * SEC, 0, 1000 * MB, cpu_per_mb);
}

static void a_repair_that_helps(_unused_ void **state)
{
	incident(4100);
	repair(VLAN);
	assert_int_equal(found.n, 0);
	after(500 * MB, 600);
	assert_int_equal(found.n, 1);
	assert_int_equal(found.list[0].code, FINDING_EFFECT_HELPED);
	assert_string_equal(found.list[0].service, "web.service");
	assert_string_equal(found.list[0].link, "vlan10");
	assert_int_equal(found.list[0].cost.cpu_before_usec, 4100000);
	assert_int_equal(found.list[0].cost.cpu_after_usec, 600000);
	assert_int_equal(undone, 0);
}

static void a_repair_that_does_not(_unused_ void **state)
{
	incident(1000);
	repair(VLAN);
	after(500 * MB, 1020);
	assert_int_equal(found.n, 1);
	assert_int_equal(found.list[0].code, FINDING_EFFECT_NONE);
	assert_int_equal(undone, 0);
}

/* A rule turns segmentation off on a healthy link. */
static void a_rule_that_makes_it_worse(_unused_ void **state)
{
	take();
	pass(60 * SEC, 0, 1000 * MB, 600);
	change(VLAN, SG, FINDING_REPAIRED, 0, TSO);
	settle();
	after(500 * MB, 2000);
	assert_int_equal(found.n, 2);
	assert_int_equal(found.list[0].code, FINDING_EFFECT_WORSE);
	assert_int_equal(found.list[1].code, FINDING_EFFECT_UNDONE);
	assert_int_equal(found.list[1].off, TSO);
	assert_int_equal(undone, 1);
}

/* The same, by another program: its change is not ours to undo. */
static void a_change_of_another_program(_unused_ void **state)
{
	take();
	pass(60 * SEC, 0, 1000 * MB, 600);
	change(VLAN, SG, FINDING_RECOVERED, 0, TSO);
	settle();
	after(500 * MB, 2000);
	assert_int_equal(found.n, 1);
	assert_int_equal(found.list[0].code, FINDING_EFFECT_WORSE);
	assert_int_equal(undone, 0);
}

/* The service is on the VLAN; what is repaired is below it. */
static void a_repair_below(_unused_ void **state)
{
	take();
	drift(ETH, TSO);
	pass(60 * SEC, 0, 1000 * MB, 4000);
	repair(ETH);
	after(500 * MB, 600);
	assert_int_equal(found.n, 1);
	assert_string_equal(found.list[0].link, "eth0");
}

/* It drifted for a moment only: what was before is what is after. */
static void a_drift_that_is_repaired_at_once(_unused_ void **state)
{
	take();
	pass(60 * SEC, 0, 1000 * MB, 4000);
	change(VLAN, SG | TSO, FINDING_REPAIRED, SG, 0);
	assert_true(effect_deadline(effect) == 0 || effect_deadline(effect) > world.now_usec + 100 * SEC);
	after(500 * MB, 600);
	assert_int_equal(found.n, 0);
}

/* Another change of features began a second before. */
static void a_window_that_is_mostly_after_it(_unused_ void **state)
{
	take();
	drift(VLAN, 0);
	change(VLAN, SG | TSO, FINDING_REPAIRED, SG, 0);
	pass(2 * SEC, 0, 1000 * MB, 600); /* the sample is late */
	settle();
	after(500 * MB, 600);
	assert_int_equal(found.n, 0);
}

static void a_service_on_another_link(_unused_ void **state)
{
	take();
	drift(VLAN, 0);
	pass(60 * SEC, 1, 1000 * MB, 4000);
	repair(VLAN);
	for (unsigned i = 0; i < 2; i++) {
		pass(10 * SEC, 1, 500 * MB, 600);
		take();
	}
	assert_int_equal(found.n, 0);
}

static void too_little_traffic(_unused_ void **state)
{
	incident(4000);
	repair(VLAN);
	for (unsigned i = 0; i < EFFECT_TRIES + 2; i++) {
		assert_int_equal(found.n, 0);
		pass(10 * SEC, 0, 1 * MB, 600);
		take();
	}
	only_unknown(UNKNOWN_LITTLE_TRAFFIC);
}

/* It becomes enough later. */
static void traffic_that_comes_later(_unused_ void **state)
{
	incident(4000);
	repair(VLAN);
	after(10 * MB, 600);
	assert_int_equal(found.n, 0);
	pass(40 * SEC, 0, 500 * MB, 600);
	take();
	assert_int_equal(found.n, 0); /* 20 MB so far need less CPU time than the ticks that it is measured in */
	for (unsigned i = 0; i < 2; i++) {
		pass(160 * SEC, 0, 500 * MB, 600);
		take();
	}
	assert_int_equal(found.n, 1);
	assert_int_equal(found.list[0].code, FINDING_EFFECT_HELPED);
}

/* Most of the link's traffic is of no connection that we know: it may be of anybody. */
static void traffic_of_others(_unused_ void **state)
{
	incident(4000);
	world.link[1] += 9000 * MB;
	repair(VLAN);
	for (unsigned i = 0; i < EFFECT_TRIES + 2; i++) {
		assert_int_equal(found.n, 0);
		pass(10 * SEC, 0, 500 * MB, 600);
		take();
	}
	only_unknown(UNKNOWN_UNCERTAIN);
}

static void a_load_that_changes(_unused_ void **state)
{
	incident(4000);
	repair(VLAN);
	for (unsigned i = 0; i < EFFECT_TRIES + 2; i++) {
		assert_int_equal(found.n, 0);
		pass(10 * SEC, 0, 500 * MB, i == 1 ? 50000 : 600);
		take();
	}
	only_unknown(UNKNOWN_UNSTEADY);
}

/* Segmentation moved from the process that sends into soft interrupts: the service needs less, the host does not. */
static void work_that_moves_to_soft_interrupts(_unused_ void **state)
{
	incident(4000);
	repair(VLAN);
	for (unsigned i = 0; i < EFFECT_TRIES + 2; i++) {
		assert_int_equal(found.n, 0);
		pass(10 * SEC, 0, 500 * MB, 600);
		world.softirq += 500 * 4000;
		take();
	}
	only_unknown(UNKNOWN_SOFTIRQ);
}

/* GRO helps soft interrupts, not the process that receives: "it did not help" would be wrong. */
static void help_for_soft_interrupts(_unused_ void **state)
{
	take();
	drift(VLAN, 0);
	pass(60 * SEC, 0, 1000 * MB, 1000);
	world.softirq += 1000 * 3000;
	repair(VLAN);
	for (unsigned i = 0; i < EFFECT_TRIES + 2; i++) {
		pass(10 * SEC, 0, 500 * MB, 1000);
		world.softirq += 500 * 500;
		take();
	}
	only_unknown(UNKNOWN_SOFTIRQ);
}

static void a_repair_that_does_not_last(_unused_ void **state)
{
	incident(4000);
	repair(VLAN);
	pass(10 * SEC, 0, 500 * MB, 600);
	drift(VLAN, 0);
	only_unknown(UNKNOWN_FEATURES_CHANGED);
	after(500 * MB, 600);
	assert_int_equal(found.n, 1);
}

/* Its cgroup is another one now. */
static void a_service_that_restarts(_unused_ void **state)
{
	incident(4000);
	repair(VLAN);
	pass(5 * SEC, 0, 500 * MB, 600);
	world.moved = 10;
	pass(5 * SEC, 0, 500 * MB, 600);
	take();
	only_unknown(UNKNOWN_SERVICE_GONE);
}

static void a_link_that_disappears(_unused_ void **state)
{
	incident(4000);
	repair(VLAN);
	pass(5 * SEC, 0, 500 * MB, 600);
	assert_int_equal(link_table_remove(&links, VLAN), 1);
	effect_note_change(effect, world.now_usec);
	pass(5 * SEC, 0, 0, 0);
	take();
	only_unknown(UNKNOWN_LINK_GONE);
}

static void rules_that_change_meanwhile(_unused_ void **state)
{
	incident(4000);
	repair(VLAN);
	pass(5 * SEC, 0, 500 * MB, 600);
	effect_note_rules(effect);
	assert_int_equal(found.n, 1);
	assert_int_equal(found.list[0].cost.unknown, UNKNOWN_RULES_CHANGED);
	after(500 * MB, 600);
	assert_int_equal(found.n, 1);
}

/* Both are the change whose effect is measured. */
static void two_repairs_in_a_row(_unused_ void **state)
{
	take();
	drift(ETH, TSO);
	drift(VLAN, 0);
	pass(60 * SEC, 0, 1000 * MB, 4000);
	repair(ETH);
	pass(5 * SEC, 0, 10 * MB, 3000);
	repair(VLAN);
	after(500 * MB, 600);
	assert_int_equal(found.n, 1);
	assert_int_equal(found.list[0].code, FINDING_EFFECT_HELPED);
	assert_string_equal(found.list[0].link, "eth0");
	assert_int_equal(found.list[0].n_others, 1);
	assert_int_equal(found.list[0].cost.cpu_before_usec, 4000000);
	assert_int_equal(found.list[0].cost.cpu_after_usec, 600000);
}

/* A link that drifted after the window before, and was repaired, has nothing to do with the difference. */
static void a_repair_of_a_later_drift(_unused_ void **state)
{
	incident(4000);
	repair(VLAN);
	pass(2 * SEC, 0, 100 * MB, 600);
	drift(ETH, TSO);
	pass(2 * SEC, 0, 10 * MB, 4000);
	repair(ETH);
	after(500 * MB, 600);
	assert_int_equal(found.n, 1);
	assert_string_equal(found.list[0].link, "vlan10");
	assert_int_equal(found.list[0].n_others, 0);
}

/* The same, for a feature of the same link. */
static void a_repair_of_a_feature_that_drifted_later(_unused_ void **state)
{
	take();
	drift(VLAN, TSO);
	pass(60 * SEC, 0, 1000 * MB, 4000);
	repair(VLAN);
	pass(2 * SEC, 0, 100 * MB, 600);
	drift(VLAN, SG);
	pass(2 * SEC, 0, 10 * MB, 4000);
	change(VLAN, SG | TSO, FINDING_REPAIRED, TSO, 0);
	settle();
	after(500 * MB, 600);
	assert_int_equal(found.n, 1);
	assert_int_equal(found.list[0].code, FINDING_EFFECT_HELPED);
	assert_int_equal(found.list[0].on, SG);
}

/* New links are repaired all the time, and a drift that is repaired at once is no change. */
static void other_repairs_do_not_disturb(_unused_ void **state)
{
	incident(4000);
	repair(VLAN);
	for (unsigned i = 0; i < 8; i++) {
		pass(SEC, 0, 50 * MB, 600);
		if (!link_table_find(&links, 20 + (int)i))
			add_link(20 + (int)i, "veth", 0);
		change(20 + (int)i, SG | TSO, FINDING_REPAIRED, SG, 0);
		change(OTHER, SG | TSO, FINDING_REPAIRED, SG, 0);
	}
	after(500 * MB, 600);
	assert_int_equal(found.n, 1);
	assert_int_equal(found.list[0].code, FINDING_EFFECT_HELPED);
	assert_int_equal(found.list[0].n_others, 0);
}

/* A rule makes one service worse; the other link that it changed carries none of its traffic. */
static void only_what_made_it_worse_is_undone(_unused_ void **state)
{
	take();
	pass(60 * SEC, 0, 1000 * MB, 600);
	change(OTHER, SG, FINDING_REPAIRED, 0, TSO);
	change(VLAN, SG, FINDING_REPAIRED, 0, TSO);
	settle();
	after(500 * MB, 2000);
	assert_int_equal(found.n, 2);
	assert_string_equal(found.list[0].link, "vlan10");
	assert_int_equal(found.list[0].n_others, 0);
	assert_string_equal(found.list[1].link, "vlan10");
	assert_int_equal(undone, 1);
	assert_int_equal(link_table_find(&links, OTHER)->features.active, SG);
}

static void worse(void)
{
	pass(60 * SEC, 0, 1000 * MB, 600);
	change(VLAN, SG, FINDING_REPAIRED, 0, TSO);
	settle();
	after(500 * MB, 2000);
	effect_note_change(effect, world.now_usec);
	settle();
}

/* A user has resumed the link, and it is worse again. */
static void it_is_undone_once(_unused_ void **state)
{
	take();
	worse();
	assert_int_equal(undone, 1);
	change(VLAN, SG | TSO, FINDING_NONE, 0, 0);
	worse();
	assert_int_equal(found.n, 3);
	assert_int_equal(found.list[2].code, FINDING_EFFECT_WORSE);
	assert_int_equal(undone, 1);
	drift(VLAN, SG | TSO);
	effect_note_rules(effect);
	worse();
	assert_int_equal(undone, 2);
}

/* Nothing wakes a host on which nothing happens. */
static void no_timer_without_traffic(_unused_ void **state)
{
	take();
	world.now_usec += EFFECT_SETTLED_USEC;
	take();
	drift(VLAN, 0);
	repair(VLAN);
	assert_true(effect_deadline(effect) == 0 || effect_deadline(effect) >= world.now_usec + EFFECT_SETTLED_USEC - 2 * SEC);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_repair_that_helps),
		TEST(a_repair_that_does_not),
		TEST(a_rule_that_makes_it_worse),
		TEST(a_change_of_another_program),
		TEST(a_repair_below),
		TEST(a_drift_that_is_repaired_at_once),
		TEST(a_window_that_is_mostly_after_it),
		TEST(a_service_on_another_link),
		TEST(too_little_traffic),
		TEST(traffic_that_comes_later),
		TEST(traffic_of_others),
		TEST(a_load_that_changes),
		TEST(a_repair_that_does_not_last),
		TEST(work_that_moves_to_soft_interrupts),
		TEST(help_for_soft_interrupts),
		TEST(a_service_that_restarts),
		TEST(a_link_that_disappears),
		TEST(rules_that_change_meanwhile),
		TEST(two_repairs_in_a_row),
		TEST(a_repair_of_a_later_drift),
		TEST(a_repair_of_a_feature_that_drifted_later),
		TEST(other_repairs_do_not_disturb),
		TEST(only_what_made_it_worse_is_undone),
		TEST(it_is_undone_once),
		TEST(no_timer_without_traffic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
