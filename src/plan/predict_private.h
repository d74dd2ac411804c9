/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of the predictor; each uses those above it:
 *
 *   predict_kernel.c  feature sets, and the dependencies of netdev_fix_features()
 *   predict_kind.c    kinds of links, and drivers: ndo_fix_features(), vlan_features
 *   predict_fix.c     the features that a device should have now
 *   predict_hidden.c  hidden kernel state, inferred from the features that are on
 *   predict.c         a SET and its consequences */
#ifndef OFFLOADD_PREDICT_PRIVATE_H
#define OFFLOADD_PREDICT_PRIVATE_H

#include "plan/predict.h"

/* Some of the state that decides is hidden in the kernel: vlan_features of a device, the offloads that the owner of a tap
 * accepts, what fix_features() of a driver removes. So every SET is executed in three worlds: with the best guess of the
 * hidden bits, with all of them on, and with all of them off. A result that is equal in all three is certain. */
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
	X(rx_udp_tnl, "rx-udp_tunnel-port-offload")                                                \
	X(rxcsum, "rx-checksum")                                                                   \
	X(rxhash, "rx-hashing")                                                                    \
	X(nocache_copy, "tx-nocache-copy")                                                         \
	X(rxfcs, "rx-fcs")                                                                         \
	X(tls_tx, "tls-hw-tx-offload")                                                             \
	X(tls_rx, "tls-hw-rx-offload")                                                             \
	X(gro_hw, "rx-gro-hw")                                                                     \
	X(ufo, "tx-udp-fragmentation")                                                             \
	X(hw_esp, "esp-hw-offload")                                                                \
	X(hw_esp_tx_csum, "esp-tx-csum-hw-offload")

/* Single features as this kernel numbers them (0: it does not have the feature), and the sets that its sources define: in
 * include/linux/netdev_features.h, and in the driver after which a set is named. */
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
	feature_set macsec, macsec_filters, macsec_offload;
	feature_set master_vlan, failover_vlan, bridge_common;
	feature_set receiving, checksum_tunnels;
};

/* One condition of netdev_fix_features(): if one of `bits` is on and the condition is not met, `drop` is turned off (0: bits). */
struct dependency {
	feature_set bits;
	feature_set all;  /* all of these are on */
	feature_set any;  /* one of these is on ... */
	feature_set both; /* ... or all of these (with `any` only) */
	feature_set none; /* none of these is on */
	feature_set drop;
	unsigned since;   /* the first release that certainly has this rule */
	unsigned perhaps; /* stable kernels from this release on may have it, 0: none */
	unsigned until;   /* the first release without it, 0: none */
};

#define RULES_MAX 16

/* The rules of one release for the features that it has. Created once, and shared. */
struct kernel {
	unsigned references;
	struct feature_table features; /* this and host identify it */
	struct rule_host host;
	unsigned release;
	struct sets f;
	struct dependency rules[RULES_MAX];
	size_t n_rules;
	/* for predict_needs(), by feature */
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
	/* Neighbours in the stack, as indexes of nodes; -1: none. */
	int lower, master, first_upper, next_upper, first_port, next_port;
	bool xdp;           /* it has an XDP program */
	enum { GRO_UNKNOWN, GRO_FREE, GRO_KEPT } gro; /* of a veth with an XDP program: does that keep GRO on? */
	int macsec_offload; /* as in struct link */
	struct link_features w[WORLDS], start;
	/* What hidden state keeps off, by world, and what it keeps on (except in LOW). */
	feature_set off[WORLDS], on;
	/* If one of these bits would change, the driver's ndo_set_features() fails, and nothing changes. */
	feature_set refuses[WORLDS];
	feature_set not_partial; /* bits that were on without gso_partial: they are not in gso_partial_features */
	struct offer offer;
	bool offer_done, offer_running;
	bool notifier_ctx; /* bond, team: inside their own notifier */
	bool outdated;     /* a device below has changed since its last update */
	bool updated;      /* predict_set() had its features computed */
	unsigned asked;    /* predict.questions at the last visit of doubts_at() */
};

/* The features of a node before the last SET changed them. */
struct change {
	int node;
	enum world world;
	struct link_features was;
};

struct predict {
	struct kernel *k;
	enum world world; /* the current one */
	unsigned depth;
	struct node *nodes;
	int n_nodes;
	int *slots; /* open-addressing hash table by ifindex: 1 + index of the node, 0: empty */
	unsigned slots_mask;
	struct change *changes; /* by the last SET */
	size_t n_changes;
	bool failed; /* out of memory for these */
	bool doubtful;	    /* there are nodes with doubtful bits, or with something unseen below */
	unsigned questions; /* calls of predict_uncertain() that looked for those */
	feature_set moved, moved_before; /* active bits that changed on any link; the same before the last SET */
};

enum reaction {
	REACT_NOT,
	REACT_UPDATE,  /* netdev_update_features(): notifies others if something changed */
	REACT_COMPUTE, /* netdev_change_features() with a guard against recursion: always notifies others */
};

