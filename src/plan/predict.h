/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Predicts the result of a SET request on a copy of the links: the dependencies between features (netdev_fix_features()), the
 * rules of each kind of link (vlan, bond, bridge, macvlan, ...), and the cascade to the links above and below
 * (__netdev_update_features() and the notifiers), as in the kernel of the given release. Pure. */
#ifndef OFFLOADD_PREDICT_H
#define OFFLOADD_PREDICT_H

#include "basic/util.h"
#include "model/feature.h"
#include "model/link.h"
#include "rules/rule.h"

struct predict;

/* Copies all links of table. host: its kernel; a release of an unknown format counts as 6.12. Returns 0 or -ENOMEM.
 * predict_free() *ret. */
int predict_new(const struct feature_table *features, const struct link_table *table,
	const struct rule_host *host, struct predict **ret);
/* The same for n links, which must include every link stacked with one of them: link_table_related(). */
int predict_new_of(const struct feature_table *features, const struct link_table *table,
	struct link *const *links, size_t n, const struct rule_host *host, struct predict **ret);
void predict_free(struct predict *p);
CLEANUP_POINTER(struct predict, predict_free)

/* Executes one SET in the copy, with all consequences. Returns 0; -ENODEV if there is no such link; -EINVAL if mask has a
 * feature that never changes; -ENOMEM. */
int predict_set(struct predict *p, int ifindex, feature_set mask, feature_set value);

/* The same for a request that has the kernel compute the features again although it changes none (ethtool_features_recompute()),
 * which brings them up to date. */
int predict_recompute(struct predict *p, int ifindex);

/* Undoes the last predict_set() or predict_recompute(). */
void predict_undo(struct predict *p);

/* The features of a link in the copy; NULL if there is no such link. Valid until predict_free(); predict_set() changes it. */
const struct link_features *predict_features(const struct predict *p, int ifindex);

/* The bits of a link, active or wanted, that depend on kernel state which user space cannot read, such as vlan_features of a
 * device without VLANs, or on a driver that was never compared with a prediction. A wanted bit can depend on it, too: where the
 * kernel turns LRO off, it clears the wanted bit (netdev_sync_lower_features()). */
feature_set predict_uncertain(struct predict *p, int ifindex);

/* Was the driver of the link never compared with a prediction? Then the rules of the kernel and of other drivers are used for it. */
bool predict_is_unmeasured(const struct predict *p, int ifindex);

/* The features that a device offers to VLANs on it (vlan_features), those of unknown bits included. *ret_known: the bits that
 * are known. */
feature_set predict_vlan_features(const struct predict *p, int ifindex, feature_set *ret_known);

/* The features of the same link on which `bit` depends: all of *ret_all must be on, one of *ret_any unless that is empty, and
 * none of *ret_not. From netdev_fix_features() and the driver's ndo_fix_features(). link: NULL for those of every link. */
void predict_needs(const struct predict *p, const struct link *link, unsigned bit, feature_set *ret_all,
	feature_set *ret_any, feature_set *ret_not);

/* What is known of a link beyond its features. Needs no copy of the link. */
struct predict_facts {
	feature_set coupled;  /* the driver has one switch for these: they are all on or all off */
	feature_set copied;   /* follow the link below, although the link cannot change them itself */
	feature_set peer_xdp; /* off because the peer has an XDP program */
	feature_set owner;    /* the owner of the tap decides, or the host */
};
struct predict_facts predict_facts(const struct predict *p, const struct link *link);

/* Driver i of those whose source is known, NULL after the last. Static. */
const char *predict_driver(size_t i);

/* The features of a link in the copy that its owner, driver or host keeps off, as far as can be inferred: requested, not active,
 * and nothing else explains it. */
feature_set predict_withheld(const struct predict *p, int ifindex);

struct predict_sets {
	feature_set one_for_all; /* a bond, bridge or team has it if one port has it: NETIF_F_ONE_FOR_ALL */
	feature_set software;    /* a VLAN has it whatever the device below offers: NETIF_F_SOFT_FEATURES, NETIF_F_GSO_SOFTWARE */
	feature_set generic_checksum, checksums; /* NETIF_F_HW_CSUM, NETIF_F_CSUM_MASK */
	feature_set upper_disables; /* NETIF_F_UPPER_DISABLES */
	feature_set work; /* the CPU does the work for a link without it: segmentation, checksums, encryption, copies */
};
/* The sets that include/linux/netdev_features.h defines, as this kernel numbers the features. */
struct predict_sets predict_sets(const struct predict *p);

#endif
