/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Open vSwitch datapaths and their ports, by generic netlink: as much as a test needs. */
#ifndef OFFLOADD_TESTS_OPENVSWITCH_H
#define OFFLOADD_TESTS_OPENVSWITCH_H

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/openvswitch.h>
#include <net/if.h>
#include <string.h>

struct ovs_request {
	char buffer[1024];
	struct nlmsghdr *nlh;
};

static inline void ovs_begin(struct ovs_request *r, uint16_t family, uint8_t command)
{
	struct genlmsghdr *genl;

	r->nlh = mnl_nlmsg_put_header(r->buffer);
	r->nlh->nlmsg_type = family;
	r->nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	genl = mnl_nlmsg_put_extra_header(r->nlh, sizeof(*genl));
	genl->cmd = command;
	genl->version = 1;
}

static inline int ovs_family_attr(const struct nlattr *attr, void *userdata)
{
	if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
		*(uint16_t *)userdata = mnl_attr_get_u16(attr);
	return MNL_CB_OK;
}

static inline int ovs_family_reply(const struct nlmsghdr *nlh, void *userdata)
{
	return mnl_attr_parse(nlh, sizeof(struct genlmsghdr), ovs_family_attr, userdata);
}

/* 0, negative errno. */
static inline int ovs_talk(struct ovs_request *r, mnl_cb_t reply, void *userdata)
{
	struct mnl_socket *nl = mnl_socket_open(NETLINK_GENERIC);
	char buffer[8192];
	ssize_t n;
	int result = 1;

	if (!nl)
		return -errno;
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 || mnl_socket_sendto(nl, r->nlh, r->nlh->nlmsg_len) < 0)
		result = -1;
	while (result > 0) {
		n = mnl_socket_recvfrom(nl, buffer, sizeof(buffer));
		result = n < 0 ? -1 : mnl_cb_run(buffer, (size_t)n, 0, mnl_socket_get_portid(nl), reply, userdata);
	}
	n = errno;
	mnl_socket_close(nl);
	return result < 0 ? -(int)n : 0;
}

/* 0 without the module. */
static inline uint16_t ovs_family(const char *name)
{
	struct ovs_request r;
	uint16_t family = 0;

	ovs_begin(&r, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	mnl_attr_put_strz(r.nlh, CTRL_ATTR_FAMILY_NAME, name);
	return ovs_talk(&r, ovs_family_reply, &family) < 0 ? 0 : family;
}

static inline int ovs_datapath(const char *name, uint8_t command)
{
	uint16_t family = ovs_family(OVS_DATAPATH_FAMILY);
	struct ovs_request r;
	struct ovs_header *header;

	if (!family)
		return -EOPNOTSUPP;
	ovs_begin(&r, family, command);
	header = mnl_nlmsg_put_extra_header(r.nlh, sizeof(*header));
	header->dp_ifindex = 0;
	mnl_attr_put_strz(r.nlh, OVS_DP_ATTR_NAME, name);
	if (command == OVS_DP_CMD_NEW)
		mnl_attr_put_u32(r.nlh, OVS_DP_ATTR_UPCALL_PID, 0);
	return ovs_talk(&r, NULL, NULL);
}

/* type: OVS_VPORT_TYPE_NETDEV or OVS_VPORT_TYPE_INTERNAL. */
static inline int ovs_port(const char *datapath, const char *name, uint32_t type)
{
	uint16_t family = ovs_family(OVS_VPORT_FAMILY);
	struct ovs_request r;
	struct ovs_header *header;

	if (!family)
		return -EOPNOTSUPP;
	ovs_begin(&r, family, OVS_VPORT_CMD_NEW);
	header = mnl_nlmsg_put_extra_header(r.nlh, sizeof(*header));
	header->dp_ifindex = (int)if_nametoindex(datapath);
	mnl_attr_put_u32(r.nlh, OVS_VPORT_ATTR_TYPE, type);
	mnl_attr_put_strz(r.nlh, OVS_VPORT_ATTR_NAME, name);
	mnl_attr_put_u32(r.nlh, OVS_VPORT_ATTR_UPCALL_PID, 0);
	return ovs_talk(&r, NULL, NULL);
}

#endif
