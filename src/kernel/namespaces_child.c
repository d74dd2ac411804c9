/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The only code that enters network namespaces of others. It is single-threaded and runs in a process of its own. */
#include "kernel/namespaces_private.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/hash.h"
#include "kernel/cgroup.h"
#include "kernel/netlink.h"

static const char *const directories[] = { "/run/netns", "/run/docker/netns" }; /* by namespace.docker */

/* What one pass over directories and /proc shows of a namespace, without entering it. */
struct sight {
	uint64_t birth; /* of its file */
	bool docker;
	char name[NAME_MAX + 1]; /* "": no file */
	uint32_t n_processes;
	pid_t pid;
	uint64_t start_usec;
	char comm[16];
};

struct entry {
	struct namespace at; /* as found by the last pass */
	bool identified;
	bool changed; /* since the last news */
	unsigned pass; /* the last one that saw it */
	uint64_t file_birth;
	struct sight sight;
	struct entry *next; /* of those that have ended */
	UT_hash_handle hh;
};

struct child {
	int own_fd; /* of the namespace that it is in between two requests */
	uint64_t own;
	dev_t device; /* of files that are namespaces */
	int route;    /* for numbers; -1: not needed so far */
	struct entry *all; /* by inode */
	struct entry *ended; /* since the last news */
	unsigned pass;
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

/* ---- numbers ---- */

struct number_request {
	struct nlmsghdr nlh;
	struct rtgenmsg gen;
	struct nlattr fd_attr __attribute__((aligned(NLA_ALIGNTO)));
	uint32_t fd;
	struct nlattr nsid_attr;
	int32_t nsid;
};

/* Sends a request about a namespace. The number in its reply; -1: it has none; -2: an error, or an acknowledgement without one. */
static int ask_number(int route, uint16_t type, int fd)
{
	const struct number_request request = {
		.nlh = { .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | (type == RTM_NEWNSID ? NLM_F_ACK : 0),
			.nlmsg_len = type == RTM_NEWNSID ? sizeof(request) : offsetof(struct number_request, nsid_attr) },
		.fd_attr = { NLA_HDRLEN + sizeof(uint32_t), NETNSA_FD },
		.fd = (uint32_t)fd,
		.nsid_attr = { NLA_HDRLEN + sizeof(int32_t), NETNSA_NSID },
		.nsid = NETNSA_NSID_NOT_ASSIGNED,
	};
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	const struct nlattr *tb[NETNSA_NSID + 1] = { 0 };
	union {
		struct nlmsghdr nlh;
		char room[1024];
	} reply;
	int len;

	if (sendto(route, &request, request.nlh.nlmsg_len, 0, (const struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return -2;
	len = netlink_receive(route, &reply, sizeof(reply));
	if (len < (int)NLMSG_SPACE(sizeof(struct rtgenmsg)) || reply.nlh.nlmsg_type != RTM_NEWNSID)
		return -2;
	netlink_collect(reply.room + NLMSG_SPACE(sizeof(struct rtgenmsg)), (size_t)len - NLMSG_SPACE(sizeof(struct rtgenmsg)), tb, NETNSA_NSID);
	return tb[NETNSA_NSID] ? (int)netlink_u32(tb[NETNSA_NSID]) : -2;
}

/* The number of a namespace in ours, a new one if it has none; -1: that is not possible. */
static int number(int route, int fd)
{
	int nsid = ask_number(route, RTM_GETNSID, fd);

	if (nsid == NETNSA_NSID_NOT_ASSIGNED) {
		(void)ask_number(route, RTM_NEWNSID, fd);
		nsid = ask_number(route, RTM_GETNSID, fd);
	}
	return nsid < 0 ? -1 : nsid;
}

/* ---- finding ---- */

/* What is seen of the namespace with this inode; NULL: no memory, or there are too many. */
static struct sight *see(struct child *c, uint64_t inode)
{
	struct entry *e;

	HASH_FIND(hh, c->all, &inode, sizeof(inode), e);
	if (!e) {
		e = HASH_COUNT(c->all) < NAMESPACES_MAX ? calloc(1, sizeof(*e)) : NULL;
		c->missing.more |= !e;
		if (!e)
			return NULL;
		e->at = (struct namespace){ .inode = inode, .own = inode == c->own, .nsid = -1 };
		if (hash_add(c->all, at.inode, e) < 0) {
			free(e);
			return NULL;
		}
	}
	if (e->pass != c->pass)
		e->sight = (struct sight){ 0 };
	e->pass = c->pass;
	return &e->sight;
}

/* Its inode; 0: it is no namespace. */
static uint64_t find_file(struct child *c, int dir, bool docker, const char *name)
{
	struct sight *sight;
	struct stat st;

	if (name[0] == '.' || strchr(name, '/') || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) || st.st_dev != c->device)
		return 0;
	sight = see(c, st.st_ino);
	if (!sight || sight->name[0])
		return 0;
	sight->docker = docker;
	sight->birth = birth_of_file(&st);
	snprintf(sight->name, sizeof(sight->name), "%s", name);
	return st.st_ino;
}

static void find_names(struct child *c, bool docker)
{
	_cleanup_closedir_ DIR *dir = opendir(directories[docker]);
	struct dirent *file;

	while (dir && (file = readdir(dir)))
		(void)find_file(c, dirfd(dir), docker, file->d_name);
}

static void note_process(struct child *c, pid_t pid, uint64_t inode)
{
	struct cgroup_process process;
	struct sight *sight = see(c, inode);

	if (!sight)
		return;
	sight->n_processes++;
	if (inode == c->own || cgroup_read_process(pid, &process) < 0 || (sight->pid && process.start_usec >= sight->start_usec))
		return;
	sight->pid = pid;
	sight->start_usec = process.start_usec;
	memcpy(sight->comm, process.comm, sizeof(sight->comm));
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

/* Where its first process belongs, unless another one has the number by now. known: as found before. */
static void find_cgroup(struct child *c, const struct namespace *known, struct namespace *at)
{
	struct cgroup_process process;
	struct unit unit;

	if (at->pid && (cgroup_path_of_process(at->pid, at->cgroup, sizeof(at->cgroup)) < 0 || cgroup_read_process(at->pid, &process) < 0 ||
			       process.start_usec != at->start_usec))
		at->cgroup[0] = '\0';
	if (known->container.name[0] && known->pid == at->pid && known->start_usec == at->start_usec && strcmp(known->cgroup, at->cgroup) == 0) {
		at->container = known->container;
		return;
	}
	namespaces_unit(at, &unit);
	container_read(&c->files, &unit, &at->container);
}

/* Enters it and reads what identifies it. 0; -ESTALE: it has ended; other negative errno. */
static int identify(struct child *c, struct namespace *at)
{
	_cleanup_close_ int plain = -1;
	_cleanup_close_ int fd = at->own ? -1 : enter(at, &at->birth);
	int error;

	if (!at->own && fd < 0)
		return fd;
	plain = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	error = -errno;
	if (plain >= 0)
		at->cookie = read_cookie(plain);
	if (!at->own)
		leave(c);
	if (plain >= 0 && !at->own && c->route >= 0)
		at->nsid = number(c->route, fd);
	return plain < 0 ? error : 0;
}

static void copy_sight(struct child *c, const struct entry *e, struct namespace *at)
{
	const struct sight *sight = &e->sight;

	at->docker = sight->docker;
	memcpy(at->name, sight->name, sizeof(at->name));
	at->n_processes = sight->n_processes;
	at->pid = sight->pid;
	at->start_usec = sight->start_usec;
	memcpy(at->comm, sight->comm, sizeof(at->comm));
	at->cgroup[0] = '\0';
	find_cgroup(c, &e->at, at);
}

/* Its file, or without one its process, is the one through which it was identified. */
static bool is_known(const struct child *c, const struct entry *e)
{
	const struct sight *sight = &e->sight;

	if (!e->identified || (c->route >= 0 && e->at.nsid < 0 && !e->at.own))
		return false;
	return sight->name[0] ? e->file_birth == sight->birth && strcmp(e->at.name, sight->name) == 0
			      : e->at.own || (!e->at.name[0] && e->at.pid == sight->pid && e->at.start_usec == sight->start_usec);
}

static bool is_same(const struct namespace *a, const struct namespace *b)
{
	return a->cookie == b->cookie && (a->cookie || a->birth == b->birth);
}

static bool looks_the_same(const struct namespace *a, const struct namespace *b)
{
	return a->docker == b->docker && strcmp(a->name, b->name) == 0 && a->pid == b->pid && a->start_usec == b->start_usec &&
		strcmp(a->cgroup, b->cgroup) == 0 && memcmp(&a->container, &b->container, sizeof(a->container)) == 0 && a->nsid == b->nsid;
}

/* It is in no list from now on, but in the next news unless it never was in any. */
static void end(struct child *c, struct entry *e)
{
	HASH_DEL(c->all, e);
	if (!e->identified) {
		free(e);
		return;
	}
	e->at.gone = true;
	e->next = c->ended;
	c->ended = e;
}

/* The inode belongs to another namespace now. */
static int end_former(struct child *c, const struct entry *e)
{
	struct entry *former = malloc(sizeof(*former));

	if (!former)
		return -ENOMEM;
	*former = *e;
	former->at.gone = true;
	former->next = c->ended;
	c->ended = former;
	return 0;
}

/* Brings an entry up to date with what was seen. 0; -ESTALE: it has ended; other negative errno. */
static int update(struct child *c, struct entry *e)
{
	struct namespace fresh = { .inode = e->at.inode, .own = e->at.own, .nsid = -1 };
	int r = 0;

	copy_sight(c, e, &fresh);
	if (is_known(c, e)) {
		fresh.birth = e->at.birth;
		fresh.cookie = e->at.cookie;
		fresh.nsid = e->at.nsid;
	} else {
		r = identify(c, &fresh);
	}
	if (r >= 0 && e->identified && !is_same(&e->at, &fresh))
		r = end_former(c, e);
	if (r < 0)
		return r;
	e->changed |= !e->identified || !is_same(&e->at, &fresh) || !looks_the_same(&e->at, &fresh);
	e->file_birth = e->sight.birth;
	e->at = fresh;
	e->identified = true;
	return 0;
}

static int find_all(struct child *c)
{
	struct entry *e, *next;
	int r;

	c->pass++;
	c->missing = (struct namespaces_missing){ 0 };
	if (!util_has_capability(CAP_SYS_ADMIN) || !util_has_capability(CAP_SYS_PTRACE))
		return -EPERM;
	if (!see(c, c->own))
		return -ENOMEM;
	find_names(c, false);
	find_names(c, true);
	r = find_processes(c);
	HASH_ITER(hh, c->all, e, next) {
		int error = r < 0 ? r : e->pass == c->pass ? update(c, e) : -ESTALE;

		if (error == -ESTALE)
			end(c, e);
		else if (error < 0)
			r = error;
	}
	container_files_clear(&c->files);
	return r;
}

/* One that was found before, by its processes, is left to the next pass. 0; negative errno. */
static int find_one(struct child *c, bool docker, const char *name)
{
	_cleanup_closedir_ DIR *dir = opendir(directories[docker]);
	uint64_t inode;
	struct entry *e;
	int r = 0;

	c->pass++;
	inode = dir ? find_file(c, dirfd(dir), docker, name) : 0;
	HASH_FIND(hh, c->all, &inode, sizeof(inode), e);
	if (e && !e->identified)
		r = update(c, e);
	if (r == -ESTALE)
		end(c, e);
	container_files_clear(&c->files);
	return r == -ESTALE ? 0 : r;
}

static int send_entry(int fd, const struct namespace *at)
{
	return send(fd, at, sizeof(*at), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void forget_ended(struct child *c)
{
	for (struct entry *e; (e = c->ended);) {
		c->ended = e->next;
		free(e);
	}
}

/* An entry that could not be identified, because of an error, is left for the next pass. */
static int reply_list(struct child *c, int fd, const struct namespaces_request *request)
{
	bool news = request->what != NAMESPACES_LIST;
	struct namespaces_end last = {
		.error = request->what == NAMESPACES_LOOK ? find_one(c, request->docker, request->name) : find_all(c) };
	struct entry *own, *e, *next;
	int r = 0;

	HASH_FIND(hh, c->all, &c->own, sizeof(c->own), own);
	if (!news && last.error >= 0 && own)
		r = send_entry(fd, &own->at);
	for (e = c->ended; e && news && r >= 0; e = e->next)
		r = send_entry(fd, &e->at);
	forget_ended(c);
	HASH_ITER(hh, c->all, e, next) {
		if (e == own || !e->identified || (news ? !e->changed : last.error < 0) || r < 0)
			continue;
		r = send_entry(fd, &e->at);
		e->changed = false;
	}
	last.missing = c->missing;
	return r < 0 ? r : send(fd, &last, sizeof(last), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* ---- visiting ---- */

static int open_netlink(int protocol, int flags)
{
	const struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, protocol);

	if (fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	util_close_pointer(&fd);
	return -1;
}

/* Opens sockets where the process is now, and compares the identity of this namespace. */
static int open_sockets(const struct namespaces_request *request, uint64_t birth, int fds[NAMESPACES_SOCKETS])
{
	fds[0] = open_netlink(NETLINK_ROUTE, 0);
	fds[1] = fds[0] < 0 ? -1 : open_netlink(NETLINK_GENERIC, 0);
	fds[2] = fds[1] < 0 ? -1 : socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fds[2] < 0)
		return -errno;
	if (read_cookie(fds[2]) != request->cookie || (!request->cookie && birth != request->birth))
		return -ESTALE;
	return 0;
}

static int visit(const struct child *c, const struct namespaces_request *request, int fds[NAMESPACES_SOCKETS])
{
	_cleanup_close_ int fd = -1;
	const struct entry *e;
	uint64_t birth;
	int r;

	HASH_FIND(hh, c->all, &request->inode, sizeof(request->inode), e);
	if (!e || !e->identified || e->at.own || e->at.cookie != request->cookie)
		return -ESTALE;
	fd = enter(&e->at, &birth);
	if (fd < 0)
		return fd;
	r = open_sockets(request, birth, fds);
	leave(c);
	return r;
}

static int open_listening(int protocol)
{
	int fd = open_netlink(protocol, SOCK_NONBLOCK), one = 1;

	if (fd < 0 || setsockopt(fd, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, &one, sizeof(one)) < 0 || netlink_set_rcvbuf(fd, 0) < 0) {
		util_close_pointer(&fd);
		return -1;
	}
	return fd;
}

static bool join(int fd, uint32_t group)
{
	return setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) == 0;
}

/* Who receives these events needs no descriptor of the namespaces: the kernel checks CAP_NET_BROADCAST of the one who opened the sockets. */
static int listen_all(uint32_t group, int fds[NAMESPACES_SOCKETS])
{
	fds[0] = open_listening(NETLINK_ROUTE);
	fds[1] = fds[0] < 0 ? -1 : open_listening(NETLINK_GENERIC);
	fds[2] = fds[1] < 0 ? -1 : socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fds[2] < 0 || !join(fds[0], RTNLGRP_LINK) || !join(fds[0], RTNLGRP_NSID) || (group && !join(fds[1], group)))
		return -errno;
	return 0;
}

static int reply_sockets(const struct child *c, int fd, const struct namespaces_request *request)
{
	union {
		char room[CMSG_SPACE(NAMESPACES_SOCKETS * sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	int fds[NAMESPACES_SOCKETS] = { -1, -1, -1 };
	struct namespaces_end last = {
		.error = request->what == NAMESPACES_LISTEN ? listen_all(request->group, fds) : visit(c, request, fds) };
	struct iovec iov = { .iov_base = &last, .iov_len = sizeof(last) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t sent;

	if (last.error >= 0) {
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

static int reply(struct child *c, int fd, const struct namespaces_request *request)
{
	if ((request->what == NAMESPACES_NEWS || request->what == NAMESPACES_LOOK) && c->route < 0)
		c->route = open_netlink(NETLINK_ROUTE, 0);
	switch (request->what) {
	case NAMESPACES_LIST:
	case NAMESPACES_NEWS:
	case NAMESPACES_LOOK:
		return reply_list(c, fd, request);
	case NAMESPACES_VISIT:
	case NAMESPACES_LISTEN:
		return reply_sockets(c, fd, request);
	}
	return -EBADMSG;
}

void namespaces_serve(int fd)
{
	struct child c = { .own_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), .route = -1 };
	const uint64_t needed = UINT64_C(1) << CAP_SYS_ADMIN | UINT64_C(1) << CAP_SYS_PTRACE | UINT64_C(1) << CAP_NET_ADMIN |
		UINT64_C(1) << CAP_NET_BROADCAST;
	struct namespaces_request request;
	struct stat st;

	(void)util_lower_capabilities(~needed, true);
	if (c.own_fd >= 0 && fstat(c.own_fd, &st) == 0) {
		c.own = st.st_ino;
		c.device = st.st_dev;
		while (recv(fd, &request, sizeof(request), 0) == (ssize_t)sizeof(request)) {
			request.name[NAME_MAX] = '\0';
			if (reply(&c, fd, &request) < 0)
				break;
		}
	}
	forget_ended(&c);
	HASH_FREE(c.all, free);
	util_close_pointer(&c.route);
	util_close_pointer(&c.own_fd);
}
