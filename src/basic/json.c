/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "basic/json.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <string.h>

/* ---- writing ---- */

void json_clear(struct json_writer *w)
{
	free(w->text);
	*w = (struct json_writer){ .form = w->form };
}

static void put(struct json_writer *w, const char *text, size_t len)
{
	if (w->error)
		return;
	if (w->room - w->len <= len) {
		size_t room = 2 * w->room + len + 128;
		char *grown = realloc(w->text, room);

		if (!grown) {
			w->error = -ENOMEM;
			return;
		}
		w->text = grown;
		w->room = room;
	}
	memcpy(w->text + w->len, text, len);
	w->len += len;
	w->text[w->len] = '\0';
}

static void put_string(struct json_writer *w, const char *text)
{
	put(w, text, strlen(text));
}

static void put_indent(struct json_writer *w)
{
	put_string(w, "\n");
	for (unsigned i = 0; i < w->depth; i++)
		put_string(w, "  ");
}

/* Length of the next part of the text that needs no escape; 0 if its first byte is not printable UTF-8. */
static size_t plain_length(const char *text, size_t left)
{
	size_t n = 0;

	while (n < left && text[n] >= 0x20 && text[n] < 0x7f && text[n] != '"' && text[n] != '\\')
		n++;
	return n ? n : util_printable(text, left);
}

/* Writes a quoted text; lines: keeps line breaks and tabs. */
static void put_text(struct json_writer *w, const char *text, size_t left, bool lines)
{
	put_string(w, "\"");
	while (left) {
		size_t n = 1;

		if (*text == '"' || *text == '\\') {
			put(w, (const char[]){ '\\', *text }, 2);
		} else if (lines && (*text == '\n' || *text == '\t')) {
			put_string(w, *text == '\n' ? "\\n" : "\\t");
		} else {
			n = plain_length(text, left);
			put(w, n ? text : "?", n ? n : 1);
			n = n ? n : 1;
		}
		text += n;
		left -= n;
	}
	put_string(w, "\"");
}

/* Writes what precedes a value: the comma, spaces, and the name. */
static void put_key(struct json_writer *w, const char *key)
{
	if (w->depth && w->some)
		put_string(w, ",");
	if (w->depth && w->form == JSON_LINES && !w->in_line)
		put_indent(w);
	else if (w->depth && w->form != JSON_COMPACT && (w->some || !w->in_line))
		put_string(w, " ");
	if (key) {
		put_text(w, key, strlen(key), false);
		put_string(w, w->form == JSON_COMPACT ? ":" : ": ");
	}
	w->some = true;
}

static void open(struct json_writer *w, const char *key, const char *bracket)
{
	put_key(w, key);
	put_string(w, bracket);
	w->depth++;
	w->some = false;
}

static void close(struct json_writer *w, const char *bracket)
{
	w->depth--;
	if (w->form == JSON_LINES && w->some && !w->in_line)
		put_indent(w);
	else if (w->form == JSON_LINE && !w->in_line)
		put_string(w, " ");
	put_string(w, bracket);
	w->some = true;
	w->in_line = false;
}

void json_open_object(struct json_writer *w, const char *key)
{
	open(w, key, "{");
}

void json_close_object(struct json_writer *w)
{
	close(w, "}");
}

void json_open_list(struct json_writer *w, const char *key)
{
	open(w, key, "[");
}

void json_open_line(struct json_writer *w, const char *key)
{
	open(w, key, "[");
	w->in_line = true;
}

bool json_open_if(struct json_writer *w, const char *key, bool is_known)
{
	if (is_known)
		json_open_object(w, key);
	else
		json_add_null(w, key);
	return is_known;
}

bool json_open_list_if(struct json_writer *w, const char *key, bool is_known)
{
	if (is_known)
		json_open_list(w, key);
	else
		json_add_null(w, key);
	return is_known;
}

void json_close_list(struct json_writer *w)
{
	close(w, "]");
}

void json_begin(struct json_writer *w, const char *document)
{
	json_open_object(w, NULL);
	json_add_int(w, "version", JSON_VERSION);
	json_add_text(w, "document", document);
}

static void add(struct json_writer *w, const char *key, const char *value)
{
	put_key(w, key);
	put_string(w, value);
}

