/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is observed in the kernel: who uses software fallback, which sockets are stale, who changed a feature, how
 * long sendfile takes. The owner of libbpf and of the records in bpf/event.h. Every probe can be absent;
 * then its status says why. */
#ifndef OFFLOADD_PROBE_H
#define OFFLOADD_PROBE_H

#include <sys/types.h>

#include "basic/util.h"
#include "bpf/kinds.h"
#include "model/feature.h"
#include "model/socket.h"

#define PROBE_WHY_LEN 200
#define PROBE_BY_PROCESS "sendpage by process" /* name of the one that knows no cgroups */
#define PROBE_KEYS_DEFAULT 10240
#define PROBE_QUIET_USEC UINT64_C(10000000)

enum probe_method { PROBE_ABSENT, PROBE_FENTRY, PROBE_KPROBE, PROBE_ITERATOR };

struct probe_status {
	const char *name;     /* "sendpage", "splice", "segmentation", "checksum", "sendpage by process", "sockets",
			       * "feature changes", "latency" */
	const char *function; /* the kernel's */
	enum probe_method method;
	bool other_kernels;	 /* absent only because this kernel does it by another function: nothing is missing */
	char why[PROBE_WHY_LEN]; /* of ABSENT, one line; "" otherwise */
	uint64_t runs, run_nsec; /* with kernel.bpf_stats_enabled=1, as of probe_update_runs() */
};

struct probe_options {
	const struct feature_table *features;
	unsigned max_keys;	/* combinations that are counted; 0: PROBE_KEYS_DEFAULT */
	uint64_t quiet_usec;	/* 0: PROBE_QUIET_USEC */
	bool no_fallback, no_changes; /* leave these out: status says "not asked for" */
};

/* A combination of kind, link and service, with its hits. From the process-only probe: kind SENDPAGE,
 * ifindex 0, cgroup 0, tgid and comm. */
struct probe_hits {
	enum fallback_kind kind;
	enum fallback_origin origin;
	uint64_t cgroup; /* 0: no unified hierarchy, or no BTF; 1: its root */
	uint32_t netns;	 /* inode number of the link's network namespace; 0 where the link is not known */
	int ifindex;	 /* there; 0: not known */
	pid_t tgid;	 /* set where the cgroup says nothing and the process is the sender; else 0 */
	char comm[EVENT_COMM_LEN];
	uint64_t hits;
	feature_set missing; /* what the device lacked at any of them; of a checksum all ways to have it; empty for a copy */
	uint64_t last_usec; /* CLOCK_MONOTONIC, up to a second before the last hit; 0 when not known */
};

/* What was left out for want of room. */
struct probe_lost {
	uint64_t hits[FALLBACK_KINDS]; /* of combinations that did not fit; SENDPAGE also of processes */
	uint64_t events;    /* of new combinations that did not fit; they are counted all the same */
	uint64_t malformed; /* records of another version or size */
};

struct probe_change {
	uint64_t time_usec; /* CLOCK_MONOTONIC */
	feature_set before, after;
	uint64_t cgroup;
	uint32_t root_netns; /* where the change began, and at which link: another one for a cascade */
	int root_ifindex;
	pid_t pid, parent_pid;
	char comm[EVENT_COMM_LEN], parent_comm[EVENT_COMM_LEN];
};

struct probe;

/* Loads and attaches what this kernel and our privileges allow. 0 even when that is nothing; -ENOMEM. */
int probe_open(const struct probe_options *options, struct probe **ret);
void probe_close(struct probe *probe);
CLEANUP_POINTER(struct probe, probe_close)

/* Every probe with its state. The array belongs to probe. */
const struct probe_status *probe_status(const struct probe *probe, size_t *ret_n);
const char *probe_method_name(enum probe_method method);
/* "segmentation (fentry)" or "segmentation: absent, no BTF ...". Returns buf. */
const char *probe_format_status(const struct probe_status *status, char *buf, size_t size);
/* Reads runs and run_nsec into the status. */
void probe_update_runs(struct probe *probe);

/* The network namespace of the calling process, as the records number it. */
uint32_t probe_own_netns(void);

/* For poll: readable when a combination is new or came back. -ENOENT where no probe sends anything. */
int probe_events_fd(const struct probe *probe);
/* Reads what is there, without blocking; at most 1024 at once (then it stays readable). The number; negative
 * errno. hits is 0 in what fn gets, tgid and comm are who was running. */
typedef void (*probe_hits_fn)(const struct probe_hits *hits, void *userdata);
int probe_read_events(struct probe *probe, probe_hits_fn fn, void *userdata);

