/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the probes see, one command a line on standard input; each answer ends with a line "." :
 *   status | hits | events | lost | runs | sockets | all-sockets | change LINK | forget USEC | latency | latency-start
 *   senders | watch | unwatch | gso LINK on|off | fill-names | free-names | quit
 * Arguments: QUIET-USEC MAX-KEYS, 0 for the defaults. */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>

#include <bpf/bpf.h>

#include "bpf/event.h"
#include "kernel/cgroup.h"
#include "kernel/observe.h"
#include "evidence/evidence.h"
#include "evidence/probe.h"
#include "evidence/probe_private.h"
#include "model/unit.h"
#include "basic/util.h"

static struct probe *probe;
static struct probe_latency *latency;
static struct feature_table features;
static unsigned wakeups;

static const char *service(uint64_t cgroup, pid_t pid, char *buf, size_t size)
{
	char path[UNIT_PATH_MAX];
	const char *found = cgroup > 1 ? probe_cgroup_path(cgroup) : NULL;
	struct unit unit;

	if (found)
		unit_parse_path(found, &unit);
	else if (cgroup <= 1 && pid > 0 && cgroup_path_of_process(pid, path, sizeof(path)) >= 0)
		unit_parse_path(path, &unit);
	else
		return "-";
	return unit_format(&unit, buf, size);
}

static void print_hits(const struct probe_hits *h, void *userdata _unused_)
{
	char link[IF_NAMESIZE] = "-", unit[512], missing[256] = "-";
	struct cgroup_process process;

	/* as collect_is_elsewhere() decides */
	if (h->tgid && !h->netns && cgroup_read_process(h->tgid, &process) == 0 && process.netns && process.netns != probe_own_netns())
		return;
	if (h->netns == probe_own_netns())
		if_indextoname((unsigned)h->ifindex, link);
	if (h->missing)
		feature_format(&features, h->missing, missing, sizeof(missing));
	printf("%s link=%s origin=%s service=%s pid=%d comm=%s hits=%llu missing=%s reason=%s limit=%u largest=%u\n",
		evidence_kind_name(h->kind), link, evidence_origin_name(h->origin),
		service(h->cgroup, h->tgid, unit, sizeof(unit)), (int)h->tgid,
		h->comm[0] ? h->comm : "-", (unsigned long long)h->hits, missing, evidence_reason_name(h->reason), h->limit, h->largest);
}

static void count_hits(const struct probe_hits *h, void *userdata)
{
	uint64_t *sum = userdata;

	sum[0]++;
	sum[1] += h->hits;
}

static int print_socket(const struct socket_info *s, void *userdata _unused_)
{
	char local[SOCKET_ADDRESS_LEN], remote[SOCKET_ADDRESS_LEN], unit[512], link[IF_NAMESIZE] = "-";
	struct socket_features bits;

	socket_features_init(&features, &bits);
	if_indextoname((unsigned)s->ifindex, link);
	printf("%s %s link=%s service=%s stale=%d state=%u inode=%llu\n",
		socket_format_address(s->family, s->local, s->local_port, local, sizeof(local)),
		socket_format_address(s->family, s->remote, s->remote_port, remote, sizeof(remote)),
		link, service(s->cgroup, 0, unit, sizeof(unit)), !!socket_stale(s, &bits), s->state,
		(unsigned long long)s->inode);
	return 0;
}

static int count_socket(const struct socket_info *s _unused_, void *userdata _unused_)
{
	return 0;
}

static void print_sockets(bool all, bool quiet)
{
	uint64_t visited = 0, start = util_now_usec();
	int n = probe_read_sockets(probe, NULL, all, quiet ? count_socket : print_socket, NULL, &visited);

	if (n < 0)
		printf("error %s\n", strerror(-n));
	else
		printf("sockets=%d visited=%llu usec=%llu\n", n, (unsigned long long)visited,
			(unsigned long long)(util_now_usec() - start));
}

static void print_change(const char *link)
{
	char unit[512], root[IF_NAMESIZE] = "-", before[512], after[512];
	struct probe_change c;
	int r = probe_find_change(probe, probe_own_netns(), (int)if_nametoindex(link), &c);

	if (r < 0) {
		printf("error %s\n", strerror(-r));
		return;
	}
	if_indextoname((unsigned)c.root_ifindex, root);
	printf("change pid=%d comm=%s ppid=%d parent=%s service=%s root=%s age_usec=%llu\n",
		(int)c.pid, c.comm, (int)c.parent_pid, c.parent_comm,
		service(c.cgroup, c.pid, unit, sizeof(unit)), root,
		(unsigned long long)(util_now_usec() - c.time_usec));
	printf("off: %s\non: %s\n",
		feature_format(&features, c.before & ~c.after, before, sizeof(before)),
		feature_format(&features, c.after & ~c.before, after, sizeof(after)));
}

