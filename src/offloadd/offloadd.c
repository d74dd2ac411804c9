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
#include "basic/util.h"

#define RULE_DIRS_MAX 16
#define RCVBUF_MIN 4096
#define RCVBUF_MAX (256 * 1024 * 1024)

static const char help_text[] =
	"Usage: offloadd [OPTION]...\n"
	"Keeps the offload features of every network interface as rules declare them.\n"
	"\n"
	"  --enforce             change what is not as declared (needs CAP_NET_ADMIN)\n"
	"  --dry-run             change nothing, say what would be changed\n"
	"                        (neither: what offloadd.conf says, which says audit\n"
	"                        when it says nothing)\n"
	"  --config FILE         read this file and FILE.d instead of offloadd.conf\n"
	"  --once                one reconcile, then exit: 0 as declared, 1 error,\n"
	"                        2 changes are pending, 4 something cannot be had, 6 both\n"
	"  --rules DIR           read rules from here and from nowhere else; may be given\n"
	"                        again, the first folder is the strongest\n"
	"  --ethtool BACKEND     netlink, ioctl or auto\n"
	"  --ledger FILE         where original values are kept\n"
	"                        (" LEDGER_DEFAULT_PATH ")\n"
	"  --control SOCKET      where offloadctl is answered\n"
	"                        (" SERVER_DEFAULT_PATH ")\n"
	"  --hook SOCKET         where records with a hook are sent\n"
	"                        (" HOOK_SOCKET_PATH ")\n"
	"  --services FILE       where it is kept which services must reconnect\n"
	"                        (" TRACKER_DEFAULT_PATH ")\n"
	"  --no-probes           do not look into the kernel for who pays for fallback\n"
	"  --stopped             say in the file of metrics that offloadd has ended, and exit\n"
	"  --rcvbuf BYTES        receive buffer of each event socket (16 MB)\n"
	"  --help                this text\n"
	"  --version             the version\n"
	"\n"
	"These outrank offloadd.conf(5). SIGHUP reads it and the rules again. See offloadd(8).\n";

enum option_id {
	OPTION_ENFORCE = 1,
	OPTION_CONFIG,
	OPTION_CONTROL,
	OPTION_HOOK,
	OPTION_DRY_RUN,
	OPTION_ONCE,
	OPTION_RULES,
	OPTION_ETHTOOL,
	OPTION_LEDGER,
	OPTION_SERVICES,
	OPTION_NO_PROBES,
	OPTION_STOPPED,
	OPTION_RCVBUF,
	OPTION_HELP,
	OPTION_VERSION,
};

static const struct option long_options[] = {
	{ "enforce", no_argument, NULL, OPTION_ENFORCE },
	{ "dry-run", no_argument, NULL, OPTION_DRY_RUN },
	{ "config", required_argument, NULL, OPTION_CONFIG },
	{ "control", required_argument, NULL, OPTION_CONTROL },
	{ "hook", required_argument, NULL, OPTION_HOOK },
	{ "once", no_argument, NULL, OPTION_ONCE },
	{ "rules", required_argument, NULL, OPTION_RULES },
	{ "ethtool", required_argument, NULL, OPTION_ETHTOOL },
	{ "ledger", required_argument, NULL, OPTION_LEDGER },
	{ "services", required_argument, NULL, OPTION_SERVICES },
	{ "no-probes", no_argument, NULL, OPTION_NO_PROBES },
	{ "stopped", no_argument, NULL, OPTION_STOPPED },
	{ "rcvbuf", required_argument, NULL, OPTION_RCVBUF },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ 0 },
};

struct arguments {
	struct daemon_options daemon;
	const char *dirs[RULE_DIRS_MAX + 1];
	size_t n_dirs;
	bool enforce, dry_run, stopped;
};

