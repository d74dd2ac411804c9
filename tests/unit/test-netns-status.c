/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/netns_status.h"

#include "unit.h"

static size_t count(const struct netns_statuses *all)
{
	return HASH_COUNT(all->list);
}

static void what_was_not_looked_at_in_full_is_not_compliant(void **state)
{
	struct netns_status s = { .look = NETNS_SEEN, .declared = 2, .with[VERDICT_COMPLIANT] = 2 };

	(void)state;
	assert_true(netns_status_is_compliant(&s));
	for (int look = 0; look < NETNS_LOOKS; look++) {
		s.look = (enum netns_look)look;
		assert_int_equal(netns_status_is_compliant(&s), look == NETNS_SEEN);
	}
	s.look = NETNS_SEEN;
	s.unread = 1;
	assert_false(netns_status_is_compliant(&s));
	s.unread = 0;
	s.pending = 1;
	assert_false(netns_status_is_compliant(&s));
	s.pending = 0;
	for (int v = 0; v < VERDICT_COUNT; v++) {
		s.with[v]++;
		assert_int_equal(netns_status_is_compliant(&s), v == VERDICT_COMPLIANT);
		s.with[v]--;
	}
}

static void one_that_is_gone_removes_itself_only(void **state)
{
	struct netns_statuses all = { 0 };
	struct netns_status s = { .inode = 7, .cookie = 1, .look = NETNS_SEEN, .with[VERDICT_DRIFTED] = 1 };

	(void)state;
	assert_int_equal(netns_statuses_take(&all, &s, 1), 0);
	assert_int_equal(netns_statuses_count_bad(&all), 1);
	s.cookie = 2; /* the inode belongs to another one by now */
	assert_int_equal(netns_statuses_take(&all, &s, 1), 0);
	assert_int_equal(count(&all), 1);
	s.cookie = 1;
	s.gone = true;
	assert_int_equal(netns_statuses_take(&all, &s, 1), 0);
	assert_int_equal(count(&all), 1);
	s.cookie = 2;
	assert_int_equal(netns_statuses_take(&all, &s, 1), 0);
	assert_int_equal(count(&all), 0);
}

static void those_of_a_former_worker_expire(void **state)
{
	struct netns_statuses all = { 0 };
	struct netns_status s = { .inode = 7 };

	(void)state;
	assert_int_equal(netns_statuses_take(&all, &s, 1), 0);
	s.inode = 8;
	assert_int_equal(netns_statuses_take(&all, &s, 1), 0);
	assert_int_equal(netns_statuses_take(&all, &s, 2), 0);
	netns_statuses_expire(&all, 2);
	assert_int_equal(count(&all), 1);
	assert_int_equal(all.list->status.inode, 8);
	netns_statuses_clear(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_not_looked_at_in_full_is_not_compliant),
		cmocka_unit_test(one_that_is_gone_removes_itself_only),
		cmocka_unit_test(those_of_a_former_worker_expire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
