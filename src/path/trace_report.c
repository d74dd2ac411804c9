/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "path/trace_report.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "basic/json.h"
#include "basic/util.h"
#include "report/catalog.h"
#include "report/json.h"
#include "report/render_text.h"

#define TEXT_MAX 1024
#define LOST_USEC (3600 * USEC_PER_SEC)

enum trace_verdict trace_report_verdict(const struct trace_report *report, const struct trace_item **ret)
{
	const struct trace_item *worst = NULL;
	enum trace_verdict verdict = report->n_items && !report->unrouted ? TRACE_OK : TRACE_UNKNOWN;

	for (size_t i = 0; i < report->n_items; i++)
		if (report->items[i].trace.verdict > verdict || (!worst && report->items[i].trace.verdict == verdict)) {
			worst = &report->items[i];
			verdict = worst->trace.verdict;
		}
	if (ret)
		*ret = worst;
	return verdict;
}

/* Does this row count for what was asked? */
static const char *const *services_of(const struct trace_report *report)
{
	return report->asked == TRACE_ASKED_UNIT ? report->services : NULL;
}

/* ---- words ---- */

/* "segmentation", or "segmentation of IPv6" if packets of both families take this path and only one loses it. */
static void append_pair(char *buf, unsigned offloads, unsigned concerned, enum trace_offload ipv4, enum trace_offload ipv6,
	const char *word)
{
	unsigned pair = (TRACE_OFFLOAD(ipv4) | TRACE_OFFLOAD(ipv6)) & concerned, lost = offloads & pair;

	if (lost)
		util_append(buf, TEXT_MAX, "%s%s%s", *buf ? ", " : "", word,
			lost == pair ? "" : lost == TRACE_OFFLOAD(ipv4) ? " of IPv4" : " of IPv6");
}

/* What a hop does in software, for packets of TCP. Returns buf. */
static const char *work_words(unsigned offloads, unsigned concerned, char *buf)
{
	buf[0] = '\0';
	append_pair(buf, offloads, concerned, TRACE_SEGMENT4, TRACE_SEGMENT6, "segmentation");
	append_pair(buf, offloads, concerned, TRACE_CHECKSUM4, TRACE_CHECKSUM6, "checksums");
	if (offloads & concerned & TRACE_OFFLOAD(TRACE_SCATTER))
		util_append(buf, TEXT_MAX, "%scopying", *buf ? ", " : "");
	if (offloads & TRACE_OFFLOAD(TRACE_UDP))
		util_append(buf, TEXT_MAX, "%ssegmentation of UDP", *buf ? ", " : "");
	return buf;
}

/* An address, with its port if that is not 0. */
static const char *address_words(uint16_t family, const uint8_t *address, uint16_t port, char *buf, size_t size)
{
	if (port)
		return socket_format_address(family, address, port, buf, size);
	return inet_ntop(family, address, buf, (socklen_t)size) ? buf : "?";
}

static const char *hop_name(const struct trace_hop *hop)
{
	return render_clean_name(hop->link->name);
}

/* ", the backup port of bond0": a hop that not every packet passes. */
static const char *port_words(const struct trace *trace, const struct trace_hop *hop, char *buf)
{
	const struct trace_hop *before = hop->parent >= 0 ? &trace->hops[hop->parent] : NULL;
	size_t n = 0;

	buf[0] = '\0';
	if (!before || before->next != TRACE_PORTS)
		return buf;
	for (size_t i = 0; i < trace->n_hops; i++)
		n += trace->hops[i].parent == hop->parent;
	if (n > 1 || hop->role != LINK_ROLE_NONE)
		util_append(buf, TEXT_MAX, ", %s%s of %zu port%s of %s", hop->role == LINK_ROLE_BACKUP ? "now a backup, " : "",
			"one", n, util_plural(n), hop_name(before));
	return buf;
}

