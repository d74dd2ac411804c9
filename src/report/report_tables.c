/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/report_tables.h"

#include <inttypes.h>
#include <string.h>

#include "report/catalog.h"
#include "report/html.h"
#include "report/json_services.h"
#include "basic/json.h"
#include "basic/util.h"

#define ROWS_MAX 500 /* of one table; the daemon keeps 128 events */
#define SAMPLES_MAX 3
#define HISTOGRAMS_MAX 16

/* ---- documents: a member that is missing or has another type reads as empty ---- */

/* NULL if it is missing or empty. */
static const char *get_text(const struct json_value *o, const char *key)
{
	const char *text = json_get_text(o, key);

	return *text ? text : NULL;
}

/* Iterates over at most `max` rows: for (struct rows r = { .of = list }; next_row(&r);) */
struct rows {
	const struct json_value *of, *row;
	size_t n, max; /* max 0: ROWS_MAX */
};

static bool next_row(struct rows *rows)
{
	rows->row = rows->n++ < (rows->max ? rows->max : ROWS_MAX) ? json_next(rows->of, rows->row) : NULL;
	return rows->row;
}

static void write_absent(FILE *out, const char *why)
{
	fputs("<p class=\"absent\">", out);
	html_text(out, why);
	fputs("</p>\n", out);
}

static void cell(FILE *out, const char *label, const char *class)
{
	fprintf(out, "<td data-label=\"%s\"%s%s%s><span>", label, class ? " class=\"" : "", class ? class : "",
		class ? "\"" : "");
}

static void end_cell(FILE *out)
{
	fputs("</span></td>", out);
}

static void text_cell(FILE *out, const char *label, const char *text, const char *otherwise)
{
	cell(out, label, NULL);
	html_text(out, text ? text : otherwise);
	end_cell(out);
}

const char *report_time(int64_t sec, char buf[REPORT_TIME_LEN])
{
	time_t t = (time_t)sec;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(buf, REPORT_TIME_LEN, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		snprintf(buf, REPORT_TIME_LEN, "-");
	return buf;
}

/* ---- events ---- */

/* "ethtool (4711), started by bash (4242), in ssh.service" */
static void write_changed_by(FILE *out, const struct json_value *event)
{
	const struct json_value *by = json_get_object(event, "changed_by");
	const char *parent = get_text(by, "parent"), *unit = get_text(by, "unit");
	const char *link = get_text(by, "link");

	if (!by) {
		fputs("<span class=\"soft\">unknown</span>", out);
		return;
	}
	fputs("<code>", out);
	html_text(out, get_text(by, "process"));
	fprintf(out, "</code> (%" PRId64 ")", json_get_int(by, "pid"));
	if (parent)
		html_printf(out, ", started by %s", parent);
	if (unit)
		html_printf(out, ", in %s", unit);
	if (link)
		html_printf(out, ", on %s", link);
}

/* Is the event about a change by another program? */
static bool is_change(const char *kind)
{
	static const char *const kinds[] = { "drift", "repaired", "contended", "unmet", "refused" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kind, kinds[i]) == 0)
			return true;
	return false;
}

static const char *event_class(const char *kind)
{
	static const char *const classes[][2] = { { "repaired", "compliant" }, { "recovered", "compliant" },
		{ "resolved", "compliant" }, { "drift", "drifted" }, { "contended", "contended" }, { "paused", "paused" },
		{ "unmet", "blocked" }, { "worse", "drifted" }, { "refused", "refused" } };

	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		if (strcmp(kind, classes[i][0]) == 0)
			return classes[i][1];
	return "no-rule";
}

static void write_event(FILE *out, const struct json_value *event)
{
	const char *kind = get_text(event, "event");
	char when[REPORT_TIME_LEN];
	bool known;

	kind = kind ? kind : "";
	fputs("<tr>", out);
	cell(out, "When", "when");
	fputs(report_time(json_get_int(event, "time_usec") / (int64_t)USEC_PER_SEC, when), out);
	end_cell(out);
	cell(out, "What", NULL);
	fprintf(out, "<span class=\"tag %s\">", event_class(kind));
	html_text(out, kind);
	fputs("</span> ", out);
	html_text(out, get_text(event, "message"));
	end_cell(out);
	known = is_change(kind) || json_get_object(event, "changed_by");
	cell(out, "Changed by", known ? NULL : "empty");
	if (known)
		write_changed_by(out, event);
	end_cell(out);
	fputs("</tr>\n", out);
}

void report_write_timeline(FILE *out, const struct report_source *source)
{
	const struct json_value *events = json_get_list(source->document, "events");

	if (!events) {
		write_absent(out, source->absent ? source->absent : "No events are available.");
		return;
	}
	if (json_count(events) == 0) {
		write_absent(out, "offloadd has reported no events.");
		return;
	}
	fputs("<p class=\"soft\">The latest events of offloadd; times are UTC.</p>\n<table><thead><tr><th>When</th>"
	      "<th>What</th><th>Changed by</th></tr></thead><tbody>\n", out);
	for (struct rows r = { .of = events }; next_row(&r);)
		write_event(out, r.row);
	fputs("</tbody></table>\n", out);
}

