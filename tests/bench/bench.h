/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the bench programs share: ethtool's generic netlink family by libmnl, and giving up with a message. */
#ifndef OFFLOADD_BENCH_H
#define OFFLOADD_BENCH_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libmnl/libmnl.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>

#define BENCH_BUFFER 65536

static inline void bench_die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static inline struct mnl_socket *bench_socket(int bus)
{
	struct mnl_socket *s = mnl_socket_open(bus);

	if (!s || mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0)
		bench_die("netlink");
	return s;
}

static inline double bench_now_usec(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

struct bench_family {
	int id, monitor_group;
};

static inline int bench_family_attr(const struct nlattr *attr, void *userdata)
{
	struct bench_family *family = userdata;
	const struct nlattr *group, *field;

	if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
		family->id = mnl_attr_get_u16(attr);
	if (mnl_attr_get_type(attr) != CTRL_ATTR_MCAST_GROUPS)
		return MNL_CB_OK;
	mnl_attr_for_each_nested(group, attr) {
		const char *name = "";
		int id = 0;

		mnl_attr_for_each_nested(field, group) {
			if (mnl_attr_get_type(field) == CTRL_ATTR_MCAST_GRP_NAME)
				name = mnl_attr_get_str(field);
			if (mnl_attr_get_type(field) == CTRL_ATTR_MCAST_GRP_ID)
				id = (int)mnl_attr_get_u32(field);
		}
		if (strcmp(name, ETHTOOL_MCGRP_MONITOR_NAME) == 0)
			family->monitor_group = id;
	}
	return MNL_CB_OK;
}

static inline int bench_family_message(const struct nlmsghdr *nlh, void *userdata)
{
	mnl_attr_parse(nlh, sizeof(struct genlmsghdr), bench_family_attr, userdata);
	return MNL_CB_OK;
}

/* A request of ethtool's family (or of the controller's) in buf, without attributes. */
static inline struct nlmsghdr *bench_request(char *buf, int type, int command, int flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));

	nlh->nlmsg_type = (uint16_t)type;
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	genl->cmd = (uint8_t)command;
	genl->version = 1;
	return nlh;
}

static inline struct bench_family bench_ethtool_family(struct mnl_socket *s)
{
	struct bench_family family = { 0 };
	char buf[BENCH_BUFFER];
	struct nlmsghdr *nlh = bench_request(buf, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
	ssize_t n;

	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, ETHTOOL_GENL_NAME);
	if (mnl_socket_sendto(s, nlh, nlh->nlmsg_len) < 0)
		bench_die("send");
	n = mnl_socket_recvfrom(s, buf, sizeof(buf));
	if (n < 0 || mnl_cb_run(buf, (size_t)n, 0, 0, bench_family_message, &family) < 0 || !family.id)
		bench_die("no ethtool netlink");
	return family;
}

#endif
