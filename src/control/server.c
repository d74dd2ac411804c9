/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "basic/file.h"
#include "basic/util.h"

#define READ_CHUNK 4096
#define ACCURACY_USEC (100 * USEC_PER_MSEC)
#define ACCEPT_PAUSE_USEC (100 * USEC_PER_MSEC) /* after a failure of accept(2): the client still waits in the queue */
#define REFUSED_USEC (60 * USEC_PER_SEC) /* at most one report of that in this time */

struct server_client {
	struct server *server;
	struct server_client *previous, *next; /* the longest idle first */
	sd_event_source *io;
	int fd;
	uid_t uid;
	char *in; /* received, not handled yet */
	size_t in_len, in_size, message_len; /* message_len: of the first message with its NUL, 0: incomplete */
	char *out; /* to send */
	size_t out_len, out_at;
	bool called;  /* a call is in progress */
	bool oneway, ended; /* of that call: no reply wanted; its last reply was given */
	bool sent;    /* a reply, in this step */
	bool ready;   /* has a next step */
	bool eof;     /* it will send nothing more */
	bool doomed;  /* disconnect it at the end of the step */
	void *state;
	uint64_t wait_usec; /* deadline of the handler */
	uint64_t peer_usec; /* deadline of the client to send or read something, 0: none */
};

struct server {
	struct server_handler handler;
	sd_event *event;
	char *path;
	int fd;
	dev_t device; /* of the socket file, so that the one of another process is not removed */
	ino_t inode;
	sd_event_source *listener, *work, *timer;
	struct server_client *oldest, *newest;
	size_t n_clients;
	size_t waiting; /* clients that have a state */
	uint64_t accept_usec;  /* when to accept clients again, 0: the listener is enabled */
	uint64_t refused_usec; /* when to report a failure of accept(2) again */
};

/* ---- clients ---- */

static void unlink_client(struct server_client *client)
{
	struct server *c = client->server;

	*(client->previous ? &client->previous->next : &c->oldest) = client->next;
	*(client->next ? &client->next->previous : &c->newest) = client->previous;
}

static void append_client(struct server_client *client)
{
	struct server *c = client->server;

	client->previous = c->newest;
	client->next = NULL;
	*(c->newest ? &c->newest->next : &c->oldest) = client;
	c->newest = client;
}

static void end_wait(struct server_client *client)
{
	if (client->state)
		client->server->waiting--;
	free(client->state);
	client->state = NULL;
	client->wait_usec = 0;
}

static void drop_client(struct server_client *client)
{
	end_wait(client);
	unlink_client(client);
	client->server->n_clients--;
	sd_event_source_disable_unref(client->io);
	close(client->fd);
	free(client->in);
	free(client->out);
	free(client);
}

