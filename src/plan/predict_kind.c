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

static feature_set fix_ipvlan(const struct predict *p, const struct node *n, feature_set features)
{
	const struct node *lower = node_at(p, n->lower);
	const struct sets *f = &p->k->f;

	if (!lower)
		return features;
	features |= f->all_for_all;
	features = predict_increment(f, active(p, lower), features, features);
	return (features | f->ipvlan_always) & (f->ipvlan_always | f->ipvlan);
}

static feature_set fix_macsec(const struct predict *p, const struct node *n, feature_set features)
{
	const struct node *lower = node_at(p, n->lower);
	const struct sets *f = &p->k->f;
	/* macsec_is_offloaded() is not visible, but only an offloaded one has checksums. */
	bool offloaded = n->w[GUESS].hw & f->csum_mask;

	if (!lower)
		return features;
	return (features & ((active(p, lower) & (offloaded ? f->macsec_offload : f->macsec)) |
				   f->gso_software | f->soft)) |
	       f->lltx;
}

/* veth_xdp_set() removes GSO_SOFTWARE from hw_features of the peer, so these show whether the peer has an XDP program. */
static feature_set fix_veth(const struct predict *p, const struct node *n, feature_set features)
{
	return n->w[GUESS].hw & p->k->f.tso ? features : features & ~p->k->f.gso_software;
}

/* vmxnet3_fix_features(), and in the same words ixgbe, bnx2x, hinic and liquidio (read in the source). */
static feature_set fix_lro_needs_checksum(const struct predict *p, const struct node *n, feature_set features)
{
	(void)n;
	return features & p->k->f.rxcsum ? features : features & ~p->k->f.lro;
}

/* e1000_fix_features(), igb_fix_features(): the hardware has one switch for both. Of atl1c, atl1e, atlx and cxgb read in the source. */
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

static struct offer offer_vxlan(struct predict *p, struct node *n)
{
	const struct sets *f = &p->k->f;

	(void)n;
	return (struct offer){ .on = f->sg | f->hw_csum | f->rxcsum | f->gso_software | f->highdma |
				     (p->k->release >= RELEASE(5, 12, 0) ? f->fraglist : 0) };
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

	return (struct offer){
		.on = f->highdma |
		      (n->w[GUESS].hw &
			      (f->sg | f->hw_csum | f->all_tso | f->uso |
				      (p->k->release >= RELEASE(6, 17, 0) ? f->gso_encap : 0)))
	};
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

static struct offer offer_macvlan(struct predict *p, struct node *n)
{
	return offer_from_lower(p, n, p->k->f.macvlan, p->k->f.macvlan_always & ~p->k->f.lltx);
}

/* The union over the ports, as in bond_compute_features(), __team_compute_features() and, in newer kernels,
 * netdev_compute_master_upper_features(). */
static feature_set master_vlan_features(
	const struct predict *p, const struct node *n, bool from_base, enum world world)
{
	const struct sets *f = &p->k->f;
	feature_set all = from_base ? predict_base(f, f->master_vlan) : 0;

	for (const struct node *port = node_at(p, n->first_port); port;
		port = node_at(p, port->next_port))
		all = predict_increment(f, all,
			port->offer.on | (world == LOW ? 0 : port->offer.unknown), f->master_vlan);
	return all;
}

/* Without ports a master has the base set, its initial features, or, before netdev_compute_master_upper_features(), all. */
static struct offer offer_master(
	struct predict *p, struct node *n, bool certainly_base, bool perhaps_base, feature_set initial)
{
	const struct sets *f = &p->k->f;
	feature_set low, high;

