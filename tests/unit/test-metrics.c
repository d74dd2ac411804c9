/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of all metrics against tests/golden/metrics.prom (GOLDEN_UPDATE=1 writes it anew), labels from hostile names and bounds.
 * Runs at the top of the tree. */
#include "report/metrics.h"

#include <net/if.h>
#include <stdio.h>

#include "engine/reconcile.h"
#include "view-sample.h"

#define GOLDEN "tests/golden/metrics.prom"

struct picture {
	struct sample sample;
	struct metrics_counts counts;
	struct rule_host host;
	struct rule_feature lro;
	struct link_states states;
	struct histogram drift;
	struct metrics metrics;
	size_t settings_errors;
};

/* What the plan of the sample has from these rules. */
static void declare(struct picture *p)
{
	struct sample *s = &p->sample;

	s->rule_features[0].bits = unit_set(&s->features, "tx-scatter-gather tx-tcp-segmentation tx-tcp6-segmentation tx-checksum-ip-generic");
	s->rules[0].features = s->rule_features;
	s->rules[0].n_features = 1;
	p->lro = (struct rule_feature){ .word = (char *)"rx-lro", .bits = unit_set(&s->features, "rx-lro"), .value = RULE_OFF };
	s->rules[1].features = &p->lro;
	s->rules[1].n_features = 1;
}

static int setup(void **state)
{
	struct picture *p = calloc(1, sizeof(*p));

	sample_make(&p->sample);
	p->sample.rules[0].until = 1813708800;
	p->counts = (struct metrics_counts){
		.reconciles = 7, .sets = 5, .sets_drift = 2, .overruns = 1,
		.hooks_sent = 2, .hooks_suppressed = 1,
		.start_usec = 1700000000000001, .last_reconcile_usec = 1700000123456789,
		.has_textfile = true, .textfile_usec = 1700000200000000, .textfile_errors = 4,
	};
	p->counts.events[EVENT_REPAIRED] = 3;
	p->counts.events[EVENT_DRIFT] = 1;
	metrics_reaction_init(&p->counts.reaction);
	p->settings_errors = 1;
	strcpy(p->host.kernel_release, "6.1.0-18-amd64");
	reconcile_drift_init(&p->drift);
	p->metrics = (struct metrics){
		.counts = &p->counts,
		.drift = &p->drift,
		.rule_errors = 2,
		.settings_errors = &p->settings_errors,
		.features = &p->sample.features,
		.rules = &p->sample.set,
		.host = &p->host,
		.links = &p->sample.links,
		.states = &p->states,
	};
	declare(p);
	assert_int_equal(plan_keep(&p->sample.plan, &p->states), 0);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct picture *p = *state;

	sample_clear(&p->sample);
	link_states_clear(&p->states);
	free(p);
	return 0;
}

static char *format(const struct picture *p)
{
	char *text;
	size_t len;

	assert_int_equal(metrics_format(&p->metrics, &text, &len), 0);
	assert_int_equal(strlen(text), len);
	return text;
}

static size_t count_lines(const char *text, const char *start)
{
	size_t n = 0;

	for (const char *c = text; c; c = strchr(c, '\n'))
		n += strncmp(c += *c == '\n', start, strlen(start)) == 0;
	return n;
}

static void compare_with_golden(const char *text)
{
	static char golden[65536];
	FILE *f;

	if (getenv("GOLDEN_UPDATE")) {
		f = fopen(GOLDEN, "we");
		assert_non_null(f);
		fputs(text, f);
		fclose(f);
	}
	f = fopen(GOLDEN, "re");
	assert_non_null(f);
	golden[fread(golden, 1, sizeof(golden) - 1, f)] = '\0';
	fclose(f);
	assert_string_equal(text, golden);
}

