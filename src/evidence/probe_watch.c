/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Probes that are loaded on request: sendfile latency, rates of TCP functions. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "bpf/event.h"
#include "evidence/probe_private.h"
#include "basic/util.h"

#include "latency.skel.h"
#include "rates.skel.h"

#define NSEC_PER_USEC 1000

static const struct probe_hook latency_hooks[] = {
	PROBE_HOOK_PAIR("latency", "do_sendfile", "sendfile"),
	{ .name = "latency waits", .function = "__traceiter_sched_switch", .fentry = { "sendfile_switch" } },
};

static const struct probe_hook rate_hooks[] = {
	[RATE_SENDMSG] = PROBE_HOOK("tcp_sendmsg", "tcp_sendmsg", "sendmsg", false),
	[RATE_PUSH_ONE] = { .name = "tcp_push_one",
		.function = "tcp_push_one",
		.kprobe = { "push_one_kprobe" } },
	[RATE_WRITE_TIMER] = PROBE_HOOK("tcp_write_timer", "tcp_write_timer", "write_timer", false),
};

struct probe_latency {
	struct probe_part part;
	struct probe_status status[ARRAY_SIZE(latency_hooks)];
	int cpus;
};

struct probe_rates {
	struct probe_part part;
	struct probe_status status[ARRAY_SIZE(rate_hooks)];
	int cpus;
};

static void set_latency(struct latency_bpf *skeleton, const struct probe_options *options)
{
	PROBE_SET_FEATURES(skeleton->rodata, options->features);
	PROBE_SET_GSO(skeleton->rodata, options->features);
	PROBE_SET_CGROUPS(skeleton->rodata);
	probe_part_share_map(skeleton->maps.histograms);
}

static void set_rates(struct rates_bpf *skeleton, const struct probe_options *options _unused_)
{
	PROBE_SET_CGROUPS(skeleton->rodata);
	probe_part_share_map(skeleton->maps.stack_counts);
}

PROBE_SKELETON(latency, set_latency)
PROBE_SKELETON(rates, set_rates)

/* Loads a single part. Returns the number of CPUs; if that is unknown, it returns 1 and loads nothing. */
static int start_alone(struct probe_part *part, struct probe_status *status, const struct feature_table *features)
{
	const struct probe_options options = { .features = features };
	int cpus;

	libbpf_set_print(probe_part_keep_complaint);
	cpus = libbpf_num_possible_cpus();
	probe_part_init(part, status, NULL);
	probe_part_assume_functions(part); /* nearly every kernel has them, and to read all names takes longer than to load this */
	if (cpus > 0)
		probe_part_start(part, &options);
	return cpus > 0 ? cpus : 1;
}

int probe_latency_open(const struct feature_table *features, bool waits, struct probe_latency **ret,
	struct probe_status *ret_status)
{
	struct probe_latency *latency = calloc(1, sizeof(*latency));

	if (!latency)
		return -ENOMEM;
	latency->part = PROBE_PART(latency_hooks, true, latency);
	latency->status[1].method = PROBE_ABSENT;
	if (!waits)
		latency->part.n_hooks = 1;
	latency->cpus = start_alone(&latency->part, latency->status, features);
	if (ret_status)
		*ret_status = latency->status[0];
	if (latency->status[0].method == PROBE_ABSENT) {
		probe_latency_close(latency);
		return -EOPNOTSUPP;
	}
	*ret = latency;
	return 0;
}

void probe_latency_close(struct probe_latency *latency)
{
	if (!latency)
		return;
	probe_part_close(&latency->part);
	free(latency);
}

bool probe_latency_has_waits(const struct probe_latency *latency)
{
	return latency->status[1].method != PROBE_ABSENT;
}

struct latency_reader {
	struct probe_latency *latency;
	bool reset;
	probe_latency_fn fn;
	void *userdata;
	struct latency_histogram *values; /* one per CPU */
	uint64_t now_ns;
};

