/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What rules would do on hosts that are known from their snapshots only: one plan for each host, and the effects of all
 * plans, grouped. Reads rule files, and nothing of this host. */
#ifndef OFFLOADD_REHEARSAL_H
#define OFFLOADD_REHEARSAL_H

#include "compare/snapshot.h"
#include "plan/plan.h"

#define REHEARSAL_WORDS_MAX 192 /* different words for features and limits, over all hosts */

/* A set of words: bit i is rehearsal.words[i]. */
struct rehearsal_words {
	uint64_t bits[REHEARSAL_WORDS_MAX / 64];
};

/* In the order of their importance. */
enum rehearsal_what {
	REHEARSAL_UNREAD,      /* the snapshot has no features of the link */
	REHEARSAL_UNMET,       /* a rule declares what is not possible: see verdict and cause */
	REHEARSAL_SIDE_EFFECT, /* no rule declares it, and it would change */
	REHEARSAL_CHANGE,      /* would be changed as declared; in audit mode: would be reported */
};
#define REHEARSAL_WHATS 4

/* Links for which the same would happen, for the same reason. Zero the whole struct, padding included, before setting members:
 * it is a hash key, compared by byte. */
struct rehearsal_key {
	enum rehearsal_what what;
	enum verdict verdict; /* UNMET, CHANGE */
	enum cause cause;
	bool uncertain; /* it depends on what user space cannot read, or on what another kernel would have */
	bool audit;
	char kind[LINK_KIND_LEN], driver[LINK_DRIVER_LEN];
	char rule[64];			/* file, "" for a side effect; truncated */
	struct rehearsal_words on, off; /* declared, or turned, on and off; limits are in `on` */
};

struct rehearsal_effect {
	struct rehearsal_key key;
	size_t hosts, links;
	/* an example: the first host and link */
	size_t host;
	char link[LINK_NAME_LEN];
	struct plan_item item;		     /* what == UNMET or CHANGE; borrows from the rules of the rehearsal */
	const struct feature_table *table;   /* of the kernel of that host, the rehearsal's */
	size_t last_host;		     /* private */
	UT_hash_handle hh;
};

struct rehearsal_host {
	char *path;	  /* of its snapshot, sanitized */
	char *error;	  /* why there is no plan; NULL: there is one */
	char name[65], kernel[65];
	int64_t taken;		      /* CLOCK_REALTIME in seconds, 0: not known */
	size_t counts[VERDICT_COUNT]; /* declared features and limits */
	size_t links;		      /* that a rule applies to */
	size_t changes;		      /* links that would be changed, or reported in audit mode */
	size_t side_effects;	      /* links */
	size_t uncertain;	      /* declared features and limits whose prediction is uncertain */
	size_t unread;		      /* links without features */
	bool incomplete;	      /* a rule asks for what its snapshot does not have: default routes, forwarding, ids and versions of devices */
	int exit_code;		      /* of `offloadctl plan` there */
	uint64_t *shapes;	      /* hashes of the shapes of its links, sorted, each once */
	size_t n_shapes;
};

/* The rules as the kernel of some hosts reads them. */
struct rehearsal_rules {
	struct feature_table table;
	struct rule_set set;
	struct rehearsal_rules *next;
};

struct rehearsal {
	const char *const *dirs; /* of rules, as for rule_set_load() */
	const char *kernel;	 /* the release to predict for; NULL: the one of each snapshot */
	int64_t now;		 /* CLOCK_REALTIME in seconds, for Until= */
	struct rehearsal_rules *rules;
	char words[REHEARSAL_WORDS_MAX][48];
	size_t n_words;
	struct rehearsal_effect *effects; /* uthash by key; rehearsal_sort() orders them */
	struct rehearsal_host *hosts;
	size_t n_hosts;
};

/* dirs and kernel are borrowed until rehearsal_clear(). */
void rehearsal_begin(struct rehearsal *r, const char *const *dirs, const char *kernel, int64_t now);
void rehearsal_clear(struct rehearsal *r);

/* Plans for the host of a snapshot. path: its name for messages. 0; -ENOMEM; -E2BIG: more than REHEARSAL_WORDS_MAX words. */
int rehearsal_add(struct rehearsal *r, const char *path, const struct snapshot *s);
/* Counts a host whose snapshot cannot be used, with the reason. 0 or -ENOMEM. */
int rehearsal_add_unusable(struct rehearsal *r, const char *path, const char *why);

/* Orders the effects: most important first, then those of most hosts. */
void rehearsal_sort(struct rehearsal *r);

/* The rules as the kernel with this table reads them, loaded once for each table; owned by the rehearsal. NULL: no memory. */
const struct rule_set *rehearsal_load_rules(struct rehearsal *r, const struct feature_table *table);

/* What a plan for the host of a snapshot needs: the features of its kernel, or of rehearsal.kernel; its links, which
 * link_table_clear() frees; and the host for rules. 0 or -ENOMEM. */
int rehearsal_prepare(const struct rehearsal *r, const struct snapshot *s, struct feature_table *ret_features,
	struct link_table *ret_links, struct rule_host *ret_host);
/* Marks as uncertain what such a plan cannot know about another kernel: what its drivers offer, and what depends on that.
 * 0 or -ENOMEM. */
int rehearsal_mark(const struct rehearsal *r, const struct snapshot *s, struct link_table *links, struct plan *plan);
/* Does it begin like a kernel release, "6.12"? */
bool rehearsal_is_release(const char *text);

struct rehearsal_summary {
	size_t match;	 /* hosts that certainly match the rules */
	size_t change;	 /* would change, or be reported */
	size_t unmet;	 /* something declared is not possible; may be in `change`, too */
	size_t no_rules; /* no rule applies; they do not count as matching */
	size_t unread;	 /* a link's features are missing */
	size_t incomplete; /* lack what a rule asks for; they do not count as matching */
	size_t unusable; /* no plan */
	size_t uncertain; /* with an uncertain prediction; they do not count as matching */
	int exit_code;	 /* as for plan, over all hosts; 1 with unusable snapshots, unread links or errors in rules */
};
void rehearsal_summarize(const struct rehearsal *r, struct rehearsal_summary *ret);

/* Chooses at most n hosts (0: as many as it takes) that together have as many of the shapes of links as possible: it repeatedly adds
 * the host with the most shapes that no chosen host has yet. A shape is kind and driver of a link and of
 * everything below it, and the kernel series. ret: room for n_hosts indexes. Returns how many were chosen; *ret_covered,
 * *ret_shapes: shapes that they have, and all. 0 hosts or no memory: 0. */
size_t rehearsal_sample(const struct rehearsal *r, size_t n, size_t *ret, size_t *ret_covered, size_t *ret_shapes);

/* "tso, tx-vlan-offload"; "" for an empty set. Returns buf. */
const char *rehearsal_format(const struct rehearsal *r, const struct rehearsal_words *words, char *buf, size_t size);
/* "unread", "unmet", "side-effect", "change". Static. */
const char *rehearsal_what_name(enum rehearsal_what what);

#endif
