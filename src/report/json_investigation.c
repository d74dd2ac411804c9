/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/json_investigation.h"

#include <errno.h>
#include <string.h>

#include "report/investigation_text.h"
#include "report/json_evidence.h"
#include "report/json_private.h"

#define DEPTH_MAX 8
#define MISSING_LEN 512
#define CONTAINERS_MAX (EVIDENCE_ROWS_MAX * 64) /* lists and objects */
#define MEMBERS_MAX (EVIDENCE_ROWS_MAX * 512)   /* of all of them together */

static void add_or_null(struct document *d, json_object *to, const char *key, const char *text)
{
	add_text(d, to, key, text[0] ? text : NULL);
}

static json_object *new_findings(
	struct document *d, const struct feature_table *features, const struct diagnosis *diagnoses, size_t n)
{
	json_object *array = new_array(d);
	char text[DIAGNOSIS_TEXT_LEN];

	for (size_t k = 0; k < n; k++) {
		const struct finding *f = &diagnoses[k].finding;
		json_object *o = new_object(d);

		add_text(d, o, "verdict", diagnosis_name(f->code));
		add_or_null(d, o, "service", f->service);
		add_or_null(d, o, "link", f->link);
		add_number(d, o, "cost_usec", (int64_t)diagnoses[k].cost_usec);
		add_text(d, o, "text", diagnosis_format(&diagnoses[k], features, text));
		push(d, array, o);
	}
	return array;
}

static void add_missing(struct document *d, json_object *to, const struct feature_table *features, feature_set missing)
{
	char names[MISSING_LEN];

	add_text(d, to, "missing", missing ? feature_format(features, missing, names, sizeof(names)) : NULL);
}

static json_object *new_rates(struct document *d, const struct investigation *i)
{
	json_object *rates = new_object(d);

	for (unsigned k = 0; k < INVESTIGATION_RATES; k++) {
		json_object *o = NULL;

		if (i->rates[k].known) {
			o = new_object(d);
			add_number(d, o, "times", (int64_t)i->rates[k].n);
			add_number(d, o, "per_second", (int64_t)investigation_per_sec(i, i->rates[k].n));
			add_number(d, o, "lost", (int64_t)i->rates[k].lost);
		}
		add(d, rates, investigation_rate_name(k), o);
	}
	return rates;
}

static json_object *new_fallback(struct document *d, const struct evidence *e)
{
	json_object *array = new_array(d);

	for (size_t k = 0; k < e->n_fallback; k++) {
		const struct evidence_fallback *row = &e->fallback[k];
		json_object *o = new_object(d);

		add_or_null(d, o, "service", row->service);
		add_bool(d, o, "forwarded", row->origin == FALLBACK_FORWARDED);
		add_or_null(d, o, "link", row->link);
		add_missing(d, o, &e->features, row->missing);
		add_bool(d, o, "mended", row->has_again);
		add_bool(d, o, "fixed", row->unsupported);
		add_number(d, o, "segmentation", (int64_t)row->hits[FALLBACK_SEGMENTATION].n);
		add_number(d, o, "checksum", (int64_t)row->hits[FALLBACK_CHECKSUM].n);
		add_number(d, o, "copy", (int64_t)evidence_sum_copied(row));
		push(d, array, o);
	}
	return array;
}

static json_object *new_stale(struct document *d, const struct evidence *e)
{
	json_object *array = new_array(d);

	for (size_t k = 0; k < e->n_stale; k++) {
		json_object *o = new_object(d);

		add_text(d, o, "service", e->stale[k].service);
		add_or_null(d, o, "link", e->stale[k].link);
		add_missing(d, o, &e->features, e->stale[k].missing);
		add_number(d, o, "sockets", e->stale[k].sockets);
		push(d, array, o);
	}
	return array;
}

static json_object *new_stacks(struct document *d, const struct investigation *i)
{
	json_object *array = new_array(d);

	for (size_t k = 0; k < i->n_stacks; k++) {
		json_object *o = new_object(d), *frames = new_array(d);

		add_number(d, o, "times", (int64_t)i->stacks[k].count);
		for (unsigned f = 0; f < i->stacks[k].n; f++)
			push(d, frames, new_text(d, i->stacks[k].frames[f]));
		add(d, o, "frames", frames);
		push(d, array, o);
	}
	return array;
}

