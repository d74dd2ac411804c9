// SPDX-License-Identifier: GPL-2.0-or-later
/* What one probe hit costs. Runs the product's own code on packets that this kernel is about to pass to a
 * device. The tracepoint net_dev_queue exists wherever BTF does and gets the same skb as
 * __skb_gso_segment() and skb_checksum_help() a moment later; the verifier knows its type, as with fentry.
 * What brings the CPU to the program (fentry's trampoline, a kprobe's trap) is not included.
 *
 * Each packet goes hit_loops times through the code and the clock is read twice for all of them; "empty"
 * does the same with nothing. */
#include "../../bpf/fallback.bpf.c"

#include "hit.h"

const volatile __u32 hit_ifindex, hit_netns, hit_loops = 1;

__u64 hit_ns[HIT_PACKETS];
__u32 hit_packets;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct sock___hit {
	struct socket *sk_socket;
};
#pragma clang attribute pop

struct hit {
	struct sk_buff *skb;
	struct sock *sk;
	struct file *file;
	__u64 features; /* of the packet */
};

static __always_inline int run(struct sk_buff *skb, void *once)
{
	struct net_device *dev = skb->dev;
	struct hit hit = { .skb = skb, .sk = skb->sk, .features = dev ? dev->features : 0 };
	struct sock___hit *sk = (void *)hit.sk;
	struct skb_shared_info *info;
	__u32 n = hit_packets;
	__u64 begin;

	if (!dev || !sk || dev->ifindex != (int)hit_ifindex || device_netns(true, dev) != hit_netns)
		return 0;
	info = (void *)(skb->head + skb->end);
	if (!GET(false, info, gso_type) || n >= HIT_PACKETS)
		return 0;
	hit.file = sk->sk_socket->file;
	begin = bpf_ktime_get_ns();
	bpf_loop(hit_loops, once, &hit, 0);
	hit_ns[n] = bpf_ktime_get_ns() - begin;
	hit_packets = n + 1;
	return 0;
}

#define HIT(name, code)                                                                            \
	static long name##_once(__u32 i, struct hit *hit)                                          \
	{                                                                                          \
		code;                                                                              \
		return 0;                                                                          \
	}                                                                                          \
	SEC("tp_btf/net_dev_queue")                                                                \
	int BPF_PROG(hit_##name, struct sk_buff *skb)                                              \
	{                                                                                          \
		return run(skb, name##_once);                                                      \
	}

HIT(empty, )
HIT(segmentation_fentry, segmentation(true, hit->skb, hit->features, true))
HIT(segmentation_kprobe, segmentation(false, hit->skb, hit->features, true))
HIT(checksum_fentry, checksum(true, hit->skb))
HIT(checksum_kprobe, checksum(false, hit->skb))
HIT(splice_fentry, splice(true, hit->file))
HIT(splice_kprobe, splice(false, hit->file))
HIT(sendpage_fentry, sendpage(true, hit->sk))
HIT(sendpage_kprobe, sendpage(false, hit->sk))
