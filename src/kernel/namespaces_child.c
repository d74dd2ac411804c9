/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The only code that enters network namespaces of others. It is single-threaded and runs in a process of its own. */
#include "kernel/namespaces_private.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/netlink.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "kernel/cgroup.h"

#ifndef NSFS_MAGIC
#define NSFS_MAGIC 0x6e736673
#endif

static const char *const directories[] = { "/run/netns", "/run/docker/netns" }; /* by namespace.docker */

struct child {
	int own_fd; /* of the namespace that it is in between two requests */
	uint64_t own;
	struct namespace *all; /* as found last */
	size_t n;
	struct container_files files; /* read during one pass */
	struct namespaces_missing missing;
};

/* ---- in and out ---- */

/* A process that is lost in another namespace must not go on. */
static void leave(const struct child *c)
{
	if (setns(c->own_fd, CLONE_NEWNET) < 0)
		_exit(1);
}

/* A file of a namespace, opened by its name or through the process. */
static int open_file(const struct namespace *at)
{
	char path[32 + NAME_MAX];

	if (at->name[0])
		snprintf(path, sizeof(path), "%s/%s", directories[at->docker], at->name);
	else
		snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)at->pid);
	return open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | (at->name[0] ? O_NOFOLLOW : 0));
}

/* The time when a file that is a namespace appeared: its mount keeps this inode of nsfs until it is removed. */
static uint64_t birth_of_file(const struct stat *st)
{
	return (uint64_t)st->st_ctim.tv_sec * 1000000000 + (uint64_t)st->st_ctim.tv_nsec;
}

/* Enters the namespace with this inode. A descriptor of it; negative errno, and then it stays where it is. *ret_birth: see struct
 * namespace. */
static int enter(const struct namespace *at, uint64_t *ret_birth)
{
	_cleanup_close_ int fd = open_file(at);
	struct cgroup_process process;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return errno == ENOENT || errno == ESRCH || errno == ELOOP ? -ESTALE : -errno;
	if (st.st_ino != at->inode)
		return -ESTALE;
	*ret_birth = birth_of_file(&st);
	if (!at->name[0]) {
		if (cgroup_read_process(at->pid, &process) < 0)
			return -ESTALE;
		*ret_birth = process.start_usec;
	}
	if (setns(fd, CLONE_NEWNET) < 0)
		return errno == EINVAL ? -ESTALE : -errno; /* a file of another kind */
	return TAKE_FD(fd);
}

/* SO_NETNS_COOKIE of the namespace that the process is in; 0: this kernel has none. */
static uint64_t read_cookie(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	return getsockopt(fd, SOL_SOCKET, NETNS_SO_COOKIE, &cookie, &len) == 0 ? cookie : 0;
}

/* ---- finding ---- */

/* The entry with this inode, a new one if there is none; NULL: no memory, or there are too many. */
static struct namespace *entry_of(struct child *c, uint64_t inode)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->all[i].inode == inode)
			return &c->all[i];
	if (c->n == NAMESPACES_MAX || !GROW(c->all, c->n)) {
		c->missing.more = true;
		return NULL;
	}
	c->all[c->n] = (struct namespace){ .inode = inode, .own = inode == c->own };
	return &c->all[c->n++];
}

