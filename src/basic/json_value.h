/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The owner of json-c: what all need that read JSON or make some. Who includes this may call json-c; tests/includes says who that is.
 *
 * json-c takes NULL for null nearly everywhere, and so do the functions here: NULL has no members. */
#ifndef OFFLOADD_JSON_VALUE_H
#define OFFLOADD_JSON_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "basic/util.h"

/* Of the documents: grows when a field goes or changes its meaning, not when one is added. */
#define JSON_VERSION 1

static inline void json_value_put_pointer(struct json_object **value)
{
	json_object_put(*value);
}
#define _cleanup_json_ _cleanup_(json_value_put_pointer)

static inline void json_value_free_tokener(struct json_tokener **tokener)
{
	if (*tokener)
		json_tokener_free(*tokener);
}
#define _cleanup_tokener_ _cleanup_(json_value_free_tokener)

/* The object that text, of len bytes, begins with; nested at most depth deep. It is the caller's to put.
 * -EBADMSG when there is none, or not the whole of one; -ENOMEM. */
int json_value_parse(const char *text, size_t len, int depth, struct json_object **ret);

/* Can text be parsed in bounded memory? json-c spends a hundred bytes and more on a list of two characters.
 * containers, members: how many lists and objects, and how many commas, there may be in it. */
bool json_value_is_bounded(const char *text, size_t len, size_t containers, size_t members);

/* A member of an object, borrowed; NULL where there is none, or one of another type. */
struct json_object *json_value_member(struct json_object *object, const char *key, enum json_type type);

/* A member that is a string, borrowed; NULL as above. */
const char *json_value_text(struct json_object *object, const char *key);

/* A member that is a whole number; false, and *ret as it was, where there is none. */
bool json_value_int(struct json_object *object, const char *key, int64_t *ret);

/* Elements of a list; of NULL: 0. */
size_t json_value_count(struct json_object *list);

/* Add a member. The value is the object's; where memory ran out there is null, or no member. */
void json_value_add(struct json_object *to, const char *key, struct json_object *value);
void json_value_add_int(struct json_object *to, const char *key, int64_t value);
void json_value_add_bool(struct json_object *to, const char *key, bool value);
/* Printable text; NULL and "" give null. */
void json_value_add_text(struct json_object *to, const char *key, const char *text);

#endif
