/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads files of [Section] and Key=Value lines against a table of the keys that may stand in them;
 * the owner of iniparser.
 *
 * iniparser lower-cases names, merges what is repeated, cuts values at ; and #, joins lines at a
 * backslash and forgets line numbers, all silently. So a scanner checks the shape of every line and
 * hands iniparser a text in which none of that can happen: names are line numbers, what iniparser
 * would alter travels in other bytes. */
#ifndef OFFLOADD_INI_FILE_H
#define OFFLOADD_INI_FILE_H

#include <stddef.h>

#include "basic/util.h"

#define INI_FILE_MAX_BYTES (256 * 1024)
#define INI_MAX_ENTRIES                                                                            \
	1024 /* sections and keys of one file: iniparser looks each one up by walking */
#define INI_MAX_LINE                                                                               \
	900 /* bytes; iniparser's own limit is ASCIILINESZ, 1024, with what the scanner adds */
#define INI_MAX_NAME 40    /* bytes of a section or a key */
#define INI_MAX_ERRORS 100 /* a file; the rest is only mentioned */

/* One file being read, and where complaints go. Zero what is not set. */
struct ini_reader {
	const char *path;
	/* One complaint, line 0 means the whole file. The strings are clean UTF-8 and end with the
	 * call. 0 or -ENOMEM. */
	int (*report)(void *userdata, const char *path, unsigned line, const char *message);
	void *userdata;
	unsigned n_errors;
	int error; /* the first failure of report(), which ends everything */
};

struct ini_entry {
	unsigned line;
	const char *section, *key, *value;
};

/* Turns a value into *field. What is wrong with the value goes to ini_complain(), only -ENOMEM
 * comes back; else 0. */
typedef int (*ini_parse_fn)(
	struct ini_reader *reader, const struct ini_entry *entry, void *field, const void *context);

struct ini_key {
	const char *name;
	ini_parse_fn parse;
	size_t offset; /* of the field in the target */
	const void *context;
};

struct ini_section {
	const char *name;
	const struct ini_key *keys;
	size_t n_keys;
	ini_parse_fn parse_any; /* takes keys that no section has in its table; field is the target.
				   NULL: there are none */
	bool (*knows)(const char *key); /* is it one for parse_any? Only asked when it stands
					   elsewhere; may be NULL */
	const char *missing; /* the complaint when the section is not there; NULL: it need not be */
	const char *empty;   /* the complaint when it has no key; NULL: it may be empty */
};

/* Reads a regular file of bounded size. 0, 1 when it cannot be read and the reader heard why,
 * -ENOMEM. The text is the caller's to free. */
int ini_file_read(struct ini_reader *reader, char **ret_text, size_t *ret_len);

/* Parses a text into target. Goes on after an error, so that the reader hears all of them. 0 when
 * there was none, 1 when there were, -ENOMEM. */
int ini_file_parse(struct ini_reader *reader, const char *text, size_t len,
	const struct ini_section *sections, size_t n_sections, void *target);

/* Tells the reader of an error, at most INI_MAX_ERRORS times. */
void ini_complain(struct ini_reader *reader, unsigned line, const char *fmt, ...) _printf_(3, 4);

/* Tells the reader: invalid KEY= value "VALUE": WHY. value: the entry's, or one word of it. */
void ini_complain_value(struct ini_reader *reader, const struct ini_entry *entry, const char *value,
	const char *fmt, ...) _printf_(4, 5);

/* Number of a value among n words; -1 when it is none, and the reader heard which there are. */
int ini_find_word(struct ini_reader *reader, const struct ini_entry *entry, const char *value,
	const char *const *words, size_t n);

/* Calls take() for each blank-separated word of the value, until it returns a negative errno. 0, negative errno. */
int ini_each_word(struct ini_reader *reader, const struct ini_entry *entry,
	int (*take)(struct ini_reader *reader, const struct ini_entry *entry, const char *word, void *userdata),
	void *userdata);

/* Parsers for tables. The field is a char *, whose former text is freed; an enum or unsigned that gets the number of a
 * word; a bool that is true for the second word. The context of the latter two is a struct ini_words. */
struct ini_words {
	const char *const *words; /* NULL words are skipped */
	size_t n;
};
int ini_parse_text(struct ini_reader *reader, const struct ini_entry *entry, void *field, const void *context);
int ini_parse_word(struct ini_reader *reader, const struct ini_entry *entry, void *field, const void *context);
int ini_parse_flag(struct ini_reader *reader, const struct ini_entry *entry, void *field, const void *context);

#endif
