/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the methods of the control socket share.
 *
 *   methods.c           the table, who may call what, the events that are kept
 *   methods_answer.c    parameters, errors, pieces of answers
 *   methods_describe.c  the interface in Varlink's own words
 *   methods_read.c      status, plan, services, metrics
 *   methods_wait.c      what comes later: events, and links that match the rules
 *   methods_change.c    reload, pause, resume, revert
 *
 * A method answers its client exactly once, now or, when it called method_begin(), later. */
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

/* What a call gives its method; each method's table (methods.c) says which of it there may be. */
struct method_arguments {
	const char *link, *interface;	/* NULL: not given */
	const struct json_value *links; /* texts; NULL: all */
	int64_t seconds; /* -1: not given */
	int64_t after;
	bool follow;
	bool more; /* the client takes answers that go on */
};

/* An answer that goes on; control.c has it, and frees it. */
struct open_call {
	void (*resume)(struct methods *m, struct server_client *client, struct open_call *open);
	uint64_t cursor; /* number of the last event, or index of the last link, that was sent */
	bool more, follow;
	uint64_t deadline_usec; /* CLOCK_MONOTONIC, 0 for none */
	size_t n_links; /* 0: all */
	char links[METHODS_LIST_MAX][LINK_NAME_LEN];
};

/* ---- methods: see methods_describe.c for what they take and answer ---- */

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

/* ---- answers: each ends the call ---- */

/* Begins the members of an answer, which the caller has to clear. */
void method_open(struct json_writer *w);
/* Ends them and sends them, without them ({}) where w is NULL. continues: more is to come. */
void method_reply(struct server_client *client, struct json_writer *w, bool continues);
/* An error of that name, with one parameter, or none when key is NULL. */
void method_fail(struct server_client *client, const char *error, const char *key, const char *text);
void method_invalid(struct server_client *client, const char *parameter);
/* error: negative errno. */
void method_not_possible(struct server_client *client, int error);
/* With the nearest name that there is. */
void method_no_such_link(struct methods *m, struct server_client *client, const char *name);

/* ---- answers that go on ---- */

/* With "links". The caller's to free until method_begin(). NULL when the client heard what is wrong. */
struct open_call *method_new_open_call(struct server_client *client, const struct method_arguments *args);
/* Takes it over, and has its first piece sent now, if there is one. */
void method_begin(struct methods *m, struct server_client *client, struct open_call *open);

/* ---- parameters ---- */

/* The link of that name, borrowed. NULL when there is none and the client heard it. */
const struct link *method_get_link(struct methods *m, struct server_client *client, const char *name);
/* Is it one of those? */
bool method_is_asked(const struct open_call *open, const struct link *link);

/* ---- pieces of answers ---- */

/* A link's name, of LINK_NAME_LEN bytes; "" gives null. */
void method_add_name(struct json_writer *w, const char *key, const char *name);
/* An object with link and ifindex; the caller closes it. */
void method_open_link(struct json_writer *w, const char *name, int ifindex);
void method_add_link_verdict(struct json_writer *w, const char *name, int ifindex, const char *verdict);
/* Those that are not compliant, of the links that a call asks for; open NULL: of all. At most METHODS_LIST_MAX; how many. */
size_t method_add_noncompliant(struct json_writer *w, struct methods *m, const struct open_call *open);

#endif
