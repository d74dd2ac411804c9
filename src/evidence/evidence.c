/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "evidence/evidence.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/util.h"

/* Room for one more element; NULL where memory ran out. */
static void *grow(void *array, size_t n, size_t *room, size_t size)
{
	size_t more = *room ? 2 * *room : 16;

	if (n < *room)
		return array;
	array = reallocarray(array, more, size);
	if (array)
		*room = more;
	return array;
}

int evidence_sockets_add(struct evidence_sockets *sockets, const struct evidence_socket *row)
{
	struct evidence_socket *rows =
		grow(sockets->rows, sockets->n, &sockets->room, sizeof(*rows));

	if (!rows)
		return -ENOMEM;
	sockets->rows = rows;
	rows[sockets->n++] = *row;
	return 0;
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

void evidence_sockets_sort(struct evidence_sockets *sockets)
{
	if (sockets->n > 1)
		qsort(sockets->rows, sockets->n, sizeof(*sockets->rows), compare_sockets);
}

size_t evidence_sockets_stale(const struct evidence_sockets *sockets)
{
	size_t n = 0;

	for (size_t i = 0; i < sockets->n; i++)
		n += sockets->rows[i].missing != 0;
	return n;
}

void evidence_sockets_clear(struct evidence_sockets *sockets)
{
	for (size_t i = 0; i < sockets->n; i++)
		free(sockets->rows[i].service);
	free(sockets->rows);
	*sockets = (struct evidence_sockets){};
}

const char *evidence_state_name(unsigned state)
{
	static const char *const names[] = { "UNKNOWN", "ESTABLISHED", "SYN-SENT", "SYN-RECV",
		"FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "CLOSE", "CLOSE-WAIT", "LAST-ACK", "LISTEN",
		"CLOSING", "NEW-SYN-RECV" };

	return names[state < ARRAY_SIZE(names) ? state : 0];
}

int evidence_latency_add(struct evidence_latency *latency, const struct evidence_latency_row *row)
{
	struct evidence_latency_row *rows;

	for (size_t i = 0; i < latency->n; i++) {
		struct evidence_latency_row *known = &latency->rows[i];

		if (known->fallback != row->fallback || strcmp(known->service, row->service))
			continue;
		known->calls += row->calls;
		known->total_usec += row->total_usec;
		known->disk_usec += row->disk_usec;
		known->peer_usec += row->peer_usec;
		known->running += row->running;
		if (known->longest_usec < row->longest_usec)
			known->longest_usec = row->longest_usec;
		for (size_t j = 0; j < EVIDENCE_SLOTS; j++)
			known->slots[j] += row->slots[j];
		return 0;
	}
	rows = grow(latency->rows, latency->n, &latency->room, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	latency->rows = rows;
	rows[latency->n++] = *row;
	return 0;
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

uint64_t evidence_quantile(const uint64_t slots[EVIDENCE_SLOTS], unsigned permille)
{
	uint64_t calls = 0, before = 0;
	double rank;

	for (unsigned i = 0; i < EVIDENCE_SLOTS; i++)
		calls += slots[i];
	if (calls == 0)
		return 0;
	rank = (double)calls * permille / 1000;
	for (unsigned i = 0; i < EVIDENCE_SLOTS; i++) {
		double from = i ? (double)(UINT64_C(1) << i) : 0, width = i ? from : 2;

		if (slots[i] && (double)(before + slots[i]) >= rank)
			return (uint64_t)(from + width * (rank - (double)before) / (double)slots[i]);
		before += slots[i];
	}
	return UINT64_C(1) << EVIDENCE_SLOTS;
}

unsigned evidence_percent(uint64_t part, uint64_t whole)
{
	double percent = whole ? 100.0 * (double)part / (double)whole + 0.5 : 0;

	return percent > 100 ? 100 : (unsigned)percent;
}
