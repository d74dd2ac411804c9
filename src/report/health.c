/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/health.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/render_text.h"

#define LINKS_SHOWN 8

/* The first row of its service: a service has one for each link. */
static bool is_first_row(const struct evidence *e, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (strcmp(e->stale[i].service, e->stale[j].service) == 0)
			return false;
	return true;
}

void health_add_evidence(struct health *h, const struct evidence *e)
{
	bool complete = evidence_is_complete(e);

	for (size_t i = 0; i < e->n_stale; i++)
		h->restart += is_first_row(e, i);
	h->sees_restart = evidence_sees_restart(e);
	h->sees_fallback = e->has_fallback && !evidence_unobserved(e) && complete;
	for (unsigned kind = 0; kind < FALLBACK_KINDS; kind++)
		h->elsewhere += e->elsewhere[kind];
	for (size_t i = 0; i < e->n_fallback; i++) {
		const struct evidence_fallback *row = &e->fallback[i];
		bool now = false;

		for (unsigned kind = 0; kind < FALLBACK_KINDS; kind++)
			now |= row->hits[kind].now;
		if (!now)
			continue;
		if (evidence_is_intended(row->reason) || row->remedy == REMEDY_RULE || row->remedy == REMEDY_UNSUPPORTED ||
			row->remedy == REMEDY_NOT_POSSIBLE)
			h->fallback_kept++;
		else
			h->fallback++;
	}
}

static bool is_unobserved(const struct health *h)
{
	return h->elsewhere_unknown || (h->running && h->observes && !(h->sees_restart && h->sees_fallback));
}

static size_t count_impossible(const struct health *h)
{
	return h->with[VERDICT_CONTENDED] + h->with[VERDICT_REFUSED] + h->with[VERDICT_BLOCKED] + h->with[VERDICT_UNSUPPORTED] + h->elsewhere_unmet;
}

static size_t count_repairable(const struct health *h)
{
	return h->with[VERDICT_DRIFTED] + h->with[VERDICT_PAUSED] + h->restart + h->fallback + h->elsewhere_drifted;
}

enum health_state health_state(const struct health *h)
{
	if (h->errors || h->unread || count_impossible(h) || count_repairable(h))
		return HEALTH_NOT_OK;
	if (h->declared == 0)
		return HEALTH_UNDECLARED;
	return h->running && !is_unobserved(h) ? HEALTH_OK : HEALTH_UNKNOWN;
}

const char *health_state_name(enum health_state state)
{
	static const char *const names[HEALTH_STATES] = {
		[HEALTH_OK] = "ok", [HEALTH_NOT_OK] = "not-ok", [HEALTH_UNKNOWN] = "unknown", [HEALTH_UNDECLARED] = "undeclared" };

	return names[state];
}

int health_exit_code(const struct health *h)
{
	if (!h->running)
		return 3;
	if (h->errors || h->unread || h->rules == 0)
		return 1;
	return (count_repairable(h) ? 2 : 0) | (count_impossible(h) || is_unobserved(h) ? 4 : 0);
}

static void add_count(char *buf, size_t size, size_t n, const char *one, const char *many)
{
	if (n)
		util_append(buf, size, "%s%zu %s", buf[0] ? ", " : "", n, n == 1 ? one : many);
}

/* "2 interfaces drifted (13 features)" */
static void add_links(char *buf, size_t size, const struct health *h, enum verdict verdict)
{
	add_count(buf, size, h->with[verdict], "interface", "interfaces");
	if (h->with[verdict])
		util_append(buf, size, " %s (%zu feature%s)", verdict_name(verdict), h->features[verdict],
			util_plural(h->features[verdict]));
}

/* "1 feature unsupported". The features of links that could not be read count as refused, and are reported as unread. */
static void add_features(char *buf, size_t size, const struct health *h, enum verdict verdict)
{
	bool some_unread = verdict == VERDICT_REFUSED && h->unread;

	if (some_unread)
		add_count(buf, size, h->with[verdict] - h->unread, "interface", "interfaces");
	else
		add_count(buf, size, h->features[verdict], "feature", "features");
	if (some_unread ? h->with[verdict] > h->unread : h->features[verdict] > 0)
		util_append(buf, size, " %s", verdict_name(verdict));
}

static void format_problems(const struct health *h, char *buf, size_t size)
{
	add_links(buf, size, h, VERDICT_DRIFTED);
	add_features(buf, size, h, VERDICT_CONTENDED);
	add_features(buf, size, h, VERDICT_REFUSED);
	add_features(buf, size, h, VERDICT_BLOCKED);
	add_features(buf, size, h, VERDICT_UNSUPPORTED);
	add_links(buf, size, h, VERDICT_PAUSED);
	add_count(buf, size, h->elsewhere_drifted + h->elsewhere_unmet, "other network namespace does not match its rules",
		"other network namespaces do not match their rules");
	add_count(buf, size, h->restart, "service needs a restart", "services need a restart");
	add_count(buf, size, h->fallback, "sender uses software fallback", "senders use software fallback");
	add_count(buf, size, h->unread, "interface could not be read", "interfaces could not be read");
	add_count(buf, size, h->errors, "error in rules or settings", "errors in rules or settings");
}

