/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads netlink sockets, for rtnl.c and ethtool_nl.c, which use different libraries. */
#ifndef OFFLOADD_NETLINK_H
#define OFFLOADD_NETLINK_H

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

#define NETLINK_BUFFER_BYTES (64u << 10) /* netlink_dump() fills at most 32 KB at a time */

/* Puts attributes into an array by type. Types above max are ignored, and so is everything from a malformed
 * attribute on. The caller checks the length of each attribute that it reads. Inlined and without type
 * checks, because parsing is most of the cost of a dump, and the libraries would call a function for each
 * attribute. */
static inline void netlink_collect(
	const void *payload, size_t len, const struct nlattr **tb, unsigned max)
{
	while (len >= sizeof(struct nlattr)) {
		const struct nlattr *attr = payload;
		size_t size = NLA_ALIGN(attr->nla_len);
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

static inline const void *netlink_data(const struct nlattr *attr)
{
	return (const char *)attr + NLA_HDRLEN;
}

static inline size_t netlink_size(const struct nlattr *attr)
{
	return attr->nla_len - NLA_HDRLEN;
}

static inline void netlink_collect_nested(
	const struct nlattr *nest, const struct nlattr **tb, unsigned max)
{
	netlink_collect(netlink_data(nest), netlink_size(nest), tb, max);
}

/* 0 if the attribute is missing or too short. */
static inline uint32_t netlink_u32(const struct nlattr *attr)
{
	return attr && netlink_size(attr) >= sizeof(uint32_t) ? *(const uint32_t *)netlink_data(attr) : 0;
}

/* Sets the timeout of netlink_receive() to 10 s: the kernel replies within sendto(), but a lost reply must
 * not block us. 0, negative errno. */
int netlink_set_timeout(int fd);
/* Sets the receive buffer, 0: 16 MiB; above the system limit only with CAP_NET_ADMIN. 0, negative errno. */
int netlink_set_rcvbuf(int fd, size_t bytes);

/* Receives one datagram into size bytes. Returns its length, or 0 if it is not from the kernel, because any
 * process may send one. -EMSGSIZE: it was truncated; -EAGAIN: none is pending, or SO_RCVTIMEO passed;
 * -ENOBUFS: the kernel dropped some (netlink_overrun()); other negative errno. */
int netlink_receive(int fd, void *buffer, size_t size);

#define NETLINK_BATCH 8 /* datagrams per system call */

/* Reads all pending datagrams without blocking, and calls take() for each one from the kernel. buffer has
 * NETLINK_BATCH * size bytes, size for each datagram. 0; -ENOBUFS: some were dropped or truncated, and those
 * after them are discarded; other negative errno. */
int netlink_drain(int fd, char *buffer, size_t size,
	void (*take)(void *datagram, int len, void *userdata), void *userdata);

#endif
