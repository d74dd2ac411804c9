/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How software fallback ends: one decision from verdict, rule and reason, and the same sentence wherever it is shown. */
#include <json-c/json.h>

#include "basic/json.h"
#include "evidence/diagnose.h"
#include "report/catalog.h"
#include "report/journal.h"
#include "report/json_services.h"
#include "report/report_tables.h"
#include "unit-model.h"

static struct feature_table table;

static int setup(void **state)
{
	(void)state;
	unit_features(&table);
	return 0;
}

static struct evidence_fallback make_row(void)
{
	struct evidence_fallback row = { .service = "web.service", .link = "v0", .ifindex = 7, .reason = FALLBACK_REASON_FEATURE,
		.missing = unit_set(&table, "tx-scatter-gather") };

	for (unsigned kind = 0; kind < FALLBACK_KINDS; kind++)
		row.hits[kind].idle_usec = EVIDENCE_IDLE_UNKNOWN;
	row.hits[FALLBACK_SEGMENTATION] = (struct evidence_hits){ 90, 0, true };
	return row;
}

static struct link_result make_result(enum verdict verdict)
{
	struct link_result result = { .declared = true };

	result.features[verdict] = unit_set(&table, "tx-scatter-gather");
	return result;
}

static void by_verdict_of_the_missing_feature(void **state)
{
	static const enum remedy remedies[VERDICT_COUNT] = {
		[VERDICT_COMPLIANT] = REMEDY_RULE,
		[VERDICT_DRIFTED] = REMEDY_REPAIR,
		[VERDICT_BLOCKED] = REMEDY_NOT_POSSIBLE,
		[VERDICT_UNSUPPORTED] = REMEDY_NOT_POSSIBLE,
		[VERDICT_REFUSED] = REMEDY_NOT_POSSIBLE,
		[VERDICT_CONTENDED] = REMEDY_CONTEND,
		[VERDICT_PAUSED] = REMEDY_RESUME,
	};
	struct evidence_fallback row = make_row();

	(void)state;
	for (unsigned verdict = 0; verdict < VERDICT_COUNT; verdict++) {
		struct link_result result = make_result((enum verdict)verdict);

		assert_int_equal(evidence_find_remedy(&row, &result, false), remedies[verdict]);
		assert_int_equal(evidence_find_remedy(&row, &result, true), remedies[verdict]);
	}
}

/* v0 matches its rules, which say nothing about what is missing; or no rule matches it. */
static void without_a_rule_no_repair_is_promised(void **state)
{
	struct link_result other = { .declared = true };
	struct evidence_fallback row = make_row();

	(void)state;
	other.features[VERDICT_DRIFTED] = unit_set(&table, "rx-lro");
	assert_int_equal(evidence_find_remedy(&row, NULL, false), REMEDY_DECLARE);
	assert_int_equal(evidence_find_remedy(&row, &other, false), REMEDY_DECLARE);
	row.unsupported = true;
	assert_int_equal(evidence_find_remedy(&row, &other, false), REMEDY_UNSUPPORTED);
}

static void after_the_repair(void **state)
{
	struct link_result result = make_result(VERDICT_COMPLIANT);
	struct evidence_fallback row = make_row();

	(void)state;
	row.has_again = true;
	assert_int_equal(evidence_find_remedy(&row, &result, false), REMEDY_OVER);
	assert_int_equal(evidence_find_remedy(&row, &result, true), REMEDY_RECONNECT);
	row.has_again = false;
	row.missing = 0;
	assert_int_equal(evidence_find_remedy(&row, &result, false), REMEDY_UNKNOWN);
	row.reason = FALLBACK_REASON_STALE;
	assert_int_equal(evidence_find_remedy(&row, &result, true), REMEDY_RECONNECT);
	assert_int_equal(evidence_find_remedy(&row, &result, false), REMEDY_OVER);
}

static void another_reason_decides_itself(void **state)
{
	struct link_result result = make_result(VERDICT_DRIFTED);
	struct evidence_fallback row = make_row();

	(void)state;
	row.missing = 0;
	for (unsigned reason = 0; reason < FALLBACK_REASONS; reason++) {
		row.reason = (enum fallback_reason)reason;
		if (reason != FALLBACK_REASON_FEATURE && reason != FALLBACK_REASON_STALE)
			assert_int_equal(evidence_find_remedy(&row, &result, false), REMEDY_REASON);
	}
	row = make_row();
	row.ifindex = 0;
	assert_int_equal(evidence_find_remedy(&row, &result, false), REMEDY_UNKNOWN);
}

