/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "offloadd/daemon_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "kernel/netns.h"

#define OVERRUN_DELAY_USEC (5 * USEC_PER_SEC) /* at most one event in this time */
/* After this time without an event it is tried again to report lost ones; each time after twice as long */
#define LOST_DELAY_USEC (1 * USEC_PER_SEC)
#define LOST_DELAY_MAX_USEC (16 * USEC_PER_SEC)

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

static const struct feature_table *features_of(const struct daemon *d)
{
	static const struct feature_table none; /* before the feature names are read */

	return d->observe ? &d->observe->features : &none;
}

static bool try_report_lost(struct daemon *d)
{
	struct finding f;

	finding_init(&f, FINDING_EVENTS_LOST, NULL);
	f.count = d->lost;
	if (!journal_send(&d->journal, features_of(d), &f))
		return false;
	d->lost = d->lost_usec = 0;
	return true;
}

void daemon_report_lost(struct daemon *d, uint64_t now_usec)
{
	if (!d->lost || d->lost_usec > now_usec || try_report_lost(d))
		return;
	if (d->lost_delay_usec < LOST_DELAY_MAX_USEC)
		d->lost_delay_usec *= 2;
	d->lost_usec = now_usec + d->lost_delay_usec;
}

/* What was lost before is reported first. */
static void log_event(struct daemon *d, const struct finding *event)
{
	if ((!d->lost || try_report_lost(d)) && journal_send(&d->journal, features_of(d), event))
		return;
	if (!d->lost) {
		d->lost_delay_usec = LOST_DELAY_USEC;
		d->lost_usec = util_now_usec() + LOST_DELAY_USEC;
	}
	d->lost++;
	d->lost_total++;
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
	uint64_t suppressed = d->limit.suppressed;

	if (d->effect)
		effect_note_event(d->effect, &event);
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
	if (suppressed) {
		d->limit.suppressed = 0;
		finding_init(&note, FINDING_EVENTS_SUPPRESSED, NULL);
		note.count = suppressed;
		note.total = EVENT_LIMIT_BURST;
		note.duration_usec = EVENT_LIMIT_USEC;
		log_event(d, &note);
	}
	log_event(d, &event);
}

void daemon_end_bursts(struct daemon *d, uint64_t now_usec)
{
	struct finding f;

	while (bursts_end(&d->bursts, now_usec, &f))
		log_event(d, &f);
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

static void note_write(struct daemon *d, int r, bool *failed, enum finding_code code, const char *path)
{
	bool failed_before = *failed;

	if (r == 0)
		return;
	*failed = r < 0;
	if (r < 0 && !failed_before)
		daemon_report(d, code, path, r);
	else if (r > 0 && failed_before)
		daemon_report(d, FINDING_WRITABLE, path, 0);
}

void daemon_note_textfile(struct daemon *d, int r)
{
	note_write(d, r, &d->textfile_failed, FINDING_METRICS_UNWRITABLE, textfile_path(d->textfile));
}

void daemon_save_ledger(struct daemon *d)
{
	int r = d->ledger ? ledger_save(d->ledger, &d->observe->features) : 0;

	if (!d->ledger)
		return;
	d->ledger->urgent = false; /* after a failure, do not try in every iteration */
	note_write(d, r, &d->ledger_failed, FINDING_LEDGER_UNWRITABLE, d->ledger->path);
}

bool daemon_notify(const char *text, uint64_t usec)
{
	const struct timeval limit = { .tv_sec = (time_t)(usec / USEC_PER_SEC), .tv_usec = (suseconds_t)(usec % USEC_PER_SEC) };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;

	if (fd < 0 || len < 2 || len > sizeof(address.sun_path))
		return true; /* nobody listens */
	memcpy(address.sun_path, path, len);
	if (path[0] == '@') /* abstract, see unix(7) */
		address.sun_path[0] = '\0';
	if (usec)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	return sendto(fd, text, strlen(text), MSG_NOSIGNAL | (usec ? 0 : MSG_DONTWAIT), (struct sockaddr *)&address,
		       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) >= 0;
}

void daemon_notify_status(struct daemon *d, bool ready)
{
	size_t errors = d->conf_errors.n_errors + d->rule_errors.n_errors;
	struct reconcile_counts counts = reconcile_count(d->reconcile);
	size_t others = HASH_COUNT(d->others.list), others_bad = netns_statuses_count_bad(&d->others);
	char tail[128] = "", text[384];

	if (!ready && counts.problems == d->reported.problems && counts.contended == d->reported.contended &&
		others == d->reported_others && others_bad == d->reported_others_bad)
		return;
	if (others)
		snprintf(tail, sizeof(tail), ", other network namespaces: %zu (%zu do not match)", others, others_bad);
	if (errors)
		util_append(tail, sizeof(tail), ", errors in files: %zu", errors);
	snprintf(text, sizeof(text), "%sSTATUS=%s mode, rules: %zu, interfaces that do not match: %zu, contended: %zu%s",
		ready ? "READY=1\n" : "", d->enforce ? "enforce" : "audit",
		reconcile_rules(d->reconcile)->n_rules, counts.problems, counts.contended, tail);
	if (!daemon_notify(text, ready ? NOTIFY_USEC : 0))
		return; /* it is tried again when something else happens */
	d->reported = counts;
	d->reported_others = others;
	d->reported_others_bad = others_bad;
}