static void all_that_there_is(void **state)
{
	struct evidence_latency_row sendfile = { .calls = 4, .total_usec = 3000000, .slots = { [0] = 1, [9] = 2, [31] = 1 } };
	struct evidence evidence = { .has_fallback = true, .has_sockets = true, .has_latency = true, .omitted = 3,
		.lost = { [FALLBACK_CHECKSUM] = 17 } };
	const struct evidence_stale stale = { .service = "nginx.service", .link = "vlan10", .sockets = 4 };
	const struct netns_status web = { .inode = 4026532201, .label = "web", .look = NETNS_SEEN, .declared = 3, .with = { [VERDICT_DRIFTED] = 2,
		[VERDICT_COMPLIANT] = 1 } };
	struct netns_statuses namespaces = { 0 };
	struct picture *p = *state;
	_cleanup_free_ char *text = NULL;

	evidence_fallback_row(&evidence, FALLBACK_SOCKET, FALLBACK_REASON_FEATURE, "nginx.service", "vlan10")->hits[FALLBACK_SEGMENTATION].n = 1234567890123;
	evidence_fallback_row(&evidence, FALLBACK_KERNEL, FALLBACK_REASON_FEATURE, "", "vlan10")->hits[FALLBACK_CHECKSUM].n = 3;
	evidence_add_stale(&evidence, &stale);
	evidence_add_probe(&evidence, &(struct evidence_probe){ "segmentation", "__skb_gso_segment", "fentry", NULL, false });
	evidence_add_probe(&evidence, &(struct evidence_probe){ "sockets", "iter/tcp", NULL, "no privilege", true });
	assert_int_equal(evidence_latency_add(&evidence.latency, &sendfile), 0);
	histogram_observe(&p->counts.reaction, 0);
	histogram_observe(&p->counts.reaction, 250); /* bounds belong below */
	histogram_observe(&p->counts.reaction, 251);
	histogram_observe(&p->counts.reaction, 60000000);
	histogram_observe(&p->drift, 60000000);
	link_states_get(&p->states, 5)->drift_usec = 1;
	link_states_get(&p->states, 5)->drift_since = 1700000100;
	p->metrics.evidence = &evidence;
	assert_int_equal(netns_statuses_take(&namespaces, &web, 1), 0);
	p->metrics.namespaces = &namespaces;
	strcpy(link_table_find(&p->sample.links, 2)->name, "a\"} 1\n\\\xff"); /* promtool and node_exporter read it, too */
	text = format(p);
	netns_statuses_clear(&namespaces);
	evidence_clear(&evidence);
	compare_with_golden(text);
}

static void without_a_daemon_only_what_the_kernel_tells(void **state)
{
	struct picture *p = *state;
	_cleanup_free_ char *text = NULL;

	p->metrics.counts = NULL;
	p->metrics.drift = NULL;
	p->metrics.settings_errors = NULL;
	text = format(p);
	assert_non_null(strstr(text, "\noffloadd_up 0\n"));
	assert_non_null(strstr(text, "\noffloadd_feature_noncompliant{"));
	assert_null(strstr(text, "offloadd_mode"));
	assert_null(strstr(text, "_total"));
	assert_null(strstr(text, "_seconds_"));
	assert_null(strstr(text, "offloadd_settings_errors"));
	assert_null(strstr(text, "offloadd_fallback"));
	assert_null(strstr(text, "offloadd_stale"));
}

static void a_daemon_that_was_stopped_is_not_up(void **state)
{
	struct picture *p = *state;
	_cleanup_free_ char *text = format(p), *after = NULL;

	assert_non_null(strstr(text, "\noffloadd_up 1\n"));
	assert_non_null(strstr(text, "\noffloadd_mode{mode=\"audit\"} 1\n"));
	p->metrics.stopped = true;
	after = format(p);
	assert_non_null(strstr(after, "\noffloadd_up 0\n"));
}

static void one_that_died_is_not_up_either(void **state)
{
	struct picture *p = *state;
	_cleanup_free_ char *text = format(p), *stopped = NULL, *after = NULL, *again = NULL;
	size_t len;

	p->metrics.stopped = true;
	stopped = format(p);
	assert_int_equal(metrics_mark_stopped(text, &after, &len), 1);
	assert_string_equal(after, stopped);
	assert_int_equal(len, strlen(stopped));
	assert_int_equal(metrics_mark_stopped(after, &again, &len), 0);
	assert_null(again);
}

static void one_that_died_in_another_namespace(void **state)
{
	struct picture *p = *state;
	_cleanup_free_ char *text = NULL, *after = NULL;
	size_t len;

	p->metrics.netns = "x\"} 1\noffloadd_up 1";
	text = format(p);
	assert_int_equal(metrics_mark_stopped(text, &after, &len), 1);
	assert_non_null(strstr(after, "\noffloadd_up{netns=\"x\\\\x22} 1\\\\x0aoffloadd_up 1\"} 0\n"));
}

