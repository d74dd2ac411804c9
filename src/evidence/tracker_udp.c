/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes whose UDP segmentation was refused: watched until they segment again, and named if they do not once the link is repaired. */
#include "evidence/tracker_private.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/util.h"
#include "evidence/gave_up.h"

#define READ_USEC (UINT64_C(2) * 1000 * 1000)
#define PIDFDS_MAX 256

/* Does the link compute checksums again? Until then a restart would not help. */
static bool is_repaired(const struct tracker *w, const struct tracker_udp *sender)
{
	static const char *const names[] = { "tx-checksum-ip-generic", "tx-checksum-ipv4", "tx-checksum-ipv6" };
	const struct link *link = collect_find_link(&w->collect, sender->key.netns, sender->key.ifindex);
	feature_set features = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		features |= feature_named(&w->features, names[i]);
	return link && link->has_features && link->features.active & features;
}

bool tracker_is_named(const struct tracker *w, const struct tracker_udp *sender)
{
	return sender->named && is_repaired(w, sender);
}

bool tracker_needs_restart(const struct tracker *w, const char *unit)
{
	for (const struct stale *stale = w->stale.all; stale; stale = stale->hh.next)
		if (!strcmp(stale->found.unit.name, unit))
			return true;
	for (const struct tracker_udp *sender = w->udp; sender; sender = sender->hh.next)
		if (sender->named && !strcmp(sender->unit.name, unit))
			return true;
	return false;
}

static unsigned count_named(const struct tracker *w, const struct tracker_udp *of)
{
	unsigned n = 0;

	for (const struct tracker_udp *sender = w->udp; sender; sender = sender->hh.next)
		n += sender->named && sender->key.ifindex == of->key.ifindex && !strcmp(sender->service, of->service);
	return n;
}

static void name_link(const struct tracker *w, const struct tracker_udp *sender, char buf[LINK_NAME_LEN])
{
	const struct link *link = collect_find_link(&w->collect, sender->key.netns, sender->key.ifindex);

	buf[0] = '\0';
	if (link)
		util_copy_name(buf, LINK_NAME_LEN, link->name, sizeof(link->name));
}

static void report(struct tracker *w, const struct tracker_udp *sender, enum finding_code code)
{
	struct finding f;

	finding_init(&f, code, NULL);
	f.ifindex = sender->key.ifindex;
	name_link(w, sender, f.link);
	util_append(f.service, sizeof(f.service), "%s", sender->service);
	f.count = count_named(w, sender);
	f.remedy = REMEDY_RECONNECT;
	if (w->options.fn)
		w->options.fn(&f, w->options.userdata);
}

/* Once for each service and link. */
static void begin_named(struct tracker *w, struct tracker_udp *sender)
{
	bool first = count_named(w, sender) == 0;

	sender->named = true;
	sender->since_usec = util_realtime_usec();
	sender->found_usec = util_now_usec();
	util_earlier(&w->restart_usec, sender->found_usec + TRACKER_RESTART_USEC);
	w->unsaved = true;
	if (first)
		report(w, sender, FINDING_GAVE_UP);
}

static void end_named(struct tracker *w, struct tracker_udp *sender)
{
	sender->named = false;
	w->unsaved = true;
	if (restart_is_tried(&w->restarts, sender->unit.name) && !tracker_needs_restart(w, sender->unit.name))
		restart_forget(&w->restarts, sender->unit.name);
	if (count_named(w, sender) == 0)
		report(w, sender, FINDING_SEGMENTS_AGAIN);
}

/* /proc may hide the processes of other users, pidfd_open(2) does not. A number that is in use again does not matter: what was counted
 * for the first process stays as it is. */
static bool has_ended(const struct tracker *w, const struct tracker_udp *sender)
{
	struct pollfd fd = { .fd = sender->pidfd, .events = POLLIN };

	if (w->collect.senders.foreign_pids)
		return false;
	if (sender->pidfd >= 0)
		return poll(&fd, 1, 0) > 0 && fd.revents & (POLLIN | POLLHUP);
	return kill(sender->key.pid, 0) < 0 && errno == ESRCH;
}

static void remove_sender(struct tracker *w, struct tracker_udp *sender)
{
	HASH_DEL(w->udp, sender);
	if (sender->named)
		end_named(w, sender);
	probe_forget_sender(w->probe, &sender->key);
	util_close_pointer(&sender->pidfd);
	free(sender);
	w->unsaved = true;
}

static struct tracker_udp *add_sender(struct tracker *w, const struct probe_sender_key *key, uint64_t cgroup, const char *comm)
{
	struct tracker_udp *sender = calloc(1, sizeof(*sender));

