/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/verdict.h"

#include <stdbool.h>

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

const enum verdict verdict_order[VERDICT_COUNT] = { VERDICT_DRIFTED, VERDICT_CONTENDED, VERDICT_REFUSED, VERDICT_BLOCKED,
	VERDICT_UNSUPPORTED, VERDICT_PAUSED, VERDICT_COMPLIANT };

static bool has_other(const size_t counts[VERDICT_COUNT])
{
	for (int v = 0; v < VERDICT_COUNT; v++)
		if (v != VERDICT_COMPLIANT && counts[v])
			return true;
	return false;
}

void verdict_count_link(const size_t features[VERDICT_COUNT], size_t links[VERDICT_COUNT])
{
	for (int v = 0; v < VERDICT_COUNT; v++)
		links[v] += v == VERDICT_COMPLIANT ? !has_other(features) : features[v] > 0;
}

const char *verdict_format_counts(const size_t counts[VERDICT_COUNT], char *buf, size_t size)
{
	buf[0] = '\0';
	for (size_t i = 0; i < VERDICT_COUNT; i++) {
		enum verdict v = verdict_order[i];

		if (counts[v] && v != VERDICT_COMPLIANT)
			util_append(buf, size, "%s%zu %s", buf[0] ? ", " : "", counts[v], verdict_name(v));
	}
	if (!buf[0] && counts[VERDICT_COMPLIANT])
		util_append(buf, size, "%s", verdict_name(VERDICT_COMPLIANT));
	return buf;
}

int verdict_exit_code(const size_t counts[VERDICT_COUNT], size_t steps, size_t unread)
{
	bool impossible = counts[VERDICT_BLOCKED] || counts[VERDICT_UNSUPPORTED] || counts[VERDICT_REFUSED] ||
		counts[VERDICT_CONTENDED];

	if (unread)
		return 1;
	return (steps || counts[VERDICT_DRIFTED] ? 2 : 0) | (impossible ? 4 : 0);
}
