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

#define BUFFER_BYTES (256u << 10)
#define RECEIVE_BYTES (8 << 20)

int capture_open(enum site_place place, struct capture *ret)
{
	const int on = 1, bytes = RECEIVE_BYTES;

	*ret = (struct capture){ .place = place, .fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL)) };
	if (ret->fd < 0)
		return -errno;
	ret->buffer = malloc(BUFFER_BYTES);
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

static void describe(const struct capture *capture, size_t len, const struct sockaddr_ll *from, struct frame *ret)
{
	struct virtio_net_hdr header;

	memcpy(&header, capture->buffer, sizeof(header));
	*ret = (struct frame){
		.data = capture->buffer + sizeof(header),
		.len = len - sizeof(header),
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

int capture_read(struct capture *capture, capture_fn packet, capture_unseen_fn unseen, void *userdata)
{
	unsigned drops;

	for (;;) {
		struct sockaddr_ll from = { 0 };
		socklen_t from_len = sizeof(from);
		ssize_t n = recvfrom(capture->fd, capture->buffer, BUFFER_BYTES, MSG_TRUNC, (struct sockaddr *)&from, &from_len);
		struct frame frame;

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n < 0 && errno == ENETDOWN) /* a link was set down or removed */
			continue;
		if (n < 0 && errno != EINVAL)
			return -errno;
		if (n < (ssize_t)sizeof(struct virtio_net_hdr) || n > (ssize_t)BUFFER_BYTES) {
			unseen(capture, 1, userdata);
			continue;
		}
		describe(capture, (size_t)n, &from, &frame);
		packet(capture, from.sll_ifindex, &frame, userdata);
	}
	drops = take_drops(capture);
	if (drops)
		unseen(capture, drops, userdata);
	return 0;
}

static void ignore(_unused_ struct capture *capture, _unused_ int ifindex, _unused_ const struct frame *frame, _unused_ void *userdata)
{
}

static void ignore_unseen(_unused_ struct capture *capture, _unused_ unsigned n, _unused_ void *userdata)
{
}

int capture_discard(struct capture *captures, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = capture_read(&captures[i], ignore, ignore_unseen, NULL);
	return r;
}
