/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "evidence/evidence.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/hash.h"
#include "basic/util.h"

/* ---- kinds ---- */

static const char *const kind_names[FALLBACK_KINDS] = {
	[FALLBACK_SENDPAGE] = "sendpage",
	[FALLBACK_SPLICE] = "splice",
	[FALLBACK_SEGMENTATION] = "segmentation",
	[FALLBACK_CHECKSUM] = "checksum",
	[FALLBACK_UDP] = "udp-segmentation",
};

static const char *const origin_names[FALLBACK_ORIGINS] = {
	[FALLBACK_SOCKET] = "local",
	[FALLBACK_FORWARDED] = "forwarded",
	[FALLBACK_KERNEL] = "kernel",
};

static const char *const reason_names[FALLBACK_REASONS] = {
	[FALLBACK_REASON_UNKNOWN] = "unknown",
	[FALLBACK_REASON_FEATURE] = "feature",
	[FALLBACK_REASON_XDP] = "xdp",
	[FALLBACK_REASON_SIZE] = "size-limit",
	[FALLBACK_REASON_IPV4_SIZE] = "ipv4-size-limit",
	[FALLBACK_REASON_SEGMENTS] = "segments-limit",
	[FALLBACK_REASON_VLAN] = "vlan",
	[FALLBACK_REASON_ENCAPSULATION] = "encapsulation",
	[FALLBACK_REASON_HEADERS] = "headers",
	[FALLBACK_REASON_DRIVER] = "driver",
	[FALLBACK_REASON_MTU] = "mtu",
	[FALLBACK_REASON_QDISC] = "qdisc",
	[FALLBACK_REASON_FORCED] = "forced",
	[FALLBACK_REASON_STALE] = "stale",
};

const char *evidence_kind_name(enum fallback_kind kind)
{
	return kind < FALLBACK_KINDS ? kind_names[kind] : "unknown";
}

const char *evidence_origin_name(enum fallback_origin origin)
{
	return origin < FALLBACK_ORIGINS ? origin_names[origin] : "unknown";
}

const char *evidence_reason_name(enum fallback_reason reason)
{
	return reason_names[reason < FALLBACK_REASONS ? reason : FALLBACK_REASON_UNKNOWN];
}

static unsigned find_name(const char *const *names, unsigned n, const char *name)
{
	unsigned i = 0;

	while (i < n && strcmp(names[i], name) != 0)
		i++;
	return i;
}

enum fallback_kind evidence_kind_parse(const char *name)
{
	return (enum fallback_kind)find_name(kind_names, FALLBACK_KINDS, name);
}

enum fallback_origin evidence_origin_parse(const char *name)
{
	return (enum fallback_origin)find_name(origin_names, FALLBACK_ORIGINS, name);
}

enum fallback_reason evidence_reason_parse(const char *name)
{
	unsigned reason = name ? find_name(reason_names, FALLBACK_REASONS, name) : FALLBACK_REASONS;

	return reason == FALLBACK_REASONS ? FALLBACK_REASON_UNKNOWN : (enum fallback_reason)reason;
}

/* ---- rows ---- */

#define SLOTS (2 * EVIDENCE_ROWS_MAX) /* a power of two */

/* A probe that has counted ten thousand combinations finds the row of each. Returns the slot of the row with this key, or the free one
 * where it belongs. is_row: whether a row has the key. */
static uint16_t *find_slot(uint16_t *slots, unsigned kind, const char *service, const char *link,
	bool (*is_row)(const void *rows, size_t row, unsigned kind, const char *service, const char *link), const void *rows)
{
	uint64_t hash = hash_more(kind, service, strlen(service) + 1);
	size_t at = hash_more(hash, link, strlen(link)) >> 32;

	for (at %= SLOTS; slots[at] && !is_row(rows, slots[at] - 1U, kind, service, link); at = (at + 1) % SLOTS)
		;
	return &slots[at];
}

static unsigned kind_of(enum fallback_origin origin, enum fallback_reason reason)
{
	return (unsigned)origin * FALLBACK_REASONS + (unsigned)reason;
}

