/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds what `ethtool -k` prints in pasted text. */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "compare/snapshot_builder.h"
#include "compare/snapshot_clean.h"
#include "compare/snapshot_foreign.h"
#include "basic/util.h"

#define NAME_MAX_LEN 64 /* of the words before a colon */
#define NAME_WORDS 5    /* "tx udp tnl csum segmentation" */
#define TAG_MAX_LEN 64  /* of HTML */
#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
#define QUOTES "\"'`*"

static const char *const headers[] = { "Features for ", "Offload parameters for " };

/* Titles of other output, also of ethtool, in which unknown words with on or off are no features. */
static const char *const other_titles[] = { "Settings for ", " parameters for ", " flags for ", " settings for ",
	" statistics for ", " information for ", " table for ", "RSS hash function", "NIC statistics" };

/* Keys whose values name an interface. */
static const char *const link_keys[] = { "device", "ifname", "interface", "id", "name" };

enum part { PART_ANY, PART_FEATURES, PART_OTHER };

struct value {
	bool on;
	bool plain; /* "on" or "off", and not "true", "no", ... */
	enum snapshot_mark mark;
	bool marked;
	const char *end;
};

/* "rx-gro": { "active": true, "fixed": false, "requested": true } of ethtool --json, as far as it was read. */
struct object {
	char name[FEATURE_NAME_LEN]; /* "" outside of an object */
	bool active, fixed;
	enum { NOT_REQUESTED, REQUESTED, SAME } requested;
	bool complete; /* "active" was read */
};

struct reader {
	struct snapshot_builder b;
	enum part part;
	struct object object;
	bool command; /* the next line continues a command */
	char hint[LINK_NAME_LEN]; /* the interface that the next features belong to if no header follows, "" for none */
};

static const char *skip(const char *at, const char *chars)
{
	return at + strspn(at, chars);
}

static bool starts(const char *at, const char *with)
{
	return strncmp(at, with, strlen(with)) == 0;
}

/* ---- which interface ---- */

/* "eth0:" after a header. The rest of the line after it, NULL: prose. */
static char *header_end(char *name)
{
	char *end = name + strcspn(name, ": ");

	if (*end == ' ' && end[1] == ':')
		return end + 2;
	return *end == ':' ? end + 1 : *skip(end, " ") ? NULL : end;
}

/* The first header in a line; NULL: none. *ret_name: what follows it. */
static char *find_header(char *line, char **ret_name)
{
	char *first = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
		char *at = strcasestr(line, headers[i]);

		if (!at || (first && at > first) || !header_end(at + strlen(headers[i])))
			continue;
		first = at;
		*ret_name = at + strlen(headers[i]);
	}
	return first;
}

/* Starts the link that a header names. */
static int read_header(struct reader *r, const char *name)
{
	r->part = PART_FEATURES;
	r->b.replace = false;
	r->hint[0] = '\0';
	name = skip(name, QUOTES);
	return snapshot_builder_link(&r->b, name, strcspn(name, ": " QUOTES));
}

static void set_hint(struct reader *r, const char *name, size_t len)
{
	if (!len || len >= LINK_NAME_LEN || strcspn(name, "$*{}()<>[]/") < len)
		return;
	util_copy_name(r->hint, sizeof(r->hint), name, len);
}

/* Is the text before "ethtool" a prompt, a path, or nothing? */
static bool is_prompt(const char *line, const char *at)
{
	if (at - line >= 5 && strncmp(at - 5, "sudo ", 5) == 0)
		return true;
	while (at > line && (at[-1] == ' ' || strchr(QUOTES, at[-1])))
		at--;
	return at == line || strchr("$#>%/:;+", at[-1]) || (unsigned char)at[-1] >= 0x80;
}

