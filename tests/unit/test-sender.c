/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who sends, from a scripted /proc and cgroupfs: listeners that are passed on, processes that end, numbers that are used again. And the
 * judgement of kernels that do not show connections, from scripted interfaces and copies. */
#include "evidence/lingering.h"
#include "evidence/sender.h"
#include "unit-model.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEC UINT64_C(1000000)

static struct host {
	struct process {
		pid_t pid;
		uint64_t start_usec;
		const char *path;
		uint64_t sockets[4];
		const char *moved; /* where it is when /proc is read, after the kernel showed it in path */
	} processes[8];
	const char *cgroups[16]; /* by id */
	unsigned scans, passes, reads;
	bool slow; /* /proc takes 2 us for each process */
	bool version_1; /* /proc shows paths of that hierarchy */
	unsigned slices; /* before the next pass ends */
	int error;	 /* of the next pass, after the first process */
	unsigned many;	 /* more sockets of process 0, of cgroup 4 */
} host;
static struct senders senders;

static const struct process *find_process(pid_t pid)
{
	for (size_t i = 0; i < ARRAY_SIZE(host.processes); i++)
		if (pid && host.processes[i].pid == pid)
			return &host.processes[i];
	return NULL;
}

static int cgroup_path(void *userdata, uint64_t id, char *path, size_t size)
{
	(void)userdata;
	if (id >= ARRAY_SIZE(host.cgroups) || !host.cgroups[id])
		return -ENOENT;
	snprintf(path, size, "%s", host.cgroups[id]);
	return 0;
}

static bool has_cgroup(void *userdata, const char *path)
{
	(void)userdata;
	for (size_t i = 0; i < ARRAY_SIZE(host.cgroups); i++)
		if (host.cgroups[i] && !strcmp(host.cgroups[i], path))
			return true;
	return false;
}

static int process_path(void *userdata, pid_t pid, char *path, size_t size)
{
	const struct process *process = find_process(pid);

	(void)userdata;
	if (!process)
		return -ESRCH;
	snprintf(path, size, "%s", process->moved ? process->moved : process->path);
	return host.version_1;
}

static int read_process(void *userdata, pid_t pid, struct cgroup_process *ret)
{
	const struct process *process = find_process(pid);

	(void)userdata;
	host.reads++;
	for (uint64_t until_usec = util_now_usec() + (host.slow ? 2 : 0); util_now_usec() < until_usec;)
		;
	*ret = (struct cgroup_process){ .start_usec = process ? process->start_usec : 0, .netns = 1 };
	return process ? 0 : -ESRCH;
}

static int find_owners(void *userdata, struct cgroup_scan *scan, struct cgroup_socket *sockets, size_t n, uint64_t until_usec)
{
	(void)userdata;
	(void)scan;
	(void)until_usec;
	if (host.slices) {
		host.slices--;
		return -EAGAIN;
	}
	host.scans++;
	for (size_t i = 0; i < n; i++)
		for (size_t p = 0; p < ARRAY_SIZE(host.processes); p++)
			for (size_t s = 0; s < 4; s++) {
				const struct process *process = &host.processes[p];

				if (!process->pid || process->sockets[s] != sockets[i].inode)
					continue;
				if (sockets[i].first <= 1)
					sockets[i].first = process->pid;
				sockets[i].last = process->pid;
			}
	return 0;
}

/* As the kernel shows it to those who may not read /proc/PID/fd. */
static int read_holders(void *userdata, struct probe_pass *pass, probe_holder_fn fn, void *fn_userdata)
{
	(void)userdata;
	(void)pass;
	if (host.slices) {
		host.slices--;
		return -EAGAIN;
	}
	host.passes++;
	for (size_t p = 0; p < ARRAY_SIZE(host.processes) && !(p && host.error); p++)
		for (size_t s = 0; s < 4; s++) {
			const struct process *process = &host.processes[p];
			struct probe_holder holder = { .socket_cgroup = 4, .inode = process->sockets[s], .tgid = process->pid };

			for (uint64_t id = 1; id < ARRAY_SIZE(host.cgroups) && process->pid; id++)
				if (host.cgroups[id] && !strcmp(host.cgroups[id], process->path))
					holder.cgroup = id;
			if (process->sockets[s])
				fn(&holder, fn_userdata);
		}
	for (unsigned i = 0; i < host.many; i++)
		fn(&(struct probe_holder){ .socket_cgroup = 4, .inode = 10000 + i, .tgid = host.processes[0].pid, .cgroup = 4 }, fn_userdata);
	return host.error;
}

