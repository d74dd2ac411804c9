/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "offloadd/worker_private.h"

#define SHARE 10 /* one part in so many of all time */
#define VISIT_BURST_USEC (100 * USEC_PER_MSEC)
#define ROUNDS_MAX 4 /* of reconciles in one visit: another program may change something meanwhile */
#define RETRY_USEC (1 * USEC_PER_SEC) /* after a failed visit; after each further one twice as long */
#define RETRIES_MAX 6
#define REPORT_USEC (200 * USEC_PER_MSEC) /* between two reports of the same namespace */

/* ---- what it may cost ---- */

uint64_t budget_wait(struct budget *b, uint64_t burst_usec, uint64_t now_usec)
{
	uint64_t gained = (now_usec - b->at_usec) / SHARE;

	if (!b->at_usec || b->left_usec + (int64_t)gained >= (int64_t)burst_usec) {
		b->left_usec = (int64_t)burst_usec;
		b->at_usec = now_usec;
	} else {
		b->left_usec += (int64_t)gained;
		b->at_usec += gained * SHARE;
	}
	return b->left_usec > 0 ? 0 : now_usec + (uint64_t)(1 - b->left_usec) * SHARE;
}

void budget_use(struct budget *b, uint64_t usec)
{
	b->left_usec -= (int64_t)usec;
}

/* ---- what is reported ---- */

static void report(struct netns *ns)
{
	if (ns->unsent)
		return;
	ns->unsent = true;
	TAILQ_INSERT_TAIL(&ns->worker->reports, ns, reports);
}

static void summarize(const struct netns *ns, struct netns_status *ret)
{
	struct link_summary summary;
	struct reconcile_counts counts;

	if (!ns->reconcile)
		return;
	link_states_summarize(reconcile_states(ns->reconcile), &summary);
	counts = reconcile_count(ns->reconcile);
	ret->links = (uint32_t)link_table_count(&ns->observe->links);
	ret->declared = (uint32_t)summary.declared;
	for (int v = 0; v < VERDICT_COUNT; v++) {
		ret->with[v] = (uint32_t)summary.links[v];
		ret->features[v] = (uint32_t)summary.features[v];
	}
	ret->pending = (uint32_t)summary.pending;
	ret->unread = (uint32_t)summary.unread;
	ret->sets = counts.sets;
}

static void describe(const struct netns *ns, struct worker_packet *ret)
{
	struct netns_status *s = &ret->status;

	*ret = (struct worker_packet){ .what = WORKER_STATUS };
	s->inode = ns->inode;
	s->cookie = ns->cookie;
	s->birth = ns->birth;
	util_clean(ns->label, s->label, sizeof(s->label));
	util_clean(ns->facts->container, s->container, sizeof(s->container));
	util_clean(ns->facts->unit, s->unit, sizeof(s->unit));
	s->look = ns->look;
	s->error = ns->error;
	s->enforce = ns->worker->enforce;
	s->visits = ns->visits;
	summarize(ns, s);
}

/* FNV-1a, of all that changes by more than being visited. */
static uint64_t hash(const struct worker_packet *packet)
{
	struct worker_packet copy = *packet;
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	copy.status.visits = 0;
	for (size_t i = 0; i < sizeof(copy); i++)
		h = (h ^ ((const uint8_t *)&copy)[i]) * UINT64_C(0x100000001b3);
	return h;
}

