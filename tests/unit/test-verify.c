/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single packets and sequences of them: each kind of damage is found, and a right packet is not called wrong. */
#include "unit.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>

#include "golden.h"
#include "verify/capture.h"
#include "verify/counters.h"
#include "verify/flow.h"
#include "verify/known.h"
#include "verify/verify_report.h"

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

static void a_complete_flow(void **state)
{
	struct flow flow = { 0 };
	struct segment s = segment(UINT32_MAX, 0, 1, 1);

	(void)state;
	s.syn = true;
	assert_int_equal(flow_judge(&flow, &s), FRAME_RIGHT);
	assert_int_equal(judge(&flow, 0, 100, 2, 1), FRAME_RIGHT);
	assert_true(flow_is_complete(&flow, 100));
	assert_false(flow_is_complete(&flow, 101));
	flow_forget(&flow);
	assert_int_equal(judge(&flow, 0, 100, 2, 1), FRAME_RIGHT);
	assert_false(flow_is_complete(&flow, 100)); /* the SYN was not seen */
}

/* UDP over IPv6 with 11 bytes, behind `depth` VLAN tags. */
static struct packet *udp6(size_t depth)
{
	static struct packet p;
	size_t at = ETHERNET + depth * 4, len = 8 + 11;

	p = (struct packet){ 0 };
	for (size_t i = 0; i < depth; i++)
		put16(p.data + 12 + i * 4, i ? ETH_P_8021Q : ETH_P_8021AD);
	put16(p.data + at - 2, ETH_P_IPV6);
	p.data[at] = 0x60;
	put16(p.data + at + 4, (unsigned)len);
	p.data[at + 6] = IPPROTO_UDP;
	p.data[at + 7] = 64;
	memcpy(p.data + at + 8, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2", 32);
	p.ip = at;
	p.l4 = at + 40;
	put16(p.data + p.l4, 1000);
	put16(p.data + p.l4 + 2, 2000);
	put16(p.data + p.l4 + 4, (unsigned)len);
	memcpy(p.data + p.l4 + 8, "hello world", 11);
	put16(p.data + p.l4 + 6, (uint16_t)~folded(p.data + p.l4, len, folded(p.data + at + 8, 32, IPPROTO_UDP + (uint32_t)len)));
	p.frame = (struct frame){ .data = p.data, .len = p.l4 + len, .ethernet = true };
	return &p;
}

static void udp_over_ipv6_in_vlans(void **state)
{
	struct segment s;

	(void)state;
	for (size_t depth = 0; depth <= 2; depth++) {
		struct packet *p = udp6(depth);

		assert_int_equal(frame_check(&p->frame, &s), FRAME_RIGHT);
		assert_int_equal(s.family, AF_INET6);
		assert_int_equal(s.protocol, IPPROTO_UDP);
		assert_int_equal(s.target, 2000);
		assert_int_equal(s.payload, 11);
		p->data[p->l4 + 8] ^= 1;
		assert_int_equal(check(p), FRAME_CHECKSUM);
		p = udp6(depth);
		put16(p->data + p->l4 + 6, 0); /* no checksum */
		assert_int_equal(check(p), FRAME_CHECKSUM);
		p = udp6(depth);
		put16(p->data + p->l4 + 4, 18);
		assert_int_equal(check(p), FRAME_CUT);
	}
}

/* A packet of tcp() behind an IPv4 header and `header` bytes after it: of GRE, or of UDP and geneve. */
static struct packet *in_tunnel(uint8_t protocol, const uint8_t *header, size_t header_len, size_t cut)
{
	static struct packet p;
	struct packet *inner = tcp(101, false);
	size_t inner_len = inner->frame.len - cut, at = ETHERNET + 20;

