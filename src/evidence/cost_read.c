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

static int begin(struct cost_reading *reading, struct link_table *links)
{
	struct cost_sample *sample = &reading->sample;

	sample->begin_usec = util_now_usec();
	sample->links = calloc(link_table_count(links) + 1, sizeof(*sample->links));
	if (!sample->links)
		return -ENOMEM;
	link_table_foreach(links, link)
		sample->links[sample->n_links++] = (struct cost_link){ .ifindex = link->ifindex, .active = link->has_features ? link->features.active : 0 };
	qsort(sample->links, sample->n_links, sizeof(*sample->links), cost_order_links);
	return traffic_read_softirq(&sample->softirq_usec);
}

static int read_addresses(struct cost_reading *reading, uint64_t until_usec)
{
	int r = traffic_read_addresses(&reading->scan, until_usec, note_address, reading);

	if (r == 0 && reading->n_addresses)
		qsort(reading->addresses, reading->n_addresses, sizeof(*reading->addresses), compare_addresses);
	return r;
}

static const struct cost_address *find_address(const struct cost_reading *reading, const struct traffic_address *address)
{
	const struct cost_address key = { .address = *address };

	return reading->n_addresses ? bsearch(&key, reading->addresses, reading->n_addresses, sizeof(key), compare_addresses) : NULL;
}

/* Keeps them in order. 0 or negative errno. */
static int note_group(struct cost_sample *sample, uint64_t cgroup)
{
	size_t i = sample->n_groups;

	if (!cgroup || cost_find_group(sample, cgroup))
		return 0;
	if (i == COST_GROUPS_MAX)
		return -E2BIG;
	if (!GROW(sample->groups, sample->n_groups))
		return -ENOMEM;
	for (sample->n_groups++; i > 0 && sample->groups[i - 1].cgroup > cgroup; i--)
		sample->groups[i] = sample->groups[i - 1];
	sample->groups[i] = (struct cost_group){ .cgroup = cgroup };
	return 0;
}

/* A connection to an own address is over the loopback interface. */
static void note_socket(const struct traffic_socket *socket, void *userdata)
{
	struct cost_reading *reading = userdata;
	struct cost_sample *sample = &reading->sample;
	const struct cost_address *local = find_address(reading, &socket->local);
	struct cost_link *link = local ? (struct cost_link *)cost_find_link(sample, local->ifindex) : NULL;

	if (!link || find_address(reading, &socket->remote))
		return;
	if (sample->n_sockets == COST_SOCKETS_MAX) {
		reading->error = -E2BIG;
		return;
	}
	link->used = true;
	if (!GROW(sample->sockets, sample->n_sockets)) {
		reading->error = -ENOMEM;
		return;
	}
	if (reading->error == 0)
		reading->error = note_group(sample, socket->cgroup);
	sample->sockets[sample->n_sockets++] =
		(struct cost_socket){ .cookie = socket->cookie, .cgroup = socket->cgroup, .bytes = socket->bytes, .ifindex = link->ifindex };
}

static int read_sockets(struct cost_reading *reading, uint64_t until_usec)
{
	struct cost_sample *sample = &reading->sample;
	int r = traffic_read_sockets(&reading->scan, until_usec, note_socket, reading);

	if (r == 0 && sample->n_sockets)
		qsort(sample->sockets, sample->n_sockets, sizeof(*sample->sockets), cost_order_sockets);
	return r;
}

static int read_links(struct cost_reading *reading, uint64_t until_usec)
{
	while (reading->next < reading->sample.n_links) {
		struct cost_link *link = &reading->sample.links[reading->next++];

		if (!link->used)
			continue;
		link->has_bytes = traffic_read_link(&reading->scan, link->ifindex, &link->bytes) == 0;
		if (util_now_usec() >= until_usec)
			return -EAGAIN;
	}
	traffic_end_scan(&reading->scan);
	reading->next = 0;
	return 0;
}

/* Paths that are known from an older sample. */
static int take_paths(struct cost_reading *reading, const struct cost_sample *before)
{
	struct cost_sample *sample = &reading->sample;

	for (size_t i = 0; i < sample->n_groups; i++) {
		const struct cost_group *known = cost_find_group(before, sample->groups[i].cgroup);

		reading->missing += !known || !known->path;
		if (!known || !known->path)
			continue;
		sample->groups[i].path = strdup(known->path);
		if (!sample->groups[i].path)
			return -ENOMEM;
	}
	return 0;
}

static bool note_path(uint64_t id, const char *path, void *userdata)
{
	struct cost_reading *reading = userdata;
	struct cost_group *group = (struct cost_group *)cost_find_group(&reading->sample, id);

	if (!group || group->path)
		return true;
	group->path = strdup(path);
	if (!group->path)
		reading->error = -ENOMEM;
	return group->path && --reading->missing;
}

/* Without the unified hierarchy no service is known. */
static int find_paths(struct cost_reading *reading, const struct cost_sample *before, uint64_t until_usec)
{
	int r = reading->walk.depth ? 0 : take_paths(reading, before);

	if (r == 0 && reading->missing)
		r = cgroup_walk(&reading->walk, until_usec, note_path, reading);
	return r == -ENOENT ? 0 : r;
}

static int read_cpu(struct cost_reading *reading, uint64_t until_usec)
{
	while (reading->next < reading->sample.n_groups) {
		struct cost_group *group = &reading->sample.groups[reading->next++];

		if (group->path && cgroup_read_cpu(group->path, &group->cpu_usec) < 0) {
			free(group->path);
			group->path = NULL;
		}
		if (util_now_usec() >= until_usec)
			return -EAGAIN;
	}
	return 0;
}

/* 0: the stage is done; -EAGAIN; other negative errno. */
static int read_stage(struct cost_reading *reading, struct link_table *links, const struct cost_sample *before, uint64_t until_usec)
{
	switch (reading->stage) {
	case COST_STAGE_NONE:
		return begin(reading, links);
	case COST_STAGE_ADDRESSES:
		return read_addresses(reading, until_usec);
	case COST_STAGE_SOCKETS:
		return read_sockets(reading, until_usec);
	case COST_STAGE_LINKS:
		return read_links(reading, until_usec);
	case COST_STAGE_PATHS:
		return find_paths(reading, before, until_usec);
	case COST_STAGE_CPU:
		return read_cpu(reading, until_usec);
	case COST_STAGE_COUNT:
		break;
	}
	return 0;
}

int cost_read(struct cost_reading *reading, struct link_table *links, const struct cost_sample *before, uint64_t until_usec,
	struct cost_sample *ret)
{
	int r = 0;

	while (r == 0 && reading->stage < COST_STAGE_COUNT) {
		r = read_stage(reading, links, before, until_usec);
		if (reading->error < 0)
			r = reading->error;
		reading->stage += r == 0;
	}
	if (r == -EAGAIN)
		return r;
	if (r == 0) {
		reading->sample.end_usec = util_now_usec();
		*ret = reading->sample;
		reading->sample = (struct cost_sample){ 0 };
	}
	cost_end_reading(reading);
	return r;
}

void cost_end_reading(struct cost_reading *reading)
{
	traffic_end_scan(&reading->scan);
	cgroup_end_walk(&reading->walk);
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
