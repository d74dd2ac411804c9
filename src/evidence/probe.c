/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "evidence/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/capability.h>
#include <linux/types.h>

#include "bpf/event.h"
#include "evidence/evidence.h"
#include "evidence/probe_private.h"
#include "basic/util.h"

#include "changes.skel.h"
#include "fallback-nobtf.skel.h"
#include "fallback.skel.h"
#include "sockets.skel.h"

#define KEYS_MIN 64
#define KEYS_MAX 65536
#define EVENTS_AT_ONCE 1024
/* At most as many entries as there is room for names: the kernel gives no more at once than fits. */
#define ITERATOR_READ (CGROUP_NAMES_MAX * sizeof(struct holder_entry))
#define NSEC_PER_USEC 1000

enum { HOOK_SENDPAGE, HOOK_SENDPAGE_LOCKED, HOOK_UDP_REFUSED, HOOK_UDP_IPV4, HOOK_UDP_IPV6 };
enum { HOOK_SOCKETS, HOOK_HOLDERS };

static const struct probe_hook fallback_hooks[] = {
	[HOOK_SENDPAGE] = PROBE_HOOK("sendpage", "sock_no_sendpage", "sendpage", true),
	[HOOK_SENDPAGE_LOCKED] =
		PROBE_HOOK("sendpage", "sock_no_sendpage_locked", "sendpage_locked", true),
	[HOOK_UDP_REFUSED] = { .name = "udp-segmentation", .function = "__traceiter_kfree_skb", .fentry = { "udp_refused" } },
	[HOOK_UDP_IPV4] = { .name = PROBE_SENDERS, .function = "ip_send_skb", .on_demand = true,
		.fentry = { "udp_ipv4_fentry" }, .kprobe = { "udp_ipv4_kprobe" } },
	[HOOK_UDP_IPV6] = { .name = PROBE_SENDERS, .function = "ip6_send_skb", .on_demand = true,
		.fentry = { "udp_ipv6_fentry" }, .kprobe = { "udp_ipv6_kprobe" } },
	PROBE_HOOK("splice", "splice_to_socket", "splice", true),
	PROBE_HOOK("segmentation", "__skb_gso_segment", "segmentation", false),
	PROBE_HOOK("checksum", "skb_checksum_help", "checksum", false),
};

static const struct probe_hook process_hooks[] = {
	{ .name = EVIDENCE_BY_PROCESS, .function = "sock_no_sendpage_locked",
		.other_kernels = true, .kprobe = { "process_locked_kprobe" } },
	{ .name = EVIDENCE_BY_PROCESS, .function = "sock_no_sendpage", .other_kernels = true,
		.kprobe = { "process_kprobe" } },
};

static const char *const process_functions[] = { "sock_no_sendpage_locked", "sock_no_sendpage" };

static const struct probe_hook socket_hooks[] = {
	[HOOK_SOCKETS] = { .name = "sockets", .function = "iter/tcp", .iter = "sockets" },
	[HOOK_HOLDERS] = { .name = "socket holders", .function = "iter/task_file", .iter = "holders" },
};

static const struct probe_hook change_hooks[] = {
	PROBE_HOOK_PAIR("feature changes", "__netdev_update_features", "update"),
	PROBE_HOOK_PAIR("feature cascades", "netdev_features_change", "spread"),
	PROBE_HOOK("feature cascades", "netdev_work_sched", "defer", true),
};

struct probe {
	struct probe_part fallback, process, sockets, changes;
	struct probe_status status[4 * PROBE_HOOKS_MAX];
	size_t n_status;
	struct ring_buffer *ring;
	int cpus;
	uint64_t slice_usec;
	uint64_t malformed;

	probe_hits_fn events_fn; /* during probe_read_events */
	void *events_userdata;
	int events_read;
};

