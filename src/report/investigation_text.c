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

/* "812 calls, median 1.5 ms, 1 still running for 12 s" */
static void append_calls(const struct text *t, const struct diagnosis *d)
{
	char time[32];

	if (d->calls)
		APPEND(t, "%llu call%s, median %s", (unsigned long long)d->calls, util_plural(d->calls),
			util_format_usec(d->median_usec, time, sizeof(time)));
	if (d->running)
		APPEND(t, "%s%llu still running%s%s", d->calls ? ", " : "", (unsigned long long)d->running,
			d->running > 1 ? ", the longest for " : " for ", util_format_usec(d->longest_usec, time, sizeof(time)));
}

static const char *name_service(const char *service)
{
	return strcmp(service, UNIT_NO_SERVICE) ? service : "A process outside any service";
}

static const char *name_sender(const struct diagnosis *d)
{
	if (d->origin == FALLBACK_FORWARDED)
		return "Forwarded traffic";
	return d->finding.service[0] ? name_service(d->finding.service) : "Kernel traffic";
}

static void append_rates(const struct text *t, const struct diagnosis *d)
{
	const struct {
		uint64_t n;
		const char *what;
	} rates[] = {
		{ d->per_sec[FALLBACK_SEGMENTATION], "packets segmented" },
		{ d->per_sec[FALLBACK_CHECKSUM], "packets checksummed" },
		{ d->per_sec[FALLBACK_SENDPAGE] + d->per_sec[FALLBACK_SPLICE], "copies into sockets" },
	};
	const char *comma = "";

	for (size_t k = 0; k < ARRAY_SIZE(rates); k++)
		if (rates[k].n) {
			APPEND(t, "%s%llu %s", comma, (unsigned long long)rates[k].n, rates[k].what);
			comma = ", ";
		}
	APPEND(t, "%s per second. ", *comma ? "" : "about one packet");
}

static void append_device(const struct text *t, const struct diagnosis *d, const struct feature_table *features)
{
	const char *link = d->finding.link;
	bool known = d->finding.off;
	char missing[NAMES_LEN];

	APPEND(t, "%s %s software fallback on %s", name_sender(d), known && d->has_again ? "used" : "uses",
		link[0] ? link : "an unknown interface");
	if (known)
		APPEND(t, ", where %s %s off", feature_format(features, d->finding.off, missing, sizeof(missing)),
			d->finding.off & (d->finding.off - 1) ? d->has_again ? "were" : "are" : d->has_again ? "was" : "is");
	APPEND(t, ": ");
	append_rates(t, d);
	if (!known && d->only_copies)
		APPEND(t, "These sockets are closed by now, or cannot be read.");
	else if (!known)
		APPEND(t, "The missing feature is not known. Run: offloadctl explain %s", link);
	else if (d->has_again)
		APPEND(t, "The features of %s are restored.", link);
	else if (d->unsupported)
		APPEND(t, "This is unsupported on %s. Run: offloadctl explain %s", link, link);
	else
		APPEND(t, "%sRun: offloadctl apply %s", d->copies ? "After a repair, these sockets remain stale until they reconnect. " : "",
			link);
}

static void append_blind(const struct text *t, const struct diagnosis *d)
{
	static const char *const names[DIAGNOSIS_UNSEEN] = {
		[DIAGNOSIS_NO_SEGMENTATION] = "software segmentation",
		[DIAGNOSIS_NO_CHECKSUM] = "software checksums",
		[DIAGNOSIS_NO_COPY] = "copied pages",
		[DIAGNOSIS_NO_SOCKETS] = "stale connections",
		[DIAGNOSIS_NO_LATENCY] = "sendfile latency",
		[DIAGNOSIS_LOST_PACKETS] = "the services of some packets (table full)",
		[DIAGNOSIS_LOST_CALLS] = "some sendfile calls (table full)",
	};
	const char *comma = "Not observed: ";

	if (d->link_gone)
		APPEND(t, "%s was removed during the observation. ", d->finding.link);
	for (unsigned k = 0; k < DIAGNOSIS_UNSEEN; k++)
		if (d->unseen & 1U << k) {
			APPEND(t, "%s%s", comma, names[k]);
			comma = ", ";
		}
	APPEND(t, "%s%s", d->unseen ? "; the reasons are below. " : "",
		d->beside ? "See the other diagnoses for what was observed." : "Nothing was found in what was observed.");
}

static void append_well(const struct text *t, const struct diagnosis *d)
{
	if (d->finding.count)
		APPEND(t, "Almost no software fallback (%llu packet%s)", (unsigned long long)d->finding.count,
			util_plural(d->finding.count));
	else
		APPEND(t, "No software fallback");
	APPEND(t, " and no stale sockets; ");
	if (d->calls || d->running) {
		APPEND(t, "sendfile to TCP sockets: ");
		append_calls(t, d);
		APPEND(t, ".");
	} else {
		APPEND(t, "no sendfile call to a TCP socket started%s.", d->begun ? ", some returned" : "");
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
		APPEND(&t, "%s has %llu stale socket%s without %s, which %s has now. Restart it, or for IPv4 run: "
			"sysctl net.ipv4.route.flush=1", name_service(f->service), (unsigned long long)f->count, util_plural(f->count),
			feature_format(features, f->off, names, sizeof(names)), f->link);
		break;
	case FINDING_DIAGNOSIS_DISK:
		APPEND(&t, "%s waits for the disk: %u%% of the sendfile time (", name_service(f->service), d->percent);
		append_calls(&t, d);
		APPEND(&t, ") was spent waiting for data to be read. Offloads are not the cause.");
		break;
	case FINDING_DIAGNOSIS_RECEIVER:
		APPEND(&t, "%s waits for its receivers: %u%% of the sendfile time (", name_service(f->service), d->percent);
		append_calls(&t, d);
		APPEND(&t, ") was spent waiting for them to accept data.");
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
		util_append(buf, METRIC_TEXT_LEN, "%s per sendfile call", investigation_rate_name(m->rate));
		break;
	case INVESTIGATION_PER_SECOND:
		util_append(buf, METRIC_TEXT_LEN, "%s per second", investigation_rate_name(m->rate));
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
		return "Linux up to 6.4 counts pages, Linux 6.5 and later counts calls";
	case INVESTIGATION_SENDFILE_COUNTED:
		return "it includes sendfile since Linux 6.5";
	case INVESTIGATION_SAME:
		break;
	}
	return NULL;
}
