/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status, reload, pause, resume, events, wait-online: what the running offloadd knows and does. */
#include "cmd.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>

#include "client.h"
#include "json.h"
#include "methods.h"
#include "metrics.h"
#include "netns.h"

#define WAIT_DEFAULT_USEC (30 * USEC_PER_SEC)

static void put_json(struct json_object **object)
{
	json_object_put(*object);
}
#define _cleanup_json_ _cleanup_(put_json)
#define _cleanup_client_ _cleanup_(client_close_pointer)

/* ---- what came ---- */

static const char *get_text(struct json_object *from, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(from, key, &value) && value ? json_object_get_string(value) : "";
}

static int64_t get_int(struct json_object *from, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(from, key, &value) ? json_object_get_int64(value) : 0;
}

static bool get_bool(struct json_object *from, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(from, key, &value) && json_object_get_boolean(value);
}

/* A list, NULL (of length 0) when there is none. */
static struct json_object *get_list(struct json_object *from, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(from, key, &value) && json_object_is_type(value, json_type_array)
		? value
		: NULL;
}

static size_t count(struct json_object *list)
{
	return list ? json_object_array_length(list) : 0;
}

/* Clean text in one of a few buffers that take turns. */
static const char *clean(const char *text)
{
	static char buffers[4][1200];
	static unsigned turn;
	char *buf = buffers[turn++ % ARRAY_SIZE(buffers)];

	return view_clean(text, buf, sizeof(buffers[0]));
}

/* ---- calls ---- */

static int not_running(const struct cmd_options *options)
{
	_cleanup_free_ char *path = NULL;

	if (!options->control)
		(void)netns_path(CONTROL_DEFAULT_PATH, &path);
	cmd_error("offloadd does not run here: nobody answers at %s",
		options->control ? options->control
		: path		 ? path
				 : CONTROL_DEFAULT_PATH);
	return CMD_NO_DAEMON;
}

static int failed(const char *command, int error)
{
	switch (error) {
	case -ETIMEDOUT:
		return cmd_error("%s: offloadd does not answer", command);
	case -ECONNRESET:
	case -EPIPE:
		return cmd_error("%s: offloadd closed the connection", command);
	default:
		return cmd_error("%s: %s", command, strerror(-error));
	}
}

static int answered_error(const char *command, const char *error, struct json_object *parameters)
{
	const char *nearest = get_text(parameters, "nearest");

	if (strcmp(error, "org.varlink.service.PermissionDenied") == 0)
		return cmd_error("%s needs root", command);
	if (strcmp(error, METHODS_INTERFACE ".NoSuchLink") == 0)
		return cmd_error(nearest[0] ? "there is no link %s (did you mean %s?)" : "there is no link %s",
			get_text(parameters, "link"), nearest);
	if (strcmp(error, METHODS_INTERFACE ".NotPossible") == 0)
		return cmd_error("%s: %s", command, get_text(parameters, "message"));
	return cmd_error("%s: offloadd answers %s", command, error);
}

/* Opens the socket; CMD_OK, CMD_NO_DAEMON (nothing was said), CMD_ERROR. */
static int open_client(const struct cmd_options *options, const char *command, struct client **ret)
{
	int r = client_open(options->control, ret);

	if (r < 0)
		return failed(command, r);
	return r > 0 ? CMD_OK : CMD_NO_DAEMON;
}

/* One call with one answer. CMD_OK with *ret_answer, CMD_NO_DAEMON when nothing was said, CMD_ERROR. parameters are taken over. */
static int ask(const struct cmd_options *options, const char *command, const char *method,
	struct json_object *parameters, uint64_t timeout_usec, struct json_object **ret_answer)
{
	_cleanup_client_ struct client *client = NULL;
	char error[VARLINK_NAME_MAX];
	int r = open_client(options, command, &client);

