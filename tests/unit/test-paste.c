/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts as people paste them: every file of tests/golden/paste is read as tests/golden/paste.json has it, and the same whatever a
 * terminal, a mail, a page or a log does to its lines. Runs at the top of the sources. */
#include "golden.h"

#include <dirent.h>

#include "basic/json.h"
#include "compare/snapshot_parts.h"

#define DIRECTORY "tests/golden/paste"
#define PAIRS 40 /* of decorations, for each text */

struct text {
	char *name, *bytes;
	size_t len;
};

struct decoration {
	const char *name;
	const char *before, *prefix, *suffix, *after; /* text, and around each line */
	const char *from, *to;			      /* replaced everywhere */
	bool numbered;				      /* %u of the prefix */
	bool changes; /* what it does has a meaning where a text has several states: a sign of diff, a host */
};

/* In a text, not in JSON: a JSON string has no real line breaks, so these may not come between its lines. */
static const struct decoration decorations[] = {
	{ "CR", .suffix = "\r" },
	{ "blanks at the end", .suffix = "    " },
	{ "a no-break space", .suffix = "\xc2\xa0" },
	{ "indented", .prefix = "    " },
	{ "mail", .prefix = "> " },
	{ "mail twice", .prefix = "> > " },
	{ "mail with a bar", .prefix = "| " },
	{ "initials", .prefix = "JD> " },
	{ "a comment", .prefix = "# " },
	{ "a comment of C", .prefix = "// " },
	{ "a block comment", .prefix = " * ", .before = "/*\n", .after = " */\n" },
	{ "cat -n", .prefix = "%6u\t", .numbered = true },
	{ "grep -n", .prefix = "%u:", .numbered = true, .changes = true },
	{ "a list", .prefix = "%u. ", .numbered = true },
	{ "a list with a bracket", .prefix = "%u) ", .numbered = true },
	{ "bat", .prefix = "%4u \xe2\x94\x82 ", .numbered = true },
	{ "bullets", .prefix = "* ", .changes = true },
	{ "bullets of a page", .prefix = "\xe2\x80\xa2 " },
	{ "dashes", .prefix = "- ", .changes = true },
	{ "a new file", .prefix = "+", .before = "--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n", .changes = true },
	{ "context", .prefix = " ", .before = "@@ -1 +1 @@\n" },
	{ "set -x", .prefix = "+ ", .changes = true },
	{ "journalctl", .prefix = "Nov 30 12:00:01 web1 sh[77]: " },
	{ "journalctl -o short-iso", .prefix = "2026-11-30T12:00:01+0100 web1 sh[77]: " },
	{ "journalctl --utc", .prefix = "Mon 2026-11-30 12:00:01 UTC web1 ethtool[77]: " },
	{ "dmesg", .prefix = "[   12.345678] " },
	{ "a container", .prefix = "2026-11-30T12:00:01.123456789Z stdout F " },
	{ "docker compose", .prefix = "web-1  | " },
	{ "a pod", .prefix = "[pod/web-7/app] " },
	{ "terraform", .prefix = "null_resource.x (remote-exec): " },
	{ "IRC", .prefix = "12:01 <joe> " },
	{ "chat", .before = "[30.11.26, 12:01:22] Joe:\n" },
	{ "a colour", .prefix = "\x1b[0;32m", .suffix = "\x1b[0m" },
	{ "a colour without escapes", .prefix = "[32m", .suffix = "[0m" },
	{ "end of line erased", .suffix = "\x1b[K" },
	{ "BOM", .before = "\xef\xbb\xbf" },
	{ "fences", .before = "```\n", .after = "```\n" },
	{ "fences with words", .before = "Hi,\n\n~~~console\n", .after = "~~~\nany idea?\n" },
	{ "BBCode", .before = "[code]\n", .after = "[/code]\n" },
	{ "a page", .before = "<pre><code>\n", .after = "</code></pre>\n" },
	{ "lines of a page", .suffix = "<br>" },
	{ "Jira", .before = "{noformat}\n", .after = "{noformat}\n" },
	{ "a pager", .after = "(END)\n" },
	{ "vi", .after = "~\n~\n\"x.txt\" 52L, 1500B\n" },
	{ "watch", .before = "Every 2.0s: cat x      web1: Mon Nov 30 12:00:00 2026\n\n" },
	{ "a typescript", .before = "Script started on 2026-11-30 12:00:00+00:00 [TERM=\"xterm\"]\n",
		.after = "\nScript done on 2026-11-30 12:00:09+00:00\n" },
	{ "a password", .before = "[sudo] password for joe: \n" },
	{ "set of ethtool -i", .after = "driver: e1000e\nversion: 6.1.0\nfirmware-version: 0.13-4\nsupports-statistics: yes\n" },
	{ "set of ethtool -g", .before = "Ring parameters for eth9:\nPre-set maximums:\nRX: 4096\nRX Push: off\n\n" },
	{ "set of ethtool -a", .before = "Pause parameters for eth9:\nAutonegotiate: on\nRX: off\nTX: off\n\n" },
	{ "a signature", .after = "-- \nJoe, on call: off on Fridays\n" },
	{ "blank lines", .suffix = "\n" },
	{ "tabs as blanks", .from = "\t", .to = "        " },
	{ "no indentation", .from = "\t", .to = "" },
	{ "cat -A", .from = "\t", .to = "^I" },
	{ "end of line of cat -A", .suffix = "$" },
	{ "no-break spaces", .from = ": ", .to = ":\xc2\xa0" },
	{ "hyphens", .from = "tx-", .to = "tx\xe2\x80\x91" },
	{ "HTML entities", .from = "tx-", .to = "tx&#45;" },
	{ "zero-width spaces", .from = "scatter-gather", .to = "scatter\xe2\x80\x8b-gather" },
	{ "soft hyphens", .from = "segmentation", .to = "segmen\xc2\xad" "tation" },
	{ "upper case", .from = ": on", .to = ": ON" },
	{ "Markdown", .from = " [", .to = " \\[" },
	{ "a full-width colon", .from = ": o", .to = "\xef\xbc\x9a o" },
};

