/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of the Varlink protocol: JSON objects, each ended by a NUL byte. Decoding what a client sent,
 * composing what it gets. Pure. */
#ifndef OFFLOADD_VARLINK_H
#define OFFLOADD_VARLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "basic/json.h"

#define VARLINK_MESSAGE_MAX 65536 /* of a client, with its NUL */
#define VARLINK_NAME_MAX 128

struct varlink_call {
	char method[VARLINK_NAME_MAX]; /* "org.offloadd.GetStatus", only letters, digits, - and . */
	struct json_value *root; /* the call's own, that what follows is part of */
	const struct json_value *parameters; /* an object; NULL when there are none */
	bool more, oneway;
};

/* -EBADMSG for what is no call, -ENOMEM. */
int varlink_call_decode(const char *text, size_t len, struct varlink_call *ret);
void varlink_call_clear(struct varlink_call *call);

/* {"method": ..., "parameters": ..., "more": true} as text with its NUL, which *ret_len counts. parameters is an object, JSON_COMPACT;
 * NULL: none. 0 or -ENOMEM, also when that is the error of parameters. */
int varlink_compose_call(const char *method, const struct json_writer *parameters, bool more, char **ret, size_t *ret_len);
/* {"error": ..., "parameters": ..., "continues": true}. error NULL for a reply. */
int varlink_compose_reply(
	const char *error, const struct json_writer *parameters, bool continues, char **ret, size_t *ret_len);

#endif
