/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "predict.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

/* Some of what decides is hidden in the kernel (vlan_features of a device, the offloads that the
 * owner of a tap accepts, what a driver's fix_features() holds back). So every SET is carried out
 * in three worlds: with the best guess of the hidden bits, with all of them on, with all of them
 * off. What comes out the same in all three is certain. */
enum world { GUESS, HIGH, LOW, WORLDS };

/* Notifiers and netdev_sync_lower_features() call one another as deep as the stack is; a stale
 * picture may hold a loop. */
#define DEPTH_MAX 64

#define RELEASE(major, minor, patch) (((major) << 20) | ((minor) << 10) | (patch))

#define KERNEL_FEATURES(X)                                                                         \
	X(sg, "tx-scatter-gather")                                                                 \
	X(ip_csum, "tx-checksum-ipv4")                                                             \
	X(hw_csum, "tx-checksum-ip-generic")                                                       \
	X(ip6_csum, "tx-checksum-ipv6")                                                            \
	X(highdma, "highdma")                                                                      \
	X(fraglist, "tx-scatter-gather-fraglist")                                                  \
	X(vlan_tx, "tx-vlan-hw-insert")                                                            \
	X(vlan_rx, "rx-vlan-hw-parse")                                                             \
	X(vlan_filter, "rx-vlan-filter")                                                           \
	X(stag_tx, "tx-vlan-stag-hw-insert")                                                       \
	X(stag_rx, "rx-vlan-stag-hw-parse")                                                        \
	X(stag_filter, "rx-vlan-stag-filter")                                                      \
	X(challenged, "vlan-challenged")                                                           \
	X(gso, "tx-generic-segmentation")                                                          \
	X(lltx, "tx-lockless")                                                                     \
	X(gro, "rx-gro")                                                                           \
	X(lro, "rx-lro")                                                                           \
	X(tso, "tx-tcp-segmentation")                                                              \
	X(tso_ecn, "tx-tcp-ecn-segmentation")                                                      \
	X(tso_accecn, "tx-tcp-accecn-segmentation")                                                \
	X(tso_mangleid, "tx-tcp-mangleid-segmentation")                                            \
	X(tso6, "tx-tcp6-segmentation")                                                            \
	X(gso_robust, "tx-gso-robust")                                                             \
	X(fso, "tx-fcoe-segmentation")                                                             \
	X(gre, "tx-gre-segmentation")                                                              \
	X(gre_csum, "tx-gre-csum-segmentation")                                                    \
	X(ipxip4, "tx-ipxip4-segmentation")                                                        \
	X(ipxip6, "tx-ipxip6-segmentation")                                                        \
	X(udp_tnl, "tx-udp_tnl-segmentation")                                                      \
	X(udp_tnl_csum, "tx-udp_tnl-csum-segmentation")                                            \
	X(gso_partial, "tx-gso-partial")                                                           \
	X(remcsum, "tx-tunnel-remcsum-segmentation")                                               \
	X(sctp, "tx-sctp-segmentation")                                                            \
	X(esp, "tx-esp-segmentation")                                                              \
	X(uso, "tx-udp-segmentation")                                                              \
	X(gso_list, "tx-gso-list")                                                                 \
	X(fcoe_crc, "tx-checksum-fcoe-crc")                                                        \
	X(fcoe_mtu, "fcoe-mtu")                                                                    \
	X(sctp_crc, "tx-checksum-sctp")                                                            \
	X(rxcsum, "rx-checksum")                                                                   \
	X(rxhash, "rx-hashing")                                                                    \
	X(nocache_copy, "tx-nocache-copy")                                                         \
	X(rxfcs, "rx-fcs")                                                                         \
	X(tls_tx, "tls-hw-tx-offload")                                                             \
	X(tls_rx, "tls-hw-rx-offload")                                                             \
	X(gro_hw, "rx-gro-hw")                                                                     \
	X(hw_esp, "esp-hw-offload")                                                                \
	X(hw_esp_tx_csum, "esp-tx-csum-hw-offload")

/* Single features as this kernel numbers them (empty where it has not got one), and the sets that
 * its sources make of them: include/linux/netdev_features.h, and the drivers whose name a set
 * carries. */
struct sets {
#define X(field, name) feature_set field;
	KERNEL_FEATURES(X)
#undef X
	feature_set csum_mask, all_tso, gso_software, gso_encap, gso_mask, all_for_all, one_for_all,
		soft;
	feature_set all_fcoe;
	feature_set tun_user;
	feature_set macvlan, macvlan_always;
	feature_set ipvlan, ipvlan_always;
	feature_set macsec, macsec_offload;
	feature_set master_vlan, bridge_common;
};

/* netdev_fix_features(): where one of `bits` is on and the condition does not hold, `drop` goes (0:
 * bits). */
struct rule {
	feature_set bits;
	feature_set all;  /* all of these are on */
	feature_set any;  /* one of these is on ... */
	feature_set both; /* ... or all of these (with `any` only) */
	feature_set none; /* none of these is on */
	feature_set drop;
	unsigned since;   /* the kernel that has this rule for sure */
	unsigned perhaps; /* stable kernels from here on may have it, 0 for none */
};

#define RULES_MAX 16

/* vlan_features of a device, as far as known. */
struct offer {
	feature_set on, unknown;
};

struct model;

