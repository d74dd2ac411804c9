/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/traffic.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/inet_diag.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/util.h"
#include "kernel/netlink.h"

#define STATE_ESTABLISHED 1 /* TCP_ESTABLISHED and TCP_CLOSE_WAIT of net/tcp_states.h */
#define STATE_CLOSE_WAIT 8

static const uint8_t families[] = { AF_INET, AF_INET6 };

struct request {
	int protocol;
	uint16_t type, flags;
	const void *payload;
	size_t len;
};

/* Sends a request on a socket, which is opened if it is 0. 0 or negative errno. */
static int send_request(int *fd, const struct request *r)
{
	struct {
		struct nlmsghdr header;
		char payload[sizeof(struct inet_diag_req_v2)];
	} message = { .header = { .nlmsg_len = NLMSG_LENGTH((unsigned)r->len), .nlmsg_type = r->type, .nlmsg_flags = NLM_F_REQUEST | r->flags } };

	if (!*fd) {
		_cleanup_close_ int opened = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, r->protocol);
		int error = opened < 0 ? -errno : netlink_set_timeout(opened);

		if (error < 0)
			return error;
		*fd = TAKE_FD(opened);
	}
	memcpy(message.payload, r->payload, r->len);
	return send(*fd, &message, message.header.nlmsg_len, 0) < 0 ? -errno : 0;
}

/* One datagram of a reply. 1: there may be more; 0: it has ended; negative errno. */
static int read_reply(int fd, void (*fn)(const struct nlmsghdr *message, void *userdata), void *userdata)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_BUFFER_BYTES];
	int len = netlink_receive(fd, buffer, sizeof(buffer));

	if (len < 0)
		return len == -EAGAIN ? -ETIMEDOUT : len;
	for (const struct nlmsghdr *message = (const void *)buffer; NLMSG_OK(message, (unsigned)len); message = NLMSG_NEXT(message, len)) {
		if (message->nlmsg_type == NLMSG_DONE)
			return 0;
		if (message->nlmsg_type == NLMSG_ERROR)
			return message->nlmsg_len >= NLMSG_LENGTH(sizeof(struct nlmsgerr)) ? ((const struct nlmsgerr *)NLMSG_DATA(message))->error : -EBADMSG;
		fn(message, userdata);
	}
	return 1;
}

static void take_address(uint16_t family, const void *bytes, struct traffic_address *ret)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	*ret = (struct traffic_address){ .family = family };
	memcpy(ret->bytes, bytes, family == AF_INET ? 4 : 16);
	if (family != AF_INET6 || memcmp(bytes, mapped, sizeof(mapped)) != 0)
		return;
	*ret = (struct traffic_address){ .family = AF_INET };
	memcpy(ret->bytes, (const char *)bytes + sizeof(mapped), 4);
}

struct sockets {
	void (*fn)(const struct traffic_socket *socket, void *userdata);
	void *userdata;
};

static void take_socket(const struct nlmsghdr *message, void *userdata)
{
	const struct inet_diag_msg *m = NLMSG_DATA(message);
	const struct nlattr *tb[INET_DIAG_CGROUP_ID + 1] = { NULL };
	const struct sockets *s = userdata;
	struct traffic_socket socket = { 0 };
	struct tcp_info info = { 0 };

	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return;
	netlink_collect(m + 1, message->nlmsg_len - NLMSG_LENGTH(sizeof(*m)), tb, INET_DIAG_CGROUP_ID);
	if (!tb[INET_DIAG_INFO] || netlink_size(tb[INET_DIAG_INFO]) < offsetof(struct tcp_info, tcpi_segs_out))
		return;
	memcpy(&info, netlink_data(tb[INET_DIAG_INFO]),
		netlink_size(tb[INET_DIAG_INFO]) < sizeof(info) ? netlink_size(tb[INET_DIAG_INFO]) : sizeof(info));
	socket.bytes = info.tcpi_bytes_acked + info.tcpi_bytes_received;
	socket.cookie = (uint64_t)m->id.idiag_cookie[1] << 32 | m->id.idiag_cookie[0];
	if (tb[INET_DIAG_CGROUP_ID] && netlink_size(tb[INET_DIAG_CGROUP_ID]) >= sizeof(socket.cgroup))
		memcpy(&socket.cgroup, netlink_data(tb[INET_DIAG_CGROUP_ID]), sizeof(socket.cgroup));
	take_address(m->idiag_family, m->id.idiag_src, &socket.local);
	take_address(m->idiag_family, m->id.idiag_dst, &socket.remote);
	s->fn(&socket, s->userdata);
}

/* 0: the dump has ended; -EAGAIN; other negative errno. */
static int read_dump(struct traffic_scan *scan, const struct request *request, uint64_t until_usec,
	void (*fn)(const struct nlmsghdr *message, void *userdata), void *userdata)
{
	int r = scan->open ? 0 : send_request(&scan->fd, request);

	scan->open = r == 0;
	for (r = r < 0 ? r : 1; r > 0;) {
		r = read_reply(scan->fd, fn, userdata);
		if (r > 0 && util_now_usec() >= until_usec)
			return -EAGAIN;
	}
	scan->open = false;
	return r;
}

