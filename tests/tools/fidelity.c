/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dry-run fidelity: builds random stacks of links, switches random features, and compares what was
 * predicted for every link with what the kernel made of it. Before a case, others may change something else: attach XDP programs,
 * change links and MTUs, move links to another network namespace and back, or set features there. To be run in a network namespace
 * of its own, as root.
 *
 *     fidelity [--seed N] [--cases N] [--per-stack N] [--ethtool netlink|ioctl] [--backports RELEASE] [--verbose]
 *
 * --backports: the kernel claims to be this one, as "5.14.0-427.el9.x86_64", and is tried out (kernel/trial.h): what the trial finds
 * must be what its real release tells.
 *
 * A case is one to four SETs, or a random rule that is planned, applied and planned again. It ends
 * with cases N matched M mismatched X uncertain-bits U right R wrong W and fails on any mismatch. Bits
 * that the prediction marks as uncertain are compared as well, and counted apart. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/apply.h"
#include "kernel/observe.h"
#include "kernel/trial.h"
#include "plan/plan.h"
#include "plan/predict.h"
#include "rules/rule_file.h"
#include "basic/util.h"
#include "openvswitch.h"

#define STACK_MAX 48 /* links of ours in one stack */
#define DEPTH_MAX 4
#define SETS_MAX 4
#define RULES_MAX 2048 /* bytes of random rules */
#define SENTINEL "sentinel"

struct options {
	uint64_t seed;
	unsigned cases, per_stack;
	enum ethtool_backend backend;
	bool verbose;
	const char *backports; /* a release */
};

/* A link that the next ones can stand on. */
struct brick {
	char name[LINK_NAME_LEN];
	unsigned depth;
	bool ours;  /* delete it with the stack */
	bool taken; /* a port of something */
	bool has_uppers;
	bool datapath; /* of Open vSwitch */
	bool away;     /* in the other network namespace */
	const struct brick *below; /* of a VLAN */
};

struct fidelity {
	struct options options;
	struct observe *o;
	struct rule_host host;
	bool late; /* VLANs follow late */
	bool in_order;   /* the kernel frees links one after the other */
	bool team_leaks; /* a port of a team that is moved is never freed */
	uint64_t random;
	struct brick bricks[STACK_MAX];
	unsigned n_bricks, serial;
	pid_t ip_pid;
	FILE *ip, *ip_out; /* to and from one `ip -force -batch -` */
	pid_t away; /* keeps the other network namespace */
	int xdp;    /* a program that passes everything, < 0: none */
	char events[1024]; /* what others changed since the stack was built */
	unsigned cases, matched, mismatched, certain, not_final;
	uint64_t uncertain_bits, uncertain_right, changed_bits, cascaded_bits, refused, steps;
};

struct set {
	int ifindex;
	char name[LINK_NAME_LEN];
	feature_set mask, value;
};