static uint64_t asleep_usec(void *userdata)
{
	(void)userdata;
	return 0;
}

static int setup(void **state)
{
	const struct sender_source source = { cgroup_path, has_cgroup, process_path, read_process, find_owners, NULL,
		asleep_usec, NULL };

	(void)state;
	host = (struct host){ .cgroups = {
		[1] = "/",
		[2] = "/system.slice/web.socket",
		[3] = "/system.slice/web.service",
		[4] = "/system.slice/launcher.service",
		[5] = "/system.slice/worker.service",
		[6] = "/init.scope",
		[7] = "/system.slice/lone.socket",
	} };
	senders_open(&senders, &source);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	senders_close(&senders);
	return 0;
}

static void start(unsigned at, pid_t pid, const char *path, uint64_t socket)
{
	host.processes[at] = (struct process){ pid, pid * SEC, path, { socket }, NULL };
}

static bool judge(uint64_t cgroup)
{
	struct sender_judge judge = { .n = 1, .of = { { .cgroup = cgroup } } };

	assert_int_equal(senders_judge(&senders, &judge), 0);
	return judge.of[0].single;
}

static const char *name_socket(uint64_t cgroup, uint64_t inode)
{
	static char service[UNIT_SERVICE_LEN];
	const struct probe_hits hits = { .kind = FALLBACK_SEGMENTATION, .origin = FALLBACK_SOCKET, .cgroup = cgroup, .inode = inode };
	struct unit unit;

	senders_note(&senders, &hits);
	senders_find(&senders);
	senders_name(&senders, &hits, &unit, service);
	return service;
}

static const char *name_process(pid_t pid, uint64_t first_usec)
{
	static char service[UNIT_SERVICE_LEN];
	const struct probe_hits hits = { .kind = FALLBACK_SENDPAGE, .origin = FALLBACK_SOCKET, .tgid = pid, .comm = "sender",
		.first_usec = first_usec, .last_usec = first_usec };
	struct unit unit;

	senders_name(&senders, &hits, &unit, service);
	return service;
}

static const char *name_process_of(uint64_t cgroup, enum fallback_kind kind)
{
	static char service[UNIT_SERVICE_LEN];
	const struct probe_hits hits = { .kind = kind, .origin = FALLBACK_SOCKET, .cgroup = cgroup };
	struct unit unit;

	senders_name(&senders, &hits, &unit, service);
	return service;
}

static void a_passed_listener_is_charged_to_who_holds_its_connections(void **state)
{
	(void)state;
	start(0, 1, "/init.scope", 100);
	start(1, 20, "/system.slice/web.service", 100);
	host.processes[1].sockets[1] = 101;
	assert_string_equal(name_socket(2, 101), "web.service"); /* a connection */
	assert_string_equal(name_socket(2, 100), "web.service"); /* the listener, of which systemd keeps a copy */
	/* the manager's own cgroup, where the kernel has no BPF firewall */
	assert_string_equal(name_socket(6, 101), "web.service");
}

static void several_services_share_a_listener(void **state)
{
	(void)state;
	start(0, 30, "/system.slice/launcher.service", 100);
	host.processes[0].sockets[1] = 101;
	start(1, 40, "/system.slice/worker.service", 100);
	host.processes[1].sockets[1] = 102;
	assert_string_equal(name_socket(4, 101), "launcher.service");
	assert_string_equal(name_socket(4, 102), "worker.service");
	assert_string_equal(name_socket(4, 100), "worker.service"); /* it was passed on */
	assert_false(judge(4));
	assert_string_equal(name_socket(4, 0), "launcher.service");
}

