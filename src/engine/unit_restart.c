/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/unit_restart.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-bus.h>

#include "basic/util.h"

#define CALL_USEC (UINT64_C(30) * 1000 * 1000)
#define RESTART_PRIORITY 20 /* of sd-event: after everything else */

struct unit_restart {
	sd_bus *bus;
	sd_bus_slot *slot;
	char unit[256];
	unit_restart_fn fn;
	void *userdata;
};

/* What polkit says of who is not root: that it asks, or that it need not ask. */
static bool is_refused(const sd_bus_error *error)
{
	return sd_bus_error_has_name(error, SD_BUS_ERROR_ACCESS_DENIED) ||
	       sd_bus_error_has_name(error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED);
}

static int on_answer(sd_bus_message *answer, void *userdata, _unused_ sd_bus_error *ret_error)
{
	struct unit_restart *call = userdata;
	const sd_bus_error *error = sd_bus_message_get_error(answer);
	char text[300];

	text[0] = '\0';
	if (error)
		util_append(text, sizeof(text), "%s%s",
			error->message ? error->message : error->name ? error->name : "refused",
			is_refused(error) ? " (no polkit rule lets offloadd: see [Restart] in offloadd.conf(5))" : "");
	call->fn(call->unit, text, call->userdata);
	return 0;
}

void unit_restart_free(struct unit_restart *call)
{
	if (!call)
		return;
	sd_bus_slot_unref(call->slot);
	if (call->bus) {
		(void)sd_bus_detach_event(call->bus);
		sd_bus_close_unref(call->bus);
	}
	free(call);
}

int unit_restart_start(struct sd_event *event, const char *unit, unit_restart_fn fn, void *userdata,
	struct unit_restart **ret)
{
	struct unit_restart *call = calloc(1, sizeof(*call));
	int r;

	if (!call)
		return -ENOMEM;
	call->fn = fn;
	call->userdata = userdata;
	util_append(call->unit, sizeof(call->unit), "%s", unit);
	r = sd_bus_open_system(&call->bus);
	if (r >= 0)
		r = sd_bus_set_method_call_timeout(call->bus, CALL_USEC);
	if (r >= 0)
		r = sd_bus_attach_event(call->bus, event, RESTART_PRIORITY);
	if (r >= 0)
		r = sd_bus_call_method_async(call->bus, &call->slot, "org.freedesktop.systemd1",
			"/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "TryRestartUnit",
			on_answer, call, "ss", unit, "replace");
	if (r < 0) {
		unit_restart_free(call);
		return r;
	}
	*ret = call;
	return 0;
}
