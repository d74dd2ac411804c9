/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why packets are split: builds random stacks with random limits, features, XDP and qdiscs, sends over TCP, and compares what the
 * probes counted with what the configuration allows: which interface, which reason. To be run as root, in a network namespace of its
 * own.
 *
 *     reasons PEER SEED CASES [CARD]
 *
 * PEER is the namespace of the other host, as 91-reasons.sh prepares it. CARD: an interface with a wire to it. Ends with a line
 *     cases N split N wrong N missed N well N, and how many cases had each reason
 * wrong: counted on another interface or for another reason; missed: nothing counted though it has to split; well: a counter grew and
 * the diagnosis does not name it. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "evidence/collect.h"
#include "evidence/diagnose.h"
#include "kernel/ethtool.h"

#define HOPS_MAX 4
#define SEEN_MAX 64
#define BYTES (512 * 1024)
#define CERTAIN_SIZE 12000 /* packets of TCP are larger than that sooner or later */
#define PORT 5001
#define SEND_MSEC 20000
#define GROUP "7" /* of the links of a case, which are deleted together */

enum limit { LIMIT_SIZE, LIMIT_SEGMENTS, LIMIT_IPV4, LIMITS };

struct hop { /* from the top of the stack to the wire */
	char name[IFNAMSIZ];
	int ifindex;
	struct link_features features;
	uint32_t limits[LIMITS];
};

struct seen {
	int ifindex;
	enum fallback_kind kind;
	enum fallback_reason reason;
};

struct batch { /* `ip -batch -` or `tc -batch -`, one for all cases: emulated machines start programs slowly */
	const char *last; /* the only command that prints something: one line */
	pid_t pid;
	FILE *in, *out;
};

struct run {
	int here, there; /* network namespaces */
	struct batch ip, far, tc; /* far: `ip` there */
	const char *peer, *card;
	uint64_t random;
	struct feature_table features;
	struct ethtool *ethtool;
	struct probe *probe;
	unsigned cases, split, wrong, missed, well, of[FALLBACK_REASONS];
	bool in_order; /* the kernel frees links one after the other */

	/* this case */
	struct hop hops[HOPS_MAX];
	unsigned n_hops;
	bool vxlan, vxlan_csum, large, vlan, bond, on_card, xdp;
	const char *qdisc; /* of the lowest hop */
	enum fallback_reason by_qdisc;
	char story[512];
	struct seen seen[SEEN_MAX], allowed[SEEN_MAX];
	unsigned n_seen, n_allowed;
	bool required;
	struct evidence evidence;
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "reasons: %s: %s\n", what, strerror(errno));
	exit(1);
}

static unsigned below(struct run *r, unsigned n)
{
	r->random = r->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(r->random >> 33) % n;
}

static bool one_in(struct run *r, unsigned n)
{
	return below(r, n) == 0;
}

static void enter(int netns)
{
	if (setns(netns, CLONE_NEWNET) < 0)
		die("setns");
}

static struct batch batch_start(const char *command, const char *last)
{
	struct batch b = { .last = last };
	char line[128];
	int in[2], out[2];