/* A command line: `$ sudo ethtool -k eth1 | grep tcp`. */
static bool read_command(struct reader *r, const char *line)
{
	static const char *const options[] = { "-k ", "--show-features ", "--show-offload ", "-K ", "--features ", "--offload " };
	const char *at = strstr(line, "ethtool ");

	if (!at || !is_prompt(line, at))
		return false;
	r->part = PART_OTHER;
	r->b.replace = false;
	r->hint[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		const char *name = strstr(at, options[i]);

		if (!name || name[-1] != ' ')
			continue;
		name = skip(name + strlen(options[i]), " " QUOTES);
		set_hint(r, name, strcspn(name, " |;&" QUOTES));
		r->b.link = SIZE_MAX;
		r->part = PART_ANY;
		break;
	}
	return true;
}

/* "device: eth0", as Ansible, Talos and others name it; "eth0:" alone. */
static void read_key(struct reader *r, const char *line)
{
	const char *name, *end;
	size_t len;

	line = skip(line, " +->|" QUOTES "{");
	end = line + strcspn(line, ": " QUOTES "{");
	len = snapshot_builder_find_link(line, (size_t)(end - line), &name);
	if (len && strchr(end, ':') && !*skip(end, ": " QUOTES "{"))
		set_hint(r, name, len);
	for (size_t i = 0; i < ARRAY_SIZE(link_keys); i++) {
		const char *at = line + strlen(link_keys[i]);

		if (!starts(line, link_keys[i]))
			continue;
		at = skip(at, QUOTES);
		if (*at != ':')
			continue;
		at = skip(at + 1, " " QUOTES);
		if (!*skip(at + strcspn(at, " ," QUOTES), " ," QUOTES))
			set_hint(r, at, strcspn(at, " ," QUOTES));
	}
}

/* ---- features ---- */

/* "<b>", "</td>", "[/color]", "[b]" */
static const char *find_tag_end(const char *at)
{
	bool tag = *at == '<' && (at[1] == '/' || isalpha((unsigned char)at[1]));
	bool code = *at == '[' && (at[1] == '/' || starts(at, "[color=") || (at[1] && strchr("biu", at[1]) && at[2] == ']'));

	return tag || code ? memchr(at, tag ? '>' : ']', strnlen(at, TAG_MAX_LEN)) : NULL;
}

static const char *skip_markup(const char *at)
{
	for (;;) {
		const char *close = find_tag_end(at);

		if (close)
			at = close + 1;
		else if (*at == ' ' || (*at && strchr(QUOTES, *at)))
			at++;
		else
			return at;
	}
}

/* Signs such as a check mark or a cross. */
static const char *skip_signs(const char *at)
{
	at = skip_markup(at);
	while ((unsigned char)*at >= 0x80)
		at = skip_markup(at + 1);
	return at;
}

/* The length of a text at the beginning of another, in which there may be several blanks for one, and which may be cut off; 0: it is not
 * there. */
static size_t find_words(const char *at, const char *words)
{
	const char *p = at;

	for (; *words; words++, p++) {
		if (tolower((unsigned char)*p) != *words)
			return *p ? 0 : (size_t)(p - at);
		while (*p == ' ' && p[1] == ' ')
			p++;
	}
	return (size_t)(p - at);
}

/* "[fixed]", also "(fixed)" */
static void read_mark(const char *at, struct value *ret)
{
	const struct {
		const char *text;
		enum snapshot_mark mark;
	} marks[] = {
		{ "fixed", SNAPSHOT_FIXED },
		{ ret->on ? "requested off" : "requested on", ret->on ? SNAPSHOT_REQUESTED_OFF : SNAPSHOT_REQUESTED_ON },
		{ "not requested", SNAPSHOT_REQUESTED_OFF },
	};

	at = skip_signs(at);
	if (*at != '[' && *at != '(')
		return;
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		size_t len = find_words(at + 1, marks[i].text);

		if (!len || (at[1 + len] && at[1 + len] != (*at == '[' ? ']' : ')')))
			continue;
		ret->mark = marks[i].mark;
		ret->marked = true;
		ret->end = at + 1 + len + (at[1 + len] != '\0');
		return;
	}
}

