/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One event record, many forms: what the daemon did or found, for journal, stderr and (later) metrics, hooks and clients. Pure: making
 * one and turning it into text; journal.c sends it. */
#ifndef OFFLOADD_EVENT_H
#define OFFLOADD_EVENT_H

#include "apply.h"
#include "plan.h"

enum event_kind {
	EVENT_REPAIRED,	  /* was not as declared, is now */
	EVENT_DRIFT,	  /* not as declared, and only audited */
	EVENT_UNMET,	  /* cannot be had: blocked, fixed */
	EVENT_REFUSED,	  /* the kernel said no */
	EVENT_CONTENDED,  /* someone keeps changing it back; we back off */
	EVENT_CALM,	  /* a contended feature went quiet */
	EVENT_HEALED,	  /* what was unmet or drifted is as declared without our doing */
	EVENT_OVERRUN,	  /* events were lost; everything was read again */
	EVENT_RULES,	  /* rules loaded, or a bad reload kept the old ones */
	EVENT_STATE,	  /* started, stopping, something optional is missing */
};

struct event {
	enum event_kind kind;
	int ifindex; /* 0: about no link */
	char link[LINK_NAME_LEN];
	feature_set features;
	char rule_file[64]; /* "" when none */
	char was[192];	    /* what was wrong: "tx-scatter-gather off" */
	char did[192];	    /* what was done: "set on" */
	char why[192];	    /* the reason where it cannot be had */
	char message[640];  /* the one line for people: all of the above */
};

const char *event_kind_name(enum event_kind kind);
/* syslog(3) priority that fits a kind. */
int event_priority(enum event_kind kind);

#endif