int traffic_read_sockets(struct traffic_scan *scan, uint64_t until_usec,
	void (*fn)(const struct traffic_socket *socket, void *userdata), void *userdata)
{
	struct sockets sockets = { fn, userdata };
	int r = 0;

	for (; scan->next < ARRAY_SIZE(families) && r == 0; scan->next += r == 0) {
		const struct inet_diag_req_v2 payload = { .sdiag_family = families[scan->next], .sdiag_protocol = IPPROTO_TCP,
			.idiag_ext = 1 << (INET_DIAG_INFO - 1), .idiag_states = 1 << STATE_ESTABLISHED | 1 << STATE_CLOSE_WAIT };
		const struct request request = { NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &payload, sizeof(payload) };

		r = read_dump(scan, &request, until_usec, take_socket, &sockets);
	}
	if (r != -EAGAIN)
		traffic_end_scan(scan);
	return r;
}

void traffic_end_scan(struct traffic_scan *scan)
{
	if (scan->fd)
		close(scan->fd);
	*scan = (struct traffic_scan){ 0 };
}

struct addresses {
	void (*fn)(int ifindex, const struct traffic_address *address, void *userdata);
	void *userdata;
};

/* IFA_LOCAL is missing for IPv6, and differs from IFA_ADDRESS on a point-to-point link. */
static void take_own_address(const struct nlmsghdr *message, void *userdata)
{
	const struct ifaddrmsg *m = NLMSG_DATA(message);
	const struct nlattr *tb[IFA_LOCAL + 1] = { NULL }, *found;
	const struct addresses *a = userdata;
	struct traffic_address address;

	if (message->nlmsg_type != RTM_NEWADDR || message->nlmsg_len < NLMSG_LENGTH(sizeof(*m)) ||
		(m->ifa_family != AF_INET && m->ifa_family != AF_INET6))
		return;
	netlink_collect((const char *)m + NLMSG_ALIGN(sizeof(*m)), message->nlmsg_len - NLMSG_LENGTH(sizeof(*m)), tb, IFA_LOCAL);
	found = tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS];
	if (!found || netlink_size(found) < (m->ifa_family == AF_INET ? 4 : 16))
		return;
	take_address(m->ifa_family, netlink_data(found), &address);
	a->fn((int)m->ifa_index, &address, a->userdata);
}

int traffic_read_addresses(struct traffic_scan *scan, uint64_t until_usec,
	void (*fn)(int ifindex, const struct traffic_address *address, void *userdata), void *userdata)
{
	const struct ifaddrmsg payload = { .ifa_family = AF_UNSPEC };
	const struct request request = { NETLINK_ROUTE, RTM_GETADDR, NLM_F_DUMP, &payload, sizeof(payload) };
	struct addresses addresses = { fn, userdata };
	int r = read_dump(scan, &request, until_usec, take_own_address, &addresses);

	if (r != -EAGAIN)
		traffic_end_scan(scan);
	return r;
}

static void take_stats(const struct nlmsghdr *message, void *userdata)
{
	const struct if_stats_msg *m = NLMSG_DATA(message);
	const struct nlattr *tb[IFLA_STATS_LINK_64 + 1] = { NULL };
	struct rtnl_link_stats64 stats;
	uint64_t *bytes = userdata;

	if (message->nlmsg_type != RTM_NEWSTATS || message->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return;
	netlink_collect(m + 1, message->nlmsg_len - NLMSG_LENGTH(sizeof(*m)), tb, IFLA_STATS_LINK_64);
	if (!tb[IFLA_STATS_LINK_64] || netlink_size(tb[IFLA_STATS_LINK_64]) < offsetof(struct rtnl_link_stats64, rx_errors))
		return;
	memcpy(&stats, netlink_data(tb[IFLA_STATS_LINK_64]), offsetof(struct rtnl_link_stats64, rx_errors));
	*bytes = stats.rx_bytes + stats.tx_bytes;
}

int traffic_read_link(struct traffic_scan *scan, int ifindex, uint64_t *ret_bytes)
{
	const struct if_stats_msg payload = { .ifindex = (uint32_t)ifindex, .filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64) };
	const struct request request = { NETLINK_ROUTE, RTM_GETSTATS, 0, &payload, sizeof(payload) };
	uint64_t bytes = UINT64_MAX;
	int r = send_request(&scan->fd, &request);

	if (r == 0)
		r = read_reply(scan->fd, take_stats, &bytes);
	if (r >= 0 && bytes == UINT64_MAX)
		return -EBADMSG;
	*ret_bytes = bytes;
	return r < 0 ? r : 0;
}

/* cpu user nice system idle iowait irq softirq */
int traffic_read_softirq(uint64_t *ret_usec)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/stat", "re");
	long ticks = sysconf(_SC_CLK_TCK);
	char line[512];
	uint64_t n;

	if (!f)
		return -errno;
	if (!fgets(line, sizeof(line), f) || ticks <= 0 || sscanf(line, "cpu %*u %*u %*u %*u %*u %*u %" SCNu64, &n) != 1)
		return -EBADMSG;
	*ret_usec = n * USEC_PER_SEC / (uint64_t)ticks;
	return 0;
}
