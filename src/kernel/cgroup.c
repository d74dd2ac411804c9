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
#include "model/unit.h"
#include "basic/util.h"

#define CGROUP_TEXT_MAX (64 << 10) /* of /proc/PID/cgroup */
#define READ_AT_ONCE 16 /* processes or descriptors, before the clock is read */
#define LIST_MAX 65536 /* cgroups */

/* The last one is that of systemd 232 beside the hierarchies of version 1. */
static const char *const mounts[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd" };

/* The root of the unified hierarchy. -ENOENT: it is not mounted. */
static int open_root(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		int fd = open(mounts[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		struct statfs fs;

		if (fd >= 0 && fstatfs(fd, &fs) == 0 && (unsigned long)fs.f_type == CGROUP2_SUPER_MAGIC)
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -ENOENT;
}

uint64_t cgroup_root(void)
{
	_cleanup_close_ int fd = open_root();
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 ? st.st_ino : 0;
}

bool cgroup_exists(const char *path)
{
	_cleanup_close_ int fd = open_root();

	path += strspn(path, "/");
	return fd >= 0 && *path && faccessat(fd, path, F_OK, 0) == 0;
}

/* Opens a directory below the last one. Negative errno. */
static int descend(struct cgroup_walk *walk, int dirfd, const char *name)
{
	_cleanup_close_ int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return -errno;
	(void)TAKE_FD(fd);
	walk->dirs[walk->depth++] = dir;
	return 0;
}

static void ascend(struct cgroup_walk *walk)
{
	char *slash = strrchr(walk->path, '/');

	closedir(walk->dirs[--walk->depth]);
	if (slash)
		*slash = '\0';
}

/* One entry of the directory; a directory that is gone by now is passed. */
static bool walk_entry(struct cgroup_walk *walk, const struct dirent *entry, cgroup_walk_fn fn, void *userdata)
{
	size_t len = strlen(walk->path);
	bool more;

	if (entry->d_type != DT_DIR || entry->d_name[0] == '.' || len + strlen(entry->d_name) + 2 > sizeof(walk->path))
		return true;
	walk->left--;
	snprintf(walk->path + len, sizeof(walk->path) - len, "/%s", entry->d_name);
	more = fn(entry->d_ino, walk->path, userdata);
	if (walk->depth == CGROUP_WALK_DEPTH || descend(walk, dirfd(walk->dirs[walk->depth - 1]), entry->d_name) < 0)
		walk->path[len] = '\0';
	return more;
}

/* 0; -EAGAIN. */
static int walk_on(struct cgroup_walk *walk, uint64_t until_usec, cgroup_walk_fn fn, void *userdata)
{
	for (unsigned n = 1; walk->depth && walk->left; n++) {
		const struct dirent *entry = readdir(walk->dirs[walk->depth - 1]);

		if (!entry)
			ascend(walk);
		else if (!walk_entry(walk, entry, fn, userdata))
			break;
		if (walk->depth && n % READ_AT_ONCE == 0 && util_now_usec() >= until_usec)
			return -EAGAIN;
	}
	cgroup_end_walk(walk);
	return 0;
}

int cgroup_walk(struct cgroup_walk *walk, uint64_t until_usec, cgroup_walk_fn fn, void *userdata)
{
	if (!walk->depth) {
		_cleanup_close_ int root = open_root();
		int r = root < 0 ? root : descend(walk, root, ".");

		if (r < 0)
			return r;
		walk->left = CGROUP_WALK_MAX;
	}
	return walk_on(walk, until_usec, fn, userdata);
}

void cgroup_end_walk(struct cgroup_walk *walk)
{
	while (walk->depth)
		ascend(walk);
	walk->path[0] = '\0';
}

struct names {
	void (*fn)(const char *name, void *userdata);
	void *userdata;
};

static bool note_name(_unused_ uint64_t id, const char *path, void *userdata)
{
	const struct names *names = userdata;

	names->fn(strrchr(path, '/') + 1, names->userdata);
	return true;
}

static void list(int dirfd, struct names *names)
{
	struct cgroup_walk walk = { .left = LIST_MAX };

	if (descend(&walk, dirfd, ".") >= 0)
		(void)walk_on(&walk, UINT64_MAX, note_name, names);
}

/* Without version 2, or with an empty one, units are in systemd's own hierarchy of version 1. */
int cgroup_list(void (*fn)(const char *name, void *userdata), void *userdata)
{
	_cleanup_close_ int own = open(mounts[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int root = open_root();
	struct names names = { fn, userdata };

	if (root >= 0)
		list(root, &names);
	if (own >= 0)
		list(own, &names);
	return own >= 0 || root >= 0 ? 0 : root;
}

int cgroup_read_cpu(const char *path, uint64_t *ret_usec)
{
	_cleanup_close_ int root = open_root();
	_cleanup_close_ int dir = -1, fd = -1;
	_cleanup_free_ char *text = NULL;
	const char *usage;
	size_t len;
	int r;

	if (root < 0)
		return root;
	path += strspn(path, "/");
	dir = openat(root, *path ? path : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd = dir < 0 ? -1 : openat(dir, "cpu.stat", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = file_read(fd, CGROUP_TEXT_MAX, &text, &len);
	if (r < 0)
		return r;
	usage = strncmp(text, "usage_usec ", 11) ? NULL : text + 11;
	if (!usage)
		return -EBADMSG;
	*ret_usec = strtoull(usage, NULL, 10);
	return 0;
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

static bool is_over(uint64_t until_usec)
{
	return util_now_usec() >= until_usec;
}

/* The descriptors of scan->pid. 0; -EAGAIN. */
static int scan_process(struct cgroup_scan *scan, size_t n, uint64_t until_usec)
{
	struct dirent *entry;

	while (scan->left > 0 && (entry = readdir(scan->fds))) {
		unsigned long long inode;
		char target[64];
		ssize_t len = readlinkat(dirfd(scan->fds), entry->d_name, target, sizeof(target) - 1);

		scan->left--;
		target[len < 0 ? 0 : len] = '\0';
		if (sscanf(target, "socket:[%llu]", &inode) == 1)
			note_owner(scan->by_inode, n, inode, scan->pid);
		if (scan->left % READ_AT_ONCE == 0 && is_over(until_usec))
			return -EAGAIN;
	}
	closedir(scan->fds);
	scan->fds = NULL;
	return 0;
}

static int begin_scan(struct cgroup_scan *scan, struct cgroup_socket *sockets, size_t n)
{
	scan->by_inode = calloc(n + 1, sizeof(*scan->by_inode));
	if (!scan->by_inode)
		return -ENOMEM;
	scan->proc = opendir("/proc");
	if (!scan->proc)
		return -errno;
	scan->left = CGROUP_FDS_MAX;
	for (size_t i = 0; i < n; i++) {
		sockets[i].first = sockets[i].last = 0;
		scan->by_inode[i] = &sockets[i];
	}
	qsort(scan->by_inode, n, sizeof(*scan->by_inode), compare_inodes);
	return 0;
}

/* Opens the descriptors of the next process that has any that we may read. 1; 0: there is none; -EAGAIN; -ENOMEM. */
static int next_process(struct cgroup_scan *scan, uint64_t until_usec)
{
	struct dirent *entry;
	char name[32];

	for (unsigned i = 1; scan->left > 0 && (entry = readdir(scan->proc)); i++) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);

		if (!*end && pid > 0 && pid <= INT_MAX) {
			scan->pid = (pid_t)pid;
			snprintf(name, sizeof(name), "/proc/%d/fd", (int)scan->pid);
			scan->fds = opendir(name);
			if (scan->fds || errno == ENOMEM)
				return scan->fds ? 1 : -ENOMEM;
		}
		if (i % READ_AT_ONCE == 0 && is_over(until_usec))
			return -EAGAIN;
	}
	return 0;
}

int cgroup_find_socket_owners(struct cgroup_scan *scan, struct cgroup_socket *sockets, size_t n, uint64_t until_usec)
{
	int r = scan->proc ? 0 : begin_scan(scan, sockets, n);

	for (unsigned i = 1; r >= 0 && n; i++) {
		r = scan->fds ? 1 : next_process(scan, until_usec);
		if (r <= 0)
			break;
		r = scan_process(scan, n, until_usec);
		if (r == 0 && i % READ_AT_ONCE == 0 && is_over(until_usec))
			r = -EAGAIN;
	}
	if (r != -EAGAIN)
		cgroup_end_scan(scan);
	return r;
}

void cgroup_end_scan(struct cgroup_scan *scan)
{
	if (scan->fds)
		closedir(scan->fds);
	if (scan->proc)
		closedir(scan->proc);
	free(scan->by_inode);
	*scan = (struct cgroup_scan){ 0 };
}
