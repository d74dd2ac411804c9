/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/child.h"
#include "basic/util.h"
#include "kernel/ethtool.h"

#define VETH "trial"
#define TRIAL_USEC (5 * USEC_PER_SEC)

bool trial_has_backports(const char *release)
{
	/* RHEL and what is made from it, Oracle's UEK, Amazon Linux, SUSE */
	static const char *const signs[] = { ".el", ".amzn", "-default" };

	for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
		if (strstr(release, signs[i]))
			return true;
	return false;
}

struct request {
	struct nlmsghdr nlh;
	struct ifinfomsg ifi;
	char attributes[128];
};

static struct rtattr *put(struct request *r, unsigned short type, const void *data, size_t len)
{
	struct rtattr *attr = (struct rtattr *)((char *)r + NLMSG_ALIGN(r->nlh.nlmsg_len));

	attr->rta_type = type;
	attr->rta_len = (unsigned short)RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(attr), data, len);
	r->nlh.nlmsg_len = NLMSG_ALIGN(r->nlh.nlmsg_len) + (uint32_t)RTA_ALIGN(attr->rta_len);
	return attr;
}

static bool create_veth(void)
{
	struct request r = {
		.nlh = { .nlmsg_len = NLMSG_LENGTH(sizeof(r.ifi)), .nlmsg_type = RTM_NEWLINK,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK },
	};
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct rtattr *info;
	char reply[4096];

	put(&r, IFLA_IFNAME, VETH, sizeof(VETH));
	info = put(&r, IFLA_LINKINFO, NULL, 0);
	put(&r, IFLA_INFO_KIND, "veth", 4);
	info->rta_len = (unsigned short)((char *)&r + r.nlh.nlmsg_len - (char *)info);
	return fd >= 0 && send(fd, &r, r.nlh.nlmsg_len, 0) > 0 && recv(fd, reply, sizeof(reply), 0) > 0 &&
		if_nametoindex(VETH) > 0;
}

static bool enter_namespace(void)
{
	return unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
}

static enum rule_trial try_udp(void)
{
	struct ethtool_result result = { 0 };
	struct link_features before, after;
	feature_set udp, checksums;
	struct feature_table table;
	struct ethtool *e;
	int ifindex;

	if (!enter_namespace() || !create_veth() || ethtool_open(ETHTOOL_IOCTL, false, 0, &e) < 0 ||
		ethtool_features_strings(e, &table) < 0)
		return TRIAL_UNKNOWN;
	ifindex = (int)if_nametoindex(VETH);
	udp = feature_named(&table, "tx-udp-segmentation");
	checksums = feature_named(&table, "tx-checksum-ip-generic");
	if (ethtool_features_get(e, ifindex, VETH, &before) < 0 || !udp || !(before.active & udp) || !(before.hw & checksums) ||
		ethtool_features_set(e, ifindex, VETH, checksums, 0, &result) < 0 || result.error ||
		ethtool_features_get(e, ifindex, VETH, &after) < 0 || (after.active & checksums))
		return TRIAL_UNKNOWN;
	return after.active & udp ? TRIAL_NO : TRIAL_YES;
}

static int run(void *data)
{
	*(enum rule_trial *)data = try_udp();
	return 0;
}

void trial_run(struct rule_host *host)
{
	static enum rule_trial found;
	static bool done; /* the kernel does not change */

	if (!done && child_run(run, &found, sizeof(found), TRIAL_USEC) < 0)
		found = TRIAL_UNKNOWN;
	done = true;
	host->udp_needs_checksum = found;
}
