/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/rtnl.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h> /* before linux/, for musl */
#include <linux/filter.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/net_namespace.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/route.h>
#include <netlink/socket.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/netlink.h"
#include "basic/util.h"

#define DUMP_ATTEMPTS 8
/* Added in Linux 6.3; the header of the system may be older. */
#define ATTR_GSO_IPV4_MAX_SIZE 63
#define ATTR_GRO_IPV4_MAX_SIZE 64
#define ATTR_MAX (IFLA_MAX > ATTR_GRO_IPV4_MAX_SIZE ? IFLA_MAX : ATTR_GRO_IPV4_MAX_SIZE)

#define TEXT_LEN 160 /* of a message of the kernel */
#define DEFAULT_LINKS_MAX 64	 /* links with a default route; more are ignored */

static const unsigned char limit_attrs[LINK_LIMIT_COUNT] = {
	[LINK_LIMIT_GSO_MAX_SIZE] = IFLA_GSO_MAX_SIZE,
	[LINK_LIMIT_GSO_MAX_SEGS] = IFLA_GSO_MAX_SEGS,
	[LINK_LIMIT_GRO_MAX_SIZE] = IFLA_GRO_MAX_SIZE,
	[LINK_LIMIT_GSO_IPV4_MAX_SIZE] = ATTR_GSO_IPV4_MAX_SIZE,
	[LINK_LIMIT_GRO_IPV4_MAX_SIZE] = ATTR_GRO_IPV4_MAX_SIZE,
	[LINK_LIMIT_TSO_MAX_SIZE] = IFLA_TSO_MAX_SIZE,
	[LINK_LIMIT_TSO_MAX_SEGS] = IFLA_TSO_MAX_SEGS,
};

