/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "basic/ini_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#if __has_include(<iniparser/iniparser.h>)
#include <iniparser/iniparser.h>
#else
#include <iniparser.h>
#endif
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/file.h"

/* Encodings of what iniparser would interpret. Control characters in a file are errors, so these cannot be in
 * it. */
#define CODE_QUOTE '\x01'
#define CODE_BACKSLASH '\x02'

#define LIST_MAX 8 /* with more valid words than this, an error suggests the nearest one instead of listing them */
#define PARSER_ROOM 16384 /* bytes; more than iniparser_load() allocates at its start */

/* A section header (line 0) or a key. */
struct entry {
	unsigned section_line, line;
	char section[INI_MAX_NAME + 1], key[INI_MAX_NAME + 1];
	char *value;
};

struct scanner {
	struct ini_reader *reader;
	FILE *out;	    /* for iniparser: [LINE] and LINE="value" */
	struct entry *entries; /* in the order of their lines */
	size_t n;
	bool in_section;
	bool bad_section; /* the current section header is invalid, so its keys are not checked */
	bool any_bad_section;
	bool full; /* INI_MAX_ENTRIES was reached */
};

static void scanner_clear(struct scanner *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->entries[i].value);
	free(s->entries);
	fclose_pointer(&s->out);
}

CLEANUP_POINTER(dictionary, iniparser_freedict)

void ini_complain(struct ini_reader *reader, unsigned line, const char *fmt, ...)
{
	char message[1024], clean[1024], path[512];
	va_list ap;

	if (reader->error < 0 || reader->n_errors > INI_MAX_ERRORS)
		return;
	if (reader->n_errors++ == INI_MAX_ERRORS) {
		line = 0;
		snprintf(message, sizeof(message), "more than %d errors, the others are not shown",
			INI_MAX_ERRORS);
	} else {
		va_start(ap, fmt);
		vsnprintf(message, sizeof(message), fmt, ap);
		va_end(ap);
	}
	util_copy_text(clean, sizeof(clean), message, strlen(message));
	util_copy_text(path, sizeof(path), reader->path, strlen(reader->path));
	reader->error = reader->report(reader->userdata, path, line, clean);
}

static int failed(const struct ini_reader *reader)
{
	return reader->error < 0 ? reader->error : 1;
}

void ini_complain_value(
	struct ini_reader *reader, const struct ini_entry *entry, const char *value, const char *fmt, ...)
{
	char why[512], shown[64];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	ini_complain(reader, entry->line, "invalid %s= value \"%s\": %s", entry->key,
		util_copy_text(shown, sizeof(shown), value, strlen(value)), why);
}

int ini_find_word(struct ini_reader *reader, const struct ini_entry *entry, const char *value,
	const char *const *words, size_t n)
{
	int i = util_find_word(value, words, n);
	const char *nearest;
	char list[512];

	if (i >= 0)
		return i;
	nearest = util_nearest(value, words, n);
	if (nearest && n > LIST_MAX) {
		ini_complain_value(reader, entry, value, "did you mean \"%s\"?", nearest);
		return -1;
	}
	util_format_words(words, n, " or ", list, sizeof(list));
	if (nearest)
		util_append(list, sizeof(list), ", did you mean \"%s\"?", nearest);
	else if (strpbrk(entry->value, "#;"))
		util_append(list, sizeof(list), "; a comment at the end of a line begins with \" ;\"");
	ini_complain_value(reader, entry, value, "expected %s", list);
	return -1;
}

int ini_parse_word(struct ini_reader *reader, const struct ini_entry *entry, void *field, const void *context)
{
	const struct ini_words *words = context;
	int i = ini_find_word(reader, entry, entry->value, words->words, words->n);

	if (i >= 0)
		*(unsigned *)field = (unsigned)i;
	return 0;
}

int ini_parse_flag(struct ini_reader *reader, const struct ini_entry *entry, void *field, const void *context)
{
	const struct ini_words *words = context;
	int i = ini_find_word(reader, entry, entry->value, words->words, words->n);

	if (i >= 0)
		*(bool *)field = i == 1;
	return 0;
}

