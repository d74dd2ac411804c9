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
 * A method answers its client exactly once, now or, when it called method_begin(), later. An answer for which memory ran out lacks members. */
#ifndef OFFLOADD_METHODS_PRIVATE_H
#define OFFLOADD_METHODS_PRIVATE_H

#include "basic/json_value.h"
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

void method_get_info(struct methods *m, struct server_client *client, const struct varlink_call *call);
void method_get_description(struct methods *m, struct server_client *client, const struct varlink_call *call);
void method_get_status(struct methods *m, struct server_client *client, const struct varlink_call *call);
void method_get_metrics(struct methods *m, struct server_client *client, const struct varlink_call *call);
void method_get_services(struct methods *m, struct server_client *client, const struct varlink_call *call);
void method_get_plan(struct methods *m, struct server_client *client, const struct varlink_call *call);
void method_get_events(struct methods *m, struct server_client *client, const struct varlink_call *call);
void method_wait_online(struct methods *m, struct server_client *client, const struct varlink_call *call);
void method_reload(struct methods *m, struct server_client *client, const struct varlink_call *call);
void method_pause(struct methods *m, struct server_client *client, const struct varlink_call *call);
void method_resume(struct methods *m, struct server_client *client, const struct varlink_call *call);
void method_revert(struct methods *m, struct server_client *client, const struct varlink_call *call);

/* ---- answers: each ends the call; parameters are taken over ---- */

void method_reply(struct server_client *client, struct json_object *parameters);
/* An error of that name, with one parameter, or none when key is NULL. */
void method_fail(struct server_client *client, const char *error, const char *key, const char *text);
void method_invalid(struct server_client *client, const char *parameter);
/* error: negative errno. */
void method_not_possible(struct server_client *client, int error);
/* With the nearest name that there is. */
void method_no_such_link(struct methods *m, struct server_client *client, const char *name);

/* ---- answers that go on ---- */

/* The caller's to free until method_begin(). NULL when memory ran out and the client heard it. */
struct open_call *method_new_open_call(struct server_client *client, const struct varlink_call *call);
/* Takes it over, and has its first piece sent now, if there is one. */
void method_begin(struct methods *m, struct server_client *client, struct open_call *open);

/* ---- parameters ---- */

/* The link of "link", borrowed. NULL when the client heard what is wrong, or when it is not given and need
 * not be (*ret_absent; NULL: it must be given). */
const struct link *method_get_link(struct methods *m, struct server_client *client,
	const struct varlink_call *call, bool *ret_absent);
/* Takes "links" into open; false when the client heard what is wrong. */
bool method_take_links(struct server_client *client, const struct varlink_call *call, struct open_call *open);
/* Is it one of those? */
bool method_is_asked(const struct open_call *open, const struct link *link);

/* ---- pieces of answers: new ones are the caller's to put ---- */

/* Text from outside, cleaned; "" gives null. */
void method_add_text(struct json_object *to, const char *key, const char *text);
/* A link's name, of LINK_NAME_LEN bytes. */
void method_add_name(struct json_object *to, const char *key, const char *name);
struct json_object *method_new_features(const struct feature_table *table, feature_set set);
struct json_object *method_new_errors(const struct rule_set *set);
struct json_object *method_new_link(const char *name, int ifindex);
struct json_object *method_new_standing(const char *name, int ifindex, const char *verdict);
/* Those that are not compliant, of the links that a call asks for; open NULL: of all. At most
 * METHODS_LIST_MAX. */
struct json_object *method_new_standings(
	struct methods *m, const struct reconcile_stands *stands, const struct open_call *open);

#endif