struct rtnl {
	struct nl_sock *requests;
	struct nl_sock *monitor; /* NULL without one */
	bool routes, forwarding; /* subscribed */
	char buffer[NETLINK_BATCH * NETLINK_BUFFER_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
};

static int nl_errno(int error)
{
	switch (-error) {
	case NLE_SUCCESS:
		return 0;
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_AF_NOSUPPORT:
	case NLE_PROTO_MISMATCH:
	case NLE_OPNOTSUPP:
		return -EOPNOTSUPP;
	case NLE_INTR:
		return -EINTR;
	case NLE_AGAIN:
		return -EAGAIN;
	default:
		return -EIO;
	}
}

/* ---- one message ---- */

/* The index of a link; 0 if the attribute is missing or invalid. */
static int read_index(const struct nlattr *attr)
{
	uint32_t index = netlink_u32(attr);

	return index <= INT_MAX ? (int)index : 0;
}

static void copy_string(char *dst, size_t size, const struct nlattr *attr)
{
	if (attr)
		util_copy_name(dst, size, nla_data(attr), (size_t)nla_len(attr));
}

/* Copies the name unchanged, because it is passed back to the kernel. 0, -EBADMSG. */
static int copy_link_name(char *dst, const struct nlattr *attr)
{
	size_t len;

	if (!attr)
		return -EBADMSG;
	len = strnlen(nla_data(attr), (size_t)nla_len(attr));
	if (len == 0 || len >= LINK_NAME_LEN)
		return -EBADMSG;
	memset(dst, 0, LINK_NAME_LEN);
	memcpy(dst, nla_data(attr), len);
	return 0;
}

/* Moves the names to the front of the attribute, each with its NUL; the headers leave room for the last one. */
static char *pack_alt_names(const struct nlattr *list)
{
	const struct nlattr *attr;
	char *names = list ? nla_data(list) : NULL, *to = names;
	int rest;

	if (!list)
		return NULL;
	for (attr = nla_data(list), rest = nla_len(list); nla_ok(attr, rest);) {
		const struct nlattr *next = nla_next(attr, &rest);
		size_t len = nla_type(attr) == IFLA_ALT_IFNAME ? strnlen(nla_data(attr), (size_t)nla_len(attr)) : 0;

		if (len) {
			memmove(to, nla_data(attr), len);
			to += len;
			*to++ = '\0';
		}
		attr = next;
	}
	if (to == names)
		return NULL;
	*to = '\0';
	return names;
}

#define HSR_INTERLINK 8 /* IFLA_HSR_INTERLINK, from Linux 6.10 */

/* IFLA_INFO_DATA: the id of a VLAN; the link below a vxlan and the ports of HSR, which have no ndo_get_iflink and no IFLA_MASTER. */
static void parse_info_data(const struct nlattr *data, struct link *ret)
{
	const struct nlattr *tb[IFLA_MACSEC_OFFLOAD + 1] = { 0 };

	if (!data)
		return;
	if (link_is_kind(ret, "vlan")) {
		netlink_collect_nested(data, tb, IFLA_VLAN_ID);
		if (tb[IFLA_VLAN_ID] && nla_len(tb[IFLA_VLAN_ID]) >= (int)sizeof(uint16_t))
			ret->vlan_id = nla_get_u16(tb[IFLA_VLAN_ID]);
	} else if (link_is_kind(ret, "vxlan")) {
		netlink_collect_nested(data, tb, IFLA_VXLAN_LINK);
		if (tb[IFLA_VXLAN_LINK])
			ret->lower_ifindex = read_index(tb[IFLA_VXLAN_LINK]);
	} else if (link_is_kind(ret, "hsr")) {
		netlink_collect_nested(data, tb, HSR_INTERLINK);
		ret->hsr_ports[0] = read_index(tb[IFLA_HSR_SLAVE1]);
		ret->hsr_ports[1] = read_index(tb[IFLA_HSR_SLAVE2]);
		ret->hsr_ports[2] = read_index(tb[HSR_INTERLINK]);
	} else if (link_is_kind(ret, "macsec")) {
		netlink_collect_nested(data, tb, IFLA_MACSEC_OFFLOAD);
		if (tb[IFLA_MACSEC_OFFLOAD] && nla_len(tb[IFLA_MACSEC_OFFLOAD]) >= 1)
			ret->macsec_offload = nla_get_u8(tb[IFLA_MACSEC_OFFLOAD]);
	}
}

static bool has_xdp(const struct nlattr *xdp)
{
	const struct nlattr *tb[IFLA_XDP_ATTACHED + 1] = { 0 };

	if (!xdp)
		return false;
	netlink_collect_nested(xdp, tb, IFLA_XDP_ATTACHED);
	return tb[IFLA_XDP_ATTACHED] && nla_len(tb[IFLA_XDP_ATTACHED]) >= 1 &&
		nla_get_u8(tb[IFLA_XDP_ATTACHED]) != XDP_ATTACHED_NONE;
}

static void parse_link_info(const struct nlattr *info, struct link *ret)
{
	const struct nlattr *tb[IFLA_INFO_MAX + 1] = { 0 };

	if (!info)
		return;
	netlink_collect_nested(info, tb, IFLA_INFO_MAX);
	copy_string(ret->kind, sizeof(ret->kind), tb[IFLA_INFO_KIND]);
	copy_string(ret->slave_kind, sizeof(ret->slave_kind), tb[IFLA_INFO_SLAVE_KIND]);
	parse_info_data(tb[IFLA_INFO_DATA], ret);
}

/* An index in another namespace must not be looked up in this one. */
static void cut_foreign_lower(const struct nlattr **tb, struct link *ret)
{
	ret->lower_netnsid = -1;
	if (!tb[IFLA_LINK_NETNSID])
		return;
	ret->lower_netnsid = (int)netlink_u32(tb[IFLA_LINK_NETNSID]);
	ret->far_ifindex = ret->lower_ifindex;
	ret->lower_ifindex = 0;
}

static void name_kind(const struct nlattr **tb, struct link *ret)
{
	if (ret->kind[0])
		return;
	if (ret->flags & IFF_LOOPBACK)
		strcpy(ret->kind, "loopback");
	else if (tb[IFLA_PARENT_DEV_NAME])
		strcpy(ret->kind, "physical");
}

static void parse_limits(const struct nlattr **tb, struct link_limits *ret)
{
	for (unsigned i = 0; i < LINK_LIMIT_COUNT; i++) {
		const struct nlattr *attr = tb[limit_attrs[i]];

		if (!attr || nla_len(attr) < (int)sizeof(uint32_t))
			continue;
		ret->value[i] = netlink_u32(attr);
		ret->has |= LINK_LIMIT(i);
	}
}

int rtnl_parse_link(void *message, size_t len, struct link *ret)
{
	struct nlmsghdr *nlh = message;
	const struct nlattr *tb[ATTR_MAX + 1] = { 0 };
	const struct ifinfomsg *ifi;

	if (len > INT_MAX || !nlmsg_ok(nlh, (int)len) || !nlmsg_valid_hdr(nlh, sizeof(*ifi)))
		return -EBADMSG;
	if (nlh->nlmsg_type != RTM_NEWLINK && nlh->nlmsg_type != RTM_DELLINK)
		return -ENOENT;
	ifi = nlmsg_data(nlh);
	if (ifi->ifi_family != AF_UNSPEC)
		return -ENOENT;
	if (ifi->ifi_index <= 0)
		return -EBADMSG;
	netlink_collect(nlmsg_attrdata(nlh, sizeof(*ifi)), (size_t)nlmsg_attrlen(nlh, sizeof(*ifi)), tb, ATTR_MAX);
	/* events of wireless drivers are RTM_NEWLINK with few attributes (wireless_send_event()) */
	if (tb[IFLA_WIRELESS])
		return -ENOENT;
	*ret = (struct link){ .ifindex = ifi->ifi_index, .flags = ifi->ifi_flags, .macsec_offload = -1 };
	if (copy_link_name(ret->name, tb[IFLA_IFNAME]) < 0)
		return -EBADMSG;
	if (tb[IFLA_ADDRESS]) {
		size_t n = (size_t)nla_len(tb[IFLA_ADDRESS]);

		ret->address_len = (unsigned)(n < LINK_ADDRESS_LEN ? n : LINK_ADDRESS_LEN);
		memcpy(ret->address, nla_data(tb[IFLA_ADDRESS]), ret->address_len);
	}
	ret->lower_ifindex = read_index(tb[IFLA_LINK]);
	ret->master_ifindex = read_index(tb[IFLA_MASTER]);
	ret->carrier_losses = netlink_u32(tb[IFLA_CARRIER_DOWN_COUNT]);
	ret->xdp = has_xdp(tb[IFLA_XDP]);
	parse_limits(tb, &ret->limits);
	parse_link_info(tb[IFLA_LINKINFO], ret);
	cut_foreign_lower(tb, ret);
	name_kind(tb, ret);
	ret->alt_names = pack_alt_names(tb[IFLA_PROP_LIST]);
	return 0;
}

/* For links whose message does not show it: does sysfs have a bus device for this link? Also compares the
 * index, because sysfs may be that of another network namespace. */
static bool has_bus_device(const struct link *link)
{
	char path[64 + LINK_NAME_LEN], text[16] = "";
	_cleanup_close_ int fd = -1;

	if (strchr(link->name, '/') || strcmp(link->name, "..") == 0)
		return false;
	snprintf(path, sizeof(path), "/sys/class/net/%s/device", link->name);
	if (access(path, F_OK) < 0)
		return false;
	snprintf(path, sizeof(path), "/sys/class/net/%s/ifindex", link->name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && atoi(text) == link->ifindex;
}

bool rtnl_is_features_event(const struct nlmsghdr *nlh)
{
	const struct nlattr *tb[IFLA_EVENT + 1] = { 0 };

	netlink_collect(nlmsg_attrdata(nlh, sizeof(struct ifinfomsg)), (size_t)nlmsg_attrlen(nlh, sizeof(struct ifinfomsg)), tb,
		IFLA_EVENT);
	return netlink_u32(tb[IFLA_EVENT]) == IFLA_EVENT_FEATURES;
}

static void take_link(struct nlmsghdr *nlh, const struct rtnl_handlers *handlers)
{
	struct link link;

	if (rtnl_parse_link(nlh, nlh->nlmsg_len, &link) < 0)
		return;
	if (nlh->nlmsg_type == RTM_DELLINK) {
		handlers->link_gone(link.ifindex, handlers->userdata);
		return;
	}
	if (!link.kind[0])
		strcpy(link.kind, !handlers->elsewhere && has_bus_device(&link) ? "physical" : "other");
	handlers->link(&link, rtnl_is_features_event(nlh), handlers->userdata);
}

/* ---- sockets ---- */

/* Drops routes except default ones. Classic BPF loads values in network byte order; a netlink header is in
 * host byte order. */
static int attach_filter(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWROUTE), 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELROUTE), 0, 3),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS,
			NLMSG_HDRLEN + offsetof(struct rtmsg, rtm_dst_len)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_fprog prog = { .len = ARRAY_SIZE(code), .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) < 0 ? -errno : 0;
}

