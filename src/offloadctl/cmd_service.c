/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "offloadctl/cmd_service.h"

#include <errno.h>
#include <fnmatch.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>

void cmd_scope_open(struct cmd_scope *scope, const struct cmd_session *session, const char *unit)
{
	collect_open(&scope->collect, session->view.links, session->view.features);
	scope->unit = unit;
}

void cmd_scope_close(struct cmd_scope *scope)
{
	collect_close(&scope->collect);
}

static bool matches(const char *glob, const struct unit *unit, const char *name)
{
	char full[UNIT_NAME_LEN + 16];

	if (!glob)
		return true;
	snprintf(full, sizeof(full), "%.255s.service", glob);
	return fnmatch(glob, unit->name, 0) == 0 || fnmatch(full, unit->name, 0) == 0 ||
	       fnmatch(glob, name, 0) == 0;
}

bool cmd_scope_has_service(const struct cmd_scope *scope, uint32_t netns, int ifindex, const struct unit *unit, const char *service)
{
	if (scope->ifindex && (ifindex != scope->ifindex || netns != scope->collect.netns))
		return false;
	return matches(scope->unit, unit, service);
}

bool cmd_scope_has(struct cmd_scope *scope, uint64_t cgroup, uint32_t netns, int ifindex, char buf[UNIT_SERVICE_LEN])
{
	struct unit unit;

	senders_name_cgroup(&scope->collect.senders, cgroup, 0, UNIT_NO_SERVICE, &unit, buf);
	return cmd_scope_has_service(scope, netns, ifindex, &unit, buf);
}

const char *cmd_scope_link(const struct cmd_scope *scope, uint32_t netns, int ifindex, char buf[LINK_NAME_LEN])
{
	const struct link *link = collect_find_link(&scope->collect, netns, ifindex);

	buf[0] = '\0';
	if (link)
		snprintf(buf, LINK_NAME_LEN, "%s", link->name);
	else if (ifindex)
		snprintf(buf, LINK_NAME_LEN, "#%d", ifindex % 100000000);
	return buf;
}

struct latency_reader {
	struct cmd_scope *scope;
	struct evidence_latency *latency;
	bool reset;
	int error;
};

static void add_latency(struct latency_reader *reader, const struct probe_latency_histogram *histogram,
	struct evidence_latency_row *row)
{
	row->fallback = histogram->fallback;
	if (reader->error == 0 &&
		cmd_scope_has(reader->scope, histogram->cgroup, histogram->netns, histogram->ifindex, row->service))
		reader->error = evidence_latency_add(reader->latency, row);
}

static void take_histogram(const struct probe_latency_histogram *histogram, void *userdata)
{
	struct evidence_latency_row row = { .calls = histogram->count, .total_usec = histogram->total_usec,
		.disk_usec = histogram->disk_usec, .peer_usec = histogram->peer_usec };

	memcpy(row.slots, histogram->slots, sizeof(row.slots));
	if (histogram->count)
		add_latency(userdata, histogram, &row);
}

static void take_running(const struct probe_latency_histogram *call, void *userdata)
{
	struct evidence_latency_row row = { .running = 1, .longest_usec = call->total_usec };
	struct latency_reader *reader = userdata;

	if (!reader->reset) { /* otherwise each interval would add it again */
		row.total_usec = call->total_usec;
		row.disk_usec = call->disk_usec;
		row.peer_usec = call->peer_usec;
	}
	add_latency(reader, call, &row);
}

int cmd_scope_read_latency(struct cmd_scope *scope, struct probe_latency *probe, bool reset, struct evidence_latency *latency)
{
	struct latency_reader reader = { scope, latency, reset, 0 };
	int r = probe_latency_read(probe, reset, take_histogram, &reader);

	if (r >= 0)
		r = probe_latency_read_running(probe, take_running, &reader);
	latency->has_waits = probe_latency_has_waits(probe);
	evidence_latency_sort(latency);
	return r < 0 ? r : reader.error;
}

int cmd_probe_absent(const char *what, const struct probe_status *status)
{
	return cmd_error("Failed to observe %s: %s", what,
		status && status->why[0] ? status->why : "this kernel does not support it");
}

int cmd_catch_stop(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

bool cmd_wait_stop(int fd, uint64_t until_usec, int other, void (*fn)(void *userdata), void *userdata)
{
	struct pollfd fds[] = { { .fd = fd, .events = POLLIN }, { .fd = other, .events = POLLIN } };
	uint64_t now;

	while ((now = util_now_usec()) < until_usec) {
		uint64_t left = until_usec - now;
		struct timespec limit = { .tv_sec = (time_t)(left / USEC_PER_SEC),
			.tv_nsec = (long)(left % USEC_PER_SEC) * 1000 };

		if (ppoll(fds, ARRAY_SIZE(fds), &limit, NULL) <= 0)
			continue;
		if (fds[0].revents)
			return true;
		fn(userdata);
	}
	return false;
}
