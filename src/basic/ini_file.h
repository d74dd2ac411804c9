/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads files of [Section] and Key=Value lines by tables of the valid keys. The only user of iniparser.
 *
 * iniparser lower-cases names, merges repeated ones, cuts values at ; and #, joins lines at a backslash and
 * does not keep line numbers, all silently. So a scanner checks the syntax of each line first and gives
 * iniparser a text in which none of this can happen: its names are line numbers, and characters that
 * iniparser would interpret are encoded. */
#ifndef OFFLOADD_INI_FILE_H
#define OFFLOADD_INI_FILE_H

#include <stddef.h>

#include "basic/file.h"
#include "basic/util.h"

#define INI_FILE_MAX_BYTES (256 * 1024)
#define INI_MAX_ENTRIES 1024 /* sections and keys in one file: iniparser's lookup is linear */
#define INI_MAX_LINE 900     /* bytes; iniparser's limit, with what the scanner adds, is ASCIILINESZ, 1024 */
#define INI_MAX_NAME 40      /* bytes of a section or key name */
#define INI_MAX_ERRORS 100   /* in one file; one more error reports that others are not shown */

/* One file being read, and where its errors go. The caller sets path, report and userdata, and zeroes the
 * rest. */
struct ini_reader {
	const char *path;
	enum file_trust trust;
	/* Reports one error; line 0 is the whole file. The strings are clean UTF-8 and valid during the call.
	 * Returns 0 or -ENOMEM. */
	int (*report)(void *userdata, const char *path, unsigned line, const char *message);
	void *userdata;
	/* Explains a key that is not known, or a section if key is NULL, in place of the usual error. False: it cannot.
	 * NULL: nothing does. */
	bool (*explain)(const char *section, const char *key, char *buf, size_t size);
	unsigned n_errors;
	int error; /* 0, or the negative value of report(), after which nothing more is read */
};

/* One key, as it is passed to its parser; the strings are valid during the call. */
struct ini_entry {
	unsigned line;
	const char *section, *key, *value;
};

/* Parses a value into *field. Reports an invalid value with ini_complain_value() and returns 0; -ENOMEM is
 * the only error it returns. context: of the table. */
typedef int (*ini_parse_fn)(
	struct ini_reader *reader, const struct ini_entry *entry, void *field, const void *context);

struct ini_key {
	const char *name;
	ini_parse_fn parse;
	size_t offset; /* of the field in the target of ini_file_parse() */
	const void *context;
};

struct ini_section {
	const char *name;
	const struct ini_key *keys;
	size_t n_keys;
	/* Parses keys that no table has; its field is the whole target. NULL: such keys are errors. */
	ini_parse_fn parse_any;
	/* Would parse_any accept the key? For errors about a key in the wrong section; may be NULL. */
	bool (*knows)(const char *key);
	const char *missing; /* the error if the section is missing; NULL: it is optional */
	const char *instead; /* another section: if the file has it, this one may be missing; NULL: none */
	const char *empty;   /* the error if it has no key; NULL: it may be empty */
};

/* Reads the regular file reader->path, of at most INI_FILE_MAX_BYTES. *ret_text is the caller's to free,
 * *ret_len its length in bytes. 0; 1: it cannot be read, and the reason was reported; -ENOMEM. */
int ini_file_read(struct ini_reader *reader, char **ret_text, size_t *ret_len);

/* Parses a text of len bytes into target. Continues after an error, so that all errors are reported. 0: no
 * errors; 1: errors were reported; -ENOMEM. On error target may be filled in part. */
int ini_file_parse(struct ini_reader *reader, const char *text, size_t len,
	const struct ini_section *sections, size_t n_sections, void *target);

/* Reports an error in a line (0: in the whole file). Errors after INI_MAX_ERRORS are dropped. */
void ini_complain(struct ini_reader *reader, unsigned line, const char *fmt, ...) _printf_(3, 4);

/* Reports: invalid KEY= value "VALUE": REASON. value: the entry's, or one word of it. */
void ini_complain_value(struct ini_reader *reader, const struct ini_entry *entry, const char *value,
	const char *fmt, ...) _printf_(4, 5);

/* The index of a value in a list of n words; NULL words are skipped. -1: it is none of them, and an error
 * with the valid words was reported. */
int ini_find_word(struct ini_reader *reader, const struct ini_entry *entry, const char *value,
	const char *const *words, size_t n);

/* Calls take() for each word of the value, separated by spaces or tabs, until it returns a negative errno.
 * Returns what the last call returned, 0 without words, or -ENOMEM. */
int ini_each_word(struct ini_reader *reader, const struct ini_entry *entry,
	int (*take)(struct ini_reader *reader, const struct ini_entry *entry, const char *word, void *userdata),
	void *userdata);

/* Parsers for tables. Fields: text, a char * whose previous value is freed; word, an enum or unsigned that
 * gets the index of a word; flag, a bool that is true for the second word. The context of word and flag is a
 * struct ini_words. */
struct ini_words {
	const char *const *words; /* NULL words are skipped */
	size_t n;
};
int ini_parse_text(struct ini_reader *reader, const struct ini_entry *entry, void *field, const void *context);
int ini_parse_word(struct ini_reader *reader, const struct ini_entry *entry, void *field, const void *context);
int ini_parse_flag(struct ini_reader *reader, const struct ini_entry *entry, void *field, const void *context);

#endif
