/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/namespaces_private.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/child.h"

#define REPLY_SEC 30 /* a pass over /proc takes milliseconds */

struct namespaces {
	int fd;
	pid_t pid; /* 0: it is no child of ours */
};

static void limit_time(int fd)
{
	const struct timeval limit = { .tv_sec = REPLY_SEC };

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

static int start_child(struct namespaces *n, int ends[2])
{
	limit_time(ends[0]);
	n->pid = fork();
	if (n->pid < 0)
		return -errno;
	if (n->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)prctl(PR_SET_NAME, "offloadd-netns");
		child_close_others(ends[1], -1);
		namespaces_serve(ends[1]);
		_exit(0);
	}
	n->fd = TAKE_FD(ends[0]);
	return 0;
}

int namespaces_open(struct namespaces **ret)
{
	_cleanup_(namespaces_close_pointer) struct namespaces *n = calloc(1, sizeof(*n));
	int ends[2], r;

	if (!n)
		return -ENOMEM;
	n->fd = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	r = start_child(n, ends);
	util_close_pointer(&ends[0]);
	util_close_pointer(&ends[1]);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(n);
	return 0;
}

int namespaces_connect(const char *path, struct namespaces **ret)
{
	_cleanup_(namespaces_close_pointer) struct namespaces *n = calloc(1, sizeof(*n));
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (!n)
		return -ENOMEM;
	n->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	if (n->fd < 0 || connect(n->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	limit_time(n->fd);
	*ret = TAKE_PTR(n);
	return 0;
}

void namespaces_close(struct namespaces *n)
{
	if (!n)
		return;
	util_close_pointer(&n->fd);
	if (n->pid > 0)
		while (waitpid(n->pid, NULL, 0) < 0 && errno == EINTR)
			;
	free(n);
}

static int ask(struct namespaces *n, const struct namespaces_request *request)
{
	return send(n->fd, request, sizeof(*request), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* The length of a packet; its descriptors in fds, -1 if it has none. */
static ssize_t receive(struct namespaces *n, void *packet, size_t size, int fds[NAMESPACES_SOCKETS])
{
	union {
		char room[CMSG_SPACE(NAMESPACES_SOCKETS * sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { .iov_base = packet, .iov_len = size };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	const struct cmsghdr *c;
	ssize_t len;

	do
		len = recvmsg(n->fd, &msg, MSG_CMSG_CLOEXEC);
	while (len < 0 && errno == EINTR);
	if (len < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(NAMESPACES_SOCKETS * sizeof(int)))
		memcpy(fds, CMSG_DATA(c), NAMESPACES_SOCKETS * sizeof(int));
	return len == 0 ? -ECONNRESET : len;
}

static int read_list(struct namespaces *n, const struct namespaces_request *request, struct namespace **ret, size_t *ret_n,
	struct namespaces_missing *ret_missing)
{
	_cleanup_free_ struct namespace *all = NULL;
	int fds[NAMESPACES_SOCKETS] = { -1, -1, -1 }, r = ask(n, request);
	size_t found = 0;

	while (r >= 0) {
		struct namespace one;
		const struct namespaces_end *end = (const void *)&one;
		ssize_t len = receive(n, &one, sizeof(one), fds);

		if (len == (ssize_t)sizeof(*end)) {
			*ret_missing = end->missing;
			r = end->error;
			break;
		}
		if (len != (ssize_t)sizeof(one))
			return len < 0 ? (int)len : -EBADMSG;
		if (!GROW(all, found))
			return -ENOMEM;
		all[found++] = one;
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(all);
	*ret_n = found;
	return 0;
}

int namespaces_list(struct namespaces *n, struct namespace **ret, size_t *ret_n, struct namespaces_missing *ret_missing)
{
	return read_list(n, &(const struct namespaces_request){ .what = NAMESPACES_LIST }, ret, ret_n, ret_missing);
}

int namespaces_read_news(struct namespaces *n, struct namespace **ret, size_t *ret_n, struct namespaces_missing *ret_missing)
{
	return read_list(n, &(const struct namespaces_request){ .what = NAMESPACES_NEWS }, ret, ret_n, ret_missing);
}

int namespaces_look(struct namespaces *n, bool docker, const char *name, struct namespace **ret, size_t *ret_n)
{
	struct namespaces_request request = { .what = NAMESPACES_LOOK, .docker = docker };
	struct namespaces_missing missing;

	snprintf(request.name, sizeof(request.name), "%s", name);
	return read_list(n, &request, ret, ret_n, &missing);
}

static int read_sockets(struct namespaces *n, const struct namespaces_request *request, struct netns_sockets *ret)
{
	int fds[NAMESPACES_SOCKETS] = { -1, -1, -1 }, r = ask(n, request);
	struct namespaces_end end = { 0 };
	ssize_t len = r < 0 ? r : receive(n, &end, sizeof(end), fds);

	*ret = (struct netns_sockets){ .route = fds[0], .generic = fds[1], .plain = fds[2] };
	r = len < 0 ? (int)len : len != (ssize_t)sizeof(end) ? -EBADMSG : end.error;
	if (r >= 0 && fds[0] < 0)
		r = -EMFILE; /* the kernel drops descriptors beyond RLIMIT_NOFILE */
	if (r < 0)
		netns_close_sockets(ret);
	return r;
}

int namespaces_visit(struct namespaces *n, const struct namespace *at, struct netns_sockets *ret)
{
	const struct namespaces_request request = {
		.what = NAMESPACES_VISIT, .inode = at->inode, .cookie = at->cookie, .birth = at->birth };

	return read_sockets(n, &request, ret);
}

int namespaces_listen(struct namespaces *n, uint32_t group, struct netns_sockets *ret)
{
	int r = read_sockets(n, &(const struct namespaces_request){ .what = NAMESPACES_LISTEN, .group = group }, ret);

	if (r < 0)
		return r;
	util_close_pointer(&ret->plain);
	ret->plain = -1;
	if (!group)
		util_close_pointer(&ret->generic);
	if (!group)
		ret->generic = -1;
	return 0;
}