static char why[512];

static char *append(char *at, const char *text)
{
	size_t len = strlen(text ? text : "");

	memcpy(at, text ? text : "", len);
	return at + len;
}

static char *prefix(char *at, const struct decoration *d, unsigned line)
{
	const char *percent = d->numbered ? strchr(d->prefix, '%') : NULL;
	unsigned width = 0;
	int end = 0;

	if (!percent)
		return append(at, d->prefix);
	(void)sscanf(percent, "%%%u%n", &width, &end);
	at += sprintf(at, "%.*s%*u", (int)(percent - d->prefix), d->prefix, (int)width, line);
	return append(at, percent + (end ? end : 1) + 1);
}

/* The caller frees bytes. */
static struct text decorate(const struct text *from, const struct decoration *d)
{
	struct text ret = { .name = from->name, .bytes = malloc(64 * from->len + 4096) };
	char *at = append(ret.bytes, d->before);
	unsigned line = 0;

	for (const char *p = from->bytes, *end = p + from->len; p < end;) {
		if (p == from->bytes || p[-1] == '\n')
			at = prefix(at, d, ++line);
		if (*p == '\n') {
			at = append(at, d->suffix);
		} else if (d->from && (size_t)(end - p) >= strlen(d->from) && memcmp(p, d->from, strlen(d->from)) == 0) {
			at = append(at, d->to);
			p += strlen(d->from);
			continue;
		}
		*at++ = *p++;
	}
	if (d->after && at > ret.bytes && at[-1] != '\n')
		at = append(at, "\n");
	at = append(at, d->after);
	ret.len = (size_t)(at - ret.bytes);
	return ret;
}

static void add_names(struct json_writer *w, const char *key, const struct feature_table *table, feature_set set)
{
	unsigned bit;

	if (!set)
		return;
	json_open_line(w, key);
	feature_foreach (bit, set)
		json_add_text(w, NULL, feature_name(table, bit));
	json_close_list(w);
}

static void add_link(struct json_writer *w, const struct snapshot *s, const struct snapshot_link *link)
{
	const struct link_features *f = &link->features;

	json_open_object(w, link->name);
	add_names(w, "on", &s->features, link->listed & f->active);
	add_names(w, "off", &s->features, link->listed & ~f->active);
	add_names(w, "fixed", &s->features, link->listed & ~f->hw);
	add_names(w, "requested_on", &s->features, link->listed & f->hw & f->wanted & ~f->active);
	add_names(w, "requested_off", &s->features, link->listed & f->hw & ~f->wanted & f->active);
	json_close_object(w);
}

