/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names and sets of offload features.
 *
 * Bit numbers and names are the running kernel's own (string set ETH_SS_FEATURES, netdev_features_strings[] in
 * net/ethtool/common.c); they differ between kernels, so nothing here or elsewhere names a bit by number. The kernel
 * keeps a device's features in a u64 (netdev_features_t), and so do we. */
#ifndef OFFLOADD_FEATURE_H
#define OFFLOADD_FEATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_writer;
struct json_value;

#define FEATURE_MAX 64
#define FEATURE_NAME_LEN 32 /* ETH_GSTRING_LEN, with its terminator */

/* A set of features, one bit each, numbered as in the table that it was read with. */
typedef uint64_t feature_set;

#define FEATURE(bit) (UINT64_C(1) << (bit))
/* for every bit of a set, lowest first: feature_foreach(bit, set) { ... } */
#define feature_foreach(bit, set)                                                                  \
	for (feature_set _rest = (set); _rest && ((bit) = (unsigned)__builtin_ctzll(_rest), true);  \
		_rest &= _rest - 1)

/* The kernel's features: name[bit] is "" where the kernel leaves a number unused. */
struct feature_table {
	unsigned count; /* bits that the kernel counts, at most FEATURE_MAX */
	char name[FEATURE_MAX][FEATURE_NAME_LEN];
};

/* What a device says of its features (ETHTOOL_MSG_FEATURES_GET; struct net_device of the kernel). */
struct link_features {
	feature_set hw;	      /* can be toggled (hw_features, without what never changes) */
	feature_set wanted;   /* what was asked for (wanted_features) */
	feature_set active;   /* what is on (features) */
	feature_set nochange; /* no user may ever change these (NETIF_F_NEVER_CHANGE) */
};

enum feature_word {
	FEATURE_WORD_NAME,    /* the kernel's own name of one feature */
	FEATURE_WORD_ALIAS,   /* a word of ethtool's that stands for one feature or more */
	FEATURE_WORD_FOREIGN, /* a feature that other kernels have, this one has not */
	FEATURE_WORD_UNKNOWN, /* no kernel knows it */
};

/* Stores the kernel's name of one bit. -EINVAL for a bit from FEATURE_MAX on or an empty name. */
int feature_table_add(struct feature_table *table, unsigned bit, const char *name, size_t len);

/* Bit of a name, -ENOENT when this kernel has no such feature. */
int feature_bit(const struct feature_table *table, const char *name);

/* The set of one named feature, empty when this kernel has it not. */
feature_set feature_named(const struct feature_table *table, const char *name);

/* What a word of a rule or a command line means: ret_set gets the features that it stands for (for an alias:
 * those of its members that this kernel has; empty for FOREIGN and UNKNOWN). Aliases are ethtool's: rx tx sg
 * tso ufo gso gro lro rxvlan txvlan ntuple rxhash, and their long forms as ethtool -k prints them
 * (scatter-gather, ...). */
enum feature_word feature_parse(
	const struct feature_table *table, const char *word, feature_set *ret_set);

/* The valid word nearest to a wrong one, NULL when none is near. */
const char *feature_nearest(const char *word);

/* Writes the names of a set as "a, b, c" (kernel names, lowest bit first), "none" for an empty one; cut with
 * "..." where it does not fit. Returns buf. */
const char *feature_format(
	const struct feature_table *table, feature_set set, char *buf, size_t size);

/* "name" of one bit, "bit-N" where the kernel gave it no name. Static storage of the table or of a small
 * ring. */
const char *feature_name(const struct feature_table *table, unsigned bit);

/* A list of the names of a set, lowest bit first, as a member of what is being written. */
void feature_add_names(
	struct json_writer *w, const char *key, const struct feature_table *table, feature_set set);
/* The set that such a list names, without what this kernel has not and what is no name. */
feature_set feature_get_names(const struct json_value *list, const struct feature_table *table);

/* The table of aliases, in ethtool -k's order; entry i, NULL past the last. */
struct feature_alias {
	const char *word;      /* "tso" */
	const char *long_word; /* "tcp-segmentation-offload" */
	const char *pattern;   /* "tx-tcp*-segmentation", fnmatch(3) over kernel names */
};
const struct feature_alias *feature_alias(size_t i);

#endif
