/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of events, which go to the journal, hooks, metrics and clients. An event is a finding whose code
 * has a kind (model/finding.h). Pure. */
#ifndef OFFLOADD_EVENT_H
#define OFFLOADD_EVENT_H

#include "basic/util.h"

enum event_kind {
	EVENT_REPAIRED,	   /* offloadd changed it, and it matches the rules */
	EVENT_DRIFT,	   /* does not match the rules (audit mode) */
	EVENT_UNMET,	   /* blocked, unsupported, or accepted without effect */
	EVENT_REFUSED,	   /* the kernel refused to set or read it */
	EVENT_CONTENDED,   /* another program keeps reverting it; enforcement backs off */
	EVENT_RESOLVED,	   /* no longer contended */
	EVENT_RECOVERED,   /* unmet or drifted before; matches the rules again without a change by offloadd */
	EVENT_OVERRUN,	   /* kernel events were lost, and everything was read again */
	EVENT_RULES,	   /* rules were loaded, or a reload failed and the previous rules are kept */
	EVENT_STATE,	   /* offloadd started or stopped, or an optional part of it failed */
	EVENT_PAUSED,	   /* a user paused enforcement on a link */
	EVENT_RESUMED,	   /* a user resumed it, or the pause expired */
	EVENT_FALLBACK,	   /* a service or forwarded traffic uses software fallback */
	EVENT_STALE,	   /* a service has stale connections and must reconnect */
	EVENT_RECONNECTED, /* a service no longer has stale connections */
	EVENT_RESTARTED,   /* a service was restarted because of stale connections */
	EVENT_EFFECT,	   /* what a repair changed for a service: CPU time per gigabyte before and after */
	EVENT_WORSE,	   /* the same, if it needs more than before; or the repair was undone because of that */
};
#define EVENT_KIND_COUNT 18
#define EVENT_NONE ((enum event_kind)EVENT_KIND_COUNT) /* for a finding that is not an event */

/* The name in OFFLOADD_EVENT= and on the command line, "drift"; "none" for EVENT_NONE. Static. */
const char *event_kind_name(enum event_kind kind);
/* The MESSAGE_ID of the kind, 32 hexadecimal digits, which never change; NULL for EVENT_NONE. Static. */
const char *event_message_id(enum event_kind kind);

/* The rate limit of the journal: EVENT_LIMIT_BURST events in EVENT_LIMIT_USEC. */
#define EVENT_LIMIT_BURST 6000
#define EVENT_LIMIT_USEC (UINT64_C(30) * 1000 * 1000)

struct event_limit { /* starts zeroed */
	uint64_t window_usec;
	unsigned count;
	uint64_t suppressed; /* events beyond the limit; the caller resets it */
};

/* Counts one event at now_usec (CLOCK_MONOTONIC). False: it is beyond the limit, and counted as
 * suppressed. */
bool event_limit_allows(struct event_limit *limit, uint64_t now_usec);

#endif
