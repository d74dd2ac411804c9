/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sends events to offloadd-hook, which starts the unit that offloadd.conf names for their kind. The daemon has no privilege to
 * start units. It sends one datagram per event without blocking; an event that cannot be sent at once is counted as failed. The
 * receiver accepts only the fields listed in hook.c, and takes the name of the unit from offloadd.conf alone.
 *
 * An event is text: lines of NAME=VALUE in printable ASCII, with the names and values of the journal fields. */
#ifndef OFFLOADD_HOOK_H
#define OFFLOADD_HOOK_H

#include <stdio.h>

#include "model/finding.h"

#define HOOK_SOCKET_PATH "/run/offloadd-hook/socket"
#define HOOK_EVENT_MAX 8192
#define HOOK_FIELDS_MAX 18
#define HOOK_WINDOW_USEC (UINT64_C(60) * 1000 * 1000)
#define HOOK_LINK_BURST 5  /* most events of one kind for one interface and service in HOOK_WINDOW_USEC */
#define HOOK_KIND_BURST 30 /* and of one kind: an alert is not lost in the noise of other kinds */
#define HOOK_LINKS_LEN 512
#define HOOK_SUFFIX "@.service" /* of every unit that can be a hook */

/* What is not sent at once, of one kind. At the end of the window its last event is sent with the number and the interfaces of the
 * others, as a summary. */
struct hook_held {
	uint64_t n;
	struct finding last; /* of an interface that no event was sent for, if there is one */
	char links[HOOK_LINKS_LEN]; /* of all, as far as they fit: "eth2, vlan10" */
};

struct hooks { /* starts zeroed */
	struct hook_budget {
		uint64_t window_usec; /* its start, CLOCK_MONOTONIC; 0: none */
		unsigned n; /* events sent in the window */
		uint64_t objects[HOOK_KIND_BURST]; /* hashes of their interface and service */
		struct hook_held held;
	} budgets[EVENT_KIND_COUNT];
	uint64_t sent, suppressed, failed; /* totals */
};

/* Where events go. */
struct hook_target {
	const struct feature_table *table;
	const char *netns; /* name of the network namespace, "" for that of PID 1 */
	const char *path;  /* of the socket, NULL for HOOK_SOCKET_PATH */
};

/* Sends an event. now_usec: CLOCK_MONOTONIC. 1: sent; 0: suppressed by the rate limit; negative errno of socket(2) or sendto(2). */
int hook_send(struct hooks *h, const struct hook_target *target, const struct finding *event, uint64_t now_usec);
/* Ends the windows that are over, and sends their summaries. As above. */
int hook_end(struct hooks *h, const struct hook_target *target, uint64_t now_usec);
/* When to call hook_end(); 0: there is no summary to send. */
uint64_t hook_deadline(const struct hooks *h);

/* Writes an event as text, terminated by NUL. held: for a summary, else NULL. Returns the length without the NUL. */
size_t hook_encode(const struct hook_target *target, const struct finding *event, const struct hook_held *held,
	char buf[HOOK_EVENT_MAX]);

struct hook_field {
	const char *name;  /* static */
	const char *value; /* borrowed from the decoded text */
};
struct hook_event {
	enum event_kind kind;
	size_t n_fields;
	struct hook_field fields[HOOK_FIELDS_MAX];
};

/* Splits text of len bytes in place; text[len] must be writable, and text must outlive ret. 0; -EBADMSG: not an output of
 * hook_encode(). */
int hook_decode(char *text, size_t len, struct hook_event *ret);

/* Writes an event in the format of EnvironmentFile= (systemd.exec(5)). 0 or -EIO. */
int hook_write_environment(FILE *f, const struct hook_event *event);

/* Is this a valid name of a template service, "NAME@.service", with room for an instance? */
bool hook_is_unit(const char *unit);
/* Writes "NAME@INSTANCE.service" for a template "NAME@.service". 0, -EINVAL, -ENAMETOOLONG. */
int hook_format_unit(const char *unit, const char *instance, char *buf, size_t size);

#endif
