/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text against the golden files of tests/golden; GOLDEN_UPDATE=1 writes them anew. Runs at the top
 * of the sources. */
#include "view-sample.h"

#include <errno.h>
#include <stdio.h>

#include "golden.h"
#include "report/render.h"
#include "basic/util.h"

static struct sample sample;
static char *text;
static size_t text_len;

static struct render begin(unsigned width, bool colour)
{
	struct render r = { .ascii = true, .width = width, .colour = colour };

	sample_make(&sample);
	r.out = open_memstream(&text, &text_len);
	assert_non_null(r.out);
	return r;
}

static void end(struct render *r, const char *path)
{
	fclose(r->out);
	golden_compare(path, text, text_len);
	free(text);
	text = NULL;
	sample_clear(&sample);
}

static void plan(void **state)
{
	struct render r = begin(0, false);

	(void)state;
	render_plan(&r, &sample.view);
	end(&r, "tests/golden/plan.txt");
}

static void plan_on_a_terminal(void **state)
{
	struct render r = begin(72, true);

	(void)state;
	render_plan(&r, &sample.view);
	end(&r, "tests/golden/plan-terminal.txt");
}

static void plan_as_declared(void **state)
{
	struct render r = begin(0, false);

	(void)state;
	sample.plan.n_links = 1;
	sample.plan.n_steps = 0;
	sample.plan.overdue = 0;
	sample.plan.n_index = 1;
	sample_compliant(&sample.items[1]);
	render_plan(&r, &sample.view);
	sample.plan.n_links = 0;
	render_plan(&r, &sample.view);
	end(&r, "tests/golden/plan-as-declared.txt");
}

static void results(void **state)
{
	struct render r = begin(0, false);

	(void)state;
	render_results(&r, &sample.features, &sample.report);
	link_table_find(&sample.links, 2)->features.active = unit_set(&sample.features, "tx");
	sample.plan_links[0].before.active = unit_set(&sample.features, "sg");
	sample.report.n_results = 2;
	render_side_effects(&r, &sample.view, &sample.report);
	end(&r, "tests/golden/results.txt");
}

static void list(void **state)
{
	struct render r = begin(0, false);

	(void)state;
	assert_int_equal(render_list(&r, &sample.view), 0);
	end(&r, "tests/golden/list.txt");
}

static void tree(void **state)
{
	struct render r = begin(0, false);

	(void)state;
	assert_int_equal(render_tree(&r, &sample.view), 0);
	end(&r, "tests/golden/tree.txt");
}

static void show(void **state)
{
	struct render r = begin(0, false);

	(void)state;
	assert_int_equal(
		render_show(&r, &sample.view, link_table_find_name(&sample.links, "vlan10"), false), 0);
	assert_int_equal(
		render_show(&r, &sample.view, link_table_find_name(&sample.links, "eth3"), false), 0);
	end(&r, "tests/golden/show.txt");
}

/* Names stay whole; what there is no room for is left out, and said to be. */
static void tables_on_narrow_terminals(void **state)
{
	static const unsigned widths[] = { 80, 60, 40 };
	static const char *const words[] = { "tx-tcp-mangleid-segmentation", "tx-scatter-gather", "tx-tcp6-segmentation",
		"tx-checksum-ip-generic" };
	struct render r = begin(0, false);
	const struct link *vlan10 = link_table_find_name(&sample.links, "vlan10");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct plan_item *item = sample_item(&sample, &sample.items[2 + i], words[i], RULE_ON, true);

		item->verdict = VERDICT_BLOCKED;
		item->cause = CAUSE_NEEDS;
		item->cause_bit = (unsigned)feature_bit(&sample.features, "tx-scatter-gather-fraglist");
	}
	sample.plan_links[2].n_items = ARRAY_SIZE(words);
	for (size_t i = 0; i < ARRAY_SIZE(widths); i++) {
		fprintf(r.out, "-- %u columns\n", widths[i]);
		r.width = widths[i];
		assert_int_equal(render_list(&r, &sample.view), 0);
		assert_int_equal(render_tree(&r, &sample.view), 0);
	}
	r.width = 100;
	assert_int_equal(render_show(&r, &sample.view, vlan10, false), 0);
	r.width = 60;
	assert_int_equal(render_show(&r, &sample.view, vlan10, false), 0);
	end(&r, "tests/golden/narrow-terminal.txt");
}

