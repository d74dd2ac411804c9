/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The probes' findings brought together: who uses software fallback, which services hold stale connections and since
 * when, and who changed a link. It has no timer and no clock: the caller passes time in and waits for what
 * tracker_deadline() says. */
#ifndef OFFLOADD_TRACKER_H
#define OFFLOADD_TRACKER_H

#include "model/finding.h"
#include "model/link.h"
#include "evidence/evidence.h"
#include "evidence/probe.h"
#include "evidence/restart.h"

#define TRACKER_DEFAULT_PATH "/run/offloadd/services"
#define TRACKER_REPORTED_MAX 1024 /* combinations with an event of their own */
/* Sockets are read so long after links changed, and so often while any is stale; more slowly where
 * reading takes long. */
#define TRACKER_SETTLE_USEC (UINT64_C(200) * 1000)
#define TRACKER_AGAIN_USEC (UINT64_C(2) * 1000 * 1000)
#define TRACKER_COST_FACTOR 20
#define TRACKER_RESTART_USEC (UINT64_C(10) * 1000 * 1000) /* stale for so long */
#define TRACKER_SENDFILE_USEC (UINT64_C(15) * 1000 * 1000) /* as often as Prometheus asks */
#define TRACKER_SAVE_USEC (UINT64_C(10) * 1000 * 1000) /* at most one write for hits alone in so long */

struct tracker;

struct tracker_options {
	const struct feature_table *features; /* copied */
	const struct link_table *links;
	const char *path;  /* where stale services are kept over a restart; NULL: nowhere */
	finding_fn fn;	   /* NULL: no events */
	/* Restarts a unit for stale connections: 0, or negative errno; tracker_restarted() ends it. NULL: none ever. Called only while
	 * *enforce. */
	int (*restart)(const char *unit, void *userdata);
	const bool *enforce;
	void *userdata;
};

/* 0 even where no probe is available; -ENOMEM. */
int tracker_new(const struct tracker_options *options, uint64_t now_usec, struct tracker **ret);
void tracker_free(struct tracker *w);

/* For poll; -ENOENT where no probe sends anything. */
int tracker_fd(const struct tracker *w);
void tracker_read(struct tracker *w, uint64_t now_usec);

/* Links were changed, or their features: sockets are read soon. */
void tracker_note_change(struct tracker *w, uint64_t now_usec);
/* A link was repaired: what is found on it later is reported again. */
void tracker_forget_link(struct tracker *w, int ifindex);

/* Who may be restarted; units stays the caller's. */
void tracker_set_policy(struct tracker *w, const struct restart_policy *policy);
/* A restart was taken by systemd, or refused (error is not ""). */
void tracker_restarted(struct tracker *w, const char *unit, const char *error);

/* Times each call of sendfile(2) for the metrics, or no longer. 0; -EOPNOTSUPP, and ret_status says why; -ENOMEM. */
int tracker_time_sendfile(struct tracker *w, bool wanted, uint64_t now_usec, struct probe_status *ret_status);

/* When to call tracker_tick() next, 0 for never. */
uint64_t tracker_deadline(const struct tracker *w);
/* Does what is due. 1 when numbers changed, 0. */
int tracker_tick(struct tracker *w, uint64_t now_usec);

/* Adds to an event about a change who made it, or that it is not known. Other events stay as they are. */
void tracker_find_changed_by(struct tracker *w, struct finding *event);

/* Counts probes that run, and those that are missing. */
void tracker_count_probes(const struct tracker *w, unsigned *ret_running, unsigned *ret_missing);

/* Adds the probes that this kernel could have, with what stands in their way. */
void tracker_read_probes(const struct tracker *w, struct evidence *ret);
/* All that is known now; sockets are read again unless that was a moment ago. No connections one by one; latency only of all services
 * together. 0, -ENOMEM. evidence_clear() it. */
int tracker_read_evidence(struct tracker *w, uint64_t now_usec, struct evidence *ret);
/* Writes what is to outlive the daemon. */
void tracker_save(struct tracker *w);

#endif
