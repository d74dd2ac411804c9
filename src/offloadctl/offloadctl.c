/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The operator's hand on offload features: options, and one table that is dispatch and help. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <locale.h>
#include <string.h>

#include "offloadctl/cmd.h"
#include "control/server.h"
#include "engine/ledger.h"
#include "control/methods.h"
#include "basic/util.h"

enum option_id {
	OPTION_RULES, OPTION_ETHTOOL, OPTION_JSON, OPTION_COLOR, OPTION_LEDGER, OPTION_DETAILED, OPTION_CONTROL,
	OPTION_FOR, OPTION_FOLLOW, OPTION_TIMEOUT, OPTION_OUTPUT, OPTION_BY_ROLE, OPTION_FAIL_ON,
	OPTION_PEER, OPTION_SERVE, OPTION_BYTES, OPTION_TIME, OPTION_YES,
	OPTION_ALL, OPTION_UNIT, OPTION_INTERVAL, OPTION_COUNT,
	OPTION_CONFIG, OPTION_LINK,
	OPTION_FORMAT, OPTION_DRY_RUN,
	OPTION_HTML, OPTION_SNAPSHOT, OPTION_EVENTS, OPTION_SERVICES, OPTION_LATENCY,
};
#define USES(id) (1u << (id))
#define CALLS (USES(OPTION_JSON) | USES(OPTION_CONTROL) | USES(OPTION_COLOR))
#define LOOKS (USES(OPTION_ETHTOOL) | USES(OPTION_JSON) | USES(OPTION_COLOR))
#define READS (USES(OPTION_RULES) | USES(OPTION_CONFIG) | USES(OPTION_ETHTOOL) | USES(OPTION_JSON) | USES(OPTION_COLOR))

static const struct {
	const char *name, *argument, *help;
} options_table[] = {
	[OPTION_RULES] = { "rules", "DIR",
		"read rules from this folder instead of the usual ones; "
		"may be given again, the first is the strongest" },
	[OPTION_CONFIG] = { "config", "FILE",
		"take RulesDirectory= from this file and FILE.d instead of offloadd.conf" },
	[OPTION_ETHTOOL] = { "ethtool", "WAY",
		"talk to the kernel by netlink, ioctl or auto (the default)" },
	[OPTION_JSON] = { "json", NULL, "print one JSON document" },
	[OPTION_COLOR] = { "no-color", NULL, "no colour, as with NO_COLOR=1" },
	[OPTION_LEDGER] = { "ledger", "FILE",
		"where original values are kept, " LEDGER_DEFAULT_PATH },
	[OPTION_DETAILED] = { "detailed-exitcodes", NULL,
		"apply: exit with 2 added when something was changed (plan always tells)" },
	[OPTION_DRY_RUN] = { "dry-run", NULL, "say what would be put back, and change nothing" },
	[OPTION_CONTROL] = { "control", "SOCKET", "where offloadd answers, " SERVER_DEFAULT_PATH },
	[OPTION_FOR] = { "for", "TIME", "end by itself after this time, as in 30s, 10min, 2h; investigate: 10s when not given" },
	[OPTION_FOLLOW] = { "follow", NULL, "go on with what happens from now on; with --json one object a line" },
	[OPTION_TIMEOUT] = { "timeout", "TIME", "wait no longer than this, 30s when not given" },
	[OPTION_OUTPUT] = { "output", "FILE", "write there instead of standard output; also -o" },
	[OPTION_BY_ROLE] = { "by-role", NULL,
		"match links by what they stand on, whatever they are called" },
	[OPTION_FAIL_ON] = { "fail-on", "lost",
		"exit with 2 only when an offload that A has on is off or gone in B" },
	[OPTION_PEER] = { "peer", "ADDR[:PORT]", "where offloadctl check-path --serve listens" },
	[OPTION_SERVE] = { "serve", NULL, "be the receiver; with --peer, listen on that address of this host" },
	[OPTION_BYTES] = { "bytes", "SIZE", "send, or take from one host, no more than this, as in 64M, 2G" },
	[OPTION_TIME] = { "time", "TIME", "take no longer than this, as in 30s, 10min" },
	[OPTION_YES] = { "yes", NULL, "do not ask before a link is loaded" },
	[OPTION_HTML] = { "html", "FILE", "write the page there, - for standard output" },
	[OPTION_SNAPSHOT] = { "snapshot", "FILE", "of the host that this snapshot was taken on, instead of this one" },
	[OPTION_EVENTS] = { "events", "FILE", "what offloadctl events --json wrote, instead of asking offloadd" },
	[OPTION_SERVICES] = { "services", "FILE", "what offloadctl services --json wrote, instead of asking offloadd" },
	[OPTION_LATENCY] = { "latency", "FILE", "what offloadctl latency --json wrote" },
	[OPTION_ALL] = { "all", NULL, "also those that are not stale" },
	[OPTION_UNIT] = { "unit", "UNIT", "only of this service; may be a pattern, as in 'nginx*'" },
	[OPTION_INTERVAL] = { "interval", "TIME", "how often to tell, 1s when not given" },
	[OPTION_LINK] = { "link", "LINK", "only of what leaves by this interface" },
	[OPTION_COUNT] = { "count", "N", "end by itself after so many intervals" },
	[OPTION_FORMAT] = { "format", "FORM", "print for needrestart or for nagios, whose exit codes are taken then" },
};

