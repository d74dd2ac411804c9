/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's view of the probes, with scripted probes in the place of those of the kernel: what becomes an event, once and when it ends;
 * what survives a restart; what is restarted, and when. */
#include "evidence/tracker_private.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit-model.h"

#define NETNS 7u
#define SEC UINT64_C(1000000)

static int cgroup_path(void *userdata, uint64_t id, char *path, size_t size);

/* ---- the probes ---- */

static struct {
	struct probe_status status[4];
	size_t n_status;
	int fd;
	struct probe_hits events[TRACKER_REPORTED_MAX + 8], hits[1024];
	size_t n_events, n_hits;
	struct socket_info sockets[4];
	size_t n_sockets;
	int sockets_error, hits_error;
	uint64_t sockets_usec; /* how long it takes to read them */
	unsigned hits_reads;
	bool sliced;
	unsigned slices;
	struct probe_sender senders[2];
	size_t n_senders;
	unsigned forgotten_senders, restored_senders, settled;
	bool watching;
	struct probe_lost lost;
	struct probe_change change;
	int change_result, latency_result;
	uint64_t latency_calls;
} probes;

int probe_open(const struct probe_options *options, struct probe **ret)
{
	assert_true(options->by_socket);
	*ret = (struct probe *)&probes;
	return 0;
}

void probe_close(struct probe *probe)
{
	assert_true(!probe || probe == (struct probe *)&probes);
}

const struct probe_status *probe_status(const struct probe *probe, size_t *ret_n)
{
	(void)probe;
	*ret_n = probes.n_status;
	return probes.status;
}

const char *probe_method_name(enum probe_method method)
{
	return method == PROBE_KPROBE ? "kprobe" : "fentry";
}

uint32_t probe_own_netns(void)
{
	return NETNS;
}

bool probe_has_foreign_pids(void)
{
	return false;
}

int probe_events_fd(const struct probe *probe)
{
	(void)probe;
	return probes.fd;
}

int probe_read_events(struct probe *probe, probe_hits_fn fn, void *userdata)
{
	(void)probe;
	for (size_t i = 0; i < probes.n_events; i++)
		fn(&probes.events[i], userdata);
	probes.n_events = 0;
	return 0;
}

int probe_read_hits(struct probe *probe, struct probe_walk *walk, probe_hits_fn fn, void *userdata)
{
	size_t i = 0, n = probes.n_hits;

	(void)probe;
	probes.hits_reads++;
	if (walk && probes.sliced) { /* one in each call */
		i = walk->at.left++;
		n = i < n ? i + 1 : n;
	}
	for (; i < n; i++)
		fn(&probes.hits[i], userdata);
	if (probes.hits_error)
		return probes.hits_error;
	if (n < probes.n_hits) {
		probes.slices++;
		return -EAGAIN;
	}
	if (walk)
		*walk = (struct probe_walk){ 0 };
	return (int)probes.n_hits;
}

int probe_forget_hits(struct probe *probe, probe_forget_fn fn, void *userdata)
{
	size_t kept = 0, n = probes.n_hits;

	(void)probe;
	for (size_t i = 0; i < n; i++)
		if (!fn(&probes.hits[i], userdata))
			probes.hits[kept++] = probes.hits[i];
	probes.n_hits = kept;
	return (int)(n - kept);
}

int probe_settle(struct probe *probe, uint64_t cgroup, bool settled)
{
	(void)probe;
	assert_true(cgroup > 1);
	probes.settled += settled;
	return 0;
}

void probe_read_lost(struct probe *probe, struct probe_lost *ret)
{
	(void)probe;
	*ret = probes.lost;
}

int probe_read_sockets(struct probe *probe, struct probe_pass *pass, bool all, probe_socket_fn fn, void *userdata, uint64_t *ret_visited)
{
	uint64_t until_usec = util_now_usec() + probes.sockets_usec;

	(void)probe;
	(void)pass;
	(void)all;
	(void)ret_visited;
	while (util_now_usec() < until_usec)
		;
	for (size_t i = 0; i < probes.n_sockets && !probes.sockets_error; i++)
		if (fn(&probes.sockets[i], userdata))
			break;
	return probes.sockets_error;
}

int probe_read_holders(struct probe *probe, struct probe_pass *pass, probe_holder_fn fn, void *userdata)
{
	(void)probe;
	(void)pass;
	(void)fn;
	(void)userdata;
	return -EOPNOTSUPP;
}

void probe_end_pass(struct probe_pass *pass)
{
	pass->open = false;
}

/* As cgroup_path() below has it. */
const char *probe_cgroup_path(uint64_t id)
{
	static char path[64];

	return cgroup_path(NULL, id, path, sizeof(path)) < 0 ? NULL : path;
}

void probe_add_cgroup(uint64_t id, const char *path)
{
	(void)id;
	(void)path;
}

uint64_t probe_needed_capabilities(const struct probe *probe)
{
	(void)probe;
	return 0;
}

