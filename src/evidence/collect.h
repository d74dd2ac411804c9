/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Converts what the probes return to struct evidence, and names services and links. Shared by the tracker of the daemon and by the
 * commands that read the kernel themselves. */
#ifndef OFFLOADD_COLLECT_H
#define OFFLOADD_COLLECT_H

#include "evidence/evidence.h"
#include "evidence/probe.h"
#include "evidence/sender.h"
#include "evidence/stale.h"

/* The sources of names. */
struct collect {
	struct senders senders;
	const struct link_table *links; /* of our network namespace; borrowed */
	uint32_t netns;			/* its inode number */
	struct socket_features features;
	struct collect_inventory {
		struct probe_pass pass;
		struct senders holders; /* who holds these now: a connection may have been passed on since its first hit */
		bool open;	/* in progress */
		bool read, noted; /* all sockets were read; the senders of the next batch were noted */
		struct socket_info *stale;
		size_t n, at; /* the next one to add */
		bool waiting; /* some have not been accepted yet */
		int error;
	} inventory;
	struct {
		struct probe_walk walk;
		struct probe_hits *all;
		size_t n;
	} hits; /* read so far */
	struct sender_judge judge; /* n is 0: none in progress */
};

/* links and features are borrowed until collect_close(). */
void collect_open(struct collect *c, const struct link_table *links, const struct feature_table *features);
void collect_close(struct collect *c);

/* All hits, with their senders noted: then call senders_find(). Free *ret. 0; -EAGAIN: the slice is over, the next call goes on; -ENOMEM.
 * whole: at once, from the begin. */
int collect_read_hits(struct collect *c, struct probe *probe, bool whole, struct probe_hits **ret, size_t *ret_n);
/* Were they counted by process, and it is known to be in another network namespace? Its sender must be resolved. */
bool collect_is_elsewhere(struct collect *c, const struct probe_hits *hits);
/* Decides for each cgroup with hits whether one service holds all of its sockets, so that they are counted together: probe_settle(). 0;
 * -EAGAIN: the slice is over, collect_settle_on() goes on. While it does, further calls are ignored. */
int collect_settle(struct collect *c, struct probe *probe, const struct probe_hits *hits, size_t n);
int collect_settle_on(struct collect *c, struct probe *probe);
/* NULL if the link is gone or belongs to another network namespace. */
const struct link *collect_find_link(const struct collect *c, uint32_t netns, int ifindex);

/* Adds a probe, unless it is absent because this kernel needs a different one; sets has_sockets and has_fallback. The strings
 * of status are borrowed. */
void collect_probe(struct evidence *e, const struct probe_status *status);
/* The same for every probe of `probe`. */
void collect_probes(struct evidence *e, const struct probe *probe);
/* Adds hits to the row of origin, reason, service and link. now_usec: CLOCK_MONOTONIC. Returns the row, as evidence_fallback_row() does. */
struct evidence_fallback *collect_hits(struct evidence *e, const struct probe_hits *hits, const char *service, const char *link,
	uint64_t now_usec);
/* Takes an inventory of the stale connections, except those that nobody holds: orphaned sockets, which no restart would help, and what
 * waits to be accepted. The caller calls stale_end() if it succeeded. Returns 0; 1: some wait to be accepted, so another inventory has to
 * follow; -EAGAIN: the slice is over, the next call goes on; another negative errno as probe_read_sockets(). */
int collect_stale(struct collect *c, struct probe *probe, struct stale_set *set);

#endif
