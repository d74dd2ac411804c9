/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/methods_private.h"

#include <stdlib.h>

/* ---- records ---- */

static struct json_object *new_author(const struct event_author *author)
{
	struct json_object *o;

	if (!author->pid)
		return NULL;
	o = json_object_new_object();
	method_add_text(o, "process", author->comm);
	json_value_add_int(o, "pid", author->pid);
	method_add_text(o, "parent", author->parent_pid ? author->parent_comm : "");
	json_value_add(o, "parent_pid", author->parent_pid ? json_object_new_int(author->parent_pid) : NULL);
	method_add_text(o, "unit", author->unit);
	method_add_text(o, "link", author->link);
	json_value_add_int(o, "time_usec", author->time_usec);
	return o;
}

static struct json_object *new_event(const struct feature_table *table, const struct kept_event *kept)
{
	const struct event *event = &kept->event;
	struct json_object *o = json_object_new_object();

	json_value_add_int(o, "number", kept->number);
	json_value_add_int(o, "time_usec", kept->time_usec);
	method_add_text(o, "event", event_kind_name(event->kind));
	method_add_text(o, "message_id", event_message_id(event->kind));
	json_value_add_int(o, "priority", event->priority);
	method_add_text(o, "message", event->message);
	method_add_text(o, "link", event->link);
	json_value_add(o, "ifindex", event->ifindex ? json_object_new_int(event->ifindex) : NULL);
	json_value_add(o, "features", method_new_features(table, event->features));
	method_add_text(o, "rule", event->rule_file);
	method_add_text(o, "reason", event->why);
	method_add_text(o, "service", event->service);
	json_value_add(o, "author", new_author(&event->author));
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

static size_t count_pending(struct methods *m, const struct open_call *open)
{
	const struct link_states *states = reconcile_states(m->host.reconcile);
	struct link_summary summary;
	size_t n = 0;

	if (open->n_links == 0) {
		link_states_summarize(states, &summary);
		return summary.pending;
	}
	for (size_t i = 0; i < open->n_links; i++) {
		const struct link *link =
			link_table_find_name(&m->host.observe->links, open->links[i]);
		const struct link_state *state = link ? link_states_find(states, link->ifindex) : NULL;

		n += state && state->result.pending;
	}
	return n;
}

static void resume_online(struct methods *m, struct server_client *client, struct open_call *open)
{
	bool late = open->deadline_usec && util_now_usec() >= open->deadline_usec;
	struct json_object *o, *missing;
	size_t waiting;

	if (!reconcile_is_settled(m->host.reconcile) && !late)
		return;
	missing = method_new_standings(m, open);
	waiting = count_pending(m, open) + add_absent(m, open, missing);
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
