/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "evidence/investigation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/util.h"

#define FACTOR_CERTAIN 1.5 /* a slot of a histogram covers a factor of 2 */

/* service "": all. */
static void set_median(struct investigation_metric *m, const struct investigation *a,
	const struct investigation *b, const char *service)
{
	struct evidence_latency_row of_a, of_b;

	evidence_latency_sum(&a->evidence.latency, service[0] ? service : NULL, &of_a);
	evidence_latency_sum(&b->evidence.latency, service[0] ? service : NULL, &of_b);
	*m = (struct investigation_metric){ .measure = INVESTIGATION_MEDIAN, .known = of_a.calls && of_b.calls,
		.a = evidence_quantile(of_a.slots, 500), .b = evidence_quantile(of_b.slots, 500) };
	m->headline = m->known && m->a && m->b;
	snprintf(m->service, sizeof(m->service), "%s", service);
}

double investigation_factor(const struct investigation_metric *m)
{
	double factor = m->a > m->b ? (double)m->a / (double)m->b : (double)m->b / (double)m->a;

	return factor < FACTOR_CERTAIN ? 1 : factor;
}

/* From Linux 6.5 on sendfile uses splice_to_socket() and so tcp_sendmsg(). */
static bool is_before_splice(const char *kernel)
{
	unsigned major, minor;

	return sscanf(kernel, "%u.%u", &major, &minor) == 2 && (major < 6 || (major == 6 && minor < 5));
}

static enum investigation_difference find_difference(
	const struct investigation *a, const struct investigation *b, unsigned rate)
{
	if (!a->kernel[0] || !b->kernel[0] || is_before_splice(a->kernel) == is_before_splice(b->kernel))
		return INVESTIGATION_SAME;
	if (rate == INVESTIGATION_COPIED)
		return INVESTIGATION_PAGES_OR_CALLS;
	return rate == RATE_SENDMSG ? INVESTIGATION_SENDFILE_COUNTED : INVESTIGATION_SAME;
}

static void set_rate(struct investigation_metric *m, enum investigation_measure measure, const struct investigation *a,
	const struct investigation *b, unsigned rate)
{
	bool known = a->rates[rate].known && b->rates[rate].known;

	*m = (struct investigation_metric){ .measure = measure, .rate = rate,
		.difference = known ? find_difference(a, b, rate) : INVESTIGATION_SAME };
	m->known = known && m->difference == INVESTIGATION_SAME;
}

static uint64_t per_call(const struct investigation *i, unsigned rate)
{
	struct evidence_latency_row sum;

	evidence_latency_sum(&i->evidence.latency, NULL, &sum);
	return i->rates[rate].n / (sum.calls ? sum.calls : 1);
}

int investigation_compare(const struct investigation *a, const struct investigation *b,
	struct investigation_metric **ret, size_t *ret_n)
{
	/* per call, because a faster host does more per second */
	static const unsigned calls[] = { RATE_PUSH_ONE, INVESTIGATION_SEGMENTED, INVESTIGATION_SUMMED,
		INVESTIGATION_COPIED };
	const struct evidence_latency *latency = &a->evidence.latency;
	struct investigation_metric *metrics =
		calloc(latency->n + ARRAY_SIZE(calls) + INVESTIGATION_RATES + 2, sizeof(*metrics)), *m = metrics;

	if (!metrics)
		return -ENOMEM;
	set_median(m++, a, b, "");
	for (size_t k = 0; k < latency->n; k++)
		if (k == 0 || strcmp(latency->rows[k].service, latency->rows[k - 1].service))
			set_median(m++, a, b, latency->rows[k].service);
	for (const struct investigation_metric *of_service = metrics + 1; of_service < m; of_service++)
		metrics[0].headline &= !of_service->headline;
	for (size_t k = 0; k < ARRAY_SIZE(calls); k++, m++) {
		set_rate(m, INVESTIGATION_PER_CALL, a, b, calls[k]);
		m->known &= metrics[0].known;
		m->a = per_call(a, calls[k]);
		m->b = per_call(b, calls[k]);
	}
	for (unsigned k = 0; k < INVESTIGATION_RATES; k++, m++) {
		set_rate(m, INVESTIGATION_PER_SECOND, a, b, k);
		m->a = investigation_per_sec(a, a->rates[k].n);
		m->b = investigation_per_sec(b, b->rates[k].n);
	}
	*m++ = (struct investigation_metric){ .measure = INVESTIGATION_STALE,
		.known = a->evidence.has_sockets && b->evidence.has_sockets, .a = evidence_count_stale(&a->evidence),
		.b = evidence_count_stale(&b->evidence) };
	*ret = metrics;
	*ret_n = (size_t)(m - metrics);
	return 0;
}
