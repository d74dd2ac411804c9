/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The floor: waits for RTM_NEWLINK of a new link and sends the one SET that switches TSO off. Nothing else
 * can be faster. */
#include <linux/rtnetlink.h>

#include "bench.h"

static const char *const tso[] = {
	"tx-tcp-segmentation",
	"tx-tcp-ecn-segmentation",
	"tx-tcp-mangleid-segmentation",
	"tx-tcp6-segmentation",
};

struct floor {
	struct mnl_socket *ethtool;
	int family;
};

static void switch_off(const struct floor *f, int ifindex)
{
	char buf[1024];
	struct nlmsghdr *nlh = bench_request(buf, f->family, ETHTOOL_MSG_FEATURES_SET, 0);
	struct nlattr *nest = mnl_attr_nest_start(nlh, ETHTOOL_A_FEATURES_HEADER);

	mnl_attr_put_u32(nlh, ETHTOOL_A_HEADER_DEV_INDEX, (uint32_t)ifindex);
	mnl_attr_put_u32(nlh, ETHTOOL_A_HEADER_FLAGS, ETHTOOL_FLAG_OMIT_REPLY);
	mnl_attr_nest_end(nlh, nest);
	nest = mnl_attr_nest_start(nlh, ETHTOOL_A_FEATURES_WANTED);
	struct nlattr *bits = mnl_attr_nest_start(nlh, ETHTOOL_A_BITSET_BITS);
	for (size_t i = 0; i < sizeof(tso) / sizeof(tso[0]); i++) {
		struct nlattr *bit = mnl_attr_nest_start(nlh, ETHTOOL_A_BITSET_BITS_BIT);

		mnl_attr_put_strz(nlh, ETHTOOL_A_BITSET_BIT_NAME, tso[i]);
		mnl_attr_nest_end(nlh, bit);
	}
	mnl_attr_nest_end(nlh, bits);
	mnl_attr_nest_end(nlh, nest);
	if (mnl_socket_sendto(f->ethtool, nlh, nlh->nlmsg_len) < 0)
		bench_die("send");
}

static int on_link(const struct nlmsghdr *nlh, void *userdata)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(nlh);

	/* register_netdevice() announces with every bit of ifi_change set */
	if (nlh->nlmsg_type == RTM_NEWLINK && info->ifi_change == ~0U)
		switch_off(userdata, info->ifi_index);
	return MNL_CB_OK;
}

int main(void)
{
	char buf[BENCH_BUFFER];
	struct mnl_socket *route = bench_socket(NETLINK_ROUTE);
	struct floor f = { .ethtool = bench_socket(NETLINK_GENERIC) };
	int group = RTNLGRP_LINK;

	f.family = bench_ethtool_family(f.ethtool).id;
	if (mnl_socket_setsockopt(route, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		bench_die("RTNLGRP_LINK");
	puts("ready");
	fflush(stdout);
	for (;;) {
		ssize_t n = mnl_socket_recvfrom(route, buf, sizeof(buf));

		if (n >= 0)
			mnl_cb_run(buf, (size_t)n, 0, 0, on_link, &f);
		else if (errno != ENOBUFS)
			bench_die("receive");
	}
}