static bool is_fallback_row(const void *rows, size_t row, unsigned kind, const char *service, const char *link)
{
	const struct evidence_fallback *f = (const struct evidence_fallback *)rows + row;

	return kind_of(f->origin, f->reason) == kind && !strcmp(f->service, service) && !strcmp(f->link, link);
}

static bool is_stale_row(const void *rows, size_t row, _unused_ unsigned kind, const char *service, const char *link)
{
	const struct evidence_stale *s = (const struct evidence_stale *)rows + row;

	return !strcmp(s->service, service) && !strcmp(s->link, link);
}

static uint16_t *find_fallback_slot(struct evidence *e, unsigned kind, const char *service, const char *link)
{
	const struct evidence_fallback *row = e->fallback;

	if (!e->fallback_slots) {
		e->fallback_slots = calloc(SLOTS, sizeof(*e->fallback_slots));
		for (size_t i = 0; e->fallback_slots && i < e->n_fallback; i++, row++)
			*find_slot(e->fallback_slots, kind_of(row->origin, row->reason), row->service, row->link, is_fallback_row,
				e->fallback) = (uint16_t)(i + 1);
	}
	return e->fallback_slots ? find_slot(e->fallback_slots, kind, service, link, is_fallback_row, e->fallback) : NULL;
}

static uint16_t *find_stale_slot(struct evidence *e, const char *service, const char *link)
{
	const struct evidence_stale *row = e->stale;

	if (!e->stale_slots) {
		e->stale_slots = calloc(SLOTS, sizeof(*e->stale_slots));
		for (size_t i = 0; e->stale_slots && i < e->n_stale; i++, row++)
			*find_slot(e->stale_slots, 0, row->service, row->link, is_stale_row, e->stale) = (uint16_t)(i + 1);
	}
	return e->stale_slots ? find_slot(e->stale_slots, 0, service, link, is_stale_row, e->stale) : NULL;
}

struct evidence_fallback *evidence_fallback_row(struct evidence *e, enum fallback_origin origin, enum fallback_reason reason,
	const char *service, const char *link)
{
	uint16_t *slot = find_fallback_slot(e, kind_of(origin, reason), service, link);
	struct evidence_fallback *row;

	if (slot && *slot)
		return &e->fallback[*slot - 1];
	if (!slot || e->n_fallback == EVIDENCE_ROWS_MAX || !GROW(e->fallback, e->n_fallback)) {
		e->omitted++;
		return NULL;
	}
	row = &e->fallback[e->n_fallback++];
	*slot = (uint16_t)e->n_fallback;
	*row = (struct evidence_fallback){ .origin = origin, .reason = reason };
	for (unsigned kind = 0; kind < FALLBACK_KINDS; kind++)
		row->hits[kind].idle_usec = EVIDENCE_IDLE_UNKNOWN;
	snprintf(row->service, sizeof(row->service), "%s", service);
	snprintf(row->link, sizeof(row->link), "%s", link);
	return row;
}

static struct evidence_stale *find_row(const struct evidence *e, const char *service, const char *link)
{
	if (e->stale_slots) {
		uint16_t row = *find_slot(e->stale_slots, 0, service, link, is_stale_row, e->stale);

		return row ? &e->stale[row - 1] : NULL;
	}
	for (size_t i = 0; i < e->n_stale; i++)
		if (!strcmp(e->stale[i].service, service) && !strcmp(e->stale[i].link, link))
			return &e->stale[i];
	return NULL;
}

const struct evidence_stale *evidence_find_stale(const struct evidence *e, const char *service, const char *link)
{
	const struct evidence_stale *row = find_row(e, service, link);

	return row && evidence_has_connections(row) ? row : NULL;
}

const struct evidence_stale *evidence_find_service(const struct evidence *e, const char *service)
{
	for (size_t i = 0; i < e->n_stale; i++)
		if (!strcmp(e->stale[i].service, service))
			return &e->stale[i];
	return NULL;
}

struct evidence_stale *evidence_stale_row(struct evidence *e, const char *service, const char *link)
{
	uint16_t *slot = find_stale_slot(e, service, link);
	struct evidence_stale *row;

