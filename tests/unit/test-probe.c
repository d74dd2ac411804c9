/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records as the kernel's half writes them, and as it does not. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/types.h>

#include "basic/util.h"
#include "bpf/event.h"
#include "evidence/probe.h"
#include "evidence/probe_private.h"
#include "model/unit.h"

#define HEADER(record, t)                                                                          \
	(struct event_header){ .version = EVENT_VERSION, .type = t, .size = sizeof(record) }

static unsigned next_calls;

/* As before Linux 4.12: a key must be readable, and after one that the map does not have comes the first one. */
static int old_next_key(int fd, const void *key, void *next)
{
	const __u32 first = 7;

	(void)fd;
	next_calls++;
	if (!key)
		return -EFAULT;
	memcpy(next, &first, sizeof(first));
	return 0;
}

static int empty_next_key(int fd, const void *key, void *next)
{
	(void)fd, (void)key, (void)next;
	next_calls++;
	return -ENOENT;
}

static void old_kernels_want_a_key_before_the_first(void **state)
{
	__u32 key = 0;

	(void)state;
	next_calls = 0;
	assert_int_equal(probe_first_key(3, &key, sizeof(key), old_next_key), 0);
	assert_int_equal(key, 7);
	assert_int_equal(next_calls, 2);
	next_calls = 0;
	assert_int_equal(probe_first_key(3, &key, sizeof(key), empty_next_key), -ENOENT);
	assert_int_equal(next_calls, 1);
}

static void good_records_are_understood(void **state)
{
	struct fallback_event event = { .key = { .cgroup = 77, .netns = 3, .ifindex = 9,
						.kind = FALLBACK_CHECKSUM, .origin = FALLBACK_FORWARDED,
						.reason = FALLBACK_REASON_VLAN },
		.time_ns = 5000, .pid = 12, .comm = "a\x1b[2J" };
	struct socket_entry socket = { .cgroup = 78, .ifindex = 4, .family = 10, .local_port = 80,
		.state = 1, .expired = 1, .gso_max_size = 65215, .local = { [15] = 1 } };
	struct change_entry change = { .time_ns = 7000, .before = 5, .after = 1, .root_ifindex = 2,
		.pid = 3, .ppid = 4, .comm = "ethtool", .parent_comm = "sixteen-letters!" };
	struct probe_hits hits;
	struct socket_info info;
	struct probe_change c;

	(void)state;
	event.header = HEADER(event, EVENT_TYPE_FALLBACK);
	assert_int_equal(probe_parse_event(&event, sizeof(event), &hits), 0);
	assert_int_equal(hits.kind, FALLBACK_CHECKSUM);
	assert_int_equal(hits.origin, FALLBACK_FORWARDED);
	assert_int_equal(hits.reason, FALLBACK_REASON_VLAN);
	assert_int_equal(hits.cgroup, 77);
	assert_int_equal(hits.ifindex, 9);
	assert_int_equal(hits.last_usec, 5);
	assert_string_equal(hits.comm, "a?[2J");

	socket.header = HEADER(socket, EVENT_TYPE_SOCKET);
	assert_int_equal(probe_parse_socket(&socket, sizeof(socket), &info), 0);
	assert_int_equal(info.cgroup, 78);
	assert_int_equal(info.local_port, 80);
	assert_int_equal(info.local[15], 1);
	assert_true(info.expired);
	assert_int_equal(info.gso_max_size, 65215);

	change.header = HEADER(change, EVENT_TYPE_CHANGE);
	assert_int_equal(probe_parse_change(&change, sizeof(change), &c), 0);
	assert_int_equal(c.time_usec, 7);
	assert_int_equal(c.root_ifindex, 2);
	assert_string_equal(c.comm, "ethtool");
	assert_int_equal(strlen(c.parent_comm), EVENT_COMM_LEN - 1);
}

