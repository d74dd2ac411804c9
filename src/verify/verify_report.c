/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/verify_report.h"

#include <errno.h>
#include <string.h>

#include "basic/json.h"
#include "basic/util.h"

#define RULE_DAYS 90
#define RULE_CASES 3 /* named as the reason */

static const char *const places[SITE_PLACES] = { "sender", "router", "receiver" };
static const char *const outcomes[] = { "untested", "right", "wrong", "refused", "not-applicable" };

static const char *describe(const struct verify_case *c, char *buf, size_t size)
{
	snprintf(buf, size, "%s over %s, %s", verify_packet_text(c->packet), site_kind_text(c->kind), verify_mode_text(c->mode));
	return buf;
}

bool verify_is_avoidable(const struct verify_result *result)
{
	for (size_t i = 0; i < result->n_cases; i++)
		if (result->cases[i].outcome == VERIFY_WRONG && !result->cases[i].avoided)
			return false;
	return result->wrong > 0;
}

/* A VLAN is of two kinds of lanes. */
static bool is_named_before(const struct verify_result *result, unsigned kind)
{
	for (unsigned i = 0; i < kind; i++)
		if (result->rule_kinds & 1u << i && strcmp(site_kind_link((enum site_kind)i), site_kind_link((enum site_kind)kind)) == 0)
			return true;
	return false;
}

int verify_report_rule(const struct verify_result *result, const struct feature_table *features, const char *release, int64_t now_sec,
	char **ret)
{
	char until[16], text[128];
	size_t len;
	unsigned bit;
	FILE *out = open_memstream(ret, &len);

	if (!out)
		return -ENOMEM;
	util_format_time_as("%Y-%m-%d", (uint64_t)(now_sec + RULE_DAYS * 86400) * USEC_PER_SEC, until, sizeof(until));
	fprintf(out, "[Rule]\nDescription=Avoid offloads that Linux %s handles incorrectly\nReason=offloadctl verify:", release);
	for (size_t i = 0, n = 0; i < result->n_cases && n < RULE_CASES; i++)
		if (result->cases[i].avoided)
			fprintf(out, "%s %s: %s", n++ ? ";" : "", describe(&result->cases[i], text, sizeof(text)),
				frame_wrong_text(result->cases[i].wrong));
	fprintf(out, "\nUntil=%s\n\n[Match]\nKind=", until);
	for (unsigned kind = 0, n = 0; kind < SITE_KINDS; kind++)
		if (result->rule_kinds & 1u << kind && !is_named_before(result, kind))
			fprintf(out, "%s%s", n++ ? " " : "", site_kind_link((enum site_kind)kind));
	fprintf(out, "\nKernelRelease=%s\n\n[Features]\n", release);
	feature_foreach(bit, result->rule)
		fprintf(out, "%s=off\n", feature_name(features, bit));
	return fclose(out) == 0 ? 0 : -ENOMEM;
}

static void put_place(FILE *out, const struct verify_case *c)
{
	char link[64];

	if (c->link)
		fprintf(out, ", first seen at the %s of the %s", util_clean(c->link, link, sizeof(link)), places[c->place]);
	else if (c->wrong == FRAME_REJECTED)
		fprintf(out, ", at the %s", places[c->place]);
	else
		fprintf(out, ", as the receiving program sees it");
	fprintf(out, "%s\n", c->backward ? ", in acknowledgements" : "");
}

static void put_wrong(FILE *out, const struct verify_case *c, const struct feature_table *features)
{
	char text[128], names[512];

	fprintf(out, "  %s: %s", describe(c, text, sizeof(text)), frame_wrong_text(c->wrong));
	put_place(out, c);
	if (c->culprits)
		fprintf(out, "    works if %s off: %s\n", c->culprits & (c->culprits - 1) ? "any one of these is" : "this is",
			feature_format(features, c->culprits, names, sizeof(names)));
	if (c->unsearched)
		fprintf(out, "    not searched for all features that cause it: the time limit was reached\n");
	else if (!c->repeated)
		fprintf(out, "    not reproducible: it was not wrong each time\n");
}

/* Why none of a kind was tested; "": it could be. */
static const char *why_of(const struct verify_result *result, const struct verify_case *c)
{
	return result->why ? result->why[c->kind] : "";
}

static const char *error_text(const struct verify_result *result, const struct verify_case *c)
{
	if (why_of(result, c)[0])
		return why_of(result, c);
	switch (-c->error) {
	case ENOBUFS:
		return "a queue of the kernel was full";
	case ENODATA:
		return "not all packets could be captured";
	case ENONET:
		return "no packet left the sender; a BPF program of this cgroup, for example, may drop them";
	case EROFS:
		return "/proc/sys is read-only here";
	case EAFNOSUPPORT:
		return "this kernel has no IPv6";
	case ECOMM:
		return "packets were lost on the way";
	case ETIME:
		return "the time limit was reached";
	default:
		return strerror(-c->error);
	}
}

static void put_untested(FILE *out, const struct verify_result *result)
{
	const struct verify_case *last = NULL;
	unsigned late = 0;

	for (size_t i = 0; i < result->n_cases; i++) {
		const struct verify_case *c = &result->cases[i];
		char text[128];

		late += c->outcome == VERIFY_UNTESTED && c->error == -ETIME;
		if (c->outcome != VERIFY_UNTESTED || c->error == -ETIME)
			continue;
		if (last && last->kind == c->kind && last->error == c->error)
			continue;
		last = c;
		fprintf(out, "  not tested: %s: %s\n", why_of(result, c)[0] ? site_kind_text(c->kind) : describe(c, text, sizeof(text)),
			error_text(result, c));
	}
	if (late)
		fprintf(out, "  not tested: %u test case%s, because the time limit was reached; see --time\n", late, util_plural(late));
}