/* "on", "off [fixed]"; "true", "no" and the like, which YAML makes of them, if no other word follows. */
static bool read_value(const char *at, struct value *ret)
{
	static const char *const words[][2] = { { "off", "on" }, { "false", "true" }, { "no", "yes" }, { "disabled", "enabled" } };
	size_t len;

	at = skip_signs(at);
	len = strspn(at, NAME_CHARS);
	*ret = (struct value){ .end = at + len };
	while (len && at[len - 1] == '_') /* "_off_" is in italics */
		len--;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(words); i++) {
		const char *word = words[i / 2][i % 2];

		if (strlen(word) != len || strncasecmp(at, word, len) != 0)
			continue;
		ret->on = i % 2;
		ret->plain = i < 2;
		read_mark(ret->end, ret);
		return ret->plain || ret->marked || !isalnum((unsigned char)*skip(ret->end, " ,.;" QUOTES));
	}
	return false;
}

/* The words before a colon, from `from`. */
static const char *words_before(const char *from, const char *colon, size_t *ret_len)
{
	const char *end = colon, *at;

	while (end > from && strchr(" ._" QUOTES, end[-1]))
		end--;
	at = end;
	while (at > from && end - at < NAME_MAX_LEN && (at[-1] == ' ' || strchr(NAME_CHARS, at[-1])))
		at--;
	/* list items, line numbers of grep, and - and + of diff */
	while (at < end && (*at == ' ' || *at == '-' || *at == '_' || isdigit((unsigned char)*at)))
		at++;
	*ret_len = (size_t)(end - at);
	return at;
}

/* The longest known name at the end of some words. whole: all of them only. */
static const char *find_known(const struct reader *r, const char *words, size_t len, bool whole)
{
	const char *name = snapshot_builder_find(&r->b, words, len), *longest = NULL, *shorter;
	unsigned n = 0;

	for (size_t i = len; !name && !whole && n < NAME_WORDS && i > 1; i--) {
		if (words[i - 2] != ' ')
			continue;
		n++;
		shorter = snapshot_builder_find(&r->b, words + i - 1, len - i + 1);
		longest = shorter ? shorter : longest;
	}
	return name ? name : longest;
}

/* May it be the feature of a newer kernel? Then it is alone before the colon, and nothing but a mark or a note
 * follows. */
static bool is_new_feature(const struct reader *r, const char *word, size_t len, const struct value *value)
{
	const char *note = skip_markup(value->end);

	if (len < 3 || len >= FEATURE_NAME_LEN || strspn(word, NAME_CHARS) < len || !islower((unsigned char)*word))
		return false;
	for (size_t i = 0; i < len; i++)
		if (isupper((unsigned char)word[i]))
			return false;
	if (value->marked)
		return true;
	if (isalnum((unsigned char)*note))
		return false;
	return r->part == PART_FEATURES || (r->part == PART_ANY && (starts(word, "tx-") || starts(word, "rx-")));
}

static int add_value(struct reader *r, const char *name, const struct value *value)
{
	if (r->hint[0]) {
		int ret = snapshot_builder_link(&r->b, r->hint, strlen(r->hint));

		if (ret < 0)
			return ret;
		r->hint[0] = '\0';
	}
	r->part = PART_FEATURES;
	return snapshot_builder_add(&r->b, name, value->on, value->mark);
}

/* The words before a colon, and the value behind it. 1: a feature; 0; an error. */
static int read_feature(struct reader *r, const char *from, const char *colon, bool first, const struct value *value)
{
	char word[FEATURE_NAME_LEN];
	size_t len;
	const char *words = words_before(from, colon, &len), *name = find_known(r, words, len, !first);
	int ret;

	/* flags of drivers have such names, too */
	if (name && !strchr(name, '-') && r->part == PART_OTHER && !value->marked)
		return 0;
	if (!name && value->plain && is_new_feature(r, words, len, value)) {
		snprintf(word, sizeof(word), "%.*s", (int)len, words);
		name = word;
	}
	if (!name)
		return 0;
	ret = add_value(r, name, value);
	return ret < 0 ? ret : 1;
}

