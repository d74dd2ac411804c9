/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sends event records: to the journal with fields and MESSAGE_ID, to stderr where there is no journal. The owner of sd-journal. */
#ifndef OFFLOADD_JOURNAL_H
#define OFFLOADD_JOURNAL_H

#include "event.h"

struct journal {
	bool to_journal;     /* journald listens */
	bool stderr_is_journal; /* stderr lines carry a <priority> */
	bool to_stderr;
};

/* Looks once for journald and at what stderr is. Records go to stderr too when that is a terminal. */
void journal_open(struct journal *ret);

/* Never fails: what journald does not take goes to stderr. */
void journal_send(struct journal *j, const struct feature_table *table, const struct event *event);

#endif