static json_object *new_cpus(struct document *d, const struct investigation *i)
{
	json_object *array = new_array(d);

	for (size_t k = 0; k < i->n_cpus; k++) {
		json_object *o = new_object(d);

		add_number(d, o, "cpu", i->cpus[k].cpu);
		add_number(d, o, "busy_permille", i->cpus[k].busy_permille);
		add_number(d, o, "softirq_permille", i->cpus[k].softirq_permille);
		add_or_null(d, o, "most", i->cpus[k].most);
		add_number(d, o, "most_times", (int64_t)i->cpus[k].most_runs);
		push(d, array, o);
	}
	return array;
}

static json_object *new_absent(struct document *d, const struct evidence *e)
{
	json_object *array = new_array(d);

	for (size_t k = 0; k < e->n_probes; k++) {
		json_object *o;

		if (e->probes[k].method)
			continue;
		o = new_object(d);
		add_text(d, o, "probe", e->probes[k].name);
		add_text(d, o, "why", e->probes[k].why);
		push(d, array, o);
	}
	return array;
}

int json_write_investigation(FILE *out, const struct investigation *i,
	const struct diagnosis *diagnoses, size_t n)
{
	_cleanup_document_ struct document d = { 0 };
	const struct evidence *e = &i->evidence;

	begin(&d, "investigate");
	add_text(&d, d.root, "kernel", i->kernel);
	add_or_null(&d, d.root, "unit", i->unit);
	add_or_null(&d, d.root, "link", i->only_link);
	add_bool(&d, d.root, "link_gone", i->link_gone);
	add_number(&d, d.root, "elapsed_usec", (int64_t)i->elapsed_usec);
	add(&d, d.root, "findings", new_findings(&d, &e->features, diagnoses, n));
	add(&d, d.root, "rates", new_rates(&d, i));
	add(&d, d.root, "fallback", new_fallback(&d, e));
	add(&d, d.root, "stale", e->has_sockets ? new_stale(&d, e) : NULL);
	add_number(&d, d.root, "lost_calls", (int64_t)e->latency.lost);
	add_number(&d, d.root, "begun_calls", (int64_t)e->latency.begun);
	add(&d, d.root, "histograms", e->has_latency ? json_new_histograms(&d, &e->latency) : NULL);
	add(&d, d.root, "stacks", new_stacks(&d, i));
	add(&d, d.root, "cpus", new_cpus(&d, i));
	add(&d, d.root, "absent", new_absent(&d, e));
	return write_out(&d, out);
}

static int add_side(struct document *d, const struct investigation *i, const char *key, const char *name)
{
	_cleanup_free_ struct diagnosis *diagnoses = NULL;
	json_object *side = new_object(d);
	size_t n;

	if (diagnose(i, &diagnoses, &n) < 0)
		return -ENOMEM;
	add_text(d, side, "name", name);
	add_text(d, side, "kernel", i->kernel);
	add(d, side, "findings", new_findings(d, &i->evidence.features, diagnoses, n));
	add(d, d->root, key, side);
	return 0;
}

int json_write_investigations(FILE *out, const struct investigation *a, const struct investigation *b,
	const char *a_name, const char *b_name)
{
	_cleanup_document_ struct document d = { 0 };
	_cleanup_free_ struct investigation_metric *metrics = NULL;
	char what[METRIC_TEXT_LEN];
	json_object *array;
	size_t n;

	begin(&d, "diff-investigate");
	if (investigation_compare(a, b, &metrics, &n) < 0 || add_side(&d, a, "a", a_name) < 0 ||
		add_side(&d, b, "b", b_name) < 0)
		return -ENOMEM;
	array = new_array(&d);
	for (size_t k = 0; k < n; k++) {
		json_object *o = new_object(&d);

		add_text(&d, o, "what", metric_format(&metrics[k], what));
		add_text(&d, o, "unit", metrics[k].measure == INVESTIGATION_MEDIAN ? "usec" : NULL);
		if (metrics[k].known) {
			add_number(&d, o, "a", (int64_t)metrics[k].a);
			add_number(&d, o, "b", (int64_t)metrics[k].b);
		} else {
			add(&d, o, "a", NULL);
			add(&d, o, "b", NULL);
		}
		add_text(&d, o, "why", metric_difference(&metrics[k]));
		push(&d, array, o);
	}
	add(&d, d.root, "metrics", array);
	return write_out(&d, out);
}

