/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One BPF object with its hooks, loaded as far as this kernel and our privileges allow: what probe.c and
 * probe_watch.c are made of. */
#ifndef OFFLOADD_PROBE_PRIVATE_H
#define OFFLOADD_PROBE_PRIVATE_H

#include <stdarg.h>

#include <bpf/libbpf.h>
#include <linux/types.h>

#include "evidence/probe.h"

/* One thing to see, by one kernel function. Methods are tried in the order of enum probe_method; each has a
 * program at the function's start and may have one at its end. */
struct probe_hook {
	const char *name, *function;
	bool other_kernels; /* its absence is another function's presence */
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

#define PROBE_HOOKS_MAX 5

/* One BPF object with its hooks. open makes the skeleton, unloaded, and tells its object. */
struct probe_part {
	const struct probe_hook *hooks;
	size_t n_hooks;
	bool btf;
	int (*open)(const struct probe_options *options, void **ret_skeleton,
		struct bpf_object_skeleton **ret_base);
	void (*destroy)(void *skeleton);

	void *skeleton;
	struct bpf_object_skeleton *base;
	struct bpf_link *links[PROBE_HOOKS_MAX][2];
	bool found[PROBE_HOOKS_MAX]; /* the function is in this kernel */
	struct probe_status *status;
};

#define PROBE_PART(h, b, suffix)                                                                         \
	(struct probe_part)                                                                              \
	{                                                                                          \
		.hooks = h, .n_hooks = ARRAY_SIZE(h), .btf = b, .open = open_##suffix,             \
		.destroy = destroy_##suffix                                                        \
	}

/* open and destroy of the skeleton of bpf/NAME.bpf.c, for PROBE_PART: set fills in its constants and map sizes. */
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

/* The bits that a packet's gso_type may have in the feature table, in the kernel's order (net_gso_ok()), and where they begin. */
#define PROBE_SET_GSO(rodata, table)                                                                     \
	do {                                                                                       \
		(rodata)->feature_gso = probe_part_gso_features(table);                            \
		(rodata)->feature_gso_shift = probe_part_gso_shift(table);                         \
	} while (0)

#define PROBE_SET_FEATURES(rodata, table)                                                                \
	do {                                                                                       \
		(rodata)->feature_sg = feature_named(table, "tx-scatter-gather");                  \
		(rodata)->feature_csum_generic = feature_named(table, "tx-checksum-ip-generic");   \
		(rodata)->feature_csum_ipv4 = feature_named(table, "tx-checksum-ipv4");            \
		(rodata)->feature_csum_ipv6 = feature_named(table, "tx-checksum-ipv6");            \
	} while (0)

feature_set probe_part_gso_features(const struct feature_table *table);
unsigned probe_part_gso_shift(const struct feature_table *table);

/* For libbpf_set_print(), before anything is opened. */
int probe_part_keep_complaint(enum libbpf_print_level level, const char *format, va_list args);
/* Which functions does /proc/kallsyms have? Names are readable without privilege. Where it cannot be read,
 * all are taken to be there: trying will tell. */
void probe_part_find_functions(struct probe_part *const *parts, size_t n);
/* why: all of it is absent, NULL otherwise. */
void probe_part_init(struct probe_part *part, struct probe_status *status, const char *why);
/* Loads and attaches what works; every round without success rules out at least one method of one hook. */
void probe_part_start(struct probe_part *part, const struct probe_options *options);
void probe_part_close(struct probe_part *part);
void probe_part_update_runs(struct probe_part *part);

/* -ENOENT when it is not loaded, or has no such map. */
int probe_part_map_fd(const struct probe_part *part, const char *name);
/* Walks a hash map's keys, bounded by its size: one that grows while it is walked may start over. The sum of
 * what fn returns, which may delete the key. */
int probe_part_foreach_key(const struct probe_part *part, const char *name,
	int (*fn)(int fd, const void *key, void *userdata), void *userdata);
/* A number of an array with a value for each CPU, summed up. */
uint64_t probe_part_read_percpu(const struct probe_part *part, const char *name, __u32 index, int cpus);

#endif
