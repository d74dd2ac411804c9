/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "offloadd/daemon_private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define PRIORITY_SIGNAL (-10)
/* A change is reconciled at once. In a burst, changes are collected until all sockets are empty, for at most this time since the
 * last reconcile. */
#define GATHER_USEC (20 * USEC_PER_MSEC)
#define PRIORITY_RECONCILE 10 /* after all sockets */
/* After that, because advice depends on how links match the rules now, and because the work of the tracker, which is done in slices, must not
 * delay a repair. Deadlines, probes and clients (SERVER_PRIORITY) have their turns one after the other. */
#define PRIORITY_PROBES 20
#define LEDGER_DELAY_USEC (1 * USEC_PER_SEC) /* at most one write in this time */
#define LEDGER_RETRY_USEC (5 * USEC_PER_SEC) /* after a failed write */
/* While a feature is contended, events are read in batches, because each costs time and none leads to a repair. */
#define REST_USEC (250 * USEC_PER_MSEC)
#define REFRESH_USEC (1 * USEC_PER_SEC) /* how long after a failure everything is read again */
#define REFRESH_TRIES_MAX 10 /* with another error than a lack of memory; then a new process may do better */
#define ACCURACY_USEC (10 * USEC_PER_MSEC)
#define LOOP_TRIES_MAX 100 /* of sd-event, 100 ms apart */

/* When this iteration of the loop began. It saves reading the clock before a SET. */
static uint64_t turn_usec(const struct daemon *d, clockid_t clock)
{
	uint64_t usec;

	if (d->event && sd_event_now(d->event, clock, &usec) >= 0)
		return usec;
	return clock == CLOCK_REALTIME ? util_realtime_usec() : util_now_usec();
}

void daemon_reconcile(struct daemon *d)
{
	int r;

	d->reconciled_usec = turn_usec(d, CLOCK_MONOTONIC);
	r = reconcile_run(d->reconcile, d->reconciled_usec,
		(int64_t)(turn_usec(d, CLOCK_REALTIME) / USEC_PER_SEC));
	textfile_note_reconcile(d->textfile);
	if (d->tracker)
		tracker_note_change(d->tracker, util_now_usec());
	if (d->effect && !reconcile_is_waiting(d->reconcile))
		effect_note_change(d->effect, util_now_usec());
	if (r > 0 && d->event_usec && !reconcile_is_waiting(d->reconcile)) {
		uint64_t usec = util_now_usec() - d->event_usec;

		textfile_note_reaction(d->textfile, usec);
		reconcile_note_reaction(d->reconcile, usec);
	}
	if (!reconcile_is_waiting(d->reconcile))
		d->event_usec = 0;
	if (r < 0)
		daemon_report(d, FINDING_RECONCILE_FAILED, NULL, r);
}

/* ---- deadlines ---- */

static int on_names(sd_event_source *source, int fd, uint32_t revents, void *userdata);

/* One timer, off if there is no deadline. */
void daemon_arm_timer(struct daemon *d)
{
	uint64_t deadline_usec = reconcile_deadline(d->reconcile);
	bool pending = reconcile_is_pending(d->reconcile); /* it goes first */

	if (d->ledger && d->ledger->dirty)
		util_earlier(&deadline_usec, d->ledger_usec);
	util_earlier(&deadline_usec, d->rest_usec);
	util_earlier(&deadline_usec, d->refresh_usec);
	util_earlier(&deadline_usec, d->observe->names_usec);
	util_earlier(&deadline_usec, bursts_deadline(&d->bursts));
	util_earlier(&deadline_usec, d->lost_usec);
	util_earlier(&deadline_usec, d->control_usec);
	util_earlier(&deadline_usec, d->alive_usec);
	util_earlier(&deadline_usec, daemon_worker_deadline(d));
	util_earlier(&deadline_usec, hook_deadline(&d->hooks));
	if (!pending)
		util_earlier(&deadline_usec, textfile_deadline(d->textfile, util_now_usec()));
	if (d->observe->counts.overruns != d->overruns_reported)
		util_earlier(&deadline_usec, d->overrun_usec);
	if (d->tracker && !pending)
		util_earlier(&deadline_usec, tracker_deadline(d->tracker));
	if (d->effect && !pending)
		util_earlier(&deadline_usec, effect_deadline(d->effect));
	if (deadline_usec == 0) {
		(void)sd_event_source_set_enabled(d->timer, SD_EVENT_OFF);
		return;
	}
	(void)sd_event_source_set_time(d->timer, deadline_usec);
	(void)sd_event_source_set_enabled(d->timer, SD_EVENT_ONESHOT);
}

