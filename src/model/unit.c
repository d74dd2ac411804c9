/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/unit.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/util.h"

/* How container engines name a cgroup: PREFIX ID SUFFIX. service_above: if the cgroup is below a service
 * (podman run by a unit), the name is that service, because it can be restarted. */
static const struct container_name {
	const char *prefix, *suffix, *runtime;
	bool service_above;
} container_names[] = {
	{ "docker-", ".scope", "docker", false },
	{ "cri-containerd-", ".scope", "containerd", false },
	{ "nerdctl-", ".scope", "containerd", false },
	{ "crio-conmon-", ".scope", NULL, false },
	{ "crio-", ".scope", "cri-o", false },
	{ "libpod-conmon-", ".scope", NULL, false },
	{ "libpod-payload-", "", "podman", true },
	{ "libpod-", ".scope", "podman", false },
	{ "machine-qemu\\x2d", ".scope", "libvirt", false },
	{ "machine-lxc\\x2d", ".scope", "libvirt", false },
	{ "machine-", ".scope", "machine", false },
	{ "systemd-nspawn@", ".service", "nspawn", true },
	{ "lxc.payload.", "", "lxc", false },
	{ "lxc.payload@", "", "lxc", false },
	{ "lxc-", ".scope", "lxc", false },
};

static const char *const kind_names[] = {
	[UNIT_NONE] = "none",
	[UNIT_SERVICE] = "service",
	[UNIT_USER] = "user",
	[UNIT_CONTAINER] = "container",
	[UNIT_SESSION] = "session",
	[UNIT_SCOPE] = "scope",
	[UNIT_OTHER] = "other",
};

const char *unit_kind_name(enum unit_kind kind)
{
	return kind_names[kind];
}

enum unit_kind unit_kind_parse(const char *name)
{
	for (unsigned kind = 0; kind < ARRAY_SIZE(kind_names); kind++)
		if (strcmp(kind_names[kind], name) == 0)
			return (enum unit_kind)kind;
	return UNIT_OTHER;
}

static bool begins(const char *s, size_t len, const char *prefix)
{
	size_t n = strlen(prefix);

	return len > n && !strncmp(s, prefix, n);
}

static bool ends(const char *s, size_t len, const char *suffix)
{
	size_t n = strlen(suffix);

	return len > n && !strncmp(s + len - n, suffix, n);
}

/* systemd escapes characters that are not valid in the name of a unit as \xNN. */
static void unescape(char *dst, size_t size, const char *src, size_t len)
{
	size_t at = 0;

	for (size_t i = 0; i < len && at + 1 < size; i++) {
		char c = src[i];

		if (c == '\\' && i + 3 < len && src[i + 1] == 'x' &&
			isxdigit((unsigned char)src[i + 2]) && isxdigit((unsigned char)src[i + 3])) {
			char hex[3] = { src[i + 2], src[i + 3], '\0' };

			c = (char)strtoul(hex, NULL, 16);
			i += 3;
		}
		dst[at++] = c >= 0x20 && c < 0x7f ? c : '?';
	}
	dst[at] = '\0';
}

static bool is_container_id(const char *s, size_t len)
{
	if (len != 64)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isxdigit((unsigned char)s[i]))
			return false;
	return true;
}

/* With a cgroupfs driver, the name of the cgroup is the id, and the parents show the engine; cri-o and
 * containerd both use kubepods. */
static const char *runtime_above(const char *path, const char *component)
{
	size_t len = (size_t)(component - path);

	if (memmem(path, len, "/docker/", 8))
		return "docker";
	if (memmem(path, len, "/libpod_parent/", 15))
		return "podman";
	return "container";
}

static bool parse_container(const char *path, const char *s, size_t len, struct unit *unit)
{
	const char *runtime;

	for (size_t i = 0; i < ARRAY_SIZE(container_names); i++) {
		const struct container_name *c = &container_names[i];
		size_t prefix = strlen(c->prefix), suffix = strlen(c->suffix);

		if (!begins(s, len, c->prefix) || (suffix && !ends(s, len, c->suffix)) ||
			len <= prefix + suffix)
			continue;
		if (!c->runtime) /* the engine's helper, not the container */
			return false;
		snprintf(unit->runtime, sizeof(unit->runtime), "%s", c->runtime);
		unescape(unit->container, sizeof(unit->container), s + prefix,
			len - prefix - suffix);
		if (!c->service_above || !unit->name[0])
			util_copy_name(unit->name, sizeof(unit->name), s, len);
		unit->kind = UNIT_CONTAINER;
		return true;
	}
	if (is_container_id(s, len))
		runtime = runtime_above(path, s);
	else if (s - path == 5 && !strncmp(path, "/lxc/", 5)) /* liblxc without systemd */
		runtime = "lxc";
	else
		return false;
	snprintf(unit->runtime, sizeof(unit->runtime), "%s", runtime);
	util_copy_name(unit->container, sizeof(unit->container), s, len);
	util_copy_name(unit->name, sizeof(unit->name), path + 1, strlen(path + 1));
	unit->kind = UNIT_CONTAINER;
	return true;
}

