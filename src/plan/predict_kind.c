/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "plan/predict_private.h"
#include "basic/util.h"

static feature_set vlan_features(const struct predict *p, const struct node *n)
{
	return n->offer.on | (p->world == LOW ? 0 : n->offer.unknown);
}

/* "Preserve NETIF_F_ALL_FOR_ALL across TSO updates" is in 6.18 and in stable kernels, which uname -r does not always identify.
 * Without it a bond, team or bridge with ports never has tx-nocache-copy. */
static feature_set add_tso_features(const struct predict *p, feature_set features, feature_set mask)
{
	bool preserved = p->k->release >= RELEASE(6, 18, 0) || p->world == HIGH ||
			 (p->world == GUESS && p->k->release >= RELEASE(5, 15, 0));

	return predict_increment(
		&p->k->f, features, p->k->f.all_tso | (preserved ? p->k->f.all_for_all : 0), mask);
}

/* ---- ndo_fix_features() ---- */

static feature_set fix_vlan(const struct predict *p, const struct node *n, feature_set features)
{
	const struct node *lower = node_at(p, n->lower);
	feature_set from_lower;

	if (!lower)
		return features;
	from_lower =
		predict_intersect(&p->k->f, vlan_features(p, lower) | p->k->f.rxcsum, active(p, lower));
	if (from_lower & (p->k->f.ip_csum | p->k->f.ip6_csum))
		from_lower |= p->k->f.hw_csum;
	return predict_intersect(&p->k->f, features, from_lower) |
	       (features & (p->k->f.soft | p->k->f.gso_software)) | p->k->f.lltx;
}

static feature_set increment_by_ports(
	const struct predict *p, const struct node *n, feature_set features, feature_set mask)
{
	for (const struct node *port = node_at(p, n->first_port); port;
		port = node_at(p, port->next_port))
		features = predict_increment(&p->k->f, features, active(p, port), mask);
	return add_tso_features(p, features, mask);
}

static feature_set fix_bond(const struct predict *p, const struct node *n, feature_set features)
{
	return increment_by_ports(p, n, predict_base(&p->k->f, features), features);
}

static feature_set fix_bridge(const struct predict *p, const struct node *n, feature_set features)
{
	if (n->first_port < 0)
		return features;
	return increment_by_ports(p, n, features & ~p->k->f.one_for_all, features);
}

/* The ports of HSR contain HSR itself (HSR_PT_MASTER), so what it has on stays on while it is wanted. */
static feature_set fix_hsr(const struct predict *p, const struct node *n, feature_set features)
{
	const struct sets *f = &p->k->f;
	feature_set mask = features;

	features = predict_increment(f, features & ~f->one_for_all, active(p, n), mask);
	for (const struct node *port = node_at(p, n->first_port); port;
		port = node_at(p, port->next_port))
		features = predict_increment(f, features, active(p, port), mask);
	return features;
}

static feature_set fix_macvlan(const struct predict *p, const struct node *n, feature_set features)
{
	const struct node *lower = node_at(p, n->lower);
	const struct sets *f = &p->k->f;

	if (!lower)
		return features;
	features |= f->all_for_all;
	features =
		predict_increment(f, active(p, lower) & (features | ~f->lro), features, features);
	return (features | f->macvlan_always) & (f->macvlan_always | f->macvlan);
}

/* Before "ipvlan: fix device features", 5.9 and stable kernels, it takes nothing away, and ipvlan_device_event() copies. */
static bool ipvlan_copies(const struct predict *p)
{
	return p->k->release < RELEASE(5, 9, 0);
}

static feature_set fix_ipvlan(const struct predict *p, const struct node *n, feature_set features)
{
	const struct node *lower = node_at(p, n->lower);
	const struct sets *f = &p->k->f;

	if (!lower || ipvlan_copies(p))
		return features;
	features |= f->all_for_all;
	features = predict_increment(f, active(p, lower), features, features);
	return (features | f->ipvlan_always) & (f->ipvlan_always | f->ipvlan);
}

static bool copy_to_ipvlan(const struct predict *p, const struct node *n, feature_set *ret)
{
	const struct node *lower = node_at(p, n->lower);

	if (!lower || !ipvlan_copies(p))
		return false;
	*ret = active(p, lower) & p->k->f.ipvlan;
	return true;
}

/* "macsec: add some of the lower device's features when offloading", 6.13: before it, an offloaded one has all that the device
 * below has, and nothing of its own can be changed. */
