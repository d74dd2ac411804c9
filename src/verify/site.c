/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/site.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/bonding.h>
#include <netlink/route/link/geneve.h>
#include <netlink/route/link/ipgre.h>
#include <netlink/route/link/ipip.h>
#include <netlink/route/link/macvlan.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/link/vlan.h>
#include <netlink/route/link/vxlan.h>
#include <netlink/route/route.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "basic/file.h"
#include "basic/util.h"
#include "kernel/netns.h"

#define TUNNEL_ID 7
#define TEXT_MAX (1u << 20)

CLEANUP_POINTER(struct rtnl_link, rtnl_link_put)
#define _cleanup_link_ _cleanup_(rtnl_link_put_pointer)
CLEANUP_POINTER(struct rtnl_addr, rtnl_addr_put)
CLEANUP_POINTER(struct rtnl_route, rtnl_route_put)
CLEANUP_POINTER(struct nl_addr, nl_addr_put)
#define _cleanup_addr_ _cleanup_(nl_addr_put_pointer)

const char *site_kind_text(enum site_kind kind)
{
	static const char *const texts[SITE_KINDS + 1] = { "veth", "VLAN", "VLAN in a VLAN", "bond", "macvlan", "vxlan", "geneve", "gre", "ipip",
		"forwarding", "the network" };

	return texts[kind];
}

const char *site_kind_name(enum site_kind kind)
{
	static const char *const names[SITE_KINDS + 1] = { "veth", "vlan", "qinq", "bond", "macvlan", "vxlan", "geneve", "gre", "ipip",
		"forward", "network" };

	return names[kind];
}

int site_kind_of(const char *info_kind)
{
	for (int kind = 0; kind < SITE_FORWARD; kind++)
		if (strcmp(info_kind, site_kind_name((enum site_kind)kind)) == 0)
			return kind;
	return -1;
}

const char *site_kind_link(enum site_kind kind)
{
	return kind == SITE_QINQ ? "vlan" : kind == SITE_FORWARD ? "veth" : site_kind_name(kind);
}

/* ---- modules ---- */

/* Has a file the word, before a blank or the end of the line, and after one or a slash? */
static bool has_word(const char *path, const char *word)
{
	_cleanup_free_ char *text = NULL;
	size_t len = strlen(word), text_len;

	if (file_read_path(path, TEXT_MAX, &text, &text_len) < 0)
		return false;
	for (const char *at = text; (at = strstr(at, word)); at += len)
		if ((at == text || strchr("/\n", at[-1])) && (strchr(" \n", at[len]) || strncmp(at + len, ".ko\n", 4) == 0))
			return true;
	return false;
}

/* Is it loaded, or built into the kernel? */
static bool has_module(const char *module)
{
	char path[192];
	struct utsname host;

	snprintf(path, sizeof(path), "/sys/module/%s", module);
	if (access(path, F_OK) == 0 || has_word("/proc/modules", module))
		return true;
	if (access("/proc/modules", F_OK) < 0) /* the kernel has no modules at all */
		return true;
	if (uname(&host) < 0)
		return false;
	snprintf(path, sizeof(path), "/lib/modules/%.100s/modules.builtin", host.release);
	return has_word(path, module);
}

static const char *module_of(enum site_kind kind)
{
	static const char *const modules[SITE_KINDS] = {
		[SITE_VLAN] = "8021q", [SITE_QINQ] = "8021q", [SITE_BOND] = "bonding", [SITE_MACVLAN] = "macvlan", [SITE_VXLAN] = "vxlan",
		[SITE_GENEVE] = "geneve", [SITE_GRE] = "ip_gre", [SITE_IPIP] = "ipip" };

	return modules[kind];
}

/* ---- namespaces ---- */

int site_enter(const struct site *site, enum site_place place)
{
	return setns(site->fd[place], CLONE_NEWNET) == 0 ? 0 : -errno;
}

static int write_setting(const char *path, const char *value)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, value, strlen(value)) > 0 ? 0 : -errno;
}

/* Whatever the host's settings are. Without a wait for duplicate addresses: a router sends no neighbor solicitation meanwhile. The
 * socket loads the module. */
static int enable_ipv6(void)
{
	_cleanup_close_ int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	int r = fd < 0 ? -errno : write_setting("/proc/sys/net/ipv6/conf/default/disable_ipv6", "0");

	return r < 0 ? r : write_setting("/proc/sys/net/ipv6/conf/default/accept_dad", "0");
}

