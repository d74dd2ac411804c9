/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads and writes JSON: all documents, messages and state files use this.
 *
 * No library is used, because json-c 0.16 (Debian 12) does not survive a lack of memory: it aborts in
 * json_object_array_add(NULL), crashes in the parser if strdup() of a name fails, and after other failed
 * allocations silently drops members, when reading and when writing. Here a document is one growing buffer
 * when written, and two allocations when read. A failed allocation is -ENOMEM; there is never an incomplete
 * document.
 *
 * The names follow RFC 8259, except "list" (array) and "text" (string). */
#ifndef OFFLOADD_BASIC_JSON_H
#define OFFLOADD_BASIC_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "basic/util.h"

/* The version of all documents. It grows if a member is removed or changes its meaning, not if one is
 * added. */
#define JSON_VERSION 1

enum json_kind {
	JSON_NULL,
	JSON_BOOL,
	JSON_INT,  /* a whole number that fits into an int64_t */
	JSON_REAL, /* any other number */
	JSON_TEXT,
	JSON_LIST,
	JSON_OBJECT,
	/* only for fields (below), as other forms of JSON_TEXT */
	JSON_NAME,     /* char[], printable ASCII */
	JSON_COPY,     /* char *, owned by the struct */
	JSON_BORROWED, /* const char *, valid as long as the parsed text */
};

/* ---- fields: members of an object that are members of a struct ---- */

/* One row of a table, which ends with a row without key. The type of the struct member, by kind:
 *   JSON_BOOL              bool
 *   JSON_INT               an integer of 4 or 8 bytes, from least to most (0: no limit); not negative unless least is
 *   JSON_TEXT, _NAME       char[], sanitized; a longer text is an error
 *   JSON_COPY, _BORROWED   see above; of at most `most` bytes (0: no limit)
 *   JSON_LIST, _OBJECT     const struct json_value *, borrowed; a list of at most `most` members */
