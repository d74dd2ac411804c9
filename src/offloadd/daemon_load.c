/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "offloadd/daemon_private.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rules/rule_file.h"

#define RULE_ERRORS_MAX 20

/* ---- settings ---- */

const char *const *daemon_rule_dirs(const struct daemon *d)
{
	return d->options->rule_dirs ? d->options->rule_dirs : conf_rule_dirs(&d->conf);
}

static bool wants_enforce(const struct daemon *d, const struct conf *conf)
{
	return d->options->mode == DAEMON_MODE_CONF ? conf->enforce
						    : d->options->mode == DAEMON_MODE_ENFORCE;
}

int daemon_set_textfile(struct daemon *d)
{
	return textfile_set_path(
		d->textfile, d->options->mode == DAEMON_MODE_AUDIT ? "" : d->conf.textfile);
}

void daemon_set_restart_policy(struct daemon *d)
{
	const struct restart_policy policy = { d->conf.restart_units, d->conf.restart_pause_usec };

	if (d->tracker)
		tracker_set_policy(d->tracker, &policy);
}

static void report_sight(struct daemon *d, const char *key, enum tracker_sight sight, const char *why)
{
	struct finding f;

	if (sight == TRACKER_SEES)
		return;
	finding_init(&f, sight == TRACKER_BLIND ? FINDING_SETTING_BLIND : FINDING_SETTING_LIMITED, NULL);
	finding_set_object(&f, key);
	finding_set_words(&f, d->tracker ? why : d->observes ? "probes failed to start" : "probes are turned off");
	daemon_send_event(&f, d);
}

static void report_protected_units(struct daemon *d)
{
	const char *at = d->conf.restart_units ? d->conf.restart_units : "";
	char unit[UNIT_NAME_LEN], setting[UNIT_NAME_LEN + sizeof("[Restart] Units=")];
	struct finding f;

	while (restart_next_protected(&at, unit)) {
		snprintf(setting, sizeof(setting), "[Restart] Units=%s", unit);
		finding_init(&f, FINDING_SETTING_BLIND, NULL);
		finding_set_object(&f, setting);
		finding_set_words(&f, "this service is never restarted");
		daemon_send_event(&f, d);
	}
}

void daemon_report_blind_settings(struct daemon *d)
{
	const char *stale = d->conf.hooks[EVENT_STALE], *fallback = d->conf.hooks[EVENT_FALLBACK];
	char why[PROBE_WHY_LEN] = "";
	enum tracker_sight sight = d->tracker ? tracker_see_stale(d->tracker, why) : TRACKER_BLIND;

	if (d->conf.restart_units && d->conf.restart_units[0])
		report_sight(d, "[Restart] Units=", sight, why);
	report_protected_units(d);
	if (stale && stale[0])
		report_sight(d, "[Hooks] OnStale=", sight, why);
	if (!fallback || !fallback[0])
		return;
	sight = d->tracker ? tracker_see_fallback(d->tracker, why) : TRACKER_BLIND;
	report_sight(d, "[Hooks] OnFallback=", sight, why);
}

void daemon_time_sendfile(struct daemon *d)
{
	struct probe_status status = { 0 };
	struct finding f;
	int r;

	if (!d->tracker)
		return;
	if (d->dropped && d->conf.sendfile_latency && !tracker_times_sendfile(d->tracker)) {
		daemon_report(d, FINDING_RESTART_NEEDED, "SendfileLatency", 0);
		return;
	}
	r = tracker_time_sendfile(d->tracker, d->conf.sendfile_latency, util_now_usec(), &status);
	if (r >= 0)
		return;
	finding_init(&f, FINDING_SENDFILE_UNTIMED, NULL);
	finding_set_words(&f, r == -EOPNOTSUPP ? status.why : "");
	f.error = r;
	daemon_send_event(&f, d);
}

static int add_conf_error(void *userdata, const char *path, unsigned line, const char *message)
{
	return rule_set_add_error(userdata, path, line, message);
}

/* 1: there were errors; 0; -ENOMEM. */
static int read_conf(struct daemon *d, struct conf *ret)
{
	int r;

	rule_set_clear(&d->conf_errors);
	r = conf_load(d->options->conf_path, add_conf_error, &d->conf_errors, ret);
	for (size_t i = 0; i < d->conf_errors.n_errors; i++)
		daemon_report_file_error(d, FINDING_SETTINGS_ERROR, &d->conf_errors.errors[i]);
	return r;
}

static void report_audit_by_error(struct daemon *d)
{
	struct finding f;

	finding_init(&f, FINDING_AUDIT_BY_ERROR, NULL);
	f.enforce = d->conf.enforce_written;
	daemon_send_event(&f, d);
}

int daemon_load_conf(struct daemon *d)
{
	int r = read_conf(d, &d->conf);

	if (r < 0)
		return r;
	d->enforce = wants_enforce(d, &d->conf);
	if (r > 0 && d->options->mode == DAEMON_MODE_CONF)
		report_audit_by_error(d);
	return 0;
}

