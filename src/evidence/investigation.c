/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "evidence/investigation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/unit.h"
#include "basic/util.h"

#define MUCH_PERCENT 50			 /* of sendfile's time: worth a finding */
#define MUCH_USEC (10 * USEC_PER_MSEC) /* and at least this */
#define MUCH_PER_SEC 1			 /* packets in software: fewer are no finding */

void investigation_clear(struct investigation *i)
{
	evidence_latency_clear(&i->latency);
	free(i->fallback);
	free(i->stale);
	free(i->stacks);
	free(i->cpus);
	free(i->absent);
	*i = (struct investigation){};
}

/* Room for one more element that is zero, at the end of the array that *array points to; NULL where there is none. */
static void *append(void *array, size_t *n, size_t *room, size_t size)
{
	void *elements;

	if (*n == INVESTIGATION_ROWS_MAX)
		return NULL;
	memcpy(&elements, array, sizeof(elements));
	if (*n == *room) {
		size_t more = *room ? 2 * *room : 8;

		elements = reallocarray(elements, more, size);
		if (!elements)
			return NULL;
		memcpy(array, &elements, sizeof(elements));
		*room = more;
	}
	return memset((char *)elements + size * (*n)++, 0, size);
}

struct investigation_fallback *investigation_fallback_row(
	struct investigation *i, const char *service, bool forwarded, const char *link)
{
	struct investigation_fallback *row;

	for (size_t k = 0; k < i->n_fallback; k++) {
		row = &i->fallback[k];
		if (row->forwarded == forwarded && !strcmp(row->service, service) && !strcmp(row->link, link))
			return row;
	}
	row = append(&i->fallback, &i->n_fallback, &i->room_fallback, sizeof(*row));
	if (row) {
		snprintf(row->service, sizeof(row->service), "%s", service);
		snprintf(row->link, sizeof(row->link), "%s", link);
		row->forwarded = forwarded;
	}
	return row;
}

struct investigation_stale *investigation_stale_row(
	struct investigation *i, const char *service, const char *link)
{
	struct investigation_stale *row;

	for (size_t k = 0; k < i->n_stale; k++) {
		row = &i->stale[k];
		if (!strcmp(row->service, service) && !strcmp(row->link, link))
			return row;
	}
	row = append(&i->stale, &i->n_stale, &i->room_stale, sizeof(*row));
	if (row) {
		snprintf(row->service, sizeof(row->service), "%s", service);
		snprintf(row->link, sizeof(row->link), "%s", link);
	}
	return row;
}

void investigation_name_missing(struct investigation_fallback *row, const struct feature_table *table,
	const struct link_features *now)
{
	feature_set generic = feature_named(table, "tx-checksum-ip-generic");
	feature_set csum = generic | feature_named(table, "tx-checksum-ipv4") | feature_named(table, "tx-checksum-ipv6");
	feature_set lacked = row->lacked, sums = lacked & csum, off;

	lacked &= ~csum;
	row->missing[0] = '\0';
	row->mended = row->fixed = false;
	if (!now) {
		if (row->lacked)
			feature_format(table, lacked | (sums ? generic : 0), row->missing, sizeof(row->missing));
		return;
	}
	if (sums & now->active) /* one of them is enough */
		sums &= now->active;
	else if (sums)
		sums = sums & (now->hw | now->wanted) ? sums & (now->hw | now->wanted) : generic;
	lacked |= sums | (feature_named(table, "tx-scatter-gather") & ~now->active);
	if (!lacked)
		return;
	off = lacked & ~now->active;
	row->mended = !off;
	row->fixed = off && !(off & now->hw & ~now->nochange);
	feature_format(table, off ? off : lacked, row->missing, sizeof(row->missing));
}

struct investigation_stack *investigation_add_stack(struct investigation *i)
{
	return append(&i->stacks, &i->n_stacks, &i->room_stacks, sizeof(*i->stacks));
}