static int open_place(struct site *site, enum site_place place)
{
	int r = netns_enter_new(place == SITE_SENDER);

	if (r < 0)
		return r;
	site->fd[place] = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (site->fd[place] < 0)
		return -errno;
	/* otherwise the veth below a macvlan answers for its address, and the first packets pass by the macvlan; the larger of both applies,
	 * and a new namespace has the second from the host */
	(void)write_setting("/proc/sys/net/ipv4/conf/all/arp_ignore", "1");
	(void)write_setting("/proc/sys/net/ipv4/conf/default/arp_ignore", "1");
	if (site->ipv6_error == 0)
		site->ipv6_error = enable_ipv6();
	site->nl[place] = nl_socket_alloc();
	if (!site->nl[place] || nl_connect(site->nl[place], NETLINK_ROUTE) < 0)
		return -ENOMEM;
	r = ethtool_open(ETHTOOL_AUTO, false, 0, &site->ethtool[place]);
	return r == 0 && place == SITE_SENDER ? ethtool_features_strings(site->ethtool[place], &site->features) : r;
}

int site_open(struct site *ret, char why[SITE_WHY_LEN])
{
	int r = 0;

	*ret = (struct site){ .fd = { -1, -1, -1 } };
	for (unsigned place = 0; r == 0 && place < SITE_PLACES; place++)
		r = open_place(ret, (enum site_place)place);
	if (r == 0)
		r = site_enter(ret, SITE_SENDER);
	if (r < 0)
		snprintf(why, SITE_WHY_LEN, "Failed to create network namespaces: %s%s", strerror(-r),
			r == -EPERM ? "; it requires CAP_SYS_ADMIN, or a kernel that allows unprivileged user namespaces" : "");
	return r;
}

void site_close(struct site *site)
{
	for (unsigned place = 0; place < SITE_PLACES; place++) {
		nl_socket_free(site->nl[place]);
		ethtool_close(site->ethtool[place]);
		if (site->fd[place] >= 0)
			close(site->fd[place]);
	}
	*site = (struct site){ .fd = { -1, -1, -1 } };
}

/* ---- links ---- */

struct builder {
	struct site *site;
	struct site_lane *lane;
	char *why;
};

static int failed(struct builder *b, const char *what, int error)
{
	snprintf(b->why, SITE_WHY_LEN, "Failed to %s in a new network namespace: %s", what, nl_geterror(error));
	return error == -NLE_OPNOTSUPP ? -EOPNOTSUPP : -EIO;
}

/* Looks a new link up, and makes it one of the lane. Its ifindex, or negative errno. */
static int take_link(struct builder *b, enum site_place place, const char *name, const char *what)
{
	struct site_link *l = &b->lane->links[b->lane->n_links];
	_cleanup_link_ struct rtnl_link *link = NULL;
	int r = rtnl_link_get_kernel(b->site->nl[place], 0, name, &link);

	if (r < 0 || b->lane->n_links == SITE_LINKS_MAX)
		return failed(b, "find a link", r);
	*l = (struct site_link){ .place = place, .ifindex = rtnl_link_get_ifindex(link), .what = what };
	snprintf(l->name, sizeof(l->name), "%s", name);
	b->lane->n_links++;
	return l->ifindex;
}

static int set_up(struct builder *b, enum site_place place, int ifindex)
{
	_cleanup_link_ struct rtnl_link *as_is = rtnl_link_alloc(), *change = rtnl_link_alloc();
	int r = -NLE_NOMEM;

	if (as_is && change) {
		rtnl_link_set_ifindex(as_is, ifindex);
		rtnl_link_set_flags(change, IFF_UP);
		r = rtnl_link_change(b->site->nl[place], as_is, change, 0);
	}
	return r < 0 ? failed(b, "set a link up", r) : 0;
}

static int add_address(struct builder *b, enum site_place place, int ifindex, const char *text)
{
	_cleanup_(rtnl_addr_put_pointer) struct rtnl_addr *address = rtnl_addr_alloc();
	_cleanup_addr_ struct nl_addr *local = NULL;
	int r = address ? nl_addr_parse(text, AF_UNSPEC, &local) : -NLE_NOMEM;

	if (r == 0) {
		rtnl_addr_set_ifindex(address, ifindex);
		rtnl_addr_set_flags(address, IFA_F_NODAD);
		r = rtnl_addr_set_local(address, local);
	}
	if (r == 0)
		r = rtnl_addr_add(b->site->nl[place], address, 0);
	return r < 0 ? failed(b, "add an address", r) : 0;
}

