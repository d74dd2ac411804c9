/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/investigation_text.h"

#include <string.h>

#include "basic/util.h"
#include "report/render_evidence.h"

#define NAMES_LEN 512

struct text {
	char *buf;
	size_t size;
};

#define APPEND(t, ...) util_append((t)->buf, (t)->size, __VA_ARGS__)

/* "812 calls, median 1.5 ms, 1 more still running, for 12 s" */
static void append_calls(const struct text *t, const struct diagnosis *d)
{
	char time[32];

	if (d->calls)
		APPEND(t, "%llu call%s, median %s", (unsigned long long)d->calls, util_plural(d->calls),
			util_format_usec(d->median_usec, time, sizeof(time)));
	if (d->running)
		APPEND(t, "%s%llu still running, %s%s", d->calls ? ", " : "", (unsigned long long)d->running,
			d->running > 1 ? "the longest for " : "for ", util_format_usec(d->longest_usec, time, sizeof(time)));
}

/* A service at the head of a sentence. */
static const char *name_holder(const char *service)
{
	return strcmp(service, UNIT_NO_SERVICE) ? service : "A process outside any service";
}

static const char *name_sender(const struct diagnosis *d)
{
	if (d->origin == FALLBACK_FORWARDED)
		return "What is forwarded";
	return d->finding.service[0] ? name_holder(d->finding.service) : "The kernel's own traffic";
}

static void append_rates(const struct text *t, const struct diagnosis *d)
{
	const struct {
		uint64_t n;
		const char *what;
	} rates[] = {
		{ d->per_sec[FALLBACK_SEGMENTATION], "packets split in software" },
		{ d->per_sec[FALLBACK_CHECKSUM], "summed" },
		{ d->per_sec[FALLBACK_SENDPAGE] + d->per_sec[FALLBACK_SPLICE], "copied into its sockets" },
	};
	bool first = true;

	for (size_t k = 0; k < ARRAY_SIZE(rates); k++) {
		if (!rates[k].n)
			continue;
		APPEND(t, "%s%llu %s", first ? "every second " : ", ", (unsigned long long)rates[k].n, rates[k].what);
		first = false;
	}
	if (first)
		APPEND(t, "about one packet a second");
}

static void append_device(const struct text *t, const struct diagnosis *d, const struct feature_table *features)
{
	const char *link = d->finding.link;
	bool known = d->finding.off;
	char missing[NAMES_LEN];

	if (known)
		APPEND(t, "%s %s on %s, which %s without %s: ", name_sender(d), d->has_again ? "fell back" : "falls back", link,
			d->has_again ? "went" : "goes", feature_format(features, d->finding.off, missing, sizeof(missing)));
	else
		APPEND(t, "%s falls back on %s: ", name_sender(d), link[0] ? link : "a link that is not known");
	append_rates(t, d);
	if (!known && d->only_copies)
		APPEND(t, ". Those sockets are gone by now, or cannot be seen.");
	else if (!known)
		APPEND(t, ". What it goes without is not known (offloadctl explain %s).", link);
	else if (d->has_again)
		APPEND(t, ". %s has that by now.", link);
	else if (d->unsupported)
		APPEND(t, ". That cannot be changed there (offloadctl explain %s).", link);
	else
		APPEND(t, ". Repairing %s ends it (offloadctl apply %s)%s.", link, link,
			d->copies ? "; sockets that copy stay stale until they reconnect" : "");
}

static void append_blind(const struct text *t, const struct diagnosis *d)
{
	static const char *const names[DIAGNOSIS_UNSEEN] = {
		[DIAGNOSIS_NO_SEGMENTATION] = "packets split in software",
		[DIAGNOSIS_NO_CHECKSUM] = "packets summed in software",
		[DIAGNOSIS_NO_COPY] = "sockets that copy",
		[DIAGNOSIS_NO_SOCKETS] = "stale connections",
		[DIAGNOSIS_NO_LATENCY] = "sendfile",
		[DIAGNOSIS_LOST_PACKETS] = "whose packets did not fit",
		[DIAGNOSIS_LOST_CALLS] = "calls of sendfile that did not fit",
	};
	const char *comma = "Not seen: ";

	if (d->link_gone)
		APPEND(t, "%s was removed meanwhile. ", d->finding.link);
	for (unsigned k = 0; k < DIAGNOSIS_UNSEEN; k++)
		if (d->unseen & 1U << k) {
			APPEND(t, "%s%s", comma, names[k]);
			comma = ", ";
		}
	APPEND(t, "%sWhat could be seen %s.", d->unseen ? "; below is why. " : "",
		d->beside ? "is reported with this" : "shows nothing");
}

