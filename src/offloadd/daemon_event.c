/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "offloadd/daemon_private.h"

#include <stdio.h>
#include <string.h>

#include "kernel/netns.h"

#define OVERRUN_DELAY_USEC (5 * USEC_PER_SEC) /* at most one event in this time */

void daemon_report(struct daemon *d, enum finding_code code, const char *object, int error)
{
	struct finding f;

	finding_init(&f, code, NULL);
	finding_set_object(&f, object ? object : "");
	f.error = error;
	f.enforce = d->enforce;
	daemon_send_event(&f, d);
}

void daemon_report_count(struct daemon *d, enum finding_code code, uint64_t total)
{
	struct finding f;

	finding_init(&f, code, NULL);
	f.total = total;
	daemon_send_event(&f, d);
}

void daemon_report_file_error(struct daemon *d, enum finding_code code, const struct rule_error *e)
{
	struct finding f;

	finding_init(&f, code, NULL);
	finding_set_object(&f, e->path);
	finding_set_words(&f, e->message);
	f.line = e->line;
	daemon_send_event(&f, d);
}

/* event: NULL to send only the summaries that are due. */
static void send_hooks(struct daemon *d, const struct finding *event, uint64_t now_usec)
{
	bool failed_before = d->hook_failed;
	char netns[NETNS_NAME_LEN];
	const struct hook_target target = {
		.table = &d->observe->features,
		.netns = netns_is_own(netns, sizeof(netns)) ? netns : "",
		.path = d->options->hook_path,
	};
	int r = event ? hook_send(&d->hooks, &target, event, now_usec) : hook_end(&d->hooks, &target, now_usec);

	if (r != 0)
		d->hook_failed = r < 0;
	if (r < 0 && !failed_before) /* events of this kind have no hook, so this does not recurse */
		daemon_report(d, FINDING_HOOK_FAILED, d->options->hook_path ? d->options->hook_path : HOOK_SOCKET_PATH, r);
}

/* --once and --dry-run call no hooks. */
static void call_hook(struct daemon *d, const struct finding *event)
{
	const char *unit = d->conf.hooks[finding_event(event->code)];

	if (unit && unit[0] && !d->options->once && d->options->mode != DAEMON_MODE_AUDIT)
		send_hooks(d, event, util_now_usec());
}

void daemon_send_event(const struct finding *found, void *userdata)
{
	struct daemon *d = userdata;
	struct finding event = *found, note;
	enum event_kind kind = finding_event(event.code);
	uint64_t lost = d->limit.suppressed;
	static const struct feature_table none; /* before the feature names are read */
	const struct feature_table *features = d->observe ? &d->observe->features : &none;

	if (d->tracker) {
		if (kind == EVENT_REPAIRED || kind == EVENT_RECOVERED)
			tracker_forget_link(d->tracker, event.ifindex);
		tracker_find_changed_by(d->tracker, &event);
	}
	methods_add_event(d->methods, &event);
	if (d->textfile)
		textfile_count_event(d->textfile, kind);
	call_hook(d, &event);
	if (!bursts_allow(&d->bursts, &event, util_now_usec()))
		return;
	if (!event_limit_allows(&d->limit, util_now_usec()))
		return;
	if (lost) {
		d->limit.suppressed = 0;
		finding_init(&note, FINDING_EVENTS_SUPPRESSED, NULL);
		note.count = lost;
		note.total = EVENT_LIMIT_BURST;
		note.duration_usec = EVENT_LIMIT_USEC;
		journal_send(&d->journal, features, &note);
	}
	journal_send(&d->journal, features, &event);
}

void daemon_end_bursts(struct daemon *d, uint64_t now_usec)
{
	struct finding f;

	while (bursts_end(&d->bursts, now_usec, &f))
		journal_send(&d->journal, &d->observe->features, &f);
	if (hook_deadline(&d->hooks) && hook_deadline(&d->hooks) <= now_usec)
		send_hooks(d, NULL, now_usec);
}

void daemon_report_overruns(struct daemon *d, uint64_t now_usec)
{
	uint64_t overruns = d->observe->counts.overruns;
	struct finding f;

	if (overruns == d->overruns_reported || now_usec < d->overrun_usec)
		return;
	finding_init(&f, FINDING_OVERRUN, NULL);
	f.count = overruns;
	daemon_send_event(&f, d);
	d->overruns_reported = overruns;
	d->overrun_usec = now_usec + OVERRUN_DELAY_USEC;
}

void daemon_warn_without_rules(struct daemon *d)
{
	if (reconcile_rules(d->reconcile)->n_rules == 0)
		daemon_report(d, FINDING_NO_RULES, NULL, 0);
}

void daemon_report_missing_probes(struct daemon *d)
{
	unsigned running, missing;
	struct finding f;

	if (!d->tracker)
		return;
	tracker_count_probes(d->tracker, &running, &missing);
	if (!missing)
		return;
	finding_init(&f, FINDING_PROBES_MISSING, NULL);
	f.count = missing;
	f.total = running + missing;
	daemon_send_event(&f, d);
}

void daemon_report_started(struct daemon *d)
{
	struct finding f;

	finding_init(&f, FINDING_STARTED, NULL);
	finding_set_object(&f, OFFLOADD_VERSION);
	finding_set_words(&f, ethtool_backend_name(d->observe->ethtool));
	f.enforce = d->enforce;
	f.count = reconcile_rules(d->reconcile)->n_rules;
	f.total = link_table_count(&d->observe->links);
	daemon_send_event(&f, d);
}

void daemon_report_stopped(struct daemon *d)
{
	struct reconcile_counts counts = reconcile_count(d->reconcile);
	struct finding f;

	daemon_end_bursts(d, UINT64_MAX);
	finding_init(&f, FINDING_STOPPED, NULL);
	f.count = d->observe->counts.overruns;
	f.total = counts.runs;
	f.changes = counts.sets;
	daemon_send_event(&f, d);
}

void daemon_note_textfile(struct daemon *d, int r)
{
	bool failed_before = d->textfile_failed;

	if (r == 0)
		return;
	d->textfile_failed = r < 0;
	if (r < 0 && !failed_before)
		daemon_report(d, FINDING_METRICS_UNWRITABLE, textfile_path(d->textfile), r);
}

void daemon_notify_status(struct daemon *d, bool ready)
{
	size_t errors = d->conf_errors.n_errors + d->rule_errors.n_errors;
	struct reconcile_counts counts = reconcile_count(d->reconcile);
	char tail[40] = "", text[256];

	if (!ready && counts.problems == d->reported.problems && counts.contended == d->reported.contended)
		return;
	d->reported = counts;
	if (errors)
		snprintf(tail, sizeof(tail), ", errors in files: %zu", errors);
	/* not by sd_notifyf(), which needs memory: READY=1 must not get lost */
	snprintf(text, sizeof(text), "%sSTATUS=%s mode, rules: %zu, interfaces that do not match: %zu, contended: %zu%s",
		ready ? "READY=1\n" : "", d->enforce ? "enforce" : "audit",
		reconcile_rules(d->reconcile)->n_rules, counts.problems, counts.contended, tail);
	sd_notify(0, text);
}