int probe_read_senders(struct probe *probe, probe_sender_fn fn, void *userdata)
{
	(void)probe;
	for (size_t i = 0; i < probes.n_senders; i++)
		fn(&probes.senders[i], userdata);
	return (int)probes.n_senders;
}

int probe_watch_senders(struct probe *probe, bool watch)
{
	(void)probe;
	probes.watching = watch;
	return 0;
}

void probe_forget_sender(struct probe *probe, const struct probe_sender_key *key)
{
	(void)probe;
	(void)key;
	probes.forgotten_senders++;
	probes.n_senders = 0;
}

void probe_restore_sender(struct probe *probe, const struct probe_sender *sender)
{
	(void)probe;
	assert_int_equal(sender->key.netns, NETNS);
	probes.restored_senders++;
}

int probe_find_change(struct probe *probe, uint32_t netns, int ifindex, struct probe_change *ret)
{
	(void)probe;
	assert_int_equal(netns, NETNS);
	assert_true(ifindex > 0);
	*ret = probes.change;
	return probes.change_result;
}

int probe_latency_open(const struct feature_table *features, bool waits, struct probe_latency **ret, struct probe_status *ret_status)
{
	(void)features;
	assert_false(waits);
	if (ret_status)
		*ret_status = (struct probe_status){ .why = "no kprobes" };
	*ret = probes.latency_result < 0 ? NULL : (struct probe_latency *)&probes;
	return probes.latency_result;
}

void probe_latency_close(struct probe_latency *latency)
{
	(void)latency;
}

int probe_latency_read(struct probe_latency *latency, bool reset, probe_latency_fn fn, void *userdata)
{
	struct probe_latency_histogram histogram = { .netns = NETNS, .count = probes.latency_calls, .slots[3] = probes.latency_calls },
		elsewhere = { .netns = NETNS + 1, .count = 99 };

	(void)latency;
	assert_true(reset);
	fn(&histogram, userdata);
	fn(&elsewhere, userdata);
	return 2;
}

/* ---- the host ---- */

static struct {
	struct finding all[2 * TRACKER_REPORTED_MAX];
	size_t n;
	char restarted[UNIT_NAME_LEN];
	unsigned restarts;
	int restart_result;
	bool enforce;
	pid_t owner; /* of all sockets */
	uint32_t netns; /* of all processes, 0: NETNS */
	unsigned reads; /* of processes */
	char directory[64], path[80];
} host;
static struct feature_table features;
static struct link_table links;
static struct tracker *tracker;
static uint64_t now;

static void take_finding(const struct finding *finding, void *userdata)
{
	(void)userdata;
	assert_true(host.n < ARRAY_SIZE(host.all));
	host.all[host.n++] = *finding;
}

static int restart_unit(const char *unit, void *userdata)
{
	(void)userdata;
	snprintf(host.restarted, sizeof(host.restarted), "%s", unit);
	host.restarts++;
	return host.restart_result;
}

static size_t count(enum finding_code code)
{
	size_t n = 0;

	for (size_t i = 0; i < host.n; i++)
		n += host.all[i].code == code;
	return n;
}

static const struct finding *last(enum finding_code code)
{
	for (size_t i = host.n; i > 0; i--)
		if (host.all[i - 1].code == code)
			return &host.all[i - 1];
	fail_msg("no %s", finding_name(code));
	return NULL;
}

/* Cgroup 3 is web.service; those from 100 on are s100.service, ... */
static int cgroup_path(void *userdata, uint64_t id, char *path, size_t size)
{
	(void)userdata;
	if (id == 3)
		snprintf(path, size, "/system.slice/web.service");
	else if (id >= 100)
		snprintf(path, size, "/system.slice/s%llu.service", (unsigned long long)id);
	else
		return -ENOENT;
	return 0;
}

static bool has_cgroup(void *userdata, const char *path)
{
	(void)userdata;
	(void)path;
	return false;
}

static int process_path(void *userdata, pid_t pid, char *path, size_t size)
{
	(void)userdata;
	if (pid != getpid())
		return -ESRCH;
	snprintf(path, size, "/system.slice/own.service");
	return 0;
}

static int read_process(void *userdata, pid_t pid, struct cgroup_process *ret)
{
	(void)userdata;
	host.reads++;
	*ret = (struct cgroup_process){ .start_usec = 1, .netns = host.netns ? host.netns : NETNS };
	return pid == getpid() ? 0 : -ESRCH;
}

static int find_owners(void *userdata, struct cgroup_scan *scan, struct cgroup_socket *sockets, size_t n, uint64_t until_usec)
{
	(void)userdata;
	(void)scan;
	(void)until_usec;
	for (size_t i = 0; i < n; i++)
		sockets[i].first = sockets[i].last = host.owner;
	return 0;
}

static uint64_t asleep_usec(void *userdata)
{
	(void)userdata;
	return 0;
}

