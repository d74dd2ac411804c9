/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "compare/snapshot_model.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "basic/util.h"

struct by_name {
	char name[LINK_NAME_LEN];
	size_t at;
	UT_hash_handle hh;
};

static void free_names(struct by_name **names)
{
	HASH_FREE(*names, free);
}

static int add_name(struct by_name **names, const char *text, size_t at)
{
	struct by_name *name = calloc(1, sizeof(*name));

	if (!name)
		return -ENOMEM;
	snprintf(name->name, sizeof(name->name), "%s", text);
	name->at = at;
	if (hash_add_text(*names, name->name, name) < 0) {
		free(name);
		return -ENOMEM;
	}
	return 0;
}

static const struct by_name *find(struct by_name *names, const char *text)
{
	struct by_name *found = NULL;

	if (*text)
		HASH_FIND_STR(names, text, found);
	return found;
}

static int restore_link(
	const struct snapshot *s, size_t at, struct by_name *names, struct link_table *table)
{
	const struct snapshot_link *from = &s->links[at];
	const struct by_name *lower = find(names, from->lower), *master = find(names, from->master);
	struct link *added = NULL, link = {
		.ifindex = (int)at + 1,
		.flags = IFF_UP,
		.vlan_id = from->vlan_id,
		.lower_ifindex = lower ? (int)lower->at + 1 : 0,
		.lower_netnsid = from->lower_elsewhere ? 0 : -1,
		.master_ifindex = master ? (int)master->at + 1 : 0,
	};
	int r;

	snprintf(link.name, sizeof(link.name), "%s", from->name);
	snprintf(link.kind, sizeof(link.kind), "%s", from->kind);
	snprintf(link.driver, sizeof(link.driver), "%s", from->driver);
	if (master)
		snprintf(link.slave_kind, sizeof(link.slave_kind), "%s", s->links[master->at].kind);
	r = link_table_update(table, &link, &added);
	if (r < 0)
		return r;
	added->has_features = from->has_features;
	added->features = from->features;
	added->features_stale = false;
	added->features_error = from->has_features ? 0 : -EOPNOTSUPP;
	return 0;
}

int snapshot_restore(const struct snapshot *s, struct link_table *ret)
{
	__attribute__((cleanup(free_names))) struct by_name *names = NULL;
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->n_links; i++)
		if (!find(names, s->links[i].name))
			r = add_name(&names, s->links[i].name, i);
	for (size_t i = 0; r == 0 && i < s->n_links; i++)
		r = restore_link(s, i, names, ret);
	link_table_stack(ret);
	return r;
}