static void a_link_that_cannot_be_read(void **state)
{
	struct render r = begin(0, false);
	struct plan_item *item = &sample.items[1];

	(void)state;
	sample_item(&sample, item, "tx-scatter-gather", RULE_LOWER, false);
	item->active = item->wanted = item->predicted = false;
	item->unread = true;
	item->verdict = VERDICT_REFUSED;
	item->cause = CAUSE_NONE;
	item->text = "its features cannot be read: Input/output error";
	link_table_find(&sample.links, 3)->features_error = -EIO;
	sample.plan_links[0] = (struct plan_link){
		.ifindex = 3, .name = "eth3", .kind = "physical", .items = item, .n_items = 1, .error = -EIO };
	sample.index[0].ifindex = 3;
	sample.plan.n_links = sample.plan.n_index = sample.plan.unread = 1;
	sample.plan.n_steps = sample.plan.overdue = 0;
	memset(sample.plan.counts, 0, sizeof(sample.plan.counts));
	sample.plan.counts[VERDICT_REFUSED] = 1;
	render_plan(&r, &sample.view);
	assert_int_equal(render_list(&r, &sample.view), 0);
	render_no_explanation(&r, &sample.view, link_table_find(&sample.links, 3));
	end(&r, "tests/golden/plan-unread.txt");
}

static void explanations(void **state)
{
	struct render r = begin(0, false);
	const struct link *vlan10 = link_table_find_name(&sample.links, "vlan10");
	struct explanation other = sample.explanation;

	(void)state;
	render_explanation(&r, &sample.view, vlan10,
		unit_set(&sample.features, "tx-tcp-segmentation tx-tcp6-segmentation"),
		unit_set(&sample.features, "tx-tcp-mangleid-segmentation"), &sample.explanation);
	other.item = NULL;
	other.word = "tx-udp-fragmentation";
	render_explanation(&r, &sample.view, vlan10, 0, 0, &other);
	render_no_explanation(&r, &sample.view, link_table_find_name(&sample.links, "bond0"));
	render_no_explanation(&r, &sample.view, link_table_find_name(&sample.links, "eth2"));
	render_no_explanation(&r, &sample.view, link_table_find_name(&sample.links, "eth3"));
	end(&r, "tests/golden/explain.txt");
}

/* Whatever the text and the width, no control byte of a hostile name or message gets through. */
static void nothing_hostile_is_printed(void **state)
{
	struct render r = begin(41, false);

	(void)state;
	render_plan(&r, &sample.view);
	render_results(&r, &sample.features, &sample.report);
	assert_int_equal(render_list(&r, &sample.view), 0);
	assert_int_equal(render_tree(&r, &sample.view), 0);
	fflush(r.out);
	assert_true(text_len > 1000);
	for (size_t i = 0; i < text_len; i++)
		assert_true(text[i] == '\n' || ((unsigned char)text[i] >= 0x20 && text[i] != 0x7f));
	fclose(r.out);
	free(text);
	sample_clear(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plan),
		cmocka_unit_test(plan_on_a_terminal),
		cmocka_unit_test(plan_as_declared),
		cmocka_unit_test(results),
		cmocka_unit_test(list),
		cmocka_unit_test(tree),
		cmocka_unit_test(show),
		cmocka_unit_test(tables_on_narrow_terminals),
		cmocka_unit_test(a_link_that_cannot_be_read),
		cmocka_unit_test(explanations),
		cmocka_unit_test(nothing_hostile_is_printed),
	};

	return cmocka_run_group_tests_name("render", tests, NULL, NULL);
}
