/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What people and rules call a network namespace. */
#include "kernel/namespaces.h"

#include <errno.h>
#include <string.h>

/* Podman and plugins of CNI name their files like this: "netns-2b7d...", "cni-5f9d...". */
static bool is_made_up(const char *name)
{
	static const char *const prefixes[] = { "netns-", "cni-" };

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		const char *rest = name + strlen(prefixes[i]);

		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return strlen(rest) >= 32 && !rest[strspn(rest, "0123456789abcdef-")];
	}
	return false;
}

void namespaces_unit(const struct namespace *at, struct unit *ret)
{
	*ret = (struct unit){ 0 };
	if (at->cgroup[0])
		unit_parse_path(at->cgroup, ret);
}

const char *namespaces_label(const struct namespace *at, char *buf, size_t size)
{
	char service[UNIT_SERVICE_LEN];
	struct unit unit;

	namespaces_unit(at, &unit);
	unit_format(&unit, service, sizeof(service));
	if (at->name[0] && !at->docker && !is_made_up(at->name))
		util_clean(at->name, buf, size);
	else if (at->own)
		snprintf(buf, size, "this namespace");
	else if (at->container.name[0])
		snprintf(buf, size, "%s", at->container.name);
	else if (unit.kind == UNIT_CONTAINER && unit.uid)
		snprintf(buf, size, "%s of user %u", service, unit.uid);
	else if (unit.kind == UNIT_CONTAINER || unit.kind == UNIT_SERVICE || unit.kind == UNIT_USER)
		util_clean(service, buf, size);
	else if (at->name[0] && !at->docker)
		util_clean(at->name, buf, size);
	else if (at->pid)
		snprintf(buf, size, "%s (%d)", at->comm, (int)at->pid);
	else
		snprintf(buf, size, "%llu", (unsigned long long)at->inode);
	return buf;
}

/* A unit of the system; what a user's own service manager or container engine calls things proves nothing. */
static void format_unit(const struct unit *unit, char *buf, size_t size)
{
	buf[0] = '\0';
	if (unit->kind == UNIT_USER || unit->uid)
		snprintf(buf, size, "user@%u.service", unit->uid);
	else if (util_has_suffix(unit->name, ".service") || util_has_suffix(unit->name, ".scope"))
		snprintf(buf, size, "%s", unit->name);
}

/* Copies a text to *room, and moves *room after it. */
static const char *add_text(char **room, const char *text)
{
	size_t len = strlen(text) + 1;

	*room = (char *)memcpy(*room, text, len) + len;
	return *room - len;
}

int namespaces_facts(const struct namespace *at, struct rule_netns **ret)
{
	const char *name = at->docker ? "" : at->name, *image = at->container.image, *id, *container = at->container.name;
	char unit_name[UNIT_NAME_LEN], *room;
	struct rule_netns *facts;
	struct unit unit;

	*ret = NULL;
	if (at->own)
		return 0;
	namespaces_unit(at, &unit);
	format_unit(&unit, unit_name, sizeof(unit_name));
	id = unit.kind == UNIT_CONTAINER && !unit.uid ? unit.container : "";
	if (!container[0] && !unit_has_container_id(&unit))
		container = id;
	facts = malloc(sizeof(*facts) + strlen(name) + strlen(container) + strlen(id) + strlen(unit_name) + strlen(image) + 5);
	if (!facts)
		return -ENOMEM;
	room = (char *)(facts + 1);
	facts->name = add_text(&room, name);
	facts->container = add_text(&room, container);
	facts->container_id = add_text(&room, id);
	facts->unit = add_text(&room, unit_name);
	facts->image = add_text(&room, image);
	*ret = facts;
	return 0;
}
