/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How commands name the service that a record of the kernel belongs to, and choose by --unit. */
#ifndef OFFLOADD_CMD_SERVICE_H
#define OFFLOADD_CMD_SERVICE_H

#include "kernel/cgroup.h"
#include "offloadctl/cmd.h"
#include "evidence/probe.h"
#include "model/unit.h"

/* By the cgroup of the socket; by the process where that says nothing. What is gone and was never seen is
 * named by its number. Returns buf. paths may be NULL. */
const char *cmd_service_name(struct cgroup_paths *paths, uint64_t cgroup, pid_t pid,
	struct unit *ret_unit, char *buf, size_t size);

/* Does the name, as systemd or as people have it, match this glob, with or without ".service"? NULL matches
 * all. */
bool cmd_service_matches(const char *glob, const struct unit *unit, const char *name);

/* "no sockets: ...": why there is no such probe, as an error. CMD_ERROR. */
int cmd_probe_absent(const char *what, const struct probe_status *status);

/* A descriptor that is readable after SIGINT or SIGTERM, which no longer end the process. Negative errno. */
int cmd_catch_stop(void);
/* Waits until then (CLOCK_MONOTONIC), or until told to stop: true. */
bool cmd_wait_stop(int fd, uint64_t until_usec);

#endif
