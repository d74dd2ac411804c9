/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the running offloadd leaves alone, for plans. */
#include "offloadctl/cmd_answer.h"

#include <errno.h>
#include <string.h>

#include "control/methods.h"
#include "kernel/netns.h"

/* Asks without a word on standard error where nobody answers. 1, 0, negative errno. */
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

static struct cmd_stand_link *add_stand(struct cmd_stand *stand, const struct json_value *o)
{
	struct cmd_stand_link *links;
	int ifindex = (int)json_get_int(o, "ifindex");

	for (size_t i = 0; i < stand->n_links; i++)
		if (stand->links[i].ifindex == ifindex)
			return &stand->links[i];
	links = reallocarray(stand->links, stand->n_links + 1, sizeof(*links));
	if (!links)
		return NULL;
	stand->links = links;
	links[stand->n_links] = (struct cmd_stand_link){ .ifindex = ifindex };
	return &links[stand->n_links++];
}

void cmd_ask_stand(const struct cmd_options *options, const struct feature_table *table,
	struct cmd_stand *ret)
{
	_cleanup_json_ struct json_value *status = NULL;
	struct cmd_stand_link *link;

	*ret = (struct cmd_stand){ 0 };
	switch (get_status(options, &status)) {
	case 1:
		break;
	case -ETIMEDOUT:
		cmd_error("offloadd does not answer; what it leaves alone is not known");
		return;
	default:
		return;
	}
	json_foreach(o, json_get_list(status, "paused"))
	{
		link = add_stand(ret, o);
		if (link)
			link->paused = true;
	}
	json_foreach(o, json_get_list(status, "contended"))
	{
		link = add_stand(ret, o);
		if (link)
			link->contended |= feature_get_names(json_get_list(o, "features"), table);
	}
}

bool cmd_is_enforced(const struct cmd_options *options)
{
	_cleanup_json_ struct json_value *status = NULL;

	return get_status(options, &status) == 1 && strcmp(json_get_text(status, "mode"), "enforce") == 0;
}
