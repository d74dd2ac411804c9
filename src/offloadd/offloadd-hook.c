/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Started by offloadd-hook.socket: receives events from offloadd, and has the service manager start the unit that offloadd.conf names for
 * their kind, with the event in a file for its EnvironmentFile=. Exits when there is nothing to do. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "basic/child.h"
#include "offloadd/conf.h"
#include "report/hook.h"
#include "basic/util.h"

#define DIRECTORY "/run/offloadd-hook"
#define LINGERING_MSEC 5000 /* at most two starts of this service in ten seconds: StartLimitBurst= */
#define SYSTEMCTL_USEC (30 * USEC_PER_SEC)
/* Limits of our own, because the sender may be compromised. Twice what it sends of each kind, as its window may begin in ours. */
#define KIND_BURST (2 * HOOK_KIND_BURST)
#define WINDOW_SEC 60
/* Environment files. A unit reads its own when it starts. */
#define KEEP_SEC 600
#define FILES_MAX 512

extern char **environ;

struct runner {
	const char *directory, *conf_path;
	int fd;
	time_t window_sec; /* its start */
	unsigned n[EVENT_KIND_COUNT], suppressed[EVENT_KIND_COUNT]; /* events of the kind that were let through in it, and not */
	unsigned bad; /* in it, what is no event */
	unsigned files;
};

static int complain(const char *what, int error)
{
	fprintf(stderr, SD_ERR "%s: %s\n", what, strerror(-error));
	return error;
}

/* The kind in the name of a file, "drift-123456.env"; -1: another file. */
static int kind_of(const char *name)
{
	const char *dash = strchr(name, '-'), *dot = strrchr(name, '.');

	if (!dash || !dot || strcmp(dot, ".env") != 0)
		return -1;
	for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
		const char *word = event_kind_name((enum event_kind)kind);

		if (strlen(word) == (size_t)(dash - name) && memcmp(word, name, (size_t)(dash - name)) == 0)
			return kind;
	}
	return -1;
}

/* Removes the files that are older than keep_sec, and counts the others. With n: also those of the last window by kind. */
static void sweep(struct runner *r, time_t keep_sec, unsigned *n)
{
	_cleanup_closedir_ DIR *dir = opendir(r->directory);
	time_t now = time(NULL);
	struct dirent *entry;
	struct stat st;

	r->files = 0;
	while (dir && (entry = readdir(dir))) {
		int kind = kind_of(entry->d_name);

		if (kind < 0 || fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (st.st_mtime + keep_sec < now || st.st_mtime > now) { /* the clock was set back: when it was written is not known */
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
			continue;
		}
		r->files++;
		if (n && st.st_mtime + WINDOW_SEC >= now)
			n[kind]++;
	}
}

static time_t now_sec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec;
}

static void report_suppressed(struct runner *r)
{
	for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
		if (r->suppressed[kind])
			fprintf(stderr, SD_WARNING "%u %s event%s started no unit: more than %d in a minute\n", r->suppressed[kind],
				event_kind_name((enum event_kind)kind), util_plural(r->suppressed[kind]), KIND_BURST);
		r->suppressed[kind] = r->n[kind] = 0;
	}
	if (r->bad > 1)
		fprintf(stderr, SD_WARNING "%u more events could not be read\n", r->bad - 1);
	r->bad = 0;
}

static void begin_window(struct runner *r)
{
	if (now_sec() - r->window_sec < WINDOW_SEC)
		return;
	report_suppressed(r);
	r->window_sec = now_sec();
	sweep(r, KEEP_SEC, NULL);
}

/* The files show what was started before this process. Events count even if no unit is set for their kind: the settings are read for
 * each one. */
static bool may_start(struct runner *r, enum event_kind kind)
{
	if (r->n[kind] >= KIND_BURST) {
		r->suppressed[kind]++;
		return false;
	}
	r->n[kind]++;
	if (r->files >= FILES_MAX)
		sweep(r, WINDOW_SEC, NULL);
	return true;
}

