/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "evidence/diagnose.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/util.h"

/* Thresholds of a diagnosis. */
#define MUCH_PERCENT 50			 /* of the time in sendfile */
#define MUCH_USEC (10 * USEC_PER_MSEC) /* of the same */

const char *diagnosis_name(enum finding_code code)
{
	return finding_name(code) + strlen("diagnosis-");
}

struct diagnoses {
	const struct investigation *i;
	struct diagnosis *all;
	size_t n;
	bool no_memory;
};

/* NULL without memory. */
static struct diagnosis *add(struct diagnoses *d, enum finding_code code, const char *service, const char *link)
{
	struct diagnosis *new;

	if (!GROW(d->all, d->n)) {
		d->no_memory = true;
		return NULL;
	}
	new = &d->all[d->n++];
	*new = (struct diagnosis){ .finding.code = code };
	snprintf(new->finding.service, sizeof(new->finding.service), "%s", service);
	snprintf(new->finding.link, sizeof(new->finding.link), "%s", link);
	return new;
}

/* The time that a service's sendfile calls with fallback were not asleep. */
static uint64_t awake_usec(const struct investigation *i, const char *service)
{
	uint64_t sum = 0;

	for (size_t k = 0; k < i->evidence.latency.n; k++) {
		const struct evidence_latency_row *row = &i->evidence.latency.rows[k];
		uint64_t asleep = row->disk_usec + row->peer_usec;

		if (row->fallback && !strcmp(row->service, service) && row->total_usec > asleep)
			sum += row->total_usec - asleep;
	}
	return sum;
}

static enum finding_code code_of(const struct evidence_fallback *row, bool only_copies)
{
	if (evidence_is_limit(row->reason))
		return FINDING_DIAGNOSIS_LIMIT;
	return row->reason == FALLBACK_REASON_FEATURE || only_copies ? FINDING_DIAGNOSIS_DEVICE : FINDING_DIAGNOSIS_OTHER;
}

/* Not for copies alone on a link that lacks nothing: these are by stale connections, and reported there. */
static void diagnose_fallback(struct diagnoses *d, const struct evidence_fallback *row)
{
	bool copies = evidence_sum_copied(row), only_copies = evidence_sum_hits(row) == evidence_sum_copied(row);
	struct diagnosis *new;

	if (evidence_sum_hits(row) == 0)
		return;
	if (!row->missing && only_copies && evidence_find_stale(&d->i->evidence, row->service, row->link))
		return;
	new = add(d, code_of(row, only_copies), row->service, row->link);
	if (!new)
		return;
	new->finding.reason = row->reason;
	new->finding.limit = row->limit;
	new->finding.largest = row->largest;
	new->finding.off = row->missing;
	new->finding.ifindex = row->ifindex;
	new->cost_usec = row->service[0] ? awake_usec(d->i, row->service) : 0;
	new->origin = row->origin;
	new->copies = copies;
	new->refused = row->hits[FALLBACK_UDP].n;
	new->only_copies = only_copies;
	new->has_again = row->has_again;
	new->finding.remedy = row->remedy;
	for (unsigned kind = 0; kind < FALLBACK_KINDS; kind++)
		new->per_sec[kind] = investigation_per_sec(d->i, row->hits[kind].n);
}

static void diagnose_stale(struct diagnoses *d, const struct evidence_stale *row)
{
	struct diagnosis *new = add(d, FINDING_DIAGNOSIS_RECONNECT, row->service, row->link);

	if (!new)
		return;
	new->cost_usec = awake_usec(d->i, row->service);
	new->finding.off = row->missing;
	new->finding.ifindex = row->ifindex;
	new->finding.count = row->sockets;
	new->finding.remedy = REMEDY_RECONNECT;
}

static void diagnose_senders(struct diagnoses *d, const struct evidence_stale *row)
{
	struct diagnosis *new = add(d, FINDING_DIAGNOSIS_GAVE_UP, row->service, row->link);

	if (!new)
		return;
	new->finding.off = row->missing;
	new->finding.ifindex = row->ifindex;
	new->finding.count = row->senders;
	new->finding.remedy = REMEDY_RECONNECT;
}

static bool is_much(uint64_t part, uint64_t whole)
{
	return part >= MUCH_USEC && evidence_percent(part, whole) >= MUCH_PERCENT;
}

static void set_calls(struct diagnosis *d, const struct evidence_latency_row *sum)
{
	d->calls = sum->calls;
	d->median_usec = evidence_quantile(sum->slots, 500);
	d->running = sum->running;
	d->longest_usec = sum->longest_usec;
}

