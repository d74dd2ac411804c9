/* SPDX-License-Identifier: GPL-2.0-or-later */
/* uthash without its abort() when memory runs out, and with a hash that nobody outside can predict. Include this instead of
 * <uthash.h>, and add entries with hash_add() only. */
#ifndef OFFLOADD_HASH_H
#define OFFLOADD_HASH_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Continues a hash (0: begins one) with len bytes. It differs from process to process, so that nobody can choose names with which a table
 * becomes a list. Best are its upper bits. */
uint64_t hash_more(uint64_t hash, const void *key, size_t len);

#define HASH_FUNCTION(key, len, hash) ((hash) = (unsigned)(hash_more(0, key, len) >> 32))
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* Adds an entry, which has a UT_hash_handle named hh, to the table that starts at head (NULL: empty). The key
 * is the entry's member `field`. 0; -ENOMEM: the table is unchanged, and the entry is still the caller's. */
#define hash_add(head, field, entry) hash_add_key(head, &(entry)->field, sizeof((entry)->field), entry)
/* The same with a string of the entry as its key. */
#define hash_add_text(head, text, entry) hash_add_key(head, text, strlen(text), entry)

#define hash_add_key(head, key, key_len, entry)                                                    \
	({                                                                                         \
		HASH_ADD_KEYPTR(hh, head, key, key_len, entry);                                    \
		(entry)->hh.tbl ? 0 : -ENOMEM;                                                     \
	})

/* The same with another handle, in a second table of the same entries. */
#define hash_add_by(handle, head, field, entry)                                                    \
	({                                                                                         \
		HASH_ADD_KEYPTR(handle, head, &(entry)->field, sizeof((entry)->field), entry);     \
		(entry)->handle.tbl ? 0 : -ENOMEM;                                                 \
	})

#endif
