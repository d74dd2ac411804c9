/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "basic/ini_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <iniparser.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/file.h"

/* What iniparser would take for its own travels as a control character: no file may have one. */
#define CODE_QUOTE '\x01'
#define CODE_BACKSLASH '\x02'
#define CODE_UPPER '\x03' /* before the lower-case form of a letter of a name */

struct scanner {
	struct ini_reader *reader;
	FILE *out;
	bool in_section;
	bool bad_section; /* keys have no known home until the next good section */
	bool any_bad_section;
	unsigned n_entries;
};

struct parsed {
	unsigned section_line, line; /* line 0: the section itself */
	char section[INI_MAX_NAME + 1], key[INI_MAX_NAME + 1];
	char *value;
};

struct parsed_list {
	struct parsed *items;
	size_t n;
};

static void parsed_list_clear(struct parsed_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i].value);
	free(list->items);
}

static void freedict_pointer(dictionary **d)
{
	if (*d)
		iniparser_freedict(*d);
}

/* Length of the printable character or tab at s, 0 when there is none. */
static size_t character_length(const char *s, size_t n)
{
	return n && *s == '\t' ? 1 : util_printable(s, n);
}

char *ini_copy_text(char *dst, size_t size, const char *src, size_t src_len)
{
	size_t at = 0, whole = 0, len;

	for (size_t i = 0; i < src_len; i += len ? len : 1) {
		len = character_length(src + i, src_len - i);
		if (at + (len ? len : 1) + 1 > size) {
			memcpy(dst + whole, "...", 4);
			return dst;
		}
		if (len)
			memcpy(dst + at, src + i, len);
		else
			dst[at] = '?';
		at += len ? len : 1;
		if (at + 4 <= size)
			whole = at;
	}
	dst[at] = '\0';
	return dst;
}

void ini_complain(struct ini_reader *reader, unsigned line, const char *fmt, ...)
{
	char message[1024], clean[1024], path[512];
	va_list ap;

	if (reader->error < 0 || reader->n_errors > INI_MAX_ERRORS)
		return;
	if (reader->n_errors++ == INI_MAX_ERRORS) {
		line = 0;
		snprintf(message, sizeof(message), "more errors than %d, the others are not shown",
			INI_MAX_ERRORS);
	} else {
		va_start(ap, fmt);
		vsnprintf(message, sizeof(message), fmt, ap);
		va_end(ap);
	}
	ini_copy_text(clean, sizeof(clean), message, strlen(message));
	ini_copy_text(path, sizeof(path), reader->path, strlen(reader->path));
	reader->error = reader->report(reader->userdata, path, line, clean);
}

const char *ini_nearest(const char *word, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(word, names[i]) == 0)
			return names[i];
	return util_nearest(word, names, n);
}

