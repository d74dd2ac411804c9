/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel structures that the programs read, with only the members that they use: CO-RE relocates them for the running
 * kernel. GET reads a member directly if the verifier knows the type of the pointer (fentry), otherwise by
 * bpf_probe_read_kernel(). */
#ifndef OFFLOADD_BPF_KERNEL_H
#define OFFLOADD_BPF_KERNEL_H

#include <stdbool.h>

#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <linux/types.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "event.h"

#define AF_INET 2
#define AF_INET6 10
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_UDPLITE 136
#define IPPROTO_MPTCP 262
#define TCP_TIME_WAIT 6
#define TCP_CLOSE 7
#define TCP_LISTEN 10
#define TCP_NEW_SYN_RECV 12
#define CHECKSUM_PARTIAL 3
#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86DD
#define ETH_P_8021Q 0x8100
#define ETH_P_8021AD 0x88A8
#define ETH_P_MPLS_UC 0x8847
#define ETH_P_MPLS_MC 0x8848
#define CHECKSUM_NONE 0
#define PF_KTHREAD 0x00200000
#define TASK_INTERRUPTIBLE 1
#define S_IFMT 0170000
#define S_IFSOCK 0140000

#define GET(direct, p, member)                                                                     \
	({                                                                                         \
		typeof((p)->member) value_;                                                        \
		if (direct)                                                                        \
			value_ = (p)->member;                                                      \
		else                                                                               \
			bpf_core_read(&value_, sizeof(value_), &(p)->member);                      \
		value_;                                                                            \
	})

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

typedef struct {
	int counter;
} atomic_t;

struct netns_ipv4 {
	atomic_t rt_genid;
};

