/* SPDX-License-Identifier: GPL-2.0-or-later */
/* latency: the latency of sendfile, in intervals. */
#include "offloadctl/cmd_service.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "report/json_evidence.h"
#include "report/render_evidence.h"

#define INTERVAL_DEFAULT_USEC USEC_PER_SEC
#define INTERVAL_MIN_USEC (10 * USEC_PER_MSEC)

struct watch {
	const struct cmd_options *options;
	struct cmd_session session;
	struct cmd_scope scope;
	struct probe_latency *probe;
	struct evidence_latency latency;
	uint64_t lost; /* at the end of the last interval */
};

/* Prints the calls since the last interval. Negative errno. */
static int print_interval(struct watch *watch, uint64_t elapsed_usec)
{
	struct evidence_latency *latency = &watch->latency;
	time_t now = time(NULL);
	struct probe_latency_lost lost;
	char when[16] = "";
	struct tm tm;
	int r;

	probe_latency_read_lost(watch->probe, &lost);
	r = cmd_scope_read_latency(&watch->scope, watch->probe, true, latency);
	if (r < 0)
		return r;
	latency->elapsed_usec = elapsed_usec;
	latency->lost = lost.calls - watch->lost;
	watch->lost = lost.calls;
	if (localtime_r(&now, &tm))
		strftime(when, sizeof(when), "%H:%M:%S", &tm);
	r = 0;
	if (watch->options->json)
		r = json_write_latency(stdout, latency);
	else
		render_latency(&watch->session.render, latency, when);
	evidence_latency_clear(latency);
	if (r == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		r = -EIO;
	return r;
}

static int run(struct watch *watch, int stop)
{
	uint64_t interval = watch->options->interval_usec ? watch->options->interval_usec
							  : INTERVAL_DEFAULT_USEC;
	uint64_t begin = util_now_usec(), next = begin + interval, now;
	bool stopped = false;
	int r = 0;

	if (!watch->options->json) {
		fputs("watching sendfile; press Ctrl-C to end\n\n", stdout);
		fflush(stdout);
	}
	for (uint64_t i = 0; r == 0 && !stopped && (!watch->options->count || i < watch->options->count); i++) {
		stopped = cmd_wait_stop(stop, next, -1, NULL, NULL);
		now = util_now_usec();
		r = print_interval(watch, now - begin);
		begin = now;
		next = next + interval > now ? next + interval : now + interval;
	}
	return r;
}

int cmd_latency(const struct cmd_options *options, _unused_ int argc, _unused_ char **argv)
{
	struct watch watch = { .options = options };
	struct probe_status status;
	_cleanup_close_ int stop = -1;
	int r;

	if (options->interval_usec && options->interval_usec < INTERVAL_MIN_USEC)
		return cmd_error("invalid duration for --interval: expected at least 10ms");
	r = cmd_open(options, &watch.session);
	if (r != CMD_OK)
		return r;
	stop = cmd_catch_stop();
	cmd_scope_open(&watch.scope, &watch.session, options->unit);
	r = stop < 0 ? stop : probe_latency_open(watch.session.view.features, true, &watch.probe, &status);
	if (r == -EOPNOTSUPP)
		r = cmd_probe_absent("sendfile latency", &status);
	else if (r < 0)
		r = cmd_error("Failed to watch sendfile: %s", strerror(-r));
	else
		r = cmd_written(run(&watch, stop), CMD_OK);
	probe_latency_close(watch.probe);
	evidence_latency_clear(&watch.latency);
	cmd_scope_close(&watch.scope);
	cmd_close(&watch.session);
	return r;
}