/* ---- JSON that is cut off or has something before each line, so that no parser reads it ---- */

static bool is_word(const char *words, size_t len, const char *word)
{
	return len == strlen(word) && strncmp(words, word, len) == 0;
}

/* The object of a feature ends; without its end it might be fixed. 1: it was one; 0; an error. */
static int end_object(struct reader *r)
{
	struct object o = r->object;
	struct value value = { .on = o.active, .mark = SNAPSHOT_NO_MARK };
	int ret;

	r->object = (struct object){ 0 };
	if (!o.name[0] || !o.complete)
		return 0;
	if (o.fixed)
		value.mark = SNAPSHOT_FIXED;
	else if (o.requested != SAME && (o.requested == REQUESTED) != o.active)
		value.mark = o.active ? SNAPSHOT_REQUESTED_OFF : SNAPSHOT_REQUESTED_ON;
	ret = add_value(r, o.name, &value);
	return ret < 0 ? ret : 1;
}

/* Is there a closing bracket, but not that of "{code}"? */
static bool closes(const char *line)
{
	const char *at = strchr(line, '}');

	return at && (at == line || !isalpha((unsigned char)at[-1]));
}

/* A member of an object, from its key to its value. 1: it belongs to the object of a feature; 0; an error. */
static int read_member(struct reader *r, const char *from, const char *colon, const char *at)
{
	struct object *o = &r->object;
	size_t len, quoted;
	const char *words = words_before(from, colon, &len), *name;
	bool yes;

	at = skip(at, " ");
	yes = starts(at, "true");
	quoted = *at == '"' ? strcspn(at + 1, "\" ") : 0;
	for (size_t i = 0; quoted && i < ARRAY_SIZE(link_keys); i++)
		if (at[1 + quoted] == '"' && is_word(words, len, link_keys[i]))
			set_hint(r, at + 1, quoted);
	if (*at == '{') {
		*o = (struct object){ .requested = SAME };
		name = snapshot_builder_find(&r->b, words, len);
		if (name)
			util_copy_name(o->name, sizeof(o->name), name, strlen(name));
		else if (len < sizeof(o->name) && !memchr(words, ' ', len))
			util_copy_name(o->name, sizeof(o->name), words, len);
		return name ? 1 : 0;
	}
	if (!o->name[0])
		return 0;
	if (!yes && !starts(at, "false") && !starts(at, "null"))
		return 0;
	if (is_word(words, len, "active")) {
		o->active = yes;
		o->complete = true;
	} else if (is_word(words, len, "fixed")) {
		o->fixed = yes;
	} else if (is_word(words, len, "requested")) {
		o->requested = yes ? REQUESTED : *at == 'f' ? NOT_REQUESTED : SAME;
	} else {
		return 0;
	}
	if (*skip(at + strspn(at, NAME_CHARS), " ") == '}') {
		int ret = end_object(r);

		if (ret < 0)
			return ret;
	}
	return 1;
}

/* ---- lines ---- */

static const char *skip_cell(const char *at)
{
	at = skip_markup(at);
	while (*at && strchr(",;|:", *at))
		at = skip_markup(at + 1);
	return at;
}

/* A row of a table, "| tx-checksumming | on |", "eth0,tx-checksumming,on": an interface or none, a known name, a value, and no colon
 * between. 1, 0, or an error. */