static void append_well(const struct text *t, const struct diagnosis *d)
{
	if (d->finding.count)
		APPEND(t, "Next to nothing falls back, %llu packet%s in all,", (unsigned long long)d->finding.count,
			util_plural(d->finding.count));
	else
		APPEND(t, "Nothing falls back");
	APPEND(t, " and no socket is stale; ");
	if (d->calls || d->running) {
		APPEND(t, "sendfile to TCP sockets: ");
		append_calls(t, d);
		APPEND(t, ".");
	} else {
		APPEND(t, "no call of sendfile to a TCP socket began%s.", d->begun ? ", but some ended" : "");
	}
}

const char *diagnosis_format(
	const struct diagnosis *d, const struct feature_table *features, char buf[DIAGNOSIS_TEXT_LEN])
{
	const struct text t = { buf, DIAGNOSIS_TEXT_LEN };
	const struct finding *f = &d->finding;
	char names[NAMES_LEN];

	buf[0] = '\0';
	switch (f->code) {
	case FINDING_DIAGNOSIS_DEVICE:
		append_device(&t, d, features);
		break;
	case FINDING_DIAGNOSIS_RECONNECT:
		APPEND(&t, "%s holds %llu socket%s stale without %s, which %s has now: %s it, or over IPv4 `sysctl net.ipv4.route.flush=1`.",
			name_holder(f->service), (unsigned long long)f->count, util_plural(f->count),
			feature_format(features, f->off, names, sizeof(names)), f->link,
			strcmp(f->service, UNIT_NO_SERVICE) ? "restart" : "end");
		break;
	case FINDING_DIAGNOSIS_DISK:
		APPEND(&t, "%s waits for the disk: %u%% of sendfile's time (", name_holder(f->service), d->percent);
		append_calls(&t, d);
		APPEND(&t, ") it was asleep until data was read. Offload has no part in that.");
		break;
	case FINDING_DIAGNOSIS_RECEIVER:
		APPEND(&t, "%s waits for its receivers: %u%% of sendfile's time (", name_holder(f->service), d->percent);
		append_calls(&t, d);
		APPEND(&t, ") it was asleep until they made room.");
		break;
	case FINDING_DIAGNOSIS_BLIND:
		append_blind(&t, d);
		break;
	case FINDING_DIAGNOSIS_WELL:
		append_well(&t, d);
		break;
	default:
		break;
	}
	return buf;
}

const char *metric_format(const struct investigation_metric *m, char buf[METRIC_TEXT_LEN])
{
	buf[0] = '\0';
	switch (m->measure) {
	case INVESTIGATION_MEDIAN:
		util_append(buf, METRIC_TEXT_LEN, "sendfile median%s%s", m->service[0] ? ", " : "", m->service);
		break;
	case INVESTIGATION_PER_CALL:
		util_append(buf, METRIC_TEXT_LEN, "%s a call of sendfile", investigation_rate_name(m->rate));
		break;
	case INVESTIGATION_PER_SECOND:
		util_append(buf, METRIC_TEXT_LEN, "%s a second", investigation_rate_name(m->rate));
		break;
	case INVESTIGATION_STALE:
		util_append(buf, METRIC_TEXT_LEN, "stale connections");
		break;
	}
	return buf;
}

const char *metric_difference(const struct investigation_metric *m)
{
	switch (m->difference) {
	case INVESTIGATION_PAGES_OR_CALLS:
		return "up to Linux 6.4 pages are counted, from 6.5 on calls";
	case INVESTIGATION_SENDFILE_COUNTED:
		return "sendfile is counted in it from Linux 6.5 on, not before";
	case INVESTIGATION_SAME:
		break;
	}
	return NULL;
}
