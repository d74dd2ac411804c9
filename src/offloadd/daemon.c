/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "offloadd/daemon_private.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/netns.h"

/* A predecessor that was killed needs a moment to exit */
#define LOCK_WAIT_USEC (5 * USEC_PER_SEC)
#define ONCE_ROUNDS_MAX 4 /* a change by another program in the meantime needs another round */

/* Before anything is read or changed, so that there are never two that enforce. */
static int become_daemon(struct daemon *d)
{
	int r = 0;

	if (d->options->control_path)
		d->control_path = strdup(d->options->control_path);
	else
		(void)netns_path(SERVER_DEFAULT_PATH, &d->control_path);
	if (!d->control_path) {
		fprintf(stderr, "offloadd: Failed to start: %s\n", strerror(ENOMEM));
		return -ENOMEM;
	}
	r = daemon_lock(d, LOCK_WAIT_USEC);
	if (r != -EWOULDBLOCK || !d->enforce)
		return 0;
	fprintf(stderr, "offloadd: Failed to start in enforce mode: another offloadd is running (it holds %s.lock)\n", d->control_path);
	return r;
}

static int open_observe(struct daemon *d)
{
	const struct observe_options options = {
		.backend = d->options->has_backend ? d->options->backend : d->conf.backend,
		.monitor = !d->options->once,
		.rcvbuf_bytes = d->options->rcvbuf_bytes ? d->options->rcvbuf_bytes
							 : d->conf.rcvbuf_bytes,
	};
	const char *what;
	int r = observe_open(&options, &d->observe, &what);

	if (r < 0)
		fprintf(stderr, "offloadd: Failed to open %s: %s\n", what,
			r == -EOPNOTSUPP ? "this kernel does not support it" : strerror(-r));
	return r;
}

/* Audit mode does not need the file. */
static int open_ledger(struct daemon *d)
{
	const char *path = d->options->ledger_path ? d->options->ledger_path : LEDGER_DEFAULT_PATH;
	struct finding f;
	char why[512];
	int r;

	if (d->options->once && !d->enforce)
		return 0;
	r = ledger_is_foreign(d->options->ledger_path) ? -EPERM
		: ledger_open(d->options->ledger_path, &d->observe->features, &d->ledger, why, sizeof(why));
	if (r > 0) {
		finding_init(&f, FINDING_LEDGER_SET_ASIDE, NULL);
		finding_set_object(&f, d->ledger->path);
		finding_set_words(&f, why);
		daemon_send_event(&f, d);
	}
	if (r >= 0)
		return 0;
	if (d->enforce) {
		fprintf(stderr, "offloadd: Failed to read the ledger %s: %s\n", path,
			ledger_is_foreign(d->options->ledger_path) ? "its directory does not belong to root; set --ledger" : strerror(-r));
		return r;
	}
	daemon_report(d, FINDING_LEDGER_UNREADABLE, path, r);
	return ledger_new(&d->ledger);
}

static int open_reconcile(struct daemon *d)
{
	const struct reconcile_options options = {
		.enforce = d->enforce,
		.ledger = d->ledger,
		.fn = daemon_send_event,
		.userdata = d,
	};
	struct textfile_host host = {
		.observe = d->observe,
		.rules_host = &d->host,
		.enforce = &d->enforce,
		.hooks = &d->hooks,
		.tracker = &d->tracker,
		.rule_errors = &d->rule_errors,
		.conf_errors = &d->conf_errors,
		.events_lost = &d->lost_total,
		.namespaces = &d->others,
	};
	int r;

	r = reconcile_new(d->observe, &d->host, &options, &d->reconcile);
	host.reconcile = d->reconcile;
	if (r >= 0)
		r = textfile_new(&host, &d->textfile);
	if (r >= 0) {
		reconcile_configure(d->reconcile, d->enforce, &d->conf.contention);
		r = daemon_load_rules(d, false);
	}
	if (r < 0)
		fprintf(stderr, "offloadd: Failed to start: %s\n", strerror(-r));
	return r;
}

static int format_metrics(uint64_t asked_usec, char **ret, size_t *ret_len, void *userdata)
{
	struct daemon *d = userdata;

	return textfile_format(d->textfile, asked_usec, ret, ret_len);
}

static const char *const *rule_dirs(void *userdata)
{
	return daemon_rule_dirs(userdata);
}

static void settle_now(void *userdata)
{
	daemon_settle(userdata);
}

static void report_refused(int error, void *userdata)
{
	struct daemon *d = userdata;

	daemon_report(d, FINDING_CONTROL_REFUSES, d->control_path, error);
}

static void schedule(void *userdata)
{
	daemon_arm_timer(userdata);
}

