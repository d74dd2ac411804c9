/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/methods_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/view.h"

/* ---- JSON ---- */

void method_add_text(struct json_object *to, const char *key, const char *text)
{
	char clean[1100];

	json_value_add_text(to, key, view_clean(text, clean, sizeof(clean)));
}

void method_add_name(struct json_object *to, const char *key, const char *name)
{
	char clean[LINK_NAME_LEN];

	util_copy_name(clean, sizeof(clean), name, LINK_NAME_LEN);
	method_add_text(to, key, clean);
}

struct json_object *method_new_features(const struct feature_table *table, feature_set set)
{
	struct json_object *names = json_object_new_array();
	unsigned bit;

	feature_foreach(bit, set)
		json_object_array_add(names, json_object_new_string(feature_name(table, bit)));
	return names;
}

struct json_object *method_new_link(const char *name, int ifindex)
{
	struct json_object *o = json_object_new_object();

	method_add_name(o, "link", name);
	json_value_add_int(o, "ifindex", ifindex);
	return o;
}

struct json_object *method_new_errors(const struct rule_set *set)
{
	struct json_object *errors = json_object_new_array();

	for (size_t i = 0; i < set->n_errors && i < METHODS_LIST_MAX; i++) {
		struct json_object *o = json_object_new_object();

		method_add_text(o, "path", set->errors[i].path);
		json_value_add_int(o, "line", set->errors[i].line);
		method_add_text(o, "message", set->errors[i].message);
		json_object_array_add(errors, o);
	}
	return errors;
}

/* ---- answers ---- */

void method_reply(struct server_client *client, struct json_object *parameters)
{
	server_reply(client, parameters, false);
}

void method_fail(struct server_client *client, const char *error, const char *key, const char *text)
{
	struct json_object *o = json_object_new_object();

	if (key)
		method_add_text(o, key, text);
	server_error(client, error, o);
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
	struct json_object *o = json_object_new_object();
	const char *nearest = NULL;
	size_t n = 0;

	if (names) {
		link_table_foreach(links, link)
			names[n++] = link->name;
		nearest = util_nearest(name, names, n);
	}
	method_add_text(o, "link", name);
	method_add_name(o, "nearest", nearest ? nearest : "");
	server_error(client, METHODS_INTERFACE ".NoSuchLink", o);
}

/* ---- parameters ---- */

const struct link *method_get_link(struct methods *m, struct server_client *client,
	const struct varlink_call *call, bool *ret_absent)
{
	const char *name;
	const struct link *link;
	int r = varlink_get_string(call, "link", &name);

	if (ret_absent)
		*ret_absent = r == 0;
	if (r == 0 && ret_absent)
		return NULL;
	if (r <= 0) {
		method_invalid(client, "link");
		return NULL;
	}
	link = link_table_find_name(&m->host.observe->links, name);
	if (!link)
		method_no_such_link(m, client, name);
	return link;
}

bool method_take_links(struct server_client *client, const struct varlink_call *call, struct open_call *open)
{
	size_t n;

	if (varlink_get_list(call, "links", &n) < 0 || n > METHODS_LIST_MAX) {
		method_invalid(client, "links");
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		const char *name = varlink_get_item(call, "links", i);

		if (strlen(name) >= LINK_NAME_LEN || !name[0]) {
			method_invalid(client, "links");
			return false;
		}
		strcpy(open->links[i], name);
	}
	open->n_links = n;
	return true;
}

bool method_is_asked(const struct open_call *open, const struct link *link)
{
	for (size_t i = 0; i < open->n_links; i++)
		if (strcmp(open->links[i], link->name) == 0)
			return true;
	return open->n_links == 0;
}

/* ---- answers that go on ---- */

struct open_call *method_new_open_call(struct server_client *client, const struct varlink_call *call)
{
	struct open_call *open = calloc(1, sizeof(*open));

	if (!open)
		method_not_possible(client, -ENOMEM);
	else
		open->more = call->more;
	return open;
}

void method_begin(struct methods *m, struct server_client *client, struct open_call *open)
{
	server_wait(client, open, open->deadline_usec);
	open->resume(m, client, open);
}
