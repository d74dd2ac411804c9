/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/contention.h"

#include "unit.h"
#include "basic/util.h"

#define SG FEATURE(0)
#define TSO FEATURE(16)
#define T0 (UINT64_C(1000) * USEC_PER_SEC)

static const struct contention_limits limits = CONTENTION_LIMITS;

struct scene {
	struct link_contention c;
	uint64_t now;
};

static int setup(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	s->now = T0;
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	free(s->c.repairs);
	free(s);
	return 0;
}

/* What a reconcile does about features that drifted: those that are contended now. */
static feature_set drift(struct scene *s, feature_set bits)
{
	feature_set due = contention_due(&limits, &s->c, s->now) & bits;

	bits &= ~due & ~s->c.contended;
	if (bits)
		assert_int_equal(contention_repair(&limits, &s->c, bits, s->now), 0);
	if (due)
		contention_begin(&limits, &s->c, due, s->now);
	return due;
}

/* Drifts every step until they are contended; how many repairs that took. */
static unsigned fight(struct scene *s, feature_set bits, uint64_t step)
{
	unsigned n = 0;

	for (; !drift(s, bits); s->now += step)
		assert_in_range(++n, 1, 1000);
	assert_true((s->c.contended & bits) == bits);
	return n;
}

static feature_set expire(struct scene *s)
{
	feature_set resolved;

	s->now = s->c.quiet_usec - 1;
	assert_false(contention_expire(&limits, &s->c, s->now, &resolved));
	s->now++;
	assert_true(contention_expire(&limits, &s->c, s->now, &resolved));
	return resolved;
}

static void contended_after_four_repairs(void **state)
{
	struct scene *s = *state;

	assert_int_equal(fight(s, SG, 100 * USEC_PER_MSEC), CONTENTION_ROUNDS);
	assert_int_equal(s->c.contended, SG);

	/* the other features of the link are still repaired */
	assert_int_equal(drift(s, SG | TSO), 0);
	assert_int_equal(s->c.contended, SG);
}

/* The first repair is nine seconds before three others: a window that begins with it ends between them. */
static void the_window_slides(void **state)
{
	struct scene *s = *state;

	assert_int_equal(drift(s, SG), 0);
	s->now += 9 * USEC_PER_SEC;
	for (unsigned i = 0; i < 4; i++, s->now += 2 * USEC_PER_SEC)
		assert_int_equal(drift(s, SG), 0);
	assert_int_equal(drift(s, SG), SG);
}

static void a_slow_fight_is_contention(void **state)
{
	static const uint64_t periods[] = { 4, 60, 300 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(periods); i++) {
		struct scene s = { .now = T0 };

		assert_int_equal(fight(&s, SG, periods[i] * USEC_PER_SEC), CONTENTION_SLOW_ROUNDS);
		assert_true(s.c.slow);
		/* longer than the other program takes, or nothing would be learned of it */
		assert_true(s.c.quiet_usec - s.now >= 2 * periods[i] * USEC_PER_SEC);
		free(s.c.repairs);
	}
}

static void seldom_is_no_fight(void **state)
{
	struct scene *s = *state;

	for (unsigned i = 0; i < 1000; i++, s->now += CONTENTION_SLOW_WINDOW_USEC / (CONTENTION_SLOW_ROUNDS - 1))
		assert_int_equal(drift(s, SG), 0);
	assert_in_range(s->c.n_repairs, 1, CONTENTION_SLOW_ROUNDS);
}

static void noise_prolongs_the_quiet_time(void **state)
{
	struct scene *s = *state;
	feature_set resolved;

	assert_false(contention_expire(&limits, &s->c, s->now, &resolved));
	fight(s, SG, 100 * USEC_PER_MSEC);
	assert_int_equal(s->c.quiet_usec, s->now + CONTENTION_QUIET_USEC);

	s->now += CONTENTION_QUIET_USEC - 1;
	contention_disturbed(&limits, &s->c, TSO, s->now); /* another feature */
	assert_int_equal(s->c.quiet_usec, s->now + 1);
	contention_disturbed(&limits, &s->c, SG | TSO, s->now);
	assert_int_equal(s->c.quiet_usec, s->now + CONTENTION_QUIET_USEC);
}

static void it_is_resolved_when_a_repair_has_held(void **state)
{
	struct scene *s = *state;

	fight(s, SG, 100 * USEC_PER_MSEC);
	assert_int_equal(expire(s), 0);
	assert_int_equal(s->c.trial, SG);
	assert_int_equal(drift(s, SG), 0); /* the repair on trial */
	assert_int_equal(s->c.quiet_usec, s->now + CONTENTION_QUIET_USEC);
	assert_int_equal(expire(s), SG);
	assert_int_equal(s->c.contended | s->c.trial, 0);

	/* a new contention needs new repairs */
	assert_int_equal(fight(s, SG, 100 * USEC_PER_MSEC), CONTENTION_ROUNDS);
	assert_int_equal(s->c.quiet_usec, s->now + CONTENTION_QUIET_USEC);
}