static void without_proc_the_kernel_shows_the_holders(void **state)
{
	(void)state;
	senders.source.read_holders = read_holders;
	start(0, 30, "/system.slice/launcher.service", 101);
	start(1, 40, "/system.slice/worker.service", 102);
	host.processes[0].sockets[1] = host.processes[1].sockets[1] = 100;
	assert_string_equal(name_socket(4, 101), "launcher.service");
	assert_string_equal(name_socket(4, 102), "worker.service");
	assert_string_equal(name_socket(4, 100), "worker.service");
	assert_int_equal(host.scans, 0);
}

static void what_is_closed_is_charged_to_the_only_holder(void **state)
{
	(void)state;
	assert_string_equal(name_socket(4, 200), "launcher.service");
	start(0, 40, "/system.slice/worker.service", 101);
	assert_string_equal(name_socket(4, 101), "worker.service");
	assert_true(judge(4));
	assert_string_equal(name_socket(4, 200), "worker.service");
	assert_string_equal(name_socket(4, 0), "worker.service");
	host.processes[0].pid = 0; /* it is kept */
	assert_string_equal(name_socket(4, 101), "worker.service");
}

/* It sends with sockets of its own, whoever holds those that it created for others. */
static void a_process_is_not_named_by_the_sockets_of_its_cgroup(void **state)
{
	(void)state;
	start(0, 40, "/system.slice/worker.service", 101);
	start(1, 41, "/system.slice/worker.service", 102);
	assert_string_equal(name_socket(4, 101), "worker.service");
	assert_string_equal(name_socket(7, 102), "worker.service");
	assert_true(judge(4));
	assert_true(judge(7));
	assert_string_equal(name_socket(4, 0), "worker.service");
	assert_string_equal(name_process_of(4, FALLBACK_SENDPAGE), "launcher.service");
	assert_string_equal(name_process_of(4, FALLBACK_SPLICE), "launcher.service");
	assert_string_equal(name_process_of(4, FALLBACK_UDP), "launcher.service");
	assert_string_equal(name_process_of(7, FALLBACK_SENDPAGE), "worker.service"); /* by a kernel thread */
}

/* The probes count process 50 of the host, and that number is another process here. */
static void in_a_pid_namespace_no_number_is_looked_up(void **state)
{
	struct probe_hits hits = { .kind = FALLBACK_SENDPAGE, .origin = FALLBACK_SOCKET, .tgid = 50, .comm = "sender",
		.first_usec = 51 * SEC, .last_usec = 51 * SEC };
	char service[UNIT_SERVICE_LEN];
	struct unit unit;

	(void)state;
	senders.foreign_pids = true;
	senders.source.read_holders = read_holders;
	start(0, 50, "/system.slice/web.service", 101);
	start(1, 51, "/", 102);
	assert_string_equal(name_process(50, 51 * SEC), "sender");
	assert_false(senders_has_ended(&senders, senders_note(&senders, &hits), NULL));
	assert_string_equal(senders_name_cgroup(&senders, 1, 50, "otherwise", &unit, service), "otherwise");
	assert_string_equal(name_socket(4, 101), "web.service"); /* by its cgroup */
	assert_int_equal(senders_note_socket(&senders, 4, 101)->pid, 0);
	assert_string_equal(name_socket(4, 102), "launcher.service");
}

static void what_nobody_holds(void **state)
{
	(void)state;
	assert_string_equal(name_socket(2, 300), "web.service"); /* the name of the unit that web.socket starts by default */
	assert_string_equal(name_socket(7, 301), "system.slice/lone.socket");
	assert_string_equal(name_socket(6, 302), SENDER_UNKNOWN);
	assert_string_equal(name_socket(1, 303), SENDER_UNKNOWN);
	assert_string_equal(name_socket(0, 0), SENDER_UNKNOWN);
	assert_string_equal(name_socket(99, 304), "cgroup 99");
}

static void a_process_in_the_root_cgroup_is_not_the_kernel(void **state)
{
	(void)state;
	start(0, 50, "/", 101);
	assert_string_equal(name_socket(1, 101), UNIT_NO_SERVICE);
	assert_string_equal(name_process(50, 51 * SEC), UNIT_NO_SERVICE);
}

