/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/methods_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- parameters ---- */

static const struct json_field no_parameters[] = { { 0 } };
static const struct json_field of_plan[] = {
	JSON_FIELD(struct method_arguments, links, "links", JSON_LIST, .most = METHODS_LIST_MAX),
	JSON_FIELD(struct method_arguments, after, "after", JSON_INT, .most = INT32_MAX),
	{ 0 },
};
static const struct json_field of_pause[] = {
	JSON_FIELD(struct method_arguments, seconds, "seconds", JSON_INT, .least = 1, .most = 86400 * 366),
	JSON_FIELD(struct method_arguments, link, "link", JSON_BORROWED, .required = true),
	{ 0 },
};
static const struct json_field of_resume[] = {
	JSON_FIELD(struct method_arguments, link, "link", JSON_BORROWED, .required = true), { 0 },
};
static const struct json_field of_revert[] = {
	JSON_FIELD(struct method_arguments, link, "link", JSON_BORROWED), { 0 },
};
static const struct json_field of_events[] = {
	JSON_FIELD(struct method_arguments, after, "after", JSON_INT),
	JSON_FIELD(struct method_arguments, follow, "follow", JSON_BOOL),
	{ 0 },
};
static const struct json_field of_wait_online[] = {
	JSON_FIELD(struct method_arguments, links, "links", JSON_LIST, .most = METHODS_LIST_MAX),
	JSON_FIELD(struct method_arguments, seconds, "seconds", JSON_INT, .most = 86400 * 366),
	{ 0 },
};
static const struct json_field of_description[] = {
	JSON_FIELD(struct method_arguments, interface, "interface", JSON_BORROWED, .required = true), { 0 },
};

static const struct method {
	const char *name;
	void (*call)(struct methods *m, struct server_client *client, const struct method_arguments *args);
	bool changes; /* requires root */
	const struct json_field *parameters;
} table[] = {
	{ METHODS_INTERFACE ".GetStatus", method_get_status, false, no_parameters },
	{ METHODS_INTERFACE ".GetPlan", method_get_plan, false, of_plan },
	{ METHODS_INTERFACE ".GetServices", method_get_services, false, no_parameters },
	{ METHODS_INTERFACE ".GetMetrics", method_get_metrics, false, no_parameters },
	{ METHODS_INTERFACE ".Reload", method_reload, true, no_parameters },
	{ METHODS_INTERFACE ".Pause", method_pause, true, of_pause },
	{ METHODS_INTERFACE ".Resume", method_resume, true, of_resume },
	{ METHODS_INTERFACE ".Revert", method_revert, true, of_revert },
	{ METHODS_INTERFACE ".GetEvents", method_get_events, false, of_events },
	{ METHODS_INTERFACE ".WaitOnline", method_wait_online, false, of_wait_online },
	{ "org.varlink.service.GetInfo", method_get_info, false, no_parameters },
	{ "org.varlink.service.GetInterfaceDescription", method_get_description, false, of_description },
};

const char *methods_name(size_t i)
{
	return i < ARRAY_SIZE(table) ? table[i].name : NULL;
}

static void not_found(struct server_client *client, const char *method)
{
	char interface[VARLINK_NAME_MAX];
	const char *dot = strrchr(method, '.');
	size_t len = dot ? (size_t)(dot - method) : 0;

	snprintf(interface, sizeof(interface), "%.*s", (int)len, method);
	if (strcmp(interface, METHODS_INTERFACE) == 0 || strcmp(interface, "org.varlink.service") == 0)
		method_fail(client, "org.varlink.service.MethodNotFound", "method", method);
	else
		method_fail(client, "org.varlink.service.InterfaceNotFound", "interface", interface);
}

static void on_call(struct server_client *client, const struct varlink_call *call, void *userdata)
{
	const struct method *method = NULL;
	struct method_arguments args = { .seconds = -1, .more = call->more };
	char why[JSON_WHY_LEN];
	struct json_reader reader = { .why = why, .why_size = sizeof(why) };
	const char *unknown;

	for (size_t i = 0; i < ARRAY_SIZE(table) && !method; i++)
		if (strcmp(call->method, table[i].name) == 0)
			method = &table[i];
	if (!method) {
		not_found(client, call->method);
		return;
	}
	if (method->changes && !server_may_change(client)) {
		method_fail(client, "org.varlink.service.PermissionDenied", NULL, NULL);
		return;
	}
	unknown = json_unknown(call->parameters, method->parameters);
	if (!unknown && json_read(&reader, call->parameters, method->parameters, &args) < 0) {
		why[strcspn(why, " ")] = '\0'; /* "seconds is out of range" */
		unknown = why;
	}
	if (unknown)
		method_invalid(client, unknown);
	else
		method->call(userdata, client, &args);
}

static void on_resume(struct server_client *client, void *userdata)
{
	struct open_call *open = server_state(client);

	open->resume(userdata, client, open);
}

static void on_refused(int error, void *userdata)
{
	const struct methods *m = userdata;

	if (m->host.refused)
		m->host.refused(error, m->host.userdata);
}

int methods_new(const struct methods_host *host, struct methods **ret)
{
	struct methods *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->host = *host;
	*ret = m;
	return 0;
}

void methods_free(struct methods *m)
{
	free(m);
}

struct server_handler methods_handler(struct methods *m)
{
	return (struct server_handler){ .call = on_call, .resume = on_resume, .refused = on_refused, .userdata = m };
}

void methods_add_event(struct methods *m, const struct finding *event)
{
	struct kept_event *kept;

	if (!m)
		return;
	kept = &m->events[++m->last_number % METHODS_EVENTS];
	kept->number = m->last_number;
	kept->time_usec = util_realtime_usec();
	kept->event = *event;
}