static const char *why_words(const struct trace_hop *hop, char *buf)
{
	char remote[SOCKET_ADDRESS_LEN];

	buf[0] = '\0';
	switch (hop->why) {
	case TRACE_WHY_NONE:
		break;
	case TRACE_WHY_NAMESPACE:
		util_append(buf, TEXT_MAX, "the interface below is in another network namespace");
		break;
	case TRACE_WHY_GONE:
		util_append(buf, TEXT_MAX, "the interface below does not exist");
		break;
	case TRACE_WHY_LOOP:
		util_append(buf, TEXT_MAX, "it leads back to itself");
		break;
	case TRACE_WHY_REMOTE:
		util_append(buf, TEXT_MAX, "the other end of the tunnel depends on the packet");
		break;
	case TRACE_WHY_ROUTE:
		util_append(buf, TEXT_MAX, "no route to %s: %s", address_words(hop->family, hop->remote, 0, remote, sizeof(remote)),
			strerror(-hop->error));
		break;
	case TRACE_WHY_KIND:
		util_append(buf, TEXT_MAX, "path does not know what %s does with packets", hop->link->kind);
		break;
	case TRACE_WHY_LONG:
		util_append(buf, TEXT_MAX, "too many interfaces");
		break;
	}
	return buf;
}

static void append_reason(char *buf, const struct feature_table *features, const struct trace_hop *hop, enum trace_reason reason)
{
	const struct trace_loss *loss = &hop->losses[reason];
	char names[RENDER_NAMES_LEN], why[TEXT_MAX];

	feature_format(features, loss->features, names, sizeof(names));
	switch (reason) {
	case TRACE_FEATURE:
		util_append(buf, TEXT_MAX, "%s%s off", loss->features ? names : "not supported",
			loss->features & (loss->features - 1) ? " are" : " is");
		break;
	case TRACE_VLAN:
		util_append(buf, TEXT_MAX, loss->certain ? "it does not offer %s to VLANs (vlan_features)"
							 : "whether it offers %s to VLANs is not readable (vlan_features)",
			names);
		break;
	case TRACE_TAGS:
		util_append(buf, TEXT_MAX, "packets have %u VLAN tags", hop->tags);
		break;
	case TRACE_TUNNEL:
		util_append(buf, TEXT_MAX, "what it does for encapsulated packets is not readable (hw_enc_features)");
		break;
	case TRACE_SIZE:
		util_append(buf, TEXT_MAX, "packets of %" PRIu32 " bytes or more exceed its gso_max_size, which is below what the socket may send",
			loss->limit);
		break;
	case TRACE_SEGMENTS:
		util_append(buf, TEXT_MAX, "packets of more than %" PRIu32 " segments exceed its gso_max_segs, which is below what the socket may send",
			loss->limit);
		break;
	case TRACE_KIND:
		util_append(buf, TEXT_MAX, "%s does it before it encrypts", hop->link->kind);
		break;
	case TRACE_QDISC:
		util_append(buf, TEXT_MAX, "the queueing discipline %s may segment", hop->qdisc);
		break;
	case TRACE_UNREAD:
		if (hop->next == TRACE_LOST && hop->link->has_features)
			util_append(buf, TEXT_MAX, "the next hop is not known: %s", why_words(hop, why));
		else
			util_append(buf, TEXT_MAX, "its features could not be read");
		break;
	}
}

/* Do both probes run that count what interfaces do? */
static bool is_counted(const struct trace_report *report)
{
	unsigned n = 0;

	for (size_t i = 0; report->evidence && i < report->evidence->n_probes; i++) {
		const struct evidence_probe *probe = &report->evidence->probes[i];

		n += probe->method && (strcmp(probe->name, evidence_kind_name(FALLBACK_SEGMENTATION)) == 0 ||
					      strcmp(probe->name, evidence_kind_name(FALLBACK_CHECKSUM)) == 0);
	}
	return n == 2;
}

/* A path on which nothing was counted may be one whose hits were lost, for as long as it may have been idle since. */
static bool has_lost(const struct evidence *e)
{
	return evidence_lost_within(e, LOST_USEC);
}

bool trace_report_is_counted(const struct trace_report *report)
{
	return is_counted(report) && !has_lost(report->evidence);
}

/* ---- the verdict ---- */

static void append_ends(char *buf, const struct trace *trace)
{
	bool any = false;

	for (size_t i = 0; i < trace->n_hops; i++)
		if (trace->hops[i].next >= TRACE_END) {
			util_append(buf, TEXT_MAX, "%s%s", any ? ", " : "", hop_name(&trace->hops[i]));
			any = true;
		}
}