static int copy_socket(struct nl_sock *to, int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0), r;

	if (copy < 0)
		return -errno;
	r = nl_socket_set_fd(to, NETLINK_ROUTE, copy);
	if (r < 0)
		close(copy);
	return nl_errno(r);
}

/* in: see rtnl_open_in(); negative: opens a socket. */
static int open_requests(struct rtnl *rtnl, int in)
{
	int r, fd, one = 1;

	rtnl->requests = nl_socket_alloc();
	if (!rtnl->requests)
		return -ENOMEM;
	r = in < 0 ? nl_errno(nl_connect(rtnl->requests, NETLINK_ROUTE)) : copy_socket(rtnl->requests, in);
	if (r < 0)
		return r;
	r = nl_socket_set_buffer_size(rtnl->requests, 4 * NETLINK_BUFFER_BYTES, 0);
	if (r < 0)
		return nl_errno(r);
	fd = nl_socket_get_fd(rtnl->requests);
	r = netlink_set_timeout(fd);
	if (r < 0)
		return r;
	/* filters dumps by table (from Linux 4.20); without it more is read */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	return 0;
}

static int open_monitor(struct rtnl *rtnl, size_t rcvbuf_bytes)
{
	int r, fd;

	rtnl->monitor = nl_socket_alloc();
	if (!rtnl->monitor)
		return -ENOMEM;
	r = nl_connect(rtnl->monitor, NETLINK_ROUTE);
	if (r >= 0)
		r = nl_socket_set_nonblocking(rtnl->monitor);
	if (r < 0)
		return nl_errno(r);
	fd = nl_socket_get_fd(rtnl->monitor);
	r = netlink_set_rcvbuf(fd, rcvbuf_bytes);
	if (r >= 0)
		r = attach_filter(fd);
	if (r < 0)
		return r;
	return nl_errno(nl_socket_add_membership(rtnl->monitor, RTNLGRP_LINK));
}

static int open_rtnl(int in, bool monitor, size_t rcvbuf_bytes, struct rtnl **ret)
{
	struct rtnl *rtnl = calloc(1, sizeof(*rtnl));
	int r;

	if (!rtnl)
		return -ENOMEM;
	r = open_requests(rtnl, in);
	if (r >= 0 && monitor)
		r = open_monitor(rtnl, rcvbuf_bytes);
	if (r < 0) {
		rtnl_close(rtnl);
		return r;
	}
	*ret = rtnl;
	return 0;
}

