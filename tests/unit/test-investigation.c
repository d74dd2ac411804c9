/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What follows from evidence; its text against tests/golden; its document written and read again; the files of /proc that it is made
 * from. Runs at the top of the sources. */
#include "unit.h"

#include <string.h>

#include "golden.h"
#include "investigation-sample.h"
#include "report/catalog.h"
#include "report/json_investigation.h"
#include "kernel/ksyms.h"
#include "report/render_investigation.h"
#include "kernel/softirq.h"
#include "model/unit.h"

static const struct diagnosis *judged;
static char text_of[8][CATALOG_TEXT_MAX];
static size_t n_judged;

static void judge(const struct investigation *i)
{
	struct diagnosis *diagnoses;

	free((void *)judged);
	assert_int_equal(diagnose(i, &diagnoses, &n_judged), 0);
	judged = diagnoses;
	assert_true(n_judged <= ARRAY_SIZE(text_of));
	for (size_t k = 0; k < n_judged; k++)
		catalog_diagnosis(&judged[k], &i->evidence.features, text_of[k], sizeof(text_of[k]));
}

static void is_finding(size_t at, enum finding_code code, const char *service, const char *link)
{
	assert_true(at < n_judged);
	assert_string_equal(diagnosis_name(judged[at].finding.code), diagnosis_name(code));
	assert_string_equal(judged[at].finding.service, service);
	assert_string_equal(judged[at].finding.link, link);
}

static void has(size_t at, const char *part)
{
	if (!strstr(text_of[at], part))
		fail_msg("not in the finding: %s\n%s", part, text_of[at]);
}

static void a_broken_device(void **state)
{
	struct investigation i = sample_broken();

	(void)state;
	judge(&i);
	assert_int_equal(n_judged, 1);
	is_finding(0, FINDING_DIAGNOSIS_DEVICE, "files.service", "vlan10");
	has(0, "files.service is using software fallback on vlan10, which lacks tx-scatter-gather, tx-checksum-ip-generic; "
	       "per second: 100 packets segmented, 200 checksums computed; this ends when vlan10 is repaired, and no restart is needed. Run: offloadctl "
	       "apply vlan10");
	investigation_clear(&i);
}

static void a_device_that_cannot(void **state)
{
	struct investigation i = sample_broken();

	(void)state;
	i.evidence.fallback[0].remedy = REMEDY_UNSUPPORTED;
	judge(&i);
	is_finding(0, FINDING_DIAGNOSIS_DEVICE, "files.service", "vlan10");
	has(0, "computed; tx-scatter-gather, tx-checksum-ip-generic cannot be changed on vlan10. Run: offloadctl explain vlan10");
	i.evidence.fallback[0].remedy = REMEDY_OVER;
	i.evidence.fallback[0].has_again = true;
	judge(&i);
	has(0, "files.service used software fallback on vlan10, which lacked tx-scatter-gather, tx-checksum-ip-generic; per ");
	has(0, "200 checksums computed; vlan10 has regained tx-scatter-gather, tx-checksum-ip-generic; no restart is needed");
	investigation_clear(&i);
}

/* The features are on: neither apply nor explain is the advice. */
static void a_limit_is_not_a_feature(void **state)
{
	struct investigation i = sample_broken();
	struct evidence_fallback *row = &i.evidence.fallback[0];

	(void)state;
	row->reason = FALLBACK_REASON_SIZE;
	row->limit = 8000;
	row->largest = 65226;
	row->lacked = 1;
	evidence_set_missing(row, &i.evidence.features, NULL);
	assert_int_equal(row->missing, 0);
	judge(&i);
	assert_int_equal(n_judged, 1);
	is_finding(0, FINDING_DIAGNOSIS_LIMIT, "files.service", "vlan10");
	has(0, "files.service is using software fallback on vlan10; per second: 100 packets segmented, 200 checksums computed; vlan10 "
	       "limits gso_max_size to 8000, but packets of up to 65226 bytes are sent; raise the limit (ip link set dev vlan10 gso_max_size "
	       "65536), or lower that of the interfaces above");
	row->largest = 70000;
	row->reason = FALLBACK_REASON_IPV4_SIZE;
	judge(&i);
	has(0, "gso_ipv4_max_size 70001");
	row->reason = FALLBACK_REASON_SEGMENTS;
	row->largest = 45;
	judge(&i);
	has(0, "up to 45 segments are sent; raise the limit (ip link set dev vlan10 gso_max_segs 65535)");
	investigation_clear(&i);
}