static void open_tracker(void)
{
	const struct tracker_options options = { .features = &features, .links = &links, .path = host.path, .fn = take_finding,
		.restart = restart_unit, .enforce = &host.enforce };
	const struct restart_policy nothing = { .units = "" };
	struct sender_source *source;

	now = util_now_usec();
	assert_int_equal(tracker_new(&options, now, &tracker), 0);
	tracker_set_policy(tracker, &nothing);
	source = &tracker->collect.senders.source;
	source->cgroup_path = cgroup_path;
	source->has_cgroup = has_cgroup;
	source->process_path = process_path;
	source->read_process = read_process;
	source->find_owners = find_owners;
	source->asleep_usec = asleep_usec;
}

static void set_link(int ifindex, const char *name, bool whole)
{
	struct link link = { .ifindex = ifindex, .kind = "vlan", .flags = 1, .has_features = true };

	snprintf(link.name, sizeof(link.name), "%s", name);
	link.features.hw = unit_set(&features, "tx-scatter-gather tx-checksum-ip-generic tx-udp-segmentation");
	link.features.wanted = link.features.active = whole ? link.features.hw : 0;
	link_table_update(&links, &link, NULL);
	link_table_find(&links, ifindex)->features = link.features;
	link_table_find(&links, ifindex)->has_features = true;
}

static int setup(void **state)
{
	(void)state;
	memset(&probes, 0, sizeof(probes));
	memset(&host, 0, sizeof(host));
	probes.status[0] = (struct probe_status){ .name = "sendpage", .function = "sock_no_sendpage", .method = PROBE_KPROBE };
	probes.status[1] = (struct probe_status){ .name = "sockets", .function = "iter/tcp", .method = PROBE_ITERATOR };
	probes.n_status = 2;
	probes.fd = 0;
	host.enforce = true;
	unit_features(&features);
	set_link(5, "vlan10", true);
	snprintf(host.directory, sizeof(host.directory), "/tmp/test-tracker-XXXXXX");
	assert_non_null(mkdtemp(host.directory));
	snprintf(host.path, sizeof(host.path), "%s/services", host.directory);
	open_tracker();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tracker_free(tracker);
	link_table_clear(&links);
	unlink(host.path);
	rmdir(host.directory);
	return 0;
}

static void restart_tracker(void)
{
	tracker_free(tracker);
	open_tracker();
}

/* Time passes, and everything that is due happens, in one step or in several. */
static void pass(uint64_t usec)
{
	now += usec;
	for (unsigned i = 0; i < 64; i++)
		(void)tracker_tick(tracker, now);
}

static struct probe_hits hits_of(uint64_t cgroup, enum fallback_kind kind)
{
	return (struct probe_hits){ .kind = kind, .origin = FALLBACK_SOCKET, .reason = FALLBACK_REASON_FEATURE, .cgroup = cgroup,
		.netns = NETNS, .ifindex = 5, .missing = feature_named(&features, "tx-scatter-gather"), .hits = 10, .last_usec = now };
}

static void event(struct probe_hits hits)
{
	probes.events[probes.n_events++] = hits;
	tracker_read(tracker, now);
	pass(SEC);
}

static void add_stale_socket(void)
{
	probes.sockets[probes.n_sockets++] = (struct socket_info){ .cgroup = 3, .inode = 50 + probes.n_sockets, .netns = NETNS, .ifindex = 5,
		.device_features = unit_set(&features, "tx-scatter-gather tx-checksum-ip-generic"),
		.route_caps = unit_set(&features, "tx-checksum-ip-generic"), .family = 2, .state = 1 };
	tracker_note_change(tracker, now);
	pass(60 * SEC);
}

static int try_to_read(const struct evidence **e)
{
	int r;

	while ((r = tracker_read_evidence(tracker, now, e)) == -EAGAIN) {
		if (tracker_deadline(tracker) > 1) /* 1: at once */
			now = tracker_deadline(tracker);
		(void)tracker_tick(tracker, now);
	}
	return r;
}

static const struct evidence *read_evidence(void)
{
	const struct evidence *e = NULL;

	assert_int_equal(try_to_read(&e), 0);
	return e;
}

/* It may be that of a moment ago otherwise. */
static const struct evidence *read_evidence_again(void)
{
	now = util_now_usec();
	return read_evidence();
}

/* ---- tests ---- */

static void fallback_is_reported_once_for_each_sender(void **state)
{
	struct probe_hits hits = hits_of(3, FALLBACK_SENDPAGE);
	const struct finding *f;

	(void)state;
	event(hits);
	f = last(FINDING_FALLBACK_SOCKET);
	assert_string_equal(f->service, "web.service");
	assert_string_equal(f->link, "vlan10");
	assert_int_equal(f->ifindex, 5);
	assert_int_equal(f->kind, FALLBACK_SENDPAGE);
	event(hits);
	assert_int_equal(host.n, 1);
	tracker_forget_link(tracker, 6); /* another one */
	event(hits);
	assert_int_equal(host.n, 1);
	tracker_forget_link(tracker, 5);
	event(hits);
	assert_int_equal(count(FINDING_FALLBACK_SOCKET), 2);
}