/* Settings that only a restart applies. */
static void report_restart_needed(struct daemon *d, const struct conf *fresh)
{
	if (!d->options->has_backend && fresh->backend != d->conf.backend)
		daemon_report(d, FINDING_RESTART_NEEDED, "EthtoolBackend", 0);
	if (!d->options->rcvbuf_bytes && fresh->rcvbuf_bytes != d->conf.rcvbuf_bytes)
		daemon_report(d, FINDING_RESTART_NEEDED, "ReceiveBuffer", 0);
	if (!d->options->no_probes && fresh->probes != d->conf.probes)
		daemon_report(d, FINDING_RESTART_NEEDED, "Probes", 0);
}

int daemon_reload_conf(struct daemon *d)
{
	_cleanup_(conf_clear) struct conf fresh = { 0 };
	bool enforce, changed;
	int r = read_conf(d, &fresh);

	if (r < 0)
		return r;
	if (r > 0) {
		daemon_report(d, FINDING_SETTINGS_REJECTED, NULL, 0);
		return 0;
	}
	report_restart_needed(d, &fresh);
	enforce = wants_enforce(d, &fresh);
	conf_clear(&d->conf);
	d->conf = fresh;
	fresh = (struct conf){ 0 };
	if (enforce && !d->enforce && !util_has_capability(CAP_NET_ADMIN)) {
		daemon_report(d, FINDING_AUDIT_BY_CAPABILITY, NULL, 0);
		enforce = false;
	}
	if (enforce && !d->enforce && daemon_lock(d, 0) == -EWOULDBLOCK) {
		daemon_report(d, FINDING_AUDIT_BY_OTHER, d->control_path, 0);
		enforce = false;
	}
	changed = enforce != d->enforce;
	d->enforce = enforce;
	if (changed)
		daemon_report(d, FINDING_MODE, NULL, 0);
	daemon_set_restart_policy(d);
	daemon_report_blind_settings(d);
	daemon_time_sendfile(d);
	if (d->effect)
		effect_set_window(d->effect, d->conf.effect_window_usec);
	reconcile_configure(d->reconcile, enforce, &d->conf.contention);
	daemon_note_textfile(d, daemon_set_textfile(d));
	return 1;
}

/* ---- rules ---- */

/* By file name, because a file replaces one of the same name in a directory with lower priority, even if it has errors. */
static bool has_rule_of(const struct rule_set *set, const char *path)
{
	const char *slash = strrchr(path, '/');

	for (size_t i = 0; i < set->n_rules; i++)
		if (strcmp(set->rules[i].file, slash ? slash + 1 : path) == 0)
			return true;
	return false;
}

static bool is_rule_dir(const struct daemon *d, const char *path)
{
	for (const char *const *dir = daemon_rule_dirs(d); *dir; dir++)
		if (strcmp(*dir, path) == 0)
			return true;
	return false;
}

/* Would a reload lose rules by mistake? A file that was valid has errors now, or a directory is unreadable. */
static bool loses_rules(const struct daemon *d, const struct rule_set *now, const struct rule_set *fresh)
{
	for (size_t i = 0; i < fresh->n_errors; i++)
		if (has_rule_of(now, fresh->errors[i].path) || is_rule_dir(d, fresh->errors[i].path))
			return true;
	return false;
}

static void report_rule_errors(struct daemon *d, const struct rule_set *set)
{
	for (size_t i = 0; i < set->n_errors; i++) {
		if (i == RULE_ERRORS_MAX) {
			daemon_report_count(d, FINDING_RULE_ERRORS_MORE, set->n_errors - i);
			return;
		}
		daemon_report_file_error(d, FINDING_RULE_ERROR, &set->errors[i]);
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

int daemon_load_rules(struct daemon *d, bool reload)
{
	_cleanup_(rule_set_clear) struct rule_set fresh = { 0 };
	const struct rule_set *now = reconcile_rules(d->reconcile);
	bool routes, forwarding, names, hardware;
	size_t n;
	int r = (d->options->rule_dirs ? rule_set_load : rule_set_load_system)(daemon_rule_dirs(d), &d->observe->features,
		&fresh);

	rule_host_read(&d->host); /* DHCP may have changed the host name */
	if (r >= 0)
		r = keep_errors(&d->rule_errors, &fresh);
	if (r < 0)
		return r;
	report_rule_errors(d, &fresh);
	if (reload && loses_rules(d, now, &fresh)) {
		daemon_report_count(d, FINDING_RULES_REJECTED, now->n_rules);
		return 0;
	}
	routes = rule_set_needs_routes(&fresh);
	forwarding = rule_set_needs_forwarding(&fresh, &d->observe->features);
	names = rule_set_needs_names(&fresh);
	hardware = rule_set_needs_hardware(&fresh);
	n = fresh.n_rules;
	if (d->effect && !rule_set_is_equal(now, &fresh))
		effect_note_rules(d->effect);
	reconcile_take_rules(d->reconcile, &fresh);
	d->observe->want_routes = routes;
	d->observe->want_names = names;
	d->observe->want_hardware = hardware;
	d->observe->want_forwarding = forwarding;
	if (reload)
		daemon_report_count(d, FINDING_RULES_LOADED, n);
	if (reload)
		daemon_warn_without_rules(d);
	return 1;
}

bool daemon_lacks_rule_dir(const struct daemon *d)
{
	const struct rule_set *rules = reconcile_rules(d->reconcile);

	if (!d->options->rule_dirs)
		return false;
	for (size_t i = 0; i < rules->n_errors; i++)
		if (is_rule_dir(d, rules->errors[i].path))
			return true;
	return false;
}
