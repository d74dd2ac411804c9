/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/exchange.h"

#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/util.h"

#define RECEIVE_BYTES (4 << 20)
#define IDLE_MSEC 2000 /* nothing arrives for that long: lost */
#define QUIET_MSEC 100 /* ... what reports a needless retransmission */

static bool is_tcp(const struct run *run)
{
	return run->now->packet == VERIFY_TCP4 || run->now->packet == VERIFY_TCP6;
}

/* Keeps what is wrong first: a later place only sees the same again. The places are read in the order in which data passes them, so
 * the other direction comes from the last place. */
static void complain(struct run *run, struct complaint complaint)
{
	struct verify_case *c = run->now;
	enum site_place place = complaint.link ? complaint.link->place : SITE_RECEIVER;
	bool earlier = complaint.backward && c->backward && place > c->place;

	if (complaint.wrong == FRAME_RIGHT || (c->wrong != FRAME_RIGHT && !earlier))
		return;
	c->wrong = complaint.wrong;
	c->link = complaint.link ? complaint.link->what : NULL;
	c->place = place;
	c->backward = complaint.backward;
}

static void complain_at_end(struct run *run, enum frame_wrong wrong)
{
	complain(run, (struct complaint){ .wrong = wrong });
}

bool exchange_is_sending(const struct site_link *link)
{
	return strcmp(link->what, "veth") == 0 &&
		(link->place == SITE_SENDER || (link->place == SITE_ROUTER && strcmp(link->name, SITE_SECOND) == 0));
}

static bool is_receiving(const struct site_link *link)
{
	return strcmp(link->what, "veth") == 0 && !exchange_is_sending(link);
}

/* A router receives by its first veth, and sends by its second. */
static bool is_backward(const struct site_link *link, const struct frame *frame)
{
	bool sends = link->place == SITE_SENDER || (link->place == SITE_ROUTER && strcmp(link->name, SITE_SECOND) == 0);

	return frame->outgoing != sends;
}

/* Did the kernel do the work of the mode? */
static enum frame_wrong judge_work(const struct run *run, const struct site_link *link, const struct frame *frame)
{
	bool segments = run->now->mode >= VERIFY_SEGMENTED;

	return exchange_is_sending(link) ? frame_judge_work(frame, segments, segments && !run->checksums) : FRAME_RIGHT;
}

/* ---- what passes the links ---- */

static void on_packet(struct capture *capture, int ifindex, const struct frame *frame, void *userdata)
{
	struct run *run = userdata;
	struct frame here = *frame;
	struct segment segment;
	enum frame_wrong wrong;
	bool ours;

	here.listed = run->now->mode == VERIFY_LISTED;
	wrong = frame_check(&here, &segment);
	ours = wrong == FRAME_RIGHT && segment.protocol && segment.target == run->port;
	for (size_t i = 0; i < run->lane->n_links; i++) {
		const struct site_link *link = &run->lane->links[i];

		if (link->ifindex != ifindex || link->place != capture->place)
			continue;
		if (ours) {
			run->seen[i]++;
			run->now->packets++;
			run->now->merged += is_receiving(link) && segment.segments > 1;
			wrong = judge_work(run, link, frame);
			if (wrong == FRAME_RIGHT)
				wrong = flow_judge(&run->flows[i], &segment);
		}
		if ((wrong == FRAME_ORDER || wrong == FRAME_ID) && run->pending.wrong == FRAME_RIGHT)
			run->pending = (struct complaint){ .wrong = wrong, .link = link };
		else if (wrong != FRAME_ORDER && wrong != FRAME_ID)
			complain(run, (struct complaint){ .wrong = wrong, .link = link, .backward = is_backward(link, frame) });
	}
}

static void on_unseen(struct capture *capture, unsigned n, bool dropped, void *userdata)
{
	struct run *run = userdata;

	run->now->unseen += n;
	run->gap[capture->place] = true;
	if (dropped) /* a gap may be ours */
		run->pending.wrong = FRAME_RIGHT;
	for (size_t i = 0; i < run->lane->n_links; i++) {
		const struct site_link *link = &run->lane->links[i];

		if (link->place != capture->place)
			continue;
		flow_forget(&run->flows[i]);
		run->now->merged += !dropped && is_receiving(link); /* nothing else is large there */
	}
}

/* In the order of the way, so that the first complaint is about the first place. */
static int read_captures(struct run *run)
{
	int r = 0;

	for (unsigned place = 0; place < SITE_PLACES && r == 0; place++) {
		run->pending.wrong = FRAME_RIGHT;
		r = capture_read(&run->captures[place], on_packet, on_unseen, run);
		complain(run, run->pending);
	}
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
	uint64_t now = util_now_usec(), left_msec = run->deadline_usec > now ? (run->deadline_usec - now) / 1000 : 0;
	bool is_late = left_msec < IDLE_MSEC;
	int n = poll(&waiting, 1, is_late ? (int)left_msec : IDLE_MSEC);

	if (*run->stop || (n < 0 && errno == EINTR))
		return -EINTR;
	return n > 0 ? 0 : n < 0 ? -errno : is_late ? -ETIME : -ETIMEDOUT;
}