/* Whatever the reason is, a counter that grows is not "well". */
static void no_reason_is_well(void **state)
{
	(void)state;
	for (unsigned reason = 0; reason < FALLBACK_REASONS; reason++) {
		struct investigation i = sample_broken();

		i.evidence.fallback[0].reason = (enum fallback_reason)reason;
		i.evidence.fallback[0].missing = 0;
		i.evidence.fallback[0].hits[FALLBACK_SEGMENTATION].n = 1;
		i.evidence.fallback[0].hits[FALLBACK_CHECKSUM].n = 0;
		judge(&i);
		assert_int_equal(n_judged, 1);
		assert_true(diagnosis_is_fallback(&judged[0]));
		assert_int_equal(judged[0].finding.reason, reason);
		if (reason != FALLBACK_REASON_FEATURE)
			assert_null(strstr(text_of[0], "offloadctl apply"));
		assert_int_equal(evidence_reason_parse(evidence_reason_name(judged[0].finding.reason)), reason);
		investigation_clear(&i);
	}
	assert_int_equal(evidence_reason_parse("of a newer version"), FALLBACK_REASON_UNKNOWN);
}

static void copying_sockets_will_be_stale(void **state)
{
	struct investigation i = sample_broken();

	(void)state;
	i.evidence.fallback[0].hits[FALLBACK_SPLICE].n = 50;
	judge(&i);
	assert_int_equal(n_judged, 1);
	has(0, ", 5 copies by its sockets; this ends when vlan10 is repaired, and connections may have to be re-established then. Run: ");
	investigation_clear(&i);
}

static void is_missing(struct evidence_fallback *row, const struct feature_table *table,
	const struct link_features *now, const char *missing, bool has_again, bool unsupported)
{
	char names[256] = "";

	evidence_set_missing(row, table, now);
	if (row->missing)
		feature_format(table, row->missing, names, sizeof(names));
	assert_string_equal(names, missing);
	assert_int_equal(row->has_again, has_again);
	assert_int_equal(row->unsupported, unsupported);
}

static void what_packets_lacked_is_named(void **state)
{
	static const char *const names[] = { "tx-scatter-gather", "tx-checksum-ipv4", "tx-checksum-ip-generic",
		"tx-tcp-segmentation", "tx-tcp6-segmentation" };
	struct feature_table table = { 0 };
	struct evidence_fallback row = { .reason = FALLBACK_REASON_FEATURE };
	struct link_features now = { 0 };

	(void)state;
	for (unsigned bit = 0; bit < ARRAY_SIZE(names); bit++)
		assert_int_equal(feature_table_add(&table, bit, names[bit], strlen(names[bit])), 0);
	now.hw = FEATURE(5) - 1;
	now.active = now.hw & ~FEATURE(4);
	row.lacked = FEATURE(4); /* only IPv6 goes without */
	is_missing(&row, &table, &now, "tx-tcp6-segmentation", false, false);
	now.active |= FEATURE(4);
	is_missing(&row, &table, &now, "tx-tcp6-segmentation", true, false);
	is_missing(&row, &table, NULL, "tx-tcp6-segmentation", false, false);
	/* either checksum would do */
	row.lacked = FEATURE(1) | FEATURE(2);
	is_missing(&row, &table, NULL, "tx-checksum-ip-generic", false, false);
	now.active &= ~FEATURE(1);
	is_missing(&row, &table, &now, "tx-checksum-ip-generic", true, false);
	now.active &= ~FEATURE(2);
	now.hw = now.wanted = FEATURE(1);
	is_missing(&row, &table, &now, "tx-checksum-ipv4", false, false);
	now.hw = 0;
	is_missing(&row, &table, &now, "tx-checksum-ipv4", false, true);
	/* nothing is split or summed: a socket that copies, on a link that is well, or is not */
	row.lacked = 0;
	is_missing(&row, &table, &now, "", false, false);
	now.active &= ~FEATURE(0);
	is_missing(&row, &table, &now, "tx-scatter-gather", false, true);
}

