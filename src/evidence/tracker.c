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
#include "kernel/netns.h"

#define STATE_HEADER "offloadd services 3 %" PRIu64 "\n" /* netns_cookie() */
#define STATE_MAX_BYTES (4 * 1024 * 1024)
/* Hits are read every HITS_USEC, until READS_QUIET reads found none: longer than PROBE_QUIET_USEC, after which a hit sends an
 * event again. */
#define HITS_USEC (UINT64_C(5) * 1000 * 1000)
#define READS_QUIET 3
#define HITS_POLL_USEC (UINT64_C(30) * 1000 * 1000) /* if the probes send no events */
#define SETTLE_USEC (UINT64_C(60) * 1000 * 1000) /* how often settled cgroups are compared again while they have hits */
#define PAST_MAX 2048
#define PROCESSES_AT_ONCE 64 /* looked up before the clock is read */
#define ENDED_AT_ONCE 256 /* and forgotten; the others the next time */
#define LOST_QUIET_USEC (UINT64_C(3600) * 1000 * 1000)

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
	key.reason = (int32_t)hits->reason;
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

static enum finding_code code_of(const struct probe_hits *hits)
{
	if (hits->origin == FALLBACK_FORWARDED)
		return FINDING_FALLBACK_FORWARDED;
	if (hits->origin == FALLBACK_KERNEL)
		return FINDING_FALLBACK_KERNEL;
	if (hits->kind == FALLBACK_UDP)
		return FINDING_UDP_REFUSED;
	return evidence_is_by_socket(hits->kind) ? FINDING_FALLBACK_SOCKET : FINDING_FALLBACK_SERVICE;
}

void tracker_set_remedy(const struct tracker *w, const struct evidence *e, struct evidence_fallback *row)
{
	const struct link *link = collect_find_link(&w->collect, w->collect.netns, row->ifindex);
	const struct link_result *result =
		w->options.result && row->ifindex ? w->options.result(row->ifindex, w->options.userdata) : NULL;

	evidence_set_missing(row, &w->features, link ? &link->features : NULL);
	evidence_set_remedy(e, row, result);
}

/* Of an event about the link: there is no row yet. */
static void set_remedy(const struct tracker *w, const struct probe_hits *hits, struct finding *f)
{
	struct evidence_fallback row = { .origin = hits->origin, .ifindex = f->ifindex, .lacked = hits->missing,
		.reason = hits->reason };
	const struct evidence none = { .features = w->features };

	row.hits[hits->kind].n = 1;
	snprintf(row.link, sizeof(row.link), "%s", f->link);
	tracker_set_remedy(w, &none, &row);
	f->off = row.missing;
	f->remedy = row.remedy;
}

static void report_fallback(struct tracker *w, const struct probe_hits *hits)
{
	int ifindex = tracker_own_ifindex(w, hits);
	struct stale_key key = { .netns = hits->netns, .ifindex = hits->ifindex };
	char service[UNIT_SERVICE_LEN], link[LINK_NAME_LEN];
	struct finding f;
	struct unit unit;

	if (!ifindex || evidence_is_intended(hits->reason))
		return;
	senders_name(&w->collect.senders, hits, &unit, service);
	util_append(key.service, sizeof(key.service), "%s", service);
	if (evidence_is_by_socket(hits->kind) && stale_find(&w->stale, &key))
		return; /* reported as stale */
	if (!is_first_time(w, hits, ifindex, hits->origin == FALLBACK_SOCKET ? service : evidence_origin_name(hits->origin)))
		return;
	tracker_name_link(w, ifindex, link);
	begin(&f, code_of(hits), link, ifindex, service);
	f.kind = hits->kind;
	f.reason = hits->reason;
	f.limit = hits->limit;
	f.largest = hits->largest;
	set_remedy(w, hits, &f);
	send(w, &f);
}

/* whole: at once, for what must not be divided. 0; -EAGAIN: not finished; -ENOMEM. Then w->read is as before. */
static int read_hits(struct tracker *w, bool whole)
{
	struct probe_hits *read = NULL;
	size_t n = 0;
	int r = collect_read_hits(&w->collect, w->probe, whole, &read, &n);

	if (r < 0) {
		free(read);
		return r;
	}
	free(w->read);
	w->read = read;
	w->n_read = n;
	return r;
}

