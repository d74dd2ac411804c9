/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "evidence/sender.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "basic/util.h"
#include "evidence/evidence.h"

#define RESOLVED_AT_ONCE 64 /* before the time is looked at */

/* ---- the kernel as the source ---- */

static int kernel_cgroup_path(_unused_ void *userdata, uint64_t id, char *path, size_t size)
{
	const char *found = probe_cgroup_path(id);

	if (found)
		snprintf(path, size, "%s", found);
	return found ? 0 : -ENOENT;
}

static bool kernel_has_cgroup(_unused_ void *userdata, const char *path)
{
	return cgroup_exists(path);
}

static int kernel_process_path(_unused_ void *userdata, pid_t pid, char *path, size_t size)
{
	return cgroup_path_of_process(pid, path, size);
}

static int kernel_read_process(_unused_ void *userdata, pid_t pid, struct cgroup_process *ret)
{
	return cgroup_read_process(pid, ret);
}

static int kernel_find_owners(_unused_ void *userdata, struct cgroup_scan *scan, struct cgroup_socket *sockets, size_t n,
	uint64_t until_usec)
{
	return cgroup_find_socket_owners(scan, sockets, n, until_usec);
}

static int kernel_read_holders(void *userdata, struct probe_pass *pass, probe_holder_fn fn, void *fn_userdata)
{
	const struct senders *s = userdata;

	return s->probe ? probe_read_holders(s->probe, pass, fn, fn_userdata) : -EOPNOTSUPP;
}

static uint64_t kernel_asleep_usec(_unused_ void *userdata)
{
	struct timespec boot, mono;

	if (clock_gettime(CLOCK_BOOTTIME, &boot) < 0 || clock_gettime(CLOCK_MONOTONIC, &mono) < 0)
		return 0;
	return (uint64_t)((boot.tv_sec - mono.tv_sec) * 1000000 + (boot.tv_nsec - mono.tv_nsec) / 1000);
}

void senders_open(struct senders *s, const struct sender_source *source)
{
	*s = (struct senders){ 0 };
	if (source) {
		s->source = *source;
		return;
	}
	s->source = (struct sender_source){ kernel_cgroup_path, kernel_has_cgroup, kernel_process_path, kernel_read_process,
		kernel_find_owners, kernel_read_holders, kernel_asleep_usec, s };
	s->foreign_pids = probe_has_foreign_pids();
}

void senders_open_again(struct senders *s, const struct senders *of)
{
	*s = (struct senders){ .source = of->source, .slice_usec = of->slice_usec, .foreign_pids = of->foreign_pids };
}

void senders_close(struct senders *s)
{
	probe_end_pass(&s->pass);
	cgroup_end_scan(&s->scan);
	free(s->scanned);
	HASH_FREE(s->all, free);
	HASH_FREE(s->owners, free);
}

/* ---- names ---- */

static bool read_process_unit(struct senders *s, pid_t pid, struct unit *ret)
{
	char path[UNIT_PATH_MAX];

	*ret = (struct unit){ .kind = UNIT_NONE };
	if (pid <= 0 || s->source.process_path(s->source.userdata, pid, path, sizeof(path)) < 0)
		return false;
	unit_parse_path(path, ret);
	return true;
}

static bool read_cgroup_unit(struct senders *s, uint64_t cgroup, struct unit *ret)
{
	char path[UNIT_PATH_MAX], service[UNIT_PATH_MAX];

	*ret = (struct unit){ .kind = UNIT_NONE };
	if (s->source.cgroup_path(s->source.userdata, cgroup, path, sizeof(path)) < 0)
		return false;
	if (unit_path_of_service(path, service, sizeof(service)) && s->source.has_cgroup(s->source.userdata, service))
		unit_parse_path(service, ret);
	else
		unit_parse_path(path, ret);
	return true;
}

static bool is_of_socket_unit(struct senders *s, uint64_t cgroup)
{
	char path[UNIT_PATH_MAX], service[UNIT_PATH_MAX];

	return s->source.cgroup_path(s->source.userdata, cgroup, path, sizeof(path)) >= 0 &&
	       unit_path_of_service(path, service, sizeof(service));
}

/* systemd creates listeners and passes them on, and sends nothing by them. */
static bool is_manager(const struct unit *unit)
{
	return !strcmp(unit->name, "init.scope");
}

static struct sender_owner *keep_owner(struct senders *s, struct sender_owner *owner)
{
	if (hash_add(s->owners, cgroup, owner) == 0)
		return owner;
	free(owner);
	return NULL;
}

