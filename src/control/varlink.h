/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of the Varlink protocol (varlink.org): JSON objects, each terminated by a NUL byte. Pure. */
#ifndef OFFLOADD_VARLINK_H
#define OFFLOADD_VARLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "basic/json.h"

#define VARLINK_MESSAGE_MAX 65536 /* from a client, with the NUL */
#define VARLINK_NAME_MAX 128

struct varlink_call {
	char method[VARLINK_NAME_MAX]; /* "org.offloadd.GetStatus", only letters, digits, - and . */
	struct json_value *root; /* owned; parameters is part of it */
	const struct json_value *parameters; /* an object; NULL: none */
	bool more, oneway;
};

/* Decodes len bytes without the NUL. ret: released by varlink_call_clear() after success. 0; -EBADMSG: not a call; -ENOMEM. */
int varlink_call_decode(const char *text, size_t len, struct varlink_call *ret);
void varlink_call_clear(struct varlink_call *call);

/* Composes {"method": ..., "parameters": ..., "more": true}. parameters: an object in JSON_COMPACT, NULL for none. *ret: text with its
 * NUL, which *ret_len counts; the caller frees it. 0; -ENOMEM, which parameters may already have as its error. */
int varlink_compose_call(const char *method, const struct json_writer *parameters, bool more, char **ret, size_t *ret_len);
/* The same for {"error": ..., "parameters": ..., "continues": true}. error: NULL for a reply without error. */
int varlink_compose_reply(
	const char *error, const struct json_writer *parameters, bool continues, char **ret, size_t *ret_len);

#endif
