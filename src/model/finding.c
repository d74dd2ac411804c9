/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/finding.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "basic/json.h"
#include "basic/util.h"

static const struct {
	const char *name;
	enum event_kind event;
	int priority;
} codes[FINDING_CODES] = {
	[FINDING_NONE] = { "none", EVENT_NONE, 0 },
	[FINDING_REPAIRED] = { "repaired", EVENT_REPAIRED, LOG_NOTICE },
	[FINDING_REPAIRED_MEANWHILE] = { "repaired-meanwhile", EVENT_REPAIRED, LOG_NOTICE },
	[FINDING_REPAIRED_MORE] = { "repaired-more", EVENT_REPAIRED, LOG_NOTICE },
	[FINDING_DRIFTED] = { "drifted", EVENT_DRIFT, LOG_NOTICE },
	[FINDING_UNMET] = { "unmet", EVENT_UNMET, LOG_WARNING },
	[FINDING_NOT_IN_KERNEL] = { "not-in-kernel", EVENT_UNMET, LOG_WARNING },
	[FINDING_REFUSED] = { "refused", EVENT_REFUSED, LOG_WARNING },
	[FINDING_UNREADABLE] = { "unreadable", EVENT_REFUSED, LOG_WARNING },
	[FINDING_CONTENDED] = { "contended", EVENT_CONTENDED, LOG_WARNING },
	[FINDING_RESETS] = { "resets", EVENT_CONTENDED, LOG_WARNING },
	[FINDING_RESOLVED] = { "resolved", EVENT_RESOLVED, LOG_NOTICE },
	[FINDING_RECOVERED] = { "recovered", EVENT_RECOVERED, LOG_INFO },
	[FINDING_READABLE] = { "readable", EVENT_RECOVERED, LOG_INFO },
	[FINDING_PAUSED] = { "paused", EVENT_PAUSED, LOG_NOTICE },
	[FINDING_RESUMED] = { "resumed", EVENT_RESUMED, LOG_NOTICE },
	[FINDING_PAUSE_EXPIRED] = { "pause-expired", EVENT_RESUMED, LOG_NOTICE },
	[FINDING_RULE_ERROR] = { "rule-error", EVENT_RULES, LOG_ERR },
	[FINDING_RULE_ERRORS_MORE] = { "rule-errors-more", EVENT_RULES, LOG_ERR },
	[FINDING_RULES_REJECTED] = { "rules-rejected", EVENT_RULES, LOG_ERR },
	[FINDING_RULES_LOADED] = { "rules-loaded", EVENT_RULES, LOG_INFO },
	[FINDING_NO_RULES] = { "no-rules", EVENT_RULES, LOG_WARNING },
	[FINDING_SETTINGS_ERROR] = { "settings-error", EVENT_STATE, LOG_ERR },
	[FINDING_SETTINGS_REJECTED] = { "settings-rejected", EVENT_STATE, LOG_ERR },
	[FINDING_AUDIT_BY_ERROR] = { "audit-by-error", EVENT_STATE, LOG_ERR },
	[FINDING_AUDIT_BY_CAPABILITY] = { "audit-by-capability", EVENT_STATE, LOG_ERR },
	[FINDING_AUDIT_BY_OTHER] = { "audit-by-other", EVENT_STATE, LOG_ERR },
	[FINDING_MODE] = { "mode", EVENT_STATE, LOG_NOTICE },
	[FINDING_RESTART_NEEDED] = { "restart-needed", EVENT_STATE, LOG_WARNING },
	[FINDING_STARTED] = { "started", EVENT_STATE, LOG_INFO },
	[FINDING_STOPPED] = { "stopped", EVENT_STATE, LOG_INFO },
	[FINDING_OVERRUN] = { "overrun", EVENT_OVERRUN, LOG_WARNING },
	[FINDING_RELOAD_FAILED] = { "reload-failed", EVENT_STATE, LOG_ERR },
	[FINDING_RECONCILE_FAILED] = { "reconcile-failed", EVENT_STATE, LOG_ERR },
	[FINDING_NAME_UNSETTLED] = { "name-unsettled", EVENT_STATE, LOG_WARNING },
	[FINDING_LOOP_DISTURBED] = { "loop-disturbed", EVENT_STATE, LOG_ERR },
	[FINDING_LOOP_FAILED] = { "loop-failed", EVENT_STATE, LOG_ERR },
	[FINDING_WORKER_FAILED] = { "worker-failed", EVENT_STATE, LOG_ERR },
	[FINDING_NETNS_UNAVAILABLE] = { "netns-unavailable", EVENT_STATE, LOG_WARNING },
	[FINDING_HOST_NAME_FAILED] = { "host-name-failed", EVENT_STATE, LOG_ERR },
	[FINDING_LEDGER_SET_ASIDE] = { "ledger-set-aside", EVENT_STATE, LOG_WARNING },
	[FINDING_LEDGER_UNREADABLE] = { "ledger-unreadable", EVENT_STATE, LOG_NOTICE },
	[FINDING_LEDGER_UNWRITABLE] = { "ledger-unwritable", EVENT_STATE, LOG_ERR },
	[FINDING_METRICS_UNWRITABLE] = { "metrics-unwritable", EVENT_STATE, LOG_ERR },
	[FINDING_WRITABLE] = { "writable", EVENT_STATE, LOG_NOTICE },
	[FINDING_CONTROL_FAILED] = { "control-failed", EVENT_STATE, LOG_WARNING },
	[FINDING_CONTROL_REFUSES] = { "control-refuses", EVENT_STATE, LOG_WARNING },
	[FINDING_CONTROL_OPEN] = { "control-open", EVENT_STATE, LOG_NOTICE },
	[FINDING_CAPABILITIES_KEPT] = { "capabilities-kept", EVENT_STATE, LOG_WARNING },
	[FINDING_HOOK_FAILED] = { "hook-failed", EVENT_STATE, LOG_WARNING },
	[FINDING_EVENTS_SUPPRESSED] = { "events-suppressed", EVENT_STATE, LOG_WARNING },
	[FINDING_EVENTS_LOST] = { "events-lost", EVENT_STATE, LOG_WARNING },
	[FINDING_PROBES_FAILED] = { "probes-failed", EVENT_STATE, LOG_WARNING },
	[FINDING_PROBES_MISSING] = { "probes-missing", EVENT_STATE, LOG_NOTICE },
	[FINDING_SENDFILE_UNTIMED] = { "sendfile-untimed", EVENT_STATE, LOG_WARNING },
	[FINDING_SETTING_BLIND] = { "setting-blind", EVENT_STATE, LOG_WARNING },
	[FINDING_SETTING_LIMITED] = { "setting-limited", EVENT_STATE, LOG_WARNING },
	[FINDING_FALLBACK_SERVICE] = { "fallback-service", EVENT_FALLBACK, LOG_NOTICE },
	[FINDING_FALLBACK_SOCKET] = { "fallback-socket", EVENT_FALLBACK, LOG_NOTICE },
	[FINDING_UDP_REFUSED] = { "udp-refused", EVENT_FALLBACK, LOG_NOTICE },
	[FINDING_FALLBACK_FORWARDED] = { "fallback-forwarded", EVENT_FALLBACK, LOG_NOTICE },
	[FINDING_FALLBACK_KERNEL] = { "fallback-kernel", EVENT_FALLBACK, LOG_NOTICE },
	[FINDING_FALLBACK_MORE] = { "fallback-more", EVENT_STATE, LOG_WARNING },
	[FINDING_FALLBACK_LOST] = { "fallback-lost", EVENT_STATE, LOG_WARNING },
	[FINDING_STALE] = { "stale", EVENT_STALE, LOG_WARNING },
	[FINDING_RECONNECTED] = { "reconnected", EVENT_RECONNECTED, LOG_NOTICE },
	[FINDING_GAVE_UP] = { "gave-up", EVENT_STALE, LOG_WARNING },
	[FINDING_SEGMENTS_AGAIN] = { "segments-again", EVENT_RECONNECTED, LOG_NOTICE },
	[FINDING_EFFECT_HELPED] = { "effect-helped", EVENT_EFFECT, LOG_NOTICE },
	[FINDING_EFFECT_NONE] = { "effect-none", EVENT_EFFECT, LOG_NOTICE },
	[FINDING_EFFECT_UNKNOWN] = { "effect-unknown", EVENT_EFFECT, LOG_INFO },
	[FINDING_EFFECT_WORSE] = { "effect-worse", EVENT_WORSE, LOG_WARNING },
	[FINDING_EFFECT_UNDONE] = { "effect-undone", EVENT_WORSE, LOG_WARNING },
	[FINDING_RESTARTED] = { "restarted", EVENT_RESTARTED, LOG_NOTICE },
	[FINDING_RESTART_FAILED] = { "restart-failed", EVENT_STATE, LOG_WARNING },
	[FINDING_SERVICES_UNWRITABLE] = { "services-unwritable", EVENT_STATE, LOG_WARNING },
	[FINDING_DIAGNOSIS_DEVICE] = { "diagnosis-device", EVENT_NONE, 0 },
	[FINDING_DIAGNOSIS_LIMIT] = { "diagnosis-limit", EVENT_NONE, 0 },
	[FINDING_DIAGNOSIS_OTHER] = { "diagnosis-other", EVENT_NONE, 0 },
	[FINDING_DIAGNOSIS_RECONNECT] = { "diagnosis-reconnect", EVENT_NONE, 0 },
	[FINDING_DIAGNOSIS_GAVE_UP] = { "diagnosis-gave-up", EVENT_NONE, 0 },
	[FINDING_DIAGNOSIS_DISK] = { "diagnosis-disk", EVENT_NONE, 0 },
	[FINDING_DIAGNOSIS_RECEIVER] = { "diagnosis-receiver", EVENT_NONE, 0 },
	[FINDING_DIAGNOSIS_WELL] = { "diagnosis-well", EVENT_NONE, 0 },
	[FINDING_DIAGNOSIS_BLIND] = { "diagnosis-blind", EVENT_NONE, 0 },
	[FINDING_CHANGED_BY] = { "changed-by", EVENT_NONE, 0 },
	[FINDING_CHANGED_BY_UNKNOWN] = { "changed-by-unknown", EVENT_NONE, 0 },
};

