/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/predict_private.h"
#include "basic/util.h"

feature_set predict_intersect(const struct sets *f, feature_set a, feature_set b)
{
	if ((a ^ b) & f->hw_csum) {
		if (a & f->hw_csum)
			a |= f->ip_csum | f->ip6_csum;
		else
			b |= f->ip_csum | f->ip6_csum;
	}
	return a & b;
}

feature_set predict_increment(
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

feature_set predict_base(const struct sets *f, feature_set features)
{
	return (features & ~f->one_for_all) | f->all_for_all;
}

static void sets_resolve(const struct feature_table *table, unsigned release, bool backports, struct sets *f)
{
#define X(field, name) f->field = feature_named(table, name);
	KERNEL_FEATURES(X)
#undef X
	f->csum_mask = f->ip_csum | f->ip6_csum | f->hw_csum;
	f->all_tso = f->tso | f->tso6 | f->tso_ecn | f->tso_mangleid;
	/* "net: Remove UFO", 4.14 */
	if (release >= RELEASE(4, 14, 0))
		f->ufo = 0;
	f->gso_software = f->all_tso | f->tso_accecn | f->sctp | f->ufo;
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
	if (release >= RELEASE(6, 2, 0) || backports)
		f->tun_user |= f->uso;
	if (release >= RELEASE(6, 17, 0) || backports)
		f->tun_user |= f->udp_tnl | f->udp_tnl_csum;
	f->macvlan = f->sg | f->hw_csum | f->highdma | f->fraglist | f->gso | f->tso | f->ufo | f->lro |
		     f->tso_ecn | f->tso6 | f->gro | f->rxcsum | f->vlan_filter | f->stag_filter;
	f->macvlan_always =
		f->sg | f->hw_csum | f->gso_software | f->gso_robust | f->gso_encap | f->lltx;
	f->ipvlan = f->sg | f->hw_csum | f->highdma | f->fraglist | f->gso | f->all_tso | f->ufo |
		    f->gso_robust | f->gro | f->rxcsum | f->vlan_filter | f->stag_filter;
	f->ipvlan_always = f->macvlan_always | f->challenged;
	f->macsec = f->sg | f->highdma | f->fraglist;
	f->macsec_filters = f->stag_filter | f->vlan_filter;
	f->macsec_offload = f->macsec | f->gso_software | f->soft | f->lro | f->rxhash |
			    f->csum_mask | f->rxcsum;
	f->master_vlan = f->hw_csum | f->sg | f->fraglist | f->gso_software | f->gso_encap |
			 f->highdma | f->lro;
	f->failover_vlan = f->hw_csum | f->sg | f->fraglist | f->all_tso | f->highdma | f->lro;
	f->receiving = f->rxcsum | f->rxhash | f->rxfcs | f->lro | f->gro | f->gro_hw | f->vlan_rx | f->vlan_tx | f->vlan_filter |
		f->stag_rx | f->stag_tx | f->stag_filter;
	f->checksum_tunnels = f->gso_encap | f->rx_udp_tnl;
	f->bridge_common = f->sg | f->fraglist | f->highdma | f->gso_mask | f->hw_csum;
}

/* netdev_fix_features() of net/core/dev.c, in its order. */
static void rules_build(struct kernel *k)
{
	const struct sets *f = &k->f;
	const feature_set both = f->ip_csum | f->ip6_csum;
	const enum rule_trial udp = k->host.udp_needs_checksum;
	const struct dependency rules[] = {
		{ .bits = both, .none = f->hw_csum },
		{ .bits = f->all_tso, .all = f->sg },
		{ .bits = f->tso, .any = f->hw_csum | f->ip_csum, .drop = f->tso | f->tso_ecn },
		{ .bits = f->tso6, .any = f->hw_csum | f->ip6_csum },
		{ .bits = f->tso_mangleid, .all = f->tso },
		{ .bits = f->tso_ecn, .any = f->all_tso & ~f->tso_ecn },
		{ .bits = f->ufo, .all = f->sg, .any = f->hw_csum, .both = both, .until = RELEASE(4, 14, 0) },
		{ .bits = f->gso, .all = f->sg },
		{ .bits = f->gro_hw, .all = f->rxcsum },
		/* "net: Make RX-FCS and LRO mutually exclusive", and the same for HW-GRO */
		{ .bits = f->lro | f->gro_hw, .none = f->rxfcs, .since = RELEASE(4, 19, 0), .perhaps = RELEASE(4, 0, 0) },
		/* "net: Prevent HW-GRO and LRO features operate together" */
		{ .bits = f->lro, .none = f->gro_hw, .since = RELEASE(5, 12, 0) },
		/* "net: Disable NETIF_F_HW_TLS_TX when HW_CSUM is disabled" */
		{ .bits = f->tls_tx, .any = f->hw_csum, .both = both, .since = RELEASE(5, 11, 0) },
		{ .bits = f->tls_rx, .all = f->rxcsum },
		/* "net: Make USO depend on CSUM offload" */
		{ .bits = f->uso,
			.any = f->hw_csum,
			.both = both,
			.since = udp == TRIAL_YES ? 0 : RELEASE(6, 11, 0),
			.perhaps = RELEASE(6, 6, 0),
			.until = udp == TRIAL_NO ? 1 : 0 },
	};

	_Static_assert(ARRAY_SIZE(rules) <= RULES_MAX, "too many rules");
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		unsigned from = rules[i].perhaps && rules[i].since ? rules[i].perhaps : rules[i].since;

		if (rules[i].bits && (from <= k->release || k->host.backports) && (!rules[i].until || k->release < rules[i].until))
			k->rules[k->n_rules++] = rules[i];
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

static void needs_build(struct kernel *k)
{
	unsigned bit;

	for (size_t i = 0; i < k->n_rules; i++) {
		const struct dependency *r = &k->rules[i];

		if (r->since > k->release)
			continue;
		feature_foreach (bit, r->bits) {
			k->all[bit] |= r->all;
			k->any[bit] |= r->any | r->both;
			k->none[bit] |= r->none;
		}
	}
}

static struct kernel *kernel_new(const struct feature_table *features, const struct rule_host *host)
{
	struct kernel *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->references = 1;
	k->features = *features;
	k->host = *host;
	k->release = release_parse(host->kernel_release);
	sets_resolve(features, k->release, host->backports, &k->f);
	rules_build(k);
	needs_build(k);
	return k;
}

feature_set predict_dependents(const struct kernel *k, feature_set features)
{
	feature_set before;

	do {
		before = features;
		for (size_t i = 0; i < k->n_rules; i++) {
			const struct dependency *r = &k->rules[i];

			if (features & (r->all | r->any | r->both | r->none))
				features |= r->drop ? r->drop : r->bits;
		}
	} while (features != before);
	return features;
}

static bool is_made_from(
	const struct kernel *k, const struct feature_table *features, const struct rule_host *host)
{
	return strcmp(k->host.kernel_release, host->kernel_release) == 0 && k->host.backports == host->backports &&
	       k->host.udp_needs_checksum == host->udp_needs_checksum &&
	       memcmp(&k->features, features, sizeof(*features)) == 0;
}

struct kernel *predict_kernel_get(const struct feature_table *features, const struct rule_host *host)
{
	static struct kernel *last; /* a host has one */

	if (!last || !is_made_from(last, features, host)) {
		predict_kernel_put(last);
		last = kernel_new(features, host);
		if (!last)
			return NULL;
	}
	last->references++;
	return last;
}

void predict_kernel_put(struct kernel *k)
{
	if (k && --k->references == 0)
		free(k);
}
