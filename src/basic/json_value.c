/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "basic/json_value.h"

#include <errno.h>
#include <limits.h>

int json_value_parse(const char *text, size_t len, int depth, struct json_object **ret)
{
	_cleanup_tokener_ struct json_tokener *tokener = json_tokener_new_ex(depth);
	_cleanup_json_ struct json_object *root = NULL;

	if (!tokener)
		return -ENOMEM;
	if (len > 0 && len <= INT_MAX)
		root = json_tokener_parse_ex(tokener, text, (int)len);
	if (!json_object_is_type(root, json_type_object))
		return -EBADMSG;
	*ret = root;
	root = NULL;
	return 0;
}

bool json_value_is_bounded(const char *text, size_t len, size_t containers, size_t members)
{
	size_t n_containers = 0, n_members = 0;

	for (size_t i = 0; i < len; i++) {
		n_containers += text[i] == '[' || text[i] == '{';
		n_members += text[i] == ',';
	}
	return n_containers <= containers && n_members <= members;
}

struct json_object *json_value_member(struct json_object *object, const char *key, enum json_type type)
{
	struct json_object *value;

	return json_object_is_type(object, json_type_object) && json_object_object_get_ex(object, key, &value) &&
			json_object_is_type(value, type)
		? value
		: NULL;
}

const char *json_value_text(struct json_object *object, const char *key)
{
	return json_object_get_string(json_value_member(object, key, json_type_string));
}

bool json_value_int(struct json_object *object, const char *key, int64_t *ret)
{
	struct json_object *value = json_value_member(object, key, json_type_int);

	if (value)
		*ret = json_object_get_int64(value);
	return value;
}

size_t json_value_count(struct json_object *list)
{
	return list ? json_object_array_length(list) : 0;
}

void json_value_add(struct json_object *to, const char *key, struct json_object *value)
{
	json_object_object_add(to, key, value);
}

void json_value_add_int(struct json_object *to, const char *key, int64_t value)
{
	json_value_add(to, key, json_object_new_int64(value));
}

void json_value_add_bool(struct json_object *to, const char *key, bool value)
{
	json_value_add(to, key, json_object_new_boolean(value));
}

void json_value_add_text(struct json_object *to, const char *key, const char *text)
{
	json_value_add(to, key, text && text[0] ? json_object_new_string(text) : NULL);
}
