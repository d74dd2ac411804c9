/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands of offloadctl, and what they share. */
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

struct json_value;

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
	const char *ledger; /* NULL: the default of this network namespace */
	enum ethtool_backend backend;
	const char *control; /* NULL: the default of this network namespace; "none": do not ask offloadd */
	bool help, version, json, no_pager, no_legend, detailed_exit_codes, follow, dry_run, by_role;
	enum render_colour colour;
	struct render render; /* of standard output, as it was before the pager */
	enum cmd_fail_on fail_on;
	const char *output; /* NULL: standard output */
	enum cmd_format format;
	const char *html, *snapshot, *events, *services, *latency; /* report */
	size_t sample;	    /* --sample; 0: omitted */
	const char *kernel; /* --kernel; NULL: omitted */
	const char *peer; /* check-path */
	bool serve, yes, hold, load;
	uint64_t bytes; /* 0: omitted */
	bool has_time; /* --for, --timeout, --time */
	uint64_t time_usec;
	bool all;		/* --all */
	const char *link;	/* --link; NULL: all */
	const char *unit;	/* --unit, a glob; NULL: all */
	uint64_t interval_usec; /* --interval; 0: omitted */
	size_t count;		/* --count; 0: omitted */
	const char *netns;	/* --netns; NULL: that of this process */
	bool elsewhere;		/* it is another one: this one, with sockets in it; see cmd_enter_namespace() */
	struct netns_identity identity;
	struct rule_netns *facts;
	struct netns_sockets sockets;
	char *control_path;
	char enter[320]; /* a command that runs another one there */
};

/* The commands of offloadctl(1). argv: the arguments after the command; offloadctl.c has checked their number and the options. They
 * print errors on stderr and return the exit code. */
int cmd_plan(const struct cmd_options *options, int argc, char **argv);
int cmd_rehearse(const struct cmd_options *options, int argc, char **argv); /* plan --snapshot */
int cmd_apply(const struct cmd_options *options, int argc, char **argv);
int cmd_revert(const struct cmd_options *options, int argc, char **argv);
int cmd_check(const struct cmd_options *options, int argc, char **argv);
int cmd_rules(const struct cmd_options *options, int argc, char **argv);
int cmd_import(const struct cmd_options *options, int argc, char **argv);
int cmd_namespaces(const struct cmd_options *options, int argc, char **argv);
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
int cmd_trace(const struct cmd_options *options, int argc, char **argv); /* path */
int cmd_verify(const struct cmd_options *options, int argc, char **argv);
int cmd_check_path(const struct cmd_options *options, int argc, char **argv);
int cmd_sockets(const struct cmd_options *options, int argc, char **argv);
int cmd_latency(const struct cmd_options *options, int argc, char **argv);
int cmd_investigate(const struct cmd_options *options, int argc, char **argv);

/* Has offloadd revert a link (NULL: all), and prints which links are paused now. ret: released by apply_report_clear(). CMD_OK;
 * CMD_NO_DAEMON: offloadd is not running, nothing was done or printed; CMD_ERROR. */
int cmd_revert_by_daemon(const struct cmd_options *options, const char *link,
	const struct feature_table *table, struct apply_report *ret);

/* Reads a whole file or pipe, "-" is standard input. *ret: text, the caller frees it. 0; -EFBIG: more than SNAPSHOT_BYTES_MAX; negative
 * errno. */
int cmd_file_read(const char *path, char **ret, size_t *ret_len);
/* Replaces a regular file atomically, or writes to another kind of file. path: NULL for standard output. mode: of the file regardless of
 * the umask, or CMD_FILE_UMASK for 0666 with the umask. 0 or negative errno. */
int cmd_file_write(const char *path, const char *text, size_t len, mode_t mode);
#define CMD_FILE_UMASK ((mode_t)-1)

/* Is an offloadd running here in enforce mode? */
bool cmd_is_enforced(const struct cmd_options *options);

