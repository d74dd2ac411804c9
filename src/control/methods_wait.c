/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/methods_private.h"

#include <stdlib.h>

#include "report/catalog.h"
#include "report/json_limits.h"

/* ---- events ---- */

static void add_process(struct json_writer *w, const struct finding_process *process)
{
	if (!json_open_if(w, "changed_by", process->pid))
		return;
	json_add_some(w, "process", process->comm);
	json_add_int(w, "pid", process->pid);
	json_add_some(w, "parent", process->parent_pid ? process->parent_comm : "");
	json_add_positive(w, "parent_pid", process->parent_pid);
	json_add_some(w, "unit", process->unit);
	json_add_some(w, "link", process->link);
	json_add_int(w, "time_usec", (int64_t)process->time_usec);
	json_close_object(w);
}

static void add_cost(struct json_writer *w, const struct finding_cost *cost)
{
	if (!json_open_if(w, "cost", cost->before_usec))
		return;
	json_add_int(w, "cpu_before_usec", (int64_t)cost->cpu_before_usec);
	json_add_positive(w, "cpu_after_usec", (int64_t)cost->cpu_after_usec);
	json_add_int(w, "softirq_before_usec", (int64_t)cost->softirq_before_usec);
	json_add_int(w, "softirq_after_usec", (int64_t)cost->softirq_after_usec);
	json_add_int(w, "before_bytes", (int64_t)cost->before_bytes);
	json_add_int(w, "after_bytes", (int64_t)cost->after_bytes);
	json_add_int(w, "before_usec", (int64_t)cost->before_usec);
	json_add_int(w, "after_usec", (int64_t)cost->after_usec);
	json_close_object(w);
}

static void add_event(struct json_writer *w, const struct feature_table *table, const struct kept_event *kept)
{
	const struct finding *event = &kept->event;
	enum event_kind kind = finding_event(event->code);
	char text[CATALOG_TEXT_MAX];

	json_open_object(w, NULL);
	json_add_int(w, "number", (int64_t)kept->number);
	json_add_int(w, "time_usec", (int64_t)kept->time_usec);
	json_add_text(w, "event", event_kind_name(kind));
	json_add_text(w, "code", finding_name(event->code));
	json_add_text(w, "message_id", event_message_id(kind));
	json_add_int(w, "priority", finding_priority(event->code));
	json_add_some(w, "message", catalog_format(event, table, text, sizeof(text)));
	json_add_some(w, "link", event->link);
	json_add_positive(w, "ifindex", event->ifindex);
	finding_add_features(w, event, table);
	json_add_limits(w, "limits", &event->limits);
	json_add_some(w, "rule", event->rules);
	json_add_some(w, "reason", catalog_reason(event, table, text, sizeof(text)));
	json_add_some(w, "service", event->service);
	json_add_text(w, "remedy", kind == EVENT_FALLBACK || kind == EVENT_STALE ? remedy_name(event->remedy) : NULL);
	add_process(w, &event->changed_by);
	add_cost(w, &event->cost);
	json_close_object(w);
}

static void resume_events(struct methods *m, struct server_client *client, struct open_call *open)
{
	_cleanup_json_writer_ struct json_writer w = { 0 };
	uint64_t first = open->cursor + 1, lost = 0, n = 0;

	if (open->follow && first > m->last_number)
		return;
	if (m->last_number >= METHODS_EVENTS && first <= m->last_number - METHODS_EVENTS) {
		lost = open->cursor ? m->last_number - METHODS_EVENTS - open->cursor : 0;
		first = m->last_number - METHODS_EVENTS + 1;
	}
	method_open(&w);
	json_open_list(&w, "events");
	for (; first <= m->last_number && (!open->more || n < METHODS_PAGE); first++, n++)
		add_event(&w, &m->host.observe->features, &m->events[first % METHODS_EVENTS]);
	json_close_list(&w);
	open->cursor = first - 1;
	json_add_int(&w, "lost", (int64_t)lost);
	method_reply(client, &w, open->more && (open->follow || open->cursor < m->last_number));
}

void method_get_events(struct methods *m, struct server_client *client, const struct method_arguments *args)
{
	_cleanup_free_ struct open_call *open = method_new_open_call(client, args);

	if (!open)
		return;
	open->follow = args->follow;
	if (open->follow && !open->more) {
		method_fail(client, "org.varlink.service.ExpectedMore", NULL, NULL);
		return;
	}
	/* from an earlier daemon */
	open->cursor = (uint64_t)args->after > m->last_number ? 0 : (uint64_t)args->after;
	open->resume = resume_events;
	method_begin(m, client, open);
	open = NULL;
}

/* ---- until links match the rules ---- */

/* Adds the named links that do not exist. Returns their number. */
static size_t add_absent(struct json_writer *w, struct methods *m, const struct open_call *open)
{
	size_t n = 0;

	for (size_t i = 0; i < open->n_links; i++) {
		if (link_table_find_name(&m->host.observe->links, open->links[i]))
			continue;
		n++;
		method_add_link_verdict(w, open->links[i], 0, "absent", (const size_t[VERDICT_COUNT]){ 0 });
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
		return summary.pending + m->host.observe->n_unnamed;
	}
	for (size_t i = 0; i < open->n_links; i++) {
		const struct link *link =
			link_table_find_name(&m->host.observe->links, open->links[i]);
		const struct link_state *state = link ? link_states_find(states, link->ifindex) : NULL;

		n += (state && state->result.pending) || (link && link->naming == LINK_NAME_PENDING);
	}
	return n;
}

static void resume_online(struct methods *m, struct server_client *client, struct open_call *open)
{
	bool late = open->deadline_usec && util_now_usec() >= open->deadline_usec;
	_cleanup_json_writer_ struct json_writer missing = { .form = JSON_COMPACT };
	_cleanup_json_writer_ struct json_writer w = { 0 };
	size_t waiting, absent, n;

	if (!reconcile_is_settled(m->host.reconcile) && !late)
		return;
	json_open_list(&missing, NULL);
	n = method_add_noncompliant(&missing, m, open);
	absent = add_absent(&missing, m, open);
	json_close_list(&missing);
	waiting = count_pending(m, open) + absent;
	if (waiting && !late)
		return;
	method_open(&w);
	json_add_bool(&w, "online", n + waiting == 0);
	json_add_bool(&w, "timed_out", waiting > 0);
	json_add_written(&w, "missing", &missing);
	method_reply(client, &w, false);
}

void method_wait_online(struct methods *m, struct server_client *client, const struct method_arguments *args)
{
	_cleanup_free_ struct open_call *open = method_new_open_call(client, args);

	if (!open)
		return;
	if (args->seconds >= 0)
		open->deadline_usec = util_now_usec() + (uint64_t)args->seconds * USEC_PER_SEC;
	open->resume = resume_online;
	method_begin(m, client, open);
	open = NULL;
}