	p = (struct packet){ 0 };
	put16(p.data + 12, ETH_P_IP);
	memcpy(p.data + at, header, header_len);
	memcpy(p.data + at + header_len, inner->data + cut, inner_len);
	p.l4 = at;
	p.ip = at + header_len + inner->ip - cut;
	if (protocol == IPPROTO_UDP)
		put16(p.data + at + 4, (unsigned)(header_len + inner_len));
	{
		uint32_t pseudo = put_ip(p.data + ETHERNET, protocol, header_len + inner_len);

		if (protocol == IPPROTO_UDP)
			put16(p.data + at + 6, (uint16_t)~folded(p.data + at, header_len + inner_len, pseudo));
	}
	p.frame = (struct frame){ .data = p.data, .len = at + header_len + inner_len, .ethernet = true };
	return &p;
}

static void gre_and_geneve(void **state)
{
	static const uint8_t gre[] = { 0x20, 0, 0x08, 0x00, 0, 0, 0, 7 }; /* with a key */
	static const uint8_t geneve[] = { 0x9c, 0x40, 0x17, 0xc1, 0, 0, 0, 0, 1, 0, 0x65, 0x58, 0, 0, 7, 0, 1, 2, 3, 4 };
	struct packet *p = in_tunnel(IPPROTO_GRE, gre, sizeof(gre), ETHERNET);
	struct segment s;

	(void)state;
	assert_int_equal(frame_check(&p->frame, &s), FRAME_RIGHT);
	assert_int_equal(s.target, 2000);
	p->data[p->ip + 20 + 25] ^= 1;
	assert_int_equal(check(p), FRAME_CHECKSUM);
	p = in_tunnel(IPPROTO_UDP, geneve, sizeof(geneve), 0);
	assert_int_equal(frame_check(&p->frame, &s), FRAME_RIGHT);
	assert_int_equal(s.target, 2000);
	put16(p->data + p->l4 + 6, 0);
	assert_int_equal(check(p), FRAME_TUNNEL_CHECKSUM);
	p = in_tunnel(IPPROTO_UDP, geneve, sizeof(geneve), 0);
	p->data[p->ip + 10] ^= 1;
	assert_int_equal(check(p), FRAME_IP_CHECKSUM);
}

static void kernel_counters(void **state)
{
	struct counters c = { 0 };

	(void)state;
	counters_add_snmp(&c, "Ip: Forwarding InHdrErrors\nIp: 1 2\nTcp: InErrs InCsumErrors\nTcp: 4 8\n"
		"Udp: InErrors RcvbufErrors InCsumErrors\nUdp: 99 16 32\nUdpLite: InCsumErrors\nUdpLite: 7\nIcmp: InCsumErrors\nIcmp: 7\n");
	assert_int_equal(c.rejected, 2 + 4 + 8 + 32);
	assert_int_equal(c.full, 16);
	c = (struct counters){ 0 };
	counters_add_snmp6(&c, "Ip6InHdrErrors                  \t1\nUdp6InCsumErrors\t2\nUdp6RcvbufErrors\t4\nUdpLite6InCsumErrors\t8\n");
	assert_int_equal(c.rejected, 3);
	assert_int_equal(c.full, 4);
	c = (struct counters){ 0 };
	counters_add_softnet(&c, "0000ffff 0000000a 00000000\n00000001 00000010 00000000\n");
	assert_int_equal(c.full, 26);
	counters_add_snmp(&c, "Tcp: InErrs");
	counters_add_snmp6(&c, "Ip6");
	counters_add_softnet(&c, "1");
	assert_int_equal(c.full, 26);
	assert_int_equal(c.rejected, 0);
}

static void what_a_full_queue_explains(void **state)
{
	static const enum frame_wrong missing[] = { FRAME_LOST, FRAME_ORDER, FRAME_ID, FRAME_REJECTED };

	(void)state;
	for (unsigned wrong = 0; wrong < FRAME_WRONGS; wrong++) {
		bool is_missing = false;

		for (size_t i = 0; i < sizeof(missing) / sizeof(*missing); i++)
			is_missing |= wrong == missing[i];
		assert_int_equal(counters_may_explain((enum frame_wrong)wrong), is_missing);
	}
}

static void work_that_was_not_done(void **state)
{
	struct packet *p = tcp(101, false);

	(void)state;
	assert_int_equal(frame_judge_work(&p->frame, true, true), FRAME_RIGHT);
	p->frame.open = true;
	assert_int_equal(frame_judge_work(&p->frame, true, false), FRAME_RIGHT);
	assert_int_equal(frame_judge_work(&p->frame, true, true), FRAME_OPEN);
	p->frame.gso_size = 50;
	assert_int_equal(frame_judge_work(&p->frame, false, false), FRAME_RIGHT);
	assert_int_equal(frame_judge_work(&p->frame, true, true), FRAME_UNSEGMENTED);
}

static void a_checksum_that_the_device_computed(void **state)
{
	struct packet *p = tcp(101, false);

	(void)state;
	p->frame.open = true;
	p->frame.start = p->l4;
	p->frame.offset = 16;
	assert_int_equal(check(p), FRAME_CHECKSUM); /* the device would add the sum that is there */
	p->frame.device = true;
	assert_int_equal(check(p), FRAME_CHECKSUM); /* but not in what it received */
	p->frame.outgoing = true;
	assert_int_equal(check(p), FRAME_RIGHT);
	p->data[p->l4 + 30] ^= 1;
	assert_int_equal(check(p), FRAME_CHECKSUM);
}

/* __udp_gso_segment_list() in the kernel gives each packet its own again. */
static void a_list_of_packets(void **state)
{
	struct packet *p = tcp(101, false);

	(void)state;
	p->data[p->l4 + 16] ^= 1;
	p->frame.listed = true;
	assert_int_equal(check(p), FRAME_CHECKSUM);
	p->frame.open = true;
	p->frame.start = p->l4;
	p->frame.offset = 16;
	p->frame.gso_size = 50;
	assert_int_equal(check(p), FRAME_RIGHT);
}

static void a_packet_that_the_device_merged(void **state)
{
	struct packet *p = tcp(101, false);

	(void)state;
	p->data[p->l4 + 16] ^= 1;
	p->frame.device = true;
	p->frame.mss = 101;
	assert_int_equal(check(p), FRAME_CHECKSUM);
	p->frame.mss = 100;
	assert_int_equal(check(p), FRAME_RIGHT);
	p->frame.outgoing = true;
	assert_int_equal(check(p), FRAME_CHECKSUM);
}

/* A device may leave bytes behind a packet, such as the frame check sequence (rx-fcs). The kernel cuts them off. */
static void bytes_behind_a_packet(void **state)
{
	struct packet *p = tcp(101, false);

	(void)state;
	p->frame.device = true;
	p->frame.len += 4;
	assert_int_equal(check(p), FRAME_RIGHT);
	p->frame.outgoing = true;
	assert_int_equal(check(p), FRAME_CUT);
}

/* Between two hosts, the port of a tunnel may be just any port. */
static void a_port_of_a_tunnel(void **state)
{
	struct packet *p = tcp(101, true);

	(void)state;
	p->data[p->l4 + 16] ^= 1; /* inside, and outside as it has to be then */
	put16(p->data + ETHERNET + 20 + 6, 0);
	put16(p->data + ETHERNET + 20 + 6, (uint16_t)~folded(p->data + ETHERNET + 20, p->frame.len - ETHERNET - 20,
		folded(p->data + ETHERNET + 12, 8, IPPROTO_UDP + (uint32_t)(p->frame.len - ETHERNET - 20))));
	assert_int_equal(check(p), FRAME_CHECKSUM);
	p->frame.device = true;
	assert_int_equal(check(p), FRAME_RIGHT);
}

static void a_length_that_is_too_large_for_its_header(void **state)
{
	struct packet *p = tcp(101, false);

	(void)state;
	put16(p->data + p->ip + 2, 0);
	put16(p->data + p->ip + 10, 0);
	put16(p->data + p->ip + 10, (uint16_t)~folded(p->data + p->ip, 20, 0));
	assert_int_equal(check(p), FRAME_CUT);
	p->frame.gso_size = 50;
	assert_int_equal(check(p), FRAME_RIGHT);
}

static void what_arrives(void **state)
{
	_cleanup_free_ uint8_t *data = known_make();
	struct known_send sends[KNOWN_SENDS];

	(void)state;
	assert_non_null(data);
	assert_int_equal(known_judge(data, 1001, 0, 100, data, 100), FRAME_RIGHT);
	assert_int_equal(known_judge(data, 1001, 1000, 100, data + 1000, 1), FRAME_RIGHT);
	assert_int_equal(known_judge(data, 1001, 100, 100, data + 200, 100), FRAME_LOST);
	assert_int_equal(known_judge(data, 1001, 100, 100, data + 1000, 1), FRAME_LOST);
	assert_int_equal(known_judge(data, 1001, 100, 100, data + 300, 99), FRAME_SIZE);
	assert_int_equal(known_judge(data, 1001, 100, 100, data, 100), FRAME_DATA);
	assert_int_equal(known_judge(data, 1001, 1000, 0, data + 1000, 1), FRAME_RIGHT);
	assert_int_equal(known_judge(data, 1001, 1000, 0, data + 1000, 2), FRAME_DATA);
	assert_int_equal(known_judge(data, 1001, 1000, 0, data, 0), FRAME_DATA);
	assert_int_equal(sends[known_list_tcp(1460, sends) - 1].bytes, 65536);
	assert_int_equal(sends[known_list_udp(1400, sends) - 1].part, 1000);
	for (size_t mss = 548; mss <= 13000; mss += 548) /* each datagram fits, 64 at once, and the kernel takes no more than 65507 bytes */
		for (size_t i = 0, n = known_list_udp(mss, sends); i < n; i++)
			assert_true(sends[i].part <= mss && sends[i].bytes <= 64 * sends[i].part && sends[i].bytes <= 65507);
}

/* ---- a capture to which packets come without end ---- */

static unsigned n_calls;

int recvmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags, struct timespec *timeout)
{
	(void)fd;
	(void)flags;
	(void)timeout;
	n_calls++;
	assert_true(n_calls <= CAPTURE_PACKETS);
	for (unsigned i = 0; i < n; i++)
		messages[i].msg_len = 64;
	return (int)n;
}

