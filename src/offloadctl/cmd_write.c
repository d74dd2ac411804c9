/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules new, cat, edit, enable, disable. */
#include "offloadctl/cmd_write.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/file.h"
#include "basic/ini_dir.h"
#include "offloadctl/cmd_snapshot.h"

#define NAME_LEN 128

/* Where the examples are installed, and where they are in a checkout. */
static const char *const example_dirs[] = { OFFLOADD_DOCDIR "/examples", NULL };

/* "50-veth" as "50-veth.rule". NULL: it is no name of a rule file, and that was reported. */
static const char *file_of(const char *name, char *buf, size_t size)
{
	int n = snprintf(buf, size, "%s%s", name, util_has_suffix(name, ".rule") ? "" : ".rule");

	if (n < 0 || (size_t)n >= size || *name == '.' || !*name || strpbrk(name, "/\n")) {
		cmd_error("invalid name of a rule \"%s\": expected a file name, for example 50-nic.rule", name);
		return NULL;
	}
	return buf;
}

static const char *target_dir(const struct cmd_options *options)
{
	return options->output ? options->output : rule_default_dirs[0];
}

static char *join_path(const char *dir, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

/* True: the user agrees to replace the file. Otherwise the reason not to was reported. */
static bool may_replace(const struct cmd_options *options, const char *path)
{
	if (options->yes)
		return true;
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		cmd_error("%s exists; --yes replaces it", path);
		return false;
	}
	fprintf(stderr, "%s exists. Replace it? [y/N] ", path);
	if (cmd_is_agreed())
		return true;
	cmd_error("%s was not changed", path);
	return false;
}

static int write_path(const struct cmd_options *options, const char *path, const char *text)
{
	struct stat st;
	int r = lstat(path, &st) == 0 && !may_replace(options, path) ? -EEXIST : 0;

	if (r < 0)
		return CMD_ERROR;
	r = file_make_directory(path);
	/* a mask is a link to /dev/null, which must not be written through */
	if (r >= 0 && lstat(path, &st) == 0 && !S_ISREG(st.st_mode) && unlink(path) < 0)
		r = -errno;
	if (r >= 0)
		r = cmd_file_write(path, text, strlen(text), 0644);
	if (r < 0)
		return cmd_error("Failed to write %s: %s", path, strerror(-r));
	printf("Wrote %s\n", path);
	return CMD_OK;
}

int cmd_write_rule(const struct cmd_options *options, const char *name, const char *text)
{
	_cleanup_free_ char *path = join_path(target_dir(options), name);

	return path ? write_path(options, path, text) : cmd_error("%s", strerror(ENOMEM));
}

