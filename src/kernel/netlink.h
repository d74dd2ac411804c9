/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets, requests, dumps and events for rtnl.c and ethtool_nl.c, over libmnl; nobody else includes this. */
#ifndef OFFLOADD_NETLINK_H
#define OFFLOADD_NETLINK_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NETLINK_RCVBUF_BYTES (16u << 20) /* of a monitor, when no other is asked for */
#define NETLINK_DATAGRAM (64u << 10)	 /* netlink_dump() of the kernel fills at most 32 KB at a time */
#define NETLINK_BATCH 8			 /* datagrams that one system call reads */

struct netlink {
	struct mnl_socket *requests; /* NULL without one */
	struct mnl_socket *monitor;  /* NULL without one */
	uint32_t seq;
	char buffer[NETLINK_BATCH * NETLINK_DATAGRAM] __attribute__((aligned(MNL_ALIGNTO)));
};

/* A message of the kernel's. 0 to go on, negative errno to stop. */
typedef int (*netlink_fn)(const struct nlmsghdr *nlh, void *userdata);

/* One request and its replies. */
struct netlink_exchange {
	netlink_fn fn;
	void *userdata;
	size_t header; /* bytes that each reply has at least */
	char *text;    /* text_len bytes for the words of an extended acknowledgement, NULL: not wanted */
	size_t text_len;
	bool disturbed; /* NLM_F_DUMP_INTR */
};

/* Open a socket of the protocol; 0, negative errno. rcvbuf_bytes: forced when privileged, 0 for the default. */
int netlink_open_requests(struct netlink *nl, int protocol);
int netlink_open_monitor(struct netlink *nl, int protocol, size_t rcvbuf_bytes);
void netlink_close_requests(struct netlink *nl);
void netlink_close(struct netlink *nl);

/* Joins or leaves a multicast group. 0, negative errno. */
int netlink_join(struct netlink *nl, unsigned group, bool join);
/* -EOPNOTSUPP without a monitor. */
int netlink_monitor_fd(const struct netlink *nl);

/* Begins a request in the buffer, with a header of zeros after netlink's own. */
struct nlmsghdr *netlink_new(struct netlink *nl, uint16_t type, uint16_t flags, size_t header_len);

/* Sends the request, and calls x->fn for each reply. 0; the errno that the kernel answered, or that fn returned;
 * -ETIMEDOUT, -EBADMSG. */
int netlink_exchange(struct netlink *nl, const struct nlmsghdr *request, struct netlink_exchange *x);

/* The same for a dump, which request() begins; one that was disturbed by a change is repeated up to 8 times. 1: it still
 * was. */
int netlink_dump(struct netlink *nl, struct nlmsghdr *(*request)(struct netlink *nl, void *userdata),
	struct netlink_exchange *x);

/* Calls fn for every message that waits in the monitor, without blocking. 0, negative errno; -ENOBUFS when some were
 * dropped or did not fit: what came after the gap is not given to fn. */
int netlink_monitor_read(struct netlink *nl, netlink_fn fn, void *userdata);

/* ---- attributes ----
 * Inlined where libmnl would call back for each of the thirty that tell the features of one link: decoding is most of
 * what a dump costs us. Who reads an attribute checks its length. */

static inline const void *netlink_data(const struct nlattr *attr)
{
	return (const char *)attr + MNL_ATTR_HDRLEN;
}

static inline size_t netlink_size(const struct nlattr *attr)
{
	return attr->nla_len - MNL_ATTR_HDRLEN;
}

/* Sorts attributes by type; what does not fit, or has a type above max, is skipped. */
static inline void netlink_collect(const void *payload, size_t len, const struct nlattr **tb, unsigned max)
{
	while (len >= sizeof(struct nlattr)) {
		const struct nlattr *attr = payload;
		size_t size = MNL_ALIGN(attr->nla_len);
		unsigned type = attr->nla_type & NLA_TYPE_MASK;

		if (attr->nla_len < sizeof(*attr) || attr->nla_len > len)
			return;
		if (type <= max)
			tb[type] = attr;
		if (size >= len)
			return;
		payload = (const char *)payload + size;
		len -= size;
	}
}

static inline void netlink_collect_nested(const struct nlattr *nest, const struct nlattr **tb, unsigned max)
{
	netlink_collect(netlink_data(nest), netlink_size(nest), tb, max);
}

/* Of a message whose header of header_len bytes is there. */
static inline void netlink_collect_message(
	const struct nlmsghdr *nlh, size_t header_len, const struct nlattr **tb, unsigned max)
{
	netlink_collect(mnl_nlmsg_get_payload_offset(nlh, header_len),
		mnl_nlmsg_get_payload_len(nlh) - MNL_ALIGN(header_len), tb, max);
}

/* 0 without the attribute or with one that is too short. */
static inline uint32_t netlink_u32(const struct nlattr *attr)
{
	return attr && netlink_size(attr) >= sizeof(uint32_t) ? *(const uint32_t *)netlink_data(attr) : 0;
}

static inline uint16_t netlink_u16(const struct nlattr *attr)
{
	return attr && netlink_size(attr) >= sizeof(uint16_t) ? *(const uint16_t *)netlink_data(attr) : 0;
}

#endif
