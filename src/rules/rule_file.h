/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads rule files (offloadd.rule(5)): directories, file names, and the values of each key. basic/ini_file.c
 * parses the lines. */
#ifndef OFFLOADD_RULE_FILE_H
#define OFFLOADD_RULE_FILE_H

#include "basic/ini_dir.h"
#include "basic/ini_file.h"
#include "rules/rule.h"

/* The default directories, highest priority first, NULL-terminated: rules.d in /etc/offloadd,
 * /run/offloadd-config and PREFIX/lib/offloadd. Not in /run/offloadd: that belongs to the daemon's user. */
extern const char *const rule_default_dirs[];

/* Reads all rules in the directories (highest priority first, NULL-terminated): files *.rule that are not
 * hidden. A file replaces the files of its name in directories of lower priority; an empty file or a link to
 * /dev/null masks them. ret gets all valid rules and all errors. A file with an error is ignored entirely,
 * but still replaces others. Files *.conf in a directory FILE.rule.d of any of the directories are read after the rule, sorted by
 * name; what they set replaces what it sets, and an error in one is an error of the rule. A missing directory is an error unless
 * dirs is rule_default_dirs. 0; -ENOMEM (ret is empty). The caller clears ret. */
int rule_set_load(const char *const *dirs, const struct feature_table *table, struct rule_set *ret);
/* The same for directories that the user did not name: FILE_SYSTEM. */
int rule_set_load_system(const char *const *dirs, const struct feature_table *table, struct rule_set *ret);

/* Adds the rule in a file with any name to the set; a mask adds nothing. 0; 1: errors were added to the set;
 * -ENOMEM. */
int rule_set_load_file(struct rule_set *set, const char *path, const struct feature_table *table);

/* The same from a text of len bytes; path is for messages. Also called by the fuzzer. */
int rule_set_load_text(struct rule_set *set, const char *path, const char *text, size_t len,
	const struct feature_table *table);

/* Adds an error in a line (0: in the whole file); path and message are sanitized and copied. 0 or -ENOMEM. */
int rule_set_add_error(struct rule_set *set, const char *path, unsigned line, const char *message);

/* The same for a warning. */
int rule_set_add_warning(struct rule_set *set, const char *path, unsigned line, const char *fmt, ...) _printf_(4, 5);

/* Key i of [Rule], [Match] and [Limits], NULL after the last. For tests of the documentation. Static. */
const char *rule_file_key(size_t i);

#endif
