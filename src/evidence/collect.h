/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the probes to struct evidence: how services and links are named, and what a probe's status, counts and inventory become there.
 * The tracker of the daemon and the commands that ask the kernel themselves share it. */
#ifndef OFFLOADD_COLLECT_H
#define OFFLOADD_COLLECT_H

#include "evidence/evidence.h"
#include "evidence/probe.h"
#include "evidence/stale.h"

struct cgroup_paths;

/* What names are found by. */
struct collect {
	struct cgroup_paths *cgroups;	/* NULL: only processes have names */
	const struct link_table *links; /* of our network namespace; the caller's */
	uint32_t netns;			/* its inode */
	struct socket_features features;
};
/* links and features stay the caller's. */
void collect_open(struct collect *c, const struct link_table *links, const struct feature_table *features);
void collect_close(struct collect *c);

/* The service of a cgroup, or where that says nothing of a process (0: none): unit_format(), "cgroup N" for one that is gone and was
 * never seen, `otherwise` where neither says anything (kind UNIT_NONE). Returns buf. */
const char *collect_name_service(struct collect *c, uint64_t cgroup, pid_t pid, const char *otherwise, struct unit *ret,
	char buf[UNIT_SERVICE_LEN]);
/* Names whose stale connections these are, by the process that holds the first sample where the cgroup says nothing. */
void collect_name_stale(struct collect *c, struct stale *stale);
/* NULL for one that is gone, or of another network namespace. */
const struct link *collect_find_link(const struct collect *c, uint32_t netns, int ifindex);

/* A probe, unless it is absent because this kernel needs another; it also says what is looked for. */
void collect_probe(struct evidence *e, const struct probe_status *status);
void collect_probes(struct evidence *e, const struct probe *probe);
/* Adds hits to the row of their sender, who is named by the caller; now_usec: CLOCK_MONOTONIC. The row, NULL where it was left out. */
struct evidence_fallback *collect_hits(struct evidence *e, const struct probe_hits *hits, const char *service, const char *link,
	uint64_t now_usec);
/* One inventory of stale connections, but for those that no process holds: they only wait for their end. The caller ends the round
 * (stale_end()). Negative errno as of probe_read_sockets(). */
int collect_stale(struct collect *c, struct probe *probe, struct stale_set *set);

#endif
