/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who pays for software fallback and who must reconnect, as rows: filled by tracker.c, told by metrics,
 * control socket and offloadctl. */
#ifndef OFFLOADD_SERVICES_H
#define OFFLOADD_SERVICES_H

#include "model/link.h"
#include "model/socket.h"
#include "model/unit.h"

#define SERVICES_ROWS_MAX 512 /* of each list; the rest is counted */
#define SERVICES_KINDS 4
#define SERVICES_PROBES_MAX 20

/* Hits of one kind, service and link. */
struct services_fallback {
	const char *kind;    /* "segmentation", ... */
	const char *origin;  /* "local", "forwarded", "kernel" */
	bool by_socket;	     /* the socket copies: after a repair of the link it may have to reconnect */
	char service[UNIT_SERVICE_LEN]; /* "" where no service is charged */
	char link[LINK_NAME_LEN];	 /* "" where it is not known or of another network namespace; printable */
	int ifindex;			 /* 0 then */
	const char *verdict; /* of the link, NULL where no rule names it */
	uint64_t hits;
	uint64_t last_usec;  /* CLOCK_MONOTONIC, up to a second before the last hit; 0 where not known */
	bool now;	     /* of late */
};

/* Stale sockets of one service by one link. */
struct services_stale {
	struct unit unit;
	char service[UNIT_SERVICE_LEN];
	char link[LINK_NAME_LEN];
	int ifindex;
	unsigned sockets;
	uint64_t since_usec; /* CLOCK_REALTIME */
	uint64_t hits;	     /* fallback hits since then */
	feature_set missing;
	struct socket_info samples[SOCKET_SAMPLES];
	unsigned n_samples;
};

struct services_probe {
	const char *name, *function;
	const char *method; /* NULL: absent */
	const char *why;    /* of absent */
};

struct services {
	bool counted, looked; /* is there a probe for fallback, for sockets? */
	struct services_fallback *fallback;
	size_t n_fallback;
	struct services_stale *stale;
	size_t n_stale;
	size_t left_out; /* rows of either list for which there was no room */
	uint64_t lost[SERVICES_KINDS]; /* hits that no row has, for want of room in the kernel's maps, by kind */
	const char *kinds[SERVICES_KINDS];
	uint64_t sockets_dropped; /* stale connections of services for which there was no room */
	struct services_probe probes[SERVICES_PROBES_MAX]; /* without those that only other kernels have */
	size_t n_probes;
};
void services_clear(struct services *services);

/* Members of an answer or a document: probes; and all: probes, fallback, restart, left_out, lost, sockets_dropped. */
struct json_writer;
void services_add_probes(const struct services *services, struct json_writer *w);
void services_add_json(const struct services *services, const struct feature_table *features,
	uint64_t now_usec, struct json_writer *w);

#endif