/* However many sockets a cgroup has, one that another service holds is seen. */
static void no_holder_is_missed(void **state)
{
	(void)state;
	senders.source.read_holders = read_holders;
	start(0, 30, "/system.slice/launcher.service", 0);
	host.many = 3 * SENDERS_MAX;
	assert_true(judge(4));
	assert_int_equal(HASH_COUNT(senders.all), 0);
	start(1, 40, "/system.slice/worker.service", 101);
	assert_false(judge(4));
	assert_string_equal(name_socket(4, 0), "launcher.service");
	host.many = 0;
	start(2, 1, "/init.scope", 102); /* keeps copies */
	host.processes[0].pid = 0;
	assert_true(judge(4));
	assert_string_equal(name_socket(4, 0), "worker.service");
}

/* The cgroups of services that have ended do not keep those of later ones from being counted together. */
static void the_owner_that_was_not_used_is_forgotten(void **state)
{
	(void)state;
	start(0, 30, "/system.slice/worker.service", 101);
	for (unsigned i = 0; i < SENDER_OWNERS_MAX + 2; i++) {
		struct sender_judge judge = { .n = 1, .of = { { .cgroup = 1000 + i } } };

		senders_note_socket(&senders, 1000 + i, 101);
		assert_int_equal(senders_find(&senders), 0);
		assert_int_equal(senders_judge(&senders, &judge), 0);
		assert_true(judge.of[0].single);
		assert_int_equal(judge.of[0].forgotten, i < SENDER_OWNERS_MAX ? 0 : 1001 + i - SENDER_OWNERS_MAX);
		assert_string_equal(name_socket(1000, 0), "worker.service"); /* it is used */
	}
	assert_int_equal(HASH_COUNT(senders.owners), SENDER_OWNERS_MAX);
	assert_string_equal(name_socket(1001, 0), "cgroup 1001");
}

/* Between the pass and the reading of /proc, a process that creates cgroups for others has gone into the next one. */
static void a_holder_is_named_by_where_it_was_seen(void **state)
{
	(void)state;
	senders.source.read_holders = read_holders;
	start(0, 30, "/", 101);
	host.processes[0].moved = "/system.slice/worker.service";
	assert_string_equal(name_socket(4, 101), UNIT_NO_SERVICE);
	assert_true(judge(4));
	assert_string_equal(name_socket(4, 200), UNIT_NO_SERVICE);
	/* services are in a hierarchy of version 1, which only /proc shows */
	host.version_1 = true;
	start(0, 40, "/", 102);
	host.processes[0].moved = "/system.slice/worker.service";
	assert_string_equal(name_socket(4, 102), "worker.service");
}

/* A listener is held by who passes its connections on. */
static void a_holder_that_cannot_be_named_may_be_any(void **state)
{
	(void)state;
	senders.source.read_holders = read_holders;
	start(0, 30, "/system.slice/worker.service", 101);
	start(1, 40, "/system.slice/gone.service", 102); /* in no cgroup that is known */
	senders.foreign_pids = true;
	assert_false(judge(4));
}

/* Who was not read may hold its sockets, too. */
static void a_pass_that_fails_judges_nobody(void **state)
{
	(void)state;
	senders.source.read_holders = read_holders;
	start(0, 30, "/system.slice/web.service", 101);
	start(1, 40, "/system.slice/worker.service", 102);
	assert_false(judge(4));
	host.processes[1] = (struct process){ 0 };
	assert_true(judge(4));
	start(1, 40, "/system.slice/worker.service", 102);
	host.error = -ENOMEM;
	assert_false(judge(4));
}

static void what_comes_during_a_pass_waits_for_the_next(void **state)
{
	(void)state;
	senders.source.read_holders = read_holders;
	start(0, 30, "/system.slice/worker.service", 101);
	start(1, 40, "/system.slice/worker.service", 102);
	senders_note_socket(&senders, 4, 101);
	host.slices = 2;
	assert_int_equal(senders_find(&senders), -EAGAIN);
	assert_int_equal(host.passes, 0);
	senders_note_socket(&senders, 4, 102);
	assert_int_equal(senders_find(&senders), -EAGAIN);
	assert_int_equal(senders_find(&senders), -EAGAIN); /* the first is resolved */
	assert_true(senders_note_socket(&senders, 4, 101)->held);
	assert_true(senders_note_socket(&senders, 4, 102)->pending);
	assert_int_equal(host.passes, 1);
	assert_int_equal(senders_find(&senders), 0);
	assert_true(senders_note_socket(&senders, 4, 102)->held);
	assert_int_equal(host.passes, 2);
}

