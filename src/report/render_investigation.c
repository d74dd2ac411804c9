/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/render_investigation.h"

#include "report/catalog.h"
#include "report/render_evidence.h"
#include "report/render_table.h"
#include "report/render_text.h"

#define STACKS_SHOWN 3

static const char *const colours[FINDING_CODES] = {
	[FINDING_DIAGNOSIS_DEVICE] = "31",
	[FINDING_DIAGNOSIS_LIMIT] = "31",
	[FINDING_DIAGNOSIS_OTHER] = "31",
	[FINDING_DIAGNOSIS_RECONNECT] = "31",
	[FINDING_DIAGNOSIS_DISK] = "33",
	[FINDING_DIAGNOSIS_RECEIVER] = "36",
	[FINDING_DIAGNOSIS_WELL] = "32",
	[FINDING_DIAGNOSIS_BLIND] = "33",
};

static void put_heading(const struct render *r, const char *heading)
{
	fputc('\n', r->out);
	render_put_heading(r, heading);
}

static void put_diagnoses(const struct render *r, const struct feature_table *features, const struct diagnosis *diagnoses,
	size_t n)
{
	char text[CATALOG_TEXT_MAX], clean[CATALOG_TEXT_MAX];

	for (size_t i = 0; i < n; i++) {
		render_put_coloured(r, colours[diagnoses[i].finding.code], diagnosis_name(diagnoses[i].finding.code));
		fprintf(r->out, ": %s\n",
			util_clean(catalog_diagnosis(&diagnoses[i], features, text, sizeof(text)), clean, sizeof(clean)));
	}
}

static int add_columns(struct libscols_table *t, const char *const *columns, size_t n, size_t left)
{
	for (size_t i = 0; i < n; i++)
		if (!scols_table_new_column(t, columns[i], 0, i >= left ? SCOLS_FL_RIGHT : 0))
			return -ENOMEM;
	return 0;
}

static void set_number(struct libscols_line *line, size_t n, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	set_cell(line, n, text);
}

static void set_permille(struct libscols_line *line, size_t n, unsigned permille)
{
	char text[32];

	snprintf(text, sizeof(text), "%u.%u%%", permille / 10, permille % 10);
	set_cell(line, n, text);
}

/* Does nothing if e is an error. Returns e. */
static int put_lost(const struct render *r, const struct investigation *i, int e)
{
	for (unsigned k = 0; e == 0 && k < INVESTIGATION_RATES; k++)
		if (i->rates[k].lost)
			fprintf(r->out, "%s: %llu more could not be attributed to a service and interface (table full)\n",
				investigation_rate_name(k), (unsigned long long)i->rates[k].lost);
	return e;
}

static int put_rates(const struct render *r, const struct investigation *i)
{
	static const char *const columns[] = { "EVENT", "COUNT", "PER SECOND" };
	_cleanup_(unref_table) struct libscols_table *t = new_table(r);

	if (!t || add_columns(t, columns, ARRAY_SIZE(columns), 1) < 0)
		return -ENOMEM;
	put_heading(r, "Rates");
	for (unsigned k = 0; k < INVESTIGATION_RATES; k++) {
		struct libscols_line *line = scols_table_new_line(t, NULL);

		if (!line)
			return -ENOMEM;
		set_cell(line, 0, investigation_rate_name(k));
		set_cell(line, 1, NULL);
		set_cell(line, 2, NULL);
		if (!i->rates[k].known)
			continue;
		set_number(line, 1, i->rates[k].n);
		set_number(line, 2, investigation_per_sec(i, i->rates[k].n));
	}
	return put_lost(r, i, put_table(r, t));
}

