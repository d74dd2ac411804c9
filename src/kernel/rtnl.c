/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/rtnl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/netlink.h"
#include "basic/util.h"

#define REQUESTS_RCVBUF_BYTES (256 << 10)
#define DEFAULT_LINKS_MAX 64 /* links with a default route that we tell apart */

struct rtnl {
	struct netlink nl;
	bool routes;
};

/* ---- one message ---- */

/* An index of a link, 0 for none. */
static int read_index(const struct nlattr *attr)
{
	uint32_t index = netlink_u32(attr);

	return index <= INT_MAX ? (int)index : 0;
}

static void copy_string(char *dst, size_t size, const struct nlattr *attr)
{
	if (attr)
		util_copy_name(dst, size, netlink_data(attr), netlink_size(attr));
}

/* The kernel's own bytes, which later calls must give back to it. */
static int copy_link_name(char *dst, const struct nlattr *attr)
{
	size_t len;

	if (!attr)
		return -EBADMSG;
	len = strnlen(netlink_data(attr), netlink_size(attr));
	if (len == 0 || len >= LINK_NAME_LEN)
		return -EBADMSG;
	memset(dst, 0, LINK_NAME_LEN);
	memcpy(dst, netlink_data(attr), len);
	return 0;
}

/* What a kind keeps in its own nest: a vlan's number, and the device below a vxlan, which has no ndo_get_iflink. */
static void parse_info_data(const struct nlattr *data, struct link *ret)
{
	const struct nlattr *tb[IFLA_VXLAN_LINK + 1] = { 0 };

	if (!data)
		return;
	if (link_is_kind(ret, "vlan")) {
		netlink_collect_nested(data, tb, IFLA_VLAN_ID);
		ret->vlan_id = netlink_u16(tb[IFLA_VLAN_ID]);
	} else if (link_is_kind(ret, "vxlan")) {
		netlink_collect_nested(data, tb, IFLA_VXLAN_LINK);
		if (tb[IFLA_VXLAN_LINK])
			ret->lower_ifindex = read_index(tb[IFLA_VXLAN_LINK]);
	}
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

/* An index that counts in another namespace must not be looked up here. */
static void cut_foreign_lower(const struct nlattr **tb, struct link *ret)
{
	ret->lower_netnsid = -1;
	if (!tb[IFLA_LINK_NETNSID])
		return;
	ret->lower_netnsid = (int)netlink_u32(tb[IFLA_LINK_NETNSID]);
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

int rtnl_parse_link(const void *message, size_t len, struct link *ret)
{
	const struct nlattr *tb[IFLA_MAX + 1] = { 0 };
	const struct nlmsghdr *nlh = message;
	const struct ifinfomsg *ifi;

	if (len > INT_MAX || !mnl_nlmsg_ok(nlh, (int)len) || mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifi))
		return -EBADMSG;
	if (nlh->nlmsg_type != RTM_NEWLINK && nlh->nlmsg_type != RTM_DELLINK)
		return -ENOENT;
	ifi = mnl_nlmsg_get_payload(nlh);
	if (ifi->ifi_family != AF_UNSPEC)
		return -ENOENT;
	if (ifi->ifi_index <= 0)
		return -EBADMSG;
	netlink_collect_message(nlh, sizeof(*ifi), tb, IFLA_MAX);
	/* what a wireless driver has to say is sent as an RTM_NEWLINK with little more than the name (wireless_send_event()) */
	if (tb[IFLA_WIRELESS])
		return -ENOENT;
	*ret = (struct link){ .ifindex = ifi->ifi_index, .flags = ifi->ifi_flags };
	if (copy_link_name(ret->name, tb[IFLA_IFNAME]) < 0)
		return -EBADMSG;
	if (tb[IFLA_ADDRESS]) {
		size_t n = netlink_size(tb[IFLA_ADDRESS]);

		ret->address_len = (unsigned)(n < LINK_ADDRESS_LEN ? n : LINK_ADDRESS_LEN);
		memcpy(ret->address, netlink_data(tb[IFLA_ADDRESS]), ret->address_len);
	}
	ret->lower_ifindex = read_index(tb[IFLA_LINK]);
	ret->master_ifindex = read_index(tb[IFLA_MASTER]);
	parse_link_info(tb[IFLA_LINKINFO], ret);
	cut_foreign_lower(tb, ret);
	name_kind(tb, ret);
	return 0;
}

/* For what the message leaves open: a bus device, where sysfs shows one below this very link (sysfs may be that of another
 * network namespace). */
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

static void take_link(const struct nlmsghdr *nlh, const struct rtnl_handlers *handlers)
{
	struct link link;

	if (rtnl_parse_link(nlh, nlh->nlmsg_len, &link) < 0)
		return;
	if (nlh->nlmsg_type == RTM_DELLINK) {
		handlers->link_gone(link.ifindex, handlers->userdata);
		return;
	}
	if (!link.kind[0])
		strcpy(link.kind, has_bus_device(&link) ? "physical" : "other");
	handlers->link(&link, handlers->userdata);
}

/* ---- sockets ---- */

/* Routes that are no default routes stay in the kernel. Classic BPF loads in network order, a netlink header is in host order. */
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

int rtnl_open(bool monitor, size_t rcvbuf_bytes, struct rtnl **ret)
{
	struct rtnl *rtnl = calloc(1, sizeof(*rtnl));
	const int bytes = REQUESTS_RCVBUF_BYTES;
	int r;

	if (!rtnl)
		return -ENOMEM;
	r = netlink_open_requests(&rtnl->nl, NETLINK_ROUTE);
	if (r >= 0 && setsockopt(mnl_socket_get_fd(rtnl->nl.requests), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) < 0)
		r = -errno;
	if (r >= 0 && monitor) {
		r = netlink_open_monitor(&rtnl->nl, NETLINK_ROUTE, rcvbuf_bytes);
		if (r >= 0)
			r = attach_filter(netlink_monitor_fd(&rtnl->nl));
		if (r >= 0)
			r = netlink_join(&rtnl->nl, RTNLGRP_LINK, true);
	}
	if (r < 0) {
		rtnl_close(rtnl);
		return r;
	}
	*ret = rtnl;
	return 0;
}

void rtnl_close(struct rtnl *rtnl)
{
	if (!rtnl)
		return;
	netlink_close(&rtnl->nl);
	free(rtnl);
}

int rtnl_monitor_fd(const struct rtnl *rtnl)
{
	return netlink_monitor_fd(&rtnl->nl);
}

int rtnl_monitor_routes(struct rtnl *rtnl, bool on)
{
	int r;

	if (!rtnl->nl.monitor || on == rtnl->routes)
		return 0;
	r = netlink_join(&rtnl->nl, RTNLGRP_IPV4_ROUTE, on);
	if (r >= 0)
		r = netlink_join(&rtnl->nl, RTNLGRP_IPV6_ROUTE, on);
	if (r >= 0)
		rtnl->routes = on;
	return r;
}

/* ---- events ---- */

static bool is_default_route(const struct nlmsghdr *nlh)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);

	return mnl_nlmsg_get_payload_len(nlh) >= sizeof(*rtm) &&
		(rtm->rtm_family == AF_INET || rtm->rtm_family == AF_INET6) && rtm->rtm_dst_len == 0 &&
		rtm->rtm_type == RTN_UNICAST && !(rtm->rtm_flags & RTM_F_CLONED);
}