struct reader {
	char *why;
	size_t why_size;
	bool bad;
};

static void complain(struct reader *r, const char *key, const char *what)
{
	if (!r->bad)
		snprintf(r->why, r->why_size, "%s %s", key, what);
	r->bad = true;
}

static json_object *member(struct reader *r, json_object *from, const char *key, json_type type)
{
	json_object *o = NULL;

	if (!from || !json_object_object_get_ex(from, key, &o) || !o)
		return NULL;
	if (!json_object_is_type(o, type)) {
		complain(r, key, "has another type than it should");
		return NULL;
	}
	return o;
}

static uint64_t number(struct reader *r, json_object *from, const char *key)
{
	json_object *o = member(r, from, key, json_type_int);
	int64_t n = o ? json_object_get_int64(o) : 0;

	if (n < 0)
		complain(r, key, "is negative");
	return n < 0 ? 0 : (uint64_t)n;
}

static void text(struct reader *r, json_object *from, const char *key, char *buf, size_t size)
{
	json_object *o = member(r, from, key, json_type_string);

	buf[0] = '\0';
	if (o && json_object_get_string_len(o) >= (int)size)
		complain(r, key, "is too long");
	else if (o)
		view_clean(json_object_get_string(o), buf, size);
}

/* Its length; 0 where it is missing or null. */
static size_t list(struct reader *r, json_object *from, const char *key, json_object **ret)
{
	*ret = member(r, from, key, json_type_array);
	if (*ret && json_object_array_length(*ret) > EVIDENCE_ROWS_MAX)
		complain(r, key, "is too long");
	return *ret && !r->bad ? json_object_array_length(*ret) : 0;
}

static void read_rates(struct reader *r, json_object *root, struct investigation *i)
{
	json_object *rates = member(r, root, "rates", json_type_object);

	for (unsigned k = 0; k < INVESTIGATION_RATES; k++) {
		json_object *o = member(r, rates, investigation_rate_name(k), json_type_object);

		if (!o)
			continue;
		i->rates[k].known = true;
		i->rates[k].n = number(r, o, "times");
		i->rates[k].lost = number(r, o, "lost");
	}
}

static bool boolean(struct reader *r, json_object *from, const char *key)
{
	return json_object_get_boolean(member(r, from, key, json_type_boolean));
}

/* "a, b" */
static feature_set read_missing(struct reader *r, json_object *from, struct evidence *e)
{
	char names[MISSING_LEN], *rest, *name;
	feature_set set = 0;

	text(r, from, "missing", names, sizeof(names));
	for (name = strtok_r(names, ", ", &rest); name; name = strtok_r(NULL, ", ", &rest))
		set |= evidence_add_feature(e, name);
	return set;
}

static void read_fallback(struct reader *r, json_object *root, struct evidence *e)
{
	char service[UNIT_SERVICE_LEN], link[LINK_NAME_LEN];
	json_object *array;

	for (size_t k = 0, n = list(r, root, "fallback", &array); k < n && !r->bad; k++) {
		json_object *o = json_object_array_get_idx(array, k);
		struct evidence_fallback *row;

		text(r, o, "service", service, sizeof(service));
		text(r, o, "link", link, sizeof(link));
		row = evidence_fallback_row(e,
			boolean(r, o, "forwarded") ? FALLBACK_FORWARDED
			: service[0]		   ? FALLBACK_SOCKET
						   : FALLBACK_KERNEL,
			service, link);
		if (!row)
			return;
		row->missing = read_missing(r, o, e);
		row->has_again = boolean(r, o, "mended");
		row->unsupported = boolean(r, o, "fixed");
		row->hits[FALLBACK_SEGMENTATION].n = number(r, o, "segmentation");
		row->hits[FALLBACK_CHECKSUM].n = number(r, o, "checksum");
		row->hits[FALLBACK_SPLICE].n = number(r, o, "copy"); /* or SENDPAGE: the kernel's version tells */
	}
}