static int add_route(struct builder *b, enum site_place place, int ifindex, const char *network, const char *gateway)
{
	_cleanup_(rtnl_route_put_pointer) struct rtnl_route *route = rtnl_route_alloc();
	_cleanup_addr_ struct nl_addr *to = NULL, *over = NULL;
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
	int r = route && hop ? nl_addr_parse(network, AF_UNSPEC, &to) : -NLE_NOMEM;

	if (r == 0)
		r = nl_addr_parse(gateway, AF_UNSPEC, &over);
	if (r < 0) {
		if (hop)
			rtnl_route_nh_free(hop);
		return failed(b, "add a route", r);
	}
	rtnl_route_nh_set_ifindex(hop, ifindex);
	rtnl_route_nh_set_gateway(hop, over);
	rtnl_route_add_nexthop(route, hop);
	rtnl_route_set_family(route, (uint8_t)nl_addr_get_family(to));
	rtnl_route_set_dst(route, to);
	r = rtnl_route_add(b->site->nl[place], route, NLM_F_CREATE);
	return r < 0 ? failed(b, "add a route", r) : 0;
}

/* Adds a veth between two namespaces, with the same name at both ends. */
static int add_veth(struct builder *b, enum site_place from, enum site_place to, const char *name, int ret_ifindex[2])
{
	_cleanup_link_ struct rtnl_link *veth = rtnl_link_veth_alloc();
	struct rtnl_link *peer = veth ? rtnl_link_veth_get_peer(veth) : NULL;
	int r = -NLE_NOMEM;

	if (peer) {
		rtnl_link_set_name(veth, name);
		rtnl_link_set_name(peer, name);
		rtnl_link_set_ns_fd(peer, b->site->fd[to]);
		r = rtnl_link_add(b->site->nl[from], veth, NLM_F_CREATE | NLM_F_EXCL);
		rtnl_link_put(peer);
	}
	if (r < 0)
		return failed(b, "create a veth", r);
	ret_ifindex[0] = take_link(b, from, name, "veth");
	ret_ifindex[1] = take_link(b, to, name, "veth");
	return ret_ifindex[0] < 0 ? ret_ifindex[0] : ret_ifindex[1] < 0 ? ret_ifindex[1] : 0;
}

/* Adds a link that rtnl_link_*_alloc() made. Its ifindex, or negative errno. */
static int add_link(struct builder *b, enum site_place place, struct rtnl_link *link, const char *name, const char *what)
{
	char creating[64];
	int r = -NLE_NOMEM;

	snprintf(creating, sizeof(creating), "create a link of kind %s", what);
	if (link) {
		rtnl_link_set_name(link, name);
		r = rtnl_link_add(b->site->nl[place], link, NLM_F_CREATE | NLM_F_EXCL);
	}
	if (r < 0)
		return failed(b, creating, r);
	return take_link(b, place, name, what);
}

static int add_vlan(struct builder *b, enum site_place place, int lower, const char *name, bool service, const char *what)
{
	_cleanup_link_ struct rtnl_link *vlan = rtnl_link_vlan_alloc();

	if (vlan) {
		rtnl_link_set_link(vlan, lower);
		rtnl_link_vlan_set_id(vlan, service ? 100 : 10);
		if (service)
			rtnl_link_vlan_set_protocol(vlan, htons(ETH_P_8021AD));
	}
	return add_link(b, place, vlan, name, what);
}

static int add_bond(struct builder *b, enum site_place place, int port)
{
	_cleanup_link_ struct rtnl_link *bond = rtnl_link_bond_alloc();
	int ifindex = add_link(b, place, bond, "bond", "bond"), r = ifindex;

	if (ifindex > 0)
		r = rtnl_link_bond_enslave_ifindex(b->site->nl[place], ifindex, port);
	return r < 0 && ifindex > 0 ? failed(b, "add a port to a bond", r) : ifindex;
}

static int add_macvlan(struct builder *b, enum site_place place, int lower)
{
	_cleanup_link_ struct rtnl_link *macvlan = rtnl_link_macvlan_alloc();

	if (macvlan) {
		rtnl_link_set_link(macvlan, lower);
		rtnl_link_macvlan_set_mode(macvlan, rtnl_link_macvlan_str2mode("bridge"));
	}
	return add_link(b, place, macvlan, "macvlan", "macvlan");
}

static struct rtnl_link *make_vxlan(int lower, struct nl_addr *const ends[2])
{
	struct rtnl_link *link = rtnl_link_vxlan_alloc();

