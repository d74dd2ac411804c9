/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/metrics.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/rule.h"
#include "basic/text_stream.h"

static const uint64_t reaction_bounds[] = { 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000,
	250000, 500000, 1000000, 5000000 };

/* 16 us to 16 s, doubling */
static const uint64_t sendfile_bounds[] = { 1 << 4, 1 << 5, 1 << 6, 1 << 7, 1 << 8, 1 << 9, 1 << 10, 1 << 11, 1 << 12, 1 << 13,
	1 << 14, 1 << 15, 1 << 16, 1 << 17, 1 << 18, 1 << 19, 1 << 20, 1 << 21, 1 << 22, 1 << 23, 1 << 24 };

void metrics_reaction_init(struct histogram *ret)
{
	*ret = (struct histogram){
		.bounds_usec = reaction_bounds, .n_bounds = ARRAY_SIZE(reaction_bounds)
	};
}

/* ---- the format ---- */

struct label {
	const char *name, *value;
};

struct writer {
	FILE *f;
	const char *netns; /* NULL for none */
	const char *metric;
	const struct link_state **states; /* by ifindex */
	size_t n_states;
	struct omitted {
		const char *metric;
		size_t n;
	} omitted[METRICS_BOUNDED];
	size_t n_omitted;
};

/* Escapes bytes that could end the value or the line, or that are not ASCII, as \xNN. Two values never become the same one, because
 * node_exporter rejects a whole file with a duplicate series. */
static void put_value(FILE *f, const char *value)
{
	for (const unsigned char *c = (const unsigned char *)value; *c; c++)
		if (*c >= 0x20 && *c < 0x7f && *c != '"' && *c != '\\')
			fputc(*c, f);
		else
			fprintf(f, "\\\\x%02x", *c);
}

static void begin(struct writer *w, const char *metric, const char *type, const char *help)
{
	w->metric = metric;
	fprintf(w->f, "# HELP %s %s\n# TYPE %s %s\n", metric, help, metric, type);
}

/* Writes one series. labels: ends with a NULL name; may be NULL. */
static void put(struct writer *w, const char *suffix, const struct label *labels, const char *value)
{
	const char *separator = "{";

	fprintf(w->f, "%s%s", w->metric, suffix);
	if (w->netns) {
		fputs("{netns=\"", w->f);
		put_value(w->f, w->netns);
		fputc('"', w->f);
		separator = ",";
	}
	for (; labels && labels->name; labels++) {
		fprintf(w->f, "%s%s=\"", separator, labels->name);
		put_value(w->f, labels->value);
		fputc('"', w->f);
		separator = ",";
	}
	fprintf(w->f, "%s %s\n", *separator == ',' ? "}" : "", value);
}

static void put_number(struct writer *w, const struct label *labels, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	put(w, "", labels, text);
}

/* Writes a series unless there are METRICS_SERIES_MAX already; *n counts both. */
static void put_bounded(struct writer *w, size_t *n, const struct label *labels, uint64_t value)
{
	if ((*n)++ < METRICS_SERIES_MAX)
		put_number(w, labels, value);
}

/* How many series of a metric are missing: of n by put_bounded(), and more. */
static void note_omitted(struct writer *w, const char *metric, size_t n, size_t more)
{
	if (w->n_omitted < ARRAY_SIZE(w->omitted))
		w->omitted[w->n_omitted++] = (struct omitted){ metric, (n > METRICS_SERIES_MAX ? n - METRICS_SERIES_MAX : 0) + more };
}

static void put_omitted(struct writer *w)
{
	begin(w, "offloadd_series_omitted", "gauge", "Number of series omitted from a metric because there are too many.");
	for (size_t i = 0; i < w->n_omitted; i++)
		put_number(w, (const struct label[]){ { "metric", w->omitted[i].metric }, { 0 } }, w->omitted[i].n);
}

static const char *seconds(char buf[32], int64_t usec)
{
	snprintf(buf, 32, "%lld.%06lld", (long long)(usec / (int64_t)USEC_PER_SEC),
		(long long)(usec % (int64_t)USEC_PER_SEC));
	return buf;
}

static void put_one(
	struct writer *w, const char *metric, const char *type, const char *help, uint64_t value)
{
	begin(w, metric, type, help);
	put_number(w, NULL, value);
}