static void a_stale_socket(void **state)
{
	struct investigation i = sample_repaired();

	(void)state;
	judge(&i);
	assert_int_equal(n_judged, 1);
	is_finding(0, FINDING_DIAGNOSIS_RECONNECT, "files.service", "vlan10");
	has(0, "files.service has 2 stale connections: they still lack tx-scatter-gather, which vlan10 has regained; over IPv4 run: sysctl net.ipv4.route.flush=1 (closes no connection); otherwise restart the service");
	investigation_clear(&i);
}

static void a_slow_disk_is_not_the_fallback(void **state)
{
	struct investigation i = sample_repaired();

	(void)state;
	i.evidence.n_stale = i.evidence.n_fallback = 0;
	i.evidence.latency.rows[0].fallback = false;
	i.evidence.latency.rows[0].disk_usec = 900000;
	judge(&i);
	assert_int_equal(n_judged, 1);
	is_finding(0, FINDING_DIAGNOSIS_DISK, "files.service", "");
	has(0, "files.service waits for data to be read: 90% of the time in sendfile (1000 calls, median ");
	has(0, "offloads are not the cause");
	/* what cannot be told apart is not guessed */
	i.evidence.latency.has_waits = false;
	judge(&i);
	is_finding(0, FINDING_DIAGNOSIS_WELL, "", "");
	investigation_clear(&i);
}

static void of_two_causes_the_costly_one_comes_first(void **state)
{
	struct investigation i = sample_broken();

	(void)state;
	i.evidence.latency.rows[0].disk_usec = 600000;
	judge(&i);
	assert_int_equal(n_judged, 2);
	is_finding(0, FINDING_DIAGNOSIS_DISK, "files.service", "");
	is_finding(1, FINDING_DIAGNOSIS_DEVICE, "files.service", "vlan10");
	i.evidence.latency.rows[0].disk_usec = 400000;
	judge(&i);
	assert_int_equal(n_judged, 1);
	is_finding(0, FINDING_DIAGNOSIS_DEVICE, "files.service", "vlan10");
	investigation_clear(&i);
}

static void receivers_forwarded_and_nothing(void **state)
{
	struct investigation i = sample_repaired();
	struct evidence_fallback *row;

	(void)state;
	i.evidence.n_stale = i.evidence.n_fallback = 0;
	i.evidence.latency.rows[0].peer_usec = 700000;
	judge(&i);
	is_finding(0, FINDING_DIAGNOSIS_RECEIVER, "files.service", "");
	i.evidence.latency.rows[0].peer_usec = 0;
	judge(&i);
	is_finding(0, FINDING_DIAGNOSIS_WELL, "", "");
	has(0, "No software fallback and no stale connections were found; sendfile to TCP sockets: 1000 calls, median ");
	i.rates[INVESTIGATION_SUMMED].known = false;
	judge(&i);
	is_finding(0, FINDING_DIAGNOSIS_BLIND, "", "");
	has(0, "Not observed: checksums; the reasons are listed below. What was observed shows no problem");
	row = evidence_fallback_row(&i.evidence, FALLBACK_FORWARDED, FALLBACK_REASON_FEATURE, "", "vlan10");
	row->hits[FALLBACK_SEGMENTATION].n = 30;
	judge(&i);
	is_finding(0, FINDING_DIAGNOSIS_DEVICE, "", "vlan10");
	has(0, "Forwarded traffic is using software fallback on vlan10; per second: 3 packets segmented; "
	       "what vlan10 lacks is not known. Run: offloadctl explain vlan10");
	assert_int_equal(n_judged, 2);
	is_finding(1, FINDING_DIAGNOSIS_BLIND, "", "");
	has(1, "What was observed is reported separately");
	investigation_clear(&i);
}

