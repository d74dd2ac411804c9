/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <linux/capability.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "basic/child.h"
#include "offloadd/worker_private.h"

#define EVENTS_AT_ONCE 1024 /* of each socket, before other work has its turn */
#define VISITS_USEC (20 * USEC_PER_MSEC) /* the same of visits */
#define SEARCH_BURST_USEC (500 * USEC_PER_MSEC)
#define FOUND_USEC (20 * USEC_PER_MSEC) /* when to search for what else there is to know */
#define REOPEN_USEC (5 * USEC_PER_SEC) /* after a failure; after each further one twice as long */
#define REOPEN_MAX_USEC (320 * USEC_PER_SEC)
#define SEND_SEC 10

/* When to search after something appeared: a namespace gets its file, its processes and their names a little later, without an event. */
static const uint64_t again_usec[] = { 0, 2 * USEC_PER_MSEC, 20 * USEC_PER_MSEC, 100 * USEC_PER_MSEC, 300 * USEC_PER_MSEC, USEC_PER_SEC,
	3 * USEC_PER_SEC, 10 * USEC_PER_SEC };

/* ---- the daemon ---- */

static void tell_complete(struct worker *w)
{
	const struct worker_packet packet = { .what = WORKER_COMPLETE, .more = w->more, .error = w->error };

	if (w->tell && TAILQ_EMPTY(&w->reports))
		worker_send(w, &packet);
	if (TAILQ_EMPTY(&w->reports))
		w->tell = false;
}

/* *deadline_usec: when to continue. False: the daemon does not read now. */
static bool send_reports(struct worker *w, uint64_t now_usec, uint64_t *deadline_usec)
{
	struct netns *ns, *next;

	for (ns = TAILQ_FIRST(&w->reports); ns; ns = next) {
		next = TAILQ_NEXT(ns, reports);
		if (ns->report_usec > now_usec)
			util_earlier(deadline_usec, ns->report_usec);
		else if (!netns_send_status(ns))
			return false;
	}
	tell_complete(w);
	return true;
}

/* ---- searching ---- */

static void search_soon(struct worker *w, uint64_t now_usec)
{
	w->again = 0;
	util_earlier(&w->search_usec, now_usec);
}

static void fail(struct worker *w, int error, uint64_t now_usec)
{
	namespaces_close(w->visitor);
	w->visitor = NULL;
	netns_close_sockets(&w->events);
	w->reopen_usec = !w->reopen_usec ? REOPEN_USEC : w->reopen_usec < REOPEN_MAX_USEC ? 2 * w->reopen_usec : w->reopen_usec;
	w->search_usec = now_usec + w->reopen_usec;
	w->tell |= w->error != error;
	w->error = error;
}

/* Root without the unit has a child of its own. */
static int open_visitor(struct worker *w)
{
	int r;

	if (util_has_capability(CAP_SYS_ADMIN) && util_has_capability(CAP_SYS_PTRACE))
		r = namespaces_open(&w->visitor);
	else
		r = namespaces_connect(NAMESPACES_SOCKET_PATH, &w->visitor);
	return r < 0 ? r : namespaces_listen(w->visitor, ethtool_monitor_group(), &w->events);
}

/* Nothing is known about what happened meanwhile. */
static void mark_all(struct worker *w, uint64_t now_usec)
{
	struct netns *ns, *next;

	HASH_ITER(hh, w->all, ns, next)
		netns_mark(ns, now_usec);
}

static void take_news(struct worker *w, const struct namespace *news, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct namespace *at = &news[i];
		struct netns *ns;

		if (!at->gone && !at->own && netns_take(w, at) < 0)
			w->search_usec = util_now_usec() + REOPEN_USEC;
		if (!at->gone)
			continue;
		HASH_FIND(hh, w->all, &at->inode, sizeof(at->inode), ns);
		if (ns && ns->cookie == at->cookie && (at->cookie || ns->birth == at->birth))
			netns_forget(ns);
	}
}

static void note_file(bool docker, const char *name, void *userdata)
{
	struct worker *w = userdata;
	struct appeared *a = &w->appeared[w->n_appeared++ % ARRAY_SIZE(w->appeared)];

	a->docker = docker;
	snprintf(a->name, sizeof(a->name), "%s", name);
}

