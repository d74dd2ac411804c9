/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "offloadd/daemon_private.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "kernel/netns.h"

#define OVERRUN_DELAY_USEC (5 * USEC_PER_SEC) /* at most one record in so long */

/* No hook can be set for this kind of record. */
static void say_hook_failed(struct daemon *d, int error)
{
	daemon_say(d, EVENT_STATE, LOG_WARNING, "hooks are not called: %s: %s; does offloadd-hook.socket run?",
		d->options->hook_path ? d->options->hook_path : HOOK_SOCKET_PATH, strerror(-error));
}

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

void daemon_send_event(const struct event *found, void *userdata)
{
	struct daemon *d = userdata;
	struct event named = *found, *event = &named;
	uint64_t lost = d->limit.suppressed;
	static const struct feature_table none; /* nothing is read yet */
	const struct feature_table *features = d->observe ? &d->observe->features : &none;
	struct event note;

	if (d->tracker) {
		if (event->kind == EVENT_REPAIRED || event->kind == EVENT_RECOVERED)
			tracker_forget_link(d->tracker, event->ifindex);
		tracker_name_author(d->tracker, event);
	}
	methods_take_event(d->methods, event);
	if (d->textfile)
		textfile_take_event(d->textfile, event);
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

void daemon_say(struct daemon *d, enum event_kind kind, int priority, const char *fmt, ...)
{
	struct event event;
	char text[sizeof(event.message)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	event_make(&event, kind, priority, "%s", text);
	daemon_send_event(&event, d);
}

void daemon_say_file_error(struct daemon *d, enum event_kind kind, const struct rule_error *e)
{
	if (e->line)
		daemon_say(d, kind, LOG_ERR, "%s:%u: %s", e->path, e->line, e->message);
	else
		daemon_say(d, kind, LOG_ERR, "%s: %s", e->path, e->message);
}

void daemon_say_overruns(struct daemon *d, uint64_t now_usec)
{
	uint64_t overruns = d->observe->counts.overruns;
	struct event event;

	if (overruns == d->overruns_said || now_usec < d->overrun_usec)
		return;
	event_make(&event, EVENT_OVERRUN, LOG_WARNING,
		"events were lost: the receive buffer overflowed %llu times since the start; everything was read again",
		(unsigned long long)overruns);
	event.count = overruns;
	daemon_send_event(&event, d);
	d->overruns_said = overruns;
	d->overrun_usec = now_usec + OVERRUN_DELAY_USEC;
}

void daemon_warn_without_rules(struct daemon *d)
{
	if (reconcile_rules(d->reconcile)->n_rules == 0)
		daemon_say(d, EVENT_RULES, LOG_WARNING, "no rule is in force: nothing is watched");
}

void daemon_say_missing_probes(struct daemon *d)
{
	unsigned running, missing;

	if (!d->tracker)
		return;
	tracker_count_probes(d->tracker, &running, &missing);
	if (missing)
		daemon_say(d, EVENT_STATE, LOG_NOTICE,
			"probes: %u run, %u cannot be had, `offloadctl status` says why; links are held as declared all the same",
			running, missing);
}

void daemon_say_started(struct daemon *d)
{
	daemon_say(d, EVENT_STATE, LOG_INFO, "started, version %s: %s, rules: %zu, links: %zu, ethtool by %s",
		OFFLOADD_VERSION, d->enforce ? "enforcing" : "auditing",
		reconcile_rules(d->reconcile)->n_rules, link_table_count(&d->observe->links),
		ethtool_backend_name(d->observe->ethtool));
}

void daemon_say_stopped(struct daemon *d)
{
	struct reconcile_counts counts = reconcile_count(d->reconcile);
	struct event event;

	event_make(&event, EVENT_STATE, LOG_INFO,
		"stopped; reconciles: %llu, changes: %llu, overruns: %llu",
		(unsigned long long)counts.runs, (unsigned long long)counts.sets,
		(unsigned long long)d->observe->counts.overruns);
	event.count = d->observe->counts.overruns;
	daemon_send_event(&event, d);
}

void daemon_tell_status(struct daemon *d, bool ready)
{
	size_t errors = d->conf_errors.n_errors + d->rule_errors.n_errors;
	struct reconcile_counts counts = reconcile_count(d->reconcile);
	char tail[40] = "";

	if (!ready && counts.troubled == d->told.troubled && counts.contended == d->told.contended)
		return;
	d->told = counts;
	if (errors)
		snprintf(tail, sizeof(tail), ", errors in files: %zu", errors);
	sd_notifyf(0, "%sSTATUS=%s, rules: %zu, links not as declared: %zu, fought over: %zu%s",
		ready ? "READY=1\n" : "", d->enforce ? "enforcing" : "auditing",
		reconcile_rules(d->reconcile)->n_rules, counts.troubled, counts.contended, tail);
}
