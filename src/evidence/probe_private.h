/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A BPF object with its hooks, loaded as far as the kernel and our capabilities allow. Shared by probe.c and probe_watch.c. */
#ifndef OFFLOADD_PROBE_PRIVATE_H
#define OFFLOADD_PROBE_PRIVATE_H

#include <stdarg.h>

#include <bpf/libbpf.h>
#include <linux/types.h>

#include "evidence/probe.h"
#include "kernel/cgroup.h"

/* A kernel function to attach to. Methods are tried in the order of enum probe_method. Each has the name of a program for the
 * entry of the function, and optionally one for its return. */
struct probe_hook {
	const char *name, *function;
	bool other_kernels; /* kernels without this function have another one with its own hook */
	bool on_demand;	    /* detached after it was attached once: see probe_part_attach() */
	const char *fentry[2], *kprobe[2], *iter;
};

#define PROBE_HOOK(n, f, p, other)                                                                       \
	{                                                                                          \
		.name = n, .function = f, .other_kernels = other, .fentry = { p "_fentry" },       \
		.kprobe = { p "_kprobe" }                                                          \
	}
#define PROBE_HOOK_PAIR(n, f, p)                                                                         \
	{                                                                                          \
		.name = n, .function = f, .fentry = { p "_fentry", p "_fexit" },                   \
		.kprobe = { p "_kprobe", p "_kretprobe" }                                          \
	}

#define PROBE_HOOKS_MAX 8

/* A BPF object with its hooks. open() opens its skeleton without loading it. */
struct probe_part {
	const struct probe_hook *hooks;
	size_t n_hooks;
	bool btf; /* needs BTF */
	int (*open)(const struct probe_options *options, void **ret_skeleton,
		struct bpf_object_skeleton **ret_base);
	void (*destroy)(void *skeleton);

	void *skeleton;
	struct bpf_object_skeleton *base;
	struct bpf_link *links[PROBE_HOOKS_MAX][2];
	bool found[PROBE_HOOKS_MAX]; /* this kernel has the function */
	bool names_unknown; /* names cannot be read, so all functions count as found; attaching shows which ones exist */
	struct probe_status *status;
};

#define PROBE_PART(h, b, suffix)                                                                         \
	(struct probe_part)                                                                              \
	{                                                                                          \
		.hooks = h, .n_hooks = ARRAY_SIZE(h), .btf = b, .open = open_##suffix,             \
		.destroy = destroy_##suffix                                                        \
	}

/* open and destroy for PROBE_PART, for the skeleton of bpf/NAME.bpf.c. set() sets its constants and map sizes. */
#define PROBE_SKELETON(name, set)                                                                        \
	static int open_##name(const struct probe_options *options, void **ret_skeleton,           \
		struct bpf_object_skeleton **ret_base)                                             \
	{                                                                                          \
		struct name##_bpf *skeleton = name##_bpf__open();                                  \
		if (!skeleton)                                                                     \
			return -errno;                                                             \
		set(skeleton, options);                                                            \
		*ret_skeleton = skeleton;                                                          \
		*ret_base = skeleton->skeleton;                                                    \
		return 0;                                                                          \
	}                                                                                          \
	static void destroy_##name(void *skeleton)                                                 \
	{                                                                                          \
		name##_bpf__destroy(skeleton);                                                     \
	}
#define PROBE_SET_NOTHING(skeleton, options) (void)(options)

/* The features that correspond to gso_type of a packet, and the bit number of the first: net_gso_ok(). */
#define PROBE_SET_GSO(rodata, table)                                                                     \
	do {                                                                                       \
		(rodata)->feature_gso = probe_part_gso_features(table);                            \
		(rodata)->feature_gso_shift = probe_part_gso_shift(table);                         \
		(rodata)->feature_gso_partial = feature_named(table, "tx-gso-partial");            \
		(rodata)->feature_fraglist = feature_named(table, "tx-scatter-gather-fraglist");   \
		(rodata)->feature_esp = feature_named(table, "tx-esp-segmentation");               \
	} while (0)

#define PROBE_SET_CGROUPS(rodata) (rodata)->cgroup_root = cgroup_root()

#define PROBE_SET_FEATURES(rodata, table)                                                                \
	do {                                                                                       \
		(rodata)->feature_sg = feature_named(table, "tx-scatter-gather");                  \
		(rodata)->feature_csum_generic = feature_named(table, "tx-checksum-ip-generic");   \
		(rodata)->feature_csum_ipv4 = feature_named(table, "tx-checksum-ipv4");            \
		(rodata)->feature_csum_ipv6 = feature_named(table, "tx-checksum-ipv6");            \
	} while (0)

feature_set probe_part_gso_features(const struct feature_table *table);
unsigned probe_part_gso_shift(const struct feature_table *table);

/* For libbpf_set_print(): keeps the first warning as the reason of a failure. */
int probe_part_keep_complaint(enum libbpf_print_level level, const char *format, va_list args);
/* Sets part->found from /proc/kallsyms, whose names are readable without privileges, or else from BTF. If neither can be read,
 * they are assumed. */
