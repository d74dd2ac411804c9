/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/apply.h"
#include "unit-ethtool.h"
#include "basic/util.h"

struct scene {
	struct feature_table features;
	struct observe o;
	struct unit_ethtool ethtool;
	struct ledger ledger;
	struct plan plan;
	struct apply_report report;
	feature_set sg, tso;
};

static void add_link(struct scene *s, int ifindex, const char *name, const char *kind, int lower)
{
	struct link link = { .ifindex = ifindex, .lower_ifindex = lower, .lower_netnsid = -1,
		.has_features = true };
	struct plan_link *pl = &s->plan.links[s->plan.n_links];

	strcpy(link.name, name);
	strcpy(link.kind, kind);
	link.features.hw = s->sg | s->tso;
	assert_int_equal(link_table_update(&s->o.links, &link, NULL), 1);
	*pl = (struct plan_link){ .ifindex = ifindex, .before = link.features,
		.predicted = link.features };
	strcpy(pl->name, name);
	strcpy(pl->kind, kind);
	s->plan.index[s->plan.n_index] = (struct plan_index){ ifindex, s->plan.n_links };
	s->plan.n_index++;
	s->plan.n_links++;
}

static void add_step(struct scene *s, int ifindex, const char *name, feature_set mask)
{
	struct plan_step *step = &s->plan.steps[s->plan.n_steps++];

	*step = (struct plan_step){ .ifindex = ifindex, .mask = mask, .value = mask };
	strcpy(step->name, name);
}

/* eth2 and vlan10 on it, everything off; a step for each. */
static int setup(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	unit_features(&s->features);
	s->o.features = s->features;
	s->o.ethtool = &s->ethtool.base;
	s->sg = unit_set(&s->features, "tx-scatter-gather");
	s->tso = unit_set(&s->features, "tx-tcp-segmentation");
	s->plan.links = calloc(8, sizeof(*s->plan.links));
	s->plan.index = calloc(8, sizeof(*s->plan.index));
	s->plan.steps = calloc(8, sizeof(*s->plan.steps));
	add_link(s, 2, "eth2", "physical", 0);
	add_link(s, 10, "vlan10", "vlan", 2);
	unit_ethtool_take(&s->ethtool, &s->o.links);
	add_step(s, 2, "eth2", s->sg | s->tso);
	add_step(s, 10, "vlan10", s->sg);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	apply_report_clear(&s->report);
	plan_clear(&s->plan);
	for (struct ledger_link *entry; (entry = s->ledger.links);)
		ledger_forget(&s->ledger, entry->ifindex);
	link_table_clear(&s->o.links);
	free(s);
	return 0;
}

static const struct apply_result *apply(struct scene *s, int ifindex)
{
	apply_report_clear(&s->report);
	assert_int_equal(apply_plan(&s->o, &s->plan, &s->ledger, &s->report), 0);
	assert_int_equal(s->report.n_results, s->plan.n_steps);
	return apply_find(&s->report, ifindex, ~UINT64_C(0));
}

static void one_set_a_step_in_order_and_read_back(void **state)
{
	struct scene *s = *state;
	const struct apply_result *result = apply(s, 10);

	assert_int_equal(unit_device(&s->ethtool, "eth2")->sets, 1);
	assert_int_equal(unit_device(&s->ethtool, "vlan10")->sets, 1);
	assert_true(unit_device(&s->ethtool, "vlan10")->gets >= 1);
	assert_int_equal(s->report.results[0].ifindex, 2);
	assert_int_equal(result->error, 0);
	assert_int_equal(result->before.active, 0);
	assert_int_equal(result->after.active, s->sg);
	assert_int_equal(result->changed, s->sg);
	assert_int_equal(result->missed, 0);
	/* the model holds what was read back */
	assert_int_equal(link_table_find(&s->o.links, 2)->features.active, s->sg | s->tso);
	/* the original values are remembered */
	assert_int_equal(ledger_find(&s->ledger, link_table_find(&s->o.links, 2))->mask, s->sg | s->tso);
	assert_int_equal(ledger_find(&s->ledger, link_table_find(&s->o.links, 2))->value, 0);
}

/* What is requested already: no SET would do anything. Nothing original is lost, so nothing is remembered. */
static void what_is_out_of_date_is_recomputed(void **state)
{
	struct scene *s = *state;
	struct unit_device *eth2 = unit_device(&s->ethtool, "eth2");
	const struct apply_result *result;

	s->plan.n_steps = 1;
	s->plan.steps[0].recompute = true;
	eth2->features.wanted = s->sg | s->tso;
	link_table_find(&s->o.links, 2)->features = eth2->features;
	result = apply(s, 2);
	assert_int_equal(eth2->sets, 0);
	assert_int_equal(eth2->recomputes, 1);
	assert_int_equal(result->error, 0);
	assert_int_equal(result->missed, 0);
	assert_int_equal(result->after.active, s->sg | s->tso);
	assert_null(ledger_find(&s->ledger, link_table_find(&s->o.links, 2)));
}