/* Looks at the files that have appeared, the latest first, until one is the namespace with this number. */
static bool find_number(struct worker *w, int nsid)
{
	for (size_t i = 1; w->visitor && i <= ARRAY_SIZE(w->appeared); i++) {
		struct appeared *a = &w->appeared[(w->n_appeared - i) % ARRAY_SIZE(w->appeared)];
		_cleanup_free_ struct namespace *news = NULL;
		struct netns *ns;
		size_t n;

		if (!a->name[0])
			continue;
		if (namespaces_look(w->visitor, a->docker, a->name, &news, &n) < 0)
			return false;
		take_news(w, news, n);
		if (n)
			a->name[0] = '\0';
		HASH_FIND(hh_nsid, w->by_nsid, &nsid, sizeof(nsid), ns);
		if (ns)
			return true;
	}
	return false;
}

static void schedule_search(struct worker *w, uint64_t now_usec)
{
	if (++w->again < ARRAY_SIZE(again_usec))
		w->search_usec = now_usec + again_usec[w->again];
}

static void search(struct worker *w, uint64_t begin_usec)
{
	_cleanup_free_ struct namespace *news = NULL;
	struct namespaces_missing missing;
	size_t n;
	int r = 0;

	w->search_usec = 0;
	if (!w->visitor) {
		r = open_visitor(w);
		mark_all(w, begin_usec);
	}
	if (r >= 0)
		r = namespaces_read_news(w->visitor, &news, &n, &missing);
	if (r < 0) {
		fail(w, r, begin_usec);
		return;
	}
	take_news(w, news, n);
	for (size_t i = 0; i < ARRAY_SIZE(w->appeared); i++)
		w->appeared[i].name[0] = '\0';
	w->tell |= !w->searched || w->more != missing.more || w->error;
	w->searched = true;
	w->reopen_usec = 0;
	w->more = missing.more;
	w->error = 0;
	budget_use(&w->search_budget, util_now_usec() - begin_usec);
	schedule_search(w, util_now_usec());
}

static void search_when_due(struct worker *w, uint64_t now_usec)
{
	uint64_t wait_usec;

	if (!w->search_usec || w->search_usec > now_usec)
		return;
	wait_usec = budget_wait(&w->search_budget, SEARCH_BURST_USEC, now_usec);
	if (wait_usec)
		w->search_usec = wait_usec;
	else
		search(w, now_usec);
}

/* ---- events ---- */

/* A namespace that is not found: only a thread or a descriptor keeps it. Its events must not cause a search each. */
static bool is_lost(struct worker *w, int nsid, uint64_t now_usec)
{
	struct lost *oldest = &w->lost_nsids[0];

	for (size_t i = 0; i < ARRAY_SIZE(w->lost_nsids); i++) {
		struct lost *lost = &w->lost_nsids[i];

		if (lost->until_usec > now_usec && lost->nsid == nsid)
			return true;
		if (lost->until_usec < oldest->until_usec)
			oldest = lost;
	}
	*oldest = (struct lost){ nsid, now_usec + LOST_USEC };
	return false;
}

/* The number is that of another namespace by now, or of none. */
static void forget_lost(struct worker *w, int nsid)
{
	for (size_t i = 0; i < ARRAY_SIZE(w->lost_nsids); i++)
		if (w->lost_nsids[i].nsid == nsid)
			w->lost_nsids[i].until_usec = 0;
}

static void take_event(const struct namespace_event *event, void *userdata)
{
	struct worker *w = userdata;
	uint64_t now_usec = w->now_usec;
	struct netns *ns;

	if (event->what == NAMESPACE_ENDED || event->what == NAMESPACE_NUMBERED)
		forget_lost(w, event->nsid);
	HASH_FIND(hh_nsid, w->by_nsid, &event->nsid, sizeof(event->nsid), ns);
	if (!ns) {
		if (event->what == NAMESPACE_ENDED || is_lost(w, event->nsid, now_usec))
			return;
		(void)namespaces_watch_read(&w->watch, note_file, w);
		search_soon(w, now_usec + (find_number(w, event->nsid) ? FOUND_USEC : 0));
		return;
	}
	switch (event->what) {
	case NAMESPACE_CHANGED:
		netns_mark(ns, now_usec);
		break;
	case NAMESPACE_FEATURES:
		netns_note_features(ns, event, now_usec);
		break;
	case NAMESPACE_ENDED:
		if (w->visitor && netns_has_ended(ns))
			netns_forget(ns);
		break;
	case NAMESPACE_NUMBERED:
		break;
	}
}

