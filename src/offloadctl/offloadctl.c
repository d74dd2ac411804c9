/* SPDX-License-Identifier: GPL-2.0-or-later */
/* offloadctl(1): a table of commands and a table of options, for dispatch, usage errors and help. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <locale.h>
#include <string.h>

#include "basic/options.h"
#include "control/methods.h"
#include "control/server.h"
#include "engine/ledger.h"
#include "offloadctl/cmd_namespaces.h"
#include "offloadctl/pager.h"

enum option_id {
	OPTION_RULES, OPTION_CONFIG, OPTION_ETHTOOL, OPTION_JSON, OPTION_COLOR, OPTION_NO_PAGER, OPTION_NO_LEGEND,
	OPTION_LEDGER, OPTION_DETAILED, OPTION_DRY_RUN, OPTION_CONTROL, OPTION_FOR, OPTION_FOLLOW, OPTION_TIMEOUT,
	OPTION_OUTPUT, OPTION_BY_ROLE,
	OPTION_FAIL_ON, OPTION_PEER, OPTION_SERVE, OPTION_BYTES, OPTION_TIME, OPTION_YES, OPTION_HTML, OPTION_SNAPSHOT,
	OPTION_EVENTS, OPTION_SERVICES, OPTION_LATENCY, OPTION_ALL, OPTION_UNIT, OPTION_LINK, OPTION_INTERVAL,
	OPTION_COUNT, OPTION_FORMAT, OPTION_SAMPLE, OPTION_KERNEL, OPTION_HOLD, OPTION_LOAD, OPTION_NETNS, OPTION_HELP,
	OPTION_VERSION,
	OPTION_IDS,
};
_Static_assert(OPTION_IDS <= OPTIONS_MAX, "a set of options is a uint64_t");

static const char *const formats[] = { [CMD_FORMAT_NEEDRESTART] = "needrestart", [CMD_FORMAT_NAGIOS] = "nagios" };
static const char *const colours[] = {
	[RENDER_COLOUR_AUTO] = "auto", [RENDER_COLOUR_ALWAYS] = "always", [RENDER_COLOUR_NEVER] = "never" };
static const char *const losses[] = { [CMD_FAIL_ON_LOST] = "lost" };

#define FIELD(name) offsetof(struct cmd_options, name)

static const struct options_entry options_table[] = {
	[OPTION_RULES] = { "rules", 0, OPTIONS_LIST, "DIR", FIELD(dirs),
		.help = "Read rules from this directory instead of the usual ones. May be repeated; the first has the highest "
		"priority" },
	[OPTION_CONFIG] = { "config", 0, OPTIONS_TEXT, "FILE", FIELD(config),
		.help = "Read RulesDirectory= from this file and FILE.d instead of offloadd.conf" },
	[OPTION_ETHTOOL] = { "ethtool", 0, OPTIONS_WORD, "BACKEND", FIELD(backend),
		.help = "Access the kernel by netlink, ioctl or auto (default)", .words = ethtool_backend_words,
		.n_words = ETHTOOL_BACKENDS },
	[OPTION_JSON] = { "json", 0, OPTIONS_FLAG, NULL, FIELD(json), .help = "Print one JSON document" },
	[OPTION_COLOR] = { "color", 0, OPTIONS_WORD, "WHEN", FIELD(colour),
		.help = "Use color: auto (default: on a terminal, unless NO_COLOR is set), always or never", .words = colours,
		.n_words = ARRAY_SIZE(colours) },
	[OPTION_NO_PAGER] = { "no-pager", 0, OPTIONS_FLAG, NULL, FIELD(no_pager),
		.help = "Do not pipe long output on a terminal into OFFLOADD_PAGER, PAGER or less" },
	[OPTION_NO_LEGEND] = { "no-legend", 0, OPTIONS_FLAG, NULL, FIELD(no_legend),
		.help = "Print tables without column headings and notes" },
	[OPTION_LEDGER] = { "ledger", 0, OPTIONS_TEXT, "FILE", FIELD(ledger),
		.help = "File of original values (default: " LEDGER_DEFAULT_PATH ")" },
	[OPTION_DETAILED] = { "detailed-exitcodes", 0, OPTIONS_FLAG, NULL, FIELD(detailed_exit_codes),
		.help = "apply: add 2 to the exit code when something was changed (plan always does)" },
	[OPTION_DRY_RUN] = { "dry-run", 0, OPTIONS_FLAG, NULL, FIELD(dry_run),
		.help = "Show what would be restored, change nothing" },
	[OPTION_CONTROL] = { "control", 0, OPTIONS_TEXT, "SOCKET", FIELD(control),
		.help = "Control socket of offloadd (default: " SERVER_DEFAULT_PATH "); none: do not contact it" },
	[OPTION_FOR] = { "for", 0, OPTIONS_DURATION, "TIME", FIELD(time_usec),
		.help = "End after this time, for example 30s, 10min or 2h (investigate: 10s by default)" },
	[OPTION_FOLLOW] = { "follow", 0, OPTIONS_FLAG, NULL, FIELD(follow),
		.help = "Continue with new events; with --json one object per line" },
	[OPTION_TIMEOUT] = { "timeout", 0, OPTIONS_DURATION, "TIME", FIELD(time_usec),
		.help = "Wait at most this long (default: 30s)" },
	[OPTION_OUTPUT] = { "output", 'o', OPTIONS_TEXT, "FILE", FIELD(output),
		.help = "Write to this file instead of standard output; rules: into this directory instead of /etc/offloadd/rules.d; import, "
		"verify: into this directory" },
	[OPTION_BY_ROLE] = { "by-role", 0, OPTIONS_FLAG, NULL, FIELD(by_role),
		.help = "Match interfaces by their place in the stack instead of by name" },
	[OPTION_FAIL_ON] = { "fail-on", 0, OPTIONS_WORD, "lost", FIELD(fail_on),
		.help = "Exit with 2 only if an offload that is on in A is off or missing in B", .words = losses,
		.n_words = ARRAY_SIZE(losses) },
	[OPTION_PEER] = { "peer", 0, OPTIONS_TEXT, "ADDR[:PORT]", FIELD(peer),
		.help = "Address where offloadctl check-path --serve, or verify --serve, listens" },
	[OPTION_SERVE] = { "serve", 0, OPTIONS_FLAG, NULL, FIELD(serve),
		.help = "Wait for the other host; with --peer, listen on that address" },
	[OPTION_BYTES] = { "bytes", 0, OPTIONS_SIZE, "SIZE", FIELD(bytes),
		.help = "Send, or accept from one host, at most this much, for example 64M or 2G" },
	[OPTION_TIME] = { "time", 0, OPTIONS_DURATION, "TIME", FIELD(time_usec),
		.help = "Take at most this long, for example 30s or 10min" },
	[OPTION_YES] = { "yes", 0, OPTIONS_FLAG, NULL, FIELD(yes),
		.help = "Do not ask before the command changes features, puts load on an interface, or replaces a file" },
	[OPTION_HTML] = { "html", 0, OPTIONS_TEXT, "FILE", FIELD(html), .help = "Write the page here, - for standard output" },
	[OPTION_SNAPSHOT] = { "snapshot", 0, OPTIONS_TEXT, "FILE", FIELD(snapshot),
		.help = "Use the host of this snapshot instead of this host; plan: or every host in a directory of snapshots; explain: or "
		"pasted output of ethtool -k" },
	[OPTION_SAMPLE] = { "sample", 0, OPTIONS_NUMBER, "N", FIELD(sample),
		.help = "Also choose at most N hosts that together have as many different types of interfaces as possible", .min = 1, .max = INT_MAX },
	[OPTION_KERNEL] = { "kernel", 0, OPTIONS_TEXT, "VERSION", FIELD(kernel),
		.help = "Predict for this kernel instead of the one in the snapshot" },
	[OPTION_HOLD] = { "hold", 0, OPTIONS_FLAG, NULL, FIELD(hold),
		.help = "Wait for Enter when the links exist, and print how to enter their namespaces" },
	[OPTION_LOAD] = { "load", 0, OPTIONS_FLAG, NULL, FIELD(load),
		.help = "Load the kernel modules of all kinds of interfaces; some create interfaces on this host, such as bond0 and gre0" },
	[OPTION_EVENTS] = { "events", 0, OPTIONS_TEXT, "FILE", FIELD(events),
		.help = "Output of offloadctl events --json, instead of asking offloadd" },
	[OPTION_SERVICES] = { "services", 0, OPTIONS_TEXT, "FILE", FIELD(services),
		.help = "Output of offloadctl services --json, instead of asking offloadd" },
	[OPTION_LATENCY] = { "latency", 0, OPTIONS_TEXT, "FILE", FIELD(latency), .help = "Output of offloadctl latency --json" },
	[OPTION_ALL] = { "all", 0, OPTIONS_FLAG, NULL, FIELD(all),
		.help = "show: every feature; status: every probe; sockets: those that are not stale, too" },
	[OPTION_UNIT] = { "unit", 0, OPTIONS_TEXT, "UNIT", FIELD(unit),
		.help = "Only this service; may be a pattern, for example 'nginx*'" },
	[OPTION_LINK] = { "link", 0, OPTIONS_TEXT, "LINK", FIELD(link), .help = "Only traffic that leaves through this interface" },
	[OPTION_INTERVAL] = { "interval", 0, OPTIONS_DURATION, "TIME", FIELD(interval_usec),
		.help = "Time between two reports (default: 1s)" },
	[OPTION_COUNT] = { "count", 0, OPTIONS_NUMBER, "N", FIELD(count), .help = "End after this many intervals", .min = 1,
		.max = INT_MAX },
	[OPTION_FORMAT] = { "format", 0, OPTIONS_WORD, "FORMAT", FIELD(format),
		.help = "Output and exit codes for needrestart or nagios", .words = formats,
		.n_words = ARRAY_SIZE(formats) },
	[OPTION_NETNS] = { "netns", 0, OPTIONS_TEXT, "NETNS", FIELD(netns),
		.help = "Use this network namespace, as offloadctl namespaces lists it, instead of the one offloadctl runs in; needs root" },
	[OPTION_HELP] = { "help", 'h', OPTIONS_FLAG, NULL, FIELD(help), .help = "Show this help" },
	[OPTION_VERSION] = { "version", 0, OPTIONS_FLAG, NULL, FIELD(version), .help = "Show the version" },
};

#define USES(id) (UINT64_C(1) << OPTION_##id)
#define ALWAYS (USES(HELP) | USES(VERSION))
#define PRINTS (USES(JSON) | USES(COLOR) | USES(NO_PAGER))
#define CALLS (PRINTS | USES(CONTROL))			    /* calls offloadd */
#define LOOKS (PRINTS | USES(ETHTOOL))			    /* reads the kernel */
#define RULES (USES(RULES) | USES(CONFIG) | USES(ETHTOOL)) /* compares the kernel with the rules */
#define PLANS (RULES | CALLS)				    /* and reads pauses and contention from offloadd */

