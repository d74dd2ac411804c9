/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps the textfile of metrics up to date: written when something changed, at most once in
 * EXPORTER_DELAY_USEC, never while nothing does. It has no timer and no clock of its own. */
#ifndef OFFLOADD_EXPORTER_H
#define OFFLOADD_EXPORTER_H

#include "evidence/witness.h"
#include "report/hook.h"
#include "report/metrics.h"
#include "kernel/observe.h"
#include "engine/reconcile.h"

#define EXPORTER_FILE_MAX (16 * 1024 * 1024)
#define EXPORTER_DELAY_USEC (UINT64_C(1) * 1000 * 1000)

/* What is told about; valid as long as the exporter is. */
struct exporter_host {
	const struct observe *observe;
	struct reconcile *reconcile;
	const bool *enforce;
	const struct hooks *hooks;
	struct witness *const *witness; /* NULL there: no probes */
	const struct rule_set *rule_errors, *conf_errors; /* of the last time that they were read */
};

struct exporter;

/* 0 or -ENOMEM. */
int exporter_new(const struct exporter_host *host, struct exporter **ret);
void exporter_free(struct exporter *e);

/* Where the file is to be, "" for nowhere; another network namespace has one of its own beside it
 * (netns_path()). A file at another place stays as one that was stopped. 0 or -ENOMEM. */
int exporter_set_path(struct exporter *e, const char *path);
const char *exporter_path(const struct exporter *e); /* "" for nowhere */

/* Something happened. exporter_note_reaction: links were changed so long after the kernel's event. */
void exporter_take_event(struct exporter *e, const struct event *event);
void exporter_note_reconcile(struct exporter *e);
void exporter_note_reaction(struct exporter *e, uint64_t usec);
void exporter_mark(struct exporter *e);

/* When to call exporter_tick() next, 0 for never. */
uint64_t exporter_deadline(const struct exporter *e, uint64_t now_usec);
/* Writes what is due. 1 when written, 0, negative errno: it is tried again with the next change. */
int exporter_tick(struct exporter *e, uint64_t now_usec);
/* Writes now, due or not. stopped: the daemon ends; the file of another namespace is removed then. */
int exporter_write(struct exporter *e, bool stopped);

/* In place of a daemon that died without a word: the file that it had by exporter_set_path(path) says that it was
 * stopped. One that is not there is made, but for that of another namespace. 1 when written, 0, negative errno. */
int exporter_bury(const char *path);

/* The text as it would be written now, the caller's to free. 0 or negative errno. */
int exporter_format(struct exporter *e, bool stopped, char **ret, size_t *ret_len);

#endif
