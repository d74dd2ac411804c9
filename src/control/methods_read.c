/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/methods_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/json.h"
#include "kernel/netns.h"

/* ---- status ---- */

struct json_object *method_new_standing(const char *name, int ifindex, const char *verdict)
{
	struct json_object *o = method_new_link(name, ifindex);

	method_add_text(o, "verdict", verdict);
	return o;
}

struct json_object *method_new_standings(struct methods *m, const struct open_call *open)
{
	struct json_object *list = json_object_new_array();

	link_states_foreach(reconcile_states(m->host.reconcile), state) {
		const struct link *link = link_table_find(&m->host.observe->links, state->ifindex);
		enum verdict verdict = link_result_verdict(&state->result);

		if (verdict == VERDICT_COMPLIANT || !link || (open && !method_is_asked(open, link)))
			continue;
		if (json_object_array_length(list) == METHODS_LIST_MAX)
			break;
		json_object_array_add(list, method_new_standing(link->name, link->ifindex, verdict_name(verdict)));
	}
	return list;
}

static struct json_object *new_contended(struct methods *m)
{
	struct json_object *list = json_object_new_array();

	link_states_foreach(reconcile_states(m->host.reconcile), state) {
		const struct link *link = link_table_find(&m->host.observe->links, state->ifindex);
		feature_set contended = link_state_contended(state);
		struct json_object *o;

		if (!contended || !link)
			continue;
		if (json_object_array_length(list) == METHODS_LIST_MAX)
			break;
		o = method_new_link(link->name, link->ifindex);
		json_value_add(o, "features", method_new_features(&m->host.observe->features, contended));
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *new_paused(struct methods *m)
{
	struct json_object *list = json_object_new_array();
	uint64_t now_usec = util_now_usec();

	link_states_foreach(reconcile_states(m->host.reconcile), state) {
		const struct link *link = link_table_find(&m->host.observe->links, state->ifindex);
		uint64_t until_usec = state->pause_until_usec;
		struct json_object *o;

		if (!state->paused || !link)
			continue;
		if (json_object_array_length(list) == METHODS_LIST_MAX)
			break;
		o = method_new_link(link->name, link->ifindex);
		json_value_add(o, "seconds",
			until_usec ? json_object_new_int64(until_usec > now_usec
						? (int64_t)((until_usec - now_usec) / USEC_PER_SEC)
						: 0)
				   : NULL);
		json_object_array_add(list, o);
	}
	return list;
}

static void add_counts(struct methods *m, struct json_object *to)
{
	struct reconcile_counts counts = reconcile_count(m->host.reconcile);
	struct json_object *work = json_object_new_object();

	json_value_add_int(to, "reconciles", counts.runs);
	json_value_add_int(to, "changes", counts.sets);
	json_value_add_int(to, "overruns", m->host.observe->counts.overruns);
	json_value_add_int(work, "plans", counts.plans);
	json_value_add_int(work, "predictions", counts.predictions);
	json_value_add(to, "work", work);
}

void method_get_status(
	struct methods *m, struct server_client *client, _unused_ const struct varlink_call *call)
{
	struct services services = { 0 };
	struct json_object *o = json_object_new_object(), *verdicts;
	struct link_summary summary;

	link_states_summarize(reconcile_states(m->host.reconcile), &summary);
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
		json_value_add_int(verdicts, verdict_name((enum verdict)v), summary.links[v]);
	json_value_add(o, "verdicts", verdicts);
	json_value_add_int(o, "pending", summary.pending);
	json_value_add(o, "not_as_declared", method_new_standings(m, NULL));
	json_value_add(o, "contended", new_contended(m));
	json_value_add(o, "paused", new_paused(m));
	add_counts(m, o);
	if (*m->host.tracker)
		tracker_list_probes(*m->host.tracker, &services);
	json_value_add(o, "probes", services_new_probes(&services));
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

/* How the links match the rules on which services use software fallback. */
static void judge_links(struct methods *m, struct services *services)
{
	for (size_t i = 0; i < services->n_fallback; i++) {
		const struct link_state *state =
			link_states_find(reconcile_states(m->host.reconcile), services->fallback[i].ifindex);

		services->fallback[i].verdict = state && state->result.declared
			? verdict_name(link_result_verdict(&state->result))
			: NULL;
	}
}

void method_get_services(
	struct methods *m, struct server_client *client, _unused_ const struct varlink_call *call)
{
	_cleanup_(services_clear) struct services services = { 0 };
	struct json_object *o;
	uint64_t now_usec = util_now_usec();
	int r = *m->host.tracker ? tracker_list(*m->host.tracker, now_usec, &services) : 0;

	judge_links(m, &services);
	m->host.changed(m->host.userdata);
	if (r < 0) {
		method_not_possible(client, r);
		return;
	}
	o = json_object_new_object();
	services_add_json(&services, &m->host.observe->features, now_usec, o);
	method_reply(client, o);
}

/* ---- the plan ---- */

/* The next links after the cursor, by ifindex: how many, at most METHODS_PAGE, and whether there are more; -ENOMEM. */
static int next_links(
	struct methods *m, const struct open_call *open, int indexes[METHODS_PAGE], bool *ret_more)
{
	_cleanup_free_ const struct link_state **states = NULL;
	size_t n_states;
	int n = 0, r = link_states_sorted(reconcile_states(m->host.reconcile), &states, &n_states);

	*ret_more = false;
	for (size_t i = 0; r >= 0 && i < n_states && !*ret_more; i++) {
		const struct link *link = link_table_find(&m->host.observe->links, states[i]->ifindex);

		if (!link || !states[i]->result.declared || (uint64_t)link->ifindex <= open->cursor ||
			!method_is_asked(open, link))
			continue;
		if (n == METHODS_PAGE)
			*ret_more = true;
		else
			indexes[n++] = link->ifindex;
	}
	return r < 0 ? r : n;
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
	int indexes[METHODS_PAGE];
	int r, n = next_links(m, open, indexes, ret_more);

	if (n < 0)
		return n;
	r = reconcile_plan(m->host.reconcile, indexes, (size_t)n, util_realtime_sec(), &plan);
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