static void find_names(struct child *c, bool docker)
{
	_cleanup_closedir_ DIR *dir = opendir(directories[docker]);
	struct dirent *file;

	while (dir && (file = readdir(dir))) {
		_cleanup_close_ int fd = file->d_name[0] == '.' ? -1 :
			openat(dirfd(dir), file->d_name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
		struct namespace *at;
		struct statfs fs;
		struct stat st;

		if (fd < 0 || fstatfs(fd, &fs) < 0 || (unsigned long)fs.f_type != NSFS_MAGIC || fstat(fd, &st) < 0)
			continue;
		at = entry_of(c, st.st_ino);
		if (!at || at->name[0])
			continue;
		at->docker = docker;
		snprintf(at->name, sizeof(at->name), "%s", file->d_name);
	}
}

static void note_process(struct child *c, pid_t pid, uint64_t inode)
{
	struct cgroup_process process;
	struct namespace *at = entry_of(c, inode);

	if (!at)
		return;
	at->n_processes++;
	if (at->own || cgroup_read_process(pid, &process) < 0 || (at->pid && process.start_usec >= at->start_usec))
		return;
	at->pid = pid;
	at->start_usec = process.start_usec;
	memcpy(at->comm, process.comm, sizeof(at->comm));
}

/* A link of /proc/PID/ns reads "net:[4026531840]". 0 or negative errno. */
static int find_processes(struct child *c)
{
	_cleanup_closedir_ DIR *proc = opendir("/proc");
	struct dirent *entry;

	if (!proc)
		return -errno;
	while ((entry = readdir(proc))) {
		char path[NAME_MAX + 16], text[64] = "";
		unsigned long long inode;
		int pid = atoi(entry->d_name);

		if (pid <= 0)
			continue;
		snprintf(path, sizeof(path), "%d/ns/net", pid);
		if (readlinkat(dirfd(proc), path, text, sizeof(text) - 1) < 0)
			c->missing.processes += errno == EACCES || errno == EPERM;
		else if (sscanf(text, "net:[%llu]", &inode) == 1)
			note_process(c, pid, inode);
	}
	return 0;
}

/* Where its first process belongs, unless another one has the number by now. */
static void find_cgroup(struct child *c, struct namespace *at)
{
	struct cgroup_process process;
	struct unit unit;

	if (!at->pid)
		return;
	if (cgroup_path_of_process(at->pid, at->cgroup, sizeof(at->cgroup)) < 0 || cgroup_read_process(at->pid, &process) < 0 ||
		process.start_usec != at->start_usec)
		at->cgroup[0] = '\0';
	namespaces_unit(at, &unit);
	container_read(&c->files, &unit, &at->container);
}

/* False: it has ended. */
static bool identify(struct child *c, struct namespace *at, int *error)
{
	_cleanup_close_ int plain = -1;
	_cleanup_close_ int fd = at->own ? -1 : enter(at, &at->birth);

	if (!at->own && fd < 0) {
		if (fd != -ESTALE)
			*error = fd;
		return fd != -ESTALE;
	}
	plain = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (plain >= 0)
		at->cookie = read_cookie(plain);
	else
		*error = -errno;
	if (!at->own)
		leave(c);
	find_cgroup(c, at);
	return true;
}

static int find_all(struct child *c)
{
	size_t left = 0;
	int r = 0;

	free(c->all);
	c->all = NULL;
	c->n = 0;
	c->missing = (struct namespaces_missing){ 0 };
	if (!util_has_capability(CAP_SYS_ADMIN) || !util_has_capability(CAP_SYS_PTRACE))
		return -EPERM;
	if (!entry_of(c, c->own))
		return -ENOMEM;
	find_names(c, false);
	find_names(c, true);
	r = find_processes(c);
	for (size_t i = 0; i < c->n && r >= 0; i++)
		if (identify(c, &c->all[i], &r))
			c->all[left++] = c->all[i];
	c->n = left;
	container_files_clear(&c->files);
	return r;
}

static int reply_list(struct child *c, int fd)
{
	struct namespaces_end end = { .error = find_all(c) };

	end.missing = c->missing;
	for (size_t i = 0; i < c->n && end.error >= 0; i++)
		if (send(fd, &c->all[i], sizeof(c->all[i]), MSG_NOSIGNAL) < 0)
			return -errno;
	return send(fd, &end, sizeof(end), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* ---- visiting ---- */

static int open_netlink(int protocol)
{
	const struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

	if (fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	util_close_pointer(&fd);
	return -1;
}

/* Opens sockets where the process is now, and compares the identity of this namespace. */
static int open_sockets(const struct namespaces_request *request, uint64_t birth, int fds[NAMESPACES_SOCKETS])
{
	fds[0] = open_netlink(NETLINK_ROUTE);
	fds[1] = fds[0] < 0 ? -1 : open_netlink(NETLINK_GENERIC);
	fds[2] = fds[1] < 0 ? -1 : socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fds[2] < 0)
		return -errno;
	if (read_cookie(fds[2]) != request->cookie || (!request->cookie && birth != request->birth))
		return -ESTALE;
	return 0;
}

static int visit(const struct child *c, const struct namespaces_request *request, int fds[NAMESPACES_SOCKETS])
{
	for (size_t i = 0; i < c->n; i++) {
		const struct namespace *at = &c->all[i];
		_cleanup_close_ int fd = -1;
		uint64_t birth;
		int r;

		if (at->inode != request->inode || at->cookie != request->cookie)
			continue;
		fd = enter(at, &birth);
		if (fd < 0)
			return fd;
		r = open_sockets(request, birth, fds);
		leave(c);
		return r;
	}
	return -ESTALE;
}

static int reply_visit(const struct child *c, int fd, const struct namespaces_request *request)
{
	union {
		char room[CMSG_SPACE(NAMESPACES_SOCKETS * sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	int fds[NAMESPACES_SOCKETS] = { -1, -1, -1 };
	struct namespaces_end end = { .error = visit(c, request, fds) };
	struct iovec iov = { .iov_base = &end, .iov_len = sizeof(end) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t sent;

	if (end.error >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		CMSG_FIRSTHDR(&msg)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&msg)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&msg)->cmsg_len = CMSG_LEN(sizeof(fds));
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&msg)), fds, sizeof(fds));
	}
	sent = sendmsg(fd, &msg, MSG_NOSIGNAL);
	for (size_t i = 0; i < NAMESPACES_SOCKETS; i++)
		util_close_pointer(&fds[i]);
	return sent < 0 ? -errno : 0;
}

void namespaces_serve(int fd)
{
	struct child c = { .own = netns_inode(), .own_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC) };
	const uint64_t needed = UINT64_C(1) << CAP_SYS_ADMIN | UINT64_C(1) << CAP_SYS_PTRACE;
	struct namespaces_request request;

	(void)util_lower_capabilities(~needed, true);
	while (c.own_fd >= 0 && recv(fd, &request, sizeof(request), 0) == (ssize_t)sizeof(request))
		if ((request.list ? reply_list(&c, fd) : reply_visit(&c, fd, &request)) < 0)
			break;
	free(c.all);
	util_close_pointer(&c.own_fd);
}