const char *finding_name(enum finding_code code)
{
	return (size_t)code < ARRAY_SIZE(codes) ? codes[code].name : "unknown";
}

enum event_kind finding_event(enum finding_code code)
{
	return (size_t)code < ARRAY_SIZE(codes) ? codes[code].event : EVENT_NONE;
}

int finding_priority(enum finding_code code)
{
	return (size_t)code < ARRAY_SIZE(codes) ? codes[code].priority : LOG_NOTICE;
}

void finding_init(struct finding *ret, enum finding_code code, const struct link *link)
{
	*ret = (struct finding){ .code = code };
	if (!link)
		return;
	ret->ifindex = link->ifindex;
	util_copy_name(ret->link, sizeof(ret->link), link->name, sizeof(link->name));
}

const char *finding_unknown_name(enum finding_unknown unknown)
{
	static const char *const unknowns[FINDING_UNKNOWNS] = {
		[UNKNOWN_LITTLE_TRAFFIC] = "little-traffic",
		[UNKNOWN_UNCERTAIN] = "uncertain",
		[UNKNOWN_UNSTEADY] = "unsteady",
		[UNKNOWN_SOFTIRQ] = "softirq",
		[UNKNOWN_SERVICE_GONE] = "service-gone",
		[UNKNOWN_LINK_GONE] = "link-gone",
		[UNKNOWN_FEATURES_CHANGED] = "features-changed",
		[UNKNOWN_RULES_CHANGED] = "rules-changed",
		[UNKNOWN_NOT_READ] = "not-read",
	};

	return unknowns[unknown];
}