	snprintf(line, sizeof(line), "exec stdbuf -oL %s -force -batch - 2>/dev/null", command);
	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		die("pipe2");
	b.pid = fork();
	if (b.pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execl("/bin/sh", "sh", "-c", line, NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	b.in = fdopen(in[1], "w");
	b.out = fdopen(out[0], "r");
	if (b.pid < 0 || !b.in || !b.out)
		die(command);
	return b;
}

/* Waits until all commands were executed. */
static void batch_finish(struct batch *b)
{
	char line[4096];

	fprintf(b->in, "%s\n", b->last);
	fflush(b->in);
	if (!fgets(line, sizeof(line), b->out))
		die(b->last);
}

static void batch_stop(struct batch *b)
{
	fclose(b->in);
	fclose(b->out);
	waitpid(b->pid, NULL, 0);
}

__attribute__((format(printf, 2, 3))) static void tell(struct run *r, const char *format, ...)
{
	size_t len = strlen(r->story);
	va_list args;

	va_start(args, format);
	vsnprintf(r->story + len, sizeof(r->story) - len, format, args);
	va_end(args);
}

/* ---- the stack ---- */

/* Every case has names of its own, because `ip -batch` remembers which index belongs to a name. */
static const char *add_hop(struct run *r, const char *kind)
{
	struct hop *hop;

	/* the top first */
	memmove(&r->hops[1], &r->hops[0], r->n_hops * sizeof(*r->hops));
	r->n_hops++;
	hop = &r->hops[0];
	*hop = (struct hop){ 0 };
	snprintf(hop->name, sizeof(hop->name), kind == r->card ? "%s" : "%s.%u", kind, r->cases);
	return hop->name;
}

/* The number of the network that 91-reasons.sh gives the other host. */
static int network(const struct run *r)
{
	return r->on_card ? (r->vlan ? 5 : 6) : (r->vlan ? 9 : 8);
}

static void build(struct run *r)
{
	FILE *ip = r->ip.in;
	const char *base;
	unsigned ports = 1;

	r->cases++;
	r->n_hops = 0;
	r->story[0] = '\0';
	r->on_card = r->card && one_in(r, 3);
	r->bond = !r->on_card && one_in(r, 2);
	r->vlan = one_in(r, 2);
	r->vxlan = one_in(r, 3);
	r->vxlan_csum = r->vxlan && one_in(r, 2);
	r->large = r->vxlan && one_in(r, 4);
	base = add_hop(r, r->on_card ? r->card : "eth2");
	if (r->on_card) {
		fprintf(ip, "link set %s up gso_max_size 65536 gso_max_segs 65535\n", base);
	} else {
		ports += r->bond && one_in(r, 2);
		for (unsigned i = 2; i < 2 + ports; i++)
			fprintf(ip, "link add eth%u.%u group " GROUP " address 02:00:00:00:00:0%u type veth peer name p%u.%u netns %s\n", i,
				r->cases, i, i, r->cases, r->peer);
		if (!r->bond)
			fprintf(ip, "link set %s up\n", base);
	}
	if (r->bond) {
		base = add_hop(r, "bond0");
		fprintf(ip, "link add %s group " GROUP " type bond mode active-backup\n", base);
		for (unsigned i = 2; i < 2 + ports; i++)
			fprintf(ip, "link set eth%u.%u master %s\nlink set eth%u.%u up\n", i, r->cases, base, i, r->cases);
		fprintf(ip, "link set %s up\n", base);
	}
	if (r->vlan) {
		add_hop(r, "vlan10");
		fprintf(ip, "link add link %s name %s group " GROUP " up type vlan id 10\n", r->hops[1].name, r->hops[0].name);
	}
	fprintf(ip, "addr add 10.%d.0.1/24 dev %s\n", network(r), r->hops[0].name);
	if (r->vxlan) {
		add_hop(r, "vx0");
		fprintf(ip, "link add %s group " GROUP " mtu %d address 02:00:00:00:00:07 up type vxlan id %d remote 10.%d.0.2 "
			"local 10.%d.0.1 dstport 4789 %s\n", r->hops[0].name, r->large ? 1500 : 1450, network(r), network(r),
			network(r), r->vxlan_csum ? "udpcsum" : "noudpcsum");
		fprintf(ip, "addr add 10.7.%d.1/24 dev %s\n", network(r), r->hops[0].name);
	}
	batch_finish(&r->ip);
	for (unsigned i = 2; !r->on_card && i < 2 + ports; i++)
		fprintf(r->far.in, "link set p%u.%u master br0 up\n", i, r->cases);
	fprintf(r->far.in, "neigh flush all\n");
	batch_finish(&r->far);
	for (unsigned i = 0; i < r->n_hops; i++) {
		r->hops[i].ifindex = (int)if_nametoindex(r->hops[i].name);
		tell(r, "%s%s", i ? " > " : "", r->hops[i].name);
	}
	tell(r, "%s%s, %u ports;", r->vxlan_csum ? " udpcsum" : "", r->large ? " mtu 1500" : "", ports);
}

static void set_xdp(struct run *r)
{
	struct bpf_insn pass[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT } };
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "pass", "GPL", pass, 2, NULL);
	char name[IFNAMSIZ];

	if (fd < 0)
		die("bpf_prog_load");
	enter(r->there);
	snprintf(name, sizeof(name), "p2.%u", r->cases);
	r->xdp = bpf_xdp_attach((int)if_nametoindex(name), fd, XDP_FLAGS_DRV_MODE, NULL) == 0;
	enter(r->here);
	close(fd);
	if (r->xdp)
		tell(r, " xdp on p2;");
}