int ini_parse_text(struct ini_reader *reader _unused_, const struct ini_entry *entry, void *field,
	const void *context _unused_)
{
	char *copy = strdup(entry->value);

	if (!copy)
		return -ENOMEM;
	free(*(char **)field);
	*(char **)field = copy;
	return 0;
}

int ini_each_word(struct ini_reader *reader, const struct ini_entry *entry,
	int (*take)(struct ini_reader *reader, const struct ini_entry *entry, const char *word, void *userdata),
	void *userdata)
{
	_cleanup_free_ char *copy = strdup(entry->value);
	char *save = NULL;
	int r = copy ? 0 : -ENOMEM;

	for (char *word = copy ? strtok_r(copy, " \t", &save) : NULL; word && r >= 0;
		word = strtok_r(NULL, " \t", &save))
		r = take(reader, entry, word, userdata);
	return r;
}

/* Names the type of a file that is not a regular file. */
static const char *file_type(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "a directory";
	case S_IFSOCK:
		return "a socket";
	case S_IFIFO:
		return "a pipe";
	case S_IFCHR:
	case S_IFBLK:
		return "a device";
	default:
		return "something else";
	}
}

/* why: "" unless the file is not trusted. */
static int complain_open(struct ini_reader *reader, int error, const char *why)
{
	struct stat st;

	if (why[0]) {
		ini_complain(reader, 0, "%s", why);
		return failed(reader);
	}
	/* open() of a socket or of a device without driver fails with ENXIO; stat() shows what they are. */
	if (stat(reader->path, &st) == 0 && !S_ISREG(st.st_mode))
		ini_complain(reader, 0, "is %s, expected a regular file", file_type(st.st_mode));
	else if (error == ENOENT && lstat(reader->path, &st) == 0)
		ini_complain(reader, 0, "is a symbolic link to a missing file; to mask a rule, link it to /dev/null");
	else
		ini_complain(reader, 0, "failed to open: %s", strerror(error));
	return failed(reader);
}

static int read_all(struct ini_reader *reader, int fd, char **ret_text, size_t *ret_len)
{
	int r = file_read(fd, INI_FILE_MAX_BYTES, ret_text, ret_len);

	if (r >= 0 || r == -ENOMEM)
		return r;
	if (r == -EFBIG)
		ini_complain(reader, 0, "too large: more than %d bytes", INI_FILE_MAX_BYTES);
	else
		ini_complain(reader, 0, "failed to read: %s", strerror(-r));
	return 1;
}

int ini_file_read(struct ini_reader *reader, char **ret_text, size_t *ret_len)
{
	_cleanup_close_ int fd = -1;
	char why[FILE_WHY_LEN];
	struct stat st;
	int r;

	*ret_text = NULL;
	*ret_len = 0;
	fd = file_open(reader->path, reader->trust, why, sizeof(why));
	if (fd == -ENOMEM)
		return fd;
	if (fd < 0)
		return complain_open(reader, -fd, why);
	if (fstat(fd, &st) < 0)
		ini_complain(reader, 0, "failed to read: %s", strerror(errno));
	else if (st.st_size > INI_FILE_MAX_BYTES)
		ini_complain(reader, 0, "too large: %lld bytes, at most %d", (long long)st.st_size,
			INI_FILE_MAX_BYTES);
	r = reader->n_errors ? 1 : read_all(reader, fd, ret_text, ret_len);
	return reader->error < 0 ? reader->error : r;
}

static bool is_name(const char *s, size_t len)
{
	if (len == 0 || len > INI_MAX_NAME)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isascii((unsigned char)s[i]) ||
			!(isalnum((unsigned char)s[i]) || s[i] == '-' || s[i] == '_' ||
				s[i] == '.'))
			return false;
	return true;
}

static void trim(const char **s, size_t *len)
{
	while (*len && ((*s)[0] == ' ' || (*s)[0] == '\t')) {
		++*s;
		--*len;
	}
	while (*len && ((*s)[*len - 1] == ' ' || (*s)[*len - 1] == '\t'))
		--*len;
}

/* Length of a line without the comment at its end, which starts with a ; after a space or tab. A # does not
 * start one, as values may contain "issue #1". */
static size_t without_comment(const char *s, size_t len)
{
	for (size_t i = 1; i < len; i++)
		if (s[i] == ';' && (s[i - 1] == ' ' || s[i - 1] == '\t'))
			return i;
	return len;
}

