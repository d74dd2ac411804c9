/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "evidence/tracker_private.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/cgroup.h"
#include "basic/file.h"
#include "basic/util.h"

#define STATE_HEADER "offloadd services 1\n"
#define STATE_MAX_BYTES (4 * 1024 * 1024)
/* Hits are looked at so often while somebody pays, and until nobody did for longer than the probes call quiet. */
#define LOOK_USEC (UINT64_C(5) * 1000 * 1000)
#define LOOKS_QUIET 3
#define LOOK_BLIND_USEC (UINT64_C(30) * 1000 * 1000) /* where no probe wakes anybody */
#define FORGET_USEC (UINT64_C(600) * 1000 * 1000)

/* ---- names ---- */

static bool unit_of_process(pid_t pid, struct unit *ret)
{
	char path[UNIT_PATH_MAX];

	if (pid <= 0 || cgroup_path_of_process(pid, path, sizeof(path)) < 0)
		return false;
	unit_parse_path(path, ret);
	return ret->kind != UNIT_NONE;
}

/* The service of a cgroup, or where that says nothing of a process; "" where neither does. */
void tracker_name_service(struct tracker *w, uint64_t cgroup, pid_t pid, const char *comm,
	struct unit *ret, char buf[UNIT_SERVICE_LEN])
{
	const char *path;

	*ret = (struct unit){ .kind = UNIT_NONE };
	buf[0] = '\0';
	if (cgroup > 1 && w->cgroups && cgroup_paths_find(w->cgroups, cgroup, &path) == 0) {
		unit_parse_path(path, ret);
	} else if (cgroup > 1) {
		snprintf(buf, UNIT_SERVICE_LEN, "cgroup %" PRIu64, cgroup);
		return;
	} else if (!unit_of_process(pid, ret)) {
		util_append(buf, UNIT_SERVICE_LEN, "%s", comm);
		return;
	}
	unit_format(ret, buf, UNIT_SERVICE_LEN);
}

void tracker_name_link(struct tracker *w, int ifindex, char buf[LINK_NAME_LEN])
{
	const struct link *link = ifindex ? link_table_find(w->options.links, ifindex) : NULL;

	buf[0] = '\0';
	if (link)
		util_copy_name(buf, LINK_NAME_LEN, link->name, sizeof(link->name));
}

const char *tracker_origin_name(enum probe_origin origin)
{
	switch (origin) {
	case PROBE_LOCAL:
		return "local";
	case PROBE_FORWARDED:
		return "forwarded";
	case PROBE_KERNEL:
		return "kernel";
	}
	return "unknown";
}

bool tracker_is_by_socket(enum probe_kind kind)
{
	return kind == PROBE_SENDPAGE || kind == PROBE_SPLICE;
}

/* The link as this namespace numbers it, 0 for those of others. */
int tracker_own_ifindex(const struct tracker *w, const struct probe_hits *hits)
{
	return hits->netns == w->netns ? hits->ifindex : 0;
}

/* ---- events ---- */

static void send(struct tracker *w, const struct finding *f)
{
	if (w->options.fn)
		w->options.fn(f, w->options.userdata);
}

static void begin(struct finding *ret, enum finding_code code, const char *link, int ifindex, const char *service)
{
	finding_init(ret, code, NULL);
	ret->ifindex = ifindex;
	util_append(ret->link, sizeof(ret->link), "%s", link);
	util_append(ret->service, sizeof(ret->service), "%s", service);
}

/* True for the first time, while there is room. */
static bool is_first_time(struct tracker *w, const struct probe_hits *hits, int ifindex, const char *service)
{
	struct tracker_told_key key;
	struct tracker_told *told;

	memset(&key, 0, sizeof(key));
	key.kind = (int32_t)hits->kind;
	key.ifindex = ifindex;
	util_append(key.service, sizeof(key.service), "%s", service);
	HASH_FIND(hh, w->told, &key, sizeof(key), told);
	if (told)
		return false;
	if (HASH_COUNT(w->told) >= TRACKER_TOLD_MAX) {
		struct finding f;

		begin(&f, FINDING_FALLBACK_MORE, "", 0, "");
		f.total = TRACKER_TOLD_MAX;
		if (!w->told_all)
			send(w, &f);
		w->told_all = true;
		return false;
	}
	told = calloc(1, sizeof(*told));
	if (!told)
		return false;
	told->key = key;
	HASH_ADD(hh, w->told, key, sizeof(told->key), told);
	return true;
}

