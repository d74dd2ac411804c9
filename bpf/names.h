/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names of cgroups, taken when one is seen: a cgroup can be removed before user space looks it up, while its sockets and processes
 * keep it in memory; and user space without CAP_DAC_READ_SEARCH could only search all of cgroupfs for an id. */
#ifndef OFFLOADD_BPF_NAMES_H
#define OFFLOADD_BPF_NAMES_H

#include "kernel.h"

const volatile __u64 cgroup_root; /* paths begin below this cgroup: the root of our cgroup namespace */

/* One map for all objects: probe_part.c. Entries are removed by user space only, and only complete ones, so that no entry is used again
 * while a program writes into it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, CGROUP_NAMES_MAX);
	__type(key, __u64);
	__type(value, struct cgroup_names);
} names SEC(".maps");

static const struct cgroup_names no_names = {};

static __always_inline struct kernfs_node *kernfs_parent(struct kernfs_node *node)
{
	struct kernfs_node___6_14 *old = (void *)node;

	return bpf_core_field_exists(node->__parent) ? BPF_CORE_READ(node, __parent) : BPF_CORE_READ(old, parent);
}

/* False: there is no room until user space has taken what is there. */
/* Global, so that the verifier checks it once per program, and not on each path to it. Before 5.12, a global function takes only scalars. */
__noinline int note_node(__u64 address, __u64 id)
{
	struct kernfs_node *node = (void *)address;
	struct cgroup_names *names_of;
	struct kernfs_node *parent;
	long r;
	__u32 i;

	if (id <= 1 || bpf_map_lookup_elem(&names, &id)) /* the root has no name */
		return true;
	r = bpf_map_update_elem(&names, &id, &no_names, BPF_NOEXIST);
	if (r)
		return r == -17; /* -EEXIST: another CPU adds it */
	names_of = bpf_map_lookup_elem(&names, &id);
	if (!names_of)
		return true;
	for (i = 0; i < CGROUP_LEVELS_MAX; i++) {
		parent = kernfs_parent(node);
		if (!parent || kernfs_id(false, node) == cgroup_root)
			break;
		names_of->len[i % CGROUP_LEVELS] =
			bpf_probe_read_kernel_str(names_of->name[i % CGROUP_LEVELS], CGROUP_NAME_LEN, BPF_CORE_READ(node, name));
		node = parent;
	}
	*(volatile __u32 *)&names_of->done = 1 + i;
	return true;
}

static __always_inline bool note_cgroup(struct cgroup *cgroup)
{
	struct kernfs_node *node = BPF_CORE_READ(cgroup, kn);

	return note_node((__u64)node, kernfs_id(false, node));
}

/* The cgroup with this id is that of the current task, or of the socket (NULL: none). */
static __always_inline bool note_cgroup_id(__u64 id, struct sock *sk)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct cgroup *cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp);

	if (cgroup_id(false, cgroup) != id && sk)
		cgroup = bpf_core_field_exists(sk->sk_cgrp_data.cgroup) ? GET(false, sk, sk_cgrp_data.cgroup)
									 : socket_cgroup_5_14(false, sk);
	return id <= 1 || !cgroup || cgroup_id(false, cgroup) != id || note_cgroup(cgroup);
}

#endif
