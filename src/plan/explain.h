/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a feature of a link is on or off: the cause chain from the link to the one that decides, and advice, as data. The
 * sentences are in report/catalog.h. Pure. */
#ifndef OFFLOADD_EXPLAIN_H
#define OFFLOADD_EXPLAIN_H

#include "plan/plan.h"

/* What the user can do; in parentheses the members that are set besides link and bit. */
enum advice {
	ADVICE_NONE,
	ADVICE_APPLY,        /* offloadctl apply (want) */
	ADVICE_RESUME,       /* the link is paused (want) */
	ADVICE_AUDIT_RULE,   /* the rule has Mode=audit (want, rule) */
	ADVICE_CHANGE_RULE,  /* a rule for this link declares it off (rule) */
	ADVICE_REQUEST,      /* no rule for this link turns it on */
	ADVICE_TURN_OFF,     /* this feature excludes the one that is explained */
	ADVICE_TURN_ON_ABOVE, /* on the link above */
	ADVICE_NOT_BELOW,    /* not possible below this link (kind) */
	ADVICE_DECLARE_LOWER, /* the driver of this link decides what it offers to links above */
	ADVICE_OTHER_DEVICE, /* the device does not support it, and no setting changes that */
	ADVICE_REMOVE,       /* the link cannot change this */
	ADVICE_LIMIT_APPLY,  /* offloadctl apply, or set the limit (number) */
	ADVICE_LIMIT_LOWER,  /* declare the limit as `lower`, because a link below has a smaller one */
	ADVICE_DETACH_XDP,   /* detach the XDP program from the peer */
	ADVICE_RECREATE,     /* create the link again */
	ADVICE_OWNER,        /* the program that opened the tap decides */
	ADVICE_HOST,         /* the host decides */
	ADVICE_COUPLE,       /* declare the same for both features, or turn the other one (bit) on or off (want) */
	ADVICE_KEEP_OFF,     /* declare it off: the kernel drops what it merges */
};
#define ADVICE_COUNT 20

/* The first step has depth 0 and is about the declaration. */
struct explanation {
	struct cause_step *steps;
	size_t n_steps;
	/* of the feature that is explained; borrowed from plan and rules */
	bool active;
	const struct plan_item *item; /* NULL: none in the plan */
	const struct rule *rule;      /* NULL: none applies */
	const struct rule_feature *feature;
	const char *word; /* the name of a limit, or of a feature that this kernel does not have; otherwise NULL */
	bool is_limit;
	int error; /* negative errno if the features could not be read */
	struct {
		enum advice code;
		char link[LINK_NAME_LEN], kind[LINK_KIND_LEN];
		unsigned bit;
		bool want;
		bool requested; /* the wanted bit already has this value, so another request has no effect */
		uint32_t number;
		const struct rule *rule;
	} advice;
};

/* Explains a feature (bit) of a link. table: link_table_stack() was called. plan: was made from the same table, and must
 * outlive *ret. Returns 0, -ENODEV or -ENOMEM. explanation_clear() *ret. */
int explain_feature(const struct plan_context *context, struct link_table *table,
	const struct plan *plan, int ifindex, unsigned bit, struct explanation *ret);
/* The same for a feature that only other kernels have. item: NULL if no rule declares it. word: its name, borrowed. 0 or
 * -ENOMEM. */
int explain_word(const struct link *link, const char *word, const struct plan_item *item, struct explanation *ret);
/* The same for a limit. plan: as above. */
int explain_limit(const struct link_table *table, const struct plan *plan, const struct link *link, enum link_limit limit,
	struct explanation *ret);
void explanation_clear(struct explanation *e);

/* The first step of an item's cause chain; code CAUSE_NONE if it has none. */
void plan_item_cause(const struct plan_link *pl, const struct plan_item *item, struct cause_step *ret);

/* "apply", as in the JSON documents; NULL for ADVICE_NONE. Static. */
const char *advice_name(enum advice advice);

#endif