static bool is_macsec_offloaded(const struct predict *p, const struct node *n)
{
	return n->macsec_offload < 0 && p->k->release < RELEASE(6, 13, 0) ? (n->w[GUESS].hw & p->k->f.csum_mask) != 0 :
									     n->macsec_offload > 0;
}

static feature_set fix_macsec(const struct predict *p, const struct node *n, feature_set features)
{
	const struct node *lower = node_at(p, n->lower);
	const struct sets *f = &p->k->f;
	feature_set mask = is_macsec_offloaded(p, n) ? f->macsec_offload : f->macsec;

	if (!lower)
		return features;
	/* "macsec: Support VLAN-filtering lower devices", 7.1 and stable kernels: what has it shows it */
	mask |= p->k->release >= RELEASE(7, 0, 0) ? f->macsec_filters : f->macsec_filters & n->w[GUESS].active;
	return (features & ((active(p, lower) & mask) | f->gso_software | f->soft)) | f->lltx;
}

/* Does an XDP program keep GRO on? From "veth: allow enabling NAPI even without XDP", 5.13, to "net: veth: do not manipulate GRO
 * when using XDP", 6.9 and stable kernels. What has GRO on without a request, or off, shows it. */
static bool xdp_keeps_gro(const struct predict *p, const struct node *n)
{
	if (!n->xdp || p->k->release < RELEASE(5, 13, 0) || p->k->release >= RELEASE(6, 9, 0) || n->gro == GRO_FREE)
		return false;
	return n->gro == GRO_KEPT || p->world == HIGH;
}

/* veth_fix_features(). veth_xdp_set() removes GSO_SOFTWARE from hw_features of the peer, which show it wherever the peer is. */
static feature_set fix_veth(const struct predict *p, const struct node *n, feature_set features)
{
	const struct sets *f = &p->k->f;

	if (!(n->w[GUESS].hw & f->tso))
		features &= ~f->gso_software;
	return xdp_keeps_gro(p, n) ? features | f->gro : features;
}

/* netvsc_fix_features() */
static feature_set fix_netvsc(const struct predict *p, const struct node *n, feature_set features)
{
	return n->xdp ? features & ~p->k->f.lro : features;
}

/* vmxnet3_fix_features(), and in the same words ixgbe, hinic and liquidio (read in the source). bnx2x_fix_features() also couples
 * GRO, HW-GRO and LRO, as doubt_coupled() assumes. */
static feature_set fix_lro_needs_checksum(const struct predict *p, const struct node *n, feature_set features)
{
	(void)n;
	return features & p->k->f.rxcsum ? features : features & ~p->k->f.lro;
}

/* e1000_fix_features(), igb_fix_features(): the hardware has one switch for both. Of atl1c, atl1e, atlx, cxgb, cxgb3 and igc
 * read in the source. */
static feature_set fix_vlan_tx_as_rx(
	const struct predict *p, const struct node *n, feature_set features)
{
	(void)n;
	return features & p->k->f.vlan_rx ? features | p->k->f.vlan_tx : features & ~p->k->f.vlan_tx;
}

/* ---- vlan_features ---- */

static struct offer offer_nothing(struct predict *p, struct node *n)
{
	(void)n;
	return (struct offer){ .on = p->k->f.highdma };
}

static struct offer offer_veth(struct predict *p, struct node *n)
{
	const struct sets *f = &p->k->f;

	(void)n;
	return (struct offer){ .on = f->sg | f->fraglist | f->hw_csum | f->rxcsum | f->sctp_crc |
				     f->highdma | f->gso_software | f->gso_encap };
}

/* What a release from `since` on offers; unknown, where it may be back-ported. */
static struct offer offer_since(const struct predict *p, feature_set always, unsigned since, feature_set later)
{
	if (p->k->release >= since)
		return (struct offer){ .on = always | later };
	return (struct offer){ .on = always, .unknown = p->k->host.backports ? later : 0 };
}

static struct offer offer_vxlan(struct predict *p, struct node *n)
{
	const struct sets *f = &p->k->f;

	(void)n;
	return offer_since(p, f->sg | f->hw_csum | f->rxcsum | f->gso_software | f->highdma, RELEASE(5, 12, 0), f->fraglist);
}

static struct offer offer_openvswitch(struct predict *p, struct node *n)
{
	const struct sets *f = &p->k->f;

