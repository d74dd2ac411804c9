/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/peer.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/util.h"
#include "verify/capture.h"
#include "verify/known.h"

#define STEP_USEC (5 * USEC_PER_SEC) /* for an answer of the other end */
#define IDLE_USEC (2 * USEC_PER_SEC) /* nothing arrives for that long: lost */
#define TICK_MSEC 200
#define DATAGRAM_MOST 13000 /* five of them are less than a datagram can have */
#define RECEIVE_BYTES (4 << 20)

enum { PEER_HELLO = 100, PEER_CASE, PEER_SENT, PEER_STOP, PEER_END, PEER_FAILED };

/* What one end saw of a case. */
struct sight {
	enum frame_wrong wrong;
	bool arrived; /* about the data that arrived; otherwise about a packet at the interface */
	bool lost, refused;
	uint16_t packets;
	uint8_t merged, unseen; /* at most 255 */
};

struct end {
	const volatile int *stop;
	int ifindex;
	int control, fd; /* the data */
	enum verify_packet packet;
	bool sends;
	uint16_t client_port;
	struct capture capture;
	struct sight sight;
	uint8_t *data, *buffer;
	size_t begin, sent, received; /* begin: of the last send */
};

static bool is_tcp(const struct end *e)
{
	return e->packet == VERIFY_TCP4 || e->packet == VERIFY_TCP6;
}

/* ---- frames ---- */

static uint64_t pack(const struct sight *s)
{
	return (uint64_t)s->wrong << 48 | (uint64_t)s->arrived << 56 | (uint64_t)s->lost << 57 | (uint64_t)s->refused << 58 |
		(uint64_t)s->packets << 16 | (uint64_t)s->merged << 8 | s->unseen;
}

static int unpack(uint64_t count, struct sight *ret)
{
	if ((count >> 48 & 0xff) >= FRAME_WRONGS)
		return -EPROTO;
	*ret = (struct sight){ .wrong = (enum frame_wrong)(count >> 48 & 0xff), .arrived = count >> 56 & 1, .lost = count >> 57 & 1,
		.refused = count >> 58 & 1, .packets = (uint16_t)(count >> 16), .merged = (uint8_t)(count >> 8), .unseen = (uint8_t)count };
	return 0;
}

static int say(const struct end *e, uint16_t status, uint64_t count)
{
	return path_frame_send(e->control, &(struct path_frame){ PEER_VERSION, status, count });
}

/* Waits for an event, and looks whether the interface is still there. */
static int wait_for(const struct end *e, int fd, short events, uint64_t usec)
{
	uint64_t deadline_usec = util_now_usec() + usec;
	char name[IF_NAMESIZE];
	int r;

	do {
		uint64_t tick_usec = util_now_usec() + TICK_MSEC * 1000;

		r = path_socket_wait(fd, events, tick_usec < deadline_usec ? tick_usec : deadline_usec, e->stop);
		if (r == -ETIMEDOUT && e->ifindex && !if_indextoname((unsigned)e->ifindex, name))
			return -ENODEV;
	} while (r == -ETIMEDOUT && util_now_usec() < deadline_usec);
	return r;
}

static int hear(const struct end *e, uint64_t usec, struct path_frame *ret)
{
	int r = wait_for(e, e->control, POLLIN, usec);

	if (r == 0)
		r = path_frame_receive(e->control, util_now_usec() + STEP_USEC, e->stop, ret);
	return r == 0 && ret->version != PEER_VERSION ? -EPROTONOSUPPORT : r;
}

/* ---- what passes the interface ---- */

static void complain(struct end *e, enum frame_wrong wrong, bool arrived)
{
	if (wrong == FRAME_RIGHT || e->sight.wrong != FRAME_RIGHT)
		return;
	e->sight.wrong = wrong;
	e->sight.arrived = arrived;
}