static bool is_number(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isdigit((unsigned char)s[i]))
			return false;
	return len > 0 && len < 11;
}

/* user@UID.service: units below it are those of the user's systemd. */
static bool parse_user_manager(const char *s, size_t len, struct unit *unit)
{
	char digits[12];

	if (!begins(s, len, "user@") || !ends(s, len, ".service") || !is_number(s + 5, len - 13))
		return false;
	util_copy_name(digits, sizeof(digits), s + 5, len - 13);
	unit->uid = (uint32_t)strtoul(digits, NULL, 10);
	return true;
}

/* A unit, if the component names one. Delegated cgroups below a unit belong to it. */
static void parse_unit(const char *s, size_t len, bool in_user, struct unit *unit)
{
	bool scope = ends(s, len, ".scope");

	if (!scope && !ends(s, len, ".service"))
		return;
	util_copy_name(unit->name, sizeof(unit->name), s, len);
	if (in_user)
		unit->kind = UNIT_USER;
	else if (!scope)
		unit->kind = UNIT_SERVICE;
	else if (begins(s, len, "session-"))
		unit->kind = UNIT_SESSION;
	else
		unit->kind = UNIT_SCOPE;
}

void unit_parse_path(const char *path, struct unit *ret)
{
	struct unit unit = { .kind = UNIT_NONE };
	bool in_user = false, any = false;
	const char *s = path;

	while (*s) {
		size_t len;

		if (*s == '/') {
			s++;
			continue;
		}
		any = true;
		len = strcspn(s, "/");
		if (parse_container(path, s, len, &unit))
			break;
		if (unit.kind == UNIT_NONE && !in_user && parse_user_manager(s, len, &unit)) {
			in_user = true;
		} else if (unit.kind == UNIT_NONE) {
			parse_unit(s, len, in_user, &unit);
		}
		s += len;
	}
	if (unit.kind == UNIT_NONE && in_user) {
		unit.kind = UNIT_SERVICE;
		snprintf(unit.name, sizeof(unit.name), "user@%u.service", unit.uid);
	} else if (unit.kind == UNIT_NONE && any) {
		unit.kind = UNIT_OTHER;
		s = path + strspn(path, "/");
		util_copy_name(unit.name, sizeof(unit.name), s, strlen(s));
	}
	if (unit.kind != UNIT_USER && unit.kind != UNIT_CONTAINER)
		unit.uid = 0;
	*ret = unit;
}

bool unit_has_container_id(const struct unit *unit)
{
	return unit->kind == UNIT_CONTAINER && is_container_id(unit->container, strlen(unit->container));
}

bool unit_path_of_service(const char *path, char *ret, size_t size)
{
	size_t len = strlen(path), stem = len - strlen("socket");

	return ends(path, len, ".socket") && (size_t)snprintf(ret, size, "%.*sservice", (int)stem, path) < size;
}

int unit_parse_proc(const char *text, char *path, size_t size)
{
	const char *best = NULL;
	size_t best_len = 0;
	int best_rank = 0; /* odd: of version 1 */

	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t len = strcspn(line, "\n");
		const char *controllers = memchr(line, ':', len), *at;
		int rank = 1;

		if (!controllers)
			continue;
		controllers++;
		at = memchr(controllers, ':', len - (size_t)(controllers - line));
		if (!at)
			continue;
		len -= (size_t)(at + 1 - line);
		if (!strncmp(line, "0::", 3))
			rank = len > 1 ? 4 : 2;
		else if (!strncmp(controllers, "name=systemd:", 13))
			rank = 3;
		if (rank <= best_rank || at[1] != '/')
			continue;
		best = at + 1;
		best_len = len;
		best_rank = rank;
	}
	if (!best)
		return -ENOENT;
	if (ends(best, best_len, " (deleted)"))
		best_len -= strlen(" (deleted)");
	if (best_len >= size)
		return -ENAMETOOLONG;
	memcpy(path, best, best_len);
	path[best_len] = '\0';
	return best_rank % 2;
}

const char *unit_format(const struct unit *unit, char *buf, size_t size)
{
	int id = is_container_id(unit->container, strlen(unit->container)) ? 12 : -1;

	switch (unit->kind) {
	case UNIT_NONE:
		snprintf(buf, size, UNIT_NO_SERVICE);
		break;
	case UNIT_USER:
		snprintf(buf, size, "%s of user %u", unit->name, unit->uid);
		break;
	case UNIT_CONTAINER:
		snprintf(buf, size, "%s %.*s", unit->runtime, id, unit->container);
		break;
	case UNIT_SERVICE:
	case UNIT_SESSION:
	case UNIT_SCOPE:
	case UNIT_OTHER:
		snprintf(buf, size, "%s", unit->name);
		break;
	}
	return buf;
}
