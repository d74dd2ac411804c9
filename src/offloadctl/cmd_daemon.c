/* SPDX-License-Identifier: GPL-2.0-or-later */
/* metrics, reload, pause, resume, events, wait-online: calls to the running offloadd. */
#include "offloadctl/cmd_answer.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "report/json.h"
#include "control/methods.h"
#include "report/metrics.h"
#include "kernel/netns.h"

#define WAIT_DEFAULT_USEC (30 * USEC_PER_SEC)
#define SECONDS_MAX INT32_MAX
#define ERRNO_MAX 4095 /* MAX_ERRNO of the kernel */

/* Begins the parameters of a call. */
static void open_parameters(struct json_writer *w, const char *link)
{
	*w = (struct json_writer){ .form = JSON_COMPACT };
	json_open_object(w, NULL);
	if (link)
		json_add_text(w, "link", link);
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
		return CMD_ERROR;
	s.has_states = true;
	if (cmd_make_plan(&s, NULL, 0) != CMD_OK)
		return CMD_ERROR;
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
	_cleanup_json_ struct json_value *answer = NULL;
	int code = cmd_call(options, "metrics", METHODS_INTERFACE ".GetMetrics", NULL, CLIENT_ANSWER_USEC, &answer);

	if (code == CMD_NO_DAEMON)
		return metrics_of_kernel(options);
	if (code != CMD_OK)
		return code;
	for (const char *c = json_get_text(answer, "text"); *c; c++)
		putchar(*c == '\n' || (*c >= 0x20 && *c < 0x7f) ? *c : '?');
	return CMD_OK;
}

/* ---- reload, pause, resume ---- */

static const char *reloaded_words(const struct json_value *answer)
{
	bool settings = json_get_bool(answer, "settings_taken"), rules = json_get_bool(answer, "rules_taken");

	if (settings && rules)
		return "reloaded";
	if (rules)
		return "rules reloaded; settings rejected, keeping the previous settings";
	return settings ? "settings reloaded; rules rejected, keeping the previous rules"
			: "nothing reloaded; keeping the previous settings and rules";
}

int cmd_reload(const struct cmd_options *options, _unused_ int argc, _unused_ char **argv)
{
	_cleanup_json_ struct json_value *answer = NULL;
	int code = cmd_call(options, "reload", METHODS_INTERFACE ".Reload", NULL, CLIENT_ANSWER_USEC, &answer);

	if (code == CMD_NO_DAEMON)
		return cmd_not_running(options);
	if (code != CMD_OK)
		return code;
	if (!json_get_bool(answer, "taken") || json_count(json_get_list(answer, "rule_errors")) ||
		json_count(json_get_list(answer, "settings_errors")))
		code = CMD_ERROR;
	if (options->json)
		return answer_print("reload", answer, code);
	answer_print_errors(answer, "settings_errors");
	answer_print_errors(answer, "rule_errors");
	printf("%s; rules loaded: %lld\n", reloaded_words(answer), (long long)json_get_int(answer, "rules"));
	return code;
}

int cmd_pause(const struct cmd_options *options, _unused_ int argc, char **argv)
{
	_cleanup_json_ struct json_value *answer = NULL;
	_cleanup_json_writer_ struct json_writer parameters = { 0 }, w = { 0 };
	int64_t seconds = (int64_t)((options->time_usec + USEC_PER_SEC - 1) / USEC_PER_SEC);
	char time[32];
	int code;

	if (options->has_time && seconds == 0)
		return cmd_error("invalid duration for --for: expected more than 0");
	open_parameters(&parameters, argv[0]);
	if (options->has_time)
		json_add_int(&parameters, "seconds", seconds);
	json_close_object(&parameters);
	code = cmd_call(options, "pause", METHODS_INTERFACE ".Pause", &parameters, CLIENT_ANSWER_USEC, &answer);
	if (code == CMD_NO_DAEMON)
		return cmd_not_running(options);
	if (code != CMD_OK)
		return code;
	if (options->json) {
		answer_begin(&w, "pause", code);
		json_add_text(&w, "link", argv[0]);
		json_add_positive(&w, "seconds", options->has_time ? seconds : 0);
		return answer_print_document(&w, code);
	}
	if (options->has_time)
		printf("%s paused for %s\n", answer_clean(argv[0]),
			util_format_duration(options->time_usec, time, sizeof(time)));
	else
		printf("%s paused until it is resumed\n", answer_clean(argv[0]));
	return code;
}

