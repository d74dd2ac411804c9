/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <linux/capability.h>
#include <sys/syscall.h>

#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "conf.h"
#include "witness.h"
#include "exporter.h"
#include "hook.h"
#include "journal.h"
#include "ledger.h"
#include "methods.h"
#include "netns.h"
#include "observe.h"
#include "reconcile.h"
#include "rule_file.h"
#include "service.h"
#include "util.h"

#define EXIT_ERROR 1
#define PRIORITY_SIGNAL (-10)
#define PRIORITY_RECONCILE 10 /* after all sockets were read, so that a burst is one reconcile */
/* While events do not cease, reconcile all the same after so long. */
#define PATIENCE_USEC (20 * USEC_PER_MSEC)
#define LEDGER_DELAY_USEC (1 * USEC_PER_SEC)	   /* at most one write in so long */
#define OVERRUN_DELAY_USEC (5 * USEC_PER_SEC)	   /* at most one record in so long */
/* While a fight is on, its events are read in batches: each costs, and none is answered. */
#define REST_USEC (250 * USEC_PER_MSEC)
#define RULE_ERRORS_SAID 20
#define ONCE_ROUNDS_MAX 4 /* what somebody else does meanwhile makes another one needed */
#define ACCURACY_USEC (10 * USEC_PER_MSEC)

struct daemon {
	const struct daemon_options *options;
	struct conf conf;
	struct rule_set conf_errors, rule_errors; /* of the last time that they were read; only errors */
	bool enforce;
	struct observe *observe;
	struct rule_host host;
	struct ledger *ledger;
	struct reconcile *reconcile;
	struct methods *methods;
	struct control *control; /* NULL: could not be had */
	struct exporter *exporter;
	struct witness *witness; /* NULL: no probes are wanted */
	struct service_call *restart; /* on its way; NULL */
	struct hooks hooks;
	bool hook_failed; /* the last time */
	struct journal journal;
	struct event_limit limit;
	sd_event *event;
	sd_event_source *defer, *timer, *links, *features, *host_name, *probes;
	uint64_t rest_usec;	/* sockets are not read before, 0: they are */
	uint64_t pending_usec;	/* when the first change that waits was seen, 0 */
	uint64_t event_usec;	/* when the kernel told of it, 0 when it did not */
	uint64_t ledger_usec;	/* when the ledger may be written next */
	bool ledger_failed;	/* to write, the last time */
	bool textfile_failed;	/* to write, the last time */
	uint64_t overrun_usec;	/* when the next record of overruns may be sent */
	uint64_t overruns_said;
	struct reconcile_counts told; /* as last put into STATUS= */
};

/* ---- records ---- */

static void say_hook_failed(struct daemon *d, int error);

/* A dry run starts nothing. */
static void call_hook(struct daemon *d, const struct event *event)
{
	const char *unit = d->conf.hooks[event->kind];
	bool failed_before = d->hook_failed;
	char netns[NETNS_NAME_LEN];
	int r;

	if (!unit || !unit[0] || d->options->once || d->options->mode == DAEMON_MODE_AUDIT)
		return;
	r = hook_send(&d->hooks, &d->observe->features, event,
		netns_is_own(netns, sizeof(netns)) ? netns : "", d->options->hook_path, util_now_usec());
	if (r != 0)
		d->hook_failed = r < 0;
	if (r < 0 && !failed_before)
		say_hook_failed(d, r);
}

static void send_event(const struct event *found, void *userdata)
{
	struct daemon *d = userdata;
	struct event named = *found, *event = &named;
	uint64_t lost = d->limit.suppressed;
	static const struct feature_table none; /* nothing is read yet */
	const struct feature_table *features = d->observe ? &d->observe->features : &none;
	struct event note;

	if (d->witness) {
		if (event->kind == EVENT_REPAIRED || event->kind == EVENT_HEALED)
			witness_forget_link(d->witness, event->ifindex);
		witness_name_author(d->witness, event);
	}
	methods_take_event(d->methods, event);
	if (d->exporter)
		exporter_take_event(d->exporter, event);
	call_hook(d, event);
	if (!event_limit_allows(&d->limit, util_now_usec()))
		return;
	if (lost) {
		d->limit.suppressed = 0;
		event_make(&note, EVENT_STATE, LOG_WARNING,
			"%llu records were not written: more than %d in %d s", (unsigned long long)lost,
			EVENT_LIMIT_BURST, (int)(EVENT_LIMIT_USEC / USEC_PER_SEC));
		note.count = lost;
		journal_send(&d->journal, features, &note);
	}
	journal_send(&d->journal, features, event);
}