static void other_sizes_versions_and_types_are_refused(void **state)
{
	struct fallback_event event = {};
	struct probe_hits hits;
	struct socket_info info;
	struct probe_change change;
	char large[sizeof(event) + 8] = {};

	(void)state;
	for (size_t size = 0; size < sizeof(event); size++) {
		event.header = HEADER(event, EVENT_TYPE_FALLBACK);
		assert_int_equal(probe_parse_event(&event, size, &hits), -EBADMSG);
		assert_int_equal(probe_parse_socket(&event, size, &info), -EBADMSG);
		assert_int_equal(probe_parse_change(&event, size, &change), -EBADMSG);
	}
	memcpy(large, &event, sizeof(event));
	assert_int_equal(probe_parse_event(large, sizeof(large), &hits), -EBADMSG);
	event.header.size = sizeof(event) - 1;
	assert_int_equal(probe_parse_event(&event, sizeof(event), &hits), -EBADMSG);
	event.header = HEADER(event, EVENT_TYPE_FALLBACK);
	event.header.version++;
	assert_int_equal(probe_parse_event(&event, sizeof(event), &hits), -EBADMSG);
	event.header = HEADER(event, EVENT_TYPE_SOCKET);
	assert_int_equal(probe_parse_event(&event, sizeof(event), &hits), -EBADMSG);
}

static void values_out_of_range_are_refused(void **state)
{
	struct fallback_event event = {};
	struct socket_entry socket = { .ifindex = 0x80000000 };
	struct change_entry change = { .pid = 0x80000000 };
	struct socket_info info;
	struct probe_change c;
	struct probe_hits hits;

	(void)state;
	event.header = HEADER(event, EVENT_TYPE_FALLBACK);
	event.key.kind = FALLBACK_KINDS;
	assert_int_equal(probe_parse_event(&event, sizeof(event), &hits), -EBADMSG);
	event.key.kind = 0;
	event.key.origin = FALLBACK_KERNEL + 1;
	assert_int_equal(probe_parse_event(&event, sizeof(event), &hits), -EBADMSG);
	event.key.origin = 0;
	event.key.reason = FALLBACK_REASONS;
	assert_int_equal(probe_parse_event(&event, sizeof(event), &hits), -EBADMSG);
	event.key.reason = 0;
	event.key.ifindex = 0xffffffff;
	assert_int_equal(probe_parse_event(&event, sizeof(event), &hits), -EBADMSG);
	event.key.ifindex = 1;
	assert_int_equal(probe_parse_event(&event, sizeof(event), &hits), 0);
	socket.header = HEADER(socket, EVENT_TYPE_SOCKET);
	assert_int_equal(probe_parse_socket(&socket, sizeof(socket), &info), -EBADMSG);
	change.header = HEADER(change, EVENT_TYPE_CHANGE);
	assert_int_equal(probe_parse_change(&change, sizeof(change), &c), -EBADMSG);
}

static void without_feature_names_nothing_is_loaded(void **state)
{
	struct feature_table none = {};
	struct probe_options options = { .features = &none };
	const struct probe_status *status;
	struct probe *probe;
	char line[300];
	size_t n;

	(void)state;
	assert_int_equal(probe_open(&options, &probe), 0);
	status = probe_status(probe, &n);
	assert_true(n >= 8);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(status[i].method, PROBE_ABSENT);
		assert_non_null(strstr(probe_format_status(&status[i], line, sizeof(line)),
			"absent, the feature names of the kernel are unknown"));
	}
	assert_int_equal(probe_events_fd(probe), -ENOENT);
	assert_int_equal(probe_read_events(probe, NULL, NULL), 0);
	assert_int_equal(probe_read_hits(probe, NULL, NULL, NULL), 0);
	assert_int_equal(probe_forget_hits(probe, NULL, NULL), 0);
	assert_int_equal(probe_settle(probe, 2, true), -EOPNOTSUPP);
	assert_int_equal(probe_read_sockets(probe, NULL, true, NULL, NULL, NULL), -EOPNOTSUPP);
	assert_int_equal(probe_find_change(probe, 1, 1, NULL), -EOPNOTSUPP);
	probe_close(probe);
}

