/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The probes in the kernel: who uses software fallback, which sockets are stale, who changed a feature, how long sendfile
 * takes. Only these files use libbpf and bpf/event.h. Every probe may be absent on its own; its status has the reason. */
#ifndef OFFLOADD_PROBE_H
#define OFFLOADD_PROBE_H

#include <sys/types.h>

#include "basic/util.h"
#include "bpf/kinds.h"
#include "model/feature.h"
#include "model/socket.h"

#define PROBE_WHY_LEN 200
#define PROBE_SENDERS "udp senders" /* watches the processes whose UDP segmentation was refused, only while there are any */
#define PROBE_KEYS_DEFAULT 10240
#define PROBE_QUIET_USEC UINT64_C(10000000) /* 10 s */

enum probe_method { PROBE_ABSENT, PROBE_FENTRY, PROBE_KPROBE, PROBE_ITERATOR };

struct probe_status {
	const char *name;     /* "sendpage", "splice", "segmentation", "checksum", "udp-segmentation", "udp senders",
			       * "sendpage by process", "sockets", "socket holders", "feature changes", "latency" */
	const char *function; /* of the kernel, that the probe is attached to */
	enum probe_method method;
	bool other_kernels;	 /* absent because this kernel uses another function, which has its own probe: nothing is missing */
	char why[PROBE_WHY_LEN]; /* the reason for PROBE_ABSENT, one line; otherwise "" */
	bool fixable;		 /* absent, but another setting of this host may change that: it is not due to the kernel */
	uint64_t runs, run_nsec; /* executions and their time, set by probe_update_runs() if kernel.bpf_stats_enabled is 1 */
};

struct probe_options {
	const struct feature_table *features;
	unsigned max_keys;	/* how many combinations (struct probe_hits) are counted; 0: PROBE_KEYS_DEFAULT */
	uint64_t quiet_usec;	/* a combination sends another event after this time without a hit; 0: PROBE_QUIET_USEC */
	bool no_fallback, no_changes; /* do not load these probes */
	uint64_t slice_usec; /* for how long a struct probe_pass or probe_walk reads at once; 0: to its end */
	bool by_socket; /* count packets by socket, except those of cgroups that were settled: see probe_settle() */
};

/* The hits of one combination of kind, origin, reason, link and sender, in the network namespace of probe_open()'s caller.
 * EVIDENCE_BY_PROCESS sets only kind (SENDPAGE), origin, tgid, comm, hits, first_usec and last_usec, and is of all namespaces. */
struct probe_hits {
	enum fallback_kind kind;
	enum fallback_origin origin;
	enum fallback_reason reason;
	uint64_t cgroup; /* id in the unified hierarchy; 1: its root, 0: unknown. Copies: that of the sending process. Packets: that of
			  * the process that created the socket, or its listener */
	uint32_t netns;	 /* inode number of the network namespace of the link or socket */
	int ifindex;	 /* in that namespace; 0: unknown */
	pid_t tgid;	 /* copies: the sender, if its cgroup is unknown; otherwise 0 */
	uint64_t inode;	 /* packets: of the socket, with probe_options.by_socket unless the cgroup is settled; otherwise 0 */
	char comm[EVENT_COMM_LEN];
	bool any_protocol; /* copies, perhaps not of TCP: the function serves other protocols, too */
	uint64_t hits;
	feature_set missing; /* features that the device did not have at a hit; for a checksum all that would have avoided it; 0 for copies */
	uint32_t limit, largest; /* of evidence_is_limit(reason), as in struct evidence_fallback */
	uint64_t first_usec; /* CLOCK_MONOTONIC of the first hit; 0: unknown */
	uint64_t last_usec; /* CLOCK_MONOTONIC of the last hit, up to a second too early; 0: unknown */
};

