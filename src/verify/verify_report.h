/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The result of `offloadctl verify`, as text and as a JSON document. All pointers are borrowed. */
#ifndef OFFLOADD_VERIFY_REPORT_H
#define OFFLOADD_VERIFY_REPORT_H

#include <stdio.h>

#include "verify/verify.h"

struct verify_report {
	const struct verify_result *result;
	const struct feature_table *features;
	const char *release;	  /* of the kernel */
	const char *link, *peer;  /* an interface and the address of the other host; peer NULL: this kernel was tested */
	const char *const *other; /* kinds of links that are asked for and not tested */
	size_t n_other;
	bool writes; /* the rule is written anyway */
	int exit_code;
};

/* Prints the verdict as a sentence, what is wrong, and what was not tested. Errors: ferror(out). */
void verify_report_text(FILE *out, const struct verify_report *report);
/* Writes one document and a newline. 0, -ENOMEM, -EIO. */
int verify_report_json(FILE *out, const struct verify_report *report);
/* Does the rule avoid every wrong case? It was tried. */
bool verify_is_avoidable(const struct verify_result *result);
/* Writes a rule that avoids wrong cases on this kernel, until 90 days after now_sec (time_t). result->rule is not 0. *ret is the
 * caller's to free. 0 or -ENOMEM. */
int verify_report_rule(const struct verify_result *result, const struct feature_table *features, const char *release, int64_t now_sec,
	char **ret);

#endif
