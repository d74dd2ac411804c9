/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the pauses and contended features of the running offloadd, for plans. */
#include "offloadctl/cmd_answer.h"

#include <errno.h>
#include <string.h>

#include "control/methods.h"
#include "kernel/netns.h"

/* Prints nothing. 1; 0: no offloadd of this network namespace; negative errno. */
static int get_status(const struct cmd_options *options, struct json_value **ret)
{
	_cleanup_client_ struct client *client = NULL;
	char error[VARLINK_NAME_MAX] = "";
	int r = client_open(options->control, &client);

	*ret = NULL;
	if (r > 0)
		r = client_call(client, METHODS_INTERFACE ".GetStatus", NULL, false);
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

int cmd_read_states(const struct cmd_options *options, const struct feature_table *table, struct link_states *states)
{
	_cleanup_json_ struct json_value *status = NULL;
	struct link_limit_state *limits;
	struct link_contention *contention;
	struct link_state *state;
	int r = get_status(options, &status);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		cmd_error("Failed to query offloadd: %s; paused and contended features are not known",
			r == -ETIMEDOUT ? "no reply" : strerror(-r));
	if (r <= 0)
		return 0;
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
		limits = link_state_limits(state);
		if (!limits)
			return -ENOMEM;
		json_foreach(name, json_get_list(o, "limits"))
			if (link_limit_find(json_as_text(name)) >= 0)
				limits->contention.contended |= LINK_LIMIT(link_limit_find(json_as_text(name)));
	}
	return 0;
}

bool cmd_is_enforced(const struct cmd_options *options)
{
	_cleanup_json_ struct json_value *status = NULL;

	return get_status(options, &status) == 1 && strcmp(json_get_text(status, "mode"), "enforce") == 0;
}
