/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/methods_private.h"

#include <stdlib.h>

#include "report/catalog.h"

/* ---- events ---- */

static struct json_object *new_process(const struct finding_process *process)
{
	struct json_object *o;

	if (!process->pid)
		return NULL;
	o = json_object_new_object();
	method_add_text(o, "process", process->comm);
	json_value_add_int(o, "pid", process->pid);
	method_add_text(o, "parent", process->parent_pid ? process->parent_comm : "");
	json_value_add(o, "parent_pid", process->parent_pid ? json_object_new_int(process->parent_pid) : NULL);
	method_add_text(o, "unit", process->unit);
	method_add_text(o, "link", process->link);
	json_value_add_int(o, "time_usec", process->time_usec);
	return o;
}

static struct json_object *new_event(const struct feature_table *table, const struct kept_event *kept)
{
	const struct finding *event = &kept->event;
	enum event_kind kind = finding_event(event->code);
	char text[CATALOG_TEXT_MAX];
	struct json_object *o = json_object_new_object();

	json_value_add_int(o, "number", kept->number);
	json_value_add_int(o, "time_usec", kept->time_usec);
	method_add_text(o, "event", event_kind_name(kind));
	method_add_text(o, "code", finding_name(event->code));
	method_add_text(o, "message_id", event_message_id(kind));
	json_value_add_int(o, "priority", finding_priority(event->code));
	method_add_text(o, "message", catalog_format(event, table, text, sizeof(text)));
	method_add_text(o, "link", event->link);
	json_value_add(o, "ifindex", event->ifindex ? json_object_new_int(event->ifindex) : NULL);
	json_value_add(o, "features", method_new_features(table, finding_features(event)));
	method_add_text(o, "rule", event->rules);
	method_add_text(o, "reason", catalog_reason(event, table, text, sizeof(text)));
	method_add_text(o, "service", event->service);
	json_value_add(o, "changed_by", new_process(&event->changed_by));
	return o;
}

static void resume_events(struct methods *m, struct server_client *client, struct open_call *open)
{
	struct json_object *o, *events;
	uint64_t first = open->cursor + 1, lost = 0, n = 0;

	if (open->follow && first > m->last_number)
		return;
	if (m->last_number >= METHODS_EVENTS && first <= m->last_number - METHODS_EVENTS) {
		lost = open->cursor ? m->last_number - METHODS_EVENTS - open->cursor : 0;
		first = m->last_number - METHODS_EVENTS + 1;
	}
	events = json_object_new_array();
	for (; first <= m->last_number && (!open->more || n < METHODS_PAGE); first++, n++)
		json_object_array_add(events,
			new_event(&m->host.observe->features, &m->events[first % METHODS_EVENTS]));
	open->cursor = first - 1;
	o = json_object_new_object();
	json_value_add(o, "events", events);
	json_value_add_int(o, "lost", lost);
	server_reply(client, o, open->more && (open->follow || open->cursor < m->last_number));
}

void method_get_events(struct methods *m, struct server_client *client, const struct varlink_call *call)
{
	_cleanup_free_ struct open_call *open = method_new_open_call(client, call);
	int64_t after = 0;

	if (!open)
		return;
	if (varlink_get_int(call, "after", 0, INT64_MAX, &after) < 0) {
		method_invalid(client, "after");
		return;
	}
	if (varlink_get_bool(call, "follow", &open->follow) < 0) {
		method_invalid(client, "follow");
		return;
	}
	if (open->follow && !open->more) {
		method_fail(client, "org.varlink.service.ExpectedMore", NULL, NULL);
		return;
	}
	/* a number of an earlier daemon */
	open->cursor = (uint64_t)after > m->last_number ? 0 : (uint64_t)after;
	open->resume = resume_events;
	method_begin(m, client, open);
	open = NULL;
}

/* ---- until links are as declared ---- */

/* Links that were named and are not there: how many, added to the list. */
static size_t add_absent(struct methods *m, const struct open_call *open, struct json_object *list)
{
	size_t n = 0;

	for (size_t i = 0; i < open->n_links; i++) {
		if (link_table_find_name(&m->host.observe->links, open->links[i]))
			continue;
		n++;
		json_object_array_add(list, method_new_standing(open->links[i], 0, "absent"));
	}
	return n;
}

static size_t count_pending(
	struct methods *m, const struct reconcile_stands *stands, const struct open_call *open)
{
	size_t n = 0;

	if (open->n_links == 0)
		return stands->pending;
	for (size_t i = 0; i < open->n_links; i++) {
		const struct link *link =
			link_table_find_name(&m->host.observe->links, open->links[i]);
		const struct reconcile_stand *stand = NULL;

		if (link)
			HASH_FIND_INT(stands->list, &link->ifindex, stand);
		n += stand && stand->pending;
	}
	return n;
}

static void resume_online(struct methods *m, struct server_client *client, struct open_call *open)
{
	bool late = open->deadline_usec && util_now_usec() >= open->deadline_usec;
	struct json_object *o, *missing;
	struct reconcile_stands stands;
	size_t waiting;
	int r;

	if (!reconcile_is_settled(m->host.reconcile) && !late)
		return;
	r = reconcile_stand(m->host.reconcile, util_realtime_sec(), &stands);
	if (r < 0) {
		method_not_possible(client, r);
		return;
	}
	missing = method_new_standings(m, &stands, open);
	waiting = count_pending(m, &stands, open) + add_absent(m, open, missing);
	if (waiting && !late) {
		json_object_put(missing);
		return;
	}
	o = json_object_new_object();
	json_value_add_bool(o, "online", json_object_array_length(missing) == 0);
	json_value_add_bool(o, "timed_out", waiting > 0);
	json_value_add(o, "missing", missing);
	method_reply(client, o);
}

void method_wait_online(struct methods *m, struct server_client *client, const struct varlink_call *call)
{
	_cleanup_free_ struct open_call *open = method_new_open_call(client, call);
	int64_t seconds = 0;
	int r;

	if (!open || !method_take_links(client, call, open))
		return;
	r = varlink_get_int(call, "seconds", 0, 86400 * 366, &seconds);
	if (r < 0) {
		method_invalid(client, "seconds");
		return;
	}
	if (r > 0)
		open->deadline_usec = util_now_usec() + (uint64_t)seconds * USEC_PER_SEC;
	open->resume = resume_online;
	method_begin(m, client, open);
	open = NULL;
}
