/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/version.h"

#include <ctype.h>
#include <fnmatch.h>
#include <string.h>

#include "basic/util.h"

#define WORD_MAX 256

static const struct sign {
	const char *text;
	bool holds[3]; /* less, equal, greater */
} signs[] = {
	{ "<=", { true, true, false } }, { ">=", { false, true, true } }, { "!=", { true, false, true } },
	{ "==", { false, true, false } }, { "<", { true, false, false } }, { ">", { false, false, true } },
	{ "=", { false, true, false } }, { "", { false, true, false } },
};

static const struct sign *find_sign(const char *condition)
{
	const struct sign *sign = signs;

	while (strncmp(condition, sign->text, strlen(sign->text)) != 0)
		sign++;
	return sign;
}

bool version_sign(const char *condition, const char **ret_after)
{
	const struct sign *sign = find_sign(condition);

	*ret_after = condition + strlen(sign->text);
	return *sign->text;
}

bool version_holds(const char *condition, int order)
{
	return find_sign(condition)->holds[COMPARE(order, 0) + 1];
}

/* A run of digits, or of letters. */
struct part {
	const char *text;
	size_t len;
	bool number;
};

static bool is_separator(char c)
{
	return c && c != '~' && !isalnum((unsigned char)c);
}

static struct part next_part(const char **s, const char *end)
{
	struct part part = { 0 };

	while (*s < end && is_separator(**s))
		++*s;
	part.text = *s;
	part.number = *s < end && isdigit((unsigned char)**s);
	while (*s < end && (part.number ? isdigit((unsigned char)**s) : isalpha((unsigned char)**s)))
		++*s;
	part.len = (size_t)(*s - part.text);
	return part;
}

static int compare_numbers(struct part a, struct part b)
{
	for (; a.len && *a.text == '0'; a.len--)
		a.text++;
	for (; b.len && *b.text == '0'; b.len--)
		b.text++;
	return COMPARE(a.len, b.len) ?: memcmp(a.text, b.text, a.len);
}

static int compare_parts(struct part a, struct part b)
{
	size_t common = a.len < b.len ? a.len : b.len;

	if (a.number != b.number)
		return a.number ? 1 : -1;
	return a.number ? compare_numbers(a, b) : memcmp(a.text, b.text, common) ?: COMPARE(a.len, b.len);
}

/* whole: b is complete, so what it lacks is 0. */
static int compare_until(const char *a, const char *a_end, const char *b, const char *b_end, bool whole)
{
	for (int order = 0;; ) {
		static const struct part zero = { "0", 1, true };
		bool a_before, b_before;
		struct part x, y;

		while (a < a_end && is_separator(*a))
			a++;
		while (b < b_end && is_separator(*b))
			b++;
		a_before = a < a_end && *a == '~';
		b_before = b < b_end && *b == '~';
		if (a_before || b_before) {
			if (a_before != b_before)
				return a_before ? -1 : 1;
			a++;
			b++;
			continue;
		}
		if (b == b_end && (a == a_end || !whole || !isdigit((unsigned char)*a)))
			return 0;
		if (a == a_end && !isdigit((unsigned char)*b))
			return -1;
		x = a == a_end ? zero : next_part(&a, a_end);
		y = b == b_end ? zero : next_part(&b, b_end);
		order = compare_parts(x, y);
		if (order != 0)
			return order;
	}
}

static const char *version_end(const char *version)
{
	return version + strcspn(version, "-");
}

int version_compare(const char *version, const char *with)
{
	const char *a = version_end(version), *b = version_end(with);
	int order = compare_until(version, a, with, b, *b);

	return order ?: compare_until(a, a + strlen(a), b, b + strlen(b), false);
}

bool version_word_is_valid(const char *word)
{
	const char *after;

	if (!version_sign(word, &after))
		return true;
	return isdigit((unsigned char)*after) && !strpbrk(after, "*?[]<>=!,") &&
	       isalnum((unsigned char)after[strlen(after) - 1]);
}

bool version_list_matches(const char *list, const char *version)
{
	bool patterns = false, hit = false;
	char word[WORD_MAX];

	if (!list)
		return true;
	if (!*version)
		return false;
	for (size_t len; list += strspn(list, " \t"), len = strcspn(list, " \t"); list += len) {
		const char *after;

		snprintf(word, sizeof(word), "%.*s", (int)len, list);
		if (version_sign(word, &after)) {
			if (!isdigit((unsigned char)*version) || !version_holds(word, version_compare(version, after)))
				return false;
		} else if (*word == '!') {
			if (fnmatch(word + 1, version, 0) == 0)
				return false;
		} else {
			patterns = true;
			hit = hit || fnmatch(word, version, 0) == 0;
		}
	}
	return hit || !patterns;
}
