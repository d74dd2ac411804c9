/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/server.h"
#include "kernel/netns.h"
#include "basic/util.h"

struct client {
	int fd;
	char *in;
	size_t len, size;
};

void client_close(struct client *client)
{
	if (!client)
		return;
	if (client->fd >= 0)
		close(client->fd);
	free(client->in);
	free(client);
}

static struct ucred find_peer(const struct client *client)
{
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(peer);

	(void)getsockopt(client->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len);
	return peer;
}

int client_pid(const struct client *client)
{
	return find_peer(client).pid;
}

uid_t client_uid(const struct client *client)
{
	return find_peer(client).uid;
}

/* A blocking connect() waits while the backlog of the daemon is full, so limit it like a reply. */
static int connect_to(int fd, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timeval limit = { .tv_sec = CLIENT_ANSWER_USEC / USEC_PER_SEC };

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
		connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return 0;
}

int client_open(const char *path, struct client **ret)
{
	_cleanup_(client_close_pointer) struct client *client = calloc(1, sizeof(*client));
	_cleanup_free_ char *chosen = NULL;
	int r;

	*ret = NULL;
	if (!client)
		return -ENOMEM;
	client->fd = -1;
	if (!path)
		(void)netns_path(SERVER_DEFAULT_PATH, &chosen);
	if (!path && !chosen)
		return -ENOMEM;
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	r = client->fd < 0 ? -errno : connect_to(client->fd, path ? path : chosen);
	if (r == -ENOENT && !path && !netns_is_certain()) /* in a container, offloadd may see more than this process */
		r = connect_to(client->fd, SERVER_DEFAULT_PATH);
	if (r < 0)
		return r == -ENOENT || r == -ECONNREFUSED || r == -ENOTDIR ? 0 : r;
	*ret = client;
	client = NULL;
	return 1;
}

static int send_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

int client_call(
	struct client *client, const char *method, const struct json_writer *parameters, bool more)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = varlink_compose_call(method, parameters, more, &text, &len);

	return r < 0 ? r : send_all(client->fd, text, len);
}

static int wait_readable(const struct client *client, uint64_t deadline_usec)
{
	struct pollfd p = { .fd = client->fd, .events = POLLIN };
	uint64_t now_usec = util_now_usec();
	int left_msec = -1, n;

	if (deadline_usec)
		left_msec = now_usec >= deadline_usec
			? 0
			: (int)((deadline_usec - now_usec + USEC_PER_MSEC - 1) / USEC_PER_MSEC);
	n = poll(&p, 1, left_msec);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	return n == 0 ? -ETIMEDOUT : 0;
}

static int read_some(struct client *client)
{
	ssize_t n;

	if (client->len == client->size) {
		size_t size = client->size ? client->size * 2 : 16384;
		char *in = size > CLIENT_ANSWER_MAX ? NULL : realloc(client->in, size);

		if (!in)
			return size > CLIENT_ANSWER_MAX ? -EMSGSIZE : -ENOMEM;
		client->in = in;
		client->size = size;
	}
	n = recv(client->fd, client->in + client->len, client->size - client->len, 0);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -ECONNRESET;
	client->len += (size_t)n;
	return 0;
}

/* Reads until client->in begins with a complete message; *ret_len: with its NUL. 0 or negative errno. */
static int read_message(struct client *client, uint64_t timeout_usec, size_t *ret_len)
{
	uint64_t deadline_usec = timeout_usec ? util_now_usec() + timeout_usec : 0;
	size_t seen = 0;

	for (;;) {
		const char *end = client->len > seen
			? memchr(client->in + seen, '\0', client->len - seen)
			: NULL;
		int r;

		if (end) {
			*ret_len = (size_t)(end - client->in) + 1;
			return 0;
		}
		seen = client->len;
		r = wait_readable(client, deadline_usec);
		if (r >= 0)
			r = read_some(client);
		if (r < 0)
			return r;
	}
}

int client_receive(struct client *client, uint64_t timeout_usec, struct json_value **ret_parameters,
	char error[VARLINK_NAME_MAX])
{
	struct answer {
		char error[VARLINK_NAME_MAX];
		const struct json_value *parameters;
		bool continues;
	};
	static const struct json_field fields[] = {
		JSON_FIELD(struct answer, error, "error", JSON_NAME),
		JSON_FIELD(struct answer, parameters, "parameters", JSON_OBJECT),
		JSON_FIELD(struct answer, continues, "continues", JSON_BOOL),
		{ 0 },
	};
	char why[JSON_WHY_LEN];
	struct json_reader reader = { .why = why, .why_size = sizeof(why) };
	_cleanup_json_ struct json_value *root = NULL;
	struct answer answer = { 0 };
	size_t len;
	int r = read_message(client, timeout_usec, &len);

	error[0] = '\0';
	*ret_parameters = NULL;
	if (r >= 0) {
		r = json_parse(client->in, len - 1, JSON_OF_DAEMON, &root, why, sizeof(why));
		client->len -= len;
		memmove(client->in, client->in + len, client->len);
	}
	if (r >= 0)
		r = json_kind(root) == JSON_OBJECT ? json_read(&reader, root, fields, &answer) : -EBADMSG;
	if (r < 0)
		return r;
	memcpy(error, answer.error, sizeof(answer.error));
	json_keep(root, answer.parameters);
	*ret_parameters = root;
	root = NULL;
	return answer.continues;
}