static void what_is_no_text_of_ours_becomes_one(_unused_ void **state)
{
	static const char *const texts[] = { NULL, "", "offloadd_up 1\n", "\noffloadd_up", "\noffloadd_up 1",
		"\noffloadd_up 7\n", "\noffloadd_up\n", "\noffloadd_up{", "\noffloadd_upper 1\n", "\xff\n" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_free_ char *after = NULL, *again = NULL;
		size_t len;

		assert_int_equal(metrics_mark_stopped(texts[i], &after, &len), 1);
		assert_int_equal(strlen(after), len);
		assert_non_null(strstr(after, "\noffloadd_up 0\n"));
		assert_int_equal(count_lines(after, "offloadd_"), 2);
		assert_int_equal(metrics_mark_stopped(after, &again, &len), 0);
	}
}

static void another_namespace_is_a_label_of_every_series(void **state)
{
	struct picture *p = *state;
	_cleanup_free_ char *text = NULL;
	size_t series = 0, labelled = 0;

	p->metrics.netns = "blue\"\n";
	text = format(p);
	for (char *c = text; c && *c; c = strchr(c, '\n') ? strchr(c, '\n') + 1 : NULL) {
		series += *c != '#';
		labelled += *c != '#' && strncmp(strpbrk(c, "{ \n"), "{netns=\"blue\\\\x22\\\\x0a\"", 22) == 0;
	}
	assert_true(series > 30);
	assert_int_equal(labelled, series);
}

/* The line of a link with this name. */
static char *line_of(struct picture *p, const char *name)
{
	struct link *link = link_table_find(&p->sample.links, 2);
	_cleanup_free_ char *text = NULL;
	char *at, *end;

	memset(link->name, 0, LINK_NAME_LEN);
	memcpy(link->name, name, strnlen(name, LINK_NAME_LEN));
	text = format(p);
	at = strstr(text, "\noffloadd_feature_noncompliant{");
	assert_non_null(at);
	end = strchr(at + 1, '\n');
	return strndup(at + 1, (size_t)(end - at - 1));
}

static void hostile_names_stay_one_label_and_differ(void **state)
{
	static const struct {
		const char *name, *label;
	} cases[] = {
		{ "a\"} 1\nb", "{link=\"a\\\\x22} 1\\\\x0ab\"," },
		{ "a\\\"b", "{link=\"a\\\\x5c\\\\x22b\"," },
		{ "\xff\xfe", "{link=\"\\\\xff\\\\xfe\"," },
		{ "\xff\xfd", "{link=\"\\\\xff\\\\xfd\"," },
		{ "\\xff\\xfd", "{link=\"\\\\x5cxff\\\\x5cxfd\"," },
		{ "\xc3\xa4", "{link=\"\\\\xc3\\\\xa4\"," },
		{ "0123456789abcde", "{link=\"0123456789abcde\"," },
		{ "unterminated....", "{link=\"unterminated....\"," },
		{ "", "{link=\"\"," },
	};
	struct picture *p = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *line = line_of(p, cases[i].name);

		assert_non_null(strstr(line, cases[i].label));
		assert_string_equal(line + strlen(line) - 4, "\"} 1");
	}
}

static void series_are_bounded_and_the_rest_is_counted(void **state)
{
	enum { LINKS = METRICS_SERIES_MAX + 88 };
	struct picture *p = *state;
	_cleanup_free_ char *text = NULL;
	char name[LINK_NAME_LEN];

	link_states_clear(&p->states);
	for (int i = LINKS; i > 0; i--) {
		snprintf(name, sizeof(name), "v%d", i);
		sample_link(&p->sample, 100 + i, name, "vlan");
		link_states_get(&p->states, 100 + i)->result =
			(struct link_result){ .declared = true, .features[VERDICT_DRIFTED] = 1 };
	}
	text = format(p);
	assert_int_equal(count_lines(text, "offloadd_feature_noncompliant{"), METRICS_SERIES_MAX);
	assert_non_null(strstr(text, "offloadd_feature_noncompliant{link=\"v512\""));
	assert_null(strstr(text, "offloadd_feature_noncompliant{link=\"v513\""));
	assert_non_null(strstr(text, "\noffloadd_series_omitted{metric=\"offloadd_feature_noncompliant\"} 88\n"));
	assert_non_null(strstr(text, "\noffloadd_links{verdict=\"drifted\"} 600\n"));
}

