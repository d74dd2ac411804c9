/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/predict_private.h"

static bool rule_holds(const struct dependency *r, feature_set features)
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
		partial = n->w[GUESS].hw & p->k->f.gso_partial ? p->k->f.gso_encap : 0;
		break;
	case PARTIAL_MASTER:
		/* bond: from stable kernels 6.12 on; team and bridge: from 6.18 on. There a bond always has GSO_PARTIAL, and a
		 * bridge that never had a port has no gso_partial_features. */
		partial = kernel_has(p, RELEASE(6, 18, 0)) && n->first_port >= 0 ? p->k->f.esp : 0;
		break;
	case PARTIAL_UNKNOWN:
		partial = p->world == HIGH ? 0 : p->k->f.gso_encap & n->w[GUESS].hw & ~n->not_partial;
		break;
	}
	return features & p->k->f.gso_partial ? features : features & ~partial;
}

static feature_set fix_features(const struct predict *p, const struct node *n, feature_set features)
{
	for (size_t i = 0; i < p->k->n_rules; i++) {
		const struct dependency *r = &p->k->rules[i];

		if (r->since > p->k->release && p->world != LOW) /* perhaps */
			continue;
		if ((features & r->bits) && !rule_holds(r, features))
			features &= ~(r->drop ? r->drop : r->bits);
	}
	return fix_partial(p, n, features);
}

feature_set predict_fixed(const struct predict *p, const struct node *n)
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
feature_set predict_synced(
	const struct predict *p, const struct node *n, feature_set features)
{
	const struct node *master = node_at(p, n->master);

	if (!(features & p->k->f.lro))
		return features;
	for (const struct node *upper = node_at(p, n->first_upper); upper;
		upper = node_at(p, upper->next_upper))
		if (upper->model->linked && !(upper->w[p->world].wanted & p->k->f.lro))
			features &= ~p->k->f.lro;
	if (master && !(master->w[p->world].wanted & p->k->f.lro))
		features &= ~p->k->f.lro;
	return features;
}
