/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes a snapshot from features as they are found in text of another program, in the words of ethtool -k. */
#ifndef OFFLOADD_SNAPSHOT_BUILDER_H
#define OFFLOADD_SNAPSHOT_BUILDER_H

#include "compare/snapshot.h"
#include "basic/util.h"

/* Set s, known, why and why_size, call snapshot_builder_begin(), and snapshot_builder_end() in any case. */
struct snapshot_builder {
	struct snapshot *s;
	const struct feature_table *known; /* names to know besides those of known kernels */
	feature_set *replaceable;	   /* by link, owned: a later value replaces this one */
	size_t link;			   /* where features are added, SIZE_MAX: none yet */
	unsigned line;			   /* of the text, for why; 0: not known */
	bool replace;			   /* the values that follow replace earlier ones */
	char *why;
	size_t why_size;
};

enum snapshot_mark { SNAPSHOT_NO_MARK, SNAPSHOT_FIXED, SNAPSHOT_REQUESTED_ON, SNAPSHOT_REQUESTED_OFF };

void snapshot_builder_begin(struct snapshot_builder *b);

/* Writes "line N: ..." to why. Returns -EBADMSG. */
int snapshot_builder_fail(struct snapshot_builder *b, const char *fmt, ...) _printf_(2, 3);

/* Makes a link the current one, and adds it if it is new. len: bytes of name; 0: SNAPSHOT_UNNAMED. 0; -ENOMEM;
 * -EBADMSG: too many links. */
int snapshot_builder_link(struct snapshot_builder *b, const char *name, size_t len);

/* The name of a feature, or the long alias, that len bytes spell: case is ignored, and blanks, '_' and '-' are the
 * same. NULL: unknown. Static, or of known. */
const char *snapshot_builder_find(const struct snapshot_builder *b, const char *word, size_t len);

/* The interface that a key names, "eth0", "ansible_eth0", "ansible_facts.eth0.features": *ret_name, part of the key, and its length. 0: it
 * does not look like one, as "web1". */
size_t snapshot_builder_find_link(const char *key, size_t len, const char **ret_name);

/* Adds a feature to the current link, which is unnamed if there is none. name: a result of snapshot_builder_find(),
 * or an unknown name. 0; -ENOMEM; -EBADMSG: the link has it with another value, or too many features. */
int snapshot_builder_add(struct snapshot_builder *b, const char *name, bool on, enum snapshot_mark mark);

/* Adds the groups whose members are not listed, finds unknown names, and frees what the builder owns. r: the result so
 * far. 0; -ENOMEM; -EBADMSG. On errors, the snapshot is empty. */
int snapshot_builder_end(struct snapshot_builder *b, int r);

#endif
