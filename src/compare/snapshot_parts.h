/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pasted text with more than one state of a host: of several hosts, before and after a change, or a diff. */
#ifndef OFFLOADD_SNAPSHOT_PARTS_H
#define OFFLOADD_SNAPSHOT_PARTS_H

#include "compare/snapshot.h"

#define SNAPSHOT_PARTS_MAX 64
#define SNAPSHOT_STATE "state " /* in the name of a part: one of several states of a host */

struct snapshot_parts {
	struct snapshot_part {
		char name[96]; /* "web1", "web1, state 2", "state 1"; "" for the only one without a host. Sanitized */
		struct snapshot snapshot;
	} *parts;
	size_t n;
};

/* Reads a text as snapshot_parse_ethtool() does, and splits it where another host begins (by prompts, ssh, and the output of pdsh,
 * clush, Ansible and Salt) and where features follow again with other values. *ret has at least one part, in the order of the
 * text; the caller's to snapshot_parts_clear(). Errors as there; -EBADMSG also if there are more than SNAPSHOT_PARTS_MAX. */
int snapshot_parse_parts(const char *text, size_t len, const struct feature_table *known, struct snapshot_parts *ret, char *why,
	size_t why_size);
/* Adds a snapshot without a name, which it takes over. 0 or -ENOMEM: the snapshot is cleared. */
int snapshot_parts_take(struct snapshot_parts *parts, struct snapshot *snapshot);
void snapshot_parts_clear(struct snapshot_parts *parts);

#endif