/* What the line does not claim. */
static void append_limits(const struct health *h, char *buf, size_t size)
{
	if (!h->running) {
		util_append(buf, size, h->hung ? "; offloadd does not reply: services are not observed"
					       : "; offloadd is not running: rules are not enforced, services are not observed");
		return;
	}
	if (h->elsewhere_unknown)
		util_append(buf, size, "; %zu other network namespace%s could not be checked", h->elsewhere_unknown, util_plural(h->elsewhere_unknown));
	if (!h->observes)
		util_append(buf, size, "; services are not observed (probes are turned off)");
	else if (!(h->sees_restart && h->sees_fallback) && h->probes_absent)
		util_append(buf, size, "; services are not fully observed: %zu of %zu probes unavailable", h->probes_absent, h->probes);
	else if (!(h->sees_restart && h->sees_fallback))
		util_append(buf, size, "; not every service could be observed");
	if (h->fallback_kept)
		util_append(buf, size, "; %zu sender%s use%s software fallback that a repair cannot end", h->fallback_kept,
			util_plural(h->fallback_kept), h->fallback_kept == 1 ? "s" : "");
	if (h->elsewhere)
		util_append(buf, size, "; %" PRIu64 " hit%s of software fallback in other network namespaces %s not included", h->elsewhere,
			util_plural(h->elsewhere), h->elsewhere == 1 ? "is" : "are");
}

const char *health_format(const struct health *h, char *buf, size_t size)
{
	const char *mode = h->enforce ? "enforcing" : "audit mode";
	char problems[512] = "";

	buf[0] = '\0';
	switch (health_state(h)) {
	case HEALTH_NOT_OK:
		format_problems(h, problems, sizeof(problems));
		util_append(buf, size, "NOT OK: %s%s%s", problems, h->running ? "; " : "", h->running ? mode : "");
		break;
	case HEALTH_UNDECLARED:
		if (h->rules == 0)
			util_append(buf, size, "NOTHING DECLARED: no rules are loaded");
		else
			util_append(buf, size, "NOTHING DECLARED: no rule applies to the %zu interface%s of this host (%zu rule%s loaded)",
				h->links, util_plural(h->links), h->rules, util_plural(h->rules));
		break;
	case HEALTH_OK:
	case HEALTH_UNKNOWN:
		util_append(buf, size, "%s: %zu interface%s match%s %s rules", health_state(h) == HEALTH_OK ? "OK" : "UNKNOWN",
			h->declared, util_plural(h->declared), h->declared == 1 ? "es" : "", h->declared == 1 ? "its" : "their");
		if (h->running)
			util_append(buf, size, " (%s)", mode);
		break;
	}
	append_limits(h, buf, size);
	return buf;
}

static void put_next(const struct render *r, const char *command, const char *link, const char *does)
{
	int width = fprintf(r->out, "  %s%s%s", command, link[0] ? " " : "", link[0] ? render_clean_name(link) : "");

	width += fprintf(r->out, "%*s", width < 28 ? 28 - width : 2, "");
	render_wrapped(r, (unsigned)width, does);
}

void health_render(const struct render *r, const struct health *h)
{
	static const char *const colours[HEALTH_STATES] = { "1;32", "1;31", "1;33", "1;33" };
	char text[1024];
	const char *colon;

	health_format(h, text, sizeof(text));
	colon = strchr(text, ':');
	text[colon - text] = '\0';
	render_put_coloured(r, colours[health_state(h)], text);
	render_wrapped(r, (unsigned)fprintf(r->out, ": ") + (unsigned)(colon - text), colon + 2);
	if (h->errors)
		put_next(r, "offloadctl check", "", "shows the errors; a rule file with an error is ignored");
	if (h->with[VERDICT_DRIFTED] || h->unread)
		put_next(r, "offloadctl plan", "", "shows what differs from which rule, and the steps that repair it");
	if (h->with[VERDICT_DRIFTED] && !h->enforce)
		put_next(r, "sudo offloadctl apply", "", "carries out these steps, once");
	if (h->unmet[0])
		put_next(r, "offloadctl explain", h->unmet, "shows what prevents it, and what to do");
	if (h->paused[0])
		put_next(r, "sudo offloadctl resume", h->paused, "enforces its rules again");
	if (h->netns[0])
		put_next(r, "sudo offloadctl plan --netns", h->netns, "shows what differs there");
	if (h->restart || h->fallback)
		put_next(r, "offloadctl services", "", "shows which services, and what ends it");
	if (!h->running)
		put_next(r, "systemctl status offloadd", "", h->hung ? "shows what offloadd is doing" : "shows why offloadd is not running");
	if (health_state(h) == HEALTH_UNDECLARED)
		put_next(r, "offloadctl rules", "", "lists the rules and how many interfaces each matches");
	if (health_state(h) == HEALTH_UNDECLARED)
		put_next(r, "man offloadd.rule", "", "how to write a rule");
	else if (health_state(h) == HEALTH_OK && !h->enforce)
		put_next(r, "man offloadd.conf", "", "Mode=enforce lets offloadd repair what differs");
}

/* ---- a host without rules that apply ---- */

static void put_link(const struct render *r, const struct feature_table *table, const struct link *link)
{
	char text[256] = "";
	int width;

	if (link->has_features)
		view_offloads(table, link, text, sizeof(text));
	else
		util_append(text, sizeof(text), "features could not be read: %s", strerror(-link->features_error));
	fputs("  ", r->out);
	width = render_put_name(r, link->name);
	fputs(": ", r->out);
	render_wrapped(r, (unsigned)width + 4, text);
}

void health_render_links(const struct render *r, const struct feature_table *table, struct link_table *links)
{
	_cleanup_free_ struct link **sorted = NULL;
	size_t n, shown = 0;

	if (link_table_sorted(links, &sorted, &n) < 0)
		return;
	for (unsigned pass = 0; pass < 2; pass++) /* devices first */
		for (size_t i = 0; i < n; i++)
			if (!link_is_kind(sorted[i], "loopback") && link_is_kind(sorted[i], "physical") == !pass &&
				shown++ < LINKS_SHOWN)
				put_link(r, table, sorted[i]);
	if (shown > LINKS_SHOWN)
		fprintf(r->out, "  and %zu more\n", shown - LINKS_SHOWN);
}