static void a_refusal_is_data_with_the_kernels_text(void **state)
{
	struct scene *s = *state;
	struct unit_device *eth2 = unit_device(&s->ethtool, "eth2");
	const struct apply_result *result;

	eth2->set_error = -EBUSY;
	eth2->set_text = "firmware is\nbusy\x1b[31m";
	result = apply(s, 2);
	assert_int_equal(result->error, -EBUSY);
	assert_string_equal(result->text, "firmware is?busy?[31m");
	assert_int_equal(result->missed, s->sg | s->tso);
	assert_int_equal(eth2->sets, 1); /* not tried again */
	assert_int_equal(apply_find(&s->report, 10, s->sg)->error, 0); /* the others go on */

	eth2->set_text = NULL;
	assert_string_equal(apply(s, 2)->text, "Device or resource busy");
	eth2->set_error = -EPERM;
	assert_string_equal(apply(s, 2)->text, "needs CAP_NET_ADMIN");
}

static void an_ack_without_effect_is_found(void **state)
{
	struct scene *s = *state;
	const struct apply_result *result;

	unit_device(&s->ethtool, "eth2")->deaf = s->tso;
	result = apply(s, 2);
	assert_int_equal(result->error, 0);
	assert_int_equal(result->changed, s->sg);
	assert_int_equal(result->missed, s->tso);
	assert_int_equal(result->after.wanted, s->sg | s->tso);
}

static void what_comes_with_a_later_step_is_not_missed(void **state)
{
	struct scene *s = *state;
	struct unit_device *vlan = unit_device(&s->ethtool, "vlan10");

	/* the VLAN first, though it has nothing before the device below */
	s->plan.steps[0] = s->plan.steps[1];
	s->plan.n_steps = 1;
	add_step(s, 2, "eth2", s->sg);
	vlan->deaf = vlan->follows = s->sg;
	vlan->lower = 2;
	assert_int_equal(apply(s, 10)->missed, 0);
	assert_int_equal(apply_find(&s->report, 10, s->sg)->changed, s->sg);
}

static void what_was_predicted_to_follow_is_read(void **state)
{
	struct scene *s = *state;
	struct unit_device *vlan = unit_device(&s->ethtool, "vlan10");

	s->plan.n_steps = 1;
	vlan->features.wanted = s->sg;
	vlan->follows = s->sg;
	vlan->lower = 2;
	s->plan.links[1].predicted.active = s->plan.links[1].predicted.wanted = s->sg;
	apply(s, 2);
	assert_int_equal(vlan->sets, 0);
	assert_int_equal(link_table_find(&s->o.links, 10)->features.active, s->sg);
}

static void a_link_that_went_or_changed_is_a_verdict(void **state)
{
	struct scene *s = *state;
	struct link *link = link_table_find(&s->o.links, 2);

	/* gone from the model */
	link_table_remove(&s->o.links, 10);
	assert_int_equal(apply(s, 10)->error, -ENODEV);
	assert_non_null(strstr(apply(s, 10)->text, "gone"));
	assert_int_equal(unit_device(&s->ethtool, "vlan10")->sets, 0);

	/* renamed, in the model as in the kernel */
	strcpy(link->name, "lan0");
	assert_int_equal(apply(s, 2)->error, -ENODEV);
	assert_int_equal(unit_device(&s->ethtool, "eth2")->sets, 2); /* from the calls above */

	/* another kind with this index and name */
	strcpy(link->name, "eth2");
	strcpy(link->kind, "dummy");
	assert_int_equal(apply(s, 2)->error, -ENODEV);
	assert_int_equal(unit_device(&s->ethtool, "eth2")->sets, 2);
}

static void a_link_renamed_behind_our_back_is_not_written_to(void **state)
{
	struct scene *s = *state;
	struct unit_device *eth2 = unit_device(&s->ethtool, "eth2");

	strcpy(eth2->name, "lan0");
	assert_int_equal(apply(s, 2)->error, -ENODEV);
	assert_int_equal(apply_find(&s->report, 2, s->sg)->missed, s->sg | s->tso);
	assert_int_equal(eth2->sets, 0);
	assert_int_equal(eth2->features.active, 0);
}

static void vanish(struct unit_device *device)
{
	strcpy(device->name, "gone");
}

static void a_read_back_that_fails_is_said(void **state)
{
	struct scene *s = *state;
	struct unit_device *eth2 = unit_device(&s->ethtool, "eth2");
	const struct apply_result *result;

	eth2->get_error = -EIO;
	result = apply(s, 2);
	assert_int_equal(result->error, -EUCLEAN);
	assert_string_equal(result->text, "set, but not read back: Input/output error");
	assert_int_equal(result->changed, 0);

	unit_device(&s->ethtool, "vlan10")->after_set = vanish;
	result = apply(s, 10);
	assert_int_equal(result->error, -ENODEV);
}