int rtnl_open(bool monitor, size_t rcvbuf_bytes, struct rtnl **ret)
{
	return open_rtnl(-1, monitor, rcvbuf_bytes, ret);
}

int rtnl_open_in(int fd, struct rtnl **ret)
{
	return open_rtnl(fd, false, 0, ret);
}

void rtnl_close(struct rtnl *rtnl)
{
	if (!rtnl)
		return;
	nl_socket_free(rtnl->requests);
	nl_socket_free(rtnl->monitor);
	free(rtnl);
}

int rtnl_monitor_fd(const struct rtnl *rtnl)
{
	return rtnl->monitor ? nl_socket_get_fd(rtnl->monitor) : -EOPNOTSUPP;
}

/* *subscribed is the state of the two groups. */
static int subscribe(struct rtnl *rtnl, int group, int group6, bool on, bool *subscribed)
{
	int r;

	if (!rtnl->monitor || on == *subscribed)
		return 0;
	r = on ? nl_socket_add_memberships(rtnl->monitor, group, group6, 0) :
		 nl_socket_drop_memberships(rtnl->monitor, group, group6, 0);
	if (r >= 0)
		*subscribed = on;
	return nl_errno(r);
}

int rtnl_monitor_routes(struct rtnl *rtnl, bool on)
{
	return subscribe(rtnl, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, on, &rtnl->routes);
}

int rtnl_monitor_forwarding(struct rtnl *rtnl, bool on)
{
	return subscribe(rtnl, RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF, on, &rtnl->forwarding);
}

/* ---- events ---- */

static bool is_default_route(const struct nlmsghdr *nlh)
{
	const struct rtmsg *rtm = nlmsg_data(nlh);

	return nlmsg_valid_hdr(nlh, sizeof(*rtm)) &&
		(rtm->rtm_family == AF_INET || rtm->rtm_family == AF_INET6) &&
		rtm->rtm_dst_len == 0 && rtm->rtm_type == RTN_UNICAST &&
		!(rtm->rtm_flags & RTM_F_CLONED);
}

struct monitored {
	const struct rtnl_handlers *handlers;
	bool routes; /* there was a message about a default route */
	bool forwarding; /* about the settings of a link */
};

static void take_events(void *datagram, int len, void *userdata)
{
	struct monitored *m = userdata;

	for (struct nlmsghdr *nlh = datagram; nlmsg_ok(nlh, len); nlh = nlmsg_next(nlh, &len)) {
		switch (nlh->nlmsg_type) {
		case RTM_NEWLINK:
		case RTM_DELLINK:
			take_link(nlh, m->handlers);
			break;
		case RTM_NEWROUTE:
		case RTM_DELROUTE:
			m->routes |= is_default_route(nlh);
			break;
		case RTM_NEWNETCONF:
			m->forwarding = true;
			break;
		}
	}
}

int rtnl_monitor_read(struct rtnl *rtnl, const struct rtnl_handlers *handlers)
{
	struct monitored m = { .handlers = handlers };
	int r;

	if (!rtnl->monitor)
		return -EOPNOTSUPP;
	r = netlink_drain(nl_socket_get_fd(rtnl->monitor), rtnl->buffer, NETLINK_BUFFER_BYTES, take_events, &m);
	if (r >= 0 && m.routes && handlers->default_route)
		handlers->default_route(handlers->userdata);
	if (r >= 0 && m.forwarding && handlers->forwarding)
		handlers->forwarding(handlers->userdata);
	return r;
}

/* ---- dumps ---- */

struct dump {
	void (*start)(void *userdata); /* before each attempt; may be NULL */
	void (*fn)(struct nlmsghdr *nlh, void *userdata);
	void *userdata;
	char *text; /* gets the message of an error, TEXT_LEN bytes; may be NULL */
	uint32_t seq;
	bool disturbed;
};

/* The kernel's message in an NLMSG_ERROR. */
static void read_error_text(struct nlmsghdr *nlh, char *text)
{
	const struct nlmsgerr *err = nlmsg_data(nlh);
	const struct nlattr *tb[NLMSGERR_ATTR_MSG + 1] = { 0 };
	size_t len = (size_t)nlmsg_datalen(nlh), skip = sizeof(*err);

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED) && err->msg.nlmsg_len > sizeof(err->msg))
		skip += NLMSG_ALIGN(err->msg.nlmsg_len) - sizeof(err->msg);
	if (skip >= len)
		return;
	netlink_collect((const char *)nlmsg_data(nlh) + skip, len - skip, tb, NLMSGERR_ATTR_MSG);
	copy_string(text, TEXT_LEN, tb[NLMSGERR_ATTR_MSG]);
}

