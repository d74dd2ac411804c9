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
#define OTHER_MAX 16
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

struct kinds {
	unsigned tested; /* a set of 1u << enum site_kind */
	const char *other[OTHER_MAX];
	char names[OTHER_MAX][LINK_KIND_LEN];
	size_t n_other;
};

static void add_other(struct kinds *kinds, const char *name)
{
	if (strcmp(name, "physical") == 0 || strcmp(name, "loopback") == 0 || kinds->n_other == OTHER_MAX)
		return;
	for (size_t i = 0; i < kinds->n_other; i++)
		if (strcmp(kinds->other[i], name) == 0)
			return;
	snprintf(kinds->names[kinds->n_other], LINK_KIND_LEN, "%s", name);
	kinds->other[kinds->n_other] = kinds->names[kinds->n_other];
	kinds->n_other++;
}

/* The kinds in the stack of an interface: its own, and those of all links below it. Forwarding and veth always. */
static void add_kinds(const struct link_table *table, const struct link *link, unsigned depth, struct kinds *kinds)
{
	const struct link *lower = link_lower(table, link);
	int kind = site_kind_of(link->kind);

	if (kind >= 0)
		kinds->tested |= 1u << kind;
	else
		add_other(kinds, link->kind);
	if (lower && lower != link && depth < STACK_MAX)
		add_kinds(table, lower, depth + 1, kinds);
	if (kind == SITE_VLAN && lower && site_kind_of(lower->kind) == SITE_VLAN)
		kinds->tested |= 1u << SITE_QINQ;
	for (const struct link *port = link_first_port(table, link); port && depth < STACK_MAX; port = link_next_port(table, port))
		add_kinds(table, port, depth + 1, kinds);
}

static int kinds_of(const struct cmd_options *options, const char *name, struct kinds *ret)
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
	ret->tested = 1u << SITE_VETH | 1u << SITE_FORWARD;
	add_kinds(s.view.links, link, 0, ret);
	return CMD_OK;
}

static int write_rule(const struct cmd_options *options, const struct verify_result *result, const struct feature_table *features,
	const char *release)
{
	_cleanup_free_ char *text = NULL;
	int r;

	if (!result->rule) {
		if (result->wrong)
			fprintf(stderr, "No rule was written: none was found that avoids this.\n");
		return CMD_OK;
	}
	if (verify_report_rule(result, features, release, util_realtime_sec(), &text) < 0)
		return cmd_error("Failed to write a rule: %s", strerror(ENOMEM));
	r = cmd_write_rule(options, RULE_NAME, text);
	if (r == CMD_OK)
		printf("Run: offloadctl reload\n");
	return r;
}

static int report(const struct cmd_options *options, const struct verify_stage *stage, const struct verify_result *result,
	const struct kinds *kinds)
{
	const struct feature_table *features = &stage->site.features;
	int code = result->wrong ? CMD_PENDING : result->untested || kinds->n_other || !result->right ? CMD_UNMET : CMD_OK;
	struct utsname host;

	if (uname(&host) < 0)
		return cmd_error("Failed to read the version of the kernel: %s", strerror(errno));
	if (options->json)
		return cmd_written(verify_report_json(stdout, result, features, host.release, kinds->other, kinds->n_other, code), code);
	verify_report_text(stdout, result, features, host.release, kinds->other, kinds->n_other, options->output);
	if (options->output && write_rule(options, result, features, host.release) != CMD_OK)
		code = CMD_ERROR;
	return code;
}

int cmd_verify(const struct cmd_options *options, int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = on_signal };
	_cleanup_free_ struct verify_result *result = calloc(1, sizeof(*result));
	_cleanup_(verify_close) struct verify_stage stage = { .site = { .fd = { -1, -1, -1 } } };
	struct kinds kinds = { .tested = VERIFY_ALL_KINDS };
	char why[SITE_WHY_LEN] = "";
	int r = argc ? kinds_of(options, argv[0], &kinds) : CMD_OK;

	if (r != CMD_OK)
		return r;
	if (options->json && options->output)
		return cmd_error("--output cannot be combined with --json");
	if (!result)
		return cmd_error("Failed to start: %s", strerror(ENOMEM));
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	r = verify_open(&stage, kinds.tested, options->load, why);
	if (r == 0 && options->hold)
		r = hold(&stage);
	if (r == 0)
		r = verify_run(&stage, &stop_signal, result, why);
	if (stop_signal || r == -ECANCELED)
		return cmd_error("interrupted; nothing was left behind");
	if (r < 0)
		return why[0] ? cmd_error("%s", why) : cmd_error("Failed to verify: %s", strerror(-r));
	return report(options, &stage, result, &kinds);
}
