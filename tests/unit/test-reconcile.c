/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/contention.h"
#include "engine/reconcile.h"
#include "unit-ethtool.h"

#define KEEP_MAX 32
#define MSEC USEC_PER_MSEC

struct scene {
	struct unit_host *h; /* features and host; links and rules go to those below */
	struct observe o;
	struct unit_ethtool ethtool;
	struct reconcile *reconcile;
	uint64_t now;
	struct finding events[KEEP_MAX];
	size_t n_events;
};

static void keep(const struct finding *event, void *userdata)
{
	struct scene *s = userdata;

	assert_in_range(s->n_events, 0, KEEP_MAX - 1);
	s->events[s->n_events++] = *event;
}

static void start(struct scene *s, bool enforce)
{
	const struct reconcile_options options = { .enforce = enforce, .fn = keep, .userdata = s };

	assert_int_equal(reconcile_new(&s->o, &s->h->host, &options, &s->reconcile), 0);
	reconcile_take_rules(s->reconcile, &s->h->rules);
}

static int setup(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	s->h = unit_host_new();
	s->now = 1000 * USEC_PER_SEC;
	unit_incident(s->h);
	unit_rule(s->h, "10-vlan.rule", "[Match]\nKind=vlan\n[Features]\nsg=lower\ntso=lower\n");
	unit_rule(s->h, "20-bond.rule", "[Match]\nKind=bond\n[Features]\nsg=lower\n");
	unit_rule(s->h, "30-port.rule", "[Match]\nRole=bond-port\n[Features]\nsg=on\n");
	s->o.features = s->h->features;
	s->o.links = s->h->links;
	s->h->links = (struct link_table){ 0 };
	s->o.ethtool = &s->ethtool.base;
	unit_ethtool_take(&s->ethtool, &s->o.links);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	reconcile_free(s->reconcile);
	link_table_clear(&s->o.links);
	unit_host_free(s->h);
	free(s);
	return 0;
}

static unsigned sets(struct scene *s)
{
	unsigned n = 0;

	for (size_t i = 0; i < s->ethtool.n_devices; i++)
		n += s->ethtool.devices[i].sets;
	return n;
}

/* What the daemon does after reading events. */
static int settle(struct scene *s)
{
	s->n_events = 0;
	reconcile_tick(s->reconcile, s->now);
	return reconcile_is_pending(s->reconcile) ? reconcile_run(s->reconcile, s->now, 0) : 0;
}

/* Somebody's `ethtool -K name words off` or on, and the notification of it. */
static void by_hand(struct scene *s, const char *name, const char *words, bool on)
{
	struct unit_device *d = unit_device(&s->ethtool, name);
	struct link *link = link_table_find_name(&s->o.links, name);
	feature_set set = unit_set(&s->h->features, words);

	d->features.wanted = (d->features.wanted & ~set) | (on ? set : 0);
	d->features.active = (d->features.active & ~set) | (on ? set : 0);
	link->features = d->features;
	if (s->o.changed) /* it has started */
		s->o.changed(link->ifindex, link, s->o.userdata);
}

static bool is_on(struct scene *s, const char *name, const char *words)
{
	feature_set set = unit_set(&s->h->features, words);

	return (unit_device(&s->ethtool, name)->features.active & set) == set;
}

static const struct link_result *kept(struct scene *s, const char *name)
{
	const struct link *link = link_table_find_name(&s->o.links, name);

	return &link_states_find(reconcile_states(s->reconcile), link->ifindex)->result;
}

static void drift_is_repaired_at_once_and_that_is_a_fixed_point(void **state)
{
	struct scene *s = *state;

	start(s, true);
	assert_int_equal(settle(s), 0);
	assert_int_equal(sets(s), 0);
	assert_int_equal(s->n_events, 0);
	assert_false(reconcile_is_pending(s->reconcile));
	assert_int_equal(reconcile_deadline(s->reconcile), 0); /* idle: nothing to wake for */

	by_hand(s, "vlan10", "tx-scatter-gather", false);
	assert_true(reconcile_is_pending(s->reconcile));
	assert_int_equal(settle(s), 1);
	assert_true(is_on(s, "vlan10", "tx-scatter-gather"));
	assert_int_equal(sets(s), 1);
	assert_int_equal(s->n_events, 1);
	assert_int_equal(s->events[0].code, FINDING_REPAIRED);
	assert_false(reconcile_is_pending(s->reconcile));
	assert_int_equal(reconcile_deadline(s->reconcile), 0);
	assert_int_equal(reconcile_exit_code(s->reconcile), 0);

	/* looking at everything again does nothing */
	reconcile_mark_all(s->reconcile);
	assert_int_equal(settle(s), 0);
	assert_int_equal(sets(s), 1);
	assert_int_equal(s->n_events, 0);
}

/* Another kernel has it, this one does not: reported once, by name. Off would match. */
static void a_feature_of_other_kernels_is_reported_once(void **state)
{
	struct scene *s = *state;
	char text[128];

	unit_rule(s->h, "40-new.rule", "[Match]\nName=vlan10\n[Features]\ntx-tcp-accecn-segmentation=on\nufo=off\n");
	start(s, true);
	assert_int_equal(settle(s), 0);
	assert_int_equal(s->n_events, 1);
	assert_int_equal(s->events[0].code, FINDING_NOT_IN_KERNEL);
	assert_int_equal(finding_event(s->events[0].code), EVENT_UNMET);
	assert_string_equal(s->events[0].link, "vlan10");
	assert_string_equal(s->events[0].rules, "40-new.rule");
	assert_string_equal(finding_format_features(&s->events[0], &s->h->features, text, sizeof(text)), "tx-tcp-accecn-segmentation");
	assert_int_equal(kept(s, "vlan10")->foreign, 1);

	reconcile_mark_all(s->reconcile);
	assert_int_equal(settle(s), 0);
	assert_int_equal(s->n_events, 0);
}

