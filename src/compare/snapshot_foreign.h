/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Features in JSON of other programs: ethtool --json -k, the facts of Ansible, the resources of Talos. */
#ifndef OFFLOADD_SNAPSHOT_FOREIGN_H
#define OFFLOADD_SNAPSHOT_FOREIGN_H

#include "compare/snapshot_builder.h"

/* Finds JSON documents in a text of len bytes, and adds the features in them. Documents with features are removed:
 * only their line breaks remain. The number of interfaces with features; -ENOMEM; -EBADMSG. */
int snapshot_read_foreign(struct snapshot_builder *b, char *text, size_t len);

#endif