/* A rule declares what this kernel does not have: on, which is unsupported, and off, which matches. */
static void a_feature_of_other_kernels_has_a_series(void **state)
{
	struct rule_feature words[] = { { .word = (char *)"tx-tcp-accecn-segmentation", .value = RULE_ON, .word_kind = FEATURE_WORD_FOREIGN },
		{ .word = (char *)"ufo", .value = RULE_OFF, .word_kind = FEATURE_WORD_FOREIGN } };
	struct picture *p = *state;
	_cleanup_free_ char *text = NULL;

	p->sample.rules[0].features = words;
	p->sample.rules[0].n_features = ARRAY_SIZE(words);
	link_states_clear(&p->states);
	link_states_get(&p->states, 5)->result = (struct link_result){ .declared = true, .foreign = 1 };
	text = format(p);
	assert_int_equal(count_lines(text, "offloadd_feature_noncompliant{"), 1);
	assert_non_null(strstr(text, "\noffloadd_feature_noncompliant{link=\"vlan10\",link_kind=\"vlan\","
		"feature=\"tx-tcp-accecn-segmentation\",verdict=\"unsupported\",rule=\"10-vlan.rule\"} 1\n"));
	assert_non_null(strstr(text, "\noffloadd_series_omitted{metric=\"offloadd_feature_noncompliant\"} 0\n"));
	assert_non_null(strstr(text, "\noffloadd_links{verdict=\"unsupported\"} 1\n"));
	assert_non_null(strstr(text, "\noffloadd_features{verdict=\"unsupported\"} 1\n"));
}

/* Its drift costs nothing now. */
static void an_interface_that_is_down_is_marked(void **state)
{
	struct link_result drifted = { .declared = true, .features[VERDICT_DRIFTED] = 1 };
	struct picture *p = *state;
	_cleanup_free_ char *text = NULL;

	link_states_clear(&p->states);
	sample_link(&p->sample, 100, "up", "veth");
	sample_link(&p->sample, 101, "down", "veth");
	sample_link(&p->sample, 102, "compliant", "veth");
	link_table_find(&p->sample.links, 100)->flags = IFF_UP | IFF_RUNNING;
	link_states_get(&p->states, 100)->result = drifted;
	link_table_find(&p->sample.links, 101)->flags = IFF_UP;
	link_states_get(&p->states, 101)->result = drifted;
	link_states_get(&p->states, 102)->result = (struct link_result){ .declared = true, .features[VERDICT_COMPLIANT] = 1 };
	text = format(p);
	assert_int_equal(count_lines(text, "offloadd_noncompliant_link_down{"), 1);
	assert_non_null(strstr(text, "\noffloadd_noncompliant_link_down{link=\"down\"} 1\n"));
}

static void the_longest_drift_counts(void **state)
{
	struct picture *p = *state;
	_cleanup_free_ char *text = NULL, *after = NULL;

	link_states_clear(&p->states);
	text = format(p);
	assert_int_equal(count_lines(text, "offloadd_drift_since_timestamp_seconds"), 0);
	link_states_get(&p->states, 2)->drift_usec = link_states_get(&p->states, 4)->drift_usec = 1;
	link_states_get(&p->states, 2)->drift_since = 1700000500;
	link_states_get(&p->states, 4)->drift_since = 1700000400;
	after = format(p);
	assert_non_null(strstr(after, "\noffloadd_drift_since_timestamp_seconds 1700000400\n"));
}

/* What can be repaired is not hidden behind what cannot. */
static void every_verdict_of_a_link_counts(void **state)
{
	struct picture *p = *state;
	_cleanup_free_ char *text = NULL;

	link_states_clear(&p->states);
	link_states_get(&p->states, 2)->result = (struct link_result){ .declared = true,
		.features = { [VERDICT_COMPLIANT] = 0x100, [VERDICT_DRIFTED] = 0x3f, [VERDICT_UNSUPPORTED] = 0x40 } };
	link_states_get(&p->states, 4)->result = (struct link_result){ .declared = true, .features = { [VERDICT_COMPLIANT] = 3 } };
	text = format(p);
	assert_non_null(strstr(text, "\noffloadd_links_declared 2\n"));
	assert_non_null(strstr(text, "\noffloadd_links{verdict=\"compliant\"} 1\n"));
	assert_non_null(strstr(text, "\noffloadd_links{verdict=\"drifted\"} 1\n"));
	assert_non_null(strstr(text, "\noffloadd_links{verdict=\"unsupported\"} 1\n"));
	assert_non_null(strstr(text, "\noffloadd_features{verdict=\"drifted\"} 6\n"));
	assert_non_null(strstr(text, "\noffloadd_features{verdict=\"unsupported\"} 1\n"));
}