static uint64_t drifts(struct scene *s, size_t bucket)
{
	return reconcile_drift(s->reconcile)->counts[bucket];
}

/* How long it drifted: until we repair it, or someone else. What is set on a new link was never as declared. */
static void the_time_from_drift_to_repair_is_counted(void **state)
{
	const struct contention_limits limits = CONTENTION_LIMITS;
	struct scene *s = *state;

	by_hand(s, "vlan10", "tx-scatter-gather", false);
	start(s, true);
	assert_int_equal(settle(s), 1);
	reconcile_note_reaction(s->reconcile, 5 * MSEC);
	assert_int_equal(drifts(s, 0), 0);
	assert_int_equal(reconcile_count(s->reconcile).sets, 1);
	assert_int_equal(reconcile_count(s->reconcile).sets_drift, 0);

	by_hand(s, "vlan10", "tx-scatter-gather", false);
	assert_int_equal(settle(s), 1);
	reconcile_note_reaction(s->reconcile, 5 * MSEC); /* up to 10 ms */
	assert_int_equal(drifts(s, 0), 1);
	assert_int_equal(reconcile_count(s->reconcile).sets, 2);
	assert_int_equal(reconcile_count(s->reconcile).sets_drift, 1);

	reconcile_configure(s->reconcile, false, &limits);
	assert_int_equal(settle(s), 0);
	by_hand(s, "vlan10", "tx-scatter-gather", false);
	assert_int_equal(settle(s), 0);
	s->now += 90 * USEC_PER_SEC;
	by_hand(s, "vlan10", "tx-scatter-gather", true);
	assert_int_equal(settle(s), 0);
	reconcile_note_reaction(s->reconcile, 5 * MSEC);
	assert_int_equal(drifts(s, 0), 1);
	assert_int_equal(drifts(s, 5), 1); /* more than a minute, up to ten */
	assert_int_equal(reconcile_drift(s->reconcile)->sum_usec, 90 * USEC_PER_SEC + 5 * MSEC);
}

static void an_audit_never_writes(void **state)
{
	struct scene *s = *state;

	start(s, false);
	settle(s);
	by_hand(s, "vlan10", "tx-scatter-gather", false);
	assert_int_equal(settle(s), 0);
	assert_int_equal(sets(s), 0);
	assert_int_equal(s->n_events, 1);
	assert_int_equal(s->events[0].code, FINDING_DRIFTED);
	assert_int_equal(reconcile_exit_code(s->reconcile), 2);
}

static void what_cannot_be_had_is_not_retried_until_something_changes(void **state)
{
	struct scene *s = *state;
	struct unit_device *eth3 = unit_device(&s->ethtool, "eth3");
	unsigned rounds = 0;

	start(s, true);
	settle(s);
	eth3->deaf = FEATURE(0);
	by_hand(s, "eth3", "tx-scatter-gather", false);
	settle(s);
	assert_int_equal(eth3->sets, 1);
	assert_int_equal(s->n_events, 1);
	assert_int_equal(s->events[0].code, FINDING_UNMET);
	assert_int_equal(reconcile_exit_code(s->reconcile), 4);
	for (; reconcile_deadline(s->reconcile); rounds++) {
		s->now = reconcile_deadline(s->reconcile);
		settle(s);
		assert_int_equal(s->n_events, 0);
	}
	assert_int_equal(rounds, APPLY_RETRY_MAX);
	assert_int_equal(eth3->recomputes, APPLY_RETRY_MAX);
	assert_int_equal(eth3->sets, 1);

	/* the trouble of the link above makes us look, not ask again, though nobody asks for it now */
	eth3->features.wanted &= ~FEATURE(0);
	link_table_find(&s->o.links, 3)->features = eth3->features;
	by_hand(s, "bond0", "tx-scatter-gather", false);
	settle(s);
	assert_int_equal(eth3->sets, 1);
	assert_true(is_on(s, "bond0", "tx-scatter-gather"));

	/* a change of the link itself is a reason to try again */
	eth3->deaf = 0;
	by_hand(s, "eth3", "tx-generic-segmentation", false);
	settle(s);
	assert_int_equal(eth3->sets, 2);
	assert_true(is_on(s, "eth3", "tx-scatter-gather"));
}

static void a_refusal_that_may_pass_is_tried_again_a_few_times(void **state)
{
	struct scene *s = *state;
	struct unit_device *eth3 = unit_device(&s->ethtool, "eth3");
	unsigned rounds = 0;

	start(s, true);
	settle(s);
	eth3->set_error = -EBUSY;
	by_hand(s, "eth3", "tx-scatter-gather", false);
	settle(s);
	assert_int_equal(eth3->sets, 1);
	assert_int_equal(s->events[0].code, FINDING_REFUSED);
	while (reconcile_deadline(s->reconcile) && rounds < 100) {
		s->now = reconcile_deadline(s->reconcile);
		settle(s);
		assert_int_equal(s->n_events, 0);
		rounds++;
	}
	assert_int_equal(rounds, APPLY_RETRY_MAX);
	assert_int_equal(eth3->sets, 1 + APPLY_RETRY_MAX);

	/* one that lasts is not */
	eth3->set_error = -EOPNOTSUPP;
	by_hand(s, "eth3", "tx-generic-segmentation", false);
	settle(s);
	assert_int_equal(eth3->sets, 2 + APPLY_RETRY_MAX);
	assert_int_equal(reconcile_deadline(s->reconcile), 0);

	eth3->set_error = 0;
	by_hand(s, "eth3", "tx-generic-segmentation", true);
	settle(s);
	assert_int_equal(s->events[0].code, FINDING_REPAIRED);
	assert_true(is_on(s, "eth3", "tx-scatter-gather"));
}