int cmd_resume(const struct cmd_options *options, _unused_ int argc, char **argv)
{
	_cleanup_json_ struct json_value *answer = NULL;
	_cleanup_json_writer_ struct json_writer parameters = { 0 }, w = { 0 };
	size_t contended;
	int code;

	open_parameters(&parameters, argv[0]);
	json_close_object(&parameters);
	code = cmd_call(options, "resume", METHODS_INTERFACE ".Resume", &parameters, CLIENT_ANSWER_USEC, &answer);
	if (code == CMD_NO_DAEMON)
		return cmd_not_running(options);
	if (code != CMD_OK)
		return code;
	if (options->json) {
		answer_begin(&w, "resume", code);
		json_add_text(&w, "link", argv[0]);
		json_add_bool(&w, "was_paused", json_get_bool(answer, "was_paused"));
		json_open_list(&w, "contended");
		json_foreach(name, json_get_list(answer, "contended"))
			json_add_text(&w, NULL, json_as_text(name));
		json_close_list(&w);
		return answer_print_document(&w, code);
	}
	contended = json_count(json_get_list(answer, "contended"));
	printf("%s %s", answer_clean(argv[0]), json_get_bool(answer, "was_paused") ? "resumed" : "was not paused");
	if (contended)
		printf("; %zu feature%s %s still contended, see: offloadctl status\n", contended, util_plural(contended),
			contended == 1 ? "is" : "are");
	else
		printf("%s\n", json_get_bool(answer, "was_paused") ? ", rules are enforced again" : "");
	return code;
}

/* ---- revert ---- */

static void read_result(
	const struct json_value *o, const struct feature_table *table, struct apply_result *ret)
{
	const char *name = json_get_text(o, "link");
	const struct json_value *error = json_get_object(o, "error");

	*ret = (struct apply_result){ .ifindex = (int)json_get_count(o, "ifindex", INT32_MAX) };
	util_copy_name(ret->name, sizeof(ret->name), name, strlen(name));
	ret->value = feature_get_names(json_get_list(o, "on"), table);
	ret->asked = ret->value | feature_get_names(json_get_list(o, "off"), table);
	ret->after.active = feature_get_names(json_get_list(o, "changed_on"), table);
	ret->before.active = feature_get_names(json_get_list(o, "changed_off"), table);
	ret->changed = ret->after.active | ret->before.active;
	ret->missed = feature_get_names(json_get_list(o, "missed"), table);
	json_foreach(value, json_get_object(o, "limits"))
	{
		int limit = link_limit_find(json_key(value));

		if (limit < 0)
			continue;
		ret->limits.has |= LINK_LIMIT(limit);
		ret->limits.value[limit] = (uint32_t)json_get_count(json_get_object(o, "limits"), json_key(value), UINT32_MAX);
	}
	json_foreach(value, json_get_list(o, "limits_missed"))
	{
		int limit = link_limit_find(json_as_text(value));

		ret->limits_missed |= limit < 0 ? 0 : LINK_LIMIT(limit);
	}
	ret->error = -(int)json_get_count(error, "errno", ERRNO_MAX);
	if (error && !ret->error)
		ret->error = -EIO; /* never a success */
	util_clean(json_get_text(error, "kernel"), ret->text, sizeof(ret->text));
}

int cmd_revert_by_daemon(const struct cmd_options *options, const char *link,
	const struct feature_table *table, struct apply_report *ret)
{
	_cleanup_json_ struct json_value *answer = NULL;
	_cleanup_json_writer_ struct json_writer parameters = { 0 };
	const struct json_value *results;
	int code;

	open_parameters(&parameters, link);
	json_close_object(&parameters);
	code = cmd_call(options, "revert", METHODS_INTERFACE ".Revert", &parameters, CLIENT_ANSWER_USEC, &answer);
	if (code != CMD_OK)
		return code;
	results = json_get_list(answer, "results");
	ret->results = calloc(json_count(results) + 1, sizeof(*ret->results));
	if (!ret->results)
		return cmd_error("revert failed: %s", strerror(ENOMEM));
	json_foreach(o, results)
		read_result(o, table, &ret->results[ret->n_results++]);
	json_foreach(paused, json_get_list(answer, "paused"))
	{
		const char *name = answer_clean(json_as_text(paused));

		fprintf(stderr, "offloadctl: %s is paused now; to enforce rules again, run: offloadctl resume %s\n",
			name, name);
	}
	return CMD_OK;
}