/* What a file is that is not a regular one. */
static const char *file_type(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "a folder";
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

static int complain_open(struct ini_reader *reader, int error)
{
	struct stat st;

	/* A socket, and a device without a driver, cannot be opened (ENXIO), only be asked what
	 * they are. */
	if (stat(reader->path, &st) == 0 && !S_ISREG(st.st_mode))
		ini_complain(reader, 0, "must be a regular file, is %s", file_type(st.st_mode));
	else if (error == ENOENT && lstat(reader->path, &st) == 0)
		ini_complain(reader, 0,
			"is a link to a file that does not exist (to switch a rule off, link to "
			"/dev/null)");
	else
		ini_complain(reader, 0, "cannot be opened: %s", strerror(error));
	return reader->error < 0 ? reader->error : 1;
}

static int read_all(struct ini_reader *reader, int fd, char **ret_text, size_t *ret_len)
{
	int r = file_read(fd, INI_FILE_MAX_BYTES, ret_text, ret_len);

	if (r >= 0 || r == -ENOMEM)
		return r;
	if (r == -EFBIG)
		ini_complain(reader, 0, "is too big: more than %d bytes", INI_FILE_MAX_BYTES);
	else
		ini_complain(reader, 0, "cannot be read: %s", strerror(-r));
	return 1;
}

int ini_file_read(struct ini_reader *reader, char **ret_text, size_t *ret_len)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	*ret_text = NULL;
	*ret_len = 0;
	fd = open(reader->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return complain_open(reader, errno);
	if (fstat(fd, &st) < 0)
		ini_complain(reader, 0, "cannot be read: %s", strerror(errno));
	else if (!S_ISREG(st.st_mode))
		ini_complain(reader, 0, "must be a regular file, is %s", file_type(st.st_mode));
	else if (st.st_size > INI_FILE_MAX_BYTES)
		ini_complain(reader, 0, "is too big: %lld bytes, at most %d", (long long)st.st_size,
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

/* Length of a line without the comment at its end: a ; after a blank begins one. A # does not:
 * values may speak of issue #1. */
static size_t without_comment(const char *s, size_t len)
{
	for (size_t i = 1; i < len; i++)
		if (s[i] == ';' && (s[i - 1] == ' ' || s[i - 1] == '\t'))
			return i;
	return len;
}

static void write_name(FILE *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (isupper((unsigned char)s[i]))
			putc(CODE_UPPER, out);
		putc(tolower((unsigned char)s[i]), out);
	}
}

static void write_value(FILE *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		putc(s[i] == '"' ? CODE_QUOTE : s[i] == '\\' ? CODE_BACKSLASH : s[i], out);
}

static bool count_entry(struct scanner *s, unsigned line)
{
	if (s->n_entries == INI_MAX_ENTRIES) {
		ini_complain(s->reader, line, "has more than %d sections and keys: split the file",
			INI_MAX_ENTRIES);
		s->n_entries++;
	}
	if (s->n_entries > INI_MAX_ENTRIES)
		return false;
	s->n_entries++;
	return true;
}

static void scan_section(struct scanner *s, unsigned line, const char *text, size_t len)
{
	const char *end = memchr(text, ']', len), *name = text + 1, *rest;
	size_t name_len, rest_len;
	char shown[64];

	s->in_section = true;
	s->bad_section = true;
	if (!end) {
		ini_complain(s->reader, line, "the ] after the section's name is missing");
	} else {
		name_len = (size_t)(end - name);
		rest = end + 1;
		rest_len = len - (size_t)(rest - text);
		trim(&name, &name_len);
		trim(&rest, &rest_len);
		if (!is_name(name, name_len))
			ini_complain(s->reader, line,
				"\"%s\" cannot be a section: its name is one word of letters, "
				"digits and - . _",
				ini_copy_text(shown, sizeof(shown), name, name_len));
		else if (rest_len)
			ini_complain(s->reader, line,
				"\"%s\" stands behind the section: begin a new line",
				ini_copy_text(shown, sizeof(shown), rest, rest_len));
		else
			s->bad_section = false;
	}
	if (s->bad_section) {
		s->any_bad_section = true;
		return;
	}
	if (!count_entry(s, line))
		return;
	putc('[', s->out);
	write_name(s->out, name, name_len);
	fprintf(s->out, "|%u]\n", line);
}

static void scan_key(struct scanner *s, unsigned line, const char *text, size_t len)
{
	const char *equals = memchr(text, '=', len), *value;
	size_t value_len, key_len;
	char shown[64];

	if (!equals) {
		ini_complain(s->reader, line,
			"\"%s\" is neither [Section] nor Key=Value nor a comment (# or ;)%s",
			ini_copy_text(shown, sizeof(shown), text, len),
			memchr(text, ':', len) ? ": write = instead of :" : "");
		return;
	}
	key_len = (size_t)(equals - text);
	value = equals + 1;
	value_len = len - key_len - 1;
	trim(&text, &key_len);
	trim(&value, &value_len);
	ini_copy_text(shown, sizeof(shown), text, key_len);
	if (key_len == 0)
		ini_complain(s->reader, line, "the key before = is missing");
	else if (!is_name(text, key_len))
		ini_complain(s->reader, line,
			"\"%s\" cannot be a key: it is one word of letters, digits and - . _",
			shown);
	else if (!s->in_section)
		ini_complain(s->reader, line, "%s= stands before the first [Section]", shown);
	else if (value_len == 0)
		ini_complain(s->reader, line, "%s= has no value: give it one or leave the line out",
			shown);
	else if (value[value_len - 1] == '\\')
		ini_complain(s->reader, line,
			"%s= ends in a backslash: a value cannot go on in the next line", shown);
	else if (!s->bad_section && count_entry(s, line)) {
		write_name(s->out, text, key_len);
		fprintf(s->out, "|%u=\"", line);
		write_value(s->out, value, value_len);
		fputs("\"\n", s->out);
	}
}

/* Complains of the first byte of a line that may not be there. */
static bool check_bytes(struct ini_reader *reader, unsigned line, const char *s, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		unsigned char c = (unsigned char)s[i];

		n = character_length(s + i, len - i);
		if (n)
			continue;
		if (c < 0x80)
			ini_complain(
				reader, line, "control character 0x%02x in column %zu", c, i + 1);
		else
			ini_complain(reader, line,
				"byte 0x%02x in column %zu is not printable UTF-8", c, i + 1);
		return false;
	}
	return true;
}

static void scan_line(struct scanner *s, unsigned line, const char *text, size_t len)
{
	if (len && text[len - 1] == '\r')
		len--;
	if (len > INI_MAX_LINE) {
		ini_complain(s->reader, line, "the line is too long: %zu bytes, at most %d", len,
			INI_MAX_LINE);
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

/* "kIND|7" as written by write_name() and its line; false when it is not of that form. */
static bool read_name(const char *from, size_t len, char name[INI_MAX_NAME + 1], unsigned *ret_line)
{
	const char *bar = memchr(from, '|', len);
	size_t at = 0;

	if (!bar)
		return false;
	for (const char *p = from; p < bar; p++) {
		bool upper = *p == CODE_UPPER && p + 1 < bar;

		if (upper)
			p++;
		if (at == INI_MAX_NAME)
			return false;
		name[at++] = upper ? (char)toupper((unsigned char)*p) : *p;
	}
	name[at] = '\0';
	*ret_line = (unsigned)strtoul(bar + 1, NULL, 10);
	return true;
}

static char *read_value(const char *from)
{
	char *value = strdup(from);

	for (char *p = value; p && *p; p++)
		*p = *p == CODE_QUOTE ? '"' : *p == CODE_BACKSLASH ? '\\' : *p;
	return value;
}

/* Takes one section and its keys out of iniparser's dictionary. */
static int collect_section(
	const dictionary *d, const char *section, struct parsed_list *list, size_t room)
{
	int n = iniparser_getsecnkeys(d, section);
	_cleanup_free_ const char **keys = calloc((size_t)n + 1, sizeof(*keys));
	struct parsed head = { 0 };

	if (!keys)
		return -ENOMEM;
	if (!read_name(section, strlen(section), head.section, &head.section_line) ||
		list->n == room)
		return 0;
	list->items[list->n++] = head;
	if (n > 0 && !iniparser_getseckeys(d, section, keys))
		return 0;
	for (int i = 0; i < n && list->n < room; i++) {
		struct parsed *item = &list->items[list->n];
		const char *colon = keys[i] ? strchr(keys[i], ':') : NULL;
		const char *value = colon ? iniparser_getstring(d, keys[i], NULL) : NULL;

		*item = head;
		if (!value || !read_name(colon + 1, strlen(colon + 1), item->key, &item->line))
			continue;
		item->value = read_value(value);
		if (!item->value)
			return -ENOMEM;
		list->n++;
	}
	return 0;
}

static int compare_lines(const void *a, const void *b)
{
	const struct parsed *x = a, *y = b;
	unsigned lx = x->line ? x->line : x->section_line, ly = y->line ? y->line : y->section_line;

	return (lx > ly) - (lx < ly);
}

/* Has iniparser parse what the scanner wrote; n is how many sections and keys must come out. 0, 1
 * when it could not and the reader heard why, negative errno. */
static int run_iniparser(struct ini_reader *reader, int fd, size_t n, struct parsed_list *list)
{
	_cleanup_(freedict_pointer) dictionary *d = NULL;
	char path[32];
	int n_sections, r = 0;

	list->items = calloc(n + 1, sizeof(*list->items));
	if (!list->items)
		return -ENOMEM;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (access(path, R_OK) < 0) {
		ini_complain(reader, 0, "cannot be parsed: the parser reads %s, and %s", path,
			access("/proc/self", F_OK) < 0 ? "/proc is not mounted" : strerror(errno));
		return reader->error < 0 ? reader->error : 1;
	}
	iniparser_set_error_callback(be_silent);
	d = iniparser_load(path);
	iniparser_set_error_callback(NULL);
	n_sections = d ? iniparser_getnsec(d) : 0;
	for (int i = 0; i < n_sections && r >= 0; i++)
		r = collect_section(d, iniparser_getsecname(d, i), list, n);
	if (r < 0)
		return r;
	if (list->n != n) {
		ini_complain(
			reader, 0, "cannot be parsed: iniparser gave %zu of %zu lines", list->n, n);
		return reader->error < 0 ? reader->error : 1;
	}
	qsort(list->items, list->n, sizeof(*list->items), compare_lines);
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

static void complain_section(struct ini_reader *reader, const struct parsed *p,
	const struct ini_section *sections, size_t n)
{
	const char *names[16], *nearest;
	char list[256] = "";

	if (n > ARRAY_SIZE(names))
		n = ARRAY_SIZE(names);
	for (size_t i = 0; i < n; i++) {
		names[i] = sections[i].name;
		util_append(list, sizeof(list), "%s[%s]",
			i == 0       ? ""
			: i + 1 == n ? " and "
				     : ", ",
			names[i]);
	}
	nearest = ini_nearest(p->section, names, n);
	if (nearest)
		ini_complain(reader, p->section_line, "unknown section [%s]: did you mean [%s]?",
			p->section, nearest);
	else
		ini_complain(reader, p->section_line, "unknown section [%s]: there are %s",
			p->section, list);
}

static void complain_key(
	struct ini_reader *reader, const struct parsed *p, const struct ini_section *section)
{
	const char *names[64], *nearest;
	char list[512] = "";
	size_t n = 0;

	for (; n < section->n_keys && n < ARRAY_SIZE(names); n++) {
		names[n] = section->keys[n].name;
		util_append(list, sizeof(list), " %s=", names[n]);
	}
	nearest = ini_nearest(p->key, names, n);
	if (nearest)
		ini_complain(reader, p->line, "unknown key %s= in [%s]: did you mean %s=?", p->key,
			p->section, nearest);
	else
		ini_complain(reader, p->line, "unknown key %s= in [%s]: there are%s", p->key,
			p->section, list);
}

/* The line of an earlier key of that name in a section of that name, 0. */
static unsigned repeats(const struct parsed_list *list, size_t at)
{
	const struct parsed *p = &list->items[at];

	for (size_t i = 0; i < at; i++) {
		const struct parsed *q = &list->items[i];

		if (!p->line != !q->line || strcmp(p->section, q->section) != 0)
			continue;
		if (!p->line)
			return q->section_line;
		if (strcmp(p->key, q->key) == 0)
			return q->line;
	}
	return 0;
}

static int take_key(struct ini_reader *reader, const struct parsed *p,
	const struct ini_section *section, const struct ini_section *sections, size_t n,
	void *target)
{
	const struct ini_key *key = find_key(section, p->key);
	const struct ini_entry entry = {
		.line = p->line, .section = p->section, .key = p->key, .value = p->value};

	if (key)
		return key->parse(reader, &entry, (char *)target + key->offset, key->context);
	for (size_t i = 0; i < n; i++)
		if (&sections[i] != section &&
			(find_key(&sections[i], p->key) ||
				(sections[i].knows && sections[i].knows(p->key)))) {
			ini_complain(reader, p->line, "%s= does not belong into [%s] but into [%s]",
				p->key, p->section, sections[i].name);
			return 0;
		}
	if (section->parse_any)
		return section->parse_any(reader, &entry, target, NULL);
	complain_key(reader, p, section);
	return 0;
}

/* Complains of sections that must be there and are not, or say nothing. */
static void check_sections(struct ini_reader *reader, const struct parsed_list *list,
	const struct ini_section *sections, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned line = 0;
		bool filled = false;

		for (size_t j = 0; j < list->n; j++)
			if (strcmp(list->items[j].section, sections[i].name) == 0) {
				line = list->items[j].section_line;
				filled = filled || list->items[j].line;
			}
		if (!line && sections[i].missing)
			ini_complain(reader, 0, "%s", sections[i].missing);
		else if (line && !filled && sections[i].empty)
			ini_complain(reader, line, "%s", sections[i].empty);
	}
}

static int take_all(struct ini_reader *reader, const struct parsed_list *list,
	const struct ini_section *sections, size_t n, bool *ret_unknown_section, void *target)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct parsed *p = &list->items[i];
		const struct ini_section *section = find_section(sections, n, p->section);
		unsigned earlier = repeats(list, i);
		int r = 0;

		if (!section) {
			*ret_unknown_section = true;
			if (!p->line)
				complain_section(reader, p, sections, n);
		} else if (earlier && p->line) {
			ini_complain(reader, p->line, "%s= was given in line %u already", p->key,
				earlier);
		} else if (earlier) {
			ini_complain(reader, p->section_line,
				"[%s] began in line %u already: put its keys there", p->section,
				earlier);
		} else if (p->line) {
			r = take_key(reader, p, section, sections, n, target);
		}
		if (r < 0 || reader->error < 0)
			return r < 0 ? r : reader->error;
	}
	return 0;
}

static int parse_scanned(struct ini_reader *reader, const struct scanner *s, int fd,
	const struct ini_section *sections, size_t n, void *target)
{
	_cleanup_(parsed_list_clear) struct parsed_list list = { 0 };
	unsigned shape_errors = reader->n_errors;
	bool bad_section = s->any_bad_section;
	int r;

	r = run_iniparser(reader, fd, s->n_entries, &list);
	if (r != 0)
		return r;
	r = take_all(reader, &list, sections, n, &bad_section, target);
	if (r < 0)
		return r;
	/* A misspelt section, or a line that was not understood, would be reported a second
	 * time as one that is missing. */
	if (!bad_section && shape_errors == 0)
		check_sections(reader, &list, sections, n);
	return reader->error < 0 ? reader->error : reader->n_errors > 0;
}

int ini_file_parse(struct ini_reader *reader, const char *text, size_t len,
	const struct ini_section *sections, size_t n_sections, void *target)
{
	const char *nul = len ? memchr(text, '\0', len) : NULL;
	_cleanup_fclose_ FILE *out = NULL;
	struct scanner s = {.reader = reader};
	int fd;

	if (nul || len > INI_FILE_MAX_BYTES) {
		if (nul)
			ini_complain(reader, line_of(text, nul),
				"has a NUL byte: this is not a text file");
		else
			ini_complain(reader, 0, "is too big: %zu bytes, at most %d", len,
				INI_FILE_MAX_BYTES);
		return reader->error < 0 ? reader->error : 1;
	}
	fd = memfd_create("offloadd-ini", MFD_CLOEXEC);
	out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!out) {
		ini_complain(reader, 0, "cannot be parsed: no memory file: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return reader->error < 0 ? reader->error : 1;
	}
	s.out = out;
	scan_text(&s, text, len);
	if (s.n_entries > INI_MAX_ENTRIES || reader->error < 0)
		return reader->error < 0 ? reader->error : 1;
	if (fflush(out) != 0) {
		ini_complain(reader, 0, "cannot be parsed: memory file: %s", strerror(errno));
		return reader->error < 0 ? reader->error : 1;
	}
	return parse_scanned(reader, &s, fd, sections, n_sections, target);
}