static void put_time(struct writer *w, const char *metric, const char *help, int64_t usec)
{
	char text[32];

	begin(w, metric, "gauge", help);
	put(w, "", NULL, seconds(text, usec));
}

static void put_histogram(struct writer *w, const struct histogram *h)
{
	uint64_t sum = 0;
	char bound[32], text[32];

	for (size_t i = 0; i <= h->n_bounds; i++) {
		sum += h->counts[i];
		if (i < h->n_bounds)
			snprintf(bound, sizeof(bound), "%g", (double)h->bounds_usec[i] / 1e6);
		else
			strcpy(bound, "+Inf");
		snprintf(text, sizeof(text), "%llu", (unsigned long long)sum);
		put(w, "_bucket", (const struct label[]){ { "le", bound }, { 0 } }, text);
	}
	put(w, "_sum", NULL, seconds(bound, (int64_t)h->sum_usec));
	put(w, "_count", NULL, text);
}

/* ---- the daemon, rules, links ---- */

static void put_verdicts(struct writer *w, const size_t by_verdict[VERDICT_COUNT])
{
	for (int v = 0; v < VERDICT_COUNT; v++)
		put_number(w, (const struct label[]){ { "verdict", verdict_name((enum verdict)v) }, { 0 } },
			by_verdict[v]);
}

static void put_daemon(struct writer *w, const struct metrics *m)
{
	begin(w, "offloadd_build_info", "gauge", "Version of offloadd, always 1.");
	put_number(w, (const struct label[]){ { "version", OFFLOADD_VERSION }, { 0 } }, 1);
	if (m->host) {
		begin(w, "offloadd_kernel_info", "gauge", "Release of the running kernel, always 1.");
		put_number(w, (const struct label[]){ { "release", m->host->kernel_release }, { 0 } }, 1);
	}
	put_one(w, "offloadd_up", "gauge", "1 while offloadd runs, 0 after it has stopped.",
		m->counts && !m->stopped);
	if (!m->counts)
		return;
	begin(w, "offloadd_mode", "gauge", "1 for the current mode, 0 for the other.");
	put_number(w, (const struct label[]){ { "mode", "audit" }, { 0 } }, !m->enforce);
	put_number(w, (const struct label[]){ { "mode", "enforce" }, { 0 } }, m->enforce);
	put_time(w, "offloadd_start_time_seconds", "Start time of offloadd, in seconds since the Unix epoch.",
		m->counts->start_usec);
	put_time(w, "offloadd_last_reconcile_timestamp_seconds",
		"Time of the last reconcile, in seconds since the Unix epoch. Nothing is reconciled while nothing changes, so an old time is no problem.",
		m->counts->last_reconcile_usec);
}

static void put_rules(struct writer *w, const struct metrics *m)
{
	const struct rule_set *rules = m->rules;
	size_t n = 0;

	put_one(w, "offloadd_rules", "gauge", "Number of loaded rules.", rules->n_rules);
	put_one(w, "offloadd_rule_errors", "gauge", "Number of errors in rule files. A file with any error is ignored entirely.",
		m->rule_errors);
	if (m->settings_errors)
		put_one(w, "offloadd_settings_errors", "gauge", "Number of errors in offloadd.conf and its drop-ins.",
			*m->settings_errors);
	begin(w, "offloadd_rule_until_timestamp_seconds", "gauge",
		"Time when a rule with Until= is due for review, in seconds since the Unix epoch. The rule still applies after it.");
	for (size_t i = 0; i < rules->n_rules; i++)
		if (rules->rules[i].until)
			put_bounded(w, &n, (const struct label[]){ { "rule", rules->rules[i].file }, { 0 } },
				(uint64_t)rules->rules[i].until);
	note_omitted(w, "offloadd_rule_until_timestamp_seconds", n, 0);
}

static enum verdict verdict_of(const struct link_result *result, unsigned bit)
{
	for (int v = 0; v < VERDICT_COUNT; v++)
		if (result->features[v] & FEATURE(bit))
			return (enum verdict)v;
	return VERDICT_COMPLIANT;
}

static enum verdict limit_verdict_of(const struct link_result *result, unsigned limit)
{
	for (int v = 0; v < VERDICT_COUNT; v++)
		if (result->limits[v] & LINK_LIMIT(limit))
			return (enum verdict)v;
	return VERDICT_COMPLIANT;
}