static void a_fight_is_left_and_healed(void **state)
{
	struct scene *s = *state;
	unsigned contended = 0, repaired = 0;
	uint64_t end;

	start(s, true);
	settle(s);
	/* 20 s of off and on, every 100 ms */
	for (unsigned i = 0; i < 200; i++) {
		s->now += 100 * MSEC;
		by_hand(s, "vlan10", "tx-scatter-gather", i % 2);
		settle(s);
		for (size_t k = 0; k < s->n_events; k++) {
			contended += s->events[k].code == FINDING_CONTENDED;
			repaired += s->events[k].code == FINDING_REPAIRED;
			assert_true(s->events[k].code == FINDING_CONTENDED ||
				s->events[k].code == FINDING_REPAIRED);
		}
	}
	assert_int_equal(contended, 1);
	assert_int_equal(repaired, CONTENTION_ROUNDS);
	assert_int_equal(unit_device(&s->ethtool, "vlan10")->sets, CONTENTION_ROUNDS);

	by_hand(s, "vlan10", "tx-scatter-gather", false);
	settle(s);
	assert_false(is_on(s, "vlan10", "tx-scatter-gather"));
	end = s->now;
	while (!is_on(s, "vlan10", "tx-scatter-gather")) {
		s->now = reconcile_deadline(s->reconcile);
		settle(s);
	}
	assert_true(s->now - end < 60 * USEC_PER_SEC);
	assert_int_equal(s->n_events, 1);
	assert_int_equal(s->events[0].code, FINDING_REPAIRED);

	/* not resolved before that repair has held */
	assert_int_equal(reconcile_count(s->reconcile).contended, 1);
	assert_int_equal(link_result_verdict(kept(s, "vlan10")), VERDICT_CONTENDED);
	assert_int_equal(reconcile_exit_code(s->reconcile), 4);
	while (reconcile_deadline(s->reconcile)) {
		s->now = reconcile_deadline(s->reconcile);
		settle(s);
	}
	assert_int_equal(s->n_events, 1);
	assert_int_equal(s->events[0].code, FINDING_RESOLVED);
	assert_int_equal(reconcile_count(s->reconcile).contended, 0);
	assert_int_equal(reconcile_exit_code(s->reconcile), 0);
}

/* A SET that fails was not reverted by anybody. */
static void failed_sets_are_no_contention(void **state)
{
	struct scene *s = *state;
	struct unit_device *eth3 = unit_device(&s->ethtool, "eth3");

	start(s, true);
	settle(s);
	for (unsigned i = 0; i < 2 * CONTENTION_ROUNDS; i++) {
		eth3->set_error = i % 2 ? -EBUSY : 0;
		s->ethtool.socket_error = i % 2 ? 0 : -EINTR;
		s->now += APPLY_RETRY_USEC;
		by_hand(s, "eth3", "tx-scatter-gather", false);
		settle(s);
		for (size_t n = 0; n < s->n_events; n++)
			assert_int_equal(s->events[n].code, FINDING_REFUSED);
	}
	eth3->set_error = s->ethtool.socket_error = 0;
	for (unsigned i = 0; i < CONTENTION_ROUNDS; i++) {
		s->now += APPLY_RETRY_USEC;
		by_hand(s, "eth3", "tx-scatter-gather", false);
		settle(s);
		assert_int_equal(s->n_events, 1);
		assert_int_equal(s->events[0].code, FINDING_REPAIRED);
	}
	assert_int_equal(reconcile_count(s->reconcile).contended, 0);
}

/* It sets what is off already, so that there is no event; only a repair shows that it is still there. */
static void who_is_silent_while_it_wins_is_still_there(void **state)
{
	struct scene *s = *state;
	uint64_t end;
	unsigned sets_before;

	start(s, true);
	settle(s);
	for (unsigned i = 0; i <= CONTENTION_ROUNDS; i++) {
		by_hand(s, "vlan10", "tx-scatter-gather", false);
		settle(s);
	}
	assert_int_equal(s->events[0].code, FINDING_CONTENDED);
	sets_before = sets(s);
	for (end = s->now + 3600 * USEC_PER_SEC; s->now < end;) {
		s->now = reconcile_deadline(s->reconcile);
		settle(s);
		for (size_t i = 0; i < s->n_events; i++)
			assert_int_equal(s->events[i].code, FINDING_REPAIRED); /* on trial; nothing else is reported */
		assert_int_equal(link_result_verdict(kept(s, "vlan10")), VERDICT_CONTENDED); /* an alert does not start again */
		if (is_on(s, "vlan10", "tx-scatter-gather")) {
			s->now += USEC_PER_SEC;
			by_hand(s, "vlan10", "tx-scatter-gather", false);
			settle(s);
			assert_int_equal(s->n_events, 0);
		}
	}
	assert_in_range(sets(s) - sets_before, 2, 12);
}

/* A job that runs every minute. */
static void a_slow_fight_is_reported_once(void **state)
{
	struct scene *s = *state;
	unsigned events[FINDING_CODES] = { 0 };

	start(s, true);
	settle(s);
	for (unsigned minute = 0; minute < 24 * 60; minute++) {
		uint64_t end = s->now + 60 * USEC_PER_SEC, next;

		by_hand(s, "vlan10", "tx-scatter-gather", false);
		for (;;) {
			settle(s);
			for (size_t i = 0; i < s->n_events; i++)
				events[s->events[i].code]++;
			next = reconcile_deadline(s->reconcile);
			if (next == 0 || next > end)
				break;
			s->now = next;
		}
		s->now = end;
	}
	assert_int_equal(events[FINDING_CONTENDED], 1);
	assert_int_equal(events[FINDING_RESOLVED], 0);
	assert_in_range(events[FINDING_REPAIRED], CONTENTION_SLOW_ROUNDS, 60);
}

static void lose_carrier(struct scene *s, const char *name)
{
	struct link *link = link_table_find_name(&s->o.links, name);

	link->carrier_losses++;
	s->o.changed(link->ifindex, link, s->o.userdata);
	settle(s);
}

