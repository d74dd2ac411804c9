/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Converts what other tools say about offload features into rules, and lists what it could not convert and why. Pure: texts in, texts
 * out. A condition that no rule can express would make a rule match more than its source: then nothing is converted from it. */
#ifndef OFFLOADD_IMPORT_H
#define OFFLOADD_IMPORT_H

#include <stdbool.h>
#include <stddef.h>

enum import_form {
	IMPORT_LINK,	 /* systemd.link(5) */
	IMPORT_KEYFILE,	 /* nm-settings-keyfile(5) */
	IMPORT_IFUPDOWN, /* interfaces(5) */
	IMPORT_NETPLAN,	 /* netplan(5) */
	IMPORT_UDEV,	 /* udev(7) */
	IMPORT_SCRIPT,	 /* a shell script, or another file of command lines */
	IMPORT_FORMS,
};

struct import_pair {
	char *key, *value;
};

struct import_pairs {
	struct import_pair *pairs;
	size_t n;
};

/* One rule to be. */
struct import_rule {
	enum import_form form;
	char *path; /* where it is from */
	unsigned line;
	char *name; /* for its file name: an interface, a pattern, or the name of the source */
	struct import_pairs match, features, limits;
};

struct import_note {
	char *path;
	unsigned line;
	bool converted; /* it was converted, and may not mean the same; else it was not converted */
	char *text;
};

#define IMPORT_RULES_MAX 4096

struct import {
	struct import_rule *rules; /* in the order of their file names */
	size_t n_rules;
	struct import_note *notes;
	size_t n_notes;
	int error; /* -ENOMEM; -E2BIG: more than IMPORT_RULES_MAX rules */
};

/* The form of a file, by its name and text; a text that is nothing else is IMPORT_SCRIPT. */
enum import_form import_guess(const char *path, const char *text);
/* "a .link file", "a script". Static. */
const char *import_form_name(enum import_form form);

/* Adds what a text of this form declares. Of several .link files, add those with the lowest names first: the first that matches an
 * interface is the only one that applies to it. 0, -ENOMEM, -E2BIG. */
int import_add(struct import *im, enum import_form form, const char *path, const char *text);

/* Removes a rule that is not valid, and notes why. 0 or -ENOMEM. */
int import_reject(struct import *im, size_t rule, const char *why);

/* The text of a rule file, the caller's to free. NULL: no memory. */
char *import_format(const struct import_rule *rule);
/* The name of its file: "60-import-01-eth0.rule". number: from 1 on, of the rule among those imported together. Returns buf. */
const char *import_file_name(const struct import_rule *rule, size_t number, char *buf, size_t size);

void import_clear(struct import *im);

#endif
