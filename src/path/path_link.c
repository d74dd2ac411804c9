/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "path/path_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "basic/util.h"
#include "bpf/kinds.h"

#define IDLE_USEC (10 * USEC_PER_SEC)    /* without data, the other end is considered gone */
#define ASK_USEC (2 * USEC_PER_SEC)      /* for a request, because other senders wait meanwhile */
#define REFUSED_USEC (USEC_PER_SEC / 10) /* the same, for a sender without time left */
#define TICK_MSEC 200                    /* how often *stop is checked */

int path_address_parse(const char *text, uint16_t default_port, union path_address *ret)
{
	char host[INET6_ADDRSTRLEN + 2] = "";
	const char *port = NULL, *end = NULL;
	char *rest;
	size_t len;
	unsigned long number = default_port;

	if (*text == '[') {
		end = strchr(++text, ']');
		if (!end || (end[1] && end[1] != ':'))
			return -EINVAL;
		port = end[1] ? end + 2 : NULL;
	} else if (strchr(text, ':') == strrchr(text, ':')) {
		end = strchr(text, ':');
		port = end ? end + 1 : NULL;
	}
	len = end ? (size_t)(end - text) : strlen(text);
	if (len >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, len);
	if (port) {
		number = strtoul(port, &rest, 10);
		if (*port < '0' || *port > '9' || *rest || number == 0 || number > UINT16_MAX)
			return -EINVAL;
	}
	*ret = (union path_address){ 0 };
	if (inet_pton(AF_INET, host, &ret->in.sin_addr) == 1) {
		ret->in.sin_family = AF_INET;
		ret->in.sin_port = htons((uint16_t)number);
	} else if (inet_pton(AF_INET6, host, &ret->in6.sin6_addr) == 1) {
		ret->in6.sin6_family = AF_INET6;
		ret->in6.sin6_port = htons((uint16_t)number);
	} else {
		return -EINVAL;
	}
	return 0;
}

const char *path_address_format(const union path_address *address, char buf[PATH_ADDRESS_LEN])
{
	char host[INET6_ADDRSTRLEN] = "";

	if (address->any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &address->in6.sin6_addr, host, sizeof(host));
		snprintf(buf, PATH_ADDRESS_LEN, "[%s]:%u", host, ntohs(address->in6.sin6_port));
	} else {
		inet_ntop(AF_INET, &address->in.sin_addr, host, sizeof(host));
		snprintf(buf, PATH_ADDRESS_LEN, "%s:%u", host, ntohs(address->in.sin_port));
	}
	return buf;
}

static socklen_t address_len(const union path_address *address)
{
	return address->any.sa_family == AF_INET6 ? sizeof(address->in6) : sizeof(address->in);
}

static int open_socket(int family, int type, const char *device)
{
	_cleanup_close_ int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const struct timeval own = { .tv_sec = OWN_RECEIVE_TIMEOUT_SEC };

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &own, sizeof(own));
	if (device && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device,
			      (socklen_t)strlen(device) + 1) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int path_socket_open(int family, const char *device)
{
	return open_socket(family, SOCK_STREAM, device);
}

int path_datagram_open(int family, const char *device)
{
	return open_socket(family, SOCK_DGRAM, device);
}

int path_socket_wait(int fd, short events, uint64_t deadline_usec, const volatile int *stop)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = events };
		int n;

		if (stop && *stop)
			return -EINTR;
		if (util_now_usec() >= deadline_usec)
			return -ETIMEDOUT;
		n = poll(&p, 1, TICK_MSEC);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			return 0;
	}
}

int path_frame_send(int fd, const struct path_frame *frame)
{
	uint8_t text[PATH_WIRE_FRAME];
	ssize_t n;

	path_wire_encode(frame, text);
	n = send(fd, text, sizeof(text), MSG_NOSIGNAL);
	if (n < 0)
		return -errno;
	return n == sizeof(text) ? 0 : -EIO;
}

int path_frame_receive(
	int fd, uint64_t deadline_usec, const volatile int *stop, struct path_frame *ret)
{
	uint8_t text[PATH_WIRE_FRAME];
	size_t len = 0;

	while (len < sizeof(text)) {
		int r = path_socket_wait(fd, POLLIN, deadline_usec, stop);
		ssize_t n;

		if (r < 0)
			return r;
		n = recv(fd, text + len, sizeof(text) - len, 0);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n == 0)
			return -ECONNRESET;
		if (n > 0)
			len += (size_t)n;
	}
	return path_wire_decode(text, ret);
}

/* ---- the receiver ---- */

