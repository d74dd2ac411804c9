/* SPDX-License-Identifier: GPL-2.0-or-later */
/* services: who pays for software fallback now, and who must make its connections anew. */
#include "offloadctl/cmd_answer.h"

#include <errno.h>
#include <string.h>

#include "control/methods.h"
#include "evidence/tracker.h"

/* Exit codes of monitoring plugins. */
enum nagios { NAGIOS_OK, NAGIOS_WARNING, NAGIOS_CRITICAL, NAGIOS_UNKNOWN };

/* ---- where it comes from ---- */

/* Without offloadd: which sockets are stale, the kernel tells anybody who may ask; what was counted it knows alone. */
static int services_of_kernel(const struct cmd_options *options, struct json_value **ret)
{
	_cleanup_(services_clear) struct services services = { 0 };
	_cleanup_(cmd_close) struct cmd_session s;
	struct tracker_options wanted = { .only_sockets = true };
	_cleanup_json_writer_ struct json_writer w = { .form = JSON_COMPACT };
	struct tracker *tracker = NULL;
	char why[JSON_WHY_LEN];
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
		json_open_object(&w, NULL);
		services_add_json(&services, &s.observe->features, now_usec, &w);
		json_close_object(&w);
		r = w.error ? w.error : json_parse(w.text, w.len, JSON_OF_DAEMON, ret, why, sizeof(why));
	}
	tracker_free(tracker);
	return r < 0 ? cmd_error("services: %s", strerror(-r)) : CMD_NO_DAEMON;
}

/* ---- text ---- */

static bool is(const struct json_value *from, const char *key, const char *text)
{
	return strcmp(json_get_text(from, key), text) == 0;
}

static const char *name_payer(const struct json_value *row)
{
	if (json_get_text(row, "service")[0])
		return answer_clean(json_get_text(row, "service"));
	return is(row, "origin", "forwarded") ? "forwarded traffic" : "the kernel itself";
}

static bool is_same_payer(const struct json_value *a, const struct json_value *b)
{
	return is(a, "service", json_get_text(b, "service")) && is(a, "origin", json_get_text(b, "origin")) &&
		is(a, "link", json_get_text(b, "link"));
}

static void print_end(const struct json_value *row, bool reconnect)
{
	const char *link = answer_clean(json_get_text(row, "link"));

	if (!json_get_text(row, "link")[0])
		puts("which link it leaves by is not known");
	else if (is(row, "verdict", "") || is(row, "verdict", "compliant"))
		printf("no rule asks for more of %s; a restart does not help\n", link);
	else if (reconnect)
		printf("%s is %s; when it is repaired, connections may have to be made anew\n", link,
			json_get_text(row, "verdict"));
	else
		printf("ends when %s is repaired; no restart needed\n", link);
}

/* What a stale connection goes on paying is told with it. */
static bool is_flagged(const struct json_value *answer, const struct json_value *row)
{
	if (json_get_bool(row, "reconnect"))
		json_foreach(flag, json_get_list(answer, "restart"))
			if (is(flag, "service", json_get_text(row, "service")) && is(flag, "link", json_get_text(row, "link")))
				return true;
	return false;
}

static bool is_paying(const struct json_value *answer, const struct json_value *row)
{
	return json_get_bool(row, "now") && !is_flagged(answer, row);
}

/* One line for all kinds of a payer on a link, at its first row. */
static void print_payer(const struct json_value *answer, const struct json_value *row)
{
	const char *comma = "";
	bool reconnect = false, seen = false;

	json_foreach(other, json_get_list(answer, "fallback"))
	{
		seen |= other == row;
		if (!is_paying(answer, other) || !is_same_payer(other, row))
			continue;
		if (!seen)
			return;
		if (other == row) {
			printf("  %s", name_payer(row));
			if (json_get_text(row, "link")[0])
				printf(" on %s", answer_clean(json_get_text(row, "link")));
			printf(": ");
		}
		printf("%s%s %lld", comma, answer_clean(json_get_text(other, "kind")),
			(long long)json_get_int(other, "hits"));
		reconnect |= json_get_bool(other, "reconnect");
		comma = ", ";
	}
	printf("; ");
	print_end(row, reconnect);
}

static size_t count_now(const struct json_value *answer)
{
	size_t n = 0;

	json_foreach(row, json_get_list(answer, "fallback"))
		n += is_paying(answer, row);
	return n;
}

