/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: all errors of rule files and of offloadd.conf, and likely mistakes in valid rules. */
#include "offloadctl/cmd.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "offloadd/conf.h"
#include "plan/doubt.h"
#include "report/json.h"
#include "rules/rule_list.h"
#include "basic/util.h"

/* Moves errors to the end of others. */
static int join_errors(struct rule_error **to, size_t *n_to, struct rule_error *from, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!GROW(*to, *n_to))
			return -ENOMEM;
		(*to)[(*n_to)++] = from[i];
		from[i] = (struct rule_error){ 0 };
	}
	return 0;
}

/* Moves one set's rules, errors and warnings to the end of another's. */
static int join(struct rule_set *to, struct rule_set *from)
{
	int r;

	for (size_t i = 0; i < from->n_rules; i++) {
		if (!GROW(to->rules, to->n_rules))
			return -ENOMEM;
		to->rules[to->n_rules++] = from->rules[i];
		from->rules[i] = (struct rule){ 0 };
	}
	r = join_errors(&to->errors, &to->n_errors, from->errors, from->n_errors);
	return r < 0 ? r : join_errors(&to->warnings, &to->n_warnings, from->warnings, from->n_warnings);
}

static int add_conf_error(void *userdata, const char *path, unsigned line, const char *message)
{
	return rule_set_add_error(userdata, path, line, message);
}

/* The directories in RulesDirectory= of a file that was named must exist. */
static int check_rule_dirs(struct rule_set *set, const char *path, const struct conf *conf)
{
	const char *const *dirs = conf_rule_dirs(conf);
	char message[1024];
	int r = 0;

	for (; dirs != rule_default_dirs && *dirs && r >= 0; dirs++) {
		char why[FILE_WHY_LEN];
		_cleanup_close_ int fd = file_open_directory(*dirs, FILE_SYSTEM, why, sizeof(why));

		if (fd >= 0)
			continue;
		snprintf(message, sizeof(message), "invalid RulesDirectory= value \"%s\": %s", *dirs,
			why[0] ? why : strerror(-fd));
		r = rule_set_add_error(set, path, 0, message);
	}
	return r;
}

static int check_conf_file(struct rule_set *set, const char *path)
{
	const char *const files[] = { path, NULL }, *const none[] = { NULL };
	_cleanup_(conf_clear) struct conf conf = { 0 };
	int r = conf_load_from(files, none, true, add_conf_error, set, &conf);

	return r < 0 ? r : check_rule_dirs(set, path, &conf);
}

/* A directory that was named must have rules. */
static int check_not_empty(struct rule_set *set, const char *dir, const struct rule_list *list)
{
	for (size_t i = 0; i < list->n_places; i++)
		if (list->places[i].state != RULE_PLACE_NOT_READ && !list->places[i].rule_file)
			return 0;
	return rule_set_add_error(set, dir, 0, "no rule files (names must end in .rule)");
}

/* Loads the rules of directories, and lists other files in them. named: on the command line, so none may be empty. */
static int load_dirs(struct rule_set *set, const char *const *dirs, bool named,
	const struct feature_table *table, struct rule_list *notes)
{
	_cleanup_(rule_set_clear) struct rule_set one = { 0 };
	size_t n_errors;
	int r = (named ? rule_set_load : rule_set_load_system)(dirs, table, &one);

	n_errors = one.n_errors;
	for (size_t i = 0; r >= 0 && dirs[i]; i++) {
		const char *const dir[] = { dirs[i], NULL };
		_cleanup_(rule_list_clear) struct rule_list list = { 0 };

		r = rule_list_make(dir, &one, &list);
		if (r >= 0 && named && n_errors == 0)
			r = check_not_empty(&one, dirs[i], &list);
		if (r >= 0)
			r = rule_list_join(notes, &list);
	}
	return r < 0 ? r : join(set, &one);
}

/* A directory is loaded like rules.d, *.conf like offloadd.conf, and any other file as a rule. */
static int load_path(struct rule_set *set, const char *path, const struct feature_table *table,
	struct rule_list *notes)
{
	const char *const dirs[] = { path, NULL };
	struct stat st;
	int r;

	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
		r = util_has_suffix(path, ".conf") ? check_conf_file(set, path)
				  : rule_set_load_file(set, path, table);
		return r < 0 ? r : 0;
	}
	return load_dirs(set, dirs, true, table, notes);
}

