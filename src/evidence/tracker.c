/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "evidence/tracker_private.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "basic/file.h"
#include "basic/text_stream.h"
#include "basic/util.h"

#define STATE_HEADER "offloadd services 1\n"
#define STATE_MAX_BYTES (4 * 1024 * 1024)
/* Hits are read every HITS_USEC, until READS_QUIET reads found none: longer than PROBE_QUIET_USEC, after which a hit sends an
 * event again. */
#define HITS_USEC (UINT64_C(5) * 1000 * 1000)
#define READS_QUIET 3
#define HITS_POLL_USEC (UINT64_C(30) * 1000 * 1000) /* if the probes send no events */
#define FORGET_USEC (UINT64_C(600) * 1000 * 1000)     /* combinations without hits */

/* ---- names ---- */

int tracker_own_ifindex(const struct tracker *w, const struct probe_hits *hits)
{
	return hits->netns == w->collect.netns ? hits->ifindex : 0;
}

void tracker_name_link(const struct tracker *w, int ifindex, char buf[LINK_NAME_LEN])
{
	const struct link *link = collect_find_link(&w->collect, w->collect.netns, ifindex);

	buf[0] = '\0';
	if (link)
		util_copy_name(buf, LINK_NAME_LEN, link->name, sizeof(link->name));
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

/* Stores the combination. True if it was not stored before and there is room. */
static bool is_first_time(struct tracker *w, const struct probe_hits *hits, int ifindex, const char *service)
{
	struct tracker_reported_key key;
	struct tracker_reported *reported;

	memset(&key, 0, sizeof(key));
	key.kind = (int32_t)hits->kind;
	key.ifindex = ifindex;
	util_append(key.service, sizeof(key.service), "%s", service);
	HASH_FIND(hh, w->reported, &key, sizeof(key), reported);
	if (reported)
		return false;
	if (HASH_COUNT(w->reported) >= TRACKER_REPORTED_MAX) {
		struct finding f;

		begin(&f, FINDING_FALLBACK_MORE, "", 0, "");
		f.total = TRACKER_REPORTED_MAX;
		if (!w->reported_all)
			send(w, &f);
		w->reported_all = true;
		return false;
	}
	reported = calloc(1, sizeof(*reported));
	if (!reported)
		return false;
	reported->key = key;
	if (hash_add(w->reported, key, reported) < 0) {
		free(reported);
		return false;
	}
	return true;
}

static enum finding_code code_of(const struct probe_hits *hits, const char *service)
{
	if (hits->origin == FALLBACK_FORWARDED)
		return FINDING_FALLBACK_FORWARDED;
	if (hits->origin == FALLBACK_KERNEL || !service[0])
		return FINDING_FALLBACK_KERNEL;
	return evidence_is_by_socket(hits->kind) ? FINDING_FALLBACK_SOCKET : FINDING_FALLBACK_SERVICE;
}

static void report_fallback(const struct probe_hits *hits, void *userdata)
{
	struct tracker *w = userdata;
	int ifindex = tracker_own_ifindex(w, hits);
	struct stale_key key = { hits->cgroup, hits->netns, hits->ifindex };
	char service[UNIT_SERVICE_LEN] = "", link[LINK_NAME_LEN];
	struct finding f;
	struct unit unit;

	if (!ifindex || (evidence_is_by_socket(hits->kind) && stale_find(&w->stale, &key)))
		return; /* reported as stale */
	if (hits->origin == FALLBACK_SOCKET)
		collect_name_service(&w->collect, hits->cgroup, evidence_is_by_socket(hits->kind) ? hits->tgid : 0,
			evidence_is_by_socket(hits->kind) ? hits->comm : "", &unit, service);
	if (!is_first_time(w, hits, ifindex, hits->origin == FALLBACK_SOCKET ? service : evidence_origin_name(hits->origin)))
		return;
	tracker_name_link(w, ifindex, link);
	begin(&f, code_of(hits, service), link, ifindex, service);
	f.kind = hits->kind;
	send(w, &f);
}

void tracker_forget_link(struct tracker *w, int ifindex)
{
	struct tracker_reported *reported, *next;

	HASH_ITER(hh, w->reported, reported, next)
	{
		if (reported->key.ifindex != ifindex)
			continue;
		HASH_DEL(w->reported, reported);
		free(reported);
		w->reported_all = false;
	}
}

/* ---- hits ---- */

struct counting {
	struct tracker *w;
	uint64_t hits;
	size_t keys;
};

static void count_hits(const struct probe_hits *hits, void *userdata)
{
	const struct stale_key key = { hits->cgroup, hits->netns, hits->ifindex };
	struct counting *c = userdata;
	struct stale *stale;

	c->hits += hits->hits;
	c->keys++;
	if (!evidence_is_by_socket(hits->kind) || hits->origin != FALLBACK_SOCKET)
		return;
	stale = stale_find(&c->w->stale, &key);
	if (stale)
		stale->sum += hits->hits;
}

/* Adds the new hits of an entry. The sum is smaller than before if its combination was removed from the map and counts from 0
 * again. */
static void settle_hits(struct tracker *w, struct stale *stale)
{
	uint64_t more = stale->sum >= stale->counted ? stale->sum - stale->counted : stale->sum;

	stale->counted = stale->sum;
	if (stale->is_new || more == 0)
		return;
	stale->found.hits += more;
	w->hits_unsaved = true;
}

static void report_lost(struct tracker *w)
{
	struct probe_lost lost;
	struct finding f;
	uint64_t hits = 0;

	probe_read_lost(w->probe, &lost);
	for (unsigned i = 0; i < FALLBACK_KINDS; i++)
		hits += lost.hits[i];
	if (!hits || w->lost_reported)
		return;
	w->lost_reported = hits;
	begin(&f, FINDING_FALLBACK_LOST, "", 0, "");
	f.count = hits;
	send(w, &f);
}

int tracker_read_hits(struct tracker *w, uint64_t now_usec)
{
	struct counting c = { .w = w };
	int more;

	for (struct stale *stale = w->stale.all; stale; stale = stale->hh.next)
		stale->sum = 0;
	if (probe_read_hits(w->probe, count_hits, &c) < 0)
		return 0;
	for (struct stale *stale = w->stale.all; stale; stale = stale->hh.next)
		settle_hits(w, stale);
	if (c.keys > PROBE_KEYS_DEFAULT / 4 * 3 && now_usec > FORGET_USEC)
		(void)probe_forget_hits(w->probe, now_usec - FORGET_USEC);
	more = c.hits != w->hits;
	w->hits = c.hits;
	report_lost(w);
	return more;
}

/* ---- the file of flagged services ---- */

void tracker_save(struct tracker *w)
{
	struct finding finding;
	_cleanup_free_ char *text = NULL;
	struct text_stream s;
	size_t len = 0;
	int r;

	if (!w->path || !(w->unsaved || w->hits_unsaved))
		return;
	w->unsaved = w->hits_unsaved = false;
	r = text_stream_open(&s);
	if (r >= 0)
		fputs(STATE_HEADER, s.f);
	for (const struct stale *stale = w->stale.all; stale && r >= 0; stale = stale->hh.next)
		if (!stale->is_new)
			fprintf(s.f, "%" PRIu64 " %" PRIu32 " %" PRId32 " %" PRIu64 " %" PRIu64 "\n", stale->key.cgroup,
				stale->key.netns, stale->key.ifindex, stale->found.since_usec, stale->found.hits);
	if (r >= 0)
		r = text_stream_close(&s, &text, &len);
	if (r >= 0)
		r = file_replace(w->path, text, len);
	if (r < 0 && !w->save_failed) {
		begin(&finding, FINDING_SERVICES_UNWRITABLE, "", 0, "");
		finding_set_object(&finding, w->path);
		finding.error = r;
		send(w, &finding);
	}
	w->save_failed = r < 0;
}

/* The service may be restarted TRACKER_RESTART_USEC from now. */
static void begin_wait(struct tracker *w, struct stale *stale)
{
	stale->found_usec = util_now_usec();
	util_earlier(&w->restart_usec, stale->found_usec + TRACKER_RESTART_USEC);
	collect_name_stale(&w->collect, stale);
}

static void restore_line(struct tracker *w, const char *line)
{
	uint64_t since_usec, hits;
	struct stale_key key;
	struct stale *stale;

	if (sscanf(line, "%" SCNu64 " %" SCNu32 " %" SCNd32 " %" SCNu64 " %" SCNu64, &key.cgroup, &key.netns,
		    &key.ifindex, &since_usec, &hits) != 5 ||
		key.netns != w->collect.netns || key.ifindex <= 0)
		return;
	stale = stale_restore(&w->stale, &key, since_usec, hits);
	if (stale)
		begin_wait(w, stale);
}

/* If the file has errors, only the times are lost: sockets are checked anyway. */
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

static void report_stale(struct tracker *w, const struct stale *stale)
{
	struct finding f;

	begin(&f, FINDING_STALE, stale->found.link, stale->key.ifindex, stale->found.service);
	f.on = stale->found.missing;
	f.count = stale->found.sockets;
	send(w, &f);
}

/* Does the service hold stale connections on another link? It is restarted only once for all of them. */
static bool has_other(const struct tracker *w, const struct stale *gone)
{
	for (const struct stale *stale = w->stale.all; stale; stale = stale->hh.next)
		if (strcmp(stale->found.unit.name, gone->found.unit.name) == 0)
			return true;
	return false;
}

static void report_gone(const struct stale *stale, void *userdata)
{
	struct tracker *w = userdata;
	struct finding f;

	w->unsaved = true;
	if (!has_other(w, stale))
		restart_forget(&w->restarts, stale->found.unit.name);
	begin(&f, FINDING_RECONNECTED, stale->found.link, stale->key.ifindex, stale->found.service);
	send(w, &f);
}

/* Reads the hits first, so that only later ones count. */
static void report_new_ones(struct tracker *w, uint64_t now_usec)
{
	bool any = false;

	for (struct stale *stale = w->stale.all; stale; stale = stale->hh.next)
		any |= stale->is_new;
	if (!any)
		return;
	(void)tracker_read_hits(w, now_usec);
	w->unsaved = true;
	for (struct stale *stale = w->stale.all; stale; stale = stale->hh.next) {
		if (!stale->is_new)
			continue;
		stale->is_new = false;
		begin_wait(w, stale);
		report_stale(w, stale);
	}
}

void tracker_read_sockets(struct tracker *w, uint64_t now_usec)
{
	int r = collect_stale(&w->collect, w->probe, &w->stale);
	uint64_t pause_usec;

	w->inventoried_usec = util_now_usec();
	w->cost_usec = w->inventoried_usec > now_usec ? w->inventoried_usec - now_usec : 0;
	w->inventory_usec = 0;
	if (r == -EOPNOTSUPP)
		return;
	if (r >= 0) {
		report_new_ones(w, now_usec);
		(void)stale_end(&w->stale, report_gone, w);
	}
	pause_usec = w->cost_usec * TRACKER_COST_FACTOR;
	if (r < 0 || w->stale.all)
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
	w->restart_usec = w->stale.all ? util_now_usec() : 0;
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

/* Starts at most one restart; the others wait. */
static void restart_due(struct tracker *w, uint64_t now_usec)
{
	w->restart_usec = 0;
	if (!w->options.restart || !*w->options.enforce)
		return;
	for (const struct stale *stale = w->stale.all; stale; stale = stale->hh.next) {
		uint64_t stood_usec = stale->found_usec + TRACKER_RESTART_USEC, usec;
		int r;

		if (restart_judge(&w->policy, &stale->found.unit) != RESTART_YES)
			continue;
		if (now_usec < stood_usec) {
			util_earlier(&w->restart_usec, stood_usec);
			continue;
		}
		if (!restart_take(&w->restarts, &w->policy, &stale->found.unit, now_usec, &usec)) {
			util_earlier(&w->restart_usec, usec);
			continue;
		}
		r = w->options.restart(stale->found.unit.name, w->options.userdata);
		if (r < 0)
			tracker_restarted(w, stale->found.unit.name, strerror(-r));
		return;
	}
}

/* ---- time ---- */

uint64_t tracker_deadline(const struct tracker *w)
{
	uint64_t deadline_usec = w->inventory_usec;

	util_earlier(&deadline_usec, w->hits_usec);
	util_earlier(&deadline_usec, w->restart_usec);
	util_earlier(&deadline_usec, w->sendfile_usec);
	return deadline_usec;
}

static int read_hits_again(struct tracker *w, uint64_t now_usec)
{
	int more = tracker_read_hits(w, now_usec);

	w->quiet = more ? 0 : w->quiet + 1;
	if (w->polling)
		w->hits_usec = now_usec + HITS_POLL_USEC;
	else
		w->hits_usec = w->quiet < READS_QUIET ? now_usec + HITS_USEC : 0;
	return more;
}

int tracker_tick(struct tracker *w, uint64_t now_usec)
{
	int more = 0;

	if (w->inventory_usec && w->inventory_usec <= now_usec) {
		tracker_read_sockets(w, now_usec);
		if (w->stale.all)
			more = tracker_read_hits(w, now_usec);
	}
	if (w->hits_usec && w->hits_usec <= now_usec)
		more |= read_hits_again(w, now_usec);
	if (w->sendfile_usec && w->sendfile_usec <= now_usec)
		more |= tracker_read_sendfile(w, now_usec);
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
	if (w->hits_usec == 0)
		w->hits_usec = now_usec + HITS_USEC;
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

	if ((kind != EVENT_REPAIRED && kind != EVENT_DRIFT && kind != EVENT_CONTENDED) || by->asked ||
		event->limits.has) /* no probe sees who changes a limit */
		return;
	r = probe_find_change(w->probe, w->collect.netns, event->ifindex, &change);
	if (r == -EOPNOTSUPP)
		return;
	by->asked = true;
	if (r < 0 || !((change.before ^ change.after) & finding_features(event)))
		return;
	by->pid = change.pid;
	by->parent_pid = change.parent_pid;
	memcpy(by->comm, change.comm, sizeof(by->comm));
	memcpy(by->parent_comm, change.parent_comm, sizeof(by->parent_comm));
	collect_name_service(&w->collect, change.cgroup, change.pid, "", &unit, by->unit);
	if (change.root_netns == w->collect.netns && change.root_ifindex != event->ifindex)
		tracker_name_link(w, change.root_ifindex, by->link);
	by->time_usec = util_realtime_usec() - (now_usec > change.time_usec ? now_usec - change.time_usec : 0);
}

/* ---- */

int tracker_new(const struct tracker_options *options, uint64_t now_usec, struct tracker **ret)
{
	struct tracker *w = calloc(1, sizeof(*w));
	struct probe_options wanted;
	struct evidence probes = { 0 };
	int r;

	if (!w)
		return -ENOMEM;
	w->options = *options;
	w->features = *options->features;
	w->options.features = &w->features;
	w->path = options->path ? strdup(options->path) : NULL;
	collect_open(&w->collect, options->links, &w->features);
	wanted = (struct probe_options){ .features = &w->features };
	r = probe_open(&wanted, &w->probe);
	malloc_trim(0); /* loading needed the BTF of the kernel, several megabytes */
	if (r < 0) {
		tracker_free(w);
		return r;
	}
	restore(w);
	tracker_note_change(w, now_usec);
	collect_probes(&probes, w->probe);
	w->polling = probes.has_fallback && probe_events_fd(w->probe) < 0;
	if (w->polling)
		w->hits_usec = now_usec + HITS_POLL_USEC;
	*ret = w;
	return 0;
}

void tracker_free(struct tracker *w)
{
	if (!w)
		return;
	HASH_FREE(w->reported, free);
	stale_clear(&w->stale);
	collect_close(&w->collect);
	probe_latency_close(w->latency);
	probe_close(w->probe);
	free(w->path);
	free(w);
}
