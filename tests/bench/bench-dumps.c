/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One dump of all links and one of all features in compact form, read and thrown away: the least that a
 * plan can cost. */
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "bench.h"

static int count(const struct nlmsghdr *nlh, void *userdata)
{
	(void)nlh;
	++*(long *)userdata;
	return MNL_CB_OK;
}

static long read_dump(struct mnl_socket *s)
{
	static char buf[BENCH_BUFFER];
	long messages = 0;
	int run = MNL_CB_OK;

	while (run > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(s, buf, sizeof(buf));

		if (n < 0)
			bench_die("receive");
		run = mnl_cb_run(buf, (size_t)n, 0, mnl_socket_get_portid(s), count, &messages);
	}
	if (run < 0)
		bench_die("dump");
	return messages;
}

int main(void)
{
	char buf[1024];
	struct mnl_socket *route = bench_socket(NETLINK_ROUTE);
	struct mnl_socket *ethtool = bench_socket(NETLINK_GENERIC);
	struct bench_family family = bench_ethtool_family(ethtool);
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	long links, features;

	nlh->nlmsg_type = RTM_GETLINK;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	if (mnl_socket_sendto(route, nlh, nlh->nlmsg_len) < 0)
		bench_die("send");
	links = read_dump(route);

	nlh = bench_request(buf, family.id, ETHTOOL_MSG_FEATURES_GET, NLM_F_DUMP);
	struct nlattr *nest = mnl_attr_nest_start(nlh, ETHTOOL_A_FEATURES_HEADER);
	mnl_attr_put_u32(nlh, ETHTOOL_A_HEADER_FLAGS, ETHTOOL_FLAG_COMPACT_BITSETS);
	mnl_attr_nest_end(nlh, nest);
	if (mnl_socket_sendto(ethtool, nlh, nlh->nlmsg_len) < 0)
		bench_die("send");
	features = read_dump(ethtool);
	printf("%ld links, %ld feature sets\n", links, features);
	return 0;
}