struct node {
	int ifindex;
	const struct model *model;
	/* The stack by index of node, -1 ends. */
	int lower, master, first_upper, next_upper, first_port, next_port;
	struct link_features w[WORLDS];
	/* What hidden state holds off, per world, and what it holds on (not in LOW). */
	feature_set off[WORLDS], on;
	/* Bits of which a change makes the driver's ndo_set_features() fail: then nothing changes.
	 */
	feature_set refuses[WORLDS];
	struct offer offer;
	bool offer_done, offer_running;
	bool notifier_ctx; /* bond, team: in their own notifier */
};

/* What a node was before the last SET changed it. */
struct change {
	int node;
	enum world world;
	struct link_features was;
};

struct predict {
	struct sets f;
	struct rule rules[RULES_MAX];
	size_t n_rules;
	unsigned release;
	enum world world; /* the one that a SET is being carried out in */
	unsigned depth;
	struct node *nodes; /* by ifindex */
	int n_nodes;
	struct change *changes; /* by the last SET */
	size_t n_changes, changes_room;
	bool failed; /* no memory for these */
};

enum reaction {
	REACT_NOT,
	REACT_UPDATE,  /* netdev_update_features(): tells others when something changed */
	REACT_COMPUTE, /* netdev_change_features() behind a guard against itself: always tells
			  others */
};

enum partial {
	PARTIAL_NONE,
	PARTIAL_ENCAP,  /* gso_partial_features are the tunnels' segmentation */
	PARTIAL_MASTER, /* ESP, where netdev_compute_master_upper_features() sets it */
	PARTIAL_UNKNOWN,
};

/* What is known of a kind of link, or of a driver: its ndo_fix_features(), what it does when a
 * device below or a port tells NETDEV_FEAT_CHANGE, its vlan_features. */
struct model {
	const char *name;
	feature_set (*fix)(const struct predict *p, const struct node *n, feature_set features);
	struct offer (*offer)(struct predict *p, struct node *n); /* NULL: unknown */
	enum reaction reaction;
	bool linked; /* netdev_upper_dev_link()ed to the device below: LRO is kept in step */
	enum partial partial;
	unsigned reacts_since;                           /* release, 0: always did */
	void (*hide)(struct predict *p, struct node *n); /* learns hidden state from the picture */
};

static struct offer offer_of(struct predict *p, struct node *n);
static void hide_tun(struct predict *p, struct node *n);
static void hide_virtio(struct predict *p, struct node *n);

static struct node *node_at(const struct predict *p, int i)
{
	return i < 0 ? NULL : &p->nodes[i];
}

static struct node *node_find(const struct predict *p, int ifindex)
{
	int low = 0, high = p->n_nodes;