static void write_ledger_when_due(struct daemon *d, uint64_t now_usec)
{
	if (!d->ledger || !d->ledger->dirty || (now_usec < d->ledger_usec && !d->ledger->urgent))
		return;
	d->ledger_usec = now_usec + LEDGER_DELAY_USEC;
	daemon_save_ledger(d);
	if (d->ledger_failed)
		d->ledger_usec = now_usec + LEDGER_RETRY_USEC;
}

static int enable_sockets(struct daemon *d, int mode)
{
	int r = sd_event_source_set_enabled(d->links, mode);

	if (d->features && r >= 0)
		r = sd_event_source_set_enabled(d->features, mode);
	return r;
}

static void rest(struct daemon *d, uint64_t now_usec)
{
	if (d->rest_usec == 0 && reconcile_is_deferring(d->reconcile)) {
		d->rest_usec = now_usec + REST_USEC;
		(void)enable_sockets(d, SD_EVENT_OFF);
	} else if (d->rest_usec && d->rest_usec <= now_usec) {
		d->rest_usec = enable_sockets(d, SD_EVENT_ON) < 0 ? now_usec + REST_USEC : 0; /* epoll_ctl(2) needs memory */
	}
}

/* Not everything could be read. Until it is read again, the daemon works with what is known. If it never can be, the service manager
 * starts it again; but a lack of memory passes. */
static void fail(struct daemon *d, const char *what, int error)
{
	if (error != -ENOMEM && d->refresh_failures >= REFRESH_TRIES_MAX) {
		daemon_report(d, FINDING_LOOP_FAILED, what, error);
		sd_event_exit(d->event, EXIT_ERROR);
		return;
	}
	d->refresh_usec = util_now_usec() + REFRESH_USEC;
	if (d->refresh_failures++ == 0)
		daemon_report(d, FINDING_RECONCILE_FAILED, NULL, error);
}

static void refresh_when_due(struct daemon *d, uint64_t now_usec)
{
	int r;

	if (d->refresh_usec == 0 || now_usec < d->refresh_usec)
		return;
	d->refresh_usec = 0;
	r = enable_sockets(d, SD_EVENT_ON); /* see pause_events(); epoll_ctl(2) needs memory */
	if (r >= 0)
		r = observe_refresh(d->observe);
	if (r < 0)
		fail(d, "interfaces", r);
	else
		d->refresh_failures = 0;
}

static void report_name(const struct link *link, void *userdata)
{
	struct finding f;

	finding_init(&f, FINDING_NAME_UNSETTLED, link);
	f.duration_usec = OBSERVE_NAME_USEC;
	daemon_send_event(&f, userdata);
}

/* Reads messages of udev only while a link waits for its name. */
static void watch_names(struct daemon *d, uint64_t now_usec)
{
	if (d->observe->names_usec && d->observe->names_usec <= now_usec)
		observe_end_names(d->observe, now_usec, report_name, d);
	if (!d->names && observe_name_fd(d->observe) >= 0 &&
		sd_event_add_io(d->event, &d->names, observe_name_fd(d->observe), EPOLLIN, on_names, d) < 0)
		d->names = NULL; /* without memory; the deadline remains */
	if (d->names)
		(void)sd_event_source_set_enabled(d->names, d->observe->n_unnamed ? SD_EVENT_ON : SD_EVENT_OFF);
}

static void notify_watchdog(struct daemon *d, uint64_t now_usec)
{
	if (!d->alive_usec || now_usec < d->alive_usec)
		return;
	daemon_notify("WATCHDOG=1", 0);
	d->alive_usec = now_usec + d->watchdog_usec / 3;
}

