/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/verify_report.h"

#include <errno.h>
#include <string.h>

#include "basic/json.h"
#include "basic/util.h"

static const char *const places[SITE_PLACES] = { "sender", "router", "receiver" };
static const char *const outcomes[] = { "untested", "right", "wrong", "refused" };

static const char *describe(const struct verify_case *c, char *buf, size_t size)
{
	snprintf(buf, size, "%s over %s, %s", verify_packet_text(c->packet), site_kind_text(c->kind), verify_mode_text(c->mode));
	return buf;
}

feature_set verify_suspects(const struct verify_result *result)
{
	feature_set in_wrong = ~(feature_set)0, in_right = ~(feature_set)0;

	for (size_t i = 0; i < result->n_cases; i++) {
		const struct verify_case *c = &result->cases[i];

		if (c->outcome == VERIFY_WRONG)
			in_wrong &= c->on;
		else if (c->outcome != VERIFY_UNTESTED)
			in_right &= c->on;
	}
	return result->wrong ? in_wrong & ~in_right : 0;
}

static void put_wrong(FILE *out, const struct verify_case *c)
{
	char text[128];

	fprintf(out, "  %s: %s", describe(c, text, sizeof(text)), frame_wrong_text(c->wrong));
	if (c->link)
		fprintf(out, ", first seen at the %s of the %s", c->link, places[c->place]);
	else
		fprintf(out, ", as the receiving program sees it");
	fputc('\n', out);
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
			c->error == -EOPNOTSUPP ? "this kernel does not have it" : strerror(-c->error));
	}
}

void verify_report_text(FILE *out, const struct verify_result *result, const struct feature_table *features, const char *release)
{
	size_t tested = result->n_cases - result->untested;
	char names[512];

	if (result->wrong) {
		fprintf(out, "NOT OK: Linux %s computes %u of %zu combinations wrong\n", release, result->wrong, tested);
		for (size_t i = 0; i < result->n_cases; i++)
			if (result->cases[i].outcome == VERIFY_WRONG)
				put_wrong(out, &result->cases[i]);
		if (verify_suspects(result))
			fprintf(out, "  only with: %s\n", feature_format(features, verify_suspects(result), names, sizeof(names)));
	} else if (tested == 0) {
		fprintf(out, "NOT KNOWN: nothing could be tested\n");
	} else {
		fprintf(out, "OK: Linux %s computes all %zu tested combinations right (%u packets checked)\n", release, tested,
			result->packets);
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
	feature_add_names(&w, "suspects", features, verify_suspects(result));
	json_open_list(&w, "cases");
	for (size_t i = 0; i < result->n_cases; i++)
		add_case(&w, &result->cases[i], features);
	json_close_list(&w);
	return json_finish(&w, out);
}