	if (!sender)
		return NULL;
	sender->key = *key;
	sender->cgroup = cgroup;
	sender->pidfd = HASH_COUNT(w->udp) < PIDFDS_MAX && !w->collect.senders.foreign_pids ? (int)syscall(SYS_pidfd_open, key->pid, 0) : -1;
	senders_name_cgroup(&w->collect.senders, cgroup, key->pid, comm, &sender->unit, sender->service);
	if (hash_add(w->udp, key, sender) < 0) {
		util_close_pointer(&sender->pidfd);
		free(sender);
		return NULL;
	}
	w->unsaved = true;
	return sender;
}

static void note_sender(const struct probe_sender *found, void *userdata)
{
	struct tracker *w = userdata;
	struct tracker_udp *sender;
	enum gave_up judged = gave_up_judge(found);

	if (judged == GAVE_UP_YES && w->collect.senders.foreign_pids)
		judged = GAVE_UP_UNDECIDED; /* it would be named after its restart, too */
	if (found->key.netns != w->collect.netns)
		return;
	HASH_FIND(hh, w->udp, &found->key, sizeof(found->key), sender);
	if (!sender)
		sender = add_sender(w, &found->key, found->cgroup, found->comm);
	if (!sender)
		return;
	sender->judged = judged;
	if (judged == GAVE_UP_YES && !sender->named && is_repaired(w, sender))
		begin_named(w, sender);
	else if (judged != GAVE_UP_YES && sender->named)
		end_named(w, sender);
}

int tracker_read_udp(struct tracker *w, uint64_t now_usec)
{
	struct tracker_udp *sender, *next;
	bool open = false, before = w->unsaved;

	w->unsaved = false;
	(void)probe_read_senders(w->probe, note_sender, w);
	HASH_ITER(hh, w->udp, sender, next) {
		if (has_ended(w, sender))
			remove_sender(w, sender);
		else
			open |= sender->judged != GAVE_UP_NO;
	}
	if (open != w->watching) {
		if (probe_watch_senders(w->probe, open) < 0)
			open = false;
		w->watching = open;
	}
	w->udp_usec = open ? now_usec + READ_USEC : 0;
	open = w->unsaved;
	w->unsaved |= before;
	return open;
}

void tracker_list_udp(const struct tracker *w, struct evidence *ret)
{
	struct probe_lost lost;
	char link[LINK_NAME_LEN];

	for (const struct tracker_udp *sender = w->udp; sender; sender = sender->hh.next) {
		struct evidence_stale *row;

		if (!tracker_is_named(w, sender)) {
			ret->udp_undecided += sender->judged != GAVE_UP_NO;
			continue;
		}
		name_link(w, sender, link);
		row = evidence_stale_row(ret, sender->service, link);
		if (!row)
			continue;
		row->unit = sender->unit;
		row->ifindex = sender->key.ifindex;
		row->senders++;
		row->missing |= feature_named(&w->features, "tx-udp-segmentation");
		util_earlier(&row->since_usec, sender->since_usec);
	}
	probe_read_lost(w->probe, &lost);
	ret->udp_undecided += lost.senders;
}

/* "udp NETNS IFINDEX PID START CGROUP PATH", or the name of the process without a path. What they sent is not stored, so they are judged
 * again. */
void tracker_save_udp(const struct tracker *w, FILE *f)
{
	for (const struct tracker_udp *sender = w->udp; sender; sender = sender->hh.next) {
		const char *path = sender->cgroup > 1 ? probe_cgroup_path(sender->cgroup) : NULL;

		if (sender->judged != GAVE_UP_NO)
			fprintf(f, "udp %" PRIu32 " %d %d %" PRIu64 " %" PRIu64 " %s\n", sender->key.netns, sender->key.ifindex,
				(int)sender->key.pid, sender->key.start_ns, sender->cgroup, path ? path : sender->service);
	}
}

bool tracker_restore_udp(struct tracker *w, char *line)
{
	struct probe_sender found;
	int at = 0;

	memset(&found, 0, sizeof(found));
	if (strncmp(line, "udp ", 4) != 0)
		return false;
	if (sscanf(line, "udp %" SCNu32 " %d %d %" SCNu64 " %" SCNu64 " %n", &found.key.netns, &found.key.ifindex, &found.key.pid,
		    &found.key.start_ns, &found.cgroup, &at) != 5 || !at || found.key.netns != w->collect.netns || found.key.ifindex <= 0 ||
		found.key.pid <= 0 || w->collect.senders.foreign_pids || (kill(found.key.pid, 0) < 0 && errno == ESRCH))
		return true;
	line[at + (int)strcspn(line + at, "\n")] = '\0';
	if (line[at] == '/')
		probe_add_cgroup(found.cgroup, line + at);
	else
		util_copy_name(found.comm, sizeof(found.comm), line + at, strlen(line + at));
	probe_restore_sender(w->probe, &found);
	w->udp_usec = 1;
	return true;
}

void tracker_free_udp(struct tracker *w)
{
	struct tracker_udp *sender, *next;

	HASH_ITER(hh, w->udp, sender, next) {
		HASH_DEL(w->udp, sender);
		util_close_pointer(&sender->pidfd);
		free(sender);
	}
}
