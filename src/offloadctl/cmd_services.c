/* SPDX-License-Identifier: GPL-2.0-or-later */
/* services: who pays for software fallback now, and who must make its connections anew. */
#include "offloadctl/cmd_answer.h"

#include <errno.h>
#include <string.h>

#include "basic/json_value.h"
#include "control/methods.h"
#include "evidence/tracker.h"

/* Exit codes of monitoring plugins. */
enum nagios { NAGIOS_OK, NAGIOS_WARNING, NAGIOS_CRITICAL, NAGIOS_UNKNOWN };

/* ---- where it comes from ---- */

/* Without offloadd: which sockets are stale, the kernel tells anybody who may ask; what was counted it knows alone. */
static int services_of_kernel(const struct cmd_options *options, struct json_object **ret)
{
	_cleanup_(services_clear) struct services services = { 0 };
	_cleanup_(cmd_close) struct cmd_session s;
	struct tracker_options wanted = { .only_sockets = true };
	struct tracker *tracker = NULL;
	uint64_t now_usec = util_now_usec();
	int r;

	if (cmd_open(options, &s) != CMD_OK)
		return CMD_ERROR;
	r = observe_refresh(s.observe);
	if (r < 0)
		return cmd_error("cannot read the links: %s", strerror(-r));
	wanted.features = &s.observe->features;
	wanted.links = &s.observe->links;
	r = tracker_new(&wanted, now_usec, &tracker);
	if (r >= 0)
		r = tracker_list(tracker, now_usec, &services);
	if (r >= 0) {
		services.counted = false;
		*ret = json_object_new_object();
		r = services_add_json(&services, &s.observe->features, now_usec, *ret);
	}
	tracker_free(tracker);
	return r < 0 ? cmd_error("services: %s", strerror(-r)) : CMD_NO_DAEMON;
}

/* ---- text ---- */

static bool is(struct json_object *from, const char *key, const char *text)
{
	return strcmp(answer_text(from, key), text) == 0;
}

static const char *name_payer(struct json_object *row)
{
	if (answer_text(row, "service")[0])
		return answer_clean(answer_text(row, "service"));
	return is(row, "origin", "forwarded") ? "forwarded traffic" : "the kernel itself";
}

static bool is_same_payer(struct json_object *a, struct json_object *b)
{
	return is(a, "service", answer_text(b, "service")) && is(a, "origin", answer_text(b, "origin")) &&
		is(a, "link", answer_text(b, "link"));
}

static void print_end(struct json_object *row, bool reconnect)
{
	const char *link = answer_clean(answer_text(row, "link"));

	if (!answer_text(row, "link")[0])
		puts("which link it leaves by is not known");
	else if (is(row, "verdict", "") || is(row, "verdict", "compliant"))
		printf("no rule asks for more of %s; a restart does not help\n", link);
	else if (reconnect)
		printf("%s is %s; when it is repaired, connections may have to be made anew\n", link,
			answer_text(row, "verdict"));
	else
		printf("ends when %s is repaired; no restart needed\n", link);
}

/* One line for all kinds of a payer on a link, at its first row. */
static void print_payer(struct json_object *rows, size_t i)
{
	struct json_object *row = json_object_array_get_idx(rows, i);
	const char *comma = "";
	bool reconnect = false;

	for (size_t j = 0; j < i; j++) {
		struct json_object *before = json_object_array_get_idx(rows, j);

		if (answer_bool(before, "now") && is_same_payer(before, row))
			return;
	}
	printf("  %s", name_payer(row));
	if (answer_text(row, "link")[0])
		printf(" on %s", answer_clean(answer_text(row, "link")));
	printf(": ");
	for (size_t j = i; j < answer_count(rows); j++) {
		struct json_object *other = json_object_array_get_idx(rows, j);

		if (!answer_bool(other, "now") || !is_same_payer(other, row))
			continue;
		printf("%s%s %lld", comma, answer_clean(answer_text(other, "kind")),
			(long long)answer_int(other, "hits"));
		reconnect |= answer_bool(other, "reconnect");
		comma = ", ";
	}
	printf("; ");
	print_end(row, reconnect);
}

/* What a stale connection goes on paying is told with it. */
static bool is_flagged(struct json_object *answer, struct json_object *row)
{
	struct json_object *restart = answer_list(answer, "restart");

	for (size_t i = 0; answer_bool(row, "reconnect") && i < answer_count(restart); i++) {
		struct json_object *flag = json_object_array_get_idx(restart, i);

		if (is(flag, "service", answer_text(row, "service")) && is(flag, "link", answer_text(row, "link")))
			return true;
	}
	return false;
}

static void print_fallback(struct json_object *answer)
{
	struct json_object *rows = answer_list(answer, "fallback"), *left = json_object_new_array();

	for (size_t i = 0; i < answer_count(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);

		if (answer_bool(row, "now") && !is_flagged(answer, row))
			json_object_array_add(left, json_object_get(row));
	}
	if (answer_count(left))
		puts("Pays for software fallback now:");
	else if (rows)
		puts("No service pays for software fallback now.");
	for (size_t i = 0; i < answer_count(left); i++)
		print_payer(left, i);
	json_object_put(left);
}