static void print_status(bool runs)
{
	const struct probe_status *status;
	char line[512];
	size_t n;

	probe_update_runs(probe);
	status = probe_status(probe, &n);
	for (size_t i = 0; i < n; i++)
		if (!runs)
			printf("%s%s\n", probe_format_status(&status[i], line, sizeof(line)),
				status[i].other_kernels ? " [nothing missing]" : "");
		else if (status[i].runs)
			printf("%s runs=%llu nsec_each=%llu\n", status[i].function,
				(unsigned long long)status[i].runs,
				(unsigned long long)(status[i].run_nsec / status[i].runs));
}

static void print_lost(void)
{
	struct probe_lost lost;
	struct rusage usage;
	uint64_t now_usec = util_now_usec();

	probe_read_lost(probe, &lost);
	printf("idle=%s ", !lost.hits_usec ? "never" : lost.hits_usec > now_usec ? "wrong" :
		now_usec - lost.hits_usec < UINT64_C(600000000) ? "recent" : "old");
	for (unsigned i = 0; i < FALLBACK_KINDS; i++)
		printf("%s=%llu ", evidence_kind_name(i), (unsigned long long)lost.hits[i]);
	for (unsigned i = 0; i < FALLBACK_KINDS; i++)
		printf("elsewhere-%s=%llu ", evidence_kind_name(i), (unsigned long long)lost.elsewhere[i]);
	getrusage(RUSAGE_SELF, &usage);
	printf("events=%llu malformed=%llu wakeups=%u maxrss=%ld\n",
		(unsigned long long)lost.events,
		(unsigned long long)lost.malformed, wakeups, usage.ru_maxrss);
}

static void print_histogram(const struct probe_latency_histogram *h, void *userdata _unused_)
{
	char unit[512];

	printf("latency service=%s %s count=%llu mean_usec=%llu:",
		service(h->cgroup, 0, unit, sizeof(unit)), h->fallback ? "fallback" : "healthy",
		(unsigned long long)h->count,
		(unsigned long long)(h->count ? h->total_usec / h->count : 0));
	for (unsigned i = 0; i < LATENCY_SLOTS; i++)
		if (h->slots[i])
			printf(" %u:%llu", 1u << i, (unsigned long long)h->slots[i]);
	printf("\n");
}

static void print_running(const struct probe_latency_histogram *h, void *userdata _unused_)
{
	char unit[512];

	printf("running service=%s %s link=%d usec=%llu\n", service(h->cgroup, 0, unit, sizeof(unit)),
		h->fallback ? "fallback" : "healthy", h->ifindex, (unsigned long long)h->total_usec);
}

static void print_latency(bool start)
{
	struct probe_status status = {};
	char line[512];
	struct probe_latency_lost lost;
	int r = 0;

	if (start && !latency) {
		r = probe_latency_open(&features, true, &latency, &status);
		printf("%s\n", probe_format_status(&status, line, sizeof(line)));
	}
	if (latency && r == 0 && !start) {
		probe_latency_read(latency, true, print_histogram, NULL);
		probe_latency_read_running(latency, print_running, NULL);
		probe_latency_read_lost(latency, &lost);
		printf("lost=%llu begun=%llu\n", (unsigned long long)lost.calls, (unsigned long long)lost.begun);
	}
}

/* A change by this process itself. */
static void set_gso(const char *arg)
{
	struct ethtool_value value = { .cmd = ETHTOOL_SGSO };
	struct ifreq request = { .ifr_data = (void *)&value };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	size_t len = strcspn(arg, " ");

	value.data = !strcmp(arg + len, " on");
	if (len < sizeof(request.ifr_name))
		memcpy(request.ifr_name, arg, len);
	printf("%s\n", fd >= 0 && ioctl(fd, SIOCETHTOOL, &request) == 0 ? "set" : strerror(errno));
}

static void print_sender(const struct probe_sender *s, void *userdata _unused_)
{
	char link[IF_NAMESIZE] = "-", unit[512];

	if (s->key.netns == probe_own_netns())
		if_indextoname((unsigned)s->key.ifindex, link);
	printf("sender link=%s service=%s pid=%d comm=%s refused=%llu segmented=%llu single=%llu single_usec=%llu\n", link,
		service(s->cgroup, s->key.pid, unit, sizeof(unit)), (int)s->key.pid, s->comm, (unsigned long long)s->refused,
		(unsigned long long)s->segmented, (unsigned long long)s->single, (unsigned long long)s->single_usec);
}

