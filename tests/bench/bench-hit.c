/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench-hit LINK PEER PACKETS PROGRAM...: what the programs of hit.bpf.c cost. Sends over a TCP connection
 * by LINK (10.9.0.1) to the network namespace PEER (a file; 10.9.0.2) until each program has measured
 * PACKETS of its packets. Prints for each "PROGRAM percent hot live counted": nanoseconds of one run, in a
 * row over the same packet (everything is in the CPU's caches) and once a packet, less what the empty
 * program takes; the latter in percent of a send of 64 KiB without any program; and how many hits the
 * product's map had from one run. "empty" is before subtraction. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "kernel/ethtool.h"
#include "evidence/probe_private.h"
#include "bpf/event.h"
#include "tests/bench/hit.h"

#include "hit.skel.h"

#define PREFIX "hit_"
#define IN_A_ROW 1000
#define ROUNDS 5 /* programs take turns, so that what else the machine does disturbs all of them */
#define GIVE_UP_SEC 20
#define PORT 5001

struct program {
	const char *name;
	uint64_t ns[2][ROUNDS * HIT_PACKETS];
	size_t n[2];
	uint64_t runs, hits;
};

struct wire {
	int sender, receiver;
	unsigned ifindex, netns;
};

#define NSEC_PER_SEC 1000000000ULL

static struct feature_table features;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "bench-hit: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static double median(uint64_t *ns, size_t n)
{
	qsort(ns, n, sizeof(*ns), by_size);
	return n ? (double)ns[n / 2] : 0;
}

static int socket_in(int netns)
{
	int fd;

	if (setns(netns, CLONE_NEWNET) < 0)
		die("setns");
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("socket");
	return fd;
}

static void wire_connect(struct wire *w, const char *peer)
{
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), there = open(peer, O_RDONLY | O_CLOEXEC);
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	struct stat st;
	int listener, yes = 1;

	if (here < 0 || there < 0 || fstat(here, &st) < 0)
		die(peer);
	w->netns = (unsigned)st.st_ino;
	inet_pton(AF_INET, "10.9.0.2", &address.sin_addr);
	listener = socket_in(there);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(listener, (void *)&address, sizeof(address)) < 0 || listen(listener, 1) < 0)
		die("listen");
	w->sender = socket_in(here);
	if (connect(w->sender, (void *)&address, sizeof(address)) < 0)
		die("connect");
	w->receiver = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (w->receiver < 0 || fcntl(w->sender, F_SETFL, O_NONBLOCK) < 0)
		die("accept");
	close(listener);
	close(here);
	close(there);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

/* Nanoseconds of the write, in which the packets also go through the veth to the receiver's socket. */
static uint64_t wire_send(const struct wire *w)
{
	static char buf[65536];
	uint64_t ns = now_ns();

	if (write(w->sender, buf, sizeof(buf)) < 0 && errno != EAGAIN)
		die("write");
	ns = now_ns() - ns;
	while (read(w->receiver, buf, sizeof(buf)) > 0)
		;
	return ns;
}

/* What the product's map counted. */
static uint64_t hits(int fd)
{
	int cpus = libbpf_num_possible_cpus();
	struct fallback_count *values = calloc((size_t)cpus, sizeof(*values));
	struct fallback_key key;
	uint64_t sum = 0;

	if (!values)
		die("calloc");
	for (const void *at = NULL; bpf_map_get_next_key(fd, at, &key) == 0; at = &key) {
		if (bpf_map_lookup_elem(fd, &key, values) < 0)
			die("counts");
		for (int i = 0; i < cpus; i++)
			sum += values[i].hits;
	}
	free(values);
	return sum;
}

static struct hit_bpf *load(const struct wire *w, unsigned loops)
{
	struct hit_bpf *skeleton = hit_bpf__open();
	struct bpf_program *p;

