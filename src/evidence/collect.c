/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "evidence/collect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "basic/util.h"

/* ---- names ---- */

void collect_open(struct collect *c, const struct link_table *links, const struct feature_table *features)
{
	*c = (struct collect){ .links = links, .netns = probe_own_netns() };
	socket_features_init(features, &c->features);
	senders_open(&c->senders, NULL);
}

static void end_inventory(struct collect_inventory *inventory)
{
	probe_end_pass(&inventory->pass);
	senders_close(&inventory->holders);
	free(inventory->stale);
	*inventory = (struct collect_inventory){ 0 };
}

static void drop_hits(struct collect *c)
{
	free(c->hits.all);
	memset(&c->hits, 0, sizeof(c->hits));
}

void collect_close(struct collect *c)
{
	end_inventory(&c->inventory);
	drop_hits(c);
	probe_end_pass(&c->judge.pass);
	senders_close(&c->senders);
}

const struct link *collect_find_link(const struct collect *c, uint32_t netns, int ifindex)
{
	return ifindex && netns == c->netns ? link_table_find(c->links, ifindex) : NULL;
}

/* ---- probes ---- */

void collect_probe(struct evidence *e, const struct probe_status *status)
{
	bool absent = status->method == PROBE_ABSENT;
	struct evidence_probe probe = { status->name, status->function, absent ? NULL : probe_method_name(status->method),
		absent ? status->why : NULL, absent && status->fixable };

	if (absent && status->other_kernels)
		return;
	e->has_sockets |= !absent && !strcmp(status->name, "sockets");
	e->has_fallback |= !absent && (evidence_kind_parse(status->name) < FALLBACK_KINDS ||
					      !strcmp(status->name, EVIDENCE_BY_PROCESS));
	evidence_add_probe(e, &probe);
}

void collect_probes(struct evidence *e, const struct probe *probe)
{
	const struct probe_status *status;
	size_t n;

	status = probe_status(probe, &n);
	for (size_t i = 0; i < n; i++)
		collect_probe(e, &status[i]);
}

struct evidence_fallback *collect_hits(struct evidence *e, const struct probe_hits *hits, const char *service, const char *link,
	uint64_t now_usec)
{
	struct evidence_fallback *row = evidence_fallback_row(e, hits->origin, hits->reason, service, link);
	struct evidence_hits *sum = row ? &row->hits[hits->kind] : NULL;
	uint64_t idle_usec = hits->last_usec && hits->last_usec < now_usec ? now_usec - hits->last_usec : 0;

	if (!row) {
		if (idle_usec < e->lost_idle_usec)
			e->lost_idle_usec = idle_usec;
		return NULL;
	}
	sum->n += hits->hits;
	row->lacked |= hits->missing;
	row->any_protocol |= hits->any_protocol;
	if (hits->limit)
		row->limit = hits->limit;
	if (hits->largest > row->largest)
		row->largest = hits->largest;
	if (hits->last_usec && idle_usec < sum->idle_usec)
		sum->idle_usec = idle_usec;
	sum->now |= hits->last_usec && idle_usec < EVIDENCE_NOW_USEC;
	return row;
}

/* ---- senders ---- */

struct hits_list {
	struct collect *c;
	int error;
};

static void add_hits(const struct probe_hits *hits, void *userdata)
{
	struct hits_list *list = userdata;

	if (GROW(list->c->hits.all, list->c->hits.n))
		list->c->hits.all[list->c->hits.n++] = *hits;
	else
		list->error = -ENOMEM;
}

int collect_read_hits(struct collect *c, struct probe *probe, bool whole, struct probe_hits **ret, size_t *ret_n)
{
	struct hits_list list = { .c = c };
	int r;

	if (whole)
		drop_hits(c);
	r = probe_read_hits(probe, whole ? NULL : &c->hits.walk, add_hits, &list);
	if (list.error)
		r = list.error;
	if (r < 0) {
		if (r != -EAGAIN)
			drop_hits(c);
		return r;
	}
	for (size_t i = 0; i < c->hits.n; i++)
		if (c->hits.all[i].origin == FALLBACK_SOCKET)
			(void)senders_note(&c->senders, &c->hits.all[i]);
	*ret = TAKE_PTR(c->hits.all);
	*ret_n = c->hits.n;
	drop_hits(c);
	return 0;
}

bool collect_is_elsewhere(struct collect *c, const struct probe_hits *hits)
{
	const struct sender *sender = hits->tgid && hits->origin == FALLBACK_SOCKET ? senders_note(&c->senders, hits) : NULL;

	return sender && sender->key.is_process && sender->netns && c->netns && sender->netns != c->netns;
}

int collect_settle_on(struct collect *c, struct probe *probe)
{
	struct sender_judge *judge = &c->judge;

	if (judge->n && senders_judge(&c->senders, judge) == -EAGAIN)
		return -EAGAIN;
	for (size_t i = 0; i < judge->n; i++) {
		if (judge->of[i].forgotten)
			(void)probe_settle(probe, judge->of[i].forgotten, false);
		(void)probe_settle(probe, judge->of[i].cgroup, judge->of[i].single);
	}
	judge->n = 0;
	return 0;
}

