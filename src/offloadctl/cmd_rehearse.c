/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan --snapshot: the plan for a host that is known from its snapshot, or for every host in a directory of snapshots. */
#include "offloadctl/cmd.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "basic/file.h"
#include "basic/util.h"
#include "compare/snapshot_json.h"
#include "report/json.h"
#include "report/render_rehearsal.h"

#define DEPTH_MAX 8 /* of directories */
#define PATH_LEN 4096
#define FILES_MAX 1000000

/* A file that nobody named, which may be a pipe by now. */
static int read_listed(const char *path, char **ret, size_t *ret_len, char *why, size_t size)
{
	_cleanup_close_ int fd = file_open(path, FILE_NAMED, why, size);

	return fd < 0 ? fd : file_read(fd, SNAPSHOT_BYTES_MAX, ret, ret_len);
}

static int read_snapshot(const char *path, bool listed, struct snapshot *ret, char *why, size_t size)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r;

	why[0] = '\0';
	r = listed ? read_listed(path, &text, &len, why, size) : cmd_file_read(path, &text, &len);
	if (r == -EFBIG)
		snprintf(why, size, "larger than %d MiB", SNAPSHOT_BYTES_MAX >> 20);
	else if (r >= 0)
		r = snapshot_parse_json(text, len, ret, why, size);
	if (r < 0 && !why[0])
		snprintf(why, size, "%s", strerror(-r));
	return r;
}

/* ---- one host ---- */

/* The indexes of named links. NULL and an error if there is no such link. */
static int *find_links(struct link_table *table, const char *path, char **names, int n)
{
	int *only = calloc((size_t)n + 1, sizeof(*only));

	for (int i = 0; only && i < n; i++) {
		const struct link *link = link_table_find_name(table, names[i]);

		if (!link) {
			cmd_error("no interface %s in %s", names[i], path);
			free(only);
			return NULL;
		}
		only[i] = link->ifindex;
	}
	return only;
}

static int plan_one(struct cmd_session *s, const char *path, char **names, int n_names)
{
	_cleanup_(rehearsal_clear) struct rehearsal rehearsal;
	_cleanup_(snapshot_clear) struct snapshot snapshot = { 0 };
	_cleanup_(link_table_clear) struct link_table links = { 0 };
	_cleanup_free_ int *only = NULL;
	struct feature_table features;
	char why[512];
	int r;

	rehearsal_begin(&rehearsal, s->rule_dirs, s->options->kernel, s->context.now);
	if (read_snapshot(path, false, &snapshot, why, sizeof(why)) < 0)
		return cmd_error("Failed to read %s: %s", path, why);
	r = rehearsal_prepare(&rehearsal, &snapshot, &features, &links, &s->host);
	s->view.features = s->context.table = &features;
	s->view.links = &links;
	if (r >= 0)
		only = find_links(&links, path, names, n_names);
	if (!only || cmd_load_rules(s) != CMD_OK)
		return CMD_ERROR;
	r = plan_make(&s->context, &links, n_names ? only : NULL, (size_t)n_names, &s->plan);
	if (r < 0)
		return cmd_error("Failed to make a plan: %s", strerror(-r));
	if (rehearsal_mark(&rehearsal, &snapshot, &links, &s->plan) < 0)
		return cmd_error("%s", strerror(ENOMEM));
	s->view.exit_code = cmd_exit_code(s, plan_exit_code(&s->plan));
	if (s->options->json)
		return cmd_written(json_write_plan(stdout, &s->view), s->view.exit_code);
	if (snapshot.host[0])
		printf("%s, as of its snapshot:\n\n", snapshot.host);
	render_plan(&s->render, &s->view);
	return s->view.exit_code;
}

/* ---- many hosts ---- */

struct files {
	char **paths;
	size_t n;
};

static void free_files(struct files *files)
{
	for (size_t i = 0; i < files->n; i++)
		free(files->paths[i]);
	free(files->paths);
}

static bool is_json(const char *name)
{
	size_t len = strlen(name);

	return len > 5 && strcmp(name + len - 5, ".json") == 0;
}

static int add_file(struct files *files, const char *path)
{
	if (!GROW(files->paths, files->n))
		return -ENOMEM;
	files->paths[files->n] = strdup(path);
	return files->paths[files->n++] ? 0 : -ENOMEM;
}