/* Finds it, and makes it the last to be forgotten. */
static struct sender_owner *find_owner(struct senders *s, uint64_t cgroup)
{
	struct sender_owner *owner;

	HASH_FIND(hh, s->owners, &cgroup, sizeof(cgroup), owner);
	if (!owner || !owner->hh.next)
		return owner;
	HASH_DEL(s->owners, owner);
	return keep_owner(s, owner);
}

/* What the cgroup of a socket suggests. That of a process, which sends by itself, needs no other evidence; but no process is in the
 * cgroup of a socket unit, so there it is that of a socket, by which a kernel thread sent. */
static void name_by_cgroup(struct senders *s, uint64_t cgroup, bool of_process, struct unit *unit, char buf[UNIT_SERVICE_LEN])
{
	const struct sender_owner *owner = of_process && !is_of_socket_unit(s, cgroup) ? NULL : find_owner(s, cgroup);

	if (owner && owner->single) {
		*unit = owner->unit;
		snprintf(buf, UNIT_SERVICE_LEN, "%s", owner->service);
		return;
	}
	if (cgroup > 1 && !read_cgroup_unit(s, cgroup, unit)) {
		snprintf(buf, UNIT_SERVICE_LEN, "cgroup %" PRIu64, cgroup);
		return;
	}
	if (cgroup > 1 && unit->kind != UNIT_NONE && !is_manager(unit)) {
		unit_format(unit, buf, UNIT_SERVICE_LEN);
		return;
	}
	*unit = (struct unit){ .kind = UNIT_NONE };
	snprintf(buf, UNIT_SERVICE_LEN, SENDER_UNKNOWN);
}

const char *senders_name_cgroup(struct senders *s, uint64_t cgroup, pid_t pid, const char *otherwise, struct unit *ret,
	char buf[UNIT_SERVICE_LEN])
{
	*ret = (struct unit){ .kind = UNIT_NONE };
	if (cgroup > 1 && !read_cgroup_unit(s, cgroup, ret)) {
		snprintf(buf, UNIT_SERVICE_LEN, "cgroup %" PRIu64, cgroup);
		return buf;
	}
	if (cgroup <= 1 && !s->foreign_pids)
		read_process_unit(s, pid, ret);
	if (ret->kind != UNIT_NONE)
		return unit_format(ret, buf, UNIT_SERVICE_LEN);
	util_copy_name(buf, UNIT_SERVICE_LEN, otherwise, strlen(otherwise));
	return buf;
}

/* ---- senders ---- */

static void set_pending(struct senders *s, struct sender *sender, bool pending)
{
	bool was = sender->pending;

	sender->pending = pending;
	s->n_pending = s->n_pending + pending - was;
	if (!sender->key.is_process)
		s->n_sockets = s->n_sockets + pending - was;
}

/* It is not in s->all any more. */
static void forget(struct senders *s, struct sender *sender)
{
	set_pending(s, sender, false);
	free(sender);
}

/* Makes it the last to be forgotten. NULL: no memory, it is forgotten. */
static struct sender *touch(struct senders *s, struct sender *sender)
{
	if (!sender->hh.next)
		return sender;
	HASH_DEL(s->all, sender);
	if (hash_add(s->all, key, sender) == 0)
		return sender;
	forget(s, sender);
	return NULL;
}

static struct sender *add(struct senders *s, const struct sender_key *key, bool *ret_new)
{
	struct sender *sender;

	*ret_new = false;
	HASH_FIND(hh, s->all, key, sizeof(*key), sender);
	if (sender)
		return touch(s, sender);
	if (HASH_COUNT(s->all) >= SENDERS_MAX) {
		sender = s->all; /* the first in the order of touch() */
		HASH_DEL(s->all, sender);
		forget(s, sender);
	}
	sender = calloc(1, sizeof(*sender));
	if (!sender)
		return NULL;
	sender->key = *key;
	sender->unit.kind = UNIT_NONE;
	if (hash_add(s->all, key, sender) < 0) {
		free(sender);
		return NULL;
	}
	*ret_new = true;
	return sender;
}

struct sender *senders_note_socket(struct senders *s, uint64_t cgroup, uint64_t inode)
{
	const struct sender_key key = { .cgroup = cgroup, .id = inode };
	bool is_new;
	struct sender *sender = add(s, &key, &is_new);

	if (sender && is_new)
		set_pending(s, sender, inode != 0);
	return sender;
}

/* The process that was read last: most connections of a service are held by few processes. */
struct read_process {
	pid_t pid; /* 0: none */
	struct cgroup_process process;
};

