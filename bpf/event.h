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
	EVENT_TYPE_HOLDER = 4,
};

struct event_header {
	__u16 version;
	__u16 type;
	__u32 size; /* of the whole struct, in bytes */
};

/* Hits are counted by this key. zero is padding: keys are compared by byte.
 *
 * cgroup: an id in the unified hierarchy; 1: its root, 0: none. For copies it is that of the sending process; for packets, which other
 * tasks transmit, that of the process that created the socket or its listener.
 * sender: who sends if the cgroup does not show it, otherwise 0. For copies the process id; for packets the inode of the socket. */
struct fallback_key {
	__u64 cgroup;
	__u32 netns;   /* inode number of the network namespace of the link */
	__u32 ifindex; /* in that namespace; 0: the socket has no route yet */
	__u32 sender;
	__u8 kind;     /* enum fallback_kind */
	__u8 origin;   /* enum fallback_origin */
	__u8 reason;   /* enum fallback_reason */
	__u8 zero;
};

/* Per CPU, or shared by many CPUs: see probe_part_share_map(). */
struct fallback_count {
	__u64 hits;
	__u64 touched_ns; /* CLOCK_MONOTONIC, at most FALLBACK_TOUCH_NS before the last hit */
	__u64 missing;	  /* features that the device did not have at a hit, and that would have avoided it */
	__u32 limit;	  /* FALLBACK_REASON_SIZE, IPV4_SIZE, SEGMENTS, MTU: the limit at the last hit, in bytes or segments */
	__u32 largest;	  /* of these: the largest packet, in the same unit */
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
	FALLBACK_LOST_SENDERS, /* processes with a refused UDP send that are not watched, because the map is full */
	FALLBACK_ELSEWHERE, /* not counted, because the device is in another network namespace; one for each kind */
	FALLBACK_ELSEWHERE_LAST = FALLBACK_ELSEWHERE + FALLBACK_KINDS - 1,
	FALLBACK_LOST_TIME, /* CLOCK_MONOTONIC in ns of the last of FALLBACK_LOST_HITS; not a count */
	FALLBACK_LOST_COUNT,
};

/* A process with a refused send (FALLBACK_UDP) on a link. */
struct udp_sender_key {
	__u64 start_ns; /* CLOCK_BOOTTIME; with tgid it identifies the process */
	__u32 tgid;
	__u32 netns;
	__u32 ifindex;
	__u32 zero;
};

/* segmented and single count from the last refused send on, and only while the device has the checksum feature. */
struct udp_sender {
	__u64 cgroup;	 /* of the process, as in fallback_key */
	__u64 refused;	 /* sends */
	__u64 segmented; /* packets sent with UDP_SEGMENT */
	__u64 single;	 /* datagrams that could have been a segment of the same packet as the one before */
	__u64 single_first_ns, single_last_ns; /* CLOCK_MONOTONIC of the first and the last of these; 0: none */
	char comm[EVENT_COMM_LEN];
};

/* For kernels without BTF. */
struct process_key {
	__u32 tgid;
	char comm[EVENT_COMM_LEN];
};

/* Indexes of the map "processes_lost". */
enum process_lost {
	PROCESS_LOST_HITS, /* not counted, because the map is full */
	PROCESS_LOST_TIME, /* as FALLBACK_LOST_TIME */
	PROCESS_LOST_COUNT,
};

struct process_count {
	__u64 hits;
	__u64 first_ns, last_ns; /* CLOCK_MONOTONIC */
};

struct socket_entry {
	struct event_header header;
	__u64 cgroup;
	__u64 inode;	       /* of the socket's file; 0: orphaned */
	__u64 route_caps;      /* sk_route_caps: the features of the device when the socket was routed */
	__u64 device_features; /* current features of the device of its route; 0 without a route */
	__u32 netns;
	__u32 ifindex; /* 0 without a route */
	__u32 gso_max_size; /* sk_gso_max_size, set together with route_caps */
	__u32 unused;
	__u16 family;  /* AF_INET, AF_INET6 */
	__u16 local_port, remote_port;
	__u8 state; /* TCP_* */
	__u8 expired; /* its route is not valid any more: the next packet gets a new route, and new caps */
	__u8 local[16], remote[16]; /* network order; IPv4 in the first four bytes */
};

/* A process that has a TCP socket open. */
struct holder_entry {
	struct event_header header;
	__u64 socket_cgroup; /* as in fallback_key */
	__u64 cgroup;	     /* of the process; 1: the root of the unified hierarchy */
	__u32 inode;	     /* of the socket's file */
	__u32 tgid;
	__u32 listening; /* 1: it is a listener */
	__u32 zero;
};

struct change_key {
	__u32 netns;
	__u32 ifindex;
};

/* The last change of a link's features by a process other than offloadd. */
struct change_entry {
	struct event_header header;
	__u64 time_ns;	     /* CLOCK_MONOTONIC */
	__u64 before, after; /* features */
	__u64 cgroup;	     /* of the process; 1: the root of the unified hierarchy */
	__u32 root_netns, root_ifindex; /* the link where the change started, which may be this one */
	__u32 pid, ppid;     /* thread group ids; 0: unknown */
	char comm[EVENT_COMM_LEN], parent_comm[EVENT_COMM_LEN];
};

/* The names of a cgroup and of those above it, in the map "names" by its id, until user space has taken them. */
#define CGROUP_LEVELS 16 /* of a cgroup that is deeper, the upper names are kept */
#define CGROUP_LEVELS_MAX 32
#define CGROUP_NAMES_MAX 128
#define CGROUP_NAME_LEN 256 /* NAME_MAX, with the NUL */
struct cgroup_names {
	__u32 done; /* 1 + its levels below the root (CGROUP_LEVELS_MAX: too deep); 0: still being written */
	__u16 len[CGROUP_LEVELS]; /* of each name, with its NUL */
	char name[CGROUP_LEVELS][CGROUP_NAME_LEN]; /* level n, counted from the cgroup up, is at n % CGROUP_LEVELS */
	__u32 zero;
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
	__u64 asleep_ns; /* when it went to sleep; 0: it is runnable */
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

/* Per CPU or shared, as fallback_count. */
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