static void the_origin_decides_what_is_reported(void **state)
{
	struct probe_hits hits = hits_of(3, FALLBACK_SEGMENTATION);

	(void)state;
	event(hits);
	assert_int_equal(count(FINDING_FALLBACK_SERVICE), 1);
	hits.origin = FALLBACK_FORWARDED;
	event(hits);
	assert_int_equal(count(FINDING_FALLBACK_FORWARDED), 1);
	hits.origin = FALLBACK_KERNEL;
	event(hits);
	assert_int_equal(count(FINDING_FALLBACK_KERNEL), 1);
	event(hits_of(3, FALLBACK_UDP));
	assert_int_equal(count(FINDING_UDP_REFUSED), 1);
	assert_int_equal(host.n, 4);

	hits.reason = FALLBACK_REASON_QDISC; /* intended */
	event(hits);
	hits = hits_of(3, FALLBACK_CHECKSUM);
	hits.netns++; /* elsewhere */
	event(hits);
	assert_int_equal(host.n, 4);
}

static void too_many_senders_are_one_event_more(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TRACKER_REPORTED_MAX + 2; i++)
		probes.events[probes.n_events++] = hits_of(100 + i, FALLBACK_SEGMENTATION);
	tracker_read(tracker, now); /* at most TRACKER_EVENTS_MAX of them */
	pass(SEC);
	pass(60 * SEC);
	assert_int_equal(count(FINDING_FALLBACK_SERVICE), TRACKER_REPORTED_MAX);
	event(hits_of(9000, FALLBACK_SEGMENTATION));
	pass(60 * SEC);
	event(hits_of(9001, FALLBACK_SEGMENTATION));
	pass(60 * SEC);
	assert_int_equal(count(FINDING_FALLBACK_SERVICE), TRACKER_REPORTED_MAX);
	assert_int_equal(count(FINDING_FALLBACK_MORE), 1);
}

static void lose(uint64_t hits)
{
	probes.lost.hits[FALLBACK_CHECKSUM] += hits;
	probes.lost.hits_usec = now;
	event(hits_of(3, FALLBACK_CHECKSUM));
	pass(30 * SEC);
}

static void what_was_lost_is_reported_once(void **state)
{
	(void)state;
	lose(7);
	lose(2);
	assert_int_equal(count(FINDING_FALLBACK_LOST), 1);
	assert_int_equal(last(FINDING_FALLBACK_LOST)->count, 7);

	/* an event that was lost: its hits are there */
	probes.hits[probes.n_hits++] = hits_of(101, FALLBACK_SEGMENTATION);
	probes.hits[0].last_usec = now;
	probes.lost.events = 1;
	event(hits_of(3, FALLBACK_CHECKSUM));
	assert_string_equal(last(FINDING_FALLBACK_SERVICE)->service, "s101.service");

	now += 3600 * SEC;
	lose(1);
	assert_int_equal(count(FINDING_FALLBACK_LOST), 2);
	assert_int_equal(last(FINDING_FALLBACK_LOST)->count, 10);
}

static void stale_connections_begin_and_end(void **state)
{
	const struct finding *f;

	(void)state;
	add_stale_socket();
	f = last(FINDING_STALE);
	assert_string_equal(f->service, "web.service");
	assert_string_equal(f->link, "vlan10");
	assert_int_equal(f->count, 1);
	assert_int_equal(f->remedy, REMEDY_RECONNECT);
	assert_int_equal(f->on, feature_named(&features, "tx-scatter-gather"));
	add_stale_socket(); /* of the same service */
	assert_int_equal(count(FINDING_STALE), 1);
	event(hits_of(3, FALLBACK_SENDPAGE)); /* is known as stale */
	assert_int_equal(count(FINDING_FALLBACK_SOCKET), 0);

	probes.sockets_error = -EIO; /* nothing is known: nothing ends */
	tracker_note_change(tracker, now);
	pass(60 * SEC);
	assert_int_equal(count(FINDING_RECONNECTED), 0);
	probes.sockets_error = 0;
	probes.n_sockets = 0;
	pass(60 * SEC);
	assert_int_equal(count(FINDING_RECONNECTED), 1);
	assert_string_equal(last(FINDING_RECONNECTED)->service, "web.service");
	pass(60 * SEC);
	assert_int_equal(host.n, 2);
}

