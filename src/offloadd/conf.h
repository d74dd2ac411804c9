/* SPDX-License-Identifier: GPL-2.0-or-later */
/* offloadd.conf(5): the daemon's own settings, from one table of key, default, parser and field. */
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

struct conf {
	bool enforce;	      /* never with an error: what was not understood may have been about it */
	bool enforce_written; /* Mode=enforce stands there */
	char *rule_dirs[CONF_DIRS_MAX + 1];
	enum ethtool_backend backend;
	size_t rcvbuf_bytes;
	bool probes;
	struct contention_limits contention;
	char *textfile; /* "" for none */
	bool sendfile_latency;
	char *restart_units; /* globs, "" for none */
	uint64_t restart_pause_usec;
	char *hooks[EVENT_KIND_COUNT]; /* "NAME@.service", "" for none, NULL where no key is */
};

/* One complaint, as ini_file.h's: line 0 means the whole file, strings are clean and end with the call. 0 or
 * -ENOMEM. */
typedef int (*conf_report_fn)(void *userdata, const char *path, unsigned line, const char *message);

/* Reads the first of the main files that is there, then every drop-in, ordered by file name; a later value
 * replaces an earlier one. What is not set, or not understood, has its default. path NULL: offloadd.conf and
 * offloadd.conf.d of /etc/offloadd, /run/offloadd and the vendor's directory, all of which may be missing; else
 * this file, which must exist, and the directory PATH.d. 0, 1 when there were errors, -ENOMEM (then ret is
 * empty). */
int conf_load(const char *path, conf_report_fn report, void *userdata, struct conf *ret);
/* The same of these main files and drop-in directories, NULL-terminated, highest priority first. must: the first
 * main file may not be missing. */
int conf_load_from(const char *const *files, const char *const *dirs, bool must,
	conf_report_fn report, void *userdata, struct conf *ret);
/* One text over what is set already; 0, 1 when there were errors, -ENOMEM. The fuzzer's way in. */
int conf_load_text(struct conf *conf, const char *path, const char *text, size_t len,
	conf_report_fn report, void *userdata);
int conf_set_defaults(struct conf *ret);
void conf_clear(struct conf *conf);

/* The directories for rule_set_load(): rule_default_dirs itself when they are the default. */
const char *const *conf_rule_dirs(const struct conf *conf);

/* Entry i of the table, false past the last: for the manual's test. */
struct conf_key_info {
	const char *section, *key, *fallback, *doc;
};
bool conf_key(size_t i, struct conf_key_info *ret);

#endif
