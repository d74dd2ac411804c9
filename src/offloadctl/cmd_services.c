/* SPDX-License-Identifier: GPL-2.0-or-later */
/* services: which services use software fallback, and which must reconnect. */
#include "offloadctl/cmd_answer.h"

#include <errno.h>
#include <string.h>

#include "control/methods.h"
#include "offloadctl/cmd_service.h"
#include "report/catalog.h"
#include "report/json_services.h"

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
	for (struct stale *stale = set.all; r >= 0 && stale; stale = stale->hh.next)
		evidence_add_stale(&e, &stale->found);
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

/* The current kinds of fallback of a sender; unknown: those of which the kernel does not show the time. */
static unsigned kinds_of(const struct evidence_fallback *row, bool unknown)
{
	unsigned kinds = 0;

	for (unsigned kind = 0; kind < FALLBACK_KINDS; kind++)
		if (unknown ? row->hits[kind].n && row->hits[kind].idle_usec == EVIDENCE_IDLE_UNKNOWN : row->hits[kind].now)
			kinds |= 1U << kind;
	return kinds;
}

static void print_sender(const struct evidence *e, const struct evidence_fallback *row, unsigned kinds)
{
	char text[CATALOG_TEXT_MAX], clean[CATALOG_TEXT_MAX];
	const char *comma = "";

	printf("  %s%s%s: ", catalog_sender(row), row->link[0] ? " on " : "", row->link);
	for (unsigned kind = 0; kind < FALLBACK_KINDS; kind++)
		if (kinds >> kind & 1) {
			printf("%s%s %llu%s", comma, evidence_kind_name(kind), (unsigned long long)row->hits[kind].n,
				row->any_protocol && evidence_is_by_socket(kind) ? " (any protocol)" : "");
			comma = ", ";
		}
	printf("; %s\n", util_clean(catalog_remedy(row, &e->features, text, sizeof(text)), clean, sizeof(clean)));
}

static bool print_senders(const struct evidence *e, bool unknown, const char *heading)
{
	bool any = false;

	for (size_t i = 0; i < e->n_fallback; i++) {
		unsigned kinds = kinds_of(&e->fallback[i], unknown);

		if (kinds && !any)
			puts(heading);
		if (kinds)
			print_sender(e, &e->fallback[i], kinds);
		any |= kinds != 0;
	}
	return any;
}

static void print_fallback(const struct evidence *e)
{
	unsigned unobserved = evidence_unobserved(e);
	const char *comma = "";
	bool any = print_senders(e, false, "Services using software fallback:");

	any |= print_senders(e, true, "Services that used software fallback; this kernel does not show when:");
	if (!any && e->has_fallback)
		puts(unobserved || !evidence_is_complete(e) ? "No service was seen using software fallback."
									: "No service uses software fallback in this network namespace.");
	if (!unobserved || !e->has_fallback)
		return;
	printf("Not observed on this kernel: ");
	for (unsigned kind = 0; kind < FALLBACK_KINDS; kind++)
		if (unobserved >> kind & 1) {
			printf("%s%s", comma, evidence_kind_name(kind));
			comma = ", ";
		}
	puts(".");
}

#define NONE_KNOWN "No service is known to need a restart.\n"

/* What this kernel does not show of stale connections. */
static void print_unseen(const struct evidence *e, FILE *out)
{
	if (e->has_sockets)
		return;
	if (e->has_lingering)
		fputs("This kernel shows stale connections only while they are used; other services may need a restart, too.\n", out);
	else if (e->lacking[0])
		fprintf(out, "Whether services need a restart cannot be seen on this kernel while %s lacks scatter-gather or checksums.\n",
			e->lacking);
	else if (!e->n_probes)
		fputs("Whether services need a restart cannot be seen: offloadd has no probes.\n", out);
	else
		fputs("Whether services need a restart cannot be seen: the kernel does not show connections.\n", out);
}

