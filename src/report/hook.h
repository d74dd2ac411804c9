/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hands events to offloadd-hook, which starts the unit that offloadd.conf names for their kind. The daemon has no right to start
 * units, and gets none: it sends one datagram, which either fits at once or is counted as failed, and never waits. Who is at the other
 * end believes nothing but the fields listed here, and takes the unit's name from offloadd.conf alone.
 *
 * An event is lines of NAME=VALUE, the names and values those of the journal's fields, in printable ASCII. */
#ifndef OFFLOADD_HOOK_H
#define OFFLOADD_HOOK_H

#include <stdio.h>

#include "model/finding.h"

#define HOOK_SOCKET_PATH "/run/offloadd-hook/socket"
#define HOOK_EVENT_MAX 8192
#define HOOK_FIELDS_MAX 16
#define HOOK_BURST 20 /* events in HOOK_WINDOW_USEC, of all kinds together */
#define HOOK_WINDOW_USEC (UINT64_C(60) * 1000 * 1000)
#define HOOK_SUFFIX "@.service" /* of every unit that can be named */

struct hooks {
	uint64_t window_usec;
	unsigned n;	     /* in the window */
	uint64_t unreported;     /* not sent since the last one that was */
	uint64_t sent, suppressed, failed;
};

/* netns: "" for the namespace of PID 1. path: NULL for HOOK_SOCKET_PATH. 1 when sent, 0 when there were too
 * many, negative errno. */
int hook_send(struct hooks *h, const struct feature_table *table, const struct finding *event,
	const char *netns, const char *path, uint64_t now_usec);

/* The event as text without a NUL; its length. */
size_t hook_encode(const struct feature_table *table, const struct finding *event, const char *netns,
	uint64_t suppressed, char buf[HOOK_EVENT_MAX]);

struct hook_field {
	const char *name; /* one of ours */
	const char *value;
};
struct hook_event {
	enum event_kind kind;
	size_t n_fields;
	struct hook_field fields[HOOK_FIELDS_MAX];
};

/* Takes text of len bytes apart, in place: one byte more must be writable. -EBADMSG for what hook_encode()
 * did not make. */
int hook_decode(char *text, size_t len, struct hook_event *ret);

/* The event as an EnvironmentFile= of systemd. Negative errno. */
int hook_write_environment(FILE *f, const struct hook_event *event);

/* "NAME@.service" can be a hook. */
bool hook_is_unit(const char *unit);
/* "NAME@INSTANCE.service". -EINVAL, -ENAMETOOLONG. */
int hook_format_unit(const char *unit, const char *instance, char *buf, size_t size);

#endif
