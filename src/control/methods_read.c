/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/methods_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/json.h"
#include "kernel/netns.h"

/* ---- status ---- */

void method_add_standing(struct json_writer *w, const char *name, int ifindex, const char *verdict)
{
	method_open_link(w, name, ifindex);
	json_add_text(w, "verdict", verdict);
	json_close_object(w);
}

size_t method_add_standings(struct json_writer *w, struct methods *m, const struct reconcile_stands *stands,
	const struct open_call *open)
{
	size_t n = 0;

	for (const struct reconcile_stand *stand = stands->list; stand && n < METHODS_LIST_MAX; stand = stand->hh.next) {
		const struct link *link = link_table_find(&m->host.observe->links, stand->ifindex);

		if (stand->verdict == VERDICT_COMPLIANT || !link || (open && !method_is_asked(open, link)))
			continue;
		method_add_standing(w, link->name, stand->ifindex, verdict_name(stand->verdict));
		n++;
	}
	return n;
}

static void add_contended(struct json_writer *w, struct methods *m, const struct reconcile_stands *stands)
{
	size_t n = 0;

	json_open_list(w, "contended");
	for (const struct reconcile_stand *stand = stands->list; stand && n < METHODS_LIST_MAX; stand = stand->hh.next) {
		const struct link *link = link_table_find(&m->host.observe->links, stand->ifindex);
		feature_set bits = reconcile_contended(m->host.reconcile, stand->ifindex);

		if (!bits || !link)
			continue;
		method_open_link(w, link->name, link->ifindex);
		feature_add_names(w, "features", &m->host.observe->features, bits);
		json_close_object(w);
		n++;
	}
	json_close_list(w);
}

static void add_paused(struct json_writer *w, struct methods *m)
{
	uint64_t now_usec = util_now_usec();
	size_t n = 0;

	json_open_list(w, "paused");
	for (const struct ledger_link *p = m->host.ledger->pauses; p && n < METHODS_LIST_MAX; p = p->hh.next) {
		const struct link *link = link_table_find(&m->host.observe->links, p->ifindex);

		if (!link || !ledger_is_paused(m->host.ledger, link))
			continue;
		method_open_link(w, link->name, link->ifindex);
		if (p->until_usec)
			json_add_int(w, "seconds",
				p->until_usec > now_usec ? (int64_t)((p->until_usec - now_usec) / USEC_PER_SEC) : 0);
		else
			json_add_null(w, "seconds");
		json_close_object(w);
		n++;
	}
	json_close_list(w);
}

static void add_counts(struct json_writer *w, struct methods *m)
{
	struct reconcile_counts counts;

	reconcile_count(m->host.reconcile, &counts);
	json_add_int(w, "reconciles", (int64_t)counts.runs);
	json_add_int(w, "changes", (int64_t)counts.sets);
	json_add_int(w, "overruns", (int64_t)m->host.observe->counts.overruns);
}

void method_get_status(
	struct methods *m, struct server_client *client, _unused_ const struct method_arguments *args)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };
	struct services services = { 0 };
	struct reconcile_stands stands;
	int r = reconcile_stand(m->host.reconcile, util_realtime_sec(), &stands);

	if (r < 0) {
		method_not_possible(client, r);
		return;
	}
	method_open(&w);
	json_add_text(&w, "version", OFFLOADD_VERSION);
	json_add_int(&w, "pid", getpid());
	json_add_int(&w, "netns", (int64_t)netns_inode());
	json_add_text(&w, "mode", *m->host.enforce ? "enforce" : "audit");
	json_add_text(&w, "ethtool", ethtool_backend_name(m->host.observe->ethtool));
	json_add_int(&w, "links", (int64_t)link_table_count(&m->host.observe->links));
	json_add_int(&w, "rules", (int64_t)reconcile_rules(m->host.reconcile)->n_rules);
	json_add_rule_errors(&w, "rule_errors", m->host.rule_errors, METHODS_LIST_MAX);
	json_add_rule_errors(&w, "settings_errors", m->host.conf_errors, METHODS_LIST_MAX);
	json_add_verdicts(&w, stands.counts);
	json_add_int(&w, "pending", (int64_t)stands.pending);
	json_open_list(&w, "not_as_declared");
	method_add_standings(&w, m, &stands, NULL);
	json_close_list(&w);
	add_contended(&w, m, &stands);
	add_paused(&w, m);
	add_counts(&w, m);
	if (*m->host.tracker)
		tracker_list_probes(*m->host.tracker, &services);
	services_add_probes(&services, &w);
	method_reply(client, &w, false);
}

/* ---- metrics, services ---- */

