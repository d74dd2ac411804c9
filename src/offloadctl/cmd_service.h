/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How commands fill struct evidence from the kernel, for the services and the link that were asked for. */
#ifndef OFFLOADD_CMD_SERVICE_H
#define OFFLOADD_CMD_SERVICE_H

#include "evidence/collect.h"
#include "offloadctl/cmd.h"

/* What is looked at. */
struct cmd_scope {
	struct collect collect;
	const char *unit; /* --unit, a glob over the name as systemd or as people have it, with or without ".service"; NULL: all */
	int ifindex;	  /* --link; 0: all */
};

void cmd_scope_open(struct cmd_scope *scope, const struct cmd_session *session, const char *unit);
void cmd_scope_close(struct cmd_scope *scope);
/* Is it of what was asked for? Then buf has the service's name. netns, ifindex: where it leaves. */
bool cmd_scope_has(struct cmd_scope *scope, uint64_t cgroup, pid_t pid, uint32_t netns, int ifindex,
	char buf[UNIT_SERVICE_LEN]);
/* "#7" for a link that is gone, or of another network namespace; "" for none. Returns buf. */
const char *cmd_scope_link(const struct cmd_scope *scope, uint32_t netns, int ifindex, char buf[LINK_NAME_LEN]);
/* Adds what sendfile took since the start or, with reset, since the last time; calls that still run are counted, too, with their time
 * but for reset. -ENOMEM. */
int cmd_scope_read_latency(struct cmd_scope *scope, struct probe_latency *probe, bool reset, struct evidence_latency *latency);

/* "no sockets: ...": why there is no such probe, as an error. CMD_ERROR. */
int cmd_probe_absent(const char *what, const struct probe_status *status);

/* A descriptor that is readable after SIGINT or SIGTERM, which no longer end the process. Negative errno. */
int cmd_catch_stop(void);
/* Waits until then (CLOCK_MONOTONIC), or until one of them comes: true. */
bool cmd_wait_stop(int fd, uint64_t until_usec);

#endif
