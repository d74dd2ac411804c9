/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/verify.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/util.h"
#include "verify/capture.h"
#include "verify/flow.h"

#define DATA_BYTES (1u << 20)
#define BUFFER_BYTES (256u << 10)
#define IDLE_MSEC 2000 /* nothing arrives for that long: lost */
#define UDP_MOST 63007 /* 63 datagrams of 1,000 bytes, and one of 7 */

const char *verify_mode_text(enum verify_mode mode)
{
	static const char *const texts[VERIFY_MODES] = { "left to the device", "segmented before the tunnel", "segmented by the kernel",
		"segmented, with checksums, by the kernel", "merged by GRO" };

	return texts[mode];
}

const char *verify_mode_name(enum verify_mode mode)
{
	static const char *const names[VERIFY_MODES] = { "left", "above", "segmented", "software", "merged" };

	return names[mode];
}

const char *verify_packet_text(enum verify_packet packet)
{
	static const char *const texts[VERIFY_PACKETS] = { "TCP over IPv4", "TCP over IPv6", "UDP over IPv4", "UDP over IPv6" };

	return texts[packet];
}

const char *verify_packet_name(enum verify_packet packet)
{
	static const char *const names[VERIFY_PACKETS] = { "tcp4", "tcp6", "udp4", "udp6" };

	return names[packet];
}

struct run {
	struct site *site;
	const struct site_lane *lane;
	const volatile int *stop;
	struct verify_case *now;
	struct capture captures[SITE_PLACES];
	struct flow flows[SITE_LINKS_MAX];
	uint8_t *data, *buffer;
	uint16_t port; /* of the receiver */
	int sender, receiver;
	size_t sent, received; /* bytes, from the start of data */
};

static bool is_tcp(const struct run *run)
{
	return run->now->packet == VERIFY_TCP4 || run->now->packet == VERIFY_TCP6;
}

/* Keeps what is wrong first: a later place only sees the same again. */
static void complain(struct run *run, enum frame_wrong wrong, const struct site_link *link)
{
	struct verify_case *c = run->now;

	if (wrong == FRAME_RIGHT || c->wrong != FRAME_RIGHT)
		return;
	c->wrong = wrong;
	c->link = link ? link->what : NULL;
	c->place = link ? link->place : SITE_RECEIVER;
}

/* ---- what passes the links ---- */

static void on_packet(struct capture *capture, int ifindex, const struct frame *frame, void *userdata)
{
	struct run *run = userdata;
	struct segment segment;
	enum frame_wrong wrong = frame_check(frame, &segment);

	for (size_t i = 0; i < run->lane->n_links; i++) {
		const struct site_link *link = &run->lane->links[i];

		if (link->ifindex != ifindex || link->place != capture->place)
			continue;
		run->now->packets++;
		if (wrong == FRAME_RIGHT && segment.protocol && segment.target == run->port)
			wrong = flow_judge(&run->flows[i], &segment);
		complain(run, wrong, link);
	}
}

static void on_unseen(struct capture *capture, unsigned n, void *userdata)
{
	struct run *run = userdata;

	struct verify_case *c = run->now;

	c->unseen += n;
	/* the gap may be ours */
	if ((c->wrong == FRAME_ORDER || c->wrong == FRAME_ID) && c->place == capture->place)
		c->wrong = FRAME_RIGHT;
	for (size_t i = 0; i < run->lane->n_links; i++)
		if (run->lane->links[i].place == capture->place)
			flow_forget(&run->flows[i]);
}

/* In the order of the way, so that the first complaint is about the first place. */
static int read_captures(struct run *run)
{
	int r = 0;

	for (unsigned place = 0; place < SITE_PLACES && r == 0; place++)
		r = capture_read(&run->captures[place], on_packet, on_unseen, run);
	return r;
}

/* ---- connections ---- */

