/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import.c: the forms of texts. import_rule.c: the rules and notes that are collected. import_ini.c: .link files and keyfiles.
 * import_shell.c: ethtool commands, in scripts, interfaces(5) and udev rules. import_netplan.c: netplan. */
#ifndef OFFLOADD_IMPORT_PRIVATE_H
#define OFFLOADD_IMPORT_PRIVATE_H

#include "basic/util.h"
#include "rules/import.h"

/* One text that is read. */
struct import_source {
	struct import *im;
	enum import_form form;
	const char *path;
};

/* What was not converted, or converted with a doubt. Memory errors are kept in im->error. */
void import_skip(const struct import_source *s, unsigned line, const char *fmt, ...) _printf_(3, 4);
void import_doubt(const struct import_source *s, unsigned line, const char *fmt, ...) _printf_(3, 4);

/* A key that sets no offload feature: why it was not converted. */
void import_skip_key(const struct import_source *s, unsigned line, const char *key);

/* Adds words to a key of [Match]. */
void import_match(const struct import_source *s, struct import_rule *rule, const char *key, const char *words);
/* Adds a feature with a value of any tool, "on", "yes" or "false"; a later one replaces those that it covers. */
void import_feature(const struct import_source *s, struct import_rule *rule, unsigned line, const char *word, const char *value);
void import_set(const struct import_source *s, struct import_pairs *pairs, const char *key, const char *value);

/* Moves a rule to the end of the rules if it has features or limits, else frees it. name: for its file. */
void import_finish(const struct import_source *s, struct import_rule *rule, unsigned line, const char *name);
/* The rule for a name or pattern of interfaces, to which more features are added; a new one if need be. NULL: no memory. */
struct import_rule *import_rule_named(const struct import_source *s, unsigned line, const char *name);
void import_rule_clear(struct import_rule *rule);

/* 1, 0, or -1 if it is neither. */
int import_boolean(const char *value);
/* Address with colons, in lower case. Returns buf. */
const char *import_address(const char *address, char *buf, size_t size);
/* The kernel name, or the alias, of a key of systemd.link or netplan; NULL. Static. */
const char *import_link_feature(const char *key);
/* Kind= for a device type of sysfs ("vlan", "!bond"), or for "ether", which stands for devices without one. False: there is none. */
bool import_type(const char *word, char *ret, size_t size);
/* Takes the next line off a text, without its end and without blanks around it; joins lines that end in a backslash. *line: its
 * number. False: there is none. The caller owns *ret. */
bool import_next_line(const char **text, unsigned *line, char **ret);
/* Removes blanks at both ends, in place. */
char *import_strip(char *s);

/* Converts ethtool commands. self: the rule of the interface itself ("$name" of udev); NULL: "$IFACE" has this name. */
void import_command(const struct import_source *s, unsigned line, const char *command, struct import_rule *self, const char *name);

void import_link(const struct import_source *s, const char *text);
void import_keyfile(const struct import_source *s, const char *text);
void import_script(const struct import_source *s, const char *text);
void import_ifupdown(const struct import_source *s, const char *text);
void import_udev(const struct import_source *s, const char *text);
void import_netplan(const struct import_source *s, const char *text);

#endif