struct monitored {
	const struct rtnl_handlers *handlers;
	bool routes; /* a message was about a default route */
};

static int take_event(const struct nlmsghdr *nlh, void *userdata)
{
	struct monitored *m = userdata;

	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		take_link(nlh, m->handlers);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		m->routes |= is_default_route(nlh);
		break;
	}
	return 0;
}

int rtnl_monitor_read(struct rtnl *rtnl, const struct rtnl_handlers *handlers)
{
	struct monitored m = { .handlers = handlers };
	int r = netlink_monitor_read(&rtnl->nl, take_event, &m);

	if (r >= 0 && m.routes && handlers->default_route)
		handlers->default_route(handlers->userdata);
	return r;
}

/* ---- dumps ---- */

static struct nlmsghdr *request_links(struct netlink *nl, void *userdata)
{
	const struct rtnl_handlers *handlers = userdata;
	struct nlmsghdr *nlh = netlink_new(nl, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));

	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	if (handlers->dump_start)
		handlers->dump_start(handlers->userdata);
	return nlh;
}

static int dump_link(const struct nlmsghdr *nlh, void *userdata)
{
	if (nlh->nlmsg_type == RTM_NEWLINK)
		take_link(nlh, userdata);
	return 0;
}

int rtnl_dump_links(struct rtnl *rtnl, const struct rtnl_handlers *handlers)
{
	struct netlink_exchange x = { .fn = dump_link, .userdata = (void *)handlers };

	return netlink_dump(&rtnl->nl, request_links, &x);
}

struct default_links {
	unsigned char family;
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

static void add_default(struct default_links *links, int ifindex)
{
	if (ifindex > 0 && links->n < DEFAULT_LINKS_MAX && !has_default(links, ifindex))
		links->ifindex[links->n++] = ifindex;
}

static int dump_route(const struct nlmsghdr *nlh, void *userdata)
{
	const struct nlattr *tb[RTA_TABLE + 1] = { 0 };
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct rtnexthop *nh;
	int len;

	if (nlh->nlmsg_type != RTM_NEWROUTE || !is_default_route(nlh))
		return 0;
	netlink_collect_message(nlh, sizeof(*rtm), tb, RTA_TABLE);
	if ((tb[RTA_TABLE] ? netlink_u32(tb[RTA_TABLE]) : rtm->rtm_table) != RT_TABLE_MAIN)
		return 0;
	add_default(userdata, read_index(tb[RTA_OIF]));
	nh = tb[RTA_MULTIPATH] ? netlink_data(tb[RTA_MULTIPATH]) : NULL;
	len = nh ? (int)netlink_size(tb[RTA_MULTIPATH]) : 0;
	for (; len >= (int)sizeof(*nh) && RTNH_OK(nh, len); nh = RTNH_NEXT(nh)) {
		add_default(userdata, nh->rtnh_ifindex);
		len -= (int)RTNH_ALIGN(nh->rtnh_len);
	}
	return 0;
}

static struct nlmsghdr *request_routes(struct netlink *nl, void *userdata)
{
	const struct default_links *links = userdata;
	struct nlmsghdr *nlh = netlink_new(nl, RTM_GETROUTE, NLM_F_DUMP, sizeof(struct rtmsg));
	struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);

	rtm->rtm_family = links->family;
	rtm->rtm_table = RT_TABLE_MAIN;
	return nlh;
}

/* A family that is switched off, or has no main table yet, has no default route. */
static int dump_routes(struct rtnl *rtnl, unsigned char family, struct default_links *links)
{
	struct netlink_exchange x = { .fn = dump_route, .userdata = links };
	int r;

	links->family = family;
	r = netlink_dump(&rtnl->nl, request_routes, &x);
	return r == -ENOENT || r == -EOPNOTSUPP || r == -EAFNOSUPPORT ? 0 : r;
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