	if (n->first_port < 0) {
		low = (certainly_base ? predict_base(f, f->master_vlan) : f->master_vlan) & initial;
		high = (certainly_base ? predict_base(f, f->master_vlan) : f->master_vlan) | initial;
		return (struct offer){ .on = low | f->highdma,
			.unknown = high & ~low & ~f->highdma };
	}
	for (struct node *port = node_at(p, n->first_port); port;
		port = node_at(p, port->next_port))
		predict_offer(p, port);
	low = master_vlan_features(p, n, certainly_base, LOW);
	high = master_vlan_features(p, n, certainly_base || perhaps_base, HIGH);
	return (struct offer){ .on = low, .unknown = high & ~low };
}

/* From 6.14 on, and in stable 6.12.7, a bond starts from netdev_base_features(), which keeps the
 * checksum whatever the slaves offer ("bonding: Fix initial {vlan,mpls}_feature set in
 * bond_compute_features"); other stable kernels may have it. */
static struct offer offer_bond(struct predict *p, struct node *n)
{
	return offer_master(p, n, p->k->release >= RELEASE(6, 12, 7), p->k->release >= RELEASE(6, 2, 0),
		p->k->f.highdma);
}

static struct offer offer_bridge(struct predict *p, struct node *n)
{
	if (p->k->release < RELEASE(6, 18, 0))
		return (struct offer){ .on = p->k->f.bridge_common };
	return offer_master(p, n, true, true, p->k->f.bridge_common);
}

static const struct model models[] = {
	{ "vlan", fix_vlan, offer_vlan, REACT_UPDATE, true, PARTIAL_NONE, 0, HIDDEN_UNKNOWN },
	{ "veth", fix_veth, offer_veth, REACT_NOT, false, PARTIAL_NONE, 0, HIDDEN_UNKNOWN },
	{ "bond", fix_bond, offer_bond, REACT_COMPUTE, false, PARTIAL_MASTER, 0, HIDDEN_UNKNOWN },
	{ "team", fix_bond, offer_bond, REACT_COMPUTE, false, PARTIAL_MASTER, 0, HIDDEN_UNKNOWN },
	{ "bridge", fix_bridge, offer_bridge, REACT_UPDATE, false, PARTIAL_MASTER, 0, HIDDEN_UNKNOWN },
	{ "macvlan", fix_macvlan, offer_macvlan, REACT_UPDATE, true, PARTIAL_NONE, 0, HIDDEN_UNKNOWN },
	{ "macvtap", fix_macvlan, offer_macvlan, REACT_UPDATE, true, PARTIAL_NONE, 0, HIDDEN_UNKNOWN },
	{ "ipvlan", fix_ipvlan, offer_nothing, REACT_UPDATE, true, PARTIAL_NONE, 0, HIDDEN_UNKNOWN },
	{ "ipvtap", fix_ipvlan, offer_nothing, REACT_UPDATE, true, PARTIAL_NONE, 0, HIDDEN_UNKNOWN },
	{ "macsec", fix_macsec, offer_nothing, REACT_UPDATE, true, PARTIAL_NONE, RELEASE(6, 18, 0), HIDDEN_UNKNOWN },
	{ "vxlan", NULL, offer_vxlan, REACT_NOT, true, PARTIAL_ENCAP, 0, HIDDEN_UNKNOWN },
	{ "geneve", NULL, offer_nothing, REACT_NOT, false, PARTIAL_ENCAP, 0, HIDDEN_UNKNOWN },
	{ "gretap", NULL, offer_nothing, REACT_NOT, false, PARTIAL_NONE, 0, HIDDEN_UNKNOWN },
	{ "ip6gretap", NULL, offer_nothing, REACT_NOT, false, PARTIAL_NONE, 0, HIDDEN_UNKNOWN },
	{ "erspan", NULL, offer_nothing, REACT_NOT, false, PARTIAL_NONE, 0, HIDDEN_UNKNOWN },
	{ "dummy", NULL, offer_nothing, REACT_NOT, false, PARTIAL_NONE, 0, HIDDEN_UNKNOWN },
	{ "ifb", NULL, offer_ifb, REACT_NOT, false, PARTIAL_NONE, 0, HIDDEN_UNKNOWN },
	{ "tun", NULL, offer_tun, REACT_NOT, false, PARTIAL_NONE, 0, HIDDEN_TUN },
	{ "netkit", NULL, offer_veth, REACT_NOT, false, PARTIAL_NONE, 0, HIDDEN_UNKNOWN },
	{ "loopback", NULL, offer_nothing, REACT_NOT, false, PARTIAL_NONE, 0, HIDDEN_UNKNOWN },
	{ "e1000e", fix_vlan_tx_as_rx, offer_e1000e, REACT_NOT, false, PARTIAL_NONE, 0, HIDDEN_UNKNOWN },
	{ "e1000", fix_vlan_tx_as_rx, offer_e1000e, REACT_NOT, false, PARTIAL_NONE, 0, HIDDEN_UNKNOWN },
	{ "igb", fix_vlan_tx_as_rx, offer_igb, REACT_NOT, false, PARTIAL_ENCAP, 0, HIDDEN_UNKNOWN },
	{ "vmxnet3", fix_lro_needs_checksum, offer_vmxnet3, REACT_NOT, false, PARTIAL_NONE, 0, HIDDEN_UNKNOWN },
	{ "virtio_net", NULL, offer_virtio, REACT_NOT, false, PARTIAL_NONE, 0, HIDDEN_VIRTIO },
	{ "atl1", fix_vlan_tx_as_rx, NULL, REACT_NOT, false, PARTIAL_UNKNOWN, 0, HIDDEN_UNKNOWN },
	{ "atl1c", fix_vlan_tx_as_rx, NULL, REACT_NOT, false, PARTIAL_UNKNOWN, 0, HIDDEN_UNKNOWN },
	{ "ATL1E", fix_vlan_tx_as_rx, NULL, REACT_NOT, false, PARTIAL_UNKNOWN, 0, HIDDEN_UNKNOWN },
	{ "atl2", fix_vlan_tx_as_rx, NULL, REACT_NOT, false, PARTIAL_UNKNOWN, 0, HIDDEN_UNKNOWN },
	{ "cxgb", fix_vlan_tx_as_rx, NULL, REACT_NOT, false, PARTIAL_UNKNOWN, 0, HIDDEN_UNKNOWN },
	{ "ixgbe", fix_lro_needs_checksum, NULL, REACT_NOT, false, PARTIAL_UNKNOWN, 0, HIDDEN_UNKNOWN },
	{ "bnx2x", fix_lro_needs_checksum, NULL, REACT_NOT, false, PARTIAL_UNKNOWN, 0, HIDDEN_UNKNOWN },
	{ "hinic", fix_lro_needs_checksum, NULL, REACT_NOT, false, PARTIAL_UNKNOWN, 0, HIDDEN_UNKNOWN },
	{ "liquidio", fix_lro_needs_checksum, NULL, REACT_NOT, false, PARTIAL_UNKNOWN, 0, HIDDEN_UNKNOWN },
};

static const struct model model_other = { "", NULL, NULL, REACT_NOT, false, PARTIAL_UNKNOWN, 0, HIDDEN_UNKNOWN };

const struct model *predict_model(const struct link *link, const struct model *hint)
{
	const char *name = link_is_kind(link, "physical") ? link->driver : link->kind;

	/* on a large host most links have the same kind as the previous one */
	if (hint && strcmp(hint->name, name) == 0)
		return hint;
	for (size_t i = 0; i < ARRAY_SIZE(models); i++)
		if (models[i].name[0] == name[0] && strcmp(models[i].name, name) == 0)
			return &models[i];
	return &model_other;
}

/* ---- causes ---- */

feature_set predict_model_needs(const struct sets *f, const struct model *m, unsigned bit)
{
	return m->fix == fix_lro_needs_checksum && (f->lro & FEATURE(bit)) ? f->rxcsum : 0;
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