	*ret_answer = NULL;
	if (r != CMD_OK) {
		json_object_put(parameters);
		return r;
	}
	r = client_call(client, method, parameters, false);
	if (r >= 0)
		r = client_receive(client, timeout_usec, ret_answer, error);
	if (r < 0)
		return failed(command, r);
	if (!error[0])
		return CMD_OK;
	r = answered_error(command, error, *ret_answer);
	json_object_put(*ret_answer);
	*ret_answer = NULL;
	return r;
}

static struct json_object *new_parameters(const char *link)
{
	struct json_object *parameters = json_object_new_object();

	if (link)
		json_object_object_add(parameters, "link", json_object_new_string(link));
	return parameters;
}

/* ---- documents ---- */

static struct json_object *new_document(const char *document, int exit_code)
{
	struct json_object *root = json_object_new_object();

	json_object_object_add(root, "version", json_object_new_int(JSON_VERSION));
	json_object_object_add(root, "document", json_object_new_string(document));
	json_object_object_add(root, "exit_code", json_object_new_int(exit_code));
	return root;
}

/* Prints and puts it; returns the code. */
static int print_document(struct json_object *root, int code)
{
	const char *text = json_object_to_json_string_ext(root,
		JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE);

	if (text)
		puts(text);
	else
		code = cmd_written(-ENOMEM, code);
	json_object_put(root);
	return code;
}

/* What was answered, as a document of its own. */
static int print_answer(const char *document, struct json_object *answer, int code)
{
	struct json_object *root = new_document(document, code);

	json_object_object_foreach(answer, key, value)
		json_object_object_add(root, key, json_object_get(value));
	return print_document(root, code);
}

/* ---- status ---- */

static size_t print_file_errors(struct json_object *answer, const char *key)
{
	struct json_object *errors = get_list(answer, key);

	for (size_t i = 0; i < count(errors); i++) {
		struct json_object *e = json_object_array_get_idx(errors, i);

		if (get_int(e, "line"))
			printf("%s:%lld: %s\n", clean(get_text(e, "path")),
				(long long)get_int(e, "line"), clean(get_text(e, "message")));
		else
			printf("%s: %s\n", clean(get_text(e, "path")), clean(get_text(e, "message")));
	}
	return count(errors);
}

static void print_verdicts(struct json_object *verdicts)
{
	const char *comma = "";

	printf("links that rules name: ");
	for (int v = 0; v < VERDICT_COUNT; v++) {
		int64_t n = get_int(verdicts, verdict_name((enum verdict)v));

		if (n) {
			printf("%s%lld %s", comma, (long long)n, verdict_name((enum verdict)v));
			comma = ", ";
		}
	}
	puts(*comma ? "" : "none");
}