static void set_process(struct senders *s, struct sender *sender, pid_t pid, const struct unit *unit, struct read_process *last)
{
	sender->held = true;
	sender->unit = *unit;
	unit_format(unit, sender->service, sizeof(sender->service));
	if (s->foreign_pids)
		return;
	sender->pid = pid;
	if (last->pid != pid)
		last->pid = s->source.read_process(s->source.userdata, pid, &last->process) == 0 ? pid : 0;
	if (!last->pid)
		return;
	sender->start_usec = last->process.start_usec;
	sender->netns = last->process.netns;
}

/* The start of a process in the clock of hits. */
static uint64_t start_of(const struct senders *s, const struct cgroup_process *process)
{
	uint64_t asleep_usec = s->source.asleep_usec(s->source.userdata);

	return process->start_usec > asleep_usec ? process->start_usec - asleep_usec : 1;
}

static struct sender *note_process(struct senders *s, const struct probe_hits *hits)
{
	const struct sender_key key = { .is_process = true, .id = (uint64_t)hits->tgid, .first_usec = hits->first_usec };
	const char *name = hits->comm[0] ? hits->comm : SENDER_UNKNOWN;
	bool is_new;
	struct sender *sender = add(s, &key, &is_new);

	if (!sender || !is_new)
		return sender;
	util_copy_name(sender->service, sizeof(sender->service), name, strlen(name));
	sender->hit_usec = hits->first_usec ? hits->first_usec : hits->last_usec;
	set_pending(s, sender, !s->foreign_pids);
	return sender;
}

/* A process that started after the hit is another one with the same number. */
static void resolve_process(struct senders *s, struct sender *sender)
{
	struct read_process read = { .pid = (pid_t)sender->key.id };
	struct unit unit;

	set_pending(s, sender, false);
	if (s->source.read_process(s->source.userdata, read.pid, &read.process) == 0 &&
		(!sender->hit_usec || start_of(s, &read.process) <= sender->hit_usec) && read_process_unit(s, read.pid, &unit))
		set_process(s, sender, read.pid, &unit, &read);
}

struct sender *senders_note(struct senders *s, const struct probe_hits *hits)
{
	if (evidence_is_by_process(hits->kind) && hits->cgroup <= 1 && hits->tgid)
		return note_process(s, hits);
	return senders_note_socket(s, hits->cgroup, hits->inode);
}

/* By the cgroup that it was in when it was seen, which the kernel shows of all processes; else by /proc, which shows a later moment. A
 * process in the root of the unified hierarchy was in no service, unless services are in another hierarchy. */
static bool read_holder_unit(struct senders *s, const struct sender_holder *holder, struct unit *ret)
{
	char path[UNIT_PATH_MAX];
	int r;

	*ret = (struct unit){ .kind = UNIT_NONE };
	if (holder->cgroup > 1 && s->source.cgroup_path(s->source.userdata, holder->cgroup, path, sizeof(path)) >= 0) {
		unit_parse_path(path, ret);
		return true;
	}
	r = holder->pid > 0 ? s->source.process_path(s->source.userdata, holder->pid, path, sizeof(path)) : -ESRCH;
	if (holder->cgroup == 1 && (r == 0 || (r < 0 && s->source.has_cgroup(s->source.userdata, "/init.scope"))))
		return true;
	if (r >= 0)
		unit_parse_path(path, ret);
	return r >= 0;
}

/* Of several holders it is the one that the socket was passed to. */
static void resolve(struct senders *s, struct sender *sender, struct read_process *last_read)
{
	const struct sender_holder *first = &sender->first, *last = &sender->last;
	struct unit creator = { .kind = UNIT_NONE }, unit, other;
	bool known = first->pid && read_holder_unit(s, first, &unit);

	set_pending(s, sender, false);
	if (known && last->pid != first->pid && sender->key.cgroup > 1 && read_cgroup_unit(s, sender->key.cgroup, &creator) &&
		!strcmp(unit.name, creator.name) && read_holder_unit(s, last, &other) && strcmp(other.name, creator.name) != 0)
		set_process(s, sender, last->pid, &other, last_read);
	else if (known && (first->pid != 1 || !is_manager(&unit)))
		set_process(s, sender, first->pid, &unit, last_read);
}

/* The service manager keeps copies of what it passes on. */
static void note_holder(struct sender *sender, pid_t pid, uint64_t cgroup)
{
	if (!sender || !sender->pending || pid <= 0)
		return;
	if (sender->first.pid <= 1)
		sender->first = (struct sender_holder){ pid, cgroup };
	if (sender->last.pid <= 1 || pid > 1)
		sender->last = (struct sender_holder){ pid, cgroup };
}