/* After the pass, a slice at a time; and a process is read once in each, however many sockets it holds. */
static void many_senders_are_resolved_in_slices(void **state)
{
	const unsigned n = 1000;
	unsigned slices = 1;

	(void)state;
	senders.source.read_holders = read_holders;
	senders.slice_usec = 1;
	start(0, 30, "/system.slice/launcher.service", 0);
	host.many = n;
	for (unsigned i = 0; i < n; i++)
		senders_note_socket(&senders, 4, 10000 + i);
	for (; senders_find(&senders) == -EAGAIN; slices++)
		assert_true(slices < n);
	assert_true(slices > 2);
	assert_int_equal(host.passes, 1);
	assert_true(host.reads <= slices);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(senders_note_socket(&senders, 4, 10000 + i)->start_usec, 30 * SEC);
}

/* The same where the kernel does not show who holds a socket. */
static void a_scan_of_proc_goes_on(void **state)
{
	(void)state;
	start(0, 30, "/system.slice/worker.service", 101);
	start(1, 40, "/system.slice/worker.service", 102);
	senders_note_socket(&senders, 4, 101);
	host.slices = 2;
	assert_int_equal(senders_find(&senders), -EAGAIN);
	senders_note_socket(&senders, 4, 102);
	assert_int_equal(senders_find(&senders), -EAGAIN);
	assert_int_equal(host.scans, 0);
	assert_int_equal(senders_find(&senders), -EAGAIN);
	assert_true(senders_note_socket(&senders, 4, 101)->held);
	assert_true(senders_note_socket(&senders, 4, 102)->pending);
	assert_int_equal(senders_find(&senders), 0);
	assert_true(senders_note_socket(&senders, 4, 102)->held);
	assert_int_equal(host.scans, 2);
	/* it is given up with what it was for */
	senders_note_socket(&senders, 4, 103);
	host.slices = 1;
	assert_int_equal(senders_find(&senders), -EAGAIN);
}

static void processes_are_looked_up_in_slices(void **state)
{
	struct probe_hits hits = { .kind = FALLBACK_SENDPAGE, .origin = FALLBACK_SOCKET, .comm = "sender" };
	unsigned slices = 1;

	(void)state;
	senders.slice_usec = 1;
	host.slow = true;
	for (hits.tgid = 1; hits.tgid <= 1000; hits.tgid++)
		senders_note(&senders, &hits);
	assert_int_equal(host.reads, 0);
	for (; senders_find(&senders) == -EAGAIN; slices++)
		assert_true(host.reads <= 64 * slices);
	assert_true(slices > 10);
	assert_int_equal(host.reads, 1000);
	assert_int_equal(host.scans, 0);
}

/* Of the real /proc, with no more time than for the least. */
static void who_holds_a_socket(void **state)
{
	struct cgroup_socket sockets[3] = { 0 };
	struct cgroup_scan scan = { 0 };
	unsigned slices = 1;
	struct stat st;
	int fds[2], r;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(fstat(fds[i], &st), 0);
		sockets[i].inode = st.st_ino;
	}
	for (; (r = cgroup_find_socket_owners(&scan, sockets, 3, 1)) == -EAGAIN; slices++)
		;
	assert_int_equal(r, 0);
	assert_true(slices > 1);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(sockets[i].first, getpid());
		assert_int_equal(sockets[i].last, getpid());
	}
	assert_int_equal(sockets[2].first, 0);
	assert_null(scan.proc);
	assert_int_equal(cgroup_find_socket_owners(&scan, sockets, 3, UINT64_MAX), 0);
	assert_int_equal(cgroup_find_socket_owners(&scan, sockets, 0, UINT64_MAX), 0);
	assert_int_equal(cgroup_find_socket_owners(&scan, sockets, 3, 1), -EAGAIN);
	cgroup_end_scan(&scan);
	close(fds[0]);
	close(fds[1]);
}