static void put_noncompliant(struct writer *w, const struct link *link, const char *name, const char *feature, enum verdict verdict,
	const struct declaration *d, size_t *n)
{
	if (verdict != VERDICT_COMPLIANT)
		put_bounded(w, n,
			(const struct label[]){ { "link", name }, { "link_kind", link->kind }, { "feature", feature },
				{ "verdict", verdict_name(verdict) }, { "rule", d->value == RULE_UNSET ? "" : d->rule->file }, { 0 } },
			1);
}

static void put_link(struct writer *w, const struct metrics *m, const struct link_state *state, size_t *n)
{
	const struct link *link = link_table_find(m->links, state->ifindex);
	struct declaration declared[FEATURE_MAX], foreign[RULE_FOREIGN_MAX], limits[LINK_LIMIT_SETTABLE];
	char name[LINK_NAME_LEN + 1] = "";
	size_t n_foreign;

	if (!link || link_result_verdict(&state->result) == VERDICT_COMPLIANT)
		return;
	memcpy(name, link->name, LINK_NAME_LEN);
	n_foreign = rule_set_declare(m->rules, m->links, link, m->host, declared, foreign, ARRAY_SIZE(foreign));
	for (unsigned bit = 0; bit < FEATURE_MAX; bit++)
		put_noncompliant(w, link, name, feature_name(m->features, bit), verdict_of(&state->result, bit), &declared[bit], n);
	for (size_t i = 0; i < n_foreign && i < ARRAY_SIZE(foreign) && state->result.foreign; i++)
		if (foreign[i].value == RULE_ON)
			put_noncompliant(w, link, name, feature_canonical(foreign[i].feature->word), VERDICT_UNSUPPORTED, &foreign[i], n);
	rule_set_declare_limits(m->rules, m->links, link, m->host, limits);
	for (unsigned limit = 0; limit < LINK_LIMIT_SETTABLE; limit++)
		put_noncompliant(w, link, name, link_limit_name(limit), limit_verdict_of(&state->result, limit), &limits[limit], n);
}

static void put_down(struct writer *w, const struct metrics *m, const struct link_state *state, size_t *n)
{
	const struct link *link = link_table_find(m->links, state->ifindex);
	char name[LINK_NAME_LEN + 1] = "";

	if (!link || (link->flags & IFF_RUNNING) || link_result_verdict(&state->result) == VERDICT_COMPLIANT)
		return;
	memcpy(name, link->name, LINK_NAME_LEN);
	put_bounded(w, n, (const struct label[]){ { "link", name }, { 0 } }, 1);
}

static void put_drift(struct writer *w, const struct metrics *m)
{
	int64_t since = 0;

	for (size_t i = 0; i < w->n_states; i++)
		if (w->states[i]->drift_usec && (!since || w->states[i]->drift_since < since))
			since = w->states[i]->drift_since;
	if (since)
		put_one(w, "offloadd_drift_since_timestamp_seconds", "gauge",
			"Since when an interface has drifted, in seconds since the Unix epoch: of the one that has drifted the longest. Not before the start of offloadd.",
			(uint64_t)since);
	begin(w, "offloadd_drift_seconds", "histogram",
		"For how long interfaces drifted until they matched their rules again, in seconds, whoever repaired them.");
	put_histogram(w, m->drift);
}

static void put_links(struct writer *w, const struct metrics *m)
{
	size_t n = 0, n_down = 0;
	struct link_summary summary;

	link_states_summarize(m->states, &summary);
	put_one(w, "offloadd_links_declared", "gauge", "Number of interfaces that a rule applies to.", summary.declared);
	begin(w, "offloadd_links", "gauge",
		"Number of interfaces that have a declared feature with this verdict; compliant: with no other verdict.");
	put_verdicts(w, summary.links);
	begin(w, "offloadd_features", "gauge", "Number of declared features and size limits, by verdict.");
	put_verdicts(w, summary.features);
	begin(w, "offloadd_feature_noncompliant", "gauge",
		"A declared feature or size limit that is not compliant, always 1. Compliant ones have no series.");
	for (size_t i = 0; i < w->n_states; i++)
		put_link(w, m, w->states[i], &n);
	begin(w, "offloadd_noncompliant_link_down", "gauge", "An interface that is not compliant, and is down or has no carrier, always 1.");
	for (size_t i = 0; i < w->n_states; i++)
		put_down(w, m, w->states[i], &n_down);
	note_omitted(w, "offloadd_feature_noncompliant", n, 0);
	note_omitted(w, "offloadd_noncompliant_link_down", n_down, 0);
}

