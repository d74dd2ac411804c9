/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Size limits: what rules declare, how they are judged and set, and what is warned about without a rule. */
#include "engine/apply.h"
#include "plan/explain.h"
#include "unit-model.h"

#define ALL_LIMITS ((1u << LINK_LIMIT_COUNT) - 1)
#define OLD_LIMITS (LINK_LIMIT(LINK_LIMIT_GSO_MAX_SIZE) | LINK_LIMIT(LINK_LIMIT_GSO_MAX_SEGS)) /* Linux 5.10 */

static void give(struct unit_host *h, const char *name, uint32_t gso_max_size, unsigned has)
{
	static const struct link_limits usual = { .value = {
		[LINK_LIMIT_GSO_MAX_SIZE] = 65536, [LINK_LIMIT_GSO_MAX_SEGS] = 65535, [LINK_LIMIT_GRO_MAX_SIZE] = 65536,
		[LINK_LIMIT_GSO_IPV4_MAX_SIZE] = 65536, [LINK_LIMIT_GRO_IPV4_MAX_SIZE] = 65536,
		[LINK_LIMIT_TSO_MAX_SIZE] = 524280, [LINK_LIMIT_TSO_MAX_SEGS] = 65535 } };
	struct link *link = link_table_find_name(&h->links, name);

	link->limits = usual;
	link->limits.value[LINK_LIMIT_GSO_MAX_SIZE] = gso_max_size;
	link->limits.value[LINK_LIMIT_GSO_IPV4_MAX_SIZE] = gso_max_size <= 65536 ? gso_max_size : 65536;
	link->limits.has = has;
	for (unsigned i = 0; i < LINK_LIMIT_COUNT; i++)
		if (!(has & LINK_LIMIT(i)))
			link->limits.value[i] = 0;
}

/* The incident's network; eth2 has 8000. */
static struct unit_host *host_new(unsigned has)
{
	struct unit_host *h = unit_host_new();

	unit_incident(h);
	link_table_stack(&h->links);
	give(h, "eth2", 8000, has);
	give(h, "eth3", 65536, has);
	give(h, "bond0", 65536, has);
	give(h, "vlan10", 65536, has);
	give(h, "vlan100", 65536, has);
	return h;
}

static struct plan_item *item_of(struct unit_host *h, const char *name, enum link_limit limit)
{
	const struct plan_link *pl = plan_find(&h->plan, link_table_find_name(&h->links, name)->ifindex);

	for (size_t i = 0; pl && i < pl->n_items; i++)
		if (pl->items[i].is_limit && pl->items[i].number.limit == limit)
			return &pl->items[i];
	fail_msg("%s has no item of %s", name, link_limit_name(limit));
	return NULL;
}

#define assert_limit(h, name, limit, v, c)                                                       \
	do {                                                                                       \
		assert_int_equal(item_of(h, name, limit)->verdict, v);                             \
		assert_int_equal(item_of(h, name, limit)->cause, c);                               \
	} while (0)

static const char lower[] = "[Match]\nKind=bond vlan\n[Limits]\ngso-max-size=lower\n";

/* What the steps do, as the kernel does it. */
static void carry_out(struct unit_host *h)
{
	for (size_t i = 0; i < h->plan.n_steps; i++)
		link_table_find(&h->links, h->plan.steps[i].ifindex)->limits = plan_find(&h->plan, h->plan.steps[i].ifindex)->limits_predicted;
}

static void lower_goes_up_the_stack_in_one_plan(void **state)
{
	struct unit_host *h = host_new(ALL_LIMITS);

	(void)state;
	unit_rule(h, "10.rule", lower);
	unit_plan(h);
	assert_limit(h, "bond0", LINK_LIMIT_GSO_MAX_SIZE, VERDICT_DRIFTED, CAUSE_LIMIT_DIFFERS);
	assert_limit(h, "vlan10", LINK_LIMIT_GSO_MAX_SIZE, VERDICT_DRIFTED, CAUSE_LIMIT_DIFFERS);
	assert_int_equal(item_of(h, "vlan10", LINK_LIMIT_GSO_MAX_SIZE)->number.want, 8000);
	assert_int_equal(h->plan.n_steps, 3);
	assert_string_equal(h->plan.steps[0].name, "bond0");
	assert_int_equal(h->plan.steps[0].mask, 0);
	assert_int_equal(h->plan.steps[0].limits.has, LINK_LIMIT(LINK_LIMIT_GSO_MAX_SIZE));
	assert_int_equal(plan_exit_code(&h->plan), 2);
	assert_int_equal(h->plan.counts[VERDICT_DRIFTED], 3);
	/* a SET of gso_max_size sets that of IPv4, too */
	assert_int_equal(plan_find(&h->plan, 10)->limits_predicted.value[LINK_LIMIT_GSO_IPV4_MAX_SIZE], 8000);
	carry_out(h);
	unit_plan(h);
	assert_int_equal(h->plan.n_steps, 0);
	assert_int_equal(plan_exit_code(&h->plan), 0);
	unit_host_free(h);
}