void json_add_null(struct json_writer *w, const char *key)
{
	add(w, key, "null");
}

void json_add_bool(struct json_writer *w, const char *key, bool value)
{
	add(w, key, value ? "true" : "false");
}

void json_add_int(struct json_writer *w, const char *key, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	add(w, key, text);
}

void json_add_positive(struct json_writer *w, const char *key, int64_t value)
{
	if (value)
		json_add_int(w, key, value);
	else
		json_add_null(w, key);
}

void json_add_real(struct json_writer *w, const char *key, double value)
{
	char text[40];

	snprintf(text, sizeof(text), "%.17g", value);
	if (isfinite(value) && !strpbrk(text, ".e"))
		strcat(text, ".0");
	add(w, key, isfinite(value) ? text : "null");
}

static void add_text(struct json_writer *w, const char *key, const char *text, size_t len, bool lines)
{
	put_key(w, key);
	if (text)
		put_text(w, text, len, lines);
	else
		put_string(w, "null");
}

void json_add_text(struct json_writer *w, const char *key, const char *text)
{
	add_text(w, key, text, text ? strlen(text) : 0, false);
}

void json_add_some(struct json_writer *w, const char *key, const char *text)
{
	json_add_text(w, key, text && *text ? text : NULL);
}

void json_add_lines(struct json_writer *w, const char *key, const char *text)
{
	add_text(w, key, text, strlen(text), true);
}

void json_add_name(struct json_writer *w, const char *key, const char *name, size_t max)
{
	char clean[128];

	if (name)
		util_copy_name(clean, sizeof(clean), name, max);
	json_add_text(w, key, name ? clean : NULL);
}

void json_add_written(struct json_writer *w, const char *key, const struct json_writer *part)
{
	put_key(w, key);
	put(w, part->text ? part->text : "null", part->text ? part->len : 4);
	if (part->error)
		w->error = part->error;
}

static int64_t get_number(const struct json_field *field, const void *member)
{
	int64_t wide;
	int32_t number;

	if (field->size == sizeof(wide)) {
		memcpy(&wide, member, sizeof(wide));
		return wide;
	}
	memcpy(&number, member, sizeof(number));
	return field->least < 0 ? number : (int64_t)(uint32_t)number;
}

static void add_field(struct json_writer *w, const struct json_field *field, const void *member)
{
	bool is_pointer = field->kind == JSON_COPY || field->kind == JSON_BORROWED;
	const char *text = is_pointer ? *(const char *const *)member : member;

	if (field->kind == JSON_BOOL)
		json_add_bool(w, field->key, *(const bool *)member);
	else if (field->kind == JSON_INT && field->zero_is_null)
		json_add_positive(w, field->key, get_number(field, member));
	else if (field->kind == JSON_INT)
		json_add_int(w, field->key, get_number(field, member));
	else if (field->zero_is_null && text && !*text)
		json_add_null(w, field->key);
	else if (field->kind == JSON_NAME)
		json_add_name(w, field->key, text, field->size);
	else
		json_add_text(w, field->key, text);
}

void json_add_fields(struct json_writer *w, const struct json_field *fields, const void *from)
{
	for (; fields->key; fields++)
		add_field(w, fields, (const char *)from + fields->offset);
}

void json_add_rows(struct json_writer *w, const char *key, const struct json_field *fields, const void *rows, size_t n,
	size_t size)
{
	json_open_list(w, key);
	for (size_t i = 0; i < n; i++) {
		json_open_object(w, NULL);
		json_add_fields(w, fields, (const char *)rows + i * size);
		json_close_object(w);
	}
	json_close_list(w);
}

static int end(struct json_writer *w)
{
	json_close_object(w);
	put_string(w, "\n");
	return w->error;
}

int json_finish(struct json_writer *w, FILE *out)
{
	if (end(w) < 0)
		return w->error;
	return fwrite(w->text, 1, w->len, out) == w->len ? 0 : -EIO;
}

int json_take(struct json_writer *w, char **ret, size_t *ret_len)
{
	if (end(w) < 0)
		return w->error;
	*ret = w->text;
	*ret_len = w->len;
	w->text = NULL;
	json_clear(w);
	return 0;
}