	(void)n;
	return (struct offer){ .on = f->sg | f->fraglist | f->highdma | f->hw_csum | f->gso_software | f->gso_encap };
}

static struct offer offer_ifb(struct predict *p, struct node *n)
{
	const struct sets *f = &p->k->f;

	(void)n;
	return (struct offer){ .on = f->hw_csum | f->sg | f->fraglist | f->gso_software |
				     f->gso_encap | f->highdma };
}

static struct offer offer_tun(struct predict *p, struct node *n)
{
	(void)n;
	return (struct offer){ .on = p->k->f.sg | p->k->f.fraglist | p->k->f.tun_user | p->k->f.highdma };
}

static struct offer offer_e1000e(struct predict *p, struct node *n)
{
	(void)n;
	return (struct offer){ .on = p->k->f.sg | p->k->f.hw_csum | p->k->f.all_tso | p->k->f.highdma };
}

static struct offer offer_vmxnet3(struct predict *p, struct node *n)
{
	const struct sets *f = &p->k->f;

	return (struct offer){
		.on = f->highdma | (n->w[GUESS].hw & (f->sg | f->rxcsum | f->hw_csum | f->all_tso |
							     f->lro | f->udp_tnl | f->udp_tnl_csum))
	};
}

static struct offer offer_virtio(struct predict *p, struct node *n)
{
	const struct sets *f = &p->k->f;

	return offer_since(p, f->highdma | (n->w[GUESS].hw & (f->sg | f->hw_csum | f->all_tso | f->uso)), RELEASE(6, 17, 0),
		n->w[GUESS].hw & f->gso_encap);
}

static struct offer offer_igb(struct predict *p, struct node *n)
{
	const struct sets *f = &p->k->f;

	return (struct offer){ .on = f->highdma |
				     (n->w[GUESS].hw & (f->sg | f->csum_mask | f->all_tso |
							       f->rxcsum | f->sctp_crc | f->uso |
							       f->gso_partial | f->gso_encap)) };
}

/* A device on another one copies its vlan_features when it is created. */
static struct offer offer_from_lower(
	struct predict *p, struct node *n, feature_set mask, feature_set always)
{
	struct offer lower = { .unknown = ~UINT64_C(0) };

	if (n->lower >= 0)
		lower = predict_offer(p, node_at(p, n->lower));
	always |= p->k->f.highdma;
	return (struct offer){ .on = (lower.on & mask) | always,
		.unknown = lower.unknown & mask & ~always };
}

static struct offer offer_vlan(struct predict *p, struct node *n)
{
	return offer_from_lower(p, n, ~p->k->f.all_fcoe, 0);
}

static struct offer offer_dsa(struct predict *p, struct node *n)
{
	return offer_from_lower(p, n, ~UINT64_C(0), 0);
}

static struct offer offer_macvlan(struct predict *p, struct node *n)
{
	return offer_from_lower(p, n, p->k->f.macvlan, p->k->f.macvlan_always & ~p->k->f.lltx);
}

/* The union over the ports, as in bond_compute_features(), __team_compute_features(), net_failover_compute_features() and, in
 * newer kernels, netdev_compute_master_upper_features(). */
static feature_set master_vlan_features(
	const struct predict *p, const struct node *n, feature_set mask, bool from_base, enum world world)
{
	const struct sets *f = &p->k->f;
	feature_set all = from_base ? predict_base(f, mask) : 0;

	for (const struct node *port = node_at(p, n->first_port); port;
		port = node_at(p, port->next_port))
		all = predict_increment(f, all,
			port->offer.on | (world == LOW ? 0 : port->offer.unknown), mask);
	return all;
}

/* Without ports a master has the base set, its initial features, or, before netdev_compute_master_upper_features(), all. From 6.18
 * on the base set is computed when the last port leaves, and has no highdma, which the initial features have. */
static struct offer offer_master(
	struct predict *p, struct node *n, bool certainly_base, bool perhaps_base, feature_set initial)
{
	const struct sets *f = &p->k->f;
	feature_set low, high;

	if (n->first_port < 0) {
		feature_set kept = p->k->release < RELEASE(6, 18, 0) && !p->k->host.backports ? f->highdma : 0;

		low = (certainly_base ? predict_base(f, f->master_vlan) : f->master_vlan) & initial;
		high = (certainly_base ? predict_base(f, f->master_vlan) : f->master_vlan) | initial;
		return (struct offer){ .on = low | kept, .unknown = high & ~low & ~kept };
	}
	for (struct node *port = node_at(p, n->first_port); port;
		port = node_at(p, port->next_port))
		predict_offer(p, port);
	low = master_vlan_features(p, n, f->master_vlan, certainly_base, LOW);
	high = master_vlan_features(p, n, f->master_vlan, certainly_base || perhaps_base, HIGH);
	return (struct offer){ .on = low, .unknown = high & ~low };
}

