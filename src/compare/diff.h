/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The differences between two snapshots: A, the older or good one, and B. Feature sets use the bits of A. A
 * feature that only one kernel has is not a difference. Pure. */
#ifndef OFFLOADD_DIFF_H
#define OFFLOADD_DIFF_H

#include "compare/snapshot_model.h"

#define DIFF_ROLE_LEN 192

struct diff_options {
	bool by_role; /* match links by their role in the stack, not by name */
};

struct diff_pair {
	size_t a, b; /* indexes of the links */
};

enum diff_change {
	DIFF_LOST,      /* on in A, off in B */
	DIFF_UNLISTED,  /* on in A, and not listed in B, which is SNAPSHOT_ETHTOOL */
	DIFF_GAINED,    /* off in A, on in B */
	DIFF_OTHER,     /* on in one of them, and not an offload (loopback, netns-local, ...) */
	DIFF_REQUESTED, /* same state, but requested in only one of them */
	DIFF_FIXED,     /* same state, but can be changed in only one of them */
};
#define DIFF_CHANGES 6

/* The state of a feature, as in ethtool -k: a combination of bits, or DIFF_NOT_LISTED. */
#define DIFF_ON 1u
#define DIFF_FIXED_THERE 2u /* cannot be changed */
#define DIFF_ASKED_ELSE 4u  /* wanted differs from active */
#define DIFF_NOT_LISTED 6u  /* not known; a value that no combination has */

/* Features with the same change on some links. */
struct diff_group {
	enum diff_change change;
	feature_set features;
	feature_set costs;         /* features that changed with them, because they depend on them */
	unsigned a_state, b_state; /* of `features` */
	bool follows;              /* the link below, or a port, has the same change */
	size_t *pairs;             /* indexes in diff.pairs, owned */
	size_t n_pairs;
};

/* Another difference of a link. */
struct diff_field {
	size_t pair;
	const char *what; /* "kind", "driver", "vlan id", "stacked on", "port of", "features", or a limit; static */
	char a[64], b[64]; /* "none" for an empty value; of "features": "readable", or why not */
};

/* Links of one role that cannot be distinguished, and are not compared. */
struct diff_ambiguous {
	char role[DIFF_ROLE_LEN];
	size_t *a, *b;
	size_t n_a, n_b;
};

/* A rule that differs. */
struct diff_rule {
	size_t a, b; /* indexes, SNAPSHOT_NONE: missing */
};

struct diff {
	const struct snapshot *a, *b; /* borrowed, must outlive the diff */
	bool by_role;
	struct diff_pair *pairs; /* matched links, in the order of A */
	size_t n_pairs;
	struct diff_group *groups; /* by change, then in the order of the links in A */
	size_t n_groups;
	size_t *only_a, *only_b;
	size_t n_only_a, n_only_b;
	struct diff_field *fields;
	size_t n_fields;
	struct diff_ambiguous *ambiguous;
	size_t n_ambiguous;
	struct diff_rule *rules;
	size_t n_rules;
	feature_set unknown_in_b; /* bits of A: features that B does not have */
	feature_set unknown_in_a; /* bits of B: features that A does not have */
	bool other_kernel;        /* both kernels are known, and differ */
	size_t lost;	 /* sum of the lost features of all links, including missing links */
	size_t unlisted; /* sum of the features that may be lost: see DIFF_UNLISTED */
};

/* Compares two snapshots. *ret: the caller's to diff_clear(). 0; -ENOMEM; -EOPNOTSUPP: by role, but one is
 * SNAPSHOT_ETHTOOL, without the stack. */
int diff_make(const struct snapshot *a, const struct snapshot *b,
	const struct diff_options *options, struct diff *ret);
/* Frees the members, and zeroes the diff. */
void diff_clear(struct diff *d);

/* Is there any difference, including links that were not compared? */
bool diff_any(const struct diff *d);

/* "lost", "unlisted", "gained", "changed", "requested", "fixed": as in documents. Static. */
const char *diff_change_name(enum diff_change change);
/* "on", "off [fixed]", "off [requested on]", "not listed": as in ethtool -k. Static. */
const char *diff_state_name(unsigned state);

#endif