	while (low < high) {
		int middle = low + (high - low) / 2;

		if (p->nodes[middle].ifindex == ifindex)
			return &p->nodes[middle];
		if (p->nodes[middle].ifindex < ifindex)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static feature_set active(const struct predict *p, const struct node *n)
{
	return n->w[p->world].active;
}

/* To be called before the state of a node changes. */
static struct link_features *change(struct predict *p, struct node *n)
{
	struct link_features *w = &n->w[p->world];

	if (p->n_changes == p->changes_room) {
		size_t room = p->changes_room ? 2 * p->changes_room : 16;
		struct change *changes = realloc(p->changes, room * sizeof(*changes));

		if (!changes) {
			p->failed = true;
			return w;
		}
		p->changes = changes;
		p->changes_room = room;
	}
	p->changes[p->n_changes++] =
		(struct change){ .node = (int)(n - p->nodes), .world = p->world, .was = *w };
	return w;
}

static feature_set vlan_features(const struct predict *p, const struct node *n)
{
	return n->offer.on | (p->world == LOW ? 0 : n->offer.unknown);
}

/* Arithmetic of the kernel, under its own names. */

static feature_set intersect_features(const struct sets *f, feature_set a, feature_set b)
{
	if ((a ^ b) & f->hw_csum) {
		if (a & f->hw_csum)
			a |= f->ip_csum | f->ip6_csum;
		else
			b |= f->ip_csum | f->ip6_csum;
	}
	return a & b;
}

static feature_set increment_features(
	const struct sets *f, feature_set all, feature_set one, feature_set mask)
{
	if (mask & f->hw_csum)
		mask |= f->csum_mask;
	mask |= f->challenged;
	all |= one & (f->one_for_all | f->csum_mask) & mask;
	all &= one | ~f->all_for_all;
	if (all & f->hw_csum)
		all &= ~(f->csum_mask & ~f->hw_csum);
	return all;
}

/* "Preserve NETIF_F_ALL_FOR_ALL across TSO updates" came with 6.18 and went to the stable kernels,
 * which uname -r does not always tell apart; without it a bond, team or bridge with ports never has
 * tx-nocache-copy. */
static feature_set add_tso_features(const struct predict *p, feature_set features, feature_set mask)
{
	bool preserved = p->release >= RELEASE(6, 18, 0) || p->world == HIGH ||
			 (p->world == GUESS && p->release >= RELEASE(5, 15, 0));

	return increment_features(
		&p->f, features, p->f.all_tso | (preserved ? p->f.all_for_all : 0), mask);
}

static feature_set base_features(const struct sets *f, feature_set features)
{
	return (features & ~f->one_for_all) | f->all_for_all;
}

/* ndo_fix_features() of the kinds. */

static feature_set fix_vlan(const struct predict *p, const struct node *n, feature_set features)
{
	const struct node *lower = node_at(p, n->lower);
	feature_set from_lower;

	if (!lower)
		return features;
	from_lower =
		intersect_features(&p->f, vlan_features(p, lower) | p->f.rxcsum, active(p, lower));
	if (from_lower & (p->f.ip_csum | p->f.ip6_csum))
		from_lower |= p->f.hw_csum;
	return intersect_features(&p->f, features, from_lower) |
	       (features & (p->f.soft | p->f.gso_software)) | p->f.lltx;
}

static feature_set increment_by_ports(
	const struct predict *p, const struct node *n, feature_set features, feature_set mask)
{
	for (const struct node *port = node_at(p, n->first_port); port;
		port = node_at(p, port->next_port))
		features = increment_features(&p->f, features, active(p, port), mask);
	return add_tso_features(p, features, mask);
}

static feature_set fix_bond(const struct predict *p, const struct node *n, feature_set features)
{
	return increment_by_ports(p, n, base_features(&p->f, features), features);
}

static feature_set fix_bridge(const struct predict *p, const struct node *n, feature_set features)
{
	if (n->first_port < 0)
		return features;
	return increment_by_ports(p, n, features & ~p->f.one_for_all, features);
}

static feature_set fix_macvlan(const struct predict *p, const struct node *n, feature_set features)
{
	const struct node *lower = node_at(p, n->lower);
	const struct sets *f = &p->f;

	if (!lower)
		return features;
	features |= f->all_for_all;
	features =
		increment_features(f, active(p, lower) & (features | ~f->lro), features, features);
	return (features | f->macvlan_always) & (f->macvlan_always | f->macvlan);
}

static feature_set fix_ipvlan(const struct predict *p, const struct node *n, feature_set features)
{
	const struct node *lower = node_at(p, n->lower);
	const struct sets *f = &p->f;

	if (!lower)
		return features;
	features |= f->all_for_all;
	features = increment_features(f, active(p, lower), features, features);
	return (features | f->ipvlan_always) & (f->ipvlan_always | f->ipvlan);
}

static feature_set fix_macsec(const struct predict *p, const struct node *n, feature_set features)
{
	const struct node *lower = node_at(p, n->lower);
	const struct sets *f = &p->f;
	/* macsec_is_offloaded() is not told; only an offloaded one has checksums. */
	bool offloaded = n->w[GUESS].hw & f->csum_mask;

	if (!lower)
		return features;
	return (features & ((active(p, lower) & (offloaded ? f->macsec_offload : f->macsec)) |
				   f->gso_software | f->soft)) |
	       f->lltx;
}

/* veth_xdp_set() takes GSO_SOFTWARE out of the peer's hw_features, so that these tell whether the
 * peer has a program. */
static feature_set fix_veth(const struct predict *p, const struct node *n, feature_set features)
{
	return n->w[GUESS].hw & p->f.tso ? features : features & ~p->f.gso_software;
}

static feature_set fix_vmxnet3(const struct predict *p, const struct node *n, feature_set features)
{
	(void)n;
	return features & p->f.rxcsum ? features : features & ~p->f.lro;
}

/* e1000_fix_features(), igb_fix_features(): the hardware has one switch for both. */
static feature_set fix_vlan_tx_as_rx(
	const struct predict *p, const struct node *n, feature_set features)
{
	(void)n;
	return features & p->f.vlan_rx ? features | p->f.vlan_tx : features & ~p->f.vlan_tx;
}

/* vlan_features of the kinds. */

static struct offer offer_nothing(struct predict *p, struct node *n)
{
	(void)n;
	return (struct offer){ .on = p->f.highdma };
}

static struct offer offer_veth(struct predict *p, struct node *n)
{
	const struct sets *f = &p->f;

	(void)n;
	return (struct offer){ .on = f->sg | f->fraglist | f->hw_csum | f->rxcsum | f->sctp_crc |
				     f->highdma | f->gso_software | f->gso_encap };
}

static struct offer offer_vxlan(struct predict *p, struct node *n)
{
	const struct sets *f = &p->f;

	(void)n;
	return (struct offer){ .on = f->sg | f->hw_csum | f->rxcsum | f->gso_software | f->highdma |
				     (p->release >= RELEASE(5, 12, 0) ? f->fraglist : 0) };
}

static struct offer offer_ifb(struct predict *p, struct node *n)
{
	const struct sets *f = &p->f;

	(void)n;
	return (struct offer){ .on = f->hw_csum | f->sg | f->fraglist | f->gso_software |
				     f->gso_encap | f->highdma };
}

static struct offer offer_tun(struct predict *p, struct node *n)
{
	(void)n;
	return (struct offer){ .on = p->f.sg | p->f.fraglist | p->f.tun_user | p->f.highdma };
}

static struct offer offer_e1000e(struct predict *p, struct node *n)
{
	(void)n;
	return (struct offer){ .on = p->f.sg | p->f.hw_csum | p->f.all_tso | p->f.highdma };
}

static struct offer offer_vmxnet3(struct predict *p, struct node *n)
{
	const struct sets *f = &p->f;

	return (struct offer){
		.on = f->highdma | (n->w[GUESS].hw & (f->sg | f->rxcsum | f->hw_csum | f->all_tso |
							     f->lro | f->udp_tnl | f->udp_tnl_csum))
	};
}

static struct offer offer_virtio(struct predict *p, struct node *n)
{
	const struct sets *f = &p->f;

	return (struct offer){
		.on = f->highdma |
		      (n->w[GUESS].hw &
			      (f->sg | f->hw_csum | f->all_tso | f->uso |
				      (p->release >= RELEASE(6, 17, 0) ? f->gso_encap : 0)))
	};
}

static struct offer offer_igb(struct predict *p, struct node *n)
{
	const struct sets *f = &p->f;

	return (struct offer){ .on = f->highdma |
				     (n->w[GUESS].hw & (f->sg | f->csum_mask | f->all_tso |
							       f->rxcsum | f->sctp_crc | f->uso |
							       f->gso_partial | f->gso_encap)) };
}

/* A device that stands on another copies its vlan_features when it is created. */
static struct offer offer_from_lower(
	struct predict *p, struct node *n, feature_set mask, feature_set always)
{
	struct offer lower = { .unknown = ~UINT64_C(0) };

	if (n->lower >= 0)
		lower = offer_of(p, node_at(p, n->lower));
	always |= p->f.highdma;
	return (struct offer){ .on = (lower.on & mask) | always,
		.unknown = lower.unknown & mask & ~always };
}

static struct offer offer_vlan(struct predict *p, struct node *n)
{
	return offer_from_lower(p, n, ~p->f.all_fcoe, 0);
}

static struct offer offer_macvlan(struct predict *p, struct node *n)
{
	return offer_from_lower(p, n, p->f.macvlan, p->f.macvlan_always & ~p->f.lltx);
}

/* The union of the ports', as bond_compute_features(), __team_compute_features() and, later,
 * netdev_compute_master_upper_features() make it. */
static feature_set master_vlan_features(
	const struct predict *p, const struct node *n, bool from_base, enum world world)
{
	const struct sets *f = &p->f;
	feature_set all = from_base ? base_features(f, f->master_vlan) : 0;

	for (const struct node *port = node_at(p, n->first_port); port;
		port = node_at(p, port->next_port))
		all = increment_features(f, all,
			port->offer.on | (world == LOW ? 0 : port->offer.unknown), f->master_vlan);
	return all;
}

/* base: a master without ports has the base, or what it was born with, or all (before it was
 * computed the new way). */
static struct offer offer_master(
	struct predict *p, struct node *n, bool surely_base, bool perhaps_base, feature_set born)
{
	const struct sets *f = &p->f;
	feature_set low, high;

	if (n->first_port < 0) {
		low = (surely_base ? base_features(f, f->master_vlan) : f->master_vlan) & born;
		high = (surely_base ? base_features(f, f->master_vlan) : f->master_vlan) | born;
		return (struct offer){ .on = low | f->highdma,
			.unknown = high & ~low & ~f->highdma };
	}
	for (struct node *port = node_at(p, n->first_port); port;
		port = node_at(p, port->next_port))
		offer_of(p, port);
	low = master_vlan_features(p, n, surely_base, LOW);
	high = master_vlan_features(p, n, surely_base || perhaps_base, HIGH);
	return (struct offer){ .on = low, .unknown = high & ~low };
}

/* From 6.14 on, and in stable 6.12.7, a bond starts from netdev_base_features(), which keeps the
 * checksum whatever the slaves offer ("bonding: Fix initial {vlan,mpls}_feature set in
 * bond_compute_features"); other stable kernels may have it. */
static struct offer offer_bond(struct predict *p, struct node *n)
{
	return offer_master(p, n, p->release >= RELEASE(6, 12, 7), p->release >= RELEASE(6, 2, 0),
		p->f.highdma);
}

static struct offer offer_bridge(struct predict *p, struct node *n)
{
	if (p->release < RELEASE(6, 18, 0))
		return (struct offer){ .on = p->f.bridge_common };
	return offer_master(p, n, true, true, p->f.bridge_common);
}

static const struct model models[] = {
	{ "vlan", fix_vlan, offer_vlan, REACT_UPDATE, true, PARTIAL_NONE, 0, NULL },
	{ "veth", fix_veth, offer_veth, REACT_NOT, false, PARTIAL_NONE, 0, NULL },
	{ "bond", fix_bond, offer_bond, REACT_COMPUTE, false, PARTIAL_MASTER, 0, NULL },
	{ "team", fix_bond, offer_bond, REACT_COMPUTE, false, PARTIAL_MASTER, 0, NULL },
	{ "bridge", fix_bridge, offer_bridge, REACT_UPDATE, false, PARTIAL_MASTER, 0, NULL },
	{ "macvlan", fix_macvlan, offer_macvlan, REACT_UPDATE, true, PARTIAL_NONE, 0, NULL },
	{ "macvtap", fix_macvlan, offer_macvlan, REACT_UPDATE, true, PARTIAL_NONE, 0, NULL },
	{ "ipvlan", fix_ipvlan, offer_nothing, REACT_UPDATE, true, PARTIAL_NONE, 0, NULL },
	{ "ipvtap", fix_ipvlan, offer_nothing, REACT_UPDATE, true, PARTIAL_NONE, 0, NULL },
	{ "macsec", fix_macsec, offer_nothing, REACT_UPDATE, true, PARTIAL_NONE, RELEASE(6, 18, 0),
		NULL },
	{ "vxlan", NULL, offer_vxlan, REACT_NOT, true, PARTIAL_ENCAP, 0, NULL },
	{ "geneve", NULL, offer_nothing, REACT_NOT, false, PARTIAL_ENCAP, 0, NULL },
	{ "gretap", NULL, offer_nothing, REACT_NOT, false, PARTIAL_NONE, 0, NULL },
	{ "ip6gretap", NULL, offer_nothing, REACT_NOT, false, PARTIAL_NONE, 0, NULL },
	{ "erspan", NULL, offer_nothing, REACT_NOT, false, PARTIAL_NONE, 0, NULL },
	{ "dummy", NULL, offer_nothing, REACT_NOT, false, PARTIAL_NONE, 0, NULL },
	{ "ifb", NULL, offer_ifb, REACT_NOT, false, PARTIAL_NONE, 0, NULL },
	{ "tun", NULL, offer_tun, REACT_NOT, false, PARTIAL_NONE, 0, hide_tun },
	{ "netkit", NULL, offer_veth, REACT_NOT, false, PARTIAL_NONE, 0, NULL },
	{ "loopback", NULL, offer_nothing, REACT_NOT, false, PARTIAL_NONE, 0, NULL },
	{ "e1000e", fix_vlan_tx_as_rx, offer_e1000e, REACT_NOT, false, PARTIAL_NONE, 0, NULL },
	{ "e1000", fix_vlan_tx_as_rx, offer_e1000e, REACT_NOT, false, PARTIAL_NONE, 0, NULL },
	{ "igb", fix_vlan_tx_as_rx, offer_igb, REACT_NOT, false, PARTIAL_ENCAP, 0, NULL },
	{ "vmxnet3", fix_vmxnet3, offer_vmxnet3, REACT_NOT, false, PARTIAL_NONE, 0, NULL },
	{ "virtio_net", NULL, offer_virtio, REACT_NOT, false, PARTIAL_NONE, 0, hide_virtio },
};

static const struct model model_other = { "", NULL, NULL, REACT_NOT, false, PARTIAL_UNKNOWN, 0,
	NULL };

static const struct model *model_of(const struct link *link, const struct model *hint)
{
	const char *name = link_is_kind(link, "physical") ? link->driver : link->kind;

	/* most links of a large host are of the kind of the one before */
	if (hint && strcmp(hint->name, name) == 0)
		return hint;
	for (size_t i = 0; i < ARRAY_SIZE(models); i++)
		if (strcmp(models[i].name, name) == 0)
			return &models[i];
	return &model_other;
}

/* The kernel's core. */

static bool rule_holds(const struct rule *r, feature_set features)
{
	if ((features & r->all) != r->all || (features & r->none))
		return false;
	return !r->any || (features & r->any) || (r->both && (features & r->both) == r->both);
}

static feature_set fix_partial(const struct predict *p, const struct node *n, feature_set features)
{
	feature_set partial = 0;

	switch (n->model->partial) {
	case PARTIAL_NONE:
		break;
	case PARTIAL_ENCAP:
		partial = n->w[GUESS].hw & p->f.gso_partial ? p->f.gso_encap : 0;
		break;
	case PARTIAL_MASTER:
		/* bond from 6.12's stable kernels on, team and bridge from 6.18; a bond always has
		 * GSO_PARTIAL there, and a bridge that never had a port has no
		 * gso_partial_features. */
		partial = p->release >= RELEASE(6, 18, 0) && n->first_port >= 0 ? p->f.esp : 0;
		break;
	case PARTIAL_UNKNOWN:
		partial = p->world == HIGH ? 0 : p->f.gso_encap & n->w[GUESS].hw;
		break;
	}
	return features & p->f.gso_partial ? features : features & ~partial;
}

static feature_set fix_features(const struct predict *p, const struct node *n, feature_set features)
{
	for (size_t i = 0; i < p->n_rules; i++) {
		const struct rule *r = &p->rules[i];

		if (r->since > p->release && p->world != LOW)
			continue;
		if ((features & r->bits) && !rule_holds(r, features))
			features &= ~(r->drop ? r->drop : r->bits);
	}
	return fix_partial(p, n, features);
}

/* netdev_get_wanted_features() to netdev_fix_features() in __netdev_update_features(). */
static feature_set wished_features(const struct predict *p, const struct node *n)
{
	const struct link_features *w = &n->w[p->world];
	feature_set features = (w->active & ~w->hw) | w->wanted;

	if (n->model->fix)
		features = n->model->fix(p, n, features);
	features &= ~n->off[p->world];
	if (p->world != LOW)
		features |= n->on;
	return fix_features(p, n, features);
}

/* netdev_sync_upper_features(): NETIF_F_UPPER_DISABLES is LRO. */
static feature_set sync_upper_features(
	const struct predict *p, const struct node *n, feature_set features)
{
	const struct node *master = node_at(p, n->master);

	if (!(features & p->f.lro))
		return features;
	for (const struct node *upper = node_at(p, n->first_upper); upper;
		upper = node_at(p, upper->next_upper))
		if (upper->model->linked && !(upper->w[p->world].wanted & p->f.lro))
			features &= ~p->f.lro;
	if (master && !(master->w[p->world].wanted & p->f.lro))
		features &= ~p->f.lro;
	return features;
}

static bool update_features(struct predict *p, struct node *n);
static void features_change(struct predict *p, struct node *n);

/* netdev_sync_lower_features() */
static void sync_lower_features(struct predict *p, struct node *lower, feature_set features)
{
	if ((features & p->f.lro) || !(active(p, lower) & p->f.lro))
		return;
	change(p, lower)->wanted &= ~p->f.lro;
	update_features(p, lower);
	if (!(active(p, lower) & p->f.lro))
		features_change(p, lower);
}

/* __netdev_update_features(); true when the device's features changed. */
static bool update_features(struct predict *p, struct node *n)
{
	feature_set features;
	bool changed;

	if (p->depth >= DEPTH_MAX)
		return false;
	p->depth++;
	features = sync_upper_features(p, n, wished_features(p, n));
	if ((features ^ active(p, n)) & n->refuses[p->world]) {
		p->depth--;
		return true; /* so that others hear of it in vain, as in the kernel */
	}
	changed = features != active(p, n);
	if (n->model->linked && n->lower >= 0)
		sync_lower_features(p, node_at(p, n->lower), features);
	for (struct node *port = node_at(p, n->first_port); port;
		port = node_at(p, port->next_port))
		sync_lower_features(p, port, features);
	if (changed)
		change(p, n)->active = features;
	p->depth--;
	return changed;
}

static void react(struct predict *p, struct node *n)
{
	if (n->model->reacts_since > p->release)
		return;
	switch (n->model->reaction) {
	case REACT_NOT:
		break;
	case REACT_UPDATE:
		if (update_features(p, n))
			features_change(p, n);
		break;
	case REACT_COMPUTE:
		if (n->notifier_ctx)
			break;
		n->notifier_ctx = true;
		update_features(p, n);
		features_change(p, n);
		n->notifier_ctx = false;
		break;
	}
}

/* netdev_features_change(): NETDEV_FEAT_CHANGE to those who stand on the device and to its master.
 * xfrm_api_check() stops the notifiers that come after it, which is all of these, when a device has
 * ESP checksum offload without ESP offload. */
static void features_change(struct predict *p, struct node *n)
{
	if (p->depth >= DEPTH_MAX)
		return;
	if ((active(p, n) & p->f.hw_esp_tx_csum) && !(active(p, n) & p->f.hw_esp))
		return;
	p->depth++;
	if (n->master >= 0)
		react(p, node_at(p, n->master));
	for (struct node *upper = node_at(p, n->first_upper); upper;
		upper = node_at(p, upper->next_upper))
		if (upper->model->reaction == REACT_UPDATE)
			react(p, upper);
	p->depth--;
}

/* What the picture tells of hidden state. */

/* What the VLANs on a device say of its vlan_features: a wanted bit that the device has on is on in
 * the VLAN if offered and off if not (vlan_dev_fix_features() keeps the software bits in any case,
 * so these say nothing). */
static void learn_from_vlan(
	const struct predict *p, const struct node *n, const struct node *vlan, struct offer *offer)
{
	const struct sets *f = &p->f;
	const struct link_features *v = &vlan->w[GUESS];
	feature_set here = n->w[GUESS].active, asked = v->wanted & v->hw,
		    on = v->active & asked & here, off = asked & ~v->active & here;

	on &= ~(f->soft | f->gso_software | f->csum_mask);
	off &= ~(f->soft | f->gso_software | f->csum_mask);
	/* The one checksum bit of a VLAN stands for any of the device's three. */
	if (asked & v->active & f->hw_csum)
		on |= here & f->csum_mask;
	else if (asked & f->hw_csum)
		off |= here & f->csum_mask;
	offer->on = (offer->on | on) & ~off;
	offer->unknown &= ~(on | off);
}

static struct offer offer_of(struct predict *p, struct node *n)
{
	if (n->offer_done || n->offer_running)
		return n->offer;
	n->offer_running = true;
	if (n->model->offer)
		n->offer = n->model->offer(p, n);
	else
		n->offer = (struct offer){ .on = p->f.highdma, .unknown = ~p->f.highdma };
	for (const struct node *upper = node_at(p, n->first_upper); upper;
		upper = node_at(p, upper->next_upper))
		if (strcmp(upper->model->name, "vlan") == 0)
			learn_from_vlan(p, n, upper, &n->offer);
	n->offer_running = false;
	n->offer_done = true;
	return n->offer;
}

/* Whatever the rules here cannot explain is held by something hidden, and taken to stay so. LRO is
 * left out: an upper that came later takes effect only with the next update. */
static void hide_unexplained(struct predict *p, struct node *n)
{
	feature_set explained = wished_features(p, n) & ~p->f.lro,
		    is = n->w[GUESS].active & ~p->f.lro;

	n->off[GUESS] |= explained & ~is;
	n->off[LOW] |= explained & ~is;
	n->on = is & ~explained;
}

/* tun_net_fix_features(): what the owner of the tap set with TUNSETOFFLOAD. */
static void hide_tun(struct predict *p, struct node *n)
{
	const struct link_features *w = &n->w[GUESS];
	feature_set set = w->active & p->f.tun_user,
		    not_set = w->wanted & ~w->active & p->f.tun_user;

	n->off[HIGH] = not_set;
	n->off[LOW] = p->f.tun_user & ~set;
	n->off[GUESS] = set ? not_set : p->f.tun_user;
	hide_unexplained(p, n);
}

/* virtnet_set_features() asks the host for these two, which may refuse (qemu does without a backend
 * that knows segmentation), or not. A wish that was refused stays, and holds up every other change.
 */
static void hide_virtio(struct predict *p, struct node *n)
{
	feature_set asks = p->f.gro_hw | p->f.rxhash,
		    stuck = (wished_features(p, n) ^ n->w[GUESS].active) & asks;

	if (!stuck) {
		n->refuses[LOW] = asks;
		hide_unexplained(p, n);
		return;
	}
	n->refuses[GUESS] = n->refuses[HIGH] = stuck;
	n->refuses[LOW] = asks;
}

/* A device below that is in another namespace: what is off may be so because of it. */
static void hide_foreign_lower(struct predict *p, struct node *n)
{
	n->off[GUESS] = n->off[LOW] = ~n->w[GUESS].active & ~(p->f.soft | p->f.gso_software);
	hide_unexplained(p, n);
}

/* Construction. */

static void sets_resolve(const struct feature_table *table, unsigned release, struct sets *f)
{
#define X(field, name) f->field = feature_named(table, name);
	KERNEL_FEATURES(X)
#undef X
	f->csum_mask = f->ip_csum | f->ip6_csum | f->hw_csum;
	f->all_tso = f->tso | f->tso6 | f->tso_ecn | f->tso_mangleid;
	f->gso_software = f->all_tso | f->tso_accecn | f->sctp;
	/* "net: add GSO UDP L4 and GSO fraglists to the list of software-backed types", 5.11 */
	if (release >= RELEASE(5, 11, 0))
		f->gso_software |= f->uso | f->gso_list;
	f->gso_encap = f->gre | f->gre_csum | f->ipxip4 | f->ipxip6 | f->udp_tnl | f->udp_tnl_csum;
	f->gso_mask = f->gso_software | f->gso_encap | f->gso_robust | f->gso_partial | f->remcsum |
		      f->esp | f->uso | f->gso_list | f->fso;
	f->all_for_all = f->nocache_copy | f->fso;
	f->one_for_all =
		f->gso_software | f->gso_robust | f->sg | f->highdma | f->fraglist | f->challenged;
	f->soft = f->gso | f->gro;
	f->all_fcoe = f->fcoe_crc | f->fcoe_mtu | f->fso;
	f->tun_user = f->hw_csum | f->tso_ecn | f->tso | f->tso6;
	if (release >= RELEASE(6, 2, 0))
		f->tun_user |= f->uso;
	if (release >= RELEASE(6, 17, 0))
		f->tun_user |= f->udp_tnl | f->udp_tnl_csum;
	f->macvlan = f->sg | f->hw_csum | f->highdma | f->fraglist | f->gso | f->tso | f->lro |
		     f->tso_ecn | f->tso6 | f->gro | f->rxcsum | f->vlan_filter | f->stag_filter;
	f->macvlan_always =
		f->sg | f->hw_csum | f->gso_software | f->gso_robust | f->gso_encap | f->lltx;
	f->ipvlan = f->sg | f->hw_csum | f->highdma | f->fraglist | f->gso | f->all_tso |
		    f->gso_robust | f->gro | f->rxcsum | f->vlan_filter | f->stag_filter;
	f->ipvlan_always = f->macvlan_always | f->challenged;
	f->macsec = f->sg | f->highdma | f->fraglist;
	if (release >= RELEASE(6, 18, 0))
		f->macsec |= f->stag_filter | f->vlan_filter;
	f->macsec_offload = f->macsec | f->gso_software | f->soft | f->lro | f->rxhash |
			    f->csum_mask | f->rxcsum;
	f->master_vlan = f->hw_csum | f->sg | f->fraglist | f->gso_software | f->gso_encap |
			 f->highdma | f->lro;
	f->bridge_common = f->sg | f->fraglist | f->highdma | f->gso_mask | f->hw_csum;
}

/* netdev_fix_features() of net/core/dev.c, in its order. */
static void rules_build(struct predict *p)
{
	const struct sets *f = &p->f;
	const feature_set both = f->ip_csum | f->ip6_csum;
	const struct rule rules[] = {
		{ .bits = both, .none = f->hw_csum },
		{ .bits = f->all_tso, .all = f->sg },
		{ .bits = f->tso, .any = f->hw_csum | f->ip_csum, .drop = f->tso | f->tso_ecn },
		{ .bits = f->tso6, .any = f->hw_csum | f->ip6_csum },
		{ .bits = f->tso_mangleid, .all = f->tso },
		{ .bits = f->tso_ecn, .any = f->all_tso & ~f->tso_ecn },
		{ .bits = f->gso, .all = f->sg },
		{ .bits = f->gro_hw, .all = f->rxcsum },
		{ .bits = f->lro | f->gro_hw, .none = f->rxfcs },
		/* "net: Prevent HW-GRO and LRO features operate together" */
		{ .bits = f->lro, .none = f->gro_hw, .since = RELEASE(5, 12, 0) },
		/* "net: Disable NETIF_F_HW_TLS_TX when HW_CSUM is disabled" */
		{ .bits = f->tls_tx, .any = f->hw_csum, .both = both, .since = RELEASE(5, 11, 0) },
		{ .bits = f->tls_rx, .all = f->rxcsum },
		/* "net: Make USO depend on CSUM offload" */
		{ .bits = f->uso,
			.any = f->hw_csum,
			.both = both,
			.since = RELEASE(6, 11, 0),
			.perhaps = RELEASE(6, 6, 0) },
	};

	_Static_assert(ARRAY_SIZE(rules) <= RULES_MAX, "too many rules");
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		unsigned from = rules[i].perhaps ? rules[i].perhaps : rules[i].since;

		if (rules[i].bits && from <= p->release)
			p->rules[p->n_rules++] = rules[i];
	}
}

static int compare_ifindex(const void *a, const void *b)
{
	const struct node *x = a, *y = b;

	return (x->ifindex > y->ifindex) - (x->ifindex < y->ifindex);
}

static int node_index(const struct predict *p, const struct link *link)
{
	const struct node *n = link ? node_find(p, link->ifindex) : NULL;

	return n ? (int)(n - p->nodes) : -1;
}

static void nodes_fill(struct predict *p, const struct link_table *table)
{
	bool sorted = true;

	link_table_foreach (table, link) {
		struct node *n = &p->nodes[p->n_nodes++];

		n->ifindex = link->ifindex;
		n->model = model_of(link, p->n_nodes > 1 ? n[-1].model : NULL);
		n->lower = n->master = n->first_upper = n->next_upper = n->first_port =
			n->next_port = -1;
		for (int w = 0; w < WORLDS; w++)
			n->w[w] = link->features;
		sorted = sorted && (p->n_nodes == 1 || n[-1].ifindex < n->ifindex);
	}
	if (!sorted)
		qsort(p->nodes, (size_t)p->n_nodes, sizeof(*p->nodes), compare_ifindex);
	link_table_foreach (table, link) {
		struct node *n = node_find(p, link->ifindex), *other;
		int self = (int)(n - p->nodes);

		n->lower = node_index(p, link_lower(table, link));
		n->master = node_index(p, link_master(table, link));
		if (n->master == self)
			n->master = -1;
		other = node_at(p, n->lower);
		if (other) {
			n->next_upper = other->first_upper;
			other->first_upper = self;
		}
		other = node_at(p, n->master);
		if (other) {
			n->next_port = other->first_port;
			other->first_port = self;
		}
	}
}

static void hidden_learn(struct predict *p)
{
	for (int i = 0; i < p->n_nodes; i++)
		offer_of(p, &p->nodes[i]);
	p->world = GUESS;
	for (int i = 0; i < p->n_nodes; i++) {
		struct node *n = &p->nodes[i];

		if (n->model->linked && n->lower < 0)
			hide_foreign_lower(p, n);
		else if (n->model->hide)
			n->model->hide(p, n);
		else
			hide_unexplained(p, n);
	}
}

static unsigned release_parse(const char *release)
{
	unsigned major = 0, minor = 0, patch = 0;

	if (sscanf(release, "%4u.%4u.%4u", &major, &minor, &patch) < 2)
		return RELEASE(6, 12, 0);
	return RELEASE(major < 2048 ? major : 2047, minor < 1024 ? minor : 1023,
		patch < 1024 ? patch : 1023);
}

/* A kernel's sets and rules come out the same each time, and a host has one kernel: the last result
 * is kept. */
static void kernel_take(
	struct predict *p, const struct feature_table *features, const char *release)
{
	static struct {
		struct feature_table features;
		struct predict of; /* without nodes */
	} last;

