/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "kernel/rtnl.h"
#include "unit-nl.h"

static struct nlmsghdr *begin(struct unit_message *m, uint16_t type, unsigned char family, int ifindex)
{
	struct nlmsghdr *nlh = unit_message_init(m);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

	nlh->nlmsg_type = type;
	ifi->ifi_family = family;
	ifi->ifi_index = ifindex;
	ifi->ifi_flags = IFF_UP;
	return nlh;
}

static int parse(struct unit_message *m, struct link *ret)
{
	void *copy = unit_exact(m->buf, m->nlh.nlmsg_len);
	int r = rtnl_parse_link(copy, m->nlh.nlmsg_len, ret);

	free(copy);
	return r;
}

static void put_kind(struct nlmsghdr *nlh, const char *kind, uint16_t data_type, const void *data, size_t len)
{
	struct nlattr *info = mnl_attr_nest_start(nlh, IFLA_LINKINFO), *nest;

	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, kind);
	if (data) {
		nest = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
		mnl_attr_put(nlh, data_type, len, data);
		mnl_attr_nest_end(nlh, nest);
	}
	mnl_attr_nest_end(nlh, info);
}

static void a_vlan_on_a_bond(void **state)
{
	static const uint8_t address[] = { 2, 0, 0, 0, 0, 1 };
	struct unit_message m;
	struct nlmsghdr *nlh = begin(&m, RTM_NEWLINK, AF_UNSPEC, 9);
	uint16_t id = 10;
	struct link link;

	(void)state;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "vlan10");
	mnl_attr_put(nlh, IFLA_ADDRESS, sizeof(address), address);
	mnl_attr_put_u32(nlh, IFLA_LINK, 5);
	mnl_attr_put_u32(nlh, IFLA_MASTER, 6);
	put_kind(nlh, "vlan", IFLA_VLAN_ID, &id, sizeof(id));
	assert_int_equal(parse(&m, &link), 0);
	assert_int_equal(link.ifindex, 9);
	assert_string_equal(link.name, "vlan10");
	assert_string_equal(link.kind, "vlan");
	assert_int_equal(link.vlan_id, 10);
	assert_int_equal(link.lower_ifindex, 5);
	assert_int_equal(link.lower_netnsid, -1);
	assert_int_equal(link.master_ifindex, 6);
	assert_int_equal(link.flags, IFF_UP);
	assert_int_equal(link.address_len, 6);
	assert_memory_equal(link.address, address, 6);
	assert_false(link.has_features);
}

static void an_index_of_another_namespace_is_not_ours(void **state)
{
	struct unit_message m;
	struct nlmsghdr *nlh = begin(&m, RTM_NEWLINK, AF_UNSPEC, 9);
	uint32_t lower = 3;
	struct link link;

	(void)state;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "veth0");
	mnl_attr_put_u32(nlh, IFLA_LINK, 3);
	mnl_attr_put_u32(nlh, IFLA_LINK_NETNSID, 2);
	assert_int_equal(parse(&m, &link), 0);
	assert_int_equal(link.lower_ifindex, 0);
	assert_int_equal(link.lower_netnsid, 2);

	/* a vxlan's lower hides in its own data, and counts there too */
	nlh = begin(&m, RTM_NEWLINK, AF_UNSPEC, 9);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "vxlan0");
	put_kind(nlh, "vxlan", IFLA_VXLAN_LINK, &lower, sizeof(lower));
	assert_int_equal(parse(&m, &link), 0);
	assert_int_equal(link.lower_ifindex, 3);
	mnl_attr_put_u32(nlh, IFLA_LINK_NETNSID, 2);
	assert_int_equal(parse(&m, &link), 0);
	assert_int_equal(link.lower_ifindex, 0);
}

static void what_some_kinds_have_besides(void **state)
{
	struct unit_message m;
	struct nlmsghdr *nlh = begin(&m, RTM_NEWLINK, AF_UNSPEC, 9);
	struct nlattr *info, *data;
	struct link link;
	uint8_t offload = 2;

	(void)state;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "hsr0");
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "hsr");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	mnl_attr_put_u32(nlh, IFLA_HSR_SLAVE1, 3);
	mnl_attr_put_u32(nlh, IFLA_HSR_SLAVE2, 4);
	mnl_attr_put_u32(nlh, 8, 5); /* IFLA_HSR_INTERLINK */
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	assert_int_equal(parse(&m, &link), 0);
	assert_int_equal(link.hsr_ports[0], 3);
	assert_int_equal(link.hsr_ports[1], 4);
	assert_int_equal(link.hsr_ports[2], 5);
	assert_int_equal(link.macsec_offload, -1);
	assert_false(link.xdp);

	nlh = begin(&m, RTM_NEWLINK, AF_UNSPEC, 9);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "macsec0");
	info = mnl_attr_nest_start(nlh, IFLA_XDP);
	mnl_attr_put_u8(nlh, IFLA_XDP_ATTACHED, XDP_ATTACHED_SKB);
	mnl_attr_nest_end(nlh, info);
	put_kind(nlh, "macsec", IFLA_MACSEC_OFFLOAD, &offload, sizeof(offload));
	assert_int_equal(parse(&m, &link), 0);
	assert_int_equal(link.macsec_offload, 2);
	assert_true(link.xdp);
}