/* The socket is optional. */
static int open_control(struct daemon *d)
{
	const struct methods_host host = {
		.observe = d->observe,
		.reconcile = d->reconcile,
		.ledger = d->ledger,
		.tracker = &d->tracker,
		.observes = &d->observes,
		.enforce = &d->enforce,
		.rule_errors = &d->rule_errors,
		.conf_errors = &d->conf_errors,
		.namespaces = &d->others,
		.rule_dirs = rule_dirs,
		.reload = daemon_reload,
		.metrics = format_metrics,
		.refused = report_refused,
		.changed = settle_now,
		.schedule = schedule,
		.userdata = d,
	};
	int r = methods_new(&host, &d->methods);

	if (r >= 0)
		r = daemon_open_control(d, LOCK_WAIT_USEC);
	if (r == -ENOMEM) {
		fprintf(stderr, "offloadd: Failed to start: %s\n", strerror(-r));
		return r;
	}
	if (r == -EADDRINUSE && d->enforce) {
		fprintf(stderr, "offloadd: Failed to start in enforce mode: another offloadd is running (it answers at %s)\n",
			d->control_path);
		return r;
	}
	if (r >= 0)
		return 0;
	daemon_report(d, FINDING_CONTROL_FAILED, d->control_path, r);
	daemon_retry_control(d, util_now_usec());
	return 0;
}

static void on_restarted(const char *unit, const char *error, void *userdata)
{
	struct daemon *d = userdata;

	tracker_restarted(d->tracker, unit, error);
	daemon_settle(d);
}

/* There is one call at a time, so the previous one has ended. */
static int restart_unit(const char *unit, void *userdata)
{
	struct daemon *d = userdata;

	unit_restart_free(d->restart);
	d->restart = NULL;
	return unit_restart_start(d->event, unit, on_restarted, d, &d->restart);
}

static const struct link_result *find_result(int ifindex, void *userdata)
{
	const struct daemon *d = userdata;
	const struct link_state *state = link_states_find(reconcile_states(d->reconcile), ifindex);

	return state && state->result.declared ? &state->result : NULL;
}

/* Enforcement does not need probes, so they are opened last, and missing ones are only reported. */
static void open_tracker(struct daemon *d)
{
	_cleanup_free_ char *path = d->options->services_path ? strdup(d->options->services_path) : NULL;
	struct tracker_options options = {
		.features = &d->observe->features,
		.links = &d->observe->links,
		.fn = daemon_send_event,
		.restart = restart_unit,
		.result = find_result,
		.enforce = &d->enforce,
		.userdata = d,
	};
	int r;

	d->observes = !d->options->no_probes && d->conf.probes;
	if (!d->observes)
		return;
	if (!path)
		(void)netns_path(TRACKER_DEFAULT_PATH, &path);
	options.path = d->options->mode == DAEMON_MODE_AUDIT ? NULL : path;
	r = tracker_new(&options, util_now_usec(), &d->tracker);
	daemon_set_restart_policy(d);
	daemon_time_sendfile(d);
	if (r >= 0 && tracker_fd(d->tracker) >= 0)
		r = daemon_watch_probes(d);
	if (r < 0)
		daemon_report(d, FINDING_PROBES_FAILED, NULL, r);
}

/* The pause keeps reconcile from repairing it again. A link that is paused, or that another program fights over, stays as it is. */
static bool undo_repair(int ifindex, feature_set on, feature_set off, void *userdata)
{
	struct daemon *d = userdata;
	const struct link_state *state = link_states_find(reconcile_states(d->reconcile), ifindex);
	int r;

	if (!d->enforce || !d->conf.undo_worse || (state && state->paused) || link_state_unresolved(state) ||
		reconcile_pause(d->reconcile, ifindex, 0, geteuid()) < 0)
		return false;
	r = apply_undo(d->observe, ifindex, on, off);
	if (r < 0)
		daemon_report(d, FINDING_RECONCILE_FAILED, NULL, r);
	if (r <= 0)
		(void)reconcile_resume(d->reconcile, ifindex, geteuid());
	return r > 0;
}

/* What repairs change is only reported, so without memory it is not observed. */
static void open_effect(struct daemon *d)
{
	const struct effect_options options = {
		.links = &d->observe->links, .fn = daemon_send_event, .undo = undo_repair, .userdata = d };

	if (effect_new(&options, &d->effect) >= 0)
		effect_set_window(d->effect, d->conf.effect_window_usec);
}

/* Only loading probes needs these; what an intruder could do with them is more than the daemon does. Root keeps what it has. */
static void drop_capabilities(struct daemon *d)
{
	uint64_t drop = UINT64_C(1) << CAP_BPF | UINT64_C(1) << CAP_PERFMON | UINT64_C(1) << CAP_SYS_ADMIN;
	int r;

	if (geteuid() == 0)
		return;
	if (d->tracker)
		drop &= ~tracker_needed_capabilities(d->tracker);
	r = util_lower_capabilities(drop, true);
	if (r < 0)
		daemon_report(d, FINDING_CAPABILITIES_KEPT, NULL, r);
	d->dropped = r >= 0;
}

