/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/contention.h"

#include "unit.h"
#include "basic/util.h"

#define SG FEATURE(0)
#define TSO FEATURE(16)
#define T0 (UINT64_C(1000) * USEC_PER_SEC)

struct calm {
	unsigned calls;
	int ifindex;
	feature_set bits;
};

static void on_calm(int ifindex, feature_set bits, void *userdata)
{
	struct calm *calm = userdata;

	calm->calls++;
	calm->ifindex = ifindex;
	calm->bits = bits;
}

/* Repairs `bits` every step until they are contended; the time at which they were. */
static uint64_t fight(struct contention *c, int ifindex, feature_set bits, uint64_t now, uint64_t step)
{
	feature_set fresh = 0;

	for (unsigned i = 1; i < CONTENTION_ROUNDS; i++, now += step) {
		assert_int_equal(contention_repair(c, ifindex, bits, now, &fresh), 0);
		assert_int_equal(fresh, 0);
	}
	assert_int_equal(contention_repair(c, ifindex, bits, now, &fresh), bits);
	assert_int_equal(fresh, bits);
	return now;
}

static void a_few_rounds_make_a_fight(void **state)
{
	_cleanup_(contention_free_pointer) struct contention *c = NULL;
	feature_set fresh;
	uint64_t now;

	(void)state;
	assert_int_equal(contention_new(&c), 0);
	now = fight(c, 5, SG, T0, 100 * USEC_PER_MSEC);
	assert_int_equal(contention_bits(c, 5), SG);
	assert_int_equal(contention_bits(c, 6), 0);
	assert_int_equal(contention_rounds(c, 5, 0), CONTENTION_ROUNDS);
	assert_int_equal(contention_rounds(c, 5, 16), 0);
	assert_int_equal(contention_rounds(c, 5, FEATURE_MAX), 0);

	/* said once; the other features of the link are still repaired */
	assert_int_equal(contention_repair(c, 5, SG | TSO, now, &fresh), SG);
	assert_int_equal(fresh, 0);
}

static void slow_changes_are_no_fight(void **state)
{
	_cleanup_(contention_free_pointer) struct contention *c = NULL;
	feature_set fresh;

	(void)state;
	assert_int_equal(contention_new(&c), 0);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(contention_repair(c, 5, SG,
					 T0 + i * CONTENTION_WINDOW_USEC / (CONTENTION_ROUNDS - 1),
					 &fresh),
			0);
}

static void quiet_ends_it_and_noise_prolongs_it(void **state)
{
	_cleanup_(contention_free_pointer) struct contention *c = NULL;
	struct calm calm = { 0 };
	uint64_t now;

	(void)state;
	assert_int_equal(contention_new(&c), 0);
	assert_int_equal(contention_expire(c, T0, on_calm, &calm), 0);
	now = fight(c, 5, SG, T0, 100 * USEC_PER_MSEC);
	assert_int_equal(contention_expire(c, now, on_calm, &calm), now + CONTENTION_QUIET_USEC);

	now += CONTENTION_QUIET_USEC - 1;
	contention_disturbed(c, 5, TSO, now); /* another feature: no matter */
	assert_int_equal(contention_expire(c, now, on_calm, &calm), now + 1);
	contention_disturbed(c, 5, SG | TSO, now);
	contention_disturbed(c, 77, SG, now);
	assert_int_equal(contention_expire(c, now + 1, on_calm, &calm), now + CONTENTION_QUIET_USEC);
	assert_int_equal(calm.calls, 0);

	now += CONTENTION_QUIET_USEC;
	assert_int_equal(contention_expire(c, now, on_calm, &calm), 0);
	assert_int_equal(calm.calls, 1);
	assert_int_equal(calm.ifindex, 5);
	assert_int_equal(calm.bits, SG);
	assert_int_equal(contention_bits(c, 5), 0);
	assert_int_equal(contention_rounds(c, 5, 0), 0);
}

static void fought_over_again_at_once_waits_longer(void **state)
{
	_cleanup_(contention_free_pointer) struct contention *c = NULL;
	struct calm calm = { 0 };
	static const unsigned factors[] = { 1, 2, 4, 4 };
	uint64_t now = T0, next;

	(void)state;
	assert_int_equal(contention_new(&c), 0);
	for (size_t i = 0; i < ARRAY_SIZE(factors); i++) {
		now = fight(c, 5, SG, now + USEC_PER_SEC, 100 * USEC_PER_MSEC);
		next = contention_expire(c, now, on_calm, &calm);
		assert_int_equal(next - now, factors[i] * CONTENTION_QUIET_USEC);
		now = next;
		assert_int_equal(contention_expire(c, now, on_calm, &calm), 0);
	}
	/* the promise: as declared again within a minute after the last change */
	assert_true(CONTENTION_MAX_FACTOR * CONTENTION_QUIET_USEC < 60 * USEC_PER_SEC);

	now = fight(c, 5, SG, now + 2 * CONTENTION_WINDOW_USEC, 100 * USEC_PER_MSEC);
	next = contention_expire(c, now, on_calm, &calm);
	assert_int_equal(next - now, CONTENTION_QUIET_USEC);
}

static void it_is_bounded(void **state)
{
	_cleanup_(contention_free_pointer) struct contention *c = NULL;
	feature_set fresh;
	int i;

	(void)state;
	assert_int_equal(contention_new(&c), 0);
	for (i = 1; i <= CONTENTION_MAX_LINKS + 100; i++)
		contention_repair(c, i, SG, T0, &fresh);
	assert_int_equal(contention_rounds(c, CONTENTION_MAX_LINKS, 0), 1);
	assert_int_equal(contention_rounds(c, CONTENTION_MAX_LINKS + 1, 0), 0);

	/* a window later there is room again */
	contention_repair(c, i, SG, T0 + CONTENTION_WINDOW_USEC, &fresh);
	assert_int_equal(contention_rounds(c, i, 0), 1);
	assert_int_equal(contention_rounds(c, 1, 0), 0);

	contention_forget(c, i);
	contention_forget(c, i);
	assert_int_equal(contention_rounds(c, i, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_few_rounds_make_a_fight),
		cmocka_unit_test(slow_changes_are_no_fight),
		cmocka_unit_test(quiet_ends_it_and_noise_prolongs_it),
		cmocka_unit_test(fought_over_again_at_once_waits_longer),
		cmocka_unit_test(it_is_bounded),
	};

	return cmocka_run_group_tests_name("contention", tests, NULL, NULL);
}