static void links_without_a_kind(void **state)
{
	struct unit_message m;
	struct nlmsghdr *nlh = begin(&m, RTM_NEWLINK, AF_UNSPEC, 2);
	struct link link;

	(void)state;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "eth0");
	assert_int_equal(parse(&m, &link), 0);
	assert_string_equal(link.kind, "");
	mnl_attr_put_strz(nlh, IFLA_PARENT_DEV_NAME, "0000:00:03.0");
	assert_int_equal(parse(&m, &link), 0);
	assert_string_equal(link.kind, "physical");

	nlh = begin(&m, RTM_NEWLINK, AF_UNSPEC, 1);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "lo");
	((struct ifinfomsg *)mnl_nlmsg_get_payload(nlh))->ifi_flags = IFF_LOOPBACK;
	assert_int_equal(parse(&m, &link), 0);
	assert_string_equal(link.kind, "loopback");
}

/* rtnl_xdp_fill() */
static void an_xdp_program(void **state)
{
	static const struct {
		int mode;
		bool attached;
	} cases[] = { { XDP_ATTACHED_NONE, false }, { XDP_ATTACHED_DRV, true }, { XDP_ATTACHED_SKB, true },
		{ XDP_ATTACHED_MULTI, true }, { -1, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct unit_message m;
		struct nlmsghdr *nlh = begin(&m, RTM_NEWLINK, AF_UNSPEC, 2);
		struct nlattr *xdp;
		struct link link;

		mnl_attr_put_strz(nlh, IFLA_IFNAME, "eth0");
		xdp = mnl_attr_nest_start(nlh, IFLA_XDP);
		if (cases[i].mode >= 0)
			mnl_attr_put_u8(nlh, IFLA_XDP_ATTACHED, (uint8_t)cases[i].mode);
		mnl_attr_nest_end(nlh, xdp);
		assert_int_equal(parse(&m, &link), 0);
		assert_int_equal(link.xdp, cases[i].attached);
	}
}

/* wireless_send_event(): no address, no master, as if they were gone */
static void an_event_of_a_wireless_driver_is_no_link(void **state)
{
	struct unit_message m;
	struct nlmsghdr *nlh = begin(&m, RTM_NEWLINK, AF_UNSPEC, 3);
	struct link link;

	(void)state;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "wlan0");
	assert_int_equal(parse(&m, &link), 0);
	mnl_attr_put_u32(nlh, IFLA_WIRELESS, 0x8b19);
	assert_int_equal(parse(&m, &link), -ENOENT);
}

static void a_slave(void **state)
{
	struct unit_message m;
	struct nlmsghdr *nlh = begin(&m, RTM_NEWLINK, AF_UNSPEC, 2);
	struct nlattr *info;
	struct link link;

	(void)state;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "eth2");
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_SLAVE_KIND, "bond");
	mnl_attr_nest_end(nlh, info);
	mnl_attr_put_strz(nlh, IFLA_PARENT_DEV_NAME, "virtio1");
	assert_int_equal(parse(&m, &link), 0);
	assert_string_equal(link.slave_kind, "bond");
	assert_string_equal(link.kind, "physical");
}

/* An old kernel reports less, and what it does not report is not 0. */
static void the_size_limits(void **state)
{
	struct unit_message m;
	struct nlmsghdr *nlh = begin(&m, RTM_NEWLINK, AF_UNSPEC, 9);
	struct link link;

	(void)state;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "vlan10");
	mnl_attr_put_u32(nlh, IFLA_GSO_MAX_SIZE, 8000);
	mnl_attr_put_u32(nlh, IFLA_GSO_MAX_SEGS, 0);
	mnl_attr_put_u8(nlh, IFLA_GRO_MAX_SIZE, 1); /* too short */
	assert_int_equal(parse(&m, &link), 0);
	assert_int_equal(link.limits.has, LINK_LIMIT(LINK_LIMIT_GSO_MAX_SIZE) | LINK_LIMIT(LINK_LIMIT_GSO_MAX_SEGS));
	assert_int_equal(link.limits.value[LINK_LIMIT_GSO_MAX_SIZE], 8000);
	mnl_attr_put_u32(nlh, IFLA_TSO_MAX_SIZE, 65536);
	mnl_attr_put_u32(nlh, 64, 65535); /* IFLA_GRO_IPV4_MAX_SIZE */
	assert_int_equal(parse(&m, &link), 0);
	assert_true(link.limits.has & LINK_LIMIT(LINK_LIMIT_GRO_IPV4_MAX_SIZE));
	assert_int_equal(link.limits.value[LINK_LIMIT_GRO_IPV4_MAX_SIZE], 65535);
	assert_int_equal(link.limits.value[LINK_LIMIT_TSO_MAX_SIZE], 65536);
	assert_false(link.limits.has & LINK_LIMIT(LINK_LIMIT_TSO_MAX_SEGS));
}

