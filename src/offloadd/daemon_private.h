/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the parts of the daemon: its state, and their functions.
 *
 *   daemon.c         start and stop
 *   daemon_control.c the lock, and the control socket
 *   daemon_load.c    offloadd.conf and rule files, at the start and on reload
 *   daemon_worker.c  the process for other network namespaces: when it is needed, and what it reports
 *   daemon_loop.c    event sources, work that is due after each event, reload
 *   daemon_event.c   events to the journal, hooks, metrics and clients; STATUS= */
#ifndef OFFLOADD_DAEMON_PRIVATE_H
#define OFFLOADD_DAEMON_PRIVATE_H

#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "offloadd/conf.h"
#include "offloadd/daemon.h"
#include "report/burst.h"
#include "report/textfile.h"
#include "report/hook.h"
#include "report/journal.h"
#include "engine/ledger.h"
#include "control/methods.h"
#include "kernel/namespaces.h"
#include "kernel/observe.h"
#include "model/netns_status.h"
#include "engine/reconcile.h"
#include "engine/unit_restart.h"
#include "basic/util.h"
#include "evidence/effect.h"
#include "evidence/tracker.h"

#define EXIT_ERROR 1

/* Times are CLOCK_MONOTONIC. */
struct daemon {
	const struct daemon_options *options;
	struct conf conf;
	struct rule_set conf_errors, rule_errors; /* errors of the last load; no rules */
	bool enforce;
	struct observe *observe;
	struct rule_host host;
	struct ledger *ledger;
	struct reconcile *reconcile;
	struct methods *methods;
	int lock_fd;		/* of the daemon of this control socket; -1: another one has it */
	char *control_path;
	struct server *control; /* NULL: failed to open */
	uint64_t control_usec;	/* when to try to open it again, 0: not */
	struct textfile *textfile;
	bool observes;		 /* since the start: probes are not turned off */
	struct tracker *tracker; /* NULL: no probes */
	struct effect *effect;	 /* NULL: not observed */
	struct unit_restart *restart; /* in progress; NULL: none */
	struct hooks hooks;
	bool hook_failed; /* by the last call */
	bool dropped;	  /* we can load no more probes */
	struct journal journal;
	uint64_t lost;		/* events that the journal did not accept, and of which that was not reported */
	uint64_t lost_total;	/* since the start */
	uint64_t lost_usec, lost_delay_usec; /* when to try again to report that, 0: nothing is lost; after how long */
	struct event_limit limit;
	struct bursts bursts;
	sd_event *event;
	void (*settle)(struct daemon *d); /* daemon_settle(), for what it calls itself */
	sd_event_source *defer, *timer, *links, *features, *host_name, *probes;
	sd_event_source *names; /* NULL until a link had no final name */
	uint64_t rest_usec;	/* do not read sockets before this time, 0: read them */
	uint64_t reconciled_usec; /* when the last reconcile began */
	uint64_t event_usec;	/* of the first pending change, 0: none */
	uint64_t refresh_usec;	/* memory ran out or reading events failed: when to read everything again, 0: not */
	unsigned refresh_failures; /* in a row; the first was reported */
	bool events_failed;	/* the last read; reported */
	uint64_t ledger_usec;	/* earliest next write of the ledger */
	bool ledger_failed;	/* its last write */
	bool textfile_failed;	/* its last write */
	uint64_t overrun_usec;	/* earliest next event of overruns */
	uint64_t overruns_reported;
	struct reconcile_counts reported; /* in the last STATUS= */
	size_t reported_others, reported_others_bad;
	pid_t worker_pid, worker_ending; /* 0: it does not run; it was told to end, and may not have yet */
	int worker_fd;
	sd_event_source *worker_source;
	unsigned worker_generation; /* how often it was started */
	uint64_t worker_usec, worker_start_usec, worker_delay_usec; /* when to start it, 0: not; when it was started; after a failure */
	struct namespaces_watch watch; /* while it does not run; -1: it runs, or is not wanted */
	sd_event_source *watch_files, *watch_numbers;
	uint64_t look_usec; /* until when to look whether there is another namespace */
	struct netns_statuses others;
	uint64_t watchdog_usec, alive_usec; /* WatchdogSec= and when to notify it next; 0: there is none */
};

/* ---- daemon_control.c ---- */

/* Takes the lock that decides which offloadd is the daemon, if this one does not have it, waiting at most wait_usec. 0; -EWOULDBLOCK:
 * another one has it; other negative errno: that cannot be found out. */
int daemon_lock(struct daemon *d, uint64_t wait_usec);

