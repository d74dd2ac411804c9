/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of an investigation: its diagnoses, and what two of them are compared by. */
#ifndef OFFLOADD_INVESTIGATION_TEXT_H
#define OFFLOADD_INVESTIGATION_TEXT_H

#include "evidence/diagnose.h"

#define DIAGNOSIS_TEXT_LEN 1024
#define METRIC_TEXT_LEN (UNIT_SERVICE_LEN + 32)

/* These return buf. */
const char *diagnosis_format(
	const struct diagnosis *d, const struct feature_table *features, char buf[DIAGNOSIS_TEXT_LEN]);
/* "sendfile median, files.service", "tcp_push_one a second". */
const char *metric_format(const struct investigation_metric *m, char buf[METRIC_TEXT_LEN]);

/* NULL for INVESTIGATION_SAME. */
const char *metric_difference(const struct investigation_metric *m);

#endif