static unsigned clamp_keys(unsigned keys)
{
	if (keys == 0)
		return PROBE_KEYS_DEFAULT;
	return keys < KEYS_MIN ? KEYS_MIN : keys > KEYS_MAX ? KEYS_MAX : keys;
}

static void set_fallback(struct fallback_bpf *skeleton, const struct probe_options *options)
{
	unsigned keys = clamp_keys(options->max_keys);

	PROBE_SET_FEATURES(skeleton->rodata, options->features);
	PROBE_SET_GSO(skeleton->rodata, options->features);
	skeleton->rodata->feature_udp_segmentation = feature_named(options->features, "tx-udp-segmentation");
	skeleton->rodata->quiet_ns =
		(options->quiet_usec ? options->quiet_usec : PROBE_QUIET_USEC) * NSEC_PER_USEC;
	PROBE_SET_CGROUPS(skeleton->rodata);
	skeleton->rodata->by_socket = options->by_socket;
	skeleton->rodata->own_netns = probe_own_netns();
	skeleton->rodata->ipv4_limit_known = !util_kernel_is_before(6, 12);
	probe_part_share_map(skeleton->maps.counts);
	bpf_map__set_max_entries(skeleton->maps.counts, keys);
	bpf_map__set_max_entries(skeleton->maps.seen, keys);
}

static void set_sockets(struct sockets_bpf *skeleton, const struct probe_options *options)
{
	PROBE_SET_FEATURES(skeleton->rodata, options->features);
	PROBE_SET_CGROUPS(skeleton->rodata);
}

/* The programs see process ids of the initial PID namespace. */
static void set_changes(struct changes_bpf *skeleton, const struct probe_options *options _unused_)
{
	struct stat st;

	PROBE_SET_CGROUPS(skeleton->rodata);
	skeleton->rodata->own_netns = probe_own_netns();
	if (!probe_has_foreign_pids() || stat("/proc/self/ns/pid", &st) < 0) {
		skeleton->bss->own_tgid = (uint32_t)getpid();
		return;
	}
	/* s_dev as the kernel has it (MKDEV()) */
	skeleton->rodata->own_pidns_dev = (uint64_t)major(st.st_dev) << 20 | minor(st.st_dev);
	skeleton->rodata->own_pidns_ino = st.st_ino;
	skeleton->rodata->own_tgid_there = (uint32_t)getpid();
}

PROBE_SKELETON(fallback, set_fallback)
PROBE_SKELETON(fallback_nobtf, PROBE_SET_NOTHING)
PROBE_SKELETON(sockets, set_sockets)
PROBE_SKELETON(changes, set_changes)

static int handle_event(void *userdata, void *data, size_t size)
{
	struct probe *probe = userdata;
	struct probe_hits hits;

	if (probe_parse_event(data, size, &hits) < 0)
		probe->malformed++;
	else if (probe->events_fn)
		probe->events_fn(&hits, probe->events_userdata);
	return ++probe->events_read >= EVENTS_AT_ONCE ? -EAGAIN : 0;
}

static bool any_running(const struct probe_status *status, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (status[i].method != PROBE_ABSENT && !strcmp(status[i].name, name))
			return true;
	return false;
}

static void use_process_function(struct probe *probe, size_t i)
{
	probe->process.hooks = &process_hooks[i];
	probe_part_init(&probe->process, probe->process.status, NULL);
}

/* Counts sendpage by process, unless the probe by cgroup is running. Without names of functions, tries one after the other. */
static void start_process(struct probe *probe, const struct probe_options *options)
{
	struct probe_status *status = probe->process.status;

	if (any_running(probe->fallback.status, probe->fallback.n_hooks, "sendpage")) {
		status->other_kernels = true;
		snprintf(status->why, PROBE_WHY_LEN, "the probe by service is running");
		return;
	}
	(void)probe_remove_stale_events("/sys", process_functions, ARRAY_SIZE(process_functions));
	probe_part_start(&probe->process, options);
	if (status->method == PROBE_ABSENT && status->other_kernels && probe->process.names_unknown) {
		use_process_function(probe, 1);
		probe_part_start(&probe->process, options);
	}
}