void method_get_metrics(
	struct methods *m, struct server_client *client, _unused_ const struct method_arguments *args)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = m->host.metrics(&text, &len, m->host.userdata);

	if (r < 0) {
		method_not_possible(client, r);
		return;
	}
	method_open(&w);
	json_add_lines(&w, "text", text);
	method_reply(client, &w, false);
}

/* How the links that services pay on stand to the rules. */
static int judge_links(struct methods *m, struct services *services)
{
	struct reconcile_stands stands;
	int r = reconcile_stand(m->host.reconcile, util_realtime_sec(), &stands);

	for (size_t i = 0; r >= 0 && i < services->n_fallback; i++) {
		const struct reconcile_stand *stand;

		HASH_FIND_INT(stands.list, &services->fallback[i].ifindex, stand);
		services->fallback[i].verdict = stand ? verdict_name(stand->verdict) : NULL;
	}
	return r;
}

void method_get_services(
	struct methods *m, struct server_client *client, _unused_ const struct method_arguments *args)
{
	_cleanup_(services_clear) struct services services = { 0 };
	_cleanup_json_writer_ struct json_writer w = { 0 };
	uint64_t now_usec = util_now_usec();
	int r = *m->host.tracker ? tracker_list(*m->host.tracker, now_usec, &services) : 0;

	if (r >= 0)
		r = judge_links(m, &services);
	m->host.changed(m->host.userdata);
	if (r < 0) {
		method_not_possible(client, r);
		return;
	}
	method_open(&w);
	services_add_json(&services, &m->host.observe->features, now_usec, &w);
	method_reply(client, &w, false);
}

/* ---- the plan ---- */

/* The next links after the cursor, by ifindex; returns how many, at most METHODS_PAGE, and whether there are more. */
static size_t next_links(struct methods *m, const struct open_call *open,
	const struct reconcile_stands *stands, int indexes[METHODS_PAGE], bool *ret_more)
{
	size_t n = 0;

	*ret_more = false;
	for (const struct reconcile_stand *stand = stands->list; stand; stand = stand->hh.next) {
		const struct link *link = link_table_find(&m->host.observe->links, stand->ifindex);
		size_t at = n;

		if (!link || (uint64_t)stand->ifindex <= open->cursor || !method_is_asked(open, link))
			continue;
		while (at > 0 && indexes[at - 1] > stand->ifindex)
			at--;
		*ret_more = *ret_more || n == METHODS_PAGE;
		if (at == METHODS_PAGE)
			continue;
		n -= n == METHODS_PAGE;
		memmove(indexes + at + 1, indexes + at, (n - at) * sizeof(*indexes));
		indexes[at] = stand->ifindex;
		n++;
	}
	return n;
}

static int add_page(struct json_writer *w, struct methods *m, struct open_call *open, bool *ret_more)
{
	_cleanup_(plan_clear) struct plan plan = { 0 };
	const struct view view = {
		.features = &m->host.observe->features,
		.links = &m->host.observe->links,
		.rules = reconcile_rules(m->host.reconcile),
		.plan = &plan,
	};
	struct reconcile_stands stands;
	int indexes[METHODS_PAGE];
	size_t n;
	int r = reconcile_stand(m->host.reconcile, util_realtime_sec(), &stands);

	if (r < 0)
		return r;
	n = next_links(m, open, &stands, indexes, ret_more);
	r = reconcile_plan(m->host.reconcile, indexes, n, util_realtime_sec(), &plan);
	if (r < 0)
		return r;
	if (n)
		open->cursor = (uint64_t)indexes[n - 1];
	json_add_plan_links(w, &view);
	return 0;
}

static void resume_plan(struct methods *m, struct server_client *client, struct open_call *open)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };
	bool more;
	int r;

	method_open(&w);
	r = add_page(&w, m, open, &more);
	if (r < 0) {
		method_not_possible(client, r);
		return;
	}
	if (more)
		json_add_int(&w, "next", (int64_t)open->cursor);
	else
		json_add_null(&w, "next");
	method_reply(client, &w, more && open->more);
}

void method_get_plan(struct methods *m, struct server_client *client, const struct method_arguments *args)
{
	_cleanup_free_ struct open_call *open = method_new_open_call(client, args);

	if (!open)
		return;
	for (size_t i = 0; i < open->n_links; i++)
		if (!link_table_find_name(&m->host.observe->links, open->links[i])) {
			method_no_such_link(m, client, open->links[i]);
			return;
		}
	open->cursor = (uint64_t)args->after;
	open->resume = resume_plan;
	method_begin(m, client, open);
	open = NULL;
}
