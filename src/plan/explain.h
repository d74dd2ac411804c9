/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a feature of a link is as it is: the chain of causes from the link down to what decides, and what to do about it, as
 * data; report/catalog.h has the sentences. Pure. */
#ifndef OFFLOADD_EXPLAIN_H
#define OFFLOADD_EXPLAIN_H

#include "plan/plan.h"

/* What to do; in brackets what it uses besides link and bit. */
enum advice {
	ADVICE_NONE,
	ADVICE_APPLY,        /* offloadctl apply (want) */
	ADVICE_RESUME,       /* the link is paused (want) */
	ADVICE_AUDIT_RULE,   /* the rule has Mode=audit (want, rule) */
	ADVICE_CHANGE_RULE,  /* a rule for this link declares it off (rule) */
	ADVICE_REQUEST,      /* no rule for this link turns it on */
	ADVICE_TURN_OFF,     /* it excludes the feature asked about */
	ADVICE_TURN_ON_ABOVE, /* the link is above */
	ADVICE_NOT_BELOW,    /* not possible below this link (kind) */
	ADVICE_DECLARE_LOWER, /* the driver of this link decides what it offers to links above */
	ADVICE_OTHER_DEVICE, /* the device cannot, and no setting below it changes that */
	ADVICE_REMOVE,       /* the link cannot change this */
};
#define ADVICE_COUNT 12

/* The first step has depth 0 and is about what is declared. */
struct explanation {
	struct cause_step *steps;
	size_t n_steps;
	/* of the feature asked about; the plan's and the rules' */
	bool active;
	const struct plan_item *item; /* NULL: none in the plan */
	const struct rule *rule;      /* NULL: none applies */
	const struct rule_feature *feature;
	const char *word; /* of a feature that this kernel does not have, else NULL */
	int error; /* its features could not be read: negative errno */
	struct {
		enum advice code;
		char link[LINK_NAME_LEN], kind[LINK_KIND_LEN];
		unsigned bit;
		bool want;
		const struct rule *rule;
	} advice;
};

/* One feature of one link. plan: made for the same table, which is stacked. -ENODEV, -ENOMEM, 0. */
int explain_feature(const struct plan_context *context, struct link_table *table,
	const struct plan *plan, int ifindex, unsigned bit, struct explanation *ret);
/* A feature that other kernels have. item: NULL when no rule names it. word: borrowed. 0 or -ENOMEM. */
int explain_word(const struct link *link, const char *word, const struct plan_item *item, struct explanation *ret);
void explanation_clear(struct explanation *e);

/* The first step of an item's chain; code CAUSE_NONE when there is none. */
void plan_item_cause(const struct plan_link *pl, const struct plan_item *item, struct cause_step *ret);

/* "apply": as in documents; NULL for ADVICE_NONE. */
const char *advice_name(enum advice advice);

#endif
