/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What differs between declared and real, what will be done about it in which order, and what will come of
 * it. A pure function of model, rules and time. A plan owns copies: it stays valid whatever becomes of the
 * model, but not of the rules. */
#ifndef OFFLOADD_PLAN_H
#define OFFLOADD_PLAN_H

#include <stdint.h>

#include "model/cause.h"
#include "model/feature.h"
#include "model/link.h"
#include "model/link_state.h"
#include "rules/rule.h"

/* One declared feature of one link. */
struct plan_item {
	unsigned bit;	  /* FEATURE_MAX for a feature this kernel has not: then feature->word names it */
	enum rule_value declared;
	bool want;	  /* what `declared` comes to: on or off */
	bool not_given;	  /* declared lower, and the device below could not give it: left as it is */
	bool active;	  /* now */
	bool wanted;	  /* asked for now */
	bool unread;	  /* the link's features could not be read: neither is known, nor what `lower` comes to */
	bool predicted;	  /* after the plan */
	bool uncertain;	  /* the prediction rests on what cannot be known before trying */
	bool overdue;	  /* its rule is past Until */
	bool audit;	  /* its rule only audits */
	enum verdict verdict;
	enum cause cause; /* for all but compliant */
	int cause_ifindex;	 /* 0 for the link itself */
	char cause_name[LINK_NAME_LEN];
	unsigned cause_bit;	 /* FEATURE_MAX when no feature is part of the reason */
	const char *text;	 /* the kernel's words for refused, ours for contended; else "". The plan's */
	const struct rule *rule;
	const struct rule_feature *feature;
};

/* One link: what it is now, what will come of it. Present for every link that rules name, and for every
 * other link that the plan changes by side effect (then n_items is 0). Lowest first. */
struct plan_link {
	int ifindex;
	char name[LINK_NAME_LEN], kind[LINK_KIND_LEN];
	struct link_features before;
	struct link_features predicted; /* hw and nochange as before */
	feature_set uncertain;		/* bits of predicted.active that cannot be known before trying */
	feature_set side_effects;	/* active bits that change though no rule declares them here */
	feature_set due; /* of link_contention.due: would have been repaired, and are contended instead */
	int error;			/* features could not be read: negative errno */
	struct plan_item *items;
	size_t n_items;
};

/* One SET: `mask` is what changes, `value` to what. In the order in which they are carried out. */
struct plan_step {
	int ifindex;
	char name[LINK_NAME_LEN];
	feature_set mask, value;
};

struct plan_index { /* sorted by ifindex, for plan_find */
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
	struct plan_text *texts; /* of the items */
	size_t overdue;
	size_t unread; /* links that rules name and whose features could not be read */
	unsigned predictions; /* that it took */
};

struct plan_context {
	const struct feature_table *table;
	const struct rule_set *rules;
	const struct rule_host *host;
	int64_t now;	       /* CLOCK_REALTIME seconds, for Until= */
	bool audit;	       /* plan nothing to be done: what could be is drifted with CAUSE_AUDIT, and there are no steps */
	const struct link_states *states; /* pauses, contention, what was tried in vain; NULL: nothing is known */
};

/* only: plan for these links alone (n_only indexes; unknown ones are passed over), NULL for all. Links below
 * and above are still read and predicted. 0 or -ENOMEM. The table is stacked, otherwise left as it is. */
int plan_make(const struct plan_context *context, struct link_table *table, const int *only,
	size_t n_only, struct plan *ret);
void plan_clear(struct plan *plan);

/* The link of the plan, NULL when it is in none. Borrowed. */
const struct plan_link *plan_find(const struct plan *plan, int ifindex);

/* Exit code of `plan`: 1 not everything could be looked at, else 0 as declared, 2 changes are pending
 * (drifted), 4 something declared cannot be had (blocked, unsupported, refused, contended), 6 both. Pending under
 * audit counts as pending. */
int plan_exit_code(const struct plan *plan);

/* The worst verdict of its items, when one word must stand for a link. */
enum verdict plan_link_verdict(const struct plan_link *link);

/* Keeps the verdicts of each link that the plan is about; of other links, what was kept stays. 0 or -ENOMEM. */
int plan_keep(const struct plan *plan, struct link_states *states);

#endif
