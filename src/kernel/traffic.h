/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel counts about traffic: bytes of TCP sockets and of links, addresses, and time in soft interrupts. All of the
 * network namespace of the calling thread. */
#ifndef OFFLOADD_TRAFFIC_H
#define OFFLOADD_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>

struct traffic_address {
	uint16_t family;  /* AF_INET or AF_INET6; a mapped address counts as AF_INET */
	uint8_t bytes[16]; /* network byte order; IPv4 in the first four */
};

struct traffic_socket {
	uint64_t cookie; /* never used again until the next boot */
	uint64_t bytes;	 /* payload sent and acknowledged, and received, since it was connected (tcp_get_info()) */
	uint64_t cgroup; /* of whoever created it or its listener (cgroup_sk_alloc()); 0: unknown, as before Linux 5.8 */
	struct traffic_address local, remote;
};

/* Starts zeroed. */
struct traffic_scan {
	int fd; /* 0: not open */
	bool open; /* a dump */
	unsigned next; /* the family to read next */
};

/* Calls fn for each connected TCP socket (inet_diag_dump_icsk()). 0; -EAGAIN: until_usec (CLOCK_MONOTONIC) is over, and the next call goes
 * on; other negative errno, -ENOENT or -EOPNOTSUPP: the kernel has no inet_diag. Unless it is -EAGAIN, the scan has ended. */
int traffic_read_sockets(struct traffic_scan *scan, uint64_t until_usec,
	void (*fn)(const struct traffic_socket *socket, void *userdata), void *userdata);

/* Calls fn for each address of a link (RTM_GETADDR), in the same way. */
int traffic_read_addresses(struct traffic_scan *scan, uint64_t until_usec,
	void (*fn)(int ifindex, const struct traffic_address *address, void *userdata), void *userdata);

/* The bytes that a link has received and sent (RTM_GETSTATS). The scan keeps a socket for the next link. 0, -ENODEV, other negative errno. */
int traffic_read_link(struct traffic_scan *scan, int ifindex, uint64_t *ret_bytes);

void traffic_end_scan(struct traffic_scan *scan);

/* The time of all CPUs in soft interrupts since boot, a multiple of 10 ms (/proc/stat). 0, negative errno. */
int traffic_read_softirq(uint64_t *ret_usec);

#endif
