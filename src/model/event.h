/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One event, many forms: what the daemon did or found, for journal, stderr, metrics, hooks and clients. Pure: what an
 * event is; which are worth reporting is engine/event_report.h. */
#ifndef OFFLOADD_EVENT_H
#define OFFLOADD_EVENT_H

#include <sys/types.h>

#include "basic/util.h"
#include "model/link.h"

enum event_kind {
	EVENT_REPAIRED,	  /* was not as declared, is now */
	EVENT_DRIFT,	  /* not as declared, and only audited */
	EVENT_UNMET,	  /* cannot be had: blocked, unsupported, accepted without effect */
	EVENT_REFUSED,	  /* the kernel said no */
	EVENT_CONTENDED,  /* someone keeps changing it back; we back off */
	EVENT_RESOLVED,	  /* a contended feature went quiet */
	EVENT_RECOVERED,	  /* what was unmet or drifted is as declared without our doing */
	EVENT_OVERRUN,	  /* events were lost; everything was read again */
	EVENT_RULES,	  /* rules loaded, or a bad reload kept the old ones */
	EVENT_STATE,	  /* started, stopping, something optional is missing */
	EVENT_PAUSED,	  /* somebody asked that a link be left alone */
	EVENT_RESUMED,	  /* no longer: asked for, or the time is up */
	EVENT_FALLBACK,	  /* a service, or what is forwarded, pays for software fallback */
	EVENT_STALE,	  /* a service holds connections that stay without an offload: it must make them anew */
	EVENT_RECONNECTED,	  /* it holds none any more */
	EVENT_RESTARTED,  /* it was restarted for that, as offloadd.conf allows */
};
#define EVENT_KIND_COUNT 16

/* Who caused a drift. asked: the probe runs; pid 0: it does not know. */
struct event_author {
	bool asked;
	pid_t pid, parent_pid;
	char comm[16], parent_comm[16];
	char unit[192];		  /* unit_format() */
	char link[LINK_NAME_LEN]; /* where the change began, "" for the record's own link; printable */
	uint64_t time_usec;	  /* CLOCK_REALTIME */
};

struct event {
	enum event_kind kind;
	int priority; /* syslog(3) */
	int ifindex;  /* 0: about no link */
	char link[LINK_NAME_LEN];
	feature_set features;
	char rule_file[128]; /* "" when none; "a.rule, b.rule" when several */
	char was[384];	     /* what was wrong: "tx-scatter-gather was off" */
	char did[192];	     /* what was done: "set on" */
	char why[384];	     /* the reason where it cannot be had */
	uint64_t count;	     /* overruns, records not written, stale connections; 0 when the kind counts nothing */
	char service[192];   /* that the record is about, "" for none */
	struct event_author author;
	char message[1024];  /* the one line for people: all of the above */
};

typedef void (*event_fn)(const struct event *event, void *userdata);

/* "drift": as in OFFLOADD_EVENT= and on the command line. */
const char *event_kind_name(enum event_kind kind);
/* The kind's MESSAGE_ID, 32 hex digits, the same for ever. */
const char *event_message_id(enum event_kind kind);

/* A record about no link. */
void event_make(struct event *ret, enum event_kind kind, int priority, const char *fmt, ...)
	_printf_(4, 5);

/* Adds it to the record and its message. */
void event_set_author(struct event *event, const struct event_author *author);

/* A bound on records: whatever happens, no more than EVENT_LIMIT_BURST in EVENT_LIMIT_USEC. */
#define EVENT_LIMIT_BURST 6000
#define EVENT_LIMIT_USEC (UINT64_C(30) * 1000 * 1000)

struct event_limit {
	uint64_t window_usec;
	unsigned count;
	uint64_t suppressed; /* since the last record that was allowed */
};

/* Counts one record at now_usec (CLOCK_MONOTONIC); false when it is beyond the bound, and counted as
 * suppressed. Begins zeroed. */
bool event_limit_allows(struct event_limit *limit, uint64_t now_usec);

#endif
