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

int verdict_exit_code(const size_t counts[VERDICT_COUNT], size_t steps, size_t unread)
{
	bool impossible = counts[VERDICT_BLOCKED] || counts[VERDICT_UNSUPPORTED] || counts[VERDICT_REFUSED] ||
		counts[VERDICT_CONTENDED];

	if (unread)
		return 1;
	return (steps || counts[VERDICT_DRIFTED] ? 2 : 0) | (impossible ? 4 : 0);
}
