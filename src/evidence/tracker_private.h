/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by tracker.c (reading probes, events, restarts), tracker_list.c (struct evidence), tracker_sendfile.c (sendfile
 * latency) and tracker_udp.c (UDP segmentation). */
#ifndef OFFLOADD_TRACKER_PRIVATE_H
#define OFFLOADD_TRACKER_PRIVATE_H

#include "evidence/collect.h"
#include "evidence/gave_up.h"
#include "evidence/lingering.h"
#include "evidence/tracker.h"

/* Kind, reason, link and service of a fallback event. */
struct tracker_reported {
	struct tracker_reported_key {
		int32_t kind, reason, ifindex;
		char service[UNIT_SERVICE_LEN];
	} key;
	UT_hash_handle hh;
};

/* Hits that are no longer in the kernel, by the same key. */
struct tracker_past {
	struct tracker_past_key {
		int32_t kind, ifindex, reason;
		char service[UNIT_SERVICE_LEN];
	} key;
	struct probe_hits hits; /* the sum; origin, netns and ifindex */
	UT_hash_handle hh;
};

/* A process whose UDP segmentation was refused on a link. */
struct tracker_udp {
	struct probe_sender_key key;
	uint64_t cgroup;
	struct unit unit;
	char service[UNIT_SERVICE_LEN];
	int pidfd; /* readable when the process has ended; negative: none */
	enum gave_up judged;
	bool named; /* it gave segmentation up, and the link is repaired */
	uint64_t since_usec, found_usec; /* CLOCK_REALTIME and CLOCK_MONOTONIC of that */
	UT_hash_handle hh;
};

#define TRACKER_EVENTS_MAX 1024 /* waiting for their sender to be resolved */

struct tracker {
	struct tracker_options options;
	struct feature_table features;
	struct collect collect;
	struct probe *probe;
	bool polling; /* the probes count hits, but send no events */
	struct stale_set stale;
	struct tracker_reported *reported;
	bool reported_all; /* FINDING_FALLBACK_MORE was reported */
	uint64_t lost_usec; /* CLOCK_MONOTONIC of the last lost hit that is known, 0: none */
	bool busy; /* work is not finished: go on at once, after other events */
	uint64_t inventory_usec, inventoried_usec, cost_usec; /* check of sockets: the next (0: none), the last, and how long it took */
	uint64_t spent_usec; /* on the one in progress */
	struct restart_policy policy;
	struct restart_queue restarts;
	uint64_t restart_usec; /* when to call restart_due(); 0: never */
	uint64_t hits_usec; /* when to read hits next; 0: never */
	uint64_t hits_spent_usec;
	bool resolving; /* hits are read, and their senders are being resolved */
	size_t checked; /* the first of these whose process has not been looked up yet; it may have ended */
	size_t n_ended; /* of those that were */
	struct {
		bool open; /* in progress */
		uint64_t begin_usec, spent_usec; /* of the one in progress */
		uint64_t from_usec, end_usec, cost_usec; /* of the last one */
		uint64_t next_usec; /* somebody waits for the next one, which may begin at this time; 0: nobody */
	} refresh; /* of evidence */
	struct evidence evidence; /* as last listed */
	struct probe_hits *read; /* as last read */
	size_t n_read;
	struct tracker_past *past;
	uint64_t past_lost[FALLBACK_KINDS]; /* hits that past had no room for */
	uint64_t past_lost_usec; /* CLOCK_MONOTONIC of the last of these, 0: none */
	uint64_t hits;	    /* total, when last read, with those in past */
	struct probe_hits *events;
	size_t n_events;
	uint64_t events_dropped; /* beyond TRACKER_EVENTS_MAX */
	uint64_t events_lost;	 /* these, and those of a full ring buffer, when last compared */
	uint64_t senders_usec; /* do not resolve senders before this time: it takes long */
	uint64_t senders_spent_usec;
	uint64_t settle_usec;  /* when to compare settled cgroups again */
	bool has_sockets;      /* the kernel shows them */
	struct lingering lingering;
	struct tracker_udp *udp;
	uint64_t udp_usec; /* when to call tracker_read_udp(); 0: not before the next event */
	bool watching;	   /* the probe counts what these processes send */
	unsigned quiet;	    /* reads without a new hit */
	struct probe_latency *latency; /* NULL: not measured */
	struct evidence_latency_row sendfile; /* of all services, since tracker_new() */
	uint64_t sendfile_usec; /* when to read it next; 0: never */
	char *path;
	bool unsaved, hits_unsaved, save_failed;
	uint64_t save_usec; /* when to write the file for hits alone */
};

/* Sets the remedy of a row, whose ifindex is set. */
void tracker_set_remedy(const struct tracker *w, const struct evidence *e, struct evidence_fallback *row);
/* The current name, printable; "" if the link is gone, or for ifindex 0. */
void tracker_name_link(const struct tracker *w, int ifindex, char buf[LINK_NAME_LEN]);
/* The link of hits; 0 if it is in another network namespace. */
int tracker_own_ifindex(const struct tracker *w, const struct probe_hits *hits);
/* Checks the sockets, reports stale connections that appeared or ended, and schedules the next check. 0; -EAGAIN: not finished. */
int tracker_read_sockets(struct tracker *w, uint64_t now_usec);
/* Reads the hits into w->read. Returns 1 if there are new ones, otherwise 0; -EAGAIN: not finished; -ENOMEM: w->read
 * is as before. */
int tracker_read_hits(struct tracker *w, uint64_t now_usec);
/* Hits that are in no row, and that no service is known for. Returns CLOCK_MONOTONIC of the last of them, 0: none. */
uint64_t tracker_read_lost(const struct tracker *w, struct probe_lost *ret);
/* Must the unit be restarted, for stale connections or UDP segmentation, on any link? */
bool tracker_needs_restart(const struct tracker *w, const char *unit);
/* Reads what the processes with refused UDP segmentation have sent since, reports those that gave it up and those that use it again, and
 * forgets those that have ended. Returns 1 if that changed anything, otherwise 0. */
int tracker_read_udp(struct tracker *w, uint64_t now_usec);
/* Did it give segmentation up, and is its link repaired now? */
bool tracker_is_named(const struct tracker *w, const struct tracker_udp *sender);
/* Adds those that gave it up to the stale connections of their service and link. */
void tracker_list_udp(const struct tracker *w, struct evidence *ret);
/* Restores what the file of services (a text with a NUL, which it changes) has; for the fuzzer, too. */
void tracker_restore(struct tracker *w, char *text);
/* Lines of the file of services that must reconnect. False: the line is of another kind. */
void tracker_save_udp(const struct tracker *w, FILE *f);
bool tracker_restore_udp(struct tracker *w, char *line);
void tracker_free_udp(struct tracker *w);
/* Adds the latency since the last read. Returns 1 if there were calls, otherwise 0. */
int tracker_read_sendfile(struct tracker *w, uint64_t now_usec);

#endif
