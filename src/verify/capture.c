/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/capture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/util.h"

#define PACKETS 32
#define PACKET_BYTES (68u << 10) /* 64 KiB and all headers */
#define RECEIVE_BYTES (8 << 20)

int capture_open(enum site_place place, struct capture *ret)
{
	const int on = 1, bytes = RECEIVE_BYTES;

	*ret = (struct capture){ .place = place, .fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL)) };
	if (ret->fd < 0)
		return -errno;
	ret->buffer = malloc((size_t)PACKETS * PACKET_BYTES);
	if (!ret->buffer)
		return -ENOMEM;
	if (setsockopt(ret->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(ret->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	return setsockopt(ret->fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) < 0 ? -errno : 0;
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
	int r;

	do
		r = read_many(capture, packet, unseen, userdata);
	while (r > 0);
	drops = take_drops(capture);
	if (drops)
		unseen(capture, drops, true, userdata);
	return r;
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
