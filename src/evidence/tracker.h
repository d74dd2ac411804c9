/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's view of the probes: who uses software fallback, which services hold stale connections and since when, and who
 * changed a link. It sends events and requests restarts. It has no timer or clock: the caller passes the time in (now_usec,
 * CLOCK_MONOTONIC), polls tracker_fd(), and calls tracker_tick() at tracker_deadline(). */
#ifndef OFFLOADD_TRACKER_H
#define OFFLOADD_TRACKER_H

#include "model/finding.h"
#include "model/link.h"
#include "evidence/evidence.h"
#include "evidence/probe.h"
#include "evidence/restart.h"

#define TRACKER_DEFAULT_PATH "/run/offloadd/services"
#define TRACKER_REPORTED_MAX 1024 /* events about fallback, one per kind, link and service; then one more about all others */
/* Sockets are checked TRACKER_SETTLE_USEC after links changed, and every TRACKER_AGAIN_USEC while one is stale; after a check
 * that took t, not before t * TRACKER_COST_FACTOR. */
#define TRACKER_SETTLE_USEC (UINT64_C(200) * 1000)
#define TRACKER_AGAIN_USEC (UINT64_C(2) * 1000 * 1000)
#define TRACKER_COST_FACTOR 20
#define TRACKER_SLICE_USEC (UINT64_C(2) * 1000) /* for how long one call reads sockets or processes; then other events have their turn */
#define TRACKER_WAIT_USEC (UINT64_C(1) * 1000 * 1000) /* evidence that cannot be read again within this time may be older than asked for */
#define TRACKER_RESTART_USEC (UINT64_C(10) * 1000 * 1000) /* how long connections are stale before their service is restarted */
#define TRACKER_SENDFILE_USEC (UINT64_C(15) * 1000 * 1000) /* the usual scrape interval of Prometheus */
#define TRACKER_SAVE_USEC (UINT64_C(10) * 1000 * 1000) /* between two writes if only hits have changed */

struct tracker;

struct tracker_options {
	const struct feature_table *features; /* copied */
	const struct link_table *links; /* borrowed */
	const char *path;  /* file of the services that must reconnect, read at start; NULL: none. Copied */
	finding_fn fn;	   /* NULL: no events */
	/* Starts the restart of a unit. 0: the caller calls tracker_restarted() when it has ended; negative errno: it failed.
	 * Called only while *enforce is true. NULL: no restarts. */
	int (*restart)(const char *unit, void *userdata);
	/* Returns how a link matches the rules, or NULL if no rule applies to it. The callback may be NULL: unknown for all links. */
	const struct link_result *(*result)(int ifindex, void *userdata);
	const bool *enforce;
	void *userdata;
};

/* Loads the probes and reads the file. Returns 0 even if no probe is available, or -ENOMEM. */
int tracker_new(const struct tracker_options *options, uint64_t now_usec, struct tracker **ret);
/* Does not write the file: see tracker_save(). */
void tracker_free(struct tracker *w);

/* For poll(): when it is readable call tracker_read(). -ENOENT if no probe sends events. */
int tracker_fd(const struct tracker *w);
void tracker_read(struct tracker *w, uint64_t now_usec);

/* Links or their features have changed: schedules a check of the sockets. */
void tracker_note_change(struct tracker *w, uint64_t now_usec);
/* A link was repaired: fallback on it is reported again. */
void tracker_forget_link(struct tracker *w, int ifindex);

/* Can stale connections be found here? Then the reason is ""; otherwise it is copied to why, one line. LIMITED: only services that still
 * copy are found. */
enum tracker_sight { TRACKER_BLIND, TRACKER_LIMITED, TRACKER_SEES };
enum tracker_sight tracker_see_stale(const struct tracker *w, char why[PROBE_WHY_LEN]);
/* The same for software fallback. */
enum tracker_sight tracker_see_fallback(const struct tracker *w, char why[PROBE_WHY_LEN]);

/* Sets which services may be restarted. policy->units is borrowed until the next call. */
void tracker_set_policy(struct tracker *w, const struct restart_policy *policy);
/* A restart has ended. error: "" if systemd accepted it, otherwise the reason. */
void tracker_restarted(struct tracker *w, const char *unit, const char *error);

/* probe_needed_capabilities() */
uint64_t tracker_needed_capabilities(const struct tracker *w);

/* Starts or stops the measurement of sendfile(2) latency for the metrics. Returns 0; -EOPNOTSUPP, with the reason in
 * *ret_status; -ENOMEM. */
bool tracker_times_sendfile(const struct tracker *w);
int tracker_time_sendfile(struct tracker *w, bool wanted, uint64_t now_usec, struct probe_status *ret_status);

/* When to call tracker_tick() next; 0: never. */
uint64_t tracker_deadline(const struct tracker *w);
/* Does what is due. Returns 1 if metrics have changed, otherwise 0. */
int tracker_tick(struct tracker *w, uint64_t now_usec);

/* Sets event->changed_by of an event about a drift, repair or contention, if the probe is running. */
void tracker_find_changed_by(struct tracker *w, struct finding *event);

/* Counts the probes that are running, and those that are unavailable. */
void tracker_count_probes(const struct tracker *w, unsigned *ret_running, unsigned *ret_missing);

/* Adds the probes for this kernel, and why some are unavailable, to ret->probes. Their strings are borrowed from the tracker. */
void tracker_read_probes(const struct tracker *w, struct evidence *ret);
/* The evidence as it was at asked_usec (CLOCK_MONOTONIC) or later. Reading it takes at most 1/TRACKER_COST_FACTOR of the
 * daemon's time, however often it is asked for; if that would mean waiting longer than TRACKER_WAIT_USEC, the last one is returned. sockets
 * is empty, and latency has one row for all services. Returns 0; -EAGAIN: call it again with the same time at tracker_deadline(), after
 * tracker_tick(); -ENOMEM. *ret is owned by the tracker, and valid until it is called again. */
int tracker_read_evidence(struct tracker *w, uint64_t asked_usec, const struct evidence **ret);
/* Writes the file of services that must reconnect if they have changed. */
void tracker_save(struct tracker *w);

#endif
