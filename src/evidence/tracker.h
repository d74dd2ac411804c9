/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The probes' findings brought together: who pays for fallback, which services hold stale connections and since
 * when, and who changed a link. It has no timer and no clock: the caller passes time in and waits for what
 * tracker_deadline() says. */
#ifndef OFFLOADD_TRACKER_H
#define OFFLOADD_TRACKER_H

#include "model/finding.h"
#include "model/link.h"
#include "evidence/totals.h"
#include "evidence/probe.h"
#include "evidence/restart.h"
#include "evidence/services.h"

#define TRACKER_DEFAULT_PATH "/run/offloadd/services"
#define TRACKER_TOLD_MAX 1024 /* combinations with an event of their own */
/* Sockets are looked at so long after links changed, and so often while any is stale; more slowly where
 * looking takes long. */
#define TRACKER_SETTLE_USEC (UINT64_C(200) * 1000)
#define TRACKER_AGAIN_USEC (UINT64_C(2) * 1000 * 1000)
#define TRACKER_COST_FACTOR 20
#define TRACKER_RESTART_USEC (UINT64_C(10) * 1000 * 1000) /* a flag must have stood so long */
#define TRACKER_SENDFILE_USEC (UINT64_C(15) * 1000 * 1000) /* as often as Prometheus asks */
#define TRACKER_SAVE_USEC (UINT64_C(10) * 1000 * 1000) /* at most one write for hits alone in so long */

struct tracker;

struct tracker_options {
	const struct feature_table *features; /* copied */
	const struct link_table *links;
	bool only_sockets; /* nothing that has to be there before it happens */
	const char *path;  /* where flags are kept over a restart; NULL: nowhere */
	finding_fn fn;	   /* NULL: no events */
	/* Restarts a unit for stale connections: 0, or negative errno; tracker_restarted() ends it. NULL: none ever. Called only while
	 * *enforce. */
	int (*restart)(const char *unit, void *userdata);
	const bool *enforce;
	void *userdata;
};

/* 0 even where no probe can be had; -ENOMEM. */
int tracker_new(const struct tracker_options *options, uint64_t now_usec, struct tracker **ret);
void tracker_free(struct tracker *w);

/* For poll; -ENOENT where nothing tells by itself. */
int tracker_fd(const struct tracker *w);
void tracker_read(struct tracker *w, uint64_t now_usec);

/* Links were changed, or their features: sockets are looked at soon. */
void tracker_note_change(struct tracker *w, uint64_t now_usec);
/* A link was put right: what is found on it later is told anew. */
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

/* Those that this kernel could have, with what stands in their way. */
void tracker_list_probes(struct tracker *w, struct services *ret);
/* All that is known now, sockets looked at anew unless that was a moment ago. 0, -ENOMEM. services_clear()
 * it. */
int tracker_list(struct tracker *w, uint64_t now_usec, struct services *ret);
/* The same as metrics; valid until the next call. */
int tracker_totals(struct tracker *w, uint64_t now_usec, struct totals *ret);
/* Writes what is to outlive the daemon. */
void tracker_save(struct tracker *w);

#endif