/* Adds an entry in the current section. NULL: no memory (reader->error is set), or too many entries
 * (reported). */
static struct entry *add_entry(struct scanner *s, unsigned line)
{
	if (s->n == INI_MAX_ENTRIES) {
		if (!s->full)
			ini_complain(s->reader, line, "more than %d sections and keys; split the file", INI_MAX_ENTRIES);
		s->full = true;
		return NULL;
	}
	if (!GROW(s->entries, s->n)) {
		s->reader->error = -ENOMEM;
		return NULL;
	}
	s->entries[s->n] = s->n ? s->entries[s->n - 1] : (struct entry){ 0 };
	s->entries[s->n].value = NULL;
	return &s->entries[s->n++];
}

static void scan_section(struct scanner *s, unsigned line, const char *text, size_t len)
{
	const char *end = memchr(text, ']', len), *name = text + 1, *rest = end ? end + 1 : text;
	size_t name_len = end ? (size_t)(end - name) : 0, rest_len = len - (size_t)(rest - text);
	struct entry *entry;
	char shown[64];

	s->in_section = true;
	s->bad_section = true;
	trim(&name, &name_len);
	trim(&rest, &rest_len);
	if (!end)
		ini_complain(s->reader, line, "missing ] after the section name");
	else if (!is_name(name, name_len))
		ini_complain(s->reader, line, "invalid section name \"%s\": expected letters, digits and - . _",
			util_copy_text(shown, sizeof(shown), name, name_len));
	else if (rest_len)
		ini_complain(s->reader, line, "unexpected \"%s\" after the section header; begin a new line",
			util_copy_text(shown, sizeof(shown), rest, rest_len));
	else
		s->bad_section = false;
	s->any_bad_section |= s->bad_section;
	entry = s->bad_section ? NULL : add_entry(s, line);
	if (!entry)
		return;
	*entry = (struct entry){ .section_line = line };
	memcpy(entry->section, name, name_len);
	fprintf(s->out, "[%u]\n", line);
}

static bool explain(const struct ini_reader *reader, const char *section, const char *key, char *buf, size_t size)
{
	return reader->explain && reader->explain(section, key, buf, size);
}

/* A line without "=": of another format, the word may be known. */
static void complain_line(struct ini_reader *reader, unsigned line, const char *text, size_t len)
{
	char shown[64], word[64], why[256] = "";
	size_t end = 0;

	while (end < len && !strchr(" \t:", text[end]))
		end++;
	util_copy_text(word, sizeof(word), text, end);
	if (!explain(reader, "", word, why, sizeof(why)) && memchr(text, ':', len))
		util_append(why, sizeof(why), "use = instead of :");
	ini_complain(reader, line, "expected [Section], Key=value or a comment (# or ;), found \"%s\"%s%s",
		util_copy_text(shown, sizeof(shown), text, len), why[0] ? "; " : "", why);
}

static void scan_key(struct scanner *s, unsigned line, const char *text, size_t len)
{
	const char *equals = memchr(text, '=', len), *value;
	size_t value_len, key_len;
	struct entry *entry;
	char shown[64];

	if (!equals) {
		complain_line(s->reader, line, text, len);
		return;
	}
	key_len = (size_t)(equals - text);
	value = equals + 1;
	value_len = len - key_len - 1;
	trim(&text, &key_len);
	trim(&value, &value_len);
	util_copy_text(shown, sizeof(shown), text, key_len);
	if (key_len == 0)
		ini_complain(s->reader, line, "missing key before =");
	else if (!is_name(text, key_len))
		ini_complain(s->reader, line, "invalid key \"%s\": expected letters, digits and - . _", shown);
	else if (!s->in_section)
		ini_complain(s->reader, line, "%s= is outside of any section", shown);
	else if (value_len == 0)
		ini_complain(s->reader, line, "%s= has no value; set one or remove the line", shown);
	else if (value[value_len - 1] == '\\')
		ini_complain(s->reader, line, "%s= ends in a backslash: a value cannot continue on the next line", shown);
	else if (!s->bad_section && (entry = add_entry(s, line))) {
		entry->line = line;
		memset(entry->key, 0, sizeof(entry->key));
		memcpy(entry->key, text, key_len);
		fprintf(s->out, "%u=\"", line);
		for (size_t i = 0; i < value_len; i++)
			putc(value[i] == '"' ? CODE_QUOTE : value[i] == '\\' ? CODE_BACKSLASH : value[i], s->out);
		fputs("\"\n", s->out);
	}
}