/* What could not be stored, because a map or the ring buffer was full, and what is not ours. */
struct probe_lost {
	uint64_t elsewhere[FALLBACK_KINDS]; /* hits in other network namespaces, which are not counted in any combination */
	uint64_t hits[FALLBACK_KINDS]; /* not counted in any combination */
	uint64_t hits_usec; /* CLOCK_MONOTONIC of the last of these; 0: there is none */
	uint64_t senders;   /* refused sends of processes that are not in probe_read_senders() */
	uint64_t events;    /* not sent; their hits are counted */
	uint64_t malformed; /* from the kernel, of unknown version or size */
};

/* The last change of a link's features by another process. */
struct probe_change {
	uint64_t time_usec; /* CLOCK_MONOTONIC */
	feature_set before, after;
	uint64_t cgroup;
	uint32_t root_netns; /* the link where the change started, a different one for a cascade */
	int root_ifindex;
	pid_t pid, parent_pid;
	char comm[EVENT_COMM_LEN], parent_comm[EVENT_COMM_LEN];
};

struct probe;

/* Loads and attaches the probes that the kernel and our capabilities allow. Returns 0, even if that is none; -ENOMEM.
 * probe_close() *ret. */
int probe_open(const struct probe_options *options, struct probe **ret);
void probe_close(struct probe *probe);
CLEANUP_POINTER(struct probe, probe_close)

/* The status of all probes, running or not. Owned by probe. */
const struct probe_status *probe_status(const struct probe *probe, size_t *ret_n);
/* "fentry". Static. */
const char *probe_method_name(enum probe_method method);
/* "segmentation (fentry)" or "segmentation: absent, no BTF ...". Returns buf. */
const char *probe_format_status(const struct probe_status *status, char *buf, size_t size);
/* Updates runs and run_nsec of the status. */
void probe_update_runs(struct probe *probe);

/* The inode number of the network namespace of the calling process; 0 if unknown. */
uint32_t probe_own_netns(void);
/* Are we in a PID namespace of our own? The probes see process ids of the initial PID namespace, in which our ids belong to
 * other processes. */
bool probe_has_foreign_pids(void);

/* For poll(): readable when a combination is new, or has a hit again after quiet_usec. -ENOENT if no probe sends events. */
int probe_events_fd(const struct probe *probe);
/* Calls fn for each pending event, at most 1024; then the descriptor stays readable. Does not block. In events hits is 0, and
 * tgid and comm are the process that was running, which is the sender only for SENDPAGE and SPLICE. Returns their number, or a
 * negative errno. */
typedef void (*probe_hits_fn)(const struct probe_hits *hits, void *userdata);
int probe_read_events(struct probe *probe, probe_hits_fn fn, void *userdata);

/* Where a walk of the combinations is; zeroed: at its begin. No combination may be removed during one. */
struct probe_walk {
	unsigned map;
	struct probe_cursor {
		uint32_t left; /* 0: not begun */
		_Alignas(8) char key[64];
	} at;
};
/* Calls fn for each combination with its hits so far. walk: NULL for all of them at once. Returns a number >= 0; -EAGAIN: the slice is
 * over, the next call goes on; -ENOMEM. */
int probe_read_hits(struct probe *probe, struct probe_walk *walk, probe_hits_fn fn, void *userdata);
/* Removes the combinations for which fn returns true. Returns their number, or -ENOMEM. */
typedef bool (*probe_forget_fn)(const struct probe_hits *hits, void *userdata);
int probe_forget_hits(struct probe *probe, probe_forget_fn fn, void *userdata);
/* Whether packets of a cgroup are counted together from now on, because all of its sockets belong to one service. Returns 0;
 * -EOPNOTSUPP without these probes; another negative errno. */
int probe_settle(struct probe *probe, uint64_t cgroup, bool settled);
void probe_read_lost(struct probe *probe, struct probe_lost *ret);

/* The path of a cgroup that a probe has seen, below the root of our cgroup namespace, "/system.slice/nginx.service"; also of one that was
 * removed since. NULL: unknown. Valid until the next call. At most PROBE_CGROUPS_MAX are kept: more than PROBE_KEYS_DEFAULT. */
#define PROBE_CGROUPS_MAX 12288
const char *probe_cgroup_path(uint64_t id);
/* Adds one that is known from elsewhere. */
void probe_add_cgroup(uint64_t id, const char *path);