static struct probe_latency_histogram of_key(const struct latency_key *key)
{
	return (struct probe_latency_histogram){ .cgroup = key->cgroup, .netns = key->netns,
		.ifindex = key->ifindex > INT32_MAX ? 0 : (int)key->ifindex, .fallback = key->fallback };
}

static int read_histogram(int fd, const void *data, void *userdata)
{
	const struct latency_key *key = data;
	struct latency_reader *reader = userdata;
	struct probe_latency_histogram sum = of_key(key);

	if (bpf_map_lookup_elem(fd, key, reader->values) < 0)
		return 0;
	for (int i = 0; i < reader->latency->cpus; i++) {
		sum.count += reader->values[i].count;
		sum.total_usec += reader->values[i].total_usec;
		sum.disk_usec += reader->values[i].disk_usec;
		sum.peer_usec += reader->values[i].peer_usec;
		for (size_t j = 0; j < LATENCY_SLOTS; j++)
			sum.slots[j] += reader->values[i].slots[j];
	}
	if (reader->reset)
		bpf_map_delete_elem(fd, key);
	if (reader->fn)
		reader->fn(&sum, reader->userdata);
	return 1;
}

/* A kretprobe may miss a return, and then the start remains in the map. Is the thread in sendfile(2) according to /proc? */
static bool may_be_in_sendfile(uint32_t thread)
{
	_cleanup_close_ int fd = -1;
	char name[64], text[16] = "";

	snprintf(name, sizeof(name), "/proc/%u/syscall", thread);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return false;
	return !strncmp(text, "running", 7) || strtol(text, NULL, 10) == SYS_sendfile;
}

static int read_start(int fd, const void *data, void *userdata)
{
	const __u32 *thread = data;
	struct latency_reader *reader = userdata;
	struct probe_latency_histogram call;
	struct latency_start start;
	uint64_t asleep;

	if (bpf_map_lookup_elem(fd, thread, &start) < 0 || start.time_ns > reader->now_ns ||
		(reader->latency->status[0].method == PROBE_KPROBE && !may_be_in_sendfile(*thread)))
		return 0;
	call = of_key(&start.key);
	asleep = start.asleep_ns && start.asleep_ns < reader->now_ns ? reader->now_ns - start.asleep_ns : 0;
	call.total_usec = (reader->now_ns - start.time_ns) / NSEC_PER_USEC;
	call.disk_usec = (start.disk_ns + (start.disk ? asleep : 0)) / NSEC_PER_USEC;
	call.peer_usec = (start.peer_ns + (start.disk ? 0 : asleep)) / NSEC_PER_USEC;
	reader->fn(&call, reader->userdata);
	return 1;
}

int probe_latency_read_running(struct probe_latency *latency, probe_latency_fn fn, void *userdata)
{
	struct latency_reader reader = { .latency = latency, .fn = fn, .userdata = userdata,
		.now_ns = util_now_usec() * NSEC_PER_USEC };

	return probe_part_foreach_key(&latency->part, "starts", read_start, &reader);
}

void probe_latency_read_lost(struct probe_latency *latency, struct probe_latency_lost *ret)
{
	ret->calls = probe_part_read_percpu(&latency->part, "latency_lost", LATENCY_LOST_CALLS, latency->cpus);
	ret->begun = probe_part_read_percpu(&latency->part, "latency_lost", LATENCY_LOST_BEGUN, latency->cpus);
}

int probe_latency_read(struct probe_latency *latency, bool reset, probe_latency_fn fn, void *userdata)
{
	_cleanup_free_ struct latency_histogram *values =
		calloc((size_t)latency->cpus, sizeof(*values));
	struct latency_reader reader = { .latency = latency, .reset = reset, .fn = fn, .userdata = userdata,
		.values = values };

	if (!values)
		return -ENOMEM;
	return probe_part_foreach_key(&latency->part, "histograms", read_histogram, &reader);
}

int probe_rates_open(const struct feature_table *features, struct probe_rates **ret)
{
	struct probe_rates *rates = calloc(1, sizeof(*rates));

	if (!rates)
		return -ENOMEM;
	rates->part = PROBE_PART(rate_hooks, true, rates);
	rates->cpus = start_alone(&rates->part, rates->status, features);
	*ret = rates;
	return 0;
}

