/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands show, whatever the form: the state of the links, the plan made for it, and the
 * questions that text and JSON both ask of them. Pure. */
#ifndef OFFLOADD_VIEW_H
#define OFFLOADD_VIEW_H

#include "engine/apply.h"
#include "plan/explain.h"
#include "plan/plan.h"

struct view {
	const struct feature_table *features;
	struct link_table *links; /* stacked */
	const struct rule_set *rules;
	const struct rule_host *host; /* NULL: how many links a rule matches is not told */
	const struct plan *plan;
	int exit_code;
};

/* Items of one link that have the same state, rule and reason; `item` is the first and stands for
 * all. */
struct view_group {
	const struct plan_item *item;
	feature_set bits; /* empty for a feature that this kernel has not */
};

/* The next group of a link's items, as they come, those as declared last. *at is 0 at first. False: there are no more. */
bool view_next_group(const struct plan_link *link, size_t *at, struct view_group *ret);

/* Kernel names of a group, or the word of a feature that this kernel has not. Returns buf. */
const char *view_group_names(
	const struct feature_table *table, const struct view_group *group, char *buf, size_t size);

/* "vlan on bond0", "bond of eth2, eth3", "physical, port of bond0". Returns buf. */
const char *view_link_words(
	const struct link_table *table, const struct link *link, char *buf, size_t size);

/* The item of a bit; NULL when no rule names it. */
const struct plan_item *view_item(const struct plan_link *link, unsigned bit);

/* The link's verdict as a word: NULL when no rule names any feature of it. */
const char *view_verdict(const struct plan *plan, int ifindex);

/* Are these two explanations the same, but for the feature that each is about? */
bool view_same_story(const struct explanation *a, unsigned bit_a, const struct explanation *b, unsigned bit_b);

/* Does this rule name devices (Name=, Driver=, MACAddress=, LowerDriver=) and match none, though it is for
 * this host? Then a name may be misspelt. Rules that match by kind or role alone may well find nothing. */
bool view_rule_misses(const struct view *view, const struct rule *rule);

/* Links of a tree of what stands on what: each link is followed by its lower and its ports. depth 0
 * is a link that nothing stands on. repeated: shown in full further up. */
struct view_node {
	struct link *link;
	unsigned depth;
	bool repeated;
};

/* The whole table as such a tree, in reading order; the array is the caller's to free. 0 or
 * -ENOMEM. */
int view_tree(struct link_table *table, struct view_node **ret, size_t *ret_n);

#endif
