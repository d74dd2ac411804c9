/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A Varlink server (varlink.org) on a unix stream socket, in the event loop of the daemon at the lowest priority. It has the
 * connections, their limits and messages; a handler has the methods.
 *
 * A client uses bounded memory, and one step of work at a time: one message, or one reply. Then everything more urgent runs. At most
 * one reply is sent before the client has read the previous one. */
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
#define SERVER_CLIENTS_PER_USER 16 /* except root and the user of the daemon */
#define SERVER_MESSAGE_USEC (UINT64_C(5) * 1000 * 1000) /* from the first byte of a message to its last */
#define SERVER_READ_USEC (UINT64_C(30) * 1000 * 1000) /* for a client to read some of a reply */

struct sd_event;
struct server;
struct server_client;

struct server_handler {
	/* Handles a call: replies by server_reply() or server_error(), or calls server_wait() to reply later. call: borrowed. */
	void (*call)(struct server_client *client, const struct varlink_call *call, void *userdata);
	/* Sends the next reply of a waiting call, if there is one. Called after the previous reply was sent, after server_wake(), and
	 * after the deadline. */
	void (*resume)(struct server_client *client, void *userdata);
	/* accept(2) failed (error: negative errno); clients wait until it succeeds. At most once a minute. May be NULL. */
	void (*refused)(int error, void *userdata);
	void *userdata;
};

/* Listens on path, replacing a socket without a listener. handler: copied. *ret: released by server_free(). 0; -EADDRINUSE: another
 * process listens there; other negative errno. */
int server_new(struct sd_event *event, const char *path, const struct server_handler *handler,
	struct server **ret);
void server_free(struct server *c);

/* Makes the server call resume() for every waiting call. c: may be NULL. */
void server_wake(struct server *c);
/* Is the client root, or the user of the daemon? By SO_PEERCRED, see unix(7). */
bool server_may_change(const struct server_client *client);
uid_t server_uid(const struct server_client *client);

/* Sends a reply or an error. parameters: an object in JSON_COMPACT, borrowed; NULL for none. If it has an error (-ENOMEM), the client
 * is disconnected. continues: more replies follow, by resume(). Nothing is sent for a oneway call. */
void server_reply(struct server_client *client, const struct json_writer *parameters, bool continues);
void server_error(struct server_client *client, const char *error, const struct json_writer *parameters);

/* Makes the call wait. deadline_usec: CLOCK_MONOTONIC, 0 for none. state: for the handler; released by free() when the call ends. */
void server_wait(struct server_client *client, void *state, uint64_t deadline_usec);
void *server_state(const struct server_client *client);

#endif
