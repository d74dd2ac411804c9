/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads evidence from the kernel for the services and the link of the command line. */
#ifndef OFFLOADD_CMD_SERVICE_H
#define OFFLOADD_CMD_SERVICE_H

#include "evidence/collect.h"
#include "offloadctl/cmd.h"

/* What to read. */
struct cmd_scope {
	struct collect collect;
	const char *unit; /* --unit: a pattern (fnmatch(3)) for the unit or the service name, with or without ".service"; NULL: all */
	int ifindex;	  /* --link; 0: all */
};

/* session, unit: borrowed. */
void cmd_scope_open(struct cmd_scope *scope, const struct cmd_session *session, const char *unit);
void cmd_scope_close(struct cmd_scope *scope);
/* Is traffic in the scope? Then buf has the name of its service. cgroup: of the sending process. netns, ifindex: the outgoing link. */
bool cmd_scope_has(struct cmd_scope *scope, uint64_t cgroup, uint32_t netns, int ifindex, char buf[UNIT_SERVICE_LEN]);
/* The same for a link and a service whose name is known. */
bool cmd_scope_has_service(const struct cmd_scope *scope, uint32_t netns, int ifindex, const struct unit *unit, const char *service);
/* The name of a link; "#7" if it was removed or is in another network namespace; "" for ifindex 0. Returns buf. */
const char *cmd_scope_link(const struct cmd_scope *scope, uint32_t netns, int ifindex, char buf[LINK_NAME_LEN]);
/* Adds the sendfile calls since the start or, with reset, since the last call. Includes calls still running; with reset, without their
 * time, which would be added again. 0 or negative errno. */
int cmd_scope_read_latency(struct cmd_scope *scope, struct probe_latency *probe, bool reset, struct evidence_latency *latency);

/* Prints why a probe is unavailable. what: the object to observe. Returns CMD_ERROR. */
int cmd_probe_absent(const char *what, const struct probe_status *status);

/* Blocks SIGINT and SIGTERM. Returns a signalfd(2) for them, which the caller closes; negative errno. */
int cmd_catch_stop(void);
/* Waits until a time (CLOCK_MONOTONIC), and calls fn when the descriptor `other` (negative: none) is readable. True: a signal came
 * before. */
bool cmd_wait_stop(int fd, uint64_t until_usec, int other, void (*fn)(void *userdata), void *userdata);

#endif
