/* SPDX-License-Identifier: GPL-2.0-or-later */
/* snapshot, diff: the state of a host as a document, and the difference of two. */
#include "offloadctl/cmd_investigate.h"

#include <errno.h>
#include <string.h>

#include "compare/diff.h"
#include "report/json.h"
#include "report/render_diff.h"
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

static int take(struct cmd_session *s, struct snapshot *ret)
{
	int r = snapshot_take(
		s->view.features, s->view.links, &s->rules, &s->host, s->context.now, ret);

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

	r = cmd_open_all(options, &s);
	for (int i = 0; r == CMD_OK && i < argc; i++)
		if (!cmd_find_link(&s, argv[i]))
			return CMD_ERROR;
	if (r == CMD_OK)
		r = take(&s, &snapshot);
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

/* known: feature names of this kernel, which may be newer than this program. */
static int parse(const char *path, const char *text, size_t len, const struct feature_table *known,
	struct snapshot *ret)
{
	char why[512] = "", other[512] = "";
	size_t at = 0;
	int r = -EBADMSG;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		at = 3;
	while (at < len && strchr(" \t\r\n", text[at]) && text[at])
		at++;
	if (at == len)
		return cmd_error("Failed to read %s: empty", file_name(path));
	/* lines are counted from the first one */
	if (is_json(text, len, at))
		r = snapshot_parse_json(text, len, ret, why, sizeof(why));
	if (r == -EBADMSG && !is_document(text, len, at)) {
		r = snapshot_parse_ethtool(text, len, known, ret, other, sizeof(other));
		if (r != -ENODATA || !*why)
			memcpy(why, other, sizeof(why));
	}
	return r < 0 ? cmd_error("Failed to read %s: %s", file_name(path), *why ? why : strerror(-r)) : CMD_OK;
}

static int load(const char *path, const struct feature_table *known, struct snapshot *ret)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	int r = read_text(path, &text, &len);

	return r == CMD_OK ? parse(path, text, len, known, ret) : r;
}

static int exit_code(const struct cmd_options *options, const struct diff *d)
{
	/* what was not compared may be lost */
	if (options->fail_on == CMD_FAIL_ON_LOST)
		return d->lost || d->unlisted || d->n_ambiguous ? CMD_PENDING : CMD_OK;
	return diff_any(d) ? CMD_PENDING : CMD_OK;
}

static int compare(const struct cmd_options *options, const struct snapshot *a,
	const struct snapshot *b, const char *a_name, const char *b_name)
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
	util_clean(file_name(a_name), a_clean, sizeof(a_clean));
	util_clean(file_name(b_name), b_clean, sizeof(b_clean));
	if (options->json)
		return cmd_written(json_write_diff(stdout, &d, a_clean, b_clean, code), code);
	render_diff(&options->render, &d, a_clean, b_clean);
	return code;
}

static int diff_with_host(const struct cmd_options *options, const char *path)
{
	_cleanup_(snapshot_clear) struct snapshot a = { 0 }, b = { 0 };
	_cleanup_(cmd_close) struct cmd_session s;
	int r;

	r = cmd_open_all(options, &s);
	if (r == CMD_OK)
		r = load(path, s.view.features, &a);
	if (r == CMD_OK)
		r = take(&s, &b);
	if (r != CMD_OK)
		return r;
	r = compare(options, &a, &b, path, "this host");
	/* errors in rules do not matter for lost features */
	return options->fail_on == CMD_FAIL_ON_LOST ? r : cmd_exit_code(&s, r);
}

int cmd_diff(const struct cmd_options *options, int argc, char **argv)
{
	_cleanup_(snapshot_clear) struct snapshot a = { 0 }, b = { 0 };
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
	if (r == CMD_OK)
		r = cmd_diff_investigations(options, a_text, a_len, b_text, b_len,
			(const char *const[2]){ file_name(argv[0]), file_name(argv[1]) });
	if (r != CMD_NOT_INVESTIGATION)
		return r;
	r = parse(argv[0], a_text, a_len, &known, &a);
	if (r == CMD_OK)
		r = parse(argv[1], b_text, b_len, &known, &b);
	return r == CMD_OK ? compare(options, &a, &b, argv[0], argv[1]) : r;
}