/* Each service only at its first row. */
static void diagnose_waits(struct diagnoses *d, size_t at)
{
	const struct evidence_latency *latency = &d->i->evidence.latency;
	const char *service = latency->rows[at].service;
	struct evidence_latency_row sum;
	struct diagnosis *new;
	bool disk;

	for (size_t k = 0; k < at; k++)
		if (!strcmp(latency->rows[k].service, service))
			return;
	evidence_latency_sum(latency, service, &sum);
	disk = is_much(sum.disk_usec, sum.total_usec);
	if (!disk && !is_much(sum.peer_usec, sum.total_usec))
		return;
	new = add(d, disk ? FINDING_DIAGNOSIS_DISK : FINDING_DIAGNOSIS_RECEIVER, service, "");
	if (!new)
		return;
	set_calls(new, &sum);
	new->percent = evidence_percent(disk ? sum.disk_usec : sum.peer_usec, sum.total_usec);
	new->cost_usec = disk ? sum.disk_usec : 0;
}

static unsigned find_unseen(const struct investigation *i)
{
	const struct investigation_count *rates = i->rates;
	const bool unseen[DIAGNOSIS_UNSEEN] = {
		[DIAGNOSIS_NO_SEGMENTATION] = !rates[INVESTIGATION_SEGMENTED].known,
		[DIAGNOSIS_NO_CHECKSUM] = !rates[INVESTIGATION_SUMMED].known,
		[DIAGNOSIS_NO_COPY] = !rates[INVESTIGATION_COPIED].known,
		[DIAGNOSIS_NO_UDP] = !rates[INVESTIGATION_REFUSED].known,
		[DIAGNOSIS_NO_SOCKETS] = !i->evidence.has_sockets && !i->evidence.has_lingering,
		[DIAGNOSIS_NO_SENDERS] = i->senders_unseen,
		[DIAGNOSIS_UNDECIDED_SENDERS] = i->evidence.udp_undecided,
		[DIAGNOSIS_IDLE_SOCKETS] = i->evidence.has_lingering,
		[DIAGNOSIS_NO_LATENCY] = !i->evidence.has_latency,
		[DIAGNOSIS_LOST_PACKETS] = rates[INVESTIGATION_SEGMENTED].lost || rates[INVESTIGATION_SUMMED].lost ||
			rates[INVESTIGATION_COPIED].lost || rates[INVESTIGATION_REFUSED].lost,
		[DIAGNOSIS_LOST_CALLS] = i->evidence.latency.lost,
	};
	unsigned bits = 0;

	for (unsigned k = 0; k < DIAGNOSIS_UNSEEN; k++)
		bits |= (unsigned)unseen[k] << k;
	return bits;
}

/* Also in addition to other diagnoses, because there may be more than was observed. */
static void diagnose_unseen(struct diagnoses *d)
{
	unsigned unseen = find_unseen(d->i);
	struct diagnosis *new;

	if (!unseen && !d->i->link_gone)
		return;
	new = add(d, FINDING_DIAGNOSIS_BLIND, d->i->unit, d->i->only_link);
	if (!new)
		return;
	new->unseen = unseen;
	new->link_gone = d->i->link_gone;
	new->beside = d->n > 1;
}

static void diagnose_nothing(struct diagnoses *d)
{
	struct diagnosis *new = add(d, FINDING_DIAGNOSIS_WELL, d->i->unit, d->i->only_link);
	struct evidence_latency_row sum;

	if (!new)
		return;
	evidence_latency_sum(&d->i->evidence.latency, NULL, &sum);
	set_calls(new, &sum);
	new->begun = d->i->evidence.latency.begun;
}

/* By cost, the highest first, then by code. */
static int compare_diagnoses(const void *p, const void *q)
{
	const struct diagnosis *a = p, *b = q;
	int r;

	if (a->cost_usec != b->cost_usec)
		return a->cost_usec < b->cost_usec ? 1 : -1;
	if (a->finding.code != b->finding.code)
		return a->finding.code < b->finding.code ? -1 : 1;
	r = strcmp(a->finding.link, b->finding.link);
	return r ? r : strcmp(a->finding.service, b->finding.service);
}

int diagnose(const struct investigation *i, struct diagnosis **ret, size_t *ret_n)
{
	const struct evidence *e = &i->evidence;
	struct diagnoses d = { .i = i };

	for (size_t k = 0; k < e->n_fallback; k++)
		diagnose_fallback(&d, &e->fallback[k]);
	for (size_t k = 0; k < e->n_stale; k++) {
		if (evidence_has_connections(&e->stale[k]))
			diagnose_stale(&d, &e->stale[k]);
		if (e->stale[k].senders)
			diagnose_senders(&d, &e->stale[k]);
	}
	for (size_t k = 0; e->latency.has_waits && k < e->latency.n; k++)
		diagnose_waits(&d, k);
	diagnose_unseen(&d);
	if (d.n == 0)
		diagnose_nothing(&d);
	if (d.no_memory || d.n == 0) {
		free(d.all);
		return -ENOMEM;
	}
	qsort(d.all, d.n, sizeof(*d.all), compare_diagnoses);
	*ret = d.all;
	*ret_n = d.n;
	return 0;
}
