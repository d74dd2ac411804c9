/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What repairs change for services: the cost of their traffic (cost.h) before and after. Samples are taken at the start, when features
 * change, and twice after a repair of a link with traffic; a host that does nothing takes none. It has no timer or clock: the caller
 * passes the time in (now_usec, CLOCK_MONOTONIC) and calls effect_tick() at effect_deadline().
 *
 * The window before a repair begins with a sample that had the same features of the links as right before the repair. A drift that is
 * repaired at once has no such window, and nothing is reported. Once a service has a cost before, there is a report about it. */
#ifndef OFFLOADD_EFFECT_H
#define OFFLOADD_EFFECT_H

#include "evidence/cost.h"
#include "model/finding.h"

#define EFFECT_LINKS_MAX 64   /* of repairs that are observed together: bits of a number */
#define EFFECT_SERVICES_MAX 8 /* that are reported for them, those with the most traffic */
#define EFFECT_SLICE_USEC (UINT64_C(2) * 1000)
#define EFFECT_PAUSE_USEC (UINT64_C(1) * 1000 * 1000) /* from the last change of features to the windows after */
#define EFFECT_COST_FACTOR 20 /* after a sample that took t, the next one follows not before t times this */
/* While other work wakes the daemon, samples are renewed this often, so that services that started later are known. Without other work
 * there is one more EFFECT_SETTLED_USEC after the start. */
#define EFFECT_RENEW_USEC (UINT64_C(60) * 1000 * 1000)
#define EFFECT_SETTLED_USEC (UINT64_C(300) * 1000 * 1000)
#define EFFECT_RETRY_USEC (UINT64_C(300) * 1000 * 1000) /* after a sample that failed */
#define EFFECT_TRIES 3 /* how often the windows after a repair are made EFFECT_LONGER times longer before it is given up */
#define EFFECT_LONGER 4

struct effect;

struct effect_options {
	struct link_table *links; /* borrowed */
	finding_fn fn;
	/* Undoes a repair: the features `on` were turned on, `off` turned off. Returns whether it did. It is called at most once for a link
	 * until effect_note_rules(). NULL: never. */
	bool (*undo)(int ifindex, feature_set on, feature_set off, void *userdata);
	void *userdata;
};

int effect_new(const struct effect_options *options, struct effect **ret); /* 0 or -ENOMEM */
void effect_free(struct effect *e);

/* The length of each of the two windows after a repair. */
void effect_set_window(struct effect *e, uint64_t window_usec);

/* An event was reported: if features were repaired, their effect will be observed. */
void effect_note_event(struct effect *e, const struct finding *event);
/* Other rules are loaded: what is being observed is unknown, and repairs may be undone again. */
void effect_note_rules(struct effect *e);
/* After each reconcile: features may have changed. */
void effect_note_change(struct effect *e, uint64_t now_usec);

/* When to call effect_tick() next; 0: never. */
uint64_t effect_deadline(const struct effect *e);
/* Does what is due, for at most EFFECT_SLICE_USEC. */
void effect_tick(struct effect *e, uint64_t now_usec);

/* A sample was read; for tests, too. Takes it over. */
void effect_take(struct effect *e, struct cost_sample *sample);

#endif