static enum finding_code code_of(const struct probe_hits *hits, const char *service)
{
	if (hits->origin == PROBE_FORWARDED)
		return FINDING_FALLBACK_FORWARDED;
	if (hits->origin == PROBE_KERNEL || !service[0])
		return FINDING_FALLBACK_KERNEL;
	return tracker_is_by_socket(hits->kind) ? FINDING_FALLBACK_SOCKET : FINDING_FALLBACK_SERVICE;
}

static void report_fallback(const struct probe_hits *hits, void *userdata)
{
	struct tracker *w = userdata;
	int ifindex = tracker_own_ifindex(w, hits);
	struct socket_holder_key key = { hits->cgroup, hits->netns, hits->ifindex };
	char service[UNIT_SERVICE_LEN] = "", link[LINK_NAME_LEN];
	struct finding f;
	struct unit unit;

	if (!ifindex || (tracker_is_by_socket(hits->kind) && socket_holders_find(&w->holders, &key)))
		return; /* what is flagged was reported */
	if (hits->origin == PROBE_LOCAL)
		tracker_name_service(w, hits->cgroup, tracker_is_by_socket(hits->kind) ? hits->tgid : 0,
			tracker_is_by_socket(hits->kind) ? hits->comm : "", &unit, service);
	if (!is_first_time(w, hits, ifindex, hits->origin == PROBE_LOCAL ? service : tracker_origin_name(hits->origin)))
		return;
	tracker_name_link(w, ifindex, link);
	begin(&f, code_of(hits, service), link, ifindex, service);
	finding_set_object(&f, probe_kind_name(hits->kind));
	send(w, &f);
}

void tracker_forget_link(struct tracker *w, int ifindex)
{
	struct tracker_told *told, *next;

	HASH_ITER(hh, w->told, told, next)
	{
		if (told->key.ifindex != ifindex)
			continue;
		HASH_DEL(w->told, told);
		free(told);
		w->told_all = false;
	}
}

/* ---- hits ---- */

static struct tracker_flag *find_flag(struct tracker *w, const struct socket_holder_key *key)
{
	struct tracker_flag *flag;

	HASH_FIND(hh, w->flags, key, sizeof(*key), flag);
	return flag;
}

struct counting {
	struct tracker *w;
	uint64_t hits;
	size_t keys;
};

static void count_hits(const struct probe_hits *hits, void *userdata)
{
	struct counting *c = userdata;
	struct socket_holder_key key;
	struct tracker_flag *flag;

	c->hits += hits->hits;
	c->keys++;
	if (!tracker_is_by_socket(hits->kind) || hits->origin != PROBE_LOCAL || !c->w->flags)
		return;
	memset(&key, 0, sizeof(key));
	key.cgroup = hits->cgroup;
	key.netns = hits->netns;
	key.ifindex = hits->ifindex;
	flag = find_flag(c->w, &key);
	if (flag)
		flag->sum += hits->hits;
}

/* Brings the flags' hits up to date; a combination that was forgotten begins at 0 again. fresh: the flag was made just now. */
static void settle_flag(struct tracker *w, struct tracker_flag *flag, bool fresh)
{
	uint64_t more = flag->sum >= flag->seen ? flag->sum - flag->seen : flag->sum;

	flag->seen = flag->sum;
	if (fresh || more == 0)
		return;
	flag->hits += more;
	w->hits_unsaved = true;
}