static int read_row(struct reader *r, const char *line)
{
	const char *at = skip_markup(line), *name, *link;
	size_t len, link_len;
	struct value value;
	int ret;

	at = skip_markup(skip(at, " |>*+-#.)0123456789" QUOTES));
	len = strcspn(at, " :,;|<" QUOTES);
	link_len = snapshot_builder_find_link(at, len, &link);
	if (link_len)
		at = skip_cell(at + len);
	len = strspn(at, NAME_CHARS);
	name = r->part == PART_FEATURES || memchr(at, '-', len) || memchr(at, '_', len) ? snapshot_builder_find(&r->b, at, len) : NULL;
	at = skip_cell(at + len);
	/* the end of a row: a separator, or '\0' */
	if (!name || !read_value(at, &value) || !strchr(",;|", *skip_signs(value.end)))
		return 0;
	if (link_len)
		set_hint(r, link, link_len);
	ret = add_value(r, name, &value);
	return ret < 0 ? ret : 1;
}

/* All features of a line: there are several if line breaks were lost. argument: the line belongs to a command, in which "NAME on" is no
 * state. The number, or an error. */
static int read_features(struct reader *r, const char *line, bool argument)
{
	const char *from = line;
	int n = 0;

	for (const char *colon = line; (colon = strchr(colon, ':'));) {
		struct value value;
		int ret = read_member(r, from, colon, colon + 1);

		if (ret < 0)
			return ret;
		n += ret;
		if (ret || !read_value(skip(++colon, " |"), &value)) {
			colon += ret;
			continue;
		}
		ret = read_feature(r, from, colon - 1, n == 0, &value);
		if (ret < 0)
			return ret;
		n += ret;
		from = skip(skip_markup(value.end), " ,;|" QUOTES);
		if (n && !isalpha((unsigned char)*from))
			break; /* a note */
		colon = from;
	}
	return n || argument ? n : read_row(r, line);
}

static bool is_other_title(const char *line)
{
	size_t len = strlen(line);

	for (size_t i = 0; i < ARRAY_SIZE(other_titles); i++)
		if (strstr(line, other_titles[i]))
			return true;
	return len && line[len - 1] == ':';
}

/* A line without a feature. */
static void skip_line(struct reader *r, const char *line)
{
	r->b.s->lines_skipped++;
	if (strstr(line, "Actual changes:"))
		r->b.replace = true;
	else if (!r->hint[0] && is_other_title(line))
		r->part = PART_OTHER;
}

/* A line, or several in one with their headers. prefix: the bytes at its beginning that are no part of it, if it does not begin with
 * a feature. */
static int read_line(struct reader *r, char *line, size_t prefix)
{
	char *name = NULL, *header = find_header(line, &name);
	bool continued = r->command && !header, command = !header && !continued && read_command(r, line);
	int n = 0, used = 0;

	r->command = (continued || command) && line[strlen(line) - 1] == '\\';
	if (!header && !continued && !command)
		read_key(r, line);
	if (!header)
		used = n = read_features(r, line, continued || command);
	if (!header && !continued && !command && n == 0 && prefix) {
		read_key(r, line + prefix);
		used = n = read_features(r, line + prefix, false);
	}
	if (n == 0 && r->object.name[0] && closes(line))
		used = n = end_object(r);
	while (n >= 0 && header) {
		char *rest = header_end(name), *next, c = '\0';

		n = read_header(r, name);
		next = find_header(rest, &name);
		if (next) {
			c = *next;
			*next = '\0';
		}
		if (n >= 0)
			n = read_features(r, rest, false);
		if (next)
			*next = c;
		header = next;
		used = 1;
	}
	if (n < 0)
		return n;
	if (used)
		r->b.s->lines_used++;
	else
		skip_line(r, line);
	return 0;
}

/* Does the next line belong to a line that ends at `end`: a mark, or the value of a name? *ret_skip: what it begins with before that. */
static bool is_wrapped(const char *line, const char *end, const char *next, size_t *ret_skip)
{
	struct value value = { 0 };
	const char *at = skip(next, " \n");

	snapshot_find_common(line, at, ret_skip);
	at = skip(at + *ret_skip, " >|+#" QUOTES);
	*ret_skip = (size_t)(at - next);
	while (end > line && end[-1] == ' ')
		end--;
	read_mark(at, &value);
	if (value.marked)
		return true;
	if (end - line > 10 && (strncmp(end - 10, "[requested", 10) == 0 || strncmp(end - 4, "[not", 4) == 0))
		return starts(at, "on]") || starts(at, "off]") || starts(at, "requested]");
	return end > line && end[-1] == ':' && read_value(at, &value) && value.plain;
}

