/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the probes make of a kernel: which of them are loaded when programs are refused or cannot be attached, and what is read from its
 * maps, iterators and events. */
#include "unit.h"

#include <linux/capability.h>
#include <linux/types.h>

#include "bpf/event.h"
#include "evidence/evidence.h"
#include "unit-bpf.h"

#define USEC 1000 /* in ns */

static struct feature_table features;

static struct probe *open_probes(uint64_t slice_usec)
{
	const struct probe_options options = { .features = &features, .slice_usec = slice_usec, .by_socket = true };
	struct probe *probe;

	unit_features(&features);
	assert_int_equal(probe_open(&options, &probe), 0);
	return probe;
}

/* The probe that is attached to this function, or would be. */
static const struct probe_status *status_of(const struct probe *probe, const char *function)
{
	const struct probe_status *status;
	size_t n;

	status = probe_status(probe, &n);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(status[i].function, function))
			return &status[i];
	fail_msg("no probe of %s", function);
	return NULL;
}

/* Copies by process, by whichever function. */
static const struct probe_status *by_process(const struct probe *probe)
{
	const struct probe_status *status;
	size_t n;

	status = probe_status(probe, &n);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(status[i].name, EVIDENCE_BY_PROCESS))
			return &status[i];
	fail_msg("no probe of processes");
	return NULL;
}

static void is_absent(const struct probe *probe, const char *function, const char *why)
{
	assert_int_equal(status_of(probe, function)->method, PROBE_ABSENT);
	assert_string_equal(status_of(probe, function)->why, why);
}

/* ---- loading ---- */

static void what_the_kernel_has_is_loaded_at_once(_unused_ void **state)
{
	struct probe *probe = open_probes(0);

	assert_int_equal(kernel.loads, 3);
	assert_int_equal(status_of(probe, "__skb_gso_segment")->method, PROBE_FENTRY);
	assert_int_equal(status_of(probe, "sock_no_sendpage")->method, PROBE_FENTRY);
	assert_int_equal(status_of(probe, "iter/tcp")->method, PROBE_ITERATOR);
	assert_int_equal(status_of(probe, "__netdev_update_features")->method, PROBE_FENTRY);
	assert_int_equal(status_of(probe, "__traceiter_kfree_skb")->method, PROBE_FENTRY);
	/* kernels have one of the two */
	is_absent(probe, "splice_to_socket", "this kernel has no splice_to_socket");
	assert_true(status_of(probe, "splice_to_socket")->other_kernels);
	assert_int_equal(by_process(probe)->method, PROBE_ABSENT);
	assert_string_equal(by_process(probe)->why, "the probe by service is running");
	assert_true(by_process(probe)->other_kernels);
	assert_int_equal(probe_events_fd(probe), 77);
	/* returns before entries */
	assert_true(strstr(kernel.order, "+update_fexit +update_fentry ") != NULL);
	probe_close(probe);
	assert_true(strstr(kernel.order, "-update_fentry -update_fexit ") || strstr(kernel.order, "-update_fexit -update_fentry "));
}

static void what_is_refused_has_another_method_or_a_reason(_unused_ void **state)
{
	struct probe *probe;

	kernel.refused[0] = "segmentation_fentry";
	kernel.refused[1] = "checksum_fentry";
	kernel.refused[2] = "checksum_kprobe";
	probe = open_probes(0);
	assert_int_equal(status_of(probe, "__skb_gso_segment")->method, PROBE_KPROBE);
	assert_string_equal(status_of(probe, "__skb_gso_segment")->why, "");
	is_absent(probe, "skb_checksum_help", "Invalid argument: libbpf: prog 'checksum_kprobe': too complex");
	assert_true(status_of(probe, "skb_checksum_help")->fixable);
	assert_int_equal(status_of(probe, "sock_no_sendpage")->method, PROBE_FENTRY);
	probe_close(probe);
}

static void what_cannot_be_attached_has_another_method(_unused_ void **state)
{
	struct probe *probe;

	kernel.attach_error = EBUSY;
	kernel.unattached[0] = "segmentation_fentry";
	kernel.unattached[1] = "update_fentry"; /* its return was attached before */
	kernel.unattached[2] = "update_kprobe";
	kernel.unattached[3] = "holders";
	probe = open_probes(0);
	assert_int_equal(status_of(probe, "__skb_gso_segment")->method, PROBE_KPROBE);
	is_absent(probe, "__netdev_update_features", "Device or resource busy: ");
	is_absent(probe, "iter/task_file", "Device or resource busy: ");
	assert_int_equal(status_of(probe, "iter/tcp")->method, PROBE_ITERATOR);
	assert_int_equal(probe_read_holders(probe, NULL, NULL, NULL), -EOPNOTSUPP);
	probe_close(probe);
}

static void a_part_without_any_method_is_closed(_unused_ void **state)
{
	struct probe *probe;
	struct probe_change change;

	kernel.refused[0] = "sockets";
	kernel.refused[1] = "holders";
	kernel.attach_error = ENOENT;
	kernel.unattached[0] = "update_fentry";
	kernel.unattached[1] = "update_kprobe";
	kernel.unattached[2] = "spread_fentry";
	kernel.unattached[3] = "spread_kprobe";
	probe = open_probes(0);
	assert_int_equal(probe_read_sockets(probe, NULL, true, NULL, NULL, NULL), -EOPNOTSUPP);
	assert_int_equal(probe_find_change(probe, 1, 1, &change), -EOPNOTSUPP);
	is_absent(probe, "iter/tcp", "Invalid argument: libbpf: prog 'sockets': too complex");
	probe_close(probe);
}

