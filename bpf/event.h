/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the BPF programs and probe.c say to each other. Everything that leaves the kernel as a record begins with an event_header;
 * a record of another version or size is counted and left alone. Included by both sides, hence the kernel's type names. */
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
	__u32 size; /* of the whole record, bytes */
};

/* One combination that hits are counted by. Padding is zero: the key is compared bytewise. */
struct fallback_key {
	__u64 cgroup;  /* id in the unified hierarchy; 0 when there is none, 1 is its root */
	__u32 netns;   /* inode number of the link's network namespace */
	__u32 ifindex; /* in that namespace; 0 when the socket has no route yet */
	__u32 tgid;    /* process, only where its cgroup says nothing and it is the one that sends; else 0 */
	__u8 kind;     /* enum fallback_kind */
	__u8 origin;   /* enum fallback_origin */
	__u16 zero;
};

/* Per CPU. */
struct fallback_count {
	__u64 hits;
	__u64 touched_ns; /* CLOCK_MONOTONIC, within FALLBACK_TOUCH_NS before the last hit */
	__u64 missing;	  /* features that the device lacked at any of the hits: of those with which it would have needed none */
};
#define FALLBACK_TOUCH_NS 1000000000ULL

/* A combination that is new, or back after it was quiet. */
struct fallback_event {
	struct event_header header;
	struct fallback_key key;
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u32 pid;     /* who was running; the sender only for SENDPAGE and SPLICE */
	char comm[EVENT_COMM_LEN];
	__u32 zero;
};

/* What did not fit, per CPU: index into the map "lost". */
enum fallback_lost {
	FALLBACK_LOST_HITS,   /* hits of combinations for which there was no room; one for each kind */
	FALLBACK_LOST_EVENTS = FALLBACK_LOST_HITS + FALLBACK_KINDS, /* the ring was full */
	FALLBACK_LOST_COUNT,
};

/* Without BTF. */
struct process_key {
	__u32 tgid;
	char comm[EVENT_COMM_LEN];
};

struct socket_record {
	struct event_header header;
	__u64 cgroup;
	__u64 inode;	       /* of the socket's file; 0 when no process holds it any more */
	__u64 route_caps;      /* sk_route_caps: what the socket was stale with */
	__u64 device_features; /* of the device that it leaves by, now; 0 without a route */
	__u32 netns;
	__u32 ifindex; /* 0 without a route */
	__u16 family;  /* AF_INET, AF_INET6 */
	__u16 local_port, remote_port;
	__u8 state;
	__u8 expired; /* its route is not valid any more: the next packet is routed anew, and so are the caps */
	__u8 local[16], remote[16]; /* network order; IPv4 in the first four bytes */
};

struct change_key {
	__u32 netns;
	__u32 ifindex;
};

/* The last time that somebody else changed a link's features. */
struct change_record {
	struct event_header header;
	__u64 time_ns;	     /* CLOCK_MONOTONIC */
	__u64 before, after; /* features */
	__u64 cgroup;	     /* of the process, 1 for the root of the unified hierarchy */
	__u32 root_netns, root_ifindex; /* the link at which the change began; the same link when it was this one */
	__u32 pid, ppid;     /* tgids; 0 where unknown */
	char comm[EVENT_COMM_LEN], parent_comm[EVENT_COMM_LEN];
};

struct latency_key {
	__u64 cgroup;
	__u32 netns;
	__u32 ifindex;	/* 0 without a route */
	__u32 fallback; /* 1: by a socket or over a device that has to copy, split or sum in software */
	__u32 zero;
};

/* A call that has not returned, by its thread. */
struct latency_start {
	__u64 time_ns;
	__u64 asleep_ns; /* since when; 0: it runs, or only waits for a CPU */
	__u64 disk_ns, peer_ns;
	struct latency_key key;
	__u32 disk; /* it is the disk that it is asleep for */
	__u32 zero;
};

/* What is not in the histograms, per CPU: index into the map "latency_lost". */
enum latency_lost {
	LATENCY_LOST_CALLS, /* no room */
	LATENCY_LOST_BEGUN, /* began before anybody looked; not told of with kprobes */
	LATENCY_LOST_COUNT,
};

/* Per CPU. */
struct latency_histogram {
	__u64 count, total_usec;
	__u64 disk_usec; /* of it asleep for input or output: what is sent was not in memory */
	__u64 peer_usec; /* asleep for anything else that a signal may end: room in the socket's buffer */
	__u64 slots[LATENCY_SLOTS];
};

struct rate_key {
	__u64 cgroup;  /* as in fallback_key; 0 where the function is told of no socket */
	__u32 netns;
	__u32 ifindex; /* 0 without a route */
	__u32 kind;    /* enum rate_kind */
	__u32 zero;
};

struct stack_key {
	__u64 cgroup;
	__u32 netns;
	__u32 ifindex;
	__u32 stack; /* in the map of stacks */
	__u32 zero;
};

#endif
