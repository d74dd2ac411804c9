/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between plan.c (links, steps, the plan), plan_resolve.c (what a rule asks for comes to), plan_cause.c
 * (verdicts and causes) and explain.c (chains of causes). */
#ifndef OFFLOADD_PLAN_PRIVATE_H
#define OFFLOADD_PLAN_PRIVATE_H

#include "plan/plan.h"
#include "plan/predict.h"

struct could; /* plan_resolve.c */

/* What goes on while a plan is made. */
struct planner {
	const struct plan_context *context;
	struct link_table *table;
	struct link **concerned; /* the links to plan for, and all that these are connected with */
	size_t n_concerned;
	const struct link **of; /* by link of the plan, for those that rules name */
	struct predict *predict;
	struct predict_sets sets;
	feature_set one_for_all; /* a master has it when one port has: NETIF_F_ONE_FOR_ALL and checksums */
	struct plan *plan;
	bool pretend;	  /* treat audit like enforce, to learn what would come of it */
	bool look_at_now; /* planner_state() is what is, not what is predicted */
	struct could *could;
	int given_to; /* plan_resolve.c: `given` is about this link, 0 for none */
	feature_set given;
	feature_set (*futile)[2]; /* by link of the plan and value: asking has no lasting effect; NULL: nowhere */
	size_t steps_room;
	bool failed; /* for want of memory, where no error could be returned */
};

/* Its features are what its ports have together (netdev_increment_features()). */
static inline bool planner_is_master(const struct link *link)
{
	return link_is_kind(link, "bond") || link_is_kind(link, "bridge") ||
		link_is_kind(link, "team");
}

/* Its features are cut by those of the device below it, through which it sends. */
static inline bool planner_stands_on_lower(const struct link *link)
{
	return link_is_kind(link, "vlan") || link_is_kind(link, "macvlan") ||
		link_is_kind(link, "macvtap") || link_is_kind(link, "ipvlan");
}

/* As predicted after all steps so far, or as it is now. Borrowed. */
static inline const struct link_features *planner_state(
	const struct planner *p, const struct link *link)
{
	const struct link_features *f = NULL;

	if (!p->look_at_now)
		f = predict_features(p->predict, link->ifindex);
	return f ? f : &link->features;
}

/* Fills item->want and item->not_given, as the prediction stands now. */
void planner_resolve_want(struct planner *p, const struct link *link, struct plan_item *item);
/* Forgets what is kept for planner_resolve_want(): something may have been switched on that is not in `hw`. */
void planner_forget(struct planner *p);

/* Keeps a copy for item->text. Without memory the plan fails. */
const char *planner_keep_text(struct planner *p, const char *text);

/* Verdict and cause of an item of pl whose feature exists, once all steps have been predicted. */
void planner_judge(struct planner *p, const struct link *link, const struct plan_link *pl, struct plan_item *item);

/* ---- causes: one step of the walk, for the plan and for explain ---- */

struct cause_view {
	const struct link_table *links; /* stacked */
	const struct predict *rules;    /* predict_needs() */
	struct predict_sets sets;
	/* how a link is at the moment that the walk is about; NULL, or a result of NULL: as it is now */
	const struct link_features *(*state)(const void *userdata, const struct link *link);
	const void *userdata;
};

/* A step about this feature of this link, without a cause yet. */
void cause_begin(const struct link *link, unsigned bit, bool want, struct cause_step *ret);
/* What keeps the feature from being as wanted, whether it is requested or not. */
void cause_find(const struct cause_view *v, const struct link *link, unsigned bit, bool want, struct cause_step *ret);
/* What below gives this feature to a VLAN or a master: the generic checksum rests on any checksum. */
feature_set cause_sources(const struct cause_view *v, const struct link *link, unsigned bit);
/* The feature itself, or the one of its sources that the device below can change. */
unsigned cause_pick_source(const struct cause_view *v, const struct link *link, unsigned bit, const struct link *below);
/* Does a master have this feature as soon as one port has it? NETIF_F_ONE_FOR_ALL, and checksums. */
bool cause_one_port_is_enough(const struct cause_view *v, const struct link *link, unsigned bit);
const struct link_features *cause_state(const struct cause_view *v, const struct link *link);

#endif
