/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a plan makes of a declared feature. */
#ifndef OFFLOADD_VERDICT_H
#define OFFLOADD_VERDICT_H

enum verdict {
	VERDICT_COMPLIANT,   /* matches the rule */
	VERDICT_DRIFTED,     /* will be changed */
	VERDICT_BLOCKED,     /* requested, and something named holds it */
	VERDICT_UNSUPPORTED, /* the device or the kernel cannot */
	VERDICT_REFUSED,     /* the kernel refused to set or to read it; its words */
	VERDICT_CONTENDED,   /* another program keeps reverting it */
	VERDICT_PAUSED,
};
#define VERDICT_COUNT 7

/* "compliant", ...: as in documents and on the command line. */
const char *verdict_name(enum verdict verdict);

/* The stronger of two verdicts, where one word must stand for both. */
enum verdict verdict_worse(enum verdict a, enum verdict b);

#endif