/* ---- parsing ---- */

struct json_value {
	const char *key; /* NULL for a member of a list */
	union {
		bool yes;
		int64_t number;
		double real;
		const char *text;
		uint32_t n; /* members */
	};
	uint32_t skip; /* distance to the next sibling, in values */
	enum json_kind kind;
};

/* What json_parse() allocates: the values in the order of the text, and a copy of the text, which their
 * strings point into. */
struct document {
	char *text;
	struct json_value values[];
};

static struct document *document_of(struct json_value *root)
{
	return (struct document *)((char *)root - offsetof(struct document, values));
}

struct parser {
	const struct json_limits *limits;
	struct document *document;
	char *text; /* NUL-terminated; no value starts with a NUL, so parsing ends there */
	size_t len, at;
	size_t n, room; /* values */
	unsigned depth;
	const char *what; /* the error */
};

static int bad(struct parser *p, const char *what)
{
	p->what = what;
	return -EBADMSG;
}

static char skip_blanks(struct parser *p)
{
	while (p->text[p->at] && strchr(" \t\r\n", p->text[p->at]))
		p->at++;
	return p->text[p->at];
}

static int parse_hex(struct parser *p, uint32_t *ret)
{
	*ret = 0;
	for (unsigned i = 0; i < 4; i++, p->at++) {
		char c = p->text[p->at];

		if (c >= '0' && c <= '9')
			*ret = *ret << 4 | (uint32_t)(c - '0');
		else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
			*ret = *ret << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return bad(p, "expected four hexadecimal digits after \\u");
	}
	return 0;
}

