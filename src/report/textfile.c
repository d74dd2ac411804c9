/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "basic/file.h"
#include "kernel/netns.h"
#include "basic/util.h"

struct textfile {
	struct textfile_host host;
	struct metrics_counts counts;
	char *path; /* NULL: nowhere */
	bool dirty;
	uint64_t next_usec; /* not written before */
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

void textfile_mark(struct textfile *e)
{
	e->dirty = true;
}

void textfile_take_event(struct textfile *e, enum event_kind kind)
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
	if (!e->path || !e->dirty)
		return 0;
	return e->next_usec > now_usec ? e->next_usec : now_usec;
}

/* ---- the state ---- */

static size_t count_not_compliant(const struct reconcile_stand *stand)
{
	size_t n = 0;

	for (int v = 0; v < VERDICT_COUNT; v++)
		n += v == VERDICT_COMPLIANT ? 0 : stand->features[v];
	return n;
}

static int compare_stands(const void *a, const void *b)
{
	const struct reconcile_stand *const *x = a, *const *y = b;

	return ((*x)->ifindex > (*y)->ifindex) - ((*x)->ifindex < (*y)->ifindex);
}

/* The first links, by ifindex, that together have as much to list as there is room for. */
static int list_links(const struct reconcile_stands *stands, int **ret, size_t *ret_n)
{
	size_t all = HASH_COUNT(stands->list), n = 0, series = 0;
	_cleanup_free_ const struct reconcile_stand **list = calloc(all + 1, sizeof(*list));

	*ret = malloc((all + 1) * sizeof(**ret));
	if (!list || !*ret)
		return -ENOMEM;
	for (const struct reconcile_stand *stand = stands->list; stand; stand = stand->hh.next)
		if (count_not_compliant(stand) > 0)
			list[n++] = stand;
	qsort(list, n, sizeof(*list), compare_stands);
	*ret_n = 0;
	for (size_t i = 0; i < n && series < METRICS_SERIES_MAX; i++) {
		(*ret)[(*ret_n)++] = list[i]->ifindex;
		series += count_not_compliant(list[i]);
	}
	return 0;
}

static int plan_listed(struct textfile *e, struct metrics *m, int64_t now_sec, struct plan *ret)
{
	_cleanup_free_ int *indexes = NULL;
	struct reconcile_stands stands;
	size_t n;
	int r = reconcile_stand(e->host.reconcile, now_sec, &stands);

	if (r >= 0)
		r = list_links(&stands, &indexes, &n);
	if (r < 0)
		return r;
	memcpy(m->links_by_verdict, stands.counts, sizeof(m->links_by_verdict));
	memcpy(m->features_by_verdict, stands.features, sizeof(m->features_by_verdict));
	/* no index at all would mean every link */
	return n ? reconcile_plan(e->host.reconcile, indexes, n, now_sec, ret) : 0;
}

int textfile_format(struct textfile *e, bool stopped, char **ret, size_t *ret_len)
{
	_cleanup_(plan_clear) struct plan plan = { 0 };
	struct reconcile_counts counts;
	char netns[NETNS_NAME_LEN];
	struct metrics m = {
		.counts = &e->counts,
		.stopped = stopped,
		.enforce = *e->host.enforce,
		.rule_errors = e->host.rule_errors->n_errors,
		.settings_errors = &e->host.conf_errors->n_errors,
		.netns = netns_is_own(netns, sizeof(netns)) ? netns : NULL,
		.features = &e->host.observe->features,
		.rules = reconcile_rules(e->host.reconcile),
		.plan = &plan,
	};
	struct totals evidence;
	int r = plan_listed(e, &m, util_realtime_sec(), &plan);

	if (r < 0)
		return r;
	if (*e->host.tracker) {
		r = tracker_totals(*e->host.tracker, util_now_usec(), &evidence);
		if (r < 0)
			return r;
		m.evidence = &evidence;
	}
	reconcile_count(e->host.reconcile, &counts);
	e->counts.reconciles = counts.runs;
	e->counts.sets = counts.sets;
	e->counts.hooks_sent = e->host.hooks->sent;
	e->counts.hooks_suppressed = e->host.hooks->suppressed;
	e->counts.hooks_failed = e->host.hooks->failed;
	e->counts.overruns = e->host.observe->counts.overruns;
	return metrics_format(&m, ret, ret_len);
}

int textfile_write(struct textfile *e, bool stopped)
{
	_cleanup_free_ char *text = NULL;
	char netns[NETNS_NAME_LEN];
	size_t len;
	int r;

	if (!e->path)
		return 0;
	e->dirty = false;
	/* that namespace may never come back, and would be missed for ever */
	if (stopped && netns_is_own(netns, sizeof(netns)))
		return unlink(e->path) < 0 && errno != ENOENT ? -errno : 1;
	r = textfile_format(e, stopped, &text, &len);
	if (r >= 0)
		r = file_replace(e->path, text, len);
	return r < 0 ? r : 1;
}

int textfile_tick(struct textfile *e, uint64_t now_usec)
{
	if (!e->path || !e->dirty || now_usec < e->next_usec)
		return 0;
	e->next_usec = now_usec + TEXTFILE_DELAY_USEC;
	return textfile_write(e, false);
}

/* 1, 0 when it is not there. */
static int read_last(const char *path, char **ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	size_t len;
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	r = file_read(fd, TEXTFILE_FILE_MAX, ret, &len);
	return r < 0 ? r : 1;
}

int textfile_bury(const char *path)
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
		return 0; /* by a clean stop, which removes it */
	if (r >= 0)
		r = metrics_stop(last, &text, &len);
	if (r <= 0)
		return r;
	r = file_replace(own, text, len);
	return r < 0 ? r : 1;
}
