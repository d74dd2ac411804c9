/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "basic/options.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

#define HELP_COLUMN 26
#define LETTERS_MAX (2 * OPTIONS_MAX + 2)

/* The option that is parsed. */
struct reading {
	const struct options_entry *entry;
	void *field;
	char *why;
	size_t why_size;
};

_printf_(3, 4) static int invalid(const struct reading *r, const char *value, const char *fmt, ...)
{
	static const char *const types[] = { [OPTIONS_DURATION] = "duration", [OPTIONS_SIZE] = "size",
		[OPTIONS_NUMBER] = "number", [OPTIONS_WORD] = "value" };
	va_list ap;

	snprintf(r->why, r->why_size, "invalid %s \"%s\" for --%s: ", types[r->entry->type], value, r->entry->name);
	va_start(ap, fmt);
	vsnprintf(r->why + strlen(r->why), r->why_size - strlen(r->why), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static int read_list(const struct reading *r, const char *value)
{
	const char **list = r->field;
	size_t n = 0;

	while (list[n])
		n++;
	if (n == OPTIONS_LIST_MAX) {
		snprintf(r->why, r->why_size, "--%s is used more than %d times", r->entry->name, OPTIONS_LIST_MAX);
		return -EINVAL;
	}
	list[n] = value;
	return 0;
}

static int read_number(const struct reading *r, const char *value)
{
	const struct options_entry *e = r->entry;
	size_t digits = strspn(value, "0123456789");
	unsigned long long number = digits && digits < 16 && !value[digits] ? strtoull(value, NULL, 10) : 0;

	if (digits == 0 || value[digits] || number < e->min || number > e->max)
		return invalid(r, value, "expected a number from %zu to %zu", e->min, e->max);
	*(size_t *)r->field = (size_t)number;
	return 0;
}

static int read_word(const struct reading *r, const char *value)
{
	int i = util_find_word(value, r->entry->words, r->entry->n_words);
	char list[256];

	if (i < 0)
		return invalid(r, value, "expected %s",
			util_format_words(r->entry->words, r->entry->n_words, " or ", list, sizeof(list)));
	*(unsigned *)r->field = (unsigned)i;
	return 0;
}

static int read_value(const struct reading *r, const char *value)
{
	int error;

	switch (r->entry->type) {
	case OPTIONS_FLAG:
		*(bool *)r->field = true;
		return 0;
	case OPTIONS_TEXT:
		*(const char **)r->field = value;
		return 0;
	case OPTIONS_LIST:
		return read_list(r, value);
	case OPTIONS_DURATION:
		error = util_parse_duration(value, r->field);
		if (error == -ERANGE)
			return invalid(r, value, "at most 366d");
		return error < 0 ? invalid(r, value, "expected a time, for example 500ms, 30s, 10min or 2h") : 0;
	case OPTIONS_SIZE:
		return util_parse_size(value, r->field) < 0
			? invalid(r, value, "expected a size, for example 500k, 64M or 2G")
			: 0;
	case OPTIONS_NUMBER:
		return read_number(r, value);
	case OPTIONS_WORD:
		return read_word(r, value);
	}
	return -EINVAL;
}

void options_unknown(
	const char *what, const char *word, const char *const *names, size_t n, char *why, size_t why_size)
{
	const char *nearest = util_nearest(word, names, n);

	snprintf(why, why_size, "unknown %s \"%s\"", what, word);
	if (nearest)
		util_append(why, why_size, ", did you mean \"%s\"?", nearest);
}

static int bad_option(const struct options_entry *table, size_t n, int c, const char *word, char *why, size_t why_size)
{
	const char *names[OPTIONS_MAX], *nearest = NULL;
	char name[64];

	if (c == ':') {
		snprintf(why, why_size, "option %s needs a value", word);
		return -EINVAL;
	}
	for (size_t i = 0; i < n; i++)
		names[i] = table[i].name;
	if (strncmp(word, "--", 2) == 0) {
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
		nearest = util_nearest(name, names, n);
	}
	snprintf(why, why_size, "unknown option %s", word);
	if (nearest)
		util_append(why, why_size, ", did you mean --%s?", nearest);
	return -EINVAL;
}

int options_read(const struct options_entry *table, size_t n, int argc, char **argv, void *target, uint64_t *ret_given,
	char *why, size_t why_size)
{
	struct option options[OPTIONS_MAX + 1] = { 0 };
	char letters[LETTERS_MAX] = ":";
	int c, r = 0;

	for (size_t i = 0; i < n; i++) {
		options[i] = (struct option){ .name = table[i].name,
			.has_arg = table[i].type == OPTIONS_FLAG ? no_argument : required_argument,
			.val = (int)(UINT8_MAX + 1 + i) };
		if (table[i].letter)
			util_append(letters, sizeof(letters), "%c%s", table[i].letter,
				table[i].type == OPTIONS_FLAG ? "" : ":");
	}
	*ret_given = 0;
	while (r == 0 && (c = getopt_long(argc, argv, letters, options, NULL)) != -1) {
		size_t i = 0;

		if (c == '?' || c == ':')
			return bad_option(table, n, c, argv[optind - 1], why, why_size);
		while (c != table[i].letter && c != UINT8_MAX + 1 + (int)i)
			i++;
		r = read_value(
			&(struct reading){ &table[i], (char *)target + table[i].offset, why, why_size }, optarg);
		*ret_given |= UINT64_C(1) << i;
	}
	return r;
}

void options_print(FILE *out, const struct options_entry *table, size_t n, uint64_t set, unsigned width)
{
	for (size_t i = 0; i < n; i++) {
		char left[64] = "  ";

		if (!(set & UINT64_C(1) << i))
			continue;
		if (table[i].letter)
			util_append(left, sizeof(left), "-%c, ", table[i].letter);
		util_append(left, sizeof(left), "--%s", table[i].name);
		if (table[i].argument)
			util_append(left, sizeof(left), " %s", table[i].argument);
		util_wrap(out, width, (unsigned)fprintf(out, "%-*s", HELP_COLUMN, left), table[i].help);
	}
}