/* The file of a rule in the directory of the highest priority that has one, the caller's to free. NULL: there is none. */
static char *find_file(const char *const *dirs, const char *name)
{
	for (; *dirs; dirs++) {
		char *path = join_path(*dirs, name);

		if (path && access(path, F_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}

static int read_rule(const char *path, char **ret)
{
	size_t len;
	int r = cmd_file_read(path, ret, &len);

	return r < 0 ? cmd_error("Failed to read %s: %s", path, strerror(-r)) : CMD_OK;
}

/* The rule directories, with their errors printed; cmd_close() *s. */
static int open_dirs(const struct cmd_options *options, struct cmd_session *s)
{
	static const struct feature_table none;
	int r = cmd_open_offline(options, s);

	s->view.features = &none;
	return r == CMD_OK ? cmd_load_rules(s) : r;
}

/* ---- cat ---- */

static int cat_rules(const struct cmd_options *options, int n, char **names)
{
	_cleanup_(cmd_close) struct cmd_session s = { 0 };
	int r = open_dirs(options, &s);
	char file[NAME_LEN];

	for (int i = 0; i < n && r == CMD_OK; i++) {
		_cleanup_free_ char *path = NULL, *text = NULL;

		if (!file_of(names[i], file, sizeof(file)))
			return CMD_ERROR;
		path = find_file(s.rule_dirs, file);
		if (!path)
			return cmd_error("no rule directory has %s; offloadctl rules lists all files", file);
		r = read_rule(path, &text);
		if (r == CMD_OK)
			printf("%s# %s\n%s%s", i ? "\n" : "", path, ini_dir_is_mask(path) ? "# masked\n" : "", text);
	}
	return r;
}

/* ---- enable, disable ---- */

/* The file of a rule in the directory that is written to, and the example of that name, NULL if there is none; both are the caller's to
 * free. */
static int locate(const struct cmd_options *options, const char *name, char file[NAME_LEN], char **ret_path, char **ret_example)
{
	if (!file_of(name, file, NAME_LEN))
		return CMD_ERROR;
	*ret_path = join_path(target_dir(options), file);
	*ret_example = find_file(options->dirs[0] ? options->dirs : example_dirs, file);
	return *ret_path ? CMD_OK : cmd_error("%s", strerror(ENOMEM));
}

static int enable_rules(const struct cmd_options *options, int n, char **names)
{
	char file[NAME_LEN];

	for (int i = 0; i < n; i++) {
		_cleanup_free_ char *path = NULL, *example = NULL, *text = NULL;

		if (locate(options, names[i], file, &path, &example) != CMD_OK)
			return CMD_ERROR;
		if (ini_dir_is_mask(path)) {
			if (unlink(path) < 0)
				return cmd_error("Failed to remove %s: %s", path, strerror(errno));
			printf("Removed %s, which masked this rule\n", path);
		} else if (!example) {
			return cmd_error("no example %s; they are in %s", file,
				options->dirs[0] ? options->dirs[0] : example_dirs[0]);
		} else if (read_rule(example, &text) != CMD_OK || write_path(options, path, text) != CMD_OK) {
			return CMD_ERROR;
		}
	}
	return CMD_OK;
}

static bool is_same_text(const char *a, const char *b)
{
	_cleanup_free_ char *x = NULL, *y = NULL;
	size_t n, m;

	return a && b && cmd_file_read(a, &x, &n) >= 0 && cmd_file_read(b, &y, &m) >= 0 && n == m && memcmp(x, y, n) == 0;
}

static int disable_rule(const struct cmd_options *options, const char *name)
{
	_cleanup_free_ char *path = NULL, *example = NULL;
	char file[NAME_LEN];
	struct stat st;

	if (locate(options, name, file, &path, &example) != CMD_OK)
		return CMD_ERROR;
	if (ini_dir_is_mask(path)) {
		printf("%s already masks this rule\n", path);
		return CMD_OK;
	}
	if (lstat(path, &st) == 0 && !is_same_text(path, example))
		return cmd_error("%s is your own file, which disabling would delete; rename or remove it", path);
	if (lstat(path, &st) == 0) {
		if (unlink(path) < 0)
			return cmd_error("Failed to remove %s: %s", path, strerror(errno));
		printf("Removed %s, a copy of the example\n", path);
		return CMD_OK;
	}
	if (file_make_directory(path) < 0 || symlink("/dev/null", path) < 0)
		return cmd_error("Failed to create %s: %s", path, strerror(errno));
	printf("Created %s -> /dev/null\n", path);
	return CMD_OK;
}

static int disable_rules(const struct cmd_options *options, int n, char **names)
{
	int r = CMD_OK;

	for (int i = 0; i < n && r == CMD_OK; i++)
		r = disable_rule(options, names[i]);
	return r;
}

/* ---- new ---- */

static void write_match(FILE *f, const struct link *link)
{
	char name[LINK_NAME_LEN], address[3 * LINK_ADDRESS_LEN];

	util_copy_name(name, sizeof(name), link->name, sizeof(link->name));
	link_format_address(link, address, sizeof(address));
	fprintf(f, "[Match]\n# All keys given must match. To apply to more interfaces than %s, use another key instead of Name=.\nName=%s\n",
		name, name);
	if (*link->kind)
		fprintf(f, "#Kind=%s\n", link->kind);
	if (*link->driver)
		fprintf(f, "#Driver=%s\n", link->driver);
	if (*address)
		fprintf(f, "#MACAddress=%s\n", address);
}

/* What the interface has and could change; what is requested and off is only mentioned, because declaring it would change it. */
static void write_features(FILE *f, const struct link *link, const struct feature_table *table)
{
	const struct link_features *l = &link->features;
	unsigned bit, mangleid = (unsigned)feature_bit(table, "tx-tcp-mangleid-segmentation");

	fprintf(f, "\n[Features]\n# The present state. Delete what does not matter to you: what no rule declares is never changed.\n");
	if (link->depth)
		fprintf(f, "# \"lower\" instead of \"on\" follows what the interface below can provide.\n");
	feature_foreach(bit, l->hw & ~l->nochange) {
		bool on = l->active & FEATURE(bit), wanted = l->wanted & FEATURE(bit);

		if (on != wanted)
			fprintf(f, "# %s is %s, and requested %s\n#", feature_name(table, bit), util_on_off(on), util_on_off(wanted));
		else if (on && bit == mangleid)
			fprintf(f, "# It repeats IPv4 IDs, and the kernel leaves it off on most devices.\n#");
		fprintf(f, "%s=%s\n", feature_name(table, bit), util_on_off(wanted));
	}
}

static char *format_rule(const struct link *link, const struct feature_table *table, const char *from)
{
	char name[LINK_NAME_LEN], *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	bool failed;

	if (!f)
		return NULL;
	util_copy_name(name, sizeof(name), link->name, sizeof(link->name));
	fprintf(f, "# Made by offloadctl rules new from the state of %s%s%s. See offloadd.rule(5).\n\n", name, *from ? " in " : "", from);
	fprintf(f, "[Rule]\nDescription=Offload features of %s\n# Why this rule exists, for whoever finds it later:\n#Reason=\n"
		"# audit only reports differences, enforce repairs them:\nMode=enforce\n\n", name);
	write_match(f, link);
	write_features(f, link, table);
	failed = ferror(f);
	if (fclose(f) != 0 || failed) {
		free(text);
		return NULL;
	}
	return text;
}

static int write_new(const struct cmd_options *options, const char *file, const struct link *link,
	const struct feature_table *table, const char *from)
{
	_cleanup_free_ char *text = NULL;

	if (!link->has_features || link->features_error)
		return cmd_error("Failed to read the features of %s", link->name);
	text = format_rule(link, table, from);
	return text ? cmd_write_rule(options, file, text) : cmd_error("%s", strerror(ENOMEM));
}

/* What format_rule() needs of an interface in a snapshot. */
static void link_of(const struct snapshot_link *from, struct link *ret)
{
	unsigned byte;

	*ret = (struct link){ .features = from->features, .has_features = from->has_features, .depth = *from->lower != '\0' };
	snprintf(ret->name, sizeof(ret->name), "%s", from->name);
	snprintf(ret->kind, sizeof(ret->kind), "%s", from->kind);
	snprintf(ret->driver, sizeof(ret->driver), "%s", from->driver);
	for (const char *c = from->address; ret->address_len < LINK_ADDRESS_LEN && sscanf(c, "%2x", &byte) == 1; c += c[2] ? 3 : 2)
		ret->address[ret->address_len++] = (uint8_t)byte;
}

static int new_from_snapshot(const struct cmd_options *options, const char *file, const char *name)
{
	static const struct feature_table none;
	_cleanup_(snapshot_parts_clear) struct snapshot_parts parts = { 0 };
	const struct snapshot *s;
	struct link link;
	char from[512];
	int r = cmd_load_snapshots(options->snapshot, &none, &parts);

	if (r != CMD_OK)
		return r;
	s = &parts.parts[0].snapshot;
	if (parts.n != 1 || s->form == SNAPSHOT_ETHTOOL)
		return cmd_error("%s is not one output of offloadctl snapshot", options->snapshot);
	for (size_t i = 0; i < s->n_links; i++) {
		if (strcmp(s->links[i].name, name) != 0)
			continue;
		link_of(&s->links[i], &link);
		return write_new(options, file, &link, &s->features, util_clean(options->snapshot, from, sizeof(from)));
	}
	return cmd_error("%s has no interface %s", options->snapshot, name);
}

static int new_rule(const struct cmd_options *options, int n, char **words)
{
	_cleanup_(cmd_close) struct cmd_session s = { 0 };
	struct link *link;
	char file[NAME_LEN];

	if (n != 2)
		return cmd_error("rules new needs a name and an interface; usage: offloadctl rules new NAME LINK");
	if (!file_of(words[0], file, sizeof(file)))
		return CMD_ERROR;
	if (options->snapshot)
		return new_from_snapshot(options, file, words[1]);
	return cmd_open_link(options, words[1], &s, &link) == CMD_OK ? write_new(options, file, link, s.view.features, "") : CMD_ERROR;
}

/* ---- edit ---- */

static int run_editor(const char *path)
{
	static const char *const variables[] = { "SYSTEMD_EDITOR", "VISUAL", "EDITOR" };
	const char *editor = NULL;
	int status;
	pid_t pid;

	for (size_t i = 0; i < ARRAY_SIZE(variables) && (!editor || !*editor); i++)
		editor = getenv(variables[i]);
	pid = fork();
	if (pid < 0)
		return cmd_error("Failed to start an editor: %s", strerror(errno));
	if (pid == 0) {
		if (editor && *editor)
			execl("/bin/sh", "sh", "-c", "exec $0 \"$1\"", editor, path, NULL);
		else
			execl("/bin/sh", "sh", "-c", "for e in editor nano vi; do command -v $e >/dev/null && exec $e \"$0\"; done; exit 127", path,
				NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return cmd_error("Failed to wait for the editor: %s", strerror(errno));
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? CMD_OK : cmd_error("The editor failed; nothing was changed");
}

/* Errors, with the line in the file that was edited. */
static int check_text(const char *file, const char *text)
{
	static const struct feature_table none;
	_cleanup_(rule_set_clear) struct rule_set set = { 0 };

	if (rule_set_load_text(&set, file, text, strlen(text), &none) < 0)
		return cmd_error("%s", strerror(ENOMEM));
	for (size_t i = 0; i < set.n_errors; i++)
		cmd_error("%s:%u: %s", set.errors[i].path, set.errors[i].line, set.errors[i].message);
	return set.n_errors ? CMD_ERROR : CMD_OK;
}

/* Takes over what the editor wrote to the draft, if it is a valid rule. */
static int take_draft(const struct cmd_options *options, const char *file, const char *draft, const char *before)
{
	_cleanup_free_ char *text = NULL, *path = join_path(target_dir(options), file);
	struct cmd_options agreed = *options;

	if (!path)
		return cmd_error("%s", strerror(ENOMEM));
	if (read_rule(draft, &text) != CMD_OK)
		return CMD_ERROR;
	if (strcmp(text, before) == 0) {
		unlink(draft);
		printf("%s was not changed\n", file);
		return CMD_OK;
	}
	if (check_text(file, text) != CMD_OK)
		return cmd_error("%s was not changed; the text with the error is in %s", path, draft);
	unlink(draft);
	agreed.yes = true; /* to edit it is to agree */
	return write_path(&agreed, path, text);
}

static int edit_rule(const struct cmd_options *options, int n, char **names)
{
	_cleanup_(cmd_close) struct cmd_session s = { 0 };
	_cleanup_free_ char *path = NULL, *text = NULL;
	char file[NAME_LEN], draft[] = "/tmp/offloadctl-edit-XXXXXX.rule";
	int fd, r;

	if (n != 1)
		return cmd_error("rules edit needs one rule; usage: offloadctl rules edit NAME");
	if (!file_of(names[0], file, sizeof(file)))
		return CMD_ERROR;
	r = open_dirs(options, &s);
	if (r != CMD_OK)
		return r;
	path = join_path(target_dir(options), file);
	if (path && access(path, F_OK) < 0) {
		free(path);
		path = find_file(s.rule_dirs, file);
	}
	if (!path)
		return cmd_error("no rule directory has %s; offloadctl rules new makes one", file);
	if (read_rule(path, &text) != CMD_OK)
		return CMD_ERROR;
	fd = mkostemps(draft, 5, O_CLOEXEC);
	if (fd < 0 || file_write(fd, text, strlen(text)) < 0 || close(fd) < 0)
		return cmd_error("Failed to write %s: %s", draft, strerror(errno));
	r = run_editor(draft);
	if (r == CMD_OK)
		r = take_draft(options, file, draft, text);
	else
		unlink(draft);
	return r;
}

static const struct {
	const char *name;
	int (*run)(const struct cmd_options *options, int n, char **words);
} verbs[] = {
	{ "new", new_rule }, { "cat", cat_rules }, { "edit", edit_rule }, { "enable", enable_rules }, { "disable", disable_rules },
};

static size_t find_verb(const char *word)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(verbs) && strcmp(word, verbs[i].name) != 0)
		i++;
	return i;
}

bool cmd_is_rules_verb(int argc, char **argv)
{
	/* an interface may have such a name */
	return argc > 0 && find_verb(argv[0]) < ARRAY_SIZE(verbs) && (argc > 1 || if_nametoindex(argv[0]) == 0);
}

int cmd_rules_verb(const struct cmd_options *options, int argc, char **argv)
{
	size_t verb = find_verb(argv[0]);

	if (argc < 2)
		return cmd_error("rules %s needs a name; usage: offloadctl rules %s NAME%s", argv[0], argv[0],
			strcmp(argv[0], "new") == 0 ? " LINK" : "");
	return verbs[verb].run(options, argc - 1, argv + 1);
}
