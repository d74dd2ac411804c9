/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/methods_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NONE (const char *const[]){ NULL }
#define NAMES(...) (const char *const[]){ __VA_ARGS__, NULL }

static const struct method {
	const char *name;
	void (*call)(struct methods *m, struct server_client *client, const struct varlink_call *call);
	bool changes; /* something, so not for everybody */
	const char *const *parameters;
} table[] = {
	{ METHODS_INTERFACE ".GetStatus", method_get_status, false, NONE },
	{ METHODS_INTERFACE ".GetPlan", method_get_plan, false, NAMES("links", "after") },
	{ METHODS_INTERFACE ".GetServices", method_get_services, false, NONE },
	{ METHODS_INTERFACE ".GetMetrics", method_get_metrics, false, NONE },
	{ METHODS_INTERFACE ".Reload", method_reload, true, NONE },
	{ METHODS_INTERFACE ".Pause", method_pause, true, NAMES("link", "seconds") },
	{ METHODS_INTERFACE ".Resume", method_resume, true, NAMES("link") },
	{ METHODS_INTERFACE ".Revert", method_revert, true, NAMES("link") },
	{ METHODS_INTERFACE ".GetEvents", method_get_events, false, NAMES("after", "follow") },
	{ METHODS_INTERFACE ".WaitOnline", method_wait_online, false, NAMES("links", "seconds") },
	{ "org.varlink.service.GetInfo", method_get_info, false, NONE },
	{ "org.varlink.service.GetInterfaceDescription", method_get_description, false, NAMES("interface") },
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
	unknown = varlink_unknown_parameter(call, method->parameters);
	if (unknown)
		method_invalid(client, unknown);
	else
		method->call(userdata, client, call);
}

static void on_resume(struct server_client *client, void *userdata)
{
	struct open_call *open = server_state(client);

	open->resume(userdata, client, open);
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
	return (struct server_handler){ .call = on_call, .resume = on_resume, .userdata = m };
}

void methods_take_event(struct methods *m, const struct finding *event)
{
	struct kept_event *kept;

	if (!m)
		return;
	kept = &m->events[++m->last_number % METHODS_EVENTS];
	kept->number = m->last_number;
	kept->time_usec = util_realtime_usec();
	kept->event = *event;
}
