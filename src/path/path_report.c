/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "path/path_report.h"

#include "basic/json.h"
#include "basic/util.h"

static void put_finding(FILE *out, const struct path_report *r)
{
	const struct path_result *f = r->finding;

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
	const struct path_result *f = r->finding;

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

static void add_way(struct json_writer *w, const struct path_run *run, enum path_way way)
{
	struct path_summary s;

	path_summarize(run, way, &s);
	json_open_object(w, NULL);
	json_add_text(w, "way", path_way_name(way));
	json_add_int(w, "bytes", (int64_t)s.bytes);
	json_add_real(w, "megabytes_per_second", s.mbyte_per_s);
	json_add_real(w, "cpu_seconds_per_gigabyte", s.cpu_s_per_gbyte);
	json_add_real(w, "softirq_seconds_per_gigabyte", s.softirq_s_per_gbyte);
	json_close_object(w);
}

static void add_ratios(struct json_writer *w, const char *key, struct path_ratios ratios)
{
	json_open_object(w, key);
	json_add_real(w, "time", ratios.time);
	json_add_real(w, "cpu", ratios.cpu);
	json_close_object(w);
}

int path_report_json(FILE *out, const struct path_report *r)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };
	const struct path_result *f = r->finding;

	json_begin(&w, "check-path");
	json_add_int(&w, "exit_code", r->exit_code);
	json_add_text(&w, "link", r->link);
	json_add_text(&w, "peer", r->peer);
	json_add_text(&w, "verdict", path_verdict_name(f->verdict));
	json_add_bool(&w, "sendfile_slower", f->slow_sendfile);
	json_add_bool(&w, "splice_slower", f->slow_splice);
	json_add_int(&w, "rounds", (int64_t)r->run->rounds);
	json_add_int(&w, "mss", r->run->mss);
	json_add_int(&w, "small_mss", r->run->small_mss);
	json_open_list(&w, "ways");
	for (unsigned way = 0; way < PATH_WAYS; way++)
		add_way(&w, r->run, (enum path_way)way);
	json_close_list(&w);
	json_open_object(&w, "ratios");
	add_ratios(&w, "sendfile_to_send", f->sendfile);
	add_ratios(&w, "splice_to_send", f->splice);
	add_ratios(&w, "small_to_sendfile", f->small);
	json_add_real(&w, "segments", f->segments);
	json_add_real(&w, "segment_share", f->share);
	json_close_object(&w);
	return json_finish(&w, out);
}
