/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "path/way_report.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "basic/json.h"
#include "basic/util.h"
#include "report/json.h"
#include "report/render_text.h"

#define TEXT_MAX 1024

enum way_verdict way_report_verdict(const struct way_report *report, const struct way_item **ret)
{
	const struct way_item *worst = NULL;
	enum way_verdict verdict = report->n_items && !report->unrouted ? WAY_OK : WAY_UNKNOWN;

	for (size_t i = 0; i < report->n_items; i++)
		if (report->items[i].way.verdict > verdict || (!worst && report->items[i].way.verdict == verdict)) {
			worst = &report->items[i];
			verdict = worst->way.verdict;
		}
	if (ret)
		*ret = worst;
	return verdict;
}

/* Does this row count for what was asked? */
static const char *const *services_of(const struct way_report *report)
{
	return report->asked == WAY_ASKED_UNIT ? report->services : NULL;
}

/* ---- words ---- */

/* "segmentation", or "segmentation of IPv6" if packets of both families take this way and only one loses it. */
static void append_pair(char *buf, unsigned offloads, unsigned concerned, enum way_offload ipv4, enum way_offload ipv6,
	const char *word)
{
	unsigned pair = (WAY_OFFLOAD(ipv4) | WAY_OFFLOAD(ipv6)) & concerned, lost = offloads & pair;

	if (lost)
		util_append(buf, TEXT_MAX, "%s%s%s", *buf ? ", " : "", word,
			lost == pair ? "" : lost == WAY_OFFLOAD(ipv4) ? " of IPv4" : " of IPv6");
}

