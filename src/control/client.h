/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls the offloadd of this network namespace over its control socket; one call at a time, blocking. */
#ifndef OFFLOADD_CLIENT_H
#define OFFLOADD_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "basic/util.h"
#include "control/varlink.h"

#define CLIENT_ANSWER_MAX (16 * 1024 * 1024)
#define CLIENT_ANSWER_USEC (UINT64_C(30) * 1000 * 1000) /* time for a busy daemon to reply */

#define CLIENT_HUNG_USEC (UINT64_C(3) * 1000 * 1000)   /* after this time without a reply, check whether it is stopped */

struct client;

/* path: of the socket, NULL for the default of this namespace. *ret: released by client_close(). 1; 0: offloadd is not running;
 * negative errno. */
int client_open(const char *path, struct client **ret);
void client_close(struct client *client);
CLEANUP_POINTER(struct client, client_close)

/* The PID of the daemon (SO_PEERCRED, see unix(7)); 0 if unknown. */
int client_pid(const struct client *client);

/* The user that the daemon ran as when it began to listen (SO_PEERCRED); (uid_t)-1 if unknown. */
uid_t client_uid(const struct client *client);

/* Sends a call. parameters: an object in JSON_COMPACT, NULL for none. more: the client accepts several replies. 0 or negative errno. */
int client_call(
	struct client *client, const char *method, const struct json_writer *parameters, bool more);

/* Receives the next reply within timeout_usec (0: no limit). *ret_parameters: an object or null, the caller frees it with json_free().
 * error: the name of the error, or "". 1: more replies follow; 0: the last one; negative errno (-ETIMEDOUT; -ECONNRESET: the daemon
 * closed the connection; -EBADMSG). */
int client_receive(struct client *client, uint64_t timeout_usec, struct json_value **ret_parameters,
	char error[VARLINK_NAME_MAX]);

#endif