static const char exit_codes[] =
	"Exit codes of plan and apply: 0 compliant, 1 error, 2 changes are pending (plan) or were made "
	"(apply --detailed-exitcodes), 4 something declared is not possible, 6 both. 3: offloadd is not running.";

static const char status_codes[] =
	"Exit codes: 0 OK, or no rule applies; 1 error, or something could not be read; 2 something can be done: a repair, a restart; 4 "
	"something declared is not possible, or services are not observed; 6 both 2 and 4; 3 offloadd is not running.";

static const char verdicts[] =
	"Verdicts: compliant: matches the rules; drifted: a step repairs it; blocked: kept off by a known cause; unsupported: "
	"the device or kernel does not provide it (ethtool's [fixed]); refused: the kernel returned an error; contended: another "
	"program keeps reverting it; paused: enforcement is paused.";

static const char path_codes[] =
	"Exit codes: 0 no software fallback, 1 error, 2 an interface or the socket uses software fallback, 4 none was found, but the "
	"path is not completely known.";

static const char verify_codes[] =
	"Exit codes: 0 everything is right, 1 error, 2 something is wrong, 4 nothing was wrong, but not everything could be tested.";

static const char diff_codes[] =
	"Exit codes for snapshots: 0 no difference, 1 error, 2 something differs. For results of verify and check-path: 0 nothing is worse "
	"in B, 1 error, 2 something is wrong in B only, 4 something that was right in A was not tested in B, 6 both.";