/* Linux up to 5.12 attaches fentry once only. */
static void what_is_attached_on_demand_can_be_attached_again(_unused_ void **state)
{
	struct probe *probe;

	kernel.unattached_again = "udp_ipv4_fentry";
	kernel.attach_error = EBUSY;
	probe = open_probes(0);
	assert_int_equal(status_of(probe, "ip_send_skb")->method, PROBE_KPROBE);
	assert_int_equal(status_of(probe, "ip6_send_skb")->method, PROBE_FENTRY);
	kernel.order[0] = '\0';
	assert_int_equal(probe_watch_senders(probe, true), 0);
	assert_string_equal(kernel.order, "+udp_ipv4_kprobe +udp_ipv6_fentry ");
	assert_int_equal(probe_watch_senders(probe, true), 0);
	assert_int_equal(probe_watch_senders(probe, false), 0);
	assert_string_equal(kernel.order, "+udp_ipv4_kprobe +udp_ipv6_fentry -udp_ipv4_kprobe -udp_ipv6_fentry ");
	/* perf_event_open(2) needs a capability each time */
	assert_true(probe_needed_capabilities(probe) & UINT64_C(1) << CAP_PERFMON);
	kernel.unattached[0] = "udp_ipv6_fentry";
	assert_int_equal(probe_watch_senders(probe, true), -EBUSY);
	is_absent(probe, "ip6_send_skb", "Device or resource busy: ");
	assert_int_equal(probe_watch_senders(probe, false), -EOPNOTSUPP);
	probe_close(probe);
}

static void without_privilege_or_btf_nothing_is_tried(_unused_ void **state)
{
	struct probe *probe;

	kernel.surroundings.missing_privilege = "CAP_BPF";
	probe = open_probes(0);
	assert_int_equal(kernel.loads, 0);
	is_absent(probe, "__skb_gso_segment", "Operation not permitted: ");
	is_absent(probe, "iter/tcp", "Operation not permitted: ");
	assert_int_equal(probe_events_fd(probe), -ENOENT);
	assert_int_equal(probe_needed_capabilities(probe), 0);
	probe_close(probe);
}

static void without_btf_copies_are_counted_by_process(_unused_ void **state)
{
	struct probe *probe;

	kernel.surroundings.btf = ENOENT;
	probe = open_probes(0);
	assert_int_equal(kernel.loads, 1);
	assert_int_equal(kernel.cleanups, 1);
	is_absent(probe, "__skb_gso_segment", "Operation not permitted: ");
	assert_string_equal(kernel.order, "+process_locked_kprobe ");
	probe_close(probe);

	/* without sock_no_sendpage_locked() by the other function, which UDP calls, too */
	kernel.order[0] = '\0';
	kernel.functions[1] = "skb_checksum_help";
	probe = open_probes(0);
	assert_string_equal(kernel.order, "+process_kprobe ");
	probe_close(probe);

	kernel.functions[0] = "skb_checksum_help";
	probe = open_probes(0);
	assert_int_equal(by_process(probe)->method, PROBE_ABSENT);
	assert_string_equal(by_process(probe)->why, "this kernel has no sock_no_sendpage");
	probe_close(probe);
}

static void without_names_of_functions_one_after_the_other_is_tried(_unused_ void **state)
{
	struct probe *probe;

	kernel.surroundings.btf = ENOENT;
	kernel.kallsyms = ""; /* as ProtectKernelTunables= of systemd leaves it */
	kernel.attach_error = ENOENT;
	kernel.unattached[0] = "process_locked_kprobe";
	probe = open_probes(0);
	assert_string_equal(kernel.order, "+process_kprobe ");
	probe_close(probe);
	kernel.unattached[1] = "process_kprobe";
	probe = open_probes(0);
	assert_string_equal(by_process(probe)->function, "sock_no_sendpage");
	assert_string_equal(by_process(probe)->why, "this kernel has no sock_no_sendpage");
	probe_close(probe);
	/* another error is not about the name */
	kernel.attach_error = EACCES;
	probe = open_probes(0);
	assert_string_equal(by_process(probe)->function, "sock_no_sendpage_locked");
	assert_string_equal(by_process(probe)->why, "Permission denied: ");
	probe_close(probe);
}

static void types_have_the_names_of_functions_too(_unused_ void **state)
{
	struct probe *probe;

	kernel.kallsyms = "";
	kernel.types[0] = "__skb_gso_segment";
	kernel.types[1] = "splice_to_socket";
	probe = open_probes(0);
	assert_int_equal(status_of(probe, "__skb_gso_segment")->method, PROBE_FENTRY);
	assert_int_equal(status_of(probe, "splice_to_socket")->method, PROBE_FENTRY);
	assert_int_equal(status_of(probe, "iter/tcp")->method, PROBE_ITERATOR);
	is_absent(probe, "skb_checksum_help", "this kernel has no skb_checksum_help");
	assert_false(status_of(probe, "skb_checksum_help")->other_kernels);
	probe_close(probe);
}