static void without_a_socket_nothing_is_claimed(void **state)
{
	struct scene *s = *state;

	s->ethtool.socket_error = -EBADF;
	assert_int_equal(apply_plan(&s->o, &s->plan, &s->ledger, &s->report), -EBADF);
	assert_int_equal(s->report.n_results, 0);
}

static void a_ledger_that_cannot_be_written_stops_it(void **state)
{
	struct scene *s = *state;
	char path[] = "/proc/nowhere/ledger.json";

	s->ledger.path = path;
	s->ledger.save_first = true;
	assert_true(apply_plan(&s->o, &s->plan, &s->ledger, &s->report) < 0);
	assert_int_equal(unit_device(&s->ethtool, "eth2")->sets, 0);
}

static void revert(struct scene *s, const char *const *only)
{
	apply_report_clear(&s->report);
	assert_int_equal(apply_revert(&s->o, &s->ledger, only, &s->report), 0);
}

static void revert_puts_back_what_was_asked_for_before(void **state)
{
	struct scene *s = *state;
	struct unit_device *vlan = unit_device(&s->ethtool, "vlan10");
	char directory[] = "/tmp/test-apply.XXXXXX", path[64];
	const char *const only[] = { "vlan10", "nosuch", NULL };

	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/ledger.json", directory);
	s->ledger.path = path;
	apply(s, 2);

	vlan->set_error = -EBUSY;
	revert(s, only);
	assert_int_equal(s->report.n_results, 1);
	assert_int_equal(s->report.results[0].error, -EBUSY);
	assert_non_null(ledger_find(&s->ledger, link_table_find(&s->o.links, 10)));

	vlan->set_error = 0;
	revert(s, only);
	assert_int_equal(vlan->features.wanted, 0);
	assert_null(ledger_find(&s->ledger, link_table_find(&s->o.links, 10)));
	assert_int_equal(unit_device(&s->ethtool, "eth2")->features.wanted, s->sg | s->tso);

	/* the rest; what is gone is dropped */
	link_table_remove(&s->o.links, 2);
	revert(s, NULL);
	assert_int_equal(s->report.n_results, 0);
	assert_null(s->ledger.links);
	remove(path);
	remove(directory);
}

/* LRO of a port: the kernel stops requesting it when its bond has none, without a step for the port. */
static void revert_puts_back_what_the_kernel_stopped_requesting(void **state)
{
	struct scene *s = *state;
	struct unit_device *eth2 = unit_device(&s->ethtool, "eth2");
	struct link *link = link_table_find(&s->o.links, 2);
	char directory[] = "/tmp/test-apply.XXXXXX", path[64];

	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/ledger.json", directory);
	s->ledger.path = path;
	s->plan.steps[0] = s->plan.steps[1];
	s->plan.n_steps = 1;
	eth2->features.wanted = eth2->features.active = s->tso;
	link->features = eth2->features;
	s->plan.links[0].before = link->features;
	s->plan.links[0].predicted.wanted = s->plan.links[0].predicted.active = 0;
	apply(s, 10);
	assert_int_equal(ledger_find(&s->ledger, link)->mask, s->tso);
	assert_int_equal(ledger_find(&s->ledger, link)->value, s->tso);
	/* as the kernel left it; and until its bond has LRO again, a request alone does not turn it on */
	eth2->features.wanted = eth2->features.active = 0;
	eth2->deaf = s->tso;
	link->features = eth2->features;
	revert(s, NULL);
	assert_int_equal(eth2->features.wanted, s->tso);
	assert_int_equal(eth2->recomputes, 1);
	assert_null(s->ledger.links);
	remove(path);
	remove(directory);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(one_set_a_step_in_order_and_read_back),
		TEST(what_is_out_of_date_is_recomputed),
		TEST(a_refusal_is_data_with_the_kernels_text),
		TEST(an_ack_without_effect_is_found),
		TEST(what_comes_with_a_later_step_is_not_missed),
		TEST(what_was_predicted_to_follow_is_read),
		TEST(a_link_that_went_or_changed_is_a_verdict),
		TEST(a_link_renamed_behind_our_back_is_not_written_to),
		TEST(a_read_back_that_fails_is_said),
		TEST(without_a_socket_nothing_is_claimed),
		TEST(a_ledger_that_cannot_be_written_stops_it),
		TEST(revert_puts_back_what_was_asked_for_before),
		TEST(revert_puts_back_what_the_kernel_stopped_requesting),
	};

	return cmocka_run_group_tests_name("apply", tests, NULL, NULL);
}
