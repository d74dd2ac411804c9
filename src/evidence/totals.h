/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the probes found, summed up for those who show numbers. The lists and texts belong to who filled it in, and hold until it is
 * filled in again. */
#ifndef OFFLOADD_TOTALS_H
#define OFFLOADD_TOTALS_H

#include "basic/histogram.h"

/* What the probes found. A list that is NULL was not looked for and gives no metric. */
struct totals_fallback {
	const char *kind, *link, *service; /* "" where it is not known */
	uint64_t hits;
};
struct totals_stale {
	const char *service, *link;
	uint64_t sockets;
};
struct totals_probe {
	const char *name, *function;
	const char *method, *why; /* NULL: method of one that is absent, why of one that runs */
};
struct totals_lost {
	const char *kind;
	uint64_t hits;
};
#define TOTALS_KINDS 4
struct totals {
	const struct totals_fallback *fallback;
	size_t n_fallback;
	const struct totals_stale *stale;
	size_t n_stale;
	const char *const *restart; /* services flagged for restart */
	size_t n_restart;
	const struct histogram *sendfile;
	const struct totals_probe *probes;
	size_t n_probes;
	size_t left_out; /* of fallback and stale, besides what the reader leaves out */
	struct totals_lost lost[TOTALS_KINDS]; /* hits of which only the kind is known; kind NULL ends */
};

#endif
