/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "unit.h"

static void add(struct link_table *t, int ifindex, const char *kind, int lower, int master)
{
	struct link link = { .ifindex = ifindex, .lower_ifindex = lower, .lower_netnsid = -1,
		.master_ifindex = master };

	snprintf(link.name, sizeof(link.name), "l%d", ifindex);
	snprintf(link.kind, sizeof(link.kind), "%s", kind);
	assert_true(link_table_update(t, &link, NULL) >= 0);
}

/* The stack as text: "1(0): ^3 ^4; 2(1): .5" - uppers behind ^, ports behind a dot, the depth in brackets. */
static const char *stack(struct link_table *t, char *buf, size_t size)
{
	struct link **links;
	size_t n;

	buf[0] = '\0';
	assert_int_equal(link_table_sorted(t, &links, &n), 0);
	for (size_t i = 0; i < n; i++) {
		snprintf(buf + strlen(buf), size - strlen(buf), "%s%d(%u)", i ? " " : "",
			links[i]->ifindex, links[i]->depth);
		for (struct link *u = link_first_upper(t, links[i]); u; u = link_next_upper(t, u))
			snprintf(buf + strlen(buf), size - strlen(buf), "^%d", u->ifindex);
		for (struct link *p = link_first_port(t, links[i]); p; p = link_next_port(t, p))
			snprintf(buf + strlen(buf), size - strlen(buf), ".%d", p->ifindex);
	}
	free(links);
	return buf;
}

static char text[4096], anew[4096];

static void the_stack_of_the_incident(void **state)
{
	struct link_table t = { 0 };

	(void)state;
	add(&t, 10, "vlan", 4, 0); /* a dump may name uppers first */
	add(&t, 11, "vlan", 4, 0);
	add(&t, 4, "bond", 0, 0);
	add(&t, 2, "physical", 0, 4);
	add(&t, 3, "physical", 0, 4);
	assert_string_equal(stack(&t, text, sizeof(text)), "2(0) 3(0) 4(1)^10^11.2.3 10(2) 11(2)");
	link_table_clear(&t);
}

/* The kernel sends no IFLA_MASTER for them. A port that appears later, and one that has a master as well. */
static void the_ports_of_hsr_are_named_by_it(void **state)
{
	struct link_table t = { 0 };
	struct link hsr = { .ifindex = 4, .name = "hsr0", .kind = "hsr", .lower_netnsid = -1, .hsr_ports = { 2, 3, 9 } };

	(void)state;
	add(&t, 2, "physical", 0, 0);
	add(&t, 3, "physical", 0, 5);
	add(&t, 5, "vrf", 0, 0);
	assert_string_equal(stack(&t, text, sizeof(text)), "2(0) 3(0) 5(1).3");
	assert_int_equal(link_table_update(&t, &hsr, NULL), 1);
	assert_string_equal(stack(&t, text, sizeof(text)), "2(0) 3(0) 4(1).2 5(1).3");
	assert_ptr_equal(link_master(&t, link_table_find(&t, 2)), link_table_find(&t, 4));
	add(&t, 9, "physical", 0, 0);
	assert_string_equal(stack(&t, text, sizeof(text)), "2(0) 3(0) 9(0) 4(1).2.9 5(1).3");
	link_table_remove(&t, 2);
	assert_string_equal(stack(&t, text, sizeof(text)), "3(0) 9(0) 4(1).9 5(1).3");
	hsr.hsr_ports[2] = 0;
	assert_int_equal(link_table_update(&t, &hsr, NULL), 1);
	assert_string_equal(stack(&t, text, sizeof(text)), "3(0) 4(0) 9(0) 5(1).3");
	link_table_clear(&t);
}

static void the_peer_of_a_veth_is_not_below_it(void **state)
{
	struct link_table t = { 0 };

	(void)state;
	add(&t, 2, "veth", 3, 0);
	add(&t, 3, "veth", 2, 0);
	assert_string_equal(stack(&t, text, sizeof(text)), "2(0) 3(0)");
	link_table_clear(&t);
}