static socklen_t address_of(const struct run *run, struct sockaddr_storage *ret)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;

	memset(ret, 0, sizeof(*ret));
	if (run->now->packet == VERIFY_TCP4 || run->now->packet == VERIFY_UDP4) {
		*in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(run->port), .sin_addr = run->lane->receiver4 };
		return sizeof(*in);
	}
	*in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(run->port), .sin6_addr = run->lane->receiver6 };
	return sizeof(*in6);
}

static int open_socket(struct run *run, enum site_place place)
{
	struct sockaddr_storage address;
	int r = site_enter(run->site, place), fd;

	address_of(run, &address);
	fd = r == 0 ? socket(address.ss_family, (is_tcp(run) ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) : -1;
	if (r == 0 && fd < 0)
		r = -errno;
	if (site_enter(run->site, SITE_SENDER) < 0)
		r = r < 0 ? r : -EIO;
	if (r < 0 && fd >= 0)
		close(fd);
	return r < 0 ? r : fd;
}

static int wait_for(struct run *run, int fd, short events)
{
	struct pollfd waiting = { .fd = fd, .events = events };
	int n = poll(&waiting, 1, IDLE_MSEC);

	if (*run->stop || (n < 0 && errno == EINTR))
		return -EINTR;
	return n > 0 ? 0 : n == 0 ? -ETIMEDOUT : -errno;
}

static int listen_there(struct run *run, int *ret)
{
	struct sockaddr_storage address;
	socklen_t len;
	int fd = open_socket(run, SITE_RECEIVER);

	if (fd < 0)
		return fd;
	*ret = fd;
	run->port = 0;
	len = address_of(run, &address);
	if (bind(fd, (struct sockaddr *)&address, len) < 0 || (is_tcp(run) && listen(fd, 1) < 0) ||
		getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		return -errno;
	run->port = ntohs(address.ss_family == AF_INET ? ((struct sockaddr_in *)&address)->sin_port
						       : ((struct sockaddr_in6 *)&address)->sin6_port);
	return 0;
}

static int connect_there(struct run *run, int *ret)
{
	const int on = 1;
	struct sockaddr_storage address;
	socklen_t len;
	int fd = open_socket(run, SITE_SENDER), error = 0, r;
	socklen_t error_len = sizeof(error);

	if (fd < 0)
		return fd;
	*ret = fd;
	len = address_of(run, &address);
	if (connect(fd, (struct sockaddr *)&address, len) < 0 && errno != EINPROGRESS)
		return -errno;
	if (!is_tcp(run))
		return 0;
	r = wait_for(run, fd, POLLOUT);
	if (r == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_len) == 0)
		r = -error;
	if (r == 0 && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
		r = -errno;
	return r;
}

static void close_sockets(struct run *run)
{
	if (run->sender >= 0)
		close(run->sender);
	if (run->receiver >= 0)
		close(run->receiver);
	run->sender = run->receiver = -1;
}

static int open_connection(struct run *run)
{
	_cleanup_close_ int listening = -1;
	int r;

	run->sender = run->receiver = -1;
	run->sent = run->received = 0;
	for (size_t i = 0; i < SITE_LINKS_MAX; i++)
		flow_forget(&run->flows[i]);
	r = listen_there(run, &listening);
	if (r == 0)
		r = connect_there(run, &run->sender);
	if (r < 0)
		return r;
	if (!is_tcp(run)) {
		run->receiver = TAKE_FD(listening);
		return 0;
	}
	r = wait_for(run, listening, POLLIN);
	if (r == 0) {
		run->receiver = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		r = run->receiver < 0 ? -errno : 0;
	}
	return r;
}

/* ---- what arrives ---- */

/* Reads what is there. part: the size of the datagrams that were sent, the last one may be shorter. */
static int receive(struct run *run, size_t part)
{
	while (run->now->wrong == FRAME_RIGHT) {
		ssize_t n = recv(run->receiver, run->buffer, BUFFER_BYTES, 0);
		size_t left = run->sent - run->received;

		if (n < 0)
			return errno == EAGAIN ? 0 : errno == EINTR ? -EINTR : -errno;
		if (!is_tcp(run) && (size_t)n != (left < part ? left : part))
			complain(run, FRAME_SIZE, NULL);
		else if ((size_t)n > left || n == 0 || memcmp(run->buffer, run->data + run->received, (size_t)n) != 0)
			complain(run, FRAME_DATA, NULL);
		run->received += (size_t)n;
	}
	return 0;
}

static bool is_acknowledged(const struct run *run)
{
	int queued = 0;

	return !is_tcp(run) || ioctl(run->sender, SIOCOUTQ, &queued) < 0 || queued == 0;
}

/* Waits until all that was sent has arrived. */
static int settle(struct run *run, size_t part)
{
	struct pollfd waiting[1 + SITE_PLACES] = { { .fd = run->receiver, .events = POLLIN } };

	for (unsigned place = 0; place < SITE_PLACES; place++)
		waiting[1 + place] = (struct pollfd){ .fd = run->captures[place].fd, .events = POLLIN };
	for (;;) {
		int r = read_captures(run), n;

		if (r == 0)
			r = receive(run, part);
		if (r < 0 || run->now->wrong != FRAME_RIGHT)
			return r;
		if (run->received == run->sent && is_acknowledged(run))
			return read_captures(run);
		n = poll(waiting, ARRAY_SIZE(waiting), IDLE_MSEC);
		if (*run->stop || (n < 0 && errno == EINTR))
			return -EINTR;
		if (n == 0)
			complain(run, FRAME_LOST, NULL);
	}
}

/* ---- what is sent ---- */

static int send_tcp(struct run *run)
{
	int mss = 0;
	socklen_t len = sizeof(mss);
	int r = getsockopt(run->sender, IPPROTO_TCP, TCP_MAXSEG, &mss, &len) < 0 ? -errno : 0;
	size_t m = mss > 0 ? (size_t)mss : 1000;
	/* around one and several segments, odd sizes, and what a packet can have at most */
	const size_t sizes[] = { 1, m - 1, m, m + 1, 2 * m, 7 * m + 13, 33333, 65535, 65536 };

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(sizes) && run->now->wrong == FRAME_RIGHT; i++) {
		for (size_t done = 0; r == 0 && done < sizes[i] && run->now->wrong == FRAME_RIGHT;) {
			ssize_t n = send(run->sender, run->data + run->sent, sizes[i] - done, MSG_NOSIGNAL);

			if (n < 0 && errno != EAGAIN)
				return -errno;
			run->sent += n > 0 ? (size_t)n : 0;
			done += n > 0 ? (size_t)n : 0;
			r = settle(run, 0);
		}
	}
	return r;
}

/* One send of `bytes` that leaves as datagrams of `part`. */
static int send_datagrams(struct run *run, size_t bytes, size_t part)
{
	int value = part < bytes ? (int)part : 0;

	/* the id of the next datagram does not follow that of the last part of this one */
	for (size_t i = 0; i < SITE_LINKS_MAX; i++)
		flow_forget(&run->flows[i]);
	if (setsockopt(run->sender, SOL_UDP, UDP_SEGMENT, &value, sizeof(value)) < 0 && value)
		return errno == ENOPROTOOPT ? 1 : -errno;
	if (run->sent + bytes > DATA_BYTES)
		run->sent = run->received = 0;
	if (send(run->sender, run->data + run->sent, bytes, 0) < 0)
		return value && (errno == EIO || errno == EINVAL) ? 1 : -errno;
	run->sent += bytes;
	return settle(run, part);
}

static int send_udp(struct run *run)
{
	size_t headers = run->now->packet == VERIFY_UDP4 ? 28 : 48, m = 1400 - headers;
	const struct {
		size_t bytes, part;
	} sends[] = { { 1, 1 }, { 2, 2 }, { 999, 999 }, { m, m }, { 3, 1 }, { 1000, 100 }, { 1001, 100 }, { 4 * m, m }, { 4 * m + 1, m },
		{ 5 * m - 1, m }, { UDP_MOST, 1000 } };
	bool refused = false;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(sends) && run->now->wrong == FRAME_RIGHT; i++) {
		r = send_datagrams(run, sends[i].bytes, sends[i].part);
		refused |= r > 0;
	}
	if (r >= 0 && refused)
		run->now->outcome = VERIFY_REFUSED;
	return r < 0 ? r : 0;
}

