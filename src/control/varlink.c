/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/varlink.h"

#include <errno.h>
#include <string.h>

#include "basic/json_value.h"
#include "basic/util.h"

static bool is_blank(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr(" \t\r\n", text[i]))
			return false;
	return true;
}

/* NULL for what is not one JSON object and nothing else. */
static int parse_object(const char *text, size_t len, struct json_object **ret)
{
	_cleanup_tokener_ struct json_tokener *tokener = json_tokener_new_ex(VARLINK_DEPTH_MAX);
	_cleanup_json_ struct json_object *root = NULL;
	size_t end;

	if (!tokener)
		return -ENOMEM;
	if (len == 0 || len > VARLINK_MESSAGE_MAX || memchr(text, '\0', len))
		return -EBADMSG;
	json_tokener_set_flags(tokener, JSON_TOKENER_VALIDATE_UTF8);
	root = json_tokener_parse_ex(tokener, text, (int)len);
	end = json_tokener_get_parse_end(tokener);
	if (!root || !json_object_is_type(root, json_type_object) || end > len ||
		!is_blank(text + end, len - end))
		return -EBADMSG;
	*ret = root;
	root = NULL;
	return 0;
}

static bool is_method(const char *name, size_t len)
{
	return len > 0 && len < VARLINK_NAME_MAX && strlen(name) == len &&
		strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") == len;
}

/* An absent flag is false. */
static bool take_flag(struct json_object *root, const char *name, bool *ret)
{
	struct json_object *value;

	*ret = false;
	if (!json_object_object_get_ex(root, name, &value) || !value)
		return true;
	*ret = json_object_get_boolean(value);
	return json_object_is_type(value, json_type_boolean);
}

int varlink_call_decode(const char *text, size_t len, struct varlink_call *ret)
{
	_cleanup_json_ struct json_object *root = NULL;
	struct json_object *method, *parameters = NULL;
	bool upgrade;
	int r = parse_object(text, len, &root);

	*ret = (struct varlink_call){ 0 };
	if (r < 0)
		return r;
	if (!json_object_object_get_ex(root, "method", &method) ||
		!json_object_is_type(method, json_type_string) ||
		!is_method(json_object_get_string(method), (size_t)json_object_get_string_len(method)))
		return -EBADMSG;
	if (json_object_object_get_ex(root, "parameters", &parameters) && parameters &&
		!json_object_is_type(parameters, json_type_object))
		return -EBADMSG;
	if (!take_flag(root, "more", &ret->more) || !take_flag(root, "oneway", &ret->oneway) ||
		!take_flag(root, "upgrade", &upgrade))
		return -EBADMSG;
	strcpy(ret->method, json_object_get_string(method));
	ret->parameters = json_object_get(parameters);
	return 0;
}

void varlink_call_clear(struct varlink_call *call)
{
	json_object_put(call->parameters);
	*call = (struct varlink_call){ 0 };
}

/* The value of a parameter, NULL when absent or null. */
static struct json_object *find(const struct varlink_call *call, const char *name)
{
	struct json_object *value = NULL;

	if (call->parameters)
		(void)json_object_object_get_ex(call->parameters, name, &value);
	return value;
}

/* A string without a NUL byte in it, else NULL. */
static const char *as_text(struct json_object *value)
{
	const char *text;

	if (!json_object_is_type(value, json_type_string))
		return NULL;
	text = json_object_get_string(value);
	return strlen(text) == (size_t)json_object_get_string_len(value) ? text : NULL;
}

int varlink_get_string(const struct varlink_call *call, const char *name, const char **ret)
{
	struct json_object *value = find(call, name);

	if (!value)
		return 0;
	*ret = as_text(value);
	return *ret ? 1 : -EINVAL;
}

int varlink_get_int(const struct varlink_call *call, const char *name, int64_t least, int64_t most,
	int64_t *ret)
{
	struct json_object *value = find(call, name);
	int64_t number;

	if (!value)
		return 0;
	if (!json_object_is_type(value, json_type_int))
		return -EINVAL;
	number = json_object_get_int64(value);
	if (number < least || number > most)
		return -EINVAL;
	*ret = number;
	return 1;
}

int varlink_get_bool(const struct varlink_call *call, const char *name, bool *ret)
{
	struct json_object *value = find(call, name);

	if (!value)
		return 0;
	if (!json_object_is_type(value, json_type_boolean))
		return -EINVAL;
	*ret = json_object_get_boolean(value);
	return 1;
}

int varlink_get_list(const struct varlink_call *call, const char *name, size_t *ret_n)
{
	struct json_object *value = find(call, name);

	*ret_n = 0;
	if (!value)
		return 0;
	if (!json_object_is_type(value, json_type_array))
		return -EINVAL;
	*ret_n = json_object_array_length(value);
	for (size_t i = 0; i < *ret_n; i++)
		if (!as_text(json_object_array_get_idx(value, i)))
			return -EINVAL;
	return 1;
}

const char *varlink_get_item(const struct varlink_call *call, const char *name, size_t i)
{
	return as_text(json_object_array_get_idx(find(call, name), i));
}

const char *varlink_unknown_parameter(const struct varlink_call *call, const char *const *names)
{
	if (!call->parameters)
		return NULL;
	json_object_object_foreach(call->parameters, key, value)
	{
		size_t i = 0;

		(void)value;
		while (names[i] && strcmp(names[i], key) != 0)
			i++;
		if (!names[i])
			return key;
	}
	return NULL;
}

int varlink_compose(const char *error, struct json_object *parameters, bool continues, char **ret,
	size_t *ret_len)
{
	_cleanup_json_ struct json_object *root = json_object_new_object();
	struct json_object *name = error ? json_object_new_string(error) : NULL;
	struct json_object *more = continues ? json_object_new_boolean(true) : NULL;
	const char *text = NULL;
	size_t len = 0;

	if (!parameters)
		parameters = json_object_new_object();
	if (!root || !parameters || (error && !name) || (continues && !more)) {
		json_object_put(parameters);
		json_object_put(name);
		json_object_put(more);
		return -ENOMEM;
	}
	if (name)
		json_object_object_add(root, "error", name);
	json_object_object_add(root, "parameters", parameters);
	if (more)
		json_object_object_add(root, "continues", more);
	text = json_object_to_json_string_length(
		root, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
	*ret = text ? malloc(len + 1) : NULL;
	if (!*ret)
		return -ENOMEM;
	memcpy(*ret, text, len + 1);
	*ret_len = len + 1;
	return 0;
}
