/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must outlive a restart of the daemon, in one small JSON file below /run (a reboot resets the devices, so it resets this
 * too): the original values of what was changed, so that `revert` can put a link back; contention. Replaced atomically; a file that
 * cannot be read is reported, set aside as NAME.bad, and not trusted. */
#ifndef OFFLOADD_LEDGER_H
#define OFFLOADD_LEDGER_H

#include <stdint.h>

#include "feature.h"
#include "link.h"

#define LEDGER_DEFAULT_PATH "/run/offloadd/ledger.json"
#define LEDGER_MAX_BYTES (4 * 1024 * 1024)
#define LEDGER_MAX_LINKS 16384

/* Original wanted bits of one link. Identity: namespace, ifindex, kind and address at the time; a name alone is not one. */
struct ledger_link {
	int ifindex;
	char name[LINK_NAME_LEN], kind[LINK_KIND_LEN];
	feature_set mask;  /* which features we changed */
	feature_set value; /* what was asked for (wanted) before we first did */
	struct UT_hash_handle hh;
};

struct ledger {
	char *path;
	uint64_t netns; /* inode of the network namespace */
	struct ledger_link *links;
	bool dirty;
};

/* Reads the file; a missing one is an empty ledger. 0; 1 when a bad file was set aside (why in words, for a record); negative errno. */
int ledger_open(const char *path, const struct feature_table *table, struct ledger **ret, char *why,
	size_t why_size);
void ledger_close(struct ledger *ledger);
void ledger_close_pointer(struct ledger **ledger);

/* Remembers the values that a step is about to change; what is remembered already stays (the first value is the original). */
int ledger_remember(struct ledger *ledger, const struct link *link, feature_set mask);
const struct ledger_link *ledger_find(const struct ledger *ledger, const struct link *link);
void ledger_forget(struct ledger *ledger, int ifindex);

/* Writes when dirty: temporary file in the same folder, fsync, rename. 0, 1 when written, negative errno. */
int ledger_save(struct ledger *ledger, const struct feature_table *table);

#endif
