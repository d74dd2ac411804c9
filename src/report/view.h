/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What commands show, as text and as JSON: interfaces, rules and the plan for them, and the questions that both formats ask about
 * them. Pure. */
#ifndef OFFLOADD_VIEW_H
#define OFFLOADD_VIEW_H

#include "engine/apply.h"
#include "plan/explain.h"
#include "plan/plan.h"
#include "rules/rule_list.h"

/* The other end of a veth, in another network namespace. */
struct view_far {
	int near_ifindex; /* of the end in view.links */
	char *netns;	  /* what the namespace is called, printable */
	uint64_t inode;	  /* of the namespace */
	struct link link; /* a copy without names and hardware */
	const struct plan_link *plan; /* by the rules for that namespace; NULL: none applies */
};

struct view {
	const struct feature_table *features;
	struct link_table *links; /* stacked, see link_table_stack() */
	const struct rule_set *rules;
	const struct rule_host *host; /* NULL: the number of links that a rule matches is not known */
	const struct plan *plan;
	int exit_code;
	const struct view_far *far; /* of n_far links, sorted by near_ifindex; for the tree */
	size_t n_far;
};

/* The other end of a link in another network namespace; NULL: it has none there, or that is not known. */
const struct view_far *view_find_far(const struct view *view, const struct link *link);

/* Items of one link that have the same state, rule and cause. */
struct view_group {
	const struct plan_item *item; /* the first of them */
	feature_set bits;	      /* empty for a feature that this kernel does not have */
};

/* The next group of a link's items, in their order, compliant ones last. *at is 0 at first. False: there are no more. It borrows from
 * link. */
bool view_next_group(const struct plan_link *link, size_t *at, struct view_group *ret);

/* The kernel names of a group, or the name in the rule for a feature that this kernel does not have. Returns buf. */
const char *view_group_names(
	const struct feature_table *table, const struct view_group *group, char *buf, size_t size);

/* "vlan on bond0", "bond of eth2, eth3", "physical, port of bond0". Returns buf. */
const char *view_link_words(
	const struct link_table *table, const struct link *link, char *buf, size_t size);

/* The item of a feature; NULL if no rule declares it. link: may be NULL. */
const struct plan_item *view_item(const struct plan_link *link, unsigned bit);

/* The same for a limit. */
const struct plan_item *view_limit_item(const struct plan_link *link, enum link_limit limit);

/* What the link has now: "off (requested on)", "65536", "unknown to this kernel". Returns buf. */
const char *view_item_state(const struct plan_item *item, char *buf, size_t size);
/* What an item is declared as: "on", "lower (off)", "8000", "lower (8000)", "lower (not provided)". Returns buf. */
const char *view_item_declared(const struct plan_item *item, char *buf, size_t size);

/* The main offloads of a link: "scatter-gather on, TX checksum on, TSO off". Returns buf. */
const char *view_offloads(const struct feature_table *table, const struct link *link, char *buf, size_t size);

/* The name of the verdict of a link, static; NULL if no rule applies. */
const char *view_verdict(const struct plan *plan, int ifindex);

/* Are the two explanations the same, except for the feature that each is about? Neither is empty. */
bool view_same_explanation(const struct explanation *a, const struct explanation *b);

/* Does a rule for this host name devices (Name=, Driver=, Device=, ...) and match no link? Then a name may be misspelt. A rule that
 * matches by kind or role alone may legitimately match nothing. */
bool view_rule_misses(const struct view *view, const struct rule *rule);
/* Why a rule matches no link here, "no interface has Driver=e1000e"; missing: of rule_find_missing(). Sanitized. Returns buf. */
const char *view_format_missing(const struct rule *rule, unsigned missing, char *buf, size_t size);

/* The keys that keep a rule out of a network namespace, and what it has instead: "Container=db* (it is web1)". Sanitized. Returns buf. */
const char *view_format_netns_missing(const struct rule *rule, unsigned missing, const struct rule_netns *netns, char *buf, size_t size);

/* Why a place with RULE_PLACE_NOT_READ is not read. Returns buf. */
const char *view_format_not_read(const struct rule_place *place, char *buf, size_t size);

/* A line of the tree of links: each link is followed by its lower link and its ports. */
struct view_node {
	struct link *link;
	unsigned depth; /* 0: no link uses it */
	bool repeated;	/* its subtree was listed before */
};

/* All links as a tree, in the order of its lines. *ret: the caller frees it; it borrows links from table. 0 or -ENOMEM. */
int view_tree(struct link_table *table, struct view_node **ret, size_t *ret_n);

#endif
