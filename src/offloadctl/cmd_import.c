/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: rules from the files of other tools. Shows them, or writes them into a directory. */
#include "offloadctl/cmd.h"

#include <errno.h>
#include <string.h>

#include "basic/json.h"
#include "offloadctl/cmd_write.h"
#include "report/json.h"
#include "rules/import.h"

#define NAME_LEN 128

static int compare_links(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	bool x_link = util_has_suffix(x, ".link"), y_link = util_has_suffix(y, ".link");

	return COMPARE(y_link, x_link) ?: x_link ? strcmp(util_file_name(x), util_file_name(y)) : 0;
}

/* .link files come first, by their names, because udev reads them in that order. */
static void sort_links(char **paths, int n)
{
	for (int i = 1; i < n; i++) {
		char *path = paths[i];
		int at = i;

		for (; at > 0 && compare_links(&paths[at - 1], &path) > 0; at--)
			paths[at] = paths[at - 1];
		paths[at] = path;
	}
}

static int read_files(struct import *im, char **paths, int n)
{
	for (int i = 0; i < n; i++) {
		_cleanup_free_ char *text = NULL;
		size_t len;
		int r = cmd_file_read(paths[i], &text, &len);

		if (r < 0)
			return cmd_error("Failed to read %s: %s", paths[i], strerror(-r));
		if (strlen(text) != len)
			return cmd_error("Failed to read %s: it is not a text", paths[i]);
		r = import_add(im, import_guess(paths[i], text), paths[i], text);
		if (r == -E2BIG)
			return cmd_error("Failed to import %s: more than %d rules", paths[i], IMPORT_RULES_MAX);
		if (r < 0)
			return cmd_error("Failed to import %s: %s", paths[i], strerror(-r));
	}
	return CMD_OK;
}

static void print_note(FILE *f, const struct import_note *note)
{
	char path[512], text[1024], where[16] = "";

	if (note->line)
		snprintf(where, sizeof(where), ":%u", note->line);
	fprintf(f, "%s%s: %s: %s\n", util_clean(note->path, path, sizeof(path)), where,
		note->converted ? "converted, check it" : "not converted", util_clean(note->text, text, sizeof(text)));
}

static size_t count_notes(const struct import *im, bool converted)
{
	size_t n = 0;

	for (size_t i = 0; i < im->n_notes; i++)
		n += im->notes[i].converted == converted;
	return n;
}

/* Makes the texts, and reads each as offloadd would: what it refuses was not converted. */
static int take_texts(struct import *im, char **texts)
{
	static const struct feature_table none;

	for (size_t i = 0; i < im->n_rules;) {
		_cleanup_(rule_set_clear) struct rule_set set = { 0 };

		texts[i] = import_format(&im->rules[i]);
		if (!texts[i] || rule_set_load_text(&set, "rule", texts[i], strlen(texts[i]), &none) < 0)
			return cmd_error("%s", strerror(ENOMEM));
		if (set.n_errors == 0) {
			i++;
			continue;
		}
		free(TAKE_PTR(texts[i]));
		if (import_reject(im, i, set.errors[0].message) < 0)
			return cmd_error("%s", strerror(ENOMEM));
	}
	return CMD_OK;
}

static int write_document(const struct import *im, char **texts, int code)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };
	char name[NAME_LEN];

	json_begin(&w, "import");
	json_add_int(&w, "exit_code", code);
	json_open_list(&w, "rules");
	for (size_t i = 0; i < im->n_rules; i++) {
		json_open_object(&w, NULL);
		json_add_text(&w, "file", import_file_name(&im->rules[i], i + 1, name, sizeof(name)));
		json_add_text(&w, "from", im->rules[i].path);
		json_add_int(&w, "line", im->rules[i].line);
		json_add_text(&w, "text", texts[i]);
		json_close_object(&w);
	}
	json_close_list(&w);
	json_open_list(&w, "notes");
	for (size_t i = 0; i < im->n_notes; i++) {
		json_open_object(&w, NULL);
		json_add_text(&w, "from", im->notes[i].path);
		json_add_positive(&w, "line", im->notes[i].line);
		json_add_bool(&w, "converted", im->notes[i].converted);
		json_add_text(&w, "text", im->notes[i].text);
		json_close_object(&w);
	}
	json_close_list(&w);
	return json_finish(&w, stdout);
}

static void print_rules(const struct import *im, char **texts)
{
	char name[NAME_LEN];

	for (size_t i = 0; i < im->n_rules; i++)
		printf("%s# %s\n%s", i ? "\n" : "", import_file_name(&im->rules[i], i + 1, name, sizeof(name)), texts[i]);
}

/* Counts on standard error, because standard output has the rules. */
static void print_notes(const struct import *im)
{
	size_t skipped = count_notes(im, false), doubts = count_notes(im, true);

	for (size_t i = 0; i < im->n_notes; i++)
		print_note(stderr, &im->notes[i]);
	fprintf(stderr, "%zu rule%s, %zu setting%s not converted", im->n_rules, util_plural(im->n_rules), skipped,
		util_plural(skipped));
	if (doubts)
		fprintf(stderr, ", %zu to check", doubts);
	fputc('\n', stderr);
}

static int write_rules(const struct cmd_options *options, const struct import *im, char **texts)
{
	char name[NAME_LEN];

	for (size_t i = 0; i < im->n_rules; i++) {
		int r = cmd_write_rule(options, import_file_name(&im->rules[i], i + 1, name, sizeof(name)), texts[i]);

		if (r != CMD_OK)
			return r;
	}
	return CMD_OK;
}

int cmd_import(const struct cmd_options *options, int argc, char **argv)
{
	_cleanup_(import_clear) struct import im = { 0 };
	_cleanup_free_ char **texts = NULL;
	int r, code;

	sort_links(argv, argc);
	r = read_files(&im, argv, argc);
	texts = calloc(im.n_rules + 1, sizeof(*texts));
	if (!texts)
		return cmd_error("%s", strerror(ENOMEM));
	if (r == CMD_OK)
		r = take_texts(&im, texts);
	code = count_notes(&im, false) ? CMD_UNMET : CMD_OK;
	if (r == CMD_OK && options->json) {
		r = cmd_written(write_document(&im, texts, code), code);
	} else if (r == CMD_OK) {
		if (!options->output)
			print_rules(&im, texts);
		fflush(stdout);
		print_notes(&im);
		r = options->output ? write_rules(options, &im, texts) : CMD_OK;
		r = r == CMD_OK ? code : r;
	}
	for (size_t i = 0; i < im.n_rules; i++)
		free(texts[i]);
	return r;
}
