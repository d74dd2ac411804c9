/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/json_investigation.h"

#include <errno.h>
#include <string.h>

#include "basic/json.h"
#include "report/catalog.h"
#include "report/json_evidence.h"

#define MISSING_LEN 512

/* ---- members that are fields of a struct ---- */

static const struct json_field diagnosis_fields[] = {
	JSON_FIELD(struct diagnosis, finding.service, "service", JSON_TEXT, .zero_is_null = true),
	JSON_FIELD(struct diagnosis, finding.link, "link", JSON_TEXT, .zero_is_null = true),
	JSON_FIELD(struct diagnosis, cost_usec, "cost_usec", JSON_INT),
	{ 0 },
};

static const struct json_field rate_fields[] = {
	JSON_FIELD(struct investigation_count, n, "times", JSON_INT),
	JSON_FIELD(struct investigation_count, lost, "lost", JSON_INT),
	{ 0 },
};

static const struct json_field fallback_fields[] = {
	JSON_FIELD(struct evidence_fallback, service, "service", JSON_TEXT, .zero_is_null = true),
	JSON_FIELD(struct evidence_fallback, link, "link", JSON_TEXT, .zero_is_null = true),
	JSON_FIELD(struct evidence_fallback, has_again, "mended", JSON_BOOL),
	JSON_FIELD(struct evidence_fallback, unsupported, "fixed", JSON_BOOL),
	JSON_FIELD(struct evidence_fallback, limit, "limit", JSON_INT, .zero_is_null = true),
	JSON_FIELD(struct evidence_fallback, largest, "largest", JSON_INT, .zero_is_null = true),
	JSON_FIELD(struct evidence_fallback, hits[FALLBACK_SEGMENTATION].n, "segmentation", JSON_INT),
	JSON_FIELD(struct evidence_fallback, hits[FALLBACK_CHECKSUM].n, "checksum", JSON_INT),
	JSON_FIELD(struct evidence_fallback, hits[FALLBACK_UDP].n, "udp-segmentation", JSON_INT),
	{ 0 },
};

static const struct json_field stale_fields[] = {
	JSON_FIELD(struct evidence_stale, service, "service", JSON_TEXT),
	JSON_FIELD(struct evidence_stale, link, "link", JSON_TEXT, .zero_is_null = true),
	JSON_FIELD(struct evidence_stale, sockets, "sockets", JSON_INT, .zero_is_null = true),
	JSON_FIELD(struct evidence_stale, senders, "udp_senders", JSON_INT),
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
	JSON_FIELD(struct evidence_probe, name, "probe", JSON_BORROWED),
	JSON_FIELD(struct evidence_probe, why, "why", JSON_BORROWED),
	{ 0 },
};

static const struct json_field head_fields[] = {
	JSON_FIELD(struct investigation, kernel, "kernel", JSON_TEXT),
	JSON_FIELD(struct investigation, unit, "unit", JSON_TEXT, .zero_is_null = true),
	JSON_FIELD(struct investigation, only_link, "link", JSON_TEXT, .zero_is_null = true),
	JSON_FIELD(struct investigation, link_gone, "link_gone", JSON_BOOL),
	JSON_FIELD(struct investigation, elapsed_usec, "elapsed_usec", JSON_INT, .required = true, .least = 1),
	JSON_FIELD(struct investigation, evidence.has_lingering, "copies_judged", JSON_BOOL),
	JSON_FIELD(struct investigation, senders_unseen, "udp_senders_unseen", JSON_BOOL),
	JSON_FIELD(struct investigation, evidence.udp_undecided, "udp_undecided", JSON_INT),
	JSON_FIELD(struct investigation, evidence.latency.lost, "lost_calls", JSON_INT),
	JSON_FIELD(struct investigation, evidence.latency.begun, "begun_calls", JSON_INT),
	{ 0 },
};

/* ---- writing ---- */

static bool is_about_fallback(enum finding_code code)
{
	return code == FINDING_DIAGNOSIS_DEVICE || code == FINDING_DIAGNOSIS_RECONNECT || code == FINDING_DIAGNOSIS_GAVE_UP;
}

static void add_diagnoses(struct json_writer *w, const struct feature_table *features, const struct diagnosis *diagnoses, size_t n)
{
	char text[CATALOG_TEXT_MAX];

	json_open_list(w, "findings");
	for (size_t k = 0; k < n; k++) {
		json_open_object(w, NULL);
		json_add_text(w, "verdict", diagnosis_name(diagnoses[k].finding.code));
		json_add_fields(w, diagnosis_fields, &diagnoses[k]);
		json_add_text(w, "reason", diagnosis_is_fallback(&diagnoses[k]) ? evidence_reason_name(diagnoses[k].finding.reason) : NULL);
		json_add_text(w, "remedy", is_about_fallback(diagnoses[k].finding.code) ? remedy_name(diagnoses[k].finding.remedy) : NULL);
		json_add_text(w, "text", catalog_diagnosis(&diagnoses[k], features, text, sizeof(text)));
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
		json_add_fields(w, rate_fields, &i->rates[k]);
		json_add_int(w, "per_second", (int64_t)investigation_per_sec(i, i->rates[k].n));
		json_close_object(w);
	}
	json_close_object(w);
}