static void print_fallback(const struct json_value *answer)
{
	const struct json_value *rows = json_get_list(answer, "fallback");

	if (count_now(answer))
		puts("Pays for software fallback now:");
	else if (rows)
		puts("No service pays for software fallback now.");
	json_foreach(row, rows)
		if (is_paying(answer, row))
			print_payer(answer, row);
}

static void print_stale(const struct json_value *answer)
{
	const struct json_value *rows = json_get_list(answer, "restart");

	if (json_count(rows))
		puts("Needs a restart, as connections go on without an offload that their link has again:");
	else if (rows)
		puts("No service needs a restart.");
	json_foreach(row, rows)
	{
		const char *comma = "";
		char when[32];

		printf("  %s on %s: %lld stale connection%s since %s, without", answer_clean(json_get_text(row, "service")),
			answer_clean(json_get_text(row, "link")), (long long)json_get_int(row, "sockets"),
			util_plural((uint64_t)json_get_int(row, "sockets")),
			util_format_time((uint64_t)json_get_int(row, "since_usec"), when, sizeof(when)));
		json_foreach(missing, json_get_list(row, "missing"))
		{
			printf("%s %s", comma, answer_clean(json_as_text(missing)));
			comma = ",";
		}
		printf("; %lld hits since then\n", (long long)json_get_int(row, "hits"));
	}
}

static void print_absent(const struct json_value *answer)
{
	json_foreach(probe, json_get_list(answer, "probes"))
		if (!json_get_text(probe, "method")[0])
			printf("not seen: %s (%s): %s\n", answer_clean(json_get_text(probe, "probe")),
				answer_clean(json_get_text(probe, "function")),
				answer_clean(json_get_text(probe, "why")));
}

static void print_text(const struct json_value *answer, int code)
{
	int64_t n = json_get_int(answer, "left_out");

	print_fallback(answer);
	print_stale(answer);
	if (code == CMD_NO_DAEMON)
		puts("Who pays for fallback now, only offloadd can tell: it counts from its start.");
	else
		print_absent(answer);
	if (n)
		printf("%lld more rows are left out for want of room\n", (long long)n);
	json_foreach(lost, json_get_object(answer, "lost"))
		if (json_as_int(lost))
			printf("%s: %lld hits of services that there was no room for\n", answer_clean(json_key(lost)),
				(long long)json_as_int(lost));
}

/* ---- for other programs ---- */

/* Lines as needrestart -b prints them. */
static void print_needrestart(const struct json_value *answer)
{
	puts("NEEDRESTART-VER: offloadctl " OFFLOADD_VERSION);
	json_foreach(row, json_get_list(answer, "restart"))
	{
		const char *word = is(row, "kind", "container") ? "CONT"
			: is(row, "kind", "session") || is(row, "kind", "user") ? "SESS"
										: "SVC";

		printf("NEEDRESTART-%s: %s\n", word, answer_clean(json_get_text(row, "service")));
	}
}

static int print_nagios(const struct json_value *answer, int code)
{
	const struct json_value *rows = json_get_list(answer, "restart");
	const char *comma = "";
	size_t paying = count_now(answer);
	int64_t sockets = 0;
	enum nagios state = NAGIOS_OK;

	json_foreach(row, rows)
		sockets += json_get_int(row, "sockets");
	if (json_count(rows)) {
		state = NAGIOS_CRITICAL;
		printf("OFFLOADD CRITICAL - needs a restart:");
		json_foreach(row, rows)
		{
			printf("%s %s", comma, answer_clean(json_get_text(row, "service")));
			comma = ",";
		}
	} else if (code != CMD_OK || !rows || !json_get_list(answer, "fallback")) {
		state = NAGIOS_UNKNOWN;
		printf("OFFLOADD UNKNOWN - %s",
			code == CMD_OK ? "probes cannot be had" : "offloadd does not run");
	} else if (paying) {
		state = NAGIOS_WARNING;
		printf("OFFLOADD WARNING - services pay for software fallback: %zu", paying);
	} else {
		printf("OFFLOADD OK - no service pays for software fallback or needs a restart");
	}
	printf(" | restart=%zu;;0;0 stale=%lld;;;0 fallback=%zu;0;;0\n", json_count(rows), (long long)sockets,
		paying);
	return (int)state;
}

int cmd_services(const struct cmd_options *options, _unused_ int argc, _unused_ char **argv)
{
	_cleanup_json_ struct json_value *answer = NULL;
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