/* Handles one message of a dump. 0: continue; 1: done; negative errno. */
static int take_message(struct nlmsghdr *nlh, struct dump *dump)
{
	int error = 0;

	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		dump->disturbed = true;
	switch (nlh->nlmsg_type) {
	case NLMSG_ERROR:
		if (!nlmsg_valid_hdr(nlh, sizeof(struct nlmsgerr)))
			return -EBADMSG;
		error = ((struct nlmsgerr *)nlmsg_data(nlh))->error;
		if (dump->text)
			read_error_text(nlh, dump->text);
		break;
	case NLMSG_DONE:
		if (nlmsg_valid_hdr(nlh, sizeof(int)))
			error = *(int *)nlmsg_data(nlh);
		break;
	case NLMSG_NOOP:
	case NLMSG_OVERRUN:
		return 0;
	default:
		dump->fn(nlh, dump->userdata);
		return 0;
	}
	if (error > 0 || error < -4095)
		return -EBADMSG;
	return error < 0 ? error : 1;
}

static int receive_dump(struct rtnl *rtnl, struct dump *dump)
{
	uint32_t port = nl_socket_get_local_port(rtnl->requests);

	for (;;) {
		int len = netlink_receive(nl_socket_get_fd(rtnl->requests), rtnl->buffer, sizeof(rtnl->buffer));
		struct nlmsghdr *nlh = (struct nlmsghdr *)rtnl->buffer;

		if (len < 0)
			return len == -EAGAIN ? -ETIMEDOUT : len;
		for (; nlmsg_ok(nlh, len); nlh = nlmsg_next(nlh, &len)) {
			int r;

			if (nlh->nlmsg_seq != dump->seq || nlh->nlmsg_pid != port)
				continue;
			r = take_message(nlh, dump);
			if (r != 0)
				return r < 0 ? r : 0;
		}
	}
}

/* Sends the message, frees it, and handles the reply. 0, negative errno. */
static int exchange(struct rtnl *rtnl, struct nl_msg *msg, struct dump *dump)
{
	int r = nl_send_auto(rtnl->requests, msg);

	dump->seq = nlmsg_hdr(msg)->nlmsg_seq;
	nlmsg_free(msg);
	return r < 0 ? nl_errno(r) : receive_dump(rtnl, dump);
}

/* The same for a message with this payload. With NLM_F_DUMP the reply ends with the dump, with NLM_F_ACK with the acknowledgement. */
static int request(struct rtnl *rtnl, int type, int flags, const void *payload, size_t len, struct dump *dump)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, NLM_F_REQUEST | flags);

	if (!msg || nlmsg_append(msg, (void *)payload, len, NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	return exchange(rtnl, msg, dump);
}

/* 0; 1: inconsistent to the last attempt; negative errno. payload: of the request. */
static int dump(struct rtnl *rtnl, int type, const void *payload, size_t len, struct dump *dump)
{
	int r = 0;

	for (unsigned i = 0; i < DUMP_ATTEMPTS; i++) {
		dump->disturbed = false;
		if (dump->start)
			dump->start(dump->userdata);
		r = request(rtnl, type, NLM_F_DUMP, payload, len, dump);
		if (r != -EINTR && !(r >= 0 && dump->disturbed))
			return r < 0 ? r : 0;
	}
	return r == -EINTR || r >= 0 ? 1 : r;
}

static void start_links(void *userdata)
{
	const struct rtnl_handlers *handlers = userdata;

	if (handlers->dump_start)
		handlers->dump_start(handlers->userdata);
}

static void dump_link(struct nlmsghdr *nlh, void *userdata)
{
	if (nlh->nlmsg_type == RTM_NEWLINK)
		take_link(nlh, userdata);
}

/* RTM_GETLINK of one link or all. */
struct link_request {
	struct ifinfomsg ifi;
	struct nlattr attr;
	uint32_t ext_mask;
};
#define LINK_REQUEST { .attr = { NLA_HDRLEN + sizeof(uint32_t), IFLA_EXT_MASK }, .ext_mask = RTEXT_FILTER_SKIP_STATS }

int rtnl_read_link(struct rtnl *rtnl, int ifindex, const struct rtnl_handlers *handlers)
{
	struct dump link = { .fn = dump_link, .userdata = (void *)handlers };
	struct link_request payload = LINK_REQUEST;

	payload.ifi.ifi_index = ifindex;
	return request(rtnl, RTM_GETLINK, NLM_F_ACK, &payload, sizeof(payload), &link);
}

static void take_nsid(struct nlmsghdr *nlh, void *userdata)
{
	const struct nlattr *tb[NETNSA_NSID + 1] = { 0 };

	if (nlh->nlmsg_type != RTM_NEWNSID)
		return;
	netlink_collect(nlmsg_attrdata(nlh, sizeof(struct rtgenmsg)), (size_t)nlmsg_attrlen(nlh, sizeof(struct rtgenmsg)), tb, NETNSA_NSID);
	if (tb[NETNSA_NSID])
		*(int *)userdata = (int)netlink_u32(tb[NETNSA_NSID]);
}

int rtnl_find_nsid(struct rtnl *rtnl, pid_t pid)
{
	const struct {
		struct rtgenmsg gen;
		struct nlattr attr __attribute__((aligned(NLA_ALIGNTO)));
		uint32_t pid;
	} payload = { .attr = { NLA_HDRLEN + sizeof(uint32_t), NETNSA_PID }, .pid = (uint32_t)pid };
	int nsid = -1;
	struct dump reply = { .fn = take_nsid, .userdata = &nsid };
	int r = request(rtnl, RTM_GETNSID, NLM_F_ACK, &payload, sizeof(payload), &reply);

	return r < 0 ? r : nsid < 0 ? -ENOENT : nsid;
}

static void ignore_message(struct nlmsghdr *nlh _unused_, void *userdata _unused_)
{
}

int rtnl_set_limits(struct rtnl *rtnl, int ifindex, const struct link_limits *set, char *text, size_t size)
{
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_SETLINK, NLM_F_REQUEST | NLM_F_ACK);
	struct ifinfomsg ifi = { .ifi_index = ifindex };
	char words[TEXT_LEN] = "";
	struct dump reply = { .fn = ignore_message, .text = words };
	int r = msg ? nlmsg_append(msg, &ifi, sizeof(ifi), NLMSG_ALIGNTO) : -NLE_NOMEM;

	for (unsigned i = 0; i < LINK_LIMIT_SETTABLE && r >= 0; i++)
		if (set->has & LINK_LIMIT(i))
			r = nla_put_u32(msg, limit_attrs[i], set->value[i]);
	if (r < 0) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	r = exchange(rtnl, msg, &reply);
	util_copy_name(text, size, words, sizeof(words));
	return r;
}