/* The first reason of a hop, certain ones first. */
static enum trace_reason first_reason(const struct trace *trace, const struct trace_hop *hop)
{
	for (unsigned r = 0; r < TRACE_REASONS; r++)
		if (hop->losses[r].certain & trace->offloads)
			return (enum trace_reason)r;
	for (unsigned r = 0; r < TRACE_REASONS; r++)
		if (hop->losses[r].possible & trace->offloads)
			return (enum trace_reason)r;
	return TRACE_REASONS;
}

static void append_software(char *buf, const struct trace *trace)
{
	const struct trace_hop *hop = trace->at >= 0 ? &trace->hops[trace->at] : NULL;
	enum trace_reason reason = hop ? first_reason(trace, hop) : TRACE_REASONS;
	char work[TEXT_MAX], port[TEXT_MAX];

	if (!hop) {
		util_append(buf, TEXT_MAX, "%u of %u connection%s %s every page at the socket, because %s no scatter-gather", trace->copying,
			trace->sockets, util_plural(trace->sockets), trace->copying == 1 ? "copies" : "copy",
			trace->copying == 1 ? "it has" : "they have");
		if (trace->stale)
			util_append(buf, TEXT_MAX, "; %u %s stale; " CATALOG_RECONNECT("the service"), trace->stale,
				trace->stale == 1 ? "is" : "are");
		return;
	}
	if (reason == TRACE_REASONS || !(hop->losses[reason].certain & trace->offloads))
		util_append(buf, TEXT_MAX, "software fallback at %s%s: offloadd counted it within the last ten seconds", hop_name(hop),
			port_words(trace, hop, port));
	else
		util_append(buf, TEXT_MAX, "%s%s in software at %s%s",
			work_words(trace_hop_certain(hop) & ~TRACE_OFFLOAD(TRACE_UDP), trace->offloads, work),
			reason == TRACE_SIZE || reason == TRACE_SEGMENTS ? " of long packets" : "", hop_name(hop),
			port_words(trace, hop, port));
}

static void put_verdict(const struct render *r, const struct feature_table *features, const struct trace_report *report)
{
	const struct trace_item *item;
	char text[TEXT_MAX] = "", port[TEXT_MAX];
	enum trace_verdict verdict = trace_report_verdict(report, &item);
	const struct trace_hop *hop = item && item->trace.at >= 0 ? &item->trace.hops[item->trace.at] : NULL;
	int column = render_put_name(r, report->name) + fprintf(r->out, ": ");

	switch (verdict) {
	case TRACE_OK:
		column += render_put_coloured(r, "32", "OK");
		util_append(text, sizeof(text), "TCP leaves segmentation and checksums to ");
		append_ends(text, &item->trace);
		break;
	case TRACE_SOFTWARE:
		column += render_put_coloured(r, "31", "SOFTWARE");
		append_software(text, &item->trace);
		break;
	case TRACE_LIKELY:
		column += render_put_coloured(r, "32", "LIKELY OK");
		util_append(text, sizeof(text), "every feature is on, but not everything about %s%s is known: ", hop_name(hop),
			port_words(&item->trace, hop, port));
		append_reason(text, features, hop, first_reason(&item->trace, hop));
		if (trace_report_is_counted(report))
			util_append(text, sizeof(text), "; offloadd counted no software fallback for this reason");
		break;
	case TRACE_UNKNOWN:
		column += render_put_coloured(r, "33", "NOT KNOWN");
		if (hop) {
			util_append(text, sizeof(text), "no software fallback found, but not everything about %s%s is known: ", hop_name(hop),
				port_words(&item->trace, hop, port));
			append_reason(text, features, hop, first_reason(&item->trace, hop));
		} else if (report->n_items) {
			util_append(text, sizeof(text), "no software fallback found, but %zu connection%s no route", report->unrouted,
				report->unrouted == 1 ? " has" : "s have");
		} else {
			util_append(text, sizeof(text), "no established TCP connection was found, and the path depends on the destination; "
				"give an interface or an address");
		}
		break;
	}
	fputs(": ", r->out);
	render_wrapped(r, (unsigned)column + 2, text);
}

/* ---- one path ---- */