/* No word of what nobody looked at. */
static void what_was_not_seen_is_not_well(void **state)
{
	struct investigation i = sample_repaired();

	(void)state;
	i.evidence.n_stale = i.evidence.n_fallback = i.evidence.latency.n = 0;
	judge(&i);
	is_finding(0, FINDING_DIAGNOSIS_WELL, "", "");
	has(0, "No software fallback and no stale connections were found; no sendfile call to a TCP socket started");
	i.evidence.has_latency = i.evidence.has_sockets = false;
	judge(&i);
	assert_int_equal(n_judged, 1);
	is_finding(0, FINDING_DIAGNOSIS_BLIND, "", "");
	has(0, "Not observed: stale connections, sendfile; the reasons are listed below.");
	i.evidence.has_latency = i.evidence.has_sockets = true;
	i.rates[INVESTIGATION_SEGMENTED].lost = 5;
	judge(&i);
	is_finding(0, FINDING_DIAGNOSIS_BLIND, "", "");
	i.rates[INVESTIGATION_SEGMENTED].lost = 0;
	i.link_gone = true;
	strcpy(i.only_link, "vlan10");
	judge(&i);
	is_finding(0, FINDING_DIAGNOSIS_BLIND, "", "vlan10");
	assert_string_equal(text_of[0], "vlan10 was removed during the investigation. What was observed shows no problem");
	investigation_clear(&i);
}

static void a_call_that_has_not_returned(void **state)
{
	struct investigation i = sample_repaired();
	struct evidence_latency_row *row = i.evidence.latency.rows;

	(void)state;
	i.evidence.n_stale = i.evidence.n_fallback = 0;
	*row = (struct evidence_latency_row){ .service = "files.service", .running = 2, .longest_usec = 12000000,
		.total_usec = 15000000, .disk_usec = 14000000 };
	judge(&i);
	is_finding(0, FINDING_DIAGNOSIS_DISK, "files.service", "");
	has(0, "93% of the time in sendfile (2 still running, the longest for 12.0 s)");
	row->running = 1;
	row->disk_usec = 0;
	judge(&i);
	is_finding(0, FINDING_DIAGNOSIS_WELL, "", "");
	has(0, "sendfile to TCP sockets: 1 still running for 12.0 s");
	investigation_clear(&i);
}

static void a_few_packets_are_a_finding(void **state)
{
	struct investigation i = sample_broken();

	(void)state;
	i.evidence.fallback[0].hits[FALLBACK_SEGMENTATION].n = 3;
	i.evidence.fallback[0].hits[FALLBACK_CHECKSUM].n = 1;
	judge(&i);
	is_finding(0, FINDING_DIAGNOSIS_DEVICE, "files.service", "vlan10");
	has(0, "; per second: less than one packet; this ends when vlan10 is repaired, ");
	i.evidence.fallback[0].hits[FALLBACK_SEGMENTATION].n = 4000;
	judge(&i);
	is_finding(0, FINDING_DIAGNOSIS_DEVICE, "files.service", "vlan10");
	has(0, "; per second: 400 packets segmented; this ends when vlan10 is repaired, ");
	i.evidence.fallback[0].hits[FALLBACK_SEGMENTATION].n = i.evidence.fallback[0].hits[FALLBACK_CHECKSUM].n = i.evidence.fallback[0].hits[FALLBACK_SPLICE].n = 4;
	judge(&i);
	has(0, "; per second: less than one packet; this ends when vlan10 is repaired, and connections ");
	investigation_clear(&i);
}