static void add_missing(struct json_writer *w, const struct feature_table *features, feature_set missing)
{
	char names[MISSING_LEN];

	json_add_text(w, "missing", missing ? feature_format(features, missing, names, sizeof(names)) : NULL);
}

static void add_fallback(struct json_writer *w, const struct evidence *e)
{
	json_open_list(w, "fallback");
	for (size_t k = 0; k < e->n_fallback; k++) {
		json_open_object(w, NULL);
		json_add_fields(w, fallback_fields, &e->fallback[k]);
		json_add_text(w, "reason", evidence_reason_name(e->fallback[k].reason));
		json_add_bool(w, "forwarded", e->fallback[k].origin == FALLBACK_FORWARDED);
		json_add_int(w, "copy", (int64_t)evidence_sum_copied(&e->fallback[k]));
		add_missing(w, &e->features, e->fallback[k].missing);
		json_add_text(w, "remedy", remedy_name(e->fallback[k].remedy));
		json_close_object(w);
	}
	json_close_list(w);
}

static void add_stale(struct json_writer *w, const struct evidence *e)
{
	if (!json_open_list_if(w, "stale", e->has_sockets || e->has_lingering || e->n_stale))
		return;
	for (size_t k = 0; k < e->n_stale; k++) {
		json_open_object(w, NULL);
		json_add_fields(w, stale_fields, &e->stale[k]);
		add_missing(w, &e->features, e->stale[k].missing);
		json_close_object(w);
	}
	json_close_list(w);
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

static void add_absent(struct json_writer *w, const struct evidence *e)
{
	json_open_list(w, "absent");
	for (size_t k = 0; k < e->n_probes; k++) {
		if (e->probes[k].method)
			continue;
		json_open_object(w, NULL);
		json_add_fields(w, absent_fields, &e->probes[k]);
		json_close_object(w);
	}
	json_close_list(w);
}

int json_write_investigation(FILE *out, const struct investigation *i, const struct diagnosis *diagnoses, size_t n)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };
	const struct evidence *e = &i->evidence;

	json_begin(&w, "investigate");
	json_add_fields(&w, head_fields, i);
	add_diagnoses(&w, &e->features, diagnoses, n);
	add_rates(&w, i);
	add_fallback(&w, e);
	add_stale(&w, e);
	if (e->has_latency)
		json_add_histograms(&w, &e->latency);
	else
		json_add_null(&w, "histograms");
	add_stacks(&w, i);
	json_add_rows(&w, "cpus", cpu_fields, i->cpus, i->n_cpus, sizeof(*i->cpus));
	add_absent(&w, e);
	return json_finish(&w, out);
}

static void add_side(struct json_writer *w, const struct investigation *i, const char *key, const char *name)
{
	_cleanup_free_ struct diagnosis *diagnoses = NULL;
	size_t n = 0;

	if (diagnose(i, &diagnoses, &n) < 0)
		w->error = -ENOMEM;
	json_open_object(w, key);
	json_add_text(w, "name", name);
	json_add_text(w, "kernel", i->kernel);
	add_diagnoses(w, &i->evidence.features, diagnoses, n);
	json_close_object(w);
}

int json_write_investigations(FILE *out, const struct investigation *a, const struct investigation *b,
	const char *a_name, const char *b_name)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };
	_cleanup_free_ struct investigation_metric *metrics = NULL;
	char what[CATALOG_TEXT_MAX];
	size_t n;

	if (investigation_compare(a, b, &metrics, &n) < 0)
		return -ENOMEM;
	json_begin(&w, "diff-investigate");
	add_side(&w, a, "a", a_name);
	add_side(&w, b, "b", b_name);
	json_open_list(&w, "metrics");
	for (size_t k = 0; k < n; k++) {
		json_open_object(&w, NULL);
		json_add_text(&w, "what", catalog_metric(&metrics[k], what, sizeof(what)));
		json_add_text(&w, "unit", metrics[k].measure == INVESTIGATION_MEDIAN ? "usec" : NULL);
		if (metrics[k].known) {
			json_add_int(&w, "a", (int64_t)metrics[k].a);
			json_add_int(&w, "b", (int64_t)metrics[k].b);
		} else {
			json_add_null(&w, "a");
			json_add_null(&w, "b");
		}
		json_add_text(&w, "why", catalog_difference(&metrics[k]));
		json_close_object(&w);
	}
	json_close_list(&w);
	return json_finish(&w, out);
}

/* ---- reading ---- */

/* The other members. */
struct parts {
	char document[32];
	int64_t version;
	const struct json_value *rates, *fallback, *stale, *histograms;
	bool forwarded;		   /* of a row of fallback */
	uint64_t copied;	   /* the same */
	const char *reason;	   /* the same */
	char missing[MISSING_LEN]; /* of that and of a row of stale */
	const char *remedy;	   /* of a row of fallback */
};

