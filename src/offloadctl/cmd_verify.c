/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify: does this kernel compute offloads correctly? */
#include "offloadctl/cmd.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "offloadctl/cmd_write.h"
#include "verify/verify_report.h"

#define STACK_MAX 16
#define RULE_NAME "90-verify.rule"

static volatile int stop_signal;

static void on_signal(int number)
{
	stop_signal = number;
}

/* For those who want to see what it does, or to break it. */
static int hold(const struct verify_stage *stage)
{
	static const char *const places[SITE_PLACES] = { "sender", "router", "receiver" };
	char line[16];

	for (unsigned place = 0; place < SITE_PLACES; place++)
		fprintf(stderr, "%-9s nsenter --net=/proc/%d/fd/%d\n", places[place], (int)getpid(), stage->site.fd[place]);
	fprintf(stderr, "The links exist. Press Enter to start.\n");
	return fgets(line, sizeof(line), stdin) ? 0 : -ECANCELED;
}

/* The kinds in the stack of an interface: its own, and those of all links below it. Forwarding and veth always. */
static void add_kinds(const struct link_table *table, const struct link *link, unsigned depth, unsigned *kinds)
{
	const struct link *lower = link_lower(table, link);
	int kind = site_kind_of(link->kind);

	if (kind >= 0)
		*kinds |= 1u << kind;
	if (lower && lower != link && depth < STACK_MAX)
		add_kinds(table, lower, depth + 1, kinds);
	if (kind == SITE_VLAN && lower && site_kind_of(lower->kind) == SITE_VLAN)
		*kinds |= 1u << SITE_QINQ;
	for (const struct link *port = link_first_port(table, link); port && depth < STACK_MAX; port = link_next_port(table, port))
		add_kinds(table, port, depth + 1, kinds);
}

static int kinds_of(const struct cmd_options *options, const char *name, unsigned *ret)
{
	_cleanup_(cmd_close) struct cmd_session s = { 0 };
	const struct link *link;
	int r = cmd_open(options, &s);

	if (r == CMD_OK)
		r = cmd_refresh(&s);
	if (r != CMD_OK)
		return r;
	link = cmd_find_link(&s, name);
	if (!link)
		return CMD_ERROR;
	*ret = 1u << SITE_VETH | 1u << SITE_FORWARD;
	add_kinds(s.view.links, link, 0, ret);
	return CMD_OK;
}

static int write_rule(const struct cmd_options *options, const struct verify_result *result, const struct feature_table *features,
	const char *release)
{
	_cleanup_free_ char *text = NULL;

	if (!verify_culprits(result))
		return result->wrong ? cmd_error("no feature was found that avoids this; no rule was written") : CMD_OK;
	if (verify_report_rule(result, features, release, util_realtime_sec(), &text) < 0)
		return cmd_error("Failed to write a rule: %s", strerror(ENOMEM));
	return cmd_write_rule(options, RULE_NAME, text);
}

int cmd_verify(const struct cmd_options *options, int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = on_signal };
	_cleanup_free_ struct verify_result *result = calloc(1, sizeof(*result));
	_cleanup_(verify_close) struct verify_stage stage = { .site = { .fd = { -1, -1, -1 } } };
	char why[SITE_WHY_LEN] = "";
	struct utsname host;
	unsigned kinds = VERIFY_ALL_KINDS;
	int r = argc ? kinds_of(options, argv[0], &kinds) : CMD_OK, code;

	if (r != CMD_OK)
		return r;
	if (options->json && options->output)
		return cmd_error("--output cannot be combined with --json");
	if (!result || uname(&host) < 0)
		return cmd_error("Failed to start: %s", strerror(ENOMEM));
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	r = verify_open(&stage, kinds, why);
	if (r == 0 && options->hold)
		r = hold(&stage);
	if (r == 0)
		r = verify_run(&stage, &stop_signal, result, why);
	if (stop_signal || r == -ECANCELED)
		return cmd_error("interrupted; nothing was left behind");
	if (r < 0)
		return why[0] ? cmd_error("%s", why) : cmd_error("Failed to verify: %s", strerror(-r));
	code = result->wrong ? CMD_PENDING : result->untested ? CMD_UNMET : CMD_OK;
	if (options->output && write_rule(options, result, &stage.site.features, host.release) != CMD_OK)
		code = CMD_ERROR;
	if (options->json)
		return cmd_written(verify_report_json(stdout, result, &stage.site.features, host.release, code), code);
	verify_report_text(stdout, result, &stage.site.features, host.release);
	return code;
}
