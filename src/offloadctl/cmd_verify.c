/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify: does this kernel compute offloads correctly? */
#include "offloadctl/cmd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "offloadctl/cmd_write.h"
#include "verify/peer.h"
#include "verify/verify_report.h"

#define STACK_MAX 16
#define OTHER_MAX 16
#define SERVE_USEC (600 * USEC_PER_SEC)
#define RULE_NAME "90-verify.rule"

/* For those who want to see what it does, or to break it. */
static int hold(const struct verify_stage *stage, char why[SITE_WHY_LEN])
{
	static const char *const places[SITE_PLACES] = { "sender", "router", "receiver" };
	char line[16];

	for (unsigned place = 0; place < SITE_PLACES; place++)
		fprintf(stderr, "%-9s nsenter --net=/proc/%d/fd/%d\n", places[place], (int)getpid(), stage->site.fd[place]);
	fprintf(stderr, "The links exist. Press Enter to start.\n");
	if (fgets(line, sizeof(line), stdin))
		return 0;
	snprintf(why, SITE_WHY_LEN, "Nothing was tested: standard input ended before Enter");
	return -ECANCELED;
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
	struct link *link;
	int r = cmd_open_link(options, name, &s, &link);

	if (r != CMD_OK)
		return r;
	ret->tested = 1u << SITE_VETH | 1u << SITE_FORWARD;
	add_kinds(s.view.links, link, 0, ret);
	return CMD_OK;
}