/* As for `offloadctl apply`: any error in a file is exit code 1, because what the file declares was not checked. */
static int run_once(struct daemon *d)
{
	for (unsigned i = 0; i < ONCE_ROUNDS_MAX && reconcile_is_pending(d->reconcile); i++) {
		daemon_reconcile(d);
		reconcile_wait_late(d->reconcile);
	}
	daemon_save_ledger(d);
	if (!reconcile_is_settled(d->reconcile) || d->rule_errors.n_errors || d->conf_errors.n_errors)
		return EXIT_ERROR;
	if (reconcile_rules(d->reconcile)->n_rules == 0) {
		fprintf(stderr, "offloadd: No rules found in");
		for (const char *const *dir = daemon_rule_dirs(d); *dir; dir++)
			fprintf(stderr, "%s %s", dir == daemon_rule_dirs(d) ? "" : ",", *dir);
		fprintf(stderr, "\n");
		return EXIT_ERROR;
	}
	return reconcile_exit_code(d->reconcile);
}

static int run_loop(struct daemon *d)
{
	int r = daemon_set_up_loop(d);

	if (r < 0) {
		fprintf(stderr, "offloadd: Failed to set up the event loop: %s\n", strerror(-r));
		return EXIT_ERROR;
	}
	if (open_control(d) < 0)
		return EXIT_ERROR;
	daemon_note_textfile(d, daemon_set_textfile(d));
	daemon_reconcile(d);
	daemon_notify_status(d, true);
	open_tracker(d);
	open_effect(d);
	drop_capabilities(d);
	daemon_report_started(d);
	daemon_warn_without_rules(d);
	daemon_report_missing_probes(d);
	daemon_report_blind_settings(d);
	daemon_set_namespaces(d);
	daemon_settle(d);
	r = daemon_loop(d);
	daemon_stop_worker(d);
	daemon_save_ledger(d);
	if (d->tracker)
		tracker_save(d->tracker);
	daemon_report_stopped(d);
	daemon_note_textfile(d, textfile_stop(d->textfile));
	return r < 0 ? EXIT_ERROR : r;
}

static void clean_up(struct daemon *d)
{
	server_free(d->control);
	methods_free(d->methods);
	sd_event_source_unref(d->defer);
	sd_event_source_unref(d->timer);
	sd_event_source_unref(d->links);
	sd_event_source_unref(d->features);
	sd_event_source_unref(d->host_name);
	sd_event_source_unref(d->names);
	sd_event_source_unref(d->probes);
	sd_event_unref(d->event);
	unit_restart_free(d->restart);
	textfile_free(d->textfile);
	tracker_free(d->tracker);
	effect_free(d->effect);
	reconcile_free(d->reconcile);
	ledger_close(d->ledger);
	observe_close(d->observe);
	rule_set_clear(&d->conf_errors);
	rule_set_clear(&d->rule_errors);
	conf_clear(&d->conf);
	journal_close(&d->journal);
	free(d->control_path);
	if (d->lock_fd >= 0) /* last, when nothing of this daemon acts any more */
		close(d->lock_fd);
}

int daemon_run(const struct daemon_options *options)
{
	_cleanup_(clean_up) struct daemon d = { .options = options, .lock_fd = -1, .worker_fd = -1, .watch = { .inotify = -1, .numbers = -1 } };
	int r;

	signal(SIGPIPE, SIG_IGN);
	journal_open(options->once, &d.journal);
	r = daemon_load_conf(&d);
	if (r < 0) {
		fprintf(stderr, "offloadd: Failed to start: %s\n", strerror(-r));
		return EXIT_ERROR;
	}
	if (d.enforce && !util_has_capability(CAP_NET_ADMIN)) {
		fprintf(stderr, "offloadd: Failed to start in enforce mode: CAP_NET_ADMIN is missing\n");
		return EXIT_ERROR;
	}
	if (!options->once && become_daemon(&d) < 0)
		return EXIT_ERROR;
	if (open_observe(&d) < 0 || open_ledger(&d) < 0 || open_reconcile(&d) < 0)
		return EXIT_ERROR;
	if (daemon_lacks_rule_dir(&d))
		return EXIT_ERROR;
	r = observe_refresh(d.observe);
	if (r < 0) {
		fprintf(stderr, "offloadd: Failed to read the interfaces: %s\n", strerror(-r));
		return EXIT_ERROR;
	}
	if (!options->once && d.ledger)
		ledger_drop_gone(d.ledger, &d.observe->links);
	return options->once ? run_once(&d) : run_loop(&d);
}
