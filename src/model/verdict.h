/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verdict of a plan on a declared feature. */
#ifndef OFFLOADD_VERDICT_H
#define OFFLOADD_VERDICT_H

#include <stddef.h>

enum verdict {
	VERDICT_COMPLIANT,   /* matches the rule */
	VERDICT_DRIFTED,     /* a step repairs it */
	VERDICT_BLOCKED,     /* requested, and a known cause prevents it */
	VERDICT_UNSUPPORTED, /* the device, driver or kernel does not provide it */
	VERDICT_REFUSED,     /* the kernel returned an error when setting or reading it */
	VERDICT_CONTENDED,   /* another program keeps reverting it */
	VERDICT_PAUSED,      /* a user paused enforcement on the link */
};
#define VERDICT_COUNT 7

/* The name in documents and on the command line, "compliant". Static. */
const char *verdict_name(enum verdict verdict);

/* The worse of two verdicts, for a summary in one word: contended, refused, blocked, unsupported, drifted,
 * paused, compliant. */
enum verdict verdict_worse(enum verdict a, enum verdict b);

/* The verdicts in the order of a summary: first what can be acted on, compliant last. */
extern const enum verdict verdict_order[VERDICT_COUNT];

/* Counts one link with these features by verdict: in links[v] if it has one of verdict v; as compliant only if it has no other. */
void verdict_count_link(const size_t features[VERDICT_COUNT], size_t links[VERDICT_COUNT]);

/* "6 drifted, 1 unsupported", in verdict_order; "compliant" if all are; "" without any. Returns buf. */
const char *verdict_format_counts(const size_t counts[VERDICT_COUNT], char *buf, size_t size);

/* The exit status of `offloadctl plan` and of the daemon's one-shot modes. 1: features of `unread` links could not be read.
 * Otherwise 0: everything matches the rules; 2: changes are pending (`steps`, or drifted, also in audit mode); 4: a declared feature
 * is not possible (blocked, unsupported, refused, contended); 6: both. */
int verdict_exit_code(const size_t counts[VERDICT_COUNT], size_t steps, size_t unread);

#endif
