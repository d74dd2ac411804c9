/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "basic/util.h"

#define REPLY_TIMEOUT_S 10	   /* the kernel answers within the call that asks; a lost answer must not hang us */
#define DUMP_ATTEMPTS 8
#define DRAIN_CALLS_MAX (1u << 13) /* system calls of one netlink_monitor_read() */

/* ---- sockets ---- */

static int open_socket(int protocol, int flags, struct mnl_socket **ret)
{
	*ret = mnl_socket_open2(protocol, SOCK_CLOEXEC | flags);
	return !*ret || mnl_socket_bind(*ret, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : 0;
}

int netlink_open_requests(struct netlink *nl, int protocol)
{
	struct timeval timeout = { .tv_sec = REPLY_TIMEOUT_S };
	int one = 1, r = open_socket(protocol, 0, &nl->requests);

	if (r < 0)
		return r;
	/* only the texts suffer where the kernel has neither */
	(void)mnl_socket_setsockopt(nl->requests, NETLINK_EXT_ACK, &one, sizeof(one));
	(void)mnl_socket_setsockopt(nl->requests, NETLINK_CAP_ACK, &one, sizeof(one));
	/* lets a dump be filtered by table (4.20); without it more is read */
	if (protocol == NETLINK_ROUTE)
		(void)mnl_socket_setsockopt(nl->requests, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	return setsockopt(mnl_socket_get_fd(nl->requests), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0
		? -errno
		: 0;
}

int netlink_open_monitor(struct netlink *nl, int protocol, size_t rcvbuf_bytes)
{
	int bytes = (int)(rcvbuf_bytes ? rcvbuf_bytes : NETLINK_RCVBUF_BYTES), fd;
	int r = open_socket(protocol, SOCK_NONBLOCK, &nl->monitor);

	if (r < 0)
		return r;
	fd = mnl_socket_get_fd(nl->monitor);
	return setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0 &&
			setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) < 0
		? -errno
		: 0;
}

void netlink_close_requests(struct netlink *nl)
{
	if (nl->requests)
		mnl_socket_close(nl->requests);
	nl->requests = NULL;
}

void netlink_close(struct netlink *nl)
{
	netlink_close_requests(nl);
	if (nl->monitor)
		mnl_socket_close(nl->monitor);
	nl->monitor = NULL;
}

int netlink_join(struct netlink *nl, unsigned group, bool join)
{
	return mnl_socket_setsockopt(nl->monitor, join ? NETLINK_ADD_MEMBERSHIP : NETLINK_DROP_MEMBERSHIP, &group,
		       sizeof(group)) < 0
		? -errno
		: 0;
}

int netlink_monitor_fd(const struct netlink *nl)
{
	return nl->monitor ? mnl_socket_get_fd(nl->monitor) : -EOPNOTSUPP;
}

/* ---- datagrams ---- */

/* Length of a datagram; 0 for one from anybody but the kernel, as every process may send some. -EMSGSIZE when it did
 * not fit. */
static int judge(const struct msghdr *msg, const struct sockaddr_nl *from, size_t len)
{
	if (msg->msg_namelen != sizeof(*from) || from->nl_pid != 0)
		return 0;
	return msg->msg_flags & MSG_TRUNC ? -EMSGSIZE : (int)len;
}

/* As judge(), or what recvmsg(2) reports. */
static int receive(int fd, void *buffer, size_t size)
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

static int receive_batch(struct netlink *nl, int lens[NETLINK_BATCH])
{
	struct sockaddr_nl from[NETLINK_BATCH] = { 0 };
	struct iovec iov[NETLINK_BATCH];
	struct mmsghdr msg[NETLINK_BATCH] = { 0 };
	int n;

	for (unsigned i = 0; i < NETLINK_BATCH; i++) {
		iov[i] = (struct iovec){ .iov_base = nl->buffer + i * NETLINK_DATAGRAM, .iov_len = NETLINK_DATAGRAM };
		msg[i].msg_hdr.msg_name = &from[i];
		msg[i].msg_hdr.msg_namelen = sizeof(from[i]);
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
	}
	do
		n = recvmmsg(mnl_socket_get_fd(nl->monitor), msg, NETLINK_BATCH, MSG_DONTWAIT, NULL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++)
		lens[i] = judge(&msg[i].msg_hdr, &from[i], msg[i].msg_len);
	return n;
}

static void take_events(const void *datagram, int len, netlink_fn fn, void *userdata)
{
	for (const struct nlmsghdr *nlh = datagram; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len))
		(void)fn(nlh, userdata);
}

/* A batch that is not full was the last: nothing else waits. Where the kernel had an error to report after its last datagram, the
 * next call returns it (do_recvmmsg()), and poll wakes for it. */
int netlink_monitor_read(struct netlink *nl, netlink_fn fn, void *userdata)
{
	int lens[NETLINK_BATCH], n = NETLINK_BATCH;
	bool overrun = false;

	if (!nl->monitor)
		return -EOPNOTSUPP;
	for (unsigned i = 0; i < DRAIN_CALLS_MAX && (n == NETLINK_BATCH || n == -ENOBUFS); i++) {
		n = receive_batch(nl, lens);
		overrun |= n == -ENOBUFS;
		for (int j = 0; j < n; j++) {
			overrun |= lens[j] == -EMSGSIZE;
			if (!overrun)
				take_events(nl->buffer + (size_t)j * NETLINK_DATAGRAM, lens[j], fn, userdata);
		}
	}
	if (n < 0 && n != -EAGAIN && n != -ENOBUFS)
		return n;
	return overrun ? -ENOBUFS : 0;
}

/* ---- requests ---- */

struct nlmsghdr *netlink_new(struct netlink *nl, uint16_t type, uint16_t flags, size_t header_len)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(nl->buffer);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++nl->seq;
	mnl_nlmsg_put_extra_header(nlh, header_len);
	return nlh;
}

