/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status, which is also what offloadctl does without a command: is this host OK? */
#include "offloadctl/cmd_answer.h"

#include <errno.h>
#include <string.h>

#include "control/methods.h"
#include "report/health.h"
#include "report/json.h"
#include "report/json_services.h"

/* What status shows; the replies of offloadd are NULL if there are none. */
struct status {
	const struct cmd_options *options;
	struct json_value *daemon, *services;
	struct health health;
};

static void status_clear(struct status *s)
{
	json_free(s->daemon);
	json_free(s->services);
}

/* ---- reading ---- */

static bool is_unmet(const size_t counts[VERDICT_COUNT])
{
	return counts[VERDICT_CONTENDED] || counts[VERDICT_REFUSED] || counts[VERDICT_BLOCKED] || counts[VERDICT_UNSUPPORTED];
}

static void note_link(struct health *h, const char *name, const size_t counts[VERDICT_COUNT])
{
	if (is_unmet(counts) && !h->unmet[0])
		util_copy_name(h->unmet, sizeof(h->unmet), name, strlen(name));
	if (counts[VERDICT_PAUSED] && !h->paused[0])
		util_copy_name(h->paused, sizeof(h->paused), name, strlen(name));
}

/* Nothing is claimed about namespaces that no rule applies to. */
static void read_namespaces(struct health *h, const struct json_value *all)
{
	if (!json_get_bool(all, "needed") || strcmp(json_get_text(all, "mode"), "host") == 0)
		return;
	h->elsewhere_unknown = (size_t)json_get_count(all, "unknown", INT32_MAX) + !json_get_bool(all, "complete");
	h->elsewhere_drifted = (size_t)json_get_count(all, "noncompliant", INT32_MAX);
	json_foreach(o, json_get_list(all, "list"))
	{
		const char *name = json_get_text(o, "netns");
		size_t counts[VERDICT_COUNT];

		if (json_get_bool(o, "compliant"))
			continue;
		answer_read_verdicts(o, "verdicts", counts);
		if (!counts[VERDICT_DRIFTED] && !counts[VERDICT_PAUSED] && is_unmet(counts) && h->elsewhere_drifted) {
			h->elsewhere_drifted--;
			h->elsewhere_unmet++;
		}
		if (!h->netns[0])
			util_clean(name, h->netns, sizeof(h->netns));
	}
}

static void read_daemon(struct health *h, const struct json_value *answer)
{
	const struct json_value *probes = json_get_list(answer, "probes");

	h->running = true;
	read_namespaces(h, json_get_object(answer, "namespaces"));
	h->enforce = strcmp(json_get_text(answer, "mode"), "enforce") == 0;
	h->links = (size_t)json_get_count(answer, "links", INT32_MAX);
	h->rules = (size_t)json_get_count(answer, "rules", INT32_MAX);
	h->errors = json_count(json_get_list(answer, "rule_errors")) + json_count(json_get_list(answer, "settings_errors"));
	h->declared = (size_t)json_get_count(answer, "declared", INT32_MAX);
	h->unread = (size_t)json_get_count(answer, "unread", INT32_MAX);
	answer_read_verdicts(answer, "verdicts", h->with);
	answer_read_verdicts(answer, "features", h->features);
	json_foreach(o, json_get_list(answer, "noncompliant"))
	{
		size_t counts[VERDICT_COUNT];

		answer_read_verdicts(o, "verdicts", counts);
		note_link(h, json_get_text(o, "link"), counts);
	}
	h->observes = json_get_bool(answer, "observes");
	h->probes = json_count(probes);
	json_foreach(probe, probes)
		h->probes_absent += !json_get_text(probe, "method")[0];
}

/* Without a reply, services count as not observed. */
static void read_services(struct status *s)
{
	_cleanup_(evidence_clear) struct evidence e = { 0 };
	char why[JSON_WHY_LEN] = "";
	struct json_reader reader = { .why = why, .why_size = sizeof(why) };

	if (!s->health.observes ||
		cmd_call(s->options, "status", METHODS_INTERFACE ".GetServices", NULL, CLIENT_ANSWER_USEC, &s->services) != CMD_OK)
		return;
	if (json_read_services(&reader, s->services, &e) < 0)
		cmd_error("Failed to read the reply of offloadd: %s", why[0] ? why : strerror(-reader.error));
	else
		health_add_evidence(&s->health, &e);
}

