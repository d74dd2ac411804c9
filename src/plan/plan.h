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
#include "rules/rule.h"

enum verdict {
	VERDICT_COMPLIANT, /* as declared */
	VERDICT_DRIFTED,   /* will be changed */
	VERDICT_BLOCKED,   /* wanted, and something named holds it */
	VERDICT_UNSUPPORTED,	   /* the device cannot */
	VERDICT_REFUSED,   /* the kernel said no, to reading or setting; its text */
	VERDICT_CONTENDED, /* someone keeps changing it back */
	VERDICT_PAUSED,
};
#define VERDICT_COUNT 7

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
	const char *text;	 /* the kernel's words for refused, who for contended; else "". The plan's */
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
};

/* What the daemon knows besides, asked per link and feature; NULL callbacks count as "no". */
struct plan_context {
	const struct feature_table *table;
	const struct rule_set *rules;
	const struct rule_host *host;
	int64_t now;	       /* CLOCK_REALTIME seconds, for Until= */
	bool audit;	       /* plan nothing to be done: what could be is drifted with CAUSE_AUDIT, and there are no steps */
	bool (*is_paused)(int ifindex, void *userdata);
	/* contended: true, and who (may be left "") */
	bool (*is_contended)(int ifindex, unsigned bit, char *who, size_t size, void *userdata);
	/* refused before, in the kernel's words, for this same value: not asked again */
	bool (*is_refused)(int ifindex, unsigned bit, bool value, char *text, size_t size, void *userdata);
	/* tried before without effect though predicted otherwise: what the kernel did then is believed */
	bool (*is_futile)(int ifindex, unsigned bit, bool value, void *userdata);
	void *userdata;
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

/* How strong a verdict is when one word must stand for a link: the worst of its items. */
enum verdict plan_link_verdict(const struct plan_link *link);

/* "compliant", ...: as in documents and on the command line. */
const char *verdict_name(enum verdict verdict);

#endif