/* How a text is read. lines: with what depends on the text around features. */
static void add_text(struct json_writer *w, const struct text *text, bool lines)
{
	static const struct feature_table none = { 0 };
	struct snapshot_parts parts;
	int r = snapshot_parse_parts(text->bytes, text->len, &none, &parts, why, sizeof(why));

	json_open_list(w, text->name);
	if (r < 0)
		json_add_text(w, NULL, why);
	for (size_t i = 0; i < parts.n; i++) {
		const struct snapshot *s = &parts.parts[i].snapshot;

		json_open_object(w, NULL);
		if (lines) {
			json_add_text(w, "name", parts.parts[i].name);
			json_add_int(w, "lines_used", s->lines_used);
			json_add_int(w, "lines_skipped", s->lines_skipped);
		}
		add_names(w, "unknown", &s->features, s->unknown);
		for (size_t j = 0; j < s->n_links; j++)
			add_link(w, s, &s->links[j]);
		json_close_object(w);
	}
	json_close_list(w);
	snapshot_parts_clear(&parts);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_text(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static struct text *texts;
static size_t n_texts;

static int read_texts(void **state)
{
	struct dirent **entries;
	int n = scandir(DIRECTORY, &entries, is_text, by_name);

	(void)state;
	assert_true(n > 0);
	texts = calloc((size_t)n, sizeof(*texts));
	for (int i = 0; i < n; i++) {
		char path[512];
		FILE *f;

		snprintf(path, sizeof(path), DIRECTORY "/%s", entries[i]->d_name);
		f = fopen(path, "r");
		assert_non_null(f);
		texts[i].name = strdup(entries[i]->d_name);
		texts[i].bytes = malloc(65536);
		texts[i].len = fread(texts[i].bytes, 1, 65536, f);
		fclose(f);
		free(entries[i]);
	}
	free(entries);
	n_texts = (size_t)n;
	return 0;
}

static int free_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_texts; i++) {
		free(texts[i].name);
		free(texts[i].bytes);
	}
	free(texts);
	return 0;
}

static void every_text_is_read(void **state)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };
	_cleanup_free_ char *found = NULL;
	size_t len;

	(void)state;
	json_open_object(&w, NULL);
	for (size_t i = 0; i < n_texts; i++)
		add_text(&w, &texts[i], true);
	assert_int_equal(json_take(&w, &found, &len), 0);
	golden_compare("tests/golden/paste.json", found, len);
}

static char *facts(const struct text *text)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };
	char *found = NULL;
	size_t len;

	json_open_object(&w, NULL);
	add_text(&w, text, false);
	assert_int_equal(json_take(&w, &found, &len), 0);
	return found;
}

static bool has_zeros(const struct text *text)
{
	return memchr(text->bytes, '\0', text->len);
}

static unsigned differences;

static void same_as(const struct text *text, const char *expected, const struct decoration *a, const struct decoration *b)
{
	struct text once = decorate(text, a), twice = b ? decorate(&once, b) : decorate(&once, &(struct decoration){ 0 });
	_cleanup_free_ char *found = facts(&twice);

	if (strcmp(found, expected) != 0 && differences++ < 5)
		print_error("%s with %s%s%s:\n%.*s\n%s", text->name, a->name, b ? " and " : "", b ? b->name : "", (int)twice.len,
			twice.bytes, found);
	free(once.bytes);
	free(twice.bytes);
}

/* May this be done to a text? Some of it means something there. */
static bool fits(const struct text *text, bool several, const struct decoration *d)
{
	if (several && d->changes)
		return false;
	if (strstr(text->name, "columns") && (d->prefix || (d->from && *d->from == '\t'))) /* what is in which column */
		return false;
	if (memmem(text->bytes, text->len, "{\"", 2) && d->from && *d->from == ' ') /* no JSON */
		return false;
	if (strstr(text->name, "wrapped") && d->suffix && *d->suffix == '\n')
		return false;
	return !memmem(text->bytes, text->len, "\\\n", 2) || !d->suffix; /* a line goes on */
}

static void decorations_change_nothing(void **state)
{
	unsigned seed = 1;

	(void)state;
	for (size_t i = 0; i < n_texts; i++) {
		_cleanup_free_ char *expected = facts(&texts[i]);
		bool several = strstr(expected, "},\n    {");

		if (has_zeros(&texts[i])) /* a decoration in UTF-16 is another one */
			continue;
		for (size_t j = 0; j < ARRAY_SIZE(decorations); j++)
			if (fits(&texts[i], several, &decorations[j]))
				same_as(&texts[i], expected, &decorations[j], NULL);
		for (unsigned j = 0; j < PAIRS; j++) {
			const struct decoration *a = &decorations[(unsigned)rand_r(&seed) % ARRAY_SIZE(decorations)];
			const struct decoration *b = &decorations[(unsigned)rand_r(&seed) % ARRAY_SIZE(decorations)];

			if (fits(&texts[i], several, a) && fits(&texts[i], several, b))
				same_as(&texts[i], expected, a, b);
		}
	}
	assert_int_equal(differences, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_text_is_read),
		cmocka_unit_test(decorations_change_nothing),
	};

	return cmocka_run_group_tests_name("paste", tests, read_texts, free_texts);
}