/* Without a known place, nothing is counted: then the hooks are only a cost. */
static void start_udp(struct probe *probe)
{
	struct probe_part *part = &probe->fallback;
	char why[PROBE_WHY_LEN];
	int r;

	if (!part->skeleton || part->status[HOOK_UDP_REFUSED].method == PROBE_ABSENT)
		return;
	r = probe_udp_find_places(part, why);
	for (size_t i = HOOK_UDP_REFUSED; r <= 0 && i <= HOOK_UDP_IPV6; i++) {
		(void)probe_part_attach(part, i, false);
		part->status[i].method = PROBE_ABSENT;
		part->status[i].other_kernels = r == 0;
		snprintf(part->status[i].why, PROBE_WHY_LEN, "%s", why);
	}
}

/* Uses sock_no_sendpage_locked() if the kernel has it, because only TCP calls it; otherwise sock_no_sendpage(). */
static void choose_process_function(struct probe *probe)
{
	if (probe->fallback.found[HOOK_SENDPAGE_LOCKED])
		return;
	probe->process.hooks = &process_hooks[1];
	probe->process.found[0] = probe->fallback.found[HOOK_SENDPAGE];
}

static void probe_start(struct probe *probe, const struct probe_options *options)
{
	if (!options->no_fallback) {
		probe_part_start(&probe->fallback, options);
		start_udp(probe);
		start_process(probe, options);
	}
	probe_part_start(&probe->sockets, options);
	if (!options->no_changes)
		probe_part_start(&probe->changes, options);
	if (probe->fallback.skeleton)
		probe->ring = ring_buffer__new(
			probe_part_map_fd(&probe->fallback, "events"), handle_event, probe, NULL);
}

int probe_open(const struct probe_options *options, struct probe **ret)
{
	struct probe *probe = calloc(1, sizeof(*probe));
	struct probe_part *parts[] = { &probe->fallback, &probe->process, &probe->sockets,
		&probe->changes };
	bool names;
	int cpus;

	if (!probe)
		return -ENOMEM;
	libbpf_set_print(probe_part_keep_complaint);
	cpus = libbpf_num_possible_cpus();
	names = feature_named(options->features, "tx-scatter-gather") &&
		feature_named(options->features, "tx-tcp-segmentation");
	probe->slice_usec = options->slice_usec;
	probe->cpus = cpus > 0 ? cpus : 1; /* if unknown, nothing is loaded or read */
	probe->fallback = PROBE_PART(fallback_hooks, true, fallback);
	probe->process = PROBE_PART(process_hooks, false, fallback_nobtf);
	probe->process.n_hooks = 1;
	probe->sockets = PROBE_PART(socket_hooks, true, sockets);
	probe->changes = PROBE_PART(change_hooks, true, changes);
	probe_part_find_functions(parts, ARRAY_SIZE(parts));
	choose_process_function(probe);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		probe_part_init(parts[i], probe->status + probe->n_status,
			!names		? "the feature names of the kernel are unknown"
				: cpus < 1 ? "the number of CPUs is unknown (/sys/devices/system/cpu)"
					   : "not requested");
		probe->n_status += parts[i]->n_hooks;
	}
	if (names && cpus > 0)
		probe_start(probe, options);
	*ret = probe;
	return 0;
}

void probe_close(struct probe *probe)
{
	if (!probe)
		return;
	ring_buffer__free(probe->ring);
	probe_part_close(&probe->changes);
	probe_part_close(&probe->sockets);
	probe_part_close(&probe->process);
	probe_part_close(&probe->fallback);
	free(probe);
}

const struct probe_status *probe_status(const struct probe *probe, size_t *ret_n)
{
	*ret_n = probe->n_status;
	return probe->status;
}

