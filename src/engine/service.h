/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Restarts a unit through systemd's bus. The owner of sd-bus. */
#ifndef OFFLOADD_SERVICE_H
#define OFFLOADD_SERVICE_H

struct sd_event;
struct service_call;

/* error: "" when systemd took the job. The call is over then, and is the callee's to free. */
typedef void (*service_fn)(const char *unit, const char *error, void *userdata);

/* Asks systemd to restart the unit if it runs. It never waits: fn is called from the loop, unless this
 * returns a negative errno. */
int service_restart(struct sd_event *event, const char *unit, service_fn fn, void *userdata,
	struct service_call **ret);
void service_call_free(struct service_call *call);

#endif
