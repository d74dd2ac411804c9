/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the tracker share: tracker.c watches and reports, tracker_list.c fills struct evidence, tracker_sendfile.c times
 * sendfile. */
#ifndef OFFLOADD_TRACKER_PRIVATE_H
#define OFFLOADD_TRACKER_PRIVATE_H

#include "evidence/collect.h"
#include "evidence/tracker.h"

/* A combination that has its event. */
struct tracker_reported {
	struct tracker_reported_key {
		int32_t kind, ifindex;
		char service[UNIT_SERVICE_LEN];
	} key;
	UT_hash_handle hh;
};

struct tracker {
	struct tracker_options options;
	struct feature_table features;
	struct collect collect;
	struct probe *probe;
	bool blind; /* hits are counted, and nothing wakes us for them */
	struct stale_set stale;
	struct tracker_reported *reported;
	bool reported_all; /* that there is no room for more */
	uint64_t lost_reported;
	uint64_t inventory_usec, inventoried_usec, cost_usec; /* when next (0: never), when last, and how long it took */
	struct restart_policy policy;
	struct restart_queue restarts;
	uint64_t restart_usec; /* when the next one may be; 0: none waits */
	uint64_t hits_usec; /* when to read hits next; 0: never */
	uint64_t hits;	    /* all, when last read */
	unsigned quiet;	    /* reads without a new one */
	struct probe_latency *latency; /* NULL: not wanted */
	struct evidence_latency_row sendfile; /* of all services, since the start */
	uint64_t sendfile_usec; /* when to read it next; 0: never */
	char *path;
	bool unsaved, hits_unsaved, save_failed;
	uint64_t save_usec;
};

/* The name as it is now, printable; "" for a link that is gone, or for index 0. */
void tracker_name_link(const struct tracker *w, int ifindex, char buf[LINK_NAME_LEN]);
/* 0 for a link of another network namespace. */
int tracker_own_ifindex(const struct tracker *w, const struct probe_hits *hits);
/* Takes the inventory: stale connections come and go, with their events; says when the next one is due. */
void tracker_read_sockets(struct tracker *w, uint64_t now_usec);
/* Counts what was hit. 1 when numbers grew, 0. */
int tracker_read_hits(struct tracker *w, uint64_t now_usec);
/* Adds what sendfile took since it was last read. 1 when it was called meanwhile, 0. */
int tracker_read_sendfile(struct tracker *w, uint64_t now_usec);

#endif