void daemon_settle(struct daemon *d)
{
	uint64_t now_usec = turn_usec(d, CLOCK_MONOTONIC);

	refresh_when_due(d, now_usec);
	watch_names(d, now_usec);
	reconcile_tick(d->reconcile, now_usec);
	if (reconcile_is_pending(d->reconcile) && now_usec - d->reconciled_usec >= GATHER_USEC)
		daemon_reconcile(d);
	if (!reconcile_is_pending(d->reconcile) && !reconcile_is_waiting(d->reconcile))
		d->event_usec = 0;
	if (d->effect && !reconcile_is_pending(d->reconcile))
		effect_tick(d->effect, util_now_usec()); /* may undo a repair, which is then to be reconciled */
	(void)sd_event_source_set_enabled(
		d->defer, reconcile_is_pending(d->reconcile) ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
	now_usec = util_now_usec();
	daemon_open_control_when_due(d, now_usec);
	server_wake(d->control);
	daemon_report_overruns(d, now_usec);
	daemon_end_bursts(d, now_usec);
	daemon_report_lost(d, now_usec);
	write_ledger_when_due(d, now_usec);
	if (!reconcile_is_pending(d->reconcile)) { /* reconciling is more urgent */
		if (d->tracker && tracker_tick(d->tracker, now_usec))
			textfile_mark_dirty(d->textfile);
		daemon_note_textfile(d, textfile_tick(d->textfile, now_usec));
		daemon_start_worker_when_due(d, now_usec);
	}
	daemon_notify_status(d, false);
	notify_watchdog(d, now_usec);
	rest(d, now_usec);
	daemon_arm_timer(d);
}

/* ---- events ---- */

static int on_defer(_unused_ sd_event_source *source, void *userdata)
{
	struct daemon *d = userdata;

	daemon_reconcile(d);
	daemon_settle(d);
	return 0;
}

static int on_timer(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata)
{
	daemon_settle(userdata);
	return 0;
}

/* What was not read is read again with everything else; until then nothing is read, or an error that lasts would be a busy loop. */
static void pause_events(struct daemon *d, int error)
{
	enable_sockets(d, SD_EVENT_OFF);
	d->refresh_usec = util_now_usec() + REFRESH_USEC;
	if (!d->events_failed)
		daemon_report(d, FINDING_RECONCILE_FAILED, NULL, error);
	d->events_failed = true;
}

static void take_events(struct daemon *d, int (*read_events)(struct observe *))
{
	int r;

	if (d->event_usec == 0)
		d->event_usec = turn_usec(d, CLOCK_MONOTONIC);
	r = read_events(d->observe);
	if (r < 0)
		pause_events(d, r);
	else
		d->events_failed = false;
	daemon_settle(d);
}

static int on_links(_unused_ sd_event_source *source, _unused_ int fd, _unused_ uint32_t revents,
	void *userdata)
{
	take_events(userdata, observe_read_links);
	return 0;
}

static int on_names(_unused_ sd_event_source *source, _unused_ int fd, _unused_ uint32_t revents,
	void *userdata)
{
	take_events(userdata, observe_read_names);
	return 0;
}

static int on_features(_unused_ sd_event_source *source, _unused_ int fd, _unused_ uint32_t revents,
	void *userdata)
{
	take_events(userdata, observe_read_features);
	return 0;
}

static int on_probes(_unused_ sd_event_source *source, _unused_ int fd, _unused_ uint32_t revents,
	void *userdata)
{
	struct daemon *d = userdata;

	tracker_read(d->tracker, util_now_usec());
	daemon_settle(d);
	return 0;
}

int daemon_watch_probes(struct daemon *d)
{
	int r = sd_event_add_io(d->event, &d->probes, tracker_fd(d->tracker), EPOLLIN, on_probes, d);

	return r < 0 ? r : sd_event_source_set_priority(d->probes, PRIORITY_PROBES);
}

/* r: what came of loading them. */
static bool is_taken(struct daemon *d, const char *what, int r)
{
	if (r < 0)
		daemon_report(d, FINDING_RELOAD_FAILED, what, r);
	return r > 0;
}

int daemon_reload(void *userdata)
{
	struct daemon *d = userdata;
	int r = 0, taken;

	daemon_notify("RELOADING=1", NOTIFY_USEC);
	taken = is_taken(d, "settings", daemon_reload_conf(d)) ? METHODS_LOADED_SETTINGS : 0;
	taken |= is_taken(d, "rules", daemon_load_rules(d, true)) ? METHODS_LOADED_RULES : 0;
	if (taken & METHODS_LOADED_RULES)
		r = observe_refresh(d->observe); /* the new rules may match drivers and routes */
	if (r < 0)
		fail(d, "the reload", r);
	if (taken)
		daemon_set_namespaces(d);
	daemon_notify_status(d, true);
	daemon_settle(d);
	return taken;
}

static int on_reload(_unused_ sd_event_source *source, _unused_ const struct signalfd_siginfo *info,
	void *userdata)
{
	(void)daemon_reload(userdata);
	return 0;
}

/* A child that writes the textfile, or the worker. */
static int on_child(_unused_ sd_event_source *source, _unused_ const struct signalfd_siginfo *info,
	void *userdata)
{
	daemon_settle(userdata);
	return 0;
}

static int on_stop(_unused_ sd_event_source *source, _unused_ const struct signalfd_siginfo *info,
	void *userdata)
{
	struct daemon *d = userdata;

	daemon_notify("STOPPING=1", NOTIFY_USEC);
	sd_event_exit(d->event, EXIT_SUCCESS);
	return 0;
}

/* Rules may match the host name, which DHCP sets late during boot. */
static int on_host_name(_unused_ sd_event_source *source, _unused_ int fd, _unused_ uint32_t revents,
	void *userdata)
{
	struct daemon *d = userdata;
	struct rule_host before = d->host;

	rule_host_read(&d->host);
	if (strcmp(before.host_name, d->host.host_name) == 0)
		return 0;
	reconcile_mark_all(d->reconcile);
	daemon_set_namespaces(d);
	daemon_settle(d);
	return 0;
}

/* ---- sources ---- */

static int add_signal(struct daemon *d, int number, sd_event_signal_handler_t fn)
{
	sd_event_source *source;
	int r = sd_event_add_signal(d->event, &source, number, fn, d);

	if (r < 0)
		return r;
	r = sd_event_source_set_priority(source, PRIORITY_SIGNAL);
	if (r >= 0)
		r = sd_event_source_set_floating(source, true);
	sd_event_source_unref(source);
	return r;
}

/* The kernel reports EPOLLERR when the name changes (proc_sys_poll() in fs/proc/proc_sysctl.c). Without /proc/sys, only a reload reads
 * it. */
static int watch_host_name(struct daemon *d)
{
	int fd = open("/proc/sys/kernel/hostname", O_RDONLY | O_CLOEXEC | O_NONBLOCK), r;

	if (fd < 0)
		return 0;
	r = sd_event_add_io(d->event, &d->host_name, fd, 0, on_host_name, d);
	if (r >= 0)
		r = sd_event_source_set_io_fd_own(d->host_name, true);
	else
		close(fd);
	return r;
}

int daemon_set_up_loop(struct daemon *d)
{
	int feature_fd = observe_feature_fd(d->observe);
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	d->settle = daemon_settle;
	r = sd_event_new(&d->event);
	if (r >= 0)
		r = add_signal(d, SIGHUP, on_reload);
	if (r >= 0)
		r = add_signal(d, SIGTERM, on_stop);
	if (r >= 0)
		r = add_signal(d, SIGINT, on_stop);
	if (r >= 0)
		r = add_signal(d, SIGCHLD, on_child);
	if (r >= 0)
		r = sd_event_add_io(d->event, &d->links, observe_link_fd(d->observe), EPOLLIN,
			on_links, d);
	if (r >= 0 && feature_fd >= 0)
		r = sd_event_add_io(d->event, &d->features, feature_fd, EPOLLIN, on_features, d);
	if (r >= 0)
		r = watch_host_name(d);
	if (r >= 0)
		r = sd_event_add_defer(d->event, &d->defer, on_defer, d);
	if (r >= 0)
		r = sd_event_source_set_priority(d->defer, PRIORITY_RECONCILE);
	if (r >= 0)
		r = sd_event_source_set_enabled(d->defer, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_time(
			d->event, &d->timer, CLOCK_MONOTONIC, 0, ACCURACY_USEC, on_timer, d);
	if (r >= 0)
		r = sd_event_source_set_priority(d->timer, PRIORITY_PROBES);
	if (r >= 0)
		r = sd_event_source_set_enabled(d->timer, SD_EVENT_OFF);
	if (r >= 0 && sd_watchdog_enabled(0, &d->watchdog_usec) > 0)
		d->alive_usec = util_now_usec();
	return r;
}

/* If sd-event fails in one turn, by a lack of memory or by a system call, its sources stay as they are. */
int daemon_loop(struct daemon *d)
{
	const struct timespec nap = { .tv_nsec = 100 * 1000 * 1000 };
	uint64_t failed_usec = 0;
	unsigned tries = 0;
	int r;

	while ((r = sd_event_loop(d->event)) < 0 && (r == -ENOMEM || tries < LOOP_TRIES_MAX)) {
		tries = util_now_usec() - failed_usec > USEC_PER_SEC ? 1 : tries + 1;
		if (tries == 1)
			daemon_report(d, FINDING_LOOP_DISTURBED, "events", r);
		nanosleep(&nap, NULL);
		failed_usec = util_now_usec();
	}
	if (r < 0)
		daemon_report(d, FINDING_LOOP_FAILED, "events", r);
	return r;
}
