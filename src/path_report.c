/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "path_report.h"

#include <errno.h>
#include <json-c/json.h>

#include "json.h"
#include "util.h"

static void put_finding(FILE *out, const struct path_report *r)
{
	const struct path_finding *f = r->finding;

	switch (f->verdict) {
	case PATH_SLOW:
		fprintf(out, "%s: sendfile is slower than plain send: %.1f times its time, %.1f times its CPU. A socket "
			"without scatter-gather copies\n  page by page: offloadctl explain %s sg\n",
			r->link, f->sendfile.time, f->sendfile.cpu, r->link);
		return;
	case PATH_SOFTWARE:
		fprintf(out, "%s: segmentation or checksums in software: %.0f%% of the cost of sending comes with the "
			"number of segments,\n  and sendfile takes %.0f%% of plain send's time: offloadctl explain %s\n",
			r->link, f->share * 100, f->sendfile.time * 100, r->link);
		return;
	case PATH_HEALTHY:
		fprintf(out, "%s: healthy: %.0f%% of the cost of sending comes with the number of segments, and sendfile "
			"takes %.0f%% of plain send's time\n",
			r->link, f->share * 100, f->sendfile.time * 100);
		return;
	case PATH_UNKNOWN:
		break;
	}
	if (r->run->rounds < PATH_ROUNDS_LEAST)
		fprintf(out, "%s: too few rounds within the limits to say anything\n", r->link);
	else
		fprintf(out, "%s: sendfile is not slower than plain send (%.0f%% of its time); whether segments are made in "
			"software,\n  these ratios do not tell (%.0f%% of the cost comes with them): offloadctl explain %s\n",
			r->link, f->sendfile.time * 100, f->share * 100, r->link);
}

void path_report_text(FILE *out, const struct path_report *r)
{
	static const char *const words[PATH_WAYS] = { "sendfile", "splice", "send", "sendfile, small segments" };
	const struct path_finding *f = r->finding;

	put_finding(out, r);
	if (f->slow_splice && !f->slow_sendfile)
		fprintf(out, "%s: splice from a file is slower than plain send: %.1f times its time, %.1f times its CPU\n",
			r->link, f->splice.time, f->splice.cpu);
	fprintf(out, "\n%s; %zu alternating rounds, medians:\n", r->over, r->run->rounds);
	fprintf(out, "  %-26s%12s%12s%16s\n", "", "MB/s", "CPU s/GB", "softirq s/GB");
	for (unsigned way = 0; way < PATH_WAYS; way++) {
		struct path_summary s;

		path_summarize(r->run, (enum path_way)way, &s);
		fprintf(out, "  %-26s%12.1f%12.3f%16.2f\n", words[way], s.mbyte_per_s, s.cpu_s_per_gbyte,
			s.softirq_s_per_gbyte);
	}
	fprintf(out, "  against send: sendfile %.2f of its time, %.2f of its CPU; splice %.2f, %.2f\n", f->sendfile.time,
		f->sendfile.cpu, f->splice.time, f->splice.cpu);
	if (f->segments > 0)
		fprintf(out, "  %.1f times the segments: %.2f times the time, %.2f times the CPU\n", f->segments,
			f->small.time, f->small.cpu);
}

static void add_double(json_object *to, const char *key, double value)
{
	json_object_object_add(to, key, json_object_new_double(value));
}

static json_object *new_way(const struct path_run *run, enum path_way way)
{
	json_object *o = json_object_new_object();
	struct path_summary s;

	path_summarize(run, way, &s);
	json_object_object_add(o, "way", json_object_new_string(path_way_name(way)));
	json_object_object_add(o, "bytes", json_object_new_int64((int64_t)s.bytes));
	add_double(o, "megabytes_per_second", s.mbyte_per_s);
	add_double(o, "cpu_seconds_per_gigabyte", s.cpu_s_per_gbyte);
	add_double(o, "softirq_seconds_per_gigabyte", s.softirq_s_per_gbyte);
	return o;
}

static void add_ratios(json_object *to, const char *key, struct path_ratios ratios)
{
	json_object *o = json_object_new_object();

	add_double(o, "time", ratios.time);
	add_double(o, "cpu", ratios.cpu);
	json_object_object_add(to, key, o);
}

static json_object *new_ratios(const struct path_finding *f)
{
	json_object *o = json_object_new_object();

	add_ratios(o, "sendfile_to_send", f->sendfile);
	add_ratios(o, "splice_to_send", f->splice);
	add_ratios(o, "small_to_sendfile", f->small);
	add_double(o, "segments", f->segments);
	add_double(o, "segment_share", f->share);
	return o;
}

int path_report_json(FILE *out, const struct path_report *r)
{
	json_object *root = json_object_new_object(), *ways = json_object_new_array();
	const char *text;
	int result = 0;

	json_object_object_add(root, "version", json_object_new_int(JSON_VERSION));
	json_object_object_add(root, "document", json_object_new_string("check-path"));
	json_object_object_add(root, "exit_code", json_object_new_int(r->exit_code));
	json_object_object_add(root, "link", json_object_new_string(r->link));
	json_object_object_add(root, "peer", r->peer ? json_object_new_string(r->peer) : NULL);
	json_object_object_add(root, "verdict", json_object_new_string(path_verdict_name(r->finding->verdict)));
	json_object_object_add(root, "sendfile_slower", json_object_new_boolean(r->finding->slow_sendfile));
	json_object_object_add(root, "splice_slower", json_object_new_boolean(r->finding->slow_splice));
	json_object_object_add(root, "rounds", json_object_new_int64((int64_t)r->run->rounds));
	json_object_object_add(root, "mss", json_object_new_int64(r->run->mss));
	for (unsigned way = 0; way < PATH_WAYS; way++)
		json_object_array_add(ways, new_way(r->run, (enum path_way)way));
	json_object_object_add(root, "small_mss", json_object_new_int64(r->run->small_mss));
	json_object_object_add(root, "ways", ways);
	json_object_object_add(root, "ratios", new_ratios(r->finding));
	text = json_object_to_json_string_ext(
		root, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE);
	if (!text)
		result = -ENOMEM;
	else if (fputs(text, out) < 0 || fputc('\n', out) < 0)
		result = -EIO;
	json_object_put(root);
	return result;
}
