// SPDX-License-Identifier: GPL-2.0-or-later
/* Counts software fallback by kind, link and service. Continuous fallback sends no events: only a combination that is new, or appears
 * again after quiet_ns, goes into the ring. Each hook exists as fentry and as kprobe; probe.c loads the one that works. */
#include "kernel.h"

const volatile __u64 quiet_ns = 10000000000ULL;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 10240);
	__type(key, struct fallback_key);
	__type(value, struct fallback_count);
} counts SEC(".maps");

/* When any CPU last saw a combination, to about a second. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, struct fallback_key);
	__type(value, __u64);
} seen SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, FALLBACK_LOST_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} lost SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} events SEC(".maps");

static __always_inline void lose(__u32 what)
{
	__u64 *n = bpf_map_lookup_elem(&lost, &what);

	if (n)
		(*n)++;
}

static __always_inline void tell(const struct fallback_key *key, __u64 now)
{
	struct fallback_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		lose(FALLBACK_LOST_EVENTS);
		return;
	}
	event->header.version = EVENT_VERSION;
	event->header.type = EVENT_TYPE_FALLBACK;
	event->header.size = sizeof(*event);
	event->key = *key;
	event->time_ns = now;
	event->pid = bpf_get_current_pid_tgid() >> 32;
	event->zero = 0;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	bpf_ringbuf_submit(event, 0);
}

static __noinline void count(const struct fallback_key *key, __u64 missing)
{
	struct fallback_count *count = bpf_map_lookup_elem(&counts, key), first = {};
	__u64 now = bpf_ktime_get_ns(), *last;

	if (!count) {
		bpf_map_update_elem(&counts, key, &first, BPF_NOEXIST);
		count = bpf_map_lookup_elem(&counts, key);
		if (!count) {
			lose(FALLBACK_LOST_HITS + (key->kind & 3));
			return;
		}
	}
	__sync_fetch_and_add(&count->hits, 1);
	count->missing |= missing;
	if (now - count->touched_ns < FALLBACK_TOUCH_NS)
		return;
	count->touched_ns = now;
	last = bpf_map_lookup_elem(&seen, key);
	if (last) {
		__u64 before = *last;

		*last = now;
		if (now - before < quiet_ns)
			return;
	} else if (bpf_map_update_elem(&seen, key, &now, BPF_ANY)) {
		lose(FALLBACK_LOST_EVENTS);
		return;
	}
	tell(key, now);
}

/* A socket that has to copy, in the context of its process. */
static __always_inline void count_socket(bool direct, struct sock *sk, __u8 kind)
{
	struct fallback_key key = { .kind = kind, .origin = FALLBACK_SOCKET };
	struct net_device *dev = socket_device(direct, sk);

	if (dev) {
		key.ifindex = GET(direct, dev, ifindex);
		key.netns = device_netns(direct, dev);
	}
	key.cgroup = socket_cgroup(direct, sk);
	if (key.cgroup <= 1)
		key.tgid = bpf_get_current_pid_tgid() >> 32;
	count(&key, 0);
}

/* A packet that the kernel segments or checksums because its device does not. */
static __always_inline void count_packet(bool direct, struct sk_buff *skb, struct net_device *dev, __u8 kind,
	__u64 missing)
{
	struct fallback_key key = { .kind = kind };
	struct sock *sk = GET(direct, skb, sk);
	unsigned char state;

	key.ifindex = GET(direct, dev, ifindex);
	key.netns = device_netns(direct, dev);
	if (!sk) {
		key.origin = GET(direct, skb, skb_iif) ? FALLBACK_FORWARDED : FALLBACK_KERNEL;
		count(&key, missing);
		return;
	}
	state = GET(direct, sk, __sk_common.skc_state);
	if (state == TCP_NEW_SYN_RECV) { /* a SYN-ACK belongs to the listener; the member is in a union, so it cannot be read directly */
		struct sock *listener = GET(false, sk, __sk_common.skc_listener);

		key.cgroup = listener ? socket_cgroup(false, listener) : 0;
	} else if (state != TCP_TIME_WAIT) {
		key.cgroup = socket_cgroup(direct, sk);
	}
	count(&key, missing);
}