int rtnl_dump_links(struct rtnl *rtnl, const struct rtnl_handlers *handlers)
{
	const struct link_request request = LINK_REQUEST;
	struct dump links = { .start = start_links, .fn = dump_link, .userdata = (void *)handlers };

	return dump(rtnl, RTM_GETLINK, &request, sizeof(request), &links);
}

struct default_links {
	int ifindex[DEFAULT_LINKS_MAX];
	size_t n;
};

static bool has_default(const struct default_links *links, int ifindex)
{
	for (size_t i = 0; i < links->n; i++)
		if (links->ifindex[i] == ifindex)
			return true;
	return false;
}

static void take_nexthop(struct rtnl_nexthop *nh, void *userdata)
{
	struct default_links *links = userdata;
	int ifindex = rtnl_route_nh_get_ifindex(nh);

	if (ifindex > 0 && links->n < DEFAULT_LINKS_MAX && !has_default(links, ifindex))
		links->ifindex[links->n++] = ifindex;
}

static void dump_route(struct nlmsghdr *nlh, void *userdata)
{
	struct rtnl_route *route;

	if (nlh->nlmsg_type != RTM_NEWROUTE || !is_default_route(nlh) ||
		rtnl_route_parse(nlh, &route) < 0)
		return;
	if (rtnl_route_get_table(route) == RT_TABLE_MAIN)
		rtnl_route_foreach_nexthop(route, take_nexthop, userdata);
	rtnl_route_put(route);
}

/* An address family that is disabled or has no main table yet has no default routes. */
static int dump_routes(struct rtnl *rtnl, unsigned char family, struct default_links *links)
{
	const struct rtmsg request = { .rtm_family = family, .rtm_table = RT_TABLE_MAIN };
	struct dump routes = { .fn = dump_route, .userdata = links };
	int r = dump(rtnl, RTM_GETROUTE, &request, sizeof(request), &routes);

	return r > 0 || r == -ENOENT || r == -EOPNOTSUPP || r == -EAFNOSUPPORT ? 0 : r;
}

int rtnl_dump_default_routes(struct rtnl *rtnl, struct link_table *table,
	void (*changed)(struct link *link, void *userdata), void *userdata)
{
	struct default_links links = { 0 };
	int r, any = 0;

	r = dump_routes(rtnl, AF_INET, &links);
	if (r >= 0)
		r = dump_routes(rtnl, AF_INET6, &links);
	if (r < 0)
		return r;
	link_table_foreach(table, link) {
		bool now = has_default(&links, link->ifindex);

		if (link->default_route == now)
			continue;
		link->default_route = now;
		any = 1;
		if (changed)
			changed(link, userdata);
	}
	return any;
}

/* ---- one link ---- */

/* Attributes of IFLA_INFO_DATA about the remote end of a tunnel; 0: none. */
static const struct tunnel_attrs {
	const char *kind;
	unsigned remote, remote6, checksum, no_checksum6;
} tunnel_attrs[] = {
	{ "vxlan", IFLA_VXLAN_GROUP, IFLA_VXLAN_GROUP6, IFLA_VXLAN_UDP_CSUM, IFLA_VXLAN_UDP_ZERO_CSUM6_TX },
	{ "geneve", IFLA_GENEVE_REMOTE, IFLA_GENEVE_REMOTE6, IFLA_GENEVE_UDP_CSUM, IFLA_GENEVE_UDP_ZERO_CSUM6_TX },
	{ "gre", IFLA_GRE_REMOTE, 0, 0, 0 },
	{ "gretap", IFLA_GRE_REMOTE, 0, 0, 0 },
	{ "erspan", IFLA_GRE_REMOTE, 0, 0, 0 },
	{ "ip6gre", 0, IFLA_GRE_REMOTE, 0, 0 },
	{ "ip6gretap", 0, IFLA_GRE_REMOTE, 0, 0 },
	{ "ip6erspan", 0, IFLA_GRE_REMOTE, 0, 0 },
	{ "ipip", IFLA_IPTUN_REMOTE, 0, 0, 0 },
	{ "sit", IFLA_IPTUN_REMOTE, 0, 0, 0 },
	{ "ip6tnl", 0, IFLA_IPTUN_REMOTE, 0, 0 },
};
#define TUNNEL_ATTR_MAX 64

