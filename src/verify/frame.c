/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/frame.h"

#include <linux/if_ether.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define VXLAN_PORT 4789
#define GENEVE_PORT 6081
#define DEPTH_MAX 8
#define ETHERNET_LEAST 60

const char *frame_wrong_name(enum frame_wrong wrong)
{
	static const char *const names[FRAME_WRONGS] = { "none", "length", "ip-checksum", "checksum", "tunnel-checksum", "ip-id", "order",
		"data", "datagram-size", "lost", "rejected", "unsegmented", "open-checksum" };

	return names[wrong];
}

const char *frame_wrong_text(enum frame_wrong wrong)
{
	static const char *const texts[FRAME_WRONGS] = { "nothing", "a header with the wrong length", "a wrong checksum of an IP header", "a wrong checksum",
		"a wrong checksum of the tunnel's UDP header", "an IP id that does not follow the one before: it is wrong, or a packet is missing", "segments that are missing or in the wrong order", "corrupt data",
		"a datagram of the wrong size", "data that did not arrive",
		"packets that the kernel rejected or lost on arrival", "a large packet that should have been segmented",
		"a checksum that should have been computed" };

	return texts[wrong];
}

struct walk {
	const struct frame *frame;
	struct segment *segment;
	size_t at, end; /* of the header to check, and of the packet that it says it belongs to */
	uint16_t protocol; /* ETH_P_* at `at`; 0: the end */
	uint32_t pseudo;
	bool padded; /* more bytes than the header says are allowed */
};

static uint16_t get16(const struct walk *w, size_t at)
{
	return (uint16_t)(w->frame->data[at] << 8 | w->frame->data[at + 1]);
}

static uint32_t sum(const struct walk *w, size_t from, size_t to, uint32_t start)
{
	uint64_t sum = start;

	for (; from + 1 < to; from += 2)
		sum += get16(w, from);
	if (from < to)
		sum += (uint32_t)(w->frame->data[from] << 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint32_t)sum;
}

static bool has(const struct walk *w, size_t bytes)
{
	return w->end - w->at >= bytes;
}

/* Sums of 0 and of all ones are the same number. */
static bool is_same_sum(uint32_t a, uint32_t b)
{
	return a == b || (a % 0xffff == 0 && b % 0xffff == 0);
}

/* The checksum at `at` + offset, which covers all from `at` to the end (RFC 1071). */
static bool has_right_sum(const struct walk *w, size_t offset)
{
	const struct frame *f = w->frame;

	if (f->listed && f->gso_size)
		return true;
	if (f->open && f->start == w->at)
		return is_same_sum(get16(w, w->at + offset), sum(w, 0, 0, w->pseudo)) ||
			(f->device && f->outgoing && is_same_sum(sum(w, w->at, w->end, w->pseudo), 0xffff));
	if (f->gso_size) /* computed when it is split */
		return true;
	/* The sum of all from f->start on will be what its pseudo header lacks to all ones (lco_csum() in the kernel). */
	if (f->open && f->start > w->at && f->start + f->offset + 2 <= w->end)
		return is_same_sum(sum(w, w->at, f->start, w->pseudo + (uint16_t)~get16(w, f->start + f->offset)), 0xffff);
	return is_same_sum(sum(w, w->at, w->end, w->pseudo), 0xffff);
}

static enum frame_wrong check_tcp(struct walk *w)
{
	const struct frame *f = w->frame;
	size_t header;
	bool merged;

	if (!has(w, 20))
		return FRAME_CUT;
	header = (size_t)(f->data[w->at + 12] >> 4) * 4;
	if (header < 20 || !has(w, header))
		return FRAME_CUT;
	w->segment->source = get16(w, w->at);
	w->segment->target = get16(w, w->at + 2);
	w->segment->sequence = (uint32_t)get16(w, w->at + 4) << 16 | get16(w, w->at + 6);
	w->segment->fin = f->data[w->at + 13] & 1;
	w->segment->syn = f->data[w->at + 13] & 2;
	w->segment->payload = w->end - w->at - header;
	w->protocol = 0;
	merged = f->device && !f->outgoing && f->mss && w->segment->payload > f->mss;
	return merged || has_right_sum(w, 16) ? FRAME_RIGHT : FRAME_CHECKSUM;
}

static void enter_tunnel(struct walk *w, uint16_t port)
{
	size_t header = 8 + 8;

	if (port == VXLAN_PORT && has(w, header)) {
		w->protocol = ETH_P_TEB;
	} else if (port == GENEVE_PORT && has(w, header)) {
		header += (size_t)(w->frame->data[w->at + 8] & 0x3f) * 4;
		w->protocol = has(w, header) ? get16(w, w->at + 10) : 0;
	} else {
		w->protocol = 0;
		return;
	}
	w->at += header;
}

static enum frame_wrong check_udp(struct walk *w)
{
	bool tunnel, none, wrong;

	if (!has(w, 8))
		return FRAME_CUT;
	w->segment->source = get16(w, w->at);
	w->segment->target = get16(w, w->at + 2);
	tunnel = !w->frame->device && (w->segment->target == VXLAN_PORT || w->segment->target == GENEVE_PORT);
	if (get16(w, w->at + 4) != w->end - w->at)
		return FRAME_CUT;
	w->segment->payload = w->end - w->at - 8;
	/* no socket and no tunnel of verify asks for that */
	none = get16(w, w->at + 6) == 0 && !w->frame->gso_size && !(w->frame->open && w->frame->start == w->at);
	wrong = none || !has_right_sum(w, 6);
	enter_tunnel(w, tunnel ? w->segment->target : 0);
	return !wrong ? FRAME_RIGHT : tunnel ? FRAME_TUNNEL_CHECKSUM : FRAME_CHECKSUM;
}

