/* SPDX-License-Identifier: GPL-2.0-or-later */
/* snapshot, diff: the state of a host as a document, and the difference of two. */
#include "offloadctl/cmd_snapshot.h"

#include <errno.h>
#include <string.h>

#include "compare/diff.h"
#include "compare/results.h"
#include "offloadctl/cmd_investigate.h"
#include "report/json.h"
#include "report/render_diff.h"
#include "report/render_results.h"
#include "compare/snapshot_json.h"
#include "basic/util.h"

/* Refuses to write a snapshot that diff would not read. */
static int write_snapshot(const char *path, const struct snapshot *s)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = snapshot_format_json(s, &text, &len);

	if (r < 0)
		return cmd_error("Failed to write the snapshot: %s", strerror(-r));
	if (len > SNAPSHOT_BYTES_MAX)
		return cmd_error("snapshot larger than %d MiB; name the interfaces to include",
			SNAPSHOT_BYTES_MAX >> 20);
	/* offloadd-baseline.service reads it as another user */
	r = cmd_file_write(path, text, len, 0644);
	if (!path)
		return cmd_written(r, CMD_OK);
	return r < 0 ? cmd_error("Failed to write %s: %s", path, strerror(-r)) : CMD_OK;
}

static int take(struct cmd_session *s, bool whole, struct snapshot *ret)
{
	int r = snapshot_take(s->view.features, s->view.links, &s->rules, &s->host, s->context.now, whole, ret);

	if (r == -E2BIG)
		return cmd_error("more than %d interfaces; name those to include", SNAPSHOT_LINKS_MAX);
	return r < 0 ? cmd_error("Failed to take a snapshot: %s", strerror(-r)) : CMD_OK;
}

int cmd_snapshot(const struct cmd_options *options, int argc, char **argv)
{
	_cleanup_(snapshot_clear) struct snapshot snapshot = { 0 };
	_cleanup_(cmd_close) struct cmd_session s;
	const char *missing = NULL;
	int r;

	r = cmd_open_whole(options, &s);
	for (int i = 0; r == CMD_OK && i < argc; i++) {
		struct link *link = cmd_find_link(&s, argv[i]);

		if (!link)
			return CMD_ERROR;
		argv[i] = link->name; /* it may be an alternative one */
	}
	if (r == CMD_OK)
		r = take(&s, true, &snapshot);
	if (r != CMD_OK)
		return r;
	if (argc > 0 && (snapshot_keep(&snapshot, argv, (size_t)argc, &missing) < 0 || missing))
		return cmd_error("Failed to take a snapshot of %s", missing ? missing : "these interfaces");
	r = write_snapshot(options->output, &snapshot);
	return r == CMD_OK ? cmd_exit_code(&s, CMD_OK) : r;
}

static const char *file_name(const char *path)
{
	return strcmp(path, "-") == 0 ? "standard input" : path;
}

static int read_text(const char *path, char **ret, size_t *ret_len)
{
	int r = cmd_file_read(path, ret, ret_len);

	if (r == -EFBIG)
		return cmd_error("Failed to read %s: larger than %d MiB", file_name(path), SNAPSHOT_BYTES_MAX >> 20);
	return r < 0 ? cmd_error("Failed to read %s: %s", file_name(path), strerror(-r)) : CMD_OK;
}

/* Does a text from `at` begin a document of offloadctl? Then it is nothing else, even if it is truncated. */
static bool is_document(const char *text, size_t len, size_t at)
{
	size_t n = len - at < 256 ? len - at : 256;

	return text[at] == '{' && memmem(text + at, n, "\"document\"", strlen("\"document\""));
}

/* Does a text from `at` begin with JSON? After '[' there is an object or nothing: "[root@web1 ~]# ..." is text. */
static bool is_json(const char *text, size_t len, size_t at)
{
	size_t next = at + 1;

	while (next < len && text[next] && strchr(" \t\r\n", text[next]))
		next++;
	return text[at] == '{' || (text[at] == '[' && next < len && (text[next] == '{' || text[next] == ']'));
}

int cmd_parse_snapshots(const char *path, const char *text, size_t len, const struct feature_table *known, struct snapshot_parts *ret)
{
	char why[512] = "", other[512] = "";
	struct snapshot document;
	size_t at = 0;
	int r = -EBADMSG;

	*ret = (struct snapshot_parts){ 0 };
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		at = 3;
	while (at < len && strchr(" \t\r\n", text[at]) && text[at])
		at++;
	if (at == len)
		return cmd_error("Failed to read %s: empty", file_name(path));
	/* lines are counted from the first one */
	if (is_json(text, len, at)) {
		r = snapshot_parse_json(text, len, &document, why, sizeof(why));
		if (r >= 0)
			r = snapshot_parts_take(ret, &document);
	}
	if (r == -EBADMSG && !is_document(text, len, at)) {
		r = snapshot_parse_parts(text, len, known, ret, other, sizeof(other));
		if (r != -ENODATA || !*why)
			memcpy(why, other, sizeof(why));
	}
	return r < 0 ? cmd_error("Failed to read %s: %s", file_name(path), *why ? why : strerror(-r)) : CMD_OK;
}

