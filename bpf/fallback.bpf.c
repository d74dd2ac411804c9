// SPDX-License-Identifier: GPL-2.0-or-later
/* Counts software fallback by kind, link and service. Continuous fallback sends no events: only a combination that is new, or appears
 * again after quiet_ns, goes into the ring. Each hook exists as fentry and as kprobe; probe.c loads the one that works. */
#include "names.h"
#include "reason.h"
#include "udp.h"

const volatile __u64 quiet_ns = 10000000000ULL;
const volatile bool by_socket; /* count packets by socket, except those of settled cgroups */
const volatile __u32 own_netns; /* only devices of this network namespace are counted one by one; 0: of all */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 10240);
	__type(key, struct fallback_key);
	__type(value, struct fallback_count);
} counts SEC(".maps");

/* When any CPU last saw a combination, to about a second. */
struct last_seen {
	__u64 time_ns;
	__u64 unnamed; /* there was no room for the names of its cgroup */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, struct fallback_key);
	__type(value, struct last_seen);
} seen SEC(".maps");

/* Cgroups whose sockets all belong to one service, so that their packets are counted together. Set by user space. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u8);
} settled SEC(".maps");

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

static __always_inline void lose_hit(__u8 kind, __u64 now)
{
	__u32 what = FALLBACK_LOST_TIME;
	__u64 *last = bpf_map_lookup_elem(&lost, &what);

	lose(FALLBACK_LOST_HITS + kind);
	if (last)
		*last = now;
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

/* sk: whose cgroup may be that of the key; NULL: none. */
static __noinline void count(const struct fallback_key *key, const struct cause *cause, struct sock *sk)
{
	struct fallback_count *count = bpf_map_lookup_elem(&counts, key), first = {};
	__u64 now = bpf_ktime_get_ns();
	struct last_seen this = { .time_ns = now }, *last;
	bool again;

	if (!count) {
		note_cgroup_id(key->cgroup, sk); /* before user space can read the key */
		bpf_map_update_elem(&counts, key, &first, BPF_NOEXIST);
		count = bpf_map_lookup_elem(&counts, key);
		if (!count) {
			lose_hit(key->kind, now);
			return;
		}
	}
	__sync_fetch_and_add(&count->hits, 1);
	count->missing |= cause->missing;
	if (cause->limit) {
		count->limit = cause->limit;
		if (count->largest < cause->largest)
			count->largest = cause->largest;
	}
	if (now - count->touched_ns < FALLBACK_TOUCH_NS)
		return;
	count->touched_ns = now;
	last = bpf_map_lookup_elem(&seen, key);
	again = !last || now - last->time_ns >= quiet_ns;
	if (again || last->unnamed)
		this.unnamed = !note_cgroup_id(key->cgroup, sk);
	if (last) {
		*last = this;
	} else if (bpf_map_update_elem(&seen, key, &this, BPF_ANY)) {
		lose(FALLBACK_LOST_EVENTS);
		return;
	}
	if (again)
		tell(key, now);
}

/* False: counted as elsewhere. */
static __always_inline bool is_here(const struct fallback_key *key)
{
	if (!own_netns || key->netns == own_netns)
		return true;
	lose(FALLBACK_ELSEWHERE + key->kind);
	return false;
}

/* A socket that has to copy, in the context of its process. Without a device its reason is unknown. */
static __always_inline void count_socket(bool direct, struct sock *sk, __u8 kind)
{
	struct fallback_key key = { .kind = kind, .origin = FALLBACK_SOCKET };
	struct net_device *dev = socket_device(direct, sk);
	struct net *net = GET(direct, sk, __sk_common.skc_net.net);
	struct cause cause = {};

	key.netns = GET(direct, net, ns.inum);
	if (socket_is_own(direct, sk) || !is_here(&key))
		return;
	if (dev) {
		key.ifindex = GET(direct, dev, ifindex);
		key.reason = GET(direct, dev, features) & feature_sg ? FALLBACK_REASON_STALE : FALLBACK_REASON_FEATURE;
	}
	key.cgroup = sender_cgroup(direct, sk);
	if (current_is_kernel_thread())
		key.origin = socket_is_kernel(sk) ? FALLBACK_KERNEL : FALLBACK_SOCKET;
	else if (key.cgroup <= 1)
		key.sender = bpf_get_current_pid_tgid() >> 32;
	count(&key, &cause, sk);
}

