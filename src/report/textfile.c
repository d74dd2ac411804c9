/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/textfile.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "basic/child.h"
#include "basic/file.h"
#include "kernel/netns.h"
#include "basic/util.h"

struct textfile {
	struct textfile_host host;
	struct metrics_counts counts;
	char *path; /* NULL: no file */
	bool dirty;
	uint64_t next_usec; /* earliest next write */
	uint64_t rewrite_usec; /* the file is written by then, even without a change; 0: never written */
	uint64_t asked_usec; /* waits for the tracker since this time; 0: not */
	pid_t writer; /* 0: none */
	bool late; /* the writer was killed, which takes effect when the disk answers */
	uint64_t wait_usec; /* how long to wait for the writer */
	uint64_t retry_usec; /* after the next failure; 0: the last write did not fail */
	int64_t begin_usec; /* CLOCK_REALTIME of the last write */
};

/* What a child writes. */
struct job {
	const char *path, *text; /* no text: the file is removed */
	size_t len;
};

int textfile_new(const struct textfile_host *host, struct textfile **ret)
{
	struct textfile *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->host = *host;
	e->counts.start_usec = (int64_t)util_realtime_usec();
	metrics_reaction_init(&e->counts.reaction);
	*ret = e;
	return 0;
}

void textfile_free(struct textfile *e)
{
	if (!e)
		return;
	free(e->path);
	free(e);
}

const char *textfile_path(const struct textfile *e)
{
	return e->path ? e->path : "";
}

int textfile_set_path(struct textfile *e, const char *path)
{
	char *own = NULL;

	if (path[0] && netns_path(path, &own) < 0)
		return -ENOMEM;
	if (e->path && (!own || strcmp(e->path, own) != 0)) {
		(void)textfile_stop(e);
		e->next_usec = e->retry_usec = 0;
	}
	free(e->path);
	e->path = own;
	e->counts.has_textfile = own;
	e->dirty = true;
	return 0;
}

void textfile_mark_dirty(struct textfile *e)
{
	e->dirty = true;
}

void textfile_count_event(struct textfile *e, enum event_kind kind)
{
	e->counts.events[kind]++;
	e->dirty = true;
}

void textfile_note_reconcile(struct textfile *e)
{
	e->counts.last_reconcile_usec = (int64_t)util_realtime_usec();
	e->dirty = true;
}

void textfile_note_reaction(struct textfile *e, uint64_t usec)
{
	histogram_observe(&e->counts.reaction, usec);
	e->dirty = true;
}

uint64_t textfile_deadline(const struct textfile *e, uint64_t now_usec)
{
	uint64_t deadline_usec = e->dirty ? e->next_usec : e->rewrite_usec;

	if (!e->path || e->asked_usec) /* the tracker has a deadline, too */
		return 0;
	if (e->writer)
		deadline_usec = e->wait_usec;
	return deadline_usec > now_usec ? deadline_usec : now_usec;
}

static int format(struct textfile *e, uint64_t asked_usec, bool stopped, char **ret, size_t *ret_len)
{
	struct reconcile_counts counts = reconcile_count(e->host.reconcile);
	char netns[NETNS_NAME_LEN];
	struct metrics m = {
		.counts = &e->counts,
		.drift = reconcile_drift(e->host.reconcile),
		.stopped = stopped,
		.enforce = *e->host.enforce,
		.rule_errors = e->host.rule_errors->n_errors,
		.settings_errors = &e->host.conf_errors->n_errors,
		.netns = netns_is_own(netns, sizeof(netns)) ? netns : NULL,
		.features = &e->host.observe->features,
		.rules = reconcile_rules(e->host.reconcile),
		.host = e->host.rules_host,
		.links = &e->host.observe->links,
		.states = reconcile_states(e->host.reconcile),
		.namespaces = e->host.namespaces,
	};
	int r = *e->host.tracker ? tracker_read_evidence(*e->host.tracker, asked_usec, &m.evidence) : 0;

	if (r < 0)
		return r;
	link_table_stack(&e->host.observe->links);
	e->counts.reconciles = counts.runs;
	e->counts.sets = counts.sets;
	e->counts.sets_drift = counts.sets_drift;
	e->counts.uncertain_right = counts.uncertain_right;
	e->counts.uncertain_wrong = counts.uncertain_wrong;
	e->counts.hooks_sent = e->host.hooks->sent;
	e->counts.hooks_suppressed = e->host.hooks->suppressed;
	e->counts.hooks_failed = e->host.hooks->failed;
	e->counts.events_lost = *e->host.events_lost;
	e->counts.overruns = e->host.observe->counts.overruns;
	return metrics_format(&m, ret, ret_len);
}

int textfile_format(struct textfile *e, uint64_t asked_usec, char **ret, size_t *ret_len)
{
	return format(e, asked_usec, false, ret, ret_len);
}

/* ---- writing ---- */

static int do_job(void *data)
{
	const struct job *job = data;

	if (job->text)
		return file_replace(job->path, job->text, job->len);
	return unlink(job->path) < 0 && errno != ENOENT ? -errno : 0;
}

