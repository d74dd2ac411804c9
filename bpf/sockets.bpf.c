// SPDX-License-Identifier: GPL-2.0-or-later
/* One socket_entry for each stale TCP socket of this network namespace that is not the kernel's own, or for every one: its route caps, set
 * when it was routed (sk_setup_caps()), and the features that its device has now. */
#include "names.h"

bool all;	  /* include sockets that are not stale */
__u64 visited; /* full sockets visited; set to 0 before reading */
__u64 until_ns; /* CLOCK_MONOTONIC; then reading returns, and the next read goes on; 0: never */
__u32 turns;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	struct file *file;
};

struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
};
#pragma clang attribute pop

/* The clock is read only at every 64th call. A program that returns 1 is called again with the same object by the next read(2), for
 * which user space has set a later until_ns. */
static __always_inline bool time_is_up(void)
{
	return until_ns && ++turns % 64 == 0 && bpf_ktime_get_ns() > until_ns;
}

static __always_inline bool stale(__u64 caps, __u64 features)
{
	return (features & feature_sg && !(caps & feature_sg)) ||
	       (features & FEATURE_CSUM_ANY && !(caps & FEATURE_CSUM_ANY));
}

/* ipv4_dst_check(): whether the next packet gets a new route. It does unless `obsolete` is DST_OBSOLETE_FORCE_CHK, which every IPv4
 * route has at first. IPv6 decides by data that is not read here. */
static __always_inline bool expired(struct sock *sk)
{
	struct dst_entry *dst = BPF_CORE_READ(sk, sk_dst_cache);
	struct rtable *route = (struct rtable *)dst;

	if (!dst || BPF_CORE_READ(dst, ops, family) != AF_INET)
		return false;
	return BPF_CORE_READ(dst, obsolete) != DST_OBSOLETE_FORCE_CHK ||
	       BPF_CORE_READ(route, rt_genid) != BPF_CORE_READ(sk, __sk_common.skc_net.net, ipv4.rt_genid.counter);
}

static __always_inline void read_addresses(struct sock *sk, struct socket_entry *r)
{
	r->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	r->local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
	r->remote_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (r->family == AF_INET) {
		bpf_core_read(r->local, 4, &sk->__sk_common.skc_rcv_saddr);
		bpf_core_read(r->remote, 4, &sk->__sk_common.skc_daddr);
	} else if (bpf_core_field_exists(sk->__sk_common.skc_v6_daddr)) {
		bpf_core_read(r->local, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_core_read(r->remote, 16, &sk->__sk_common.skc_v6_daddr);
	}
}

SEC("iter/tcp")
int sockets(struct bpf_iter__tcp *ctx)
{
	struct sock *sk = (struct sock *)ctx->sk_common;
	struct socket_entry r = {};
	struct net_device *dev;
	struct socket *sock;
	unsigned char state;

	if (!sk)
		return 0;
	if (time_is_up())
		return 1;
	state = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (state == TCP_TIME_WAIT || state == TCP_NEW_SYN_RECV || state == TCP_LISTEN ||
		state == TCP_CLOSE)
		return 0;
	dev = socket_device(false, sk);
	r.route_caps = BPF_CORE_READ(sk, sk_route_caps);
	r.device_features = dev ? BPF_CORE_READ(dev, features) : 0;
	r.expired = expired(sk);
	if (!all && (r.expired || !stale(r.route_caps, r.device_features) || socket_is_kernel(sk))) {
		visited++;
		return 0;
	}
	r.header.version = EVENT_VERSION;
	r.header.type = EVENT_TYPE_SOCKET;
	r.header.size = sizeof(r);
	r.ifindex = dev ? BPF_CORE_READ(dev, ifindex) : 0;
	r.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	r.gso_max_size = BPF_CORE_READ(sk, sk_gso_max_size);
	r.state = state;
	r.cgroup = socket_cgroup(false, sk);
	sock = BPF_CORE_READ(sk, sk_socket);
	r.inode = sock ? BPF_CORE_READ(sock, file, f_inode, i_ino) : 0;
	read_addresses(sk, &r);
	note_cgroup_id(r.cgroup, sk);
	/* a socket that does not fit is visited again by the next read (bpf_seq_read()) */
	if (bpf_seq_write(ctx->meta->seq, &r, sizeof(r)) == 0)
		visited++;
	return 0;
}

/* Needs no privilege over the processes, unlike /proc/PID/fd. */
SEC("iter/task_file")
int holders(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct holder_entry r = {};
	struct socket *sock;
	struct sock *sk;

	if (task && file && time_is_up())
		return 1;
	if (!task || !file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	sock = BPF_CORE_READ(file, private_data);
	sk = sock ? BPF_CORE_READ(sock, sk) : NULL;
	/* a process holds the MPTCP socket, and that file is the one of its subflows */
	if (!sk || !(socket_is_tcp(false, sk) || socket_is(false, sk, IPPROTO_MPTCP)))
		return 0;
	r.header.version = EVENT_VERSION;
	r.header.type = EVENT_TYPE_HOLDER;
	r.header.size = sizeof(r);
	r.socket_cgroup = socket_cgroup(false, sk);
	r.cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	r.inode = BPF_CORE_READ(file, f_inode, i_ino);
	r.tgid = BPF_CORE_READ(task, tgid);
	r.listening = BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_LISTEN;
	note_cgroup(BPF_CORE_READ(task, cgroups, dfl_cgrp));
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
