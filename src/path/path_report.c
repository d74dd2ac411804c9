/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "path/path_report.h"

#include "report/json_private.h"
#include "basic/util.h"

static void put_finding(FILE *out, const struct path_report *r)
{
	const struct path_finding *f = r->finding;

	switch (f->verdict) {
	case PATH_SLOW:
		fprintf(out, "%s: sendfile is slower than plain send: %.1f times the time, %.1f times the CPU. A socket "
			"without scatter-gather copies\n  page by page. Run: offloadctl explain %s sg\n",
			r->link, f->sendfile.time, f->sendfile.cpu, r->link);
		return;
	case PATH_SOFTWARE:
		fprintf(out, "%s: segmentation or checksums in software: %.0f%% of the cost of sending depends on the "
			"number of segments,\n  and sendfile takes %.0f%% of the time of plain send. Run: offloadctl explain %s\n",
			r->link, f->share * 100, f->sendfile.time * 100, r->link);
		return;
	case PATH_HEALTHY:
		fprintf(out, "%s: healthy: %.0f%% of the cost of sending depends on the number of segments, and sendfile "
			"takes %.0f%% of the time of plain send\n",
			r->link, f->share * 100, f->sendfile.time * 100);
		return;
	case PATH_UNKNOWN:
		break;
	}
	if (r->run->rounds < PATH_ROUNDS_LEAST)
		fprintf(out, "%s: inconclusive: too few rounds within the limits\n", r->link);
	else
		fprintf(out, "%s: inconclusive: sendfile is not slower than plain send (%.0f%% of the time), but the share of "
			"segments\n  in the cost (%.0f%%) does not show whether they are made in software. Run: offloadctl "
			"explain %s\n",
			r->link, f->sendfile.time * 100, f->share * 100, r->link);
}

void path_report_text(FILE *out, const struct path_report *r)
{
	static const char *const words[PATH_WAYS] = { "sendfile", "splice", "send", "sendfile, small segments" };
	const struct path_finding *f = r->finding;

	put_finding(out, r);
	if (f->slow_splice && !f->slow_sendfile)
		fprintf(out, "%s: splice from a file is slower than plain send: %.1f times the time, %.1f times the CPU\n",
			r->link, f->splice.time, f->splice.cpu);
	fprintf(out, "\n%s; %zu alternating rounds, medians:\n", r->over, r->run->rounds);
	fprintf(out, "  %-26s%12s%12s%16s\n", "", "MB/s", "CPU s/GB", "softirq s/GB");
	for (unsigned way = 0; way < PATH_WAYS; way++) {
		struct path_summary s;

		path_summarize(r->run, (enum path_way)way, &s);
		fprintf(out, "  %-26s%12.1f%12.3f%16.2f\n", words[way], s.mbyte_per_s, s.cpu_s_per_gbyte,
			s.softirq_s_per_gbyte);
	}
	fprintf(out, "  relative to send: sendfile %.2f of the time, %.2f of the CPU; splice %.2f, %.2f\n", f->sendfile.time,
		f->sendfile.cpu, f->splice.time, f->splice.cpu);
	if (f->segments > 0)
		fprintf(out, "  %.1f times the segments: %.2f times the time, %.2f times the CPU\n", f->segments,
			f->small.time, f->small.cpu);
}

static void add_double(struct document *d, json_object *to, const char *key, double value)
{
	add(d, to, key, keep(d, json_object_new_double(value)));
}

static json_object *new_way(struct document *d, const struct path_run *run, enum path_way way)
{
	json_object *o = new_object(d);
	struct path_summary s;

	path_summarize(run, way, &s);
	add_text(d, o, "way", path_way_name(way));
	add_number(d, o, "bytes", (int64_t)s.bytes);
	add_double(d, o, "megabytes_per_second", s.mbyte_per_s);
	add_double(d, o, "cpu_seconds_per_gigabyte", s.cpu_s_per_gbyte);
	add_double(d, o, "softirq_seconds_per_gigabyte", s.softirq_s_per_gbyte);
	return o;
}

static void add_ratios(struct document *d, json_object *to, const char *key, struct path_ratios ratios)
{
	json_object *o = new_object(d);

	add_double(d, o, "time", ratios.time);
	add_double(d, o, "cpu", ratios.cpu);
	add(d, to, key, o);
}

static json_object *new_ratios(struct document *d, const struct path_finding *f)
{
	json_object *o = new_object(d);

	add_ratios(d, o, "sendfile_to_send", f->sendfile);
	add_ratios(d, o, "splice_to_send", f->splice);
	add_ratios(d, o, "small_to_sendfile", f->small);
	add_double(d, o, "segments", f->segments);
	add_double(d, o, "segment_share", f->share);
	return o;
}

int path_report_json(FILE *out, const struct path_report *r)
{
	_cleanup_document_ struct document d = { 0 };
	json_object *ways;

	begin(&d, "check-path");
	add_number(&d, d.root, "exit_code", r->exit_code);
	add_text(&d, d.root, "link", r->link);
	add_text(&d, d.root, "peer", r->peer);
	add_text(&d, d.root, "verdict", path_verdict_name(r->finding->verdict));
	add_bool(&d, d.root, "sendfile_slower", r->finding->slow_sendfile);
	add_bool(&d, d.root, "splice_slower", r->finding->slow_splice);
	add_number(&d, d.root, "rounds", (int64_t)r->run->rounds);
	add_number(&d, d.root, "mss", r->run->mss);
	ways = new_array(&d);
	for (unsigned way = 0; way < PATH_WAYS; way++)
		push(&d, ways, new_way(&d, r->run, (enum path_way)way));
	add_number(&d, d.root, "small_mss", r->run->small_mss);
	add(&d, d.root, "ways", ways);
	add(&d, d.root, "ratios", new_ratios(&d, r->finding));
	return write_out(&d, out);
}
