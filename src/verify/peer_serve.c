/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/peer_private.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST_USEC (120 * USEC_PER_SEC) /* for a host, because others wait meanwhile */
#define HOST_CASES (2 * 2 * 2)	       /* both packets, both directions, and once more if it was wrong */

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
static int accept_data(struct peer_server *s, struct peer_end *e, const union path_address *client)
{
	for (;;) {
		union path_address from = { 0 };
		socklen_t len = sizeof(from);
		int r = peer_end_wait(e, s->data_fd, POLLIN, STEP_USEC);

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

static int connect_datagrams(struct peer_server *s, struct peer_end *e, const union path_address *client,
	const union path_address *own)
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

static int serve_case(struct peer_server *s, struct peer_end *e, uint64_t count, const union path_address *client,
	const union path_address *own)
{
	struct peer_sight other;
	unsigned mode = (unsigned)(count >> 24 & 0xff), packet = (unsigned)(count >> 16 & 0xff);
	int r;

	if ((mode != VERIFY_TO_PEER && mode != VERIFY_FROM_PEER) || packet >= VERIFY_PACKETS)
		return -EPROTO;
	peer_end_case_begin(e, (enum verify_packet)packet, mode == VERIFY_FROM_PEER);
	e->client_port = (uint16_t)count;
	r = peer_end_is_tcp(e) ? accept_data(s, e, client) : connect_datagrams(s, e, client, own);
	if (r == 0)
		r = capture_open_at(e->ifindex, e->client_port, (uint16_t)(s->port + 1), &e->capture);
	if (r < 0)
		(void)peer_end_say(e, PEER_FAILED, (uint64_t)-r);
	if (r == 0)
		r = peer_end_say(e, PATH_GO, 0);
	if (r == 0 && e->sends && !peer_end_is_tcp(e) && peer_end_wait(e, e->fd, POLLIN, USEC_PER_SEC) == 0)
		(void)recv(e->fd, e->buffer, KNOWN_BUFFER, 0); /* the way is open */
	if (r == 0)
		r = peer_end_run(e, &other);
	peer_end_case_done(e);
	return r;
}

/* The interface with an address of this host; 0: none. */
static int find_interface(const union path_address *own)
{
	struct ifaddrs *all = NULL;
	int ifindex = 0;

	if (own->any.sa_family == AF_INET6 && own->in6.sin6_scope_id) /* a link-local one, which others may have, too */
		return (int)own->in6.sin6_scope_id;
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

static int serve_host(struct peer_server *s, struct peer_end *e, const union path_address *client)
{
	union path_address own = { 0 };
	socklen_t len = sizeof(own);
	struct path_frame frame;
	int r = peer_end_init(e);

	if (r == 0 && getsockname(e->control, &own.any, &len) < 0)
		r = -errno;
	unmap(&own);
	e->ifindex = s->device ? (int)if_nametoindex(s->device) : find_interface(&own);
	if (r == 0 && !e->ifindex)
		r = -ENODEV;
	if (r == 0)
		r = peer_end_hear(e, STEP_USEC, &frame);
	if (r == -EPROTONOSUPPORT)
		(void)peer_end_say(e, PATH_OTHER_VERSION, 0);
	if (r == 0)
		r = frame.status == PEER_HELLO ? peer_end_say(e, PATH_GO, 0) : -EPROTO;
	for (unsigned n = 0; r == 0; n++) {
		r = peer_end_hear(e, 2 * STEP_USEC, &frame);
		if (r == -ECONNRESET) /* it is done */
			return 0;
		if (r == 0)
			r = frame.status == PEER_CASE && n < HOST_CASES ? serve_case(s, e, frame.count, client, &own) : -EPROTO;
	}
	return r;
}

int peer_serve(struct peer_server *s, uint64_t usec)
{
	uint64_t deadline_usec = util_now_usec() + usec;

	for (;;) {
		_cleanup_(peer_end_clear) struct peer_end e = { .stop = s->stop, .control = -1, .fd = -1, .capture = { .fd = -1 } };
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
		e.until_usec = util_now_usec() + HOST_USEC < deadline_usec ? util_now_usec() + HOST_USEC : deadline_usec;
		s->served(&client, false, NULL);
		r = serve_host(s, &e, &client);
		s->served(&client, true, r == 0 ? NULL : r == -ECONNRESET || r == -EPIPE ? "it closed the connection" :
			r == -EPROTONOSUPPORT ? "it uses another protocol version" : r == -EPROTO ? "not an offloadctl verify" :
			r == -ETIMEDOUT ? "it took too long" : strerror(-r));
	}
}

int peer_listen(struct peer_server *server, union path_address *address, char why[PATH_WHY_LEN])
{
	union path_address next;
	int r = peer_end_try_capture(why);

	if (r < 0)
		return r;
	server->port = ntohs(address->in.sin_port);
	next = *address;
	peer_move_port(&next, 1);
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