static const char rules_verbs[] =
	"Verbs: new NAME LINK writes a rule from the state of an interface (with --snapshot, of one in a snapshot); enable NAME copies an "
	"example, or removes a mask; disable NAME masks a rule, or removes a copy of an example; cat NAME prints a rule; edit NAME opens "
	"it in an editor and takes it over if it has no error.";

static const char import_codes[] =
	"Without --output, prints the rules and writes nothing. Exit codes: 0 everything was converted, 1 error, 4 some settings were not "
	"converted; they are listed on standard error.";

static const struct command {
	const char *name, *arguments, *help;
	int (*run)(const struct cmd_options *options, int argc, char **argv);
	int min, max; /* arguments */
	uint64_t uses;
	const char *details; /* a paragraph for its --help, NULL for none */
} commands[] = {
	{ "plan", "[LINK...]", "Show what differs from the rules and how to change it; change nothing",
		cmd_plan, 0, INT_MAX, PLANS | USES(NETNS) | USES(DETAILED) | USES(SNAPSHOT) | USES(SAMPLE) | USES(KERNEL), exit_codes },
	{ "apply", "[LINK...]", "Apply the plan and verify the result",
		cmd_apply, 0, INT_MAX, PLANS | USES(NETNS) | USES(LEDGER) | USES(DETAILED) | USES(YES), exit_codes },
	{ "check", "[FILE|DIR...]", "Check rule files and offloadd.conf for errors",
		cmd_check, 0, INT_MAX, RULES | PRINTS, NULL },
	{ "rules", "[LINK|VERB NAME...]", "List rule files and how many interfaces each matches, or the rules of one interface; or write rules",
		cmd_rules, 0, INT_MAX, RULES | PRINTS | USES(NETNS) | USES(OUTPUT) | USES(YES) | USES(SNAPSHOT) | USES(NO_LEGEND), rules_verbs },
	{ "import", "FILE...", "Convert .link files, netplan, NetworkManager keyfiles, interfaces(5), udev rules and scripts into rules",
		cmd_import, 1, INT_MAX, USES(JSON) | USES(OUTPUT) | USES(YES), import_codes },
	{ "list", "", "List interfaces with their verdicts", cmd_list, 0, 0, PLANS | USES(NETNS) | USES(NO_LEGEND), verdicts },
	{ "tree", "", "List interfaces as a tree, each above those that it uses", cmd_tree, 0, 0, PLANS | USES(NETNS) | USES(NO_LEGEND), verdicts },
	{ "namespaces", "", "List the network namespaces of this host, and which offloads are off in each",
		cmd_namespaces, 0, 0, LOOKS | USES(NO_LEGEND), NULL },
	{ "show", "LINK", "Show the features of an interface that rules declare, or all of them",
		cmd_show, 1, 1, PLANS | USES(NETNS) | USES(NO_LEGEND) | USES(ALL), verdicts },
	{ "explain", "LINK [FEATURE]", "Explain the state of a feature, down to the interface that determines it",
		cmd_explain, 0, 2, PLANS | USES(NETNS) | USES(SNAPSHOT), NULL },
	{ "revert", "[LINK]", "Restore what apply or offloadd changed",
		cmd_revert, 0, 1, LOOKS | USES(LEDGER) | USES(CONTROL) | USES(DRY_RUN), NULL },
	{ "status", "", "Is this host OK, and what to do next? The default command",
		cmd_status, 0, 0, RULES | CALLS | USES(ALL) | USES(FORMAT), status_codes },
	{ "metrics", "", "Print metrics in Prometheus text format", cmd_metrics, 0, 0, RULES | USES(CONTROL), NULL },
	{ "services", "", "List services that use software fallback, and those that must reconnect",
		cmd_services, 0, 0, CALLS | USES(ETHTOOL) | USES(FORMAT), NULL },
	{ "events", "", "Show the latest events of offloadd", cmd_events, 0, 0, CALLS | USES(FOLLOW), NULL },
	{ "pause", "LINK", "Stop enforcing rules on an interface", cmd_pause, 1, 1, CALLS | USES(FOR), NULL },
	{ "resume", "LINK", "Enforce rules on an interface again", cmd_resume, 1, 1, CALLS, NULL },
	{ "reload", "", "Reload the settings and rules of offloadd", cmd_reload, 0, 0, CALLS, NULL },
	{ "wait-online", "[LINK...]", "Wait until interfaces match the rules, or cannot",
		cmd_wait_online, 0, METHODS_LIST_MAX, CALLS | USES(TIMEOUT), NULL },
	{ "snapshot", "[LINK...]", "Write the state of this host as a document to compare",
		cmd_snapshot, 0, INT_MAX, RULES | USES(NETNS) | USES(JSON) | USES(OUTPUT), NULL },
	{ "diff", "A [B]", "Compare two snapshots, or one with this host; or two results of verify and check-path",
		cmd_diff, 1, 2, RULES | PRINTS | USES(BY_ROLE) | USES(FAIL_ON), diff_codes },
	{ "report", "", "Write everything about this host as one HTML page, for a ticket",
		cmd_report, 0, 0, RULES | USES(CONTROL) | USES(HTML) | USES(SNAPSHOT) | USES(EVENTS) | USES(SERVICES) |
			USES(LATENCY), NULL },
	{ "path", "LINK|UNIT|ADDRESS", "Follow packets from the socket to the wire: what each interface leaves to hardware",
		cmd_trace, 1, 1, PLANS, path_codes },
	{ "check-path", "[LINK]", "Measure sendfile, splice and send over an interface",
		cmd_check_path, 0, 1, USES(ETHTOOL) | USES(JSON) | USES(PEER) | USES(SERVE) | USES(BYTES) | USES(TIME) |
			USES(YES), NULL },
	{ "verify", "[LINK]", "Test whether this kernel segments, merges and computes checksums correctly; with --peer, whether two hosts do",
		cmd_verify, 0, 1, USES(ETHTOOL) | USES(JSON) | USES(PEER) | USES(SERVE) | USES(HOLD) | USES(LOAD) | USES(TIME) |
			USES(OUTPUT) | USES(YES), verify_codes },
	{ "sockets", "[LINK...]", "List stale TCP connections, which lack an offload that their interface has",
		cmd_sockets, 0, INT_MAX, LOOKS | USES(ALL) | USES(NO_LEGEND), NULL },
	{ "latency", "", "Show the latency of sendfile by service, with and without software fallback",
		cmd_latency, 0, 0, LOOKS | USES(UNIT) | USES(INTERVAL) | USES(COUNT), NULL },
	{ "investigate", "", "Watch this host for a while and explain slow sendfile calls",
		cmd_investigate, 0, 0, LOOKS | USES(FOR) | USES(UNIT) | USES(LINK), NULL },
};