static void a_link_that_comes_late_is_found_by_those_who_wait(void **state)
{
	struct link_table t = { 0 };

	(void)state;
	add(&t, 10, "vlan", 4, 0);
	assert_string_equal(stack(&t, text, sizeof(text)), "10(0)");
	add(&t, 4, "bond", 0, 0);
	assert_string_equal(stack(&t, text, sizeof(text)), "4(0)^10 10(1)");
	link_table_clear(&t);
}

static void a_rename_keeps_the_stack(void **state)
{
	struct link_table t = { 0 };
	struct link link;

	(void)state;
	add(&t, 4, "bond", 0, 0);
	add(&t, 10, "vlan", 4, 0);
	link_table_stack(&t);
	link = *link_table_find(&t, 10);
	strcpy(link.name, "other");
	assert_int_equal(link_table_update(&t, &link, NULL), 1);
	assert_true(t.stacked);
	link.lower_ifindex = 0;
	assert_int_equal(link_table_update(&t, &link, NULL), 1);
	assert_string_equal(stack(&t, text, sizeof(text)), "4(0) 10(0)");
	link_table_clear(&t);
}

/* Whatever comes and goes: the stack that was kept is the one that is made anew. A link stands on smaller indexes only and is a
 * port of larger ones: no loops, whose depths depend on where one starts. */
static void kept_and_made_anew_are_the_same(void **state)
{
	struct link_table t = { 0 };
	unsigned seed = 20261121;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		int ifindex = 2 + rand_r(&seed) % 23, below = 1 + rand_r(&seed) % (ifindex - 1);
		int above = ifindex + 1 + rand_r(&seed) % 3;

		switch (rand_r(&seed) % 6) {
		case 0:
			link_table_remove(&t, ifindex);
			break;
		case 1:
			add(&t, ifindex, "physical", 0, rand_r(&seed) % 3 ? 0 : above);
			break;
		case 2:
			add(&t, ifindex, "veth", below, 0);
			break;
		default:
			add(&t, ifindex, "vlan", below, 0);
		}
		stack(&t, text, sizeof(text));
		t.stacked = false;
		assert_string_equal(text, stack(&t, anew, sizeof(anew)));
	}
	link_table_clear(&t);
}

static const char *related(struct link_table *t, int ifindex, char *buf, size_t size)
{
	const int only[] = { ifindex, 999, ifindex };
	struct link **links;
	size_t n;

	buf[0] = '\0';
	assert_int_equal(link_table_related(t, only, 3, &links, &n), 0);
	for (int i = 0; i < 100; i++)
		for (size_t j = 0; j < n; j++)
			if (links[j]->ifindex == i)
				snprintf(buf + strlen(buf), size - strlen(buf), " %d", i);
	free(links);
	return buf;
}

static void links_that_are_connected(void **state)
{
	struct link_table t = { 0 };

	(void)state;
	add(&t, 2, "physical", 0, 4);
	add(&t, 3, "physical", 0, 4);
	add(&t, 4, "bond", 0, 0);
	add(&t, 10, "vlan", 4, 0);
	add(&t, 11, "vlan", 4, 0);
	add(&t, 20, "veth", 21, 0);
	add(&t, 21, "veth", 20, 0);
	add(&t, 22, "macvlan", 21, 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_string_equal(related(&t, 11, text, sizeof(text)), " 2 3 4 10 11");
		assert_string_equal(related(&t, 2, text, sizeof(text)), " 2 3 4 10 11");
		assert_string_equal(related(&t, 20, text, sizeof(text)), " 20");
		assert_string_equal(related(&t, 22, text, sizeof(text)), " 21 22");
		assert_string_equal(related(&t, 77, text, sizeof(text)), "");
		t.walks = UINT32_MAX - 2; /* the number of a walk may wrap round */
	}
	link_table_clear(&t);
}