static void put_counts(struct writer *w, const struct metrics_counts *c)
{
	put_one(w, "offloadd_reconciles_total", "counter",
		"Number of reconciles, each a comparison of changed interfaces with the rules.", c->reconciles);
	begin(w, "offloadd_repairs_total", "counter",
		"Number of requests to the kernel to set features of an interface to their declared values, by cause: drift, or a new interface or rule.");
	put_number(w, (const struct label[]){ { "cause", "drift" }, { 0 } }, c->sets_drift);
	put_number(w, (const struct label[]){ { "cause", "new" }, { 0 } }, c->sets - c->sets_drift);
	put_one(w, "offloadd_overruns_total", "counter",
		"Number of receive buffer overflows, which lost kernel events. After each, all interfaces were read again.", c->overruns);
	begin(w, "offloadd_uncertain_predictions_total", "counter",
		"Number of features whose prediction was uncertain, by whether the kernel did what was predicted.");
	put_number(w, (const struct label[]){ { "result", "right" }, { 0 } }, c->uncertain_right);
	put_number(w, (const struct label[]){ { "result", "wrong" }, { 0 } }, c->uncertain_wrong);
	begin(w, "offloadd_events_total", "counter", "Number of events.");
	for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
		put_number(w,
			(const struct label[]){ { "event", event_kind_name((enum event_kind)kind) }, { 0 } },
			c->events[kind]);
	put_one(w, "offloadd_events_lost_total", "counter",
		"Number of events that were not logged, because the journal did not accept them.", c->events_lost);
	begin(w, "offloadd_hooks_total", "counter",
		"Number of events with a hook, by result: sent to offloadd-hook, suppressed by the rate limit, or failed to send.");
	put_number(w, (const struct label[]){ { "result", "sent" }, { 0 } }, c->hooks_sent);
	put_number(w, (const struct label[]){ { "result", "suppressed" }, { 0 } }, c->hooks_suppressed);
	put_number(w, (const struct label[]){ { "result", "failed" }, { 0 } }, c->hooks_failed);
	if (c->has_textfile) {
		put_time(w, "offloadd_textfile_written_timestamp_seconds",
			"When the textfile was last written. It is written at least every 5 minutes.", c->textfile_usec);
		put_one(w, "offloadd_textfile_errors_total", "counter",
			"Number of failed writes of the textfile. Each was tried again.", c->textfile_errors);
	}
	begin(w, "offloadd_reaction_seconds", "histogram",
		"Time from a kernel event to the verified repair in seconds, for events that led to a change.");
	put_histogram(w, &c->reaction);
}

/* ---- evidence ---- */

static void put_probes(struct writer *w, const struct evidence *e)
{
	begin(w, "offloadd_probe_up", "gauge", "1 if the probe runs, 0 if it is unavailable.");
	for (size_t i = 0; i < e->n_probes; i++)
		put_number(w, (const struct label[]){ { "probe", e->probes[i].name }, { "function", e->probes[i].function }, { 0 } },
			e->probes[i].method != NULL);
	begin(w, "offloadd_probe_info", "gauge", "How the probe is attached, or why it is unavailable, always 1.");
	for (size_t i = 0; i < e->n_probes; i++) {
		const struct evidence_probe *p = &e->probes[i];

		put_number(w,
			(const struct label[]){ { "probe", p->name }, { "function", p->function },
				{ "method", p->method ? p->method : "" }, { "why", p->why ? p->why : "" },
				{ 0 } },
			1);
	}
	begin(w, "offloadd_fallback_lost_total", "counter",
		"Number of hits counted by kind only, because there were too many interfaces and services.");
	for (unsigned kind = 0; kind < FALLBACK_KINDS; kind++)
		put_number(w, (const struct label[]){ { "fallback_kind", evidence_kind_name(kind) }, { 0 } }, e->lost[kind]);
}

