/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interface between the BPF programs and src/evidence/probe*.c: keys and values of maps, and structs that are passed to
 * user space. The latter begin with an event_header; user space counts and skips those of another version or size. Both sides
 * include this file, so it uses the type names of the kernel. */
#ifndef OFFLOADD_BPF_EVENT_H
#define OFFLOADD_BPF_EVENT_H

#include "kinds.h"

#define EVENT_VERSION 1

enum event_type {
	EVENT_TYPE_FALLBACK = 1,
	EVENT_TYPE_SOCKET = 2,
	EVENT_TYPE_CHANGE = 3,
};

struct event_header {
	__u16 version;
	__u16 type;
	__u32 size; /* of the whole struct, in bytes */
};

/* Hits are counted by this key. zero is padding: keys are compared by byte. */
struct fallback_key {
	__u64 cgroup;  /* id in the unified hierarchy; 1: its root, 0: none */
	__u32 netns;   /* inode number of the network namespace of the link */
	__u32 ifindex; /* in that namespace; 0: the socket has no route yet */
	__u32 tgid;    /* the sending process, if its cgroup is unknown; otherwise 0 */
	__u8 kind;     /* enum fallback_kind */
	__u8 origin;   /* enum fallback_origin */
	__u16 zero;
};

/* Per CPU. */
struct fallback_count {
	__u64 hits;
	__u64 touched_ns; /* CLOCK_MONOTONIC, at most FALLBACK_TOUCH_NS before the last hit */
	__u64 missing;	  /* features that the device did not have at a hit, and that would have avoided it */
};
#define FALLBACK_TOUCH_NS 1000000000ULL

/* A key is new, or has a hit again after quiet_ns. */
struct fallback_event {
	struct event_header header;
	struct fallback_key key;
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u32 pid;     /* the process that was running; the sender only for SENDPAGE and SPLICE */
	char comm[EVENT_COMM_LEN];
	__u32 zero;
};

/* Indexes of the map "lost", per CPU. */
enum fallback_lost {
	FALLBACK_LOST_HITS,   /* hits that are not counted, because the map is full; one for each kind */
	FALLBACK_LOST_EVENTS = FALLBACK_LOST_HITS + FALLBACK_KINDS, /* the ring buffer was full */
	FALLBACK_LOST_COUNT,
};

/* For kernels without BTF. */
struct process_key {
	__u32 tgid;
	char comm[EVENT_COMM_LEN];
};

struct socket_record {
	struct event_header header;
	__u64 cgroup;
	__u64 inode;	       /* of the socket's file; 0: orphaned */
	__u64 route_caps;      /* sk_route_caps: the features of the device when the socket was routed */
	__u64 device_features; /* current features of the device of its route; 0 without a route */
	__u32 netns;
	__u32 ifindex; /* 0 without a route */
	__u16 family;  /* AF_INET, AF_INET6 */
	__u16 local_port, remote_port;
	__u8 state; /* TCP_* */
	__u8 expired; /* its route is not valid any more: the next packet gets a new route, and new caps */
	__u8 local[16], remote[16]; /* network order; IPv4 in the first four bytes */
};

struct change_key {
	__u32 netns;
	__u32 ifindex;
};

/* The last change of a link's features by another process than offloadd. */
struct change_record {
	struct event_header header;
	__u64 time_ns;	     /* CLOCK_MONOTONIC */
	__u64 before, after; /* features */
	__u64 cgroup;	     /* of the process; 1: the root of the unified hierarchy */
	__u32 root_netns, root_ifindex; /* the link where the change started, which may be this one */
	__u32 pid, ppid;     /* thread group ids; 0: unknown */
	char comm[EVENT_COMM_LEN], parent_comm[EVENT_COMM_LEN];
};

struct latency_key {
	__u64 cgroup;
	__u32 netns;
	__u32 ifindex;	/* 0 without a route */
	__u32 fallback; /* 1: the socket or its device uses software fallback */
	__u32 zero;
};

/* A call that is still running; the key is the thread id. */
struct latency_start {
	__u64 time_ns;
	__u64 asleep_ns; /* since when it sleeps; 0: it is runnable */
	__u64 disk_ns, peer_ns; /* slept so far, as in latency_histogram */
	struct latency_key key;
	__u32 disk; /* 1: it sleeps for data from disk */
	__u32 zero;
};

/* Indexes of the map "latency_lost", per CPU: calls that are in no histogram. */
enum latency_lost {
	LATENCY_LOST_CALLS, /* the map was full */
	LATENCY_LOST_BEGUN, /* started before the probe; not detected by kprobes */
	LATENCY_LOST_COUNT,
};

/* Per CPU. */
struct latency_histogram {
	__u64 count, total_usec;
	__u64 disk_usec; /* part of total_usec asleep in io_schedule(): the data was not in memory */
	__u64 peer_usec; /* part of total_usec in another interruptible sleep: the send buffer was full */
	__u64 slots[LATENCY_SLOTS];
};

struct rate_key {
	__u64 cgroup;  /* as in fallback_key; 0 for RATE_WRITE_TIMER, which has no socket argument */
	__u32 netns;
	__u32 ifindex; /* 0 without a route */
	__u32 kind;    /* enum rate_kind */
	__u32 zero;
};

struct stack_key {
	__u64 cgroup;
	__u32 netns;
	__u32 ifindex;
	__u32 stack; /* index of the map "stacks" */
	__u32 zero;
};

#endif