static void many_cpus_share_a_count(_unused_ void **state)
{
	struct probe *probe = open_probes(0);

	assert_int_equal(kernel.counts_type, BPF_MAP_TYPE_PERCPU_HASH);
	probe_close(probe);
	kernel.cpus = PROBE_PERCPU_MAX + 1;
	probe = open_probes(0);
	assert_int_equal(kernel.counts_type, BPF_MAP_TYPE_HASH);
	probe_close(probe);
	kernel.cpus = -EINVAL;
	kernel.loads = 0;
	probe = open_probes(0);
	is_absent(probe, "iter/tcp", "the number of CPUs is unknown (/sys/devices/system/cpu)");
	assert_int_equal(kernel.loads, 0);
	probe_close(probe);
}

static void runs_are_those_of_entry_and_return(_unused_ void **state)
{
	struct probe *probe = open_probes(0);

	probe_update_runs(probe);
	assert_int_equal(status_of(probe, "__skb_gso_segment")->runs, 3);
	assert_int_equal(status_of(probe, "__netdev_update_features")->runs, 6);
	assert_int_equal(status_of(probe, "__netdev_update_features")->run_nsec, 1400);
	kernel.info_error = EPERM;
	probe_update_runs(probe);
	assert_int_equal(status_of(probe, "__skb_gso_segment")->runs, 0);
	probe_close(probe);
}

static void reading_needs_a_capability_where_it_is_forbidden_later(_unused_ void **state)
{
	const uint64_t bpf = UINT64_C(1) << CAP_BPF | UINT64_C(1) << CAP_SYS_ADMIN;
	struct probe *probe = open_probes(0);

	kernel.unprivileged = "0"; /* an administrator may forbid it any time */
	assert_int_equal(probe_needed_capabilities(probe), bpf);
	kernel.unprivileged = "2";
	kernel.info_error = EPERM;
	assert_int_equal(probe_needed_capabilities(probe), bpf);
	kernel.info_error = 0; /* who has the capabilities can try it without them */
	assert_int_equal(probe_needed_capabilities(probe),
		util_has_capability(CAP_BPF) && util_has_capability(CAP_SYS_ADMIN) ? 0 : bpf);
	probe_close(probe);
}

/* ---- hits ---- */

static void put_hits(uint64_t cgroup, uint64_t a, uint64_t b)
{
	const struct fallback_key key = { .cgroup = cgroup, .netns = 3, .ifindex = 4, .sender = 55, .kind = FALLBACK_SEGMENTATION,
		.reason = FALLBACK_REASON_SIZE };
	const struct fallback_count counts[BPF_CPUS] = {
		{ .hits = a, .touched_ns = 9000 * USEC, .missing = 1, .limit = 100, .largest = 500 },
		{ .hits = b, .touched_ns = 7000 * USEC, .missing = 4, .limit = 200, .largest = 900 },
	};

	MAP_PUT("counts", key, counts);
}

struct sum {
	unsigned n;
	uint64_t hits, cgroups;
	struct probe_hits last;
};

static void add_hits(const struct probe_hits *hits, void *userdata)
{
	struct sum *sum = userdata;

	sum->n++;
	sum->hits += hits->hits;
	sum->cgroups += hits->cgroup;
	sum->last = *hits;
}

static void hits_are_the_sum_of_all_cpus(_unused_ void **state)
{
	struct fallback_key bad = { .kind = FALLBACK_KINDS };
	const struct fallback_count none[BPF_CPUS] = { { .hits = 1 } };
	struct probe *probe = open_probes(0);
	struct sum sum = { 0 };

	put_hits(12, 40, 2);
	MAP_PUT("counts", bad, none);
	assert_int_equal(probe_read_hits(probe, NULL, add_hits, &sum), 1);
	assert_int_equal(sum.n, 1);
	assert_int_equal(sum.last.hits, 42);
	assert_int_equal(sum.last.missing, 5);
	assert_int_equal(sum.last.limit, 100); /* that of the last hit */
	assert_int_equal(sum.last.largest, 900);
	assert_int_equal(sum.last.last_usec, 9000);
	assert_int_equal(sum.last.inode, 55);
	probe_close(probe);
}

static void hits_are_read_in_slices_without_a_loss(_unused_ void **state)
{
	struct probe *probe = open_probes(1);
	struct probe_walk walk = { 0 };
	struct sum sum = { 0 };
	unsigned slices = 0;
	int r;

	for (unsigned i = 1; i <= 300; i++)
		put_hits(i, i, 0);
	while ((r = probe_read_hits(probe, &walk, add_hits, &sum)) == -EAGAIN)
		assert_true(++slices < 300);
	assert_true(r >= 0 && slices >= 2);
	assert_int_equal(sum.n, 300);
	assert_int_equal(sum.hits, 300 * 301 / 2);
	assert_int_equal(sum.cgroups, 300 * 301 / 2);
	/* from the begin again, and without a walk all of them at once */
	sum = (struct sum){ 0 };
	assert_int_equal(probe_read_hits(probe, NULL, add_hits, &sum), 300);
	assert_int_equal(sum.hits, 300 * 301 / 2);
	probe_close(probe);
}

