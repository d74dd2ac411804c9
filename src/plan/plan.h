/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan: how the links differ from the rules, the steps that repair that, in order, and the expected result. A pure function
 * of links, rules, states and time. A plan has copies of what it needs of the links, but points to the rules, which must
 * outlive it. */
#ifndef OFFLOADD_PLAN_H
#define OFFLOADD_PLAN_H

#include <stdint.h>

#include "model/cause.h"
#include "model/feature.h"
#include "model/link.h"
#include "model/link_state.h"
#include "rules/rule.h"

/* The numbers of an item that is a size limit: bytes or packets. */
struct plan_number {
	enum link_limit limit;
	uint32_t now, want, predicted;
	uint32_t cause; /* the number of the cause: what the driver or the link below has */
};

/* One declared feature or size limit of one link. */
struct plan_item {
	unsigned bit;	  /* FEATURE_MAX: a limit, or a feature that this kernel does not have, named by feature->word */
	bool is_limit;	  /* then `number` has what want, active and predicted have for a feature; not_provided is used, too */
	struct plan_number number;
	enum rule_value declared;
	bool want;	  /* on or off, as `declared` resolves for this link */
	bool not_provided;	  /* declared `lower` or `lower-all`, and the links below provide nothing, or it is unknown what they provide: no change */
	bool active;	  /* now */
	bool wanted;	  /* requested now: the wanted bit of ethtool */
	bool unread;	  /* the link's features could not be read: active, wanted and, for `lower`, want are unknown */
	bool predicted;	  /* after the plan */
	bool uncertain;	  /* the prediction depends on state that user space cannot read */
	bool held;	  /* has its declared value, now or after the plan, and is still blocked: see its cause */
	bool overdue;	  /* the date in Until= of its rule has passed */
	bool audit;	  /* its rule, or the daemon, is in audit mode */
	enum verdict verdict;
	enum cause cause; /* unless compliant */
	int cause_ifindex;	 /* the link of the cause, 0 for this link */
	char cause_name[LINK_NAME_LEN];
	unsigned cause_bit;	 /* the feature of the cause, FEATURE_MAX for none */
	const char *text;	 /* refused: the kernel's error message; contended: ours; otherwise "". Owned by the plan */
	const struct rule *rule;
	const struct rule_feature *feature;
};

/* One link, now and after the plan. There is one for each link that a rule applies to, and for each other link that the plan
 * changes by side effect (n_items is 0 then). Lowest links first. */
struct plan_link {
	int ifindex;
	char name[LINK_NAME_LEN], kind[LINK_KIND_LEN];
	struct link_features before;
	struct link_features predicted; /* hw and nochange as before */
	feature_set uncertain;		/* bits of predicted.active that are not certain */
	bool unmeasured;		/* so are those that its driver would turn on: predict_is_unmeasured() */
	feature_set claimed;		/* of a bond, bridge or team: bits of predicted.active that no port has, and that the CPU does instead */
	feature_set side_effects;	/* active bits that change although no rule declares them for this link */
	struct link_limits limits, limits_predicted; /* now and after the plan */
	feature_set due; /* features of link_contention.due that would have been repaired; they become contended instead */
	unsigned limits_due; /* the same for limits: LINK_LIMIT() */
	int error;			/* negative errno if the features could not be read */
	struct plan_item *items;
	size_t n_items;
};

/* One SET request: the features of `mask` are set to `value`; or, if `mask` is empty, the limits are. In the order of execution. */
struct plan_step {
	int ifindex;
	char name[LINK_NAME_LEN];
	feature_set mask, value;
	bool recompute; /* `value` is requested already, and has an effect when the kernel computes the features again */
	struct link_limits limits; /* has: those that are set */
};

struct plan_index { /* sorted by ifindex, for plan_find() */
	int ifindex;
	size_t at;
};

#define PLAN_TEXT_MAX 160

struct plan_text;

struct plan {
	struct plan_link *links;
	size_t n_links;
	struct plan_index *index;
	size_t n_index;
	struct plan_step *steps;
	size_t n_steps;
	size_t counts[VERDICT_COUNT]; /* items by verdict */
	struct plan_text *texts; /* that plan_item.text points to */
	size_t overdue; /* items */
	size_t unread; /* links that a rule applies to and whose features could not be read */
	unsigned predictions; /* how many were made, for the metrics */
};

struct plan_context {
	const struct feature_table *table;
	const struct rule_set *rules;
	const struct rule_host *host;
	int64_t now;	       /* CLOCK_REALTIME in seconds, for Until= */
	bool audit;	       /* no steps: what would be repaired is drifted with CAUSE_AUDIT */
	const struct link_states *states; /* pauses, contention, refusals; NULL: none */
};

/* only: ifindexes of the links to plan for, n_only of them; unknown ones are skipped. NULL: all links. Links above and below
 * are part of the prediction in any case. table: link_table_stack() was called; it is not changed. Returns 0 or -ENOMEM.
 * plan_clear() *ret. */
int plan_make(const struct plan_context *context, struct link_table *table, const int *only,
	size_t n_only, struct plan *ret);
void plan_clear(struct plan *plan);

/* NULL if the link is not in the plan. Owned by the plan. */
const struct plan_link *plan_find(const struct plan *plan, int ifindex);

/* verdict_exit_code(). */
int plan_exit_code(const struct plan *plan);

/* Packets that a link may send and a link below it segments in software, because its own limit is smaller. */
struct plan_narrow {
	const struct link *link, *below; /* of the table */
	enum link_limit limit;
	uint32_t number, below_number;
};
/* Does any link below `link`, directly or not, have a smaller limit? If so, *ret has the smallest one. Only the limits of GSO cause
 * segmentation. The table is stacked. */
bool plan_find_narrow(const struct link_table *table, const struct link *link, enum link_limit limit, struct plan_narrow *ret);

/* The worst verdict of its items. */
enum verdict plan_link_verdict(const struct plan_link *link);

/* Adds its items by verdict. */
void plan_link_count(const struct plan_link *link, size_t counts[VERDICT_COUNT]);

/* Stores the verdicts of each link that a rule applies to in its link_state.result. Other links are not changed. 0 or -ENOMEM. */
int plan_keep(const struct plan *plan, struct link_states *states);

#endif
