/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Enums and sizes that the BPF programs (through event.h) and src/ share. evidence/evidence.h has the names as text. No kernel
 * types, so that any file can include it. */
#ifndef OFFLOADD_BPF_KINDS_H
#define OFFLOADD_BPF_KINDS_H

#define EVENT_COMM_LEN 16 /* TASK_COMM_LEN */

/* Kinds of software fallback. */
enum fallback_kind {
	FALLBACK_SENDPAGE,     /* up to Linux 6.4: pages copied by sock_no_sendpage(), sock_no_sendpage_locked() */
	FALLBACK_SPLICE,       /* from Linux 6.5 on: calls of splice_to_socket() that copy */
	FALLBACK_SEGMENTATION, /* __skb_gso_segment() because the device lacks a feature */
	FALLBACK_CHECKSUM,     /* skb_checksum_help() because the device lacks a feature */
	FALLBACK_UDP,	       /* sends with UDP_SEGMENT that are refused, because the device lacks a checksum feature */
	FALLBACK_KINDS,
};

/* Where the packet came from. */
enum fallback_origin {
	FALLBACK_SOCKET,    /* a local socket, counted for its cgroup */
	FALLBACK_FORWARDED, /* received by another device, no local socket */
	FALLBACK_KERNEL,    /* created by the kernel: no socket, not received */
	FALLBACK_ORIGINS,
};

/* TCP functions whose calls `offloadctl investigate` counts. */
enum rate_kind { RATE_SENDMSG, RATE_PUSH_ONE, RATE_WRITE_TIMER, RATE_KINDS };

#define LATENCY_SLOTS 32 /* slot n: 2^n <= microseconds < 2^(n+1); the first includes 0, the last everything above */
#define STACK_DEPTH 24	 /* frames of a call stack */

#endif
