/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How documents are made of json-c's objects; only for the files that write some. */
#ifndef OFFLOADD_JSON_PRIVATE_H
#define OFFLOADD_JSON_PRIVATE_H

#include <errno.h>

#include "report/json.h"
#include "basic/json_value.h"
#include "basic/util.h"

/* json-c gives NULL only where memory ran out; json_object_object_add and _array_add take it for
 * null. A document that lost something that way must not pass for a whole one, so each loss is
 * counted. */
struct document {
	json_object *root;
	unsigned lost;
};

static inline void put_document(struct document *d)
{
	json_object_put(d->root);
}
#define _cleanup_document_ _cleanup_(put_document)

static inline json_object *keep(struct document *d, json_object *o)
{
	d->lost += !o;
	return o;
}

/* The key is not copied: it must outlive the document, as literals do. */
static inline void add(struct document *d, json_object *to, const char *key, json_object *value)
{
	if (!to || json_object_object_add_ex(to, key, value, JSON_C_OBJECT_KEY_IS_CONSTANT) < 0)
		d->lost++;
}

static inline void add_with_own_key(struct document *d, json_object *to, const char *key, json_object *value)
{
	if (!to || json_object_object_add(to, key, value) < 0)
		d->lost++;
}

static inline void push(struct document *d, json_object *to, json_object *value)
{
	if (!to || json_object_array_add(to, value) < 0)
		d->lost++;
}

static inline json_object *new_object(struct document *d)
{
	return keep(d, json_object_new_object());
}

static inline json_object *new_array(struct document *d)
{
	return keep(d, json_object_new_array());
}

static inline void add_bool(struct document *d, json_object *to, const char *key, bool value)
{
	add(d, to, key, keep(d, json_object_new_boolean(value)));
}

static inline void add_number(struct document *d, json_object *to, const char *key, int64_t value)
{
	add(d, to, key, keep(d, json_object_new_int64(value)));
}

static inline json_object *new_text(struct document *d, const char *text)
{
	char clean[4096];

	return keep(d, json_object_new_string(view_clean(text, clean, sizeof(clean))));
}

/* NULL text gives null. */
static inline void add_text(struct document *d, json_object *to, const char *key, const char *text)
{
	add(d, to, key, text ? new_text(d, text) : NULL);
}

static inline void add_link_name(struct document *d, json_object *to, const char *key, const char *name)
{
	char clean[LINK_NAME_LEN];

	util_copy_name(clean, sizeof(clean), name, LINK_NAME_LEN);
	add_text(d, to, key, clean);
}

static inline json_object *new_names(
	struct document *d, const struct feature_table *table, feature_set set)
{
	json_object *names = new_array(d);
	unsigned bit;

	feature_foreach (bit, set)
		push(d, names, new_text(d, feature_name(table, bit)));
	return names;
}

static inline void add_names(struct document *d, json_object *to, const char *key,
	const struct feature_table *table, feature_set set)
{
	add(d, to, key, new_names(d, table, set));
}

static inline void begin(struct document *d, const char *document)
{
	d->root = new_object(d);
	add_number(d, d->root, "version", JSON_VERSION);
	add_text(d, d->root, "document", document);
}

#define IN_LINES (JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED)

static inline int write_as(struct document *d, FILE *out, int flags)
{
	const char *text = d->root && !d->lost ? json_object_to_json_string_ext(d->root,
							 flags | JSON_C_TO_STRING_NOSLASHESCAPE)
					       : NULL;

	if (!text)
		return -ENOMEM;
	return fputs(text, out) < 0 || fputc('\n', out) < 0 ? -EIO : 0;
}

static inline int write_out(struct document *d, FILE *out)
{
	return write_as(d, out, IN_LINES);
}

/* On one line: one of many documents. */
static inline int write_line(struct document *d, FILE *out)
{
	return write_as(d, out, JSON_C_TO_STRING_SPACED);
}

#endif
