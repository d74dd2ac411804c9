/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What it costs a service to send and receive: CPU time of its cgroup per byte of its TCP connections, from two samples of what the
 * kernel counts anyway. Reading a sample needs no privilege and no probe. Comparing samples is pure. */
#ifndef OFFLOADD_COST_H
#define OFFLOADD_COST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/cgroup.h"
#include "kernel/traffic.h"
#include "model/finding.h"
#include "model/link.h"

#define COST_SOCKETS_MAX 16384 /* of a sample; with more of them nothing is known */
#define COST_GROUPS_MAX 256
#define COST_SERVICE_LINKS 8 /* a service whose sockets are on more links is not measured */
#define COST_MIN_BYTES (UINT64_C(16) * 1024 * 1024) /* in a window with less, other work of the service costs more than its traffic */
#define COST_TICK_USEC (UINT64_C(20) * 1000)	    /* the time of a running task is charged at the next tick: two ticks of HZ=100 */
#define COST_GB UINT64_C(1000000000)

/* ---- samples ---- */

struct cost_socket {
	uint64_t cookie, cgroup, bytes;
	int ifindex; /* the link that has its local address */
};

struct cost_link {
	int ifindex;
	bool used;	    /* by a connection of the sample */
	bool has_bytes;	    /* only of those that are used */
	uint64_t bytes;	    /* received and sent */
	feature_set active; /* 0 until they are read */
};

struct cost_group {
	uint64_t cgroup, cpu_usec;
	char *path; /* owned; NULL: not found, and then there is no cpu_usec */
};

/* Starts zeroed. */
struct cost_sample {
	uint64_t begin_usec, end_usec; /* CLOCK_MONOTONIC; end_usec 0: empty */
	uint64_t softirq_usec;	       /* of all CPUs */
	struct cost_socket *sockets;   /* ascending by cookie; connections to another address of this host are left out */
	struct cost_link *links;       /* ascending by index */
	struct cost_group *groups;     /* ascending by cgroup; of these sockets */
	size_t n_sockets, n_links, n_groups;
};

/* A sample that is being read. Starts zeroed. */
struct cost_reading {
	struct cost_sample sample;
	struct traffic_scan scan;
	struct cost_address *addresses;
	size_t n_addresses;
	struct cgroup_walk walk;
	size_t missing; /* groups whose path is not known yet */
	size_t next;	/* the link or group to read next */
	enum cost_stage {
		COST_STAGE_NONE, /* it has not begun */
		COST_STAGE_ADDRESSES,
		COST_STAGE_SOCKETS,
		COST_STAGE_LINKS,
		COST_STAGE_PATHS,
		COST_STAGE_CPU,
		COST_STAGE_COUNT,
	} stage;
	int error;
};

/* Reads a slice of a sample, until until_usec (CLOCK_MONOTONIC). before: an older one, whose paths need not be searched. 0: *ret has it,
 * cost_sample_clear() it; -EAGAIN: call it again; -E2BIG: there are too many sockets or cgroups; other negative errno. */
int cost_read(struct cost_reading *reading, struct link_table *links, const struct cost_sample *before, uint64_t until_usec,
	struct cost_sample *ret);
void cost_end_reading(struct cost_reading *reading);
void cost_sample_clear(struct cost_sample *sample);

/* For qsort() and bsearch(). */
int cost_order_links(const void *a, const void *b);
int cost_order_groups(const void *a, const void *b);
int cost_order_sockets(const void *a, const void *b);

/* The link or cgroup in a sample, NULL if it is not there. */
const struct cost_link *cost_find_link(const struct cost_sample *sample, int ifindex);
const struct cost_group *cost_find_group(const struct cost_sample *sample, uint64_t cgroup);

/* ---- windows: the time between two samples ---- */

struct cost_use {
	int ifindex;
	uint64_t bytes;
};

struct cost_service {
	uint64_t cgroup;
	const char *path;  /* borrowed from the later sample */
	uint64_t cpu_usec;
	uint64_t bytes;	   /* of its connections */
	struct cost_use uses[COST_SERVICE_LINKS]; /* by link */
	unsigned n_uses;
	uint64_t on_links; /* the part on the links that were changed; the caller sets it */
	uint64_t unseen;   /* bytes of its links that are of no connection in the later sample: headers, UDP, connections that ended, others */
	uint64_t slack_usec;	/* how wrong cpu_usec may be, because nothing is read at one moment */
	uint64_t softirq_usec;	/* of the host, whoever caused it */
	uint64_t duration_usec; /* of the window */
};

/* The services with known CPU time in both samples. *ret is the caller's to free. 0, -ENOMEM. */
int cost_compare(const struct cost_sample *from, const struct cost_sample *to, struct cost_service **ret, size_t *ret_n);

/* Adds the next window of the same service, without its links. */
void cost_add(struct cost_service *sum, const struct cost_service *next);

/* Is it enough to derive a cost from, and is nearly all of it on the changed links? */
bool cost_is_enough(const struct cost_service *service);

/* CPU time for COST_GB bytes. */
uint64_t cost_per_gb(const struct cost_service *service);
uint64_t cost_softirq_per_gb(const struct cost_service *service);

enum cost_verdict { COST_UNKNOWN, COST_HELPED, COST_SAME, COST_WORSE };

/* Compares the costs of a service in a window before a change and in two after it, which must agree: the load of a service changes
 * for reasons of its own. Each cost is a range, in which all unseen bytes of its links may be of this service, or none. If the host's
 * time in soft interrupts changed so much in the other direction that it may outweigh the difference, nothing is known: the work may
 * have moved there. ret: why it is unknown. */
enum cost_verdict cost_judge(const struct cost_service *before, const struct cost_service *after, const struct cost_service *later,
	enum finding_unknown *ret);

#endif