void probe_update_runs(struct probe *probe)
{
	probe_part_update_runs(&probe->fallback);
	probe_part_update_runs(&probe->process);
	probe_part_update_runs(&probe->changes);
}

int probe_events_fd(const struct probe *probe)
{
	return probe->ring ? ring_buffer__epoll_fd(probe->ring) : -ENOENT;
}

int probe_read_events(struct probe *probe, probe_hits_fn fn, void *userdata)
{
	int r;

	if (!probe->ring)
		return 0;
	probe->events_fn = fn;
	probe->events_userdata = userdata;
	probe->events_read = 0;
	r = ring_buffer__consume(probe->ring);
	probe_take_names();
	return r < 0 && r != -EAGAIN ? r : probe->events_read;
}

struct hits_reader {
	struct probe *probe;
	probe_hits_fn fn;
	probe_forget_fn forget;
	void *userdata;
	struct fallback_count *counts; /* one per CPU */
};

static int sum_hits(struct hits_reader *reader, int fd, const struct fallback_key *key,
	struct probe_hits *ret)
{
	uint64_t touched = 0;

	if (bpf_map_lookup_elem(fd, key, reader->counts) < 0 || probe_parse_key(key, ret) < 0)
		return -ENOENT;
	for (int i = 0; i < reader->probe->cpus; i++) {
		ret->hits += reader->counts[i].hits;
		ret->missing |= reader->counts[i].missing;
		if (reader->counts[i].limit && reader->counts[i].touched_ns >= touched)
			ret->limit = reader->counts[i].limit;
		if (reader->counts[i].largest > ret->largest)
			ret->largest = reader->counts[i].largest;
		if (reader->counts[i].touched_ns > touched)
			touched = reader->counts[i].touched_ns;
	}
	ret->last_usec = touched / NSEC_PER_USEC;
	return 0;
}

static int read_key(int fd, const void *key, void *userdata)
{
	struct hits_reader *reader = userdata;
	struct probe_hits hits;

	if (sum_hits(reader, fd, key, &hits) < 0)
		return 0;
	reader->fn(&hits, reader->userdata);
	return 1;
}

static int sum_process(const struct hits_reader *reader, int fd, const struct process_key *key, struct probe_hits *ret)
{
	struct process_count count;

	if (bpf_map_lookup_elem(fd, key, &count) < 0)
		return -ENOENT;
	*ret = (struct probe_hits){ .kind = FALLBACK_SENDPAGE, .origin = FALLBACK_SOCKET, .tgid = (pid_t)key->tgid, .hits = count.hits,
		.first_usec = count.first_ns / NSEC_PER_USEC, .last_usec = count.last_ns / NSEC_PER_USEC };
	ret->any_protocol = strcmp(reader->probe->process.hooks->function, process_hooks[0].function) != 0;
	util_copy_name(ret->comm, sizeof(ret->comm), key->comm, sizeof(key->comm));
	return 0;
}

/* check-path copies on purpose. */
static int read_process(int fd, const void *data, void *userdata)
{
	const struct process_key *key = data;
	struct hits_reader *reader = userdata;
	struct probe_hits hits;

	if (!strncmp(key->comm, "offloadctl", sizeof(key->comm)) || sum_process(reader, fd, data, &hits) < 0)
		return 0;
	reader->fn(&hits, reader->userdata);
	return 1;
}

