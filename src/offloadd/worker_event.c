/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "offloadd/worker_private.h"

/* In a window a namespace may log so many events, and send so many to hooks, whatever happens in it. */
#define WINDOW_USEC (60 * USEC_PER_SEC)
#define LOGGED_MAX 60
#define HOOKED_MAX 5

static void log_event(struct worker *w, const struct finding *event)
{
	const struct feature_table *features = &w->d->observe->features;
	struct finding lost;

	if (w->lost) {
		finding_init(&lost, FINDING_EVENTS_LOST, NULL);
		lost.count = w->lost;
		if (journal_send(&w->d->journal, features, &lost))
			w->lost = 0;
	}
	if (w->lost || !journal_send(&w->d->journal, features, event))
		w->lost++;
}

static void begin_window(struct netns *ns, uint64_t now_usec)
{
	struct finding note;

	if (ns->window_usec && now_usec - ns->window_usec < WINDOW_USEC)
		return;
	if (ns->suppressed) {
		finding_init(&note, FINDING_EVENTS_SUPPRESSED, NULL);
		finding_set_netns(&note, ns->label);
		note.count = ns->suppressed;
		note.total = LOGGED_MAX;
		note.duration_usec = WINDOW_USEC;
		log_event(ns->worker, &note);
	}
	ns->window_usec = now_usec;
	ns->logged = ns->hooked = ns->suppressed = 0;
}

static void call_hook(struct netns *ns, const struct finding *event, uint64_t now_usec)
{
	struct worker *w = ns->worker;
	const char *unit = w->d->conf.hooks[finding_event(event->code)];
	const struct hook_target target = {
		.table = &w->d->observe->features, .netns = ns->label, .path = w->d->options->hook_path };

	if (!unit || !unit[0] || ns->hooked >= HOOKED_MAX)
		return;
	ns->hooked++;
	(void)hook_send(&w->hooks, &target, event, now_usec);
}

void worker_send_event(const struct finding *found, void *userdata)
{
	struct netns *ns = userdata;
	uint64_t now_usec = util_now_usec();
	struct finding event = *found, known;

	finding_set_netns(&event, ns->label);
	begin_window(ns, now_usec);
	call_hook(ns, &event, now_usec);
	known = event;
	known.ifindex = (int)((unsigned)event.ifindex * 31 + (unsigned)ns->inode); /* most namespaces use the same few indexes */
	if (!bursts_allow(&ns->worker->bursts, &known, now_usec))
		return;
	if (ns->logged++ < LOGGED_MAX)
		log_event(ns->worker, &event);
	else
		ns->suppressed++;
}

void worker_end_bursts(struct worker *w, uint64_t now_usec)
{
	const struct hook_target target = {
		.table = &w->d->observe->features, .netns = "", .path = w->d->options->hook_path };
	struct finding f;

	while (bursts_end(&w->bursts, now_usec, &f))
		log_event(w, &f);
	if (hook_deadline(&w->hooks) && hook_deadline(&w->hooks) <= now_usec)
		(void)hook_end(&w->hooks, &target, now_usec);
}

uint64_t worker_event_deadline(const struct worker *w)
{
	uint64_t deadline_usec = bursts_deadline(&w->bursts);

	util_earlier(&deadline_usec, hook_deadline(&w->hooks));
	return deadline_usec;
}

void worker_send(struct worker *w, const struct worker_packet *packet)
{
	if (send(w->parent, packet, sizeof(*packet), MSG_NOSIGNAL) < 0)
		_exit(EXIT_FAILURE); /* the daemon has ended, or hangs */
}
