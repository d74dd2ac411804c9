/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon: an event loop of sockets, signals, timers and the service manager around engine/reconcile.h. Owner of sd-event and
 * sd-daemon. */
#ifndef OFFLOADD_DAEMON_H
#define OFFLOADD_DAEMON_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/ethtool.h"

enum daemon_mode {
	DAEMON_MODE_CONF, /* Mode= of offloadd.conf */
	DAEMON_MODE_AUDIT,
	DAEMON_MODE_ENFORCE,
};

/* Options of the command line, which override offloadd.conf. Strings are borrowed. */
struct daemon_options {
	enum daemon_mode mode;
	bool once; /* reconcile once, then exit */
	bool no_probes;
	const char *conf_path;	      /* NULL: the default files */
	const char *const *rule_dirs; /* NULL: RulesDirectory= */
	bool has_backend;
	enum ethtool_backend backend;
	size_t rcvbuf_bytes; /* 0: ReceiveBuffer= */
	const char *control_path; /* NULL: the default of this network namespace */
	const char *hook_path;	 /* NULL: HOOK_SOCKET_PATH */
	const char *ledger_path; /* NULL: the default of this network namespace */
	const char *services_path; /* file of services that must reconnect; NULL: the default of this network namespace */
};

/* Runs until SIGTERM or SIGINT; with `once`, for one reconcile. Returns the exit code: 0 after a clean stop, 1 after an error, which
 * it prints on stderr; with `once` plan_exit_code() of the result. */
int daemon_run(const struct daemon_options *options);

#endif
