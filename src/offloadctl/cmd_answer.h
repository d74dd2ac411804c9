/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls to the running offloadd, and documents made of its replies. */
#ifndef OFFLOADD_CMD_ANSWER_H
#define OFFLOADD_CMD_ANSWER_H

#include "control/client.h"
#include "offloadctl/cmd.h"
#include "basic/json.h"

#define CMD_NO_REPLY (-1) /* not an exit code: offloadd is running but does not reply */

/* Exit codes of monitoring plugins. */
enum nagios { NAGIOS_OK, NAGIOS_WARNING, NAGIOS_CRITICAL, NAGIOS_UNKNOWN };

#define _cleanup_client_ _cleanup_(client_close_pointer)

/* Text without control characters, in one of four static buffers: valid until the fourth call after this one. */
const char *answer_clean(const char *text);

/* Print an error and return the exit code. error: negative errno, or the name of a Varlink error with its parameters. */
int cmd_not_running(const struct cmd_options *options);
int cmd_call_failed(const char *command, int error);
int cmd_answered_error(const char *command, const char *error, const struct json_value *parameters);

/* Connects. *ret: released by client_close(). CMD_OK; CMD_NO_DAEMON: not running, nothing printed; CMD_ERROR. */
int cmd_open_client(const struct cmd_options *options, const char *command, struct client **ret);
/* A call with one reply. command: for messages. parameters: as for client_call(). *ret_answer: parameters of the reply, the caller frees
 * them with json_free(). CMD_OK; CMD_NO_DAEMON: not running, nothing printed; CMD_ERROR. */
int cmd_call(const struct cmd_options *options, const char *command, const char *method,
	const struct json_writer *parameters, uint64_t timeout_usec, struct json_value **ret_answer);

/* The same, but CMD_NO_REPLY instead of CMD_ERROR after a timeout. */
int cmd_try_call(const struct cmd_options *options, const char *command, const char *method,
	const struct json_writer *parameters, uint64_t timeout_usec, struct json_value **ret_answer);

/* Prints the errors of this list, one a line. */
void answer_print_errors(const struct json_value *answer, const char *key);
/* Reads an object with the number of each verdict. */
void answer_read_verdicts(const struct json_value *o, const char *key, size_t counts[VERDICT_COUNT]);
/* Prints the links of this list with their features and verdicts, one a line. */
void answer_print_links(const struct json_value *answer, const char *key, const char *title);

/* Begins a document with version, document and exit_code. */
void answer_begin(struct json_writer *w, const char *document, int exit_code);
/* Prints the document. Returns code, or CMD_ERROR. */
int answer_print_document(struct json_writer *w, int code);
/* Prints the reply as a document. Returns code, or CMD_ERROR. */
int answer_print(const char *document, const struct json_value *answer, int code);

#endif