struct net {
	struct ns_common ns;
	struct netns_ipv4 ipv4;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct net_device_ops {
	void *ndo_features_check;
};

struct rtnl_link_ops {
	const char *kind;
};

struct Qdisc_ops {
	char id[16];
};

struct Qdisc {
	void *enqueue; /* NULL: noqueue */
	struct Qdisc_ops *ops;
};

struct netdev_queue {
	struct Qdisc *qdisc;
};

struct net_device {
	__u64 features, hw_features, vlan_features, hw_enc_features, mpls_features, gso_partial_features;
	unsigned int gso_max_size, gso_ipv4_max_size;
	__u16 gso_max_segs;
	struct net_device_ops *netdev_ops;
	struct rtnl_link_ops *rtnl_link_ops;
	struct netdev_queue *_tx;
	unsigned int num_tx_queues, mtu;
	int ifindex;
	possible_net_t nd_net;
};

struct dst_ops {
	unsigned short family;
};

#define DST_OBSOLETE_FORCE_CHK -1

struct xfrm_state;

struct dst_entry {
	struct net_device *dev;
	struct xfrm_state *xfrm;
	struct dst_ops *ops;
	short obsolete;
};

struct rtable {
	struct dst_entry dst;
	int rt_genid;
};

struct kernfs_node {
	struct kernfs_node *__parent;
	const char *name;
	__u64 id;
};

struct kernfs_node___6_14 { /* up to 6.14 */
	struct kernfs_node *parent;
};

struct kernfs_node___5_4 { /* up to 5.4; CO-RE does not take one for the other */
	union {
		__u64 id;
	} id;
};

struct cgroup {
	struct kernfs_node *kn;
};

struct sock_cgroup_data {
	struct cgroup *cgroup;
};

struct sock_cgroup_data___5_14 { /* up to 5.14: a pointer, or data of cgroup v1 if one of the two low bits is set */
	__u64 val;
};

struct in6_addr {
	union {
		__u8 u6_addr8[16];
	} in6_u;
};

struct sock;

struct sock_common {
	__be32 skc_daddr, skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	unsigned char skc_state;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
	struct sock *skc_listener;
	possible_net_t skc_net;
};

struct inode {
	unsigned short i_mode;
	unsigned long i_ino;
};

struct file {
	struct inode *f_inode;
	void *private_data;
};

struct socket {
	struct sock *sk;
	struct file *file;
};

struct sock {
	struct sock_common __sk_common;
	struct dst_entry *sk_dst_cache;
	struct socket *sk_socket;
	void *sk_user_data;
	__u64 sk_route_caps;
	long sk_rcvtimeo;
	__u32 sk_gso_type;
	__u32 sk_gso_max_size;
	__u16 sk_protocol;
	__u8 sk_kern_sock : 1;
	struct sock_cgroup_data sk_cgrp_data;
};

struct sock___5_5 { /* up to 5.5: a bit field */
	unsigned int sk_protocol : 8;
};

struct sock___5_14 {
	struct sock_cgroup_data___5_14 sk_cgrp_data;
};

struct tcp_sock {
	bool is_mptcp;
};

struct skb_shared_info {
	unsigned int gso_type;
	unsigned short gso_size, gso_segs;
	struct sk_buff *frag_list;
};

struct sk_buff {
	struct sk_buff *prev;
	struct net_device *dev;
	struct sock *sk;
	unsigned long _skb_refdst;
	unsigned int len;
	__u8 ip_summed : 2;
	__u8 encapsulation : 1;
	__u32 vlan_all;
	int skb_iif;
	__be16 protocol;
	__u16 queue_mapping, csum_offset, network_header, transport_header, inner_transport_header;
	unsigned int end;
	unsigned char *head, *data;
};

struct sk_buff___6_1 { /* up to 6.1 */
	__u8 vlan_present : 1;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct task_struct {
	struct css_set *cgroups;
	unsigned int flags;
	struct task_struct *real_parent, *group_leader;
	int pid, tgid;
	__u64 start_boottime;
	unsigned int __state;
	unsigned in_iowait : 1;
	char comm[EVENT_COMM_LEN];
	struct files_struct *files;
};

struct task_struct___5_13 { /* up to 5.13 */
	long state;
};

#pragma clang attribute pop

/* Feature bits of the running kernel, set before the program is loaded. */
const volatile __u64 feature_sg, feature_csum_generic, feature_csum_ipv4, feature_csum_ipv6;
/* The feature bits that correspond to gso_type of a packet (except SKB_GSO_DODGY, which only requests a check), and the first
 * bit number. */
const volatile __u64 feature_gso;
const volatile __u64 feature_gso_partial, feature_fraglist, feature_esp;
const volatile __u32 feature_gso_shift;

#define FEATURE_CSUM_ANY (feature_csum_generic | feature_csum_ipv4 | feature_csum_ipv6)

/* From 6.18 on gso_type has one bit each for a fixed IP id in the outer and the inner header. As in net_gso_ok(), both need the
 * feature of SKB_GSO_TCP_FIXEDID_FEATURE, the single bit of older kernels, which do not set the two bits. */
#define SKB_GSO_TCP_FIXEDID_BOTH (3U << 30)
#define SKB_GSO_TCP_FIXEDID_FEATURE (1U << 3)
#define SKB_GSO_TCPV6 (1U << 4)

static __always_inline __u64 gso_features(__u32 gso_type)
{
	if (gso_type & SKB_GSO_TCP_FIXEDID_BOTH)
		gso_type |= SKB_GSO_TCP_FIXEDID_FEATURE;
	return ((__u64)gso_type << feature_gso_shift) & feature_gso;
}

static __always_inline __u32 device_netns(bool direct, struct net_device *dev)
{
	struct net *net = GET(direct, dev, nd_net.net);

	return GET(direct, net, ns.inum);
}

static __always_inline __u64 kernfs_id(bool direct, struct kernfs_node *node)
{
	struct kernfs_node___5_4 *old = (void *)node;

	return bpf_core_field_exists(node->id) ? GET(direct, node, id) : BPF_CORE_READ(old, id.id);
}

static __always_inline __u64 cgroup_id(bool direct, struct cgroup *cgroup)
{
	return kernfs_id(direct, GET(direct, cgroup, kn));
}

/* The cgroup of a full socket before Linux 5.15; NULL if the kernel has none. */
static __always_inline struct cgroup *socket_cgroup_5_14(bool direct, struct sock *sk)
{
	struct sock___5_14 *old = (void *)sk;
	__u64 val = 0;

	if (bpf_core_field_exists(old->sk_cgrp_data.val))
		val = GET(direct, old, sk_cgrp_data.val);
	return val & 3 ? NULL : (struct cgroup *)val;
}

/* The cgroup id of a full socket; 0 if the kernel has none. */
static __always_inline __u64 socket_cgroup(bool direct, struct sock *sk)
{
	struct cgroup *cgroup;

	if (bpf_core_field_exists(sk->sk_cgrp_data.cgroup)) {
		cgroup = GET(direct, sk, sk_cgrp_data.cgroup);
		return cgroup ? cgroup_id(direct, cgroup) : 0;
	}
	cgroup = socket_cgroup_5_14(direct, sk);
	return cgroup ? cgroup_id(false, cgroup) : 0;
}

/* The inode number of its file; 0 if no process holds it. */
static __always_inline __u32 socket_inode(struct sock *sk)
{
	struct socket *sock = GET(false, sk, sk_socket);

	return sock ? BPF_CORE_READ(sock, file, f_inode, i_ino) : 0;
}

static __always_inline bool current_is_kernel_thread(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return GET(false, task, flags) & PF_KTHREAD;
}

/* The cgroup id of the process that sends by this socket right now. A socket has that of its creator, or of the creator of its listener
 * (cgroup_sk_clone()), which may be another service. Kernel threads send for others. */
static __always_inline __u64 sender_cgroup(bool direct, struct sock *sk)
{
	return current_is_kernel_thread() ? socket_cgroup(direct, sk) : bpf_get_current_cgroup_id();
}

static __always_inline bool socket_is(bool direct, struct sock *sk, __u16 protocol)
{
	struct sock___5_5 *old = (void *)sk;
	unsigned short family = GET(direct, sk, __sk_common.skc_family);

	if (family != AF_INET && family != AF_INET6)
		return false;
	if (bpf_core_field_size(sk->sk_protocol) == 2)
		return GET(direct, sk, sk_protocol) == protocol;
	return BPF_CORE_READ_BITFIELD_PROBED(old, sk_protocol) == protocol;
}

static __always_inline bool socket_is_tcp(bool direct, struct sock *sk)
{
	return socket_is(direct, sk, IPPROTO_TCP);
}

/* Is it a subflow of an MPTCP socket? The kernel creates them. */
static __always_inline bool socket_is_subflow(struct sock *sk)
{
	struct tcp_sock *tcp = (void *)sk;

	return bpf_core_field_exists(tcp->is_mptcp) && socket_is_tcp(false, sk) && GET(false, tcp, is_mptcp);
}

/* A socket of the kernel itself: NFS, iSCSI, resets and other replies without a connection. The kernel also creates subflows of MPTCP,
 * and those that mptcp_stream_accept() returns as plain TCP sockets: these have a file, and sk_user_data is not set. */
static __always_inline bool socket_is_kernel(struct sock *sk)
{
	if (!bpf_core_field_exists(sk->sk_kern_sock) || !BPF_CORE_READ_BITFIELD_PROBED(sk, sk_kern_sock))
		return false;
	return !socket_is_subflow(sk) && (GET(false, sk, sk_user_data) || !socket_inode(sk));
}

/* The gso_type of the packets of a socket. */
static __always_inline __u32 socket_gso_type(struct sock *sk)
{
	__u32 type = 0;
	__u16 half = 0;

	if (bpf_core_field_size(sk->sk_gso_type) == 4) {
		bpf_core_read(&type, sizeof(type), &sk->sk_gso_type);
		return type;
	}
	bpf_core_read(&half, sizeof(half), &sk->sk_gso_type); /* from 6.18 on */
	return half;
}

/* Is it a socket of check-path? It is recognized by its SO_RCVTIMEO, in jiffies for the usual values of CONFIG_HZ. */
static __always_inline bool socket_is_own(bool direct, struct sock *sk)
{
	long timeout = GET(direct, sk, sk_rcvtimeo);

	return timeout == OWN_RECEIVE_TIMEOUT_SEC * 100 || timeout == OWN_RECEIVE_TIMEOUT_SEC * 250 ||
	       timeout == OWN_RECEIVE_TIMEOUT_SEC * 300 || timeout == OWN_RECEIVE_TIMEOUT_SEC * 1000;
}

/* The device of the route of a socket; NULL without a route. */
static __always_inline struct net_device *socket_device(bool direct, struct sock *sk)
{
	struct dst_entry *dst = GET(direct, sk, sk_dst_cache);

	return dst ? GET(direct, dst, dev) : NULL;
}

#endif
