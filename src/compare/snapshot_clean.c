/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "compare/snapshot_clean.h"

#include <ctype.h>
#include <stdio.h>
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
	{ "\xc2\xab", '"' },
	{ "\xc2\xbb", '"' },
	{ "\xe2\x86\xb5", 0 },	   /* line ends that an editor shows */
	{ "\xc2\xac\n", '\n' },
	{ "<br>", ' ' },
	{ "<br/>", ' ' },
	{ "<br />", ' ' },
	{ "$\n", '\n' },	   /* of cat -A */
	{ "^I", ' ' },		   /* of cat -A */		   /* of cat -A */
	{ "^M", 0 },
	{ "\\[", '[' },	   /* of Markdown */
	{ "\\]", ']' },
	{ "\\-", '-' },
	{ "\\_", '_' },
	{ "\\*", '*' },
	{ "\\>", '>' },
	{ "\\#", '#' },
	{ "&nbsp;", ' ' },
	{ "&emsp;", ' ' },
	{ "&ensp;", ' ' },
	{ "&thinsp;", ' ' },
	{ "&ndash;", '-' },
	{ "&hyphen;", '-' },
	{ "&lbrack;", '[' },
	{ "&lsqb;", '[' },
	{ "&rbrack;", ']' },
	{ "&rsqb;", ']' },
	{ "&colon;", ':' },
	{ "&lowbar;", '_' },
	{ "&gt;", '>' },
	{ "&lt;", '<' },
	{ "&quot;", '"' },
	{ "&apos;", '\'' },
	{ "&shy;", 0 },
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

/* "&#45;", "&#x2d;" */
static size_t reference(const char *s, size_t n, char *ret)
{
	bool hex = n > 2 && (s[2] == 'x' || s[2] == 'X');
	unsigned number = 0;
	int end = 0;

	if (n < 4 || s[0] != '&' || s[1] != '#')
		return 0;
	if (sscanf(s, hex ? "&#%*1[xX]%6x;%n" : "&#%6u;%n", &number, &end) != 1 || !end)
		return 0;
	*ret = number == 0x2010 || number == 0x2011 || number == 0x2013 || number == 0x2212 ? '-' :
		number >= 0x200b && number <= 0x200d				     ? 0 :
		number >= 0x80 || number < 0x20					     ? ' ' :
										       (char)number;
	return (size_t)end;
}

static size_t replacement(const char *s, size_t n, char *ret)
{
	size_t referenced = reference(s, n, ret);

	if (referenced || ((unsigned char)*s < 0x80 && !strchr("\r\t\v\f\\&=^<$", *s)))
		return referenced;
	for (size_t i = 0; i < ARRAY_SIZE(replacements); i++) {
		size_t length;

		if (*s != replacements[i].from[0])
			continue;
		length = strlen(replacements[i].from);
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

size_t snapshot_find_common(const char *a, const char *b, size_t *ret_b)
{
	size_t i = 0, j = 0, common = 0;

	*ret_b = 0;
	while (a[i] && b[j] && !strchr("\n\v", a[i])) {
		if (isdigit((unsigned char)a[i]) && isdigit((unsigned char)b[j])) {
			i += strspn(a + i, "0123456789");
			j += strspn(b + j, "0123456789");
		} else if (a[i++] != b[j++]) {
			break;
		}
		if (strchr(" :>|)]", a[i - 1])) {
			common = i;
			*ret_b = j;
		}
	}
	return common;
}