static void read_stale(struct reader *r, json_object *root, struct evidence *e)
{
	char service[UNIT_SERVICE_LEN], link[LINK_NAME_LEN];
	json_object *array;
	size_t n = list(r, root, "stale", &array);

	e->has_sockets = array != NULL;
	for (size_t k = 0; k < n && !r->bad; k++) {
		json_object *o = json_object_array_get_idx(array, k);
		struct evidence_stale *row;
		uint64_t sockets = number(r, o, "sockets");

		text(r, o, "service", service, sizeof(service));
		text(r, o, "link", link, sizeof(link));
		row = evidence_stale_row(e, service, link);
		if (!row)
			return;
		row->missing = read_missing(r, o, e);
		row->sockets = sockets > 1000000000 ? 1000000000 : (unsigned)sockets;
	}
}

static void read_slots(struct reader *r, json_object *o, struct evidence_latency_row *row)
{
	json_object *slots;

	for (size_t k = 0, n = list(r, o, "slots", &slots); k < n && !r->bad; k++) {
		json_object *slot = json_object_array_get_idx(slots, k);
		uint64_t from = number(r, slot, "from_usec");

		if (from && (from & (from - 1) || from >> LATENCY_SLOTS))
			complain(r, "from_usec", "is no power of two that a slot begins with");
		else
			row->slots[from ? (unsigned)__builtin_ctzll(from) : 0] += number(r, slot, "calls");
	}
}

static int read_histograms(struct reader *r, json_object *root, struct evidence *e)
{
	json_object *array;
	size_t n = list(r, root, "histograms", &array);

	e->has_latency = array != NULL;
	e->latency.lost = number(r, root, "lost_calls");
	e->latency.begun = number(r, root, "begun_calls");
	for (size_t k = 0; k < n && !r->bad; k++) {
		json_object *o = json_object_array_get_idx(array, k);
		struct evidence_latency_row row = {};

		text(r, o, "service", row.service, sizeof(row.service));
		row.fallback = boolean(r, o, "fallback");
		row.calls = number(r, o, "calls");
		row.total_usec = number(r, o, "total_usec");
		row.disk_usec = number(r, o, "disk_usec");
		row.peer_usec = number(r, o, "receiver_usec");
		row.running = number(r, o, "running");
		row.longest_usec = number(r, o, "longest_usec");
		e->latency.has_waits |= member(r, o, "disk_usec", json_type_int) != NULL;
		read_slots(r, o, &row);
		if (evidence_latency_add(&e->latency, &row) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int read_document(struct reader *r, json_object *root, struct investigation *i)
{
	char document[32];

	text(r, root, "document", document, sizeof(document));
	if (r->bad || strcmp(document, "investigate"))
		return -ENOENT;
	if (number(r, root, "version") != JSON_VERSION) {
		snprintf(r->why, r->why_size, "it is of another version than %d", JSON_VERSION);
		return -EBADMSG;
	}
	text(r, root, "kernel", i->kernel, sizeof(i->kernel));
	text(r, root, "unit", i->unit, sizeof(i->unit));
	text(r, root, "link", i->only_link, sizeof(i->only_link));
	i->link_gone = boolean(r, root, "link_gone");
	i->elapsed_usec = number(r, root, "elapsed_usec");
	if (!i->elapsed_usec)
		complain(r, "elapsed_usec", "is missing");
	read_rates(r, root, i);
	read_fallback(r, root, &i->evidence);
	read_stale(r, root, &i->evidence);
	if (read_histograms(r, root, &i->evidence) < 0)
		return -ENOMEM;
	investigation_sort(i);
	return r->bad ? -EBADMSG : 0;
}

int json_read_investigation(
	const char *from, size_t len, struct investigation *ret, char *why, size_t why_size)
{
	struct reader r = { .why = why, .why_size = why_size };
	_cleanup_json_ json_object *root = NULL;
	bool fits = len <= JSON_INVESTIGATION_BYTES_MAX && json_value_is_bounded(from, len, CONTAINERS_MAX, MEMBERS_MAX);
	int e = fits ? json_value_parse(from, len, DEPTH_MAX, &root) : -EBADMSG;

	*ret = (struct investigation){};
	why[0] = '\0';
	if (e == -EBADMSG) /* what is no document of ours, or none at all, is for others to complain about */
		return -ENOENT;
	if (e >= 0)
		e = read_document(&r, root, ret);
	if (e < 0)
		investigation_clear(ret);
	return e;
}
