/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Converts what the probes return to struct evidence, and names services and links. Shared by the tracker of the daemon and by the
 * commands that read the kernel themselves. */
#ifndef OFFLOADD_COLLECT_H
#define OFFLOADD_COLLECT_H

#include "evidence/evidence.h"
#include "evidence/probe.h"
#include "evidence/stale.h"

struct cgroup_paths;

/* The sources of names. */
struct collect {
	struct cgroup_paths *cgroups;	/* NULL: services are named by their processes only */
	const struct link_table *links; /* of our network namespace; borrowed */
	uint32_t netns;			/* its inode number */
	struct socket_features features;
};

/* links and features are borrowed until collect_close(). */
void collect_open(struct collect *c, const struct link_table *links, const struct feature_table *features);
void collect_close(struct collect *c);

/* Names the service of a cgroup (0 or 1: unknown), or of a process (0: none) if the cgroup is unknown, as unit_format() does.
 * "cgroup N" if the cgroup is gone and was never seen; `otherwise` if both are unknown. *ret: the unit, of kind UNIT_NONE in
 * these two cases. Returns buf. */
const char *collect_name_service(struct collect *c, uint64_t cgroup, pid_t pid, const char *otherwise, struct unit *ret,
	char buf[UNIT_SERVICE_LEN]);
/* Sets service, unit and link of stale connections. If the cgroup is unknown, the service is that of the process with the
 * first sample. */
void collect_name_stale(struct collect *c, struct stale *stale);
/* NULL if the link is gone or belongs to another network namespace. */
const struct link *collect_find_link(const struct collect *c, uint32_t netns, int ifindex);

/* Adds a probe, unless it is absent because this kernel needs a different one; sets has_sockets and has_fallback. The strings
 * of status are borrowed. */
void collect_probe(struct evidence *e, const struct probe_status *status);
/* The same for every probe of `probe`. */
void collect_probes(struct evidence *e, const struct probe *probe);
/* Adds hits to the row of origin, service and link. now_usec: CLOCK_MONOTONIC. Returns the row, as evidence_fallback_row() does. */
struct evidence_fallback *collect_hits(struct evidence *e, const struct probe_hits *hits, const char *service, const char *link,
	uint64_t now_usec);
/* Takes an inventory of the stale connections, except orphaned sockets, which no restart would help. The caller calls
 * stale_end() if it succeeded. Returns a number >= 0, or a negative errno as probe_read_sockets(). */
int collect_stale(struct collect *c, struct probe *probe, struct stale_set *set);

#endif
