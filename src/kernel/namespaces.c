/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/namespaces_private.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define REPLY_SEC 30 /* a pass over /proc takes milliseconds */

struct namespaces {
	int fd;
	pid_t pid;
};

static int start_child(struct namespaces *n, int ends[2])
{
	const struct timeval limit = { .tv_sec = REPLY_SEC };

	(void)setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	n->pid = fork();
	if (n->pid < 0)
		return -errno;
	if (n->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)close(ends[0]);
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

int namespaces_list(struct namespaces *n, struct namespace **ret, size_t *ret_n, struct namespaces_missing *ret_missing)
{
	const struct namespaces_request request = { .list = true };
	_cleanup_free_ struct namespace *all = NULL;
	int fds[NAMESPACES_SOCKETS] = { -1, -1, -1 }, r = ask(n, &request);
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

int namespaces_visit(struct namespaces *n, const struct namespace *at, struct netns_sockets *ret)
{
	const struct namespaces_request request = { .inode = at->inode, .cookie = at->cookie, .birth = at->birth };
	int fds[NAMESPACES_SOCKETS] = { -1, -1, -1 }, r = ask(n, &request);
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
