/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/methods_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- JSON ---- */

void method_add_name(struct json_writer *w, const char *key, const char *name)
{
	json_add_name(w, key, name[0] ? name : NULL, LINK_NAME_LEN);
}

void method_open_link(struct json_writer *w, const char *name, int ifindex)
{
	json_open_object(w, NULL);
	method_add_name(w, "link", name);
	json_add_int(w, "ifindex", ifindex);
}

/* ---- replies ---- */

void method_open(struct json_writer *w)
{
	*w = (struct json_writer){ .form = JSON_COMPACT };
	json_open_object(w, NULL);
}

void method_reply(struct server_client *client, struct json_writer *w, bool continues)
{
	if (w)
		json_close_object(w);
	server_reply(client, w, continues);
}

void method_fail(struct server_client *client, const char *error, const char *key, const char *text)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };

	method_open(&w);
	if (key)
		json_add_some(&w, key, text);
	json_close_object(&w);
	server_error(client, error, &w);
}

void method_invalid(struct server_client *client, const char *parameter)
{
	method_fail(client, "org.varlink.service.InvalidParameter", "parameter", parameter);
}

void method_not_possible(struct server_client *client, int error)
{
	method_fail(client, METHODS_INTERFACE ".NotPossible", "message", strerror(-error));
}

void method_no_such_link(struct methods *m, struct server_client *client, const char *name)
{
	const struct link_table *links = &m->host.observe->links;
	_cleanup_free_ const char **names = calloc(link_table_count(links) + 1, sizeof(*names));
	_cleanup_json_writer_ struct json_writer w = { 0 };
	const char *nearest = NULL;
	size_t n = 0;

	if (names) {
		link_table_foreach(links, link)
			names[n++] = link->name;
		nearest = util_nearest(name, names, n);
	}
	method_open(&w);
	json_add_some(&w, "link", name);
	method_add_name(&w, "nearest", nearest ? nearest : "");
	json_close_object(&w);
	server_error(client, METHODS_INTERFACE ".NoSuchLink", &w);
}

/* ---- parameters ---- */

const struct link *method_get_link(struct methods *m, struct server_client *client, const char *name)
{
	const struct link *link = link_table_find_name(&m->host.observe->links, name);

	if (!link)
		method_no_such_link(m, client, name);
	return link;
}

static bool take_links(const struct method_arguments *args, struct open_call *open)
{
	json_foreach(item, args->links)
	{
		const char *name = json_as_text(item);

		if (!name[0] || strlen(name) >= LINK_NAME_LEN)
			return false;
		strcpy(open->links[open->n_links++], name);
	}
	return true;
}

bool method_is_asked(const struct open_call *open, const struct link *link)
{
	for (size_t i = 0; i < open->n_links; i++)
		if (strcmp(open->links[i], link->name) == 0)
			return true;
	return open->n_links == 0;
}

/* ---- calls that wait ---- */

struct open_call *method_new_open_call(struct server_client *client, const struct method_arguments *args)
{
	struct open_call *open = calloc(1, sizeof(*open));

	if (!open) {
		method_not_possible(client, -ENOMEM);
	} else if (!take_links(args, open)) {
		method_invalid(client, "links");
		free(open);
		open = NULL;
	} else {
		open->more = args->more;
		open->asked_usec = util_now_usec();
	}
	return open;
}

void method_begin(struct methods *m, struct server_client *client, struct open_call *open)
{
	server_wait(client, open, open->deadline_usec);
	open->resume(m, client, open);
}
