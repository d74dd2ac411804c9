/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/textfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "basic/file.h"
#include "kernel/netns.h"
#include "basic/util.h"

struct textfile {
	struct textfile_host host;
	struct metrics_counts counts;
	char *path; /* NULL: no file */
	bool dirty;
	uint64_t next_usec; /* earliest next write */
	uint64_t asked_usec; /* waits for the tracker since this time; 0: not */
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
	if (e->path && (!own || strcmp(e->path, own) != 0))
		(void)textfile_write(e, true);
	free(e->path);
	e->path = own;
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
	if (!e->path || !e->dirty || e->asked_usec) /* the tracker has a deadline, too */
		return 0;
	return e->next_usec > now_usec ? e->next_usec : now_usec;
}

int textfile_format(struct textfile *e, uint64_t asked_usec, bool stopped, char **ret, size_t *ret_len)
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

/* 1; -EAGAIN: the tracker is still reading; another negative errno. */
static int write_file(struct textfile *e, uint64_t asked_usec, bool stopped)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = textfile_format(e, asked_usec, stopped, &text, &len);

	if (r == -EAGAIN)
		return r;
	e->dirty = false;
	e->asked_usec = 0;
	if (r >= 0)
		r = file_replace(e->path, text, len);
	return r < 0 ? r : 1;
}

int textfile_write(struct textfile *e, bool stopped)
{
	uint64_t asked_usec = stopped ? 0 : util_now_usec(); /* at the end the last evidence will do */
	char netns[NETNS_NAME_LEN];
	int r;

	if (!e->path)
		return 0;
	e->dirty = false;
	/* the namespace may never exist again, and an alert on offloadd_up would never resolve */
	if (stopped && netns_is_own(netns, sizeof(netns)))
		return unlink(e->path) < 0 && errno != ENOENT ? -errno : 1;
	do
		r = write_file(e, asked_usec, stopped);
	while (r == -EAGAIN);
	return r;
}

int textfile_tick(struct textfile *e, uint64_t now_usec)
{
	int r;

	if (!e->path || !e->dirty || now_usec < e->next_usec)
		return 0;
	if (!e->asked_usec)
		e->asked_usec = util_now_usec();
	r = write_file(e, e->asked_usec, false);
	if (r == -EAGAIN)
		return 0;
	e->next_usec = now_usec + TEXTFILE_DELAY_USEC;
	if (r < 0) {
		e->dirty = true;
		e->next_usec = now_usec + TEXTFILE_RETRY_USEC;
	}
	return r;
}

/* 1: read; 0: no such file; negative errno. */
static int read_last(const char *path, char **ret)
{
	size_t len;
	int r = file_read_path(path, TEXTFILE_FILE_MAX, ret, &len);

	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

int textfile_mark_stopped(const char *path)
{
	_cleanup_free_ char *own = NULL, *last = NULL, *text = NULL;
	char netns[NETNS_NAME_LEN];
	size_t len;
	int r;

	if (!path[0])
		return 0;
	if (netns_path(path, &own) < 0)
		return -ENOMEM;
	r = read_last(own, &last);
	if (r == 0 && netns_is_own(netns, sizeof(netns)))
		return 0; /* removed by a clean stop */
	if (r >= 0)
		r = metrics_mark_stopped(last, &text, &len);
	if (r <= 0)
		return r;
	r = file_replace(own, text, len);
	return r < 0 ? r : 1;
}