/* All *.json in a directory and those below it, sorted in each. Hidden ones and links to directories are skipped. */
static int list_files(const char *directory, unsigned depth, struct files *files)
{
	struct dirent **entries = NULL;
	int n = scandir(directory, &entries, NULL, alphasort), r = n < 0 ? -errno : 0;

	for (int i = 0; i < n; i++) {
		char path[PATH_LEN];
		struct stat st;

		if (r >= 0 && entries[i]->d_name[0] != '.' &&
			snprintf(path, sizeof(path), "%s/%s", directory, entries[i]->d_name) < PATH_LEN && lstat(path, &st) == 0) {
			if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
				r = list_files(path, depth + 1, files);
			else if (files->n == FILES_MAX)
				r = -E2BIG;
			else if ((S_ISREG(st.st_mode) || S_ISLNK(st.st_mode)) && is_json(path))
				r = add_file(files, path);
		}
		free(entries[i]);
	}
	free(entries);
	return r;
}

static void put_progress(size_t done, size_t all)
{
	if (isatty(STDERR_FILENO) && (done == all || done % 64 == 0))
		fprintf(stderr, "\r%zu of %zu snapshots%s", done, all, done == all ? "\r\033[K" : "");
}

static int add_snapshots(struct rehearsal *rehearsal, const struct files *files)
{
	for (size_t i = 0; i < files->n; i++) {
		_cleanup_(snapshot_clear) struct snapshot snapshot = { 0 };
		char why[512], path[PATH_LEN];
		int r = read_snapshot(files->paths[i], true, &snapshot, why, sizeof(why));

		util_clean(files->paths[i], path, sizeof(path));
		r = r == -ENOMEM ? r : r < 0 ? rehearsal_add_unusable(rehearsal, path, why) : rehearsal_add(rehearsal, path, &snapshot);
		if (r == -E2BIG)
			return cmd_error("Failed to plan for %s: the rules declare too many different features", path);
		if (r < 0)
			return cmd_error("Failed to plan for %s: %s", path, strerror(-r));
		put_progress(i + 1, files->n);
	}
	rehearsal_sort(rehearsal);
	return CMD_OK;
}

static int report(struct cmd_session *s, struct rehearsal *rehearsal)
{
	_cleanup_free_ size_t *chosen = calloc(rehearsal->n_hosts + 1, sizeof(*chosen));
	struct rehearsal_choice choice = { .hosts = chosen };
	struct rehearsal_summary summary;
	int r;

	if (!chosen)
		return cmd_error("%s", strerror(ENOMEM));
	if (s->options->sample)
		choice.n = rehearsal_sample(rehearsal, s->options->sample, chosen, &choice.covered, &choice.shapes);
	rehearsal_summarize(rehearsal, &summary);
	r = s->options->json ? json_write_rehearsal(stdout, rehearsal, &choice) : render_rehearsal(&s->render, rehearsal, &choice);
	return cmd_written(r, cmd_exit_code(s, summary.exit_code));
}

static int plan_all(struct cmd_session *s, const char *directory)
{
	_cleanup_(rehearsal_clear) struct rehearsal rehearsal;
	_cleanup_(free_files) struct files files = { 0 };
	int r;

	rehearsal_begin(&rehearsal, s->rule_dirs, s->options->kernel, s->context.now);
	r = list_files(directory, 0, &files);
	if (r < 0)
		return cmd_error("Failed to read %s: %s", directory, strerror(-r));
	if (files.n == 0)
		return cmd_error("no snapshots (*.json) in %s; create one on each host with: offloadctl snapshot -o HOST.json", directory);
	r = add_snapshots(&rehearsal, &files);
	return r == CMD_OK ? report(s, &rehearsal) : r;
}

int cmd_rehearse(const struct cmd_options *options, int argc, char **argv)
{
	_cleanup_(cmd_close) struct cmd_session s;
	struct feature_table known = { 0 };
	struct stat st;
	int r = cmd_open_offline(options, &s);

	if (r != CMD_OK)
		return r;
	if (options->kernel && !rehearsal_is_release(options->kernel))
		return cmd_error("invalid kernel version \"%s\": expected a release such as 6.12", options->kernel);
	if (stat(options->snapshot, &st) < 0)
		return cmd_error("Failed to read %s: %s", options->snapshot, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return options->sample ? cmd_error("--sample requires a directory of snapshots") :
					 plan_one(&s, options->snapshot, argv, argc);
	if (argc)
		return cmd_error("interfaces can be named for the snapshot of one host only");
	/* prints errors in rules, which every host has */
	s.view.features = &known;
	for (size_t i = 0; feature_known(i) && i < FEATURE_MAX; i++)
		feature_table_add(&known, (unsigned)i, feature_known(i), strlen(feature_known(i)));
	r = cmd_load_rules(&s);
	if (r == CMD_OK && s.rules.n_rules == 0)
		return cmd_error(s.rules.n_errors ? "no valid rule" : "no rules; name their directory with --rules");
	return r == CMD_OK ? plan_all(&s, options->snapshot) : r;
}
