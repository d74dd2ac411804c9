/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The settings of offloadd.conf(5), read by one table of key, default, parser and field. */
#ifndef OFFLOADD_CONF_H
#define OFFLOADD_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/contention.h"
#include "kernel/ethtool.h"
#include "model/event.h"

#define CONF_DIRS_MAX 16
#define CONF_RCVBUF_MIN 4096
#define CONF_RCVBUF_MAX (256 * 1024 * 1024)

/* What offloadd does in network namespaces other than its own. */
enum conf_namespaces { CONF_NAMESPACES_HOST, CONF_NAMESPACES_OBSERVE, CONF_NAMESPACES_ENFORCE };

struct conf {
	bool enforce;	      /* false if there was any error, because the invalid line may have been Mode=audit */
	bool enforce_written; /* Mode=enforce is set, with or without errors */
	char *rule_dirs[CONF_DIRS_MAX + 1];
	enum conf_namespaces namespaces;
	enum ethtool_backend backend;
	size_t rcvbuf_bytes;
	bool probes;
	struct contention_limits contention;
	bool undo_worse;	 /* repairs after which a service needs more CPU time per byte */
	uint64_t effect_window_usec;
	char *textfile; /* "" for none */
	bool sendfile_latency;
	char *restart_units; /* globs, "" for none */
	uint64_t restart_pause_usec;
	char *hooks[EVENT_KIND_COUNT]; /* "NAME@.service", "" for none, NULL for a kind without a key */
};

/* Called for each error. line: 0 for the whole file. path, message: without control characters, valid during the call. 0 or
 * -ENOMEM, which ends the load. */
typedef int (*conf_report_fn)(void *userdata, const char *path, unsigned line, const char *message);

/* Loads the first main file that exists, then every drop-in, ordered by file name; a later value replaces an earlier one. Settings
 * that are missing or invalid have their defaults. path: a file that must exist, and the directory PATH.d; NULL: offloadd.conf and
 * offloadd.conf.d in /etc/offloadd, /run/offloadd-config and the vendor directory, all optional. report: NULL to ignore errors. ret: released
 * by conf_clear(). 0; 1: there were errors; -ENOMEM: ret is empty. */
int conf_load(const char *path, conf_report_fn report, void *userdata, struct conf *ret);
/* The same for these main files and drop-in directories, highest priority first, each list ends with NULL. must: the user
 * named them, and the first main file must exist; otherwise they are FILE_SYSTEM. */
int conf_load_from(const char *const *files, const char *const *dirs, bool must,
	conf_report_fn report, void *userdata, struct conf *ret);
/* Applies one text to settings that are loaded; for the fuzzer too. 0; 1: there were errors; -ENOMEM. */
int conf_load_text(struct conf *conf, const char *path, const char *text, size_t len,
	conf_report_fn report, void *userdata);
/* ret: released by conf_clear(). 0 or -ENOMEM. */
int conf_set_defaults(struct conf *ret);
void conf_clear(struct conf *conf);

/* The directories for rule_set_load(), borrowed; rule_default_dirs itself if they are the default. */
const char *const *conf_rule_dirs(const struct conf *conf);

/* Entry i of the table; false past the last. For the test of the manual page. */
struct conf_key_info {
	const char *section, *key, *fallback, *doc;
};
bool conf_key(size_t i, struct conf_key_info *ret);

#endif