static void a_declared_limit_for_ipv4_survives(void **state)
{
	struct unit_host *h = host_new(ALL_LIMITS);

	(void)state;
	unit_rule(h, "10.rule", "[Match]\nName=vlan10\n[Limits]\ngso-max-size=9000\ngso-ipv4-max-size=65536\n");
	unit_plan(h);
	assert_int_equal(h->plan.n_steps, 1);
	assert_int_equal(h->plan.steps[0].limits.value[LINK_LIMIT_GSO_MAX_SIZE], 9000);
	assert_int_equal(h->plan.steps[0].limits.value[LINK_LIMIT_GSO_IPV4_MAX_SIZE], 65536);
	carry_out(h);
	unit_plan(h);
	assert_int_equal(plan_exit_code(&h->plan), 0);
	unit_host_free(h);
}

static void the_last_rule_wins_for_each_limit(void **state)
{
	struct unit_host *h = host_new(ALL_LIMITS);

	(void)state;
	unit_rule(h, "10.rule", "[Match]\nKind=vlan\n[Limits]\ngso-max-size=lower\ngso-max-segs=64\n");
	unit_rule(h, "20.rule", "[Match]\nName=vlan10\n[Limits]\ngso-max-size=65536\n");
	unit_plan(h);
	assert_limit(h, "vlan10", LINK_LIMIT_GSO_MAX_SIZE, VERDICT_COMPLIANT, CAUSE_NONE);
	assert_string_equal(item_of(h, "vlan10", LINK_LIMIT_GSO_MAX_SIZE)->rule->file, "20.rule");
	assert_limit(h, "vlan10", LINK_LIMIT_GSO_MAX_SEGS, VERDICT_DRIFTED, CAUSE_LIMIT_DIFFERS);
	unit_host_free(h);
}

static void what_the_kernel_does_not_have(void **state)
{
	struct unit_host *h = host_new(OLD_LIMITS);

	(void)state;
	unit_rule(h, "10.rule", "[Match]\nName=vlan10\n[Limits]\ngro-max-size=lower\ngso-ipv4-max-size=9000\ngso-max-size=9000\n");
	unit_plan(h);
	assert_limit(h, "vlan10", LINK_LIMIT_GRO_MAX_SIZE, VERDICT_UNSUPPORTED, CAUSE_UNSUPPORTED_KERNEL);
	assert_limit(h, "vlan10", LINK_LIMIT_GSO_IPV4_MAX_SIZE, VERDICT_UNSUPPORTED, CAUSE_UNSUPPORTED_KERNEL);
	assert_limit(h, "vlan10", LINK_LIMIT_GSO_MAX_SIZE, VERDICT_DRIFTED, CAUSE_LIMIT_DIFFERS);
	assert_int_equal(plan_exit_code(&h->plan), 6);
	unit_host_free(h);
}

static void what_the_driver_does_not_allow(void **state)
{
	struct unit_host *h = host_new(ALL_LIMITS);

	(void)state;
	link_table_find_name(&h->links, "eth3")->limits.value[LINK_LIMIT_TSO_MAX_SIZE] = 32000;
	link_table_find_name(&h->links, "eth3")->limits.value[LINK_LIMIT_TSO_MAX_SEGS] = 64;
	unit_rule(h, "10.rule", "[Match]\nName=eth3\n[Limits]\ngso-max-size=65536\ngso-max-segs=65\n");
	unit_plan(h);
	assert_limit(h, "eth3", LINK_LIMIT_GSO_MAX_SIZE, VERDICT_UNSUPPORTED, CAUSE_LIMIT_DEVICE);
	assert_int_equal(item_of(h, "eth3", LINK_LIMIT_GSO_MAX_SIZE)->number.cause, 32000);
	assert_limit(h, "eth3", LINK_LIMIT_GSO_MAX_SEGS, VERDICT_UNSUPPORTED, CAUSE_LIMIT_DEVICE);
	assert_int_equal(h->plan.n_steps, 0);
	assert_int_equal(plan_exit_code(&h->plan), 4);
	unit_host_free(h);

	/* before Linux 5.19 the kernel has one bound for all */
	h = host_new(OLD_LIMITS);
	unit_rule(h, "10.rule", "[Match]\nName=eth3\n[Limits]\ngso-max-size=65537\n");
	unit_plan(h);
	assert_limit(h, "eth3", LINK_LIMIT_GSO_MAX_SIZE, VERDICT_UNSUPPORTED, CAUSE_LIMIT_DEVICE);
	unit_host_free(h);
}

