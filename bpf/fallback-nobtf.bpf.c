// SPDX-License-Identifier: GPL-2.0-or-later
/* For kernels without BTF: counts sendpage fallback by process. Reads no kernel structure and uses nothing that Linux 4.9 lacks:
 * no global data, ring buffer, LRU map or function call.
 *
 * Only TCP uses sock_no_sendpage_locked(). Kernels without it (4.9) call sock_no_sendpage() from tcp_sendpage(); protocols without
 * their own sendpage call it too. */
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

#include "event.h"

struct pt_regs;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct process_key);
	__type(value, struct process_count);
} processes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PROCESS_LOST_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} processes_lost SEC(".maps");

static __always_inline int count_process(void)
{
	struct process_key key = {};
	struct process_count zero = {}, *count;
	__u64 *lost, now = bpf_ktime_get_ns();
	__u32 hits = PROCESS_LOST_HITS, time = PROCESS_LOST_TIME;

	key.tgid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(key.comm, sizeof(key.comm));
	count = bpf_map_lookup_elem(&processes, &key);
	if (!count) {
		zero.first_ns = now;
		bpf_map_update_elem(&processes, &key, &zero, BPF_NOEXIST);
		count = bpf_map_lookup_elem(&processes, &key);
	}
	if (count) {
		__sync_fetch_and_add(&count->hits, 1);
		count->last_ns = now;
		return 0;
	}
	lost = bpf_map_lookup_elem(&processes_lost, &hits);
	if (lost)
		__sync_fetch_and_add(lost, 1);
	lost = bpf_map_lookup_elem(&processes_lost, &time);
	if (lost)
		*lost = now;
	return 0;
}

SEC("kprobe/sock_no_sendpage")
int process_kprobe(struct pt_regs *ctx)
{
	return count_process();
}

SEC("kprobe/sock_no_sendpage_locked")
int process_locked_kprobe(struct pt_regs *ctx)
{
	return count_process();
}

char LICENSE[] SEC("license") = "GPL";
