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
#include "basic/json_value.h"
#include "kernel/netns.h"
#include "basic/util.h"

#define ANSWER_DEPTH_MAX 16

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

int client_pid(const struct client *client)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(client->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ? 0 : peer.pid;
}

/* A daemon that has no room for one more waiting connection is not there for a blocking connect() either, so wait no longer than for
 * an answer. */
static int connect_to(int fd, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timeval patience = { .tv_sec = CLIENT_ANSWER_USEC / USEC_PER_SEC };

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
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
	struct client *client, const char *method, struct json_object *parameters, bool more)
{
	_cleanup_json_ struct json_object *call = json_object_new_object();
	const char *text;
	size_t len;

	json_object_object_add(call, "method", json_object_new_string(method));
	json_object_object_add(call, "parameters", parameters ? parameters : json_object_new_object());
	if (more)
		json_object_object_add(call, "more", json_object_new_boolean(true));
	text = json_object_to_json_string_length(call, JSON_C_TO_STRING_PLAIN, &len);
	return text ? send_all(client->fd, text, len + 1) : -ENOMEM;
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

/* 0 when a whole message begins client->in, *ret_len with its NUL. */
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

int client_receive(struct client *client, uint64_t timeout_usec, struct json_object **ret_parameters,
	char error[VARLINK_NAME_MAX])
{
	_cleanup_json_ struct json_object *root = NULL;
	struct json_object *value;
	size_t len;
	int r = read_message(client, timeout_usec, &len);

	error[0] = '\0';
	*ret_parameters = NULL;
	if (r >= 0) {
		r = json_value_parse(client->in, len - 1, ANSWER_DEPTH_MAX, &root);
		client->len -= len;
		memmove(client->in, client->in + len, client->len);
	}
	if (r < 0)
		return r;
	if (json_object_object_get_ex(root, "error", &value))
		util_copy_name(error, VARLINK_NAME_MAX, json_object_get_string(value),
			(size_t)json_object_get_string_len(value));
	if (json_object_object_get_ex(root, "parameters", &value) &&
		json_object_is_type(value, json_type_object))
		*ret_parameters = json_object_get(value);
	else
		*ret_parameters = json_object_new_object();
	return *ret_parameters ? json_object_object_get_ex(root, "continues", &value) &&
			json_object_get_boolean(value)
			       : -ENOMEM;
}
