/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by plan.c (links, steps, the plan), plan_parts.c (what it is made of), plan_limits.c (size limits), plan_resolve.c (whether
 * a declared value means on or off), plan_verdict.c (verdicts), plan_cause.c (causes) and explain.c (cause chains). */
#ifndef OFFLOADD_PLAN_PRIVATE_H
#define OFFLOADD_PLAN_PRIVATE_H

#include "plan/plan.h"
#include "plan/predict.h"

struct could; /* plan_resolve.c */

struct plan_text {
	struct plan_text *next;
	char text[];
};

/* State while a plan is made. */
struct planner {
	const struct plan_context *context;
	struct link_table *table;
	struct link **concerned; /* the links to plan for, and all that are stacked with them */
	size_t n_concerned;
	const struct link **of; /* of each link of the plan, by its index there */
	struct predict *predict;
	struct predict_sets sets;
	struct plan *plan;
	bool pretend;	  /* treat audit mode as enforce mode, to find out the verdicts */
	bool use_current; /* planner_state() is the current state, not the prediction */
	struct could *could;
	int provided_to; /* plan_resolve.c: `provided` is cached for this link, 0: none */
	feature_set provided;
	feature_set (*ineffective)[2]; /* by index of the link and value: a request has no lasting effect; NULL: none */
	bool failed; /* memory ran out where no error could be returned */
};

/* The kernel computes its features from those of its ports: netdev_increment_features(). A net_failover claims features whatever
 * its ports have, and sends through them. */
static inline bool planner_is_master(const struct link *link)
{
	return link_is_kind(link, "bond") || link_is_kind(link, "bridge") ||
		link_is_kind(link, "team") || link_is_kind(link, "hsr") ||
		(link_is_kind(link, "physical") && strcmp(link->driver, "net_failover") == 0);
}

/* The kernel limits its features to those of the link below. */
static inline bool planner_is_limited_by_lower(const struct link *link)
{
	return link_is_kind(link, "vlan") || link_is_kind(link, "macvlan") ||
		link_is_kind(link, "macvtap") || link_is_kind(link, "ipvlan") || link_is_kind(link, "ipvtap");
}

/* As predicted after the steps so far, or the current state. Borrowed. */
static inline const struct link_features *planner_state(
	const struct planner *p, const struct link *link)
{
	const struct link_features *f = NULL;

	if (!p->use_current)
		f = predict_features(p->predict, link->ifindex);
	return f ? f : &link->features;
}

/* Sets item->want and item->not_provided from the current prediction. */
void planner_resolve_want(struct planner *p, const struct link *link, struct plan_item *item);
/* Clears the cache of planner_resolve_want(). Needed after a step, which may have turned on a feature that is not in `hw`. */
void planner_forget(struct planner *p);

/* plan_parts.c: rebuilds plan->index after plan->links changed. */
void planner_index_links(struct plan *plan);
/* An item of a declaration, without its verdict. bit: as in the item. */
struct plan_item planner_make_item(
	const struct plan_context *c, const struct link *link, const struct declaration *d, unsigned bit);
/* A copy for item->text; "" without memory, as the verdict does not depend on it. */
const char *planner_keep_text(struct planner *p, const char *text);
/* Appends a step that sets nothing yet, for the caller to fill in. NULL: no memory. */
struct plan_step *planner_add_step(struct plan *plan, const struct plan_link *pl);

/* plan_limits.c: the items of the limits that are declared for a link, at most LINK_LIMIT_SETTABLE. Returns how many. */
size_t planner_declare_limits(struct planner *p, const struct link *link, struct plan_item *items);
/* Adds the steps that set limits, lowest links first. 0 or -ENOMEM. */
int planner_set_limits(struct planner *p);
/* Sets verdict and cause of an item that is a limit. Call it after planner_set_limits(). */
void planner_judge_limit(struct planner *p, const struct link *link, const struct plan_link *pl, struct plan_item *item);

/* Sets verdict and cause of an item of pl whose feature exists. Call it after all steps were predicted. */
void planner_judge(struct planner *p, const struct link *link, const struct plan_link *pl, struct plan_item *item);

/* Does the kernel drop what this feature (LRO) merges, because the link or one above forwards it? */
bool planner_is_dropped(const struct planner *p, const struct link *link, unsigned bit);
/* For plan_link.claimed. */
feature_set planner_claimed(const struct planner *p, const struct link *link);
/* The item of pl that the rules declare otherwise, although the driver has one switch for both; NULL: none. */
const struct plan_item *planner_find_contradiction(struct planner *p, const struct link *link, const struct plan_link *pl,
	const struct plan_item *item);

/* ---- causes: one step of a cause chain, for plan and explain ---- */

struct cause_view {
	const struct link_table *links; /* stacked */
	const struct predict *rules;    /* predict_needs() */
	struct predict_sets sets;
	/* returns the features of a link in which to look for causes; if it is NULL, or returns NULL, the current ones are used */
	const struct link_features *(*state)(const void *userdata, const struct link *link);
	const void *userdata;
};

/* A step about this feature of this link, without a cause. */
void cause_begin(const struct link *link, unsigned bit, bool want, struct cause_step *ret);
/* Finds out why the feature does not have the value `want`, assuming that it is requested. */
void cause_find(const struct cause_view *v, const struct link *link, unsigned bit, bool want, struct cause_step *ret);
/* The features of the links below that provide this one: for the generic checksum of a VLAN or master, any checksum. */
feature_set cause_sources(const struct cause_view *v, const struct link *link, unsigned bit);
/* The one of cause_sources() that the link below can change, otherwise the feature itself. */
unsigned cause_pick_source(const struct cause_view *v, const struct link *link, unsigned bit, const struct link *below);
/* Does a master have this feature if only one port has it? NETIF_F_ONE_FOR_ALL and checksums. */
bool cause_one_port_is_enough(const struct cause_view *v, const struct link *link, unsigned bit);
/* Finds who makes the kernel drop what this feature (LRO) merges: a caller of dev_disable_lro(). */
bool cause_find_dropped(const struct cause_view *v, const struct link *link, unsigned bit, struct cause_step *ret);
/* Finds the first port of a master that has the feature off. */
bool cause_find_port_off(const struct cause_view *v, const struct link *link, unsigned bit, struct cause_step *ret);
/* The features that are on at a master, although none of its ports has them: those that the CPU then does at the port. */
feature_set cause_claimed(const struct cause_view *v, const struct link *link);
/* The view of the planner: its prediction, or the current state with use_current. */
struct cause_view planner_view(const struct planner *p);
/* As described at cause_view.state; never NULL. */
const struct link_features *cause_state(const struct cause_view *v, const struct link *link);

#endif
