/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the parts of the worker.
 *
 *   worker.c       its event loop, and which namespaces there are
 *   worker_netns.c one namespace: visits, what it may cost, what is reported of it
 *   worker_event.c what is sent to the daemon, the journal and hooks */
#ifndef OFFLOADD_WORKER_PRIVATE_H
#define OFFLOADD_WORKER_PRIVATE_H

#include <sys/queue.h>

#include "kernel/namespaces.h"
#include "offloadd/daemon_private.h"
#include "offloadd/worker.h"

/* Time that may be used: a share of all time, and what was saved of it. */
struct budget {
	int64_t left_usec;
	uint64_t at_usec; /* of the last change; 0: never used */
};

struct netns {
	struct worker *worker;
	uint64_t inode, cookie, birth; /* its identity */
	int nsid;		       /* -1: none */
	struct rule_netns *facts;      /* owned */
	char *label;
	struct rule_host host;
	struct observe *observe; /* NULL: not read yet, or it has too many links */
	struct reconcile *reconcile;
	size_t counted; /* of its links in worker.many */
	bool dirty, queued, unsent; /* to be visited; in `ready`; in `reports` */
	enum netns_look look;
	int error;
	unsigned failures; /* in a row */
	struct budget budget;
	uint64_t wake_usec; /* when to look again without an event, 0: not */
	uint64_t visits;
	uint64_t report_usec, sent_hash; /* when it may be reported again; of the last report */
	uint64_t window_usec; /* of the events that were logged and sent to hooks */
	unsigned logged, hooked, suppressed;
	TAILQ_ENTRY(netns) ready;
	TAILQ_ENTRY(netns) reports;
	UT_hash_handle hh;	/* by inode */
	UT_hash_handle hh_nsid; /* by nsid, if it has one */
};

struct worker {
	const struct daemon *d;
	int parent; /* SOCK_SEQPACKET */
	struct namespaces *visitor;
	struct netns_sockets events; /* route, generic */
	struct namespaces_watch watch;
	struct netns *all, *by_nsid;
	TAILQ_HEAD(, netns) ready;   /* to be visited now */
	TAILQ_HEAD(, netns) reports; /* whose status was not sent */
	bool enforce;
	size_t many; /* links of all namespaces beyond NETNS_LINKS_FREE of each */
	uint64_t wake_usec;	 /* not later than that of any namespace */
	uint64_t search_usec;	 /* when to search for namespaces, 0: not */
	uint64_t reopen_usec;	 /* how long to wait after the last failure, 0: there was none */
	unsigned again;		 /* how often it was searched since something appeared */
	struct budget search_budget;
	/* Files that have appeared and are not known to be namespaces yet: where a new number may be found without a search. */
	struct appeared {
		bool docker;
		char name[NAME_MAX + 1]; /* "": none */
	} appeared[16];
	unsigned n_appeared; /* since the start */
	bool searched; /* successfully, at least once */
	bool more;
	int error;
	bool tell;     /* WORKER_COMPLETE is to be sent */
	uint64_t now_usec; /* of this turn */
	struct lost {
		int nsid;
		uint64_t until_usec;
	} lost_nsids[64]; /* those that were searched for, and should not be again before */
	struct hooks hooks;
	struct bursts bursts;
	uint64_t lost;
};

#define LOST_USEC (60 * USEC_PER_SEC)
#define NETNS_LINKS_MAX 4096  /* of one namespace; with more it is not looked at */
#define NETNS_LINKS_FREE 64   /* each may have so many */
#define WORKER_LINKS_MAX 65536 /* and all together so many more */

/* ---- worker_netns.c ---- */

/* Adds what namespaces_read_news() found, or brings it up to date. 0 or -ENOMEM. */
int netns_take(struct worker *w, const struct namespace *at);
/* Forgets it, and reports that it is gone. */
void netns_forget(struct netns *ns);
void netns_free(struct netns *ns);
/* Something may have changed there: it is visited when its budget allows. */
void netns_mark(struct netns *ns, uint64_t now_usec);
/* Opens sockets there, reads, repairs and closes them. 0; -ESTALE: it has ended, or is known by another name or process now; other
 * negative errno. It is tried again later. */
int netns_visit(struct netns *ns);
/* Has it ended, or is the event that its number is free older than what is known: the number of another one by now? */
bool netns_has_ended(const struct netns *ns);
/* A notification: marks it unless the features are those that are known. */
void netns_note_features(struct netns *ns, const struct namespace_event *event, uint64_t now_usec);
/* Its time to wake up, if that is due, and the budget. */
void netns_wake(struct netns *ns, uint64_t now_usec);
/* Sends the status. False: the daemon does not read now. */
bool netns_send_status(struct netns *ns);

/* Until when to wait before using time; 0: now. A tenth of all time, and burst_usec at once. */
uint64_t budget_wait(struct budget *b, uint64_t burst_usec, uint64_t now_usec);
void budget_use(struct budget *b, uint64_t usec);

/* ---- worker_event.c ---- */

/* userdata: the struct netns. */
void worker_send_event(const struct finding *event, void *userdata);
/* What is due of bursts, hooks and lost events. */
void worker_end_bursts(struct worker *w, uint64_t now_usec);
uint64_t worker_event_deadline(const struct worker *w);

/* Sends a packet, even if the daemon does not read now. */
void worker_send(struct worker *w, const struct worker_packet *packet);

#endif
