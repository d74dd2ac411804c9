/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/peer_private.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define GRACE_USEC (30 * USEC_PER_SEC) /* for the case that goes on when time is up */

/* TCP: until there is a connection. */
static int connect_to(struct peer_end *e, int fd, const union path_address *address)
{
	int error = 0, r = connect(fd, &address->any, sizeof(*address)) < 0 && errno != EINPROGRESS ? -errno : 0;
	socklen_t len = sizeof(error);

	if (r == 0)
		r = peer_end_wait(e, fd, POLLOUT, STEP_USEC);
	if (r == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0)
		r = -error;
	return r;
}

static int open_data(struct peer_end *e, const struct peer_target *target)
{
	union path_address to = target->address, own;
	socklen_t len = sizeof(own);
	int r;

	peer_move_port(&to, 1);
	if (peer_end_is_tcp(e))
		e->fd = path_socket_open(to.any.sa_family, target->device);
	else
		e->fd = path_datagram_open(to.any.sa_family, target->device);
	if (e->fd < 0)
		return e->fd;
	r = connect_to(e, e->fd, &to);
	if (r == 0 && getsockname(e->fd, &own.any, &len) < 0)
		r = -errno;
	if (r < 0)
		return r;
	e->client_port = ntohs(own.in.sin_port);
	return capture_open_at(target->ifindex, e->client_port, ntohs(to.in.sin_port), &e->capture);
}

/* The packets that the receiver sends are seen there first. */
static const struct peer_sight *seen_first(const struct peer_sight *sender, const struct peer_sight *receiver)
{
	bool at_sender = sender->wrong != FRAME_RIGHT && (!sender->backward || receiver->wrong == FRAME_RIGHT);

	return at_sender ? sender : receiver;
}

static bool has_seen(const struct peer_sight *sight)
{
	return sight->packets || sight->unseen;
}

static int run_case(struct peer_end *e, const struct peer_target *target, struct verify_case *c)
{
	struct path_frame answer;
	struct peer_sight other = { 0 };
	const struct peer_sight *sender, *receiver, *first;
	int r;

	peer_end_case_begin(e, c->packet, c->mode == VERIFY_TO_PEER);
	r = open_data(e, target);
	if (r == -ECONNREFUSED || r == -ETIMEDOUT) /* is it gone meanwhile? */
		r = peer_end_wait(e, e->control, POLLIN, USEC_PER_SEC) == 0 ? -ECONNRESET : -ECONNABORTED;
	if (r == 0)
		r = peer_end_say(e, PEER_CASE, (uint64_t)c->mode << 24 | (uint64_t)c->packet << 16 | e->client_port);
	if (r == 0)
		r = peer_end_hear(e, STEP_USEC, &answer);
	if (r == 0 && answer.status != PATH_GO)
		r = answer.status == PEER_FAILED ? -EREMOTEIO : -EPROTO;
	if (r == -EREMOTEIO)
		e->refusal = (int)(answer.count & 0xfff);
	if (r == 0 && !peer_end_is_tcp(e))
		(void)send(e->fd, "", 0, 0); /* opens the way through a firewall */
	if (r == 0)
		r = peer_end_run(e, &other);
	peer_end_case_done(e);
	if (r < 0)
		return r;
	sender = e->sends ? &e->sight : &other;
	receiver = e->sends ? &other : &e->sight;
	first = seen_first(sender, receiver);
	c->wrong = first->wrong;
	c->backward = first->backward;
	c->place = first == sender ? SITE_SENDER : SITE_RECEIVER;
	c->link = first->arrived ? NULL : first == &e->sight ? target->device : "interface";
	c->packets = (unsigned)e->sight.packets + other.packets;
	c->merged = (unsigned)e->sight.merged + other.merged;
	c->unseen = (unsigned)e->sight.unseen + other.unseen;
	c->error = e->sight.lost || other.lost ? -ECOMM : !has_seen(sender) || !has_seen(receiver) ? -ENODATA : 0;
	c->outcome = c->wrong != FRAME_RIGHT ? VERIFY_WRONG : c->error ? VERIFY_UNTESTED :
		e->sight.refused || other.refused ? VERIFY_REFUSED : VERIFY_RIGHT;
	return 0;
}

