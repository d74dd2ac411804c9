/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/json_investigation.h"

#include <errno.h>
#include <string.h>

#include "basic/json.h"
#include "report/json_evidence.h"

/* ---- what is the same in a struct and in the document ---- */

static const struct json_field finding_fields[] = {
	JSON_FIELD(struct investigation_finding, service, "service", JSON_TEXT, .zero_is_null = true),
	JSON_FIELD(struct investigation_finding, link, "link", JSON_TEXT, .zero_is_null = true),
	JSON_FIELD(struct investigation_finding, cost_usec, "cost_usec", JSON_INT),
	JSON_FIELD(struct investigation_finding, text, "text", JSON_TEXT),
	{ 0 },
};

static const struct json_field fallback_fields[] = {
	JSON_FIELD(struct investigation_fallback, service, "service", JSON_TEXT, .zero_is_null = true),
	JSON_FIELD(struct investigation_fallback, forwarded, "forwarded", JSON_BOOL),
	JSON_FIELD(struct investigation_fallback, link, "link", JSON_TEXT, .zero_is_null = true),
	JSON_FIELD(struct investigation_fallback, missing, "missing", JSON_TEXT, .zero_is_null = true),
	JSON_FIELD(struct investigation_fallback, mended, "mended", JSON_BOOL),
	JSON_FIELD(struct investigation_fallback, fixed, "fixed", JSON_BOOL),
	JSON_FIELD(struct investigation_fallback, segmented, "segmentation", JSON_INT),
	JSON_FIELD(struct investigation_fallback, summed, "checksum", JSON_INT),
	JSON_FIELD(struct investigation_fallback, copied, "copy", JSON_INT),
	{ 0 },
};

static const struct json_field stale_fields[] = {
	JSON_FIELD(struct investigation_stale, service, "service", JSON_TEXT),
	JSON_FIELD(struct investigation_stale, link, "link", JSON_TEXT, .zero_is_null = true),
	JSON_FIELD(struct investigation_stale, missing, "missing", JSON_TEXT, .zero_is_null = true),
	JSON_FIELD(struct investigation_stale, sockets, "sockets", JSON_INT),
	{ 0 },
};

static const struct json_field cpu_fields[] = {
	JSON_FIELD(struct investigation_cpu, cpu, "cpu", JSON_INT),
	JSON_FIELD(struct investigation_cpu, busy_permille, "busy_permille", JSON_INT),
	JSON_FIELD(struct investigation_cpu, softirq_permille, "softirq_permille", JSON_INT),
	JSON_FIELD(struct investigation_cpu, most, "most", JSON_TEXT, .zero_is_null = true),
	JSON_FIELD(struct investigation_cpu, most_runs, "most_times", JSON_INT),
	{ 0 },
};

static const struct json_field absent_fields[] = {
	JSON_FIELD(struct investigation_absent, what, "probe", JSON_TEXT),
	JSON_FIELD(struct investigation_absent, why, "why", JSON_TEXT),
	{ 0 },
};

static const struct json_field head_fields[] = {
	JSON_FIELD(struct investigation, kernel, "kernel", JSON_TEXT),
	JSON_FIELD(struct investigation, unit, "unit", JSON_TEXT, .zero_is_null = true),
	JSON_FIELD(struct investigation, only_link, "link", JSON_TEXT, .zero_is_null = true),
	JSON_FIELD(struct investigation, link_gone, "link_gone", JSON_BOOL),
	JSON_FIELD(struct investigation, elapsed_usec, "elapsed_usec", JSON_INT, .required = true, .least = 1),
	{ 0 },
};

static const struct json_field call_fields[] = {
	JSON_FIELD(struct investigation, latency.lost, "lost_calls", JSON_INT),
	JSON_FIELD(struct investigation, latency.begun, "begun_calls", JSON_INT),
	{ 0 },
};

/* ---- writing ---- */

static void add_findings(
	struct json_writer *w, const struct investigation_finding *findings, size_t n)
{
	json_open_list(w, "findings");
	for (size_t k = 0; k < n; k++) {
		json_open_object(w, NULL);
		json_add_text(w, "verdict", investigation_verdict_name(findings[k].verdict));
		json_add_fields(w, finding_fields, &findings[k]);
		json_close_object(w);
	}
	json_close_list(w);
}

