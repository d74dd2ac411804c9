/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <errno.h>

#include "engine/event_report.h"
#include "unit-model.h"

#define KEEP_MAX 16

struct scene {
	struct unit_host *h;
	struct apply_result results[8];
	struct apply_report report;
	struct finding events[KEEP_MAX];
	size_t n_events;
};

static int setup(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	s->h = unit_host_new();
	unit_incident(s->h);
	unit_rule(s->h, "10-vlan.rule", "[Match]\nKind=vlan\n[Features]\nsg=lower\ntso=lower\n");
	unit_rule(s->h, "20-bond.rule", "[Match]\nKind=bond\n[Features]\nsg=lower\n");
	unit_rule(s->h, "30-port.rule", "[Match]\nRole=bond-port\n[Features]\nsg=on\n");
	s->report.results = s->results;
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	unit_host_free(s->h);
	free(s);
	return 0;
}

static void keep(const struct finding *event, void *userdata)
{
	struct scene *s = userdata;

	assert_in_range(s->n_events, 0, KEEP_MAX - 1);
	s->events[s->n_events++] = *event;
}

/* What apply would have made of the plan: everything as predicted. */
static void carry_out(struct scene *s)
{
	struct plan *plan = &s->h->plan;

	s->report.n_results = 0;
	for (size_t i = 0; i < plan->n_steps; i++) {
		struct apply_result *result = &s->results[s->report.n_results++];

		*result = (struct apply_result){ .ifindex = plan->steps[i].ifindex,
			.asked = plan->steps[i].mask, .value = plan->steps[i].value };
	}
	for (size_t i = 0; i < plan->n_links; i++)
		link_table_find(&s->h->links, plan->links[i].ifindex)->features =
			plan->links[i].predicted;
}

static void report(struct scene *s)
{
	s->n_events = 0;
	assert_int_equal(event_report(&s->h->states, &s->h->plan, &s->report, &s->h->links, keep, s),
		0);
}

/* One reconcile in which the kernel does as predicted. */
static void reconcile(struct scene *s)
{
	unit_plan(s->h);
	carry_out(s);
	report(s);
}

static void one_event_has_what_was_done_by_which_rule(void **state)
{
	struct scene *s = *state;

	unit_off(s->h, "vlan10", "tx-scatter-gather");
	unit_inactive(s->h, "vlan10", "tso");
	reconcile(s);
	assert_int_equal(s->n_events, 1);
	assert_int_equal(s->events[0].code, FINDING_REPAIRED);
	assert_int_equal(s->events[0].ifindex, 10);
	assert_string_equal(s->events[0].link, "vlan10");
	assert_string_equal(s->events[0].rules, "10-vlan.rule");
	assert_int_equal(s->events[0].n_rules, 1);
	assert_int_equal(s->events[0].on, unit_set(&s->h->features,
		"tx-scatter-gather tx-tcp-segmentation tx-tcp-ecn-segmentation tx-tcp6-segmentation"));
	assert_int_equal(s->events[0].off, 0);

	/* nothing to do, nothing to report */
	reconcile(s);
	assert_int_equal(s->n_events, 0);
	assert_int_equal(s->h->states.n_reported, 0);
}

static void what_follows_is_part_of_what_it_follows(void **state)
{
	struct scene *s = *state;

	unit_off(s->h, "bond0", "tx-scatter-gather");
	unit_inactive(s->h, "bond0", "tso");
	unit_inactive(s->h, "vlan10", "tx-scatter-gather tso");
	unit_inactive(s->h, "vlan100", "tx-scatter-gather tso");
	reconcile(s);
	assert_int_equal(s->n_events, 1);
	assert_string_equal(s->events[0].link, "bond0");
	assert_int_equal(s->events[0].on, unit_set(&s->h->features, "tx-scatter-gather"));
	assert_string_equal(s->events[0].other_link, "vlan10");
	assert_int_equal(s->events[0].n_others, 1);
}