/* %s: the other host */
static const struct {
	int error;
	const char *text;
} reasons[] = {
	{ ECONNREFUSED, "Failed to connect to %s: connection refused; start offloadctl verify --serve there" },
	{ ECONNABORTED, "Failed to verify: %s replies, but not at the next port, which the data takes; is a firewall between?" },
	{ ECONNRESET, "Failed to verify: %s closed the connection" },
	{ EPIPE, "Failed to verify: %s closed the connection" },
	{ EPROTONOSUPPORT, "Failed to verify: %s uses another protocol version" },
	{ EPROTO, "Failed to verify: %s is not an offloadctl verify --serve" },
	{ ETIMEDOUT, "Failed to verify: timed out while waiting for %s" },
};

static int explain(const struct peer_target *target, const struct peer_end *e, int error, char *why)
{
	char peer[PATH_ADDRESS_LEN];

	path_address_format(&target->address, peer);
	if (error == -EINTR)
		return error;
	if (error == -ENODEV)
		snprintf(why, PATH_WHY_LEN, "Failed to verify: interface %s was removed", target->device);
	else if (error == -EREMOTEIO)
		snprintf(why, PATH_WHY_LEN, "Failed to verify: %s cannot open a socket for the data, or capture packets: %s", peer,
			strerror(e->refusal));
	else
		snprintf(why, PATH_WHY_LEN, "Failed to verify over %s with %s: %s", target->device, peer, strerror(-error));
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (error == -reasons[i].error)
			snprintf(why, PATH_WHY_LEN, reasons[i].text, peer);
	return error;
}

static int greet(struct peer_end *e, const struct peer_target *target)
{
	struct path_frame answer;
	int r;

	e->control = path_socket_open(target->address.any.sa_family, target->device);
	if (e->control < 0)
		return e->control;
	r = connect_to(e, e->control, &target->address);
	if (r == 0)
		r = peer_end_say(e, PEER_HELLO, 0);
	if (r == 0)
		r = peer_end_hear(e, STEP_USEC, &answer);
	return r < 0 ? r : answer.status == PATH_GO ? 0 : -EPROTONOSUPPORT;
}

/* A wrong case is repeated. */
static int run_twice(struct peer_end *e, const struct peer_target *target, struct verify_case *c)
{
	struct verify_case again = *c;
	int r = run_case(e, target, c);

	if (r == 0 && c->outcome == VERIFY_WRONG) {
		r = run_case(e, target, &again);
		c->repeated = again.outcome == VERIFY_WRONG;
	}
	return r;
}

int peer_verify(const struct peer_target *target, const struct verify_watch *watch, struct verify_result *ret, char why[PATH_WHY_LEN])
{
	static const enum verify_mode modes[] = { VERIFY_TO_PEER, VERIFY_FROM_PEER };
	bool six = target->address.any.sa_family == AF_INET6;
	const enum verify_packet packets[] = { six ? VERIFY_TCP6 : VERIFY_TCP4, six ? VERIFY_UDP6 : VERIFY_UDP4 };
	_cleanup_(peer_end_clear) struct peer_end e = { .stop = watch->stop, .ifindex = target->ifindex, .control = -1, .fd = -1,
		.capture = { .fd = -1 } };
	uint64_t deadline_usec = util_now_usec() + watch->usec;
	size_t n = ARRAY_SIZE(modes) * ARRAY_SIZE(packets);
	int r = peer_end_init(&e);

	*ret = (struct verify_result){ 0 };
	why[0] = '\0';
	e.until_usec = deadline_usec + GRACE_USEC;
	if (r == 0)
		r = peer_end_try_capture(why);
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
	return r < 0 ? explain(target, &e, r, why) : 0;
}
