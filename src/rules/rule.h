/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules in memory: which links they match and what they declare. Pure; rule_file.c reads them from
 * files. */
#ifndef OFFLOADD_RULE_H
#define OFFLOADD_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/feature.h"
#include "model/link.h"

enum rule_value { RULE_UNSET, RULE_OFF, RULE_ON, RULE_LOWER };

enum rule_mode { RULE_MODE_ENFORCE, RULE_MODE_AUDIT };

enum rule_role { /* bits */
	RULE_ROLE_DEFAULT_ROUTE = 1,
	RULE_ROLE_BRIDGE_PORT = 2,
	RULE_ROLE_BOND_PORT = 4,
	RULE_ROLE_VLAN_LOWER = 8,
};

/* One feature word of a rule. */
struct rule_feature {
	char *word; /* as written: kernel name or alias */
	enum feature_word word_kind;
	feature_set bits; /* what it stands for on this kernel; empty for FOREIGN */
	enum rule_value value;
	unsigned line;
};

/* Space-separated shell globs, "!glob" excludes; each NULL when the key was not given. What a link
 * has not (a lower, a master, an address, a driver) matches no list, not even one of exclusions. */
struct rule_match {
	char *kind, *name, *driver, *mac_address, *lower_kind, *lower_driver, *master_kind;
	char *kernel_version; /* ">=5.10 <7", all must hold */
	char *host;           /* over the host name */
	char *virtualization; /* words of systemd-detect-virt, and yes no vm container; no globs */
	unsigned roles;       /* enum rule_role bits, any may hold; 0 when not given */
};

struct rule {
	char *file;        /* "10-vlan.rule", what orders and names it */
	char *path;        /* where it was read from */
	char *description; /* NULL when not given */
	char *reason;      /* NULL when not given */
	enum rule_mode mode;
	int64_t until; /* first second after the Until= day, UTC, as time_t; 0 when not given */
	struct rule_match match;
	struct rule_feature *features;
	size_t n_features;
};

/* One complaint about a rule file, ready to print as "path:line: message"; line 0 means the whole
 * file. */
struct rule_error {
	char *path;
	unsigned line;
	char *message;
};

struct rule_set {
	struct rule *rules; /* in file-name order */
	size_t n_rules;
	struct rule_error *errors;
	size_t n_errors;
};

/* What a rule can ask about the host besides its links; the caller fills it once (rule_host_read in
 * observe.h). */
struct rule_host {
	char kernel_release[65]; /* uname -r */
	char host_name[65];
	char virtualization[32]; /* "none" or what systemd-detect-virt would say; "" when not known
				  */
};

/* What the rules declare for one feature of one link. */
struct declaration {
	enum rule_value value;              /* RULE_UNSET: nobody names it, never touch it */
	const struct rule *rule;            /* the last rule that names it, which wins */
	const struct rule_feature *feature; /* its word there */
};

void rule_set_clear(struct rule_set *set);

/* Does what the rule asks of the host (Host=, KernelVersion=, Virtualization=) hold here? */
bool rule_is_for_host(const struct rule *rule, const struct rule_host *host);

/* How many links of the table it matches; needs a stacked table. */
size_t rule_count_links(
	const struct rule *rule, const struct link_table *table, const struct rule_host *host);

/* All keys of [Match] hold for the link and the host. Needs a stacked table. */
bool rule_matches(const struct rule *rule, const struct link_table *table, const struct link *link,
	const struct rule_host *host);

/* Fills declarations[0..FEATURE_MAX) for one link. Of all rules that match, the last one that names
 * a feature wins; within one rule a feature's own name outranks an alias. foreign (may be NULL, n
 * its capacity) gets the words that match this link but stand for nothing on this kernel; returns
 * how many there are. Needs a stacked table. */
size_t rule_set_declare(const struct rule_set *set, const struct link_table *table,
	const struct link *link, const struct rule_host *host, struct declaration *declarations,
	struct declaration *foreign, size_t n);

/* Does any rule look at default routes? Then observe follows them. */
bool rule_set_needs_routes(const struct rule_set *set);

/* The words that Virtualization= can ask for, NULL past the last. */
const char *rule_virtualization_word(size_t i);

/* Frees what a rule holds, not itself. */
void rule_clear(struct rule *rule);

/* "on", "off", "lower", "unset". */
const char *rule_value_name(enum rule_value value);

/* Space-separated globs with "!" exclusions: matches when no exclusion does and (there are only
 * exclusions or one glob does). NULL patterns match everything. */
bool rule_glob_list(const char *patterns, const char *text);

/* "5.10.0-32-amd64" against ">=5.10 <7": 1 when every condition holds, 0, -EINVAL when one cannot
 * be read. As many numbers are compared as the condition has, so that =6.1 and <=6.1 hold for all
 * of 6.1.x; what a release lacks is 0. Conditions: < <= = !=
 * >= >, no sign means =. */
int rule_kernel_matches(const char *conditions, const char *release);

#endif