static void one_pass_for_all(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++)
		senders_note_socket(&senders, 4, 1000 + i);
	senders_find(&senders);
	assert_int_equal(host.scans, 1);
	senders_find(&senders);
	assert_int_equal(host.scans, 1);
}

/* More sockets than are kept: each is still named by its holder, by a pass for each batch. */
static void lists_of_any_length(void **state)
{
	const size_t n = 2 * SENDERS_MAX + 1, marks[] = { 0, SENDERS_BATCH, 2 * SENDERS_MAX };
	struct socket_info *sockets = calloc(n, sizeof(*sockets));
	size_t known = 0, named = 0;

	(void)state;
	assert_non_null(sockets);
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		start((unsigned)i, 40 + (pid_t)i, "/system.slice/worker.service", 1000 + marks[i]);
	for (size_t i = 0; i < n; i++)
		sockets[i] = (struct socket_info){ .cgroup = 4, .inode = 1000 + i };
	for (size_t i = 0; i < n; i++) {
		if (i == known)
			known += senders_find_sockets(&senders, &sockets[i], n - i);
		named += !strcmp(name_socket(4, sockets[i].inode), "worker.service");
	}
	assert_int_equal(named, ARRAY_SIZE(marks));
	assert_int_equal(host.scans, 5);
	assert_int_equal(HASH_COUNT(senders.all), SENDERS_MAX);
	free(sockets);
}

static void what_is_used_is_not_forgotten(void **state)
{
	(void)state;
	start(0, 40, "/system.slice/worker.service", 101);
	assert_string_equal(name_socket(4, 101), "worker.service");
	host.processes[0].pid = 0;
	for (unsigned i = 0; i < 3 * SENDERS_MAX; i++) {
		senders_note_socket(&senders, 4, 1000 + i);
		if (i % SENDERS_BATCH == 0)
			assert_string_equal(name_socket(4, 101), "worker.service");
	}
}

static void a_number_that_is_used_again(void **state)
{
	struct probe_hits hits = { .kind = FALLBACK_SENDPAGE, .origin = FALLBACK_SOCKET, .tgid = 60, .comm = "sender",
		.first_usec = 61 * SEC, .last_usec = 62 * SEC };
	struct sender *sender;
	uint64_t next_usec;

	(void)state;
	start(0, 60, "/system.slice/plain.service", 0);
	assert_string_equal(name_process(60, 61 * SEC), "plain.service");
	sender = senders_note(&senders, &hits);
	assert_false(senders_has_ended(&senders, sender, &next_usec));
	/* it ends, and bank.service gets its number */
	host.processes[0] = (struct process){ 60, 90 * SEC, "/system.slice/bank.service", { 0 }, NULL };
	assert_true(senders_has_ended(&senders, sender, &next_usec));
	assert_int_equal(next_usec, 90 * SEC);
	assert_string_equal(name_process(60, 61 * SEC), "plain.service");
	/* never seen before it ended: only its name is known */
	assert_string_equal(name_process(60, 80 * SEC), "sender");
	assert_string_equal(name_process(60, 91 * SEC), "bank.service");
	host.processes[0].pid = 0;
	assert_true(senders_has_ended(&senders, sender, &next_usec));
	assert_int_equal(next_usec, 0);
	assert_string_equal(name_process(60, 91 * SEC), "bank.service");
	/* a key without the time of its first hit is named again after it was removed */
	start(0, 60, "/system.slice/plain.service", 0);
	assert_string_equal(name_process(60, 0), "plain.service");
	start(0, 60, "/system.slice/bank.service", 0);
	assert_string_equal(name_process(60, 0), "plain.service");
	hits.first_usec = 0;
	senders_note(&senders, &hits)->over = true;
	senders_sweep(&senders);
	assert_string_equal(name_process(60, 0), "bank.service");
}

/* ---- before 4.17 ---- */

static void set_link(struct link_table *links, const struct feature_table *table, const char *name, int ifindex, const char *active)
{
	struct link from = { .ifindex = ifindex, .flags = 1 /* IFF_UP */ }, *link;

	strcpy(from.name, name);
	assert_true(link_table_update(links, &from, &link) >= 0);
	link->has_features = true;
	link->features.active = unit_set(table, active);
}

