/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of the rule directories and their state: in force, replaced, masked, bad, or not read. */
#ifndef OFFLOADD_RULE_LIST_H
#define OFFLOADD_RULE_LIST_H

#include "rules/rule.h"

enum rule_place_state {
	RULE_PLACE_IN_FORCE,
	RULE_PLACE_BAD,	     /* has errors, ignored */
	RULE_PLACE_MASK,     /* empty, or a link to /dev/null: no rule of this name */
	RULE_PLACE_REPLACED, /* a directory of higher priority has one of the same name */
	RULE_PLACE_NOT_READ, /* its name does not end in .rule */
};

struct rule_place {
	char *path; /* clean, as in rule->path */
	const char *file;
	enum rule_place_state state;
	const struct rule *rule; /* in force: the set's */
	size_t by;		 /* replaced: index of the place that stands instead */
};

struct rule_list {
	struct rule_place *places; /* by file name, those of one name by priority of their directories */
	size_t n_places;
};

/* dirs: those that `set` was loaded from, in the same order. A directory that cannot be read is skipped:
 * loading reported it. 0 or -ENOMEM (then ret is empty). */
int rule_list_make(const char *const *dirs, const struct rule_set *set, struct rule_list *ret);
/* Moves the places of one list to the end of another's. 0 or -ENOMEM. */
int rule_list_join(struct rule_list *to, struct rule_list *from);
void rule_list_clear(struct rule_list *list);

/* "in force", "bad", "masks", "replaced", "not read". */
const char *rule_place_state_name(enum rule_place_state state);

#endif
