/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/netns.h"
#include "offloadd/daemon_private.h"
#include "offloadd/worker.h"

#define PRIORITY_WORKER 30 /* after everything else */
#define PACKETS_AT_ONCE 32
#define LOOK_USEC (100 * USEC_PER_MSEC) /* a file becomes a namespace a little after it appeared */
#define LOOK_AGAIN_USEC (2 * USEC_PER_SEC)
#define RESTART_USEC (1 * USEC_PER_SEC) /* after a failure; after each further one twice as long */
#define RESTART_MAX_USEC (300 * USEC_PER_SEC)
#define HEALTHY_USEC (60 * USEC_PER_SEC) /* after so long a failure counts as the first */

/* The process may take a moment to end, in a system call, and the daemon does not wait for it. */
static void stop_worker(struct daemon *d)
{
	d->worker_source = sd_event_source_disable_unref(d->worker_source);
	util_close_pointer(&d->worker_fd);
	d->worker_fd = -1;
	if (d->worker_pid > 0) {
		(void)kill(d->worker_pid, SIGKILL);
		d->worker_ending = d->worker_pid;
	}
	d->worker_pid = 0;
	d->others.running = false;
}

/* There are never two. */
static bool has_ended(struct daemon *d)
{
	if (d->worker_ending > 0 && waitpid(d->worker_ending, NULL, WNOHANG) != 0)
		d->worker_ending = 0;
	return d->worker_ending == 0;
}

static void forget_others(struct daemon *d)
{
	netns_statuses_clear(&d->others);
	d->others.more = false;
	d->others.error = 0;
}

static void fail(struct daemon *d)
{
	uint64_t now_usec = util_now_usec();
	struct finding f;

	if (now_usec - d->worker_start_usec >= HEALTHY_USEC)
		d->worker_delay_usec = 0;
	d->worker_delay_usec = d->worker_delay_usec ? 2 * d->worker_delay_usec : RESTART_USEC;
	if (d->worker_delay_usec > RESTART_MAX_USEC)
		d->worker_delay_usec = RESTART_MAX_USEC;
	d->worker_usec = now_usec + d->worker_delay_usec;
	d->others.error = -ECONNRESET;
	finding_init(&f, FINDING_WORKER_FAILED, NULL);
	f.duration_usec = d->worker_delay_usec;
	daemon_send_event(&f, d);
}

static void take(struct daemon *d, const struct worker_packet *packet)
{
	int error = d->others.error;

	if (packet->what == WORKER_STATUS) {
		if (netns_statuses_take(&d->others, &packet->status, d->worker_generation) < 0)
			d->others.error = -ENOMEM;
		return;
	}
	netns_statuses_expire(&d->others, d->worker_generation);
	d->others.more = packet->more;
	d->others.error = packet->error;
	if (packet->error && packet->error != error && rule_set_needs_namespaces(reconcile_rules(d->reconcile)))
		daemon_report(d, FINDING_NETNS_UNAVAILABLE, NULL, packet->error);
}

static int on_worker(_unused_ sd_event_source *source, int fd, _unused_ uint32_t revents, void *userdata)
{
	struct daemon *d = userdata;
	struct worker_packet packet;
	ssize_t len = -1;

	for (unsigned i = 0; i < PACKETS_AT_ONCE; i++) {
		len = recv(fd, &packet, sizeof(packet), MSG_DONTWAIT);
		if (len != (ssize_t)sizeof(packet))
			break;
		take(d, &packet);
	}
	textfile_mark_dirty(d->textfile);
	if (len != (ssize_t)sizeof(packet) && !(len < 0 && (errno == EAGAIN || errno == EINTR))) {
		stop_worker(d);
		fail(d);
	}
	d->settle(d);
	return 0;
}