/* SET, reset, and the feature is off again when the carrier is back: hours may be between, or seconds. */
static void a_device_that_resets_is_not_set_again_and_again(void **state)
{
	struct scene *s = *state;

	start(s, true);
	settle(s);
	for (unsigned i = 0; i < 2; i++) {
		by_hand(s, "eth3", "tx-scatter-gather", false);
		assert_int_equal(settle(s), 1);
		s->now += USEC_PER_SEC;
		lose_carrier(s, "eth3");
		s->now += 2 * 3600 * USEC_PER_SEC;
	}
	by_hand(s, "eth3", "tx-scatter-gather", false);
	assert_int_equal(settle(s), 0);
	assert_int_equal(unit_device(&s->ethtool, "eth3")->sets, 2);
	assert_int_equal(s->n_events, 1);
	assert_int_equal(s->events[0].code, FINDING_RESETS);
}

static void what_stands_on_a_fight_is_not_chased(void **state)
{
	struct scene *s = *state;

	start(s, true);
	settle(s);
	for (unsigned i = 0; i < 2 * (CONTENTION_ROUNDS + 1); i++) {
		s->now += 100 * MSEC;
		by_hand(s, "bond0", "tx-scatter-gather", i % 2);
		settle(s);
	}
	assert_false(reconcile_is_pending(s->reconcile));
	assert_true(reconcile_is_deferring(s->reconcile));
	by_hand(s, "vlan10", "tx-scatter-gather", false);
	assert_false(reconcile_is_pending(s->reconcile));
	by_hand(s, "eth2", "tx-scatter-gather", false);
	assert_true(reconcile_is_pending(s->reconcile));
	assert_false(reconcile_is_deferring(s->reconcile));
	settle(s);
	s->now += RECONCILE_DEFER_USEC;
	reconcile_tick(s->reconcile, s->now);
	assert_true(reconcile_is_pending(s->reconcile));
	settle(s);
	assert_true(is_on(s, "vlan10", "tx-scatter-gather"));
}

static void a_link_that_goes_is_forgotten(void **state)
{
	struct scene *s = *state;

	start(s, true);
	settle(s);
	unit_device(&s->ethtool, "vlan10")->set_error = -EBUSY;
	by_hand(s, "vlan10", "tx-scatter-gather", false);
	settle(s);
	by_hand(s, "vlan10", "tx-generic-segmentation", false);
	link_table_remove(&s->o.links, 10);
	s->o.changed(10, NULL, s->o.userdata);
	assert_false(reconcile_is_pending(s->reconcile));
	s->now = reconcile_deadline(s->reconcile);
	settle(s);
	assert_int_equal(reconcile_deadline(s->reconcile), 0);
	assert_int_equal(reconcile_count(s->reconcile).problems, 0);
	assert_null(link_states_find(reconcile_states(s->reconcile), 10));
}

static void a_failed_run_is_tried_again_later_not_at_once(void **state)
{
	struct scene *s = *state;

	start(s, true);
	settle(s);
	by_hand(s, "vlan10", "tx-scatter-gather", false);
	s->ethtool.socket_error = -ENOBUFS;
	assert_int_equal(settle(s), -ENOBUFS);
	assert_false(reconcile_is_pending(s->reconcile));
	s->ethtool.socket_error = 0;
	s->now = reconcile_deadline(s->reconcile);
	assert_int_equal(settle(s), 1);
	assert_true(is_on(s, "vlan10", "tx-scatter-gather"));
}

static void a_reload_after_a_failed_run_tries_at_once(void **state)
{
	struct scene *s = *state;
	struct rule_set rules;

	start(s, true);
	settle(s);
	by_hand(s, "vlan10", "tx-scatter-gather", false);
	s->ethtool.socket_error = -ENOBUFS;
	assert_int_equal(settle(s), -ENOBUFS);
	assert_false(reconcile_is_settled(s->reconcile));
	s->ethtool.socket_error = 0;
	unit_rule(s->h, "10-vlan.rule", "[Match]\nKind=vlan\n[Features]\nsg=lower\ntso=lower\n");
	rules = s->h->rules;
	s->h->rules = (struct rule_set){ 0 };
	reconcile_take_rules(s->reconcile, &rules);
	assert_int_equal(settle(s), 1);
	assert_true(is_on(s, "vlan10", "tx-scatter-gather"));
	assert_true(reconcile_is_settled(s->reconcile));
	assert_int_equal(reconcile_deadline(s->reconcile), 0);
}

/* ndo_set_features() failed: `wanted` is taken, nothing follows, and the kernel says that all is well */
static void a_driver_that_was_busy_is_asked_again(void **state)
{
	struct scene *s = *state;
	struct unit_device *eth3 = unit_device(&s->ethtool, "eth3");

	start(s, true);
	settle(s);
	eth3->deaf = FEATURE(0);
	by_hand(s, "eth3", "tx-scatter-gather", false);
	settle(s);
	assert_false(is_on(s, "eth3", "tx-scatter-gather"));
	eth3->deaf = 0;
	s->now = reconcile_deadline(s->reconcile);
	settle(s);
	assert_true(is_on(s, "eth3", "tx-scatter-gather"));
	assert_int_equal(s->n_events, 1);
	assert_int_equal(s->events[0].code, FINDING_RECOVERED);
	assert_int_equal(eth3->sets, 1);
	assert_int_equal(reconcile_deadline(s->reconcile), 0);
}

