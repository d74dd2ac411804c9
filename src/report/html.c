/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/html.h"

#include <string.h>


static void put_escaped(FILE *out, char c)
{
	switch (c) {
	case '&':
		fputs("&amp;", out);
		break;
	case '<':
		fputs("&lt;", out);
		break;
	case '>':
		fputs("&gt;", out);
		break;
	case '"':
		fputs("&quot;", out);
		break;
	case '\'':
		fputs("&#39;", out);
		break;
	default:
		fputc(c, out);
	}
}

void html_text(FILE *out, const char *text)
{
	for (size_t left = text ? strlen(text) : 0, n; left; text += n, left -= n) {
		n = util_printable(text, left);
		if (n > 1)
			fwrite(text, 1, n, out);
		else
			put_escaped(out, n ? *text : '?');
		n = n ? n : 1;
	}
}

void html_printf(FILE *out, const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	html_text(out, text);
}
