/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Restarts a unit through systemd's D-Bus interface. The only user of sd-bus. */
#ifndef OFFLOADD_UNIT_RESTART_H
#define OFFLOADD_UNIT_RESTART_H

struct sd_event;
struct unit_restart;

/* Called once, from the event loop, with the result. unit: as passed to unit_restart_start(). error: "" if systemd queued the job,
 * otherwise one line with the reason. The callee may free the unit_restart. */
typedef void (*unit_restart_fn)(const char *unit, const char *error, void *userdata);

/* Asks systemd to restart a unit (TryRestartUnit: only if it is running) over a new connection to the system bus. Does not block:
 * fn is called later, at the latest after a timeout of 30 s. Returns 0, or a negative errno, and then fn is not called. The caller
 * frees *ret after fn was called, or earlier to cancel. */
int unit_restart_start(struct sd_event *event, const char *unit, unit_restart_fn fn, void *userdata,
	struct unit_restart **ret);
/* Closes the connection. restart may be NULL. */
void unit_restart_free(struct unit_restart *restart);

#endif