static int compare_keys(const void *p, const void *q)
{
	const struct probe_hits *a = p, *b = q;

	return COMPARE(a->cgroup, b->cgroup) ?: COMPARE(a->inode, b->inode) ?: COMPARE(a->ifindex, b->ifindex) ?:
	       COMPARE(a->netns, b->netns) ?: COMPARE(a->kind, b->kind) ?: COMPARE(a->origin, b->origin) ?: COMPARE(a->reason, b->reason);
}

/* Events do not have what was missing; the map does. w->read: sorted. */
static void complete_event(const struct tracker *w, struct probe_hits *hits)
{
	const struct probe_hits *end = w->n_read ? w->read + w->n_read : NULL;
	const struct probe_hits *read = w->n_read ? bsearch(hits, w->read, w->n_read, sizeof(*hits), compare_keys) : NULL;

	while (read && read > w->read && compare_keys(read - 1, hits) == 0)
		read--;
	for (; read && read < end && compare_keys(read, hits) == 0; read++) {
		hits->missing |= read->missing;
		hits->limit = read->limit;
		hits->largest = read->largest;
	}
}

/* An event is sent once, while its fallback may go on: what was lost is reported from the hits. */
static void report_lost_events(struct tracker *w, uint64_t now_usec)
{
	struct probe_lost lost;
	uint64_t n;

	probe_read_lost(w->probe, &lost);
	n = lost.events + w->events_dropped;
	for (size_t i = 0; i < w->n_read && n != w->events_lost; i++)
		if (w->read[i].last_usec + EVIDENCE_NOW_USEC > now_usec)
			report_fallback(w, &w->read[i]);
	w->events_lost = n;
}

/* Reports the events whose senders can be resolved now. */
static void report_events(struct tracker *w, uint64_t now_usec)
{
	if (!w->n_events || now_usec < w->senders_usec)
		return;
	for (size_t i = 0; i < w->n_events; i++)
		(void)senders_note(&w->collect.senders, &w->events[i]);
	if (senders_find(&w->collect.senders) == -EAGAIN) {
		w->busy = true;
		w->senders_spent_usec += util_now_usec() - now_usec;
		return;
	}
	if (read_hits(w, w->resolving) == -EAGAIN) { /* what is being resolved stays a whole */
		w->busy = true;
		w->senders_spent_usec += util_now_usec() - now_usec;
		return;
	}
	if (w->n_read)
		qsort(w->read, w->n_read, sizeof(*w->read), compare_keys);
	for (size_t i = 0; i < w->n_events; i++) {
		complete_event(w, &w->events[i]);
		report_fallback(w, &w->events[i]);
	}
	report_lost_events(w, now_usec);
	w->busy = collect_settle(&w->collect, w->probe, w->events, w->n_events) == -EAGAIN;
	w->n_events = 0;
	w->senders_spent_usec += util_now_usec() - now_usec;
	w->senders_usec = now_usec + w->senders_spent_usec * TRACKER_COST_FACTOR;
	w->senders_spent_usec = 0;
}

