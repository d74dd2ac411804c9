/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known as Prometheus metrics: text in its exposition format. Pure: counting and writing what
 * the caller gathered. */
#ifndef OFFLOADD_METRICS_H
#define OFFLOADD_METRICS_H

#include "basic/histogram.h"
#include "evidence/evidence.h"
#include "model/event.h"
#include "model/link_state.h"
#include "rules/rule.h"

#define METRICS_SERIES_MAX 512 /* of one metric with a name in its labels; the rest is counted */

/* "Event seen" to "read back as declared". */
void metrics_reaction_init(struct histogram *ret);

/* What only a daemon knows: counted since its start. */
struct metrics_counts {
	uint64_t events[EVENT_KIND_COUNT];
	struct histogram reaction;
	uint64_t reconciles, sets, overruns;
	uint64_t hooks_sent, hooks_suppressed, hooks_failed;
	int64_t start_usec, last_reconcile_usec; /* CLOCK_REALTIME, 0 for never */
};

struct metrics {
	const struct metrics_counts *counts;	 /* NULL: no daemon */
	const struct evidence *evidence; /* NULL: no probes */
	bool stopped;				 /* the daemon is about to end */
	bool enforce;				 /* with counts only */
	size_t rule_errors;
	const size_t *settings_errors; /* NULL: offloadd.conf was not read */
	const char *netns; /* a label of every series; NULL for the namespace of PID 1 */
	const struct feature_table *features;
	const struct rule_set *rules;
	const struct rule_host *host;
	const struct link_table *links;	  /* stacked */
	const struct link_states *states; /* how they match the rules */
};

/* The text, the caller's to free. 0 or -ENOMEM. */
int metrics_format(const struct metrics *m, char **ret, size_t *ret_len);

/* What is left of a text whose daemon died without a word: the same with offloadd_up 0, or, when text is NULL or
 * none of ours, little more than that. 1; 0 when it says so already, and nothing is returned; -ENOMEM. */
int metrics_mark_stopped(const char *text, char **ret, size_t *ret_len);

#endif
