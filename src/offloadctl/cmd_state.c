/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What commands that read the kernel ask a running offloadd: its rule directories, and what is paused or contended. */
#include "offloadctl/cmd_answer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "control/methods.h"
#include "kernel/netns.h"

/* Prints nothing. *ret_uid: the user of offloadd, if one runs. 1; 0: no offloadd of this network namespace; negative errno. */
static int get_status(const struct cmd_options *options, struct json_value **ret, uid_t *ret_uid)
{
	_cleanup_client_ struct client *client = NULL;
	char error[VARLINK_NAME_MAX] = "";
	int r = client_open(options->control, &client);

	*ret = NULL;
	if (r > 0)
		r = client_call(client, METHODS_INTERFACE ".GetStatus", NULL, false);
	if (client)
		*ret_uid = client_uid(client);
	if (client && r >= 0)
		r = client_receive(client, CLIENT_HUNG_USEC, ret, error);
	if (r < 0 || !*ret)
		return r;
	return !error[0] && (options->control || (uint64_t)json_get_int(*ret, "netns") == netns_inode());
}

static struct link_state *state_of(struct link_states *states, const struct json_value *o)
{
	return link_states_get(states, (int)json_get_count(o, "ifindex", INT32_MAX));
}

const struct json_value *cmd_ask_daemon(struct cmd_session *session)
{
	int r;

	if (session->asked)
		return session->daemon;
	session->asked = true;
	r = get_status(session->options, &session->daemon, &session->daemon_uid);
	session->ask_error = r < 0 ? r : 0;
	if (r <= 0) {
		json_free(session->daemon);
		session->daemon = NULL;
	}
	return session->daemon;
}

/* Once. */
static void report_silence(struct cmd_session *session)
{
	if (session->ask_error)
		cmd_error("Failed to query offloadd: %s; its rule directories, and paused and contended features, are not known",
			session->ask_error == -ETIMEDOUT ? "no reply" : strerror(-session->ask_error));
	session->ask_error = 0;
}

int cmd_read_states(struct cmd_session *session)
{
	const struct feature_table *table = session->view.features;
	struct link_states *states = &session->states;
	const struct json_value *status = cmd_ask_daemon(session);
	struct link_limit_state *limits;
	struct link_contention *contention;
	struct link_state *state;

	report_silence(session);
	json_foreach(o, json_get_list(status, "paused"))
	{
		state = state_of(states, o);
		if (!state)
			return -ENOMEM;
		state->paused = true;
	}
	json_foreach(o, json_get_list(status, "contended"))
	{
		state = state_of(states, o);
		contention = state ? link_state_contention(state) : NULL;
		if (!contention)
			return -ENOMEM;
		contention->contended |= feature_get_names(json_get_list(o, "features"), table);
		contention->flapped[1] |= feature_get_names(json_get_list(o, "resets"), table);
		limits = link_state_limits(state);
		if (!limits)
			return -ENOMEM;
		json_foreach(name, json_get_list(o, "limits"))
			if (link_limit_find(json_as_text(name)) >= 0)
				limits->contention.contended |= LINK_LIMIT(link_limit_find(json_as_text(name)));
	}
	return 0;
}

/* Are these the directories of a list, in its order? */
static bool same_dirs(const struct json_value *list, const char *const *dirs)
{
	json_foreach(item, list)
		if (!*dirs || strcmp(json_as_text(item), *dirs++) != 0)
			return false;
	return !*dirs;
}

static const char *format_dirs(const struct json_value *list, char *buf, size_t size)
{
	buf[0] = '\0';
	json_foreach(item, list)
		util_append(buf, size, "%s%s", buf[0] ? ", " : "", json_as_text(item));
	return buf;
}

int cmd_choose_dirs(struct cmd_session *session, const char *const *own, bool named)
{
	const struct json_value *list = json_get_list(cmd_ask_daemon(session), "rule_directories");
	size_t n = json_count(list), i = 0;
	char text[1024];

	session->rule_dirs = own;
	if (session->options->control || netns_is_certain()) /* otherwise it may belong to another network namespace */
		report_silence(session);
	if (n == 0 || same_dirs(list, own))
		return CMD_OK;
	if (named || (geteuid() == 0 && session->daemon_uid != 0)) {
		fprintf(stderr, "offloadctl: the running offloadd reads other rules: %s\n",
			answer_clean(format_dirs(list, text, sizeof(text))));
		return CMD_OK;
	}
	session->daemon_dirs = calloc(n + 1, sizeof(*session->daemon_dirs));
	if (!session->daemon_dirs)
		return cmd_error("%s", strerror(ENOMEM));
	json_foreach(item, list)
		session->daemon_dirs[i++] = json_as_text(item);
	session->rule_dirs = session->daemon_dirs;
	return CMD_OK;
}

bool cmd_is_enforced(const struct cmd_options *options)
{
	_cleanup_json_ struct json_value *status = NULL;
	uid_t uid;

	return get_status(options, &status, &uid) == 1 && strcmp(json_get_text(status, "mode"), "enforce") == 0;
}
