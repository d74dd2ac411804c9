/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The result of `offloadctl path` as text and as JSON. */
#ifndef OFFLOADD_TRACE_REPORT_H
#define OFFLOADD_TRACE_REPORT_H

#include "path/trace.h"
#include "plan/explain.h"
#include "report/render.h"

#define TRACE_REMOTES_MAX 4
#define TRACE_SERVICES_MAX 8

enum trace_asked { TRACE_ASKED_INTERFACE, TRACE_ASKED_UNIT, TRACE_ASKED_ADDRESS };

/* One trace, and the packets that take it. */
struct trace_item {
	struct trace trace;
	struct socket_info remotes[TRACE_REMOTES_MAX]; /* TRACE_ASKED_ADDRESS, _UNIT: the first destinations, of n_remotes */
	size_t n_remotes;
};

/* Why a feature is missing at a hop. */
struct trace_chain {
	const struct link *link;
	struct explanation explanation;
};

struct trace_report {
	enum trace_asked asked;
	const char *name; /* as on the command line */
	struct trace_item *items;
	size_t n_items;
	size_t unrouted; /* connections of the unit that no route was found for */
	const char *sockets; /* where the connections of the unit were read: "iterator", "procfs"; NULL: not a unit */
	const char *sockets_why; /* why the iterator was not used; NULL if it was */
	const struct evidence *evidence; /* NULL: offloadd is not running */
	const char *services[TRACE_SERVICES_MAX + 1]; /* of the unit, whose hits count; ends with NULL */
	struct trace_chain *chains;
	size_t n_chains;
};

/* The worst verdict; TRACE_UNKNOWN without traces. *ret (may be NULL): the item that it is from, NULL if there is none. */
enum trace_verdict trace_report_verdict(const struct trace_report *report, const struct trace_item **ret);

/* Does offloadd count all segmentation and checksums, so that a hop without hits has none? */
bool trace_report_is_counted(const struct trace_report *report);

/* 0 or negative errno. exit_code: of the command. */
int trace_report_text(const struct render *r, const struct view *view, const struct trace_report *report);
int trace_report_json(FILE *out, const struct view *view, const struct trace_report *report, int exit_code);

#endif