/* The bridge tells RTNLGRP_LINK that a port left it by RTM_DELLINK of its own family: the link is still there. */
static void messages_about_something_else(void **state)
{
	struct unit_message m;
	struct nlmsghdr *nlh = begin(&m, RTM_DELLINK, AF_BRIDGE, 2);
	struct link link;

	(void)state;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "eth2");
	assert_int_equal(parse(&m, &link), -ENOENT);
	nlh = begin(&m, RTM_NEWADDR, AF_UNSPEC, 2);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "eth2");
	assert_int_equal(parse(&m, &link), -ENOENT);
	nlh = begin(&m, RTM_DELLINK, AF_UNSPEC, 2);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "eth2");
	assert_int_equal(parse(&m, &link), 0);
}

static void a_hostile_message(void **state)
{
	struct unit_message m;
	struct nlmsghdr *nlh = begin(&m, RTM_NEWLINK, AF_UNSPEC, 2);
	char address[300];
	struct link link;

	(void)state;
	assert_int_equal(parse(&m, &link), -EBADMSG); /* no name */
	mnl_attr_put(nlh, IFLA_IFNAME, 16, "0123456789abcdef");
	assert_int_equal(parse(&m, &link), -EBADMSG); /* a name without an end */

	nlh = begin(&m, RTM_NEWLINK, AF_UNSPEC, 2);
	mnl_attr_put(nlh, IFLA_IFNAME, 4, "eth0");
	memset(address, 0xaa, sizeof(address));
	mnl_attr_put(nlh, IFLA_ADDRESS, sizeof(address), address);
	put_kind(nlh, "a-kind-that-is-longer-than-any-kind-in-the-kernel\x1b[2J", 0, NULL, 0);
	assert_int_equal(parse(&m, &link), 0);
	assert_string_equal(link.name, "eth0");
	assert_int_equal(link.address_len, LINK_ADDRESS_LEN);
	assert_int_equal(strlen(link.kind), LINK_KIND_LEN - 1);

	nlh = begin(&m, RTM_NEWLINK, AF_UNSPEC, -1);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "eth0");
	assert_int_equal(parse(&m, &link), -EBADMSG);

	nlh = begin(&m, RTM_NEWLINK, AF_UNSPEC, 2);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "eth0");
	mnl_attr_put_u8(nlh, IFLA_LINK, 1); /* too short to be an index */
	assert_int_equal(parse(&m, &link), 0);
	assert_int_equal(link.lower_ifindex, 0);

	nlh = begin(&m, RTM_NEWLINK, AF_UNSPEC, 2);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "eth0");
	mnl_attr_put_u32(nlh, IFLA_LINK, UINT32_MAX);
	mnl_attr_put_u32(nlh, IFLA_MASTER, 1u << 31);
	assert_int_equal(parse(&m, &link), 0);
	assert_int_equal(link.lower_ifindex, 0);
	assert_int_equal(link.master_ifindex, 0);
}

/* Cut at every byte, with a header that says so or does not: an error or nothing worse, and nothing read past the end. */
static void any_cut_is_survived(void **state)
{
	struct unit_message m;
	struct nlmsghdr *nlh = begin(&m, RTM_NEWLINK, AF_UNSPEC, 9);
	uint16_t id = 10;
	uint32_t len;

	(void)state;
	put_kind(nlh, "vlan", IFLA_VLAN_ID, &id, sizeof(id));
	mnl_attr_put_u32(nlh, IFLA_LINK, 5);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "vlan100");
	len = nlh->nlmsg_len;
	for (uint32_t cut = 0; cut <= 2 * len; cut++) {
		uint32_t here = cut / 2;
		struct link link;
		void *copy;
		int r;

		nlh->nlmsg_len = cut % 2 ? here : len;
		copy = unit_exact(m.buf, here);
		r = rtnl_parse_link(copy, here, &link);
		assert_true(r == 0 ? here == len : r == -EBADMSG);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vlan_on_a_bond),
		cmocka_unit_test(an_index_of_another_namespace_is_not_ours),
		cmocka_unit_test(what_some_kinds_have_besides),
		cmocka_unit_test(links_without_a_kind),
		cmocka_unit_test(an_xdp_program),
		cmocka_unit_test(an_event_of_a_wireless_driver_is_no_link),
		cmocka_unit_test(a_slave),
		cmocka_unit_test(the_size_limits),
		cmocka_unit_test(messages_about_something_else),
		cmocka_unit_test(a_hostile_message),
		cmocka_unit_test(any_cut_is_survived),
	};

	return cmocka_run_group_tests_name("rtnl", tests, NULL, NULL);
}