static void put_process(uint32_t tgid, const char *comm, uint64_t hits)
{
	struct process_key key = { .tgid = tgid };
	const struct process_count count = { .hits = hits, .first_ns = 5 * USEC, .last_ns = 8 * USEC };

	memcpy(key.comm, comm, strlen(comm));
	MAP_PUT("processes", key, count);
}

static void copies_of_processes_are_no_packets(_unused_ void **state)
{
	struct probe *probe;
	struct sum sum = { 0 };

	kernel.surroundings.btf = ENOENT;
	put_process(7, "offloadctl", 100); /* check-path copies on purpose */
	put_process(8, "nginx", 6);
	probe = open_probes(0);
	assert_int_equal(probe_read_hits(probe, NULL, add_hits, &sum), 1);
	assert_int_equal(sum.last.kind, FALLBACK_SENDPAGE);
	assert_int_equal(sum.last.tgid, 8);
	assert_string_equal(sum.last.comm, "nginx");
	assert_int_equal(sum.last.hits, 6);
	assert_int_equal(sum.last.first_usec, 5);
	assert_int_equal(sum.last.last_usec, 8);
	assert_false(sum.last.any_protocol);
	probe_close(probe);
	kernel.functions[1] = "skb_checksum_help";
	probe = open_probes(0);
	assert_int_equal(probe_read_hits(probe, NULL, add_hits, &sum), 1);
	assert_true(sum.last.any_protocol);
	probe_close(probe);
}

static bool is_small(const struct probe_hits *hits, _unused_ void *userdata)
{
	return hits->hits < 10;
}

static void what_is_forgotten_is_new_again(_unused_ void **state)
{
	const struct fallback_key key = { .cgroup = 1, .netns = 3, .ifindex = 4, .sender = 55, .kind = FALLBACK_SEGMENTATION,
		.reason = FALLBACK_REASON_SIZE };
	const __u64 seen[2] = { 0 };
	struct probe *probe = open_probes(0);
	struct sum sum = { 0 };

	put_hits(1, 2, 3);
	put_hits(2, 20, 30);
	put_hits(3, 4, 5);
	MAP_PUT("seen", key, seen);
	assert_int_equal(probe_forget_hits(probe, is_small, NULL), 2);
	assert_int_equal(map_named("seen")->n, 0);
	assert_int_equal(probe_read_hits(probe, NULL, add_hits, &sum), 1);
	assert_int_equal(sum.last.cgroup, 2);
	probe_close(probe);
	kernel.surroundings.btf = ENOENT;
	put_process(8, "nginx", 6);
	put_process(9, "nginx", 60);
	probe = open_probes(0);
	assert_int_equal(probe_forget_hits(probe, is_small, NULL), 1);
	assert_int_equal(map_named("processes")->n, 1);
	probe_close(probe);
}

static void a_cgroup_is_settled_and_not(_unused_ void **state)
{
	struct probe *probe = open_probes(0);

	assert_int_equal(probe_settle(probe, 12, true), 0);
	assert_int_equal(map_named("settled")->n, 1);
	assert_int_equal(probe_settle(probe, 12, true), 0);
	assert_int_equal(probe_settle(probe, 12, false), 0);
	assert_int_equal(map_named("settled")->n, 0);
	assert_int_equal(probe_settle(probe, 12, false), 0); /* it never was */
	kernel.update_error = E2BIG;
	assert_int_equal(probe_settle(probe, 13, true), -E2BIG);
	probe_close(probe);
}

/* ---- losses ---- */

static void put_lost(__u32 index, __u64 a, __u64 b)
{
	const __u64 values[BPF_CPUS] = { a, b };

	MAP_PUT("lost", index, values);
}

static void losses_are_of_all_cpus_and_both_probes(_unused_ void **state)
{
	const __u32 hits = PROCESS_LOST_HITS, time = PROCESS_LOST_TIME;
	const __u64 n = 1000, when = 90 * USEC;
	struct probe *probe = open_probes(0);
	struct probe_lost lost;

	probe_read_lost(probe, &lost);
	assert_int_equal(lost.hits[FALLBACK_CHECKSUM], 0);
	assert_int_equal(lost.hits_usec, 0);
	put_lost(FALLBACK_LOST_HITS + FALLBACK_CHECKSUM, 3, 4);
	put_lost(FALLBACK_ELSEWHERE + FALLBACK_UDP, 30, 40);
	put_lost(FALLBACK_LOST_SENDERS, 1, 1);
	put_lost(FALLBACK_LOST_EVENTS, 5, 0);
	put_lost(FALLBACK_LOST_TIME, 20 * USEC, 70 * USEC); /* a time, no sum */
	probe_read_lost(probe, &lost);
	assert_int_equal(lost.hits[FALLBACK_CHECKSUM], 7);
	assert_int_equal(lost.hits[FALLBACK_SENDPAGE], 0);
	assert_int_equal(lost.elsewhere[FALLBACK_UDP], 70);
	assert_int_equal(lost.senders, 2);
	assert_int_equal(lost.events, 5);
	assert_int_equal(lost.hits_usec, 70);
	probe_close(probe);

	kernel.surroundings.btf = ENOENT;
	probe = open_probes(0);
	MAP_PUT("processes_lost", hits, n);
	probe_read_lost(probe, &lost);
	assert_int_equal(lost.hits[FALLBACK_SENDPAGE], 0); /* without its time */
	MAP_PUT("processes_lost", time, when);
	probe_read_lost(probe, &lost);
	assert_int_equal(lost.hits[FALLBACK_SENDPAGE], 1000);
	assert_int_equal(lost.hits_usec, 90);
	probe_close(probe);
}

