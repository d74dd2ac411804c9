/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The result of `offloadctl verify`, as text and as a JSON document. All pointers are borrowed. */
#ifndef OFFLOADD_VERIFY_REPORT_H
#define OFFLOADD_VERIFY_REPORT_H

#include <stdio.h>

#include "verify/verify.h"

/* Prints the verdict as a sentence, what is wrong, and what was not tested. other: kinds of links that are asked for and not tested,
 * n_other of them. release: of the kernel. writes: the rule is written anyway. Errors: ferror(out). */
void verify_report_text(FILE *out, const struct verify_result *result, const struct feature_table *features, const char *release,
	const char *const *other, size_t n_other, bool writes);
/* Writes one document and a newline. 0, -ENOMEM, -EIO. */
int verify_report_json(FILE *out, const struct verify_result *result, const struct feature_table *features, const char *release,
	const char *const *other, size_t n_other, int exit_code);
/* Does the rule avoid every wrong case? It was tried. */
bool verify_is_avoidable(const struct verify_result *result);
/* Writes a rule that avoids wrong cases on this kernel, until 90 days after now_sec (time_t). result->rule is not 0. *ret is the
 * caller's to free. 0 or -ENOMEM. */
int verify_report_rule(const struct verify_result *result, const struct feature_table *features, const char *release, int64_t now_sec,
	char **ret);

#endif
