/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What differs between two snapshots: A, the good or older one, and B. Pure. Feature sets of a diff
 * are in A's numbers. A feature that only one kernel has is no difference. */
#ifndef OFFLOADD_DIFF_H
#define OFFLOADD_DIFF_H

#include "compare/snapshot.h"

#define DIFF_ROLE_LEN 192
#define DIFF_NONE SIZE_MAX

struct diff_options {
	bool by_role; /* match links by their role in the stack instead of by name */
};

struct diff_pair {
	size_t a, b; /* of their snapshots' links */
};

enum diff_change {
	DIFF_LOST,      /* on in A, off in B */
	DIFF_UNLISTED,  /* on in A, and B is a text that does not show it, whole or not */
	DIFF_GAINED,    /* off in A, on in B */
	DIFF_OTHER,     /* on in one of them, and no offload (loopback, netns-local, ...) */
	DIFF_REQUESTED, /* the same, but asked for in one of them only */
	DIFF_FIXED,     /* the same, but can be changed in one of them only */
};
#define DIFF_CHANGES 6

/* How a feature stands, as ethtool -k says it; bits. */
#define DIFF_ON 1u
#define DIFF_FIXED_THERE 2u
#define DIFF_ASKED_ELSE 4u /* requested is not what is active */
#define DIFF_NOT_LISTED 6u /* nobody knows; no bits, as all states have a name of their own */

/* Features that changed alike on some links. */
struct diff_group {
	enum diff_change change;
	feature_set features;
	feature_set costs;         /* that changed with them, since they need one of them */
	unsigned a_state, b_state; /* of features */
	bool follows;              /* the link below changed in the same way */
	size_t *pairs;             /* of diff.pairs */
	size_t n_pairs;
};

/* Something else about a link. */
struct diff_field {
	size_t pair;
	const char *what; /* "kind", "driver", "vlan id", "stands on", "port of", "readable" */
	char a[64], b[64];
};

/* Links of one role of which nothing tells which is which. */
struct diff_ambiguous {
	char role[DIFF_ROLE_LEN];
	size_t *a, *b;
	size_t n_a, n_b;
};

struct diff_rule { /* indexes, DIFF_NONE where it is missing */
	size_t a, b;
};

struct diff {
	const struct snapshot *a, *b; /* have to outlive it */
	bool by_role;
	struct diff_pair *pairs; /* in A's order */
	size_t n_pairs;
	struct diff_group *groups; /* by change, then in A's order of links */
	size_t n_groups;
	size_t *only_a, *only_b;
	size_t n_only_a, n_only_b;
	struct diff_field *fields;
	size_t n_fields;
	struct diff_ambiguous *ambiguous;
	size_t n_ambiguous;
	struct diff_rule *rules;
	size_t n_rules;
	feature_set unknown_in_b; /* A's numbers: B's kernel has them not */
	feature_set unknown_in_a; /* B's numbers */
	bool other_kernel;        /* both are known, and differ */
	size_t lost; /* features over all links, those of links that are gone included */
	size_t unlisted; /* features over all links that may be lost, too: see DIFF_UNLISTED */
};

/* 0, -ENOMEM, -EOPNOTSUPP: by role, and one of them does not know the stack. */
int diff_make(const struct snapshot *a, const struct snapshot *b,
	const struct diff_options *options, struct diff *ret);
void diff_clear(struct diff *d);

/* Is there any difference? Links that could not be matched are one. */
bool diff_any(const struct diff *d);

/* "lost", "unlisted", "gained", "changed", "requested", "fixed". */
const char *diff_change_name(enum diff_change change);
/* "on", "off [fixed]", "off [requested on]". */
const char *diff_state_name(unsigned state);

#endif
