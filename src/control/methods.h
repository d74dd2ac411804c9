/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The methods of the Varlink interface org.offloadd, and the latest events. */
#ifndef OFFLOADD_METHODS_H
#define OFFLOADD_METHODS_H

#include "control/server.h"
#include "model/event.h"
#include "model/netns_status.h"
#include "evidence/tracker.h"
#include "engine/ledger.h"
#include "kernel/observe.h"
#include "engine/reconcile.h"

#define METHODS_INTERFACE "org.offloadd"
#define METHODS_EVENTS 128   /* events kept for GetEvents */
#define METHODS_LIST_MAX 64  /* most links in one reply */
#define METHODS_PAGE 16	     /* links or events in one of several replies */

#define METHODS_LOADED_SETTINGS 1
#define METHODS_LOADED_RULES 2

/* What methods use; valid as long as the server. */
struct methods_host {
	struct observe *observe;
	struct reconcile *reconcile;
	struct ledger *ledger;
	struct tracker *const *tracker; /* points to NULL: no probes */
	const bool *observes;		/* probes are not turned off. Without a tracker, they failed */
	const bool *enforce;
	const struct rule_set *rule_errors, *conf_errors; /* of the last load */
	const struct netns_statuses *namespaces; /* other network namespaces */
	/* The directories that rules are read from, NULL-terminated, the highest priority first. */
	const char *const *(*rule_dirs)(void *userdata);
	/* Loads settings and rules again. METHODS_LOADED_* bits of what was loaded, the rest is kept; negative errno. */
	int (*reload)(void *userdata);
	/* The server cannot accept clients for now. error: negative errno. */
	void (*refused)(int error, void *userdata);
	/* The metrics as text, which the caller frees, with the evidence of asked_usec (CLOCK_MONOTONIC) or later. 0; -EAGAIN as
	 * tracker_read_evidence(); another negative errno. */
	int (*metrics)(uint64_t asked_usec, char **ret, size_t *ret_len, void *userdata);
	/* Called after a change, for what has become due. */
	void (*changed)(void *userdata);
	/* Called when a method waits for the tracker: its deadline has changed. */
	void (*schedule)(void *userdata);
	void *userdata;
};

struct methods;

/* host: copied, what it points to is borrowed. *ret: released by methods_free(). 0 or -ENOMEM. */
int methods_new(const struct methods_host *host, struct methods **ret);
void methods_free(struct methods *m);
/* The handler for server_new(); valid as long as m. */
struct server_handler methods_handler(struct methods *m);

/* Keeps a copy of an event for GetEvents, instead of the oldest. m: may be NULL. */
void methods_add_event(struct methods *m, const struct finding *event);

/* For tests: the full name of method i, NULL past the last one; and the Varlink description of org.offloadd. Static. */
const char *methods_name(size_t i);
const char *methods_description(void);

#endif