/* A process whose sends with UDP_SEGMENT were refused on a link (FALLBACK_UDP). */
struct probe_sender {
	struct probe_sender_key {
		uint64_t start_ns; /* CLOCK_BOOTTIME; with pid it identifies the process */
		pid_t pid;
		uint32_t netns; /* as in probe_hits */
		int32_t ifindex;
		uint32_t zero; /* no padding: keys are compared by byte */
	} key;
	uint64_t cgroup; /* as in probe_hits */
	char comm[EVENT_COMM_LEN];
	uint64_t refused; /* sends */
	/* Only while probe_watch_senders(), from the last refused send on, while the link has the checksum feature: */
	uint64_t segmented; /* packets sent with UDP_SEGMENT */
	uint64_t single; /* datagrams of 256 bytes or more that could have been a segment of the same packet as the one before them */
	uint64_t single_usec; /* from the first to the last of these */
};
/* Calls fn for each. Returns their number, 0 without this probe. */
typedef void (*probe_sender_fn)(const struct probe_sender *sender, void *userdata);
int probe_read_senders(struct probe *probe, probe_sender_fn fn, void *userdata);
/* Starts or stops counting what they send. While it runs, a program runs for every UDP packet of the host. Returns 0; -EOPNOTSUPP if
 * the kernel cannot (the status of "udp senders" has the reason); another negative errno. */
int probe_watch_senders(struct probe *probe, bool watch);

/* Once probes are loaded: which capabilities (bits 1 << CAP_BPF, ...) the kernel wants for reading them and for
 * probe_watch_senders(). Tries it, by lowering the effective set for a moment. Loading more probes needs others. */
uint64_t probe_needed_capabilities(const struct probe *probe);
void probe_forget_sender(struct probe *probe, const struct probe_sender_key *key);
/* Adds one from before a restart of this process, with key, cgroup and refused. */
void probe_restore_sender(struct probe *probe, const struct probe_sender *sender);

/* A pass over all objects of the kernel, read in slices. Starts zeroed; probe_end_pass() ends it before its end. What is added or removed
 * between two slices may hide an object, or show one twice. */
struct probe_pass {
	bool open;
	int fd;
	bool split; /* it took more than one slice */
};
void probe_end_pass(struct probe_pass *pass);

/* Calls fn for each TCP socket of the network namespace of the calling thread: all, or only those that may be stale. fn
 * returns nonzero to stop. *ret_visited (may be NULL): how many sockets were examined. Returns a number >= 0; -EAGAIN if the slice is
 * over, and the next call with this pass goes on (pass NULL: there are no slices); -EOPNOTSUPP without this probe; another negative
 * errno. */
typedef int (*probe_socket_fn)(const struct socket_info *socket, void *userdata);
int probe_read_sockets(struct probe *probe, struct probe_pass *pass, bool all, probe_socket_fn fn, void *userdata,
	uint64_t *ret_visited);

/* Calls fn for each TCP socket of each process in all namespaces, in the order of process ids. Returns as probe_read_sockets(). */
struct probe_holder {
	uint64_t socket_cgroup, inode; /* as in struct probe_hits */
	uint64_t cgroup;	       /* of the process; 1: the root of the unified hierarchy */
	pid_t tgid;		       /* in the initial PID namespace */
	bool listening;
};
typedef void (*probe_holder_fn)(const struct probe_holder *holder, void *userdata);
int probe_read_holders(struct probe *probe, struct probe_pass *pass, probe_holder_fn fn, void *userdata);

/* The last change of a link's features by a process other than this one. Returns 0; -ENOENT if unknown; -EOPNOTSUPP without
 * this probe. */
int probe_find_change(struct probe *probe, uint32_t netns, int ifindex, struct probe_change *ret);

/* ---- sendfile latency: loaded on request ---- */