static void a_trial_that_was_not_repaired_is_not_over(void **state)
{
	struct scene *s = *state;

	fight(s, SG | TSO, 100 * USEC_PER_MSEC);
	assert_int_equal(expire(s), 0);
	s->c.unheld = SG; /* paused, for example */
	assert_int_equal(expire(s), TSO);
	assert_int_equal(s->c.trial, SG);
	s->c.unheld = 0;
	assert_int_equal(expire(s), SG);
}

/* One repair each time, after longer and longer times, also if nothing was to be seen meanwhile. */
static void a_trial_that_fails_waits_longer(void **state)
{
	struct scene *s = *state;
	static const unsigned factors[] = { 1, 2, 4, 4 };

	fight(s, SG, 100 * USEC_PER_MSEC);
	for (size_t i = 0; i < ARRAY_SIZE(factors); i++) {
		assert_int_equal(s->c.quiet_usec - s->now, factors[i] * CONTENTION_QUIET_USEC);
		assert_int_equal(expire(s), 0);
		assert_int_equal(drift(s, SG), 0);
		s->now += USEC_PER_SEC;
		assert_int_equal(drift(s, SG), SG);
	}
	/* the promise: repaired within a minute after the last change */
	assert_true(CONTENTION_MAX_FACTOR * CONTENTION_QUIET_USEC < 60 * USEC_PER_SEC);
}

static void sets_are_bounded(void **state)
{
	struct scene *s = *state;
	uint64_t end = s->now + 24 * CONTENTION_SLOW_WINDOW_USEC;
	unsigned sets = 0;

	/* whoever it is, reverts each repair a second later, and is silent otherwise */
	while (s->now < end) {
		size_t n = s->c.n_repairs;

		if (!(s->c.contended & SG)) {
			drift(s, SG);
			sets += s->c.n_repairs > n || s->c.tried;
			s->now += USEC_PER_SEC;
			drift(s, SG);
			sets += !(s->c.contended & SG);
		} else {
			expire(s);
		}
	}
	assert_in_range(sets, 1, 24 * 4);
}

/* A feature each: none of them often enough. */
static void sets_of_a_link_are_bounded(void **state)
{
	struct scene *s = *state;

	for (unsigned i = 0; i < CONTENTION_SLOW_SETS; i++, s->now += 5 * USEC_PER_SEC)
		assert_int_equal(drift(s, FEATURE(i % 32)), 0);
	assert_int_equal(drift(s, FEATURE(40)), FEATURE(40));
	assert_true(s->c.slow);
	s->now += CONTENTION_SLOW_WINDOW_USEC;
	assert_int_equal(drift(s, FEATURE(41)), 0);
}

static void two_repairs_that_cost_the_carrier_are_enough(void **state)
{
	struct scene *s = *state;

	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(drift(s, SG), 0);
		s->now += USEC_PER_SEC;
		contention_flapped(&s->c, s->now);
		s->now += USEC_PER_SEC; /* the same reset */
		contention_flapped(&s->c, s->now);
		s->now += 3 * CONTENTION_SLOW_WINDOW_USEC;
	}
	assert_int_equal(drift(s, SG), SG);
	assert_true(s->c.slow);
	assert_int_equal(s->c.flapped[1], SG);
	assert_int_equal(drift(s, TSO), 0);
}

static void a_carrier_that_is_lost_later_means_nothing(void **state)
{
	struct scene *s = *state;

	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(drift(s, SG), 0);
		s->now += CONTENTION_FLAP_USEC;
		contention_flapped(&s->c, s->now);
		s->now += CONTENTION_SLOW_WINDOW_USEC;
	}
	/* one loss does not count twice */
	drift(s, SG);
	s->now++;
	drift(s, SG);
	contention_flapped(&s->c, s->now);
	assert_int_equal(s->c.flapped[1], 0);
	s->now += CONTENTION_FLAP_MEMORY_USEC;
	/* nor does one that was long ago */
	contention_repair(&limits, &s->c, SG, s->now);
	contention_flapped(&s->c, s->now);
	s->now += CONTENTION_FLAP_MEMORY_USEC;
	contention_repair(&limits, &s->c, SG, s->now);
	contention_flapped(&s->c, s->now);
	s->now += CONTENTION_SLOW_WINDOW_USEC;
	assert_int_equal(drift(s, SG), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(contended_after_four_repairs),
		TEST(the_window_slides),
		TEST(a_slow_fight_is_contention),
		TEST(seldom_is_no_fight),
		TEST(noise_prolongs_the_quiet_time),
		TEST(it_is_resolved_when_a_repair_has_held),
		TEST(a_trial_that_was_not_repaired_is_not_over),
		TEST(a_trial_that_fails_waits_longer),
		TEST(sets_are_bounded),
		TEST(sets_of_a_link_are_bounded),
		TEST(two_repairs_that_cost_the_carrier_are_enough),
		TEST(a_carrier_that_is_lost_later_means_nothing),
	};

	return cmocka_run_group_tests_name("contention", tests, NULL, NULL);
}