static struct offer offer_failover(struct predict *p, struct node *n)
{
	const struct sets *f = &p->k->f;
	feature_set low, high;

	for (struct node *port = node_at(p, n->first_port); port;
		port = node_at(p, port->next_port))
		predict_offer(p, port);
	low = master_vlan_features(p, n, f->failover_vlan, false, LOW);
	high = master_vlan_features(p, n, f->master_vlan, true, HIGH);
	return (struct offer){ .on = low | f->highdma, .unknown = high & ~low & ~f->highdma };
}

/* From 6.14 on, and in stable 6.12.7, a bond starts from netdev_base_features(), which keeps the
 * checksum whatever the slaves offer ("bonding: Fix initial {vlan,mpls}_feature set in
 * bond_compute_features"); other stable kernels may have it. */
static struct offer offer_bond(struct predict *p, struct node *n)
{
	return offer_master(p, n, p->k->release >= RELEASE(6, 12, 7), p->k->release >= RELEASE(6, 2, 0) || p->k->host.backports,
		p->k->f.highdma);
}

static struct offer offer_bridge(struct predict *p, struct node *n)
{
	feature_set before = p->k->f.bridge_common;
	struct offer now;

	if (p->k->release < RELEASE(6, 18, 0) && !p->k->host.backports)
		return (struct offer){ .on = before };
	now = offer_master(p, n, true, true, before);
	if (p->k->release < RELEASE(6, 18, 0)) /* perhaps */
		return (struct offer){ .on = now.on & before, .unknown = now.unknown | (now.on ^ before) };
	return now;
}

static feature_set doubt_ipvlan(const struct sets *f)
{
	return f->ipvlan | f->ipvlan_always;
}

static feature_set doubt_macvlan(const struct sets *f)
{
	return ~f->macvlan;
}

static feature_set doubt_lro(const struct sets *f)
{
	return f->lro;
}

#define FOLLOWER .reaction = REACT_UPDATE, .linked = true, .follows = true
#define MASTER .fix = fix_bond, .offer = offer_bond, .reaction = REACT_COMPUTE, .partial = PARTIAL_MASTER, \
	.known_since = RELEASE(5, 10, 0), .doubtful = doubt_lro
#define MACVLAN .fix = fix_macvlan, .offer = offer_macvlan, FOLLOWER, .known_since = RELEASE(5, 10, 0), .doubtful = doubt_macvlan
#define IPVLAN .fix = fix_ipvlan, .copy = copy_to_ipvlan, .offer = offer_nothing, FOLLOWER, .known_since = RELEASE(5, 10, 0), \
	.doubtful = doubt_ipvlan

/* Their source has neither ndo_fix_features() nor ndo_set_features(), or only what `fix` says. */
static const struct model kinds[] = {
	{ "vlan", .fix = fix_vlan, .offer = offer_vlan, FOLLOWER, .keeps_software = true },
	{ "veth", .fix = fix_veth, .offer = offer_veth },
	{ "bond", MASTER },
	{ "team", MASTER },
	{ "bridge", .fix = fix_bridge, .offer = offer_bridge, .reaction = REACT_UPDATE, .partial = PARTIAL_MASTER },
	{ "hsr", .fix = fix_hsr, .offer = offer_nothing },
	{ "macvlan", MACVLAN },
	{ "macvtap", MACVLAN, .hidden = HIDDEN_DRIVER },
	{ "ipvlan", IPVLAN },
	{ "ipvtap", IPVLAN, .hidden = HIDDEN_DRIVER },
	{ "macsec", .fix = fix_macsec, .offer = offer_nothing, FOLLOWER, .keeps_software = true, .reacts_since = RELEASE(6, 13, 0) },
	{ "vxlan", .offer = offer_vxlan, .linked = true, .partial = PARTIAL_ENCAP },
	{ "geneve", .offer = offer_nothing, .partial = PARTIAL_ENCAP },
	{ "gre", .offer = offer_nothing },
	{ "gretap", .offer = offer_nothing },
	{ "erspan", .offer = offer_nothing },
	{ "ip6gre", .offer = offer_nothing },
	{ "ip6gretap", .offer = offer_nothing },
	{ "ip6erspan", .offer = offer_nothing },
	{ "ipip", .offer = offer_nothing },
	{ "sit", .offer = offer_nothing },
	{ "ip6tnl", .offer = offer_nothing },
	{ "vti", .offer = offer_nothing },
	{ "vti6", .offer = offer_nothing },
	{ "xfrm", .offer = offer_nothing },
	{ "wireguard", .offer = offer_nothing },
	{ "vrf", .offer = offer_nothing },
	{ "dummy", .offer = offer_nothing },
	{ "ifb", .offer = offer_ifb },
	{ "tun", .offer = offer_tun, .hidden = HIDDEN_TUN },
	{ "netkit", .offer = offer_veth },
	{ "openvswitch", .offer = offer_openvswitch },
	{ "dsa", .offer = offer_dsa, .linked = true },
	{ "loopback", .offer = offer_nothing },
};