/* What a hop does in software, for packets of TCP. Returns buf. */
static const char *work_words(unsigned offloads, unsigned concerned, char *buf)
{
	buf[0] = '\0';
	append_pair(buf, offloads, concerned, WAY_SEGMENT4, WAY_SEGMENT6, "segmentation");
	append_pair(buf, offloads, concerned, WAY_CHECKSUM4, WAY_CHECKSUM6, "checksums");
	if (offloads & concerned & WAY_OFFLOAD(WAY_SCATTER))
		util_append(buf, TEXT_MAX, "%scopying", *buf ? ", " : "");
	if (offloads & WAY_OFFLOAD(WAY_UDP))
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

static const char *hop_name(const struct way_hop *hop)
{
	return render_clean_name(hop->link->name);
}

/* ", the backup port of bond0": a hop that not every packet passes. */
static const char *port_words(const struct way *way, const struct way_hop *hop, char *buf)
{
	const struct way_hop *before = hop->parent >= 0 ? &way->hops[hop->parent] : NULL;
	size_t n = 0;

	buf[0] = '\0';
	if (!before || before->next != WAY_PORTS)
		return buf;
	for (size_t i = 0; i < way->n_hops; i++)
		n += way->hops[i].parent == hop->parent;
	if (n > 1 || hop->role != LINK_ROLE_NONE)
		util_append(buf, TEXT_MAX, ", %s%s of %zu port%s of %s", hop->role == LINK_ROLE_BACKUP ? "now a backup, " : "",
			"one", n, util_plural(n), hop_name(before));
	return buf;
}

static const char *why_words(const struct way_hop *hop, char *buf)
{
	char remote[SOCKET_ADDRESS_LEN];

	buf[0] = '\0';
	switch (hop->why) {
	case WAY_WHY_NONE:
		break;
	case WAY_WHY_NAMESPACE:
		util_append(buf, TEXT_MAX, "the interface below is in another network namespace");
		break;
	case WAY_WHY_GONE:
		util_append(buf, TEXT_MAX, "the interface below does not exist");
		break;
	case WAY_WHY_LOOP:
		util_append(buf, TEXT_MAX, "it leads back to itself");
		break;
	case WAY_WHY_REMOTE:
		util_append(buf, TEXT_MAX, "the other end of the tunnel depends on the packet");
		break;
	case WAY_WHY_ROUTE:
		util_append(buf, TEXT_MAX, "no route to %s: %s", address_words(hop->family, hop->remote, 0, remote, sizeof(remote)),
			strerror(-hop->error));
		break;
	case WAY_WHY_KIND:
		util_append(buf, TEXT_MAX, "what %s does with packets is not followed", hop->link->kind);
		break;
	case WAY_WHY_LONG:
		util_append(buf, TEXT_MAX, "too many interfaces");
		break;
	}
	return buf;
}

static void append_reason(char *buf, const struct feature_table *features, const struct way_hop *hop, enum way_reason reason)
{
	const struct way_loss *loss = &hop->losses[reason];
	char names[RENDER_NAMES_LEN], why[TEXT_MAX];

	feature_format(features, loss->features, names, sizeof(names));
	switch (reason) {
	case WAY_FEATURE:
		util_append(buf, TEXT_MAX, "%s%s off", loss->features ? names : "not supported",
			loss->features & (loss->features - 1) ? " are" : " is");
		break;
	case WAY_VLAN:
		util_append(buf, TEXT_MAX, loss->certain ? "it does not offer %s to VLANs (vlan_features)"
							 : "whether it offers %s to VLANs is not readable (vlan_features)",
			names);
		break;
	case WAY_TAGS:
		util_append(buf, TEXT_MAX, "packets have %u VLAN tags", hop->tags);
		break;
	case WAY_TUNNEL:
		util_append(buf, TEXT_MAX, "what it does for encapsulated packets is not readable (hw_enc_features)");
		break;
	case WAY_SIZE:
		util_append(buf, TEXT_MAX, "packets of %" PRIu32 " bytes or more exceed its gso_max_size, which is below what the socket may send",
			loss->limit);
		break;
	case WAY_SEGMENTS:
		util_append(buf, TEXT_MAX, "packets of more than %" PRIu32 " segments exceed its gso_max_segs, which is below what the socket may send",
			loss->limit);
		break;
	case WAY_KIND:
		util_append(buf, TEXT_MAX, "%s does it before it encrypts", hop->link->kind);
		break;
	case WAY_QDISC:
		util_append(buf, TEXT_MAX, "the queueing discipline %s may segment", hop->qdisc);
		break;
	case WAY_UNREAD:
		if (hop->next == WAY_LOST && hop->link->has_features)
			util_append(buf, TEXT_MAX, "what follows is not known: %s", why_words(hop, why));
		else
			util_append(buf, TEXT_MAX, "its features could not be read");
		break;
	}
}

/* ---- the verdict ---- */

static void append_ends(char *buf, const struct way *way)
{
	bool any = false;

	for (size_t i = 0; i < way->n_hops; i++)
		if (way->hops[i].next >= WAY_END) {
			util_append(buf, TEXT_MAX, "%s%s", any ? ", " : "", hop_name(&way->hops[i]));
			any = true;
		}
}

/* The first reason of a hop, certain ones first. */
static enum way_reason first_reason(const struct way *way, const struct way_hop *hop)
{
	for (unsigned r = 0; r < WAY_REASONS; r++)
		if (hop->losses[r].certain & way->offloads)
			return (enum way_reason)r;
	for (unsigned r = 0; r < WAY_REASONS; r++)
		if (hop->losses[r].possible & way->offloads)
			return (enum way_reason)r;
	return WAY_REASONS;
}

static void append_software(char *buf, const struct way *way)
{
	const struct way_hop *hop = way->at >= 0 ? &way->hops[way->at] : NULL;
	enum way_reason reason = hop ? first_reason(way, hop) : WAY_REASONS;
	char work[TEXT_MAX], port[TEXT_MAX];

	if (!hop) {
		util_append(buf, TEXT_MAX, "%u of %u connection%s %s every page at the socket, because %s no scatter-gather", way->copying,
			way->sockets, util_plural(way->sockets), way->copying == 1 ? "copies" : "copy",
			way->copying == 1 ? "it has" : "they have");
		if (way->stale)
			util_append(buf, TEXT_MAX, "; %u %s stale and must reconnect", way->stale, way->stale == 1 ? "is" : "are");
		return;
	}
	if (reason == WAY_REASONS || !(hop->losses[reason].certain & way->offloads))
		util_append(buf, TEXT_MAX, "software fallback at %s%s: offloadd counted it within the last ten seconds", hop_name(hop),
			port_words(way, hop, port));
	else
		util_append(buf, TEXT_MAX, "%s%s in software at %s%s",
			work_words(way_hop_certain(hop) & ~WAY_OFFLOAD(WAY_UDP), way->offloads, work),
			reason == WAY_SIZE || reason == WAY_SEGMENTS ? " of long packets" : "", hop_name(hop),
			port_words(way, hop, port));
}

static void put_verdict(const struct render *r, const struct feature_table *features, const struct way_report *report)
{
	const struct way_item *item;
	char text[TEXT_MAX] = "", port[TEXT_MAX];
	enum way_verdict verdict = way_report_verdict(report, &item);
	const struct way_hop *hop = item && item->way.at >= 0 ? &item->way.hops[item->way.at] : NULL;
	int column = render_put_name(r, report->name) + fprintf(r->out, ": ");

	switch (verdict) {
	case WAY_OK:
		column += render_put_coloured(r, "32", "OK");
		util_append(text, sizeof(text), "TCP leaves segmentation and checksums to ");
		append_ends(text, &item->way);
		break;
	case WAY_SOFTWARE:
		column += render_put_coloured(r, "31", "SOFTWARE");
		append_software(text, &item->way);
		break;
	case WAY_UNKNOWN:
		column += render_put_coloured(r, "33", "NOT KNOWN");
		if (hop) {
			util_append(text, sizeof(text), "no software fallback found, but not everything is known of %s%s: ", hop_name(hop),
				port_words(&item->way, hop, port));
			append_reason(text, features, hop, first_reason(&item->way, hop));
		} else if (report->n_items) {
			util_append(text, sizeof(text), "no software fallback found, but %zu connection%s no route", report->unrouted,
				report->unrouted == 1 ? " has" : "s have");
		} else {
			util_append(text, sizeof(text), "no established TCP connection was found, and the way depends on the destination; "
				"give an interface or an address");
		}
		break;
	}
	fputs(": ", r->out);
	render_wrapped(r, (unsigned)column + 2, text);
}

/* ---- one way ---- */

static const char *next_words(const struct way *way, size_t at, char *buf)
{
	const struct way_hop *hop = &way->hops[at];
	char remote[SOCKET_ADDRESS_LEN];
	size_t n = 0;

	buf[0] = '\0';
	for (size_t i = at + 1; i < way->n_hops; i++)
		n += way->hops[i].parent == (int)at;
	switch (hop->next) {
	case WAY_LOWER:
		util_append(buf, TEXT_MAX, link_is_kind(hop->link, "vlan") ? "VLAN %u" : "below", hop->link->vlan_id);
		break;
	case WAY_PORTS:
		util_append(buf, TEXT_MAX, "%zu port%s", n, util_plural(n));
		break;
	case WAY_ROUTED:
		util_append(buf, TEXT_MAX, "tunnel%s%s", hop->family ? " to " : "",
			hop->family ? address_words(hop->family, hop->remote, 0, remote, sizeof(remote)) : "");
		break;
	case WAY_WIRE:
		util_append(buf, TEXT_MAX, "device");
		break;
	case WAY_PEER:
		util_append(buf, TEXT_MAX, hop->link->lower_netnsid >= 0 ? "other namespace" : "its other end");
		break;
	case WAY_LOCAL:
		util_append(buf, TEXT_MAX, "this host");
		break;
	case WAY_PROGRAM:
		util_append(buf, TEXT_MAX, "a program");
		break;
	case WAY_DISCARDED:
		util_append(buf, TEXT_MAX, link_is_kind(hop->link, "dummy") ? "discarded" : "no port");
		break;
	case WAY_LOST:
		util_append(buf, TEXT_MAX, "?");
		break;
	}
	return buf;
}

/* What is left to hardware behind a hop; with "?" if that is not certain. */
static const char *left_words(const struct way *way, unsigned left, unsigned unsure, char *buf)
{
	static const struct {
		const char *word;
		enum way_offload ipv4, ipv6;
	} words[] = { { "TSO", WAY_SEGMENT4, WAY_SEGMENT6 }, { "checksum", WAY_CHECKSUM4, WAY_CHECKSUM6 },
		{ "SG", WAY_SCATTER, WAY_SCATTER }, { "UDP", WAY_UDP, WAY_UDP } };

	buf[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		unsigned pair = (WAY_OFFLOAD(words[i].ipv4) | WAY_OFFLOAD(words[i].ipv6)) &
			(way->offloads | WAY_OFFLOAD(WAY_UDP)), kept = pair & left;

		if (kept)
			util_append(buf, TEXT_MAX, "%s%s%s%s", *buf ? " " : "", words[i].word,
				kept == pair ? "" : kept == WAY_OFFLOAD(words[i].ipv4) ? "/IPv4" : "/IPv6", kept & unsure ? "?" : "");
	}
	return *buf ? buf : "nothing";
}

static const char *limit_words(const struct way *way, const struct way_hop *hop, char *buf)
{
	uint32_t ipv4 = way->offloads & WAY_OFFLOAD(WAY_SEGMENT4) ? hop->max_size[0] : hop->max_size[1],
		 ipv6 = way->offloads & WAY_OFFLOAD(WAY_SEGMENT6) ? hop->max_size[1] : hop->max_size[0];

	buf[0] = '\0';
	if (ipv4 && ipv4 == ipv6)
		util_append(buf, TEXT_MAX, "%" PRIu32, ipv4);
	else if (ipv4 && ipv6)
		util_append(buf, TEXT_MAX, "%" PRIu32 "/%" PRIu32, ipv4, ipv6);
	return buf;
}

/* Do both probes run that count what interfaces do? */
static bool is_counted(const struct way_report *report)
{
	unsigned n = 0;

	for (size_t i = 0; report->evidence && i < report->evidence->n_probes; i++) {
		const struct evidence_probe *probe = &report->evidence->probes[i];

		n += probe->method && (strcmp(probe->name, evidence_kind_name(FALLBACK_SEGMENTATION)) == 0 ||
					      strcmp(probe->name, evidence_kind_name(FALLBACK_CHECKSUM)) == 0);
	}
	return n == 2;
}

static const char *count_words(const struct way_report *report, const struct way_hop *hop, char *buf)
{
	buf[0] = '\0';
	if (hop->hits || is_counted(report))
		util_append(buf, TEXT_MAX, "%" PRIu64 "%s", hop->hits, hop->now ? " (now)" : "");
	else
		util_append(buf, TEXT_MAX, "?");
	return buf;
}

#define COLUMNS 5

static void name_hop(const struct way_hop *hop, char *buf)
{
	util_append(buf, TEXT_MAX, "%*s%s%s", (int)(2 * hop->depth + 2), "", hop_name(hop),
		hop->role == LINK_ROLE_ACTIVE ? " (active)" : hop->role == LINK_ROLE_BACKUP ? " (backup)" : "");
}

static int put_hops(const struct render *r, const struct way_report *report, const struct way *way)
{
	static const char *const columns[COLUMNS] = { "HOP", "LEADS TO", "LEFT TO HARDWARE", "MAX SIZE", "COUNTED" };
	static const char *const spare[] = { "LEADS TO", "MAX SIZE", NULL };
	size_t n = (way->n_hops + 1) * COLUMNS;
	_cleanup_free_ const char **cells = calloc(n, sizeof(*cells));
	_cleanup_free_ char *texts = calloc(n, TEXT_MAX);
	char text[TEXT_MAX], of_socket[TEXT_MAX];

	if (!cells || !texts)
		return -ENOMEM;
	cells[0] = "socket";
	cells[1] = "route";
	cells[2] = way->copying && way->copying == way->sockets ? "nothing" :
		left_words(way, (1u << WAY_OFFLOADS) - 1, way->copying ? ~0u : 0, of_socket);
	for (size_t i = 0; i < way->n_hops; i++) {
		const struct way_hop *hop = &way->hops[i];
		char *at = texts + i * COLUMNS * TEXT_MAX;

		name_hop(hop, at);
		next_words(way, i, at + TEXT_MAX);
		util_append(at + 2 * TEXT_MAX, TEXT_MAX, "%s", left_words(way, hop->left, way_hop_possible(hop), text));
		limit_words(way, hop, at + 3 * TEXT_MAX);
		count_words(report, hop, at + 4 * TEXT_MAX);
		for (unsigned c = 0; c < COLUMNS; c++)
			cells[(i + 1) * COLUMNS + c] = at + c * TEXT_MAX;
	}
	return render_table(r, columns, COLUMNS, spare, cells, way->n_hops + 1);
}

static void put_limit_advice(const struct render *r, const struct way *way, enum way_reason reason, uint32_t limit)
{
	const char *first = hop_name(&way->hops[0]);
	char text[TEXT_MAX] = "";

	if (!limit)
		return;
	util_append(text, sizeof(text), "ip link set dev %s %s %" PRIu32 ", or a rule with [Limits] %s=%" PRIu32 " for %s, which keeps it; "
		"established connections keep the old limit",
		first, reason == WAY_SIZE ? "gso_max_size" : "gso_max_segs", limit,
		reason == WAY_SIZE ? "gso-max-size" : "gso-max-segs", limit, first);
	render_put_field(r, "advice", text);
}

/* A line for each hop and reason, and for each sender that was counted there. */
static void put_losses(const struct render *r, const struct feature_table *features, const struct way_report *report,
	const struct way *way, const struct way_hop *hop)
{
	char text[TEXT_MAX], work[TEXT_MAX], port[TEXT_MAX];

	for (unsigned reason = 0; reason < WAY_REASONS; reason++) {
		const struct way_loss *loss = &hop->losses[reason];
		unsigned offloads = loss->certain ? loss->certain : loss->possible;
		int column;

		work_words(offloads, way->offloads, work);
		if (!*work)
			continue;
		text[0] = '\0';
		util_append(text, sizeof(text), "%s%s: ", loss->certain ? "" : "perhaps ", work);
		append_reason(text, features, hop, (enum way_reason)reason);
		column = fprintf(r->out, "  %s%s: ", hop_name(hop), port_words(way, hop, port));
		render_wrapped(r, (unsigned)column, text);
		put_limit_advice(r, way, (enum way_reason)reason, loss->limit);
	}
	for (size_t i = 0; report->evidence && i < report->evidence->n_fallback; i++) {
		const struct evidence_fallback *row = &report->evidence->fallback[i];

		for (unsigned kind = 0; kind < FALLBACK_KINDS && way_has_row(hop, row, services_of(report)); kind++)
			if (row->hits[kind].n)
				fprintf(r->out, "  %s: counted %s %" PRIu64 " time%s (reason: %s) for %s%s\n", hop_name(hop),
					evidence_kind_name(kind), row->hits[kind].n, util_plural(row->hits[kind].n),
					evidence_reason_name(row->reason), row->service[0] ? row->service : evidence_origin_name(row->origin),
					row->hits[kind].now ? ", now" : "");
	}
}

static void put_source(const struct render *r, const struct way_report *report, const struct way_item *item)
{
	char text[TEXT_MAX] = "", address[SOCKET_ADDRESS_LEN];

	for (size_t i = 0; i < item->n_remotes && i < WAY_REMOTES_MAX; i++)
		util_append(text, sizeof(text), "%s%s", i ? ", " : "", address_words(item->remotes[i].family,
			item->remotes[i].remote, item->remotes[i].remote_port, address, sizeof(address)));
	if (item->n_remotes > WAY_REMOTES_MAX)
		util_append(text, sizeof(text), " and %zu more", item->n_remotes - WAY_REMOTES_MAX);
	if (report->asked == WAY_ASKED_UNIT)
		fprintf(r->out, "%u connection%s to %s\n", item->way.sockets, util_plural(item->way.sockets), text);
	else if (report->asked == WAY_ASKED_ADDRESS && report->n_items > 1)
		fprintf(r->out, "one of %zu next hops of the route\n", report->n_items);
}

static bool has_lost(const struct evidence *e)
{
	bool any = e->left_out;

	for (unsigned kind = 0; kind < FALLBACK_KINDS; kind++)
		any |= e->lost[kind] != 0;
	return any;
}

static void put_notes(const struct render *r, const struct way_report *report)
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
		render_put_field(r, "counters", "not complete: some hits were not attributed to an interface. Run: offloadctl services --json");
}

