/* SPDX-License-Identifier: GPL-2.0-or-later */
/* services: which services use software fallback, and which must reconnect. */
#include "offloadctl/cmd_answer.h"

#include <errno.h>
#include <string.h>

#include "control/methods.h"
#include "offloadctl/cmd_service.h"
#include "report/catalog.h"
#include "report/json_services.h"

/* Exit codes of monitoring plugins. */
enum nagios { NAGIOS_OK, NAGIOS_WARNING, NAGIOS_CRITICAL, NAGIOS_UNKNOWN };

/* ---- without offloadd ---- */

/* Negative errno. */
static int read_kernel(struct cmd_session *session, struct json_writer *w)
{
	const struct probe_options how = { .features = session->view.features, .no_fallback = true, .no_changes = true };
	_cleanup_(evidence_clear) struct evidence e = { .features = *session->view.features };
	_cleanup_(probe_close_pointer) struct probe *probe = NULL;
	struct stale_set set = { 0 };
	struct cmd_scope scope;
	int r = probe_open(&how, &probe);

	if (r < 0)
		return r;
	collect_probes(&e, probe);
	cmd_scope_open(&scope, session, NULL);
	r = collect_stale(&scope.collect, probe, &set);
	for (struct stale *stale = set.all; r >= 0 && stale; stale = stale->hh.next) {
		collect_name_stale(&scope.collect, stale);
		evidence_add_stale(&e, &stale->found);
	}
	e.sockets_dropped = set.dropped;
	stale_clear(&set);
	cmd_scope_close(&scope);
	json_open_object(w, NULL);
	json_add_services(w, &e);
	json_close_object(w);
	return r < 0 && r != -EOPNOTSUPP ? r : w->error;
}

/* The kernel shows which connections are stale; only offloadd counts software fallback. */
static int services_of_kernel(const struct cmd_options *options, struct json_value **ret)
{
	_cleanup_json_writer_ struct json_writer w = { .form = JSON_COMPACT };
	_cleanup_(cmd_close) struct cmd_session s;
	char why[JSON_WHY_LEN];
	int r;

	if (cmd_open(options, &s) != CMD_OK)
		return CMD_ERROR;
	r = observe_refresh(s.observe);
	if (r < 0)
		return cmd_error("Failed to read interfaces: %s", strerror(-r));
	r = read_kernel(&s, &w);
	if (r >= 0)
		r = json_parse(w.text, w.len, JSON_OF_DAEMON, ret, why, sizeof(why));
	return r < 0 ? cmd_error("Failed to read sockets: %s", strerror(-r)) : CMD_NO_DAEMON;
}

/* ---- text ---- */

static void print_end(const struct evidence *e, const struct evidence_fallback *row)
{
	char why[CATALOG_TEXT_MAX];

	switch (evidence_find_end(e, row)) {
	case EVIDENCE_END_UNKNOWN:
		puts("the outgoing interface is not known");
		break;
	case EVIDENCE_END_REASON:
		puts(catalog_why(row, why, sizeof(why)));
		break;
	case EVIDENCE_END_NO_RULE:
		printf("no rule declares the missing features of %s; a restart does not help\n", row->link);
		break;
	case EVIDENCE_END_REPAIR:
		printf("ends when %s is repaired; no restart needed\n", row->link);
		break;
	case EVIDENCE_END_RECONNECT:
		printf("%s is %s; after the repair, connections may have to reconnect\n", row->link,
			answer_clean(row->verdict));
		break;
	}
}

/* One line with all kinds of fallback that a sender uses now; false if there are none. */
static bool print_sender(const struct evidence *e, const struct evidence_fallback *row, bool any)
{
	const char *comma = NULL;

	for (unsigned kind = 0; kind < FALLBACK_KINDS; kind++) {
		if (!evidence_is_now(e, row, kind))
			continue;
		if (!any)
			puts("Services using software fallback:");
		any = true;
		if (!comma)
			printf("  %s%s%s: ",
				row->service[0]			  ? row->service
				: row->origin == FALLBACK_FORWARDED ? "forwarded traffic"
								  : "the kernel itself",
				row->link[0] ? " on " : "", row->link);
		printf("%s%s %llu%s", comma ? comma : "", evidence_kind_name(kind), (unsigned long long)row->hits[kind].n,
			row->any_protocol && evidence_is_by_socket(kind) ? " (any protocol)" : "");
		comma = ", ";
	}
	if (!comma)
		return false;
	printf("; ");
	print_end(e, row);
	return true;
}

static void print_fallback(const struct evidence *e)
{
	bool any = false;

	for (size_t i = 0; i < e->n_fallback; i++)
		any |= print_sender(e, &e->fallback[i], any);
	if (!any && e->has_fallback)
		puts("No service uses software fallback.");
}

