/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "evidence/collect.h"

#include <inttypes.h>
#include <string.h>

#include "basic/util.h"
#include "kernel/cgroup.h"

/* ---- names ---- */

void collect_open(struct collect *c, const struct link_table *links, const struct feature_table *features)
{
	*c = (struct collect){ .links = links, .netns = probe_own_netns() };
	socket_features_init(features, &c->features);
	(void)cgroup_paths_open(&c->cgroups);
}

void collect_close(struct collect *c)
{
	cgroup_paths_close(c->cgroups);
	c->cgroups = NULL;
}

const char *collect_name_service(struct collect *c, uint64_t cgroup, pid_t pid, const char *otherwise, struct unit *ret,
	char buf[UNIT_SERVICE_LEN])
{
	char own[UNIT_PATH_MAX];
	const char *path = NULL;

	*ret = (struct unit){ .kind = UNIT_NONE };
	if (cgroup > 1 && (!c->cgroups || cgroup_paths_find(c->cgroups, cgroup, &path) < 0)) {
		snprintf(buf, UNIT_SERVICE_LEN, "cgroup %" PRIu64, cgroup);
		return buf;
	}
	if (!path && pid > 0 && cgroup_path_of_process(pid, own, sizeof(own)) == 0)
		path = own;
	if (path)
		unit_parse_path(path, ret);
	if (ret->kind != UNIT_NONE)
		return unit_format(ret, buf, UNIT_SERVICE_LEN);
	util_copy_name(buf, UNIT_SERVICE_LEN, otherwise, strlen(otherwise));
	return buf;
}

void collect_name_stale(struct collect *c, struct stale *stale)
{
	struct evidence_stale *row = &stale->found;
	struct cgroup_socket owner = { .inode = row->n_samples ? row->samples[0].inode : 0 };
	const struct link *link = collect_find_link(c, stale->key.netns, stale->key.ifindex);

	if (stale->key.cgroup <= 1 && owner.inode)
		(void)cgroup_find_socket_owners(&owner, 1);
	collect_name_service(c, stale->key.cgroup, owner.pid, "a process", &row->unit, row->service);
	if (row->unit.kind == UNIT_NONE && owner.pid)
		snprintf(row->service, sizeof(row->service), "process %d", (int)owner.pid);
	if (link)
		util_copy_name(row->link, sizeof(row->link), link->name, sizeof(link->name));
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
		absent ? status->why : NULL };

	if (absent && status->other_kernels)
		return;
	e->has_sockets |= status->method == PROBE_ITERATOR;
	e->has_fallback |= !absent && (evidence_kind_parse(status->name) < FALLBACK_KINDS ||
					      !strcmp(status->name, PROBE_BY_PROCESS));
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

struct inventory {
	struct collect *collect;
	struct stale_set *set;
	uint64_t realtime_usec;
};

static int add_socket(const struct socket_info *socket, void *userdata)
{
	struct inventory *inventory = userdata;
	feature_set missing = socket_stale(socket, &inventory->collect->features);

	if (socket->inode && missing)
		(void)stale_add(inventory->set, socket, missing, inventory->realtime_usec);
	return 0;
}

int collect_stale(struct collect *c, struct probe *probe, struct stale_set *set)
{
	struct inventory inventory = { c, set, util_realtime_usec() };

	stale_begin(set);
	return probe_read_sockets(probe, false, add_socket, &inventory, NULL);
}