/* The links of this host, the rules, and a plan. Released by cmd_close(), even after an error. */
struct cmd_session {
	const struct cmd_options *options;
	struct observe *observe;
	struct json_value *daemon; /* see cmd_ask_daemon() */
	uid_t daemon_uid; /* of its user */
	bool asked;
	int ask_error; /* negative errno: it did not reply, which was not reported yet */
	struct conf conf; /* offloadd's settings, for the rule directories; read only without --rules */
	const char *const *rule_dirs;
	const char **daemon_dirs; /* those of the running offloadd, borrowed from `daemon` */
	struct rule_set rules;
	struct rule_host host;
	struct plan_context context;
	struct plan plan;
	struct view view;
	struct render render;
	struct link_states states; /* from offloadd and from apply */
	bool has_states; /* states were read; set it before the first plan to skip that */
};

/* The status of the offloadd that runs in this network namespace, asked once for each session, owned by it. NULL: none runs, --control
 * none, or it does not reply within CLIENT_HUNG_USEC. */
const struct json_value *cmd_ask_daemon(struct cmd_session *session);
/* Adds its pauses and contended features to session->states. 0 or -ENOMEM. */
int cmd_read_states(struct cmd_session *session);
/* Sets session->rule_dirs: those of the running offloadd, or `own` if none runs. named: `own` was named on the command line and is used in
 * any case; a difference is printed. The same if root asks an offloadd of another user, which must not choose what root reads. CMD_OK or
 * CMD_ERROR. */
int cmd_choose_dirs(struct cmd_session *session, const char *const *own, bool named);

/* "offloadctl: message" on standard error. Returns CMD_ERROR. */
int cmd_error(const char *fmt, ...) _printf_(1, 2);

/* These return CMD_OK, or CMD_ERROR after printing the reason. */

/* Opens the sockets to the kernel; loads no rules and reads no links. */
int cmd_open(const struct cmd_options *options, struct cmd_session *ret);
/* Opens nothing; for links that are not those of this host. view.features and view.links are the caller's to set. */
int cmd_open_offline(const struct cmd_options *options, struct cmd_session *ret);
/* Also loads the rules, from --rules or the directories of offloadd.conf, prints their errors, and reads the links. */
int cmd_open_all(const struct cmd_options *options, struct cmd_session *ret);
/* The same, and reads all that any rule may ask for. */
int cmd_open_whole(const struct cmd_options *options, struct cmd_session *ret);
/* Also makes a plan for all links. */
int cmd_open_plan(const struct cmd_options *options, struct cmd_session *ret);
/* Loads the rules alone; session->view.features must be set. */
int cmd_load_rules(struct cmd_session *session);
/* Adds warnings about rules for other network namespaces to the set, by the settings of offloadd. 0 or -ENOMEM. */
int cmd_doubt_namespaces(struct rule_set *rules, const struct conf *conf);
/* Prints likely mistakes in the loaded rules on standard error. */
int cmd_warn(struct cmd_session *session);
void cmd_close(struct cmd_session *session);

/* Reads the links again, and makes the plan again. names: plan for these n_names links only, 0: all. */
int cmd_refresh(struct cmd_session *session);
int cmd_make_plan(struct cmd_session *session, char **names, int n_names);

/* The link of a name, borrowed. NULL: there is none, and an error with the most similar name was printed. */
struct link *cmd_find_link(const struct cmd_session *session, const char *name);
/* cmd_open(), cmd_refresh() and cmd_find_link(). CMD_OK, or CMD_ERROR after printing the reason. */
int cmd_open_link(const struct cmd_options *options, const char *name, struct cmd_session *ret, struct link **ret_link);

/* From now on SIGINT and SIGTERM set the number that this returns, which is 0 before, and SIGPIPE is ignored. Static. */
const volatile int *cmd_catch_signals(void);
/* Reports why a command that works until a signal has ended with a negative errno. why: the message, "" for "Failed to VERB: ...".
 * CMD_ERROR. */
int cmd_ended(int error, const char *why, const char *verb);
/* Reads the answer to a question with [y/N] from standard input. */
bool cmd_is_agreed(void);

/* The exit code of a command that succeeded with `code`: CMD_ERROR if a rule file has errors or a link with rules is unreadable, because
 * not everything that is declared was checked. */
int cmd_exit_code(const struct cmd_session *session, int code);

/* The exit code after writing a document or table: code, or CMD_ERROR if r is a negative errno, which it prints. */
int cmd_written(int r, int code);

#endif