static int run_case(struct run *run)
{
	struct verify_case *c = run->now;
	int r = capture_discard(run->captures, SITE_PLACES);

	c->outcome = VERIFY_RIGHT;
	if (r == 0)
		r = open_connection(run);
	if (r == -ETIMEDOUT) {
		r = read_captures(run);
		complain(run, FRAME_LOST, NULL);
	} else if (r == 0) {
		r = is_tcp(run) ? send_tcp(run) : send_udp(run);
	}
	close_sockets(run);
	if (r == -EINTR)
		return r;
	if (r == 0 && c->packets == 0) /* nothing was looked at */
		r = -ENODATA;
	if (c->wrong != FRAME_RIGHT) {
		c->outcome = VERIFY_WRONG;
	} else if (r < 0) {
		c->outcome = VERIFY_UNTESTED;
		c->error = r;
	}
	return 0;
}

/* ---- modes ---- */

static feature_set named_like(const struct feature_table *table, const char *prefix, const char *suffix)
{
	feature_set set = 0;

	for (unsigned bit = 0; bit < table->count; bit++)
		if (strncmp(table->name[bit], prefix, strlen(prefix)) == 0 && util_has_suffix(table->name[bit], suffix))
			set |= FEATURE(bit);
	return set;
}

static feature_set segmentation(const struct feature_table *table)
{
	return (named_like(table, "tx-", "-segmentation") | named_like(table, "tx-gso-", "")) &
		~feature_named(table, "tx-generic-segmentation");
}