/* ---- events ---- */

static void print_event(const struct json_value *event)
{
	int64_t usec = json_get_int(event, "time_usec");
	char when[64], zone[16];

	util_format_time_as("%Y-%m-%dT%H:%M:%S", (uint64_t)usec, when, sizeof(when));
	util_format_time_as("%z", (uint64_t)usec, zone, sizeof(zone));
	printf("%s.%03d%s %s: %s\n", when, (int)(usec / 1000 % 1000), zone, answer_clean(json_get_text(event, "event")),
		answer_clean(json_get_text(event, "message")));
}

/* Prints the events of one reply, or adds them to the document that is printed at the end. */
static void take_events(
	const struct cmd_options *options, const struct json_value *answer, struct json_writer *all)
{
	if (json_get_int(answer, "lost"))
		cmd_error("%lld events lost: they arrived faster than they were read",
			(long long)json_get_int(answer, "lost"));
	json_foreach(event, json_get_list(answer, "events"))
	{
		_cleanup_json_writer_ struct json_writer line = { .form = JSON_COMPACT };

		if (!options->json) {
			print_event(event);
		} else if (!options->follow) {
			json_add_value(all, NULL, event);
		} else {
			json_open_object(&line, NULL);
			json_add_members(&line, event);
			cmd_written(json_finish(&line, stdout), CMD_OK);
		}
	}
	fflush(stdout);
}

int cmd_events(const struct cmd_options *options, _unused_ int argc, _unused_ char **argv)
{
	_cleanup_json_writer_ struct json_writer parameters = { 0 }, w = { 0 };
	_cleanup_client_ struct client *client = NULL;
	char error[VARLINK_NAME_MAX];
	int r = cmd_open_client(options, "events", &client);

	if (r != CMD_OK)
		return r == CMD_NO_DAEMON ? cmd_not_running(options) : r;
	answer_begin(&w, "events", CMD_OK);
	json_open_list(&w, "events");
	open_parameters(&parameters, NULL);
	json_add_bool(&parameters, "follow", options->follow);
	json_close_object(&parameters);
	r = client_call(client, METHODS_INTERFACE ".GetEvents", &parameters, true);
	if (r >= 0)
		r = 1;
	while (r > 0) {
		_cleanup_json_ struct json_value *answer = NULL;

		r = client_receive(client, options->follow ? 0 : CLIENT_ANSWER_USEC, &answer, error);
		if (r >= 0 && error[0])
			return cmd_answered_error("events", error, answer);
		if (r >= 0)
			take_events(options, answer, &w);
		if (ferror(stdout))
			return CMD_ERROR;
	}
	if (r < 0)
		return cmd_call_failed("events", r);
	json_close_list(&w);
	return options->json && !options->follow ? answer_print_document(&w, CMD_OK) : CMD_OK;
}

/* ---- wait-online ---- */

int cmd_wait_online(const struct cmd_options *options, int argc, char **argv)
{
	uint64_t limit_usec = options->has_time ? options->time_usec : WAIT_DEFAULT_USEC;
	_cleanup_json_ struct json_value *answer = NULL;
	_cleanup_json_writer_ struct json_writer parameters = { 0 };
	int code;

	open_parameters(&parameters, NULL);
	if (argc > 0) {
		json_open_list(&parameters, "links");
		for (int i = 0; i < argc; i++)
			json_add_text(&parameters, NULL, argv[i]);
		json_close_list(&parameters);
	}
	json_add_int(&parameters, "seconds", (int64_t)((limit_usec + USEC_PER_SEC - 1) / USEC_PER_SEC));
	json_close_object(&parameters);
	code = cmd_call(options, "wait-online", METHODS_INTERFACE ".WaitOnline", &parameters,
		limit_usec + CLIENT_ANSWER_USEC, &answer);
	if (code == CMD_NO_DAEMON)
		return cmd_not_running(options);
	if (code != CMD_OK)
		return code;
	if (!json_get_bool(answer, "online"))
		code = json_get_bool(answer, "timed_out") ? CMD_PENDING : CMD_UNMET;
	if (options->json)
		return answer_print("wait-online", answer, code);
	answer_print_links(answer, "missing",
		json_get_bool(answer, "timed_out") ? "not compliant after the timeout" : "not compliant");
	return code;
}
