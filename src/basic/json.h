/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON, written and read: every document, message and file of ours goes through here, and nothing else knows its syntax.
 *
 * No library does this part, because none that we may depend on survives a lack of memory: json-c 0.16 (Debian 12) aborts in
 * json_object_array_add(NULL), crashes while parsing where strdup() of a name fails, and where another allocation fails it drops
 * members without a word, in both directions. Here each document is one growing buffer when written, and two allocations when read;
 * an allocation that fails is -ENOMEM, and never a document with something missing.
 *
 * The names follow RFC 8259, but for "list" (array) and "text" (string). */
#ifndef OFFLOADD_BASIC_JSON_H
#define OFFLOADD_BASIC_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "basic/util.h"

/* Of the documents: grows when a member goes or changes its meaning, not when one is added. */
#define JSON_VERSION 1

enum json_kind {
	JSON_NULL,
	JSON_BOOL,
	JSON_INT,  /* a whole number that an int64_t holds */
	JSON_REAL, /* any other number */
	JSON_TEXT,
	JSON_LIST,
	JSON_OBJECT,
	/* of fields only (below), a text in another form */
	JSON_NAME, /* printable ASCII */
	JSON_COPY, /* char *, the struct's own */
	JSON_BORROWED, /* const char *, valid as long as what was parsed */
};

/* ---- fields: members of an object that are members of a struct as they are ---- */

/* One row of a table, which a row without a key ends. What the member is, by kind:
 *   JSON_BOOL          bool
 *   JSON_INT           an integer of 4 or 8 bytes, from least to most (0: as much as it holds), never negative unless least is
 *   JSON_TEXT, _NAME   char[], cleaned; what does not fit is an error
 *   JSON_COPY, _BORROWED   text as it came
 *   JSON_LIST, _OBJECT     const struct json_value *, borrowed; a list of at most `most` members */
