/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The metrics file for node_exporter: written after a change, at most once in TEXTFILE_DELAY_USEC, and every TEXTFILE_REWRITE_USEC while
 * nothing changes. A child process writes, because a disk that does not answer would stop the daemon. The caller has the timer, and calls
 * textfile_tick() after SIGCHLD. Times are CLOCK_MONOTONIC in microseconds. */
#ifndef OFFLOADD_TEXTFILE_H
#define OFFLOADD_TEXTFILE_H

#include "evidence/tracker.h"
#include "report/hook.h"
#include "report/metrics.h"
#include "kernel/observe.h"
#include "engine/reconcile.h"

#define TEXTFILE_FILE_MAX (16 * 1024 * 1024)
#define TEXTFILE_DELAY_USEC (UINT64_C(1) * 1000 * 1000)
#define TEXTFILE_REWRITE_USEC (UINT64_C(300) * 1000 * 1000)
#define TEXTFILE_WAIT_USEC (UINT64_C(5) * 1000 * 1000) /* then a write has failed */
/* After a failed write; after each further one twice as long */
#define TEXTFILE_RETRY_USEC (UINT64_C(5) * 1000 * 1000)
#define TEXTFILE_RETRY_MAX_USEC (UINT64_C(80) * 1000 * 1000)
#define TEXTFILE_LAST_USEC (UINT64_C(1) * 1000 * 1000) /* the last write of a file may take so long */

/* What the metrics are made of; valid as long as the textfile. */
struct textfile_host {
	struct observe *observe;
	const struct reconcile *reconcile;
	const struct rule_host *rules_host;
	const bool *enforce;
	const struct hooks *hooks;
	struct tracker *const *tracker; /* points to NULL: no probes */
	const struct rule_set *rule_errors, *conf_errors; /* of the last load */
	const uint64_t *events_lost;
	const struct netns_statuses *namespaces;
};

struct textfile;

/* host: copied. *ret: released by textfile_free(). 0 or -ENOMEM. */
int textfile_new(const struct textfile_host *host, struct textfile **ret);
void textfile_free(struct textfile *e);

/* Sets the path of the file; "" for none. In a network namespace other than that of PID 1, the file is in the same
 * directory under another name (netns_path()).
 * If the path changes, the previous file gets offloadd_up 0, as by textfile_stop(). 0 or -ENOMEM. */
int textfile_set_path(struct textfile *e, const char *path);
/* The path in use; "" for none. Borrowed until the next textfile_set_path(). */
const char *textfile_path(const struct textfile *e);

/* Each notes something that changes the metrics, so that the file is written again. usec: from the kernel event to the verified
 * repair. */
void textfile_count_event(struct textfile *e, enum event_kind kind);
void textfile_note_reconcile(struct textfile *e);
void textfile_note_reaction(struct textfile *e, uint64_t usec);
void textfile_mark_dirty(struct textfile *e);

/* When to call textfile_tick() next; 0: there is no file, or the tracker has a deadline for it. */
uint64_t textfile_deadline(const struct textfile *e, uint64_t now_usec);
/* Begins to write the file if that is due. 1: the last write has ended well; 0: there is nothing new; negative errno: a write has
 * failed, or takes longer than TEXTFILE_WAIT_USEC (-ETIMEDOUT), and is tried again later. */
int textfile_tick(struct textfile *e, uint64_t now_usec);
/* Writes the file with offloadd_up 0, because the daemon exits; in another network namespace the file is removed instead. Waits at most
 * TEXTFILE_LAST_USEC. 1, 0 without a path, negative errno. */
int textfile_stop(struct textfile *e);

/* Sets offloadd_up to 0 in the file of a daemon that has died. path: as for textfile_set_path(). A missing file is created, except
 * in another network namespace. 1: written; 0: nothing to do; negative errno. */
int textfile_mark_stopped(const char *path);

/* Formats the metrics as in the file, with the evidence of asked_usec or later. *ret: the caller frees it. 0; -EAGAIN as
 * tracker_read_evidence(); another negative errno. */
int textfile_format(struct textfile *e, uint64_t asked_usec, char **ret, size_t *ret_len);

#endif
