/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must outlive a restart of the daemon, in one small JSON file below /run (a reboot resets the devices,
 * so it resets this too): the original values of what was changed, so that `revert` can put a link back; and
 * which links are paused. Replaced atomically; a file that cannot be understood is reported, set aside as
 * NAME.bad, and not trusted. Features are written by name, since bit numbers are one boot's. */
#ifndef OFFLOADD_LEDGER_H
#define OFFLOADD_LEDGER_H

#include <stdint.h>

#include "basic/util.h"
#include "model/feature.h"
#include "model/link.h"

/* Of the namespace that PID 1 lives in; any other has its inode in the name: ledger-4026532177.json. */
#define LEDGER_DEFAULT_PATH "/run/offloadd/ledger.json"
#define LEDGER_MAX_BYTES (16 * 1024 * 1024)
#define LEDGER_MAX_LINKS 16384
#define LEDGER_VERSION 1

/* Original wanted bits of one link. Its identity within the file's network namespace: index and kind, and
 * name or address (either may be changed by hand, both at once make it another link). */
struct ledger_link {
	int ifindex;
	char name[LINK_NAME_LEN], kind[LINK_KIND_LEN];
	uint8_t address[LINK_ADDRESS_LEN];
	unsigned address_len;
	feature_set mask;  /* which features we changed */
	feature_set value; /* what was asked for (wanted) before we first did */
	uint64_t until_usec; /* of a pause: CLOCK_MONOTONIC, 0 until resumed */
	bool saved;	     /* the file has it */
	UT_hash_handle hh;
};

struct ledger {
	char *path; /* NULL: in memory only */
	uint64_t netns; /* inode of the network namespace */
	struct ledger_link *links;
	struct ledger_link *pauses;
	struct ledger_link *gone_links, *gone_pauses; /* forgotten here, and still in the file */
	struct ledger_version { /* of the file as we last knew it */
		uint64_t inode, mtime_nsec;
	} known;
	bool dirty;
	bool urgent;	 /* what an operator asked for has changed: to be written at once, dirty is set too */
	bool save_first; /* apply writes it before the first SET; otherwise writing is left to the caller */
};

/* Reads the file (path NULL: the default of this network namespace); a missing one is an empty ledger. 0; 1
 * when a bad file was set aside (why in words, for a record); negative errno when it cannot be read at all
 * (-EACCES, ...), -EXDEV (and why) when it belongs to another network namespace: it is left alone. */
int ledger_open(const char *path, const struct feature_table *table, struct ledger **ret, char *why,
	size_t why_size);
/* The same to look at only: a file that cannot be understood is left where it is (-EBADMSG, and why). */
int ledger_read(const char *path, const struct feature_table *table, struct ledger **ret, char *why,
	size_t why_size);
/* An empty one that no file belongs to. */
int ledger_new(struct ledger **ret);
void ledger_close(struct ledger *ledger);
CLEANUP_POINTER(struct ledger, ledger_close)

/* Remembers the values that a step is about to change; what is remembered already stays (the first value is
 * the original). An entry of another link that had this index is replaced. 1 when something was added, 0,
 * -ENOMEM, -ENOSPC. */
int ledger_remember(struct ledger *ledger, const struct link *link, feature_set mask);

/* The entry of this very link, NULL when there is none. */
const struct ledger_link *ledger_find(const struct ledger *ledger, const struct link *link);
void ledger_forget(struct ledger *ledger, int ifindex);

/* No writes to this link until then (0: until resumed). 0, -ENOMEM, -ENOSPC. */
int ledger_pause(struct ledger *ledger, const struct link *link, uint64_t until_usec);
bool ledger_resume(struct ledger *ledger, int ifindex);
/* ret_until_usec: 0 when it is not. */
bool ledger_is_paused(const struct ledger *ledger, const struct link *link, uint64_t *ret_until_usec);

/* Takes over what another process wrote to the file since we last read or wrote it. Of two original values
 * of one feature the one in the file is the older. 1 when it did, 0, negative errno; a file that cannot be
 * understood is left to the next save. */
int ledger_sync(struct ledger *ledger, const struct feature_table *table);

/* Writes when dirty, after a sync: temporary file in the same folder (made when missing), fsync, rename. 0,
 * 1 when written, negative errno. */
int ledger_save(struct ledger *ledger, const struct feature_table *table);

#endif
