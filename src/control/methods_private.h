/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the methods of the control socket.
 *
 *   methods.c           the table of methods, permissions, the latest events
 *   methods_answer.c    parameters, errors, parts of replies
 *   methods_describe.c  the description of the interface
 *   methods_read.c      status, plan, services, metrics
 *   methods_wait.c      calls that wait: events, and links that match the rules
 *   methods_change.c    reload, pause, resume, revert
 *
 * A method replies exactly once, before it returns or, after method_begin(), later. */
#ifndef OFFLOADD_METHODS_PRIVATE_H
#define OFFLOADD_METHODS_PRIVATE_H

#include "basic/json.h"
#include "control/methods.h"
#include "basic/util.h"

struct kept_event {
	uint64_t number, time_usec; /* CLOCK_REALTIME */
	struct finding event;
};

struct methods {
	struct methods_host host;
	uint64_t last_number;
	struct kept_event events[METHODS_EVENTS]; /* number n at n % METHODS_EVENTS */
};

/* The parameters of a call; the tables in methods.c list those of each method. */
struct method_arguments {
	const char *link, *interface;	/* NULL: omitted */
	const struct json_value *links; /* a list of texts; NULL: all */
	int64_t seconds; /* -1: omitted */
	int64_t after;
	bool follow;
	bool more; /* the client accepts several replies */
};

/* A call that is answered later, or by several replies. server_wait() takes ownership. */
struct open_call {
	void (*resume)(struct methods *m, struct server_client *client, struct open_call *open);
	uint64_t asked_usec; /* CLOCK_MONOTONIC */
	uint64_t cursor; /* number of the last event, or ifindex of the last link, that was sent */
	bool more, follow;
	uint64_t deadline_usec; /* CLOCK_MONOTONIC, 0 for none */
	size_t n_links; /* 0: all */
	char links[METHODS_LIST_MAX][LINK_NAME_LEN];
};

/* ---- methods: methods_describe.c has their parameters and replies ---- */

void method_get_info(struct methods *m, struct server_client *client, const struct method_arguments *args);
void method_get_description(struct methods *m, struct server_client *client, const struct method_arguments *args);
void method_get_status(struct methods *m, struct server_client *client, const struct method_arguments *args);
void method_get_metrics(struct methods *m, struct server_client *client, const struct method_arguments *args);
void method_get_services(struct methods *m, struct server_client *client, const struct method_arguments *args);
void method_get_plan(struct methods *m, struct server_client *client, const struct method_arguments *args);
void method_get_events(struct methods *m, struct server_client *client, const struct method_arguments *args);
void method_wait_online(struct methods *m, struct server_client *client, const struct method_arguments *args);
void method_reload(struct methods *m, struct server_client *client, const struct method_arguments *args);
void method_pause(struct methods *m, struct server_client *client, const struct method_arguments *args);
void method_resume(struct methods *m, struct server_client *client, const struct method_arguments *args);
void method_revert(struct methods *m, struct server_client *client, const struct method_arguments *args);

/* ---- replies: each ends the call ---- */

/* Begins a reply; the caller releases w with _cleanup_json_writer_. */
void method_open(struct json_writer *w);
/* Ends the reply and sends it. w: NULL for an empty one. continues: more replies follow. */
void method_reply(struct server_client *client, struct json_writer *w, bool continues);
/* Replies with an error and one parameter, or none if key is NULL. */
void method_fail(struct server_client *client, const char *error, const char *key, const char *text);
void method_invalid(struct server_client *client, const char *parameter);
/* error: negative errno. */
void method_not_possible(struct server_client *client, int error);
/* NoSuchLink with the most similar name. */
void method_no_such_link(struct methods *m, struct server_client *client, const char *name);

/* ---- calls that wait ---- */

/* A new call with the links of args. The caller frees it until method_begin(). NULL: an error was sent. */
struct open_call *method_new_open_call(struct server_client *client, const struct method_arguments *args);
/* Takes ownership of open, and sends its first reply if there is one. */
void method_begin(struct methods *m, struct server_client *client, struct open_call *open);

/* ---- parameters ---- */

/* The link of a name, borrowed. NULL: there is none, and NoSuchLink was sent. */
const struct link *method_get_link(struct methods *m, struct server_client *client, const char *name);
/* Did the call ask for this link, or for all? */
bool method_is_asked(const struct open_call *open, const struct link *link);

/* ---- parts of replies ---- */

/* The name of a link (at most LINK_NAME_LEN bytes); "": null. */
void method_add_name(struct json_writer *w, const char *key, const char *name);
/* An object with link and ifindex; the caller closes it. */
void method_open_link(struct json_writer *w, const char *name, int ifindex);
/* counts: of its features by verdict. */
void method_add_link_verdict(struct json_writer *w, const char *name, int ifindex, const char *verdict,
	const size_t counts[VERDICT_COUNT]);
/* Adds the links that are not compliant, of those that a call asks for (open NULL: of all), at most METHODS_LIST_MAX. Returns their
 * number. */
size_t method_add_noncompliant(struct json_writer *w, struct methods *m, const struct open_call *open);

#endif