static const char *next_words(const struct trace *trace, size_t at, char *buf)
{
	const struct trace_hop *hop = &trace->hops[at];
	char remote[SOCKET_ADDRESS_LEN];
	size_t n = 0;

	buf[0] = '\0';
	for (size_t i = at + 1; i < trace->n_hops; i++)
		n += trace->hops[i].parent == (int)at;
	switch (hop->next) {
	case TRACE_LOWER:
		util_append(buf, TEXT_MAX, link_is_kind(hop->link, "vlan") ? "VLAN %u" : "below", hop->link->vlan_id);
		break;
	case TRACE_PORTS:
		util_append(buf, TEXT_MAX, "%zu port%s", n, util_plural(n));
		break;
	case TRACE_ROUTED:
		util_append(buf, TEXT_MAX, "tunnel%s%s", hop->family ? " to " : "",
			hop->family ? address_words(hop->family, hop->remote, 0, remote, sizeof(remote)) : "");
		break;
	case TRACE_WIRE:
		util_append(buf, TEXT_MAX, "device");
		break;
	case TRACE_PEER:
		util_append(buf, TEXT_MAX, hop->link->lower_netnsid >= 0 ? "other namespace" : "its other end");
		break;
	case TRACE_LOCAL:
		util_append(buf, TEXT_MAX, "this host");
		break;
	case TRACE_PROGRAM:
		util_append(buf, TEXT_MAX, "a program");
		break;
	case TRACE_DISCARDED:
		util_append(buf, TEXT_MAX, link_is_kind(hop->link, "dummy") ? "discarded" : "no port");
		break;
	case TRACE_LOST:
		util_append(buf, TEXT_MAX, "?");
		break;
	}
	return buf;
}

/* What is left to hardware behind a hop; with "?" if that is not certain. */
static const char *left_words(const struct trace *trace, unsigned left, unsigned unsure, char *buf)
{
	static const struct {
		const char *word;
		enum trace_offload ipv4, ipv6;
	} words[] = { { "TSO", TRACE_SEGMENT4, TRACE_SEGMENT6 }, { "checksum", TRACE_CHECKSUM4, TRACE_CHECKSUM6 },
		{ "SG", TRACE_SCATTER, TRACE_SCATTER }, { "UDP", TRACE_UDP, TRACE_UDP } };

	buf[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		unsigned pair = (TRACE_OFFLOAD(words[i].ipv4) | TRACE_OFFLOAD(words[i].ipv6)) &
			(trace->offloads | TRACE_OFFLOAD(TRACE_UDP)), kept = pair & left;

		if (kept)
			util_append(buf, TEXT_MAX, "%s%s%s%s", *buf ? " " : "", words[i].word,
				kept == pair ? "" : kept == TRACE_OFFLOAD(words[i].ipv4) ? "/IPv4" : "/IPv6", kept & unsure ? "?" : "");
	}
	return *buf ? buf : "nothing";
}

static const char *limit_words(const struct trace *trace, const struct trace_hop *hop, char *buf)
{
	uint32_t ipv4 = trace->offloads & TRACE_OFFLOAD(TRACE_SEGMENT4) ? hop->max_size[0] : hop->max_size[1],
		 ipv6 = trace->offloads & TRACE_OFFLOAD(TRACE_SEGMENT6) ? hop->max_size[1] : hop->max_size[0];

	buf[0] = '\0';
	if (ipv4 && ipv4 == ipv6)
		util_append(buf, TEXT_MAX, "%" PRIu32, ipv4);
	else if (ipv4 && ipv6)
		util_append(buf, TEXT_MAX, "%" PRIu32 "/%" PRIu32, ipv4, ipv6);
	return buf;
}

static const char *count_words(const struct trace_report *report, const struct trace_hop *hop, char *buf)
{
	buf[0] = '\0';
	if (hop->hits || is_counted(report))
		util_append(buf, TEXT_MAX, "%" PRIu64 "%s", hop->hits, hop->now ? " (now)" : "");
	else
		util_append(buf, TEXT_MAX, "?");
	return buf;
}

#define COLUMNS 5

static void name_hop(const struct trace_hop *hop, char *buf)
{
	util_append(buf, TEXT_MAX, "%*s%s%s", (int)(2 * hop->depth + 2), "", hop_name(hop),
		hop->role == LINK_ROLE_ACTIVE ? " (active)" : hop->role == LINK_ROLE_BACKUP ? " (backup)" : "");
}

