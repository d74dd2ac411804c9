/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Escapes text for HTML and SVG. All text from outside (names of interfaces and units, texts of rules) is written with these. */
#ifndef OFFLOADD_HTML_H
#define OFFLOADD_HTML_H

#include <stdio.h>

#include "basic/util.h"

/* Writes text as element content or as the value of a quoted attribute. Escapes markup; control characters and invalid UTF-8
 * become '?'. text: NULL writes nothing. Errors: ferror(out). */
void html_text(FILE *out, const char *text);

/* Like fprintf(), with the whole result escaped. Truncates it after 4,095 bytes. */
void html_printf(FILE *out, const char *fmt, ...) _printf_(2, 3);

#endif