static int listen_there(struct run *run, int *ret)
{
	const int bytes = RECEIVE_BYTES;
	struct sockaddr_storage address;
	socklen_t len;
	int fd = open_socket(run, SITE_RECEIVER);

	if (fd < 0)
		return fd;
	*ret = fd;
	/* whatever rmem_default is; a size that is set ends TCP's own choice of it */
	if (!is_tcp(run) && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
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
		ssize_t n = recv(run->receiver, run->buffer, KNOWN_BUFFER, 0);

		if (n < 0)
			return errno == EAGAIN ? 0 : errno == EINTR ? -EINTR : -errno;
		complain_at_end(run, known_judge(run->data, run->sent, run->received, part, run->buffer, (size_t)n));
		run->received += (size_t)n;
	}
	return 0;
}

static bool is_acknowledged(const struct run *run)
{
	int queued = 0;

	return !is_tcp(run) || ioctl(run->sender, SIOCOUTQ, &queued) < 0 || queued == 0;
}

static int read_counters(struct run *run, struct counters ret[SITE_PLACES])
{
	int r = 0;

	for (unsigned place = 0; r == 0 && place < SITE_PLACES; place++) {
		r = site_enter(run->site, (enum site_place)place);
		counters_read(&ret[place]);
	}
	return r < 0 ? r : site_enter(run->site, SITE_SENDER);
}

/* Nothing more arrives. -ENONET: nothing was sent, so something above the links has dropped it, for example a BPF program of this cgroup. */
static int complain_lost(struct run *run)
{
	const struct verify_case *c = run->now;

	if (c->packets == 0 && c->unseen == 0 && c->wrong == FRAME_RIGHT)
		return -ENONET;
	complain_at_end(run, FRAME_LOST);
	return 0;
}

/* -ENOBUFS: a queue was full, which explains all that is missing. */
static int judge_queues(struct run *run)
{
	struct counters now[SITE_PLACES];
	int r = read_counters(run, now);

	for (unsigned place = 0; r == 0 && place < SITE_PLACES; place++)
		r = now[place].full > run->before[place].full ? -ENOBUFS : 0;
	return r;
}

/* Waits until all that was sent has arrived. */
static int settle(struct run *run, size_t part)
{
	struct pollfd waiting[1 + SITE_PLACES] = { { .fd = run->receiver, .events = POLLIN } };
	unsigned idle_msec = 0;

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
		n = poll(waiting, ARRAY_SIZE(waiting), QUIET_MSEC);
		if (*run->stop || (n < 0 && errno == EINTR))
			return -EINTR;
		idle_msec = n == 0 ? idle_msec + QUIET_MSEC : 0;
		r = n == 0 ? judge_queues(run) : 0;
		if (r < 0 || util_now_usec() > run->deadline_usec)
			return r < 0 ? r : -ETIME;
		if (idle_msec >= IDLE_MSEC && (r = complain_lost(run)) < 0)
			return r;
	}
}

/* ---- what is sent ---- */

/* TCP sends again what is lost after the last look at it, so the data is right all the same. A segment that was only late is
 * acknowledged twice (D-SACK), which may be on its way. */
