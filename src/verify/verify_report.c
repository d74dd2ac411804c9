/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/verify_report.h"

#include <errno.h>
#include <string.h>

#include "basic/json.h"
#include "basic/util.h"

#define RULE_DAYS 90
#define RULE_CASES 3 /* named as the reason */

static const char *const places[SITE_PLACES] = { "sender", "router", "receiver" };
static const char *const outcomes[] = { "untested", "right", "wrong", "refused" };

static const char *describe(const struct verify_case *c, char *buf, size_t size)
{
	snprintf(buf, size, "%s over %s, %s", verify_packet_text(c->packet), site_kind_text(c->kind), verify_mode_text(c->mode));
	return buf;
}

feature_set verify_culprits(const struct verify_result *result)
{
	feature_set culprits = 0;

	for (size_t i = 0; i < result->n_cases; i++)
		culprits |= result->cases[i].culprits;
	return culprits;
}

bool verify_is_avoidable(const struct verify_result *result)
{
	for (size_t i = 0; i < result->n_cases; i++)
		if (result->cases[i].outcome == VERIFY_WRONG && !result->cases[i].culprits)
			return false;
	return result->wrong > 0;
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
	fprintf(out, "[Rule]\nDescription=Avoid offloads that Linux %s computes wrong\nReason=offloadctl verify:", release);
	for (size_t i = 0, n = 0; i < result->n_cases && n < RULE_CASES; i++)
		if (result->cases[i].culprits)
			fprintf(out, "%s %s: %s", n++ ? ";" : "", describe(&result->cases[i], text, sizeof(text)),
				frame_wrong_text(result->cases[i].wrong));
	fprintf(out, "\nUntil=%s\n\n[Match]\nName=*\nKernelRelease=%s\n\n[Features]\n", until, release);
	feature_foreach(bit, verify_culprits(result))
		fprintf(out, "%s=off\n", feature_name(features, bit));
	return fclose(out) == 0 ? 0 : -ENOMEM;
}

static void put_wrong(FILE *out, const struct verify_case *c, const struct feature_table *features)
{
	char text[128], names[512];

	fprintf(out, "  %s: %s", describe(c, text, sizeof(text)), frame_wrong_text(c->wrong));
	if (c->link)
		fprintf(out, ", first seen at the %s of the %s", c->link, places[c->place]);
	else
		fprintf(out, ", as the receiving program sees it");
	fputc('\n', out);
	if (c->culprits)
		fprintf(out, "    right if this is off: %s\n", feature_format(features, c->culprits, names, sizeof(names)));
}

/* One line for each lane that could not be built. */
static void put_untested(FILE *out, const struct verify_result *result)
{
	const struct verify_case *last = NULL;

	for (size_t i = 0; i < result->n_cases; i++) {
		const struct verify_case *c = &result->cases[i];
		char text[128];

		if (c->outcome != VERIFY_UNTESTED)
			continue;
		if (last && last->kind == c->kind && last->error == c->error)
			continue;
		last = c;
		fprintf(out, "  not tested: %s: %s\n", c->error == -EOPNOTSUPP ? site_kind_text(c->kind) : describe(c, text, sizeof(text)),
			c->error == -EOPNOTSUPP ? "not available here" : strerror(-c->error));
	}
}

void verify_report_text(FILE *out, const struct verify_result *result, const struct feature_table *features, const char *release)
{
	size_t tested = result->n_cases - result->untested;

	if (result->wrong) {
		fprintf(out, "NOT OK: Linux %s computes %u of %zu combinations wrong\n", release, result->wrong, tested);
		for (size_t i = 0; i < result->n_cases; i++)
			if (result->cases[i].outcome == VERIFY_WRONG)
				put_wrong(out, &result->cases[i], features);
		if (verify_culprits(result))
			fprintf(out, "  To avoid %s of this, write a rule: offloadctl verify --output /etc/offloadd/rules.d\n",
				verify_is_avoidable(result) ? "all" : "some");
	} else if (tested == 0) {
		fprintf(out, "NOT KNOWN: nothing could be tested\n");
	} else if (result->untested) {
		fprintf(out, "NO ERROR FOUND: Linux %s computes %zu combinations right (%u packets checked); %u could not be tested\n",
			release, tested, result->packets, result->untested);
	} else {
		fprintf(out, "OK: Linux %s computes all %zu combinations right (%u packets checked)\n", release, tested, result->packets);
	}
	put_untested(out, result);
	fprintf(out, "  This is about the kernel. No network device was tested.\n");
}

static void add_case(struct json_writer *w, const struct verify_case *c, const struct feature_table *features)
{
	json_open_object(w, NULL);
	json_add_text(w, "over", site_kind_name(c->kind));
	json_add_text(w, "mode", verify_mode_name(c->mode));
	json_add_text(w, "packet", verify_packet_name(c->packet));
	json_add_text(w, "outcome", outcomes[c->outcome]);
	json_add_text(w, "error", c->error ? strerror(-c->error) : NULL);
	json_add_int(w, "packets", c->packets);
	json_add_int(w, "unseen", c->unseen);
	if (json_open_if(w, "wrong", c->outcome == VERIFY_WRONG)) {
		json_add_text(w, "what", frame_wrong_name(c->wrong));
		json_add_text(w, "host", places[c->place]);
		json_add_text(w, "link", c->link);
		feature_add_names(w, "features", features, c->on);
		feature_add_names(w, "right_without", features, c->culprits);
		json_close_object(w);
	}
	json_close_object(w);
}

int verify_report_json(FILE *out, const struct verify_result *result, const struct feature_table *features, const char *release,
	int exit_code)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };

	json_begin(&w, "verify");
	json_add_int(&w, "exit_code", exit_code);
	json_add_text(&w, "kernel", release);
	json_add_int(&w, "right", result->right);
	json_add_int(&w, "wrong", result->wrong);
	json_add_int(&w, "untested", result->untested);
	json_add_int(&w, "packets", result->packets);
	feature_add_names(&w, "right_without", features, verify_culprits(result));
	json_open_list(&w, "cases");
	for (size_t i = 0; i < result->n_cases; i++)
		add_case(&w, &result->cases[i], features);
	json_close_list(&w);
	return json_finish(&w, out);
}