/* What verify_mode changes. */
static feature_set sent(const struct feature_table *table)
{
	return segmentation(table) | named_like(table, "tx-checksum-", "") | named_like(table, "tx-scatter-gather", "");
}

static feature_set merged(const struct feature_table *table)
{
	return feature_named(table, "rx-gro") | feature_named(table, "rx-udp-gro-forwarding");
}

/* Sets features of one link, of those that it can change. *ret_active: what it has then. */
static int set_features(struct site *site, const struct site_link *link, feature_set mask, feature_set on, feature_set *ret_active)
{
	struct link_features now = { 0 };
	struct ethtool *ethtool = site->ethtool[link->place];
	struct ethtool_result result;
	int r = ethtool_features_get(ethtool, link->ifindex, link->name, &now);

	mask &= now.hw & ~now.nochange;
	if (r == 0 && mask)
		r = ethtool_features_set(ethtool, link->ifindex, link->name, mask, on, &result);
	if (r == 0 && mask)
		r = ethtool_features_get(ethtool, link->ifindex, link->name, &now);
	if (r == 0 && ret_active)
		*ret_active = now.active;
	return r;
}

static bool is_tunnel(enum site_kind kind)
{
	return kind == SITE_VXLAN || kind == SITE_GENEVE || kind == SITE_GRE || kind == SITE_IPIP;
}

static bool has_mode(enum site_kind kind, enum verify_mode mode)
{
	return mode != VERIFY_ABOVE || is_tunnel(kind);
}

static bool is_sending_veth(const struct site_link *link)
{
	return strcmp(link->what, "veth") == 0 &&
		(link->place == SITE_SENDER || (link->place == SITE_ROUTER && strcmp(link->name, SITE_SECOND) == 0));
}