/* And not by who held it at its first hit: it may have been passed on since, or be in flight. */
static void stale_connections_are_named_by_who_holds_them_now(void **state)
{
	struct probe_hits hits = hits_of(101, FALLBACK_CHECKSUM);

	(void)state;
	host.owner = getpid();
	for (hits.inode = 51; hits.inode <= 52; hits.inode++, hits.cgroup++)
		event(hits);
	assert_string_equal(last(FINDING_FALLBACK_SERVICE)->service, "own.service");
	host.owner = 0;
	add_stale_socket();
	add_stale_socket();
	for (size_t i = 0; i < 2; i++) {
		probes.sockets[i].inode = 51 + i;
		probes.sockets[i].cgroup = 101 + i;
	}
	tracker_note_change(tracker, now);
	pass(60 * SEC);
	assert_int_equal(read_evidence()->n_stale, 2);
	assert_string_equal(read_evidence()->stale[0].service, "s101.service");
	assert_string_equal(read_evidence()->stale[1].service, "s102.service");
	host.owner = getpid();
	pass(60 * SEC);
	assert_int_equal(read_evidence()->n_stale, 1);
	assert_string_equal(read_evidence()->stale[0].service, "own.service");
	assert_int_equal(read_evidence()->stale[0].sockets, 2);
}

/* No process holds it yet. */
static void a_stale_connection_may_wait_to_be_accepted(void **state)
{
	(void)state;
	add_stale_socket();
	pass(60 * SEC);
	assert_int_equal(count(FINDING_STALE), 1);
	probes.sockets[0].inode = 0;
	pass(60 * SEC);
	assert_int_equal(count(FINDING_RECONNECTED), 1);
	probes.sockets[0].inode = 51;
	pass(60 * SEC);
	assert_int_equal(count(FINDING_STALE), 2);
	/* it is closed, and nobody will hold it again */
	probes.sockets[0].inode = 0;
	probes.sockets[0].state = 4; /* TCP_FIN_WAIT1 */
	pass(60 * SEC);
	assert_int_equal(count(FINDING_RECONNECTED), 2);
	assert_int_equal(tracker->inventory_usec, 0);
}

static void stale_connections_outlive_a_restart(void **state)
{
	const struct evidence *e;
	uint64_t since_usec;

	(void)state;
	add_stale_socket();
	probes.hits[probes.n_hits++] = hits_of(3, FALLBACK_SENDPAGE);
	event(hits_of(3, FALLBACK_SENDPAGE));
	pass(60 * SEC);
	e = read_evidence();
	assert_int_equal(e->n_stale, 1);
	assert_int_equal(e->stale[0].hits, 10);
	since_usec = e->stale[0].since_usec;
	tracker_save(tracker);

	restart_tracker();
	pass(60 * SEC);
	assert_int_equal(count(FINDING_STALE), 1); /* it was reported */
	e = read_evidence();
	assert_int_equal(e->n_stale, 1);
	assert_int_equal(e->stale[0].since_usec, since_usec);
	assert_true(e->stale[0].hits >= 10);
}

static void a_file_that_cannot_be_written_is_reported_once(void **state)
{
	(void)state;
	assert_int_equal(mkdir(host.path, 0700), 0);
	add_stale_socket();
	probes.n_sockets = 0;
	pass(60 * SEC);
	assert_int_equal(count(FINDING_SERVICES_UNWRITABLE), 1);
	assert_int_equal(rmdir(host.path), 0);
}

static void only_listed_services_are_restarted(void **state)
{
	struct restart_policy policy = { .units = "db.service", .pause_usec = 60 * SEC };

	(void)state;
	tracker_set_policy(tracker, &policy);
	add_stale_socket();
	assert_int_equal(host.restarts, 0);
	policy.units = "db.service web*.service";
	tracker_set_policy(tracker, &policy);
	host.enforce = false; /* audit */
	pass(20 * SEC);
	assert_int_equal(host.restarts, 0);
	host.enforce = true;
	tracker_set_policy(tracker, &policy);
	pass(20 * SEC);
	assert_int_equal(host.restarts, 1);
	assert_string_equal(host.restarted, "web.service");
	pass(120 * SEC); /* until it has ended, and after: not twice for the same connections */
	tracker_restarted(tracker, "web.service", "");
	assert_int_equal(count(FINDING_RESTARTED), 1);
	pass(120 * SEC);
	assert_int_equal(host.restarts, 1);

	probes.n_sockets = 0; /* they reconnect, and are stale once more */
	pass(60 * SEC);
	host.restart_result = -EACCES;
	add_stale_socket();
	pass(120 * SEC);
	assert_int_equal(host.restarts, 2);
	assert_int_equal(count(FINDING_RESTART_FAILED), 1);
}

/* A process that has ended, and that was waited for. */
static pid_t ended_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return pid;
}