struct json_field {
	const char *key;
	enum json_kind kind;
	bool required;	   /* to be there, and not null */
	bool zero_is_null; /* written as null when 0 or "" */
	size_t offset, size;
	int64_t least, most;
};
#define JSON_FIELD(type, member, name, json_kind, ...)                                              \
	{ .key = (name), .kind = (json_kind), .offset = offsetof(type, member),                     \
		.size = sizeof(((type *)NULL)->member), ##__VA_ARGS__ }

/* ---- writing ---- */

enum json_form {
	JSON_LINES,   /* for people: one member a line */
	JSON_LINE,    /* one of many documents: on one line */
	JSON_COMPACT, /* messages: no blanks */
};

/* A document that is being written, from its first member to its last. No call has to be checked: where memory runs out nothing more
 * is added, and the end says so. Text is cleaned (util_clean()) and quoted. Freed by json_clear(). */
struct json_writer {
	enum json_form form;
	int error; /* 0 or -ENOMEM */
	char *text;
	size_t len, room;
	unsigned depth;
	bool some;    /* the innermost list or object has a member */
	bool in_line; /* it is a list whose members are on one line */
};
void json_clear(struct json_writer *w);
#define _cleanup_json_writer_ _cleanup_(json_clear)

/* Opens the outermost object of a document of docs/schema: version, document. json_finish() closes it. */
void json_begin(struct json_writer *w, const char *document);

/* In each of these key is the member's name, NULL for a member of a list and for the outermost value. It is copied. */
void json_open_object(struct json_writer *w, const char *key);
void json_close_object(struct json_writer *w);
void json_open_list(struct json_writer *w, const char *key);
/* Its members are numbers and texts, and stay on one line also in JSON_LINES. */
void json_open_line(struct json_writer *w, const char *key);
void json_close_list(struct json_writer *w);
/* Opens an object or a list where it is known, and returns that; else it is null. */
bool json_open_if(struct json_writer *w, const char *key, bool is_known);
bool json_open_list_if(struct json_writer *w, const char *key, bool is_known);
void json_add_null(struct json_writer *w, const char *key);
void json_add_bool(struct json_writer *w, const char *key, bool value);
void json_add_int(struct json_writer *w, const char *key, int64_t value);
/* null for 0 */
void json_add_positive(struct json_writer *w, const char *key, int64_t value);
/* null for what is not finite */
void json_add_real(struct json_writer *w, const char *key, double value);
/* null for NULL */
void json_add_text(struct json_writer *w, const char *key, const char *text);
/* null for NULL and for "" */
void json_add_some(struct json_writer *w, const char *key, const char *text);
/* Text of ours, in which line breaks are kept. */
void json_add_lines(struct json_writer *w, const char *key, const char *text);
/* A name from the kernel: printable ASCII, at most `max` bytes of it; null for NULL. */
void json_add_name(struct json_writer *w, const char *key, const char *name, size_t max);
/* What another writer has, which is JSON_COMPACT as w is. Its error becomes w's. */
void json_add_written(struct json_writer *w, const char *key, const struct json_writer *part);
void json_add_fields(struct json_writer *w, const struct json_field *fields, const void *from);
/* A list of n structs of `size` bytes, all of whose members are fields. */
void json_add_rows(struct json_writer *w, const char *key, const struct json_field *fields, const void *rows, size_t n,
	size_t size);

/* The end of a document that json_begin() began. Writes it and a newline; 0, -ENOMEM when anything was lost (nothing is written then),
 * -EIO. */
int json_finish(struct json_writer *w, FILE *out);
/* The same into memory, the caller's to free, w is empty then. *ret_len without the NUL. */
int json_take(struct json_writer *w, char **ret, size_t *ret_len);

/* ---- reading ---- */

struct json_value; /* of a text that was parsed; NULL is null and has no members */

/* What a text from outside may cost before it is refused. */
struct json_limits {
	size_t bytes;
	size_t values; /* of all kinds together */
	unsigned depth; /* of lists and objects in each other */
};
#define JSON_OF_CLIENT (&(const struct json_limits){ 64 << 10, 4 << 10, 8 }) /* a message to the daemon */
#define JSON_OF_DAEMON (&(const struct json_limits){ 16 << 20, 2 << 20, 16 }) /* and its answer */
#define JSON_OF_FILE (&(const struct json_limits){ 16 << 20, 2 << 20, 16 })

/* The value that is all of text, but for blanks. The caller's to free, text may go. 0; -EBADMSG, and why says what is wrong and in which
 * line (JSON_WHY_LEN is enough for it); -ENOMEM. */
#define JSON_WHY_LEN 128
int json_parse(const char *text, size_t len, const struct json_limits *limits, struct json_value **ret, char *why,
	size_t why_size);
void json_free(struct json_value *root);
void json_free_pointer(struct json_value **root);
#define _cleanup_json_ _cleanup_(json_free_pointer)
/* Drops all of what was parsed but for one value of it, which takes the place of root; NULL: nothing is left but null. */
void json_keep(struct json_value *root, const struct json_value *value);

enum json_kind json_kind(const struct json_value *value);
/* Of an object or a list: how many, 0 for anything else; and each in turn. */
size_t json_count(const struct json_value *of);
const struct json_value *json_next(const struct json_value *of, const struct json_value *before);
#define json_foreach(value, of)                                                                     \
	for (const struct json_value *value = json_next(of, NULL); value; value = json_next(of, value))
/* The name of an object's member. */
const char *json_key(const struct json_value *member);
const struct json_value *json_item(const struct json_value *list, size_t i);

/* For what may be missing or of another kind: a member by name, else NULL, "", 0, false. */
const struct json_value *json_get(const struct json_value *from, const char *key);
const struct json_value *json_get_list(const struct json_value *from, const char *key);
const struct json_value *json_get_object(const struct json_value *from, const char *key);
const char *json_get_text(const struct json_value *from, const char *key);
int64_t json_get_int(const struct json_value *from, const char *key);
bool json_get_bool(const struct json_value *from, const char *key);
/* The value itself: "", 0, false when it is of another kind. */
const char *json_as_text(const struct json_value *value);
int64_t json_as_int(const struct json_value *value);
bool json_as_bool(const struct json_value *value);

/* For what must be as it should: reads fields into a struct, and says what is wrong. Nothing has to be checked: after the first mistake
 * nothing more is read, and the end says so. */
struct json_reader {
	char at[64]; /* "links[3]", where the reader is; "" for the top */
	char *why;   /* of error: "links[3].vlan_id is out of range" */
	size_t why_size;
	int error; /* 0, -EBADMSG, -ENOMEM */
};
/* A mistake in a member (NULL: in the value that the reader is at), unless there was one before. Returns r->error. */
int json_complain(struct json_reader *r, const char *key, const char *what);
/* Members that the table has not are passed over; of those that are missing or null the struct keeps what it has. JSON_COPY takes the
 * place of what it points to. Returns r->error. */
int json_read(struct json_reader *r, const struct json_value *from, const struct json_field *fields, void *ret);
/* The first member of an object that the table has not; NULL. */
const char *json_unknown(const struct json_value *from, const struct json_field *fields);

/* The members of a list, each of which must be an object: for (struct json_each e = json_each(r, list, "links"); json_step(&e);) */
struct json_each {
	struct json_reader *r;
	const struct json_value *list, *item;
	const char *key;
	size_t i, at_len;
};
struct json_each json_each(struct json_reader *r, const struct json_value *list, const char *key);
bool json_step(struct json_each *each);

/* Writes what was read. */
void json_add_value(struct json_writer *w, const char *key, const struct json_value *value);
/* The members of an object as members of the one that is open. */
void json_add_members(struct json_writer *w, const struct json_value *object);

#endif