static void a_process_without_a_unit(void **state)
{
	struct investigation i = sample_repaired();

	(void)state;
	free(i.evidence.stale_slots); /* the names are hashed */
	i.evidence.stale_slots = NULL;
	strcpy(i.evidence.stale[0].service, UNIT_NO_SERVICE);
	strcpy(i.evidence.fallback[0].service, UNIT_NO_SERVICE);
	judge(&i);
	has(0, "A process outside any service has 2 stale connections");
	has(0, "which vlan10 has regained; over IPv4 run: sysctl net.ipv4.route.flush=1 (closes no connection); otherwise restart it");
	i.evidence.n_stale = 0;
	judge(&i);
	has(0, "A process outside any service is using software fallback on vlan10");
	investigation_clear(&i);
}

static bool is_known(const struct investigation *a, const struct investigation *b, const char *what, bool *ret_why)
{
	struct investigation_metric *metrics;
	char name[CATALOG_TEXT_MAX];
	bool known = false, found = false;
	size_t n;

	assert_int_equal(investigation_compare(a, b, &metrics, &n), 0);
	for (size_t k = 0; k < n; k++)
		if (!strcmp(catalog_metric(&metrics[k], name, sizeof(name)), what)) {
			found = true;
			known = metrics[k].known;
			*ret_why = catalog_difference(&metrics[k]) != NULL;
		}
	free(metrics);
	assert_true(found);
	return known;
}

static void who_gave_up_may_be_unseen(void **state)
{
	struct investigation i = sample_watched(false);

	(void)state;
	judge(&i);
	is_finding(0, FINDING_DIAGNOSIS_WELL, "", "");
	i.senders_unseen = true;
	judge(&i);
	assert_int_equal(n_judged, 1);
	is_finding(0, FINDING_DIAGNOSIS_BLIND, "", "");
	assert_int_equal(judged[0].unseen, 1U << DIAGNOSIS_NO_SENDERS);
	i.senders_unseen = false;
	i.evidence.udp_undecided = 1;
	judge(&i);
	is_finding(0, FINDING_DIAGNOSIS_BLIND, "", "");
	assert_int_equal(judged[0].unseen, 1U << DIAGNOSIS_UNDECIDED_SENDERS);
	investigation_clear(&i);
}

static void kernels_that_count_other_things(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{ "6.1.0-1-amd64", "6.12.8", false },
		{ "6.4.9", "6.5-rc1", false },
		{ "5.10.0", "6.1.0", true },
		{ "6.12.0", "7.2.0", true },
		{ "", "6.12.0", true },
	};
	struct investigation a = sample_broken(), b = sample_repaired();
	bool why;

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(cases); k++) {
		strcpy(a.kernel, cases[k].a);
		strcpy(b.kernel, cases[k].b);
		assert_int_equal(is_known(&a, &b, "copy per second", &why), cases[k].same);
		assert_int_equal(why, !cases[k].same);
		assert_int_equal(is_known(&a, &b, "copy per sendfile call", &why), cases[k].same);
		assert_int_equal(is_known(&a, &b, "tcp_sendmsg per second", &why), cases[k].same);
		assert_true(is_known(&a, &b, "segmentation per second", &why));
		assert_false(why);
	}
	assert_true(is_known(&a, &b, "stale connections", &why));
	b.evidence.has_sockets = false;
	assert_false(is_known(&a, &b, "stale connections", &why));
	investigation_clear(&a);
	investigation_clear(&b);
}

static void rows_are_bounded_and_found_again(void **state)
{
	struct investigation i = { .elapsed_usec = 1 };
	char name[32];

	(void)state;
	for (unsigned k = 0; k < 2 * EVIDENCE_ROWS_MAX; k++) {
		snprintf(name, sizeof(name), "s%u.service", k);
		assert_int_equal(evidence_stale_row(&i.evidence, name, "l") != NULL, k < EVIDENCE_ROWS_MAX);
	}
	assert_ptr_equal(evidence_stale_row(&i.evidence, "s7.service", "l"), &i.evidence.stale[7]);
	assert_int_equal(i.evidence.n_stale, EVIDENCE_ROWS_MAX);
	assert_int_equal(i.evidence.omitted, EVIDENCE_ROWS_MAX);
	assert_int_equal(i.evidence.sockets_dropped, EVIDENCE_ROWS_MAX);
	evidence_add_stale(&i.evidence, &(struct evidence_stale){ .service = "more.service", .link = "l", .sockets = 3 });
	assert_int_equal(i.evidence.sockets_dropped, EVIDENCE_ROWS_MAX + 3);
	investigation_clear(&i);
}