/* What the verdict does not contain. */
static void put_limits(FILE *out, const struct verify_result *result)
{
	if (result->not_applicable)
		fprintf(out, "  not applicable: %u test case%s, in which the kernel merged nothing\n", result->not_applicable,
			util_plural(result->not_applicable));
	if (result->refused)
		fprintf(out, "  %u test case%s without large datagrams, because the kernel refuses UDP_SEGMENT\n", result->refused,
			util_plural(result->refused));
	if (result->unseen)
		fprintf(out, "  %u packet%s could not be captured; only the data that arrived was compared\n", result->unseen,
			util_plural(result->unseen));
}

void verify_report_text(FILE *out, const struct verify_report *report)
{
	const struct verify_result *result = report->result;
	unsigned tested = result->right + result->wrong;
	char subject[160], link[64];

	if (report->peer)
		snprintf(subject, sizeof(subject), "the path from %s to %s", util_clean(report->link, link, sizeof(link)), report->peer);
	else
		snprintf(subject, sizeof(subject), "Linux %s", report->release);
	if (result->wrong) {
		fprintf(out, "NOT OK: %s handles %u of %u test case%s incorrectly\n", subject, result->wrong, tested, util_plural(tested));
		for (size_t i = 0; i < result->n_cases; i++)
			if (result->cases[i].outcome == VERIFY_WRONG)
				put_wrong(out, &result->cases[i], report->features);
		if (result->rule)
			fprintf(out, "  A rule that turns features off avoids %s of this, as tested%s\n",
				verify_is_avoidable(result) ? "all" : "some",
				report->writes ? "." : ". To write it: offloadctl verify --output /etc/offloadd/rules.d");
	} else if (tested == 0) {
		fprintf(out, "NOT KNOWN: nothing could be tested\n");
	} else if (result->untested || report->n_other) {
		fprintf(out, "NO ERROR FOUND: %s handles %u test case%s correctly (%u packets checked); not everything could be tested\n",
			subject, tested, util_plural(tested), result->packets);
	} else {
		fprintf(out, "OK: %s handles all %u test cases correctly (%u packets checked)\n", subject, tested, result->packets);
	}
	put_untested(out, result);
	for (size_t i = 0; i < report->n_other; i++)
		fprintf(out, "  not tested: %s: verify has no test for this kind of interface\n", report->other[i]);
	put_limits(out, result);
	fprintf(out, report->peer ? "  This is about both hosts, their network devices and drivers, and what is between them.\n"
				  : "  This is about the kernel. No network device was tested; see --peer.\n");
}

static void add_case(struct json_writer *w, const struct verify_case *c, const struct verify_report *report)
{
	const struct feature_table *features = report->features;

	json_open_object(w, NULL);
	json_add_text(w, "over", site_kind_name(c->kind));
	json_add_text(w, "mode", verify_mode_name(c->mode));
	json_add_text(w, "packet", verify_packet_name(c->packet));
	json_add_text(w, "outcome", outcomes[c->outcome]);
	json_add_text(w, "error", c->outcome != VERIFY_UNTESTED ? NULL : error_text(report->result, c));
	json_add_int(w, "packets", c->packets);
	json_add_int(w, "unseen", c->unseen);
	json_add_int(w, "merged", c->merged);
	if (json_open_if(w, "wrong", c->outcome == VERIFY_WRONG)) {
		json_add_text(w, "what", frame_wrong_name(c->wrong));
		json_add_text(w, "host", places[c->place]);
		json_add_text(w, "link", c->link);
		json_add_bool(w, "acknowledgements", c->backward);
		json_add_bool(w, "reproducible", c->repeated);
		json_add_bool(w, "searched", !c->unsearched);
		json_add_bool(w, "avoided_by_rule", c->avoided);
		feature_add_names(w, "features", features, c->on);
		feature_add_names(w, "right_without", features, c->culprits);
		json_close_object(w);
	}
	json_close_object(w);
}

int verify_report_json(FILE *out, const struct verify_report *report)
{
	const struct verify_result *result = report->result;
	_cleanup_json_writer_ struct json_writer w = { 0 };

	json_begin(&w, "verify");
	json_add_int(&w, "exit_code", report->exit_code);
	json_add_text(&w, "kernel", report->release);
	json_add_text(&w, "link", report->link);
	json_add_text(&w, "peer", report->peer);
	json_add_int(&w, "right", result->right);
	json_add_int(&w, "wrong", result->wrong);
	json_add_int(&w, "untested", result->untested);
	json_add_int(&w, "refused", result->refused);
	json_add_int(&w, "not_applicable", result->not_applicable);
	json_add_int(&w, "packets", result->packets);
	json_add_int(&w, "unseen", result->unseen);
	json_open_list(&w, "kinds_not_tested");
	for (size_t i = 0; i < report->n_other; i++)
		json_add_text(&w, NULL, report->other[i]);
	json_close_list(&w);
	if (json_open_if(&w, "rule", result->rule)) {
		json_open_list(&w, "kinds");
		for (unsigned kind = 0; kind < SITE_KINDS; kind++)
			if (result->rule_kinds & 1u << kind && !is_named_before(result, kind))
				json_add_text(&w, NULL, site_kind_link((enum site_kind)kind));
		json_close_list(&w);
		feature_add_names(&w, "off", report->features, result->rule);
		json_add_bool(&w, "avoids_all", verify_is_avoidable(result));
		json_close_object(&w);
	}
	json_open_list(&w, "cases");
	for (size_t i = 0; i < result->n_cases; i++)
		add_case(&w, &result->cases[i], report);
	json_close_list(&w);
	return json_finish(&w, out);
}