static bool is_judged(const struct sender_judge *judge, uint64_t cgroup)
{
	for (size_t i = 0; i < judge->n; i++)
		if (judge->of[i].cgroup == cgroup)
			return true;
	return false;
}

int collect_settle(struct collect *c, struct probe *probe, const struct probe_hits *hits, size_t n)
{
	struct sender_judge *judge = &c->judge;

	for (size_t i = 0; !judge->pass.open && i < n && judge->n < SENDERS_JUDGED_MAX; i++)
		if (hits[i].cgroup > 1 && hits[i].origin == FALLBACK_SOCKET && !evidence_is_by_process(hits[i].kind) &&
			!is_judged(judge, hits[i].cgroup))
			judge->of[judge->n++] = (struct sender_judged){ .cgroup = hits[i].cgroup };
	return collect_settle_on(c, probe);
}

/* ---- stale connections ---- */

/* Senders are resolved later, not while the kernel iterates over the sockets. */
static int add_socket(const struct socket_info *socket, void *userdata)
{
	struct collect *c = userdata;
	struct collect_inventory *inventory = &c->inventory;

	if (!socket_stale(socket, &c->features))
		return 0;
	if (!socket->inode) {
		inventory->waiting |= socket_waits(socket);
		return 0;
	}
	if (!GROW(inventory->stale, inventory->n)) {
		inventory->error = -ENOMEM;
		return 1;
	}
	inventory->stale[inventory->n++] = *socket;
	return 0;
}

static int compare_inodes(const void *p, const void *q)
{
	const struct socket_info *a = p, *b = q;

	return COMPARE(a->inode, b->inode);
}

/* A pass in slices may show a socket twice. */
static void remove_twins(struct collect_inventory *inventory)
{
	size_t n = 0;

	if (inventory->n < 2)
		return;
	qsort(inventory->stale, inventory->n, sizeof(*inventory->stale), compare_inodes);
	for (size_t i = 1; i < inventory->n; i++)
		if (inventory->stale[i].inode != inventory->stale[n].inode)
			inventory->stale[++n] = inventory->stale[i];
	inventory->n = n + 1;
}

static void add_stale(struct collect *c, struct stale_set *set, const struct socket_info *socket, uint64_t realtime_usec)
{
	const struct probe_hits hits = { .kind = FALLBACK_SEGMENTATION, .origin = FALLBACK_SOCKET, .cgroup = socket->cgroup,
		.inode = socket->inode };
	const struct link *link = collect_find_link(c, socket->netns, socket->ifindex);
	struct stale_key key = { .netns = socket->netns, .ifindex = socket->ifindex };
	struct stale *stale;
	struct unit unit;

	senders_name(&c->inventory.holders, &hits, &unit, key.service);
	stale = stale_add(set, &key, socket, socket_stale(socket, &c->features), realtime_usec);
	if (!stale)
		return;
	stale->found.unit = unit;
	if (link)
		util_copy_name(stale->found.link, sizeof(stale->found.link), link->name, sizeof(link->name));
}

/* 0; -EAGAIN; another negative errno. */
static int read_stale(struct collect *c, struct probe *probe)
{
	struct collect_inventory *inventory = &c->inventory;
	int r;

	if (!inventory->open)
		senders_open_again(&inventory->holders, &c->senders);
	inventory->open = true;
	if (inventory->read)
		return 0;
	r = probe_read_sockets(probe, &inventory->pass, false, add_socket, c, NULL);
	if (r < 0)
		return r;
	inventory->read = true;
	if (inventory->pass.split)
		remove_twins(inventory);
	return inventory->error;
}

/* The next batch, so that none of its senders is forgotten before it is used. 0; -EAGAIN. */
static int add_batch(struct collect *c, struct stale_set *set, uint64_t realtime_usec)
{
	struct collect_inventory *inventory = &c->inventory;
	size_t end = inventory->n - inventory->at < SENDERS_BATCH ? inventory->n : inventory->at + SENDERS_BATCH;

	for (size_t i = inventory->at; !inventory->noted && i < end; i++)
		(void)senders_note_socket(&inventory->holders, inventory->stale[i].cgroup, inventory->stale[i].inode);
	inventory->noted = true;
	if (senders_find(&inventory->holders) == -EAGAIN)
		return -EAGAIN;
	if (inventory->at == 0)
		stale_begin(set);
	for (; inventory->at < end; inventory->at++)
		add_stale(c, set, &inventory->stale[inventory->at], realtime_usec);
	inventory->noted = false;
	return 0;
}

int collect_stale(struct collect *c, struct probe *probe, struct stale_set *set)
{
	struct collect_inventory *inventory = &c->inventory;
	uint64_t realtime_usec = util_realtime_usec();
	int r = read_stale(c, probe);

	if (r == 0 && !inventory->n)
		stale_begin(set);
	while (r == 0 && inventory->at < inventory->n)
		r = add_batch(c, set, realtime_usec);
	if (r == -EAGAIN)
		return r;
	set->unsure = inventory->pass.split;
	if (r == 0)
		r = inventory->waiting;
	end_inventory(inventory);
	return r;
}
