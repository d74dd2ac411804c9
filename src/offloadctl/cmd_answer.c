/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "offloadctl/cmd_answer.h"

#include <errno.h>
#include <string.h>

#include "control/methods.h"
#include "kernel/netns.h"

const char *answer_clean(const char *text)
{
	static char buffers[4][1200];
	static unsigned turn;
	char *buf = buffers[turn++ % ARRAY_SIZE(buffers)];

	return util_clean(text, buf, sizeof(buffers[0]));
}

/* ---- calls ---- */

int cmd_not_running(const struct cmd_options *options)
{
	_cleanup_free_ char *path = NULL;

	if (!options->control)
		(void)netns_path(SERVER_DEFAULT_PATH, &path);
	cmd_error("offloadd is not running (no reply on %s)",
		options->control ? options->control
		: path		 ? path
				 : SERVER_DEFAULT_PATH);
	return CMD_NO_DAEMON;
}

int cmd_call_failed(const char *command, int error)
{
	switch (error) {
	case -ETIMEDOUT:
		return cmd_error("%s failed: no reply from offloadd", command);
	case -ECONNRESET:
	case -EPIPE:
		return cmd_error("%s failed: offloadd closed the connection", command);
	default:
		return cmd_error("%s failed: %s", command, strerror(-error));
	}
}

int cmd_answered_error(const char *command, const char *error, const struct json_value *parameters)
{
	const char *nearest = json_get_text(parameters, "nearest");

	if (strcmp(error, "org.varlink.service.PermissionDenied") == 0)
		return cmd_error("%s requires root", command);
	if (strcmp(error, METHODS_INTERFACE ".NoSuchLink") == 0)
		return cmd_error(nearest[0] ? "unknown interface \"%s\", did you mean \"%s\"?" : "unknown interface \"%s\"",
			json_get_text(parameters, "link"), nearest);
	if (strcmp(error, METHODS_INTERFACE ".NotPossible") == 0)
		return cmd_error("%s failed: %s", command, json_get_text(parameters, "message"));
	return cmd_error("%s failed: offloadd replied %s", command, error);
}

/* By SIGSTOP or a debugger; false if unknown. Field 3 of proc_pid_stat(5). */
static bool is_stopped(int pid)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[32], line[512], *state;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = pid > 0 ? fopen(path, "re") : NULL;
	if (!f || !fgets(line, sizeof(line), f))
		return false;
	state = strrchr(line, ')');
	return state && state[1] && strchr("TtZ", state[2]);
}

/* Is this the offloadd of this network namespace? Without access to PID 1, the default path is that of the host. 1, 0, negative errno. */
static int is_of_this_netns(struct client *client)
{
	_cleanup_json_ struct json_value *status = NULL;
	char error[VARLINK_NAME_MAX];
	int r = client_call(client, METHODS_INTERFACE ".GetStatus", NULL, false);

	if (r >= 0)
		r = client_receive(client, CLIENT_HUNG_USEC, &status, error);
	if (r < 0)
		return r;
	return error[0] || (uint64_t)json_get_int(status, "netns") == netns_inode();
}

int cmd_open_client(const struct cmd_options *options, const char *command, struct client **ret)
{
	int r = client_open(options->control, ret);

	if (r > 0 && !options->control && !netns_is_certain()) {
		r = is_of_this_netns(*ret);
		if (r == -ETIMEDOUT) /* let the call itself fail */
			r = 1;
	}
	if (r < 0)
		return cmd_call_failed(command, r);
	return r > 0 ? CMD_OK : CMD_NO_DAEMON;
}

/* Like client_receive(), but does not wait for a daemon that is stopped. */
static int receive_unless_stopped(struct client *client, uint64_t timeout_usec, struct json_value **ret_answer,
	char error[VARLINK_NAME_MAX])
{
	uint64_t first_usec = timeout_usec < CLIENT_HUNG_USEC ? timeout_usec : CLIENT_HUNG_USEC;
	int r = client_receive(client, first_usec, ret_answer, error);

	if (r != -ETIMEDOUT || timeout_usec == first_usec || is_stopped(client_pid(client)))
		return r;
	return client_receive(client, timeout_usec - first_usec, ret_answer, error);
}