static void print_stale(const struct evidence *e, int code)
{
	char when[32], missing[512];

	if (e->n_stale)
		puts("Services that still lack an offload that their interface has regained:");
	else if (e->has_sockets && code == CMD_NO_DAEMON)
		puts("No stale connection was found; services that gave up UDP segmentation are not shown.");
	else if (e->has_sockets)
		fputs(evidence_sees_restart(e) ? "No service needs a restart in this network namespace.\n" : NONE_KNOWN, stdout);
	for (size_t i = 0; i < e->n_stale; i++) {
		const struct evidence_stale *row = &e->stale[i];

		printf("  %s%s%s: ", row->service, row->link[0] ? " on " : "", row->link);
		if (row->senders)
			printf("%u process%s gave up UDP segmentation; ", row->senders, row->senders == 1 ? "" : "es");
		if (row->sockets)
			printf("%u ", row->sockets);
		if (evidence_has_connections(row))
			printf("stale connection%s since %s, without %s; used software fallback %llu time%s since then; ",
				row->sockets ? util_plural(row->sockets) : "s", util_format_time(row->since_usec, when, sizeof(when)),
				feature_format(&e->features, row->missing, missing, sizeof(missing)),
				(unsigned long long)row->hits, util_plural(row->hits));
		puts(row->senders ? "restart the service" : CATALOG_RECONNECT("the service"));
	}
	if (e->udp_undecided)
		printf("%llu process%s refused UDP segmentation, and sent too little since then to decide whether %s gave it up.\n",
			(unsigned long long)e->udp_undecided, e->udp_undecided == 1 ? " was" : "es were",
			e->udp_undecided == 1 ? "it" : "they");
	print_unseen(e, stdout);
}

/* One line, and one for each probe that another setting of this host would make available. */
static void print_absent(const struct evidence *e)
{
	size_t absent = 0;

	for (size_t i = 0; i < e->n_probes; i++)
		absent += !e->probes[i].method;
	if (absent)
		printf("%zu of %zu probes unavailable. Run: offloadctl status --all\n", absent, e->n_probes);
	for (size_t i = 0; i < e->n_probes; i++)
		if (!e->probes[i].method && e->probes[i].fixable)
			printf("probe unavailable: %s (%s): %s\n", answer_clean(e->probes[i].name),
				answer_clean(e->probes[i].function), answer_clean(e->probes[i].why));
}

static void print_text(const struct evidence *e, int code)
{
	char age[32];

	print_fallback(e);
	print_stale(e, code);
	if (code == CMD_NO_DAEMON)
		puts("Software fallback is not shown: only offloadd counts it, from its start.");
	if (code != CMD_NO_DAEMON)
		print_absent(e);
	if (e->omitted)
		printf("%zu more rows are omitted (too many)\n", e->omitted);
	if (e->sockets_dropped)
		printf("%llu stale connections are not listed (too many services)\n", (unsigned long long)e->sockets_dropped);
	for (unsigned kind = 0; kind < FALLBACK_KINDS; kind++)
		if (e->lost[kind])
			printf("%s: %llu hits could not be attributed to a service (table full)\n", evidence_kind_name(kind),
				(unsigned long long)e->lost[kind]);
	if (evidence_lost_within(e, EVIDENCE_IDLE_UNKNOWN))
		printf("The last hit that is in no row was %s ago\n", util_format_age(e->lost_idle_usec / USEC_PER_SEC, age, sizeof(age)));
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
		printf("OFFLOADD CRITICAL - services that still lack an offload:");
		for (size_t i = 0; i < e->n_stale; i++)
			printf("%s %s", i ? "," : "", e->stale[i].service);
	} else if (code != CMD_OK || !e->has_sockets || !e->has_fallback || evidence_unobserved(e)) {
		state = NAGIOS_UNKNOWN;
		printf("OFFLOADD UNKNOWN - %s",
			code == CMD_NO_DAEMON ? "offloadd is not running" : "probes are unavailable");
	} else if (now) {
		state = NAGIOS_WARNING;
		printf("OFFLOADD WARNING - services use software fallback: %zu", now);
	} else if (e->udp_undecided) {
		state = NAGIOS_UNKNOWN;
		printf("OFFLOADD UNKNOWN - processes that may have given up UDP segmentation: %llu", (unsigned long long)e->udp_undecided);
	} else if (!evidence_is_complete(e)) {
		state = NAGIOS_UNKNOWN;
		printf("OFFLOADD UNKNOWN - some software fallback or stale connections could not be attributed");
	} else {
		printf("OFFLOADD OK - no service in this network namespace uses software fallback or needs a restart");
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
	/* an empty list would look like an all-clear */
	if (code == CMD_OK && !e.n_stale && !evidence_sees_restart(&e))
		code = CMD_UNMET;
	switch (options->format) {
	case CMD_FORMAT_NEEDRESTART:
		print_needrestart(&e);
		if (code == CMD_UNMET && e.has_sockets)
			fputs(NONE_KNOWN, stderr);
		print_unseen(&e, stderr);
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