/* The cards are of a driver that was never compared: what it turns on is uncertain. */
static void uncertain_predictions_are_counted(void **state)
{
	struct scene *s = *state;
	struct unit_device *eth3 = unit_device(&s->ethtool, "eth3");
	struct reconcile_counts counts;

	start(s, true);
	settle(s);
	assert_int_equal(reconcile_count(s->reconcile).uncertain_right + reconcile_count(s->reconcile).uncertain_wrong, 0);
	by_hand(s, "eth3", "tx-scatter-gather", false);
	settle(s);
	assert_true(is_on(s, "eth3", "tx-scatter-gather"));
	counts = reconcile_count(s->reconcile);
	assert_in_range(counts.uncertain_right, 1, FEATURE_MAX);
	assert_int_equal(counts.uncertain_wrong, 0);
	eth3->deaf = FEATURE(0);
	by_hand(s, "eth3", "tx-scatter-gather", false);
	settle(s);
	assert_false(is_on(s, "eth3", "tx-scatter-gather"));
	assert_in_range(reconcile_count(s->reconcile).uncertain_wrong, 1, FEATURE_MAX);
}

static void switch_off_checksum(struct unit_device *d)
{
	d->features.wanted &= ~FEATURE(3);
	d->features.active &= ~FEATURE(3);
	d->after_set = NULL;
}

static void expect_work(struct scene *s, uint64_t plans)
{
	assert_int_equal(reconcile_count(s->reconcile).plans, plans);
	assert_int_equal(reconcile_count(s->reconcile).predictions, plans);
}

static void a_drift_is_one_plan_and_one_prediction(void **state)
{
	struct scene *s = *state;
	const struct contention_limits limits = CONTENTION_LIMITS;
	struct link_summary summary;

	start(s, true);
	settle(s);
	expect_work(s, 1);
	assert_int_equal(link_result_verdict(kept(s, "vlan10")), VERDICT_COMPLIANT);
	by_hand(s, "vlan10", "tx-scatter-gather", false);
	settle(s);
	expect_work(s, 2);
	assert_int_equal(link_result_verdict(kept(s, "vlan10")), VERDICT_COMPLIANT);
	assert_true(kept(s, "vlan10")->features[VERDICT_COMPLIANT] & FEATURE(0));
	assert_false(kept(s, "vlan10")->pending);

	/* the round that makes it contention, too */
	for (unsigned i = 2; i <= CONTENTION_ROUNDS + 1; i++) {
		by_hand(s, "vlan10", "tx-scatter-gather", false);
		settle(s);
		expect_work(s, i + 1);
	}
	assert_int_equal(s->events[0].code, FINDING_CONTENDED);
	assert_int_equal(kept(s, "vlan10")->features[VERDICT_CONTENDED], FEATURE(0));
	assert_int_equal(reconcile_exit_code(s->reconcile), 4);
	assert_int_equal(reconcile_count(s->reconcile).contended, 1);

	reconcile_configure(s->reconcile, false, &limits);
	settle(s);
	expect_work(s, CONTENTION_ROUNDS + 3);
	by_hand(s, "vlan100", "tx-scatter-gather", false);
	settle(s);
	expect_work(s, CONTENTION_ROUNDS + 4);
	assert_int_equal(kept(s, "vlan100")->features[VERDICT_DRIFTED], FEATURE(0));
	assert_false(kept(s, "vlan100")->pending); /* nobody will change it */
	assert_int_equal(reconcile_exit_code(s->reconcile), 6);
	link_states_summarize(reconcile_states(s->reconcile), &summary);
	assert_int_equal(summary.links[VERDICT_COMPLIANT], 3);
	assert_int_equal(summary.links[VERDICT_DRIFTED], 1);
	assert_int_equal(summary.links[VERDICT_CONTENDED], 1);
	assert_int_equal(summary.pending, 0);
	expect_work(s, CONTENTION_ROUNDS + 4);
}

/* Its active features, as a notification of the kernel has them. */
static void becomes(struct scene *s, const char *name, const char *words, bool on)
{
	struct unit_device *d = unit_device(&s->ethtool, name);
	struct link *link = link_table_find_name(&s->o.links, name);
	feature_set set = unit_set(&s->h->features, words);

	d->features.active = (d->features.active & ~set) | (on ? set : 0);
	link->features = d->features;
	s->o.changed(link->ifindex, link, s->o.userdata);
}

/* Kernel 7.2: a VLAN may follow the link below it a little after the SET. */
static void a_link_that_follows_late_is_waited_for(void **state)
{
	struct scene *s = *state;

	start(s, true);
	settle(s);
	by_hand(s, "bond0", "tx-scatter-gather", false);
	becomes(s, "vlan10", "tx-scatter-gather", false);
	becomes(s, "vlan100", "tx-scatter-gather", false);
	assert_int_equal(settle(s), 1);
	assert_int_equal(sets(s), 1);
	assert_int_equal(s->n_events, 0); /* nothing is said of what may still come right */
	assert_false(reconcile_is_pending(s->reconcile));
	assert_false(reconcile_is_settled(s->reconcile));
	assert_int_equal(reconcile_deadline(s->reconcile), s->now + APPLY_LATE_USEC);

	becomes(s, "vlan10", "tx-scatter-gather", true);
	assert_false(reconcile_is_pending(s->reconcile));
	becomes(s, "vlan100", "tx-scatter-gather", true);
	assert_true(reconcile_is_pending(s->reconcile));
	assert_true(reconcile_is_waiting(s->reconcile));
	assert_int_equal(settle(s), 1); /* the repair is complete now: the reaction ends here */
	assert_int_equal(s->n_events, 1);
	assert_false(reconcile_is_waiting(s->reconcile));
	assert_int_equal(s->events[0].code, FINDING_REPAIRED);
	assert_string_equal(s->events[0].link, "bond0");
	assert_string_equal(s->events[0].other_link, "vlan10");
	assert_int_equal(s->events[0].n_others, 1);
	assert_true(reconcile_is_settled(s->reconcile));
	assert_int_equal(reconcile_deadline(s->reconcile), 0);
	assert_int_equal(reconcile_exit_code(s->reconcile), 0);
	expect_work(s, 2);
	assert_int_equal(sets(s), 1);
}