int cmd_load_snapshots(const char *path, const struct feature_table *known, struct snapshot_parts *ret)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	int r = read_text(path, &text, &len);

	*ret = (struct snapshot_parts){ 0 };
	return r == CMD_OK ? cmd_parse_snapshots(path, text, len, known, ret) : r;
}

static int exit_code(const struct cmd_options *options, const struct diff *d)
{
	/* what was not compared may be lost */
	if (options->fail_on == CMD_FAIL_ON_LOST)
		return d->lost || d->unlisted || d->n_ambiguous ? CMD_PENDING : CMD_OK;
	return diff_any(d) ? CMD_PENDING : CMD_OK;
}

/* "FILE", "FILE (web1)" */
static const char *part_name(const char *path, const struct snapshot_part *part, char *buf, size_t size)
{
	util_clean(path, buf, size);
	if (part && part->name[0])
		util_append(buf, size, " (%s)", part->name);
	return buf;
}

/* a_part, b_part: which parts of the files they are; NULL: of none. */
static int compare(const struct cmd_options *options, const struct snapshot *a, const struct snapshot_part *a_part,
	const struct snapshot *b, const struct snapshot_part *b_part, const char *a_name, const char *b_name)
{
	const struct diff_options how = { .by_role = options->by_role };
	_cleanup_(diff_clear) struct diff d = { 0 };
	char a_clean[256], b_clean[256];
	int r, code;

	r = diff_make(a, b, &how, &d);
	if (options->fail_on == CMD_FAIL_ON_LOST && a->n_links == 0)
		return cmd_error("%s has no interfaces, so nothing could be lost; take the baseline again", a_name);
	if (r == -EOPNOTSUPP)
		return cmd_error("--by-role needs the interface stack, which ethtool -k does not print; take a snapshot instead");
	if (r < 0)
		return cmd_error("Failed to compare: %s", strerror(-r));
	code = exit_code(options, &d);
	part_name(file_name(a_name), a_part, a_clean, sizeof(a_clean));
	part_name(file_name(b_name), b_part, b_clean, sizeof(b_clean));
	if (options->json)
		return cmd_written(json_write_diff(stdout, &d, a_clean, b_clean, code), code);
	render_diff(&options->render, &d, a_clean, b_clean);
	return code;
}

/* "web1, web2, ..." */
static void list_parts(const struct snapshot_parts *parts, char *buf, size_t size)
{
	buf[0] = '\0';
	for (size_t i = 0; i < parts->n; i++)
		util_append(buf, size, "%s%s", i ? "; " : "", parts->parts[i].name[0] ? parts->parts[i].name : "without a name");
}

static int several(const struct cmd_options *options, size_t n)
{
	return options->json && n > 1 ? cmd_error("--json can show only one comparison, but the input has %zu; use one file for each", n) : CMD_OK;
}

/* One text with several states: the first with each other. */
static int diff_parts(const struct cmd_options *options, const struct snapshot_parts *parts, const char *path)
{
	int code = several(options, parts->n - 1);

	for (size_t i = 1; i < parts->n && code != CMD_ERROR; i++) {
		int r = compare(options, &parts->parts[0].snapshot, &parts->parts[0], &parts->parts[i].snapshot, &parts->parts[i],
			path, path);

		code = r == CMD_ERROR || r > code ? r : code;
		if (i + 1 < parts->n)
			putchar('\n');
	}
	return code;
}

static const struct snapshot_part *find_part(const struct snapshot_parts *parts, const char *name)
{
	for (size_t i = 0; i < parts->n; i++)
		if (strcmp(parts->parts[i].name, name) == 0)
			return &parts->parts[i];
	return NULL;
}

/* Two texts: host by host, if both have the same hosts. */
static int diff_files(const struct cmd_options *options, const struct snapshot_parts *a, const struct snapshot_parts *b,
	const char *a_path, const char *b_path)
{
	const struct snapshot_parts *many = a->n > 1 ? a : b;
	int code = several(options, a->n);
	char names[512];

	if (a->n == 1 && b->n == 1)
		return compare(options, &a->parts[0].snapshot, &a->parts[0], &b->parts[0].snapshot, &b->parts[0], a_path, b_path);
	for (size_t i = 0; i < a->n && code != CMD_ERROR; i++)
		if (a->n != b->n || strstr(a->parts[i].name, SNAPSHOT_STATE) || !find_part(b, a->parts[i].name)) {
			const char *path = file_name(many == a ? a_path : b_path);

			list_parts(many, names, sizeof(names));
			return cmd_error("%s has the features of %zu hosts or moments (%s); to compare these, run: offloadctl diff %s, or "
					 "use one file for each", path, many->n, names, path);
		}
	for (size_t i = 0; i < a->n && code != CMD_ERROR; i++) {
		const struct snapshot_part *part = find_part(b, a->parts[i].name);
		int r = compare(options, &a->parts[i].snapshot, &a->parts[i], &part->snapshot, part, a_path, b_path);

		code = r == CMD_ERROR || r > code ? r : code;
		if (i + 1 < a->n)
			putchar('\n');
	}
	return code;
}