/* Takes the room for names of cgroups with entries that no program completes, so that nobody removes them; or gives it back. */
static void set_names(bool fill)
{
	static const struct cgroup_names names;
	unsigned done = 0;

	for (uint64_t id = UINT64_MAX; id > UINT64_MAX - CGROUP_NAMES_MAX; id--)
		done += (fill ? bpf_map_update_elem(probe_names_fd(), &id, &names, BPF_ANY) : bpf_map_delete_elem(probe_names_fd(), &id)) == 0;
	printf("names=%u\n", done);
}

/* Idle, or of a process that has ended. */
static bool is_old(const struct probe_hits *h, void *userdata)
{
	const uint64_t *before_usec = userdata;
	struct cgroup_process process;

	return h->first_usec ? cgroup_read_process(h->tgid, &process) == -ESRCH : h->last_usec < *before_usec;
}

static void command(char *line)
{
	uint64_t sum[2] = {};
	char *arg = strchr(line, ' ');

	if (arg)
		*arg++ = '\0';
	if (!strcmp(line, "status"))
		print_status(false);
	else if (!strcmp(line, "runs"))
		print_status(true);
	else if (!strcmp(line, "hits"))
		probe_read_hits(probe, NULL, print_hits, NULL);
	else if (!strcmp(line, "count")) {
		int n = probe_read_hits(probe, NULL, count_hits, sum);

		printf("read=%d keys=%llu hits=%llu\n", n, (unsigned long long)sum[0],
			(unsigned long long)sum[1]);
	} else if (!strcmp(line, "lost"))
		print_lost();
	else if (!strcmp(line, "sockets"))
		print_sockets(false, false);
	else if (!strcmp(line, "all-sockets"))
		print_sockets(true, false);
	else if (!strcmp(line, "time-sockets"))
		print_sockets(false, true);
	else if (!strcmp(line, "senders"))
		probe_read_senders(probe, print_sender, NULL);
	else if (!strcmp(line, "watch") || !strcmp(line, "unwatch"))
		printf("%d\n", probe_watch_senders(probe, line[0] == 'w'));
	else if (!strcmp(line, "change") && arg)
		print_change(arg);
	else if (!strcmp(line, "fill-names") || !strcmp(line, "free-names"))
		set_names(line[1] == 'i');
	else if (!strcmp(line, "gso") && arg)
		set_gso(arg);
	else if (!strcmp(line, "forget") && arg)
		printf("forgot=%d\n",
			probe_forget_hits(probe, is_old, &(uint64_t){ util_now_usec() - strtoull(arg, NULL, 10) }));
	else if (!strcmp(line, "latency-start"))
		print_latency(true);
	else if (!strcmp(line, "latency"))
		print_latency(false);
	else
		printf("what?\n");
	printf(".\n");
	fflush(stdout);
}

static void print_event(const struct probe_hits *h, void *userdata)
{
	fputs("event ", userdata);
	print_hits(h, NULL);
}

int main(int argc, char **argv)
{
	struct probe_options options = { .features = &features };
	_cleanup_(ethtool_close_pointer) struct ethtool *e = NULL;
	struct pollfd fds[2] = { { .fd = STDIN_FILENO, .events = POLLIN } };
	uint64_t start = util_now_usec();
	char line[256];

	setvbuf(stdin, NULL, _IONBF, 0);
	if (argc > 1)
		options.quiet_usec = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		options.max_keys = (unsigned)strtoul(argv[2], NULL, 10);
	if (ethtool_open(ETHTOOL_IOCTL, false, 0, &e) < 0 || ethtool_features_strings(e, &features) < 0)
		return perror("feature names"), 1;
	if (probe_open(&options, &probe) < 0)
		return perror("probes"), 1;
	printf("ready open_usec=%llu\n.\n", (unsigned long long)(util_now_usec() - start));
	fflush(stdout);
	fds[1] = (struct pollfd){ .fd = probe_events_fd(probe), .events = POLLIN };
	while (poll(fds, fds[1].fd < 0 ? 1 : 2, -1) > 0) {
		if (fds[1].fd >= 0 && fds[1].revents & POLLIN) {
			wakeups++;
			probe_read_events(probe, print_event, stdout);
			fflush(stdout);
		}
		if (!fds[0].revents)
			continue;
		if (!fgets(line, sizeof(line), stdin))
			break;
		line[strcspn(line, "\n")] = '\0';
		if (!strcmp(line, "quit"))
			break;
		command(line);
	}
	probe_latency_close(latency);
	probe_close(probe);
	return 0;
}
