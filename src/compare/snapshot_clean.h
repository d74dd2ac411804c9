/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Removes what mail, web pages and terminals do to pasted text. */
#ifndef OFFLOADD_SNAPSHOT_CLEAN_H
#define OFFLOADD_SNAPSHOT_CLEAN_H

#include <stddef.h>

#define SNAPSHOT_BREAK '\v' /* stands for a line break that the text has as the two characters \ and n */

/* Copies a text without escape codes, NUL bytes (of UTF-16), BOM and zero-width spaces; other blanks, quotes and
 * hyphens become ASCII, several blanks become one. Lines end in '\n', or in SNAPSHOT_BREAK for a line break written as "\n". Returns a
 * NUL-terminated text, the caller's to free; NULL: no memory. */
char *snapshot_clean(const char *text, size_t len);

/* What two lines have in common at their beginnings, as the time of a log or a quote mark: up to a blank or a sign, and numbers may
 * differ. Lines end with NUL, '\n' or SNAPSHOT_BREAK. The length in `a`, and in `b`. */
size_t snapshot_find_common(const char *a, const char *b, size_t *ret_b);

#endif
