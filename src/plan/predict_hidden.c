/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/predict_private.h"

/* What the rules do not explain is assumed to be kept by hidden state, permanently; unless a device below changed without a
 * notification, because then the next update may correct it. LRO is skipped: a link that was stacked above later affects it
 * only at the next update. */
static void hide_unexplained(struct predict *p, struct node *n)
{
	feature_set explained = predict_fixed(p, n) & ~p->k->f.lro,
		    is = n->w[GUESS].active & ~p->k->f.lro;

	if (!n->outdated)
		n->off[GUESS] |= explained & ~is;
	n->off[LOW] |= explained & ~is;
	n->on = is & ~explained;
}

/* tun_net_fix_features(): limited to what the owner of the tap set by TUNSETOFFLOAD. */
static void hide_tun(struct predict *p, struct node *n)
{
	const struct link_features *w = &n->w[GUESS];
	feature_set set = w->active & p->k->f.tun_user,
		    not_set = w->wanted & ~w->active & p->k->f.tun_user;

	n->off[HIGH] = not_set;
	n->off[LOW] = p->k->f.tun_user & ~set;
	n->off[GUESS] = set ? not_set : p->k->f.tun_user;
	hide_unexplained(p, n);
}

/* virtnet_set_features() requests these two from the host, which may refuse: qemu does if its backend does not support
 * segmentation. The refused value stays wanted, and makes every other change fail. */
static void hide_virtio(struct predict *p, struct node *n)
{
	feature_set asks = p->k->f.gro_hw | p->k->f.rxhash,
		    stuck = (predict_fixed(p, n) ^ n->w[GUESS].active) & asks;

	if (!stuck) {
		n->refuses[LOW] = asks;
		hide_unexplained(p, n);
		return;
	}
	n->refuses[GUESS] = n->refuses[HIGH] = stuck;
	n->refuses[LOW] = asks;
}

/* The device below is in another network namespace: what is wanted and off, something there keeps off. Whether more can be on
 * is not known. A macvlan or ipvlan has GSO, GRO and RX checksum as that device has them, requested or not. */
static void hide_foreign_lower(struct predict *p, struct node *n)
{
	const struct sets *f = &p->k->f;
	feature_set is = n->w[GUESS].active;

	n->off[LOW] |= ~is & ~(n->model->keeps_software ? f->soft | f->gso_software : 0);
	hide_unexplained(p, n);
	if (!n->model->keeps_software)
		n->on |= is & ~(f->one_for_all | f->csum_mask);
}

/* A bit that is on while gso_partial is off does not depend on it: fix_features() would have turned it off. */
static void learn_partial(struct predict *p, struct node *n)
{
	if (!(n->w[GUESS].active & p->k->f.gso_partial))
		n->not_partial = n->w[GUESS].active;
}

/* A link above that is in another network namespace is not seen, and may force LRO off below it. */
static void hide_lro(struct predict *p, struct node *n)
{
	feature_set explained = predict_synced(p, n, predict_fixed(p, n));

	n->off[LOW] |= p->k->f.lro;
	n->off[GUESS] |= explained & ~n->w[GUESS].active & p->k->f.lro;
}

/* A driver that was never compared may not turn on what is off. GSO is the kernel's own; doubt_coupled() doubts GRO. */
static void hide_unmeasured(struct predict *p, struct node *n)
{
	n->off[LOW] |= ~n->w[GUESS].active & ~p->k->f.soft;
}

static void learn_gro(struct predict *p, struct node *n)
{
	if (!(n->w[GUESS].active & p->k->f.gro))
		n->gro = GRO_FREE;
	else if (!(n->w[GUESS].wanted & p->k->f.gro))
		n->gro = GRO_KEPT;
}

static void outdate_above(struct predict *p, const struct node *n);

static void outdate(struct predict *p, struct node *n)
{
	if (!n || n->outdated)
		return;
	n->outdated = true;
	outdate_above(p, n);
}

static void outdate_above(struct predict *p, const struct node *n)
{
	outdate(p, node_at(p, n->master));
	for (struct node *upper = node_at(p, n->first_upper); upper;
		upper = node_at(p, upper->next_upper))
		outdate(p, upper);
}

void predict_learn(struct predict *p)
{
	p->world = GUESS;
	for (int i = 0; i < p->n_nodes; i++)
		if (is_mute(p, &p->nodes[i]))
			outdate_above(p, &p->nodes[i]);
	for (int i = 0; i < p->n_nodes; i++)
		predict_offer(p, &p->nodes[i]);
	for (int i = 0; i < p->n_nodes; i++) {
		struct node *n = &p->nodes[i];

		learn_partial(p, n);
		learn_gro(p, n);
		hide_lro(p, n);
		p->doubtful |= n->model->known_since > p->k->release || is_below_unseen(n) || n->model->unmeasured ||
			p->k->host.backports;
		if (n->model->unmeasured)
			hide_unmeasured(p, n);
		if (is_below_unseen(n)) {
			hide_foreign_lower(p, n);
			continue;
		}
		switch (n->model->hidden) {
		case HIDDEN_NOBODY:
			break;
		case HIDDEN_DRIVER:
			hide_unexplained(p, n);
			break;
		case HIDDEN_TUN:
			hide_tun(p, n);
			break;
		case HIDDEN_VIRTIO:
			hide_virtio(p, n);
			break;
		}
	}
}