	if (!skeleton)
		die("open");
	bpf_object__for_each_program(p, skeleton->obj)
		bpf_program__set_autoload(p, !strncmp(bpf_program__name(p), PREFIX, strlen(PREFIX)));
	PROBE_SET_FEATURES(skeleton->rodata, &features);
	PROBE_SET_GSO(skeleton->rodata, &features);
	/* a bit that no socket has, so that splice() counts */
	skeleton->rodata->feature_sg = FEATURE(FEATURE_MAX - 1);
	skeleton->rodata->hit_ifindex = w->ifindex;
	skeleton->rodata->hit_netns = w->netns;
	skeleton->rodata->hit_loops = loops;
	if (hit_bpf__load(skeleton) < 0)
		die("load");
	return skeleton;
}

static void measure(struct hit_bpf *skeleton, struct program *program, const struct wire *w, unsigned packets,
	bool hot)
{
	uint64_t before = hits(bpf_map__fd(skeleton->maps.counts));
	time_t end = time(NULL) + GIVE_UP_SEC;
	struct bpf_program *p;
	struct bpf_link *link;
	char name[64];

	snprintf(name, sizeof(name), PREFIX "%s", program->name);
	p = bpf_object__find_program_by_name(skeleton->obj, name);
	if (!p)
		die(program->name);
	skeleton->bss->hit_packets = 0;
	link = bpf_program__attach(p);
	if (!link)
		die("attach");
	while (*(volatile __u32 *)&skeleton->bss->hit_packets < packets) {
		wire_send(w);
		if (time(NULL) > end) {
			errno = ETIMEDOUT;
			die("packets");
		}
	}
	bpf_link__destroy(link);
	for (unsigned i = 0; i < packets; i++)
		program->ns[hot][program->n[hot]++] = skeleton->bss->hit_ns[i];
	program->runs += (uint64_t)skeleton->bss->hit_packets * skeleton->rodata->hit_loops;
	program->hits += hits(bpf_map__fd(skeleton->maps.counts)) - before;
}

int main(int argc, char **argv)
{
	struct program *programs = calloc((size_t)argc, sizeof(*programs)), *empty = programs;
	struct wire w = { 0 };
	unsigned packets = argc > 4 ? (unsigned)atoi(argv[3]) : 0;
	static uint64_t sends[ROUNDS * HIT_PACKETS];
	struct hit_bpf *skeleton[2];
	struct ethtool *e = NULL;
	size_t n = 1, n_sends = 0;
	double send;

	if (!programs || packets < 1 || packets > HIT_PACKETS) {
		fprintf(stderr, "bench-hit LINK PEER PACKETS PROGRAM...\n");
		return 2;
	}
	empty->name = "empty";
	for (int i = 4; i < argc; i++)
		programs[n++].name = argv[i];
	w.ifindex = if_nametoindex(argv[1]);
	if (!w.ifindex || ethtool_open(ETHTOOL_IOCTL, false, 0, &e) < 0 ||
		ethtool_features_strings(e, &features) < 0)
		die(argv[1]);
	ethtool_close(e);
	wire_connect(&w, argv[2]);
	skeleton[false] = load(&w, 1);
	skeleton[true] = load(&w, IN_A_ROW);
	for (int round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < packets; i++)
			sends[n_sends++] = wire_send(&w);
		for (size_t i = 0; i < n; i++)
			for (int hot = false; hot <= true; hot++)
				measure(skeleton[hot], &programs[i], &w, packets, hot);
	}
	send = median(sends, n_sends);
	for (size_t i = 0; i < n; i++) {
		struct program *p = &programs[i];
		double row = median(p->ns[1], p->n[1]), one = median(p->ns[0], p->n[0]);

		if (i > 0) {
			row -= median(empty->ns[1], empty->n[1]);
			one -= median(empty->ns[0], empty->n[0]);
		}
		printf("%s %.2f %.0f %.0f %.0f\n", p->name, one / send * 100, row / IN_A_ROW, one,
			(double)p->hits / (double)p->runs);
	}
	hit_bpf__destroy(skeleton[false]);
	hit_bpf__destroy(skeleton[true]);
	free(programs);
	return 0;
}
