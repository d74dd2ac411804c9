/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/capture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/util.h"

#define PACKETS 32
#define PACKET_BYTES (68u << 10) /* 64 KiB and all headers */
#define RECEIVE_BYTES (8 << 20)

/* With protocol 0, nothing is captured before bind(). */
static int open_socket(enum site_place place, uint16_t protocol, struct capture *ret)
{
	const int on = 1, bytes = RECEIVE_BYTES;

	*ret = (struct capture){ .place = place, .fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(protocol)) };
	if (ret->fd < 0)
		return -errno;
	ret->buffer = malloc((size_t)PACKETS * PACKET_BYTES);
	if (!ret->buffer)
		return -ENOMEM;
	if (setsockopt(ret->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(ret->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	return setsockopt(ret->fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) < 0 ? -errno : 0;
}

int capture_open(enum site_place place, struct capture *ret)
{
	return open_socket(place, ETH_P_ALL, ret);
}

/* Both ports are one word behind an IP header without options. */
static int set_filter(int fd, uint16_t port, uint16_t other)
{
	const uint32_t there = (uint32_t)port << 16 | other, back = (uint32_t)other << 16 | port;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_AD_OFF + SKF_AD_PROTOCOL),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 2, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_NET_OFF + 20),
		BPF_STMT(BPF_JMP | BPF_JA, 1),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_NET_OFF + 40),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, there, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, back, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	const struct sock_fprog program = { ARRAY_SIZE(code), code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno : 0;
}

int capture_open_at(int ifindex, uint16_t port, uint16_t other, struct capture *ret)
{
	const struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = ifindex };
	int r = open_socket(SITE_SENDER, 0, ret);

	if (r == 0)
		r = set_filter(ret->fd, port, other);
	return r < 0 || !ifindex ? r : bind(ret->fd, (const struct sockaddr *)&at, sizeof(at)) < 0 ? -errno : 0;
}

void capture_explain(int error, char *why, size_t size)
{
	snprintf(why, size, "Failed to capture packets: %s%s", strerror(-error), error == -EPERM ? "; it requires CAP_NET_RAW" :
		error == -EAFNOSUPPORT ? "; this kernel, or a sandbox, has no AF_PACKET sockets" : "");
}

void capture_close(struct capture *capture)
{
	if (capture->fd >= 0)
		close(capture->fd);
	free(capture->buffer);
	*capture = (struct capture){ .fd = -1 };
}

static void describe(const uint8_t *data, size_t len, const struct sockaddr_ll *from, struct frame *ret)
{
	struct virtio_net_hdr header;

	memcpy(&header, data, sizeof(header));
	*ret = (struct frame){
		.data = data + sizeof(header),
		.len = len - sizeof(header),
		.outgoing = from->sll_pkttype == PACKET_OUTGOING,
		.ethernet = from->sll_hatype == ARPHRD_ETHER,
		.protocol = ntohs(from->sll_protocol),
		.open = header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.start = header.csum_start,
		.offset = header.csum_offset,
		.gso_size = header.gso_type != VIRTIO_NET_HDR_GSO_NONE ? header.gso_size : 0,
	};
}

/* How many packets the kernel had no room for since the last call. */
static unsigned take_drops(const struct capture *capture)
{
	struct tpacket_stats stats = { 0 };
	socklen_t len = sizeof(stats);

	return getsockopt(capture->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) == 0 ? stats.tp_drops : 0;
}

/* One call for many packets: where each system call is expensive, this is what a run of verify takes. */
static int read_many(struct capture *capture, capture_fn packet, capture_unseen_fn unseen, void *userdata)
{
	struct mmsghdr messages[PACKETS] = { 0 };
	struct sockaddr_ll from[PACKETS];
	struct iovec parts[PACKETS];
	int n;

	for (size_t i = 0; i < PACKETS; i++) {
		parts[i] = (struct iovec){ capture->buffer + i * PACKET_BYTES, PACKET_BYTES };
		messages[i].msg_hdr = (struct msghdr){ .msg_name = &from[i], .msg_namelen = sizeof(from[i]), .msg_iov = &parts[i],
			.msg_iovlen = 1 };
	}
	n = recvmmsg(capture->fd, messages, PACKETS, 0, NULL);
	if (n < 0 && errno == EINVAL) { /* one packet that cannot be described; it is gone */
		unseen(capture, 1, false, userdata);
		return 1;
	}
	if (n < 0 && errno == ENETDOWN) /* an interface was removed */
		return 1;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		struct frame frame;

		if (messages[i].msg_hdr.msg_flags & MSG_TRUNC || messages[i].msg_len < sizeof(struct virtio_net_hdr)) {
			unseen(capture, 1, false, userdata);
			continue;
		}
		describe(parts[i].iov_base, messages[i].msg_len, &from[i], &frame);
		packet(capture, from[i].sll_ifindex, &frame, userdata);
	}
	return n;
}

int capture_read(struct capture *capture, capture_fn packet, capture_unseen_fn unseen, void *userdata)
{
	unsigned drops;
	int r = 1;

	for (unsigned i = 0; i < CAPTURE_PACKETS / PACKETS && r > 0; i++)
		r = read_many(capture, packet, unseen, userdata);
	drops = take_drops(capture);
	if (drops)
		unseen(capture, drops, true, userdata);
	return r < 0 ? r : 0;
}

static void ignore(_unused_ struct capture *capture, _unused_ int ifindex, _unused_ const struct frame *frame, _unused_ void *userdata)
{
}

static void ignore_unseen(_unused_ struct capture *capture, _unused_ unsigned n, _unused_ bool dropped, _unused_ void *userdata)
{
}

int capture_discard(struct capture *captures, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = capture_read(&captures[i], ignore, ignore_unseen, NULL);
	return r;
}