_printf_(4, 5) static void say(
	struct daemon *d, enum event_kind kind, int priority, const char *fmt, ...)
{
	struct event event;
	char text[sizeof(event.message)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	event_make(&event, kind, priority, "%s", text);
	send_event(&event, d);
}

/* No hook can be set for this kind of record. */
static void say_hook_failed(struct daemon *d, int error)
{
	say(d, EVENT_STATE, LOG_WARNING, "hooks are not called: %s: %s; does offloadd-hook.socket run?",
		d->options->hook_path ? d->options->hook_path : HOOK_SOCKET_PATH, strerror(-error));
}

static void say_overruns(struct daemon *d, uint64_t now_usec)
{
	uint64_t overruns = d->observe->counts.overruns;
	struct event event;

	if (overruns == d->overruns_said || now_usec < d->overrun_usec)
		return;
	event_make(&event, EVENT_OVERRUN, LOG_WARNING,
		"events were lost: the receive buffer overflowed %llu times since the start; everything was read again",
		(unsigned long long)overruns);
	event.count = overruns;
	send_event(&event, d);
	d->overruns_said = overruns;
	d->overrun_usec = now_usec + OVERRUN_DELAY_USEC;
}

static void tell_status(struct daemon *d, bool ready)
{
	size_t errors = d->conf_errors.n_errors + d->rule_errors.n_errors;
	struct reconcile_counts counts;
	char tail[40] = "";

	reconcile_count(d->reconcile, &counts);
	if (!ready && counts.troubled == d->told.troubled && counts.fights == d->told.fights)
		return;
	d->told = counts;
	if (errors)
		snprintf(tail, sizeof(tail), ", errors in files: %zu", errors);
	sd_notifyf(0, "%sSTATUS=%s, rules: %zu, links not as declared: %zu, fought over: %zu%s",
		ready ? "READY=1\n" : "", d->enforce ? "enforcing" : "auditing",
		reconcile_rules(d->reconcile)->n_rules, counts.troubled, counts.fights, tail);
}

/* ---- settings ---- */

static void set_restart_policy(struct daemon *d);

static const char *const *rule_dirs(const struct daemon *d)
{
	return d->options->rule_dirs ? d->options->rule_dirs : conf_rule_dirs(&d->conf);
}

static bool wants_enforce(const struct daemon *d, const struct conf *conf)
{
	return d->options->mode == DAEMON_MODE_CONF ? conf->enforce
						    : d->options->mode == DAEMON_MODE_ENFORCE;
}

static bool has_net_admin(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return syscall(SYS_capget, &header, data) == 0 &&
		(data[CAP_TO_INDEX(CAP_NET_ADMIN)].effective & CAP_TO_MASK(CAP_NET_ADMIN));
}

static void say_file_error(struct daemon *d, enum event_kind kind, const struct rule_error *e)
{
	if (e->line)
		say(d, kind, LOG_ERR, "%s:%u: %s", e->path, e->line, e->message);
	else
		say(d, kind, LOG_ERR, "%s: %s", e->path, e->message);
}

static int hear_conf_error(void *userdata, const char *path, unsigned line, const char *message)
{
	return rule_set_add_error(userdata, path, line, message);
}

/* 1 when there were errors, 0, -ENOMEM. */
static int read_conf(struct daemon *d, struct conf *ret)
{
	int r;

	rule_set_clear(&d->conf_errors);
	r = conf_load(d->options->conf_path, hear_conf_error, &d->conf_errors, ret);
	for (size_t i = 0; i < d->conf_errors.n_errors; i++)
		say_file_error(d, EVENT_STATE, &d->conf_errors.errors[i]);
	return r;
}

static int load_conf(struct daemon *d)
{
	int r = read_conf(d, &d->conf);

	if (r < 0)
		return r;
	d->enforce = wants_enforce(d, &d->conf);
	if (r > 0 && d->options->mode == DAEMON_MODE_CONF)
		say(d, EVENT_STATE, LOG_ERR, "auditing only, as offloadd.conf has errors%s",
			d->conf.enforce_written ? "; Mode=enforce stands there and is not followed" : "");
	return 0;
}

/* What can only be had by a restart. */
static void say_restart_needed(struct daemon *d, const struct conf *fresh)
{
	if (!d->options->has_backend && fresh->backend != d->conf.backend)
		say(d, EVENT_STATE, LOG_WARNING, "EthtoolBackend= changed: restart to take it over");
	if (!d->options->rcvbuf_bytes && fresh->rcvbuf_bytes != d->conf.rcvbuf_bytes)
		say(d, EVENT_STATE, LOG_WARNING, "ReceiveBuffer= changed: restart to take it over");
	if (!d->options->no_probes && fresh->probes != d->conf.probes)
		say(d, EVENT_STATE, LOG_WARNING, "Probes= changed: restart to take it over");
}

/* A dry run leaves the file to the daemon that it belongs to. */
static int set_textfile(struct daemon *d)
{
	return exporter_set_path(
		d->exporter, d->options->mode == DAEMON_MODE_AUDIT ? "" : d->conf.textfile);
}

/* Settings with an error are not taken: those in force stay. 1 when taken, 0, -ENOMEM. */
static int reload_conf(struct daemon *d)
{
	_cleanup_(conf_clear) struct conf fresh = { 0 };
	bool enforce;
	int r = read_conf(d, &fresh);

	if (r < 0)
		return r;
	if (r > 0) {
		say(d, EVENT_STATE, LOG_ERR, "offloadd.conf not taken, the settings in force stay: %s",
			d->enforce ? "enforcing" : "auditing");
		return 0;
	}
	say_restart_needed(d, &fresh);
	enforce = wants_enforce(d, &fresh);
	conf_clear(&d->conf);
	d->conf = fresh;
	fresh = (struct conf){ 0 };
	if (enforce && !d->enforce && !has_net_admin()) {
		say(d, EVENT_STATE, LOG_ERR, "still auditing: enforcing needs CAP_NET_ADMIN");
		enforce = false;
	}
	if (enforce != d->enforce)
		say(d, EVENT_STATE, LOG_NOTICE, "from now on %s", enforce ? "enforcing" : "auditing");
	d->enforce = enforce;
	set_restart_policy(d);
	r = set_textfile(d);
	if (r >= 0)
		r = reconcile_configure(d->reconcile, enforce, &d->conf.contention);
	return r < 0 ? r : 1;
}

/* ---- rules ---- */

static bool has_rule_of(const struct rule_set *set, const char *path)
{
	for (size_t i = 0; i < set->n_rules; i++)
		if (strcmp(set->rules[i].path, path) == 0)
			return true;
	return false;
}

static bool is_rule_dir(const struct daemon *d, const char *path)
{
	for (const char *const *dir = rule_dirs(d); *dir; dir++)
		if (strcmp(*dir, path) == 0)
			return true;
	return false;
}

/* A reload is bad when it would lose rules by mistake: a file that was good is bad now, or a folder cannot be read. */
static bool loses_rules(const struct daemon *d, const struct rule_set *now, const struct rule_set *fresh)
{
	for (size_t i = 0; i < fresh->n_errors; i++)
		if (has_rule_of(now, fresh->errors[i].path) || is_rule_dir(d, fresh->errors[i].path))
			return true;
	return false;
}

static void say_rule_errors(struct daemon *d, const struct rule_set *set)
{
	for (size_t i = 0; i < set->n_errors; i++) {
		if (i == RULE_ERRORS_SAID) {
			say(d, EVENT_RULES, LOG_ERR, "%zu more errors in rule files; `offloadctl check` prints all",
				set->n_errors - i);
			return;
		}
		say_file_error(d, EVENT_RULES, &set->errors[i]);
	}
}

static int keep_errors(struct rule_set *kept, const struct rule_set *from)
{
	rule_set_clear(kept);
	for (size_t i = 0; i < from->n_errors; i++) {
		const struct rule_error *e = &from->errors[i];

		if (rule_set_add_error(kept, e->path, e->line, e->message) < 0)
			return -ENOMEM;
	}
	return 0;
}

static void warn_without_rules(struct daemon *d)
{
	if (reconcile_rules(d->reconcile)->n_rules == 0)
		say(d, EVENT_RULES, LOG_WARNING, "no rule is in force: nothing is watched");
}

/* 1 when the rules were taken, 0 when the old ones stay, negative errno. */
static int load_rules(struct daemon *d, bool reload)
{
	_cleanup_(rule_set_clear) struct rule_set fresh = { 0 };
	const struct rule_set *now = reconcile_rules(d->reconcile);
	bool routes;
	size_t n;
	int r = rule_set_load(rule_dirs(d), &d->observe->features, &fresh);

	rule_host_read(&d->host); /* DHCP may have named the host meanwhile */
	if (r >= 0)
		r = keep_errors(&d->rule_errors, &fresh);
	if (r < 0)
		return r;
	say_rule_errors(d, &fresh);
	if (reload && loses_rules(d, now, &fresh)) {
		say(d, EVENT_RULES, LOG_ERR, "reload refused, the rules in force stay: %zu", now->n_rules);
		return 0;
	}
	routes = rule_set_needs_routes(&fresh);
	n = fresh.n_rules;
	r = reconcile_take_rules(d->reconcile, &fresh);
	if (r < 0)
		return r;
	d->observe->want_routes = routes;
	if (reload)
		say(d, EVENT_RULES, LOG_INFO, "rules loaded: %zu", n);
	if (reload)
		warn_without_rules(d);
	return 1;
}

/* ---- the loop ---- */

/* A failure is said once, and tried again with the next change. */
static void save_ledger(struct daemon *d)
{
	int r = d->ledger ? ledger_save(d->ledger, &d->observe->features) : 0;
	bool failed_before = d->ledger_failed;

	d->ledger_failed = r < 0;
	if (r < 0 && !failed_before)
		say(d, EVENT_STATE, LOG_ERR, "cannot write %s: %s; original values are kept in memory only",
			d->ledger->path, strerror(-r));
}

/* Something went wrong that the next event may not cure; the service manager starts us again. */
static void give_up(struct daemon *d, const char *what, int error)
{
	say(d, EVENT_STATE, LOG_ERR, "%s: %s", what, strerror(-error));
	sd_event_exit(d->event, EXIT_ERROR);
}

/* One timer, off when there is nothing to wait for. */
static void arm_timer(struct daemon *d)
{
	uint64_t deadline_usec = reconcile_deadline(d->reconcile);

	if (d->ledger && d->ledger->dirty && !d->ledger_failed)
		util_earlier(&deadline_usec, d->ledger_usec);
	util_earlier(&deadline_usec, d->rest_usec);
	if (!reconcile_is_pending(d->reconcile))
		util_earlier(&deadline_usec, exporter_deadline(d->exporter, util_now_usec()));
	if (d->observe->counts.overruns != d->overruns_said)
		util_earlier(&deadline_usec, d->overrun_usec);
	if (d->witness)
		util_earlier(&deadline_usec, witness_deadline(d->witness));
	if (deadline_usec == 0) {
		(void)sd_event_source_set_enabled(d->timer, SD_EVENT_OFF);
		return;
	}
	(void)sd_event_source_set_time(d->timer, deadline_usec);
	(void)sd_event_source_set_enabled(d->timer, SD_EVENT_ONESHOT);
}

static void write_ledger_when_due(struct daemon *d, uint64_t now_usec)
{
	if (!d->ledger || !d->ledger->dirty || now_usec < d->ledger_usec)
		return;
	d->ledger_usec = now_usec + LEDGER_DELAY_USEC;
	save_ledger(d);
}

/* A failure is said once, and tried again with the next change. */
static void note_textfile(struct daemon *d, int r)
{
	bool failed_before = d->textfile_failed;

	if (r == 0)
		return;
	d->textfile_failed = r < 0;
	if (r < 0 && !failed_before)
		say(d, EVENT_STATE, LOG_ERR, "cannot write metrics to %s: %s",
			exporter_path(d->exporter), strerror(-r));
}

static void reconcile_now(struct daemon *d)
{
	int r = reconcile_run(d->reconcile, util_now_usec(), util_realtime_sec());

	exporter_note_reconcile(d->exporter);
	if (d->witness)
		witness_note_change(d->witness, util_now_usec());
	if (r > 0 && d->event_usec)
		exporter_note_reaction(d->exporter, util_now_usec() - d->event_usec);
	d->pending_usec = d->event_usec = 0;
	if (r < 0)
		say(d, EVENT_STATE, LOG_ERR, "cannot reconcile, trying again: %s", strerror(-r));
}

static void enable_sockets(struct daemon *d, int mode)
{
	(void)sd_event_source_set_enabled(d->links, mode);
	if (d->features)
		(void)sd_event_source_set_enabled(d->features, mode);
}

static void rest(struct daemon *d, uint64_t now_usec)
{
	if (d->rest_usec == 0 && reconcile_is_deferring(d->reconcile)) {
		d->rest_usec = now_usec + REST_USEC;
		enable_sockets(d, SD_EVENT_OFF);
	} else if (d->rest_usec && d->rest_usec <= now_usec) {
		d->rest_usec = 0;
		enable_sockets(d, SD_EVENT_ON);
	}
}

/* After whatever happened: what is due now, and what to wait for. */
static void settle(struct daemon *d)
{
	uint64_t now_usec = util_now_usec();

	reconcile_tick(d->reconcile, now_usec);
	if (reconcile_is_pending(d->reconcile)) {
		if (d->pending_usec == 0)
			d->pending_usec = now_usec;
		if (now_usec - d->pending_usec >= PATIENCE_USEC)
			reconcile_now(d);
		else
			(void)sd_event_source_set_enabled(d->defer, SD_EVENT_ONESHOT);
	} else {
		d->event_usec = 0;
	}
	control_wake(d->control);
	say_overruns(d, now_usec);
	write_ledger_when_due(d, now_usec);
	if (!reconcile_is_pending(d->reconcile)) { /* which is more urgent */
		if (d->witness && witness_tick(d->witness, now_usec))
			exporter_mark(d->exporter);
		note_textfile(d, exporter_tick(d->exporter, now_usec));
	}
	tell_status(d, false);
	rest(d, now_usec);
	arm_timer(d);
}

static int on_defer(_unused_ sd_event_source *source, void *userdata)
{
	struct daemon *d = userdata;

	reconcile_now(d);
	settle(d);
	return 0;
}

static int on_timer(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata)
{
	settle(userdata);
	return 0;
}

static void note_event(struct daemon *d)
{
	if (d->event_usec == 0)
		d->event_usec = util_now_usec();
}

static int on_links(_unused_ sd_event_source *source, _unused_ int fd, _unused_ uint32_t revents,
	void *userdata)
{
	struct daemon *d = userdata;
	int r;

	note_event(d);
	r = observe_read_links(d->observe);
	if (r < 0)
		give_up(d, "reading link events", r);
	else
		settle(d);
	return 0;
}

static int on_features(_unused_ sd_event_source *source, _unused_ int fd, _unused_ uint32_t revents,
	void *userdata)
{
	struct daemon *d = userdata;
	int r;

	note_event(d);
	r = observe_read_features(d->observe);
	if (r < 0)
		give_up(d, "reading feature events", r);
	else
		settle(d);
	return 0;
}

static int on_probes(_unused_ sd_event_source *source, _unused_ int fd, _unused_ uint32_t revents,
	void *userdata)
{
	struct daemon *d = userdata;

	witness_read(d->witness, util_now_usec());
	settle(d);
	return 0;
}

/* METHODS_TOOK_* bits, negative errno: then the loop ends. */
static int reload(void *userdata)
{
	struct daemon *d = userdata;
	int r, taken;

	sd_notify(0, "RELOADING=1");
	taken = reload_conf(d);
	r = taken < 0 ? taken : load_rules(d, true);
	taken = (taken > 0 ? METHODS_TOOK_SETTINGS : 0) | (r > 0 ? METHODS_TOOK_RULES : 0);
	if (r > 0)
		r = observe_refresh(d->observe); /* drivers and routes may be wanted now */
	if (r < 0) {
		give_up(d, "reloading", r);
		return r;
	}
	tell_status(d, true);
	settle(d);
	return taken;
}

static int on_reload(_unused_ sd_event_source *source, _unused_ const struct signalfd_siginfo *info,
	void *userdata)
{
	(void)reload(userdata);
	return 0;
}

static int on_stop(_unused_ sd_event_source *source, _unused_ const struct signalfd_siginfo *info,
	void *userdata)
{
	struct daemon *d = userdata;

	sd_notify(0, "STOPPING=1");
	sd_event_exit(d->event, EXIT_SUCCESS);
	return 0;
}

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


/* Rules may ask for it, and early at boot it is not yet what DHCP will make of it. */
static int on_host_name(_unused_ sd_event_source *source, _unused_ int fd, _unused_ uint32_t revents,
	void *userdata)
{
	struct daemon *d = userdata;
	struct rule_host before = d->host;

	rule_host_read(&d->host);
	if (strcmp(before.host_name, d->host.host_name) == 0)
		return 0;
	if (reconcile_mark_all(d->reconcile) < 0)
		say(d, EVENT_STATE, LOG_ERR, "the host is named %s now: %s", d->host.host_name, strerror(ENOMEM));
	settle(d);
	return 0;
}

/* The kernel says EPOLLERR once the name is another one (proc_sys_poll()). Where /proc/sys is out of reach, a reload reads it. */
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

static int set_up_loop(struct daemon *d)
{
	int feature_fd = observe_feature_fd(d->observe);
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	r = sd_event_new(&d->event);
	if (r >= 0)
		r = add_signal(d, SIGHUP, on_reload);
	if (r >= 0)
		r = add_signal(d, SIGTERM, on_stop);
	if (r >= 0)
		r = add_signal(d, SIGINT, on_stop);
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
		r = sd_event_source_set_enabled(d->timer, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_set_watchdog(d->event, true);
	return r;
}

/* ---- start ---- */

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
		fprintf(stderr, "offloadd: cannot open %s: %s\n", what,
			r == -EOPNOTSUPP ? "this kernel does not have it" : strerror(-r));
	return r;
}

/* Who only audits can do without the file. */
static int open_ledger(struct daemon *d)
{
	const char *path = d->options->ledger_path ? d->options->ledger_path : LEDGER_DEFAULT_PATH;
	char why[512];
	int r;

	if (d->options->once && !d->enforce)
		return 0;
	r = ledger_open(d->options->ledger_path, &d->observe->features, &d->ledger, why, sizeof(why));
	if (r > 0)
		say(d, EVENT_STATE, LOG_WARNING, "%s", why);
	if (r >= 0)
		return 0;
	if (d->enforce) {
		fprintf(stderr, "offloadd: cannot read the ledger %s: %s\n", path, strerror(-r));
		return r;
	}
	say(d, EVENT_STATE, LOG_NOTICE, "cannot read the ledger %s: %s; what belongs there is kept in memory only",
		path, strerror(-r));
	return ledger_new(&d->ledger);
}

static int open_reconcile(struct daemon *d)
{
	const struct reconcile_options options = {
		.enforce = d->enforce,
		.ledger = d->ledger,
		.fn = send_event,
		.userdata = d,
	};
	struct exporter_host host = {
		.observe = d->observe,
		.enforce = &d->enforce,
		.hooks = &d->hooks,
		.witness = &d->witness,
		.rule_errors = &d->rule_errors,
		.conf_errors = &d->conf_errors,
	};
	int r;

	r = reconcile_new(d->observe, &d->host, &options, &d->reconcile);
	host.reconcile = d->reconcile;
	if (r >= 0)
		r = exporter_new(&host, &d->exporter);
	if (r >= 0)
		r = reconcile_configure(d->reconcile, d->enforce, &d->conf.contention);
	if (r >= 0)
		r = load_rules(d, false);
	if (r < 0)
		fprintf(stderr, "offloadd: cannot start: %s\n", strerror(-r));
	return r;
}

static int format_metrics(char **ret, size_t *ret_len, void *userdata)
{
	struct daemon *d = userdata;

	return exporter_format(d->exporter, false, ret, ret_len);
}

static void settle_now(void *userdata)
{
	settle(userdata);
}

/* Without the socket it works all the same; that nobody else looks after these links is asked by the way. */
static int open_control(struct daemon *d)
{
	const struct methods_host host = {
		.observe = d->observe,
		.reconcile = d->reconcile,
		.ledger = d->ledger,
		.witness = &d->witness,
		.enforce = &d->enforce,
		.rule_errors = &d->rule_errors,
		.conf_errors = &d->conf_errors,
		.reload = reload,
		.metrics = format_metrics,
		.changed = settle_now,
		.userdata = d,
	};
	_cleanup_free_ char *path = NULL;
	struct control_handler handler;
	int r = methods_new(&host, &d->methods);

	if (d->options->control_path)
		path = strdup(d->options->control_path);
	else
		(void)netns_path(CONTROL_DEFAULT_PATH, &path);
	if (r < 0 || !path) {
		fprintf(stderr, "offloadd: cannot start: %s\n", strerror(ENOMEM));
		return -ENOMEM;
	}
	handler = methods_handler(d->methods);
	r = control_new(d->event, path, &handler, &d->control);
	if (r == -EADDRINUSE && d->enforce) {
		fprintf(stderr, "offloadd: another offloadd answers at %s\n", path);
		return r;
	}
	if (r < 0)
		say(d, EVENT_STATE, LOG_WARNING, "no control socket at %s, offloadctl will not find this offloadd: %s",
			path, strerror(-r));
	return 0;
}

static void set_restart_policy(struct daemon *d)
{
	const struct restart_policy policy = { d->conf.restart_units, d->conf.restart_pause_usec };

	if (d->witness)
		witness_set_policy(d->witness, &policy);
}

static void on_restarted(const char *unit, const char *error, void *userdata)
{
	struct daemon *d = userdata;

	witness_restarted(d->witness, unit, error);
	settle(d);
}

/* The call before is over: there is one at a time. */
static int restart_unit(const char *unit, void *userdata)
{
	struct daemon *d = userdata;

	service_call_free(d->restart);
	d->restart = NULL;
	return service_restart(d->event, unit, on_restarted, d, &d->restart);
}

/* Enforcement needs none of it, so it comes last, and whatever is missing is said and done without. */
static void open_witness(struct daemon *d)
{
	_cleanup_free_ char *path = d->options->services_path ? strdup(d->options->services_path) : NULL;
	struct witness_options options = {
		.features = &d->observe->features,
		.links = &d->observe->links,
		.fn = send_event,
		.restart = restart_unit,
		.enforce = &d->enforce,
		.userdata = d,
	};
	int r;

	if (d->options->no_probes || !d->conf.probes)
		return;
	if (!path)
		(void)netns_path(WITNESS_DEFAULT_PATH, &path);
	options.path = d->options->mode == DAEMON_MODE_AUDIT ? NULL : path;
	r = witness_new(&options, util_now_usec(), &d->witness);
	set_restart_policy(d);
	if (r >= 0 && witness_fd(d->witness) >= 0)
		r = sd_event_add_io(d->event, &d->probes, witness_fd(d->witness), EPOLLIN, on_probes, d);
	if (r < 0)
		say(d, EVENT_STATE, LOG_WARNING, "no probes: %s", strerror(-r));
}

static void say_missing_probes(struct daemon *d)
{
	unsigned running, missing;

	if (!d->witness)
		return;
	witness_count_probes(d->witness, &running, &missing);
	if (missing)
		say(d, EVENT_STATE, LOG_NOTICE,
			"probes: %u run, %u cannot be had, `offloadctl status` says why; links are held as declared all the same",
			running, missing);
}

/* Folders named on the command line that cannot be read are an error of the start. */
static bool lacks_rule_dir(const struct daemon *d)
{
	const struct rule_set *rules = reconcile_rules(d->reconcile);

	if (!d->options->rule_dirs)
		return false;
	for (size_t i = 0; i < rules->n_errors; i++)
		if (is_rule_dir(d, rules->errors[i].path))
			return true;
	return false;
}

static void say_started(struct daemon *d)
{
	say(d, EVENT_STATE, LOG_INFO, "started, version %s: %s, rules: %zu, links: %zu, ethtool by %s",
		OFFLOADD_VERSION, d->enforce ? "enforcing" : "auditing",
		reconcile_rules(d->reconcile)->n_rules, link_table_count(&d->observe->links),
		ethtool_backend_name(d->observe->ethtool));
}

static void say_stopped(struct daemon *d)
{
	struct reconcile_counts counts;
	struct event event;

	reconcile_count(d->reconcile, &counts);
	event_make(&event, EVENT_STATE, LOG_INFO,
		"stopped; reconciles: %llu, changes: %llu, overruns: %llu",
		(unsigned long long)counts.runs, (unsigned long long)counts.sets,
		(unsigned long long)d->observe->counts.overruns);
	event.count = d->observe->counts.overruns;
	send_event(&event, d);
}

/* As for `offloadctl apply`: 1 outranks what else may be said, since nobody has looked at what a bad file declares. */
static int run_once(struct daemon *d)
{
	int r;

	for (unsigned i = 0; i < ONCE_ROUNDS_MAX && reconcile_is_pending(d->reconcile); i++)
		reconcile_now(d);
	save_ledger(d);
	if (!reconcile_is_settled(d->reconcile) || d->rule_errors.n_errors || d->conf_errors.n_errors)
		return EXIT_ERROR;
	if (reconcile_rules(d->reconcile)->n_rules == 0) {
		fprintf(stderr, "offloadd: no rules\n");
		return EXIT_ERROR;
	}
	r = reconcile_exit_code(d->reconcile, util_realtime_sec());
	if (r < 0) {
		fprintf(stderr, "offloadd: cannot plan: %s\n", strerror(-r));
		return EXIT_ERROR;
	}
	return r;
}

static int run_loop(struct daemon *d)
{
	int r = set_up_loop(d);

	if (r < 0) {
		fprintf(stderr, "offloadd: cannot set up the event loop: %s\n", strerror(-r));
		return EXIT_ERROR;
	}
	if (open_control(d) < 0 || set_textfile(d) < 0)
		return EXIT_ERROR;
	reconcile_now(d);
	tell_status(d, true);
	open_witness(d);
	say_started(d);
	warn_without_rules(d);
	say_missing_probes(d);
	settle(d);
	r = sd_event_loop(d->event);
	save_ledger(d);
	if (d->witness)
		witness_save(d->witness);
	say_stopped(d);
	note_textfile(d, exporter_write(d->exporter, true));
	return r < 0 ? EXIT_ERROR : r;
}

static void clean_up(struct daemon *d)
{
	control_free(d->control);
	methods_free(d->methods);
	sd_event_source_unref(d->defer);
	sd_event_source_unref(d->timer);
	sd_event_source_unref(d->links);
	sd_event_source_unref(d->features);
	sd_event_source_unref(d->host_name);
	sd_event_source_unref(d->probes);
	sd_event_unref(d->event);
	service_call_free(d->restart);
	exporter_free(d->exporter);
	witness_free(d->witness);
	reconcile_free(d->reconcile);
	ledger_close(d->ledger);
	observe_close(d->observe);
	rule_set_clear(&d->conf_errors);
	rule_set_clear(&d->rule_errors);
	conf_clear(&d->conf);
}

int daemon_run(const struct daemon_options *options)
{
	_cleanup_(clean_up) struct daemon d = { .options = options };
	int r;

	signal(SIGPIPE, SIG_IGN);
	journal_open(&d.journal);
	r = load_conf(&d);
	if (r < 0) {
		fprintf(stderr, "offloadd: cannot start: %s\n", strerror(-r));
		return EXIT_ERROR;
	}
	if (d.enforce && !has_net_admin()) {
		fprintf(stderr, "offloadd: enforcing needs CAP_NET_ADMIN\n");
		return EXIT_ERROR;
	}
	if (open_observe(&d) < 0 || open_ledger(&d) < 0 || open_reconcile(&d) < 0)
		return EXIT_ERROR;
	if (lacks_rule_dir(&d))
		return EXIT_ERROR;
	r = observe_refresh(d.observe);
	if (r < 0) {
		fprintf(stderr, "offloadd: cannot read the links: %s\n", strerror(-r));
		return EXIT_ERROR;
	}
	return options->once ? run_once(&d) : run_loop(&d);
}