static void show_progress(size_t done, size_t all)
{
	if (done < all)
		fprintf(stderr, "\r%zu of %zu test cases", done, all);
	else
		fputs("\r\033[K", stderr);
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

static int report(const struct cmd_options *options, struct verify_report *report)
{
	const struct verify_result *result = report->result;
	struct utsname host;

	if (uname(&host) < 0)
		return cmd_error("Failed to read the version of the kernel: %s", strerror(errno));
	report->release = host.release;
	report->exit_code = result->wrong ? CMD_PENDING : result->untested || report->n_other || !result->right ? CMD_UNMET : CMD_OK;
	if (options->json)
		return cmd_written(verify_report_json(stdout, report), report->exit_code);
	verify_report_text(stdout, report);
	if (options->output && write_rule(options, result, report->features, host.release) != CMD_OK)
		return CMD_ERROR;
	return report->exit_code;
}

/* ---- two hosts ---- */

static int parse_address(const struct cmd_options *options, union path_address *ret)
{
	/* the data takes the next port */
	if (path_address_parse(options->peer, PEER_PORT, ret) >= 0 && ret->in.sin_port != htons(UINT16_MAX))
		return CMD_OK;
	return cmd_error("invalid address \"%s\" for --peer: expected 192.0.2.1, 192.0.2.1:%d or [2001:db8::1]:%d", options->peer, PEER_PORT,
		PEER_PORT);
}

static void print_served(const union path_address *peer, bool done, const char *why)
{
	char address[PATH_ADDRESS_LEN];

	printf("%s: %s%s\n", path_address_format(peer, address), !done ? "connected" : why ? "failed: " : "done", why ? why : "");
	fflush(stdout);
}

static int serve(const struct cmd_options *options, const char *link, const volatile int *stop)
{
	struct peer_server server = { .fd = -1, .data_fd = -1, .device = link, .stop = stop, .served = print_served };
	union path_address address = { .in6 = { .sin6_family = AF_INET6, .sin6_port = htons(PEER_PORT) } };
	uint64_t usec = options->has_time ? options->time_usec : SERVE_USEC;
	char text[PATH_ADDRESS_LEN], why[PATH_WHY_LEN] = "";
	int r;

	if (options->peer && parse_address(options, &address) != CMD_OK)
		return CMD_ERROR;
	r = peer_listen(&server, &address, why);
	if (r == -EAFNOSUPPORT && !options->peer && server.fd < 0 && server.port) {
		address = (union path_address){ .in = { .sin_family = AF_INET, .sin_port = htons(PEER_PORT) } };
		r = peer_listen(&server, &address, why);
	}
	if (r == 0) {
		printf("Listening on %s and the next port%s%s for %" PRIu64 " s\n", path_address_format(&address, text),
			link ? ", interface " : "", link ? link : "", usec / USEC_PER_SEC);
		fflush(stdout);
		r = peer_serve(&server, usec);
	}
	peer_close(&server);
	return r == 0 ? CMD_OK : why[0] ? cmd_error("%s", why) : cmd_error("Failed to serve: %s", strerror(-r));
}

static int ask(const char *link, const char *peer)
{
	char clean[64];

	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return cmd_error("verify sends up to %d MB over %s; pass --yes to confirm", PEER_BYTES >> 20, link);
	fprintf(stderr, "Send up to %d MB between %s and %s? [y/N] ", PEER_BYTES >> 20, util_clean(link, clean, sizeof(clean)), peer);
	return cmd_is_agreed() ? CMD_OK : cmd_error("nothing was sent");
}

static int verify_peer(const struct cmd_options *options, const char *name, const struct verify_watch *watch, struct verify_result *result)
{
	_cleanup_(cmd_close) struct cmd_session s = { 0 };
	struct peer_target target = { 0 };
	char text[PATH_ADDRESS_LEN], why[PATH_WHY_LEN] = "";
	struct verify_report of = { .result = result, .peer = text };
	struct link *link;
	int r;

	if (options->output || options->hold || options->load)
		return cmd_error("--peer cannot be combined with --output, --hold or --load: it changes nothing");
	if (parse_address(options, &target.address) != CMD_OK)
		return CMD_ERROR;
	r = cmd_open_link(options, name, &s, &link);
	if (r != CMD_OK)
		return r;
	target.device = of.link = link->name;
	target.ifindex = link->ifindex;
	of.features = s.view.features;
	path_address_format(&target.address, text);
	r = options->yes ? CMD_OK : ask(link->name, text);
	if (r != CMD_OK)
		return r;
	r = peer_verify(&target, watch, result, why);
	for (size_t i = 0; i < result->n_cases; i++)
		result->cases[i].on = link->features.active;
	return r < 0 ? cmd_ended(r, why, "verify") : report(options, &of);
}

/* ---- this kernel ---- */

static int verify_kernel(const struct cmd_options *options, const char *link, const struct verify_watch *watch, struct verify_result *result)
{
	_cleanup_(verify_close) struct verify_stage stage = { .site = { .fd = { -1, -1, -1 } } };
	struct verify_report of = { .result = result, .link = link, .writes = options->output };
	struct kinds kinds = { .tested = VERIFY_ALL_KINDS };
	char why[SITE_WHY_LEN] = "";
	int r = link ? kinds_of(options, link, &kinds) : CMD_OK;

	if (r != CMD_OK)
		return r;
	if (options->json && options->output)
		return cmd_error("--output cannot be combined with --json");
	r = verify_open(&stage, kinds.tested, options->load, why);
	if (r == 0 && options->hold)
		r = hold(&stage, why);
	if (r == 0)
		r = verify_run(&stage, watch, result, why);
	if (r < 0)
		return cmd_ended(r, why, "verify");
	of.features = &stage.site.features;
	of.other = kinds.other;
	of.n_other = kinds.n_other;
	return report(options, &of);
}

int cmd_verify(const struct cmd_options *options, int argc, char **argv)
{
	_cleanup_free_ struct verify_result *result = calloc(1, sizeof(*result));
	const struct verify_watch watch = { .stop = cmd_catch_signals(), .usec = options->has_time ? options->time_usec : VERIFY_USEC,
		.progress = isatty(STDERR_FILENO) ? show_progress : NULL };

	if (!result)
		return cmd_error("Failed to start: %s", strerror(ENOMEM));
	if (options->serve)
		return serve(options, argc ? argv[0] : NULL, watch.stop);
	if (options->peer && !argc)
		return cmd_error("verify --peer needs a LINK");
	return options->peer ? verify_peer(options, argv[0], &watch, result)
			     : verify_kernel(options, argc ? argv[0] : NULL, &watch, result);
}
