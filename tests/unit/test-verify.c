/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single packets and sequences of them: each kind of damage is told from a right packet. */
#include "unit.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>

#include "verify/flow.h"

#define ETHERNET 14
#define VXLAN (20 + 8 + 8 + ETHERNET)

struct packet {
	uint8_t data[512];
	struct frame frame;
	size_t ip, l4; /* of the innermost headers */
};

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint16_t folded(const uint8_t *from, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)(from[i] << 8) + (i + 1 < len ? from[i + 1] : 0);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* An IPv4 header for `len` bytes after it. Returns the sum of the pseudo header. */
static uint32_t put_ip(uint8_t *ip, uint8_t protocol, size_t len)
{
	ip[0] = 0x45;
	put16(ip + 2, (unsigned)(20 + len));
	put16(ip + 4, 0x1234);
	ip[6] = 0x40;
	ip[8] = 64;
	ip[9] = protocol;
	memcpy(ip + 12, "\xc0\x00\x02\x01\xc0\x00\x02\x02", 8);
	put16(ip + 10, 0);
	put16(ip + 10, (uint16_t)~folded(ip, 20, 0));
	return folded(ip + 12, 8, protocol + (uint32_t)len);
}

/* TCP with `payload` bytes, in a vxlan if asked. */
static struct packet *tcp(size_t payload, bool vxlan)
{
	static struct packet p;
	size_t at = ETHERNET, len = 20 + payload;
	uint8_t *udp = NULL;
	uint32_t pseudo, outer = 0;

	p = (struct packet){ 0 };
	put16(p.data + 12, ETH_P_IP);
	if (vxlan) {
		outer = put_ip(p.data + at, IPPROTO_UDP, 8 + 8 + ETHERNET + 20 + len);
		udp = p.data + at + 20;
		put16(udp, 40000);
		put16(udp + 2, 4789);
		put16(udp + 4, (unsigned)(8 + 8 + ETHERNET + 20 + len));
		put16(udp + 8 + 8 + 12, ETH_P_IP);
		at += VXLAN;
	}
	pseudo = put_ip(p.data + at, IPPROTO_TCP, len);
	p.ip = at;
	p.l4 = at + 20;
	put16(p.data + p.l4, 1000);
	put16(p.data + p.l4 + 2, 2000);
	put16(p.data + p.l4 + 6, 77);
	p.data[p.l4 + 12] = 0x50;
	p.data[p.l4 + 13] = 0x10;
	for (size_t i = 0; i < payload; i++)
		p.data[p.l4 + 20 + i] = (uint8_t)(i * 7 + 1);
	put16(p.data + p.l4 + 16, (uint16_t)~folded(p.data + p.l4, len, pseudo));
	if (udp)
		put16(udp + 6, (uint16_t)~folded(udp, 8 + 8 + ETHERNET + 20 + len, outer));
	p.frame = (struct frame){ .data = p.data, .len = p.l4 + len, .ethernet = true };
	return &p;
}

static enum frame_wrong check(const struct packet *p)
{
	struct segment segment;

	return frame_check(&p->frame, &segment);
}

static void a_right_packet(void **state)
{
	struct segment s;

	(void)state;
	assert_int_equal(frame_check(&tcp(101, false)->frame, &s), FRAME_RIGHT);
	assert_int_equal(s.family, AF_INET);
	assert_int_equal(s.protocol, IPPROTO_TCP);
	assert_int_equal(s.source, 1000);
	assert_int_equal(s.target, 2000);
	assert_int_equal(s.sequence, 77);
	assert_int_equal(s.id, 0x1234);
	assert_int_equal(s.payload, 101);
	assert_int_equal(s.segments, 1);
	assert_int_equal(frame_check(&tcp(100, true)->frame, &s), FRAME_RIGHT);
	assert_int_equal(s.target, 2000);
}