/* ---- software fallback, stale connections ---- */

static void write_fallback_row(FILE *out, const struct json_value *row)
{
	const char *link = get_text(row, "link"), *origin = get_text(row, "origin");

	fputs("<tr>", out);
	cell(out, "Service", NULL);
	fputs("<strong>", out);
	html_text(out, get_text(row, "service") ? get_text(row, "service") : origin ? origin : "unknown");
	fputs("</strong>", out);
	end_cell(out);
	text_cell(out, "Kind", get_text(row, "kind"), "");
	text_cell(out, "Link", link, "-");
	cell(out, "Hits", "number");
	fprintf(out, "%" PRId64, json_get_int(row, "hits"));
	end_cell(out);
	cell(out, "Now", NULL);
	fputs(json_kind(json_get(row, "now")) == JSON_NULL ? "unknown"
		: json_get_bool(row, "now")		     ? "<span class=\"tag drifted\">yes</span>"
							     : "no", out);
	end_cell(out);
	text_cell(out, "Advice", get_text(row, "advice"), "-");
	fputs("</tr>\n", out);
}

/* What the document does not show: without it, an empty list would look like an all-clear. */
struct unseen {
	bool fallback, restarts;
};

static struct unseen find_unseen(const struct json_value *document)
{
	_cleanup_(evidence_clear) struct evidence e = { 0 };
	char why[JSON_WHY_LEN];
	struct json_reader reader = { .why = why, .why_size = sizeof(why) };

	if (json_read_services(&reader, document, &e) < 0)
		return (struct unseen){ true, true };
	return (struct unseen){
		.fallback = evidence_unobserved(&e) || !evidence_is_complete(&e),
		.restarts = !evidence_sees_restart(&e),
	};
}

void report_write_fallback(FILE *out, const struct report_source *source)
{
	const struct json_value *rows = json_get_list(source->document, "fallback");

	if (!rows) {
		write_absent(out, source->document ? "The probes for software fallback are unavailable on this host."
						    : source->absent);
		return;
	}
	if (json_count(rows) == 0) {
		write_absent(out, find_unseen(source->document).fallback
			? "No service was seen using software fallback since offloadd started, but not everything was observed."
			: "No service in this network namespace has used software fallback since offloadd started.");
		return;
	}
	fputs("<table><thead><tr><th>Service</th><th>Kind</th><th>Link</th><th class=\"number\">Hits</th><th>Now</th>"
	      "<th>Advice</th></tr></thead><tbody>\n", out);
	for (struct rows r = { .of = rows }; next_row(&r);)
		write_fallback_row(out, r.row);
	fputs("</tbody></table>\n", out);
}

size_t report_count_restarts(const struct report_source *source)
{
	size_t n = json_count(json_get_list(source->document, "restart"));

	return n < ROWS_MAX ? n : ROWS_MAX;
}

static void write_missing(FILE *out, const struct json_value *row)
{
	for (struct rows r = { .of = json_get_list(row, "missing") }; next_row(&r);)
		html_printf(out, "%s%s", r.n > 1 ? ", " : "", json_as_text(r.row));
}

static void write_samples(FILE *out, const struct json_value *row)
{
	const struct json_value *samples = json_get_list(row, "samples");

	for (struct rows r = { .of = samples, .max = SAMPLES_MAX }; next_row(&r);) {
		const char *local = get_text(r.row, "local"), *remote = get_text(r.row, "remote");

		html_printf(out, "%s%s to %s", r.n > 1 ? ", " : " (", local ? local : "?", remote ? remote : "?");
	}
	if (json_count(samples))
		fputc(')', out);
}

static void write_restart(FILE *out, const struct json_value *row)
{
	int64_t sockets = json_get_int(row, "sockets"), senders = json_get_int(row, "udp_senders"), since = json_get_int(row, "since_usec");
	char when[REPORT_TIME_LEN];

	fputs("<tr>", out);
	cell(out, "Service", NULL);
	fputs("<strong>", out);
	html_text(out, get_text(row, "service"));
	fputs("</strong>", out);
	end_cell(out);
	text_cell(out, "Link", get_text(row, "link"), "-");
	cell(out, "Sockets", NULL);
	if (sockets)
		fprintf(out, "%" PRId64 " ", sockets);
	else if (senders)
		fprintf(out, "%" PRId64 " process%s ", senders, senders == 1 ? "" : "es");
	fputs("without ", out);
	write_missing(out, row);
	write_samples(out, row);
	end_cell(out);
	cell(out, "Since", "when");
	fputs(since ? report_time(since / (int64_t)USEC_PER_SEC, when) : "-", out);
	end_cell(out);
	fputs("</tr>\n", out);
}