static void events_are_read_a_thousand_at_a_time(_unused_ void **state)
{
	struct fallback_event event = { .key = { .cgroup = 3, .kind = FALLBACK_CHECKSUM }, .pid = 4, .comm = "nginx" };
	struct probe *probe = open_probes(0);
	struct probe_lost lost;
	struct sum sum = { 0 };

	event.header = (struct event_header){ EVENT_VERSION, EVENT_TYPE_FALLBACK, sizeof(event) };
	kernel.events = &event;
	kernel.event_size = sizeof(event);
	kernel.n_events = 1500;
	assert_int_equal(probe_read_events(probe, add_hits, &sum), 1024);
	assert_int_equal(sum.n, 1024);
	assert_int_equal(probe_read_events(probe, add_hits, &sum), 476);
	assert_int_equal(sum.n, 1500);
	assert_int_equal(sum.last.tgid, 4);
	event.header.version++; /* of another program */
	kernel.n_events = 3;
	assert_int_equal(probe_read_events(probe, add_hits, &sum), 3);
	assert_int_equal(sum.n, 1500);
	probe_read_lost(probe, &lost);
	assert_int_equal(lost.malformed, 3);
	probe_close(probe);
}

/* ---- sockets, holders, changes ---- */

#define SOCKETS 300

static struct socket_entry *make_sockets(void)
{
	struct socket_entry *entries = calloc(SOCKETS, sizeof(*entries));

	for (unsigned i = 0; i < SOCKETS; i++)
		entries[i] = (struct socket_entry){ .header = { EVENT_VERSION, EVENT_TYPE_SOCKET, sizeof(*entries) }, .inode = i + 1 };
	kernel.iterator = entries;
	kernel.iterator_size = SOCKETS * sizeof(*entries);
	return entries;
}

static int add_socket(const struct socket_info *socket, void *userdata)
{
	uint64_t *sum = userdata;

	*sum += socket->inode;
	return 0;
}

static int stop_at_two(const struct socket_info *socket, _unused_ void *userdata)
{
	return socket->inode == 2;
}

static void sockets_are_read_to_the_end_or_in_slices(_unused_ void **state)
{
	_cleanup_free_ struct socket_entry *entries = make_sockets();
	struct probe *probe = open_probes(1);
	struct probe_pass pass = { 0 };
	uint64_t sum = 0, visited = 7;
	struct probe_lost lost;
	unsigned slices = 0;
	int r;

	assert_int_equal(probe_read_sockets(probe, NULL, true, add_socket, &sum, &visited), SOCKETS);
	assert_int_equal(sum, SOCKETS * (SOCKETS + 1) / 2);
	assert_int_equal(visited, 0); /* the program counts them */
	entries[1].header.type = EVENT_TYPE_HOLDER;
	sum = 0;
	assert_int_equal(probe_read_sockets(probe, NULL, true, add_socket, &sum, NULL), SOCKETS - 1);
	assert_int_equal(sum, SOCKETS * (SOCKETS + 1) / 2 - 2);
	probe_read_lost(probe, &lost);
	assert_int_equal(lost.malformed, 1);
	entries[1].header.type = EVENT_TYPE_SOCKET;
	assert_int_equal(probe_read_sockets(probe, NULL, true, stop_at_two, NULL, NULL), 2);
	sum = 0;
	while ((r = probe_read_sockets(probe, &pass, false, add_socket, &sum, NULL)) == -EAGAIN) {
		assert_true(pass.open && pass.split);
		if (++slices == 100)
			break; /* a microsecond may be over before the first read */
	}
	assert_true(slices > 0);
	probe_end_pass(&pass);
	assert_false(pass.open);
	kernel.iterator_error = ENOMEM;
	assert_int_equal(probe_read_sockets(probe, &pass, true, add_socket, &sum, NULL), -ENOMEM);
	assert_false(pass.open);
	probe_close(probe);
}

static void count_holder(const struct probe_holder *holder, void *userdata)
{
	uint64_t *sum = userdata;

	assert_true(holder->listening);
	*sum += (uint64_t)holder->tgid * holder->inode;
}

static void holders_are_read(_unused_ void **state)
{
	const struct event_header header = { EVENT_VERSION, EVENT_TYPE_HOLDER, sizeof(struct holder_entry) };
	const struct holder_entry entries[] = {
		{ .header = header, .inode = 2, .tgid = 3, .listening = 1 },
		{ .header = header, .inode = 2, .tgid = UINT32_MAX, .listening = 1 },
		{ .header = header, .inode = 5, .tgid = 7, .listening = 1 },
	};
	struct probe *probe = open_probes(0);
	struct probe_lost lost;
	uint64_t sum = 0;

	kernel.iterator = entries;
	kernel.iterator_size = sizeof(entries);
	assert_int_equal(probe_read_holders(probe, NULL, count_holder, &sum), 2);
	assert_int_equal(sum, 2 * 3 + 5 * 7);
	probe_read_lost(probe, &lost);
	assert_int_equal(lost.malformed, 1);
	probe_close(probe);
}