static void take_holder(const struct probe_holder *holder, void *userdata)
{
	const struct sender_key key = { .cgroup = holder->socket_cgroup, .id = holder->inode };
	const struct senders *s = userdata;
	struct sender *sender;

	if (s->foreign_pids && holder->cgroup <= 1)
		return;
	HASH_FIND(hh, s->all, &key, sizeof(key), sender);
	note_holder(sender, holder->tgid, holder->cgroup);
}

static bool begin_scan(struct senders *s)
{
	s->scanned = calloc(s->n_sockets + 1, sizeof(*s->scanned));
	if (!s->scanned)
		return false;
	s->n_scanned = 0;
	for (const struct sender *sender = s->all; sender; sender = sender->hh.next)
		if (sender->pending && sender->sought)
			s->scanned[s->n_scanned++] = (struct cgroup_socket){ .cgroup = sender->key.cgroup, .inode = sender->key.id };
	return true;
}

/* 0; -EAGAIN. */
static int find_in_proc(struct senders *s, uint64_t until_usec)
{
	if (!s->scanned && !begin_scan(s))
		return 0;
	if (s->source.find_owners(s->source.userdata, &s->scan, s->scanned, s->n_scanned, until_usec) == -EAGAIN)
		return -EAGAIN;
	for (size_t i = 0; i < s->n_scanned; i++) {
		const struct cgroup_socket *socket = &s->scanned[i];
		const struct sender_key key = { .cgroup = socket->cgroup, .id = socket->inode };
		struct sender *sender;

		HASH_FIND(hh, s->all, &key, sizeof(key), sender);
		note_holder(sender, socket->first, 0);
		note_holder(sender, socket->last, 0);
	}
	free(s->scanned);
	s->scanned = NULL;
	return 0;
}

static int read_holders(struct senders *s, struct probe_pass *pass, probe_holder_fn fn, void *userdata)
{
	return s->source.read_holders ? s->source.read_holders(s->source.userdata, pass, fn, userdata) : -EOPNOTSUPP;
}

/* What becomes pending during a pass may have been missed by it. */
static int find_holders(struct senders *s, uint64_t until_usec)
{
	int r = 0;

	for (struct sender *sender = s->all; sender && !s->finding; sender = sender->hh.next)
		sender->sought = sender->pending && !sender->key.is_process;
	s->finding = true;
	if (!s->scanned)
		r = read_holders(s, &s->pass, take_holder, s);
	if (s->scanned || (r < 0 && r != -EAGAIN))
		r = find_in_proc(s, until_usec);
	s->finding = r == -EAGAIN;
	return r;
}

int senders_find(struct senders *s)
{
	uint64_t until_usec = s->slice_usec ? util_now_usec() + s->slice_usec : UINT64_MAX;
	struct read_process read = { 0 };
	unsigned n = 0;

	if (!s->n_pending)
		return 0;
	if (!s->resolving && s->n_sockets && find_holders(s, until_usec) == -EAGAIN)
		return -EAGAIN;
	s->resolving = true;
	for (struct sender *sender = s->all; sender; sender = sender->hh.next) {
		if (!sender->pending || !(sender->sought || sender->key.is_process))
			continue;
		if (n && n % RESOLVED_AT_ONCE == 0 && util_now_usec() >= until_usec)
			return -EAGAIN;
		if (sender->key.is_process)
			resolve_process(s, sender);
		else
			resolve(s, sender, &read);
		s->sees = s->sees || sender->held;
		n++;
	}
	s->resolving = false;
	return s->n_pending ? -EAGAIN : 0;
}

size_t senders_find_sockets(struct senders *s, const struct socket_info *sockets, size_t n)
{
	if (n > SENDERS_BATCH)
		n = SENDERS_BATCH;
	for (size_t i = 0; i < n; i++)
		(void)senders_note_socket(s, sockets[i].cgroup, sockets[i].inode);
	while (senders_find(s) == -EAGAIN)
		;
	return n;
}