static char *put_utf8(char *out, uint32_t c)
{
	static const uint8_t first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	unsigned len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (unsigned i = len; i-- > 1; c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(first[len % 5] | c);
	if (len == 1)
		out[0] = (char)c;
	return out + len;
}

/* "\u20ac", or a surrogate pair. */
static int parse_unicode(struct parser *p, char **out)
{
	uint32_t c, low;

	if (parse_hex(p, &c) < 0)
		return -EBADMSG;
	if (c >= 0xd800 && c < 0xdc00 && p->text[p->at] == '\\' && p->text[p->at + 1] == 'u') {
		p->at += 2;
		if (parse_hex(p, &low) < 0)
			return -EBADMSG;
		c = low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((c - 0xd800) << 10 | (low - 0xdc00)) : 0;
	}
	if (c == 0 || (c >= 0xd800 && c < 0xe000))
		return bad(p, "invalid \\u escape");
	*out = put_utf8(*out, c);
	return 0;
}

static int parse_escape(struct parser *p, char **out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char c = p->text[++p->at];
	const char *found = c ? strchr(from, c) : NULL;

	if (c == 'u') {
		p->at++;
		return parse_unicode(p, out);
	}
	if (!found)
		return bad(p, "invalid escape");
	*(*out)++ = to[found - from];
	p->at++;
	return 0;
}

/* Decodes in place, because the result is never longer. */
static int parse_text(struct parser *p, const char **ret)
{
	char *out = p->text + ++p->at;
	uint32_t c;

	*ret = out;
	while (p->text[p->at] != '"') {
		size_t n;

		if (p->text[p->at] == '\\') {
			if (parse_escape(p, &out) < 0)
				return -EBADMSG;
			continue;
		}
		n = util_character(p->text + p->at, p->len - p->at, &c);
		if (n == 0 || c < 0x20)
			return bad(p, n ? "control character in a text" : "text is not UTF-8");
		memmove(out, p->text + p->at, n);
		out += n;
		p->at += n;
	}
	*out = '\0';
	p->at++;
	return 0;
}

static bool skip_digits(struct parser *p)
{
	size_t n = strspn(p->text + p->at, "0123456789");

	p->at += n;
	return n;
}

static int parse_number(struct parser *p, struct json_value *ret)
{
	const char *start = p->text + p->at;
	bool is_whole = true, is_good;

	p->at += *start == '-';
	if (p->text[p->at] == '0') {
		p->at++;
		is_good = true;
	} else {
		is_good = skip_digits(p);
	}
	if (is_good && p->text[p->at] == '.') {
		is_whole = false;
		p->at++;
		is_good = skip_digits(p);
	}
	if (is_good && (p->text[p->at] | 0x20) == 'e') {
		is_whole = false;
		p->at++;
		p->at += p->text[p->at] == '+' || p->text[p->at] == '-';
		is_good = skip_digits(p);
	}
	if (!is_good)
		return bad(p, "expected a value");
	errno = 0;
	ret->number = is_whole ? strtoll(start, NULL, 10) : 0;
	ret->kind = JSON_INT;
	if (is_whole && errno == 0)
		return 0;
	ret->kind = JSON_REAL;
	ret->real = strtod(start, NULL);
	return 0;
}

static int parse_word(struct parser *p, const char *word, struct json_value *ret)
{
	for (; *word; word++, p->at++)
		if (p->text[p->at] != *word)
			return bad(p, "expected a value");
	ret->yes = word[-1] == 'e' && word[-2] == 'u';
	return 0;
}

static int parse_value(struct parser *p, const char *key);

/* Parses the members of value i, an object if its end is }, else a list. */
static int parse_members(struct parser *p, size_t i, char end)
{
	const char *key = NULL;
	uint32_t n = 0;
	int r = 0;

	if (++p->depth > p->limits->depth)
		return bad(p, "nested too deeply");
	p->at++;
	while (skip_blanks(p) != end || n) {
		if (end == '}') {
			if (p->text[p->at] != '"')
				return bad(p, "expected a name");
			if (parse_text(p, &key) < 0)
				return -EBADMSG;
			if (skip_blanks(p) != ':')
				return bad(p, "expected a colon");
			p->at++;
		}
		r = parse_value(p, key);
		if (r < 0)
			return r;
		n++;
		if (skip_blanks(p) == end)
			break;
		if (p->text[p->at] != ',')
			return bad(p, "expected a comma");
		p->at++;
	}
	p->at++;
	p->depth--;
	p->document->values[i].n = n;
	p->document->values[i].kind = end == '}' ? JSON_OBJECT : JSON_LIST;
	return 0;
}

static int add_value(struct parser *p)
{
	size_t room = p->room * 2 + 16;
	struct document *grown;

	if (p->n == p->limits->values)
		return bad(p, "too many values");
	if (p->n < p->room)
		return 0;
	room = room < p->limits->values ? room : p->limits->values;
	grown = realloc(p->document, sizeof(*grown) + room * sizeof(*grown->values));
	if (!grown)
		return -ENOMEM;
	p->document = grown;
	p->room = room;
	return 0;
}

static int parse_value(struct parser *p, const char *key)
{
	struct json_value value = { .key = key };
	char c = skip_blanks(p);
	size_t i = p->n;
	int r = add_value(p);

	if (r < 0)
		return r;
	p->document->values[p->n++] = value;
	if (c == '{' || c == '[') {
		r = parse_members(p, i, c == '{' ? '}' : ']');
		p->document->values[i].skip = (uint32_t)(p->n - i);
		return r;
	}
	value.skip = 1;
	if (c == '"') {
		value.kind = JSON_TEXT;
		r = parse_text(p, &value.text);
	} else if (c == 't' || c == 'f') {
		value.kind = JSON_BOOL;
		r = parse_word(p, c == 't' ? "true" : "false", &value);
	} else if (c == 'n') {
		r = parse_word(p, "null", &value);
	} else {
		r = parse_number(p, &value);
	}
	p->document->values[i] = value;
	return r;
}

static int parse_all(struct parser *p)
{
	int r = parse_value(p, NULL);

	if (r < 0)
		return r;
	skip_blanks(p);
	return p->at < p->len ? bad(p, "unexpected text after the document") : 0;
}

static void explain(const struct parser *p, const char *text, char *why, size_t why_size)
{
	unsigned line = 1;

	for (size_t i = 0; i < p->at && i < p->len; i++)
		line += text[i] == '\n';
	if (p->at < p->len)
		snprintf(why, why_size, "line %u: %s", line, p->what);
	else
		snprintf(why, why_size, "truncated at line %u; copy the complete text", line);
}

int json_parse(const char *text, size_t len, const struct json_limits *limits, struct json_value **ret, char *why,
	size_t why_size)
{
	struct parser p = { .limits = limits, .len = len };
	int r;

	if (len > limits->bytes) {
		snprintf(why, why_size, "larger than %zu KiB", limits->bytes >> 10);
		return -EBADMSG;
	}
	p.text = malloc(len + 1);
	if (!p.text)
		return -ENOMEM;
	memcpy(p.text, text, len);
	p.text[len] = '\0';
	r = parse_all(&p);
	if (r < 0) {
		if (r == -EBADMSG)
			explain(&p, text, why, why_size);
		free(p.text);
		free(p.document);
		return r;
	}
	p.document->text = p.text;
	*ret = p.document->values;
	return 0;
}

void json_free(struct json_value *root)
{
	if (!root)
		return;
	free(document_of(root)->text);
	free(document_of(root));
}

void json_keep(struct json_value *root, const struct json_value *value)
{
	if (value)
		memmove(root, value, value->skip * sizeof(*value));
	else
		*root = (struct json_value){ .skip = 1 };
	root->key = NULL;
}

/* ---- values ---- */

enum json_kind json_kind(const struct json_value *value)
{
	return value ? value->kind : JSON_NULL;
}

static bool has_members(const struct json_value *value)
{
	return value && (value->kind == JSON_LIST || value->kind == JSON_OBJECT);
}

size_t json_count(const struct json_value *of)
{
	return has_members(of) ? of->n : 0;
}

const struct json_value *json_next(const struct json_value *of, const struct json_value *before)
{
	const struct json_value *next;

	if (!json_count(of))
		return NULL;
	next = before ? before + before->skip : of + 1;
	return next < of + of->skip ? next : NULL;
}

const char *json_key(const struct json_value *member)
{
	return member->key;
}

const struct json_value *json_get(const struct json_value *from, const char *key)
{
	if (json_kind(from) == JSON_OBJECT)
		json_foreach(member, from)
			if (strcmp(member->key, key) == 0)
				return member;
	return NULL;
}

static const struct json_value *get(const struct json_value *from, const char *key, enum json_kind kind)
{
	const struct json_value *value = json_get(from, key);

	return json_kind(value) == kind ? value : NULL;
}

const struct json_value *json_get_list(const struct json_value *from, const char *key)
{
	return get(from, key, JSON_LIST);
}

const struct json_value *json_get_object(const struct json_value *from, const char *key)
{
	return get(from, key, JSON_OBJECT);
}

const char *json_get_text(const struct json_value *from, const char *key)
{
	return json_as_text(json_get(from, key));
}

int64_t json_get_int(const struct json_value *from, const char *key)
{
	return json_as_int(json_get(from, key));
}

int64_t json_get_count(const struct json_value *from, const char *key, int64_t most)
{
	int64_t number = json_get_int(from, key);

	return number >= 0 && number <= most ? number : 0;
}

bool json_get_bool(const struct json_value *from, const char *key)
{
	return json_as_bool(json_get(from, key));
}

const char *json_as_text(const struct json_value *value)
{
	return json_kind(value) == JSON_TEXT ? value->text : "";
}

int64_t json_as_int(const struct json_value *value)
{
	return json_kind(value) == JSON_INT ? value->number : 0;
}

bool json_as_bool(const struct json_value *value)
{
	return json_kind(value) == JSON_BOOL && value->yes;
}

/* ---- fields ---- */

int json_complain(struct json_reader *r, const char *key, const char *what)
{
	if (r->error)
		return r->error;
	snprintf(r->why, r->why_size, "%s%s%s %s", r->at, r->at[0] && key ? "." : "", key ? key : "", what);
	r->error = -EBADMSG;
	return r->error;
}

static enum json_kind kind_of(const struct json_field *field)
{
	return field->kind <= JSON_OBJECT ? field->kind : JSON_TEXT;
}

static void read_int(struct json_reader *r, const struct json_value *value, const struct json_field *field, void *ret)
{
	bool is_wide = field->size == sizeof(int64_t);
	int64_t most = field->most ? field->most : is_wide ? INT64_MAX : INT32_MAX;
	int32_t narrow = (int32_t)value->number;

	if (value->number < field->least || value->number > most)
		json_complain(r, field->key, "is out of range");
	else
		memcpy(ret, is_wide ? (const void *)&value->number : &narrow, field->size);
}

static void read_text(struct json_reader *r, const struct json_value *value, const struct json_field *field, void *ret)
{
	bool is_array = field->kind == JSON_TEXT || field->kind == JSON_NAME;
	size_t len = strlen(value->text);
	char *copy;

	if (is_array ? len >= field->size : field->most && len > (size_t)field->most) {
		json_complain(r, field->key, "is too long");
	} else if (field->kind == JSON_TEXT) {
		util_clean(value->text, ret, field->size);
	} else if (field->kind == JSON_NAME) {
		util_copy_name(ret, field->size, value->text, len);
	} else if (field->kind == JSON_BORROWED) {
		*(const char **)ret = value->text;
	} else {
		copy = strdup(value->text);
		if (!copy) {
			r->error = -ENOMEM;
			return;
		}
		free(*(char **)ret);
		*(char **)ret = copy;
	}
}

static void read_field(struct json_reader *r, const struct json_value *value, const struct json_field *field, void *ret)
{
	static const char *const wrong[] = {
		[JSON_BOOL] = "is not true or false",
		[JSON_INT] = "is not a whole number",
		[JSON_TEXT] = "is not a text",
		[JSON_LIST] = "is not a list",
		[JSON_OBJECT] = "is not an object",
	};

	if (json_kind(value) == JSON_NULL) {
		if (field->required)
			json_complain(r, field->key, "is missing");
	} else if (value->kind != kind_of(field)) {
		json_complain(r, field->key, wrong[kind_of(field)]);
	} else if (value->kind == JSON_BOOL) {
		*(bool *)ret = value->yes;
	} else if (value->kind == JSON_INT) {
		read_int(r, value, field, ret);
	} else if (value->kind == JSON_TEXT) {
		read_text(r, value, field, ret);
	} else if (value->kind == JSON_LIST && value->n > field->most) {
		json_complain(r, field->key, "has too many members");
	} else {
		*(const struct json_value **)ret = value;
	}
}

int json_read(struct json_reader *r, const struct json_value *from, const struct json_field *fields, void *ret)
{
	for (; fields->key && !r->error; fields++)
		read_field(r, json_get(from, fields->key), fields, (char *)ret + fields->offset);
	return r->error;
}

const char *json_unknown(const struct json_value *from, const struct json_field *fields)
{
	json_foreach(member, from)
	{
		const struct json_field *field = fields;

		while (field->key && strcmp(field->key, member->key) != 0)
			field++;
		if (!field->key)
			return member->key;
	}
	return NULL;
}

struct json_each json_each(struct json_reader *r, const struct json_value *list, const char *key)
{
	return (struct json_each){ .r = r, .list = list, .key = key, .at_len = strlen(r->at) };
}

bool json_step(struct json_each *each)
{
	struct json_reader *r = each->r;

	if (r->error) /* r->at still names the place of the error */
		return false;
	r->at[each->at_len] = '\0';
	each->item = json_next(each->list, each->item);
	if (!each->item)
		return false;
	util_append(r->at, sizeof(r->at), "%s%s[%zu]", each->at_len ? "." : "", each->key, each->i++);
	return each->item->kind == JSON_OBJECT || json_complain(r, NULL, "is not an object") == 0;
}

void json_add_value(struct json_writer *w, const char *key, const struct json_value *value)
{
	switch (json_kind(value)) {
	case JSON_BOOL:
		json_add_bool(w, key, value->yes);
		break;
	case JSON_INT:
		json_add_int(w, key, value->number);
		break;
	case JSON_REAL:
		json_add_real(w, key, value->real);
		break;
	case JSON_TEXT:
		json_add_lines(w, key, value->text);
		break;
	case JSON_LIST:
		json_open_list(w, key);
		json_add_members(w, value);
		json_close_list(w);
		break;
	case JSON_OBJECT:
		json_open_object(w, key);
		json_add_members(w, value);
		json_close_object(w);
		break;
	default:
		json_add_null(w, key);
	}
}

void json_add_members(struct json_writer *w, const struct json_value *object)
{
	json_foreach(member, object)
		json_add_value(w, member->key, member);
}
