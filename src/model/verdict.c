/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/verdict.h"

#include "basic/util.h"

/* rank: the worst is the highest; what can be repaired is better than what cannot */
static const struct {
	const char *name;
	int rank;
} verdicts[VERDICT_COUNT] = {
	[VERDICT_COMPLIANT] = { "compliant", 0 },
	[VERDICT_PAUSED] = { "paused", 1 },
	[VERDICT_DRIFTED] = { "drifted", 2 },
	[VERDICT_UNSUPPORTED] = { "unsupported", 3 },
	[VERDICT_BLOCKED] = { "blocked", 4 },
	[VERDICT_REFUSED] = { "refused", 5 },
	[VERDICT_CONTENDED] = { "contended", 6 },
};

const char *verdict_name(enum verdict verdict)
{
	return (size_t)verdict < VERDICT_COUNT ? verdicts[verdict].name : "unknown";
}

enum verdict verdict_worse(enum verdict a, enum verdict b)
{
	return verdicts[b].rank > verdicts[a].rank ? b : a;
}