void finding_set_object(struct finding *f, const char *object)
{
	snprintf(f->object, sizeof(f->object), "%s", object);
}

void finding_set_words(struct finding *f, const char *words)
{
	snprintf(f->words, sizeof(f->words), "%s", words);
}

void finding_set_netns(struct finding *f, const char *netns)
{
	util_clean(netns, f->netns, sizeof(f->netns));
}

void finding_add_features(struct json_writer *w, const struct finding *f, const struct feature_table *table)
{
	unsigned bit;

	json_open_list(w, "features");
	feature_foreach(bit, f->on | f->off)
		json_add_text(w, NULL, feature_name(table, bit));
	feature_foreach(bit, f->foreign)
		json_add_text(w, NULL, feature_known(bit));
	json_close_list(w);
}

const char *finding_format_features(const struct finding *f, const struct feature_table *table, char *buf, size_t size)
{
	unsigned bit;

	buf[0] = '\0';
	if (f->on | f->off)
		return feature_format(table, f->on | f->off, buf, size);
	feature_foreach(bit, f->foreign)
		util_append(buf, size, "%s%s", buf[0] ? ", " : "", feature_known(bit));
	for (unsigned i = 0; i < LINK_LIMIT_COUNT; i++)
		if (f->limits.has & LINK_LIMIT(i))
			util_append(buf, size, "%s%s", buf[0] ? ", " : "", link_limit_name(i));
	return buf;
}

static bool same_step(const struct cause_step *a, const struct cause_step *b)
{
	return a->code == b->code && a->other_ifindex == b->other_ifindex && a->want == b->want &&
		a->other_bit == b->other_bit && a->number == b->number;
}

bool finding_add_cause(struct finding *f, const struct cause_step *step)
{
	struct cause_step added = *step;

	if (added.other_bit == added.bit)
		added.other_bit = FEATURE_MAX;
	for (size_t i = 0; i < f->n_causes; i++)
		if (same_step(&f->causes[i], &added))
			return true;
	if (f->n_causes == FINDING_CAUSES_MAX)
		return false;
	f->causes[f->n_causes++] = added;
	return true;
}
