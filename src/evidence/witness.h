/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The probes' findings brought together: who pays for fallback, which services hold frozen sockets and since
 * when, and who changed a link. It has no timer and no clock: the caller passes time in and waits for what
 * witness_deadline() says. */
#ifndef OFFLOADD_WITNESS_H
#define OFFLOADD_WITNESS_H

#include "model/event.h"
#include "model/link.h"
#include "evidence/totals.h"
#include "evidence/probe.h"
#include "evidence/restart.h"
#include "evidence/services.h"

#define WITNESS_DEFAULT_PATH "/run/offloadd/services"
#define WITNESS_TOLD_MAX 1024 /* combinations with a record of their own */
/* Sockets are looked at so long after links changed, and so often while any is frozen; more slowly where
 * looking takes long. */
#define WITNESS_SETTLE_USEC (UINT64_C(200) * 1000)
#define WITNESS_AGAIN_USEC (UINT64_C(2) * 1000 * 1000)
#define WITNESS_COST_FACTOR 20
#define WITNESS_RESTART_USEC (UINT64_C(10) * 1000 * 1000) /* a flag must have stood so long */
#define WITNESS_SENDFILE_USEC (UINT64_C(15) * 1000 * 1000) /* as often as Prometheus asks */
#define WITNESS_SAVE_USEC (UINT64_C(10) * 1000 * 1000) /* at most one write for hits alone in so long */

struct witness;

struct witness_options {
	const struct feature_table *features; /* copied */
	const struct link_table *links;
	bool only_sockets; /* nothing that has to be there before it happens */
	const char *path;  /* where flags are kept over a restart; NULL: nowhere */
	event_fn fn;	   /* NULL: no records */
	/* Restarts a unit for frozen connections: 0, or negative errno; witness_restarted() ends it. NULL: none ever. Called only while
	 * *enforce. */
	int (*restart)(const char *unit, void *userdata);
	const bool *enforce;
	void *userdata;
};

/* 0 even where no probe can be had; -ENOMEM. */
int witness_new(const struct witness_options *options, uint64_t now_usec, struct witness **ret);
void witness_free(struct witness *w);

/* For poll; -ENOENT where nothing tells by itself. */
int witness_fd(const struct witness *w);
void witness_read(struct witness *w, uint64_t now_usec);

/* Links were changed, or their features: sockets are looked at soon. */
void witness_note_change(struct witness *w, uint64_t now_usec);
/* A link was put right: what is found on it later is told anew. */
void witness_forget_link(struct witness *w, int ifindex);

/* Who may be restarted; units stays the caller's. */
void witness_set_policy(struct witness *w, const struct restart_policy *policy);
/* A restart was taken by systemd, or refused (error is not ""). */
void witness_restarted(struct witness *w, const char *unit, const char *error);

/* Times each call of sendfile(2) for the metrics, or no longer. 0; -EOPNOTSUPP, and ret_status says why; -ENOMEM. */
int witness_time_sendfile(struct witness *w, bool wanted, uint64_t now_usec, struct probe_status *ret_status);

/* When to call witness_tick() next, 0 for never. */
uint64_t witness_deadline(const struct witness *w);
/* Does what is due. 1 when numbers changed, 0. */
int witness_tick(struct witness *w, uint64_t now_usec);

/* Says in a record of a drift who caused it, or that it is not known. Other records are left alone. */
void witness_name_author(struct witness *w, struct event *event);

/* Counts probes that run, and those that are missing. */
void witness_count_probes(const struct witness *w, unsigned *ret_running, unsigned *ret_missing);

/* Those that this kernel could have, with what stands in their way. */
void witness_list_probes(struct witness *w, struct services *ret);
/* All that is known now, sockets looked at anew unless that was a moment ago. 0, -ENOMEM. services_clear()
 * it. */
int witness_list(struct witness *w, uint64_t now_usec, struct services *ret);
/* The same as metrics; valid until the next call. */
int witness_totals(struct witness *w, uint64_t now_usec, struct totals *ret);
/* Writes what is to outlive the daemon. */
void witness_save(struct witness *w);

#endif
