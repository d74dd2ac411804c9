/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events of all network namespaces that have a number in ours. The kernel says in a control message where an event comes from
 * (NETLINK_LISTEN_ALL_NSID in netlink(7); do_one_broadcast() in net/netlink/af_netlink.c). */
#include <errno.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/ethtool.h"
#include "kernel/namespaces.h"
#include "kernel/netlink.h"
#include "kernel/rtnl.h"

#define DATAGRAM_BYTES 4096 /* of a longer one only the beginning is read */

struct reader {
	namespace_event_fn fn;
	void *userdata;
};

typedef void (*take_fn)(const struct nlmsghdr *nlh, size_t len, int nsid, const struct reader *reader);

struct batch {
	struct mmsghdr msg[NETLINK_BATCH];
	struct iovec iov[NETLINK_BATCH];
	struct sockaddr_nl from[NETLINK_BATCH];
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control[NETLINK_BATCH];
	char data[NETLINK_BATCH][DATAGRAM_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
};

static int read_nsid(struct msghdr *msg)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int nsid = -1;

	if (c && c->cmsg_level == SOL_NETLINK && c->cmsg_type == NETLINK_LISTEN_ALL_NSID && c->cmsg_len == CMSG_LEN(sizeof(nsid)))
		memcpy(&nsid, CMSG_DATA(c), sizeof(nsid));
	return nsid;
}

static int receive(int fd, struct batch *b)
{
	int n;

	for (unsigned i = 0; i < NETLINK_BATCH; i++) {
		b->iov[i] = (struct iovec){ b->data[i], sizeof(b->data[i]) };
		b->msg[i].msg_hdr = (struct msghdr){ .msg_name = &b->from[i], .msg_namelen = sizeof(b->from[i]), .msg_iov = &b->iov[i],
			.msg_iovlen = 1, .msg_control = &b->control[i], .msg_controllen = sizeof(b->control[i]) };
	}
	do
		n = recvmmsg(fd, b->msg, NETLINK_BATCH, MSG_DONTWAIT, NULL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static int read_events(int fd, unsigned max, take_fn take, const struct reader *reader)
{
	struct batch b;

	for (unsigned total = 0; total < max;) {
		int n = receive(fd, &b);

		if (n < 0)
			return n == -EAGAIN ? 0 : n;
		for (int i = 0; i < n; i++) {
			size_t len = b.msg[i].msg_len < DATAGRAM_BYTES ? b.msg[i].msg_len : DATAGRAM_BYTES;

			if (b.from[i].nl_pid == 0 && len >= sizeof(struct nlmsghdr))
				take((const struct nlmsghdr *)b.data[i], len, read_nsid(&b.msg[i].msg_hdr), reader);
		}
		if (n < NETLINK_BATCH)
			return 0;
		total += (unsigned)n;
	}
	return 1;
}

/* A change of features has its own event. */
static bool is_about_features(const struct nlmsghdr *nlh, size_t len)
{
	return nlh->nlmsg_len <= len && nlh->nlmsg_type == RTM_NEWLINK && nlh->nlmsg_len >= NLMSG_SPACE(sizeof(struct ifinfomsg)) &&
		rtnl_is_features_event(nlh);
}

static void take_link(const struct nlmsghdr *nlh, size_t len, int nsid, const struct reader *reader)
{
	struct namespace_event event = { .nsid = nsid, .what = NAMESPACE_CHANGED };
	const struct nlattr *tb[NETNSA_NSID + 1] = { 0 };

	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		if (nsid >= 0 && !is_about_features(nlh, len))
			reader->fn(&event, reader->userdata);
		break;
	case RTM_NEWNSID:
	case RTM_DELNSID:
		if (nsid >= 0 || nlh->nlmsg_len > len || len < NLMSG_SPACE(sizeof(struct rtgenmsg)))
			break; /* a number in another namespace */
		netlink_collect((const char *)nlh + NLMSG_SPACE(sizeof(struct rtgenmsg)), nlh->nlmsg_len - NLMSG_SPACE(sizeof(struct rtgenmsg)),
			tb, NETNSA_NSID);
		if (!tb[NETNSA_NSID])
			break;
		event.nsid = (int)netlink_u32(tb[NETNSA_NSID]);
		event.what = nlh->nlmsg_type == RTM_NEWNSID ? NAMESPACE_NUMBERED : NAMESPACE_ENDED;
		reader->fn(&event, reader->userdata);
		break;
	}
}

int namespaces_read_links(int fd, unsigned max, namespace_event_fn fn, void *userdata)
{
	return read_events(fd, max, take_link, &(const struct reader){ fn, userdata });
}

static void take_features(const struct nlmsghdr *nlh, size_t len, int nsid, const struct reader *reader)
{
	struct namespace_event event = { .nsid = nsid, .what = NAMESPACE_FEATURES };

	if (nsid >= 0 && nlh->nlmsg_len <= len && ethtool_monitor_decode(nlh, &event.ifindex, &event.features) >= 0)
		reader->fn(&event, reader->userdata);
}

int namespaces_read_features(int fd, unsigned max, namespace_event_fn fn, void *userdata)
{
	return read_events(fd, max, take_features, &(const struct reader){ fn, userdata });
}