	if (slot && *slot)
		return &e->stale[*slot - 1];
	if (!slot || e->n_stale == EVIDENCE_ROWS_MAX || !GROW(e->stale, e->n_stale)) {
		e->omitted++;
		e->sockets_dropped++;
		return NULL;
	}
	row = &e->stale[e->n_stale++];
	*slot = (uint16_t)e->n_stale;
	*row = (struct evidence_stale){ .unit = { .kind = UNIT_NONE } };
	snprintf(row->service, sizeof(row->service), "%s", service);
	snprintf(row->link, sizeof(row->link), "%s", link);
	return row;
}

void evidence_add_stale(struct evidence *e, const struct evidence_stale *more)
{
	struct evidence_stale *row = evidence_stale_row(e, more->service, more->link);

	if (!row && more->sockets)
		e->sockets_dropped += more->sockets - 1;
	if (!row)
		return;
	if (row->sockets == 0) {
		*row = *more;
		return;
	}
	row->sockets += more->sockets;
	row->senders += more->senders;
	row->hits += more->hits;
	row->missing |= more->missing;
	util_earlier(&row->since_usec, more->since_usec);
	for (unsigned i = 0; i < more->n_samples && row->n_samples < SOCKET_SAMPLES; i++)
		row->samples[row->n_samples++] = more->samples[i];
}

int evidence_add_socket(struct evidence *e, const struct evidence_socket *row)
{
	if (!GROW(e->sockets, e->n_sockets))
		return -ENOMEM;
	e->sockets[e->n_sockets++] = *row;
	return 0;
}

void evidence_add_probe(struct evidence *e, const struct evidence_probe *probe)
{
	if (e->n_probes < EVIDENCE_PROBES_MAX)
		e->probes[e->n_probes++] = *probe;
}

feature_set evidence_add_feature(struct evidence *e, const char *name)
{
	struct feature_table *table = &e->features;
	int bit = feature_bit(table, name);

	if (bit < 0 && table->count < FEATURE_MAX && strlen(name) < FEATURE_NAME_LEN &&
		feature_table_add(table, table->count, name, strlen(name)) == 0)
		bit = feature_bit(table, name);
	return bit < 0 ? 0 : FEATURE(bit);
}

void evidence_set_missing(struct evidence_fallback *row, const struct feature_table *table, const struct link_features *now)
{
	feature_set generic = feature_named(table, "tx-checksum-ip-generic");
	feature_set csum = generic | feature_named(table, "tx-checksum-ipv4") | feature_named(table, "tx-checksum-ipv6");
	feature_set lacked = row->lacked, sums = lacked & csum, off;

	lacked &= ~csum;
	row->has_again = row->unsupported = false;
	row->missing = 0;
	if (row->reason != FALLBACK_REASON_FEATURE)
		return;
	if (!now) {
		row->missing = lacked | (sums ? generic : 0);
		return;
	}
	if (sums & now->active) /* each of them is sufficient */
		sums &= now->active;
	else if (sums)
		sums = sums & (now->hw | now->wanted) ? sums & (now->hw | now->wanted) : generic;
	lacked |= sums | (feature_named(table, "tx-scatter-gather") & ~now->active);
	off = lacked & ~now->active;
	row->has_again = lacked && !off;
	row->unsupported = off && !(off & now->hw & ~now->nochange);
	row->missing = off ? off : lacked;
}

/* ---- order ---- */

uint64_t evidence_sum_hits(const struct evidence_fallback *row)
{
	uint64_t n = 0;

	for (unsigned kind = 0; kind < FALLBACK_KINDS; kind++)
		n += row->hits[kind].n;
	return n;
}

uint64_t evidence_sum_copied(const struct evidence_fallback *row)
{
	return row->hits[FALLBACK_SENDPAGE].n + row->hits[FALLBACK_SPLICE].n;
}

static int compare_fallback(const void *p, const void *q)
{
	const struct evidence_fallback *a = p, *b = q;
	uint64_t x = evidence_sum_hits(a), y = evidence_sum_hits(b);
	int r;

	if (x != y)
		return x < y ? 1 : -1;
	r = strcmp(a->link, b->link);
	return r ? r : strcmp(a->service, b->service);
}

