/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots as documents (docs/schema/snapshot.json). */
#ifndef OFFLOADD_SNAPSHOT_JSON_H
#define OFFLOADD_SNAPSHOT_JSON_H

#include "compare/snapshot.h"

/* Reads the document of `offloadctl snapshot`, of this version or an older one; fields that it does
 * not know are ignored, those that came later may be missing. 0, -ENOMEM, -EBADMSG with the
 * reason in why. */
int snapshot_parse_json(
	const char *text, size_t len, struct snapshot *ret, char *why, size_t why_size);

/* The document; the text is the caller's. 0 or -ENOMEM. */
int snapshot_format_json(const struct snapshot *s, char **ret, size_t *ret_len);

#endif