static void add_rates(struct json_writer *w, const struct investigation *i)
{
	json_open_object(w, "rates");
	for (unsigned k = 0; k < INVESTIGATION_RATES; k++) {
		if (!json_open_if(w, investigation_rate_name(k), i->rates[k].known))
			continue;
		json_add_int(w, "times", (int64_t)i->rates[k].n);
		json_add_int(w, "per_second", (int64_t)investigation_per_sec(i, i->rates[k].n));
		json_add_int(w, "lost", (int64_t)i->lost[k]);
		json_close_object(w);
	}
	json_close_object(w);
}

static void add_stacks(struct json_writer *w, const struct investigation *i)
{
	json_open_list(w, "stacks");
	for (size_t k = 0; k < i->n_stacks; k++) {
		json_open_object(w, NULL);
		json_add_int(w, "times", (int64_t)i->stacks[k].count);
		json_open_list(w, "frames");
		for (unsigned f = 0; f < i->stacks[k].n; f++)
			json_add_text(w, NULL, i->stacks[k].frames[f]);
		json_close_list(w);
		json_close_object(w);
	}
	json_close_list(w);
}

int json_write_investigation(FILE *out, const struct investigation *i,
	const struct investigation_finding *findings, size_t n)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };

	json_begin(&w, "investigate");
	json_add_fields(&w, head_fields, i);
	add_findings(&w, findings, n);
	add_rates(&w, i);
	json_add_rows(&w, "fallback", fallback_fields, i->fallback, i->n_fallback, sizeof(*i->fallback));
	if (i->has_sockets)
		json_add_rows(&w, "stale", stale_fields, i->stale, i->n_stale, sizeof(*i->stale));
	else
		json_add_null(&w, "stale");
	json_add_fields(&w, call_fields, i);
	if (i->has_latency)
		json_add_histograms(&w, &i->latency);
	else
		json_add_null(&w, "histograms");
	add_stacks(&w, i);
	json_add_rows(&w, "cpus", cpu_fields, i->cpus, i->n_cpus, sizeof(*i->cpus));
	json_add_rows(&w, "absent", absent_fields, i->absent, i->n_absent, sizeof(*i->absent));
	return json_finish(&w, out);
}

static void add_side(struct json_writer *w, const struct investigation *i, const char *key, const char *name)
{
	_cleanup_free_ struct investigation_finding *findings = NULL;
	size_t n = 0;

	if (investigation_judge(i, &findings, &n) < 0)
		w->error = -ENOMEM;
	json_open_object(w, key);
	json_add_text(w, "name", name);
	json_add_text(w, "kernel", i->kernel);
	add_findings(w, findings, n);
	json_close_object(w);
}

int json_write_investigations(FILE *out, const struct investigation *a, const struct investigation *b,
	const char *a_name, const char *b_name)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };
	_cleanup_free_ struct investigation_metric *metrics = NULL;
	size_t n;

	if (investigation_compare(a, b, &metrics, &n) < 0)
		return -ENOMEM;
	json_begin(&w, "diff-investigate");
	add_side(&w, a, "a", a_name);
	add_side(&w, b, "b", b_name);
	json_open_list(&w, "metrics");
	for (size_t k = 0; k < n; k++) {
		json_open_object(&w, NULL);
		json_add_text(&w, "what", metrics[k].what);
		json_add_text(&w, "unit", metrics[k].usec ? "usec" : NULL);
		if (metrics[k].known) {
			json_add_int(&w, "a", (int64_t)metrics[k].a);
			json_add_int(&w, "b", (int64_t)metrics[k].b);
		} else {
			json_add_null(&w, "a");
			json_add_null(&w, "b");
		}
		json_add_text(&w, "why", metrics[k].why);
		json_close_object(&w);
	}
	json_close_list(&w);
	return json_finish(&w, out);
}

/* ---- reading ---- */

/* What is not a plain member of a struct. */
struct parts {
	char document[32];
	int64_t version;
	const struct json_value *rates, *fallback, *stale, *histograms;
};

