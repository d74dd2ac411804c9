/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names and sets of offload features.
 *
 * Bit numbers and names come from the running kernel (string set ETH_SS_FEATURES, netdev_features_strings[]
 * in net/ethtool/common.c). They differ between kernels, so no code uses a fixed bit number. A set is a u64,
 * like the kernel's netdev_features_t. */
#ifndef OFFLOADD_FEATURE_H
#define OFFLOADD_FEATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_writer;
struct json_value;

#define FEATURE_MAX 64
#define FEATURE_NAME_LEN 32 /* ETH_GSTRING_LEN, with its terminator */

/* A set of features. Bit numbers are those of the table it was read with. */
typedef uint64_t feature_set;

#define FEATURE(bit) (UINT64_C(1) << (bit))
/* Iterates over the bits of a set, lowest first; bit is an unsigned. */
#define feature_foreach(bit, set)                                                                  \
	for (feature_set _rest = (set); _rest && ((bit) = (unsigned)__builtin_ctzll(_rest), true);  \
		_rest &= _rest - 1)

/* The feature names of a kernel; "" for a bit that it does not use. */
struct feature_table {
	unsigned count; /* bits of the kernel, used or not; at most FEATURE_MAX */
	char name[FEATURE_MAX][FEATURE_NAME_LEN];
};

/* The features of a link (ETHTOOL_MSG_FEATURES_GET; struct net_device in the kernel). */
struct link_features {
	feature_set hw;	      /* can be changed (hw_features without NETIF_F_NEVER_CHANGE) */
	feature_set wanted;   /* requested (wanted_features) */
	feature_set active;   /* on (features) */
	feature_set nochange; /* can never be changed (NETIF_F_NEVER_CHANGE) */
};

enum feature_word {
	FEATURE_WORD_NAME,    /* the name of one feature of this kernel */
	FEATURE_WORD_ALIAS,   /* a word of ethtool for one or several features */
	FEATURE_WORD_FOREIGN, /* a feature of other kernels */
	FEATURE_WORD_UNKNOWN, /* no known kernel has it */
};

/* Sets the name of a bit, from len bytes at name. 0; -EINVAL for an empty name or a bit from FEATURE_MAX. */
int feature_table_add(struct feature_table *table, unsigned bit, const char *name, size_t len);

/* The bit of a name; -ENOENT if the table does not have it. */
int feature_bit(const struct feature_table *table, const char *name);

/* The same as a set, empty if the table does not have it. */
feature_set feature_named(const struct feature_table *table, const char *name);

/* Looks up a word of a rule or of the command line. *ret_set gets its features in this table: several for an
 * alias, none for FOREIGN and UNKNOWN. Aliases are those of ethtool: rx tx sg tso ufo gso gro lro rxvlan
 * txvlan ntuple rxhash, and their long forms in ethtool -k (scatter-gather, ...). */
enum feature_word feature_parse(
	const struct feature_table *table, const char *word, feature_set *ret_set);

/* Entry i of the names of all known kernels, sorted; NULL after the last. Static. */
const char *feature_known(size_t i);
/* The known names that a word stands for, as 1 << i: the name itself, or all names of an alias. */
feature_set feature_known_set(const char *word);

enum feature_presence { FEATURE_ABSENT, FEATURE_PRESENT, FEATURE_PRESENCE_UNKNOWN };
/* Has a kernel of this release (major << 8 | minor) the feature? Known for the releases on which it was tested, 5.10, 6.1, 6.12
 * and 7.2, and between two of them that agree. */
enum feature_presence feature_in_release(const char *name, unsigned release);

/* The valid word nearest to an unknown one; NULL if none is near. Static. */
const char *feature_nearest(const char *word);

/* Formats the names of a set, lowest bit first: "a, b, c", "none" if it is empty, truncated with "..." to fit
 * into size bytes. Returns buf. */
const char *feature_format(
	const struct feature_table *table, feature_set set, char *buf, size_t size);

/* The name of a bit, or "bit-N" if it has none; a text that is valid until four more such calls. */
const char *feature_name(const struct feature_table *table, unsigned bit);

/* Writes a list of the names of a set, lowest bit first. key: see basic/json.h. */
void feature_add_names(
	struct json_writer *w, const char *key, const struct feature_table *table, feature_set set);
/* Reads such a list. Names that the table does not have are ignored. */
feature_set feature_get_names(const struct json_value *list, const struct feature_table *table);

struct feature_alias {
	const char *word;      /* "tso" */
	const char *long_word; /* "tcp-segmentation-offload" */
	const char *pattern;   /* "tx-tcp*-segmentation", fnmatch(3) over kernel names */
};
/* The same word for all names of the same features: the kernel name of a single feature, else the short word of ethtool. Borrowed
 * from word or static. */
const char *feature_canonical(const char *word);
/* Entry i of the aliases, in the order of ethtool -k; NULL after the last. Static. */
const struct feature_alias *feature_alias(size_t i);

#endif