static char *written(const struct investigation *i)
{
	struct diagnosis *diagnoses;
	char *text = NULL;
	size_t n, len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(diagnose(i, &diagnoses, &n), 0);
	assert_int_equal(json_write_investigation(out, i, diagnoses, n), 0);
	free(diagnoses);
	fclose(out);
	return text;
}

static void what_is_written_is_read(void **state)
{
	struct investigation i = sample_broken(), again;
	char *text, *second, why[256];

	(void)state;
	i.rates[INVESTIGATION_SUMMED].lost = 7;
	i.evidence.latency.rows[0].running = 1;
	i.evidence.latency.rows[0].longest_usec = 9000000;
	i.link_gone = i.evidence.fallback[0].has_again = true;
	i.evidence.latency.begun = 6;
	text = written(&i);
	assert_int_equal(json_read_investigation(text, strlen(text), &again, why, sizeof(why)), 0);
	assert_string_equal(again.kernel, "6.1.0-1-amd64");
	assert_int_equal(again.evidence.n_fallback, 1);
	assert_int_equal(again.evidence.fallback[0].hits[FALLBACK_CHECKSUM].n, 2000);
	assert_int_equal(again.evidence.latency.n, 1);
	assert_memory_equal(again.evidence.latency.rows[0].slots, i.evidence.latency.rows[0].slots, sizeof(i.evidence.latency.rows[0].slots));
	assert_true(again.evidence.latency.has_waits);
	assert_true(again.evidence.has_sockets);
	assert_int_equal(again.rates[INVESTIGATION_SUMMED].lost, 7);
	assert_int_equal(again.evidence.latency.rows[0].running, 1);
	assert_int_equal(again.evidence.latency.rows[0].longest_usec, 9000000);
	assert_true(again.link_gone);
	assert_true(again.evidence.fallback[0].has_again);
	assert_int_equal(again.evidence.latency.begun, 6);
	assert_true(again.rates[RATE_PUSH_ONE].known);
	second = written(&again);
	assert_non_null(strstr(second, "\"device\""));
	free(second);
	investigation_clear(&again);
	/* cut off at every byte, it is no document, and nothing worse */
	for (size_t len = 0; len + 2 < strlen(text); len++)
		assert_int_equal(json_read_investigation(text, len, &again, why, sizeof(why)), -ENOENT);
	free(text);
	investigation_clear(&i);
}

static void bad_documents(void **state)
{
	static const struct {
		const char *text, *why;
		int error;
	} bad[] = {
		{ "[]", "", -ENOENT },
		{ "{\"version\":1,\"document\":\"snapshot\"}", "", -ENOENT },
		{ "{\"version\":2,\"document\":\"investigate\"}", "unsupported version, expected 1", -EBADMSG },
		{ "{\"version\":1,\"document\":\"investigate\"}", "elapsed_usec is missing", -EBADMSG },
		{ "{\"version\":1,\"document\":\"investigate\",\"elapsed_usec\":-1}", "elapsed_usec is out of range",
			-EBADMSG },
		{ "{\"version\":1,\"document\":\"investigate\",\"elapsed_usec\":1,\"histograms\":[{\"slots\":[{"
		  "\"from_usec\":3,\"calls\":1}]}]}",
			"histograms[0].slots[0].from_usec is not a power of two, where a slot begins", -EBADMSG },
		{ "{\"version\":1,\"document\":\"investigate\",\"elapsed_usec\":1,\"fallback\":[7]}", "fallback[0] is not an object",
			-EBADMSG },
		{ "{\"version\":1,\"document\":\"investigate\",\"elapsed_usec\":1,\"fallback\":{}}",
			"fallback is not a list", -EBADMSG },
		{ "{\"version\":1,\"document\":\"investigate\",\"elapsed_usec\":1,\"stale\":[{\"link\":"
		  "\"a-name-that-is-longer-than-any-link\"}]}",
			"stale[0].link is too long", -EBADMSG },
	};

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(bad); k++) {
		struct investigation i;
		char why[256];

		assert_int_equal(
			json_read_investigation(bad[k].text, strlen(bad[k].text), &i, why, sizeof(why)), bad[k].error);
		assert_string_equal(why, bad[k].why);
		investigation_clear(&i);
	}
}