static void a_link_that_does_not_follow_is_reported_in_the_end(void **state)
{
	struct scene *s = *state;

	start(s, true);
	settle(s);
	by_hand(s, "bond0", "tx-scatter-gather", false);
	becomes(s, "vlan10", "tx-scatter-gather", false);
	settle(s);
	by_hand(s, "eth2", "tx-scatter-gather", false); /* meanwhile; it has to wait */
	assert_false(reconcile_is_pending(s->reconcile));
	s->now += APPLY_LATE_USEC;
	settle(s);
	assert_true(is_on(s, "eth2", "tx-scatter-gather"));
	assert_true(s->n_events >= 2);
	assert_int_equal(s->events[0].code, FINDING_REPAIRED);
	assert_string_equal(s->events[0].link, "bond0");
	assert_int_equal(s->events[1].code, FINDING_UNMET);
	assert_string_equal(s->events[1].link, "vlan10");
}

/* The same if another program changed the link below: what may come right by itself is not reported. */
static void a_link_that_follows_another_program_late_is_waited_for(void **state)
{
	struct scene *s = *state;
	const struct unit_device *vlan = unit_device(&s->ethtool, "vlan10");
	unsigned before;

	unit_rule(s->h, "40-vlan.rule", "[Match]\nKind=vlan\n[Features]\ntx-tcp-segmentation=on\n");
	unit_device(&s->ethtool, "vlan10")->deaf = FEATURE(16); /* a recompute does not help */
	start(s, true);
	settle(s);
	by_hand(s, "bond0", "tx-tcp-segmentation", false); /* no rule says anything of it */
	becomes(s, "vlan10", "tx-tcp-segmentation", false);
	becomes(s, "vlan100", "tx-tcp-segmentation", false);
	settle(s);
	s->now += USEC_PER_SEC;
	by_hand(s, "bond0", "tx-tcp-segmentation", true);
	before = vlan->recomputes;
	becomes(s, "vlan100", "tx-tcp-segmentation", true);
	settle(s);
	assert_int_equal(s->n_events, 0);
	assert_int_equal(vlan->recomputes, before); /* the kernel will compute them without being asked */
	assert_true(kept(s, "vlan10")->pending);
	s->now += 12 * MSEC;
	becomes(s, "vlan10", "tx-tcp-segmentation", true);
	settle(s);
	assert_int_equal(s->n_events, 0);
	assert_int_equal(link_result_verdict(kept(s, "vlan10")), VERDICT_COMPLIANT);
	assert_false(kept(s, "vlan10")->pending);
	while (reconcile_deadline(s->reconcile)) {
		s->now = reconcile_deadline(s->reconcile);
		settle(s);
		assert_int_equal(s->n_events, 0);
	}
	assert_int_equal(vlan->recomputes, before);
}

static void a_link_that_does_not_follow_another_program_is_reported(void **state)
{
	struct scene *s = *state;
	const struct unit_device *vlan = unit_device(&s->ethtool, "vlan10");
	unsigned before;

	unit_rule(s->h, "40-vlan.rule", "[Match]\nKind=vlan\n[Features]\ntx-tcp-segmentation=on\n");
	unit_device(&s->ethtool, "vlan10")->deaf = FEATURE(16); /* a recompute does not help */
	start(s, true);
	settle(s);
	by_hand(s, "bond0", "tx-tcp-segmentation", false);
	becomes(s, "vlan10", "tx-tcp-segmentation", false);
	becomes(s, "vlan100", "tx-tcp-segmentation", false);
	settle(s);
	s->now += USEC_PER_SEC;
	by_hand(s, "bond0", "tx-tcp-segmentation", true);
	before = vlan->recomputes;
	becomes(s, "vlan100", "tx-tcp-segmentation", true);
	settle(s);
	assert_int_equal(s->n_events, 0);
	assert_int_equal(vlan->recomputes, before); /* the kernel will compute them without being asked */
	assert_int_equal(reconcile_deadline(s->reconcile), s->now + APPLY_LATE_USEC);
	s->now += APPLY_LATE_USEC;
	settle(s);
	assert_int_equal(vlan->recomputes, before + 1);
	assert_int_equal(s->n_events, 1);
	assert_int_equal(s->events[0].code, FINDING_UNMET);
	assert_string_equal(s->events[0].link, "vlan10");
}

/* What came back is what is kept, and nothing waits for what will not be done. */
static void what_a_repair_missed_is_kept(void **state)
{
	struct scene *s = *state;
	struct unit_device *eth3 = unit_device(&s->ethtool, "eth3");

	start(s, true);
	settle(s);
	eth3->set_error = -EOPNOTSUPP;
	by_hand(s, "eth3", "tx-scatter-gather", false);
	settle(s);
	assert_int_equal(kept(s, "eth3")->features[VERDICT_REFUSED], FEATURE(0));
	assert_false(kept(s, "eth3")->pending);
	while (reconcile_is_pending(s->reconcile))
		settle(s);
	assert_int_equal(kept(s, "eth3")->features[VERDICT_REFUSED], FEATURE(0));

	eth3->set_error = 0;
	eth3->deaf = FEATURE(0);
	by_hand(s, "eth3", "tx-scatter-gather", false);
	settle(s);
	assert_int_equal(kept(s, "eth3")->features[VERDICT_BLOCKED], FEATURE(0));
	assert_false(kept(s, "eth3")->pending);
	while (reconcile_is_pending(s->reconcile))
		settle(s);
	assert_int_equal(kept(s, "eth3")->features[VERDICT_BLOCKED], FEATURE(0));
	assert_int_equal(reconcile_exit_code(s->reconcile), 4);
}

