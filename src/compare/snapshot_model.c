/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "compare/snapshot_model.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "basic/util.h"

static int compare_names(const void *a, const void *b, void *links)
{
	const struct snapshot_link *l = links;
	size_t i = *(const size_t *)a, j = *(const size_t *)b;

	return strcmp(l[i].name, l[j].name) ?: COMPARE(i, j);
}

size_t snapshot_find_name(const struct snapshot *s, const struct snapshot_stack *stack, const char *name)
{
	size_t low = 0, high = s->n_links;

	while (*name && low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(s->links[stack->by_name[middle]].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (!*name || low == s->n_links || strcmp(s->links[stack->by_name[low]].name, name) != 0)
		return SNAPSHOT_NONE;
	return stack->by_name[low];
}

void snapshot_stack_clear(struct snapshot_stack *stack)
{
	free(stack->by_name);
	free(stack->lower);
	free(stack->master);
	free(stack->n_ports);
	free(stack->port);
	*stack = (struct snapshot_stack){ 0 };
}

int snapshot_stack_make(const struct snapshot *s, struct snapshot_stack *ret)
{
	size_t n = s->n_links + 1;

	*ret = (struct snapshot_stack){
		.by_name = calloc(n, sizeof(size_t)),
		.lower = calloc(n, sizeof(size_t)),
		.master = calloc(n, sizeof(size_t)),
		.n_ports = calloc(n, sizeof(size_t)),
		.port = calloc(n, sizeof(size_t)),
	};
	if (!ret->by_name || !ret->lower || !ret->master || !ret->n_ports || !ret->port) {
		snapshot_stack_clear(ret);
		return -ENOMEM;
	}
	for (size_t i = 0; i < s->n_links; i++)
		ret->by_name[i] = i;
	if (s->n_links)
		qsort_r(ret->by_name, s->n_links, sizeof(size_t), compare_names, s->links);
	for (size_t i = 0; i < s->n_links; i++) {
		size_t master = snapshot_find_name(s, ret, s->links[i].master);

		ret->lower[i] = snapshot_find_name(s, ret, s->links[i].lower);
		ret->master[i] = master;
		if (master != SNAPSHOT_NONE && ret->n_ports[master]++ == 0)
			ret->port[master] = i;
	}
	return 0;
}

static void parse_address(const char *text, struct link *link)
{
	unsigned byte;
	int n = 0;

	while (link->address_len < LINK_ADDRESS_LEN && sscanf(text, "%2x%n", &byte, &n) == 1) {
		link->address[link->address_len++] = (uint8_t)byte;
		text += n + (text[n] == ':');
	}
}

/* For the kernel, a port of HSR has no master. */
static void join_hsr(struct link_table *table, size_t port, size_t master)
{
	struct link *hsr = link_table_find(table, (int)master + 1);
	size_t i = 0;

	while (i < LINK_HSR_PORTS && hsr->hsr_ports[i])
		i++;
	if (i < LINK_HSR_PORTS)
		hsr->hsr_ports[i] = (int)port + 1;
}

static bool is_hsr_port(const struct snapshot *s, const struct snapshot_stack *stack, size_t at)
{
	return stack->master[at] != SNAPSHOT_NONE && strcmp(s->links[stack->master[at]].kind, "hsr") == 0;
}

static int restore_link(
	const struct snapshot *s, size_t at, const struct snapshot_stack *stack, struct link_table *table)
{
	const struct snapshot_link *from = &s->links[at];
	size_t lower = stack->lower[at], master = is_hsr_port(s, stack, at) ? SNAPSHOT_NONE : stack->master[at];
	struct link *added = NULL, link = {
		.ifindex = (int)at + 1,
		.flags = IFF_UP,
		.vlan_id = from->vlan_id,
		.lower_ifindex = lower == SNAPSHOT_NONE ? 0 : (int)lower + 1,
		.lower_netnsid = from->lower_elsewhere ? 0 : -1,
		.macsec_offload = (int)from->macsec_offload,
		.xdp = from->xdp,
		.default_route = from->default_route,
		.forwards = from->forwards,
		.naming = LINK_NAME_FINAL,
		.master_ifindex = master == SNAPSHOT_NONE ? 0 : (int)master + 1,
	};
	int r;

	link.limits = from->limits;
	parse_address(from->address, &link);
	snprintf(link.name, sizeof(link.name), "%s", from->name);
	snprintf(link.kind, sizeof(link.kind), "%s", from->kind);
	snprintf(link.driver, sizeof(link.driver), "%s", from->driver);
	link.alt_names = from->alt_names;
	if (master != SNAPSHOT_NONE)
		snprintf(link.slave_kind, sizeof(link.slave_kind), "%s", s->links[master].kind);
	r = link_table_update(table, &link, &added);
	if (r < 0)
		return r;
	if (from->hardware.path[0] || from->hardware.device[0] || from->hardware.firmware[0] || from->hardware.driver_version[0]) {
		added->hardware = malloc(sizeof(*added->hardware));
		if (!added->hardware)
			return -ENOMEM;
		*added->hardware = from->hardware;
	}
	added->has_features = from->has_features;
	added->features = from->features;
	added->features_stale = false;
	added->features_error = from->has_features ? 0 : -EOPNOTSUPP;
	return 0;
}

int snapshot_restore(const struct snapshot *s, struct link_table *ret)
{
	_cleanup_(snapshot_stack_clear) struct snapshot_stack stack = { 0 };
	int r = snapshot_stack_make(s, &stack);

	for (size_t i = 0; r >= 0 && i < s->n_links; i++)
		r = restore_link(s, i, &stack, ret);
	for (size_t i = 0; r >= 0 && i < s->n_links; i++)
		if (is_hsr_port(s, &stack, i))
			join_hsr(ret, i, stack.master[i]);
	ret->stacked = false;
	link_table_stack(ret);
	return r;
}