static const struct command *find_command(const char *name)
{
	const char *names[ARRAY_SIZE(commands)];
	char why[256];

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
		names[i] = commands[i].name;
	}
	options_unknown("command", name, names, ARRAY_SIZE(names), why, sizeof(why));
	cmd_error("%s", why);
	return NULL;
}

/* The help of one command; NULL: the list of all. */
static void print_help(FILE *f, const struct command *command)
{
	struct render r;

	render_init(&r, f, RENDER_COLOUR_NEVER);
	r.width = r.width ? r.width : OPTIONS_WIDTH;
	if (command) {
		fprintf(f, "offloadctl %s [OPTIONS]%s%s\n", command->name, command->arguments[0] ? " " : "",
			command->arguments);
		render_wrapped(&r, 0, command->help);
		fputs("\nOptions:\n", f);
		options_print(f, options_table, OPTION_IDS, command->uses | USES(HELP), r.width);
		if (command->details) {
			fputc('\n', f);
			render_wrapped(&r, 0, command->details);
		}
		return;
	}
	fputs("offloadctl [COMMAND] [OPTIONS] [ARGUMENTS]\n"
	      "Show and apply the offload features that rules declare for network interfaces.\n\n", f);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		char left[40];

		snprintf(left, sizeof(left), "%s %s", commands[i].name, commands[i].arguments);
		render_wrapped(&r, (unsigned)fprintf(f, "  %-24s", left), commands[i].help);
	}
	fputc('\n', f);
	render_wrapped(&r, 0, "offloadctl COMMAND --help shows the options of a command, offloadctl --version the version.");
	render_wrapped(&r, 0, exit_codes);
}

