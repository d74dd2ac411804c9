/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A Varlink server on a unix stream socket, on the daemon's loop, at the weakest priority. It knows connections, limits and messages;
 * what methods do is the handler's.
 *
 * A client costs bounded memory and one step of work at a time: one message, or one piece of an answer, then everything that is more
 * urgent has its turn. What is sent is never more than one answer ahead of what the client has read. */
#ifndef OFFLOADD_SERVER_H
#define OFFLOADD_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "control/varlink.h"

#define SERVER_DEFAULT_PATH "/run/offloadd/control"
#define SERVER_PRIORITY 20 /* of sd-event: after everything else */
#define SERVER_CLIENTS_MAX 64
#define SERVER_CLIENTS_PER_USER 16 /* of anyone but root and the daemon's own user */
#define SERVER_MESSAGE_USEC (UINT64_C(5) * 1000 * 1000) /* from a message's first byte to its last */
#define SERVER_READ_USEC (UINT64_C(30) * 1000 * 1000) /* for a client to read something of what it was sent */

struct sd_event;
struct server;
struct server_client;

struct server_handler {
	/* A call. It is to be answered by server_reply() or server_error(), now or later. */
	void (*call)(struct server_client *client, const struct varlink_call *call, void *userdata);
	/* The next piece of an answer that goes on: everything before was sent. Also after server_wake(), and when the deadline has passed.
	 * It may have nothing to send. */
	void (*resume)(struct server_client *client, void *userdata);
	void *userdata;
};

/* Listens on path; a socket that nobody listens on any more is replaced. -EADDRINUSE: somebody does; other
 * negative errno. */
int server_new(struct sd_event *event, const char *path, const struct server_handler *handler,
	struct server **ret);
void server_free(struct server *c);

/* Has every client that waits for more resumed. Cheap when there is none. */
void server_wake(struct server *c);
/* Root, or who the daemon runs as. */
bool server_may_change(const struct server_client *client);
uid_t server_uid(const struct server_client *client);

/* Answers; parameters is an object, JSON_COMPACT, and stays the caller's; NULL: none. Where memory ran out for it the client is dropped.
 * continues: more is to come, by resume. An answer to a oneway call is not sent. */
void server_reply(struct server_client *client, const struct json_writer *parameters, bool continues);
void server_error(struct server_client *client, const char *error, const struct json_writer *parameters);

/* Keeps the call open: resume is called when woken, or at the deadline (CLOCK_MONOTONIC, 0 for none). state
 * is the handler's, freed by free() when the call ends. */
void server_wait(struct server_client *client, void *state, uint64_t deadline_usec);
void *server_state(const struct server_client *client);

#endif