static int put_evidence(const struct render *r, const struct evidence *e)
{
	static const char *const columns[] = { "SERVICE", "LINK", "REASON", "SEGMENTED", "CHECKSUMMED", "COPIED", "UDP REFUSED", "STALE SOCKETS" };
	_cleanup_(unref_table) struct libscols_table *t = new_table(r);

	if (!e->n_fallback && !e->n_stale)
		return 0;
	if (!t || add_columns(t, columns, ARRAY_SIZE(columns), 3) < 0)
		return -ENOMEM;
	put_heading(r, "Software fallback by service");
	for (size_t k = 0; k < e->n_fallback + e->n_stale; k++) {
		const struct evidence_fallback *row = k < e->n_fallback ? &e->fallback[k] : NULL;
		const struct evidence_stale *stale = row ? NULL : &e->stale[k - e->n_fallback];
		struct libscols_line *line = scols_table_new_line(t, NULL);

		if (!line)
			return -ENOMEM;
		for (size_t c = 0; c < ARRAY_SIZE(columns); c++)
			set_cell(line, c, NULL);
		if (stale) {
			set_cell(line, 0, stale->service);
			set_cell(line, 1, stale->link);
			if (stale->sockets)
				set_number(line, 7, stale->sockets);
			else if (evidence_has_connections(stale))
				set_cell(line, 7, "?");
			continue;
		}
		set_cell(line, 0,
			row->origin == FALLBACK_FORWARDED ? "(forwarded)"
			: row->origin == FALLBACK_KERNEL  ? "(kernel)"
							  : row->service);
		set_cell(line, 1, row->link);
		set_cell(line, 2, evidence_reason_name(row->reason));
		set_number(line, 3, row->hits[FALLBACK_SEGMENTATION].n);
		set_number(line, 4, row->hits[FALLBACK_CHECKSUM].n);
		set_number(line, 5, evidence_sum_copied(row));
		set_number(line, 6, row->hits[FALLBACK_UDP].n);
	}
	return put_table(r, t);
}

static void put_stacks(const struct render *r, const struct investigation *i)
{
	if (!i->n_stacks)
		return;
	put_heading(r, "Call stacks of tcp_push_one, most frequent first");
	for (size_t k = 0; k < i->n_stacks && k < STACKS_SHOWN; k++) {
		const struct investigation_stack *stack = &i->stacks[k];

		fprintf(r->out, "  %llu times\n", (unsigned long long)stack->count);
		for (unsigned f = 0; f < stack->n; f++)
			fprintf(r->out, "    %s\n", stack->frames[f]);
	}
	if (i->n_stacks > STACKS_SHOWN)
		fprintf(r->out, "  and %zu more\n", i->n_stacks - STACKS_SHOWN);
}

static int put_cpus(const struct render *r, const struct investigation *i)
{
	static const char *const columns[] = { "CPU", "BUSY", "SOFTIRQ", "MOST FREQUENT", "PER SECOND" };
	_cleanup_(unref_table) struct libscols_table *t = new_table(r);

	if (!i->n_cpus)
		return 0;
	if (!t || add_columns(t, columns, ARRAY_SIZE(columns), 0) < 0)
		return -ENOMEM;
	put_heading(r, "CPUs and softirqs");
	for (size_t k = 0; k < i->n_cpus; k++) {
		const struct investigation_cpu *cpu = &i->cpus[k];
		struct libscols_line *line = scols_table_new_line(t, NULL);

		if (!line)
			return -ENOMEM;
		set_number(line, 0, cpu->cpu);
		set_permille(line, 1, cpu->busy_permille);
		set_permille(line, 2, cpu->softirq_permille);
		set_cell(line, 3, cpu->most);
		set_number(line, 4, investigation_per_sec(i, cpu->most_runs));
	}
	return put_table(r, t);
}

int render_investigation(const struct render *r, const struct investigation *i,
	const struct diagnosis *diagnoses, size_t n)
{
	const struct evidence *e = &i->evidence;
	bool any = false;
	char why[256];
	int error;

	put_diagnoses(r, &e->features, diagnoses, n);
	if (e->has_latency) {
		put_heading(r, "Latency of sendfile");
		render_latency(r, &e->latency, NULL);
	}
	error = put_evidence(r, e);
	if (error == 0)
		error = put_rates(r, i);
	if (error < 0)
		return error;
	put_stacks(r, i);
	error = put_cpus(r, i);
	for (size_t k = 0; k < e->n_probes; k++) {
		if (e->probes[k].method)
			continue;
		if (!any)
			put_heading(r, "Unavailable probes");
		any = true;
		fprintf(r->out, "  %s: %s\n", e->probes[k].name, util_clean(e->probes[k].why, why, sizeof(why)));
	}
	return error;
}