static void report_lost(struct tracker *w)
{
	struct probe_lost lost;
	struct finding f;
	uint64_t hits = 0;

	probe_read_lost(w->probe, &lost);
	for (unsigned i = 0; i < PROBE_KINDS; i++)
		hits += lost.hits[i];
	hits += lost.process_hits;
	if (!hits || w->lost_said)
		return;
	w->lost_said = hits;
	begin(&f, FINDING_FALLBACK_LOST, "", 0, "");
	f.count = hits;
	send(w, &f);
}

/* 1 when there are more hits than the last time. */
int tracker_look_at_hits(struct tracker *w, uint64_t now_usec, const struct tracker_flag *fresh)
{
	struct counting c = { .w = w };
	int more;

	for (struct tracker_flag *flag = w->flags; flag; flag = flag->hh.next)
		flag->sum = 0;
	if (probe_read_hits(w->probe, count_hits, &c) < 0)
		return 0;
	for (struct tracker_flag *flag = w->flags; flag; flag = flag->hh.next)
		settle_flag(w, flag, flag == fresh);
	if (c.keys > PROBE_KEYS_DEFAULT / 4 * 3 && now_usec > FORGET_USEC)
		(void)probe_forget_hits(w->probe, now_usec - FORGET_USEC);
	more = c.hits != w->hits;
	w->hits = c.hits;
	report_lost(w);
	return more;
}

/* ---- what outlives the daemon ---- */

void tracker_save(struct tracker *w)
{
	struct finding finding;
	char *text = NULL;
	size_t len = 0;
	FILE *f;
	int r;

	if (!w->path || !(w->unsaved || w->hits_unsaved))
		return;
	w->unsaved = w->hits_unsaved = false;
	f = open_memstream(&text, &len);
	if (!f)
		return;
	fputs(STATE_HEADER, f);
	for (const struct tracker_flag *flag = w->flags; flag; flag = flag->hh.next) {
		const struct socket_holder *holder = socket_holders_find(&w->holders, &flag->key);

		fprintf(f, "%" PRIu64 " %" PRIu32 " %" PRId32 " %" PRIu64 " %" PRIu64 "\n",
			flag->key.cgroup, flag->key.netns, flag->key.ifindex,
			holder ? holder->since_usec : 0, flag->hits);
	}
	r = fclose(f) == 0 ? file_replace(w->path, text, len) : -ENOMEM;
	if (r < 0 && !w->save_failed) {
		begin(&finding, FINDING_SERVICES_UNWRITABLE, "", 0, "");
		finding_set_object(&finding, w->path);
		finding.error = r;
		send(w, &finding);
	}
	w->save_failed = r < 0;
	free(text);
}

static struct tracker_flag *new_flag(struct tracker *w, const struct socket_holder_key *key)
{
	struct tracker_flag *flag = calloc(1, sizeof(*flag));

	if (!flag)
		return NULL;
	flag->key = *key;
	flag->flagged_usec = util_now_usec();
	HASH_ADD(hh, w->flags, key, sizeof(flag->key), flag);
	return flag;
}

/* The first sample's process tells where the cgroup does not. */
static void name_flag(struct tracker *w, struct tracker_flag *flag, const struct socket_holder *holder)
{
	struct cgroup_socket owner = { .inode = holder->n_samples ? holder->samples[0].inode : 0 };

	if (flag->key.cgroup <= 1 && owner.inode)
		(void)cgroup_find_socket_owners(&owner, 1);
	tracker_name_service(w, flag->key.cgroup, owner.pid, "", &flag->unit, flag->service);
	if (!flag->service[0] && owner.pid)
		snprintf(flag->service, sizeof(flag->service), "process %d", (int)owner.pid);
	else if (!flag->service[0])
		snprintf(flag->service, sizeof(flag->service), "a process");
	tracker_name_link(w, flag->key.ifindex, flag->link);
}