/* From the cgroup up: "user@7.service", "user-7.slice", "user.slice". */
static void set_name(struct cgroup_names *names, unsigned level, const char *name)
{
	strcpy(names->name[level % CGROUP_LEVELS], name);
	names->len[level % CGROUP_LEVELS] = (__u16)(strlen(name) + 1);
}

static void the_names_of_a_cgroup_become_its_path(void **state)
{
	struct cgroup_names names = { .done = 1 + 3 };
	char path[64], small[16], longest[UNIT_PATH_MAX];

	(void)state;
	set_name(&names, 0, "user@7.service");
	set_name(&names, 1, "user-7.slice");
	set_name(&names, 2, "user.slice");
	assert_int_equal(probe_parse_names(&names, sizeof(names), path, sizeof(path)), 0);
	assert_string_equal(path, "/user.slice/user-7.slice/user@7.service");
	assert_int_equal(probe_parse_names(&names, sizeof(names) - 1, path, sizeof(path)), -EBADMSG);
	assert_int_equal(probe_parse_names(&names, sizeof(names), small, sizeof(small)), -EBADMSG);
	names.done = 0;
	assert_int_equal(probe_parse_names(&names, sizeof(names), path, sizeof(path)), -EAGAIN);
	/* a part of it is not a name, and a path without a part is another service */
	names.done = 1 + 3;
	names.name[0][4] = '\0';
	assert_int_equal(probe_parse_names(&names, sizeof(names), path, sizeof(path)), -EBADMSG);
	memset(names.name[0], 'x', sizeof(names.name[0]));
	assert_int_equal(probe_parse_names(&names, sizeof(names), longest, sizeof(longest)), -EBADMSG);
	names.done = 1 + CGROUP_LEVELS_MAX;
	assert_int_equal(probe_parse_names(&names, sizeof(names), path, sizeof(path)), -EBADMSG);
	names.done = 1;
	assert_int_equal(probe_parse_names(&names, sizeof(names), path, sizeof(path)), 0);
	assert_string_equal(path, "/");
	/* a deep one: the upper names remain */
	names.done = 1 + CGROUP_LEVELS + 2;
	for (unsigned level = 0; level < CGROUP_LEVELS + 2; level++)
		set_name(&names, level, level == CGROUP_LEVELS + 1u ? "a.service" : "x");
	assert_int_equal(probe_parse_names(&names, sizeof(names), path, sizeof(path)), 0);
	assert_string_equal(path, "/a.service/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x");
}

static void paths_are_kept_and_bounded(void **state)
{
	char path[32];

	(void)state;
	assert_null(probe_cgroup_path(7));
	for (unsigned i = 0; i < PROBE_CGROUPS_MAX + 10; i++) {
		snprintf(path, sizeof(path), "/%u.service", i);
		probe_add_cgroup(100 + i, path);
		assert_string_equal(probe_cgroup_path(100), "/0.service"); /* what is used is not forgotten */
	}
	assert_null(probe_cgroup_path(101));
	assert_string_equal(probe_cgroup_path(100 + PROBE_CGROUPS_MAX), "/12288.service");
}