struct json_field {
	const char *key;
	enum json_kind kind;
	bool required;	   /* reading: missing or null is an error */
	bool zero_is_null; /* writing: 0 or "" is written as null */
	size_t offset, size;
	int64_t least, most;
};
#define JSON_FIELD(type, member, name, json_kind, ...)                                              \
	{ .key = (name), .kind = (json_kind), .offset = offsetof(type, member),                     \
		.size = sizeof(((type *)NULL)->member), ##__VA_ARGS__ }

/* ---- writing ---- */

enum json_form {
	JSON_LINES,   /* indented, one member per line */
	JSON_LINE,    /* one document per line */
	JSON_COMPACT, /* without spaces, for messages */
};

/* A document while it is written, in order. Zero it, apart from form. Its functions return no errors: without
 * memory nothing more is added, and json_finish() or json_take() returns -ENOMEM. Text is sanitized
 * (util_clean()) and quoted. json_clear() frees it. */
struct json_writer {
	enum json_form form;
	int error; /* 0 or -ENOMEM */
	char *text;
	size_t len, room;
	unsigned depth;
	bool some;    /* the innermost list or object has a member */
	bool in_line; /* it is a list on one line */
};
void json_clear(struct json_writer *w);
#define _cleanup_json_writer_ _cleanup_(json_clear)

/* Opens the outermost object of a document of docs/schema, and writes its version and name. json_finish() or
 * json_take() closes it. */
void json_begin(struct json_writer *w, const char *document);

/* In the following functions key is the name of the member, NULL in a list and for the outermost value. Names
 * and texts are copied. */
void json_open_object(struct json_writer *w, const char *key);
void json_close_object(struct json_writer *w);
void json_open_list(struct json_writer *w, const char *key);
/* A list of numbers and texts that stays on one line in JSON_LINES. */
void json_open_line(struct json_writer *w, const char *key);
void json_close_list(struct json_writer *w);
/* Opens an object or a list if is_known, and otherwise writes null. Returns is_known. */
bool json_open_if(struct json_writer *w, const char *key, bool is_known);
bool json_open_list_if(struct json_writer *w, const char *key, bool is_known);
void json_add_null(struct json_writer *w, const char *key);
void json_add_bool(struct json_writer *w, const char *key, bool value);
void json_add_int(struct json_writer *w, const char *key, int64_t value);
/* null for 0 */
void json_add_positive(struct json_writer *w, const char *key, int64_t value);
/* null for infinity and NaN */
void json_add_real(struct json_writer *w, const char *key, double value);
/* null for NULL */
void json_add_text(struct json_writer *w, const char *key, const char *text);
/* null for NULL and "" */
void json_add_some(struct json_writer *w, const char *key, const char *text);
/* Keeps line breaks and tabs. text is not NULL. */
void json_add_lines(struct json_writer *w, const char *key, const char *text);
/* A name from the kernel: at most max bytes, sanitized to printable ASCII; null for NULL. */
void json_add_name(struct json_writer *w, const char *key, const char *name, size_t max);
/* Adds the value in another writer; both are JSON_COMPACT. Takes over its error. */
void json_add_written(struct json_writer *w, const char *key, const struct json_writer *part);
/* Adds the members of the table to the open object. from: the struct. */
void json_add_fields(struct json_writer *w, const struct json_field *fields, const void *from);
/* Adds a list of objects from an array of n structs of `size` bytes. */
void json_add_rows(struct json_writer *w, const char *key, const struct json_field *fields, const void *rows, size_t n,
	size_t size);

/* Closes the document of json_begin(), and writes it and a newline to out. 0; -ENOMEM (nothing is written);
 * -EIO. */
int json_finish(struct json_writer *w, FILE *out);
/* The same into memory: *ret is the caller's to free, *ret_len its length in bytes without the NUL. w is
 * empty afterwards. 0 or -ENOMEM. */
int json_take(struct json_writer *w, char **ret, size_t *ret_len);

/* ---- reading ---- */

struct json_value; /* a parsed value; NULL reads as null and has no members */

/* What is accepted from outside. */
struct json_limits {
	size_t bytes;
	size_t values;	/* of all kinds together */
	unsigned depth; /* nested lists and objects */
};
#define JSON_OF_CLIENT (&(const struct json_limits){ 64 << 10, 4 << 10, 8 })   /* a request to the daemon */
#define JSON_OF_DAEMON (&(const struct json_limits){ 16 << 20, 2 << 20, 16 }) /* a reply of the daemon */
#define JSON_OF_FILE (&(const struct json_limits){ 16 << 20, 2 << 20, 16 })

/* Parses a text of len bytes, which must be one value. *ret is the caller's to json_free(), and does not
 * refer to text. 0; -EBADMSG with the reason and its line in why (at most JSON_WHY_LEN bytes); -ENOMEM. */
#define JSON_WHY_LEN 128
int json_parse(const char *text, size_t len, const struct json_limits *limits, struct json_value **ret, char *why,
	size_t why_size);
/* Frees what json_parse() returned, with all values in it. NULL is ignored. */
void json_free(struct json_value *root);
CLEANUP_POINTER(struct json_value, json_free)
#define _cleanup_json_ _cleanup_(json_free_pointer)
/* Replaces root by one of the values in it (NULL: by null). All other values become invalid. */
void json_keep(struct json_value *root, const struct json_value *value);

enum json_kind json_kind(const struct json_value *value);
/* Members of an object or list; 0 for other kinds. */
size_t json_count(const struct json_value *of);
/* The first member (before: NULL) or the one after `before`; NULL at the end. */
const struct json_value *json_next(const struct json_value *of, const struct json_value *before);
#define json_foreach(value, of)                                                                     \
	for (const struct json_value *value = json_next(of, NULL); value; value = json_next(of, value))
/* The name of a member of an object. Borrowed. */
const char *json_key(const struct json_value *member);

/* A member of an object by name. If it is missing or of another kind: NULL, "", 0, false. Results are
 * borrowed. */
const struct json_value *json_get(const struct json_value *from, const char *key);
const struct json_value *json_get_list(const struct json_value *from, const char *key);
const struct json_value *json_get_object(const struct json_value *from, const char *key);
const char *json_get_text(const struct json_value *from, const char *key);
int64_t json_get_int(const struct json_value *from, const char *key);
bool json_get_bool(const struct json_value *from, const char *key);
/* json_get_int(), but 0 for a number that is not from 0 to most. */
int64_t json_get_count(const struct json_value *from, const char *key, int64_t most);
/* The value itself; "", 0 or false if it is of another kind. */
const char *json_as_text(const struct json_value *value);
int64_t json_as_int(const struct json_value *value);
bool json_as_bool(const struct json_value *value);

/* Reads and validates fields. The first error is kept, and nothing more is read after it, so that only the
 * end needs a check. Set why and why_size, and zero the rest. */
struct json_reader {
	char at[64]; /* where the reader is: "links[3]", "" at the top */
	char *why;   /* gets the error: "links[3].vlan_id is out of range" */
	size_t why_size;
	int error; /* 0, -EBADMSG, -ENOMEM */
};
/* Sets an error about a member (key NULL: about the current value) unless there is one. Returns r->error. */
int json_complain(struct json_reader *r, const char *key, const char *what);
/* Reads the members in the table from an object into the struct at ret. Other members are ignored, and
 * missing or null ones leave the struct unchanged. JSON_COPY frees the previous text. Returns r->error. */
int json_read(struct json_reader *r, const struct json_value *from, const struct json_field *fields, void *ret);
/* The name of the first member that is not in the table; NULL. */
const char *json_unknown(const struct json_value *from, const struct json_field *fields);

/* Iterates over a list of objects: for (struct json_each e = json_each(r, list, "links"); json_step(&e);)
 * uses e.item. key: the name of the list in errors. A member that is not an object is an error. */
struct json_each {
	struct json_reader *r;
	const struct json_value *list, *item;
	const char *key;
	size_t i, at_len;
};
struct json_each json_each(struct json_reader *r, const struct json_value *list, const char *key);
bool json_step(struct json_each *each);

/* Writes a parsed value. */
void json_add_value(struct json_writer *w, const char *key, const struct json_value *value);
/* Writes the members of a parsed object as members of the open one. */
void json_add_members(struct json_writer *w, const struct json_value *object);

#endif