static void print_links(struct json_object *answer, const char *key, const char *title)
{
	struct json_object *list = get_list(answer, key), *seconds;

	for (size_t i = 0; i < count(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		struct json_object *features = get_list(o, "features");

		printf("%s: %s", title, clean(get_text(o, "link")));
		for (size_t j = 0; j < count(features); j++)
			printf("%s%s", j ? ", " : ": ",
				clean(json_object_get_string(json_object_array_get_idx(features, j))));
		if (json_object_object_get_ex(o, "seconds", &seconds)) {
			if (seconds)
				printf(", %lld s left", (long long)json_object_get_int64(seconds));
			else
				printf(", until it is resumed");
		}
		if (get_text(o, "verdict")[0])
			printf(": %s", clean(get_text(o, "verdict")));
		putchar('\n');
	}
}

static void print_status(struct json_object *answer)
{
	struct json_object *verdicts;

	printf("offloadd %s %s, pid %lld, ethtool by %s\n", clean(get_text(answer, "version")),
		strcmp(get_text(answer, "mode"), "enforce") == 0 ? "enforces" : "audits",
		(long long)get_int(answer, "pid"), clean(get_text(answer, "ethtool")));
	printf("rules: %lld, links: %lld; since its start %lld reconciles, %lld changes, %lld overruns\n",
		(long long)get_int(answer, "rules"), (long long)get_int(answer, "links"),
		(long long)get_int(answer, "reconciles"), (long long)get_int(answer, "changes"),
		(long long)get_int(answer, "overruns"));
	if (json_object_object_get_ex(answer, "verdicts", &verdicts))
		print_verdicts(verdicts);
	print_links(answer, "not_as_declared", "not as declared");
	print_links(answer, "contended", "fought over");
	print_links(answer, "paused", "left alone");
}

/* Nobody answers: what the kernel alone can tell. */
static int status_of_kernel(const struct cmd_options *options)
{
	_cleanup_(cmd_close) struct cmd_session s;
	struct json_object *verdicts, *root;
	size_t counts[VERDICT_COUNT] = { 0 };

	not_running(options);
	if (cmd_open_all(options, &s) != CMD_OK || cmd_make_plan(&s, NULL, 0) != CMD_OK)
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
	root = new_document("status", CMD_NO_DAEMON);
	json_object_object_add(root, "daemon", NULL);
	json_object_object_add(root, "verdicts", verdicts);
	return print_document(root, CMD_NO_DAEMON);
}

int cmd_status(const struct cmd_options *options, _unused_ int argc, _unused_ char **argv)
{
	_cleanup_json_ struct json_object *answer = NULL;
	struct json_object *root, *verdicts = NULL;
	int code = ask(options, "status", METHODS_INTERFACE ".GetStatus", NULL, CLIENT_ANSWER_USEC, &answer);

	if (code == CMD_NO_DAEMON)
		return status_of_kernel(options);
	if (code != CMD_OK)
		return code;
	if (count(get_list(answer, "rule_errors")) || count(get_list(answer, "settings_errors")))
		code = CMD_ERROR;
	if (options->json) {
		root = new_document("status", code);
		(void)json_object_object_get_ex(answer, "verdicts", &verdicts);
		json_object_object_add(root, "daemon", json_object_get(answer));
		json_object_object_add(root, "verdicts", json_object_get(verdicts));
		return print_document(root, code);
	}
	print_status(answer);
	print_file_errors(answer, "settings_errors");
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
		.rules = &s.rules, .plan = &s.plan,
		.netns = netns_is_own(netns, sizeof(netns)) ? netns : NULL,
	};
	size_t len;
	int r;

	not_running(options);
	if (cmd_open_all(options, &s) != CMD_OK || cmd_make_plan(&s, NULL, 0) != CMD_OK)
		return CMD_NO_DAEMON;
	m.features = s.view.features;
	m.rule_errors = s.rules.n_errors;
	metrics_count_plan(&m, &s.plan);
	r = metrics_format(&m, &text, &len);
	if (r < 0)
		return cmd_written(r, CMD_NO_DAEMON);
	fwrite(text, 1, len, stdout);
	return CMD_NO_DAEMON;
}

int cmd_metrics(const struct cmd_options *options, _unused_ int argc, _unused_ char **argv)
{
	_cleanup_json_ struct json_object *answer = NULL;
	int code = ask(options, "metrics", METHODS_INTERFACE ".GetMetrics", NULL, CLIENT_ANSWER_USEC, &answer);

	if (code == CMD_NO_DAEMON)
		return metrics_of_kernel(options);
	if (code != CMD_OK)
		return code;
	for (const char *c = get_text(answer, "text"); *c; c++)
		putchar(*c == '\n' || (*c >= 0x20 && *c < 0x7f) ? *c : '?');
	return CMD_OK;
}

/* ---- reload, pause, resume ---- */