/* Reports the first invalid byte of a line. */
static bool check_bytes(struct ini_reader *reader, unsigned line, const char *s, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		unsigned char c = (unsigned char)s[i];

		n = c == '\t' ? 1 : util_printable(s + i, len - i);
		if (n)
			continue;
		if (c < 0x80)
			ini_complain(reader, line, "control character 0x%02x in column %zu", c, i + 1);
		else
			ini_complain(reader, line, "byte 0x%02x in column %zu is not printable UTF-8", c, i + 1);
		return false;
	}
	return true;
}

static void scan_line(struct scanner *s, unsigned line, const char *text, size_t len)
{
	if (len && text[len - 1] == '\r')
		len--;
	if (len > INI_MAX_LINE) {
		ini_complain(s->reader, line, "line too long: %zu bytes, at most %d", len, INI_MAX_LINE);
		return;
	}
	if (!check_bytes(s->reader, line, text, len))
		return;
	trim(&text, &len);
	if (len == 0 || text[0] == '#' || text[0] == ';')
		return;
	len = without_comment(text, len);
	trim(&text, &len);
	if (text[0] == '[')
		scan_section(s, line, text, len);
	else
		scan_key(s, line, text, len);
}

static void scan_text(struct scanner *s, const char *text, size_t len)
{
	unsigned line = 1;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* byte order mark */
		text += 3;
		len -= 3;
	}
	while (len && s->reader->error >= 0) {
		const char *end = memchr(text, '\n', len);
		size_t line_len = end ? (size_t)(end - text) : len;

		scan_line(s, line++, text, line_len);
		text += line_len + (end ? 1 : 0);
		len -= line_len + (end ? 1 : 0);
	}
}

static unsigned line_of(const char *text, const char *at)
{
	unsigned line = 1;

	for (const char *p = text; (p = memchr(p, '\n', (size_t)(at - p))); p++)
		line++;
	return line;
}

static int be_silent(const char *fmt _unused_, ...)
{
	return 0;
}

/* Up to iniparser 4.1, dictionary_new() crashes when it has no memory. Is there enough for it? */
static bool has_parser_room(void)
{
	void *volatile room = malloc(PARSER_ROOM); /* volatile: compilers omit what is only freed */

	free(room);
	return room;
}

/* Lets iniparser parse the scanner's text, and copies the values to the entries. 0; 1: it failed, and the
 * reason was reported; negative errno. */
static int run_iniparser(struct scanner *s)
{
	_cleanup_(iniparser_freedict_pointer) dictionary *d = NULL;
	char path[32], name[32];
	int error;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fileno(s->out));
	if (access(path, R_OK) < 0) {
		ini_complain(s->reader, 0, "failed to parse: the parser reads %s: %s", path,
			access("/proc/self", F_OK) < 0 ? "/proc is not mounted" : strerror(errno));
		return failed(s->reader);
	}
	if (!has_parser_room())
		return -ENOMEM;
	iniparser_set_error_callback(be_silent);
	errno = 0;
	d = iniparser_load(path);
	error = errno; /* without memory for a key or a value it goes on without it */
	iniparser_set_error_callback(NULL);
	for (size_t i = 0; i < s->n; i++) {
		struct entry *entry = &s->entries[i];
		const char *value;

		if (!entry->line)
			continue;
		snprintf(name, sizeof(name), "%u:%u", entry->section_line, entry->line);
		value = d ? iniparser_getstring(d, name, NULL) : NULL;
		if (!value && error == ENOMEM)
			return -ENOMEM;
		if (!value) {
			ini_complain(s->reader, entry->line, "failed to parse: iniparser did not return this line");
			return failed(s->reader);
		}
		entry->value = strdup(value);
		if (!entry->value)
			return -ENOMEM;
		for (char *p = entry->value; *p; p++)
			*p = *p == CODE_QUOTE ? '"' : *p == CODE_BACKSLASH ? '\\' : *p;
	}
	return 0;
}