static void evidence_is_bounded_too(void **state)
{
	enum { N = METRICS_SERIES_MAX + 1 };
	struct evidence evidence = { .has_fallback = true };
	struct picture *p = *state;
	_cleanup_free_ char *text = NULL;
	char name[16];

	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		evidence_fallback_row(&evidence, FALLBACK_SOCKET, FALLBACK_REASON_FEATURE, name, "eth0")->hits[FALLBACK_CHECKSUM].n = 1;
	}
	p->metrics.evidence = &evidence;
	text = format(p);
	evidence_clear(&evidence);
	assert_int_equal(count_lines(text, "offloadd_fallback_hits_total{"), METRICS_SERIES_MAX);
	assert_non_null(strstr(text,
		"\noffloadd_series_omitted{metric=\"offloadd_fallback_hits_total\"} 1\n"));
	assert_null(strstr(text, "offloadd_stale_connections"));
}

/* More of everything than is written: the bound that docs/fleet.md has. */
static void all_series_together_are_bounded(void **state)
{
	enum { N = METRICS_SERIES_MAX + 8 };
	struct evidence evidence = { .has_fallback = true, .has_sockets = true, .has_latency = true, .has_lingering = true };
	struct rule *rules = calloc(N, sizeof(*rules));
	struct picture *p = *state;
	_cleanup_free_ char *text = NULL;
	struct netns_statuses namespaces = { 0 };
	char name[24];
	size_t series;

	for (int i = 0; i < N; i++) {
		struct netns_status status = { .inode = (uint64_t)i + 1, .look = NETNS_SEEN, .with[VERDICT_DRIFTED] = 1 };

		assert_int_equal(netns_statuses_take(&namespaces, &status, 1), 0);
		rules[i] = (struct rule){ .file = (char *)"x.rule", .until = 1 };
		snprintf(name, sizeof(name), "s%d", i);
		sample_link(&p->sample, 100 + i, name, "vlan");
		link_states_get(&p->states, 100 + i)->result =
			(struct link_result){ .declared = true, .features[VERDICT_DRIFTED] = 7 };
		evidence_fallback_row(&evidence, FALLBACK_SOCKET, FALLBACK_REASON_FEATURE, name, "eth0")->hits[FALLBACK_CHECKSUM].n = 1;
		evidence_stale_row(&evidence, name, "eth0")->sockets = 1;
		evidence_stale_row(&evidence, name, "eth0")->senders = 1;
	}
	for (int i = 0; i < EVIDENCE_PROBES_MAX; i++)
		evidence_add_probe(&evidence, &(struct evidence_probe){ "segmentation", "__skb_gso_segment", "fentry", NULL, false });
	p->metrics.rules = &(struct rule_set){ .rules = rules, .n_rules = N };
	p->metrics.evidence = &evidence;
	p->metrics.namespaces = &namespaces;
	text = format(p);
	netns_statuses_clear(&namespaces);
	evidence_clear(&evidence);
	free(rules);
	series = count_lines(text, "offloadd_");
	assert_in_range(series, METRICS_BOUNDED * METRICS_SERIES_MAX, METRICS_BOUNDED * METRICS_SERIES_MAX + METRICS_OTHER_MAX);
	assert_int_equal(count_lines(text, "offloadd_series_omitted{"), METRICS_BOUNDED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_that_there_is, setup, teardown),
		cmocka_unit_test_setup_teardown(
			without_a_daemon_only_what_the_kernel_tells, setup, teardown),
		cmocka_unit_test_setup_teardown(a_daemon_that_was_stopped_is_not_up, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_died_is_not_up_either, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_died_in_another_namespace, setup, teardown),
		cmocka_unit_test(what_is_no_text_of_ours_becomes_one),
		cmocka_unit_test_setup_teardown(
			another_namespace_is_a_label_of_every_series, setup, teardown),
		cmocka_unit_test_setup_teardown(hostile_names_stay_one_label_and_differ, setup, teardown),
		cmocka_unit_test_setup_teardown(
			series_are_bounded_and_the_rest_is_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(a_feature_of_other_kernels_has_a_series, setup, teardown),
		cmocka_unit_test_setup_teardown(an_interface_that_is_down_is_marked, setup, teardown),
		cmocka_unit_test_setup_teardown(the_longest_drift_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(all_series_together_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(every_verdict_of_a_link_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(evidence_is_bounded_too, setup, teardown),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