/* The sender of a packet: any task may transmit it, so only its socket shows who that is. */
static __always_inline void charge_socket(bool direct, struct sock *sk, struct fallback_key *key)
{
	if (socket_is_kernel(sk)) {
		key->origin = FALLBACK_KERNEL;
		return;
	}
	key->cgroup = socket_cgroup(direct, sk);
	if (by_socket && !bpf_map_lookup_elem(&settled, &key->cgroup))
		key->sender = socket_inode(sk);
}

static __always_inline void count_packet(bool direct, struct sk_buff *skb, struct net_device *dev, __u8 kind,
	const struct cause *cause)
{
	struct fallback_key key = { .kind = kind, .reason = cause->reason, .netns = device_netns(direct, dev) };
	struct sock *sk = GET(direct, skb, sk);
	unsigned char state;

	if (!is_here(&key))
		return;
	key.ifindex = GET(direct, dev, ifindex);
	if (!sk) {
		key.origin = GET(direct, skb, skb_iif) ? FALLBACK_FORWARDED : FALLBACK_KERNEL;
		count(&key, cause, NULL);
		return;
	}
	state = GET(direct, sk, __sk_common.skc_state);
	if (state == TCP_NEW_SYN_RECV) { /* a SYN-ACK belongs to the listener; the member is in a union, so it cannot be read directly */
		struct sock *listener = GET(false, sk, __sk_common.skc_listener);

		if (listener && socket_is_own(false, listener))
			return;
		if (listener)
			charge_socket(false, listener, &key);
		sk = listener;
	} else if (state == TCP_TIME_WAIT) {
		key.origin = FALLBACK_KERNEL; /* no process holds it any more */
		sk = NULL;
	} else {
		if (socket_is_own(direct, sk))
			return;
		charge_socket(direct, sk, &key);
	}
	count(&key, cause, sk);
}

/* __skb_gso_segment() without tx_path serves receive paths. */
static __always_inline void segmentation(bool direct, struct sk_buff *skb, __u64 features, bool tx_path)
{
	struct net_device *dev = GET(direct, skb, dev);
	struct cause cause = {};

	if (tx_path && dev && find_segmentation_cause(direct, skb, dev, features, &cause))
		count_packet(direct, skb, dev, FALLBACK_SEGMENTATION, &cause);
}

static __always_inline void checksum(bool direct, struct sk_buff *skb)
{
	struct net_device *dev = GET(direct, skb, dev);
	struct cause cause = {};

	if (dev && find_checksum_cause(direct, skb, dev, &cause))
		count_packet(direct, skb, dev, FALLBACK_CHECKSUM, &cause);
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

static __always_inline void refused(struct sk_buff *skb, bool ipv6)
{
	struct fallback_key key = { .kind = FALLBACK_UDP, .origin = FALLBACK_SOCKET, .reason = FALLBACK_REASON_FEATURE };
	struct cause cause = { .missing = udp_checksum_features(ipv6) };
	struct dst_entry *dst = packet_route(true, skb);
	struct sock *sk = skb->sk;
	struct net_device *dev = dst ? GET(false, dst, dev) : NULL;

	if (!sk || !dev || !socket_is(true, sk, IPPROTO_UDP) || !udp_lacks_checksum(skb, dst, ipv6))
		return;
	key.netns = device_netns(false, dev);
	if (!is_here(&key))
		return;
	key.ifindex = GET(false, dev, ifindex);
	key.cgroup = sender_cgroup(true, sk);
	if (key.cgroup <= 1)
		key.sender = bpf_get_current_pid_tgid() >> 32;
	count(&key, &cause, sk);
	if (!udp_remember(dev, key.cgroup))
		lose(FALLBACK_LOST_SENDERS);
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(udp_refused, struct sk_buff *skb, void *location)
{
	__u64 place = (__u64)location;
	struct sock *sk = skb->sk; /* read once: from Linux 6.12 on, the verifier wants this pointer to be checked */

	if (place == udp_refusal[0] && place)
		refused(skb, false);
	else if (place == udp_refusal[1] && place)
		refused(skb, true);
	else if (udp_trial_port && sk && socket_is(true, sk, IPPROTO_UDPLITE) && sk->__sk_common.skc_num == udp_trial_port)
		udp_trial_place = place;
	return 0;
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
	segmentation(true, skb, features, tx_path);
	return 0;
}

SEC("kprobe/__skb_gso_segment")
int BPF_KPROBE(segmentation_kprobe, struct sk_buff *skb, __u64 features, __u8 tx_path)
{
	segmentation(false, skb, features, tx_path);
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