static bool copy_remote(const struct nlattr *attr, uint16_t family, struct link_details *ret)
{
	static const uint8_t none[16];
	size_t len = family == AF_INET ? 4 : 16;

	if (!attr || netlink_size(attr) < len || memcmp(netlink_data(attr), none, len) == 0)
		return false;
	ret->family = family;
	memcpy(ret->remote, netlink_data(attr), len);
	return true;
}

static bool is_set(const struct nlattr *attr)
{
	return attr && netlink_size(attr) >= 1 && *(const uint8_t *)netlink_data(attr);
}

static void parse_tunnel(const char *kind, const struct nlattr *data, struct link_details *ret)
{
	const struct nlattr *tb[TUNNEL_ATTR_MAX + 1] = { 0 };
	const struct tunnel_attrs *a = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(tunnel_attrs); i++)
		if (strcmp(kind, tunnel_attrs[i].kind) == 0)
			a = &tunnel_attrs[i];
	if (!a || !data)
		return;
	netlink_collect_nested(data, tb, TUNNEL_ATTR_MAX);
	if (a->remote && copy_remote(tb[a->remote], AF_INET, ret))
		ret->checksum = a->checksum && is_set(tb[a->checksum]);
	else if (a->remote6 && copy_remote(tb[a->remote6], AF_INET6, ret))
		ret->checksum = a->no_checksum6 && !is_set(tb[a->no_checksum6]);
	if (strstr(kind, "gre") || strstr(kind, "erspan")) {
		const struct nlattr *flags = tb[IFLA_GRE_OFLAGS];

		ret->checksum = flags && netlink_size(flags) >= sizeof(uint16_t) &&
			(*(const uint16_t *)netlink_data(flags) & GRE_CSUM);
	}
}

static void parse_details(const struct nlmsghdr *nlh, struct link_details *ret)
{
	const struct nlattr *tb[IFLA_MAX + 1] = { 0 }, *info[IFLA_INFO_MAX + 1] = { 0 }, *port[IFLA_BOND_SLAVE_STATE + 1] = { 0 };
	char kind[LINK_KIND_LEN] = "", port_kind[LINK_KIND_LEN] = "";

	if (!nlmsg_valid_hdr(nlh, sizeof(struct ifinfomsg)))
		return;
	netlink_collect(nlmsg_attrdata(nlh, sizeof(struct ifinfomsg)), (size_t)nlmsg_attrlen(nlh, sizeof(struct ifinfomsg)), tb,
		IFLA_MAX);
	if (!tb[IFLA_LINKINFO])
		return;
	netlink_collect_nested(tb[IFLA_LINKINFO], info, IFLA_INFO_MAX);
	copy_string(kind, sizeof(kind), info[IFLA_INFO_KIND]);
	copy_string(port_kind, sizeof(port_kind), info[IFLA_INFO_SLAVE_KIND]);
	parse_tunnel(kind, info[IFLA_INFO_DATA], ret);
	if (strcmp(port_kind, "bond") || !info[IFLA_INFO_SLAVE_DATA])
		return;
	netlink_collect_nested(info[IFLA_INFO_SLAVE_DATA], port, IFLA_BOND_SLAVE_STATE);
	if (port[IFLA_BOND_SLAVE_STATE])
		ret->role = is_set(port[IFLA_BOND_SLAVE_STATE]) ? LINK_ROLE_BACKUP : LINK_ROLE_ACTIVE;
}

static void take_details(struct nlmsghdr *nlh, void *userdata)
{
	if (nlh->nlmsg_type == RTM_NEWLINK)
		parse_details(nlh, userdata);
}

int rtnl_read_details(struct rtnl *rtnl, int ifindex, struct link_details *ret)
{
	const struct ifinfomsg ifi = { .ifi_index = ifindex };
	struct dump reply = { .fn = take_details, .userdata = ret };

	*ret = (struct link_details){ 0 };
	return request(rtnl, RTM_GETLINK, NLM_F_ACK, &ifi, sizeof(ifi), &reply);
}

struct qdiscs {
	void (*fn)(int ifindex, const char *kind, void *userdata);
	void *userdata;
};

static void take_qdisc(struct nlmsghdr *nlh, void *userdata)
{
	const struct qdiscs *q = userdata;
	const struct nlattr *tb[TCA_KIND + 1] = { 0 };
	const struct tcmsg *tcm = nlmsg_data(nlh);
	char kind[LINK_KIND_LEN] = "";

	if (nlh->nlmsg_type != RTM_NEWQDISC || !nlmsg_valid_hdr(nlh, sizeof(*tcm)))
		return;
	netlink_collect(nlmsg_attrdata(nlh, sizeof(*tcm)), (size_t)nlmsg_attrlen(nlh, sizeof(*tcm)), tb, TCA_KIND);
	copy_string(kind, sizeof(kind), tb[TCA_KIND]);
	if (kind[0])
		q->fn(tcm->tcm_ifindex, kind, q->userdata);
}