static void restore_line(struct tracker *w, const char *line)
{
	struct socket_holder_key key;
	uint64_t since_usec, hits;
	struct tracker_flag *flag;

	memset(&key, 0, sizeof(key));
	if (sscanf(line, "%" SCNu64 " %" SCNu32 " %" SCNd32 " %" SCNu64 " %" SCNu64, &key.cgroup, &key.netns,
		    &key.ifindex, &since_usec, &hits) != 5 ||
		key.netns != w->netns || key.ifindex <= 0 || find_flag(w, &key) ||
		socket_holders_restore(&w->holders, &key, since_usec, hits) < 0)
		return;
	flag = new_flag(w, &key);
	if (!flag)
		return;
	flag->hits = hits;
	util_earlier(&w->restart_usec, flag->flagged_usec + TRACKER_RESTART_USEC);
	name_flag(w, flag, socket_holders_find(&w->holders, &key));
}

/* A file that cannot be understood is no loss but of times: sockets are looked at anyway. */
static void restore(struct tracker *w)
{
	_cleanup_fclose_ FILE *f = w->path ? fopen(w->path, "re") : NULL;
	char line[256];
	size_t bytes = 0;

	if (!f || !fgets(line, sizeof(line), f) || strcmp(line, STATE_HEADER) != 0)
		return;
	while (fgets(line, sizeof(line), f) && (bytes += strlen(line)) < STATE_MAX_BYTES)
		restore_line(w, line);
}

/* ---- sockets ---- */

struct inventory {
	struct tracker *w;
	uint64_t realtime_usec;
};

/* What no process holds any more is only waiting for its end. */
static int add_socket(const struct socket_info *socket, void *userdata)
{
	struct inventory *inventory = userdata;

	if (socket->inode && socket_stale(socket, &inventory->w->bits))
		(void)socket_holders_add(&inventory->w->holders, socket, &inventory->w->bits,
			inventory->realtime_usec);
	return 0;
}

static void report_stale(struct tracker *w, const struct tracker_flag *flag, const struct socket_holder *holder)
{
	struct finding f;

	begin(&f, FINDING_STALE, flag->link, flag->key.ifindex, flag->service);
	f.on = holder->missing;
	f.count = holder->sockets;
	send(w, &f);
}

/* It has one turn to be restarted as long as any of its flags stands. */
static bool has_other_flag(const struct tracker *w, const struct tracker_flag *gone)
{
	for (const struct tracker_flag *flag = w->flags; flag; flag = flag->hh.next)
		if (flag != gone && strcmp(flag->unit.name, gone->unit.name) == 0)
			return true;
	return false;
}

static void report_gone(const struct socket_holder *holder, void *userdata)
{
	struct tracker *w = userdata;
	struct tracker_flag *flag = find_flag(w, &holder->key);
	struct finding f;

	w->unsaved = true;
	if (!flag)
		return;
	begin(&f, FINDING_RECONNECTED, flag->link, flag->key.ifindex, flag->service);
	if (!has_other_flag(w, flag))
		restart_forget(&w->restarts, flag->unit.name);
	send(w, &f);
	HASH_DEL(w->flags, flag);
	free(flag);
}

static void flag_new_ones(struct tracker *w, uint64_t now_usec)
{
	for (struct socket_holder *holder = w->holders.holders; holder; holder = holder->hh.next) {
		struct tracker_flag *flag = find_flag(w, &holder->key);

		if (flag)
			continue;
		flag = new_flag(w, &holder->key);
		if (!flag)
			continue;
		name_flag(w, flag, holder);
		(void)tracker_look_at_hits(w, now_usec, flag);
		w->unsaved = true;
		util_earlier(&w->restart_usec, flag->flagged_usec + TRACKER_RESTART_USEC);
		report_stale(w, flag, holder);
	}
}