/* As `ethtool -K NAME WORD on|off`. */
static void set_features(struct run *r, const char *name, const char *word, bool on)
{
	struct link_features features;
	struct ethtool_result result;
	int ifindex = (int)if_nametoindex(name);
	feature_set set;

	if (ethtool_features_get(r->ethtool, ifindex, name, &features) < 0 || feature_parse(&r->features, word, &set) < 0 ||
		ethtool_features_set(r->ethtool, ifindex, name, set & features.hw, on ? set : 0, &result) < 0)
		die(name);
}

/* Random limits and features; all of them may be left as they are. */
static void disturb(struct run *r)
{
	const char *base = r->hops[r->n_hops - 1].name;
	FILE *ip = r->ip.in, *tc = r->tc.in;

	for (unsigned i = 0; i < r->n_hops; i++) {
		unsigned size = 4000 + below(r, 50000), segments = 2 + below(r, 30);

		if (one_in(r, 4)) {
			fprintf(ip, "link set %s gso_max_size %u\n", r->hops[i].name, size);
			tell(r, " %s gso_max_size %u;", r->hops[i].name, size);
		}
		if (one_in(r, 6)) {
			fprintf(ip, "link set %s gso_max_segs %u\n", r->hops[i].name, segments);
			tell(r, " %s gso_max_segs %u;", r->hops[i].name, segments);
		}
	}
	batch_finish(&r->ip);
	r->xdp = false;
	if (!r->on_card && one_in(r, 6))
		set_xdp(r);
	for (unsigned i = 0; i < r->n_hops; i++) {
		const char *what = one_in(r, 10) ? "tso" : one_in(r, 14) ? "tx" : NULL;

		if (!what)
			continue;
		tell(r, " %s %s off;", r->hops[i].name, what);
		set_features(r, r->hops[i].name, what, false);
	}
	r->qdisc = NULL;
	if (!one_in(r, 5))
		return;
	switch (below(r, 3)) {
	case 0:
		r->qdisc = "tbf";
		r->by_qdisc = FALLBACK_REASON_QDISC;
		fprintf(tc, "qdisc add dev %s root tbf rate 10gbit burst 10kb limit 10mb\n", base);
		break;
	case 1:
		r->qdisc = "cake";
		r->by_qdisc = FALLBACK_REASON_QDISC;
		fprintf(tc, "qdisc add dev %s root cake split-gso\n", base);
		break;
	default:
		r->qdisc = "tbf below htb";
		r->by_qdisc = FALLBACK_REASON_FORCED;
		fprintf(tc, "qdisc add dev %s root handle 1: htb default 1\n", base);
		fprintf(tc, "class add dev %s parent 1: classid 1:1 htb rate 10gbit\n", base);
		fprintf(tc, "qdisc add dev %s parent 1:1 tbf rate 10gbit burst 10kb limit 10mb\n", base);
	}
	batch_finish(&r->tc);
	tell(r, " %s %s;", base, r->qdisc);
}

static void clean(struct run *r)
{
	if (r->on_card) {
		set_features(r, r->card, "tx", true);
		set_features(r, r->card, "tso", true);
		fprintf(r->ip.in, "addr flush dev %s\n", r->card);
	}
	if (r->qdisc && r->on_card) {
		fprintf(r->tc.in, "qdisc del dev %s root\n", r->card);
		batch_finish(&r->tc);
	}
	if (r->in_order && r->vlan) /* a VLAN holds the link below it until it is freed itself: see docs/kernels.md */
		fprintf(r->ip.in, "link del vlan10.%u\n", r->cases);
	if (r->n_hops > 1 || !r->on_card)
		fprintf(r->ip.in, "link del group " GROUP "\n");
	batch_finish(&r->ip);
}

/* ---- what the kernel has ---- */

static void read_limits(struct hop *hop)
{
	static const unsigned short types[LIMITS] = { [LIMIT_SIZE] = IFLA_GSO_MAX_SIZE, [LIMIT_SEGMENTS] = IFLA_GSO_MAX_SEGS,
		[LIMIT_IPV4] = 63 /* IFLA_GSO_IPV4_MAX_SIZE */ };
	struct {
		struct nlmsghdr h;
		struct ifinfomsg i;
	} ask = { .h = { .nlmsg_len = sizeof(ask), .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST },
		.i = { .ifi_index = hop->ifindex } };
	static char buf[65536] __attribute__((aligned(8)));
	struct nlmsghdr *h = (void *)buf;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct rtattr *a;
	ssize_t n;

	if (fd < 0 || send(fd, &ask, sizeof(ask), 0) < 0 || (n = recv(fd, buf, sizeof(buf), 0)) < 0 || h->nlmsg_type != RTM_NEWLINK)
		die(hop->name);
	close(fd);
	n -= NLMSG_LENGTH(sizeof(struct ifinfomsg));
	for (a = IFLA_RTA(NLMSG_DATA(h)); RTA_OK(a, n); a = RTA_NEXT(a, n))
		for (unsigned i = 0; i < LIMITS; i++)
			if (a->rta_type == types[i])
				memcpy(&hop->limits[i], RTA_DATA(a), sizeof(uint32_t));
	if (!hop->limits[LIMIT_IPV4])
		hop->limits[LIMIT_IPV4] = hop->limits[LIMIT_SIZE];
}