/* Begins to write. 0; -EAGAIN: the tracker is still reading; another negative errno. */
static int begin_write(struct textfile *e, bool stopped)
{
	_cleanup_free_ char *text = NULL;
	struct job job = { .path = e->path };
	int64_t last_usec = e->counts.textfile_usec;
	char netns[NETNS_NAME_LEN];
	int r = 0;

	e->begin_usec = e->counts.textfile_usec = (int64_t)util_realtime_usec();
	/* the namespace may never exist again, and an alert on offloadd_up would never resolve */
	if (!stopped || !netns_is_own(netns, sizeof(netns)))
		r = format(e, stopped ? 0 : e->asked_usec, stopped, &text, &job.len); /* at the end the last evidence will do */
	e->counts.textfile_usec = last_usec;
	if (r == -EAGAIN)
		return r;
	e->dirty = false;
	e->asked_usec = 0;
	job.text = text;
	if (r >= 0)
		r = child_start(do_job, &job);
	if (r < 0)
		return r;
	e->writer = r;
	e->late = false;
	return 0;
}

/* What came of a write. */
static int end_write(struct textfile *e, int result, uint64_t now_usec)
{
	e->rewrite_usec = now_usec + TEXTFILE_REWRITE_USEC;
	if (result >= 0) {
		e->counts.textfile_usec = e->begin_usec;
		e->retry_usec = 0;
		return 1;
	}
	e->counts.textfile_errors++;
	e->dirty = true;
	e->retry_usec = !e->retry_usec ? TEXTFILE_RETRY_USEC
		: e->retry_usec * 2 < TEXTFILE_RETRY_MAX_USEC ? e->retry_usec * 2 : TEXTFILE_RETRY_MAX_USEC;
	e->next_usec = now_usec + e->retry_usec;
	return result;
}

/* 1: the write has ended well, or 0: nothing new, or it failed. A killed writer has failed already, and must end before the next one. */
static int take_write(struct textfile *e, uint64_t now_usec)
{
	int result;

	if (child_take(e->writer, 0, &result) == 0) {
		e->writer = 0;
		if (!e->late)
			return end_write(e, result, now_usec);
		e->next_usec = now_usec; /* the disk answers again */
		return 0;
	}
	if (now_usec < e->wait_usec)
		return 0;
	kill(e->writer, SIGKILL);
	e->late = true;
	result = end_write(e, -ETIMEDOUT, now_usec);
	e->wait_usec = e->next_usec;
	return result;
}

int textfile_tick(struct textfile *e, uint64_t now_usec)
{
	int r = e->writer ? take_write(e, now_usec) : 0;

	if (e->rewrite_usec && now_usec >= e->rewrite_usec)
		e->dirty = true;
	if (!e->path || !e->dirty || e->writer || now_usec < e->next_usec)
		return r;
	if (!e->asked_usec)
		e->asked_usec = util_now_usec();
	r = begin_write(e, false);
	if (r == -EAGAIN)
		return 0;
	e->next_usec = now_usec + TEXTFILE_DELAY_USEC;
	e->wait_usec = now_usec + TEXTFILE_WAIT_USEC;
	return r < 0 ? end_write(e, r, now_usec) : 0;
}

int textfile_stop(struct textfile *e)
{
	uint64_t deadline_usec = util_now_usec() + TEXTFILE_LAST_USEC, now_usec;
	int r = 0, result = 0;

	if (!e->path)
		return 0;
	if (e->writer)
		r = child_take(e->writer, TEXTFILE_LAST_USEC, &result);
	if (r == 0)
		do
			r = begin_write(e, true);
		while (r == -EAGAIN);
	now_usec = util_now_usec();
	if (r == 0)
		r = child_take(e->writer, deadline_usec > now_usec ? deadline_usec - now_usec : 0, &result);
	if (r == -ETIMEDOUT && e->writer)
		child_kill(e->writer);
	e->writer = 0;
	return r < 0 ? r : result < 0 ? result : 1;
}

/* 1: read; 0: no such file; negative errno. */
static int read_last(const char *path, char **ret)
{
	size_t len;
	int r = file_read_path(path, TEXTFILE_FILE_MAX, ret, &len);

	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

static int mark_stopped(void *data)
{
	_cleanup_free_ char *last = NULL, *text = NULL;
	char netns[NETNS_NAME_LEN];
	const char *path = data;
	size_t len;
	int r = read_last(path, &last);

	if (r == 0 && netns_is_own(netns, sizeof(netns)))
		return 0; /* removed by a clean stop */
	if (r >= 0)
		r = metrics_mark_stopped(last, &text, &len);
	if (r <= 0)
		return r;
	r = file_replace(path, text, len);
	return r < 0 ? r : 1;
}

int textfile_mark_stopped(const char *path)
{
	_cleanup_free_ char *own = NULL;

	if (!path[0])
		return 0;
	if (netns_path(path, &own) < 0)
		return -ENOMEM;
	return child_run(mark_stopped, own, 0, TEXTFILE_WAIT_USEC / 2);
}