/* Walks the combinations of both probes. The sum of what the functions return in this call; -EAGAIN; -ENOMEM. */
static int walk_hits(struct hits_reader *reader, struct probe_walk *walk, int (*key)(int fd, const void *key, void *userdata),
	int (*process)(int fd, const void *key, void *userdata))
{
	_cleanup_free_ struct fallback_count *counts = calloc((size_t)reader->probe->cpus, sizeof(*counts));
	uint64_t until_usec = walk && reader->probe->slice_usec ? util_now_usec() + reader->probe->slice_usec : 0;
	struct probe_walk whole = { 0 };
	int n = 0, r;

	if (!counts)
		return -ENOMEM;
	reader->counts = counts;
	walk = walk ? walk : &whole;
	for (; walk->map < 2; walk->map++) {
		r = walk->map == 0 ? probe_part_walk_keys(&reader->probe->fallback, "counts", &walk->at, until_usec, key, reader)
			: probe_part_walk_keys(&reader->probe->process, "processes", &walk->at, until_usec, process, reader);
		if (r < 0)
			return r;
		n += r;
	}
	*walk = (struct probe_walk){ 0 };
	return n;
}

int probe_read_hits(struct probe *probe, struct probe_walk *walk, probe_hits_fn fn, void *userdata)
{
	struct hits_reader reader = { .probe = probe, .fn = fn, .userdata = userdata };

	return walk_hits(&reader, walk, read_key, read_process);
}

static int forget_key(int fd, const void *key, void *userdata)
{
	struct hits_reader *reader = userdata;
	struct probe_hits hits;

	if (sum_hits(reader, fd, key, &hits) < 0 || !reader->forget(&hits, reader->userdata))
		return 0;
	bpf_map_delete_elem(probe_part_map_fd(&reader->probe->fallback, "seen"), key);
	return bpf_map_delete_elem(fd, key) == 0;
}

static int forget_process(int fd, const void *data, void *userdata)
{
	const struct hits_reader *reader = userdata;
	struct probe_hits hits;

	return sum_process(reader, fd, data, &hits) == 0 && reader->forget(&hits, reader->userdata) &&
	       bpf_map_delete_elem(fd, data) == 0;
}

int probe_forget_hits(struct probe *probe, probe_forget_fn fn, void *userdata)
{
	struct hits_reader reader = { .probe = probe, .forget = fn, .userdata = userdata };

	return walk_hits(&reader, NULL, forget_key, forget_process);
}

int probe_settle(struct probe *probe, uint64_t cgroup, bool settled)
{
	int fd = probe_part_map_fd(&probe->fallback, "settled"), r;
	__u8 yes = 1;

	if (fd < 0)
		return -EOPNOTSUPP;
	r = settled ? bpf_map_update_elem(fd, &cgroup, &yes, BPF_ANY) : bpf_map_delete_elem(fd, &cgroup);
	return r < 0 && errno != ENOENT ? -errno : 0;
}

void probe_read_lost(struct probe *probe, struct probe_lost *ret)
{
	__u64 process_hits = 0, process_time = 0;
	__u32 hits = PROCESS_LOST_HITS, time = PROCESS_LOST_TIME;
	int fd = probe_part_map_fd(&probe->process, "processes_lost");

	*ret = (struct probe_lost){ .malformed = probe->malformed };
	for (__u32 kind = 0; kind < FALLBACK_KINDS; kind++) {
		ret->hits[kind] = probe_part_read_percpu(
			&probe->fallback, "lost", FALLBACK_LOST_HITS + kind, probe->cpus);
		ret->elsewhere[kind] = probe_part_read_percpu(
			&probe->fallback, "lost", FALLBACK_ELSEWHERE + kind, probe->cpus);
	}
	ret->senders = probe_part_read_percpu(&probe->fallback, "lost", FALLBACK_LOST_SENDERS, probe->cpus);
	ret->events = probe_part_read_percpu(&probe->fallback, "lost", FALLBACK_LOST_EVENTS, probe->cpus);
	ret->hits_usec = probe_part_read_latest(&probe->fallback, "lost", FALLBACK_LOST_TIME, probe->cpus) / NSEC_PER_USEC;
	if (fd < 0 || bpf_map_lookup_elem(fd, &hits, &process_hits) < 0 || bpf_map_lookup_elem(fd, &time, &process_time) < 0)
		return;
	ret->hits[FALLBACK_SENDPAGE] += process_hits;
	if (process_time / NSEC_PER_USEC > ret->hits_usec)
		ret->hits_usec = process_time / NSEC_PER_USEC;
}

