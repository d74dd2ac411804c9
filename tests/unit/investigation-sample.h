/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ten seconds of the incident: before the repair, and after it with sockets that are still stale. */
#ifndef OFFLOADD_TESTS_INVESTIGATION_SAMPLE_H
#define OFFLOADD_TESTS_INVESTIGATION_SAMPLE_H

#include "unit.h"

#include <string.h>

#include "evidence/investigation.h"

static inline struct investigation sample_watched(bool fallback)
{
	struct investigation i = { .kernel = "6.1.0-1-amd64", .elapsed_usec = 10000000, .has_latency = true,
		.has_sockets = true };
	struct evidence_latency_row row = { .service = "files.service", .fallback = fallback, .calls = 1000,
		.total_usec = 1000000 };
	struct investigation_cpu *cpu = investigation_add_cpu(&i);

	for (unsigned k = 0; k < INVESTIGATION_RATES; k++)
		i.rates[k].known = true;
	row.slots[9] = 900;
	row.slots[11] = 100;
	assert_int_equal(evidence_latency_add(&i.latency, &row), 0);
	i.latency.has_waits = true;
	i.latency.elapsed_usec = i.elapsed_usec;
	*cpu = (struct investigation_cpu){ .cpu = 1, .busy_permille = 987, .softirq_permille = 345, .most = "NET_TX",
		.most_runs = 12340 };
	return i;
}

static inline void sample_stack(struct investigation *i, uint64_t count, const char *through)
{
	struct investigation_stack *stack = investigation_add_stack(i);

	stack->count = count;
	stack->n = 3;
	strcpy(stack->frames[0], "tcp_push_one");
	strcpy(stack->frames[1], through);
	strcpy(stack->frames[2], "do_sendfile");
}

static inline struct investigation sample_broken(void)
{
	struct investigation i = sample_watched(true);
	struct investigation_fallback *row = investigation_fallback_row(&i, "files.service", false, "vlan10");

	row->segmented = i.rates[INVESTIGATION_SEGMENTED].n = 1000;
	row->summed = i.rates[INVESTIGATION_SUMMED].n = 2000;
	i.rates[INVESTIGATION_PUSH_ONE].n = 1000;
	i.rates[INVESTIGATION_WRITE_TIMER].known = false;
	strcpy(row->missing, "tx-scatter-gather, tx-checksum-ip-generic");
	sample_stack(&i, 10, "tcp_sendmsg_locked");
	sample_stack(&i, 990, "do_tcp_sendpages");
	investigation_add_absent(&i, "tcp_write_timer", "this kernel has no tcp_write_timer");
	investigation_sort(&i);
	return i;
}

static inline struct investigation sample_repaired(void)
{
	struct investigation i = sample_watched(true);
	struct investigation_stale *row = investigation_stale_row(&i, "files.service", "vlan10");
	struct investigation_fallback *copies = investigation_fallback_row(&i, "files.service", false, "vlan10");

	row->sockets = 2;
	strcpy(row->missing, "tx-scatter-gather");
	copies->copied = i.rates[INVESTIGATION_COPIED].n = 5000;
	memset(i.latency.rows[0].slots, 0, sizeof(i.latency.rows[0].slots));
	i.latency.rows[0].slots[7] = 1000;
	investigation_sort(&i);
	return i;
}

#endif