/* Ends a line, which becomes one with those that belong to it. *ret_wrapped: their number; *ret_breaks: of all line breaks in the text.
 * The next line. */
static char *end_line(char *line, unsigned *ret_wrapped, unsigned *ret_breaks)
{
	size_t len = strcspn(line, "\n\v"), skipped;
	char *next;

	*ret_wrapped = *ret_breaks = 0;
	while (line[len] && is_wrapped(line, line + len, line + len + 1, &skipped)) {
		for (size_t end = len + 1 + skipped; len < end; len++) {
			*ret_breaks += line[len] == '\n';
			line[len] = ' ';
		}
		len += strcspn(line + len, "\n\v");
		++*ret_wrapped;
	}
	*ret_breaks += line[len] == '\n';
	next = line + len + (line[len] ? 1 : 0);
	while (len && line[len - 1] == ' ')
		len--;
	line[len] = '\0';
	return next;
}

static int read_lines(struct reader *r, char *text)
{
	const char *before = "";
	int ret = 0;

	for (char *line = text, *next; ret >= 0 && *line; line = next) {
		unsigned used = r->b.s->lines_used, wrapped, breaks;
		size_t prefix, below, unused;

		line += strspn(line, " ");
		next = end_line(line, &wrapped, &breaks);
		prefix = snapshot_find_common(line, before, &unused);
		below = snapshot_find_common(line, skip(next, " \n\v"), &unused);
		ret = *line ? read_line(r, line, prefix > below ? prefix : below) : 0;
		if (r->b.s->lines_used > used)
			r->b.s->lines_used += wrapped;
		else
			r->b.s->lines_skipped += wrapped;
		r->b.line += breaks;
		before = *line ? line : before;
	}
	return ret;
}

/* Does the text look like other output of ethtool? */
static bool is_other_output(const char *text)
{
	static const char *const words[] = { "Settings for ", " parameters for ", "driver: ", "NIC statistics:" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (memmem(text, strlen(text), words[i], strlen(words[i])))
			return true;
	return false;
}

/* No feature is in the text. */
static int nothing_found(struct reader *r, const char *text)
{
	r->b.line = 0;
	snapshot_builder_fail(&r->b, "no features in %u lines; expected a snapshot or the output of ethtool -k%s",
		r->b.s->lines_used + r->b.s->lines_skipped,
		is_other_output(text) ? ", not that of another ethtool command" : "");
	return -ENODATA;
}

static bool any_feature(const struct snapshot_builder *b)
{
	for (size_t i = 0; i < b->s->n_links; i++)
		if (b->s->links[i].listed || b->s->links[i].groups)
			return true;
	return false;
}

int snapshot_parse_ethtool(const char *text, size_t len, const struct feature_table *known,
	struct snapshot *ret, char *why, size_t why_size)
{
	struct reader r = { .b = { .s = ret, .known = known, .why = why, .why_size = why_size } };
	_cleanup_free_ char *copy = malloc(len + 1), *clean = NULL;
	int n;

	snapshot_builder_begin(&r.b);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, text, len);
	n = snapshot_read_foreign(&r.b, copy, len);
	if (n >= 0)
		clean = snapshot_clean(copy, len);
	if (!clean)
		return snapshot_builder_end(&r.b, n < 0 ? n : -ENOMEM);
	r.b.line = 1;
	r.b.link = SIZE_MAX;
	n = read_lines(&r, clean);
	if (n >= 0 && !any_feature(&r.b))
		n = nothing_found(&r, clean);
	return snapshot_builder_end(&r.b, n);
}