static void each_damage(void **state)
{
	struct packet *p = tcp(101, false);

	(void)state;
	p->data[p->l4 + 16] ^= 1;
	assert_int_equal(check(p), FRAME_CHECKSUM);
	p = tcp(101, false);
	p->data[p->l4 + 20 + 100] ^= 0x80; /* the last, odd byte */
	assert_int_equal(check(p), FRAME_CHECKSUM);
	p = tcp(101, false);
	p->data[p->ip + 4] ^= 1;
	assert_int_equal(check(p), FRAME_IP_CHECKSUM);
	p = tcp(101, false);
	p->frame.len--;
	assert_int_equal(check(p), FRAME_CUT);
	p = tcp(101, false);
	p->frame.len++;
	assert_int_equal(check(p), FRAME_CUT);
	p = tcp(1, false); /* an Ethernet frame has at least 60 bytes */
	p->frame.len = 60;
	assert_int_equal(check(p), FRAME_RIGHT);
	p = tcp(101, true);
	p->data[ETHERNET + 20 + 6] ^= 1;
	assert_int_equal(check(p), FRAME_TUNNEL_CHECKSUM);
	p = tcp(101, true); /* makes both checksums wrong: the inner one is the cause */
	p->data[p->l4 + 17] ^= 1;
	assert_int_equal(check(p), FRAME_CHECKSUM);
}

/* What a device would compute is not there yet; what the kernel leaves in its place is checked. */
static void checksums_left_open(void **state)
{
	struct packet *p = tcp(101, false);
	uint16_t pseudo = folded(p->data + p->ip + 12, 8, IPPROTO_TCP + 121);

	(void)state;
	put16(p->data + p->l4 + 16, pseudo);
	assert_int_equal(check(p), FRAME_CHECKSUM);
	p->frame.open = true;
	p->frame.start = p->l4;
	p->frame.offset = 16;
	assert_int_equal(check(p), FRAME_RIGHT);
	p->data[p->l4 + 16] ^= 1;
	assert_int_equal(check(p), FRAME_CHECKSUM);

	/* the outer checksum is computed, as if the inner one were complete */
	p = tcp(101, true);
	put16(p->data + p->l4 + 16, folded(p->data + p->ip + 12, 8, IPPROTO_TCP + 121));
	p->frame.open = true;
	p->frame.start = p->l4;
	p->frame.offset = 16;
	assert_int_equal(check(p), FRAME_RIGHT);
	p->data[ETHERNET + 20 + 6] ^= 1;
	assert_int_equal(check(p), FRAME_TUNNEL_CHECKSUM);
}

static void no_packet_is_too_short(void **state)
{
	(void)state;
	for (size_t len = 0; len < 160; len++) {
		struct packet *p = tcp(60, true);
		uint8_t *exact = malloc(len ? len : 1);

		memcpy(exact, p->data, len);
		p->frame.data = exact;
		p->frame.len = len;
		assert_true(len == p->l4 + 80 ? check(p) == FRAME_RIGHT : check(p) != FRAME_RIGHT);
		free(exact);
	}
}

static struct segment segment(uint32_t sequence, size_t payload, uint16_t id, size_t segments)
{
	return (struct segment){ .family = AF_INET, .protocol = IPPROTO_TCP, .sequence = sequence, .payload = payload, .id = id,
		.segments = segments };
}

static enum frame_wrong judge(struct flow *flow, uint32_t sequence, size_t payload, uint16_t id, size_t segments)
{
	struct segment s = segment(sequence, payload, id, segments);

	return flow_judge(flow, &s);
}

static void sequences(void **state)
{
	struct flow flow = { 0 };

	(void)state;
	assert_int_equal(judge(&flow, UINT32_MAX - 99, 100, 65533, 1), FRAME_RIGHT);
	assert_int_equal(judge(&flow, 0, 300, 65534, 3), FRAME_RIGHT); /* a large packet takes the ids of its segments */
	assert_int_equal(judge(&flow, 300, 100, 1, 1), FRAME_RIGHT);
	assert_int_equal(judge(&flow, 200, 100, 2, 1), FRAME_RIGHT);   /* sent again */
	assert_int_equal(judge(&flow, 500, 100, 3, 1), FRAME_ORDER);   /* 400 is missing */
	assert_int_equal(judge(&flow, 600, 100, 5, 1), FRAME_ID);
	flow_forget(&flow);
	assert_int_equal(judge(&flow, 9000, 100, 77, 1), FRAME_RIGHT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_right_packet),
		cmocka_unit_test(each_damage),
		cmocka_unit_test(checksums_left_open),
		cmocka_unit_test(no_packet_is_too_short),
		cmocka_unit_test(sequences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