static const char *unit_label(const struct evidence_fallback *row)
{
	if (row->origin == FALLBACK_SOCKET)
		return row->service;
	return row->origin == FALLBACK_FORWARDED ? "(forwarded)" : "(kernel)";
}

static size_t put_fallback(struct writer *w, const struct evidence *e)
{
	size_t n = 0;

	begin(w, "offloadd_fallback_hits_total", "counter",
		"Number of packets segmented or checksummed, or pages copied, in software, or UDP sends refused, by interface and sending service.");
	for (size_t i = 0; i < e->n_fallback * FALLBACK_KINDS; i++) {
		const struct evidence_fallback *row = &e->fallback[i / FALLBACK_KINDS];
		enum fallback_kind kind = i % FALLBACK_KINDS;

		if (row->hits[kind].n)
			put_bounded(w, &n,
				(const struct label[]){ { "fallback_kind", evidence_kind_name(kind) }, { "link", row->link },
					{ "reason", evidence_reason_name(row->reason) },
					{ "unit", unit_label(row) }, { 0 } },
				row->hits[kind].n);
	}
	return n;
}

static size_t put_stale(struct writer *w, const struct evidence *e)
{
	size_t n = 0;

	begin(w, "offloadd_stale_connections", "gauge", "Number of connections that still lack an offload that their interface has regained.");
	for (size_t i = 0; i < e->n_stale; i++)
		if (evidence_has_connections(&e->stale[i]))
			put_bounded(w, &n,
				(const struct label[]){ { "unit", e->stale[i].service }, { "link", e->stale[i].link }, { 0 } },
				e->stale[i].sockets);
	return n;
}

static size_t put_udp(struct writer *w, const struct evidence *e)
{
	size_t n = 0;

	begin(w, "offloadd_udp_gave_up_processes", "gauge",
		"Number of processes that gave up UDP segmentation while their interface lacked checksums, which it has regained.");
	for (size_t i = 0; i < e->n_stale; i++)
		if (e->stale[i].senders)
			put_bounded(w, &n,
				(const struct label[]){ { "unit", e->stale[i].service }, { "link", e->stale[i].link }, { 0 } },
				e->stale[i].senders);
	begin(w, "offloadd_udp_undecided_processes", "gauge",
		"Number of processes whose UDP segmentation was refused, and that have sent too little since to decide whether they gave it up.");
	put_number(w, NULL, e->udp_undecided);
	return n;
}

/* One series for each service, however many links it uses. */
static size_t put_restarts(struct writer *w, const struct evidence *e)
{
	size_t n = 0;

	begin(w, "offloadd_restart_needed", "gauge", "A service that must be restarted for stale connections or UDP segmentation, always 1.");
	for (size_t i = 0; i < e->n_stale; i++)
		if (evidence_find_service(e, e->stale[i].service) == &e->stale[i])
			put_bounded(w, &n, (const struct label[]){ { "unit", e->stale[i].service }, { 0 } }, 1);
	return n;
}

/* Slot n counts calls of less than 2^(n+1) us. Slots below the first bound share its bucket, those above the last one +Inf. */
static void put_latency(struct writer *w, const struct evidence_latency *latency)
{
	struct histogram histogram = { .bounds_usec = sendfile_bounds, .n_bounds = ARRAY_SIZE(sendfile_bounds) };
	struct evidence_latency_row sum;

	evidence_latency_sum(latency, NULL, &sum);
	for (size_t slot = 0, bucket = 0; slot < LATENCY_SLOTS; slot++) {
		while (bucket < histogram.n_bounds && UINT64_C(2) << slot > sendfile_bounds[bucket])
			bucket++;
		histogram.counts[bucket] += sum.slots[slot];
	}
	histogram.sum_usec = sum.total_usec;
	begin(w, "offloadd_sendfile_seconds", "histogram", "Duration of sendfile(2) calls in seconds.");
	put_histogram(w, &histogram);
}

static void put_evidence(struct writer *w, const struct evidence *e)
{
	bool flags = e->has_sockets || e->has_lingering || e->n_stale;

	put_probes(w, e);
	if (e->has_fallback)
		note_omitted(w, "offloadd_fallback_hits_total", put_fallback(w, e), e->omitted);
	if (e->has_sockets)
		note_omitted(w, "offloadd_stale_connections", put_stale(w, e), e->sockets_dropped);
	if (e->has_fallback)
		note_omitted(w, "offloadd_udp_gave_up_processes", put_udp(w, e), 0);
	if (flags)
		note_omitted(w, "offloadd_restart_needed", put_restarts(w, e), 0);
	if (e->has_latency)
		put_latency(w, &e->latency);
}