static void an_audit_reports_drift_once(void **state)
{
	struct scene *s = *state;

	s->h->context.audit = true;
	unit_off(s->h, "eth3", "tx-scatter-gather");
	unit_plan(s->h);
	report(s);
	assert_int_equal(s->n_events, 1);
	assert_int_equal(s->events[0].code, FINDING_DRIFTED);
	assert_string_equal(s->events[0].link, "eth3");
	assert_int_equal(s->events[0].on, unit_set(&s->h->features, "tx-scatter-gather"));
	report(s);
	assert_int_equal(s->n_events, 0);
	assert_int_equal(s->h->states.n_reported, 1);

	/* other rules: reported again */
	link_states_clear(&s->h->states);
	report(s);
	assert_int_equal(s->n_events, 1);

	/* repaired by another program */
	link_table_find(&s->h->links, 3)->features = link_table_find(&s->h->links, 2)->features;
	unit_plan(s->h);
	report(s);
	assert_int_equal(s->n_events, 1);
	assert_int_equal(s->events[0].code, FINDING_RECOVERED);
	assert_int_equal(s->h->states.n_reported, 0);
}

static void what_is_unsupported_is_reported_once_with_the_reason(void **state)
{
	struct scene *s = *state;

	link_table_find(&s->h->links, 3)->features.hw &= ~unit_set(&s->h->features, "sg");
	unit_off(s->h, "eth3", "tx-scatter-gather tx-scatter-gather-fraglist");
	reconcile(s);
	assert_int_equal(s->n_events, 1);
	assert_int_equal(s->events[0].code, FINDING_UNMET);
	assert_int_equal(s->events[0].n_causes, 1);
	assert_int_equal(s->events[0].causes[0].code, CAUSE_UNSUPPORTED_DRIVER);
	assert_string_equal(s->events[0].rules, "30-port.rule");
	reconcile(s);
	assert_int_equal(s->n_events, 0);
	link_states_remove(&s->h->states, 3);
	reconcile(s);
	assert_int_equal(s->n_events, 1);
}

static void a_refusal_carries_the_kernels_words(void **state)
{
	struct scene *s = *state;

	unit_off(s->h, "eth3", "tx-scatter-gather");
	unit_plan(s->h);
	s->report.n_results = 1;
	s->results[0] = (struct apply_result){ .ifindex = 3, .asked = s->h->plan.steps[0].mask,
		.value = s->h->plan.steps[0].mask, .missed = s->h->plan.steps[0].mask, .error = -EBUSY,
		.text = "firmware is busy" };
	report(s);
	assert_int_equal(s->n_events, 1);
	assert_int_equal(s->events[0].code, FINDING_REFUSED);
	assert_string_equal(s->events[0].words, "firmware is busy");
	assert_int_equal(s->events[0].n_causes, 0);
	report(s);
	assert_int_equal(s->n_events, 0);
	strcpy(s->results[0].text, "firmware is broken");
	report(s);
	assert_int_equal(s->n_events, 1);

	/* acknowledged, and not so */
	s->results[0].error = 0;
	report(s);
	assert_int_equal(s->n_events, 1);
	assert_int_equal(s->events[0].code, FINDING_UNMET);
	assert_int_equal(s->events[0].n_causes, 1);
	assert_int_equal(s->events[0].causes[0].code, CAUSE_UNKNOWN);

	/* a link that is gone has its own event */
	link_states_clear(&s->h->states);
	s->results[0].error = -ENODEV;
	report(s);
	assert_int_equal(s->n_events, 0);
}