/* ---- the same everywhere ---- */

static const char *service_row(const struct evidence *e, const char *pointer)
{
	static char text[CATALOG_TEXT_MAX];
	_cleanup_json_writer_ struct json_writer w = { .form = JSON_COMPACT };
	struct json_object *o, *found = NULL;

	json_open_object(&w, NULL);
	json_add_services(&w, e);
	json_close_object(&w);
	o = json_tokener_parse(w.text);
	assert_int_equal(json_pointer_get(o, pointer, &found), 0);
	snprintf(text, sizeof(text), "%s", json_object_get_string(found));
	json_object_put(o);
	return text;
}

static void check_report(const struct evidence *e, const char *advice)
{
	_cleanup_json_writer_ struct json_writer w = { .form = JSON_COMPACT };
	_cleanup_json_ struct json_value *document = NULL;
	struct report_source source = { 0 };
	char *page = NULL, escaped[64];
	size_t len;
	FILE *out = open_memstream(&page, &len);

	json_open_object(&w, NULL);
	json_add_services(&w, e);
	json_close_object(&w);
	document = unit_json(w.text);
	source.document = document;
	report_write_fallback(out, &source);
	fclose(out);
	snprintf(escaped, sizeof(escaped), "%.*s", (int)strcspn(advice, "`<>&"), advice); /* HTML escapes the rest */
	assert_non_null(strstr(page, escaped));
	free(page);
}

static void services_journal_investigate_and_report_agree(void **state)
{
	(void)state;
	for (unsigned remedy = 0; remedy < REMEDY_COUNT; remedy++) {
		struct evidence e = { .features = table, .has_fallback = true, .has_sockets = true };
		struct investigation i = { .elapsed_usec = 1000000 };
		struct finding event = { .code = FINDING_FALLBACK_SERVICE, .link = "v0", .ifindex = 7, .service = "web.service",
			.kind = FALLBACK_SEGMENTATION };
		struct evidence_fallback *row = evidence_fallback_row(&e, FALLBACK_SOCKET, FALLBACK_REASON_FEATURE, "web.service", "v0");
		char advice[CATALOG_TEXT_MAX], text[CATALOG_TEXT_MAX], fields[4096], wanted[64];
		struct diagnosis *diagnoses;
		size_t n;

		*row = make_row();
		row->remedy = (enum remedy)remedy;
		if (remedy == REMEDY_REASON)
			row->reason = FALLBACK_REASON_QDISC;
		catalog_remedy(row, &table, advice, sizeof(advice));
		assert_string_equal(service_row(&e, "/fallback/0/advice"), advice);
		assert_string_equal(service_row(&e, "/fallback/0/remedy"), remedy_name((enum remedy)remedy));
		event.remedy = row->remedy;
		event.reason = row->reason;
		event.off = row->missing;
		assert_non_null(strstr(catalog_format(&event, &table, text, sizeof(text)), advice));
		journal_format(&table, &event, fields, sizeof(fields));
		snprintf(wanted, sizeof(wanted), "OFFLOADD_REMEDY=%s\n", remedy_name((enum remedy)remedy));
		assert_non_null(strstr(fields, wanted));
		check_report(&e, advice);
		i.evidence = e;
		for (unsigned k = 0; k < INVESTIGATION_RATES; k++)
			i.rates[k].known = true;
		i.evidence.has_latency = true;
		assert_int_equal(diagnose(&i, &diagnoses, &n), 0);
		assert_int_equal(diagnoses[0].finding.remedy, remedy);
		assert_non_null(strstr(catalog_diagnosis(&diagnoses[0], &table, text, sizeof(text)), advice));
		free(diagnoses);
		evidence_clear(&e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_verdict_of_the_missing_feature),
		cmocka_unit_test(without_a_rule_no_repair_is_promised),
		cmocka_unit_test(after_the_repair),
		cmocka_unit_test(another_reason_decides_itself),
		cmocka_unit_test(services_journal_investigate_and_report_agree),
	};

	return cmocka_run_group_tests_name("remedy", tests, setup, NULL);
}