static void read_hops(struct run *r)
{
	for (unsigned i = 0; i < r->n_hops; i++) {
		struct hop *hop = &r->hops[i];

		if (!hop->ifindex || ethtool_features_get(r->ethtool, hop->ifindex, hop->name, &hop->features) < 0)
			die(hop->name);
		read_limits(hop);
	}
}

/* ---- what is allowed ---- */

static bool is_allowed(const struct run *r, const struct seen *seen)
{
	for (unsigned i = 0; i < r->n_allowed; i++)
		if (!memcmp(&r->allowed[i], seen, sizeof(*seen)))
			return true;
	return false;
}

static void allow(struct run *r, const struct hop *hop, enum fallback_kind kind, enum fallback_reason reason)
{
	struct seen seen = { hop->ifindex, kind, reason };

	if (!is_allowed(r, &seen) && r->n_allowed < SEEN_MAX)
		r->allowed[r->n_allowed++] = seen;
}

/* The reasons that can split at this hop; size and segments are what packets have when they arrive. True: none is left to split. */
static bool allow_limits(struct run *r, const struct hop *hop, uint32_t *size, uint32_t *segments, bool top)
{
	uint32_t limit = hop->limits[LIMIT_IPV4];

	if (!top && limit <= *size) {
		allow(r, hop, FALLBACK_SEGMENTATION, limit < hop->limits[LIMIT_SIZE] ? FALLBACK_REASON_IPV4_SIZE : FALLBACK_REASON_SIZE);
		r->required |= limit < *size && limit <= CERTAIN_SIZE;
	}
	if (!top && hop->limits[LIMIT_SEGMENTS] < *segments) {
		allow(r, hop, FALLBACK_SEGMENTATION, FALLBACK_REASON_SEGMENTS);
		r->required |= hop->limits[LIMIT_SEGMENTS] * 1448 <= CERTAIN_SIZE && *size > CERTAIN_SIZE + 2000 &&
			*segments > hop->limits[LIMIT_SEGMENTS] + 1;
	}
	*size = limit < *size ? limit : *size;
	*segments = hop->limits[LIMIT_SEGMENTS] < *segments ? hop->limits[LIMIT_SEGMENTS] : *segments;
	return *segments <= 1;
}

static void find_allowed(struct run *r)
{
	feature_set csum = feature_named(&r->features, "tx-checksum-ip-generic") | feature_named(&r->features, "tx-checksum-ipv4");
	feature_set tunnel = feature_named(&r->features, r->vxlan_csum ? "tx-udp_tnl-csum-segmentation" : "tx-udp_tnl-segmentation");
	feature_set need = feature_named(&r->features, "tx-tcp-segmentation");
	uint32_t size = UINT32_MAX, segments = UINT32_MAX;
	bool done = false;

	for (unsigned i = 0; i < r->n_hops; i++) {
		const struct hop *hop = &r->hops[i];
		bool lowest = i == r->n_hops - 1, sums = hop->features.active & csum;

		if (!sums)
			allow(r, hop, FALLBACK_CHECKSUM, FALLBACK_REASON_FEATURE);
		if (r->large && i <= 1) { /* until the route has learned its MTU, and what was queued then */
			allow(r, hop, FALLBACK_SEGMENTATION, i ? FALLBACK_REASON_MTU : FALLBACK_REASON_FORCED);
			allow(r, hop, FALLBACK_CHECKSUM, i ? FALLBACK_REASON_MTU : FALLBACK_REASON_FORCED);
			r->required |= i == 1 && !done;
		}
		if (r->vxlan && i > 0 && (r->on_card || !lowest)) { /* hw_enc_features cannot be read */
			allow(r, hop, FALLBACK_CHECKSUM, FALLBACK_REASON_ENCAPSULATION);
			if (!done)
				allow(r, hop, FALLBACK_SEGMENTATION, FALLBACK_REASON_ENCAPSULATION);
		}
		if (!done && (!sums || need & ~hop->features.active)) {
			if (!(r->xdp && lowest) || !sums || hop->features.hw & need & ~hop->features.active)
				allow(r, hop, FALLBACK_SEGMENTATION, FALLBACK_REASON_FEATURE);
			if (r->xdp && lowest)
				allow(r, hop, FALLBACK_SEGMENTATION, FALLBACK_REASON_XDP);
			r->required |= size > CERTAIN_SIZE && segments > CERTAIN_SIZE / 1448;
			done = true;
		} else if (!done) {
			done = allow_limits(r, hop, &size, &segments, i == 0);
		}
		if (!done && lowest && r->qdisc) {
			allow(r, hop, FALLBACK_SEGMENTATION, r->by_qdisc);
			r->required |= size > 2 * CERTAIN_SIZE && segments > 2 * CERTAIN_SIZE / 1448;
		}
		if (r->vxlan && i == 0)
			need |= tunnel;
	}
}

