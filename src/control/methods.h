/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What offloadd answers on its control socket: the interface org.offloadd, and the last events. */
#ifndef OFFLOADD_METHODS_H
#define OFFLOADD_METHODS_H

#include "control/server.h"
#include "model/event.h"
#include "evidence/tracker.h"
#include "engine/ledger.h"
#include "kernel/observe.h"
#include "engine/reconcile.h"

#define METHODS_INTERFACE "org.offloadd"
#define METHODS_EVENTS 128   /* events that are kept */
#define METHODS_LIST_MAX 64  /* links that one answer lists */
#define METHODS_PAGE 16	     /* links or events in one piece of an answer that goes on */

#define METHODS_LOADED_SETTINGS 1
#define METHODS_LOADED_RULES 2

/* What methods look at and do; valid as long as the server is. */
struct methods_host {
	struct observe *observe;
	struct reconcile *reconcile;
	struct ledger *ledger;
	struct tracker *const *tracker; /* NULL there: no probes */
	const bool *enforce;
	const struct rule_set *rule_errors, *conf_errors; /* of the last time that they were read */
	/* Reads settings and rules again: METHODS_TOOK_* bits of what was taken, the rest stays as it was; negative errno. */
	int (*reload)(void *userdata);
	/* The metrics as text, the method's to free. 0, negative errno. */
	int (*metrics)(char **ret, size_t *ret_len, void *userdata);
	/* Something was changed: do what is due. */
	void (*changed)(void *userdata);
	void *userdata;
};

struct methods;

/* 0 or -ENOMEM. host is copied, what it points to is not. */
int methods_new(const struct methods_host *host, struct methods **ret);
void methods_free(struct methods *m);
/* For server_new(); valid as long as m is. */
struct server_handler methods_handler(struct methods *m);

/* Keeps an event for GetEvents. */
void methods_add_event(struct methods *m, const struct finding *event);

/* Entry i of the table, NULL past the last: a method's full name; and the description of our interface. For
 * tests. */
const char *methods_name(size_t i);
const char *methods_description(void);

#endif
