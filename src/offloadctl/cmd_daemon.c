/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status, reload, pause, resume, events, wait-online: what the running offloadd knows and does. */
#include "offloadctl/cmd_answer.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "report/json.h"
#include "basic/json_value.h"
#include "control/methods.h"
#include "report/metrics.h"
#include "kernel/netns.h"

#define WAIT_DEFAULT_USEC (30 * USEC_PER_SEC)

static struct json_object *new_parameters(const char *link)
{
	struct json_object *parameters = json_object_new_object();

	if (link)
		json_object_object_add(parameters, "link", json_object_new_string(link));
	return parameters;
}

/* ---- status ---- */

static size_t print_file_errors(struct json_object *answer, const char *key)
{
	struct json_object *errors = answer_list(answer, key);

	for (size_t i = 0; i < answer_count(errors); i++) {
		struct json_object *e = json_object_array_get_idx(errors, i);

		if (answer_int(e, "line"))
			printf("%s:%lld: %s\n", answer_clean(answer_text(e, "path")),
				(long long)answer_int(e, "line"), answer_clean(answer_text(e, "message")));
		else
			printf("%s: %s\n", answer_clean(answer_text(e, "path")), answer_clean(answer_text(e, "message")));
	}
	return answer_count(errors);
}

static void print_verdicts(struct json_object *verdicts)
{
	const char *comma = "";

	printf("links that rules name: ");
	for (int v = 0; v < VERDICT_COUNT; v++) {
		int64_t n = answer_int(verdicts, verdict_name((enum verdict)v));

		if (n) {
			printf("%s%lld %s", comma, (long long)n, verdict_name((enum verdict)v));
			comma = ", ";
		}
	}
	puts(*comma ? "" : "none");
}

