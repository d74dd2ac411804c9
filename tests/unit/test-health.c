/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is this host OK? Nothing that was not observed may count as OK, and nothing that can be repaired may hide. */
#include "unit.h"

#include <string.h>

#include "report/health.h"

static struct health healthy(void)
{
	return (struct health){ .running = true, .enforce = true, .links = 5, .rules = 3, .declared = 4,
		.with = { [VERDICT_COMPLIANT] = 4 }, .features = { [VERDICT_COMPLIANT] = 40 }, .observes = true, .sees_restart = true,
		.sees_fallback = true, .probes = 12 };
}

static void expect(const struct health *h, enum health_state state, int code)
{
	char text[1024];

	assert_int_equal(health_state(h), state);
	assert_int_equal(health_exit_code(h), code);
	assert_non_null(strstr(health_format(h, text, sizeof(text)), ": "));
	assert_int_equal(strncmp(text, "OK: ", 4) == 0, state == HEALTH_OK);
}

static void ok_needs_everything_observed(void **state)
{
	struct health h = healthy();

	(void)state;
	expect(&h, HEALTH_OK, 0);
	h.sees_restart = false;
	expect(&h, HEALTH_UNKNOWN, 4);
	h = healthy();
	h.sees_fallback = false;
	expect(&h, HEALTH_UNKNOWN, 4);
	h.observes = false; /* as its administrator decided */
	expect(&h, HEALTH_OK, 0);
	h = healthy();
	h.running = false;
	expect(&h, HEALTH_UNKNOWN, 3);
	h.hung = true;
	expect(&h, HEALTH_UNKNOWN, 3);
	h = healthy();
	h.unread = 1;
	h.with[VERDICT_REFUSED] = 1;
	h.features[VERDICT_REFUSED] = 9;
	expect(&h, HEALTH_NOT_OK, 1);
	h = healthy();
	h.errors = 1;
	expect(&h, HEALTH_NOT_OK, 1);
}

static void what_can_be_done_is_counted_apart(void **state)
{
	struct health h = healthy();
	char text[1024];

	(void)state;
	h.with[VERDICT_DRIFTED] = 1;
	h.features[VERDICT_DRIFTED] = 6;
	expect(&h, HEALTH_NOT_OK, 2);
	h.with[VERDICT_UNSUPPORTED] = 1;
	h.features[VERDICT_UNSUPPORTED] = 1;
	expect(&h, HEALTH_NOT_OK, 6);
	health_format(&h, text, sizeof(text));
	assert_non_null(strstr(text, "1 interface drifted (6 features)"));
	assert_non_null(strstr(text, "1 feature unsupported"));
	h.features[VERDICT_DRIFTED] = h.with[VERDICT_DRIFTED] = 0;
	expect(&h, HEALTH_NOT_OK, 4);
	h = healthy();
	h.restart = 3;
	expect(&h, HEALTH_NOT_OK, 2);
	h = healthy();
	h.with[VERDICT_PAUSED] = 1;
	expect(&h, HEALTH_NOT_OK, 2);
}

static void a_host_without_rules_claims_nothing(void **state)
{
	struct health h = healthy();

	(void)state;
	h.declared = h.with[VERDICT_COMPLIANT] = 0;
	expect(&h, HEALTH_UNDECLARED, 0);
	h.fallback = 1;
	expect(&h, HEALTH_NOT_OK, 2);
	h.fallback = 0;
	h.rules = 0; /* lost, perhaps */
	expect(&h, HEALTH_UNDECLARED, 1);
}

static void services_count_once(void **state)
{
	struct evidence e = { .has_sockets = true, .has_fallback = true };
	struct health h = healthy();

	(void)state;
	evidence_stale_row(&e, "nginx.service", "vlan10")->sockets = 2;
	evidence_stale_row(&e, "nginx.service", "vlan20")->sockets = 1;
	evidence_stale_row(&e, "bird.service", "vlan10")->sockets = 1;
	health_add_evidence(&h, &e);
	assert_int_equal(h.restart, 2);
	assert_true(h.sees_restart);
	e.udp_undecided = 1;
	health_add_evidence(&h, &e);
	assert_false(h.sees_restart);
	e.udp_undecided = 0;
	evidence_add_probe(&e, &(struct evidence_probe){ "udp-segmentation", "kfree_skb", NULL, "not on this kernel", false });
	health_add_evidence(&h, &e);
	assert_false(h.sees_restart); /* who gave up UDP segmentation is not seen */
	evidence_clear(&e);
}

