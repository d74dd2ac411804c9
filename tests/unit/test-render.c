/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text against the golden files of tests/golden; GOLDEN_UPDATE=1 writes them anew. Runs at the top
 * of the sources. */
#include "view-sample.h"

#include <stdio.h>

#include "golden.h"
#include "render.h"
#include "util.h"

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
	render_followers(&r, &sample.view, &sample.report);
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
		render_show(&r, &sample.view, link_table_find_name(&sample.links, "vlan10")), 0);
	assert_int_equal(
		render_show(&r, &sample.view, link_table_find_name(&sample.links, "eth3")), 0);
	end(&r, "tests/golden/show.txt");
}

static void explanations(void **state)
{
	struct render r = begin(0, false);
	const struct link *vlan10 = link_table_find_name(&sample.links, "vlan10");

	(void)state;
	render_explanation(&r, &sample.view, vlan10,
		unit_set(&sample.features, "tx-tcp-segmentation tx-tcp6-segmentation"),
		unit_set(&sample.features, "tx-tcp-mangleid-segmentation"), NULL,
		&sample.items[3], &sample.explanation);
	render_explanation(
		&r, &sample.view, vlan10, 0, 0, "tx-udp-fragmentation", NULL, &sample.explanation);
	render_nothing(&r, &sample.view, link_table_find_name(&sample.links, "bond0"));
	render_nothing(&r, &sample.view, link_table_find_name(&sample.links, "eth2"));
	render_nothing(&r, &sample.view, link_table_find_name(&sample.links, "eth3"));
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
		cmocka_unit_test(explanations),
		cmocka_unit_test(nothing_hostile_is_printed),
	};

	return cmocka_run_group_tests_name("render", tests, NULL, NULL);
}
