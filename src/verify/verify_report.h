/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The result of `offloadctl verify`, as text and as a JSON document. All pointers are borrowed. */
#ifndef OFFLOADD_VERIFY_REPORT_H
#define OFFLOADD_VERIFY_REPORT_H

#include <stdio.h>

#include "verify/verify.h"

/* Prints the verdict as a sentence, what is wrong, and what was not tested. release: of the kernel. Errors: ferror(out). */
void verify_report_text(FILE *out, const struct verify_result *result, const struct feature_table *features, const char *release);
/* Writes one document and a newline. 0, -ENOMEM, -EIO. */
int verify_report_json(FILE *out, const struct verify_result *result, const struct feature_table *features, const char *release,
	int exit_code);
/* The culprits of all wrong cases together: turning them off avoids what is wrong. 0: there are none. */
feature_set verify_culprits(const struct verify_result *result);
/* Is every wrong case right without one of its culprits? */
bool verify_is_avoidable(const struct verify_result *result);
/* Writes a rule that turns the culprits off on this kernel, until 90 days after now_sec (time_t). *ret is the caller's to free. 0 or
 * -ENOMEM. */
int verify_report_rule(const struct verify_result *result, const struct feature_table *features, const char *release, int64_t now_sec,
	char **ret);

#endif