int cmd_reload(const struct cmd_options *options, _unused_ int argc, _unused_ char **argv)
{
	_cleanup_json_ struct json_object *answer = NULL;
	int code = ask(options, "reload", METHODS_INTERFACE ".Reload", NULL, CLIENT_ANSWER_USEC, &answer);

	if (code == CMD_NO_DAEMON)
		return not_running(options);
	if (code != CMD_OK)
		return code;
	if (!get_bool(answer, "taken") || count(get_list(answer, "rule_errors")) ||
		count(get_list(answer, "settings_errors")))
		code = CMD_ERROR;
	if (options->json)
		return print_answer("reload", answer, code);
	print_file_errors(answer, "settings_errors");
	print_file_errors(answer, "rule_errors");
	printf("%s, rules in force: %lld\n",
		get_bool(answer, "taken") ? "reloaded" : "not taken: what was in force stays",
		(long long)get_int(answer, "rules"));
	return code;
}

int cmd_pause(const struct cmd_options *options, _unused_ int argc, char **argv)
{
	_cleanup_json_ struct json_object *answer = NULL;
	struct json_object *parameters = new_parameters(argv[0]), *root;
	int64_t seconds = (int64_t)((options->time_usec + USEC_PER_SEC - 1) / USEC_PER_SEC);
	int code;

	if (options->has_time && seconds == 0) {
		json_object_put(parameters);
		return cmd_error("--for takes a time above 0");
	}
	if (options->has_time)
		json_object_object_add(parameters, "seconds", json_object_new_int64(seconds));
	code = ask(options, "pause", METHODS_INTERFACE ".Pause", parameters, CLIENT_ANSWER_USEC, &answer);
	if (code == CMD_NO_DAEMON)
		return not_running(options);
	if (code != CMD_OK)
		return code;
	if (options->json) {
		root = new_document("pause", code);
		json_object_object_add(root, "link", json_object_new_string(clean(argv[0])));
		json_object_object_add(
			root, "seconds", options->has_time ? json_object_new_int64(seconds) : NULL);
		return print_document(root, code);
	}
	if (options->has_time)
		printf("%s is left alone for %lld s\n", clean(argv[0]), (long long)seconds);
	else
		printf("%s is left alone until it is resumed\n", clean(argv[0]));
	return code;
}

int cmd_resume(const struct cmd_options *options, _unused_ int argc, char **argv)
{
	_cleanup_json_ struct json_object *answer = NULL;
	struct json_object *root;
	int code = ask(options, "resume", METHODS_INTERFACE ".Resume", new_parameters(argv[0]),
		CLIENT_ANSWER_USEC, &answer);

	if (code == CMD_NO_DAEMON)
		return not_running(options);
	if (code != CMD_OK)
		return code;
	if (options->json) {
		root = new_document("resume", code);
		json_object_object_add(root, "link", json_object_new_string(clean(argv[0])));
		json_object_object_add(
			root, "was_paused", json_object_new_boolean(get_bool(answer, "was_paused")));
		return print_document(root, code);
	}
	printf("%s %s\n", clean(argv[0]),
		get_bool(answer, "was_paused") ? "is held as declared again" : "was not paused");
	return code;
}

/* ---- revert ---- */

static feature_set get_features(
	struct json_object *from, const char *key, const struct feature_table *table)
{
	struct json_object *names = get_list(from, key);
	feature_set set = 0;

	for (size_t i = 0; i < count(names); i++)
		set |= feature_named(table, json_object_get_string(json_object_array_get_idx(names, i)));
	return set;
}

static void read_result(
	struct json_object *o, const struct feature_table *table, struct apply_result *ret)
{
	const char *name = get_text(o, "link");
	struct json_object *error;

	*ret = (struct apply_result){ .ifindex = (int)get_int(o, "ifindex") };
	util_copy_name(ret->name, sizeof(ret->name), name, strlen(name));
	ret->value = get_features(o, "on", table);
	ret->asked = ret->value | get_features(o, "off", table);
	ret->after.active = get_features(o, "changed_on", table);
	ret->before.active = get_features(o, "changed_off", table);
	ret->changed = ret->after.active | ret->before.active;
	ret->missed = get_features(o, "missed", table);
	if (!json_object_object_get_ex(o, "error", &error) || !error)
		return;
	ret->error = -(int)get_int(error, "errno");
	snprintf(ret->text, sizeof(ret->text), "%s", get_text(error, "kernel"));
}

