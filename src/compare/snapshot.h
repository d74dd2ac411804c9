/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What matters of a host at one time: its links, how they are stacked, their features, the rules in
 * force. Made from the model, read from a document (snapshot_json.h) or from the text of `ethtool
 * -k`. Features are those of the kernel it was taken on, by name: bits mean something only with the
 * snapshot's own table. Pure. */
#ifndef OFFLOADD_SNAPSHOT_H
#define OFFLOADD_SNAPSHOT_H

#include "model/link.h"
#include "rules/rule.h"

#define SNAPSHOT_BYTES_MAX (16 << 20) /* of a document or a text */
#define SNAPSHOT_LINKS_MAX 16384
#define SNAPSHOT_RULES_MAX 1024
#define SNAPSHOT_WORDS_MAX 256 /* of one rule */

enum snapshot_form {
	SNAPSHOT_HOST,
	SNAPSHOT_DOCUMENT,
	SNAPSHOT_ETHTOOL /* knows neither kinds, stack, rules nor the kernel, and of the four sets
			    hw, wanted and active */
};

struct snapshot_link {
	char name[LINK_NAME_LEN]; /* clean */
	char kind[LINK_KIND_LEN], driver[LINK_DRIVER_LEN];
	char lower[LINK_NAME_LEN], master[LINK_NAME_LEN]; /* "" when none */
	bool lower_elsewhere;                             /* it stands in another namespace */
	unsigned vlan_id;                                 /* 0 when not a vlan */
	bool has_features;
	char error[64]; /* why it has none, "" */
	struct link_features features;
	feature_set listed; /* of a text: the features that it shows of this link */
};

struct snapshot_word {
	char *word;
	enum rule_value value;
};

struct snapshot_rule {
	char *file, *path;
	char *description, *reason; /* NULL when not given */
	enum rule_mode mode;
	struct snapshot_word *words; /* what it declares */
	size_t n_words;
};

struct snapshot {
	enum snapshot_form form;
	int64_t taken;   /* CLOCK_REALTIME seconds, 0 when not known */
	char host[65];   /* "" when not known, as the next two */
	char kernel[65]; /* uname -r */
	char virtualization[32];
	struct feature_table features;
	struct snapshot_link *links;
	size_t n_links;
	struct snapshot_rule *rules; /* in file-name order */
	size_t n_rules;
};

/* 0 or -ENOMEM. Stacks the table when needed. */
int snapshot_take(const struct feature_table *features, struct link_table *links,
	const struct rule_set *rules, const struct rule_host *host, int64_t now,
	struct snapshot *ret);
void snapshot_clear(struct snapshot *s);

/* Keeps the links of these names and what they stand on. *ret_missing: the first name that there is
 * not, NULL. 0 or -ENOMEM. */
int snapshot_keep(struct snapshot *s, char *const *names, size_t n, const char **ret_missing);

/* Adds one link without features; NULL where memory or the limit ran out. */
struct snapshot_link *snapshot_add_link(struct snapshot *s);

/* Reads what `ethtool -k LINK` prints, of one link or several. known: names to accept besides those
 * that any known kernel has, may be empty. 0, -ENOMEM, -EBADMSG with the reason and its line in
 * why. */
int snapshot_parse_ethtool(const char *text, size_t len, const struct feature_table *known,
	struct snapshot *ret, char *why, size_t why_size);

/* Every feature of the kernel that has a name. */
feature_set snapshot_named(const struct snapshot *s);

/* Features of which the snapshot says how they stand on a link of it. */
feature_set snapshot_listed(const struct snapshot *s, const struct snapshot_link *link);

/* Features that a user may change: hw without what never changes. */
feature_set snapshot_changeable(const struct snapshot_link *link);

#endif