static void who_gave_up_udp_segmentation(void **state)
{
	struct probe_sender *sender = &probes.senders[0];
	const struct evidence *e;

	(void)state;
	set_link(5, "vlan10", false);
	*sender = (struct probe_sender){ .key = { .start_ns = 1, .pid = getpid(), .netns = NETNS, .ifindex = 5 }, .cgroup = 3, .comm = "quic",
		.refused = 3 };
	probes.n_senders = 1;
	event(hits_of(3, FALLBACK_UDP));
	assert_true(probes.watching);
	sender->single = 1000;
	sender->single_usec = 60 * SEC;
	pass(10 * SEC);
	assert_int_equal(count(FINDING_GAVE_UP), 0); /* the link lacks it still */
	set_link(5, "vlan10", true);
	pass(10 * SEC);
	assert_int_equal(count(FINDING_GAVE_UP), 1);
	assert_string_equal(last(FINDING_GAVE_UP)->service, "web.service");
	e = read_evidence();
	assert_int_equal(e->n_stale, 1);
	assert_int_equal(e->stale[0].senders, 1);

	restart_tracker(); /* what it sent is not stored */
	assert_int_equal(probes.restored_senders, 1);
	pass(10 * SEC);
	assert_int_equal(count(FINDING_GAVE_UP), 2);
	sender->segmented = 1;
	pass(10 * SEC);
	assert_int_equal(count(FINDING_SEGMENTS_AGAIN), 1);
	assert_false(probes.watching);

	*sender = (struct probe_sender){ .key = { .start_ns = 2, .pid = ended_process(), .netns = NETNS, .ifindex = 5 }, .cgroup = 3 };
	probes.n_senders = 1;
	event(hits_of(3, FALLBACK_UDP));
	pass(10 * SEC);
	assert_true(probes.forgotten_senders >= 1);
}

static void hits_of_a_process_that_ended_are_kept(void **state)
{
	struct probe_hits *hits = &probes.hits[0];
	const struct evidence *e;

	(void)state;
	*hits = hits_of(0, FALLBACK_SENDPAGE);
	hits->tgid = ended_process();
	snprintf(hits->comm, sizeof(hits->comm), "httpd");
	probes.n_hits = 1;
	event(*hits);
	pass(10 * SEC);
	assert_int_equal(probes.n_hits, 0);
	e = read_evidence();
	assert_int_equal(e->n_fallback, 1);
	assert_string_equal(e->fallback[0].service, "httpd");
	assert_int_equal(e->fallback[0].hits[FALLBACK_SENDPAGE].n, 10);
}

/* However many have a name of their own, and however many have ended. */
static void processes_are_checked_in_slices(void **state)
{
	const pid_t ended = ended_process();
	unsigned most = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(probes.hits); i++) {
		probes.hits[i] = hits_of(0, FALLBACK_SENDPAGE);
		probes.hits[i].tgid = ended;
		probes.hits[i].first_usec = now - i;
	}
	probes.n_hits = ARRAY_SIZE(probes.hits);
	event(probes.hits[0]);
	for (unsigned turns = 0; probes.n_hits; turns++) {
		unsigned reads = host.reads;

		now += SEC;
		(void)tracker_tick(tracker, now);
		if (host.reads - reads > most)
			most = host.reads - reads;
		assert_true(turns < 1000);
	}
	/* all are resolved, some of them checked, and these checked again when they are forgotten */
	assert_true(host.reads >= 3 * ARRAY_SIZE(probes.hits));
	assert_true(most < 2 * ARRAY_SIZE(probes.hits));
	assert_int_equal(read_evidence()->fallback[0].hits[FALLBACK_SENDPAGE].n, 10 * ARRAY_SIZE(probes.hits));
}

/* Between two slices, a change of an interface has its turn. */
static void a_turn_has_one_slice(void **state)
{
	unsigned reads;

	(void)state;
	event(hits_of(3, FALLBACK_SEGMENTATION)); /* hits are read every five seconds now */
	now += 60 * SEC;
	tracker->inventory_usec = tracker->hits_usec = now;
	reads = probes.hits_reads;
	probes.sockets_usec = TRACKER_SLICE_USEC;
	(void)tracker_tick(tracker, now);
	assert_int_equal(probes.hits_reads, reads);
	assert_true(tracker_deadline(tracker) < now);
	(void)tracker_tick(tracker, now);
	assert_int_equal(probes.hits_reads, reads + 1);
}

static void processes_elsewhere_are_not_ours(void **state)
{
	struct probe_hits *hits = &probes.hits[0];

	(void)state;
	*hits = hits_of(0, FALLBACK_SENDPAGE);
	hits->netns = 0;
	hits->tgid = getpid();
	probes.n_hits = 1;
	assert_int_equal(read_evidence()->n_fallback, 1);
	restart_tracker();
	host.netns = NETNS + 1;
	assert_int_equal(read_evidence()->n_fallback, 0);
}