/* Opens the control socket, for d->methods. wait_usec: for a predecessor to close it. 0; -EADDRINUSE; other negative errno. */
int daemon_open_control(struct daemon *d, uint64_t wait_usec);
/* It could not be opened: tries again, except with --dry-run, which leaves it to an offloadd that starts later. */
void daemon_retry_control(struct daemon *d, uint64_t now_usec);
void daemon_open_control_when_due(struct daemon *d, uint64_t now_usec);

/* ---- daemon_load.c ---- */

/* Loads d->conf and sets d->enforce at the start. Reports errors, and then uses audit mode. 0 or -ENOMEM. */
int daemon_load_conf(struct daemon *d);

/* Loads settings again. 1: loaded; 0: they have errors, the previous ones are kept; -ENOMEM. */
int daemon_reload_conf(struct daemon *d);

/* Loads the rules and the facts of the host that they match, and reports errors. reload: keep the previous rules if one of them has an
 * error now. 1: loaded; 0: the previous rules are kept; negative errno. */
int daemon_load_rules(struct daemon *d, bool reload);

/* Is a directory of the command line unreadable? That is an error at the start. */
bool daemon_lacks_rule_dir(const struct daemon *d);

/* Apply the settings to the metrics file (0 or -ENOMEM) and the tracker. With --dry-run there is no metrics file, because it may
 * belong to another offloadd. */
int daemon_set_textfile(struct daemon *d);
const char *const *daemon_rule_dirs(const struct daemon *d); /* highest priority first, ends with NULL */
void daemon_set_restart_policy(struct daemon *d);
/* Reports settings that act on what this kernel does not show. */
void daemon_report_blind_settings(struct daemon *d);
void daemon_time_sendfile(struct daemon *d);

/* ---- daemon_worker.c ---- */

/* Begins to look after other network namespaces as the settings say, or again with new rules or settings. */
void daemon_set_namespaces(struct daemon *d);
void daemon_stop_worker(struct daemon *d);
uint64_t daemon_worker_deadline(const struct daemon *d);
void daemon_start_worker_when_due(struct daemon *d, uint64_t now_usec);

/* ---- daemon_loop.c ---- */

/* Creates d->event with all sources except control socket and probes, and blocks the signals. Negative errno. */
int daemon_set_up_loop(struct daemon *d);

/* Adds the descriptor of the tracker, which must have one. Negative errno. */
int daemon_watch_probes(struct daemon *d);

/* Reconciles what is dirty. Reports a failure; the engine tries again. */
void daemon_reconcile(struct daemon *d);

/* After each event: does what is due, and sets the timer for the next deadline. */
void daemon_settle(struct daemon *d);

/* Sets the timer for the next deadline. */
void daemon_arm_timer(struct daemon *d);

/* Handles events until something ends the loop. The exit code; negative errno. */
int daemon_loop(struct daemon *d);

/* Loads settings and rules again, for SIGHUP or a client. userdata: the daemon. METHODS_LOADED_* bits; negative errno ends the loop. If
 * memory runs out, what could not be loaded stays as it was. */
int daemon_reload(void *userdata);

/* ---- daemon_event.c ---- */

/* Sends an event to journal, hooks, metrics and clients. userdata: the daemon, of which nothing need be open yet. */
void daemon_send_event(const struct finding *event, void *userdata);

/* An event without a link. object: NULL for none. error: negative errno, 0 for none. It includes the mode. */
void daemon_report(struct daemon *d, enum finding_code code, const char *object, int error);
void daemon_report_count(struct daemon *d, enum finding_code code, uint64_t total);
void daemon_report_file_error(struct daemon *d, enum finding_code code, const struct rule_error *e);

/* Sends the summaries of bursts that are over, to the journal and to hooks. */
void daemon_end_bursts(struct daemon *d, uint64_t now_usec);

/* If events were lost, reports how many as soon as the journal accepts it. */
void daemon_report_lost(struct daemon *d, uint64_t now_usec);

/* Reports new overruns, at most one event in OVERRUN_DELAY_USEC. */
void daemon_report_overruns(struct daemon *d, uint64_t now_usec);
void daemon_report_missing_probes(struct daemon *d);
void daemon_report_started(struct daemon *d);
void daemon_report_stopped(struct daemon *d);
void daemon_warn_without_rules(struct daemon *d);

/* Report a failed write once, and the first success after it. r: result of textfile_tick() or textfile_stop(). */
void daemon_save_ledger(struct daemon *d);
void daemon_note_textfile(struct daemon *d, int r);

/* Like sd_notify(3), which may wait for ever: waits at most usec while the service manager does not read.
 * False: it was not sent. */
bool daemon_notify(const char *text, uint64_t usec);
#define NOTIFY_USEC (5 * USEC_PER_SEC) /* for what must not get lost */

/* Sends STATUS= to the service manager if it has changed. ready: always, with READY=1, which also ends a reload (sd_notify(3)). */
void daemon_notify_status(struct daemon *d, bool ready);

#endif