static int diff_with_host(const struct cmd_options *options, const char *path)
{
	_cleanup_(snapshot_parts_clear) struct snapshot_parts a = { 0 };
	_cleanup_(snapshot_clear) struct snapshot b = { 0 };
	_cleanup_(cmd_close) struct cmd_session s;
	int r;

	r = cmd_open_all(options, &s);
	if (r == CMD_OK)
		r = cmd_load_snapshots(path, s.view.features, &a);
	if (r == CMD_OK && a.n > 1)
		return diff_parts(options, &a, path);
	if (r == CMD_OK)
		r = take(&s, false, &b);
	if (r != CMD_OK)
		return r;
	r = compare(options, &a.parts[0].snapshot, &a.parts[0], &b, NULL, path, "this host");
	/* errors in rules do not matter for lost features */
	return options->fail_on == CMD_FAIL_ON_LOST ? r : cmd_exit_code(&s, r);
}

/* CMD_UNMET: something that was right is not known now. */
static int results_exit_code(const struct results *a, const struct results *b)
{
	int code = CMD_OK;

	for (size_t i = 0; i < b->n; i++)
		if (results_is_worse(results_find(a, b->tests[i].name), &b->tests[i]))
			code |= CMD_PENDING;
	for (size_t i = 0; i < a->n; i++)
		if (results_is_less(&a->tests[i], results_find(b, a->tests[i].name)))
			code |= CMD_UNMET;
	return code;
}

static int diff_results(const struct cmd_options *options, const char *const texts[2], const size_t lengths[2],
	const char *const names[2])
{
	struct results both[2] = { 0 };
	char why[256];
	int code = CMD_OK;

	if (options->by_role || options->fail_on)
		return cmd_error("--by-role and --fail-on are for snapshots, not for results of verify and check-path");
	for (unsigned k = 0; k < 2 && code == CMD_OK; k++) {
		int r = results_parse(texts[k], lengths[k], &both[k], why, sizeof(why));

		if (r < 0)
			code = cmd_error("Failed to read %s: %s", names[k], why[0] ? why : strerror(-r));
		else if (both[k].n == 0)
			code = cmd_error("Failed to read %s: empty", names[k]);
	}
	if (code == CMD_OK) {
		code = results_exit_code(&both[0], &both[1]);
		if (options->json)
			code = cmd_written(json_write_results(stdout, &both[0], &both[1], names, code), code);
		else
			render_test_results(stdout, &both[0], &both[1], names);
	}
	results_clear(&both[0]);
	results_clear(&both[1]);
	return code;
}

int cmd_diff(const struct cmd_options *options, int argc, char **argv)
{
	_cleanup_(snapshot_parts_clear) struct snapshot_parts a = { 0 }, b = { 0 };
	_cleanup_(ethtool_close_pointer) struct ethtool *ethtool = NULL;
	_cleanup_free_ char *a_text = NULL, *b_text = NULL;
	struct feature_table known = { 0 };
	size_t a_len = 0, b_len = 0;
	int r;

	if (argc == 1)
		return diff_with_host(options, argv[0]);
	if (strcmp(argv[0], "-") == 0 && strcmp(argv[1], "-") == 0)
		return cmd_error("standard input cannot be both A and B");
	if (ethtool_open(options->backend, false, 0, &ethtool) >= 0)
		(void)ethtool_features_strings(ethtool, &known);
	r = read_text(argv[0], &a_text, &a_len);
	if (r == CMD_OK)
		r = read_text(argv[1], &b_text, &b_len);
	if (r == CMD_OK && results_is_text(a_text, a_len))
		return diff_results(options, (const char *const[2]){ a_text, b_text }, (const size_t[2]){ a_len, b_len },
			(const char *const[2]){ file_name(argv[0]), file_name(argv[1]) });
	if (r == CMD_OK)
		r = cmd_diff_investigations(options, a_text, a_len, b_text, b_len,
			(const char *const[2]){ file_name(argv[0]), file_name(argv[1]) });
	if (r != CMD_NOT_INVESTIGATION)
		return r;
	r = cmd_parse_snapshots(argv[0], a_text, a_len, &known, &a);
	if (r == CMD_OK)
		r = cmd_parse_snapshots(argv[1], b_text, b_len, &known, &b);
	return r == CMD_OK ? diff_files(options, &a, &b, argv[0], argv[1]) : r;
}