static void evidence_lists_senders_and_what_was_lost(void **state)
{
	const struct evidence *e;

	(void)state;
	probes.hits[0] = hits_of(3, FALLBACK_SEGMENTATION);
	probes.hits[1] = hits_of(101, FALLBACK_CHECKSUM);
	probes.hits[1].hits = 99;
	probes.hits[2] = hits_of(3, FALLBACK_CHECKSUM);
	probes.hits[2].origin = FALLBACK_FORWARDED;
	probes.n_hits = 3;
	probes.lost.hits[FALLBACK_CHECKSUM] = 4;
	probes.lost.hits_usec = now - 5 * SEC;
	probes.lost.elsewhere[FALLBACK_CHECKSUM] = 5;
	event(hits_of(3, FALLBACK_SEGMENTATION));
	pass(10 * SEC);
	e = read_evidence();
	assert_true(e->has_fallback && e->has_sockets && !e->has_latency);
	assert_int_equal(e->n_fallback, 3);
	assert_string_equal(e->fallback[0].service, "s101.service"); /* the most hits first */
	assert_string_equal(e->fallback[0].link, "vlan10");
	assert_int_equal(e->lost[FALLBACK_CHECKSUM], 4);
	assert_false(evidence_is_complete(e));
	assert_int_equal(e->elsewhere[FALLBACK_CHECKSUM], 5);
	assert_int_equal(e->n_probes, 2);
	probes.lost.hits_usec -= 6 * SEC;
	e = read_evidence_again();
	assert_int_equal(e->lost[FALLBACK_CHECKSUM], 4);
	assert_true(evidence_lost_within(e, 60 * SEC));
	assert_true(evidence_is_complete(e));
}

/* Without memory there is no answer, and then the right one. */
static void hits_that_cannot_be_read_are_not_none(void **state)
{
	const struct evidence *e;

	(void)state;
	probes.hits[0] = hits_of(3, FALLBACK_SEGMENTATION);
	probes.n_hits = 1;
	assert_int_equal(read_evidence()->n_fallback, 1);
	probes.hits_error = -ENOMEM;
	now = util_now_usec();
	assert_int_equal(try_to_read(&e), -ENOMEM);
	assert_int_equal(tracker_read_evidence(tracker, 0, &e), 0);
	assert_int_equal(e->n_fallback, 1);
	probes.hits_error = 0;
	assert_int_equal(read_evidence_again()->n_fallback, 1);
}

static void hits_are_read_in_slices(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		probes.hits[i] = hits_of(100 + i, FALLBACK_SEGMENTATION);
	probes.n_hits = 3;
	probes.sliced = true;
	assert_int_equal(read_evidence()->n_fallback, 3);
	assert_int_equal(probes.slices, 2);
	for (unsigned i = 0; i < 3; i++)
		event(probes.hits[i]);
	pass(10 * SEC);
	assert_int_equal(count(FINDING_FALLBACK_SERVICE), 3);
	assert_true(probes.slices >= 4);
	assert_int_equal(read_evidence_again()->n_fallback, 3); /* each once */
}

static void sendfile_is_timed_on_demand(void **state)
{
	struct probe_status status;
	const struct evidence *e;

	(void)state;
	probes.latency_result = -EOPNOTSUPP;
	assert_int_equal(tracker_time_sendfile(tracker, true, now, &status), -EOPNOTSUPP);
	assert_string_equal(status.why, "no kprobes");
	probes.latency_result = 0;
	assert_int_equal(tracker_time_sendfile(tracker, true, now, &status), 0);
	probes.latency_calls = 6;
	pass(TRACKER_SENDFILE_USEC);
	probes.latency_calls = 0;
	e = read_evidence();
	assert_true(e->has_latency);
	assert_int_equal(e->latency.n, 1);
	assert_int_equal(e->latency.rows[0].calls % 6, 0);
	assert_true(e->latency.rows[0].calls >= 6);
	assert_int_equal(tracker_time_sendfile(tracker, false, now, &status), 0);
}

static void what_can_be_seen(void **state)
{
	char why[PROBE_WHY_LEN];
	unsigned running, missing;

	(void)state;
	assert_int_equal(tracker_see_stale(tracker, why), TRACKER_SEES);
	assert_string_equal(why, "");
	assert_int_equal(tracker_fd(tracker), 0);
	probes.status[1].method = PROBE_ABSENT;
	snprintf(probes.status[1].why, sizeof(probes.status[1].why), "no BTF");
	assert_int_equal(tracker_see_stale(tracker, why), TRACKER_BLIND);
	assert_string_equal(why, "no BTF");
	probes.status[2] = (struct probe_status){ .name = "checksum", .function = "skb_checksum_help", .why = "no kprobes" };
	probes.n_status = 3;
	assert_int_equal(tracker_see_fallback(tracker, why), TRACKER_LIMITED);
	assert_string_equal(why, "no kprobes");
	tracker_count_probes(tracker, &running, &missing);
	assert_int_equal(running, 1);
	assert_int_equal(missing, 2);
	probes.n_status = 0;
	assert_int_equal(tracker_see_stale(tracker, why), TRACKER_BLIND);
}

