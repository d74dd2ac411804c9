// SPDX-License-Identifier: GPL-2.0-or-later
/* How often tcp_sendmsg(), tcp_push_one() and tcp_write_timer() run, and the call stacks of tcp_push_one(). Loaded only while a command
 * watches. */
#include "names.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct rate_key);
	__type(value, __u64);
} rates SEC(".maps");

/* Totals by kind, including those that did not fit above. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, RATE_KINDS);
	__type(key, __u32);
	__type(value, __u64);
} totals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 1024);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, STACK_DEPTH * sizeof(__u64));
} stacks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 2048);
	__type(key, struct stack_key);
	__type(value, __u64);
} stack_counts SEC(".maps");

static __always_inline void count(void *map, const void *key)
{
	__u64 one = 1, *n = bpf_map_lookup_elem(map, key);

	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(map, key, &one, BPF_NOEXIST);
}

static __always_inline void count_kind(struct rate_key *key)
{
	__u32 kind = key->kind;
	__u64 *n = bpf_map_lookup_elem(&totals, &kind);

	if (n)
		(*n)++;
	count(&rates, key);
}

static __always_inline int count_socket(struct sock *sk, __u32 kind, struct rate_key *key)
{
	struct net_device *dev = socket_device(false, sk);

	key->kind = kind;
	key->cgroup = sender_cgroup(false, sk);
	key->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	key->ifindex = dev ? BPF_CORE_READ(dev, ifindex) : 0;
	if (!bpf_map_lookup_elem(&rates, key))
		note_cgroup_id(key->cgroup, sk);
	count_kind(key);
	return 0;
}

SEC("fentry/tcp_sendmsg")
int BPF_PROG(sendmsg_fentry, struct sock *sk)
{
	struct rate_key key = {};

	return count_socket(sk, RATE_SENDMSG, &key);
}

SEC("kprobe/tcp_sendmsg")
int BPF_KPROBE(sendmsg_kprobe, struct sock *sk)
{
	struct rate_key key = {};

	return count_socket(sk, RATE_SENDMSG, &key);
}

/* Only as a kprobe: with fentry, a BPF trampoline would be part of the call stack. */
SEC("kprobe/tcp_push_one")
int BPF_KPROBE(push_one_kprobe, struct sock *sk)
{
	struct stack_key stack = {};
	struct rate_key key = {};
	long id;

	count_socket(sk, RATE_PUSH_ONE, &key);
	id = bpf_get_stackid(ctx, &stacks, 0);
	if (id < 0)
		return 0;
	stack.cgroup = key.cgroup;
	stack.netns = key.netns;
	stack.ifindex = key.ifindex;
	stack.stack = id;
	count(&stack_counts, &stack);
	return 0;
}

SEC("fentry/tcp_write_timer")
int BPF_PROG(write_timer_fentry)
{
	struct rate_key key = { .kind = RATE_WRITE_TIMER };

	count_kind(&key);
	return 0;
}

SEC("kprobe/tcp_write_timer")
int BPF_KPROBE(write_timer_kprobe)
{
	struct rate_key key = { .kind = RATE_WRITE_TIMER };

	count_kind(&key);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