static bool is_privileged(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

bool server_may_change(const struct server_client *client)
{
	return is_privileged(client->uid);
}

uid_t server_uid(const struct server_client *client)
{
	return client->uid;
}

static bool is_idle(const struct server_client *client)
{
	return !client->called && !client->in_len && !client->out;
}

/* ---- waiting ---- */

static void arm_timer(struct server *c)
{
	uint64_t deadline_usec = c->accept_usec;

	for (struct server_client *client = c->oldest; client; client = client->next) {
		util_earlier(&deadline_usec, client->peer_usec);
		util_earlier(&deadline_usec, client->wait_usec);
	}
	if (deadline_usec)
		(void)sd_event_source_set_time(c->timer, deadline_usec);
	(void)sd_event_source_set_enabled(c->timer, deadline_usec ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static void make_ready(struct server_client *client)
{
	client->ready = true;
	(void)sd_event_source_set_enabled(client->server->work, SD_EVENT_ONESHOT);
}

/* After each step: chooses what to wait for, or disconnects. */
static void settle_client(struct server_client *client)
{
	uint32_t events = 0;

	if (!client->doomed && client->eof && !client->called && !client->out && !client->message_len)
		client->doomed = true;
	if (client->doomed) {
		struct server *c = client->server;

		drop_client(client);
		arm_timer(c);
		return;
	}
	if (client->out)
		events = EPOLLOUT;
	else if (!client->called && client->message_len)
		make_ready(client);
	else if (!client->called)
		events = EPOLLIN;
	(void)sd_event_source_set_io_events(client->io, events);
	if (!client->out && (client->called || client->message_len || !client->in_len))
		client->peer_usec = 0;
	else if (!client->peer_usec)
		client->peer_usec = util_now_usec() + (client->out ? SERVER_READ_USEC : SERVER_MESSAGE_USEC);
	arm_timer(client->server);
}

/* ---- replies ---- */

/* Sends as much as the socket accepts. */
static void flush(struct server_client *client)
{
	while (client->out) {
		ssize_t n = send(client->fd, client->out + client->out_at,
			client->out_len - client->out_at, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			client->doomed = errno != EAGAIN;
			return;
		}
		client->peer_usec = 0;
		client->out_at += (size_t)n;
		if (client->out_at < client->out_len)
			continue;
		free(client->out);
		client->out = NULL;
	}
}

static void send_answer(
	struct server_client *client, const char *error, const struct json_writer *parameters, bool continues)
{
	if (!continues) {
		client->ended = true;
		end_wait(client);
	}
	if (client->oneway || client->out) /* one reply in each step; a second one would need a queue */
		return;
	client->sent = true;
	client->out_at = 0;
	if (varlink_compose_reply(error, parameters, continues, &client->out, &client->out_len) < 0)
		client->doomed = true;
	else
		flush(client);
}

void server_reply(struct server_client *client, const struct json_writer *parameters, bool continues)
{
	send_answer(client, NULL, parameters, continues);
}

void server_error(struct server_client *client, const char *error, const struct json_writer *parameters)
{
	send_answer(client, error, parameters, false);
}

void server_wait(struct server_client *client, void *state, uint64_t deadline_usec)
{
	if (!client->state)
		client->server->waiting++;
	else if (client->state != state)
		free(client->state);
	client->state = state;
	client->wait_usec = deadline_usec;
}

void *server_state(const struct server_client *client)
{
	return client->state;
}

/* ---- calls ---- */

static void find_message(struct server_client *client)
{
	const char *end = client->in_len ? memchr(client->in, '\0', client->in_len) : NULL;

	client->message_len = end ? (size_t)(end - client->in) + 1 : 0;
	if (client->message_len > VARLINK_MESSAGE_MAX ||
		(!end && client->in_len >= VARLINK_MESSAGE_MAX))
		client->doomed = true;
}

static void take_message(struct server_client *client)
{
	client->in_len -= client->message_len;
	if (client->in_len) {
		memmove(client->in, client->in + client->message_len, client->in_len);
	} else {
		free(client->in);
		client->in = NULL;
		client->in_size = 0;
	}
	find_message(client);
}

static void handle_message(struct server_client *client)
{
	const struct server_handler *handler = &client->server->handler;
	struct varlink_call call;
	int r = varlink_call_decode(client->in, client->message_len - 1, &call);

	take_message(client);
	if (r < 0) {
		client->doomed = true;
		return;
	}
	client->called = true;
	client->ended = false;
	client->oneway = call.oneway;
	handler->call(client, &call, handler->userdata);
	varlink_call_clear(&call);
	/* the handler neither replied nor waits */
	if (!client->ended && !client->state)
		client->doomed = true;
}

static void step(struct server_client *client)
{
	const struct server_handler *handler = &client->server->handler;

	client->sent = false;
	if (client->called && !client->ended && !client->out)
		handler->resume(client, handler->userdata);
	else if (!client->called && client->message_len)
		handle_message(client);
	if (client->called && client->ended)
		client->called = client->out;
	else if (client->called && client->sent && !client->out)
		make_ready(client); /* sent completely: the next reply is another step */
	settle_client(client);
}

static int on_work(_unused_ sd_event_source *source, void *userdata)
{
	struct server *c = userdata;
	struct server_client *client = c->oldest;

	while (client && !client->ready)
		client = client->next;
	if (!client)
		return 0;
	client->ready = false;
	unlink_client(client); /* round robin */
	append_client(client);
	(void)sd_event_source_set_enabled(c->work, SD_EVENT_ONESHOT);
	step(client);
	return 0;
}

void server_wake(struct server *c)
{
	if (!c || !c->waiting)
		return;
	for (struct server_client *client = c->oldest; client; client = client->next)
		if (client->state && !client->out)
			make_ready(client);
}

/* ---- the socket ---- */

static int grow(struct server_client *client)
{
	size_t size = client->in_size ? client->in_size * 2 : READ_CHUNK;
	char *in;

	if (client->in_len < client->in_size)
		return 0;
	in = realloc(client->in, size);
	if (!in)
		return -ENOMEM;
	client->in = in;
	client->in_size = size;
	return 0;
}

/* One read, so that a fast sender cannot block the loop. */
static void receive(struct server_client *client)
{
	ssize_t n;

	if (grow(client) < 0) {
		client->doomed = true;
		return;
	}
	n = recv(client->fd, client->in + client->in_len, client->in_size - client->in_len, MSG_DONTWAIT);
	if (n < 0) {
		client->doomed = errno != EAGAIN && errno != EINTR;
		return;
	}
	if (n == 0) {
		client->eof = true;
		client->in_len = client->message_len ? client->in_len : 0;
		return;
	}
	client->in_len += (size_t)n;
	find_message(client);
}

static int on_client(
	_unused_ sd_event_source *source, _unused_ int fd, uint32_t revents, void *userdata)
{
	struct server_client *client = userdata;

	if ((revents & EPOLLIN) && !client->called && !client->out)
		receive(client);
	else if (revents & (EPOLLHUP | EPOLLERR))
		client->doomed = true;
	else if (revents & EPOLLOUT)
		flush(client);
	if (!client->out && client->called) {
		if (client->ended)
			client->called = false;
		else
			make_ready(client);
	}
	settle_client(client);
	return 0;
}

static void pause_accept(struct server *c, int error)
{
	uint64_t now_usec = util_now_usec();

	(void)sd_event_source_set_enabled(c->listener, SD_EVENT_OFF);
	c->accept_usec = now_usec + ACCEPT_PAUSE_USEC;
	arm_timer(c);
	if (now_usec < c->refused_usec || error == -EAGAIN || error == -EINTR)
		return;
	c->refused_usec = now_usec + REFUSED_USEC;
	if (c->handler.refused)
		c->handler.refused(error, c->handler.userdata);
}

static void resume_accept(struct server *c, uint64_t now_usec)
{
	if (c->accept_usec && c->accept_usec <= now_usec)
		c->accept_usec = sd_event_source_set_enabled(c->listener, SD_EVENT_ON) < 0 ? now_usec + ACCEPT_PAUSE_USEC : 0;
}

static int on_timer(_unused_ sd_event_source *source, uint64_t usec, void *userdata)
{
	struct server *c = userdata;

	resume_accept(c, usec);
	for (struct server_client *client = c->oldest, *next; client; client = next) {
		next = client->next;
		if (client->peer_usec && client->peer_usec <= usec) {
			drop_client(client);
		} else if (client->wait_usec && client->wait_usec <= usec) {
			client->wait_usec = 0;
			make_ready(client);
		}
	}
	arm_timer(c);
	return 0;
}

/* The longest idle client of a user, or with `any` of all unprivileged users. */
static struct server_client *find_idle(struct server *c, uid_t uid, bool any)
{
	for (struct server_client *client = c->oldest; client; client = client->next)
		if (is_idle(client) && (any ? !is_privileged(client->uid) : client->uid == uid))
			return client;
	return NULL;
}

static struct server_client *find_unprivileged(struct server *c)
{
	for (struct server_client *client = c->oldest; client; client = client->next)
		if (!is_privileged(client->uid))
			return client;
	return NULL;
}

static size_t count_of(const struct server *c, uid_t uid)
{
	size_t n = 0;

	for (struct server_client *client = c->oldest; client; client = client->next)
		n += client->uid == uid;
	return n;
}

/* Makes room for one more client; false: refuse it. Root is never refused because of other users. */
static bool make_room(struct server *c, uid_t uid)
{
	struct server_client *victim = NULL;

	if (!is_privileged(uid) && count_of(c, uid) >= SERVER_CLIENTS_PER_USER) {
		victim = find_idle(c, uid, false);
	} else if (c->n_clients >= SERVER_CLIENTS_MAX) {
		victim = find_idle(c, uid, true);
		if (!victim && is_privileged(uid))
			victim = find_unprivileged(c);
		if (!victim)
			victim = find_idle(c, uid, false);
	} else {
		return true;
	}
	if (victim)
		drop_client(victim);
	return victim;
}

static int add_client(struct server *c, int fd, uid_t uid)
{
	struct server_client *client = calloc(1, sizeof(*client));
	int r;

	if (!client)
		return -ENOMEM;
	client->server = c;
	client->fd = fd;
	client->uid = uid;
	r = sd_event_add_io(c->event, &client->io, fd, EPOLLIN, on_client, client);
	if (r >= 0)
		r = sd_event_source_set_priority(client->io, SERVER_PRIORITY);
	if (r < 0) {
		sd_event_source_unref(client->io);
		free(client);
		return r;
	}
	append_client(client);
	c->n_clients++;
	return 0;
}

static int on_connect(_unused_ sd_event_source *source, int fd, _unused_ uint32_t revents, void *userdata)
{
	struct server *c = userdata;
	struct ucred credentials;
	socklen_t len = sizeof(credentials);
	int client_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (client_fd < 0) {
		pause_accept(c, -errno);
		return 0;
	}
	if (getsockopt(client_fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) < 0 ||
		!make_room(c, credentials.uid) || add_client(c, client_fd, credentials.uid) < 0)
		close(client_fd);
	return 0;
}

/* Does a process listen on the socket? */
static bool is_alive(const struct sockaddr_un *address)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd >= 0 &&
		(connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN);
}

static int listen_on(struct server *c, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat st;
	int r;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	r = file_make_directory(path);
	if (r < 0)
		return r;
	if (lstat(path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode) || is_alive(&address))
			return -EADDRINUSE;
		if (unlink(path) < 0 && errno != ENOENT)
			return -errno;
	}
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0 || bind(c->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	if (chmod(path, 0666) < 0 || listen(c->fd, SOMAXCONN) < 0 || stat(path, &st) < 0) {
		r = -errno;
		unlink(path);
		return r;
	}
	c->device = st.st_dev;
	c->inode = st.st_ino;
	c->path = strdup(path);
	return c->path ? 0 : -ENOMEM;
}

static int add_sources(struct server *c)
{
	int r = sd_event_add_io(c->event, &c->listener, c->fd, EPOLLIN, on_connect, c);

	if (r >= 0)
		r = sd_event_source_set_priority(c->listener, SERVER_PRIORITY);
	if (r >= 0)
		r = sd_event_add_defer(c->event, &c->work, on_work, c);
	if (r >= 0)
		r = sd_event_source_set_priority(c->work, SERVER_PRIORITY);
	if (r >= 0)
		r = sd_event_source_set_enabled(c->work, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_time(c->event, &c->timer, CLOCK_MONOTONIC, 0, ACCURACY_USEC, on_timer, c);
	if (r >= 0)
		r = sd_event_source_set_priority(c->timer, SERVER_PRIORITY);
	if (r >= 0)
		r = sd_event_source_set_enabled(c->timer, SD_EVENT_OFF);
	return r;
}

int server_new(struct sd_event *event, const char *path, const struct server_handler *handler,
	struct server **ret)
{
	struct server *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->handler = *handler;
	c->event = sd_event_ref(event);
	c->fd = -1;
	r = listen_on(c, path);
	if (r >= 0)
		r = add_sources(c);
	if (r < 0) {
		server_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

static void remove_socket(const struct server *c)
{
	struct stat st;

	if (c->path && lstat(c->path, &st) == 0 && st.st_dev == c->device && st.st_ino == c->inode)
		unlink(c->path);
}

void server_free(struct server *c)
{
	if (!c)
		return;
	while (c->oldest)
		drop_client(c->oldest);
	sd_event_source_disable_unref(c->listener);
	sd_event_source_disable_unref(c->work);
	sd_event_source_disable_unref(c->timer);
	remove_socket(c);
	if (c->fd >= 0)
		close(c->fd);
	sd_event_unref(c->event);
	free(c->path);
	free(c);
}
