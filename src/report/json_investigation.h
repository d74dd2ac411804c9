/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What investigation.h holds, as documents (docs/schema/investigate.json), and back. */
#ifndef OFFLOADD_JSON_INVESTIGATION_H
#define OFFLOADD_JSON_INVESTIGATION_H

#include <stdio.h>

#include "evidence/diagnose.h"

/* One document and a newline. 0, -ENOMEM, -EIO. */
int json_write_investigation(FILE *out, const struct investigation *i,
	const struct diagnosis *diagnoses, size_t n);
/* Two of them side by side. */
int json_write_investigations(FILE *out, const struct investigation *a, const struct investigation *b,
	const char *a_name, const char *b_name);

/* What json_write_investigation() wrote. 0; -ENOENT when it is another document, -EBADMSG when it is a bad
 * one (why says how), -ENOMEM. Findings are not read: they follow from the rest. */
int json_read_investigation(
	const char *text, size_t len, struct investigation *ret, char *why, size_t why_size);

#endif
