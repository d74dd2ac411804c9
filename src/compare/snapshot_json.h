/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots as documents (docs/schema/snapshot.json). */
#ifndef OFFLOADD_SNAPSHOT_JSON_H
#define OFFLOADD_SNAPSHOT_JSON_H

#include "compare/snapshot.h"

/* Parses a document of `offloadctl snapshot`, len bytes, of this version or an older one. Unknown members are
 * ignored. *ret: the caller's to snapshot_clear(). 0; -ENOMEM; -EBADMSG, with the reason in why. */
int snapshot_parse_json(
	const char *text, size_t len, struct snapshot *ret, char *why, size_t why_size);

/* Makes the document: *ret is the caller's to free, *ret_len its length in bytes. 0 or -ENOMEM. */
int snapshot_format_json(const struct snapshot *s, char **ret, size_t *ret_len);

#endif