#define STANDS (READS | USES(OPTION_CONTROL)) /* what offloadd leaves alone is part of the answer */

static const struct command {
	const char *name, *arguments, *help;
	int (*run)(const struct cmd_options *options, int argc, char **argv);
	int min, max; /* arguments */
	unsigned uses;
} commands[] = {
	{ "plan", "[LINK...]",
		"show what differs from the rules and what would be done; changes nothing",
		cmd_plan, 0, INT_MAX, STANDS | USES(OPTION_DETAILED) },
	{ "apply", "[LINK...]", "do it, read back, and say what came of it", cmd_apply, 0, INT_MAX,
		STANDS | USES(OPTION_LEDGER) | USES(OPTION_DETAILED) },
	{ "check", "[FILE|DIR...]", "print every error of every rule file and of offloadd.conf",
		cmd_check, 0, INT_MAX, READS },
	{ "rules", "[LINK]",
		"every rule file: is it in force, how many links it matches; or what of it a link gets",
		cmd_rules, 0, 1, READS },
	{ "list", "", "one line a link: what it is, and how it stands to the rules", cmd_list, 0, 0,
		STANDS },
	{ "tree", "", "the same as a tree: each link above what it stands on", cmd_tree, 0, 0,
		STANDS },
	{ "show", "LINK", "every feature of a link", cmd_show, 1, 1, STANDS },
	{ "explain", "LINK [FEATURE]", "why a feature is as it is, down to the device that decides",
		cmd_explain, 1, 2, STANDS },
	{ "revert", "[LINK]", "put back what apply or offloadd changed", cmd_revert, 0, 1,
		USES(OPTION_ETHTOOL) | USES(OPTION_JSON) | USES(OPTION_COLOR) | USES(OPTION_LEDGER) |
			USES(OPTION_CONTROL) | USES(OPTION_DRY_RUN) },
	{ "status", "", "what offloadd does, and how links stand", cmd_status, 0, 0,
		READS | USES(OPTION_CONTROL) },
	{ "metrics", "", "the same as metrics for Prometheus", cmd_metrics, 0, 0,
		USES(OPTION_RULES) | USES(OPTION_CONFIG) | USES(OPTION_ETHTOOL) | USES(OPTION_CONTROL) },
	{ "services", "", "who pays for software fallback now, and who must reconnect", cmd_services, 0, 0,
		CALLS | USES(OPTION_ETHTOOL) | USES(OPTION_FORMAT) },
	{ "events", "", "the last records of offloadd", cmd_events, 0, 0,
		CALLS | USES(OPTION_FOLLOW) },
	{ "pause", "LINK", "have offloadd leave a link alone", cmd_pause, 1, 1, CALLS | USES(OPTION_FOR) },
	{ "resume", "LINK", "have it held as declared again", cmd_resume, 1, 1, CALLS },
	{ "reload", "", "have offloadd read its settings and the rules again", cmd_reload, 0, 0, CALLS },
	{ "wait-online", "[LINK...]", "wait until links are as declared, or cannot be", cmd_wait_online,
		0, METHODS_LIST_MAX, CALLS | USES(OPTION_TIMEOUT) },
	{ "snapshot", "[LINK...]", "write what matters of this host as one document, to be compared",
		cmd_snapshot, 0, INT_MAX,
		USES(OPTION_RULES) | USES(OPTION_CONFIG) | USES(OPTION_ETHTOOL) | USES(OPTION_JSON) |
			USES(OPTION_OUTPUT) },
	{ "diff", "A [B]", "what differs between two snapshots, or one and this host", cmd_diff, 1, 2,
		READS | USES(OPTION_BY_ROLE) | USES(OPTION_FAIL_ON) },
	{ "report", "", "everything about this host as one page, for a ticket", cmd_report, 0, 0,
		USES(OPTION_RULES) | USES(OPTION_CONFIG) | USES(OPTION_ETHTOOL) | USES(OPTION_CONTROL) | USES(OPTION_HTML) |
			USES(OPTION_SNAPSHOT) | USES(OPTION_EVENTS) | USES(OPTION_SERVICES) | USES(OPTION_LATENCY) },
	{ "check-path", "[LINK]", "measure sendfile, splice and plain send by the same link",
		cmd_check_path, 0, 1,
		USES(OPTION_ETHTOOL) | USES(OPTION_JSON) | USES(OPTION_PEER) | USES(OPTION_SERVE) |
			USES(OPTION_BYTES) | USES(OPTION_TIME) | USES(OPTION_YES) },
	{ "sockets", "[LINK...]", "TCP sockets that are stale without offload and must be connected anew",
		cmd_sockets, 0, INT_MAX, LOOKS | USES(OPTION_ALL) },
	{ "latency", "", "how long sendfile takes, by service, healthy and falling back apart", cmd_latency, 0,
		0, LOOKS | USES(OPTION_UNIT) | USES(OPTION_INTERVAL) | USES(OPTION_COUNT) },
	{ "investigate", "", "watch this host for a while, and say why its sendfile is slow", cmd_investigate, 0,
		0, LOOKS | USES(OPTION_FOR) | USES(OPTION_UNIT) | USES(OPTION_LINK) },
};