/* An upper link takes the most that it can. */
static void lower_asks_only_for_what_is_possible(void **state)
{
	struct unit_host *h = host_new(ALL_LIMITS);

	(void)state;
	give(h, "bond0", 200000, ALL_LIMITS);
	link_table_find_name(&h->links, "vlan10")->limits.value[LINK_LIMIT_TSO_MAX_SIZE] = 65536;
	unit_rule(h, "10.rule", "[Match]\nName=vlan10\n[Limits]\ngso-max-size=lower\n");
	unit_plan(h);
	assert_limit(h, "vlan10", LINK_LIMIT_GSO_MAX_SIZE, VERDICT_COMPLIANT, CAUSE_NONE);
	/* TCP cannot send with 0, which kernels before the check accept */
	give(h, "bond0", 0, ALL_LIMITS);
	unit_plan(h);
	assert_limit(h, "vlan10", LINK_LIMIT_GSO_MAX_SIZE, VERDICT_BLOCKED, CAUSE_LIMIT_UNUSABLE);
	assert_int_equal(item_of(h, "vlan10", LINK_LIMIT_GSO_MAX_SIZE)->cause_ifindex, 4);
	assert_int_equal(h->plan.n_steps, 0);
	unit_host_free(h);
}

static void lower_without_a_link_below(void **state)
{
	struct unit_host *h = host_new(ALL_LIMITS);
	struct link *vlan;

	(void)state;
	unit_rule(h, "10.rule", "[Match]\nName=eth2 vlan10\n[Limits]\ngso-max-size=lower\n");
	vlan = link_table_find_name(&h->links, "vlan10");
	vlan->lower_ifindex = 0;
	vlan->lower_netnsid = 3;
	h->links.stacked = false;
	link_table_stack(&h->links);
	unit_plan(h);
	assert_limit(h, "eth2", LINK_LIMIT_GSO_MAX_SIZE, VERDICT_COMPLIANT, CAUSE_NONE);
	assert_true(item_of(h, "eth2", LINK_LIMIT_GSO_MAX_SIZE)->not_provided);
	assert_limit(h, "vlan10", LINK_LIMIT_GSO_MAX_SIZE, VERDICT_BLOCKED, CAUSE_LIMIT_ELSEWHERE);
	assert_int_equal(h->plan.n_steps, 0);
	unit_host_free(h);
}

static void audit_pause_contention_and_refusal(void **state)
{
	struct unit_host *h = host_new(ALL_LIMITS);

	(void)state;
	unit_rule(h, "10.rule", "[Rule]\nMode=audit\n[Match]\nName=bond0\n[Limits]\ngso-max-size=lower\n");
	unit_rule(h, "20.rule", "[Match]\nName=vlan10\n[Limits]\ngso-max-size=9000\n");
	unit_plan(h);
	assert_limit(h, "bond0", LINK_LIMIT_GSO_MAX_SIZE, VERDICT_DRIFTED, CAUSE_AUDIT);
	assert_int_equal(h->plan.n_steps, 1);
	unit_state(h, 10)->paused = true;
	unit_plan(h);
	assert_limit(h, "vlan10", LINK_LIMIT_GSO_MAX_SIZE, VERDICT_PAUSED, CAUSE_NONE);
	assert_int_equal(h->plan.n_steps, 0);
	unit_state(h, 10)->paused = false;
	link_state_limits(unit_state(h, 10))->contention.contended = LINK_LIMIT(LINK_LIMIT_GSO_MAX_SIZE);
	unit_plan(h);
	assert_limit(h, "vlan10", LINK_LIMIT_GSO_MAX_SIZE, VERDICT_CONTENDED, CAUSE_NONE);
	assert_int_equal(h->plan.n_steps, 0);
	unit_state(h, 10)->limits->contention.contended = 0;
	unit_state(h, 10)->limits->contention.due = LINK_LIMIT(LINK_LIMIT_GSO_MAX_SIZE);
	unit_plan(h);
	assert_limit(h, "vlan10", LINK_LIMIT_GSO_MAX_SIZE, VERDICT_CONTENDED, CAUSE_NONE);
	assert_int_equal(plan_find(&h->plan, 10)->limits_due, LINK_LIMIT(LINK_LIMIT_GSO_MAX_SIZE));
	unit_state(h, 10)->limits->contention.due = 0;
	unit_state(h, 10)->limits->refusals.refused[true] = LINK_LIMIT(LINK_LIMIT_GSO_MAX_SIZE);
	unit_state(h, 10)->limits->refusals.words = strdup("no");
	unit_plan(h);
	assert_limit(h, "vlan10", LINK_LIMIT_GSO_MAX_SIZE, VERDICT_REFUSED, CAUSE_NONE);
	assert_string_equal(item_of(h, "vlan10", LINK_LIMIT_GSO_MAX_SIZE)->text, "no");
	assert_int_equal(plan_exit_code(&h->plan), 6);
	assert_int_equal(h->plan.n_steps, 0);
	unit_host_free(h);
}