_printf_(1, 2) static int usage_error(const char *fmt, ...)
{
	va_list ap;

	fputs("offloadd: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("; see offloadd --help\n", stderr);
	return -EINVAL;
}

static int parse_backend(const char *text, enum ethtool_backend *ret)
{
	return ethtool_backend_parse(text, ret) == 0
		? 0
		: usage_error("--ethtool takes netlink, ioctl or auto, not %s", text);
}

static int parse_rcvbuf(const char *text, size_t *ret)
{
	char *end;
	unsigned long bytes;

	errno = 0;
	bytes = strtoul(text, &end, 10);
	if (errno || end == text || *end || bytes < RCVBUF_MIN || bytes > RCVBUF_MAX)
		return usage_error("--rcvbuf takes bytes from %d to %d, not %s", RCVBUF_MIN, RCVBUF_MAX,
			text);
	*ret = bytes;
	return 0;
}

static int add_rule_dir(struct arguments *a, const char *dir)
{
	if (a->n_dirs == RULE_DIRS_MAX)
		return usage_error("more than %d folders with --rules", RULE_DIRS_MAX);
	a->dirs[a->n_dirs++] = dir;
	a->daemon.rule_dirs = a->dirs;
	return 0;
}

/* 0 to go on, 1 when all is said, -EINVAL. */
static int take_option(struct arguments *a, int id)
{
	switch (id) {
	case OPTION_ENFORCE:
		a->enforce = true;
		return 0;
	case OPTION_HOOK:
		a->daemon.hook_path = optarg;
		return 0;
	case OPTION_DRY_RUN:
		a->dry_run = true;
		return 0;
	case OPTION_CONFIG:
		a->daemon.conf_path = optarg;
		return 0;
	case OPTION_CONTROL:
		a->daemon.control_path = optarg;
		return 0;
	case OPTION_ONCE:
		a->daemon.once = true;
		return 0;
	case OPTION_RULES:
		return add_rule_dir(a, optarg);
	case OPTION_ETHTOOL:
		a->daemon.has_backend = true;
		return parse_backend(optarg, &a->daemon.backend);
	case OPTION_LEDGER:
		a->daemon.ledger_path = optarg;
		return 0;
	case OPTION_SERVICES:
		a->daemon.services_path = optarg;
		return 0;
	case OPTION_NO_PROBES:
		a->daemon.no_probes = true;
		return 0;
	case OPTION_STOPPED:
		a->stopped = true;
		return 0;
	case OPTION_RCVBUF:
		return parse_rcvbuf(optarg, &a->daemon.rcvbuf_bytes);
	case OPTION_HELP:
		fputs(help_text, stdout);
		return 1;
	case OPTION_VERSION:
		printf("offloadd %s\n", OFFLOADD_VERSION);
		return 1;
	default: /* getopt has said what is wrong */
		fputs("offloadd: see offloadd --help\n", stderr);
		return -EINVAL;
	}
}

static int parse_arguments(struct arguments *a, int argc, char **argv)
{
	int id, r = 0;

	while (r == 0 && (id = getopt_long(argc, argv, "", long_options, NULL)) >= 0)
		r = take_option(a, id);
	if (r != 0)
		return r;
	if (optind < argc)
		return usage_error("no argument expected: %s", argv[optind]);
	if (a->dry_run && a->enforce)
		return usage_error("--dry-run and --enforce exclude each other");
	a->daemon.mode = a->enforce ? DAEMON_MODE_ENFORCE
		: a->dry_run	    ? DAEMON_MODE_AUDIT
				    : DAEMON_MODE_CONF;
	return 0;
}

static int hear_nothing(_unused_ void *userdata, _unused_ const char *path, _unused_ unsigned line,
	_unused_ const char *message)
{
	return 0;
}

/* Errors of offloadd.conf were the daemon's to tell. */
static int say_stopped(const char *conf_path)
{
	_cleanup_(conf_clear) struct conf conf = { 0 };
	int r = conf_load(conf_path, hear_nothing, NULL, &conf);

	if (r >= 0)
		r = textfile_bury(conf.textfile);
	if (r < 0)
		fprintf(stderr, "offloadd: cannot write metrics: %s\n", strerror(-r));
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct arguments a = { 0 };
	int r = parse_arguments(&a, argc, argv);

	if (r != 0)
		return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	return a.stopped ? say_stopped(a.daemon.conf_path) : daemon_run(&a.daemon);
}
