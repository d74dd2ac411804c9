/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules: which links they match, and what they declare. Pure; rule_file.c reads the files. */
#ifndef OFFLOADD_RULE_H
#define OFFLOADD_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "basic/file.h"
#include "model/feature.h"
#include "model/link.h"

/* RULE_NUMBER: of limits only, which are never on or off */
enum rule_value { RULE_UNSET, RULE_OFF, RULE_ON, RULE_LOWER, RULE_LOWER_ALL, RULE_NUMBER };

enum rule_mode { RULE_MODE_ENFORCE, RULE_MODE_AUDIT };

enum rule_role { /* bits */
	RULE_ROLE_DEFAULT_ROUTE = 1,
	RULE_ROLE_BRIDGE_PORT = 2,
	RULE_ROLE_BOND_PORT = 4,
	RULE_ROLE_VLAN_LOWER = 8,
	RULE_ROLE_OVS_PORT = 16,
	RULE_ROLE_FAILOVER_VF = 32, /* a VF below a netvsc or net_failover */
};

/* The keys of [Match]. Those from RULE_NAMESPACE on are about the network namespace, those from RULE_KERNEL_VERSION on about the host. */
enum rule_key {
	RULE_KIND, RULE_NAME, RULE_DRIVER, RULE_MAC_ADDRESS, RULE_LOWER_KIND, RULE_LOWER_DRIVER, RULE_MASTER_KIND,
	RULE_MASTER_DRIVER, RULE_ROLE, RULE_PATH, RULE_DEVICE, RULE_FIRMWARE, RULE_DRIVER_VERSION,
	RULE_NAMESPACE, RULE_CONTAINER, RULE_UNIT, RULE_IMAGE,
	RULE_KERNEL_VERSION, RULE_KERNEL_RELEASE, RULE_HOST, RULE_VIRTUALIZATION,
};
#define RULE_KEYS 21
#define RULE_KEY(key) (1u << (key))
#define RULE_NETNS_KEYS (RULE_KEY(RULE_KERNEL_VERSION) - RULE_KEY(RULE_NAMESPACE))

/* One word of [Features] or [Limits]. */
struct rule_feature {
	char *word; /* as written: a kernel name or an alias; the name of a limit */
	enum feature_word word_kind;
	feature_set bits; /* its features on this kernel; empty for FOREIGN */
	enum rule_value value;
	uint32_t number; /* RULE_NUMBER */
	unsigned line;
};

/* Sizes in rules. The lower bound is above MAX_TCP_HEADER of every architecture: with less, TCP cannot send, because
 * kernels that accept it subtract MAX_TCP_HEADER and get a negative size. The upper bounds are GSO_MAX_SIZE and
 * GSO_MAX_SEGS. */
#define RULE_LIMIT_SIZE_MIN 1024
#define RULE_LIMIT_SIZE_MAX 524280
#define RULE_LIMIT_SEGS_MAX 65535

/* [Match]. Most values are lists of shell globs, separated by spaces; "!glob" excludes. A list never matches a link that
 * does not have the attribute (lower link, master, address, driver), even if it has exclusions only. */
struct rule_match {
	unsigned keys; /* RULE_KEY() of those that are used */
	char *value[RULE_KEYS]; /* as written; NULL: not used */
	unsigned line[RULE_KEYS];
	unsigned roles; /* of RULE_ROLE: bits of enum rule_role, one must be true */
};

struct rule {
	char *file;        /* "10-vlan.rule": the name of the rule, and its order */
	char *path;        /* of the file, sanitized */
	char *description; /* NULL: not set */
	char *reason;      /* NULL: not set */
	enum rule_mode mode;
	int64_t until; /* the end of the Until= day, UTC, as time_t; 0: not set */
	struct rule_match match;
	struct rule_feature *features;
	size_t n_features;
	struct rule_feature limits[LINK_LIMIT_SETTABLE]; /* [Limits], by enum link_limit; word NULL: not declared */
	unsigned has_limits; /* LINK_LIMIT() of those that are declared */
};

/* An error in a rule file, for output as "path:line: message". Sanitized; line 0 is the whole file. */
struct rule_error {
	char *path;
	unsigned line;
	char *message;
};

struct rule_set {
	enum file_trust trust; /* of the directories */
	struct rule *rules; /* in file-name order */
	size_t n_rules;
	struct rule_error *errors;
	size_t n_errors;
	/* likely mistakes in valid rules: rule_set_load() finds those that a single line shows, plan/doubt.h the rest */
	struct rule_error *warnings;
	size_t n_warnings;
};

/* What rules can match about a network namespace that is not the own one of the daemon or command. Borrowed texts, "" if it has none or
 * it is not known. The owner of a container may choose its name, unit and image freely: they identify nothing. */
struct rule_netns {
	const char *name;	  /* in ip-netns(8) */
	const char *container;	  /* name */
	const char *container_id; /* or the name again */
	const char *unit;	  /* systemd's: "web.service", "docker-ID.scope" */
	const char *image;
};

