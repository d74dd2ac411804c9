/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why the kernel segments or checksums a packet in software: which step of netif_skb_features() removed the features that the
 * packet needs, or who else asked for it. */
#ifndef OFFLOADD_BPF_REASON_H
#define OFFLOADD_BPF_REASON_H

#include "kernel.h"

#define IPV6_HEADER_LEN 40
#define TCP_CHECK_OFFSET 16
#define TCP_LENGTH_OFFSET 12 /* of the header length, in 32-bit words, in the upper half of the byte */
#define UDP_HEADER_LEN 8
#define SKB_GSO_TCP (1U << 0 | SKB_GSO_TCPV6)
#define UDP_CHECK_OFFSET 6
#define VLAN_ENCAPSULATED_OFFSET 16 /* of h_vlan_encapsulated_proto in struct vlan_ethhdr */

#define GET_BIT(direct, p, member)                                                                         \
	((direct) ? BPF_CORE_READ_BITFIELD(p, member) : BPF_CORE_READ_BITFIELD_PROBED(p, member))

struct cause {
	__u64 missing;	       /* FALLBACK_REASON_FEATURE, XDP: from the device */
	__u32 limit, largest;  /* as in fallback_count */
	__u8 reason;
};

/* What a packet needs. */
struct need {
	__u64 features; /* each of these */
	__u64 csum;	/* one of these; 0: none */
};

static __always_inline bool lacks(__u64 features, const struct need *need)
{
	return need->features & ~features || (need->csum && !(features & need->csum));
}

static __always_inline __u64 csum_features(__be16 protocol)
{
	if (protocol == bpf_htons(ETH_P_IP))
		return feature_csum_generic | feature_csum_ipv4;
	if (protocol == bpf_htons(ETH_P_IPV6))
		return feature_csum_generic | feature_csum_ipv6;
	return FEATURE_CSUM_ANY;
}

static __always_inline bool is_vlan(__be16 protocol)
{
	return protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD);
}

/* How many VLAN tags the packet has: 0, 1, or 2 for more. */
static __always_inline unsigned count_tags(bool direct, struct sk_buff *skb, __be16 protocol)
{
	struct sk_buff___6_1 *old = (void *)skb;
	bool tag = false, vlan = is_vlan(protocol);
	__be16 inner = 0;

	if (bpf_core_field_exists(skb->vlan_all))
		tag = GET(direct, skb, vlan_all);
	else if (bpf_core_field_exists(old->vlan_present))
		tag = BPF_CORE_READ_BITFIELD_PROBED(old, vlan_present);
	if (vlan && !tag)
		bpf_probe_read_kernel(&inner, sizeof(inner), GET(direct, skb, data) + VLAN_ENCAPSULATED_OFFSET);
	return tag + vlan + is_vlan(inner);
}

/* The kernel removes TSO and UDP segmentation from what can be changed on a veth only while the peer runs XDP. */
static __always_inline bool by_xdp(bool direct, struct net_device *dev, __u64 missing)
{
	struct rtnl_link_ops *ops = GET(direct, dev, rtnl_link_ops);
	const char *kind;
	char name[5] = "";

	if (!ops || !(missing & feature_gso & ~GET(direct, dev, hw_features)))
		return false;
	kind = GET(false, ops, kind);
	bpf_probe_read_kernel(name, sizeof(name), kind);
	return name[0] == 'v' && name[1] == 'e' && name[2] == 't' && name[3] == 'h' && !name[4];
}

const volatile bool ipv4_limit_known; /* the check uses gso_ipv4_max_size for IPv4 */

/* gso_features_check(). The attribute gso_ipv4_max_size exists from 6.3 on. The check uses it for IPv4 from 6.12 on (e609c959a939), and
 * before that in some stable releases, whose numbers do not show it: there, only a packet that exceeds both limits has a known reason. */
static __always_inline bool by_limit(bool direct, struct sk_buff *skb, struct net_device *dev,
	struct skb_shared_info *info, __be16 protocol, struct cause *c)
{
	__u32 segments = GET(false, info, gso_segs), most = GET(direct, dev, gso_max_segs);
	__u32 len = GET(direct, skb, len), size = GET(direct, dev, gso_max_size), ipv4 = size;

	if (segments > most) {
		*c = (struct cause){ .reason = FALLBACK_REASON_SEGMENTS, .limit = most, .largest = segments };
		return true;
	}
	if (bpf_core_field_exists(dev->gso_ipv4_max_size) && protocol != bpf_htons(ETH_P_IPV6))
		ipv4 = GET(direct, dev, gso_ipv4_max_size);
	if (!ipv4_limit_known) {
		if ((len < ipv4) != (len < size)) {
			*c = (struct cause){ .reason = FALLBACK_REASON_UNKNOWN };
			return true;
		}
		ipv4 = size;
	}
	if (len < ipv4)
		return false;
	*c = (struct cause){ .reason = ipv4 < size ? FALLBACK_REASON_IPV4_SIZE : FALLBACK_REASON_SIZE, .limit = ipv4, .largest = len };
	return true;
}