static int judge_retransmissions(struct run *run)
{
	struct pollfd waiting = { .fd = run->captures[SITE_SENDER].fd, .events = POLLIN };

	while (run->now->wrong == FRAME_RIGHT) {
		struct tcp_info info = { 0 };
		socklen_t len = sizeof(info);
		int r = getsockopt(run->sender, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 ? -errno : read_captures(run), n;

		if (r < 0 || info.tcpi_total_retrans <= info.tcpi_dsack_dups)
			return r;
		n = poll(&waiting, 1, QUIET_MSEC);
		if (*run->stop || (n < 0 && errno == EINTR))
			return -EINTR;
		if (n == 0)
			complain_at_end(run, FRAME_REJECTED);
	}
	return 0;
}

static int send_tcp(struct run *run)
{
	int mss = 0;
	socklen_t len = sizeof(mss);
	int r = getsockopt(run->sender, IPPROTO_TCP, TCP_MAXSEG, &mss, &len) < 0 ? -errno : 0;
	struct known_send sends[KNOWN_SENDS];
	size_t n_sends = known_list_tcp(mss > 0 ? (size_t)mss : 0, sends);

	for (size_t i = 0; r == 0 && i < n_sends && run->now->wrong == FRAME_RIGHT; i++) {
		for (size_t done = 0; r == 0 && done < sends[i].bytes && run->now->wrong == FRAME_RIGHT;) {
			ssize_t n = send(run->sender, run->data + run->sent, sends[i].bytes - done, MSG_NOSIGNAL);

			if (n < 0 && errno != EAGAIN)
				return -errno;
			run->sent += n > 0 ? (size_t)n : 0;
			done += n > 0 ? (size_t)n : 0;
			r = settle(run, 0);
			if (r == 0)
				r = judge_retransmissions(run);
			if (r == 0 && n < 0) /* no memory for it now */
				r = wait_for(run, run->sender, POLLOUT);
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
	if (run->sent + bytes > KNOWN_BYTES)
		run->sent = run->received = 0;
	if (send(run->sender, run->data + run->sent, bytes, 0) < 0)
		return value && errno == EIO && !run->checksums ? 1 : -errno;
	run->sent += bytes;
	return settle(run, part);
}

static int send_udp(struct run *run)
{
	struct known_send sends[KNOWN_SENDS];
	size_t n_sends = known_list_udp(run->now->packet == VERIFY_UDP4 ? 1400 - 28 : 1400 - 48, sends);
	bool refused = false;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < n_sends && run->now->wrong == FRAME_RIGHT; i++) {
		r = send_datagrams(run, sends[i].bytes, sends[i].part);
		refused |= r > 0;
	}
	if (r >= 0 && refused)
		run->now->outcome = VERIFY_REFUSED;
	return r < 0 ? r : 0;
}

/* ---- what cannot be seen in a packet ---- */

/* -ENOBUFS: as above. */
static int judge_counters(struct run *run)
{
	struct verify_case *c = run->now;
	struct counters after[SITE_PLACES];
	int r = read_counters(run, after);

	if (r == 0 && counters_may_explain(c->wrong) && judge_queues(run) == -ENOBUFS) {
		c->wrong = FRAME_RIGHT;
		return -ENOBUFS;
	}
	for (unsigned place = SITE_PLACES; r == 0 && c->wrong == FRAME_RIGHT && place-- > 0;)
		if (after[place].rejected > run->before[place].rejected) {
			complain_at_end(run, FRAME_REJECTED);
			c->place = (enum site_place)place;
		}
	return r;
}

/* -ENODATA: a link was not looked at. */
static int judge_flows(const struct run *run)
{
	for (size_t i = 0; i < run->lane->n_links; i++) {
		bool complete = is_tcp(run) ? flow_is_complete(&run->flows[i], run->sent) : run->seen[i] > 0;

		if (!complete && !run->gap[run->lane->links[i].place])
			return -ENODATA;
	}
	return 0;
}

static int judge_end(struct run *run, int r)
{
	if (r == 0)
		r = judge_counters(run);
	return r == 0 && run->now->wrong == FRAME_RIGHT ? judge_flows(run) : r;
}

static void begin(struct run *run)
{
	memset(run->seen, 0, sizeof(run->seen));
	memset(run->gap, 0, sizeof(run->gap));
	run->now->outcome = VERIFY_RIGHT;
}

int exchange_run(struct run *run)
{
	struct verify_case *c = run->now;
	int r = capture_discard(run->captures, SITE_PLACES);

	begin(run);
	if (r == 0)
		r = read_counters(run, run->before);
	if (r == 0)
		r = open_connection(run);
	if (r == -ETIMEDOUT) {
		r = read_captures(run);
		if (r == 0)
			r = complain_lost(run);
	} else if (r == 0) {
		r = is_tcp(run) ? send_tcp(run) : send_udp(run);
	}
	if (r != -EINTR)
		r = judge_end(run, r);
	close_sockets(run);
	if (r == -EINTR)
		return r;
	if (c->wrong != FRAME_RIGHT) {
		c->outcome = VERIFY_WRONG;
	} else if (r < 0) {
		c->outcome = VERIFY_UNTESTED;
		c->error = r;
	} else if (verify_mode_merges(c->mode) && c->merged == 0) {
		c->outcome = VERIFY_NOT_APPLICABLE;
	}
	return 0;
}

/* ---- all of it ---- */

void exchange_clear(struct run *run)
{
	for (unsigned place = 0; place < SITE_PLACES; place++)
		capture_close(&run->captures[place]);
	free(run->data);
	free(run->buffer);
}

int exchange_init(struct run *run, char *why)
{
	int r = 0;

	run->data = known_make();
	run->buffer = malloc(KNOWN_BUFFER);
	if (!run->data || !run->buffer)
		return -ENOMEM;
	for (unsigned place = 0; r == 0 && place < SITE_PLACES; place++) {
		r = site_enter(run->site, (enum site_place)place);
		if (r == 0)
			r = capture_open((enum site_place)place, &run->captures[place]);
	}
	if (r < 0)
		capture_explain(r, why, SITE_WHY_LEN);
	return r < 0 ? r : site_enter(run->site, SITE_SENDER);
}