static int start_worker(struct daemon *d)
{
	int ends[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	d->worker_pid = fork();
	if (d->worker_pid == 0) {
		close(ends[0]);
		worker_run(d, ends[1]);
		_exit(EXIT_FAILURE);
	}
	r = d->worker_pid < 0 ? -errno : 0;
	close(ends[1]);
	d->worker_fd = ends[0];
	if (r >= 0)
		r = sd_event_add_io(d->event, &d->worker_source, d->worker_fd, EPOLLIN, on_worker, d);
	if (r >= 0)
		r = sd_event_source_set_priority(d->worker_source, PRIORITY_WORKER);
	if (r < 0) {
		stop_worker(d);
		return r;
	}
	d->worker_generation++;
	d->worker_start_usec = util_now_usec();
	d->others.running = true;
	return 0;
}

/* ---- whether there is anything to do ---- */

static void close_watch(struct daemon *d)
{
	d->watch_files = sd_event_source_disable_unref(d->watch_files);
	d->watch_numbers = sd_event_source_disable_unref(d->watch_numbers);
	namespaces_watch_close(&d->watch);
}

static int on_watch(_unused_ sd_event_source *source, _unused_ int fd, _unused_ uint32_t revents, void *userdata)
{
	struct daemon *d = userdata;
	uint64_t now_usec = util_now_usec();

	if (namespaces_watch_read(&d->watch, NULL, NULL)) {
		d->worker_usec = now_usec;
		d->look_usec = now_usec + LOOK_AGAIN_USEC;
	}
	d->settle(d);
	return 0;
}

static int open_watch(struct daemon *d)
{
	int r = namespaces_watch_open(&d->watch);

	if (r >= 0)
		r = sd_event_add_io(d->event, &d->watch_files, d->watch.inotify, EPOLLIN, on_watch, d);
	if (r >= 0)
		r = sd_event_add_io(d->event, &d->watch_numbers, d->watch.numbers, EPOLLIN, on_watch, d);
	if (r >= 0)
		r = sd_event_source_set_priority(d->watch_files, PRIORITY_WORKER);
	if (r >= 0)
		r = sd_event_source_set_priority(d->watch_numbers, PRIORITY_WORKER);
	if (r < 0)
		close_watch(d);
	return r;
}

/* In another network namespace than that of PID 1, the daemon looks after this one only. */
static bool is_wanted(const struct daemon *d)
{
	char name[NETNS_NAME_LEN];

	return d->conf.namespaces != CONF_NAMESPACES_HOST && d->options->mode != DAEMON_MODE_AUDIT && !netns_is_own(name, sizeof(name));
}

uint64_t daemon_worker_deadline(const struct daemon *d)
{
	return d->worker_pid > 0 || d->worker_ending > 0 ? 0 : d->worker_usec;
}

void daemon_start_worker_when_due(struct daemon *d, uint64_t now_usec)
{
	if (!has_ended(d) || d->worker_pid > 0 || !d->worker_usec || d->worker_usec > now_usec)
		return; /* SIGCHLD leads here again */
	d->worker_usec = 0;
	if (d->watch.inotify >= 0 && !namespaces_watch_any(&d->watch)) {
		if (now_usec < d->look_usec)
			d->worker_usec = now_usec + LOOK_USEC < d->look_usec ? now_usec + LOOK_USEC : d->look_usec;
		return;
	}
	if (start_worker(d) < 0)
		fail(d);
	else
		close_watch(d); /* from now on the worker watches */
}

void daemon_set_namespaces(struct daemon *d)
{
	static const char *const modes[] = { [CONF_NAMESPACES_HOST] = "host", [CONF_NAMESPACES_OBSERVE] = "observe",
		[CONF_NAMESPACES_ENFORCE] = "enforce" };
	bool ran = d->worker_pid > 0;
	int r = 0;

	stop_worker(d);
	close_watch(d);
	d->others.mode = modes[is_wanted(d) ? d->conf.namespaces : CONF_NAMESPACES_HOST];
	d->worker_usec = d->look_usec = d->worker_delay_usec = 0;
	if (!is_wanted(d)) {
		forget_others(d);
		return;
	}
	if (!ran)
		r = open_watch(d); /* before it looks whether there is one */
	d->others.error = r;
	if (r < 0)
		daemon_report(d, FINDING_NETNS_UNAVAILABLE, NULL, r);
	else
		d->worker_usec = util_now_usec();
}

void daemon_stop_worker(struct daemon *d)
{
	stop_worker(d);
	close_watch(d);
	forget_others(d);
}