static void print_stale(const struct evidence *e)
{
	char when[32], missing[512];

	if (e->n_stale)
		puts("Services to restart, because some connections still lack an offload that their interface has regained:");
	else if (e->has_sockets)
		puts("No service needs a restart.");
	for (size_t i = 0; i < e->n_stale; i++) {
		const struct evidence_stale *row = &e->stale[i];

		printf("  %s on %s: %u stale connection%s since %s, without %s; %llu hits since then\n", row->service, row->link,
			row->sockets, util_plural(row->sockets), util_format_time(row->since_usec, when, sizeof(when)),
			feature_format(&e->features, row->missing, missing, sizeof(missing)),
			(unsigned long long)row->hits);
	}
}

static void print_text(const struct evidence *e, int code)
{
	print_fallback(e);
	print_stale(e);
	if (code == CMD_NO_DAEMON)
		puts("Software fallback is not shown: only offloadd counts it, from its start.");
	for (size_t i = 0; code != CMD_NO_DAEMON && i < e->n_probes; i++)
		if (!e->probes[i].method)
			printf("probe unavailable: %s (%s): %s\n", answer_clean(e->probes[i].name),
				answer_clean(e->probes[i].function), answer_clean(e->probes[i].why));
	if (e->left_out)
		printf("%zu more rows are omitted (too many)\n", e->left_out);
	for (unsigned kind = 0; kind < FALLBACK_KINDS; kind++)
		if (e->lost[kind])
			printf("%s: %llu hits could not be attributed to a service (table full)\n", evidence_kind_name(kind),
				(unsigned long long)e->lost[kind]);
	for (unsigned kind = 0; kind < FALLBACK_KINDS; kind++)
		if (e->elsewhere[kind])
			printf("%s: %llu hits in other network namespaces are not included\n", evidence_kind_name(kind),
				(unsigned long long)e->elsewhere[kind]);
}

/* ---- for other programs ---- */

/* The format of needrestart -b. */
static void print_needrestart(const struct evidence *e)
{
	puts("NEEDRESTART-VER: offloadctl " OFFLOADD_VERSION);
	for (size_t i = 0; i < e->n_stale; i++) {
		enum unit_kind kind = e->stale[i].unit.kind;

		printf("NEEDRESTART-%s: %s\n",
			kind == UNIT_CONTAINER			      ? "CONT"
			: kind == UNIT_SESSION || kind == UNIT_USER ? "SESS"
								      : "SVC",
			e->stale[i].service);
	}
}

static int print_nagios(const struct evidence *e, int code)
{
	size_t now = evidence_count_now(e);
	enum nagios state = NAGIOS_OK;

	if (e->n_stale) {
		state = NAGIOS_CRITICAL;
		printf("OFFLOADD CRITICAL - needs a restart:");
		for (size_t i = 0; i < e->n_stale; i++)
			printf("%s %s", i ? "," : "", e->stale[i].service);
	} else if (code != CMD_OK || !e->has_sockets || !e->has_fallback) {
		state = NAGIOS_UNKNOWN;
		printf("OFFLOADD UNKNOWN - %s",
			code == CMD_OK ? "probes are unavailable" : "offloadd is not running");
	} else if (now) {
		state = NAGIOS_WARNING;
		printf("OFFLOADD WARNING - services use software fallback: %zu", now);
	} else {
		printf("OFFLOADD OK - no service uses software fallback or needs a restart");
	}
	printf(" | restart=%zu;;0;0 stale=%llu;;;0 fallback=%zu;0;;0\n", e->n_stale,
		(unsigned long long)evidence_count_stale(e), now);
	return (int)state;
}

int cmd_services(const struct cmd_options *options, _unused_ int argc, _unused_ char **argv)
{
	_cleanup_json_ struct json_value *answer = NULL;
	_cleanup_(evidence_clear) struct evidence e = { 0 };
	char why[JSON_WHY_LEN] = "";
	struct json_reader reader = { .why = why, .why_size = sizeof(why) };
	int code = cmd_call(options, "services", METHODS_INTERFACE ".GetServices", NULL, CLIENT_ANSWER_USEC,
		&answer);

	if (code == CMD_NO_DAEMON) {
		cmd_not_running(options);
		code = services_of_kernel(options, &answer);
	}
	if (code != CMD_ERROR && json_read_services(&reader, answer, &e) < 0)
		code = cmd_error("Failed to read the reply of offloadd: %s", why[0] ? why : strerror(-reader.error));
	if (code == CMD_ERROR)
		return options->format == CMD_FORMAT_NAGIOS ? (int)NAGIOS_UNKNOWN : code;
	switch (options->format) {
	case CMD_FORMAT_NEEDRESTART:
		print_needrestart(&e);
		return code;
	case CMD_FORMAT_NAGIOS:
		return print_nagios(&e, code);
	case CMD_FORMAT_TEXT:
		break;
	}
	if (options->json)
		return answer_print("services", answer, code);
	print_text(&e, code);
	return code;
}