	if (link) {
		rtnl_link_vxlan_set_id(link, TUNNEL_ID);
		rtnl_link_vxlan_set_link(link, (uint32_t)lower);
		rtnl_link_vxlan_set_group(link, ends[1]);
		rtnl_link_vxlan_set_local(link, ends[0]);
		rtnl_link_vxlan_set_port(link, 4789);
		rtnl_link_vxlan_set_udp_csum(link, 1);
	}
	return link;
}

static struct rtnl_link *make_geneve(struct nl_addr *const ends[2])
{
	struct rtnl_link *link = rtnl_link_geneve_alloc();

	if (link) {
		rtnl_link_geneve_set_id(link, TUNNEL_ID);
		rtnl_link_geneve_set_remote(link, ends[1]);
		rtnl_link_geneve_set_port(link, 6081);
		rtnl_link_geneve_set_udp_csum(link, 1);
	}
	return link;
}

/* gre and ipip differ in names only. */
static struct rtnl_link *make_ip_tunnel(enum site_kind kind, struct nl_addr *const ends[2])
{
	static const struct {
		struct rtnl_link *(*alloc)(void);
		int (*set_end[2])(struct rtnl_link *link, uint32_t address);
		int (*set_ttl)(struct rtnl_link *link, uint8_t ttl);
	} gre = { rtnl_link_ipgre_alloc, { rtnl_link_ipgre_set_local, rtnl_link_ipgre_set_remote }, rtnl_link_ipgre_set_ttl },
	  ipip = { rtnl_link_ipip_alloc, { rtnl_link_ipip_set_local, rtnl_link_ipip_set_remote }, rtnl_link_ipip_set_ttl };
	const typeof(gre) *of = kind == SITE_GRE ? &gre : &ipip;
	struct rtnl_link *link = of->alloc();

	for (unsigned end = 0; link && end < 2; end++) {
		uint32_t address;

		memcpy(&address, nl_addr_get_binary_addr(ends[end]), sizeof(address));
		of->set_end[end](link, address);
	}
	if (link)
		of->set_ttl(link, 64);
	return link;
}

/* ends: local and remote address of the outer packets. */
static int add_tunnel(struct builder *b, enum site_place place, int lower, struct nl_addr *const ends[2])
{
	enum site_kind kind = b->lane->kind;
	_cleanup_link_ struct rtnl_link *link = kind == SITE_VXLAN ? make_vxlan(lower, ends) :
		kind == SITE_GENEVE ? make_geneve(ends) : make_ip_tunnel(kind, ends);

	return add_link(b, place, link, site_kind_name(kind), site_kind_text(kind));
}

static int add_tunnel_end(struct builder *b, enum site_place place, int lower)
{
	/* every kind once, so a network for each */
	unsigned network = (unsigned)b->lane->kind * 4, host = place == SITE_SENDER ? 1 : 2;
	_cleanup_addr_ struct nl_addr *local = NULL, *remote = NULL;
	char text[2][32];
	int r;

	snprintf(text[0], sizeof(text[0]), "198.51.100.%u/30", network + host);
	snprintf(text[1], sizeof(text[1]), "198.51.100.%u", network + 3 - host);
	r = nl_addr_parse(text[0], AF_INET, &local);
	if (r == 0)
		r = nl_addr_parse(text[1], AF_INET, &remote);
	if (r < 0)
		return failed(b, "parse an address", r);
	r = add_address(b, place, lower, text[0]);
	if (r < 0)
		return r;
	nl_addr_set_prefixlen(local, 32);
	return add_tunnel(b, place, lower, (struct nl_addr *const[]){ local, remote });
}

/* What stands on the veth at one end. The ifindex of the link at the top, or negative errno. */
static int add_stack(struct builder *b, enum site_place place, int veth)
{
	int r = 0, top;

	switch (b->lane->kind) {
	case SITE_VETH:
	case SITE_FORWARD:
		return veth;
	case SITE_BOND: /* takes ports that are down */
		top = add_bond(b, place, veth);
		return top;
	default:
		r = set_up(b, place, veth);
		break;
	}
	if (r < 0)
		return r;
	switch (b->lane->kind) {
	case SITE_VLAN:
		return add_vlan(b, place, veth, "vlan", false, "VLAN");
	case SITE_QINQ:
		top = add_vlan(b, place, veth, "outer", true, "outer VLAN");
		if (top > 0)
			r = set_up(b, place, top);
		return top < 0 ? top : r < 0 ? r : add_vlan(b, place, top, "inner", false, "inner VLAN");
	case SITE_MACVLAN:
		return add_macvlan(b, place, veth);
	default:
		return add_tunnel_end(b, place, veth);
	}
}

