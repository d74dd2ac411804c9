/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of an investigation: its diagnoses, and the metrics that compare two of them. Pure. */
#ifndef OFFLOADD_INVESTIGATION_TEXT_H
#define OFFLOADD_INVESTIGATION_TEXT_H

#include "evidence/diagnose.h"

#define DIAGNOSIS_TEXT_LEN 1024
#define METRIC_TEXT_LEN (UNIT_SERVICE_LEN + 32)

/* A diagnosis as one line with numbers and advice. features: names the bits of its sets. Returns buf. */
const char *diagnosis_format(
	const struct diagnosis *d, const struct feature_table *features, char buf[DIAGNOSIS_TEXT_LEN]);

/* The name of a metric: "sendfile median, files.service", "tcp_push_one per second". Returns buf. */
const char *metric_format(const struct investigation_metric *m, char buf[METRIC_TEXT_LEN]);

/* Why the two kernels count the metric differently, static; NULL if they do not (INVESTIGATION_SAME). */
const char *metric_difference(const struct investigation_metric *m);

#endif