int cmd_revert_by_daemon(const struct cmd_options *options, const char *link,
	const struct feature_table *table, struct apply_report *ret)
{
	_cleanup_json_ struct json_object *answer = NULL;
	struct json_object *results, *paused;
	int code = ask(options, "revert", METHODS_INTERFACE ".Revert", new_parameters(link),
		CLIENT_ANSWER_USEC, &answer);

	if (code != CMD_OK)
		return code;
	results = get_list(answer, "results");
	ret->results = calloc(count(results) + 1, sizeof(*ret->results));
	if (!ret->results)
		return cmd_error("revert: %s", strerror(ENOMEM));
	for (; ret->n_results < count(results); ret->n_results++)
		read_result(json_object_array_get_idx(results, ret->n_results), table,
			&ret->results[ret->n_results]);
	paused = get_list(answer, "paused");
	for (size_t i = 0; i < count(paused); i++) {
		const char *name = clean(json_object_get_string(json_object_array_get_idx(paused, i)));

		fprintf(stderr, "offloadctl: offloadd leaves %s alone from now on, until offloadctl resume %s\n",
			name, name);
	}
	return CMD_OK;
}

/* ---- events ---- */

static void print_event(struct json_object *event)
{
	int64_t usec = get_int(event, "time_usec");
	time_t sec = (time_t)(usec / (int64_t)USEC_PER_SEC);
	char when[64] = "";
	struct tm tm;

	if (localtime_r(&sec, &tm))
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	printf("%s.%03d %s: %s\n", when, (int)(usec / 1000 % 1000), clean(get_text(event, "event")),
		clean(get_text(event, "message")));
}

/* Takes one piece of the answer: prints it, or adds it to the document that is printed at the end. */
static void take_events(
	const struct cmd_options *options, struct json_object *answer, struct json_object *all)
{
	struct json_object *events = get_list(answer, "events");

	if (get_int(answer, "lost"))
		cmd_error("%lld events came faster than they were read and are lost",
			(long long)get_int(answer, "lost"));
	for (size_t i = 0; i < count(events); i++) {
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
	int r = open_client(options, "events", &client);

	if (r != CMD_OK)
		return r == CMD_NO_DAEMON ? not_running(options) : r;
	parameters = json_object_new_object();
	json_object_object_add(parameters, "follow", json_object_new_boolean(options->follow));
	r = client_call(client, METHODS_INTERFACE ".GetEvents", parameters, true);
	if (r >= 0)
		r = 1;
	while (r > 0) {
		_cleanup_json_ struct json_object *answer = NULL;

		r = client_receive(client, options->follow ? 0 : CLIENT_ANSWER_USEC, &answer, error);
		if (r >= 0 && error[0])
			return answered_error("events", error, answer);
		if (r >= 0)
			take_events(options, answer, all);
		if (ferror(stdout))
			return CMD_ERROR;
	}
	if (r < 0)
		return failed("events", r);
	if (!all)
		return CMD_OK;
	root = new_document("events", CMD_OK);
	json_object_object_add(root, "events", json_object_get(all));
	return print_document(root, CMD_OK);
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
	code = ask(options, "wait-online", METHODS_INTERFACE ".WaitOnline", parameters,
		limit_usec + CLIENT_ANSWER_USEC, &answer);
	if (code == CMD_NO_DAEMON)
		return not_running(options);
	if (code != CMD_OK)
		return code;
	if (!get_bool(answer, "online"))
		code = get_bool(answer, "timed_out") ? CMD_PENDING : CMD_UNMET;
	if (options->json)
		return print_answer("wait-online", answer, code);
	print_links(answer, "missing",
		get_bool(answer, "timed_out") ? "not as declared when the time was up" : "not as declared");
	return code;
}
