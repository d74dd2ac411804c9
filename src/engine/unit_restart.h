/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Restarts a unit through systemd's bus. The owner of sd-bus. */
#ifndef OFFLOADD_UNIT_RESTART_H
#define OFFLOADD_UNIT_RESTART_H

struct sd_event;
struct unit_restart;

/* error: "" when systemd took the job. The call is over then, and is the callee's to free. */
typedef void (*unit_restart_fn)(const char *unit, const char *error, void *userdata);

/* Asks systemd to restart the unit if it runs. It never waits: fn is called from the loop, unless this
 * returns a negative errno. */
int unit_restart_start(struct sd_event *event, const char *unit, unit_restart_fn fn, void *userdata,
	struct unit_restart **ret);
void unit_restart_free(struct unit_restart *call);

#endif
