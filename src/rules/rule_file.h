/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads rule files (offloadd.rule(5)): directories, file names, and what each key may say. ini_file.c
 * reads the lines. */
#ifndef OFFLOADD_RULE_FILE_H
#define OFFLOADD_RULE_FILE_H

#include "basic/ini_dir.h"
#include "basic/ini_file.h"
#include "rules/rule.h"

/* The directories that are read when none is named, highest priority first, NULL at the end:
 * /etc/offloadd/rules.d, /run/offloadd/rules.d, and the vendor's below PREFIX/lib. */
extern const char *const rule_default_dirs[];

/* Reads all rules of the directories (highest priority first, NULL at the end): files that end in .rule
 * and are not hidden. The same file name in an earlier directory replaces the later one, a link to
 * /dev/null or an empty file masks it. ret is filled with every rule that is good and every error
 * found; a file with an error is ignored entirely, and what it replaces stays replaced. With dirs ==
 * rule_default_dirs a missing directory is no error, otherwise it is. 0, or -ENOMEM (then ret is
 * empty). */
int rule_set_load(const char *const *dirs, const struct feature_table *table, struct rule_set *ret);

/* Reads one more file, whatever its name, into set; one that masks adds nothing. 0 when it was
 * good, 1 when errors were added, -ENOMEM. */
int rule_set_load_file(struct rule_set *set, const char *path, const struct feature_table *table);

/* The same from memory; path is only for messages. The fuzzer's way in. */
int rule_set_load_text(struct rule_set *set, const char *path, const char *text, size_t len,
	const struct feature_table *table);

/* Adds an error of a whole file or of one line, in clean UTF-8. 0 or -ENOMEM. */
int rule_set_add_error(struct rule_set *set, const char *path, unsigned line, const char *message);

/* The keys of [Rule] and [Match], NULL past the last; for what must name all of them. */
const char *rule_file_key(size_t i);

#endif
