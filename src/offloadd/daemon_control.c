/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "offloadd/daemon_private.h"

#include <errno.h>
#include <stdio.h>

#include "basic/file.h"

#define CONTROL_RETRY_USEC (30 * USEC_PER_SEC)

int daemon_lock(struct daemon *d, uint64_t wait_usec)
{
	_cleanup_free_ char *path = NULL;

	if (d->lock_fd >= 0)
		return 0;
	if (asprintf(&path, "%s.lock", d->control_path) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	(void)file_make_directory(path); /* if that fails, opening the file says why */
	d->lock_fd = file_lock(path, wait_usec);
	return d->lock_fd < 0 ? d->lock_fd : 0;
}

/* The predecessor has released the lock, but may not have closed its socket yet. */
int daemon_open_control(struct daemon *d, uint64_t wait_usec)
{
	const struct timespec nap = { .tv_nsec = 10 * 1000 * 1000 };
	const struct server_handler handler = methods_handler(d->methods);
	uint64_t deadline_usec = util_now_usec() + wait_usec;
	int r;

	if (daemon_lock(d, 0) == -EWOULDBLOCK)
		return -EADDRINUSE;
	while ((r = server_new(d->event, d->control_path, &handler, &d->control)) == -EADDRINUSE && util_now_usec() < deadline_usec)
		nanosleep(&nap, NULL);
	return r;
}

void daemon_retry_control(struct daemon *d, uint64_t now_usec)
{
	d->control_usec = d->options->mode == DAEMON_MODE_AUDIT ? 0 : now_usec + CONTROL_RETRY_USEC;
}

void daemon_open_control_when_due(struct daemon *d, uint64_t now_usec)
{
	if (!d->control_usec || now_usec < d->control_usec)
		return;
	d->control_usec = 0;
	if (daemon_open_control(d, 0) >= 0)
		daemon_report(d, FINDING_CONTROL_OPEN, d->control_path, 0);
	else
		daemon_retry_control(d, now_usec);
}