/* All combinations with their hits so far. The number; 0 without probes. */
int probe_read_hits(struct probe *probe, probe_hits_fn fn, void *userdata);
/* Makes room: forgets combinations without a hit since then (CLOCK_MONOTONIC), and processes that are gone; all
 * of them for UINT64_MAX. The number. */
int probe_forget_hits(struct probe *probe, uint64_t before_usec);
void probe_read_lost(struct probe *probe, struct probe_lost *ret);

/* The TCP sockets of the calling thread's network namespace: only the stale ones, or all. fn returns
 * nonzero to stop. Number of sockets that it was called for; -EOPNOTSUPP without this probe. ret_visited (may be NULL): how
 * many were looked at. */
typedef int (*probe_socket_fn)(const struct socket_info *socket, void *userdata);
int probe_read_sockets(struct probe *probe, bool all, probe_socket_fn fn, void *userdata,
	uint64_t *ret_visited);

/* Who, other than this process, changed a link's features last. -ENOENT: not known. -EOPNOTSUPP without this
 * probe. */
int probe_find_change(struct probe *probe, uint32_t netns, int ifindex, struct probe_change *ret);

/* sendfile's latency, only while somebody looks. */
struct probe_latency;
struct probe_latency_histogram {
	uint64_t cgroup;
	uint32_t netns;
	int ifindex; /* that the socket leaves by; 0 without a route */
	bool fallback;
	uint64_t count, total_usec;
	uint64_t disk_usec, peer_usec; /* of it asleep for input, and for room in the socket's buffer; with waits */
	uint64_t slots[LATENCY_SLOTS]; /* slot n: 2^n <= usec < 2^(n+1); the first also 0, the last also what is above */
};
/* waits: tell also what calls waited for, which looks at every switch of tasks. ret_status (may be NULL) says why
 * not. -EOPNOTSUPP, -ENOMEM. */
int probe_latency_open(const struct feature_table *features, bool waits, struct probe_latency **ret,
	struct probe_status *ret_status);
/* Are disk_usec and peer_usec known? */
bool probe_latency_has_waits(const struct probe_latency *latency);
void probe_latency_close(struct probe_latency *latency);
/* What is in no histogram, since the start. */
struct probe_latency_lost {
	uint64_t calls; /* did not fit */
	uint64_t begun; /* returned, and had begun before the start; 0 where kprobes are used, which cannot tell */
};
void probe_latency_read_lost(struct probe_latency *latency, struct probe_latency_lost *ret);
/* Since the start, or since the last read when reset is set. fn may be NULL. The number of histograms. */
typedef void (*probe_latency_fn)(const struct probe_latency_histogram *histogram, void *userdata);
int probe_latency_read(struct probe_latency *latency, bool reset, probe_latency_fn fn, void *userdata);
/* Each call that has not returned, as a histogram with a count of 0 and its times so far. The number. */
int probe_latency_read_running(struct probe_latency *latency, probe_latency_fn fn, void *userdata);

/* How often TCP functions ran, also only while somebody looks, by service and link; tcp_write_timer's are
 * have none. */
struct probe_rate {
	enum rate_kind kind;
	uint64_t cgroup; /* as in probe_hits */
	uint32_t netns;
	int ifindex;
	uint64_t count;
};

/* One way into tcp_push_one(), innermost first; that function itself is not in it on all kernels. */
struct probe_stack {
	uint64_t cgroup;
	uint32_t netns;
	int ifindex;
	uint64_t count;
	unsigned n;
	uint64_t addresses[STACK_DEPTH];
};

struct probe_rates;
/* 0 even where nothing can be counted: the status says so. -ENOMEM. */
int probe_rates_open(const struct feature_table *features, struct probe_rates **ret);
void probe_rates_close(struct probe_rates *rates);
/* Counts from here on. */
void probe_rates_reset(struct probe_rates *rates);
/* In the order of enum rate_kind. */
const struct probe_status *probe_rates_status(const struct probe_rates *rates);
/* How often in all, whatever fitted. */
uint64_t probe_rates_total(const struct probe_rates *rates, enum rate_kind kind);
typedef void (*probe_rate_fn)(const struct probe_rate *rate, void *userdata);
typedef void (*probe_stack_fn)(const struct probe_stack *stack, void *userdata);
int probe_rates_read(struct probe_rates *rates, probe_rate_fn fn, void *userdata);
int probe_rates_read_stacks(struct probe_rates *rates, probe_stack_fn fn, void *userdata);

/* Decode one record: 0, -EBADMSG for another size, version or type or for values out of range. The tests'
 * way in. */
int probe_parse_event(const void *data, size_t size, struct probe_hits *ret);
int probe_parse_socket(const void *data, size_t size, struct socket_info *ret);
int probe_parse_change(const void *data, size_t size, struct probe_change *ret);

#endif