/* Network of the family for packets of this lane, and a host in it: "192.0.2.5/30". leg: 1 for the one behind the router. */
static const char *address(const struct builder *b, int family, unsigned leg, unsigned host, const char *prefix, char buf[64])
{
	unsigned network = (unsigned)b->lane->kind;

	if (family == AF_INET)
		snprintf(buf, 64, "%s.%u%s", leg ? "203.0.113" : "192.0.2", network * 4 + host, prefix);
	else
		snprintf(buf, 64, "2001:db8:%x::%x%s", network + leg * 256, host, prefix);
	return buf;
}

static bool has_ipv6(const struct builder *b)
{
	return b->site->ipv6_error == 0 && b->lane->kind != SITE_IPIP;
}

static int add_end(struct builder *b, enum site_place place, int veth, unsigned leg, unsigned host)
{
	char text[64];
	int top = add_stack(b, place, veth), r = top < 0 ? top : set_up(b, place, top);

	if (r == 0)
		r = add_address(b, place, top, address(b, AF_INET, leg, host, "/30", text));
	if (r == 0 && has_ipv6(b))
		r = add_address(b, place, top, address(b, AF_INET6, leg, host, "/64", text));
	return r;
}

static int forward(struct builder *b, const int first[2], const int second[2])
{
	static const int families[] = { AF_INET, AF_INET6 };
	int r = site_enter(b->site, SITE_ROUTER);

	if (r == 0)
		r = write_setting("/proc/sys/net/ipv4/ip_forward", "1");
	if (r == 0 && b->site->ipv6_error == 0)
		r = write_setting("/proc/sys/net/ipv6/conf/all/forwarding", "1");
	if (site_enter(b->site, SITE_SENDER) < 0 || r < 0) {
		snprintf(b->why, SITE_WHY_LEN, "Failed to turn on forwarding in a new network namespace: %s", strerror(-r));
		return -EIO;
	}
	for (size_t i = 0; i < (b->site->ipv6_error ? 1 : 2) && r == 0; i++) {
		const char *prefix = families[i] == AF_INET ? "/30" : "/64";
		char network[64], gateway[64];

		r = add_route(b, SITE_SENDER, first[0], address(b, families[i], 1, 0, prefix, network),
			address(b, families[i], 0, 2, "", gateway));
		if (r == 0)
			r = add_route(b, SITE_RECEIVER, second[1], address(b, families[i], 0, 0, prefix, network),
				address(b, families[i], 1, 1, "", gateway));
	}
	return r;
}

int site_build(struct site *site, enum site_kind kind, bool load, struct site_lane *ret, char why[SITE_WHY_LEN])
{
	const char *module = module_of(kind);
	struct builder b = { site, ret, why };
	bool routed = kind == SITE_FORWARD;
	char name[16], text[64];
	int first[2], second[2], r;

	*ret = (struct site_lane){ .kind = kind };
	if (!load && module && !has_module(module)) {
		snprintf(why, SITE_WHY_LEN, "module %s is not loaded", module);
		return -ENODEV;
	}
	snprintf(name, sizeof(name), "veth%u", (unsigned)kind);
	r = add_veth(&b, SITE_SENDER, routed ? SITE_ROUTER : SITE_RECEIVER, name, first);
	if (r == 0)
		r = add_end(&b, SITE_SENDER, first[0], 0, 1);
	if (r == 0)
		r = add_end(&b, routed ? SITE_ROUTER : SITE_RECEIVER, first[1], 0, 2);
	if (r == 0 && routed) {
		r = add_veth(&b, SITE_ROUTER, SITE_RECEIVER, SITE_SECOND, second);
		if (r == 0)
			r = add_end(&b, SITE_ROUTER, second[0], 1, 1);
		if (r == 0)
			r = add_end(&b, SITE_RECEIVER, second[1], 1, 2);
		if (r == 0)
			r = forward(&b, first, second);
	}
	if (r < 0)
		return r;
	inet_pton(AF_INET, address(&b, AF_INET, routed, 2, "", text), &ret->receiver4);
	if (has_ipv6(&b))
		inet_pton(AF_INET6, address(&b, AF_INET6, routed, 2, "", text), &ret->receiver6);
	return 0;
}
