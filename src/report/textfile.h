/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps the textfile of metrics up to date: written when something changed, at most once in
 * TEXTFILE_DELAY_USEC, never while nothing does. It has no timer and no clock of its own. */
#ifndef OFFLOADD_TEXTFILE_H
#define OFFLOADD_TEXTFILE_H

#include "evidence/tracker.h"
#include "report/hook.h"
#include "report/metrics.h"
#include "kernel/observe.h"
#include "engine/reconcile.h"

#define TEXTFILE_FILE_MAX (16 * 1024 * 1024)
#define TEXTFILE_DELAY_USEC (UINT64_C(1) * 1000 * 1000)

/* What is told about; valid as long as the textfile is. */
struct textfile_host {
	struct observe *observe;
	const struct reconcile *reconcile;
	const struct rule_host *rules_host;
	const bool *enforce;
	const struct hooks *hooks;
	struct tracker *const *tracker; /* NULL there: no probes */
	const struct rule_set *rule_errors, *conf_errors; /* of the last time that they were read */
};

struct textfile;

/* 0 or -ENOMEM. */
int textfile_new(const struct textfile_host *host, struct textfile **ret);
void textfile_free(struct textfile *e);

/* Where the file is to be, "" for nowhere; another network namespace has one of its own beside it
 * (netns_path()). A file at another place stays as one that was stopped. 0 or -ENOMEM. */
int textfile_set_path(struct textfile *e, const char *path);
const char *textfile_path(const struct textfile *e); /* "" for nowhere */

/* Something happened. textfile_note_reaction: links were changed so long after the kernel's event. */
void textfile_count_event(struct textfile *e, enum event_kind kind);
void textfile_note_reconcile(struct textfile *e);
void textfile_note_reaction(struct textfile *e, uint64_t usec);
void textfile_mark_dirty(struct textfile *e);

/* When to call textfile_tick() next, 0 for never. */
uint64_t textfile_deadline(const struct textfile *e, uint64_t now_usec);
/* Writes what is due. 1 when written, 0, negative errno: it is tried again with the next change. */
int textfile_tick(struct textfile *e, uint64_t now_usec);
/* Writes now, due or not. stopped: the daemon ends; the file of another namespace is removed then. */
int textfile_write(struct textfile *e, bool stopped);

/* In place of a daemon that died without a word: the file that it had by textfile_set_path(path) says that it was
 * stopped. One that is not there is made, but for that of another namespace. 1 when written, 0, negative errno. */
int textfile_mark_stopped(const char *path);

/* The text as it would be written now, the caller's to free. 0 or negative errno. */
int textfile_format(struct textfile *e, bool stopped, char **ret, size_t *ret_len);

#endif