static void changes_are_found_by_link(_unused_ void **state)
{
	const struct change_key key = { .netns = 3, .ifindex = 4 }, bad = { .netns = 3, .ifindex = 5 };
	struct change_entry entry = { .before = 5, .after = 1, .pid = 12, .comm = "ethtool" };
	struct probe *probe = open_probes(0);
	struct probe_change change;
	struct probe_lost lost;

	entry.header = (struct event_header){ EVENT_VERSION, EVENT_TYPE_CHANGE, sizeof(entry) };
	MAP_PUT("changes", key, entry);
	entry.header.size++;
	MAP_PUT("changes", bad, entry);
	assert_int_equal(probe_find_change(probe, 3, 4, &change), 0);
	assert_int_equal(change.pid, 12);
	assert_int_equal(probe_find_change(probe, 9, 4, &change), -ENOENT);
	assert_int_equal(probe_find_change(probe, 3, 5, &change), -ENOENT);
	probe_read_lost(probe, &lost);
	assert_int_equal(lost.malformed, 1);
	probe_close(probe);
}

static void names_of_cgroups_are_taken(_unused_ void **state)
{
	static struct cgroup_names names;
	const __u64 id = 4711, writing = 4712, torn = 4713;
	struct probe *probe = open_probes(0);

	strcpy(names.name[0], "nginx.service");
	names.len[0] = sizeof("nginx.service");
	names.done = 0;
	MAP_PUT("names", writing, names);
	names.done = 2;
	MAP_PUT("names", id, names);
	names.len[0]--;
	MAP_PUT("names", torn, names);
	assert_string_equal(probe_cgroup_path(id), "/nginx.service");
	assert_null(probe_cgroup_path(torn));
	assert_null(probe_cgroup_path(writing));
	assert_int_equal(map_named("names")->n, 1); /* what a program is writing is taken later */
	assert_int_equal(map_find(map_named("names"), &writing), 0);
	probe_close(probe);
}

/* ---- UDP segmentation ---- */

static void where_sends_are_refused_is_tried_out(_unused_ void **state)
{
	struct probe *probe = open_probes(0);

	assert_int_equal(kernel.bss->udp_refusal[0], 0x100);
	assert_int_equal(kernel.bss->udp_refusal[1], 0x100);
	assert_int_equal(kernel.bss->udp_trial_port, 0);
	assert_int_equal(status_of(probe, "__traceiter_kfree_skb")->method, PROBE_FENTRY);
	probe_close(probe);

	kernel.place_of_segments = kernel.place; /* too many segments are refused at the same place */
	probe = open_probes(0);
	is_absent(probe, "__traceiter_kfree_skb", "this kernel does not show which UDP sends it refuses");
	is_absent(probe, "ip_send_skb", "this kernel does not show which UDP sends it refuses");
	is_absent(probe, "ip6_send_skb", "this kernel does not show which UDP sends it refuses");
	assert_false(status_of(probe, "ip_send_skb")->other_kernels);
	assert_int_equal(probe_watch_senders(probe, true), -EOPNOTSUPP);
	probe_close(probe);

	kernel.segment_error = ENOPROTOOPT;
	probe = open_probes(0);
	is_absent(probe, "__traceiter_kfree_skb", "this kernel refuses no UDP segmentation");
	assert_true(status_of(probe, "__traceiter_kfree_skb")->other_kernels);
	assert_int_equal(kernel.bss->udp_refusal[0], 0);
	probe_close(probe);

	kernel.udp_error = EMFILE;
	probe = open_probes(0);
	is_absent(probe, "__traceiter_kfree_skb", "no trial by UDP over loopback: Too many open files");
	probe_close(probe);
}

static void add_sender(const struct probe_sender *sender, void *userdata)
{
	struct probe_sender *last = userdata;

	*last = *sender;
}

static void senders_are_read_forgotten_and_restored(_unused_ void **state)
{
	const struct udp_sender_key key = { .start_ns = 11, .tgid = 12, .netns = 3, .ifindex = 4 };
	const struct udp_sender_key bad = { .start_ns = 11, .tgid = 12, .netns = 3, .ifindex = UINT32_MAX };
	const struct udp_sender value = { .cgroup = 5, .refused = 6, .segmented = 7, .single = 8, .single_first_ns = 2 * USEC,
		.single_last_ns = 32 * USEC, .comm = "curl" };
	struct probe *probe = open_probes(0);
	struct probe_sender sender = { 0 };

	MAP_PUT("udp_senders", key, value);
	MAP_PUT("udp_senders", bad, value);
	assert_int_equal(probe_read_senders(probe, add_sender, &sender), 1);
	assert_int_equal(sender.key.pid, 12);
	assert_int_equal(sender.key.ifindex, 4);
	assert_int_equal(sender.refused, 6);
	assert_int_equal(sender.segmented, 7);
	assert_int_equal(sender.single, 8);
	assert_int_equal(sender.single_usec, 30);
	assert_string_equal(sender.comm, "curl");
	sender.refused = 60;
	probe_restore_sender(probe, &sender); /* what the kernel has is newer */
	assert_int_equal(probe_read_senders(probe, add_sender, &sender), 1);
	assert_int_equal(sender.refused, 6);
	probe_forget_sender(probe, &sender.key);
	assert_int_equal(probe_read_senders(probe, add_sender, &sender), 0);
	probe_restore_sender(probe, &sender);
	assert_int_equal(probe_read_senders(probe, add_sender, &sender), 1);
	assert_int_equal(sender.refused, 6);
	assert_int_equal(sender.segmented, 0);
	assert_int_equal(sender.single_usec, 0);
	probe_close(probe);
}

