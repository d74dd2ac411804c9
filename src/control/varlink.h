/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of the Varlink protocol: JSON objects, each ended by a NUL byte. Decoding what a client sent,
 * composing what it gets. Pure. */
#ifndef OFFLOADD_VARLINK_H
#define OFFLOADD_VARLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VARLINK_MESSAGE_MAX 65536 /* of a client, with its NUL */
#define VARLINK_NAME_MAX 128
#define VARLINK_DEPTH_MAX 8

struct json_object;

struct varlink_call {
	char method[VARLINK_NAME_MAX];	/* "org.offloadd.GetStatus", only letters, digits, - and . */
	struct json_object *parameters; /* an object; NULL when there are none */
	bool more, oneway;
};

/* -EBADMSG for what is no call, -ENOMEM. */
int varlink_call_decode(const char *text, size_t len, struct varlink_call *ret);
void varlink_call_clear(struct varlink_call *call);

/* Parameters by type: 1 when given, 0 when absent or null, -EINVAL when it is something else. Strings stay
 * the call's. */
int varlink_get_string(const struct varlink_call *call, const char *name, const char **ret);
int varlink_get_int(const struct varlink_call *call, const char *name, int64_t least, int64_t most,
	int64_t *ret);
int varlink_get_bool(const struct varlink_call *call, const char *name, bool *ret);
/* A list of strings: the number of them at *ret_n, and each by varlink_get_item(). */
int varlink_get_list(const struct varlink_call *call, const char *name, size_t *ret_n);
const char *varlink_get_item(const struct varlink_call *call, const char *name, size_t i);
/* The first parameter that is not among the names (NULL-terminated); NULL when all are. */
const char *varlink_unknown_parameter(const struct varlink_call *call, const char *const *names);

/* {"error": ..., "parameters": ..., "continues": true} as text with its NUL, *ret_len counts it. error NULL
 * for a reply. parameters (NULL: none) is taken over in any case. 0 or -ENOMEM. */
int varlink_compose(const char *error, struct json_object *parameters, bool continues, char **ret,
	size_t *ret_len);

#endif