/* What rules can match besides links. Filled once, by rule_host_read() in kernel/observe.h. */
struct rule_host {
	char kernel_release[65]; /* uname -r */
	/* An enterprise kernel, with many backports from later releases: "5.14.0-427.el9.x86_64". kernel/trial.h then tries out
	 * what its release does not show. */
	bool backports;
	enum rule_trial { TRIAL_UNKNOWN, TRIAL_NO, TRIAL_YES } udp_needs_checksum; /* UDP segmentation is off without a checksum */
	char host_name[65];
	char virtualization[32]; /* as systemd-detect-virt(1) prints it, or "none"; "" if not known */
	const struct rule_netns *netns; /* borrowed; NULL: the own network namespace of the daemon or command */
};

#define RULE_FOREIGN_MAX 64 /* features that this kernel does not have, of one link */

/* What the rules declare for one feature of one link. Pointers are into the rule set. */
struct declaration {
	enum rule_value value;              /* RULE_UNSET: no rule declares it, and it is never changed */
	const struct rule *rule;            /* the last rule that declares it, which wins */
	const struct rule_feature *feature; /* the word in that rule */
};

/* Frees all rules and errors, and empties the set. */
void rule_set_clear(struct rule_set *set);

/* Do two sets declare the same? Descriptions, reasons and dates may differ. */
bool rule_set_is_equal(const struct rule_set *a, const struct rule_set *b);

/* Does the rule match the host and its network namespace (Namespace= to Virtualization=)? */
bool rule_is_for_host(const struct rule *rule, const struct rule_host *host);

/* Does the rule match the network namespace (NULL: the own one)? A rule without Namespace=, Container=, Unit= and Image= matches the own one
 * only, and one with any of them matches the own one only by a word of Namespace=: "host" or "any". */
bool rule_is_for_netns(const struct rule *rule, const struct rule_netns *netns);

/* "Kind": as in files. Static. */
const char *rule_key_name(enum rule_key key);
/* Does a link, on this host, have what one key of the rule asks for? True for a key that is not used. The table must be stacked. */
bool rule_key_matches(const struct rule *rule, enum rule_key key, const struct link_table *table, const struct link *link,
	const struct rule_host *host);
/* Why does a rule match no link: the keys that no link here satisfies, as RULE_KEY(); if each is satisfied by some link, but no
 * link satisfies all, every key of the rule. RULE_NAMESPACE that the rule does not have: it is for the own network namespace only. 0: it
 * matches links. The table must be stacked. */
unsigned rule_find_missing(const struct rule *rule, const struct link_table *table, const struct rule_host *host);

/* The number of links that the rule matches. The table must be stacked. */
size_t rule_count_links(
	const struct rule *rule, const struct link_table *table, const struct rule_host *host);

/* Do all keys of [Match] match the link and the host? The table must be stacked. */
bool rule_matches(const struct rule *rule, const struct link_table *table, const struct link *link,
	const struct rule_host *host);

/* Fills declarations[0..FEATURE_MAX) for one link. The last matching rule that declares a feature wins;
 * within one rule, its name has priority over an alias. foreign (an array of n elements, or NULL) gets the
 * declared features that this kernel does not have; returns their number, which may be greater than n. The
 * table must be stacked. */
size_t rule_set_declare(const struct rule_set *set, const struct link_table *table,
	const struct link *link, const struct rule_host *host, struct declaration *declarations,
	struct declaration *foreign, size_t n);

/* Fills declarations[] for the limits of one link: the last matching rule that declares a limit wins. */
void rule_set_declare_limits(const struct rule_set *set, const struct link_table *table, const struct link *link,
	const struct rule_host *host, struct declaration declarations[LINK_LIMIT_SETTABLE]);

/* Does any rule apply in network namespaces other than the own one? */
bool rule_set_needs_namespaces(const struct rule_set *set);
/* Does any rule match what link.hardware has? Then kernel/observe.c must read it. */
bool rule_set_needs_hardware(const struct rule_set *set);
/* Does any rule depend on the name of a link, or on what udev finds out with it? Then kernel/observe.c must know whether it is final. */
bool rule_set_needs_names(const struct rule_set *set);
/* Does any rule match default routes? Then kernel/observe.c must read them. */
bool rule_set_needs_routes(const struct rule_set *set);
/* Does any rule turn LRO on? Then kernel/observe.c must read which links forward packets. */
bool rule_set_needs_forwarding(const struct rule_set *set, const struct feature_table *table);

/* Word i of the valid words of Virtualization=, NULL after the last. Static. */
const char *rule_virtualization_word(size_t i);

/* Frees the members of a rule, and zeroes it. */
void rule_clear(struct rule *rule);

/* Does it follow the links below? */
static inline bool rule_value_follows(enum rule_value value)
{
	return value == RULE_LOWER || value == RULE_LOWER_ALL;
}

/* "on", "off", "lower", "lower-all", "number", "unset". Static. */
const char *rule_value_name(enum rule_value value);

/* Does a text match a list of globs, separated by spaces? True if no exclusion ("!glob") matches and, unless
 * the list has exclusions only, a glob matches. NULL matches everything. */
bool rule_glob_list(const char *patterns, const char *text);

/* Compares a release, "5.10.0-32-amd64", with conditions, ">=5.10 <7". 1: all are true; 0; -EINVAL: a
 * condition is invalid. Only as many numbers are compared as the condition has, so =6.1 and <=6.1 are true
 * for 6.1.x; missing numbers of the release are 0. Operators: < <= = == != >= >, none means =. */
int rule_kernel_matches(const char *conditions, const char *release);

#endif