/* Nobody knows whose it was. */
static void a_lost_mark_has_everything_read_again(void **state)
{
	struct scene *s = *state;
	struct unit_device *vlan10 = unit_device(&s->ethtool, "vlan10");

	start(s, true);
	settle(s);
	vlan10->features.wanted &= ~FEATURE(0);
	vlan10->features.active &= ~FEATURE(0);
	((struct link_states *)reconcile_states(s->reconcile))->lost = true;
	assert_false(reconcile_is_settled(s->reconcile));
	assert_int_equal(settle(s), 1);
	assert_true(is_on(s, "vlan10", "tx-scatter-gather"));
	assert_true(reconcile_is_settled(s->reconcile));
}

/* its event finds what the read-back found already */
static void what_somebody_did_meanwhile_is_not_lost(void **state)
{
	struct scene *s = *state;

	unit_rule(s->h, "40-vlan.rule", "[Match]\nKind=vlan\n[Features]\ntx-checksum-ip-generic=on\n");
	start(s, true);
	settle(s);
	assert_true(is_on(s, "vlan10", "tx-checksum-ip-generic"));
	unit_device(&s->ethtool, "vlan10")->after_set = switch_off_checksum;
	by_hand(s, "vlan10", "tx-scatter-gather", false);
	assert_int_equal(settle(s), 1);
	assert_false(is_on(s, "vlan10", "tx-checksum-ip-generic"));
	assert_true(reconcile_is_pending(s->reconcile));
	assert_int_equal(settle(s), 1);
	assert_true(is_on(s, "vlan10", "tx-checksum-ip-generic tx-scatter-gather"));
	assert_false(reconcile_is_pending(s->reconcile));
}

/* RTM_DELLINK is on its way: nothing to look at until then. */
static void a_link_that_went_meanwhile_is_not_looked_at_again(void **state)
{
	struct scene *s = *state;

	start(s, true);
	assert_int_equal(settle(s), 0);
	by_hand(s, "vlan10", "tx-scatter-gather", false);
	strcpy(unit_device(&s->ethtool, "vlan10")->name, "gone");
	assert_int_equal(settle(s), 1);
	assert_false(reconcile_is_pending(s->reconcile));
}

/* 5.10 reads nothing of a device that is detached, as for a reset; no event tells when it is back */
static void a_link_that_cannot_be_read_is_read_later(void **state)
{
	struct scene *s = *state;
	struct unit_device *eth3 = unit_device(&s->ethtool, "eth3");
	struct link *link = link_table_find(&s->o.links, 3);

	start(s, true);
	settle(s);
	eth3->get_error = -ENODEV;
	eth3->sets = 1;
	eth3->features.wanted &= ~FEATURE(0);
	eth3->features.active &= ~FEATURE(0);
	link->features_stale = true;
	s->o.changed(3, link, s->o.userdata);
	settle(s);
	assert_int_equal(eth3->sets, 1);
	eth3->get_error = 0;
	assert_int_not_equal(reconcile_deadline(s->reconcile), 0);
	s->now = reconcile_deadline(s->reconcile);
	settle(s);
	assert_true(is_on(s, "eth3", "tx-scatter-gather"));
	assert_int_equal(reconcile_deadline(s->reconcile), 0);
}

/* ---- size limits ---- */

static uint32_t kernel_gso[16]; /* gso_max_size in the kernel, by ifindex */
static unsigned limit_sets;

static int kernel_limits(struct link *link, const struct link_limits *set, _unused_ char *text, _unused_ size_t size)
{
	uint32_t *now = &link->limits.value[LINK_LIMIT_GSO_MAX_SIZE];
	int changed;

	if (set) {
		kernel_gso[link->ifindex] = set->value[LINK_LIMIT_GSO_MAX_SIZE];
		limit_sets++;
		return 0;
	}
	changed = *now != kernel_gso[link->ifindex];
	*now = kernel_gso[link->ifindex];
	return changed;
}

/* Only limits are declared: everything else would be repaired at once. */
static void start_limits(struct scene *s, bool enforce)
{
	s->o.limits = kernel_limits;
	limit_sets = 0;
	link_table_foreach(&s->o.links, link) {
		kernel_gso[link->ifindex] = 65536;
		link->limits = (struct link_limits){ .value = { [LINK_LIMIT_GSO_MAX_SIZE] = 65536 },
			.has = LINK_LIMIT(LINK_LIMIT_GSO_MAX_SIZE) };
	}
	unit_rule(s->h, "40-limits.rule", "[Match]\nKind=bond vlan\n[Limits]\ngso-max-size=lower\n");
	start(s, enforce);
	settle(s);
}

/* Waits for the next time that the daemon wakes up. */
static void wait_deadline(struct scene *s)
{
	assert_int_not_equal(reconcile_deadline(s->reconcile), 0);
	s->now = reconcile_deadline(s->reconcile);
	settle(s);
}

static void a_limit_that_changes_without_an_event_is_repaired(void **state)
{
	struct scene *s = *state;

	start_limits(s, true);
	assert_int_equal(limit_sets, 0);
	assert_int_equal(reconcile_deadline(s->reconcile), s->now + RECONCILE_LIMITS_USEC);
	kernel_gso[10] = 8000;
	wait_deadline(s);
	assert_int_equal(kernel_gso[10], 65536);
	assert_int_equal(limit_sets, 1);
	assert_int_equal(s->n_events, 1);
	assert_int_equal(s->events[0].code, FINDING_REPAIRED);
	assert_int_equal(s->events[0].limits.has, LINK_LIMIT(LINK_LIMIT_GSO_MAX_SIZE));
	assert_int_equal(s->events[0].limits.value[LINK_LIMIT_GSO_MAX_SIZE], 65536);
	assert_int_equal(finding_features(&s->events[0]), 0);
	wait_deadline(s);
	assert_int_equal(s->n_events, 0);
	/* a port below: the whole stack follows in one run */
	kernel_gso[2] = 8000;
	wait_deadline(s);
	assert_int_equal(kernel_gso[4], 8000);
	assert_int_equal(kernel_gso[10], 8000);
	assert_int_equal(kernel_gso[11], 8000);
	assert_int_equal(reconcile_exit_code(s->reconcile), 0);
	/* without a rule nobody wakes up */
	s->h->rules = (struct rule_set){ 0 };
	reconcile_take_rules(s->reconcile, &s->h->rules);
	settle(s);
	assert_int_equal(reconcile_deadline(s->reconcile), 0);
}