/* A change of a limit is a change, and the table has the new one. */
static void limits_are_attributes(void **state)
{
	struct link link = { .ifindex = 2, .name = "eth2", .kind = "physical", .lower_netnsid = -1,
		.limits = { .value = { [LINK_LIMIT_GSO_MAX_SIZE] = 65536 },
			.has = LINK_LIMIT(LINK_LIMIT_GSO_MAX_SIZE) } };
	struct link_table t = { 0 };

	(void)state;
	assert_int_equal(link_table_update(&t, &link, NULL), 1);
	assert_int_equal(link_table_update(&t, &link, NULL), 0);
	link.limits.value[LINK_LIMIT_GSO_MAX_SIZE] = 8000;
	assert_int_equal(link_table_update(&t, &link, NULL), 1);
	assert_int_equal(link_table_find(&t, 2)->limits.value[LINK_LIMIT_GSO_MAX_SIZE], 8000);
	link_table_clear(&t);
	for (unsigned i = 0; i < LINK_LIMIT_COUNT; i++)
		assert_int_equal(link_limit_find(link_limit_name(i)), i);
	assert_int_equal(link_limit_find("gso"), -1);
}

static uint64_t find_names(unsigned links, unsigned n)
{
	struct link link = { .kind = "veth", .lower_netnsid = -1 };
	struct link_table t = { 0 };
	uint64_t begin_nsec;
	char name[LINK_NAME_LEN];

	for (unsigned i = 0; i < links; i++) {
		link.ifindex = (int)i + 1;
		snprintf(link.name, sizeof(link.name), "veth%u", i);
		assert_int_equal(link_table_update(&t, &link, NULL), 1);
	}
	begin_nsec = unit_cpu_nsec();
	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "veth%u", i % links);
		assert_int_equal(link_table_find_name(&t, name)->ifindex, i % links + 1);
	}
	begin_nsec = unit_cpu_nsec() - begin_nsec;
	link_table_clear(&t);
	return begin_nsec;
}

static void a_name_is_found_among_many(void **state)
{
	uint64_t few = find_names(2, 40960), many = find_names(4096, 40960);

	(void)state;
	print_message("# note 40,960 names: %lu us with 2 links, %lu us with 4,096\n", (unsigned long)few / 1000, (unsigned long)many / 1000);
	assert_true(many < 20 * few);
}

static void names_follow_changes(void **state)
{
	static char alt_names[] = "lan\0wan\0";
	struct link a = { .ifindex = 2, .name = "eth0", .kind = "physical", .lower_netnsid = -1, .alt_names = alt_names };
	struct link b = { .ifindex = 3, .name = "lan", .kind = "physical", .lower_netnsid = -1 };
	struct link_table t = { 0 };

	(void)state;
	assert_null(link_table_find_name(&t, "eth0"));
	assert_int_equal(link_table_update(&t, &a, NULL), 1);
	assert_int_equal(link_table_find_name(&t, "eth0")->ifindex, 2);
	assert_int_equal(link_table_find_name(&t, "wan")->ifindex, 2);
	assert_int_equal(link_table_find_name(&t, "lan")->ifindex, 2);
	assert_int_equal(link_table_update(&t, &b, NULL), 1);
	assert_int_equal(link_table_find_name(&t, "lan")->ifindex, 3); /* a name goes before an alternative one */
	strcpy(a.name, "eth1");
	a.alt_names = NULL;
	assert_int_equal(link_table_update(&t, &a, NULL), 1);
	assert_null(link_table_find_name(&t, "eth0"));
	assert_null(link_table_find_name(&t, "wan"));
	assert_int_equal(link_table_find_name(&t, "eth1")->ifindex, 2);
	assert_int_equal(link_table_remove(&t, 2), 1);
	assert_null(link_table_find_name(&t, "eth1"));
	link_table_clear(&t);
	assert_null(link_table_find_name(&t, "lan"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_stack_of_the_incident),
		cmocka_unit_test(the_ports_of_hsr_are_named_by_it),
		cmocka_unit_test(the_peer_of_a_veth_is_not_below_it),
		cmocka_unit_test(a_link_that_comes_late_is_found_by_those_who_wait),
		cmocka_unit_test(a_rename_keeps_the_stack),
		cmocka_unit_test(kept_and_made_anew_are_the_same),
		cmocka_unit_test(links_that_are_connected),
		cmocka_unit_test(limits_are_attributes),
		cmocka_unit_test(a_name_is_found_among_many),
		cmocka_unit_test(names_follow_changes),
	};

	return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
