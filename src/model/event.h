/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kinds of events: what goes to the journal, hooks, metrics and clients. An event is a finding whose code has a kind
 * (model/finding.h). Pure. */
#ifndef OFFLOADD_EVENT_H
#define OFFLOADD_EVENT_H

#include "basic/util.h"

enum event_kind {
	EVENT_REPAIRED,	   /* did not match the rules, does now */
	EVENT_DRIFT,	   /* does not match the rules, and is only audited */
	EVENT_UNMET,	   /* blocked, unsupported, or accepted without effect */
	EVENT_REFUSED,	   /* the kernel said no */
	EVENT_CONTENDED,   /* another program keeps reverting it; enforcement backs off */
	EVENT_RESOLVED,	   /* no longer contended */
	EVENT_RECOVERED,   /* what was unmet or drifted matches again, and offloadd did not change it */
	EVENT_OVERRUN,	   /* kernel events were lost; everything was read again */
	EVENT_RULES,	   /* rules loaded, or a bad reload kept the old ones */
	EVENT_STATE,	   /* started, stopping, something optional is missing */
	EVENT_PAUSED,	   /* a client paused a link */
	EVENT_RESUMED,	   /* a client resumed it, or the pause expired */
	EVENT_FALLBACK,	   /* a service, or what is forwarded, uses software fallback */
	EVENT_STALE,	   /* a service holds stale connections: it must reconnect */
	EVENT_RECONNECTED, /* it holds none any more */
	EVENT_RESTARTED,   /* it was restarted for that, as offloadd.conf allows */
};
#define EVENT_KIND_COUNT 16
#define EVENT_NONE ((enum event_kind)EVENT_KIND_COUNT) /* of a finding that is no event */

/* "drift": as in OFFLOADD_EVENT= and on the command line. */
const char *event_kind_name(enum event_kind kind);
/* The kind's MESSAGE_ID, 32 hex digits, the same for ever; NULL for EVENT_NONE. */
const char *event_message_id(enum event_kind kind);

/* A bound on what is logged: no more than EVENT_LIMIT_BURST events in EVENT_LIMIT_USEC. */
#define EVENT_LIMIT_BURST 6000
#define EVENT_LIMIT_USEC (UINT64_C(30) * 1000 * 1000)

struct event_limit {
	uint64_t window_usec;
	unsigned count;
	uint64_t suppressed; /* since the last event that was allowed */
};

/* Counts one event at now_usec (CLOCK_MONOTONIC); false when it is beyond the bound, and counted as
 * suppressed. Begins zeroed. */
bool event_limit_allows(struct event_limit *limit, uint64_t now_usec);

#endif
