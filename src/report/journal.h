/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes events to the journal with fields and MESSAGE_ID, and to stderr if there is no journal. Owner of sd-journal. */
#ifndef OFFLOADD_JOURNAL_H
#define OFFLOADD_JOURNAL_H

#include "model/finding.h"

struct journal {
	bool stderr_is_journal; /* lines on stderr get a <priority> prefix, see sd-daemon(3) */
	bool stderr_too;	/* write events to stderr in addition to the journal */
};

/* Decides where events go. Events go to stderr too if it is a terminal, and with `always` if it is anything but the journal. */
void journal_open(bool always, struct journal *ret);

/* Writes an event. Cannot fail: if journald does not accept it, it goes to stderr. Looks for journald on each call, because it
 * may start later or restart. table: names the features of the event. */
void journal_send(struct journal *j, const struct feature_table *table, const struct finding *event);

/* The journal fields of an event as lines of NAME=VALUE in buf, truncated to size bytes with the NUL. Returns the length. */
size_t journal_format(const struct feature_table *table, const struct finding *event, char *buf, size_t size);

#endif
