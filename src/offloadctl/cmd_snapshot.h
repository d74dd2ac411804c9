/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads snapshots and pasted texts, for diff and explain. */
#ifndef OFFLOADD_CMD_SNAPSHOT_H
#define OFFLOADD_CMD_SNAPSHOT_H

#include "compare/snapshot_parts.h"
#include "offloadctl/cmd.h"

/* Reads a document of offloadctl snapshot, or pasted text. path: "-" is standard input. known: feature names of this kernel, which
 * may be newer than this program. CMD_OK: *ret has at least one part, the caller's to snapshot_parts_clear(); CMD_ERROR after
 * printing the reason. */
int cmd_load_snapshots(const char *path, const struct feature_table *known, struct snapshot_parts *ret);
/* The same from a text. */
int cmd_parse_snapshots(const char *path, const char *text, size_t len, const struct feature_table *known, struct snapshot_parts *ret);

#endif