static void read_rates(struct json_reader *r, const struct json_value *rates, struct investigation *i)
{
	struct rate {
		uint64_t times, lost;
	};
	static const struct json_field fields[] = {
		JSON_FIELD(struct rate, times, "times", JSON_INT),
		JSON_FIELD(struct rate, lost, "lost", JSON_INT),
		{ 0 },
	};

	for (unsigned k = 0; k < INVESTIGATION_RATES; k++) {
		const struct json_value *o = json_get(rates, investigation_rate_name(k));
		struct rate rate = { 0 };

		if (json_kind(o) == JSON_NULL)
			continue;
		if (json_kind(o) != JSON_OBJECT)
			json_complain(r, investigation_rate_name(k), "is not an object");
		json_read(r, o, fields, &rate);
		i->rates[k].known = true;
		i->rates[k].n = rate.times;
		i->lost[k] = rate.lost;
	}
}

static void read_rows(struct json_reader *r, const struct parts *parts, struct investigation *i)
{
	for (struct json_each e = json_each(r, parts->fallback, "fallback"); json_step(&e);) {
		struct investigation_fallback read = { 0 }, *row;

		if (json_read(r, e.item, fallback_fields, &read) < 0)
			return;
		row = investigation_fallback_row(i, read.service, read.forwarded, read.link);
		if (!row) {
			r->error = -ENOMEM;
			return;
		}
		*row = read;
	}
	i->has_sockets = parts->stale;
	for (struct json_each e = json_each(r, parts->stale, "stale"); json_step(&e);) {
		struct investigation_stale read = { 0 }, *row;

		if (json_read(r, e.item, stale_fields, &read) < 0)
			return;
		row = investigation_stale_row(i, read.service, read.link);
		if (!row) {
			r->error = -ENOMEM;
			return;
		}
		*row = read;
	}
}

static int read_document(struct json_reader *r, const struct json_value *root, struct investigation *i)
{
	static const struct json_field kind[] = {
		JSON_FIELD(struct parts, document, "document", JSON_TEXT), { 0 },
	};
	static const struct json_field fields[] = {
		JSON_FIELD(struct parts, version, "version", JSON_INT),
		JSON_FIELD(struct parts, rates, "rates", JSON_OBJECT),
		JSON_FIELD(struct parts, fallback, "fallback", JSON_LIST, .most = INVESTIGATION_ROWS_MAX),
		JSON_FIELD(struct parts, stale, "stale", JSON_LIST, .most = INVESTIGATION_ROWS_MAX),
		JSON_FIELD(struct parts, histograms, "histograms", JSON_LIST, .most = INVESTIGATION_ROWS_MAX),
		{ 0 },
	};
	struct parts parts = { 0 };

	if (json_read(r, root, kind, &parts) < 0 || strcmp(parts.document, "investigate") != 0)
		return -ENOENT;
	json_read(r, root, fields, &parts);
	if (!r->error && parts.version != JSON_VERSION) {
		snprintf(r->why, r->why_size, "it is of another version than %d", JSON_VERSION);
		return -EBADMSG;
	}
	json_read(r, root, head_fields, i);
	json_read(r, root, call_fields, i);
	read_rates(r, parts.rates, i);
	read_rows(r, &parts, i);
	i->has_latency = parts.histograms;
	json_read_histograms(r, parts.histograms, &i->latency);
	investigation_sort(i);
	return r->error;
}

int json_read_investigation(
	const char *text, size_t len, struct investigation *ret, char *why, size_t why_size)
{
	struct json_reader r = { .why = why, .why_size = why_size };
	_cleanup_json_ struct json_value *root = NULL;
	int e = json_parse(text, len, JSON_OF_FILE, &root, why, why_size);

	*ret = (struct investigation){ 0 };
	why[0] = '\0';
	if (e == -EBADMSG) /* what is no document of ours, or none at all, is for others to complain about */
		return -ENOENT;
	if (e >= 0)
		e = read_document(&r, root, ret);
	if (e < 0)
		investigation_clear(ret);
	return e;
}
