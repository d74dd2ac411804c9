/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For commands that ask the running offloadd: a call, what came, and documents made of it. */
#ifndef OFFLOADD_CMD_ANSWER_H
#define OFFLOADD_CMD_ANSWER_H

#include "control/client.h"
#include "offloadctl/cmd.h"
#include "basic/json.h"

#define CMD_NO_REPLY (-1) /* besides the exit codes */

#define _cleanup_client_ _cleanup_(client_close_pointer)

/* Clean text in one of a few buffers that take turns. */
const char *answer_clean(const char *text);

/* Say it, and return the exit code. */
int cmd_not_running(const struct cmd_options *options);
int cmd_call_failed(const char *command, int error);
int cmd_answered_error(const char *command, const char *error, const struct json_value *parameters);

/* Opens the socket; CMD_OK, CMD_NO_DAEMON (nothing was said), CMD_ERROR. */
int cmd_open_client(const struct cmd_options *options, const char *command, struct client **ret);
/* One call with one answer, parameters as client_call() takes them. CMD_OK with *ret_answer, CMD_NO_DAEMON when nothing was said,
 * CMD_ERROR. */
int cmd_call(const struct cmd_options *options, const char *command, const char *method,
	const struct json_writer *parameters, uint64_t timeout_usec, struct json_value **ret_answer);

/* The same, but CMD_NO_REPLY, and said, when offloadd is there and does not answer. */
int cmd_try_call(const struct cmd_options *options, const char *command, const char *method,
	const struct json_writer *parameters, uint64_t timeout_usec, struct json_value **ret_answer);

/* Begins a document of docs/schema: version, document, exit_code. */
void answer_begin(struct json_writer *w, const char *document, int exit_code);
/* Prints it; returns the code. */
int answer_print_document(struct json_writer *w, int code);
/* What was answered, as a document of its own. */
int answer_print(const char *document, const struct json_value *answer, int code);

#endif