int rtnl_dump_qdiscs(
	struct rtnl *rtnl, void (*fn)(int ifindex, const char *kind, void *userdata), void *userdata)
{
	const struct tcmsg tcm = { 0 };
	struct qdiscs qdiscs = { fn, userdata };
	struct dump reply = { .fn = take_qdisc, .userdata = &qdiscs };
	int r = dump(rtnl, RTM_GETQDISC, &tcm, sizeof(tcm), &reply);

	return r < 0 ? r : 0;
}

/* ---- one route ---- */

struct found_links {
	int *links;
	size_t n, max;
	int error; /* 0 or -ENOMEM */
};

static void add_found(struct found_links *found, int ifindex)
{
	for (size_t i = 0; i < found->n; i++)
		if (found->links[i] == ifindex)
			return;
	if (ifindex > 0 && found->n < found->max)
		found->links[found->n++] = ifindex;
}

static void add_nexthop(struct rtnl_nexthop *nh, void *userdata)
{
	add_found(userdata, rtnl_route_nh_get_ifindex(nh));
}

static void take_route(struct nlmsghdr *nlh, void *userdata)
{
	struct found_links *found = userdata;
	struct rtnl_route *route;
	int r;

	if (nlh->nlmsg_type != RTM_NEWROUTE)
		return;
	r = rtnl_route_parse(nlh, &route);
	if (r < 0) {
		found->error = nl_errno(r) == -ENOMEM ? -ENOMEM : found->error;
		return;
	}
	rtnl_route_foreach_nexthop(route, add_nexthop, userdata);
	if (rtnl_route_get_type(route) != RTN_UNICAST)
		found->max = found->n; /* the entry of a local address names the link that has it, not the one that is used */
	rtnl_route_put(route);
}

int rtnl_find_route(struct rtnl *rtnl, uint16_t family, const uint8_t *address, int *ret_links, size_t max)
{
	unsigned char bytes = family == AF_INET ? 4 : 16;
	struct {
		struct rtmsg rtm;
		struct nlattr attr;
		uint8_t address[16];
	} payload = {
		.rtm = { .rtm_family = (unsigned char)family, .rtm_dst_len = (unsigned char)(8 * bytes) },
		.attr = { (uint16_t)(NLA_HDRLEN + bytes), RTA_DST },
	};
	size_t len = offsetof(typeof(payload), address) + bytes;
	struct found_links found = { .links = ret_links, .max = max };
	struct dump reply = { .fn = take_route, .userdata = &found };
	int r;

	memcpy(payload.address, address, bytes);
	r = request(rtnl, RTM_GETROUTE, NLM_F_ACK, &payload, len, &reply);
	if (r < 0)
		return r;
	payload.rtm.rtm_flags = RTM_F_FIB_MATCH;
	r = request(rtnl, RTM_GETROUTE, NLM_F_ACK, &payload, len, &reply); /* only for the other next hops */
	if (r == -ENOMEM || found.error)
		return -ENOMEM;
	return found.n ? (int)found.n : -ENETUNREACH;
}

/* ---- forwarding ---- */

static void dump_netconf(struct nlmsghdr *nlh, void *userdata)
{
	const struct nlattr *tb[NETCONFA_FORWARDING + 1] = { 0 };
	struct link *link;

	if (nlh->nlmsg_type != RTM_NEWNETCONF || !nlmsg_valid_hdr(nlh, sizeof(struct netconfmsg)))
		return;
	netlink_collect(nlmsg_attrdata(nlh, sizeof(struct netconfmsg)), (size_t)nlmsg_attrlen(nlh, sizeof(struct netconfmsg)), tb,
		NETCONFA_FORWARDING);
	link = link_table_find(userdata, read_index(tb[NETCONFA_IFINDEX])); /* not NETCONFA_IFINDEX_ALL */
	if (link)
		link->forwards_now |= netlink_u32(tb[NETCONFA_FORWARDING]) != 0;
}

static int dump_netconfs(struct rtnl *rtnl, unsigned char family, struct link_table *table)
{
	const struct netconfmsg request = { .ncm_family = family };
	struct dump netconfs = { .fn = dump_netconf, .userdata = table };
	int r = dump(rtnl, RTM_GETNETCONF, &request, sizeof(request), &netconfs);

	return r > 0 || r == -EOPNOTSUPP || r == -EAFNOSUPPORT ? 0 : r;
}

int rtnl_dump_forwarding(struct rtnl *rtnl, struct link_table *table,
	void (*changed)(struct link *link, void *userdata), void *userdata)
{
	int r, any = 0;

	link_table_foreach(table, link)
		link->forwards_now = false;
	r = dump_netconfs(rtnl, AF_INET, table);
	if (r >= 0)
		r = dump_netconfs(rtnl, AF_INET6, table);
	if (r < 0)
		return r;
	link_table_foreach(table, link) {
		if (link->forwards == link->forwards_now)
			continue;
		link->forwards = link->forwards_now;
		any = 1;
		if (changed)
			changed(link, userdata);
	}
	return any;
}