static __always_inline bool has_check(bool direct, struct net_device *dev)
{
	struct net_device_ops *ops = GET(direct, dev, netdev_ops);

	return ops && GET(false, ops, ndo_features_check);
}

/* A reason other than a feature that the device lacks: a mask for this kind of packet; 0 for none. */
static __always_inline __u8 by_mask(bool direct, struct sk_buff *skb, struct net_device *dev, __be16 protocol,
	const struct need *need)
{
	unsigned tags = count_tags(direct, skb, protocol);

	if (GET_BIT(direct, skb, encapsulation) && lacks(GET(direct, dev, hw_enc_features), need))
		return FALLBACK_REASON_ENCAPSULATION;
	if (tags && lacks(GET(direct, dev, vlan_features), need))
		return FALLBACK_REASON_VLAN;
	/* dflt_features_check(): with more than one tag no segmentation is left, and of the checksums only the generic one, unless the driver
	 * decides itself */
	if (tags > 1 && !has_check(direct, dev) && (need->features || !(GET(direct, dev, features) & feature_csum_generic)))
		return FALLBACK_REASON_VLAN;
	if ((protocol == bpf_htons(ETH_P_MPLS_UC) || protocol == bpf_htons(ETH_P_MPLS_MC)) &&
		lacks(GET(direct, dev, mpls_features), need))
		return FALLBACK_REASON_ENCAPSULATION;
	return 0;
}

/* Does the packet have IPv6 extension headers, and the device no generic checksum, which alone covers them
 * (skb_csum_hwoffload_help())? */
static __always_inline bool by_extension(bool direct, struct sk_buff *skb, struct net_device *dev, __be16 protocol)
{
	__u16 len = GET(direct, skb, transport_header) - GET(direct, skb, network_header);

	return protocol == bpf_htons(ETH_P_IPV6) && len != IPV6_HEADER_LEN &&
	       !(GET(direct, dev, features) & feature_csum_generic);
}

static __always_inline struct Qdisc *find_qdisc(bool direct, struct sk_buff *skb, struct net_device *dev)
{
	struct netdev_queue *queue = GET(direct, dev, _tx);
	__u32 index = GET(direct, skb, queue_mapping);

	if (index < GET(direct, dev, num_tx_queues))
		queue = (void *)queue + index * bpf_core_type_size(struct netdev_queue);
	return GET(false, queue, qdisc);
}

/* The qdiscs that call skb_gso_segment(). */
static __always_inline bool splits(struct Qdisc *qdisc)
{
	static const char names[][8] = { "tbf", "cake", "netem", "taprio", "dualpi2" };
	struct Qdisc_ops *ops = GET(false, qdisc, ops);
	__u64 id = 0, name;

	bpf_probe_read_kernel_str(&id, sizeof(id), &ops->id);
#pragma unroll
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		__builtin_memcpy(&name, names[i], sizeof(name));
		if (id == name)
			return true;
	}
	return false;
}

/* Is the packet, or each of its segments, larger than the MTU, from the network header on? */
static __always_inline bool by_mtu(bool direct, struct sk_buff *skb, struct net_device *dev, bool checksum, struct cause *c)
{
	unsigned char *head = GET(direct, skb, head);
	struct skb_shared_info *info = (void *)(head + GET(direct, skb, end));
	__u32 network = GET(direct, skb, network_header), mtu = GET(direct, dev, mtu), transport, len;
	__u8 words = 0;

	if (checksum) {
		len = GET(direct, skb, len) + (__u32)(GET(direct, skb, data) - head) - network;
	} else {
		transport = GET_BIT(direct, skb, encapsulation) ? GET(direct, skb, inner_transport_header)
								: GET(direct, skb, transport_header);
		bpf_probe_read_kernel(&words, sizeof(words), head + transport + TCP_LENGTH_OFFSET);
		len = GET(false, info, gso_size) + transport - network +
		      (GET(false, info, gso_type) & SKB_GSO_TCP ? (words >> 4) * 4 : UDP_HEADER_LEN);
	}
	if (len <= mtu)
		return false;
	*c = (struct cause){ .reason = FALLBACK_REASON_MTU, .limit = mtu, .largest = len };
	return true;
}

/* No feature, limit or mask explains it. validate_xmit_skb_list() lets a packet point to itself before the driver is asked; a qdisc
 * and other parts of the kernel get packets before that. A device without a queue does not use this list. */