static int add_metric(struct libscols_table *t, const struct investigation_metric *m)
{
	struct libscols_line *line = scols_table_new_line(t, NULL);
	char text[CATALOG_TEXT_MAX];

	if (!line)
		return -ENOMEM;
	set_cell(line, 0, catalog_metric(m, text, sizeof(text)));
	for (size_t c = 1; c <= 3; c++)
		set_cell(line, c, NULL);
	if (!m->known)
		return 0;
	if (m->measure == INVESTIGATION_MEDIAN) {
		set_cell(line, 1, util_format_usec(m->a, text, sizeof(text)));
		set_cell(line, 2, util_format_usec(m->b, text, sizeof(text)));
	} else {
		set_number(line, 1, m->a);
		set_number(line, 2, m->b);
	}
	if (m->a && m->b) {
		snprintf(text, sizeof(text), "%.3g", (double)m->b / (double)m->a);
		set_cell(line, 3, text);
	}
	return 0;
}

static void put_headline(const struct render *r, const struct investigation_metric *m)
{
	char what[CATALOG_TEXT_MAX], clean[CATALOG_TEXT_MAX], a[32], b[32];
	double factor = investigation_factor(m);
	bool faster = m->b < m->a;

	fprintf(r->out, "%s: ", util_clean(catalog_metric(m, what, sizeof(what)), clean, sizeof(clean)));
	if (factor <= 1)
		fputs("about as fast in B as in A", r->out);
	else
		fprintf(r->out, "%s%.*f times %s in B%s", r->colour ? faster ? "\033[32m" : "\033[31m" : "",
			factor < 9.95 ? 1 : 0, factor, faster ? "faster" : "slower", r->colour ? "\033[0m" : "");
	fprintf(r->out, " (A %s, B %s)\n", util_format_usec(m->a, a, sizeof(a)), util_format_usec(m->b, b, sizeof(b)));
}

static void put_headlines(const struct render *r, const struct investigation_metric *metrics, size_t n)
{
	bool any = false;

	for (size_t k = 0; k < n; k++)
		if (metrics[k].headline) {
			put_headline(r, &metrics[k]);
			any = true;
		}
	if (any)
		fputc('\n', r->out);
}

static int put_diagnosed(const struct render *r, const struct investigation *i, const char *name)
{
	_cleanup_free_ struct diagnosis *diagnoses = NULL;
	char clean[256];
	size_t n;

	if (diagnose(i, &diagnoses, &n) < 0)
		return -ENOMEM;
	fprintf(r->out, "%s:\n", util_clean(name, clean, sizeof(clean)));
	put_diagnoses(r, &i->evidence.features, diagnoses, n);
	fputc('\n', r->out);
	return 0;
}

int render_investigations(const struct render *r, const struct investigation *a,
	const struct investigation *b, const char *a_name, const char *b_name)
{
	static const char *const columns[] = { "METRIC", "A", "B", "B / A" };
	_cleanup_(unref_table) struct libscols_table *t = new_table(r);
	_cleanup_free_ struct investigation_metric *metrics = NULL;
	char what[CATALOG_TEXT_MAX];
	size_t n;
	int e;

	if (!t || add_columns(t, columns, ARRAY_SIZE(columns), 1) < 0 || put_diagnosed(r, a, a_name) < 0 ||
		put_diagnosed(r, b, b_name) < 0 || investigation_compare(a, b, &metrics, &n) < 0)
		return -ENOMEM;
	put_headlines(r, metrics, n);
	for (size_t k = 0; k < n; k++)
		if (add_metric(t, &metrics[k]) < 0)
			return -ENOMEM;
	e = put_table(r, t);
	for (size_t k = 0; e == 0 && k < n; k++)
		if (catalog_difference(&metrics[k]))
			fprintf(r->out, "%s cannot be compared: %s\n", catalog_metric(&metrics[k], what, sizeof(what)),
				catalog_difference(&metrics[k]));
	return e;
}