static void each_reason_is_the_errno_that_it_was(void **state)
{
	static const struct {
		struct probe_surroundings s;
		bool btf, kprobe;
		int error;
		const char *complaint, *why;
		bool fixable; /* by something other than another kernel */
	} cases[] = {
		{ { "CAP_BPF", .memlock = 65536, .btf = ENOENT, .kprobes = ENOENT }, true, true, -EPERM, "x", "no privilege: CAP_BPF missing", false },
		{ { "CAP_BPF", .memlock = UINT64_MAX }, true, true, -EPERM, "", "no privilege: CAP_BPF missing", true },
		{ { .locked_down = true, .memlock = UINT64_MAX }, true, true, -EINVAL, "", "the kernel is locked down (confidentiality)", false },
		{ { .btf = ENOENT, .memlock = UINT64_MAX }, true, true, -EPERM, "", "the kernel has no BTF (/sys/kernel/btf/vmlinux)", false },
		{ { .btf = EACCES, .memlock = UINT64_MAX }, true, true, -EPERM, "",
			"failed to read /sys/kernel/btf/vmlinux: Permission denied", true },
		{ { .btf = ENOENT, .memlock = UINT64_MAX }, false, true, -EPERM, "map", "Operation not permitted: map", true },
		{ { .memlock = 65536, .kprobes = EACCES }, false, true, -EPERM, "",
			"Operation not permitted; RLIMIT_MEMLOCK is 65536 bytes, and this kernel counts BPF maps against it", true },
		{ { .memlock = 65536 }, false, true, -EINVAL, "", "Invalid argument", true },
		{ { .kprobes = ENOENT, .memlock = UINT64_MAX }, false, true, -ENOENT, "", "the kernel has no kprobes: No such file or directory", false },
		{ { .kprobes = ENOENT, .memlock = UINT64_MAX }, true, true, -EPERM, "",
			"the kernel has no kprobes, and fentry fails: Operation not permitted", false },
		{ { .kprobes = ENOENT, .memlock = UINT64_MAX }, true, false, -EPERM, "", "Operation not permitted", true },
		{ { .kprobes = EACCES, .memlock = UINT64_MAX }, false, true, -ENOENT, "",
			"failed to access kprobe_events of tracefs: Permission denied", true },
		{ { .kprobes = ENODEV, .memlock = UINT64_MAX }, false, true, -ENOENT, "",
			"tracefs is not mounted, or the kernel has none: No such file or directory", true },
		{ { .memlock = UINT64_MAX }, false, true, -EROFS, "failed to add legacy kprobe event",
			"Read-only file system: failed to add legacy kprobe event", true },
		{ { .memlock = UINT64_MAX }, true, true, -EACCES, "", "Permission denied", true },
	};
	char why[PROBE_WHY_LEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(probe_explain(&cases[i].s, &(struct probe_failure){ .btf = cases[i].btf, .kprobe = cases[i].kprobe,
			.error = cases[i].error, .complaint = cases[i].complaint }, why), cases[i].fixable);
		assert_string_equal(why, cases[i].why);
	}
}

static char sys[] = "/tmp/test-probe.XXXXXX";

static const char *below_sys(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", sys, name);
	return path;
}