int way_report_text(const struct render *r, const struct view *view, const struct way_report *report)
{
	put_verdict(r, view->features, report);
	for (size_t i = 0; i < report->n_items; i++) {
		const struct way_item *item = &report->items[i];
		int e;

		fputc('\n', r->out);
		put_source(r, report, item);
		e = put_hops(r, report, &item->way);
		if (e < 0)
			return e;
		for (size_t k = 0; k < item->way.n_hops; k++)
			put_losses(r, view->features, report, &item->way, &item->way.hops[k]);
	}
	for (size_t i = 0; i < report->n_chains; i++) {
		const struct way_chain *chain = &report->chains[i];

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
	for (unsigned o = 0; o < WAY_OFFLOADS; o++)
		if (offloads & WAY_OFFLOAD(o))
			json_add_text(w, NULL, way_offload_name((enum way_offload)o));
	json_close_list(w);
}

static void add_loss(struct json_writer *w, const struct feature_table *features, enum way_reason reason, const struct way_loss *loss)
{
	json_open_object(w, NULL);
	json_add_text(w, "reason", way_reason_name(reason));
	add_offloads(w, "certain", loss->certain);
	add_offloads(w, "possible", loss->possible);
	feature_add_names(w, "features", features, loss->features);
	json_add_positive(w, "limit", loss->limit);
	json_close_object(w);
}

static void add_counters(struct json_writer *w, const struct way_report *report, const struct way_hop *hop)
{
	const struct evidence *e = report->evidence;

	if (!json_open_list_if(w, "counters", e && e->has_fallback))
		return;
	for (size_t i = 0; i < e->n_fallback; i++)
		for (unsigned kind = 0; kind < FALLBACK_KINDS; kind++) {
			const struct evidence_fallback *row = &e->fallback[i];

			if (!row->hits[kind].n || !way_has_row(hop, row, services_of(report)))
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

static void add_hop(struct json_writer *w, const struct feature_table *features, const struct way_report *report,
	const struct way_hop *hop)
{
	json_open_object(w, NULL);
	json_add_link(w, hop->link->name, hop->link->ifindex);
	json_add_name(w, "kind", hop->link->kind, sizeof(hop->link->kind));
	if (hop->parent >= 0)
		json_add_int(w, "from", hop->parent);
	else
		json_add_null(w, "from");
	json_add_text(w, "role", way_role_name(hop->role));
	json_add_text(w, "next", way_next_name(hop->next));
	json_add_text(w, "why", way_why_name(hop->why));
	add_remote(w, "remote", hop->family, hop->remote, 0);
	json_add_int(w, "vlan_tags", hop->tags);
	json_add_bool(w, "encapsulated", hop->tunnelled);
	json_add_some(w, "qdisc", hop->qdisc);
	add_offloads(w, "left", hop->left);
	json_open_list(w, "lost");
	for (unsigned reason = 0; reason < WAY_REASONS; reason++)
		if (hop->losses[reason].certain | hop->losses[reason].possible)
			add_loss(w, features, (enum way_reason)reason, &hop->losses[reason]);
	json_close_list(w);
	json_add_positive(w, "max_size_ipv4", hop->max_size[0]);
	json_add_positive(w, "max_size_ipv6", hop->max_size[1]);
	json_add_positive(w, "max_segs", hop->max_segs);
	add_counters(w, report, hop);
	json_close_object(w);
}

static void add_item(struct json_writer *w, const struct feature_table *features, const struct way_report *report,
	const struct way_item *item)
{
	const struct way *way = &item->way;

	json_open_object(w, NULL);
	json_add_text(w, "verdict", way_verdict_name(way->verdict));
	if (way->at >= 0)
		json_add_int(w, "at", way->at);
	else
		json_add_null(w, "at");
	json_open_list(w, "remotes");
	for (size_t i = 0; i < item->n_remotes && i < WAY_REMOTES_MAX; i++)
		add_remote(w, NULL, item->remotes[i].family, item->remotes[i].remote, item->remotes[i].remote_port);
	json_close_list(w);
	if (json_open_if(w, "sockets", report->asked == WAY_ASKED_UNIT)) {
		json_add_int(w, "connections", way->sockets);
		if (report->sockets_why) {
			json_add_null(w, "copying");
			json_add_null(w, "stale");
		} else {
			json_add_int(w, "copying", way->copying);
			json_add_int(w, "stale", way->stale);
		}
		json_close_object(w);
	}
	json_open_list(w, "hops");
	for (size_t i = 0; i < way->n_hops; i++)
		add_hop(w, features, report, &way->hops[i]);
	json_close_list(w);
	json_close_object(w);
}

int way_report_json(FILE *out, const struct view *view, const struct way_report *report, int exit_code)
{
	static const char *const asked[] = { "interface", "unit", "address" };
	_cleanup_json_writer_ struct json_writer w = { 0 };

	json_begin(&w, "path");
	json_add_int(&w, "exit_code", exit_code);
	json_add_text(&w, "asked", asked[report->asked]);
	json_add_text(&w, "name", report->name);
	json_add_text(&w, "verdict", way_verdict_name(way_report_verdict(report, NULL)));
	json_add_text(&w, "sockets_by", report->sockets);
	json_add_text(&w, "sockets_why", report->sockets_why);
	json_add_int(&w, "unrouted", (int64_t)report->unrouted);
	json_add_bool(&w, "counted", is_counted(report));
	json_open_list(&w, "ways");
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