static const char exit_codes[] =
	"Exit codes of plan and apply: 0 as declared, 1 error, 2 changes are pending (plan) or were made "
	"(apply --detailed-exitcodes), 4 something declared cannot be had, 6 both. 3: offloadd does not run.";

static const char verdicts[] =
	"Verdicts: compliant as declared; drifted will be changed; blocked something named holds it; unsupported the "
	"device cannot (ethtool's [fixed]); refused by the kernel; contended somebody keeps changing it back; "
	"paused left alone as asked.";

static const struct command *find_command(const char *name)
{
	const char *names[ARRAY_SIZE(commands)], *nearest;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
		names[i] = commands[i].name;
	}
	nearest = util_nearest(name, names, ARRAY_SIZE(names));
	if (nearest)
		cmd_error("there is no command %s (did you mean %s?)", name, nearest);
	else
		cmd_error("there is no command %s; offloadctl --help lists them", name);
	return NULL;
}

#define HELP_WIDTH 80 /* where no terminal says another */

static struct render help_on(FILE *f)
{
	struct render r;

	render_init(&r, f, true);
	r.width = r.width ? r.width : HELP_WIDTH;
	return r;
}

static void print_paragraph(const struct render *r, const char *text)
{
	fputc('\n', r->out);
	render_wrapped(r, 0, text);
}

static void print_options(const struct render *r, unsigned uses)
{
	puts("Options:");
	for (size_t i = 0; i < ARRAY_SIZE(options_table); i++) {
		char left[40];

		if (!(uses & USES(i)))
			continue;
		snprintf(left, sizeof(left), "--%s%s%s", options_table[i].name,
			options_table[i].argument ? " " : "",
			options_table[i].argument ? options_table[i].argument : "");
		render_wrapped(r, (unsigned)printf("  %-22s", left), options_table[i].help);
	}
}

static void print_help(FILE *f)
{
	struct render r = help_on(f);

	fputs("offloadctl COMMAND [OPTIONS] [ARGUMENTS]\n"
	      "Offload features of network interfaces, as rules declare them.\n\n",
		f);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		char left[40];

		snprintf(left, sizeof(left), "%s %s", commands[i].name, commands[i].arguments);
		render_wrapped(&r, (unsigned)fprintf(f, "  %-24s", left), commands[i].help);
	}
	print_paragraph(&r,
		"offloadctl COMMAND --help tells the options of one, offloadctl --version the "
		"version.");
	render_wrapped(&r, 0, exit_codes);
}

static void print_command_help(const struct command *command)
{
	struct render r = help_on(stdout);

	printf("offloadctl %s [OPTIONS]%s%s\n", command->name, command->arguments[0] ? " " : "", command->arguments);
	render_wrapped(&r, 0, command->help);
	putchar('\n');
	print_options(&r, command->uses);
	if (command->run == cmd_list || command->run == cmd_tree || command->run == cmd_show)
		print_paragraph(&r, verdicts);
	if (command->uses & USES(OPTION_DETAILED))
		print_paragraph(&r, exit_codes);
}

