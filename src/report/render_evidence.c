/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/render_evidence.h"

#include "report/catalog.h"
#include "report/render_table.h"
#include "report/render_text.h"

#define BAR_WIDTH 40

static const char *age_words(const struct evidence_socket *row, char *buf, size_t size)
{
	return row->has_age ? util_format_age(row->age_sec, buf, size) : NULL;
}

static const char *process_words(const struct evidence_socket *row, char *buf, size_t size)
{
	if (!row->pid)
		return NULL;
	snprintf(buf, size, "%s (%d)", row->comm, (int)row->pid);
	return buf;
}

static int add_socket(const struct render *r, struct libscols_table *t,
	const struct evidence *e, size_t i)
{
	const struct evidence_socket *row = &e->sockets[i];
	const struct socket_info *info = &row->info;
	struct libscols_line *line = scols_table_new_line(t, NULL);
	char text[512];

	if (!line)
		return -ENOMEM;
	set_cell(line, 0, row->link);
	set_cell(line, 1, row->service);
	set_cell(line, 2,
		socket_format_address(
			info->family, info->local, info->local_port, text, sizeof(text)));
	set_cell(line, 3,
		socket_format_address(
			info->family, info->remote, info->remote_port, text, sizeof(text)));
	set_cell(line, 4, process_words(row, text, sizeof(text)));
	set_cell(line, 5, age_words(row, text, sizeof(text)));
	set_cell(line, 6,
		row->missing ? feature_format(&e->features, row->missing, text, sizeof(text))
			     : NULL);
	if (r->colour && row->missing)
		scols_line_set_color(line, "red");
	return 0;
}

static void put_sockets_summary(const struct render *r, const struct evidence *e)
{
	size_t stale = evidence_count_stale_sockets(e);

	if (stale)
		fprintf(r->out, "%zu of %llu TCP socket%s %s stale: %s an offload that the interface has; "
			CATALOG_RECONNECT("the service") "\n",
			stale, (unsigned long long)e->visited, util_plural(e->visited), stale == 1 ? "is" : "are",
			stale == 1 ? "it lacks" : "they lack");
	else
		fprintf(r->out, "None of %llu TCP socket%s is stale\n", (unsigned long long)e->visited, util_plural(e->visited));
}

int render_sockets(const struct render *r, const struct evidence *e)
{
	static const char *const columns[] = { "LINK", "SERVICE", "LOCAL", "REMOTE", "PROCESS",
		"AGE", "MISSING" };
	static const char *const spare[] = { "AGE", "LOCAL", "PROCESS", "REMOTE", NULL };
	_cleanup_(unref_table) struct libscols_table *t = new_table(r);
	int error;

	if (!t)
		return -ENOMEM;
	if (add_text_columns(r, t, columns, ARRAY_SIZE(columns), 0) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < e->n_sockets; i++)
		if (add_socket(r, t, e, i) < 0)
			return -ENOMEM;
	if (e->n_sockets) {
		error = put_fitted_table(r, t, spare);
		if (error < 0)
			return error;
		fputc('\n', r->out);
	}
	put_sockets_summary(r, e);
	return 0;
}

void render_histogram(const struct render *r, const uint64_t slots[LATENCY_SLOTS])
{
	uint64_t most = 0;
	unsigned first = LATENCY_SLOTS, last = 0;

	for (unsigned i = 0; i < LATENCY_SLOTS; i++) {
		if (!slots[i])
			continue;
		first = first < i ? first : i;
		last = i;
		most = most > slots[i] ? most : slots[i];
	}
	if (most == 0)
		return;
	fprintf(r->out, "  %10s    %-10s : %-9s distribution\n", "usec", "", "calls");
	for (unsigned i = first; i <= last; i++) {
		int stars = (int)((slots[i] * BAR_WIDTH + most - 1) / most);

		fprintf(r->out, "  %10llu -> %-10llu : %-9llu |%.*s%*s|\n", i ? 1ULL << i : 0ULL,
			(2ULL << i) - 1, (unsigned long long)slots[i], stars,
			"****************************************", BAR_WIDTH - stars, "");
	}
}

static void put_latency_row(const struct render *r, const struct evidence_latency *latency,
	const struct evidence_latency_row *row)
{
	char median[32], p99[32], longest[32], service[2 * UNIT_SERVICE_LEN];

	fprintf(r->out, "%s, ", util_clean(row->service, service, sizeof(service)));
	render_put_coloured(r, row->fallback ? "31" : "32", row->fallback ? "software fallback" : "offloaded");
	fprintf(r->out, ": %llu call%s, median %s, p99 %s",
		(unsigned long long)row->calls, util_plural(row->calls),
		util_format_usec(evidence_quantile(row->slots, 500), median, sizeof(median)),
		util_format_usec(evidence_quantile(row->slots, 990), p99, sizeof(p99)));
	if (latency->has_waits)
		fprintf(r->out, "; waiting for the disk %u%% of the time, for the receiver %u%%",
			evidence_percent(row->disk_usec, row->total_usec),
			evidence_percent(row->peer_usec, row->total_usec));
	if (row->running)
		fprintf(r->out, "; %llu still running%s%s", (unsigned long long)row->running,
			row->running > 1 ? ", the longest for " : " for ",
			util_format_usec(row->longest_usec, longest, sizeof(longest)));
	fputc('\n', r->out);
	render_histogram(r, row->slots);
}

void render_latency(
	const struct render *r, const struct evidence_latency *latency, const char *when)
{
	char elapsed[32];

	fprintf(r->out, "%s%ssendfile to TCP sockets in %s%s\n", when ? when : "",
		when ? "  " : "",
		util_format_usec(latency->elapsed_usec, elapsed, sizeof(elapsed)),
		latency->n ? "" : ": none");
	for (size_t i = 0; i < latency->n; i++)
		put_latency_row(r, latency, &latency->rows[i]);
	if (latency->lost)
		fprintf(r->out, "%llu call%s could not be counted\n",
			(unsigned long long)latency->lost, util_plural(latency->lost));
	if (latency->begun)
		fprintf(r->out, "%llu more call%s returned that had started earlier\n", (unsigned long long)latency->begun,
			util_plural(latency->begun));
	fputc('\n', r->out);
}
