/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "evidence/investigation.h"

#include <stdlib.h>
#include <string.h>

#include "basic/util.h"

void investigation_clear(struct investigation *i)
{
	evidence_clear(&i->evidence);
	free(i->stacks);
	free(i->cpus);
	*i = (struct investigation){};
}

struct investigation_stack *investigation_add_stack(struct investigation *i)
{
	if (i->n_stacks == INVESTIGATION_LIST_MAX || !GROW(i->stacks, i->n_stacks))
		return NULL;
	i->stacks[i->n_stacks] = (struct investigation_stack){ 0 };
	return &i->stacks[i->n_stacks++];
}

struct investigation_cpu *investigation_add_cpu(struct investigation *i)
{
	if (i->n_cpus == INVESTIGATION_LIST_MAX || !GROW(i->cpus, i->n_cpus))
		return NULL;
	i->cpus[i->n_cpus] = (struct investigation_cpu){ 0 };
	return &i->cpus[i->n_cpus++];
}

static bool same_stack(const struct investigation_stack *a, const struct investigation_stack *b)
{
	return a->n == b->n && memcmp(a->frames, b->frames, sizeof(a->frames)) == 0;
}

static int compare_stacks(const void *p, const void *q)
{
	const struct investigation_stack *a = p, *b = q;

	if (a->count != b->count)
		return a->count < b->count ? 1 : -1;
	return memcmp(a->frames, b->frames, sizeof(a->frames));
}

void investigation_sort(struct investigation *i)
{
	size_t n = 0;

	for (size_t k = 0; k < i->n_stacks; k++) {
		size_t at = 0;

		while (at < n && !same_stack(&i->stacks[at], &i->stacks[k]))
			at++;
		if (at < n)
			i->stacks[at].count += i->stacks[k].count;
		else
			i->stacks[n++] = i->stacks[k];
	}
	i->n_stacks = n;
	if (n > 1)
		qsort(i->stacks, n, sizeof(*i->stacks), compare_stacks);
	evidence_sort(&i->evidence);
}

uint64_t investigation_per_sec(const struct investigation *i, uint64_t n)
{
	return i->elapsed_usec ? (uint64_t)((double)n * USEC_PER_SEC / (double)i->elapsed_usec + 0.5) : 0;
}

const char *investigation_rate_name(unsigned rate)
{
	static const char *const functions[RATE_KINDS] = {
		[RATE_SENDMSG] = "tcp_sendmsg",
		[RATE_PUSH_ONE] = "tcp_push_one",
		[RATE_WRITE_TIMER] = "tcp_write_timer",
	};

	if (rate < RATE_KINDS)
		return functions[rate];
	if (rate == INVESTIGATION_COPIED)
		return "copy";
	if (rate == INVESTIGATION_REFUSED)
		return evidence_kind_name(FALLBACK_UDP);
	return evidence_kind_name(rate == INVESTIGATION_SEGMENTED ? FALLBACK_SEGMENTATION : FALLBACK_CHECKSUM);
}

enum investigation_rate investigation_rate_of(enum fallback_kind kind)
{
	if (evidence_is_by_socket(kind))
		return INVESTIGATION_COPIED;
	if (kind == FALLBACK_UDP)
		return INVESTIGATION_REFUSED;
	return kind == FALLBACK_SEGMENTATION ? INVESTIGATION_SEGMENTED : INVESTIGATION_SUMMED;
}