int cmd_try_call(const struct cmd_options *options, const char *command, const char *method,
	const struct json_writer *parameters, uint64_t timeout_usec, struct json_value **ret_answer)
{
	_cleanup_client_ struct client *client = NULL;
	char error[VARLINK_NAME_MAX];
	int r = cmd_open_client(options, command, &client);

	*ret_answer = NULL;
	if (r != CMD_OK)
		return r;
	r = client_call(client, method, parameters, false);
	if (r >= 0)
		r = receive_unless_stopped(client, timeout_usec, ret_answer, error);
	if (r == -ETIMEDOUT) {
		cmd_error("%s failed: no reply from offloadd (pid %d)", command, client_pid(client));
		return CMD_NO_REPLY;
	}
	if (r < 0)
		return cmd_call_failed(command, r);
	if (!error[0])
		return CMD_OK;
	r = cmd_answered_error(command, error, *ret_answer);
	json_free(*ret_answer);
	*ret_answer = NULL;
	return r;
}

int cmd_call(const struct cmd_options *options, const char *command, const char *method,
	const struct json_writer *parameters, uint64_t timeout_usec, struct json_value **ret_answer)
{
	int r = cmd_try_call(options, command, method, parameters, timeout_usec, ret_answer);

	return r == CMD_NO_REPLY ? CMD_ERROR : r;
}

/* ---- text ---- */

void answer_print_errors(const struct json_value *answer, const char *key)
{
	json_foreach(e, json_get_list(answer, key))
	{
		if (json_get_int(e, "line"))
			printf("%s:%lld: %s\n", answer_clean(json_get_text(e, "path")),
				(long long)json_get_int(e, "line"), answer_clean(json_get_text(e, "message")));
		else
			printf("%s: %s\n", answer_clean(json_get_text(e, "path")), answer_clean(json_get_text(e, "message")));
	}
}

void answer_read_verdicts(const struct json_value *o, const char *key, size_t counts[VERDICT_COUNT])
{
	for (int v = 0; v < VERDICT_COUNT; v++)
		counts[v] = (size_t)json_get_count(json_get(o, key), verdict_name((enum verdict)v), INT32_MAX);
}

void answer_print_links(const struct json_value *answer, const char *key, const char *title)
{
	char text[128];

	json_foreach(o, json_get_list(answer, key))
	{
		const struct json_value *seconds = json_get(o, "seconds");
		const char *comma = ": ";
		size_t counts[VERDICT_COUNT];

		printf("%s: %s", title, answer_clean(json_get_text(o, "link")));
		json_foreach(feature, json_get_list(o, "features"))
		{
			printf("%s%s", comma, answer_clean(json_as_text(feature)));
			comma = ", ";
		}
		if (json_kind(seconds) == JSON_INT)
			printf(", %s left",
				util_format_duration((uint64_t)json_get_count(o, "seconds", INT32_MAX) * USEC_PER_SEC, text, sizeof(text)));
		else if (seconds)
			printf(", until it is resumed");
		answer_read_verdicts(o, "verdicts", counts);
		if (json_get_text(o, "verdict")[0])
			printf(": %s", *verdict_format_counts(counts, text, sizeof(text)) ? text : answer_clean(json_get_text(o, "verdict")));
		putchar('\n');
	}
}

/* ---- documents ---- */

void answer_begin(struct json_writer *w, const char *document, int exit_code)
{
	json_begin(w, document);
	json_add_int(w, "exit_code", exit_code);
}

int answer_print_document(struct json_writer *w, int code)
{
	return cmd_written(json_finish(w, stdout), code);
}

int answer_print(const char *document, const struct json_value *answer, int code)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };

	answer_begin(&w, document, code);
	json_add_members(&w, answer);
	return answer_print_document(&w, code);
}