static const struct model drivers[] = {
	{ "e1000e", .fix = fix_vlan_tx_as_rx, .offer = offer_e1000e, .hidden = HIDDEN_DRIVER },
	{ "e1000", .fix = fix_vlan_tx_as_rx, .offer = offer_e1000e, .hidden = HIDDEN_DRIVER, .unmeasured = true },
	{ "igb", .fix = fix_vlan_tx_as_rx, .offer = offer_igb, .partial = PARTIAL_ENCAP, .hidden = HIDDEN_DRIVER, .unmeasured = true },
	{ "vmxnet3", .fix = fix_lro_needs_checksum, .offer = offer_vmxnet3, .hidden = HIDDEN_DRIVER },
	{ "virtio_net", .offer = offer_virtio, .hidden = HIDDEN_VIRTIO },
	{ "net_failover", .offer = offer_failover },
	{ "hv_netvsc", .fix = fix_netvsc, .imposes = true, .hidden = HIDDEN_DRIVER, .unmeasured = true },
	{ "atl1", .fix = fix_vlan_tx_as_rx, .partial = PARTIAL_UNKNOWN, .hidden = HIDDEN_DRIVER, .unmeasured = true },
	{ "atl1c", .fix = fix_vlan_tx_as_rx, .partial = PARTIAL_UNKNOWN, .hidden = HIDDEN_DRIVER, .unmeasured = true },
	{ "ATL1E", .fix = fix_vlan_tx_as_rx, .partial = PARTIAL_UNKNOWN, .hidden = HIDDEN_DRIVER, .unmeasured = true },
	{ "atl2", .fix = fix_vlan_tx_as_rx, .partial = PARTIAL_UNKNOWN, .hidden = HIDDEN_DRIVER, .unmeasured = true },
	{ "cxgb", .fix = fix_vlan_tx_as_rx, .partial = PARTIAL_UNKNOWN, .hidden = HIDDEN_DRIVER, .unmeasured = true },
	{ "cxgb3", .fix = fix_vlan_tx_as_rx, .partial = PARTIAL_UNKNOWN, .hidden = HIDDEN_DRIVER, .unmeasured = true },
	{ "igc", .fix = fix_vlan_tx_as_rx, .partial = PARTIAL_UNKNOWN, .hidden = HIDDEN_DRIVER, .unmeasured = true },
	{ "ixgbe", .fix = fix_lro_needs_checksum, .partial = PARTIAL_UNKNOWN, .hidden = HIDDEN_DRIVER, .unmeasured = true },
	{ "bnx2x", .fix = fix_lro_needs_checksum, .partial = PARTIAL_UNKNOWN, .hidden = HIDDEN_DRIVER, .unmeasured = true },
	{ "hinic", .fix = fix_lro_needs_checksum, .partial = PARTIAL_UNKNOWN, .hidden = HIDDEN_DRIVER, .unmeasured = true },
	{ "liquidio", .fix = fix_lro_needs_checksum, .partial = PARTIAL_UNKNOWN, .hidden = HIDDEN_DRIVER, .unmeasured = true },
	/* aq_ndev_fix_features() came with "net: atlantic: Implement xdp control plane", 5.19 */
	{ "atlantic", .fix = fix_lro_needs_checksum, .partial = PARTIAL_UNKNOWN, .hidden = HIDDEN_DRIVER, .unmeasured = true,
		.known_since = RELEASE(5, 19, 0), .doubtful = doubt_lro },
};