/* The rules and settings that offloadd would load. */
static int load_all(struct rule_set *set, const struct cmd_options *options,
	const struct feature_table *table, struct rule_list *notes)
{
	_cleanup_(rule_set_clear) struct rule_set settings = { 0 };
	_cleanup_(conf_clear) struct conf conf = { 0 };
	int r;

	if (options->dirs[0])
		return load_dirs(set, options->dirs, true, table, notes);
	r = conf_load(options->config, add_conf_error, &settings, &conf);
	if (r >= 0)
		r = load_dirs(set, conf_rule_dirs(&conf), false, table, notes);
	if (r >= 0)
		r = cmd_doubt_namespaces(set, &conf);
	return r < 0 ? r : join(set, &settings);
}

static void print_messages(const struct rule_error *errors, size_t n, const char *kind)
{
	char path[1024], message[1024];

	for (size_t i = 0; i < n; i++) {
		util_clean(errors[i].path, path, sizeof(path));
		util_clean(errors[i].message, message, sizeof(message));
		if (errors[i].line)
			printf("%s:%u: %s%s\n", path, errors[i].line, kind, message);
		else
			printf("%s: %s%s\n", path, kind, message);
	}
}

/* Rules that match no link here, which is no mistake if they are for other hosts. */
static size_t print_unmatched(const struct rule_set *rules, const struct view *view)
{
	char path[1024], why[768];
	size_t n = 0;

	for (size_t i = 0; view && i < rules->n_rules; i++) {
		const struct rule *rule = &rules->rules[i];
		unsigned missing = rule_find_missing(rule, view->links, view->host);

		if (!missing)
			continue;
		printf("%s: note: matches nothing here: %s\n", util_clean(rule->path, path, sizeof(path)),
			view_format_missing(rule, missing, why, sizeof(why)));
		n++;
	}
	return n;
}

static void print_all(const struct rule_set *rules, const struct rule_list *notes, const struct view *view)
{
	char why[768];
	size_t unmatched;

	print_messages(rules->errors, rules->n_errors, "");
	print_messages(rules->warnings, rules->n_warnings, "warning: ");
	unmatched = print_unmatched(rules, view);
	for (size_t i = 0; i < notes->n_places; i++)
		if (notes->places[i].state == RULE_PLACE_NOT_READ)
			printf("%s: ignored, %s\n", notes->places[i].path,
				view_format_not_read(&notes->places[i], why, sizeof(why)));
	printf("%zu valid rule%s, %zu error%s", rules->n_rules, util_plural(rules->n_rules),
		rules->n_errors, util_plural(rules->n_errors));
	if (rules->n_warnings)
		printf(", %zu warning%s", rules->n_warnings, util_plural(rules->n_warnings));
	if (unmatched)
		printf(", %zu match%s nothing here", unmatched, unmatched == 1 ? "es" : "");
	putchar('\n');
}

/* Reads the links of this host. False: they are not available, as on a build machine. */
static bool read_links(const struct cmd_options *options, const struct rule_set *rules, struct observe **ret)
{
	const struct observe_options how = { .backend = options->backend };
	const char *what;

	if (rules->n_rules == 0 || observe_open(&how, ret, &what) < 0)
		return false;
	(*ret)->want_routes = rule_set_needs_routes(rules);
	(*ret)->want_names = rule_set_needs_names(rules);
	(*ret)->want_hardware = rule_set_needs_hardware(rules);
	if (observe_refresh(*ret) < 0)
		return false;
	link_table_stack(&(*ret)->links);
	return true;
}

int cmd_check(const struct cmd_options *options, int argc, char **argv)
{
	_cleanup_(ethtool_close_pointer) struct ethtool *ethtool = NULL;
	_cleanup_(observe_close_pointer) struct observe *observe = NULL;
	_cleanup_(rule_set_clear) struct rule_set rules = { 0 };
	_cleanup_(rule_list_clear) struct rule_list notes = { 0 };
	struct feature_table table = { 0 };
	struct view view = { .rules = &rules };
	struct rule_host host;
	int r = 0, code;

	rule_host_read(&host);
	/* if the names of this kernel are unavailable (on a build machine, in a container), names of any kernel are valid */
	if (ethtool_open(options->backend, false, 0, &ethtool) >= 0)
		(void)ethtool_features_strings(ethtool, &table);
	if (argc == 0)
		r = load_all(&rules, options, &table, &notes);
	for (int i = 0; i < argc && r >= 0; i++)
		r = load_path(&rules, argv[i], &table, &notes);
	if (r >= 0)
		r = doubt_rules(&rules, &table, &host);
	if (r < 0)
		return cmd_error("Failed to load rules: %s", strerror(-r));
	if (read_links(options, &rules, &observe)) {
		view.links = &observe->links;
		view.host = &host;
	}
	code = rules.n_errors ? CMD_ERROR : CMD_OK;
	if (options->json)
		return cmd_written(json_write_check(stdout, &rules, &notes, view.links ? &view : NULL, code), code);
	print_all(&rules, &notes, view.links ? &view : NULL);
	return code;
}