static const struct ini_key *find_key(const struct ini_section *section, const char *name)
{
	for (size_t i = 0; i < section->n_keys; i++)
		if (strcmp(section->keys[i].name, name) == 0)
			return &section->keys[i];
	return NULL;
}

static const struct ini_section *find_section(
	const struct ini_section *sections, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(sections[i].name, name) == 0)
			return &sections[i];
	return NULL;
}

/* Reports "unknown WHAT, did you mean [NEAREST]?", or the valid names. key: the names are keys, which are
 * shown as NAME=. */
static void complain_unknown(struct ini_reader *reader, unsigned line, const char *what, const char *name,
	const char *const *names, size_t n, bool key)
{
	const char *before = key ? "" : "[", *after = key ? "=" : "]", *nearest = util_nearest(name, names, n);
	char list[512] = "";

	if (nearest)
		util_append(list, sizeof(list), ", did you mean %s%s%s?", before, nearest, after);
	for (size_t i = 0; i < n && !nearest; i++)
		util_append(list, sizeof(list), "%s%s%s%s", i == 0 ? ": expected " : i + 1 == n ? " or " : ", ", before,
			names[i], after);
	ini_complain(reader, line, "unknown %s%s", what, list);
}

static void complain_section(
	struct ini_reader *reader, const struct entry *p, const struct ini_section *sections, size_t n)
{
	const char *names[16];
	char what[INI_MAX_NAME + 16], why[256];

	if (explain(reader, p->section, NULL, why, sizeof(why))) {
		ini_complain(reader, p->section_line, "%s", why);
		return;
	}
	n = n < ARRAY_SIZE(names) ? n : ARRAY_SIZE(names);
	for (size_t i = 0; i < n; i++)
		names[i] = sections[i].name;
	snprintf(what, sizeof(what), "section [%s]", p->section);
	complain_unknown(reader, p->section_line, what, p->section, names, n, false);
}

static void complain_key(struct ini_reader *reader, const struct entry *p, const struct ini_section *section)
{
	const char *names[64];
	char what[2 * INI_MAX_NAME + 16], why[256];
	size_t n = 0;

	if (explain(reader, p->section, p->key, why, sizeof(why))) {
		ini_complain(reader, p->line, "%s", why);
		return;
	}
	for (; n < section->n_keys && n < ARRAY_SIZE(names); n++)
		names[n] = section->keys[n].name;
	snprintf(what, sizeof(what), "key %s= in [%s]", p->key, p->section);
	complain_unknown(reader, p->line, what, p->key, names, n, true);
}

/* The line of an earlier entry with the same section and key; 0 if there is none. */
static unsigned repeats(const struct scanner *s, size_t at)
{
	const struct entry *p = &s->entries[at];

	for (size_t i = 0; i < at; i++) {
		const struct entry *q = &s->entries[i];

		if (!p->line != !q->line || strcmp(p->section, q->section) != 0)
			continue;
		if (!p->line)
			return q->section_line;
		if (strcmp(p->key, q->key) == 0)
			return q->line;
	}
	return 0;
}

/* A comment behind a value, "eno1 # the bad one"; NULL. Free text may have a # anywhere. */
static const char *find_comment(const char *value)
{
	for (const char *p = value; (p = strpbrk(p + 1, "#/"));)
		if ((p[-1] == ' ' || p[-1] == '\t') && (*p == '#' || p[1] == '/'))
			return p;
	return NULL;
}

static int take_key(struct ini_reader *reader, const struct entry *p,
	const struct ini_section *section, const struct ini_section *sections, size_t n,
	void *target)
{
	const struct ini_key *key = find_key(section, p->key);
	const struct ini_entry entry = {
		.line = p->line, .section = p->section, .key = p->key, .value = p->value};
	const char *comment = !key || key->parse != ini_parse_text ? find_comment(p->value) : NULL;

	if (comment) {
		ini_complain(reader, p->line, "%s= has a comment behind its value, \"%s\"; put it on a line of its own", p->key, comment);
		return 0;
	}
	if (key)
		return key->parse(reader, &entry, (char *)target + key->offset, key->context);
	for (size_t i = 0; i < n; i++)
		if (&sections[i] != section &&
			(find_key(&sections[i], p->key) ||
				(sections[i].knows && sections[i].knows(p->key)))) {
			ini_complain(reader, p->line, "%s= belongs in [%s], not in [%s]", p->key, sections[i].name,
				p->section);
			return 0;
		}
	if (section->parse_any)
		return section->parse_any(reader, &entry, target, NULL);
	complain_key(reader, p, section);
	return 0;
}

