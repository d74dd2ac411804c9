/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Investigations as JSON documents (docs/schema/investigate.json, diff-investigate.json), written and read. */
#ifndef OFFLOADD_JSON_INVESTIGATION_H
#define OFFLOADD_JSON_INVESTIGATION_H

#include <stdio.h>

#include "evidence/diagnose.h"

/* Writes one document and a newline. diagnoses: n of them, by diagnose(). 0, -ENOMEM, -EIO. */
int json_write_investigation(FILE *out, const struct investigation *i,
	const struct diagnosis *diagnoses, size_t n);
/* The same for the comparison of two. a_name, b_name: of their sources. */
int json_write_investigations(FILE *out, const struct investigation *a, const struct investigation *b,
	const char *a_name, const char *b_name);

/* Reads a document of json_write_investigation(). The diagnoses are not read, diagnose() makes them from the rest. ret: the caller
 * clears it with investigation_clear() after success. why: the reason of -EBADMSG. 0; -ENOENT: another document, or not JSON;
 * -EBADMSG: an invalid one; -ENOMEM. */
int json_read_investigation(
	const char *text, size_t len, struct investigation *ret, char *why, size_t why_size);

#endif