static void print_stale(struct json_object *answer)
{
	struct json_object *rows = answer_list(answer, "restart");

	if (answer_count(rows))
		puts("Needs a restart, as connections go on without an offload that their link has again:");
	else if (rows)
		puts("No service needs a restart.");
	for (size_t i = 0; i < answer_count(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		struct json_object *missing = answer_list(row, "missing");
		char when[32];

		printf("  %s on %s: %lld stale connection%s since %s, without", answer_clean(answer_text(row, "service")),
			answer_clean(answer_text(row, "link")), (long long)answer_int(row, "sockets"),
			util_plural((uint64_t)answer_int(row, "sockets")),
			util_format_time((uint64_t)answer_int(row, "since_usec"), when, sizeof(when)));
		for (size_t j = 0; j < answer_count(missing); j++)
			printf("%s %s", j ? "," : "",
				answer_clean(json_object_get_string(json_object_array_get_idx(missing, j))));
		printf("; %lld hits since then\n", (long long)answer_int(row, "hits"));
	}
}

static void print_absent(struct json_object *answer)
{
	struct json_object *probes = answer_list(answer, "probes");

	for (size_t i = 0; i < answer_count(probes); i++) {
		struct json_object *probe = json_object_array_get_idx(probes, i);

		if (!answer_text(probe, "method")[0])
			printf("not seen: %s (%s): %s\n", answer_clean(answer_text(probe, "probe")),
				answer_clean(answer_text(probe, "function")),
				answer_clean(answer_text(probe, "why")));
	}
}

static void print_text(struct json_object *answer, int code)
{
	struct json_object *lost = NULL;
	int64_t n = answer_int(answer, "left_out");

	print_fallback(answer);
	print_stale(answer);
	if (code == CMD_NO_DAEMON)
		puts("Who pays for fallback now, only offloadd can tell: it counts from its start.");
	else
		print_absent(answer);
	if (n)
		printf("%lld more rows are left out for want of room\n", (long long)n);
	if (!json_object_object_get_ex(answer, "lost", &lost))
		return;
	json_object_object_foreach(lost, kind, value)
		if (json_object_get_int64(value))
			printf("%s: %lld hits of services that there was no room for\n", answer_clean(kind),
				(long long)json_object_get_int64(value));
}

/* ---- for other programs ---- */

/* Lines as needrestart -b prints them. */
static void print_needrestart(struct json_object *answer)
{
	struct json_object *rows = answer_list(answer, "restart");

	puts("NEEDRESTART-VER: offloadctl " OFFLOADD_VERSION);
	for (size_t i = 0; i < answer_count(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		const char *word = is(row, "kind", "container") ? "CONT"
			: is(row, "kind", "session") || is(row, "kind", "user") ? "SESS"
										: "SVC";

		printf("NEEDRESTART-%s: %s\n", word, answer_clean(answer_text(row, "service")));
	}
}

static size_t count_now(struct json_object *answer)
{
	struct json_object *rows = answer_list(answer, "fallback");
	size_t n = 0;

	for (size_t i = 0; i < answer_count(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);

		n += answer_bool(row, "now") && !is_flagged(answer, row);
	}
	return n;
}

static int print_nagios(struct json_object *answer, int code)
{
	struct json_object *rows = answer_list(answer, "restart");
	size_t paying = count_now(answer);
	int64_t sockets = 0;
	enum nagios state = NAGIOS_OK;

	for (size_t i = 0; i < answer_count(rows); i++)
		sockets += answer_int(json_object_array_get_idx(rows, i), "sockets");
	if (answer_count(rows)) {
		state = NAGIOS_CRITICAL;
		printf("OFFLOADD CRITICAL - needs a restart:");
		for (size_t i = 0; i < answer_count(rows); i++)
			printf("%s %s", i ? "," : "",
				answer_clean(answer_text(json_object_array_get_idx(rows, i), "service")));
	} else if (code != CMD_OK || !rows || !answer_list(answer, "fallback")) {
		state = NAGIOS_UNKNOWN;
		printf("OFFLOADD UNKNOWN - %s",
			code == CMD_OK ? "probes cannot be had" : "offloadd does not run");
	} else if (paying) {
		state = NAGIOS_WARNING;
		printf("OFFLOADD WARNING - services pay for software fallback: %zu", paying);
	} else {
		printf("OFFLOADD OK - no service pays for software fallback or needs a restart");
	}
	printf(" | restart=%zu;;0;0 stale=%lld;;;0 fallback=%zu;0;;0\n", answer_count(rows), (long long)sockets,
		paying);
	return (int)state;
}

int cmd_services(const struct cmd_options *options, _unused_ int argc, _unused_ char **argv)
{
	_cleanup_json_ struct json_object *answer = NULL;
	int code = cmd_ask(options, "services", METHODS_INTERFACE ".GetServices", NULL, CLIENT_ANSWER_USEC,
		&answer);

	if (code == CMD_NO_DAEMON) {
		cmd_not_running(options);
		code = services_of_kernel(options, &answer);
	}
	if (code == CMD_ERROR)
		return options->format == CMD_FORMAT_NAGIOS ? (int)NAGIOS_UNKNOWN : code;
	switch (options->format) {
	case CMD_FORMAT_NEEDRESTART:
		print_needrestart(answer);
		return code;
	case CMD_FORMAT_NAGIOS:
		return print_nagios(answer, code);
	case CMD_FORMAT_TEXT:
		break;
	}
	if (options->json)
		return answer_print("services", answer, code);
	print_text(answer, code);
	return code;
}
