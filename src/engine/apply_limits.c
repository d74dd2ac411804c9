/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/util.h"
#include "engine/apply_private.h"

static unsigned find_missed(const struct link_limits *asked, const struct link_limits *now)
{
	unsigned missed = asked->has & ~now->has;

	for (unsigned i = 0; i < LINK_LIMIT_SETTABLE; i++)
		if ((asked->has & LINK_LIMIT(i)) && asked->value[i] != now->value[i])
			missed |= LINK_LIMIT(i);
	return missed;
}

void apply_limits(struct observe *o, struct link *link, const struct link_limits *set, struct apply_result *result)
{
	char name[LINK_NAME_LEN], kind[LINK_KIND_LEN];
	int r;

	memcpy(name, link->name, sizeof(name));
	memcpy(kind, link->kind, sizeof(kind));
	result->limits = *set;
	result->before = result->after = link->features;
	result->limits_before = result->limits_after = link->limits;
	r = observe_set_limits(o, link, set, result->text, sizeof(result->text));
	if (r < 0)
		apply_result_fail(result, r);
	r = observe_link(o, link);
	if (r >= 0 && (strcmp(link->name, name) != 0 || strcmp(link->kind, kind) != 0))
		r = -ENODEV;
	if (r < 0 && result->error == 0) {
		snprintf(result->text, sizeof(result->text), "set, but not read back: %s", strerror(-r));
		apply_result_fail(result, r == -ENODEV ? -ENODEV : -EUCLEAN);
	}
	if (r < 0)
		return;
	result->limits_after = link->limits;
	result->limits_missed = find_missed(set, &link->limits);
}

int apply_limits_learn(const struct apply_result *result, uint64_t now_usec, struct link_state *state)
{
	struct link_limit_state *limits = link_state_limits(state);

	if (!limits)
		return -ENOMEM;
	if (result->error == 0) {
		limits->refusals.ineffective[true] |= result->limits_missed;
		return 0;
	}
	limits->refusals.refused[true] |= result->limits_missed;
	free(limits->refusals.words);
	limits->refusals.words = strdup(result->text);
	if (apply_is_temporary(result->error))
		apply_retry_later(&limits->refusals, now_usec);
	return limits->refusals.words ? 0 : -ENOMEM;
}

const struct apply_result *apply_find_limits(const struct apply_report *report, int ifindex, unsigned limits)
{
	for (size_t i = 0; i < report->n_results; i++)
		if (report->results[i].ifindex == ifindex && (report->results[i].limits.has & limits))
			return &report->results[i];
	return NULL;
}
