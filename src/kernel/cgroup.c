/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "basic/file.h"
#include "basic/hash.h"
#include "model/unit.h"
#include "basic/util.h"

#define HANDLE_KERNFS 0xfe /* FILEID_KERNFS: the id is the handle, from Linux 5.5 */
#define CGROUP_TEXT_MAX (64 << 10) /* of /proc/PID/cgroup */
#define WALK_DEPTH 16
#define WALK_MAX 65536

struct cgroup_path {
	uint64_t id;
	UT_hash_handle hh;
	char path[];
};

struct cgroup_paths {
	int root;
	char mount[32];
	struct cgroup_path *cache; /* uthash by id, oldest first */
};

/* The last one is that of systemd 232 beside the hierarchies of version 1. */
static const char *const mounts[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd" };

int cgroup_paths_open(struct cgroup_paths **ret)
{

	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		_cleanup_close_ int fd = open(mounts[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		struct cgroup_paths *paths;
		struct statfs fs;

		if (fd < 0 || fstatfs(fd, &fs) < 0 || (unsigned long)fs.f_type != CGROUP2_SUPER_MAGIC)
			continue;
		paths = calloc(1, sizeof(*paths));
		if (!paths)
			return -ENOMEM;
		snprintf(paths->mount, sizeof(paths->mount), "%s", mounts[i]);
		paths->root = TAKE_FD(fd);
		*ret = paths;
		return 0;
	}
	return -ENOENT;
}

void cgroup_paths_close(struct cgroup_paths *paths)
{
	if (!paths)
		return;
	HASH_FREE(paths->cache, free);
	close(paths->root);
	free(paths);
}

static int find_by_handle(const struct cgroup_paths *paths, uint64_t id, char *path, size_t size)
{
	_Alignas(struct file_handle) char space[sizeof(struct file_handle) + sizeof(id)] = {};
	struct file_handle *handle = (struct file_handle *)space;
	_cleanup_close_ int fd = -1;
	size_t mount = strlen(paths->mount);
	char link[64];
	ssize_t n;

	handle->handle_bytes = sizeof(id);
	handle->handle_type = HANDLE_KERNFS;
	memcpy(handle->f_handle, &id, sizeof(id));
	fd = open_by_handle_at(paths->root, handle, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, size);
	if (n < 0)
		return -errno;
	if ((size_t)n >= size || (size_t)n < mount || strncmp(path, paths->mount, mount))
		return -ENOENT;
	memmove(path, path + mount, (size_t)n - mount);
	path[(size_t)n - mount] = '\0';
	if (!path[0])
		snprintf(path, size, "/");
	return 0;
}

/* Searches for a directory whose inode number, which is the id of a cgroup (kernfs, 64-bit), is id. path: of
 * dirfd; unchanged unless it is found. */
static int walk(int dirfd, uint64_t id, char *path, size_t size, unsigned depth, unsigned *left)
{
	_cleanup_closedir_ DIR *dir = NULL;
	size_t at = strlen(path);
	struct dirent *entry;
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while ((entry = readdir(dir)) && *left > 0) {
		_cleanup_close_ int child = -1;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		(*left)--;
		if (at + 1 + strlen(entry->d_name) >= size)
			continue;
		snprintf(path + at, size - at, "/%s", entry->d_name);
		if (entry->d_ino == id)
			return 0;
		if (depth < WALK_DEPTH) {
			child = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			r = child < 0 ? -ENOENT : walk(child, id, path, size, depth + 1, left);
			if (r != -ENOENT)
				return r;
		}
		path[at] = '\0';
	}
	return -ENOENT;
}

static int find_by_walk(const struct cgroup_paths *paths, uint64_t id, char *path, size_t size)
{
	unsigned left = WALK_MAX;
	struct stat st;

	if (fstat(paths->root, &st) == 0 && st.st_ino == id) {
		snprintf(path, size, "/");
		return 0;
	}
	path[0] = '\0';
	return walk(paths->root, id, path, size, 0, &left);
}

int cgroup_paths_find(struct cgroup_paths *paths, uint64_t id, const char **ret_path)
{
	_cleanup_free_ char *path = malloc(UNIT_PATH_MAX);
	struct cgroup_path *entry;
	size_t len;
	int r;

	if (!path)
		return -ENOMEM;
	HASH_FIND(hh, paths->cache, &id, sizeof(id), entry);
	if (entry) {
		*ret_path = entry->path;
		return 0;
	}
	r = find_by_handle(paths, id, path, UNIT_PATH_MAX);
	if (r < 0 && r != -ESTALE)
		r = find_by_walk(paths, id, path, UNIT_PATH_MAX);
	if (r < 0)
		return r == -ESTALE ? -ENOENT : r;
	if (HASH_COUNT(paths->cache) >= CGROUP_CACHE_MAX) {
		struct cgroup_path *oldest = paths->cache;

		HASH_DEL(paths->cache, oldest);
		free(oldest);
	}
	len = strlen(path);
	entry = calloc(1, sizeof(*entry) + len + 1);
	if (!entry)
		return -ENOMEM;
	entry->id = id;
	memcpy(entry->path, path, len + 1);
	if (hash_add(paths->cache, id, entry) < 0) {
		free(entry);
		return -ENOMEM;
	}
	*ret_path = entry->path;
	return 0;
}

bool cgroup_paths_has(const struct cgroup_paths *paths, const char *path)
{
	while (*path == '/')
		path++;
	return *path && faccessat(paths->root, path, F_OK, 0) == 0;
}

static void list(int dirfd, unsigned depth, unsigned *left, void (*fn)(const char *name, void *userdata), void *userdata)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir && fd >= 0)
		close(fd);
	while (dir && (entry = readdir(dir)) && *left > 0) {
		_cleanup_close_ int child = -1;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		(*left)--;
		fn(entry->d_name, userdata);
		child = depth < WALK_DEPTH ? openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
		if (child >= 0)
			list(child, depth + 1, left, fn, userdata);
	}
}