/* ---- latency and rates ---- */

static void add_histogram(const struct probe_latency_histogram *histogram, void *userdata)
{
	*(struct probe_latency_histogram *)userdata = *histogram;
}

static void latency_is_the_sum_of_all_cpus(_unused_ void **state)
{
	const struct latency_key key = { .cgroup = 5, .netns = 3, .ifindex = UINT32_MAX, .fallback = 1 };
	const struct latency_histogram values[BPF_CPUS] = {
		{ .count = 1, .total_usec = 10, .disk_usec = 2, .peer_usec = 3, .slots = { [3] = 1 } },
		{ .count = 2, .total_usec = 20, .disk_usec = 4, .peer_usec = 6, .slots = { [3] = 1, [4] = 1 } },
	};
	const __u32 calls = LATENCY_LOST_CALLS, begun = LATENCY_LOST_BEGUN;
	const __u64 lost_calls[BPF_CPUS] = { 1, 2 }, lost_begun[BPF_CPUS] = { 0, 5 };
	struct probe_latency_histogram sum;
	struct probe_latency_lost lost;
	struct probe_latency *latency;
	struct probe_status status;

	unit_features(&features);
	assert_int_equal(probe_latency_open(&features, false, &latency, &status), 0);
	assert_int_equal(status.method, PROBE_FENTRY);
	assert_false(probe_latency_has_waits(latency));
	MAP_PUT("histograms", key, values);
	MAP_PUT("latency_lost", calls, lost_calls);
	MAP_PUT("latency_lost", begun, lost_begun);
	assert_int_equal(probe_latency_read(latency, false, add_histogram, &sum), 1);
	assert_int_equal(sum.cgroup, 5);
	assert_int_equal(sum.ifindex, 0);
	assert_true(sum.fallback);
	assert_int_equal(sum.count, 3);
	assert_int_equal(sum.total_usec, 30);
	assert_int_equal(sum.disk_usec, 6);
	assert_int_equal(sum.peer_usec, 9);
	assert_int_equal(sum.slots[3], 2);
	assert_int_equal(sum.slots[4], 1);
	probe_latency_read_lost(latency, &lost);
	assert_int_equal(lost.calls, 3);
	assert_int_equal(lost.begun, 5);
	assert_int_equal(probe_latency_read(latency, true, NULL, NULL), 1);
	assert_int_equal(probe_latency_read(latency, true, NULL, NULL), 0);
	probe_latency_close(latency);
}

static void calls_that_run_have_their_time_so_far(_unused_ void **state)
{
	const __u64 now = util_now_usec() * USEC;
	const __u32 thread = 12, later = 13;
	const struct latency_start future = { .time_ns = now + 1000000 * USEC_PER_SEC };
	struct latency_start start = { .time_ns = now - 900 * USEC, .asleep_ns = now - 500 * USEC, .disk_ns = 100 * USEC, .disk = 1,
		.key = { .cgroup = 5, .ifindex = 4 } };
	struct probe_latency_histogram call;
	struct probe_latency *latency;

	unit_features(&features);
	assert_int_equal(probe_latency_open(&features, true, &latency, NULL), 0);
	assert_true(probe_latency_has_waits(latency));
	MAP_PUT("starts", thread, start);
	MAP_PUT("starts", later, future);
	assert_int_equal(probe_latency_read_running(latency, add_histogram, &call), 1);
	assert_int_equal(call.count, 0);
	assert_int_equal(call.ifindex, 4);
	assert_true(call.total_usec >= 900);
	assert_true(call.disk_usec >= 600 && call.disk_usec <= call.total_usec);
	assert_int_equal(call.peer_usec, 0);
	probe_latency_close(latency);
}

static void a_return_that_was_missed_is_no_call(_unused_ void **state)
{
	const __u32 own = (__u32)getpid(); /* runs this test, not sendfile(2) */
	const __u32 gone = INT32_MAX;
	const struct latency_start start = { .time_ns = 1 };
	struct probe_latency_histogram call;
	struct probe_latency *latency;
	struct probe_status status;

	unit_features(&features);
	kernel.refused[0] = "sendfile_fexit";
	assert_int_equal(probe_latency_open(&features, false, &latency, &status), 0);
	assert_int_equal(status.method, PROBE_KPROBE);
	MAP_PUT("starts", gone, start);
	assert_int_equal(probe_latency_read_running(latency, add_histogram, &call), 0);
	MAP_PUT("starts", own, start);
	assert_true(probe_latency_read_running(latency, add_histogram, &call) <= 1); /* "running", where /proc/PID/syscall can be read */
	probe_latency_close(latency);
	kernel.refused[1] = "sendfile_kretprobe";
	assert_int_equal(probe_latency_open(&features, false, &latency, &status), -EOPNOTSUPP);
	assert_int_equal(status.method, PROBE_ABSENT);
	assert_string_equal(status.why, "Invalid argument: libbpf: prog 'sendfile_kretprobe': too complex");
	kernel.cpus = 0;
	kernel.loads = 0;
	assert_int_equal(probe_latency_open(&features, false, &latency, &status), -EOPNOTSUPP);
	assert_int_equal(kernel.loads, 0);
}

