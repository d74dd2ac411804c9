/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sends with UDP_SEGMENT that are refused, and whether their senders segment again afterwards. Included by fallback.bpf.c.
 *
 * Up to Linux 6.10 udp_send_skb() and udp_v6_send_skb() return EIO for a packet of UDP_SEGMENT whose checksum the device does not compute
 * (ip_summed, set by __ip_append_data() and __ip6_append_data()), and drop it. No function runs there only, so drops are observed: skb:kfree_skb
 * has the place in the code that dropped the packet. User space finds the place by a send that every kernel refuses there. What is not
 * dropped costs nothing. */
#ifndef OFFLOADD_BPF_UDP_H
#define OFFLOADD_BPF_UDP_H

#include "kernel.h"

/* Datagrams of one socket and length are counted as one packet's segments if they follow each other within this time; acknowledgements
 * and other small ones are not. */
#define UDP_BURST_NS 1000000
#define UDP_SEGMENT_LEN 256

const volatile __u64 feature_udp_segmentation;

__u64 udp_refusal[2];  /* the places for IPv4 and IPv6; 0: unknown */
__u32 udp_trial_port;  /* of the socket that user space finds them with, which is of UDP-Lite; 0: none */
__u64 udp_trial_place; /* where its last packet was dropped */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct udp_sender_key);
	__type(value, struct udp_sender);
} udp_senders SEC(".maps");

/* The last datagram on this CPU. */
struct udp_last {
	__u64 socket, time_ns;
	__u32 len, zero;
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct udp_last);
} udp_last SEC(".maps");

static __always_inline struct dst_entry *packet_route(bool direct, struct sk_buff *skb)
{
	return (void *)(GET(direct, skb, _skb_refdst) & ~1UL); /* SKB_DST_NOREF */
}

static __always_inline __u64 udp_checksum_features(bool ipv6)
{
	return feature_csum_generic | (ipv6 ? feature_csum_ipv6 : feature_csum_ipv4);
}

static __always_inline struct udp_sender_key udp_sender_key(struct net_device *dev)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return (struct udp_sender_key){ .start_ns = BPF_CORE_READ(task, group_leader, start_boottime),
		.tgid = bpf_get_current_pid_tgid() >> 32, .netns = device_netns(false, dev), .ifindex = GET(false, dev, ifindex) };
}

/* Refused for its checksum, and not because of IPsec, or of extension headers that checksum offload does not cover? In the latter case the
 * header does not name UDP as the next one. */
static __always_inline bool udp_lacks_checksum(struct sk_buff *skb, struct dst_entry *dst, bool ipv6)
{
	unsigned char *header = skb->head + skb->network_header;
	__u8 next = 0;

	if (BPF_CORE_READ_BITFIELD(skb, ip_summed) == CHECKSUM_PARTIAL || (bpf_core_field_exists(dst->xfrm) && GET(false, dst, xfrm)))
		return false;
	return !ipv6 || (bpf_probe_read_kernel(&next, sizeof(next), header + 6) == 0 && next == IPPROTO_UDP);
}

/* Stores the process of a refused send, in its context. False if the map is full. */
static __always_inline bool udp_remember(struct net_device *dev, __u64 cgroup)
{
	struct udp_sender_key key = udp_sender_key(dev);
	struct udp_sender *sender = bpf_map_lookup_elem(&udp_senders, &key), first = { .cgroup = cgroup };

	if (!sender) {
		bpf_get_current_comm(first.comm, sizeof(first.comm));
		bpf_map_update_elem(&udp_senders, &key, &first, BPF_NOEXIST);
		sender = bpf_map_lookup_elem(&udp_senders, &key);
		if (!sender)
			return false;
	}
	__sync_fetch_and_add(&sender->refused, 1);
	sender->segmented = sender->single = sender->single_first_ns = sender->single_last_ns = 0;
	return true;
}

/* Does this datagram continue a burst that could have been one packet? */
static __always_inline bool udp_continues(struct sock *sk, __u32 len, __u64 now)
{
	struct udp_last *last, before;
	__u32 first = 0;

	last = bpf_map_lookup_elem(&udp_last, &first);
	if (!last)
		return false;
	before = *last;
	*last = (struct udp_last){ .socket = (__u64)sk, .time_ns = now, .len = len };
	return len >= UDP_SEGMENT_LEN && before.socket == (__u64)sk && before.len == len && now - before.time_ns < UDP_BURST_NS;
}

/* ip_send_skb(), ip6_send_skb(): a complete UDP packet, in the context of its sender. These programs are attached again and again, which
 * fentry allows from Linux 5.13 on; kprobes need CAP_SYS_ADMIN where perf_event_paranoid is above 2, as on Debian. */
static __always_inline int udp_watch(struct sk_buff *skb, bool ipv6)
{
	struct sock *sk = GET(false, skb, sk);
	struct skb_shared_info *info;
	struct udp_sender_key key;
	struct udp_sender *sender;
	struct dst_entry *dst;
	struct net_device *dev;
	__u64 now;

	if (!sk || !socket_is(false, sk, IPPROTO_UDP))
		return 0;
	dst = packet_route(false, skb);
	dev = dst ? GET(false, dst, dev) : NULL;
	if (!dev)
		return 0;
	key = udp_sender_key(dev);
	sender = bpf_map_lookup_elem(&udp_senders, &key);
	if (!sender || !(GET(false, dev, features) & udp_checksum_features(ipv6)))
		return 0;
	info = (void *)(GET(false, skb, head) + GET(false, skb, end));
	if (gso_features(GET(false, info, gso_type)) & feature_udp_segmentation) {
		__sync_fetch_and_add(&sender->segmented, 1);
		return 0;
	}
	now = bpf_ktime_get_ns();
	if (!udp_continues(sk, GET(false, skb, len), now))
		return 0;
	if (!sender->single_first_ns)
		sender->single_first_ns = now;
	sender->single_last_ns = now;
	__sync_fetch_and_add(&sender->single, 1);
	return 0;
}

SEC("fentry/ip_send_skb")
int BPF_PROG(udp_ipv4_fentry, struct net *net, struct sk_buff *skb)
{
	return udp_watch(skb, false);
}

SEC("kprobe/ip_send_skb")
int BPF_KPROBE(udp_ipv4_kprobe, struct net *net, struct sk_buff *skb)
{
	return udp_watch(skb, false);
}

SEC("fentry/ip6_send_skb")
int BPF_PROG(udp_ipv6_fentry, struct sk_buff *skb)
{
	return udp_watch(skb, true);
}

SEC("kprobe/ip6_send_skb")
int BPF_KPROBE(udp_ipv6_kprobe, struct sk_buff *skb)
{
	return udp_watch(skb, true);
}

#endif
