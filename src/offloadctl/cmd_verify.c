/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify: does this kernel compute offloads correctly? */
#include "offloadctl/cmd.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "verify/verify_report.h"

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

int cmd_verify(const struct cmd_options *options, _unused_ int argc, _unused_ char **argv)
{
	const struct sigaction action = { .sa_handler = on_signal };
	_cleanup_free_ struct verify_result *result = calloc(1, sizeof(*result));
	_cleanup_(verify_close) struct verify_stage stage = { .site = { .fd = { -1, -1, -1 } } };
	char why[SITE_WHY_LEN] = "";
	struct utsname host;
	int r, code;

	if (!result || uname(&host) < 0)
		return cmd_error("Failed to start: %s", strerror(ENOMEM));
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	r = verify_open(&stage, why);
	if (r == 0 && options->hold)
		r = hold(&stage);
	if (r == 0)
		r = verify_run(&stage, &stop_signal, result, why);
	if (stop_signal || r == -ECANCELED)
		return cmd_error("interrupted; nothing was left behind");
	if (r < 0)
		return why[0] ? cmd_error("%s", why) : cmd_error("Failed to verify: %s", strerror(-r));
	code = result->wrong ? CMD_PENDING : result->untested ? CMD_UNMET : CMD_OK;
	if (options->json)
		return cmd_written(verify_report_json(stdout, result, &stage.site.features, host.release, code), code);
	verify_report_text(stdout, result, &stage.site.features, host.release);
	return code;
}
