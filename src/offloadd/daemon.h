/* SPDX-License-Identifier: GPL-2.0-or-later */
/* offloadd's loop: sockets, signals, timers and the service manager around reconcile.c. The owner of
 * sd-event and sd-daemon. */
#ifndef OFFLOADD_DAEMON_H
#define OFFLOADD_DAEMON_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/ethtool.h"

enum daemon_mode {
	DAEMON_MODE_CONF, /* what offloadd.conf says */
	DAEMON_MODE_AUDIT,
	DAEMON_MODE_ENFORCE,
};

/* What the command line says, which outranks offloadd.conf. */
struct daemon_options {
	enum daemon_mode mode;
	bool once; /* one reconcile, then the end */
	bool no_probes;
	const char *conf_path;	      /* NULL: the usual places */
	const char *const *rule_dirs; /* NULL: what offloadd.conf says */
	bool has_backend;
	enum ethtool_backend backend;
	size_t rcvbuf_bytes; /* 0: what offloadd.conf says */
	const char *control_path; /* NULL: the default of this network namespace */
	const char *hook_path;	 /* NULL: HOOK_SOCKET_PATH */
	const char *ledger_path; /* NULL: the default of this network namespace */
	const char *services_path; /* where flags of services are kept; NULL: the same */
};

/* Runs until SIGTERM or SIGINT, or with `once` through one reconcile. Exit code: 0 after a clean stop, 1
 * after an error that was said on stderr; with `once` plan_exit_code() of what is then. */
int daemon_run(const struct daemon_options *options);

#endif