static int put_hops(const struct render *r, const struct trace_report *report, const struct trace *trace)
{
	static const char *const columns[COLUMNS] = { "HOP", "LEADS TO", "LEFT TO HARDWARE", "MAX SIZE", "COUNTED" };
	static const char *const spare[] = { "LEADS TO", "MAX SIZE", NULL };
	size_t n = (trace->n_hops + 1) * COLUMNS;
	_cleanup_free_ const char **cells = calloc(n, sizeof(*cells));
	_cleanup_free_ char *texts = calloc(n, TEXT_MAX);
	char text[TEXT_MAX], of_socket[TEXT_MAX];

	if (!cells || !texts)
		return -ENOMEM;
	cells[0] = "socket";
	cells[1] = "route";
	cells[2] = trace->copying && trace->copying == trace->sockets ? "nothing" :
		left_words(trace, (1u << TRACE_OFFLOADS) - 1, trace->copying ? ~0u : 0, of_socket);
	for (size_t i = 0; i < trace->n_hops; i++) {
		const struct trace_hop *hop = &trace->hops[i];
		char *at = texts + i * COLUMNS * TEXT_MAX;

		name_hop(hop, at);
		next_words(trace, i, at + TEXT_MAX);
		util_append(at + 2 * TEXT_MAX, TEXT_MAX, "%s", left_words(trace, hop->left, trace_hop_possible(hop), text));
		limit_words(trace, hop, at + 3 * TEXT_MAX);
		count_words(report, hop, at + 4 * TEXT_MAX);
		for (unsigned c = 0; c < COLUMNS; c++)
			cells[(i + 1) * COLUMNS + c] = at + c * TEXT_MAX;
	}
	return render_table(r, columns, COLUMNS, spare, cells, trace->n_hops + 1);
}

static void put_limit_advice(const struct render *r, const struct trace *trace, enum trace_reason reason, uint32_t limit)
{
	const char *first = hop_name(&trace->hops[0]);
	char text[TEXT_MAX] = "";

	if (!limit)
		return;
	util_append(text, sizeof(text), "ip link set dev %s %s %" PRIu32 ", or a rule with [Limits] %s=%" PRIu32 " for %s, which keeps it; "
		"established connections keep the old limit",
		first, reason == TRACE_SIZE ? "gso_max_size" : "gso_max_segs", limit,
		reason == TRACE_SIZE ? "gso-max-size" : "gso-max-segs", limit, first);
	render_put_field(r, "advice", text);
}

/* A line for each hop and reason, and for each sender that was counted there. */
static void put_losses(const struct render *r, const struct feature_table *features, const struct trace_report *report,
	const struct trace *trace, const struct trace_hop *hop)
{
	char text[TEXT_MAX], work[TEXT_MAX], port[TEXT_MAX];

	for (unsigned reason = 0; reason < TRACE_REASONS; reason++) {
		const struct trace_loss *loss = &hop->losses[reason];
		unsigned offloads = loss->certain ? loss->certain : loss->possible;
		int column;

		work_words(offloads, trace->offloads, work);
		if (!*work)
			continue;
		text[0] = '\0';
		util_append(text, sizeof(text), "%s%s: ", loss->certain ? "" : "perhaps ", work);
		append_reason(text, features, hop, (enum trace_reason)reason);
		column = fprintf(r->out, "  %s%s: ", hop_name(hop), port_words(trace, hop, port));
		render_wrapped(r, (unsigned)column, text);
		put_limit_advice(r, trace, (enum trace_reason)reason, loss->limit);
	}
	for (size_t i = 0; report->evidence && i < report->evidence->n_fallback; i++) {
		const struct evidence_fallback *row = &report->evidence->fallback[i];

		for (unsigned kind = 0; kind < FALLBACK_KINDS && trace_has_row(hop, row, services_of(report)); kind++)
			if (row->hits[kind].n)
				fprintf(r->out, "  %s: counted %s %" PRIu64 " time%s (reason: %s) for %s%s\n", hop_name(hop),
					evidence_kind_name(kind), row->hits[kind].n, util_plural(row->hits[kind].n),
					evidence_reason_name(row->reason), row->service[0] ? row->service : evidence_origin_name(row->origin),
					row->hits[kind].now ? ", now" : "");
	}
}

