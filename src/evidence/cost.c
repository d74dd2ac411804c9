/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "evidence/cost.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "basic/util.h"

#define AFFECTED_PERCENT 90
/* A cost that differs by less than a quarter is no difference. */
#define LOWER_PERCENT 80
#define HIGHER_PERCENT 125
#define SAME_LOW_PERCENT 70
#define SAME_HIGH_PERCENT 143

static uint64_t grown(uint64_t from, uint64_t to)
{
	return to > from ? to - from : 0;
}

int cost_order_links(const void *a, const void *b)
{
	return COMPARE(((const struct cost_link *)a)->ifindex, ((const struct cost_link *)b)->ifindex);
}

int cost_order_groups(const void *a, const void *b)
{
	return COMPARE(((const struct cost_group *)a)->cgroup, ((const struct cost_group *)b)->cgroup);
}

int cost_order_sockets(const void *a, const void *b)
{
	return COMPARE(((const struct cost_socket *)a)->cookie, ((const struct cost_socket *)b)->cookie);
}

const struct cost_link *cost_find_link(const struct cost_sample *sample, int ifindex)
{
	const struct cost_link key = { .ifindex = ifindex };

	return sample->n_links ? bsearch(&key, sample->links, sample->n_links, sizeof(key), cost_order_links) : NULL;
}

const struct cost_group *cost_find_group(const struct cost_sample *sample, uint64_t cgroup)
{
	const struct cost_group key = { .cgroup = cgroup };

	return sample->n_groups ? bsearch(&key, sample->groups, sample->n_groups, sizeof(key), cost_order_groups) : NULL;
}

static uint64_t bytes_since(const struct cost_sample *from, const struct cost_socket *socket)
{
	const struct cost_socket *before =
		from->n_sockets ? bsearch(socket, from->sockets, from->n_sockets, sizeof(*socket), cost_order_sockets) : NULL;

	return before ? grown(before->bytes, socket->bytes) : socket->bytes;
}

/* n_uses becomes more than COST_SERVICE_LINKS if there are too many. */
static void add_use(struct cost_service *service, int ifindex, uint64_t bytes)
{
	unsigned i = 0;

	service->bytes += bytes;
	while (i < service->n_uses && i < COST_SERVICE_LINKS && service->uses[i].ifindex != ifindex)
		i++;
	if (i < COST_SERVICE_LINKS)
		service->uses[i] = (struct cost_use){ ifindex, bytes + (i < service->n_uses ? service->uses[i].bytes : 0) };
	service->n_uses += i == service->n_uses;
}

/* seen: bytes of connections, by the index of the link in the later sample. False: a link of it has no counter. */
static bool add_unseen(const struct cost_sample *from, const struct cost_sample *to, const uint64_t *seen, struct cost_service *service)
{
	for (unsigned i = 0; i < service->n_uses; i++) {
		const struct cost_link *before = cost_find_link(from, service->uses[i].ifindex);
		const struct cost_link *now = cost_find_link(to, service->uses[i].ifindex);

		if (!before || !now || !before->has_bytes || !now->has_bytes)
			return false;
		service->unseen += grown(seen[now - to->links], grown(before->bytes, now->bytes));
	}
	return true;
}

int cost_compare(const struct cost_sample *from, const struct cost_sample *to, struct cost_service **ret, size_t *ret_n)
{
	_cleanup_free_ uint64_t *seen = calloc(to->n_links + 1, sizeof(*seen));
	_cleanup_free_ struct cost_service *services = calloc(to->n_groups + 1, sizeof(*services));
	uint64_t duration_usec = grown(from->end_usec, to->begin_usec), reading_usec;
	size_t n = 0;

	if (!seen || !services)
		return -ENOMEM;
	for (size_t i = 0; i < to->n_sockets; i++) {
		const struct cost_socket *socket = &to->sockets[i];
		const struct cost_group *group = cost_find_group(to, socket->cgroup);
		const struct cost_link *link = cost_find_link(to, socket->ifindex);
		uint64_t bytes = bytes_since(from, socket);

		if (link)
			seen[link - to->links] += bytes;
		if (group)
			add_use(&services[group - to->groups], socket->ifindex, bytes);
	}
	reading_usec = grown(from->begin_usec, from->end_usec) + grown(to->begin_usec, to->end_usec);
	for (size_t i = 0; i < to->n_groups && duration_usec; i++) {
		const struct cost_group *group = &to->groups[i], *before = cost_find_group(from, group->cgroup);
		struct cost_service service = services[i];

		if (!group->path || !before || !before->path || service.n_uses > COST_SERVICE_LINKS || !add_unseen(from, to, seen, &service))
			continue;
		service.cgroup = group->cgroup;
		service.path = group->path;
		service.cpu_usec = grown(before->cpu_usec, group->cpu_usec);
		service.softirq_usec = grown(from->softirq_usec, to->softirq_usec);
		service.duration_usec = duration_usec;
		service.slack_usec = COST_TICK_USEC + service.cpu_usec * reading_usec / duration_usec;
		services[n++] = service;
	}
	*ret = TAKE_PTR(services);
	*ret_n = n;
	return 0;
}

