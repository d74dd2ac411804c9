/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The paths of cgroups by their ids. The programs put the names of each cgroup that they see into one map (bpf/names.h); they are taken
 * from there and kept here, for the whole process: an id is never used again. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "basic/hash.h"
#include "bpf/event.h"
#include "evidence/probe_private.h"
#include "kernel/cgroup.h"
#include "model/unit.h"

struct path {
	uint64_t id;
	UT_hash_handle hh;
	char text[];
};

static struct path *paths; /* uthash by id, the one that was not asked for the longest time first */
static int names_fd = -1;  /* of the map; until the process ends */

int probe_names_fd(void)
{
	if (names_fd < 0)
		names_fd = bpf_map_create(BPF_MAP_TYPE_HASH, "names", sizeof(uint64_t), sizeof(struct cgroup_names), CGROUP_NAMES_MAX, NULL);
	return names_fd;
}

int probe_parse_names(const void *data, size_t size, char *path, size_t path_size)
{
	const struct cgroup_names *names = data;
	unsigned levels, bottom;
	size_t at = 0;

	if (size != sizeof(*names) || path_size < 2)
		return -EBADMSG;
	if (!names->done)
		return -EAGAIN;
	levels = names->done - 1;
	if (levels >= CGROUP_LEVELS_MAX)
		return -EBADMSG;
	bottom = levels > CGROUP_LEVELS ? levels - CGROUP_LEVELS : 0;
	strcpy(path, "/");
	for (unsigned level = levels; level-- > bottom;) {
		const char *name = names->name[level % CGROUP_LEVELS];
		size_t len = strnlen(name, CGROUP_NAME_LEN);

		/* another CPU may show `done` before all of the names */
		if (len == 0 || len + 1 != names->len[level % CGROUP_LEVELS] || at + 1 + len >= path_size)
			return -EBADMSG;
		path[at++] = '/';
		memcpy(path + at, name, len + 1);
		at += len;
	}
	return 0;
}

static struct path *keep(struct path *path)
{
	if (hash_add(paths, id, path) == 0)
		return path;
	free(path);
	return NULL;
}

/* Finds it, and makes it the last to be forgotten. */
static struct path *find(uint64_t id)
{
	struct path *path;

	HASH_FIND(hh, paths, &id, sizeof(id), path);
	if (!path || !path->hh.next)
		return path;
	HASH_DEL(paths, path);
	return keep(path);
}

void probe_add_cgroup(uint64_t id, const char *text)
{
	size_t len = strlen(text);
	struct path *path;

	if (find(id))
		return;
	if (HASH_COUNT(paths) >= PROBE_CGROUPS_MAX) {
		path = paths;
		HASH_DEL(paths, path);
		free(path);
	}
	path = calloc(1, sizeof(*path) + len + 1);
	if (!path)
		return;
	path->id = id;
	memcpy(path->text, text, len + 1);
	(void)keep(path);
}

/* The programs add entries meanwhile; those are taken the next time. */
void probe_take_names(void)
{
	struct cgroup_names names;
	char path[UNIT_PATH_MAX];
	uint64_t id, next;
	bool more = names_fd >= 0 && bpf_map_get_next_key(names_fd, NULL, &next) == 0;

	for (unsigned i = 0; more && i < CGROUP_NAMES_MAX; i++) {
		int r = -EAGAIN;

		id = next;
		more = bpf_map_get_next_key(names_fd, &id, &next) == 0;
		if (bpf_map_lookup_elem(names_fd, &id, &names) == 0)
			r = probe_parse_names(&names, sizeof(names), path, sizeof(path));
		if (r == 0)
			probe_add_cgroup(id, path);
		if (r != -EAGAIN)
			(void)bpf_map_delete_elem(names_fd, &id);
	}
}

const char *probe_cgroup_path(uint64_t id)
{
	struct path *path = find(id);

	if (!path) {
		probe_take_names();
		path = find(id);
	}
	return path ? path->text : NULL;
}