/* At every link that sends: the sender's, and the router's second one. */
static int set_mode(struct run *run, enum verify_mode mode, feature_set *ret_active)
{
	const struct feature_table *table = &run->site->features;
	feature_set off = mode == VERIFY_LEFT || mode == VERIFY_ABOVE ? 0 : mode == VERIFY_SEGMENTED ? segmentation(table) : sent(table);
	int r = 0;

	for (size_t i = 0; r == 0 && i < run->lane->n_links; i++) {
		const struct site_link *link = &run->lane->links[i];

		if (is_sending_veth(link))
			r = set_features(run->site, link, sent(table), sent(table) & ~off, link->place == SITE_SENDER ? ret_active : NULL);
		else if (strcmp(link->what, "veth") == 0)
			r = set_features(run->site, link, merged(table), mode == VERIFY_MERGED ? merged(table) : 0, NULL);
		else if (link->place == SITE_SENDER && is_tunnel(run->lane->kind))
			r = set_features(run->site, link, segmentation(table), mode == VERIFY_ABOVE ? 0 : segmentation(table), NULL);
	}
	return r;
}

/* ---- all of it ---- */

static struct verify_case *add_case(struct verify_result *result, enum site_kind kind, enum verify_mode mode, enum verify_packet packet)
{
	struct verify_case *c = &result->cases[result->n_cases++];

	*c = (struct verify_case){ .kind = kind, .mode = mode, .packet = packet };
	return c;
}

/* Turns one feature off where the mode has set it. *ret_lost: how many features the sender's veth loses by that. */
static int turn_off(struct run *run, unsigned bit, int *ret_lost)
{
	bool receives = merged(&run->site->features) & FEATURE(bit);
	feature_set active = run->now->on;
	int r = 0;

	for (size_t i = 0; r == 0 && i < run->lane->n_links; i++) {
		const struct site_link *link = &run->lane->links[i];

		if (strcmp(link->what, "veth") == 0 && receives != is_sending_veth(link))
			r = set_features(run->site, link, FEATURE(bit), 0, link->place == SITE_SENDER ? &active : NULL);
	}
	*ret_lost = receives ? 1 : __builtin_popcountll(run->now->on & ~active);
	return r;
}

/* Runs a wrong case again without one feature after the other. Others may depend on it: those that take the fewest with them are kept. */
static int find_culprits(struct run *run)
{
	const struct feature_table *table = &run->site->features;
	struct verify_case *wrong = run->now, again;
	int r = 0, lost, fewest = FEATURE_MAX;
	unsigned bit;

	feature_foreach(bit, (wrong->on & sent(table)) | (wrong->mode == VERIFY_MERGED ? merged(table) : 0)) {
		again = (struct verify_case){ .kind = wrong->kind, .mode = wrong->mode, .packet = wrong->packet, .on = wrong->on };
		run->now = &again;
		r = turn_off(run, bit, &lost);
		if (r == 0 && lost <= fewest)
			r = run_case(run);
		if (r == 0 && (again.outcome == VERIFY_RIGHT || again.outcome == VERIFY_REFUSED)) {
			wrong->culprits = FEATURE(bit) | (lost < fewest ? 0 : wrong->culprits);
			fewest = lost;
		}
		run->now = wrong;
		if (r == 0)
			r = set_mode(run, wrong->mode, NULL);
		if (r < 0)
			return r;
	}
	return 0;
}

static int run_mode(struct run *run, enum verify_mode mode, int error, struct verify_result *result)
{
	feature_set on = 0;
	int r = 0;

	if (error == 0)
		error = set_mode(run, mode, &on);
	for (unsigned packet = 0; r == 0 && packet < VERIFY_PACKETS; packet++) {
		bool six = packet == VERIFY_TCP6 || packet == VERIFY_UDP6;

		if (six && run->lane->kind == SITE_IPIP) /* it carries IPv4 */
			continue;
		run->now = add_case(result, run->lane->kind, mode, (enum verify_packet)packet);
		run->now->on = on;
		run->now->error = error ? error : six && !run->site->has_ipv6 ? -EAFNOSUPPORT : 0;
		if (run->now->error == 0)
			r = run_case(run);
		if (r == 0 && run->now->outcome == VERIFY_WRONG)
			r = find_culprits(run);
	}
	return r;
}

