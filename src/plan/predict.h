/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel makes of a SET: the dependencies of netdev_fix_features(), the rules of each kind
 * of link (vlan, bond, bridge, macvlan, ...), and the cascade to uppers and lowers, as
 * __netdev_update_features() and the notifiers do it; on a copy of the model. Pure. Which kernel's
 * rules: by release. */
#ifndef OFFLOADD_PREDICT_H
#define OFFLOADD_PREDICT_H

#include "basic/util.h"
#include "model/feature.h"
#include "model/link.h"

struct predict;

/* Works on its own copy of the table. release: uname -r. 0 or -ENOMEM. */
int predict_new(const struct feature_table *features, const struct link_table *table,
	const char *release, struct predict **ret);
/* Of these links alone, with all that they are connected with among them (link_table_related()). */
int predict_new_of(const struct feature_table *features, const struct link_table *table,
	struct link *const *links, size_t n, const char *release, struct predict **ret);
void predict_free(struct predict *p);
CLEANUP_POINTER(struct predict, predict_free)

/* Carries out one SET in the copy, with all that follows from it. -ENODEV when there is no such
 * link, -ENOMEM. */
int predict_set(struct predict *p, int ifindex, feature_set mask, feature_set value);

/* Takes the last predict_set() back. */
void predict_undo(struct predict *p);

/* The state of one link as it is now in the copy; NULL when there is no such link. */
const struct link_features *predict_features(const struct predict *p, int ifindex);

/* Bits of its active set that rest on something that user space cannot know before trying
 * (vlan_features of a lower for which no other VLAN tells). */
feature_set predict_uncertain(const struct predict *p, int ifindex);

/* What a device offers to VLANs on top of it, as far as known: *ret_known are the bits that are
 * certain. */
feature_set predict_vlan_features(const struct predict *p, int ifindex, feature_set *ret_known);

/* Which feature of the same link must be on for `bit` to be on (all of *ret_all, and one of
 * *ret_any when that is not empty), and which must be off (*ret_not): netdev_fix_features(). */
void predict_needs(const struct predict *p, unsigned bit, feature_set *ret_all,
	feature_set *ret_any, feature_set *ret_not);

struct predict_sets {
	feature_set one_for_all; /* a bond, bridge or team has it when one of its ports has: NETIF_F_ONE_FOR_ALL */
	feature_set software;    /* a VLAN keeps it whatever the device below offers: NETIF_F_SOFT_FEATURES, NETIF_F_GSO_SOFTWARE */
	feature_set generic_checksum, checksums; /* NETIF_F_HW_CSUM, NETIF_F_CSUM_MASK */
	feature_set upper_disables; /* NETIF_F_UPPER_DISABLES */
};
struct predict_sets predict_sets(const struct predict *p);

#endif
