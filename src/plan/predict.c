/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/predict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plan/predict_private.h"
#include "basic/util.h"

/* Notifiers and netdev_sync_lower_features() recurse through the stack. A table that was read during changes may contain a loop. */
#define DEPTH_MAX 64

/* The slot of the node, or the empty one where it would be inserted. */
static int *slot_of(const struct predict *p, int ifindex)
{
	unsigned i = (unsigned)ifindex * 2654435761u >> 7; /* Knuth's multiplicative hash */

	for (;; i++) {
		int *slot = &p->slots[i & p->slots_mask];

		if (*slot == 0 || p->nodes[*slot - 1].ifindex == ifindex)
			return slot;
	}
}

static struct node *node_find(const struct predict *p, int ifindex)
{
	return node_at(p, *slot_of(p, ifindex) - 1);
}

/* Saves the features of a node for predict_undo(), and returns them to be changed. */
static struct link_features *change(struct predict *p, struct node *n)
{
	struct link_features *w = &n->w[p->world];

	if (GROW(p->changes, p->n_changes))
		p->changes[p->n_changes++] = (struct change){ .node = (int)(n - p->nodes), .world = p->world, .was = *w };
	else
		p->failed = true;
	return w;
}

static bool update_features(struct predict *p, struct node *n);
static void features_change(struct predict *p, struct node *n);

/* netdev_sync_lower_features() */
static void sync_lower_features(struct predict *p, struct node *lower, feature_set features)
{
	if ((features & p->k->f.lro) || !(active(p, lower) & p->k->f.lro))
		return;
	change(p, lower)->wanted &= ~p->k->f.lro;
	update_features(p, lower);
	if (!(active(p, lower) & p->k->f.lro))
		features_change(p, lower);
}

