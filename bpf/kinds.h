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

/* Why the kernel does it in software, decided in the kernel at each hit: what netif_skb_features() removed for this packet. A device
 * that lacks the feature is the reason before any other. */
enum fallback_reason {
	FALLBACK_REASON_UNKNOWN,       /* nothing that can be read explains it; always on kernels without BTF */
	FALLBACK_REASON_FEATURE,       /* the device does not have the feature on */
	FALLBACK_REASON_XDP,	       /* the same: a veth whose peer runs XDP cannot have it (veth_xdp_set()) */
	FALLBACK_REASON_SIZE,	       /* the packet is not shorter than gso_max_size: gso_features_check() */
	FALLBACK_REASON_IPV4_SIZE,     /* the same with gso_ipv4_max_size, the smaller limit of the two */
	FALLBACK_REASON_SEGMENTS,      /* more segments than gso_max_segs */
	FALLBACK_REASON_VLAN,	       /* the packet has a VLAN tag: vlan_features, vlan_features_check() */
	FALLBACK_REASON_ENCAPSULATION, /* it is encapsulated: hw_enc_features, mpls_features */
	FALLBACK_REASON_HEADERS,       /* protocol or extension headers that checksum offload does not cover: skb_csum_hwoffload_help() */
	FALLBACK_REASON_DRIVER,	       /* the driver refuses this packet: ndo_features_check(), or its transmit function */
	FALLBACK_REASON_MTU,	       /* larger than the MTU, and fragmented: ip_finish_output_gso(), ip_do_fragment() */
	FALLBACK_REASON_QDISC,	       /* the queueing discipline splits packets: tbf, cake, netem, taprio, dualpi2 */
	FALLBACK_REASON_FORCED,	       /* another part of the kernel: a qdisc below another, IPsec, WireGuard, nfqueue */
	FALLBACK_REASON_STALE,	       /* copies: the socket lacks scatter-gather, which its device has */
	FALLBACK_REASONS,
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

/* SO_RCVTIMEO of sockets of check-path, in seconds: the probes do not count their traffic. Its sockets do not block, so the timeout has
 * no effect, and no other program is likely to set one of 23 days. */
#define OWN_RECEIVE_TIMEOUT_SEC 1999993L

#define LATENCY_SLOTS 32 /* slot n: 2^n <= microseconds < 2^(n+1); the first includes 0, the last everything above */
#define STACK_DEPTH 24	 /* frames of a call stack */

#endif