static void add_rate(const struct probe_rate *rate, void *userdata)
{
	*(struct probe_rate *)userdata = *rate;
}

static void add_stack(const struct probe_stack *stack, void *userdata)
{
	*(struct probe_stack *)userdata = *stack;
}

static void rates_and_stacks_are_counted_and_reset(_unused_ void **state)
{
	const struct rate_key key = { .cgroup = 5, .ifindex = 4, .kind = RATE_PUSH_ONE }, bad = { .kind = RATE_KINDS };
	const struct stack_key stack_key = { .cgroup = 5, .ifindex = 4, .stack = 9 }, without = { .stack = 10 };
	const __u64 values[BPF_CPUS] = { 3, 4 }, addresses[STACK_DEPTH] = { 0x10, 0x20 };
	const __u32 total = RATE_SENDMSG, id = 9;
	struct probe_rates *rates;
	struct probe_stack stack;
	struct probe_rate rate;

	unit_features(&features);
	kernel.attach_error = ENOENT;
	kernel.unattached[0] = "push_one_kprobe";
	assert_int_equal(probe_rates_open(&features, &rates), 0);
	assert_int_equal(probe_rates_status(rates)[RATE_SENDMSG].method, PROBE_FENTRY);
	assert_int_equal(probe_rates_status(rates)[RATE_PUSH_ONE].method, PROBE_ABSENT);
	assert_string_equal(probe_rates_status(rates)[RATE_PUSH_ONE].why, "this kernel has no tcp_push_one");
	MAP_PUT("rates", key, values);
	MAP_PUT("rates", bad, values);
	MAP_PUT("totals", total, values);
	MAP_PUT("stack_counts", stack_key, values);
	MAP_PUT("stack_counts", without, values);
	MAP_PUT("stacks", id, addresses);
	assert_int_equal(probe_rates_read(rates, add_rate, &rate), 1);
	assert_int_equal(rate.kind, RATE_PUSH_ONE);
	assert_int_equal(rate.count, 7);
	assert_int_equal(probe_rates_total(rates, RATE_SENDMSG), 7);
	assert_int_equal(probe_rates_total(rates, RATE_PUSH_ONE), 0);
	assert_int_equal(probe_rates_read_stacks(rates, add_stack, &stack), 1);
	assert_int_equal(stack.count, 7);
	assert_int_equal(stack.n, 2);
	assert_int_equal(stack.addresses[1], 0x20);
	/* a key without a value on this CPU is put there by the update */
	map_remove(map_named("totals"), 0);
	MAP_PUT("totals", total, values);
	probe_rates_reset(rates);
	assert_int_equal(probe_rates_total(rates, RATE_SENDMSG), 0);
	assert_int_equal(probe_rates_read(rates, add_rate, &rate), 0);
	assert_int_equal(probe_rates_read_stacks(rates, add_stack, &stack), 0);
	probe_rates_close(rates);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, kernel_begin, kernel_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_the_kernel_has_is_loaded_at_once),
		TEST(what_is_refused_has_another_method_or_a_reason),
		TEST(what_cannot_be_attached_has_another_method),
		TEST(a_part_without_any_method_is_closed),
		TEST(what_is_attached_on_demand_can_be_attached_again),
		TEST(without_privilege_or_btf_nothing_is_tried),
		TEST(without_btf_copies_are_counted_by_process),
		TEST(without_names_of_functions_one_after_the_other_is_tried),
		TEST(types_have_the_names_of_functions_too),
		TEST(many_cpus_share_a_count),
		TEST(runs_are_those_of_entry_and_return),
		TEST(reading_needs_a_capability_where_it_is_forbidden_later),
		TEST(hits_are_the_sum_of_all_cpus),
		TEST(hits_are_read_in_slices_without_a_loss),
		TEST(copies_of_processes_are_no_packets),
		TEST(what_is_forgotten_is_new_again),
		TEST(a_cgroup_is_settled_and_not),
		TEST(losses_are_of_all_cpus_and_both_probes),
		TEST(events_are_read_a_thousand_at_a_time),
		TEST(sockets_are_read_to_the_end_or_in_slices),
		TEST(holders_are_read),
		TEST(changes_are_found_by_link),
		TEST(names_of_cgroups_are_taken),
		TEST(where_sends_are_refused_is_tried_out),
		TEST(senders_are_read_forgotten_and_restored),
		TEST(latency_is_the_sum_of_all_cpus),
		TEST(calls_that_run_have_their_time_so_far),
		TEST(a_return_that_was_missed_is_no_call),
		TEST(rates_and_stacks_are_counted_and_reset),
	};

	return cmocka_run_group_tests_name("probe_kernel", tests, NULL, NULL);
}
