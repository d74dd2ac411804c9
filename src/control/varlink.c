/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/varlink.h"

#include <errno.h>
#include <string.h>

static bool is_method(const char *name)
{
	return name[0] && strlen(name) < VARLINK_NAME_MAX &&
		name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.")] == '\0';
}

int varlink_call_decode(const char *text, size_t len, struct varlink_call *ret)
{
	struct call {
		const char *method;
		const struct json_value *parameters;
		bool more, oneway, upgrade;
	};
	static const struct json_field fields[] = {
		JSON_FIELD(struct call, method, "method", JSON_BORROWED, .required = true),
		JSON_FIELD(struct call, parameters, "parameters", JSON_OBJECT),
		JSON_FIELD(struct call, more, "more", JSON_BOOL),
		JSON_FIELD(struct call, oneway, "oneway", JSON_BOOL),
		JSON_FIELD(struct call, upgrade, "upgrade", JSON_BOOL),
		{ 0 },
	};
	char why[JSON_WHY_LEN];
	struct json_reader reader = { .why = why, .why_size = sizeof(why) };
	_cleanup_json_ struct json_value *root = NULL;
	struct call call = { 0 };
	int r;

	*ret = (struct varlink_call){ 0 };
	r = json_parse(text, len, JSON_OF_CLIENT, &root, why, sizeof(why));
	if (r >= 0)
		r = json_read(&reader, root, fields, &call);
	if (r >= 0 && !is_method(call.method))
		r = -EBADMSG;
	if (r < 0)
		return r;
	strcpy(ret->method, call.method);
	ret->root = root;
	ret->parameters = call.parameters;
	ret->more = call.more;
	ret->oneway = call.oneway;
	root = NULL;
	return 0;
}

void varlink_call_clear(struct varlink_call *call)
{
	json_free(call->root);
	*call = (struct varlink_call){ 0 };
}

static int compose(const char *key, const char *name, const struct json_writer *parameters, const char *flag, bool set,
	char **ret, size_t *ret_len)
{
	_cleanup_json_writer_ struct json_writer w = { .form = JSON_COMPACT };

	json_open_object(&w, NULL);
	if (name)
		json_add_text(&w, key, name);
	if (parameters) {
		json_add_written(&w, "parameters", parameters);
	} else {
		json_open_object(&w, "parameters");
		json_close_object(&w);
	}
	if (set)
		json_add_bool(&w, flag, true);
	json_close_object(&w);
	if (w.error)
		return w.error;
	*ret = w.text;
	*ret_len = w.len + 1;
	w.text = NULL;
	return 0;
}

int varlink_compose_call(const char *method, const struct json_writer *parameters, bool more, char **ret, size_t *ret_len)
{
	return compose("method", method, parameters, "more", more, ret, ret_len);
}

int varlink_compose_reply(
	const char *error, const struct json_writer *parameters, bool continues, char **ret, size_t *ret_len)
{
	return compose("error", error, parameters, "continues", continues, ret, ret_len);
}