int path_listen(union path_address *address, const char *device, char why[PATH_WHY_LEN])
{
	_cleanup_close_ int fd = path_socket_open(address->any.sa_family, device);
	socklen_t len = sizeof(*address);
	char text[PATH_ADDRESS_LEN];
	int one = 1, zero = 0;

	if (fd < 0) {
		snprintf(why, PATH_WHY_LEN, "Failed to create a socket%s%s: %s", device ? " on " : "",
			device ? device : "", strerror(-fd));
		return fd;
	}
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (address->any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	if (bind(fd, &address->any, address_len(address)) < 0 || listen(fd, 8) < 0 ||
		getsockname(fd, &address->any, &len) < 0) {
		int r = -errno;

		snprintf(why, PATH_WHY_LEN, "Failed to listen on %s: %s",
			path_address_format(address, text), strerror(-r));
		return r;
	}
	return TAKE_FD(fd);
}

/* Discards received data without copying it. *ret_got: bytes received, also after an error. */
static int receive_bytes(
	int fd, uint64_t bytes, uint64_t deadline_usec, const volatile int *stop, uint64_t *ret_got)
{
	for (*ret_got = 0; *ret_got < bytes;) {
		uint64_t idle_usec = util_now_usec() + IDLE_USEC, left = bytes - *ret_got;
		ssize_t n;
		int r = path_socket_wait(
			fd, POLLIN, idle_usec < deadline_usec ? idle_usec : deadline_usec, stop);

		if (r < 0)
			return r;
		/* MSG_TRUNC discards the data, see tcp(7) */
		n = recv(fd, NULL, left < (1u << 20) ? left : 1u << 20, MSG_TRUNC);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n == 0)
			return -ECONNRESET;
		if (n > 0)
			*ret_got += (uint64_t)n;
	}
	return 0;
}

static void raw_address(const union path_address *peer, uint8_t ret[16])
{
	memset(ret, 0, 16);
	if (peer->any.sa_family == AF_INET6)
		memcpy(ret, &peer->in6.sin6_addr, 16);
	else
		memcpy(ret, &peer->in.sin_addr, 4);
}

/* One transfer. Returns the bytes received; *ret_reason: NULL, or why it was refused or aborted. */
static uint64_t serve_connection(
	struct path_server *s, int fd, struct path_sender *sender, const char **ret_reason)
{
	uint64_t deadline_usec, left, got = 0;
	bool refused = path_budget_ask(&s->budget, sender, 0, &left) != PATH_GO;
	struct path_frame frame, answer = { .version = PATH_WIRE_VERSION };
	int r = path_frame_receive(
		fd, util_now_usec() + (refused ? REFUSED_USEC : ASK_USEC), s->stop, &frame);

	*ret_reason = r == -EPROTO      ? "not an offloadctl check-path sender"
		      : r == -ETIMEDOUT ? "no request"
					: "connection closed before a request";
	if (r < 0)
		return 0;
	answer.status = path_budget_ask(&s->budget, sender, frame.count, &answer.count);
	if (frame.version != PATH_WIRE_VERSION)
		answer.status = PATH_OTHER_VERSION;
	*ret_reason = path_status_words(answer.status);
	if (path_frame_send(fd, &answer) < 0 || answer.status != PATH_GO)
		return 0;
	deadline_usec = util_now_usec() + s->budget.busy_usec_max - sender->busy_usec;
	if (receive_bytes(fd, frame.count, deadline_usec, s->stop, &got) < 0) {
		*ret_reason = util_now_usec() >= deadline_usec ? "time limit reached" : "connection closed";
		return got;
	}
	answer.count = got;
	*ret_reason = path_frame_send(fd, &answer) < 0 ? "connection closed" : NULL;
	return got;
}

int path_serve(struct path_server *s, uint64_t usec)
{
	uint64_t deadline_usec = usec ? util_now_usec() + usec : UINT64_MAX;
	int error = 0;

	for (;;) {
		_cleanup_close_ int fd = -1;
		union path_address peer = { 0 };
		socklen_t len = sizeof(peer);
		struct path_sender *sender;
		const char *reason = NULL;
		uint8_t raw[16];
		uint64_t begin_usec, got;
		int r = path_socket_wait(s->fd, POLLIN, deadline_usec, s->stop);

		if (r < 0)
			return r == -EINTR || r == -ETIMEDOUT ? 0 : r;
		fd = accept4(s->fd, &peer.any, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0) { /* the sender still waits, so that poll() returns at once */
			if (errno != error && s->refused)
				s->refused(-errno, s->userdata);
			error = errno;
			(void)poll(NULL, 0, TICK_MSEC);
			continue;
		}
		begin_usec = util_now_usec();
		raw_address(&peer, raw);
		sender = path_budget_find(&s->budget, raw, begin_usec);
		got = serve_connection(s, fd, sender, &reason);
		sender->bytes += got;
		sender->busy_usec += util_now_usec() - begin_usec;
		if (s->served)
			s->served(&peer, got, reason, s->userdata);
	}
}
