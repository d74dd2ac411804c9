/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "evidence/collect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "basic/util.h"

#define SETTLE_MAX 64 /* cgroups that are compared at once */

/* ---- names ---- */

void collect_open(struct collect *c, const struct link_table *links, const struct feature_table *features)
{
	*c = (struct collect){ .links = links, .netns = probe_own_netns() };
	socket_features_init(features, &c->features);
	senders_open(&c->senders, NULL);
}

void collect_close(struct collect *c)
{
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

	if (!row)
		return NULL;
	sum->n += hits->hits;
	row->lacked |= hits->missing;
	row->any_protocol |= hits->any_protocol;
	if (hits->limit)
		row->limit = hits->limit;
	if (hits->largest > row->largest)
		row->largest = hits->largest;
	if (hits->last_usec && hits->last_usec <= now_usec && now_usec - hits->last_usec < sum->idle_usec)
		sum->idle_usec = now_usec - hits->last_usec;
	sum->now |= hits->last_usec && hits->last_usec + EVIDENCE_NOW_USEC > now_usec;
	return row;
}

/* ---- senders ---- */

struct hits_list {
	struct probe_hits *all;
	size_t n;
	int error;
};

static void add_hits(const struct probe_hits *hits, void *userdata)
{
	struct hits_list *list = userdata;

	if (GROW(list->all, list->n))
		list->all[list->n++] = *hits;
	else
		list->error = -ENOMEM;
}

int collect_read_hits(struct collect *c, struct probe *probe, struct probe_hits **ret, size_t *ret_n)
{
	struct hits_list list = { 0 };
	int r = probe_read_hits(probe, add_hits, &list);

	if (r >= 0)
		r = list.error;
	if (r < 0) {
		free(list.all);
		return r;
	}
	for (size_t i = 0; i < list.n; i++)
		if (list.all[i].origin == FALLBACK_SOCKET)
			(void)senders_note(&c->senders, &list.all[i]);
	senders_find(&c->senders);
	*ret = list.all;
	*ret_n = list.n;
	return 0;
}

struct settling {
	struct collect *collect;
	uint64_t cgroups[SETTLE_MAX];
	size_t n;
};

static bool is_settling(const struct settling *settling, uint64_t cgroup)
{
	for (size_t i = 0; i < settling->n; i++)
		if (settling->cgroups[i] == cgroup)
			return true;
	return false;
}

static int note_socket(const struct socket_info *socket, void *userdata)
{
	struct settling *settling = userdata;

	if (socket->inode && is_settling(settling, socket->cgroup))
		(void)senders_note_socket(&settling->collect->senders, socket->cgroup, socket->inode);
	return 0;
}

void collect_settle(struct collect *c, struct probe *probe, const struct probe_hits *hits, size_t n)
{
	struct settling settling = { .collect = c };

	for (size_t i = 0; i < n && settling.n < SETTLE_MAX; i++)
		if (hits[i].cgroup > 1 && hits[i].origin == FALLBACK_SOCKET && !evidence_is_by_process(hits[i].kind) &&
			!is_settling(&settling, hits[i].cgroup))
			settling.cgroups[settling.n++] = hits[i].cgroup;
	if (!settling.n || probe_read_sockets(probe, true, note_socket, &settling, NULL) < 0)
		return;
	senders_find(&c->senders);
	for (size_t i = 0; i < settling.n; i++)
		(void)probe_settle(probe, settling.cgroups[i], senders_judge_owner(&c->senders, settling.cgroups[i]));
}

/* ---- stale connections ---- */

struct inventory {
	struct collect *collect;
	struct socket_info *stale;
	size_t n;
	int error;
};

/* Senders are resolved later, not while the kernel iterates over the sockets. */
static int add_socket(const struct socket_info *socket, void *userdata)
{
	struct inventory *inventory = userdata;

	if (!socket->inode || !socket_stale(socket, &inventory->collect->features))
		return 0;
	if (!GROW(inventory->stale, inventory->n)) {
		inventory->error = -ENOMEM;
		return 1;
	}
	inventory->stale[inventory->n++] = *socket;
	return 0;
}

static void add_stale(struct collect *c, struct stale_set *set, const struct socket_info *socket, uint64_t realtime_usec)
{
	const struct probe_hits hits = { .kind = FALLBACK_SEGMENTATION, .origin = FALLBACK_SOCKET, .cgroup = socket->cgroup,
		.inode = socket->inode };
	const struct link *link = collect_find_link(c, socket->netns, socket->ifindex);
	struct stale_key key = { .netns = socket->netns, .ifindex = socket->ifindex };
	struct stale *stale;
	struct unit unit;

	senders_name(&c->senders, &hits, &unit, key.service);
	stale = stale_add(set, &key, socket, socket_stale(socket, &c->features), realtime_usec);
	if (!stale)
		return;
	stale->found.unit = unit;
	if (link)
		util_copy_name(stale->found.link, sizeof(stale->found.link), link->name, sizeof(link->name));
}

int collect_stale(struct collect *c, struct probe *probe, struct stale_set *set)
{
	struct inventory inventory = { .collect = c };
	uint64_t realtime_usec = util_realtime_usec();
	size_t known = 0;
	int r;

	stale_begin(set);
	r = probe_read_sockets(probe, false, add_socket, &inventory, NULL);
	if (r >= 0)
		r = inventory.error;
	for (size_t i = 0; r >= 0 && i < inventory.n; i++) {
		if (i == known)
			known += senders_find_sockets(&c->senders, &inventory.stale[i], inventory.n - i);
		add_stale(c, set, &inventory.stale[i], realtime_usec);
	}
	free(inventory.stale);
	return r;
}