void probe_rates_close(struct probe_rates *rates)
{
	if (!rates)
		return;
	probe_part_close(&rates->part);
	free(rates);
}

const struct probe_status *probe_rates_status(const struct probe_rates *rates)
{
	return rates->status;
}

static int drop_key(int fd, const void *key, void *userdata _unused_)
{
	return bpf_map_delete_elem(fd, key) == 0;
}

void probe_rates_reset(struct probe_rates *rates)
{
	_cleanup_free_ __u64 *none = calloc((size_t)rates->cpus, sizeof(*none));
	int totals = probe_part_map_fd(&rates->part, "totals");

	for (__u32 kind = 0; none && totals >= 0 && kind < RATE_KINDS; kind++)
		(void)bpf_map_update_elem(totals, &kind, none, BPF_ANY);
	probe_part_foreach_key(&rates->part, "rates", drop_key, NULL);
	probe_part_foreach_key(&rates->part, "stack_counts", drop_key, NULL);
}

uint64_t probe_rates_total(const struct probe_rates *rates, enum rate_kind kind)
{
	return probe_part_read_percpu(&rates->part, "totals", kind, rates->cpus);
}

struct rates_reader {
	struct probe_rates *rates;
	probe_rate_fn rate;
	probe_stack_fn stack;
	void *userdata;
	__u64 *values; /* one per CPU */
};

/* -ENOENT if the key was removed meanwhile. */
static int read_sum(const struct rates_reader *reader, int fd, const void *key, uint64_t *ret)
{
	*ret = 0;
	if (bpf_map_lookup_elem(fd, key, reader->values) < 0)
		return -ENOENT;
	for (int i = 0; i < reader->rates->cpus; i++)
		*ret += reader->values[i];
	return 0;
}

static int read_rate(int fd, const void *data, void *userdata)
{
	const struct rates_reader *reader = userdata;
	const struct rate_key *key = data;
	struct probe_rate rate = { .kind = key->kind, .cgroup = key->cgroup, .netns = key->netns,
		.ifindex = (int)key->ifindex };

	if (key->kind >= RATE_KINDS || key->ifindex > INT32_MAX || read_sum(reader, fd, key, &rate.count) < 0)
		return 0;
	reader->rate(&rate, reader->userdata);
	return 1;
}

static int read_stack(int fd, const void *data, void *userdata)
{
	const struct rates_reader *reader = userdata;
	const struct stack_key *key = data;
	struct probe_stack stack = { .cgroup = key->cgroup, .netns = key->netns, .ifindex = (int)key->ifindex };
	int stacks = probe_part_map_fd(&reader->rates->part, "stacks");

	if (key->ifindex > INT32_MAX || read_sum(reader, fd, key, &stack.count) < 0 ||
		bpf_map_lookup_elem(stacks, &key->stack, stack.addresses) < 0)
		return 0;
	while (stack.n < STACK_DEPTH && stack.addresses[stack.n])
		stack.n++;
	reader->stack(&stack, reader->userdata);
	return 1;
}

static int read_rates(struct probe_rates *rates, const char *map, probe_rate_fn rate, probe_stack_fn stack,
	void *userdata)
{
	_cleanup_free_ __u64 *values = calloc((size_t)rates->cpus, sizeof(*values));
	struct rates_reader reader = { rates, rate, stack, userdata, values };

	if (!values)
		return -ENOMEM;
	return probe_part_foreach_key(&rates->part, map, rate ? read_rate : read_stack, &reader);
}

int probe_rates_read(struct probe_rates *rates, probe_rate_fn fn, void *userdata)
{
	return read_rates(rates, "rates", fn, NULL, userdata);
}

int probe_rates_read_stacks(struct probe_rates *rates, probe_stack_fn fn, void *userdata)
{
	return read_rates(rates, "stack_counts", NULL, fn, userdata);
}
