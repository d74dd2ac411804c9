/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes events to the journal with fields and MESSAGE_ID, and to stderr if there is no journal. Does not wait for journald. */
#ifndef OFFLOADD_JOURNAL_H
#define OFFLOADD_JOURNAL_H

#include "model/finding.h"

struct journal {
	int fd; /* a datagram socket, not connected, because journald may start later or restart */
	bool stderr_is_journal; /* lines on stderr get a <priority> prefix, see sd-daemon(3) */
	bool stderr_too;	/* write events to stderr in addition to the journal */
	bool stderr_waits;	/* until its reader has made room */
};

/* Decides where events go. always: they also go to stderr unless stderr is the journal, and writes wait for its reader. Otherwise they
 * also go to stderr only if it is a terminal, and from then on this process does not wait for a reader of stderr, as far as the kernel
 * allows that. *ret: for journal_close(). */
void journal_open(bool always, struct journal *ret);
void journal_close(struct journal *j);

/* Writes an event: to stderr if journald does not accept it. table: names the features of the event. False: neither has room, or the
 * disk is full, and the event is lost. */
bool journal_send(const struct journal *j, const struct feature_table *table, const struct finding *event);

/* The journal fields of an event as lines of NAME=VALUE in buf, truncated to size bytes with the NUL. Returns the length. */
size_t journal_format(const struct feature_table *table, const struct finding *event, char *buf, size_t size);

#endif