void tracker_look_at_sockets(struct tracker *w, uint64_t now_usec)
{
	struct inventory inventory = { w, util_realtime_usec() };
	uint64_t pause_usec;
	int r;

	socket_holders_begin(&w->holders);
	r = probe_read_sockets(w->probe, false, add_socket, &inventory, NULL);
	w->inventoried_usec = util_now_usec();
	w->cost_usec = w->inventoried_usec > now_usec ? w->inventoried_usec - now_usec : 0;
	w->inventory_usec = 0;
	if (r == -EOPNOTSUPP)
		return;
	if (r >= 0) {
		flag_new_ones(w, now_usec);
		(void)socket_holders_end(&w->holders, report_gone, w);
	}
	pause_usec = w->cost_usec * TRACKER_COST_FACTOR;
	if (r < 0 || w->holders.holders)
		w->inventory_usec = w->inventoried_usec +
			(pause_usec > TRACKER_AGAIN_USEC ? pause_usec : TRACKER_AGAIN_USEC);
}

void tracker_note_change(struct tracker *w, uint64_t now_usec)
{
	uint64_t at_usec = now_usec + TRACKER_SETTLE_USEC;
	uint64_t rested_usec = w->inventoried_usec + w->cost_usec * TRACKER_COST_FACTOR;

	if (at_usec < rested_usec)
		at_usec = rested_usec;
	if (w->inventory_usec == 0 || at_usec < w->inventory_usec)
		w->inventory_usec = at_usec;
}

/* ---- restarts ---- */

void tracker_set_policy(struct tracker *w, const struct restart_policy *policy)
{
	w->policy = *policy;
	w->restart_usec = w->flags ? util_now_usec() : 0;
}

void tracker_restarted(struct tracker *w, const char *unit, const char *error)
{
	struct finding f;

	restart_done(&w->restarts);
	begin(&f, error[0] ? FINDING_RESTART_FAILED : FINDING_RESTARTED, "", 0, unit);
	finding_set_words(&f, error);
	send(w, &f);
	w->restart_usec = w->restarts.next_usec;
}

/* At most one is begun; the rest wait. */
static void restart_due(struct tracker *w, uint64_t now_usec)
{
	w->restart_usec = 0;
	if (!w->options.restart || !*w->options.enforce)
		return;
	for (struct tracker_flag *flag = w->flags; flag; flag = flag->hh.next) {
		uint64_t stood_usec = flag->flagged_usec + TRACKER_RESTART_USEC, usec;
		int r;

		if (restart_judge(&w->policy, &flag->unit) != RESTART_YES)
			continue;
		if (now_usec < stood_usec) {
			util_earlier(&w->restart_usec, stood_usec);
			continue;
		}
		if (!restart_take(&w->restarts, &w->policy, &flag->unit, now_usec, &usec)) {
			util_earlier(&w->restart_usec, usec);
			continue;
		}
		r = w->options.restart(flag->unit.name, w->options.userdata);
		if (r < 0)
			tracker_restarted(w, flag->unit.name, strerror(-r));
		return;
	}
}

/* ---- time ---- */

uint64_t tracker_deadline(const struct tracker *w)
{
	uint64_t deadline_usec = w->inventory_usec;

	util_earlier(&deadline_usec, w->look_usec);
	util_earlier(&deadline_usec, w->restart_usec);
	util_earlier(&deadline_usec, w->sendfile_usec);
	return deadline_usec;
}

static int look_again(struct tracker *w, uint64_t now_usec)
{
	int more = tracker_look_at_hits(w, now_usec, NULL);

	w->quiet = more ? 0 : w->quiet + 1;
	if (w->blind)
		w->look_usec = now_usec + LOOK_BLIND_USEC;
	else
		w->look_usec = w->quiet < LOOKS_QUIET ? now_usec + LOOK_USEC : 0;
	return more;
}

int tracker_tick(struct tracker *w, uint64_t now_usec)
{
	int more = 0;

	if (w->inventory_usec && w->inventory_usec <= now_usec) {
		tracker_look_at_sockets(w, now_usec);
		if (w->flags)
			more = tracker_look_at_hits(w, now_usec, NULL);
	}
	if (w->look_usec && w->look_usec <= now_usec)
		more |= look_again(w, now_usec);
	if (w->sendfile_usec && w->sendfile_usec <= now_usec)
		more |= tracker_look_at_sendfile(w, now_usec);
	if (w->restart_usec && w->restart_usec <= now_usec)
		restart_due(w, now_usec);
	if (w->unsaved || (w->hits_unsaved && now_usec >= w->save_usec)) {
		w->save_usec = now_usec + TRACKER_SAVE_USEC;
		tracker_save(w);
		more = 1;
	}
	return more;
}

