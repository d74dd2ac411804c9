/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/peer_private.h"

#include <errno.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define IDLE_USEC (2 * USEC_PER_SEC) /* nothing arrives for that long: lost */
#define DATAGRAM_MOST 13000 /* five of them are less than a datagram can have */
#define RECEIVE_BYTES (4 << 20)

bool peer_end_is_tcp(const struct peer_end *e)
{
	return e->packet == VERIFY_TCP4 || e->packet == VERIFY_TCP6;
}

/* ---- frames ---- */

static uint64_t pack(const struct peer_sight *s)
{
	return (uint64_t)s->wrong << 48 | (uint64_t)s->arrived << 56 | (uint64_t)s->lost << 57 | (uint64_t)s->refused << 58 |
		(uint64_t)s->backward << 59 | (uint64_t)s->packets << 16 | (uint64_t)s->merged << 8 | s->unseen;
}

static int unpack(uint64_t count, struct peer_sight *ret)
{
	if ((count >> 48 & 0xff) >= FRAME_WRONGS)
		return -EPROTO;
	*ret = (struct peer_sight){ .wrong = (enum frame_wrong)(count >> 48 & 0xff), .arrived = count >> 56 & 1, .lost = count >> 57 & 1,
		.refused = count >> 58 & 1, .backward = count >> 59 & 1, .packets = (uint16_t)(count >> 16), .merged = (uint8_t)(count >> 8), .unseen = (uint8_t)count };
	return 0;
}