static void put_source(const struct render *r, const struct trace_report *report, const struct trace_item *item)
{
	char text[TEXT_MAX] = "", address[SOCKET_ADDRESS_LEN];

	for (size_t i = 0; i < item->n_remotes && i < TRACE_REMOTES_MAX; i++)
		util_append(text, sizeof(text), "%s%s", i ? ", " : "", address_words(item->remotes[i].family,
			item->remotes[i].remote, item->remotes[i].remote_port, address, sizeof(address)));
	if (item->n_remotes > TRACE_REMOTES_MAX)
		util_append(text, sizeof(text), " and %zu more", item->n_remotes - TRACE_REMOTES_MAX);
	if (report->asked == TRACE_ASKED_UNIT)
		fprintf(r->out, "%u connection%s to %s\n", item->trace.sockets, util_plural(item->trace.sockets), text);
	else if (report->asked == TRACE_ASKED_ADDRESS && report->n_items > 1)
		fprintf(r->out, "one of %zu next hops of the route\n", report->n_items);
}

static void put_notes(const struct render *r, const struct trace_report *report)
{
	if (report->sockets_why || !is_counted(report) || has_lost(report->evidence))
		fputc('\n', r->out);
	if (report->sockets_why)
		render_put_field(r, "sockets", report->sockets_why);
	if (!report->evidence)
		render_put_field(r, "counters", "offloadd is not running, and only offloadd counts software fallback");
	else if (!is_counted(report))
		render_put_field(r, "counters", "not every probe is available. Run: offloadctl status");
	else if (has_lost(report->evidence))
		render_put_field(r, "counters", "not complete: within the last hour, some hits were not attributed to an interface. Run: offloadctl services --json");
}

int trace_report_text(const struct render *r, const struct view *view, const struct trace_report *report)
{
	put_verdict(r, view->features, report);
	for (size_t i = 0; i < report->n_items; i++) {
		const struct trace_item *item = &report->items[i];
		int e;

		fputc('\n', r->out);
		put_source(r, report, item);
		e = put_hops(r, report, &item->trace);
		if (e < 0)
			return e;
		for (size_t k = 0; k < item->trace.n_hops; k++)
			put_losses(r, view->features, report, &item->trace, &item->trace.hops[k]);
	}
	for (size_t i = 0; i < report->n_chains; i++) {
		const struct trace_chain *chain = &report->chains[i];

		fputc('\n', r->out);
		render_explanation(r, view, chain->link, FEATURE(chain->explanation.steps[0].bit), 0, &chain->explanation);
	}
	put_notes(r, report);
	return 0;
}

/* ---- JSON ---- */

static void add_offloads(struct json_writer *w, const char *key, unsigned offloads)
{
	json_open_line(w, key);
	for (unsigned o = 0; o < TRACE_OFFLOADS; o++)
		if (offloads & TRACE_OFFLOAD(o))
			json_add_text(w, NULL, trace_offload_name((enum trace_offload)o));
	json_close_list(w);
}

static void add_loss(struct json_writer *w, const struct feature_table *features, enum trace_reason reason, const struct trace_loss *loss)
{
	json_open_object(w, NULL);
	json_add_text(w, "reason", trace_reason_name(reason));
	add_offloads(w, "certain", loss->certain);
	add_offloads(w, "possible", loss->possible);
	feature_add_names(w, "features", features, loss->features);
	json_add_positive(w, "limit", loss->limit);
	json_close_object(w);
}

static void add_counters(struct json_writer *w, const struct trace_report *report, const struct trace_hop *hop)
{
	const struct evidence *e = report->evidence;

	if (!json_open_list_if(w, "counters", e && e->has_fallback))
		return;
	for (size_t i = 0; i < e->n_fallback; i++)
		for (unsigned kind = 0; kind < FALLBACK_KINDS; kind++) {
			const struct evidence_fallback *row = &e->fallback[i];

			if (!row->hits[kind].n || !trace_has_row(hop, row, services_of(report)))
				continue;
			json_open_object(w, NULL);
			json_add_text(w, "kind", evidence_kind_name(kind));
			json_add_text(w, "origin", evidence_origin_name(row->origin));
			json_add_text(w, "reason", evidence_reason_name(row->reason));
			json_add_some(w, "service", row->service);
			json_add_int(w, "hits", (int64_t)row->hits[kind].n);
			json_add_bool(w, "now", row->hits[kind].now);
			json_close_object(w);
		}
	json_close_list(w);
}

static void add_remote(struct json_writer *w, const char *key, uint16_t family, const uint8_t *address, uint16_t port)
{
	char text[SOCKET_ADDRESS_LEN];

	json_add_text(w, key, family ? address_words(family, address, port, text, sizeof(text)) : NULL);
}