void probe_part_find_functions(struct probe_part *const *parts, size_t n);
/* All functions count as found, and names_unknown is set. */
void probe_part_assume_functions(struct probe_part *part);
/* Sets status, one for each hook. why: the reason why all of the part is absent; NULL: none yet. */
void probe_part_init(struct probe_part *part, struct probe_status *status, const char *why);
/* Loads and attaches the hooks that work. Each failed attempt excludes at least one method of one hook. */
void probe_part_start(struct probe_part *part, const struct probe_options *options);
/* Detaches and unloads it. */
void probe_part_close(struct probe_part *part);
void probe_part_update_runs(struct probe_part *part);
/* Attaches hook i of a part that is loaded, or detaches it. Returns 0 even if there was nothing to do; negative errno: it is absent
 * now. */
int probe_part_attach(struct probe_part *part, size_t i, bool attach);

/* ---- probe_why.c: reasons for absent probes, and kprobes of kernels before 4.17 ---- */

/* What a failure may be due to. */
struct probe_surroundings {
	const char *missing_privilege; /* capabilities that we do not have; NULL: none */
	bool locked_down;	       /* lockdown=confidentiality, kernel_lockdown(7) */
	int btf;		       /* of /sys/kernel/btf/vmlinux. 0: available; ENOENT: the kernel has none; another errno: unknown */
	int kprobes;		       /* likewise; ENODEV: tracefs, which alone could show it, is not mounted */
	uint64_t memlock; /* RLIMIT_MEMLOCK in bytes if BPF maps count against it (before 5.11); UINT64_MAX: unlimited */
};
/* sys: "/sys", another directory in tests. */
void probe_read_surroundings(const char *sys, struct probe_surroundings *ret);
/* Its kprobes. From 4.17 on they are a PMU (only_pmu), before that only a file of tracefs. */
int probe_find_kprobes(const char *sys, bool only_pmu);

struct probe_failure {
	bool btf, kprobe;      /* it needs BTF; kprobes are one of its methods */
	int error;	       /* negative errno */
	const char *complaint; /* of libbpf, "" for none */
};
/* Sets why: a general reason that is certain, otherwise the error and the message of libbpf. Returns probe_status.fixable. */
bool probe_explain(const struct probe_surroundings *s, const struct probe_failure *failure, char why[PROBE_WHY_LEN]);

/* Before 4.17 an event that libbpf created for a kprobe stays in kprobe_events if its process is killed. Removes those for these
 * functions whose process is gone; call it before any is created. The kernel refuses to remove an event in use. Returns their number,
 * or a negative errno. sys: as above. */
int probe_remove_stale_events(const char *sys, const char *const *functions, size_t n);

/* ---- probe_names.c ---- */

/* The map that all parts share, created by the first call. Negative errno: the parts have none. */
int probe_names_fd(void);
/* Takes what the programs have put there, so that there is room again. */
void probe_take_names(void);

/* ---- probe_udp.c, on the part of fallback.bpf.c ---- */

/* Finds out where this kernel refuses UDP_SEGMENT, and lets udp_refused() count there. 1; 0: it refuses none; negative errno: unknown.
 * why: the reason, unless it is 1. */
int probe_udp_find_places(struct probe_part *part, char why[PROBE_WHY_LEN]);
struct probe_udp_reader {
	probe_sender_fn fn;
	void *userdata;
};
int probe_udp_read(struct probe_part *part, const struct probe_udp_reader *reader);
void probe_udp_forget(struct probe_part *part, const struct probe_sender_key *sender);
void probe_udp_restore(struct probe_part *part, const struct probe_sender *sender);

/* A per-CPU hash takes memory for each possible CPU. On hosts with more than PROBE_PERCPU_MAX, all CPUs share one value, which the
 * programs update atomically. Readers still provide room for one value per CPU; all but the first are 0. Call this before the part is
 * loaded. */
#define PROBE_PERCPU_MAX 8
void probe_part_share_map(struct bpf_map *map);

/* -ENOENT if the part is not loaded, or has no such map. */
int probe_part_map_fd(const struct probe_part *part, const char *name);
/* The first key of a hash map, in a buffer of `size` bytes. next_key: bpf_map_get_next_key(), whose result it returns. */
int probe_first_key(int fd, void *ret, size_t size, int (*next_key)(int fd, const void *key, void *next));
/* Calls fn for each key of a hash map, at most as often as it has entries: a walk may start again if the map changes. fn may
 * delete the key. Returns the sum of its results. */
int probe_part_foreach_key(const struct probe_part *part, const char *name,
	int (*fn)(int fd, const void *key, void *userdata), void *userdata);
/* The same until until_usec (0: no limit) has passed: then -EAGAIN, and the next call goes on. *at: zeroed at the begin. If the key that is
 * next was deleted meanwhile, keys come twice. */
int probe_part_walk_keys(const struct probe_part *part, const char *name, struct probe_cursor *at, uint64_t until_usec,
	int (*fn)(int fd, const void *key, void *userdata), void *userdata);
/* The sum over all CPUs of an element of a per-CPU array. */
uint64_t probe_part_read_percpu(const struct probe_part *part, const char *name, __u32 index, int cpus);
/* The same for times: the latest of all CPUs. */
uint64_t probe_part_read_latest(const struct probe_part *part, const char *name, __u32 index, int cpus);

#endif
