/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "basic/util.h"
#include "evidence/cost.h"
#include "kernel/cgroup.h"

struct cost_address {
	struct traffic_address address;
	int ifindex;
};

static int compare_addresses(const void *a, const void *b)
{
	return memcmp(&((const struct cost_address *)a)->address, &((const struct cost_address *)b)->address, sizeof(struct traffic_address));
}

static void note_address(int ifindex, const struct traffic_address *address, void *userdata)
{
	struct cost_reading *reading = userdata;

	if (!GROW(reading->addresses, reading->n_addresses)) {
		reading->error = -ENOMEM;
		return;
	}
	reading->addresses[reading->n_addresses++] = (struct cost_address){ *address, ifindex };
}

static void note_link_bytes(const char *name, uint64_t bytes, void *userdata)
{
	struct cost_reading *reading = userdata;
	const struct link *link = link_table_find_name(reading->links, name);
	struct cost_link *found = link ? (struct cost_link *)cost_find_link(&reading->sample, link->ifindex) : NULL;

	if (!found)
		return;
	found->has_bytes = true;
	found->bytes = bytes;
}

/* Counters that are close to the beginning; the sockets follow. */
static int begin(struct cost_reading *reading)
{
	struct cost_sample *sample = &reading->sample;
	int r;

	reading->open = true;
	sample->begin_usec = util_now_usec();
	sample->links = calloc(link_table_count(reading->links) + 1, sizeof(*sample->links));
	if (!sample->links)
		return -ENOMEM;
	link_table_foreach(reading->links, link)
		sample->links[sample->n_links++] = (struct cost_link){ .ifindex = link->ifindex, .active = link->has_features ? link->features.active : 0 };
	qsort(sample->links, sample->n_links, sizeof(*sample->links), cost_order_links);
	r = traffic_read_addresses(note_address, reading);
	if (r < 0 || reading->error < 0)
		return r < 0 ? r : reading->error;
	if (reading->n_addresses)
		qsort(reading->addresses, reading->n_addresses, sizeof(*reading->addresses), compare_addresses);
	r = traffic_read_links(note_link_bytes, reading);
	return r < 0 ? r : traffic_read_softirq(&sample->softirq_usec);
}

static const struct cost_address *find_address(const struct cost_reading *reading, const struct traffic_address *address)
{
	const struct cost_address key = { .address = *address };

	return reading->n_addresses ? bsearch(&key, reading->addresses, reading->n_addresses, sizeof(key), compare_addresses) : NULL;
}

/* A connection to an own address is over the loopback interface. */
static void note_socket(const struct traffic_socket *socket, void *userdata)
{
	struct cost_reading *reading = userdata;
	struct cost_sample *sample = &reading->sample;
	const struct cost_address *local = find_address(reading, &socket->local);

	if (!local || find_address(reading, &socket->remote))
		return;
	if (sample->n_sockets == COST_SOCKETS_MAX) {
		reading->full = true;
		return;
	}
	if (!GROW(sample->sockets, sample->n_sockets)) {
		reading->error = -ENOMEM;
		return;
	}
	sample->sockets[sample->n_sockets++] =
		(struct cost_socket){ .cookie = socket->cookie, .cgroup = socket->cgroup, .bytes = socket->bytes, .ifindex = local->ifindex };
}

static int compare_cgroups(const void *a, const void *b)
{
	return COMPARE(((const struct cost_socket *)a)->cgroup, ((const struct cost_socket *)b)->cgroup);
}

static int list_groups(struct cost_sample *sample)
{
	uint64_t last = 0;

	if (!sample->n_sockets)
		return 0;
	qsort(sample->sockets, sample->n_sockets, sizeof(*sample->sockets), compare_cgroups);
	for (size_t i = 0; i < sample->n_sockets; i++) {
		if (sample->sockets[i].cgroup == last)
			continue;
		if (sample->n_groups == COST_GROUPS_MAX)
			return -E2BIG;
		if (!GROW(sample->groups, sample->n_groups))
			return -ENOMEM;
		last = sample->sockets[i].cgroup;
		sample->groups[sample->n_groups++] = (struct cost_group){ .cgroup = last };
	}
	qsort(sample->sockets, sample->n_sockets, sizeof(*sample->sockets), cost_order_sockets);
	return 0;
}

static int name_groups(struct cost_sample *sample, const struct cost_sample *before)
{
	_cleanup_free_ uint64_t *ids = calloc(sample->n_groups + 1, sizeof(*ids));
	_cleanup_free_ char **paths = calloc(sample->n_groups + 1, sizeof(*paths));
	size_t missing = 0;
	int r = ids && paths ? 0 : -ENOMEM;

	for (size_t i = 0; i < sample->n_groups && r == 0; i++) {
		const struct cost_group *known = before->n_groups
			? bsearch(&sample->groups[i], before->groups, before->n_groups, sizeof(*known), cost_order_groups) : NULL;

		ids[i] = sample->groups[i].cgroup;
		paths[i] = known && known->path ? strdup(known->path) : NULL;
		missing += !paths[i];
	}
	if (r == 0 && missing)
		r = cgroup_find_paths(ids, sample->n_groups, paths);
	for (size_t i = 0; i < sample->n_groups && ids && paths; i++)
		sample->groups[i].path = paths[i];
	return r == -ENOENT ? 0 : r; /* without the unified hierarchy no service is known */
}

static void read_cpu(struct cost_sample *sample)
{
	for (size_t i = 0; i < sample->n_groups; i++) {
		struct cost_group *group = &sample->groups[i];

		if (!group->path || cgroup_read_cpu(group->path, &group->cpu_usec) >= 0)
			continue;
		free(group->path);
		group->path = NULL;
	}
}

static int finish(struct cost_reading *reading, const struct cost_sample *before)
{
	int r = reading->error < 0 ? reading->error : reading->full ? -E2BIG : list_groups(&reading->sample);

	if (r == 0)
		r = name_groups(&reading->sample, before);
	if (r == 0)
		read_cpu(&reading->sample);
	reading->sample.end_usec = util_now_usec();
	return r;
}

int cost_read(struct cost_reading *reading, struct link_table *links, const struct cost_sample *before, uint64_t until_usec,
	struct cost_sample *ret)
{
	int r = 0;

	reading->links = links;
	if (!reading->open)
		r = begin(reading);
	if (r >= 0)
		r = traffic_read_sockets(&reading->scan, until_usec, note_socket, reading);
	if (r == -EAGAIN)
		return r;
	if (r >= 0)
		r = finish(reading, before);
	if (r >= 0) {
		*ret = reading->sample;
		reading->sample = (struct cost_sample){ 0 };
	}
	cost_end_reading(reading);
	return r;
}

void cost_end_reading(struct cost_reading *reading)
{
	traffic_end_scan(&reading->scan);
	cost_sample_clear(&reading->sample);
	free(reading->addresses);
	*reading = (struct cost_reading){ 0 };
}

void cost_sample_clear(struct cost_sample *sample)
{
	for (size_t i = 0; i < sample->n_groups; i++)
		free(sample->groups[i].path);
	free(sample->groups);
	free(sample->sockets);
	free(sample->links);
	*sample = (struct cost_sample){ 0 };
}
