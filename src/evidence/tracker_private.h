/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by tracker.c (reading probes, events, restarts), tracker_list.c (struct evidence) and tracker_sendfile.c (sendfile
 * latency). */
#ifndef OFFLOADD_TRACKER_PRIVATE_H
#define OFFLOADD_TRACKER_PRIVATE_H

#include "evidence/collect.h"
#include "evidence/tracker.h"

/* Kind, reason, link and service of a fallback event. */
struct tracker_reported {
	struct tracker_reported_key {
		int32_t kind, reason, ifindex;
		char service[UNIT_SERVICE_LEN];
	} key;
	UT_hash_handle hh;
};

struct tracker {
	struct tracker_options options;
	struct feature_table features;
	struct collect collect;
	struct probe *probe;
	bool polling; /* the probes count hits, but send no events */
	struct stale_set stale;
	struct tracker_reported *reported;
	bool reported_all; /* FINDING_FALLBACK_MORE was reported */
	uint64_t lost_reported; /* hits of FINDING_FALLBACK_LOST, 0: not reported */
	uint64_t inventory_usec, inventoried_usec, cost_usec; /* check of sockets: the next (0: none), the last, and how long it took */
	struct restart_policy policy;
	struct restart_queue restarts;
	uint64_t restart_usec; /* when to call restart_due(); 0: never */
	uint64_t hits_usec; /* when to read hits next; 0: never */
	uint64_t hits;	    /* total, when last read */
	unsigned quiet;	    /* reads without a new hit */
	struct probe_latency *latency; /* NULL: not measured */
	struct evidence_latency_row sendfile; /* of all services, since tracker_new() */
	uint64_t sendfile_usec; /* when to read it next; 0: never */
	char *path;
	bool unsaved, hits_unsaved, save_failed;
	uint64_t save_usec; /* when to write the file for hits alone */
};

/* The current name, printable; "" if the link is gone, or for ifindex 0. */
void tracker_name_link(const struct tracker *w, int ifindex, char buf[LINK_NAME_LEN]);
/* The link of hits; 0 if it is in another network namespace. */
int tracker_own_ifindex(const struct tracker *w, const struct probe_hits *hits);
/* Checks the sockets, reports stale connections that appeared or ended, and schedules the next check. */
void tracker_read_sockets(struct tracker *w, uint64_t now_usec);
/* Reads the hits. Returns 1 if there are new ones, otherwise 0. */
int tracker_read_hits(struct tracker *w, uint64_t now_usec);
/* Adds the latency since the last read. Returns 1 if there were calls, otherwise 0. */
int tracker_read_sendfile(struct tracker *w, uint64_t now_usec);

#endif