enum partial {
	PARTIAL_NONE,
	PARTIAL_ENCAP,  /* gso_partial_features are the tunnels' segmentation */
	PARTIAL_MASTER, /* ESP, where netdev_compute_master_upper_features() sets it */
	PARTIAL_UNKNOWN,
};

/* Who decides, invisible to user space, which features are on. */
enum hidden {
	HIDDEN_NOBODY, /* all rules are known: what they do not explain is out of date, and ends with the next update */
	HIDDEN_DRIVER, /* its driver, or the owner of a macvtap */
	HIDDEN_TUN,    /* the owner of the tap */
	HIDDEN_VIRTIO, /* the host */
};

/* A kind of link, or a driver: its ndo_fix_features(), its reaction to NETDEV_FEAT_CHANGE of a port or a device below, its
 * vlan_features. */
struct model {
	const char *name;
	feature_set (*fix)(const struct predict *p, const struct node *n, feature_set features);
	/* When the device below has changed: true if this kernel sets *ret instead of computing features. May be NULL. */
	bool (*copy)(const struct predict *p, const struct node *n, feature_set *ret);
	struct offer (*offer)(struct predict *p, struct node *n); /* NULL: unknown */
	enum reaction reaction;
	bool linked; /* netdev_upper_dev_link() to the device below: LRO is synchronized with it */
	bool follows; /* `fix` depends on the device below ... */
	bool keeps_software; /* ... except for NETIF_F_SOFT_FEATURES and NETIF_F_GSO_SOFTWARE */
	bool imposes; /* ndo_set_features() makes its features the wanted ones of its ports: netvsc_set_features() */
	enum partial partial;
	unsigned reacts_since; /* release; 0: all */
	enum hidden hidden;
	/* A driver that was never compared with a prediction: the rules of netdev_fix_features() are used for it, and what was read in
	 * its source. It may turn nothing on that was off, and couple the features of receiving, of VLAN tags and of tunnels. */
	bool unmeasured;
	/* Older releases compute its features differently, and which one does what is not known: `doubtful` bits are uncertain. */
	unsigned known_since;
	feature_set (*doubtful)(const struct sets *f);
};

static inline struct node *node_at(const struct predict *p, int i)
{
	return i < 0 ? NULL : &p->nodes[i];
}

/* Is the device below, on which its features depend, in another network namespace? */
static inline bool is_below_unseen(const struct node *n)
{
	return n->model->follows && n->lower < 0;
}

static inline feature_set active(const struct predict *p, const struct node *n)
{
	return n->w[p->world].active;
}

/* Does the kernel do what `since` introduced? Where back-ports make that uncertain, only in the LOW world. */
static inline bool kernel_has(const struct predict *p, unsigned since)
{
	return p->k->release >= since || (p->k->host.backports && p->world == LOW);
}

/* xfrm_api_check() returns NOTIFY_BAD for NETDEV_FEAT_CHANGE if a device has ESP checksum offload without ESP offload. It is
 * called before the notifiers of all kinds of links, so the links above such a device are not notified of its changes. */
static inline bool is_mute(const struct predict *p, const struct node *n)
{
	return (active(p, n) & p->k->f.hw_esp_tx_csum) && !(active(p, n) & p->k->f.hw_esp);
}

/* predict_kernel.c: the rules of a kernel, NULL without memory. */
struct kernel *predict_kernel_get(const struct feature_table *features, const struct rule_host *host);
void predict_kernel_put(struct kernel *k); /* may be NULL */
/* netdev_intersect_features(), netdev_increment_features(), netdev_base_features(). */
feature_set predict_intersect(const struct sets *f, feature_set a, feature_set b);
feature_set predict_increment(
	const struct sets *f, feature_set all, feature_set one, feature_set mask);
feature_set predict_base(const struct sets *f, feature_set features);
/* These features, and all that netdev_fix_features() makes depend on one of them. */
feature_set predict_dependents(const struct kernel *k, feature_set features);

/* hint: the model of a link that probably has the same kind, or NULL. */
const struct model *predict_model(const struct link *link, const struct model *hint);
/* What the driver adds to the dependencies of netdev_fix_features(). */
feature_set predict_model_needs(const struct kernel *k, const struct model *m, unsigned bit);
struct predict_facts predict_model_facts(const struct sets *f, const struct model *m, const struct link_features *features);
/* vlan_features of a node, computed at the first call. */
struct offer predict_offer(struct predict *p, struct node *n);

/* The features that __netdev_update_features() would set: from netdev_get_wanted_features() to netdev_fix_features(). */
feature_set predict_fixed(const struct predict *p, const struct node *n);

/* These without what a link above forces off: netdev_sync_upper_features(). */
feature_set predict_synced(const struct predict *p, const struct node *n, feature_set features);

/* Infers the hidden state of all nodes. */
void predict_learn(struct predict *p);

#endif
