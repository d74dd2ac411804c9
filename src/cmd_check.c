/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: every error of every rule file, and of offloadd.conf. */
#include "cmd.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "conf.h"
#include "json.h"
#include "util.h"

/* Moves one set's rules and errors to the end of another's. */
static int join(struct rule_set *to, struct rule_set *from)
{
	struct rule *rules =
		reallocarray(to->rules, to->n_rules + from->n_rules + 1, sizeof(*rules));
	struct rule_error *errors;

	if (!rules)
		return -ENOMEM;
	to->rules = rules;
	errors = reallocarray(to->errors, to->n_errors + from->n_errors + 1, sizeof(*errors));
	if (!errors)
		return -ENOMEM;
	to->errors = errors;
	if (from->n_rules)
		memcpy(rules + to->n_rules, from->rules, from->n_rules * sizeof(*rules));
	if (from->n_errors)
		memcpy(errors + to->n_errors, from->errors, from->n_errors * sizeof(*errors));
	to->n_rules += from->n_rules;
	to->n_errors += from->n_errors;
	from->n_rules = from->n_errors = 0;
	return 0;
}

static int hear_conf_error(void *userdata, const char *path, unsigned line, const char *message)
{
	return rule_set_add_error(userdata, path, line, message);
}

static bool is_conf(const char *path)
{
	size_t len = strlen(path);

	return len > 5 && strcmp(path + len - 5, ".conf") == 0;
}

static int check_conf_file(struct rule_set *set, const char *path)
{
	const char *const files[] = { path, NULL }, *const none[] = { NULL };
	_cleanup_(conf_clear) struct conf conf = { 0 };

	return conf_load_from(files, none, true, hear_conf_error, set, &conf);
}

/* offloadd's settings with their drop-ins, as it would read them. */
static int check_conf(struct rule_set *set)
{
	_cleanup_(conf_clear) struct conf conf = { 0 };

	return conf_load(NULL, hear_conf_error, set, &conf);
}

/* A folder is read as one of rules.d is, *.conf as offloadd.conf; anything else as a rule, whatever
 * its name. */
static int load_path(struct rule_set *set, const char *path, const struct feature_table *table)
{
	const char *const dirs[] = { path, NULL };
	_cleanup_(rule_set_clear) struct rule_set one = { 0 };
	struct stat st;
	int r;

	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
		r = is_conf(path) ? check_conf_file(set, path)
				  : rule_set_load_file(set, path, table);
		return r < 0 ? r : 0;
	}
	r = rule_set_load(dirs, table, &one);
	return r < 0 ? r : join(set, &one);
}

static void print_errors(const struct rule_set *rules)
{
	char path[1024], message[1024];

	for (size_t i = 0; i < rules->n_errors; i++) {
		const struct rule_error *e = &rules->errors[i];

		view_clean(e->path, path, sizeof(path));
		view_clean(e->message, message, sizeof(message));
		if (e->line)
			printf("%s:%u: %s\n", path, e->line, message);
		else
			printf("%s: %s\n", path, message);
	}
	printf("%zu rule%s good, %zu error%s\n", rules->n_rules, rules->n_rules == 1 ? "" : "s",
		rules->n_errors, rules->n_errors == 1 ? "" : "s");
}

int cmd_check(const struct cmd_options *options, int argc, char **argv)
{
	_cleanup_(ethtool_close_pointer) struct ethtool *ethtool = NULL;
	_cleanup_(rule_set_clear) struct rule_set rules = { 0 };
	struct feature_table table = { 0 };
	int r = 0, code;

	/* Without the kernel's names (a build machine, a container) the names that any kernel has
	 * are good enough. */
	if (ethtool_open(options->backend, false, 0, &ethtool) >= 0)
		(void)ethtool_features_strings(ethtool, &table);
	if (argc == 0)
		r = rule_set_load(
			options->n_dirs ? options->dirs : rule_default_dirs, &table, &rules);
	if (argc == 0 && !options->n_dirs && r >= 0)
		r = check_conf(&rules);
	for (int i = 0; i < argc && r >= 0; i++)
		r = load_path(&rules, argv[i], &table);
	if (r < 0)
		return cmd_error("cannot load the rules: %s", strerror(-r));
	code = rules.n_errors ? CMD_ERROR : CMD_OK;
	if (options->json)
		return cmd_written(json_write_check(stdout, &rules, code), code);
	print_errors(&rules);
	return code;
}
