/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/contention.h"

#include "unit.h"
#include "basic/util.h"

#define SG FEATURE(0)
#define TSO FEATURE(16)
#define T0 (UINT64_C(1000) * USEC_PER_SEC)

static const struct contention_limits limits = { CONTENTION_ROUNDS, CONTENTION_WINDOW_USEC, CONTENTION_QUIET_USEC };

/* Repairs `bits` every step until they are contended; the time at which they were. */
static uint64_t fight(struct link_contention *c, feature_set bits, uint64_t now, uint64_t step)
{
	for (unsigned i = 1; i < CONTENTION_ROUNDS; i++, now += step) {
		assert_int_equal(contention_due(&limits, c, now), 0);
		assert_int_equal(contention_repair(&limits, c, bits, now), 0);
	}
	assert_int_equal(contention_due(&limits, c, now), bits);
	assert_int_equal(contention_repair(&limits, c, bits, now), bits);
	return now;
}

static void a_few_rounds_make_a_fight(void **state)
{
	struct link_contention c = { 0 };
	uint64_t now;

	(void)state;
	now = fight(&c, SG, T0, 100 * USEC_PER_MSEC);
	assert_int_equal(c.contended, SG);
	assert_int_equal(c.rounds[0], CONTENTION_ROUNDS);
	assert_int_equal(c.rounds[16], 0);

	/* said once; the other features of the link are still repaired */
	assert_int_equal(contention_repair(&limits, &c, SG | TSO, now), 0);
	assert_int_equal(c.contended, SG);
	assert_int_equal(c.rounds[16], 1);
	assert_int_equal(contention_due(&limits, &c, now), 0);
}

static void slow_changes_are_no_fight(void **state)
{
	struct link_contention c = { 0 };

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(contention_repair(&limits, &c, SG,
					 T0 + i * CONTENTION_WINDOW_USEC / (CONTENTION_ROUNDS - 1)),
			0);
	assert_int_equal(contention_due(&limits, &c, T0 + 1000 * CONTENTION_WINDOW_USEC), 0);
}

static void quiet_ends_it_and_noise_prolongs_it(void **state)
{
	struct link_contention c = { 0 };
	uint64_t now;

	(void)state;
	assert_int_equal(contention_expire(&c, T0), 0);
	now = fight(&c, SG, T0, 100 * USEC_PER_MSEC);
	assert_int_equal(contention_expire(&c, now), 0);
	assert_int_equal(c.quiet_usec, now + CONTENTION_QUIET_USEC);

	now += CONTENTION_QUIET_USEC - 1;
	contention_disturbed(&limits, &c, TSO, now); /* another feature: no matter */
	assert_int_equal(c.quiet_usec, now + 1);
	contention_disturbed(&limits, &c, SG | TSO, now);
	assert_int_equal(contention_expire(&c, now + 1), 0);
	assert_int_equal(c.quiet_usec, now + CONTENTION_QUIET_USEC);

	now += CONTENTION_QUIET_USEC;
	assert_int_equal(contention_expire(&c, now), SG);
	assert_int_equal(c.contended, 0);
	assert_int_equal(c.rounds[0], 0);
	assert_int_equal(contention_expire(&c, now), 0);
}

static void fought_over_again_at_once_waits_longer(void **state)
{
	struct link_contention c = { 0 };
	static const unsigned factors[] = { 1, 2, 4, 4 };
	uint64_t now = T0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(factors); i++) {
		now = fight(&c, SG, now + USEC_PER_SEC, 100 * USEC_PER_MSEC);
		assert_int_equal(c.quiet_usec - now, factors[i] * CONTENTION_QUIET_USEC);
		now = c.quiet_usec;
		assert_int_equal(contention_expire(&c, now), SG);
	}
	/* the promise: recovered within a minute after the last change */
	assert_true(CONTENTION_MAX_FACTOR * CONTENTION_QUIET_USEC < 60 * USEC_PER_SEC);

	now = fight(&c, SG, now + 2 * CONTENTION_WINDOW_USEC, 100 * USEC_PER_MSEC);
	assert_int_equal(c.quiet_usec - now, CONTENTION_QUIET_USEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_few_rounds_make_a_fight),
		cmocka_unit_test(slow_changes_are_no_fight),
		cmocka_unit_test(quiet_ends_it_and_noise_prolongs_it),
		cmocka_unit_test(fought_over_again_at_once_waits_longer),
	};

	return cmocka_run_group_tests_name("contention", tests, NULL, NULL);
}