/* __netdev_update_features(); true if the features changed. */
static bool update_features(struct predict *p, struct node *n)
{
	feature_set features;
	bool changed;

	if (p->depth >= DEPTH_MAX)
		return false;
	p->depth++;
	n->updated = true;
	features = predict_synced(p, n, predict_fixed(p, n));
	if ((features ^ active(p, n)) & n->refuses[p->world]) {
		p->depth--;
		return true; /* as in the kernel, others are notified although nothing changed */
	}
	changed = features != active(p, n);
	for (struct node *port = node_at(p, n->model->imposes && changed ? n->first_port : -1); port;
		port = node_at(p, port->next_port)) {
		change(p, port)->wanted = features;
		if (update_features(p, port))
			features_change(p, port);
	}
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
	feature_set copy;

	if (!kernel_has(p, n->model->reacts_since))
		return;
	switch (n->model->reaction) {
	case REACT_NOT:
		break;
	case REACT_UPDATE:
		if (n->model->copy && n->model->copy(p, n, &copy)) {
			n->updated = true;
			change(p, n)->active = copy;
			features_change(p, n);
		} else if (update_features(p, n))
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

/* netdev_features_change(): NETDEV_FEAT_CHANGE to the links on the device and to its master. */
static void features_change(struct predict *p, struct node *n)
{
	if (p->depth >= DEPTH_MAX || is_mute(p, n))
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

static int node_index(const struct predict *p, const struct link *link)
{
	return link ? *slot_of(p, link->ifindex) - 1 : -1;
}

static void node_add(struct predict *p, const struct link *link)
{
	struct node *n = &p->nodes[p->n_nodes++];

	*slot_of(p, link->ifindex) = p->n_nodes;
	n->ifindex = link->ifindex;
	n->model = predict_model(link, p->n_nodes > 1 ? n[-1].model : NULL);
	n->lower = n->master = n->first_upper = n->next_upper = n->first_port = n->next_port = -1;
	n->xdp = link->xdp;
	n->macsec_offload = link->macsec_offload;
	for (int w = 0; w < WORLDS; w++)
		n->w[w] = link->features;
	n->start = link->features;
}

static void node_join(struct predict *p, int self, const struct link_table *table,
	const struct link *link)
{
	struct node *n = &p->nodes[self], *other;

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

static int nodes_fill(struct predict *p, const struct link_table *table, struct link *const *links,
	size_t n)
{
	unsigned room = 16;

	while (room < 2 * n)
		room *= 2;
	p->slots_mask = room - 1;
	p->slots = calloc(room, sizeof(*p->slots));
	p->nodes = calloc(n + 1, sizeof(*p->nodes));
	if (!p->slots || !p->nodes)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		node_add(p, links[i]);
	for (size_t i = 0; i < n; i++)
		node_join(p, (int)i, table, links[i]);
	return 0;
}

int predict_new_of(const struct feature_table *features, const struct link_table *table,
	struct link *const *links, size_t n, const struct rule_host *host, struct predict **ret)
{
	struct predict *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	p->k = predict_kernel_get(features, host);
	r = p->k ? nodes_fill(p, table, links, n) : -ENOMEM;
	if (r < 0) {
		predict_free(p);
		return r;
	}
	predict_learn(p);
	*ret = p;
	return 0;
}

int predict_new(const struct feature_table *features, const struct link_table *table,
	const struct rule_host *host, struct predict **ret)
{
	_cleanup_free_ struct link **links = calloc(link_table_count(table) + 1, sizeof(*links));
	size_t n = 0;

	if (!links)
		return -ENOMEM;
	link_table_foreach (table, link)
		links[n++] = link;
	return predict_new_of(features, table, links, n, host, ret);
}

void predict_free(struct predict *p)
{
	if (!p)
		return;
	free(p->changes);
	predict_kernel_put(p->k);
	free(p->slots);
	free(p->nodes);
	free(p);
}

static int finish(struct predict *p)
{
	p->moved_before = p->moved;
	for (size_t i = 0; i < p->n_changes; i++)
		p->moved |= p->changes[i].was.active ^ p->nodes[p->changes[i].node].w[p->changes[i].world].active;
	return p->failed ? -ENOMEM : 0;
}

static void update_and_notify(struct predict *p, struct node *n)
{
	feature_set before = active(p, n);

	update_features(p, n);
	if (active(p, n) != before)
		features_change(p, n);
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
		feature_set asked = (w->wanted & ~mask) | (value & mask);

		/* As ethnl_set_features(). The ioctl, used before 5.10, updates in any case. */
		if (asked == w->wanted && p->k->release >= RELEASE(5, 10, 0))
			continue;
		change(p, n)->wanted = (w->wanted & ~w->hw) | (asked & w->hw);
		update_and_notify(p, n);
	}
	return finish(p);
}

int predict_recompute(struct predict *p, int ifindex)
{
	struct node *n = node_find(p, ifindex);

	if (!n)
		return -ENODEV;
	p->n_changes = 0;
	for (p->world = GUESS; p->world < WORLDS; p->world++)
		update_and_notify(p, n);
	return finish(p);
}

void predict_undo(struct predict *p)
{
	p->moved = p->moved_before;
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

/* Which features a driver couples is not known if predictions were never compared with it: in others, one of these features decides
 * about more of them. */
static feature_set doubt_coupled(const struct predict *p, const struct node *n)
{
	const struct sets *f = &p->k->f;
	const struct link_features *now = &n->w[GUESS];
	feature_set moved = (n->start.active ^ now->active) | (n->start.wanted ^ now->wanted);

	/* "features &= ~NETIF_F_CSUM_MASK" without NETIF_F_RXCSUM: ibmveth_fix_features(). Tunnels as the checksum: xgbe_fix_features() */
	return (moved & f->receiving ? f->receiving : 0) | (moved & f->rxcsum ? f->csum_mask : 0) |
		(moved & (f->csum_mask | f->checksum_tunnels) ? f->checksum_tunnels : 0);
}

/* The oldest enterprise kernels have the sets of features of some later release (NETIF_F_GSO_SOFTWARE, and those of each kind of
 * link), which is not known. */
static bool has_unknown_sets(const struct predict *p)
{
	return p->k->host.backports && p->k->release < RELEASE(5, 11, 0);
}

/* The doubtful bits of a node, and of what it is stacked on, if those were updated. Each node is asked once. */
static feature_set doubts_at(const struct predict *p, struct node *n)
{
	const struct model *m = n->model;
	feature_set doubts = n->updated && m->doubtful && p->k->release < m->known_since ? m->doubtful(&p->k->f) : 0;

	if (n->asked == p->questions)
		return 0;
	n->asked = p->questions;
	if (m->unmeasured)
		doubts |= doubt_coupled(p, n);
	if (has_unknown_sets(p) && m->fix && (n->updated || p->moved))
		doubts = ~UINT64_C(0);
	/* what is below it and not seen may be stacked on a link that was changed */
	if (is_below_unseen(n))
		doubts |= p->moved & p->k->f.csum_mask ? p->moved | p->k->f.csum_mask : p->moved;
	if (n->lower >= 0)
		doubts |= doubts_at(p, node_at(p, n->lower));
	for (struct node *port = node_at(p, n->first_port); port; port = node_at(p, port->next_port))
		doubts |= doubts_at(p, port);
	return doubts;
}

feature_set predict_uncertain(struct predict *p, int ifindex)
{
	struct node *n = node_find(p, ifindex);
	feature_set doubts = 0;

	if (!n)
		return 0;
	if (p->doubtful) {
		p->questions++;
		doubts = predict_dependents(p->k, doubts_at(p, n)) & (n->w[GUESS].hw | n->w[GUESS].active | n->start.active);
	}
	return doubts | (n->w[HIGH].active ^ n->w[LOW].active) | (n->w[GUESS].active ^ n->w[LOW].active) |
		(n->w[HIGH].wanted ^ n->w[LOW].wanted) | (n->w[GUESS].wanted ^ n->w[LOW].wanted);
}

bool predict_is_unmeasured(const struct predict *p, int ifindex)
{
	const struct node *n = node_find(p, ifindex);

	return n && n->model->unmeasured;
}

feature_set predict_vlan_features(const struct predict *p, int ifindex, feature_set *ret_known)
{
	const struct node *n = node_find(p, ifindex);

	*ret_known = n ? ~n->offer.unknown : 0;
	return n ? n->offer.on | n->offer.unknown : 0;
}

void predict_needs(const struct predict *p, const struct link *link, unsigned bit, feature_set *ret_all,
	feature_set *ret_any, feature_set *ret_not)
{
	*ret_all = p->k->all[bit];
	if (link && link_is_kind(link, "physical")) /* drivers of cards only; looked up for every feature of every link */
		*ret_all |= predict_model_needs(p->k, predict_model(link, NULL), bit);
	*ret_any = p->k->any[bit];
	*ret_not = p->k->none[bit];
}

struct predict_facts predict_facts(const struct predict *p, const struct link *link)
{
	return predict_model_facts(&p->k->f, predict_model(link, NULL), &link->features);
}

feature_set predict_withheld(const struct predict *p, int ifindex)
{
	const struct node *n = node_find(p, ifindex);

	return n ? n->off[GUESS] & ~n->w[GUESS].active : 0;
}

struct predict_sets predict_sets(const struct predict *p)
{
	const struct sets *f = &p->k->f;

	return (struct predict_sets){
		.one_for_all = f->one_for_all,
		.software = f->soft | f->gso_software,
		.generic_checksum = f->hw_csum,
		.checksums = f->csum_mask,
		.upper_disables = f->lro,
		.work = f->gso_mask | f->csum_mask | f->sg | f->hw_esp | f->hw_esp_tx_csum,
	};
}