/* True: there may be more. */
static bool read_events(struct worker *w, int fd, int (*read_some)(int fd, unsigned max, namespace_event_fn fn, void *userdata))
{
	int r = fd < 0 ? 0 : read_some(fd, EVENTS_AT_ONCE, take_event, w);

	if (r == -ENOBUFS) {
		mark_all(w, w->now_usec);
		search_soon(w, w->now_usec);
	} else if (r < 0) {
		fail(w, r, w->now_usec);
	}
	return r > 0;
}

/* ---- the loop ---- */

static void visit_some(struct worker *w)
{
	uint64_t until_usec = util_now_usec() + VISITS_USEC;
	struct netns *ns;

	while (w->visitor && (ns = TAILQ_FIRST(&w->ready)) && util_now_usec() < until_usec) {
		int r = netns_visit(ns);

		if (r == -ESTALE)
			search_soon(w, util_now_usec());
		else if (r == -ECONNRESET || r == -EPIPE || r == -ETIMEDOUT)
			fail(w, r, util_now_usec());
	}
}

static void wake_all(struct worker *w, uint64_t now_usec)
{
	struct netns *ns, *next;

	if (!w->wake_usec || w->wake_usec > now_usec)
		return;
	w->wake_usec = 0;
	HASH_ITER(hh, w->all, ns, next) {
		netns_wake(ns, now_usec);
		util_earlier(&w->wake_usec, ns->wake_usec);
	}
}

/* Milliseconds for poll(2): rounded up, so that nothing is awaited in a busy loop. */
static int wait_ms(uint64_t deadline_usec, uint64_t now_usec)
{
	if (!deadline_usec)
		return -1;
	return deadline_usec <= now_usec ? 0 : (int)((deadline_usec - now_usec + 999) / 1000);
}

static void turn(struct worker *w, bool *busy)
{
	uint64_t deadline_usec = worker_event_deadline(w);
	struct pollfd fds[] = {
		{ .fd = w->parent, .events = POLLIN },
		{ .fd = w->events.route, .events = POLLIN },
		{ .fd = w->events.generic, .events = POLLIN },
		{ .fd = w->watch.inotify, .events = POLLIN },
	};

	w->now_usec = util_now_usec();
	if (!send_reports(w, w->now_usec, &deadline_usec))
		fds[0].events |= POLLOUT;
	util_earlier(&deadline_usec, w->wake_usec);
	util_earlier(&deadline_usec, w->search_usec);
	if (*busy || (w->visitor && !TAILQ_EMPTY(&w->ready)))
		deadline_usec = w->now_usec;
	if (poll(fds, ARRAY_SIZE(fds), wait_ms(deadline_usec, w->now_usec)) < 0 && errno != EINTR)
		_exit(EXIT_FAILURE);
	if (fds[0].revents & (POLLIN | POLLHUP | POLLERR))
		_exit(EXIT_SUCCESS); /* the daemon sends nothing */
	w->now_usec = util_now_usec();
	*busy = fds[1].revents && read_events(w, w->events.route, namespaces_read_links);
	*busy |= fds[2].revents && read_events(w, w->events.generic, namespaces_read_features);
	if (fds[3].revents && namespaces_watch_read(&w->watch, note_file, w))
		search_soon(w, w->now_usec + FOUND_USEC);
	wake_all(w, w->now_usec);
	search_when_due(w, w->now_usec);
	visit_some(w);
	worker_end_bursts(w, util_now_usec());
}

/* ---- start ---- */

static void set_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	(void)signal(SIGTERM, SIG_IGN); /* the daemon ends, and this process with it */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_NAME, "offloadd-worker");
}

void worker_run(const struct daemon *d, int fd)
{
	static struct worker w;
	const struct timeval limit = { .tv_sec = SEND_SEC };
	bool busy = false;

	set_signals();
	child_close_others(fd, d->journal.fd);
	(void)mallopt(M_MMAP_THRESHOLD, 128 << 10); /* the buffers of each visit go back to the kernel */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	w = (struct worker){ .d = d, .parent = fd, .events = { -1, -1, -1 }, .enforce = d->enforce && d->conf.namespaces == CONF_NAMESPACES_ENFORCE };
	TAILQ_INIT(&w.ready);
	TAILQ_INIT(&w.reports);
	if (namespaces_watch_open(&w.watch) < 0)
		w.watch.inotify = w.watch.numbers = -1;
	util_close_pointer(&w.watch.numbers); /* `events` tells */
	w.watch.numbers = -1;
	search_soon(&w, util_now_usec());
	for (;;)
		turn(&w, &busy);
}