	p->release = release_parse(release);
	if (last.of.release != p->release ||
		memcmp(&last.features, features, sizeof(*features)) != 0) {
		sets_resolve(features, p->release, &p->f);
		rules_build(p);
		last.features = *features;
		last.of = *p;
		last.of.nodes = NULL;
		return;
	}
	p->f = last.of.f;
	memcpy(p->rules, last.of.rules, sizeof(p->rules));
	p->n_rules = last.of.n_rules;
}

int predict_new(const struct feature_table *features, const struct link_table *table,
	const char *release, struct predict **ret)
{
	struct predict *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->nodes = calloc(link_table_count(table) + 1, sizeof(*p->nodes));
	if (!p->nodes) {
		free(p);
		return -ENOMEM;
	}
	kernel_take(p, features, release);
	nodes_fill(p, table);
	hidden_learn(p);
	*ret = p;
	return 0;
}

void predict_free(struct predict *p)
{
	if (!p)
		return;
	free(p->changes);
	free(p->nodes);
	free(p);
}

void predict_free_pointer(struct predict **p)
{
	predict_free(*p);
	*p = NULL;
}

int predict_set(struct predict *p, int ifindex, feature_set mask, feature_set value)
{
	struct node *n = node_find(p, ifindex);

	if (!n)
		return -ENODEV;
	if (mask & n->w[GUESS].nochange)
		return -EINVAL;
	p->n_changes = 0;
	for (p->world = GUESS; p->world < WORLDS; p->world++) {
		struct link_features *w = &n->w[p->world];
		feature_set asked = (w->wanted & ~mask) | (value & mask), before = w->active;

		/* ethnl_set_features(); the ioctl, used before 5.10, updates in any case. */
		if (asked == w->wanted && p->release >= RELEASE(5, 10, 0))
			continue;
		change(p, n)->wanted = (w->wanted & ~w->hw) | (asked & w->hw);
		update_features(p, n);
		if (w->active != before)
			features_change(p, n);
	}
	return p->failed ? -ENOMEM : 0;
}

void predict_undo(struct predict *p)
{
	while (p->n_changes > 0) {
		const struct change *last = &p->changes[--p->n_changes];

		p->nodes[last->node].w[last->world] = last->was;
	}
}

const struct link_features *predict_features(const struct predict *p, int ifindex)
{
	const struct node *n = node_find(p, ifindex);

	return n ? &n->w[GUESS] : NULL;
}

feature_set predict_uncertain(const struct predict *p, int ifindex)
{
	const struct node *n = node_find(p, ifindex);

	if (!n)
		return 0;
	return (n->w[HIGH].active ^ n->w[LOW].active) | (n->w[GUESS].active ^ n->w[LOW].active);
}

feature_set predict_vlan_features(const struct predict *p, int ifindex, feature_set *ret_known)
{
	const struct node *n = node_find(p, ifindex);

	*ret_known = n ? ~n->offer.unknown : 0;
	return n ? n->offer.on | n->offer.unknown : 0;
}

void predict_needs(const struct predict *p, unsigned bit, feature_set *ret_all,
	feature_set *ret_any, feature_set *ret_not)
{
	feature_set set = FEATURE(bit);

	*ret_all = *ret_any = *ret_not = 0;
	for (size_t i = 0; i < p->n_rules; i++) {
		const struct rule *r = &p->rules[i];

		if (!(set & r->bits) || r->since > p->release)
			continue;
		*ret_all |= r->all;
		*ret_any |= r->any | r->both;
		*ret_not |= r->none;
	}
}

feature_set predict_one_for_all(const struct predict *p)
{
	return p->f.one_for_all;
}

feature_set predict_software(const struct predict *p)
{
	return p->f.soft | p->f.gso_software;
}