int tracker_fd(const struct tracker *w)
{
	return probe_events_fd(w->probe);
}

void tracker_read(struct tracker *w, uint64_t now_usec)
{
	(void)probe_read_events(w->probe, report_fallback, w);
	w->quiet = 0;
	if (w->look_usec == 0)
		w->look_usec = now_usec + LOOK_USEC;
}

/* ---- who changed a link ---- */

void tracker_find_changed_by(struct tracker *w, struct finding *event)
{
	enum event_kind kind = finding_event(event->code);
	struct finding_process *by = &event->changed_by;
	uint64_t now_usec = util_now_usec();
	struct probe_change change;
	struct unit unit;
	int r;

	if ((kind != EVENT_REPAIRED && kind != EVENT_DRIFT && kind != EVENT_CONTENDED) || by->asked)
		return;
	r = probe_find_change(w->probe, w->netns, event->ifindex, &change);
	if (r == -EOPNOTSUPP)
		return;
	by->asked = true;
	if (r < 0 || !((change.before ^ change.after) & finding_features(event)))
		return;
	by->pid = change.pid;
	by->parent_pid = change.parent_pid;
	memcpy(by->comm, change.comm, sizeof(by->comm));
	memcpy(by->parent_comm, change.parent_comm, sizeof(by->parent_comm));
	tracker_name_service(w, change.cgroup, change.pid, "", &unit, by->unit);
	if (change.root_netns == w->netns && change.root_ifindex != event->ifindex)
		tracker_name_link(w, change.root_ifindex, by->link);
	by->time_usec = util_realtime_usec() - (now_usec > change.time_usec ? now_usec - change.time_usec : 0);
}

/* ---- */

int tracker_new(const struct tracker_options *options, uint64_t now_usec, struct tracker **ret)
{
	struct tracker *w = calloc(1, sizeof(*w));
	struct probe_options wanted;
	struct services probes = { 0 };
	int r;

	if (!w)
		return -ENOMEM;
	w->options = *options;
	w->features = *options->features;
	w->options.features = &w->features;
	w->path = options->path ? strdup(options->path) : NULL;
	w->netns = probe_own_netns();
	socket_features_init(&w->features, &w->bits);
	(void)cgroup_paths_open(&w->cgroups);
	wanted = (struct probe_options){ .features = &w->features,
		.no_fallback = options->only_sockets, .no_changes = options->only_sockets };
	r = probe_open(&wanted, &w->probe);
	malloc_trim(0); /* the kernel's types, read to load the programs, are megabytes */
	if (r < 0) {
		tracker_free(w);
		return r;
	}
	restore(w);
	tracker_note_change(w, now_usec);
	tracker_list_probes(w, &probes);
	w->blind = probes.counted && probe_events_fd(w->probe) < 0;
	if (w->blind)
		w->look_usec = now_usec + LOOK_BLIND_USEC;
	*ret = w;
	return 0;
}

void tracker_free(struct tracker *w)
{
	struct tracker_flag *flag, *next_flag;
	struct tracker_told *told, *next_told;

	if (!w)
		return;
	tracker_clear_metrics(w);
	HASH_ITER(hh, w->flags, flag, next_flag)
	{
		HASH_DEL(w->flags, flag);
		free(flag);
	}
	HASH_ITER(hh, w->told, told, next_told)
	{
		HASH_DEL(w->told, told);
		free(told);
	}
	socket_holders_clear(&w->holders);
	cgroup_paths_close(w->cgroups);
	probe_latency_close(w->latency);
	probe_close(w->probe);
	free(w->path);
	free(w);
}