void cost_add(struct cost_service *sum, const struct cost_service *next)
{
	sum->cpu_usec += next->cpu_usec;
	sum->bytes += next->bytes;
	sum->on_links += next->on_links;
	sum->unseen += next->unseen;
	sum->slack_usec += next->slack_usec;
	sum->softirq_usec += next->softirq_usec;
	sum->duration_usec += next->duration_usec;
}

bool cost_is_enough(const struct cost_service *service)
{
	return service->bytes >= COST_MIN_BYTES && service->cpu_usec > 2 * service->slack_usec &&
	       service->on_links >= service->bytes / 100 * AFFECTED_PERCENT;
}

static uint64_t per_gb(uint64_t usec, uint64_t bytes)
{
	return bytes ? (uint64_t)((unsigned __int128)usec * COST_GB / bytes) : 0;
}

uint64_t cost_per_gb(const struct cost_service *service)
{
	return per_gb(service->cpu_usec, service->bytes);
}

uint64_t cost_softirq_per_gb(const struct cost_service *service)
{
	return per_gb(service->softirq_usec, service->bytes + service->unseen);
}

struct range {
	uint64_t low, high;
};

static struct range range_of(const struct cost_service *s)
{
	return (struct range){ per_gb(grown(s->slack_usec, s->cpu_usec), s->bytes + s->unseen), per_gb(s->cpu_usec + s->slack_usec, s->bytes) };
}

static bool is_below(uint64_t a, uint64_t percent, uint64_t b)
{
	return (unsigned __int128)a * 100 < (unsigned __int128)b * percent;
}

static enum cost_verdict judge(const struct cost_service *before, const struct cost_service *after)
{
	struct range was = range_of(before), is = range_of(after);

	if (is_below(is.high, LOWER_PERCENT, was.low))
		return COST_HELPED;
	if (!is_below(is.low, HIGHER_PERCENT, was.high))
		return COST_WORSE;
	if (!is_below(is.low, SAME_LOW_PERCENT, was.high) && is_below(is.high, SAME_HIGH_PERCENT, was.low))
		return COST_SAME;
	return COST_UNKNOWN;
}

/* Soft interrupts are of the whole host, and some of their time is in the CPU time of services, too. */
static bool is_moved(enum cost_verdict verdict, const struct cost_service *before, const struct cost_service *after)
{
	uint64_t was = cost_per_gb(before), is = cost_per_gb(after);
	uint64_t softirq_was = cost_softirq_per_gb(before), softirq_is = cost_softirq_per_gb(after);

	switch (verdict) {
	case COST_HELPED:
		return grown(softirq_was, softirq_is) >= grown(is, was);
	case COST_WORSE:
		return grown(softirq_is, softirq_was) >= grown(was, is);
	case COST_SAME:
		return (grown(softirq_was, softirq_is) + grown(softirq_is, softirq_was)) >= was / 100 * (100 - LOWER_PERCENT);
	case COST_UNKNOWN:
		break;
	}
	return false;
}

enum cost_verdict cost_judge(const struct cost_service *before, const struct cost_service *after, const struct cost_service *later,
	enum finding_unknown *ret)
{
	enum cost_verdict verdict = judge(before, after), second = judge(before, later);
	struct cost_service both = *after;

	cost_add(&both, later);
	*ret = UNKNOWN_NOT;
	if (!after->duration_usec || !later->duration_usec)
		*ret = UNKNOWN_SERVICE_GONE;
	else if (!cost_is_enough(before) || !cost_is_enough(after) || !cost_is_enough(later))
		*ret = UNKNOWN_LITTLE_TRAFFIC;
	else if (verdict != second)
		*ret = UNKNOWN_UNSTEADY;
	else if (verdict == COST_UNKNOWN)
		*ret = UNKNOWN_UNCERTAIN;
	else if (is_moved(verdict, before, &both))
		*ret = UNKNOWN_SOFTIRQ;
	return *ret == UNKNOWN_NOT ? verdict : COST_UNKNOWN;
}