int probe_read_senders(struct probe *probe, probe_sender_fn fn, void *userdata)
{
	return probe_udp_read(&probe->fallback, &(struct probe_udp_reader){ fn, userdata });
}

int probe_watch_senders(struct probe *probe, bool watch)
{
	int r = probe_part_attach(&probe->fallback, HOOK_UDP_IPV4, watch);
	int r6 = probe_part_attach(&probe->fallback, HOOK_UDP_IPV6, watch);

	return r < 0 ? r : r6;
}

/* Until Linux 5.19 every bpf(2) needs a capability where unprivileged users may not use it (__sys_bpf() in kernel/bpf/syscall.c). An
 * administrator may forbid it later, unless it is forbidden now. */
static bool needs_bpf_to_read(const struct probe *probe)
{
	const uint64_t bpf = UINT64_C(1) << CAP_BPF | UINT64_C(1) << CAP_SYS_ADMIN;
	const struct probe_part *const parts[] = { &probe->fallback, &probe->process, &probe->sockets, &probe->changes };
	_cleanup_fclose_ FILE *f = fopen("/proc/sys/kernel/unprivileged_bpf_disabled", "re");
	bool forbidden = f && fgetc(f) != '0';
	struct bpf_map_info info;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		struct bpf_map *map = parts[i]->skeleton ? bpf_object__next_map(*parts[i]->base->obj, NULL) : NULL;
		__u32 size = sizeof(info);
		int r;

		if (!map)
			continue;
		if (!forbidden || util_lower_capabilities(bpf, false) < 0)
			return true;
		r = bpf_obj_get_info_by_fd(bpf_map__fd(map), &info, &size);
		return util_raise_capabilities(bpf) < 0 || r < 0;
	}
	return false;
}

uint64_t probe_needed_capabilities(const struct probe *probe)
{
	uint64_t needed = needs_bpf_to_read(probe) ? UINT64_C(1) << CAP_BPF | UINT64_C(1) << CAP_SYS_ADMIN : 0;

	for (size_t i = HOOK_UDP_IPV4; i <= HOOK_UDP_IPV6; i++)
		if (probe->fallback.skeleton && probe->fallback.status[i].method == PROBE_KPROBE)
			needed |= UINT64_C(1) << CAP_PERFMON | UINT64_C(1) << CAP_SYS_ADMIN; /* perf_event_open(2) */
	return needed;
}

void probe_forget_sender(struct probe *probe, const struct probe_sender_key *key)
{
	probe_udp_forget(&probe->fallback, key);
}

void probe_restore_sender(struct probe *probe, const struct probe_sender *sender)
{
	probe_udp_restore(&probe->fallback, sender);
}

void probe_end_pass(struct probe_pass *pass)
{
	if (pass->open)
		close(pass->fd);
	*pass = (struct probe_pass){ 0 };
}

static int begin_pass(struct probe *probe, unsigned hook, struct probe_pass *pass)
{
	if (pass->open)
		return 0;
	*pass = (struct probe_pass){ .fd = bpf_iter_create(bpf_link__fd(probe->sockets.links[hook][0])) };
	pass->open = pass->fd >= 0;
	return pass->open ? 0 : -errno;
}

