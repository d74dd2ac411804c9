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

enum part { PART_ANY, PART_FEATURES, PART_OTHER };

struct reader {
	struct snapshot_builder b;
	enum part part;
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
	return snapshot_builder_link(&r->b, name, strcspn(name, ": "));
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

/* "device: eth0", as Ansible, Talos and others name it. */
static void read_key(struct reader *r, const char *line)
{
	static const char *const keys[] = { "device", "ifname", "interface", "id" };

	line = skip(line, " -" QUOTES "{");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *at = line + strlen(keys[i]);

		if (!starts(line, keys[i]))
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

struct value {
	bool on;
	enum snapshot_mark mark;
	bool marked;
	const char *end;
};

static const char *skip_markup(const char *at)
{
	for (;;) {
		size_t tag = *at == '<' && (at[1] == '/' || isalpha((unsigned char)at[1])) ? strnlen(at, TAG_MAX_LEN) : 0;
		const char *close = tag ? memchr(at, '>', tag) : NULL;

		if (close)
			at = close + 1;
		else if (*at == ' ' || (*at && strchr(QUOTES, *at)))
			at++;
		else
			return at;
	}
}

static void read_mark(const char *at, struct value *ret)
{
	static const struct {
		const char *text;
		enum snapshot_mark mark;
	} marks[] = {
		{ "[fixed]", SNAPSHOT_FIXED },
		{ "[requested on]", SNAPSHOT_REQUESTED_ON },
		{ "[requested off]", SNAPSHOT_REQUESTED_OFF },
		{ "[not requested]", SNAPSHOT_REQUESTED_OFF },
	};

	at = skip_markup(at);
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (strncasecmp(at, marks[i].text, strlen(marks[i].text)) == 0) {
			ret->mark = marks[i].mark;
			ret->marked = true;
			ret->end = at + strlen(marks[i].text);
		}
}

/* "on", "off [fixed]". */
static bool read_value(const char *at, struct value *ret)
{
	size_t len;

	at = skip_markup(at);
	len = strspn(at, NAME_CHARS);
	*ret = (struct value){ .on = len == 2, .end = at + len };
	if (!(len == 2 && strncasecmp(at, "on", 2) == 0) && !(len == 3 && strncasecmp(at, "off", 3) == 0))
		return false;
	read_mark(ret->end, ret);
	return true;
}

/* The words before a colon, from `from`. */
static const char *words_before(const char *from, const char *colon, size_t *ret_len)
{
	const char *end = colon, *at;

	while (end > from && (end[-1] == ' ' || strchr(QUOTES, end[-1])))
		end--;
	at = end;
	while (at > from && end - at < NAME_MAX_LEN && (at[-1] == ' ' || strchr(NAME_CHARS, at[-1])))
		at--;
	/* list items, line numbers of grep, and - and + of diff */
	while (at < end && (*at == ' ' || *at == '-' || isdigit((unsigned char)*at)))
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
	if (!name && is_new_feature(r, words, len, value)) {
		snprintf(word, sizeof(word), "%.*s", (int)len, words);
		name = word;
	}
	if (!name)
		return 0;
	ret = add_value(r, name, value);
	return ret < 0 ? ret : 1;
}

/* All features of a line: there are several if line breaks were lost. The number, or an error. */
static int read_features(struct reader *r, const char *line)
{
	const char *from = line;
	int n = 0;

	for (const char *colon = line; (colon = strchr(colon, ':'));) {
		struct value value;
		int ret;

		if (!read_value(++colon, &value))
			continue;
		ret = read_feature(r, from, colon - 1, n == 0, &value);
		if (ret < 0)
			return ret;
		n += ret;
		from = skip(skip_markup(value.end), " ,|" QUOTES);
		if (n && !isalpha((unsigned char)*from))
			break; /* a note */
		colon = from;
	}
	return n;
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
	else if (is_other_title(line))
		r->part = PART_OTHER;
}

/* A line, or several in one with their headers. */
static int read_line(struct reader *r, char *line)
{
	char *name = NULL, *header = find_header(line, &name);
	int n = 0, used = 0;

	if (!header && !read_command(r, line))
		read_key(r, line);
	if (!header)
		used = n = read_features(r, line);
	while (n >= 0 && header) {
		char *rest = header_end(name), *next, c = '\0';

		n = read_header(r, name);
		next = find_header(rest, &name);
		if (next) {
			c = *next;
			*next = '\0';
		}
		if (n >= 0)
			n = read_features(r, rest);
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

static int read_lines(struct reader *r, char *text)
{
	int ret = 0;

	for (char *line = text, *end; ret >= 0 && *line; line = end) {
		size_t len = strcspn(line, "\n\v");
		bool real = line[len] == '\n';

		end = line + len + (line[len] ? 1 : 0);
		while (len && line[len - 1] == ' ')
			len--;
		line[len] = '\0';
		line += strspn(line, " ");
		ret = *line ? read_line(r, line) : 0;
		r->b.line += real;
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
