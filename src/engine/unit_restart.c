/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/unit_restart.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-bus.h>

#include "basic/util.h"

#define CALL_USEC (UINT64_C(30) * 1000 * 1000)
#define RESTART_PRIORITY 20 /* of the event source: after everything else */

struct unit_restart {
	sd_bus *bus;
	sd_bus_slot *slot;
	char unit[256];
	unit_restart_fn fn;
	void *userdata;
};

/* Polkit denied it, or would have to ask the user, which is not possible here. */
static bool is_refused(const sd_bus_error *error)
{
	return sd_bus_error_has_name(error, SD_BUS_ERROR_ACCESS_DENIED) ||
	       sd_bus_error_has_name(error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED);
}

static int on_answer(sd_bus_message *answer, void *userdata, _unused_ sd_bus_error *ret_error)
{
	struct unit_restart *restart = userdata;
	const sd_bus_error *error = sd_bus_message_get_error(answer);
	char text[300];

	text[0] = '\0';
	if (error)
		util_append(text, sizeof(text), "%s%s",
			error->message ? error->message : error->name ? error->name : "refused",
			is_refused(error) ? " (no polkit rule lets offloadd: see [Restart] in offloadd.conf(5))" : "");
	restart->fn(restart->unit, text, restart->userdata);
	return 0;
}

void unit_restart_free(struct unit_restart *restart)
{
	if (!restart)
		return;
	sd_bus_slot_unref(restart->slot);
	if (restart->bus) {
		(void)sd_bus_detach_event(restart->bus);
		sd_bus_close_unref(restart->bus);
	}
	free(restart);
}

int unit_restart_start(struct sd_event *event, const char *unit, unit_restart_fn fn, void *userdata,
	struct unit_restart **ret)
{
	struct unit_restart *restart = calloc(1, sizeof(*restart));
	int r;

	if (!restart)
		return -ENOMEM;
	restart->fn = fn;
	restart->userdata = userdata;
	util_append(restart->unit, sizeof(restart->unit), "%s", unit);
	r = sd_bus_open_system(&restart->bus);
	if (r >= 0)
		r = sd_bus_set_method_call_timeout(restart->bus, CALL_USEC);
	if (r >= 0)
		r = sd_bus_attach_event(restart->bus, event, RESTART_PRIORITY);
	if (r >= 0)
		r = sd_bus_call_method_async(restart->bus, &restart->slot, "org.freedesktop.systemd1",
			"/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "TryRestartUnit",
			on_answer, restart, "ss", unit, "replace");
	if (r < 0) {
		unit_restart_free(restart);
		return r;
	}
	*ret = restart;
	return 0;
}
