/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/methods_private.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/json.h"
#include "report/json_netns.h"
#include "report/json_limits.h"
#include "report/json_services.h"
#include "kernel/netns.h"

/* ---- status ---- */

void method_add_link_verdict(struct json_writer *w, const char *name, int ifindex, const char *verdict,
	const size_t counts[VERDICT_COUNT])
{
	method_open_link(w, name, ifindex);
	json_add_text(w, "verdict", verdict);
	json_add_verdicts(w, "verdicts", counts);
	json_close_object(w);
}

size_t method_add_noncompliant(struct json_writer *w, struct methods *m, const struct open_call *open)
{
	size_t n = 0;

	link_states_foreach(reconcile_states(m->host.reconcile), state) {
		const struct link *link = link_table_find(&m->host.observe->links, state->ifindex);
		enum verdict verdict = link_result_verdict(&state->result);
		size_t counts[VERDICT_COUNT] = { 0 };

		if (verdict == VERDICT_COMPLIANT || !link || (open && !method_is_asked(open, link)))
			continue;
		if (n == METHODS_LIST_MAX)
			break;
		link_result_count(&state->result, counts);
		method_add_link_verdict(w, link->name, link->ifindex, verdict_name(verdict), counts);
		n++;
	}
	return n;
}

static void add_contended(struct json_writer *w, struct methods *m)
{
	size_t n = 0;

	json_open_list(w, "contended");
	link_states_foreach(reconcile_states(m->host.reconcile), state) {
		const struct link *link = link_table_find(&m->host.observe->links, state->ifindex);
		feature_set contended = link_state_unresolved(state);
		unsigned limits = link_state_limits_unresolved(state);

		if (!(contended || limits) || !link)
			continue;
		if (n++ == METHODS_LIST_MAX)
			break;
		method_open_link(w, link->name, link->ifindex);
		feature_add_names(w, "features", &m->host.observe->features, contended);
		json_add_limit_names(w, "limits", limits);
		feature_add_names(w, "resets", &m->host.observe->features,
			contended & (state->contention ? state->contention->flapped[1] : 0));
		json_close_object(w);
	}
	json_close_list(w);
}

static void add_paused(struct json_writer *w, struct methods *m)
{
	uint64_t now_usec = util_now_usec();
	size_t n = 0;

	json_open_list(w, "paused");
	link_states_foreach(reconcile_states(m->host.reconcile), state) {
		const struct link *link = link_table_find(&m->host.observe->links, state->ifindex);
		uint64_t until_usec = state->pause_until_usec;

		if (!state->paused || !link)
			continue;
		if (n++ == METHODS_LIST_MAX)
			break;
		method_open_link(w, link->name, link->ifindex);
		if (until_usec)
			json_add_int(w, "seconds",
				until_usec > now_usec ? (int64_t)((until_usec - now_usec) / USEC_PER_SEC) : 0);
		else
			json_add_null(w, "seconds");
		json_close_object(w);
	}
	json_close_list(w);
}

static void add_counts(struct json_writer *w, struct methods *m)
{
	struct reconcile_counts counts = reconcile_count(m->host.reconcile);

	json_add_int(w, "reconciles", (int64_t)counts.runs);
	json_add_int(w, "changes", (int64_t)counts.sets);
	json_add_int(w, "overruns", (int64_t)m->host.observe->counts.overruns);
	json_open_object(w, "work");
	json_add_int(w, "plans", (int64_t)counts.plans);
	json_add_int(w, "predictions", (int64_t)counts.predictions);
	json_add_int(w, "uncertain_right", (int64_t)counts.uncertain_right);
	json_add_int(w, "uncertain_wrong", (int64_t)counts.uncertain_wrong);
	json_close_object(w);
}

/* As absolute paths, because offloadctl reads them from another working directory. */
static void add_rule_dirs(struct json_writer *w, struct methods *m)
{
	char cwd[PATH_MAX] = "", path[2 * PATH_MAX];

	json_open_list(w, "rule_directories");
	for (const char *const *dir = m->host.rule_dirs(m->host.userdata); *dir; dir++) {
		if (**dir != '/' && !cwd[0] && !getcwd(cwd, sizeof(cwd)))
			cwd[0] = '\0';
		snprintf(path, sizeof(path), "%s%s%s", **dir == '/' ? "" : cwd, **dir == '/' ? "" : "/", *dir);
		json_add_some(w, NULL, path);
	}
	json_close_list(w);
}