static void copies_after_the_repair_are_stale_connections(void **state)
{
	struct link_table links = { 0 };
	struct lingering l = { 0 };
	struct feature_table table;

	(void)state;
	unit_features(&table);
	set_link(&links, &table, "eth0", 2, "tx-scatter-gather tx-checksum-ip-generic");
	set_link(&links, &table, "v0", 3, "tx-checksum-ip-generic");
	/* broken: whatever copies may do so by the interface */
	lingering_note_links(&l, &links, &table, 10 * SEC);
	assert_string_equal(l.lacking, "v0");
	assert_false(lingering_is_stale(&l, 11 * SEC, 12 * SEC));
	/* repaired */
	set_link(&links, &table, "v0", 3, "tx-scatter-gather tx-checksum-ip-generic");
	lingering_note_links(&l, &links, &table, 20 * SEC);
	lingering_note_links(&l, &links, &table, 30 * SEC);
	assert_string_equal(l.lacking, "");
	assert_false(lingering_is_stale(&l, 19 * SEC, 30 * SEC)); /* before */
	assert_false(lingering_is_stale(&l, 20 * SEC, 30 * SEC)); /* at the time of the repair */
	assert_false(lingering_is_stale(&l, 0, 30 * SEC));	  /* unknown when */
	assert_true(lingering_is_stale(&l, 25 * SEC, 30 * SEC));
	assert_false(lingering_is_stale(&l, 25 * SEC, 25 * SEC + LINGERING_QUIET_USEC));
	/* without a checksum these kernels copy, too */
	set_link(&links, &table, "v0", 3, "tx-scatter-gather");
	lingering_note_links(&l, &links, &table, 40 * SEC);
	assert_false(lingering_is_stale(&l, 39 * SEC, 41 * SEC));
	/* an interface that is down carries nothing */
	link_table_find(&links, 3)->flags = 0;
	lingering_note_links(&l, &links, &table, 50 * SEC);
	assert_true(lingering_is_stale(&l, 55 * SEC, 56 * SEC));
	link_table_clear(&links);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_passed_listener_is_charged_to_who_holds_its_connections, setup, teardown),
		cmocka_unit_test_setup_teardown(several_services_share_a_listener, setup, teardown),
		cmocka_unit_test_setup_teardown(without_proc_the_kernel_shows_the_holders, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_closed_is_charged_to_the_only_holder, setup, teardown),
		cmocka_unit_test_setup_teardown(a_process_is_not_named_by_the_sockets_of_its_cgroup, setup, teardown),
		cmocka_unit_test_setup_teardown(in_a_pid_namespace_no_number_is_looked_up, setup, teardown),
		cmocka_unit_test_setup_teardown(what_nobody_holds, setup, teardown),
		cmocka_unit_test_setup_teardown(a_process_in_the_root_cgroup_is_not_the_kernel, setup, teardown),
		cmocka_unit_test_setup_teardown(no_holder_is_missed, setup, teardown),
		cmocka_unit_test_setup_teardown(the_owner_that_was_not_used_is_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(a_holder_is_named_by_where_it_was_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(a_holder_that_cannot_be_named_may_be_any, setup, teardown),
		cmocka_unit_test_setup_teardown(a_pass_that_fails_judges_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(what_comes_during_a_pass_waits_for_the_next, setup, teardown),
		cmocka_unit_test_setup_teardown(many_senders_are_resolved_in_slices, setup, teardown),
		cmocka_unit_test_setup_teardown(a_scan_of_proc_goes_on, setup, teardown),
		cmocka_unit_test_setup_teardown(processes_are_looked_up_in_slices, setup, teardown),
		cmocka_unit_test(who_holds_a_socket),
		cmocka_unit_test_setup_teardown(one_pass_for_all, setup, teardown),
		cmocka_unit_test_setup_teardown(lists_of_any_length, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_used_is_not_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(a_number_that_is_used_again, setup, teardown),
		cmocka_unit_test(copies_after_the_repair_are_stale_connections),
	};

	return cmocka_run_group_tests_name("sender", tests, NULL, NULL);
}
