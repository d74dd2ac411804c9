/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/render_investigation.h"

#include "report/render_evidence.h"
#include "report/render_table.h"

#define STACKS_SHOWN 3
/* a median is known to a slot of its histogram, which is as wide as where it begins */
#define FACTOR_TOLD 1.5

static const char *const verdict_colours[] = {
	[INVESTIGATION_DEVICE] = "31",
	[INVESTIGATION_RECONNECT] = "31",
	[INVESTIGATION_DISK] = "33",
	[INVESTIGATION_RECEIVER] = "36",
	[INVESTIGATION_WELL] = "32",
	[INVESTIGATION_BLIND] = "33",
};

static void put_heading(const struct render *r, const char *heading)
{
	fprintf(r->out, "\n%s%s%s\n", r->colour ? "\033[1m" : "", heading, r->colour ? "\033[0m" : "");
}

static void put_findings(const struct render *r, const struct investigation_finding *findings, size_t n)
{
	char text[INVESTIGATION_TEXT_LEN];

	for (size_t i = 0; i < n; i++) {
		if (r->colour)
			fprintf(r->out, "\033[%sm", verdict_colours[findings[i].verdict]);
		fputs(investigation_verdict_name(findings[i].verdict), r->out);
		fprintf(r->out, "%s: %s\n", r->colour ? "\033[0m" : "",
			util_clean(findings[i].text, text, sizeof(text)));
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

/* Hands on e. */
static int put_lost(const struct render *r, const struct investigation *i, int e)
{
	for (unsigned k = 0; e == 0 && k < INVESTIGATION_RATES; k++)
		if (i->lost[k])
			fprintf(r->out, "of %s %llu could not be told apart: by service and link they are left out\n",
				investigation_rate_name(k), (unsigned long long)i->lost[k]);
	return e;
}

static int put_rates(const struct render *r, const struct investigation *i)
{
	static const char *const columns[] = { "WHAT", "TIMES", "A SECOND" };
	_cleanup_(unref_table) struct libscols_table *t = new_table(r);

	if (!t || add_columns(t, columns, ARRAY_SIZE(columns), 1) < 0)
		return -ENOMEM;
	put_heading(r, "How often");
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

static int put_fallback(const struct render *r, const struct investigation *i)
{
	static const char *const columns[] = { "SERVICE", "LINK", "SPLIT", "SUMMED", "COPIED", "STALE SOCKETS" };
	_cleanup_(unref_table) struct libscols_table *t = new_table(r);

	if (!i->n_fallback && !i->n_stale)
		return 0;
	if (!t || add_columns(t, columns, ARRAY_SIZE(columns), 2) < 0)
		return -ENOMEM;
	put_heading(r, "In software, by service");
	for (size_t k = 0; k < i->n_fallback + i->n_stale; k++) {
		const struct investigation_fallback *row = k < i->n_fallback ? &i->fallback[k] : NULL;
		const struct investigation_stale *stale = row ? NULL : &i->stale[k - i->n_fallback];
		struct libscols_line *line = scols_table_new_line(t, NULL);

		if (!line)
			return -ENOMEM;
		for (size_t c = 0; c < ARRAY_SIZE(columns); c++)
			set_cell(line, c, NULL);
		set_cell(line, 0,
			stale			 ? stale->service
			: row->forwarded	 ? "(forwarded)"
			: row->service[0] != '\0' ? row->service
						 : "(the kernel)");
		set_cell(line, 1, stale ? stale->link : row->link);
		if (stale) {
			set_number(line, 5, stale->sockets);
			continue;
		}
		set_number(line, 2, row->segmented);
		set_number(line, 3, row->summed);
		set_number(line, 4, row->copied);
	}
	return put_table(r, t);
}

static void put_stacks(const struct render *r, const struct investigation *i)
{
	if (!i->n_stacks)
		return;
	put_heading(r, "Ways into tcp_push_one, the most frequent first");
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
	static const char *const columns[] = { "CPU", "BUSY", "SOFTIRQ", "MOST OF THEM", "A SECOND" };
	_cleanup_(unref_table) struct libscols_table *t = new_table(r);

	if (!i->n_cpus)
		return 0;
	if (!t || add_columns(t, columns, ARRAY_SIZE(columns), 0) < 0)
		return -ENOMEM;
	put_heading(r, "CPUs, and their soft interrupts");
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
	const struct investigation_finding *findings, size_t n)
{
	char why[256];
	int e;

	put_findings(r, findings, n);
	if (i->has_latency) {
		put_heading(r, "How long sendfile took");
		render_latency(r, &i->latency, NULL);
	}
	e = put_fallback(r, i);
	if (e == 0)
		e = put_rates(r, i);
	if (e < 0)
		return e;
	put_stacks(r, i);
	e = put_cpus(r, i);
	if (i->n_absent)
		put_heading(r, "Absent");
	for (size_t k = 0; k < i->n_absent; k++)
		fprintf(r->out, "  %s: %s\n", i->absent[k].what, util_clean(i->absent[k].why, why, sizeof(why)));
	return e;
}

static int add_metric(struct libscols_table *t, const struct investigation_metric *m)
{
	struct libscols_line *line = scols_table_new_line(t, NULL);
	char text[64];

	if (!line)
		return -ENOMEM;
	set_cell(line, 0, m->what);
	for (size_t c = 1; c <= 3; c++)
		set_cell(line, c, NULL);
	if (!m->known)
		return 0;
	if (m->usec) {
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

/* A time of both sides in words; false where there is none. */
static bool put_factor(const struct render *r, const struct investigation_metric *m)
{
	bool faster = m->b < m->a;
	char what[sizeof(m->what)], a[32], b[32];
	double factor;

	if (!m->known || !m->a || !m->b)
		return false;
	factor = faster ? (double)m->a / (double)m->b : (double)m->b / (double)m->a;
	fprintf(r->out, "%s: ", util_clean(m->what, what, sizeof(what)));
	if (factor < FACTOR_TOLD)
		fputs("about as fast in B as in A", r->out);
	else
		fprintf(r->out, "%s%.*f times %s in B%s", r->colour ? faster ? "\033[32m" : "\033[31m" : "",
			factor < 9.95 ? 1 : 0, factor, faster ? "faster" : "slower", r->colour ? "\033[0m" : "");
	fprintf(r->out, " (A %s, B %s)\n", util_format_usec(m->a, a, sizeof(a)),
		util_format_usec(m->b, b, sizeof(b)));
	return true;
}

/* Of each service; of all of them together, which is a mixture, only where no service was seen on both sides. */
static void put_factors(const struct render *r, const struct investigation_metric *metrics, size_t n)
{
	bool any = false;

	for (size_t k = 1; k < n && metrics[k].usec; k++)
		any |= put_factor(r, &metrics[k]);
	if (any || put_factor(r, &metrics[0]))
		fputc('\n', r->out);
}

static int put_judgement(const struct render *r, const struct investigation *i, const char *name)
{
	_cleanup_free_ struct investigation_finding *findings = NULL;
	char clean[256];
	size_t n;

	if (investigation_judge(i, &findings, &n) < 0)
		return -ENOMEM;
	fprintf(r->out, "%s:\n", util_clean(name, clean, sizeof(clean)));
	put_findings(r, findings, n);
	fputc('\n', r->out);
	return 0;
}

int render_investigations(const struct render *r, const struct investigation *a,
	const struct investigation *b, const char *a_name, const char *b_name)
{
	static const char *const columns[] = { "WHAT", "A", "B", "B / A" };
	_cleanup_(unref_table) struct libscols_table *t = new_table(r);
	_cleanup_free_ struct investigation_metric *metrics = NULL;
	size_t n;
	int e;

	if (!t || add_columns(t, columns, ARRAY_SIZE(columns), 1) < 0 || put_judgement(r, a, a_name) < 0 ||
		put_judgement(r, b, b_name) < 0 || investigation_compare(a, b, &metrics, &n) < 0)
		return -ENOMEM;
	put_factors(r, metrics, n);
	for (size_t k = 0; k < n; k++)
		if (add_metric(t, &metrics[k]) < 0)
			return -ENOMEM;
	e = put_table(r, t);
	for (size_t k = 0; e == 0 && k < n; k++)
		if (metrics[k].why)
			fprintf(r->out, "%s cannot be compared: %s\n", metrics[k].what, metrics[k].why);
	return e;
}
