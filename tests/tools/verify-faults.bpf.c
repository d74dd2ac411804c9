// SPDX-License-Identifier: GPL-2.0-or-later
/* Faults for `offloadctl verify`, as programs of tc(8): each spoils one packet with data that passes, the third one, and only in TCP
 * (the section) or the TCP inside a vxlan. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <stdbool.h>
#include <stddef.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define VXLAN_PORT 4789

int seen; /* packets with data */

/* The offset of the IPv4 header of the innermost packet with TCP data; 0: there is none. *ret_tcp: of its TCP header. */
static __always_inline __u32 find(struct __sk_buff *skb, __u32 *ret_tcp)
{
	__u32 at = ETH_HLEN;
	struct iphdr ip;
	struct udphdr udp;
	struct tcphdr tcp;

	if (bpf_skb_load_bytes(skb, at, &ip, sizeof(ip)) < 0 || ip.version != 4)
		return 0;
	if (ip.protocol == IPPROTO_UDP) {
		if (bpf_skb_load_bytes(skb, at + 20, &udp, sizeof(udp)) < 0 || udp.dest != bpf_htons(VXLAN_PORT))
			return 0;
		at += 20 + 8 + 8 + ETH_HLEN;
		if (bpf_skb_load_bytes(skb, at, &ip, sizeof(ip)) < 0 || ip.version != 4)
			return 0;
	}
	if (ip.protocol != IPPROTO_TCP || bpf_skb_load_bytes(skb, at + 20, &tcp, sizeof(tcp)) < 0)
		return 0;
	if (bpf_ntohs(ip.tot_len) <= 20 + tcp.doff * 4)
		return 0;
	*ret_tcp = at + 20;
	return at;
}

SEC("flip")
int flip_checksum(struct __sk_buff *skb)
{
	__u32 tcp = 0, ip = find(skb, &tcp);
	__u16 check;

	if (!ip || ++seen != 3)
		return TC_ACT_OK;
	if (bpf_skb_load_bytes(skb, tcp + offsetof(struct tcphdr, check), &check, sizeof(check)) == 0) {
		check ^= 0x0100;
		bpf_skb_store_bytes(skb, tcp + offsetof(struct tcphdr, check), &check, sizeof(check), 0);
	}
	return TC_ACT_OK;
}

SEC("id")
int change_id(struct __sk_buff *skb)
{
	__u32 tcp = 0, ip = find(skb, &tcp);
	__u16 id, other;

	if (!ip || ++seen != 3)
		return TC_ACT_OK;
	if (bpf_skb_load_bytes(skb, ip + offsetof(struct iphdr, id), &id, sizeof(id)) == 0) {
		other = bpf_htons(bpf_ntohs(id) + 1);
		bpf_l3_csum_replace(skb, ip + offsetof(struct iphdr, check), id, other, sizeof(id));
		bpf_skb_store_bytes(skb, ip + offsetof(struct iphdr, id), &other, sizeof(other), 0);
	}
	return TC_ACT_OK;
}

/* Only in packets that are still to be split: nothing is wrong where the kernel splits them before. */
SEC("large")
int spoil_large(struct __sk_buff *skb)
{
	__u32 tcp = 0, ip = find(skb, &tcp);
	__u8 byte;

	if (!ip || skb->gso_segs < 2)
		return TC_ACT_OK;
	if (bpf_skb_load_bytes(skb, tcp + 1000, &byte, sizeof(byte)) == 0) {
		byte ^= 1;
		bpf_skb_store_bytes(skb, tcp + 1000, &byte, sizeof(byte), 0);
	}
	return TC_ACT_OK;
}

/* One segment less: what a cut tail leaves. */
SEC("cut")
int cut_tail(struct __sk_buff *skb)
{
	__u32 tcp = 0, ip = find(skb, &tcp);

	if (ip && ++seen == 3)
		bpf_skb_change_tail(skb, skb->len - 1, 0);
	return TC_ACT_OK;
}

