/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/methods_private.h"

#include <errno.h>

#include "report/json.h"

void method_reload(struct methods *m, struct server_client *client, _unused_ const struct method_arguments *args)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };
	int r = m->host.reload(m->host.userdata);

	if (r < 0) {
		method_not_possible(client, r);
		return;
	}
	method_open(&w);
	json_add_bool(&w, "taken", r == (METHODS_LOADED_SETTINGS | METHODS_LOADED_RULES));
	json_add_bool(&w, "settings_taken", r & METHODS_LOADED_SETTINGS);
	json_add_bool(&w, "rules_taken", r & METHODS_LOADED_RULES);
	json_add_int(&w, "rules", (int64_t)reconcile_rules(m->host.reconcile)->n_rules);
	json_add_rule_errors(&w, "rule_errors", m->host.rule_errors, METHODS_LIST_MAX);
	json_add_rule_errors(&w, "settings_errors", m->host.conf_errors, METHODS_LIST_MAX);
	method_reply(client, &w, false);
}

void method_pause(struct methods *m, struct server_client *client, const struct method_arguments *args)
{
	const struct link *link = method_get_link(m, client, args->link);
	int r;

	if (!link)
		return;
	r = reconcile_pause(m->host.reconcile, link->ifindex,
		args->seconds > 0 ? util_now_usec() + (uint64_t)args->seconds * USEC_PER_SEC : 0, server_uid(client));
	m->host.changed(m->host.userdata);
	if (r < 0)
		method_not_possible(client, r);
	else
		method_reply(client, NULL, false);
}

void method_resume(struct methods *m, struct server_client *client, const struct method_arguments *args)
{
	const struct link *link = method_get_link(m, client, args->link);
	_cleanup_json_writer_ struct json_writer w = { 0 };
	int r, ifindex;

	if (!link)
		return;
	ifindex = link->ifindex; /* m->host.changed() may remove the link */
	r = reconcile_resume(m->host.reconcile, ifindex, server_uid(client));
	m->host.changed(m->host.userdata);
	if (r < 0) {
		method_not_possible(client, r);
		return;
	}
	method_open(&w);
	json_add_bool(&w, "was_paused", r > 0);
	feature_add_names(&w, "contended", &m->host.observe->features,
		link_state_unresolved(link_states_find(reconcile_states(m->host.reconcile), ifindex)));
	method_reply(client, &w, false);
}

/* Pauses the links that revert will restore; otherwise they would be repaired at once. */
static int pause_reverted(
	struct methods *m, struct server_client *client, const struct link *only, struct json_writer *names)
{
	link_table_foreach(&m->host.observe->links, link) {
		const struct link_state *state;
		int r;

		if ((only && link != only) || !ledger_find(m->host.ledger, link))
			continue;
		json_add_name(names, NULL, link->name, sizeof(link->name));
		state = link_states_find(reconcile_states(m->host.reconcile), link->ifindex);
		if (state && state->paused)
			continue;
		r = reconcile_pause(m->host.reconcile, link->ifindex, 0, server_uid(client));
		if (r < 0)
			return r;
	}
	return 0;
}

void method_revert(struct methods *m, struct server_client *client, const struct method_arguments *args)
{
	_cleanup_(apply_report_clear) struct apply_report report = { 0 };
	_cleanup_json_writer_ struct json_writer names = { .form = JSON_COMPACT };
	_cleanup_json_writer_ struct json_writer w = { 0 };
	const char *const only[2] = { args->link };
	const struct link *link = args->link ? method_get_link(m, client, args->link) : NULL;
	int r;

	if (args->link && !link)
		return;
	json_open_list(&names, NULL);
	r = ledger_sync(m->host.ledger, &m->host.observe->features); /* adds what offloadctl apply changed */
	if (r >= 0)
		r = pause_reverted(m, client, link, &names);
	if (r >= 0)
		r = apply_revert(m->host.observe, m->host.ledger, link ? only : NULL, &report);
	m->host.changed(m->host.userdata);
	if (r < 0 && !report.results) {
		method_not_possible(client, r);
		return;
	}
	json_close_list(&names);
	method_open(&w);
	json_add_results(&w, &m->host.observe->features, &report);
	json_add_written(&w, "paused", &names);
	method_reply(client, &w, false);
}