static void read_rates(struct json_reader *r, const struct json_value *rates, struct investigation *i)
{
	for (unsigned k = 0; k < INVESTIGATION_RATES; k++) {
		const struct json_value *o = json_get(rates, investigation_rate_name(k));

		i->rates[k].known = json_kind(o) != JSON_NULL;
		if (i->rates[k].known && json_kind(o) != JSON_OBJECT)
			json_complain(r, investigation_rate_name(k), "is not an object");
		json_read(r, o, rate_fields, &i->rates[k]);
	}
}

/* The features of "a, b". */
static feature_set read_missing(struct evidence *e, char *names)
{
	feature_set set = 0;
	char *rest;

	for (char *name = strtok_r(names, ", ", &rest); name; name = strtok_r(NULL, ", ", &rest))
		set |= evidence_add_feature(e, name);
	return set;
}

static void read_fallback(struct json_reader *r, const struct json_value *item, struct evidence *e)
{
	static const struct json_field fields[] = {
		JSON_FIELD(struct parts, forwarded, "forwarded", JSON_BOOL),
		JSON_FIELD(struct parts, copied, "copy", JSON_INT),
		JSON_FIELD(struct parts, reason, "reason", JSON_BORROWED),
		JSON_FIELD(struct parts, missing, "missing", JSON_TEXT),
		JSON_FIELD(struct parts, remedy, "remedy", JSON_BORROWED),
		{ 0 },
	};
	struct evidence_fallback read = { 0 }, *row;
	struct parts parts = { 0 };

	json_read(r, item, fields, &parts);
	if (json_read(r, item, fallback_fields, &read) < 0)
		return;
	row = evidence_fallback_row(e,
		parts.forwarded	  ? FALLBACK_FORWARDED
		: read.service[0] ? FALLBACK_SOCKET
				  : FALLBACK_KERNEL,
		evidence_reason_parse(parts.reason), read.service, read.link);
	if (!row) {
		r->error = -ENOMEM;
		return;
	}
	json_read(r, item, fallback_fields, row);
	row->hits[FALLBACK_SPLICE].n = parts.copied; /* or SENDPAGE, depending on the kernel version */
	row->missing = read_missing(e, parts.missing);
	row->remedy = remedy_parse(parts.remedy ? parts.remedy : "");
}

static void read_stale(struct json_reader *r, const struct json_value *item, struct evidence *e)
{
	static const struct json_field fields[] = {
		JSON_FIELD(struct parts, missing, "missing", JSON_TEXT), { 0 },
	};
	struct evidence_stale read = { 0 }, *row;
	struct parts parts = { 0 };

	json_read(r, item, fields, &parts);
	if (json_read(r, item, stale_fields, &read) < 0)
		return;
	row = evidence_stale_row(e, read.service, read.link);
	if (!row) {
		r->error = -ENOMEM;
		return;
	}
	*row = read;
	row->missing = read_missing(e, parts.missing);
}

static int read_document(struct json_reader *r, const struct json_value *root, struct investigation *i)
{
	static const struct json_field kind[] = {
		JSON_FIELD(struct parts, document, "document", JSON_TEXT), { 0 },
	};
	static const struct json_field fields[] = {
		JSON_FIELD(struct parts, version, "version", JSON_INT),
		JSON_FIELD(struct parts, rates, "rates", JSON_OBJECT),
		JSON_FIELD(struct parts, fallback, "fallback", JSON_LIST, .most = EVIDENCE_ROWS_MAX),
		JSON_FIELD(struct parts, stale, "stale", JSON_LIST, .most = EVIDENCE_ROWS_MAX),
		JSON_FIELD(struct parts, histograms, "histograms", JSON_LIST, .most = EVIDENCE_ROWS_MAX),
		{ 0 },
	};
	struct parts parts = { 0 };

	if (json_read(r, root, kind, &parts) < 0 || strcmp(parts.document, "investigate") != 0)
		return -ENOENT;
	json_read(r, root, fields, &parts);
	if (!r->error && parts.version != JSON_VERSION) {
		snprintf(r->why, r->why_size, "unsupported version, expected %d", JSON_VERSION);
		return -EBADMSG;
	}
	json_read(r, root, head_fields, i);
	read_rates(r, parts.rates, i);
	for (struct json_each e = json_each(r, parts.fallback, "fallback"); json_step(&e);)
		read_fallback(r, e.item, &i->evidence);
	for (struct json_each e = json_each(r, parts.stale, "stale"); json_step(&e);)
		read_stale(r, e.item, &i->evidence);
	i->evidence.has_sockets = parts.stale && !i->evidence.has_lingering;
	i->evidence.has_latency = parts.histograms;
	json_read_histograms(r, parts.histograms, &i->evidence.latency);
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
	if (e == -EBADMSG) /* the caller tries other formats */
		return -ENOENT;
	if (e >= 0)
		e = read_document(&r, root, ret);
	if (e < 0)
		investigation_clear(ret);
	return e;
}
