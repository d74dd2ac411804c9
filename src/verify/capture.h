/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All packets of one of the namespaces of site.h, by AF_PACKET (packet(7)). */
#ifndef OFFLOADD_CAPTURE_H
#define OFFLOADD_CAPTURE_H

#include "verify/frame.h"
#include "verify/site.h"

#define CAPTURE_PACKETS 8192

struct capture {
	int fd;
	enum site_place place;
	uint8_t *buffer;
};

/* Opens a capture in the namespace that this process is in. ret: released by capture_close(), also after an error. 0 or negative
 * errno; -EAFNOSUPPORT: the kernel has no AF_PACKET. */
int capture_open(enum site_place place, struct capture *ret);
/* The same at one interface, only of packets of TCP and UDP between two ports. ifindex 0: of none, to try whether it is possible. */
int capture_open_at(int ifindex, uint16_t port, uint16_t other, struct capture *ret);
/* The message for an error of these two. */
void capture_explain(int error, char *why, size_t size);
void capture_close(struct capture *capture);

typedef void (*capture_fn)(struct capture *capture, int ifindex, const struct frame *frame, void *userdata);
/* dropped: it is not known where in the sequence. Otherwise it is exactly the next packet, which is large UDP. */
typedef void (*capture_unseen_fn)(struct capture *capture, unsigned n, bool dropped, void *userdata);

/* Reads what is there without blocking, at most CAPTURE_PACKETS, as another host may send more meanwhile. unseen: packets were lost because the buffer was full, or the kernel cannot describe them
 * (segments of UDP before Linux 6.2, virtio_net_hdr_from_skb()). 0 or negative errno. */
int capture_read(struct capture *capture, capture_fn packet, capture_unseen_fn unseen, void *userdata);
/* Throws away what is there. 0 or negative errno. */
int capture_discard(struct capture *captures, size_t n);

#endif