void method_get_status(
	struct methods *m, struct server_client *client, _unused_ const struct method_arguments *args)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };
	struct evidence probes = { 0 };
	struct link_summary summary;

	link_states_summarize(reconcile_states(m->host.reconcile), &summary);
	method_open(&w);
	json_add_text(&w, "version", OFFLOADD_VERSION);
	json_add_int(&w, "pid", getpid());
	json_add_int(&w, "netns", (int64_t)netns_inode());
	json_add_text(&w, "mode", *m->host.enforce ? "enforce" : "audit");
	json_add_text(&w, "ethtool", ethtool_backend_name(m->host.observe->ethtool));
	json_add_int(&w, "links", (int64_t)link_table_count(&m->host.observe->links));
	json_add_int(&w, "rules", (int64_t)reconcile_rules(m->host.reconcile)->n_rules);
	add_rule_dirs(&w, m);
	json_add_rule_errors(&w, "rule_errors", m->host.rule_errors, METHODS_LIST_MAX);
	json_add_rule_errors(&w, "settings_errors", m->host.conf_errors, METHODS_LIST_MAX);
	json_add_int(&w, "declared", (int64_t)summary.declared);
	json_add_verdicts(&w, "verdicts", summary.links);
	json_add_verdicts(&w, "features", summary.features);
	json_add_int(&w, "pending", (int64_t)summary.pending);
	json_add_int(&w, "unread", (int64_t)summary.unread);
	json_open_list(&w, "noncompliant");
	method_add_noncompliant(&w, m, NULL);
	json_close_list(&w);
	add_contended(&w, m);
	add_paused(&w, m);
	add_counts(&w, m);
	json_add_bool(&w, "observes", *m->host.observes);
	if (*m->host.tracker)
		tracker_read_probes(*m->host.tracker, &probes);
	json_add_probes(&w, &probes);
	json_add_netns(&w, m->host.namespaces, rule_set_needs_namespaces(reconcile_rules(m->host.reconcile)), METHODS_LIST_MAX);
	method_reply(client, &w, false);
}

/* ---- metrics, services ---- */

static void resume_metrics(struct methods *m, struct server_client *client, struct open_call *open)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = m->host.metrics(open->asked_usec, &text, &len, m->host.userdata);

	if (r == -EAGAIN) {
		m->host.schedule(m->host.userdata);
		return;
	}
	m->host.changed(m->host.userdata); /* others may wait for what was read */
	if (r < 0) {
		method_not_possible(client, r);
		return;
	}
	method_open(&w);
	json_add_lines(&w, "text", text);
	method_reply(client, &w, false);
}

static void resume_services(struct methods *m, struct server_client *client, struct open_call *open)
{
	static const struct evidence none;
	_cleanup_json_writer_ struct json_writer w = { 0 };
	const struct evidence *e = &none;
	int r = *m->host.tracker ? tracker_read_evidence(*m->host.tracker, open->asked_usec, &e) : 0;

	if (r == -EAGAIN) {
		m->host.schedule(m->host.userdata);
		return;
	}
	if (r < 0) {
		method_not_possible(client, r);
		return;
	}
	method_open(&w);
	json_add_services(&w, e);
	m->host.changed(m->host.userdata);
	method_reply(client, &w, false);
}

static void begin_reading(struct methods *m, struct server_client *client, const struct method_arguments *args,
	void (*resume)(struct methods *m, struct server_client *client, struct open_call *open))
{
	struct open_call *open = method_new_open_call(client, args);

	if (!open)
		return;
	open->resume = resume;
	method_begin(m, client, open);
}

void method_get_metrics(struct methods *m, struct server_client *client, const struct method_arguments *args)
{
	begin_reading(m, client, args, resume_metrics);
}

void method_get_services(struct methods *m, struct server_client *client, const struct method_arguments *args)
{
	begin_reading(m, client, args, resume_services);
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

static int add_page(struct json_writer *w, struct methods *m, struct open_call *open, bool *ret_more)
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