/* Limits are not features: a link whose features cannot be read has them all the same. */
static void features_that_cannot_be_read(void **state)
{
	struct unit_host *h = host_new(ALL_LIMITS);

	(void)state;
	link_table_find_name(&h->links, "vlan10")->has_features = false;
	unit_rule(h, "10.rule", lower);
	unit_plan(h);
	assert_limit(h, "vlan10", LINK_LIMIT_GSO_MAX_SIZE, VERDICT_DRIFTED, CAUSE_LIMIT_DIFFERS);
	unit_host_free(h);
}

static void a_smaller_limit_below_is_found(void **state)
{
	struct unit_host *h = host_new(ALL_LIMITS);
	const struct link *vlan = link_table_find_name(&h->links, "vlan10");
	struct explanation e;
	struct plan_narrow n;

	(void)state;
	assert_true(plan_find_narrow(&h->links, vlan, LINK_LIMIT_GSO_MAX_SIZE, &n));
	assert_string_equal(n.below->name, "eth2");
	assert_int_equal(n.below_number, 8000);
	assert_false(plan_find_narrow(&h->links, vlan, LINK_LIMIT_GSO_MAX_SEGS, &n));
	assert_false(plan_find_narrow(&h->links, vlan, LINK_LIMIT_GRO_MAX_SIZE, &n));
	assert_false(plan_find_narrow(&h->links, link_table_find_name(&h->links, "eth2"), LINK_LIMIT_GSO_MAX_SIZE, &n));
	unit_plan(h);
	assert_int_equal(explain_limit(&h->links, &h->plan, vlan, LINK_LIMIT_GSO_MAX_SIZE, &e), 0);
	assert_int_equal(e.steps[0].code, CAUSE_LIMIT_UNDECLARED);
	assert_int_equal(e.steps[1].code, CAUSE_LIMIT_NARROWER);
	assert_int_equal(e.steps[1].number, 8000);
	assert_int_equal(e.advice.code, ADVICE_LIMIT_LOWER);
	explanation_clear(&e);
	/* the same limit as below is enough */
	give(h, "vlan10", 8000, ALL_LIMITS);
	assert_false(plan_find_narrow(&h->links, vlan, LINK_LIMIT_GSO_MAX_SIZE, &n));
	unit_host_free(h);
}

static void the_result_counts(void **state)
{
	struct unit_host *h = host_new(ALL_LIMITS);
	struct link_summary s;

	(void)state;
	unit_rule(h, "10.rule", "[Match]\nName=vlan10\n[Features]\ntx-scatter-gather=on\n[Limits]\ngso-max-size=9000\n");
	unit_plan(h);
	assert_int_equal(plan_keep(&h->plan, &h->states), 0);
	assert_int_equal(unit_state(h, 10)->result.limits[VERDICT_DRIFTED], LINK_LIMIT(LINK_LIMIT_GSO_MAX_SIZE));
	assert_true(unit_state(h, 10)->result.pending);
	assert_int_equal(link_result_verdict(&unit_state(h, 10)->result), VERDICT_DRIFTED);
	link_states_summarize(&h->states, &s);
	assert_int_equal(s.features[VERDICT_DRIFTED], 1);
	assert_int_equal(s.features[VERDICT_COMPLIANT], 1);
	unit_host_free(h);
}

/* ---- apply ---- */

static int limits_error;
static bool limits_ignored;

/* In place of rtnetlink: the table is the kernel. */
static int fake_limits(struct link *link, const struct link_limits *set, char *text, size_t size)
{
	if (!set)
		return 0;
	if (limits_error) {
		snprintf(text, size, "too big gso_max_size");
		return limits_error;
	}
	for (unsigned i = 0; i < LINK_LIMIT_SETTABLE && !limits_ignored; i++)
		if (set->has & LINK_LIMIT(i))
			link->limits.value[i] = set->value[i];
	return 0;
}