/* Do options and arguments fit the command? */
static int check_usage(const struct command *c, uint64_t given, int n_arguments, char **arguments)
{
	const char *number = c->max == 0 ? "no arguments" : c->max == 1 ? "one argument" : "fewer arguments";

	for (size_t i = 0; i < OPTION_IDS; i++)
		if (given & ~(c->uses | ALWAYS) & UINT64_C(1) << i)
			return cmd_error("%s does not take --%s; see offloadctl %s --help", c->name,
				options_table[i].name, c->name);
	if (n_arguments < c->min)
		return cmd_error("%s needs %s; usage: offloadctl %s [OPTIONS] %s", c->name,
			c->min == 1 ? "an argument" : "more arguments", c->name, c->arguments);
	if (n_arguments > c->max)
		return cmd_error("%s takes %s, unexpected \"%s\"; usage: offloadctl %s [OPTIONS]%s%s", c->name, number,
			arguments[c->max], c->name, c->arguments[0] ? " " : "", c->arguments);
	return CMD_OK;
}

/* Not if it changes something or asks, or prints while it waits. */
static bool is_paged(const struct command *c, const struct cmd_options *options)
{
	static int (*const direct[])(const struct cmd_options *options, int argc, char **argv) = { cmd_apply, cmd_revert, cmd_pause,
		cmd_resume, cmd_reload, cmd_wait_online, cmd_latency, cmd_investigate };

	for (size_t i = 0; i < ARRAY_SIZE(direct); i++)
		if (c->run == direct[i])
			return false;
	/* a rehearsal shows its progress */
	return c->uses & USES(NO_PAGER) && !options->no_pager && !options->follow && !options->snapshot;
}