int peer_end_say(const struct peer_end *e, uint16_t status, uint64_t count)
{
	return path_frame_send(e->control, &(struct path_frame){ PEER_VERSION, status, count });
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Waits for an event, and looks whether the interface is still there. */
int peer_end_wait(const struct peer_end *e, int fd, short events, uint64_t usec)
{
	uint64_t deadline_usec = earlier(util_now_usec() + usec, e->until_usec);
	char name[IF_NAMESIZE];
	int r;

	do {
		r = path_socket_wait(fd, events, earlier(util_now_usec() + TICK_MSEC * 1000, deadline_usec), e->stop);
		if (r == -ETIMEDOUT && e->ifindex && !if_indextoname((unsigned)e->ifindex, name))
			return -ENODEV;
	} while (r == -ETIMEDOUT && util_now_usec() < deadline_usec);
	return r;
}

int peer_end_hear(const struct peer_end *e, uint64_t usec, struct path_frame *ret)
{
	int r = peer_end_wait(e, e->control, POLLIN, usec);

	if (r == 0)
		r = path_frame_receive(e->control, util_now_usec() + STEP_USEC, e->stop, ret);
	return r == 0 && ret->version != PEER_VERSION ? -EPROTONOSUPPORT : r;
}

/* ---- what passes the interface ---- */

static void complain(struct peer_end *e, enum frame_wrong wrong, bool arrived, bool backward)
{
	if (wrong == FRAME_RIGHT || e->sight.wrong != FRAME_RIGHT)
		return;
	e->sight.wrong = wrong;
	e->sight.arrived = arrived;
	e->sight.backward = backward;
}

static void on_packet(_unused_ struct capture *capture, _unused_ int ifindex, const struct frame *frame, void *userdata)
{
	struct peer_end *e = userdata;
	struct frame here = *frame;
	struct segment segment;

	here.device = true;
	here.mss = e->mss;
	complain(e, frame_check(&here, &segment), false, frame->outgoing != e->sends);
	if (frame->outgoing != e->sends)
		return;
	e->sight.packets += e->sight.packets < UINT16_MAX;
	e->sight.merged += !e->sends && segment.segments > 1 && e->sight.merged < UINT8_MAX;
}

static void on_unseen(_unused_ struct capture *capture, unsigned n, _unused_ bool dropped, void *userdata)
{
	struct peer_end *e = userdata;

	e->sight.unseen = (uint8_t)(e->sight.unseen + n < UINT8_MAX ? e->sight.unseen + n : UINT8_MAX);
}

static int look(struct peer_end *e)
{
	return capture_read(&e->capture, on_packet, on_unseen, e);
}

/* ---- the sender ---- */

static size_t datagram_size(const struct peer_end *e)
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

static int send_bytes(struct peer_end *e, size_t bytes)
{
	for (size_t done = 0; done < bytes;) {
		ssize_t n = send(e->fd, e->data + e->sent, bytes - done, MSG_NOSIGNAL);
		int r = n > 0 ? 0 : errno == EAGAIN ? peer_end_wait(e, e->fd, POLLOUT, STEP_USEC) : -errno;

		if (r == 0)
			r = look(e);
		if (r < 0)
			return r;
		done += n > 0 ? (size_t)n : 0;
		e->sent += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int send_one(struct peer_end *e, struct known_send one)
{
	int part = one.part < one.bytes ? (int)one.part : 0, r;
	struct path_frame answer;

	if (!peer_end_is_tcp(e) && setsockopt(e->fd, SOL_UDP, UDP_SEGMENT, &part, sizeof(part)) < 0 && part) {
		e->sight.refused = true;
		return 0;
	}
	r = send_bytes(e, one.bytes);
	if (r == -EIO && part) { /* udp_send_skb(): the interface computes no checksums */
		e->sight.refused = true;
		return 0;
	}
	if (r == 0)
		r = peer_end_say(e, PEER_SENT, (uint64_t)one.part << 32 | e->sent);
	if (r == 0)
		r = peer_end_hear(e, 2 * STEP_USEC, &answer);
	if (r == 0)
		r = look(e);
	return r < 0 ? r : answer.status == PEER_STOP ? 1 : answer.status == PATH_GO ? 0 : -EPROTO;
}

/* What was lost on the way was sent again, or not; what was only late is acknowledged twice (D-SACK). */
static bool has_lost(const struct peer_end *e)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	return peer_end_is_tcp(e) && getsockopt(e->fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 && info.tcpi_total_retrans > info.tcpi_dsack_dups;
}

static int run_sender(struct peer_end *e, struct peer_sight *ret_other)
{
	struct known_send sends[KNOWN_SENDS];
	struct path_frame answer;
	size_t n = peer_end_is_tcp(e) ? known_list_tcp(e->mss, sends) : known_list_udp(datagram_size(e), sends);
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = send_one(e, sends[i]);
	if (r < 0)
		return r;
	e->sight.lost |= has_lost(e);
	r = peer_end_say(e, PEER_END, pack(&e->sight));
	if (r == 0)
		r = peer_end_hear(e, STEP_USEC, &answer);
	return r < 0 ? r : answer.status == PEER_END ? unpack(answer.count, ret_other) : -EPROTO;
}

/* ---- the receiver ---- */

/* A network may drop, repeat or swap datagrams: is it another one of those that were sent? */
static bool is_other(const struct peer_end *e, size_t n)
{
	for (size_t i = 0; i < e->n_sends; i++) {
		const struct peer_send *s = &e->sends_seen[i];
		enum frame_wrong wrong = known_judge(e->data + s->begin, s->end - s->begin, 0, s->part, e->buffer, n);

		if (wrong == FRAME_RIGHT || wrong == FRAME_LOST)
			return true;
	}
	return false;
}

static int receive(struct peer_end *e, size_t part)
{
	ssize_t n = recv(e->fd, e->buffer, KNOWN_BUFFER, 0);
	enum frame_wrong wrong;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (!peer_end_is_tcp(e) && n == 0) /* it opened the way through a firewall */
		return 0;
	if (peer_end_is_tcp(e) && n == 0)
		return -ECONNRESET;
	wrong = known_judge(e->data, e->sent, e->received, part, e->buffer, (size_t)n);
	if (wrong != FRAME_RIGHT && part && is_other(e, (size_t)n))
		e->sight.lost = true;
	else
		complain(e, wrong, true, false);
	e->received += (size_t)n;
	return 0;
}

/* Until all has arrived that was sent. 1: it will not. */
static int receive_all(struct peer_end *e, size_t part)
{
	while (e->received < e->sent && e->sight.wrong == FRAME_RIGHT && !e->sight.lost) {
		int r = peer_end_wait(e, e->fd, POLLIN, peer_end_is_tcp(e) ? 2 * IDLE_USEC : IDLE_USEC / 2);

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

static int run_receiver(struct peer_end *e, struct peer_sight *ret_other)
{
	for (;;) {
		struct path_frame frame;
		int r = peer_end_hear(e, 2 * STEP_USEC, &frame);
		struct peer_send one;

		if (r == 0 && frame.status == PEER_END) {
			r = look(e);
			if (r == 0)
				r = unpack(frame.count, ret_other);
			return r < 0 ? r : peer_end_say(e, PEER_END, pack(&e->sight));
		}
		if (r < 0 || frame.status != PEER_SENT)
			return r < 0 ? r : -EPROTO;
		one = (struct peer_send){ e->sent, (size_t)(uint32_t)frame.count, (size_t)(frame.count >> 32) };
		if (one.end > KNOWN_BYTES || one.end <= one.begin || one.part > UINT16_MAX || peer_end_is_tcp(e) != (one.part == 0) ||
			e->n_sends == KNOWN_SENDS)
			return -EPROTO;
		e->sends_seen[e->n_sends++] = one;
		e->sent = one.end;
		r = receive_all(e, one.part);
		if (r >= 0)
			r = peer_end_say(e, r ? PEER_STOP : PATH_GO, e->received);
		if (r < 0)
			return r;
	}
}

/* ---- one case ---- */

void peer_end_case_done(struct peer_end *e)
{
	if (e->fd >= 0)
		close(e->fd);
	capture_close(&e->capture);
	e->fd = -1;
}

void peer_end_clear(struct peer_end *e)
{
	peer_end_case_done(e);
	if (e->control >= 0)
		close(e->control);
	free(e->data);
	free(e->buffer);
}

int peer_end_init(struct peer_end *e)
{
	e->data = known_make();
	e->buffer = malloc(KNOWN_BUFFER);
	return e->data && e->buffer ? 0 : -ENOMEM;
}

void peer_end_case_begin(struct peer_end *e, enum verify_packet packet, bool sends)
{
	e->packet = packet;
	e->sends = sends;
	e->n_sends = e->sent = e->received = 0;
	e->sight = (struct peer_sight){ 0 };
}

static void widen(const struct peer_end *e)
{
	const int bytes = RECEIVE_BYTES, on = 1;

	if (peer_end_is_tcp(e))
		(void)setsockopt(e->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	else if (setsockopt(e->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(e->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

int peer_end_run(struct peer_end *e, struct peer_sight *ret_other)
{
	int mss = 0;
	socklen_t len = sizeof(mss);

	widen(e);
	e->mss = peer_end_is_tcp(e) && getsockopt(e->fd, IPPROTO_TCP, TCP_MAXSEG, &mss, &len) == 0 && mss > 1 ? (size_t)mss : 0;
	return e->sends ? run_sender(e, ret_other) : run_receiver(e, ret_other);
}

int peer_end_try_capture(char *why)
{
	struct capture capture = { .fd = -1 };
	int r = capture_open_at(0, 0, 0, &capture);

	capture_close(&capture);
	if (r < 0)
		capture_explain(r, why, PATH_WHY_LEN);
	return r;
}