static int read_error_text(const struct nlattr *attr, void *userdata)
{
	struct netlink_exchange *x = userdata;

	if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
		util_copy_name(x->text, x->text_len, mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
	return MNL_CB_OK;
}

/* Error of an NLMSG_ERROR (0 for a plain ack), with the text of the extended ack. */
static int decode_error(const struct nlmsghdr *nlh, struct netlink_exchange *x)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	size_t skip = sizeof(*err);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*err))
		return -EBADMSG;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED) && err->msg.nlmsg_len > sizeof(err->msg))
		skip += MNL_ALIGN(err->msg.nlmsg_len) - sizeof(err->msg);
	if (x->text && (nlh->nlmsg_flags & NLM_F_ACK_TLVS) && skip < mnl_nlmsg_get_payload_len(nlh))
		mnl_attr_parse(nlh, (unsigned)skip, read_error_text, x);
	return err->error > 0 || err->error < -4095 ? -EBADMSG : err->error;
}

/* 0 go on, 1 done, negative errno. */
static int take_message(const struct nlmsghdr *nlh, struct netlink_exchange *x)
{
	int r;

	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		x->disturbed = true;
	switch (nlh->nlmsg_type) {
	case NLMSG_ERROR:
		r = decode_error(nlh, x);
		return r < 0 ? r : 1;
	case NLMSG_DONE:
		/* the dump's own end: a negative number where it failed half way */
		r = mnl_nlmsg_get_payload_len(nlh) >= sizeof(int) ? *(int *)mnl_nlmsg_get_payload(nlh) : 0;
		return r < 0 && r >= -4095 ? r : 1;
	case NLMSG_NOOP:
	case NLMSG_OVERRUN:
		return 0;
	}
	if (mnl_nlmsg_get_payload_len(nlh) < x->header)
		return -EBADMSG;
	r = x->fn(nlh, x->userdata);
	return r < 0 ? r : !(nlh->nlmsg_flags & NLM_F_MULTI);
}

/* Every message of one datagram that answers the request seq. */
static int take_datagram(struct netlink *nl, int len, uint32_t seq, struct netlink_exchange *x)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)nl->buffer;
	unsigned portid = mnl_socket_get_portid(nl->requests);
	int r = 0;

	for (; r == 0 && mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len))
		if (nlh->nlmsg_seq == seq && mnl_nlmsg_portid_ok(nlh, portid))
			r = take_message(nlh, x);
	return r;
}

int netlink_exchange(struct netlink *nl, const struct nlmsghdr *request, struct netlink_exchange *x)
{
	uint32_t seq = request->nlmsg_seq;
	int r;

	if (mnl_socket_sendto(nl->requests, request, request->nlmsg_len) < 0)
		return -errno;
	do {
		r = receive(mnl_socket_get_fd(nl->requests), nl->buffer, sizeof(nl->buffer));
		if (r == -EAGAIN)
			return -ETIMEDOUT;
		if (r >= 0)
			r = take_datagram(nl, r, seq, x);
	} while (r == 0);
	return r < 0 ? r : 0;
}

int netlink_dump(struct netlink *nl, struct nlmsghdr *(*request)(struct netlink *nl, void *userdata),
	struct netlink_exchange *x)
{
	int r = 0;

	for (unsigned i = 0; i < DUMP_ATTEMPTS; i++) {
		x->disturbed = false;
		r = netlink_exchange(nl, request(nl, x->userdata), x);
		if (r != -EINTR && !(r >= 0 && x->disturbed))
			return r;
	}
	return 1;
}
