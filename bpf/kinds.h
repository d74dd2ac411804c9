/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is counted, by which names, and how large: shared by the BPF programs (through event.h) and by src/ (evidence/evidence.h has
 * the names as text). No type of the kernel's, so that any file may include it. */
#ifndef OFFLOADD_BPF_KINDS_H
#define OFFLOADD_BPF_KINDS_H

#define EVENT_COMM_LEN 16 /* TASK_COMM_LEN */

/* What the kernel did in software. */
enum fallback_kind {
	FALLBACK_SENDPAGE,     /* copied pages: sock_no_sendpage(), sock_no_sendpage_locked(), up to Linux 6.4 */
	FALLBACK_SPLICE,       /* the same from 6.5: splice_to_socket() that has to copy */
	FALLBACK_SEGMENTATION, /* __skb_gso_segment() because the device lacks a feature */
	FALLBACK_CHECKSUM,     /* skb_checksum_help() because the device lacks a feature */
	FALLBACK_KINDS,
};

/* For whom. */
enum fallback_origin {
	FALLBACK_SOCKET,    /* a local socket, charged to its cgroup */
	FALLBACK_FORWARDED, /* came in by another device, no local socket */
	FALLBACK_KERNEL,    /* made by the kernel itself: no socket, not received */
	FALLBACK_ORIGINS,
};

/* TCP functions whose calls are counted while someone watches. */
enum rate_kind { RATE_SENDMSG, RATE_PUSH_ONE, RATE_WRITE_TIMER, RATE_KINDS };

#define LATENCY_SLOTS 32 /* slot n holds 2^n <= microseconds < 2^(n+1); the first also 0, the last also everything above */
#define STACK_DEPTH 24	 /* frames of one stack */

#endif