/* The third and the fourth segment trade places: each gets the sequence number of the other. */
SEC("swap")
int swap_segments(struct __sk_buff *skb)
{
	__u32 tcp = 0, ip = find(skb, &tcp), sequence, other;
	struct iphdr header;
	struct tcphdr inner;
	__u32 len;

	if (!ip || ++seen < 8 || seen > 9)
		return TC_ACT_OK;
	if (bpf_skb_load_bytes(skb, ip, &header, sizeof(header)) < 0 || bpf_skb_load_bytes(skb, tcp, &inner, sizeof(inner)) < 0)
		return TC_ACT_OK;
	len = bpf_ntohs(header.tot_len) - 20 - inner.doff * 4;
	sequence = inner.seq;
	other = bpf_htonl(seen == 8 ? bpf_ntohl(sequence) + len : bpf_ntohl(sequence) - len);
	bpf_l4_csum_replace(skb, tcp + offsetof(struct tcphdr, check), sequence, other, sizeof(other));
	bpf_skb_store_bytes(skb, tcp + offsetof(struct tcphdr, seq), &other, sizeof(other), 0);
	return TC_ACT_OK;
}

/* Every 7th is lost after the last look at it. TCP sends it again. */
SEC("drop")
int drop_some(struct __sk_buff *skb)
{
	__u32 tcp = 0, ip = find(skb, &tcp);

	return ip && (__u32)++seen % 7 == 0 ? TC_ACT_SHOT : TC_ACT_OK;
}

/* Nothing begins: no SYN leaves. */
SEC("syn")
int drop_syn(struct __sk_buff *skb)
{
	struct iphdr ip;
	struct tcphdr tcp;

	return bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)) == 0 && ip.version == 4 && ip.protocol == IPPROTO_TCP &&
		bpf_skb_load_bytes(skb, ETH_HLEN + 20, &tcp, sizeof(tcp)) == 0 && tcp.syn ? TC_ACT_SHOT : TC_ACT_OK;
}

/* Acknowledgements: TCP without data; with `source` only those from that port. */
static __always_inline int flip_ack(struct __sk_buff *skb, __u16 source)
{
	__u32 tcp = ETH_HLEN + 20;
	struct iphdr ip;
	struct tcphdr header;
	__u16 check;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)) < 0 || ip.version != 4 || ip.protocol != IPPROTO_TCP)
		return TC_ACT_OK;
	if (bpf_skb_load_bytes(skb, tcp, &header, sizeof(header)) < 0 || bpf_ntohs(ip.tot_len) != 20 + header.doff * 4 || header.syn)
		return TC_ACT_OK;
	if (source && header.source != bpf_htons(source))
		return TC_ACT_OK;
	if (++seen != 3)
		return TC_ACT_OK;
	check = header.check ^ 0x0100;
	bpf_skb_store_bytes(skb, tcp + offsetof(struct tcphdr, check), &check, sizeof(check), 0);
	return TC_ACT_OK;
}

SEC("ack")
int flip_acknowledgement(struct __sk_buff *skb)
{
	return flip_ack(skb, 0);
}

SEC("ack5631")
int flip_acknowledgement_of_data(struct __sk_buff *skb)
{
	return flip_ack(skb, 5631);
}

/* A firewall that lets nothing pass to the port of the data of verify --peer. */
SEC("data")
int drop_data(struct __sk_buff *skb)
{
	struct iphdr ip;
	struct tcphdr tcp;

	return bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)) == 0 && ip.version == 4 && ip.protocol == IPPROTO_TCP &&
		bpf_skb_load_bytes(skb, ETH_HLEN + 20, &tcp, sizeof(tcp)) == 0 && tcp.dest == bpf_htons(5631) ? TC_ACT_SHOT : TC_ACT_OK;
}

/* A datagram of UDP over IPv4 that is not for a tunnel, of at least 8 bytes of data. */
static __always_inline bool is_datagram(struct __sk_buff *skb)
{
	struct iphdr ip;
	struct udphdr udp;

	return bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)) == 0 && ip.version == 4 && ip.protocol == IPPROTO_UDP &&
		bpf_skb_load_bytes(skb, ETH_HLEN + 20, &udp, sizeof(udp)) == 0 && bpf_ntohs(udp.len) >= 16;
}

/* One single datagram in a burst is lost. */
SEC("burst")
int drop_datagram(struct __sk_buff *skb)
{
	return is_datagram(skb) && skb->gso_segs < 2 && ++seen == 12 ? TC_ACT_SHOT : TC_ACT_OK;
}

/* "I have no checksum": right in IPv4, but no socket here asked for it. */
SEC("none")
int take_checksum_away(struct __sk_buff *skb)
{
	__u16 none = 0;

	if (is_datagram(skb) && skb->gso_segs < 2)
		bpf_skb_store_bytes(skb, ETH_HLEN + 20 + offsetof(struct udphdr, check), &none, sizeof(none), 0);
	return TC_ACT_OK;
}

char _license[] SEC("license") = "GPL";
