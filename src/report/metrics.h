/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Metrics in the Prometheus text format (prometheus.io/docs/instrumenting/exposition_formats). Pure: formats what the caller
 * has collected. */
#ifndef OFFLOADD_METRICS_H
#define OFFLOADD_METRICS_H

#include "basic/histogram.h"
#include "evidence/evidence.h"
#include "model/event.h"
#include "model/link_state.h"
#include "model/netns_status.h"
#include "rules/rule.h"

#define METRICS_SERIES_MAX 512 /* of a metric whose labels have names of links, rules or services; the rest is counted as omitted */
#define METRICS_BOUNDED 8      /* metrics with such labels */
#define METRICS_OTHER_MAX 256  /* all other series */

/* An empty histogram of the time from a kernel event to the verified repair. */
void metrics_reaction_init(struct histogram *ret);

/* What the daemon counts, since its start. */
struct metrics_counts {
	uint64_t events[EVENT_KIND_COUNT];
	struct histogram reaction;
	uint64_t reconciles, overruns;
	uint64_t sets, sets_drift; /* as in struct reconcile_counts */
	uint64_t uncertain_right, uncertain_wrong; /* as in struct reconcile_counts */
	uint64_t hooks_sent, hooks_suppressed, hooks_failed;
	uint64_t events_lost; /* not accepted by the journal */
	int64_t start_usec, last_reconcile_usec; /* CLOCK_REALTIME, 0 for never */
	bool has_textfile; /* these have it: */
	int64_t textfile_usec; /* CLOCK_REALTIME of the last write that did not fail, 0 for never */
	uint64_t textfile_errors;
};

struct metrics {
	const struct metrics_counts *counts;	 /* NULL: not written by the daemon */
	const struct histogram *drift;		 /* reconcile_drift(); NULL: not written by the daemon */
	const struct evidence *evidence; /* NULL: no probes */
	bool stopped;				 /* the daemon is exiting */
	bool enforce;				 /* used if there are counts */
	size_t rule_errors;
	const size_t *settings_errors; /* NULL: offloadd.conf was not read */
	const char *netns; /* adds this label to every series; NULL for the namespace of PID 1 */
	const struct feature_table *features;
	const struct rule_set *rules;
	const struct rule_host *host;
	const struct link_table *links;	  /* stacked, see link_table_stack() */
	const struct netns_statuses *namespaces; /* NULL: not written by the daemon */
	const struct link_states *states; /* with the results of the last reconcile */
};

/* Formats all metrics. *ret: text terminated by NUL, the caller frees it. *ret_len: without the NUL. 0 or -ENOMEM. */
int metrics_format(const struct metrics *m, char **ret, size_t *ret_len);

/* The metrics after the daemon has died: text with offloadd_up set to 0. If text is NULL or has no offloadd_up, a new text with
 * little else. *ret, *ret_len: as above. 1; 0: offloadd_up is 0 already, nothing is returned; -ENOMEM. */
int metrics_mark_stopped(const char *text, char **ret, size_t *ret_len);

#endif