static int set_backend(struct cmd_options *options, const char *word)
{
	if (ethtool_backend_parse(word, &options->backend) == 0)
		return CMD_OK;
	return cmd_error("--ethtool takes netlink, ioctl or auto, not %s", word);
}

static int set_time(uint64_t *ret_usec, const char *argument, const char *examples)
{
	int r = util_parse_duration(argument, ret_usec);

	if (r == -ERANGE)
		return cmd_error("%s is too long: at most 366d", argument);
	return r < 0 ? cmd_error("%s is no time: write it as %s", argument, examples) : CMD_OK;
}

static int set_count(struct cmd_options *options, const char *argument)
{
	char *end;

	options->count = strtoull(argument, &end, 10);
	if (*argument < '1' || *argument > '9' || *end || options->count > INT_MAX)
		return cmd_error("--count takes a number from 1 on, not %s", argument);
	return CMD_OK;
}

static int set_format(struct cmd_options *options, const char *word)
{
	if (strcmp(word, "needrestart") == 0)
		options->format = CMD_FORMAT_NEEDRESTART;
	else if (strcmp(word, "nagios") == 0)
		options->format = CMD_FORMAT_NAGIOS;
	else
		return cmd_error("--format takes needrestart or nagios, not %s", word);
	return CMD_OK;
}

static int set_option(struct cmd_options *options, enum option_id id, const char *argument)
{
	switch (id) {
	case OPTION_RULES:
		if (options->n_dirs == CMD_DIRS_MAX)
			return cmd_error("more than %d times --rules", CMD_DIRS_MAX);
		options->dirs[options->n_dirs++] = argument;
		return CMD_OK;
	case OPTION_ETHTOOL:
		return set_backend(options, argument);
	case OPTION_JSON:
		options->json = true;
		return CMD_OK;
	case OPTION_COLOR:
		options->no_colour = true;
		return CMD_OK;
	case OPTION_CONFIG:
		options->config = argument;
		return CMD_OK;
	case OPTION_DRY_RUN:
		options->dry_run = true;
		return CMD_OK;
	case OPTION_LEDGER:
		options->ledger = argument;
		return CMD_OK;
	case OPTION_OUTPUT:
		options->output = argument;
		return CMD_OK;
	case OPTION_BY_ROLE:
		options->by_role = true;
		return CMD_OK;
	case OPTION_FAIL_ON:
		options->only_lost = strcmp(argument, "lost") == 0;
		return options->only_lost ? CMD_OK
					  : cmd_error("--fail-on takes lost, not %s", argument);
	case OPTION_FORMAT:
		return set_format(options, argument);
	case OPTION_DETAILED:
		options->detailed_exit_codes = true;
		return CMD_OK;
	case OPTION_CONTROL:
		options->control = argument;
		return CMD_OK;
	case OPTION_FOLLOW:
		options->follow = true;
		return CMD_OK;
	case OPTION_HTML:
		options->html = argument;
		return CMD_OK;
	case OPTION_SNAPSHOT:
		options->snapshot = argument;
		return CMD_OK;
	case OPTION_EVENTS:
		options->events = argument;
		return CMD_OK;
	case OPTION_SERVICES:
		options->services = argument;
		return CMD_OK;
	case OPTION_LATENCY:
		options->latency = argument;
		return CMD_OK;
	case OPTION_PEER:
		options->peer = argument;
		return CMD_OK;
	case OPTION_SERVE:
		options->serve = true;
		return CMD_OK;
	case OPTION_YES:
		options->yes = true;
		return CMD_OK;
	case OPTION_BYTES:
		if (util_parse_size(argument, &options->bytes) < 0)
			return cmd_error("%s is no size: write it as 500k, 64M or 2G", argument);
		return CMD_OK;
	case OPTION_ALL:
		options->all = true;
		return CMD_OK;
	case OPTION_UNIT:
		options->unit = argument;
		return CMD_OK;
	case OPTION_INTERVAL:
		return set_time(&options->interval_usec, argument, "100ms, 1s or 1min");
	case OPTION_LINK:
		options->link = argument;
		return CMD_OK;
	case OPTION_COUNT:
		return set_count(options, argument);
	case OPTION_FOR:
	case OPTION_TIMEOUT:
	case OPTION_TIME:
		options->has_time = true;
		return set_time(&options->time_usec, argument, "30s, 10min or 2h");
	}
	return CMD_ERROR;
}