static void fallback_that_a_rule_asks_for_is_no_problem(void **state)
{
	struct evidence e = { .has_sockets = true, .has_fallback = true };
	struct health h = healthy();
	struct evidence_fallback *row;

	(void)state;
	row = evidence_fallback_row(&e, 0, FALLBACK_REASON_FEATURE, "nginx.service", "eth0");
	row->hits[FALLBACK_SEGMENTATION].n = 5;
	row->hits[FALLBACK_SEGMENTATION].now = true;
	row->remedy = REMEDY_RULE;
	row = evidence_fallback_row(&e, 0, FALLBACK_REASON_FEATURE, "bird.service", "eth0");
	row->hits[FALLBACK_SEGMENTATION].n = 5;
	row->hits[FALLBACK_SEGMENTATION].now = true;
	row->remedy = REMEDY_REPAIR;
	health_add_evidence(&h, &e);
	assert_int_equal(h.fallback, 1);
	assert_int_equal(h.fallback_kept, 1);
	expect(&h, HEALTH_NOT_OK, 2);
	evidence_clear(&e);
}

/* Within ten seconds, what uses software fallback now may be missing; later it would have a row by now. */
static void what_was_lost_is_over_one_day(void **state)
{
	struct evidence e = { .has_sockets = true, .has_fallback = true, .lost = { [FALLBACK_CHECKSUM] = 7 } };
	const struct { uint64_t idle_usec; enum health_state state; int code; } cases[] = {
		{ 0, HEALTH_UNKNOWN, 4 },
		{ EVIDENCE_NOW_USEC - 1, HEALTH_UNKNOWN, 4 },
		{ EVIDENCE_NOW_USEC, HEALTH_OK, 0 },
		{ 7 * 24 * 3600 * USEC_PER_SEC, HEALTH_OK, 0 },
	};
	struct health h;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		h = healthy();
		e.lost_idle_usec = cases[i].idle_usec;
		health_add_evidence(&h, &e);
		assert_true(h.sees_restart);
		expect(&h, cases[i].state, cases[i].code);
	}
	/* rows that there was no room for are the same; stale connections do not end by themselves */
	e = (struct evidence){ .has_sockets = true, .has_fallback = true, .omitted = 1 };
	assert_false(evidence_is_complete(&e));
	e.lost_idle_usec = EVIDENCE_NOW_USEC;
	assert_true(evidence_is_complete(&e) && evidence_sees_restart(&e));
	e.sockets_dropped = 1;
	assert_false(evidence_is_complete(&e) || evidence_sees_restart(&e));
}

static void other_network_namespaces_are_mentioned(void **state)
{
	struct evidence e = { .has_sockets = true, .has_fallback = true, .elsewhere = { [FALLBACK_SEGMENTATION] = 40, [FALLBACK_UDP] = 2 } };
	struct health h = healthy();
	char text[1024];

	(void)state;
	health_add_evidence(&h, &e);
	expect(&h, HEALTH_OK, 0);
	assert_non_null(strstr(health_format(&h, text, sizeof(text)), "42 hits of software fallback in other network namespaces"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ok_needs_everything_observed),
		cmocka_unit_test(what_can_be_done_is_counted_apart),
		cmocka_unit_test(a_host_without_rules_claims_nothing),
		cmocka_unit_test(services_count_once),
		cmocka_unit_test(fallback_that_a_rule_asks_for_is_no_problem),
		cmocka_unit_test(what_was_lost_is_over_one_day),
		cmocka_unit_test(other_network_namespaces_are_mentioned),
	};

	return cmocka_run_group_tests_name("health", tests, NULL, NULL);
}
