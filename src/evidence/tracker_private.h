/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What tracker.c, which watches, and tracker_list.c, which tells, share. */
#ifndef OFFLOADD_TRACKER_PRIVATE_H
#define OFFLOADD_TRACKER_PRIVATE_H

#include "evidence/tracker.h"

struct cgroup_paths;

/* A service that is flagged: the names, which outlive its cgroup, and its hits. */
struct tracker_flag {
	struct socket_holder_key key;
	struct unit unit;
	char service[UNIT_SERVICE_LEN];
	char link[LINK_NAME_LEN];
	uint64_t hits; /* since it was flagged */
	uint64_t seen; /* hits of its combination when last counted */
	uint64_t sum;  /* while counting */
	uint64_t flagged_usec; /* CLOCK_MONOTONIC, by this daemon */
	UT_hash_handle hh;
};

struct tracker_told {
	struct tracker_told_key {
		int32_t kind, ifindex;
		char service[UNIT_SERVICE_LEN];
	} key;
	UT_hash_handle hh;
};

struct tracker {
	struct tracker_options options;
	struct feature_table features;
	struct socket_features bits;
	struct probe *probe;
	bool blind; /* hits are counted, and nothing tells of them */
	struct cgroup_paths *cgroups; /* NULL: only processes tell */
	struct socket_holders holders;
	struct tracker_flag *flags;
	struct tracker_told *told;
	bool told_all;	   /* that there is no room for more */
	uint64_t lost_said;
	uint32_t netns;
	uint64_t inventory_usec, inventoried_usec, cost_usec; /* when next (0: never), when last, and how long it took */
	struct restart_policy policy;
	struct restart_queue restarts;
	uint64_t restart_usec; /* when the next one may be; 0: none waits */
	uint64_t look_usec; /* at hits; 0: never */
	uint64_t hits;	    /* all, when last looked at */
	unsigned quiet;	    /* looks without a new one */
	struct probe_latency *latency; /* NULL: nobody asked */
	struct histogram sendfile;
	bool sendfile_grew;
	uint64_t sendfile_usec; /* when to read it next; 0: never */
	char *path;
	bool unsaved, hits_unsaved, save_failed;
	uint64_t save_usec;
	struct totals_fallback *fallback; /* of the last tracker_totals() */
	struct totals_stale *stale;
	struct totals_probe *probes;
	const char **restart;
	struct services metrics_rows;
};

/* Which service: by its cgroup, or where that says nothing by the process (pid, comm; 0 and "" for none).
 * buf gets unit_format() of it, "cgroup N" for one that is gone. */
void tracker_name_service(struct tracker *w, uint64_t cgroup, pid_t pid, const char *comm,
	struct unit *ret, char buf[UNIT_SERVICE_LEN]);
/* The name as it is now, printable; "" for a link that is gone, or for index 0. */
void tracker_name_link(struct tracker *w, int ifindex, char buf[LINK_NAME_LEN]);
/* "local", "forwarded", "kernel". */
const char *tracker_origin_name(enum probe_origin origin);
/* Does the socket copy, so that it may go on after a repair of the link? */
bool tracker_is_by_socket(enum probe_kind kind);
/* 0 for a link of another network namespace. */
int tracker_own_ifindex(const struct tracker *w, const struct probe_hits *hits);
/* Takes the inventory: flags come and go, with their events; says when the next one is due. */
void tracker_look_at_sockets(struct tracker *w, uint64_t now_usec);
/* Counts what was hit. fresh: a flag of which what came before does not count; NULL. 1 when numbers grew, 0. */
int tracker_look_at_hits(struct tracker *w, uint64_t now_usec, const struct tracker_flag *fresh);
/* Adds what sendfile took since it was last looked at. 1 when it was called meanwhile, 0. */
int tracker_look_at_sendfile(struct tracker *w, uint64_t now_usec);
/* Frees what the last tracker_totals() gave. */
void tracker_clear_metrics(struct tracker *w);

#endif
