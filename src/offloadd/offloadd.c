/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "offloadd/conf.h"
#include "control/server.h"
#include "offloadd/daemon.h"
#include "report/textfile.h"
#include "evidence/tracker.h"
#include "report/hook.h"
#include "engine/ledger.h"
#include "basic/options.h"

struct arguments {
	struct daemon_options daemon;
	const char *dirs[OPTIONS_LIST_MAX + 1];
	bool enforce, dry_run, stopped, help, version;
};

enum option_id {
	OPTION_ENFORCE, OPTION_DRY_RUN, OPTION_CONFIG, OPTION_ONCE, OPTION_RULES, OPTION_ETHTOOL, OPTION_LEDGER,
	OPTION_CONTROL, OPTION_HOOK, OPTION_SERVICES, OPTION_NO_PROBES, OPTION_STOPPED, OPTION_RCVBUF, OPTION_HELP,
	OPTION_VERSION,
	OPTION_IDS,
};

#define FIELD(name) offsetof(struct arguments, name)

static const struct options_entry options_table[] = {
	[OPTION_ENFORCE] = { "enforce", 0, OPTIONS_FLAG, NULL, FIELD(enforce), .help = "Apply the rules (needs CAP_NET_ADMIN)" },
	[OPTION_DRY_RUN] = { "dry-run", 0, OPTIONS_FLAG, NULL, FIELD(dry_run),
		.help = "Change nothing, report what would be changed. Without this and --enforce: Mode= of offloadd.conf, audit "
		"by default" },
	[OPTION_CONFIG] = { "config", 0, OPTIONS_TEXT, "FILE", FIELD(daemon.conf_path),
		.help = "Read this file and FILE.d instead of offloadd.conf" },
	[OPTION_ONCE] = { "once", 0, OPTIONS_FLAG, NULL, FIELD(daemon.once),
		.help = "Reconcile once, then exit: 0 compliant, 1 error, 2 changes are pending, 4 something declared is not "
		"possible, 6 both" },
	[OPTION_RULES] = { "rules", 0, OPTIONS_LIST, "DIR", FIELD(dirs),
		.help = "Read rules from this directory instead of the usual ones. May be repeated; the first has the highest "
		"priority" },
	[OPTION_ETHTOOL] = { "ethtool", 0, OPTIONS_WORD, "BACKEND", FIELD(daemon.backend), .help = "netlink, ioctl or auto",
		.words = ethtool_backend_words,
		.n_words = ETHTOOL_BACKENDS },
	[OPTION_LEDGER] = { "ledger", 0, OPTIONS_TEXT, "FILE", FIELD(daemon.ledger_path),
		.help = "File of original values (default: " LEDGER_DEFAULT_PATH ")" },
	[OPTION_CONTROL] = { "control", 0, OPTIONS_TEXT, "SOCKET", FIELD(daemon.control_path),
		.help = "Control socket for offloadctl (default: " SERVER_DEFAULT_PATH ")" },
	[OPTION_HOOK] = { "hook", 0, OPTIONS_TEXT, "SOCKET", FIELD(daemon.hook_path),
		.help = "Socket that events with a hook are sent to (default: " HOOK_SOCKET_PATH ")" },
	[OPTION_SERVICES] = { "services", 0, OPTIONS_TEXT, "FILE", FIELD(daemon.services_path),
		.help = "File of services that must reconnect (default: " TRACKER_DEFAULT_PATH ")" },
	[OPTION_NO_PROBES] = { "no-probes", 0, OPTIONS_FLAG, NULL, FIELD(daemon.no_probes),
		.help = "Do not trace software fallback" },
	[OPTION_STOPPED] = { "stopped", 0, OPTIONS_FLAG, NULL, FIELD(stopped),
		.help = "Write offloadd_up 0 to the metrics file, and exit" },
	[OPTION_RCVBUF] = { "rcvbuf", 0, OPTIONS_NUMBER, "BYTES", FIELD(daemon.rcvbuf_bytes),
		.help = "Receive buffer of each event socket (default: 16 MB)", .min = CONF_RCVBUF_MIN,
		.max = CONF_RCVBUF_MAX },
	[OPTION_HELP] = { "help", 'h', OPTIONS_FLAG, NULL, FIELD(help), .help = "Show this help" },
	[OPTION_VERSION] = { "version", 0, OPTIONS_FLAG, NULL, FIELD(version), .help = "Show the version" },
};

static int usage_error(const char *why)
{
	fprintf(stderr, "offloadd: %s\n", why);
	return -EINVAL;
}

static void print_help(void)
{
	puts("Usage: offloadd [OPTION]...\n"
	     "Enforce rules for the offload features of all network interfaces.\n");
	options_print(stdout, options_table, OPTION_IDS, UINT64_MAX, OPTIONS_WIDTH);
	puts("\nThese override offloadd.conf(5). SIGHUP reloads it and the rules. See offloadd(8).");
}

/* 0: run; 1: done; -EINVAL. */
static int parse_arguments(struct arguments *a, int argc, char **argv)
{
	uint64_t given;
	char why[512];

	if (options_read(options_table, OPTION_IDS, argc, argv, a, &given, why, sizeof(why)) < 0)
		return usage_error(why);
	if (a->help)
		print_help();
	else if (a->version)
		puts("offloadd " OFFLOADD_VERSION);
	if (a->help || a->version)
		return 1;
	snprintf(why, sizeof(why), "unexpected argument \"%s\"", optind < argc ? argv[optind] : "");
	if (optind < argc)
		return usage_error(why);
	if (a->dry_run && a->enforce)
		return usage_error("--dry-run and --enforce cannot be used together");
	a->daemon.has_backend = given & UINT64_C(1) << OPTION_ETHTOOL;
	a->daemon.rule_dirs = a->dirs[0] ? a->dirs : NULL;
	a->daemon.mode = a->enforce ? DAEMON_MODE_ENFORCE
		: a->dry_run	    ? DAEMON_MODE_AUDIT
				    : DAEMON_MODE_CONF;
	return 0;
}

static int mark_stopped(const char *conf_path)
{
	_cleanup_(conf_clear) struct conf conf = { 0 };
	int r = conf_load(conf_path, NULL, NULL, &conf);

	if (r >= 0)
		r = textfile_mark_stopped(conf.textfile);
	if (r < 0)
		fprintf(stderr, "offloadd: Failed to write metrics: %s\n", strerror(-r));
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct arguments a = { 0 };
	int r = parse_arguments(&a, argc, argv);

	if (r != 0)
		return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	return a.stopped ? mark_stopped(a.daemon.conf_path) : daemon_run(&a.daemon);
}
