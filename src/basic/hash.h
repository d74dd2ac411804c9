/* SPDX-License-Identifier: GPL-2.0-or-later */
/* uthash that neither aborts nor exits without memory. Included in place of <uthash.h>; entries are added by hash_add() alone. */
#ifndef OFFLOADD_HASH_H
#define OFFLOADD_HASH_H

#include <errno.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* Adds an entry to the table that `head` points to (NULL: an empty one), keyed by its member `field`. 0; -ENOMEM: the table is as
 * before, and the entry stays the caller's. */
#define hash_add(head, field, entry) hash_add_key(head, &(entry)->field, sizeof((entry)->field), entry)
/* The same, keyed by a string of the entry. */
#define hash_add_text(head, text, entry) hash_add_key(head, text, strlen(text), entry)

#define hash_add_key(head, key, key_len, entry)                                                    \
	({                                                                                         \
		HASH_ADD_KEYPTR(hh, head, key, key_len, entry);                                    \
		(entry)->hh.tbl ? 0 : -ENOMEM;                                                     \
	})

#endif
