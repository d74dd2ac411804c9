/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads rule files (offloadd.rule(5)); the owner of iniparser.
 *
 * A scanner of our own checks the shape of every line and numbers the keys, iniparser does the parsing, a key table finds what is
 * unknown or repeated: so every error carries file and line, and none of iniparser's silent repairs gets through. */
#ifndef OFFLOADD_RULE_FILE_H
#define OFFLOADD_RULE_FILE_H

#include "rule.h"

#define RULE_FILE_MAX_BYTES (256 * 1024)
#define RULE_DIR_MAX_FILES 1024

/* The folders that are read when none is named, strongest first, NULL at the end:
 * /etc/offloadd/rules.d, /run/offloadd/rules.d, and the vendor's below PREFIX/lib. */
extern const char *const rule_default_dirs[];

/* Reads all rules of the folders (strongest first, NULL at the end). The same file name in an earlier folder replaces the later
 * one, a link to /dev/null or an empty file masks it. ret is filled with every rule that is good and every error found; a bad file
 * is left out whole. With dirs == rule_default_dirs a missing folder is no error, otherwise it is.
 * 0, or -ENOMEM (then ret is empty). */
int rule_set_load(const char *const *dirs, const struct feature_table *table, struct rule_set *ret);

/* Reads one more file, whatever its name, into set. 0 when it was good, 1 when errors were added, -ENOMEM. */
int rule_set_load_file(struct rule_set *set, const char *path, const struct feature_table *table);

/* The same from memory; path is only for messages. The fuzzer's way in. */
int rule_set_load_text(struct rule_set *set, const char *path, const char *text, size_t len,
	const struct feature_table *table);

#endif
