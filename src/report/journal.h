/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sends events: to the journal with fields and MESSAGE_ID, to stderr where there is no journal. The
 * owner of sd-journal. */
#ifndef OFFLOADD_JOURNAL_H
#define OFFLOADD_JOURNAL_H

#include "model/finding.h"

struct journal {
	bool stderr_is_journal;	 /* lines there carry a <priority> */
	bool stderr_too;	 /* events go there besides the journal */
};

/* Looks at what stderr is: a terminal gets every event as well, anything else but the journal only if always is
 * set. */
void journal_open(bool always, struct journal *ret);

/* Never fails: what journald does not take goes to stderr. Looks for journald each time, since it may come
 * later or restart. */
void journal_send(struct journal *j, const struct feature_table *table, const struct finding *event);

/* The fields of an event as lines of NAME=VALUE, as the journal gets them. Returns the length. */
size_t journal_format(const struct feature_table *table, const struct finding *event, char *buf, size_t size);

#endif