bool senders_name(struct senders *s, const struct probe_hits *hits, struct unit *ret, char buf[UNIT_SERVICE_LEN])
{
	struct sender *sender;

	*ret = (struct unit){ .kind = UNIT_NONE };
	buf[0] = '\0';
	if (hits->origin != FALLBACK_SOCKET)
		return true;
	sender = senders_note(s, hits);
	if (sender && sender->pending && sender->key.is_process)
		resolve_process(s, sender);
	if (!sender || (!sender->held && !sender->key.is_process)) {
		name_by_cgroup(s, hits->cgroup, evidence_is_by_process(hits->kind), ret, buf);
		return sender && !sender->pending;
	}
	*ret = sender->unit;
	snprintf(buf, UNIT_SERVICE_LEN, "%s", sender->service);
	return true;
}

bool senders_has_ended(const struct senders *s, const struct sender *sender, uint64_t *ret_start_usec)
{
	struct cgroup_process process;
	bool found;

	if (ret_start_usec)
		*ret_start_usec = 0;
	if (!sender->key.is_process || sender->pending || s->foreign_pids)
		return false;
	found = s->source.read_process(s->source.userdata, (pid_t)sender->key.id, &process) == 0;
	if (found && ret_start_usec)
		*ret_start_usec = start_of(s, &process);
	return !found || !sender->held || process.start_usec != sender->start_usec;
}

void senders_sweep(struct senders *s)
{
	struct sender *sender, *next;

	HASH_ITER(hh, s->all, sender, next)
	{
		if (!sender->over)
			continue;
		HASH_DEL(s->all, sender);
		forget(s, sender);
	}
}

/* ---- cgroups with one service ---- */

static struct sender_judged *find_judged(struct sender_judge *judge, uint64_t cgroup)
{
	for (size_t i = 0; i < judge->n; i++)
		if (judge->of[i].cgroup == cgroup)
			return &judge->of[i];
	return NULL;
}

static void judge_holder(struct sender_judged *judged, const struct unit *unit, uint64_t cgroup)
{
	char first[UNIT_SERVICE_LEN], other[UNIT_SERVICE_LEN];

	if (judged->found) {
		judged->single = judged->single &&
				 !strcmp(unit_format(unit, other, sizeof(other)), unit_format(&judged->unit, first, sizeof(first)));
		return;
	}
	judged->found = judged->single = true;
	judged->unit = *unit;
	judged->holder = cgroup;
}

struct judging {
	struct senders *s;
	struct sender_judge *judge;
};

/* The service manager only keeps copies. */
static void take_judged(const struct probe_holder *holder, void *userdata)
{
	const struct judging *judging = userdata;
	struct sender_judged *judged = find_judged(judging->judge, holder->socket_cgroup);
	const struct sender_holder process = { judging->s->foreign_pids ? 0 : holder->tgid, holder->cgroup };
	struct unit unit;

	if (!judged || holder->listening || holder->tgid == 1 || (judged->found && !judged->single) ||
		(judged->found && judged->holder > 1 && judged->holder == holder->cgroup))
		return;
	if (read_holder_unit(judging->s, &process, &unit)) {
		judge_holder(judged, &unit, holder->cgroup);
		return;
	}
	judged->found = true; /* it may be any service */
	judged->single = false;
}

/* Keeps the name. False: it cannot be kept. */
static bool set_owner(struct senders *s, struct sender_judged *judged)
{
	struct sender_owner *owner = find_owner(s, judged->cgroup), *oldest = s->owners;

	if (!owner) {
		owner = calloc(1, sizeof(*owner));
		if (!owner)
			return false;
		owner->cgroup = judged->cgroup;
		if (HASH_COUNT(s->owners) >= SENDER_OWNERS_MAX) {
			judged->forgotten = oldest->cgroup;
			HASH_DEL(s->owners, oldest);
			free(oldest);
		}
		owner = keep_owner(s, owner);
		if (!owner)
			return false;
	}
	owner->single = judged->single;
	owner->unit = judged->unit;
	unit_format(&judged->unit, owner->service, sizeof(owner->service));
	return true;
}

int senders_judge(struct senders *s, struct sender_judge *judge)
{
	int r = read_holders(s, &judge->pass, take_judged, &(struct judging){ s, judge });

	if (r == -EAGAIN)
		return r;
	for (const struct sender *sender = s->all; sender; sender = sender->hh.next) {
		struct sender_judged *judged = sender->held ? find_judged(judge, sender->key.cgroup) : NULL;

		if (judged)
			judge_holder(judged, &sender->unit, 0);
	}
	for (size_t i = 0; i < judge->n; i++) {
		struct sender_judged *judged = &judge->of[i];

		if (r < 0 && r != -EOPNOTSUPP) /* other holders may not have been read */
			judged->single = false;
		else
			judged->single = judged->found ? set_owner(s, judged) && judged->single : !s->sees;
	}
	return 0;
}
