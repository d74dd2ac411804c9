/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands of offloadctl: each takes its options and the words that are left, and returns the
 * exit code. */
#ifndef OFFLOADD_CMD_H
#define OFFLOADD_CMD_H

#include <sys/stat.h>

#include "offloadd/conf.h"
#include "kernel/ethtool.h"
#include "kernel/observe.h"
#include "report/render.h"
#include "rules/rule_file.h"
#include "basic/options.h"
#include "report/view.h"

/* Exit codes; PENDING and UNMET add up. */
#define CMD_OK 0
#define CMD_ERROR 1
#define CMD_PENDING 2 /* changes are pending, or were made */
#define CMD_NO_DAEMON 3 /* offloadd is not running */
#define CMD_UNMET 4   /* something declared is not possible */

enum cmd_format { CMD_FORMAT_TEXT, CMD_FORMAT_NEEDRESTART, CMD_FORMAT_NAGIOS };
enum cmd_fail_on { CMD_FAIL_ON_ANY, CMD_FAIL_ON_LOST };

struct cmd_options {
	const char *dirs[OPTIONS_LIST_MAX + 1]; /* --rules, NULL-terminated; none: the default directories */
	const char *config; /* NULL: offloadd.conf and its drop-ins */
	const char *ledger; /* NULL: the usual one of this network namespace */
	enum ethtool_backend backend;
	const char *control; /* NULL: the usual socket of this network namespace; "none": offloadd is not asked */
	bool help, version, json, no_colour, detailed_exit_codes, follow, dry_run, by_role;
	enum cmd_fail_on fail_on;
	const char *output; /* NULL: standard output */
	enum cmd_format format;
	const char *html, *snapshot, *events, *services, *latency; /* report */
	const char *peer; /* check-path */
	bool serve, yes;
	uint64_t bytes; /* 0 when not given */
	bool has_time; /* --for, --timeout, --time */
	uint64_t time_usec;
	bool all;		/* --all */
	const char *link;	/* --link; NULL: all */
	const char *unit;	/* --unit, a glob; NULL: all */
	uint64_t interval_usec; /* --interval; 0: not given */
	size_t count;		/* --count; 0: not given */
};

/* One for each command of offloadctl(1): argv are the words after it, of which the table in offloadctl.c has
 * checked the number and the options. Each says what is wrong on standard error, and returns the exit code.
 */
int cmd_plan(const struct cmd_options *options, int argc, char **argv);
int cmd_apply(const struct cmd_options *options, int argc, char **argv);
int cmd_revert(const struct cmd_options *options, int argc, char **argv);
int cmd_check(const struct cmd_options *options, int argc, char **argv);
int cmd_rules(const struct cmd_options *options, int argc, char **argv);
int cmd_list(const struct cmd_options *options, int argc, char **argv);
int cmd_tree(const struct cmd_options *options, int argc, char **argv);
int cmd_show(const struct cmd_options *options, int argc, char **argv);
int cmd_explain(const struct cmd_options *options, int argc, char **argv);
int cmd_status(const struct cmd_options *options, int argc, char **argv);
int cmd_metrics(const struct cmd_options *options, int argc, char **argv);
int cmd_reload(const struct cmd_options *options, int argc, char **argv);
int cmd_pause(const struct cmd_options *options, int argc, char **argv);
int cmd_resume(const struct cmd_options *options, int argc, char **argv);
int cmd_services(const struct cmd_options *options, int argc, char **argv);
int cmd_events(const struct cmd_options *options, int argc, char **argv);
int cmd_wait_online(const struct cmd_options *options, int argc, char **argv);
int cmd_snapshot(const struct cmd_options *options, int argc, char **argv);
int cmd_diff(const struct cmd_options *options, int argc, char **argv);
int cmd_report(const struct cmd_options *options, int argc, char **argv);
int cmd_check_path(const struct cmd_options *options, int argc, char **argv);
int cmd_sockets(const struct cmd_options *options, int argc, char **argv);
int cmd_latency(const struct cmd_options *options, int argc, char **argv);
int cmd_investigate(const struct cmd_options *options, int argc, char **argv);

/* Has the running offloadd revert a link (NULL: all), and says which it leaves alone from now on. CMD_OK,
 * CMD_NO_DAEMON when offloadd is not running and nothing was done, CMD_ERROR. */
int cmd_revert_by_daemon(const struct cmd_options *options, const char *link,
	const struct feature_table *table, struct apply_report *ret);

/* A whole file, pipe, or standard input for "-", of at most SNAPSHOT_BYTES_MAX; the text is the caller's to
 * free. 0, negative errno. */
int cmd_file_read(const char *path, char **ret, size_t *ret_len);
/* Replaces a regular file in one step, writes to anything else; NULL is standard output. mode: of the file,
 * whatever the umask, or CMD_FILE_UMASK for what the umask leaves. 0, negative errno. */
int cmd_file_write(const char *path, const char *text, size_t len, mode_t mode);
#define CMD_FILE_UMASK ((mode_t)-1)

/* Adds the pauses and the contention that the running offloadd knows of. Nothing when there is no reply within a few seconds, or
 * --control none was given. 0 or -ENOMEM. */
int cmd_ask_states(const struct cmd_options *options, const struct feature_table *table, struct link_states *states);
/* Does an offloadd that enforces run here? */
bool cmd_is_enforced(const struct cmd_options *options);

/* What a command that looks at this host works with: the links, the rules, and a plan. */
struct cmd_session {
	const struct cmd_options *options;
	struct observe *observe;
	struct conf conf; /* offloadd's settings, for the rule directories; read only without --rules */
	const char *const *rule_dirs;
	struct rule_set rules;
	struct rule_host host;
	struct plan_context context;
	struct plan plan;
	struct view view;
	struct render render;
	struct link_states states; /* by cmd_ask_states(), and by what apply learned */
	bool asked; /* offloadd; set before the first plan, to do without */
};

/* "offloadctl: message" on standard error. Returns CMD_ERROR. */
int cmd_error(const char *fmt, ...) _printf_(1, 2);

/* Opens the kernel's side, without rules and links; says what failed. 0 or CMD_ERROR. */
int cmd_open(const struct cmd_options *options, struct cmd_session *ret);
/* And loads the rules from the directories that offloadd reads, too, unless --rules names others; prints what is
 * wrong with settings and rules, and reads the links. */
int cmd_open_all(const struct cmd_options *options, struct cmd_session *ret);
/* And plans all links. As above, the session is to be closed in any case. */
int cmd_open_plan(const struct cmd_options *options, struct cmd_session *ret);
/* The rules alone, of the directories that the options or offloadd.conf name; session->view.features are the
 * features that there are. */
int cmd_load_rules(struct cmd_session *session);
void cmd_close(struct cmd_session *session);

/* Reads the links and plans again. names: for these links alone, n_names 0 for all; an unknown
 * one is an error that names the nearest. 0 or CMD_ERROR. */
int cmd_refresh(struct cmd_session *session);
int cmd_make_plan(struct cmd_session *session, char **names, int n_names);

/* The link of a name; prints the nearest and returns NULL when there is none. */
struct link *cmd_find_link(const struct cmd_session *session, const char *name);

/* The code to exit with when the command did its work: CMD_ERROR if a rule file was ignored, or a link that
 * rules name cannot be read, as not all that is declared was looked at. */
int cmd_exit_code(const struct cmd_session *session, int code);

/* The result of writing a document or a table as an exit code; prints why it failed. */
int cmd_written(int r, int code);

#endif