struct investigation_cpu *investigation_add_cpu(struct investigation *i)
{
	return append(&i->cpus, &i->n_cpus, &i->room_cpus, sizeof(*i->cpus));
}

void investigation_add_absent(struct investigation *i, const char *what, const char *why)
{
	struct investigation_absent *row = append(&i->absent, &i->n_absent, &i->room_absent, sizeof(*row));

	if (!row)
		return;
	snprintf(row->what, sizeof(row->what), "%s", what);
	snprintf(row->why, sizeof(row->why), "%s", why);
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

static uint64_t all_hits(const struct investigation_fallback *row)
{
	return row->segmented + row->summed + row->copied;
}

static int compare_fallback(const void *p, const void *q)
{
	const struct investigation_fallback *a = p, *b = q;
	uint64_t x = all_hits(a), y = all_hits(b);
	int r;

	if (x != y)
		return x < y ? 1 : -1;
	r = strcmp(a->link, b->link);
	return r ? r : strcmp(a->service, b->service);
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
	if (i->n_fallback > 1)
		qsort(i->fallback, i->n_fallback, sizeof(*i->fallback), compare_fallback);
	evidence_latency_sort(&i->latency);
}

uint64_t investigation_per_sec(const struct investigation *i, uint64_t n)
{
	return i->elapsed_usec ? (uint64_t)((double)n * USEC_PER_SEC / (double)i->elapsed_usec + 0.5) : 0;
}

const char *investigation_rate_name(enum investigation_rate rate)
{
	switch (rate) {
	case INVESTIGATION_SENDMSG:
		return "tcp_sendmsg";
	case INVESTIGATION_PUSH_ONE:
		return "tcp_push_one";
	case INVESTIGATION_WRITE_TIMER:
		return "tcp_write_timer";
	case INVESTIGATION_SEGMENTED:
		return "segmentation";
	case INVESTIGATION_SUMMED:
		return "checksum";
	case INVESTIGATION_COPIED:
		return "copy";
	case INVESTIGATION_RATES:
		break;
	}
	return "unknown";
}

const char *investigation_verdict_name(enum investigation_verdict verdict)
{
	switch (verdict) {
	case INVESTIGATION_DEVICE:
		return "device";
	case INVESTIGATION_RECONNECT:
		return "reconnect";
	case INVESTIGATION_DISK:
		return "disk";
	case INVESTIGATION_RECEIVER:
		return "receiver";
	case INVESTIGATION_WELL:
		return "well";
	case INVESTIGATION_BLIND:
		return "blind";
	}
	return "unknown";
}

void investigation_sum_latency(
	const struct investigation *i, const char *service, struct evidence_latency_row *ret)
{
	*ret = (struct evidence_latency_row){};
	for (size_t k = 0; k < i->latency.n; k++) {
		const struct evidence_latency_row *row = &i->latency.rows[k];

		if (service && strcmp(service, row->service))
			continue;
		ret->calls += row->calls;
		ret->total_usec += row->total_usec;
		ret->disk_usec += row->disk_usec;
		ret->peer_usec += row->peer_usec;
		ret->running += row->running;
		if (ret->longest_usec < row->longest_usec)
			ret->longest_usec = row->longest_usec;
		for (unsigned j = 0; j < EVIDENCE_SLOTS; j++)
			ret->slots[j] += row->slots[j];
	}
}

struct judge {
	const struct investigation *i;
	struct investigation_finding *findings;
	size_t n, room;
	bool no_memory;
};

static struct investigation_finding *find(
	struct judge *j, enum investigation_verdict verdict, const char *service, const char *link)
{
	struct investigation_finding *f = append(&j->findings, &j->n, &j->room, sizeof(*f));

	if (!f) {
		j->no_memory = true;
		return NULL;
	}
	f->verdict = verdict;
	snprintf(f->service, sizeof(f->service), "%s", service);
	snprintf(f->link, sizeof(f->link), "%s", link);
	return f;
}

/* What a service's falling calls cost: the time that they were not asleep. */
static uint64_t awake_usec(const struct investigation *i, const char *service)
{
	uint64_t sum = 0;

	for (size_t k = 0; k < i->latency.n; k++) {
		const struct evidence_latency_row *row = &i->latency.rows[k];
		uint64_t asleep = row->disk_usec + row->peer_usec;

		if (row->fallback && !strcmp(row->service, service) && row->total_usec > asleep)
			sum += row->total_usec - asleep;
	}
	return sum;
}

static const struct investigation_stale *stale_of(
	const struct investigation *i, const char *service, const char *link)
{
	for (size_t k = 0; k < i->n_stale; k++)
		if (!strcmp(i->stale[k].service, service) && !strcmp(i->stale[k].link, link))
			return &i->stale[k];
	return NULL;
}

static void append_rate(const struct judge *j, struct investigation_finding *f, uint64_t n, const char *what,
	bool *first)
{
	if (!investigation_per_sec(j->i, n))
		return;
	util_append(f->text, sizeof(f->text), "%s%llu %s", *first ? "every second " : ", ",
		(unsigned long long)investigation_per_sec(j->i, n), what);
	*first = false;
}

/* "812 calls, median 1.5 ms, 1 more still running, for 12 s". Returns buf. */
static const char *format_calls(const struct evidence_latency_row *sum, char *buf, size_t size)
{
	char time[32];

	buf[0] = '\0';
	if (sum->calls)
		util_append(buf, size, "%llu call%s, median %s", (unsigned long long)sum->calls, util_plural(sum->calls),
			util_format_usec(evidence_quantile(sum->slots, 500), time, sizeof(time)));
	if (sum->running)
		util_append(buf, size, "%s%llu still running, %s%s", buf[0] ? ", " : "", (unsigned long long)sum->running,
			sum->running > 1 ? "the longest for " : "for ",
			util_format_usec(sum->longest_usec, time, sizeof(time)));
	return buf;
}

/* Who pays, at the head of a sentence. */
static const char *name_holder(const char *service)
{
	return strcmp(service, UNIT_NO_SERVICE) ? service : "A process outside any service";
}

/* A link without what its senders need; copying alone on one that has it is a stale connection's, and told there. */
static void judge_fallback(struct judge *j, const struct investigation_fallback *row)
{
	const char *who = row->forwarded    ? "What is forwarded"
			  : row->service[0] ? name_holder(row->service)
					    : "The kernel's own traffic";
	struct investigation_finding *f;
	bool first = true;

	if (investigation_per_sec(j->i, all_hits(row)) < MUCH_PER_SEC)
		return;
	if (!row->missing[0] && !row->segmented && !row->summed && stale_of(j->i, row->service, row->link))
		return;
	f = find(j, INVESTIGATION_DEVICE, row->service, row->link);
	if (!f)
		return;
	f->cost_usec = row->service[0] ? awake_usec(j->i, row->service) : 0;
	if (row->missing[0])
		util_append(f->text, sizeof(f->text), "%s %s on %s, which %s without %s: ", who,
			row->mended ? "fell back" : "falls back", row->link, row->mended ? "went" : "goes", row->missing);
	else
		util_append(f->text, sizeof(f->text), "%s falls back on %s: ", who,
			row->link[0] ? row->link : "a link that is not known");
	append_rate(j, f, row->segmented, "packets split in software", &first);
	append_rate(j, f, row->summed, "summed", &first);
	append_rate(j, f, row->copied, "copied into its sockets", &first);
	if (first)
		util_append(f->text, sizeof(f->text), "about one packet a second");
	if (!row->missing[0] && !row->segmented && !row->summed)
		util_append(f->text, sizeof(f->text), ". Those sockets are gone by now, or cannot be seen.");
	else if (!row->missing[0])
		util_append(f->text, sizeof(f->text),
			". What it goes without is not known (offloadctl explain %s).", row->link);
	else if (row->mended)
		util_append(f->text, sizeof(f->text), ". %s has that by now.", row->link);
	else if (row->fixed)
		util_append(f->text, sizeof(f->text), ". That cannot be changed there (offloadctl explain %s).", row->link);
	else
		util_append(f->text, sizeof(f->text), ". Repairing %s ends it (offloadctl apply %s)%s.", row->link,
			row->link,
			row->copied ? "; sockets that copy then stay stale until they are connected anew" : "");
}

static void judge_stale(struct judge *j, const struct investigation_stale *row)
{
	struct investigation_finding *f = find(j, INVESTIGATION_RECONNECT, row->service, row->link);

	if (!f)
		return;
	f->cost_usec = awake_usec(j->i, row->service);
	snprintf(f->text, sizeof(f->text),
		"%s holds %u socket%s stale without %s, which %s has now: %s it, or over IPv4 `sysctl net.ipv4.route.flush=1`.",
		name_holder(row->service), row->sockets, util_plural(row->sockets), row->missing, row->link,
		strcmp(row->service, UNIT_NO_SERVICE) ? "restart" : "end");
}

static bool is_much(uint64_t part, uint64_t whole)
{
	return part >= MUCH_USEC && evidence_percent(part, whole) >= MUCH_PERCENT;
}

/* Each service once, at its first row. */
static void judge_waits(struct judge *j, size_t at)
{
	const char *service = j->i->latency.rows[at].service;
	struct investigation_finding *f;
	struct evidence_latency_row sum;
	char calls[128];

	for (size_t k = 0; k < at; k++)
		if (!strcmp(j->i->latency.rows[k].service, service))
			return;
	investigation_sum_latency(j->i, service, &sum);
	format_calls(&sum, calls, sizeof(calls));
	if (is_much(sum.disk_usec, sum.total_usec)) {
		f = find(j, INVESTIGATION_DISK, service, "");
		if (!f)
			return;
		f->cost_usec = sum.disk_usec;
		snprintf(f->text, sizeof(f->text),
			"%s waits for the disk: %u%% of sendfile's time (%s) it was asleep until data was read. Offload "
			"has no part in that.",
			name_holder(service), evidence_percent(sum.disk_usec, sum.total_usec), calls);
	} else if (is_much(sum.peer_usec, sum.total_usec)) {
		f = find(j, INVESTIGATION_RECEIVER, service, "");
		if (!f)
			return;
		snprintf(f->text, sizeof(f->text),
			"%s waits for its receivers: %u%% of sendfile's time (%s) it was asleep until they made room.",
			name_holder(service), evidence_percent(sum.peer_usec, sum.total_usec), calls);
	}
}

/* What could not be looked at, or not to its end, in words; "" when that is nothing. Returns buf. */
static const char *list_unseen(const struct investigation *i, char *buf, size_t size)
{
	const struct {
		bool unseen;
		const char *what;
	} list[] = {
		{ !i->rates[INVESTIGATION_SEGMENTED].known, "packets split in software" },
		{ !i->rates[INVESTIGATION_SUMMED].known, "packets summed in software" },
		{ !i->rates[INVESTIGATION_COPIED].known, "sockets that copy" },
		{ !i->has_sockets, "stale connections" },
		{ !i->has_latency, "sendfile" },
		{ i->lost[INVESTIGATION_SEGMENTED] || i->lost[INVESTIGATION_SUMMED] || i->lost[INVESTIGATION_COPIED],
			"whose packets did not fit" },
		{ i->latency.lost, "calls of sendfile that did not fit" },
	};

	buf[0] = '\0';
	for (size_t k = 0; k < ARRAY_SIZE(list); k++)
		if (list[k].unseen)
			util_append(buf, size, "%s%s", buf[0] ? ", " : "", list[k].what);
	return buf;
}

/* Also beside other findings: they are not all that there may be. */
static void judge_unseen(struct judge *j)
{
	struct investigation_finding *f;
	char unseen[256];

	if (!list_unseen(j->i, unseen, sizeof(unseen))[0] && !j->i->link_gone)
		return;
	f = find(j, INVESTIGATION_BLIND, j->i->unit, j->i->only_link);
	if (!f)
		return;
	if (j->i->link_gone)
		util_append(f->text, sizeof(f->text), "%s was removed meanwhile. ", j->i->only_link);
	if (unseen[0])
		util_append(f->text, sizeof(f->text), "Not seen: %s; below is why. ", unseen);
	util_append(f->text, sizeof(f->text), "What could be seen %s.",
		j->n > 1 ? "is told beside this" : "shows nothing");
}

static uint64_t traces(const struct investigation *i)
{
	uint64_t n = 0;

	for (size_t k = 0; k < i->n_fallback; k++)
		n += all_hits(&i->fallback[k]);
	return n;
}

static void judge_nothing(struct judge *j)
{
	struct investigation_finding *f = find(j, INVESTIGATION_WELL, j->i->unit, j->i->only_link);
	uint64_t few = traces(j->i);
	struct evidence_latency_row sum;
	char calls[128];

	if (!f)
		return;
	investigation_sum_latency(j->i, NULL, &sum);
	if (few)
		util_append(f->text, sizeof(f->text), "Next to nothing falls back, %llu packet%s in all,",
			(unsigned long long)few, util_plural(few));
	else
		util_append(f->text, sizeof(f->text), "Nothing falls back");
	util_append(f->text, sizeof(f->text), " and no socket is stale; ");
	if (sum.calls || sum.running)
		util_append(f->text, sizeof(f->text), "sendfile to TCP sockets: %s.", format_calls(&sum, calls, sizeof(calls)));
	else
		util_append(f->text, sizeof(f->text), "no call of sendfile to a TCP socket began%s.",
			j->i->latency.begun ? ", but some ended" : "");
}

/* Costly first; of the same cost, as the verdicts are ordered. */
static int compare_findings(const void *p, const void *q)
{
	const struct investigation_finding *a = p, *b = q;
	int r;

	if (a->cost_usec != b->cost_usec)
		return a->cost_usec < b->cost_usec ? 1 : -1;
	if (a->verdict != b->verdict)
		return a->verdict < b->verdict ? -1 : 1;
	r = strcmp(a->link, b->link);
	return r ? r : strcmp(a->service, b->service);
}

int investigation_judge(
	const struct investigation *i, struct investigation_finding **ret, size_t *ret_n)
{
	struct judge j = { .i = i };

	for (size_t k = 0; k < i->n_fallback; k++)
		judge_fallback(&j, &i->fallback[k]);
	for (size_t k = 0; k < i->n_stale; k++)
		judge_stale(&j, &i->stale[k]);
	for (size_t k = 0; i->latency.has_waits && k < i->latency.n; k++)
		judge_waits(&j, k);
	judge_unseen(&j);
	if (j.n == 0)
		judge_nothing(&j);
	if (j.no_memory || j.n == 0) {
		free(j.findings);
		return -ENOMEM;
	}
	qsort(j.findings, j.n, sizeof(*j.findings), compare_findings);
	*ret = j.findings;
	*ret_n = j.n;
	return 0;
}

static void set_median(struct investigation_metric *m, const struct investigation *a,
	const struct investigation *b, const char *service)
{
	struct evidence_latency_row of_a, of_b;

	investigation_sum_latency(a, service, &of_a);
	investigation_sum_latency(b, service, &of_b);
	snprintf(m->what, sizeof(m->what), "sendfile median%s%s", service ? ", " : "", service ? service : "");
	m->usec = true;
	m->known = of_a.calls && of_b.calls;
	m->a = evidence_quantile(of_a.slots, 500);
	m->b = evidence_quantile(of_b.slots, 500);
}

static uint64_t stale_sockets(const struct investigation *i)
{
	uint64_t n = 0;

	for (size_t k = 0; k < i->n_stale; k++)
		n += i->stale[k].sockets;
	return n;
}

/* From 6.5 on sendfile comes to a socket by splice_to_socket(), through tcp_sendmsg(): before, not. */
static bool is_before_splice(const char *kernel)
{
	unsigned major, minor;

	return sscanf(kernel, "%u.%u", &major, &minor) == 2 && (major < 6 || (major == 6 && minor < 5));
}

/* Why the numbers of a kind are not of the same thing on both sides; NULL where they are. */
static const char *why_other(
	const struct investigation *a, const struct investigation *b, enum investigation_rate rate)
{
	if (!a->kernel[0] || !b->kernel[0] || is_before_splice(a->kernel) == is_before_splice(b->kernel))
		return NULL;
	if (rate == INVESTIGATION_COPIED)
		return "up to Linux 6.4 pages are counted, from 6.5 on calls";
	return rate == INVESTIGATION_SENDMSG ? "sendfile is counted in it from Linux 6.5 on, not before" : NULL;
}

static void set_rates(struct investigation_metric *m, const struct investigation *a,
	const struct investigation *b, enum investigation_rate rate)
{
	m->known = a->rates[rate].known && b->rates[rate].known;
	m->why = m->known ? why_other(a, b, rate) : NULL;
	m->known &= !m->why;
}

int investigation_compare(const struct investigation *a, const struct investigation *b,
	struct investigation_metric **ret, size_t *ret_n)
{
	/* what the work is for the same data: the faster a host sends, the more happens in a second */
	static const enum investigation_rate per_call[] = { INVESTIGATION_PUSH_ONE, INVESTIGATION_SEGMENTED,
		INVESTIGATION_SUMMED, INVESTIGATION_COPIED };
	struct investigation_metric *metrics =
		calloc(a->latency.n + ARRAY_SIZE(per_call) + INVESTIGATION_RATES + 2, sizeof(*metrics)), *m = metrics;
	struct evidence_latency_row sum;
	uint64_t calls_a, calls_b;

	if (!metrics)
		return -ENOMEM;
	investigation_sum_latency(a, NULL, &sum);
	calls_a = sum.calls;
	investigation_sum_latency(b, NULL, &sum);
	calls_b = sum.calls;
	set_median(m++, a, b, NULL);
	for (size_t k = 0; k < a->latency.n; k++)
		if (k == 0 || strcmp(a->latency.rows[k].service, a->latency.rows[k - 1].service))
			set_median(m++, a, b, a->latency.rows[k].service);
	for (size_t k = 0; k < ARRAY_SIZE(per_call); k++, m++) {
		snprintf(m->what, sizeof(m->what), "%s a call of sendfile", investigation_rate_name(per_call[k]));
		set_rates(m, a, b, per_call[k]);
		m->known &= metrics[0].known;
		m->a = a->rates[per_call[k]].n / (calls_a ? calls_a : 1);
		m->b = b->rates[per_call[k]].n / (calls_b ? calls_b : 1);
	}
	for (unsigned k = 0; k < INVESTIGATION_RATES; k++, m++) {
		snprintf(m->what, sizeof(m->what), "%s a second", investigation_rate_name(k));
		set_rates(m, a, b, k);
		m->a = investigation_per_sec(a, a->rates[k].n);
		m->b = investigation_per_sec(b, b->rates[k].n);
	}
	*m++ = (struct investigation_metric){ .what = "stale connections",
		.known = a->has_sockets && b->has_sockets, .a = stale_sockets(a),
		.b = stale_sockets(b) };
	*ret = metrics;
	*ret_n = (size_t)(m - metrics);
	return 0;
}
