/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "compare/snapshot_clean.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "basic/util.h"

/* to: 0 removes. A longer text comes before its beginning. */
static const struct {
	const char *from;
	char to;
} replacements[] = {
	{ "\r\n", '\n' },
	{ "\r", '\n' },
	{ "\t", ' ' },
	{ "\v", ' ' },
	{ "\f", ' ' },
	{ "\\r\\n", SNAPSHOT_BREAK }, /* strings of JSON, Python, C */
	{ "\\n", SNAPSHOT_BREAK },
	{ "\\r", SNAPSHOT_BREAK },
	{ "\\t", ' ' },
	{ "\xef\xbb\xbf", 0 },	   /* BOM */
	{ "\xff\xfe", 0 },	   /* BOM of UTF-16 */
	{ "\xfe\xff", 0 },
	{ "\xe2\x80\x8b", 0 },	   /* zero-width space, non-joiner, joiner, word joiner */
	{ "\xe2\x80\x8c", 0 },
	{ "\xe2\x80\x8d", 0 },
	{ "\xe2\x81\xa0", 0 },
	{ "\xc2\xad", 0 },	   /* soft hyphen */
	{ "\xc2\xa0", ' ' },	   /* no-break space */
	{ "\xe2\x80\x83", ' ' },   /* em, thin, figure space */
	{ "\xe2\x80\x87", ' ' },
	{ "\xe2\x80\x89", ' ' },
	{ "\xe2\x80\xaf", ' ' },   /* narrow no-break space */
	{ "\xe3\x80\x80", ' ' },   /* ideographic space */
	{ "\xe2\x80\x90", '-' },   /* hyphen, no-break hyphen, en dash, minus */
	{ "\xe2\x80\x91", '-' },
	{ "\xe2\x80\x93", '-' },
	{ "\xe2\x88\x92", '-' },
	{ "\xe2\x80\x98", '\'' },  /* typographic quotes */
	{ "\xe2\x80\x99", '\'' },
	{ "\xe2\x80\x9c", '"' },
	{ "\xe2\x80\x9d", '"' },
	{ "\xef\xbc\x9a", ':' },   /* full-width colon */
	{ "&nbsp;", ' ' },
	{ "&#160;", ' ' },
	{ "&gt;", '>' },
	{ "&lt;", '<' },
	{ "&quot;", '"' },
	{ "&#39;", '\'' },
	{ "=C2=A0", ' ' },	   /* quoted-printable */
	{ "=20", ' ' },
	{ "=09", ' ' },
	{ "=3D", '=' },
	{ "=5B", '[' },
	{ "\xa0", ' ' },	   /* no-break space of ISO 8859-1 */
};

/* How the escape character is written. */
static const char *const escapes[] = { "\x1b", "\xc2\x9b", "^[", "\\u001b", "\\u001B", "\\x1b", "\\x1B", "\\033", "\\e" };

/* Bytes of a control sequence after "ESC [" (ECMA-48); 0: none. */
static size_t sequence_length(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && i < 32 && strchr("0123456789;:?<=>", s[i]) && s[i])
		i++;
	return i < n && isalpha((unsigned char)s[i]) ? i + 1 : 0;
}

/* Bytes of an escape code at s: control sequences, titles ("ESC ]", up to BEL) and two-byte codes; also "[32m" and
 * "[K", of which the escape character was lost. 0: none. */
static size_t escape_length(const char *s, size_t n)
{
	size_t length = 0;

	if (!strchr("\x1b\xc2^\\[", *s))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(escapes) && !length; i++)
		if (n > strlen(escapes[i]) && memcmp(s, escapes[i], strlen(escapes[i])) == 0)
			length = strlen(escapes[i]);
	if (!length) {
		size_t sequence = n > 1 && s[0] == '[' ? sequence_length(s + 1, n - 1) : 0;

		return sequence && (s[sequence] == 'm' || s[sequence] == 'K') ? sequence + 1 : 0;
	}
	if (s[length] == '[') {
		size_t sequence = sequence_length(s + length + 1, n - length - 1);

		return length + 1 + sequence;
	}
	if (s[length] == ']')
		for (size_t i = length; i < n && i < 256 && s[i] != '\n'; i++)
			if (s[i] == '\a')
				return i + 1;
	if (s[length] == '(')
		return length + (n - length > 1 ? 2 : 1);
	return s[0] == '\x1b' ? length : 0;
}

static size_t replacement(const char *s, size_t n, char *ret)
{
	if ((unsigned char)*s < 0x80 && !strchr("\r\t\v\f\\&=", *s))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(replacements); i++) {
		size_t length = strlen(replacements[i].from);

		if (n < length || memcmp(s, replacements[i].from, length) != 0)
			continue;
		*ret = replacements[i].to;
		return length;
	}
	return 0;
}

/* NUL bytes are removed first, so that UTF-16 becomes ASCII. */
static size_t copy_text(char *to, const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		if (text[i])
			to[n++] = text[i];
	to[n] = '\0';
	return n;
}

char *snapshot_clean(const char *text, size_t len)
{
	char *clean = malloc(len + 1);
	size_t n, to = 0;

	if (!clean)
		return NULL;
	n = copy_text(clean, text, len);
	for (size_t at = 0; at < n;) {
		size_t skip = escape_length(clean + at, n - at);
		char c = clean[at];

		if (skip) {
			at += skip;
			continue;
		}
		skip = replacement(clean + at, n - at, &c);
		at += skip ? skip : 1;
		if (c && !(c == ' ' && to && clean[to - 1] == ' '))
			clean[to++] = c;
	}
	clean[to] = '\0';
	return clean;
}