/* Without BTF: no events, no sockets, senders by process. */
static void copies_after_the_repair_show_stale_connections(void **state)
{
	struct probe_hits *hits = &probes.hits[0];
	char why[PROBE_WHY_LEN];

	(void)state;
	probes.status[0].name = EVIDENCE_BY_PROCESS;
	probes.status[1] = (struct probe_status){ .name = "sockets", .why = "no BTF" };
	probes.fd = -ENOENT;
	probes.sockets_error = -EOPNOTSUPP;
	set_link(5, "vlan10", false);
	restart_tracker();
	assert_int_equal(tracker_see_stale(tracker, why), TRACKER_LIMITED);
	*hits = (struct probe_hits){ .kind = FALLBACK_SENDPAGE, .tgid = getpid(), .comm = "own", .hits = 5, .first_usec = now, .last_usec = now };
	probes.n_hits = 1;
	pass(40 * SEC);
	assert_int_equal(count(FINDING_STALE), 0); /* the link explains the copies */
	set_link(5, "vlan10", true);
	tracker_note_change(tracker, now);
	hits->last_usec = now + 20 * SEC;
	hits->hits = 9;
	pass(40 * SEC);
	assert_int_equal(count(FINDING_STALE), 1);
	assert_string_equal(last(FINDING_STALE)->service, "own.service");
	pass(3600 * SEC); /* it copies no more */
	assert_int_equal(count(FINDING_RECONNECTED), 1);
}

static void who_changed_a_link(void **state)
{
	struct finding f;

	(void)state;
	set_link(6, "bond0", true);
	finding_init(&f, FINDING_DRIFTED, NULL);
	f.ifindex = 5;
	f.on = feature_named(&features, "rx-gro");
	probes.change_result = -EOPNOTSUPP;
	tracker_find_changed_by(tracker, &f);
	assert_false(f.changed_by.asked);
	probes.change_result = 0;
	probes.change = (struct probe_change){ .time_usec = now, .before = f.on, .cgroup = 3, .root_netns = NETNS, .root_ifindex = 6, .pid = 42,
		.parent_pid = 41, .comm = "ethtool", .parent_comm = "bash" };
	tracker_find_changed_by(tracker, &f);
	assert_true(f.changed_by.asked);
	assert_int_equal(f.changed_by.pid, 42);
	assert_string_equal(f.changed_by.comm, "ethtool");
	assert_string_equal(f.changed_by.unit, "web.service");
	assert_string_equal(f.changed_by.link, "bond0");

	finding_init(&f, FINDING_DRIFTED, NULL); /* of another feature than the one that was changed */
	f.ifindex = 5;
	f.on = feature_named(&features, "rx-lro");
	tracker_find_changed_by(tracker, &f);
	assert_int_equal(f.changed_by.pid, 0);
}

static void the_next_deadline(void **state)
{
	(void)state;
	pass(60 * SEC);
	assert_int_equal(tracker_deadline(tracker), 0); /* idle: no wake-ups */
	tracker_note_change(tracker, now);
	assert_true(tracker_deadline(tracker) > now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(fallback_is_reported_once_for_each_sender, setup, teardown),
		cmocka_unit_test_setup_teardown(the_origin_decides_what_is_reported, setup, teardown),
		cmocka_unit_test_setup_teardown(too_many_senders_are_one_event_more, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_lost_is_reported_once, setup, teardown),
		cmocka_unit_test_setup_teardown(stale_connections_begin_and_end, setup, teardown),
		cmocka_unit_test_setup_teardown(stale_connections_are_named_by_who_holds_them_now, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stale_connection_may_wait_to_be_accepted, setup, teardown),
		cmocka_unit_test_setup_teardown(stale_connections_outlive_a_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_that_cannot_be_written_is_reported_once, setup, teardown),
		cmocka_unit_test_setup_teardown(only_listed_services_are_restarted, setup, teardown),
		cmocka_unit_test_setup_teardown(who_gave_up_udp_segmentation, setup, teardown),
		cmocka_unit_test_setup_teardown(hits_of_a_process_that_ended_are_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(processes_are_checked_in_slices, setup, teardown),
		cmocka_unit_test_setup_teardown(a_turn_has_one_slice, setup, teardown),
		cmocka_unit_test_setup_teardown(processes_elsewhere_are_not_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(evidence_lists_senders_and_what_was_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(hits_that_cannot_be_read_are_not_none, setup, teardown),
		cmocka_unit_test_setup_teardown(hits_are_read_in_slices, setup, teardown),
		cmocka_unit_test_setup_teardown(sendfile_is_timed_on_demand, setup, teardown),
		cmocka_unit_test_setup_teardown(what_can_be_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(copies_after_the_repair_show_stale_connections, setup, teardown),
		cmocka_unit_test_setup_teardown(who_changed_a_link, setup, teardown),
		cmocka_unit_test_setup_teardown(the_next_deadline, setup, teardown),
	};

	return cmocka_run_group_tests_name("tracker", tests, NULL, NULL);
}
