/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/methods_private.h"

#include <errno.h>

#include "report/json.h"

void method_reload(struct methods *m, struct server_client *client, _unused_ const struct varlink_call *call)
{
	struct json_object *o;
	int r = m->host.reload(m->host.userdata);

	if (r < 0) {
		method_not_possible(client, r);
		return;
	}
	o = json_object_new_object();
	json_value_add_bool(o, "taken", r == (METHODS_TOOK_SETTINGS | METHODS_TOOK_RULES));
	json_value_add_bool(o, "settings_taken", r & METHODS_TOOK_SETTINGS);
	json_value_add_bool(o, "rules_taken", r & METHODS_TOOK_RULES);
	json_value_add_int(o, "rules", reconcile_rules(m->host.reconcile)->n_rules);
	json_value_add(o, "rule_errors", method_new_errors(m->host.rule_errors));
	json_value_add(o, "settings_errors", method_new_errors(m->host.conf_errors));
	method_reply(client, o);
}

void method_pause(struct methods *m, struct server_client *client, const struct varlink_call *call)
{
	const struct link *link;
	int64_t seconds = 0;
	int r = varlink_get_int(call, "seconds", 1, 86400 * 366, &seconds);

	if (r < 0) {
		method_invalid(client, "seconds");
		return;
	}
	link = method_get_link(m, client, call, NULL);
	if (!link)
		return;
	r = reconcile_pause(m->host.reconcile, link->ifindex,
		r > 0 ? util_now_usec() + (uint64_t)seconds * USEC_PER_SEC : 0, server_uid(client));
	m->host.changed(m->host.userdata);
	if (r < 0)
		method_not_possible(client, r);
	else
		method_reply(client, NULL);
}

void method_resume(struct methods *m, struct server_client *client, const struct varlink_call *call)
{
	const struct link *link = method_get_link(m, client, call, NULL);
	struct json_object *o;
	int r;

	if (!link)
		return;
	r = reconcile_resume(m->host.reconcile, link->ifindex, server_uid(client));
	m->host.changed(m->host.userdata);
	if (r < 0) {
		method_not_possible(client, r);
		return;
	}
	o = json_object_new_object();
	json_value_add_bool(o, "was_paused", r > 0);
	method_reply(client, o);
}

/* Pauses the links that revert is about to put back: otherwise they would be repaired at once. */
static int pause_reverted(
	struct methods *m, struct server_client *client, const struct link *only, struct json_object *names)
{
	char clean[LINK_NAME_LEN];

	link_table_foreach(&m->host.observe->links, link) {
		int r;

		if ((only && link != only) || !ledger_find(m->host.ledger, link))
			continue;
		util_copy_name(clean, sizeof(clean), link->name, sizeof(link->name));
		json_object_array_add(names, json_object_new_string(clean));
		if (ledger_is_paused(m->host.ledger, link))
			continue;
		r = reconcile_pause(m->host.reconcile, link->ifindex, 0, server_uid(client));
		if (r < 0)
			return r;
	}
	return 0;
}

void method_revert(struct methods *m, struct server_client *client, const struct varlink_call *call)
{
	_cleanup_(apply_report_clear) struct apply_report report = { 0 };
	struct json_object *o, *names, *results;
	const char *only[2] = { NULL };
	const struct link *link;
	bool absent;
	int r;

	link = method_get_link(m, client, call, &absent);
	if (!link && !absent)
		return;
	names = json_object_new_array();
	r = ledger_sync(m->host.ledger, &m->host.observe->features); /* what offloadctl apply changed */
	if (r >= 0)
		r = pause_reverted(m, client, link, names);
	if (link)
		only[0] = link->name;
	if (r >= 0)
		r = apply_revert(m->host.observe, m->host.ledger, link ? only : NULL, &report);
	m->host.changed(m->host.userdata);
	results = r < 0 && !report.results ? NULL : json_results(&m->host.observe->features, &report);
	if (!results) {
		json_object_put(names);
		method_not_possible(client, r < 0 ? r : -ENOMEM);
		return;
	}
	o = json_object_new_object();
	json_value_add(o, "results", results);
	json_value_add(o, "paused", names);
	method_reply(client, o);
}