static void print_links(struct json_object *answer, const char *key, const char *title)
{
	struct json_object *list = answer_list(answer, key), *seconds;
	char time[32];

	for (size_t i = 0; i < answer_count(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		struct json_object *features = answer_list(o, "features");

		printf("%s: %s", title, answer_clean(answer_text(o, "link")));
		for (size_t j = 0; j < answer_count(features); j++)
			printf("%s%s", j ? ", " : ": ",
				answer_clean(json_object_get_string(json_object_array_get_idx(features, j))));
		if (json_object_object_get_ex(o, "seconds", &seconds)) {
			if (seconds)
				printf(", %s left",
					util_format_duration(
						(uint64_t)json_object_get_int64(seconds) * USEC_PER_SEC,
						time, sizeof(time)));
			else
				printf(", until it is resumed");
		}
		if (answer_text(o, "verdict")[0])
			printf(": %s", answer_clean(answer_text(o, "verdict")));
		putchar('\n');
	}
}

static void print_probes(struct json_object *answer)
{
	struct json_object *probes = answer_list(answer, "probes");

	for (size_t i = 0; i < answer_count(probes); i++) {
		struct json_object *probe = json_object_array_get_idx(probes, i);

		printf("probe %s (%s): ", answer_clean(answer_text(probe, "probe")),
			answer_clean(answer_text(probe, "function")));
		if (answer_text(probe, "method")[0])
			puts(answer_clean(answer_text(probe, "method")));
		else
			printf("absent, %s\n", answer_clean(answer_text(probe, "why")));
	}
	if (answer_count(probes) == 0)
		puts("probes: none are wanted");
}

static void print_status(struct json_object *answer)
{
	struct json_object *verdicts;

	printf("offloadd %s %s, pid %lld, ethtool by %s\n", answer_clean(answer_text(answer, "version")),
		strcmp(answer_text(answer, "mode"), "enforce") == 0 ? "enforces" : "audits",
		(long long)answer_int(answer, "pid"), answer_clean(answer_text(answer, "ethtool")));
	printf("rules: %lld, links: %lld; since its start: reconciles %lld, changes %lld, overruns %lld\n",
		(long long)answer_int(answer, "rules"), (long long)answer_int(answer, "links"),
		(long long)answer_int(answer, "reconciles"), (long long)answer_int(answer, "changes"),
		(long long)answer_int(answer, "overruns"));
	if (answer_int(answer, "rules") == 0)
		puts("no rule is in force: nothing is watched");
	if (json_object_object_get_ex(answer, "verdicts", &verdicts))
		print_verdicts(verdicts);
	print_links(answer, "not_as_declared", "not as declared");
	print_links(answer, "contended", "fought over");
	print_links(answer, "paused", "left alone");
	print_probes(answer);
}

/* Nobody answers: what the kernel alone can tell. */
static int status_of_kernel(const struct cmd_options *options, bool hung)
{
	_cleanup_(cmd_close) struct cmd_session s;
	struct json_object *verdicts, *root;
	size_t counts[VERDICT_COUNT] = { 0 };

	if (!hung)
		cmd_not_running(options);
	if (cmd_open_all(options, &s) != CMD_OK)
		return CMD_NO_DAEMON;
	s.asked = true;
	if (cmd_make_plan(&s, NULL, 0) != CMD_OK)
		return CMD_NO_DAEMON;
	verdicts = json_object_new_object();
	for (size_t i = 0; i < s.plan.n_links; i++)
		if (s.plan.links[i].n_items)
			counts[plan_link_verdict(&s.plan.links[i])]++;
	for (int v = 0; v < VERDICT_COUNT; v++)
		json_object_object_add(verdicts, verdict_name((enum verdict)v),
			json_object_new_int64((int64_t)counts[v]));
	if (!options->json) {
		printf("as the kernel tells: rules: %zu, links: %zu\n", s.rules.n_rules,
			link_table_count(&s.observe->links));
		print_verdicts(verdicts);
		json_object_put(verdicts);
		return CMD_NO_DAEMON;
	}
	root = answer_new_document("status", CMD_NO_DAEMON);
	json_object_object_add(root, "daemon", NULL);
	json_object_object_add(root, "verdicts", verdicts);
	return answer_print_document(root, CMD_NO_DAEMON);
}

int cmd_status(const struct cmd_options *options, _unused_ int argc, _unused_ char **argv)
{
	_cleanup_json_ struct json_object *answer = NULL;
	struct json_object *root, *verdicts = NULL;
	int code = cmd_ask_or_tell(
		options, "status", METHODS_INTERFACE ".GetStatus", NULL, CLIENT_ANSWER_USEC, &answer);

	if (code == CMD_NO_DAEMON || code == CMD_NO_ANSWER)
		return status_of_kernel(options, code == CMD_NO_ANSWER);
	if (code != CMD_OK)
		return code;
	if (answer_count(answer_list(answer, "rule_errors")) || answer_count(answer_list(answer, "settings_errors")))
		code = CMD_ERROR;
	if (options->json) {
		root = answer_new_document("status", code);
		(void)json_object_object_get_ex(answer, "verdicts", &verdicts);
		json_object_object_add(root, "daemon", json_object_get(answer));
		json_object_object_add(root, "verdicts", json_object_get(verdicts));
		return answer_print_document(root, code);
	}
	print_status(answer);
	if (answer_count(answer_list(answer, "settings_errors")))
		puts("settings not taken, those before them stay (after a start: audit and defaults):");
	print_file_errors(answer, "settings_errors");
	if (answer_count(answer_list(answer, "rule_errors")))
		puts("rule files with errors, left out or kept as they were before:");
	print_file_errors(answer, "rule_errors");
	return code;
}

/* ---- metrics ---- */

static int metrics_of_kernel(const struct cmd_options *options)
{
	_cleanup_(cmd_close) struct cmd_session s = { 0 };
	_cleanup_free_ char *text = NULL;
	char netns[NETNS_NAME_LEN];
	struct metrics m = {
		.rules = &s.rules, .host = &s.host, .states = &s.states,
		.netns = netns_is_own(netns, sizeof(netns)) ? netns : NULL,
	};
	size_t len;
	int r;

	cmd_not_running(options);
	if (cmd_open_all(options, &s) != CMD_OK)
		return CMD_NO_DAEMON;
	s.asked = true;
	if (cmd_make_plan(&s, NULL, 0) != CMD_OK)
		return CMD_NO_DAEMON;
	m.features = s.view.features;
	m.links = s.view.links;
	m.rule_errors = s.rules.n_errors;
	r = plan_keep(&s.plan, &s.states);
	if (r >= 0)
		r = metrics_format(&m, &text, &len);
	if (r < 0)
		return cmd_written(r, CMD_NO_DAEMON);
	fwrite(text, 1, len, stdout);
	return CMD_NO_DAEMON;
}

int cmd_metrics(const struct cmd_options *options, _unused_ int argc, _unused_ char **argv)
{
	_cleanup_json_ struct json_object *answer = NULL;
	int code = cmd_ask(options, "metrics", METHODS_INTERFACE ".GetMetrics", NULL, CLIENT_ANSWER_USEC, &answer);

	if (code == CMD_NO_DAEMON)
		return metrics_of_kernel(options);
	if (code != CMD_OK)
		return code;
	for (const char *c = answer_text(answer, "text"); *c; c++)
		putchar(*c == '\n' || (*c >= 0x20 && *c < 0x7f) ? *c : '?');
	return CMD_OK;
}

/* ---- reload, pause, resume ---- */

static const char *reloaded_words(struct json_object *answer)
{
	bool settings = answer_bool(answer, "settings_taken"), rules = answer_bool(answer, "rules_taken");

	if (settings && rules)
		return "reloaded";
	if (rules)
		return "rules taken, settings not: those before them stay";
	return settings ? "settings taken, rules not: those before them stay"
			: "nothing taken: settings and rules before them stay";
}

int cmd_reload(const struct cmd_options *options, _unused_ int argc, _unused_ char **argv)
{
	_cleanup_json_ struct json_object *answer = NULL;
	int code = cmd_ask(options, "reload", METHODS_INTERFACE ".Reload", NULL, CLIENT_ANSWER_USEC, &answer);

	if (code == CMD_NO_DAEMON)
		return cmd_not_running(options);
	if (code != CMD_OK)
		return code;
	if (!answer_bool(answer, "taken") || answer_count(answer_list(answer, "rule_errors")) ||
		answer_count(answer_list(answer, "settings_errors")))
		code = CMD_ERROR;
	if (options->json)
		return answer_print("reload", answer, code);
	print_file_errors(answer, "settings_errors");
	print_file_errors(answer, "rule_errors");
	printf("%s, rules in force: %lld\n", reloaded_words(answer), (long long)answer_int(answer, "rules"));
	return code;
}

int cmd_pause(const struct cmd_options *options, _unused_ int argc, char **argv)
{
	_cleanup_json_ struct json_object *answer = NULL;
	struct json_object *parameters = new_parameters(argv[0]), *root;
	int64_t seconds = (int64_t)((options->time_usec + USEC_PER_SEC - 1) / USEC_PER_SEC);
	char time[32];
	int code;

	if (options->has_time && seconds == 0) {
		json_object_put(parameters);
		return cmd_error("--for takes a time above 0");
	}
	if (options->has_time)
		json_object_object_add(parameters, "seconds", json_object_new_int64(seconds));
	code = cmd_ask(options, "pause", METHODS_INTERFACE ".Pause", parameters, CLIENT_ANSWER_USEC, &answer);
	if (code == CMD_NO_DAEMON)
		return cmd_not_running(options);
	if (code != CMD_OK)
		return code;
	if (options->json) {
		root = answer_new_document("pause", code);
		json_object_object_add(root, "link", json_object_new_string(answer_clean(argv[0])));
		json_object_object_add(
			root, "seconds", options->has_time ? json_object_new_int64(seconds) : NULL);
		return answer_print_document(root, code);
	}
	if (options->has_time)
		printf("%s is left alone for %s\n", answer_clean(argv[0]),
			util_format_duration(options->time_usec, time, sizeof(time)));
	else
		printf("%s is left alone until it is resumed\n", answer_clean(argv[0]));
	return code;
}

int cmd_resume(const struct cmd_options *options, _unused_ int argc, char **argv)
{
	_cleanup_json_ struct json_object *answer = NULL;
	struct json_object *root;
	int code = cmd_ask(options, "resume", METHODS_INTERFACE ".Resume", new_parameters(argv[0]),
		CLIENT_ANSWER_USEC, &answer);

	if (code == CMD_NO_DAEMON)
		return cmd_not_running(options);
	if (code != CMD_OK)
		return code;
	if (options->json) {
		root = answer_new_document("resume", code);
		json_object_object_add(root, "link", json_object_new_string(answer_clean(argv[0])));
		json_object_object_add(
			root, "was_paused", json_object_new_boolean(answer_bool(answer, "was_paused")));
		return answer_print_document(root, code);
	}
	printf("%s %s\n", answer_clean(argv[0]),
		answer_bool(answer, "was_paused") ? "is held as declared again" : "was not paused");
	return code;
}

/* ---- revert ---- */

static void read_result(
	struct json_object *o, const struct feature_table *table, struct apply_result *ret)
{
	const char *name = answer_text(o, "link");
	struct json_object *error;

	*ret = (struct apply_result){ .ifindex = (int)answer_int(o, "ifindex") };
	util_copy_name(ret->name, sizeof(ret->name), name, strlen(name));
	ret->value = answer_features(o, "on", table);
	ret->asked = ret->value | answer_features(o, "off", table);
	ret->after.active = answer_features(o, "changed_on", table);
	ret->before.active = answer_features(o, "changed_off", table);
	ret->changed = ret->after.active | ret->before.active;
	ret->missed = answer_features(o, "missed", table);
	if (!json_object_object_get_ex(o, "error", &error) || !error)
		return;
	ret->error = -(int)answer_int(error, "errno");
	snprintf(ret->text, sizeof(ret->text), "%s", answer_text(error, "kernel"));
}

int cmd_revert_by_daemon(const struct cmd_options *options, const char *link,
	const struct feature_table *table, struct apply_report *ret)
{
	_cleanup_json_ struct json_object *answer = NULL;
	struct json_object *results, *paused;
	int code = cmd_ask(options, "revert", METHODS_INTERFACE ".Revert", new_parameters(link),
		CLIENT_ANSWER_USEC, &answer);

	if (code != CMD_OK)
		return code;
	results = answer_list(answer, "results");
	ret->results = calloc(answer_count(results) + 1, sizeof(*ret->results));
	if (!ret->results)
		return cmd_error("revert: %s", strerror(ENOMEM));
	for (; ret->n_results < answer_count(results); ret->n_results++)
		read_result(json_object_array_get_idx(results, ret->n_results), table,
			&ret->results[ret->n_results]);
	paused = answer_list(answer, "paused");
	for (size_t i = 0; i < answer_count(paused); i++) {
		const char *name = answer_clean(json_object_get_string(json_object_array_get_idx(paused, i)));

		fprintf(stderr, "offloadctl: offloadd leaves %s alone from now on, until offloadctl resume %s\n",
			name, name);
	}
	return CMD_OK;
}

/* ---- events ---- */

static void print_event(struct json_object *event)
{
	int64_t usec = answer_int(event, "time_usec");
	time_t sec = (time_t)(usec / (int64_t)USEC_PER_SEC);
	char when[64] = "", zone[16] = "";
	struct tm tm;

	if (localtime_r(&sec, &tm)) {
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
		strftime(zone, sizeof(zone), "%z", &tm);
	}
	printf("%s.%03d%s %s: %s\n", when, (int)(usec / 1000 % 1000), zone, answer_clean(answer_text(event, "event")),
		answer_clean(answer_text(event, "message")));
}

/* Takes one piece of the answer: prints it, or adds it to the document that is printed at the end. */
static void take_events(
	const struct cmd_options *options, struct json_object *answer, struct json_object *all)
{
	struct json_object *events = answer_list(answer, "events");

	if (answer_int(answer, "lost"))
		cmd_error("%lld events came faster than they were read and are lost",
			(long long)answer_int(answer, "lost"));
	for (size_t i = 0; i < answer_count(events); i++) {
		struct json_object *event = json_object_array_get_idx(events, i);

		if (all)
			json_object_array_add(all, json_object_get(event));
		else if (options->json)
			puts(json_object_to_json_string_ext(
				event, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
		else
			print_event(event);
	}
	fflush(stdout);
}

int cmd_events(const struct cmd_options *options, _unused_ int argc, _unused_ char **argv)
{
	_cleanup_json_ struct json_object *all =
		options->json && !options->follow ? json_object_new_array() : NULL;
	struct json_object *parameters, *root;
	_cleanup_client_ struct client *client = NULL;
	char error[VARLINK_NAME_MAX];
	int r = cmd_open_client(options, "events", &client);

	if (r != CMD_OK)
		return r == CMD_NO_DAEMON ? cmd_not_running(options) : r;
	parameters = json_object_new_object();
	json_object_object_add(parameters, "follow", json_object_new_boolean(options->follow));
	r = client_call(client, METHODS_INTERFACE ".GetEvents", parameters, true);
	if (r >= 0)
		r = 1;
	while (r > 0) {
		_cleanup_json_ struct json_object *answer = NULL;

		r = client_receive(client, options->follow ? 0 : CLIENT_ANSWER_USEC, &answer, error);
		if (r >= 0 && error[0])
			return cmd_answered_error("events", error, answer);
		if (r >= 0)
			take_events(options, answer, all);
		if (ferror(stdout))
			return CMD_ERROR;
	}
	if (r < 0)
		return cmd_call_failed("events", r);
	if (!all)
		return CMD_OK;
	root = answer_new_document("events", CMD_OK);
	json_object_object_add(root, "events", json_object_get(all));
	return answer_print_document(root, CMD_OK);
}

/* ---- wait-online ---- */

int cmd_wait_online(const struct cmd_options *options, int argc, char **argv)
{
	uint64_t limit_usec = options->has_time ? options->time_usec : WAIT_DEFAULT_USEC;
	_cleanup_json_ struct json_object *answer = NULL;
	struct json_object *parameters = json_object_new_object(), *links = json_object_new_array();
	int code;

	for (int i = 0; i < argc; i++)
		json_object_array_add(links, json_object_new_string(argv[i]));
	if (argc > 0)
		json_object_object_add(parameters, "links", links);
	else
		json_object_put(links);
	json_object_object_add(parameters, "seconds",
		json_object_new_int64((int64_t)((limit_usec + USEC_PER_SEC - 1) / USEC_PER_SEC)));
	code = cmd_ask(options, "wait-online", METHODS_INTERFACE ".WaitOnline", parameters,
		limit_usec + CLIENT_ANSWER_USEC, &answer);
	if (code == CMD_NO_DAEMON)
		return cmd_not_running(options);
	if (code != CMD_OK)
		return code;
	if (!answer_bool(answer, "online"))
		code = answer_bool(answer, "timed_out") ? CMD_PENDING : CMD_UNMET;
	if (options->json)
		return answer_print("wait-online", answer, code);
	print_links(answer, "missing",
		answer_bool(answer, "timed_out") ? "not as declared when the time was up" : "not as declared");
	return code;
}