static void on_packet(_unused_ struct capture *capture, _unused_ int ifindex, const struct frame *frame, void *userdata)
{
	struct end *e = userdata;
	struct frame here = *frame;
	struct segment segment;

	here.shared = frame->outgoing;
	complain(e, frame_check(&here, &segment), false);
	if (frame->outgoing != e->sends)
		return;
	e->sight.packets += e->sight.packets < UINT16_MAX;
	e->sight.merged += !e->sends && segment.segments > 1 && e->sight.merged < UINT8_MAX;
}

static void on_unseen(_unused_ struct capture *capture, unsigned n, _unused_ bool dropped, void *userdata)
{
	struct end *e = userdata;

	e->sight.unseen = (uint8_t)(e->sight.unseen + n < UINT8_MAX ? e->sight.unseen + n : UINT8_MAX);
}

static int look(struct end *e)
{
	return capture_read(&e->capture, on_packet, on_unseen, e);
}

/* ---- the sender ---- */

static size_t datagram_size(const struct end *e)
{
	bool six = e->packet == VERIFY_UDP6;
	int mtu = 0;
	socklen_t len = sizeof(mtu);
	size_t headers = six ? 48 : 28, size;

	if (getsockopt(e->fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_MTU : IP_MTU, &mtu, &len) < 0 || mtu < 576)
		mtu = 576;
	size = (size_t)mtu - headers;
	return size < DATAGRAM_MOST ? size : DATAGRAM_MOST;
}