static void as_text(void **state)
{
	struct investigation i = sample_broken(), after = sample_repaired();
	struct render r = { .ascii = true };
	struct diagnosis *diagnoses;
	char *text = NULL;
	size_t n, len;

	(void)state;
	r.out = open_memstream(&text, &len);
	assert_int_equal(diagnose(&i, &diagnoses, &n), 0);
	assert_int_equal(render_investigation(&r, &i, diagnoses, n), 0);
	free(diagnoses);
	fclose(r.out);
	golden_compare("tests/golden/investigate.txt", text, len);
	free(text);
	r.out = open_memstream(&text, &len);
	assert_int_equal(render_investigations(&r, &i, &after, "before.json", "after.json"), 0);
	fclose(r.out);
	golden_compare("tests/golden/investigate-diff.txt", text, len);
	free(text);
	investigation_clear(&i);
	investigation_clear(&after);
}

static void comparisons_in_words(void **state)
{
	static const char *const words[] = { "4.1 times faster in B (A 796 us, B 192 us)",
		"4.1 times slower in B (A 192 us, B 796 us)", "about as fast in B as in A (A 796 us, B 796 us)" };
	struct investigation before = sample_broken(), after = sample_repaired(), other = sample_repaired();
	const struct investigation *pairs[][2] = { { &before, &after }, { &after, &before }, { &before, &before },
		{ &before, &other } };

	(void)state;
	strcpy(other.evidence.latency.rows[0].service, "web.service");
	for (size_t k = 0; k < ARRAY_SIZE(pairs); k++) {
		struct render r = { .ascii = true };
		char *text = NULL, line[256];
		size_t len;

		r.out = open_memstream(&text, &len);
		assert_int_equal(render_investigations(&r, pairs[k][0], pairs[k][1], "a", "b"), 0);
		fclose(r.out);
		/* where no service is on both sides, all of them together */
		snprintf(line, sizeof(line), "\n\nsendfile median%s: %s\n\n", k < 3 ? ", files.service" : "",
			words[k % ARRAY_SIZE(words)]);
		if (!strstr(text, line))
			fail_msg("no \"%s\" in \"%s\"", line, text);
		free(text);
	}
	investigation_clear(&before);
	investigation_clear(&after);
	investigation_clear(&other);
}

static void equal_stacks_are_one(void **state)
{
	struct investigation i = sample_broken();
	struct investigation_stack *stack = investigation_add_stack(&i);

	(void)state;
	*stack = i.stacks[0];
	stack->count = 7;
	investigation_sort(&i);
	assert_int_equal(i.n_stacks, 2);
	assert_int_equal(i.stacks[0].count, 997);
	assert_string_equal(i.stacks[0].frames[0], "tcp_push_one");
	investigation_clear(&i);
}

static void share_of_a_cpu(const struct softirq_cpu *then)
{
	struct softirq_cpu now = *then;
	struct softirq_share share;

	assert_false(softirq_compare(then, &now, &share));
	now.ticks += 100;
	now.idle_ticks += 25;
	now.softirq_ticks += 50;
	now.runs[1] += 9;
	assert_true(softirq_compare(then, &now, &share));
	assert_int_equal(share.busy_permille, 750);
	assert_int_equal(share.softirq_permille, 500);
	assert_int_equal(share.most, 1);
	assert_int_equal(share.most_runs, 9);
	/* the kernel's idle time goes back at times, and its counts start again after 32 bits */
	now.idle_ticks = then->idle_ticks - 1;
	now.runs[0] = then->runs[0];
	now.runs[1] = (uint32_t)(then->runs[1] - 1);
	assert_true(softirq_compare(then, &now, &share));
	assert_int_equal(share.busy_permille, 1000);
	assert_int_equal(share.most_runs, UINT32_MAX);
}