/* __skb_gso_segment() has other callers than validate_xmit_skb(): receive paths (no tx_path), and qdiscs, IPsec, Open vSwitch and
 * drivers that want small packets whatever the device can do. Count only what the device itself lacks: only that can be restored. */
static __always_inline void segmentation(bool direct, struct sk_buff *skb, bool tx_path)
{
	struct net_device *dev = GET(direct, skb, dev);
	struct skb_shared_info *info;
	__u64 need;

	if (!tx_path || !dev)
		return;
	info = (void *)(GET(direct, skb, head) + GET(direct, skb, end));
	need = gso_features(GET(false, info, gso_type)) & ~GET(direct, dev, features);
	if (need)
		count_packet(direct, skb, dev, FALLBACK_SEGMENTATION, need);
}

/* skb_checksum_help() also serves fragmentation, tunnels, and drivers whose device cannot checksum this packet. As above, count only
 * what the device itself lacks. */
static __always_inline void checksum(bool direct, struct sk_buff *skb)
{
	struct net_device *dev = GET(direct, skb, dev);
	__u64 can = FEATURE_CSUM_ANY;
	__be16 protocol;

	if (!dev)
		return;
	if ((direct ? BPF_CORE_READ_BITFIELD(skb, ip_summed)
		    : BPF_CORE_READ_BITFIELD_PROBED(skb, ip_summed)) != CHECKSUM_PARTIAL)
		return;
	protocol = GET(direct, skb, protocol);
	if (protocol == bpf_htons(ETH_P_IP))
		can = feature_csum_generic | feature_csum_ipv4;
	else if (protocol == bpf_htons(ETH_P_IPV6))
		can = feature_csum_generic | feature_csum_ipv6;
	if (!(GET(direct, dev, features) & can))
		count_packet(direct, skb, dev, FALLBACK_CHECKSUM, can);
}

static __always_inline void sendpage(bool direct, struct sock *sk)
{
	if (sk && socket_is_tcp(direct, sk))
		count_socket(direct, sk, FALLBACK_SENDPAGE);
}

static __always_inline void splice(bool direct, struct file *out)
{
	struct socket *sock = GET(direct, out, private_data);
	struct sock *sk = sock ? GET(false, sock, sk) : NULL;

	if (sk && socket_is_tcp(false, sk) && !(GET(false, sk, sk_route_caps) & feature_sg))
		count_socket(false, sk, FALLBACK_SPLICE);
}

SEC("fentry/sock_no_sendpage")
int BPF_PROG(sendpage_fentry, struct socket *sock)
{
	sendpage(true, sock->sk);
	return 0;
}

SEC("kprobe/sock_no_sendpage")
int BPF_KPROBE(sendpage_kprobe, struct socket *sock)
{
	sendpage(false, GET(false, sock, sk));
	return 0;
}

SEC("fentry/sock_no_sendpage_locked")
int BPF_PROG(sendpage_locked_fentry, struct sock *sk)
{
	sendpage(true, sk);
	return 0;
}

SEC("kprobe/sock_no_sendpage_locked")
int BPF_KPROBE(sendpage_locked_kprobe, struct sock *sk)
{
	sendpage(false, sk);
	return 0;
}

SEC("fentry/splice_to_socket")
int BPF_PROG(splice_fentry, void *pipe, struct file *out)
{
	splice(true, out);
	return 0;
}

SEC("kprobe/splice_to_socket")
int BPF_KPROBE(splice_kprobe, void *pipe, struct file *out)
{
	splice(false, out);
	return 0;
}

SEC("fentry/__skb_gso_segment")
int BPF_PROG(segmentation_fentry, struct sk_buff *skb, __u64 features, __u8 tx_path)
{
	segmentation(true, skb, tx_path);
	return 0;
}

SEC("kprobe/__skb_gso_segment")
int BPF_KPROBE(segmentation_kprobe, struct sk_buff *skb, __u64 features, __u8 tx_path)
{
	segmentation(false, skb, tx_path);
	return 0;
}

SEC("fentry/skb_checksum_help")
int BPF_PROG(checksum_fentry, struct sk_buff *skb)
{
	checksum(true, skb);
	return 0;
}

SEC("kprobe/skb_checksum_help")
int BPF_KPROBE(checksum_kprobe, struct sk_buff *skb)
{
	checksum(false, skb);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
