/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text into HTML and SVG. Whatever came from outside (names of links, texts of rules, names of units) goes
 * through here. */
#ifndef OFFLOADD_HTML_H
#define OFFLOADD_HTML_H

#include <stdio.h>

#include "basic/util.h"

/* Element text or a quoted attribute: markup is escaped, control characters and what is not UTF-8 become
 * '?'. NULL writes nothing. */
void html_text(FILE *out, const char *text);

/* As printf, with the result escaped as a whole. Cut at 4,095 bytes. */
void html_printf(FILE *out, const char *fmt, ...) _printf_(2, 3);

#endif