static void what_cannot_be_read_is_reported_once_and_when_it_is_over(void **state)
{
	struct scene *s = *state;
	struct link *eth2 = link_table_find_name(&s->h->links, "eth2");

	eth2->has_features = false;
	eth2->features_error = -EIO;
	for (int round = 0; round < 2; round++) {
		unit_plan(s->h);
		report(s);
		assert_int_equal(s->n_events, round == 0);
	}
	assert_int_equal(s->events[0].code, FINDING_UNREADABLE);
	assert_int_equal(s->events[0].error, -EIO);
	assert_int_equal(s->events[0].on, unit_set(&s->h->features, "sg"));
	eth2->has_features = true;
	eth2->features_error = 0;
	reconcile(s);
	assert_int_equal(s->n_events, 1);
	assert_int_equal(s->events[0].code, FINDING_READABLE);
	assert_string_equal(s->events[0].rules, "30-port.rule");
}

static void contention_is_one_event_until_it_is_resolved(void **state)
{
	struct scene *s = *state;

	link_state_contention(unit_state(s->h, 4))->contended = FEATURE(0);
	for (unsigned i = 0; i < 3; i++) {
		/* off: the bond is contended, the VLANs go with it */
		unit_off(s->h, "bond0", "tx-scatter-gather");
		unit_inactive(s->h, "vlan10", "tx-scatter-gather tso");
		unit_inactive(s->h, "vlan100", "tx-scatter-gather tso");
		reconcile(s);
		assert_int_equal(s->n_events, i == 0);
		/* on */
		for (int ifindex = 4; ifindex <= 11; ifindex++)
			if (link_table_find(&s->h->links, ifindex))
				link_table_find(&s->h->links, ifindex)->features =
					link_table_find(&s->h->links, 2)->features;
		if (i == 0) {
			assert_int_equal(s->events[0].code, FINDING_CONTENDED);
			assert_string_equal(s->events[0].link, "bond0");
		}
		reconcile(s);
		assert_int_equal(s->n_events, 0);
	}
	s->n_events = 0;
	event_report_resolved(&s->h->states, link_table_find(&s->h->links, 4), FEATURE(0), 0, keep, s);
	assert_int_equal(s->n_events, 1);
	assert_int_equal(s->events[0].code, FINDING_RESOLVED);
	link_state_contention(unit_state(s->h, 4))->contended = 0;
	unit_off(s->h, "bond0", "tx-scatter-gather");
	reconcile(s);
	assert_int_equal(s->events[0].code, FINDING_REPAIRED);
	assert_int_equal(s->h->states.n_reported, 0);
}

static void kinds_have_names_and_ids_of_their_own(void **state)
{
	(void)state;
	for (unsigned i = 0; i < EVENT_KIND_COUNT; i++) {
		const char *id = event_message_id(i);

		assert_int_equal(strlen(id), 32);
		for (const char *c = id; *c; c++)
			assert_true(isxdigit((unsigned char)*c) && !isupper((unsigned char)*c));
		for (unsigned j = 0; j < i; j++) {
			assert_string_not_equal(id, event_message_id(j));
			assert_string_not_equal(event_kind_name(i), event_kind_name(j));
		}
	}
}

static void events_are_bounded(void **state)
{
	struct event_limit limit = { 0 };
	uint64_t now = 100 * USEC_PER_SEC;

	(void)state;
	for (unsigned i = 0; i < EVENT_LIMIT_BURST; i++)
		assert_true(event_limit_allows(&limit, now));
	assert_false(event_limit_allows(&limit, now + EVENT_LIMIT_USEC - 1));
	assert_int_equal(limit.suppressed, 1);
	assert_true(event_limit_allows(&limit, now + EVENT_LIMIT_USEC));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(one_event_has_what_was_done_by_which_rule),
		TEST(what_follows_is_part_of_what_it_follows),
		TEST(an_audit_reports_drift_once),
		TEST(what_is_unsupported_is_reported_once_with_the_reason),
		TEST(a_refusal_carries_the_kernels_words),
		TEST(what_cannot_be_read_is_reported_once_and_when_it_is_over),
		TEST(contention_is_one_event_until_it_is_resolved),
		cmocka_unit_test(kinds_have_names_and_ids_of_their_own),
		cmocka_unit_test(events_are_bounded),
	};

	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