static void note_event(const struct probe_hits *hits, void *userdata)
{
	struct tracker *w = userdata;

	if (hits->kind == FALLBACK_UDP)
		w->udp_usec = util_now_usec();
	if (w->n_events < TRACKER_EVENTS_MAX && GROW(w->events, w->n_events))
		w->events[w->n_events++] = *hits;
	else
		w->events_dropped++;
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

static void read_lingering(struct tracker *w, uint64_t now_usec);

/* ---- hits ---- */

static void count_stale(struct tracker *w, const struct probe_hits *hits)
{
	struct stale_key key = { .netns = hits->netns, .ifindex = hits->ifindex };
	struct stale *stale;
	struct unit unit;

	if (!w->stale.all || !evidence_is_by_socket(hits->kind) || hits->origin != FALLBACK_SOCKET)
		return;
	senders_name(&w->collect.senders, hits, &unit, key.service);
	stale = stale_find(&w->stale, &key);
	if (stale)
		stale->sum += hits->hits;
}

static void lose_past(struct tracker *w, const struct probe_hits *hits, uint64_t n)
{
	w->past_lost[hits->kind] += n;
	if (hits->last_usec > w->past_lost_usec)
		w->past_lost_usec = hits->last_usec;
}

/* Keeps n of hits that are removed from the kernel, for the name that they were shown with. */
static void keep_hits(struct tracker *w, const struct probe_hits *hits, const char *service, uint64_t n)
{
	struct tracker_past_key key;
	struct tracker_past *past;

	memset(&key, 0, sizeof(key));
	key.kind = (int32_t)hits->kind;
	key.reason = (int32_t)hits->reason;
	key.ifindex = tracker_own_ifindex(w, hits);
	util_append(key.service, sizeof(key.service), "%s", hits->origin == FALLBACK_SOCKET ? service : evidence_origin_name(hits->origin));
	HASH_FIND(hh, w->past, &key, sizeof(key), past);
	if (!past) {
		past = HASH_COUNT(w->past) < PAST_MAX ? calloc(1, sizeof(*past)) : NULL;
		if (!past) {
			lose_past(w, hits, n);
			return;
		}
		past->key = key;
		past->hits = *hits;
		past->hits.hits = 0;
		if (hash_add(w->past, key, past) < 0) {
			free(past);
			lose_past(w, hits, n);
			return;
		}
	}
	past->hits.hits += n;
	past->hits.missing |= hits->missing;
	past->hits.limit = hits->limit;
	if (past->hits.largest < hits->largest)
		past->hits.largest = hits->largest;
	if (past->hits.last_usec < hits->last_usec)
		past->hits.last_usec = hits->last_usec;
}

struct forgetting {
	struct tracker *w;
	uint64_t before_usec; /* also those without a hit since then */
};

/* A process that has ended is forgotten at once, because its number can be used again. What may be hits of the next one with this number
 * is charged to neither. */
static bool forget(const struct probe_hits *hits, void *userdata)
{
	const struct forgetting *forgetting = userdata;
	struct tracker *w = forgetting->w;
	struct sender *sender = hits->origin == FALLBACK_SOCKET ? senders_note(&w->collect.senders, hits) : NULL;
	uint64_t next_usec = 0, certain = hits->hits;
	char service[UNIT_SERVICE_LEN];
	struct unit unit;
	bool ended = sender && sender->over && senders_has_ended(&w->collect.senders, sender, &next_usec);

	if (!ended && hits->last_usec >= forgetting->before_usec)
		return false;
	senders_name(&w->collect.senders, hits, &unit, service);
	if (sender)
		sender->over = ended || sender->key.id;
	if (collect_is_elsewhere(&w->collect, hits))
		return true;
	if (ended && sender->held && next_usec && hits->last_usec >= next_usec && sender->hits < certain)
		certain = sender->hits;
	keep_hits(w, hits, service, certain);
	if (certain < hits->hits)
		keep_hits(w, hits, SENDER_UNKNOWN, hits->hits - certain);
	return true;
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

uint64_t tracker_read_lost(const struct tracker *w, struct probe_lost *ret)
{
	probe_read_lost(w->probe, ret);
	for (unsigned i = 0; i < FALLBACK_KINDS; i++)
		ret->hits[i] += w->past_lost[i];
	return ret->hits_usec > w->past_lost_usec ? ret->hits_usec : w->past_lost_usec;
}

/* Again after LOST_QUIET_USEC without one. */
static void report_lost(struct tracker *w)
{
	struct probe_lost lost;
	uint64_t last_usec = tracker_read_lost(w, &lost);
	bool again = last_usec && (!w->lost_usec || last_usec > w->lost_usec + LOST_QUIET_USEC);
	struct finding f;

	w->lost_usec = last_usec;
	if (!again)
		return;
	begin(&f, FINDING_FALLBACK_LOST, "", 0, "");
	for (unsigned i = 0; i < FALLBACK_KINDS; i++)
		f.count += lost.hits[i];
	send(w, &f);
}

/* Which processes have ended, at most ENDED_AT_ONCE of them. 0; -EAGAIN: the slice is over. */
static int check_processes(struct tracker *w)
{
	uint64_t until_usec = util_now_usec() + TRACKER_SLICE_USEC;

	for (; w->checked < w->n_read; w->checked++) {
		const struct probe_hits *hits = &w->read[w->checked];
		struct sender *sender = hits->tgid ? senders_note(&w->collect.senders, hits) : NULL;

		if (!sender || w->n_ended == ENDED_AT_ONCE)
			continue;
		sender->over = senders_has_ended(&w->collect.senders, sender, NULL);
		w->n_ended += sender->over;
		if (!sender->over)
			sender->hits = hits->hits;
		if (w->checked % PROCESSES_AT_ONCE == PROCESSES_AT_ONCE - 1 && util_now_usec() >= until_usec) {
			w->checked++;
			return -EAGAIN;
		}
	}
	return 0;
}

/* Removes what has ended, and what is idle if the map is nearly full. True: something was removed. */
static bool forget_hits(struct tracker *w, uint64_t now_usec)
{
	struct forgetting forgetting = { .w = w };
	bool ended = w->n_ended;

	w->n_ended = 0;
	if (w->n_read > PROBE_KEYS_DEFAULT / 4 * 3 && now_usec > EVIDENCE_NOW_USEC)
		forgetting.before_usec = now_usec - EVIDENCE_NOW_USEC;
	if ((!ended && !forgetting.before_usec) || probe_forget_hits(w->probe, forget, &forgetting) <= 0)
		return false;
	senders_sweep(&w->collect.senders);
	return true;
}

static int digest_hits(struct tracker *w, uint64_t now_usec)
{
	uint64_t hits = 0;
	int more;

	for (struct stale *stale = w->stale.all; stale; stale = stale->hh.next)
		stale->sum = 0;
	if (forget_hits(w, now_usec) && read_hits(w, true) < 0)
		return 0;
	for (size_t i = 0; i < w->n_read; i++) {
		hits += w->read[i].hits;
		count_stale(w, &w->read[i]);
	}
	for (const struct tracker_past *past = w->past; past; past = past->hh.next)
		hits += past->hits.hits;
	for (struct stale *stale = w->stale.all; stale; stale = stale->hh.next)
		settle_hits(w, stale);
	if (w->polling)
		read_lingering(w, now_usec);
	(void)tracker_read_udp(w, now_usec);
	more = hits != w->hits;
	w->hits = hits;
	report_lost(w);
	return more;
}

int tracker_read_hits(struct tracker *w, uint64_t now_usec)
{
	if (!w->resolving) {
		int r = read_hits(w, false);

		if (r < 0)
			return r;
		w->checked = w->n_ended = 0;
	}
	w->resolving = senders_find(&w->collect.senders) == -EAGAIN || check_processes(w) == -EAGAIN;
	return w->resolving ? -EAGAIN : digest_hits(w, now_usec);
}

/* ---- the file of services that must reconnect ---- */

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
		fprintf(s.f, STATE_HEADER, netns_cookie());
	for (const struct stale *stale = w->stale.all; stale && r >= 0; stale = stale->hh.next)
		if (!stale->is_new)
			fprintf(s.f, "%" PRIu32 " %" PRId32 " %" PRIu64 " %" PRIu64 " %s\n", stale->key.netns, stale->key.ifindex,
				stale->found.since_usec, stale->found.hits, stale->key.service);
	if (r >= 0)
		tracker_save_udp(w, s.f);
	if (r >= 0)
		r = text_stream_close(&s, &text, &len);
	if (r >= 0)
		r = file_replace(w->path, text, len);
	if ((r < 0) != w->save_failed) {
		begin(&finding, r < 0 ? FINDING_SERVICES_UNWRITABLE : FINDING_WRITABLE, "", 0, "");
		finding_set_object(&finding, w->path);
		finding.error = r < 0 ? r : 0;
		send(w, &finding);
	}
	w->save_failed = w->hits_unsaved = r < 0;
}

/* The service may be restarted TRACKER_RESTART_USEC from now. */
static void begin_wait(struct tracker *w, struct stale *stale)
{
	stale->found_usec = util_now_usec();
	util_earlier(&w->restart_usec, stale->found_usec + TRACKER_RESTART_USEC);
}

static void restore_line(struct tracker *w, char *line)
{
	uint64_t since_usec, hits;
	struct stale_key key = { 0 };
	struct stale *stale;
	int at = 0;

	if (tracker_restore_udp(w, line))
		return;
	if (sscanf(line, "%" SCNu32 " %" SCNd32 " %" SCNu64 " %" SCNu64 " %n", &key.netns, &key.ifindex, &since_usec, &hits, &at) != 4 ||
		!at || key.netns != w->collect.netns || key.ifindex < 0)
		return;
	util_copy_name(key.service, sizeof(key.service), line + at, strcspn(line + at, "\n"));
	stale = stale_restore(&w->stale, &key, since_usec, hits);
	if (!stale)
		return;
	tracker_name_link(w, key.ifindex, stale->found.link);
	begin_wait(w, stale);
}

void tracker_restore(struct tracker *w, char *text)
{
	char *save = NULL, header[64];

	snprintf(header, sizeof(header), STATE_HEADER, netns_cookie());
	if (!netns_cookie() || strncmp(text, header, strlen(header)) != 0)
		return;
	for (char *line = strtok_r(text + strlen(header), "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		restore_line(w, line);
}

/* If the file has errors, or may be one of a former network namespace, only the times are lost: sockets are checked anyway. */
static void restore(struct tracker *w)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (w->path && file_read_path(w->path, STATE_MAX_BYTES, &text, &len) >= 0)
		tracker_restore(w, text);
}

/* ---- sockets ---- */

static void report_stale(struct tracker *w, const struct stale *stale)
{
	struct finding f;

	begin(&f, FINDING_STALE, stale->found.link, stale->key.ifindex, stale->found.service);
	f.on = stale->found.missing;
	f.count = stale->found.sockets;
	f.remedy = REMEDY_RECONNECT;
	send(w, &f);
}

static void report_gone(const struct stale *stale, void *userdata)
{
	struct tracker *w = userdata;
	struct finding f;

	w->unsaved = true;
	if (restart_is_tried(&w->restarts, stale->found.unit.name) && !tracker_needs_restart(w, stale->found.unit.name))
		restart_forget(&w->restarts, stale->found.unit.name);
	begin(&f, FINDING_RECONNECTED, stale->found.link, stale->key.ifindex, stale->found.service);
	send(w, &f);
}

static void report_new_ones(struct tracker *w)
{
	for (struct stale *stale = w->stale.all; stale; stale = stale->hh.next) {
		if (!stale->is_new)
			continue;
		w->unsaved = true;
		stale->is_new = false;
		begin_wait(w, stale);
		report_stale(w, stale);
	}
}

static bool has_new_ones(const struct tracker *w)
{
	for (const struct stale *stale = w->stale.all; stale; stale = stale->hh.next)
		if (stale->is_new)
			return true;
	return false;
}

int tracker_read_sockets(struct tracker *w, uint64_t now_usec)
{
	uint64_t pause_usec;
	int r;

	if (!w->collect.inventory.open)
		w->inventory_usec = 0; /* a change from now on needs another one */
	r = collect_stale(&w->collect, w->probe, &w->stale);
	w->inventoried_usec = util_now_usec();
	w->spent_usec += w->inventoried_usec > now_usec ? w->inventoried_usec - now_usec : 0;
	if (r == -EAGAIN)
		return r;
	w->cost_usec = w->spent_usec;
	w->spent_usec = 0;
	if (r == -EOPNOTSUPP)
		return 0;
	if (r >= 0) {
		if (has_new_ones(w) && read_hits(w, true) >= 0)
			(void)digest_hits(w, now_usec); /* only later hits count */
		report_new_ones(w);
		(void)stale_end(&w->stale, report_gone, w);
	}
	pause_usec = w->cost_usec * TRACKER_COST_FACTOR;
	if (r != 0 || w->stale.all)
		util_earlier(&w->inventory_usec,
			w->inventoried_usec + (pause_usec > TRACKER_AGAIN_USEC ? pause_usec : TRACKER_AGAIN_USEC));
	return 0;
}

/* Without an inventory: processes that copy although no interface lacks what they may lack. */
static void read_lingering(struct tracker *w, uint64_t now_usec)
{
	lingering_note_links(&w->lingering, w->options.links, &w->features, now_usec);
	if (!w->lingering.whole_usec)
		return;
	stale_begin(&w->stale);
	for (size_t i = 0; i < w->n_read; i++) {
		const struct probe_hits *hits = &w->read[i];
		const struct sender *sender = senders_note(&w->collect.senders, hits);
		struct stale_key key = { .netns = w->collect.netns };
		struct stale *stale;

		if (!sender || !sender->held || collect_is_elsewhere(&w->collect, hits) ||
			!lingering_is_stale(&w->lingering, hits->last_usec, now_usec))
			continue;
		util_append(key.service, sizeof(key.service), "%s", sender->service);
		stale = stale_add(&w->stale, &key, NULL, feature_named(&w->features, "tx-scatter-gather"), util_realtime_usec());
		if (!stale)
			continue;
		stale->found.unit = sender->unit;
		if (stale->is_new)
			stale->counted += hits->hits;
	}
	report_new_ones(w);
	(void)stale_end(&w->stale, report_gone, w);
}

void tracker_note_change(struct tracker *w, uint64_t now_usec)
{
	uint64_t at_usec = now_usec + TRACKER_SETTLE_USEC;
	uint64_t rested_usec = w->inventoried_usec + w->cost_usec * TRACKER_COST_FACTOR;

	if (w->polling)
		lingering_note_links(&w->lingering, w->options.links, &w->features, now_usec);
	if (at_usec < rested_usec)
		at_usec = rested_usec;
	if (w->inventory_usec == 0 || at_usec < w->inventory_usec)
		w->inventory_usec = at_usec;
}

/* ---- restarts ---- */

void tracker_set_policy(struct tracker *w, const struct restart_policy *policy)
{
	w->policy = *policy;
	w->restart_usec = w->stale.all || w->udp ? util_now_usec() : 0;
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

/* found_usec: since when it needs one. True if it was started. */
static bool start_restart(struct tracker *w, const struct unit *unit, uint64_t found_usec, uint64_t now_usec)
{
	uint64_t stood_usec = found_usec + TRACKER_RESTART_USEC, usec;
	int r;

	if (restart_judge(&w->policy, unit) != RESTART_YES)
		return false;
	if (now_usec < stood_usec) {
		util_earlier(&w->restart_usec, stood_usec);
		return false;
	}
	if (!restart_take(&w->restarts, &w->policy, unit, now_usec, &usec)) {
		util_earlier(&w->restart_usec, usec);
		return false;
	}
	r = w->options.restart(unit->name, w->options.userdata);
	if (r < 0)
		tracker_restarted(w, unit->name, strerror(-r));
	return true;
}

/* Starts at most one restart; the others wait. */
static void restart_due(struct tracker *w, uint64_t now_usec)
{
	w->restart_usec = 0;
	if (!w->options.restart || !*w->options.enforce || !*w->policy.units)
		return;
	for (const struct stale *stale = w->stale.all; stale; stale = stale->hh.next)
		if (start_restart(w, &stale->found.unit, stale->found_usec, now_usec))
			return;
	for (const struct tracker_udp *sender = w->udp; sender; sender = sender->hh.next)
		if (tracker_is_named(w, sender) && start_restart(w, &sender->unit, sender->found_usec, now_usec))
			return;
}

/* ---- time ---- */

uint64_t tracker_deadline(const struct tracker *w)
{
	uint64_t deadline_usec = w->inventory_usec;

	util_earlier(&deadline_usec, w->hits_usec);
	util_earlier(&deadline_usec, w->restart_usec);
	util_earlier(&deadline_usec, w->sendfile_usec);
	util_earlier(&deadline_usec, w->udp_usec);
	if (w->save_failed)
		util_earlier(&deadline_usec, w->save_usec);
	util_earlier(&deadline_usec, w->refresh.next_usec);
	if (w->n_events)
		util_earlier(&deadline_usec, w->senders_usec);
	if (w->busy)
		util_earlier(&deadline_usec, 1);
	return deadline_usec;
}

static int read_hits_again(struct tracker *w, uint64_t now_usec)
{
	int more = tracker_read_hits(w, now_usec);
	uint64_t pause_usec;

	w->hits_spent_usec += util_now_usec() - now_usec;
	if (more == -EAGAIN) {
		w->busy = true;
		return 0;
	}
	more = more > 0;
	pause_usec = w->hits_spent_usec * TRACKER_COST_FACTOR;
	w->hits_spent_usec = 0;
	w->quiet = more ? 0 : w->quiet + 1;
	if (pause_usec < HITS_USEC)
		pause_usec = HITS_USEC;
	if (w->quiet < READS_QUIET)
		w->hits_usec = now_usec + pause_usec;
	else
		w->hits_usec = w->polling ? now_usec + HITS_POLL_USEC : 0;
	if (more && now_usec >= w->settle_usec && w->settle_usec)
		w->busy = collect_settle(&w->collect, w->probe, w->read, w->n_read) == -EAGAIN;
	if (more && now_usec >= w->settle_usec)
		w->settle_usec = now_usec + SETTLE_USEC;
	return more;
}

/* Has this turn had its slice? Then the rest waits for the next one. */
static bool is_spent(struct tracker *w, uint64_t begin_usec)
{
	w->busy = w->busy || util_now_usec() - begin_usec >= TRACKER_SLICE_USEC;
	return w->busy;
}

int tracker_tick(struct tracker *w, uint64_t now_usec)
{
	uint64_t begin_usec = util_now_usec();
	int more = 0;

	w->busy = collect_settle_on(&w->collect, w->probe) == -EAGAIN;
	if (!is_spent(w, begin_usec))
		report_events(w, now_usec);
	if (!is_spent(w, begin_usec) && ((w->inventory_usec && w->inventory_usec <= now_usec) || w->collect.inventory.open)) {
		w->busy = tracker_read_sockets(w, now_usec) == -EAGAIN;
		if (!w->busy && w->stale.all)
			util_earlier(&w->hits_usec, now_usec);
	}
	if (!is_spent(w, begin_usec) && w->hits_usec && w->hits_usec <= now_usec)
		more |= read_hits_again(w, now_usec);
	if (w->refresh.next_usec <= now_usec)
		w->refresh.next_usec = 0;
	if (w->udp_usec && w->udp_usec <= now_usec)
		more |= tracker_read_udp(w, now_usec);
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

uint64_t tracker_needed_capabilities(const struct tracker *w)
{
	return probe_needed_capabilities(w->probe);
}

int tracker_fd(const struct tracker *w)
{
	return probe_events_fd(w->probe);
}

void tracker_read(struct tracker *w, uint64_t now_usec)
{
	(void)probe_read_events(w->probe, note_event, w);
	report_events(w, now_usec);
	w->quiet = 0;
	if (w->hits_usec == 0)
		w->hits_usec = now_usec + HITS_USEC;
}

/* ---- what can be seen ---- */

static const struct evidence_probe *find_absent(const struct evidence *e, const char *name)
{
	for (size_t i = 0; i < e->n_probes; i++)
		if (!e->probes[i].method && !strcmp(e->probes[i].name, name))
			return &e->probes[i];
	return NULL;
}

static void set_why(char why[PROBE_WHY_LEN], const struct evidence_probe *absent)
{
	snprintf(why, PROBE_WHY_LEN, "%s", absent && absent->why ? absent->why : "");
}

enum tracker_sight tracker_see_stale(const struct tracker *w, char why[PROBE_WHY_LEN])
{
	struct evidence e = { 0 };

	collect_probes(&e, w->probe);
	set_why(why, e.has_sockets ? NULL : find_absent(&e, "sockets"));
	return e.has_sockets ? TRACKER_SEES : w->polling ? TRACKER_LIMITED : TRACKER_BLIND;
}

enum tracker_sight tracker_see_fallback(const struct tracker *w, char why[PROBE_WHY_LEN])
{
	struct evidence e = { 0 };
	unsigned unobserved;

	collect_probes(&e, w->probe);
	unobserved = evidence_unobserved(&e);
	set_why(why, unobserved ? find_absent(&e, evidence_kind_name((enum fallback_kind)__builtin_ctz(unobserved))) : NULL);
	return !unobserved ? TRACKER_SEES : e.has_fallback && !w->polling ? TRACKER_LIMITED : TRACKER_BLIND;
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
	senders_name_cgroup(&w->collect.senders, change.cgroup, change.pid, "", &unit, by->unit);
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
	wanted = (struct probe_options){ .features = &w->features, .by_socket = true, .slice_usec = TRACKER_SLICE_USEC };
	r = probe_open(&wanted, &w->probe);
#ifdef __GLIBC__
	malloc_trim(0); /* loading needed the BTF of the kernel, several megabytes */
#endif
	if (r < 0) {
		tracker_free(w);
		return r;
	}
	w->collect.senders.probe = w->probe;
	w->collect.senders.slice_usec = TRACKER_SLICE_USEC;
	collect_probes(&probes, w->probe);
	w->has_sockets = probes.has_sockets;
	w->polling = probes.has_fallback && probe_events_fd(w->probe) < 0;
	if (w->polling)
		w->hits_usec = now_usec + HITS_POLL_USEC;
	restore(w);
	tracker_note_change(w, now_usec);
	*ret = w;
	return 0;
}

void tracker_free(struct tracker *w)
{
	if (!w)
		return;
	HASH_FREE(w->reported, free);
	HASH_FREE(w->past, free);
	evidence_clear(&w->evidence);
	free(w->read);
	free(w->events);
	stale_clear(&w->stale);
	tracker_free_udp(w);
	collect_close(&w->collect);
	probe_latency_close(w->latency);
	probe_close(w->probe);
	free(w->path);
	free(w);
}