static int send_bytes(struct end *e, size_t bytes)
{
	for (size_t done = 0; done < bytes;) {
		ssize_t n = send(e->fd, e->data + e->sent, bytes - done, MSG_NOSIGNAL);
		int r = n > 0 ? 0 : errno == EAGAIN ? wait_for(e, e->fd, POLLOUT, STEP_USEC) : -errno;

		if (r == 0)
			r = look(e);
		if (r < 0)
			return r;
		done += n > 0 ? (size_t)n : 0;
		e->sent += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int send_one(struct end *e, struct known_send one)
{
	int part = one.part < one.bytes ? (int)one.part : 0, r;
	struct path_frame answer;

	if (!is_tcp(e) && setsockopt(e->fd, SOL_UDP, UDP_SEGMENT, &part, sizeof(part)) < 0 && part) {
		e->sight.refused = true;
		return 0;
	}
	r = send_bytes(e, one.bytes);
	if (r == -EIO && part) { /* udp_send_skb(): the interface computes no checksums */
		e->sight.refused = true;
		return 0;
	}
	if (r == 0)
		r = say(e, PEER_SENT, (uint64_t)one.part << 32 | e->sent);
	if (r == 0)
		r = hear(e, 2 * STEP_USEC, &answer);
	if (r == 0)
		r = look(e);
	return r < 0 ? r : answer.status == PEER_STOP ? 1 : answer.status == PATH_GO ? 0 : -EPROTO;
}

/* What was lost on the way was sent again, or not; what was only late is acknowledged twice (D-SACK). */
static bool has_lost(const struct end *e)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	return is_tcp(e) && getsockopt(e->fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 && info.tcpi_total_retrans > info.tcpi_dsack_dups;
}

static int run_sender(struct end *e, struct sight *ret_other)
{
	struct known_send sends[KNOWN_SENDS];
	struct path_frame answer;
	int mss = 0, r = 0;
	socklen_t len = sizeof(mss);
	size_t n;

	if (is_tcp(e) && getsockopt(e->fd, IPPROTO_TCP, TCP_MAXSEG, &mss, &len) < 0)
		mss = 0;
	n = is_tcp(e) ? known_list_tcp(mss > 1 ? (size_t)mss : 0, sends) : known_list_udp(datagram_size(e), sends);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = send_one(e, sends[i]);
	if (r < 0)
		return r;
	e->sight.lost |= has_lost(e);
	r = say(e, PEER_END, pack(&e->sight));
	if (r == 0)
		r = hear(e, STEP_USEC, &answer);
	return r < 0 ? r : answer.status == PEER_END ? unpack(answer.count, ret_other) : -EPROTO;
}

/* ---- the receiver ---- */

static int receive(struct end *e, size_t part)
{
	ssize_t n = recv(e->fd, e->buffer, KNOWN_BUFFER, 0);
	enum frame_wrong wrong;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (!is_tcp(e) && n == 0) /* it opened the way through a firewall */
		return 0;
	if (is_tcp(e) && n == 0)
		return -ECONNRESET;
	wrong = known_judge(e->data, e->sent, e->received, part, e->buffer, (size_t)n);
	/* a network may drop, repeat or swap datagrams */
	if (wrong != FRAME_RIGHT && part) {
		enum frame_wrong any = known_judge(e->data + e->begin, e->sent - e->begin, 0, part, e->buffer, (size_t)n);

		e->sight.lost = any == FRAME_RIGHT || any == FRAME_LOST;
	}
	if (!e->sight.lost)
		complain(e, wrong, true);
	e->received += (size_t)n;
	return 0;
}

/* Until all has arrived that was sent. 1: it will not. */
static int receive_all(struct end *e, size_t part)
{
	while (e->received < e->sent && e->sight.wrong == FRAME_RIGHT && !e->sight.lost) {
		int r = wait_for(e, e->fd, POLLIN, is_tcp(e) ? 2 * IDLE_USEC : IDLE_USEC / 2);

		if (r == -ETIMEDOUT)
			e->sight.lost = true;
		else if (r == 0)
			r = receive(e, part);
		if (r == 0)
			r = look(e);
		if (r < 0 && r != -ETIMEDOUT)
			return r;
	}
	return e->sight.wrong != FRAME_RIGHT || e->sight.lost;
}

static int run_receiver(struct end *e, struct sight *ret_other)
{
	for (;;) {
		struct path_frame frame;
		int r = hear(e, 2 * STEP_USEC, &frame);
		size_t part = (size_t)(frame.count >> 32);

		if (r == 0 && frame.status == PEER_END) {
			r = look(e);
			if (r == 0)
				r = unpack(frame.count, ret_other);
			return r < 0 ? r : say(e, PEER_END, pack(&e->sight));
		}
		if (r < 0 || frame.status != PEER_SENT)
			return r < 0 ? r : -EPROTO;
		e->begin = e->sent;
		e->sent = (size_t)(uint32_t)frame.count;
		if (e->sent > KNOWN_BYTES || e->sent < e->begin || part > UINT16_MAX || is_tcp(e) != (part == 0))
			return -EPROTO;
		r = receive_all(e, part);
		if (r >= 0)
			r = say(e, r ? PEER_STOP : PATH_GO, e->received);
		if (r < 0)
			return r;
	}
}

/* ---- one case ---- */

static void end_case(struct end *e)
{
	if (e->fd >= 0)
		close(e->fd);
	capture_close(&e->capture);
	e->fd = -1;
}

static void end_clear(struct end *e)
{
	end_case(e);
	if (e->control >= 0)
		close(e->control);
	free(e->data);
	free(e->buffer);
}

static int end_init(struct end *e)
{
	e->data = known_make();
	e->buffer = malloc(KNOWN_BUFFER);
	return e->data && e->buffer ? 0 : -ENOMEM;
}

static void begin_case(struct end *e, enum verify_packet packet, bool sends)
{
	e->packet = packet;
	e->sends = sends;
	e->begin = e->sent = e->received = 0;
	e->sight = (struct sight){ 0 };
}

static void widen(const struct end *e)
{
	const int bytes = RECEIVE_BYTES, on = 1;

	if (is_tcp(e))
		(void)setsockopt(e->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	else if (setsockopt(e->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(e->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

static int run_end(struct end *e, struct sight *ret_other)
{
	widen(e);
	return e->sends ? run_sender(e, ret_other) : run_receiver(e, ret_other);
}

static void move_port(union path_address *address, unsigned by)
{
	address->in.sin_port = htons((uint16_t)(ntohs(address->in.sin_port) + by)); /* where an in6 has it, too */
}

/* ---- the client ---- */

static int open_data(struct end *e, const struct peer_target *target)
{
	union path_address to = target->address, own;
	socklen_t len = sizeof(own);
	int error = 0, r;
	socklen_t error_len = sizeof(error);

	move_port(&to, 1);
	if (is_tcp(e))
		e->fd = path_socket_open(to.any.sa_family, target->device);
	else
		e->fd = path_datagram_open(to.any.sa_family, target->device);
	if (e->fd < 0)
		return e->fd;
	r = connect(e->fd, &to.any, sizeof(to)) < 0 && errno != EINPROGRESS ? -errno : 0;
	if (r == 0 && is_tcp(e)) {
		r = wait_for(e, e->fd, POLLOUT, STEP_USEC);
		if (r == 0 && getsockopt(e->fd, SOL_SOCKET, SO_ERROR, &error, &error_len) == 0)
			r = -error;
	}
	if (r == 0 && getsockname(e->fd, &own.any, &len) < 0)
		r = -errno;
	if (r < 0)
		return r;
	e->client_port = ntohs(own.in.sin_port);
	return capture_open_at(target->ifindex, e->client_port, ntohs(to.in.sin_port), &e->capture);
}

static int run_case(struct end *e, const struct peer_target *target, struct verify_case *c)
{
	struct path_frame answer;
	struct sight other = { 0 };
	const struct sight *sender, *receiver, *first;
	int r;

	begin_case(e, c->packet, c->mode == VERIFY_TO_PEER);
	r = open_data(e, target);
	if (r == -ECONNREFUSED) /* is it gone meanwhile? */
		r = wait_for(e, e->control, POLLIN, USEC_PER_SEC) == 0 ? -ECONNRESET : -ECONNABORTED;
	if (r == 0)
		r = say(e, PEER_CASE, (uint64_t)c->mode << 24 | (uint64_t)c->packet << 16 | e->client_port);
	if (r == 0)
		r = hear(e, STEP_USEC, &answer);
	if (r == 0 && answer.status != PATH_GO)
		r = answer.status == PEER_FAILED ? -EREMOTEIO : -EPROTO;
	if (r == 0 && !is_tcp(e))
		(void)send(e->fd, "", 0, 0); /* opens the way through a firewall */
	if (r == 0)
		r = run_end(e, &other);
	end_case(e);
	if (r < 0)
		return r;
	sender = e->sends ? &e->sight : &other;
	receiver = e->sends ? &other : &e->sight;
	first = sender->wrong != FRAME_RIGHT ? sender : receiver;
	c->wrong = first->wrong;
	c->place = first == sender ? SITE_SENDER : SITE_RECEIVER;
	c->link = first->arrived ? NULL : first == &e->sight ? target->device : "interface";
	c->packets = (unsigned)e->sight.packets + other.packets;
	c->merged = (unsigned)e->sight.merged + other.merged;
	c->unseen = (unsigned)e->sight.unseen + other.unseen;
	c->error = e->sight.lost || other.lost ? -ECOMM : c->packets == 0 ? -ENODATA : 0;
	c->outcome = c->wrong != FRAME_RIGHT ? VERIFY_WRONG : c->error ? VERIFY_UNTESTED :
		e->sight.refused || other.refused ? VERIFY_REFUSED : VERIFY_RIGHT;
	return 0;
}

static int explain(const struct peer_target *target, int error, char *why)
{
	char peer[PATH_ADDRESS_LEN];

	path_address_format(&target->address, peer);
	switch (-error) {
	case EINTR:
		break;
	case ECONNREFUSED:
		snprintf(why, PATH_WHY_LEN, "Failed to connect to %s: connection refused; start offloadctl verify --serve there", peer);
		break;
	case ECONNABORTED:
		snprintf(why, PATH_WHY_LEN, "Failed to verify: %s is open, but not the next port, which the data takes", peer);
		break;
	case ECONNRESET:
	case EPIPE:
		snprintf(why, PATH_WHY_LEN, "Failed to verify: %s closed the connection", peer);
		break;
	case EPROTONOSUPPORT:
		snprintf(why, PATH_WHY_LEN, "Failed to verify: %s uses another protocol version", peer);
		break;
	case EPROTO:
		snprintf(why, PATH_WHY_LEN, "Failed to verify: %s is not an offloadctl verify --serve", peer);
		break;
	case EREMOTEIO:
		snprintf(why, PATH_WHY_LEN, "Failed to verify: %s cannot open a socket or capture packets", peer);
		break;
	case ENODEV:
		snprintf(why, PATH_WHY_LEN, "Failed to verify: interface %s was removed", target->device);
		break;
	case ETIMEDOUT:
		snprintf(why, PATH_WHY_LEN, "Failed to verify: timed out while waiting for %s over %s", peer, target->device);
		break;
	default:
		snprintf(why, PATH_WHY_LEN, "Failed to verify with %s over %s: %s", peer, target->device, strerror(-error));
	}
	return error;
}

static int greet(struct end *e, const struct peer_target *target)
{
	struct path_frame answer;
	int error = 0, r;
	socklen_t len = sizeof(error);

	e->control = path_socket_open(target->address.any.sa_family, target->device);
	if (e->control < 0)
		return e->control;
	r = connect(e->control, &target->address.any, sizeof(target->address)) < 0 && errno != EINPROGRESS ? -errno : 0;
	if (r == 0)
		r = wait_for(e, e->control, POLLOUT, STEP_USEC);
	if (r == 0 && getsockopt(e->control, SOL_SOCKET, SO_ERROR, &error, &len) == 0)
		r = -error;
	if (r == 0)
		r = say(e, PEER_HELLO, 0);
	if (r == 0)
		r = hear(e, STEP_USEC, &answer);
	return r < 0 ? r : answer.status == PATH_GO ? 0 : -EPROTONOSUPPORT;
}

/* A wrong case is repeated. */
static int run_twice(struct end *e, const struct peer_target *target, struct verify_case *c)
{
	struct verify_case again = *c;
	int r = run_case(e, target, c);

	if (r == 0 && c->outcome == VERIFY_WRONG) {
		r = run_case(e, target, &again);
		c->repeated = again.outcome == VERIFY_WRONG;
	}
	return r;
}

/* Before anybody is asked. */
static int try_capture(char *why)
{
	struct capture capture = { .fd = -1 };
	int r = capture_open_at(0, 0, 0, &capture);

	capture_close(&capture);
	if (r < 0)
		capture_explain(r, why, PATH_WHY_LEN);
	return r;
}

int peer_verify(const struct peer_target *target, const struct verify_watch *watch, struct verify_result *ret, char why[PATH_WHY_LEN])
{
	static const enum verify_mode modes[] = { VERIFY_TO_PEER, VERIFY_FROM_PEER };
	bool six = target->address.any.sa_family == AF_INET6;
	const enum verify_packet packets[] = { six ? VERIFY_TCP6 : VERIFY_TCP4, six ? VERIFY_UDP6 : VERIFY_UDP4 };
	_cleanup_(end_clear) struct end e = { .stop = watch->stop, .ifindex = target->ifindex, .control = -1, .fd = -1, .capture = { .fd = -1 } };
	uint64_t deadline_usec = util_now_usec() + watch->usec;
	size_t n = ARRAY_SIZE(modes) * ARRAY_SIZE(packets);
	int r = end_init(&e);

	*ret = (struct verify_result){ 0 };
	why[0] = '\0';
	if (r == 0)
		r = try_capture(why);
	if (r < 0)
		return r;
	r = greet(&e, target);
	for (size_t i = 0; r == 0 && i < n; i++) {
		struct verify_case *c = &ret->cases[ret->n_cases++];

		*c = (struct verify_case){ .kind = SITE_PEER, .mode = modes[i / 2], .packet = packets[i % 2], .error = -ETIME };
		if (util_now_usec() < deadline_usec)
			r = run_twice(&e, target, c);
		if (watch->progress)
			watch->progress(i + 1, n);
	}
	verify_count(ret);
	return r < 0 ? explain(target, r, why) : 0;
}

/* ---- the server ---- */

/* An IPv4 address as it is, also from a socket that takes both. */
static void unmap(union path_address *address)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = address->in6.sin6_port };

	if (address->any.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&address->in6.sin6_addr))
		return;
	memcpy(&in.sin_addr, &address->in6.sin6_addr.s6_addr[12], sizeof(in.sin_addr));
	*address = (union path_address){ .in = in };
}

static bool is_same_host(const union path_address *a, const union path_address *b)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	return a->any.sa_family == AF_INET ? a->in.sin_addr.s_addr == b->in.sin_addr.s_addr :
		memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof(a->in6.sin6_addr)) == 0;
}

/* Takes the connection of the client from those that wait; others are of clients that are gone. */
static int accept_data(struct peer_server *s, struct end *e, const union path_address *client)
{
	for (;;) {
		union path_address from = { 0 };
		socklen_t len = sizeof(from);
		int r = wait_for(e, s->data_fd, POLLIN, STEP_USEC);

		if (r < 0)
			return r;
		e->fd = accept4(s->data_fd, &from.any, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (e->fd < 0)
			return -errno;
		unmap(&from);
		if (is_same_host(&from, client) && ntohs(from.in.sin_port) == e->client_port)
			return 0;
		close(e->fd);
		e->fd = -1;
	}
}

static int connect_datagrams(struct peer_server *s, struct end *e, const union path_address *client, const union path_address *own)
{
	union path_address from = *own, to = *client;
	const int one = 1;

	from.in.sin_port = htons((uint16_t)(s->port + 1));
	to.in.sin_port = htons(e->client_port);
	e->fd = path_datagram_open(client->any.sa_family, s->device);
	if (e->fd < 0)
		return e->fd;
	(void)setsockopt(e->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	return bind(e->fd, &from.any, sizeof(from)) < 0 || connect(e->fd, &to.any, sizeof(to)) < 0 ? -errno : 0;
}

static int serve_case(struct peer_server *s, struct end *e, uint64_t count, const union path_address *client, const union path_address *own)
{
	struct sight other;
	unsigned mode = (unsigned)(count >> 24 & 0xff), packet = (unsigned)(count >> 16 & 0xff);
	int r;

	if ((mode != VERIFY_TO_PEER && mode != VERIFY_FROM_PEER) || packet >= VERIFY_PACKETS)
		return -EPROTO;
	begin_case(e, (enum verify_packet)packet, mode == VERIFY_FROM_PEER);
	e->client_port = (uint16_t)count;
	r = is_tcp(e) ? accept_data(s, e, client) : connect_datagrams(s, e, client, own);
	if (r == 0)
		r = capture_open_at(e->ifindex, e->client_port, (uint16_t)(s->port + 1), &e->capture);
	if (r < 0)
		(void)say(e, PEER_FAILED, (uint64_t)-r);
	if (r == 0)
		r = say(e, PATH_GO, 0);
	if (r == 0 && e->sends && !is_tcp(e) && wait_for(e, e->fd, POLLIN, USEC_PER_SEC) == 0)
		(void)recv(e->fd, e->buffer, KNOWN_BUFFER, 0); /* the way is open */
	if (r == 0)
		r = run_end(e, &other);
	end_case(e);
	return r;
}

/* The interface with an address of this host; 0: none. */
static int find_interface(const union path_address *own)
{
	struct ifaddrs *all = NULL;
	int ifindex = 0;

	if (getifaddrs(&all) < 0)
		return 0;
	for (const struct ifaddrs *a = all; a && !ifindex; a = a->ifa_next) {
		union path_address it = { 0 };
		bool is_ip = a->ifa_addr && (a->ifa_addr->sa_family == AF_INET || a->ifa_addr->sa_family == AF_INET6);

		if (is_ip)
			memcpy(&it, a->ifa_addr, a->ifa_addr->sa_family == AF_INET ? sizeof(it.in) : sizeof(it.in6));
		if (is_ip && is_same_host(&it, own))
			ifindex = (int)if_nametoindex(a->ifa_name);
	}
	freeifaddrs(all);
	return ifindex;
}

static int serve_host(struct peer_server *s, struct end *e, const union path_address *client)
{
	union path_address own = { 0 };
	socklen_t len = sizeof(own);
	struct path_frame frame;
	int r = end_init(e);

	if (r == 0 && getsockname(e->control, &own.any, &len) < 0)
		r = -errno;
	unmap(&own);
	e->ifindex = s->device ? (int)if_nametoindex(s->device) : find_interface(&own);
	if (r == 0 && !e->ifindex)
		r = -ENODEV;
	if (r == 0)
		r = hear(e, STEP_USEC, &frame);
	if (r == -EPROTONOSUPPORT)
		(void)say(e, PATH_OTHER_VERSION, 0);
	if (r == 0)
		r = frame.status == PEER_HELLO ? say(e, PATH_GO, 0) : -EPROTO;
	while (r == 0) {
		r = hear(e, 2 * STEP_USEC, &frame);
		if (r == -ECONNRESET) /* it is done */
			return 0;
		if (r == 0)
			r = frame.status == PEER_CASE ? serve_case(s, e, frame.count, client, &own) : -EPROTO;
	}
	return r;
}

int peer_serve(struct peer_server *s, uint64_t usec)
{
	uint64_t deadline_usec = util_now_usec() + usec;

	for (;;) {
		_cleanup_(end_clear) struct end e = { .stop = s->stop, .control = -1, .fd = -1, .capture = { .fd = -1 } };
		union path_address client = { 0 };
		socklen_t len = sizeof(client);
		int r = path_socket_wait(s->fd, POLLIN, deadline_usec, s->stop);

		if (r < 0)
			return r == -EINTR || r == -ETIMEDOUT ? 0 : r;
		e.control = accept4(s->fd, &client.any, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (e.control < 0) {
			(void)poll(NULL, 0, TICK_MSEC); /* it may wait still, so that poll() returns at once */
			continue;
		}
		unmap(&client);
		s->served(&client, false, NULL);
		r = serve_host(s, &e, &client);
		s->served(&client, true, r == 0 ? NULL : r == -ECONNRESET || r == -EPIPE ? "it closed the connection" :
			r == -EPROTONOSUPPORT ? "it uses another protocol version" : r == -EPROTO ? "not an offloadctl verify" : strerror(-r));
	}
}

int peer_listen(struct peer_server *server, union path_address *address, char why[PATH_WHY_LEN])
{
	union path_address next;
	int r = try_capture(why);

	if (r < 0)
		return r;
	server->port = ntohs(address->in.sin_port);
	next = *address;
	move_port(&next, 1);
	server->fd = path_listen(address, server->device, why);
	if (server->fd >= 0)
		server->data_fd = path_listen(&next, server->device, why);
	return server->fd < 0 ? server->fd : server->data_fd < 0 ? server->data_fd : 0;
}

void peer_close(struct peer_server *server)
{
	if (server->fd >= 0)
		close(server->fd);
	if (server->data_fd >= 0)
		close(server->data_fd);
	server->fd = server->data_fd = -1;
}
