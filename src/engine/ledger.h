/* SPDX-License-Identifier: GPL-2.0-or-later */
/* State that survives a restart of the daemon: the original values of the features that offloadd changed, for `offloadctl
 * revert`, and which links are paused. It is one small JSON file below /run, so a reboot, which resets the devices, resets it
 * too. It is replaced atomically. A file with errors is renamed to NAME.bad and not used. Features are stored by name, because
 * their bit numbers may change with the kernel. */
#ifndef OFFLOADD_LEDGER_H
#define OFFLOADD_LEDGER_H

#include <stdint.h>

#include "kernel/netns.h"
#include "basic/util.h"
#include "model/feature.h"
#include "model/link.h"

/* For the network namespace of PID 1; for any other one the file name contains its inode number: ledger-4026532177.json. */
#define LEDGER_DEFAULT_PATH "/run/offloadd/ledger.json"
#define LEDGER_MAX_BYTES (16 * 1024 * 1024)
#define LEDGER_MAX_LINKS 16384
#define LEDGER_VERSION 1

/* The original wanted bits of a link, or its pause. An entry is about a link of the file's network namespace if index and kind are
 * equal, and the name or the address: a user may change either of them, but a link with both changed is another link. If the file may
 * be one of a former namespace with the same inode (struct ledger.cookie), both must be equal. */
struct ledger_link {
	int ifindex;
	char name[LINK_NAME_LEN], kind[LINK_KIND_LEN];
	uint8_t address[LINK_ADDRESS_LEN];
	unsigned address_len;
	feature_set mask;  /* the features that offloadd changed */
	feature_set value; /* their wanted bits before the first change */
	struct link_limits limits; /* has: the limits that offloadd changed; their values before the first change */
	uint64_t until_usec; /* end of a pause, CLOCK_MONOTONIC; 0: until resumed */
	bool saved;	     /* it is in the file */
	bool uncertain;	     /* name and address must match */
	UT_hash_handle hh;
};

struct ledger {
	char *path; /* NULL: in memory only */
	uint64_t netns; /* inode of the network namespace */
	uint64_t cookie; /* netns_cookie() */
	struct ledger_link *links, *pauses; /* uthash by ifindex */
	struct ledger_link *gone_links, *gone_pauses; /* removed here, but still in the file */
	struct ledger_version { /* of the file when it was last read or written */
		uint64_t inode, mtime_nsec;
	} known;
	bool dirty;
	bool urgent;	 /* a user paused or resumed a link: save it at once; dirty is set too */
	bool save_first; /* apply_plan() saves it before the first SET; otherwise the caller does, later */
};

/* Reads the file. path: NULL for the default of this network namespace. A missing file is an empty ledger. Returns 0; 1 if the
 * file has errors and was renamed to PATH.bad; a negative errno if it cannot be read (-EACCES, ...); -EXDEV if it belongs to
 * another network namespace, and then it stays as it is. A file of a former namespace with the same inode counts as missing. why: the reason, for 1 and -EXDEV. ledger_close() *ret. */
int ledger_open(const char *path, const struct feature_table *table, struct ledger **ret, char *why,
	size_t why_size);
/* The same for another network namespace, and the default file of that one; NULL: ours. */
int ledger_open_in(const struct netns_identity *in, const char *path, const struct feature_table *table, struct ledger **ret, char *why,
	size_t why_size);
/* As ledger_open(), read-only: for a file with errors it returns -EBADMSG and the reason in why, and does not rename it. */
int ledger_read(const char *path, const struct feature_table *table, struct ledger **ret, char *why,
	size_t why_size);
/* Are we root, and does the directory of the default file (path: NULL) belong to another user, that of the daemon? Then root adds its
 * original values to the file, but restores nothing from it unless the user named it. */
bool ledger_is_foreign(const char *path);
/* Adds the entries of a text to a new ledger; for the fuzzer too. 0; -EBADMSG, -EXDEV as above, -ENOMEM: only some were added. */
int ledger_parse(struct ledger *ledger, const char *text, size_t len, const struct feature_table *table, char *why, size_t why_size);
/* An empty ledger without a file. 0 or -ENOMEM. */
int ledger_new(struct ledger **ret);
void ledger_close(struct ledger *ledger);
CLEANUP_POINTER(struct ledger, ledger_close)

/* Stores the current wanted bits of these features, before they are changed. A feature that is already stored keeps its value,
 * which is the original one. An entry of a former link with this index is replaced. Returns 1 if anything was added, otherwise
 * 0; -ENOMEM; -ENOSPC if there are LEDGER_MAX_LINKS entries. */
int ledger_remember(struct ledger *ledger, const struct link *link, feature_set mask);

/* The same for its limits: LINK_LIMIT(). A SET of gso-max-size or gro-max-size may change the limit for IPv4, which is stored, too. */
int ledger_remember_limits(struct ledger *ledger, const struct link *link, unsigned limits);

/* The entry of this link, NULL if there is none. Owned by the ledger. */
const struct ledger_link *ledger_find(const struct ledger *ledger, const struct link *link);
/* Removes the original values of the link, if any. */
void ledger_forget(struct ledger *ledger, int ifindex);

/* Removes the original values and pauses of links that are not in the table: they are gone, or replaced. */
void ledger_drop_gone(struct ledger *ledger, const struct link_table *links);

/* Stores a pause of the link. until_usec: its end, CLOCK_MONOTONIC; 0: until resumed. 0, -ENOMEM, -ENOSPC. */
int ledger_pause(struct ledger *ledger, const struct link *link, uint64_t until_usec);
/* Removes it. False if the link was not paused. */
bool ledger_resume(struct ledger *ledger, int ifindex);
/* *ret_until_usec: the end of the pause, 0 if there is none. */
bool ledger_is_paused(const struct ledger *ledger, const struct link *link, uint64_t *ret_until_usec);

/* Merges what another process wrote to the file since it was last read or written here. If both have an original value of a
 * feature, the one in the file is older and wins. Returns 1 if anything was merged; 0 if not, or if the file has errors
 * (the next ledger_save() replaces it); negative errno. */
int ledger_sync(struct ledger *ledger, const struct feature_table *table);

/* If the ledger is dirty, calls ledger_sync() and replaces the file: temporary file in the same directory (created if it is
 * missing), fsync, rename. Returns 1 if the file was written, otherwise 0; negative errno. */
int ledger_save(struct ledger *ledger, const struct feature_table *table);

#endif