static void write_sys(const char *name, const char *text)
{
	FILE *f = fopen(below_sys(name), "we");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int make_sys(void **state)
{
	static const char *const dirs[] = { "kernel", "kernel/tracing", "kernel/debug", "bus", "bus/event_source",
		"bus/event_source/devices", "bus/event_source/devices/kprobe" };

	(void)state;
	strcpy(sys + sizeof(sys) - 7, "XXXXXX");
	assert_non_null(mkdtemp(sys));
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		assert_int_equal(mkdir(below_sys(dirs[i]), 0755), 0);
	return 0;
}

static int remove_sys(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", sys);
	return system(command);
}

static void only_enoent_means_that_there_are_no_kprobes(void **state)
{
	(void)state;
	assert_int_equal(probe_find_kprobes(sys, true), ENOENT);
	assert_int_equal(probe_find_kprobes(sys, false), ENODEV);
	write_sys("kernel/tracing/trace", "");
	assert_int_equal(probe_find_kprobes(sys, false), ENOENT);
	unlink(below_sys("kernel/tracing/trace"));
	/* what cannot be examined, which for root no mode makes so */
	assert_int_equal(symlink("tracing", below_sys("kernel/debug/tracing")), 0);
	assert_int_equal(probe_find_kprobes(sys, false), ELOOP);
	write_sys("kernel/tracing/kprobe_events", "");
	assert_int_equal(probe_find_kprobes(sys, false), 0);
	assert_int_equal(probe_find_kprobes(sys, true), ENOENT);
	write_sys("bus/event_source/devices/kprobe/type", "6\n");
	assert_int_equal(probe_find_kprobes(sys, true), 0);
}

static void events_of_killed_processes_are_removed(void **state)
{
	static const char *const functions[] = { "sock_no_sendpage_locked", "sock_no_sendpage" };
	char before[1024], wanted[2048], after[2048] = "";
	pid_t gone = fork();
	FILE *f;

	(void)state;
	if (gone == 0)
		_exit(0);
	assert_int_equal(waitpid(gone, NULL, 0), gone);
	assert_int_equal(probe_remove_stale_events(sys, functions, 2), -ENOENT);
	snprintf(before, sizeof(before),
		"p:kprobes/libbpf_%d_sock_no_sendpage_locked_0x0_0 sock_no_sendpage_locked\n"
		"p:kprobes/libbpf_%d_sock_no_sendpage_0x0_1 sock_no_sendpage+0\n"
		"r4:kprobes/libbpf_%d_sock_no_sendpage_0x0_2 sock_no_sendpage+0\n"
		"p:kprobes/libbpf_%d_vfs_read_0x0_0 vfs_read+0\n"	  /* another program's */
		"p:kprobes/libbpf_%d_sock_no_sendpage_0x0_3 sock_no_sendpage+0\n" /* of a process that runs */
		"p:kprobes/libbpf_%d_sock_no_sendpage_0x0_4 sock_no_sendpage+0\n" /* its process id is ours now */
		"p:kprobes/mine sock_no_sendpage+0 arg1=%%di\n"
		"p:kprobes/libbpf_0_sock_no_sendpage_0x0_5 sock_no_sendpage+0\nnonsense\n",
		gone, gone, gone, gone, getppid(), getpid());
	write_sys("kernel/tracing/kprobe_events", before);
	assert_int_equal(probe_remove_stale_events(sys, functions, 2), 4);
	snprintf(wanted, sizeof(wanted),
		"%s-:kprobes/libbpf_%d_sock_no_sendpage_locked_0x0_0\n-:kprobes/libbpf_%d_sock_no_sendpage_0x0_1\n"
		"-:kprobes/libbpf_%d_sock_no_sendpage_0x0_2\n-:kprobes/libbpf_%d_sock_no_sendpage_0x0_4\n",
		before, gone, gone, gone, getpid());
	f = fopen(below_sys("kernel/tracing/kprobe_events"), "re");
	assert_non_null(f);
	assert_true(fread(after, 1, sizeof(after) - 1, f) > 0);
	fclose(f);
	assert_string_equal(after, wanted);
	/* from 4.17 on there is nothing to remove */
	write_sys("bus/event_source/devices/kprobe/type", "6\n");
	assert_int_equal(probe_remove_stale_events(sys, functions, 2), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_names_of_a_cgroup_become_its_path),
		cmocka_unit_test(paths_are_kept_and_bounded),
		cmocka_unit_test(each_reason_is_the_errno_that_it_was),
		cmocka_unit_test_setup_teardown(only_enoent_means_that_there_are_no_kprobes, make_sys, remove_sys),
		cmocka_unit_test_setup_teardown(events_of_killed_processes_are_removed, make_sys, remove_sys),
		cmocka_unit_test(good_records_are_understood),
		cmocka_unit_test(old_kernels_want_a_key_before_the_first),
		cmocka_unit_test(other_sizes_versions_and_types_are_refused),
		cmocka_unit_test(values_out_of_range_are_refused),
		cmocka_unit_test(without_feature_names_nothing_is_loaded),
	};

	return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