static void put_namespace(struct writer *w, const struct netns_status *s, size_t *n)
{
	char inode[24];

	snprintf(inode, sizeof(inode), "%llu", (unsigned long long)s->inode); /* two may have one name */
	for (int v = 0; v < VERDICT_COUNT; v++)
		if (v != VERDICT_COMPLIANT && s->with[v])
			put_bounded(w, n, (const struct label[]){ { "netns", s->label }, { "inode", inode },
				{ "verdict", verdict_name((enum verdict)v) }, { 0 } }, s->with[v]);
}

/* Only if there are any: on a host without containers nothing is added. */
static void put_namespaces(struct writer *w, const struct netns_statuses *all)
{
	size_t n = 0, by_look[NETNS_LOOKS] = { 0 };

	for (const struct netns_known *k = all->list; k; k = k->hh.next)
		by_look[k->status.look]++;
	begin(w, "offloadd_namespaces", "gauge",
		"Number of other network namespaces, by how they were looked at. Only those that are seen are known to match the rules or not.");
	for (int look = 0; look < NETNS_LOOKS; look++)
		put_number(w, (const struct label[]){ { "look", netns_look_name((enum netns_look)look) }, { 0 } }, by_look[look]);
	begin(w, "offloadd_namespace_noncompliant_links", "gauge",
		"Number of interfaces in another network namespace that have a declared feature with this verdict. Compliant ones have no series.");
	for (const struct netns_known *k = all->list; k; k = k->hh.next)
		put_namespace(w, &k->status, &n);
	note_omitted(w, "offloadd_namespace_noncompliant_links", n, 0);
}

static void put_all(struct writer *w, const struct metrics *m)
{
	put_daemon(w, m);
	put_rules(w, m);
	put_links(w, m);
	if (m->counts)
		put_counts(w, m->counts);
	if (m->drift)
		put_drift(w, m);
	if (m->evidence)
		put_evidence(w, m->evidence);
	if (m->namespaces && (m->namespaces->list || m->namespaces->error))
		put_namespaces(w, m->namespaces);
	put_omitted(w);
}

static int format_by(void (*put_metrics)(struct writer *w, const struct metrics *m), struct writer *w,
	const struct metrics *m, char **ret, size_t *ret_len)
{
	struct text_stream s;

	if (text_stream_open(&s) < 0)
		return -ENOMEM;
	w->f = s.f;
	put_metrics(w, m);
	return text_stream_close(&s, ret, ret_len);
}

int metrics_format(const struct metrics *m, char **ret, size_t *ret_len)
{
	_cleanup_free_ const struct link_state **states = NULL;
	struct writer w = { .netns = m->netns };

	if (link_states_sorted(m->states, &states, &w.n_states) < 0)
		return -ENOMEM;
	w.states = states;
	return format_by(put_all, &w, m, ret, ret_len);
}

/* The value of offloadd_up, which is the last character of its line; NULL if there is none. */
static char *find_up(char *text)
{
	static const char series[] = "\noffloadd_up";

	for (char *line = strstr(text, series); line; line = strstr(line + 1, series)) {
		char after = line[sizeof(series) - 1], *end = strchr(line + 1, '\n');

		if ((after == ' ' || after == '{') && end && end[-2] == ' ' && (end[-1] == '0' || end[-1] == '1'))
			return end - 1;
	}
	return NULL;
}

int metrics_mark_stopped(const char *text, char **ret, size_t *ret_len)
{
	_cleanup_free_ char *copy = text ? strdup(text) : NULL;
	char *up = copy ? find_up(copy) : NULL;
	struct writer w = { 0 };

	if (text && !copy)
		return -ENOMEM;
	if (!up)
		return format_by(put_daemon, &w, &(const struct metrics){ 0 }, ret, ret_len) < 0 ? -ENOMEM : 1;
	if (*up == '0')
		return 0;
	*up = '0';
	*ret_len = strlen(copy);
	*ret = copy;
	copy = NULL;
	return 1;
}