/* ---- traffic ---- */

static int open_in(int netns)
{
	int fd;

	enter(netns);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("socket");
	return fd;
}

/* False: it did not arrive in time. */
static bool send_over(struct run *r)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	uint64_t end = util_now_usec() + SEND_MSEC * 1000ULL;
	static char buf[131072];
	size_t sent = 0, got = 0;
	int listener, sender, receiver, yes = 1;
	char text[32];
	bool connected;

	snprintf(text, sizeof(text), r->vxlan ? "10.7.%d.2" : "10.%d.0.2", network(r));
	inet_pton(AF_INET, text, &address.sin_addr);
	listener = open_in(r->there);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(listener, (void *)&address, sizeof(address)) < 0 || listen(listener, 1) < 0)
		die(text);
	sender = open_in(r->here);
	fcntl(sender, F_SETFL, O_NONBLOCK);
	(void)connect(sender, (void *)&address, sizeof(address));
	connected = poll(&(struct pollfd){ .fd = listener, .events = POLLIN }, 1, SEND_MSEC) == 1;
	receiver = connected ? accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC) : -1;
	while (receiver >= 0 && got < BYTES && util_now_usec() < end) {
		ssize_t n = sent < BYTES ? write(sender, buf, sizeof(buf) < BYTES - sent ? sizeof(buf) : BYTES - sent) : 0;

		sent += n > 0 ? (size_t)n : 0;
		poll(&(struct pollfd){ .fd = receiver, .events = POLLIN }, 1, 100);
		while ((n = read(receiver, buf, sizeof(buf))) > 0)
			got += (size_t)n;
	}
	close(listener);
	close(sender);
	if (receiver >= 0)
		close(receiver);
	return got == BYTES;
}

/* ---- what was counted ---- */

static const struct hop *find_hop(const struct run *r, int ifindex)
{
	for (unsigned i = 0; i < r->n_hops; i++)
		if (r->hops[i].ifindex == ifindex)
			return &r->hops[i];
	return NULL;
}

static void take(const struct probe_hits *hits, void *userdata)
{
	struct run *r = userdata;
	const struct hop *hop = find_hop(r, hits->ifindex);
	struct evidence_fallback *row;

	if (!hits->hits || (hits->kind != FALLBACK_SEGMENTATION && hits->kind != FALLBACK_CHECKSUM))
		return;
	if (r->n_seen < SEEN_MAX)
		r->seen[r->n_seen++] = (struct seen){ hits->ifindex, hits->kind, hits->reason };
	row = collect_hits(&r->evidence, hits, "a.service", hop ? hop->name : "", util_now_usec());
	if (row)
		evidence_set_missing(row, &r->features, hop ? &hop->features : NULL);
}

static void print(const struct run *r, const char *what, const struct seen *seen, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const struct hop *hop = find_hop(r, seen[i].ifindex);

		printf("#     %s %s %s %s\n", what, hop ? hop->name : "?", evidence_kind_name(seen[i].kind),
			evidence_reason_name(seen[i].reason));
	}
}