static void read_plan(struct health *h, const struct cmd_session *session)
{
	h->links = link_table_count(session->view.links);
	h->rules = session->rules.n_rules;
	h->errors = session->rules.n_errors;
	for (size_t i = 0; i < session->plan.n_links; i++) {
		const struct plan_link *pl = &session->plan.links[i];
		size_t counts[VERDICT_COUNT] = { 0 };

		if (pl->n_items == 0)
			continue;
		plan_link_count(pl, counts);
		h->declared++;
		h->unread += pl->error != 0;
		verdict_count_link(counts, h->with);
		for (int v = 0; v < VERDICT_COUNT; v++)
			h->features[v] += counts[v];
		note_link(h, pl->name, counts);
	}
}

/* Without offloadd: the state of the kernel, compared with the rules. */
static int read_kernel(struct status *s)
{
	_cleanup_(cmd_close) struct cmd_session session;
	struct cmd_options alone = *s->options;
	int r;

	alone.control = "none";
	r = cmd_open_all(&alone, &session);
	if (r == CMD_OK)
		r = cmd_make_plan(&session, NULL, 0);
	if (r == CMD_OK)
		read_plan(&s->health, &session);
	return r;
}

/* ---- text ---- */

/* One line about all probes, and one for each that another setting of this host would make available; all: one for each. */
static void print_probes(const struct json_value *answer, bool all)
{
	const struct json_value *probes = json_get_list(answer, "probes");
	size_t absent = 0, n = json_count(probes);

	json_foreach(probe, probes)
		absent += !json_get_text(probe, "method")[0];
	if (!json_get_bool(answer, "observes"))
		puts("probes: turned off");
	else if (!n)
		puts("probes: none available");
	else if (absent == 0)
		printf("probes: all %zu available\n", n);
	else
		printf("probes: %zu of %zu available%s\n", n - absent, n, all ? "" : "; offloadctl status --all lists them");
	json_foreach(probe, probes)
	{
		const char *method = json_get_text(probe, "method");

		if (!all && (method[0] || !json_get_bool(probe, "fixable")))
			continue;
		printf("probe %s (%s): ", answer_clean(json_get_text(probe, "probe")),
			answer_clean(json_get_text(probe, "function")));
		if (method[0])
			puts(answer_clean(method));
		else
			printf("not available, %s\n", answer_clean(json_get_text(probe, "why")));
	}
}

static void print_namespace(const struct json_value *o)
{
	size_t counts[VERDICT_COUNT];

	printf("network namespace %s: ", answer_clean(json_get_text(o, "netns")));
	if (json_get_text(o, "error")[0])
		printf("%s, ", answer_clean(json_get_text(o, "error")));
	if (strcmp(json_get_text(o, "look"), "seen") != 0)
		printf("%s, ", answer_clean(json_get_text(o, "look")));
	printf("interfaces: %lld, with rules: %lld", (long long)json_get_int(o, "links"), (long long)json_get_int(o, "declared"));
	answer_read_verdicts(o, "verdicts", counts);
	for (int v = 0; v < VERDICT_COUNT; v++)
		if (counts[v])
			printf(", %s: %zu", verdict_name((enum verdict)v), counts[v]);
	putchar('\n');
}

/* all: also those that match their rules, or that no rule applies to. */
static void print_namespaces(const struct json_value *all, bool every)
{
	if (strcmp(json_get_text(all, "mode"), "host") == 0 || (!json_get_int(all, "total") && !json_get_text(all, "error")[0]))
		return;
	printf("other network namespaces: %lld, %s", (long long)json_get_int(all, "total"),
		strcmp(json_get_text(all, "mode"), "enforce") == 0 ? "rules are enforced" : "observed only");
	if (json_get_text(all, "error")[0])
		printf("; they cannot be looked at: %s", answer_clean(json_get_text(all, "error")));
	else if (!json_get_bool(all, "complete"))
		printf("; there are more, which are not looked at");
	putchar('\n');
	json_foreach(o, json_get_list(all, "list"))
		if (every || !json_get_bool(o, "compliant"))
			print_namespace(o);
}

