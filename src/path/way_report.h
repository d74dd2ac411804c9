/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The result of `offloadctl path` as text and as JSON. */
#ifndef OFFLOADD_WAY_REPORT_H
#define OFFLOADD_WAY_REPORT_H

#include "path/way.h"
#include "plan/explain.h"
#include "report/render.h"

#define WAY_REMOTES_MAX 4
#define WAY_SERVICES_MAX 8

enum way_asked { WAY_ASKED_INTERFACE, WAY_ASKED_UNIT, WAY_ASKED_ADDRESS };

/* One way, and the packets that take it. */
struct way_item {
	struct way way;
	struct socket_info remotes[WAY_REMOTES_MAX]; /* WAY_ASKED_ADDRESS, _UNIT: the first destinations, of n_remotes */
	size_t n_remotes;
};

/* Why a feature is missing at a hop. */
struct way_chain {
	const struct link *link;
	struct explanation explanation;
};

struct way_report {
	enum way_asked asked;
	const char *name; /* as on the command line */
	struct way_item *items;
	size_t n_items;
	size_t unrouted; /* connections of the unit that no route was found for */
	const char *sockets; /* where the connections of the unit were read: "iterator", "procfs"; NULL: not a unit */
	const char *sockets_why; /* why the iterator was not used; NULL if it was */
	const struct evidence *evidence; /* NULL: offloadd is not running */
	const char *services[WAY_SERVICES_MAX + 1]; /* of the unit, whose hits count; ends with NULL */
	struct way_chain *chains;
	size_t n_chains;
};

/* The worst verdict; WAY_UNKNOWN without ways. *ret (may be NULL): the item that it is from, NULL if there is none. */
enum way_verdict way_report_verdict(const struct way_report *report, const struct way_item **ret);

/* 0 or negative errno. exit_code: of the command. */
int way_report_text(const struct render *r, const struct view *view, const struct way_report *report);
int way_report_json(FILE *out, const struct view *view, const struct way_report *report, int exit_code);

#endif
