/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check-path: sendfile, splice and plain send over the same path. */
#include "offloadctl/cmd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "path/path_link.h"
#include "path/path_pair.h"
#include "path/path_report.h"
#include "basic/util.h"

#define DEFAULT_BYTES (UINT64_C(512) << 20)
#define DEFAULT_USEC (20 * USEC_PER_SEC)
#define SERVE_USEC (600 * USEC_PER_SEC)
#define BYTES_LEAST (UINT64_C(16) << 20)

static int parse_peer(const struct cmd_options *options, union path_address *ret)
{
	if (path_address_parse(options->peer, PATH_PORT, ret) >= 0)
		return CMD_OK;
	return cmd_error("invalid address \"%s\" for --peer: expected 192.0.2.1, 192.0.2.1:%d or [2001:db8::1]:%d",
		options->peer, PATH_PORT, PATH_PORT);
}

/* ---- the receiver ---- */

static void print_served(
	const union path_address *peer, uint64_t bytes, const char *reason, _unused_ void *userdata)
{
	char address[PATH_ADDRESS_LEN];

	printf("%s: %" PRIu64 " bytes%s%s\n", path_address_format(peer, address), bytes, reason ? ", aborted: " : "",
		reason ? reason : "");
	fflush(stdout);
}

static void print_refused(int error, _unused_ void *userdata)
{
	cmd_error("Failed to accept a connection: %s; trying again", strerror(-error));
}

static int serve(const struct cmd_options *options, const char *link)
{
	struct path_server server = {
		.budget = { .bytes_max = options->bytes ? options->bytes : PATH_SERVE_BYTES,
			.busy_usec_max = options->has_time ? options->time_usec : PATH_SERVE_USEC },
		.stop = cmd_catch_signals(),
		.served = print_served,
		.refused = print_refused,
	};
	union path_address address = { .in6 = { .sin6_family = AF_INET6, .sin6_port = htons(PATH_PORT) } };
	uint64_t usec = options->has_time ? options->time_usec : SERVE_USEC;
	char text[PATH_ADDRESS_LEN], why[PATH_WHY_LEN] = "";
	int r;

	if (options->peer && parse_peer(options, &address) != CMD_OK)
		return CMD_ERROR;
	server.fd = path_listen(&address, link, why);
	if (server.fd == -EAFNOSUPPORT && !options->peer) {
		address = (union path_address){ .in = { .sin_family = AF_INET, .sin_port = htons(PATH_PORT) } };
		server.fd = path_listen(&address, link, why);
	}
	if (server.fd < 0)
		return cmd_error("%s", why);
	printf("Listening on %s%s%s for %" PRIu64 " s; each host may send %" PRIu64 " MB\n",
		path_address_format(&address, text), link ? ", interface " : "", link ? link : "",
		usec / USEC_PER_SEC, server.budget.bytes_max / 1000000);
	fflush(stdout);
	r = path_serve(&server, usec);
	close(server.fd);
	return r < 0 ? cmd_error("Failed to receive: %s", strerror(-r)) : CMD_OK;
}

/* ---- the sender ---- */

static int ask(const struct path_target *target, const char *peer)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return cmd_error("check-path sends up to %" PRIu64 " MB over %s at full speed; pass --yes to confirm", target->bytes_max / 1000000, target->device);
	fprintf(stderr, "Send up to %" PRIu64 " MB to %s over %s at full speed, for at most %" PRIu64 " s? [y/N] ",
		target->bytes_max / 1000000, peer, target->device, target->usec_max / USEC_PER_SEC);
	return cmd_is_agreed() ? CMD_OK : cmd_error("nothing was sent");
}

static int finish(const struct cmd_options *options, const struct path_run *run, struct path_report *report)
{
	struct path_result finding;

	path_evaluate(run, &finding);
	report->run = run;
	report->finding = &finding;
	if (finding.slow_sendfile || finding.slow_splice || finding.verdict == PATH_SOFTWARE)
		report->exit_code = CMD_PENDING;
	if (options->json)
		return cmd_written(path_report_json(stdout, report), report->exit_code);
	path_report_text(stdout, report);
	return report->exit_code;
}

static int check_peer(const struct cmd_options *options, const struct link *link, struct path_target *target)
{
	char text[PATH_ADDRESS_LEN], over[PATH_ADDRESS_LEN + 8], why[PATH_WHY_LEN] = "";
	struct path_report report = { .link = link->name, .over = over, .peer = text };
	struct path_run run;
	int r;

	if (parse_peer(options, &target->peer) != CMD_OK)
		return CMD_ERROR;
	target->device = link->name;
	path_address_format(&target->peer, text);
	snprintf(over, sizeof(over), "To %s", text);
	r = options->yes ? CMD_OK : ask(target, text);
	if (r != CMD_OK)
		return r;
	r = path_measure(target, &run, why);
	return r < 0 ? cmd_ended(r, why, "measure") : finish(options, &run, &report);
}

static int check_pair(const struct cmd_options *options, const struct feature_table *features,
	const struct link *link, struct path_target *target)
{
	char over[512], names[256], why[PATH_WHY_LEN] = "";
	struct path_report report = { .link = link->name, .over = over };
	_cleanup_(path_pair_close) struct path_pair pair = { .control_fd = -1 };
	struct path_run run;
	int r;

	r = path_pair_open(link, target->stop, &pair, why);
	if (r == 0) {
		target->peer = pair.peer;
		target->device = pair.device;
		r = path_measure(target, &run, why);
		run.local_pair = true;
	}
	if (r < 0)
		return cmd_ended(r, why, "measure");
	snprintf(over, sizeof(over), "Over a stand-in: %s with the features of %s%s%s; devices below %s were not measured",
		pair.vlan ? "a VLAN on a veth" : "a veth", link->name,
		pair.differing ? " except " : "",
		pair.differing ? feature_format(features, pair.differing, names, sizeof(names)) : "", link->name);
	return finish(options, &run, &report);
}

int cmd_check_path(const struct cmd_options *options, int argc, char **argv)
{
	_cleanup_(cmd_close) struct cmd_session s = { 0 };
	struct path_target target = {
		.bytes_max = options->bytes ? options->bytes : DEFAULT_BYTES,
		.usec_max = options->has_time ? options->time_usec : DEFAULT_USEC,
		.stop = cmd_catch_signals(),
	};
	struct link *link;
	int r;

	if (options->serve)
		return serve(options, argc > 0 ? argv[0] : NULL);
	if (argc == 0)
		return cmd_error("check-path needs a LINK or --serve");
	if (target.bytes_max < BYTES_LEAST)
		return cmd_error("--bytes must be at least %" PRIu64 "M", BYTES_LEAST >> 20);
	r = cmd_open_link(options, argv[0], &s, &link);
	if (r != CMD_OK)
		return r;
	return options->peer ? check_peer(options, link, &target)
			     : check_pair(options, s.view.features, link, &target);
}
