/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sample investigations of ten seconds: before the repair of the incident, and after it with stale
 * sockets. */
#ifndef OFFLOADD_TESTS_INVESTIGATION_SAMPLE_H
#define OFFLOADD_TESTS_INVESTIGATION_SAMPLE_H

#include "unit.h"

#include <string.h>

#include "evidence/investigation.h"

static inline struct investigation sample_watched(bool fallback)
{
	struct investigation i = { .kernel = "6.1.0-1-amd64", .elapsed_usec = 10000000,
		.evidence = { .has_latency = true, .has_sockets = true } };
	struct evidence_latency *latency = &i.evidence.latency;
	struct evidence_latency_row row = { .service = "files.service", .fallback = fallback, .calls = 1000,
		.total_usec = 1000000 };
	struct investigation_cpu *cpu = investigation_add_cpu(&i);

	for (unsigned k = 0; k < INVESTIGATION_RATES; k++)
		i.rates[k].known = true;
	row.slots[9] = 900;
	row.slots[11] = 100;
	assert_int_equal(evidence_latency_add(latency, &row), 0);
	latency->has_waits = true;
	latency->elapsed_usec = i.elapsed_usec;
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
	struct evidence *e = &i.evidence;
	struct evidence_fallback *row = evidence_fallback_row(e, FALLBACK_SOCKET, FALLBACK_REASON_FEATURE, "files.service", "vlan10");

	row->hits[FALLBACK_SEGMENTATION].n = i.rates[INVESTIGATION_SEGMENTED].n = 1000;
	row->hits[FALLBACK_CHECKSUM].n = i.rates[INVESTIGATION_SUMMED].n = 2000;
	i.rates[RATE_PUSH_ONE].n = 1000;
	i.rates[RATE_WRITE_TIMER].known = false;
	row->missing = evidence_add_feature(e, "tx-scatter-gather") | evidence_add_feature(e, "tx-checksum-ip-generic");
	row->ifindex = 7;
	row->remedy = REMEDY_REPAIR;
	sample_stack(&i, 10, "tcp_sendmsg_locked");
	sample_stack(&i, 990, "do_tcp_sendpages");
	evidence_add_probe(e, &(struct evidence_probe){ "tcp_write_timer", "tcp_write_timer", NULL,
				      "this kernel has no tcp_write_timer", false });
	investigation_sort(&i);
	return i;
}

static inline struct investigation sample_repaired(void)
{
	struct investigation i = sample_watched(true);
	struct evidence *e = &i.evidence;
	struct evidence_stale *row = evidence_stale_row(e, "files.service", "vlan10");
	struct evidence_fallback *copies = evidence_fallback_row(e, FALLBACK_SOCKET, FALLBACK_REASON_STALE, "files.service", "vlan10");

	row->sockets = 2;
	row->missing = evidence_add_feature(e, "tx-scatter-gather");
	copies->hits[FALLBACK_SENDPAGE].n = i.rates[INVESTIGATION_COPIED].n = 5000;
	memset(e->latency.rows[0].slots, 0, sizeof(e->latency.rows[0].slots));
	e->latency.rows[0].slots[7] = 1000;
	investigation_sort(&i);
	return i;
}

#endif