static int run(int argc, char **argv)
{
	_cleanup_(cmd_leave_namespace) struct cmd_options options = { 0 };
	const struct command *command;
	uint64_t given;
	char why[512];
	int code;

	if (options_read(options_table, OPTION_IDS, argc, argv, &options, &given, why, sizeof(why)) < 0)
		return cmd_error("%s", why);
	options.has_time = given & (USES(FOR) | USES(TIMEOUT) | USES(TIME));
	if (options.version) {
		puts("offloadctl " OFFLOADD_VERSION);
		return CMD_OK;
	}
	if (optind < argc && strcmp(argv[optind], "help") == 0) {
		options.help = true;
		optind++;
	}
	if (optind == argc && options.help) {
		print_help(stdout, NULL);
		return CMD_OK;
	}
	command = find_command(optind == argc ? "status" : argv[optind]);
	if (!command)
		return CMD_ERROR;
	if (options.help) {
		print_help(stdout, command);
		return CMD_OK;
	}
	optind += optind < argc;
	argc -= optind;
	argv += optind;
	if (check_usage(command, given, argc, argv) != CMD_OK)
		return CMD_ERROR;
	if (options.netns && options.snapshot)
		return cmd_error("--netns and --snapshot cannot be combined");
	if (options.netns && cmd_enter_namespace(&options) != CMD_OK)
		return CMD_ERROR;
	render_init(&options.render, stdout, options.colour);
	options.render.no_legend = options.no_legend;
	if (is_paged(command, &options))
		pager_open();
	code = command->run(&options, argc, argv);
	if (options.elsewhere && !options.json && command->run != cmd_snapshot && !options.no_legend && code != CMD_ERROR)
		cmd_render_namespace(&options);
	return code;
}

int main(int argc, char **argv)
{
	int code;

	setlocale(LC_CTYPE, "");
	code = run(argc, argv);
	if (pager_close()) /* the user may leave it before the end */
		return code;
	if (fflush(stdout) != 0 || ferror(stdout))
		return cmd_error("Failed to write output: %s", strerror(errno));
	return code;
}
