/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one place where findings, diagnoses, causes and advice become text: one sentence for each code. Pure. */
#ifndef OFFLOADD_CATALOG_H
#define OFFLOADD_CATALOG_H

#include "evidence/diagnose.h"
#include "model/feature.h"
#include "model/finding.h"
#include "plan/explain.h"

/* Indexes of sentences. */
#define CATALOG_CAUSE(cause) ((size_t)FINDING_CODES + (size_t)(cause))
#define CATALOG_ADVICE(advice) (CATALOG_CAUSE(CAUSE_COUNT) + (size_t)(advice))
/* Of diagnoses: what happens per second (segmented, checksums, copies), and what could not be observed. */
#define CATALOG_RATE(rate) (CATALOG_ADVICE(ADVICE_COUNT) + (size_t)(rate))
#define CATALOG_RATES 4
#define CATALOG_UNSEEN(unseen) (CATALOG_RATE(CATALOG_RATES) + (size_t)(unseen))
/* Of a comparison: what is compared, and why it cannot be compared. */
#define CATALOG_MEASURE(measure) (CATALOG_UNSEEN(DIAGNOSIS_UNSEEN) + (size_t)(measure))
#define CATALOG_DIFFERENCE(difference) (CATALOG_MEASURE(INVESTIGATION_MEASURES) + (size_t)(difference))
/* Of software fallback: its reason, if that is not a feature or a stale connection, and what ends it. */
#define CATALOG_WHY(reason) (CATALOG_DIFFERENCE(INVESTIGATION_DIFFERENCES) + (size_t)(reason))
#define CATALOG_REMEDY(remedy) (CATALOG_WHY(FALLBACK_REASONS) + (size_t)(remedy))
#define CATALOG_UNKNOWN(unknown) (CATALOG_REMEDY(REMEDY_COUNT) + (size_t)(unknown))
#define CATALOG_SENTENCES CATALOG_UNKNOWN(FINDING_UNKNOWNS)
#define CATALOG_TEXT_MAX 1024 /* bytes that are enough for any sentence */

/* The remedy for stale connections, the same everywhere. */
#define CATALOG_RECONNECT(service) "over IPv4 run: sysctl net.ipv4.route.flush=1 (closes no connection); otherwise restart " service

/* All functions write at most size bytes with the NUL, truncate longer text, and return buf. table: names the features. */

/* A finding as one line, as in MESSAGE= of the journal. */
const char *catalog_format(const struct finding *f, const struct feature_table *table, char *buf, size_t size);

/* A diagnosis of `offloadctl investigate`, with its numbers. table: the features of its evidence. */
const char *catalog_diagnosis(const struct diagnosis *d, const struct feature_table *table, char *buf, size_t size);

/* How the fallback of a row ends: the same sentence as in its event and its diagnosis. */
const char *catalog_remedy(const struct evidence_fallback *row, const struct feature_table *table, char *buf, size_t size);
/* Who sends: a service, "a process outside any service", "forwarded traffic", "the kernel". Owned by row, or static. */
const char *catalog_sender(const struct evidence_fallback *row);

/* What two investigations are compared by: "sendfile median, files.service", "tcp_push_one per second". */
const char *catalog_metric(const struct investigation_metric *m, char *buf, size_t size);
/* Why the two numbers are not comparable; NULL if they are. Static. */
const char *catalog_difference(const struct investigation_metric *m);

/* The reason of a finding for programs: names of causes with link and feature ("lower-off bond0 tx-scatter-gather, needs
 * tx-scatter-gather"), kind and reason of fallback, why an effect is unknown, or an error message; "" if there is none. */
const char *catalog_reason(const struct finding *f, const struct feature_table *table, char *buf, size_t size);

/* The cause of an item's verdict; "" if it is compliant. bit: a feature to refer to as "it", because the text before names it;
 * FEATURE_MAX: none. */
const char *catalog_item(const struct feature_table *table, const struct plan_link *pl, const struct plan_item *item,
	unsigned bit, char *buf, size_t size);

/* One step of an explanation. bit: as above. */
const char *catalog_step(const struct feature_table *table, const struct explanation *e, const struct cause_step *step,
	unsigned bit, char *buf, size_t size);

/* The advice of an explanation; "" if there is none. */
const char *catalog_advice(const struct feature_table *table, const struct explanation *e, char *buf, size_t size);

/* For tests: replaces all CATALOG_SENTENCES sentences; NULL restores them. sentences: borrowed. */
void catalog_replace(const char *const *sentences);

#endif
