// SPDX-License-Identifier: GPL-2.0-or-later
/* How long sendfile(2) to a TCP socket takes, by service and link. Calls that use software fallback are counted separately: the socket has
 * to copy pages, or its device lacks scatter-gather, checksum or TCP segmentation. */
#include "names.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct latency_start);
} starts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct latency_key);
	__type(value, struct latency_histogram);
} histograms SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LATENCY_LOST_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} latency_lost SEC(".maps");

static __always_inline void lose(__u32 what)
{
	__u64 *n = bpf_map_lookup_elem(&latency_lost, &what);

	if (n)
		(*n)++;
}

static __always_inline struct sock *socket_of_fd(int fd)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **files = BPF_CORE_READ(table, fd), *file = NULL;
	struct socket *sock;

	if (fd < 0 || (unsigned)fd >= BPF_CORE_READ(table, max_fds))
		return NULL;
	bpf_probe_read_kernel(&file, sizeof(file), &files[fd]);
	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	sock = BPF_CORE_READ(file, private_data);
	return sock ? BPF_CORE_READ(sock, sk) : NULL;
}

static __always_inline bool falls_back(struct sock *sk, struct net_device *dev)
{
	__u64 caps = BPF_CORE_READ(sk, sk_route_caps), features;
	__u32 type = socket_gso_type(sk);
	__u64 csum = feature_csum_generic | (type & SKB_GSO_TCPV6 ? feature_csum_ipv6 : feature_csum_ipv4);

	if (!(caps & feature_sg) || !(caps & csum))
		return true;
	if (!dev)
		return false;
	features = BPF_CORE_READ(dev, features);
	return !(features & feature_sg) || !(features & csum) || gso_features(type) & ~features;
}

static __always_inline int sendfile_enter(int out_fd)
{
	struct sock *sk = socket_of_fd(out_fd);
	__u32 task = bpf_get_current_pid_tgid();
	struct latency_start start = {};
	struct net_device *dev;

	if (!sk || !socket_is_tcp(false, sk) || socket_is_own(false, sk))
		return 0;
	dev = socket_device(false, sk);
	if (dev) {
		start.key.netns = device_netns(false, dev);
		start.key.ifindex = BPF_CORE_READ(dev, ifindex);
	}
	start.key.cgroup = sender_cgroup(false, sk);
	note_cgroup_id(start.key.cgroup, sk);
	start.key.fallback = falls_back(sk, dev);
	start.time_ns = bpf_ktime_get_ns();
	if (bpf_map_update_elem(&starts, &task, &start, BPF_ANY))
		lose(LATENCY_LOST_CALLS);
	return 0;
}

static __always_inline __u32 log2_slot(__u64 v)
{
	__u32 slot = 0;

	if (v >> 32)
		return LATENCY_SLOTS - 1;
	if (v >> 16)
		slot += 16, v >>= 16;
	if (v >> 8)
		slot += 8, v >>= 8;
	if (v >> 4)
		slot += 4, v >>= 4;
	if (v >> 2)
		slot += 2, v >>= 2;
	return slot + (v >> 1);
}

/* -1: the call is unknown. */
static __always_inline int sendfile_leave(void)
{
	__u32 task = bpf_get_current_pid_tgid();
	struct latency_start *start = bpf_map_lookup_elem(&starts, &task);
	struct latency_histogram *histogram, none = {};
	__u64 usec, disk_usec, peer_usec;
	struct latency_key key;

	if (!start)
		return -1;
	disk_usec = start->disk_ns / 1000;
	peer_usec = start->peer_ns / 1000;
	usec = (bpf_ktime_get_ns() - start->time_ns) / 1000;
	key = start->key;
	bpf_map_delete_elem(&starts, &task);
	histogram = bpf_map_lookup_elem(&histograms, &key);
	if (!histogram) {
		bpf_map_update_elem(&histograms, &key, &none, BPF_NOEXIST);
		histogram = bpf_map_lookup_elem(&histograms, &key);
		if (!histogram) {
			lose(LATENCY_LOST_CALLS);
			return 0;
		}
	}
	__sync_fetch_and_add(&histogram->slots[log2_slot(usec) & (LATENCY_SLOTS - 1)], 1);
	__sync_fetch_and_add(&histogram->count, 1);
	__sync_fetch_and_add(&histogram->total_usec, usec);
	__sync_fetch_and_add(&histogram->disk_usec, disk_usec);
	__sync_fetch_and_add(&histogram->peer_usec, peer_usec);
	return 0;
}

static __always_inline long task_state(struct task_struct *task)
{
	struct task_struct___5_13 *old = (void *)task;

	if (bpf_core_field_exists(task->__state))
		return BPF_CORE_READ(task, __state);
	return BPF_CORE_READ(old, state);
}

/* io_schedule() marks tasks that wait for a page; sk_stream_wait_memory() sleeps interruptibly. */
SEC("tp_btf/sched_switch")
int BPF_PROG(sendfile_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	__u64 now = bpf_ktime_get_ns();
	__u32 task = prev->pid;
	struct latency_start *start = bpf_map_lookup_elem(&starts, &task);

	if (start && !preempt) {
		start->disk = BPF_CORE_READ_BITFIELD_PROBED(prev, in_iowait);
		if (start->disk || task_state(prev) & TASK_INTERRUPTIBLE)
			start->asleep_ns = now;
	}
	task = next->pid;
	start = bpf_map_lookup_elem(&starts, &task);
	if (start && start->asleep_ns) {
		if (start->disk)
			start->disk_ns += now - start->asleep_ns;
		else
			start->peer_ns += now - start->asleep_ns;
		start->asleep_ns = 0;
	}
	return 0;
}

SEC("fentry/do_sendfile")
int BPF_PROG(sendfile_fentry, int out_fd)
{
	return sendfile_enter(out_fd);
}

SEC("fexit/do_sendfile")
int BPF_PROG(sendfile_fexit, int out_fd)
{
	struct sock *sk;

	if (sendfile_leave() == 0)
		return 0;
	sk = socket_of_fd(out_fd);
	if (sk && socket_is_tcp(false, sk))
		lose(LATENCY_LOST_BEGUN);
	return 0;
}

SEC("kprobe/do_sendfile")
int BPF_KPROBE(sendfile_kprobe, int out_fd)
{
	return sendfile_enter(out_fd);
}

SEC("kretprobe/do_sendfile")
int BPF_KRETPROBE(sendfile_kretprobe)
{
	sendfile_leave();
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
