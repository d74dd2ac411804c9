/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Likely mistakes in valid rules, whatever links there are: rules that match nothing anywhere, and features that exclude each
 * other. Pure. */
#ifndef OFFLOADD_DOUBT_H
#define OFFLOADD_DOUBT_H

#include "rules/rule_file.h"

/* Adds a warning for each. host: whose kernel the rules are judged by. 0 or -ENOMEM. */
int doubt_rules(struct rule_set *set, const struct feature_table *table, const struct rule_host *host);

/* What offloadd does with rules for other network namespaces. */
struct doubt_namespaces {
	bool ignored;  /* Namespaces=host */
	bool observed; /* Mode=enforce and Namespaces=observe */
	bool no_images; /* no container runtime of this host records images */
};
/* Adds a warning for each rule that this leaves without effect. 0 or -ENOMEM. */
int doubt_namespaces(struct rule_set *set, const struct doubt_namespaces *facts);

#endif