/* Without version 2, or with an empty one, units are in systemd's own hierarchy of version 1. */
int cgroup_list(void (*fn)(const char *name, void *userdata), void *userdata)
{
	_cleanup_(cgroup_paths_close_pointer) struct cgroup_paths *paths = NULL;
	_cleanup_close_ int own = open(mounts[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	unsigned left = WALK_MAX;
	int r = cgroup_paths_open(&paths);

	if (r >= 0)
		list(paths->root, 0, &left, fn, userdata);
	if (own >= 0)
		list(own, 0, &left, fn, userdata);
	return own >= 0 ? 0 : r;
}

int cgroup_path_of_process(pid_t pid, char *path, size_t size)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -1;
	char name[32];
	size_t len;
	int r;

	snprintf(name, sizeof(name), "/proc/%d/cgroup", (int)pid);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	r = file_read(fd, CGROUP_TEXT_MAX, &text, &len);
	return r < 0 ? r : unit_parse_proc(text, path, size);
}

/* proc_pid_stat(5): the state is field 3, the start in ticks since boot field 22. */
int cgroup_read_process(pid_t pid, struct cgroup_process *ret)
{
	unsigned long long start;
	char path[32], text[1024], *name, *end, state;
	_cleanup_fclose_ FILE *f = NULL;
	long ticks = sysconf(_SC_CLK_TCK);
	struct stat st;
	size_t len;

	*ret = (struct cgroup_process){ 0 };
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return errno == ENOENT ? -ESRCH : -errno;
	len = fread(text, 1, sizeof(text) - 1, f);
	text[len] = '\0';
	name = strchr(text, '(');
	end = strrchr(text, ')');
	if (!name || !end || end < name || ticks <= 0)
		return -ESRCH;
	util_copy_name(ret->comm, sizeof(ret->comm), name + 1, (size_t)(end - name - 1));
	if (sscanf(end + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", &state, &start) != 2 ||
		state == 'Z' || state == 'X')
		return -ESRCH;
	ret->start_usec = start * USEC_PER_SEC / (unsigned long long)ticks;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	if (stat(path, &st) == 0)
		ret->netns = (uint32_t)st.st_ino;
	return 0;
}

static int compare_inodes(const void *p, const void *q)
{
	const struct cgroup_socket *a = *(struct cgroup_socket *const *)p;
	const struct cgroup_socket *b = *(struct cgroup_socket *const *)q;

	return COMPARE(a->inode, b->inode);
}

static void note_holder(struct cgroup_socket *socket, pid_t pid)
{
	if (socket->first <= 1)
		socket->first = pid;
	if (socket->last <= 1 || pid > 1)
		socket->last = pid;
}

/* by_inode: sorted. */
static void note_owner(struct cgroup_socket *const *by_inode, size_t n, uint64_t inode, pid_t pid)
{
	const struct cgroup_socket key = { .inode = inode }, *wanted = &key;
	struct cgroup_socket *const *found =
		bsearch(&wanted, by_inode, n, sizeof(*by_inode), compare_inodes);

	if (!found)
		return;
	while (found > by_inode && found[-1]->inode == inode)
		found--;
	for (; found < by_inode + n && (*found)->inode == inode; found++)
		note_holder(*found, pid);
}

/* left: how many descriptors may still be read. */
static int scan_process(pid_t pid, struct cgroup_socket *const *by_inode, size_t n, unsigned *left)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;
	char name[32];

	snprintf(name, sizeof(name), "/proc/%d/fd", (int)pid);
	dir = opendir(name);
	if (!dir)
		return errno == ENOMEM ? -ENOMEM : 0;
	while (*left > 0 && (entry = readdir(dir))) {
		unsigned long long inode;
		char target[64];
		ssize_t len = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		(*left)--;
		if (len < 0)
			continue;
		target[len] = '\0';
		if (sscanf(target, "socket:[%llu]", &inode) == 1)
			note_owner(by_inode, n, inode, pid);
	}
	return 0;
}

int cgroup_find_socket_owners(struct cgroup_socket *sockets, size_t n)
{
	_cleanup_free_ struct cgroup_socket **by_inode = calloc(n + 1, sizeof(*by_inode));
	_cleanup_closedir_ DIR *proc = opendir("/proc");
	unsigned left = CGROUP_FDS_MAX;
	struct dirent *entry;
	int r = 0;

	if (!by_inode)
		return -ENOMEM;
	if (!proc)
		return -errno;
	for (size_t i = 0; i < n; i++) {
		sockets[i].first = sockets[i].last = 0;
		by_inode[i] = &sockets[i];
	}
	qsort(by_inode, n, sizeof(*by_inode), compare_inodes);
	while (n && r >= 0 && (entry = readdir(proc))) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);

		if (!*end && pid > 0 && pid <= INT_MAX)
			r = scan_process((pid_t)pid, by_inode, n, &left);
	}
	return r;
}