bool netns_send_status(struct netns *ns)
{
	struct worker_packet packet;
	uint64_t h;

	describe(ns, &packet);
	h = hash(&packet);
	if (h != ns->sent_hash && send(ns->worker->parent, &packet, sizeof(packet), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return false;
	ns->sent_hash = h;
	ns->report_usec = util_now_usec() + REPORT_USEC;
	ns->unsent = false;
	TAILQ_REMOVE(&ns->worker->reports, ns, reports);
	return true;
}

/* ---- when it is visited ---- */

static void wake_at(struct netns *ns, uint64_t usec)
{
	util_earlier(&ns->wake_usec, usec);
	util_earlier(&ns->worker->wake_usec, usec);
}

/* Lets it be visited when its budget allows. */
static void queue(struct netns *ns, uint64_t now_usec)
{
	uint64_t wait_usec = budget_wait(&ns->budget, VISIT_BURST_USEC, now_usec);

	if (ns->queued)
		return;
	if (!wait_usec) {
		ns->queued = true;
		TAILQ_INSERT_TAIL(&ns->worker->ready, ns, ready);
		return;
	}
	wake_at(ns, wait_usec);
	if (ns->look == NETNS_SEEN)
		ns->look = NETNS_DEFERRED;
	report(ns);
}

void netns_mark(struct netns *ns, uint64_t now_usec)
{
	if (ns->dirty)
		return;
	ns->dirty = true;
	queue(ns, now_usec);
}

void netns_wake(struct netns *ns, uint64_t now_usec)
{
	if (!ns->wake_usec || ns->wake_usec > now_usec)
		return;
	ns->wake_usec = 0;
	ns->dirty = true;
	queue(ns, now_usec);
}

void netns_note_features(struct netns *ns, const struct namespace_event *event, uint64_t now_usec)
{
	const struct link *link = ns->observe ? link_table_find(&ns->observe->links, event->ifindex) : NULL;

	if (link && link->has_features && !link->features_stale && link->features.wanted == event->features.wanted &&
		link->features.active == event->features.active && link->features.hw == event->features.hw &&
		link->features.nochange == event->features.nochange)
		return;
	netns_mark(ns, now_usec);
}

/* ---- a visit ---- */

static void close_netns(struct netns *ns)
{
	if (ns->observe && ns->counted > NETNS_LINKS_FREE)
		ns->worker->many -= ns->counted - NETNS_LINKS_FREE;
	ns->counted = 0;
	reconcile_free(ns->reconcile);
	ns->reconcile = NULL;
	observe_close(ns->observe);
	ns->observe = NULL;
}

static int open_netns(struct netns *ns, const struct netns_sockets *sockets)
{
	struct worker *w = ns->worker;
	const struct observe *own = w->d->observe;
	const struct reconcile_options how = { .enforce = w->enforce, .fn = worker_send_event, .userdata = ns };
	const struct observe_options options = {
		.backend = own->backend,
		.sockets = sockets,
		.features = &own->features,
		.links_max = w->many < WORKER_LINKS_MAX ? NETNS_LINKS_MAX : NETNS_LINKS_FREE,
	};
	const char *what;
	int r = observe_open(&options, &ns->observe, &what);

	if (r >= 0)
		r = reconcile_new(ns->observe, &ns->host, &how, &ns->reconcile);
	if (r < 0)
		return r;
	reconcile_configure(ns->reconcile, w->enforce, &w->d->conf.contention);
	reconcile_borrow_rules(ns->reconcile, reconcile_rules(w->d->reconcile));
	ns->observe->want_routes = own->want_routes;
	ns->observe->want_names = own->want_names;
	ns->observe->want_hardware = own->want_hardware;
	ns->observe->want_forwarding = own->want_forwarding;
	return 0;
}

static void count_links(struct netns *ns)
{
	size_t n = link_table_count(&ns->observe->links);

	ns->worker->many -= ns->counted > NETNS_LINKS_FREE ? ns->counted - NETNS_LINKS_FREE : 0;
	ns->worker->many += n > NETNS_LINKS_FREE ? n - NETNS_LINKS_FREE : 0;
	ns->counted = n;
}

static int reconcile_there(struct netns *ns)
{
	int r = 0;

	reconcile_tick(ns->reconcile, util_now_usec());
	for (unsigned i = 0; i < ROUNDS_MAX && r >= 0 && reconcile_is_pending(ns->reconcile); i++)
		r = reconcile_run(ns->reconcile, util_now_usec(), util_realtime_sec());
	if (r >= 0 && reconcile_is_pending(ns->reconcile))
		ns->dirty = true;
	return r < 0 ? r : 0;
}

/* 0; -E2BIG: it has too many links; other negative errno. */
static int look(struct netns *ns, const struct netns_sockets *sockets)
{
	int r = ns->observe ? observe_attach(ns->observe, sockets) : open_netns(ns, sockets);

	if (r >= 0)
		r = observe_refresh(ns->observe);
	if (r >= 0 && ns->observe->cut)
		r = -E2BIG;
	if (r < 0)
		return r;
	count_links(ns);
	return reconcile_there(ns);
}

static int enter(struct netns *ns)
{
	const struct namespace at = { .inode = ns->inode, .cookie = ns->cookie, .birth = ns->birth };
	struct netns_sockets sockets = { .route = -1, .generic = -1, .plain = -1 };
	int r = namespaces_visit(ns->worker->visitor, &at, &sockets);

	if (r < 0)
		return r;
	r = look(ns, &sockets);
	if (ns->observe)
		observe_detach(ns->observe);
	netns_close_sockets(&sockets);
	return r;
}

bool netns_has_ended(const struct netns *ns)
{
	const struct namespace at = { .inode = ns->inode, .cookie = ns->cookie, .birth = ns->birth };
	struct netns_sockets sockets = { .route = -1, .generic = -1, .plain = -1 };
	int r = namespaces_visit(ns->worker->visitor, &at, &sockets);

	netns_close_sockets(&sockets);
	return r == -ESTALE;
}

static void retry_later(struct netns *ns, uint64_t now_usec)
{
	unsigned exponent = ns->failures < RETRIES_MAX ? ns->failures : RETRIES_MAX;

	ns->failures++;
	ns->dirty = true;
	wake_at(ns, now_usec + (RETRY_USEC << exponent));
}

int netns_visit(struct netns *ns)
{
	uint64_t begin_usec = util_now_usec(), now_usec;
	int r;

	TAILQ_REMOVE(&ns->worker->ready, ns, ready);
	ns->queued = ns->dirty = false;
	ns->wake_usec = 0;
	ns->visits++;
	r = enter(ns);
	now_usec = util_now_usec();
	budget_use(&ns->budget, now_usec - begin_usec);
	ns->look = r == -E2BIG ? NETNS_TOO_MANY : r < 0 ? NETNS_FAILED : NETNS_SEEN;
	ns->error = r == -E2BIG ? 0 : r;
	if (r == -E2BIG || r == -ENOMEM)
		close_netns(ns);
	if (r < 0)
		retry_later(ns, now_usec);
	else
		ns->failures = 0;
	if (ns->reconcile)
		wake_at(ns, reconcile_deadline(ns->reconcile));
	if (r >= 0 && ns->dirty)
		queue(ns, now_usec);
	report(ns);
	return r;
}

/* ---- which it is ---- */

/* 1: something changed; 0; -ENOMEM. */
static int set_facts(struct netns *ns, const struct namespace *at)
{
	_cleanup_free_ struct rule_netns *facts = NULL;
	char label[NAMESPACES_LABEL_LEN];
	_cleanup_free_ char *copy = NULL;
	int r = namespaces_facts(at, &facts);

	copy = strdup(namespaces_label(at, label, sizeof(label)));
	if (r < 0 || !copy)
		return -ENOMEM;
	if (ns->facts && strcmp(ns->label, copy) == 0 && strcmp(ns->facts->name, facts->name) == 0 &&
		strcmp(ns->facts->container, facts->container) == 0 && strcmp(ns->facts->container_id, facts->container_id) == 0 &&
		strcmp(ns->facts->unit, facts->unit) == 0 && strcmp(ns->facts->image, facts->image) == 0)
		return 0;
	free(ns->facts);
	free(ns->label);
	ns->facts = TAKE_PTR(facts);
	ns->label = TAKE_PTR(copy);
	ns->host.netns = ns->facts;
	return 1;
}

void netns_free(struct netns *ns)
{
	close_netns(ns);
	free(ns->facts);
	free(ns->label);
	free(ns);
}

static void set_nsid(struct netns *ns, int nsid)
{
	struct worker *w = ns->worker;
	struct netns *other;

	if (ns->nsid == nsid)
		return;
	if (ns->nsid >= 0)
		HASH_DELETE(hh_nsid, w->by_nsid, ns);
	ns->nsid = -1;
	if (nsid < 0)
		return;
	HASH_FIND(hh_nsid, w->by_nsid, &nsid, sizeof(nsid), other);
	if (other) {
		HASH_DELETE(hh_nsid, w->by_nsid, other);
		other->nsid = -1;
	}
	ns->nsid = nsid;
	if (hash_add_by(hh_nsid, w->by_nsid, nsid, ns) < 0)
		ns->nsid = -1;
}

void netns_forget(struct netns *ns)
{
	struct worker *w = ns->worker;
	struct worker_packet packet = { .what = WORKER_STATUS,
		.status = { .inode = ns->inode, .cookie = ns->cookie, .birth = ns->birth, .gone = true } };

	set_nsid(ns, -1);
	HASH_DELETE(hh, w->all, ns);
	if (ns->queued)
		TAILQ_REMOVE(&w->ready, ns, ready);
	if (ns->unsent)
		TAILQ_REMOVE(&w->reports, ns, reports);
	worker_send(w, &packet);
	netns_free(ns);
}

static struct netns *new_netns(struct worker *w, const struct namespace *at)
{
	struct netns *ns = calloc(1, sizeof(*ns));

	if (!ns)
		return NULL;
	ns->worker = w;
	ns->inode = at->inode;
	ns->cookie = at->cookie;
	ns->birth = at->birth;
	ns->nsid = -1;
	ns->host = w->d->host;
	if (set_facts(ns, at) < 0 || hash_add(w->all, inode, ns) < 0) {
		netns_free(ns);
		return NULL;
	}
	return ns;
}

int netns_take(struct worker *w, const struct namespace *at)
{
	struct netns *ns;
	int r = 1;

	HASH_FIND(hh, w->all, &at->inode, sizeof(at->inode), ns);
	if (ns && (ns->cookie != at->cookie || (!at->cookie && ns->birth != at->birth))) {
		netns_forget(ns);
		ns = NULL;
	}
	if (ns)
		r = set_facts(ns, at);
	else
		ns = new_netns(w, at);
	if (r < 0 || !ns)
		return -ENOMEM;
	ns->birth = at->birth; /* with a cookie it is not part of the identity */
	set_nsid(ns, at->nsid);
	if (r > 0 && ns->reconcile)
		reconcile_mark_all(ns->reconcile);
	report(ns);
	netns_mark(ns, util_now_usec());
	return 0;
}