static enum frame_wrong check_gre(struct walk *w)
{
	size_t header = 4;
	uint16_t flags;

	if (!has(w, header))
		return FRAME_CUT;
	flags = get16(w, w->at);
	header += (flags & 0x8000 ? 4 : 0) + (flags & 0x2000 ? 4 : 0) + (flags & 0x1000 ? 4 : 0);
	if (!has(w, header))
		return FRAME_CUT;
	w->protocol = get16(w, w->at + 2);
	w->at += header;
	return FRAME_RIGHT;
}

static enum frame_wrong check_inner(struct walk *w, uint8_t family, uint8_t protocol)
{
	w->segment->family = family;
	w->segment->protocol = 0;
	switch (protocol) {
	case IPPROTO_TCP:
		w->segment->protocol = protocol;
		return check_tcp(w);
	case IPPROTO_UDP:
		w->segment->protocol = protocol;
		return check_udp(w);
	case IPPROTO_IPIP:
		w->protocol = ETH_P_IP;
		return FRAME_RIGHT;
	case IPPROTO_IPV6:
		w->protocol = ETH_P_IPV6;
		return FRAME_RIGHT;
	case IPPROTO_GRE:
		return check_gre(w);
	default:
		w->protocol = 0;
		return FRAME_RIGHT;
	}
}

/* The length in an IP header against the bytes that there are. none: the header has no length, as it is too large for it (BIG TCP). */
static bool take_length(struct walk *w, size_t len, bool none)
{
	if (none && w->frame->gso_size)
		len = w->end - w->at;
	if (len > w->end - w->at || (len < w->end - w->at && !w->padded))
		return false;
	w->end = w->at + len;
	w->padded = false;
	return true;
}

static enum frame_wrong check_ip4(struct walk *w)
{
	uint8_t protocol;
	size_t header;

	if (!has(w, 20))
		return FRAME_CUT;
	header = (size_t)(w->frame->data[w->at] & 15) * 4;
	if (header < 20 || !has(w, header) || !take_length(w, get16(w, w->at + 2), get16(w, w->at + 2) == 0) || !has(w, header))
		return FRAME_CUT;
	if (sum(w, w->at, w->at + header, 0) != 0xffff)
		return FRAME_IP_CHECKSUM;
	protocol = w->frame->data[w->at + 9];
	w->segment->id = get16(w, w->at + 4);
	w->segment->protocol = 0;
	if (get16(w, w->at + 6) & 0x3fff) { /* a fragment */
		w->protocol = 0;
		return FRAME_RIGHT;
	}
	w->pseudo = sum(w, w->at + 12, w->at + 20, protocol + (uint32_t)(w->end - w->at - header));
	w->at += header;
	return check_inner(w, AF_INET, protocol);
}

static enum frame_wrong check_ip6(struct walk *w)
{
	uint8_t protocol;

	if (!has(w, 40) || !take_length(w, 40 + (size_t)get16(w, w->at + 4), get16(w, w->at + 4) == 0))
		return FRAME_CUT;
	protocol = w->frame->data[w->at + 6];
	w->pseudo = sum(w, w->at + 8, w->at + 40, protocol + (uint32_t)(w->end - w->at - 40));
	w->at += 40;
	return check_inner(w, AF_INET6, protocol);
}

static enum frame_wrong check_one(struct walk *w)
{
	switch (w->protocol) {
	case ETH_P_TEB:
		if (!has(w, ETH_HLEN))
			return FRAME_CUT;
		w->protocol = get16(w, w->at + 12);
		w->at += ETH_HLEN;
		return FRAME_RIGHT;
	case ETH_P_8021Q:
	case ETH_P_8021AD:
		if (!has(w, 4))
			return FRAME_CUT;
		w->protocol = get16(w, w->at + 2);
		w->at += 4;
		return FRAME_RIGHT;
	case ETH_P_IP:
		return check_ip4(w);
	case ETH_P_IPV6:
		return check_ip6(w);
	default:
		w->protocol = 0;
		return FRAME_RIGHT;
	}
}

enum frame_wrong frame_check(const struct frame *frame, struct segment *ret)
{
	struct walk w = { .frame = frame, .segment = ret, .end = frame->len,
		.padded = frame->len <= ETHERNET_LEAST || (frame->device && !frame->outgoing), .protocol = frame->ethernet ? ETH_P_TEB : frame->protocol };
	enum frame_wrong wrong = FRAME_RIGHT;

	*ret = (struct segment){ 0 };
	for (unsigned depth = 0; w.protocol && depth < DEPTH_MAX; depth++) {
		enum frame_wrong here = check_one(&w);

		/* what is wrong inside a tunnel makes the checksum of the tunnel wrong, too */
		if (here != FRAME_RIGHT)
			wrong = here;
		if (here != FRAME_RIGHT && here != FRAME_TUNNEL_CHECKSUM)
			break;
	}
	ret->segments = frame->gso_size && ret->payload ? (ret->payload + frame->gso_size - 1) / frame->gso_size : 1;
	return wrong;
}

enum frame_wrong frame_judge_work(const struct frame *frame, bool is_split, bool is_summed)
{
	return is_split && frame->gso_size ? FRAME_UNSEGMENTED : is_summed && frame->open ? FRAME_OPEN : FRAME_RIGHT;
}