static void add_hop(struct json_writer *w, const struct feature_table *features, const struct trace_report *report,
	const struct trace_hop *hop)
{
	json_open_object(w, NULL);
	json_add_link(w, hop->link->name, hop->link->ifindex);
	json_add_name(w, "kind", hop->link->kind, sizeof(hop->link->kind));
	if (hop->parent >= 0)
		json_add_int(w, "from", hop->parent);
	else
		json_add_null(w, "from");
	json_add_text(w, "role", trace_role_name(hop->role));
	json_add_text(w, "next", trace_next_name(hop->next));
	json_add_text(w, "why", trace_why_name(hop->why));
	add_remote(w, "remote", hop->family, hop->remote, 0);
	json_add_int(w, "vlan_tags", hop->tags);
	json_add_bool(w, "encapsulated", hop->tunnelled);
	json_add_some(w, "qdisc", hop->qdisc);
	add_offloads(w, "left", hop->left);
	json_open_list(w, "lost");
	for (unsigned reason = 0; reason < TRACE_REASONS; reason++)
		if (hop->losses[reason].certain | hop->losses[reason].possible)
			add_loss(w, features, (enum trace_reason)reason, &hop->losses[reason]);
	json_close_list(w);
	json_add_positive(w, "max_size_ipv4", hop->max_size[0]);
	json_add_positive(w, "max_size_ipv6", hop->max_size[1]);
	json_add_positive(w, "max_segs", hop->max_segs);
	add_counters(w, report, hop);
	json_close_object(w);
}

static void add_item(struct json_writer *w, const struct feature_table *features, const struct trace_report *report,
	const struct trace_item *item)
{
	const struct trace *trace = &item->trace;

	json_open_object(w, NULL);
	json_add_text(w, "verdict", trace_verdict_name(trace->verdict));
	if (trace->at >= 0)
		json_add_int(w, "at", trace->at);
	else
		json_add_null(w, "at");
	json_open_list(w, "remotes");
	for (size_t i = 0; i < item->n_remotes && i < TRACE_REMOTES_MAX; i++)
		add_remote(w, NULL, item->remotes[i].family, item->remotes[i].remote, item->remotes[i].remote_port);
	json_close_list(w);
	if (json_open_if(w, "sockets", report->asked == TRACE_ASKED_UNIT)) {
		json_add_int(w, "connections", trace->sockets);
		if (report->sockets_why) {
			json_add_null(w, "copying");
			json_add_null(w, "stale");
		} else {
			json_add_int(w, "copying", trace->copying);
			json_add_int(w, "stale", trace->stale);
		}
		json_close_object(w);
	}
	json_open_list(w, "hops");
	for (size_t i = 0; i < trace->n_hops; i++)
		add_hop(w, features, report, &trace->hops[i]);
	json_close_list(w);
	json_close_object(w);
}

int trace_report_json(FILE *out, const struct view *view, const struct trace_report *report, int exit_code)
{
	static const char *const asked[] = { "interface", "unit", "address" };
	_cleanup_json_writer_ struct json_writer w = { 0 };

	json_begin(&w, "path");
	json_add_int(&w, "exit_code", exit_code);
	json_add_text(&w, "asked", asked[report->asked]);
	json_add_text(&w, "name", report->name);
	json_add_text(&w, "verdict", trace_verdict_name(trace_report_verdict(report, NULL)));
	json_add_text(&w, "sockets_by", report->sockets);
	json_add_text(&w, "sockets_why", report->sockets_why);
	json_add_int(&w, "unrouted", (int64_t)report->unrouted);
	json_add_bool(&w, "counted", is_counted(report));
	json_open_list(&w, "paths");
	for (size_t i = 0; i < report->n_items; i++)
		add_item(&w, view->features, report, &report->items[i]);
	json_close_list(&w);
	json_open_list(&w, "causes");
	for (size_t i = 0; i < report->n_chains; i++) {
		json_open_object(&w, NULL);
		json_add_link(&w, report->chains[i].link->name, report->chains[i].link->ifindex);
		json_open_list(&w, "features");
		json_add_explanation(&w, view, &report->chains[i].explanation);
		json_close_list(&w);
		json_close_object(&w);
	}
	json_close_list(&w);
	return json_finish(&w, out);
}
