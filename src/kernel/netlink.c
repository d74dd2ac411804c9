/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/netlink.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/time.h>

#define DRAIN_CALLS_MAX (1u << 13) /* system calls of one netlink_drain() */

int netlink_set_timeout(int fd)
{
	const struct timeval timeout = { .tv_sec = 10 };

	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0 ? -errno : 0;
}

int netlink_set_rcvbuf(int fd, size_t bytes)
{
	int size = bytes ? (int)bytes : 16 << 20;

	return setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0 &&
			setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) < 0 ? -errno : 0;
}

/* The result of netlink_receive() for a datagram. */
static int judge(const struct msghdr *msg, const struct sockaddr_nl *from, size_t len)
{
	if (msg->msg_namelen != sizeof(*from) || from->nl_pid != 0)
		return 0;
	return msg->msg_flags & MSG_TRUNC ? -EMSGSIZE : (int)len;
}

int netlink_receive(int fd, void *buffer, size_t size)
{
	struct sockaddr_nl from = { 0 };
	struct iovec iov = { .iov_base = buffer, .iov_len = size };
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	ssize_t n;

	do
		n = recvmsg(fd, &msg, 0);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : judge(&msg, &from, (size_t)n);
}

static int receive_batch(int fd, char *buffer, size_t size, int lens[NETLINK_BATCH])
{
	struct sockaddr_nl from[NETLINK_BATCH] = { 0 };
	struct iovec iov[NETLINK_BATCH];
	struct mmsghdr msg[NETLINK_BATCH] = { 0 };
	int n;

	for (unsigned i = 0; i < NETLINK_BATCH; i++) {
		iov[i] = (struct iovec){ .iov_base = buffer + i * size, .iov_len = size };
		msg[i].msg_hdr.msg_name = &from[i];
		msg[i].msg_hdr.msg_namelen = sizeof(from[i]);
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
	}
	do
		n = recvmmsg(fd, msg, NETLINK_BATCH, MSG_DONTWAIT, NULL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++)
		lens[i] = judge(&msg[i].msg_hdr, &from[i], msg[i].msg_len);
	return n;
}

/* After a batch that is not full, nothing is pending. If an error occurred after its last datagram, the next
 * call returns it (do_recvmmsg()), and poll() wakes up for it. */
int netlink_drain(int fd, char *buffer, size_t size,
	void (*take)(void *datagram, int len, void *userdata), void *userdata)
{
	int lens[NETLINK_BATCH], n = NETLINK_BATCH;
	bool overrun = false;

	for (unsigned i = 0; i < DRAIN_CALLS_MAX && (n == NETLINK_BATCH || n == -ENOBUFS); i++) {
		n = receive_batch(fd, buffer, size, lens);
		overrun |= n == -ENOBUFS;
		for (int j = 0; j < n; j++) {
			overrun |= lens[j] == -EMSGSIZE;
			if (!overrun)
				take(buffer + (size_t)j * size, lens[j], userdata);
		}
	}
	if (n < 0 && n != -EAGAIN && n != -ENOBUFS)
		return n;
	return overrun ? -ENOBUFS : 0;
}
