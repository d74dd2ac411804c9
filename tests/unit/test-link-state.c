/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Marks, what is kept of each link, and a hash table that finds no memory. */
#include <stdbool.h>
#include <stdlib.h>

static bool no_memory;
#define uthash_malloc(size) (no_memory ? NULL : malloc(size))

#include "basic/util.h"
#include "model/link_state.h"
#include "unit.h"

#define ENTRIES 1000

struct entry {
	int key;
	char text[8];
	UT_hash_handle hh;
};

static void without_memory_a_table_stays_as_it_was(void **state)
{
	static struct entry entries[ENTRIES];
	struct entry *table = NULL, *found;
	unsigned refused = 0;

	(void)state;
	no_memory = true;
	assert_int_equal(hash_add(table, key, &entries[0]), -ENOMEM);
	assert_null(table);
	for (int i = 0; i < ENTRIES; i++) {
		entries[i].key = i;
		no_memory = i > 0;
		while (hash_add(table, key, &entries[i]) < 0) { /* it has to grow */
			HASH_FIND_INT(table, &i, found);
			assert_null(found);
			assert_int_equal(HASH_COUNT(table), i);
			refused++;
			no_memory = false;
		}
	}
	assert_true(refused > 0);
	for (int i = 0; i < ENTRIES; i++) {
		HASH_FIND_INT(table, &i, found);
		assert_ptr_equal(found, &entries[i]);
	}
	HASH_CLEAR(hh, table);

	no_memory = false;
	strcpy(entries[0].text, "ten");
	assert_int_equal(hash_add_text(table, entries[0].text, &entries[0]), 0);
	HASH_FIND_STR(table, "ten", found);
	assert_ptr_equal(found, &entries[0]);
	HASH_CLEAR(hh, table);
}

static void the_stronger_mark_stays(void **state)
{
	struct link_states states = { 0 };
	struct link_state *link;

	(void)state;
	link_states_mark(&states, 3, LINK_MARK_DEFERRED, false);
	link_states_mark(&states, 4, LINK_MARK_DIRTY, false);
	assert_int_equal(states.n_deferred, 1);
	assert_int_equal(states.n_dirty, 1);
	link_states_mark(&states, 3, LINK_MARK_DIRTY, true);
	link_states_mark(&states, 4, LINK_MARK_DEFERRED, true);
	assert_int_equal(states.n_deferred, 0);
	assert_int_equal(states.n_dirty, 2);
	link = link_states_find(&states, 4);
	assert_int_equal(link->mark, LINK_MARK_DIRTY);
	assert_true(link->changed);
	link_state_unmark(&states, link);
	link_state_unmark(&states, link);
	assert_false(link->changed);
	assert_int_equal(states.n_dirty, 1);
	link_state_contention(link_states_find(&states, 3))->contended = 1;
	states.n_contended = 1;
	link_states_remove(&states, 3);
	link_states_remove(&states, 3);
	assert_int_equal(states.n_dirty, 0);
	assert_int_equal(states.n_contended, 0);
	assert_null(LIST_FIRST(&states.marked));
	assert_false(states.lost);
	link_states_clear(&states);
	assert_null(link_states_find(&states, 4));
	assert_null(link_states_find(NULL, 4));
}

static void results_are_summed_up(void **state)
{
	struct link_states states = { 0 };
	_cleanup_free_ const struct link_state **sorted = NULL;
	struct link_summary summary;
	size_t n;

	(void)state;
	link_states_get(&states, 9)->result = (struct link_result){ .declared = true, .pending = true,
		.features = { [VERDICT_COMPLIANT] = 7, [VERDICT_DRIFTED] = 8, [VERDICT_PAUSED] = 16 } };
	link_states_get(&states, 2)->result = (struct link_result){ .declared = true, .foreign = true,
		.features = { [VERDICT_DRIFTED] = 3 } };
	link_states_get(&states, 5)->result = (struct link_result){ .declared = true, .unread = true,
		.features = { [VERDICT_REFUSED] = UINT64_MAX } };
	link_states_get(&states, 7); /* no rule names it */
	assert_int_equal(link_result_verdict(&link_states_find(&states, 9)->result), VERDICT_DRIFTED);
	assert_int_equal(link_result_verdict(&link_states_find(&states, 2)->result), VERDICT_UNSUPPORTED);
	assert_int_equal(link_result_verdict(&link_states_find(&states, 7)->result), VERDICT_COMPLIANT);
	link_states_summarize(&states, &summary);
	assert_int_equal(summary.links[VERDICT_COMPLIANT], 0);
	assert_int_equal(summary.links[VERDICT_DRIFTED], 2);
	assert_int_equal(summary.links[VERDICT_PAUSED], 1);
	assert_int_equal(summary.declared, 3);
	assert_int_equal(summary.links[VERDICT_UNSUPPORTED], 1);
	assert_int_equal(summary.links[VERDICT_REFUSED], 1);
	assert_int_equal(summary.features[VERDICT_COMPLIANT], 3);
	assert_int_equal(summary.features[VERDICT_DRIFTED], 3);
	assert_int_equal(summary.features[VERDICT_REFUSED], 64);
	assert_int_equal(summary.features[VERDICT_UNSUPPORTED], 1);
	assert_int_equal(summary.pending, 1);
	assert_int_equal(summary.unread, 1);
	assert_int_equal(link_states_sorted(&states, &sorted, &n), 0);
	assert_int_equal(n, 4);
	assert_int_equal(sorted[0]->ifindex, 2);
	assert_int_equal(sorted[3]->ifindex, 9);
	link_states_clear(&states);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_memory_a_table_stays_as_it_was),
		cmocka_unit_test(the_stronger_mark_stays),
		cmocka_unit_test(results_are_summed_up),
	};

	return cmocka_run_group_tests_name("link-state", tests, NULL, NULL);
}