static uint64_t random_next(struct fidelity *f) /* splitmix64 */
{
	uint64_t z = (f->random += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static unsigned random_below(struct fidelity *f, unsigned n)
{
	return (unsigned)(random_next(f) % n);
}

static bool random_percent(struct fidelity *f, unsigned percent)
{
	return random_below(f, 100) < percent;
}

/* ---- the sentinel ---- */

/* From 7.2 on a VLAN follows the device below it from a work queue (netdev_work_sched() in
 * vlan_device_event()), first come first served. A VLAN on a dummy of its own, asked to follow
 * after all else, tells that the others have; once more for each level of VLANs on VLANs. Before
 * 7 it follows within the call that changes the device below it. */
static int settle(struct fidelity *f)
{
	if (!f->late)
		return 0;

	feature_set highdma = feature_named(&f->o->features, "highdma");
	uint64_t until = util_now_usec() + 20 * USEC_PER_SEC;
	int dummy = (int)if_nametoindex(SENTINEL), vlan = (int)if_nametoindex(SENTINEL ".1");

	for (unsigned i = 0; i < 2 * DEPTH_MAX; i++) {
		feature_set value = i % 2 ? highdma : 0;
		struct ethtool_result result;
		struct link_features features;
		int r = ethtool_features_set(
			f->o->ethtool, dummy, SENTINEL, highdma, value, &result);

		if (r < 0 || result.error)
			return r < 0 ? r : result.error;
		do {
			r = ethtool_features_get(f->o->ethtool, vlan, SENTINEL ".1", &features);
			if (r < 0)
				return r;
			if (util_now_usec() > until)
				return -ETIMEDOUT;
		} while ((features.active & highdma) != value);
	}
	return 0;
}

static int settle_and_read(struct fidelity *f)
{
	int r = settle(f);

	return r < 0 ? r : observe_refresh(f->o);
}

static bool is_sentinel(const struct link *link)
{
	return strncmp(link->name, SENTINEL, strlen(SENTINEL)) == 0;
}

/* ---- stacks ---- */

static struct brick *brick_add(struct fidelity *f, const char *name, unsigned depth, bool ours)
{
	struct brick *b;

	if (f->n_bricks == STACK_MAX)
		return NULL;
	b = &f->bricks[f->n_bricks++];
	*b = (struct brick){ .depth = depth, .ours = ours };
	snprintf(b->name, sizeof(b->name), "%s", name);
	return b;
}

static struct brick *brick_new(struct fidelity *f, const char *prefix, unsigned depth)
{
	char name[LINK_NAME_LEN];

	snprintf(name, sizeof(name), "%.6s%u", prefix, f->serial++);
	return brick_add(f, name, depth, true);
}

/* A random link that is nobody's port; NULL when there is none below the greatest depth. */
static struct brick *brick_pick(struct fidelity *f, bool without_uppers)
{
	struct brick *fit[STACK_MAX];
	unsigned n = 0;

	for (unsigned i = 0; i < f->n_bricks; i++) {
		struct brick *b = &f->bricks[i];

		if (!b->taken && b->depth < DEPTH_MAX && !(without_uppers && b->has_uppers))
			fit[n++] = b;
	}
	return n ? fit[random_below(f, n)] : NULL;
}

static void brick_veth(struct fidelity *f)
{
	struct brick *a = brick_new(f, "ve", 0), *b = brick_new(f, "ve", 0);

	if (a && b)
		fprintf(f->ip, "link add %s type veth peer name %s\n", a->name, b->name);
}

static void brick_plain(struct fidelity *f, const char *kind)
{
	struct brick *b = brick_new(f, kind, 0);

	if (b)
		fprintf(f->ip, "link add %s type %s\n", b->name, kind);
}

static void brick_tap(struct fidelity *f)
{
	struct brick *b = brick_new(f, "tap", 0);

	if (b)
		fprintf(f->ip, "tuntap add %s mode tap\n", b->name);
}

/* Those that are not Ethernet carry nothing and are no ports: Linux 5.10 crashes when a bond loses a port that is a VRF. */
static void brick_tunnel(struct fidelity *f)
{
	static const char *const tunnels[] = {
		"gretap local 192.0.2.1 remote 192.0.2.2 key %u",
		"gretap local 192.0.2.1 remote 192.0.2.2 key %u oseq",
		"erspan local 192.0.2.1 remote 192.0.2.2 seq key %u erspan_ver 1 erspan 1",
		"ip6gretap local 2001:db8::1 remote 2001:db8::2 key %u",
		"vxlan remote 192.0.2.6 dstport 4790 id %u",
		"geneve remote 192.0.2.7 id %u",
		"gre local 192.0.2.1 remote 192.0.2.3 key %u",
		"ipip local 192.0.2.1 remote 192.0.%u.4",
		"sit local 192.0.2.1 remote 192.0.%u.5",
		"xfrm dev lo if_id %u",
	};
	unsigned kind = random_below(f, ARRAY_SIZE(tunnels));
	struct brick *b = brick_new(f, "tnl", 0);

	if (!b)
		return;
	fprintf(f->ip, "link add %s type ", b->name);
	fprintf(f->ip, tunnels[kind], f->serial % 250 + 1);
	b->taken = kind >= 6;
	fputc('\n', f->ip);
}

static void brick_on(struct fidelity *f, const char *kind)
{
	struct brick *lower = brick_pick(f, false),
		     *b = lower ? brick_new(f, kind, lower->depth + 1) : NULL;

	if (!b)
		return;
	lower->has_uppers = true;
	b->below = strcmp(kind, "vlan") == 0 ? lower : NULL;
	if (strcmp(kind, "vlan") == 0)
		fprintf(f->ip, "link add link %s name %s type vlan %sid %u\n", lower->name, b->name,
			random_percent(f, 15) ? "proto 802.1ad " : "", 1 + f->serial % 4094);
	else if (strcmp(kind, "vxlan") == 0)
		fprintf(f->ip, "link add %s type vxlan id %u dev %s dstport %u\n", b->name,
			f->serial, lower->name, 5000 + f->serial % 1000);
	else
		fprintf(f->ip, "link add link %s name %s type %s%s\n", lower->name, b->name, kind,
			strncmp(kind, "macv", 4) == 0 ? " mode bridge" : "");
}

/* Ports of a team carry nothing: closing a port closes what stands on it, and where that is a port
 * of the same team, team_device_event() waits for ever for the team->lock that team_uninit() holds
 * ("team: replace team lock with rtnl lock" came later than 6.12). */
static void brick_master(struct fidelity *f, const char *kind)
{
	static const char *const modes[] = { "balance-rr", "active-backup", "balance-xor",
		"802.3ad" };
	struct brick *ports[3], *b;
	unsigned n = random_below(f, 4), depth = 0;

	for (unsigned i = 0; i < n; i++) {
		ports[i] = brick_pick(f, random_percent(f, 70) || strcmp(kind, "team") == 0);
		if (!ports[i]) {
			n = i;
			break;
		}
		ports[i]->taken = true;
		if (ports[i]->depth >= depth)
			depth = ports[i]->depth + 1;
	}
	b = brick_new(f, kind, depth);
	if (!b)
		return;
	fprintf(f->ip, "link add %s type %s%s%s\n", b->name, kind,
		strcmp(kind, "bond") == 0 ? " mode " : strcmp(kind, "vrf") == 0 ? " table " : "",
		strcmp(kind, "bond") == 0 ? modes[random_below(f, ARRAY_SIZE(modes))] : strcmp(kind, "vrf") == 0 ? "77" : "");
	b->taken = strcmp(kind, "vrf") == 0;
	for (unsigned i = 0; i < n; i++)
		fprintf(f->ip, "link set %s down\nlink set %s master %s\n", ports[i]->name,
			ports[i]->name, b->name);
}

static void brick_hsr(struct fidelity *f)
{
	struct brick *a = brick_pick(f, true), *c = brick_pick(f, true), *b;

	if (!a || !c || a == c)
		return;
	a->taken = c->taken = true;
	b = brick_new(f, "hsr", 1 + (a->depth > c->depth ? a->depth : c->depth));
	if (b)
		fprintf(f->ip, "link add name %s type hsr slave1 %s slave2 %s supervision %u version %u\n", b->name, a->name,
			c->name, f->serial % 256, random_below(f, 2));
}

/* A datapath and its internal port, with one more of both sorts. The links below it must exist. */
static void brick_switch(struct fidelity *f)
{
	struct brick *port = brick_pick(f, true), *b = brick_new(f, "ovs", 1), *more;

	if (!b || ovs_datapath(b->name, OVS_DP_CMD_NEW) < 0)
		return;
	b->datapath = true;
	if (port && port != b && ovs_port(b->name, port->name, OVS_VPORT_TYPE_NETDEV) >= 0)
		port->taken = true;
	more = brick_new(f, "int", 1);
	if (more) {
		ovs_port(b->name, more->name, OVS_VPORT_TYPE_INTERNAL);
		more->ours = false;
	}
}

static void brick_upper(struct fidelity *f)
{
	switch (random_below(f, 13)) {
	case 0:
	case 1:
	case 2:
		brick_on(f, "vlan");
		break;
	case 3:
	case 4:
		brick_master(f, "bond");
		break;
	case 5:
		brick_master(f, random_percent(f, 70) ? "bridge" : "vrf");
		break;
	case 6:
		brick_on(f, random_percent(f, 70) ? "macvlan" : "macvtap");
		break;
	case 7:
		brick_on(f, "vxlan");
		break;
	case 8:
		brick_on(f, random_percent(f, 70) ? "ipvlan" : "ipvtap");
		break;
	case 9:
		brick_master(f, "team");
		break;
	case 10:
	case 11:
		brick_on(f, "macsec");
		break;
	case 12:
		brick_hsr(f);
		break;
	}
}

static void brick_base(struct fidelity *f)
{
	switch (random_below(f, 9)) {
	case 0:
	case 1:
	case 2:
		brick_veth(f);
		break;
	case 3:
	case 4:
		brick_plain(f, "dummy");
		break;
	case 5:
		brick_tap(f);
		break;
	case 6:
		brick_plain(f, "ifb");
		break;
	case 7:
	case 8:
		brick_tunnel(f);
		break;
	}
}

/* One `ip` for all commands, because to start a program takes longer than what it does. */
static int ip_begin(struct fidelity *f)
{
	/* without a pipe, whose other programs would keep the output open when `ip` ends */
	const char *command = getenv("FIDELITY_TRACE") ?
		"exec bash -c 'exec stdbuf -oL ip -o -force -batch <(exec tee /dev/stderr) 2>/dev/null'" :
		"exec stdbuf -oL ip -o -force -batch - 2>/dev/null";
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		return -errno;
	f->ip_pid = fork();
	if (f->ip_pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	f->ip = fdopen(in[1], "w");
	f->ip_out = fdopen(out[0], "r");
	return f->ip && f->ip_out ? 0 : -errno;
}

/* Waits until all commands were executed: what it shows of lo comes last. A command that it cannot parse ends it, even with -force;
 * those after that one are not there, and the next ones need another `ip`. */
static int ip_finish(struct fidelity *f)
{
	char line[4096];

	fputs("link show dev lo\n", f->ip);
	fflush(f->ip);
	while (fgets(line, sizeof(line), f->ip_out))
		if (strstr(line, ": lo:"))
			return 0;
	fclose(f->ip);
	fclose(f->ip_out);
	waitpid(f->ip_pid, NULL, 0);
	return ip_begin(f);
}

static void keep_namespace(int fd)
{
	if (unshare(CLONE_NEWNET) == 0)
		(void)!write(fd, "", 1);
	close(fd);
	for (;;)
		pause();
}

static int away_begin(struct fidelity *f)
{
	int fds[2], r;
	char c;

	if (pipe(fds) < 0)
		return -errno;
	f->away = fork();
	if (f->away == 0)
		keep_namespace(fds[1]);
	close(fds[1]);
	r = f->away < 0 ? -errno : read(fds[0], &c, 1) == 1 ? 0 : -EIO;
	close(fds[0]);
	return r;
}

/* The namespace ends, and its links with it. */
static void away_end(struct fidelity *f)
{
	if (f->away <= 0)
		return;
	kill(f->away, SIGKILL);
	waitpid(f->away, NULL, 0);
	f->away = 0;
}

/* What `ip` refuses (a bridge port that has macvlans, ...) is simply not there. */
static int stack_build(struct fidelity *f)
{
	unsigned n = 1 + random_below(f, 4);
	int r;

	f->n_bricks = 0;
	f->events[0] = '\0';
	link_table_foreach (&f->o->links, link)
		if (link_is_kind(link, "physical"))
			brick_add(f, link->name, 0, false);
	for (unsigned i = 0; i < n; i++)
		brick_base(f);
	r = ip_finish(f);
	if (r < 0)
		return r;
	if (random_percent(f, 20))
		brick_switch(f);
	n = 3 + random_below(f, 12);
	for (unsigned i = 0; i < n; i++)
		brick_upper(f);
	for (unsigned i = 0; i < f->n_bricks; i++)
		if (random_percent(f, 70))
			fprintf(f->ip, "link set %s up\n", f->bricks[i].name);
	r = ip_finish(f);
	if (r >= 0)
		r = away_begin(f);
	return r < 0 ? r : settle_and_read(f);
}

static int stack_remove(struct fidelity *f)
{
	int r;

	away_end(f);
	for (unsigned i = 0; i < f->n_bricks; i++)
		if (f->bricks[i].datapath)
			ovs_datapath(f->bricks[i].name, OVS_DP_CMD_DEL);
	for (unsigned i = f->n_bricks; i-- > 0;)
		if (f->bricks[i].ours)
			fprintf(f->ip, "link del %s\n", f->bricks[i].name);
		else
			fprintf(f->ip, "link set %s nomaster\n", f->bricks[i].name);
	r = ip_finish(f);
	return r < 0 ? r : observe_refresh(f->o);
}

/* ---- what others change ---- */

static struct link *random_link(struct fidelity *f);

__attribute__((format(printf, 2, 3))) static void do_ip(struct fidelity *f, const char *format, ...)
{
	va_list args;
	char line[256];

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	fprintf(f->ip, "%s\n", line);
	util_append(f->events, sizeof(f->events), "  ip %s\n", line);
}

static void change_xdp(struct fidelity *f, const struct link *link)
{
	bool off = link->xdp;
	unsigned flags = !off && random_percent(f, 30) ? XDP_FLAGS_SKB_MODE : 0;

	if (f->xdp < 0)
		return;
	(void)bpf_xdp_attach(link->ifindex, off ? -1 : f->xdp, flags, NULL);
	util_append(f->events, sizeof(f->events), "  xdp %s %s\n", link->name, off ? "off" : flags ? "generic" : "on");
}

static void change_link(struct fidelity *f, const struct link *link)
{
	static const char *const changes[][3] = {
		{ "gretap", "oseq", "nooseq" },
		{ "gretap", "ocsum", "noocsum" },
		{ "gre", "oseq", "nooseq" },
		{ "ip6gretap", "oseq", "nooseq" },
		{ "vlan", "reorder_hdr off", "reorder_hdr on" },
		{ "macvlan", "mode private", "mode bridge" },
		{ "ipvlan", "mode l3", "mode l2" },
		{ "bond", "miimon 50", "miimon 100" },
		{ "macsec", "encrypt on", "encrypt off" },
	};
	unsigned first = random_below(f, ARRAY_SIZE(changes));

	for (unsigned i = 0; i < ARRAY_SIZE(changes); i++) {
		const char *const *change = changes[(first + i) % ARRAY_SIZE(changes)];

		if (!link_is_kind(link, change[0]))
			continue;
		do_ip(f, "link set %s type %s %s", link->name, change[0], change[1 + random_below(f, 2)]);
		return;
	}
}

static struct brick *brick_find(struct fidelity *f, const char *name)
{
	for (unsigned i = 0; i < f->n_bricks; i++)
		if (strcmp(f->bricks[i].name, name) == 0)
			return &f->bricks[i];
	return NULL;
}

/* Not what the kernel would wait for for ever when the namespace ends: see "When the kernel waits for an interface" in docs/kernels.md. */
static bool may_move(const struct fidelity *f, const struct brick *b, const struct link *link)
{
	const struct link *master = link_table_find(&f->o->links, link->master_ifindex);

	if (!b->ours || b->datapath || (f->team_leaks && master && link_is_kind(master, "team")))
		return false;
	for (unsigned i = 0; f->in_order && i < f->n_bricks; i++)
		if (f->bricks[i].away && (f->bricks[i].below == b || b->below == &f->bricks[i]))
			return false;
	return true;
}

static void move_away(struct fidelity *f, const struct link *link)
{
	struct brick *b = brick_find(f, link->name);

	if (!b || !may_move(f, b, link))
		return;
	b->away = true;
	do_ip(f, "link set %s netns %d", b->name, (int)f->away);
}

static void run_away(struct fidelity *f, const char *command)
{
	char line[256];

	snprintf(line, sizeof(line), "nsenter --net=/proc/%d/ns/net %s >/dev/null 2>&1", (int)f->away, command);
	(void)!system(line);
	util_append(f->events, sizeof(f->events), "  away: %s\n", command);
}

/* A link that was moved comes back, or its features change there. */
static void change_away(struct fidelity *f)
{
	char command[128];

	for (unsigned i = 0; i < f->n_bricks; i++) {
		struct brick *b = &f->bricks[i];

		if (!b->away)
			continue;
		if (random_percent(f, 30)) {
			snprintf(command, sizeof(command), "ip link set %s netns %d", b->name, (int)getpid());
			b->away = false;
		} else {
			snprintf(command, sizeof(command), "ethtool -K %s %s %s", b->name,
				feature_alias(random_below(f, 12))->word, random_percent(f, 50) ? "on" : "off");
		}
		run_away(f, command);
		return;
	}
}

/* The changes are not predicted: the case begins with what they left. Not on cards, whose drivers may take MTU and XDP programs into
 * account. */
static int change_something(struct fidelity *f)
{
	static const unsigned mtus[] = { 1280, 1400, 1500, 3000, 9000 };
	unsigned n = 1 + random_below(f, 3);
	int r;

	for (unsigned i = 0; i < n; i++) {
		const struct link *link = random_link(f);

		switch (link && !link_is_kind(link, "physical") ? random_below(f, 10) : 9) {
		case 0:
		case 1:
		case 2:
			change_xdp(f, link);
			break;
		case 3:
		case 4:
			change_link(f, link);
			break;
		case 5:
		case 6:
			do_ip(f, "link set %s mtu %u", link->name, mtus[random_below(f, ARRAY_SIZE(mtus))]);
			break;
		case 7:
			move_away(f, link);
			break;
		default:
			change_away(f);
			break;
		}
	}
	r = ip_finish(f);
	return r < 0 ? r : settle_and_read(f);
}

/* ---- cases ---- */

static bool can_be_set(const struct link *link, bool carries_others)
{
	return !is_sentinel(link) && link->has_features &&
	       (link->features.hw & ~link->features.nochange) &&
	       (!carries_others || link->first_upper || link->master_ifindex);
}

/* Half of the time one on which others stand, if there is one, so that there is a cascade. */
static struct link *random_link(struct fidelity *f)
{
	bool carries_others = random_percent(f, 50);
	unsigned n = 0, n_carriers = 0;

	link_table_stack(&f->o->links);
	link_table_foreach (&f->o->links, link) {
		n += can_be_set(link, false);
		n_carriers += can_be_set(link, true);
	}
	carries_others = carries_others && n_carriers > 0;
	if (carries_others)
		n = n_carriers;
	if (n == 0)
		return NULL;
	n = random_below(f, n);
	link_table_foreach (&f->o->links, link)
		if (can_be_set(link, carries_others) && n-- == 0)
			return link;
	return NULL;
}

static feature_set random_bits(struct fidelity *f, feature_set from)
{
	feature_set set = 0;
	unsigned bit, n = 1 + random_below(f, 4);

	for (unsigned i = 0; i < n; i++) {
		unsigned at = random_below(f, (unsigned)__builtin_popcountll(from));

		feature_foreach (bit, from)
			if (at-- == 0)
				set |= FEATURE(bit);
	}
	return set;
}

static struct set random_set(struct fidelity *f, const struct link *link)
{
	feature_set hw = link->features.hw & ~link->features.nochange, all;
	struct set set = { .ifindex = link->ifindex };

	snprintf(set.name, sizeof(set.name), "%s", link->name);
	switch (random_below(f, 10)) {
	case 0:
		set.mask = hw;
		break;
	case 1:
	case 2:
	case 3:
	case 4:
	case 5:
		feature_parse(&f->o->features, feature_alias(random_below(f, 12))->word, &all);
		set.mask = all & hw;
		break;
	}
	if (!set.mask)
		set.mask = random_bits(f, hw);
	/* features that are not the device's to change: accepted, and nothing comes of it */
	if (random_percent(f, 3))
		set.mask |= random_bits(
			f, ~link->features.nochange & (UINT64_MAX >> (64 - f->o->features.count)));
	switch (random_below(f, 4)) {
	case 0:
	case 1:
		set.value = set.mask;
		break;
	case 2:
		set.value = 0;
		break;
	case 3:
		set.value = random_next(f) & set.mask;
		break;
	}
	return set;
}

static void print_set(const struct fidelity *f, const struct set *set)
{
	char on[1024], off[1024];

	printf("    set %s on: %s; off: %s\n", set->name,
		feature_format(&f->o->features, set->mask & set->value, on, sizeof(on)),
		feature_format(&f->o->features, set->mask & ~set->value, off, sizeof(off)));
}

static void print_links(const struct fidelity *f, const struct link_table *table)
{
	char wanted[2048], active[2048];

	link_table_foreach (table, link) {
		const struct link *lower = link_lower(table, link),
				  *master = link_master(table, link);

		printf("    %s (%s%s%s) on %s, port of %s; wanted and off: %s; on: %s\n", link->name,
			link->kind, link->driver[0] ? " " : "", link->driver,
			lower ? lower->name : "nothing", master ? master->name : "nothing",
			feature_format(&f->o->features,
				link->features.wanted & ~link->features.active, wanted,
				sizeof(wanted)),
			feature_format(
				&f->o->features, link->features.active, active, sizeof(active)));
	}
}

static void print_bits(const struct fidelity *f, const struct link *link, const char *which,
	feature_set predicted, feature_set real)
{
	char on[1024], off[1024];

	if (predicted == real)
		return;
	printf("  MISMATCH %s (%s%s%s) %s: on and not predicted: %s; predicted and not on: %s\n",
		link->name, link->kind, link->driver[0] ? " " : "", link->driver, which,
		feature_format(&f->o->features, real & ~predicted, on, sizeof(on)),
		feature_format(&f->o->features, predicted & ~real, off, sizeof(off)));
}

/* What a case says will become of a link; it was `before`, and its own SET (if any) is not a
 * cascade. */
struct forecast {
	struct link_features before, predicted;
	feature_set uncertain;
	bool was_set;
};

/* One case: either SETs one after the other, or rules that are planned and applied. */
struct random_case {
	struct link_table before;
	struct set sets[SETS_MAX];
	unsigned n_sets;
	struct predict *predict;
	char rules[RULES_MAX];
	struct rule_set rule_set;
	struct plan plan;
};

static void case_clear(struct random_case *c)
{
	link_table_clear(&c->before);
	predict_free(c->predict);
	plan_clear(&c->plan);
	rule_set_clear(&c->rule_set);
}

/* false: the link is new, or nothing is known of it. */
static bool forecast_of(const struct random_case *c, int ifindex, struct forecast *ret)
{
	const struct link *old = link_table_find(&c->before, ifindex);
	const struct plan_link *planned;

	if (!old || !old->has_features || is_sentinel(old))
		return false;
	*ret = (struct forecast){ .before = old->features, .predicted = old->features };
	if (c->predict) {
		ret->predicted = *predict_features(c->predict, ifindex);
		ret->uncertain = predict_uncertain(c->predict, ifindex);
		for (unsigned i = 0; i < c->n_sets; i++)
			ret->was_set = ret->was_set || c->sets[i].ifindex == ifindex;
		return true;
	}
	planned = plan_find(&c->plan, ifindex);
	if (planned) {
		ret->predicted = planned->predicted;
		ret->uncertain = planned->uncertain;
	}
	for (size_t i = 0; i < c->plan.n_steps; i++)
		ret->was_set = ret->was_set || c->plan.steps[i].ifindex == ifindex;
	return true;
}

/* Compares one link; true when it is as predicted. */
static bool compare_link(struct fidelity *f, const struct link *link, const struct forecast *said)
{
	const struct link_features *real = &link->features, *predicted = &said->predicted;
	feature_set certain = ~said->uncertain, changed = real->active ^ said->before.active;

	f->uncertain_bits += (unsigned)__builtin_popcountll(said->uncertain);
	f->uncertain_right += (unsigned)__builtin_popcountll(
		~(predicted->active ^ real->active) & said->uncertain);
	f->changed_bits += (unsigned)__builtin_popcountll(changed);
	if (!said->was_set)
		f->cascaded_bits += (unsigned)__builtin_popcountll(changed);
	if ((predicted->active & certain) == (real->active & certain) &&
		(predicted->wanted & certain) == (real->wanted & certain))
		return true;
	print_bits(f, link, "active", predicted->active & certain, real->active & certain);
	print_bits(f, link, "wanted", predicted->wanted & certain, real->wanted & certain);
	return false;
}

static void print_case(const struct fidelity *f, const struct random_case *c)
{
	printf("  case %u (seed %" PRIu64 "), changed before it:\n%s  links before it:\n", f->cases, f->options.seed, f->events);
	print_links(f, &c->before);
	for (unsigned i = 0; i < c->n_sets; i++)
		print_set(f, &c->sets[i]);
	printf("%s", c->rules);
	for (size_t i = 0; i < c->plan.n_steps; i++) {
		const struct plan_step *step = &c->plan.steps[i];
		struct set set = {
			.ifindex = step->ifindex, .mask = step->mask, .value = step->value
		};

		snprintf(set.name, sizeof(set.name), "%s", step->name);
		print_set(f, &set);
	}
}

static void compare_all(struct fidelity *f, const struct random_case *c)
{
	bool same = true, any_uncertain = false;

	link_table_foreach (&f->o->links, link) {
		struct forecast said;

		if (!link->has_features || !forecast_of(c, link->ifindex, &said))
			continue;
		if (!compare_link(f, link, &said))
			same = false;
		any_uncertain = any_uncertain || said.uncertain;
	}
	f->cases++;
	f->matched += same;
	f->mismatched += !same;
	f->certain += same && !any_uncertain;
	if (!same || f->options.verbose)
		print_case(f, c);
}

/* The ioctl has features computed anew all the same, netlink (from 5.10 on) has not, and this is what
 * is predicted. No plan has such a SET. */
static bool asks_for_nothing(
	const struct fidelity *f, const struct random_case *c, const struct set *set)
{
	const struct link_features *now = predict_features(c->predict, set->ifindex);

	return f->options.backend == ETHTOOL_IOCTL && !((now->wanted ^ set->value) & set->mask);
}

static int case_of_sets(struct fidelity *f, struct random_case *c)
{
	unsigned n = 1 + random_below(f, SETS_MAX);
	int r;

	r = predict_new(&f->o->features, &c->before, &f->host, &c->predict);
	if (r < 0)
		return r;
	while (c->n_sets < n) {
		struct link *link = random_link(f);
		struct set *set = &c->sets[c->n_sets++];
		struct ethtool_result result;

		if (!link)
			return -ENODEV;
		*set = random_set(f, link);
		if (asks_for_nothing(f, c, set))
			continue;
		r = predict_set(c->predict, set->ifindex, set->mask, set->value);
		if (r < 0)
			return r;
		r = ethtool_features_set(
			f->o->ethtool, set->ifindex, set->name, set->mask, set->value, &result);
		if (r < 0)
			return r;
		if (result.error) {
			printf("  refused: %s %s\n", strerror(-result.error), result.text);
			f->refused++;
		}
	}
	return 0;
}

static void random_rules(struct fidelity *f, struct random_case *c)
{
	static const char *const values[] = { "on", "on", "off", "lower" };
	static const char *const kinds[] = { "vlan", "bond", "bridge", "macvlan",
		"physical veth dummy", "vxlan team", "* !loopback" };
	char buf[128];

	util_append(c->rules, sizeof(c->rules), "[Match]\n");
	if (random_percent(f, 60))
		util_append(c->rules, sizeof(c->rules), "Kind=%s\nName=!" SENTINEL "*\n",
			kinds[random_below(f, ARRAY_SIZE(kinds))]);
	else
		util_append(c->rules, sizeof(c->rules), "Name=%s %s\n", random_link(f)->name,
			random_link(f)->name);
	util_append(c->rules, sizeof(c->rules), "[Features]\n");
	for (unsigned i = 0; i < 12; i++)
		if (random_percent(f, 20))
			util_append(c->rules, sizeof(c->rules), "%s=%s\n", feature_alias(i)->word,
				values[random_below(f, ARRAY_SIZE(values))]);
	for (unsigned i = 0; i < 2; i++) {
		unsigned bit = random_below(f, f->o->features.count);

		snprintf(buf, sizeof(buf), "%s=", f->o->features.name[bit]);
		if (f->o->features.name[bit][0] && !strstr(c->rules, buf))
			util_append(c->rules, sizeof(c->rules), "%s%s\n", buf,
				values[random_below(f, ARRAY_SIZE(values))]);
	}
}

static int case_of_rules(struct fidelity *f, struct random_case *c)
{
	struct plan_context context = {
		.table = &f->o->features, .rules = &c->rule_set, .host = &f->host
	};
	struct apply_report report;
	int r;

	if (!random_link(f))
		return -ENODEV;
	random_rules(f, c);
	r = rule_set_load_text(
		&c->rule_set, "random.rule", c->rules, strlen(c->rules), &f->o->features);
	if (r < 0)
		return r;
	r = plan_make(&context, &f->o->links, NULL, 0, &c->plan);
	if (r < 0)
		return r;
	r = apply_plan(f->o, &c->plan, NULL, &report);
	if (r < 0)
		return r;
	for (size_t i = 0; i < report.n_results; i++)
		f->refused += report.results[i].error != 0;
	f->steps += report.n_results;
	apply_report_clear(&report);
	return 0;
}

/* Once applied, the same rules ask for nothing more, unless something came out as could not be
 * known. */
static int plan_again(struct fidelity *f, const struct random_case *c)
{
	struct plan_context context = {
		.table = &f->o->features, .rules = &c->rule_set, .host = &f->host
	};
	struct plan again = { 0 };
	int r;

	for (size_t i = 0; i < c->plan.n_links; i++)
		if (c->plan.links[i].uncertain)
			return 0;
	r = plan_make(&context, &f->o->links, NULL, 0, &again);
	if (r < 0)
		return r;
	if (again.n_steps) {
		printf("  NOT FINAL: a second plan has %zu steps, the first on %s\n", again.n_steps,
			again.steps[0].name);
		for (size_t i = 0; i < again.n_steps; i++) {
			struct set set = { 0, "", again.steps[i].mask, again.steps[i].value };

			snprintf(set.name, sizeof(set.name), "%s", again.steps[i].name);
			print_set(f, &set);
		}
		print_case(f, c);
		f->not_final++;
	}
	plan_clear(&again);
	return 0;
}

static int run_case(struct fidelity *f)
{
	_cleanup_(case_clear) struct random_case c = { 0 };
	bool by_rules = random_percent(f, 40);
	int r = random_percent(f, 30) ? change_something(f) : 0;

	if (r < 0)
		return r;
	link_table_foreach (&f->o->links, link) {
		r = link_table_update(&c.before, link, NULL);
		if (r < 0)
			return r;
	}
	link_table_stack(&c.before);
	r = by_rules ? case_of_rules(f, &c) : case_of_sets(f, &c);
	if (r < 0)
		return r;
	r = settle_and_read(f);
	if (r < 0)
		return r;
	compare_all(f, &c);
	return by_rules ? plan_again(f, &c) : 0;
}

static int run(struct fidelity *f)
{
	int r;

	if (system("ip link add " SENTINEL " type dummy && "
		   "ip link add link " SENTINEL " name " SENTINEL ".1 type vlan id 1") != 0)
		return -EIO;
	signal(SIGPIPE, SIG_IGN);
	r = ip_begin(f);
	if (r >= 0)
		r = settle_and_read(f);
	while (r >= 0 && f->cases < f->options.cases) {
		r = stack_build(f);
		for (unsigned i = 0;
			r >= 0 && i < f->options.per_stack && f->cases < f->options.cases; i++)
			r = run_case(f);
		if (r >= 0)
			r = stack_remove(f);
	}
	if (system("ip link del " SENTINEL) != 0)
		return -EIO;
	return r;
}

static void usage(void)
{
	fprintf(stderr,
		"usage: fidelity [--seed N] [--cases N] [--per-stack N] [--ethtool netlink|ioctl] "
		"[--backports RELEASE] [--verbose]\n");
	exit(2);
}

static void parse(int argc, char **argv, struct options *options)
{
	static const struct option longs[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "cases", required_argument, NULL, 'c' },
		{ "per-stack", required_argument, NULL, 'p' },
		{ "ethtool", required_argument, NULL, 'e' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "backports", required_argument, NULL, 'b' },
		{ 0 },
	};
	int c;

	*options = (struct options){ .seed = (uint64_t)time(NULL), .cases = 100, .per_stack = 10 };
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		switch (c) {
		case 's':
			options->seed = strtoull(optarg, NULL, 0);
			break;
		case 'c':
			options->cases = (unsigned)strtoul(optarg, NULL, 0);
			break;
		case 'p':
			options->per_stack = (unsigned)strtoul(optarg, NULL, 0);
			break;
		case 'e':
			options->backend =
				strcmp(optarg, "ioctl") == 0 ? ETHTOOL_IOCTL : ETHTOOL_NETLINK;
			break;
		case 'v':
			options->verbose = true;
			break;
		case 'b':
			options->backports = optarg;
			break;
		default:
			usage();
		}
	if (optind != argc)
		usage();
}

/* By its release, does the kernel turn UDP segmentation off without a checksum? */
static bool table_says_udp_needs_checksum(const struct fidelity *f)
{
	struct link_table none = { 0 };
	struct predict *predict = NULL;
	feature_set all = 0, any = 0, not = 0;
	int bit = feature_bit(&f->o->features, "tx-udp-segmentation");

	if (bit >= 0 && predict_new(&f->o->features, &none, &f->host, &predict) >= 0)
		predict_needs(predict, NULL, (unsigned)bit, &all, &any, &not);
	predict_free(predict);
	return any;
}

/* From here on the kernel is the claimed one. False: the trial finds something else than the version table has. */
static bool claim_backports(struct fidelity *f)
{
	bool needs = table_says_udp_needs_checksum(f);
	enum rule_trial found;

	trial_run(&f->host);
	found = f->host.udp_needs_checksum;
	printf("UDP segmentation needs a checksum: trial %s, version table %s\n",
		found == TRIAL_UNKNOWN ? "unknown" : found == TRIAL_YES ? "yes" : "no", needs ? "yes" : "no");
	if (found == TRIAL_UNKNOWN && rule_kernel_matches("<5.11", f->host.kernel_release) == 1)
		needs = false, found = TRIAL_NO; /* a veth has UDP segmentation from 5.11 on */
	f->host.backports = true;
	util_copy_name(f->host.kernel_release, sizeof(f->host.kernel_release), f->options.backports, strlen(f->options.backports));
	return found == (needs ? TRIAL_YES : TRIAL_NO) && trial_has_backports(f->options.backports);
}

int main(int argc, char **argv)
{
	struct fidelity f = { 0 };
	const char *what = NULL;
	int r;

	const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	setvbuf(stdout, NULL, _IOLBF, 0);
	parse(argc, argv, &f.options);
	f.random = f.options.seed;
	libbpf_set_print(NULL);
	f.xdp = bpf_prog_load(BPF_PROG_TYPE_XDP, "pass", "GPL", pass, ARRAY_SIZE(pass), NULL);
	if (f.xdp < 0)
		printf("no XDP: %s\n", strerror(errno));
	rule_host_read(&f.host);
	f.in_order = strverscmp(f.host.kernel_release, "5.18") < 0;
	f.team_leaks = strverscmp(f.host.kernel_release, "7") < 0;
	f.late = strtoul(f.host.kernel_release, NULL, 10) >= 7;
	r = observe_open(&(struct observe_options){ .backend = f.options.backend }, &f.o, &what);
	if (r < 0) {
		fprintf(stderr, "fidelity: %s: %s\n", what, strerror(-r));
		return 2;
	}
	if (f.options.backports && !claim_backports(&f)) {
		observe_close(f.o);
		return 1;
	}
	printf("fidelity on %s by %s, seed %" PRIu64 "\n", f.host.kernel_release,
		ethtool_backend_name(f.o->ethtool), f.options.seed);
	r = run(&f);
	away_end(&f);
	observe_close(f.o);
	if (r < 0) {
		fprintf(stderr, "fidelity: %s\n", strerror(-r));
		return 2;
	}
	printf("wholly certain %u, SETs by plans %" PRIu64 ", refused SETs %" PRIu64
	       ", plans not final %u, "
	       "active bits changed %" PRIu64 ", of these on links that no SET named %" PRIu64 "\n",
		f.certain, f.steps, f.refused, f.not_final, f.changed_bits, f.cascaded_bits);
	printf("cases %u matched %u mismatched %u uncertain-bits %" PRIu64 " right %" PRIu64 " wrong %" PRIu64 "\n",
		f.cases, f.matched, f.mismatched, f.uncertain_bits, f.uncertain_right, f.uncertain_bits - f.uncertain_right);
	/* a run in which hardly anything changed has shown nothing */
	return f.mismatched || f.not_final || f.changed_bits < f.cases || f.cascaded_bits == 0;
}