static int compare_sockets(const void *p, const void *q)
{
	const struct evidence_socket *a = p, *b = q;
	int r = strcmp(a->link, b->link);

	if (r == 0)
		r = strcmp(a->service, b->service);
	if (r == 0)
		r = (a->info.family > b->info.family) - (a->info.family < b->info.family);
	if (r == 0)
		r = memcmp(a->info.local, b->info.local, sizeof(a->info.local));
	if (r == 0)
		r = a->info.local_port - b->info.local_port;
	if (r == 0)
		r = memcmp(a->info.remote, b->info.remote, sizeof(a->info.remote));
	return r ? r : a->info.remote_port - b->info.remote_port;
}

void evidence_sort(struct evidence *e)
{
	free(e->fallback_slots);
	e->fallback_slots = NULL;
	if (e->n_fallback > 1)
		qsort(e->fallback, e->n_fallback, sizeof(*e->fallback), compare_fallback);
	if (e->n_sockets > 1)
		qsort(e->sockets, e->n_sockets, sizeof(*e->sockets), compare_sockets);
	evidence_latency_sort(&e->latency);
}

void evidence_clear(struct evidence *e)
{
	for (size_t i = 0; i < e->n_sockets; i++)
		free(e->sockets[i].service);
	free(e->sockets);
	free(e->fallback);
	free(e->stale);
	free(e->fallback_slots);
	free(e->stale_slots);
	evidence_latency_clear(&e->latency);
	*e = (struct evidence){};
}

/* ---- conclusions ---- */


size_t evidence_count_now(const struct evidence *e)
{
	size_t n = 0;

	for (size_t i = 0; i < e->n_fallback; i++)
		for (unsigned kind = 0; kind < FALLBACK_KINDS; kind++)
			n += e->fallback[i].hits[kind].now;
	return n;
}

uint64_t evidence_count_stale(const struct evidence *e)
{
	uint64_t n = 0;

	for (size_t i = 0; i < e->n_stale; i++)
		n += e->stale[i].sockets;
	return n;
}

size_t evidence_count_stale_sockets(const struct evidence *e)
{
	size_t n = 0;

	for (size_t i = 0; i < e->n_sockets; i++)
		n += e->sockets[i].missing != 0;
	return n;
}

unsigned evidence_unobserved(const struct evidence *e)
{
	unsigned absent = 0, running = 0;

	for (size_t i = 0; i < e->n_probes; i++) {
		enum fallback_kind kind = !strcmp(e->probes[i].name, EVIDENCE_BY_PROCESS) ? FALLBACK_SENDPAGE
											   : evidence_kind_parse(e->probes[i].name);

		if (kind < FALLBACK_KINDS)
			*(e->probes[i].method ? &running : &absent) |= 1U << kind;
	}
	return absent & ~running;
}

bool evidence_lost_within(const struct evidence *e, uint64_t usec)
{
	uint64_t lost = e->omitted;

	for (unsigned kind = 0; kind < FALLBACK_KINDS; kind++)
		lost += e->lost[kind];
	return lost && e->lost_idle_usec < usec;
}

bool evidence_is_complete(const struct evidence *e)
{
	return !evidence_lost_within(e, EVIDENCE_NOW_USEC) && !e->sockets_dropped;
}

bool evidence_sees_restart(const struct evidence *e)
{
	return e->has_sockets && !(evidence_unobserved(e) & 1U << FALLBACK_UDP) && !e->udp_undecided && !e->sockets_dropped;
}

enum remedy evidence_find_remedy(const struct evidence_fallback *row, const struct link_result *result, bool stale)
{
	static const struct {
		enum verdict verdict;
		enum remedy remedy;
	} order[] = {
		{ VERDICT_CONTENDED, REMEDY_CONTEND },
		{ VERDICT_PAUSED, REMEDY_RESUME },
		{ VERDICT_DRIFTED, REMEDY_REPAIR },
		{ VERDICT_BLOCKED, REMEDY_NOT_POSSIBLE },
		{ VERDICT_UNSUPPORTED, REMEDY_NOT_POSSIBLE },
		{ VERDICT_REFUSED, REMEDY_NOT_POSSIBLE },
		{ VERDICT_COMPLIANT, REMEDY_RULE },
	};
	bool lacks = row->missing && !row->has_again;