static void count(struct verify_result *result)
{
	for (size_t i = 0; i < result->n_cases; i++) {
		const struct verify_case *c = &result->cases[i];

		result->packets += c->packets;
		result->right += c->outcome == VERIFY_RIGHT || c->outcome == VERIFY_REFUSED;
		result->wrong += c->outcome == VERIFY_WRONG;
		result->untested += c->outcome == VERIFY_UNTESTED;
	}
}

static void run_clear(struct run *run)
{
	for (unsigned place = 0; place < SITE_PLACES; place++)
		capture_close(&run->captures[place]);
	free(run->data);
	free(run->buffer);
}

/* Packets that are sent by several CPUs may overtake each other in a veth. */
static void stay_on_one_cpu(void)
{
	int cpu = sched_getcpu();
	cpu_set_t set;

	CPU_ZERO(&set);
	if (cpu >= 0 && cpu < CPU_SETSIZE) {
		CPU_SET(cpu, &set);
		(void)sched_setaffinity(0, sizeof(set), &set);
	}
}

/* The same bytes in each run: none repeats in a way that would hide a swap. */
static int run_init(struct run *run, char *why)
{
	uint64_t x = 88172645463325252;
	int r = 0;

	stay_on_one_cpu();
	run->data = malloc(DATA_BYTES);
	run->buffer = malloc(BUFFER_BYTES);
	if (!run->data || !run->buffer)
		return -ENOMEM;
	for (size_t i = 0; i < DATA_BYTES; i += sizeof(x)) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(run->data + i, &x, sizeof(x));
	}
	for (unsigned place = 0; r == 0 && place < SITE_PLACES; place++) {
		r = site_enter(run->site, (enum site_place)place);
		if (r == 0)
			r = capture_open((enum site_place)place, &run->captures[place]);
	}
	if (r < 0)
		snprintf(why, SITE_WHY_LEN, "Failed to capture packets: %s", strerror(-r));
	return r < 0 ? r : site_enter(run->site, SITE_SENDER);
}

int verify_open(struct verify_stage *ret, unsigned kinds, char why[SITE_WHY_LEN])
{
	int r = site_open(&ret->site, why);

	ret->kinds = kinds;
	for (unsigned kind = 0; r == 0 && kind < SITE_KINDS; kind++) {
		if (kinds & 1u << kind)
			ret->errors[kind] = site_build(&ret->site, (enum site_kind)kind, &ret->lanes[kind], why);
	}
	return r;
}

void verify_close(struct verify_stage *stage)
{
	site_close(&stage->site);
}

int verify_run(struct verify_stage *stage, const volatile int *stop, struct verify_result *ret, char why[SITE_WHY_LEN])
{
	_cleanup_(run_clear) struct run run = {
		.site = &stage->site, .stop = stop, .captures = { { .fd = -1 }, { .fd = -1 }, { .fd = -1 } } };
	int r = run_init(&run, why);

	*ret = (struct verify_result){ 0 };
	for (unsigned kind = 0; r == 0 && kind < SITE_KINDS; kind++) {
		run.lane = &stage->lanes[kind];
		for (unsigned mode = 0; r == 0 && mode < VERIFY_MODES; mode++)
			if ((stage->kinds & 1u << kind) && has_mode((enum site_kind)kind, (enum verify_mode)mode))
				r = run_mode(&run, (enum verify_mode)mode, stage->errors[kind], ret);
	}
	count(ret);
	return r;
}