void report_write_restart(FILE *out, const struct report_source *source)
{
	const struct json_value *rows = json_get_list(source->document, "restart");

	if (!rows) {
		write_absent(out, source->document ? "The probe for sockets is unavailable on this host." : source->absent);
		return;
	}
	if (json_count(rows) == 0) {
		write_absent(out, find_unseen(source->document).restarts ? "No service is known to need a restart, but not everything was observed."
									 : "No service needs a restart in this network namespace.");
		return;
	}
	fputs("<p>These services have stale TCP connections, or processes that gave up UDP segmentation, and still lack an offload that "
	      "their interface has regained. For stale connections, over IPv4 run <code>sysctl net.ipv4.route.flush=1</code> (closes no "
	      "connection); otherwise restart the service.</p>\n<table><thead><tr><th>Service</th><th>Link</th><th>Sockets</th><th>Since"
	      "</th></tr></thead><tbody>\n", out);
	for (struct rows r = { .of = rows }; next_row(&r);)
		write_restart(out, r.row);
	fputs("</tbody></table>\n", out);
}

/* ---- histograms ---- */

static const char *format_usec(int64_t usec, char *buf, size_t size)
{
	if (usec < 1000)
		snprintf(buf, size, "%" PRId64 " \u00b5s", usec);
	else if (usec < 1000000)
		snprintf(buf, size, "%.3g ms", (double)usec / 1e3);
	else
		snprintf(buf, size, "%.3g s", (double)usec / 1e6);
	return buf;
}

static void write_slot(FILE *out, int64_t from_usec, int64_t calls, int64_t most)
{
	char from[32], to[32];

	fprintf(out, "<span class=\"range\">%s to %s</span>", format_usec(from_usec, from, sizeof(from)),
		format_usec(from_usec < INT64_MAX / 2 ? 2 * from_usec : from_usec, to, sizeof(to)));
	fprintf(out, "<span class=\"bar%s\" style=\"width:%.1f%%\"></span><span class=\"calls\">%" PRId64 "</span>\n",
		calls > 0 ? "" : " none", calls > 0 && most > 0 ? 100.0 * (double)calls / (double)most : 0.0, calls);
}

/* All histograms have the same slots, so that they can be compared. */
struct range {
	int64_t from_usec, to_usec; /* first and last slot */
};

static struct range range_of(const struct json_value *histograms)
{
	struct range range = { .from_usec = INT64_MAX };

	for (struct rows r = { .of = histograms }; next_row(&r);)
		for (struct rows slot = { .of = json_get_list(r.row, "slots") }; next_row(&slot);) {
			int64_t from = json_get_int(slot.row, "from_usec");

			range.from_usec = from > 0 && from < range.from_usec ? from : range.from_usec;
			range.to_usec = from > range.to_usec ? from : range.to_usec;
		}
	return range;
}

static int64_t calls_in(const struct json_value *slots, int64_t from_usec)
{
	int64_t calls = 0;

	for (struct rows slot = { .of = slots }; next_row(&slot);) {
		int64_t from = json_get_int(slot.row, "from_usec");

		if (from / 2 < from_usec && from_usec <= from)
			calls += json_get_int(slot.row, "calls");
	}
	return calls;
}

static void write_slots(FILE *out, const struct json_value *slots, const struct range *range)
{
	int64_t most = 0, from = range->from_usec;

	for (struct rows slot = { .of = slots }; next_row(&slot);) {
		int64_t calls = json_get_int(slot.row, "calls");

		most = calls > most ? calls : most;
	}
	for (; from <= range->to_usec; from *= 2) {
		write_slot(out, from, calls_in(slots, from), most);
		if (from > INT64_MAX / 2)
			break;
	}
}

static void write_histogram(FILE *out, const struct json_value *h, const struct range *range)
{
	bool fallback = json_get_bool(h, "fallback");
	char median[32], p99[32];

	fputs("<h3>", out);
	html_text(out, get_text(h, "service") ? get_text(h, "service") : "unknown");
	fputs(fallback ? " <span class=\"tag drifted\">software fallback</span>"
		       : " <span class=\"tag compliant\">offloaded</span>", out);
	fputs("</h3>\n<p class=\"soft\">", out);
	fprintf(out, "%" PRId64 " calls, median %s, 99%% within %s</p>\n", json_get_int(h, "calls"),
		format_usec(json_get_int(h, "median_usec"), median, sizeof(median)),
		format_usec(json_get_int(h, "p99_usec"), p99, sizeof(p99)));
	fprintf(out, "<div class=\"bars%s\">\n", fallback ? " slow" : "");
	write_slots(out, json_get_list(h, "slots"), range);
	fputs("</div>\n", out);
}

void report_write_latency(FILE *out, const struct report_source *source)
{
	const struct json_value *histograms = json_get_list(source->document, "histograms");
	struct range range;

	if (!histograms) {
		write_absent(out, source->absent ? source->absent : "Not measured.");
		return;
	}
	if (json_count(histograms) == 0) {
		write_absent(out, "There were no sendfile calls during the measurement.");
		return;
	}
	range = range_of(histograms);
	for (struct rows r = { .of = histograms, .max = HISTOGRAMS_MAX }; next_row(&r);)
		write_histogram(out, r.row, &range);
}
