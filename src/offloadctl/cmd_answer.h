/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For commands that ask the running offloadd: a call, what came, and documents made of it. */
#ifndef OFFLOADD_CMD_ANSWER_H
#define OFFLOADD_CMD_ANSWER_H

#include "control/client.h"
#include "offloadctl/cmd.h"
#include "basic/json_value.h"

#define CMD_NO_ANSWER (-1) /* besides the exit codes */

#define _cleanup_client_ _cleanup_(client_close_pointer)

/* Members by name; "", 0, false or NULL where there is none. */
const char *answer_text(struct json_object *from, const char *key);
int64_t answer_int(struct json_object *from, const char *key);
bool answer_bool(struct json_object *from, const char *key);
struct json_object *answer_list(struct json_object *from, const char *key);
size_t answer_count(struct json_object *list); /* of NULL: 0 */
/* Names of features; those that this kernel has not are passed over. */
feature_set answer_features(
	struct json_object *from, const char *key, const struct feature_table *table);

/* Clean text in one of a few buffers that take turns. */
const char *answer_clean(const char *text);

/* Say it, and return the exit code. */
int cmd_not_running(const struct cmd_options *options);
int cmd_call_failed(const char *command, int error);
int cmd_answered_error(const char *command, const char *error, struct json_object *parameters);

/* Opens the socket; CMD_OK, CMD_NO_DAEMON (nothing was said), CMD_ERROR. */
int cmd_open_client(const struct cmd_options *options, const char *command, struct client **ret);
/* One call with one answer. CMD_OK with *ret_answer, CMD_NO_DAEMON when nothing was said, CMD_ERROR.
 * parameters are taken over. */
int cmd_ask(const struct cmd_options *options, const char *command, const char *method,
	struct json_object *parameters, uint64_t timeout_usec, struct json_object **ret_answer);

/* The same, but CMD_NO_ANSWER, and said, when offloadd is there and does not answer. */
int cmd_ask_or_tell(const struct cmd_options *options, const char *command, const char *method,
	struct json_object *parameters, uint64_t timeout_usec, struct json_object **ret_answer);

/* Begins a document of docs/schema: version, document, exit_code. The caller's to put. */
struct json_object *answer_new_document(const char *document, int exit_code);
/* Prints and puts it; returns the code. */
int answer_print_document(struct json_object *root, int code);
/* What was answered, as a document of its own. */
int answer_print(const char *document, struct json_object *answer, int code);

#endif