	if (stale && !lacks)
		return REMEDY_RECONNECT;
	if (!row->ifindex)
		return REMEDY_UNKNOWN;
	if (row->reason == FALLBACK_REASON_STALE)
		return REMEDY_OVER; /* these connections are closed by now */
	if (row->reason != FALLBACK_REASON_FEATURE)
		return REMEDY_REASON;
	if (!lacks)
		return row->has_again ? REMEDY_OVER : REMEDY_UNKNOWN;
	for (size_t i = 0; result && i < ARRAY_SIZE(order); i++)
		if (result->features[order[i].verdict] & row->missing)
			return order[i].remedy;
	return row->unsupported ? REMEDY_UNSUPPORTED : REMEDY_DECLARE;
}

void evidence_set_remedy(const struct evidence *e, struct evidence_fallback *row, const struct link_result *result)
{
	row->verdict = result && result->declared ? verdict_name(link_result_verdict(result)) : NULL;
	row->remedy = evidence_find_remedy(row, result, evidence_find_stale(e, row->service, row->link) != NULL);
}

/* ---- latency ---- */

static void add_latency(struct evidence_latency_row *to, const struct evidence_latency_row *row)
{
	to->calls += row->calls;
	to->total_usec += row->total_usec;
	to->disk_usec += row->disk_usec;
	to->peer_usec += row->peer_usec;
	to->running += row->running;
	if (to->longest_usec < row->longest_usec)
		to->longest_usec = row->longest_usec;
	for (size_t i = 0; i < LATENCY_SLOTS; i++)
		to->slots[i] += row->slots[i];
}

int evidence_latency_add(struct evidence_latency *latency, const struct evidence_latency_row *row)
{
	for (size_t i = 0; i < latency->n; i++)
		if (latency->rows[i].fallback == row->fallback && !strcmp(latency->rows[i].service, row->service)) {
			add_latency(&latency->rows[i], row);
			return 0;
		}
	if (!GROW(latency->rows, latency->n))
		return -ENOMEM;
	latency->rows[latency->n++] = *row;
	return 0;
}

void evidence_latency_sum(const struct evidence_latency *latency, const char *service, struct evidence_latency_row *ret)
{
	*ret = (struct evidence_latency_row){};
	for (size_t i = 0; i < latency->n; i++)
		if (!service || !strcmp(service, latency->rows[i].service))
			add_latency(ret, &latency->rows[i]);
}

static int compare_latency(const void *p, const void *q)
{
	const struct evidence_latency_row *a = p, *b = q;
	int r = strcmp(a->service, b->service);

	return r ? r : b->fallback - a->fallback;
}

void evidence_latency_sort(struct evidence_latency *latency)
{
	if (latency->n > 1)
		qsort(latency->rows, latency->n, sizeof(*latency->rows), compare_latency);
}

void evidence_latency_clear(struct evidence_latency *latency)
{
	free(latency->rows);
	*latency = (struct evidence_latency){};
}

uint64_t evidence_quantile(const uint64_t slots[LATENCY_SLOTS], unsigned permille)
{
	uint64_t calls = 0, before = 0;
	double rank;

	for (unsigned i = 0; i < LATENCY_SLOTS; i++)
		calls += slots[i];
	if (calls == 0)
		return 0;
	rank = (double)calls * permille / 1000;
	for (unsigned i = 0; i < LATENCY_SLOTS; i++) {
		double from = i ? (double)(UINT64_C(1) << i) : 0, width = i ? from : 2;

		if (slots[i] && (double)(before + slots[i]) >= rank)
			return (uint64_t)(from + width * (rank - (double)before) / (double)slots[i]);
		before += slots[i];
	}
	return UINT64_C(1) << LATENCY_SLOTS;
}

unsigned evidence_percent(uint64_t part, uint64_t whole)
{
	double percent = whole ? 100.0 * (double)part / (double)whole + 0.5 : 0;

	return percent > 100 ? 100 : (unsigned)percent;
}