static void apply_sets_reads_back_and_reverts(void **state)
{
	struct unit_host *h = host_new(ALL_LIMITS);
	struct observe o = { .limits = fake_limits };
	struct apply_report report;
	struct ledger *ledger;

	(void)state;
	o.links = h->links;
	unit_rule(h, "10.rule", lower);
	unit_plan(h);
	assert_int_equal(ledger_new(&ledger), 0);
	assert_int_equal(apply_plan(&o, &h->plan, ledger, &report), 0);
	assert_int_equal(report.n_results, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(report.results[i].error, 0);
		assert_false(apply_result_missed(&report.results[i]));
		assert_int_equal(report.results[i].limits_before.value[LINK_LIMIT_GSO_MAX_SIZE], 65536);
		assert_int_equal(report.results[i].limits_after.value[LINK_LIMIT_GSO_MAX_SIZE], 8000);
	}
	assert_ptr_equal(apply_find_limits(&report, 10, LINK_LIMIT(LINK_LIMIT_GSO_MAX_SIZE)), &report.results[1]);
	assert_null(apply_find(&report, 10, ~UINT64_C(0)));
	apply_report_clear(&report);
	/* the original values, that of IPv4 among them */
	assert_int_equal(ledger_find(ledger, link_table_find(&o.links, 10))->limits.value[LINK_LIMIT_GSO_MAX_SIZE], 65536);
	assert_true(ledger_find(ledger, link_table_find(&o.links, 10))->limits.has & LINK_LIMIT(LINK_LIMIT_GSO_IPV4_MAX_SIZE));
	assert_int_equal(apply_revert(&o, ledger, NULL, &report), 0);
	assert_int_equal(report.n_results, 3);
	assert_int_equal(link_table_find(&o.links, 10)->limits.value[LINK_LIMIT_GSO_MAX_SIZE], 65536);
	assert_null(ledger_find(ledger, link_table_find(&o.links, 10)));
	apply_report_clear(&report);
	ledger_close(ledger);
	unit_host_free(h);
}

static void what_fails_is_not_repeated(void **state)
{
	struct unit_host *h = host_new(ALL_LIMITS);
	struct observe o = { .limits = fake_limits };
	struct apply_report report;

	(void)state;
	o.links = h->links;
	unit_rule(h, "10.rule", "[Match]\nName=vlan10\n[Limits]\ngso-max-size=9000\n");
	unit_plan(h);
	limits_error = -EINVAL;
	assert_int_equal(apply_plan(&o, &h->plan, NULL, &report), 0);
	limits_error = 0;
	assert_int_equal(report.results[0].error, -EINVAL);
	assert_string_equal(report.results[0].text, "too big gso_max_size");
	assert_int_equal(apply_learn(&h->plan, &report, 1, &h->states), 0);
	apply_report_clear(&report);
	unit_plan(h);
	assert_limit(h, "vlan10", LINK_LIMIT_GSO_MAX_SIZE, VERDICT_REFUSED, CAUSE_NONE);
	link_state_forget_refusals(unit_state(h, 10));
	unit_plan(h);
	assert_int_equal(h->plan.n_steps, 1);
	limits_ignored = true;
	assert_int_equal(apply_plan(&o, &h->plan, NULL, &report), 0);
	limits_ignored = false;
	assert_int_equal(report.results[0].limits_missed, LINK_LIMIT(LINK_LIMIT_GSO_MAX_SIZE));
	assert_int_equal(apply_learn(&h->plan, &report, 1, &h->states), 0);
	apply_report_clear(&report);
	unit_plan(h);
	assert_limit(h, "vlan10", LINK_LIMIT_GSO_MAX_SIZE, VERDICT_BLOCKED, CAUSE_UNKNOWN);
	unit_host_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lower_goes_up_the_stack_in_one_plan),
		cmocka_unit_test(a_declared_limit_for_ipv4_survives),
		cmocka_unit_test(the_last_rule_wins_for_each_limit),
		cmocka_unit_test(what_the_kernel_does_not_have),
		cmocka_unit_test(what_the_driver_does_not_allow),
		cmocka_unit_test(lower_asks_only_for_what_is_possible),
		cmocka_unit_test(lower_without_a_link_below),
		cmocka_unit_test(audit_pause_contention_and_refusal),
		cmocka_unit_test(features_that_cannot_be_read),
		cmocka_unit_test(a_smaller_limit_below_is_found),
		cmocka_unit_test(the_result_counts),
		cmocka_unit_test(apply_sets_reads_back_and_reverts),
		cmocka_unit_test(what_fails_is_not_repeated),
	};

	return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