static void print_daemon(const struct status *s)
{
	const struct json_value *answer = s->daemon;

	printf("\noffloadd %s, %s mode, pid %lld, ethtool backend %s\n", answer_clean(json_get_text(answer, "version")),
		answer_clean(json_get_text(answer, "mode")), (long long)json_get_int(answer, "pid"),
		answer_clean(json_get_text(answer, "ethtool")));
	printf("rules: %lld, interfaces: %lld; since start: reconciles %lld, changes %lld, overruns %lld\n",
		(long long)json_get_int(answer, "rules"), (long long)json_get_int(answer, "links"),
		(long long)json_get_int(answer, "reconciles"), (long long)json_get_int(answer, "changes"),
		(long long)json_get_int(answer, "overruns"));
	if (json_get_int(answer, "rules") == 0)
		puts("No rules are loaded; offload features are not being enforced");
	answer_print_links(answer, "noncompliant", "not compliant");
	answer_print_links(answer, "contended", "contended");
	answer_print_links(answer, "paused", "paused");
	print_namespaces(json_get_object(answer, "namespaces"), s->options->all);
	print_probes(answer, s->options->all);
	if (json_count(json_get_list(answer, "settings_errors")))
		puts("Settings rejected; keeping the previous settings (after a start: the defaults, in audit mode):");
	answer_print_errors(answer, "settings_errors");
	if (json_count(json_get_list(answer, "rule_errors")))
		puts("Rule files with errors. They are ignored; after a failed reload, the previous rules are kept:");
	answer_print_errors(answer, "rule_errors");
}

/* What is true of a host that no rule applies to. */
static void print_links(const struct status *s)
{
	_cleanup_(cmd_close) struct cmd_session session;

	if (cmd_open(s->options, &session) == CMD_OK && cmd_refresh(&session) == CMD_OK)
		health_render_links(&session.render, session.view.features, session.view.links);
}

static int print_text(const struct status *s, int code)
{
	health_render(&s->options->render, &s->health);
	if (health_state(&s->health) == HEALTH_UNDECLARED)
		print_links(s);
	if (s->daemon)
		print_daemon(s);
	return code;
}

/* ---- for programs ---- */

static int print_nagios(const struct status *s)
{
	static const char *const words[] = { [NAGIOS_OK] = "OK", [NAGIOS_WARNING] = "WARNING", [NAGIOS_CRITICAL] = "CRITICAL",
		[NAGIOS_UNKNOWN] = "UNKNOWN" };
	const struct health *h = &s->health;
	int code = health_exit_code(h);
	enum nagios state = NAGIOS_OK;
	char text[1024];

	if (health_state(h) == HEALTH_NOT_OK)
		state = code == CMD_UNMET ? NAGIOS_WARNING : NAGIOS_CRITICAL;
	else if (code != CMD_OK)
		state = NAGIOS_UNKNOWN;
	health_format(h, text, sizeof(text));
	printf("OFFLOADD %s - %s | drifted=%zu unmet=%zu restart=%zu fallback=%zu\n", words[state], strchr(text, ':') + 2,
		h->features[VERDICT_DRIFTED],
		h->features[VERDICT_CONTENDED] + h->features[VERDICT_REFUSED] + h->features[VERDICT_BLOCKED] +
			h->features[VERDICT_UNSUPPORTED], h->restart, h->fallback);
	return (int)state;
}

static void add_observed(struct json_writer *w, const char *key, size_t n, bool observed)
{
	if (observed)
		json_add_int(w, key, (int64_t)n);
	else
		json_add_null(w, key);
}

static int print_json(const struct status *s, int code)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };
	char text[1024];

	answer_begin(&w, "status", code);
	json_add_text(&w, "state", health_state_name(health_state(&s->health)));
	json_add_text(&w, "summary", health_format(&s->health, text, sizeof(text)));
	if (s->daemon)
		json_add_value(&w, "daemon", s->daemon);
	else
		json_add_null(&w, "daemon");
	json_add_verdicts(&w, "verdicts", s->health.with);
	json_add_verdicts(&w, "features", s->health.features);
	add_observed(&w, "restart", s->health.restart, s->health.sees_restart);
	add_observed(&w, "fallback", s->health.fallback, s->health.sees_fallback);
	return answer_print_document(&w, code);
}

int cmd_status(const struct cmd_options *options, _unused_ int argc, _unused_ char **argv)
{
	_cleanup_(status_clear) struct status s = { .options = options };
	int r;

	if (options->format == CMD_FORMAT_NEEDRESTART)
		return cmd_error("status does not support --format needrestart; use services");
	r = cmd_try_call(options, "status", METHODS_INTERFACE ".GetStatus", NULL, CLIENT_ANSWER_USEC, &s.daemon);
	if (r == CMD_OK) {
		read_daemon(&s.health, s.daemon);
		read_services(&s);
	} else if (r == CMD_NO_DAEMON || r == CMD_NO_REPLY) {
		s.health.hung = r == CMD_NO_REPLY;
		r = read_kernel(&s);
	}
	if (r != CMD_OK)
		return options->format == CMD_FORMAT_NAGIOS ? (int)NAGIOS_UNKNOWN : r;
	if (options->format == CMD_FORMAT_NAGIOS)
		return print_nagios(&s);
	r = health_exit_code(&s.health);
	return options->json ? print_json(&s, r) : print_text(&s, r);
}