#define LONG_HELP 100
#define LONG_VERSION 101

/* c: what getopt_long() answers to it. */
static int bad_option(int c, const char *word)
{
	const char *names[ARRAY_SIZE(options_table)], *nearest = NULL;
	char name[64] = "";

	if (c == ':')
		return cmd_error("%s needs a value", word);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		names[i] = options_table[i].name;
	if (strncmp(word, "--", 2) == 0) {
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
		nearest = util_nearest(name, names, ARRAY_SIZE(names));
	}
	if (nearest)
		return cmd_error("%s cannot be: did you mean --%s?", word, nearest);
	return cmd_error("%s cannot be; offloadctl --help lists commands and options", word);
}

/* Reads all options, wherever they stand. CMD_OK or CMD_ERROR; *ret_used: which were given,
 * *ret_special: LONG_*, or 0. */
static int read_options(
	int argc, char **argv, struct cmd_options *options, unsigned *ret_used, int *ret_special)
{
	struct option table[ARRAY_SIZE(options_table) + 3] = {
		{ "help", no_argument, NULL, LONG_HELP },
		{ "version", no_argument, NULL, LONG_VERSION },
	};
	int c;

	for (size_t i = 0; i < ARRAY_SIZE(options_table); i++)
		table[i + 2] = (struct option){ .name = options_table[i].name,
			.has_arg = options_table[i].argument ? required_argument : no_argument,
			.val = (int)i };
	while ((c = getopt_long(argc, argv, ":ho:", table, NULL)) != -1) {
		if (c == 'h' || c == LONG_HELP || c == LONG_VERSION) {
			*ret_special = c == 'h' ? LONG_HELP : c;
			continue;
		}
		if (c == 'o')
			c = OPTION_OUTPUT;
		if (c == '?' || c == ':')
			return bad_option(c, argv[optind - 1]);
		if (set_option(options, (enum option_id)c, optarg) != CMD_OK)
			return CMD_ERROR;
		*ret_used |= USES(c);
	}
	return CMD_OK;
}

/* Do options and arguments fit the command? */
static int check_usage(
	const struct command *command, unsigned used, int n_arguments, char **arguments)
{
	for (size_t i = 0; i < ARRAY_SIZE(options_table); i++)
		if (used & ~command->uses & USES(i))
			return cmd_error("%s takes no --%s; see offloadctl %s --help",
				command->name, options_table[i].name, command->name);
	if (n_arguments < command->min)
		return cmd_error("%s needs %s; usage: offloadctl %s [OPTIONS] %s", command->name,
			command->min == 1 ? "an argument" : "more arguments", command->name,
			command->arguments);
	if (n_arguments > command->max)
		return cmd_error("%s takes %s: %s is too much; usage: offloadctl %s [OPTIONS] %s",
			command->name,
			command->max == 0   ? "no argument"
			: command->max == 1 ? "one argument"
					    : "fewer arguments",
			arguments[command->max], command->name, command->arguments);
	return CMD_OK;
}

static int run(int argc, char **argv)
{
	struct cmd_options options = { 0 };
	const struct command *command;
	unsigned used = 0;
	int special = 0;

	if (read_options(argc, argv, &options, &used, &special) != CMD_OK)
		return CMD_ERROR;
	if (special == LONG_VERSION) {
		puts("offloadctl " OFFLOADD_VERSION);
		return CMD_OK;
	}
	if (optind == argc) {
		print_help(special ? stdout : stderr);
		return special ? CMD_OK : CMD_ERROR;
	}
	if (strcmp(argv[optind], "help") == 0) {
		special = LONG_HELP;
		if (++optind == argc) {
			print_help(stdout);
			return CMD_OK;
		}
	}
	command = find_command(argv[optind]);
	if (!command)
		return CMD_ERROR;
	if (special) {
		print_command_help(command);
		return CMD_OK;
	}
	argc -= optind + 1;
	argv += optind + 1;
	if (check_usage(command, used, argc, argv) != CMD_OK)
		return CMD_ERROR;
	return command->run(&options, argc, argv);
}

int main(int argc, char **argv)
{
	int code;

	setlocale(LC_CTYPE, "");
	code = run(argc, argv);
	if (fflush(stdout) != 0 || ferror(stdout))
		return cmd_error("cannot write the answer: %s", strerror(errno));
	return code;
}
