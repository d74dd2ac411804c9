/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The predictor from the ground up; each file uses those before it:
 *
 *   predict_kernel.c  what the core of a kernel knows of features
 *   predict_kind.c    kinds of links and drivers: ndo_fix_features(), vlan_features
 *   predict_wish.c    the features that a device asks for now: netdev_fix_features()
 *   predict_hidden.c  what user space cannot see, learned from what is on and off
 *   predict.c         a SET and all that follows from it */
#ifndef OFFLOADD_PREDICT_PRIVATE_H
#define OFFLOADD_PREDICT_PRIVATE_H

#include "plan/predict.h"

/* Some of what decides is hidden in the kernel (vlan_features of a device, the offloads that the
 * owner of a tap accepts, what a driver's fix_features() holds back). So every SET is carried out
 * in three worlds: with the best guess of the hidden bits, with all of them on, with all of them
 * off. What comes out the same in all three is certain. */
enum world { GUESS, HIGH, LOW, WORLDS };

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

/* What a kernel of one release does with the features that it has. Made once, and shared. */
struct kernel {
	unsigned references;
	struct feature_table features; /* this and the next are what it was made from */
	char release_text[65];
	unsigned release;
	struct sets f;
	struct rule rules[RULES_MAX];
	size_t n_rules;
	/* predict_needs() */
	feature_set all[FEATURE_MAX], any[FEATURE_MAX], none[FEATURE_MAX];
};

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
	bool outdated;     /* its last update did not see a device below it as it is now */
};

/* What a node was before the last SET changed it. */
struct change {
	int node;
	enum world world;
	struct link_features was;
};

struct predict {
	struct kernel *k;
	enum world world; /* the one that a SET is being carried out in */
	unsigned depth;
	struct node *nodes;
	int n_nodes;
	int *slots; /* a hash of ifindex, open: 1 + the number of a node, 0 */
	unsigned slots_mask;
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

/* Who else decides, where user space cannot look. */
enum hidden {
	HIDDEN_UNKNOWN,
	HIDDEN_TUN,    /* the owner of the tap */
	HIDDEN_VIRTIO, /* the host */
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
	enum hidden hidden;
};

static inline struct node *node_at(const struct predict *p, int i)
{
	return i < 0 ? NULL : &p->nodes[i];
}

static inline feature_set active(const struct predict *p, const struct node *n)
{
	return n->w[p->world].active;
}

/* xfrm_api_check() answers NETDEV_FEAT_CHANGE with NOTIFY_BAD when a device has ESP checksum offload
 * without ESP offload, and is called before the notifiers of every kind of link: uppers and master
 * of such a device do not hear of its changes. */
static inline bool is_mute(const struct predict *p, const struct node *n)
{
	return (active(p, n) & p->k->f.hw_esp_tx_csum) && !(active(p, n) & p->k->f.hw_esp);
}

/* predict_kernel.c: the rules of a kernel, NULL without memory; and arithmetic under the kernel's own names. */
struct kernel *predict_kernel_get(const struct feature_table *features, const char *release);
void predict_kernel_put(struct kernel *k); /* may be NULL */
feature_set predict_intersect(const struct sets *f, feature_set a, feature_set b);
feature_set predict_increment(
	const struct sets *f, feature_set all, feature_set one, feature_set mask);
feature_set predict_base(const struct sets *f, feature_set features);

/* hint: the model of a link that is likely of the same kind, may be NULL. */
const struct model *predict_model(const struct link *link, const struct model *hint);
struct offer predict_offer(struct predict *p, struct node *n);

/* netdev_get_wanted_features() to netdev_fix_features() in __netdev_update_features(). */
feature_set predict_wished(const struct predict *p, const struct node *n);

/* Learns the hidden state of all nodes. */
void predict_learn(struct predict *p);

#endif
