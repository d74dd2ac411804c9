/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Versions as package managers compare them: of kernels ("5.14.0-427.13.1.el9_4.x86_64"), drivers and firmware. Pure. */
#ifndef OFFLOADD_VERSION_H
#define OFFLOADD_VERSION_H

#include <stdbool.h>
#include <stddef.h>

#define VERSION_SIGN_MAX 2 /* bytes */

/* The operator at the start of a condition: < <= = == != >= >. *ret_after: what follows it. False: there is none. */
bool version_sign(const char *condition, const char **ret_after);
/* Is the condition true if the value is less than (-1), equal to (0) or greater than (1) what follows its operator? None means =. */
bool version_holds(const char *condition, int order);

/* Compares a version with another one, which may be shorter: only as much as written is compared, so 4.18.0-193.el8 equals
 * 4.18.0-193. The order is that of rpm and, for versions of kernels, of dpkg: parts are numbers or letters, numbers follow
 * letters, "~" precedes everything, and what precedes the first "-" is compared first. Less than 0, 0, greater than 0. */
int version_compare(const char *version, const char *with);

/* Does a version match a list? Words with an operator are conditions, and all must be true; of the other words, which are shell
 * patterns, one must match, and none that begins with "!". A version that does not begin with a digit meets no condition. list: NULL
 * matches everything. */
bool version_list_matches(const char *list, const char *version);

/* Is a word of such a list valid? */
bool version_word_is_valid(const char *word);

#endif
