/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/methods_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/json.h"
#include "report/json_services.h"
#include "kernel/netns.h"

/* ---- status ---- */

struct json_object *method_new_standing(const char *name, int ifindex, const char *verdict)
{
	struct json_object *o = method_new_link(name, ifindex);

	method_add_text(o, "verdict", verdict);
	return o;
}

struct json_object *method_new_standings(
	struct methods *m, const struct reconcile_stands *stands, const struct open_call *open)
{
	struct json_object *list = json_object_new_array();

	for (const struct reconcile_stand *stand = stands->list; stand; stand = stand->hh.next) {
		const struct link *link = link_table_find(&m->host.observe->links, stand->ifindex);

		if (stand->verdict == VERDICT_COMPLIANT || !link || (open && !method_is_asked(open, link)))
			continue;
		if (json_object_array_length(list) == METHODS_LIST_MAX)
			break;
		json_object_array_add(
			list, method_new_standing(link->name, stand->ifindex, verdict_name(stand->verdict)));
	}
	return list;
}

static struct json_object *new_contended(struct methods *m, const struct reconcile_stands *stands)
{
	struct json_object *list = json_object_new_array();

	for (const struct reconcile_stand *stand = stands->list; stand; stand = stand->hh.next) {
		const struct link *link = link_table_find(&m->host.observe->links, stand->ifindex);
		feature_set bits = reconcile_contended(m->host.reconcile, stand->ifindex);
		struct json_object *o;

		if (!bits || !link)
			continue;
		if (json_object_array_length(list) == METHODS_LIST_MAX)
			break;
		o = method_new_link(link->name, link->ifindex);
		json_value_add(o, "features", method_new_features(&m->host.observe->features, bits));
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *new_paused(struct methods *m)
{
	struct json_object *list = json_object_new_array();
	uint64_t now_usec = util_now_usec();

	for (const struct ledger_link *p = m->host.ledger->pauses; p; p = p->hh.next) {
		const struct link *link = link_table_find(&m->host.observe->links, p->ifindex);
		struct json_object *o;

		if (!link || !ledger_is_paused(m->host.ledger, link))
			continue;
		if (json_object_array_length(list) == METHODS_LIST_MAX)
			break;
		o = method_new_link(link->name, link->ifindex);
		json_value_add(o, "seconds",
			p->until_usec ? json_object_new_int64(p->until_usec > now_usec
						? (int64_t)((p->until_usec - now_usec) / USEC_PER_SEC)
						: 0)
				      : NULL);
		json_object_array_add(list, o);
	}
	return list;
}

static void add_counts(struct methods *m, struct json_object *to)
{
	struct reconcile_counts counts;

	reconcile_count(m->host.reconcile, &counts);
	json_value_add_int(to, "reconciles", counts.runs);
	json_value_add_int(to, "changes", counts.sets);
	json_value_add_int(to, "overruns", m->host.observe->counts.overruns);
}

void method_get_status(
	struct methods *m, struct server_client *client, _unused_ const struct varlink_call *call)
{
	struct evidence probes = { 0 };
	struct json_object *o, *verdicts;
	struct reconcile_stands stands;
	int r = reconcile_stand(m->host.reconcile, util_realtime_sec(), &stands);

	if (r < 0) {
		method_not_possible(client, r);
		return;
	}
	o = json_object_new_object();
	method_add_text(o, "version", OFFLOADD_VERSION);
	json_value_add_int(o, "pid", getpid());
	json_value_add_int(o, "netns", netns_inode());
	method_add_text(o, "mode", *m->host.enforce ? "enforce" : "audit");
	method_add_text(o, "ethtool", ethtool_backend_name(m->host.observe->ethtool));
	json_value_add_int(o, "links", link_table_count(&m->host.observe->links));
	json_value_add_int(o, "rules", reconcile_rules(m->host.reconcile)->n_rules);
	json_value_add(o, "rule_errors", method_new_errors(m->host.rule_errors));
	json_value_add(o, "settings_errors", method_new_errors(m->host.conf_errors));
	verdicts = json_object_new_object();
	for (int v = 0; v < VERDICT_COUNT; v++)
		json_value_add_int(verdicts, verdict_name((enum verdict)v), stands.counts[v]);
	json_value_add(o, "verdicts", verdicts);
	json_value_add_int(o, "pending", stands.pending);
	json_value_add(o, "not_as_declared", method_new_standings(m, &stands, NULL));
	json_value_add(o, "contended", new_contended(m, &stands));
	json_value_add(o, "paused", new_paused(m));
	add_counts(m, o);
	if (*m->host.tracker)
		tracker_read_probes(*m->host.tracker, &probes);
	json_value_add(o, "probes", json_new_probes(&probes));
	method_reply(client, o);
}

/* ---- metrics, services ---- */

void method_get_metrics(
	struct methods *m, struct server_client *client, _unused_ const struct varlink_call *call)
{
	_cleanup_free_ char *text = NULL;
	struct json_object *o;
	size_t len;
	int r = m->host.metrics(&text, &len, m->host.userdata);

	if (r < 0) {
		method_not_possible(client, r);
		return;
	}
	o = json_object_new_object();
	json_value_add(o, "text", json_object_new_string_len(text, (int)len));
	method_reply(client, o);
}

/* The verdicts of the links on which services use software fallback. */
static int judge_links(struct methods *m, struct evidence *e)
{
	struct reconcile_stands stands;
	int r = reconcile_stand(m->host.reconcile, util_realtime_sec(), &stands);

	for (size_t i = 0; r >= 0 && i < e->n_fallback; i++) {
		const struct reconcile_stand *stand;

		HASH_FIND_INT(stands.list, &e->fallback[i].ifindex, stand);
		e->fallback[i].verdict = stand ? verdict_name(stand->verdict) : NULL;
	}
	return r;
}

void method_get_services(
	struct methods *m, struct server_client *client, _unused_ const struct varlink_call *call)
{
	_cleanup_(evidence_clear) struct evidence e = { 0 };
	struct json_object *o;
	int r = *m->host.tracker ? tracker_read_evidence(*m->host.tracker, util_now_usec(), &e) : 0;

	if (r >= 0)
		r = judge_links(m, &e);
	m->host.changed(m->host.userdata);
	if (r < 0) {
		method_not_possible(client, r);
		return;
	}
	o = json_object_new_object();
	json_add_services(&e, o);
	method_reply(client, o);
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

static int make_page(
	struct methods *m, struct open_call *open, struct json_object **ret, bool *ret_more)
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
	*ret = json_plan_links(&view);
	return *ret ? 0 : -ENOMEM;
}

static void resume_plan(struct methods *m, struct server_client *client, struct open_call *open)
{
	struct json_object *o, *links;
	bool more;
	int r = make_page(m, open, &links, &more);

	if (r < 0) {
		method_not_possible(client, r);
		return;
	}
	o = json_object_new_object();
	json_value_add(o, "links", links);
	json_value_add(o, "next", more ? json_object_new_int64((int64_t)open->cursor) : NULL);
	server_reply(client, o, more && open->more);
}

void method_get_plan(struct methods *m, struct server_client *client, const struct varlink_call *call)
{
	_cleanup_free_ struct open_call *open = method_new_open_call(client, call);
	int64_t after = 0;

	if (!open || !method_take_links(client, call, open))
		return;
	if (varlink_get_int(call, "after", 0, INT32_MAX, &after) < 0) {
		method_invalid(client, "after");
		return;
	}
	for (size_t i = 0; i < open->n_links; i++)
		if (!link_table_find_name(&m->host.observe->links, open->links[i])) {
			method_no_such_link(m, client, open->links[i]);
			return;
		}
	open->cursor = (uint64_t)after;
	open->resume = resume_plan;
	method_begin(m, client, open);
	open = NULL;
}