const char *predict_driver(size_t i)
{
	return i < ARRAY_SIZE(drivers) ? drivers[i].name : NULL;
}

static const struct model model_other = { "", .partial = PARTIAL_UNKNOWN, .hidden = HIDDEN_DRIVER, .unmeasured = true };

static const struct model *find_model(const struct model *in, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (in[i].name[0] == name[0] && strcmp(in[i].name, name) == 0)
			return &in[i];
	return &model_other;
}

const struct model *predict_model(const struct link *link, const struct model *hint)
{
	bool physical = link_is_kind(link, "physical");
	const char *name = physical ? link->driver : link->kind;

	/* on a large host most links have the same kind as the previous one */
	if (hint && strcmp(hint->name, name) == 0)
		return hint;
	return physical ? find_model(drivers, ARRAY_SIZE(drivers), name) : find_model(kinds, ARRAY_SIZE(kinds), name);
}

/* ---- causes ---- */

feature_set predict_model_needs(const struct kernel *k, const struct model *m, unsigned bit)
{
	return m->fix == fix_lro_needs_checksum && k->release >= m->known_since && (k->f.lro & FEATURE(bit)) ? k->f.rxcsum : 0;
}

struct predict_facts predict_model_facts(const struct sets *f, const struct model *m, const struct link_features *features)
{
	struct predict_facts facts = { 0 };

	if (m->fix == fix_vlan_tx_as_rx && (features->hw & f->vlan_rx) && (features->hw & f->vlan_tx))
		facts.coupled = f->vlan_rx | f->vlan_tx;
	else if (m->fix == fix_macvlan)
		facts.copied = f->macvlan;
	else if (m->fix == fix_ipvlan)
		facts.copied = f->ipvlan;
	else if (m->fix == fix_macsec)
		facts.copied = features->hw & f->csum_mask ? f->macsec_offload & ~f->gso_software : f->macsec;
	else if (m->fix == fix_veth && !(features->hw & f->tso))
		facts.peer_xdp = f->gso_software & ~features->active;
	if (m->hidden == HIDDEN_TUN)
		facts.owner = f->tun_user;
	else if (m->hidden == HIDDEN_VIRTIO)
		facts.owner = f->gro_hw | f->rxhash;
	return facts;
}

/* ---- hidden state ---- */

/* Infers vlan_features of a device from a VLAN on it: a feature that the VLAN wants and the device has is on in the VLAN only
 * if the device offers it. Not for the software features, which vlan_dev_fix_features() keeps in any case. */
static void learn_from_vlan(
	const struct predict *p, const struct node *n, const struct node *vlan, struct offer *offer)
{
	const struct sets *f = &p->k->f;
	const struct link_features *v = &vlan->w[GUESS];
	feature_set here = n->w[GUESS].active, asked = v->wanted & v->hw,
		    on = v->active & asked & here, off = asked & ~v->active & here;

	on &= ~(f->soft | f->gso_software | f->csum_mask);
	off &= ~(f->soft | f->gso_software | f->csum_mask);
	/* The checksum bit of a VLAN depends on any of the three of the device. */
	if (asked & v->active & f->hw_csum)
		on |= here & f->csum_mask;
	else if (asked & f->hw_csum)
		off |= here & f->csum_mask;
	if (n->model->hidden == HIDDEN_NOBODY) {
		on &= offer->unknown;
		off &= offer->unknown;
	}
	offer->on = (offer->on | on) & ~off;
	offer->unknown &= ~(on | off);
}

static void learn_from_vlans(const struct predict *p, struct node *n)
{
	for (const struct node *upper = node_at(p, n->first_upper); upper;
		upper = node_at(p, upper->next_upper))
		if (strcmp(upper->model->name, "vlan") == 0)
			learn_from_vlan(p, n, upper, &n->offer);
}

struct offer predict_offer(struct predict *p, struct node *n)
{
	if (n->offer_done || n->offer_running)
		return n->offer;
	n->offer_running = true;
	if (n->model->offer)
		n->offer = n->model->offer(p, n);
	else
		n->offer = (struct offer){ .on = p->k->f.highdma, .unknown = ~p->k->f.highdma };
	if (n->outdated)
		n->offer.unknown = ~p->k->f.highdma;
	else if (!is_mute(p, n))
		learn_from_vlans(p, n);
	n->offer_running = false;
	n->offer_done = true;
	return n->offer;
}
