/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rule files and drop-ins in the rules directories, and the state of each: in force, bad, masks, replaced, or not read. */
#ifndef OFFLOADD_RULE_LIST_H
#define OFFLOADD_RULE_LIST_H

#include "rules/rule.h"

enum rule_place_state {
	RULE_PLACE_IN_FORCE,
	RULE_PLACE_BAD,	     /* ignored because of errors */
	RULE_PLACE_MASK,     /* empty, or a link to /dev/null: masks all files of this name */
	RULE_PLACE_REPLACED, /* a directory of higher priority has a file of this name */
	RULE_PLACE_NOT_READ, /* its name does not end in .rule; of a drop-in: in .conf, or its rule is not in force */
};

struct rule_place {
	char *path; /* sanitized, as in rule->path */
	const char *file; /* the file name in path */
	char *rule_file; /* of a drop-in: the file name of its rule; NULL: it is a rule file */
	enum rule_place_state state;
	const struct rule *rule; /* a rule file in force: borrowed from the set */
	size_t by;		 /* replaced: the index of the place that replaces it */
};

struct rule_list {
	struct rule_place *places; /* by file name, then by the priority of their directories; drop-ins follow their rule */
	size_t n_places;
};

/* Lists the files in the directories that `set` was loaded from (same order, NULL-terminated). Directories
 * that cannot be read are skipped, because rule_set_load() reported them. `set` must outlive the list. 0;
 * -ENOMEM (ret is empty). */
int rule_list_make(const char *const *dirs, const struct rule_set *set, struct rule_list *ret);
/* Moves all places of one list to the end of another. 0 or -ENOMEM. */
int rule_list_join(struct rule_list *to, struct rule_list *from);
/* Frees the places, and empties the list. */
void rule_list_clear(struct rule_list *list);

/* "in force", "bad", "masks", "replaced", "not read". Static. */
const char *rule_place_state_name(enum rule_place_state state);

#endif