static bool has_section(const struct scanner *s, const char *name)
{
	for (size_t i = 0; name && i < s->n; i++)
		if (strcmp(s->entries[i].section, name) == 0)
			return true;
	return false;
}

/* Reports required sections that are missing or empty. */
static void check_sections(struct ini_reader *reader, const struct scanner *s,
	const struct ini_section *sections, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned line = 0;
		bool filled = false;

		for (size_t j = 0; j < s->n; j++)
			if (strcmp(s->entries[j].section, sections[i].name) == 0) {
				line = s->entries[j].section_line;
				filled = filled || s->entries[j].line;
			}
		if (!line && sections[i].missing && !has_section(s, sections[i].instead))
			ini_complain(reader, 0, "%s", sections[i].missing);
		else if (line && !filled && sections[i].empty)
			ini_complain(reader, line, "%s", sections[i].empty);
	}
}

static int take_all(struct ini_reader *reader, const struct scanner *s,
	const struct ini_section *sections, size_t n, bool *ret_unknown_section, void *target)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct entry *p = &s->entries[i];
		const struct ini_section *section = find_section(sections, n, p->section);
		unsigned earlier = repeats(s, i);
		char why[256];
		int r = 0;

		if (!section) {
			*ret_unknown_section = true;
			if (!p->line)
				complain_section(reader, p, sections, n);
			else if (explain(reader, p->section, p->key, why, sizeof(why)))
				ini_complain(reader, p->line, "%s", why);
		} else if (earlier && p->line) {
			ini_complain(reader, p->line, "duplicate %s=, already set in line %u", p->key, earlier);
		} else if (earlier) {
			ini_complain(reader, p->section_line, "duplicate [%s], first used in line %u; move its keys there",
				p->section, earlier);
		} else if (p->line) {
			r = take_key(reader, p, section, sections, n, target);
		}
		if (r < 0 || reader->error < 0)
			return r < 0 ? r : reader->error;
	}
	return 0;
}

static int parse_scanned(
	struct scanner *s, const struct ini_section *sections, size_t n, void *target)
{
	struct ini_reader *reader = s->reader;
	unsigned shape_errors = reader->n_errors;
	bool bad_section = s->any_bad_section;
	int r = run_iniparser(s);

	if (r == 0)
		r = take_all(reader, s, sections, n, &bad_section, target);
	if (r != 0)
		return r;
	/* Otherwise a misspelt section or an invalid line would be reported again as missing. */
	if (!bad_section && shape_errors == 0)
		check_sections(reader, s, sections, n);
	return reader->error < 0 ? reader->error : reader->n_errors > 0;
}

int ini_file_parse(struct ini_reader *reader, const char *text, size_t len,
	const struct ini_section *sections, size_t n_sections, void *target)
{
	const char *nul = len ? memchr(text, '\0', len) : NULL;
	_cleanup_(scanner_clear) struct scanner s = { .reader = reader };
	int fd;

	if (nul || len > INI_FILE_MAX_BYTES) {
		if (nul)
			ini_complain(reader, line_of(text, nul), "NUL byte: not a text file");
		else
			ini_complain(reader, 0, "too large: %zu bytes, at most %d", len, INI_FILE_MAX_BYTES);
		return failed(reader);
	}
	fd = memfd_create("offloadd-ini", MFD_CLOEXEC);
	s.out = fd < 0 ? NULL : fdopen(fd, "w");
	if (s.out)
		scan_text(&s, text, len);
	if (!s.out || fflush(s.out) != 0) {
		int error = errno;

		if (!s.out && fd >= 0)
			close(fd);
		if (error == ENOMEM)
			return -ENOMEM;
		ini_complain(reader, 0, "failed to parse: memory file: %s", strerror(error));
		return failed(reader);
	}
	return s.full || reader->error < 0 ? failed(reader) : parse_scanned(&s, sections, n_sections, target);
}
