/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a feature of a link is as it is: the chain of reasons from the link down to the leaf that decides.
 * Pure. */
#ifndef OFFLOADD_EXPLAIN_H
#define OFFLOADD_EXPLAIN_H

#include "plan/plan.h"

struct explanation_line {
	unsigned depth;	   /* 0 for the link itself, 1 for what it rests on, ... */
	int ifindex;
	char name[LINK_NAME_LEN];
	unsigned bit;	   /* FEATURE_MAX: about the link, not one feature */
	char text[256];	   /* a sentence without the name and without a final stop */
};

struct explanation {
	struct explanation_line *lines;
	size_t n_lines;
	char advice[256];  /* what to do, "" when nothing */
};

/* One feature of one link. plan: made for the same table (may name the declaration, the rule file and the
 * cause). */
int explain_feature(const struct plan_context *context, struct link_table *table,
	const struct plan *plan, int ifindex, unsigned bit, struct explanation *ret);
void explanation_clear(struct explanation *e);

/* What is said where the kernel took a SET over and the feature stayed as it was. */
#define EXPLAIN_NO_EFFECT "accepted by the kernel without effect; the driver does not say why"

/* One sentence for an item, such as "held by bond0: tx-scatter-gather is off there". Returns buf. */
const char *explain_item(const struct feature_table *table, const struct plan_item *item, char *buf,
	size_t size);

#endif