/* Does a diagnosis name each link and reason? */
static bool is_diagnosed(struct run *r)
{
	struct investigation i = { .elapsed_usec = 10000000, .evidence = r->evidence };
	struct diagnosis *all;
	bool good = true;
	size_t n;

	i.evidence.has_sockets = i.evidence.has_latency = true;
	for (unsigned k = 0; k < INVESTIGATION_RATES; k++)
		i.rates[k].known = true;
	if (diagnose(&i, &all, &n) < 0)
		die("diagnose");
	for (size_t k = 0; k < i.evidence.n_fallback; k++) {
		const struct evidence_fallback *row = &i.evidence.fallback[k];
		bool found = false;

		for (size_t d = 0; d < n; d++)
			found |= diagnosis_is_fallback(&all[d]) && all[d].finding.reason == row->reason &&
				!strcmp(all[d].finding.link, row->link);
		good &= found;
	}
	good &= i.evidence.n_fallback > 0 || all[0].finding.code == FINDING_DIAGNOSIS_WELL;
	free(all);
	return good;
}

static void judge(struct run *r, bool arrived)
{
	bool reasons[FALLBACK_REASONS] = { 0 }, wrong = false, split = false, missed, well;

	r->n_seen = 0;
	r->evidence = (struct evidence){ .features = r->features };
	probe_read_hits(r->probe, NULL, take, r);
	for (unsigned i = 0; i < r->n_seen; i++) {
		wrong |= !is_allowed(r, &r->seen[i]);
		split |= r->seen[i].kind == FALLBACK_SEGMENTATION;
		reasons[r->seen[i].reason] = true;
	}
	for (unsigned i = 0; i < FALLBACK_REASONS; i++)
		r->of[i] += reasons[i];
	missed = !arrived || (r->required && !split);
	well = !is_diagnosed(r);
	evidence_clear(&r->evidence);
	r->split += split;
	r->wrong += wrong;
	r->missed += missed;
	r->well += well;
	if (!wrong && !missed && !well)
		return;
	printf("# case %u:%s%s%s%s %s\n", r->cases, wrong ? " wrong" : "", missed ? " missed" : "", well ? " well" : "",
		arrived ? "" : " (did not arrive)", r->story);
	print(r, "counted", r->seen, r->n_seen);
	print(r, "allowed", r->allowed, r->n_allowed);
	fflush(stdout);
}

static bool forget_all(const struct probe_hits *hits _unused_, void *userdata _unused_)
{
	return true;
}

int main(int argc, char **argv)
{
	struct run r = { .card = argc > 4 ? argv[4] : NULL };
	struct probe_options options = { .features = &r.features };
	unsigned cases = argc > 3 ? (unsigned)atoi(argv[3]) : 0;
	struct utsname kernel;
	char path[128];

	if (!cases)
		return fprintf(stderr, "usage: see the head of reasons.c\n"), 2;
	r.peer = argv[1];
	r.random = strtoull(argv[2], NULL, 10);
	uname(&kernel);
	r.in_order = strverscmp(kernel.release, "5.18") < 0;
	snprintf(path, sizeof(path), "/run/netns/%s", r.peer);
	r.here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	r.there = open(path, O_RDONLY | O_CLOEXEC);
	if (r.here < 0 || r.there < 0)
		die(path);
	if (ethtool_open(ETHTOOL_IOCTL, false, 0, &r.ethtool) < 0 || ethtool_features_strings(r.ethtool, &r.features) < 0 ||
		probe_open(&options, &r.probe) < 0)
		die("probes");
	r.ip = batch_start("ip -o", "link show dev lo");
	fprintf(r.ip.in, "link set lo up\n"); /* it has a qdisc to show then */
	batch_finish(&r.ip);
	r.tc = batch_start("tc", "qdisc show dev lo");
	snprintf(path, sizeof(path), "ip -o -n %s", r.peer);
	r.far = batch_start(path, "link show dev lo");
	while (r.cases < cases) {
		bool arrived;

		build(&r);
		disturb(&r);
		r.n_allowed = 0;
		r.required = false;
		read_hops(&r);
		find_allowed(&r);
		probe_forget_hits(r.probe, forget_all, NULL);
		arrived = send_over(&r);
		read_hops(&r); /* on Linux 7.2 a VLAN follows late */
		find_allowed(&r);
		judge(&r, arrived);
		clean(&r);
	}
	printf("cases %u split %u wrong %u missed %u well %u", r.cases, r.split, r.wrong, r.missed, r.well);
	for (unsigned i = 0; i < FALLBACK_REASONS; i++)
		if (r.of[i])
			printf(" %s=%u", evidence_reason_name(i), r.of[i]);
	printf("\n");
	batch_stop(&r.ip);
	batch_stop(&r.far);
	batch_stop(&r.tc);
	probe_close(r.probe);
	ethtool_close(r.ethtool);
	return r.wrong || r.missed || r.well;
}
