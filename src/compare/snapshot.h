/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host at one moment: its links, their stack and features, and the rules in force. Made from the link
 * table, a document (snapshot_json.h) or the output of `ethtool -k`. Bits are those of the kernel of that
 * host: use them with the table of the snapshot only. Pure. */
#ifndef OFFLOADD_SNAPSHOT_H
#define OFFLOADD_SNAPSHOT_H

#include "model/link.h"
#include "rules/rule.h"

#define SNAPSHOT_BYTES_MAX (16 << 20) /* of a file */
#define SNAPSHOT_LINKS_MAX 16384
#define SNAPSHOT_RULES_MAX 1024
#define SNAPSHOT_ALT_NAMES_MAX 128 /* of one link */
#define SNAPSHOT_WORDS_MAX 256 /* of one rule */

enum snapshot_form {
	SNAPSHOT_HOST,	   /* this host */
	SNAPSHOT_DOCUMENT, /* from `offloadctl snapshot` */
	SNAPSHOT_ETHTOOL   /* from `ethtool -k`: without kinds, stack, rules, kernel, and `nochange` of features */
};

#define SNAPSHOT_UNNAMED "(unnamed)" /* the interface of a text that does not name it */

struct snapshot_link {
	char name[LINK_NAME_LEN]; /* sanitized, as all names here */
	char kind[LINK_KIND_LEN], driver[LINK_DRIVER_LEN];
	char lower[LINK_NAME_LEN], master[LINK_NAME_LEN]; /* "" for none */
	bool lower_elsewhere;                             /* the lower link is in another namespace */
	char address[3 * LINK_ADDRESS_LEN];		  /* "aa:bb:...", "" for none */
	char *alt_names;				  /* as in struct link, owned; NULL: none */
	struct link_hardware hardware;			  /* of a device on a bus; known only with snapshot.hardware */
	bool default_route, forwards;			  /* known only with snapshot.routes, .forwarding */
	bool xdp;
	int64_t macsec_offload; /* as in struct link */
	unsigned vlan_id;                                 /* 0 for other kinds */
	bool has_features;
	char error[64]; /* why it has no features, "" if not known */
	struct link_features features;
	struct link_limits limits; /* has: those that are known */
	/* SNAPSHOT_ETHTOOL */
	feature_set listed;	    /* the features listed for this link */
	unsigned groups, groups_on; /* bit i: feature_alias(i) is listed, and is on; only aliases of several features */
};

struct snapshot_word {
	char *word;
	enum rule_value value;
	uint32_t number; /* RULE_NUMBER, of a limit */
};

struct snapshot_rule {
	char *file, *path;
	char *description, *reason; /* NULL: not set */
	enum rule_mode mode;
	struct snapshot_word *words; /* the features and limits that it declares */
	size_t n_words;
};

struct snapshot {
	enum snapshot_form form;
	int64_t taken;   /* CLOCK_REALTIME in seconds, 0: not known */
	char host[65];   /* host, kernel and virtualization are "" if not known */
	char kernel[65]; /* uname -r */
	char virtualization[32];
	struct feature_table features;
	struct snapshot_link *links;
	size_t n_links;
	struct snapshot_rule *rules; /* in file-name order */
	size_t n_rules;
	bool routes, forwarding, hardware; /* default_route, forwards and hardware of the links are known */
	/* SNAPSHOT_ETHTOOL */
	unsigned lines_used, lines_skipped; /* without empty lines */
	feature_set unknown;		    /* features that no known kernel has */
};

/* Makes a snapshot of this host; now: CLOCK_REALTIME in seconds. whole: the links have what any rule may ask for, otherwise what these
 * rules ask for (rule_set_needs_routes(), ...). Everything is copied. Stacks the table if
 * needed. *ret: the caller's to snapshot_clear(). 0; -ENOMEM; -E2BIG: more than SNAPSHOT_LINKS_MAX links. */
int snapshot_take(const struct feature_table *features, struct link_table *links,
	const struct rule_set *rules, const struct rule_host *host, int64_t now, bool whole,
	struct snapshot *ret);
/* Frees the members, and zeroes the snapshot. */
void snapshot_clear(struct snapshot *s);

/* Removes all links except the n named ones, the links below them, and the ports of masters among these.
 * *ret_missing: the first name without a link (borrowed; nothing is removed then), else NULL. 0 or
 * -ENOMEM. */
int snapshot_keep(struct snapshot *s, char *const *names, size_t n, const char **ret_missing);

/* Adds an empty link, owned by the snapshot and valid until the next call. NULL: no memory, or
 * SNAPSHOT_LINKS_MAX is reached. */
struct snapshot_link *snapshot_add_link(struct snapshot *s);

/* Parses the output of `ethtool -k`, for one interface or several, as people paste it: with prompts, quote marks,
 * notes, escape codes and text of any kind around it, from any version of ethtool, also its --json, and features as
 * Ansible, Talos, nmstate and tables have them. len: bytes. known: feature names to know besides those of known kernels, may be
 * empty; names that nothing knows are kept. *ret: the caller's to snapshot_clear(). 0; -ENOMEM; with the
 * reason in why: -ENODATA: no feature; -EBADMSG: a feature of an interface twice, with different values. */
#define SNAPSHOT_TWICE " twice, with different values" /* in `why` in the latter case, after "line N:" unless it is in JSON */
int snapshot_parse_ethtool(const char *text, size_t len, const struct feature_table *known,
	struct snapshot *ret, char *why, size_t why_size);

/* All features in the table of the snapshot. */
feature_set snapshot_named(const struct snapshot *s);

/* The features whose state on the link is known. */
feature_set snapshot_listed(const struct snapshot *s, const struct snapshot_link *link);

/* The features that can be changed: hw without nochange. */
feature_set snapshot_changeable(const struct snapshot_link *link);

#endif