static void soft_interrupts(void **state)
{
	static const char stat[] = "cpu  10 0 10 100 0 0 20 0 0 0\n"
				   "cpu0 5 0 5 50 3 0 10 0 0 0\n"
				   "cpu7 5 0 5 50 0 0 10 1 0 0\n"
				   "intr 1 2 3\n";
	static const char runs[] = "                    CPU0       CPU7       \n"
				   "          HI:          1          2\n"
				   "      NET_TX:        300        400\n"
				   "      NET_RX:         30\n";
	struct softirqs *s = calloc(1, sizeof(*s));

	(void)state;
	assert_non_null(s);
	assert_int_equal(softirq_parse(stat, runs, s), 0);
	assert_int_equal(s->n, 2);
	assert_int_equal(s->cpus[0].ticks, 73);
	assert_int_equal(s->cpus[0].idle_ticks, 53);
	assert_int_equal(softirq_find(s, 7)->softirq_ticks, 10);
	assert_string_equal(s->names[1], "NET_TX");
	assert_int_equal(softirq_find(s, 7)->runs[1], 400);
	assert_int_equal(softirq_find(s, 7)->runs[2], 0);
	assert_null(softirq_find(s, 1));
	share_of_a_cpu(&s->cpus[1]);
	assert_int_equal(softirq_parse("", "", s), -EBADMSG);
	assert_int_equal(softirq_parse("cpu0 1 2 3 4 5 6 7 8", "x: 1 2", s), 0);
	free(s);
}

static void kernel_symbols(void **state)
{
	char name[KSYMS_NAME_LEN];
	uint64_t start = 0;

	(void)state;
	assert_int_equal(ksyms_parse_line("ffffffff81000000 T tcp_push_one\n", &start, name), 1);
	assert_int_equal(start, 0xffffffff81000000);
	assert_string_equal(name, "tcp_push_one");
	assert_int_equal(ksyms_parse_line("ffffffffc0000000 t f\x1b[0m\t[veth]\n", &start, name), 1);
	assert_string_equal(name, "f?[0m");
	assert_int_equal(ksyms_parse_line("ffffffff81000000 D some_data\n", &start, name), 0);
	assert_int_equal(ksyms_parse_line("no line\n", &start, name), 0);
	assert_int_equal(ksyms_parse_line("", &start, name), 0);
	assert_null(ksyms_name(NULL, 0, 7));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_broken_device),
		cmocka_unit_test(a_device_that_cannot),
		cmocka_unit_test(a_limit_is_not_a_feature),
		cmocka_unit_test(no_reason_is_well),
		cmocka_unit_test(copying_sockets_will_be_stale),
		cmocka_unit_test(what_packets_lacked_is_named),
		cmocka_unit_test(a_stale_socket),
		cmocka_unit_test(a_slow_disk_is_not_the_fallback),
		cmocka_unit_test(of_two_causes_the_costly_one_comes_first),
		cmocka_unit_test(receivers_forwarded_and_nothing),
		cmocka_unit_test(what_was_not_seen_is_not_well),
		cmocka_unit_test(a_call_that_has_not_returned),
		cmocka_unit_test(a_few_packets_are_a_finding),
		cmocka_unit_test(a_process_without_a_unit),
		cmocka_unit_test(who_gave_up_may_be_unseen),
		cmocka_unit_test(kernels_that_count_other_things),
		cmocka_unit_test(rows_are_bounded_and_found_again),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(bad_documents),
		cmocka_unit_test(as_text),
		cmocka_unit_test(comparisons_in_words),
		cmocka_unit_test(equal_stacks_are_one),
		cmocka_unit_test(soft_interrupts),
		cmocka_unit_test(kernel_symbols),
	};
	int r = cmocka_run_group_tests_name("investigation", tests, NULL, NULL);

	free((void *)judged);
	return r;
}