static void on_captured(struct capture *capture, int ifindex, const struct frame *frame, void *userdata)
{
	(void)capture;
	(void)ifindex;
	(void)frame;
	++*(unsigned *)userdata;
}

static void another_host_sends_without_end(void **state)
{
	struct capture capture = { .fd = -1, .buffer = calloc(CAPTURE_PACKETS, 1024) };
	unsigned n = 0;

	(void)state;
	assert_int_equal(capture_read(&capture, on_captured, NULL, &n), 0);
	assert_int_equal(n, CAPTURE_PACKETS);
	free(capture.buffer);
}

/* ---- what is reported ---- */

static struct verify_case a_case(enum site_kind kind, enum verify_mode mode, enum verify_packet packet, enum verify_outcome outcome)
{
	return (struct verify_case){ .kind = kind, .mode = mode, .packet = packet, .outcome = outcome, .packets = 100 };
}

static void reports(void **state)
{
	static char why[SITE_KINDS][SITE_WHY_LEN] = { [SITE_GRE] = "module ip_gre is not loaded" };
	static const char *const other[] = { "bridge" };
	struct feature_table features = { .count = 2, .name = { "rx-gro", "tx-tcp-segmentation" } };
	struct verify_result result = { .why = why, .n_cases = 8, .rule = 3, .rule_kinds = 1u << SITE_VLAN | 1u << SITE_QINQ }, peer = { .n_cases = 2 };
	struct verify_report report = { .result = &result, .features = &features, .release = "7.0.4", .other = other, .n_other = 1, .exit_code = 2 };
	_cleanup_free_ char *text = NULL, *rule = NULL;
	struct verify_case *c = result.cases;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	c[0] = a_case(SITE_VLAN, VERIFY_LEFT, VERIFY_UDP4, VERIFY_WRONG);
	c[0].wrong = FRAME_DATA;
	c[0].place = SITE_RECEIVER;
	c[0].culprits = 3;
	c[0].avoided = c[0].repeated = true;
	c[1] = a_case(SITE_QINQ, VERIFY_MERGED, VERIFY_TCP6, VERIFY_WRONG);
	c[1].wrong = FRAME_CHECKSUM;
	c[1].link = "veth";
	c[1].backward = true;
	c[2] = a_case(SITE_VETH, VERIFY_LISTED, VERIFY_TCP4, VERIFY_NOT_APPLICABLE);
	c[3] = a_case(SITE_GRE, VERIFY_LEFT, VERIFY_TCP4, VERIFY_UNTESTED);
	c[3].error = -ENODEV;
	c[4] = a_case(SITE_VETH, VERIFY_LEFT, VERIFY_TCP6, VERIFY_UNTESTED);
	c[4].error = -EROFS;
	c[5] = a_case(SITE_BOND, VERIFY_LEFT, VERIFY_TCP4, VERIFY_UNTESTED);
	c[5].error = -ENONET;
	c[6] = a_case(SITE_FORWARD, VERIFY_SOFTWARE, VERIFY_UDP4, VERIFY_REFUSED);
	c[6].unseen = 7;
	c[7] = a_case(SITE_FORWARD, VERIFY_SOFTWARE, VERIFY_UDP6, VERIFY_UNTESTED);
	c[7].error = -ETIME;
	verify_count(&result);
	verify_report_text(out, &report);
	assert_int_equal(verify_report_rule(&result, &features, "7.0.4", 0, &rule), 0);
	fprintf(out, "\n%s\n", rule);

	peer.cases[0] = a_case(SITE_PEER, VERIFY_TO_PEER, VERIFY_UDP4, VERIFY_WRONG);
	peer.cases[0].wrong = FRAME_CHECKSUM;
	peer.cases[0].link = "eth\033[2J";
	peer.cases[0].repeated = true;
	peer.cases[1] = a_case(SITE_PEER, VERIFY_FROM_PEER, VERIFY_TCP4, VERIFY_UNTESTED);
	peer.cases[1].error = -ENODATA;
	verify_count(&peer);
	report = (struct verify_report){ .result = &peer, .features = &features, .release = "6.1", .link = "eth\033[2J", .peer = "192.0.2.9:5630" };
	verify_report_text(out, &report);
	fclose(out);
	golden_compare("tests/golden/verify.txt", text, len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_right_packet),
		cmocka_unit_test(each_damage),
		cmocka_unit_test(checksums_left_open),
		cmocka_unit_test(no_packet_is_too_short),
		cmocka_unit_test(sequences),
		cmocka_unit_test(a_complete_flow),
		cmocka_unit_test(udp_over_ipv6_in_vlans),
		cmocka_unit_test(gre_and_geneve),
		cmocka_unit_test(kernel_counters),
		cmocka_unit_test(what_a_full_queue_explains),
		cmocka_unit_test(work_that_was_not_done),
		cmocka_unit_test(a_checksum_that_the_device_computed),
		cmocka_unit_test(a_list_of_packets),
		cmocka_unit_test(a_packet_that_the_device_merged),
		cmocka_unit_test(bytes_behind_a_packet),
		cmocka_unit_test(a_port_of_a_tunnel),
		cmocka_unit_test(a_length_that_is_too_large_for_its_header),
		cmocka_unit_test(what_arrives),
		cmocka_unit_test(another_host_sends_without_end),
		cmocka_unit_test(reports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