/* Reads an iterator, whose structs have `size` bytes each; the kernel gives whole ones if that is asked for. take: nonzero ends it. */
static int read_iterator(struct probe *probe, unsigned hook, struct probe_pass *pass, size_t size,
	int (*take)(const void *data, void *userdata), void *userdata)
{
	size_t space = ITERATOR_READ / size * size;
	_cleanup_free_ char *buf = malloc(space);
	uint64_t until_usec = pass && probe->slice_usec ? util_now_usec() + probe->slice_usec : 0;
	struct probe_pass whole = { 0 };
	ssize_t len = 1;
	int r;

	if (!buf)
		return -ENOMEM;
	pass = pass ? pass : &whole;
	r = begin_pass(probe, hook, pass);
	if (r < 0)
		return r;
	((struct sockets_bpf *)probe->sockets.skeleton)->bss->until_ns = until_usec * NSEC_PER_USEC;
	while (r == 0 && len) {
		if (until_usec && util_now_usec() >= until_usec) {
			pass->split = true;
			return -EAGAIN;
		}
		len = read(pass->fd, buf, space);
		if (len < 0)
			r = errno == EINTR || errno == EAGAIN ? 0 : -errno;
		for (ssize_t at = 0; r == 0 && len - at >= (ssize_t)size; at += (ssize_t)size)
			r = take(buf + at, userdata);
		probe_take_names(); /* each entry may have added one */
	}
	close(pass->fd);
	pass->open = false;
	return r < 0 ? r : 0;
}

struct socket_reader {
	struct probe *probe;
	probe_socket_fn fn;
	void *userdata;
	int n;
};

static int take_socket(const void *data, void *userdata)
{
	struct socket_reader *reader = userdata;
	struct socket_info socket;

	if (probe_parse_socket(data, sizeof(struct socket_entry), &socket) < 0) {
		reader->probe->malformed++;
		return 0;
	}
	reader->n++;
	return reader->fn(&socket, reader->userdata);
}

int probe_read_sockets(struct probe *probe, struct probe_pass *pass, bool all, probe_socket_fn fn, void *userdata,
	uint64_t *ret_visited)
{
	struct socket_reader reader = { probe, fn, userdata, 0 };
	struct sockets_bpf *skeleton = probe->sockets.skeleton;
	int r;

	if (!skeleton || !probe->sockets.links[HOOK_SOCKETS][0])
		return -EOPNOTSUPP;
	skeleton->bss->all = all;
	if (!pass || !pass->open)
		skeleton->bss->visited = 0;
	r = read_iterator(probe, HOOK_SOCKETS, pass, sizeof(struct socket_entry), take_socket, &reader);
	if (r >= 0 && ret_visited)
		*ret_visited = skeleton->bss->visited;
	return r < 0 ? r : reader.n;
}

struct holder_reader {
	struct probe *probe;
	probe_holder_fn fn;
	void *userdata;
	int n;
};

static int take_holder(const void *data, void *userdata)
{
	struct holder_reader *reader = userdata;
	struct probe_holder holder;

	if (probe_parse_holder(data, sizeof(struct holder_entry), &holder) < 0) {
		reader->probe->malformed++;
		return 0;
	}
	reader->n++;
	reader->fn(&holder, reader->userdata);
	return 0;
}

int probe_read_holders(struct probe *probe, struct probe_pass *pass, probe_holder_fn fn, void *userdata)
{
	struct holder_reader reader = { probe, fn, userdata, 0 };
	int r = !probe->sockets.skeleton || !probe->sockets.links[HOOK_HOLDERS][0] ? -EOPNOTSUPP
		: read_iterator(probe, HOOK_HOLDERS, pass, sizeof(struct holder_entry), take_holder, &reader);

	return r < 0 ? r : reader.n;
}

int probe_find_change(struct probe *probe, uint32_t netns, int ifindex, struct probe_change *ret)
{
	struct change_key key = { .netns = netns, .ifindex = (__u32)ifindex };
	int fd = probe_part_map_fd(&probe->changes, "changes"), r;
	struct change_entry entry;

	if (fd < 0)
		return -EOPNOTSUPP;
	if (bpf_map_lookup_elem(fd, &key, &entry) < 0)
		return -ENOENT;
	r = probe_parse_change(&entry, sizeof(entry), ret);
	if (r < 0)
		probe->malformed++;
	return r < 0 ? -ENOENT : 0;
}
