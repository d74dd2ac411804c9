/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the daemon share: its state, and what each part does for the others.
 *
 *   daemon.c         start, stop, and what is opened and closed there
 *   daemon_load.c    offloadd.conf and rule files, at the start and again
 *   daemon_loop.c    event sources, what is due after each event, reload
 *   daemon_event.c   events to the journal, hooks, metrics and clients; the line of `systemctl status` */
#ifndef OFFLOADD_DAEMON_PRIVATE_H
#define OFFLOADD_DAEMON_PRIVATE_H

#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "offloadd/conf.h"
#include "offloadd/daemon.h"
#include "report/textfile.h"
#include "report/hook.h"
#include "report/journal.h"
#include "engine/ledger.h"
#include "control/methods.h"
#include "kernel/observe.h"
#include "engine/reconcile.h"
#include "engine/service.h"
#include "basic/util.h"
#include "evidence/tracker.h"

#define EXIT_ERROR 1

/* Times are CLOCK_MONOTONIC. */
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
	struct server *control; /* NULL: could not be had */
	struct textfile *textfile;
	struct tracker *tracker; /* NULL: no probes are wanted */
	struct service_call *restart; /* on its way; NULL */
	struct hooks hooks;
	bool hook_failed; /* the last time */
	struct journal journal;
	struct event_limit limit;
	sd_event *event;
	sd_event_source *defer, *timer, *links, *features, *host_name, *probes;
	uint64_t rest_usec;	/* sockets are not read before, 0: they are */
	uint64_t reconciled_usec; /* when the last reconcile began */
	uint64_t event_usec;	/* when the kernel reported the first change that waits, 0 */
	uint64_t refresh_usec;	/* memory ran out: when everything is read again, 0 */
	uint64_t ledger_usec;	/* when the ledger may be written next */
	bool ledger_failed;	/* to write, the last time */
	bool textfile_failed;	/* to write, the last time */
	uint64_t overrun_usec;	/* when the next event of overruns may be sent */
	uint64_t overruns_said;
	struct reconcile_counts told; /* as last put into STATUS= */
};

/* ---- daemon_load.c ---- */

bool daemon_has_net_admin(void);

/* Fills d->conf and d->enforce at the start. Errors in it are said, and then it only audits. 0, -ENOMEM. */
int daemon_load_conf(struct daemon *d);

/* Settings with an error are not taken: those in force stay. 1 when taken, 0, -ENOMEM. */
int daemon_reload_conf(struct daemon *d);

/* Reads the rules, and the host that they may ask for. reload: rules in force are not lost by mistake.
 * Errors are said. 1 when the rules were taken, 0 when the old ones stay, negative errno. */
int daemon_load_rules(struct daemon *d, bool reload);

/* Folders named on the command line that cannot be read are an error of the start. */
bool daemon_lacks_rule_dir(const struct daemon *d);

/* Have the settings in force reach the textfile (0, -ENOMEM) and the tracker. A dry run leaves the textfile
 * to the daemon that it belongs to. */
int daemon_set_textfile(struct daemon *d);
const char *const *daemon_rule_dirs(const struct daemon *d); /* the strongest first, NULL ends */
void daemon_set_restart_policy(struct daemon *d);
void daemon_time_sendfile(struct daemon *d);

/* ---- daemon_loop.c ---- */

/* Makes d->event with all sources but control socket and probes; signals are blocked from then on. Negative
 * errno. */
int daemon_set_up_loop(struct daemon *d);

/* Adds the tracker' descriptor, which must be there. Negative errno. */
int daemon_watch_probes(struct daemon *d);

/* Reconciles what is marked; failure is said, and tried again by itself. */
void daemon_reconcile(struct daemon *d);

/* After whatever happened: does what is due now, and arms the timer for what comes next. */
void daemon_settle(struct daemon *d);

/* Handles events until something ends that. The exit code, negative errno. */
int daemon_loop(struct daemon *d);

/* Settings and rules again, by SIGHUP or by a client; userdata is the daemon. METHODS_TOOK_* bits, negative
 * errno: then the loop ends. What there is no memory for stays as it was. */
int daemon_reload(void *userdata);

/* A failure to write is said once, and tried again with the next change. r: what textfile_tick() or
 * textfile_write() said. */
void daemon_save_ledger(struct daemon *d);
void daemon_note_textfile(struct daemon *d, int r);

/* ---- daemon_event.c ---- */

/* Gives an event to all who want it; userdata is the daemon. Works before anything is opened. */
void daemon_send_event(const struct finding *event, void *userdata);

/* An event about no link. object: NULL for none; error: negative errno, 0 for none. The mode in force is part of it. */
void daemon_report(struct daemon *d, enum finding_code code, const char *object, int error);
void daemon_report_count(struct daemon *d, enum finding_code code, uint64_t total);
void daemon_report_file_error(struct daemon *d, enum finding_code code, const struct rule_error *e);

/* When events were lost since the last time that it was reported, at most once in a while. */
void daemon_report_overruns(struct daemon *d, uint64_t now_usec);
void daemon_report_missing_probes(struct daemon *d);
void daemon_report_started(struct daemon *d);
void daemon_report_stopped(struct daemon *d);
void daemon_warn_without_rules(struct daemon *d);

/* STATUS= for the service manager, where it changed; ready: in any case, with READY=1, which also ends a
 * reload. */
void daemon_tell_status(struct daemon *d, bool ready);

#endif