struct probe_latency;
struct probe_latency_histogram {
	uint64_t cgroup;
	uint32_t netns;
	int ifindex; /* of the link; 0 without a route */
	bool fallback;
	uint64_t count, total_usec;
	uint64_t disk_usec, peer_usec; /* the part of it asleep until data was read, and until the send buffer had room; only with waits */
	uint64_t slots[LATENCY_SLOTS];
};
/* waits: measure also what calls wait for; this runs a program at every context switch. *ret_status (may be NULL) has the
 * reason for -EOPNOTSUPP. Returns 0, -EOPNOTSUPP or -ENOMEM. probe_latency_close() *ret. */
int probe_latency_open(const struct feature_table *features, bool waits, struct probe_latency **ret,
	struct probe_status *ret_status);
/* Are disk_usec and peer_usec measured? */
bool probe_latency_has_waits(const struct probe_latency *latency);
void probe_latency_close(struct probe_latency *latency);
/* Calls that are in no histogram, since the start. */
struct probe_latency_lost {
	uint64_t calls; /* the map was full */
	uint64_t begun; /* returned, but had started before the probe; 0 with kprobes, which cannot detect them */
};
void probe_latency_read_lost(struct probe_latency *latency, struct probe_latency_lost *ret);
/* Calls fn (may be NULL) for each histogram. reset: clears them, so that the next read starts from zero. Returns their number,
 * or -ENOMEM. */
typedef void (*probe_latency_fn)(const struct probe_latency_histogram *histogram, void *userdata);
int probe_latency_read(struct probe_latency *latency, bool reset, probe_latency_fn fn, void *userdata);
/* Calls fn for each call that is still running, as a histogram with count 0 and its times so far. Returns their number. */
int probe_latency_read_running(struct probe_latency *latency, probe_latency_fn fn, void *userdata);

/* ---- rates of TCP functions: loaded on request ---- */

/* How often a function ran for a cgroup and link; tcp_write_timer has neither. */
struct probe_rate {
	enum rate_kind kind;
	uint64_t cgroup; /* as in probe_hits */
	uint32_t netns;
	int ifindex;
	uint64_t count;
};

/* A call stack of tcp_push_one(), innermost function first. On some kernels tcp_push_one() itself is missing. */
struct probe_stack {
	uint64_t cgroup;
	uint32_t netns;
	int ifindex;
	uint64_t count;
	unsigned n;
	uint64_t addresses[STACK_DEPTH];
};

struct probe_rates;
/* Returns 0 even if nothing can be counted (see the status), or -ENOMEM. probe_rates_close() *ret. */
int probe_rates_open(const struct feature_table *features, struct probe_rates **ret);
void probe_rates_close(struct probe_rates *rates);
/* Sets all counts to zero. */
void probe_rates_reset(struct probe_rates *rates);
/* One for each enum rate_kind. Owned by rates. */
const struct probe_status *probe_rates_status(const struct probe_rates *rates);
/* The total, including what did not fit into the maps. */
uint64_t probe_rates_total(const struct probe_rates *rates, enum rate_kind kind);
typedef void (*probe_rate_fn)(const struct probe_rate *rate, void *userdata);
typedef void (*probe_stack_fn)(const struct probe_stack *stack, void *userdata);
/* Call fn for each count. Return their number, or -ENOMEM. */
int probe_rates_read(struct probe_rates *rates, probe_rate_fn fn, void *userdata);
int probe_rates_read_stacks(struct probe_rates *rates, probe_stack_fn fn, void *userdata);

/* Decode one struct of bpf/event.h. Return 0; -EBADMSG for another size, version or type, or values out of range. Public for
 * tests. */
struct fallback_key;
int probe_parse_key(const struct fallback_key *key, struct probe_hits *ret);
int probe_parse_event(const void *data, size_t size, struct probe_hits *ret);
int probe_parse_socket(const void *data, size_t size, struct socket_info *ret);
int probe_parse_change(const void *data, size_t size, struct probe_change *ret);
int probe_parse_holder(const void *data, size_t size, struct probe_holder *ret);
/* -EAGAIN: it is not complete yet. */
int probe_parse_names(const void *data, size_t size, char *path, size_t path_size);

#endif