static __always_inline __u8 by_other(bool direct, struct sk_buff *skb, struct net_device *dev, bool checksum, struct cause *c)
{
	bool asked = has_check(direct, dev), listed = GET(direct, skb, prev) == skb;
	struct Qdisc *qdisc = find_qdisc(direct, skb, dev);
	bool split = qdisc && !checksum && splits(qdisc);

	if (!listed && by_mtu(direct, skb, dev, checksum, c))
		return FALLBACK_REASON_MTU;
	if (!qdisc || !GET(false, qdisc, enqueue))
		return asked ? FALLBACK_REASON_UNKNOWN : FALLBACK_REASON_FORCED;
	if (!listed)
		return split ? FALLBACK_REASON_QDISC : FALLBACK_REASON_FORCED;
	if (checksum || (asked && !split))
		return FALLBACK_REASON_DRIVER;
	return split && !asked ? FALLBACK_REASON_QDISC : FALLBACK_REASON_UNKNOWN;
}

static __always_inline bool by_device(bool direct, struct net_device *dev, const struct need *need, struct cause *c)
{
	__u64 has = GET(direct, dev, features);

	if (!lacks(has, need))
		return false;
	c->missing = need->features & ~has;
	if (!c->missing)
		c->missing = need->csum;
	c->reason = by_xdp(direct, dev, c->missing) ? FALLBACK_REASON_XDP : FALLBACK_REASON_FEATURE;
	return true;
}

/* features: those of the packet, as netif_skb_features() or another caller of __skb_gso_segment() passes them. False: the
 * kernel does not split it, or only as far as gso_partial_features of its device require. */
static __always_inline bool find_segmentation_cause(bool direct, struct sk_buff *skb, struct net_device *dev, __u64 features,
	struct cause *c)
{
	struct skb_shared_info *info = (void *)(GET(direct, skb, head) + GET(direct, skb, end));
	struct need need = { .features = gso_features(GET(false, info, gso_type)) };
	__u64 partial = GET(direct, dev, gso_partial_features);
	__be16 protocol = GET(direct, skb, protocol);

	if (!(need.features & ~features)) {
		if (features & feature_fraglist || !GET(false, info, frag_list))
			return false;
		need.features |= feature_fraglist;
	}
	if (features & feature_gso_partial && !(need.features & ~features & ~(partial & GET(direct, dev, features))))
		return false;
	need.csum = csum_features(protocol);
	if (features & need.csum || GET_BIT(direct, skb, ip_summed) == CHECKSUM_NONE)
		need.csum = 0; /* harmonize_features() */
	if (by_device(direct, dev, &need, c))
		return true;
	if (!(features & feature_gso) && by_limit(direct, skb, dev, info, protocol, c))
		return true;
	if (need.features & ~features & partial && !(GET(direct, dev, features) & feature_gso_partial)) {
		c->reason = FALLBACK_REASON_FEATURE;
		c->missing = feature_gso_partial;
		return true;
	}
	c->reason = by_mask(direct, skb, dev, protocol, &need);
	if (c->reason)
		return true;
	if (features & feature_gso && by_extension(direct, skb, dev, protocol))
		c->reason = FALLBACK_REASON_HEADERS;
	else if (!features || need.features & ~features & feature_esp)
		c->reason = FALLBACK_REASON_FORCED;
	else if (features & feature_gso)
		c->reason = FALLBACK_REASON_DRIVER; /* of the steps that are left, only the driver's removes some segmentation features and keeps others */
	else
		c->reason = by_other(direct, skb, dev, false, c);
	return true;
}

/* skb_checksum_help() does not get the features that validate_xmit_skb() passes to skb_csum_hwoffload_help(), so they are computed
 * again. */
static __always_inline bool find_checksum_cause(bool direct, struct sk_buff *skb, struct net_device *dev, struct cause *c)
{
	__be16 protocol = GET(direct, skb, protocol);
	struct need need = { .csum = csum_features(protocol) };
	__u16 offset = GET(direct, skb, csum_offset);

	if (GET_BIT(direct, skb, ip_summed) != CHECKSUM_PARTIAL)
		return false;
	if (by_device(direct, dev, &need, c))
		return true;
	c->reason = by_mask(direct, skb, dev, protocol, &need);
	if (c->reason)
		return true;
	if (by_extension(direct, skb, dev, protocol) ||
		(offset != TCP_CHECK_OFFSET && offset != UDP_CHECK_OFFSET && !(GET(direct, dev, features) & feature_csum_generic)))
		c->reason = FALLBACK_REASON_HEADERS;
	else
		c->reason = by_other(direct, skb, dev, true, c);
	return true;
}

#endif
