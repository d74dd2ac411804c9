/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The other end of control.h: calls to the offloadd of this network namespace, one at a time, blocking. */
#ifndef OFFLOADD_CLIENT_H
#define OFFLOADD_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "basic/util.h"
#include "control/varlink.h"

#define CLIENT_ANSWER_MAX (16 * 1024 * 1024)
#define CLIENT_ANSWER_USEC (UINT64_C(30) * 1000 * 1000) /* what a daemon that is busy may take */

#define CLIENT_HUNG_USEC (UINT64_C(3) * 1000 * 1000)   /* after which it is looked at whether it was stopped */

struct client;

/* path NULL: the usual one of this namespace. 1, or 0 when nobody answers there; negative errno. */
int client_open(const char *path, struct client **ret);
void client_close(struct client *client);
CLEANUP_POINTER(struct client, client_close)

/* Who answers; 0 when that cannot be told. */
int client_pid(const struct client *client);

/* Sends a call; parameters is an object, JSON_COMPACT; NULL: none. 0 or negative errno. */
int client_call(
	struct client *client, const char *method, const struct json_writer *parameters, bool more);

/* The next answer, within timeout_usec (0: for ever). 1 when more is to come, 0 when it was the last,
 * negative errno (-ETIMEDOUT, -ECONNRESET when the daemon went away). *ret_parameters is an object (or
 * null), the caller's to free. error: "" or the error's name. */
int client_receive(struct client *client, uint64_t timeout_usec, struct json_value **ret_parameters,
	char error[VARLINK_NAME_MAX]);

#endif