static int write_file(const struct runner *r, const char *instance, const struct hook_event *event)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_fclose_ FILE *f = NULL;

	if (asprintf(&path, "%s/%s.env", r->directory, instance) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	f = fopen(path, "wxe");
	return f ? hook_write_environment(f, event) : -errno;
}

static int start_unit(const char *unit)
{
	const char *const argv[] = { "systemctl", "--no-block", "--no-ask-password", "start", "--", unit, NULL };
	int status, error;
	pid_t pid;

	error = posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)argv, environ);
	if (error)
		return -error;
	error = child_wait(pid, SYSTEMCTL_USEC, &status);
	if (error < 0)
		return error;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EPROTO;
}

/* The kind of the event and microseconds since boot. */
static void name_instance(const struct hook_event *event, char *buf, size_t size)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	snprintf(buf, size, "%s-%llu", event_kind_name(event->kind),
		(unsigned long long)ts.tv_sec * USEC_PER_SEC + (unsigned long long)ts.tv_nsec / 1000);
}

static int handle(struct runner *r, char *text, size_t len)
{
	_cleanup_(conf_clear) struct conf conf = { 0 };
	char instance[64], unit[NAME_MAX + 1];
	struct hook_event event;
	int error = hook_decode(text, len, &event);

	begin_window(r);
	if (error < 0)
		return r->bad++ ? error : complain("Failed to read an event of offloadd, ignoring it", error);
	if (!may_start(r, event.kind))
		return 0;
	error = conf_load(r->conf_path, NULL, NULL, &conf);
	if (error < 0)
		return complain("Failed to read offloadd.conf", error);
	if (!conf.hooks[event.kind] || !conf.hooks[event.kind][0])
		return 0;
	r->files++;
	name_instance(&event, instance, sizeof(instance));
	error = hook_format_unit(conf.hooks[event.kind], instance, unit, sizeof(unit));
	if (error < 0)
		return complain(conf.hooks[event.kind], error);
	error = write_file(r, instance, &event);
	if (error < 0)
		return complain("Failed to write the event for the unit", error);
	error = start_unit(unit);
	return error < 0 ? complain(unit, error) : 0;
}

static int run(struct runner *r)
{
	char text[HOOK_EVENT_MAX + 1];
	struct pollfd poll_fd = { .fd = r->fd, .events = POLLIN };

	r->window_sec = now_sec();
	sweep(r, KEEP_SEC, r->n);
	for (;;) {
		int n = poll(&poll_fd, 1, LINGERING_MSEC);
		ssize_t len;

		if (n < 0 && errno != EINTR)
			return complain("Failed to wait for events", -errno);
		if (n == 0) {
			report_suppressed(r);
			return 0;
		}
		len = recv(r->fd, text, HOOK_EVENT_MAX, MSG_DONTWAIT);
		if (len >= 0)
			(void)handle(r, text, (size_t)len);
		else if (errno != EAGAIN && errno != EINTR)
			return complain("Failed to receive an event", -errno);
	}
}

/* offloadd-hook [DIRECTORY [CONF]]: for tests */
int main(int argc, char **argv)
{
	struct runner r = { .directory = argc > 1 ? argv[1] : DIRECTORY, .conf_path = argc > 2 ? argv[2] : NULL };

	if (argc > 3 || (argc > 1 && argv[1][0] == '-')) {
		fputs("offloadd-hook is started by offloadd-hook.socket, see offloadd.conf(5)\n", stderr);
		return EXIT_FAILURE;
	}
	if (sd_listen_fds(1) != 1 || sd_is_socket(SD_LISTEN_FDS_START, AF_UNIX, SOCK_DGRAM, -1) <= 0) {
		fputs("offloadd-hook: expected one datagram socket from offloadd-hook.socket\n", stderr);
		return EXIT_FAILURE;
	}
	r.fd = SD_LISTEN_FDS_START;
	umask(0077);
	return run(&r) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