/* A repair of something else does not make it compliant. */
static void a_limit_that_cannot_be_known_is_blocked(void **state)
{
	struct scene *s = *state;
	struct link *vlan = link_table_find_name(&s->o.links, "vlan10");

	start_limits(s, true);
	vlan->lower_ifindex = 0;
	vlan->lower_netnsid = 3;
	s->o.links.stacked = false;
	s->o.changed(10, vlan, s->o.userdata);
	settle(s);
	by_hand(s, "vlan100", "tx-scatter-gather", false);
	by_hand(s, "vlan10", "tx-scatter-gather", false);
	kernel_gso[11] = 8000;
	wait_deadline(s);
	assert_int_equal(kernel_gso[11], 65536);
	assert_int_equal(link_states_find(reconcile_states(s->reconcile), 10)->result.limits[VERDICT_BLOCKED],
		LINK_LIMIT(LINK_LIMIT_GSO_MAX_SIZE));
	assert_int_equal(reconcile_exit_code(s->reconcile) & 4, 4);
}

static void a_limit_in_audit_mode_is_only_reported(void **state)
{
	struct scene *s = *state;

	start_limits(s, false);
	kernel_gso[10] = 8000;
	wait_deadline(s);
	assert_int_equal(limit_sets, 0);
	assert_int_equal(s->n_events, 1);
	assert_int_equal(s->events[0].code, FINDING_DRIFTED);
	assert_int_equal(reconcile_exit_code(s->reconcile), 2);
	wait_deadline(s);
	assert_int_equal(s->n_events, 0); /* once */
	kernel_gso[10] = 65536;
	wait_deadline(s);
	assert_int_equal(s->events[0].code, FINDING_RECOVERED);
}

static void a_limit_that_another_program_reverts_is_contended(void **state)
{
	struct scene *s = *state;
	struct link *vlan = link_table_find_name(&s->o.links, "vlan10");
	bool contended = false;

	start_limits(s, true);
	for (unsigned i = 0; i < 10 && !contended; i++) {
		kernel_gso[10] = 8000;
		s->now += 100 * MSEC;
		kernel_limits(vlan, NULL, NULL, 0);
		s->o.changed(10, vlan, s->o.userdata);
		settle(s);
		contended = s->n_events && s->events[0].code == FINDING_CONTENDED;
	}
	assert_true(contended);
	assert_int_equal(s->events[0].limits.has, LINK_LIMIT(LINK_LIMIT_GSO_MAX_SIZE));
	assert_int_equal(kernel_gso[10], 8000);
	assert_int_equal(reconcile_count(s->reconcile).contended, 1);
	for (unsigned i = 0; i < 10 && kernel_gso[10] != 65536; i++)
		wait_deadline(s);
	assert_int_equal(kernel_gso[10], 65536);
	assert_int_equal(reconcile_count(s->reconcile).contended, 1); /* on trial */
	for (unsigned i = 0; i < 100 && reconcile_count(s->reconcile).contended; i++)
		wait_deadline(s);
	assert_int_equal(reconcile_count(s->reconcile).contended, 0);
	assert_int_equal(kernel_gso[10], 65536);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(drift_is_repaired_at_once_and_that_is_a_fixed_point),
		TEST(a_drift_is_one_plan_and_one_prediction),
		TEST(a_link_that_follows_late_is_waited_for),
		TEST(a_link_that_does_not_follow_is_reported_in_the_end),
		TEST(what_a_repair_missed_is_kept),
		TEST(a_lost_mark_has_everything_read_again),
		TEST(a_feature_of_other_kernels_is_reported_once),
		TEST(the_time_from_drift_to_repair_is_counted),
		TEST(an_audit_never_writes),
		TEST(what_cannot_be_had_is_not_retried_until_something_changes),
		TEST(a_refusal_that_may_pass_is_tried_again_a_few_times),
		TEST(a_fight_is_left_and_healed),
		TEST(failed_sets_are_no_contention),
		TEST(who_is_silent_while_it_wins_is_still_there),
		TEST(a_slow_fight_is_reported_once),
		TEST(a_device_that_resets_is_not_set_again_and_again),
		TEST(a_link_that_follows_another_program_late_is_waited_for),
		TEST(a_link_that_does_not_follow_another_program_is_reported),
		TEST(what_stands_on_a_fight_is_not_chased),
		TEST(a_link_that_goes_is_forgotten),
		TEST(a_failed_run_is_tried_again_later_not_at_once),
		TEST(a_reload_after_a_failed_run_tries_at_once),
		TEST(a_driver_that_was_busy_is_asked_again),
		TEST(uncertain_predictions_are_counted),
		TEST(what_somebody_did_meanwhile_is_not_lost),
		TEST(a_link_that_cannot_be_read_is_read_later),
		TEST(a_link_that_went_meanwhile_is_not_looked_at_again),
		cmocka_unit_test_setup_teardown(a_limit_that_changes_without_an_event_is_repaired, setup, teardown),
		cmocka_unit_test_setup_teardown(a_limit_that_cannot_be_known_is_blocked, setup, teardown),
		cmocka_unit_test_setup_teardown(a_limit_in_audit_mode_is_only_reported, setup, teardown),
		cmocka_unit_test_setup_teardown(a_limit_that_another_program_reverts_is_contended, setup, teardown),
	};

	return cmocka_run_group_tests_name("reconcile", tests, NULL, NULL);
}
